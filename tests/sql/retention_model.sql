-- Contracts: Kaplan-Meier, shifted-beta-geometric and hazard; calibration and profit.
SET search_path = segmentation, public;
SET datestyle = ISO;
\getenv abs_srcdir PG_ABS_SRCDIR
CREATE TABLE counts (tenure integer, contract text, churned boolean, customers integer);
\set file :abs_srcdir '/data/telco_contracts.csv'
COPY counts FROM :'file' (FORMAT csv, HEADER);
-- The data give tenures in months: who left ended on one day, who stays runs on.
CREATE TABLE telco AS
  SELECT contract, churned, (date '2026-01-01' - make_interval(months => tenure))::date AS started, CASE WHEN churned THEN date '2026-01-01' END AS ended
  FROM counts, generate_series(1, customers);
SELECT count(*), count(*) FILTER (WHERE churned) AS churned FROM telco;

-- lifelines 0.30.3, KaplanMeierFitter with its exponential Greenwood bands.
CREATE TABLE oracle (contract text, period integer, survival float8, lower float8, upper float8);
INSERT INTO oracle VALUES
  (NULL, 1, 0.9459613196814566, 0.9404183713158356, 0.9510021209572403),
  (NULL, 12, 0.8431995538158302, 0.834168685811462, 0.8517833206931235),
  (NULL, 24, 0.7887363983705965, 0.7783129555299131, 0.798735202136176),
  (NULL, 60, 0.6644039143747397, 0.6502267928533968, 0.6781567791866754),
  (NULL, 72, 0.5927901520522275, 0.5730628910042918, 0.6119362091926619),
  ('Month-to-month', 1, 0.9019354838709666, 0.8921380576286736, 0.9108879555084513),
  ('Month-to-month', 12, 0.7030966363488644, 0.687259357620821, 0.7183040754301768),
  ('Month-to-month', 24, 0.5859154739046663, 0.5675542366330784, 0.6037891389325016),
  ('Month-to-month', 60, 0.29715813465993696, 0.2693447665395008, 0.3254388178479324),
  ('Month-to-month', 72, 0.1289519006143942, 0.07594478309947567, 0.1963962710499657),
  ('One year', 1, 1.0, 1.0, 1.0),
  ('One year', 12, 0.9908082040748656, 0.9842195307701669, 0.9946534315046798),
  ('One year', 24, 0.9782723764279155, 0.9688606056979311, 0.9848616817763068),
  ('One year', 60, 0.8318260847306003, 0.8004685292754868, 0.8586960470949832),
  ('One year', 72, 0.5681456820286713, 0.4467580669989844, 0.6725229647509774),
  ('Two year', 1, 1.0, 1.0, 1.0),
  ('Two year', 12, 1.0, 1.0, 1.0),
  ('Two year', 24, 1.0, 1.0, 1.0),
  ('Two year', 60, 0.9861995455959075, 0.9778306225863044, 0.9914230427026912),
  ('Two year', 72, 0.9357385806467265, 0.9133361293527706, 0.952500628924231);
CREATE TABLE model AS
  SELECT fit_retention_model(started, ended, '2026-01-01') AS whole,
         fit_retention_model(started, ended, '2026-01-01', jsonb_build_object('contract', contract), '{"family": "kaplan_meier"}') AS by_contract,
         fit_retention_model(started, ended, '2026-01-01', jsonb_build_object('contract', contract)) AS hazard,
         fit_retention_model(started, ended, '2026-01-01', jsonb_build_object('contract', contract), '{"family": "shifted_beta_geometric"}') AS geometric
  FROM telco;
SELECT count(*) AS points, max(abs(survival_probability(by_contract, make_interval(months => period), f) - survival)) < 1e-12 AS survival_agrees
FROM model, oracle AS o, LATERAL (SELECT CASE WHEN contract IS NULL THEN '{}' ELSE jsonb_build_object('contract', contract) END AS f) AS g;
SELECT count(*) AS points, max(abs(c.survival - o.survival)) < 1e-12 AS survival_agrees, max(abs(c.lower - o.lower)) < 1e-9 AS lower_agrees, max(abs(c.upper - o.upper)) < 1e-9 AS upper_agrees
FROM model, oracle AS o, LATERAL (SELECT CASE WHEN contract IS NULL THEN '{}' ELSE jsonb_build_object('contract', contract) END AS f) AS g,
     retention_curve(by_contract, f) AS c WHERE c.period = o.period;
-- As published: S(12) = .843200, S(24) = .788736, S(72) = .592790; month to month S(12) = .70310, median 35.
SELECT period, at_risk, ended, round(survival::numeric, 6) AS survival, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM model, retention_curve(whole) WHERE period IN (1, 12, 24, 72);
SELECT g -> 'features' AS features, g ->> 'contracts' AS contracts, g ->> 'ended' AS ended, g ->> 'median' AS median FROM model, jsonb_array_elements(by_contract -> 'groups') AS g;
SELECT whole - 'groups' AS model FROM model;

-- Churn over a horizon given the tenure, lifetime and value: sums over the same curve in Python give
-- lifetime 20.567393609535507, after 12 months 11.60964264630881, value 219.47476487458462.
SELECT round(churn_probability(whole, interval '1 year', interval '1 year')::numeric, 9) AS churn, round(1 - 0.7887363983705965 / 0.8431995538158302, 9) AS by_hand,
       round(expected_lifetime(whole, '0', '24 months')::numeric, 9) AS lifetime, round(expected_lifetime(whole, '12 months', '12 months')::numeric, 9) AS lifetime_after_12,
       contract_value(whole, '12 months', '12 months', 20) AS value
FROM model;
SELECT churn_probability(whole, interval '5 years', interval '2 years') AS beyond_the_data, survival_probability(whole, '72 months') IS NOT NULL AS within, survival_probability(whole, '0') AS at_start FROM model;

-- Fader and Hardie, How to project customer retention (Journal of Interactive Marketing 21, 2007): alpha .668, beta 3.806 (high end);
-- .704, 1.182 (regular), from seven years of 1,000 customers. The data are table 1 of the paper, which the dataset customer_retention
-- of the R package foretell has too; years 8 to 12, with which the paper judges the projection, were not fitted.
CREATE TABLE cohort AS
  SELECT name, date '2000-01-01' AS started, CASE WHEN t < 8 THEN (date '2000-01-01' + make_interval(years => t))::date END AS ended
  FROM (VALUES ('high end', '{1000, 869, 743, 653, 593, 551, 517, 491, 0}'::int[]), ('regular', '{1000, 631, 468, 382, 326, 289, 262, 241, 0}')) AS v (name, s),
       generate_series(1, 8) AS t, generate_series(1, s[t] - s[t + 1]);
SELECT name, round((p ->> 'alpha')::numeric, 5) AS alpha, round((p ->> 'beta')::numeric, 5) AS beta, round((m -> 'groups' -> 0 ->> 'log_likelihood')::numeric, 3) AS log_likelihood,
       round(survival_probability(m, '12 years')::numeric, 4) AS twelve_years, round(churn_probability(m, interval '0', interval '1 year')::numeric, 4) AS first_year, round(churn_probability(m, interval '7 years', interval '1 year')::numeric, 4) AS eighth_year,
       round(expected_lifetime(m, '0', '100 years')::numeric, 3) AS lifetime, m -> 'warnings' AS warnings
FROM (SELECT name, fit_retention_model(started, ended, '2007-01-01', '{}', '{"family": "shifted_beta_geometric", "unit": "1 year"}') AS m FROM cohort GROUP BY name) AS f,
     LATERAL (SELECT m -> 'groups' -> 0 -> 'parameters' AS p) AS g ORDER BY name;
SELECT name, year, actual, round(survival_probability(m, make_interval(years => year))::numeric, 3) AS projected, abs(survival_probability(m, make_interval(years => year)) - actual) < 0.02 AS within_two_points
FROM (SELECT name, fit_retention_model(started, ended, '2007-01-01', '{}', '{"family": "shifted_beta_geometric", "unit": "1 year"}') AS m FROM cohort GROUP BY name) AS f
JOIN (VALUES ('high end', '{.468, .445, .427, .409, .394}'::numeric[]), ('regular', '{.223, .207, .194, .183, .173}')) AS v (name, later) USING (name),
     generate_series(8, 12) AS year, LATERAL (SELECT later[year - 7] AS actual) AS a ORDER BY name, year;
SELECT g -> 'features' AS features, round((g -> 'parameters' ->> 'alpha')::numeric, 4) AS alpha, round((g -> 'parameters' ->> 'beta')::numeric, 4) AS beta FROM model, jsonb_array_elements(geometric -> 'groups') AS g;

-- Hazard by tenure and contract, beside the curves. statsmodels 0.15.0, GLM(Binomial) on the same person-periods:
-- 2-3 -1.1207286850 (.0874154178), 60+ -0.0973662034 (.1205156581), Month-to-month against Two year 4.0558001543 (.1509512835).
SELECT h -> 'steps' AS steps, h -> 'model' ->> 'rows' AS contract_periods, h -> 'model' ->> 'churned' AS ended FROM (SELECT hazard -> 'hazard' AS h FROM model) AS x;
SELECT feature, level, round(estimate::numeric, 9) AS estimate, round(standard_error::numeric, 9) AS standard_error, round(odds_ratio::numeric, 3) AS odds_ratio FROM model, churn_coefficients(hazard -> 'hazard' -> 'model');
SELECT contract, m AS months, round(survival_probability(by_contract, make_interval(months => m), f)::numeric, 3) AS observed, round(survival_probability(hazard, make_interval(months => m), f)::numeric, 3) AS by_hazard,
       round(survival_probability(geometric, make_interval(months => m), f)::numeric, 3) AS geometric
FROM model, (VALUES ('Month-to-month'), ('One year'), ('Two year')) AS c (contract), LATERAL jsonb_build_object('contract', contract) AS f, (VALUES (1), (12), (36), (60)) AS t (m) ORDER BY 1, 2;
SELECT round(churn_probability(hazard, interval '10 years', interval '1 year', '{"contract": "One year"}')::numeric, 4) AS beyond, contract_value(hazard, '2 years', '3 years', 25.5, 0.08, '{"contract": "Two year"}') AS value FROM model;

-- The same hazard from snapshots of each contract: every coefficient agrees.
CREATE TABLE periods AS SELECT s.period, s.as_of, s.ended, t.started, t.contract FROM telco AS t CROSS JOIN LATERAL contract_snapshots(t.started, t.ended, '2026-01-01') AS s;
SELECT count(*) AS contract_periods, count(*) FILTER (WHERE ended) AS ended, bool_and(as_of = (started + make_interval(months => period - 1))::date) AS begins_right FROM periods;
WITH steps AS (SELECT array_agg(value::int ORDER BY value::int) AS ends FROM model, jsonb_array_elements_text(hazard #> '{hazard,steps}')),
     again AS (SELECT fit_churn_model(ended, jsonb_build_object('contract', contract, 'step', width_bucket(period - 1, ends)::text), '{"base_levels": {"step": "0"}}'::jsonb) AS model FROM periods, steps)
SELECT count(*) AS coefficients, max(abs(a.estimate - b.estimate)) < 1e-8 AS estimates_agree, max(abs(a.standard_error - b.standard_error)) < 1e-8 AS standard_errors_agree
FROM (SELECT row_number() OVER (ORDER BY estimate), * FROM again, churn_coefficients(again.model)) AS a
FULL JOIN (SELECT row_number() OVER (ORDER BY estimate), * FROM model, churn_coefficients(hazard #> '{hazard,model}')) AS b USING (row_number);
-- A feature that changes: who complained ends three times as likely in the next month, by construction; the model finds it.
SELECT abs(estimate - ln(3)) < 3 * standard_error AS found, estimate > 10 * standard_error AS sure FROM (
  SELECT fit_churn_model(happens < CASE WHEN complained THEN 0.09 ELSE 0.03 END / (1 + CASE WHEN complained THEN 0.06 ELSE 0 END), jsonb_build_object('complained', complained)) AS m
  FROM (SELECT (hashint8extended(n, 1) & 1048575) / 1048576.0 AS happens, hashint8extended(n, 2) & 7 = 0 AS complained FROM generate_series(1, 40000) AS n) AS p) AS f, churn_coefficients(m) WHERE feature = 'complained';
SELECT * FROM contract_snapshots('2025-01-31', '2025-04-02', '2025-12-31');
SELECT 'running' AS what, s.* FROM contract_snapshots('2025-01-31', NULL, '2025-04-29') AS s UNION ALL SELECT 'ends later', s.* FROM contract_snapshots('2025-01-31', '2025-05-05', '2025-04-29') AS s
UNION ALL SELECT 'ends at once', s.* FROM contract_snapshots('2025-01-31', '2025-01-31', '2025-04-29') AS s UNION ALL SELECT 'weekly', s.* FROM contract_snapshots('2025-01-31', '2025-02-15', '2025-04-29', '7 days') AS s
UNION ALL SELECT 'nothing', s.* FROM contract_snapshots(NULL, '2025-02-15', '2025-04-29') AS s UNION ALL SELECT 'ended before', s.* FROM contract_snapshots('2025-01-31', '2025-01-15', '2025-04-29') AS s;

-- An unfinished period: one of ten contracts ended in a month of which 16 of 31 days had passed.
CREATE TABLE ten AS SELECT date '2024-01-15' AS started, CASE WHEN n = 1 THEN date '2024-03-20' END AS ended FROM generate_series(1, 10) n;
SELECT period, at_risk, ended, survival FROM (SELECT fit_retention_model(started, ended, '2024-03-31') m FROM ten) f, retention_curve(m);
SELECT family, round(churn_probability(m, interval '2 months', interval '1 month')::numeric, 4) AS churn, m -> 'warnings' AS warnings
FROM (SELECT family, fit_retention_model(started, ended, '2024-03-31', '{}', jsonb_build_object('family', family)) AS m FROM ten, unnest('{kaplan_meier,hazard,shifted_beta_geometric}'::text[]) AS family GROUP BY family) AS f ORDER BY 1;
SELECT period, count(*), sum(s.ended::int) AS ended, round(sum(exposure)::numeric, 4) AS exposure FROM ten, contract_snapshots(started, ten.ended, '2024-03-31') s GROUP BY 1 ORDER BY 1;
-- Contracts younger than a period count, whether they run or ended; who begins on the last day does not.
SELECT m -> 'contracts' AS contracts, m -> 'ended' AS ended, m -> 'skipped' AS skipped, round(churn_probability(m, interval '0', interval '1 month')::numeric, 3) AS churn
FROM (SELECT fit_retention_model(started, ended, '2024-01-20', '{}', '{"family": "hazard"}') AS m
      FROM (SELECT date '2024-01-01' + n % 20 AS started, CASE WHEN n % 4 = 1 THEN date '2024-01-20' END AS ended FROM generate_series(1, 400) AS n) AS young) AS f;
DROP TABLE ten;
-- The value of a subscription: the price for the time that it runs, the mean of what survives at both ends of each month, discounted from the middle.
WITH curve AS (SELECT m, survival_probability(whole, make_interval(months => m)) / survival_probability(whole, '12 months') AS s FROM model, generate_series(12, 24) AS m),
     months AS (SELECT m - 12 AS n, (s + lead(s) OVER (ORDER BY m)) / 2 AS share FROM curve)
SELECT subscription_value(whole, '12 months', 20, '12 months', 0) AS value, (SELECT round(20 * sum(share)::numeric, 4) FROM months) AS by_hand,
       subscription_value(whole, '12 months', 20, '12 months', 0.1, 0.5) AS margin, (SELECT round(10 * sum(share / 1.1 ^ ((n + 0.5) / 12))::numeric, 4) FROM months) AS by_hand,
       subscription_value(whole, '60 months', 20, '2 years') AS beyond_the_data, round(subscription_value(hazard, '60 months', 20, '2 years', features => '{"contract": "One year"}'), 2) AS hazard
FROM model;
CALL refused('SELECT subscription_value(whole, ''1 month'', ''NaN'', ''1 month'') FROM model');
CALL refused('SELECT subscription_value(whole, ''1 month'', 1, ''1 month'', -1) FROM model');
CALL refused('SELECT subscription_value(whole, ''1 month'', 1, ''1 month'', 0.1, ''infinity'') FROM model');
CALL refused('SELECT subscription_value(whole, ''1 month'', 1, ''-1 month'') FROM model');

-- Merged: the same; GROUP BY gives one model a group.
SELECT fit_retention_model(merge(part)) = (SELECT fit_retention_model(started, ended, '2026-01-01', jsonb_build_object('contract', contract), '{}') FROM telco) AS merged_is_whole
FROM (SELECT contracts(started, ended, '2026-01-01', jsonb_build_object('contract', contract), '{}') AS part FROM telco GROUP BY extract(month FROM started)) AS parts;
SELECT contracts(started, ended, '2026-01-01')::text::contracts::text = contracts(started, ended, '2026-01-01')::text AS round_trip FROM telco;
SELECT contract, m ->> 'contracts' AS contracts, round(survival_probability(m, '1 year')::numeric, 5) AS a_year FROM (SELECT contract, fit_retention_model(started, ended, '2026-01-01') AS m FROM telco GROUP BY contract) AS f ORDER BY 1;
-- What is left out is counted, and thin data give a model that says so.
SELECT m ->> 'contracts' AS contracts, m -> 'skipped' AS skipped FROM (SELECT fit_retention_model(s, e, '2025-01-01', '{}', '{"observed_from": "2024-01-01"}') AS m FROM telco, LATERAL (VALUES
  (started, CASE WHEN churned THEN date '2024-06-01' ELSE 'infinity' END), (NULL, NULL), (date '2025-03-01', NULL), (date '2024-12-20', NULL), (date '2020-01-01', date '2019-01-01'), (date '2020-01-01', date '2023-01-01')) AS v (s, e)) AS f;
SELECT m ->> 'rows' AS rows, m -> 'warnings' AS warnings, churn_probability(m, interval '1 year', interval '1 year') AS no_score FROM (SELECT fit_retention_model('2024-01-01', NULL, '2025-01-01') AS m FROM generate_series(1, 5)) AS f;
SELECT m -> 'warnings' AS warnings, churn_probability(m, interval '1 month', interval '1 month') AS churn FROM (SELECT fit_retention_model('2024-01-01', NULL, '2025-01-01') AS m FROM generate_series(1, 50)) AS f;

-- Calibration and profit.
CREATE TABLE judged AS SELECT n, p, (n * 7919 % 1000) / 1000.0 < p ^ 2 AS happened FROM (SELECT n, (n % 199) / 199.0 AS p FROM generate_series(1, 20000) AS n) AS x;
CREATE TABLE calibration AS SELECT calibrate(p, happened) AS isotonic, calibrate(p, happened, '{"method": "logistic"}') AS logistic FROM judged WHERE n % 2 = 0;
SELECT what, round((q ->> 'brier')::numeric, 4) AS brier, round((q -> 'calibration' ->> 'slope')::numeric, 3) AS slope, round((q ->> 'expected_total')::numeric, 1) AS expected, q ->> 'actual_total' AS actual
FROM (SELECT 'raw' AS what, prediction_quality(p, happened) AS q FROM judged WHERE n % 2 = 1
      UNION ALL SELECT 'isotonic', prediction_quality(calibrated(isotonic, p), happened) FROM judged, calibration WHERE n % 2 = 1
      UNION ALL SELECT 'logistic', prediction_quality(calibrated(logistic, p), happened) FROM judged, calibration WHERE n % 2 = 1) AS x;
SELECT isotonic ->> 'n' AS n, jsonb_array_length(isotonic -> 'predicted') AS points, round((logistic ->> 'slope')::numeric, 4) AS slope FROM calibration;
SELECT calibrate(p, true) -> 'warnings' AS one_outcome, calibrated(calibrate(p, true), 0.5) AS no_answer FROM judged;
SELECT curve - 'curve' AS curve FROM (SELECT profit_curve(p, happened, '{"contact_cost": 5, "kept_value": 60, "success_rate": 0.3}') AS curve FROM judged) AS x;
SELECT threshold, contacted, reached, profit FROM profit_points((SELECT profit_curve(p, happened, '{"contact_cost": 5, "kept_value": 60, "success_rate": 0.3}') FROM judged)) LIMIT 5;
SELECT profit_curve(p, happened, '{"contact_cost": 5, "kept_value": 60, "success_rate": 0.3}') IS NULL AS nobody FROM judged WHERE false;

-- Hostile input: a clean error each time.
CALL refused('SELECT fit_retention_model(started, ended, NULL) FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, started) FROM telco');
CALL refused('SELECT fit_retention_model(''-infinity'', ended, ''2026-01-01'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''infinity'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''[]'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''{" exit": 1}'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''{}'', ''{"family": "cox"}'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''{}'', ''{"unit": "1 moon"}'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''{}'', ''{"horizon": 1}'') FROM telco');
CALL refused('SELECT fit_retention_model(started, ended, ''2026-01-01'', ''{}'', NULL) FROM telco');
CALL refused('SELECT fit_retention_model(''2025-01-01'', NULL, ''2026-01-01'', jsonb_build_object(''s'', n), ''{"family": "kaplan_meier"}'') FROM generate_series(1, 300) AS n');
CALL refused('SELECT ''\x01''::contracts');
CALL refused('SELECT (''\x'' || repeat(''00'', 500000))::contracts');
CALL refused('SELECT churn_probability(whole, interval ''-1 month'', interval ''1 month'') FROM model');
CALL refused('SELECT churn_probability(whole, interval ''1 month'', interval ''-1 month'') FROM model');
CALL refused('SELECT churn_probability(whole, interval ''1 month'', interval ''170000000 years'') FROM model');
CALL refused('SELECT survival_probability(hazard, ''1 month'', ''{"contract": 3}'') FROM model');
CALL refused('SELECT contract_value(whole, ''1 month'', ''1 month'', ''NaN'') FROM model');
CALL refused('SELECT contract_value(whole, ''1 month'', ''1 month'', 1, -1) FROM model');
CALL refused('SELECT survival_probability(''{}'', ''1 month'')');
CALL refused('SELECT survival_probability(jsonb_set(whole, ''{groups}'', ''[]''), ''1 month'') FROM model');
CALL refused('SELECT survival_probability(jsonb_set(whole, ''{family}'', ''"hazard"''), ''1 month'') FROM model');
CALL refused('SELECT survival_probability(jsonb_set(hazard, ''{hazard, steps}'', ''[3, 1]''), ''1 month'') FROM model');
CALL refused('SELECT retention_curve(jsonb_set(whole, ''{groups, 0, curve, 0, survival}'', ''2'')) FROM model');
CALL refused('SELECT calibrate(2, true)');
CALL refused('SELECT calibrate(p, happened, ''{"method": "beta"}'') FROM judged');
CALL refused('SELECT calibrate(p, happened, NULL) FROM judged');
CALL refused('SELECT calibrated(isotonic, ''NaN'') FROM calibration');
CALL refused('SELECT calibrated(isotonic, -0.1) FROM calibration');
CALL refused('SELECT calibrated(''{}'', 0.1)');
CALL refused('SELECT calibrated(jsonb_set(isotonic, ''{predicted}'', ''[0.3, 0.2]''), 0.1) FROM calibration');
CALL refused('SELECT profit_curve(p, happened, ''{}'') FROM judged');
CALL refused('SELECT profit_curve(p, happened, ''{"contact_cost": -1, "kept_value": 60, "success_rate": 0.3}'') FROM judged');
CALL refused('SELECT profit_curve(p, happened, ''{"contact_cost": 5, "kept_value": 60, "success_rate": 30}'') FROM judged');
DROP TABLE periods, counts, telco, oracle, model, cohort, judged, calibration;
