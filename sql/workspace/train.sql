-- Training: what is frozen in a parameter set, and how good it would have been.

-- What the facts have: how many customers with what, and how much of the beginning is missing. Internal.
CREATE FUNCTION segmentation_internal.workspace_seen(facts text, as_of date) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  seen jsonb;
  crowd bigint;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT to_jsonb(n)
    FROM (
      SELECT count(*) AS customers,
        count(*) FILTER (WHERE segmentation.purchase_days(f.history, $1) > 0) AS buyers,
        count(*) FILTER (WHERE segmentation.purchase_days(f.history, $1) > 1) AS repeaters,
        $1 - min(segmentation.first_purchase(f.history))
          FILTER (WHERE segmentation.purchase_days(f.history, $1) > 0) AS days,
        $1 - max(segmentation.first_purchase(f.history))
          FILTER (WHERE segmentation.purchase_days(f.history, $1) > 0) AS days_since_newcomers,
        count(f.items) AS lines, count(f.subscriptions) AS contracts, count(f.contacts) AS contacts,
        count(*) FILTER (WHERE segmentation_internal.workspace_has_price(f.subscriptions)) AS prices,
        count(f.interactions) AS interactions, count(coalesce(f.attributes, f.company)) AS attributes
      FROM @(facts)@ AS f) AS n$q$, jsonb_build_object('facts', facts))
    INTO seen USING as_of;
  -- Of the span of first purchases, the first twelfth: a log that begins after its customers did has most there.
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT count(*)
    FROM @(facts)@ AS f
    WHERE segmentation.first_purchase(f.history) < $1 AND segmentation.purchase_days(f.history, $2) > 0$q$,
    jsonb_build_object('facts', facts))
    INTO crowd
    USING as_of - (seen ->> 'days')::integer
      + ceil(((seen ->> 'days')::integer - (seen ->> 'days_since_newcomers')::integer) / 12.0)::integer, as_of;
  RETURN seen || jsonb_build_object('first_share', round(crowd / NULLIF((seen ->> 'buyers')::numeric, 0), 3));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_seen(text, date) IS
  'Part of refresh: what the facts have: customers by what is known of them, days of the log (days), the share of '
  'first purchases in the first twelfth of their span (first_share).';

-- Why the data of an axis are too thin: {"code": ..., "have": ..., "need": ...}, or null. Internal.
CREATE FUNCTION segmentation_internal.workspace_readiness(ws text, seen jsonb, settings jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  readiness jsonb;
BEGIN
  -- seen: the kinds of sources, how many customers have what, and why purchases are too few for a code (purchases), or
  -- for a model of how they go on (lasting).
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT jsonb_object_agg(v.axis, v.reason)
    FROM (SELECT $2 AS settings) AS g
    CROSS JOIN (SELECT coalesce(array_agg(DISTINCT o.kind), '{}') AS kinds FROM ONLY @ws@.source AS o) AS k
    CROSS JOIN jsonb_to_record($1) AS n (
      buyers bigint, repeaters bigint, days integer, lines bigint, contracts bigint, prices bigint, contacts bigint,
      attributes bigint)
    CROSS JOIN LATERAL (
      SELECT segmentation_internal.workspace_too_thin(
        k.kinds, '{purchases,purchase_lines}', 'few_buyers', n.buyers,
        g.settings -> 'minimum_buyers') AS purchases) AS b
    CROSS JOIN LATERAL (
      SELECT k.kinds, n.*, b.purchases, CASE
        WHEN b.purchases IS NOT NULL THEN b.purchases
        WHEN n.repeaters < (g.settings ->> 'minimum_repeaters')::integer
          THEN jsonb_build_object('code', 'few_repeaters', 'have', n.repeaters, 'need', g.settings ->
            'minimum_repeaters')
        WHEN n.days < extract(epoch FROM (g.settings ->> 'minimum_history')::interval) / 86400
          THEN jsonb_build_object('code', 'short_history', 'have', n.days, 'need', g.settings -> 'minimum_history')
        END AS lasting) AS seen
    CROSS JOIN LATERAL (VALUES @(reasons)@) AS v (axis, reason)$q$,
    jsonb_build_object('reasons', (
      SELECT string_agg(format('(%L, %s)', a.axis, a.readiness), ', ') FROM segmentation.workspace_axis AS a)))
    INTO readiness USING seen, settings;
  RETURN readiness;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_readiness(text, jsonb, jsonb) IS
  'Part of refresh: axis to the reason why its data are too thin, by what the facts have (workspace_seen).';

CREATE FUNCTION segmentation_internal.workspace_too_thin(
  kinds text[], needed text[], reason text, have bigint, need jsonb
) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    -- Joined, as && of long arrays cannot be interrupted.
    WHEN NOT EXISTS (SELECT FROM unnest(kinds) AS k (kind) JOIN unnest(needed) AS n (kind) ON n.kind = k.kind)
      THEN jsonb_build_object('code', 'no_source', 'need', needed[1])
    WHEN have < need::bigint THEN jsonb_build_object('code', reason, 'have', have, 'need', need) END;
COMMENT ON FUNCTION segmentation_internal.workspace_too_thin(text[], text[], text, bigint, jsonb) IS
  'Part of refresh: that none of the sources needed is there, or that too few customers have what is needed; NULL if '
  'neither.';

-- A training may look at some customers only. Who is among them is said by a hash of the key: the same customers at
-- each training, and on each machine that has them. No state grows with more customers than these. For as long as a
-- training takes they are stage_facts, from which everything is trained and judged, and all customers are
-- stage_everybody.
CREATE FUNCTION segmentation_internal.workspace_take_sample(ws text) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted constant numeric := segmentation_internal.workspace_settings_now(ws) ->> 'train_customers';
  total bigint;
BEGIN
  IF wanted IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT count(*) FROM %s.stage_facts', ws) INTO total;
  IF total <= wanted THEN
    RETURN false;
  END IF;
  EXECUTE format('ALTER TABLE %s.stage_facts RENAME TO stage_everybody', ws);
  PERFORM segmentation_internal.workspace_stage(ws, 'stage_', 'facts', segmentation_internal.fill(ws, $q$
    SELECT f.* FROM @ws@.stage_everybody AS f
    WHERE hashtextextended(f.customer::text COLLATE "C", 0) < @'limit'@::bigint$q$,
    -- That share of all hashes.
    jsonb_build_object('limit', floor(wanted / total * 18446744073709551616) - 9223372036854775808)));
  EXECUTE format('ANALYZE %s.stage_facts (customer)', ws);
  RETURN true;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_take_sample(text) IS
  'Part of refresh: makes the staged facts those of the customers that a training looks at (train_customers). Whether '
  'these are not all.';

CREATE FUNCTION segmentation_internal.workspace_return_sample(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('DROP TABLE %s.stage_facts', ws);
  EXECUTE format('ALTER TABLE %s.stage_everybody RENAME TO stage_facts', ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_return_sample(text) IS
  'Part of refresh: after a training on a sample, makes the staged facts those of all customers again.';

-- What all customers have says what the data suffice for; trained_on is how many of them a training looked at.
CREATE FUNCTION segmentation_internal.workspace_seen_in_training(ws text, as_of date) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  trained_on bigint;
BEGIN
  IF to_regclass(ws || '.stage_everybody') IS NULL THEN
    RETURN segmentation_internal.workspace_seen(ws || '.stage_facts', as_of);
  END IF;
  EXECUTE format('SELECT count(*) FROM %s.stage_facts', ws) INTO trained_on;
  RETURN segmentation_internal.workspace_seen(ws || '.stage_everybody', as_of)
    || jsonb_build_object('trained_on', trained_on);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_seen_in_training(text, date) IS
  'Part of refresh: what the facts have, and how many customers a training on a sample looks at.';

-- Phase train: fits everything on stage_facts, and writes a candidate parameter set. Returns its number.
CREATE FUNCTION segmentation_internal.workspace_train(ws text, as_of date) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  seen constant jsonb := segmentation_internal.workspace_seen_in_training(ws, as_of);
  number integer;
  axis text;
  training text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.parameter_set (as_of, status, settings, seen, sources, readiness)
    VALUES ($1, 'candidate', $2, $3, segmentation_internal.workspace_sources_now(@'schema'@), $4)
    RETURNING parameter_set$q$, jsonb_build_object('schema', ws))
    INTO number USING as_of, settings, seen, segmentation_internal.workspace_readiness(ws, seen, settings);
  -- In one pass over the facts, and into a table: an UPDATE would not be computed in parallel.
  EXECUTE (
    SELECT segmentation_internal.fill(ws, $q$
      CREATE UNLOGGED TABLE @ws@.stage_fits AS
      SELECT @(fits)@ FROM @(constants)@ AS p CROSS JOIN @ws@.stage_facts AS f WHERE f.history IS NOT NULL;
      UPDATE @ws@.parameter_set AS g SET (@(models)@) = (SELECT @(models)@ FROM @ws@.stage_fits)
      WHERE g.parameter_set = @(number)@;
      DROP TABLE @ws@.stage_fits;$q$,
      jsonb_build_object(
        'number', number,
        'models', string_agg(quote_ident(m.name), ', ' ORDER BY m.place),
        'fits', string_agg(format('%s AS %I', m.fit, m.name), ', ' ORDER BY m.place),
        'constants', segmentation_internal.workspace_constants(ws, number, as_of)))
    FROM segmentation.workspace_model AS m WHERE m.fit IS NOT NULL);
  FOR axis, training IN
    SELECT a.axis, a.train FROM segmentation.workspace_axis AS a
    WHERE a.train IS NOT NULL ORDER BY coalesce(a.training_place, a.place)
  LOOP
    PERFORM segmentation_internal.workspace_step('axis ' || axis);
    EXECUTE format('SELECT %s($1, $2, $3, $4)', training) USING ws, number, as_of, settings;
  END LOOP;
  PERFORM segmentation_internal.workspace_step('targets');
  PERFORM segmentation_internal.workspace_train_targets(ws, number, as_of, settings);
  PERFORM segmentation_internal.workspace_train_companies(ws, number, as_of, settings);
  PERFORM segmentation_internal.workspace_weigh(ws, number);
  RETURN number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train(text, date) IS
  'Phase train of refresh: a candidate parameter set from the staged facts.';

-- Whether an axis of a parameter set is ready: that of the one in training may be no more after a test.
CREATE FUNCTION segmentation_internal.workspace_ready(ws text, number integer, axis text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ready boolean;
BEGIN
  EXECUTE format('SELECT g.readiness -> $2 = ''null'' FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO ready USING number, axis;
  RETURN ready;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_ready(text, integer, text) IS
  'Part of refresh: whether an axis of a parameter set is ready.';

CREATE FUNCTION segmentation_internal.workspace_unready(ws text, number integer, axis text, reason jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('UPDATE %s.parameter_set AS g SET readiness = g.readiness || jsonb_build_object($2, $3) WHERE '
    'g.parameter_set = $1', ws)
    USING number, axis, reason;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_unready(text, integer, text, jsonb) IS
  'Part of refresh: says of an axis of a parameter set why it is not ready after all.';

CREATE FUNCTION segmentation_internal.workspace_forget_sets(ws text, newest integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.parameter_set AS g
    WHERE g.status IN ('retired', 'rejected')
      AND g.parameter_set <= $1 - (
        SELECT (n.settings ->> 'keep_parameter_sets')::integer FROM @ws@.parameter_set AS n WHERE n.parameter_set = $1)
      AND g.parameter_set IS DISTINCT FROM (SELECT w.parameter_set FROM @ws@.workspace AS w)$q$)
    USING newest;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_forget_sets(text, integer) IS
  'Part of refresh: drops parameter sets beyond those to keep, given the newest.';

-- Puts the candidate into use, unless an axis says that it would have predicted worse than the set in use, or that
-- nobody
-- can say whether it would. Says which. Returns the number of the set to score with.
CREATE FUNCTION segmentation_internal.workspace_promote(ws text, candidate integer, as_of date) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  used integer;
  judging text;
  judged record;
  said text := segmentation_internal.workspace_say('note.first', '{}', segmentation_internal.workspace_language(ws));
  accepted boolean := true;
BEGIN
  EXECUTE format('SELECT g.parameter_set FROM %s.parameter_set AS g WHERE g.status = ''in_use''', ws) INTO used;
  IF used IS NOT NULL THEN
    said := NULL;
    FOR judging IN SELECT a.judge FROM segmentation.workspace_axis AS a WHERE a.judge IS NOT NULL ORDER BY a.place LOOP
      EXECUTE format('SELECT * FROM %s($1, $2, $3, $4)', judging) INTO judged USING ws, candidate, used, as_of;
      accepted := accepted AND judged.accepted;
      said := concat_ws('; ', said, judged.said);
    END LOOP;
  END IF;
  IF accepted THEN
    EXECUTE format('UPDATE %s.parameter_set SET status = ''retired'' WHERE status = ''in_use''', ws);
  ELSE
    PERFORM segmentation_internal.workspace_lend_targets(ws, candidate, used);
  END IF;
  EXECUTE format('UPDATE %s.parameter_set SET status = $1, note = $2 WHERE parameter_set = $3', ws)
    USING CASE WHEN accepted THEN 'in_use' ELSE 'rejected' END, said, candidate;
  PERFORM segmentation_internal.workspace_forget_sets(ws, candidate);
  RETURN CASE WHEN accepted THEN candidate ELSE used END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_promote(text, integer, date) IS
  'Part of refresh: takes a candidate parameter set into use if it is not worse.';

CREATE FUNCTION segmentation.use_parameter_set(workspace text, parameter_set integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  found boolean;
BEGIN
  EXECUTE format('SELECT true FROM %s.parameter_set WHERE parameter_set = $1 AND status <> ''candidate''', ws)
    INTO found USING parameter_set;
  IF found IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no parameter set %s', workspace, coalesce(parameter_set::text, 'null')),
      HINT = format('SELECT parameter_set, as_of, status FROM %s.parameter_set lists them.', ws);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set SET status = 'retired' WHERE status = 'in_use' AND parameter_set <> $1$q$)
    USING parameter_set;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set SET status = 'in_use', note = 'chosen by hand' WHERE parameter_set = $1$q$)
    USING parameter_set;
END
$$;
COMMENT ON FUNCTION segmentation.use_parameter_set(text, integer) IS
  'Takes an earlier parameter set into use again (a roll-back). Codes follow at the next refresh: CALL '
  'refresh(workspace, retrain => false).';
