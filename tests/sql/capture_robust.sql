-- Whatever happens to a workspace, a source or what is captured with, writing goes on and nothing is lost without a word.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE ROLE keeper; CREATE ROLE till;
GRANT CREATE ON DATABASE :DBNAME TO keeper;
GRANT CREATE ON SCHEMA public TO keeper;
CREATE EXTENSION postgres_fdw;
SET ROLE keeper;

-- After each step: who is queued ("all": everybody), then whether the incremental result is the full one.
CREATE FUNCTION public.queued(ws text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  EXECUTE format('SELECT coalesce(string_agg(DISTINCT coalesce(q.customer::text, ''all''), '' ''), ''nobody'') FROM %I.queue AS q', ws) INTO said;
  RETURN said;
END
$$;
CREATE FUNCTION public.facts(ws text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  EXECUTE format('SELECT string_agg(format(''%%s:%%s'', f.customer, coalesce(segmentation.turnover(f.history, ''2024-12-31'', ''2025-12-31''), 0)), '' '' ORDER BY f.customer) FROM %I.customer_facts AS f', ws) INTO said;
  RETURN said;
END
$$;
CREATE FUNCTION public.misses(ws text) RETURNS SETOF text LANGUAGE sql AS
  'SELECT format(''%s %s (%s): %s'', s.kind, regexp_replace(s.relation::text, ''^[0-9]+$'', ''dropped''), s.capture, regexp_replace(s.misses, ''''''[0-9]+'''''', ''number'', ''g'')) FROM segmentation.capture_status(ws) AS s';
CREATE PROCEDURE public.shop(ws text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.create_workspace(ws, 'bigint', 'UTC'), segmentation.configure_workspace(ws, '{"minimum_buyers": 1}');
END
$$;

-- 1. Another mapping: the triggers note the other column, and everybody is read again.
CALL shop('shop');
CREATE TABLE public.orders (customer_id integer, payer integer, ordered_on date NOT NULL, amount numeric NOT NULL, billed numeric, at timestamptz);
INSERT INTO orders SELECT c, c + 10, date '2025-01-01' + c, c, 2 * c, date '2025-01-01' + c FROM generate_series(1, 4) AS c;
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "customer_id", "amount": "amount", "purchased_on": "ordered_on"}') IS NOT NULL AS added;
CALL refresh('shop', '2025-06-30');
SELECT start_capture('shop', 'purchases', 'orders');
CALL refresh_changed('shop', '2025-06-30');
SELECT queued('shop'), facts('shop');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "payer", "amount": "amount", "purchased_on": "ordered_on"}') ->> 'customer' AS customer;
INSERT INTO orders VALUES (1, 21, '2025-06-01', 5);
SELECT queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT queued('shop'), facts('shop');
UPDATE orders SET amount = amount + 1 WHERE payer = 21;
SELECT queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "payer", "amount": "billed", "purchased_on": "ordered_on"}') ->> 'amount' AS amount, queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');
-- The same again changes nothing; another time zone does.
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "payer", "amount": "billed", "purchased_on": "ordered_on"}') ->> 'amount' AS amount, queued('shop');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "customer_id", "amount": "amount", "purchased_on": "at"}', 'Asia/Tokyo') IS NOT NULL AS added, queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "customer_id", "amount": "amount", "purchased_on": "ordered_on"}', 'UTC') IS NOT NULL AS added;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');

-- 2. Children by INHERITS, of children, and later ones.
CREATE TABLE public.orders_web () INHERITS (orders);
CREATE TABLE public.orders_app () INHERITS (orders_web);
SELECT misses('shop');
INSERT INTO orders_app VALUES (31, 1, '2025-06-01', 31);
CALL refresh_changed('shop', '2025-06-30');
SELECT queued('shop'), facts('shop');
INSERT INTO orders_app VALUES (32, 1, '2025-06-01', 32);
UPDATE orders SET amount = 33 WHERE customer_id = 31;
UPDATE ONLY orders_web SET amount = 0;
SELECT queued('shop'), (SELECT string_agg(m::text, ' ') FROM segmentation_internal.workspace_members('orders') AS m) AS members;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');
-- One that leaves, and its triggers.
ALTER TABLE orders_app NO INHERIT orders_web;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop'), (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'orders_app'::regclass) AS triggers;
INSERT INTO orders_app VALUES (33, 1, '2025-06-01', 33);
SELECT queued('shop');
DROP TABLE orders_app, orders_web;
CALL refresh_changed('shop', '2025-06-30');

-- 3. The workspace gets another name; a new one gets the old name.
ALTER SCHEMA shop RENAME TO "old ""shop""";
INSERT INTO orders VALUES (41, 1, '2025-06-01', 41);
SELECT queued('old "shop"');
-- To the functions it is a workspace again when its owner says so.
SELECT adopt_workspace('old "shop"');
CALL shop('shop');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "customer_id", "amount": "amount", "purchased_on": "ordered_on"}') IS NOT NULL AS added;
CALL refresh('shop', '2025-06-30');
SELECT start_capture('shop', 'purchases', 'orders');
CALL refresh_changed('shop', '2025-06-30');
INSERT INTO orders VALUES (42, 1, '2025-06-01', 42);
SELECT queued('shop'), queued('old "shop"');
CALL refresh_changed('old "shop"', '2025-06-30');
INSERT INTO orders VALUES (43, 1, '2025-06-01', 43);
SELECT queued('shop'), queued('old "shop"'), misses('old "shop"');
SELECT stop_capture('old "shop"', 'purchases', 'orders');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'orders'::regclass;
-- Dropped without drop_workspace: its triggers go with it.
SELECT start_capture('old "shop"', 'purchases', 'orders');
DROP SCHEMA "old ""shop""" CASCADE;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'orders'::regclass;

-- The queue is taken away, altered, made read-only, by its owner.
CALL refresh_changed('shop', '2025-06-30');
DROP TABLE shop.queue;
INSERT INTO orders VALUES (51, 1, '2025-06-01', 51);
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '51:51' AS seen, queued('shop'), misses('shop');
ALTER TABLE shop.queue RENAME customer TO client;
INSERT INTO orders VALUES (52, 1, '2025-06-01', 52);
SET client_min_messages = notice;
CALL refresh_changed('shop', '2025-06-30');
SET client_min_messages = warning;
SELECT facts('shop') ~ '52:52' AS seen;
ALTER TABLE shop.queue ADD note text CHECK (note <> 'x');
INSERT INTO orders VALUES (53, 1, '2025-06-01', 53);
SELECT queued('shop');
ALTER TABLE shop.queue DROP note;
CREATE FUNCTION shop.stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE TRIGGER stop BEFORE INSERT ON shop.queue FOR EACH ROW EXECUTE FUNCTION shop.stop();
INSERT INTO orders VALUES (54, 1, '2025-06-01', 54);
SELECT misses('shop');
DROP TRIGGER stop ON shop.queue;
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '54:54' AS seen;
-- Rights taken and given back: what was written in between is not lost.
REVOKE INSERT ON shop.queue FROM keeper;
INSERT INTO orders VALUES (55, 1, '2025-06-01', 55);
SELECT misses('shop');
GRANT INSERT ON shop.queue TO keeper;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '55:55' AS seen;
REVOKE USAGE ON SCHEMA shop FROM keeper;
INSERT INTO orders VALUES (56, 1, '2025-06-01', 56);
GRANT USAGE ON SCHEMA shop TO keeper;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '56:56' AS seen;
-- The owner has another name; so has the source, and its schema.
RESET ROLE;
ALTER ROLE keeper RENAME TO warden;
SET ROLE warden;
INSERT INTO orders VALUES (57, 1, '2025-06-01', 57);
RESET ROLE;
ALTER ROLE warden RENAME TO keeper;
CREATE SCHEMA elsewhere AUTHORIZATION keeper;
SET ROLE keeper;
ALTER TABLE orders RENAME TO sales;
ALTER TABLE sales SET SCHEMA elsewhere;
INSERT INTO elsewhere.sales VALUES (58, 1, '2025-06-01', 58);
SELECT queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '57:57.* 58:58' AS seen;
ALTER TABLE elsewhere.sales SET SCHEMA public;
ALTER TABLE sales RENAME TO orders;
-- The key column gets another name, another type, goes, and comes back.
ALTER TABLE orders RENAME customer_id TO c;
INSERT INTO orders VALUES (59, 1, '2025-06-01', 59);
SELECT queued('shop');
ALTER TABLE orders RENAME c TO customer_id;
ALTER TABLE orders ALTER customer_id TYPE bigint;
INSERT INTO orders VALUES (60, 1, '2025-06-01', 60);
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '59:59.* 60:60' AS seen;
INSERT INTO orders VALUES (60, 1, '2025-06-02', 1);
SELECT queued('shop');
CALL refresh_changed('shop', '2025-06-30');
ALTER TABLE orders DROP customer_id;
INSERT INTO orders (payer, ordered_on, amount) VALUES (1, '2025-06-01', 60);
SELECT queued('shop');
CALL refused('SELECT add_source(''shop'', ''purchases'', ''orders'', ''{"customer": "customer_id"}'')');
SELECT add_source('shop', 'purchases', 'orders', '{"customer": "payer", "amount": "amount", "purchased_on": "ordered_on"}') IS NOT NULL AS added;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');

-- 5. Rows that are written anew without a trigger; triggers that were off for a while.
ALTER TABLE orders ALTER amount TYPE numeric USING amount * 10;
SELECT misses('shop'), queued('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');
CREATE TABLE public.orders_child () INHERITS (orders);
CALL refresh_changed('shop', '2025-06-30');
ALTER TABLE orders_child DISABLE TRIGGER ALL;
SELECT misses('shop');
INSERT INTO orders_child (payer, ordered_on, amount) VALUES (71, '2025-06-01', 71);
CALL refresh_changed('shop', '2025-06-30');
INSERT INTO orders_child (payer, ordered_on, amount) VALUES (72, '2025-06-01', 72);
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '72:72' AS seen;
ALTER TABLE orders_child ENABLE TRIGGER ALL;
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '72:72' AS seen, misses('shop');
-- A trigger that was dropped alone, and the function with all of them.
DO $$ BEGIN EXECUTE (SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgrelid = 'orders_child'::regclass AND tgname LIKE '%insert'); END $$;
INSERT INTO orders_child (payer, ordered_on, amount) VALUES (73, '2025-06-01', 73);
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '73:73' AS seen;
DO $$ BEGIN EXECUTE (SELECT format('DROP FUNCTION %s CASCADE', segmentation_internal.workspace_capture_function('shop', (SELECT source FROM shop.source)))); END $$;
INSERT INTO orders_child (payer, ordered_on, amount) VALUES (74, '2025-06-01', 74);
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop') ~ '74:74' AS seen, misses('shop');
DROP TABLE orders_child;
CALL refresh_changed('shop', '2025-06-30');
-- A column more is a field more where rows are taken whole, and nothing to the others.
CREATE TABLE public.people (customer_id bigint PRIMARY KEY, city text);
INSERT INTO people VALUES (1, 'Lyon');
SELECT add_source('shop', 'customers', 'people') IS NOT NULL AS added, start_capture('shop', 'customers', 'people');
CALL refresh_changed('shop', '2025-06-30');
ALTER TABLE orders ADD remark text DEFAULT 'none';
SELECT misses('shop');
ALTER TABLE people ADD member boolean NOT NULL DEFAULT true;
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
SELECT attributes FROM shop.customer_facts WHERE customer = 1;

-- 8. One source is dropped, its sister is in health.
DROP TABLE orders;
SELECT misses('shop');
DO $$ BEGIN EXECUTE (SELECT substring(misses FROM 'SELECT [^;]*') FROM capture_status('shop') WHERE kind = 'purchases'); END $$;
SELECT misses('shop');
INSERT INTO people VALUES (2, 'Nice');
CALL refresh_changed('shop', '2025-06-30');
SELECT string_agg(customer::text, ' ' ORDER BY customer) AS customers FROM shop.customer_facts;

-- 4. Foreign partitions and children: no triggers, or every write that comes there fails.
RESET ROLE;
CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw;
GRANT USAGE ON FOREIGN SERVER loopback TO keeper;
DO $$ BEGIN EXECUTE (SELECT format('ALTER SERVER loopback OPTIONS (ADD dbname %L, ADD host %L, ADD port %L)', current_database(), split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'))); END $$;
CREATE USER MAPPING FOR keeper SERVER loopback OPTIONS (password_required 'false', user 'postgres');
DO $$ BEGIN EXECUTE (SELECT format('ALTER USER MAPPING FOR keeper SERVER loopback OPTIONS (SET user %L)', session_user)); END $$;
SET ROLE keeper;
CREATE TABLE public.parted (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL, touched timestamptz DEFAULT '2025-06-01') PARTITION BY RANGE (ordered_on);
CREATE TABLE public.parted_here PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2025-06-01');
CREATE TABLE public.there (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL, touched timestamptz);
INSERT INTO parted VALUES (1, '2025-02-01', 1), (2, '2025-02-02', 2);
SELECT remove_source('shop', 'customers', 'people');
SELECT add_source('shop', 'purchases', 'parted') IS NOT NULL AS added, start_capture('shop', 'purchases', 'parted');
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');
CREATE FOREIGN TABLE public.parted_there PARTITION OF parted FOR VALUES FROM ('2025-06-01') TO ('2026-01-01') SERVER loopback OPTIONS (schema_name 'public', table_name 'there');
SELECT misses('shop');
CALL refresh_changed('shop', '2025-06-30');
INSERT INTO parted VALUES (3, '2025-06-02', 3), (4, '2025-02-02', 4);
SELECT misses('shop');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid IN ('parted'::regclass, 'parted_here'::regclass);
CALL refresh('shop', '2025-06-30', false);
SELECT facts('shop');
CALL refused('SELECT start_capture(''shop'', ''purchases'', ''parted'')');
SELECT start_capture('shop', 'purchases', 'parted', 'touched');
CALL refresh_changed('shop', '2025-06-30');
INSERT INTO parted VALUES (5, '2025-06-03', 5);
CALL refresh_changed('shop', '2025-06-30');
SELECT facts('shop');
SELECT remove_source('shop', 'purchases', 'parted');
CREATE TABLE public.sired (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL);
CREATE FOREIGN TABLE public.sired_there () INHERITS (sired) SERVER loopback OPTIONS (schema_name 'public', table_name 'there');
SELECT add_source('shop', 'purchases', 'sired') IS NOT NULL AS added;
CALL refused('SELECT start_capture(''shop'', ''purchases'', ''sired'')');
DROP TABLE sired CASCADE;
DO $$ BEGIN EXECUTE (SELECT substring(misses FROM 'SELECT [^;]*') FROM capture_status('shop')); END $$;
-- A distributed table, as Citus keeps it.
RESET ROLE;
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;
SET ROLE keeper;
CREATE TABLE public.spread (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL);
SELECT add_source('shop', 'purchases', 'spread') IS NOT NULL AS added, start_capture('shop', 'purchases', 'spread');
RESET ROLE;
INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.spread');
SET ROLE keeper;
CALL refresh_changed('shop', '2025-06-30');
CALL refused('SELECT start_capture(''shop'', ''purchases'', ''spread'')');
SELECT drop_workspace('shop');
RESET ROLE;
DROP TABLE pg_catalog.pg_dist_partition;
SET allow_system_table_mods = off;
SET ROLE keeper;

-- 6. Watermarks ahead of the clock, none, infinite, before our era; in all three types.
CREATE TABLE public.touched (t text, relation regclass);
DO $$
DECLARE
  type text;
BEGIN
  FOREACH type IN ARRAY '{date,timestamp,timestamptz}'::text[] LOOP
    EXECUTE format('CREATE TABLE public.by_%1$s (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL, touched %1$s)', type);
    EXECUTE format('INSERT INTO public.by_%s VALUES (1, ''2025-01-01'', 1, ''2025-01-01''), (2, ''2025-01-01'', 2, ''2199-01-01''), (3, ''2025-01-01'', 3, NULL), (4, ''2025-01-01'', 4, ''infinity''), (5, ''2025-01-01'', 5, ''0044-03-15 BC'')', type);
    CALL public.shop('w_' || type);
    PERFORM segmentation.add_source('w_' || type, 'purchases', ('public.by_' || type)::regclass);
  END LOOP;
END
$$;
CALL refresh('w_date', '2025-06-30'); CALL refresh('w_timestamp', '2025-06-30'); CALL refresh('w_timestamptz', '2025-06-30');
SELECT start_capture('w_' || t, 'purchases', ('by_' || t)::regclass, 'touched', '1 day') FROM unnest('{date,timestamp,timestamptz}'::text[]) AS t;
SET client_min_messages = notice;
CALL refresh_changed('w_date', '2025-06-30');
SET client_min_messages = warning;
CALL refresh_changed('w_timestamp', '2025-06-30'); CALL refresh_changed('w_timestamptz', '2025-06-30');
SELECT t, s.watermark FROM unnest('{date,timestamp,timestamptz}'::text[]) AS t, capture_status('w_' || t) AS s;
INSERT INTO by_date VALUES (6, '2025-01-01', 6, '2025-01-02'); INSERT INTO by_timestamp VALUES (6, '2025-01-01', 6, '2025-01-02'); INSERT INTO by_timestamptz VALUES (6, '2025-01-01', 6, '2025-01-02');
CALL refresh_changed('w_date', '2025-06-30'); CALL refresh_changed('w_timestamp', '2025-06-30'); CALL refresh_changed('w_timestamptz', '2025-06-30');
SELECT t, facts('w_' || t), s.watermark FROM unnest('{date,timestamp,timestamptz}'::text[]) AS t, capture_status('w_' || t) AS s;
-- One that was kept from before, or by another clock: clamped, and set anew by a full refresh.
UPDATE w_date.source SET watermark = '2199-01-01'; UPDATE w_timestamptz.source SET watermark = 'infinity'; UPDATE w_timestamp.source SET watermark = '4713-01-01 BC';
INSERT INTO by_timestamp VALUES (7, '2025-01-01', 7, '2025-01-03');
CALL refresh('w_date', '2025-06-30', false); CALL refresh_changed('w_timestamp', '2025-06-30'); CALL refresh_changed('w_timestamptz', '2025-06-30');
SELECT t, facts('w_' || t), s.watermark FROM unnest('{date,timestamp,timestamptz}'::text[]) AS t, capture_status('w_' || t) AS s;
-- A full refresh has read it all: nobody is read again,
CALL refresh_changed('w_date', '2025-06-30');
-- but what is within the overlap, or ahead of the clock.
SELECT rows FROM w_date.refresh_log WHERE phase = 'changed' ORDER BY refresh DESC LIMIT 1;
-- An empty table, and the least of all values.
DELETE FROM by_date;
CALL refresh_changed('w_date', '2025-06-30');
SELECT watermark FROM capture_status('w_date');
INSERT INTO by_date VALUES (8, '2025-01-01', 8, '-infinity'), (9, '2025-01-01', 9, '4713-01-01 BC');
CALL refresh_changed('w_date', '2025-06-30');
SELECT facts('w_date') ~ '8:8.* 9:9' AS seen, watermark FROM capture_status('w_date');
-- Its column goes: said in words.
ALTER TABLE by_date RENAME touched TO moved;
CALL refresh('w_date', '2025-06-30', false);
SELECT misses('w_date');
CALL refresh_changed('w_date', '2025-06-30');
CALL refused('SELECT start_capture(''w_date'', ''purchases'', ''by_date'', ''moved'', ''11 years'')');
SELECT start_capture('w_date', 'purchases', 'by_date', 'moved');
CALL refresh_changed('w_date', '2025-06-30');
SELECT facts('w_date');
SELECT drop_workspace('w_' || t) FROM unnest('{date,timestamp,timestamptz}'::text[]) AS t;

-- 10. Names in lines for a scheduler.
CALL refused($$SELECT create_workspace(E'a\n* * * * * root rm -rf /')$$);
SELECT create_workspace($$it's 100% \ "so"! $$), create_workspace('plain');
SELECT scheduler, regexp_replace(replace(line, current_database(), 'here'), '-h ''[^'']*'' -p [0-9]+ -U ''[^'']*''', '-h SOCKETS -p PORT -U OWNER') AS line FROM schedule_sql($$it's 100% \ "so"! $$);
ALTER SCHEMA plain RENAME TO "new
* * * * * root";
SELECT adopt_workspace(E'new\n* * * * * root');
SELECT scheduler, regexp_replace(replace(line, current_database(), 'here'), '-h ''[^'']*'' -p [0-9]+ -U ''[^'']*''', '-h SOCKETS -p PORT -U OWNER') AS line, line ~ '[[:cntrl:]]' AS breaks FROM schedule_sql(E'new\n* * * * * root');
SELECT segmentation_internal.plain_literal(t), U&'it!0027s 100!0025 !005c!000a!0021' UESCAPE '!' = t AS same FROM (VALUES (E'it''s 100% \\\n!')) AS v (t);
CALL refused($$SELECT schedule_sql(E'new\n* * * * * root', E'* * * * *\n')$$);
SELECT drop_workspace($$it's 100% \ "so"! $$), drop_workspace(E'new\n* * * * * root');
RESET ROLE;
DROP OWNED BY keeper, till CASCADE;
DROP ROLE till, keeper;
DROP EXTENSION postgres_fdw CASCADE;
