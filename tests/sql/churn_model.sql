-- Churn from features: logistic regression against recorded output of statsmodels and scikit-learn; bad data; hostile input.
SET search_path = segmentation, public;
SET datestyle = ISO;
\getenv abs_srcdir PG_ABS_SRCDIR
CREATE TABLE telco (customer_id integer, tenure integer, contract text, internet text, payment text, monthly_charges numeric, senior boolean, paperless boolean, churned boolean);
\set file :abs_srcdir '/data/telco.csv'
COPY telco FROM :'file' (FORMAT csv, HEADER);
CREATE VIEW rows AS SELECT *, jsonb_build_object('tenure', tenure, 'senior', senior, 'monthly_charges', monthly_charges, 'internet', internet, 'contract', contract) AS features FROM telco;
GRANT SELECT ON telco, rows TO PUBLIC;

-- statsmodels 0.15.0, GLM(Binomial), tol 1e-14: columns, deviance 4228.335848186565, null 5700.351156093118, AIC 4244.335848186565.
CREATE TABLE model AS SELECT 'plain' AS name, fit_churn_model(churned, features) AS model FROM rows;
CREATE TABLE oracle (name text, feature text, level text, estimate float8, standard_error float8);
INSERT INTO oracle VALUES
  ('plain', NULL, NULL, 0.47616900967724124, 0.3015898857286153),
  ('plain', 'tenure', NULL, -0.033667328295117496, 0.0024834660988588657),
  ('plain', 'senior', NULL, 0.34623962031917827, 0.09819682737526213),
  ('plain', 'monthly_charges', NULL, 0.004119974654047266, 0.0035498217675963973),
  ('plain', 'internet', 'DSL', -0.9717551113298377, 0.15177606496855864),
  ('plain', 'internet', 'No', -1.9006880814665266, 0.27152883568113495),
  ('plain', 'contract', 'One year', -0.910899572898034, 0.12579269867851608),
  ('plain', 'contract', 'Two year', -1.5953123539983276, 0.19790643565007338),
  ('weighted', NULL, NULL, 0.5165456128850381, 0.24595048142650436),
  ('weighted', 'tenure', NULL, -0.03407225262187634, 0.0020352987459081717),
  ('weighted', 'senior', NULL, 0.3619562791018115, 0.08012633891285312),
  ('weighted', 'monthly_charges', NULL, 0.003825625608450314, 0.0028899491756582637),
  ('weighted', 'internet', 'DSL', -0.9894521193253062, 0.12374999035885256),
  ('weighted', 'internet', 'No', -1.8880490097799132, 0.22116705201271158),
  ('weighted', 'contract', 'One year', -0.960747518249505, 0.1035666044821172),
  ('weighted', 'contract', 'Two year', -1.546040515568059, 0.15885683849229473),
  ('offset', NULL, NULL, -0.006508496225892369, 0.07616256882619418),
  ('offset', 'tenure', NULL, -0.03505749886520329, 0.002347182140253074),
  ('offset', 'senior', NULL, 0.35028940508979517, 0.09826977916547969),
  ('offset', 'internet', 'DSL', -0.7677429367065912, 0.08755601138703087),
  ('offset', 'internet', 'No', -1.515020800347886, 0.13928226368010285),
  ('offset', 'contract', 'One year', -0.9394797111110209, 0.12477847249514344),
  ('offset', 'contract', 'Two year', -1.6364937726705406, 0.19654971996257506);
-- scikit-learn 1.9.1, LogisticRegression(C = 1/10): on standardised columns; and on plain ones with weights.
INSERT INTO oracle VALUES
  ('ridge', NULL, NULL, 0.3024660934558423),
  ('ridge', 'tenure', NULL, -0.03335425935876723),
  ('ridge', 'senior', NULL, 0.35037100102687074),
  ('ridge', 'monthly_charges', NULL, 0.005809738015631877),
  ('ridge', 'internet', 'DSL', -0.8856773036735816),
  ('ridge', 'internet', 'No', -1.7267991192724181),
  ('ridge', 'contract', 'One year', -0.9122204934714724),
  ('ridge', 'contract', 'Two year', -1.5488829533658375),
  ('ridge, weighted', NULL, NULL, -0.1515872146192383),
  ('ridge, weighted', 'tenure', NULL, -0.03735641514131982),
  ('ridge, weighted', 'senior', NULL, 0.3850906534452524),
  ('ridge, weighted', 'monthly_charges', NULL, 0.011624892844488286),
  ('ridge, weighted', 'internet', 'DSL', -0.6819720122183952),
  ('ridge, weighted', 'internet', 'No', -1.2615604030852028),
  ('ridge, weighted', 'contract', 'One year', -0.8783089163054698),
  ('ridge, weighted', 'contract', 'Two year', -1.31137652120991);
INSERT INTO model SELECT 'weighted', fit_churn_model(churned, features, 1 + customer_id % 3 * 0.5) FROM rows;
INSERT INTO model SELECT 'ridge', fit_churn_model(churned, features, '{"ridge": 10}'::jsonb) FROM rows;
INSERT INTO model SELECT 'ridge, weighted', fit_churn_model(churned, features, 1 + customer_id % 3 * 0.5, '{"ridge": 10, "standardize": false}'::jsonb) FROM rows;
INSERT INTO model SELECT 'offset', fit_churn_model(churned, features - 'monthly_charges' || jsonb_build_object('off', 0.01 * monthly_charges), '{"offset": "off"}'::jsonb) FROM rows;
SELECT name, count(*) AS coefficients,
       max(abs(c.estimate / o.estimate - 1)) < 1e-8 AS estimates_agree,
       max(abs(c.standard_error / o.standard_error - 1)) < 1e-8 AS standard_errors_agree
FROM model CROSS JOIN LATERAL churn_coefficients(model) AS c
FULL JOIN oracle AS o USING (name) WHERE c.feature IS NOT DISTINCT FROM o.feature AND c.level IS NOT DISTINCT FROM o.level
GROUP BY name ORDER BY name;
SELECT name, round((model ->> 'deviance')::numeric, 9) AS deviance, round((model ->> 'null_deviance')::numeric, 9) AS null_deviance,
       round((model ->> 'aic')::numeric, 9) AS aic, round((model ->> 'auc')::numeric, 6) AS auc, model ->> 'rows' AS rows, model ->> 'churned' AS churned, model -> 'warnings' AS warnings
FROM model ORDER BY name;
SELECT feature, level, role, round(estimate::numeric, 6) AS estimate, round(z::numeric, 4) AS z, to_char(p, '9.99EEEE') AS p,
       round(odds_ratio::numeric, 4) AS odds_ratio, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper
FROM model, churn_coefficients(model) WHERE name = 'plain';
SELECT jsonb_object_agg(key, value) FROM model, jsonb_each(model) WHERE name = 'plain' AND key IN ('kind', 'version', 'rows', 'churned', 'ridge', 'sample', 'skipped', 'warnings', 'converged', 'offset');

-- Predicted and actual totals agree, as they do at the maximum; quality as in the model.
SELECT round(sum(churn_probability(model, features))::numeric, 6) AS expected, count(*) FILTER (WHERE churned) AS actual,
       (prediction_quality(churn_probability(model, features), churned) ->> 'auc')::numeric(9, 6) AS auc
FROM rows, model WHERE name = 'plain';
SELECT name, round(churn_probability(model, features || jsonb_build_object('off', 0.5))::numeric, 6) AS probability
FROM rows, model WHERE customer_id = 1 ORDER BY name;

-- Contributions and the average customer sum to the log-odds, for any customer.
SELECT max(abs(ln(p / (1 - p)) - whole)) - min(abs(ln(p / (1 - p)) - whole)) < 1e-9 AS same_average
FROM (SELECT churn_probability(model, features) AS p, (SELECT sum(contribution) FROM churn_explain(model, features)) AS whole
      FROM rows, model WHERE name = 'plain' AND customer_id <= 50) AS explained;
SELECT feature, value, round(contribution::numeric, 4) AS contribution, round(odds_ratio::numeric, 3) AS odds_ratio, words
FROM rows, model, churn_explain(model, features) WHERE name = 'plain' AND customer_id = 4;
SELECT words FROM rows, model, churn_explain(model, features - 'contract', 'fr') WHERE name = 'plain' AND customer_id = 4;

-- One model a group; parallel, merged and sampled fits do not depend on plan or order.
SELECT contract, m ->> 'rows' AS rows, round((m ->> 'deviance')::numeric, 6) AS deviance
FROM (SELECT contract, fit_churn_model(churned, features - 'contract') AS m FROM rows GROUP BY contract) AS models ORDER BY contract;
SELECT fit_churn_model(merge(part)) = (SELECT model FROM model WHERE name = 'plain') AS merged_is_whole
FROM (SELECT churn_rows(churned, features) AS part FROM rows GROUP BY customer_id % 5) AS parts;
SELECT fit_churn_model(churned, features ORDER BY customer_id DESC) = (SELECT model FROM model WHERE name = 'plain') AS order_is_no_matter FROM rows;
SELECT fit_churn_model(merge(part)) = (SELECT fit_churn_model(churned, features, '{"sample": 1000}'::jsonb) FROM rows) AS merged_sample_is_whole
FROM (SELECT churn_rows(churned, features, '{"sample": 1000}'::jsonb) AS part FROM rows GROUP BY customer_id % 5) AS parts;
SELECT m -> 'sample' AS sample, m ->> 'rows' AS rows, m -> 'warnings' -> 0 ->> 'code' AS warning,
       round((m ->> 'auc')::numeric, 2) AS auc FROM (SELECT fit_churn_model(churned, features, '{"sample": 1000}'::jsonb) AS m FROM rows) AS f;
SELECT churn_rows(churned, features)::text::churn_rows::text = churn_rows(churned, features)::text AS round_trip FROM rows WHERE customer_id < 100;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT fit_churn_model(churned, features) = (SELECT model FROM model WHERE name = 'plain') AS parallel_is_serial FROM rows;
RESET ALL;
SET datestyle = ISO;
SET search_path = segmentation, public;

-- Missing values, rare and unseen categories.
CREATE TABLE thin AS SELECT churned, jsonb_strip_nulls(jsonb_build_object(
  'tenure', CASE WHEN customer_id % 7 <> 0 THEN tenure END, 'senior', CASE WHEN customer_id % 11 <> 0 THEN senior END,
  'contract', CASE WHEN customer_id % 13 <> 0 THEN contract END, 'payment', CASE customer_id WHEN 5 THEN 'Cash' WHEN 6 THEN 'Gold' ELSE payment END)) AS features FROM telco;
CREATE TABLE gaps AS SELECT fit_churn_model(churned, features) AS model FROM thin;
SELECT feature, level, role, round(estimate::numeric, 4) AS estimate, round(standard_error::numeric, 4) AS standard_error FROM gaps, churn_coefficients(model);
SELECT f ->> 'name' AS feature, f ->> 'type' AS type, f ->> 'missing' AS missing, f ->> 'pooled' AS pooled, jsonb_array_length(f -> 'levels') AS levels FROM gaps, jsonb_array_elements(model -> 'features') AS f;
SELECT what, round(churn_probability(model, features)::numeric, 6) AS probability FROM gaps, (VALUES
  ('all', '{"tenure": 5, "senior": false, "contract": "Two year", "payment": "Mailed check"}'::jsonb),
  ('null is missing', '{"tenure": null, "senior": false, "contract": "Two year", "payment": "Mailed check"}'),
  ('absent is missing', '{"senior": false, "contract": "Two year", "payment": "Mailed check"}'),
  ('unseen', '{"tenure": 5, "senior": false, "contract": "Two year", "payment": "Bitcoin"}'),
  ('pooled', '{"tenure": 5, "senior": false, "contract": "Two year", "payment": "Gold"}'),
  ('nothing known', '{}'), ('unknown features are ignored', '{"shoe size": 44}')) AS v (what, features);
SELECT m ->> 'rows' AS rows, m -> 'skipped' AS skipped FROM (SELECT fit_churn_model(churned, features, '{"missing": "skip"}'::jsonb) AS m FROM thin) AS f;
SELECT m -> 'skipped' AS skipped, m ->> 'rows' AS rows FROM (
  SELECT fit_churn_model(CASE WHEN customer_id > 3 THEN churned END, CASE WHEN customer_id <> 10 THEN features END, CASE WHEN customer_id = 20 THEN 0 WHEN customer_id = 21 THEN NULL ELSE 1 END) AS m FROM rows) AS f;

-- What can be wrong with data is said in the model.
CREATE VIEW cases AS
  SELECT 1 AS n, 'one class' AS what, fit_churn_model(true, features) AS model FROM rows
  UNION ALL SELECT 2, 'five rows', fit_churn_model(churned, features) FROM rows WHERE customer_id <= 5
  UNION ALL SELECT 3, 'no rows', fit_churn_model(churned, features) FROM rows WHERE false
  UNION ALL SELECT 4, 'constant', fit_churn_model(churned, jsonb_build_object('tenure', tenure, 'one', 1, 'x', 'y', 'yes', true)) FROM rows
  UNION ALL SELECT 5, 'no features', fit_churn_model(churned, '{}') FROM rows
  UNION ALL SELECT 6, 'separation', fit_churn_model(tenure > 40, features) FROM rows
  UNION ALL SELECT 7, 'quasi-separation', fit_churn_model(churned AND contract <> 'Two year', features) FROM rows
  UNION ALL SELECT 8, 'leak', fit_churn_model(churned, features || jsonb_build_object('left_on', CASE WHEN churned AND customer_id % 50 > 0 THEN 1 ELSE customer_id % 60 / 59 END)) FROM rows
  UNION ALL SELECT 9, 'collinear', fit_churn_model(churned, features || jsonb_build_object('years', tenure / 12.0, 'any', internet <> 'No')) FROM rows
  UNION ALL SELECT 10, '5,000 categories', fit_churn_model(churned, features || jsonb_build_object('id', 'c' || customer_id)) FROM rows
  UNION ALL SELECT 11, 'few events', fit_churn_model(churned, features) FROM rows WHERE customer_id <= 60
  UNION ALL SELECT 12, 'huge numbers', fit_churn_model(churned, jsonb_build_object('a', tenure * 1e140, 'b', 1e15 + tenure, 'c', -tenure * 1e-140)) FROM rows
  UNION ALL SELECT 13, 'unknown names', fit_churn_model(churned, features, '{"features": ["tenure", "age"], "base_levels": {"contract": "x"}}'::jsonb) FROM rows;
SELECT n, what, model ->> 'rows' AS rows, model ->> 'converged' AS converged, round((model ->> 'auc')::numeric, 3) AS auc, w ->> 'code' AS warning, w ->> 'message' AS message
FROM cases LEFT JOIN LATERAL jsonb_array_elements(model -> 'warnings') AS w ON true ORDER BY n, w ->> 'code', w ->> 'message';
SELECT churn_probability(model, '{"tenure": 3}') AS no_score, (SELECT count(*) FROM churn_explain(model, '{}')) AS no_reasons, (SELECT count(*) FROM churn_coefficients(model)) AS none FROM cases WHERE n = 2;
SELECT bool_and(estimate IS NULL OR abs(estimate) < 1e300) AS finite FROM cases, churn_coefficients(model);
SELECT fit_churn_model(churned, features, '{"base_levels": {"contract": "Two year"}, "confidence": 0.9}'::jsonb) -> 'coefficients' -> 4 ->> 'level' AS level FROM rows;

-- Case-control samples: the intercept is put right by the true base rate.
SELECT round(avg(churn_probability(m, features))::numeric, 3) AS of_the_sample, round(avg(churn_probability(n, features))::numeric, 3) AS corrected, (SELECT round(avg(churned::int), 3) FROM telco) AS truth
FROM rows, (SELECT fit_churn_model(churned, features) AS m, fit_churn_model(churned, features, '{"base_rate": 0.2651}'::jsonb) AS n FROM rows WHERE churned OR customer_id % 3 = 0) AS f;

-- Hostile input: a clean error each time.
CALL refused('SELECT fit_churn_model(churned, ''{"a": [1]}'') FROM rows');
CALL refused('SELECT fit_churn_model(churned, ''{"a": {"b": 1}}'') FROM rows');
CALL refused('SELECT fit_churn_model(churned, ''{"a": "NaN"}'') FROM rows');
CALL refused('SELECT fit_churn_model(churned, jsonb_build_object(''a'', tenure * 1e200)) FROM (SELECT * FROM rows WHERE tenure = 9 LIMIT 1) AS x');
CALL refused('SELECT fit_churn_model(churned, to_jsonb(1)) FROM rows');
CALL refused('SELECT fit_churn_model(churned, ''[]'') FROM rows');
CALL refused('SELECT fit_churn_model(churned, ''{"a": 1e999}'') FROM rows');
CALL refused('SELECT fit_churn_model(churned, jsonb_build_object(''a"; DROP TABLE telco; --'', CASE WHEN senior THEN to_jsonb(1) ELSE to_jsonb(''x''::text) END)) FROM rows');
CALL refused('SELECT fit_churn_model(churned, jsonb_build_object(''a'', repeat(''x'', 1000000))) FROM rows');
CALL refused('SELECT fit_churn_model(churned, jsonb_build_object(repeat(''é'', 1000000), 1)) FROM rows');
CALL refused('SELECT fit_churn_model(churned, jsonb_build_object(''f'' || customer_id, 1)) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features || jsonb_build_object(''a'', customer_id % 200 || '''', ''b'', customer_id % 201 || '''', ''c'', customer_id % 202 || '''', ''d'', customer_id % 203 || '''', ''e'', customer_id % 204 || '''', ''f'', customer_id % 205 || ''''), ''{"max_levels": 200}''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''NaN''::float8) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, -1.0) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''Infinity''::float8) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''{"rigde": 1}''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''{"ridge": -1}''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''{"ridge": "1"}''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''{"missing": "mean"}''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''[]''::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, NULL::jsonb) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, jsonb_build_object(''ridge'', customer_id)) FROM rows');
CALL refused('SELECT fit_churn_model(churned, features, ''{"offset": "contract"}''::jsonb) FROM rows');
CALL refused('SELECT ''\x01''::churn_rows');
CALL refused('SELECT ''\x''::churn_rows');
CALL refused('SELECT (''\x01'' || repeat(''ff'', 500000))::churn_rows');
CALL refused('SELECT merge(r) FROM (SELECT churn_rows(churned, features, ''{"ridge": 1}''::jsonb) AS r FROM rows UNION ALL SELECT churn_rows(churned, features) FROM rows) AS x');
CALL refused('SELECT churn_probability(model, ''{"tenure": "long"}'') FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_probability(model, ''{"senior": 1}'') FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_probability(model, ''[]'') FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_probability(model, ''{"tenure": 1}'') FROM model WHERE name = ''offset''');
CALL refused('SELECT churn_probability(model, ''{"off": "x"}'') FROM model WHERE name = ''offset''');
CALL refused('SELECT churn_probability(''{}''::jsonb, ''{}''::jsonb)');
CALL refused('SELECT churn_probability(''[]''::jsonb, ''{}''::jsonb)');
CALL refused('SELECT churn_probability(''{"kind": "churn_model"}''::jsonb, ''{}''::jsonb)');
CALL refused('SELECT churn_probability(''{"kind": "churn_model", "version": 2}''::jsonb, ''{}''::jsonb)');
CALL refused('SELECT churn_probability(''{"kind": "churn_model", "version": 1, "coefficients": []}''::jsonb, ''{}''::jsonb)');
CALL refused('SELECT churn_probability(jsonb_set(model, ''{coefficients, 1, feature}'', ''"x"''), ''{}''::jsonb) FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_probability(jsonb_set(model, ''{coefficients, 1, estimate}'', ''"x"''), ''{}''::jsonb) FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_probability(jsonb_set(model, ''{features, 0, base}'', ''99''), ''{}''::jsonb) FROM model WHERE name = ''plain''');
CALL refused('SELECT churn_explain(model, ''{}''::jsonb, ''de'') FROM model WHERE name = ''plain''');
SELECT churn_probability(NULL::jsonb, '{}'::jsonb) IS NULL AND churn_probability(model, NULL::jsonb) IS NULL AS null_in_null_out FROM model WHERE name = 'plain';

-- Training rows: nothing of the future, and no outcome that is not known yet.
CREATE TABLE shop AS SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
SELECT as_of, churned, features FROM shop, churn_snapshots(history, '1997-06-30', '3 months', '90 days', '1998-06-30') WHERE customer_id = 1;
SELECT bool_and(history_features(history, day) = history_features(until(history, day), day)) AS features_know_no_future
FROM shop, (VALUES (date '1997-03-01'), ('1997-09-30'), ('1998-06-30')) AS d (day) WHERE first_purchase(history) <= day;
SELECT churned_within(history, '1998-05-01', '90 days', '1998-06-30') AS not_known_yet, churned_within(history, '1998-04-01', '90 days', '1998-06-30') AS known FROM shop WHERE customer_id = 1;
SELECT count(*) AS rows, max(as_of) AS last_as_of, count(*) FILTER (WHERE churned IS NULL) AS unknown FROM shop, churn_snapshots(history, '1997-03-31', '1 month', '90 days', '1998-06-30');
-- Out of time: fitted on outcomes up to 1997-12-31, judged on the half-year after it.
CREATE TABLE out_of_time AS
WITH fitted AS (
  SELECT (SELECT fit_churn_model(s.churned, s.features) FROM shop, churn_snapshots(history, '1997-04-30', '1 month', '90 days', '1997-12-31') AS s) AS features_model,
         (SELECT fit_purchase_model(history, '1997-12-31', '{"family": "mbg_nbd"}') FROM shop) AS purchase_model
)
SELECT churned_within(history, '1997-12-31', '90 days', '1998-06-30') AS churned,
       churn_probability(features_model, history_features(history, '1997-12-31')) AS by_features,
       churn_probability(purchase_model, history, '1997-12-31', '90 days') AS by_purchases,
       recency(history, '1997-12-31') / 366.0 AS by_recency
FROM shop, fitted;
SELECT model, round((q ->> 'auc')::numeric, 4) AS auc, round((q ->> 'base_rate')::numeric, 4) AS base_rate, round((q ->> 'brier_skill')::numeric, 4) AS brier_skill,
       round((q -> 'calibration' ->> 'slope')::numeric, 3) AS slope, round((q ->> 'expected_total')::numeric, 1) AS expected, q ->> 'actual_total' AS actual
FROM (SELECT 'features' AS model, prediction_quality(by_features, churned) AS q FROM out_of_time
      UNION ALL SELECT 'purchases', prediction_quality(by_purchases, churned) FROM out_of_time
      UNION ALL SELECT 'recency', prediction_quality(by_recency, churned) FROM out_of_time) AS judged;
DROP TABLE out_of_time, shop, gaps, thin, oracle CASCADE;
DROP VIEW cases;
DROP TABLE model;
DROP VIEW rows;
DROP TABLE telco;

-- A calibration ends at 1, and never falls: rounding at the right end of a line made 1.0000000000000002 once.
CREATE TEMP TABLE cal (p float8, y boolean);
INSERT INTO cal VALUES (0, false), (.1, false), (.1, true), (.2, false), (.3, true);
SELECT x AS p, calibrated(c, x) FROM (SELECT calibrate(p, y) AS c FROM cal) AS s, unnest('{0,.1,.2,.25,.3,.30001,1}'::float8[]) AS x;
SELECT prediction_quality(calibrated(c, p), y) ->> 'n' AS n FROM cal, (SELECT calibrate(p, y) AS c FROM cal) AS s;
DROP TABLE cal;
