-- Views for BI tools: materialized, with a unique index, comments and labels. A role that may read them needs no right
-- on facts or sources.

-- Channels are the same codes on every page; what lacks data reads alike on every axis.
CREATE FUNCTION segmentation.workspace_label(axis text, code text, language text DEFAULT 'en') RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN segmentation.label(
    CASE WHEN code = 'insufficient_data' THEN 'workspace'
      ELSE coalesce((SELECT a.label_domain FROM segmentation.workspace_axis AS a WHERE a.axis = $1), axis) END,
    code, language);
COMMENT ON FUNCTION segmentation.workspace_label(text, text, text) IS
  'The name of a code of an axis of a workspace in a language (en, fr).';

-- Names that a workspace itself gives to codes, of profiles and products, as rows (axis, code, label) over l.language.
CREATE FUNCTION segmentation_internal.workspace_names_sql(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(segmentation_internal.fill(NULL,
        'SELECT @''axis''@::text, n.code, n.label FROM (@(names)@) AS n (code, label)',
        jsonb_build_object('axis', a.axis, 'names', segmentation_internal.fill(ws, a.names))),
      ' UNION ALL ' ORDER BY a.place)
    FROM segmentation.workspace_axis AS a WHERE a.names IS NOT NULL);
COMMENT ON FUNCTION segmentation_internal.workspace_names_sql(text) IS
  'Part of create_workspace: the names that a workspace gives to codes, as SQL over l.language.';

-- The usual reading of the index (Siddiqi 2006): a verdict of bi_drift.
CREATE FUNCTION segmentation_internal.psi_verdict(psi double precision) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN psi < 0.1 THEN 'stable' WHEN psi <= 0.25 THEN 'moderate' WHEN psi > 0.25 THEN 'major' END;
COMMENT ON FUNCTION segmentation_internal.psi_verdict(double precision) IS
  'Part of bi_drift: what a population stability index says: stable below .1, moderate up to .25, major above; NULL if '
  'there is none.';

INSERT INTO segmentation.label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('bi', 'before', 'before', 'avant'),
  ('bi', 'after', 'after', 'après'),
  ('verdict', 'stable', 'Stable', 'Stable'),
  ('verdict', 'moderate', 'Moderate shift', 'Décalage modéré'),
  ('verdict', 'major', 'Major shift', 'Décalage important'),
  ('measure', 'customers', 'Customers', 'Clients'),
  ('measure', 'with_purchases', 'Customers with purchases', 'Clients avec des achats'),
  ('measure', 'with_lines', 'Customers with purchase lines', 'Clients avec des lignes d''achat'),
  ('measure', 'with_contacts', 'Customers with contacts', 'Clients sollicités'),
  ('measure', 'with_interactions', 'Customers with interactions', 'Clients avec des interactions'),
  ('measure', 'with_consents', 'Customers with consents', 'Clients dont le consentement est connu'),
  ('measure', 'with_attributes', 'Customers with attributes', 'Clients avec des attributs'),
  ('measure', 'with_company', 'Customers who are companies', 'Clients qui sont des entreprises'),
  ('measure', 'with_subscriptions', 'Customers with contracts', 'Clients avec des contrats'),
  ('measure', 'days_since_last_purchase_of_all', 'Days since the last purchase of all',
    'Jours depuis le dernier achat de tous'),
  ('measure', 'with_purchases_after_as_of', 'Customers with purchases after the day of the data',
    'Clients avec des achats après le jour des données')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

-- A list of rows (axis, code) of a row c of customer_segments.
CREATE FUNCTION segmentation_internal.workspace_codes_sql(axes text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(format('(%L, c.%I)', a.axis, a.axis), ', ' ORDER BY a.place)
    FROM unnest(axes) WITH ORDINALITY AS a (axis, place));
COMMENT ON FUNCTION segmentation_internal.workspace_codes_sql(text[]) IS
  'Part of create_workspace: the codes of a customer as rows, for VALUES, as SQL.';

-- A row (axis, code) for each code of a row c of customer_segments, registered segments too: for LATERAL.
CREATE FUNCTION segmentation_internal.workspace_memberships_sql(axes text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$
            SELECT v.axis, v.code FROM (VALUES @(codes)@) AS v (axis, code)
            UNION ALL
            SELECT 'segment:' || e.key, e.value FROM pg_catalog.jsonb_each_text(c.segments) AS e$q$,
    jsonb_build_object('codes', segmentation_internal.workspace_codes_sql(axes)));
COMMENT ON FUNCTION segmentation_internal.workspace_memberships_sql(text[]) IS
  'Part of create_workspace: the codes of a customer and its registered segments as rows, as SQL over c.';

-- What the view of customers shows of each axis: its code, and the name.
CREATE FUNCTION segmentation_internal.workspace_customer_codes_sql(ws text, OUT columns text, OUT joins text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT string_agg(segmentation_internal.fill(NULL, 'c.@axis@ AS @code@, coalesce(@k@.label, c.@axis@) AS @label@',
      jsonb_build_object('axis', a.axis, 'code', a.axis || '_code', 'label', a.axis || '_label',
        'k', 'k_' || a.axis)), ', ' ORDER BY a.place),
    string_agg(segmentation_internal.fill(ws,
      'LEFT JOIN @ws@.bi_code AS @k@ ON @k@.axis = @''axis''@ AND @k@.code = c.@axis@',
      jsonb_build_object('axis', a.axis, 'k', 'k_' || a.axis)), ' ' ORDER BY a.place)
  FROM segmentation.workspace_axis AS a;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_customer_codes_sql(text) IS
  'Part of create_workspace: the codes of a customer with their names, as columns and joins.';

-- The turnover that a score would have shown on a day: over the facts f, and p with its parameters and as_of.
CREATE FUNCTION segmentation_internal.workspace_turnover_sql(
  ws text, day text, OUT expression text, OUT parameters text
)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.expression, segmentation_internal.fill(ws, $q$
        CROSS JOIN LATERAL (
          SELECT @(day)@ AS as_of, @(parameters)@
          FROM @ws@.workspace AS w JOIN @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set) AS p$q$,
      jsonb_build_object('day', day, 'parameters', (
        SELECT string_agg(format('%s AS %I', q.expression, q.name), ', ' ORDER BY q.name)
        FROM segmentation.workspace_parameter AS q
        WHERE t.expression ~ ('\mp\.' || q.name || '\M'))))
  FROM segmentation.workspace_score AS t WHERE t.name = 'turnover';
END;
COMMENT ON FUNCTION segmentation_internal.workspace_turnover_sql(text, text) IS
  'Part of create_workspace: the turnover of a customer on a day, as SQL over f, and what it takes from the '
  'parameters.';

-- Views that stand on others come later. Every query names all with its schema. keys: of its unique index; NULL is a
-- plain view, which is not stored.
CREATE FUNCTION segmentation_internal.workspace_view_list(ws text)
RETURNS TABLE (name text, keys text, about text, query text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.name, v.keys, v.about, v.query
  FROM (VALUES
    ('bi_code', 'axis, code',
      'The codes of each axis and registered segment with their names, in their order: the best first, or the largest.',
      segmentation_internal.fill(ws, $q$
        SELECT k.axis, CASE WHEN k.axis LIKE 'segment:%' THEN pg_catalog.substr(k.axis, 9)
            ELSE segmentation.label('axis', k.axis, l.language) END AS axis_label,
          k.code, coalesce(n.label, CASE WHEN k.axis LIKE 'segment:%'
            THEN segmentation.label('segment', k.code, l.language)
            ELSE segmentation.workspace_label(k.axis, k.code, l.language) END) AS label,
          (row_number() OVER (
            PARTITION BY k.axis
            ORDER BY k.code = 'insufficient_data', coalesce(pg_catalog.array_position(a.ordered, k.code),
              pg_catalog.array_position(segmentation.segment_codes(s.definition), k.code)), k.customers DESC, k.code
          ))::integer AS position
        FROM (
          SELECT h.axis, h.code, count(*) FILTER (WHERE h.valid_to IS NULL) AS customers
          FROM @ws@.membership_history AS h
          GROUP BY h.axis, h.code) AS k
        CROSS JOIN @ws@.bi_language AS l
        LEFT JOIN segmentation.workspace_axis AS a ON a.axis = k.axis
        LEFT JOIN @ws@.segment AS s ON 'segment:' || s.segment = k.axis
        LEFT JOIN @ws@.bi_label AS n ON n.axis = k.axis AND n.code = k.code$q$)),
    ('bi_segment_size', 'axis, code',
      'Customers and value by axis and code. Every axis counts everybody once: choose one axis before you sum. Best '
      'shown as bars, or as a treemap.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, g.axis, k.axis_label, g.code, coalesce(k.label, g.code) AS label, k.position, g.customers,
          pg_catalog.round(g.customers / sum(g.customers) OVER (PARTITION BY g.axis), 6)::double precision AS share,
          pg_catalog.round(g.turnover, 2) AS turnover, pg_catalog.round(g.future_value, 2) AS future_value,
          pg_catalog.round(g.churn_probability::numeric, 4)::double precision AS churn_probability,
          pg_catalog.round(g.expected_churners::numeric, 1)::double precision AS expected_churners
        FROM (
          SELECT m.axis, m.code, count(*) AS customers, coalesce(sum(s.turnover), 0) AS turnover,
            coalesce(sum(s.future_value), 0) AS future_value, avg(s.churn_probability) AS churn_probability,
            sum(s.churn_probability) AS expected_churners
          FROM @ws@.customer_segments AS c
          JOIN @ws@.customer_scores_stored AS s ON s.customer = c.customer
          CROSS JOIN LATERAL (@(memberships)@) AS m (axis, code)
          GROUP BY m.axis, m.code) AS g
        CROSS JOIN @ws@.workspace AS w
        LEFT JOIN @ws@.bi_code AS k ON k.axis = g.axis AND k.code = g.code$q$,
        jsonb_build_object('memberships',
          segmentation_internal.workspace_memberships_sql(segmentation.workspace_axes())))),
    ('bi_segment_history', 'as_of, axis, code',
      'How many customers each code had after each publication, and what they were worth, where CALL refresh_views '
      'was called that day. Every axis counts everybody once. Best shown as lines, or as stacked areas.',
      segmentation_internal.fill(ws, $q$
        SELECT h.as_of, h.axis, h.axis_label, h.code, h.label, h.position, h.customers,
          pg_catalog.round(h.customers / NULLIF(sum(h.customers) OVER (PARTITION BY h.as_of, h.axis), 0), 6)
            ::double precision AS share,
          CASE WHEN h.customers = 0 THEN 0 ELSE v.turnover END AS turnover,
          CASE WHEN h.customers = 0 THEN 0 ELSE v.future_value END AS future_value,
          CASE WHEN h.customers = 0 THEN 0 ELSE v.expected_churners END AS expected_churners
        FROM (
          SELECT d.as_of, k.axis, k.axis_label, k.code, k.label, k.position,
            (sum(coalesce(m.change, 0)) OVER (PARTITION BY k.axis, k.code ORDER BY d.as_of))::bigint AS customers
          FROM (
            SELECT b.valid_from AS as_of FROM @ws@.membership_history AS b
            UNION SELECT e.valid_to FROM @ws@.membership_history AS e WHERE e.valid_to IS NOT NULL
            UNION SELECT w.as_of FROM @ws@.workspace AS w WHERE w.as_of IS NOT NULL) AS d
          CROSS JOIN @ws@.bi_code AS k
          LEFT JOIN (
            SELECT c.as_of, c.axis, c.code, sum(c.change) AS change
            FROM (
              SELECT b.valid_from AS as_of, b.axis, b.code, 1 AS change FROM @ws@.membership_history AS b
              UNION ALL
              SELECT e.valid_to, e.axis, e.code, -1 FROM @ws@.membership_history AS e
              WHERE e.valid_to IS NOT NULL) AS c
            GROUP BY c.as_of, c.axis, c.code) AS m ON m.as_of = d.as_of AND m.axis = k.axis AND m.code = k.code) AS h
        LEFT JOIN @ws@.segment_value AS v ON v.as_of = h.as_of AND v.axis = h.axis AND v.code = h.code
        -- Of products there are hundreds: a day without any is left out.
        WHERE h.customers > 0 OR h.axis <> 'product_appetence'$q$)),
    ('bi_rfm_grid', 'r, f',
      'Customers and turnover by recency score (5: lately) and frequency score (5: often). Best shown as a heat map.',
      segmentation_internal.fill(ws, $q$
        SELECT s.as_of, s.r, s.f, count(*) AS customers, pg_catalog.round(sum(s.turnover), 2) AS turnover,
          pg_catalog.round(sum(s.monetary), 2) AS monetary,
          pg_catalog.round(avg(s.churn_probability)::numeric, 4)::double precision AS churn_probability,
          pg_catalog.round(sum(s.churn_probability)::numeric, 1)::double precision AS expected_churners
        FROM @ws@.customer_scores_stored AS s
        WHERE s.r IS NOT NULL
        GROUP BY s.as_of, s.r, s.f$q$)),
    ('bi_pmg_curve', 'percent',
      'Concentration: the share of turnover that the best customers bring, by percent of customers, from 0. Best shown '
      'as a line.',
      segmentation_internal.fill(ws, $q$
        SELECT p.as_of, p.percent,
          pg_catalog.round(max(p.running) / NULLIF(max(p.total), 0), 6)::double precision AS turnover_share,
          count(*) AS customers, pg_catalog.round(sum(p.turnover), 2) AS turnover
        FROM (
          SELECT s.as_of, s.turnover,
            pg_catalog.ceil(100.0 * row_number() OVER w / count(*) OVER ())::integer AS percent,
            sum(s.turnover) OVER w AS running, sum(s.turnover) OVER () AS total
          FROM @ws@.customer_scores_stored AS s
          WHERE s.turnover > 0
          WINDOW w AS (ORDER BY s.turnover DESC, s.customer ROWS UNBOUNDED PRECEDING)) AS p
        GROUP BY p.as_of, p.percent
        UNION ALL
        SELECT w.as_of, 0, 0, 0, 0
        FROM @ws@.workspace AS w
        WHERE EXISTS (SELECT FROM @ws@.customer_scores_stored AS s WHERE s.turnover > 0)$q$)),
    ('bi_churn_value', 'churn, future_value',
      'Customers by risk of churn and expected value: who is worth keeping. Best shown as a matrix.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, g.churn, coalesce(k.label, g.churn) AS churn_label, k.position AS churn_position,
          g.future_value, coalesce(v.label, g.future_value) AS future_value_label,
          v.position AS future_value_position, g.customers,
          pg_catalog.round(g.turnover, 2) AS turnover, pg_catalog.round(g.value, 2) AS value,
          pg_catalog.round(g.expected_churners::numeric, 1)::double precision AS expected_churners
        FROM (
          SELECT c.churn, c.future_value, count(*) AS customers, coalesce(sum(s.turnover), 0) AS turnover,
            coalesce(sum(s.future_value), 0) AS value, sum(s.churn_probability) AS expected_churners
          FROM @ws@.customer_segments AS c
          JOIN @ws@.customer_scores_stored AS s ON s.customer = c.customer
          GROUP BY c.churn, c.future_value) AS g
        CROSS JOIN @ws@.workspace AS w
        LEFT JOIN @ws@.bi_code AS k ON k.axis = 'churn' AND k.code = g.churn
        LEFT JOIN @ws@.bi_code AS v ON v.axis = 'future_value' AND v.code = g.future_value$q$)),
    ('bi_migration', 'as_of, axis, from_code, to_code',
      'Who moved from code to code, and who stayed, by day of publication. Best shown as a Sankey diagram: from source '
      'to target.',
      segmentation_internal.fill(ws, $q$
        SELECT m.as_of, m.axis, b.axis_label, m.from_code, coalesce(b.label, m.from_code) AS from_label,
          b.position AS from_position, pg_catalog.format('%s (%s)', coalesce(b.label, m.from_code),
            segmentation.label('bi', 'before', l.language)) AS source,
          m.to_code, coalesce(a.label, m.to_code) AS to_label, a.position AS to_position,
          pg_catalog.format('%s (%s)', coalesce(a.label, m.to_code), segmentation.label('bi', 'after', l.language))
            AS target,
          m.customers, m.turnover, m.from_code = m.to_code AS stayed, EXISTS (
            SELECT FROM @ws@.parameter_set AS t
            WHERE t.as_of = m.as_of AND t.status IN ('in_use', 'retired')) AS retrained
        FROM (
          SELECT h.valid_from AS as_of, h.axis, o.code AS from_code, h.code AS to_code, count(*) AS customers,
            pg_catalog.round(coalesce(sum(t.turnover), 0), 2) AS turnover
          FROM @ws@.membership_history AS h
          JOIN @ws@.membership_history AS o
            ON o.customer = h.customer AND o.axis = h.axis AND o.valid_to = h.valid_from
          LEFT JOIN @ws@.customer_facts AS f ON f.customer = h.customer
          @(parameters)@
          CROSS JOIN LATERAL (SELECT @(turnover)@ AS turnover) AS t
          GROUP BY h.valid_from, h.axis, o.code, h.code
          UNION ALL
          SELECT s.as_of, s.axis, s.code, s.code, s.customers - coalesce(i.customers, 0), NULL
          FROM @ws@.bi_segment_history AS s
          LEFT JOIN (
            SELECT h.valid_from, h.axis, h.code, count(*) AS customers
            FROM @ws@.membership_history AS h
            GROUP BY h.valid_from, h.axis, h.code) AS i
            ON i.valid_from = s.as_of AND i.axis = s.axis AND i.code = s.code
          WHERE s.customers > coalesce(i.customers, 0)) AS m
        CROSS JOIN @ws@.bi_language AS l
        LEFT JOIN @ws@.bi_code AS b ON b.axis = m.axis AND b.code = m.from_code
        LEFT JOIN @ws@.bi_code AS a ON a.axis = m.axis AND a.code = m.to_code$q$,
        (SELECT jsonb_build_object('turnover', t.expression, 'parameters', t.parameters)
         FROM segmentation_internal.workspace_turnover_sql(ws, 'h.valid_from') AS t))),
    ('bi_reach', 'axis, code, channel',
      'How many customers of each segment may be contacted, by channel; 0 where nobody may. Best shown as a table.',
      segmentation_internal.fill(ws, $q$
        WITH reach AS MATERIALIZED (
          SELECT f.customer, u.channel
          FROM @ws@.customer_facts AS f
          CROSS JOIN @ws@.workspace AS w
          CROSS JOIN LATERAL pg_catalog.unnest(
            segmentation.consents_on(@(consents)@, w.as_of, f.contacts)) AS u (channel))
        SELECT n.as_of, n.axis, n.axis_label, n.code, n.label, n.position, h.channel,
          segmentation.workspace_label('channel_appetence', h.channel, l.language) AS channel_label,
          coalesce(g.reachable, 0) AS reachable, n.customers
        FROM @ws@.bi_segment_size AS n
        CROSS JOIN (SELECT DISTINCT r.channel FROM reach AS r) AS h
        CROSS JOIN @ws@.bi_language AS l
        LEFT JOIN (
          SELECT m.axis, m.code, r.channel, count(*) AS reachable
          FROM @ws@.customer_segments AS c
          JOIN reach AS r ON r.customer = c.customer
          CROSS JOIN LATERAL (@(memberships)@) AS m (axis, code)
          GROUP BY m.axis, m.code, r.channel) AS g ON g.axis = n.axis AND g.code = n.code AND g.channel = h.channel
        WHERE n.axis NOT IN ('product_appetence', 'channel_appetence')$q$,
        jsonb_build_object('consents', segmentation_internal.workspace_published_consents_sql(ws),
          'memberships', segmentation_internal.workspace_memberships_sql(ARRAY(
          SELECT a.axis
          FROM unnest(segmentation.workspace_axes()) WITH ORDINALITY AS a (axis, place)
          WHERE a.axis NOT IN ('product_appetence', 'channel_appetence')
          ORDER BY a.place))))),
    ('bi_moments_ahead', 'week, moment',
      'Life moments that begin in the weeks to come, and those under way (in the week of the published day). Best '
      'shown as a calendar.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, pg_catalog.date_trunc('week', greatest(m.begins, w.as_of)::timestamp)::date AS week,
          m.moment, segmentation.workspace_label('life_moment', m.moment, l.language) AS label,
          count(*) AS customers, pg_catalog.round(avg(m.confidence)::numeric, 4)::double precision AS confidence
        FROM @ws@.life_moments AS m
        CROSS JOIN @ws@.workspace AS w
        CROSS JOIN @ws@.bi_language AS l
        WHERE coalesce(m.ends, 'infinity') >= w.as_of
        GROUP BY w.as_of, 2, m.moment, l.language$q$)),
    ('bi_top_products', 'axis, code, product',
      'What the customers of each segment would buy: the twenty products offered to most of them. Best shown as a '
      'table.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, t.axis, k.axis_label, t.code, coalesce(k.label, t.code) AS label, k.position, t.place,
          t.product, coalesce(n.name, t.product) AS product_name, t.customers,
          pg_catalog.round(t.expected::numeric, 2)::double precision AS expected
        FROM (
          SELECT m.axis, m.code, p.product, count(*) AS customers, sum(p.probability) AS expected,
            row_number() OVER (PARTITION BY m.axis, m.code ORDER BY count(*) DESC, p.product) AS place
          FROM @ws@.customer_products AS p
          JOIN @ws@.customer_segments AS c ON c.customer = p.customer
          CROSS JOIN LATERAL (@(memberships)@) AS m (axis, code)
          GROUP BY m.axis, m.code, p.product) AS t
        CROSS JOIN @ws@.workspace AS w
        LEFT JOIN @ws@.bi_code AS k ON k.axis = t.axis AND k.code = t.code
        LEFT JOIN @ws@.product AS n ON n.product = t.product
        WHERE t.place <= 20$q$,
        jsonb_build_object('memberships',
          segmentation_internal.workspace_memberships_sql('{rfm,pmg,churn,loyalty,profile}')))),
    ('bi_cohort_retention', 'cohort, months',
      'Of the customers who first bought in a month, the share that buys again so many months later; 0 where none did. '
      'Best shown as a triangle.',
      segmentation_internal.fill(ws, $q$
        SELECT n.as_of, n.cohort, t.months, coalesce(a.active, 0) AS active, n.customers,
          pg_catalog.round(coalesce(a.active, 0) / n.customers::numeric, 6)::double precision AS share
        FROM (
          SELECT w.as_of, pg_catalog.date_trunc('month', segmentation.first_purchase(f.history)::timestamp)::date
              AS cohort, count(*) AS customers
          FROM @ws@.customer_facts AS f
          CROSS JOIN @ws@.workspace AS w
          WHERE segmentation.first_purchase(f.history) <= w.as_of
          GROUP BY w.as_of, 2) AS n
        CROSS JOIN LATERAL pg_catalog.generate_series(0,
          ((extract(year FROM n.as_of) - extract(year FROM n.cohort)) * 12
            + extract(month FROM n.as_of) - extract(month FROM n.cohort))::integer) AS t (months)
        LEFT JOIN (
          SELECT d.cohort, d.months, count(*) AS active
          FROM (
            SELECT DISTINCT f.customer,
              pg_catalog.date_trunc('month', segmentation.first_purchase(f.history)::timestamp)::date AS cohort,
              ((extract(year FROM d.day) - extract(year FROM segmentation.first_purchase(f.history))) * 12
                + extract(month FROM d.day) - extract(month FROM segmentation.first_purchase(f.history)))::integer
                AS months
            FROM @ws@.customer_facts AS f
            CROSS JOIN @ws@.workspace AS w
            CROSS JOIN LATERAL segmentation.days(f.history) AS d
            WHERE d.purchases > 0 AND d.day <= w.as_of) AS d
          GROUP BY d.cohort, d.months) AS a ON a.cohort = n.cohort AND a.months = t.months$q$)),
    ('bi_drift', 'as_of, axis',
      'How far each publication moved each axis. Best shown as lines with limits at .1 and .25.',
      segmentation_internal.fill(ws, $q$
        SELECT d.as_of, d.axis, segmentation.label('axis', d.axis, l.language) AS axis_label,
          pg_catalog.round(d.psi::numeric, 6)::double precision AS psi, v.verdict,
          segmentation.label('verdict', v.verdict, l.language) AS verdict_label, d.customers, d.moved,
          pg_catalog.round(d.moved / NULLIF(d.customers, 0)::numeric, 6)::double precision AS moved_share, EXISTS (
            SELECT FROM @ws@.parameter_set AS t
            WHERE t.as_of = d.as_of AND t.status IN ('in_use', 'retired')) AS retrained
        FROM @ws@.drift AS d
        CROSS JOIN @ws@.bi_language AS l
        CROSS JOIN LATERAL (SELECT segmentation_internal.psi_verdict(d.psi) AS verdict) AS v$q$)),
    ('bi_model_quality', 'parameter_set',
      'Back-tested quality of each parameter set, beside a rule by recency and by past turnover; which axes are weak, '
      'and why. Best shown as lines.',
      segmentation_internal.fill(ws, $q$
        SELECT p.parameter_set, p.as_of, p.status, p.note,
          segmentation_internal.workspace_axis_status(p.readiness -> 'churn', p.weak -> 'churn') AS churn_status,
          p.quality ->> 'candidate' AS churn_candidate,
          segmentation_internal.workspace_axis_words('churn', p.readiness -> 'churn', p.weak -> 'churn', l.language)
            AS churn_reasons,
          segmentation_internal.workspace_axis_status(p.readiness -> 'future_value', p.weak -> 'future_value')
            AS value_status,
          p.quality #>> '{value,candidate}' AS value_candidate,
          segmentation_internal.workspace_axis_words(
            'future_value', p.readiness -> 'future_value', p.weak -> 'future_value', l.language) AS value_reasons,
          (p.quality #>> '{churn,auc}')::double precision AS churn_auc,
          (p.quality #>> '{recency,auc}')::double precision AS recency_auc,
          (p.quality #>> '{churn,brier}')::double precision AS churn_brier,
          (p.quality #>> '{churn,brier_skill}')::double precision AS churn_brier_skill,
          (p.quality #>> '{churn,calibration,slope}')::double precision AS churn_calibration_slope,
          (p.quality #>> '{value,correlation}')::double precision AS value_correlation,
          (p.quality #>> '{value,correlation_past}')::double precision AS past_correlation,
          (p.quality #>> '{value,predicted}')::numeric AS value_predicted,
          (p.quality #>> '{value,actual}')::numeric AS value_actual
        FROM @ws@.parameter_set AS p
        CROSS JOIN @ws@.bi_language AS l$q$)),
    ('bi_candidates', 'parameter_set, axis, place',
      'What was tried for churn and future_value at each training, and how good it was in the back-test. Best shown as '
      'bars.',
      segmentation_internal.fill(ws, $q$
        SELECT p.parameter_set, p.as_of, v.axis, c.place::integer AS place, c.value ->> 'candidate' AS candidate,
          coalesce(segmentation.label(v.domain, c.value ->> 'candidate', l.language), c.value ->> 'candidate') AS label,
          c.value ->> 'family' AS family, (c.value ->> 'ridge')::double precision AS ridge,
          (c.value ->> 'auc')::double precision AS auc, (c.value ->> 'brier')::double precision AS brier,
          (c.value ->> 'spearman')::double precision AS spearman, (c.value ->> 'bias')::double precision AS bias,
          (c.value ->> 'mae')::double precision AS mae
        FROM @ws@.parameter_set AS p
        CROSS JOIN @ws@.bi_language AS l
        CROSS JOIN LATERAL (VALUES ('churn', 'churn_candidate', p.quality -> 'churn_candidates'),
          ('future_value', 'value_candidate', p.quality -> 'value_candidates')) AS v (axis, domain, candidates)
        CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(
          CASE pg_catalog.jsonb_typeof(v.candidates) WHEN 'array' THEN v.candidates ELSE '[]' END)
          WITH ORDINALITY AS c (value, place)$q$)),
    ('customer_targets_stored', 'customer, target',
      'customer_targets as of the last CALL refresh_views: quick for BI tools.',
      segmentation_internal.fill(ws,
        'SELECT t.customer, t.target, t.probability, t.as_of FROM @ws@.customer_targets AS t')),
    ('bi_targets', 'target',
      'Targets: how likely they are, of how many customers, and how good their models were in the back-test. Best '
      'shown as a table.',
      segmentation_internal.fill(ws, $q$
        SELECT t.target, p.as_of,
          segmentation_internal.target_words(t.definition, t.about, l.language) AS label,
          extract(day FROM t.horizon)::integer AS horizon_days,
          coalesce(segmentation_internal.workspace_axis_status(
            m.trained -> 'readiness', NULLIF(m.trained -> 'weak', 'null')), 'unknown') AS status,
          segmentation_internal.workspace_axis_words(
            'target', m.trained -> 'readiness', NULLIF(m.trained -> 'weak', 'null'), l.language) AS reasons,
          (m.trained ->> 'base_rate')::double precision AS base_rate,
          (m.trained #>> '{quality,auc}')::double precision AS auc,
          (m.trained #>> '{quality,brier_skill}')::double precision AS brier_skill,
          (m.trained #>> '{quality,calibration,slope}')::double precision AS calibration_slope,
          (m.trained #>> '{quality,lift,10%}')::double precision AS lift,
          coalesce(c.customers, 0) AS customers, c.expected
        FROM @ws@.target AS t
        CROSS JOIN @ws@.workspace AS w
        JOIN @ws@.parameter_set AS p ON p.parameter_set = w.parameter_set
        CROSS JOIN @ws@.bi_language AS l
        CROSS JOIN LATERAL (
          SELECT CASE WHEN p.targets -> t.target -> 'definition' = t.definition
            AND (p.targets -> t.target ->> 'horizon')::interval = t.horizon
            THEN p.targets -> t.target END AS trained) AS m
        LEFT JOIN (
          SELECT s.target, count(*) AS customers, sum(s.probability) AS expected
          FROM @ws@.customer_targets_stored AS s GROUP BY s.target) AS c ON c.target = t.target$q$)),
    ('bi_data_health', 'measure',
      'What the data cover: customers with each kind of fact, and how fresh it is. Best shown as a table.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, v.measure, CASE WHEN v.kind IS NULL THEN segmentation.label('measure', v.measure, l.language)
            ELSE pg_catalog.format('%s (%s)', segmentation.label('source', v.kind, l.language),
              segmentation.label('row_reason', v.reason, l.language)) END AS label,
          v.value, pg_catalog.round(v.share::numeric, 6)::double precision AS share
        FROM (
          SELECT v.measure, NULL::text AS kind, NULL::text AS reason, v.value, v.share
          FROM (
            SELECT w.as_of, count(*) AS n, count(f.history) AS history, count(f.items) AS items,
              count(f.contacts) AS contacts, count(f.interactions) AS interactions, count(f.consents) AS consents,
              count(f.attributes) AS attributes, count(f.company) AS company, count(f.subscriptions) AS subscriptions,
              min(segmentation.recency(f.history, w.as_of)) AS age,
              count(*) FILTER (WHERE segmentation.last_purchase(f.history) > w.as_of) AS ahead
            FROM @ws@.customer_facts AS f
            CROSS JOIN @ws@.workspace AS w
            GROUP BY w.as_of) AS h
          CROSS JOIN LATERAL (VALUES
            ('customers', h.n, 1.0),
            ('with_purchases', h.history, h.history / h.n::double precision),
            ('with_lines', h.items, h.items / h.n::double precision),
            ('with_contacts', h.contacts, h.contacts / h.n::double precision),
            ('with_interactions', h.interactions, h.interactions / h.n::double precision),
            ('with_consents', h.consents, h.consents / h.n::double precision),
            ('with_attributes', h.attributes, h.attributes / h.n::double precision),
            ('with_company', h.company, h.company / h.n::double precision),
            ('with_subscriptions', h.subscriptions, h.subscriptions / h.n::double precision),
            ('days_since_last_purchase_of_all', h.age::bigint, NULL),
            ('with_purchases_after_as_of', h.ahead, h.ahead / h.n::double precision)) AS v (measure, value, share)
          UNION ALL
          SELECT pg_catalog.concat('rows_of_', s.kind, '_', r.reason), s.kind, r.reason, pg_catalog.sum(r.rows)::bigint,
            (pg_catalog.sum(r.rows) / pg_catalog.sum(pg_catalog.sum(r.rows)) OVER (PARTITION BY s.kind))
              ::double precision
          FROM @ws@.source_reading AS r JOIN @ws@.source AS s ON s.source = r.source
          GROUP BY s.kind, r.reason) AS v
        CROSS JOIN @ws@.workspace AS w
        CROSS JOIN @ws@.bi_language AS l$q$)),
    ('bi_customers', NULL,
      'A row a customer: codes with their names, scores, best offers with the reason, channel and hour, consents. '
      'Personal data: for call lists. Scores are as of the last CALL refresh_views, codes and offers as published.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, c.customer, @(codes)@, c.segments,
          s.recency, s.frequency, pg_catalog.round(s.monetary, 2) AS monetary,
          pg_catalog.round(s.turnover, 2) AS turnover, pg_catalog.round(s.future_value, 2) AS future_value,
          pg_catalog.round(s.churn_probability::numeric, 4)::double precision AS churn_probability,
          pg_catalog.round(s.lost_probability::numeric, 4)::double precision AS lost_probability,
          pg_catalog.round(s.loyalty_index::numeric, 1)::double precision AS loyalty_index,
          pg_catalog.round(s.engagement::numeric, 2)::double precision AS engagement,
          o.offer_1, o.offer_1_reason, o.offer_2, o.offer_2_reason, o.offer_3, o.offer_3_reason,
          h.channel, segmentation.workspace_label('channel_appetence', h.channel, l.language) AS channel_label,
          h.best_day, h.best_hour,
          pg_catalog.array_to_string(segmentation.consents_on(@(consents)@, w.as_of, f.contacts), ', ') AS consents,
          c.since, c.next_change_at
        FROM @ws@.customer_segments AS c
        CROSS JOIN @ws@.workspace AS w
        CROSS JOIN @ws@.bi_language AS l
        LEFT JOIN @ws@.customer_facts AS f ON f.customer = c.customer
        LEFT JOIN @ws@.customer_scores_stored AS s ON s.customer = c.customer
        LEFT JOIN @ws@.customer_channels AS h ON h.customer = c.customer AND h.place = 1
        CROSS JOIN LATERAL (
          SELECT max(v.name) FILTER (WHERE v.place = 1) AS offer_1,
            max(v.reason) FILTER (WHERE v.place = 1) AS offer_1_reason,
            max(v.name) FILTER (WHERE v.place = 2) AS offer_2,
            max(v.reason) FILTER (WHERE v.place = 2) AS offer_2_reason,
            max(v.name) FILTER (WHERE v.place = 3) AS offer_3,
            max(v.reason) FILTER (WHERE v.place = 3) AS offer_3_reason
          FROM (
            SELECT p.place, coalesce(n.name, p.product) AS name,
              CASE l.language WHEN 'fr' THEN p.reason_fr ELSE p.reason END AS reason
            FROM @ws@.customer_products AS p LEFT JOIN @ws@.product AS n ON n.product = p.product
            WHERE p.customer = c.customer AND p.place <= 3) AS v) AS o
        @(joins)@$q$,
        (SELECT jsonb_build_object('codes', k.columns, 'joins', k.joins,
           'consents', segmentation_internal.workspace_published_consents_sql(ws))
         FROM segmentation_internal.workspace_customer_codes_sql(ws) AS k))),
    -- The last: as long as it says what there is, no view has to be made anew.
    ('bi_as_of', 'language', 'As of when the views are: one row. Best shown as a caption.',
      segmentation_internal.fill(ws, $q$
        SELECT w.as_of, w.parameter_set, l.language, pg_catalog.md5(pg_catalog.concat_ws(' ',
            pg_catalog.to_jsonb(w.as_of), w.parameter_set, w.definitions,
            (SELECT max(r.refresh) FROM @ws@.refresh_log AS r WHERE r.status = 'done'),
            (SELECT pg_catalog.jsonb_object_agg(s.name, s.value) FROM @ws@.setting AS s),
            (SELECT pg_catalog.jsonb_object_agg(p.parameter_set, p.status) FROM @ws@.parameter_set AS p),
            (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(t) ORDER BY t.target) FROM @ws@.target AS t),
            (SELECT pg_catalog.jsonb_agg(s.kind ORDER BY s.source) FROM @ws@.source AS s),
            (SELECT count(*) FROM @ws@.erasure AS e),
            (SELECT pg_catalog.jsonb_agg(o.label ORDER BY o.domain, o.code, o.language)
             FROM segmentation.label AS o WHERE NOT o.built_in))) AS made_of
        FROM @ws@.workspace AS w CROSS JOIN @ws@.bi_language AS l$q$))
  ) AS v (name, keys, about, query);
END;
COMMENT ON FUNCTION segmentation_internal.workspace_view_list(text) IS
  'Part of create_workspace: the materialized views for BI tools, with their queries.';

-- A column of one name means the same in every view.
CREATE FUNCTION segmentation_internal.workspace_view_columns() RETURNS TABLE (name text, about text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.name, v.about
  FROM (VALUES
    ('active', 'Customers who bought in that month.'),
    ('as_of', 'Day of the publication or of the training.'),
    ('auc', 'AUC of the back-test.'),
    ('axis', 'Axis, or segment: and the name of a registered segment.'),
    ('axis_label', 'Its name.'),
    ('base_rate', 'Share of those whom it is about who did it in the back-test.'),
    ('best_day', 'Day of the week on which the customer answers most, 1 is Monday.'),
    ('best_hour', 'Hour of the day at which the customer answers most.'),
    ('bias', 'Predicted total over the real one, less 1.'),
    ('brier', 'Brier score of the back-test.'),
    ('brier_skill', 'Brier skill of the back-test.'),
    ('calibration_slope', 'Calibration slope of the back-test; 1 is best.'),
    ('candidate', 'What was tried.'),
    ('channel', 'Code of the channel.'),
    ('channel_label', 'Its name.'),
    ('churn', 'Code of churn.'),
    ('churn_auc', 'AUC of the churn probability.'),
    ('churn_brier', 'Brier score.'),
    ('churn_brier_skill', 'Its skill over the base rate.'),
    ('churn_calibration_slope', '1 is best.'),
    ('churn_candidate', 'What churn goes by: the best candidate of the back-test.'),
    ('churn_label', 'Its name.'),
    ('churn_position', 'Place of churn in the order of its codes.'),
    ('churn_probability', 'Probability of no purchase within churn_horizon; of many customers, the mean.'),
    ('churn_reasons', 'Why churn is thin or weak, in words.'),
    ('churn_status', 'ready, weak, thin, missing.'),
    ('code', 'Code of the segment.'),
    ('cohort', 'Month of the first purchase.'),
    ('confidence', 'Mean confidence, 0 to 1.'),
    ('consents', 'Channels by which the customer may be contacted.'),
    ('customer', 'Key of the customer.'),
    ('customers', 'Number of customers.'),
    ('engagement', 'Engagement from interactions.'),
    ('expected', 'Expected number of buyers within product_horizon or, by product_next_basket, in the next basket; or '
      'of who does it within the horizon.'),
    ('expected_churners', 'Sum of their probabilities of churn: it may be added up.'),
    ('f', 'Frequency score.'),
    ('family', 'Family of the purchase model.'),
    ('from_code', 'Code before.'),
    ('frequency', 'Number of purchases.'),
    ('from_label', 'Its name.'),
    ('from_position', 'Its place in the order of the codes.'),
    ('future_value', 'Value expected within value_horizon.'),
    ('future_value_label', 'Its name.'),
    ('future_value_position', 'Place of future_value in the order of its codes.'),
    ('horizon_days', 'Days of the horizon.'),
    ('label', 'Its name.'),
    ('language', 'Language of labels.'),
    ('lift', 'Share of those who did it among the likeliest tenth, over the base rate.'),
    ('lost_probability', 'Probability of no purchase within churn_lost_horizon.'),
    ('loyalty_index', 'Loyalty index, 0 to 100.'),
    ('mae', 'Mean absolute error of the value.'),
    ('made_of', 'Fingerprint of what the views were made of.'),
    ('measure', 'What is measured.'),
    ('moment', 'Code of the life moment.'),
    ('monetary', 'Turnover, all time.'),
    ('months', 'Months after it.'),
    ('moved', 'Customers who changed their code.'),
    ('moved_share', 'As a share.'),
    ('next_change_at', 'Day on which time alone changes a code.'),
    ('note', 'Why.'),
    ('offer_1', 'The best offer.'),
    ('offer_1_reason', 'Why.'),
    ('offer_2', 'The second best.'),
    ('offer_2_reason', 'Why.'),
    ('offer_3', 'The third best.'),
    ('offer_3_reason', 'Why.'),
    ('parameter_set', 'Number of the parameter set.'),
    ('past_correlation', 'Correlation of past and real turnover.'),
    ('percent', 'The best so many percent of active customers.'),
    ('product', 'Product or category.'),
    ('product_name', 'Its name, if the source of products has one.'),
    ('psi', 'Population stability index.'),
    ('r', 'Recency score.'),
    ('place', 'Its place in the list.'),
    ('position', 'Its place in the order of the codes: the best first, or the largest.'),
    ('probability', 'That it happens within the horizon.'),
    ('reachable', 'Customers with consent.'),
    ('reasons', 'Why it is thin or weak, in words.'),
    ('recency', 'Days since the last purchase.'),
    ('recency_auc', 'AUC of recency alone.'),
    ('retrained', 'Whether models were trained that day: then codes move though customers did nothing.'),
    ('ridge', 'Precision of the ridge of a regression.'),
    ('segments', 'Codes of registered segments.'),
    ('share', 'Share, from 0 to 1.'),
    ('since', 'Day since which the codes hold.'),
    ('source', 'Name of the code before, as a node of a Sankey diagram.'),
    ('spearman', 'Rank correlation of predicted and real value.'),
    ('stayed', 'Whether the code is the same.'),
    ('status', 'in_use, retired, rejected; of a target: ready, weak, thin, unknown.'),
    ('target', 'Name of the target; of a move, of the code after, as a node of a Sankey diagram.'),
    ('to_code', 'Code after.'),
    ('to_label', 'Its name.'),
    ('to_position', 'Its place in the order of the codes.'),
    ('turnover', 'Turnover of the months of the setting pmg_months; of a move, up to its day.'),
    ('turnover_share', 'Share of that turnover which they bring.'),
    ('value', 'Expected value, or the number measured.'),
    ('value_actual', 'Real total.'),
    ('value_candidate', 'What future_value goes by: the best candidate of the back-test.'),
    ('value_correlation', 'Correlation of predicted and real turnover.'),
    ('value_predicted', 'Predicted total.'),
    ('value_reasons', 'Why future_value is thin or weak, in words.'),
    ('value_status', 'ready, weak, thin, missing.'),
    ('verdict', 'stable, moderate or major.'),
    ('verdict_label', 'Its name.'),
    ('week', 'Monday of the week.')
  ) AS v (name, about)
  UNION ALL
  SELECT a.axis || v.ending, v.about
  FROM segmentation.workspace_axis AS a
  CROSS JOIN (VALUES ('_code', 'Its code.'), ('_label', 'Name of its code.')) AS v (ending, about)
  WHERE NOT (a.axis IN ('churn', 'future_value') AND v.ending = '_label');
END;
COMMENT ON FUNCTION segmentation_internal.workspace_view_columns() IS
  'Part of create_workspace: what each column of the views for BI tools holds.';

CREATE FUNCTION segmentation_internal.workspace_make_views(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := quote_ident(workspace);
  view record;
  col record;
BEGIN
  IF to_regclass(ws || '.bi_language') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE VIEW @ws@.bi_language AS
        SELECT coalesce((SELECT s.value #>> '{}' FROM @ws@.setting AS s WHERE s.name = 'language'), 'en') AS language;
      COMMENT ON VIEW @ws@.bi_language IS 'The language of labels; see the setting language.'$q$);
  END IF;
  IF to_regclass(ws || '.bi_label') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE VIEW @ws@.bi_label AS
        SELECT n.axis, n.code, n.label
        FROM @ws@.bi_language AS l CROSS JOIN LATERAL (@(names)@) AS n (axis, code, label);
      COMMENT ON VIEW @ws@.bi_label IS
        'Names of codes that are the workspace''s own: of profiles and products. All others: workspace_label.';
      COMMENT ON COLUMN @ws@.bi_label.axis IS 'The axis.';
      COMMENT ON COLUMN @ws@.bi_label.code IS 'The code.';
      COMMENT ON COLUMN @ws@.bi_label.label IS 'Its name, in the language of the workspace.'$q$,
      jsonb_build_object('names', segmentation_internal.workspace_names_sql(ws)));
  END IF;
  FOR view IN SELECT * FROM segmentation_internal.workspace_view_list(ws) LOOP
    CONTINUE WHEN to_regclass(format('%s.%I', ws, view.name)) IS NOT NULL;
    EXECUTE CASE WHEN view.keys IS NULL THEN segmentation_internal.fill(ws, $q$
        CREATE VIEW @ws@.@view@ AS @(query)@;
        COMMENT ON VIEW @ws@.@view@ IS @'about'@$q$,
        jsonb_build_object('view', view.name, 'query', view.query, 'about', view.about))
      ELSE segmentation_internal.fill(ws, $q$
        CREATE MATERIALIZED VIEW @ws@.@view@ AS @(query)@ WITH NO DATA;
        CREATE UNIQUE INDEX @index@ ON @ws@.@view@ (@(keys)@);
        COMMENT ON MATERIALIZED VIEW @ws@.@view@ IS @'about'@$q$,
        jsonb_build_object('view', view.name, 'query', view.query, 'index', view.name || '_key', 'keys', view.keys,
          'about', view.about)) END;
    FOR col IN
      SELECT c.name, c.about
      FROM pg_attribute AS a
      JOIN segmentation_internal.workspace_view_columns() AS c ON c.name = a.attname
      WHERE a.attrelid = format('%s.%I', ws, view.name)::regclass AND a.attnum > 0
    LOOP
      EXECUTE segmentation_internal.fill(ws, $q$COMMENT ON COLUMN @ws@.@view@.@column@ IS @'about'@$q$,
        jsonb_build_object('view', view.name, 'column', col.name, 'about', col.about));
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_views(text) IS
  'Part of create_workspace: makes the views for BI tools, those that are not there.';

-- The views that are not as this version makes them, and those of the workspace that stand on them. To tell, each is
-- made a second time: PostgreSQL writes equal queries equally.
CREATE FUNCTION segmentation_internal.workspace_stale_views(ws text) RETURNS text[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  view record;
  there regclass;
  same boolean;
  stale text[] := '{}';
  stale_oids oid[] := '{}';
BEGIN
  FOR view IN SELECT v.name, v.query FROM segmentation_internal.workspace_view_list(ws) AS v LOOP
    there := to_regclass(format('%s.%I', ws, view.name));
    CONTINUE WHEN there IS NULL;
    BEGIN
      EXECUTE segmentation_internal.fill(ws, 'CREATE VIEW @ws@.stage_view AS @(query)@',
        jsonb_build_object('query', view.query));
      same := pg_get_viewdef(there) = pg_get_viewdef(to_regclass(ws || '.stage_view'));
      EXECUTE format('DROP VIEW %s.stage_view', ws);
    EXCEPTION WHEN undefined_column OR undefined_table OR undefined_function THEN
      same := false;
    END;
    IF NOT same OR EXISTS (
      SELECT FROM pg_depend AS d
      JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
      WHERE w.ev_class = there AND d.refobjid = ANY (stale_oids))
    THEN
      stale := stale || view.name;
      stale_oids := stale_oids || there::oid;
    END IF;
  END LOOP;
  RETURN stale;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stale_views(text) IS
  'Part of upgrade_workspace: the views that this version makes otherwise.';

CREATE FUNCTION segmentation_internal.workspace_renew_views(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := quote_ident(workspace);
  stale text[] := segmentation_internal.workspace_stale_views(ws);
  others text[];
  drops text[];
  grants text[];
  refreshes text[];
  plain text[];
  statement text;
BEGIN
  others := ARRAY(
    SELECT DISTINCT d
    FROM unnest(stale) AS s (name)
    CROSS JOIN LATERAL segmentation_internal.workspace_dependents(ws, to_regclass(format('%s.%I', ws, s.name))) AS d
    ORDER BY d);
  IF others <> '{}' THEN
    RAISE dependent_objects_still_exist USING
      MESSAGE = format('cannot upgrade workspace %I because other objects depend on views that change: %s',
        workspace, array_to_string(stale, ', ')),
      DETAIL = segmentation_internal.workspace_listed(others),
      HINT = 'Drop these, upgrade, and make them again.';
  END IF;
  -- Those that stand on others come later in the list.
  SELECT array_agg(format('DROP %s VIEW %s.%I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED' ELSE '' END, ws, s.name)
        ORDER BY s.place DESC),
      array_agg(format('REFRESH MATERIALIZED VIEW %s.%I', ws, s.name) ORDER BY s.place)
        FILTER (WHERE c.relkind = 'm' AND c.relispopulated)
    INTO drops, refreshes
  FROM unnest(stale) WITH ORDINALITY AS s (name, place)
  JOIN pg_class AS c ON c.oid = to_regclass(format('%s.%I', ws, s.name));
  SELECT array_agg(format('GRANT %s ON %s TO %s%s', g.privilege_type, c.oid::regclass,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
      CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END))
    INTO grants
  FROM unnest(stale) AS s (name)
  JOIN pg_class AS c ON c.oid = to_regclass(format('%s.%I', ws, s.name))
  CROSS JOIN LATERAL aclexplode(c.relacl) AS g;
  plain := segmentation_internal.bi_schema_take(ws, stale);
  FOREACH statement IN ARRAY coalesce(drops, '{}') LOOP
    EXECUTE statement;
  END LOOP;
  PERFORM segmentation_internal.workspace_make_views(workspace);
  FOREACH statement IN ARRAY coalesce(grants, '{}') || coalesce(refreshes, '{}') LOOP
    EXECUTE statement;
  END LOOP;
  PERFORM segmentation_internal.bi_schema_give(ws, plain);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_renew_views(text) IS
  'Part of upgrade_workspace: makes the views anew that this version makes otherwise, with their grants and rows. '
  'Refused, with a list, if anything of others depends on one.';

-- The statement that brings a view up to date. Readers are never kept waiting, but for the very first time.
CREATE FUNCTION segmentation_internal.workspace_refresh_view_sql(ws text, name text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, 'REFRESH MATERIALIZED VIEW @(how)@ @ws@.@name@',
    jsonb_build_object('name', name, 'how', (
      SELECT CASE WHEN c.relispopulated THEN 'CONCURRENTLY' ELSE '' END
      FROM pg_class AS c WHERE c.oid = format('%s.%I', ws, name)::regclass)));
COMMENT ON FUNCTION segmentation_internal.workspace_refresh_view_sql(text, text) IS
  'Part of refresh_views: the statement that brings a view up to date.';

-- In the log like a refresh that fails.
CREATE FUNCTION segmentation_internal.workspace_log_failed(ws text, phase text, began timestamptz, message text)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.refresh_log (refresh, place, phase, status, as_of, began_at, ended_at, detail)
    SELECT nextval(@'numbers'@), 1, $1, 'failed', coalesce(w.as_of, current_date), $2, clock_timestamp(), $3
    FROM @ws@.workspace AS w$q$, jsonb_build_object('numbers', ws || '.refresh_number'))
    USING phase, began, message;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_log_failed(text, text, timestamptz, text) IS
  'Part of refresh_views: notes what failed.';

-- What the views would be made of now, by bi_as_of: if it says the same, none has to be made anew.
CREATE FUNCTION segmentation_internal.workspace_made_of(ws text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made_of text;
BEGIN
  EXECUTE (
    SELECT format('SELECT v.made_of FROM (%s) AS v', l.query)
    FROM segmentation_internal.workspace_view_list(ws) AS l WHERE l.name = 'bi_as_of')
    INTO made_of;
  RETURN made_of;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_made_of(text) IS
  'Part of refresh_views: a fingerprint of what the views are made of.';

CREATE FUNCTION segmentation_internal.workspace_views_current(ws text, made_of text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  same boolean;
BEGIN
  IF EXISTS (
    SELECT FROM segmentation_internal.workspace_view_list(ws) AS v
    LEFT JOIN pg_class AS c ON c.oid = to_regclass(format('%s.%I', ws, v.name))
    WHERE v.keys IS NOT NULL AND c.relispopulated IS NOT TRUE)
  THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT v.made_of = $1 FROM %s.bi_as_of AS v', ws) INTO same USING made_of;
  RETURN coalesce(same, false);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_views_current(text, text) IS
  'Part of refresh_views: whether all views are there and were made of what there is.';

CREATE PROCEDURE segmentation.refresh_views(workspace text, again boolean DEFAULT false)
  LANGUAGE plpgsql AS $$
-- It commits, so it can have no SET clause: every name is qualified.
DECLARE
  ws pg_catalog.text;
  names pg_catalog.text[];
  made_of pg_catalog.text;
  began pg_catalog.timestamptz;
  state pg_catalog.text; message pg_catalog.text; detail pg_catalog.text; hint pg_catalog.text;
BEGIN
  ws := segmentation_internal.workspace_owned(workspace);
  IF NOT segmentation_internal.may_commit() THEN
    PERFORM segmentation_internal.refuse_block('refresh_views');
  END IF;
  made_of := segmentation_internal.workspace_made_of(ws);
  IF again IS NOT TRUE AND segmentation_internal.workspace_views_current(ws, made_of) THEN
    RETURN;
  END IF;
  names := pg_catalog.array_prepend('customer_scores_stored'::pg_catalog.text,
    ARRAY(SELECT v.name FROM segmentation_internal.workspace_view_list(ws) AS v WHERE v.keys IS NOT NULL));
  FOR i IN 1 .. pg_catalog.cardinality(names) LOOP
    began := pg_catalog.clock_timestamp();
    -- What was published meanwhile is not in all of them: the next call makes them again.
    CONTINUE WHEN names[i] OPERATOR(pg_catalog.=) 'bi_as_of'
      AND segmentation_internal.workspace_made_of(ws) OPERATOR(pg_catalog.<>) made_of;
    BEGIN
      EXECUTE segmentation_internal.workspace_refresh_view_sql(ws, names[i]);
      IF names[i] OPERATOR(pg_catalog.=) 'bi_segment_size' THEN
        PERFORM segmentation_internal.workspace_keep_values(ws);
      END IF;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    END;
    IF state IS NOT NULL THEN
      BEGIN
        PERFORM segmentation_internal.workspace_log_failed(ws, pg_catalog.concat('view ', names[i]), began, message);
      EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        NULL;  -- what failed first is what matters
      END;
      COMMIT;
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
    END IF;
    COMMIT;
    RAISE DEBUG '%: % s', names[i], pg_catalog.round(
      pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) began)::pg_catalog.numeric, 1);
  END LOOP;
END
$$;
COMMENT ON PROCEDURE segmentation.refresh_views(text, boolean) IS
  'Brings the materialized views of a workspace up to date, one by one, without keeping readers waiting; none if '
  'nothing moved since, unless again. Call it outside a transaction.';

-- Readers

-- explain in the schema of a workspace, with its owner's rights: for those who may read results, and not facts.
CREATE FUNCTION segmentation_internal.workspace_make_explain(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := quote_ident(workspace);
BEGIN
  -- There already: who was granted it keeps it.
  IF to_regprocedure(ws || '.explain(text, text, text)') IS NOT NULL THEN
    RETURN;
  END IF;
  -- Of the workspace's owner, also where a superuser grants.
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE FUNCTION @ws@.explain(customer text, axis text DEFAULT NULL, language text DEFAULT NULL)
    RETURNS TABLE (on_axis text, code text, label text, explanation text, changes_on date, numbers jsonb)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
      SELECT e.on_axis, e.code, e.label, e.explanation, e.changes_on, e.numbers
      FROM segmentation.explain(@'workspace'@, customer, axis, language) AS e;
    END;
    REVOKE ALL ON FUNCTION @ws@.explain(text, text, text) FROM PUBLIC;
    COMMENT ON FUNCTION @ws@.explain(text, text, text) IS
      'segmentation.explain of this workspace, with its owner''s rights: for readers whom grant_bi let explain.';
    ALTER FUNCTION @ws@.explain(text, text, text) OWNER TO @owner@$q$,
    jsonb_build_object('workspace', workspace, 'owner', (
      SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.oid = ws::regnamespace)));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_explain(text) IS
  'Part of grant_bi: the function explain of a workspace.';

CREATE FUNCTION segmentation.grant_bi(
  workspace text, reader name, explains boolean DEFAULT false, customers boolean DEFAULT false
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  fault constant text := (segmentation_internal.bi_schema_fault(workspace)).message;
  schema regnamespace;
  view regclass;
BEGIN
  IF reader IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'reader must not be null';
  END IF;
  IF fault IS NULL THEN
    PERFORM segmentation.make_bi_schema(workspace);
  ELSE
    RAISE NOTICE 'there is no schema of plain views: %', fault;
  END IF;
  FOREACH schema IN ARRAY array_remove(
    ARRAY[ws::regnamespace, segmentation_internal.bi_schema_of(ws)], NULL::regnamespace)
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', schema, reader);
    FOR view IN
      SELECT c.oid FROM pg_class AS c
      WHERE c.relnamespace = schema AND c.relkind IN ('m', 'v')
        AND c.relname IN (SELECT b.name FROM segmentation_internal.bi_schema_behind(ws) AS b)
        AND (customers OR c.relname <> 'bi_customers')
      ORDER BY c.relname
    LOOP
      EXECUTE format('GRANT SELECT ON %s TO %I', view, reader);
    END LOOP;
  END LOOP;
  IF explains THEN
    PERFORM segmentation_internal.workspace_make_explain(workspace);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s.explain(text, text, text) TO %I', ws, reader);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.grant_bi(text, name, boolean, boolean) IS
  'Lets a role read the views bi_* of a workspace, and the plain views over them in the schema <workspace>_bi, which '
  'it makes, and nothing behind them; bi_customers, which has personal data, only with customers. With explains it may '
  'also ask why a customer has its codes, by the function explain in the schema of the workspace, which has the '
  'owner''s rights: these are personal data.';
