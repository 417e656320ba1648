-- rfm_score, rfm_cuts and frozen scoring.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- The published data of R's package rfm: 995 customers, 4,906 orders, 464,158 of revenue.
SELECT count(*) AS customers, sum(frequency) AS orders, sum(monetary) AS revenue FROM rfm_customers;
CREATE TEMP VIEW scored AS
  SELECT cid, rule, frequency, monetary, rfm_score(recency, frequency, monetary, rule => rule) OVER (PARTITION BY rule) AS rfm
  FROM rfm_customers, unnest('{quantile,r_rfm}'::text[]) AS rule;

-- Cut points of both rules: those of the package, and the plain type-7 quantiles.
SELECT (c).rule, (c).recency, (c).frequency, (c).monetary, (c).bins, (c).customers, (c).prospects
FROM (SELECT rfm_cuts(recency, frequency, monetary, jsonb_build_object('rule', rule)) AS c
      FROM rfm_customers, unnest('{quantile,r_rfm}'::text[]) AS rule GROUP BY rule) AS t
ORDER BY (c).rule;
-- Customers of each score: quantile, then r_rfm as the package counts them.
SELECT rule, s AS score, count(*) FILTER (WHERE (rfm).r = s) AS r, count(*) FILTER (WHERE (rfm).f = s) AS f, count(*) FILTER (WHERE (rfm).m = s) AS m
FROM scored, generate_series(1, 5) AS s GROUP BY rule, s ORDER BY rule, s;
-- The package's own test: with its old map, 158 champions with 1,234 orders of 120,178.
SELECT rfm_segment(rfm, 'r_rfm_0_2') AS segment, count(*) AS customers, sum(frequency) AS orders, sum(monetary) AS revenue
FROM scored WHERE rule = 'r_rfm' GROUP BY segment ORDER BY customers DESC, segment;
-- The classic map under both rules: 22 + 147 + ... as published for r_rfm, one at the edges more or less for quantile.
SELECT rfm_segment(rfm) AS segment, count(*) FILTER (WHERE rule = 'r_rfm') AS r_rfm, count(*) FILTER (WHERE rule = 'quantile') AS quantile
FROM scored GROUP BY segment ORDER BY r_rfm DESC, segment;
-- The newer map of the package leaves nobody of these in 'others'.
SELECT count(*) AS customers, count(*) FILTER (WHERE rfm_segment(rfm, 'r_rfm_0_3') = 'others') AS others FROM scored WHERE rule = 'r_rfm';

-- The answer holds what was given, the scores (5 is best: recent, often, much) and their code.
SELECT (rfm_score(recency, frequency, monetary) OVER ()).*
FROM (VALUES (5, 9, 900.50), (20, 7, 700), (60, 5, 500), (120, 3, 300), (400, 1, 100)) AS v (recency, frequency, monetary)
ORDER BY recency;
-- Every type of argument gives the same scores.
SELECT count(*) AS customers,
       count(*) FILTER (WHERE (a).score = ALL (ARRAY[(b).score, (c).score, (d).score, (e).score, (f).score])) AS same
FROM (SELECT rfm_score(recency::integer, frequency::integer, monetary::numeric) OVER () AS a,
             rfm_score(recency::bigint, frequency::bigint, monetary::double precision) OVER () AS b,
             rfm_score(recency::smallint, frequency::smallint, monetary::integer) OVER () AS c,
             rfm_score(recency::numeric, frequency::numeric, monetary::bigint) OVER () AS d,
             rfm_score(recency, frequency, monetary::real) OVER () AS e,
             rfm_score(monetary => monetary::numeric, frequency => frequency, recency => recency, rule => 'quantile', bins => 5) OVER () AS f
      FROM rfm_customers) AS t;
-- Fractions count: recency in days and hours, frequency weighted.
SELECT r, f, m, (rfm_score(r, f, m, 2) OVER ()).score FROM (VALUES (1.5, 0.5, 1.1::double precision), (1.25, 0.75, 1.2)) AS v (r, f, m) ORDER BY r;

-- 2 to 10 bins, all of them used when values differ.
SELECT bins, count(DISTINCT (s).r) AS r, count(DISTINCT (s).f) AS f, count(DISTINCT (s).m) AS m, min((s).score), max((s).score), min((s).bins) AS said
FROM (SELECT bins, rfm_score(n, n, n, bins) OVER (PARTITION BY bins) AS s FROM generate_series(2, 10) AS bins, generate_series(1, 100) AS n) AS t
GROUP BY bins ORDER BY bins;
SELECT (s).m AS score, count(*), min(n), max(n)
FROM (SELECT n, rfm_score(n, n, n, 10) OVER () AS s FROM generate_series(1, 100) AS n) AS t GROUP BY 1 ORDER BY 1;
-- The bins may differ from partition to partition, and are the same within one.
SELECT g, (rfm_score(n, n, n, bins => g) OVER (PARTITION BY g ORDER BY n)).score FROM generate_series(2, 3) AS g, generate_series(1, 3) AS n ORDER BY g, n;

-- Ties have one score, whatever the order of rows; recency is the other way round.
SELECT r, f, m, (rfm_score(r, f, m) OVER ()).score
FROM (VALUES (1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1), (9, 9, 9)) AS v (r, f, m) ORDER BY r;
SELECT count(*) AS values_with_two_scores FROM (
  SELECT FROM scored WHERE rule = 'quantile' GROUP BY (rfm).frequency HAVING count(DISTINCT (rfm).f) > 1) AS t;
SELECT count(*) AS differ FROM (
  SELECT cid, rfm FROM scored WHERE rule = 'quantile'
  EXCEPT ALL SELECT cid, rfm_score(recency, frequency, monetary) OVER (ORDER BY md5(cid::text)) FROM rfm_customers) AS t;
-- One row, all rows equal, no row.
SELECT rfm_score(3, 2, 10.5) OVER ();
SELECT DISTINCT rfm_score(3, 2, 10.5) OVER () AS all_equal FROM generate_series(1, 7);
SELECT rfm_score(recency, frequency, monetary) OVER () FROM rfm_customers WHERE false;
-- Partitions know nothing of each other.
SELECT count(*) AS differ FROM (
  SELECT cid, rfm_score(recency, frequency, monetary) OVER (PARTITION BY cid % 3) FROM rfm_customers
  EXCEPT ALL (
    SELECT cid, rfm_score(recency, frequency, monetary) OVER () FROM rfm_customers WHERE cid % 3 = 0 UNION ALL
    SELECT cid, rfm_score(recency, frequency, monetary) OVER () FROM rfm_customers WHERE cid % 3 = 1 UNION ALL
    SELECT cid, rfm_score(recency, frequency, monetary) OVER () FROM rfm_customers WHERE cid % 3 = 2)) AS t;
-- A frame does not make it another function; FILTER is not for window functions.
SELECT count(DISTINCT a) AS answers
FROM (SELECT unnest(ARRAY[rfm_score(n, n, n) OVER (ORDER BY n ROWS 1 PRECEDING), rfm_score(n, n, n) OVER ()]) AS a, n FROM generate_series(1, 20) AS n) AS t
WHERE n = 7;

-- Prospects: who never bought has null scores, and does not move the others' cut points.
SELECT who, rfm_score(r, f, m) OVER () AS rfm, rfm_segment(rfm_score(r, f, m) OVER ())
FROM (VALUES ('a', 1, 3, 30), ('b', 50, 2, 20), ('c', 99, 1, 10),
             ('zero', 99, 0, 0), ('no recency', NULL, 2, 20), ('no frequency', 50, NULL, 20), ('no monetary', 50, 2, NULL), ('nothing', NULL, NULL, NULL)) AS v (who, r, f, m)
ORDER BY who;
SELECT who, rfm_score(h, '2024-06-01') OVER () AS rfm
FROM (VALUES ('a', '{2024-05-31:1:30,2024-05-01:2:5}'::purchase_history), ('b', '{2024-01-01:1:20}'), ('later', '{2024-06-02:1:9}'),
             ('refund only', '{2024-02-01:0:-9}'), ('empty', '{}'), ('null', NULL)) AS v (who, h) ORDER BY who;
SELECT (rfm_cuts(r, f, m)).* FROM (VALUES (1, 3, 30), (50, 2, 20), (99, 0, 0), (NULL, 1, 1), (1, NULL, NULL)) AS v (r, f, m);
-- Nobody bought: no cut points, null scores, and by no cut points nobody is scored.
SELECT rfm_score(r, 0, 0) OVER (), rfm_score(NULL::integer, NULL::integer, NULL::integer) OVER () FROM generate_series(1, 2) AS r;
SELECT rfm_cuts(1, 0, 0) AS only_prospects, rfm_cuts(NULL::purchase_history, '2024-01-01') AS null_history, rfm_score(1, 1, 1.5, NULL::rfm_cuts) AS no_cuts;
SELECT rfm_cuts(recency, frequency, monetary), rfm_cuts(recency, frequency, monetary, '{"bins": 3}'), rfm_values(recency, frequency, monetary)
FROM rfm_customers WHERE false;
-- More refunded than bought is still a buyer.
SELECT (rfm_score(1, 1, m) OVER ()).* FROM (VALUES (-5), (10)) AS v (m) ORDER BY 3;

-- The window is the frozen scoring by the cut points of its population: every rule, number of bins, row, column.
SELECT bins, rule, count(*) AS customers, count(*) FILTER (WHERE windowed IS DISTINCT FROM frozen) AS differ
FROM (SELECT o.bins, o.rule, rfm_score(recency, frequency, monetary, o.bins, o.rule) OVER (PARTITION BY o.bins, o.rule) AS windowed,
             rfm_score(recency, frequency, monetary, cuts) AS frozen
      FROM rfm_customers
      CROSS JOIN (SELECT b AS bins, rule, rfm_cuts(recency, frequency, monetary, jsonb_build_object('bins', b, 'rule', rule)) AS cuts
                  FROM rfm_customers, unnest('{2,3,5,7,10}'::integer[]) AS b, unnest('{quantile,r_rfm}'::text[]) AS rule GROUP BY b, rule) AS o) AS t
GROUP BY bins, rule ORDER BY bins, rule;
CREATE TEMP TABLE histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
WITH c AS (SELECT rfm_cuts(history, '1998-06-30') AS cuts FROM histories),
     windowed AS (SELECT customer_id, rfm_score(history, '1998-06-30') OVER () AS rfm FROM histories),
     frozen AS (SELECT customer_id, rfm_score(history, '1998-06-30', cuts) AS rfm FROM histories, c)
SELECT (SELECT count(*) FROM (TABLE windowed EXCEPT ALL TABLE frozen) AS t) AS windowed_only,
       (SELECT count(*) FROM (TABLE frozen EXCEPT ALL TABLE windowed) AS t) AS frozen_only;

-- Scores from histories are those from columns: now, and as of a day in the past.
WITH columns AS (
       SELECT customer_id, as_of, as_of - max(purchased_on) AS recency, count(*) AS frequency, sum(amount) AS monetary
       FROM cdnow, unnest('{1997-03-15,1998-06-30}'::date[]) AS as_of WHERE purchased_on <= as_of GROUP BY customer_id, as_of),
     by_columns AS (SELECT customer_id, as_of, rfm_score(recency, frequency, monetary) OVER (PARTITION BY as_of) AS rfm FROM columns),
     by_histories AS (
       SELECT customer_id, as_of, rfm_score(history, as_of) OVER (PARTITION BY as_of) AS rfm
       FROM histories, unnest('{1997-03-15,1998-06-30}'::date[]) AS as_of)
SELECT as_of, count(c.rfm) AS by_columns, count(*) FILTER (WHERE (h.rfm).score IS NOT NULL) AS by_histories, count(*) AS customers,
       count(*) FILTER (WHERE (h.rfm).score IS NOT NULL AND h.rfm IS DISTINCT FROM c.rfm) AS differ
FROM by_histories AS h LEFT JOIN by_columns AS c USING (customer_id, as_of) GROUP BY as_of ORDER BY as_of;
SELECT (c).recency = (h).recency AND (c).frequency = (h).frequency AND (c).monetary = (h).monetary AS same_cuts, (h).customers, (h).prospects
FROM (SELECT rfm_cuts(recency(history, '1998-06-30'), frequency(history, '1998-06-30'), monetary(history, '1998-06-30')) AS c,
             rfm_cuts(history, '1998-06-30') AS h FROM histories) AS t;

-- rfm_values: cut points of parts merged, in any order, are those of the whole.
CREATE TEMP TABLE parts AS SELECT cid % 7 AS part, rfm_values(recency, frequency, monetary) AS v FROM rfm_customers GROUP BY 1;
SELECT rfm_cuts(merge(v)) = (SELECT rfm_cuts(recency, frequency, monetary) FROM rfm_customers) AS same,
       rfm_cuts(merge(v ORDER BY part DESC)) = rfm_cuts(merge(v)) AS any_order,
       merge(v)::text = (SELECT rfm_values(recency, frequency, monetary)::text FROM rfm_customers) AS same_bytes,
       rfm_cuts(merge(v), '{"bins": 3, "rule": "r_rfm"}') = (SELECT rfm_cuts(recency, frequency, monetary, '{"bins": 3, "rule": "r_rfm"}') FROM rfm_customers) AS with_options
FROM parts;
SELECT (rfm_cuts(rfm_values(1, n % 2, 10.5))).* FROM generate_series(1, 5) AS n;
SELECT merge(NULL::rfm_values) IS NULL AS merge_of_null, rfm_cuts(NULL::rfm_values) IS NULL AS cuts_of_null;
SELECT v::text::rfm_values::text = v::text AS round_trip, pg_column_size(v) FROM (SELECT rfm_values(1, 1, 1.5::double precision) AS v) AS t;
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/rfm_values.bin'
COPY parts TO :'file' (FORMAT binary);
CREATE TEMP TABLE copied (LIKE parts);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*) FILTER (WHERE p.v::text = c.v::text) AS copied FROM parts AS p JOIN copied AS c USING (part);

-- Frozen cut points: when others change, nobody moves; whoever buys does.
CREATE TEMP TABLE frozen AS SELECT rfm_cuts(recency, frequency, monetary) AS cuts FROM rfm_customers;
CREATE TEMP TABLE later AS
  SELECT cid, recency, frequency, monetary FROM rfm_customers
  UNION ALL SELECT 100000 + n, n % 900, 50 + n % 9, 5000 + n FROM generate_series(1, 500) AS n;
UPDATE later SET recency = 0, frequency = frequency + 1, monetary = monetary + 50 WHERE cid = (SELECT min(cid) FROM rfm_customers WHERE recency > 481 AND frequency = 3);
SELECT count(*) FILTER (WHERE (by_quantiles.rfm).score <> (before.rfm).score) > 300 AS quantiles_move_many,
       count(*) FILTER (WHERE (rfm_score(recency, frequency, monetary, cuts)).score <> (before.rfm).score) AS frozen_move,
       min((before.rfm).score) FILTER (WHERE (rfm_score(recency, frequency, monetary, cuts)).score <> (before.rfm).score) AS from_score,
       min((rfm_score(recency, frequency, monetary, cuts)).score) FILTER (WHERE (rfm_score(recency, frequency, monetary, cuts)).score <> (before.rfm).score) AS to_score
FROM later JOIN (SELECT cid, rfm FROM scored WHERE rule = 'quantile') AS before USING (cid)
JOIN (SELECT cid, rfm_score(recency, frequency, monetary) OVER () AS rfm FROM later) AS by_quantiles USING (cid), frozen;
-- Values outside the population of the cut points get the first or the last score.
SELECT (rfm_score(r, f, m, cuts)).* FROM frozen, (VALUES (0, 1000, 1e9), (1000000, 1, -5), (114, 3, 254.8), (114.5, 4, 254.9)) AS v (r, f, m) ORDER BY 1;
-- Cut points of an expert, written by hand; equal ones are allowed, a bin then stays empty.
SELECT n, (rfm_score(n, n, n::numeric, ROW('{30,90}', '{2,2}', '{50,100.5}', 3, 'quantile', NULL, NULL)::rfm_cuts)).score
FROM unnest('{1,2,3,30,31,90,91,100,101}'::integer[]) AS n ORDER BY n;
-- r_rfm compares with <, as R's half-open bins do.
SELECT n, (rfm_score(n, n, n::numeric, ROW('{2,3}', '{2,3}', '{2,3}', 3, 'r_rfm', NULL, NULL)::rfm_cuts)).score FROM generate_series(1, 4) AS n ORDER BY n;
-- Different cut points in one query, row by row.
SELECT g, n, (rfm_score(n, n, n::numeric, c.cuts)).score
FROM (SELECT g, rfm_cuts(n * g, n * g, n * g, '{"bins": 3}') AS cuts FROM generate_series(1, 2) AS g, generate_series(1, 9) AS n GROUP BY g) AS c, generate_series(3, 12, 3) AS n ORDER BY n, g;

-- Serial and parallel cut points are the same.
ALTER TABLE rfm_customers SET (parallel_workers = 4);
SET parallel_setup_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 4;
EXPLAIN (COSTS OFF) SELECT rfm_cuts(recency, frequency, monetary), rfm_cuts(recency, frequency, monetary, '{"rule": "r_rfm"}') FROM rfm_customers;
SELECT rfm_cuts(recency, frequency, monetary) = (SELECT cuts FROM frozen) AS same,
       (rfm_cuts(recency, frequency, monetary, '{"rule": "r_rfm"}')).monetary,
       rfm_values(recency, frequency, monetary)::text = (SELECT merge(v)::text FROM parts) AS same_bytes
FROM rfm_customers;
EXPLAIN (COSTS OFF) SELECT sum((rfm_score(recency, frequency, monetary, ROW('{2,3}', '{2,3}', '{2,3}', 3, 'r_rfm', NULL, NULL)::rfm_cuts)).score) FROM rfm_customers;
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
ALTER TABLE rfm_customers RESET (parallel_workers);

-- A partition that does not fit work_mem is scored the same.
CREATE TEMP TABLE many AS
  SELECT n, hashint4(n) & 1023 AS r, hashint4(n + 1000000) & 63 AS f, (hashint4(n + 2000000) & 65535)::numeric / 100 AS m FROM generate_series(1, 100000) AS n;
SELECT count(*), sum((s).score), md5(string_agg((s).score::text, ',' ORDER BY n)) AS digest
FROM (SELECT n, rfm_score(r, f, m) OVER () AS s FROM many) AS t \gset memory_
SET work_mem = '64kB';
SELECT count(*), sum((s).score) = :memory_sum AS same_sum, md5(string_agg((s).score::text, ',' ORDER BY n)) = :'memory_digest' AS same_rows
FROM (SELECT n, rfm_score(r, f, m) OVER () AS s FROM many) AS t;
RESET work_mem;

-- What is refused.
CALL refused('SELECT rfm_score(1, 2, 3)');
CALL refused('SELECT rfm_score(history, ''1998-06-30'') FROM (SELECT ''{}''::purchase_history AS history) AS t');
CALL refused('SELECT rfm_score(1, 2, 3, 1) OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, 11) OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, -2147483648) OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, NULL::integer) OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, 5, ''ntile'') OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, 5, NULL) OVER ()');
CALL refused('SELECT rfm_score(1, 2, 3, rule => repeat(''x'', 1000000)) OVER ()');
CALL refused('SELECT rfm_score(''NaN''::numeric, 1, 1) OVER ()');
CALL refused('SELECT rfm_score(1, ''Infinity''::numeric, 1) OVER ()');
CALL refused('SELECT rfm_score(1, 1, ''NaN''::numeric) OVER ()');
CALL refused('SELECT rfm_score(1, 1, ''-Infinity''::double precision) OVER ()');
CALL refused('SELECT rfm_score(1, 0, ''NaN''::double precision) OVER ()');
CALL refused('SELECT rfm_score(1, 1, 1e400::numeric) OVER ()');
CALL refused('SELECT rfm_cuts(1, 1, ''NaN''::double precision)');
CALL refused('SELECT rfm_cuts(1, ''NaN''::numeric, 1)');
CALL refused('SELECT rfm_values(''Infinity''::numeric, 1, 1)');
CALL refused('SELECT rfm_score(1, 1, ''NaN''::numeric, cuts) FROM frozen');
CALL refused('SELECT rfm_score(1.5::double precision, 1, 1) OVER ()');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bins": 1}'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bin": 5}'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"rule": "ntile"}'')');
-- Options that vary by row are refused, as they are when parallel workers meet.
CALL refused('SELECT rfm_cuts(n, n, n, jsonb_build_object(''bins'', n)) FROM generate_series(2, 3) AS n');

-- When time alone changes the scores, against the scores asked day by day. 1997-03-31 lies before many purchases: what is
-- dated later counts from its day.
CREATE TEMP TABLE silent_cuts AS
  SELECT rule, as_of, (SELECT rfm_cuts(history, as_of, jsonb_build_object('rule', rule)) FROM silent) AS rfm
  FROM unnest('{quantile,r_rfm}'::text[]) AS rule, unnest('{1997-03-31,1998-06-30}'::date[]) AS as_of;
SELECT rule, as_of, count(*) AS customers, count(next) AS move, min(next - as_of), max(next - as_of),
       sum(too_late) AS too_late, count(*) FILTER (WHERE next IS NOT NULL AND NOT moved) AS not_moved
FROM silent_cuts, silent, LATERAL (SELECT rfm_next_change(history, as_of, rfm) AS next) AS n,
     LATERAL (SELECT count(*) AS too_late FROM generate_series(1, coalesce(next - as_of - 1, 900)) AS d
              WHERE (rfm_score(history, as_of + d, rfm)).score IS DISTINCT FROM (rfm_score(history, as_of, rfm)).score) AS t,
     LATERAL (SELECT (rfm_score(history, next, rfm)).score IS DISTINCT FROM (rfm_score(history, as_of, rfm)).score AS moved) AS m
WHERE customer_id % 40 < 2 GROUP BY rule, as_of ORDER BY rule, as_of;
SELECT rfm_next_change('{}', '1998-06-30', rfm) AS never, rfm_next_change(NULL, '1998-06-30', rfm) AS nothing FROM silent_cuts LIMIT 1;
CALL refused('SELECT rfm_next_change(''{}'', ''-infinity'', rfm) FROM silent_cuts');
