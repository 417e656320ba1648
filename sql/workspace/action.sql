-- The best action for each customer: an offer, by a channel, at an hour; or none.

-- What each offer would bring, and how likely it is the one that is taken: its part of what the customer would buy of
-- the offers. A margin of the product, or else what a response brings on average (channel_margin).
CREATE FUNCTION segmentation_internal.workspace_action_offers_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT o.customer, o.place, o.product, coalesce(p.name, o.product) AS name, o.reason, o.reason_fr,
      coalesce(p.margin * p.price, n.margin)::double precision AS margin,
      o.probability / NULLIF(sum(o.probability) OVER (PARTITION BY o.customer), 0) AS share
    FROM ONLY @ws@.customer_products AS o
    LEFT JOIN ONLY @ws@.product AS p ON p.product = o.product
    CROSS JOIN (
      SELECT (g.settings ->> 'channel_margin')::numeric AS margin
      FROM ONLY @ws@.workspace AS w JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set) AS n)$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_action_offers_sql() IS
  'Part of customer_actions: what each offer would bring, as SQL.';

-- Who is held out of a campaign of the last days is left alone, or its measure would be of nothing.
CREATE FUNCTION segmentation_internal.workspace_held_out_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT DISTINCT c.customer
    FROM ONLY @ws@.workspace AS w
    JOIN ONLY @ws@.campaign AS m ON coalesce(m.as_of, (m.assigned_at AT TIME ZONE w.time_zone)::date) > w.as_of - $2
    JOIN ONLY @ws@.campaign_customer AS c ON c.campaign = m.campaign AND NOT c.assigned)$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_held_out_sql() IS
  'Part of customer_actions: who is held out of a campaign under way, as SQL.';

CREATE FUNCTION segmentation.customer_actions(
  workspace text, incremental double precision DEFAULT 1, held_out_days integer DEFAULT 28
) RETURNS TABLE (
  customer text, action text, reason text, channel text, product text, product_name text, best_day smallint,
  best_hour smallint, response_rate double precision, cost double precision, expected_value double precision,
  offer_reason text, offer_reason_fr text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.workspace_schema(workspace);
  -- Who is to be left alone is known where there are destinations.
  told constant boolean := to_regclass(ws || '.crm_suppressed') IS NOT NULL;
BEGIN
  ws := segmentation_internal.workspace_readable(workspace,
    '{workspace,parameter_set,customer_segments,customer_products,product,customer_channels,campaign,'
    'campaign_customer}'::text[] || CASE WHEN told THEN '{crm_suppressed}'::text[] END);
  IF (incremental >= 0 AND incremental <= 1) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('incremental must be from 0 to 1, not %s', coalesce(incremental::text, 'null')),
      HINT = 'It is the share of responses that would not have come without the contact: see campaign_uplift.';
  END IF;
  IF (held_out_days >= 0) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('held_out_days must be at least 0, not %s', coalesce(held_out_days::text, 'null'));
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH channels AS NOT MATERIALIZED (
      SELECT c.* FROM ONLY @ws@.customer_channels AS c WHERE NOT @(suppressed)@),
    could AS MATERIALIZED (
      SELECT c.customer, c.channel, o.product, o.name, c.best_day, c.best_hour, c.mean, k.cost, o.reason, o.reason_fr,
        c.mean * $1 * o.share * o.margin - k.cost AS value,
        row_number() OVER (
          PARTITION BY c.customer
          ORDER BY c.mean * $1 * o.share * o.margin - k.cost DESC, c.place, c.channel COLLATE "C", o.place) AS place
      FROM ONLY @ws@.workspace AS w
      JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
      CROSS JOIN channels AS c
      CROSS JOIN LATERAL (
        SELECT coalesce((g.settings -> 'channel_costs' ->> c.channel)::double precision, 0) AS cost) AS k
      JOIN @(offers)@ AS o ON o.customer = c.customer
      WHERE c.eligible AND o.share IS NOT NULL),
    reached AS (
      SELECT c.customer, bool_or(c.eligible) AS eligible, bool_or(c.reason = 'pressure') AS pressed
      FROM channels AS c
      GROUP BY c.customer)
    SELECT s.customer::text, CASE a.reason WHEN 'best' THEN 'contact' ELSE 'none' END, a.reason,
      b.channel, b.product, b.name, b.best_day, b.best_hour, b.mean, b.cost, coalesce(b.value, 0), b.reason, b.reason_fr
    FROM ONLY @ws@.customer_segments AS s
    LEFT JOIN @(held_out)@ AS h ON h.customer = s.customer
    LEFT JOIN reached AS r ON r.customer = s.customer
    LEFT JOIN could AS d ON d.customer = s.customer AND d.place = 1
    CROSS JOIN LATERAL (
      SELECT CASE WHEN h.customer IS NOT NULL THEN 'held_out' WHEN r.eligible AND d.customer IS NULL THEN 'no_offer'
        WHEN r.eligible AND d.value > 0 THEN 'best' WHEN r.eligible THEN 'not_worth'
        WHEN r.pressed THEN 'pressure' ELSE 'no_consent' END AS reason) AS a
    LEFT JOIN could AS b ON b.customer = s.customer AND b.place = 1 AND a.reason = 'best'
    ORDER BY s.customer$q$, jsonb_build_object(
      'offers', segmentation_internal.fill(ws, segmentation_internal.workspace_action_offers_sql()),
      'held_out', segmentation_internal.fill(ws, segmentation_internal.workspace_held_out_sql()),
      'suppressed', CASE WHEN told THEN segmentation_internal.fill(ws, $s$EXISTS (
        SELECT FROM ONLY @ws@.crm_suppressed AS q
        WHERE q.customer = c.customer
          AND (q.channel = '*' OR segmentation_internal.workspace_channel(q.channel) = c.channel))$s$)
        ELSE 'false' END))
    USING incremental, held_out_days;
END
$$;
COMMENT ON FUNCTION segmentation.customer_actions(text, double precision, integer) IS
  'For each customer the offer and channel of the highest expected value, and when: the response rate, times the share '
  'of responses that a contact makes (incremental), times the part of the offer and its margin, less the cost. none is '
  'an action: held_out of a campaign of the last held_out_days, no_consent (or suppressed), pressure, no_offer, '
  'not_worth.';
