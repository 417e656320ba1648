-- Criteria of segmentation, quality of segments, interests.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE TABLE base AS
SELECT i AS id, i % 10 < 3 AS churned, (i % 10 < 3)::int * 3 + i % 7 AS score, CASE WHEN i % 10 < 5 THEN 'north' ELSE 'south' END AS region,
       hashint4(i) % 1000 AS noise, 'same' AS constant, 'c' || i AS code, CASE WHEN i % 3 = 0 THEN i % 5 END AS rare,
       date '2025-01-01' + i % 400 AS "first ""order""", i % 2 = 0 AS email_ok, i % 4 = 0 AS sms_ok,
       (i % 10) * 10.0 + (i % 10 < 5)::int * 100 AS spent
FROM generate_series(1, 5000) AS i;
SELECT criterion, kind, round(relevance::numeric, 4) AS relevance, round(information_value::numeric, 4) AS iv, round(mutual_information::numeric, 4) AS mi,
       round(cramers_v::numeric, 4) AS v, round(fill::numeric, 2) AS fill, distinct_values, reachable, round(value_explained::numeric, 3) AS value_explained, verdict, reason, reason_fr
FROM criteria_report('base', 'churned', value => 'spent', consents => '{email_ok,sms_ok}');
-- A numeric target; chosen candidates.
SELECT criterion, round(eta_squared::numeric, 4) AS eta_squared, round(p_value::numeric, 4) AS p, verdict FROM criteria_report('base', 'spent', '{region,churned,noise}');
-- SciPy 1.17.1, stats.f_oneway of the same groups: F (k - 1) / (F (k - 1) + n - k).
SELECT criterion, abs(eta_squared / recorded - 1) < 1e-12 AS as_scipy FROM criteria_report('base', 'spent', '{region,churned,rare}') JOIN (VALUES ('region', 0.7575757575757575), ('churned', 0.11688311688311688), ('rare', 0.08087466361491558)) AS v (criterion, recorded) USING (criterion);
SELECT abs(eta_squared / 0.13741071832071644 - 1) < 1e-12 AS as_scipy FROM criteria_report('base', 'score', '{region}');
-- The information value worked by hand: .4 ln 6 = 0.716704.
CREATE TABLE hand AS SELECT v.class, i <= v.yes AS bought FROM (VALUES ('a', 10, 100), ('b', 40, 100)) AS v (class, yes, n), generate_series(1, v.n) AS i;
SELECT criterion, round(information_value::numeric, 6) AS iv, p_value < 1e-5 AS significant, verdict FROM criteria_report('hand', 'bought');
SELECT count(*) AS nothing FROM criteria_report('hand', 'bought', '{}');
-- Pure noise of many columns is not relevant.
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE wide AS SELECT i % 2 = 0 AS target, ' || string_agg(format('hashint4(i + 100000 * %s) %% 97 AS c%s', n, n), ', ') || ' FROM generate_series(1, 2000) AS i' FROM generate_series(1, 200) AS n); END $$;
SELECT verdict, count(*) FROM criteria_report('wide', 'target') GROUP BY 1;
SELECT verdict, count(*) FROM criteria_report((SELECT 'hand'::regclass), 'bought') GROUP BY 1;

CREATE TABLE assigned AS SELECT region AS segment, spent, email_ok, sms_ok, CASE WHEN id % 20 = 0 THEN 'south' ELSE region END AS before,
  id % 10 <> 0 AS treated, id % 10 <> 0 AND id % 4 = 0 OR id % 50 = 0 AS responded FROM base;
SELECT segment_code, criterion, measure, round(result::numeric, 4) AS result, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, customers
FROM segment_quality('assigned', 'segment', 'spent', '{email_ok,sms_ok}', 'before', 'treated', 'responded', margin => .3, contact_cost => 1.5);
SELECT segment_code, criterion, measure, round(result::numeric, 4) AS result, round(lower::numeric, 4) AS lower FROM segment_quality('assigned', 'segment');

-- Interests: shares drawn towards everybody's.
CREATE TABLE lines AS SELECT i AS customer, c AS category, CASE WHEN (i % 2 = 0) = (c = 'sport') THEN 8 ELSE 2 END AS n FROM generate_series(1, 100) AS i, unnest('{sport,books}'::text[]) AS c;
CREATE TABLE bought AS SELECT customer, interest_counts(category, n) AS counts FROM lines GROUP BY customer;
SELECT fit_interest_model(counts) AS model FROM bought;
SELECT p.category, p.n, p.share, p.population, round(p.shrunk::numeric, 6) AS shrunk, round(p.lift::numeric, 6) AS lift
FROM (SELECT fit_interest_model(counts) AS model FROM bought) AS m, interest_profile(model, '{"sport": 1, "garden": 5}') AS p;
SELECT interest_shares(model, '{}') AS nobody FROM (SELECT fit_interest_model(counts) AS model FROM bought) AS m;
SELECT fit_interest_model(NULL) AS empty;

-- A simulated shop: its hidden profiles from what the shop knows, and a criterion of noise beside real ones.
\set QUIET on
SET client_min_messages = warning;
CREATE TEMP TABLE made AS SELECT * FROM simulate_shop('profiled', 2000, options => '{"lines": false, "contacts": false, "interactions": false, "subscriptions": false, "consents": false, "attribute_history": false}');
CREATE TABLE known AS SELECT t.profile, c.is_company, c.income_band, c.birth_date, c.sex, c.acquisition_channel, hashint4(c.customer_id) % 50 AS noise,
  jsonb_build_object('company', is_company, 'age', date '2025-12-31' - birth_date, 'income', income_band, 'household', household_size) AS features
  FROM profiled.customers AS c JOIN profiled.truth_customers AS t USING (customer_id);
SELECT (SELECT round(adjusted_rand_index((profile_assign(model, features)).code, profile)::numeric, 3) FROM known) AS hidden_profiles_found
FROM (SELECT fit_profile(features, '{"k": 9}') AS model FROM known) AS m;
SELECT criterion, round(relevance::numeric, 3) AS relevance, verdict FROM criteria_report('known', 'profile', '{is_company,income_band,birth_date,sex,acquisition_channel,noise}');
DROP TABLE known;
DROP SCHEMA profiled CASCADE;
RESET client_min_messages;

-- What is refused.
CALL refused('SELECT * FROM criteria_report(''base'', ''nope'')');
CALL refused('SELECT * FROM criteria_report(''base'', ''churned'', ''{"x; DROP TABLE base"}'')');
CALL refused('SELECT * FROM criteria_report(''base'', NULL)');
CALL refused('SELECT * FROM criteria_report(''base'', ''code'')');
CALL refused('SELECT * FROM criteria_report(''base'', ''churned'', value => ''region'')');
CALL refused('SELECT * FROM criteria_report(''base'', ''churned'', consents => ''{region}'')');
CALL refused('SELECT * FROM segment_quality(''base'', ''nope'')');
CALL refused('SELECT * FROM segment_quality(''base'', ''region'', treated => ''churned'')');
CALL refused('SELECT * FROM segment_quality(''base'', ''region'', level => 1)');
CALL refused('SELECT interest_counts(''a'', -1)');
CALL refused('SELECT interest_shares(''{}'', ''{}'')');
CALL refused('SELECT fit_interest_model(''[1]'')');
CALL refused('SELECT fit_interest_model(''{"a": "x"}'')');
CALL refused('SELECT segmentation_internal.criterion(''Infinity''::float8, ''NaN''::float8, NULL, 1)');
DROP TABLE base, hand, wide, assigned, lines, bought;
