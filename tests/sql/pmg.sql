-- PMG: petits, moyens, gros; frozen limits; concentration.
SET search_path = segmentation, public;
SET datestyle = ISO;
SELECT enum_range(NULL::pmg) AS ascending, 'G'::pmg > 'M' AND 'M'::pmg > 'P' AND 'P'::pmg > 'I' AS in_order;

-- The worked example: nine customers, total 116,460. Two make 77.3 % of it, the third crosses 80 %, the fifth 95 %.
CREATE TEMP TABLE nine (customer text, turnover numeric);
INSERT INTO nine VALUES ('a', 48000), ('b', 42000), ('c', 8700), ('d', 8200), ('e', 6000), ('f', 2000), ('g', 950), ('h', 400), ('i', 210);
SELECT customer, turnover, round(100 * sum(turnover) OVER (ORDER BY turnover DESC) / sum(turnover) OVER (), 1) AS cumulative,
       pmg_bucket(turnover, 'cumulative') OVER () AS by_turnover,
       pmg_bucket(turnover) OVER () AS by_rank
FROM nine ORDER BY turnover DESC;
SELECT customers, round(customer_share::numeric, 3) AS customer_share, turnover, round(100 * turnover_share::numeric, 1) AS turnover_share
FROM concentration_curve((SELECT turnover_values(turnover) FROM nine), 9);

-- Limits are cumulative; whoever crosses one is in the higher class: of 20, the first is 5 %, the first four 20 %.
SELECT string_agg(b::text, '' ORDER BY n DESC) AS twenty FROM (SELECT n, pmg_bucket(n) OVER () AS b FROM generate_series(1, 20) AS n) AS t;
SELECT string_agg(b::text, '' ORDER BY n DESC) AS twenty_one FROM (SELECT n, pmg_bucket(n) OVER () AS b FROM generate_series(1, 21) AS n) AS t;
SELECT string_agg(b::text, '' ORDER BY n) AS one_of_ten_has_all_but_a_bit FROM (SELECT n, pmg_bucket(CASE n WHEN 1 THEN 1000 ELSE 1 END, 'cumulative') OVER () AS b FROM generate_series(1, 10) AS n) AS t;
-- One's own limits, by position and by name, up to the whole.
SELECT string_agg(a::text, '' ORDER BY n DESC) AS half_and_most, string_agg(b::text, '' ORDER BY n DESC) AS no_moyens, string_agg(c::text, '' ORDER BY n DESC) AS all_gros,
       string_agg(d::text, '' ORDER BY n DESC) AS moyens_only
FROM (SELECT n, pmg_bucket(n, 'rank', .5, .8) OVER () AS a, pmg_bucket(n, mode => 'rank', moyens => .3, gros => .3) OVER () AS b,
             pmg_bucket(n, 'cumulative', 1, 1) OVER () AS c, pmg_bucket(n, moyens => 1) OVER () AS d
      FROM generate_series(1, 10) AS n) AS t;
-- Shares are decimals, not doubles: .7 of 10 is 7.
SELECT gros, count(*) FILTER (WHERE b = 'G') AS g
FROM (SELECT gros, pmg_bucket(n, 'rank', gros, 1) OVER (PARTITION BY gros) AS b FROM unnest('{.1,.2,.3,.6,.7,.9}'::numeric[]) AS gros, generate_series(1, 10) AS n) AS t GROUP BY gros ORDER BY gros;

-- Ties get one class.
SELECT turnover, count(*), min(rank_class) AS by_rank, min(cumulative_class) AS cumulative, count(DISTINCT rank_class) + count(DISTINCT cumulative_class) = 2 AS one_class_each
FROM (SELECT turnover, pmg_bucket(turnover) OVER () AS rank_class, pmg_bucket(turnover, 'cumulative') OVER () AS cumulative_class
      FROM (VALUES (100), (100), (100), (50), (50), (10), (10), (10), (10), (1)) AS v (turnover)) AS t GROUP BY turnover ORDER BY turnover DESC;
-- Not above 0 is inactive, and no part of the limits. NULL is nobody.
SELECT turnover, pmg_bucket(turnover) OVER () AS class FROM (VALUES (10.00), (9), (8), (7), (6), (0), (-0.01), (-100), (NULL)) AS v (turnover) ORDER BY turnover DESC NULLS LAST;
SELECT count(*) FILTER (WHERE b = 'G') AS g, count(*) FILTER (WHERE b = 'M') AS m, count(*) FILTER (WHERE b = 'P') AS p, count(*) FILTER (WHERE b = 'I') AS i
FROM (SELECT pmg_bucket(CASE WHEN n <= 100 THEN n ELSE 0 END) OVER () AS b FROM generate_series(1, 10000) AS n) AS t;
SELECT turnover, pmg_bucket(turnover, mode) OVER (PARTITION BY mode) AS nobody_active, mode FROM (VALUES (0), (-5), (NULL)) AS v (turnover), unnest('{rank,cumulative}'::text[]) AS mode ORDER BY mode, turnover;
SELECT pmg_bucket(5) OVER () AS one_customer, pmg_bucket(5, 'cumulative') OVER () AS one_customer_cumulative;
SELECT pmg_bucket(turnover) OVER () FROM nine WHERE false;
-- Partitions have limits of their own.
SELECT shop, string_agg(b::text, '' ORDER BY n DESC) FROM (SELECT shop, n, pmg_bucket(n * shop) OVER (PARTITION BY shop) AS b FROM generate_series(1, 2) AS shop, generate_series(1, 10) AS n) AS t GROUP BY shop ORDER BY shop;

-- CDNOW by rank: 2,349 of 2,357 have turnover; 5 % of those are G, the next up to 20 % M, but for ties.
CREATE TEMP TABLE spent AS SELECT customer_id, sum(amount) AS turnover FROM cdnow GROUP BY customer_id;
SELECT mode, class, count(*) AS customers, sum(turnover) AS turnover, round(100 * sum(turnover) / sum(sum(turnover)) OVER (PARTITION BY mode), 1) AS share
FROM (SELECT turnover, mode, pmg_bucket(turnover, mode) OVER (PARTITION BY mode) AS class FROM spent, unnest('{rank,cumulative}'::text[]) AS mode) AS t
GROUP BY mode, class ORDER BY mode DESC, class DESC;
SELECT count(*) AS customers, count(*) FILTER (WHERE turnover > 0) AS active, ceil(.05 * count(*) FILTER (WHERE turnover > 0)) AS g, ceil(.20 * count(*) FILTER (WHERE turnover > 0)) AS g_and_m FROM spent;
-- The definition in plain SQL gives every customer the same class: of a tie that a limit goes through at least half has to be within it, and somebody below.
SELECT mode, count(*) AS customers, count(*) FILTER (WHERE class::text <> CASE
    WHEN turnover <= 0 THEN 'I'
    WHEN 2 * inside_g >= tied AND (tied = 1 OR inside_g = tied OR above + tied < active) THEN 'G'
    WHEN 2 * inside_m >= tied AND (tied = 1 OR inside_m = tied OR above + tied < active) THEN 'M'
    ELSE 'P' END) AS differ
FROM (
  SELECT *, least(tied, greatest(0, ceil(CASE mode WHEN 'rank' THEN .05 * active - above ELSE (.80 * total - turnover_above) / nullif(greatest(turnover, 0), 0) END))) AS inside_g,
    least(tied, greatest(0, ceil(CASE mode WHEN 'rank' THEN .20 * active - above ELSE (.95 * total - turnover_above) / nullif(greatest(turnover, 0), 0) END))) AS inside_m
  FROM (
    SELECT mode, turnover, pmg_bucket(turnover, mode) OVER (PARTITION BY mode) AS class,
           count(*) FILTER (WHERE turnover > 0) OVER (PARTITION BY mode) AS active,
           sum(turnover) FILTER (WHERE turnover > 0) OVER (PARTITION BY mode) AS total,
           rank() OVER (PARTITION BY mode ORDER BY turnover DESC) - 1 AS above,
           count(*) OVER (PARTITION BY mode, turnover) AS tied,
           coalesce(sum(turnover) OVER (PARTITION BY mode ORDER BY turnover DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS turnover_above
    FROM (SELECT turnover FROM spent UNION ALL SELECT round(turnover, -1) FROM spent) AS spent, unnest('{rank,cumulative}'::text[]) AS mode) AS t) AS t GROUP BY mode ORDER BY mode;
-- Members who pay the same are not large customers, whatever the mode; nor are most of them, nor two.
SELECT shape, mode, count(*) FILTER (WHERE class = 'G') AS g, count(*) FILTER (WHERE class = 'M') AS m, count(*) FILTER (WHERE class = 'P') AS p, count(*) FILTER (WHERE class = 'I') AS i
FROM (SELECT shape, mode, pmg_bucket(paid, mode) OVER (PARTITION BY shape, mode) AS class
      FROM (SELECT '500 at 50' AS shape, 50 AS paid FROM generate_series(1, 500) UNION ALL SELECT '490 at 50, 10 more', CASE WHEN n <= 10 THEN 60 + n ELSE 50 END FROM generate_series(1, 500) AS n
            UNION ALL SELECT '490 at 50, 10 less', CASE WHEN n <= 10 THEN 40 - n ELSE 50 END FROM generate_series(1, 500) AS n
            UNION ALL SELECT 'two', 7 FROM generate_series(1, 2) UNION ALL SELECT 'one', 7 UNION ALL SELECT '30 of 500 at 90', CASE WHEN n <= 30 THEN 90 ELSE 10 + n / 10.0 END FROM generate_series(1, 500) AS n
            UNION ALL SELECT '60 of 500 at 90', CASE WHEN n <= 60 THEN 90 ELSE 10 + n / 10.0 END FROM generate_series(1, 500) AS n) AS v, unnest('{rank,cumulative}'::text[]) AS mode) AS t
GROUP BY shape, mode ORDER BY shape COLLATE "C", mode DESC;
-- Whoever comes to pay more is large then: frozen limits lie just above the fee.
SELECT (c).gros_from, (c).moyens_from, pmg_bucket(50, c) AS the_fee, pmg_bucket(50.01, c) AS more FROM (SELECT pmg_cuts(50) AS c FROM generate_series(1, 500)) AS c;
-- Twelve rolling months, from histories.
SELECT pmg_bucket, count(*) FROM (
  SELECT pmg_bucket(turnover(history, '1997-06-30', '1998-06-30')) OVER ()
  FROM (SELECT purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id) AS h) AS t GROUP BY 1 ORDER BY 1 DESC;

-- Frozen limits are the window's on their own population, whatever the mode and the limits.
SELECT (pmg_cuts(turnover)).* FROM spent;
SELECT (pmg_cuts(turnover, '{"mode": "cumulative"}')).* FROM spent;
SELECT o.n, o.options, count(*) AS customers, count(*) FILTER (WHERE windowed IS DISTINCT FROM pmg_bucket(turnover, cuts)) AS differ
FROM (VALUES (1, '{}'::jsonb), (2, '{"mode": "cumulative"}'), (3, '{"gros": 0.1, "moyens": 0.5}'), (4, '{"mode": "cumulative", "gros": 0.333333, "moyens": 1}')) AS o (n, options)
CROSS JOIN LATERAL (SELECT pmg_cuts(turnover, o.options) AS cuts FROM spent) AS c
CROSS JOIN LATERAL (SELECT turnover, pmg_bucket(turnover, coalesce(o.options ->> 'mode', 'rank'), (o.options ->> 'gros')::numeric, (o.options ->> 'moyens')::numeric) OVER () AS windowed
                    FROM spent) AS w
GROUP BY o.n, o.options ORDER BY o.n;
-- When others change, nobody moves.
CREATE TEMP TABLE frozen AS SELECT pmg_cuts(turnover) AS cuts FROM spent;
SELECT count(*) FILTER (WHERE before.class <> windowed) > 0 AS window_moves_some, count(*) FILTER (WHERE before.class <> pmg_bucket(turnover, cuts)) AS frozen_moves
FROM (SELECT customer_id, turnover, pmg_bucket(turnover) OVER () AS windowed FROM (TABLE spent UNION ALL SELECT -n, 1000 + n FROM generate_series(1, 300) AS n) AS u) AS now
JOIN (SELECT customer_id, pmg_bucket(turnover) OVER () AS class FROM spent) AS before USING (customer_id), frozen;
SELECT turnover, pmg_bucket(turnover, ROW('rank', .05, .2, 100, 50, 10, 10, 1000)::pmg_cuts) FROM unnest('{NULL,-1,0,0.01,49.99,50,99.9999,100,900000000000000}'::numeric[]) AS turnover ORDER BY 1 NULLS LAST;
SELECT pmg_bucket(10, NULL::pmg_cuts) AS no_cuts, pmg_bucket(0, NULL::pmg_cuts) AS nor_for_the_inactive, (SELECT pmg_cuts(t) IS NULL FROM (VALUES (0), (-1), (NULL)) AS v (t)) AS nobody_active,
       (SELECT pmg_cuts(turnover) IS NULL FROM spent WHERE false) AS nobody;
-- As the window does, frozen limits round to four decimals, and refuse NaN and infinity.
SELECT pmg_bucket(0.00001, cuts) AS inactive, pmg_bucket((cuts).moyens_from - 0.00005, cuts) AS rounded_up, pmg_bucket((cuts).moyens_from - 0.00006, cuts) AS rounded_down FROM frozen;
CALL refused('SELECT pmg_bucket(''NaN''::numeric, cuts) FROM frozen');
CALL refused('SELECT pmg_bucket(''Infinity''::numeric, cuts) FROM frozen');

-- turnover_values: parts merged are the whole, in any order and number of workers.
CREATE TEMP TABLE parts AS SELECT customer_id % 5 AS part, turnover_values(turnover) AS v FROM spent GROUP BY 1;
SELECT merge(v)::text = (SELECT turnover_values(turnover)::text FROM spent) AS same_bytes,
       pmg_cuts(merge(v)) = (SELECT pmg_cuts(turnover) FROM spent) AS same_cuts,
       pmg_cuts(merge(v), '{"mode": "cumulative"}') = (SELECT pmg_cuts(turnover, '{"mode": "cumulative"}') FROM spent) AS same_cumulative,
       gini(merge(v)) = (SELECT gini(turnover) FROM spent) AS same_gini
FROM parts;
CREATE TABLE spent_here AS TABLE spent;
ALTER TABLE spent_here SET (parallel_workers = 4);
SET parallel_setup_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 4;
EXPLAIN (COSTS OFF) SELECT pmg_cuts(turnover), pmg_cuts(turnover, '{}'), gini(turnover), turnover_values(turnover) FROM spent_here;
SELECT pmg_cuts(turnover) = (SELECT cuts FROM frozen) AS same_cuts, pmg_cuts(turnover, '{}') = (SELECT cuts FROM frozen) AS with_options,
       gini(turnover) = (SELECT gini(turnover) FROM spent) AS same_gini, turnover_values(turnover)::text = (SELECT merge(v)::text FROM parts) AS same_bytes
FROM spent_here;
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
DROP TABLE spent_here;
SELECT v::text::turnover_values::text = v::text AS round_trip, v FROM (SELECT turnover_values(t) AS v FROM (VALUES (2), (-1.5), (NULL)) AS x (t)) AS t;
SELECT merge(NULL::turnover_values) IS NULL AS null_merged, pmg_cuts(NULL::turnover_values) IS NULL AS null_cuts, gini(NULL::turnover_values) IS NULL AS null_gini;

-- Gini: nobody differs, 1 to 4, one has all, with those who have nothing, who owe.
SELECT round(gini(t)::numeric, 12) AS gini, string_agg(t::text, ' ') AS of
FROM (VALUES (1, 5.0), (1, 5), (1, 5), (2, 1), (2, 2), (2, 3), (2, 4), (3, 0), (3, 0), (3, 0), (3, 9), (4, 7), (5, -5), (5, 10), (5, NULL), (6, 0), (6, -1)) AS v (g, t) GROUP BY g ORDER BY g;
SELECT gini(turnover) IS NULL AS nobody FROM spent WHERE false;
-- Half the mean difference over the mean, in plain SQL.
SELECT abs(gini(a.turnover) - (SELECT sum(abs(x.turnover - y.turnover)) / (2 * count(*) * (SELECT avg(turnover) FROM spent)) / 1 FROM spent AS x, spent AS y)) < 1e-12 AS same, round(gini(a.turnover)::numeric, 6) AS gini
FROM spent AS a;

-- The concentration curve: the biggest first; at the ends nothing and everything.
SELECT customers, round(customer_share::numeric, 4) AS customer_share, turnover, round(turnover_share::numeric, 4) AS turnover_share
FROM concentration_curve((SELECT turnover_values(turnover) FROM spent), 10);
SELECT count(*) AS points, count(*) FILTER (WHERE turnover_share < customer_share - 1e-12) AS below_the_diagonal, max(turnover) = (SELECT sum(turnover) FROM spent) AS all_of_it
FROM concentration_curve((SELECT turnover_values(turnover) FROM spent));
SELECT c.customers, (SELECT sum(turnover) FROM (SELECT turnover FROM spent ORDER BY turnover DESC LIMIT c.customers) AS t) IS NOT DISTINCT FROM nullif(c.turnover, 0) AS as_in_plain_sql
FROM concentration_curve((SELECT turnover_values(turnover) FROM spent), 4) AS c;
-- More points than customers, ties, who has nothing, nobody.
SELECT * FROM concentration_curve((SELECT turnover_values(t) FROM (VALUES (1), (3)) AS v (t)), 4);
SELECT * FROM concentration_curve((SELECT turnover_values(t) FROM (VALUES (2), (2), (2), (2), (0), (-7)) AS v (t)), 3);
SELECT count(*) AS nobody_active FROM concentration_curve((SELECT turnover_values(t) FROM (VALUES (0), (-1)) AS v (t)), 3);
SELECT count(*) AS nothing FROM concentration_curve(NULL::turnover_values);

-- Huge turnovers: sums of turnover do not overflow.
SELECT string_agg(b::text, '' ORDER BY n) AS huge FROM (SELECT n, pmg_bucket(922337203685477.5807 - n, 'cumulative') OVER () AS b FROM generate_series(1, 20) AS n) AS t;
SELECT (pmg_cuts(922337203685477.5807)).turnover, round(gini(922337203685477.5807 / (1 + n % 2))::numeric, 6) AS gini FROM generate_series(1, 1000) AS n;
SELECT turnover FROM concentration_curve((SELECT turnover_values(922337203685477.5807) FROM generate_series(1, 1000)), 1);
-- The smallest turnover is 0.0001.
SELECT t, pmg_bucket(t) OVER () FROM (VALUES (0.0001), (0.00005), (0.00004)) AS v (t) ORDER BY t;

-- What is refused.
CALL refused('SELECT pmg_bucket(1)');
CALL refused('SELECT pmg_bucket(1, ''pareto'') OVER ()');
CALL refused('SELECT pmg_bucket(1, NULL) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', 0, .2) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', -.1, .2) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', .3, .2) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', .05, 1.0001) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', ''NaN'', .2) OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', .1, ''Infinity'') OVER ()');
CALL refused('SELECT pmg_bucket(1, ''rank'', 1e30, 1e100) OVER ()');
CALL refused('SELECT pmg_bucket(''NaN''::numeric) OVER ()');
CALL refused('SELECT pmg_bucket(''Infinity''::numeric) OVER ()');
-- The message names the argument.
CALL refused('SELECT pmg_bucket(1e15) OVER ()');
CALL refused('SELECT pmg_bucket(1.5::double precision) OVER ()');
CALL refused('SELECT gini(''NaN''::numeric)');
CALL refused('SELECT turnover_values(''-Infinity''::numeric)');
CALL refused('SELECT pmg_cuts(''NaN''::numeric)');
CALL refused('SELECT pmg_cuts(1, ''{"mode": "abc"}'')');
CALL refused('SELECT pmg_cuts(1, ''{"gross": 0.1}'')');
CALL refused('SELECT pmg_cuts(1, ''{"gros": 0.5}'')');
-- The detail shows the value as given.
CALL refused('SELECT pmg_cuts(1, ''{"gros": 1e300, "moyens": 1e300}'')');
CALL refused('SELECT * FROM concentration_curve((SELECT turnover_values(1::numeric)), 0)');
CALL refused('SELECT * FROM concentration_curve((SELECT turnover_values(1::numeric)), 10001)');
CALL refused('SELECT * FROM concentration_curve((SELECT turnover_values(1::numeric)), -2147483648)');

-- When time alone changes the class, against the class asked day by day, over rolling months counted as PostgreSQL counts them.
CREATE TEMP TABLE silent_cuts AS
  SELECT as_of, (SELECT pmg_cuts(turnover(history, (as_of - interval '6 months')::date, as_of)) FROM silent) AS pmg
  FROM unnest('{1997-03-31,1998-06-30}'::date[]) AS as_of;
SELECT as_of, months, count(*) AS customers, count(next) AS move, min(next - as_of), max(next - as_of), sum(too_late) AS too_late,
       count(*) FILTER (WHERE next IS NOT NULL AND after = before) AS not_moved, count(*) FILTER (WHERE after > before) AS up, count(*) FILTER (WHERE after < before) AS down
FROM silent_cuts, unnest('{1,6,12}'::int[]) AS months, silent, LATERAL (SELECT pmg_next_change(history, as_of, pmg, months) AS next) AS n,
     LATERAL (SELECT pmg_bucket(turnover(history, (as_of - months * interval '1 month')::date, as_of), pmg) AS before,
                     pmg_bucket(turnover(history, (next - months * interval '1 month')::date, next), pmg) AS after) AS b,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(as_of + 1, coalesce(next - 1, as_of + 900), '1 day') AS d
              WHERE pmg_bucket(turnover(history, (d - months * interval '1 month')::date, d::date), pmg) <> before) AS t
WHERE customer_id % 20 = 0 OR customer_id > 10000 GROUP BY as_of, months ORDER BY as_of, months;
-- The end of February: what was bought on the 31st of January leaves one month with the 1st of March.
SELECT d, pmg_next_change('{2024-01-31:1:50}', d, c, 1) AS next, pmg_next_change('{2024-01-29:1:50}', d, c, 1) AS of_the_29th
FROM (SELECT pmg_cuts(50) AS c) AS c, (VALUES (date '2024-01-31'), ('2024-02-28'), ('2024-02-29'), ('2024-03-01')) AS v (d);
SELECT pmg_next_change('{}', '1998-06-30', pmg) AS no_turnover FROM silent_cuts LIMIT 1;
CALL refused('SELECT pmg_next_change(''{}'', ''1998-06-30'', pmg, 0) FROM silent_cuts');
-- Parallel plans give the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TEMP VIEW moves AS
  SELECT count(*), sum(pmg_next_change(history, '1998-06-30', pg_catalog.current_setting('test.pmg')::pmg_cuts) - date '1998-06-30') AS days
  FROM silent;
SELECT set_config('test.pmg', pmg::text, false) <> '' AS pmg FROM silent_cuts WHERE as_of = '1998-06-30';
CREATE TEMP TABLE parallel_moves AS SELECT * FROM moves;
SET max_parallel_workers_per_gather = 0;
SELECT moves.*, moves = parallel_moves AS same FROM moves, parallel_moves;
