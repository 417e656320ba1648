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
DROP FUNCTION public.part_misses();
SELECT drop_workspace('parted');
DROP TABLE public.part_orders;
