-- The offers of each customer by what they are to sell: again, dearer, or something else.

-- What each customer paid for a piece, by category, and at most for anything.
CREATE FUNCTION segmentation_internal.workspace_paid_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT f.customer, d.item AS category, sum(d.amount) / sum(d.quantity) AS paid
    FROM ONLY @ws@.workspace AS w
    CROSS JOIN ONLY @ws@.customer_facts AS f
    CROSS JOIN LATERAL segmentation.item_days(f.categories) AS d
    WHERE d.day <= w.as_of AND d.quantity > 0 AND d.amount >= 0
    GROUP BY f.customer, d.item)$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_paid_sql() IS
  'Part of customer_offers: what each customer paid for a piece, by category, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_dearest_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT f.customer, max(d.amount / d.quantity) AS paid
    FROM ONLY @ws@.workspace AS w
    CROSS JOIN ONLY @ws@.customer_facts AS f
    CROSS JOIN LATERAL segmentation.item_days(f.items) AS d
    WHERE d.day <= w.as_of AND d.quantity > 0 AND d.amount >= 0
    GROUP BY f.customer)$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_dearest_sql() IS
  'Part of customer_offers: what each customer paid at most for a piece, as SQL.';

CREATE FUNCTION segmentation.customer_offers(workspace text)
RETURNS TABLE (
  customer text, place smallint, product text, product_name text, kind text, category text,
  probability double precision, price numeric, category_paid numeric, most_paid numeric, next_due date
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,parameter_set,customer_facts,customer_products,product}');
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH paid AS MATERIALIZED (SELECT * FROM @(paid)@ AS p),
    dearest AS MATERIALIZED (SELECT * FROM @(dearest)@ AS p)
    SELECT o.customer::text, o.place, o.product, coalesce(p.name, o.product),
      CASE WHEN o.source = 'repeat' THEN 'repeat'
        WHEN d.customer IS NULL THEN 'popular'
        WHEN g.settings ->> 'product_level' = 'category' THEN 'cross_sell'
        WHEN p.category IS NULL THEN 'other'
        WHEN c.customer IS NULL THEN 'cross_sell'
        WHEN p.price > c.paid AND p.price <= d.paid THEN 'up_sell'
        ELSE 'other' END,
      p.category, o.probability, p.price, round(c.paid, 2), round(d.paid, 2), o.next_due
    FROM ONLY @ws@.workspace AS w
    JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
    CROSS JOIN ONLY @ws@.customer_products AS o
    LEFT JOIN ONLY @ws@.product AS p ON p.product = o.product
    LEFT JOIN paid AS c ON c.customer = o.customer AND c.category = p.category
    LEFT JOIN dearest AS d ON d.customer = o.customer
    ORDER BY o.customer, o.place$q$, jsonb_build_object(
      'paid', segmentation_internal.fill(ws, segmentation_internal.workspace_paid_sql()),
      'dearest', segmentation_internal.fill(ws, segmentation_internal.workspace_dearest_sql())));
END
$$;
COMMENT ON FUNCTION segmentation.customer_offers(text) IS
  'The offers of each customer by what they are to sell: repeat (bought before), up_sell (of a category that the '
  'customer buys, dearer than what they pay in it, within what they have paid for a piece), cross_sell (of a category '
  'never bought), other (of a category bought, no dearer or beyond that), popular (nothing was bought).';
