-- prediction_quality: how good predicted probabilities were.
SET search_path = segmentation, public;

-- Worked by hand: four pairs of one that happened and one that did not, three in the right order: AUC .75;
-- Brier (.04 + .16 + .49 + .01) / 4; log-loss -(ln .8 + ln .6 + ln .3 + ln .9) / 4.
CREATE TEMP TABLE worked (p double precision, happened boolean);
INSERT INTO worked VALUES (.8, true), (.4, false), (.3, true), (.1, false);
SELECT q ->> 'n' AS n, q ->> 'base_rate' AS base_rate, q ->> 'auc' AS auc, round((q ->> 'brier')::numeric, 12) AS brier, round((q ->> 'brier_skill')::numeric, 12) AS skill,
       round((q ->> 'log_loss')::numeric, 12) AS log_loss, round(-(ln(.8) + ln(.6) + ln(.3) + ln(.9)) / 4, 12) AS by_hand, q ->> 'lift_quality' AS lift_quality,
       q ->> 'expected_total' AS expected, q ->> 'actual_total' AS actual, q ->> 'skipped' AS skipped, q -> 'lift' AS lift
FROM (SELECT prediction_quality(p, happened) AS q FROM worked) AS t;
SELECT jsonb_object_keys(prediction_quality(p, happened)) AS field FROM worked ORDER BY field;
-- Against plain SQL on other numbers: pairs, squares, logarithms.
CREATE UNLOGGED TABLE public.many AS SELECT round(((hashint4(n) & 1023) / 1023.0)::numeric, 2)::float8 AS p, (hashint4(n + 7777) & 1023) / 1023.0 < 0.2 + 0.5 * (hashint4(n) & 1023) / 1023.0 AS happened FROM generate_series(1, 2000) AS n;
ANALYZE many;
SELECT abs((q ->> 'auc')::float8 - auc) < 1e-12 AS auc, abs((q ->> 'brier')::float8 - brier) < 1e-12 AS brier, (q ->> 'n')::bigint = n AS n, abs((q ->> 'lift_quality')::float8 - 100 * (2 * auc - 1)) < 1e-9 AS lift_quality,
       round((q #>> '{calibration,slope}')::numeric, 4) AS slope, round((q #>> '{calibration,intercept}')::numeric, 4) AS intercept
FROM (SELECT prediction_quality(p, happened) AS q, avg((p - happened::int) ^ 2) AS brier, count(*) AS n FROM many) AS a,
     (SELECT avg(CASE WHEN y.p > n.p THEN 1 WHEN y.p = n.p THEN .5 ELSE 0 END) AS auc FROM many AS y, many AS n WHERE y.happened AND NOT n.happened) AS b;
SELECT sum((b ->> 'n')::bigint) AS n, count(*) AS bins, round(sum((b ->> 'n')::bigint * (b ->> 'actual')::numeric)) AS happened, (SELECT count(*) FROM many WHERE happened) AS of_them
FROM (SELECT prediction_quality(p, happened) AS q FROM many) AS t, jsonb_array_elements(q #> '{calibration,bins}') AS b;
-- Ties: all alike is no order, half right; in a lift they share the place.
SELECT q ->> 'auc' AS auc, round((q ->> 'brier')::numeric, 12) AS brier, q -> 'lift' AS lift, q -> 'calibration' AS calibration FROM (SELECT prediction_quality(.25, n % 4 = 0) AS q FROM generate_series(1, 100) AS n) AS t;
-- 0 and 1 are probabilities, also when wrong; minus zero is zero.
SELECT q ->> 'auc' AS auc, q ->> 'brier' AS brier, round((q ->> 'log_loss')::numeric, 6) AS log_loss FROM (SELECT prediction_quality(p, h) AS q FROM (VALUES (0::float8, true), (1, false), ('-0', false)) AS v (p, h)) AS t;
SELECT q ->> 'auc' AS perfect, q ->> 'brier' AS brier, q -> 'lift' AS lift, q ->> 'lift_quality' AS lift_quality, q #> '{calibration,slope}' AS slope FROM (SELECT prediction_quality(p, p = 1) AS q FROM (SELECT (n <= 20)::int::float8 AS p FROM generate_series(1, 100) AS n) AS v) AS t;
-- One outcome only: what is not defined is null. Rows with a NULL are counted. No row at all: NULL.
SELECT prediction_quality(p, true) - 'calibration' AS all_happened, prediction_quality(p, false) - 'calibration' AS none_happened FROM worked;
SELECT prediction_quality(p, h) - 'calibration' AS with_nulls FROM (VALUES (.5, true), (.25, false), (NULL, true), (.5, NULL), (NULL, NULL)) AS v (p, h);
SELECT prediction_quality(NULL, true) AS only_nulls, (SELECT prediction_quality(p, happened) FROM worked WHERE false) AS no_row;
-- Baselines: the base rate's in every report; a given one, of any scale, on the same rows.
SELECT q -> 'baselines' AS baselines FROM (SELECT prediction_quality(p, happened) AS q FROM worked) AS t;
SELECT abs((q #>> '{baselines,given,auc}')::float8 - (alone ->> 'auc')::float8) < 1e-12 AND q #> '{baselines,given,lift}' = alone -> 'lift' AS as_alone, q - 'baselines' = plain - 'baselines' AS else_the_same,
       round((1 - (q ->> 'brier')::numeric / (q #>> '{baselines,base_rate,brier}')::numeric), 9) = round((q ->> 'brier_skill')::numeric, 9) AS skill_is_against_it
FROM (SELECT prediction_quality(p, happened, 1000 * p ^ 2) AS q, prediction_quality(p, happened) AS plain, prediction_quality(p ^ 2, happened) AS alone FROM many) AS t;
SELECT q #> '{baselines,given}' AS given, q ->> 'n' AS n, q ->> 'skipped' AS skipped FROM (SELECT prediction_quality(p, h, b) AS q FROM (VALUES (.5, true, 70), (.25, false, 8), (.75, true, 30), (.1, false, 30), (.5, true, NULL)) AS v (p, h, b)) AS t;
SELECT prediction_quality(p, true, 3) -> 'baselines' AS one_outcome FROM worked;
CALL refused('SELECT prediction_quality(0.5, true, -1)');
CALL refused('SELECT prediction_quality(0.5, true, ''NaN'')');
CALL refused('SELECT prediction_quality(0.5, true, ''-Infinity'')');
CALL refused('SELECT prediction_quality(7, true, 1)');
-- No probabilities.
CALL refused('SELECT prediction_quality(1.0000001, true)');
CALL refused('SELECT prediction_quality(-0.1, true)');
CALL refused('SELECT prediction_quality(''NaN'', false)');
CALL refused('SELECT prediction_quality(''Infinity'', true)');
CALL refused('SELECT prediction_quality(70, true)');
-- Any order, in parallel, by groups.
SELECT prediction_quality(p, happened ORDER BY p DESC) = prediction_quality(p, happened ORDER BY p) AND prediction_quality(p, happened) = prediction_quality(p, happened ORDER BY md5(p::text)) AS any_order FROM many;
CREATE TEMP TABLE serial AS SELECT prediction_quality(p, happened) AS q FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT prediction_quality(p, happened) FROM many;
SELECT prediction_quality(p, happened) = (SELECT q FROM serial) AS same_in_parallel FROM many;
SELECT prediction_quality(p, happened, 5 * p) = (SELECT prediction_quality(p, happened, 5 * p ORDER BY md5(p::text)) FROM many) AS baseline_in_parallel FROM many;
SELECT happened AS grp, prediction_quality(p, p > .5) ->> 'n' AS n, prediction_quality(p, p > .5) ->> 'auc' AS auc FROM many GROUP BY happened ORDER BY happened;
RESET ALL;
DROP TABLE public.many;
