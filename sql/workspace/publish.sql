-- Publication: what was staged becomes the result, in one transaction. Only rows that differ are written, so readers
-- wait for nothing and see either the result before or the one after.

CREATE FUNCTION segmentation.workspace_axes() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{rfm,pmg,churn,loyalty,future_value,product_appetence,channel_appetence,profile,life_moment}'::text[];
COMMENT ON FUNCTION segmentation.workspace_axes() IS 'The nine axes, in their order.';

-- Makes the rows of a result table equal to the staged ones, for the customers of keys (NULL: for all). Returns how
-- many rows were written.
CREATE FUNCTION segmentation_internal.workspace_write(ws text, target text, staged text, keys text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  table_oid regclass := format('%s.%I', ws, target)::regclass;
  key_columns text[];
  all_columns text[];
  written bigint;
  gone bigint;
BEGIN
  SELECT array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (i.indkey)), array_agg(a.attname ORDER BY a.attnum)
    INTO key_columns, all_columns
  FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE i.indrelid = table_oid AND i.indisprimary;
  EXECUTE format('DELETE FROM %s AS o WHERE %s NOT EXISTS (SELECT FROM %s AS s WHERE %s)', table_oid,
    CASE WHEN keys IS NULL THEN '' ELSE format('o.customer IN (SELECT k.customer FROM %s AS k) AND', keys) END, staged,
    (SELECT string_agg(format('s.%1$I = o.%1$I', c), ' AND ') FROM unnest(key_columns) AS c));
  GET DIAGNOSTICS gone = ROW_COUNT;
  -- What is there already is left out before the conflict: a row in conflict is locked, and written, even if it stays.
  -- IS DISTINCT FROM looks for = on the path, where that of our types is not.
  EXECUTE format('INSERT INTO %s AS o (%2$s) SELECT %2$s FROM %3$s AS s
                  WHERE NOT EXISTS (SELECT FROM %1$s AS o WHERE %4$s AND %5$s)
                  ON CONFLICT (%6$s) DO UPDATE SET %7$s', table_oid,
    (SELECT string_agg(quote_ident(c), ', ') FROM unnest(all_columns) AS c), staged,
    (SELECT string_agg(format('o.%1$I = s.%1$I', c), ' AND ') FROM unnest(key_columns) AS c),
    (SELECT string_agg(format(CASE t.typnamespace WHEN 'segmentation'::regnamespace
         THEN '(o.%1$I OPERATOR(segmentation.=) s.%1$I OR o.%1$I IS NULL AND s.%1$I IS NULL)'
         ELSE 'o.%1$I IS NOT DISTINCT FROM s.%1$I' END, a.attname), ' AND ')
     FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
     WHERE a.attrelid = table_oid AND a.attname = ANY (all_columns) AND NOT a.attname = ANY (key_columns)),
    (SELECT string_agg(quote_ident(c), ', ') FROM unnest(key_columns) AS c),
    (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(all_columns) AS c WHERE NOT c = ANY (key_columns)));
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written + gone;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_write(text, text, text, text) IS 'Part of refresh: makes a table of results equal to a staged one, writing only what differs.';

-- Phase publish. stage is the prefix of the staged tables; partial: only the customers of <stage>keys, the others stay.
CREATE FUNCTION segmentation_internal.workspace_publish(ws text, stage text, number integer, as_of date, partial boolean) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at text := ws || '.' || stage;
  keys text := CASE WHEN partial THEN at || 'keys' END;
  of_keys text := CASE WHEN partial THEN format('WHERE o.customer IN (SELECT k.customer FROM %skeys AS k)', at) ELSE '' END;
  first boolean;
  again boolean;
  moved bigint;
  settings jsonb := segmentation_internal.workspace_settings_now(ws);
BEGIN
  EXECUTE format('SELECT NOT EXISTS (SELECT FROM %1$s.membership_history), w.as_of IS NOT DISTINCT FROM $1 FROM %1$s.workspace AS w', ws) INTO first, again USING as_of;
  PERFORM segmentation_internal.workspace_write(ws, 'customer_facts', at || 'facts', keys);

  -- Every code that differs from the published one.
  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$sdelta AS
    SELECT coalesce(n.customer, o.customer) AS customer, v.axis, v.before, v.after
    FROM %1$ssegments AS n
    FULL JOIN (SELECT * FROM %2$s.customer_segments AS o %3$s) AS o ON o.customer = n.customer
    CROSS JOIN LATERAL (VALUES %4$s) AS v (axis, before, after)
    WHERE v.before IS DISTINCT FROM v.after
    UNION ALL
    SELECT coalesce(n.customer, o.customer), 'segment:' || coalesce(n.key, o.key), o.value, n.value
    FROM (SELECT n.customer, e.key, e.value FROM %1$ssegments AS n CROSS JOIN LATERAL jsonb_each_text(n.segments) AS e WHERE n.segments <> '{}') AS n
    FULL JOIN (SELECT o.customer, e.key, e.value FROM %2$s.customer_segments AS o CROSS JOIN LATERAL jsonb_each_text(o.segments) AS e %3$s) AS o
      ON o.customer = n.customer AND o.key = n.key
    WHERE n.value IS DISTINCT FROM o.value$q$, at, ws, of_keys,
    (SELECT string_agg(format('(%L, o.%I, n.%1$I)', a, a), ', ') FROM unnest(segmentation.workspace_axes()) AS a));
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('ANALYZE %sdelta', at);

  IF first THEN
    EXECUTE format('INSERT INTO %2$s.membership_history (customer, axis, code, valid_from)
                    SELECT d.customer, d.axis, d.after, $1 FROM %1$sdelta AS d ORDER BY d.customer', at, ws) USING as_of;
  ELSE
    -- A second change on one day replaces the first.
    EXECUTE format('DELETE FROM %2$s.membership_history AS h USING %1$sdelta AS d
                    WHERE h.customer = d.customer AND h.axis = d.axis AND h.valid_from = $1', at, ws) USING as_of;
    EXECUTE format('UPDATE %2$s.membership_history AS h SET valid_to = CASE WHEN h.valid_to = $1 AND h.code = d.after THEN NULL ELSE $1 END
                    FROM %1$sdelta AS d WHERE h.customer = d.customer AND h.axis = d.axis AND (h.valid_to IS NULL OR h.valid_to = $1)', at, ws) USING as_of;
    EXECUTE format('INSERT INTO %2$s.membership_history (customer, axis, code, valid_from)
                    SELECT d.customer, d.axis, d.after, $1 FROM %1$sdelta AS d
                    WHERE d.after IS NOT NULL AND NOT EXISTS (
                      SELECT FROM %2$s.membership_history AS h WHERE h.customer = d.customer AND h.axis = d.axis AND h.valid_to IS NULL)', at, ws) USING as_of;
    EXECUTE format($q$
      INSERT INTO %2$s.events (as_of, customer, kind, axis, code)
      SELECT $1, d.customer, v.kind, d.axis, v.code
      FROM %1$sdelta AS d CROSS JOIN LATERAL (VALUES ('left', d.before), ('entered', d.after)) AS v (kind, code)
      WHERE v.code IS NOT NULL ORDER BY d.customer, d.axis, v.kind DESC$q$, at, ws) USING as_of;
    EXECUTE format($q$
      INSERT INTO %2$s.events (as_of, customer, kind, axis, code)
      SELECT $1, m.customer, 'begun', 'life_moment', m.moment
      FROM %1$smoments AS m
      WHERE m.begins <= $1 AND NOT EXISTS (SELECT FROM %2$s.life_moments AS o WHERE o.customer = m.customer AND o.moment = m.moment AND o.begins <= $1)
      ORDER BY m.customer, m.moment$q$, at, ws) USING as_of;
  END IF;

  -- How far this day moved each axis: against the publication of an earlier day, also when it is published again.
  IF NOT partial AND (moved > 0 OR NOT again) THEN
    EXECUTE format($q$
      INSERT INTO %2$s.drift (as_of, axis, psi, customers, moved)
      SELECT $1, d.axis, CASE WHEN sum(d.before) > 0 THEN segmentation.psi(d.before, d.after) END, sum(d.after), coalesce((SELECT m.n FROM %5$s AS m WHERE m.axis = d.axis), 0)
      FROM (SELECT coalesce(n.axis, o.axis) AS axis, coalesce(o.n, 0)::double precision AS before, coalesce(n.n, 0)::double precision AS after
            FROM %3$s AS n FULL JOIN %4$s AS o ON o.axis = n.axis AND o.code = n.code) AS d
      GROUP BY d.axis
      ON CONFLICT (as_of, axis) DO UPDATE SET psi = excluded.psi, customers = excluded.customers, moved = excluded.moved$q$,
      at, ws, segmentation_internal.workspace_sizes_sql(at || 'segments'),
      CASE WHEN again THEN format($s$(SELECT h.axis, h.code, count(*) AS n FROM %s.membership_history AS h
          WHERE h.valid_from < %L AND (h.valid_to >= %2$L OR h.valid_to IS NULL) AND h.axis = ANY (segmentation.workspace_axes()) GROUP BY 1, 2)$s$, ws, as_of)
        ELSE segmentation_internal.workspace_sizes_sql(ws || '.customer_segments') END,
      CASE WHEN again THEN format($s$(SELECT h.axis, count(*) AS n FROM %1$s.membership_history AS h
          JOIN %1$s.membership_history AS b ON b.customer = h.customer AND b.axis = h.axis AND b.valid_to = h.valid_from WHERE h.valid_from = %2$L GROUP BY 1)$s$, ws, as_of)
        ELSE format('(SELECT m.axis, count(*) AS n FROM %sdelta AS m WHERE m.before IS NOT NULL AND m.after IS NOT NULL GROUP BY 1)', at) END)
      USING as_of;
  END IF;

  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$sresult AS
    SELECT n.customer, n.rfm, n.pmg, n.churn, n.loyalty, n.future_value, n.product_appetence, n.channel_appetence, n.profile, n.life_moment,
      n.segments, coalesce(CASE WHEN d.customer IS NULL THEN o.since END, %3$L) AS since, n.next_change_at, %4$s AS parameter_set
    FROM %1$ssegments AS n
    LEFT JOIN %2$s.customer_segments AS o ON o.customer = n.customer
    LEFT JOIN (SELECT DISTINCT d.customer FROM %1$sdelta AS d) AS d ON d.customer = n.customer$q$, at, ws, as_of, number);
  PERFORM segmentation_internal.workspace_write(ws, 'customer_segments', at || 'result', keys);
  PERFORM segmentation_internal.workspace_write(ws, 'customer_products', at || 'products', keys);
  PERFORM segmentation_internal.workspace_write(ws, 'customer_channels', at || 'channels', keys);
  PERFORM segmentation_internal.workspace_write(ws, 'life_moments', at || 'moments', keys);
  EXECUTE format('DROP TABLE %1$sfacts, %1$sscores, %1$ssegments, %1$sproducts, %1$schannels, %1$smoments, %1$schannel_changes, %1$smoment_codes, %1$sdelta, %1$sresult', at);
  IF NOT partial THEN
    PERFORM segmentation_internal.workspace_write(ws, 'product', at || 'catalogue', NULL);
    EXECUTE format('DROP TABLE %scatalogue; ANALYZE %s.product', at, ws);
    PERFORM segmentation_internal.workspace_forget_queue(ws, stage);
    EXECUTE format('UPDATE %1$s.workspace SET as_of = $1, parameter_set = $2, definitions = (SELECT d.definitions FROM %1$s.%2$I AS d), refreshed_at = clock_timestamp()', ws, stage || 'definitions')
      USING as_of, number;
    EXECUTE format('DROP TABLE %s.%I', ws, stage || 'definitions');
    EXECUTE format('ANALYZE %1$s.customer_facts, %1$s.customer_segments, %1$s.membership_history, %1$s.customer_products, %1$s.customer_channels, %1$s.life_moments', ws);
  END IF;
  IF (settings ->> 'notify')::boolean AND moved > 0 THEN
    PERFORM pg_notify('segmentation', ws);
  END IF;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_publish(text, text, integer, date, boolean) IS
  'Phase publish of refresh: writes facts, codes, lists, history and events. Returns how many codes changed.';

-- Customers by axis and code, as SQL. Internal.
CREATE FUNCTION segmentation_internal.workspace_sizes_sql(relation text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT format('(SELECT CASE %s END AS axis, coalesce(%s) AS code, count(*) AS n FROM %s AS g GROUP BY GROUPING SETS (%s))',
    string_agg(format('WHEN grouping(g.%I) = 0 THEN %1$L', a), ' '), string_agg(format('CASE WHEN grouping(g.%I) = 0 THEN g.%1$I END', a), ', '),
    relation, string_agg(format('(g.%I)', a), ', ')) FROM unnest(segmentation.workspace_axes()) AS a);
COMMENT ON FUNCTION segmentation_internal.workspace_sizes_sql(text) IS 'Part of refresh: customers by axis and code, as SQL.';
