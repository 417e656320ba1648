-- Campaigns of several arms, drawn within segments, and what a campaign returned for what it cost.

-- A number from 0 to 1 that a text and a salt decide.
CREATE FUNCTION segmentation_internal.arm_hash(key text, salt text) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN ((hashtextextended(key, hashtextextended(salt, 0)) >> 12) + 2251799813685248) / 4503599627370496.0;
COMMENT ON FUNCTION segmentation_internal.arm_hash(text, text) IS
  'Part of assign_arms: a number from 0 to 1 by the hash of a key.';

-- The arms in the order of their names, with where each begins and ends between 0 and 1.
CREATE FUNCTION segmentation_internal.campaign_arms(arms jsonb)
RETURNS TABLE (arm text, begins double precision, ends double precision)
  LANGUAGE plpgsql IMMUTABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(arms) IS DISTINCT FROM 'object' OR arms = '{}' OR EXISTS (
    SELECT FROM jsonb_each(CASE jsonb_typeof(arms) WHEN 'object' THEN arms ELSE '{}' END) AS e
    WHERE btrim(e.key) = '' OR (CASE jsonb_typeof(e.value) WHEN 'number' THEN e.value::numeric > 0 END) IS NOT TRUE)
  THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'arms must be an object of names and weights above 0',
      HINT = 'As {"email": 1, "sms": 1}: two arms of one size.';
  END IF;
  RETURN QUERY
    SELECT w.arm, coalesce(lag(w.upto) OVER (ORDER BY w.arm COLLATE "C"), 0), w.upto
    FROM (
      SELECT e.key AS arm, (sum(e.value::numeric) OVER (ORDER BY e.key COLLATE "C")
        / sum(e.value::numeric) OVER ())::double precision AS upto
      FROM jsonb_each(arms) AS e) AS w
    ORDER BY w.arm COLLATE "C";
END
$$;
COMMENT ON FUNCTION segmentation_internal.campaign_arms(jsonb) IS
  'Part of assign_arms: the arms with their parts, or an error.';

-- Within a segment all are put in the order of their hash and dealt out from a place that the salt decides: so each has
-- the chance that was asked for, and each segment has its part of every arm, but for one customer.
CREATE FUNCTION segmentation_internal.campaign_drawn_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $q$(
    SELECT o.customer, o.segment, t.part - floor(t.part) AS part
    FROM (
      SELECT e.customer, e.segment, count(*) OVER (PARTITION BY e.segment) AS customers,
        row_number() OVER (
          PARTITION BY e.segment
          ORDER BY segmentation_internal.arm_hash(e.customer::text, $1), e.customer) AS place
      FROM (
        SELECT DISTINCT q.customer, @(segment)@ AS segment
        FROM (@(eligible)@) AS q (customer)
        LEFT JOIN @ws@.customer_segments AS s ON s.customer = q.customer
        WHERE q.customer IS NOT NULL) AS e) AS o
    CROSS JOIN LATERAL (
      SELECT (o.place - 0.5) / o.customers
        + segmentation_internal.arm_hash(coalesce(o.segment, ''), $1) AS part) AS t)$q$;
COMMENT ON FUNCTION segmentation_internal.campaign_drawn_sql() IS
  'Part of assign_arms: who is eligible, dealt out within segments, as SQL.';

CREATE FUNCTION segmentation.assign_arms(
  workspace text, campaign text, eligible text, arms jsonb, share double precision DEFAULT 0.1,
  segment_axis text DEFAULT NULL, salt text DEFAULT NULL, about text DEFAULT NULL
) RETURNS TABLE (arm text, segment text, customers bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  drawn constant text := coalesce(salt, campaign);
BEGIN
  IF campaign IS NULL OR eligible IS NULL OR arms IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'campaign, eligible and arms must not be null';
  END IF;
  IF (share > 0 AND share < 1) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('share must be between 0 and 1, not %s', coalesce(share::text, 'null')),
      HINT = 'It is the share of those eligible that is held out, which every arm is measured against.';
  END IF;
  IF segment_axis IS NOT NULL AND NOT segment_axis = ANY (segmentation.workspace_axes()) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown axis "%s"', segment_axis),
      HINT = format('Axes: %s.', array_to_string(segmentation.workspace_axes(), ', '));
  END IF;
  PERFORM segmentation_internal.write_campaign(ws, campaign,
    (SELECT array_agg(a.arm ORDER BY a.arm COLLATE "C") FROM segmentation_internal.campaign_arms(arms) AS a),
    drawn, share, about);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.campaign_customer (campaign, customer, assigned, segment)
    SELECT $2 || ': ' || a.arm, d.customer, d.part >= $3, d.segment
    FROM @(drawn)@ AS d
    JOIN segmentation_internal.campaign_arms($4) AS a
      ON d.part < $3
      OR (d.part - $3) / (1 - $3) >= a.begins AND ((d.part - $3) / (1 - $3) < a.ends OR a.ends = 1)$q$,
    jsonb_build_object('drawn', segmentation_internal.fill(ws, segmentation_internal.campaign_drawn_sql(),
      jsonb_build_object('eligible', eligible,
        'segment', CASE WHEN segment_axis IS NULL THEN 'NULL::text' ELSE format('s.%I', segment_axis) END))))
    USING drawn, campaign, share, arms;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.arm, g.segment, count(DISTINCT g.customer)
    FROM (
      SELECT CASE WHEN c.assigned THEN a.arm END AS arm, c.segment, c.customer
      FROM segmentation_internal.campaign_arms($2) AS a
      JOIN @ws@.campaign_customer AS c ON c.campaign = $1 || ': ' || a.arm) AS g
    GROUP BY g.arm, g.segment
    ORDER BY g.arm COLLATE "C" NULLS LAST, g.segment COLLATE "C"$q$) USING campaign, arms;
END
$$;
COMMENT ON FUNCTION segmentation.assign_arms(text, text, text, jsonb, double precision, text, text, text) IS
  'A campaign of several arms against one hold-out group: draws those eligible (a query with one column, run with your '
  'rights, its names qualified) within the codes of segment_axis, share of them held out and the rest by the weights '
  'in arms, and writes each arm as the campaign "campaign: arm". Returns customers by arm (NULL: held out) and '
  'segment.';

-- Several arms against one hold-out: an interval is made wider by Bonferroni, so that all of them hold together.
CREATE FUNCTION segmentation_internal.options_of_arms(options jsonb, arms integer) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN arms < 2 OR jsonb_typeof(options) IS DISTINCT FROM 'object'
      OR jsonb_typeof(coalesce(options -> 'level', '0')) <> 'number'
    THEN options
    ELSE options || jsonb_build_object('level',
      least(1 - (1 - coalesce((options ->> 'level')::double precision, 0.95)) / arms, 0.999999))
    END;
COMMENT ON FUNCTION segmentation_internal.options_of_arms(jsonb, integer) IS
  'Part of campaign_roi: the level of an interval such that those of several arms hold together.';

CREATE FUNCTION segmentation.campaign_roi(
  workspace text, campaign text, until date, costs jsonb DEFAULT '{}', fixed_cost double precision DEFAULT 0,
  margin double precision DEFAULT 1, options jsonb DEFAULT '{}'
) RETURNS TABLE (
  campaign_arm text, assigned bigint, held_out bigint, cost double precision, gain double precision,
  gain_lower double precision, gain_upper double precision, net double precision, net_lower double precision,
  net_upper double precision, roi double precision, roi_lower double precision, roi_upper double precision, verdict text
)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{campaign}');
  names text[];
  arms text[];
  unknown text;
BEGIN
  IF (margin > 0 AND margin <= 1) IS NOT TRUE OR (fixed_cost >= 0 AND fixed_cost < 'infinity') IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'margin must be above 0 and at most 1, fixed_cost a number from 0 on';
  END IF;
  IF jsonb_typeof(costs) IS DISTINCT FROM 'object' OR EXISTS (
    SELECT FROM jsonb_each(CASE jsonb_typeof(costs) WHEN 'object' THEN costs ELSE '{}' END) AS e
    WHERE (CASE jsonb_typeof(e.value) WHEN 'number' THEN e.value::numeric >= 0 END) IS NOT TRUE)
  THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'costs must be an object of arms and the cost of one contact',
      HINT = 'As {"email": 0.01, "sms": 0.08}; of a campaign without arms by its own name.';
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT array_agg(c.campaign ORDER BY c.campaign COLLATE "C"),
      array_agg(CASE WHEN c.campaign = $1 THEN c.campaign ELSE c.arm END ORDER BY c.campaign COLLATE "C")
    FROM ONLY @ws@.campaign AS c
    WHERE $1 IN (c.campaign, c.arm_of)$q$) INTO names, arms USING campaign;
  IF names IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no campaign %s', workspace, coalesce(campaign, 'null'));
  END IF;
  SELECT min(k.arm) INTO unknown FROM jsonb_object_keys(costs) AS k (arm) WHERE NOT k.arm = ANY (arms);
  IF unknown IS NOT NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('campaign %s has no arm "%s"', campaign, unknown),
      HINT = format('costs are by: %s.', array_to_string(arms, ', '));
  END IF;
  RETURN QUERY
    SELECT n.name, u.assigned, u.held_out, k.cost, margin * u.incremental, margin * u.incremental_lower,
      margin * u.incremental_upper, margin * u.incremental - k.cost, margin * u.incremental_lower - k.cost,
      margin * u.incremental_upper - k.cost, margin * u.incremental / NULLIF(k.cost, 0) - 1,
      margin * u.incremental_lower / NULLIF(k.cost, 0) - 1, margin * u.incremental_upper / NULLIF(k.cost, 0) - 1,
      CASE WHEN margin * u.incremental_lower > k.cost THEN 'pays'
        WHEN margin * u.incremental_upper < k.cost THEN 'loses' ELSE 'undecided' END
    FROM unnest(names, arms) AS n (name, arm)
    CROSS JOIN LATERAL segmentation.campaign_uplift(workspace, n.name, until, false,
      segmentation_internal.options_of_arms(options, cardinality(names))) AS m
    CROSS JOIN LATERAL (SELECT (m.turnover).*) AS u
    CROSS JOIN LATERAL (
      SELECT u.assigned * coalesce((costs ->> n.arm)::double precision, 0)
        + fixed_cost / cardinality(names) AS cost) AS k
    ORDER BY n.name COLLATE "C";
END
$$;
COMMENT ON FUNCTION segmentation.campaign_roi(
  text, text, date, jsonb, double precision, double precision, jsonb) IS
  'What a campaign, or each arm of it, returned up to a day: its cost (costs: of one contact by arm; fixed_cost: of '
  'all arms together, shared evenly), the margin of the turnover that it brought against those held out with its '
  'interval, and so net and ROI (net over cost) with theirs; the intervals of several arms hold together. '
  'verdict: pays, loses, undecided.';
