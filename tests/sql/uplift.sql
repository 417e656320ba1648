-- Hold-out groups and uplift.
SET search_path = segmentation, public;

-- PostgreSQL's own SHA-256 says the same: the first 53 bits of sha256(salt, zero byte, key), over 2^53.
CREATE FUNCTION pg_temp.place(key text, salt text) RETURNS double precision LANGUAGE sql AS $$
  SELECT (('x' || encode(substr(sha256(convert_to(salt, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 8), 'hex'))::bit(64) >> 11)::bigint / 2.0 ^ 53 $$;
SELECT share, count(*) AS keys, count(*) FILTER (WHERE holdout(key, salt, share)) AS held_out, bool_and(holdout(key, salt, share) = (pg_temp.place(key, salt) < share)) AS same
FROM unnest('{0,0.001,0.1,0.5,1}'::float8[]) AS share, unnest('{spring,"été",""}'::text[]) AS salt,
     LATERAL (SELECT n::text AS key FROM generate_series(1, 2000) AS n UNION ALL SELECT unnest('{é,"",客,b0a1c2d3-0000-4000-8000-000000000000}'::text[])) AS k GROUP BY share ORDER BY share;
-- A larger share holds the smaller one; another salt is another draw: half of those held out by the one are by the other.
SELECT count(*) FILTER (WHERE tenth AND NOT fifth) AS outside, count(*) FILTER (WHERE tenth) AS tenth, count(*) FILTER (WHERE tenth AND other) AS both
FROM generate_series(1, 10000) AS n, LATERAL (SELECT holdout(n::text, 'all', 0.1) AS tenth, holdout(n::text, 'all', 0.2) AS fifth, holdout(n::text, 'spring', 0.5) AS other) AS h;
SELECT holdout(NULL, 'all', 0.1) AS no_key, holdout('1', NULL, 0.1) AS no_salt, holdout('1', 'all', NULL) AS no_share;
CALL refused('SELECT holdout(''1'', ''all'', 1.5)');
CALL refused('SELECT holdout(''1'', ''all'', -0.1)');
CALL refused('SELECT holdout(''1'', ''all'', ''NaN'')');

-- SciPy 1.17.1, ttest_ind(equal_var=False): means 7.1283 and 5.811879, difference 0.242664 to 2.390178, p 0.016283872732691967; ratio by Fieller 0.036846 to 0.477726.
CREATE TEMP TABLE outcomes AS
  SELECT true AS assigned, CASE WHEN i % 7 = 0 THEN (i * 7919 % 1000) / 10.0 ELSE 0 END::float8 AS spent, i % 3 AS segment FROM generate_series(0, 4999) AS i
  UNION ALL SELECT false, CASE WHEN i % 8 = 0 THEN (i::bigint * 104729 % 1000) / 11.0 ELSE 0 END, i % 3 FROM generate_series(0, 1499) AS i;
SET extra_float_digits = -3;
\x on
SELECT (uplift(assigned, spent)).* FROM outcomes;
-- statsmodels 0.15.0, confint_proportions_2indep(130, 1000, 45, 500, method="newcomb"): 0.005660669 to 0.071343200; proportions_ztest 0.022911505; ratio 0.0498655608 to 0.9917017984.
CREATE TEMP TABLE bought AS SELECT i <= 1000 AS assigned, i <= 130 OR i > 1455 AS bought FROM generate_series(1, 1500) AS i;
SELECT (uplift(assigned, bought)).* FROM bought;
SELECT (uplift(assigned, bought, '{"level": 0.9}')).* FROM bought;
\x off
RESET extra_float_digits;
-- ab_result counts the same.
SELECT (u).difference = (a).difference AS difference, (u).lower = (a).lower AS lower, (u).upper = (a).upper AS upper, (u).p_value = (a).p_value AS p_value
FROM (SELECT uplift(assigned, bought) AS u FROM bought) AS u, ab_result(1000, 130, 500, 45) AS a;

-- By segment; the whole is not the sum of what is certain. One segment without anyone held out, one without any purchase, one of one customer.
SELECT segment, (u).assigned, (u).held_out, round((u).difference::numeric, 4) AS difference, round((u).lower::numeric, 4) AS lower, round((u).upper::numeric, 4) AS upper, (u).skipped, (u).verdict
FROM (SELECT segment, uplift(assigned, spent) AS u FROM (
        TABLE outcomes UNION ALL SELECT true, n, 10 FROM generate_series(1, 5) AS n UNION ALL SELECT n > 3, 0, 11 FROM generate_series(1, 9) AS n
        UNION ALL VALUES (true, 3, 12), (false, 1, 12), (NULL, 5, 13), (true, NULL, 13)) AS o GROUP BY segment) AS t ORDER BY segment;
-- All alike: no spread, and no verdict, in numbers; in rates Newcombe's interval stands.
SELECT (uplift(n % 2 = 0, 0)).verdict AS numbers, (uplift(n % 2 = 0, false)).verdict AS rates, (uplift(n % 2 = 0, false)).lower, (uplift(n % 2 = 0, false)).upper FROM generate_series(1, 20) AS n;
SELECT uplift(true, 1.0) IS NULL AS no_rows FROM generate_series(1, 0);
CALL refused('SELECT uplift(true, ''NaN''::float8)');
CALL refused('SELECT uplift(true, ''infinity''::float8)');
CALL refused('SELECT uplift(true, 1.0, ''{"level": 1}'')');
CALL refused('SELECT uplift(true, 1.0, ''{"levels": 0.9}'')');
CALL refused('SELECT uplift(true, 1.0, jsonb_build_object(''level'', 0.9 - n / 100.0)) FROM generate_series(1, 2) AS n');
CALL refused('SELECT merge(v) FROM (SELECT uplift_values(true, true) AS v UNION ALL SELECT uplift_values(true, 1.0)) AS t');
CALL refused('SELECT ''\x0102''::uplift_values');
CALL refused('SELECT ''\x01000001000000000000f87f01''::uplift_values');

-- In any order, in parts and in parallel: the same to the last bit.
SELECT (SELECT uplift(assigned, spent ORDER BY spent) FROM outcomes) = (SELECT uplift(assigned, spent ORDER BY random()) FROM outcomes) AS any_order,
       (SELECT uplift(merge(v)) FROM (SELECT uplift_values(assigned, spent) AS v FROM outcomes GROUP BY segment) AS t) = (SELECT uplift(assigned, spent) FROM outcomes) AS merged,
       (SELECT uplift(merge(v), '{"level": 0.8}') FROM (SELECT uplift_values(assigned, spent)::text::uplift_values AS v FROM outcomes GROUP BY segment) AS t) = (SELECT uplift(assigned, spent, '{"level": 0.8}') FROM outcomes) AS stored;
CREATE UNLOGGED TABLE public.many_outcomes AS SELECT o.* FROM outcomes AS o, generate_series(1, 10);
ANALYZE many_outcomes;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT uplift(assigned, spent), uplift(assigned, spent > 0, '{"level": 0.9}') FROM many_outcomes;
CREATE TEMP TABLE in_parallel AS SELECT uplift(assigned, spent) AS a, uplift(assigned, spent > 0, '{"level": 0.9}') AS b FROM many_outcomes;
SET max_parallel_workers_per_gather = 0;
SELECT a = uplift(assigned, spent) AS numbers, b = uplift(assigned, spent > 0, '{"level": 0.9}') AS rates FROM many_outcomes, in_parallel GROUP BY a, b;
DROP TABLE many_outcomes;
