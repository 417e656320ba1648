-- Triggers of partitions that are disabled: capture_status says which, at every level and in every way.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE TABLE public.part_orders (customer_id integer, ordered_on date, amount numeric) PARTITION BY RANGE (ordered_on);
CREATE TABLE public.part_2024 PARTITION OF public.part_orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (customer_id);
CREATE TABLE public.part_2024_1 PARTITION OF public.part_2024 FOR VALUES IN (1);
CREATE TABLE public.part_2025 PARTITION OF public.part_orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
SELECT create_workspace('parted'), configure_workspace('parted', '{"source_silence": "off"}'), add_source('parted', 'purchases', 'part_orders') IS NOT NULL AS added;
INSERT INTO part_orders VALUES (1, '2024-02-01', 5), (2, '2025-02-01', 6);
CALL refresh('parted', '2025-03-01');
SELECT start_capture('parted', 'purchases', 'part_orders');
CREATE FUNCTION public.part_misses() RETURNS text LANGUAGE sql AS
  $$SELECT coalesce(substring(misses FROM 'writes to [^;]*'), 'nothing') FROM segmentation.capture_status('parted')$$;
SELECT part_misses() AS all_enabled;
ALTER TABLE part_2024_1 DISABLE TRIGGER USER;
SELECT part_misses() AS below_a_partition;
ALTER TABLE part_2025 DISABLE TRIGGER ALL;
SELECT part_misses() AS two;
ALTER TABLE part_2024_1 ENABLE TRIGGER USER;
ALTER TABLE part_2025 ENABLE TRIGGER ALL;
SELECT part_misses() AS none;
-- One trigger of four; for replicas only; ALWAYS is as good as enabled.
DO $$BEGIN EXECUTE (SELECT format('ALTER TABLE part_2025 ENABLE REPLICA TRIGGER %I', tgname) FROM pg_trigger WHERE tgrelid = 'part_2025'::regclass AND tgname ~ 'insert$'); END$$;
SELECT part_misses() AS replica;
-- What was written meanwhile is read once they are back, and refresh_changed warns until then.
INSERT INTO part_2025 VALUES (2, '2025-02-02', 7);
CALL refresh_changed('parted', '2025-03-01');
DO $$BEGIN EXECUTE (SELECT format('ALTER TABLE part_2025 ENABLE ALWAYS TRIGGER %I', tgname) FROM pg_trigger WHERE tgrelid = 'part_2025'::regclass AND tgname ~ 'insert$'); END$$;
SELECT part_misses() AS always;
INSERT INTO part_2025 VALUES (2, '2025-02-03', 8);
CALL refresh_changed('parted', '2025-03-01');
SELECT customer, history FROM parted.customer_facts ORDER BY 1;
ALTER TABLE part_orders DISABLE TRIGGER USER;
SELECT part_misses() AS the_root;
ALTER TABLE part_orders ENABLE TRIGGER USER;
CALL refresh_changed('parted', '2025-03-01');
SELECT part_misses() AS none;
-- What is attached is said until the next look, which reads what it brings, and nobody else.
INSERT INTO part_orders SELECT g, '2025-02-01', 1 FROM generate_series(3, 30) AS g;
CALL refresh_changed('parted', '2025-03-01');
CREATE TABLE public.part_2023 (customer_id integer, ordered_on date, amount numeric);
INSERT INTO part_2023 VALUES (1, '2023-05-01', 50), (40, '2023-05-01', 60), (NULL, '2023-05-01', 70);
ALTER TABLE part_orders ATTACH PARTITION part_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
SELECT part_misses() AS attached;
CALL refresh_changed('parted', '2025-03-01');
SELECT part_misses() AS none, rows AS read FROM parted.refresh_log WHERE phase = 'changed' ORDER BY refresh DESC, place DESC LIMIT 1;
SELECT customer, history FROM parted.customer_facts WHERE customer IN (1, 40) ORDER BY 1;
INSERT INTO part_2023 VALUES (41, '2023-05-02', 5);
CALL refresh_changed('parted', '2025-03-01');
SELECT customer, history FROM parted.customer_facts WHERE customer = 41;
-- A partition of partitions, of which one is a new one only.
CREATE TABLE public.part_2022 (LIKE part_2023) PARTITION BY LIST (customer_id);
CREATE TABLE public.part_2022_2 PARTITION OF part_2022 FOR VALUES IN (2);
INSERT INTO part_2022 VALUES (2, '2022-05-01', 5);
ALTER TABLE part_orders ATTACH PARTITION part_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
SELECT part_misses() AS attached;
CALL refresh_changed('parted', '2025-03-01');
SELECT part_misses() AS none, rows AS read FROM parted.refresh_log WHERE phase = 'changed' ORDER BY refresh DESC, place DESC LIMIT 1;
-- Detached, or attached while something else changed: everybody.
ALTER TABLE part_orders DETACH PARTITION part_2022;
CALL refresh_changed('parted', '2025-03-01');
SELECT rows AS read FROM parted.refresh_log WHERE phase = 'changed' ORDER BY refresh DESC, place DESC LIMIT 1;
SELECT count(*) AS facts, count(*) FILTER (WHERE first_purchase(history) < '2023-01-01') AS of_2022 FROM parted.customer_facts;
ALTER TABLE part_orders ATTACH PARTITION part_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
TRUNCATE part_2023;
CALL refresh_changed('parted', '2025-03-01');
SELECT rows AS read FROM parted.refresh_log WHERE phase = 'changed' ORDER BY refresh DESC, place DESC LIMIT 1;
-- As a full refresh has it.
CREATE TABLE public.part_facts AS SELECT customer, history FROM parted.customer_facts;
CALL refresh('parted', '2025-03-01', retrain => false);
SELECT count(*) AS differences FROM (
  (SELECT customer, history::text FROM part_facts EXCEPT SELECT customer, history::text FROM parted.customer_facts)
  UNION ALL (SELECT customer, history::text FROM parted.customer_facts EXCEPT SELECT customer, history::text FROM part_facts)) AS d;
-- Many at once: the first of them by name, and how many there are.
DO $$BEGIN FOR y IN 2000 .. 2011 LOOP EXECUTE format('CREATE TABLE public.part_%s PARTITION OF part_orders FOR VALUES FROM (%L) TO (%L)', y, y || '-01-01', (y + 1) || '-01-01'); END LOOP; END$$;
SELECT part_misses() AS attached;
SELECT stop_capture('parted', 'purchases', 'part_orders');
CREATE FOREIGN DATA WRAPPER part_far;
CREATE SERVER part_server FOREIGN DATA WRAPPER part_far;
DO $$BEGIN FOR y IN 2012 .. 2018 LOOP EXECUTE format('CREATE FOREIGN TABLE public.part_%s PARTITION OF part_orders FOR VALUES FROM (%L) TO (%L) SERVER part_server', y, y || '-01-01', (y + 1) || '-01-01'); END LOOP; END$$;
\set SHOW_CONTEXT never
SELECT start_capture('parted', 'purchases', 'part_orders');
SELECT misses FROM capture_status('parted');
-- A partition that Citus spreads.
DROP FOREIGN TABLE part_2012, part_2013, part_2014, part_2015, part_2016, part_2017, part_2018;
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.part_2023');
SELECT start_capture('parted', 'purchases', 'part_orders');
DROP TABLE pg_catalog.pg_dist_partition;
SET allow_system_table_mods = off;
DROP FOREIGN DATA WRAPPER part_far CASCADE;
DROP TABLE public.part_facts;
DROP FUNCTION public.part_misses();
SELECT drop_workspace('parted');
DROP TABLE public.part_orders;
-- A key that is none comes with a partition: the reading says which.
CREATE TABLE public.part_keys (customer_id numeric, ordered_on date, amount numeric) PARTITION BY RANGE (ordered_on);
CREATE TABLE public.part_keys_1 PARTITION OF public.part_keys FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO part_keys VALUES (1, '2024-02-01', 5);
SELECT create_workspace('parted', 'bigint'), configure_workspace('parted', '{"source_silence": "off"}'), add_source('parted', 'purchases', 'part_keys') IS NOT NULL AS added;
CALL refresh('parted', '2025-03-01');
SELECT start_capture('parted', 'purchases', 'part_keys');
CALL refresh_changed('parted', '2025-03-01');
CREATE TABLE public.part_keys_2 (LIKE part_keys);
INSERT INTO part_keys_2 VALUES (2, '2025-02-01', 5), (2.5, '2025-02-01', 5);
ALTER TABLE part_keys ATTACH PARTITION part_keys_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CALL refresh_changed('parted', '2025-03-01');
UPDATE part_keys SET customer_id = 3 WHERE customer_id = 2.5;
CALL refresh_changed('parted', '2025-03-01');
SELECT customer, history FROM parted.customer_facts ORDER BY 1;
SELECT drop_workspace('parted');
DROP TABLE public.part_keys;
