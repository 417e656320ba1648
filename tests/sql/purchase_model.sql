-- Purchase models: fits, scores, intervals, and what is no model.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE UNLOGGED TABLE public.histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
ANALYZE histories;

-- CDNOW, observed to 30 September 1997: all families. What comes later is as if it were not there.
CREATE TABLE public.models AS
  SELECT family, fit_purchase_model(history, '1997-09-30', jsonb_build_object('family', family)) AS model
  FROM histories, unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family GROUP BY family;
ANALYZE models;
SELECT family, model ->> 'kind' AS kind, model ->> 'version' AS version, model ->> 'unit' AS unit, model ->> 'as_of' AS as_of,
       model ->> 'customers' AS customers, model ->> 'cells' AS cells, model ->> 'skipped' AS skipped, model ->> 'warnings' AS warnings,
       model #>> '{parameters,k}' AS k
FROM models ORDER BY family;
SELECT DISTINCT jsonb_object_keys(model) AS field FROM models ORDER BY field;
SELECT count(*) AS same FROM models WHERE model = (SELECT fit_purchase_model(until(history, '1997-09-30'), '1997-09-30', jsonb_build_object('family', family)) FROM histories);

-- Parameters, standard errors and log-likelihoods against printed ones, to the digits printed (Fader, Hardie and Lee 2005;
-- BTYDplus; the rest of them, and more digits, recomputed). Where the last digit differs, ours is the maximum.
SELECT p.family, p.what, p.name, p.printed, round(v.ours, scale(p.printed)) AS ours,
       nullif((round(v.ours, scale(p.printed)) - p.printed) * 10::numeric ^ scale(p.printed), 0)::integer AS last_digits_off
FROM (VALUES
  ('nbd', 'parameters', 'r', .3847661), ('nbd', 'parameters', 'alpha', 12.0720222), ('nbd', 'log_likelihood', '', -9763.657615),
  ('bg_nbd', 'parameters', 'r', .242594522), ('bg_nbd', 'parameters', 'alpha', 4.413602021), ('bg_nbd', 'parameters', 'a', .792922017),
  ('bg_nbd', 'parameters', 'b', 2.425906778), ('bg_nbd', 'standard_errors', 'r', .012557), ('bg_nbd', 'standard_errors', 'alpha', .378224),
  ('bg_nbd', 'standard_errors', 'a', .185734), ('bg_nbd', 'standard_errors', 'b', .705414), ('bg_nbd', 'log_likelihood', '', -9582.429207),
  ('bg_nbd', 'parameters', 'r', .243), ('bg_nbd', 'parameters', 'alpha', 4.414), ('bg_nbd', 'parameters', 'a', .793),
  ('bg_nbd', 'parameters', 'b', 2.426), ('bg_nbd', 'log_likelihood', '', -9582.4),
  ('mbg_nbd', 'parameters', 'r', .524843159), ('mbg_nbd', 'parameters', 'alpha', 6.183085279), ('mbg_nbd', 'parameters', 'a', .891359391),
  ('mbg_nbd', 'parameters', 'b', 1.614002240), ('mbg_nbd', 'standard_errors', 'r', .083268), ('mbg_nbd', 'standard_errors', 'alpha', .695621),
  ('mbg_nbd', 'standard_errors', 'a', .154790), ('mbg_nbd', 'standard_errors', 'b', .537495), ('mbg_nbd', 'log_likelihood', '', -9582.135716),
  ('mbg_nbd', 'parameters', 'r', .525), ('mbg_nbd', 'parameters', 'alpha', 6.183), ('mbg_nbd', 'parameters', 'a', .891), ('mbg_nbd', 'parameters', 'b', 1.614),
  ('pareto_nbd', 'parameters', 'r', .553277), ('pareto_nbd', 'parameters', 'alpha', 10.5776831), ('pareto_nbd', 'parameters', 's', .6062399),
  ('pareto_nbd', 'parameters', 'beta', 11.6687361), ('pareto_nbd', 'standard_errors', 'r', .04763), ('pareto_nbd', 'standard_errors', 'alpha', .8427),
  ('pareto_nbd', 'standard_errors', 's', .1873), ('pareto_nbd', 'standard_errors', 'beta', 6.2107), ('pareto_nbd', 'log_likelihood', '', -9594.976179),
  ('pareto_nbd', 'parameters', 'r', .553), ('pareto_nbd', 'parameters', 'alpha', 10.578), ('pareto_nbd', 'parameters', 's', .606),
  ('pareto_nbd', 'parameters', 'beta', 11.669), ('pareto_nbd', 'log_likelihood', '', -9595.0)) AS p (family, what, name, printed)
JOIN models USING (family),
LATERAL (SELECT (CASE WHEN name = '' THEN model -> what ELSE model -> what -> name END)::numeric AS ours) AS v;
-- The standard errors are the roots of the covariance's diagonal; the gaps of CDNOW are not regular: k = 1 is the family without k.
SELECT k.family, k.model #> '{parameters,k}' AS k, k.model -> 'log_likelihood' = plain.model -> 'log_likelihood' AS same_likelihood,
       (k.model -> 'parameters') - 'k' = plain.model -> 'parameters' AS same_parameters
FROM models AS k JOIN models AS plain ON k.family = replace(plain.family, 'nbd', 'cnbd_k') ORDER BY 1;
SELECT family, bool_and(abs(sqrt((model #>> ARRAY['covariance', (i - 1)::text, (i - 1)::text])::float8) - (model #>> ARRAY['standard_errors', name])::float8) < 1e-12) AS roots
FROM models, unnest('{r,alpha,a,b}'::text[]) WITH ORDINALITY AS n (name, i) WHERE family IN ('bg_nbd', 'mbg_nbd') GROUP BY family ORDER BY family;

-- auto: every family on inner days, going back by the horizon; the one that foresaw best who buys nothing within it.
CREATE TEMP TABLE auto AS SELECT fit_purchase_model(history, '1997-09-30') AS model FROM histories;
SELECT model ->> 'family' AS family, model - 'candidates' = (SELECT m.model FROM models AS m WHERE m.family = a.model ->> 'family') AS as_if_named FROM auto AS a;
SELECT c ->> 'family' AS family, c ->> 'k' AS k, round((c ->> 'log_score')::numeric, 5) AS log_score, round((c ->> 'brier')::numeric, 5) AS brier, c -> 'inner_days' AS inner_days
FROM auto, jsonb_array_elements(model -> 'candidates') AS c;
SELECT (SELECT model FROM auto) = fit_purchase_model(history, '1997-09-30', '{}') AS empty_options,
       (SELECT model FROM auto) = fit_purchase_model(history, '1997-09-30', '{"family": "auto", "unit": "1 week", "penalty": 0, "horizon": null}') AS defaults_written,
       (SELECT model FROM auto) = fit_purchase_model(history, '1997-09-30', '{"horizon": "90 days"}') AS ninety_days
FROM histories;

-- Two customers of the literature: 26 repeat purchases, the last after 216 of 217 days; customer 1 of CDNOW, 2 within 213 of 272 days.
CREATE TEMP TABLE famous (name text, history purchase_history, as_of date, horizon interval);
INSERT INTO famous
  SELECT '(26, 30.857, 31)', purchase_history(date '1997-01-01' + d, 1::bigint), date '1997-01-01' + 217, interval '52 weeks'
  FROM (SELECT 8 * g AS d FROM generate_series(0, 25) AS g UNION SELECT 216) AS t;
INSERT INTO famous SELECT '(2, 30.4286, 38.857)', history, '1997-09-30', '39 weeks' FROM histories WHERE customer_id = 1;
SELECT name, purchase_days(history, as_of) - 1 AS x, last_purchase(until(history, as_of)) - first_purchase(history) AS tx, as_of - first_purchase(history) AS t, family,
       round(expected_purchases(model, history, as_of, horizon)::numeric, 6) AS expected,
       round(alive_probability(model, history, as_of)::numeric, 7) AS alive,
       round(churn_probability(model, history, as_of, horizon)::numeric, 6) AS churn
FROM famous, models ORDER BY name DESC, family;

-- (BTYD prints 25.7578 and .9688523, 25.45647 and .997874 at the parameters of its own fits, which differ in the sixth digit.)
-- The back-test: fitted up to 30 September 1997, judged on the 39 weeks that follow.
CREATE TEMP TABLE backtest AS
  SELECT family, customer_id, purchase_days(history) - purchase_days(history, cut) AS actual,
         purchase_days(history, cut) - 1 AS x, cut - first_purchase(history) AS t, recency(history, cut) AS recency,
         expected_purchases(model, until(history, cut), cut, '39 weeks') AS expected,
         churn_probability(model, until(history, cut), cut, '39 weeks') AS churn,
         alive_probability(model, until(history, cut), cut) AS alive
  FROM histories, models, (VALUES (date '1997-09-30')) AS v (cut);
SELECT count(*) AS customers, sum(x) AS x, count(*) FILTER (WHERE x = 0) AS one_time, sum(actual) AS actual,
       round(100.0 * count(*) FILTER (WHERE actual > 0) / count(*), 2) AS percent_active FROM backtest WHERE family = 'nbd';
SELECT by, round(avg(abs(expected - actual))::numeric, 4) AS mae, round(sqrt(avg((expected - actual) ^ 2))::numeric, 4) AS rmse,
       round(corr(expected, actual)::numeric, 4) AS correlation, round((100 * (sum(expected) / sum(actual) - 1))::numeric, 1) AS bias_percent
FROM (SELECT family AS by, expected, actual FROM backtest
      UNION ALL SELECT 'x * H / T', x * 273.0 / t, actual FROM backtest WHERE family = 'nbd') AS t
GROUP BY by ORDER BY by;
SELECT by, round((q ->> 'auc')::numeric, 4) AS auc, round((q ->> 'brier')::numeric, 4) AS brier, round((q ->> 'brier_skill')::numeric, 4) AS skill
FROM (SELECT by, prediction_quality(active, actual > 0) AS q
      FROM (SELECT family AS by, 1 - churn AS active, actual FROM backtest
            UNION ALL SELECT 'P(alive), ' || family, alive, actual FROM backtest
            UNION ALL SELECT 'x * H / T', 1 - exp(-x * 273.0 / t), actual FROM backtest WHERE family = 'nbd'
            UNION ALL SELECT 'recency', 1 - recency / 273.0, actual FROM backtest WHERE family = 'nbd'
            UNION ALL SELECT 'share of all', 0.2902, actual FROM backtest WHERE family = 'nbd') AS t
      GROUP BY by) AS t
ORDER BY by;

-- The churn probability is a ratio of likelihoods: written out in SQL for three families, for all customers, one-time buyers too.
CREATE FUNCTION pg_temp.likelihood(model jsonb, x double precision, tx double precision, t double precision) RETURNS double precision LANGUAGE sql AS $$
  SELECT (alpha + t) ^ -(r + x) + CASE
    WHEN model ->> 'family' = 'nbd' OR model ->> 'family' = 'bg_nbd' AND x = 0 THEN 0
    ELSE a / (b + x - CASE model ->> 'family' WHEN 'bg_nbd' THEN 1 ELSE 0 END) * (alpha + tx) ^ -(r + x) END
  FROM jsonb_to_record(model -> 'parameters') AS p (r double precision, alpha double precision, a double precision, b double precision)
$$;
SELECT family, x = 0 AS one_time, count(*) AS customers,
       max(abs(churn_probability(model, history, '1997-09-30', '39 weeks')
               / (pg_temp.likelihood(model, x, tx, t + 39) / pg_temp.likelihood(model, x, tx, t)) - 1)) < 1e-12 AS exact
FROM models, (SELECT history, purchase_days(history, '1997-09-30') - 1 AS x,
                     (last_purchase(until(history, '1997-09-30')) - first_purchase(history)) / 7.0 AS tx,
                     (date '1997-09-30' - first_purchase(history)) / 7.0 AS t FROM histories) AS h
WHERE family IN ('nbd', 'bg_nbd', 'mbg_nbd') GROUP BY 1, 2 ORDER BY 1, 2;
-- Under bg_nbd every one-time buyer is alive for certain; under nbd everyone.
SELECT family, count(*) FILTER (WHERE alive = 1 AND x = 0) AS one_time_alive, count(*) FILTER (WHERE alive = 1 AND x > 0) AS others_alive,
       count(*) FILTER (WHERE alive < 0 OR alive > 1 OR churn < 0 OR churn > 1 OR expected < 0) AS impossible FROM backtest GROUP BY family ORDER BY family;
-- Longer horizons: less churn, more purchases, never below the probability never to return; P(no purchase) and expectation agree (Markov).
SELECT family, count(*) AS customers, bool_and(c0 = 1 AND e0 = 0) AS zero_horizon,
       bool_and(c1 < 1 AND c30 < c1 AND c365 < c30 AND never <= c365) AS churn_falls, bool_and(e1 > 0 AND e30 > e1 AND e365 > e30) AS purchases_rise,
       bool_and(e365 >= 1 - c365 AND e30 >= 1 - c30) AS markov, bool_and(never >= 1 - alive - 1e-12) AS gone_never_return
FROM (SELECT family, alive_probability(model, history, '1997-09-30') AS alive,
             churn_probability(model, history, '1997-09-30', '0 days') AS c0, expected_purchases(model, history, '1997-09-30', '0 days') AS e0,
             churn_probability(model, history, '1997-09-30', '1 day') AS c1, expected_purchases(model, history, '1997-09-30', '1 day') AS e1,
             churn_probability(model, history, '1997-09-30', '30 days') AS c30, expected_purchases(model, history, '1997-09-30', '30 days') AS e30,
             churn_probability(model, history, '1997-09-30', '1 year') AS c365, expected_purchases(model, history, '1997-09-30', '1 year') AS e365,
             (next_purchase(model, history, '1997-09-30')).never
      FROM models, histories WHERE customer_id <= 500) AS t GROUP BY family ORDER BY family;

-- next_purchase: the churn probability passes 1/2 on the day of the median, and the tails at the ends.
SELECT family, count(*) AS customers, count((n).median) AS with_median, count((n).upper) AS with_upper,
       bool_and((n).median IS NULL OR p.at_median <= .5 AND p.before_median > .5) AS median_is_right,
       bool_and((n).lower IS NULL OR p.at_lower <= .9) AS lower_is_right, bool_and((n).upper IS NULL OR p.at_upper <= .1) AS upper_is_right,
       bool_and(((n).median IS NULL) = ((n).never > .5)) AS null_if_more_likely_never,
       bool_and(coalesce((n).lower <= (n).median, true) AND coalesce((n).median <= (n).upper, true) AND (n).lower > '1997-09-30') AS in_order
FROM (SELECT family, model, history, next_purchase(model, history, '1997-09-30', 0.8) AS n FROM models, histories WHERE customer_id <= 400 AND family <> 'nbd' AND family !~ 'k$') AS t,
LATERAL (SELECT churn_probability(model, history, '1997-09-30', ((n).median - date '1997-09-30') * interval '1 day') AS at_median,
                churn_probability(model, history, '1997-09-30', ((n).median - date '1997-10-01') * interval '1 day') AS before_median,
                churn_probability(model, history, '1997-09-30', ((n).lower - date '1997-09-30') * interval '1 day') AS at_lower,
                churn_probability(model, history, '1997-09-30', ((n).upper - date '1997-09-30') * interval '1 day') AS at_upper) AS p
GROUP BY family ORDER BY family;
SELECT name, family, (n).median, (n).lower, (n).upper, round((n).never::numeric, 6) AS never
FROM (SELECT name, family, next_purchase(model, history, as_of) AS n FROM famous, models WHERE family IN ('nbd', 'bg_nbd', 'mbg_nbd', 'pareto_nbd')) AS t ORDER BY 1 DESC, 2;
-- Who will more likely never return has no median; the probability says so.
SELECT customer_id, regexp_replace(next_purchase(model, history, '1998-06-30')::text, '(\.\d{12})\d+', '\1', 'g') AS next_purchase FROM histories, models WHERE family = 'mbg_nbd' AND customer_id IN (3, 4) ORDER BY 1;

-- Predictive intervals contain their median part; 0 is at an end exactly when the churn probability says so. They hold what followed.
SELECT family, bool_and(((i).lower = 0) = (churn >= .05)) AS lower_zero, bool_and(((i).upper = 0) = (churn >= .95)) AS upper_zero,
       bool_and((i).lower <= (i).upper) AS in_order, bool_and((wide).lower <= (i).lower AND (wide).upper >= (i).upper) AS wider_at_99,
       round(100.0 * count(*) FILTER (WHERE actual BETWEEN (i).lower AND (i).upper) / count(*)) AS percent_inside
FROM (SELECT family, churn, actual, purchases_interval(model, history, '1997-09-30', '39 weeks') AS i,
             purchases_interval(model, history, '1997-09-30', '39 weeks', level => 0.99) AS wide
      FROM backtest JOIN models USING (family) JOIN histories USING (customer_id)) AS t GROUP BY family ORDER BY family;
-- Confidence: how well the score itself is known. It holds the score, and is wider with fewer customers.
SELECT family, bool_and(churn BETWEEN (c).lower AND (c).upper) AS churn, bool_and(alive BETWEEN (a).lower AND (a).upper) AS alive,
       bool_and(expected BETWEEN (e).lower AND (e).upper) AS expected, bool_and((c90).lower >= (c).lower AND (c90).upper <= (c).upper) AS level,
       bool_and((c).lower >= 0 AND (c).upper <= 1 AND (a).lower >= 0 AND (a).upper <= 1 AND (e).lower >= 0) AS possible
FROM (SELECT b.*, churn_probability_confidence(model, history, '1997-09-30', '39 weeks') AS c, alive_probability_confidence(model, history, '1997-09-30') AS a,
             expected_purchases_confidence(model, history, '1997-09-30', '39 weeks') AS e,
             churn_probability_confidence(model => model, history => history, as_of => '1997-09-30', horizon => '39 weeks', level => 0.9) AS c90
      FROM backtest AS b JOIN models USING (family) JOIN histories USING (customer_id) WHERE customer_id <= 300) AS t GROUP BY family ORDER BY family;
SELECT family, round((c).lower::numeric, 4) AS lower, round(churn::numeric, 4) AS churn, round((c).upper::numeric, 4) AS upper,
       round((few).lower::numeric, 4) AS lower_of_250, round((few).upper::numeric, 4) AS upper_of_250
FROM (SELECT family, churn_probability(model, history, '1997-09-30', '39 weeks') AS churn, churn_probability_confidence(model, history, '1997-09-30', '39 weeks') AS c,
             churn_probability_confidence(f.model_of_250, history, '1997-09-30', '39 weeks') AS few
      FROM models JOIN (SELECT family, fit_purchase_model(history, '1997-09-30', jsonb_build_object('family', family)) AS model_of_250
                        FROM histories, unnest('{nbd,bg_nbd,pareto_nbd}'::text[]) AS family WHERE customer_id % 9 = 0 GROUP BY family) AS f USING (family), histories
      WHERE customer_id = 1) AS t ORDER BY family;

-- Parts merged, in any order, are the whole, byte by byte; so are their models.
CREATE TEMP TABLE parts AS
  SELECT customer_id % 7 AS part, purchase_cells(history, '1997-09-30') AS auto, purchase_cells(history, '1997-09-30', '{"family": "pareto_nbd", "unit": "1 day"}') AS pareto
  FROM histories GROUP BY 1;
SELECT merge(auto)::text = (SELECT purchase_cells(history, '1997-09-30')::text FROM histories) AS same_bytes,
       merge(auto ORDER BY part DESC)::text = merge(auto ORDER BY part)::text AS any_order,
       fit_purchase_model(merge(auto)) = (SELECT model FROM auto) AS same_model,
       fit_purchase_model(merge(pareto)) = (SELECT fit_purchase_model(history, '1997-09-30', '{"family": "pareto_nbd", "unit": "1 day"}') FROM histories) AS with_options
FROM parts;
SELECT merge(NULL::purchase_cells) IS NULL AS merge_of_null, fit_purchase_model(NULL::purchase_cells) IS NULL AS model_of_null,
       (SELECT fit_purchase_model(history, '1997-09-30') IS NULL FROM histories WHERE false) AS model_of_no_row,
       (SELECT purchase_cells(history, '1997-09-30') IS NULL FROM histories WHERE false) AS cells_of_no_row;
-- Other options or another as_of do not merge.
CALL refused('SELECT merge(c) FROM (SELECT auto AS c FROM parts UNION ALL SELECT pareto FROM parts) AS t');
CALL refused('SELECT merge(c) FROM (SELECT auto AS c FROM parts UNION ALL SELECT purchase_cells(history, ''1997-10-01'') FROM histories) AS t');
-- Text and binary come back as they were.
SELECT count(*) FILTER (WHERE auto::text::purchase_cells::text = auto::text) AS text_round_trips, bool_and(segmentation_internal.purchase_cells_send(auto) = auto::text::bytea) AS sends_its_bytes FROM parts;
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/purchase_cells.bin'
COPY parts TO :'file' (FORMAT binary);
CREATE TEMP TABLE copied (LIKE parts);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*) FILTER (WHERE p.auto::text = c.auto::text AND p.pareto::text = c.pareto::text) AS copied FROM parts AS p JOIN copied AS c USING (part);
-- Identical customers share a cell: the size follows the distinct ones.
SELECT pg_column_size(purchase_cells('{1997-01-01:1:1,1997-02-01:1:1}'::purchase_history, '1997-09-30', '{"family": "bg_nbd"}')) < 200 AS small,
       fit_purchase_model('{1997-01-01:1:1,1997-02-01:1:1}'::purchase_history, '1997-09-30', '{"family": "nbd"}') ->> 'cells' AS cells FROM generate_series(1, 100000);
-- Bytes from elsewhere: cut off, lengthened, one changed. Nothing that is read makes a NaN, and nothing crashes.
CREATE FUNCTION pg_temp.read_cells(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE WHEN fit_purchase_model(bytes::text::purchase_cells)::text ~* 'nan|inf' THEN 'NaN' ELSE 'read' END;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || CASE WHEN SQLERRM ~* 'panic|unwrap|overflow|\.rs' THEN ' ' || SQLERRM ELSE '' END;
END
$$;
CREATE TEMP TABLE bytes AS SELECT purchase_cells(history, '1997-09-30', '{"family": "bg_nbd"}')::text::bytea AS b FROM histories WHERE customer_id <= 40;
SELECT pg_temp.read_cells(substr(b, 1, n)) AS cut_off, count(*) FROM bytes, generate_series(0, length(b) - 1) AS n GROUP BY 1 ORDER BY 1;
SELECT pg_temp.read_cells(b || '\x00') AS lengthened, pg_temp.read_cells(b) AS as_it_was FROM bytes;
SELECT outcome, count(*) > 0 AS some FROM (SELECT pg_temp.read_cells(set_byte(b, n, v)) AS outcome FROM bytes, generate_series(0, length(b) - 1) AS n, unnest('{0,1,127,128,255}'::integer[]) AS v) AS t GROUP BY 1 ORDER BY 1;

-- In parallel: partial fits in workers, the same model to the last bit. Scores run in workers too.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT fit_purchase_model(history, '1997-09-30') FROM histories;
-- The words for the parameter of the subquery differ from version to version.
CREATE FUNCTION pg_temp.nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE node text;
BEGIN
  FOR node IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF node !~ 'Params Evaluated' THEN
      RETURN NEXT regexp_replace(node, ' \(returns .*\)', '');
    END IF;
  END LOOP;
END $$;
SELECT pg_temp.nodes($$SELECT customer_id, churn_probability((SELECT model FROM models WHERE family = 'pareto_nbd'), history, '1997-09-30', '39 weeks') FROM histories$$);
CREATE TEMP TABLE in_parallel AS
  SELECT 'auto' AS by, fit_purchase_model(history, '1997-09-30') AS model FROM histories
  UNION ALL SELECT 'bg_nbd', fit_purchase_model(history, '1997-09-30', '{"family": "bg_nbd"}') FROM histories
  UNION ALL SELECT 'pareto_nbd', fit_purchase_model(history, '1997-09-30', '{"family": "pareto_nbd"}') FROM histories
  UNION ALL SELECT 'cells', fit_purchase_model(purchase_cells(history, '1997-09-30')) FROM histories;
CREATE TEMP TABLE scored_in_parallel AS
  SELECT customer_id, churn_probability((SELECT model FROM models WHERE family = 'pareto_nbd'), history, '1997-09-30', '39 weeks') AS churn,
         expected_purchases((SELECT model FROM models WHERE family = 'pareto_nbd'), history, '1997-09-30', '39 weeks') AS expected FROM histories;
SET max_parallel_workers_per_gather = 0;
SELECT by, p.model = coalesce(m.model, (SELECT model FROM auto)) AS same FROM in_parallel AS p LEFT JOIN models AS m ON m.family = by ORDER BY by;
SELECT count(*) AS scores, count(*) FILTER (WHERE s.churn IS DISTINCT FROM b.churn OR s.expected IS DISTINCT FROM b.expected) AS differ
FROM scored_in_parallel AS s JOIN backtest AS b USING (customer_id) WHERE b.family = 'pareto_nbd';
RESET ALL;
SET search_path = segmentation, public;
SET datestyle = ISO;

-- One model a cohort, by GROUP BY; each customer scored by that of their own. Models change from row to row at one call site.
CREATE TEMP TABLE cohorts AS
  SELECT date_trunc('month', first_purchase(history))::date AS cohort, fit_purchase_model(history, '1997-09-30', '{"family": "bg_nbd"}') AS model FROM histories GROUP BY 1;
SELECT cohort, model ->> 'customers' AS customers, round((model #>> '{parameters,r}')::numeric, 4) AS r, round((model #>> '{parameters,alpha}')::numeric, 3) AS alpha,
       round((model #>> '{parameters,a}')::numeric, 3) AS a, round((model #>> '{parameters,b}')::numeric, 3) AS b, jsonb_path_query_array(model, '$.warnings[*].code') AS warnings
FROM cohorts ORDER BY cohort;
SELECT cohort, count(*) AS customers, round(sum(expected_purchases(model, history, '1997-09-30', '39 weeks'))::numeric, 1) AS expected,
       sum(purchase_days(history) - purchase_days(history, '1997-09-30')) AS actual
FROM histories JOIN cohorts ON cohort = date_trunc('month', first_purchase(history)) GROUP BY cohort ORDER BY cohort;
SELECT count(*) AS differ FROM (
  SELECT customer_id, family, churn_probability(model, history, '1997-09-30', '39 weeks') AS churn FROM histories, models ORDER BY customer_id, family) AS t
JOIN backtest USING (customer_id, family) WHERE t.churn <> backtest.churn;
-- The option does it too.
SELECT (SELECT model FROM cohorts WHERE cohort = '1997-02-01') - 'skipped' = model - 'skipped' AS same, model -> 'skipped' AS skipped
FROM (SELECT fit_purchase_model(history, '1997-09-30', '{"family": "bg_nbd", "first_purchase_from": "1997-02-01", "first_purchase_to": "1997-02-28"}') AS model FROM histories) AS t;

-- Options, every one. The unit is only a unit: alpha in days is seven times alpha in weeks, scores are the same.
SELECT unit, round((model #>> '{parameters,alpha}')::numeric, 4) AS alpha, round((model #>> '{parameters,r}')::numeric, 6) AS r, model ->> 'unit' AS carried,
       round(churn_probability(model, history, '1997-09-30', '39 weeks')::numeric, 8) AS churn
FROM (SELECT unit, fit_purchase_model(history, '1997-09-30', jsonb_build_object('family', 'bg_nbd', 'unit', unit)) AS model
      FROM histories, unnest('{1 day,1 week,7 days,1 month,1 Years,3 months}'::text[]) AS unit GROUP BY unit) AS t, histories WHERE customer_id = 1 ORDER BY alpha DESC, unit;
SELECT options ->> 'k' AS k, round((model ->> 'log_likelihood')::numeric, 2) AS log_likelihood, model #> '{parameters,k}' AS fitted_k,
       round(churn_probability(model, history, '1997-09-30', '39 weeks')::numeric, 4) AS churn, round(expected_purchases(model, history, '1997-09-30', '39 weeks')::numeric, 4) AS expected
FROM (SELECT options, fit_purchase_model(history, '1997-09-30', options) AS model
      FROM histories, unnest('{"{\"family\": \"bg_cnbd_k\", \"k\": 1}","{\"family\": \"bg_cnbd_k\", \"k\": 2}","{\"family\": \"bg_cnbd_k\", \"k\": 12.0}"}'::jsonb[]) AS options GROUP BY options) AS t, histories WHERE customer_id = 1 ORDER BY (options -> 'k')::integer;
SELECT penalty, round((model #>> '{parameters,a}')::numeric, 3) AS a, round((model #>> '{parameters,b}')::numeric, 3) AS b, round((model ->> 'log_likelihood')::numeric, 2) AS log_likelihood
FROM (SELECT penalty, fit_purchase_model(history, '1997-09-30', jsonb_build_object('family', 'bg_nbd', 'penalty', penalty)) AS model
      FROM histories, unnest('{0,1,100,1e6}'::numeric[]) AS penalty GROUP BY penalty) AS t ORDER BY penalty;
-- Too long a horizon: a shorter one is tried, and said so; on a log of a week nothing can be tried.
SELECT horizon, model ->> 'family' AS family, model #> '{candidates,1,inner_days}' AS inner_days, jsonb_path_query_array(model, '$.warnings[*].code') AS warnings
FROM (SELECT horizon, fit_purchase_model(history, '1997-09-30', jsonb_build_object('horizon', horizon)) AS model
      FROM histories, unnest('{6 weeks,13 weeks,20 weeks,9 months,1000 years}'::text[]) AS horizon GROUP BY horizon) AS t ORDER BY horizon;
SELECT model ->> 'family' AS family, model -> 'warnings' AS warnings FROM (SELECT fit_purchase_model(history, '1997-01-08') AS model FROM histories) AS t;
SELECT fit_purchase_model(history, '1997-09-30', '{"first_purchase_to": "1997-01-31"}') ->> 'customers' AS till_january,
       fit_purchase_model(history, '1997-09-30', '{"first_purchase_from": "1997-03-01"}') -> 'skipped' AS from_march FROM histories;
-- Regular buyers are found.
SELECT model #> '{parameters,k}' AS k, model ->> 'family' AS family
FROM (SELECT fit_purchase_model(history, '2024-12-31', '{"family": "mbg_cnbd_k"}') AS model
      FROM (SELECT c, purchase_history(date '2023-01-01' + c % 90 + (i * (8 + c % 13) + hashint4(c * 100 + i) % 4), 1::bigint) AS history
            FROM generate_series(1, 400) AS c, generate_series(0, 3 + c % 25) AS i GROUP BY c) AS t) AS t;
-- What is refused, and in which words.
CREATE FUNCTION pg_temp.fitted(options jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT fit_purchase_model(history, '1997-09-30', options) FROM histories WHERE customer_id < 10 $$;
CALL refused('SELECT pg_temp.fitted(''{"familly": "bg_nbd"}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": "pareto"}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": 1}'')');
CALL refused('SELECT pg_temp.fitted(''{"unit": "fortnight"}'')');
CALL refused('SELECT pg_temp.fitted(''{"unit": "0 days"}'')');
CALL refused('SELECT pg_temp.fitted(''{"unit": "-1 week"}'')');
CALL refused('SELECT pg_temp.fitted(''{"unit": 7}'')');
CALL refused('SELECT pg_temp.fitted(''{"k": 2}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": "bg_nbd", "k": 2}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": "bg_cnbd_k", "k": 0}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": "bg_cnbd_k", "k": 13}'')');
CALL refused('SELECT pg_temp.fitted(''{"family": "bg_cnbd_k", "k": 2.5}'')');
CALL refused('SELECT pg_temp.fitted(''{"holdout": "13 weeks"}'')');
CALL refused('SELECT pg_temp.fitted(''{"horizon": "soon"}'')');
CALL refused('SELECT pg_temp.fitted(''{"horizon": "0 days"}'')');
CALL refused('SELECT pg_temp.fitted(''{"horizon": "-3 months"}'')');
CALL refused('SELECT pg_temp.fitted(''{"horizon": 90}'')');
CALL refused('SELECT pg_temp.fitted(''{"penalty": -1}'')');
CALL refused('SELECT pg_temp.fitted(''{"penalty": "1"}'')');
CALL refused('SELECT pg_temp.fitted(''{"first_purchase_from": "1.2.1997"}'')');
CALL refused('SELECT pg_temp.fitted(''{"first_purchase_to": 1997}'')');
CALL refused('SELECT pg_temp.fitted(''{"first_purchase_from": "1997-03-01", "first_purchase_to": "1997-01-01"}'')');
CALL refused('SELECT pg_temp.fitted(''"bg_nbd"'')');
CALL refused('SELECT pg_temp.fitted(NULL)');
-- as_of and options are one for all rows, and no infinity.
CALL refused('SELECT fit_purchase_model(history, NULL) FROM histories');
CALL refused('SELECT fit_purchase_model(history, ''infinity'') FROM histories');
CALL refused('SELECT fit_purchase_model(history, ''-infinity'') FROM histories');
CALL refused('SELECT fit_purchase_model(history, first_purchase(history)) FROM histories');
CALL refused('SELECT fit_purchase_model(history, ''1997-09-30'', jsonb_build_object(''penalty'', customer_id)) FROM histories');
CALL refused('SELECT purchase_cells(history, ''1997-09-30'', ''{"family": "x"}'') FROM histories');

-- Models written by hand or by strangers: every field is checked, and named when it is wrong.
CREATE FUNCTION pg_temp.score(model jsonb) RETURNS double precision LANGUAGE sql AS $$ SELECT churn_probability(model, '{2024-01-01:1:10,2024-02-01:1:10}'::purchase_history, '2024-06-30', '90 days') $$;
CREATE TEMP TABLE good AS SELECT '{"kind": "purchase_model", "version": 1, "family": "bg_nbd", "unit": "1 week", "as_of": "2024-06-30", "parameters": {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}, "log_likelihood": -1, "customers": 1, "cells": 1}'::jsonb AS model;
SELECT round(pg_temp.score(model)::numeric, 6) AS least_model, round(pg_temp.score(model || '{"standard_errors": null, "covariance": null, "skipped": {"no_history": 2}, "warnings": [{"code": "x", "message": "y"}], "candidates": [{"family": "nbd"}]}')::numeric, 6) AS with_all,
       round(pg_temp.score(model || '{"version": 1.0, "customers": 1e3}')::numeric, 6) AS numbers_as_written FROM good;
CREATE PROCEDURE pg_temp.wrong(change jsonb) LANGUAGE plpgsql AS $$ BEGIN CALL refused(format('SELECT pg_temp.score((SELECT jsonb_strip_nulls(model || %L) FROM good))', change)); END $$;
CALL pg_temp.wrong('{"kind": "spend_model"}');
CALL pg_temp.wrong('{"kind": 1}');
CALL pg_temp.wrong('{"kind": null}');
CALL pg_temp.wrong('{"version": 3}');
CALL pg_temp.wrong('{"version": null}');
CALL pg_temp.wrong('{"family": "auto"}');
CALL pg_temp.wrong('{"family": "pareto_nbd"}');
CALL pg_temp.wrong('{"family": "bg_cnbd_k"}');
CALL pg_temp.wrong('{"unit": "1 hour"}');
CALL pg_temp.wrong('{"unit": null}');
CALL pg_temp.wrong('{"as_of": "30/06/2024"}');
CALL pg_temp.wrong('{"parameters": {"r": 0.25, "alpha": 4.4, "a": 0.8}}');
CALL pg_temp.wrong('{"parameters": {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4, "c": 1}}');
CALL pg_temp.wrong('{"parameters": {"r": 0, "alpha": 4.4, "a": 0.8, "b": 2.4}}');
CALL pg_temp.wrong('{"parameters": {"r": -0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}}');
CALL pg_temp.wrong('{"parameters": {"r": "0.25", "alpha": 4.4, "a": 0.8, "b": 2.4}}');
CALL pg_temp.wrong('{"parameters": {"r": 1e400, "alpha": 4.4, "a": 0.8, "b": 2.4}}');
CALL pg_temp.wrong('{"parameters": {"r": 1e-400, "alpha": 4.4, "a": 0.8, "b": 2.4}}');
CALL pg_temp.wrong('{"parameters": [0.25, 4.4, 0.8, 2.4]}');
CALL pg_temp.wrong('{"covariance": [[1]]}');
CALL pg_temp.wrong('{"covariance": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]}');
CALL pg_temp.wrong('{"covariance": [[1, 0, 0, 9], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}');
CALL pg_temp.wrong('{"standard_errors": {"r": 1, "alpha": -1, "a": 1, "b": 1}}');
CALL pg_temp.wrong('{"log_likelihood": "low"}');
CALL pg_temp.wrong('{"customers": -1}');
CALL pg_temp.wrong('{"cells": 1.5}');
CALL pg_temp.wrong('{"skipped": {"of_no_interest": 1}}');
CALL pg_temp.wrong('{"warnings": [{"code": "x"}]}');
CALL pg_temp.wrong('{"warnings": {"code": "x"}}');
CALL pg_temp.wrong('{"candidates": [{"family": "best"}]}');
CALL pg_temp.wrong('{"note": "mine"}');
CALL refused('SELECT pg_temp.score(''7'')');
CALL refused('SELECT pg_temp.score(''[]'')');
CALL refused('SELECT pg_temp.score(''{}'')');
CALL refused('SELECT pg_temp.score(''{"kind": "purchase_model", "parameters": {}}'')');
-- Every score refuses them, a spend model too, whoever the customer is.
CREATE TEMP TABLE spend AS SELECT fit_spend_model(history, '1997-09-30') AS model FROM histories;
CALL refused('SELECT alive_probability(model, ''{2024-01-01:1:1}'', ''2024-06-30'') FROM spend');
CALL refused('SELECT expected_purchases(model, ''{2024-01-01:1:1}'', ''2024-06-30'', ''1 day'') FROM spend');
CALL refused('SELECT next_purchase(model, ''{2024-01-01:1:1}'', ''2024-06-30'') FROM spend');
CALL refused('SELECT purchases_interval(model, ''{2024-01-01:1:1}'', ''2024-06-30'', ''1 day'') FROM spend');
CALL refused('SELECT churn_probability_confidence(model, ''{2024-01-01:1:1}'', ''2024-06-30'', ''1 day'') FROM spend');
CALL refused('SELECT churn_probability(model, ''{}''::purchase_history, ''2024-06-30'', ''1 day'') FROM spend');
-- Without a covariance the scores are there, their confidence is not.
CALL refused('SELECT churn_probability_confidence(model, ''{2024-01-01:1:1}'', ''2024-06-30'', ''1 day'') FROM good');

-- Horizons are intervals: months by the calendar from as_of on, hours as parts of a day, zero. Neither negative nor without end.
SELECT h, round(churn_probability(model, '{2024-01-01:1:10}'::purchase_history, '2024-01-31', h::interval)::numeric, 8) AS churn,
       round(expected_purchases(model, '{2024-01-01:1:10}', '2024-01-31', h::interval)::numeric, 8) AS expected
FROM good, unnest('{0,12 hours,1 day,24 hours,1 month,29 days,1 month -29 days,1 year,366 days,52 weeks,1000 years}'::text[]) WITH ORDINALITY AS t (h, i) ORDER BY i;
CALL refused('SELECT churn_probability(model, ''{2024-01-01:1:10}''::purchase_history, ''2024-06-30'', ''-1 day'') FROM good');
CALL refused('SELECT expected_purchases(model, ''{2024-01-01:1:10}'', ''2024-06-30'', ''1 day -25 hours'') FROM good');
CALL refused('SELECT churn_probability(model, ''{2024-01-01:1:10}''::purchase_history, ''2024-06-30'', ''1001 years'') FROM good');
CALL refused('SELECT churn_probability(model, ''{2024-01-01:1:10}''::purchase_history, ''2024-06-30'', ''178000000 years'') FROM good');
CALL refused('SELECT churn_probability(model, ''{2024-01-01:1:10}''::purchase_history, ''2024-06-30'', ''2147483647 days'') FROM good');
CALL refused('SELECT purchases_interval(model, ''{2024-01-01:1:10}'', ''2024-06-30'', ''-1 month'') FROM good');
CALL refused('SELECT churn_probability_confidence(model, ''{2024-01-01:1:10}'', ''2024-06-30'', ''-1 month'') FROM models WHERE family = ''bg_nbd''');
CALL refused('SELECT churn_probability(model, ''{2024-01-01:1:10}''::purchase_history, ''infinity'', ''1 day'') FROM good');
CALL refused('SELECT alive_probability(model, ''{2024-01-01:1:10}'', ''infinity'') FROM good');
CALL refused('SELECT next_purchase(model, ''{2024-01-01:1:10}'', ''2024-06-30'', 0) FROM good');
CALL refused('SELECT next_purchase(model, ''{2024-01-01:1:10}'', ''2024-06-30'', 1) FROM good');
CALL refused('SELECT next_purchase(model, ''{2024-01-01:1:10}'', ''2024-06-30'', ''NaN'') FROM good');
CALL refused('SELECT purchases_interval(model, ''{2024-01-01:1:10}'', ''2024-06-30'', ''1 month'', 90) FROM good');
CALL refused('SELECT alive_probability_confidence(model, ''{2024-01-01:1:10}'', ''2024-06-30'', -0.5) FROM models WHERE family = ''bg_nbd''');
-- Before anything was bought, or with a NULL, there is no score; -infinity is before everything.
SELECT churn_probability(model, '{}'::purchase_history, '2024-06-30', '1 day') AS empty, alive_probability(model, '{2024-01-01:0:-5}', '2024-06-30') AS refund_only,
       expected_purchases(model, '{2024-07-01:1:5}', '2024-06-30', '1 day') AS later, next_purchase(model, '{}', '2024-06-30') AS next, purchases_interval(model, '{}', '2024-06-30', '1 day') AS interval,
       expected_purchases_confidence(model, '{}', '2024-06-30', '1 day') AS confidence, alive_probability(model, '{2024-01-01:1:5}', '-infinity') AS before_all FROM good;
SELECT num_nulls(churn_probability(NULL::jsonb, '{2024-01-01:1:5}'::purchase_history, '2024-06-30', '1 day'), churn_probability(model, NULL::purchase_history, '2024-06-30', '1 day'),
                 churn_probability(model, '{2024-01-01:1:5}'::purchase_history, NULL, '1 day'), churn_probability(model, '{2024-01-01:1:5}'::purchase_history, '2024-06-30', NULL),
                 next_purchase(model, '{2024-01-01:1:5}', '2024-06-30', NULL), purchases_interval(model, '{2024-01-01:1:5}', '2024-06-30', '1 day', NULL)) AS nulls FROM good;
-- On the day of the purchase itself; and one whose purchases after as_of do not count.
SELECT round(churn_probability(model, '{2024-01-01:1:5}'::purchase_history, '2024-01-01', '1 week')::numeric, 6) AS same_day, alive_probability(model, '{2024-01-01:1:5}', '2024-01-01') AS alive,
       churn_probability(model, '{2024-01-01:1:5,2024-05-01:1:5}'::purchase_history, '2024-03-01', '1 week') = churn_probability(model, '{2024-01-01:1:5}'::purchase_history, '2024-03-01', '1 week') AS later_does_not_count FROM good;

-- Who is skipped is counted.
SELECT model -> 'customers' AS customers, model -> 'skipped' AS skipped
FROM (SELECT fit_purchase_model(h::purchase_history, '2024-06-30', '{"family": "nbd", "first_purchase_from": "2024-01-01", "first_purchase_to": "2024-03-31"}') AS model
      FROM unnest('{NULL,"{}","{2024-02-01:0:-3}","{2024-07-01:1:1}","{2023-12-31:1:1}","{2024-04-01:1:1}","{2024-02-01:1:1,2024-03-01:1:1}","{2024-02-05:1:1,2024-08-01:1:1}"}'::text[]) AS h) AS t;
-- Too little to learn from: no error, which would take the other groups' models with it, but a value that says why and scores nobody.
CREATE TEMP TABLE degenerate (name text, history purchase_history);
INSERT INTO degenerate VALUES ('no purchase', '{}'), ('nobody', NULL), ('one customer, once', '{2024-01-01:1:1}'), ('one customer, twice', '{2024-01-01:1:1,2024-02-01:1:1}'), ('after as_of', '{2025-01-01:1:1}');
INSERT INTO degenerate SELECT 'all once', format('{%s:1:1}', date '2024-01-01' + n % 28)::purchase_history FROM generate_series(1, 200) AS n;
INSERT INTO degenerate SELECT 'all on one day', '{2024-06-30:3:1}' FROM generate_series(1, 200);
INSERT INTO degenerate SELECT 'all the same', '{2024-01-01:1:1,2024-02-01:1:1,2024-03-01:1:1}' FROM generate_series(1, 200);
INSERT INTO degenerate SELECT 'all till the last day', '{2024-01-01:1:1,2024-06-30:1:1}' FROM generate_series(1, 200);
INSERT INTO degenerate SELECT 'every day', purchase_history(date '2012-01-01' + n, 1::bigint) FROM generate_series(1, 4500) AS n, generate_series(1, 3) AS c GROUP BY c;
INSERT INTO degenerate SELECT 'one of 4500 among 300', history FROM (SELECT purchase_history(date '2012-01-01' + n, 1::bigint) AS history FROM generate_series(1, 4500) AS n UNION ALL SELECT history FROM (SELECT history FROM degenerate WHERE name IN ('all once', 'all the same') LIMIT 300) AS t) AS t;
INSERT INTO degenerate SELECT 'once or twice', CASE WHEN n % 3 = 0 THEN '{2024-01-01:1:1,2024-04-01:1:1}' ELSE '{2024-01-01:1:1}' END::purchase_history FROM generate_series(1, 300) AS n;
CREATE TEMP TABLE degenerate_models AS
  SELECT name, family, fit_purchase_model(history, '2024-06-30', jsonb_build_object('family', family)) AS model
  FROM degenerate, unnest('{auto,nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family GROUP BY name, family;
SELECT name, model ->> 'family' AS auto, jsonb_path_query_array(model, '$.warnings[*].code') AS warnings FROM degenerate_models WHERE family = 'auto' ORDER BY name;
SELECT name, count(*) AS models, count(*) FILTER (WHERE model -> 'parameters' = 'null') AS unfitted, count(*) FILTER (WHERE model::text ~* 'nan|infinity') AS not_a_number,
       count(*) FILTER (WHERE model -> 'parameters' <> 'null' AND jsonb_array_length(model -> 'warnings') = 0) AS without_warning
FROM degenerate_models GROUP BY name ORDER BY name;
SELECT jsonb_pretty(model) FROM degenerate_models WHERE name = 'all once' AND family = 'auto';
SELECT count(*) AS models, count(*) FILTER (WHERE churn BETWEEN 0 AND 1) AS churn, count(*) FILTER (WHERE alive BETWEEN 0 AND 1) AS alive, count(*) FILTER (WHERE expected BETWEEN 0 AND 91) AS expected,
       count(*) FILTER (WHERE expected > 91) AS more_than_days, count(next) AS next, count(*) FILTER (WHERE (inside).upper BETWEEN 0 AND 91) AS inside
FROM (SELECT churn_probability(model, history, '2024-06-30', '91 days') AS churn, alive_probability(model, history, '2024-06-30') AS alive, expected_purchases(model, history, '2024-06-30', '91 days') AS expected,
             next_purchase(model, history, '2024-06-30') AS next, purchases_interval(model, history, '2024-06-30', '91 days') AS inside
      FROM degenerate_models AS m, (SELECT DISTINCT history FROM degenerate WHERE purchase_days(history, '2024-06-30') BETWEEN 1 AND 4000 LIMIT 20) AS h WHERE m.model -> 'parameters' <> 'null') AS t;
SELECT num_nulls(churn_probability(model, h, '2024-06-30', '91 days'), alive_probability(model, h, '2024-06-30'), expected_purchases(model, h, '2024-06-30', '91 days'), next_purchase(model, h, '2024-06-30'),
                 purchases_interval(model, h, '2024-06-30', '91 days'), churn_probability_confidence(model, h, '2024-06-30', '91 days'), alive_probability_confidence(model, h, '2024-06-30'),
                 expected_purchases_confidence(model, h, '2024-06-30', '91 days')) AS nulls_of_an_unfitted_model
FROM degenerate_models, (VALUES ('{2024-01-01:1:1}'::purchase_history)) AS v (h) WHERE name = 'all once' AND family = 'bg_nbd';

-- A log that begins after its customers did: the rush at its start is warned of, and the option sees past it.
CREATE TEMP TABLE cut_log AS
  SELECT purchase_history(day, 1::bigint) AS history
  FROM (SELECT c, date '2022-01-01' + c % 1000 + g * (20 + c % 40) AS day FROM generate_series(1, 2000) AS c, generate_series(0, c % 25) AS g) AS t
  WHERE day BETWEEN '2023-06-01' AND '2024-12-31' GROUP BY c;
SELECT jsonb_pretty(fit_purchase_model(history, '2024-12-31', '{"family": "nbd"}') -> 'warnings') FROM cut_log;
SELECT jsonb_path_query_array(fit_purchase_model(history, '2024-12-31', '{"family": "nbd", "first_purchase_from": "2023-08-15"}'), '$.warnings[*].code') AS later_cohort FROM cut_log;

-- Where others overflow: x in the hundreds with a small tx, Pareto/NBD at parameters that make its terms huge. In units of 1000 days.
CREATE FUNCTION pg_temp.regular(x integer, tx integer) RETURNS purchase_history LANGUAGE sql IMMUTABLE AS $$
  SELECT purchase_history(d, 1::bigint) FROM (SELECT date '1900-01-01' + n AS d FROM generate_series(0, x - 1) AS n UNION SELECT date '1900-01-01' + tx) AS t $$;
CREATE FUNCTION pg_temp.model(family text, unit text, parameters jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('kind', 'purchase_model', 'version', 1, 'family', family, 'unit', unit, 'as_of', '2024-06-30', 'parameters', parameters, 'log_likelihood', -1, 'customers', 1, 'cells', 1) $$;
SELECT x, tx, t, to_char(alive_probability(model, h, as_of), '0.9999EEEE') AS alive, to_char(churn_probability(model, h, as_of, '1000 days'), '0.9999EEEE') AS churn,
       to_char(expected_purchases(model, h, as_of, '1000 days'), '0.9999EEEE') AS expected, to_char((next_purchase(model, h, as_of)).never, '0.9999EEEE') AS never
FROM (VALUES (400, 5, 6), (500, 1, 37), (500, 4, 37)) AS v (x, tx, t),
LATERAL (SELECT pg_temp.regular(x, 1000 * tx) AS h, date '1900-01-01' + 1000 * t AS as_of, pg_temp.model('pareto_nbd', '1000 days', '{"r": 10.465, "alpha": 0.00798565, "s": 3.0516, "beta": 2.820}') AS model) AS m;
SET statement_timeout = '60s';
-- Smooth through a = 1, finite for a + b < 1 (and no more than without leaving), at both ends of what a parameter may be.
SELECT family, a, b, round(expected_purchases(pg_temp.model(family, '1 week', jsonb_build_object('r', .25, 'alpha', 4.4, 'a', a, 'b', b)), history, '1997-09-30', '39 weeks')::numeric, 7) AS expected
FROM histories, (VALUES (0.999999, 2.4), (1, 2.4), (1.000001, 2.4), (0.1, 0.2), (0.5, 0.5), (1e-20, 2.4), (1e-20, 1e20), (1e20, 1e20), (1e20, 1e-20)) AS v (a, b), unnest('{bg_nbd,mbg_nbd}'::text[]) AS family
WHERE customer_id = 1 ORDER BY family, a, b;
SELECT count(*) AS tried, count(*) FILTER (WHERE churn BETWEEN 0 AND 1) AS churn, count(*) FILTER (WHERE alive BETWEEN 0 AND 1) AS alive,
       count(*) FILTER (WHERE expected >= 0 AND expected < 'infinity') AS expected, count(*) FILTER (WHERE (n).never BETWEEN 0 AND 1) AS never, count(*) FILTER (WHERE (i).upper < 'infinity') AS upper
FROM (SELECT churn_probability(model, h, as_of, horizon) AS churn, alive_probability(model, h, as_of) AS alive, expected_purchases(model, h, as_of, horizon) AS expected,
             next_purchase(model, h, as_of) AS n, purchases_interval(model, h, as_of, horizon) AS i
      FROM (SELECT pg_temp.model(family, '1 day', CASE family WHEN 'nbd' THEN jsonb_build_object('r', r, 'alpha', alpha)
                 WHEN 'pareto_nbd' THEN jsonb_build_object('r', r, 'alpha', alpha, 's', a, 'beta', b) ELSE jsonb_build_object('r', r, 'alpha', alpha, 'a', a, 'b', b, 'k', CASE WHEN family ~ 'cnbd' THEN 3 END) - CASE WHEN family ~ 'cnbd' THEN '' ELSE 'k' END END) AS model
            FROM unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family, unnest('{1e-6,0.01,100,1e4}'::numeric[]) AS r, unnest('{1e-6,1,1e6}'::numeric[]) AS alpha,
                 unnest('{1e-6,0.5,1e4}'::numeric[]) AS a, unnest('{1e-6,2,1e6}'::numeric[]) AS b) AS m,
           (VALUES ('{2024-01-01:1:1}'::purchase_history, date '2024-06-30'), (pg_temp.regular(2000, 3000), date '1930-01-01')) AS c (h, as_of), unnest('{1 day,40 years}'::interval[]) AS horizon) AS t;

-- Neither time zone nor date style nor the locale of the session moves a digit; the text form of dates in a model is its own.
SET timezone = 'Pacific/Kiritimati';
SET datestyle = 'German, DMY';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = 0;
SELECT fit_purchase_model(history, '1997-09-30') = (SELECT model FROM auto) AS same_model FROM histories;
SELECT count(*) FILTER (WHERE churn_probability(model, history, '1997-09-30', '39 weeks') = churn) AS same_scores FROM histories, models JOIN backtest USING (family) WHERE family = 'bg_nbd' AND histories.customer_id = backtest.customer_id;
SELECT next_purchase(model, history, '1997-09-30') FROM histories, models WHERE family = 'nbd' AND customer_id = 1;
RESET ALL;
DROP TABLE public.histories, public.models;
