-- The refresh: all phases, each committed, then the publication.

-- One refresh of a workspace at a time: the advisory lock of its schema. refresh_changed takes it shared.
CREATE FUNCTION segmentation_internal.workspace_lock(ws text) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (1936024423::bigint << 32) | (ws::regnamespace::oid::bigint & 4294967295);
COMMENT ON FUNCTION segmentation_internal.workspace_lock(text) IS
  'Part of refresh: the key of the advisory lock of a workspace.';

-- It outlives a commit, and is handed back by whatever error ends the call: see src/pg/lock.rs. Whoever may not refresh
-- can do no more with it than with pg_try_advisory_lock.
CREATE FUNCTION segmentation_internal.workspace_take_lock(key bigint, shared boolean) RETURNS boolean
  LANGUAGE c STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'workspace_take_lock_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_take_lock(bigint, boolean) IS
  'Part of refresh: takes an advisory lock of the session that ends with the next transaction that is aborted. '
  'Whether it was to be had.';

CREATE FUNCTION segmentation_internal.workspace_release_lock(key bigint, shared boolean) RETURNS boolean
  LANGUAGE c STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'workspace_release_lock_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_release_lock(bigint, boolean) IS
  'Part of refresh: hands back what workspace_take_lock took. Whether it was held.';

-- Asked by a procedure before it does anything: PostgreSQL says it at the first COMMIT only, and in its own words.
CREATE FUNCTION segmentation_internal.may_commit() RETURNS boolean
  LANGUAGE c STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'may_commit_wrapper';
COMMENT ON FUNCTION segmentation_internal.may_commit() IS
  'Part of refresh: whether the procedure that asks may commit: not in a transaction block, in a function, or where an '
  'error is caught.';

CREATE FUNCTION segmentation_internal.refuse_block(called text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE invalid_transaction_termination USING
    MESSAGE = format('%s commits, so it cannot be called within a transaction', called),
    DETAIL = 'It was called in a transaction block, in a function, where an error is caught, or together with other '
      'statements. Nothing was done.',
    HINT = 'Turn auto-commit on and call it as a statement of its own: conn.autocommit = True in psycopg, "Auto" in '
      'DBeaver, "Auto commit?" in pgAdmin; in psql without BEGIN. See "Clients" in docs/dba.md.';
END
$$;
COMMENT ON FUNCTION segmentation_internal.refuse_block(text) IS
  'Part of refresh: the error of a procedure that may not commit.';

-- The day to refresh to. A day that was published is never taken back by a refresh: so one that has not come is refused
-- unless it is asked for.
CREATE FUNCTION segmentation_internal.workspace_day(ws text, as_of date, ahead boolean DEFAULT false) RETURNS date
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  published date;
  zone text;
  today date;
  day date;
BEGIN
  EXECUTE format('SELECT w.as_of, w.time_zone FROM %s.workspace AS w', ws) INTO published, zone;
  today := (now() AT TIME ZONE zone)::date;
  day := coalesce(as_of, today);
  IF NOT isfinite(day) THEN
    RAISE datetime_field_overflow USING MESSAGE = 'as_of must be a day, not infinity';
  END IF;
  IF day < published THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('as_of %s is before the published %s', day, published),
      DETAIL = 'The history of memberships is kept forwards only.',
      HINT = 'To look back, score customer_facts with the functions of the axes at that day, or read '
        'membership_history. '
        'restart_workspace takes publications back.';
  END IF;
  IF day > greatest(today, published) AND ahead IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('as_of %s has not come', day),
      DETAIL = format('It is %s in the time zone of the workspace, %s. After a publication no earlier day can be '
        'published.', today, zone),
      HINT = 'Say ahead => true if it is meant.';
  END IF;
  RETURN day;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_day(text, date, boolean) IS
  'Part of refresh: the day to refresh to, today by default.';

-- A source that stopped looks like customers who stopped. What is known is compared with the shop's own rhythm: the
-- longest time without any purchase in the 13 months before the newest one, so that a yearly closing is in it and a
-- slow
-- start long ago is not. facts is a relation with what was read; pending: changes that wait in the queue are read too.
CREATE FUNCTION segmentation_internal.workspace_hold(ws text, facts text, as_of date, pending boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  setting text := segmentation_internal.workspace_settings_now(ws) ->> 'source_silence';
  allowed integer := segmentation_internal.silence_allowed(setting, NULL, NULL);
  lately boolean;
  newest date;
  waiting text;
  arrived date;
  gaps bigint;
  longest integer;
BEGIN
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  -- Mostly the first customers tell already.
  EXECUTE format('SELECT EXISTS (SELECT FROM %s AS f WHERE segmentation.recency(f.history, $1) <= $2)', facts)
    INTO lately USING as_of, allowed;
  IF lately THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT $1 - min(segmentation.recency(f.history, $1)) FROM %s AS f', facts) INTO newest USING as_of;
  IF newest IS NULL THEN
    RETURN;
  END IF;
  IF pending THEN
    waiting := format('(SELECT q.customer FROM %s.queue AS q)', ws);
    waiting := coalesce(
      segmentation_internal.workspace_rows_sql(ws, 'purchases', waiting),
      segmentation_internal.workspace_rows_sql(ws, 'purchase_lines', waiting));
    IF waiting IS NOT NULL THEN
      EXECUTE format(
        'SELECT max(r.purchased_on) FROM %s AS r WHERE r.purchased_on <= $1 AND r.amount::numeric > 0', waiting)
        INTO arrived USING as_of;
    END IF;
  END IF;
  IF setting = 'auto' THEN
    EXECUTE format($q$
      SELECT count(g.gap), max(g.gap)
      FROM (SELECT d.day - lag(d.day) OVER (ORDER BY d.day) AS gap
            FROM (SELECT DISTINCT d.day FROM %s AS f CROSS JOIN LATERAL segmentation.days(f.history) AS d
                  WHERE d.purchases > 0 AND d.day <= $1 AND d.day >= ($1 - interval '13 months')::date) AS d) AS g$q$,
      facts)
      INTO gaps, longest USING newest;
    allowed := segmentation_internal.silence_allowed(setting, gaps, longest);
    IF allowed IS NULL THEN
      RETURN;
    END IF;
  END IF;
  newest := greatest(newest, arrived);
  IF as_of - newest > allowed THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('the newest purchase is of %s, %s days before %s', newest, as_of - newest, as_of),
      DETAIL = concat_ws(' ', CASE WHEN setting = 'auto'
          THEN format('In the 13 months before it the longest time without a purchase was %s; up to %s are taken for '
            'a pause.',
            CASE longest WHEN 1 THEN '1 day' ELSE format('%s days', longest) END, format('%s days', allowed))
          ELSE format('The setting source_silence allows %s days.', allowed) END,
        'If a source has stopped, customers would be published as lost.'),
      HINT = 'See to the sources of purchases. If nobody bought indeed, say despite_silence => true, or change the '
        'setting source_silence.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_hold(text, text, date, boolean) IS
  'Part of refresh: an error if the newest purchase is older than the shop''s own rhythm, or the setting '
  'source_silence, allows.';

-- Whether a training is due. What changed is what the newest parameter set does not know, whether it came into use or
-- not: one that was rejected is not tried again every quarter of an hour. Who has installed a set that was trained
-- elsewhere has others beside him who go by the same: nobody of them trains but by his will.
CREATE FUNCTION segmentation_internal.workspace_retrains(ws text, as_of date, retrain boolean) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  used date;
  level text;
  installed boolean;
  settings jsonb := segmentation_internal.workspace_settings_now(ws);
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.as_of, g.settings ->> 'product_level', g.installed IS NOT NULL
    FROM ONLY @ws@.parameter_set AS g WHERE g.status = 'in_use'$q$)
    INTO used, level, installed;
  IF installed THEN
    RETURN coalesce(retrain, false);
  END IF;
  -- A model of products knows nothing of categories: facts of another level need another.
  RETURN used IS NULL OR level <> settings ->> 'product_level'
    OR coalesce(retrain, as_of - used >= extract(epoch FROM (settings ->> 'retrain_after')::interval) / 86400
      OR segmentation_internal.workspace_targets_untrained(ws)
      OR segmentation_internal.workspace_changed(ws, false) <> '{}');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_retrains(text, date, boolean) IS
  'Part of refresh: whether a training is due, asked for, the first, or needed by other sources, settings or targets; '
  'with an installed parameter set, whether it is asked for.';

-- Settings and sources that are not those of the parameter set in use, or of the newest one.
CREATE FUNCTION segmentation_internal.workspace_changed(ws text, in_use boolean) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  trained record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.settings, g.sources FROM ONLY @ws@.parameter_set AS g
    WHERE g.status = 'in_use' OR NOT $1 ORDER BY g.parameter_set DESC LIMIT 1$q$)
    INTO trained USING in_use;
  RETURN CASE WHEN trained.settings IS NULL THEN '{}' ELSE segmentation_internal.workspace_changes(
    trained.settings, trained.sources, segmentation_internal.workspace_settings_now(ws),
    segmentation_internal.workspace_sources_now(ws)) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_changed(text, boolean) IS
  'Part of refresh: settings and sources that changed since a training.';

-- An installed parameter set is not trained anew by itself: what it cannot score is an error, that it is old a warning.
CREATE FUNCTION segmentation_internal.workspace_warn_installed(ws text, as_of date) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  used record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.as_of, g.settings ->> 'product_level' AS level
    FROM ONLY @ws@.parameter_set AS g WHERE g.status = 'in_use' AND g.installed IS NOT NULL$q$)
    INTO used;
  IF used.level <> settings ->> 'product_level' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('the installed parameter set offers by %s, the setting product_level says %s', used.level,
        settings ->> 'product_level'),
      HINT = 'Set it back, install another parameter set, or train: CALL refresh(workspace, retrain => true).';
  END IF;
  IF as_of - used.as_of >= extract(epoch FROM (settings ->> 'retrain_after')::interval) / 86400 THEN
    RAISE WARNING USING
      MESSAGE = format(
        'the installed parameter set is of %s, %s days before %s', used.as_of, as_of - used.as_of, as_of),
      HINT = 'Train where it was trained, and install the new one: see docs/scale.md.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_warn_installed(text, date) IS
  'Part of refresh: says that an installed parameter set is older than retrain_after; an error if its models offer on '
  'another level than the settings say.';

-- A refresh that does not train though something changed says so.
CREATE FUNCTION segmentation_internal.workspace_warn_changed(ws text, loudly boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed constant text[] := segmentation_internal.workspace_changed(ws, true);
  message constant text := segmentation_internal.workspace_say('log.stale',
    jsonb_build_object('changes', array_to_string(changed, ', ')), segmentation_internal.workspace_language(ws));
  hint text;
BEGIN
  IF changed = '{}' THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT segmentation_internal.workspace_training_call($1, (
      SELECT g.installed FROM ONLY @ws@.parameter_set AS g WHERE g.status = 'in_use'))$q$)
    INTO hint USING (parse_ident(ws))[1];
  IF loudly THEN
    RAISE WARNING USING MESSAGE = message, HINT = hint;
  ELSE
    RAISE NOTICE USING MESSAGE = message, HINT = hint;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_warn_changed(text, boolean) IS
  'Part of refresh: says that the codes do not go by the settings and sources of now.';

CREATE FUNCTION segmentation_internal.workspace_log(ws text, refresh integer, place integer, phase text, as_of date)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation_internal.workspace_after_restore(ws);
  -- Whoever holds the lock is the only refresh: another that still seems to run was killed.
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.refresh_log SET status = 'failed', ended_at = clock_timestamp(), detail = 'the session ended'
    WHERE status = 'running'$q$);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.refresh_log (refresh, place, phase, status, as_of, began_at)
    VALUES ($1, $2, $3, 'running', $4, clock_timestamp())$q$)
    USING refresh, place, phase, as_of;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_log(text, integer, integer, text, date) IS
  'Part of refresh: notes that a phase begins.';

CREATE FUNCTION segmentation_internal.workspace_logged(
  ws text, refresh integer, place integer, status text, rows bigint, detail text
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  language constant text := segmentation_internal.workspace_language(ws);
  ended record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.refresh_log AS l
    SET status = $3, rows = $4, detail = $5, ended_at = clock_timestamp(), steps = $6
    WHERE l.refresh = $1 AND l.place = $2 RETURNING l.*$q$)
    INTO ended USING refresh, place, status, rows, detail,
      NULLIF(segmentation_internal.workspace_steps(), '[]');
  IF status = 'done' THEN
    RAISE NOTICE '%', segmentation_internal.workspace_say('log.phase', jsonb_build_object(
      'phase', segmentation.label('phase', ended.phase, language),
      'what', concat_ws(', ', CASE WHEN rows IS NOT NULL THEN segmentation_internal.workspace_say(
          CASE ended.phase WHEN 'publish' THEN 'log.codes' ELSE 'log.customers' END,
          jsonb_build_object('rows', rows), language) END, detail),
      'seconds', round(extract(epoch FROM ended.ended_at - ended.began_at), 1)), language);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_logged(text, integer, integer, text, bigint, text) IS
  'Part of refresh: notes how a phase ended.';

-- One phase, in a transaction of the caller's. parameter_set is what a phase leaves to the next. Nothing is compiled:
-- by their costs all of its queries would be, and what takes the time is in functions that are compiled already.
CREATE FUNCTION segmentation_internal.workspace_phase(
  ws text, phase text, as_of date, despite_silence boolean,
  INOUT parameter_set integer, OUT rows bigint, OUT detail text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  candidate integer;
  sampled boolean;
BEGIN
  CASE phase
  WHEN 'facts' THEN
    PERFORM segmentation_internal.workspace_step('facts');
    rows := segmentation_internal.workspace_stage_facts(ws);
    PERFORM segmentation_internal.workspace_step('reconciliation');
    detail := segmentation_internal.workspace_reconcile(ws, as_of);
    IF despite_silence IS NOT TRUE THEN
      PERFORM segmentation_internal.workspace_hold(ws, ws || '.stage_facts', as_of, false);
    END IF;
  WHEN 'train' THEN
    PERFORM segmentation_internal.workspace_step('sample');
    sampled := segmentation_internal.workspace_take_sample(ws);
    PERFORM segmentation_internal.workspace_step('fits');
    candidate := segmentation_internal.workspace_train(ws, as_of);
    PERFORM segmentation_internal.workspace_step('comparison');
    parameter_set := segmentation_internal.workspace_promote(ws, candidate, as_of);
    IF sampled THEN
      PERFORM segmentation_internal.workspace_return_sample(ws);
    END IF;
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT concat_ws(', ',
        segmentation_internal.workspace_say('log.set', g.said, segmentation_internal.workspace_language(@'schema'@)),
        CASE WHEN g.said ->> 'trained_on' IS NOT NULL THEN segmentation_internal.workspace_say(
          'log.sample', g.said, segmentation_internal.workspace_language(@'schema'@)) END)
      FROM (
        SELECT jsonb_build_object('number', g.parameter_set, 'note', g.note, 'trained_on', g.seen -> 'trained_on',
          'customers', g.seen -> 'customers') AS said
        FROM @ws@.parameter_set AS g WHERE g.parameter_set = $1) AS g$q$, jsonb_build_object('schema', ws))
      INTO detail USING candidate;
  WHEN 'score' THEN
    -- The fingerprint first: what comes after it is noticed by the next refresh_changed.
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE UNLOGGED TABLE @ws@.stage_definitions AS
      SELECT segmentation_internal.workspace_definitions(@'schema'@) AS definitions$q$,
      jsonb_build_object('schema', ws));
    PERFORM segmentation_internal.workspace_define(ws, parameter_set);
    PERFORM segmentation_internal.workspace_step('scores');
    rows := segmentation_internal.workspace_stage_scores(ws, 'stage_', parameter_set, as_of);
  WHEN 'publish' THEN
    PERFORM segmentation_internal.workspace_step('publication');
    rows := segmentation_internal.workspace_publish(ws, 'stage_', parameter_set, as_of, false);
    PERFORM segmentation_internal.workspace_notice_weak(ws, parameter_set);
  END CASE;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_phase(text, text, date, boolean, integer) IS
  'Part of refresh: one phase.';

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'phase', v.code, t.language, t.label
FROM (VALUES
  ('facts', 'facts', 'faits'), ('train', 'train', 'apprentissage'), ('score', 'score', 'scores'),
  ('publish', 'publish', 'publication'), ('watch', 'watch', 'observation'), ('time', 'time', 'temps'),
  ('changed', 'changed', 'changements')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

CREATE PROCEDURE segmentation.refresh(
  workspace text, as_of date DEFAULT NULL, retrain boolean DEFAULT NULL, ahead boolean DEFAULT false,
  despite_silence boolean DEFAULT false
)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws pg_catalog.text;
  day pg_catalog.date;
  number integer;
  lock bigint;
  parameters integer;
  phases pg_catalog.text[];
  finished record;
  state pg_catalog.text; message pg_catalog.text; detail pg_catalog.text; hint pg_catalog.text;
BEGIN
  ws := segmentation_internal.workspace_owned(workspace);
  IF NOT segmentation_internal.may_commit() THEN
    PERFORM segmentation_internal.refuse_block('refresh');
  END IF;
  day := segmentation_internal.workspace_day(ws, as_of, ahead);
  lock := segmentation_internal.workspace_lock(ws);
  -- It may commit, so no error of ours is caught: each from here on aborts a transaction, and that hands the lock back.
  COMMIT;
  IF NOT segmentation_internal.workspace_take_lock(lock, false) THEN
    RAISE lock_not_available USING
      MESSAGE = pg_catalog.format('workspace %I is being refreshed by another session', workspace),
      HINT = pg_catalog.format('SELECT * FROM %s.refresh_log WHERE status = ''running'' shows how far it is.', ws);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT pg_catalog.nextval(@'numbers'@), (
      SELECT g.parameter_set FROM @ws@.parameter_set AS g WHERE g.status OPERATOR(pg_catalog.=) 'in_use')$q$,
    pg_catalog.jsonb_build_object('numbers', pg_catalog.concat(ws, '.refresh_number')))
    INTO number, parameters;
  phases := CASE WHEN segmentation_internal.workspace_retrains(ws, day, retrain) THEN '{facts,train,score,publish}'
    ELSE '{facts,score,publish}' END::pg_catalog.text[];
  IF NOT 'train' OPERATOR(pg_catalog.=) ANY (phases) THEN
    PERFORM segmentation_internal.workspace_warn_installed(ws, day);
    PERFORM segmentation_internal.workspace_warn_changed(ws, true);
  END IF;
  FOR place IN 1 .. pg_catalog.cardinality(phases) LOOP
    PERFORM segmentation_internal.workspace_begin(pg_catalog.format('refresh %s of %s, phase %s, %s of %s',
      number, ws, phases[place], place, pg_catalog.cardinality(phases)));
    PERFORM segmentation_internal.workspace_log(ws, number, place, phases[place], day);
    IF phases[place] OPERATOR(pg_catalog.=) 'facts' THEN
      -- All sources as of one moment. Nothing may come between these two.
      COMMIT;
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    ELSE
      COMMIT;
    END IF;
    state := NULL;
    BEGIN
      SELECT * INTO finished
      FROM segmentation_internal.workspace_phase(ws, phases[place], day, despite_silence, parameters);
      parameters := finished.parameter_set;
      PERFORM segmentation_internal.workspace_logged(ws, number, place, 'done', finished.rows, finished.detail);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    END;
    IF state IS NOT NULL THEN
      BEGIN
        PERFORM segmentation_internal.workspace_logged(ws, number, place, 'failed', NULL, message);
      EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        NULL;  -- what failed first is what matters
      END;
      COMMIT;
      PERFORM segmentation_internal.workspace_begin(NULL);
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message,
        DETAIL = pg_catalog.concat_ws(E'\n', CASE WHEN detail OPERATOR(pg_catalog.<>) '' THEN detail END,
          pg_catalog.format(
            'Phase %s of refresh %s failed; the published result is as it was.', phases[place], number)),
        HINT = coalesce(CASE WHEN hint OPERATOR(pg_catalog.<>) '' THEN hint END,
          pg_catalog.format('SELECT * FROM %s.refresh_log shows all refreshes.', ws));
    END IF;
    COMMIT;
  END LOOP;
  PERFORM segmentation_internal.workspace_begin(NULL);
  PERFORM segmentation_internal.workspace_release_lock(lock, false);
END
$$;
COMMENT ON PROCEDURE segmentation.refresh(text, date, boolean, boolean, boolean) IS
  'Reads all sources, trains if due (or retrain), scores all customers as of a day (default: today; a later one with '
  'ahead) and publishes. Holds if the sources have been silent for too long, but for despite_silence. Commits after '
  'each phase, so call it outside a transaction. If it fails, the published result stays.';
