-- Views for dashboards: each sum against the tables, counted by hand; days, orders, names, zeros, and who may read what.
SET search_path = segmentation, public;
SET datestyle = ISO;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT count(*) AS tables FROM simulate_shop('bi_shop', customers => 400, seed => 5);
SELECT create_workspace('bi_ws', time_zone => 'Europe/Paris');
SELECT count(add_source('bi_ws', kind, relation)) AS sources
FROM (VALUES ('purchases', 'bi_shop.orders'::regclass), ('purchase_lines', 'bi_shop.order_lines'), ('products', 'bi_shop.products'),
             ('customers', 'bi_shop.customers'), ('contacts', 'bi_shop.contacts'), ('consents', 'bi_shop.consents')) AS s (kind, relation);
CALL refresh('bi_ws', '2025-10-31');
SELECT register_segment('bi_ws', 'stage', segment_template('lifecycle'));
-- What the scores said each day, kept as it was said: the oracle of turnovers in the past.
CREATE TABLE bi_shop.said AS SELECT as_of, customer, turnover FROM bi_ws.customer_scores;
CALL refresh('bi_ws', '2025-11-30', retrain => false);
INSERT INTO bi_shop.said SELECT as_of, customer, turnover FROM bi_ws.customer_scores;
CALL refresh_views('bi_ws');
CREATE TABLE bi_shop.worth AS
SELECT s.as_of, m.axis, m.code, round(sum(s.turnover), 2) AS turnover, round(sum(s.future_value), 2) AS future_value
FROM bi_ws.customer_scores AS s JOIN bi_ws.membership_history AS m ON m.customer = s.customer AND m.valid_to IS NULL GROUP BY 1, 2, 3;
-- Some come, some go.
DELETE FROM bi_shop.orders WHERE customer_id <= 12;
DELETE FROM bi_shop.order_lines WHERE customer_id <= 12;
DELETE FROM bi_shop.customers WHERE customer_id <= 12;
DELETE FROM bi_shop.contacts WHERE customer_id <= 12;
DELETE FROM bi_shop.consents WHERE customer_id <= 12;
INSERT INTO bi_shop.orders (customer_id, order_id, ordered_on, ordered_at, channel, amount) SELECT 9000 + n, 99000000 + n, '2025-12-20', '2025-12-20 10:00', 'web', 40 + n FROM generate_series(1, 9) AS n;
CALL refresh('bi_ws', '2025-12-31', retrain => true);
INSERT INTO bi_shop.said SELECT as_of, customer, turnover FROM bi_ws.customer_scores;
CALL refresh_views('bi_ws');
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'bi_ws'::regnamespace AND c.relkind = 'm'
  AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname IN ('as_of') AND NOT a.attisdropped) ORDER BY 1;

-- The codes of everybody as rows: what every count is counted from.
CREATE VIEW bi_shop.coded AS
SELECT c.customer, e.key AS axis, e.value AS code
FROM bi_ws.customer_segments AS c
CROSS JOIN LATERAL jsonb_each_text(to_jsonb(c) - '{customer,segments,since,next_change_at,parameter_set}'::text[]) AS e
UNION ALL
SELECT c.customer, 'segment:' || e.key, e.value FROM bi_ws.customer_segments AS c CROSS JOIN LATERAL jsonb_each_text(c.segments) AS e;
CREATE FUNCTION bi_shop.differ(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) AS d', '(' || a || ')', '(' || b || ')') INTO n;
  RETURN n;
END $$;
SELECT bi_shop.differ('SELECT axis, code, customers, turnover::numeric, future_value::numeric, expected_churners FROM bi_ws.bi_segment_size',
  'SELECT g.axis, g.code, count(*), round(coalesce(sum(s.turnover), 0), 2), round(coalesce(sum(s.future_value), 0), 2), round(sum(s.churn_probability)::numeric, 1)::float8
   FROM bi_shop.coded AS g JOIN bi_ws.customer_scores AS s USING (customer) GROUP BY 1, 2') AS sizes_differ,
  (SELECT count(DISTINCT n) FROM (SELECT sum(customers) AS n FROM bi_ws.bi_segment_size WHERE axis NOT LIKE 'segment:%' GROUP BY axis) AS t) AS everybody_once_an_axis,
  (SELECT count(*) FROM (SELECT axis FROM bi_ws.bi_segment_size GROUP BY axis HAVING abs(sum(share) - 1) > 1e-4) AS t) AS shares_that_are_not_1;
-- Counted day by day.
SELECT bi_shop.differ('SELECT as_of, axis, code, customers FROM bi_ws.bi_segment_history WHERE customers > 0',
  'SELECT d.d, h.axis, h.code, count(*) FROM bi_ws.membership_history AS h JOIN (VALUES (date ''2025-10-31''), (''2025-11-30''), (''2025-12-31'')) AS d (d)
     ON h.valid_from <= d.d AND coalesce(h.valid_to, ''infinity'') > d.d GROUP BY 1, 2, 3') AS history_differs,
  bi_shop.differ('SELECT axis, code, customers FROM bi_ws.bi_segment_history WHERE as_of = ''2025-12-31'' AND customers > 0', 'SELECT axis, code, customers FROM bi_ws.bi_segment_size') AS last_day_differs,
  (SELECT count(*) FROM bi_ws.bi_segment_history WHERE customers = 0) > 0 AS has_zeros;
-- What they were worth is kept as it was said that day; the first day nobody asked; who went since was there then.
INSERT INTO bi_shop.worth
SELECT s.as_of, m.axis, m.code, round(sum(s.turnover), 2), round(sum(s.future_value), 2)
FROM bi_ws.customer_scores AS s JOIN bi_ws.membership_history AS m ON m.customer = s.customer AND m.valid_to IS NULL GROUP BY 1, 2, 3;
SELECT bi_shop.differ('SELECT as_of, axis, code, turnover, future_value FROM bi_ws.bi_segment_history WHERE customers > 0 AND as_of > ''2025-10-31''',
  'SELECT w.as_of, w.axis, w.code, coalesce(w.turnover, 0), coalesce(w.future_value, 0) FROM bi_shop.worth AS w JOIN bi_ws.bi_segment_history AS h USING (as_of, axis, code)') AS worth_differs,
  (SELECT count(*) FROM bi_shop.worth) AS codes, (SELECT count(turnover) FROM bi_ws.bi_segment_history WHERE as_of = '2025-10-31' AND customers > 0) AS of_the_first_day,
  (SELECT count(*) FROM bi_ws.bi_segment_history WHERE customers = 0 AND turnover <> 0) AS nobody_is_worth_something;
-- Who was in both, by pairs of codes; the turnover is what the scores said that day, of who is still a customer.
SELECT bi_shop.differ('SELECT as_of, axis, from_code, to_code, customers, turnover, stayed FROM bi_ws.bi_migration',
  'SELECT d.d, a.axis, b.code, a.code, count(*), CASE WHEN a.code <> b.code THEN round(sum(coalesce(s.turnover, 0)), 2) END, a.code = b.code
   FROM (VALUES (date ''2025-11-30''), (''2025-12-31'')) AS d (d)
   JOIN bi_ws.membership_history AS a ON a.valid_from <= d.d AND coalesce(a.valid_to, ''infinity'') > d.d
   JOIN bi_ws.membership_history AS b ON b.customer = a.customer AND b.axis = a.axis AND b.valid_from <= d.d - 1 AND coalesce(b.valid_to, ''infinity'') > d.d - 1
   LEFT JOIN bi_shop.said AS s ON s.customer = a.customer AND s.as_of = d.d AND EXISTS (SELECT FROM bi_ws.customer_facts AS f WHERE f.customer = s.customer)
   GROUP BY 1, 2, 3, 4') AS migration_differs,
  (SELECT count(*) FROM bi_ws.bi_migration WHERE source = target) AS nodes_that_are_one,
  (SELECT string_agg(DISTINCT as_of::text, ', ') FROM bi_ws.bi_migration WHERE retrained) AS retrained_on;
-- Everybody of a segment by each channel, nobody too.
SELECT bi_shop.differ('SELECT axis, code, channel, reachable FROM bi_ws.bi_reach',
  'SELECT n.axis, n.code, h.channel, (SELECT count(*) FROM bi_shop.coded AS g JOIN bi_ws.customer_facts AS f USING (customer)
       WHERE g.axis = n.axis AND g.code = n.code AND h.channel = ANY (consents_on(f.consents, ''2025-12-31'', f.contacts)))
   FROM bi_ws.bi_segment_size AS n CROSS JOIN (VALUES (''email''), (''mail''), (''phone''), (''push''), (''sms'')) AS h (channel)
   WHERE n.axis NOT IN (''product_appetence'', ''channel_appetence'')') AS reach_differs,
  (SELECT count(*) > 0 FROM bi_ws.bi_reach WHERE reachable = 0) AS has_zeros, (SELECT count(DISTINCT axis) FROM bi_ws.bi_reach WHERE axis LIKE 'segment:%') AS segments;
-- A triangle without holes.
SELECT bi_shop.differ('SELECT cohort, months, active, customers FROM bi_ws.bi_cohort_retention',
  'WITH bought AS (
     SELECT o.customer_id, date_trunc(''month'', o.ordered_on)::date AS month, min(date_trunc(''month'', o.ordered_on)::date) OVER (PARTITION BY o.customer_id) AS cohort
     FROM bi_shop.orders AS o WHERE o.amount >= 0 AND o.refund_of IS NULL AND o.ordered_on <= ''2025-12-31'' AND NOT EXISTS (
       SELECT FROM bi_shop.orders AS r WHERE r.refund_of = o.order_id AND r.ordered_on <= ''2025-12-31'' HAVING -sum(r.amount) >= o.amount)),
   cohort AS (SELECT cohort, count(DISTINCT customer_id) AS customers FROM bought GROUP BY 1)
   SELECT c.cohort, m.m, (SELECT count(DISTINCT b.customer_id) FROM bought AS b WHERE b.cohort = c.cohort AND b.month = (c.cohort + make_interval(months => m.m))::date), c.customers
   FROM cohort AS c CROSS JOIN LATERAL generate_series(0, (12 * (2025 - extract(year FROM c.cohort)) + 12 - extract(month FROM c.cohort))::int) AS m (m)') AS cohorts_differ,
  (SELECT count(*) FROM bi_ws.bi_cohort_retention WHERE active = 0) > 0 AS has_zeros;
SELECT (SELECT array_agg(p.percent ORDER BY p.percent) FROM (SELECT percent FROM bi_ws.bi_pmg_curve ORDER BY percent LIMIT 2) AS p) AS first_two, max(turnover_share) AS ends, min(turnover_share) AS begins FROM bi_ws.bi_pmg_curve;
-- Orders: each code its own place, the best first; what has no order by size.
SELECT axis, string_agg(code, ' ' ORDER BY position) AS in_order FROM bi_ws.bi_code WHERE axis IN ('pmg', 'churn', 'loyalty', 'future_value', 'life_cycle', 'rfm', 'segment:stage') GROUP BY axis ORDER BY axis;
SELECT count(*) AS places_twice FROM (SELECT axis, position FROM bi_ws.bi_code GROUP BY 1, 2 HAVING count(*) > 1) AS t;
SELECT count(*) AS out_of_order FROM (
  SELECT s.axis, s.customers > lag(s.customers) OVER (PARTITION BY s.axis ORDER BY s.position) AS wrong
  FROM bi_ws.bi_segment_size AS s WHERE s.axis IN ('channel_appetence', 'profile', 'life_moment', 'product_appetence') AND s.code <> 'insufficient_data') AS t WHERE wrong;
-- Every ordered code is a code of its axis, by the labels.
SELECT a.axis, c.code FROM workspace_axis AS a CROSS JOIN LATERAL unnest(a.ordered) AS c (code)
WHERE NOT EXISTS (SELECT FROM label AS l WHERE l.domain = coalesce(a.label_domain, a.axis) AND l.code = c.code);
SELECT a.axis, l.code FROM workspace_axis AS a JOIN label AS l ON l.domain = coalesce(a.label_domain, a.axis) AND l.language = 'en'
WHERE a.ordered IS NOT NULL AND l.code <> 'insufficient_data' AND l.code <> ALL (a.ordered);
-- A row a customer.
SELECT count(*) AS rows, count(DISTINCT customer) AS customers, (SELECT count(*) FROM bi_ws.customer_segments) AS all_customers,
  count(*) FILTER (WHERE b.rfm_code <> c.rfm OR b.churn_code <> c.churn OR b.rfm_label <> workspace_label('rfm', c.rfm)) AS wrong,
  count(*) FILTER (WHERE b.offer_1 IS DISTINCT FROM (SELECT coalesce(n.name, p.product) FROM bi_ws.customer_products AS p LEFT JOIN bi_ws.product AS n USING (product) WHERE p.customer = b.customer AND p.place = 1)) AS wrong_offers
FROM bi_ws.bi_customers AS b JOIN bi_ws.customer_segments AS c USING (customer);
-- Numbers that people read: at most six decimals.
SELECT count(*) AS long_numbers FROM (
  SELECT v FROM bi_ws.bi_segment_size AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v) UNION ALL SELECT v FROM bi_ws.bi_churn_value AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v)
  UNION ALL SELECT v FROM bi_ws.bi_rfm_grid AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v) UNION ALL SELECT v FROM bi_ws.bi_pmg_curve AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v)
  UNION ALL SELECT v FROM bi_ws.bi_drift AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v) UNION ALL SELECT v FROM bi_ws.bi_cohort_retention AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v)
  UNION ALL SELECT v FROM bi_ws.bi_data_health AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v) UNION ALL SELECT v FROM bi_ws.bi_top_products AS t, jsonb_each_text(to_jsonb(t)) AS e (k, v)
  UNION ALL SELECT v FROM bi_ws.bi_customers AS t, jsonb_each_text(to_jsonb(t) - 'segments') AS e (k, v)) AS n WHERE v ~ '\.[0-9]{7}';
-- Who may read what.
CREATE ROLE bi_reader;
SELECT grant_bi('bi_ws', 'bi_reader');
SET ROLE bi_reader;
SELECT count(*) > 0 AS sizes FROM bi_ws.bi_segment_size;
SELECT count(*) FROM bi_ws.bi_customers;
RESET ROLE;
SELECT grant_bi('bi_ws', 'bi_reader', customers => true);
SET ROLE bi_reader;
SELECT count(*) AS customers FROM bi_ws.bi_customers;
SELECT count(*) FROM bi_ws.customer_segments;
RESET ROLE;
-- French: names, nodes, verdicts, measures.
SELECT configure_workspace('bi_ws', '{"language": "fr"}');
CALL refresh_views('bi_ws');
SELECT DISTINCT axis_label, source, target FROM bi_ws.bi_migration WHERE axis = 'churn' AND stayed ORDER BY 2;
SELECT DISTINCT verdict, verdict_label FROM bi_ws.bi_drift WHERE verdict IS NOT NULL ORDER BY 1;
SELECT measure, label FROM bi_ws.bi_data_health WHERE measure LIKE 'with\_%' OR measure LIKE 'rows\_of\_purchases%' ORDER BY 1 LIMIT 6;
SELECT count(*) AS without_a_name FROM bi_ws.bi_data_health WHERE label IS NULL OR label ~ '_' OR label = measure;
SELECT label FROM bi_ws.bi_segment_size WHERE axis = 'segment:stage' ORDER BY position;
DROP OWNED BY bi_reader;
DROP ROLE bi_reader;
DROP SCHEMA bi_shop CASCADE;
SELECT drop_workspace('bi_ws');
