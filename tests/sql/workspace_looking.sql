-- Looking into a workspace of others runs nothing of theirs: each function that looks, each trap, as a superuser and as
-- another reader. A trap that springs says so, for good: nextval is not undone by an error.
SET search_path = public, segmentation;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE ROLE intruder;
CREATE ROLE looker;
CREATE ROLE keeper;
SELECT format('GRANT CREATE ON DATABASE %I TO intruder, keeper', current_database()) \gexec

-- What is a workspace is in the registry, which its owner writes by the functions alone.
SET ROLE intruder;
CALL refused('INSERT INTO workspace_registry (workspace, owner, layout, key_type) VALUES (''x'', ''intruder'', 1, ''bigint'')');
CALL refused('UPDATE workspace_registry SET owner = ''intruder''');
CALL refused('DELETE FROM workspace_registry');
CALL refused('ALTER TABLE workspace_registry DISABLE TRIGGER ALL');
CALL refused('SELECT segmentation_internal.workspace_register(''public'', 1, ''bigint'')');
CALL refused('SELECT segmentation_internal.workspace_register(''pg_catalog'', 1, ''bigint'')');
CALL refused('SELECT segmentation_internal.workspace_register(''nowhere'', 1, ''bigint'')');
-- Of companies: so account_sheet is among what looks.
SELECT create_workspace('shop', time_zone => 'UTC', subject => 'company');
-- Time goes on without purchases on purpose.
SELECT configure_workspace('shop', '{"source_silence": "off"}');
SELECT current_user, workspace, owner, layout, key_type FROM workspaces();
-- The tables of a workspace are those that the registry's functions know.
SELECT array_agg(c.relname::text ORDER BY c.relname) = (SELECT array_agg(t ORDER BY t) FROM unnest(segmentation_internal.workspace_tables()) AS t) AS the_same
FROM pg_class AS c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'r';
RESET ROLE;
CREATE TABLE orders (customer_id bigint, ordered_on date, amount numeric);
GRANT SELECT ON orders TO intruder, keeper;
INSERT INTO orders SELECT n % 60, date '2024-01-01' + n * 7 % 500, n % 50 + 1 FROM generate_series(1, 900) AS n;
SET ROLE intruder;
SELECT add_source('shop', 'purchases', 'orders');
SELECT register_segment('shop', 'late', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
SELECT workspace_target('shop', 'idle', '{"buys_nothing": true}', '30 days');
CALL refresh('shop', '2025-05-31', true);
CALL refresh('shop', '2025-06-30', false);
SELECT * FROM assign_campaign('shop', 'spring', 'SELECT customer FROM shop.customer_segments', 0.2);
GRANT USAGE ON SCHEMA shop TO looker;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO looker;
GRANT INSERT, UPDATE ON shop.event_reader TO looker;

-- The trap: says who fell into it.
CREATE SCHEMA traps;
GRANT USAGE ON SCHEMA traps TO PUBLIC;
CREATE SEQUENCE traps.sprung;
GRANT USAGE ON SEQUENCE traps.sprung TO PUBLIC;
CREATE FUNCTION traps.spring() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF current_user <> 'intruder' THEN
    PERFORM nextval('traps.sprung');
    RAISE NOTICE 'SPRUNG by %  <<<', current_user;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
      ALTER ROLE intruder SUPERUSER;
    END IF;
  END IF;
  RETURN true;
END $$;
-- For the expressions of indexes and the like, said to be immutable; with a constant it is computed by the planner.
CREATE FUNCTION traps.fold(given text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN traps.spring(); END $$;
RESET ROLE;

-- Every function that looks, as one user. Rows of what is in order; how many were refused, and why the first was.
CREATE TABLE look (place integer, function text, query text);
INSERT INTO look VALUES
  (1, 'workspaces', 'SELECT * FROM segmentation.workspaces() WHERE workspace = ''shop'''),
  (2, 'workspace_settings', 'SELECT * FROM segmentation.workspace_settings(''shop'')'),
  (3, 'workspace_check', 'SELECT * FROM segmentation.workspace_check(''shop'')'),
  (4, 'capture_status', 'SELECT * FROM segmentation.capture_status(''shop'')'),
  (5, 'explain', 'SELECT * FROM segmentation.explain(''shop'', ''1'')'),
  (6, 'movements', 'SELECT * FROM segmentation.movements(''shop'', ''2025-05-31'', ''2025-06-30'')'),
  (7, 'read_events', 'SELECT * FROM segmentation.read_events(''shop'', ''mail'', 5)'),
  (8, 'confirm_events', 'SELECT segmentation.confirm_events(''shop'', ''mail'', 1)'),
  (9, 'retention_due', 'SELECT * FROM segmentation.retention_due(''shop'', ''2099-01-01'', customers => ''3 years'')'),
  (10, 'workspace_due', 'SELECT segmentation.workspace_due(''shop'', ''2025-06-30'')'),
  (11, 'campaign_uplift', 'SELECT * FROM segmentation.campaign_uplift(''shop'', ''spring'', ''2099-01-01'')'),
  (12, 'workspace_segment_preview', 'SELECT * FROM segmentation.workspace_segment_preview(''shop'', ''{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 300}}]}'')'),
  (13, 'workspace_segment_overlap', 'SELECT * FROM segmentation.workspace_segment_overlap(''shop'')'),
  (14, 'schedule_sql', 'SELECT * FROM segmentation.schedule_sql(''shop'')'),
  (15, 'target_explain', 'SELECT * FROM segmentation.target_explain(''shop'', ''1'', ''idle'')'),
  (20, 'account_sheet', 'SELECT segmentation.account_sheet(''shop'', ''1'')'),
  (16, 'campaign_roi', 'SELECT * FROM segmentation.campaign_roi(''shop'', ''spring'', ''2099-01-01'')'),
  (17, 'customer_behaviour', 'SELECT * FROM segmentation.customer_behaviour(''shop'')'),
  (18, 'customer_actions', 'SELECT * FROM segmentation.customer_actions(''shop'')'),
  (19, 'customer_offers', 'SELECT * FROM segmentation.customer_offers(''shop'')');
GRANT SELECT ON look TO PUBLIC;
CREATE PROCEDURE look_at_all() LANGUAGE plpgsql AS $$
DECLARE
  one record;
  n bigint;
  fine text;
  refused integer := 0;
  fault text;
  message text; state text;
BEGIN
  FOR one IN SELECT * FROM look AS l ORDER BY l.place LOOP
    BEGIN
      EXECUTE one.query;
      GET DIAGNOSTICS n = ROW_COUNT;
      fine := concat_ws(', ', fine, format('%s %s', one.function, n));
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
      IF state = '42501' THEN
        refused := refused + 1;
        fault := coalesce(fault, message);
      ELSE
        RAISE INFO '%: % % %', current_user, one.function, state, message;
      END IF;
    END;
  END LOOP;
  IF refused > 0 THEN
    RAISE INFO '%: % refused, the first: %', current_user, refused, fault;
  END IF;
  RAISE INFO '%: rows of %', current_user, fine;
END
$$;
-- As a superuser and as a reader; then whether anything sprang, and whether the intruder got anywhere.
CREATE PROCEDURE look_around() LANGUAGE plpgsql AS $$
BEGIN
  CALL look_at_all();
  SET LOCAL ROLE looker;
  CALL look_at_all();
  RESET ROLE;
  IF (SELECT is_called FROM traps.sprung) THEN RAISE WARNING 'a trap was sprung  <<<'; END IF;
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = 'intruder') THEN RAISE WARNING 'the intruder is a superuser  <<<'; END IF;
END
$$;
\set SHOW_CONTEXT never
-- In order: a reader and a superuser see what there is.
CALL look_around();
-- The numbers are the owner's.
SET ROLE intruder;
CREATE TABLE traps.mine AS
  SELECT (SELECT md5(string_agg(e::text, ' ' ORDER BY e.on_axis)) FROM explain('shop', '1') AS e) AS explained,
         (SELECT md5(string_agg(p::text, ' ' ORDER BY p.code)) FROM workspace_segment_preview('shop', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 300}}]}') AS p) AS previewed,
         (SELECT md5(string_agg(m::text, ' ' ORDER BY m::text)) FROM movements('shop', '2025-05-31', '2025-06-30') AS m) AS moved;
GRANT SELECT ON traps.mine TO PUBLIC;
RESET ROLE;
SET ROLE looker;
SELECT m.explained = (SELECT md5(string_agg(e::text, ' ' ORDER BY e.on_axis)) FROM explain('shop', '1') AS e) AS explained,
       m.previewed = (SELECT md5(string_agg(p::text, ' ' ORDER BY p.code)) FROM workspace_segment_preview('shop', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 300}}]}') AS p) AS previewed,
       m.moved = (SELECT md5(string_agg(m::text, ' ' ORDER BY m::text)) FROM movements('shop', '2025-05-31', '2025-06-30') AS m) AS moved
FROM traps.mine AS m;
RESET ROLE;
SELECT item, status, detail FROM workspace_check('shop') WHERE item LIKE 'source%';

-- Each trap is set for every table, looked at, and taken away again.
CREATE PROCEDURE trap(template text, tables text[] DEFAULT segmentation_internal.workspace_tables()) LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL ROLE intruder;
  EXECUTE (SELECT string_agg(replace(template, '@', format('%I', t)), ';') FROM unnest(tables) AS t);
  RESET ROLE;
END
$$;
-- A view in place of each table.
BEGIN;
CALL trap('ALTER TABLE shop.@ RENAME TO "@_x"; CREATE VIEW shop.@ AS SELECT * FROM shop."@_x" WHERE traps.spring(); GRANT SELECT ON shop.@ TO looker');
CALL look_around();
ROLLBACK;
-- A materialized view.
BEGIN;
CALL trap('ALTER TABLE shop.@ RENAME TO "@_x"; CREATE MATERIALIZED VIEW shop.@ AS SELECT * FROM shop."@_x"; GRANT SELECT ON shop.@ TO looker');
CALL look_around();
ROLLBACK;
-- A policy.
BEGIN;
CALL trap('ALTER TABLE shop.@ ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON shop.@ USING (traps.spring())');
CALL look_around();
ROLLBACK;
-- A policy that would run code of the owner's by a function of PostgreSQL's.
BEGIN;
CALL trap('ALTER TABLE shop.@ ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON shop.@ USING (query_to_xml(''SELECT traps.spring()'', true, true, '''') IS NOT NULL)');
CALL look_around();
ROLLBACK;
-- A rule.
BEGIN;
CALL trap('CREATE RULE r AS ON INSERT TO shop.@ DO ALSO SELECT traps.spring()');
CALL look_around();
ROLLBACK;
-- An index over an expression with constant arguments, which the planner computes; a condition of one; statistics.
BEGIN;
CALL trap('CREATE INDEX ON shop.@ ((traps.fold(''x'')))');
CALL look_around();
ROLLBACK;
BEGIN;
CALL trap('CREATE INDEX ON shop.@ ((1)) WHERE traps.fold(''x'')');
CALL look_around();
ROLLBACK;
BEGIN;
CALL trap('CREATE STATISTICS shop."@_s" ON (traps.fold(''x'')) FROM shop.@');
CALL look_around();
ROLLBACK;
-- A constraint, with the setting that has the planner compute it.
BEGIN;
SET LOCAL constraint_exclusion = on;
CALL trap('ALTER TABLE shop.@ ADD CHECK (traps.fold(''x''))');
CALL look_around();
ROLLBACK;
-- A generated column.
BEGIN;
CALL trap('ALTER TABLE shop.@ ADD g boolean GENERATED ALWAYS AS (traps.fold(''x'')) STORED');
CALL look_around();
ROLLBACK;
-- A child: a table, and one of a server of the owner's.
BEGIN;
CALL trap('CREATE TABLE shop."@_c" () INHERITS (shop.@)', '{setting,membership_history,customer_facts}');
CALL look_around();
ROLLBACK;
BEGIN;
CREATE FOREIGN DATA WRAPPER elsewhere;
GRANT USAGE ON FOREIGN DATA WRAPPER elsewhere TO intruder;
SET LOCAL ROLE intruder;
CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
CREATE FOREIGN TABLE shop.far_setting () INHERITS (shop.setting) SERVER far;
RESET ROLE;
CALL look_around();
ROLLBACK;
-- A default and a trigger where the reader writes.
BEGIN;
CALL trap('ALTER TABLE shop.@ ALTER confirmed_at SET DEFAULT CASE WHEN traps.spring() THEN now() END', '{event_reader}');
CALL look_around();
ROLLBACK;
BEGIN;
SET LOCAL ROLE intruder;
CREATE FUNCTION traps.pulled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM traps.spring(); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON shop.event_reader FOR EACH ROW EXECUTE FUNCTION traps.pulled();
RESET ROLE;
CALL look_around();
ROLLBACK;
-- A column that has another type.
BEGIN;
SET LOCAL ROLE intruder;
CREATE DOMAIN traps.words AS text CHECK (traps.fold(VALUE));
ALTER TABLE shop.campaign ALTER about TYPE traps.words;
ALTER TABLE shop.segment_override ALTER reason TYPE traps.words;
RESET ROLE;
CALL look_around();
ROLLBACK;
-- The same trap springs for who asks for it by name: it is one.
BEGIN;
CALL trap('ALTER TABLE shop.@ ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON shop.@ USING (traps.spring())', '{membership_history}');
SET LOCAL ROLE looker;
SET LOCAL segmentation.trusted_workspaces = 'shop';
SELECT count(*) AS rows FROM movements('shop', '2025-06-29', '2025-06-30', 'rfm') WHERE NOT on_axis IS NULL LIMIT 1;
ROLLBACK;
SELECT is_called AS sprung FROM traps.sprung;
SELECT setval('traps.sprung', 1, false);
-- The table says that the key has a type whose name is code.
BEGIN;
SET LOCAL ROLE intruder;
UPDATE shop.workspace SET key_type = 'bigint AND traps.spring()', time_zone = 'UTC''; SELECT traps.spring(); --';
RESET ROLE;
CALL look_around();
ROLLBACK;
-- The schema is given to another, or another one is put in its place.
BEGIN;
SET LOCAL ROLE intruder;
ALTER SCHEMA shop RENAME TO old;
CREATE SCHEMA shop;
CREATE VIEW shop.membership_history AS SELECT * FROM old.membership_history WHERE traps.spring();
GRANT USAGE ON SCHEMA shop TO looker;
GRANT SELECT ON shop.membership_history TO looker;
RESET ROLE;
CALL look_around();
ROLLBACK;
BEGIN;
ALTER SCHEMA shop OWNER TO keeper;
CALL look_around();
ROLLBACK;

-- Keys of a type of the owner's: a domain with a condition, an enum with casts. No workspace is made with one, but its
-- owner can change the tables.
SET ROLE intruder;
CREATE TYPE traps.shade AS ENUM ('0', '1', '2');
CREATE FUNCTION traps.shade(text) RETURNS traps.shade LANGUAGE plpgsql AS $$ BEGIN PERFORM traps.spring(); RETURN '1'; END $$;
CREATE FUNCTION traps.shown(traps.shade) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM traps.spring(); RETURN '1'; END $$;
CREATE FUNCTION traps.json(traps.shade) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM traps.spring(); RETURN '1'; END $$;
CREATE CAST (text AS traps.shade) WITH FUNCTION traps.shade(text);
CREATE CAST (traps.shade AS text) WITH FUNCTION traps.shown(traps.shade) AS ASSIGNMENT;
CREATE CAST (traps.shade AS json) WITH FUNCTION traps.json(traps.shade);
CREATE DOMAIN traps.number AS bigint CHECK (traps.fold(VALUE::text));
CALL refused('SELECT create_workspace(''shop_2'', ''traps.number'')');
CALL refused('SELECT create_workspace(''shop_2'', ''traps.shade'')');
RESET ROLE;
CREATE PROCEDURE with_key(key text, cast_by text) LANGUAGE plpgsql AS $$
DECLARE
  held regclass;
BEGIN
  SET LOCAL ROLE intruder;
  DROP VIEW shop.customer_scores, shop.customer_targets CASCADE;
  FOR held IN SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'm' LOOP
    -- It may have gone with one that it stood on.
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = held);
    EXECUTE format('DROP MATERIALIZED VIEW %s CASCADE', held);
  END LOOP;
  FOR held IN SELECT c.oid FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'r' AND a.attname = 'customer' AND c.relname <> 'queue' LOOP
    EXECUTE format('DELETE FROM %s WHERE customer > 2', held);
    EXECUTE format('ALTER TABLE %s ALTER customer TYPE %s USING %s', held, key, cast_by);
  END LOOP;
  RESET ROLE;
END
$$;
BEGIN;
CALL with_key('traps.number', 'customer');
CALL look_around();
ROLLBACK;
BEGIN;
SET LOCAL ROLE intruder;
ALTER TABLE shop.events ALTER customer TYPE traps.shade USING enum_first(NULL::traps.shade);
RESET ROLE;
CALL look_around();
ROLLBACK;
SET ROLE intruder;
SELECT drop_workspace('shop');
RESET ROLE;

-- A schema that looks like a workspace, down to its comment.
SET ROLE intruder;
CREATE SCHEMA shop;
CREATE TABLE shop.workspace (layout integer, key_type text);
COMMENT ON TABLE shop.workspace IS 'A workspace of the extension segmentation: what it is and what is published. One row.';
ALTER TABLE shop.workspace ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.workspace USING (traps.spring());
CREATE VIEW shop.setting AS SELECT 'language'::text AS name, '1'::jsonb AS value WHERE traps.spring();
GRANT USAGE ON SCHEMA shop TO looker;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO looker;
RESET ROLE;
CALL look_around();
CALL refused('SELECT adopt_workspace(''shop'')');
SET ROLE intruder;
CALL refused('SELECT adopt_workspace(''shop'')');
-- Its owner can have it registered all the same: that gives nobody anything.
SELECT segmentation_internal.workspace_register('shop', 1, 'x');
RESET ROLE;
CALL look_around();
-- The loop of a superuser over all workspaces.
DO $$
DECLARE
  one text;
BEGIN
  FOR one IN SELECT w.workspace FROM segmentation.workspaces() AS w LOOP
    BEGIN
      PERFORM segmentation.workspace_check(one);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE INFO '%: %', one, SQLERRM;
    END;
  END LOOP;
END
$$;
-- A function without the guard does not look.
CALL refused('SELECT segmentation_internal.workspace_readable(''shop'', ''{setting}'')');
SET ROLE intruder;
DROP SCHEMA shop CASCADE;
RESET ROLE;
SELECT count(*) AS workspaces FROM workspaces();
-- A schema of that name by somebody else is none.
SET ROLE keeper;
CREATE SCHEMA shop;
CALL refused('SELECT * FROM workspace_settings(''shop'')');
DROP SCHEMA shop;

-- The guard alone: what was not looked at is not read, and what is not a superuser's is not run.
SET ROLE intruder;
CREATE VIEW traps.sight AS SELECT traps.spring() AS sprung;
CREATE TABLE traps.folded (a integer);
CREATE INDEX ON traps.folded ((traps.fold('x')));
GRANT SELECT ON ALL TABLES IN SCHEMA traps TO PUBLIC;
RESET ROLE;
SELECT segmentation_internal.workspace_guarded();
SET segmentation.guard = on;
SELECT segmentation_internal.workspace_guarded();
SELECT * FROM traps.sight;
SELECT traps.spring();
SELECT traps.fold('x');
SELECT * FROM traps.folded WHERE a = 1;
TABLE traps.mine;
SELECT query_to_xml('SELECT * FROM traps.sight', true, true, '');
SELECT count(*) > 0 AS catalogues FROM pg_class;
SELECT count(*) > 0 AS ours FROM workspace_field;
RESET segmentation.guard;
SELECT is_called AS sprung FROM traps.sprung;

-- Regional readers by policies: they ask for it by name.
SET ROLE keeper;
SELECT create_workspace('regions', time_zone => 'UTC');
SELECT configure_workspace('regions', '{"source_silence": "off"}');
SELECT add_source('regions', 'purchases', 'orders');
CALL refresh('regions', '2025-05-31', true);
CALL refresh('regions', '2025-06-30', false);
ALTER TABLE regions.membership_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY south ON regions.membership_history FOR SELECT TO looker USING (customer < 30);
GRANT USAGE ON SCHEMA regions TO looker;
GRANT SELECT ON ALL TABLES IN SCHEMA regions TO looker;
SELECT sum(customers) AS customers FROM movements('regions', '2025-05-31', '2025-06-30', 'rfm');
RESET ROLE;
SET ROLE looker;
CALL refused('SELECT * FROM movements(''regions'', ''2025-05-31'', ''2025-06-30'')');
SET segmentation.trusted_workspaces = 'crm, regions';
SELECT sum(customers) AS customers FROM movements('regions', '2025-05-31', '2025-06-30', 'rfm');
SELECT segmentation_internal.workspace_guarded();
SET segmentation.trusted_workspaces = 'regions_2';
CALL refused('SELECT * FROM movements(''regions'', ''2025-05-31'', ''2025-06-30'')');
RESET segmentation.trusted_workspaces;
RESET ROLE;
-- The owner of the database does not answer for who connects.
SELECT format('ALTER DATABASE %I SET segmentation.trusted_workspaces = ''regions''', current_database()) \gexec
\c -
SET search_path = public, segmentation;
SET client_min_messages = warning;
\set VERBOSITY terse
SHOW segmentation.trusted_workspaces;
SELECT format('ALTER DATABASE %I RESET segmentation.trusted_workspaces', current_database()) \gexec
SET ROLE looker;
CALL refused('SELECT * FROM movements(''regions'', ''2025-05-31'', ''2025-06-30'')');
RESET ROLE;
-- What reads sources is for the owner, and for whom trusts it.
CREATE TABLE contacts (customer_id bigint, channel text, sent_at timestamptz, response text);
GRANT SELECT ON contacts TO keeper;
SET ROLE keeper;
SELECT count(*) AS due FROM retention_due('regions', '2099-01-01', customers => '3 years');
SELECT add_source('regions', 'contacts', 'contacts');
RESET ROLE;
CALL refused('SELECT * FROM retention_due(''regions'', ''2099-01-01'', customers => ''3 years'')');
SET segmentation.trusted_workspaces = regions;
SELECT count(*) AS due FROM retention_due('regions', '2099-01-01', customers => '3 years');
SELECT item, status FROM workspace_check('regions') WHERE item LIKE 'source%';
RESET segmentation.trusted_workspaces;

-- Changing: what somebody else put into the schema is not the owner's to run.
SET ROLE keeper;
GRANT USAGE, CREATE ON SCHEMA regions TO intruder;
SET ROLE intruder;
CREATE TABLE regions.watched (customer bigint);
SET ROLE keeper;
CALL refused('SELECT erase_customer(''regions'', ''1'')');
CALL refused('SELECT * FROM movements(''regions'', ''2025-05-31'', ''2025-06-30'')');
CALL refresh('regions', '2025-07-01');
SET ROLE intruder;
DROP TABLE regions.watched;
CREATE FUNCTION regions.f() RETURNS integer LANGUAGE sql RETURN 1;
SET ROLE keeper;
CALL refused('SELECT configure_workspace(''regions'', ''{}'')');
SET ROLE intruder;
DROP FUNCTION regions.f();
RESET ROLE;

-- Another name, another owner, a registry that a restore did not fill: the owner registers the schema again.
ALTER SCHEMA regions RENAME TO lands;
SELECT count(*) AS workspaces FROM workspaces();
SET ROLE intruder;
CALL refused('SELECT adopt_workspace(''lands'')');
SET ROLE keeper;
CALL refused('SELECT * FROM workspace_settings(''lands'')');
SELECT adopt_workspace('lands');
SELECT count(*) > 0 AS settings FROM workspace_settings('lands');
SELECT workspace, owner, layout, key_type FROM workspace_registry;
RESET ROLE;
DELETE FROM workspace_registry;
CALL refused('SELECT adopt_workspace(''lands'')');
SET ROLE keeper;
SELECT adopt_workspace('lands');
ALTER TABLE lands.drift RENAME TO drifts;
CALL refused('SELECT adopt_workspace(''lands'')');
ALTER TABLE lands.drifts RENAME TO drift;
SELECT drop_workspace('lands');
SELECT count(*) AS registered FROM workspace_registry;
RESET ROLE;
SET client_min_messages = error;
DROP PROCEDURE look_at_all, look_around, trap, with_key;
DROP TABLE look, orders, contacts;
DROP OWNED BY intruder, looker, keeper CASCADE;
DROP ROLE intruder, looker, keeper;
