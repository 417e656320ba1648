-- The refresh: all phases, each committed, then the publication.

-- One refresh of a workspace at a time: the advisory lock of its schema. refresh_changed takes it shared.
CREATE FUNCTION segmentation.workspace_lock(ws text) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (1936024423::bigint << 32) | (ws::regnamespace::oid::bigint & 4294967295);
COMMENT ON FUNCTION segmentation.workspace_lock(text) IS 'Part of refresh: the key of the advisory lock of a workspace.';

-- The day to refresh to.
CREATE FUNCTION segmentation.workspace_day(ws text, as_of date) RETURNS date
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  day date;
BEGIN
  EXECUTE format('SELECT as_of, time_zone FROM %s.workspace', ws) INTO held;
  day := coalesce(as_of, (now() AT TIME ZONE held.time_zone)::date);
  IF NOT isfinite(day) THEN
    RAISE datetime_field_overflow USING MESSAGE = 'as_of must be a day, not infinity';
  END IF;
  IF day < held.as_of THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('as_of %s is before the published %s', day, held.as_of),
      DETAIL = 'The history of memberships is kept forwards only.',
      HINT = 'To look back, score customer_facts with the functions of the axes at that day, or read membership_history.';
  END IF;
  RETURN day;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_day(text, date) IS 'Part of refresh: the day to refresh to, today by default.';

-- Whether a training is due.
CREATE FUNCTION segmentation.workspace_retrains(ws text, as_of date, retrain boolean) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  used date;
  level text;
  settings jsonb := segmentation.workspace_settings_now(ws);
BEGIN
  EXECUTE format('SELECT p.as_of, p.settings ->> ''product_level'' FROM %s.parameter_set AS p WHERE p.status = ''in_use''', ws) INTO used, level;
  -- A model of products knows nothing of categories: facts of another level need another.
  RETURN used IS NULL OR level <> settings ->> 'product_level' OR coalesce(retrain, as_of - used >= extract(epoch FROM (settings ->> 'retrain_after')::interval) / 86400);
END
$$;
COMMENT ON FUNCTION segmentation.workspace_retrains(text, date, boolean) IS 'Part of refresh: whether a training is due, asked for, the first, or needed by another product_level.';

CREATE FUNCTION segmentation.workspace_log(ws text, refresh integer, place integer, phase text, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation.workspace_after_restore(ws);
  -- Whoever holds the lock is the only refresh: another that still seems to run was killed.
  EXECUTE format('UPDATE %s.refresh_log SET status = ''failed'', ended_at = clock_timestamp(), detail = ''the session ended'' WHERE status = ''running''', ws);
  EXECUTE format('INSERT INTO %s.refresh_log (refresh, place, phase, status, as_of, began_at) VALUES ($1, $2, $3, ''running'', $4, clock_timestamp())', ws)
    USING refresh, place, phase, as_of;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_log(text, integer, integer, text, date) IS 'Part of refresh: notes that a phase begins.';

CREATE FUNCTION segmentation.workspace_logged(ws text, refresh integer, place integer, status text, rows bigint, detail text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
BEGIN
  EXECUTE format('UPDATE %s.refresh_log SET status = $3, rows = $4, detail = $5, ended_at = clock_timestamp() WHERE refresh = $1 AND place = $2 RETURNING *', ws)
    INTO held USING refresh, place, status, rows, detail;
  IF status = 'done' THEN
    RAISE NOTICE '%: % (% s)', held.phase, concat_ws(', ', rows || CASE held.phase WHEN 'publish' THEN ' codes changed' WHEN 'train' THEN '' ELSE ' customers' END, detail),
      round(extract(epoch FROM held.ended_at - held.began_at), 1);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_logged(text, integer, integer, text, bigint, text) IS 'Part of refresh: notes how a phase ended.';

-- One phase, in a transaction of the caller's. state carries what a phase leaves to the next.
CREATE FUNCTION segmentation.workspace_phase(ws text, phase text, as_of date, INOUT parameter_set integer, OUT rows bigint, OUT detail text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE phase
  WHEN 'facts' THEN
    rows := segmentation.workspace_stage_facts(ws);
  WHEN 'train' THEN
    parameter_set := segmentation.workspace_train(ws, as_of);
    DECLARE
      candidate integer := parameter_set;
    BEGIN
      parameter_set := segmentation.workspace_promote(ws, candidate, as_of);
      EXECUTE format('SELECT format(''parameter set %%s: %%s'', parameter_set, note) FROM %s.parameter_set WHERE parameter_set = $1', ws)
        INTO detail USING candidate;
    END;
  WHEN 'score' THEN
    -- The fingerprint first: what comes after it is noticed by the next refresh_changed.
    EXECUTE format('CREATE UNLOGGED TABLE %s.stage_definitions AS SELECT segmentation.workspace_definitions(%L) AS definitions', ws, ws);
    PERFORM segmentation.workspace_define(ws, parameter_set);
    rows := segmentation.workspace_stage_scores(ws, 'stage_', parameter_set, as_of);
  WHEN 'publish' THEN
    rows := segmentation.workspace_publish(ws, 'stage_', parameter_set, as_of, false);
  END CASE;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_phase(text, text, date, integer) IS 'Part of refresh: one phase.';

CREATE PROCEDURE segmentation.refresh(workspace text, as_of date DEFAULT NULL, retrain boolean DEFAULT NULL)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws pg_catalog.text;
  day pg_catalog.date;
  number integer;
  lock bigint;
  parameters integer;
  phases pg_catalog.text[];
  said record;
  state pg_catalog.text; message pg_catalog.text; detail pg_catalog.text; hint pg_catalog.text;
BEGIN
  ws := segmentation.workspace_owned(workspace);
  day := segmentation.workspace_day(ws, as_of);
  lock := segmentation.workspace_lock(ws);
  -- In a transaction block this fails, before the lock is taken: a lock of the session would outlive the block.
  COMMIT;
  -- What a cancel between two phases left to this session.
  WHILE EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
                  AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.objsubid OPERATOR(pg_catalog.=) 1
                  AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                  AND l.classid::pg_catalog.int8 OPERATOR(pg_catalog.=) (lock OPERATOR(pg_catalog.>>) 32)
                  AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=) (lock OPERATOR(pg_catalog.&) 4294967295)) LOOP
    PERFORM pg_catalog.pg_advisory_unlock(lock);
  END LOOP;
  IF NOT pg_catalog.pg_try_advisory_lock(lock) THEN
    RAISE lock_not_available USING
      MESSAGE = pg_catalog.format('workspace %I is being refreshed by another session', workspace),
      HINT = pg_catalog.format('SELECT * FROM %s.refresh_log WHERE status = ''running'' shows how far it is.', ws);
  END IF;
  BEGIN
    EXECUTE pg_catalog.format('SELECT pg_catalog.nextval(%L), (SELECT p.parameter_set FROM %s.parameter_set AS p WHERE p.status OPERATOR(pg_catalog.=) ''in_use'')', pg_catalog.concat(ws, '.refresh_number'), ws)
      INTO number, parameters;
    phases := CASE WHEN segmentation.workspace_retrains(ws, day, retrain) THEN '{facts,train,score,publish}' ELSE '{facts,score,publish}' END::pg_catalog.text[];
  EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    PERFORM pg_catalog.pg_advisory_unlock(lock);
    RAISE;
  END;
  FOR place IN 1 .. pg_catalog.cardinality(phases) LOOP
    BEGIN
      PERFORM segmentation.workspace_log(ws, number, place, phases[place], day);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      PERFORM pg_catalog.pg_advisory_unlock(lock);
      RAISE;
    END;
    IF phases[place] OPERATOR(pg_catalog.=) 'facts' THEN
      -- All sources as of one moment. Nothing may come between these two.
      COMMIT;
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    ELSE
      COMMIT;
    END IF;
    state := NULL;
    BEGIN
      SELECT * INTO said FROM segmentation.workspace_phase(ws, phases[place], day, parameters);
      parameters := said.parameter_set;
      PERFORM segmentation.workspace_logged(ws, number, place, 'done', said.rows, said.detail);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    END;
    IF state IS NOT NULL THEN
      BEGIN
        PERFORM segmentation.workspace_logged(ws, number, place, 'failed', NULL, message);
      EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        NULL;  -- what failed first is what matters
      END;
      COMMIT;
      PERFORM pg_catalog.pg_advisory_unlock(lock);
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message,
        DETAIL = pg_catalog.concat_ws(E'\n', CASE WHEN detail OPERATOR(pg_catalog.<>) '' THEN detail END, pg_catalog.format('Phase %s of refresh %s failed; the published result is as it was.', phases[place], number)),
        HINT = coalesce(CASE WHEN hint OPERATOR(pg_catalog.<>) '' THEN hint END, pg_catalog.format('SELECT * FROM %s.refresh_log shows all refreshes.', ws));
    END IF;
    COMMIT;
  END LOOP;
  PERFORM pg_catalog.pg_advisory_unlock(lock);
END
$$;
COMMENT ON PROCEDURE segmentation.refresh(text, date, boolean) IS
  'Reads all sources, trains if due (or retrain), scores all customers as of a day (default: today) and publishes. Commits after each phase, so call it outside a transaction. If it fails, the published result stays.';
