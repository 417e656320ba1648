-- Spend models and future value.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE UNLOGGED TABLE public.histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
ANALYZE histories;

-- CDNOW to 30 September 1997: 946 customers who bought again, p 6.25, q 3.74, v 15.44 (Fader and Hardie, note 025), log-likelihood -4055.9177 (CLVTools).
CREATE TEMP TABLE spend AS SELECT fit_spend_model(history, '1997-09-30', '{"family": "gamma_gamma"}') AS model FROM histories;
SELECT model ->> 'kind' AS kind, model ->> 'family' AS family, model ->> 'transactions' AS transactions, model ->> 'as_of' AS as_of, model ->> 'customers' AS customers,
       model -> 'skipped' AS skipped, model -> 'warnings' AS warnings FROM spend;
SELECT round((model #>> '{parameters,p}')::numeric, 2) AS p, round((model #>> '{parameters,q}')::numeric, 2) AS q, round((model #>> '{parameters,v}')::numeric, 2) AS v,
       round((model ->> 'log_likelihood')::numeric, 4) AS log_likelihood,
       round((model #>> '{standard_errors,p}')::numeric, 3) AS se_p, round((model #>> '{standard_errors,q}')::numeric, 3) AS se_q, round((model #>> '{standard_errors,v}')::numeric, 3) AS se_v FROM spend;
-- The ten customers of the literature: printed from a fit, not from the rounded parameters, which move the second decimal.
CREATE FUNCTION pg_temp.spend_model(p numeric, q numeric, v numeric) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('kind', 'spend_model', 'version', 1, 'family', 'gamma_gamma', 'transactions', 'repeat', 'as_of', '1997-09-30',
    'parameters', jsonb_build_object('p', p, 'q', q, 'v', v), 'log_likelihood', -1, 'customers', 1, 'cells', 1) $$;
SELECT customer_id, purchase_days(history, '1997-09-30') - 1 AS repeats, round(expected_spend(pg_temp.spend_model(6.25, 3.74, 15.44), history, '1997-09-30'), 2) AS by_rounded,
       round(expected_spend(model, history, '1997-09-30'), 2) AS by_our_fit,
       (ARRAY[24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17])[customer_id] AS printed
FROM histories, spend WHERE customer_id <= 10 ORDER BY customer_id;
-- The formula in SQL, for all customers: p (v + x m) / (p x + q - 1); who has no repeat spend above 0 has the mean of all.
SELECT count(*) AS customers, count(*) FILTER (WHERE x = 0) AS one_time, max(abs(expected_spend(model, history, '1997-09-30') - by_formula)) <= 0.0001 AS same
FROM (SELECT model, history, x, p * (v + CASE WHEN m > 0 THEN x * m ELSE 0 END) / (p * CASE WHEN m > 0 THEN x ELSE 0 END + q - 1) AS by_formula
      FROM spend, jsonb_to_record(model -> 'parameters') AS k (p numeric, q numeric, v numeric), histories,
      LATERAL (SELECT purchase_days(history, '1997-09-30') - 1 AS x, turnover(history, first_purchase(history), '1997-09-30') / nullif(purchase_days(history, '1997-09-30') - 1, 0) AS m) AS s) AS t;

-- Future value of customer 1: 36.86 by our fits of the log.
CREATE TEMP TABLE purchases AS SELECT fit_purchase_model(history, '1997-09-30', '{"family": "bg_nbd"}') AS model FROM histories;
SELECT round(future_value(p.model, s.model, history, '1997-09-30', '365 days'), 2) AS value, round(future_value(p.model, s.model, history, '1997-09-30', '365 days', discount_rate => 0), 2) AS undiscounted,
       round(future_value(p.model, s.model, history, '1997-09-30', '365 days', 0.10, 0.3), 2) AS margin_30_percent, round(future_value(p.model, s.model, history, '1997-09-30', '1 year', margin => 1, discount_rate => 1), 2) AS at_100_percent
FROM purchases AS p, spend AS s, histories WHERE customer_id = 1;
-- By lifetimes' own parameters, which it fits to a summary in rounded weeks: 36.87 with discount by the day. Its summary is (2, 30.43, 38.86) weeks:
-- a hundredth of a week plays the day here. Its own sum (12 steps of 4.345 weeks, 1 % a step) is 36.28, from differences of expected purchases.
CREATE TEMP TABLE lifetimes AS
  SELECT '{"kind": "purchase_model", "version": 1, "family": "bg_nbd", "unit": "100 days", "as_of": "1997-09-30", "log_likelihood": 0, "customers": 2357, "cells": 1,
           "parameters": {"r": 0.24259292827982148, "alpha": 4.413532265271809, "a": 0.7928859664406578, "b": 2.4257523826257374}}'::jsonb AS model,
         pg_temp.spend_model(6.24880249607099, 3.7445884609237634, 15.447748064943575) AS spend,
         '{1990-01-01:1:29.33,1990-01-02:1:29.73,1998-05-02:1:14.97}'::purchase_history AS history, date '1990-01-01' + 3886 AS as_of;
SELECT last_purchase(history) - first_purchase(history) AS tx, round(expected_spend(spend, history, as_of), 4) AS spend,
       round(future_value(model, spend, history, as_of, interval '1 day' * (36500.0 / 7), 1.1 ^ 0.07 - 1), 2) AS ours,
       (SELECT round(sum((expected_purchases(model, history, as_of, i * interval '434 days 12 hours') - expected_purchases(model, history, as_of, (i - 1) * interval '434 days 12 hours')) * 24.65861619 / 1.01 ^ i)::numeric, 4)
        FROM generate_series(1, 12) AS i) AS lifetimes FROM lifetimes;
-- Without a discount it is expected purchases times expected spend; with one it is the sum over the days, each discounted from its middle.
SELECT family, count(*) AS customers, max(abs(undiscounted - purchases * spend)) < 0.001 AS product, bool_and(value <= undiscounted) AS no_more, bool_and(value >= undiscounted / 1.1 ^ (273 / 365.25) - 0.0001) AS not_much_less
FROM (SELECT family, future_value(p, s.model, history, '1997-09-30', '39 weeks', 0) AS undiscounted, future_value(p, s.model, history, '1997-09-30', '39 weeks') AS value,
             expected_purchases(p, history, '1997-09-30', '39 weeks')::numeric AS purchases, expected_spend(s.model, history, '1997-09-30') AS spend
      FROM (SELECT family, fit_purchase_model(history, '1997-09-30', jsonb_build_object('family', family)) AS p FROM histories, unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k}'::text[]) AS family GROUP BY family) AS f,
           spend AS s, histories) AS t GROUP BY family ORDER BY family;
SELECT round(future_value(p.model, s.model, history, '1997-09-30', '365 days'), 1) = round(sum(s.each * (expected_purchases(p.model, history, '1997-09-30', d * interval '1 day') - expected_purchases(p.model, history, '1997-09-30', (d - 1) * interval '1 day')) / 1.1 ^ ((d - 0.5) / 365.25))::numeric, 1) AS by_days
FROM purchases AS p, (SELECT model, expected_spend(model, history, '1997-09-30')::float8 AS each FROM spend, histories WHERE customer_id = 1) AS s, histories, generate_series(1, 365) AS d WHERE customer_id = 1 GROUP BY p.model, s.model, history;

-- Hold-out: what was foreseen for the next 39 weeks, and what came.
SELECT count(*) AS customers, round(sum(future_value(p.model, s.model, history, '1997-09-30', '39 weeks', 0))) AS foreseen, sum(turnover(history, '1997-09-30')) AS came,
       count(*) FILTER (WHERE turnover(history, '1997-09-30') BETWEEN (i).lower AND (i).upper) * 100 / count(*) AS percent_inside,
       bool_and((i).lower <= (i).upper AND (i).lower >= 0) AS in_order, bool_and((wide).upper >= (i).upper AND (wide).lower <= (i).lower) AS wider_at_99
FROM purchases AS p, spend AS s, histories,
     LATERAL (SELECT future_value_interval(p.model, s.model, history, '1997-09-30', '39 weeks', 0) AS i,
                     future_value_interval(p.model, s.model, history, '1997-09-30', '39 weeks', discount_rate => 0, margin => 1, level => 0.99) AS wide) AS v
WHERE customer_id % 3 = 0;
SELECT customer_id, future_value_interval(p.model, s.model, history, '1997-09-30', '365 days') AS interval FROM purchases AS p, spend AS s, histories WHERE customer_id IN (1, 3, 6) ORDER BY 1;

-- Options, and what is refused.
SELECT t AS transactions, round((model #>> '{parameters,p}')::numeric, 3) AS p, round((model #>> '{parameters,q}')::numeric, 3) AS q, round((model #>> '{parameters,v}')::numeric, 3) AS v, model -> 'customers' AS customers, round(expected_spend(model, history, '1997-09-30'), 2) AS customer_1
FROM (SELECT t, fit_spend_model(history, '1997-09-30', jsonb_build_object('family', 'gamma_gamma', 'transactions', t)) AS model FROM histories, unnest('{repeat,all}'::text[]) AS t GROUP BY t) AS m, histories WHERE customer_id = 1 ORDER BY t;
SELECT fit_spend_model(history, '1997-09-30', '{"family": "gamma_gamma", "first_purchase_from": "1997-02-01", "first_purchase_to": "1997-02-28"}') -> 'skipped' AS february,
       round((fit_spend_model(history, '1997-09-30', '{"family": "gamma_gamma", "penalty": 1e6}') #>> '{parameters,q}')::numeric, 3) AS penalised,
       fit_spend_model(history, '1997-09-30', '{}') = fit_spend_model(history, '1997-09-30') AS empty_options FROM histories;
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', ''{"family": "normal"}'') FROM histories');
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', ''{"transactions": "first"}'') FROM histories');
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', ''{"penalty": -1}'') FROM histories');
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', ''[]'') FROM histories');
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', ''{"first_purchase_from": "1998-01-01", "first_purchase_to": "1997-01-01"}'') FROM histories');
CALL refused('SELECT fit_spend_model(history, ''infinity'') FROM histories');
CALL refused('SELECT fit_spend_model(history, NULL) FROM histories');
CALL refused('SELECT fit_spend_model(history, ''1997-09-30'', NULL) FROM histories');
CALL refused('SELECT fit_spend_model(history, first_purchase(history)) FROM histories');
-- Models by hand or by strangers.
CREATE FUNCTION pg_temp.spend(model jsonb) RETURNS numeric LANGUAGE sql AS $$ SELECT expected_spend(model, '{2024-01-01:1:10,2024-02-01:1:10}'::purchase_history, '2024-06-30') $$;
CREATE PROCEDURE pg_temp.wrong(change jsonb) LANGUAGE plpgsql AS $$ BEGIN CALL refused(format('SELECT pg_temp.spend(jsonb_strip_nulls(pg_temp.spend_model(6.25, 3.74, 15.44) || %L))', change)); END $$;
CALL pg_temp.wrong('{"kind": "purchase_model"}');
CALL pg_temp.wrong('{"version": 3}');
CALL pg_temp.wrong('{"family": "normal"}');
CALL pg_temp.wrong('{"transactions": "some"}');
CALL pg_temp.wrong('{"transactions": null}');
CALL pg_temp.wrong('{"as_of": "today"}');
CALL pg_temp.wrong('{"parameters": {"p": 6.25, "q": 3.74}}');
CALL pg_temp.wrong('{"parameters": {"p": 6.25, "q": 3.74, "v": 0}}');
CALL pg_temp.wrong('{"parameters": {"p": 6.25, "q": 3.74, "v": "15"}}');
CALL pg_temp.wrong('{"parameters": {"p": 6.25, "q": 3.74, "v": 15, "w": 1}}');
CALL pg_temp.wrong('{"covariance": [[1, 2, 3]]}');
CALL pg_temp.wrong('{"customers": "many"}');
CALL pg_temp.wrong('{"unit": "1 week"}');
CALL refused('SELECT expected_spend(model, history, ''1997-09-30'') FROM purchases, histories WHERE customer_id = 1');
-- The two models in the wrong order, horizons, rates, margins, levels.
CALL refused('SELECT future_value(s.model, p.model, history, ''1997-09-30'', ''1 year'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, p.model, history, ''1997-09-30'', ''1 year'') FROM purchases AS p, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''1997-09-30'', ''-1 year'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''1997-09-30'', ''2000 years'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''infinity'', ''1 year'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''1997-09-30'', ''1 year'', -1) FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''1997-09-30'', ''1 year'', ''NaN'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value(p.model, s.model, history, ''1997-09-30'', ''1 year'', 0.1, ''Infinity'') FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
CALL refused('SELECT future_value_interval(p.model, s.model, history, ''1997-09-30'', ''1 year'', level => 1) FROM purchases AS p, spend AS s, histories WHERE customer_id = 1');
SELECT future_value(p.model, s.model, history, '1997-09-30', '0') AS zero_horizon, future_value_interval(p.model, s.model, history, '1997-09-30', '0') AS zero_interval, round(future_value(p.model, s.model, history, '1997-09-30', '1 year', margin => -0.5), 2) AS at_a_loss
FROM purchases AS p, spend AS s, histories WHERE customer_id = 1;

-- Refunds, free orders, customers whose repeat spend is nothing: counted, never a NaN; they have the mean of all as expectation.
SELECT fit_spend_model(h::purchase_history, '2024-06-30', '{"family": "gamma_gamma", "first_purchase_from": "2023-01-01", "first_purchase_to": "2024-03-31"}') -> 'skipped' AS means,
       fit_spend_model(h::purchase_history, '2024-06-30', '{"first_purchase_from": "2023-01-01", "first_purchase_to": "2024-03-31"}') -> 'skipped' AS days
FROM unnest('{NULL,"{}","{2024-02-01:0:-3}","{2024-07-01:1:1}","{2022-12-31:1:1}","{2024-04-01:1:1}","{2024-02-01:1:1}","{2024-02-05:1:1,2024-03-01:1:0}","{2024-02-05:1:1,2024-03-01:1:-5}"}'::text[]) AS h;
SELECT h, expected_spend(model, h::purchase_history, '2024-06-30') AS spend
FROM spend, unnest('{"{2024-01-01:1:10}","{2024-01-01:1:10,2024-02-01:1:0}","{2024-01-01:1:10,2024-02-01:1:5,2024-03-01:1:-20}","{2024-01-01:1:10,2024-02-01:1:5,2024-02-03:0:-5}","{2024-01-01:1:10,2024-02-01:1:1000000}","{}","{2024-07-01:1:10}"}'::text[]) AS h;
-- q <= 1: no finite mean without purchases; NULL, not a number that means nothing.
SELECT expected_spend(pg_temp.spend_model(2, 0.9, 15), '{2024-01-01:1:10}', '2024-06-30') AS one_time, expected_spend(pg_temp.spend_model(2, 0.9, 15), '{2024-01-01:1:10,2024-02-01:1:10}', '2024-06-30') AS repeat,
       future_value(p.model, pg_temp.spend_model(2, 0.9, 15), '{2024-01-01:1:10}', '2024-06-30', '1 year') AS value FROM purchases AS p;
-- Not enough to learn from: a value that says why, and NULL scores; alike amounts: a warning.
CREATE TEMP TABLE none AS SELECT fit_spend_model('{2024-01-01:1:10}'::purchase_history, '2024-06-30', '{"transactions": "repeat"}') AS model FROM generate_series(1, 50);
SELECT model FROM none;
SELECT expected_spend(none.model, '{2024-01-01:1:10}', '2024-06-30') AS spend, future_value(p.model, none.model, '{2024-01-01:1:10}', '2024-06-30', '1 year') AS value,
       future_value_interval(p.model, none.model, '{2024-01-01:1:10}', '2024-06-30', '1 year') AS interval FROM none, purchases AS p;
SELECT name, jsonb_path_query_array(model, '$.warnings[*].code') AS warnings, model::text ~* 'nan|inf[^i]' AS not_a_number, expected_spend(model, '{2024-01-01:1:10,2024-02-01:1:10}', '2024-06-30') AS spend
FROM (SELECT name, fit_spend_model(h, '2024-06-30') AS model
      FROM (SELECT 'all alike' AS name, '{2024-01-01:1:10,2024-02-01:1:10,2024-03-01:1:10}'::purchase_history AS h FROM generate_series(1, 200)
            UNION ALL SELECT 'one customer', '{2024-01-01:1:10,2024-02-01:1:10}'
            UNION ALL SELECT 'two customers', '{2024-01-01:1:10,2024-02-01:1:10}' UNION ALL SELECT 'two customers', '{2024-01-01:1:10,2024-02-01:1:20}'
            UNION ALL SELECT 'huge and tiny', format('{2024-01-01:1:10,2024-02-01:1:%s}', CASE WHEN n % 2 = 0 THEN 0.0001 ELSE 900000000000 END)::purchase_history FROM generate_series(1, 100) AS n) AS t GROUP BY name) AS m ORDER BY name;
-- NULLs.
SELECT num_nulls(expected_spend(NULL, '{2024-01-01:1:1}', '2024-06-30'), expected_spend(s.model, NULL, '2024-06-30'), expected_spend(s.model, '{2024-01-01:1:1}', NULL),
                 future_value(NULL, s.model, '{2024-01-01:1:1}', '2024-06-30', '1 day'), future_value(p.model, NULL, '{2024-01-01:1:1}', '2024-06-30', '1 day'), future_value(p.model, s.model, NULL, '2024-06-30', '1 day'),
                 future_value(p.model, s.model, '{}', '2024-06-30', '1 day'), future_value_interval(p.model, s.model, '{2024-01-01:1:1}', '2024-06-30', NULL)) AS nulls FROM purchases AS p, spend AS s;

-- Each day's amount, by default: how regular a customer's amounts are differs, and one-time buyers' amount counts where a back-test says so.
CREATE TEMP TABLE days AS SELECT f AS family, fit_spend_model(history, '1997-09-30', jsonb_build_object('family', f)) AS model FROM histories, unnest('{gamma_gamma_days,gamma_gamma_mixture}'::text[]) AS f GROUP BY f;
SELECT family, model ->> 'transactions' AS transactions, (model #>> '{compared,every}')::numeric < (model #>> '{compared,repeat}')::numeric AS every_is_better, round((model ->> 'log_likelihood')::numeric, 1) AS log_likelihood, model -> 'skipped' AS skipped, model -> 'warnings' AS warnings FROM days ORDER BY 1;
SELECT family, key, round(value::numeric, 2) AS value, round((model #>> ARRAY['standard_errors', key])::numeric, 3) AS error FROM days, jsonb_each_text(model -> 'parameters') ORDER BY 1, 2;
SELECT c ->> 'shape' AS shape, round((c ->> 'share')::numeric, 3) AS share FROM days, jsonb_array_elements(model -> 'classes') AS c WHERE family = 'gamma_gamma_mixture';
SELECT customer_id, purchase_days(history, '1997-09-30') AS days, round(monetary(history, '1997-09-30') / purchase_days(history, '1997-09-30'), 2) AS own_mean,
       round(expected_spend(d.model, history, '1997-09-30'), 2) AS by_days, round(expected_spend(m.model, history, '1997-09-30'), 2) AS by_classes
FROM histories, (SELECT model FROM days WHERE family = 'gamma_gamma_days') AS d, (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS m WHERE customer_id <= 6 ORDER BY 1;
SELECT fit_spend_model(history, '1997-09-30') = (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS default FROM histories;
-- A wholesaler: 21 orders near 150 beside customers whose orders vary by their whole mean. And an order of 168,469, sent back or not.
CREATE TABLE public.wholesale AS
  SELECT c, purchase_history(date '2023-01-01' + k * 12 + c % 5, round((-ln(((c * 7919 + k * 104729) % 997 + 1) / 998.0) * (200 + (c * 613) % 1800))::numeric, 2)) AS h
  FROM generate_series(1, 90) AS c, generate_series(0, 4 + c % 20) AS k GROUP BY c UNION ALL
  SELECT 100, purchase_history(date '2023-01-01' + k * 12, 150 + k % 5 - 2) FROM generate_series(0, 20) AS k;
SELECT round(expected_spend(model, h, '2024-01-01')) AS regular, round(expected_spend(means, h, '2024-01-01')) AS by_means,
       expected_spend(model, '{2023-06-01:1:168469}', '2024-01-01') < 20000 AS extreme, expected_spend(model, '{2023-06-01:1:900,2023-07-01:1:0}', '2024-01-01') < expected_spend(model, '{2023-06-01:1:900,2023-07-01:1:900}', '2024-01-01') AS back
FROM (SELECT fit_spend_model(h, '2024-01-01') AS model, fit_spend_model(h, '2024-01-01', '{"family": "gamma_gamma"}') AS means FROM wholesale) AS m, wholesale WHERE c = 100;
-- Goods sent back on a later day: off the latest day that came to as much, else off the latest days.
SELECT h, expected_spend(model, h::purchase_history, '2024-12-31') = expected_spend(model, same::purchase_history, '2024-12-31') AS same
FROM (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS m, (VALUES
  ('{2024-01-01:1:50,2024-02-01:1:30,2024-03-01:1:50,2024-04-01:1:20,2024-05-01:0:-50}', '{2024-01-01:1:50,2024-02-01:1:30,2024-03-01:1:0,2024-04-01:1:20}'),
  ('{2024-01-01:1:50,2024-02-01:1:30,2024-03-01:1:50,2024-04-01:1:20,2024-05-01:0:-45}', '{2024-01-01:1:50,2024-02-01:1:30,2024-03-01:1:25,2024-04-01:1:0}'),
  ('{2024-01-01:0:-10,2024-02-01:1:30}', '{2024-02-01:1:30}'), ('{2024-02-01:1:30,2024-05-01:0:-999}', '{2024-02-01:1:0}'), ('{2024-02-01:1:30,2025-01-01:0:-30}', '{2024-02-01:1:30}')) AS v (h, same);
-- Models by strangers.
CREATE PROCEDURE pg_temp.wrong_days(change jsonb) LANGUAGE plpgsql AS $$ BEGIN CALL refused(format('SELECT pg_temp.spend(jsonb_strip_nulls(model || %L)) FROM days WHERE family = %L', change, 'gamma_gamma_mixture')); END $$;
CALL pg_temp.wrong_days('{"family": "gamma_gamma"}');
CALL pg_temp.wrong_days('{"classes": []}');
CALL pg_temp.wrong_days('{"classes": null}');
CALL pg_temp.wrong_days('{"nothing": 2}');
CALL pg_temp.wrong_days('{"transactions": "auto"}');
CALL pg_temp.wrong_days('{"compared": {"repeat": 1}}');
CALL pg_temp.wrong_days('{"covariance": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}');

-- Parts merged, in any order, are the whole, byte by byte; in parallel too; text and binary come back.
CREATE TEMP TABLE parts AS SELECT customer_id % 7 AS part, spend_cells(history, '1997-09-30') AS cells, spend_cells(history, '1997-09-30', '{"family": "gamma_gamma"}') AS of_all FROM histories GROUP BY 1;
SELECT merge(cells)::text = (SELECT spend_cells(history, '1997-09-30')::text FROM histories) AS same_bytes, merge(cells ORDER BY part DESC)::text = merge(cells ORDER BY part)::text AS any_order,
       fit_spend_model(merge(of_all)) = (SELECT model FROM spend) AND fit_spend_model(merge(cells)) = (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS same_model, bool_and(cells::text::spend_cells::text = cells::text) AS round_trip, bool_and(segmentation_internal.spend_cells_send(cells) = cells::text::bytea) AS sends_its_bytes,
       merge(NULL::spend_cells) IS NULL AND fit_spend_model(NULL::spend_cells) IS NULL AS nulls FROM parts;
CALL refused('SELECT merge(c) FROM (SELECT cells AS c FROM parts UNION ALL SELECT of_all FROM parts) AS t');
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/spend_cells.bin'
COPY parts TO :'file' (FORMAT binary);
CREATE TEMP TABLE copied (LIKE parts);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*) FILTER (WHERE p.cells::text = c.cells::text AND p.of_all::text = c.of_all::text) AS copied FROM parts AS p JOIN copied AS c USING (part);
CREATE FUNCTION pg_temp.read_cells(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE WHEN fit_spend_model(bytes::text::spend_cells)::text ~* 'nan|inf[^i]' THEN 'NaN' ELSE 'read' END;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || CASE WHEN SQLERRM ~* 'panic|unwrap|overflow|\.rs' THEN ' ' || SQLERRM ELSE '' END;
END
$$;
CREATE TEMP TABLE bytes AS SELECT spend_cells(history, '1997-09-30')::text::bytea AS b FROM histories WHERE customer_id <= 60;
SELECT pg_temp.read_cells(substr(b, 1, n)) AS cut_off, count(*) > 0 AS some FROM bytes, generate_series(0, length(b) - 1) AS n GROUP BY 1 ORDER BY 1;
SELECT pg_temp.read_cells(b || '\x00') AS lengthened, pg_temp.read_cells(b) AS as_it_was FROM bytes;
SELECT outcome, count(*) > 0 AS some FROM (SELECT pg_temp.read_cells(set_byte(b, n, v)) AS outcome FROM bytes, generate_series(0, length(b) - 1) AS n, unnest('{0,1,127,128,255}'::integer[]) AS v) AS t GROUP BY 1 ORDER BY 1;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT fit_spend_model(history, '1997-09-30') FROM histories;
SELECT fit_spend_model(history, '1997-09-30') = (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS same_in_parallel FROM histories;
SET timezone = 'Pacific/Kiritimati';
SET datestyle = 'German, DMY';
SET extra_float_digits = 0;
SELECT fit_spend_model(history, '1997-09-30') = (SELECT model FROM days WHERE family = 'gamma_gamma_mixture') AS same_anywhere FROM histories;
RESET ALL;
DROP TABLE public.histories, public.wholesale;
