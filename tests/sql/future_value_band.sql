-- Bands of future value, and when time alone moves one: against the band itself, asked day by day.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE TEMP TABLE families AS
  SELECT family, (SELECT fit_purchase_model(history, '1997-09-30', options) FROM silent WHERE customer_id <= 10000) AS model
  FROM unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family,
       LATERAL (SELECT jsonb_build_object('family', family) || CASE WHEN family LIKE '%_k' THEN '{"k": 3}' ELSE '{}' END::jsonb AS options) AS o;
CREATE TEMP TABLE spend AS SELECT fit_spend_model(history, '1997-09-30') AS model FROM silent;
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
SELECT future_value_band(p, s, NULL, '1998-06-30', cuts) AS no_history, future_value_band(p, NULL, history, '1998-06-30', cuts) AS no_model, future_value_band(p, s, history, '1998-06-30', NULL) AS no_limits,
       future_value_band(p, s, '{}', '1998-06-30', cuts) AS no_purchase, future_value_next_change(p, s, '{}', '1998-06-30', cuts) AS never, future_value_next_change(p, s, history, '1996-01-01', cuts) AS first_purchase FROM one;
-- One rule: the band of a customer is that of the value.
SELECT count(*) AS customers, count(*) FILTER (WHERE future_value_band(p, s, h, '1998-06-30', cuts) <> future_value_band(future_value(p, s, h, '1998-06-30', '365 days', 0.10, 1), cuts)) AS bands_differ
FROM one, (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS c;
SELECT future_value_band(v, cuts), v = (cuts).gros_from AS at_high FROM one, LATERAL (VALUES (NULL), (-1), (0.0), (0.01), ((cuts).moyens_from), ((cuts).gros_from)) AS v (v);
SELECT future_value_band(1, NULL) AS no_limits;
CALL refused('SELECT future_value_band(p, s, history, ''1998-06-30'', cuts, ''{"horizon": "1 moon"}'') FROM one');
CALL refused('SELECT future_value_next_change(p, s, history, ''1998-06-30'', cuts, ''[]'') FROM one');

-- Parallel plans give the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TEMP VIEW moves AS
  SELECT count(*), count(*) FILTER (WHERE future_value_band(p, s, history, '1998-06-30', cuts) = 'high') AS high,
         sum(future_value_next_change(p, s, history, '1998-06-30', cuts) - date '1998-06-30') AS days
  FROM silent, (VALUES (pg_catalog.current_setting('test.p')::jsonb, pg_catalog.current_setting('test.s')::jsonb, pg_catalog.current_setting('test.cuts')::pmg_cuts)) AS v (p, s, cuts)
  WHERE customer_id % 20 = 1;
SELECT set_config('test.p', p::text, false) <> '' AS p, set_config('test.s', s::text, false) <> '' AS s, set_config('test.cuts', cuts::text, false) <> '' AS cuts FROM one;
CREATE TEMP TABLE parallel_moves AS SELECT * FROM moves;
SET max_parallel_workers_per_gather = 0;
SELECT moves.*, moves = parallel_moves AS same FROM moves, parallel_moves;
