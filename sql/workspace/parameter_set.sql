-- A parameter set for other workspaces: trained once, used in many, on other machines too. It travels as one document.
-- What a document says is a value wherever it goes, never SQL.

-- Kinds of sources with the fields that they have, as a parameter set remembers its sources.
CREATE FUNCTION segmentation_internal.workspace_source_fields(sources jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT coalesce(jsonb_object_agg(k.kind, k.fields), '{}')
    FROM (
      SELECT s.source ->> 'kind' AS kind,
        jsonb_agg(DISTINCT d.field ORDER BY d.field) FILTER (WHERE s.source -> 'mapping' ? d.field) AS fields
      FROM jsonb_array_elements(sources) AS s (source)
      JOIN segmentation.workspace_field AS d ON d.kind = s.source ->> 'kind'
      GROUP BY 1) AS k);
COMMENT ON FUNCTION segmentation_internal.workspace_source_fields(jsonb) IS
  'Part of export_parameter_set: the kinds of sources, each with its fields.';

CREATE FUNCTION segmentation_internal.extension_version() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'segmentation');
COMMENT ON FUNCTION segmentation_internal.extension_version() IS
  'Part of export_parameter_set: the version of the extension.';

-- Every digit of a number goes along, and whoever asks gets the same.
CREATE FUNCTION segmentation.export_parameter_set(workspace text, parameter_set integer DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET timezone = UTC AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  document jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT jsonb_build_object('kind', 'parameter_set', 'version', 1,
      'extension', segmentation_internal.extension_version(),
      'trained', coalesce(g.installed -> 'trained', jsonb_build_object('database', current_database(),
        'workspace', @'workspace'@, 'parameter_set', g.parameter_set, 'trained_at', g.trained_at)),
      'as_of', g.as_of, 'key_type', w.key_type, 'time_zone', w.time_zone,
      'axes', to_jsonb(segmentation.workspace_axes()), 'settings', g.settings,
      'sources', segmentation_internal.workspace_source_fields(g.sources),
      'seen', g.seen, 'readiness', g.readiness, 'weak', g.weak, 'targets', g.targets, 'quality', g.quality,
      'models', (SELECT to_jsonb(m) FROM (SELECT @(models)@) AS m))
    FROM @ws@.parameter_set AS g CROSS JOIN @ws@.workspace AS w
    WHERE CASE WHEN $1 IS NULL THEN g.status = 'in_use' ELSE g.parameter_set = $1 AND g.status <> 'candidate' END$q$,
    (SELECT jsonb_build_object('workspace', workspace,
       'models', string_agg(format('g.%I', m.name), ', ' ORDER BY m.place))
     FROM segmentation.workspace_model AS m))
    INTO document USING parameter_set;
  IF document IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = CASE WHEN parameter_set IS NULL THEN format('workspace %I has no parameter set in use', workspace)
        ELSE format('workspace %I has no parameter set %s', workspace, parameter_set) END,
      HINT = CASE WHEN parameter_set IS NULL THEN format('CALL segmentation.refresh(%L)', workspace)
        ELSE format('SELECT parameter_set, as_of, status FROM %s.parameter_set lists them.', ws) END;
  END IF;
  RETURN document;
END
$$;
COMMENT ON FUNCTION segmentation.export_parameter_set(text, integer) IS
  'A parameter set (by default the one in use) as one document, for install_parameter_set of other workspaces, on '
  'other machines too: models, cut points, settings and quality; nothing of any customer, but what models have of '
  'them.';

-- What is wrong with a document as such; NULL if nothing is.
CREATE FUNCTION segmentation_internal.parameter_document_fault(document jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fault text;
BEGIN
  IF document IS NULL OR jsonb_typeof(document) <> 'object' THEN
    RETURN 'It is no jsonb object.';
  END IF;
  IF document -> 'kind' IS DISTINCT FROM '"parameter_set"' THEN
    RETURN 'Its kind is not "parameter_set".';
  END IF;
  -- A later version may say anything.
  IF document -> 'version' IS DISTINCT FROM '1' THEN
    RETURN format('Its version is %s; this version of the extension reads version 1.',
      coalesce(left(document ->> 'version', 20), 'missing'));
  END IF;
  SELECT string_agg(CASE WHEN n.type IS NULL THEN format('It has the key "%s", which is not known.', left(d.key, 60))
      ELSE format('Its key "%s" is not of the type %s.', n.key, n.type) END, ' ' ORDER BY n.place, d.key COLLATE "C")
    INTO fault
  FROM (
    VALUES (1, 'kind', 'string'), (2, 'version', 'number'), (3, 'extension', 'string'), (4, 'trained', 'object'),
      (5, 'as_of', 'string'), (6, 'key_type', 'string'), (7, 'time_zone', 'string'), (8, 'axes', 'array'),
      (9, 'settings', 'object'), (10, 'sources', 'object'), (11, 'seen', 'object'), (12, 'readiness', 'object'),
      (13, 'weak', 'object'), (14, 'targets', 'object'), (15, 'quality', 'object'), (16, 'models', 'object')
  ) AS n (place, key, type)
  FULL JOIN jsonb_each(document) AS d ON d.key = n.key
  WHERE n.type IS DISTINCT FROM jsonb_typeof(d.value);
  RETURN fault;
END
$$;
COMMENT ON FUNCTION segmentation_internal.parameter_document_fault(jsonb) IS
  'Part of install_parameter_set: what a document lacks or has too much; NULL if nothing.';

-- What in the parts of a document is none of its kind, once its keys are there.
CREATE FUNCTION segmentation_internal.parameter_parts_fault(document jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT string_agg(f.fault, ' ' ORDER BY f.place)
    FROM (
      SELECT 1 AS place, format('Its key "trained" lacks %s.', string_agg(k, ', ' ORDER BY k)) AS fault
      FROM unnest('{database,parameter_set,trained_at,workspace}'::text[]) AS k
      WHERE jsonb_typeof(document -> 'trained' -> k) NOT IN ('string', 'number') OR NOT document -> 'trained' ? k
      HAVING count(*) > 0
      UNION ALL
      SELECT 2, format('Of axis %s it does not say whether it is ready.', left(a.axis, 60))
      FROM unnest(segmentation.workspace_axes()) AS a (axis)
      WHERE CASE jsonb_typeof(document -> 'readiness' -> a.axis) WHEN 'null' THEN false
        WHEN 'object' THEN document -> 'readiness' -> a.axis ->> 'code' IS NULL ELSE true END
      UNION ALL
      SELECT 3, format('Its key "weak" has no list of reasons for %s.', left(w.key, 60))
      FROM jsonb_each(document -> 'weak') AS w
      WHERE NOT coalesce(w.value @? '$[*].code' AND jsonb_typeof(w.value) = 'array', false)
      UNION ALL
      SELECT 4, format('Its target %s has no definition.', left(t.key, 60))
      FROM jsonb_each(document -> 'targets') AS t
      WHERE NOT coalesce(jsonb_typeof(t.value) = 'object' AND t.value ?& '{definition,horizon,readiness}', false)
      UNION ALL
      SELECT 5, format('It has %s "%s"%s.', CASE WHEN m.name IS NULL THEN 'a model' ELSE 'no model' END,
        left(coalesce(m.name, d.key), 60), CASE WHEN m.name IS NULL THEN ', which is not known' ELSE '' END)
      FROM segmentation.workspace_model AS m
      FULL JOIN jsonb_object_keys(document -> 'models') AS d (key) ON d.key = m.name
      WHERE m.name IS NULL OR d.key IS NULL) AS f);
END
$$;
COMMENT ON FUNCTION segmentation_internal.parameter_parts_fault(jsonb) IS
  'Part of install_parameter_set: what in the parts of a document cannot be; NULL if nothing.';

-- Where a workspace is not what the set was trained for, the codes would mean something else: one line each.
CREATE FUNCTION segmentation_internal.workspace_parameter_differences(ws text, document jsonb) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here record;
BEGIN
  EXECUTE format('SELECT w.key_type, w.time_zone FROM %s.workspace AS w', ws) INTO here;
  RETURN ARRAY(
    SELECT format('%s: %s there, %s here', d.what, d.there, d.here)
    FROM (
      SELECT 1 AS place, 'version of the extension' AS what,
        document ->> 'extension' AS there, segmentation_internal.extension_version() AS here
      UNION ALL
      SELECT 2, 'type of keys', document ->> 'key_type', here.key_type
      UNION ALL
      SELECT 3, 'time zone', document ->> 'time_zone', here.time_zone
      UNION ALL
      SELECT 4, 'axes', (SELECT string_agg(a, ', ') FROM jsonb_array_elements_text(document -> 'axes') AS a),
        array_to_string(segmentation.workspace_axes(), ', ')
      UNION ALL
      SELECT 5, 'kinds of sources',
        (SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(document -> 'sources') AS k),
        (SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(
           segmentation_internal.workspace_source_fields(segmentation_internal.workspace_sources_now(ws))) AS k)
      UNION ALL
      SELECT 6, 'setting ' || c.name, coalesce((document -> 'settings' -> c.name)::text, 'none'),
        coalesce((s.now -> c.name)::text, 'none')
      FROM (SELECT segmentation_internal.workspace_settings_now(ws) AS now) AS s
      CROSS JOIN LATERAL unnest(segmentation_internal.workspace_changes(
        document -> 'settings', '[]', s.now, '[]')) AS c (name)
      -- It says what a training looks at, not what comes of it.
      WHERE c.name <> 'train_customers') AS d
    WHERE d.there IS DISTINCT FROM d.here
    ORDER BY d.place, d.what COLLATE "C");
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_parameter_differences(text, jsonb) IS
  'Part of install_parameter_set: what a workspace has otherwise than a parameter set was trained for.';

-- One customer of whom something of every kind is known is scored: so a model that cannot be read is an error now, not
-- in the next refresh. Nothing of the workspace is joined but what is staged for that one.
CREATE FUNCTION segmentation_internal.workspace_try_set(ws text, number integer, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key constant text := segmentation_internal.workspace_key(ws);
  staged regclass;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_try_facts AS
    SELECT @'one'@::@(key)@ AS customer, segmentation.purchase_history(d.day, 10 * d.number) AS history,
      segmentation.item_history('1', d.day) AS items, segmentation.item_history('1', d.day) AS categories,
      segmentation.contact_history('email', d.day, CASE d.number WHEN 1 THEN 'click' END) AS contacts,
      segmentation.send_hours(d.day + time '10:00') AS hours,
      segmentation.interaction_history('visit', d.day) AS interactions,
      segmentation.consent_history('email', true, d.day) AS consents,
      '{}'::jsonb AS attributes, NULL::jsonb AS attribute_changes, NULL::jsonb AS company,
      jsonb_agg(jsonb_build_object('started_on', d.day, 'price', 10) ORDER BY d.day) AS subscriptions
    FROM (SELECT n AS number, @'as_of'@::date - 40 * n AS day FROM generate_series(1, 3) AS n) AS d$q$,
    jsonb_build_object('as_of', as_of, 'key', key,
      'one', CASE key WHEN 'uuid' THEN '00000000-0000-0000-0000-000000000001' ELSE '1' END));
  PERFORM segmentation_internal.workspace_stage_scores(ws, 'stage_try_', number, as_of);
  PERFORM segmentation_internal.workspace_try_companies(ws, number, as_of);
  FOR staged IN
    SELECT c.oid FROM pg_class AS c
    WHERE c.relnamespace = ws::regnamespace AND c.relname LIKE 'stage\_try\_%' AND c.relkind = 'r'
  LOOP
    EXECUTE format('DROP TABLE %s', staged);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_try_set(text, integer, date) IS
  'Part of install_parameter_set: scores a made-up customer by a parameter set; an error if a model cannot be read.';

-- Writes a document as a candidate. Whatever its values are not, they are an error of the caller's.
CREATE FUNCTION segmentation_internal.workspace_write_set(ws text, document jsonb) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer;
  day date;
BEGIN
  day := document ->> 'as_of';
  IF NOT isfinite(day) THEN
    RAISE invalid_datetime_format USING MESSAGE = 'as_of is no day';
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.parameter_set
      (trained_at, as_of, status, settings, sources, seen, readiness, weak, targets, quality, installed, @(models)@)
    SELECT ($1 #>> '{trained,trained_at}')::timestamptz, $2, 'candidate',
      segmentation_internal.workspace_settings_now(@'schema'@), segmentation_internal.workspace_sources_now(@'schema'@),
      $1 -> 'seen', $1 -> 'readiness', $1 -> 'weak', $1 -> 'targets', $1 -> 'quality',
      jsonb_build_object('trained', $1 -> 'trained', 'installed_at', clock_timestamp(), 'document', md5($1::text)),
      @(models)@
    FROM jsonb_populate_record(NULL::@ws@.parameter_set, $1 -> 'models') AS m
    RETURNING parameter_set$q$,
    (SELECT jsonb_build_object('schema', ws, 'models', string_agg(quote_ident(m.name), ', ' ORDER BY m.place))
     FROM segmentation.workspace_model AS m))
    INTO number USING document, day;
  PERFORM segmentation_internal.workspace_try_set(ws, number, day);
  RETURN number;
EXCEPTION WHEN data_exception OR invalid_parameter_value OR cardinality_violation OR datatype_mismatch THEN
  RAISE invalid_parameter_value USING
    MESSAGE = 'the document is no parameter set that customers could be scored by', DETAIL = SQLERRM,
    HINT = 'Make it by segmentation.export_parameter_set(workspace), and change nothing in it.';
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_write_set(text, jsonb) IS
  'Part of install_parameter_set: a document as a candidate of a workspace, tried on a made-up customer. Its number.';

-- What is not trained here, and what of the document stays unused: for the caller to see to.
CREATE FUNCTION segmentation_internal.workspace_warn_unfit(ws text, document jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fields constant jsonb :=
    segmentation_internal.workspace_source_fields(segmentation_internal.workspace_sources_now(ws));
  other text;
BEGIN
  SELECT string_agg(format('%s of %s is given %s only', d.field, d.kind,
      CASE WHEN document -> 'sources' -> d.kind ? d.field THEN 'there' ELSE 'here' END), '; ' ORDER BY d.kind, d.place)
    INTO other
  FROM segmentation.workspace_field AS d
  WHERE (fields -> d.kind ? d.field) <> coalesce(document -> 'sources' -> d.kind ? d.field, false);
  IF other IS NOT NULL THEN
    RAISE WARNING USING MESSAGE = 'the sources are not those that the parameter set was trained on', DETAIL = other;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT string_agg(format('%s is registered %s only', coalesce(t.target, g.key),
      CASE WHEN t.target IS NULL THEN 'there' ELSE 'here, or otherwise' END), '; ' ORDER BY coalesce(t.target, g.key))
    FROM @ws@.target AS t
    FULL JOIN jsonb_each($1) AS g ON g.key = t.target AND g.value -> 'definition' = t.definition
      AND (g.value ->> 'horizon')::interval = t.horizon
    WHERE t.target IS NULL OR g.key IS NULL$q$) INTO other USING document -> 'targets';
  IF other IS NOT NULL THEN
    RAISE WARNING USING MESSAGE = 'the targets are not those that the parameter set was trained for', DETAIL = other,
      HINT = 'A target is scored where it is registered as it was trained: see segmentation.workspace_target.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_warn_unfit(text, jsonb) IS
  'Part of install_parameter_set: warns of fields and targets that are not those of a document.';

CREATE FUNCTION segmentation.install_parameter_set(workspace text, document jsonb) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  fault constant text := coalesce(segmentation_internal.parameter_document_fault(document),
    segmentation_internal.parameter_parts_fault(document));
  differences text[];
  number integer;
BEGIN
  IF fault IS NOT NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = 'the document is no parameter set', DETAIL = fault,
      HINT = 'Make it by segmentation.export_parameter_set(workspace).';
  END IF;
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING
      MESSAGE = format('workspace %I is being refreshed by another session', workspace),
      HINT = 'Call again when it has ended.';
  END IF;
  -- Installed already: a script that installs each night changes nothing.
  EXECUTE format($q$SELECT g.parameter_set FROM %s.parameter_set AS g
    WHERE g.status = 'in_use' AND g.installed ->> 'document' = md5($1::text)$q$, ws) INTO number USING document;
  IF number IS NOT NULL THEN
    RETURN number;
  END IF;
  differences := segmentation_internal.workspace_parameter_differences(ws, document);
  IF differences <> '{}' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('the parameter set was trained for another workspace than %I', workspace),
      DETAIL = array_to_string(differences, E'\n'),
      HINT = format('Of settings: SELECT segmentation.configure_workspace(%L, document -> ''settings''). Of the '
        'others: make the workspace as that one was, and train anew if it cannot be.', workspace);
  END IF;
  -- The map is frozen; what is said of the settings looks for its name.
  PERFORM segmentation_internal.workspace_rfm_map(segmentation_internal.workspace_settings_now(ws));
  number := segmentation_internal.workspace_write_set(ws, document);
  EXECUTE format('UPDATE %s.parameter_set SET status = ''retired'' WHERE status = ''in_use''', ws);
  EXECUTE format('UPDATE %s.parameter_set SET status = ''in_use'', note = $2 WHERE parameter_set = $1', ws)
    USING number, segmentation_internal.workspace_say(
      'note.installed', document -> 'trained', segmentation_internal.workspace_language(ws));
  PERFORM segmentation_internal.workspace_forget_sets(ws, number);
  PERFORM segmentation_internal.workspace_warn_unfit(ws, document);
  RETURN number;
END
$$;
COMMENT ON FUNCTION segmentation.install_parameter_set(text, jsonb) IS
  'Takes into use a parameter set that another workspace trained, as export_parameter_set gives it: the same codes for '
  'the same customers. Refused, with what differs, where settings, axes, kinds of sources, key type, time zone or the '
  'version of the extension are others. Codes follow at the next refresh, which does not train unless it is told to '
  '(retrain => true). Returns its number; that of the set in use if it is the same.';

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('note.installed', 'installed: parameter set {parameter_set} of workspace {workspace} in database {database}',
    'installé : jeu de paramètres {parameter_set} de l''espace de travail {workspace}, base {database}'),
  ('check.installed', 'The parameter set was trained as of {as_of} in workspace {workspace} of database {database}, as '
    'its set {parameter_set}, on {customers} customers; installed on {installed_on}. No refresh trains unless it is '
    'told to.',
    'Le jeu de paramètres a été entraîné au {as_of} dans l''espace de travail {workspace} de la base {database} (son '
    'jeu {parameter_set}), sur {customers} clients ; installé le {installed_on}. Aucun rafraîchissement n''entraîne '
    'sans demande expresse.'),
  ('check.installed_old', ' It is older than {retrain_after}: install a newer one by {install}.',
    ' Il a plus de {retrain_after} : installez-en un plus récent par {install}.')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);
