-- The axis profile: groups of customers who resemble each other.

-- Columns of the sources that are keys, by their constraints, and by which one.
CREATE FUNCTION segmentation_internal.workspace_key_columns(ws text) RETURNS TABLE (name text, reason text)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT a.attname::text, max(k.reason)
    FROM ONLY @ws@.source AS s
    JOIN (
      SELECT c.conrelid AS relation, c.conkey::smallint[] AS columns,
        CASE c.contype WHEN 'f' THEN 'foreign_key' ELSE 'key' END AS reason
      FROM pg_constraint AS c WHERE c.contype IN ('p', 'u', 'f')
      UNION ALL
      SELECT i.indrelid, i.indkey::smallint[], 'key' FROM pg_index AS i
      WHERE i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1) AS k ON k.relation = s.relation
    JOIN pg_attribute AS a ON a.attrelid = s.relation AND a.attnum = ANY (k.columns)
    WHERE s.kind IN ('customers', 'companies')
    GROUP BY a.attname$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_key_columns(text) IS
  'Part of refresh: columns of sources of customers and companies that are keys or foreign keys.';

-- The attributes that make profiles, when none are named: numbers, booleans, texts of few values. Keys say nothing
-- about groups: neither those of the sources' constraints, nor whole numbers that differ from customer to customer
-- (95 of 100) or are named as keys are. Neither does what goes together with nothing else, as family names do: a
-- cluster is features that vary together. What is left out is told, with the reason (labels: feature_reason).
CREATE FUNCTION segmentation_internal.workspace_profile_features(
  ws text, facts text, settings jsonb, OUT features text[], OUT left_out jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- A sample of customers, with a row an attribute.
  sample constant text := $q$(
    SELECT s.customer, e.key AS name, e.value, jsonb_typeof(e.value) AS type
    FROM (
      SELECT f.customer, coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes
      FROM @(facts)@ AS f ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT @(customers)@) AS s
    CROSS JOIN LATERAL jsonb_each(s.attributes) AS e WHERE e.value <> 'null')$q$;
  named_as_keys constant text :=
    '(^|_)(id|ids|key|no|nr|num|number|numero|code|ref|uuid|guid|phone|tel|telephone|siren|siret|zip|postcode|cp)$'
    '|postal|[a-z](Id|Key|No)$';
  found text[];
  together text[];
BEGIN
  left_out := '{}';
  IF settings -> 'profile_features' <> 'null' THEN
    features := ARRAY(SELECT jsonb_array_elements_text(settings -> 'profile_features'));
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT array_agg(j.name ORDER BY j.name COLLATE "C") FILTER (WHERE j.reason IS NULL),
      coalesce(jsonb_object_agg(j.name, j.reason) FILTER (WHERE j.reason IS NOT NULL), '{}')
    FROM (
      SELECT a.name, CASE
          WHEN k.reason IS NOT NULL THEN k.reason
          WHEN a.types > 1 OR a.type NOT IN ('boolean', 'string', 'number') THEN 'type'
          WHEN a.different < 2 THEN 'constant'
          WHEN a.type = 'string' AND a.different = a.customers THEN 'near_unique'
          WHEN a.type = 'string' AND (a.different > 20 OR a.customers <= 2 * a.different) THEN 'many_values'
          WHEN a.type = 'number' AND a.whole AND (a.different = a.customers
            OR a.customers >= 50 AND a.different >= 0.95 * a.customers) THEN 'near_unique'
          WHEN a.type = 'number' AND a.whole AND (a.name ~* $1 OR a.name ~ $1) THEN 'key_name' END AS reason
      FROM (
        SELECT e.name, min(e.type) AS type, count(DISTINCT e.type) AS types, count(*) AS customers,
          count(DISTINCT e.value) AS different, bool_and(e.value::text ~ '^-?[0-9]+$') AS whole
        FROM @(sample)@ AS e
        -- Its year is an attribute of its own.
        WHERE e.name <> 'birth_date'
        GROUP BY e.name) AS a
      LEFT JOIN segmentation_internal.workspace_key_columns(@'ws'@) AS k ON k.name = a.name) AS j$q$,
    jsonb_build_object('ws', ws, 'sample', segmentation_internal.fill(NULL, sample, jsonb_build_object('facts', facts,
      'customers', 20000))))
    INTO found, left_out USING named_as_keys;
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
  features := coalesce(together, found, '{}');
  left_out := left_out || (
    SELECT coalesce(jsonb_object_agg(f.name, 'alone'), '{}') FROM unnest(found) AS f (name)
    WHERE f.name <> ALL (features));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_profile_features(text, text, jsonb) IS
  'Part of refresh: the attributes of customers that make profiles, and why the others do not.';

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

-- Profiles that were there before keep code and name: a new one is an old one where more than half of the customers in
-- either are in both (Jaccard above 1/2), which no two can be. Any other gets a number that none has had.
CREATE FUNCTION segmentation_internal.workspace_settle_profiles(ws text, facts text, model jsonb) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before jsonb;
  taken integer;
  settled record;
BEGIN
  IF jsonb_typeof(model -> 'clusters') <> 'array' THEN
    RETURN model;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT (
        SELECT g.profile_model FROM @ws@.parameter_set AS g
        WHERE jsonb_typeof(g.profile_model -> 'clusters') = 'array'
        ORDER BY g.status = 'in_use' DESC, g.parameter_set DESC LIMIT 1),
      (SELECT coalesce(max(substring(v.code FROM '^profile_([0-9]{1,6})$')::integer), 0)
       FROM (
         SELECT h.code FROM @ws@.membership_history AS h WHERE h.axis = 'profile'
         UNION ALL
         SELECT d.code FROM @ws@.parameter_set AS g
         CROSS JOIN LATERAL segmentation.profile_describe(g.profile_model) AS d) AS v)$q$)
    INTO before, taken;
  EXECUTE segmentation_internal.fill(NULL, $q$
    WITH assigned AS MATERIALIZED (
      SELECT (segmentation.profile_assign($1, s.attributes)).code AS old, segmentation.profile_assign($2, s.attributes)
        AS new
      FROM (
        SELECT coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes
        FROM @(facts)@ AS f ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT 20000) AS s),
    same AS (
      SELECT v.new, v.old
      FROM (
        SELECT (a.new).code AS new, a.old, count(*) AS both,
          sum(count(*)) OVER (PARTITION BY (a.new).code) AS of_new, sum(count(*)) OVER (PARTITION BY a.old) AS of_old
        FROM assigned AS a GROUP BY (a.new).code, a.old) AS v
      WHERE v.old IS NOT NULL AND 2 * v.both > v.of_new + v.of_old - v.both),
    named AS (SELECT DISTINCT d.code, d.name, d.name_fr FROM segmentation.profile_describe($1) AS d)
    SELECT jsonb_agg(c.cluster || CASE
        WHEN n.code IS NOT NULL THEN jsonb_build_object('code', n.code, 'name', n.name, 'name_fr', n.name_fr)
        ELSE jsonb_build_object('code', 'profile_' || ($3 + c.fresh)) END ORDER BY c.place) AS clusters,
      (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY (a.new).confidence) FROM assigned AS a) AS confidence
    FROM (
      SELECT e.cluster, e.place, s.old, count(*) FILTER (WHERE s.old IS NULL) OVER (ORDER BY e.place) AS fresh
      FROM jsonb_array_elements($2 -> 'clusters') WITH ORDINALITY AS e (cluster, place)
      LEFT JOIN same AS s ON s.new = e.cluster ->> 'code') AS c
    LEFT JOIN named AS n ON n.code = c.old$q$, jsonb_build_object('facts', facts))
    INTO settled USING coalesce(before, '{"kind": "profile_model", "clusters": null}'), model, taken;
  RETURN model || jsonb_build_object('clusters', settled.clusters, 'quality',
    coalesce(model -> 'quality', '{}') || jsonb_build_object('confidence', settled.confidence));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settle_profiles(text, text, jsonb) IS
  'Part of refresh: a model of profiles in which those that were there before have the code and name that they had.';

CREATE FUNCTION segmentation_internal.workspace_train_profile(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  chosen record;
  model jsonb;
BEGIN
  IF settings ->> 'profile_segment' IS NOT NULL OR NOT segmentation_internal.workspace_ready(ws, number, 'profile') THEN
    RETURN;
  END IF;
  chosen := segmentation_internal.workspace_profile_features(ws, facts, settings);
  IF cardinality(chosen.features) = 0 THEN
    PERFORM segmentation_internal.workspace_unready(ws, number, 'profile', '{"code": "no_features"}');
  ELSE
    EXECUTE segmentation_internal.fill(NULL, 'SELECT segmentation.fit_profile(@(picked)@, $1) FROM @(facts)@ AS f',
      jsonb_build_object('picked', segmentation_internal.workspace_pick_sql(chosen.features), 'facts', facts))
      INTO model USING jsonb_build_object('k', settings -> 'profile_k', 'seed', 1, 'sample', 200000);
    model := segmentation_internal.workspace_settle_profiles(ws, facts, model);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g SET profile_model = $2, profile_features = $3, quality = coalesce(g.quality, '{}')
      || jsonb_build_object('profile', jsonb_build_object('features', to_jsonb($3), 'left_out', $4))
    WHERE g.parameter_set = $1$q$)
    USING number, model, chosen.features, chosen.left_out;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_profile(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis profile.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, training_place, scored_from, code, segment_setting, numbers, topic, label,
    names)
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
    FROM segmentation.profile_describe(p.profile_model) AS d WHERE d.code = c.profile)$$,
  -- topic, label
  $$CASE WHEN (n.numbers ->> 'confidence_percent')::numeric < 5 THEN 'profile.border' END$$,
  $$n.numbers ->> CASE a.language WHEN 'fr' THEN 'profile_name_fr' ELSE 'profile_name' END$$,
  -- A profile that is no more goes by the name that it had last.
  $$SELECT DISTINCT ON (d.code) d.code, CASE l.language WHEN 'fr' THEN d.name_fr ELSE d.name END
    FROM ONLY @ws@.parameter_set AS g CROSS JOIN LATERAL segmentation.profile_describe(g.profile_model) AS d
    ORDER BY d.code, g.parameter_set DESC$$);

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
  ('profile.border', 'en', 'On the border of profiles: nearest to "{profile_name}", at a confidence of '
    '{confidence_percent} % only.'),
  ('profile.border', 'fr', 'À la frontière de profils : le plus proche est « {profile_name_fr} », avec une confiance '
    'de {confidence_percent} % seulement.'),
  ('note.profile', 'en', 'Made of: {names}.'),
  ('note.profile', 'fr', 'Fait de : {names}.'),
  ('note.left_out', 'en', 'Left out: {names}.'),
  ('note.left_out', 'fr', 'Écartés : {names}.'),
  ('data.few_customers', 'en', 'Only {have} customers have attributes; {need} are needed.'),
  ('data.few_customers', 'fr', 'Clients ayant des attributs : {have} seulement ; il en faut {need}.'),
  ('data.no_features', 'en', 'No attribute is fit for profiles.'),
  ('data.no_features', 'fr', 'Aucun attribut ne convient à des profils.');

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'feature_reason', v.code, t.language, t.label
FROM (VALUES
  ('key', 'a key', 'une clé'),
  ('foreign_key', 'a foreign key', 'une clé étrangère'),
  ('key_name', 'named as a key', 'nommé comme une clé'),
  ('near_unique', 'nearly unique', 'presque unique'),
  ('many_values', 'many values', 'trop de valeurs'),
  ('constant', 'the same for all', 'le même pour tous'),
  ('type', 'of no use by its type', 'inutilisable par son type'),
  ('alone', 'goes together with nothing', 'ne varie avec rien')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
