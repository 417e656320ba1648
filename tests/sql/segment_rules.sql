-- Rules for segments that are there already.
SET search_path = segmentation, public;
SET client_min_messages = warning;
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/data/telco.csv'
CREATE TABLE contract (
  customer_id integer, tenure integer, contract text, internet text, payment text, monthly_charges numeric,
  senior boolean, paperless boolean, churned boolean);
COPY contract FROM :'file' (FORMAT csv, HEADER);
CREATE TABLE known AS
  SELECT customer_id, CASE WHEN churned THEN 'left' ELSE 'stayed' END AS segment,
    to_jsonb(c) - '{customer_id,churned}'::text[] AS features
  FROM contract AS c;
ANALYZE known;

SELECT jsonb_pretty(fit_segment_rules(segment, features, '{"max_depth": 2}')) AS rules FROM known;
SELECT q.* FROM (SELECT fit_segment_rules(segment, features) AS rules FROM known) AS f, segment_rules_quality(rules) AS q;

-- Oracle: scikit-learn 1.9.1, DecisionTreeClassifier with min_samples_leaf = 50, customers told right by depth
-- (benches/peers/sklearn_tree.py). It takes texts as one column a category: so first the same here.
WITH one_hot AS (
  SELECT segment, jsonb_build_object(
      'tenure', tenure, 'monthly_charges', monthly_charges, 'senior', senior, 'paperless', paperless,
      'month', contract = 'Month-to-month', 'one', contract = 'One year', 'two', contract = 'Two year',
      'dsl', internet = 'DSL', 'fiber', internet = 'Fiber optic', 'no', internet = 'No',
      'check', payment = 'Electronic check', 'mailed', payment = 'Mailed check',
      'bank', payment = 'Bank transfer (automatic)', 'card', payment = 'Credit card (automatic)') AS features,
    known.features AS texts
  FROM contract JOIN known USING (customer_id)
), fitted AS (
  SELECT depth, scikit, fit_segment_rules(segment, features, jsonb_build_object('max_depth', depth)) AS rules,
    fit_segment_rules(segment, texts, jsonb_build_object('max_depth', depth)) AS text_rules
  FROM one_hot, (VALUES (1, 3624), (2, 3755), (3, 3910), (4, 3924), (5, 3952)) AS s (depth, scikit)
  GROUP BY depth, scikit
)
SELECT depth, scikit, count(*) FILTER (WHERE segment_assign(rules, features) = segment) AS "right",
  count(*) FILTER (WHERE segment_assign(text_rules, texts) = segment) AS right_with_texts,
  min(text_rules #>> '{segments,0,when}') FILTER (WHERE depth = 2) AS first
FROM fitted, one_hot GROUP BY depth, scikit ORDER BY depth;

-- The SQL says the same as the definition, over jsonb and over columns.
SELECT fit_segment_rules(segment, features, '{"max_depth": 6, "min_support": 5}') AS rules FROM known \gset
SELECT count(*) AS faults FROM segment_check(:'rules');
SELECT segment_sql(:'rules'::jsonb, attributes => 'features') AS over_json, segment_sql(:'rules'::jsonb, 'contract'::regclass) AS over_columns \gset
SELECT count(*) AS customers,
  count(*) FILTER (WHERE :over_json IS DISTINCT FROM segment_assign(:'rules'::jsonb, features)) AS json_differs
FROM known;
SELECT count(*) FILTER (WHERE :over_columns IS DISTINCT FROM segment_assign(:'rules'::jsonb, c)) AS columns_differ
FROM contract AS c;
-- The quality that is stored is that of the rules.
SELECT count(*) AS rules, count(*) FILTER (WHERE q.customers <> f.customers OR abs(q.purity - f.purity) > 0.0001) AS differ
FROM segment_rules_quality(:'rules') AS q
  JOIN (
    SELECT t.place, count(*) AS customers, avg((k.segment = t.segment)::integer) AS purity
    FROM known AS k CROSS JOIN LATERAL (
      SELECT r.place, r.rule ->> 'segment' AS segment
      FROM jsonb_array_elements(:'rules'::jsonb -> 'segments') WITH ORDINALITY AS r (rule, place)
      WHERE segment_assign(jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(r.rule)), k.features) IS NOT NULL
      ORDER BY r.place LIMIT 1
    ) AS t
    GROUP BY t.place
  ) AS f USING (place);

-- Missing values, booleans, ranges of whole numbers, lists of categories.
CREATE TABLE mixed AS
  SELECT n, CASE WHEN n % 7 = 0 THEN 'unknown age' WHEN n % 90 BETWEEN 30 AND 59 AND n % 3 = 0 THEN 'families' WHEN n % 5 < 2 THEN 'south' ELSE 'others' END AS segment,
    jsonb_build_object('age', CASE WHEN n % 7 > 0 THEN n % 90 END, 'children', n % 3 = 0,
      'city', (ARRAY['Nice', 'Nîmes', 'Lille', 'Paris', 'Brest'])[1 + n % 5], 'noise', n % 11) AS features
  FROM generate_series(1, 2000) AS n;
SELECT r ->> 'segment' AS segment, r -> 'when' AS "when", r #> '{comment,customers}' AS customers, r #> '{comment,purity}' AS purity
FROM (SELECT fit_segment_rules(segment, features) AS rules FROM mixed) AS f, jsonb_array_elements(rules -> 'segments') AS r;
SELECT rules ->> 'comment' AS comment, rules ->> 'default' AS "default", jsonb_array_length(rules -> 'segments') AS rules
FROM (SELECT fit_segment_rules(segment, features, '{"max_depth": 2, "min_purity": 0.9}') AS rules FROM mixed) AS f;
SELECT segment_assign(rules, '{"city": "Rome"}') AS not_seen, segment_assign(rules, '{}') AS nothing_known
FROM (SELECT fit_segment_rules(segment, features) AS rules FROM mixed) AS f;

-- Any order, in parallel, in parts: the same value.
SELECT fit_segment_rules(segment, features ORDER BY n) = fit_segment_rules(segment, features ORDER BY n DESC) AS any_order FROM mixed;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT fit_segment_rules(segment, features) FROM known;
SELECT md5(fit_segment_rules(segment, features)::text) AS parallel FROM known \gset
SET max_parallel_workers_per_gather = 0;
SELECT md5(fit_segment_rules(segment, features)::text) = :'parallel' AS parallel_is_serial FROM known;

-- No data, one segment, NULLs.
SELECT fit_segment_rules(segment, features) AS no_rows FROM known WHERE false;
SELECT fit_segment_rules(NULL, features) AS no_segments FROM known;
SELECT fit_segment_rules('only', features) AS one_segment FROM mixed;
SELECT fit_segment_rules(CASE WHEN n > 10 THEN segment END, CASE WHEN n > 20 THEN features END) ->> 'comment' AS skipped FROM mixed;
SELECT fit_segment_rules(segment, '{}') -> 'segments' AS no_features FROM mixed;
SELECT * FROM segment_rules_quality('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "x", "=": 1}}]}');
SELECT * FROM segment_rules_quality(NULL);

-- What is refused.
CALL refused('SELECT fit_segment_rules(''a'', ''[]'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": [1]}'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1e400}'')');
CALL refused('SELECT fit_segment_rules('''', ''{"x": 1}'')');
CALL refused('SELECT fit_segment_rules(repeat(''a'', 201), ''{"x": 1}'')');
CALL refused('SELECT fit_segment_rules(''a'', x) FROM (VALUES (jsonb ''{"x": 1}''), (''{"x": "1"}'')) AS v (x)');
CALL refused('SELECT fit_segment_rules(n::text, ''{"x": 1}'') FROM generate_series(1, 101) AS n');
CALL refused('SELECT fit_segment_rules(''a'', jsonb_build_object(''x'', n::text)) FROM generate_series(1, 1001) AS n');
CALL refused('SELECT fit_segment_rules(''a'', jsonb_build_object(''x'' || n, 1)) FROM generate_series(1, 257) AS n');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1}'', ''{"depth": 1}'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1}'', ''{"max_depth": 9}'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1}'', ''{"min_support": -1}'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1}'', ''{"min_purity": 2}'')');
CALL refused('SELECT fit_segment_rules(''a'', ''{"x": 1}'', o) FROM (VALUES (jsonb ''{}''), (''{"max_depth": 3}'')) AS v (o)');
SELECT count(*) AS no_rules FROM segment_rules_quality('{"kind": "rules"}');

-- Nothing here starts a thread: the backend has one, after every fit.
SELECT count(*) AS fits FROM (
  SELECT fit_segment_rules(segment, features) FROM known UNION ALL
  SELECT fit_profile(features - 'contract' - 'internet' - 'payment' - 'senior' - 'paperless', '{"k": 3}') FROM known UNION ALL
  SELECT fit_profile(features, '{"k": 3}') FROM known UNION ALL
  SELECT fit_profile(features - 'contract' - 'internet' - 'payment' - 'senior' - 'paperless', '{"k": 3, "method": "gaussian_mixture"}') FROM known UNION ALL
  SELECT calibrate(monthly_charges::float8 / 1000, churned) FROM contract UNION ALL
  SELECT to_jsonb(m) FROM (SELECT fit_profile(ARRAY[tenure, monthly_charges]::float8[], '{"k": 4}') AS model FROM contract) AS f, profile_map(model) AS m
) AS f;
SELECT (regexp_match(status, 'Threads:\s+(\d+)'))[1] AS threads FROM pg_read_file('/proc/self/status', 0, 10000, true) AS status
WHERE status IS NOT NULL UNION ALL SELECT '1' WHERE pg_read_file('/proc/self/status', 0, 10000, true) IS NULL;
