-- Permanent update: changes of the sources are captured into a queue, and refresh_changed brings facts and codes up
-- to date at a cost in proportion to them. Time moves customers too: on the day that next_change_at holds.

-- Capture by triggers

-- The relations that a source's triggers belong on: the table, and its partitions at every level, since a statement on
-- a partition fires only the triggers of that partition.
CREATE FUNCTION workspace_members(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, segmentation, pg_temp
BEGIN ATOMIC
  SELECT relation
  UNION
  SELECT t.relid FROM pg_partition_tree(relation) AS t JOIN pg_class AS c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p');
END;
COMMENT ON FUNCTION workspace_members(regclass) IS 'Part of start_capture: a table with its partitions at every level.';

-- The name of what belongs to a source: two workspaces can capture one table.
CREATE FUNCTION workspace_trigger_name(ws text, source integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, segmentation, pg_temp
  RETURN format('segmentation_%s_%s', left(md5(ws), 12), source);
COMMENT ON FUNCTION workspace_trigger_name(text, integer) IS 'Part of start_capture: the name of a source''s triggers, but for the event.';

CREATE FUNCTION workspace_add_triggers(ws text, source integer, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  name text := workspace_trigger_name(ws, source);
  event record;
BEGIN
  FOR event IN
    SELECT * FROM (VALUES ('insert', 'REFERENCING NEW TABLE AS new_rows'), ('update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
                          ('delete', 'REFERENCING OLD TABLE AS old_rows'), ('truncate', '')) AS v (event, tables)
  LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s.capture_%s()',
      name || '_' || event.event, event.event, relation, event.tables, ws, source);
  END LOOP;
  EXECUTE format('INSERT INTO %s.capture (source, relation) VALUES ($1, $2)', ws) USING source, relation;
END
$$;
COMMENT ON FUNCTION workspace_add_triggers(text, integer, regclass) IS 'Part of start_capture: the triggers of one table.';

CREATE FUNCTION workspace_drop_triggers(ws text, source integer, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  name text := workspace_trigger_name(ws, source);
  held record;
BEGIN
  -- On the table of another they stay, and note more than is needed.
  FOR held IN SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
              WHERE t.tgrelid = relation AND t.tgname LIKE replace(name, '_', '\_') || '\_%' AND pg_has_role(c.relowner, 'USAGE') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', held.tgname, relation);
  END LOOP;
  EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1 AND c.relation = $2', ws) USING source, relation;
END
$$;
COMMENT ON FUNCTION workspace_drop_triggers(text, integer, regclass) IS 'Part of refresh_changed: takes the triggers off a partition that was detached.';

-- The trigger function of one source. It writes the queue, to which those who write the source have no right: so it
-- runs with the rights of the workspace's owner. Nothing that a writer can name gets into its SQL, and no code of others
-- runs in it: a type that is not PostgreSQL's own is read by its output function, as its owner may give it any cast, and a
-- column whose type was changed, or that is gone, is not looked at. Whatever happens to it, writing goes on.
CREATE FUNCTION workspace_make_capture(ws text, source integer, customer name, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  key regtype;
  given regtype;
  owner name;
  body text;
  value text;
BEGIN
  EXECUTE format('SELECT key_type::regtype FROM %s.workspace', ws) INTO key;
  SELECT r.rolname INTO owner FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE quote_ident(n.nspname) = ws;
  SELECT a.atttypid INTO given FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = customer AND a.attnum > 0 AND NOT a.attisdropped;
  IF given IS NULL OR NOT workspace_type_fits('key', workspace_base_type(given), key) THEN
    RAISE datatype_mismatch USING MESSAGE = format('column "%s" of %s cannot be a key of type %s', customer, relation, key),
      HINT = 'Call add_source again with a new mapping, or remove_source.';
  END IF;
  value := workspace_key_sql(format('r.%I', customer), given, key);
  body := format($body$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO %1$s.queue (customer) SELECT DISTINCT %2$s FROM new_rows AS r WHERE r.%3$I IS NOT NULL;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO %1$s.queue (customer) SELECT DISTINCT %2$s FROM old_rows AS r WHERE r.%3$I IS NOT NULL;
      ELSE
        INSERT INTO %1$s.queue (customer)
        SELECT %2$s FROM new_rows AS r WHERE r.%3$I IS NOT NULL
        UNION SELECT %2$s FROM old_rows AS r WHERE r.%3$I IS NOT NULL;
      END IF;$body$, ws, value, customer);
  -- What is no key is the refresh's to say.
  IF workspace_key_narrows(given, key) THEN
    body := concat(body, format($body$
    EXCEPTION WHEN data_exception THEN
      INSERT INTO %s.queue (customer) VALUES (NULL);$body$, ws));
  END IF;
  body := format($body$
    BEGIN
      IF TG_OP = 'TRUNCATE' OR NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = TG_RELID AND a.attname = %2$L AND NOT a.attisdropped AND a.atttypid = pg_catalog.to_regtype(%3$L)) THEN
        INSERT INTO %1$s.queue (customer) VALUES (NULL);
        RETURN NULL;
      END IF;%4$s
      END;
      RETURN NULL;
    END
    $body$, ws, customer, format('%s', given), body);
  -- As a literal: a name that has dollars in it cannot end it.
  EXECUTE format('CREATE FUNCTION %s.capture_%s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L', ws, source, body);
  EXECUTE format('REVOKE ALL ON FUNCTION %s.capture_%s() FROM PUBLIC', ws, source);
  EXECUTE format('ALTER FUNCTION %s.capture_%s() OWNER TO %I', ws, source, owner);
  EXECUTE format('COMMENT ON FUNCTION %s.capture_%s() IS %L', ws, source, format('trigger of %s: notes whose rows change', relation));
END
$$;
COMMENT ON FUNCTION workspace_make_capture(text, integer, name, regclass) IS 'Part of start_capture: the trigger function of a source.';

CREATE FUNCTION start_capture(
  workspace text, kind text, relation regclass, watermark_column name DEFAULT NULL, overlap interval DEFAULT '1 hour'
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  held record;
  member regclass;
  type regtype;
BEGIN
  EXECUTE format('SELECT * FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws) INTO held USING kind, relation;
  IF held.source IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace),
      HINT = 'Call add_source first.';
  END IF;
  IF NOT held.mapping ? 'customer' THEN
    RAISE wrong_object_type USING MESSAGE = format('changes of %s belong to no customer', kind),
      DETAIL = 'They are read by each full refresh.';
  END IF;
  PERFORM stop_capture(workspace, kind, relation);
  IF watermark_column IS NULL THEN
    IF (SELECT c.relkind NOT IN ('r', 'p') FROM pg_class AS c WHERE c.oid = relation) THEN
      RAISE wrong_object_type USING MESSAGE = format('%s cannot have triggers that see changed rows', relation),
        DETAIL = 'Views, materialized views and foreign tables have none.',
        HINT = 'Name a column that grows with every change: start_capture(workspace, kind, relation, watermark_column => ''updated_at'').';
    END IF;
    PERFORM workspace_make_capture(ws, held.source, held.mapping ->> 'customer', relation);
    FOR member IN SELECT m FROM workspace_members(relation) AS m ORDER BY m::text LOOP
      PERFORM workspace_add_triggers(ws, held.source, member);
    END LOOP;
    EXECUTE format('UPDATE %s.source AS s SET capture = ''trigger'' WHERE s.source = $1', ws) USING held.source;
  ELSE
    SELECT a.atttypid INTO type FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = watermark_column AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
      RAISE undefined_column USING MESSAGE = format('%s has no column "%s"', relation, watermark_column);
    END IF;
    IF NOT type = ANY ('{date,timestamp,timestamptz}'::regtype[]) THEN
      RAISE datatype_mismatch USING MESSAGE = format('column "%s" cannot be a watermark: its type is %s', watermark_column, type),
        HINT = 'Use the date, timestamp or timestamptz of the last change of a row.';
    END IF;
    IF overlap IS NULL OR overlap < interval '0' THEN
      RAISE invalid_parameter_value USING MESSAGE = 'overlap must be an interval of 0 or more';
    END IF;
    EXECUTE format('UPDATE %s.source AS s SET capture = ''watermark'', watermark_column = $2, watermark = NULL, overlap = $3 WHERE s.source = $1', ws)
      USING held.source, watermark_column, overlap;
  END IF;
  -- What came between the last refresh and now was not seen: all are read once more.
  EXECUTE format('INSERT INTO %s.queue (customer) SELECT NULL WHERE EXISTS (SELECT FROM %1$s.customer_facts)', ws);
END
$$;
COMMENT ON FUNCTION start_capture(text, text, regclass, name, interval) IS
  'Begins to notice changes of a source for refresh_changed: by statement triggers, or by a watermark, a column that grows with every change; rows up to overlap older than the greatest seen are looked at again. See capture_status for what each cannot see.';

CREATE FUNCTION stop_capture(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  source integer;
BEGIN
  EXECUTE format('SELECT s.source FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws) INTO source USING kind, relation;
  IF source IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace);
  END IF;
  EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1', ws) USING source;
  -- With its triggers, on whatever table they are: to make one needs the right TRIGGER, to drop one alone the table.
  IF to_regprocedure(format('%s.capture_%s()', ws, source)) IS NOT NULL THEN
    EXECUTE format('DROP FUNCTION %s.capture_%s() CASCADE', ws, source);
  END IF;
  EXECUTE format('UPDATE %s.source AS s SET capture = ''none'', watermark_column = NULL, watermark = NULL, overlap = NULL WHERE s.source = $1', ws) USING source;
END
$$;
COMMENT ON FUNCTION stop_capture(text, text, regclass) IS 'Ends what start_capture began: takes the triggers off the table and its partitions.';

CREATE FUNCTION capture_status(workspace text)
RETURNS TABLE (kind text, relation regclass, capture text, watermark text, misses text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT s.kind, s.relation, s.capture, s.watermark, CASE
      WHEN s.capture = 'none' THEN 'everything: changes are read by a full refresh only'
      WHEN s.capture = 'watermark' THEN 'deleted rows, rows whose ' || s.watermark_column || ' did not grow, and commits later than ' || s.overlap || ': a full refresh finds them'
      ELSE concat_ws('; ', 'writes with session_replication_role = replica, among them those of logical replication',
        (SELECT 'writes to the new partition ' || string_agg(m::text, ', ') || ', until refresh_changed has seen it'
         FROM segmentation.workspace_members(s.relation) AS m WHERE NOT EXISTS (SELECT FROM %1$s.capture AS c WHERE c.source = s.source AND c.relation = m)),
        (SELECT 'all writes: its triggers are gone or disabled' WHERE 4 > (SELECT count(*) FROM pg_trigger AS t
           WHERE t.tgrelid = s.relation AND t.tgenabled IN ('O', 'A') AND t.tgname LIKE replace(segmentation.workspace_trigger_name(%1$L, s.source), '_', '\_') || '\_%%')))
      END
    FROM %1$s.source AS s ORDER BY s.source$q$, ws);
END
$$;
COMMENT ON FUNCTION capture_status(text) IS 'How changes of each source are noticed, and what that cannot see.';

-- The queue

-- What a full refresh has read need not be read again. Kept by the snapshot in which it read.
CREATE FUNCTION workspace_forget_queue(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
BEGIN
  EXECUTE format('DELETE FROM %1$s.queue AS q USING %1$s.%2$I AS s WHERE pg_visible_in_snapshot(q.transaction, s.snapshot)', ws, stage || 'snapshot');
  EXECUTE format('DROP TABLE %s.%I', ws, stage || 'snapshot');
END
$$;
COMMENT ON FUNCTION workspace_forget_queue(text, text) IS 'Part of refresh: takes out of the queue what the refresh has read.';

-- New and lost partitions, watermarks, and rows of the queue that mean everybody. Returns whether any was queued.
CREATE FUNCTION workspace_watch(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp SET datestyle = ISO SET timezone = UTC AS $$
DECLARE
  held record;
  member regclass;
  key text;
  seen text;
  everybody boolean;
  kind text;
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  -- One worker at a time looks.
  FOR held IN EXECUTE format('SELECT s.* FROM %s.source AS s WHERE s.capture <> ''none'' ORDER BY s.source FOR UPDATE SKIP LOCKED', ws) LOOP
    IF held.capture = 'trigger' THEN
      everybody := false;
      FOR member IN EXECUTE format('SELECT m FROM segmentation.workspace_members($1) AS m WHERE NOT EXISTS (SELECT FROM %s.capture AS c WHERE c.source = $2 AND c.relation = m)', ws)
        USING held.relation, held.source
      LOOP
        everybody := true;
        PERFORM workspace_add_triggers(ws, held.source, member);
      END LOOP;
      FOR member IN EXECUTE format('SELECT c.relation FROM %s.capture AS c WHERE c.source = $2 AND NOT c.relation IN (SELECT m FROM segmentation.workspace_members($1) AS m)', ws)
        USING held.relation, held.source
      LOOP
        everybody := true;
        IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = member) THEN
          PERFORM workspace_drop_triggers(ws, held.source, member);
        ELSE
          EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1 AND c.relation = $2', ws) USING held.source, member;
        END IF;
      END LOOP;
      IF everybody THEN
        EXECUTE format('INSERT INTO %s.queue (customer) VALUES (NULL)', ws);
      END IF;
    ELSE
      -- The greatest value first: what comes after it is seen the next time.
      EXECUTE format('SELECT max(r.%I)::text FROM %s AS r', held.watermark_column, held.relation) INTO seen;
      IF held.watermark IS NULL THEN
        EXECUTE format('INSERT INTO %s.queue (customer) SELECT NULL WHERE EXISTS (SELECT FROM %1$s.customer_facts)', ws);
      ELSE
        EXECUTE format('INSERT INTO %1$s.queue (customer) SELECT DISTINCT %3$s FROM %4$s AS r WHERE r.%2$I IS NOT NULL AND r.%5$I >= $1::%6$s - $2', ws,
          held.mapping ->> 'customer', workspace_customer_sql('r', held.relation, held.mapping ->> 'customer', key::regtype), held.relation, held.watermark_column,
          (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a WHERE a.attrelid = held.relation AND a.attname = held.watermark_column))
          USING held.watermark, held.overlap;
      END IF;
      EXECUTE format('UPDATE %s.source AS s SET watermark = coalesce($2, s.watermark) WHERE s.source = $1', ws) USING held.source, seen;
    END IF;
  END LOOP;
  EXECUTE format('WITH d AS (DELETE FROM %s.queue AS q WHERE q.customer IS NULL RETURNING 1) SELECT EXISTS (SELECT FROM d)', ws) INTO everybody;
  IF everybody THEN
    EXECUTE format('INSERT INTO %1$s.queue (customer) SELECT f.customer FROM %1$s.customer_facts AS f%2$s', ws,
      (SELECT coalesce(string_agg(format(' UNION SELECT r.customer FROM %s AS r', rows.sql), ''), '')
       FROM (SELECT DISTINCT f.kind FROM workspace_field AS f WHERE f.field = 'customer') AS k
       CROSS JOIN LATERAL (SELECT workspace_rows_sql(ws, k.kind) AS sql) AS rows WHERE rows.sql IS NOT NULL));
  END IF;
END
$$;
COMMENT ON FUNCTION workspace_watch(text) IS 'Part of refresh_changed: new and lost partitions, watermarks, and rows of the queue that mean everybody.';

CREATE FUNCTION workspace_part_lock(ws text, shard integer) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, segmentation, pg_temp
  RETURN workspace_lock(ws) + ((shard::bigint + 1) << 32);
COMMENT ON FUNCTION workspace_part_lock(text, integer) IS 'Part of refresh_changed: the key of the advisory lock of a part of the queue.';

-- One batch of the queue, in the caller's transaction: these customers are read again and scored at the
-- published day. Returns how many there were; NULL if there are no more changes up to a number.
CREATE FUNCTION workspace_batch(ws text, size integer, most bigint, OUT customers bigint, OUT moved bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
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
    IF pg_try_advisory_xact_lock(workspace_part_lock(ws, part)) THEN
      parts := parts || part;
      EXIT WHEN NOT few;
    END IF;
  END LOOP;
  IF parts = '{}' THEN
    -- Others are at all of them, and may have begun before the last changes: what is left is ours.
    PERFORM pg_advisory_xact_lock(workspace_part_lock(ws, waiting[1]));
    parts := waiting[1:1];
  END IF;
  -- Whoever moves the day waits for the batches under way, and these for it.
  EXECUTE format('SELECT as_of, parameter_set FROM %s.workspace FOR SHARE', ws) INTO held;
  EXECUTE format('CREATE UNLOGGED TABLE %s AS SELECT customer FROM %s.customer_facts WITH NO DATA', keys, ws);
  -- Out of the queue first, then the facts are read: what is committed in between is queued again.
  EXECUTE format('WITH k AS (SELECT DISTINCT q.customer FROM %1$s.queue AS q WHERE q.shard = ANY ($1) AND q.change <= $2 LIMIT $3),
      d AS (DELETE FROM %1$s.queue AS q USING k WHERE q.shard = ANY ($1) AND q.customer = k.customer RETURNING q.customer)
    INSERT INTO %2$s (customer) SELECT DISTINCT d.customer FROM d', ws, keys) USING parts, most, size;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (customer)', keys);
    EXECUTE format('ANALYZE %s', keys);
    PERFORM workspace_stage_facts(ws, stage, keys);
    PERFORM workspace_stage_scores(ws, stage, held.parameter_set, held.as_of);
    moved := workspace_publish(ws, stage, held.parameter_set, held.as_of, true);
  END IF;
  EXECUTE format('DROP TABLE %s', keys);
END
$$;
COMMENT ON FUNCTION workspace_batch(text, integer, bigint) IS 'Part of refresh_changed: reads and scores one batch of changed customers.';

-- Time: all whose next change has come are scored at the new day from their stored facts, and the day moves, in one
-- transaction. So are all customers if what scores them is not what was published.
CREATE FUNCTION workspace_move(ws text, day date, OUT customers bigint, OUT moved bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
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
    definitions := workspace_definitions(ws);
    everybody := number <> held.parameter_set OR definitions IS DISTINCT FROM held.definitions;
    IF NOT everybody AND day <= held.as_of THEN
      RETURN;
    END IF;
  END LOOP;
  IF everybody THEN
    PERFORM workspace_define(ws, number);
  END IF;
  -- Another worker may have come further.
  day := greatest(day, held.as_of);
  -- Who is in the queue is scored at the new day with the facts that are read then: not twice.
  EXECUTE format('CREATE UNLOGGED TABLE %1$skeys AS SELECT s.customer FROM %2$s.customer_segments AS s
                  WHERE ($1 OR s.next_change_at <= $2) AND NOT EXISTS (SELECT FROM %2$s.queue AS q WHERE q.customer = s.customer)', at, ws) USING everybody, day;
  GET DIAGNOSTICS customers = ROW_COUNT;
  IF customers > 0 THEN
    EXECUTE format('ALTER TABLE %skeys ADD PRIMARY KEY (customer)', at);
    EXECUTE format('CREATE UNLOGGED TABLE %1$sfacts AS SELECT f.* FROM %2$s.customer_facts AS f WHERE f.customer IN (SELECT k.customer FROM %1$skeys AS k)', at, ws);
    EXECUTE format('ALTER TABLE %sfacts ADD PRIMARY KEY (customer)', at);
    EXECUTE format('ANALYZE %1$skeys, %1$sfacts', at);
    PERFORM workspace_stage_scores(ws, stage, number, day);
    moved := workspace_publish(ws, stage, number, day, true);
  END IF;
  EXECUTE format('DROP TABLE %skeys', at);
  EXECUTE format('UPDATE %s.workspace SET as_of = $1, parameter_set = $2, definitions = $3, refreshed_at = now()', ws) USING day, number, definitions;
END
$$;
COMMENT ON FUNCTION workspace_move(text, date) IS 'Part of refresh_changed: moves the published day, and whoever time moves.';

CREATE PROCEDURE refresh_changed(workspace text, as_of date DEFAULT NULL, batch integer DEFAULT 10000)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws text;
  day date;
  lock bigint;
  most bigint;
  began timestamptz := pg_catalog.clock_timestamp();
  step text := 'watch';
  said record;
  changed bigint := 0;
  changed_moved bigint := 0;
  timed bigint := 0;
  timed_moved bigint := 0;
  state text; message text; detail text; hint text;
BEGIN
  ws := segmentation.workspace_owned(workspace);
  day := segmentation.workspace_day(ws, as_of);
  IF batch IS NULL OR batch OPERATOR(pg_catalog.<) 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
  END IF;
  EXECUTE pg_catalog.format('SELECT w.as_of IS NULL AS never FROM %s.workspace AS w', ws) INTO said;
  IF said.never THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = pg_catalog.format('workspace %I has no result yet', workspace),
      HINT = pg_catalog.format('CALL segmentation.refresh(%L) first.', workspace);
  END IF;
  -- In a transaction block this fails, before the lock is taken: a lock of the session would outlive the block.
  COMMIT;
  lock := segmentation.workspace_lock(ws);
  IF NOT pg_catalog.pg_try_advisory_lock_shared(lock) THEN
    RAISE lock_not_available USING
      MESSAGE = pg_catalog.format('workspace %I is being refreshed by another session', workspace),
      HINT = 'What is in the queue stays there; call again later.';
  END IF;
  LOOP
    state := NULL;
    BEGIN
      IF step OPERATOR(pg_catalog.=) 'watch' THEN
        PERFORM segmentation.workspace_after_restore(ws);
        PERFORM segmentation.workspace_watch(ws);
        EXECUTE pg_catalog.format('SELECT coalesce(pg_catalog.max(q.change), 0) FROM %s.queue AS q', ws) INTO most;
        step := 'time';
      ELSIF step OPERATOR(pg_catalog.=) 'time' THEN
        SELECT * INTO said FROM segmentation.workspace_move(ws, day);
        timed := coalesce(said.customers, 0);
        timed_moved := coalesce(said.moved, 0);
        step := 'changed';
      ELSIF step OPERATOR(pg_catalog.=) 'changed' THEN
        SELECT * INTO said FROM segmentation.workspace_batch(ws, batch, most);
        changed := changed OPERATOR(pg_catalog.+) coalesce(said.customers, 0);
        changed_moved := changed_moved OPERATOR(pg_catalog.+) coalesce(said.moved, 0);
        IF said.customers IS NULL THEN
          EXECUTE pg_catalog.format('WITH n AS (SELECT pg_catalog.nextval(%L)::integer AS n)
            INSERT INTO %s.refresh_log (refresh, place, phase, status, as_of, began_at, ended_at, rows, detail)
            SELECT n.n, v.place, v.phase, ''done'', $1, $2, pg_catalog.clock_timestamp(), v.rows, pg_catalog.concat(v.moved, '' codes changed'')
            FROM n CROSS JOIN (VALUES (1, ''time'', $3, $4), (2, ''changed'', $5, $6)) AS v (place, phase, rows, moved) WHERE v.rows OPERATOR(pg_catalog.>) 0', pg_catalog.concat(ws, '.refresh_number'), ws)
            USING day, began, timed, timed_moved, changed, changed_moved;
          step := 'done';
        END IF;
      END IF;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    END;
    IF state IS NOT NULL THEN
      PERFORM pg_catalog.pg_advisory_unlock_shared(lock);
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message,
        DETAIL = pg_catalog.concat_ws(E'\n', CASE WHEN detail OPERATOR(pg_catalog.<>) '' THEN detail END, 'What was not done stays in the queue.'), HINT = hint;
    END IF;
    COMMIT;
    EXIT WHEN step OPERATOR(pg_catalog.=) 'done';
  END LOOP;
  PERFORM pg_catalog.pg_advisory_unlock_shared(lock);
  RAISE NOTICE '% customers by time (% codes changed), % by changes (% codes changed)', timed, timed_moved, changed, changed_moved;
END
$$;
COMMENT ON PROCEDURE refresh_changed(text, date, integer) IS
  'Brings the published result up to date: customers whose day has come are scored at as_of (default: today) from their stored facts; those in the queue are read again, in batches that are committed. Several sessions may call it at once. Same facts and codes as refresh(workspace, as_of, false), for every change that the sources'' capture can see.';

-- What is due

CREATE FUNCTION workspace_due(workspace text, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
  held record;
  day date;
  uncaptured boolean;
BEGIN
  EXECUTE format('SELECT w.as_of, w.time_zone FROM %s.workspace AS w', ws) INTO held;
  day := coalesce(as_of, greatest((now() AT TIME ZONE held.time_zone)::date, held.as_of));
  EXECUTE format('SELECT EXISTS (SELECT FROM %s.source AS s WHERE s.capture = ''none'')', ws) INTO uncaptured;
  RETURN CASE WHEN held.as_of IS NULL OR workspace_retrains(ws, day, NULL) THEN 'retrain'
    WHEN uncaptured AND held.as_of < day THEN 'refresh' ELSE 'changed' END;
END
$$;
COMMENT ON FUNCTION workspace_due(text, date) IS
  'What run_due would do: retrain (a full refresh with a training: the first, or the last is too long ago), refresh (a new day, and a source without capture), changed.';

CREATE PROCEDURE run_due(workspace text, as_of date DEFAULT NULL)
  LANGUAGE plpgsql AS $$
DECLARE
  due text;
  day date;
BEGIN
  EXECUTE pg_catalog.format('SELECT coalesce($1, greatest((pg_catalog.now() AT TIME ZONE w.time_zone)::date, w.as_of)) FROM %s.workspace AS w',
    segmentation.workspace_owned(workspace)) INTO day USING as_of;
  due := segmentation.workspace_due(workspace, day);
  IF due = 'changed' THEN
    CALL segmentation.refresh_changed(workspace, day);
  ELSE
    CALL segmentation.refresh(workspace, day, due = 'retrain');
  END IF;
  COMMIT;
  CALL segmentation.refresh_views(workspace);
END
$$;
COMMENT ON PROCEDURE run_due(text, date) IS 'Does whatever is due: a full refresh with training, one without, or the changes; then the views for BI. For a scheduler to call every few minutes.';

CREATE FUNCTION schedule_sql(workspace text, schedule text DEFAULT '*/15 * * * *') RETURNS TABLE (scheduler text, line text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  call text;
BEGIN
  PERFORM workspace_schema(workspace);
  call := format('CALL segmentation.run_due(%L)', workspace);
  scheduler := 'pg_cron';
  line := format('SELECT cron.schedule_in_database(%L, %L, %L, %L);', 'segmentation ' || workspace, schedule, call, current_database());
  RETURN NEXT;
  scheduler := 'pg_cron, to end it';
  line := format('SELECT cron.unschedule(%L);', 'segmentation ' || workspace);
  RETURN NEXT;
  scheduler := 'cron';
  line := format('%s psql -X -v ON_ERROR_STOP=1 -d %s -c %s', schedule, shell_quoted(current_database()::text), shell_quoted(call));
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION schedule_sql(text, text) IS
  'The lines that have run_due called every quarter of an hour, or when schedule says (as in cron). The pg_cron lines are for the database that has pg_cron (cron.database_name), run as the workspace''s owner. Nothing is scheduled by this function.';

CREATE FUNCTION shell_quoted(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, segmentation, pg_temp
  -- In a crontab a percent sign ends the line unless it is escaped.
  RETURN '''' || replace(replace(given, '''', '''\'''''), '%', '\%') || '''';
COMMENT ON FUNCTION shell_quoted(text) IS 'Part of schedule_sql: a text for a shell in a crontab.';

-- Events, for a campaign tool to read

-- A dump brings numbers of transactions of another server, perhaps ahead of this one's: they would never end, and what
-- comes next would sort before them. Found by the newest events; numbered anew, all before what runs here. Transactions
-- get one number as long as their events are in the order of their own numbers: so the order in which they are read, and
-- where each reader stands in it, stay as they are with the least numbers.
CREATE FUNCTION workspace_after_restore(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  strange boolean;
BEGIN
  EXECUTE format($q$
    SELECT coalesce(bool_or(t.transaction >= pg_snapshot_xmax(pg_current_snapshot()) AND t.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0')), false)
    FROM ((SELECT e.transaction FROM %1$s.events AS e ORDER BY e.event DESC LIMIT 1000) UNION ALL SELECT r.transaction FROM %1$s.event_reader AS r) AS t$q$, ws) INTO strange;
  IF strange THEN
    EXECUTE format($q$
      WITH t AS (
        SELECT t.transaction, min(t.event) AS first, max(t.event) AS last
        FROM (SELECT e.transaction, e.event FROM %1$s.events AS e UNION ALL SELECT r.transaction, r.event FROM %1$s.event_reader AS r) AS t GROUP BY t.transaction),
      b AS (
        SELECT t.transaction, coalesce(t.first <= max(t.last) OVER (ORDER BY t.transaction ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS begins FROM t),
      n AS MATERIALIZED (
        SELECT b.transaction, least(3 + count(*) FILTER (WHERE b.begins) OVER (ORDER BY b.transaction), pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text::xid8 AS number FROM b),
      e AS (
        UPDATE %1$s.events AS e SET transaction = n.number FROM n WHERE n.transaction = e.transaction AND n.number <> e.transaction)
      UPDATE %1$s.event_reader AS r SET transaction = n.number FROM n WHERE n.transaction = r.transaction AND n.number <> r.transaction$q$, ws);
  END IF;
END
$$;
COMMENT ON FUNCTION workspace_after_restore(text) IS 'Part of refresh: numbers the transactions of events anew after a dump was restored.';

CREATE FUNCTION read_events(workspace text, reader text, most integer DEFAULT 1000)
RETURNS TABLE (event bigint, happened_at timestamptz, as_of date, customer text, kind text, axis text, code text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
BEGIN
  -- Numbers are given before the commit: an event of a transaction still running would be passed over for ever. So
  -- events come in the order of their transactions, and only when no earlier one can still come.
  RETURN QUERY EXECUTE format($q$
    SELECT e.event, e.happened_at, e.as_of, e.customer::text, e.kind, e.axis, e.code
    FROM %1$s.events AS e
    -- What is seen of a transaction that has not begun here came by a dump.
    WHERE (e.transaction < pg_snapshot_xmin(pg_current_snapshot()) OR e.transaction >= pg_snapshot_xmax(pg_current_snapshot()))
      AND (e.transaction, e.event) > (coalesce((SELECT r.transaction FROM %1$s.event_reader AS r WHERE r.reader = $1), '0'::xid8),
                                      coalesce((SELECT r.event FROM %1$s.event_reader AS r WHERE r.reader = $1), 0))
    ORDER BY e.transaction, e.event LIMIT $2$q$, ws) USING reader, most;
END
$$;
COMMENT ON FUNCTION read_events(text, text, integer) IS
  'The next events for a reader, the oldest first: the same again until confirm_events is called, so that each is read at least once. An event comes when all transactions that began before it have ended.';

CREATE FUNCTION confirm_events(workspace text, reader text, event bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
  moved bigint;
BEGIN
  IF reader IS NULL OR event IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'reader and event must not be null';
  END IF;
  EXECUTE format($q$
    INSERT INTO %1$s.event_reader AS r (reader, transaction, event) SELECT $1, e.transaction, e.event FROM %1$s.events AS e WHERE e.event = $2
    ON CONFLICT (reader) DO UPDATE SET transaction = excluded.transaction, event = excluded.event, confirmed_at = clock_timestamp()
    WHERE (excluded.transaction, excluded.event) > (r.transaction, r.event)$q$, ws) USING reader, event;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved = 0 THEN
    EXECUTE format('SELECT count(*) FROM %s.events AS e WHERE e.event = $1', ws) INTO moved USING event;
    IF moved = 0 THEN
      RAISE undefined_object USING MESSAGE = format('workspace %I has no event %s', workspace, event);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION confirm_events(text, text, bigint) IS 'Notes that a reader has dealt with all events up to this one, in the order of read_events.';

-- Campaigns with a hold-out group

CREATE FUNCTION assign_campaign(workspace text, campaign text, eligible text, share double precision DEFAULT 0.1, segment_axis text DEFAULT NULL,
  salt text DEFAULT NULL, about text DEFAULT NULL) RETURNS TABLE (assigned boolean, customers bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  drawn text := coalesce(salt, campaign);
BEGIN
  IF campaign IS NULL OR eligible IS NULL OR share IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'campaign, eligible and share must not be null';
  END IF;
  IF segment_axis IS NOT NULL AND NOT segment_axis = ANY (workspace_axes()) THEN
    RAISE invalid_parameter_value USING MESSAGE = format('unknown axis "%s"', segment_axis), HINT = format('Axes: %s.', array_to_string(workspace_axes(), ', '));
  END IF;
  EXECUTE format('INSERT INTO %1$s.campaign (campaign, salt, share, as_of, about) SELECT $1, $2, $3, w.as_of, $4 FROM %1$s.workspace AS w', ws)
    USING campaign, drawn, share, about;
  EXECUTE format('INSERT INTO %1$s.campaign_customer (campaign, customer, assigned, segment)
    SELECT $1, e.customer, NOT segmentation.holdout(e.customer::text, $2, $3), %2$s
    FROM (SELECT DISTINCT q.customer FROM (%3$s) AS q (customer) WHERE q.customer IS NOT NULL) AS e
    LEFT JOIN %1$s.customer_segments AS s ON s.customer = e.customer', ws,
    CASE WHEN segment_axis IS NULL THEN 'NULL' ELSE format('s.%I', segment_axis) END, eligible)
    USING campaign, drawn, share;
  RETURN QUERY EXECUTE format('SELECT c.assigned, count(*) FROM %s.campaign_customer AS c WHERE c.campaign = $1 GROUP BY c.assigned ORDER BY c.assigned DESC', ws) USING campaign;
END
$$;
COMMENT ON FUNCTION assign_campaign(text, text, text, double precision, text, text, text) IS
  'Writes down who is eligible for a campaign (a query with one column, run with your rights) and holds a share of them out by holdout(customer, salt, share); salt is the campaign''s name unless given. segment_axis: keep that axis'' code, for the uplift by segment.';

CREATE FUNCTION campaign_uplift(workspace text, campaign text, until date, by_segment boolean DEFAULT false, options jsonb DEFAULT '{}')
RETURNS TABLE (segment text, bought uplift, turnover uplift)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
  held record;
BEGIN
  EXECUTE format('SELECT c.as_of, (c.assigned_at AT TIME ZONE w.time_zone)::date AS assigned_on FROM %1$s.campaign AS c CROSS JOIN %1$s.workspace AS w WHERE c.campaign = $1', ws)
    INTO held USING campaign;
  IF held.assigned_on IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('workspace %I has no campaign %s', workspace, coalesce(campaign, 'null'));
  END IF;
  RETURN QUERY EXECUTE format($q$
    SELECT o.segment, segmentation.uplift(o.assigned, o.purchases > 0, $4), segmentation.uplift(o.assigned, o.turnover::double precision, $4)
    FROM (SELECT CASE WHEN $5 THEN c.segment END AS segment, c.assigned,
            coalesce(segmentation.frequency(f.history, $3) - segmentation.frequency(f.history, $2), 0) AS purchases,
            coalesce(segmentation.turnover(f.history, $2, $3), 0) AS turnover
          FROM %1$s.campaign_customer AS c LEFT JOIN %1$s.customer_facts AS f ON f.customer = c.customer
          WHERE c.campaign = $1) AS o
    GROUP BY o.segment ORDER BY o.segment$q$, ws) USING campaign, coalesce(held.as_of, held.assigned_on), until, options, by_segment;
END
$$;
COMMENT ON FUNCTION campaign_uplift(text, text, date, boolean, jsonb) IS
  'What a campaign brought up to a day after its assignment, in buyers and in turnover: those assigned against those held out, among those eligible, from the facts of the workspace; by_segment: by the code at assignment.';

-- Erasure and retention

-- Tables with a column customer: where a person is. Staged tables are of a refresh under way.
CREATE FUNCTION workspace_personal(ws text) RETURNS TABLE (relation regclass, kind "char")
  LANGUAGE sql STABLE SET search_path = pg_catalog, segmentation, pg_temp
BEGIN ATOMIC
  SELECT c.oid, c.relkind
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
  WHERE quote_ident(n.nspname) = ws AND c.relkind IN ('r', 'm') AND a.attname = 'customer' AND NOT a.attisdropped AND a.attnum > 0
    AND NOT c.relname LIKE 'stage\_%';
END;
COMMENT ON FUNCTION workspace_personal(text) IS 'Part of erase_customer: tables and materialized views of a workspace with a column customer.';

CREATE FUNCTION workspace_erase(ws text, keys text, reason text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  held record;
  gone bigint;
  rows jsonb := '{}';
  customers bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(workspace_lock(ws)) THEN
    RAISE lock_not_available USING MESSAGE = 'the workspace is being refreshed by another session',
      DETAIL = 'What it has read could bring an erased customer back.', HINT = 'Call again when it has ended.';
  END IF;
  -- What a killed refresh left may hold anybody.
  PERFORM workspace_drop_stage(ws);
  EXECUTE format('SELECT count(*) FROM %s AS k', keys) INTO customers;
  FOR held IN SELECT * FROM workspace_personal(ws) AS p WHERE p.kind = 'r' ORDER BY p.relation::text LOOP
    EXECUTE format('DELETE FROM %s AS t WHERE t.customer IN (SELECT k.customer FROM %s AS k)', held.relation, keys);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
      rows := rows || jsonb_build_object((SELECT c.relname FROM pg_class AS c WHERE c.oid = held.relation), gone);
    END IF;
  END LOOP;
  FOR held IN SELECT p.relation FROM workspace_personal(ws) AS p JOIN pg_class AS c ON c.oid = p.relation WHERE p.kind = 'm' AND c.relispopulated LOOP
    EXECUTE format('SELECT count(*) FROM %s AS t WHERE t.customer IN (SELECT k.customer FROM %s AS k)', held.relation, keys) INTO gone;
    IF gone > 0 THEN
      EXECUTE format('REFRESH MATERIALIZED VIEW %s', held.relation);
      rows := rows || jsonb_build_object((SELECT c.relname FROM pg_class AS c WHERE c.oid = held.relation), gone);
    END IF;
  END LOOP;
  EXECUTE format('INSERT INTO %s.erasure (reason, customers, rows) VALUES ($1, $2, $3)', ws) USING reason, customers, rows;
  RETURN rows;
END
$$;
COMMENT ON FUNCTION workspace_erase(text, text, text) IS 'Part of erase_customer: removes the customers of a relation from every table of a workspace.';

CREATE FUNCTION workspace_left_in_sources(ws text, keys text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  source record;
  key text;
  there boolean;
  found text[] := '{}';
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  FOR source IN EXECUTE format('SELECT s.relation, s.mapping ->> ''customer'' AS customer FROM %s.source AS s WHERE s.mapping ? ''customer''', ws) LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS s WHERE %s IN (SELECT k.customer FROM %s AS k))', source.relation,
      workspace_customer_sql('s', source.relation, source.customer, key::regtype), keys) INTO there;
    IF there AND NOT source.relation::text = ANY (found) THEN
      found := found || source.relation::text;
    END IF;
  END LOOP;
  RETURN nullif(array_to_string(found, ', '), '');
END
$$;
COMMENT ON FUNCTION workspace_left_in_sources(text, text) IS 'Part of erase_customer: the sources that still have rows of these customers.';

CREATE FUNCTION erase_customer(workspace text, customer text, reason text DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  key text;
  keys text;
  sources text;
BEGIN
  IF customer IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'customer must not be null';
  END IF;
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  keys := format('(SELECT %L::%s AS customer)', customer, key);
  sources := workspace_left_in_sources(ws, keys);
  IF sources IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('the customer still has rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.', HINT = 'Erase them there first.';
  END IF;
  RETURN workspace_erase(ws, keys, reason);
END
$$;
COMMENT ON FUNCTION erase_customer(text, text, text) IS
  'Removes a person from every table of a workspace: facts, codes, history, events, queue, campaigns, lists; materialized views that hold them are refreshed. The sources come first. What stays is a row of erasure: when, how many rows, and the reason given (name nobody in it). Returns the rows by table.';

CREATE FUNCTION retention_due(workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL)
RETURNS TABLE (customer text, relation text, last_contact date, due_on date)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_schema(workspace);
  zone text;
  day date;
  acts text[] := '{}';
  rows text;
BEGIN
  EXECUTE format('SELECT w.time_zone, coalesce($1, w.as_of, (now() AT TIME ZONE w.time_zone)::date) FROM %s.workspace AS w', ws) INTO zone, day USING as_of;
  -- What comes from the person: an answer, a visit, a call, a consent given or withdrawn. A message that was sent, or
  -- opened by a mail program, does not.
  rows := workspace_rows_sql(ws, 'contacts');
  IF rows IS NOT NULL THEN
    acts := acts || format('SELECT r.customer, (coalesce(r.responded_at, r.sent_at) AT TIME ZONE %L)::date AS day FROM %s AS r
      WHERE r.response IS NOT NULL AND NOT lower(r.response) IN ('''', ''none'', ''open'', ''opened'', ''bounce'', ''bounced'', ''delivered'', ''sent'')', zone, rows);
  END IF;
  rows := workspace_rows_sql(ws, 'interactions');
  IF rows IS NOT NULL THEN
    acts := acts || format('SELECT r.customer, (r.occurred_at AT TIME ZONE %L)::date FROM %s AS r', zone, rows);
  END IF;
  rows := workspace_rows_sql(ws, 'consents');
  IF rows IS NOT NULL THEN
    acts := acts || format('SELECT r.customer, r.changed_on FROM %s AS r', rows);
  END IF;
  rows := workspace_rows_sql(ws, 'subscriptions');
  IF rows IS NOT NULL THEN
    -- One that runs is contact every day.
    acts := acts || format('SELECT r.customer, coalesce(r.ended_on, %L::date) FROM %s AS r', day, rows);
  END IF;
  RETURN QUERY EXECUTE format($q$
    SELECT t.customer::text, t.relation, t.last_contact, (t.last_contact + CASE t.relation WHEN 'prospect' THEN $2 ELSE $3 END)::date
    FROM (SELECT f.customer, CASE WHEN segmentation.last_purchase(f.history) IS NULL THEN 'prospect' ELSE 'customer' END AS relation,
            greatest(segmentation.last_purchase(f.history), a.day) AS last_contact
          FROM %1$s.customer_facts AS f
          LEFT JOIN (SELECT r.customer, max(r.day) AS day FROM (%2$s) AS r (customer, day) WHERE r.day <= $1 GROUP BY r.customer) AS a ON a.customer = f.customer) AS t
    WHERE (t.last_contact + CASE t.relation WHEN 'prospect' THEN $2 ELSE $3 END)::date <= $1
    ORDER BY 4, 1$q$, ws, CASE WHEN acts = '{}' THEN format('SELECT f.customer, NULL::date FROM %s.customer_facts AS f WHERE false', ws) ELSE array_to_string(acts, ' UNION ALL ') END)
    USING day, prospects, customers;
END
$$;
COMMENT ON FUNCTION retention_due(text, date, interval, interval) IS
  'Whose data have been kept long enough, and are to be erased: prospects this long after the last contact from them (a click counts, an open does not), customers this long after their last purchase or contact (NULL: never). Who never gave a sign with a date is not listed. Erases nothing: it is the dry run of apply_retention.';

CREATE FUNCTION apply_retention(workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  key text;
  keys text;
  sources text;
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  keys := format('(SELECT d.customer::%s AS customer FROM segmentation.retention_due(%L, %L, %L, %L) AS d)', key, workspace, as_of, prospects, customers);
  EXECUTE format('CREATE TEMP TABLE segmentation_retention ON COMMIT DROP AS SELECT k.customer FROM %s AS k', keys);
  sources := workspace_left_in_sources(ws, 'pg_temp.segmentation_retention');
  IF sources IS NOT NULL THEN
    DROP TABLE pg_temp.segmentation_retention;
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('those whose time is up still have rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.',
      HINT = format('Erase them there first: SELECT customer FROM segmentation.retention_due(%L) lists them.', workspace);
  END IF;
  sources := workspace_erase(ws, 'pg_temp.segmentation_retention', 'retention')::text;
  DROP TABLE pg_temp.segmentation_retention;
  RETURN sources::jsonb;
END
$$;
COMMENT ON FUNCTION apply_retention(text, date, interval, interval) IS
  'Erases whom retention_due lists from the workspace; from the sources they must be gone before. Returns the rows by table.';

-- Later versions

CREATE FUNCTION upgrade_workspace(workspace text) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
DECLARE
  ws text := workspace_owned(workspace);
  has integer;
BEGIN
  EXECUTE format('SELECT layout FROM %s.workspace FOR UPDATE', ws) INTO has;
  IF has > workspace_layout() THEN
    RAISE feature_not_supported USING MESSAGE = format('workspace %I was made by a later version of the extension', workspace),
      DETAIL = format('Its layout is %s; this version knows up to %s.', has, workspace_layout()), HINT = 'ALTER EXTENSION segmentation UPDATE first.';
  END IF;
  PERFORM workspace_after_restore(ws);
  -- What is queued was there before anything that is read from now on.
  EXECUTE format('UPDATE %s.queue SET transaction = ''3'' WHERE transaction >= pg_snapshot_xmax(pg_current_snapshot())', ws);
  -- Layout 1 is the first. Each later one adds a step here: from 1 to 2, from 2 to 3.
  PERFORM workspace_comments(workspace);
  RETURN workspace_layout();
END
$$;
COMMENT ON FUNCTION upgrade_workspace(text) IS 'After ALTER EXTENSION UPDATE: brings the tables of a workspace to what this version makes. Also after restoring a dump into another server. Returns its layout.';
