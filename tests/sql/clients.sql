-- Procedures that commit, called where they may not: an error that says what to do, and nothing done.
SET search_path = segmentation, public;
SET client_min_messages = warning;
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT create_workspace('crm', time_zone => 'UTC'), add_source('crm', 'purchases', 'cdnow'), configure_workspace('crm', '{"purchase_family": "bg_nbd"}');
CREATE PROCEDURE caught(statement text) LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | %', SQLSTATE, message, left(hint, 60);
END
$$;
\set VERBOSITY default
-- In a transaction block, as psycopg and others begin one.
BEGIN;
CALL refresh('crm', '1998-06-30');
ROLLBACK;
BEGIN;
CALL run_due('crm', '1998-06-30');
ROLLBACK;
BEGIN;
CALL refresh_changed('crm', '1998-06-30');
ROLLBACK;
BEGIN;
CALL refresh_views('crm');
ROLLBACK;
-- Where an error would be caught; in a function; with other statements in one string.
CALL caught($$CALL segmentation.refresh('crm', '1998-06-30')$$);
CREATE FUNCTION called() RETURNS void LANGUAGE plpgsql AS $$BEGIN CALL segmentation.refresh('crm', '1998-06-30'); END$$;
SELECT called();
SELECT 1 AS one\; CALL refresh('crm', '1998-06-30');
-- Whether there is one, and whose it is, comes first.
BEGIN;
CALL refresh('no such workspace');
ROLLBACK;
SELECT count(*) AS logged FROM crm.refresh_log;

-- As a statement of its own, in a procedure, in DO.
CREATE PROCEDURE calls() LANGUAGE plpgsql AS $$BEGIN CALL segmentation.refresh('crm', '1998-05-31'); END$$;
CALL calls();
DO $$BEGIN CALL segmentation.run_due('crm', '1998-06-30', despite_silence => true); END$$;
SELECT as_of FROM crm.workspace;

-- Views are made anew only when something moved.
CREATE TABLE written (what text, made text);
CREATE PROCEDURE looked(what text) LANGUAGE plpgsql AS $$
BEGIN
  CALL segmentation.refresh_views('crm');
  INSERT INTO written SELECT looked.what, b.made_of FROM crm.bi_as_of AS b;
END
$$;
-- What is not looked at: rows that are taken out of a view's source by hand.
CALL looked('first');
INSERT INTO crm.drift (as_of, axis, psi, customers, moved) VALUES ('1998-01-01', 'by hand', 0, 1, 0);
CALL looked('by hand');
SELECT count(*) AS not_seen FROM crm.bi_drift WHERE axis = 'by hand';
CALL refresh_views('crm', again => true);
SELECT count(*) AS seen FROM crm.bi_drift WHERE axis = 'by hand';
DELETE FROM crm.drift WHERE axis = 'by hand';
CALL run_due('crm', '1998-06-30', despite_silence => true);
SELECT count(*) AS still FROM crm.bi_drift WHERE axis = 'by hand';
-- What moves: a setting, a label of one's own, a published day, what was erased, the set in use.
SELECT configure_workspace('crm', '{"language": "fr"}');
CALL looked('language');
SELECT label FROM crm.bi_segment_size WHERE axis = 'pmg' AND code = 'G';
INSERT INTO label (domain, code, language, label) VALUES ('pmg', 'G', 'de', 'Große');
CALL looked('label');
DELETE FROM label WHERE language = 'de';
CALL refresh('crm', '1998-07-31', despite_silence => true, retrain => true);
CALL looked('day');
SELECT use_parameter_set('crm', 1);
CALL looked('set');
-- All are scored by it.
CALL refresh_changed('crm', '1998-07-31', despite_silence => true);
CALL looked('scored');
CALL refresh_changed('crm', '1998-07-31', despite_silence => true);
CALL looked('nothing');
SELECT what, made <> lag(made) OVER (ORDER BY n) AS anew FROM (SELECT row_number() OVER () AS n, * FROM written) AS w ORDER BY n;
SELECT as_of, language FROM crm.bi_as_of;
SELECT drop_workspace('crm');
DROP PROCEDURE caught, calls, looked;
DROP FUNCTION called;
DROP TABLE written;
