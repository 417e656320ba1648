-- Loyalty: measures against published values and SciPy, the index, its band, its next change, its prior.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET extra_float_digits = 0;

-- Clumpiness: Zhang, Bradlow and Small print .036, .48, .34, and .257 as the 95 % critical value of 6 events in 30 days.
SELECT round(clumpiness('{1,6,11,16,21,26}', 30)::numeric, 4) AS even, round(clumpiness('{2,3,4,27,28,29}', 30)::numeric, 4) AS ends,
       round(clumpiness('{13,14,15,16,17,18}', 30)::numeric, 4) AS together, abs(clumpiness_critical(6, 30) - .257) < .006 AS critical,
       clumpiness_critical(6, 30) = clumpiness_critical(6, 30) AS the_same, clumpiness('{}', 30) AS no_event;
-- From a history: the same days, counted from the first day of the period.
SELECT round(clumpiness(h, '2026-01-02', '2026-01-31')::numeric, 4) AS together, clumpiness(h, '2025-01-01', '2025-01-31') AS no_event
FROM (SELECT purchase_history(date '2026-01-01' + n, 1) AS h FROM unnest('{13,14,15,16,17,18}'::int[]) AS n) AS t;
CALL refused('SELECT clumpiness(''{3,3}'', 30)');
CALL refused('SELECT clumpiness(''{31}'', 30)');
CALL refused('SELECT clumpiness(''{1,NULL}'', 30)');
CALL refused('SELECT clumpiness(''{1}'', 0)');
CALL refused('SELECT clumpiness_critical(7, 6)');
CALL refused('SELECT clumpiness_critical(6, 30, 1)');
CALL refused('SELECT clumpiness(purchase_history(date ''2026-01-01'', 1), ''2026-02-01'', ''2026-01-01'')');

-- Shape of the gaps: scipy.stats.gamma.fit(gaps, floc=0)[0], SciPy 1.17.1.
SELECT g.gaps, abs(gamma_shape(g.gaps) / g.scipy - 1) < 1e-7 AS as_scipy
FROM (VALUES ('{30,28,35,31,60,25}'::float8[], 11.379460549661575), ('{1,400,3,2,90,7,1}', 0.3062638283884098), ('{14,14,15,13,14,14,14,15}', 553.1256821838269)) AS g (gaps, scipy);
SELECT gamma_shape('{7,7,7}') AS all_alike, gamma_shape('{7}') AS one, gamma_shape('{}') AS no_gap, gamma_shape(NULL) AS null_gaps;
CALL refused('SELECT gamma_shape(''{0,1}'')');
CALL refused('SELECT gamma_shape(''{1,NaN}'')');
CALL refused('SELECT gamma_shape(''{1,NULL}'')');

-- Breadth: entropy over its greatest value.
SELECT category_breadth('{"a": 2, "b": 2}', 2) AS even, category_breadth('{"a": 4}', 2) AS one, round(category_breadth('{"a": 2, "b": 2}', 14)::numeric, 6) AS of_14,
       round((ln(2) / ln(14))::numeric, 6) AS expected, category_breadth('{}', 5) AS bought_nothing;
CALL refused('SELECT category_breadth(''{"a": 1, "b": 1, "c": 1}'', 2)');
CALL refused('SELECT category_breadth(''{"a": 1}'', -3)');

-- NPS.
SELECT score, nps_class(score) FROM generate_series(0, 10) AS score WHERE score IN (0, 6, 7, 8, 9, 10);
SELECT nps(score) FROM unnest('{10,9,8,7,6,0,10,10,NULL}'::float8[]) AS score;
SELECT nps(NULL) AS no_answer, (SELECT nps(1) WHERE false) AS no_row;
CALL refused('SELECT nps(11)');
CALL refused('SELECT nps_class(7.5)');
CALL refused('SELECT nps_class(''NaN'')');
CALL refused('SELECT segmentation_internal.nps_final(''\x00'')');

CREATE TEMP TABLE histories AS SELECT customer_id, purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id;
CREATE TEMP TABLE prior AS SELECT fit_loyalty_prior(h, '1997-09-30') AS prior FROM histories;
SELECT prior ->> 'kind' AS kind, prior -> 'customers' AS customers, prior -> 'gaps' AS gaps, prior -> 'skipped' AS skipped, prior -> 'warnings' AS warnings,
       (SELECT jsonb_object_agg(key, round(value::numeric, 3)) FROM jsonb_each_text(prior -> 'parameters')) AS parameters FROM prior;
-- Any order, merged from parts, in parallel: the same bytes.
SELECT (SELECT fit_loyalty_prior(h, '1997-09-30' ORDER BY md5(h::text)) FROM histories) = prior AS any_order FROM prior;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TABLE loyalty_histories AS TABLE histories;
ALTER TABLE loyalty_histories SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT fit_loyalty_prior(h, '1997-09-30'), nps(7) FROM loyalty_histories;
SELECT (SELECT fit_loyalty_prior(h, '1997-09-30') FROM loyalty_histories) = prior AS parallel, (SELECT nps((customer_id % 11)::float8) FROM loyalty_histories) = (SELECT nps((customer_id % 11)::float8) FROM histories) AS nps FROM prior;
RESET ALL;
SET search_path = segmentation, public; SET datestyle = ISO; SET extra_float_digits = 0;
DROP TABLE loyalty_histories;
-- Too few customers: a value that says so, and the default prior is used.
SELECT fit_loyalty_prior(h, '2026-12-31') - 'as_of' AS too_few FROM (SELECT purchase_history(date '2026-01-01', 1) AS h) AS t;
SELECT fit_loyalty_prior(h, '1997-09-30', '{"least_customers": 1000000}') -> 'parameters' AS parameters FROM histories;
SELECT loyalty(h, '1997-09-30', jsonb_build_object('prior', p)) = loyalty(h, '1997-09-30') AS default_prior
FROM (SELECT fit_loyalty_prior(h, '1997-09-30', '{"least_customers": 1000000}') AS p FROM histories) AS t, histories WHERE customer_id = 1;
CALL refused('SELECT fit_loyalty_prior(h, NULL) FROM histories');
CALL refused('SELECT fit_loyalty_prior(h, date ''1997-09-30'' + customer_id % 2) FROM histories');
CALL refused('SELECT fit_loyalty_prior(h, ''1997-09-30'', ''{"customers": 1}'') FROM histories');
CALL refused('SELECT segmentation_internal.loyalty_prior_final(''\x0000000001'')');

-- The composite. A prospect, a new customer, a one-time buyer, a regular one, one who came all at once.
CREATE TEMP TABLE people (name text, h purchase_history);
INSERT INTO people VALUES ('prospect', NULL);
INSERT INTO people SELECT 'later', purchase_history(date '2027-01-01', 1);
INSERT INTO people SELECT 'new', purchase_history(d::date, 1) FROM generate_series(date '2026-05-01', '2026-06-20', '10 days') AS d;
INSERT INTO people SELECT 'once', purchase_history(date '2024-01-01', 1);
INSERT INTO people SELECT 'monthly', purchase_history(d::date, 1) FROM generate_series(date '2023-06-30', '2026-06-30', '1 month') AS d;
INSERT INTO people SELECT 'burst', purchase_history(d::date, 1) FROM generate_series(date '2024-01-01', '2024-01-05', '1 day') AS d;
SELECT name, l.tenure, l.purchase_days AS days, round(l.regularity::numeric, 2) AS regularity, round(l.clumpiness::numeric, 3) AS clumpiness, round(l.trend::numeric, 3) AS trend, round(l.index::numeric, 2) AS index, l.band
FROM people, loyalty(h, '2026-06-30') AS l;
SELECT name, round(l.index::numeric, 2) AS index, l.breadth, l.satisfaction, l.share_of_wallet, l.band
FROM people, loyalty(h, '2026-06-30', breadth => .2, satisfaction => 1, share_of_wallet => .9) AS l WHERE name IN ('prospect', 'monthly', 'once');
-- The band follows the limits; weights are shared among the known components.
SELECT name, l.band FROM people, loyalty(h, '2026-06-30', '{"bands": [1, 2, 3], "new_days": 1}') AS l;
SELECT name, l.index, l.band FROM people, loyalty(h, '2026-06-30', '{"weights": {"tenure": 0, "purchase_days": 0, "regularity": 0, "clumpiness": 0, "trend": 0, "breadth": 1, "satisfaction": 0, "share_of_wallet": 0}}', breadth => .3) AS l WHERE name = 'monthly';
-- Nothing known has a weight: no index.
SELECT l.index, l.band FROM people, loyalty(h, '2026-06-30', '{"weights": {"tenure": 0, "purchase_days": 0, "regularity": 0, "clumpiness": 0, "trend": 0}}') AS l WHERE name = 'monthly';
-- The prior shrinks: few gaps are drawn to it, many are not.
SELECT n, round((loyalty(h, '2026-06-30', jsonb_build_object('prior', '{"kind": "loyalty_prior", "version": 1, "parameters": {"shape": 1, "shape_spread": 0.3, "gap": 30, "gap_spread": 1}}'::jsonb))).regularity::numeric, 2) AS regularity
FROM (VALUES (3), (6), (12), (36)) AS v (n), LATERAL (SELECT purchase_history(date '2023-01-01' + 30 * i, 1) AS h FROM generate_series(1, n) AS i) AS t;
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"weight": 1}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"weights": {"tenur": 1}}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"weights": {"tenure": -1}}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"bands": [1, 3, 2]}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"bands": [1, 2, "x", 3]}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"prior": {"kind": "purchase_model"}}'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', ''{"prior": {"kind": "loyalty_prior", "version": 1, "parameters": {"shape": 0, "shape_spread": 1, "gap": 1, "gap_spread": 1}}}'')');
CALL refused('SELECT loyalty(purchase_history(date ''2026-01-01'', 1), ''infinity'')');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', breadth => 1.5)');
CALL refused('SELECT loyalty(NULL, ''2026-06-30'', satisfaction => ''NaN'')');
SELECT loyalty(NULL, NULL) IS NULL AS no_day, loyalty(NULL, '2026-06-30', NULL) AS no_options;
-- Options may change from row to row.
SELECT n, (loyalty(h, '2026-06-30', jsonb_build_object('bands', jsonb_build_array(n, n + 1, n + 2)))).band FROM people, unnest('{1,98,1}'::int[]) AS n WHERE name = 'monthly';

-- Why, in both languages; what is missing is said.
SELECT component, round(value::numeric, 2) AS value, round(points::numeric, 3) AS points, round(weight::numeric, 3) AS weight, round(contribution::numeric, 2) AS contribution, text
FROM people, loyalty_explain(h, '2026-06-30', breadth => .4) WHERE name = 'monthly';
SELECT component, text FROM people, loyalty_explain(h, '2026-06-30', share_of_wallet => .5, language => 'fr') WHERE name = 'burst';
SELECT name, abs(sum(contribution) - (loyalty(h, '2026-06-30')).index) < 1e-9 AS adds_up, abs(sum(weight) - 1) < 1e-9 AS weights FROM people, loyalty_explain(h, '2026-06-30') GROUP BY name, h ORDER BY name;
CALL refused('SELECT loyalty_explain(NULL, ''2026-06-30'', language => ''de'')');

-- The next change is never late: day by day over three years.
SELECT name, next, (SELECT min(d)::date FROM generate_series(date '2026-07-01', '2029-06-30', '1 day') AS d WHERE (loyalty(h, d::date)).band <> (loyalty(h, '2026-06-30')).band) AS first_change
FROM people, loyalty_next_change(h, '2026-06-30') AS next;
SELECT count(*) AS customers, count(*) FILTER (WHERE late) AS late FROM (
  SELECT EXISTS (SELECT FROM generate_series(1, least(next, date '1998-06-30') - date '1997-09-30' - 1) AS n WHERE (loyalty(h, date '1997-09-30' + n)).band <> (loyalty(h, '1997-09-30')).band) AS late
  FROM (SELECT until(h, '1997-09-30') AS h, loyalty_next_change(until(h, '1997-09-30'), '1997-09-30') AS next FROM histories WHERE customer_id % 20 = 0) AS t) AS t;
