-- Who may call what of a workspace. Every function whose first argument is a workspace is here, from the catalogue; one
-- that is not is listed, and has to be added. "yes", or the SQLSTATE of the refusal: 42501 insufficient privilege, 3F000
-- no workspace.
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE ROLE installer;
CREATE ROLE owner;
CREATE ROLE member IN ROLE owner;
CREATE ROLE reader;
CREATE ROLE writer;
CREATE ROLE outsider;
CREATE DATABASE segmentation_rights_matrix;
\c segmentation_rights_matrix
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET datestyle = ISO;
-- Installed as a trusted extension is: by who may create objects in the database.
GRANT CREATE ON DATABASE segmentation_rights_matrix TO installer, owner;
SET ROLE installer;
CREATE EXTENSION segmentation;
RESET ROLE;
CREATE TABLE orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO orders SELECT n % 60, date '2024-01-01' + n * 7 % 500, n % 50 + 1 FROM generate_series(1, 900) AS n;
GRANT SELECT, TRIGGER ON orders TO owner;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON orders TO writer;
GRANT SELECT ON orders TO writer;

SET ROLE owner;
-- Of companies, so that nothing is refused for being of customers.
SELECT segmentation.create_workspace('crm', time_zone => 'UTC', subject => 'company');
-- Time goes on without purchases on purpose.
SELECT segmentation.configure_workspace('crm', '{"source_silence": "off"}');
SELECT segmentation.add_source('crm', 'purchases', 'orders');
SELECT segmentation.register_segment('crm', 'late', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
SELECT segmentation.workspace_target('crm', 'nothing', '{"buys_nothing": true}', '30 days');
CALL segmentation.refresh('crm', '2025-05-31', true);
CALL segmentation.refresh('crm', '2025-06-30', false);
CALL segmentation.refresh_views('crm');
SELECT segmentation.start_capture('crm', 'purchases', 'orders');
SELECT count(*) FROM segmentation.assign_campaign('crm', 'spring', 'SELECT customer FROM crm.customer_segments', 0.2);
SELECT segmentation.add_destination('crm', 'files', 'csv', '{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": []}');
SELECT segmentation.crm_sync('crm', 'files') AS batch;
SELECT count(*) AS taken FROM segmentation.crm_take('crm', 'w');
GRANT USAGE ON SCHEMA crm TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO reader;
GRANT INSERT, UPDATE ON crm.event_reader TO reader;
SELECT segmentation.grant_bi('crm', 'reader', explains => true);
RESET ROLE;

CREATE TABLE called (function text, query text);
INSERT INTO called VALUES
  ('account_sheet', 'SELECT segmentation.account_sheet(''crm'', ''1'')'),
  ('add_destination', 'SELECT segmentation.add_destination(''crm'', ''more'', ''csv'', ''{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": []}'')'),
  ('add_source', 'SELECT segmentation.add_source(''crm'', ''purchases'', ''orders'')'),
  ('adopt_workspace', 'SELECT segmentation.adopt_workspace(''crm'')'),
  ('apply_retention', 'SELECT segmentation.apply_retention(''crm'')'),
  ('audit_change', 'SELECT segmentation.audit_change(''crm'', daterange(''2024-01-01'', ''2024-07-01''), daterange(''2024-07-01'', ''2025-01-01''))'),
  ('audit_cohorts', 'SELECT segmentation.audit_cohorts(''crm'')'),
  ('audit_deciles', 'SELECT segmentation.audit_deciles(''crm'', daterange(''2024-01-01'', ''2025-01-01''))'),
  ('audit_factors', 'SELECT segmentation.audit_factors(''crm'', daterange(''2024-01-01'', ''2024-07-01''), daterange(''2024-07-01'', ''2025-01-01''))'),
  ('chart', 'SELECT segmentation.chart(''crm'', ''pmg'')'),
  ('report', 'SELECT segmentation.report(''crm'')'),
  ('turnover_drivers', 'SELECT segmentation.turnover_drivers(''crm'', daterange(''2024-01-01'', ''2024-07-01''), daterange(''2024-07-01'', ''2025-01-01''))'),
  ('assign_arms', 'SELECT segmentation.assign_arms(''crm'', ''winter'', ''SELECT 1'', ''{"a": 1}'')'),
  ('assign_campaign', 'SELECT segmentation.assign_campaign(''crm'', ''autumn'', ''SELECT 1'')'),
  ('campaign_roi', 'SELECT segmentation.campaign_roi(''crm'', ''spring'', ''2099-01-01'')'),
  ('campaign_uplift', 'SELECT segmentation.campaign_uplift(''crm'', ''spring'', ''2099-01-01'')'),
  ('capture_status', 'SELECT segmentation.capture_status(''crm'')'),
  ('confirm_events', 'SELECT segmentation.confirm_events(''crm'', ''mail'', 1)'),
  ('create_workspace', 'SELECT segmentation.create_workspace(''crm_2'')'),
  ('crm_ack', 'SELECT segmentation.crm_ack(''crm'', 1, ''w'')'),
  ('crm_bytes', 'SELECT segmentation.crm_bytes(''crm'', 1)'),
  ('crm_fail', 'SELECT segmentation.crm_fail(''crm'', 1, ''w'', ''down'')'),
  ('crm_feedback', 'SELECT segmentation.crm_feedback(''crm'', ''files'', ''[]'')'),
  ('crm_files', 'SELECT segmentation.crm_files(''crm'', 1)'),
  ('crm_note', 'SELECT segmentation.crm_note(''crm'', 1, 1, ''w'', ''{}'')'),
  ('crm_preview', 'SELECT segmentation.crm_preview(''crm'', ''files'')'),
  ('crm_renew', 'SELECT segmentation.crm_renew(''crm'', 1, ''w'')'),
  ('crm_replay', 'SELECT segmentation.crm_ack(''crm'', 1, ''w''), segmentation.crm_replay(''crm'', 1)'),
  ('crm_result', 'SELECT segmentation.crm_result(''crm'', 1, ''w'', ''{}'', ''{}'')'),
  ('crm_resync', 'SELECT segmentation.crm_ack(''crm'', 1, ''w''), segmentation.crm_resync(''crm'', ''files'')'),
  ('crm_rows', 'SELECT segmentation.crm_rows(''crm'', 1)'),
  ('crm_status', 'SELECT segmentation.crm_status(''crm'')'),
  ('crm_sync', 'SELECT segmentation.crm_ack(''crm'', 1, ''w''), segmentation.crm_sync(''crm'', ''files'')'),
  ('crm_take', 'SELECT segmentation.crm_take(''crm'', ''w'')'),
  ('customer_actions', 'SELECT segmentation.customer_actions(''crm'')'),
  ('customer_behaviour', 'SELECT segmentation.customer_behaviour(''crm'')'),
  ('customer_offers', 'SELECT segmentation.customer_offers(''crm'')'),
  ('drop_workspace', 'SELECT segmentation.drop_workspace(''crm'')'),
  ('erase_customer', 'SELECT segmentation.erase_customer(''crm'', ''-1'')'),
  ('explain', 'SELECT segmentation.explain(''crm'', ''1'')'),
  ('make_bi_schema', 'SELECT segmentation.make_bi_schema(''crm'')'),
  ('workspace_edits', 'SELECT segmentation.workspace_edits(''crm'')'),
  ('workspace_preset', 'SELECT segmentation.workspace_preset(''crm'', ''retail'')'),
  ('grant_bi', 'SELECT segmentation.grant_bi(''crm'', ''writer'', true)'),
  ('(explain with the owner''s rights)', 'SELECT crm.explain(''1'')'),
  ('movements', 'SELECT segmentation.movements(''crm'', ''2025-05-31'', ''2025-06-30'')'),
  ('override_segment', 'SELECT segmentation.override_segment(''crm'', ''late'', ''1'', ''yes'')'),
  ('read_events', 'SELECT segmentation.read_events(''crm'', ''mail'')'),
  ('refresh', 'CALL segmentation.refresh(''crm'', ''2025-07-01'')'),
  ('refresh_changed', 'CALL segmentation.refresh_changed(''crm'', ''2025-07-01'')'),
  ('refresh_views', 'CALL segmentation.refresh_views(''crm'')'),
  ('register_segment', 'SELECT segmentation.register_segment(''crm'', ''x'', ''{"kind": "rules", "segments": [{"segment": "x", "when": {"field": "recency", ">": 1}}]}'')'),
  ('remove_destination', 'SELECT segmentation.remove_destination(''crm'', ''files'')'),
  ('remove_source', 'SELECT segmentation.remove_source(''crm'', ''purchases'', ''orders'')'),
  ('restart_workspace', 'SELECT segmentation.restart_workspace(''crm'', ''2025-05-31'')'),
  ('retention_due', 'SELECT segmentation.retention_due(''crm'')'),
  ('run_due', 'CALL segmentation.run_due(''crm'', ''2025-07-01'')'),
  ('schedule_sql', 'SELECT segmentation.schedule_sql(''crm'')'),
  ('start_capture', 'SELECT segmentation.start_capture(''crm'', ''purchases'', ''orders'')'),
  ('stop_capture', 'SELECT segmentation.stop_capture(''crm'', ''purchases'', ''orders'')'),
  ('workspace_target', 'SELECT segmentation.workspace_target(''crm'', ''buys'', ''{"buys": true}'')'),
  ('drop_workspace_target', 'SELECT segmentation.drop_workspace_target(''crm'', ''nothing'')'),
  ('target_explain', 'SELECT segmentation.target_explain(''crm'', ''1'', ''nothing'')'),
  ('unregister_segment', 'SELECT segmentation.unregister_segment(''crm'', ''late'')'),
  ('upgrade_workspace', 'SELECT segmentation.upgrade_workspace(''crm'')'),
  ('use_parameter_set', 'SELECT segmentation.use_parameter_set(''crm'', 1)'),
  ('export_parameter_set', 'SELECT segmentation.export_parameter_set(''crm'')'),
  ('install_parameter_set', 'SELECT segmentation.install_parameter_set(''crm'', ''{}'')'),
  ('line_suggestions', 'SELECT segmentation.line_suggestions(''crm'')'),
  ('workspace_check', 'SELECT segmentation.workspace_check(''crm'')'),
  ('workspace_due', 'SELECT segmentation.workspace_due(''crm'')'),
  ('workspace_fields', 'SELECT segmentation.workspace_fields(''crm'')'),
  ('workspace_progress', 'SELECT segmentation.workspace_progress(''crm'')'),
  ('workspace_segment_overlap', 'SELECT segmentation.workspace_segment_overlap(''crm'')'),
  ('workspace_segment_preview', 'SELECT segmentation.workspace_segment_preview(''crm'', ''{"kind": "rules", "segments": [{"segment": "x", "when": {"field": "recency", ">": 1}}]}'')'),
  ('workspace_settings', 'SELECT segmentation.workspace_settings(''crm'')'),
  ('configure_workspace', 'SELECT segmentation.configure_workspace(''crm'', ''{"currency": "CHF"}'')'),
  ('workspaces', 'SELECT segmentation.workspaces()'),
  ('(a row of the registry)', 'INSERT INTO segmentation.workspace_registry (workspace, owner, layout, key_type) VALUES (''x'', ''owner'', 1, ''bigint'')'),
  ('(a table in the workspace)', 'CREATE TABLE crm.mine (a integer)'),
  ('(its facts)', 'SELECT * FROM crm.customer_facts'),
  ('(its codes, changed)', 'UPDATE crm.customer_segments SET rfm = ''x'''),
  ('(its queue)', 'INSERT INTO crm.queue (customer) VALUES (1)'),
  ('(the source, written)', 'INSERT INTO orders VALUES (1, ''2025-06-30'', 5)'),
  ('(a function of the extension)', 'CREATE FUNCTION segmentation.format(text, text) RETURNS text LANGUAGE sql RETURN ''caught''');

-- Parts are not for use: they say so.
SELECT DISTINCT p.proname AS missing_in_this_test
FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'segmentation'
WHERE (p.proargnames[1] = 'workspace' OR p.proname = 'workspaces') AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Part of %'
  AND NOT p.proname IN (SELECT split_part(c.function, ',', 1) FROM called AS c) ORDER BY 1;

CREATE TABLE answer (function text, role name, said text);
-- Each in a subtransaction that is undone. A procedure that commits cannot be run there: it has passed the gate.
DO $$
DECLARE
  one record;
  role name;
  state text;
BEGIN
  FOR one IN SELECT * FROM called LOOP
    FOREACH role IN ARRAY '{superuser,installer,owner,member,reader,writer,outsider}'::name[] LOOP
      BEGIN
        IF role <> 'superuser' THEN
          EXECUTE format('SET LOCAL ROLE %I', role);
        END IF;
        EXECUTE one.query;
        RAISE 'done' USING ERRCODE = 'P0000';
      EXCEPTION WHEN OTHERS THEN
        state := SQLSTATE;
      END;
      INSERT INTO answer VALUES (one.function, role, CASE WHEN state IN ('P0000', '2D000', '25001') THEN 'yes' ELSE state END);
    END LOOP;
  END LOOP;
END
$$;
SELECT a.function,
  max(a.said) FILTER (WHERE a.role = 'superuser') AS superuser,
  max(a.said) FILTER (WHERE a.role = 'installer') AS installer,
  max(a.said) FILTER (WHERE a.role = 'owner') AS owner,
  max(a.said) FILTER (WHERE a.role = 'member') AS member,
  max(a.said) FILTER (WHERE a.role = 'reader') AS reader,
  max(a.said) FILTER (WHERE a.role = 'writer') AS writer,
  max(a.said) FILTER (WHERE a.role = 'outsider') AS outsider
FROM answer AS a GROUP BY a.function ORDER BY a.function COLLATE "C";
-- The installer restores dumps: of schemas that are not its own it leaves no row, and takes none over.
SET ROLE installer;
INSERT INTO segmentation.workspace_registry (workspace, owner, layout, key_type)
VALUES ('pg_catalog', 'installer', 1, 'bigint'), ('no_such', 'installer', 1, 'bigint');
INSERT INTO segmentation.workspace_registry (workspace, owner, layout, key_type)
VALUES ('crm', 'installer', 1, 'bigint') ON CONFLICT DO NOTHING;
DELETE FROM segmentation.workspace_registry;
RESET ROLE;
SELECT workspace, owner FROM segmentation.workspace_registry;
-- What an install by who is no superuser leaves whom.
SELECT n.nspowner = 10 AS schema_is_the_bootstrap_superusers, n.nspowner::regrole = 'installer'::regrole AS or_the_installers FROM pg_namespace AS n WHERE n.nspname = 'segmentation';
SELECT c.relname, CASE c.relowner WHEN 10 THEN 'bootstrap superuser' ELSE c.relowner::regrole::text END AS owner
FROM pg_class AS c WHERE c.relnamespace = 'segmentation'::regnamespace AND c.relkind = 'r' ORDER BY c.relname;
\c segmentation_regress
DROP DATABASE segmentation_rights_matrix;
DROP ROLE member, owner, installer, reader, writer, outsider;
