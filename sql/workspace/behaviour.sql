-- How customers buy: rhythm, baskets, discounts, margin and contact frequency, from the facts as they are published.
-- Read when asked, as scores are: so a refresh and refresh_changed cannot differ, and a refresh costs nothing more.

-- What each customer paid for what has a price, against that price. Returns of their own day are no lines, but come off
-- the margin; those of an order's own number are off its lines already.
CREATE FUNCTION segmentation_internal.workspace_discounts_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT f.customer, count(*) FILTER (WHERE t.bought) AS lines, count(*) FILTER (WHERE t.reduced) AS reduced_lines,
      sum(t.amount) FILTER (WHERE t.bought) AS amount,
      coalesce(sum(t.amount) FILTER (WHERE t.reduced), 0) AS reduced_amount,
      coalesce(-sum(t.amount) FILTER (WHERE NOT t.bought), 0) AS returned_amount,
      sum(t.listed) FILTER (WHERE t.bought) AS listed, sum(t.amount - t.cost) AS net_margin
    FROM ONLY @ws@.workspace AS w
    JOIN ONLY @ws@.parameter_set AS g
      ON g.parameter_set = w.parameter_set AND g.settings ->> 'product_level' = 'product'
    CROSS JOIN ONLY @ws@.customer_facts AS f
    CROSS JOIN LATERAL segmentation.item_days(f.items) AS d
    JOIN ONLY @ws@.product AS p ON p.product = d.item AND p.price > 0
    CROSS JOIN LATERAL (
      SELECT d.amount, p.price * d.quantity AS listed, p.price * d.quantity * (1 - p.margin) AS cost,
        d.quantity > 0 AND d.amount >= 0 AS bought,
        d.quantity > 0 AND d.amount >= 0 AND d.amount <= p.price * d.quantity * (1 - $1) AS reduced) AS t
    WHERE d.day <= w.as_of
    GROUP BY f.customer
    HAVING bool_or(t.bought))$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_discounts_sql() IS
  'Part of customer_behaviour: what each customer paid against the prices of the products, as SQL.';

-- Whether a customer hears from us as often as may be: over, at most, or less.
CREATE FUNCTION segmentation_internal.workspace_pressure_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT c.customer, bool_or(c.eligible) AS eligible, bool_or(c.reason = 'pressure') AS pressed
    FROM ONLY @ws@.customer_channels AS c
    GROUP BY c.customer)$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_pressure_sql() IS
  'Part of customer_behaviour: who may be contacted, and who was often enough, as SQL.';

CREATE FUNCTION segmentation.customer_behaviour(workspace text, discount double precision DEFAULT 0.05)
RETURNS TABLE (
  customer text, tenure integer, purchase_days integer, mean_basket numeric, mean_gap double precision,
  next_purchase date, discount_lines double precision, discount_value double precision,
  discount_sensitivity double precision, discount_decile integer, discount_given numeric,
  returned double precision, net_margin numeric,
  contacts_30 bigint, contact_frequency text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,parameter_set,customer_facts,product,customer_channels}');
BEGIN
  IF (discount > 0 AND discount < 1) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('discount must be between 0 and 1, not %s', coalesce(discount::text, 'null')),
      HINT = 'It is the share of the price from which a line counts as bought at a discount: 0.05 is five percent.';
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH paid AS MATERIALIZED (SELECT * FROM @(discounts)@ AS d),
    -- A customer of few lines is drawn towards all: as if five lines more had been bought as everybody buys.
    everybody AS (
      SELECT sum(p.reduced_lines) / sum(p.lines) AS lines, sum(p.reduced_amount) / NULLIF(sum(p.amount), 0) AS value
      FROM paid AS p),
    shrunk AS (
      SELECT p.*, ((p.reduced_lines + 5 * e.lines) / (p.lines + 5)
        + (p.lines * coalesce(p.reduced_amount / NULLIF(p.amount, 0), e.value) + 5 * e.value) / (p.lines + 5)) / 2
          AS sensitivity
      FROM paid AS p CROSS JOIN everybody AS e),
    ranked AS (
      SELECT s.*, 1 + (10 * (rank() OVER (ORDER BY s.sensitivity) - 1) / count(*) OVER ())::integer AS decile
      FROM shrunk AS s)
    SELECT f.customer::text, segmentation.tenure(u.history, w.as_of), segmentation.purchase_days(u.history),
      round(segmentation.turnover(u.history) / NULLIF(segmentation.purchases(u.history), 0), 2),
      segmentation.mean_gap(u.history),
      CASE WHEN g.purchase_model IS NOT NULL AND segmentation.purchase_days(u.history) > 0
        THEN (segmentation.next_purchase(g.purchase_model, u.history, w.as_of)).median END,
      r.reduced_lines::double precision / r.lines, (r.reduced_amount / NULLIF(r.amount, 0))::double precision,
      r.sensitivity::double precision, r.decile, round(r.listed - r.amount, 2),
      (r.returned_amount / NULLIF(r.amount, 0))::double precision, round(r.net_margin, 2),
      k.contacts,
      CASE WHEN NOT coalesce(c.eligible OR c.pressed, false) THEN 'none' WHEN NOT c.eligible THEN 'saturated'
        WHEN k.contacts > 0 THEN 'on_target' ELSE 'under' END
    FROM ONLY @ws@.workspace AS w
    JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
    CROSS JOIN ONLY @ws@.customer_facts AS f
    CROSS JOIN LATERAL (SELECT segmentation.until(f.history, w.as_of) AS history OFFSET 0) AS u
    CROSS JOIN LATERAL (
      SELECT count(*) AS contacts FROM jsonb_array_elements(f.contacts::jsonb) AS e
      WHERE (e ->> 'sent_on')::date BETWEEN w.as_of - 29 AND w.as_of) AS k
    LEFT JOIN ranked AS r ON r.customer = f.customer
    LEFT JOIN @(pressure)@ AS c ON c.customer = f.customer
    ORDER BY f.customer$q$, jsonb_build_object(
      'discounts', segmentation_internal.fill(ws, segmentation_internal.workspace_discounts_sql()),
      'pressure', segmentation_internal.fill(ws, segmentation_internal.workspace_pressure_sql())))
    USING discount::numeric;
END
$$;
COMMENT ON FUNCTION segmentation.customer_behaviour(text, double precision) IS
  'How each customer buys, as of the published day: tenure, mean basket and gap, the day of the next purchase, shares '
  'of lines and of value bought at least so much below the price of the product, both drawn towards those of everybody '
  '(discount_sensitivity, and its decile), what was given away, the share of value '
  'that was sent back, net margin, contacts in 30 days and whether that is '
  'none, under, on_target or saturated.';
