-- Profiles: fit, describe, assign; agreement, stability, trials.
SET search_path = segmentation, public;
SET datestyle = ISO;
\getenv abs_srcdir PG_ABS_SRCDIR
CREATE TEMP TABLE iris (sl float8, sw float8, pl float8, pw float8, species text);
\set file :abs_srcdir '/data/iris.csv'
COPY iris FROM :'file' (FORMAT csv);

-- scikit-learn 1.9.1, raw, k = 3: inertia 78.851441426146, silhouette 0.5528190123564095; sizes 62, 50, 38.
CREATE TEMP TABLE model AS
SELECT fit_profile(ARRAY[sl, sw, pl, pw], '{"k": 3, "standardize": false, "names": ["sepal length", "sepal width", "petal length", "petal width"]}') AS model FROM iris;
SELECT model ->> 'method' AS method, model -> 'k' AS k, model -> 'customers' AS customers,
       round((model #>> '{quality,inertia}')::numeric, 6) AS inertia, round((model #>> '{quality,silhouette}')::numeric, 6) AS silhouette FROM model;
SELECT measure, code, round(value::numeric, 4) AS value FROM model, profile_quality(model);
SELECT code, name, name_fr, customers, round(share::numeric, 3) AS share, feature, round(centre::numeric, 3) AS centre,
       round(population::numeric, 3) AS population, round(lift::numeric, 3) AS lift, round(deviation::numeric, 2) AS deviation
FROM model, profile_describe(model);
-- Everybody's profile; the adjusted Rand index against the species is scikit-learn's 0.7302382722834697.
SELECT (profile_assign(model, ARRAY[sl, sw, pl, pw])).code, species, count(*) FROM iris, model GROUP BY 1, 2 ORDER BY 1, 2;
SELECT round(adjusted_rand_index((profile_assign(model, ARRAY[sl, sw, pl, pw])).code, species)::numeric, 12) AS ari,
       round(psi((profile_assign(model, ARRAY[sl, sw, pl, pw])).code, species)::numeric, 6) AS psi FROM iris, model;
SELECT a.code, round(a.distance::numeric, 4) AS distance, round(a.confidence::numeric, 4) AS confidence, a.next
FROM model, (VALUES ('{5,3.4,1.5,0.2}'::float8[]), ('{5,NULL,1.5,0.2}'), ('{NULL,NULL,NULL,NULL}')) AS v (f), profile_assign(model, f) AS a;
-- The same start and iterations as anybody else's.
SELECT round((fit_profile(ARRAY[sl, sw, pl, pw], '{"start": [[5,3,1,0],[6,3,4,1],[7,3,6,2]], "standardize": false, "max_iterations": 1}') #>> '{quality,inertia}')::numeric, 6) AS after_one FROM iris;

-- k from a range; what it cost is said.
SELECT m -> 'k' AS k, jsonb_array_length(m -> 'selection') AS tried, (m #>> '{about,distances}')::float8 > 0 AS cost_said
FROM (SELECT fit_profile(ARRAY[sl, sw, pl, pw], '{"k": [2, 6]}') AS m FROM iris) AS t;
-- A Gaussian mixture: scikit-learn's log-likelihood is -180.185478, BIC 580.838908.
SELECT round((m #>> '{quality,log_likelihood}')::numeric, 6) AS log_likelihood, round((m #>> '{quality,bic}')::numeric, 6) AS bic,
       round((profile_assign(m, '{5.9,3,4.8,1.7}'::float8[])).confidence::numeric, 4) AS confidence
FROM (SELECT fit_profile(ARRAY[sl, sw, pl, pw], '{"k": 3, "method": "gaussian_mixture", "standardize": false, "tolerance": 1e-12, "max_iterations": 5000}') AS m FROM iris) AS t;
-- Named features with categories; null, true and false.
CREATE TEMP TABLE mixed AS SELECT jsonb_build_object('petal', pl, 'length', sl, 'wide', sw > 3, 'size', CASE WHEN pw < .8 THEN 's' WHEN pw < 1.7 THEN 'm' ELSE 'l' END, 'nothing', NULL, 'same', 1) AS f, species FROM iris;
CREATE TEMP TABLE mixed_model AS SELECT fit_profile(f, '{"k": 3}') AS model FROM mixed;
SELECT model ->> 'method' AS method, w ->> 'message' AS warning FROM mixed_model, jsonb_array_elements(model -> 'warnings') AS w;
SELECT code, name, name_fr, feature, category, round(centre::numeric, 3) AS centre, round(lift::numeric, 2) AS lift FROM mixed_model, profile_describe(model) WHERE code = 'profile_1';
SELECT (profile_assign(model, f)).code, species, count(*) FROM mixed, mixed_model GROUP BY 1, 2 ORDER BY 1, 2;
SELECT (profile_assign(model, '{"petal": 1.4, "size": "xxl", "unknown": 1}')).code, (profile_assign(model, '{}')).code AS nobody FROM mixed_model;

-- The same bytes in any order, in parts, by parallel workers.
CREATE TABLE many_profiles AS SELECT ARRAY[sl + i / 100.0, sw, pl, pw - i / 50.0] AS f, i FROM iris, generate_series(1, 200) AS i;
ALTER TABLE many_profiles SET (parallel_workers = 2);
ANALYZE many_profiles;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE TEMP TABLE fits (way text, model text);
EXPLAIN (COSTS OFF) SELECT fit_profile(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}') FROM many_profiles;
INSERT INTO fits SELECT 'parallel', fit_profile(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}')::text FROM many_profiles;
SET max_parallel_workers_per_gather = 0;
INSERT INTO fits SELECT 'serial', fit_profile(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}')::text FROM many_profiles;
INSERT INTO fits SELECT 'ordered', fit_profile(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}' ORDER BY i DESC, f)::text FROM many_profiles;
INSERT INTO fits SELECT 'merged', fit_profile(merge(r))::text FROM (SELECT profile_rows(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}') AS r FROM many_profiles GROUP BY i % 7) AS t;
INSERT INTO fits SELECT 'stored', fit_profile(r::text::profile_rows)::text FROM (SELECT profile_rows(f, '{"k": [2, 3], "restarts": 2, "sample": 5000}') AS r FROM many_profiles) AS t;
SELECT count(*) AS ways, count(DISTINCT model) AS models FROM fits;
SELECT w ->> 'code' AS code, w ->> 'message' AS message FROM fits, jsonb_array_elements(model::jsonb -> 'warnings') AS w WHERE way = 'serial';
DROP TABLE many_profiles;
-- Too few: a value that says so, and assigns nobody.
SELECT fit_profile(f) AS nobody FROM (SELECT NULL::float8[] AS f WHERE false) AS t;
SELECT fit_profile(f, '{"k": 3}') -> 'warnings' AS few, profile_assign(fit_profile(f, '{"k": 3}'), '{1}'::float8[]) AS nobody FROM (VALUES ('{1}'::float8[]), ('{2}'), (NULL)) AS v (f);
SELECT count(*) AS nothing FROM (SELECT fit_profile(f) AS m FROM (VALUES ('{1}'::float8[])) AS v (f)) AS t, profile_describe(m);
-- Cancelled within a second.
SET statement_timeout = '300ms';
SELECT fit_profile(ARRAY[i % 1009, i % 1013, i % 1019], '{"k": [2, 50], "tolerance": 0}') FROM generate_series(1, 100000) AS i;
RESET statement_timeout;

-- Stability index on its worked case; by counts; empty classes; nothing.
SELECT round(psi(p, q)::numeric, 6) AS worked FROM (VALUES (.2, .1), (.5, .6), (.3, .3)) AS v (p, q);
SELECT round(psi(p, q)::numeric, 6) AS counts FROM (VALUES (20, 100), (50, 600), (30, 300)) AS v (p, q);
SELECT round(psi(p, q)::numeric, 6) AS emptied FROM (VALUES (.5, 1), (.5, 0), (0, 0)) AS v (p, q);
SELECT psi(p, q) AS one_side FROM (VALUES (.5, 0)) AS v (p, q);
CREATE TEMP TABLE moved (before text, after text);
INSERT INTO moved VALUES ('a', 'a'), ('a', 'a'), ('a', 'b'), ('b', 'b'), ('b', NULL), ('c', 'a');
SELECT migration_matrix(before, after) AS matrix FROM moved;
SELECT m.before, m.after, m.customers, round(m.share::numeric, 3) AS share FROM (SELECT migration_matrix(before, after) AS matrix FROM moved) AS t, migrations(matrix) AS m;
SELECT adjusted_rand_index(x, y) AS renamed FROM (VALUES ('a', '1'), ('a', '1'), ('b', '2')) AS v (x, y);
SELECT adjusted_rand_index(x, x) AS one FROM (VALUES ('a')) AS v (x);

-- Trials: R's power.prop.test(p1 = .5, p2 = .75, power = .9) says n = 76.7. Newcombe's examples (a) and (d).
SELECT * FROM sample_size(.5, .5, .9);
SELECT treated, held_out FROM sample_size(.02, .1);
SELECT treated, held_out FROM sample_size(.02, .1, held_out => .1);
SELECT round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, round(lift::numeric, 4) AS lift, round(p_value::numeric, 4) AS p, verdict FROM ab_result(70, 56, 80, 48);
SELECT round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, verdict FROM ab_result(10, 9, 10, 3);
SELECT verdict, lift FROM ab_result(100, 3, 100, 0);
SELECT * FROM segmentation_internal.wilson_interval(0, 10);

-- What is refused.
CALL refused('SELECT fit_profile(ARRAY[1, ''NaN''::float8])');
CALL refused('SELECT fit_profile(ARRAY[1, ''Infinity''::float8])');
CALL refused('SELECT fit_profile(''{}''::float8[])');
CALL refused('SELECT fit_profile(f) FROM (VALUES (''{1}''::float8[]), (''{1,2}'')) AS v (f)');
CALL refused('SELECT fit_profile(f, NULL) FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, o) FROM (VALUES (''{1}''::float8[], ''{"k": 2}''::jsonb), (''{1}'', ''{"k": 3}'')) AS v (f, o)');
CALL refused('SELECT fit_profile(f, ''{"clusters": 2}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"k": 51}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"k": [3, 2]}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"k": "two"}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"method": "dbscan"}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"start": [[1, 2], [1]]}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"start": [[1, 2], [3, 4]]}'') FROM (VALUES (''{1}''::float8[]), (''{2}''), (''{3}'')) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"names": ["a", "b"]}'') FROM (VALUES (''{1}''::float8[])) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"method": "k_means"}'') FROM (VALUES (''{"a": "x"}''::jsonb), (''{"a": "y"}'')) AS v (f)');
CALL refused('SELECT fit_profile(f, ''{"categorical": ["b"]}'') FROM (VALUES (''{"a": "x"}''::jsonb), (''{"a": "y"}'')) AS v (f)');
CALL refused('SELECT fit_profile(f) FROM (VALUES (''{"a": "x"}''::jsonb), (''{"a": 1}'')) AS v (f)');
CALL refused('SELECT fit_profile(f) FROM (VALUES (''{"a": [1]}''::jsonb)) AS v (f)');
CALL refused('SELECT fit_profile(f) FROM (VALUES (''[1]''::jsonb)) AS v (f)');
CALL refused('SELECT fit_profile(f) FROM (VALUES (''{"a": 1e400}''::jsonb)) AS v (f)');
CALL refused('SELECT fit_profile(jsonb_build_object(''a'', repeat(''x'', 1000000)))');
CALL refused('SELECT fit_profile(jsonb_build_object(''a'', i::text)) FROM generate_series(1, 10001) AS i');
CALL refused('SELECT fit_profile(jsonb_build_object(''a'' || i::text, 1)) FROM generate_series(1, 257) AS i');
CALL refused('SELECT profile_assign(''{}'', ''{1}''::float8[])');
CALL refused('SELECT profile_assign(''{"kind": "purchase_model"}'', ''{1}''::float8[])');
CALL refused('SELECT profile_assign(model, ''{1}''::float8[]) FROM model');
CALL refused('SELECT profile_assign(model, ''{1,2,3,NaN}''::float8[]) FROM model');
CALL refused('SELECT profile_assign(model, ''{"petal": "x"}''::jsonb) FROM mixed_model');
CALL refused('SELECT profile_assign(model, ''{1,2,3,4}''::float8[]) FROM mixed_model');
CALL refused('SELECT profile_describe(jsonb_set(model, ''{clusters,0,centre}'', ''[1]'')) FROM model');
CALL refused('SELECT ''\x01ff''::profile_rows');
CALL refused('SELECT psi(-1, 1)');
CALL refused('SELECT psi(''NaN''::float8, 1)');
CALL refused('SELECT psi(repeat(''x'', 1000000), ''y'')');
CALL refused('SELECT sample_size(0, .1)');
CALL refused('SELECT sample_size(.5, 1)');
CALL refused('SELECT sample_size(.5, ''NaN'')');
CALL refused('SELECT sample_size(.5, .1, power => 1)');
CALL refused('SELECT ab_result(0, 0, 1, 1)');
CALL refused('SELECT ab_result(1, 2, 1, 1)');
CALL refused('SELECT ab_result(1, -1, 1, 1)');
CALL refused('SELECT ab_result(1, 1, 1, 1, 1)');

-- A k-means model is also a definition of kind nearest: the same answer for everybody.
SELECT fit_profile(features, '{"k": 3}') AS model
FROM (SELECT jsonb_build_object('recency', recency, 'frequency', frequency, 'monetary', monetary) AS features FROM rfm_customers) AS f \gset
SELECT count(*) AS customers, count(*) FILTER (WHERE (profile_assign(:'model'::jsonb, features)).code IS DISTINCT FROM
         segment_assign(jsonb_build_object('kind', 'nearest', 'model', :'model'::jsonb), features)) AS differ
FROM (SELECT jsonb_build_object('recency', recency, 'frequency', frequency, 'monetary', monetary) AS features FROM rfm_customers) AS f;
CALL refused('SELECT segment_assign(''{"kind": "nearest", "model": {"method": "gaussian_mixture", "features": [], "clusters": []}}''::jsonb, ''{}''::jsonb)');

-- The profiles on a plane: the picture of iris; two profiles lie on a line, one profile is a point.
SELECT code, customers, round(share::numeric, 4) AS share, round(x::numeric, 4) AS x, round(y::numeric, 4) AS y, round(spread_x::numeric, 4) AS spread_x,
  round(spread_y::numeric, 4) AS spread_y, round(explained_x::numeric, 4) AS explained_x, round(explained_y::numeric, 4) AS explained_y
FROM model, profile_map(model);
SELECT k, code, round(x::numeric, 4) AS x, round(y::numeric, 4) AS y, round(explained_x::numeric, 4) AS explained_x
FROM (SELECT k, fit_profile(ARRAY[recency, frequency, monetary]::float8[], jsonb_build_object('k', k)) AS model FROM rfm_customers, generate_series(1, 2) AS k GROUP BY k) AS m, profile_map(model);
SELECT code, round(spread_x::numeric, 4) AS spread_x, round(spread_y::numeric, 4) AS spread_y
FROM (SELECT fit_profile(ARRAY[recency, frequency, monetary]::float8[], '{"k": 3, "method": "gaussian_mixture"}') AS model FROM rfm_customers) AS m, profile_map(model);
SELECT code, round(x::numeric, 4) AS x, round(y::numeric, 4) AS y FROM mixed_model, profile_map(model);
SELECT count(*) AS unfitted FROM (SELECT fit_profile('{1}'::float8[]) AS model) AS f, profile_map(model);
CALL refused('SELECT profile_map(''{}'')');
CALL refused('SELECT profile_map(jsonb_set(model, ''{clusters,0,centre,0}'', ''1e300'')) FROM model');
