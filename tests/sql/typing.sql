-- Calls as people type them, with literals: the commonest call of each name finds its function without a cast.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
SELECT purchase_history('2024-01-01', 5.0), purchase_history('2024-01-01', 5), purchase_history('2024-01-01', '5'), purchase_history('2024-01-01', 5.0::double precision), purchase_history('2024-01-01', 5::bigint);
SELECT purchase_history('2024-01-01 23:30Z', 5.0, 'Europe/Paris'), purchase_history(t, 5) FROM (VALUES (timestamp '2024-01-01 23:30')) AS v (t) GROUP BY t;
-- A day that is text is in ISO form, whatever the session would read.
SET datestyle = 'German, DMY';
SELECT purchase_history(d, 1) FROM unnest('{2024-02-01," 2024-03-01 ",NULL}'::text[]) AS d;
CALL refused('SELECT purchase_history(''01.02.2024'', 5.0)');
CALL refused('SELECT purchase_history(''2024-02-30'', 5.0)');
CALL refused('SELECT purchase_history(''today'', 5.0)');
SET datestyle = ISO;
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}', '{"age": 20}', '2024-01-01') AS assigned,
  segment_assign('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}', '{"age": 20}') AS without_day,
  segment_memberships('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}', '{"age": 20}', '2024-01-01') AS memberships,
  segment_explain('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}', '{"age": 20}', '2024-01-01') ->> 'segment' AS explained;
SELECT segment_assign(d, '{"age": 20}', as_of => '2024-01-01') AS column_and_literal, segment_assign(definition => d, attributes => '{"age": 20}') AS by_name, segment_assign(d, NULL) AS nothing, segment_assign(d, ROW(20)) AS of_row
FROM (VALUES ('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}'::jsonb)) AS v (d);
CREATE TABLE typed AS SELECT 20 AS age;
SELECT segment_sql(d, 'typed'), segment_sql(d, '2024-01-01') FROM (VALUES ('{"kind": "rules", "segments": [{"segment": "adult", "when": {"field": "age", ">=": 18}}]}'::jsonb)) AS v (d);
DROP TABLE typed;
-- One name for models of purchases, of contracts, of features.
CREATE TEMP TABLE model AS
  SELECT (SELECT fit_purchase_model(history, '1997-12-31', '{"family": "bg_nbd"}') FROM (SELECT purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id) AS h) AS purchases,
    (SELECT fit_retention_model(date '2024-01-01' + n, CASE WHEN n % 3 = 0 THEN date '2024-06-01' + n END, '2024-12-31') FROM generate_series(0, 99) AS n) AS contracts,
    (SELECT fit_churn_model(n % 3 = 0, jsonb_build_object('x', n % 7), '{"ridge": 1}') FROM generate_series(1, 100) AS n) AS features,
    (SELECT fit_profile(ARRAY[n % 2, n % 2 + n % 3]::double precision[], '{"k": 2}') FROM generate_series(1, 100) AS n) AS profile;
SELECT churn_probability(purchases, '{1997-01-01:1:5}', '1997-12-31', '30 days') = churn_probability(purchases, purchase_history '{1997-01-01:1:5}', date '1997-12-31', interval '30 days') AS purchases,
  churn_probability(contracts, '6 months', '1 month', '{}') = churn_probability(contracts, interval '6 months', interval '1 month') AS contracts,
  churn_probability(contracts, '6 months', '1 month') = churn_probability(contracts, interval '6 months', interval '1 month') AS without_features,
  churn_probability(features, '{"x": 3}') = churn_probability(features, jsonb '{"x": 3}') AS features,
  churn_probability(purchases, NULL, '1997-12-31', '30 days') IS NULL AS nothing,
  profile_assign(profile, '{0,1}') = profile_assign(profile, '{0,1}'::double precision[]) AS profile
FROM model;
SELECT fit_churn_model(n % 3 = 0, jsonb_build_object('x', n % 7), '{"ridge": 1}') = fit_churn_model(n % 3 = 0, jsonb_build_object('x', n % 7), '{"ridge": 1}'::jsonb) AS the_same,
  fit_churn_model(churn_rows(n % 3 = 0, jsonb_build_object('x', n % 7), '{"ridge": 1}')) = (SELECT features FROM model) AS of_rows
FROM generate_series(1, 100) AS n;
CALL refused('SELECT fit_churn_model(true, ''{"x": 1}''::jsonb, ''{"ridge"'')');
CALL refused('SELECT fit_churn_model(true, ''{"x": 1}''::jsonb, ''{"rigde": 1}'')');
CALL refused('SELECT fit_churn_model(n = 1, ''{"x": 1}''::jsonb, CASE n WHEN 1 THEN ''{"ridge": 1}'' ELSE ''{"ridge": 2}'' END) FROM generate_series(1, 2) AS n');
CALL refused('SELECT fit_churn_model(true, ''{"x": 1}''::jsonb, NULL::text)');
SELECT until('{2024-01-01:1:5,2024-02-01:1:6}', '2024-01-15'), until('[["a", "2024-01-01", 1, "1", "5"]]'::item_history, '2024-01-15');

-- Every overload of every name, its quoted arguments untyped (as literals and NULL are), and all but the first: what stays
-- ambiguous does so on purpose, since nothing says which is meant.
CREATE FUNCTION pg_temp.ambiguous(call text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'EXPLAIN SELECT ' || call;
  RETURN false;
EXCEPTION
  WHEN ambiguous_function THEN RETURN true;
  WHEN OTHERS THEN RETURN false;
END
$$;
SELECT c.call, count(*) AS overloads, bool_or(pg_temp.ambiguous(c.call)) AS untyped, bool_or(pg_temp.ambiguous(c.first_typed)) AS first_typed
FROM (
  SELECT format('%s(%s)', p.proname, string_agg(a.literal, ', ' ORDER BY a.place)) AS call,
    format('%s(%s)', p.proname, string_agg(CASE WHEN a.place = 1 THEN format('NULL::%s', a.type) ELSE a.literal END, ', ' ORDER BY a.place)) AS first_typed
  FROM pg_proc AS p
  CROSS JOIN LATERAL (
    SELECT a.place, a.type::regtype AS type, CASE
        WHEN a.type::regtype = ANY ('{smallint,integer,bigint}'::regtype[]) THEN '1'
        WHEN a.type::regtype = ANY ('{numeric,real,double precision}'::regtype[]) THEN '1.5'
        WHEN a.type::regtype = 'boolean'::regtype THEN 'true' ELSE 'NULL' END AS literal
    FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, place)) AS a
  WHERE p.pronamespace = 'segmentation'::regnamespace
    AND (SELECT count(*) FROM pg_proc AS o WHERE o.pronamespace = p.pronamespace AND o.proname = p.proname) > 1
  GROUP BY p.oid, p.proname) AS c
WHERE pg_temp.ambiguous(c.call) OR pg_temp.ambiguous(c.first_typed)
GROUP BY c.call ORDER BY c.call COLLATE "C";
