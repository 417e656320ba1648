-- Events, for a campaign tool to read.

-- A dump brings numbers of transactions of another server, perhaps ahead of this one's: they would never end, and what
-- comes next would sort before them. Found by the newest events; numbered anew, all before what runs here. Transactions
-- get one number as long as their events are in the order of their own numbers: so the order in which they are read,
-- and where each reader stands in it, stay as they are with the least numbers.
CREATE FUNCTION segmentation_internal.workspace_after_restore(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_another_server boolean;
BEGIN
  PERFORM segmentation_internal.workspace_mend_queue(ws);
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT coalesce(bool_or(
      t.transaction >= pg_snapshot_xmax(pg_current_snapshot())
      AND t.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0')), false)
    FROM (
      (SELECT e.transaction FROM @ws@.events AS e ORDER BY e.event DESC LIMIT 1000)
      UNION ALL
      SELECT r.transaction FROM @ws@.event_reader AS r) AS t$q$)
    INTO of_another_server;
  IF of_another_server THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      WITH span AS (
        SELECT t.transaction, min(t.event) AS first, max(t.event) AS last
        FROM (
          SELECT e.transaction, e.event FROM @ws@.events AS e
          UNION ALL
          SELECT r.transaction, r.event FROM @ws@.event_reader AS r) AS t
        GROUP BY t.transaction),
      run AS (
        SELECT t.transaction, coalesce(t.first <= max(t.last) OVER (
            ORDER BY t.transaction ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS begins
        FROM span AS t),
      numbered AS MATERIALIZED (
        SELECT r.transaction, least(
            3 + count(*) FILTER (WHERE r.begins) OVER (ORDER BY r.transaction),
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text::xid8 AS number
        FROM run AS r),
      moved AS (
        UPDATE @ws@.events AS e
        SET transaction = n.number
        FROM numbered AS n
        WHERE n.transaction = e.transaction AND n.number <> e.transaction)
      UPDATE @ws@.event_reader AS r
      SET transaction = n.number
      FROM numbered AS n
      WHERE n.transaction = r.transaction AND n.number <> r.transaction$q$);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_after_restore(text) IS
  'Part of refresh: numbers the transactions of events anew after a dump was restored.';

CREATE FUNCTION segmentation.read_events(workspace text, reader text, most integer DEFAULT 1000)
RETURNS TABLE (event bigint, happened_at timestamptz, as_of date, customer text, kind text, axis text, code text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{events,event_reader}');
BEGIN
  -- Numbers are given before the commit: an event of a transaction still running would be passed over for ever. So
  -- events come in the order of their transactions, and only when no earlier one can still come.
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT e.event, e.happened_at, e.as_of, e.customer::text, e.kind, e.axis, e.code
    FROM ONLY @ws@.events AS e
    -- What is seen of a transaction that has not begun here came by a dump.
    WHERE (e.transaction < pg_snapshot_xmin(pg_current_snapshot())
        OR e.transaction >= pg_snapshot_xmax(pg_current_snapshot()))
      AND (e.transaction, e.event) > (
        coalesce((SELECT r.transaction FROM ONLY @ws@.event_reader AS r WHERE r.reader = $1), '0'::xid8),
        coalesce((SELECT r.event FROM ONLY @ws@.event_reader AS r WHERE r.reader = $1), 0))
    ORDER BY e.transaction, e.event
    LIMIT $2$q$)
    USING reader, most;
END
$$;
COMMENT ON FUNCTION segmentation.read_events(text, text, integer) IS
  'The next events for a reader, the oldest first: the same again until confirm_events is called, so that each is read '
  'at least once. An event comes when all transactions that began before it have ended.';

CREATE FUNCTION segmentation.confirm_events(workspace text, reader text, event bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{events}', '{event_reader}');
  moved bigint;
  known bigint;
BEGIN
  IF reader IS NULL OR event IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'reader and event must not be null';
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.event_reader AS r (reader, transaction, event)
    SELECT $1, e.transaction, e.event FROM ONLY @ws@.events AS e WHERE e.event = $2
    ON CONFLICT (reader) DO UPDATE
    SET transaction = excluded.transaction, event = excluded.event, confirmed_at = clock_timestamp()
    WHERE (excluded.transaction, excluded.event) > (r.transaction, r.event)$q$)
    USING reader, event;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved = 0 THEN
    EXECUTE format('SELECT count(*) FROM ONLY %s.events AS e WHERE e.event = $1', ws) INTO known USING event;
    IF known = 0 THEN
      RAISE undefined_object USING MESSAGE = format('workspace %I has no event %s', workspace, event);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.confirm_events(text, text, bigint) IS
  'Notes that a reader has dealt with all events up to this one, in the order of read_events.';
