-- How far a refresh is, seen from the session itself: tests/isolation/specs/progress.spec has others. Versions.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
\set VERBOSITY terse
SELECT library = installed AND installed = available AS one_version, advice FROM segmentation_version();
-- What to do where they differ. The catalogue is a superuser's to change, and put back at once.
BEGIN;
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'segmentation';
SELECT installed, advice FROM segmentation_version();
ROLLBACK;

CREATE TABLE till_orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO till_orders SELECT n % 60, date '2024-01-01' + n * 7 % 500, n % 50 + 1 FROM generate_series(1, 900) AS n;
SELECT create_workspace('crm', time_zone => 'UTC');
SELECT configure_workspace('crm', '{"source_silence": "off"}');
SELECT add_source('crm', 'purchases', 'till_orders');
-- None so far.
SELECT * FROM workspace_progress('crm');
CALL refresh('crm', '2025-06-30');
SELECT refresh, place, phase, status, rows, seconds >= 0 AS timed, usual, step, pid, waits_for FROM workspace_progress('crm');
CALL refresh('crm', '2025-07-01', retrain => true);
SELECT refresh, place, phase, status, seconds >= 0 AS timed, usual >= 0 AS usual FROM workspace_progress('crm');
-- Steps are in their order, and none takes longer than its phase.
SELECT l.phase, string_agg(s.step, ', ' ORDER BY s.n) AS steps,
  sum(s.seconds) <= extract(epoch FROM l.ended_at - l.began_at) + 0.1 AS within_the_phase
FROM crm.refresh_log AS l
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(l.steps) AS (step text, seconds float8)) WITH ORDINALITY AS s (step, seconds, n)
WHERE l.refresh = 2 GROUP BY l.place, l.phase, l.began_at, l.ended_at ORDER BY l.place;
-- One that fails ends with the step that failed.
ALTER TABLE crm.events ADD CONSTRAINT none CHECK (false) NOT VALID;
ALTER TABLE crm.membership_history ADD CONSTRAINT none CHECK (false) NOT VALID;
INSERT INTO till_orders VALUES (61, '2025-07-02', 5);
CALL refresh('crm', '2025-07-02');
SELECT p.phase, p.status, l.steps -> -1 ->> 'step' AS last_step
FROM workspace_progress('crm') AS p JOIN crm.refresh_log AS l ON l.refresh = p.refresh AND l.place = p.place ORDER BY p.place;
-- Nothing of it is left in the activity; a session that ended in the middle is said to be lost.
SELECT query NOT LIKE '/*%' AS plain FROM pg_stat_activity WHERE pid = pg_backend_pid();
UPDATE crm.refresh_log SET status = 'running', ended_at = NULL WHERE refresh = 3 AND phase = 'publish';
SELECT phase, status, seconds FROM workspace_progress('crm') WHERE phase = 'publish';
SELECT label('progress', 'lost'), label('progress', 'lost', 'fr');
-- Of a workspace that is none, and for who may not look.
SELECT * FROM workspace_progress('nothing');
SELECT * FROM workspace_progress(NULL);
CREATE ROLE onlooker;
SET ROLE onlooker;
CALL refused('SELECT * FROM workspace_progress(''crm'')');
RESET ROLE;
DROP ROLE onlooker;
SELECT drop_workspace('crm');
DROP TABLE till_orders;

-- Functions that are expected to return 1,000 rows: those whose rows are many indeed, and none of a workspace's parts.
SELECT p.oid::regprocedure AS returns_many FROM pg_proc AS p
WHERE p.pronamespace IN ('segmentation'::regnamespace, 'segmentation_internal'::regnamespace) AND p.proretset AND p.prorows = 1000
ORDER BY p.oid::regprocedure::text COLLATE "C";
