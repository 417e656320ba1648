-- Segments of one's own in a workspace, and who went where. Definitions are not trained: each full scoring takes those
-- of now into the parameter set that it scores by.

CREATE FUNCTION segmentation_internal.workspace_define(ws text, number integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS p
    SET segments = s.segments
    FROM (SELECT coalesce(jsonb_object_agg(s.segment, s.definition), '{}') AS segments FROM @ws@.segment AS s) AS s
    WHERE p.parameter_set = $1 AND p.segments <> s.segments$q$)
    USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_define(text, integer) IS
  'Part of refresh: takes the registered definitions into a parameter set.';

-- Times would not do: what is registered while a refresh runs, or undone by a DELETE, has to be noticed as well.
CREATE FUNCTION segmentation_internal.workspace_definitions(ws text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fingerprint text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT concat_ws(' ',
      (SELECT md5(coalesce(jsonb_object_agg(s.segment, s.definition), '{}')::text) FROM @ws@.segment AS s),
      (SELECT concat(count(*), ' ',
         sum(hashtextextended(jsonb_build_array(o.segment, o.customer, o.code)::text, 0)))
       FROM @ws@.segment_override AS o),
      (SELECT md5(jsonb_object_agg(t.target, jsonb_build_array(t.definition, t.horizon))::text)
       FROM @ws@.target AS t))$q$)
    INTO fingerprint;
  RETURN fingerprint;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_definitions(text) IS
  'Part of refresh: a fingerprint of the registered definitions, of targets, and of what was set by hand.';

CREATE FUNCTION segmentation.register_segment(
  workspace text, segment text, definition jsonb, about text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  faults text;
BEGIN
  IF segment IS NULL OR definition IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'segment and definition must not be null';
  END IF;
  IF segment !~ '^[a-z][a-z0-9_]{0,62}$' THEN
    RAISE invalid_name USING
      MESSAGE = format('invalid name of a segment: %s', quote_literal(segment)),
      HINT = 'Use lower-case letters, digits and underscores, a letter first; at most 63.';
  END IF;
  SELECT string_agg(concat_ws(': ', c.path, c.fault), E'\n') INTO faults
  FROM segmentation.segment_check(definition) AS c;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('invalid definition of segment %s', segment),
      DETAIL = faults,
      HINT = 'See segment_check, and docs/segment.md for the form of a definition.';
  END IF;
  PERFORM segmentation_internal.workspace_refuse_definition(ws, segment, definition);
  PERFORM segmentation_internal.workspace_notice_hidden(ws, definition);
  EXECUTE format($q$
    INSERT INTO %s.segment (segment, definition, about)
    VALUES ($1, $2, $3)
    ON CONFLICT (segment) DO UPDATE
    SET definition = excluded.definition, about = excluded.about, registered_at = now()$q$, ws)
    USING segment, definition, about;
END
$$;
COMMENT ON FUNCTION segmentation.register_segment(text, text, jsonb, text) IS
  'Registers a definition (of any kind) as a segment of a workspace, or changes it. What it may read is listed by '
  'workspace_fields: unknown fields and impossible codes are refused. It holds from the next refresh on.';

CREATE FUNCTION segmentation.unregister_segment(workspace text, segment text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  gone text;
BEGIN
  EXECUTE format('DELETE FROM %s.segment WHERE segment = $1 RETURNING segment', ws) INTO gone USING segment;
  IF gone IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no segment %s', workspace, coalesce(segment, 'null'));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.unregister_segment(text, text) IS
  'Takes a segment out of a workspace. Its members leave it at the next refresh; its history stays.';

CREATE FUNCTION segmentation.override_segment(
  workspace text, segment text, customer text, code text, reason text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  key text;
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.segment_override (segment, customer, code, reason)
    VALUES ($1, $2::@(key)@, $3, $4)
    ON CONFLICT (segment, customer) DO UPDATE
    SET code = excluded.code, reason = excluded.reason, set_at = now()$q$,
    jsonb_build_object('key', key))
    USING segment, customer, code, reason;
END
$$;
COMMENT ON FUNCTION segmentation.override_segment(text, text, text, text, text) IS
  'Puts a customer into a segment by hand (code), or keeps it out (code NULL), whatever the definition says, from the '
  'next refresh on. A row of segment_override: delete it to undo.';

CREATE FUNCTION segmentation.workspace_segment_preview(workspace text, definition jsonb)
RETURNS TABLE (code text, customers bigint, share double precision, turnover numeric, reachable jsonb)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace,
    '{workspace,setting,source,segment,parameter_set,customer_facts,customer_segments,product,target}');
  published record;
BEGIN
  PERFORM segmentation_internal.workspace_refuse_definition(ws, NULL, definition);
  EXECUTE format('SELECT w.as_of, w.parameter_set FROM ONLY %s.workspace AS w', ws) INTO published;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH r AS MATERIALIZED (
      SELECT segmentation.segment_assign($1, v.row, v.as_of) AS code, v.turnover, v.row -> 'consents' AS consents
      FROM (
        SELECT @(row)@ AS row, s.as_of, s.turnover
        FROM (@(scores)@) AS s
        JOIN ONLY @ws@.customer_facts AS f ON f.customer = s.customer
        JOIN @(coded)@ AS c ON c.customer = s.customer OFFSET '0') AS v)
    SELECT t.code, t.customers, t.customers / sum(t.customers) OVER ()::double precision, t.turnover,
      coalesce(k.reachable, '{}')
    FROM (SELECT r.code, count(*) AS customers, sum(coalesce(r.turnover, 0)) AS turnover FROM r GROUP BY r.code) AS t
    LEFT JOIN (
      SELECT k.code, jsonb_object_agg(k.channel, k.customers) AS reachable
      FROM (
        SELECT r.code, e.channel, count(*) AS customers
        FROM r CROSS JOIN LATERAL jsonb_array_elements_text(
          CASE jsonb_typeof(r.consents) WHEN 'array' THEN r.consents END) AS e (channel)
        GROUP BY r.code, e.channel) AS k
      GROUP BY k.code) AS k ON k.code IS NOT DISTINCT FROM t.code
    ORDER BY 2 DESC, 1$q$,
    jsonb_build_object(
      'scores', segmentation_internal.workspace_scores_query(ws),
      'row', segmentation_internal.workspace_row_sql(ws, published.parameter_set, definition::text, 's.as_of',
        segmentation_internal.workspace_published_consents_sql(ws)),
      'coded', segmentation_internal.workspace_coded_sql(format('ONLY %s.customer_segments', ws))))
    USING definition;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_segment_preview(text, jsonb) IS
  'How many customers of the published result a definition would put where, their turnover, and how many of them may '
  'be contacted by which channel. Nothing is kept.';

CREATE FUNCTION segmentation.workspace_segment_overlap(workspace text)
RETURNS TABLE (segment text, other text, customers bigint, both_of_segment double precision, jaccard double precision)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{customer_segments}');
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH member AS (
      SELECT c.customer, e.key || ':' || e.value AS segment
      FROM ONLY %s.customer_segments AS c
      CROSS JOIN LATERAL jsonb_each_text(c.segments) AS e),
    size AS (
      SELECT m.segment, count(*) AS customers FROM member AS m GROUP BY m.segment)
    SELECT a.segment, b.segment, count(*),
      count(*)::double precision / of_a.customers,
      count(*)::double precision / (of_a.customers + of_b.customers - count(*))
    FROM member AS a
    JOIN member AS b ON b.customer = a.customer AND b.segment <> a.segment
    JOIN size AS of_a ON of_a.segment = a.segment
    JOIN size AS of_b ON of_b.segment = b.segment
    GROUP BY a.segment, b.segment, of_a.customers, of_b.customers
    ORDER BY 1, 3 DESC, 2$q$, ws);
END
$$;
COMMENT ON FUNCTION segmentation.workspace_segment_overlap(text) IS
  'Registered segments of a workspace in pairs: customers in both, as a share of the first, and the Jaccard index.';

CREATE FUNCTION segmentation.movements(workspace text, "from" date, "to" date, axis text DEFAULT NULL)
RETURNS TABLE (on_axis text, from_code text, to_code text, customers bigint)
  LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{membership_history}');
BEGIN
  IF "from" IS NULL OR "to" IS NULL OR "from" >= "to" THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'the first day must be before the second',
      DETAIL = format('They are %s and %s.', coalesce("from"::text, 'null'), coalesce("to"::text, 'null'));
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT coalesce(a.axis, b.axis), a.code, b.code, count(*)
    FROM (
      SELECT h.customer, h.axis, h.code
      FROM ONLY @ws@.membership_history AS h
      WHERE h.valid_from <= $1 AND (h.valid_to > $1 OR h.valid_to IS NULL) AND ($3 IS NULL OR h.axis = $3)) AS a
    FULL JOIN (
      SELECT h.customer, h.axis, h.code
      FROM ONLY @ws@.membership_history AS h
      WHERE h.valid_from <= $2 AND (h.valid_to > $2 OR h.valid_to IS NULL) AND ($3 IS NULL OR h.axis = $3)) AS b
      ON b.customer = a.customer AND b.axis = a.axis
    GROUP BY 1, 2, 3
    ORDER BY 1, 4 DESC, 2, 3$q$)
    USING "from", "to", axis;
END
$$;
COMMENT ON FUNCTION segmentation.movements(text, date, date, text) IS
  'Who went where between two days: customers by axis, code on the first and on the second day (NULL: not there). For '
  'a Sankey diagram.';
