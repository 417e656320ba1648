-- Nothing breaks at 50 or 100 of anything: PostgreSQL's limits are 100 arguments of a function, 1,664 columns of a query,
-- 1,600 of a table. 200 registered segments, attributes, features, channels, conditions.
CREATE SCHEMA many;
SET search_path = many, segmentation, public;

-- 400 customers with 200 attributes: a1 is known of who is odd, the others are noise of 13 values. 200 booleans.
DO $$
BEGIN
  EXECUTE format('CREATE TABLE many.people AS SELECT c AS customer_id, %s, %s FROM generate_series(1, 400) AS c',
    (SELECT string_agg(CASE n WHEN 1 THEN 'c % 2 AS a1' ELSE format('abs(hashint8(c * 1000 + %s)) %% 13 AS a%1$s', n) END, ', ' ORDER BY n)
     FROM generate_series(1, 200) AS n),
    (SELECT string_agg(format('(c + %s) %% 3 = 0 AS b%1$s', n), ', ' ORDER BY n) FROM generate_series(1, 200) AS n));
END
$$;
CREATE TABLE many.orders AS
  SELECT c AS customer_id, date '2024-01-01' + (c * 7 + n * n * 11) % 700 AS ordered_on, 10 + (c * n) % 50 AS amount
  FROM generate_series(1, 400) AS c CROSS JOIN generate_series(1, 1 + c % 5) AS n;
SELECT array_agg('a' || n ORDER BY n)::text AS attributes, array_agg('b' || n ORDER BY n)::text AS channels,
  jsonb_agg('a' || n ORDER BY n) AS features, jsonb_object_agg('channel_' || n, 'b' || n) AS consents
FROM generate_series(1, 200) AS n \gset

-- A workspace
SET client_min_messages = warning;
SELECT create_workspace('hundreds', 'integer', 'UTC'), add_source('hundreds', 'purchases', 'many.orders') IS NOT NULL AS orders,
  add_source('hundreds', 'customers', 'many.people') IS NOT NULL AS people;
SELECT configure_workspace('hundreds', jsonb_build_object('profile_features', :'features'::jsonb, 'source_silence', 'off', 'minimum_history', '30 days',
  'profile_k', '[2, 3]'::jsonb));
-- Each by a value of an attribute of its own, and a score.
CREATE FUNCTION many.definition(n integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'in', 'when', jsonb_build_object(
    'all', jsonb_build_array(jsonb_build_object('field', 'a' || n, '=', n % 13), jsonb_build_object('field', 'churn_probability', '>=', 0))))))
$$;
SELECT count(register_segment('hundreds', 's' || n, many.definition(n))) AS registered FROM generate_series(1, 200) AS n;
SELECT count(override_segment('hundreds', 's' || n, n::text, CASE WHEN n % 2 = 0 THEN 'by_hand' END)) AS by_hand FROM generate_series(1, 200) AS n;
CALL refresh('hundreds', '2025-12-31');

-- The same by a second way: one definition at a time.
CREATE VIEW many.wanted AS
  WITH c AS MATERIALIZED (SELECT customer, churn_probability FROM hundreds.customer_scores)
  SELECT p.customer_id AS customer, s.n, CASE WHEN p.customer_id = s.n THEN CASE WHEN s.n % 2 = 0 THEN 'by_hand' END
    WHEN e.value::integer = s.n % 13 AND c.churn_probability >= 0 THEN 'in' END AS code
  FROM many.people AS p CROSS JOIN LATERAL jsonb_each_text(to_jsonb(p)) AS e
  JOIN generate_series(1, 200) AS s (n) ON e.key = 'a' || s.n
  JOIN c ON c.customer = p.customer_id;
CREATE VIEW many.fault AS
  SELECT w.customer, w.n, w.code AS wanted, c.segments ->> ('s' || w.n) AS got
  FROM many.wanted AS w JOIN hundreds.customer_segments AS c ON c.customer = w.customer
  WHERE w.code IS DISTINCT FROM c.segments ->> ('s' || w.n);
SELECT (SELECT count(*) FROM many.wanted WHERE code IS NOT NULL) AS members, (SELECT count(*) FROM many.fault) AS faults,
  count(DISTINCT e.key) AS segments FROM hundreds.customer_segments AS c CROSS JOIN LATERAL jsonb_each_text(c.segments) AS e;
SELECT count(DISTINCT axis) AS axes, count(*) AS rows FROM hundreds.membership_history WHERE axis LIKE 'segment:%' AND valid_to IS NULL;
-- The profile knows all features.
SELECT cardinality(p.profile_features) AS features, (SELECT count(DISTINCT d.feature) FROM profile_describe(p.profile_model) AS d) AS described,
  (SELECT count(*) FROM hundreds.customer_segments WHERE profile = 'insufficient_data') AS without FROM hundreds.parameter_set AS p;

-- Changes: who buys again, and a value of theirs.
SELECT start_capture('hundreds', 'purchases', 'many.orders'), start_capture('hundreds', 'customers', 'many.people');
CALL refresh_changed('hundreds', '2025-12-31');
INSERT INTO many.orders SELECT c, date '2025-12-01', 99 FROM generate_series(1, 400, 40) AS c;
UPDATE many.people SET a200 = 200 % 13, a7 = 7 WHERE customer_id % 50 = 1;
CALL refresh_changed('hundreds', '2025-12-31');
SELECT (SELECT count(*) FROM many.wanted WHERE code IS NOT NULL) AS members, (SELECT count(*) FROM many.fault) AS faults, (SELECT count(*) FROM hundreds.queue) AS queued;
-- A day later, and with one definition less.
SELECT unregister_segment('hundreds', 's200');
CALL refresh_changed('hundreds', '2026-01-01');
SELECT (SELECT count(*) FROM many.fault WHERE n < 200) AS faults, (SELECT count(*) FROM hundreds.customer_segments WHERE segments ? 's200') AS left_over;

-- Looking
SELECT count(*) AS lines, count(*) FILTER (WHERE on_axis LIKE 'segment:%') AS segments, count(*) FILTER (WHERE numbers ? 'override') AS by_hand
FROM explain('hundreds', '2');
SELECT code, customers FROM workspace_segment_preview('hundreds', many.definition(150));
SELECT count(*) > 10000 AS pairs, bool_and(jaccard BETWEEN 0 AND 1) AS sane FROM workspace_segment_overlap('hundreds');
SELECT count(*) > 100 AS moves FROM movements('hundreds', '2025-12-31', '2026-01-01');
CALL refresh_views('hundreds');
SELECT count(*) FROM hundreds.bi_segment_size WHERE axis LIKE 'segment:%';
-- A day back, with the segments of then.
SELECT restart_workspace('hundreds', '2025-12-31') > 0 AS moved;
SELECT count(*) > 1000 AS members FROM hundreds.customer_segments AS c CROSS JOIN LATERAL jsonb_each_text(c.segments);

-- A definition of 200 segments over a table, before anything is registered
SELECT jsonb_build_object('kind', 'rules', 'segments', jsonb_agg(jsonb_build_object('segment', 'g' || n,
  'when', jsonb_build_object('field', 'a' || n, '=', n % 13)) ORDER BY n)) AS wide FROM generate_series(1, 200) AS n \gset
SELECT count(*) AS items, sum(customers) FILTER (WHERE path IS NULL) AS customers, count(DISTINCT k.channels) AS kinds, max(k.channels) AS channels
FROM segment_preview(:'wide', 'many.people', consents => :'consents') CROSS JOIN LATERAL (SELECT count(*) FROM jsonb_object_keys(reachable)) AS k (channels);
SELECT p.segment, p.reachable ->> 'channel_100' AS by_100, (SELECT count(*) FROM many.people WHERE a1 = 1 AND b100) AS counted
FROM segment_preview(:'wide', 'many.people', consents => :'consents') AS p WHERE p.path IS NULL AND p.segment = 'g1';
SELECT reachable FROM segment_preview(:'wide', 'many.people') WHERE path IS NULL AND segment = 'g1';
SELECT count(*) AS pairs FROM segment_overlap(:'wide', 'many.people');

-- Of 200 features a1 tells the members.
SELECT count(*) AS found, count(DISTINCT score) > 1 AS ranked
FROM segment_lookalike('{"kind": "rules", "segments": [{"segment": "odd", "when": {"field": "a1", "=": 1}}]}', 'odd', 'many.people', 'customer_id', :'attributes', n => 10);
SELECT round((q ->> 'auc')::numeric, 3) AS auc
FROM segment_lookalike_quality('{"kind": "rules", "segments": [{"segment": "odd", "when": {"field": "a1", "=": 1}}]}', 'odd', 'many.people', 'customer_id', :'attributes') AS q;

-- 200 candidates, and 200 channels by which they are reached.
SELECT count(*) AS criteria, count(*) FILTER (WHERE verdict = 'usable') AS usable, min(k.channels) AS channels
FROM criteria_report('many.people', 'a1', :'attributes') AS r CROSS JOIN LATERAL (SELECT count(*) FROM jsonb_object_keys(coalesce(r.reachable, '{}'))) AS k (channels);
SELECT r.criterion, k.channels, r.reachable ->> 'b100' AS b100, (SELECT round(avg(b100::int), 4) FROM many.people) AS counted
FROM criteria_report('many.people', 'a1', '{a2}', consents => :'channels') AS r CROSS JOIN LATERAL (SELECT count(*) FROM jsonb_object_keys(r.reachable)) AS k (channels);
SELECT count(*) FILTER (WHERE criterion = 'accessible') AS accessible, round(max(result) FILTER (WHERE measure = 'b100' AND segment_code = '1')::numeric, 4) AS b100,
  (SELECT round(avg(b100::int), 4) FROM many.people WHERE a1 = 1) AS counted
FROM segment_quality('many.people', 'a1', reachable => :'channels');

-- 120 sources of one kind, captured.
DO $$
BEGIN
  FOR n IN 1 .. 120 LOOP
    EXECUTE format('CREATE TABLE many.shop_%s AS SELECT c AS customer_id, date ''2024-01-01'' + (c * 7 + %1$s) %% 700 AS ordered_on, %1$s AS amount
      FROM generate_series(1, 20) AS c', n);
  END LOOP;
END
$$;
SELECT create_workspace('shops', 'integer', 'UTC'), configure_workspace('shops', '{"source_silence": "off"}');
SELECT count(add_source('shops', 'purchases', format('many.shop_%s', n)::regclass)) AS sources,
  count(start_capture('shops', 'purchases', format('many.shop_%s', n)::regclass)) AS captured FROM generate_series(1, 120) AS n;
CALL refresh('shops', '2025-12-31');
SELECT count(*) AS customers, sum(monetary) AS turnover, 20 * 120 * 121 / 2 AS expected FROM shops.customer_scores;
INSERT INTO many.shop_101 VALUES (1, '2025-01-01', 5);
CALL refresh_changed('shops', '2025-12-31');
SELECT count(*) AS customers, sum(monetary) AS turnover FROM shops.customer_scores;
SELECT count(*) AS sources, count(DISTINCT misses) AS kinds FROM capture_status('shops');
SELECT drop_workspace('shops');

DROP VIEW many.fault, many.wanted;
SELECT drop_workspace('hundreds');
DROP SCHEMA many CASCADE;
