-- How far a refresh has come, and how long its parts took.

-- The title stands before the statement in pg_stat_activity, as a comment; so does each step, until the next one.
CREATE FUNCTION segmentation_internal.workspace_begin(title text) RETURNS void
  LANGUAGE c PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'workspace_begin_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_begin(text) IS
  'Part of refresh: says in pg_stat_activity what the session does, and forgets the steps so far; NULL: nothing more.';

CREATE FUNCTION segmentation_internal.workspace_step(step text) RETURNS void
  LANGUAGE c STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'workspace_step_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_step(text) IS
  'Part of refresh: begins a step of what workspace_begin said, and ends the one before.';

CREATE FUNCTION segmentation_internal.workspace_steps() RETURNS jsonb
  LANGUAGE c PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'workspace_steps_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_steps() IS
  'Part of refresh: the steps since workspace_begin with their seconds, in order; the last one ends.';

CREATE FUNCTION segmentation_internal.library_version() RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'library_version_wrapper';
COMMENT ON FUNCTION segmentation_internal.library_version() IS
  'Part of segmentation_version: the version that the library was built as.';

CREATE FUNCTION segmentation.segmentation_version(
  OUT library text, OUT installed text, OUT available text, OUT advice text
)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.library, v.installed, v.available, CASE
    WHEN v.library = v.installed AND v.installed = v.available THEN NULL
    WHEN v.library <> v.available
      THEN 'This session has the library of before: connect anew, and if it stays, install the files again.'
    ELSE 'ALTER EXTENSION segmentation UPDATE, then upgrade_workspace for each of workspaces().' END
  FROM (
    SELECT segmentation_internal.library_version() AS library, e.extversion AS installed,
      (SELECT x.default_version FROM pg_available_extensions AS x WHERE x.name = e.extname) AS available
    FROM pg_extension AS e WHERE e.extname = 'segmentation') AS v;
END;
COMMENT ON FUNCTION segmentation.segmentation_version() IS
  'The versions of the library, of the extension in this database and of the files on the server, and what to do if '
  'they differ.';

-- A phase is committed when it begins and when it ends, so its row is seen while it runs; whether it does indeed, the
-- advisory lock says. The step is in pg_stat_activity, for those who may see there what the refreshing role does.
CREATE FUNCTION segmentation.workspace_progress(workspace text) RETURNS TABLE (
    refresh integer, place integer, phase text, status text, began_at timestamptz, seconds numeric, usual numeric,
    rows bigint, step text, pid integer, waits_for text)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{refresh_log}');
  lock constant bigint := segmentation_internal.workspace_lock(ws);
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH session AS (
      SELECT l.pid, substring(a.query FROM '^/\* .*, \d+ of \d+: (.*?) \*/ ') AS step,
        CASE WHEN a.wait_event_type = 'Lock' THEN (
          SELECT string_agg(b.pid::text, ', ' ORDER BY b.pid) FROM unnest(pg_blocking_pids(l.pid)) AS b (pid)) END
          AS waits_for
      FROM pg_locks AS l
      LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock' AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND (l.classid::bigint << 32) + l.objid::bigint = $1
      LIMIT 1)
    SELECT l.refresh, l.place::integer, l.phase,
      CASE WHEN l.status = 'running' AND s.pid IS NULL THEN 'lost' ELSE l.status END, l.began_at,
      round(extract(epoch FROM coalesce(l.ended_at, CASE WHEN s.pid IS NOT NULL THEN clock_timestamp() END)
        - l.began_at), 1),
      -- Of the last five that went well: a phase takes about as long as it did.
      (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY b.seconds)::numeric, 1)
       FROM (SELECT extract(epoch FROM d.ended_at - d.began_at) AS seconds FROM ONLY @ws@.refresh_log AS d
             WHERE d.phase = l.phase AND d.status = 'done' AND d.refresh < l.refresh
             ORDER BY d.refresh DESC LIMIT 5) AS b),
      l.rows, CASE WHEN l.status = 'running' THEN s.step END,
      CASE WHEN l.status = 'running' THEN s.pid END, CASE WHEN l.status = 'running' THEN s.waits_for END
    FROM ONLY @ws@.refresh_log AS l
    LEFT JOIN session AS s ON true
    WHERE l.refresh = (SELECT max(m.refresh) FROM ONLY @ws@.refresh_log AS m)
    ORDER BY l.place$q$) USING lock;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_progress(text) IS
  'How far the newest refresh of a workspace is, also while it runs in another session: a row a phase with its '
  'seconds, what it took of late (usual), the step and the process under way, and what that waits for.';

INSERT INTO segmentation.label (domain, code, language, label, built_in)
SELECT 'progress', v.code, t.language, t.label, true
FROM (VALUES
  ('running', 'Running', 'En cours'), ('done', 'Done', 'Terminé'), ('failed', 'Failed', 'Échoué'),
  ('lost', 'Its session ended', 'Sa session s''est terminée')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
