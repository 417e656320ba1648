-- Scores and codes, set-based, from facts and a parameter set.

-- All continuous scores of a relation of facts, by parameters: a relation of one row, constants when a refresh computes
-- all customers, p of the query around it in the view customer_scores. What several scores share is computed first, in
-- a subquery: for the whole relation over the relation itself (fenced by '0', since 0 is a cast, which no workers
-- pass), since no workers share a scan with a subquery that has no FROM; else over each row, since no condition on the
-- customer would come through to an index.
CREATE FUNCTION segmentation_internal.workspace_score_sql(facts text, parameters text, whole boolean) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, CASE WHEN whole THEN $q$
    SELECT f.customer, p.as_of, @(scores)@
    FROM @(parameters)@ AS p
    CROSS JOIN (SELECT f.*, @(shared)@ FROM @(parameters)@ AS p CROSS JOIN @(facts)@ AS f OFFSET '0') AS f$q$
    ELSE $q$
    SELECT k.customer, p.as_of, @(scores)@
    FROM @(parameters)@ AS p
    CROSS JOIN @(facts)@ AS k
    CROSS JOIN LATERAL (SELECT f.*, @(shared)@ FROM (SELECT k.*) AS f OFFSET 0) AS f$q$ END,
    jsonb_build_object(
      'scores', (
        SELECT string_agg(format('%s AS %I', s.expression, s.name), ', ' ORDER BY s.place)
        FROM segmentation.workspace_score AS s),
      'shared', (
        SELECT string_agg(a.scored_from, ', ' ORDER BY a.place)
        FROM segmentation.workspace_axis AS a),
      'facts', facts, 'parameters', parameters));
COMMENT ON FUNCTION segmentation_internal.workspace_score_sql(text, text, boolean) IS
  'Part of refresh: all continuous scores of a relation of facts, as SQL.';

-- All continuous scores at the published day, from the tables. The view customer_scores is this query; the functions
-- read
-- it here: a view may have been replaced.
CREATE FUNCTION segmentation_internal.workspace_scores_query(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(ws, $q$
      WITH p AS MATERIALIZED (
        SELECT w.as_of, @(parameters)@
        FROM ONLY @ws@.workspace AS w
        JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set)
      @(scores)@$q$,
      jsonb_build_object('scores', v.scores, 'parameters', segmentation_internal.workspace_parameter_list(v.scores)))
    FROM (SELECT segmentation_internal.workspace_score_sql(
      format('ONLY %s.customer_facts', ws), 'p', false) AS scores) AS v);
COMMENT ON FUNCTION segmentation_internal.workspace_scores_query(text) IS
  'Part of create_workspace, explain and workspace_segment_preview: the query of the view customer_scores, as SQL.';

-- The view customer_scores, and its materialized twin for BI tools.
CREATE FUNCTION segmentation_internal.workspace_make_scores(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := quote_ident(workspace);
  described record;
BEGIN
  EXECUTE format('CREATE VIEW %s.customer_scores AS %s', ws, segmentation_internal.workspace_scores_query(ws));
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE MATERIALIZED VIEW @ws@.customer_scores_stored AS SELECT * FROM @ws@.customer_scores WITH NO DATA;
    CREATE UNIQUE INDEX customer_scores_stored_customer ON @ws@.customer_scores_stored (customer);
    COMMENT ON VIEW @ws@.customer_scores IS
      'Every continuous score at the published day, computed from facts and models when it is read.';
    COMMENT ON MATERIALIZED VIEW @ws@.customer_scores_stored IS
      'customer_scores as of the last CALL refresh_views: quick for BI tools.';$q$);
  FOR described IN
    SELECT v.relation, s.name, s.about
    FROM (SELECT 'as_of' AS name, 'The day of the scores.' AS about
          UNION ALL
          SELECT s.name, s.about FROM segmentation.workspace_score AS s) AS s
    CROSS JOIN (VALUES ('customer_scores'), ('customer_scores_stored')) AS v (relation)
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L', ws, described.relation, described.name, described.about);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_scores(text) IS
  'Part of create_workspace: the view customer_scores.';

-- A staged table of what a query gives. Workers may share the reading of it, whatever its size: what is computed of a
-- row costs more than reading it. (INSERT would be one process's.)
CREATE FUNCTION segmentation_internal.workspace_stage(ws text, stage text, name text, query text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  total bigint;
BEGIN
  EXECUTE segmentation_internal.fill(ws,
    'CREATE UNLOGGED TABLE @ws@.@staged@ WITH (parallel_workers = 64) AS @(query)@',
    jsonb_build_object('staged', stage || name, 'query', query));
  GET DIAGNOSTICS total = ROW_COUNT;
  RETURN total;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage(text, text, text, text) IS
  'Part of refresh: a staged table from a query.';

-- Phase score: the tables <stage>scores, <stage>segments and the lists, for the customers of <stage>facts.
CREATE FUNCTION segmentation_internal.workspace_stage_scores(ws text, stage text, number integer, as_of date)
RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  parameters record;
  axis text;
  staging text;
  total bigint;
BEGIN
  EXECUTE format('SELECT g.* FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws) INTO parameters USING number;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ALTER TABLE @ws@.@facts@ SET (parallel_workers = 64)');
  total := segmentation_internal.workspace_stage(ws, stage, 'scores', segmentation_internal.workspace_score_sql(
    segmentation_internal.workspace_staged(ws, stage, '@ws@.@facts@'),
    segmentation_internal.workspace_constants(ws, number, as_of), true));
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ANALYZE @ws@.@scores@ (customer)');
  FOR axis, staging IN
    SELECT a.axis, a.stage FROM segmentation.workspace_axis AS a WHERE a.stage IS NOT NULL ORDER BY a.place
  LOOP
    PERFORM segmentation_internal.workspace_step('axis ' || axis);
    EXECUTE format('SELECT %s($1, $2, $3, $4)', staging) USING ws, stage, number, as_of;
  END LOOP;
  PERFORM segmentation_internal.workspace_step('codes');
  PERFORM segmentation_internal.workspace_stage(
    ws, stage, 'segments', segmentation_internal.workspace_stage_codes_sql(ws, stage, number, as_of));
  PERFORM segmentation_internal.workspace_step('segments');
  PERFORM segmentation_internal.workspace_stage_segments(
    ws, stage, number, parameters.segments, parameters.settings, as_of);
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ALTER TABLE @ws@.@segments@ ADD PRIMARY KEY (customer)');
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ANALYZE @ws@.@segments@ (customer)');
  RETURN total;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_scores(text, text, integer, date) IS
  'Phase score of refresh: codes and lists for the staged facts.';

-- What is decided by the scores, and by the lists.
CREATE FUNCTION segmentation_internal.workspace_stage_codes_sql(ws text, stage text, number integer, as_of date)
RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parameters record;
BEGIN
  EXECUTE format('SELECT g.* FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws) INTO parameters USING number;
  RETURN segmentation_internal.workspace_staged(ws, stage, $q$
    SELECT s.customer, @(codes)@, '{}'::jsonb AS segments, @(next_change)@ AS next_change_at
    FROM @(constants)@ AS p
    CROSS JOIN @ws@.@scores@ AS s
    JOIN @ws@.@facts@ AS f ON f.customer = s.customer
    @(joins)@$q$,
    jsonb_build_object(
      'constants', segmentation_internal.workspace_constants(ws, number, as_of),
      'codes', segmentation_internal.workspace_axis_codes_sql(parameters.readiness),
      'next_change', segmentation_internal.workspace_next_change_sql(parameters.readiness),
      'joins', segmentation_internal.workspace_staged(ws, stage, (
        SELECT string_agg(a.joins, ' ' ORDER BY a.place) FROM segmentation.workspace_axis AS a))));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_codes_sql(text, text, integer, date) IS
  'Part of refresh: the codes of the staged customers, as SQL.';

-- A code is insufficient_data where the axis is not ready, and where nothing is known of the customer.
CREATE FUNCTION segmentation_internal.workspace_axis_codes_sql(readiness jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(format('%s AS %I', v.code, a.axis), ', ' ORDER BY a.place)
    FROM segmentation.workspace_axis AS a
    CROSS JOIN LATERAL (
      SELECT CASE WHEN workspace_axis_codes_sql.readiness -> a.axis = 'null' THEN a.code
        ELSE '''insufficient_data''' END AS code) AS v);
COMMENT ON FUNCTION segmentation_internal.workspace_axis_codes_sql(jsonb) IS
  'Part of refresh: the codes over f, p, s and joins, as SQL.';

-- A line that is dated ahead comes into sight on its day, even where it is no purchase. Whatever comes after the first
-- day on which somebody has to be looked at again is not asked for.
CREATE FUNCTION segmentation_internal.workspace_next_change_sql(readiness jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT concat('LEAST(', v.again, ', ',
      string_agg(replace(a.changes_on, '@(until)@', v.until) || ', ', '' ORDER BY a.place),
      'segmentation.item_next_day(f.items, p.as_of))')
    FROM (
      SELECT string_agg(a.look_again, ', ' ORDER BY a.place) AS again
      FROM segmentation.workspace_axis AS a
      WHERE workspace_next_change_sql.readiness -> a.axis = 'null') AS g
    CROSS JOIN LATERAL (
      SELECT coalesce(g.again, 'NULL::date') AS again,
        concat('coalesce(LEAST(', coalesce(g.again, 'NULL::date'), '), ''infinity''::date)') AS until) AS v
    LEFT JOIN segmentation.workspace_axis AS a ON workspace_next_change_sql.readiness -> a.axis = 'null'
    GROUP BY v.again);
COMMENT ON FUNCTION segmentation_internal.workspace_next_change_sql(jsonb) IS
  'Part of refresh: the next day on which time alone may change a code, as SQL over f, p, s and joins.';

-- Registered segments, into the column segments of the staged codes, and into the axes that they take the place of.
CREATE FUNCTION segmentation_internal.workspace_stage_segments(
  ws text, stage text, number integer, segments jsonb, settings jsonb, as_of date
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF segments = '{}' THEN
    RETURN;
  END IF;
  -- A definition sees the attributes, the scores, the codes and the targets. What was set by hand wins; NULL keeps out.
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    CREATE UNLOGGED TABLE @ws@.@custom@ AS
    SELECT d.customer, segmentation_internal.workspace_mass_segments(
      jsonb_strip_nulls(@(codes)@ || coalesce(o.codes, '{}')), @'key_accounts'@) AS segments,
      @(next_day)@ AS next_day
    FROM (
      SELECT c.customer, @(row)@ AS row
      FROM @(coded)@ AS c
      JOIN @ws@.@scores@ AS s ON s.customer = c.customer
      JOIN @ws@.@facts@ AS f ON f.customer = c.customer OFFSET '0') AS d
    JOIN @ws@.@facts@ AS f ON f.customer = d.customer
    LEFT JOIN (
      SELECT o.customer, jsonb_object_agg(o.segment, o.code) AS codes
      FROM @ws@.segment_override AS o
      WHERE @'segments'@::jsonb ? o.segment
      GROUP BY o.customer) AS o ON o.customer = d.customer$q$,
    jsonb_build_object(
      'segments', segments::text,
      'key_accounts', settings ->> 'key_accounts',
      'next_day', segmentation_internal.workspace_segments_next_day_sql(ws, segments, as_of),
      'row', segmentation_internal.workspace_row_sql(ws, number, segments::text, quote_literal(as_of) || '::date',
        segmentation_internal.workspace_consents_sql(ws, number)),
      'coded', segmentation_internal.workspace_coded_sql(segmentation_internal.workspace_staged(ws, stage,
        '@ws@.@segments@')),
      'codes', (
        -- A function takes at most 100 arguments.
        SELECT string_agg(format('jsonb_build_object(%s)', g.pairs), ' || ' ORDER BY g.chunk)
        FROM (
          SELECT (d.place - 1) / 40 AS chunk, string_agg(
            format('%L, segmentation.segment_assign(%L::jsonb, d.row, %L::date)', d.segment, d.definition, as_of), ', '
            ORDER BY d.place) AS pairs
          FROM jsonb_each(segments) WITH ORDINALITY AS d (segment, definition, place)
          GROUP BY 1) AS g)));
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    UPDATE @ws@.@segments@ AS c
    SET segments = d.segments, next_change_at = LEAST(c.next_change_at, d.next_day)@(axes)@
    FROM @ws@.@custom@ AS d WHERE d.customer = c.customer$q$,
    jsonb_build_object('axes', (
      SELECT coalesce(string_agg(
        format(', %I = coalesce(d.segments ->> %L, ''none'')', a.axis, settings ->> a.segment_setting), ''), '')
      FROM segmentation.workspace_axis AS a WHERE settings ->> a.segment_setting IS NOT NULL)));
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'DROP TABLE @ws@.@custom@');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_segments(text, text, integer, jsonb, jsonb, date) IS
  'Part of refresh: the registered segments of the staged customers.';

-- Where a code and a score have one name, the score has it: every code is there as <axis>_code too, from
-- workspace_coded_sql.
CREATE FUNCTION segmentation_internal.workspace_row(
  company jsonb, attributes jsonb, codes jsonb, scores jsonb, consents text[]
) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(company, '{}') || coalesce(attributes, '{}')
    || (codes - '{segments,next_change_at,since,parameter_set}'::text[]) || scores
    || jsonb_build_object('consents', to_jsonb(consents));
COMMENT ON FUNCTION segmentation_internal.workspace_row(jsonb, jsonb, jsonb, jsonb, text[]) IS
  'What a registered definition sees of a customer: attributes, scores, codes, consents.';

-- An interval as the options of the levels take it: NULL if it is not of whole days, as months are not.
CREATE FUNCTION segmentation_internal.workspace_days(span interval) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN span = make_interval(days => extract(day FROM span)::integer)
      AND extract(month FROM span) = 0 AND extract(year FROM span) = 0 AND extract(day FROM span) > 0
    THEN extract(day FROM span)::integer || ' days' END;
COMMENT ON FUNCTION segmentation_internal.workspace_days(interval) IS 'Part of refresh: a span of whole days, as text.';

-- Without a source of consents the settings may say that everybody may be contacted, by the channels that are known.
CREATE FUNCTION segmentation_internal.workspace_assumed_consents(settings jsonb, sources jsonb, channels jsonb)
RETURNS segmentation.consent_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN (settings ->> 'channel_assumes_consent')::boolean
      AND NOT jsonb_path_exists(coalesce(sources, '[]'), '$[*] ? (@.kind == "consents")')
    THEN segmentation.consents((
      SELECT jsonb_object_agg(c.channel ->> 'channel', true)
      FROM jsonb_array_elements(channels -> 'channels') AS c (channel))) END;
COMMENT ON FUNCTION segmentation_internal.workspace_assumed_consents(jsonb, jsonb, jsonb) IS
  'Part of refresh: consents by all channels of a channel model, where a workspace assumes them; else NULL.';

-- The consents of f as the published parameter set has them count: what is assumed is read once a query.
CREATE FUNCTION segmentation_internal.workspace_published_consents_sql(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$coalesce((
      SELECT segmentation_internal.workspace_assumed_consents(g.settings, g.sources, g.channel_model)
      FROM ONLY @ws@.workspace AS w
      JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set OPERATOR(pg_catalog.=) w.parameter_set), f.consents)$q$);
COMMENT ON FUNCTION segmentation_internal.workspace_published_consents_sql(text) IS
  'Part of explain, workspace_segment_preview and bi_reach: the consents of a customer, as SQL over f.';

CREATE FUNCTION segmentation.consents_on(
  consents segmentation.consent_history, as_of date, contacts segmentation.contact_history DEFAULT NULL
) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN consents IS NULL THEN NULL ELSE ARRAY(
    SELECT DISTINCT e.event ->> 'channel' COLLATE "C" FROM jsonb_array_elements(consents::jsonb) AS e (event)
    WHERE segmentation.has_consent(consents, e.event ->> 'channel', as_of, NULL, contacts) ORDER BY 1) END;
COMMENT ON FUNCTION segmentation.consents_on(segmentation.consent_history, date, segmentation.contact_history) IS
  'The channels with consent on a day; with contacts, not those from which the customer unsubscribed since.';
