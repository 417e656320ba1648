-- purchase_history: what a customer bought, day by day, as one value.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- Nine aggregates: a day or a point in time, by three types of amount. Orders of a day add up.
CREATE TEMP TABLE orders (n integer, at timestamp, amount bigint);
INSERT INTO orders VALUES (1, '2024-01-03 10:00', 12), (2, '2024-02-01 00:00', 30), (3, '2024-02-01 23:59:59.999999', 50);
SELECT purchase_history(at::date, amount::numeric) AS date_numeric,
       purchase_history(at::date, amount::double precision) AS date_double,
       purchase_history(at::date, amount) AS date_bigint FROM orders;
SELECT purchase_history(at, amount::numeric) AS timestamp_numeric,
       purchase_history(at, amount::double precision) AS timestamp_double,
       purchase_history(at, amount) AS timestamp_bigint FROM orders;
SELECT purchase_history(at AT TIME ZONE 'Asia/Tokyo', amount::numeric, 'Asia/Tokyo') AS timestamptz_numeric,
       purchase_history(at AT TIME ZONE 'Asia/Tokyo', amount::double precision, 'Asia/Tokyo') AS timestamptz_double,
       purchase_history(at AT TIME ZONE 'Asia/Tokyo', amount, 'Asia/Tokyo') AS timestamptz_bigint FROM orders;
-- Smaller types of amount find their way.
SELECT purchase_history(at::date, amount::smallint) AS smallint, purchase_history(at::date, amount::integer) AS integer,
       purchase_history(at::date, amount::real) AS real FROM orders;

-- Accessors: everything about one history, and about one that is empty.
CREATE TEMP TABLE h (name text PRIMARY KEY, history purchase_history);
INSERT INTO h VALUES
  ('some', '{2024-01-03:1:12.50,2024-02-01:2:80,2024-02-10:0:-20,2024-03-01:1:0}'),
  ('one', '{2024-01-03:1:12.50}'),
  ('refund only', '{2024-01-03:0:-5}'),
  ('empty', '{}'),
  ('null', NULL);
SELECT name, first_purchase(history), last_purchase(history), purchase_days(history), purchases(history),
       turnover(history), mean_gap(history)
FROM h ORDER BY name;
-- As of a day between: what comes after is as if it were not there; the refund lowers the turnover only.
SELECT name, as_of, recency(history, as_of), frequency(history, as_of), monetary(history, as_of),
       tenure(history, as_of), purchase_days(history, as_of), mean_gap(history, as_of) AS gap
FROM h, unnest('{2024-01-02,2024-01-03,2024-02-15,2025-01-01}'::date[]) AS as_of
ORDER BY name, as_of;
-- Turnover between two days: after the first, up to and including the second.
SELECT turnover(history, '2024-01-03') AS after_first, turnover(history, until => '2024-02-01') AS until_second,
       turnover(history, '2024-01-03', '2024-02-10') AS between_two, turnover(history, '2024-02-10', '2024-01-03') AS none
FROM h WHERE name = 'some';
SELECT d.* FROM h, days(history) AS d WHERE name = 'some' ORDER BY day;
SELECT count(*) FROM h, days(history) WHERE name IN ('empty', 'null');
-- until cuts off what is dated later; the rest stays what it was.
SELECT as_of, until(history, as_of) FROM h, unnest('{-infinity,2024-01-02,2024-01-03,2024-02-10,2024-02-29,infinity}'::date[]) AS as_of
WHERE name = 'some' ORDER BY as_of;
SELECT until(until(purchase_history '{2024-01-03:1:1,2024-03-01:0:-1}', '2024-02-01'), '2024-12-31') AS refund_cut_off_stays_off;

-- Casts: jsonb for people and programs, bytea for looking at the packed bytes.
SELECT history::jsonb FROM h WHERE name = 'some';
SELECT name, to_jsonb(history) = history::jsonb AS same, jsonb_array_length(history::jsonb) AS days FROM h ORDER BY name;
SELECT name, history::bytea FROM h ORDER BY name;

-- Text: days in any order and more than once are put in order and added up.
SELECT ' { 2024-02-01:1:30 , 2024-01-03:1:12.5,2024-02-01:1:50.0001 } '::purchase_history;
SELECT h.name, history::text::purchase_history = history AS round_trip FROM h ORDER BY name;
SET datestyle = 'German, DMY';
SELECT history FROM h WHERE name = 'one';
SELECT history::text::purchase_history = history AS round_trip, history::jsonb FROM h WHERE name = 'one';
SET datestyle = ISO;

-- Binary: what COPY writes, COPY reads.
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/history.bin'
CREATE TEMP TABLE histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
COPY histories TO :'file' (FORMAT binary);
CREATE TEMP TABLE copied (LIKE histories);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE h.history = c.history) AS equal, count(*) FILTER (WHERE h.history <> c.history) AS differ
FROM histories AS h JOIN copied AS c USING (customer_id);
SELECT bool_and(segmentation_internal.purchase_history_send(history) = history::bytea) AS sends_its_bytes FROM histories;
-- Text of all of them.
SELECT count(*) FILTER (WHERE history::text::purchase_history = history) AS round_trips FROM histories;

-- Equality and hash: the same days are the same value, however it came to be.
SELECT '{2024-01-01:1:1.5}'::purchase_history = '{2024-01-01:1:1.5000}' AS equal,
       '{2024-01-01:1:1.5}'::purchase_history <> '{2024-01-01:2:1.5}' AS not_equal,
       segmentation_internal.purchase_history_hash('{2024-01-01:1:1.5}') = segmentation_internal.purchase_history_hash('{2024-01-01:1:1.5000}') AS same_hash,
       segmentation_internal.purchase_history_hash_extended('{2024-01-01:1:1.5}', 1) = segmentation_internal.purchase_history_hash_extended('{2024-01-01:1:1.50}', 1) AS same_extended;
SELECT count(*) AS customers, count(DISTINCT history::text) AS distinct_texts,
       (SELECT count(*) FROM (SELECT DISTINCT history FROM histories) AS d) AS distinct_histories,
       (SELECT count(*) FROM (SELECT FROM histories GROUP BY history) AS d) AS groups,
       (SELECT count(*) FROM (SELECT history FROM histories UNION SELECT history FROM copied) AS d) AS in_union,
       (SELECT count(*) FROM histories WHERE history NOT IN (SELECT history FROM copied)) AS not_in
FROM histories;
-- Equal histories can be hashed; which side is, is the planner's.
CREATE FUNCTION pg_temp.first_node(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE node text;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF) ' || query INTO node;
  RETURN node;
END $$;
SELECT pg_temp.first_node('SELECT FROM histories AS a JOIN copied AS b USING (history)');
SELECT count(*) FILTER (WHERE a.history::text <> b.history::text) AS wrong, count(*) > 2357 AS pairs
FROM histories AS a JOIN copied AS b USING (history);
-- There is no order among histories.
CALL refused('SELECT history FROM histories ORDER BY history');

-- NULL rows are skipped; without a row there is no history.
SELECT purchase_history(d, a) FROM (VALUES (date '2024-01-01', 1.5), (NULL, 2), (date '2024-01-02', NULL), (NULL, NULL)) AS v (d, a);
SELECT purchase_history(NULL::date, 1::numeric) AS date, purchase_history(NULL::timestamp, 1::bigint) AS timestamp,
       purchase_history(timestamptz '2024-01-01 00:00Z', 1::bigint, NULL) AS zone, merge(NULL::purchase_history);
SELECT purchase_history(purchased_on, amount), merge(NULL::purchase_history) FROM cdnow WHERE false;
SELECT purchase_history(d, 1::bigint) FROM (VALUES (NULL::date), (date '2024-01-02'), (NULL)) AS v (d);
SELECT merge(history) FROM (VALUES (NULL::purchase_history), ('{2024-01-02:1:1}'), (NULL), ('{}'), ('{2024-01-02:1:2}')) AS v (history);
SELECT merge('{}'::purchase_history) AS empty_is_not_null;

-- A refund lowers turnover and is no purchase; an order of nothing is an order; so is minus zero.
SELECT purchase_history(date '2024-01-01', a) AS numeric, purchase_history(date '2024-01-01', a::double precision) AS double, a
FROM (VALUES (0::numeric), (-0.0), (-1), (0.00001), (-0.00001), (1.5)) AS v (a) GROUP BY a ORDER BY a;
SELECT purchase_history(date '2024-01-01', '-0'::double precision) AS minus_zero, purchase_history(date '2024-01-01', (-3)::bigint) AS bigint_refund;
SELECT purchase_history(date '2024-01-01', a) FROM (VALUES (10::numeric), (-10), (0)) AS v (a);

-- Four decimals, rounded half away from zero, row by row. (A double that is written 12.34565 lies just below the half.)
SELECT a, turnover(purchase_history(date '2024-01-01', a)) AS numeric, turnover(purchase_history(date '2024-01-01', a::double precision)) AS double
FROM (VALUES (0.00005), (-0.00005), (0.000049999), (-0.000049999), (1.00015), (12.34565), (-12.34565), (0.1), (1e-20), (123456789.98765)) AS v (a)
GROUP BY a ORDER BY a;
SELECT turnover(purchase_history(date '2024-01-01', 0.00005)) AS ten_half_units FROM generate_series(1, 10);

-- Numbers of every length are read as PostgreSQL itself rounds them.
SELECT count(*) AS tried, count(*) FILTER (WHERE turnover(h) <> round(a, 4)) AS differ
FROM (SELECT a, purchase_history(date '2024-01-01', a) AS h
      FROM (SELECT DISTINCT sign * round(10::numeric ^ whole * 9.21599999512345 + 1 / 7.0::numeric, places) AS a
            FROM generate_series(0, 14) AS whole, generate_series(0, 9) AS places, unnest('{1,-1}'::numeric[]) AS sign) AS d
      GROUP BY a) AS t;

-- Overflow is an error, not another number.
SELECT turnover(purchase_history(date '2024-01-01', a)) AS largest FROM (VALUES (922337203685477.5807), (-922337203685477.5808)) AS v (a)
GROUP BY a ORDER BY a;
SELECT purchase_history(date '2024-01-01', 922337203685477::bigint) AS largest_bigint;
CALL refused('SELECT purchase_history(date ''2024-01-01'', 922337203685477.5808)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 922337203685477.58075)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', -1e20::numeric)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 1e131071::numeric)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 922337203685478::bigint)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 9223372036854775807)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 1e15::double precision)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', -1e308::double precision)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', 922337203685477::numeric) FROM generate_series(1, 2)');
CALL refused('SELECT merge(''{2024-01-01:1:922337203685477}''::purchase_history) FROM generate_series(1, 2)');
CALL refused('SELECT merge(h::purchase_history) FROM (VALUES (''{2024-01-01:4294967295:0}''), (''{2024-01-01:1:0}'')) AS v (h)');
CALL refused('SELECT turnover(''{2024-01-01:1:922337203685477,2024-01-02:1:922337203685477}'')');
CALL refused('SELECT monetary(''{2024-01-01:1:922337203685477,2024-01-02:1:922337203685477}'', ''2024-02-01'')');
-- What does not ask for the sum still answers.
SELECT purchases('{2024-01-01:4294967295:1,2024-01-02:4294967295:1}'),
       turnover('{2024-01-01:1:922337203685477,2024-01-02:1:922337203685477}', '2024-01-01');

-- Neither NaN nor infinity is an amount.
CALL refused('SELECT purchase_history(date ''2024-01-01'', ''NaN''::numeric)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', ''Infinity''::numeric)');
CALL refused('SELECT purchase_history(timestamp ''2024-01-01'', ''-Infinity''::numeric)');
CALL refused('SELECT purchase_history(date ''2024-01-01'', ''NaN''::double precision)');
CALL refused('SELECT purchase_history(timestamp ''2024-01-01'', ''Infinity''::double precision)');
CALL refused('SELECT purchase_history(timestamptz ''2024-01-01'', ''-Infinity''::double precision, ''UTC'')');

-- Days from 0001-01-01 to 9999-12-31.
SELECT purchase_history(d, 1::bigint) FROM (VALUES (date '0001-01-01'), (date '9999-12-31')) AS v (d);
CALL refused('SELECT purchase_history(date ''0001-12-31 BC'', 1::bigint)');
CALL refused('SELECT purchase_history(date ''10000-01-01'', 1::numeric)');
CALL refused('SELECT purchase_history(date ''infinity'', 1::bigint)');
CALL refused('SELECT purchase_history(date ''-infinity'', 1::numeric)');
CALL refused('SELECT purchase_history(timestamp ''infinity'', 1::double precision)');
CALL refused('SELECT purchase_history(timestamp ''0001-12-31 23:59 BC'', 1::bigint)');
CALL refused('SELECT purchase_history(timestamptz ''-infinity'', 1::bigint, ''Europe/Paris'')');
CALL refused('SELECT purchase_history(timestamptz ''294276-12-31 23:59+00'', 1::bigint, ''Asia/Tokyo'')');

-- Midnight moves the day: an instant has a day in a time zone only. Before 2000 too.
SELECT zone, purchase_history(at, 1::bigint, zone)
FROM (VALUES (timestamptz '2024-03-01 00:30+01'), ('2023-12-31 23:59:59.999999+00'), ('1999-12-31 23:59:59.999999+00')) AS v (at),
     unnest('{Europe/Paris,UTC,America/New_York,Asia/Tokyo,Asia/Kathmandu}'::text[]) AS zone
GROUP BY zone ORDER BY zone;
-- Without a zone there is no such aggregate: nothing is taken from the session silently.
CALL refused('SELECT purchase_history(timestamptz ''2024-03-01 00:30+01'', 1::bigint)');
CALL refused('SELECT purchase_history(now(), 1::bigint, ''Europe/Atlantis'')');
CALL refused('SELECT purchase_history(now(), 1::bigint, '''')');

-- The session's time zone and date style change nothing.
CREATE TEMP TABLE instants AS
  SELECT customer_id, timestamptz '1997-01-01 00:00+00' + n * interval '7 hours 13 minutes' AS at, (n % 90)::numeric - 5 AS amount
  FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_id, purchased_on, quantity, amount) AS n FROM cdnow) AS t;
CREATE TEMP TABLE answers (zone text, answer text);
CREATE FUNCTION pg_temp.answer() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(h.a::text || h.b::text || h.a::jsonb::text || recency(h.a, '1999-01-01') || tenure(h.b, '1999-01-01'), ',' ORDER BY h.customer_id))
  FROM (SELECT customer_id, purchase_history(at, amount, 'Europe/Paris') AS a, purchase_history(at AT TIME ZONE 'UTC', amount) AS b
        FROM instants GROUP BY customer_id) AS h
$$;
SET timezone = 'UTC'; INSERT INTO answers SELECT current_setting('timezone'), pg_temp.answer();
SET timezone = 'Pacific/Kiritimati'; INSERT INTO answers SELECT current_setting('timezone'), pg_temp.answer();
SET timezone = 'Pacific/Pago_Pago'; INSERT INTO answers SELECT current_setting('timezone'), pg_temp.answer();
SET datestyle = 'SQL, DMY'; INSERT INTO answers SELECT current_setting('datestyle'), pg_temp.answer();
SET datestyle = ISO;
RESET timezone;
SELECT count(*) AS settings, count(DISTINCT answer) AS answers FROM answers;

-- As a window aggregate: the history so far is the whole history up to that day. On every row of CDNOW.
SELECT count(*) AS rows, count(*) FILTER (WHERE so_far = until(history, purchased_on)) AS equal
FROM (SELECT customer_id, purchased_on, purchase_history(purchased_on, amount) OVER (PARTITION BY customer_id ORDER BY purchased_on) AS so_far
      FROM cdnow) AS w
JOIN histories USING (customer_id);
SELECT n, purchase_history(at::date, amount) OVER (ORDER BY n) AS so_far,
       purchase_history(at::date, amount) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS this_and_next,
       purchase_history(at::date, CASE n WHEN 1 THEN NULL ELSE amount END) OVER (ORDER BY n) AS after_a_null
FROM orders ORDER BY n;

-- Row order does not matter, nor FILTER and DISTINCT as they should not.
CREATE TEMP TABLE shuffled AS SELECT * FROM cdnow ORDER BY md5(customer_id || '-' || purchased_on || amount);
SELECT count(*) AS differ FROM (
  (SELECT * FROM histories EXCEPT ALL SELECT customer_id, purchase_history(purchased_on, amount) FROM shuffled GROUP BY customer_id)
  UNION ALL
  (SELECT * FROM histories EXCEPT ALL SELECT customer_id, purchase_history(purchased_on, amount ORDER BY purchased_on DESC) FROM shuffled GROUP BY customer_id)
) AS d;
SELECT purchase_history(d, a) FILTER (WHERE a > 1) AS filtered, purchase_history(DISTINCT d, a) AS distinct_rows
FROM (VALUES (date '2024-01-01', 1::bigint), ('2024-01-01', 1), ('2024-01-01', 5)) AS v (d, a);

-- Parts merged are the whole: by week of the year, then by customer; and parts of parts.
SELECT count(*) AS differ FROM (
  (SELECT * FROM histories
   EXCEPT ALL
   SELECT customer_id, merge(part) FROM (
     SELECT customer_id, purchase_history(purchased_on, amount) AS part FROM shuffled
     GROUP BY customer_id, extract(week FROM purchased_on), quantity) AS p GROUP BY customer_id)
) AS d;
SELECT (SELECT merge(history) FROM histories) = (SELECT purchase_history(purchased_on, amount) FROM cdnow) AS by_customer,
       (SELECT merge(part) FROM (SELECT merge(history) AS part FROM histories GROUP BY customer_id % 7) AS p)
         = (SELECT purchase_history(purchased_on, amount) FROM cdnow) AS parts_of_parts;

-- Parallel is serial: 0, 1 and 4 workers, hashed and sorted. A hundred big customers, so that partial aggregates pay.
CREATE TABLE big AS SELECT customer_id % 100 AS customer_id, purchased_on, amount FROM cdnow;
ALTER TABLE big SET (parallel_workers = 4);
ANALYZE big;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT customer_id, purchase_history(purchased_on, amount) FROM big GROUP BY customer_id;
CREATE TEMP TABLE serial AS SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM big GROUP BY customer_id;
SELECT count(*) AS customers, count(*) FILTER (WHERE serial.history <> merged.history) AS merged_differ
FROM serial JOIN (SELECT customer_id % 100 AS customer_id, merge(history) AS history FROM histories GROUP BY 1) AS merged USING (customer_id);
SET max_parallel_workers_per_gather = 1;
SELECT count(*) AS customers, count(*) FILTER (WHERE serial.history <> parallel.history) AS differ
FROM serial JOIN (SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM big GROUP BY 1) AS parallel USING (customer_id);
SET max_parallel_workers_per_gather = 4;
EXPLAIN (COSTS OFF) SELECT customer_id, purchase_history(purchased_on, amount) FROM big GROUP BY customer_id;
SELECT count(*) AS customers, count(*) FILTER (WHERE serial.history <> parallel.history) AS differ
FROM serial JOIN (SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM big GROUP BY 1) AS parallel USING (customer_id);
SET enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT customer_id, purchase_history(purchased_on, amount) FROM big GROUP BY customer_id;
SELECT count(*) AS customers, count(*) FILTER (WHERE serial.history <> parallel.history) AS differ
FROM serial JOIN (SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM big GROUP BY 1) AS parallel USING (customer_id);
RESET enable_hashagg;
-- merge too, and a group without a history in any of the workers.
CREATE TABLE stored AS SELECT * FROM histories UNION ALL SELECT -1, NULL;
ALTER TABLE stored SET (parallel_workers = 4);
EXPLAIN (COSTS OFF) SELECT merge(history) FROM stored;
SELECT merge(history) = (SELECT merge(history) FROM histories) AS same FROM stored;
SELECT customer_id % 2, merge(history) IS NULL AS is_null FROM stored WHERE customer_id < 0 GROUP BY 1;
EXPLAIN (COSTS OFF) SELECT purchase_history(purchased_on, amount) FROM big;
SELECT purchase_history(purchased_on, amount) = (SELECT merge(history) FROM histories) AS same FROM big;
-- Accessors run in the workers.
EXPLAIN (COSTS OFF) SELECT sum(monetary(history, '1998-01-01')), sum(recency(history, '1998-01-01')) FROM stored;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
DROP TABLE stored, big;
-- Groups that do not fit work_mem are the same groups.
SET work_mem = '64kB';
SET enable_sort = off;
SELECT count(*) AS differ FROM (SELECT * FROM histories EXCEPT ALL
  SELECT customer_id, purchase_history(purchased_on, amount) FROM shuffled GROUP BY customer_id) AS d;
RESET enable_sort;
RESET work_mem;

-- CDNOW: 6,919 orders of 2,357 customers on 6,696 purchase days.
SELECT count(*) AS customers, sum(purchases(history)) AS orders, sum(turnover(history)) AS turnover,
       sum(purchase_days(history)) AS purchase_days, min(first_purchase(history)), max(last_purchase(history))
FROM histories;
-- Plain SQL says the same of every customer.
SELECT count(*) AS customers,
       count(*) FILTER (WHERE (recency(history, '1998-06-30'), frequency(history, '1998-06-30'), monetary(history, '1998-06-30'), tenure(history, '1998-06-30'))
         IS DISTINCT FROM (c.recency, c.orders, c.amount, c.tenure)) AS differ
FROM histories JOIN (
  SELECT customer_id, date '1998-06-30' - max(purchased_on) AS recency, count(*) AS orders, sum(amount) AS amount, date '1998-06-30' - min(purchased_on) AS tenure
  FROM cdnow GROUP BY customer_id) AS c USING (customer_id);
SELECT count(*) AS customers, count(*) FILTER (WHERE (frequency(history, '1997-09-30'), monetary(history, '1997-09-30'), purchase_days(history, '1997-09-30'))
         IS DISTINCT FROM (c.orders, c.amount, c.days::integer)) AS differ
FROM histories JOIN (
  SELECT customer_id, count(*) FILTER (WHERE purchased_on <= '1997-09-30') AS orders, coalesce(sum(amount) FILTER (WHERE purchased_on <= '1997-09-30'), 0) AS amount,
         count(DISTINCT purchased_on) FILTER (WHERE purchased_on <= '1997-09-30') AS days
  FROM cdnow GROUP BY customer_id) AS c USING (customer_id);
SELECT count(*) AS days, sum(d.purchases) AS purchases, sum(d.amount) AS amount FROM histories, days(history) AS d;

-- Stored, ten purchase days take at most 100 bytes; so do ten days of several odd amounts years apart.
SELECT count(*) AS histories, max(pg_column_size(history)) <= 100 AS fits FROM histories WHERE purchase_days(history) = 10;
CREATE TEMP TABLE wide AS
  SELECT purchase_history(date '2001-01-01' + 301 * n, 98765.43 + n) AS history FROM generate_series(1, 10) AS n, generate_series(1, 3);
SELECT purchase_days(history), purchases(history), pg_column_size(history) <= 100 AS fits FROM wide;
-- A long one is compressed and read again: a hundred thousand days.
INSERT INTO wide SELECT purchase_history(date '1700-01-01' + n, (n % 1000)::bigint) FROM generate_series(1, 100000) AS n;
SELECT purchase_days(history), first_purchase(history), last_purchase(history), turnover(history), purchases(until(history, '1700-12-31'))
FROM wide WHERE purchase_days(history) > 10;

-- States travel: half an aggregate is written out, as text or sent, and read and taken in elsewhere (Citus, postgres_fdw).
WITH o AS (SELECT n, date '2024-01-01' + n * 7 % 100 AS day, (n * 37 % 50 - 3)::numeric AS amount FROM generate_series(1, 40) AS n),
half AS (SELECT 1 AS part, segmentation_internal.history_add(segmentation_internal.history_add(NULL::segmentation.purchase_history, (SELECT day FROM o WHERE n = 1), (SELECT amount FROM o WHERE n = 1)), (SELECT day FROM o WHERE n = 2), (SELECT amount FROM o WHERE n = 2)) AS state),
rest AS (SELECT segmentation.purchase_history(day, amount) AS history FROM o WHERE n > 2)
SELECT state::text AS written, state::text::segmentation.purchase_history::text = state::text AS same_text,
  segmentation_internal.history_final(segmentation_internal.history_absorb(segmentation_internal.history_absorb(NULL, state::text::segmentation.purchase_history), history))
    OPERATOR(segmentation.=) (SELECT segmentation.purchase_history(day, amount) FROM o) AS read_again,
  segmentation_internal.purchase_history_send(state) = state::text::segmentation.purchase_history::bytea AS sent_packed,
  segmentation_internal.history_final(state::text::segmentation.purchase_history) OPERATOR(segmentation.=) state::text::segmentation.purchase_history AS final
FROM half, rest;
WITH half AS (SELECT segmentation_internal.item_history_add(segmentation_internal.item_history_add(NULL::segmentation.item_history, 'b', date '2024-01-03', 2::numeric, 5::numeric), 'a', date '2024-01-01', 1::numeric, 1.5::numeric) AS state)
SELECT state::text AS written, state::text::segmentation.item_history::text = state::text AS same_text,
  segmentation_internal.item_history_final(segmentation_internal.item_history_absorb(NULL, state::text::segmentation.item_history)) OPERATOR(segmentation.=) segmentation_internal.item_history_final(state) AS read_again,
  segmentation_internal.item_history_send(state) = state::text::segmentation.item_history::bytea AS sent_packed
FROM half;
