-- The plain views for BI tools: the same as those behind them, found by every tool, kept, dropped, and nobody else's.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE PROCEDURE pg_temp.refused(statement text) LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RAISE WARNING 'not refused: %', statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | % | %', SQLSTATE, message, detail, hint;
END
$$;
-- What a view behind has and the plain one has not, or the other way round: names, types, places, comments.
CREATE FUNCTION pg_temp.unlike(workspace text) RETURNS TABLE (view name, what text) LANGUAGE sql AS $$
  WITH d AS (
    SELECT n.nspname = workspace AS behind, c.relname, concat_ws(' ', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), ''),
      obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner)) AS what
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE n.nspname IN (workspace, workspace || '_bi') AND c.relkind IN ('v', 'm') AND c.relname LIKE 'bi\_%')
  SELECT d.relname, d.what FROM d GROUP BY 1, 2 HAVING count(*) FILTER (WHERE behind) <> 1 OR count(*) FILTER (WHERE NOT behind) <> 1 $$;
CREATE FUNCTION pg_temp.rows_differ(workspace text) RETURNS TABLE (view name, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOR view IN SELECT b.name FROM segmentation_internal.bi_schema_behind(quote_ident(workspace)) AS b LOOP
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$I.%3$I EXCEPT ALL TABLE %2$I.%3$I) UNION ALL (TABLE %2$I.%3$I EXCEPT ALL TABLE %1$I.%3$I)) AS d', workspace, workspace || '_bi', view) INTO rows;
    IF rows > 0 THEN RETURN NEXT; END IF;
  END LOOP;
END
$$;
CREATE ROLE bi_owner;
CREATE ROLE bi_member IN ROLE bi_owner;
CREATE ROLE bi_tool;
SELECT format('GRANT CREATE ON DATABASE %I TO bi_owner', current_database()) \gexec
SET ROLE bi_owner;
SELECT count(*) AS tables FROM simulate_shop('plain_shop', customers => 300, seed => 5);
SELECT create_workspace('plain', key_type => 'bigint', time_zone => 'Europe/Paris');
SELECT count(add_source('plain', kind, relation)) AS sources
FROM (VALUES ('purchases', 'plain_shop.orders'::regclass), ('purchase_lines', 'plain_shop.order_lines'), ('customers', 'plain_shop.customers')) AS s (kind, relation);
RESET ROLE;
SET ROLE bi_member;
SELECT make_bi_schema('plain'), make_bi_schema('plain') AS again;
RESET ROLE;
SET ROLE bi_owner;
SELECT * FROM pg_temp.unlike('plain');
SELECT count(*) > 15 AS many, bool_and(table_type = 'VIEW') AS all_views FROM information_schema.tables WHERE table_schema = 'plain_bi';

-- Before there is anything: what to call. Of a view that stands on others, too; a plan of then is no plan of now.
CALL pg_temp.refused('SELECT * FROM plain_bi.bi_segment_size');
CALL pg_temp.refused('SELECT count(*) FROM plain_bi.bi_customers');
CALL pg_temp.refused('EXPLAIN SELECT * FROM plain_bi.bi_as_of');
CALL refresh('plain', '2025-12-31');
CALL pg_temp.refused('SELECT * FROM plain_bi.bi_segment_size');
CALL refresh_views('plain');
SELECT * FROM pg_temp.rows_differ('plain');
SELECT count(*) > 20 AS some FROM plain_bi.bi_segment_size;
PREPARE sizes AS SELECT count(*) > 20 AS some FROM plain_bi.bi_segment_size;
SET plan_cache_mode = force_generic_plan;
EXECUTE sizes;
EXECUTE sizes;
REFRESH MATERIALIZED VIEW plain.bi_segment_size WITH NO DATA;
EXECUTE sizes;
CALL refresh_views('plain');
EXECUTE sizes;
RESET plan_cache_mode;
-- It costs nothing: what is asked is asked of the view behind, by its index.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT customers FROM plain_bi.bi_segment_size WHERE axis = 'pmg' AND code = 'G';
RESET enable_seqscan;

-- A reader: exactly these, and no more of the workspace than the views behind; call lists only where said so.
SELECT grant_bi('plain', 'bi_tool');
REVOKE USAGE ON SCHEMA plain FROM bi_tool;
RESET ROLE;
SET ROLE bi_tool;
SELECT count(*) > 0 AS sizes, (SELECT as_of FROM plain_bi.bi_as_of) AS as_of FROM plain_bi.bi_segment_size;
CALL pg_temp.refused('SELECT count(*) FROM plain_bi.bi_customers');
CALL pg_temp.refused('SELECT count(*) FROM plain.bi_segment_size');
SELECT count(*) AS listed FROM information_schema.tables WHERE table_schema = 'plain_bi' AND table_name = 'bi_customers';
CALL pg_temp.refused($$SELECT make_bi_schema('plain')$$);
RESET ROLE;
SET ROLE bi_owner;
SELECT grant_bi('plain', 'bi_tool', explains => true, customers => true);
RESET ROLE;
SET ROLE bi_tool;
SELECT count(*) AS customers FROM plain_bi.bi_customers;
SELECT count(*) AS explained FROM plain.explain('1', 'pmg');
RESET ROLE;

-- A view changes behind them, as by another version: upgrade_workspace makes both anew, with their rights.
SET ROLE bi_owner;
DROP VIEW plain_bi.bi_drift;
DROP MATERIALIZED VIEW plain.bi_drift;
CREATE MATERIALIZED VIEW plain.bi_drift AS SELECT 1 AS one;
GRANT SELECT ON plain.bi_drift TO bi_tool;
DROP VIEW plain_bi.bi_reach;
DROP MATERIALIZED VIEW plain.bi_reach;
SELECT make_bi_schema('plain');
GRANT SELECT ON plain_bi.bi_drift TO bi_tool WITH GRANT OPTION;
SELECT * FROM plain_bi.bi_drift;
-- Somebody's own view in the way: said, and nothing is changed.
CREATE VIEW plain_shop.mine AS SELECT * FROM plain_bi.bi_drift;
CALL pg_temp.refused($$SELECT upgrade_workspace('plain')$$);
DROP VIEW plain_shop.mine;
-- By a member of the owner's role: what is made anew is the owner's.
RESET ROLE;
SET ROLE bi_member;
SELECT upgrade_workspace('plain');
RESET ROLE;
SET ROLE bi_owner;
SELECT count(*) AS of_others FROM pg_class WHERE relnamespace IN ('plain'::regnamespace, 'plain_bi'::regnamespace) AND relowner <> 'bi_owner'::regrole;
CALL refresh_views('plain');
SELECT * FROM pg_temp.unlike('plain');
SELECT * FROM pg_temp.rows_differ('plain');
SELECT relname, relacl::text LIKE '%bi_tool=r*/%' AS granted FROM pg_class WHERE relnamespace = 'plain_bi'::regnamespace AND relname = 'bi_drift';

-- Dropped with the workspace: what stands on it is listed first; what somebody else keeps in the schema stays.
CREATE VIEW plain_shop.mine AS SELECT axis, customers FROM plain_bi.bi_segment_size;
CALL pg_temp.refused($$SELECT drop_workspace('plain')$$);
CREATE TABLE plain_bi.kept (note text);
SELECT drop_workspace('plain', cascade => true);
SELECT count(*) AS views_left FROM pg_class WHERE relnamespace = 'plain_bi'::regnamespace AND relkind = 'v';
SELECT to_regclass('plain_shop.mine') AS mine, to_regclass('plain_bi.kept') AS kept;
-- It is still that of the plain views: the next workspace of this name takes it.
SELECT create_workspace('plain', time_zone => 'Europe/Paris');
SELECT make_bi_schema('plain');
DROP TABLE plain_bi.kept;
-- Keys become texts with the first source; views and rights are there again.
SELECT grant_bi('plain', 'bi_tool');
CREATE TABLE plain_shop.texts (customer_id text, ordered_on date, amount numeric);
INSERT INTO plain_shop.texts SELECT 'c' || n, date '2025-01-01' + n, 10 FROM generate_series(1, 9) AS n;
SELECT add_source('plain', 'purchases', 'plain_shop.texts') ->> 'customer' AS customer;
SELECT * FROM pg_temp.unlike('plain');
SELECT count(*) AS readable FROM pg_class WHERE relnamespace = 'plain_bi'::regnamespace AND has_table_privilege('bi_tool', oid, 'SELECT');
SELECT drop_workspace('plain');
SELECT to_regnamespace('plain_bi') AS gone;

-- A schema that is something else is left alone, with whatever comment; grant_bi goes on without.
CREATE SCHEMA plain_bi;
SELECT create_workspace('plain', time_zone => 'Europe/Paris');
CALL pg_temp.refused($$SELECT make_bi_schema('plain')$$);
SET client_min_messages = notice;
SELECT grant_bi('plain', 'bi_tool');
SET client_min_messages = warning;
SELECT drop_workspace('plain');
SELECT to_regnamespace('plain_bi') AS there;
DROP SCHEMA plain_bi;
RESET ROLE;
-- Of another role, with the very comment: not theirs to fill.
CREATE SCHEMA plain_bi;
DO $$ BEGIN EXECUTE format('COMMENT ON SCHEMA plain_bi IS %L', segmentation_internal.bi_schema_mark()); END $$;
SET ROLE bi_owner;
SELECT create_workspace('plain', time_zone => 'Europe/Paris');
CALL pg_temp.refused($$SELECT make_bi_schema('plain')$$);
SELECT drop_workspace('plain');
RESET ROLE;
DROP SCHEMA plain_bi;
SET ROLE bi_owner;

-- Names: quotes, and up to 60 bytes.
SELECT create_workspace('it''s "a" shop', time_zone => 'UTC'), create_workspace(repeat('a', 60), time_zone => 'UTC'), create_workspace(repeat('é', 30) || 'x', time_zone => 'UTC');
SELECT make_bi_schema('it''s "a" shop'), length(make_bi_schema(repeat('a', 60))) AS bytes;
CALL pg_temp.refused($$SELECT make_bi_schema(repeat('é', 30) || 'x')$$);
SELECT * FROM pg_temp.unlike('it''s "a" shop');
CALL pg_temp.refused('SELECT * FROM "it''s ""a"" shop_bi".bi_code');
SELECT grant_bi('it''s "a" shop', 'bi_tool'), grant_bi(repeat('é', 30) || 'x', 'bi_tool');
SELECT drop_workspace(w.workspace) FROM workspaces() AS w WHERE w.owner = 'bi_owner';
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname LIKE '%\_bi';
-- No right to make a schema any more: said with what is missing.
SELECT create_workspace('plain', time_zone => 'UTC');
RESET ROLE;
SELECT format('REVOKE CREATE ON DATABASE %I FROM bi_owner', current_database()) \gexec
SET ROLE bi_owner;
DO $$
BEGIN
  PERFORM make_bi_schema('plain');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RAISE WARNING '%', replace(SQLERRM, current_database(), 'this');
END
$$;
CALL pg_temp.refused('SELECT make_bi_schema(NULL)');
CALL pg_temp.refused($$SELECT make_bi_schema('no such')$$);
SELECT drop_workspace('plain');
DROP SCHEMA plain_shop CASCADE;
RESET ROLE;
DROP OWNED BY bi_owner, bi_tool;
DROP ROLE bi_owner, bi_member, bi_tool;
