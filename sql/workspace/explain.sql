-- Why a customer is where it is: numbers, thresholds, what would change it, in words and as jsonb.

CREATE TABLE segmentation.workspace_sentence (
  topic text NOT NULL,
  language text NOT NULL,
  sentence text NOT NULL,
  PRIMARY KEY (topic, language)
);
COMMENT ON TABLE segmentation.workspace_sentence IS 'Sentences of explain, with places {name} for its numbers.';
COMMENT ON COLUMN segmentation.workspace_sentence.topic IS
  'Axis, or axis.code for a sentence of its own, or data.reason for data that are too thin.';
COMMENT ON COLUMN segmentation.workspace_sentence.language IS 'en or fr.';
COMMENT ON COLUMN segmentation.workspace_sentence.sentence IS 'The sentence.';

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('segment', 'By the definition of the segment: see numbers.', 'Selon la définition du segment : voir les nombres.'),
  ('segment.override', 'Set by hand.{because}', 'Fixé à la main.{because}'),
  ('changes', ' If nothing happens, this changes on {changes_on}.', ' Sans nouvel événement, cela change le '
    '{changes_on}.'),
  ('data.customer', 'Nothing is known of this customer that this axis needs.', 'Rien de ce que cet axe demande n''est '
    'connu de ce client.'),
  ('data.no_source', 'The workspace has no source of {need}.', 'L''espace de travail n''a pas de source « '
    '{need_label} » ({need}).'),
  ('data.few_buyers', 'Only {have} customers bought; {need} are needed.', 'Clients ayant acheté : {have} seulement ; '
    'il en faut {need}.'),
  ('data.few_repeaters', 'Only {have} customers bought on two days or more; {need} are needed.',
    'Clients ayant acheté au moins deux jours : {have} seulement ; il en faut {need}.'),
  ('data.one_outcome', 'Within the last {have} all customers did the same, so no model of it can be tested.',
    'Sur le dernier horizon ({have}), tous les clients ont fait de même : aucun modèle ne peut être vérifié.'),
  ('note.first', 'the first', 'le premier'),
  ('note.one_outcome', 'rejected: within {have} all customers did the same, so its back-test has no AUC',
    'rejeté : sur {have}, tous les clients ont fait de même, et son test n''a pas d''AUC'),
  ('note.no_test', 'not compared: there are too few data for a back-test',
    'non comparé : trop peu de données pour un test rétrospectif'),
  ('note.other', 'not compared: churn is about something else now',
    'non comparé : l''attrition porte désormais sur autre chose'),
  ('note.younger', 'not compared: the set in use is younger than the test period',
    'non comparé : le jeu en usage est plus récent que la période de test'),
  ('note.used', 'Brier score of churn {fresh}, against {before} of parameter set {used}: taken into use',
    'score de Brier de l''attrition {fresh}, contre {before} pour le jeu de paramètres {used} : mis en usage'),
  ('note.rejected', 'Brier score of churn {fresh}, against {before} of parameter set {used}: rejected',
    'score de Brier de l''attrition {fresh}, contre {before} pour le jeu de paramètres {used} : rejeté'),
  ('log.phase', '{phase}: {what} ({seconds} s)', '{phase} : {what} ({seconds} s)'),
  ('log.customers', '{rows} customers', '{rows} clients'),
  ('log.codes', '{rows} codes changed', 'codes modifiés : {rows}'),
  ('log.set', 'parameter set {number}: {note}', 'jeu de paramètres {number} : {note}'),
  ('log.sample', 'on {trained_on} of {customers} customers', 'sur {trained_on} des {customers} clients'),
  ('log.left_out', '{rows} of {kind} not used', '{rows} de {kind} non utilisées'),
  ('log.changed', '{timed} customers by time ({timed_moved} codes changed), {changed} by changes ({changed_moved} '
    'codes changed)',
    '{timed} clients par le temps (codes modifiés : {timed_moved}), {changed} par des changements (codes modifiés : '
    '{changed_moved})'),
  ('log.stale', 'changed since the training, and not trained anew: {changes}',
    'modifié depuis l''apprentissage, sans nouvel apprentissage : {changes}'),
  ('data.short_history', 'The purchases span {have} days; {need} are needed.', 'Les achats couvrent {have} jours ; il '
    'en faut {need}.')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);

CREATE FUNCTION segmentation_internal.workspace_say(topic text, numbers jsonb, language text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  in_french constant boolean := coalesce(language = 'fr', false);
  sentence text;
  place record;
  -- Days and spans are texts in jsonb, as names of products are: they are told by the place.
  days constant text := '(^|_)(on|at|as_of|begins|ends|since)$';
  spans constant text[] := ARRAY(
    SELECT s.name FROM segmentation.workspace_setting AS s WHERE s.type = 'interval');
BEGIN
  SELECT s.sentence INTO sentence FROM segmentation.workspace_sentence AS s
  WHERE s.topic IN (workspace_say.topic, split_part(workspace_say.topic, '.', 1))
    AND s.language = CASE WHEN in_french THEN 'fr' ELSE 'en' END
  ORDER BY length(s.topic) DESC LIMIT 1;
  FOR place IN
    SELECT n.key AS name, n.value #>> '{}' AS value, jsonb_typeof(n.value) = 'number' AS is_number,
      n.key = ANY (spans) OR n.key = 'have' AND jsonb_typeof(n.value) = 'string' AS is_span
    FROM jsonb_each(numbers || jsonb_build_object(
      'need_label', segmentation.label('source', numbers ->> 'need', language))) AS n
  LOOP
    CONTINUE WHEN strpos(sentence, '{' || place.name || '}') = 0;
    -- One day, not one days; in French whatever is below two. A number is followed by what it counts; "mois" has no
    -- singular.
    IF (CASE
      WHEN NOT place.is_number OR place.name !~ '^\w+$' THEN false
      WHEN in_french THEN abs(place.value::numeric) < 2 ELSE place.value::numeric = 1 END)
    THEN
      sentence := regexp_replace(sentence, format('(\{%s\} \w*[^i])s\M', place.name), '\1', 'g');
    END IF;
    -- A product may be named {percent}: what was filled in is no place.
    sentence := replace(sentence, '{' || place.name || '}', coalesce(
      CASE
        WHEN place.is_number THEN segmentation_internal.workspace_number_words(place.value, language)
        WHEN place.is_span THEN segmentation_internal.workspace_interval_words(place.value, language)
        WHEN place.name ~ days THEN segmentation_internal.workspace_day_words(place.value, language)
        ELSE replace(place.value, '{', chr(1)) END, '?'));
  END LOOP;
  RETURN replace(sentence, chr(1), '{');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_say(text, jsonb, text) IS
  'Part of explain: a sentence with its numbers.';

-- In French decimals follow a comma, and from five digits on a narrow space that no line is broken at (U+202F) parts
-- thousands, as the typography of the Imprimerie nationale has it: years have four. In English as PostgreSQL writes it.
CREATE FUNCTION segmentation_internal.workspace_number_words(given text, language text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN language IS DISTINCT FROM 'fr' OR given !~ '^-?[0-9]+(\.[0-9]+)?$' THEN given
    ELSE CASE WHEN split_part(ltrim(given, '-'), '.', 1) ~ '[0-9]{5}'
        THEN regexp_replace(split_part(given, '.', 1), '([0-9])(?=([0-9]{3})+$)', '\1' || chr(8239), 'g')
        ELSE split_part(given, '.', 1) END
      || CASE WHEN strpos(given, '.') > 0 THEN ',' || split_part(given, '.', 2) ELSE '' END END;
COMMENT ON FUNCTION segmentation_internal.workspace_number_words(text, text) IS
  'Part of explain: a number as people write it in a language.';

-- What begins with no day is left as it is.
CREATE FUNCTION segmentation_internal.workspace_day_words(given text, language text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN language = 'fr'
    THEN regexp_replace(given, '^([0-9]{4})-([0-9]{2})-([0-9]{2})', '\3/\2/\1') ELSE given END;
COMMENT ON FUNCTION segmentation_internal.workspace_day_words(text, text) IS
  'Part of explain: a day, or a moment, as people write it in a language.';

-- A number as people write it. Internal.
CREATE FUNCTION segmentation_internal.workspace_rounded(value double precision, digits integer DEFAULT 0) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN to_jsonb(round(value::numeric, digits));
COMMENT ON FUNCTION segmentation_internal.workspace_rounded(double precision, integer) IS
  'Part of explain: a rounded number.';

-- The codes of a customer with what is behind them, on the axes wanted: one row an axis. p, s, f, c and a are as the
-- registry of axes has them.
CREATE FUNCTION segmentation_internal.workspace_explain_sql(ws text, key text, axes text[]) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$
    WITH a AS (SELECT $2 AS language, CASE $2 WHEN 'fr' THEN 'fr' ELSE 'en' END AS spoken),
    c AS MATERIALIZED (SELECT o.* FROM ONLY @ws@.customer_segments AS o WHERE o.customer = $1::@(key)@),
    f AS MATERIALIZED (SELECT o.* FROM ONLY @ws@.customer_facts AS o WHERE o.customer = $1::@(key)@),
    p AS MATERIALIZED (
      SELECT w.as_of, @(parameters)@
      FROM ONLY @ws@.workspace AS w
      CROSS JOIN c
      JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = c.parameter_set),
    s AS MATERIALIZED (@(scores)@)
    SELECT e.*
    FROM a CROSS JOIN c CROSS JOIN p LEFT JOIN f ON true LEFT JOIN s ON true
    CROSS JOIN LATERAL (@(axes)@) AS e (place, axis, code, numbers, topic, label, changes_on)
    ORDER BY e.place$q$,
    jsonb_build_object('key', key,
      'parameters', segmentation_internal.workspace_parameter_list(),
      'scores', segmentation_internal.workspace_score_sql('f', 'p', false),
      'axes', (
        SELECT string_agg(segmentation_internal.fill(NULL, $q$
          SELECT @(place)@, @'axis'@::text, c.@axis@, n.numbers, @(topic)@, @(label)@,
            CASE WHEN c.@axis@ <> 'insufficient_data' THEN @(changes_on)@ END
          FROM (SELECT CASE WHEN c.@axis@ <> 'insufficient_data' THEN @(numbers)@ END AS numbers OFFSET 0) AS n$q$,
          jsonb_build_object('place', v.place, 'axis', v.axis, 'topic', coalesce(v.topic, 'NULL::text'),
            'label', coalesce(v.label, 'NULL::text'),
            'changes_on', coalesce(replace(v.changes_on, '@(until)@', $u$'infinity'::date$u$), 'NULL::date'),
            -- A list of the workspace may be named in it.
            'numbers', segmentation_internal.fill(ws, coalesce(v.numbers, 'NULL::jsonb')))), ' UNION ALL ')
        FROM segmentation.workspace_axis AS v WHERE v.axis = ANY (axes))));
COMMENT ON FUNCTION segmentation_internal.workspace_explain_sql(text, text, text[]) IS
  'Part of explain: codes and numbers of a customer ($1) in a language ($2), as SQL.';

-- One customer: nothing that would be worth compiling.
CREATE FUNCTION segmentation.explain(workspace text, customer text, axis text DEFAULT NULL, language text DEFAULT NULL)
RETURNS TABLE (on_axis text, code text, label text, explanation text, changes_on date, numbers jsonb)
  LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,setting,customer_segments,parameter_set,customer_facts,product,segment_override,target}'::text[]
      || ARRAY(SELECT l.name FROM segmentation.workspace_list AS l ORDER BY l.place));
  key constant text := segmentation_internal.workspace_key(ws);
  every_axis constant text[] := segmentation.workspace_axes();
  spoken constant text := segmentation_internal.workspace_spoken(ws, language);
  published date;
  parameters record;
  explained record;
  topic text;
  found_one boolean := false;
BEGIN
  EXECUTE format('SELECT w.as_of FROM ONLY %s.workspace AS w', ws) INTO published;
  IF published IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I has no published result yet', workspace),
      HINT = format('CALL segmentation.refresh(%L)', workspace);
  END IF;
  IF axis IS NOT NULL AND axis <> ALL (every_axis) AND axis NOT LIKE 'segment:%' AND axis NOT LIKE 'target:%' THEN
    RAISE invalid_parameter_value USING MESSAGE = format('unknown axis "%s"', axis),
      HINT = format('Axes: %s, and segment: or target: with the name of a registered one.',
        array_to_string(every_axis, ', '));
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT true AS known, g.settings, g.readiness, g.weak, g.installed -> 'trained' AS trained
    FROM ONLY @ws@.customer_segments AS c LEFT JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = c.parameter_set
    WHERE c.customer = $1::@(key)@$q$, jsonb_build_object('key', key)) INTO parameters USING customer;
  IF parameters.known IS NULL THEN
    RAISE no_data_found USING
      MESSAGE = format('workspace %I has no customer %s', workspace, coalesce(customer, 'null'));
  END IF;

  IF axis IS NULL OR axis !~ '^(segment|target):' THEN
    FOR explained IN EXECUTE segmentation_internal.workspace_explain_sql(ws, key,
      CASE WHEN axis IS NULL THEN every_axis ELSE ARRAY[axis] END) USING customer, spoken
    LOOP
      on_axis := explained.axis;
      code := explained.code;
      label := coalesce(explained.label, segmentation.workspace_label(on_axis, code, spoken));
      changes_on := explained.changes_on;
      numbers := explained.numbers;
      topic := coalesce(explained.topic, on_axis || '.' || code);
      IF code = 'insufficient_data' THEN
        numbers := coalesce(NULLIF(parameters.readiness -> on_axis, 'null'), '{"code": "customer"}');
        topic := 'data.' || (numbers ->> 'code');
      END IF;
      numbers := coalesce(numbers, '{}') || jsonb_build_object('currency', parameters.settings ->> 'currency')
        || jsonb_strip_nulls(jsonb_build_object('trained', parameters.trained));
      -- A sentence may name a setting.
      explanation := segmentation_internal.workspace_say(topic, parameters.settings || numbers, spoken);
      IF code <> 'insufficient_data' AND parameters.weak ? on_axis THEN
        numbers := numbers || jsonb_build_object('weak', parameters.weak -> on_axis);
        explanation := explanation || segmentation_internal.workspace_say('weak', jsonb_build_object(
          'reasons', segmentation_internal.workspace_weak_words(on_axis, parameters.weak -> on_axis, spoken)),
          spoken);
      END IF;
      IF changes_on IS NOT NULL THEN
        explanation := explanation
          || segmentation_internal.workspace_say('changes', jsonb_build_object('changes_on', changes_on), spoken);
      END IF;
      found_one := true;
      RETURN NEXT;
    END LOOP;
  END IF;
  IF axis IS NULL OR axis LIKE 'segment:%' THEN
    FOR explained IN
      SELECT * FROM segmentation_internal.workspace_explain_segments(ws, key, customer, substr(axis, 9)) AS e
      ORDER BY e.segment
    LOOP
      on_axis := 'segment:' || explained.segment;
      code := explained.code;
      label := explained.code;
      changes_on := NULL;
      numbers := explained.numbers || jsonb_build_object('currency', parameters.settings ->> 'currency');
      explanation := segmentation_internal.workspace_say(
        CASE WHEN explained.by_hand THEN 'segment.override' ELSE 'segment' END, numbers, spoken);
      found_one := true;
      RETURN NEXT;
    END LOOP;
  END IF;
  IF axis IS NULL OR axis LIKE 'target:%' THEN
    code := NULL;
    changes_on := NULL;
    FOR explained IN
      SELECT * FROM segmentation_internal.workspace_explain_targets(ws, key, customer, substr(axis, 8), spoken) AS e
    LOOP
      on_axis := 'target:' || explained.target;
      label := explained.label;
      explanation := explained.explanation;
      numbers := explained.numbers;
      found_one := true;
      RETURN NEXT;
    END LOOP;
  END IF;
  IF NOT found_one THEN
    RAISE no_data_found USING MESSAGE = CASE
      WHEN axis LIKE 'target:%' THEN format('there is no trained target "%s"', substr(axis, 8))
      ELSE format('customer %s is in no segment "%s"', customer, axis) END;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.explain(text, text, text, text) IS
  'Why a customer has its codes, on all axes or on one (segment:, target: with a name for those of one''s own): the '
  'numbers and thresholds behind each, when it would change by itself, in words (en, fr; by default the workspace''s '
  'language) and as jsonb.';

-- The registered segments that a customer is in, or the one named: set by hand, or by a definition, with what that
-- looked at.
CREATE FUNCTION segmentation_internal.workspace_explain_segments(ws text, key text, customer text, named text)
RETURNS TABLE (segment text, code text, by_hand boolean, numbers jsonb)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  published record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT g.parameter_set, g.segments::text AS segments
    FROM ONLY @ws@.workspace AS w JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set$q$)
    INTO published;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT e.segment, e.code, o.segment IS NOT NULL, coalesce(
      CASE WHEN o.segment IS NOT NULL
        THEN jsonb_build_object('override', true, 'because', coalesce(' ' || o.reason, ''))
        ELSE segmentation.segment_explain(g.segments -> e.segment, @(row)@, s.as_of) END, '{}')
    FROM @(coded)@ AS c
    CROSS JOIN LATERAL jsonb_each_text(c.segments) AS e (segment, code)
    JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = c.parameter_set
    JOIN ONLY @ws@.customer_facts AS f ON f.customer = c.customer
    JOIN (@(scores)@) AS s ON s.customer = c.customer
    LEFT JOIN ONLY @ws@.segment_override AS o ON o.segment = e.segment AND o.customer = c.customer
    WHERE c.customer = $1::@(key)@ AND f.customer = $1::@(key)@ AND s.customer = $1::@(key)@
      AND e.segment = coalesce($2, e.segment)$q$,
    jsonb_build_object('key', key, 'scores', segmentation_internal.workspace_scores_query(ws),
      'row', segmentation_internal.workspace_row_sql(ws, published.parameter_set, published.segments, 's.as_of',
        segmentation_internal.workspace_published_consents_sql(ws)),
      'coded', segmentation_internal.workspace_coded_sql(format('ONLY %s.customer_segments', ws))))
    USING customer, named;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_explain_segments(text, text, text, text) IS
  'Part of explain: the registered segments of a customer.';

-- A span as people say it, whatever form it was given in: 3 mons is 3 months, 84 days stay days, and weeks weeks.
CREATE FUNCTION segmentation_internal.workspace_interval_words(given text, language text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  span interval;
BEGIN
  span := given::interval;
  RETURN (
    SELECT string_agg(segmentation_internal.workspace_number_words(t.n::text, language) || ' ' || CASE
        WHEN language = 'fr' THEN CASE WHEN abs(t.n) < 2 THEN p.one_fr ELSE p.many_fr END
        WHEN t.n = 1 THEN p.one ELSE p.one || 's' END, ' ' ORDER BY p.place)
    FROM (VALUES
      (1, extract(year FROM span), 'year', 'an', 'ans'), (2, extract(month FROM span), 'month', 'mois', 'mois'),
      (3, CASE WHEN given ~* 'w' AND extract(day FROM span) % 7 = 0 THEN extract(day FROM span) / 7 ELSE 0 END,
        'week', 'semaine', 'semaines'),
      (4, CASE WHEN given ~* 'w' AND extract(day FROM span) % 7 = 0 THEN 0 ELSE extract(day FROM span) END,
        'day', 'jour', 'jours'),
      (5, extract(hour FROM span), 'hour', 'heure', 'heures'), (6, extract(minute FROM span), 'minute', 'minute',
        'minutes')) AS p (place, given, one, one_fr, many_fr)
    CROSS JOIN LATERAL (SELECT trim_scale(p.given) AS n) AS t
    WHERE t.n <> 0);
EXCEPTION WHEN data_exception OR invalid_text_representation THEN
  RETURN given;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_interval_words(text, text) IS
  'Part of explain: a span of time in words (en, fr).';
