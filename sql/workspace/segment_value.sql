-- What each segment was worth, day by day: kept when the views for BI tools are made, as later facts would tell of
-- another past.

CREATE FUNCTION segmentation_internal.workspace_make_values(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass(ws || '.segment_value') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE TABLE @ws@.segment_value (
        as_of date,
        axis text,
        code text,
        turnover numeric NOT NULL,
        future_value numeric NOT NULL,
        expected_churners double precision,
        PRIMARY KEY (as_of, axis, code)
      );
      -- Also where a member of the owner's role upgrades.
      ALTER TABLE @ws@.segment_value OWNER TO @owner@$q$,
      jsonb_build_object('owner', (
        SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.oid = ws::regnamespace)));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_values(text) IS
  'Part of create_workspace: the table of what segments were worth.';

-- Of the day that bi_segment_size shows, which was just made; a day that was published twice has what holds.
CREATE FUNCTION segmentation_internal.workspace_keep_values(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Of a workspace that was not upgraded yet, nothing is kept.
  IF to_regclass(ws || '.segment_value') IS NULL THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws,
    'DELETE FROM @ws@.segment_value AS v WHERE v.as_of IN (SELECT s.as_of FROM @ws@.bi_segment_size AS s)');
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.segment_value (as_of, axis, code, turnover, future_value, expected_churners)
    SELECT s.as_of, s.axis, s.code, s.turnover, s.future_value, s.expected_churners
    FROM @ws@.bi_segment_size AS s
    WHERE s.as_of IS NOT NULL$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_keep_values(text) IS
  'Part of refresh_views: keeps what segments are worth on the published day.';
