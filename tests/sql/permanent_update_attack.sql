-- Permanent update under attack: the trigger functions run with the rights of the workspace's owner, and are started by
-- anybody who may write a source. Nothing of theirs may run in them, whatever it is called.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
-- The name of the trigger function ends in a number drawn by lot.
CREATE PROCEDURE public.refused_capture(query text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(query, segmentation_internal.workspace_capture_function('shop', 1));
  RAISE INFO 'NOT REFUSED  <<<';
EXCEPTION WHEN OTHERS THEN
  RAISE INFO '% %', SQLSTATE, regexp_replace(SQLERRM, '_[0-9a-f]{12}', '');
END
$$;
\set VERBOSITY terse
CREATE ROLE keeper; CREATE ROLE till;
GRANT CREATE ON DATABASE :DBNAME TO keeper, till;
GRANT CREATE ON SCHEMA public TO keeper;

-- Whoever runs the code below leaves a mark: role till may, keeper must not.
CREATE SCHEMA trap AUTHORIZATION till;
SET ROLE till;
CREATE TABLE trap.mark (who name, what text);
CREATE FUNCTION trap.spring(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_user <> 'till' THEN
    RAISE WARNING '% runs as %  <<<', what, current_user;
  END IF;
  INSERT INTO trap.mark VALUES (current_user, what);
END
$$;
GRANT USAGE ON SCHEMA trap TO PUBLIC; GRANT INSERT ON trap.mark TO PUBLIC;
RESET ROLE;

-- The workspace of keeper, and a source that till may write.
SET ROLE keeper;
SELECT create_workspace('shop', 'bigint', 'UTC'), create_workspace('texts', 'text', 'UTC');
-- A few orders of long ago, on purpose.
SELECT configure_workspace(w, '{"source_silence": "off"}') FROM unnest('{shop,texts}'::text[]) AS w;
SELECT configure_workspace(w, '{"minimum_buyers": 1}') FROM unnest('{shop,texts}'::text[]) AS w;
CREATE TABLE public.orders (customer_id integer, ordered_on date NOT NULL, amount numeric NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON orders TO till;
INSERT INTO orders SELECT c, date '2025-01-01' + c, c FROM generate_series(1, 20) AS c;
SELECT add_source('shop', 'purchases', 'orders') IS NOT NULL AS added;
CALL refresh('shop', '2025-06-30');
SELECT start_capture('shop', 'purchases', 'orders');
CALL refresh_changed('shop', '2025-06-30');

-- Functions, operators, types, tables with the names that the trigger uses, first in the path of the writer.
SET ROLE till;
CREATE FUNCTION trap.pg_current_xact_id() RETURNS xid8 LANGUAGE sql AS 'SELECT trap.spring(''pg_current_xact_id''); SELECT ''7''::xid8';
CREATE FUNCTION trap.hash_record_extended(record, bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''hash''); RETURN 1; END';
CREATE FUNCTION trap.to_regtype(text) RETURNS regtype LANGUAGE sql AS 'SELECT trap.spring(''to_regtype''); SELECT ''integer''::regtype';
CREATE FUNCTION trap.format(text, anyelement) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''format''); RETURN ''forged''; END';
CREATE FUNCTION trap.equal(oid, oid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''=''); RETURN true; END';
CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(name, name) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''= of names''); RETURN true; END';
CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''= of keys''); RETURN true; END';
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
CREATE TYPE trap.bigint AS (a integer);
CREATE TABLE trap.pg_attribute (attrelid oid, attname name, atttypid oid, attisdropped boolean);
CREATE TABLE trap.queue (customer bigint);
CREATE TEMP TABLE queue (customer bigint); CREATE TEMP TABLE new_rows (customer_id integer); CREATE TEMP TABLE old_rows (customer_id integer);
CREATE TEMP TABLE pg_attribute (attrelid oid, attname name, atttypid oid, attisdropped boolean);
INSERT INTO pg_temp.new_rows VALUES (666); INSERT INTO pg_temp.old_rows VALUES (667);
CREATE FUNCTION pg_temp.to_regtype(text) RETURNS regtype LANGUAGE sql AS 'SELECT trap.spring(''to_regtype of temp''); SELECT ''integer''::regtype';
SET search_path = pg_temp, trap, pg_catalog, public;
INSERT INTO public.orders VALUES (1, '2025-06-01', 5), (1, '2025-06-02', 5), (NULL, '2025-06-02', 5);
UPDATE public.orders SET customer_id = 2 WHERE amount OPERATOR(pg_catalog.=) 5;
DELETE FROM public.orders WHERE customer_id OPERATOR(pg_catalog.=) 3;
MERGE INTO public.orders AS o USING (VALUES (4), (21)) AS v (c) ON o.customer_id OPERATOR(pg_catalog.=) v.c
  WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.c, '2025-06-03', 1);
COPY public.orders FROM stdin;
22	2025-06-03	7
\.
SELECT count(*) AS caught_here FROM (SELECT customer FROM pg_temp.queue UNION ALL SELECT customer FROM trap.queue) AS q;
SELECT count(*) AS marks FROM trap.mark;
RESET search_path;
DROP TABLE pg_temp.queue, pg_temp.new_rows, pg_temp.old_rows, pg_temp.pg_attribute;
RESET ROLE;
SET search_path = segmentation, public;
SELECT customer, count(*) FROM shop.queue GROUP BY customer ORDER BY customer;
SELECT left(proname, -13) AS proname, prosecdef, proconfig, proowner::regrole, has_function_privilege('till', oid, 'EXECUTE') AS till_may, has_function_privilege('public', oid, 'EXECUTE') AS all_may
FROM pg_proc WHERE pronamespace = 'shop'::regnamespace AND proname LIKE 'capture%';

-- Forged: the queue, the function, a trigger of one's own with it.
SET ROLE till;
CALL refused('INSERT INTO shop.queue (customer) VALUES (1)');
CALL refused('TABLE shop.queue');
CALL public.refused_capture('SELECT %s');
CREATE TABLE trap.mine (customer_id integer);
CALL public.refused_capture('CREATE TRIGGER forged AFTER INSERT ON trap.mine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s');
CALL public.refused_capture('ALTER FUNCTION %s SECURITY INVOKER');
CALL refused('SET session_replication_role = replica');
CALL refused('ALTER TABLE orders DISABLE TRIGGER ALL');
RESET ROLE;
-- Who may see the schema may do no more.
GRANT USAGE ON SCHEMA shop TO till;
SET ROLE till;
CALL refused('INSERT INTO shop.queue (customer) VALUES (1)');
CALL public.refused_capture('SELECT %s');
CALL public.refused_capture('CREATE TRIGGER forged AFTER INSERT ON trap.mine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s');
CALL refused('SELECT start_capture(''shop'', ''purchases'', ''orders'')');
CALL refused('SELECT stop_capture(''shop'', ''purchases'', ''orders'')');
RESET ROLE;

-- Casts are code: of a type that till owns, to the key's type, made after the capture began. It would run as keeper.
SET ROLE till;
CREATE SCHEMA own;
CREATE TYPE own.member AS ENUM ('ann', 'bob', 'cleo');
CREATE DOMAIN own.number AS integer CHECK (trap.spring('check') IS NOT NULL);
CREATE DOMAIN own.badge AS own.member;
CREATE TABLE own.orders (customer_id own.member, ordered_on date NOT NULL, amount numeric NOT NULL);
CREATE TABLE own.badges (customer_id own.badge, ordered_on date NOT NULL, amount numeric NOT NULL);
CREATE TABLE own.numbers (customer_id own.number, ordered_on date NOT NULL, amount numeric NOT NULL);
GRANT USAGE ON SCHEMA own TO keeper; GRANT SELECT, TRIGGER ON own.orders, own.badges, own.numbers TO keeper;
INSERT INTO own.orders VALUES ('ann', '2025-06-01', 5), ('bob', '2025-06-01', 5);
SET ROLE keeper;
SELECT add_source('texts', 'purchases', t) IS NOT NULL AS added, start_capture('texts', 'purchases', t) FROM unnest('{own.orders,own.badges,own.numbers}'::regclass[]) AS t;
CALL refresh('texts', '2025-06-30');
SET ROLE till;
CREATE FUNCTION own.as_text(own.member) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''cast to text''); RETURN ''forged''; END';
CREATE CAST (own.member AS text) WITH FUNCTION own.as_text(own.member) AS IMPLICIT;
CREATE FUNCTION own.as_bigint(own.member) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM trap.spring(''cast to bigint''); RETURN 13; END';
CREATE CAST (own.member AS bigint) WITH FUNCTION own.as_bigint(own.member) AS IMPLICIT;
DELETE FROM trap.mark;
INSERT INTO own.orders VALUES ('cleo', '2025-06-01', 5);
UPDATE own.orders SET amount = 6 WHERE customer_id = 'ann';
INSERT INTO own.badges VALUES ('bob', '2025-06-02', 5);
INSERT INTO own.numbers VALUES (8, '2025-06-02', 5);
SELECT DISTINCT who, what FROM trap.mark ORDER BY 1, 2;
RESET ROLE;
SELECT customer, count(*) FROM texts.queue GROUP BY customer ORDER BY customer;
DELETE FROM trap.mark;
SET ROLE keeper;
CALL refresh_changed('texts', '2025-06-30');
SELECT customer, purchase_days(history, '2025-06-30') AS purchases FROM texts.customer_facts ORDER BY customer;
CALL refresh('texts', '2025-06-30', false);
SELECT count(*) AS customers FROM texts.customer_facts;
CALL refused('SELECT erase_customer(''texts'', ''cleo'')');
RESET ROLE;
SELECT DISTINCT who, what FROM trap.mark ORDER BY 1, 2;
-- As a key of another type such a cast does not count.
SET ROLE keeper;
CALL refused('SELECT add_source(''shop'', ''purchases'', ''own.orders'')');
RESET ROLE;

-- The column becomes one of such a type, or goes, behind the capture's back: it is not looked at, writing goes on, and
-- what is wrong is for the refresh to say.
ALTER TABLE orders OWNER TO till;
GRANT SELECT ON orders TO keeper;
DELETE FROM shop.queue; DELETE FROM trap.mark;
SET ROLE till;
ALTER TABLE orders ALTER customer_id TYPE own.member USING 'ann';
INSERT INTO orders VALUES ('bob', '2025-06-01', 5);
UPDATE orders SET amount = amount + 1 WHERE customer_id = 'bob';
SELECT DISTINCT who, what FROM trap.mark;
ALTER TABLE orders RENAME customer_id TO buyer;
INSERT INTO orders VALUES ('bob', '2025-06-01', 5);
RESET ROLE;
SELECT customer, count(*) FROM shop.queue GROUP BY customer;
SET ROLE keeper;
CALL refresh_changed('shop', '2025-06-30');
RESET ROLE;
ALTER TABLE orders RENAME buyer TO customer_id;
SET ROLE keeper;
CALL refresh('shop', '2025-06-30', false);
CALL refresh_changed('shop', '2025-06-30');
RESET ROLE;
SELECT DISTINCT who, what FROM trap.mark;
ALTER TABLE orders ALTER customer_id TYPE integer USING 9;
SET ROLE till;
INSERT INTO orders VALUES (10, '2025-06-02', 5);
SET ROLE keeper;
CALL refresh_changed('shop', '2025-06-30');
SELECT customer, purchase_days(history, '2025-06-30') > 0 AS bought FROM shop.customer_facts WHERE customer IN (1, 9, 10) ORDER BY customer;
RESET ROLE;

-- A value that is no key does not stop a till; types whose text differs from session to session are no keys.
SET ROLE keeper;
SELECT create_workspace('small', 'integer', 'UTC');
CREATE TABLE public.wide (customer_id bigint, ordered_on date NOT NULL, amount numeric NOT NULL);
SELECT add_source('small', 'purchases', 'wide') IS NOT NULL AS added, configure_workspace('small', '{"minimum_buyers": 1}');
INSERT INTO wide VALUES (1, '2025-06-01', 5);
CALL refresh('small', '2025-06-30');
SELECT start_capture('small', 'purchases', 'wide');
DELETE FROM small.queue;
INSERT INTO wide VALUES (2, '2025-06-01', 5), (3000000000, '2025-06-01', 5);
SELECT customer FROM small.queue;
CALL refresh_changed('small', '2025-06-30');
DELETE FROM public.wide WHERE customer_id > 2000000000;
CALL refresh_changed('small', '2025-06-30');
SELECT customer FROM small.customer_facts ORDER BY customer;
SELECT string_agg(t, ', ') FILTER (WHERE segmentation_internal.workspace_type_fits('key', t::regtype, 'text')) AS fit, string_agg(t, ', ') FILTER (WHERE NOT segmentation_internal.workspace_type_fits('key', t::regtype, 'text')) AS unfit
FROM unnest('{text,varchar,char(4),name,smallint,bigint,numeric,boolean,uuid,inet,own.member,date,timestamptz,interval,real,double precision,money,bytea,int[],int4range,own.orders,record}'::text[]) AS t;
RESET ROLE;

-- Names: of the workspace, of a table, of a column, that would end what they are put into.
SELECT format('%s', $$a$trigger$; DROP TABLE x; --"'%s%1$I{facts}@ws@\$body$$ || E'\n$$q$') AS hostile, $$%I'"; $layout$ @key@ {as_of}$$ AS workspace \gset
SET ROLE keeper;
CREATE TABLE public.x (a integer);
SELECT create_workspace(:'workspace', 'text', 'UTC'), configure_workspace(:'workspace', '{"minimum_buyers": 1}');
SELECT format('CREATE TABLE public.%1$I (%1$I text, ordered_on date, amount numeric, touched timestamptz) PARTITION BY LIST (ordered_on)', :'hostile'),
  format('CREATE TABLE public.%I PARTITION OF public.%I DEFAULT', left(:'hostile', 40) || ' part', :'hostile') \gexec
SELECT add_source(:'workspace', 'purchases', format('public.%I', :'hostile')::regclass, jsonb_build_object('customer', left(:'hostile', 63))) ->> 'customer' = left(:'hostile', 63) AS added;
SELECT format('INSERT INTO public.%I VALUES (%L, ''2025-06-01'', 5, ''2025-06-01'')', :'hostile', :'hostile' || ' 1') \gexec
CALL refresh(:'workspace', '2025-06-30');
SELECT start_capture(:'workspace', 'purchases', format('public.%I', :'hostile')::regclass);
SELECT kind, relation = format('public.%I', :'hostile')::regclass AS that_one, capture, misses FROM capture_status(:'workspace');
SELECT format('INSERT INTO public.%I VALUES (%L, ''2025-06-02'', 5, ''2025-06-02'')', left(:'hostile', 40) || ' part', :'hostile' || ' 2'),
  format('UPDATE public.%I SET amount = 6 WHERE ordered_on = ''2025-06-01''', :'hostile') \gexec
CALL refresh_changed(:'workspace', '2025-06-30');
SELECT format('SELECT replace(customer, %L, ''hostile'') AS customer, history FROM %I.customer_facts ORDER BY 1', :'hostile', :'workspace') \gexec
SELECT start_capture(:'workspace', 'purchases', format('public.%I', :'hostile')::regclass, 'touched', '0');
CALL refresh_changed(:'workspace', '2025-06-30');
SELECT format('INSERT INTO public.%I VALUES (%L, ''2025-06-03'', 5, ''2025-06-03'')', :'hostile', :'hostile' || ' 3') \gexec
CALL refresh_changed(:'workspace', '2025-06-30');
SELECT format('SELECT count(*) AS customers FROM %I.customer_segments', :'workspace') \gexec
SELECT count(*) > 0 AS events, confirm_events(:'workspace', :'hostile', (array_agg(event))[count(*)]) FROM read_events(:'workspace', :'hostile');
SELECT count(*) AS unconfirmed FROM read_events(:'workspace', :'hostile');
SELECT format('DELETE FROM public.%I WHERE ordered_on = ''2025-06-03''', :'hostile') \gexec
SELECT erase_customer(:'workspace', :'hostile' || ' 3') ? 'customer_facts' AS erased;
SELECT count(*) AS members FROM segmentation_internal.workspace_members(format('public.%I', :'hostile')::regclass);
SELECT start_capture(:'workspace', 'purchases', format('public.%I', :'hostile')::regclass);
SELECT drop_workspace(:'workspace'), drop_workspace('small'), drop_workspace('texts');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid IN (SELECT segmentation_internal.workspace_members(format('public.%I', :'hostile')::regclass));
SELECT count(*) AS still_there FROM x;
SELECT format('DROP TABLE public.%I', :'hostile') \gexec
RESET ROLE;
-- The table has another owner now: keeper can make no trigger there, nor drop one, and still leaves none behind.
ALTER TABLE orders OWNER TO till;
SET ROLE keeper;
SELECT drop_workspace('shop');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgname LIKE 'segmentation%';
DROP TABLE wide, x;
RESET ROLE;
DROP OWNED BY till, keeper CASCADE;
DROP ROLE till, keeper;
DROP PROCEDURE public.refused_capture(text);
