-- Value stacks: the best of candidates for what a customer will bring, judged on days of the past.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE UNLOGGED TABLE public.histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
ANALYZE histories;
CREATE TABLE public.stack AS SELECT fit_value_stack(history, '1997-12-31', '{"horizon": "180 days"}') AS model FROM histories;
SELECT model ->> 'kind' AS kind, model ->> 'horizon' AS horizon, model ->> 'candidate' AS candidate, model ->> 'inner_days' AS inner_days, model ->> 'inner_horizon' AS inner_horizon,
       model ->> 'customers' AS customers, model ->> 'sample' AS sample, jsonb_path_query_array(model, '$.warnings[*].code') AS warnings FROM stack;
SELECT c ->> 'candidate' AS candidate, round((c ->> 'spearman')::numeric, 3) AS spearman, round((c ->> 'bias')::numeric, 3) AS bias, round((c ->> 'mae')::numeric, 3) AS mae, round((c ->> 'top_tenth')::numeric, 3) AS top_tenth
FROM stack, jsonb_array_elements(model -> 'candidates') AS c ORDER BY 1;
SELECT c ->> 'term' AS term, round((c ->> 'estimate')::numeric, 3) AS estimate FROM stack, jsonb_array_elements(model -> 'coefficients') AS c ORDER BY 1;

-- What came, which the model has not seen, beside last year's turnover and purchase model x spend model.
SELECT by, round(corr(r, actual_r)::numeric, 3) AS spearman, round(sum(value) / sum(actual) - 1, 2) AS bias
FROM (SELECT by, value, actual, (rank() OVER (PARTITION BY by ORDER BY value) + count(*) OVER (PARTITION BY by, value) / 2.0)::float8 AS r,
             (rank() OVER (PARTITION BY by ORDER BY actual) + count(*) OVER (PARTITION BY by, actual) / 2.0)::float8 AS actual_r
      FROM histories, stack, LATERAL (SELECT turnover(history, '1997-12-31', '1998-06-29') AS actual) AS a,
           (SELECT fit_purchase_model(history, '1997-12-31', '{"family": "mbg_nbd"}') AS p, fit_spend_model(history, '1997-12-31', '{"family": "gamma_gamma"}') AS s FROM histories) AS m,
           LATERAL (VALUES ('stack', future_value(model, history, '1997-12-31', '{"discount_rate": 0}')), ('last year', turnover(history, '1996-12-31', '1997-12-31') * 180 / 365),
                           ('purchases x spend', future_value(p, s, history, '1997-12-31', '180 days', 0))) AS v (by, value)) AS t
GROUP BY by ORDER BY by;

-- Discount, margin, NULLs.
SELECT customer_id, round(future_value(model, history, '1997-12-31'), 2) AS value, round(future_value(model, history, '1997-12-31', '{"discount_rate": 0}'), 2) AS undiscounted,
       round(future_value(model, history, '1997-12-31', '{"discount_rate": 0, "margin": 0.3}'), 2) AS at_30_percent, round(future_value(model, history, '1999-12-31'), 2) AS much_later
FROM stack, histories WHERE customer_id IN (1, 3, 6) ORDER BY 1;
SELECT future_value(model, '{}', '1997-12-31') AS no_purchase, future_value(model, history, '1996-12-31') AS before, future_value(NULL::jsonb, history, '1997-12-31') AS no_model FROM stack, histories WHERE customer_id = 1;

-- Goods sent back on a later day lower the value as those sent back the same day do.
CREATE TABLE public.sp AS SELECT c, purchase_history(date '2024-01-01' + k * 20 + c % 5, (20 + (c * 37) % 60 + (k * 13) % 11)::numeric) h FROM generate_series(1, 500) c, generate_series(0, 1 + c % 4) k GROUP BY c;
WITH m AS (SELECT fit_spend_model(h, '2024-12-31') s, fit_purchase_model(h, '2024-12-31', '{"family":"mbg_nbd"}') p, fit_value_stack(h, '2024-12-31') v FROM sp)
SELECT n, expected_spend(s, x::purchase_history, '2024-12-31') AS spend, future_value(p, s, x::purchase_history, '2024-12-31', '1 year') AS value, future_value(m.v, x::purchase_history, '2024-12-31') AS by_stack
FROM m, (VALUES ('kept', '{2024-06-01:1:100,2024-09-01:1:100}'), ('back the same day', '{2024-06-01:1:100,2024-09-01:1:0}'), ('back ten days later', '{2024-06-01:1:100,2024-09-01:1:100,2024-09-10:0:-100}')) v (n, x);

-- Serial, parallel, merged, stored: to the last bit.
SELECT (SELECT model FROM stack) = fit_value_stack(merged) AS merged
FROM (SELECT merge(rows) AS merged
      FROM (SELECT value_stack_rows(history, '1997-12-31', '{"horizon": "180 days"}')::text::value_stack_rows AS rows FROM histories GROUP BY customer_id % 7) AS parts) AS m;
SELECT set_config(name, 'on', false) AS parallel FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT (SELECT model FROM stack) = fit_value_stack(history, '1997-12-31', '{"horizon": "180 days"}') AS parallel FROM histories;
SELECT set_config(name, 'off', false) AS serial FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT one ->> 'sample' AS sample, one ->> 'customers' AS customers, one = other AS same
FROM (SELECT fit_value_stack(history, '1997-12-31', '{"sample": 500}' ORDER BY customer_id) AS one, fit_value_stack(history, '1997-12-31', '{"sample": 500}' ORDER BY customer_id DESC) AS other FROM histories) AS s;

-- The day on which a band changes, asked day by day; a season too.
CREATE TABLE public.bands AS
  SELECT model, cuts FROM (SELECT model FROM stack UNION ALL
      SELECT fit_value_stack(history, '1997-12-31', '{"horizon": "90 days", "season": [0.6, 0.7, 0.8, 0.9, 1, 1, 1, 1, 1, 1.2, 1.5, 2]}') FROM histories) AS m,
    LATERAL (SELECT pmg_cuts(future_value(model, history, '1997-12-31'), '{"mode": "cumulative", "gros": 0.5, "moyens": 0.8}') AS cuts FROM histories) AS c;
SELECT model -> 'season' <> 'null' AS season, count(*) AS customers, count(told) FILTER (WHERE told < date '1997-12-31' + 121) AS change, count(*) FILTER (WHERE told < asked) AS early,
       count(*) FILTER (WHERE asked < told OR asked IS NOT NULL AND told IS NULL) AS late
FROM (SELECT model, future_value_next_change(model, h, '1997-12-31', cuts) AS told,
             (SELECT min(date '1997-12-31' + n) FROM generate_series(1, 120) AS n
              WHERE future_value_band(future_value(model, h, '1997-12-31'), cuts) <> future_value_band(future_value(model, h, date '1997-12-31' + n), cuts)) AS asked
      FROM bands, (SELECT customer_id, until(history, '1997-12-31') AS h FROM histories) AS c WHERE customer_id % 12 = 0 AND purchase_days(h) > 0) AS t GROUP BY 1 ORDER BY 1;
-- What is known of already comes first: a purchase, a return.
SELECT future_value_next_change(model, '{1997-12-01:1:10,1998-01-03:1:10}', '1997-12-31', cuts) <= '1998-01-03' AS purchase, future_value_next_change(model, '{1997-12-01:1:10,1998-01-03:0:-10}', '1997-12-31', cuts) <= '1998-01-03' AS back FROM bands;

-- Too little: a value that says so and scores nobody; a short log: the purchase model as it is.
SELECT m.model, future_value(m.model, '{2024-01-01:1:10}', '2024-02-01') AS value FROM (SELECT fit_value_stack(history, '1990-01-01') AS model FROM histories) AS m;
SELECT m.model ->> 'candidate' AS candidate, jsonb_path_query_array(m.model, '$.warnings[*].code') AS warnings, future_value(m.model, '{2024-01-01:1:10,2024-02-01:1:10}', '2024-03-01') > 0 AS value
FROM (SELECT fit_value_stack(h, '2024-02-05') AS model FROM (VALUES ('{2024-01-01:1:10,2024-02-01:1:12}'::purchase_history), ('{2024-01-05:1:10}')) AS v (h)) AS m;

-- Wrong arguments.
CALL refused('SELECT fit_value_stack(history, ''1997-12-31'', ''{"horizont": "90 days"}'') FROM histories');
CALL refused('SELECT fit_value_stack(history, ''1997-12-31'', ''{"family": "mbg_cnbd_k"}'') FROM histories');
CALL refused('SELECT fit_value_stack(history, ''1997-12-31'', ''{"season": "summer"}'') FROM histories');
CALL refused('SELECT fit_value_stack(history, ''1997-12-31'', NULL) FROM histories');
CALL refused('SELECT fit_value_stack(history, NULL) FROM histories');
CALL refused('SELECT fit_value_stack(history, date ''1997-12-31'' + customer_id % 2) FROM histories');
CALL refused('SELECT merge(rows) FROM (SELECT value_stack_rows(history, date ''1997-12-31'' - 7 * (customer_id % 2)) AS rows FROM histories GROUP BY customer_id % 2) AS r');
CALL refused('SELECT ''\x00''::value_stack_rows');
CALL refused('SELECT future_value(''{"kind": "value_stack", "version": 2}''::jsonb, history, ''1997-12-31'') FROM histories');
CALL refused('SELECT future_value(model - ''kind'', history, ''1997-12-31'') FROM stack, histories');
CALL refused('SELECT future_value(model || ''{"intercept": "high"}'', history, ''1997-12-31'') FROM stack, histories');
CALL refused('SELECT future_value(jsonb_set(model, ''{coefficients,0,term}'', ''"shoe_size"''), history, ''1997-12-31'') FROM stack, histories');
CALL refused('SELECT future_value(model, history, ''1997-12-31'', ''{"discount_rate": -1}'') FROM stack, histories');
CALL refused('SELECT future_value(model, history, ''infinity'') FROM stack, histories');
CALL refused('SELECT future_value_next_change(model, ''{}'', ''1997-12-31'', cuts, ''{"horizon": "1 year"}'') FROM bands');
DROP TABLE public.histories, public.stack, public.sp, public.bands;
