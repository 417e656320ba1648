-- Levels of churn risk, and when time alone moves one: against the level itself, asked day by day.
SET search_path = segmentation, public;
SET datestyle = ISO;
-- Under every family. Some of the log's customers, day by day for two years.
CREATE TEMP TABLE families AS
  SELECT family, (SELECT fit_purchase_model(history, '1997-09-30', options) FROM silent WHERE customer_id <= 10000) AS model
  FROM unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family,
       LATERAL (SELECT jsonb_build_object('family', family) || CASE WHEN family LIKE '%_k' THEN '{"k": 3}' ELSE '{}' END::jsonb AS options) AS o;
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

-- Without data there is a code that says so, and no day.
CREATE TEMP TABLE one AS SELECT f.model AS p, (SELECT fit_spend_model(history, '1997-09-30') FROM silent) AS s, history FROM families AS f, silent WHERE family = 'bg_nbd' AND customer_id = 1;
SELECT churn_level(p, NULL, '1998-06-30') AS no_history, churn_level(NULL, history, '1998-06-30') AS no_model, churn_level(p, history, '1996-01-01') AS before_all,
       churn_level((SELECT fit_purchase_model(h, '1998-06-30') FROM (VALUES (NULL::purchase_history)) AS v (h)), history, '1998-06-30') AS unfitted,
       churn_level(p, history, NULL) AS no_day, churn_next_change(p, history, '1996-01-01') AS first_purchase, churn_next_change(p, NULL, '1998-06-30') AS null_history FROM one;
-- One rule: the level of a customer is that of the probabilities.
SELECT count(*) AS customers, count(*) FILTER (WHERE churn_level(p, h, '1998-06-30') <> churn_level(churn_probability(p, h, '1998-06-30', '90 days'), churn_probability(p, h, '1998-06-30', '365 days'))) AS levels_differ
FROM one, (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS c;
SELECT churn_level(x, l) AS level, x, l FROM (VALUES (0.0, NULL), (0.329, 0.95), (0.33, 0.0), (0.66, 0.95), (1, 1), (0, 0.951), (NULL, 1)) AS v (x, l);
SELECT churn_level(0.5, NULL, '{"medium_from": 0.5, "high_from": 0.5}') AS at_both, churn_level(0.5, 1, '{"lost_above": 1}') AS not_above, churn_level(0.5, 1, NULL) AS no_options;
CALL refused('SELECT churn_level(1.5, 0)');
CALL refused('SELECT churn_level(0, ''NaN'')');
CALL refused('SELECT churn_level(0.5, 0.5, ''{"medium_from": 0.7}'')');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"horizon": 90}'') FROM one');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"medium": 0.5}'') FROM one');
CALL refused('SELECT churn_level(p, history, ''1998-06-30'', ''{"medium_from": 0.7}'') FROM one');
CALL refused('SELECT churn_next_change(p, history, ''infinity'') FROM one');
CALL refused('SELECT churn_level(s, history, ''1998-06-30'') FROM one');

-- Parallel plans give the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TEMP VIEW moves AS
  SELECT count(*), count(*) FILTER (WHERE churn_level(p, history, '1998-06-30') = 'lost') AS lost,
         sum(churn_next_change(p, history, '1998-06-30') - date '1998-06-30') AS churn_days
  FROM silent, (VALUES (pg_catalog.current_setting('test.p')::jsonb)) AS v (p);
SELECT set_config('test.p', p::text, false) <> '' AS p FROM one;
CREATE TEMP TABLE parallel_moves AS SELECT * FROM moves;
SET max_parallel_workers_per_gather = 0;
SELECT moves.*, moves = parallel_moves AS same FROM moves, parallel_moves;
