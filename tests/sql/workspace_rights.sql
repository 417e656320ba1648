-- Rights in a workspace: its owner, a reader of the views, a stranger, a superuser; whose rights code runs with.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE ROLE keeper;
CREATE ROLE keepers_mate IN ROLE keeper;
CREATE ROLE reader;
CREATE ROLE stranger;
SELECT rolname FROM pg_roles WHERE rolname IN ('keeper', 'keepers_mate', 'reader', 'stranger') AND rolsuper;

-- Who may not create a schema may not create a workspace.
SET ROLE keeper;
CALL refused('SELECT create_workspace(''crm'')');
RESET ROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO keeper', current_database()) \gexec

-- The sources belong to somebody else, who lets the owner see some rows, of some columns.
CREATE SCHEMA till;
CREATE TABLE till.orders (customer_id bigint, ordered_on date, amount numeric, shop text, secret text);
INSERT INTO till.orders SELECT n % 200, date '2024-01-01' + n % 600, n % 50, CASE WHEN n % 200 < 150 THEN 'Lyon' ELSE 'Paris' END, 'hidden' FROM generate_series(1, 4000) AS n;
ALTER TABLE till.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY lyon ON till.orders TO keeper USING (shop = 'Lyon');
SET ROLE keeper;
SELECT create_workspace('crm');
-- The till of this test ends long before the days of its refreshes.
SELECT configure_workspace('crm', '{"source_silence": "off"}');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''till.orders'')');
RESET ROLE;
GRANT USAGE ON SCHEMA till TO keeper;
SET ROLE keeper;
CALL refused('SELECT add_source(''crm'', ''purchases'', ''till.orders'')');
RESET ROLE;
GRANT SELECT (customer_id, ordered_on, amount, shop) ON till.orders TO keeper;
SET ROLE keeper;
CALL refused('SELECT add_source(''crm'', ''purchases'', ''till.orders'', ''{"amount": "secret"}'')');
SELECT add_source('crm', 'purchases', 'till.orders');
SELECT item, status FROM workspace_check('crm') WHERE item LIKE 'source%';
CALL refresh('crm', '2025-12-31');
-- Row-level security holds: only what the owner sees.
SELECT count(*) AS customers, max(customer) < 150 AS lyon_only FROM crm.customer_facts;
CALL refresh_views('crm');
-- All that is in a workspace is its owner's.
SELECT DISTINCT relowner::regrole AS owners FROM pg_class WHERE relnamespace = 'crm'::regnamespace;
SELECT workspace, owner FROM workspaces();

-- A member of the owner's role works in it like the owner.
RESET ROLE;
SET ROLE keepers_mate;
SELECT configure_workspace('crm', '{"currency": "CHF"}');
CALL refresh('crm', '2026-01-01');
CALL refresh_views('crm');
RESET ROLE;
SET ROLE keeper;
CALL refresh('crm', '2026-01-02', true);
SELECT DISTINCT relowner::regrole AS owners FROM pg_class WHERE relnamespace = 'crm'::regnamespace;
RESET ROLE;

-- A stranger sees and does nothing.
SET ROLE stranger;
SELECT count(*) AS workspaces FROM workspaces();
CALL refused('SELECT * FROM crm.customer_segments');
CALL refused('SELECT * FROM workspace_settings(''crm'')');
CALL refused('SELECT configure_workspace(''crm'', ''{}'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''till.orders'')');
CALL refused('SELECT remove_source(''crm'', ''purchases'', ''till.orders'')');
CALL refused('SELECT register_segment(''crm'', ''x'', ''{}'')');
CALL refused('SELECT unregister_segment(''crm'', ''x'')');
CALL refused('SELECT override_segment(''crm'', ''x'', ''1'', ''y'')');
CALL refused('SELECT use_parameter_set(''crm'', 1)');
CALL refused('SELECT * FROM workspace_check(''crm'')');
CALL refused('SELECT * FROM explain(''crm'', ''1'')');
CALL refused('SELECT * FROM movements(''crm'', ''2025-12-31'', ''2026-01-01'')');
CALL refused('SELECT * FROM workspace_segment_preview(''crm'', ''{"kind": "rules", "segments": []}'')');
CALL refused('SELECT drop_workspace(''crm'')');
CALL refresh('crm');
CALL refresh_views('crm');
-- Nor by the parts of a refresh.
CALL refused('SELECT segmentation_internal.workspace_stage_facts(''crm'')');
CALL refused('SELECT segmentation_internal.workspace_train(''crm'', ''2026-01-01'')');
CALL refused('SELECT segmentation_internal.workspace_publish(''crm'', ''stage_'', 1, ''2026-01-01'', false)');
RESET ROLE;
-- Nor with the right to use the schema alone.
GRANT USAGE ON SCHEMA crm TO stranger;
SET ROLE stranger;
SELECT count(*) AS workspaces FROM workspaces();
CALL refused('SELECT * FROM crm.bi_segment_size');
CALL refused('SELECT * FROM crm.customer_scores');
CALL refused('SELECT segmentation_internal.workspace_write(''crm'', ''customer_facts'', ''crm.customer_facts'', NULL)');
RESET ROLE;

-- A reader of the views sees these, and nothing of facts and sources.
GRANT USAGE ON SCHEMA crm TO reader;
DO $$ BEGIN EXECUTE (SELECT string_agg(format('GRANT SELECT ON crm.%I TO reader', relname), ';') FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relname LIKE 'bi\_%' AND relkind = 'm'); END $$;
SET ROLE reader;
SELECT count(*) > 0 AS sizes FROM crm.bi_segment_size;
SELECT count(*) > 0 AS curve FROM crm.bi_pmg_curve;
CALL refused('SELECT * FROM crm.customer_facts');
CALL refused('SELECT * FROM crm.customer_segments');
CALL refused('SELECT * FROM crm.customer_scores');
CALL refused('SELECT * FROM crm.customer_scores_stored');
CALL refused('SELECT * FROM crm.source');
CALL refused('SELECT * FROM till.orders');
CALL refused('DELETE FROM crm.bi_segment_size');
CALL refused('REFRESH MATERIALIZED VIEW crm.bi_segment_size');
CALL refused('CREATE TABLE crm.mine (a integer)');
CALL refresh_views('crm');
RESET ROLE;
-- Rights outlive a refresh and a refresh of the views.
SET ROLE keeper;
CALL refresh('crm', '2026-01-03', true);
CALL refresh_views('crm');
RESET ROLE;
SET ROLE reader;
SELECT count(*) > 0 AS sizes FROM crm.bi_segment_size;
RESET ROLE;
-- A reader of the results can explain, and change nothing.
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO reader;
SET ROLE reader;
SELECT workspace, owner FROM workspaces();
SELECT count(*) AS axes FROM explain('crm', '1');
SELECT count(*) > 0 AS settings FROM workspace_settings('crm');
CALL refused('SELECT configure_workspace(''crm'', ''{"language": "fr"}'')');
CALL refused('UPDATE crm.customer_segments SET rfm = ''champions''');
RESET ROLE;

-- A superuser does not work in another's workspace: the owner's code would run with all rights.
CALL refresh('crm', '2026-01-04');
CALL refresh_views('crm');
CALL refused('SELECT configure_workspace(''crm'', ''{}'')');
CALL refused('SELECT drop_workspace(''crm'')');
-- A view of the owner's notes whose rights it runs with.
SET ROLE keeper;
CREATE SCHEMA traps;
GRANT USAGE ON SCHEMA traps TO PUBLIC;
CREATE TABLE traps.caught (who name, what text);
CREATE FUNCTION traps.spring(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF current_user <> 'keeper' THEN RAISE 'caught % in %', current_user, what; END IF; INSERT INTO traps.caught VALUES (current_user, what); RETURN true; END $$;
CREATE VIEW traps.orders AS SELECT o.customer_id, o.ordered_on, o.amount FROM till.orders AS o, (SELECT traps.spring('view') AS s OFFSET 0) AS t WHERE t.s;
SELECT add_source('crm', 'purchases', 'traps.orders');
SELECT remove_source('crm', 'purchases', 'till.orders');
CALL refresh('crm', '2026-01-04');
SELECT DISTINCT who, what FROM traps.caught;
RESET ROLE;
CALL refresh('crm', '2026-01-05');

-- The caller's path: functions, operators, types and tables with our names, before all others.
SET ROLE keeper;
CREATE SCHEMA evil;
CREATE FUNCTION evil.caught() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.concat(text, text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.cardinality(text[]) RETURNS integer LANGUAGE sql AS 'SELECT evil.caught()::integer';
CREATE FUNCTION evil.concat_ws(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.refresh_number() RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.churn_probability(jsonb, segmentation.purchase_history, date, interval) RETURNS double precision LANGUAGE sql AS 'SELECT evil.caught()::float8';
CREATE FUNCTION evil.purchase_history(date, numeric) RETURNS segmentation.purchase_history LANGUAGE sql AS 'SELECT evil.caught()::segmentation.purchase_history';
CREATE FUNCTION evil.label(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.workspace_owned(text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.caught()::boolean';
CREATE FUNCTION evil.joined(text, text) RETURNS text LANGUAGE sql AS 'SELECT evil.caught()';
CREATE FUNCTION evil.less(date, date) RETURNS boolean LANGUAGE sql AS 'SELECT evil.caught()::boolean';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.joined);
CREATE OPERATOR evil.< (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.less);
CREATE OPERATOR evil.= (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.less);
CREATE TABLE evil.workspace (as_of date);
CREATE TABLE evil.pg_locks (pid integer);
CREATE TABLE evil.workspace_setting (name text);
CREATE DOMAIN evil.regclass AS text CHECK (evil.caught() IS NULL);
SET search_path = evil, pg_catalog;
CALL segmentation.refresh('crm', '2026-01-06', true);
CALL segmentation.refresh('crm', '2026-01-07', false);
CALL segmentation.refresh('crm', '2026-01-01');
CALL segmentation.refresh_changed('crm', '2026-01-08');
CALL segmentation.refresh_views('crm');
SELECT segmentation.configure_workspace('crm', '{"currency": "EUR"}');
SELECT segmentation.register_segment('crm', 'late', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
SELECT segmentation.add_source('crm', 'purchases', 'till.orders');
SELECT segmentation.remove_source('crm', 'purchases', 'traps.orders');
SELECT pg_catalog.count(*) AS axes FROM segmentation.explain('crm', '1');
SELECT pg_catalog.count(*) > 0 AS checked FROM segmentation.workspace_check('crm');
SELECT pg_catalog.count(*) > 0 AS sizes FROM crm.bi_segment_size;
SELECT pg_catalog.count(churn_probability) > 0 AS scores FROM crm.customer_scores;
SELECT segmentation.create_workspace('crm_2');
SELECT segmentation.drop_workspace('crm_2');
SELECT segmentation.drop_workspace('crm');
SET search_path = segmentation, public;
SET client_min_messages = error;
DROP SCHEMA evil, traps CASCADE;
RESET ROLE;

-- A schema that only looks like a workspace gives nobody anything.
SET ROLE keeper;
CREATE SCHEMA mimic;
CREATE VIEW mimic.workspace AS SELECT 1 AS layout, 'x'::text AS key_type;
COMMENT ON VIEW mimic.workspace IS 'A workspace of the extension segmentation, or is it?';
RESET ROLE;
SELECT count(*) AS workspaces FROM workspaces();
CALL refused('SELECT * FROM explain(''mimic'', ''1'')');
DROP SCHEMA mimic, till CASCADE;
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname IN ('crm', 'crm_2');
DROP OWNED BY keeper, keepers_mate, reader, stranger;
DROP ROLE keepers_mate, keeper, reader, stranger;
