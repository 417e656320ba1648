-- Codes that time alone moves, and when: each against the code itself, asked day by day.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE UNLOGGED TABLE public.silent AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
-- Refunds, so that a turnover can rise by time alone: two thirds of a customer's turnover, 100 days after the last purchase.
INSERT INTO silent
  SELECT 10000 + customer_id, purchase_history(day, amount)
  FROM silent, LATERAL (SELECT purchased_on AS day, amount FROM cdnow WHERE cdnow.customer_id = silent.customer_id
                        UNION ALL SELECT last_purchase(history) + 100, -turnover(history) / 3 * 2) AS rows
  WHERE customer_id <= 30 AND turnover(history) > 0 GROUP BY customer_id;
INSERT INTO silent VALUES (0, '{}');
ANALYZE silent;

-- RFM: recency crosses a cut point. 1997-03-31 lies before many purchases: what is dated later counts from its day.
CREATE TEMP TABLE cuts AS
  SELECT rule, as_of, (SELECT rfm_cuts(history, as_of, jsonb_build_object('rule', rule)) FROM silent) AS rfm,
         (SELECT pmg_cuts(turnover(history, (as_of - interval '6 months')::date, as_of)) FROM silent) AS pmg
  FROM unnest('{quantile,r_rfm}'::text[]) AS rule, unnest('{1997-03-31,1998-06-30}'::date[]) AS as_of;
SELECT rule, as_of, count(*) AS customers, count(next) AS move, min(next - as_of), max(next - as_of),
       sum(too_late) AS too_late, count(*) FILTER (WHERE next IS NOT NULL AND NOT moved) AS not_moved
FROM cuts, silent, LATERAL (SELECT rfm_next_change(history, as_of, rfm) AS next) AS n,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(1, coalesce(next - as_of - 1, 900)) AS d
              WHERE (rfm_score(history, as_of + d, rfm)).score IS DISTINCT FROM (rfm_score(history, as_of, rfm)).score) AS t,
     LATERAL (SELECT (rfm_score(history, next, rfm)).score IS DISTINCT FROM (rfm_score(history, as_of, rfm)).score AS moved) AS m
WHERE customer_id % 40 < 2 GROUP BY rule, as_of ORDER BY rule, as_of;

-- PMG over rolling months, counted as PostgreSQL counts them.
SELECT as_of, months, count(*) AS customers, count(next) AS move, min(next - as_of), max(next - as_of), sum(too_late) AS too_late,
       count(*) FILTER (WHERE next IS NOT NULL AND after = before) AS not_moved, count(*) FILTER (WHERE after > before) AS up, count(*) FILTER (WHERE after < before) AS down
FROM cuts, unnest('{1,6,12}'::int[]) AS months, silent, LATERAL (SELECT pmg_next_change(history, as_of, pmg, months) AS next) AS n,
     LATERAL (SELECT pmg_bucket(turnover(history, (as_of - months * interval '1 month')::date, as_of), pmg) AS before,
                     pmg_bucket(turnover(history, (next - months * interval '1 month')::date, next), pmg) AS after) AS b,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(as_of + 1, coalesce(next - 1, as_of + 900), '1 day') AS d
              WHERE pmg_bucket(turnover(history, (d - months * interval '1 month')::date, d::date), pmg) <> before) AS t
WHERE rule = 'quantile' AND (customer_id % 20 = 0 OR customer_id > 10000) GROUP BY as_of, months ORDER BY as_of, months;
-- The end of February: what was bought on the 31st of January leaves one month with the 1st of March.
SELECT d, pmg_next_change('{2024-01-31:1:50}', d, c, 1) AS next, pmg_next_change('{2024-01-29:1:50}', d, c, 1) AS of_the_29th
FROM (SELECT pmg_cuts(50) AS c) AS c, (VALUES (date '2024-01-31'), ('2024-02-28'), ('2024-02-29'), ('2024-03-01')) AS v (d);

-- Churn levels under every family, and values. Some of the log's customers, day by day for two years.
CREATE TEMP TABLE families AS
  SELECT family, (SELECT fit_purchase_model(history, '1997-09-30', options) FROM silent WHERE customer_id <= 10000) AS model
  FROM unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family,
       LATERAL (SELECT jsonb_build_object('family', family) || CASE WHEN family LIKE '%_k' THEN '{"k": 3}' ELSE '{}' END::jsonb AS options) AS o;
CREATE TEMP TABLE spend AS SELECT fit_spend_model(history, '1997-09-30') AS model FROM silent;
SELECT family, level, count(*), count(next) AS move, sum(too_late) AS too_late, count(*) FILTER (WHERE next IS NOT NULL AND after = level) AS look_again,
       string_agg(DISTINCT after, ' ') AS becomes
FROM families, silent, unnest('{1997-03-31,1998-06-30}'::date[]) AS as_of,
     LATERAL (SELECT churn_level(model, history, as_of) AS level, churn_next_change(model, history, as_of) AS next) AS n,
     LATERAL (SELECT churn_level(model, history, next) AS after) AS a,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(1, least(next - as_of - 1, 730)) AS d WHERE churn_level(model, history, as_of + d) <> level) AS t
WHERE customer_id % 40 = 1 OR customer_id = 0 GROUP BY family, level ORDER BY family, level;
-- The levels are what their probabilities say, at the limits too.
SELECT family, bool_and(level = CASE WHEN churn_probability(model, history, as_of, '365 days') > 0.95 THEN 'lost'
                                 WHEN p >= 0.66 THEN 'high' WHEN p >= 0.33 THEN 'medium' WHEN p < 0.33 THEN 'low' ELSE 'insufficient_data' END) AS as_said,
       bool_and(p IS NULL OR churn_level(model, history, as_of, jsonb_build_object('high_from', p, 'medium_from', 0, 'lost_above', 1)) = 'high') AS from_the_limit_on
FROM families, silent, LATERAL (SELECT date '1998-06-30' AS as_of) AS d,
     LATERAL (SELECT churn_level(model, history, as_of) AS level, churn_probability(model, history, as_of, '90 days') AS p) AS l GROUP BY family ORDER BY family;

-- Bands by limits that were frozen at a fit: cumulative .80 and .95 of the value.
CREATE TEMP TABLE limits AS
  SELECT family, pmg_cuts(future_value(f.model, s.model, history, '1998-06-30', '365 days'), '{"mode": "cumulative"}') AS cuts
  FROM families AS f, spend AS s, silent GROUP BY family;
SELECT family, band, count(*), bool_and((band, class) IN (('high', 'G'), ('medium', 'M'), ('low', 'P'), ('none', 'I')) OR class IS NULL AND band = 'insufficient_data') AS as_pmg_bucket
FROM limits JOIN families AS f USING (family), spend AS s, silent,
     LATERAL (SELECT future_value_band(f.model, s.model, history, '1998-06-30', cuts) AS band,
                     pmg_bucket(future_value(f.model, s.model, history, '1998-06-30', '365 days'), cuts) AS class) AS b
WHERE family IN ('bg_nbd', 'pareto_nbd') GROUP BY family, band ORDER BY family, band;
SELECT family, count(*) AS customers, count(next) AS move, sum(too_late) AS too_late, count(*) FILTER (WHERE next IS NOT NULL AND after = band) AS look_again, string_agg(DISTINCT band || ' ' || after, ', ') FILTER (WHERE after <> band) AS moves
FROM limits JOIN families AS f USING (family), spend AS s, silent, unnest('{1997-03-31,1998-06-30}'::date[]) AS as_of,
     LATERAL (SELECT future_value_band(f.model, s.model, history, as_of, cuts) AS band, future_value_next_change(f.model, s.model, history, as_of, cuts) AS next) AS n,
     LATERAL (SELECT future_value_band(f.model, s.model, history, next, cuts) AS after) AS a,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(1, least(next - as_of - 1, 365), 5) AS d WHERE future_value_band(f.model, s.model, history, as_of + d, cuts) <> band) AS t
WHERE customer_id % 100 = 1 OR customer_id = 0 GROUP BY family ORDER BY family;

-- Without data there is a code that says so, and no day.
CREATE TEMP TABLE one AS SELECT f.model AS p, s.model AS s, cuts, history FROM families AS f JOIN limits USING (family), spend AS s, silent WHERE family = 'bg_nbd' AND customer_id = 1;
SELECT churn_level(p, NULL, '1998-06-30') AS no_history, churn_level(NULL, history, '1998-06-30') AS no_model, churn_level(p, history, '1996-01-01') AS before_all,
       churn_level((SELECT fit_purchase_model(h, '1998-06-30') FROM (VALUES (NULL::purchase_history)) AS v (h)), history, '1998-06-30') AS unfitted,
       churn_level(p, history, NULL) AS no_day, churn_next_change(p, history, '1996-01-01') AS first_purchase, churn_next_change(p, NULL, '1998-06-30') AS null_history FROM one;
SELECT future_value_band(p, s, NULL, '1998-06-30', cuts) AS no_history, future_value_band(p, NULL, history, '1998-06-30', cuts) AS no_model, future_value_band(p, s, history, '1998-06-30', NULL) AS no_limits,
       future_value_band(p, s, '{}', '1998-06-30', cuts) AS no_purchase, future_value_next_change(p, s, '{}', '1998-06-30', cuts) AS never, future_value_next_change(p, s, history, '1996-01-01', cuts) AS first_purchase FROM one;
SELECT rfm_next_change('{}', '1998-06-30', rfm) AS never, rfm_next_change(NULL, '1998-06-30', rfm) AS nothing, pmg_next_change('{}', '1998-06-30', pmg) AS no_turnover FROM cuts LIMIT 1;
-- One rule: the level of a customer is that of the probabilities, the band that of the value.
SELECT count(*) AS customers, count(*) FILTER (WHERE churn_level(p, h, '1998-06-30') <> churn_level(churn_probability(p, h, '1998-06-30', '90 days'), churn_probability(p, h, '1998-06-30', '365 days'))) AS levels_differ,
       count(*) FILTER (WHERE future_value_band(p, s, h, '1998-06-30', cuts) <> future_value_band(future_value(p, s, h, '1998-06-30', '365 days', 0.10, 1), cuts)) AS bands_differ
FROM one, (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS c;
SELECT churn_level(x, l) AS level, x, l FROM (VALUES (0.0, NULL), (0.329, 0.95), (0.33, 0.0), (0.66, 0.95), (1, 1), (0, 0.951), (NULL, 1)) AS v (x, l);
SELECT churn_level(0.5, NULL, '{"medium_from": 0.5, "high_from": 0.5}') AS at_both, churn_level(0.5, 1, '{"lost_above": 1}') AS not_above, churn_level(0.5, 1, NULL) AS no_options;
SELECT future_value_band(v, cuts), v = (cuts).gros_from AS at_high FROM one, LATERAL (VALUES (NULL), (-1), (0.0), (0.01), ((cuts).moyens_from), ((cuts).gros_from)) AS v (v);
SELECT future_value_band(1, NULL) AS no_limits;
CALL refused('SELECT churn_level(1.5, 0)');
CALL refused('SELECT churn_level(0, ''NaN'')');
CALL refused('SELECT churn_level(0.5, 0.5, ''{"medium_from": 0.7}'')');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"horizon": 90}'') FROM one');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"medium": 0.5}'') FROM one');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"medium_from": 0.7}'') FROM one');
CALL refused('SELECT churn_next_change(p, history, ''infinity'') FROM one');
CALL refused('SELECT churn_level(s, history, ''1998-06-30'') FROM one');
CALL refused('SELECT future_value_band(p, s, history, ''1998-06-30'', cuts, ''{"horizon": "1 moon"}'') FROM one');
CALL refused('SELECT future_value_next_change(p, s, history, ''1998-06-30'', cuts, ''[]'') FROM one');
CALL refused('SELECT pmg_next_change(history, ''1998-06-30'', cuts, 0) FROM one');
CALL refused('SELECT rfm_next_change(history, ''-infinity'', rfm) FROM one, cuts');

-- Parallel plans give the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TEMP VIEW moves AS
  SELECT count(*), count(*) FILTER (WHERE churn_level(p, silent.history, '1998-06-30') = 'lost') AS lost,
         sum(churn_next_change(p, silent.history, '1998-06-30') - date '1998-06-30') AS churn_days,
         sum(pmg_next_change(silent.history, '1998-06-30', cuts) - date '1998-06-30') AS pmg_days
  FROM silent, (VALUES (pg_catalog.current_setting('test.p')::jsonb, pg_catalog.current_setting('test.cuts')::pmg_cuts)) AS v (p, cuts);
SELECT set_config('test.p', p::text, false) <> '' AS p, set_config('test.cuts', cuts::text, false) <> '' AS cuts FROM one;
CREATE TEMP TABLE parallel_moves AS SELECT * FROM moves;
SET max_parallel_workers_per_gather = 0;
SELECT moves.*, moves = parallel_moves AS same FROM moves, parallel_moves;
