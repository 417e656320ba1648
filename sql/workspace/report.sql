-- The report: what is on its pictures is read here, a document a part; the library draws it.

-- A name in another language than that of the views. Names of the workspace's own have one language only.
CREATE FUNCTION segmentation_internal.report_label(axis text, code text, label text, made_in text, language text)
RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN made_in = language THEN coalesce(label, code)
    WHEN axis LIKE 'segment:%' THEN segmentation.label('segment', code, language)
    WHEN code <> 'insufficient_data' AND EXISTS (
      SELECT FROM segmentation.workspace_axis AS a
      WHERE a.axis = report_label.axis AND a.names IS NOT NULL) THEN coalesce(label, code)
    ELSE coalesce(segmentation.workspace_label(axis, code, language), label, code) END;
COMMENT ON FUNCTION segmentation_internal.report_label(text, text, text, text, text) IS
  'Part of report: the name of a code in the language of a report, from that of the views.';

-- The parts in their order, the relations that each reads, and its query: one document. d is bi_as_of, a row. Without a
-- query it is a function's: report_campaigns, report_change.
CREATE FUNCTION segmentation_internal.report_part_list(ws text, language text)
RETURNS TABLE (part text, reads text[], query text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.part, CASE WHEN v.query IS NOT NULL THEN '{bi_as_of}'::text[] ELSE '{}' END || v.reads,
    CASE WHEN v.query IS NOT NULL THEN segmentation_internal.fill(ws, v.query,
      CASE WHEN strpos(v.query, $p$@'language'@$p$) > 0 THEN jsonb_build_object('language', language) ELSE '{}' END) END
  FROM (VALUES
    ('axes', '{bi_code,bi_segment_size,bi_segment_history}'::text[], $q$
      WITH earlier AS (
        SELECT coalesce(max(h.as_of) FILTER (WHERE h.as_of <= d.as_of - '1 month'::interval), min(h.as_of)) AS as_of
        FROM @ws@.bi_segment_history AS h
        CROSS JOIN @ws@.bi_as_of AS d
        WHERE h.as_of < d.as_of),
      sizes AS (
        SELECT k.axis, k.code, k.position, coalesce(s.customers, 0) AS customers, coalesce(s.turnover, 0) AS turnover,
          coalesce(s.future_value, 0) AS future_value,
          CASE WHEN e.as_of IS NOT NULL THEN coalesce(h.customers, 0) END AS before,
          segmentation_internal.report_label(k.axis, k.code, k.label, d.language, @'language'@) AS label,
          CASE WHEN k.axis LIKE 'segment:%' THEN k.axis_label
            ELSE segmentation.label('axis', k.axis, @'language'@) END AS axis_label
        FROM @ws@.bi_code AS k
        CROSS JOIN @ws@.bi_as_of AS d
        CROSS JOIN earlier AS e
        LEFT JOIN @ws@.bi_segment_size AS s ON s.axis = k.axis AND s.code = k.code
        LEFT JOIN @ws@.bi_segment_history AS h ON h.axis = k.axis AND h.code = k.code AND h.as_of = e.as_of)
      SELECT jsonb_build_object('before', (SELECT e.as_of FROM earlier AS e), 'axes', coalesce(
        jsonb_agg(x.axis ORDER BY x.place, x.name), '[]'))
      FROM (
        SELECT coalesce(a.place, 1000) AS place, s.axis AS name, jsonb_build_object('axis', s.axis,
            'label', min(s.axis_label), 'codes', jsonb_agg(jsonb_build_object('label', s.label,
              'customers', s.customers, 'turnover', s.turnover, 'future_value', s.future_value, 'before', s.before)
              ORDER BY s.position)) AS axis
        FROM sizes AS s
        LEFT JOIN segmentation.workspace_axis AS a ON a.axis = s.axis
        WHERE s.customers > 0 OR s.before > 0
        GROUP BY a.place, s.axis) AS x$q$),
    ('rfm', '{bi_rfm_grid}', $q$
      SELECT jsonb_build_object('cells', coalesce(jsonb_agg(to_jsonb(g)), '[]')) FROM @ws@.bi_rfm_grid AS g$q$),
    ('pmg', '{bi_pmg_curve}', $q$
      SELECT jsonb_build_object('curve', coalesce(
          jsonb_agg(jsonb_build_array(c.percent, c.turnover_share) ORDER BY c.percent), '[]'),
        'customers', coalesce(sum(c.customers), 0), 'turnover', coalesce(sum(c.turnover), 0))
      FROM @ws@.bi_pmg_curve AS c$q$),
    ('churn_value', '{bi_churn_value}', $q$
      SELECT jsonb_build_object('cells', coalesce(jsonb_agg(jsonb_build_object(
        'churn', g.churn, 'churn_position', coalesce(g.churn_position, 99),
        'churn_label', segmentation_internal.report_label(
          'churn', g.churn, g.churn_label, d.language, @'language'@),
        'value', g.future_value, 'value_position', coalesce(g.future_value_position, 99),
        'value_label', segmentation_internal.report_label(
          'future_value', g.future_value, g.future_value_label, d.language, @'language'@),
        'customers', g.customers, 'turnover', g.turnover, 'future_value', g.value,
        'expected_churners', g.expected_churners)), '[]'))
      FROM @ws@.bi_churn_value AS g
      CROSS JOIN @ws@.bi_as_of AS d$q$),
    ('migration', '{bi_migration}', $q$
      WITH latest AS (SELECT max(m.as_of) AS as_of FROM @ws@.bi_migration AS m WHERE NOT m.stayed)
      SELECT jsonb_build_object('as_of', (SELECT l.as_of FROM latest AS l),
        'retrained', bool_or(x.retrained), 'axes', coalesce(jsonb_agg(x.axis ORDER BY x.place), '[]'))
      FROM (
        SELECT a.place, bool_or(m.retrained) AS retrained, jsonb_build_object('axis', m.axis,
            'label', segmentation.label('axis', m.axis, @'language'@), 'flows', jsonb_agg(jsonb_build_object(
              'from', coalesce(m.from_position, 99), 'from_label', segmentation_internal.report_label(
                m.axis, m.from_code, m.from_label, d.language, @'language'@),
              'to', coalesce(m.to_position, 99), 'to_label', segmentation_internal.report_label(
                m.axis, m.to_code, m.to_label, d.language, @'language'@),
              'customers', m.customers, 'turnover', m.turnover))) AS axis
        FROM @ws@.bi_migration AS m
        JOIN latest AS l ON l.as_of = m.as_of
        JOIN segmentation.workspace_axis AS a ON a.axis = m.axis
        CROSS JOIN @ws@.bi_as_of AS d
        WHERE m.axis IN ('pmg', 'life_cycle', 'churn') AND m.customers > 0
        GROUP BY a.place, m.axis) AS x$q$),
    ('cohorts', '{bi_cohort_retention}', $q$
      SELECT jsonb_build_object('cohorts', coalesce(jsonb_agg(jsonb_build_object(
        'cohort', g.cohort, 'customers', g.customers, 'shares', g.shares) ORDER BY g.cohort), '[]'))
      FROM (
        -- Whole months only, and cohorts of which a percentage says something.
        SELECT c.cohort, c.customers, coalesce(jsonb_agg(c.share ORDER BY c.months) FILTER (
            WHERE c.months > 0
              AND (c.cohort + (c.months + 1) * '1 month'::interval)::date <= c.as_of + 1), '[]') AS shares
        FROM @ws@.bi_cohort_retention AS c
        WHERE c.months <= 12 AND c.customers >= 10
        GROUP BY c.cohort, c.customers
        ORDER BY c.cohort DESC
        LIMIT 18) AS g$q$),
    ('profiles', '{bi_segment_size,bi_top_products}', $q$
      SELECT jsonb_build_object('profiles', coalesce(jsonb_agg(jsonb_build_object('code', s.code,
        'label', segmentation_internal.report_label(s.axis, s.code, s.label, d.language, @'language'@),
        'customers', s.customers, 'turnover', s.turnover, 'future_value', s.future_value,
        'churn_probability', s.churn_probability, 'products', coalesce((
          SELECT jsonb_agg(p.product_name ORDER BY p.place)
          FROM @ws@.bi_top_products AS p
          WHERE p.axis = s.axis AND p.code = s.code AND p.place <= 3), '[]')) ORDER BY s.position), '[]'))
      FROM @ws@.bi_segment_size AS s
      CROSS JOIN @ws@.bi_as_of AS d
      WHERE s.axis = 'profile'$q$),
    ('offers', '{bi_top_products}', $q$
      SELECT jsonb_build_object('products', coalesce(jsonb_agg(jsonb_build_object('name', g.name,
        'customers', g.customers, 'expected', g.expected) ORDER BY g.customers DESC, g.name), '[]'))
      FROM (
        SELECT p.product_name AS name, sum(p.customers) AS customers, sum(p.expected) AS expected
        FROM @ws@.bi_top_products AS p
        WHERE p.axis = 'pmg'
        GROUP BY p.product, p.product_name
        ORDER BY sum(p.customers) DESC, p.product_name
        LIMIT 20) AS g$q$),
    ('reach', '{bi_reach,bi_segment_size}', $q$
      SELECT jsonb_build_object('customers', (
          SELECT coalesce(sum(s.customers), 0) FROM @ws@.bi_segment_size AS s WHERE s.axis = 'churn'),
        'channels', coalesce(jsonb_agg(jsonb_build_object(
          'label', segmentation_internal.report_label(
            'channel_appetence', g.channel, g.label, d.language, @'language'@),
          'reachable', g.reachable, 'best_reachable', g.best_reachable, 'best', g.best,
          'preferred', coalesce(k.customers, 0)) ORDER BY g.reachable DESC, g.channel), '[]'))
      FROM (
        SELECT r.channel, min(r.channel_label) AS label,
          coalesce(sum(r.reachable) FILTER (WHERE r.axis = 'churn'), 0) AS reachable,
          coalesce(sum(r.reachable) FILTER (WHERE r.axis = 'future_value' AND r.code = 'high'), 0) AS best_reachable,
          coalesce(sum(r.customers) FILTER (WHERE r.axis = 'future_value' AND r.code = 'high'), 0) AS best
        FROM @ws@.bi_reach AS r
        WHERE r.axis IN ('churn', 'future_value')
        GROUP BY r.channel) AS g
      CROSS JOIN @ws@.bi_as_of AS d
      LEFT JOIN @ws@.bi_segment_size AS k ON k.axis = 'channel_appetence' AND k.code = g.channel$q$),
    ('moments', '{bi_moments_ahead}', $q$
      WITH weeks AS (
        SELECT date_trunc('week', d.as_of::timestamp)::date + 7 * n.n AS week, n.n
        FROM @ws@.bi_as_of AS d
        CROSS JOIN generate_series(0, 7) AS n (n))
      SELECT jsonb_build_object('weeks', (SELECT jsonb_agg(w.week ORDER BY w.week) FROM weeks AS w),
        'moments', coalesce(jsonb_agg(jsonb_build_object('label', x.label, 'customers', x.customers)
          ORDER BY x.place DESC, x.moment), '[]'))
      FROM (
        SELECT k.moment, segmentation.workspace_label('life_moment', k.moment, @'language'@) AS label,
          jsonb_agg(coalesce(m.customers, 0) ORDER BY w.week) AS customers, sum(m.customers) AS place
        FROM (SELECT DISTINCT a.moment FROM @ws@.bi_moments_ahead AS a) AS k
        CROSS JOIN weeks AS w
        LEFT JOIN @ws@.bi_moments_ahead AS m ON m.moment = k.moment AND m.week = w.week
        GROUP BY k.moment
        HAVING sum(m.customers) > 0) AS x$q$),
    ('campaigns', '{workspace,campaign,campaign_customer,customer_facts}', NULL),
    ('change', '{workspace,customer_facts}', NULL),
    ('drift', '{bi_drift}', $q$
      SELECT jsonb_build_object('as_of', max(f.as_of), 'retrained', bool_or(f.retrained),
        'axes', coalesce(jsonb_agg(jsonb_build_object('axis', f.axis,
          'label', segmentation.label('axis', f.axis, @'language'@),
          'psi', CASE WHEN f.psi < 'Infinity' THEN f.psi END, 'verdict', f.verdict,
          'verdict_label', segmentation.label('verdict', f.verdict, @'language'@), 'moved', f.moved,
          'customers', f.customers) ORDER BY f.axis), '[]'))
      FROM @ws@.bi_drift AS f
      WHERE f.as_of = (SELECT max(l.as_of) FROM @ws@.bi_drift AS l)$q$),
    ('models', '{bi_model_quality,bi_candidates}', $q$
      SELECT jsonb_build_object('quality', (
          SELECT to_jsonb(q) FROM @ws@.bi_model_quality AS q WHERE q.parameter_set = d.parameter_set),
        'candidates', coalesce((
          SELECT jsonb_agg(jsonb_build_object('axis', c.axis, 'label', coalesce(segmentation.label(
              CASE c.axis WHEN 'churn' THEN 'churn_candidate' ELSE 'value_candidate' END, c.candidate,
              @'language'@), c.label), 'auc', c.auc, 'brier', c.brier, 'spearman', c.spearman)
            ORDER BY c.axis, c.place)
          FROM @ws@.bi_candidates AS c WHERE c.parameter_set = d.parameter_set), '[]'))
      FROM @ws@.bi_as_of AS d$q$),
    ('health', '{bi_data_health}', $q$
      SELECT jsonb_build_object('measures', coalesce(jsonb_agg(jsonb_build_object('measure', h.measure,
        'label', CASE WHEN d.language = @'language'@ THEN h.label
          ELSE coalesce(segmentation.label('measure', h.measure, @'language'@), h.label) END,
        'value', h.value, 'share', h.share) ORDER BY h.share DESC NULLS LAST, h.measure), '[]'))
      FROM @ws@.bi_data_health AS h
      CROSS JOIN @ws@.bi_as_of AS d$q$)
  ) AS v (part, reads, query);
END;
COMMENT ON FUNCTION segmentation_internal.report_part_list(text, text) IS
  'Part of report: the parts in their order, what each reads, and its query.';

-- The last campaigns of which anything can be said yet, each by campaign_uplift up to the published day.
CREATE FUNCTION segmentation_internal.report_campaigns(workspace text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,campaign,campaign_customer,customer_facts}');
  latest jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.campaign, 'as_of', c.as_of, 'until', c.until)
      ORDER BY c.as_of DESC, c.campaign), '[]')
    FROM (
      SELECT m.campaign, m.as_of, w.as_of AS until
      FROM ONLY @ws@.campaign AS m
      CROSS JOIN ONLY @ws@.workspace AS w
      WHERE m.as_of < w.as_of
      ORDER BY m.as_of DESC, m.campaign
      LIMIT 12) AS c$q$) INTO latest;
  RETURN jsonb_build_object('campaigns', coalesce((
    SELECT jsonb_agg(jsonb_build_object('name', c.c ->> 'name', 'as_of', c.c ->> 'as_of',
      'assigned', coalesce((u.turnover).assigned, 0), 'held_out', coalesce((u.turnover).held_out, 0),
      'difference', (u.turnover).difference, 'lower', (u.turnover).lower, 'upper', (u.turnover).upper,
      'incremental', (u.turnover).incremental) ORDER BY c.place)
    FROM jsonb_array_elements(latest) WITH ORDINALITY AS c (c, place)
    CROSS JOIN LATERAL segmentation.campaign_uplift(workspace, c.c ->> 'name', (c.c ->> 'until')::date) AS u), '[]'));
END
$$;
COMMENT ON FUNCTION segmentation_internal.report_campaigns(text) IS
  'Part of report: the twelve last campaigns of before the published day, and what they brought.';

-- The year before the published day against the one before it: who changed, and which segments moved by themselves.
CREATE FUNCTION segmentation_internal.report_change(workspace text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{workspace,customer_facts}');
  last date;
  before daterange;
  after daterange;
BEGIN
  EXECUTE format('SELECT w.as_of FROM ONLY %s.workspace AS w', ws) INTO last;
  IF last IS NULL THEN
    RETURN NULL;
  END IF;
  after := daterange((last - '1 year'::interval)::date + 1, last + 1);
  before := daterange((last - '2 years'::interval)::date + 1, lower(after));
  RETURN jsonb_build_object(
    'before', jsonb_build_array(lower(before), upper(before) - 1),
    'after', jsonb_build_array(lower(after), upper(after) - 1),
    'groups', (
      SELECT jsonb_agg(jsonb_build_object('what', c.what, 'customers', c.customers,
        'turnover_before', c.turnover_before, 'turnover_after', c.turnover_after, 'change', c.change))
      FROM segmentation.audit_change(workspace, before, after) AS c),
    'factors', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('factor', f.factor, 'before', f.value_before,
        'after', f.value_after, 'effect', f.effect)), '[]')
      FROM segmentation.audit_factors(workspace, before, after) AS f),
    -- Whether one is new is told by the groups.
    'drivers', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('segment', s.words, 'before', d.turnover_before,
        'after', d.turnover_after, 'contribution', d.contribution, 'unexpected', d.unexpected) ORDER BY d.rank), '[]')
      FROM segmentation.turnover_drivers(workspace, before, after) AS d
      CROSS JOIN LATERAL (
        SELECT string_agg(format('%s = %s', e.key, coalesce(e.value, '?')), ', ' ORDER BY e.key) AS words
        FROM jsonb_each_text(d.segment) AS e) AS s
      WHERE d.rank <= 8 AND NOT d.segment ? 'customer_is'));
END
$$;
COMMENT ON FUNCTION segmentation_internal.report_change(text) IS
  'Part of report: the last year against the one before it, by groups of buyers, factors and segments.';

-- What a part has to show, or why it has nothing. A view without rows is not read: it would be an error.
CREATE FUNCTION segmentation_internal.report_part(workspace text, part text, language text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.workspace_schema(workspace);
  given record;
  fault record;
  data jsonb;
BEGIN
  SELECT l.reads, l.query INTO given
  FROM segmentation_internal.report_part_list(ws, language) AS l WHERE l.part = report_part.part;
  SELECT f.relation, f.state INTO fault
  FROM (
    SELECT r.place, r.name AS relation, CASE
        WHEN c.oid IS NULL THEN 'missing'
        WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'no_right'
        WHEN NOT c.relispopulated THEN 'not_refreshed' END AS state
    FROM unnest(given.reads) WITH ORDINALITY AS r (name, place)
    LEFT JOIN pg_class AS c ON c.relname = r.name AND c.relnamespace = ws::regnamespace) AS f
  WHERE f.state IS NOT NULL
  ORDER BY f.place
  LIMIT 1;
  IF FOUND THEN
    RETURN jsonb_build_object('part', part, 'state', fault.state, 'relation', format('%s.%I', ws, fault.relation));
  END IF;
  IF given.query IS NULL THEN
    data := CASE part WHEN 'change' THEN segmentation_internal.report_change(workspace)
      ELSE segmentation_internal.report_campaigns(workspace) END;
  ELSE
    ws := segmentation_internal.workspace_readable(workspace, given.reads);
    EXECUTE given.query INTO data;
  END IF;
  RETURN jsonb_build_object('part', part, 'state', 'shown', 'data', data);
END
$$;
COMMENT ON FUNCTION segmentation_internal.report_part(text, text, text) IS
  'Part of report: the data of a part, or why it has none.';

-- The day of the views and their language; of a workspace whose views were never refreshed, those of its tables.
CREATE FUNCTION segmentation_internal.report_head(workspace text, OUT as_of date, OUT language text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_schema(workspace);
  view pg_class;
BEGIN
  IF NOT has_schema_privilege(ws::regnamespace, 'USAGE') THEN
    RAISE insufficient_privilege USING MESSAGE = format('permission denied for schema %s', ws);
  END IF;
  SELECT c.* INTO view FROM pg_class AS c WHERE c.relname = 'bi_as_of' AND c.relnamespace = ws::regnamespace;
  IF view.relispopulated AND has_table_privilege(view.oid, 'SELECT') THEN
    ws := segmentation_internal.workspace_readable(workspace, '{bi_as_of}');
    EXECUTE format('SELECT v.as_of, v.language FROM %s.bi_as_of AS v', ws) INTO as_of, language;
  ELSE
    ws := segmentation_internal.workspace_readable(workspace, '{workspace,setting}');
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT w.as_of, (SELECT s.value #>> '{}' FROM ONLY @ws@.setting AS s WHERE s.name = 'language')
      FROM ONLY @ws@.workspace AS w$q$) INTO as_of, language;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.report_head(text) IS
  'Part of report: the day of the data, and the language of the workspace.';

CREATE FUNCTION segmentation_internal.report_document(workspace text, language text, parts text[]) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head record;
  known text[];
  spoken text;
  unknown text;
BEGIN
  SELECT array_agg(l.part) INTO known FROM segmentation_internal.report_part_list('x', 'en') AS l;
  SELECT p.part INTO unknown FROM unnest(parts) AS p (part) WHERE (p.part = ANY (known)) IS NOT TRUE LIMIT 1;
  IF FOUND THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('a report has no part %s', coalesce(quote_literal(unknown), 'null')),
      HINT = concat('Did you mean ' || quote_literal(segmentation_internal.nearest_name(unknown, known)) || '? ',
        format('Parts: %s.', array_to_string(known, ', ')));
  END IF;
  IF language NOT IN ('en', 'fr') THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('a report is in en or fr, not in %s', quote_literal(language));
  END IF;
  SELECT h.* INTO head FROM segmentation_internal.report_head(workspace) AS h;
  spoken := coalesce(language, CASE WHEN head.language = 'fr' THEN 'fr' ELSE 'en' END);
  RETURN jsonb_build_object('workspace', workspace, 'language', spoken, 'as_of', head.as_of, 'parts', (
    SELECT coalesce(jsonb_agg(segmentation_internal.report_part(workspace, k.part, spoken) ORDER BY k.place), '[]')
    FROM unnest(known) WITH ORDINALITY AS k (part, place)
    -- What reads all facts is shown if it is asked for: a report is quick.
    WHERE k.part = ANY (parts) OR parts IS NULL AND k.part <> 'change'));
END
$$;
COMMENT ON FUNCTION segmentation_internal.report_document(text, text, text[]) IS
  'Part of report: the data of the parts asked for, as one document.';

CREATE FUNCTION segmentation_internal.report_page(document jsonb) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'report_page_wrapper';
COMMENT ON FUNCTION segmentation_internal.report_page(jsonb) IS
  'Part of report: the page of a document, HTML.';

CREATE FUNCTION segmentation_internal.report_chart(document jsonb, name text, width integer) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'report_chart_wrapper';
COMMENT ON FUNCTION segmentation_internal.report_chart(jsonb, text, integer) IS
  'Part of chart: a picture of a document, SVG.';

CREATE FUNCTION segmentation.report(workspace text, language text DEFAULT NULL, parts text[] DEFAULT NULL)
RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.report_page(
    segmentation_internal.report_document(workspace, language, parts));
COMMENT ON FUNCTION segmentation.report(text, text, text[]) IS
  'A page about the customers of a workspace, for people: one HTML document with pictures, without script or anything '
  'from elsewhere. From the views that refresh_views brings up to date. language: en or fr, that of the workspace '
  'unless given; parts: all but change unless given.';

-- A picture is of the part before the colon; axes and segments are of the first.
CREATE FUNCTION segmentation_internal.report_chart_parts(name text) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE split_part(name, ':', 1)
    WHEN 'axis' THEN '{axes}'::text[]
    WHEN 'segment' THEN '{axes}'
    ELSE (
      SELECT array_agg(l.part) FILTER (WHERE l.part = split_part(name, ':', 1))
      FROM segmentation_internal.report_part_list('x', 'en') AS l) END;
COMMENT ON FUNCTION segmentation_internal.report_chart_parts(text) IS
  'Part of chart: the part that has a picture; NULL if none has, for all.';

CREATE FUNCTION segmentation.chart(
  workspace text, name text, language text DEFAULT NULL, width integer DEFAULT 720
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.report_chart(
    segmentation_internal.report_document(workspace, language, segmentation_internal.report_chart_parts(name)),
    name, width);
COMMENT ON FUNCTION segmentation.chart(text, text, text, integer) IS
  'A picture of the report alone, as SVG of a width in pixels, for dashboards and mails: rfm, pmg, axis:churn, '
  'segment:<name> and so on; the error of an unknown name lists them.';
