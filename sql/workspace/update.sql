-- Permanent update: changes of the sources are captured into a queue, and refresh_changed brings facts and codes up
-- to date at a cost in proportion to them. Time moves customers too: on the day that next_change_at holds.

-- The queue

-- What a full refresh has read need not be read again. Kept by the snapshot in which it read.
CREATE FUNCTION segmentation_internal.workspace_forget_queue(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.queue AS q
    USING @ws@.@snapshot@ AS s
    WHERE pg_visible_in_snapshot(q.transaction, s.snapshot);
    DROP TABLE @ws@.@snapshot@;
    -- Nor need the rows up to the watermarks that it saw.
    UPDATE @ws@.source AS s
    SET watermark = w.seen
    FROM @ws@.@watermark@ AS w
    WHERE w.source = s.source AND s.capture = 'watermark';
    DROP TABLE @ws@.@watermark@$q$,
    jsonb_build_object('snapshot', stage || 'snapshot', 'watermark', stage || 'watermark'));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_forget_queue(text, text) IS
  'Part of refresh: takes out of the queue what the refresh has read.';

-- How far each watermark has come in the snapshot of a full refresh.
CREATE FUNCTION segmentation_internal.workspace_stage_watermarks(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source record;
BEGIN
  EXECUTE format('CREATE UNLOGGED TABLE %s.%I (source integer, seen text)', ws, stage || 'watermark');
  -- One whose column is lost is for refresh_changed to tell.
  FOR source IN EXECUTE format($q$
    SELECT s.*
    FROM %s.source AS s
    WHERE s.capture = 'watermark' AND EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = s.relation AND a.attname = s.watermark_column AND NOT a.attisdropped
        AND a.atttypid = ANY ('{date,timestamp,timestamptz}'::regtype[]))$q$, ws)
  LOOP
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.@watermark@
      SELECT $1, w.seen FROM segmentation_internal.workspace_watermark($2, $3, $4, $5, NULL) AS w$q$,
      jsonb_build_object('watermark', stage || 'watermark'))
      USING source.source, source.relation, source.watermark_column, source.time_zone, source.overlap;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_watermarks(text, text) IS
  'Part of refresh: how far each watermark has come, into a staged table.';

-- Whether triggers of a source had to be mended, or taken off, as they are: then everybody is to be read.
CREATE FUNCTION segmentation_internal.workspace_watch_triggers(
  ws text, source integer, relation regclass, mapping jsonb, OUT taken_off boolean, OUT everybody boolean
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reason text := segmentation_internal.workspace_source_uncapturable(relation, mapping);
BEGIN
  taken_off := reason IS NOT NULL;
  everybody := true;
  IF taken_off THEN
    RAISE WARNING 'the triggers are taken off %: %', relation, reason USING
      DETAIL = concat(
        CASE WHEN segmentation_internal.workspace_uncapturable(relation) IS NOT NULL
          THEN 'Writes that come to foreign tables fail with them. ' END,
        'From now on its changes are read by a full refresh only.'),
      HINT = 'Name a column that grows with every change: start_capture(workspace, kind, relation, '
        'watermark_column => ''updated_at'').';
    PERFORM segmentation_internal.workspace_uncapture(ws, source);
  ELSE
    everybody := segmentation_internal.workspace_settle(ws, source, false);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watch_triggers(text, integer, regclass, jsonb) IS
  'Part of refresh_changed: sees to the triggers of a source. Whether everybody is to be read again.';

-- What has come since the watermark of a source, into the queue. What comes while this looks is seen the next time.
CREATE FUNCTION segmentation_internal.workspace_watch_watermark(
  ws text, source integer, kind text, relation regclass, mapping jsonb, watermark_column name, zone text,
  overlap interval, watermark text
) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mark record;
  key regtype;
BEGIN
  SELECT * INTO mark
  FROM segmentation_internal.workspace_watermark(relation, watermark_column, zone, overlap, watermark);
  IF mark.ahead THEN
    RAISE NOTICE 'rows of % have a "%" ahead of the clock: they are read again by each call',
      relation, watermark_column;
  END IF;
  IF mark.since IS NOT NULL THEN
    EXECUTE format('SELECT w.key_type::regtype FROM %s.workspace AS w', ws) INTO key;
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.queue (customer)
      SELECT DISTINCT r.customer
      FROM @(customers)@ AS r
      WHERE r.watermark >= $1::@(type)@$q$,
      jsonb_build_object('type', mark.type, 'customers', segmentation_internal.workspace_customers_sql(
        kind, relation, mapping, key, watermark_column)))
      USING mark.since;
  END IF;
  EXECUTE format('UPDATE %s.source AS s SET watermark = $2 WHERE s.source = $1', ws) USING source, mark.seen;
  RETURN mark.since IS NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watch_watermark(
  text, integer, text, regclass, jsonb, name, text, interval, text
) IS
  'Part of refresh_changed: what has come since the watermark of a source, into the queue. Whether everybody is to be '
  'read again.';

-- A row of the queue that means everybody becomes one a customer: of all that are known, and of all that the sources
-- have.
CREATE FUNCTION segmentation_internal.workspace_spread_queue(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  everybody boolean;
  in_sources text;
BEGIN
  EXECUTE format($q$
    WITH d AS (DELETE FROM %s.queue AS q WHERE q.customer IS NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM d)$q$, ws)
    INTO everybody;
  IF everybody THEN
    SELECT string_agg(format(' UNION SELECT r.customer FROM %s AS r', of_kind.rows), '') INTO in_sources
    FROM (SELECT DISTINCT f.kind FROM segmentation.workspace_field AS f WHERE f.field = 'customer') AS k
    CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_rows_sql(ws, k.kind)) AS of_kind (rows)
    WHERE of_kind.rows IS NOT NULL;
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.queue (customer)
      SELECT f.customer FROM @ws@.customer_facts AS f@(in_sources)@$q$,
      jsonb_build_object('in_sources', coalesce(in_sources, '')));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_spread_queue(text) IS
  'Part of refresh_changed: makes of a row of the queue that means everybody one for each customer.';

-- What the capture rests on, watermarks, and rows of the queue that mean everybody.
CREATE FUNCTION segmentation_internal.workspace_watch(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source record;
  seen text;
  everybody boolean;
  taken_off boolean;
  function regprocedure;
  attached regclass[];
  body text;
BEGIN
  -- One worker at a time looks.
  FOR source IN EXECUTE format($q$
    SELECT s.* FROM %s.source AS s WHERE s.capture <> 'none' ORDER BY s.source FOR UPDATE SKIP LOCKED$q$, ws)
  LOOP
    -- A relation that was dropped is for the reading to tell.
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.relation);
    attached := NULL;
    IF source.capture = 'trigger' THEN
      attached := segmentation_internal.workspace_attached(
        ws, source.source, source.relation, source.mapping, source.seen);
      function := segmentation_internal.workspace_capture_function(ws, source.source);
      body := (SELECT p.prosrc FROM pg_proc AS p WHERE p.oid = function);
      SELECT w.taken_off, w.everybody INTO taken_off, everybody
      FROM segmentation_internal.workspace_watch_triggers(ws, source.source, source.relation, source.mapping) AS w;
      IF taken_off THEN
        PERFORM segmentation_internal.workspace_queue_all(ws);
        CONTINUE;
      END IF;
    ELSE
      everybody := segmentation_internal.workspace_watch_watermark(ws, source.source, source.kind, source.relation,
        source.mapping, source.watermark_column, source.time_zone, source.overlap, source.watermark);
    END IF;
    seen := segmentation_internal.workspace_seen(ws, source.source);
    function := segmentation_internal.workspace_capture_function(ws, source.source);
    IF attached IS NOT NULL AND body = (SELECT p.prosrc FROM pg_proc AS p WHERE p.oid = function) THEN
      PERFORM segmentation_internal.workspace_queue_attached(ws, source.relation, source.mapping, attached);
      EXECUTE format('UPDATE %s.source AS s SET seen = $2 WHERE s.source = $1', ws) USING source.source, seen;
    ELSIF everybody OR seen IS DISTINCT FROM source.seen THEN
      PERFORM segmentation_internal.workspace_queue_all(ws);
      EXECUTE format('UPDATE %s.source AS s SET seen = $2 WHERE s.source = $1', ws) USING source.source, seen;
    END IF;
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgfoid = function AND NOT t.tgenabled IN ('O', 'A')) THEN
      RAISE WARNING 'triggers of % are disabled: not all of its changes are seen', source.relation USING
        HINT = 'See segmentation.capture_status; ALTER TABLE ... ENABLE TRIGGER USER, then everybody is read again.';
    END IF;
  END LOOP;
  PERFORM segmentation_internal.workspace_spread_queue(ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watch(text) IS
  'Part of refresh_changed: sees to the triggers, the watermarks, and rows of the queue that mean everybody.';

CREATE FUNCTION segmentation_internal.workspace_part_lock(ws text, shard integer) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.workspace_lock(ws) + ((shard::bigint + 1) << 32);
COMMENT ON FUNCTION segmentation_internal.workspace_part_lock(text, integer) IS
  'Part of refresh_changed: the key of the advisory lock of a part of the queue.';

-- The parts of the queue that this worker takes: with rows up to a number, and locked until the transaction ends. NULL
-- if there are none. Advisory locks come before anything that gives this transaction a number: so who has a part later
-- has a higher number, and a reader gets the events of a customer in their order.
CREATE FUNCTION segmentation_internal.workspace_take_parts(ws text, size integer, most bigint) RETURNS smallint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  short boolean;
  waiting smallint[];
  part smallint;
  parts smallint[] := '{}';
BEGIN
  EXECUTE format('SELECT count(*) < $1 FROM (SELECT FROM %s.queue AS q LIMIT $1) AS q', ws) INTO short USING size;
  EXECUTE format($q$
    SELECT array_agg(s.shard ORDER BY random())
    FROM generate_series(0, 15) AS s (shard)
    WHERE EXISTS (SELECT FROM %s.queue AS q WHERE q.shard = s.shard AND q.change <= $1)$q$, ws)
    INTO waiting USING most;
  IF waiting IS NULL THEN
    RETURN NULL;
  END IF;
  -- A short queue is taken whole, a long one part by part.
  FOREACH part IN ARRAY waiting LOOP
    IF pg_try_advisory_xact_lock(segmentation_internal.workspace_part_lock(ws, part)) THEN
      parts := parts || part;
      EXIT WHEN NOT short;
    END IF;
  END LOOP;
  IF parts = '{}' THEN
    -- Others are at all of them, and may have begun before the last changes: what is left is ours.
    PERFORM pg_advisory_xact_lock(segmentation_internal.workspace_part_lock(ws, waiting[1]));
    parts := waiting[1:1];
  END IF;
  RETURN parts;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_take_parts(text, integer, bigint) IS
  'Part of refresh_changed: the parts of the queue that this worker has locked; NULL if nothing waits.';

-- One batch of the queue, in the caller's transaction: these customers are read again and scored at the
-- published day. Returns how many there were; NULL if there are no more changes up to a number.
CREATE FUNCTION segmentation_internal.workspace_batch(
  ws text, size integer, most bigint, OUT customers bigint, OUT moved bigint
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  published record;
  -- Two changes of one customer lie in one part, and one worker has it: facts never go back.
  parts smallint[] := segmentation_internal.workspace_take_parts(ws, size, most);
  stage text := format('stage_%s_', pg_backend_pid());
  keys text := format('%s.%skeys', ws, stage);
BEGIN
  IF parts IS NULL THEN
    RETURN;
  END IF;
  -- Whoever moves the day waits for the batches under way, and these for it.
  EXECUTE format('SELECT as_of, parameter_set FROM %s.workspace FOR SHARE', ws) INTO published;
  -- In two steps: a join of the queue with itself is planned by statistics of when it was empty, and takes all pairs.
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @(keys)@ AS
    SELECT DISTINCT q.customer
    FROM @ws@.queue AS q
    WHERE q.shard = ANY ($1) AND q.change <= $2
    LIMIT $3$q$, jsonb_build_object('keys', keys))
    USING parts, most, size;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (customer)', keys);
    EXECUTE format('ANALYZE %s', keys);
    -- Out of the queue first, then the facts are read: what is committed in between is queued again.
    EXECUTE segmentation_internal.fill(ws, $q$
      DELETE FROM @ws@.queue AS q
      USING @(keys)@ AS k
      WHERE q.shard = ANY ($1) AND q.customer = k.customer$q$, jsonb_build_object('keys', keys))
      USING parts;
    PERFORM segmentation_internal.workspace_stage_facts(ws, stage, keys);
    PERFORM segmentation_internal.workspace_stage_scores(ws, stage, published.parameter_set, published.as_of);
    moved := segmentation_internal.workspace_publish(ws, stage, published.parameter_set, published.as_of, true);
  END IF;
  EXECUTE format('DROP TABLE %s', keys);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_batch(text, integer, bigint) IS
  'Part of refresh_changed: reads and scores one batch of changed customers.';

-- Time: all whose next change has come are scored at the new day from their stored facts, and the day moves, in one
-- transaction. So are all customers if what scores them is not what was published.
CREATE FUNCTION segmentation_internal.workspace_move(
  ws text, day date, despite_silence boolean, OUT customers bigint, OUT moved bigint
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  published record;
  number integer;
  definitions text;
  everybody boolean;
  locking text;
  stage text := format('stage_%s_', pg_backend_pid());
  at text := format('%s.%s', ws, stage);
BEGIN
  -- Mostly there is nothing to do: that is seen without waiting for the batches of others. What is seen then is looked
  -- at again under the lock.
  FOREACH locking IN ARRAY '{"",FOR UPDATE}'::text[] LOOP
    EXECUTE segmentation_internal.fill(ws, 'SELECT as_of, parameter_set, definitions FROM @ws@.workspace @(locking)@',
      jsonb_build_object('locking', locking))
      INTO published;
    EXECUTE format($q$SELECT p.parameter_set FROM %s.parameter_set AS p WHERE p.status = 'in_use'$q$, ws) INTO number;
    number := coalesce(number, published.parameter_set);
    definitions := segmentation_internal.workspace_definitions(ws);
    everybody := number <> published.parameter_set OR definitions IS DISTINCT FROM published.definitions;
    IF NOT everybody AND day <= published.as_of THEN
      RETURN;
    END IF;
    IF locking = '' AND day > published.as_of AND despite_silence IS NOT TRUE THEN
      PERFORM segmentation_internal.workspace_hold(ws, ws || '.customer_facts', day, true);
    END IF;
  END LOOP;
  IF everybody THEN
    PERFORM segmentation_internal.workspace_define(ws, number);
  END IF;
  -- Another worker may have come further.
  day := greatest(day, published.as_of);
  -- Who is in the queue is scored at the new day with the facts that are read then: not twice.
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @(at)@keys AS
    SELECT s.customer FROM @ws@.customer_segments AS s WHERE $1 OR s.next_change_at <= $2
    EXCEPT
    SELECT q.customer FROM @ws@.queue AS q$q$, jsonb_build_object('at', at))
    USING everybody, day;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      ALTER TABLE @(at)@keys ADD PRIMARY KEY (customer);
      CREATE UNLOGGED TABLE @(at)@facts AS
        SELECT f.* FROM @ws@.customer_facts AS f WHERE f.customer IN (SELECT k.customer FROM @(at)@keys AS k);
      ALTER TABLE @(at)@facts ADD PRIMARY KEY (customer);
      ANALYZE @(at)@keys, @(at)@facts (customer)$q$, jsonb_build_object('at', at));
    PERFORM segmentation_internal.workspace_stage_scores(ws, stage, number, day);
    moved := segmentation_internal.workspace_publish(ws, stage, number, day, true);
  END IF;
  EXECUTE format('DROP TABLE %skeys', at);
  EXECUTE format($q$
    UPDATE %s.workspace SET as_of = $1, parameter_set = $2, definitions = $3, refreshed_at = now()$q$, ws)
    USING day, number, definitions;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_move(text, date, boolean) IS
  'Part of refresh_changed: moves the published day, and whoever time moves.';

CREATE FUNCTION segmentation_internal.workspace_log_changed(
  ws text, phases text[], status text, as_of date, began timestamptz, rows bigint[], details text[]
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH n AS MATERIALIZED (SELECT nextval(@'numbers'@)::integer AS n)
    INSERT INTO @ws@.refresh_log (refresh, place, phase, status, as_of, began_at, ended_at, rows, detail)
    SELECT n.n, p.place, p.phase, $1, $2, $3, clock_timestamp(), p.rows, p.detail
    FROM n CROSS JOIN unnest($4, $5, $6) WITH ORDINALITY AS p (phase, rows, detail, place)
    WHERE p.rows > 0 OR $1 = 'failed'$q$, jsonb_build_object('numbers', ws || '.refresh_number'))
    USING status, as_of, began, phases, rows, details;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_log_changed(
  text, text[], text, date, timestamptz, bigint[], text[]
) IS
  'Part of refresh_changed: notes what it did, or where it failed.';

CREATE FUNCTION segmentation_internal.workspace_refuse_unpublished(ws text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  published date;
BEGIN
  EXECUTE format('SELECT w.as_of FROM %s.workspace AS w', ws) INTO published;
  IF published IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %s has no result yet', ws),
      HINT = format('CALL segmentation.refresh(%L) first.', (parse_ident(ws))[1]);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_unpublished(text) IS
  'Part of refresh_changed: an error if a workspace has no result yet.';

-- All that is to be noticed before the queue is worked on, and the number of the last change in it.
CREATE FUNCTION segmentation_internal.workspace_watch_all(ws text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most bigint;
BEGIN
  PERFORM segmentation_internal.workspace_after_restore(ws);
  PERFORM segmentation_internal.workspace_watch(ws);
  EXECUTE format('SELECT coalesce(max(q.change), 0) FROM %s.queue AS q', ws) INTO most;
  RETURN most;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watch_all(text) IS
  'Part of refresh_changed: what is to be noticed before the queue is worked on. The number of the last change in it.';

CREATE PROCEDURE segmentation.refresh_changed(
  workspace text, as_of date DEFAULT NULL, batch integer DEFAULT 10000, ahead boolean DEFAULT false,
  despite_silence boolean DEFAULT false
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
  done record;
  changed bigint := 0;
  changed_moved bigint := 0;
  timed bigint := 0;
  timed_moved bigint := 0;
  tries integer := 0;
  state pg_catalog.text; message pg_catalog.text; detail pg_catalog.text; hint pg_catalog.text;
BEGIN
  ws := segmentation_internal.workspace_owned(workspace);
  IF NOT segmentation_internal.may_commit() THEN
    PERFORM segmentation_internal.refuse_block('refresh_changed');
  END IF;
  day := segmentation_internal.workspace_day(ws, as_of, ahead);
  IF batch IS NULL OR batch OPERATOR(pg_catalog.<) 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
  END IF;
  PERFORM segmentation_internal.workspace_refuse_unpublished(ws);
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
        most := segmentation_internal.workspace_watch_all(ws);
        step := 'time';
      ELSIF step OPERATOR(pg_catalog.=) 'time' THEN
        SELECT * INTO done FROM segmentation_internal.workspace_move(ws, day, despite_silence);
        timed := coalesce(done.customers, 0);
        timed_moved := coalesce(done.moved, 0);
        step := 'changed';
      ELSIF step OPERATOR(pg_catalog.=) 'changed' THEN
        SELECT * INTO done FROM segmentation_internal.workspace_batch(ws, batch, most);
        changed := changed OPERATOR(pg_catalog.+) coalesce(done.customers, 0);
        changed_moved := changed_moved OPERATOR(pg_catalog.+) coalesce(done.moved, 0);
        IF done.customers IS NULL THEN
          PERFORM segmentation_internal.workspace_log_changed(ws, '{time,changed}', 'done', day, began,
            ARRAY[timed, changed],
            ARRAY[
              segmentation_internal.workspace_say('log.codes', pg_catalog.jsonb_build_object('rows', timed_moved),
                segmentation_internal.workspace_language(ws)),
              segmentation_internal.workspace_say('log.codes', pg_catalog.jsonb_build_object('rows', changed_moved),
                segmentation_internal.workspace_language(ws))]);
          step := 'done';
        END IF;
      END IF;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    END;
    -- Whoever attaches, detaches or truncates partitions locks several tables, as a step does: it gave way, and begins
    -- anew.
    IF state OPERATOR(pg_catalog.=) '40P01' AND tries OPERATOR(pg_catalog.<) 10 THEN
      tries := tries OPERATOR(pg_catalog.+) 1;
      COMMIT;
      CONTINUE;
    END IF;
    IF state IS NOT NULL THEN
      BEGIN
        PERFORM segmentation_internal.workspace_log_changed(ws, ARRAY[step], 'failed', day, began,
          ARRAY[NULL]::pg_catalog.int8[], ARRAY[message]);
      EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        NULL;  -- what failed first is what matters
      END;
      COMMIT;
      RAISE EXCEPTION USING
        ERRCODE = state,
        MESSAGE = message,
        DETAIL = pg_catalog.concat_ws(E'\n', CASE WHEN detail OPERATOR(pg_catalog.<>) '' THEN detail END,
          'What was not done stays in the queue.'),
        HINT = hint;
    END IF;
    COMMIT;
    EXIT WHEN step OPERATOR(pg_catalog.=) 'done';
  END LOOP;
  PERFORM segmentation_internal.workspace_release_lock(lock, true);
  PERFORM segmentation_internal.workspace_warn_changed(ws, false);
  RAISE NOTICE '%', segmentation_internal.workspace_say('log.changed', pg_catalog.jsonb_build_object('timed', timed,
    'timed_moved', timed_moved, 'changed', changed, 'changed_moved', changed_moved),
    segmentation_internal.workspace_language(ws));
END
$$;
COMMENT ON PROCEDURE segmentation.refresh_changed(text, date, integer, boolean, boolean) IS
  'Brings the published result up to date: customers whose day has come are scored at as_of (default: today; a later '
  'day with ahead) from their stored facts; those in the queue are read again, in batches that are committed. Moves no '
  'day if the sources have been silent for too long, but for despite_silence. Several sessions may call it at once. '
  'Same facts and codes as refresh(workspace, as_of, false), for every change that the sources'' capture can see.';

-- What is due

CREATE FUNCTION segmentation.workspace_due(workspace text, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,source,setting,parameter_set,target}');
  published date;
  day date;
  uncaptured boolean;
BEGIN
  EXECUTE format($q$
    SELECT w.as_of, coalesce($1, greatest((now() AT TIME ZONE w.time_zone)::date, w.as_of))
    FROM ONLY %s.workspace AS w$q$, ws)
    INTO published, day USING as_of;
  EXECUTE format($q$SELECT EXISTS (SELECT FROM ONLY %s.source AS s WHERE s.capture = 'none')$q$, ws) INTO uncaptured;
  RETURN CASE
    WHEN segmentation_internal.workspace_retrains(ws, day, NULL) THEN 'retrain'
    WHEN published IS NULL OR uncaptured AND published < day THEN 'refresh'
    ELSE 'changed' END;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_due(text, date) IS
  'What run_due would do: retrain (a full refresh with a training: the first, the last is too long ago, or settings, '
  'sources or targets are others), refresh (a new day, and a source without capture), changed.';

CREATE PROCEDURE segmentation.run_due(
  workspace text, as_of date DEFAULT NULL, ahead boolean DEFAULT false, despite_silence boolean DEFAULT false
)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws pg_catalog.text;
  due pg_catalog.text;
  day pg_catalog.date;
BEGIN
  ws := segmentation_internal.workspace_owned(workspace);
  IF NOT segmentation_internal.may_commit() THEN
    PERFORM segmentation_internal.refuse_block('run_due');
  END IF;
  EXECUTE pg_catalog.format($q$
    SELECT coalesce($1, greatest((pg_catalog.now() AT TIME ZONE w.time_zone)::pg_catalog.date, w.as_of))
    FROM %s.workspace AS w$q$, ws)
    INTO day USING as_of;
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
COMMENT ON PROCEDURE segmentation.run_due(text, date, boolean, boolean) IS
  'Does whatever is due: a full refresh with training, one without, or the changes; then the views for BI. Holds as '
  'these do, but for ahead and despite_silence. For a scheduler to call every few minutes.';

-- A text as a literal of SQL without anything that a shell, cron or psql would read in another way.
CREATE FUNCTION segmentation_internal.plain_literal(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN given ~ '[[:cntrl:]''%!\\]'
    THEN (
      SELECT format('U&''%s'' UESCAPE ''!''', string_agg(
        CASE WHEN s.c ~ '[[:cntrl:]''%!\\]' THEN '!' || lpad(to_hex(ascii(s.c)), 4, '0') ELSE s.c END, ''
        ORDER BY s.place))
      FROM regexp_split_to_table(given, '') WITH ORDINALITY AS s (c, place))
    ELSE quote_literal(given) END;
COMMENT ON FUNCTION segmentation_internal.plain_literal(text) IS
  'Part of schedule_sql: a text as a literal, any control character, quote, percent sign or backslash as its number.';

CREATE FUNCTION segmentation.schedule_sql(workspace text, schedule text DEFAULT '*/15 * * * *')
RETURNS TABLE (scheduler text, line text)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  database text := current_database();
  owner text;
  sockets text;
  call text;
  job text;
BEGIN
  PERFORM segmentation_internal.workspace_schema(workspace);
  SELECT g.owner INTO owner FROM segmentation.workspace_registry AS g WHERE g.workspace = schedule_sql.workspace;
  IF schedule ~ '[[:cntrl:]]' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'schedule must not have control characters',
      HINT = 'As in cron: "*/15 * * * *".';
  END IF;
  call := format('CALL segmentation.run_due(%s)', segmentation_internal.plain_literal(workspace));
  job := segmentation_internal.plain_literal('segmentation ' || workspace);
  scheduler := 'pg_cron';
  line := format('SELECT cron.schedule_in_database(%s, %L, %L, %s);', job, schedule, call,
    segmentation_internal.plain_literal(database));
  RETURN NEXT;
  scheduler := 'pg_cron, to end it';
  line := format('SELECT cron.unschedule(%s);', job);
  RETURN NEXT;
  scheduler := 'cron';
  -- psql takes a name with = or : for a connection string, crons differ in what they make of a backslash, and a line
  -- has one line.
  IF database ~ '[[:cntrl:]\\=:]' OR owner ~ '[[:cntrl:]\\]' THEN
    RAISE NOTICE 'no crontab line can name the database, or the owner of the workspace: call it from a script';
    line := NULL;
  ELSE
    -- Nested: who may not read the setting must not try.
    IF pg_has_role('pg_read_all_settings', 'USAGE') THEN
      sockets := NULLIF(btrim(split_part(current_setting('unix_socket_directories'), ',', 1)), '');
    END IF;
    line := concat_ws(' ', schedule, 'psql -X -w -v ON_ERROR_STOP=1',
      '-h ' || segmentation_internal.shell_quoted(CASE WHEN NOT sockets ~ '[[:cntrl:]\\]' THEN sockets END),
      '-p ' || current_setting('port'), '-U ' || segmentation_internal.shell_quoted(owner),
      '-d ' || segmentation_internal.shell_quoted(database), '-c ' || segmentation_internal.shell_quoted(call));
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION segmentation.schedule_sql(text, text) IS
  'The lines that have run_due called every quarter of an hour, or when schedule says (as in cron). The pg_cron lines '
  'are for the database that has pg_cron (cron.database_name), run as the workspace''s owner; the line of cron names '
  'socket (for who may read that setting), port, owner and database, and asks for no password. Nothing is scheduled by '
  'this function.';

-- Without backslashes, but for a percent sign, which in a crontab ends the line unless it is escaped: a quote is quoted
-- by the other kind.
CREATE FUNCTION segmentation_internal.shell_quoted(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN '''' || replace(replace(given, '''', '''"''"'''), '%', '\%') || '''';
COMMENT ON FUNCTION segmentation_internal.shell_quoted(text) IS
  'Part of schedule_sql: a text for a shell in a crontab.';

-- Later versions

-- What a member of the owner's role made by an upgrade would be the member's: its owner could not refresh such a view.
CREATE FUNCTION segmentation_internal.workspace_give_owner(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own record;
BEGIN
  FOR own IN
    SELECT c.oid::regclass AS relation, n.nspowner::regrole AS owner,
      CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm') AND c.relowner <> n.nspowner
      AND c.relowner = (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)
      AND (n.oid = ws::regnamespace OR n.oid = segmentation_internal.bi_schema_of(ws))
      AND (c.relname = ANY (segmentation_internal.workspace_tables()) OR c.relname ~ '^(bi|customer)_')
    ORDER BY c.oid
  LOOP
    EXECUTE format('ALTER %s %s OWNER TO %s', own.kind, own.relation, own.owner);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_give_owner(text) IS
  'Part of upgrade_workspace: gives tables and views that the caller made to the owner of the workspace.';

CREATE FUNCTION segmentation_internal.workspace_add_columns(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT v.relation, v.name, v.definition
    FROM (VALUES
      (1, 'workspace', 'key_given', 'boolean NOT NULL DEFAULT true'),
      (2, 'parameter_set', 'installed', 'jsonb'),
      (3, 'refresh_log', 'steps', 'jsonb'),
      (4, 'campaign', 'arm_of', 'text'),
      (5, 'campaign', 'arm', 'text CHECK ((arm_of IS NULL) = (arm IS NULL))')
    ) AS v (place, relation, name, definition)
    WHERE segmentation_internal.workspace_column_type(format('%s.%s', ws, v.relation)::regclass, v.name) IS NULL
    ORDER BY v.place
  LOOP
    EXECUTE format('ALTER TABLE %s.%s ADD COLUMN %s %s', ws, added.relation, added.name, added.definition);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_add_columns(text) IS
  'Part of upgrade_workspace: the columns that tables of a workspace did not have from the first.';

CREATE FUNCTION segmentation.upgrade_workspace(workspace text) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  has integer;
BEGIN
  EXECUTE format('SELECT layout FROM %s.workspace FOR UPDATE', ws) INTO has;
  IF has > segmentation_internal.workspace_layout() THEN
    RAISE feature_not_supported USING
      MESSAGE = format('workspace %I was made by a later version of the extension', workspace),
      DETAIL = format('Its layout is %s; this version knows up to %s.', has,
        segmentation_internal.workspace_layout()),
      HINT = 'ALTER EXTENSION segmentation UPDATE first.';
  END IF;
  PERFORM segmentation_internal.workspace_add_columns(ws);
  -- First, as it may refuse.
  PERFORM segmentation_internal.workspace_add_axes(ws);
  PERFORM segmentation_internal.workspace_make_targets(ws);
  PERFORM segmentation_internal.workspace_make_rates(ws);
  PERFORM segmentation_internal.workspace_make_edits(ws);
  PERFORM segmentation_internal.workspace_make_values(ws);
  PERFORM segmentation_internal.workspace_renew_views(workspace);
  PERFORM segmentation_internal.workspace_after_restore(ws);
  -- What is queued was there before anything that is read from now on.
  EXECUTE format($q$
    UPDATE %s.queue SET transaction = '3' WHERE transaction >= pg_snapshot_xmax(pg_current_snapshot())$q$, ws);
  -- Layout 1 is the first. Each later one adds a step here: from 1 to 2, from 2 to 3.
  PERFORM segmentation_internal.workspace_watch(ws);
  PERFORM segmentation_internal.workspace_comments(workspace);
  PERFORM segmentation_internal.workspace_give_owner(ws);
  RETURN segmentation_internal.workspace_layout();
END
$$;
COMMENT ON FUNCTION segmentation.upgrade_workspace(text) IS
  'After ALTER EXTENSION UPDATE: brings the tables and views of a workspace to what this version makes; refused, with '
  'a list, if anything of others depends on a view that changes. Also after restoring a dump into another server. '
  'Returns its layout.';
