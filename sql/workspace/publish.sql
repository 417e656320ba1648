-- Publication: what was staged becomes the result, in one transaction. Only rows that differ are written, so readers
-- wait for nothing and see either the result before or the one after.

-- Statistics are gathered where a publication of everybody wrote more than a tenth, or none were gathered yet; batches
-- leave that to autovacuum.
CREATE FUNCTION segmentation_internal.workspace_analyze(target regclass, whole boolean, written bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF whole AND (SELECT c.reltuples <= 0 OR written > 0.1 * c.reltuples FROM pg_class AS c WHERE c.oid = target) THEN
    EXECUTE format('ANALYZE %s', target);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_analyze(regclass, boolean, bigint) IS
  'Part of refresh: gathers the statistics of a table that a publication has written.';

-- Makes the rows of a result table equal to the staged ones, for the customers of keys (NULL: for all). Returns how
-- many rows were written. One pass finds what differs, byte by byte, and workers may share it; what is to be written is
-- then read by its place.
CREATE FUNCTION segmentation_internal.workspace_write(ws text, stage text, target text, staged text, keys text)
RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  target_oid constant regclass := format('%s.%I', ws, target)::regclass;
  changes constant text := format('%s.%I', ws, stage || 'changes');
  tables constant jsonb := jsonb_build_object('target', target_oid::text, 'staged', staged);
  mine record;
  staged_rows bigint;
  fresh bigint;
  written bigint;
  there bigint;
  gone bigint := 0;
BEGIN
  SELECT string_agg(quote_ident(c.name), ', ') AS columns, string_agg(format('s.%I', c.name), ', ') AS values,
      string_agg(quote_ident(c.name), ', ') FILTER (WHERE c.is_key) AS keys,
      min(quote_ident(c.name)) FILTER (WHERE c.is_key) AS first_key,
      string_agg(format('o.%1$I = s.%1$I', c.name), ' AND ') FILTER (WHERE c.is_key) AS same_key,
      string_agg(format('o.%I', c.name), ', ') FILTER (WHERE NOT c.is_key) AS old,
      string_agg(format('s.%I', c.name), ', ') FILTER (WHERE NOT c.is_key) AS new,
      string_agg(format('%1$I = excluded.%1$I', c.name), ', ') FILTER (WHERE NOT c.is_key) AS sets,
      CASE WHEN workspace_write.keys IS NULL THEN 'true'
        ELSE format('o.customer IN (SELECT k.customer FROM %s AS k)', workspace_write.keys) END AS wanted
    INTO mine
  FROM (
    SELECT a.attname AS name, a.attnum = ANY (i.indkey) AS is_key
    FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE i.indrelid = target_oid AND i.indisprimary
    ORDER BY a.attnum) AS c;
  EXECUTE format('SELECT count(*) FROM %s', staged) INTO staged_rows;
  EXECUTE format('SELECT count(*) FROM %s AS o WHERE %s', target_oid, mine.wanted) INTO there;
  IF there = 0 THEN
    EXECUTE segmentation_internal.fill(NULL,
      'INSERT INTO @(target)@ (@(columns)@) SELECT @(columns)@ FROM @(staged)@',
      tables || jsonb_build_object('columns', mine.columns));
    PERFORM segmentation_internal.workspace_analyze(target_oid, keys IS NULL, staged_rows);
    RETURN staged_rows;
  END IF;

  EXECUTE segmentation_internal.fill(NULL, $q$
    CREATE UNLOGGED TABLE @(changes)@ AS
    SELECT s.ctid AS place, o.@(first_key)@ IS NULL AS fresh
    FROM @(staged)@ AS s LEFT JOIN @(target)@ AS o ON @(same_key)@
    WHERE o.@(first_key)@ IS NULL OR NOT ROW(@(old)@)::record *= ROW(@(new)@)::record$q$,
    tables || jsonb_build_object('changes', changes, 'first_key', mine.first_key, 'same_key', mine.same_key,
      'old', mine.old, 'new', mine.new));
  GET DIAGNOSTICS written = ROW_COUNT;
  EXECUTE format('SELECT count(*) FROM %s AS c WHERE c.fresh', changes) INTO fresh;
  -- As many as are staged and not fresh are there to stay.
  IF there > staged_rows - fresh THEN
    EXECUTE segmentation_internal.fill(NULL, $q$
      DELETE FROM @(target)@ AS o
      WHERE @(wanted)@ AND NOT EXISTS (SELECT FROM @(staged)@ AS s WHERE @(same_key)@)$q$,
      tables || jsonb_build_object('wanted', mine.wanted, 'same_key', mine.same_key));
    GET DIAGNOSTICS gone = ROW_COUNT;
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    INSERT INTO @(target)@ (@(columns)@)
    SELECT @(values)@ FROM @(staged)@ AS s JOIN @(changes)@ AS c ON s.ctid = c.place
    ON CONFLICT (@(keys)@) DO UPDATE SET @(sets)@$q$,
    tables || jsonb_build_object('changes', changes, 'columns', mine.columns, 'values', mine.values,
      'keys', mine.keys, 'sets', mine.sets));
  EXECUTE format('DROP TABLE %s', changes);
  PERFORM segmentation_internal.workspace_analyze(target_oid, keys IS NULL, written + gone);
  RETURN written + gone;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_write(text, text, text, text, text) IS
  'Part of refresh: makes a table of results equal to a staged one, writing only what differs.';

-- Phase publish. stage is the prefix of the staged tables; partial: only the customers of <stage>keys, the others stay.
CREATE FUNCTION segmentation_internal.workspace_publish(
  ws text, stage text, number integer, as_of date, partial boolean
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys constant text := CASE WHEN partial THEN segmentation_internal.workspace_staged(ws, stage, '@ws@.@keys@') END;
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  again boolean;
  moved bigint;
  list record;
BEGIN
  EXECUTE format('SELECT w.as_of IS NOT DISTINCT FROM $1 FROM %s.workspace AS w', ws) INTO again USING as_of;
  PERFORM segmentation_internal.workspace_write(
    ws, stage, 'customer_facts', segmentation_internal.workspace_staged(ws, stage, '@ws@.@facts@'), keys);
  moved := segmentation_internal.workspace_stage_delta(ws, stage, partial);
  PERFORM segmentation_internal.workspace_write_history(ws, stage, as_of);
  -- How far this day moved each axis.
  IF NOT partial AND (moved > 0 OR NOT again) THEN
    PERFORM segmentation_internal.workspace_write_drift(ws, stage, as_of, again);
  END IF;

  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    CREATE UNLOGGED TABLE @ws@.@result@ AS
    SELECT n.customer, @(codes)@, n.segments,
      coalesce(CASE WHEN d.customer IS NULL THEN o.since END, @'as_of'@) AS since,
      n.next_change_at, @(number)@ AS parameter_set
    FROM @ws@.@segments@ AS n
    LEFT JOIN @ws@.customer_segments AS o ON o.customer = n.customer
    LEFT JOIN (SELECT DISTINCT d.customer FROM @ws@.@delta@ AS d) AS d ON d.customer = n.customer$q$,
    jsonb_build_object('as_of', as_of, 'number', number,
      'codes', segmentation_internal.workspace_each_axis('n.@axis@')));
  PERFORM segmentation_internal.workspace_write(
    ws, stage, 'customer_segments', segmentation_internal.workspace_staged(ws, stage, '@ws@.@result@'), keys);
  FOR list IN
    SELECT l.name, format('%s.%I', ws, stage || l.staged) AS staged
    FROM segmentation.workspace_list AS l ORDER BY l.place
  LOOP
    PERFORM segmentation_internal.workspace_write(ws, stage, list.name, list.staged, keys);
  END LOOP;
  EXECUTE (
    SELECT string_agg(format('DROP TABLE %s.%I', ws, stage || t.name), '; ')
    FROM (
      SELECT unnest('{facts,scores,segments,delta,result}'::text[]) AS name
      UNION ALL
      SELECT l.staged FROM segmentation.workspace_list AS l
      UNION ALL
      SELECT unnest(a.staged) FROM segmentation.workspace_axis AS a) AS t);
  IF NOT partial THEN
    PERFORM segmentation_internal.workspace_publish_all(ws, stage, number, as_of, moved);
  END IF;
  IF (settings ->> 'notify')::boolean AND moved > 0 THEN
    PERFORM pg_notify('segmentation', ws);
  END IF;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_publish(text, text, integer, date, boolean) IS
  'Phase publish of refresh: writes facts, codes, lists, history and events. Returns how many codes changed.';

-- Every code that differs from the published one.
CREATE FUNCTION segmentation_internal.workspace_stage_delta(ws text, stage text, partial boolean) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moved bigint;
BEGIN
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    CREATE UNLOGGED TABLE @ws@.@delta@ AS
    SELECT m.customer, v.axis, v.before, v.after
    FROM (
      SELECT coalesce(n.customer, o.customer) AS customer, @(both)@
      FROM @ws@.@segments@ AS n
      FULL JOIN (SELECT * FROM @ws@.customer_segments AS o @(of_keys)@) AS o ON o.customer = n.customer
      WHERE (@(old)@) IS DISTINCT FROM (@(new)@)) AS m
    CROSS JOIN LATERAL (VALUES @(codes)@) AS v (axis, before, after)
    WHERE v.before IS DISTINCT FROM v.after
    UNION ALL
    SELECT coalesce(n.customer, o.customer), 'segment:' || coalesce(n.key, o.key), o.value, n.value
    FROM (
      SELECT n.customer, e.key, e.value
      FROM @ws@.@segments@ AS n CROSS JOIN LATERAL jsonb_each_text(n.segments) AS e WHERE n.segments <> '{}') AS n
    FULL JOIN (
      SELECT o.customer, e.key, e.value
      FROM @ws@.customer_segments AS o CROSS JOIN LATERAL jsonb_each_text(o.segments) AS e @(of_keys)@) AS o
      ON o.customer = n.customer AND o.key = n.key
    WHERE n.value IS DISTINCT FROM o.value$q$,
    jsonb_build_object(
      'of_keys', CASE WHEN partial
        THEN segmentation_internal.workspace_staged(ws, stage, 'WHERE o.customer IN (SELECT k.customer FROM '
          '@ws@.@keys@ AS k)')
        ELSE '' END,
      'old', segmentation_internal.workspace_each_axis('o.@axis@'),
      'new', segmentation_internal.workspace_each_axis('n.@axis@'),
      'both', (
        SELECT string_agg(format('o.%1$I AS %2$I, n.%1$I AS %3$I', a.axis, 'old ' || a.axis, 'new ' || a.axis), ', ')
        FROM segmentation.workspace_axis AS a),
      'codes', (
        SELECT string_agg(format('(%L, m.%I, m.%I)', a.axis, 'old ' || a.axis, 'new ' || a.axis), ', ' ORDER BY a.place)
        FROM segmentation.workspace_axis AS a)));
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ANALYZE @ws@.@delta@');
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_delta(text, text, boolean) IS
  'Part of refresh: every code that differs from the published one. Returns how many.';

-- The first publication has no events.
CREATE FUNCTION segmentation_internal.workspace_write_history(ws text, stage text, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first boolean;
  publishing text;
BEGIN
  EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s.membership_history)', ws) INTO first;
  IF first THEN
    EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
      INSERT INTO @ws@.membership_history (customer, axis, code, valid_from)
      SELECT d.customer, d.axis, d.after, $1 FROM @ws@.@delta@ AS d ORDER BY d.customer$q$) USING as_of;
    RETURN;
  END IF;
  -- A second change on one day replaces the first.
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    DELETE FROM @ws@.membership_history AS h USING @ws@.@delta@ AS d
    WHERE h.customer = d.customer AND h.axis = d.axis AND h.valid_from = $1$q$) USING as_of;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    UPDATE @ws@.membership_history AS h
    SET valid_to = CASE WHEN h.valid_to = $1 AND h.code = d.after THEN NULL ELSE $1 END
    FROM @ws@.@delta@ AS d
    WHERE h.customer = d.customer AND h.axis = d.axis AND (h.valid_to IS NULL OR h.valid_to = $1)$q$) USING as_of;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    INSERT INTO @ws@.membership_history (customer, axis, code, valid_from)
    SELECT d.customer, d.axis, d.after, $1
    FROM @ws@.@delta@ AS d
    WHERE d.after IS NOT NULL AND NOT EXISTS (
      SELECT FROM @ws@.membership_history AS h
      WHERE h.customer = d.customer AND h.axis = d.axis AND h.valid_to IS NULL)$q$) USING as_of;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    INSERT INTO @ws@.events (as_of, customer, kind, axis, code)
    SELECT $1, d.customer, v.kind, d.axis, v.code
    FROM @ws@.@delta@ AS d CROSS JOIN LATERAL (VALUES ('left', d.before), ('entered', d.after)) AS v (kind, code)
    WHERE v.code IS NOT NULL ORDER BY d.customer, d.axis, v.kind DESC$q$) USING as_of;
  FOR publishing IN
    SELECT a.publish FROM segmentation.workspace_axis AS a WHERE a.publish IS NOT NULL ORDER BY a.place
  LOOP
    EXECUTE format('SELECT %s($1, $2, $3)', publishing) USING ws, stage, as_of;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_write_history(text, text, date) IS
  'Part of refresh: memberships and events, from the codes that changed.';

-- Against the publication of an earlier day, also when a day is published again.
CREATE FUNCTION segmentation_internal.workspace_write_drift(ws text, stage text, as_of date, again boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  places constant jsonb := jsonb_build_object('as_of', as_of);
  before text;
  moves text;
BEGIN
  IF again THEN
    before := segmentation_internal.fill(ws, $q$(
      SELECT h.axis, h.code, count(*) AS n FROM @ws@.membership_history AS h
      WHERE h.valid_from < @'as_of'@ AND (h.valid_to >= @'as_of'@ OR h.valid_to IS NULL) AND h.axis = ANY (@'axes'@)
      GROUP BY 1, 2)$q$, places || jsonb_build_object('axes', segmentation.workspace_axes()::text));
    moves := segmentation_internal.fill(ws, $q$(
      SELECT h.axis, count(*) AS n FROM @ws@.membership_history AS h
      JOIN @ws@.membership_history AS b ON b.customer = h.customer AND b.axis = h.axis AND b.valid_to = h.valid_from
      WHERE h.valid_from = @'as_of'@ GROUP BY 1)$q$, places);
  ELSE
    before := segmentation_internal.workspace_sizes_sql(ws || '.customer_segments');
    moves := segmentation_internal.workspace_staged(ws, stage, $q$(
      SELECT m.axis, count(*) AS n FROM @ws@.@delta@ AS m
      WHERE m.before IS NOT NULL AND m.after IS NOT NULL GROUP BY 1)$q$);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.drift (as_of, axis, psi, customers, moved)
    SELECT $1, d.axis, CASE WHEN sum(d.before) > 0 THEN segmentation.psi(d.before, d.after) END, sum(d.after),
      coalesce((SELECT m.n FROM @(moves)@ AS m WHERE m.axis = d.axis), 0)
    FROM (
      SELECT coalesce(n.axis, o.axis) AS axis, coalesce(o.n, 0)::double precision AS before,
        coalesce(n.n, 0)::double precision AS after
      FROM @(after)@ AS n FULL JOIN @(before)@ AS o ON o.axis = n.axis AND o.code = n.code) AS d
    GROUP BY d.axis
    ON CONFLICT (as_of, axis) DO UPDATE
    SET psi = excluded.psi, customers = excluded.customers, moved = excluded.moved$q$,
    jsonb_build_object('before', before, 'moves', moves, 'after',
      segmentation_internal.workspace_sizes_sql(segmentation_internal.workspace_staged(ws, stage, '@ws@.@segments@'))))
    USING as_of;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_write_drift(text, text, date, boolean) IS
  'Part of refresh: how far a publication moved each axis.';

-- What only the publication of everybody does: products, the queue, the day.
CREATE FUNCTION segmentation_internal.workspace_publish_all(
  ws text, stage text, number integer, as_of date, moved bigint
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation_internal.workspace_write(
    ws, stage, 'product', segmentation_internal.workspace_staged(ws, stage, '@ws@.@catalogue@'), NULL);
  PERFORM segmentation_internal.workspace_forget_queue(ws, stage);
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    UPDATE @ws@.workspace
    SET as_of = $1, parameter_set = $2, definitions = (SELECT d.definitions FROM @ws@.@definitions@ AS d),
      refreshed_at = clock_timestamp(), seen = $3$q$)
    USING as_of, number, segmentation_internal.workspace_seen(ws || '.customer_facts', as_of);
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'DROP TABLE @ws@.@catalogue@, @ws@.@definitions@');
  PERFORM segmentation_internal.workspace_analyze((ws || '.membership_history')::regclass, true, moved);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_publish_all(text, text, integer, date, bigint) IS
  'Part of refresh: the publication of everybody.';

-- Customers by axis and code, as SQL. Internal.
CREATE FUNCTION segmentation_internal.workspace_sizes_sql(relation text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$(
    SELECT CASE @(axes)@ END AS axis, coalesce(@(codes)@) AS code, count(*) AS n
    FROM @(relation)@ AS g GROUP BY GROUPING SETS (@(sets)@))$q$,
    jsonb_build_object('relation', relation,
      'axes', segmentation_internal.workspace_each_axis('WHEN grouping(g.@axis@) = 0 THEN @''axis''@', ' '),
      'codes', segmentation_internal.workspace_each_axis('CASE WHEN grouping(g.@axis@) = 0 THEN g.@axis@ END'),
      'sets', segmentation_internal.workspace_each_axis('(g.@axis@)')));
COMMENT ON FUNCTION segmentation_internal.workspace_sizes_sql(text) IS
  'Part of refresh: customers by axis and code, as SQL.';
