-- Criteria of segmentation, and the quality of segments.

CREATE FUNCTION segmentation_internal.criterion_add(bytea, double precision, double precision, text, double precision)
  RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'criterion_add_number_wrapper';
CREATE FUNCTION segmentation_internal.criterion_add(bytea, text, double precision, text, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'criterion_add_text_wrapper';
CREATE FUNCTION segmentation_internal.criterion_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'criterion_merge_wrapper';
CREATE FUNCTION segmentation_internal.criterion_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'criterion_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.criterion_add(
  bytea, double precision, double precision, text, double precision
) IS 'transition of criterion';
COMMENT ON FUNCTION segmentation_internal.criterion_add(bytea, text, double precision, text, double precision) IS
  'transition of criterion';
COMMENT ON FUNCTION segmentation_internal.criterion_merge(bytea, bytea) IS 'combine function of criterion';
COMMENT ON FUNCTION segmentation_internal.criterion_final(bytea) IS 'final function of criterion';
CREATE AGGREGATE segmentation_internal.criterion(
  number double precision, target double precision, target_class text, value double precision
) (
  SFUNC = segmentation_internal.criterion_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.criterion_final,
  COMBINEFUNC = segmentation_internal.criterion_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation_internal.criterion(double precision, double precision, text, double precision) IS
  'Measures of a number as a criterion of segmentation, against a target that is a number or a class (the other is '
  'NULL): fill, distinct values, entropy, information value, mutual information, Cramer''s V, eta-squared, p-value, '
  'and the value between its classes.';
CREATE AGGREGATE segmentation_internal.criterion(
  category text, target double precision, target_class text, value double precision
) (
  SFUNC = segmentation_internal.criterion_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.criterion_final,
  COMBINEFUNC = segmentation_internal.criterion_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation_internal.criterion(text, double precision, text, double precision) IS
  'Measures of a category as a criterion of segmentation; see the form for numbers.';

-- How a column takes part: n as a number, t as a text, and its expression.
CREATE FUNCTION segmentation_internal.criterion_expression(
  relation regclass, name text, OUT kind text, OUT expression text
)
  LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $criterion_expression$
DECLARE
  kind_of_type text;
  type regtype;
BEGIN
  SELECT t.typcategory, a.atttypid::regtype INTO kind_of_type, type
  FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE a.attrelid = relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'column "%" of relation "%" does not exist', name, relation::text
      USING ERRCODE = 'undefined_column';
  END IF;
  kind := CASE
    WHEN kind_of_type = 'N' THEN 'number'
    WHEN type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN 'date'
    WHEN kind_of_type = 'B' THEN 'boolean'
    ELSE 'category' END;
  expression := CASE kind
    WHEN 'number' THEN format('%I::double precision', name)
    -- An infinite date is a missing one.
    WHEN 'date' THEN format('CASE WHEN isfinite(%1$I) THEN extract(epoch FROM %1$I)::double precision END', name)
    ELSE format('%I::text', name) END;
END
$criterion_expression$;
COMMENT ON FUNCTION segmentation_internal.criterion_expression(regclass, text) IS
  'How criteria_report reads a column: its kind, and a SQL expression.';

-- On one scale for all targets: a correlation, without what chance alone gives.
CREATE FUNCTION segmentation_internal.criterion_relevance(measures jsonb) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN coalesce((measures ->> 'cramers_v_corrected')::double precision,
    sqrt((measures ->> 'eta_squared')::double precision));
COMMENT ON FUNCTION segmentation_internal.criterion_relevance(jsonb) IS
  'Part of criteria_report: how much a criterion has to do with the target, from 0 to 1, given its measures.';

-- Bonferroni for the p-value: of many criteria of noise, one in a hundred reports has one that passes.
CREATE FUNCTION segmentation_internal.criterion_verdict(kind text, measures jsonb, tried integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN coalesce((measures ->> 'rows')::bigint, 0) = 0 THEN 'insufficient_data'
    WHEN (measures ->> 'fill')::double precision < 0.5 THEN 'not_accessible'
    WHEN (measures ->> 'distinct')::double precision::bigint < 2 AND (measures ->> 'missing')::bigint = 0
      THEN 'not_quantifiable'
    WHEN kind = 'category' AND (measures ->> 'distinct')::double precision::bigint > 100
        AND (measures ->> 'distinct')::double precision::bigint
          > 0.5 * ((measures ->> 'rows')::bigint - (measures ->> 'missing')::bigint)
      THEN 'not_quantifiable'
    WHEN NOT coalesce((measures ->> 'p_value')::double precision <= 0.01 / tried
        AND segmentation_internal.criterion_relevance(measures) >= 0.05, false)
      THEN 'not_relevant'
    WHEN (measures ->> 'value_explained')::double precision < 0.001 THEN 'not_profitable'
    ELSE 'usable' END;
COMMENT ON FUNCTION segmentation_internal.criterion_verdict(text, jsonb, integer) IS
  'Part of criteria_report: the verdict on a criterion, given its kind, its measures and how many were tried.';

CREATE FUNCTION segmentation_internal.criterion_number(value numeric, digits integer, language text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN language = 'fr' THEN replace(round(value, digits)::text, '.', ',')
    ELSE round(value, digits)::text END;
COMMENT ON FUNCTION segmentation_internal.criterion_number(numeric, integer, text) IS
  'Part of criteria_report: a rounded number as it is written in a language; NULL if there is none.';

CREATE FUNCTION segmentation_internal.criterion_reason(verdict text, measures jsonb, language text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE
    WHEN verdict = 'insufficient_data' THEN CASE language
      WHEN 'fr' THEN 'Il n''y a aucune ligne.'
      ELSE 'There are no rows.' END
    WHEN verdict = 'not_accessible' THEN format(CASE language
      WHEN 'fr' THEN 'Seuls %s %% des clients le renseignent.'
      ELSE 'Only %s %% of the customers have it.' END, n.fill)
    WHEN verdict = 'not_quantifiable' AND n.distinct_values < 2 THEN CASE language
      WHEN 'fr' THEN 'Il est le même pour tous.'
      ELSE 'It is the same for everybody.' END
    WHEN verdict = 'not_quantifiable' THEN format(CASE language
      WHEN 'fr' THEN 'Il diffère presque pour chacun : environ %s valeurs.'
      ELSE 'It is nearly different for everybody: about %s values.' END, n.distinct_values)
    WHEN verdict = 'not_relevant' THEN format(CASE language
      WHEN 'fr' THEN 'Pertinence %s, p = %s : pas plus que le hasard.'
      ELSE 'Relevance %s, p = %s: no more than chance gives.' END, coalesce(n.relevance, '-'), coalesce(n.p_value, '-'))
    WHEN verdict = 'not_profitable' THEN format(CASE language
      WHEN 'fr' THEN 'Pertinence %s, mais il n''explique que %s %% de la valeur.'
      ELSE 'Relevance %s, but it explains %s %% of the value only.' END, n.relevance, n.explained_finely)
    WHEN n.explained IS NULL THEN format(CASE language
      WHEN 'fr' THEN 'Pertinence %s ; renseigné à %s %%.'
      ELSE 'Relevance %s; %s %% filled.' END, n.relevance, n.fill)
    ELSE format(CASE language
      WHEN 'fr' THEN 'Pertinence %s ; renseigné à %s %% ; explique %s %% de la valeur.'
      ELSE 'Relevance %s; %s %% filled; explains %s %% of the value.' END, n.relevance, n.fill, n.explained) END
  FROM (SELECT
    (measures ->> 'distinct')::double precision::bigint AS distinct_values,
    segmentation_internal.criterion_number(100 * (measures ->> 'fill')::double precision::numeric, 1, language) AS fill,
    segmentation_internal.criterion_number(segmentation_internal.criterion_relevance(measures)::numeric, 3, language)
      AS relevance,
    segmentation_internal.criterion_number((measures ->> 'p_value')::double precision::numeric, 4, language) AS p_value,
    segmentation_internal.criterion_number(
      100 * (measures ->> 'value_explained')::double precision::numeric, 1, language) AS explained,
    segmentation_internal.criterion_number(
      100 * (measures ->> 'value_explained')::double precision::numeric, 2, language) AS explained_finely) AS n;
END;
COMMENT ON FUNCTION segmentation_internal.criterion_reason(text, jsonb, text) IS
  'Part of criteria_report: a verdict in words, in English or French (fr).';

CREATE FUNCTION segmentation.criteria_report(
  relation regclass, target text, candidates text[] DEFAULT NULL, value text DEFAULT NULL,
  consents text[] DEFAULT '{}'
) RETURNS TABLE (
  criterion text, kind text, relevance double precision, information_value double precision,
  mutual_information double precision, cramers_v double precision, eta_squared double precision,
  p_value double precision, fill double precision, distinct_values bigint, entropy double precision,
  missing bigint, reachable jsonb, value_explained double precision, value_lowest double precision,
  value_highest double precision, verdict text, reason text, reason_fr text
)
  LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
  SET search_path = pg_catalog, pg_temp
AS $criteria_report$
DECLARE
  goal record;
  money text := 'NULL::double precision';
  names text[] := candidates;
  columns text[] := '{}';
  reach text;
  one record;
  measures jsonb[];
  reached jsonb[];
  kinds text[] := '{}';
  m jsonb;
  tried integer;
BEGIN
  IF relation IS NULL OR target IS NULL THEN
    RAISE EXCEPTION 'relation and target must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT e.kind, e.expression INTO goal FROM segmentation_internal.criterion_expression(relation, target) AS e;
  IF goal.kind IN ('number', 'date') THEN
    goal.expression := goal.expression || ', NULL::text';
  ELSE
    goal.expression := 'NULL::double precision, ' || goal.expression;
  END IF;
  IF value IS NOT NULL THEN
    SELECT e.kind, e.expression INTO one FROM segmentation_internal.criterion_expression(relation, value) AS e;
    IF one.kind <> 'number' THEN
      RAISE EXCEPTION 'value must name a column of numbers' USING
        ERRCODE = 'datatype_mismatch',
        DETAIL = format('Column "%s" is no number.', value);
    END IF;
    money := one.expression;
  END IF;
  IF names IS NULL THEN
    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO names
    FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname <> ALL (consents || target || coalesce(value, target));
  END IF;
  IF names IS NULL OR names = '{}' THEN
    RETURN;
  END IF;
  FOR i IN 1 .. cardinality(names) LOOP
    SELECT e.kind, e.expression INTO one FROM segmentation_internal.criterion_expression(relation, names[i]) AS e;
    kinds := kinds || one.kind;
    columns := columns || format('segmentation_internal.criterion(%s, %s, %s)', one.expression, goal.expression, money);
  END LOOP;
  FOR i IN 1 .. coalesce(cardinality(consents), 0) LOOP
    SELECT e.kind INTO one FROM segmentation_internal.criterion_expression(relation, consents[i]) AS e;
    IF one.kind <> 'boolean' THEN
      RAISE EXCEPTION 'consents must name boolean columns' USING
        ERRCODE = 'datatype_mismatch',
        DETAIL = format('Column "%s" is no boolean.', consents[i]);
    END IF;
  END LOOP;
  -- Of those who have the criterion, the share that each channel may reach.
  SELECT string_agg(
    CASE WHEN cardinality(consents) > 0 THEN
      segmentation_internal.object_sql(consents, ARRAY(
        SELECT format('to_jsonb(round(avg(coalesce(%I, false)::int) FILTER (WHERE %I IS NOT NULL), 4))', c.name, n.name)
        FROM unnest(consents) WITH ORDINALITY AS c (name, position)
        ORDER BY c.position))
    ELSE 'NULL::jsonb' END, ', ' ORDER BY n.position)
  INTO reach FROM unnest(names) WITH ORDINALITY AS n (name, position);
  -- One pass over the relation, whatever the number of columns.
  EXECUTE segmentation_internal.fill(NULL, 'SELECT ARRAY[@(measures)@], ARRAY[@(reach)@]::jsonb[] FROM @(relation)@',
    jsonb_build_object('measures', array_to_string(columns, ', '), 'reach', reach, 'relation', relation))
    INTO measures, reached;
  tried := cardinality(names);
  FOR i IN 1 .. tried LOOP
    m := measures[i];
    criterion := names[i];
    kind := kinds[i];
    information_value := (m ->> 'information_value')::double precision;
    mutual_information := (m ->> 'mutual_information')::double precision;
    cramers_v := (m ->> 'cramers_v')::double precision;
    eta_squared := (m ->> 'eta_squared')::double precision;
    p_value := (m ->> 'p_value')::double precision;
    relevance := segmentation_internal.criterion_relevance(m);
    fill := (m ->> 'fill')::double precision;
    distinct_values := (m ->> 'distinct')::double precision::bigint;
    entropy := (m ->> 'entropy')::double precision;
    missing := (m ->> 'missing')::bigint;
    reachable := reached[i];
    value_explained := (m ->> 'value_explained')::double precision;
    value_lowest := (m ->> 'value_lowest')::double precision;
    value_highest := (m ->> 'value_highest')::double precision;
    verdict := segmentation_internal.criterion_verdict(kind, m, tried);
    reason := segmentation_internal.criterion_reason(verdict, m, 'en');
    reason_fr := segmentation_internal.criterion_reason(verdict, m, 'fr');
    RETURN NEXT;
  END LOOP;
END
$criteria_report$;
COMMENT ON FUNCTION segmentation.criteria_report(regclass, text, text[], text, text[]) IS
  'For each candidate column (by default all): how relevant it is for the target column, how quantifiable, accessible '
  '(missing; consent by channel, from boolean columns) and profitable (value between its classes), with a verdict and '
  'its reason in English and French. One pass over the relation.';

CREATE FUNCTION segmentation.segment_quality(
  relation regclass, segment text, value text DEFAULT NULL, reachable text[] DEFAULT '{}', previous text DEFAULT NULL,
  treated text DEFAULT NULL, responded text DEFAULT NULL,
  margin double precision DEFAULT 1, contact_cost double precision DEFAULT 0, level double precision DEFAULT 0.95
) RETURNS TABLE (
  segment_code text, criterion text, measure text, result double precision, lower double precision,
  upper double precision, customers bigint
)
  LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
  SET search_path = pg_catalog, pg_temp
AS $segment_quality$
DECLARE
  parts text;
  money text := CASE WHEN value IS NULL THEN 'NULL::double precision' ELSE format('%I::double precision', value) END;
  z double precision;
  name text;
BEGIN
  IF relation IS NULL OR segment IS NULL THEN
    RAISE EXCEPTION 'relation and segment must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF (treated IS NULL) <> (responded IS NULL) THEN
    RAISE EXCEPTION 'treated and responded must be given together' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOREACH name IN ARRAY
    array_remove(ARRAY[segment, value, previous, treated, responded] || coalesce(reachable, '{}'), NULL)
  LOOP
    PERFORM segmentation_internal.criterion_expression(relation, name);
  END LOOP;
  -- The interval of a level goes that many standard errors each way.
  z := (SELECT sqrt(w.upper / (1 - w.upper)) FROM segmentation_internal.wilson_interval(0, 1, level) AS w);
  -- Per segment: counts, and sums of the value.
  parts := segmentation_internal.fill(NULL, $$
    WITH counted AS MATERIALIZED (
      SELECT @segment@::text AS segment, count(*) AS n, count(@(money)@) AS filled,
             coalesce(sum(@(money)@), 0) AS total, avg(@(money)@) AS mean, coalesce(var_samp(@(money)@), 0) AS variance,
             coalesce(sum(@(money)@ * @(money)@), 0) AS squares
             @(reached)@ @(stayed)@ @(trial)@
      FROM @(relation)@ GROUP BY 1
    ), a AS (
      SELECT sum(n)::double precision AS n, sum(filled)::double precision AS filled, sum(total) AS total,
             sum(squares) AS squares,
             count(*) FILTER (WHERE segment IS NOT NULL) AS segments,
             sum(n) FILTER (WHERE segment IS NOT NULL)::double precision AS assigned,
             sum(filled * mean) / nullif(sum(filled), 0) AS mean
      FROM counted
    ), s AS (
      SELECT * FROM counted WHERE segment IS NOT NULL
    )
    -- Measurable: who has a segment, and a value.
    SELECT NULL::text, 'measurable', 'assigned', a.assigned / a.n, w.lower, w.upper, a.n::bigint, 1
    FROM a, segmentation_internal.wilson_interval(a.assigned, a.n, $1) AS w WHERE a.n > 0
    UNION ALL
    SELECT s.segment, 'measurable', 'value_filled', s.filled::double precision / s.n, w.lower, w.upper, s.n, 2
    FROM s, segmentation_internal.wilson_interval(s.filled, s.n, $1) AS w WHERE $2
    UNION ALL
    SELECT s.segment, 'measurable', 'mean_value', s.mean, s.mean - $3 * sqrt(s.variance / s.filled),
      s.mean + $3 * sqrt(s.variance / s.filled), s.n, 3
    FROM s WHERE s.filled > 1
    -- Substantial: shares of customers and value, and whether the niche is worth its contacts.
    UNION ALL
    SELECT s.segment, 'substantial', 'share', s.n / a.n, w.lower, w.upper, s.n, 4
    FROM s, a, segmentation_internal.wilson_interval(s.n, a.n, $1) AS w
    UNION ALL
    SELECT v.segment, 'substantial', 'value_share', v.share, v.share - $3 * v.error, v.share + $3 * v.error, v.n, 5
    -- A ratio of sums, by the delta method: what a customer's value is beside the share of it that is expected.
    FROM (SELECT s.segment, s.n, s.total / a.total AS share,
                 sqrt((1 - s.total / a.total) ^ 2 * s.squares
                      + (s.total / a.total) ^ 2 * greatest(a.squares - s.squares, 0)) / a.total AS error
          FROM s, a WHERE a.total > 0) AS v
    UNION ALL
    SELECT s.segment, 'substantial', 'value_index', s.mean / a.mean,
      (s.mean - $3 * sqrt(s.variance / s.filled)) / a.mean, (s.mean + $3 * sqrt(s.variance / s.filled)) / a.mean, s.n, 6
    FROM s, a WHERE s.filled > 1 AND a.mean > 0
    UNION ALL
    SELECT s.segment, 'substantial', 'profit', $4 * s.total - $5 * s.n,
           $4 * (s.total - $3 * sqrt(s.variance * s.filled)) - $5 * s.n,
           $4 * (s.total + $3 * sqrt(s.variance * s.filled)) - $5 * s.n, s.n, 7
    FROM s WHERE $2
    -- Differentiable: the variance of value between the segments (interval: Olkin and Finn 1995).
    UNION ALL
    SELECT NULL, 'differentiable', 'eta_squared', e.eta, greatest(e.eta - $3 * e.error, 0),
      least(e.eta + $3 * e.error, 1), e.n::bigint, 8
    FROM (SELECT b.eta, b.n, sqrt(4 * b.eta * (1 - b.eta) ^ 2 * (b.n - b.k) ^ 2 / ((b.n ^ 2 - 1) * (b.n + 3))) AS error
          FROM (SELECT sum(s.filled * (s.mean - a.mean) ^ 2)
                         / nullif(sum(s.filled * (s.mean - a.mean) ^ 2) + sum(s.variance * (s.filled - 1)), 0) AS eta,
                       sum(s.filled)::double precision AS n, count(*) AS k
                FROM s, a WHERE s.filled > 0) AS b
          WHERE b.n > 3) AS e
    WHERE e.eta IS NOT NULL
    @(accessible)@ @(actionable)@ @(stable)@
    $$, jsonb_build_object(
    'segment', segment, 'money', money, 'relation', relation::text,
    'reached', coalesce(
      (SELECT string_agg(format(', count(*) FILTER (WHERE %I) AS reached_%s', r.name, r.position), '')
       FROM unnest(reachable) WITH ORDINALITY AS r (name, position)), ''),
    'stayed', CASE WHEN previous IS NULL THEN '' ELSE format(
      ', count(*) FILTER (WHERE %1$I::text = %2$I::text) AS stayed, count(%1$I) AS known', previous, segment) END,
    'trial', CASE WHEN treated IS NULL THEN '' ELSE format(
      ', count(*) FILTER (WHERE %1$I) AS t, count(*) FILTER (WHERE %1$I AND %2$I) AS ts'
      ', count(*) FILTER (WHERE NOT %1$I) AS h, count(*) FILTER (WHERE NOT %1$I AND %2$I) AS hs',
      treated, responded) END,
    -- Who may be reached by each channel.
    'accessible', coalesce((SELECT string_agg(format($$
    UNION ALL
    SELECT s.segment, 'accessible', %L, s.reached_%2$s::double precision / s.n, w.lower, w.upper, s.n, 9
    FROM s, segmentation_internal.wilson_interval(s.reached_%2$s, s.n, $1) AS w$$, r.name, r.position), '')
     FROM unnest(reachable) WITH ORDINALITY AS r (name, position)), ''),
    -- What an offer changes, against those held out.
    'actionable', CASE WHEN treated IS NULL THEN '' ELSE $$
    UNION ALL
    SELECT s.segment, 'actionable', 'uplift', r.difference, r.lower, r.upper, s.n, 10
    FROM s, segmentation.ab_result(s.t, s.ts, s.h, s.hs, $1) AS r WHERE s.t > 0 AND s.h > 0$$ END,
    -- Who stayed, and how far both assignments agree.
    'stable', CASE WHEN previous IS NULL THEN '' ELSE format($$
    UNION ALL
    SELECT s.segment, 'stable', 'stayed', s.stayed::double precision / s.known, w.lower, w.upper, s.known, 11
    FROM s, segmentation_internal.wilson_interval(s.stayed, s.known, $1) AS w WHERE s.known > 0
    UNION ALL
    SELECT NULL, 'stable', 'adjusted_rand_index', segmentation.adjusted_rand_index(%1$I::text, %2$I::text), NULL, NULL,
           count(*), 12
    FROM %3$s
    UNION ALL
    SELECT NULL, 'stable', 'psi', segmentation.psi(%1$I::text, %2$I::text), NULL, NULL, count(*), 13 FROM %3$s$$,
      previous, segment, relation::text) END));
  RETURN QUERY EXECUTE 'SELECT q.c1, q.c2, q.c3, q.c4, q.c5, q.c6, q.c7 FROM (' || parts ||
    ') AS q (c1, c2, c3, c4, c5, c6, c7, position) ORDER BY q.position, q.c3, q.c1'
    USING level, value IS NOT NULL, z, margin, contact_cost;
END
$segment_quality$;
COMMENT ON FUNCTION segmentation.segment_quality(
  regclass, text, text, text[], text, text, text, double precision, double precision, double precision
) IS
  'Whether segments are measurable, substantial, accessible, differentiable, actionable and stable, as numbers with '
  'intervals. segment, value, previous: columns; reachable: boolean columns, one a channel; treated, responded: '
  'boolean columns of a trial. Rows without a segment_code are about all segments.';
