-- Permanent update: changes of the sources are captured into a queue, and refresh_changed brings facts and codes up
-- to date at a cost in proportion to them. Time moves customers too: on the day that next_change_at holds.

-- The queue

-- What a full refresh has read need not be read again. Kept by the snapshot in which it read.
CREATE FUNCTION segmentation_internal.workspace_forget_queue(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('DELETE FROM %1$s.queue AS q USING %1$s.%2$I AS s WHERE pg_visible_in_snapshot(q.transaction, s.snapshot)', ws, stage || 'snapshot');
  EXECUTE format('DROP TABLE %s.%I', ws, stage || 'snapshot');
  -- Nor need the rows up to the watermarks that it saw.
  EXECUTE format('UPDATE %1$s.source AS s SET watermark = w.seen FROM %1$s.%2$I AS w WHERE w.source = s.source AND s.capture = ''watermark''', ws, stage || 'watermark');
  EXECUTE format('DROP TABLE %s.%I', ws, stage || 'watermark');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_forget_queue(text, text) IS 'Part of refresh: takes out of the queue what the refresh has read.';

-- How far each watermark has come in the snapshot of a full refresh.
CREATE FUNCTION segmentation_internal.workspace_stage_watermarks(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
BEGIN
  EXECUTE format('CREATE UNLOGGED TABLE %s.%I (source integer, seen text)', ws, stage || 'watermark');
  -- One whose column is lost is for refresh_changed to tell.
  FOR held IN EXECUTE format(
    'SELECT s.* FROM %s.source AS s WHERE s.capture = ''watermark'' AND EXISTS (
       SELECT FROM pg_attribute AS a WHERE a.attrelid = s.relation AND a.attname = s.watermark_column AND NOT a.attisdropped
         AND a.atttypid = ANY (''{date,timestamp,timestamptz}''::regtype[]))', ws)
  LOOP
    EXECUTE format('INSERT INTO %s.%I SELECT $1, w.seen FROM segmentation_internal.workspace_watermark($2, $3, $4, $5, NULL) AS w', ws, stage || 'watermark')
      USING held.source, held.relation, held.watermark_column, held.time_zone, held.overlap;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_watermarks(text, text) IS 'Part of refresh: how far each watermark has come, into a staged table.';

-- What the capture rests on, watermarks, and rows of the queue that mean everybody.
CREATE FUNCTION segmentation_internal.workspace_watch(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  mark record;
  key text;
  reason text;
  everybody boolean;
BEGIN
  EXECUTE format('SELECT w.key_type FROM %s.workspace AS w', ws) INTO key;
  -- One worker at a time looks.
  FOR held IN EXECUTE format('SELECT s.* FROM %s.source AS s WHERE s.capture <> ''none'' ORDER BY s.source FOR UPDATE SKIP LOCKED', ws) LOOP
    -- A relation that was dropped is for the reading to tell.
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = held.relation);
    IF held.capture = 'trigger' THEN
      reason := segmentation_internal.workspace_uncapturable(held.relation);
      IF reason IS NOT NULL THEN
        RAISE WARNING 'the triggers are taken off %: %', held.relation, reason
          USING DETAIL = 'Writes that come to foreign tables fail with them. From now on its changes are read by a full refresh only.',
            HINT = 'Name a column that grows with every change: start_capture(workspace, kind, relation, watermark_column => ''updated_at'').';
        PERFORM segmentation_internal.workspace_uncapture(ws, held.source);
        PERFORM segmentation_internal.workspace_queue_all(ws);
        CONTINUE;
      END IF;
      everybody := segmentation_internal.workspace_settle(ws, held.source, false);
    ELSE
      everybody := false;
      SELECT * INTO mark FROM segmentation_internal.workspace_watermark(held.relation, held.watermark_column, held.time_zone, held.overlap, held.watermark);
      IF mark.ahead THEN
        RAISE NOTICE 'rows of % have a "%" ahead of the clock: they are read again by each call', held.relation, held.watermark_column;
      END IF;
      IF mark.since IS NULL THEN
        everybody := true;
      ELSE
        -- What has come since its greatest value was looked up is seen the next time.
        EXECUTE format('INSERT INTO %1$s.queue (customer) SELECT DISTINCT %3$s FROM %4$s AS r WHERE r.%2$I IS NOT NULL AND r.%5$I >= $1::%6$s', ws,
          held.mapping ->> 'customer', segmentation_internal.workspace_customer_sql('r', held.relation, held.mapping ->> 'customer', key::regtype),
          held.relation, held.watermark_column, mark.type)
          USING mark.since;
      END IF;
      EXECUTE format('UPDATE %s.source AS s SET watermark = $2 WHERE s.source = $1', ws) USING held.source, mark.seen;
    END IF;
    EXECUTE format('SELECT segmentation_internal.workspace_seen(%L, $1)', ws) INTO reason USING held.source;
    IF everybody OR reason IS DISTINCT FROM held.seen THEN
      PERFORM segmentation_internal.workspace_queue_all(ws);
      EXECUTE format('UPDATE %s.source AS s SET seen = $2 WHERE s.source = $1', ws) USING held.source, reason;
    END IF;
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgfoid = segmentation_internal.workspace_capture_function(ws, held.source) AND NOT t.tgenabled IN ('O', 'A')) THEN
      RAISE WARNING 'triggers of % are disabled: not all of its changes are seen', held.relation
        USING HINT = 'See segmentation.capture_status; ALTER TABLE ... ENABLE TRIGGER USER, then everybody is read again.';
    END IF;
  END LOOP;
  EXECUTE format('WITH d AS (DELETE FROM %s.queue AS q WHERE q.customer IS NULL RETURNING 1) SELECT EXISTS (SELECT FROM d)', ws) INTO everybody;
  IF everybody THEN
    EXECUTE format('INSERT INTO %1$s.queue (customer) SELECT f.customer FROM %1$s.customer_facts AS f%2$s', ws,
      (SELECT coalesce(string_agg(format(' UNION SELECT r.customer FROM %s AS r', rows.sql), ''), '')
       FROM (SELECT DISTINCT f.kind FROM segmentation.workspace_field AS f WHERE f.field = 'customer') AS k
       CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_rows_sql(ws, k.kind) AS sql) AS rows WHERE rows.sql IS NOT NULL));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watch(text) IS 'Part of refresh_changed: sees to the triggers, the watermarks, and rows of the queue that mean everybody.';

CREATE FUNCTION segmentation_internal.workspace_part_lock(ws text, shard integer) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.workspace_lock(ws) + ((shard::bigint + 1) << 32);
COMMENT ON FUNCTION segmentation_internal.workspace_part_lock(text, integer) IS 'Part of refresh_changed: the key of the advisory lock of a part of the queue.';

-- One batch of the queue, in the caller's transaction: these customers are read again and scored at the
-- published day. Returns how many there were; NULL if there are no more changes up to a number.
CREATE FUNCTION segmentation_internal.workspace_batch(ws text, size integer, most bigint, OUT customers bigint, OUT moved bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  waiting smallint[];
  part smallint;
  parts smallint[] := '{}';
  few boolean;
  stage text := format('stage_%s_', pg_backend_pid());
  keys text := format('%s.%skeys', ws, stage);
BEGIN
  -- Two changes of one customer lie in one part, and one worker has it: facts never go back. A short queue is taken
  -- whole, a long one part by part. Advisory locks come before anything that gives this transaction a number: so who has
  -- a part later has a higher number, and a reader gets the events of a customer in their order.
  EXECUTE format('SELECT count(*) < $1 FROM (SELECT FROM %s.queue AS q LIMIT $1) AS q', ws) INTO few USING size;
  EXECUTE format('SELECT array_agg(s.shard ORDER BY random()) FROM generate_series(0, 15) AS s (shard)
                  WHERE EXISTS (SELECT FROM %s.queue AS q WHERE q.shard = s.shard AND q.change <= $1)', ws) INTO waiting USING most;
  IF waiting IS NULL THEN
    RETURN;
  END IF;
  FOREACH part IN ARRAY waiting LOOP
    IF pg_try_advisory_xact_lock(segmentation_internal.workspace_part_lock(ws, part)) THEN
      parts := parts || part;
      EXIT WHEN NOT few;
    END IF;
  END LOOP;
  IF parts = '{}' THEN
    -- Others are at all of them, and may have begun before the last changes: what is left is ours.
    PERFORM pg_advisory_xact_lock(segmentation_internal.workspace_part_lock(ws, waiting[1]));
    parts := waiting[1:1];
  END IF;
  -- Whoever moves the day waits for the batches under way, and these for it.
  EXECUTE format('SELECT as_of, parameter_set FROM %s.workspace FOR SHARE', ws) INTO held;
  -- In two steps: a join of the queue with itself is planned by statistics of when it was empty, and takes all pairs.
  EXECUTE format('CREATE UNLOGGED TABLE %1$s AS SELECT DISTINCT q.customer FROM %2$s.queue AS q WHERE q.shard = ANY ($1) AND q.change <= $2 LIMIT $3', keys, ws) USING parts, most, size;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (customer)', keys);
    EXECUTE format('ANALYZE %s', keys);
    -- Out of the queue first, then the facts are read: what is committed in between is queued again.
    EXECUTE format('DELETE FROM %s.queue AS q USING %s AS k WHERE q.shard = ANY ($1) AND q.customer = k.customer', ws, keys) USING parts;
    PERFORM segmentation_internal.workspace_stage_facts(ws, stage, keys);
    PERFORM segmentation_internal.workspace_stage_scores(ws, stage, held.parameter_set, held.as_of);
    moved := segmentation_internal.workspace_publish(ws, stage, held.parameter_set, held.as_of, true);
  END IF;
  EXECUTE format('DROP TABLE %s', keys);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_batch(text, integer, bigint) IS 'Part of refresh_changed: reads and scores one batch of changed customers.';

-- Time: all whose next change has come are scored at the new day from their stored facts, and the day moves, in one
-- transaction. So are all customers if what scores them is not what was published.
CREATE FUNCTION segmentation_internal.workspace_move(ws text, day date, despite_silence boolean, OUT customers bigint, OUT moved bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  number integer;
  definitions text;
  everybody boolean;
  locking text;
  stage text := format('stage_%s_', pg_backend_pid());
  at text := format('%s.%s', ws, stage);
BEGIN
  -- Mostly there is nothing to do: that is seen without waiting for the batches of others. What is seen then is looked at
  -- again under the lock.
  FOREACH locking IN ARRAY '{"",FOR UPDATE}'::text[] LOOP
    EXECUTE format('SELECT as_of, parameter_set, definitions FROM %s.workspace %s', ws, locking) INTO held;
    EXECUTE format('SELECT p.parameter_set FROM %s.parameter_set AS p WHERE p.status = ''in_use''', ws) INTO number;
    number := coalesce(number, held.parameter_set);
    definitions := segmentation_internal.workspace_definitions(ws);
    everybody := number <> held.parameter_set OR definitions IS DISTINCT FROM held.definitions;
    IF NOT everybody AND day <= held.as_of THEN
      RETURN;
    END IF;
    IF locking = '' AND day > held.as_of AND despite_silence IS NOT TRUE THEN
      PERFORM segmentation_internal.workspace_hold(ws, ws || '.customer_facts', day, true);
    END IF;
  END LOOP;
  IF everybody THEN
    PERFORM segmentation_internal.workspace_define(ws, number);
  END IF;
  -- Another worker may have come further.
  day := greatest(day, held.as_of);
  -- Who is in the queue is scored at the new day with the facts that are read then: not twice.
  EXECUTE format('CREATE UNLOGGED TABLE %1$skeys AS SELECT s.customer FROM %2$s.customer_segments AS s WHERE $1 OR s.next_change_at <= $2
                  EXCEPT SELECT q.customer FROM %2$s.queue AS q', at, ws) USING everybody, day;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE format('ALTER TABLE %skeys ADD PRIMARY KEY (customer)', at);
    EXECUTE format('CREATE UNLOGGED TABLE %1$sfacts AS SELECT f.* FROM %2$s.customer_facts AS f WHERE f.customer IN (SELECT k.customer FROM %1$skeys AS k)', at, ws);
    EXECUTE format('ALTER TABLE %sfacts ADD PRIMARY KEY (customer)', at);
    EXECUTE format('ANALYZE %1$skeys, %1$sfacts', at);
    PERFORM segmentation_internal.workspace_stage_scores(ws, stage, number, day);
    moved := segmentation_internal.workspace_publish(ws, stage, number, day, true);
  END IF;
  EXECUTE format('DROP TABLE %skeys', at);
  EXECUTE format('UPDATE %s.workspace SET as_of = $1, parameter_set = $2, definitions = $3, refreshed_at = now()', ws) USING day, number, definitions;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_move(text, date, boolean) IS 'Part of refresh_changed: moves the published day, and whoever time moves.';

CREATE FUNCTION segmentation_internal.workspace_log_changed(ws text, phases text[], status text, as_of date, began timestamptz, rows bigint[], details text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format($q$
    WITH n AS MATERIALIZED (SELECT nextval(%2$L)::integer AS n)
    INSERT INTO %1$s.refresh_log (refresh, place, phase, status, as_of, began_at, ended_at, rows, detail)
    SELECT n.n, p.place, p.phase, $1, $2, $3, clock_timestamp(), p.rows, p.detail
    FROM n CROSS JOIN unnest($4, $5, $6) WITH ORDINALITY AS p (phase, rows, detail, place)
    WHERE p.rows > 0 OR $1 = 'failed'$q$, ws, ws || '.refresh_number')
    USING status, as_of, began, phases, rows, details;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_log_changed(text, text[], text, date, timestamptz, bigint[], text[]) IS
  'Part of refresh_changed: notes what it did, or where it failed.';

CREATE PROCEDURE segmentation.refresh_changed(
  workspace text, as_of date DEFAULT NULL, batch integer DEFAULT 10000, ahead boolean DEFAULT false, despite_silence boolean DEFAULT false
)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws pg_catalog.text;
  day pg_catalog.date;
  lock bigint;
  most bigint;
  began pg_catalog.timestamptz := pg_catalog.clock_timestamp();
  step pg_catalog.text := 'watch';
  said record;
  changed bigint := 0;
  changed_moved bigint := 0;
  timed bigint := 0;
  timed_moved bigint := 0;
  tries integer := 0;
  state pg_catalog.text; message pg_catalog.text; detail pg_catalog.text; hint pg_catalog.text;
BEGIN
  ws := segmentation_internal.workspace_owned(workspace);
  day := segmentation_internal.workspace_day(ws, as_of, ahead);
  IF batch IS NULL OR batch OPERATOR(pg_catalog.<) 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
  END IF;
  EXECUTE pg_catalog.format('SELECT w.as_of IS NULL AS never FROM %s.workspace AS w', ws) INTO said;
  IF said.never THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = pg_catalog.format('workspace %I has no result yet', workspace),
      HINT = pg_catalog.format('CALL segmentation.refresh(%L) first.', workspace);
  END IF;
  -- As in refresh: from here on every error aborts a transaction, and that hands the lock back.
  COMMIT;
  lock := segmentation_internal.workspace_lock(ws);
  IF NOT segmentation_internal.workspace_take_lock(lock, true) THEN
    RAISE lock_not_available USING
      MESSAGE = pg_catalog.format('workspace %I is being refreshed by another session', workspace),
      HINT = 'What is in the queue stays there; call again later.';
  END IF;
  LOOP
    state := NULL;
    BEGIN
      IF step OPERATOR(pg_catalog.=) 'watch' THEN
        PERFORM segmentation_internal.workspace_after_restore(ws);
        PERFORM segmentation_internal.workspace_watch(ws);
        EXECUTE pg_catalog.format('SELECT coalesce(pg_catalog.max(q.change), 0) FROM %s.queue AS q', ws) INTO most;
        step := 'time';
      ELSIF step OPERATOR(pg_catalog.=) 'time' THEN
        SELECT * INTO said FROM segmentation_internal.workspace_move(ws, day, despite_silence);
        timed := coalesce(said.customers, 0);
        timed_moved := coalesce(said.moved, 0);
        step := 'changed';
      ELSIF step OPERATOR(pg_catalog.=) 'changed' THEN
        SELECT * INTO said FROM segmentation_internal.workspace_batch(ws, batch, most);
        changed := changed OPERATOR(pg_catalog.+) coalesce(said.customers, 0);
        changed_moved := changed_moved OPERATOR(pg_catalog.+) coalesce(said.moved, 0);
        IF said.customers IS NULL THEN
          PERFORM segmentation_internal.workspace_log_changed(ws, '{time,changed}', 'done', day, began, ARRAY[timed, changed],
            ARRAY[pg_catalog.concat(timed_moved, ' codes changed'), pg_catalog.concat(changed_moved, ' codes changed')]);
          step := 'done';
        END IF;
      END IF;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    END;
    -- Whoever attaches, detaches or truncates partitions locks several tables, as a step does: it gave way, and begins anew.
    IF state OPERATOR(pg_catalog.=) '40P01' AND tries OPERATOR(pg_catalog.<) 10 THEN
      tries := tries OPERATOR(pg_catalog.+) 1;
      COMMIT;
      CONTINUE;
    END IF;
    IF state IS NOT NULL THEN
      BEGIN
        PERFORM segmentation_internal.workspace_log_changed(ws, ARRAY[step], 'failed', day, began, ARRAY[NULL]::pg_catalog.int8[], ARRAY[message]);
      EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        NULL;  -- what failed first is what matters
      END;
      COMMIT;
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message,
        DETAIL = pg_catalog.concat_ws(E'\n', CASE WHEN detail OPERATOR(pg_catalog.<>) '' THEN detail END, 'What was not done stays in the queue.'), HINT = hint;
    END IF;
    COMMIT;
    EXIT WHEN step OPERATOR(pg_catalog.=) 'done';
  END LOOP;
  PERFORM segmentation_internal.workspace_release_lock(lock, true);
  RAISE NOTICE '% customers by time (% codes changed), % by changes (% codes changed)', timed, timed_moved, changed, changed_moved;
END
$$;
COMMENT ON PROCEDURE segmentation.refresh_changed(text, date, integer, boolean, boolean) IS
  'Brings the published result up to date: customers whose day has come are scored at as_of (default: today; a later day with ahead) from their stored facts; those in the queue are read again, in batches that are committed. Moves no day if the sources have been silent for too long, but for despite_silence. Several sessions may call it at once. Same facts and codes as refresh(workspace, as_of, false), for every change that the sources'' capture can see.';

-- What is due

CREATE FUNCTION segmentation.workspace_due(workspace text, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,source,setting,parameter_set}');
  held record;
  day date;
  uncaptured boolean;
BEGIN
  EXECUTE format('SELECT w.as_of, w.time_zone FROM ONLY %s.workspace AS w', ws) INTO held;
  day := coalesce(as_of, greatest((now() AT TIME ZONE held.time_zone)::date, held.as_of));
  EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s.source AS s WHERE s.capture = ''none'')', ws) INTO uncaptured;
  RETURN CASE WHEN held.as_of IS NULL OR segmentation_internal.workspace_retrains(ws, day, NULL) THEN 'retrain'
    WHEN uncaptured AND held.as_of < day THEN 'refresh' ELSE 'changed' END;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_due(text, date) IS
  'What run_due would do: retrain (a full refresh with a training: the first, or the last is too long ago), refresh (a new day, and a source without capture), changed.';

CREATE PROCEDURE segmentation.run_due(workspace text, as_of date DEFAULT NULL, ahead boolean DEFAULT false, despite_silence boolean DEFAULT false)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  due pg_catalog.text;
  day pg_catalog.date;
BEGIN
  EXECUTE pg_catalog.format('SELECT coalesce($1, greatest((pg_catalog.now() AT TIME ZONE w.time_zone)::pg_catalog.date, w.as_of)) FROM %s.workspace AS w',
    segmentation_internal.workspace_owned(workspace)) INTO day USING as_of;
  due := segmentation.workspace_due(workspace, day);
  IF due OPERATOR(pg_catalog.=) 'changed' THEN
    CALL segmentation.refresh_changed(workspace, day, ahead => ahead, despite_silence => despite_silence);
  ELSE
    CALL segmentation.refresh(workspace, day, due OPERATOR(pg_catalog.=) 'retrain', ahead, despite_silence);
  END IF;
  COMMIT;
  CALL segmentation.refresh_views(workspace);
END
$$;
COMMENT ON PROCEDURE segmentation.run_due(text, date, boolean, boolean) IS 'Does whatever is due: a full refresh with training, one without, or the changes; then the views for BI. Holds as these do, but for ahead and despite_silence. For a scheduler to call every few minutes.';

-- A text as a literal of SQL without anything that a shell, cron or psql would read in another way.
CREATE FUNCTION segmentation_internal.plain_literal(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN given ~ '[[:cntrl:]''%!\\]'
    THEN (SELECT 'U&''' || string_agg(CASE WHEN c ~ '[[:cntrl:]''%!\\]' THEN '!' || lpad(to_hex(ascii(c)), 4, '0') ELSE c END, '' ORDER BY n) || ''' UESCAPE ''!'''
          FROM regexp_split_to_table(given, '') WITH ORDINALITY AS s (c, n))
    ELSE quote_literal(given) END;
COMMENT ON FUNCTION segmentation_internal.plain_literal(text) IS 'Part of schedule_sql: a text as a literal, any control character, quote, percent sign or backslash as its number.';

CREATE FUNCTION segmentation.schedule_sql(workspace text, schedule text DEFAULT '*/15 * * * *') RETURNS TABLE (scheduler text, line text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  database text := current_database();
  call text;
  job text;
BEGIN
  PERFORM segmentation_internal.workspace_schema(workspace);
  IF schedule ~ '[[:cntrl:]]' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'schedule must not have control characters', HINT = 'As in cron: "*/15 * * * *".';
  END IF;
  call := format('CALL segmentation.run_due(%s)', segmentation_internal.plain_literal(workspace));
  job := segmentation_internal.plain_literal('segmentation ' || workspace);
  scheduler := 'pg_cron';
  line := format('SELECT cron.schedule_in_database(%s, %L, %L, %s);', job, schedule, call, segmentation_internal.plain_literal(database));
  RETURN NEXT;
  scheduler := 'pg_cron, to end it';
  line := format('SELECT cron.unschedule(%s);', job);
  RETURN NEXT;
  scheduler := 'cron';
  -- psql takes a name with = or : for a connection string, crons differ in what they make of a backslash, and a line has
  -- one line.
  IF database ~ '[[:cntrl:]\\=:]' THEN
    RAISE NOTICE 'no crontab line can name the database: call it from a script';
    line := NULL;
  ELSE
    line := format('%s psql -X -v ON_ERROR_STOP=1 -d %s -c %s', schedule, segmentation_internal.shell_quoted(database), segmentation_internal.shell_quoted(call));
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION segmentation.schedule_sql(text, text) IS
  'The lines that have run_due called every quarter of an hour, or when schedule says (as in cron). The pg_cron lines are for the database that has pg_cron (cron.database_name), run as the workspace''s owner. Nothing is scheduled by this function.';

-- Without backslashes, but for a percent sign, which in a crontab ends the line unless it is escaped: a quote is quoted by
-- the other kind.
CREATE FUNCTION segmentation_internal.shell_quoted(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN '''' || replace(replace(given, '''', '''"''"'''), '%', '\%') || '''';
COMMENT ON FUNCTION segmentation_internal.shell_quoted(text) IS 'Part of schedule_sql: a text for a shell in a crontab.';

-- Later versions

CREATE FUNCTION segmentation.upgrade_workspace(workspace text) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  has integer;
BEGIN
  EXECUTE format('SELECT layout FROM %s.workspace FOR UPDATE', ws) INTO has;
  IF has > segmentation_internal.workspace_layout() THEN
    RAISE feature_not_supported USING MESSAGE = format('workspace %I was made by a later version of the extension', workspace),
      DETAIL = format('Its layout is %s; this version knows up to %s.', has, segmentation_internal.workspace_layout()), HINT = 'ALTER EXTENSION segmentation UPDATE first.';
  END IF;
  -- First, as it may refuse.
  PERFORM segmentation_internal.workspace_add_axes(ws);
  PERFORM segmentation_internal.workspace_renew_views(workspace);
  PERFORM segmentation_internal.workspace_after_restore(ws);
  -- What is queued was there before anything that is read from now on.
  EXECUTE format('UPDATE %s.queue SET transaction = ''3'' WHERE transaction >= pg_snapshot_xmax(pg_current_snapshot())', ws);
  -- Layout 1 is the first. Each later one adds a step here: from 1 to 2, from 2 to 3.
  PERFORM segmentation_internal.workspace_watch(ws);
  PERFORM segmentation_internal.workspace_comments(workspace);
  RETURN segmentation_internal.workspace_layout();
END
$$;
COMMENT ON FUNCTION segmentation.upgrade_workspace(text) IS 'After ALTER EXTENSION UPDATE: brings the tables and views of a workspace to what this version makes; refused, with a list, if anything of others depends on a view that changes. Also after restoring a dump into another server. Returns its layout.';
