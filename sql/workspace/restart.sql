-- The way back: a publication that should not have been.

-- A publication to go back to, and the parameter set to have in use then: that of the day, unless another is named; the
-- last one trained until then that was not rejected.
CREATE FUNCTION segmentation_internal.workspace_restart_point(
  ws text, as_of date, parameter_set integer, OUT published date, OUT used integer
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first date;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT w.as_of, (SELECT min(h.valid_from) FROM @ws@.membership_history AS h)
    FROM @ws@.workspace AS w
    FOR UPDATE$q$)
    INTO published, first;
  IF published IS NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('workspace %s has no result yet', ws);
  END IF;
  IF as_of IS NULL THEN
    IF parameter_set IS NOT NULL THEN
      RAISE invalid_parameter_value USING
        MESSAGE = 'a parameter set is of no use without as_of',
        DETAIL = 'Without a day memberships begin anew, with a training.';
    END IF;
    RETURN;
  END IF;
  IF NOT as_of BETWEEN first AND published THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('nothing was published as of %s', as_of),
      DETAIL = format('Publications go from %s to %s.', first, published),
      HINT = 'Without a day memberships begin anew.';
  END IF;
  EXECUTE format($q$
    SELECT max(p.parameter_set)
    FROM %s.parameter_set AS p
    WHERE CASE WHEN $1 IS NULL THEN p.as_of <= $2 AND p.status IN ('in_use', 'retired')
      ELSE p.parameter_set = $1 AND p.status <> 'candidate' END$q$, ws)
    INTO used USING parameter_set, as_of;
  IF used IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = CASE WHEN parameter_set IS NULL THEN format('the parameter set of %s is kept no more', as_of)
        ELSE format('workspace %s has no parameter set %s', ws, parameter_set) END,
      HINT = format('SELECT parameter_set, as_of, status FROM %s.parameter_set lists those there are; name one.', ws);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_restart_point(text, date, integer) IS
  'Part of restart_workspace: the published day, and the parameter set of the day to go back to; an error if there is '
  'no going back there.';

-- The codes as they were. Readers of events may have seen what is taken back: they are told of the move back.
CREATE FUNCTION segmentation_internal.workspace_take_back(ws text, as_of date) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moved bigint;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE TEMP TABLE segmentation_restart ON COMMIT DROP AS
    SELECT coalesce(b.customer, n.customer) AS customer, coalesce(b.axis, n.axis) AS axis, n.code AS now, b.code AS back
    FROM (
      SELECT h.customer, h.axis, h.code
      FROM @ws@.membership_history AS h
      WHERE h.valid_from <= $1 AND (h.valid_to > $1 OR h.valid_to IS NULL)) AS b
    FULL JOIN (
      SELECT h.customer, h.axis, h.code FROM @ws@.membership_history AS h WHERE h.valid_to IS NULL) AS n
      ON n.customer = b.customer AND n.axis = b.axis
    WHERE n.code IS DISTINCT FROM b.code$q$)
    USING as_of;
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('DELETE FROM %s.events AS e WHERE e.as_of > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('DELETE FROM %s.drift AS d WHERE d.as_of > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('DELETE FROM %s.segment_value AS v WHERE v.as_of > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('DELETE FROM %s.membership_history AS h WHERE h.valid_from > $1 OR $1 IS NULL', ws) USING as_of;
  EXECUTE format('UPDATE %s.membership_history AS h SET valid_to = NULL WHERE h.valid_to > $1', ws) USING as_of;
  EXECUTE format($q$
    INSERT INTO %s.events (as_of, customer, kind, axis, code)
    SELECT $1, d.customer, v.kind, d.axis, v.code
    FROM pg_temp.segmentation_restart AS d
    CROSS JOIN LATERAL (VALUES ('left', d.now), ('entered', d.back)) AS v (kind, code)
    WHERE $1 IS NOT NULL AND v.code IS NOT NULL
    ORDER BY d.customer, d.axis, v.kind DESC$q$, ws)
    USING as_of;
  DROP TABLE pg_temp.segmentation_restart;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_take_back(text, date) IS
  'Part of restart_workspace: memberships, events and drift as of a day. How many codes moved back.';

-- All are looked at by the next refresh or refresh_changed, with the definitions of today.
CREATE FUNCTION segmentation_internal.workspace_restore_codes(ws text, as_of date, parameter_set integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list text;
BEGIN
  EXECUTE format('DELETE FROM %s.customer_segments', ws);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.customer_segments (customer, @(axes)@, segments, since, next_change_at, parameter_set)
    SELECT h.customer, @(codes)@,
      coalesce(jsonb_object_agg(substr(h.axis, 9), h.code)
        FILTER (WHERE h.axis LIKE 'segment:%' AND h.valid_to IS NULL), '{}'),
      max(greatest(h.valid_from, h.valid_to)), $1, $2
    FROM @ws@.membership_history AS h
    GROUP BY h.customer
    HAVING bool_or(h.valid_to IS NULL)$q$,
    (SELECT jsonb_build_object(
       'axes', string_agg(quote_ident(a.axis), ', ' ORDER BY a.place),
       'codes', string_agg(
         format('max(h.code) FILTER (WHERE h.axis = %L AND h.valid_to IS NULL)', a.axis), ', ' ORDER BY a.place))
     FROM unnest(segmentation.workspace_axes()) WITH ORDINALITY AS a (axis, place)))
    USING as_of, parameter_set;
  FOREACH list IN ARRAY '{customer_products,customer_channels,life_moments}'::text[] LOOP
    EXECUTE segmentation_internal.fill(ws, $q$
      DELETE FROM @ws@.@list@ AS t
      WHERE NOT EXISTS (SELECT FROM @ws@.customer_segments AS s WHERE s.customer = t.customer)$q$,
      jsonb_build_object('list', list));
  END LOOP;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.queue (customer)
    SELECT NULL WHERE EXISTS (SELECT FROM @ws@.customer_facts)$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_restore_codes(text, date, integer) IS
  'Part of restart_workspace: the codes that the memberships have, and lists of nobody else.';

-- What was published after a day is taken back: memberships, events, drift, codes, and the parameter sets trained
-- since. Lists and facts are those of the sources: the refresh that follows reads them anew.
CREATE FUNCTION segmentation.restart_workspace(
  workspace text, as_of date DEFAULT NULL, parameter_set integer DEFAULT NULL
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  published date;
  used integer;
  moved bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING
      MESSAGE = format('workspace %I is being refreshed by another session', workspace),
      HINT = 'Call again when it has ended.';
  END IF;
  SELECT p.published, p.used INTO published, used
  FROM segmentation_internal.workspace_restart_point(ws, as_of, parameter_set) AS p;
  moved := segmentation_internal.workspace_take_back(ws, as_of);
  PERFORM segmentation_internal.workspace_restore_codes(ws, as_of, used);
  EXECUTE format($q$
    UPDATE %s.parameter_set AS p
    SET status = CASE WHEN p.parameter_set = $1 THEN 'in_use' WHEN p.as_of > $2 OR $2 IS NULL THEN 'rejected'
        ELSE 'retired' END,
      note = CASE WHEN p.parameter_set = $1 THEN p.note
        ELSE concat_ws('; ', p.note, 'taken back by restart_workspace') END
    WHERE p.parameter_set = $1 OR p.status = 'in_use'
      OR (p.status = 'retired' AND (p.as_of > $2 OR $2 IS NULL))$q$, ws)
    USING used, as_of;
  EXECUTE format($q$
    UPDATE %s.workspace
    SET as_of = $1, parameter_set = $2, definitions = NULL, refreshed_at = clock_timestamp()$q$, ws)
    USING as_of, used;
  PERFORM segmentation_internal.workspace_log_changed(ws, '{restart}', 'done', coalesce(as_of, published),
    clock_timestamp(), ARRAY[greatest(moved, 1)],
    ARRAY[format('published was %s; %s codes moved back', published, moved)]);
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation.restart_workspace(text, date, integer) IS
  'Takes back what was published after a day: memberships, events, codes, drift, and the parameter sets trained since; '
  'the one of that day, or the one named, is in use again. Without a day memberships begin anew at the next refresh. '
  'Settings, sources, segments, overrides, campaigns and erasures stay. Returns how many codes moved back. Then: CALL '
  'refresh(workspace, as_of).';
