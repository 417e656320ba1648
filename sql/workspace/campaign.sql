-- Campaigns with a hold-out group.

-- A name is of one campaign, be it of several arms: the rows say whose arms they are.
CREATE FUNCTION segmentation_internal.write_campaign(
  ws text, campaign text, arms text[], salt text, share double precision, about text
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names constant text[] := coalesce((SELECT array_agg(campaign || ': ' || a.arm) FROM unnest(arms) AS a (arm)),
    ARRAY[campaign]);
  written bigint;
  taken boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT EXISTS (SELECT FROM @ws@.campaign AS c WHERE $1 IN (c.campaign, c.arm_of))$q$)
    INTO taken USING campaign;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.campaign (campaign, salt, share, as_of, about, arm_of, arm)
    SELECT n.name, $4, $5, w.as_of, $6, CASE WHEN $3 IS NOT NULL THEN $1 END, $3[n.place]
    FROM @ws@.workspace AS w
    CROSS JOIN unnest($2) WITH ORDINALITY AS n (name, place)
    ON CONFLICT DO NOTHING$q$)
    USING campaign, names, arms, salt, share, about;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF taken OR written < cardinality(names) THEN
    RAISE duplicate_object USING
      MESSAGE = format('workspace %s already has the campaign "%s"', ws, campaign),
      HINT = format('Take another name, or delete its rows from %s.campaign: with them goes who was assigned.', ws);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.write_campaign(text, text, text[], text, double precision, text) IS
  'Part of assign_campaign and assign_arms: writes down a campaign, or its arms, under a name that is free.';

CREATE FUNCTION segmentation.assign_campaign(
  workspace text, campaign text, eligible text, share double precision DEFAULT 0.1, segment_axis text DEFAULT NULL,
  salt text DEFAULT NULL, about text DEFAULT NULL
) RETURNS TABLE (assigned boolean, customers bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  drawn text := coalesce(salt, campaign);
BEGIN
  IF campaign IS NULL OR eligible IS NULL OR share IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'campaign, eligible and share must not be null';
  END IF;
  IF segment_axis IS NOT NULL AND NOT segment_axis = ANY (segmentation.workspace_axes()) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown axis "%s"', segment_axis),
      HINT = format('Axes: %s.', array_to_string(segmentation.workspace_axes(), ', '));
  END IF;
  PERFORM segmentation_internal.write_campaign(ws, campaign, NULL, drawn, share, about);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.campaign_customer (campaign, customer, assigned, segment)
    SELECT $1, e.customer, NOT segmentation.holdout(e.customer::text, $2, $3), @(segment)@
    FROM (SELECT DISTINCT q.customer FROM (@(eligible)@) AS q (customer) WHERE q.customer IS NOT NULL) AS e
    LEFT JOIN @ws@.customer_segments AS s ON s.customer = e.customer$q$,
    jsonb_build_object('eligible', eligible,
      'segment', CASE WHEN segment_axis IS NULL THEN 'NULL' ELSE format('s.%I', segment_axis) END))
    USING campaign, drawn, share;
  RETURN QUERY EXECUTE format($q$
    SELECT c.assigned, count(*)
    FROM %s.campaign_customer AS c
    WHERE c.campaign = $1
    GROUP BY c.assigned
    ORDER BY c.assigned DESC$q$, ws)
    USING campaign;
END
$$;
COMMENT ON FUNCTION segmentation.assign_campaign(text, text, text, double precision, text, text, text) IS
  'Writes down who is eligible for a campaign (a query with one column, run with your rights, its names qualified) and '
  'holds a share of them out by holdout(customer, salt, share); salt is the campaign''s name unless given. '
  'segment_axis: keep that axis'' code, for the uplift by segment.';

CREATE FUNCTION segmentation.campaign_uplift(
  workspace text, campaign text, until date, by_segment boolean DEFAULT false, options jsonb DEFAULT '{}'
) RETURNS TABLE (segment text, bought segmentation.uplift, turnover segmentation.uplift)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace,
    '{campaign,workspace,campaign_customer,customer_facts}');
  assigned_on date;
  published date;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT c.as_of, (c.assigned_at AT TIME ZONE w.time_zone)::date
    FROM ONLY @ws@.campaign AS c
    CROSS JOIN ONLY @ws@.workspace AS w
    WHERE c.campaign = $1$q$)
    INTO published, assigned_on USING campaign;
  IF assigned_on IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no campaign %s', workspace, coalesce(campaign, 'null'));
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT o.segment,
      segmentation.uplift(o.assigned, o.purchases > 0, $4),
      segmentation.uplift(o.assigned, o.turnover::double precision, $4)
    FROM (
      SELECT CASE WHEN $5 THEN c.segment END AS segment, c.assigned,
        coalesce(segmentation.frequency(f.history, $3) - segmentation.frequency(f.history, $2), 0) AS purchases,
        coalesce(segmentation.turnover(f.history, $2, $3), 0) AS turnover
      FROM ONLY @ws@.campaign_customer AS c
      LEFT JOIN ONLY @ws@.customer_facts AS f ON f.customer = c.customer
      WHERE c.campaign = $1) AS o
    GROUP BY o.segment
    ORDER BY o.segment$q$)
    USING campaign, coalesce(published, assigned_on), until, options, by_segment;
END
$$;
COMMENT ON FUNCTION segmentation.campaign_uplift(text, text, date, boolean, jsonb) IS
  'What a campaign brought up to a day after its assignment, in buyers and in turnover: those assigned against those '
  'held out, among those eligible, from the facts of the workspace; by_segment: by the code at assignment.';
