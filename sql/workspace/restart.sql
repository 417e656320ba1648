-- The way back: a publication that should not have been.

-- What was published after a day is taken back: memberships, events, drift, codes, and the parameter sets trained since.
-- Lists and facts are those of the sources: the refresh that follows reads them anew.
CREATE FUNCTION segmentation.restart_workspace(workspace text, as_of date DEFAULT NULL, parameter_set integer DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  published date;
  first date;
  used integer;
  moved bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING
      MESSAGE = format('workspace %I is being refreshed by another session', workspace),
      HINT = 'Call again when it has ended.';
  END IF;
  EXECUTE format('SELECT w.as_of, (SELECT min(h.valid_from) FROM %1$s.membership_history AS h) FROM %1$s.workspace AS w FOR UPDATE', ws)
    INTO published, first;
  IF published IS NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('workspace %I has no result yet', workspace);
  END IF;
  IF as_of IS NULL THEN
    IF parameter_set IS NOT NULL THEN
      RAISE invalid_parameter_value USING MESSAGE = 'a parameter set is of no use without as_of',
        DETAIL = 'Without a day memberships begin anew, with a training.';
    END IF;
  ELSIF NOT as_of BETWEEN first AND published THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('nothing was published as of %s', as_of),
      DETAIL = format('Publications go from %s to %s.', first, published),
      HINT = 'Without a day memberships begin anew.';
  ELSE
    -- The set of that day, unless another is named: the last one trained until then that was not rejected.
    EXECUTE format('SELECT max(p.parameter_set) FROM %s.parameter_set AS p
      WHERE CASE WHEN $1 IS NULL THEN p.as_of <= $2 AND p.status IN (''in_use'', ''retired'') ELSE p.parameter_set = $1 AND p.status <> ''candidate'' END', ws)
      INTO used USING parameter_set, as_of;
    IF used IS NULL THEN
      RAISE undefined_object USING
        MESSAGE = CASE WHEN parameter_set IS NULL THEN format('the parameter set of %s is kept no more', as_of)
          ELSE format('workspace %I has no parameter set %s', workspace, parameter_set) END,
        HINT = format('SELECT parameter_set, as_of, status FROM %s.parameter_set lists those there are; name one.', ws);
    END IF;
  END IF;

  -- The codes as they were. Readers of events may have seen what is taken back: they are told of the move back.
  EXECUTE format($q$
    CREATE TEMP TABLE segmentation_restart ON COMMIT DROP AS
    SELECT coalesce(b.customer, n.customer) AS customer, coalesce(b.axis, n.axis) AS axis, n.code AS now, b.code AS back
    FROM (SELECT h.customer, h.axis, h.code FROM %1$s.membership_history AS h
          WHERE h.valid_from <= $1 AND (h.valid_to > $1 OR h.valid_to IS NULL)) AS b
    FULL JOIN (SELECT h.customer, h.axis, h.code FROM %1$s.membership_history AS h WHERE h.valid_to IS NULL) AS n
      ON n.customer = b.customer AND n.axis = b.axis
    WHERE n.code IS DISTINCT FROM b.code$q$, ws) USING as_of;
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('DELETE FROM %s.events AS e WHERE e.as_of > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('DELETE FROM %s.drift AS d WHERE d.as_of > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('DELETE FROM %s.membership_history AS h WHERE h.valid_from > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('UPDATE %s.membership_history AS h SET valid_to = NULL WHERE h.valid_to > $1', ws) USING as_of;
  EXECUTE format($q$
    INSERT INTO %s.events (as_of, customer, kind, axis, code)
    SELECT $1, d.customer, v.kind, d.axis, v.code
    FROM pg_temp.segmentation_restart AS d CROSS JOIN LATERAL (VALUES ('left', d.now), ('entered', d.back)) AS v (kind, code)
    WHERE $1 IS NOT NULL AND v.code IS NOT NULL ORDER BY d.customer, d.axis, v.kind DESC$q$, ws) USING as_of;

  -- All are looked at by the next refresh or refresh_changed, with the definitions of today.
  EXECUTE format('DELETE FROM %s.customer_segments', ws);
  EXECUTE format($q$
    INSERT INTO %1$s.customer_segments (customer, %2$s, segments, since, next_change_at, parameter_set)
    SELECT h.customer, %3$s, coalesce(jsonb_object_agg(substr(h.axis, 9), h.code) FILTER (WHERE h.axis LIKE 'segment:%%' AND h.valid_to IS NULL), '{}'),
      max(greatest(h.valid_from, h.valid_to)), $1, $2
    FROM %1$s.membership_history AS h GROUP BY h.customer HAVING bool_or(h.valid_to IS NULL)$q$, ws,
    (SELECT string_agg(quote_ident(a), ', ') FROM unnest(segmentation.workspace_axes()) AS a),
    (SELECT string_agg(format('max(h.code) FILTER (WHERE h.axis = %L AND h.valid_to IS NULL)', a), ', ') FROM unnest(segmentation.workspace_axes()) AS a))
    USING as_of, used;
  EXECUTE (SELECT string_agg(format('DELETE FROM %1$s.%2$I AS t WHERE NOT EXISTS (SELECT FROM %1$s.customer_segments AS s WHERE s.customer = t.customer)', ws, t), '; ')
           FROM unnest('{customer_products,customer_channels,life_moments}'::text[]) AS t);
  EXECUTE format('INSERT INTO %s.queue (customer) SELECT NULL WHERE EXISTS (SELECT FROM %1$s.customer_facts)', ws);

  EXECUTE format($q$
    UPDATE %s.parameter_set AS p
    SET status = CASE WHEN p.parameter_set = $1 THEN 'in_use' WHEN p.as_of > $2 OR $2 IS NULL THEN 'rejected' ELSE 'retired' END,
      note = CASE WHEN p.parameter_set = $1 THEN p.note ELSE concat_ws('; ', p.note, 'taken back by restart_workspace') END
    WHERE p.parameter_set = $1 OR p.status = 'in_use' OR (p.status = 'retired' AND (p.as_of > $2 OR $2 IS NULL))$q$, ws) USING used, as_of;
  EXECUTE format('UPDATE %s.workspace SET as_of = $1, parameter_set = $2, definitions = NULL, refreshed_at = clock_timestamp()', ws) USING as_of, used;
  PERFORM segmentation_internal.workspace_log_changed(ws, '{restart}', 'done', coalesce(as_of, published), clock_timestamp(), ARRAY[greatest(moved, 1)],
    ARRAY[format('published was %s; %s codes moved back', published, moved)]);
  DROP TABLE pg_temp.segmentation_restart;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation.restart_workspace(text, date, integer) IS
  'Takes back what was published after a day: memberships, events, codes, drift, and the parameter sets trained since; the one of that day, or the one named, is in use again. Without a day memberships begin anew at the next refresh. Settings, sources, segments, overrides, campaigns and erasures stay. Returns how many codes moved back. Then: CALL refresh(workspace, as_of).';
