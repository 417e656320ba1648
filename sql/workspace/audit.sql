-- The customer-base audit: Fader, Hardie and Ross, The Customer-Base Audit (2022). Its five lenses: one period by
-- deciles; two periods compared; a cohort through time, cohorts compared, and the whole base, which are one table. From
-- the facts of the workspace: what was bought by day.

CREATE FUNCTION segmentation_internal.audit_refuse_span(name text, span daterange) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF span IS NULL OR isempty(span) OR lower_inf(span) OR upper_inf(span) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('%s must be a period with a first and a last day, not %s', name, coalesce(span::text, 'null')),
      HINT = 'As daterange(''2025-01-01'', ''2026-01-01''): the last day is not in it.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.audit_refuse_span(text, daterange) IS
  'Part of audit_deciles and audit_change: an error if a period is not one.';

-- What each customer bought in a period, as SQL over the facts f.
CREATE FUNCTION segmentation_internal.audit_orders_sql(span daterange) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format($q$segmentation.frequency(f.history, %2$L::date) - segmentation.frequency(f.history, %1$L::date)$q$,
    lower(span) - 1, upper(span) - 1);
COMMENT ON FUNCTION segmentation_internal.audit_orders_sql(daterange) IS
  'Part of the audit: purchases of a customer in a period, as SQL over f.';

CREATE FUNCTION segmentation_internal.audit_turnover_sql(span daterange) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('segmentation.turnover(f.history, %L::date, %L::date)', lower(span) - 1, upper(span) - 1);
COMMENT ON FUNCTION segmentation_internal.audit_turnover_sql(daterange) IS
  'Part of the audit: turnover of a customer in a period, as SQL over f.';

CREATE FUNCTION segmentation.audit_deciles(workspace text, period daterange, parts integer DEFAULT 10)
RETURNS TABLE (
  part integer, customers bigint, orders bigint, turnover numeric, share double precision,
  cumulative_share double precision, turnover_per_customer numeric, orders_per_customer double precision,
  basket numeric
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{customer_facts}');
BEGIN
  PERFORM segmentation_internal.audit_refuse_span('period', period);
  IF (parts BETWEEN 1 AND 1000) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('parts must be from 1 to 1000, not %s', coalesce(parts::text, 'null'));
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.part, g.customers, g.orders, g.turnover,
      (g.turnover / NULLIF(sum(g.turnover) OVER (), 0))::double precision,
      (sum(g.turnover) OVER (ORDER BY g.part) / NULLIF(sum(g.turnover) OVER (), 0))::double precision,
      round(g.turnover / g.customers, 2), g.orders::double precision / g.customers,
      round(g.turnover / g.orders, 2)
    FROM (
      SELECT c.part, count(*) AS customers, sum(c.orders)::bigint AS orders, sum(c.turnover) AS turnover
      FROM (
        SELECT b.orders, b.turnover, ntile($1) OVER (ORDER BY b.turnover DESC, b.orders DESC, b.customer) AS part
        FROM (
          SELECT f.customer, @(orders)@ AS orders, @(turnover)@ AS turnover
          FROM ONLY @ws@.customer_facts AS f WHERE f.history IS NOT NULL OFFSET '0') AS b
        WHERE b.orders > 0) AS c
      GROUP BY c.part) AS g
    ORDER BY g.part$q$,
    jsonb_build_object('orders', segmentation_internal.audit_orders_sql(period),
      'turnover', segmentation_internal.audit_turnover_sql(period)))
    USING parts;
END
$$;
COMMENT ON FUNCTION segmentation.audit_deciles(text, daterange, integer) IS
  'The buyers of a period by what they spent, in parts of equally many (deciles), the best first: their orders and '
  'turnover, its share and the share up to there. The first lens of the customer-base audit (Fader, Hardie and Ross).';

-- Who bought more, less, not any more, for the first time.
CREATE FUNCTION segmentation.audit_change(workspace text, before daterange, after daterange)
RETURNS TABLE (
  what text, customers bigint, orders_before bigint, orders_after bigint, turnover_before numeric,
  turnover_after numeric, change numeric
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{customer_facts}');
BEGIN
  PERFORM segmentation_internal.audit_refuse_span('before', before);
  PERFORM segmentation_internal.audit_refuse_span('after', after);
  IF NOT before << after THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'before must end before after begins',
      DETAIL = format('They are %s and %s.', before, after);
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT k.what, count(c.what), coalesce(sum(c.orders_before), 0)::bigint,
      coalesce(sum(c.orders_after), 0)::bigint, coalesce(sum(c.turnover_before), 0),
      coalesce(sum(c.turnover_after), 0), coalesce(sum(c.turnover_after - c.turnover_before), 0)
    FROM unnest('{new,back,up,same,down,lost,refunded}'::text[]) WITH ORDINALITY AS k (what, place)
    LEFT JOIN (
      SELECT b.*, CASE
          WHEN b.orders_before <= 0 AND b.orders_after <= 0 THEN 'refunded'
          WHEN b.orders_before <= 0 AND b.first_purchase >= @'since'@::date THEN 'new'
          WHEN b.orders_before <= 0 THEN 'back'
          WHEN b.orders_after <= 0 THEN 'lost'
          WHEN b.turnover_after > b.turnover_before THEN 'up'
          WHEN b.turnover_after < b.turnover_before THEN 'down'
          ELSE 'same' END AS what
      FROM (
        SELECT @(orders_before)@ AS orders_before, @(orders_after)@ AS orders_after,
          @(turnover_before)@ AS turnover_before, @(turnover_after)@ AS turnover_after,
          segmentation.first_purchase(f.history) AS first_purchase
        FROM ONLY @ws@.customer_facts AS f WHERE f.history IS NOT NULL OFFSET '0') AS b
      WHERE b.orders_before > 0
        OR b.orders_after > 0
        OR b.turnover_before <> 0
        OR b.turnover_after <> 0) AS c
      ON c.what = k.what
    GROUP BY k.what, k.place
    ORDER BY k.place$q$,
    jsonb_build_object('since', lower(after),
      'orders_before', segmentation_internal.audit_orders_sql(before),
      'orders_after', segmentation_internal.audit_orders_sql(after),
      'turnover_before', segmentation_internal.audit_turnover_sql(before),
      'turnover_after', segmentation_internal.audit_turnover_sql(after)));
END
$$;
COMMENT ON FUNCTION segmentation.audit_change(text, daterange, daterange) IS
  'Two periods compared: buyers who are new (first purchase ever), back (bought before, not in the first period), up, '
  'same, down, lost, or refunded without a purchase, with orders and turnover of both; the changes add up. The second '
  'lens of the customer-base audit.';

-- Turnover = customers x orders per customer x basket. The change of a product is given to its factors by logarithmic
-- means (Ang, Energy Policy 32 (2004), 1131-1139: LMDI), which leaves no rest.
CREATE FUNCTION segmentation.audit_factors(workspace text, before daterange, after daterange)
RETURNS TABLE (
  factor text, value_before double precision, value_after double precision, effect double precision,
  share_of_change double precision
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT v.factor, v.before, v.after,
      CASE WHEN t.before > 0 AND t.after > 0 THEN
        CASE WHEN t.after = t.before THEN t.before ELSE (t.after - t.before) / ln(t.after / t.before) END
          * ln(v.after / v.before) END,
      CASE WHEN t.before > 0 AND t.after > 0 AND t.after <> t.before
        THEN ln(v.after / v.before) / ln(t.after / t.before) END
    FROM (
      SELECT sum(c.customers) FILTER (WHERE c.orders_before > 0)::double precision AS customers_before,
        sum(c.customers) FILTER (WHERE c.orders_after > 0)::double precision AS customers_after,
        sum(c.orders_before)::double precision AS orders_before, sum(c.orders_after)::double precision AS orders_after,
        sum(c.turnover_before)::double precision AS before, sum(c.turnover_after)::double precision AS after
      FROM segmentation.audit_change(workspace, before, after) AS c) AS t
    CROSS JOIN LATERAL (VALUES
      (1, 'customers', t.customers_before, t.customers_after),
      (2, 'orders_per_customer', t.orders_before / t.customers_before, t.orders_after / t.customers_after),
      (3, 'basket', t.before / NULLIF(t.orders_before, 0), t.after / NULLIF(t.orders_after, 0)))
      AS v (place, factor, before, after)
    ORDER BY v.place;
END
$$;
COMMENT ON FUNCTION segmentation.audit_factors(text, daterange, daterange) IS
  'Why turnover changed between two periods: customers, orders per customer and basket, each with its effect in '
  'turnover; the effects add up to the change (logarithmic means). NULL where a period has no turnover.';

CREATE FUNCTION segmentation.audit_cohorts(workspace text, unit text DEFAULT 'quarter')
RETURNS TABLE (
  cohort date, period date, age integer, cohort_customers bigint, buyers bigint, orders bigint, turnover numeric,
  buying_share double precision, turnover_per_customer numeric, cumulative_per_customer numeric
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{customer_facts,workspace}');
  months constant integer := CASE unit WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 END;
BEGIN
  IF months IS NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown unit "%s"', coalesce(unit, 'null')),
      HINT = 'Units are month, quarter and year.';
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH bought AS MATERIALIZED (
      SELECT c.cohort, date_trunc($1, d.day)::date AS period,
        count(DISTINCT c.customer) FILTER (WHERE d.purchases > 0) AS buyers,
        sum(d.purchases)::bigint AS orders, sum(d.amount) AS turnover
      FROM (
        SELECT f.customer, w.as_of, f.history, date_trunc($1, segmentation.first_purchase(f.history))::date AS cohort
        FROM ONLY @ws@.customer_facts AS f CROSS JOIN ONLY @ws@.workspace AS w
        WHERE segmentation.first_purchase(f.history) <= w.as_of OFFSET '0') AS c
      CROSS JOIN LATERAL segmentation.days(c.history) AS d
      WHERE d.day <= c.as_of
      GROUP BY 1, 2)
    SELECT c.cohort, p.period::date,
      ((extract(year FROM p.period) - extract(year FROM c.cohort)) * 12
        + extract(month FROM p.period) - extract(month FROM c.cohort))::integer / $2,
      c.customers, coalesce(b.buyers, 0), coalesce(b.orders, 0), coalesce(b.turnover, 0),
      coalesce(b.buyers, 0)::double precision / c.customers, round(coalesce(b.turnover, 0) / c.customers, 2),
      round(sum(coalesce(b.turnover, 0)) OVER (PARTITION BY c.cohort ORDER BY p.period) / c.customers, 2)
    FROM (SELECT b.cohort, b.buyers AS customers FROM bought AS b WHERE b.period = b.cohort) AS c
    CROSS JOIN ONLY @ws@.workspace AS w
    CROSS JOIN LATERAL generate_series(c.cohort::timestamp, date_trunc($1, w.as_of::timestamp),
      make_interval(months => $2)) AS p (period)
    LEFT JOIN bought AS b ON b.cohort = c.cohort AND b.period = p.period::date
    ORDER BY 1, 2$q$)
    USING unit, months;
END
$$;
COMMENT ON FUNCTION segmentation.audit_cohorts(text, text) IS
  'Cohorts by their first purchase, period by period up to the published day: buyers, orders, turnover, per customer '
  'of the cohort and added up. One cohort is the third lens of the customer-base audit, all of one age the fourth, '
  'the sum by period the fifth. The last period is as long as it has lasted.';

-- Attributes with few values, by name: what a change of turnover may be looked at by. Not codes of behaviour: who is
-- among the best at the end of a period spent more in it, and will have less growth by that alone.
CREATE FUNCTION segmentation_internal.audit_dimensions(ws text) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  dimensions text[];
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT array_agg(d.name ORDER BY d.name COLLATE "C")
    FROM (
      SELECT e.key AS name
      FROM (
        SELECT coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes
        FROM ONLY @ws@.customer_facts AS f
        ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT 5000) AS f
      CROSS JOIN LATERAL jsonb_each(f.attributes) AS e
      WHERE jsonb_typeof(e.value) IN ('string', 'boolean') AND e.key <> 'customer_is'
      GROUP BY e.key HAVING count(DISTINCT e.value) BETWEEN 2 AND 30
      ORDER BY count(*) DESC, e.key COLLATE "C" LIMIT 8) AS d$q$) INTO dimensions;
  RETURN dimensions;
END
$$;
COMMENT ON FUNCTION segmentation_internal.audit_dimensions(text) IS
  'Part of turnover_drivers: attributes of customers with few values.';

CREATE FUNCTION segmentation.turnover_drivers(
  workspace text, before daterange, after daterange, dimensions text[] DEFAULT NULL, depth integer DEFAULT 2,
  minimum_support double precision DEFAULT 0.01, maximum_q double precision DEFAULT 0.1
) RETURNS TABLE (
  rank bigint, segment jsonb, days_before bigint, days_after bigint, turnover_before double precision,
  turnover_after double precision, contribution double precision, share_of_change double precision,
  unexpected double precision, z double precision, q_value double precision
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{customer_facts}');
  names constant text[] := coalesce(dimensions, segmentation_internal.audit_dimensions(ws), '{customer_is}');
BEGIN
  PERFORM segmentation_internal.audit_refuse_span('before', before);
  PERFORM segmentation_internal.audit_refuse_span('after', after);
  RETURN QUERY
    SELECT k.rank, k.segment, k.rows_before, k.rows_after, k.value_before, k.value_after, k.contribution,
      k.share_of_change, k.unexpected, k.z, k.q_value
    FROM segmentation.key_drivers(
      segmentation_internal.fill(ws, $q$
        SELECT f.customer, d.day, d.amount, CASE
            WHEN segmentation.first_purchase(f.history) >= @'since'@::date AND d.day >= @'since'@::date
              OR segmentation.first_purchase(f.history) <@ @'before'@::daterange AND d.day < @'since'@::date
            THEN 'new' ELSE 'known' END AS customer_is@(columns)@
        FROM (
          SELECT f.customer, f.history, coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes
          FROM ONLY @ws@.customer_facts AS f OFFSET '0') AS f
        CROSS JOIN LATERAL segmentation.days(f.history) AS d$q$,
        jsonb_build_object('since', lower(after), 'before', before, 'columns', (
          SELECT coalesce(string_agg(format(', f.attributes ->> %L AS %I', n.name, n.name), '' ORDER BY n.name), '')
          FROM unnest(names) AS n (name) WHERE n.name <> 'customer_is'))),
      'r.amount', names,
      format('r.day <@ %L::daterange', before), format('r.day <@ %L::daterange', after), 'sum', depth,
      minimum_support, maximum_q, 'r.customer') AS k;
END
$$;
COMMENT ON FUNCTION segmentation.turnover_drivers(
  text, daterange, daterange, text[], integer, double precision, double precision) IS
  'Why turnover changed between two periods: key_drivers over what customers bought, by attributes: those '
  'named, or those with few values. customer_is, if named or without any: whether the customer was new in the period.';
