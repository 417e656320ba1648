-- security_check: each thing that it looks for is made, found, and mended by what the hint says.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
\set VERBOSITY terse
CREATE ROLE guarded;
CREATE ROLE "gua""rded mate";
CREATE ROLE passer_by;
SELECT format('GRANT CREATE ON DATABASE %I TO guarded, passer_by', current_database()) \gexec
CREATE SCHEMA till;
GRANT USAGE ON SCHEMA till TO guarded, passer_by;
CREATE TABLE till.orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO till.orders SELECT n % 200, date '2024-01-01' + n % 600, n % 50 FROM generate_series(1, 4000) AS n;
GRANT SELECT, TRIGGER ON till.orders TO guarded;
SET ROLE guarded;
SELECT create_workspace('crm', time_zone => 'UTC');
SELECT add_source('crm', 'purchases', 'till.orders');
SELECT configure_workspace('crm', '{"source_silence": "off"}');
CALL refresh('crm', '2025-12-31');
CALL refresh_views('crm');
SELECT grant_bi('crm', 'passer_by', explains => true);
RESET ROLE;

-- Every check says something; what is there as it should be is no finding, but that the owner may hang triggers on the
-- source, as it was granted.
SELECT count(DISTINCT what) = count(DISTINCT l.code) AS all_answer
FROM security_check() RIGHT JOIN (SELECT code FROM label WHERE domain = 'security_check') AS l ON l.code = what;
SELECT * FROM security_check() WHERE verdict <> 'ok' AND concat(object, finding) ~ 'crm|till|guarded|segmentation';

-- A statement, what is found of it, and whether it is gone by the hint, or by a statement that is given.
CREATE FUNCTION pg_temp.provoked(statement text, mend text DEFAULT NULL)
RETURNS TABLE (what text, verdict text, object text, finding text, hint text, mended boolean)
  LANGUAGE plpgsql AS $$
DECLARE
  before text[] := ARRAY(SELECT c::text FROM segmentation.security_check() AS c WHERE c.verdict <> 'ok');
  one record;
BEGIN
  EXECUTE statement;
  FOR one IN
    SELECT c.* FROM segmentation.security_check() AS c WHERE c.verdict <> 'ok' AND c::text <> ALL (before)
  LOOP
    what := one.what; verdict := one.verdict;
    object := regexp_replace(one.object, '_[0-9a-f]{12}', '_x');
    finding := regexp_replace(one.finding, '_[0-9a-f]{12}', '_x');
    hint := regexp_replace(one.hint, '_[0-9a-f]{12}', '_x');
    IF mend IS NULL THEN
      EXECUTE regexp_replace(one.hint, ', (if|or keep) .*$', '');
    END IF;
    mended := CASE WHEN mend IS NULL THEN NOT EXISTS (
      SELECT FROM segmentation.security_check() AS c WHERE c.what = one.what AND c.object = one.object
        AND c.finding = one.finding) END;
    RETURN NEXT;
  END LOOP;
  IF mend IS NOT NULL THEN
    EXECUTE mend;
  END IF;
  SELECT c.* INTO one FROM segmentation.security_check() AS c
  WHERE c.verdict <> 'ok' AND c::text <> ALL (before) LIMIT 1;
  IF FOUND THEN
    RAISE 'still there: %', one;
  END IF;
END
$$;
\pset format unaligned
\pset tuples_only on

-- The extension: who owns it, and what is beside it.
SELECT * FROM pg_temp.provoked('ALTER SCHEMA segmentation OWNER TO guarded', 'ALTER SCHEMA segmentation OWNER TO CURRENT_USER');
SELECT * FROM pg_temp.provoked('ALTER FUNCTION segmentation.gini(segmentation.turnover_values) OWNER TO guarded', 'ALTER FUNCTION segmentation.gini(segmentation.turnover_values) OWNER TO CURRENT_USER');
SELECT * FROM pg_temp.provoked('ALTER TABLE segmentation.label OWNER TO guarded', 'ALTER TABLE segmentation.label OWNER TO CURRENT_USER');
SELECT * FROM pg_temp.provoked('CREATE FUNCTION segmentation.format(text, text) RETURNS text LANGUAGE sql RETURN ''caught''', 'DROP FUNCTION segmentation.format(text, text)');

-- Rights to it.
SELECT * FROM pg_temp.provoked('GRANT CREATE ON SCHEMA segmentation_internal TO guarded');
SELECT * FROM pg_temp.provoked('GRANT CREATE ON SCHEMA segmentation TO PUBLIC');
SELECT * FROM pg_temp.provoked('GRANT INSERT, UPDATE ON segmentation.label TO "gua""rded mate"');
SELECT * FROM pg_temp.provoked('GRANT INSERT ON segmentation.rfm_map TO PUBLIC');
SELECT * FROM pg_temp.provoked('GRANT INSERT, TRIGGER ON segmentation.rfm_map TO guarded');
SELECT * FROM pg_temp.provoked('REVOKE EXECUTE ON FUNCTION segmentation.gini(numeric) FROM PUBLIC');
SELECT * FROM pg_temp.provoked('REVOKE USAGE ON TYPE segmentation.rfm FROM PUBLIC');
SELECT * FROM pg_temp.provoked('REVOKE USAGE ON SCHEMA segmentation_internal FROM PUBLIC');

-- Its functions.
SELECT * FROM pg_temp.provoked('ALTER FUNCTION segmentation.workspaces() SECURITY DEFINER');
SELECT * FROM pg_temp.provoked('ALTER FUNCTION segmentation.create_workspace RESET search_path');
SELECT * FROM pg_temp.provoked('ALTER FUNCTION segmentation.grant_bi SET search_path = public');
SELECT * FROM pg_temp.provoked('ALTER FUNCTION segmentation.movements RESET segmentation.guard');
SELECT * FROM pg_temp.provoked(
  'UPDATE pg_proc SET probin = ''/tmp/other'' WHERE oid = ''segmentation.purchases(segmentation.purchase_history)''::regprocedure',
  'UPDATE pg_proc SET probin = ''$libdir/segmentation'' WHERE oid = ''segmentation.purchases(segmentation.purchase_history)''::regprocedure');

-- What is hung on its tables.
CREATE FUNCTION till.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SELECT * FROM pg_temp.provoked('CREATE TRIGGER "on it" AFTER INSERT ON segmentation.label EXECUTE FUNCTION till.note()');
SELECT * FROM pg_temp.provoked('ALTER TABLE segmentation.label DISABLE TRIGGER protect');
SELECT * FROM pg_temp.provoked('CREATE RULE also AS ON INSERT TO segmentation.label DO ALSO NOTIFY label');
SELECT * FROM pg_temp.provoked('ALTER TABLE segmentation.rfm_map ENABLE ROW LEVEL SECURITY');
SELECT * FROM pg_temp.provoked('CREATE TABLE till.more () INHERITS (segmentation.label)');

-- Around it.
SELECT * FROM pg_temp.provoked('GRANT CREATE ON SCHEMA till TO PUBLIC');
SELECT * FROM pg_temp.provoked('ALTER ROLE passer_by SET segmentation.trusted_workspaces = ''crm, other''');
SELECT * FROM pg_temp.provoked('CREATE ROLE other_boss SUPERUSER; ALTER ROLE other_boss SET segmentation.trusted_workspaces = crm');
DROP ROLE other_boss;

-- Whose a workspace is.
SELECT * FROM pg_temp.provoked('ALTER SCHEMA crm RENAME TO crm_2026', 'ALTER SCHEMA crm_2026 RENAME TO crm');
SELECT * FROM pg_temp.provoked('ALTER SCHEMA crm OWNER TO passer_by', 'ALTER SCHEMA crm OWNER TO guarded');
SELECT * FROM pg_temp.provoked('GRANT guarded TO "gua""rded mate"');
SELECT * FROM pg_temp.provoked('ALTER ROLE guarded SUPERUSER', 'ALTER ROLE guarded NOSUPERUSER');

-- Code in it.
SELECT * FROM pg_temp.provoked('GRANT CREATE ON SCHEMA crm TO passer_by');
SELECT * FROM pg_temp.provoked('CREATE TABLE crm."o''ther" (); ALTER TABLE crm."o''ther" OWNER TO passer_by', 'DROP TABLE crm."o''ther"');
SELECT * FROM pg_temp.provoked('CREATE FUNCTION crm.own(a text, b text) RETURNS text LANGUAGE sql SECURITY DEFINER AS ''SELECT a''; ALTER FUNCTION crm.own OWNER TO guarded', 'DROP FUNCTION crm.own(text, text)');
SELECT * FROM pg_temp.provoked('GRANT EXECUTE ON FUNCTION crm.explain TO PUBLIC');
SELECT * FROM pg_temp.provoked('ALTER FUNCTION crm.explain RESET search_path');
SELECT * FROM pg_temp.provoked('ALTER TABLE crm.customer_facts ENABLE ROW LEVEL SECURITY', 'ALTER TABLE crm.customer_facts DISABLE ROW LEVEL SECURITY');
SELECT * FROM pg_temp.provoked('CREATE TRIGGER own BEFORE INSERT ON crm.events FOR EACH ROW EXECUTE FUNCTION till.note()', 'DROP TRIGGER own ON crm.events');
SELECT * FROM pg_temp.provoked('ALTER TABLE crm.drift RENAME TO drift_table; CREATE VIEW crm.drift AS SELECT * FROM crm.drift_table; ALTER VIEW crm.drift OWNER TO guarded', 'DROP VIEW crm.drift; ALTER TABLE crm.drift_table RENAME TO drift');

-- Rights in it.
SELECT * FROM pg_temp.provoked('GRANT SELECT ON crm.bi_segment_size TO PUBLIC');
SELECT * FROM pg_temp.provoked('GRANT SELECT ON crm.bi_customers, crm.events TO PUBLIC');
SELECT * FROM pg_temp.provoked('GRANT SELECT (customer) ON crm.customer_segments TO PUBLIC');
SELECT * FROM pg_temp.provoked('GRANT SELECT ON crm.customer_facts, crm.customer_scores TO passer_by');
SELECT * FROM pg_temp.provoked('GRANT INSERT, UPDATE ON crm.event_reader TO passer_by');
SELECT * FROM pg_temp.provoked('GRANT DELETE ON crm.setting TO passer_by');
SELECT * FROM pg_temp.provoked('ALTER DEFAULT PRIVILEGES FOR ROLE guarded GRANT SELECT ON TABLES TO PUBLIC');
SELECT * FROM pg_temp.provoked('ALTER DEFAULT PRIVILEGES FOR ROLE guarded IN SCHEMA crm GRANT SELECT, INSERT ON TABLES TO passer_by');

-- Sources and their triggers.
SELECT * FROM pg_temp.provoked('SET LOCAL ROLE guarded; SELECT segmentation.start_capture(''crm'', ''purchases'', ''till.orders''); RESET ROLE',
  'SET LOCAL ROLE guarded; SELECT segmentation.stop_capture(''crm'', ''purchases'', ''till.orders''); RESET ROLE');
SELECT * FROM pg_temp.provoked('GRANT INSERT, DELETE ON till.orders TO passer_by');
SELECT * FROM pg_temp.provoked('GRANT UPDATE (amount) ON till.orders TO PUBLIC');
-- The list of sources is in a table of the workspace: it is not read where that would run code of the owner's.
CREATE FUNCTION till.trap() RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE ''caught %'', current_user; END';
GRANT EXECUTE ON FUNCTION till.trap() TO guarded;
SELECT * FROM pg_temp.provoked('CREATE POLICY trap ON crm.source USING (till.trap()); ALTER TABLE crm.source ENABLE ROW LEVEL SECURITY', 'DROP POLICY trap ON crm.source; ALTER TABLE crm.source DISABLE ROW LEVEL SECURITY')
ORDER BY what;
-- Who has no right to anything sees what the catalogues say, and that the rest was not looked at.
SET ROLE passer_by;
SELECT what, verdict, object, finding, hint FROM security_check() WHERE verdict <> 'ok' AND concat(object, finding) ~ 'crm|till|guarded|segmentation';
RESET ROLE;

SET ROLE guarded;
SELECT drop_workspace('crm');
RESET ROLE;
SELECT count(*) FROM security_check() WHERE verdict <> 'ok' AND concat(object, finding) ~ 'crm|till|guarded|segmentation';
DROP SCHEMA till CASCADE;
DROP OWNED BY guarded, passer_by, "gua""rded mate";
DROP ROLE guarded, passer_by, "gua""rded mate";
