-- The axis profile: groups of customers who resemble each other.

-- The attributes that make profiles, when none are named: numbers, booleans, texts of few values. What differs from
-- customer to customer (keys, phone numbers, dates) says nothing about groups, and neither does what goes together with
-- nothing else, as family names do: a cluster is features that vary together.
CREATE FUNCTION segmentation_internal.workspace_profile_features(facts text, settings jsonb) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- A sample of customers, with a row an attribute.
  sample constant text := $q$(
    SELECT s.customer, e.key AS name, e.value, jsonb_typeof(e.value) AS type
    FROM (
      SELECT f.customer, coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes
      FROM @(facts)@ AS f ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT @(customers)@) AS s
    CROSS JOIN LATERAL jsonb_each(s.attributes) AS e WHERE e.value <> 'null')$q$;
  found text[];
  together text[];
BEGIN
  IF settings -> 'profile_features' <> 'null' THEN
    RETURN ARRAY(SELECT jsonb_array_elements_text(settings -> 'profile_features'));
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT array_agg(a.name ORDER BY a.name COLLATE "C")
    FROM (
      SELECT e.name FROM @(sample)@ AS e
      -- Its year is an attribute of its own.
      WHERE e.name <> 'birth_date'
      GROUP BY e.name
      HAVING count(DISTINCT e.type) = 1 AND CASE min(e.type)
        WHEN 'boolean' THEN count(DISTINCT e.value) > 1
        WHEN 'string' THEN count(DISTINCT e.value) BETWEEN 2 AND 20 AND count(*) > 2 * count(DISTINCT e.value)
        WHEN 'number' THEN count(DISTINCT e.value) > 1
          AND NOT (count(DISTINCT e.value) = count(*) AND bool_and(e.value::text ~ '^-?[0-9]+$'))
        ELSE false END) AS a$q$,
    jsonb_build_object('sample', segmentation_internal.fill(NULL, sample, jsonb_build_object('facts', facts,
      'customers', 20000))))
    INTO found;
  -- Cramer's V of each two, corrected for chance (Bergsma 2013), over those who have both; numbers in ten classes.
  EXECUTE segmentation_internal.fill(NULL, $q$
    WITH classed AS MATERIALIZED (
      SELECT e.customer, e.name, CASE e.type
        WHEN 'number' THEN ceil(10 * cume_dist() OVER (
          PARTITION BY e.name, e.type ORDER BY CASE e.type WHEN 'number' THEN (e.value #>> '{}')::numeric END))::text
        ELSE e.value::text END AS class
      FROM @(sample)@ AS e WHERE e.name = ANY ($1)),
    pair AS (
      SELECT a.name AS one, b.name AS other, segmentation_internal.criterion(a.class, NULL, b.class, NULL) AS measured,
        count(*) OVER () AS pairs
      FROM classed AS a JOIN classed AS b ON b.customer = a.customer AND a.name < b.name
      GROUP BY a.name, b.name)
    SELECT array_agg(DISTINCT n.name COLLATE "C")
    FROM pair AS p CROSS JOIN LATERAL (VALUES (p.one), (p.other)) AS n (name)
    WHERE (p.measured ->> 'cramers_v_corrected')::double precision >= 0.1
      AND (p.measured ->> 'p_value')::double precision < 0.01 / p.pairs$q$,
    jsonb_build_object('sample', segmentation_internal.fill(NULL, sample, jsonb_build_object('facts', facts,
      'customers', 5000))))
    INTO together USING found;
  RETURN coalesce(together, found, '{}');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_profile_features(text, jsonb) IS
  'Part of refresh: the attributes of customers that make profiles.';

-- The expression that picks features out of facts f, for the training; its text is that of the names.
CREATE FUNCTION segmentation_internal.workspace_pick_sql(names text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('CASE WHEN f.attributes IS NOT NULL OR f.company IS NOT NULL THEN %s END', (
    -- A function takes at most 100 arguments.
    SELECT string_agg(format('jsonb_build_object(%s)', g.pairs), ' || ' ORDER BY g.chunk)
    FROM (
      SELECT (n.place - 1) / 40 AS chunk, string_agg(
        format('%1$L, coalesce(f.attributes -> %1$L, f.company -> %1$L)', n.name), ', ' ORDER BY n.place) AS pairs
      FROM unnest(names) WITH ORDINALITY AS n (name, place)
      GROUP BY 1) AS g));
COMMENT ON FUNCTION segmentation_internal.workspace_pick_sql(text[]) IS
  'Part of refresh: features of the profile, as a SQL expression over facts.';

CREATE FUNCTION segmentation_internal.workspace_train_profile(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  features text[];
  model jsonb;
BEGIN
  IF settings ->> 'profile_segment' IS NOT NULL OR NOT segmentation_internal.workspace_ready(ws, number, 'profile') THEN
    RETURN;
  END IF;
  features := segmentation_internal.workspace_profile_features(facts, settings);
  IF cardinality(features) = 0 THEN
    PERFORM segmentation_internal.workspace_unready(ws, number, 'profile', '{"code": "no_features"}');
  ELSE
    EXECUTE segmentation_internal.fill(NULL, 'SELECT segmentation.fit_profile(@(picked)@, $1) FROM @(facts)@ AS f',
      jsonb_build_object('picked', segmentation_internal.workspace_pick_sql(features), 'facts', facts))
      INTO model USING jsonb_build_object('k', settings -> 'profile_k', 'seed', 1, 'sample', 200000);
  END IF;
  EXECUTE format('UPDATE %s.parameter_set AS g SET profile_model = $2, profile_features = $3 WHERE g.parameter_set = '
    '$1', ws)
    USING number, model, features;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_profile(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis profile.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, training_place, scored_from, code, segment_setting, numbers)
VALUES (
  'profile', 80, 'Group of customers who resemble each other.',
  -- readiness
  $$CASE WHEN g.settings ->> 'profile_segment' IS NULL
    THEN segmentation_internal.workspace_too_thin(
      seen.kinds, '{customers,companies}', 'few_customers', seen.attributes, g.settings -> 'minimum_buyers') END$$,
  -- The model of channels knows profiles.
  'segmentation_internal.workspace_train_profile', 55,
  -- scored_from
  $$segmentation_internal.profile_assign(p.profile_model, f.company, f.attributes) AS profile_scored$$,
  $$coalesce(s.profile, 'insufficient_data')$$,
  'profile_segment',
  -- numbers
  $$(SELECT jsonb_build_object(
      'profile_name', min(d.name), 'profile_name_fr', min(d.name_fr),
      'confidence_percent', segmentation_internal.workspace_rounded(100 * s.profile_confidence),
      'distance', segmentation_internal.workspace_rounded(s.profile_distance, 3),
      'typical', jsonb_object_agg(d.feature, jsonb_build_object('centre', d.centre, 'population', d.population))
        FILTER (WHERE d.feature IS NOT NULL AND d.centre IS NOT NULL))
    FROM segmentation.profile_describe(p.profile_model) AS d WHERE d.code = c.profile)$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type) VALUES
  (140, 'profile', 'profile_model', 'jsonb'),
  (150, 'profile', 'profile_features', 'text[]');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('profile', 'profile_model', 'jsonb', $$g.profile_model || '{}'$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (80, 'profile', 'profile', $$(f.profile_scored).code$$, 'Nearest profile.'),
  (81, 'profile', 'profile_distance', $$(f.profile_scored).distance$$, 'Distance to its centre.'),
  (82, 'profile', 'profile_confidence', $$(f.profile_scored).confidence$$,
    '0 on the border to the next profile, 1 at the centre.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('profile', 'en', 'Nearest to the profile "{profile_name}", at a confidence of {confidence_percent} %.'),
  ('profile', 'fr', 'Le plus proche du profil « {profile_name_fr} », avec une confiance de {confidence_percent} %.'),
  ('data.few_customers', 'en', 'Only {have} customers have attributes; {need} are needed.'),
  ('data.few_customers', 'fr', 'Seuls {have} clients ont des attributs ; il en faut {need}.'),
  ('data.no_features', 'en', 'No attribute is fit for profiles.'),
  ('data.no_features', 'fr', 'Aucun attribut ne convient à des profils.');
