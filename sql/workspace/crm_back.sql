-- The way back: what people did with what was sent to them, into tables that are sources of contacts and consents.

CREATE FUNCTION segmentation.crm_feedback(workspace text, destination text, events jsonb)
RETURNS TABLE (event text, taken bigint)
  LANGUAGE plpgsql ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  d record;
  faults text;
BEGIN
  SELECT * INTO d FROM segmentation_internal.crm_destination_of(ws, destination);
  IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'events must be a jsonb array',
      HINT = 'As [{"id": "m1-7", "key": "7", "event": "click", "at": "2026-01-05T10:00:00Z"}].';
  END IF;
  SELECT string_agg(format('event %s: %s', f.place, f.fault), E'\n' ORDER BY f.place) INTO faults
  FROM (
    SELECT e.place, CASE
        WHEN jsonb_typeof(e.event) <> 'object' THEN 'must be an object'
        WHEN coalesce(e.event ->> 'id', '') = '' OR coalesce(e.event ->> 'key', '') = '' THEN 'needs an id and a key'
        WHEN NOT coalesce(e.event ->> 'event' IN ('sent', 'click', 'reply', 'visit', 'purchase', 'bounce', 'complaint',
          'unsubscribe', 'subscribe'), false) THEN 'must be sent, click, reply, visit, purchase, bounce, complaint, '
          'unsubscribe or subscribe'
        WHEN segmentation.segment_date(coalesce(e.event ->> 'at', '')) IS NULL
          OR segmentation_internal.crm_instant(e.event ->> 'at') IS NULL
          OR e.event ? 'sent_at' AND segmentation_internal.crm_instant(e.event ->> 'sent_at') IS NULL
          THEN 'needs the time at which it happened: "at", as 2026-01-05T10:00:00Z'
        WHEN coalesce(e.event ->> 'channel', d.definition ->> 'channel') IS NULL THEN 'needs a channel' END AS fault
    FROM jsonb_array_elements(events) WITH ORDINALITY AS e (event, place)) AS f
  WHERE f.fault IS NOT NULL AND f.place <= 100000;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = 'invalid events', DETAIL = left(faults, 2000);
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH given AS MATERIALIZED (
      SELECT DISTINCT ON (e.event ->> 'id') e.event ->> 'id' AS id, e.event ->> 'event' AS event, s.customer,
        segmentation_internal.crm_instant(e.event ->> 'at') AS at,
        segmentation_internal.crm_instant(e.event ->> 'sent_at') AS sent_at,
        segmentation_internal.workspace_channel(coalesce(e.event ->> 'channel', $3)) AS channel,
        e.event -> 'hard' = 'true' AS hard, n.time_zone
      FROM @ws@.workspace AS n
      CROSS JOIN jsonb_array_elements($2) WITH ORDINALITY AS e (event, place)
      LEFT JOIN @ws@.crm_sent AS s ON s.destination = $1 AND s.key = e.event ->> 'key'
      ORDER BY e.event ->> 'id', e.place),
    contact AS (
      INSERT INTO @ws@.crm_contact AS c (destination, id, customer, channel, sent_at, response, responded_at)
      SELECT $1, g.id, g.customer, g.channel, coalesce(g.sent_at, g.at), NULLIF(g.event, 'sent'),
        CASE WHEN g.event <> 'sent' THEN g.at END
      FROM given AS g WHERE g.customer IS NOT NULL AND g.event <> 'subscribe'
      ON CONFLICT DO NOTHING
      RETURNING id),
    consent AS (
      INSERT INTO @ws@.crm_consent AS c (destination, id, customer, channel, granted, changed_on)
      SELECT $1, g.id, g.customer, g.channel, g.event = 'subscribe', (g.at AT TIME ZONE g.time_zone)::date
      FROM given AS g WHERE g.customer IS NOT NULL AND g.event IN ('unsubscribe', 'complaint', 'subscribe')
      ON CONFLICT DO NOTHING
      RETURNING id),
    -- At once, whether these tables are sources or not.
    suppressed AS (
      INSERT INTO @ws@.crm_suppressed AS x (customer, channel, reason, since)
      SELECT DISTINCT ON (g.customer, g.channel) g.customer, g.channel, g.event, g.at
      FROM given AS g
      WHERE g.customer IS NOT NULL AND (g.event IN ('unsubscribe', 'complaint') OR g.event = 'bounce' AND g.hard)
      ORDER BY g.customer, g.channel, g.at
      ON CONFLICT DO NOTHING),
    freed AS (
      DELETE FROM @ws@.crm_suppressed AS x
      USING given AS g
      WHERE g.event = 'subscribe' AND x.customer = g.customer AND x.channel = g.channel AND x.reason = 'unsubscribe'
        AND x.since <= g.at)
    SELECT CASE WHEN g.customer IS NULL THEN 'unknown' ELSE g.event END, count(*)
    FROM given AS g
    WHERE g.customer IS NULL OR g.id IN (SELECT c.id FROM contact AS c) OR g.id IN (SELECT c.id FROM consent AS c)
    GROUP BY 1 ORDER BY 1$q$)
    USING destination, events, d.definition ->> 'channel';
END
$$;
COMMENT ON FUNCTION segmentation.crm_feedback(text, text, jsonb) IS
  'Takes what came back from a destination into crm_contact and crm_consent of the workspace, each event once by its '
  'id: sent, click, reply, visit, purchase, bounce, complaint, unsubscribe, subscribe. Who unsubscribes, complains or '
  'bounces for good ("hard": true) is suppressed at once. unknown: keys that the destination was not sent.';

CREATE FUNCTION segmentation_internal.crm_instant(given text) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN isfinite(given::timestamptz) THEN given::timestamptz END;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_instant(text) IS 'Part of crm_feedback: an instant; NULL if it is none.';
