-- A workspace of companies (create_workspace with subject => 'company'): the customers of the axes are companies. What
-- people or sites of a company do is read as the company's, so that facts, axes and capture know of companies alone;
-- what is said of a company beside the axes is in the view company_scores.

INSERT INTO segmentation.workspace_setting (place, name, type, default_value, least, greatest, choices, about) VALUES
  (130, 'subject', 'text', '"customer"', NULL, NULL, '{customer,company}',
    'What customers are: customer, or company, with people and sites; as create_workspace made it.'),
  (131, 'key_accounts', 'text', 'null', NULL, NULL, NULL,
    'A registered segment whose members are key accounts: they are in no other registered segment. Its definition is '
    'the rule, segment_override the list, which wins.'),
  (132, 'company_columns', 'object', '{}', NULL, NULL, NULL,
    'Columns of the source of companies by what they are, where their names are not the usual ones of company_field: '
    '{"naf_code": "activity"}.'),
  (133, 'company_origin', 'object', 'null', NULL, NULL, NULL,
    'Where distances to companies are measured from, as {"latitude": 48.85, "longitude": 2.35}.'),
  (134, 'company_unit_costs', 'object',
    '{"orders": 15, "contacts": 0.1, "call": 10, "visit": "distance"}', NULL, NULL, NULL,
    'What an order, a contact, or an interaction of a kind costs; "distance" is a visit at the company''s distance. '
    'Other kinds cost nothing.'),
  (135, 'company_function', 'text', 'null', NULL, NULL, NULL,
    'The function that your sales concern (a code of job_function): who decides about it; null: in general.'),
  (136, 'company_committee', 'array', '["general_management", "finance", "purchasing"]', NULL, NULL, NULL,
    'The functions (codes of job_function) that take part in a purchase: who of them is known at a company.'),
  (137, 'company_fit', 'object', 'null', NULL, NULL, NULL,
    'A definition, as register_segment takes it, whose codes a, b and c are the fit of a company; null: learnt from '
    'your clients.'),
  (138, 'company_fit_grades', 'array', '[1.5, 0.75]', NULL, NULL, NULL,
    'Learnt fit: a and b from so many times the share of good clients among all companies on.'),
  (139, 'company_engagement_weights', 'object',
    '{"reply": 3, "visit": 2, "complaint": 0, "unsubscribe": 0, "support_call": 0}', NULL, NULL, NULL,
    'Points of a response or an interaction by kind; 1 for what is not named.'),
  (140, 'company_half_life', 'interval', '"90 days"', 1, 3660, NULL,
    'The time in which the points of an event become half.'),
  (141, 'company_engagement_grades', 'array', '[60, 25, 5]', NULL, NULL, NULL,
    'Engagement from which on its grade is 1, 2 and 3; below the last, 4.');

INSERT INTO segmentation.workspace_model (place, axis, name, type, about) VALUES
  (180, 'pmg', 'company_model', 'jsonb',
    'In a workspace of companies: what peers buy for each employee, and how good clients differ from others.');

INSERT INTO segmentation.label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('source', 'people', 'People', 'Personnes'),
  ('source', 'sites', 'Sites', 'Établissements'),
  ('fit_grade', 'a', 'Like your good clients', 'Comme vos bons clients'),
  ('fit_grade', 'b', 'Somewhat like your good clients', 'Assez proche de vos bons clients'),
  ('fit_grade', 'c', 'Unlike your good clients', 'Éloignée de vos bons clients'),
  ('engagement_grade', '1', 'Very engaged', 'Très engagée'),
  ('engagement_grade', '2', 'Engaged', 'Engagée'),
  ('engagement_grade', '3', 'Little engaged', 'Peu engagée'),
  ('engagement_grade', '4', 'Not engaged', 'Non engagée'),
  ('company_reach', 'person', 'By the address of a person', 'Par l''adresse d''une personne'),
  ('company_reach', 'generic', 'By a generic address', 'Par une adresse générique'),
  ('company_reach', 'none', 'No address', 'Aucune adresse')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

-- What a column of companies is, by its name

CREATE TABLE segmentation.company_field (
  field text PRIMARY KEY,
  place smallint NOT NULL UNIQUE,
  type text NOT NULL CHECK (type IN ('text', 'number', 'day')),
  names text[] NOT NULL,
  about text NOT NULL
);
COMMENT ON TABLE segmentation.company_field IS
  'What is known of companies in a workspace of companies: the columns that hold it, by their usual names.';
COMMENT ON COLUMN segmentation.company_field.field IS 'What it is: a key of the setting company_columns.';
COMMENT ON COLUMN segmentation.company_field.place IS 'Order in which fields are listed.';
COMMENT ON COLUMN segmentation.company_field.type IS 'text, number or day. What cannot be read as that is not known.';
COMMENT ON COLUMN segmentation.company_field.names IS 'Names of columns, best first.';
COMMENT ON COLUMN segmentation.company_field.about IS 'What it means.';
INSERT INTO segmentation.company_field (place, field, type, names, about) VALUES
  (1, 'name', 'text', '{name,company_name,raison_sociale,nom}', 'Name.'),
  (2, 'siren', 'text', '{siren}', 'SIREN, nine digits.'),
  (3, 'siret', 'text', '{siret}', 'SIRET of the head office, fourteen digits.'),
  (4, 'vat', 'text', '{vat,vat_number,numero_tva,tva}', 'VAT number.'),
  (5, 'legal_category', 'text', '{legal_category,categorie_juridique}', 'Legal category of INSEE.'),
  (6, 'naf_code', 'text', '{naf_code,naf,ape,code_naf,code_ape}', 'Activity, NAF.'),
  (7, 'naf_version', 'text', '{naf_version}', 'Its version: rev2 or 2025.'),
  (8, 'headcount', 'number', '{headcount,employees,effectif}', 'Number of employees.'),
  (9, 'headcount_band', 'text', '{headcount_band,tranche_effectif,tranche_effectifs}', 'Band of employees, Sirene.'),
  (10, 'turnover', 'number', '{annual_turnover,turnover,chiffre_affaires,ca}', 'Its own turnover of a year, euros.'),
  (11, 'balance_sheet', 'number', '{balance_sheet,total_bilan}', 'Its balance sheet total, euros.'),
  (12, 'latitude', 'number', '{latitude,lat}', 'Latitude.'),
  (13, 'longitude', 'number', '{longitude,lon,lng}', 'Longitude.'),
  (14, 'opening_hours', 'text', '{opening_hours,hours,horaires}', 'When it is open.'),
  (15, 'web', 'text', '{web,website,site_web,url}', 'Its site in the web.'),
  (16, 'email', 'text', '{email,e_mail,courriel}', 'Address of e-mail of the company.'),
  (17, 'phone', 'text', '{phone,telephone}', 'Telephone of the company.'),
  (18, 'relation', 'text', '{relation,relation_type}', 'partner or supplier, where it is declared so.'),
  (19, 'last_contact', 'day', '{last_contact,last_contacted_on,dernier_contact}',
    'Day of the last contact, where contacts are not all in the sources.'),
  (20, 'acquisition_cost', 'number', '{acquisition_cost,cout_acquisition}', 'What it cost to win it.'),
  (23, 'purchase_mode', 'text', '{purchase_mode,mode_achat}', 'How it buys: tender, framework, online, as you say it.'),
  (21, 'legal_barriers', 'text', '{legal_barriers}', 'none, some or many: law, customs, standards.'),
  (22, 'technical_barriers', 'text', '{technical_barriers}', 'none, some or many.');

-- Stable, as to_jsonb is: PostgreSQL puts it where it is used.
CREATE FUNCTION segmentation_internal.company_value(type text, value jsonb) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE type
    WHEN 'text' THEN CASE WHEN btrim(value #>> '{}') <> '' THEN to_jsonb(btrim(value #>> '{}')) END
    WHEN 'day' THEN to_jsonb(segmentation.segment_date(value #>> '{}'))
    -- Figures beyond these are none of a company.
    ELSE CASE WHEN value #>> '{}' ~ '^\s*-?[0-9]{1,15}(\.[0-9]{1,30})?\s*$' THEN to_jsonb((value #>> '{}')::numeric) END
  END;
COMMENT ON FUNCTION segmentation_internal.company_value(text, jsonb) IS
  'Part of company_scores: a value of a column as what it is to be; NULL if it cannot be that.';

CREATE FUNCTION segmentation_internal.company_known(attributes jsonb, columns jsonb) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT coalesce(jsonb_object_agg(v.field, v.value), '{}')
    FROM (
      SELECT DISTINCT ON (f.field) f.field, segmentation_internal.company_value(f.type, a.value) AS value
      FROM jsonb_each(attributes) AS a
      JOIN (
        SELECT f.field, f.type, n.name, n.place
        FROM segmentation.company_field AS f
        CROSS JOIN unnest(ARRAY[columns ->> f.field] || f.names) WITH ORDINALITY AS n (name, place)) AS f
        ON f.name = a.key
      WHERE segmentation_internal.company_value(f.type, a.value) IS NOT NULL
      ORDER BY f.field, f.place) AS v);
COMMENT ON FUNCTION segmentation_internal.company_known(jsonb, jsonb) IS
  'Part of company_scores: what is known of a company, by fields of company_field, from its columns.';

CREATE FUNCTION segmentation_internal.company_falling_fault(value jsonb, size integer, most numeric) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN (
      jsonb_array_length(value) = size
      AND NOT EXISTS (
        SELECT FROM (
          SELECT CASE jsonb_typeof(e.item) WHEN 'number' THEN e.item::numeric END AS number,
            lag(CASE jsonb_typeof(e.item) WHEN 'number' THEN e.item::numeric END) OVER (ORDER BY e.place) AS before
          FROM jsonb_array_elements(value) WITH ORDINALITY AS e (item, place)) AS v
        WHERE (v.number BETWEEN 0 AND most) IS NOT TRUE OR v.number >= v.before)) IS NOT TRUE
    THEN format('must be %s numbers from %s down to 0, the greatest first', size, most) END;
COMMENT ON FUNCTION segmentation_internal.company_falling_fault(jsonb, integer, numeric) IS
  'Part of configure_workspace: what is wrong with a list of thresholds; NULL if nothing is.';

CREATE FUNCTION segmentation_internal.company_fit_fault(definition jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation.segment_assign(definition, '{}'::jsonb, date '2000-01-01');
  RETURN NULL;
EXCEPTION WHEN data_exception OR invalid_parameter_value THEN
  RETURN format('is no definition: %s', SQLERRM);
END
$$;
COMMENT ON FUNCTION segmentation_internal.company_fit_fault(jsonb) IS
  'Part of configure_workspace: what is wrong with a definition of the fit; NULL if nothing is.';

CREATE FUNCTION segmentation_internal.company_setting_fault(name text, value jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE name
    WHEN 'company_columns' THEN (
      SELECT format('must go from fields of company_field to names of columns, not %s to %s', c.key, c.value)
      FROM jsonb_each(value) AS c
      WHERE jsonb_typeof(c.value) <> 'string'
        OR NOT EXISTS (SELECT FROM segmentation.company_field AS f WHERE f.field = c.key)
      ORDER BY c.key LIMIT 1)
    WHEN 'company_origin' THEN CASE WHEN (
        jsonb_typeof(value -> 'latitude') = 'number' AND jsonb_typeof(value -> 'longitude') = 'number'
        AND (value -> 'latitude')::numeric BETWEEN -90 AND 90
        AND (value -> 'longitude')::numeric BETWEEN -180 AND 180) IS NOT TRUE
      THEN 'must be as {"latitude": 48.85, "longitude": 2.35}' END
    WHEN 'company_unit_costs' THEN (
      SELECT format('must go to amounts or "distance", not %s to %s', c.key, c.value)
      FROM jsonb_each(value) AS c
      WHERE (CASE jsonb_typeof(c.value) WHEN 'number' THEN c.value::numeric BETWEEN 0 AND 1e9
        ELSE c.value = '"distance"' END) IS NOT TRUE
      ORDER BY c.key LIMIT 1)
    WHEN 'company_engagement_weights' THEN (
      SELECT format('must go to numbers from 0 to 1000, not %s to %s', c.key, c.value)
      FROM jsonb_each(value) AS c
      WHERE (CASE jsonb_typeof(c.value) WHEN 'number' THEN c.value::numeric BETWEEN 0 AND 1000 END) IS NOT TRUE
      ORDER BY c.key LIMIT 1)
    WHEN 'company_function' THEN CASE WHEN NOT EXISTS (
        SELECT FROM segmentation.label AS l WHERE l.domain = 'job_function' AND l.code = value #>> '{}')
      THEN format('must be a function (a code of job_function), not %s', value) END
    WHEN 'company_committee' THEN (
      SELECT format('must be an array of functions (codes of job_function), without %s', e.item)
      FROM jsonb_array_elements(value) WITH ORDINALITY AS e (item, place)
      WHERE NOT EXISTS (
        SELECT FROM segmentation.label AS l
        WHERE l.domain = 'job_function' AND jsonb_typeof(e.item) = 'string' AND l.code = e.item #>> '{}')
      ORDER BY e.place LIMIT 1)
    WHEN 'company_fit_grades' THEN segmentation_internal.company_falling_fault(value, 2, 100)
    WHEN 'company_engagement_grades' THEN segmentation_internal.company_falling_fault(value, 3, 100)
    WHEN 'company_fit' THEN segmentation_internal.company_fit_fault(value) END;
COMMENT ON FUNCTION segmentation_internal.company_setting_fault(text, jsonb) IS
  'Part of configure_workspace: what is wrong with a value of a setting company_...; NULL if nothing is.';

-- Roll-up: a mapping that names a person or a site is one that joins the source of people or of sites, and takes the
-- company from there. So changes of these are captured as those of any joined relation.

CREATE FUNCTION segmentation_internal.workspace_is_of_companies(ws text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(segmentation_internal.workspace_settings_now(ws) ->> 'subject' = 'company', false);
COMMENT ON FUNCTION segmentation_internal.workspace_is_of_companies(text) IS
  'Whether the customers of a workspace, given by its quoted schema, are companies.';

CREATE FUNCTION segmentation_internal.workspace_level_column(given text, alias text, mapping jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN EXISTS (
      SELECT FROM jsonb_array_elements(mapping -> 'join') AS j WHERE starts_with(given, (j ->> 'as') || '.'))
      THEN alias || '_' || given
    WHEN starts_with(given, (mapping ->> 'as') || '.')
      THEN alias || '.' || substr(given, length(mapping ->> 'as') + 2)
    ELSE alias || '.' || given END;
COMMENT ON FUNCTION segmentation_internal.workspace_level_column(text, text, jsonb) IS
  'Part of add_source: a column of the source of people or sites, where that is joined under an alias.';

-- What stands for a level of a mapping: the joins, and the column that has the company.
CREATE FUNCTION segmentation_internal.workspace_level(
  ws text, level text, given jsonb, OUT joins jsonb, OUT customer text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind constant text := CASE level WHEN 'person' THEN 'people' ELSE 'sites' END;
  alias constant text := 'its_' || level;
  of_level record;
BEGIN
  EXECUTE format('SELECT s.relation, s.mapping FROM ONLY %s.source AS s WHERE s.kind = $1', ws)
    INTO of_level USING kind;
  IF jsonb_typeof(given) <> 'string' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('"%s" must be the name of a column', level),
      HINT = format('It joins the source of %s.', kind);
  ELSIF of_level.relation IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('"%s" needs a source of %s', level, kind),
      HINT = format('SELECT segmentation.add_source(%L, %L, ...): which %s is of which company.',
        (parse_ident(ws))[1], kind, level);
  ELSIF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = of_level.relation) THEN
    RAISE undefined_table USING
      MESSAGE = format('the source of %s was dropped (it was relation %s)', kind, of_level.relation::oid),
      HINT = format('SELECT segmentation.remove_source(%L, %L, ''%s''), then add another.',
        (parse_ident(ws))[1], kind, of_level.relation::oid);
  ELSIF of_level.mapping ? 'where' OR jsonb_typeof(of_level.mapping -> 'customer') <> 'string'
    OR jsonb_typeof(of_level.mapping -> level) <> 'string' OR strpos(of_level.mapping ->> level, '.') > 0
  THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('"%s" cannot be looked up in %s', level, of_level.relation),
      DETAIL = format('Its mapping as a source of %s has a filter, or an expression for the company or the %s.',
        kind, level),
      HINT = 'Make these columns, generated ones for instance, or join the relation yourself: "join".';
  END IF;
  customer := segmentation_internal.workspace_level_column(of_level.mapping ->> 'customer', alias, of_level.mapping);
  joins := jsonb_build_array(jsonb_build_object('as', alias,
      'relation', (
        SELECT format('%I.%I', n.nspname, c.relname)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = of_level.relation),
      'on', jsonb_build_object(given #>> '{}', of_level.mapping ->> level)))
    || coalesce((
      SELECT jsonb_agg(j.item || jsonb_build_object('as', alias || '_' || (j.item ->> 'as'), 'on', (
          SELECT jsonb_object_agg(
            segmentation_internal.workspace_level_column(o.key, alias, of_level.mapping), o.value)
          FROM jsonb_each(j.item -> 'on') AS o)) ORDER BY j.place)
      FROM jsonb_array_elements(of_level.mapping -> 'join') WITH ORDINALITY AS j (item, place)), '[]');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_level(text, text, jsonb) IS
  'Part of add_source: the joins by which rows of a person or a site find their company, and the column that has it.';

-- A customer that a mapping gives, as SQL over the relation itself and what it joins.
CREATE FUNCTION segmentation_internal.workspace_level_sql(given jsonb, main text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN jsonb_typeof(given) = 'object' THEN format(E'(%s\n)', given ->> 'sql')
    WHEN (given #>> '{}') ~ '^[[:alnum:]_]+\.[[:alnum:]_]+$'
      THEN format('%I.%I', split_part(given #>> '{}', '.', 1), split_part(given #>> '{}', '.', 2))
    WHEN (given #>> '{}') ~ '^[[:alnum:]_]+$' THEN format('%I.%I', main, given #>> '{}')
    ELSE format(E'(%s\n)', given #>> '{}') END;
COMMENT ON FUNCTION segmentation_internal.workspace_level_sql(jsonb, text) IS
  'Part of add_source: what a mapping gives as the customer, as SQL.';

-- Where no column is called as a company is, one that is called as a person or a site is.
CREATE FUNCTION segmentation_internal.workspace_usual_level(kind text, relation regclass, mapping jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce((
    SELECT jsonb_build_object(l.field, c.names[1])
    FROM segmentation.workspace_field AS l
    CROSS JOIN LATERAL segmentation_internal.workspace_usual_column(l, relation, mapping - 'join') AS c (names)
    WHERE (l.kind, l.field) IN (('people', 'person'), ('sites', 'site')) AND cardinality(c.names) = 1
      AND EXISTS (
        SELECT FROM segmentation.workspace_field AS f
        WHERE f.kind = workspace_usual_level.kind AND f.field = 'customer'
          AND segmentation_internal.workspace_usual_column(f, relation, mapping - 'join') IS NULL)
    ORDER BY l.field LIMIT 1), '{}');
COMMENT ON FUNCTION segmentation_internal.workspace_usual_level(text, regclass, jsonb) IS
  'Part of add_source: the column of a person or a site, by its usual names, where none is of a company.';

-- The mapping of a source whose rows are of people or sites, as one of companies. Of several levels the first that
-- knows the company says it: the row's own column, the person, the site.
CREATE FUNCTION segmentation_internal.workspace_roll_up(ws text, kind text, relation regclass, mapping jsonb)
RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  companies constant boolean := segmentation_internal.workspace_is_of_companies(ws);
  main constant text := coalesce(mapping ->> 'as', (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation));
  level text;
  found record;
  joins jsonb := '[]';
  refs text[] := '{}';
  columns text[] := '{}';
BEGIN
  IF companies AND NOT mapping ?| '{customer,person,site}' AND NOT kind IN ('companies', 'people', 'sites') THEN
    mapping := mapping || segmentation_internal.workspace_usual_level(kind, relation, mapping);
  END IF;
  IF kind IN ('people', 'sites') AND NOT companies THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('%s are a source of a workspace of companies', kind),
      HINT = 'SELECT segmentation.create_workspace(workspace, subject => ''company'').';
  END IF;
  FOREACH level IN ARRAY CASE kind WHEN 'sites' THEN '{}' WHEN 'people' THEN '{site}' ELSE '{person,site}' END::text[]
  LOOP
    -- As it is stored it has its join already.
    CONTINUE WHEN coalesce(mapping -> level, 'null') = 'null'
      OR mapping -> 'join' @> jsonb_build_array(jsonb_build_object('as', 'its_' || level));
    IF NOT companies THEN
      RAISE invalid_parameter_value USING
        MESSAGE = format('"%s" is a level of a workspace of companies', level),
        HINT = 'SELECT segmentation.create_workspace(workspace, subject => ''company'').';
    END IF;
    SELECT * INTO found FROM segmentation_internal.workspace_level(ws, level, mapping -> level);
    joins := joins || found.joins;
    columns := columns || found.customer;
    refs := refs || segmentation_internal.workspace_level_sql(to_jsonb(found.customer), main);
  END LOOP;
  IF refs = '{}' THEN
    RETURN mapping;
  END IF;
  IF coalesce(mapping -> 'customer', 'null') <> 'null' THEN
    refs := segmentation_internal.workspace_level_sql(mapping -> 'customer', main) || refs;
  END IF;
  RETURN mapping
    -- Who of the company it was stays, where the kind has a field for it.
    - ARRAY(
      SELECT l FROM unnest('{person,site}'::text[]) AS l
      WHERE NOT EXISTS (
        SELECT FROM segmentation.workspace_field AS f WHERE f.kind = workspace_roll_up.kind AND f.field = l))
    || jsonb_build_object(
      'customer', CASE WHEN cardinality(refs) = 1 THEN to_jsonb(columns[1])
        ELSE jsonb_build_object('sql', format('coalesce(%s)', array_to_string(refs, ', '))) END,
      'join', CASE WHEN jsonb_typeof(mapping -> 'join') = 'object' THEN mapping -> 'join' || (
          SELECT jsonb_object_agg(j ->> 'as', j - 'as') FROM jsonb_array_elements(joins) AS j)
        ELSE coalesce(NULLIF(mapping -> 'join', 'null'), '[]') || joins END);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_roll_up(text, text, regclass, jsonb) IS
  'Part of add_source: a mapping with the person or the site of a row as one that finds the company.';

-- Facts of a company

-- The newest days on which each person did something, at most twenty: an answer, a visit, a call.
CREATE FUNCTION segmentation_internal.workspace_engaged_sql(ws text, batch text, zone text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(NULL, $q$
      SELECT d.customer, d.person, jsonb_agg(d.day ORDER BY d.day DESC) AS days
      FROM (
        SELECT v.customer, v.person, v.day,
          row_number() OVER (PARTITION BY v.customer, v.person ORDER BY v.day DESC) AS place
        FROM (@(events)@) AS v
        WHERE v.person IS NOT NULL AND isfinite(v.day)) AS d
      WHERE d.place <= 20
      GROUP BY d.customer, d.person$q$,
      jsonb_build_object('events', string_agg(segmentation_internal.fill(NULL, $q$
          SELECT r.customer, r.person, (@(at)@ AT TIME ZONE @'zone'@)::date AS day FROM @(rows)@ AS r WHERE @(sign)@$q$,
          jsonb_build_object('at', k.at, 'zone', zone, 'rows', k.rows, 'sign', k.sign)), ' UNION ' ORDER BY k.place)))
    FROM (VALUES
      (1, segmentation_internal.workspace_rows_sql(ws, 'contacts', batch), 'coalesce(r.responded_at, r.sent_at)',
        'segmentation_internal.retention_is_sign(r.response)'),
      (2, segmentation_internal.workspace_rows_sql(ws, 'interactions', batch), 'r.occurred_at', 'true')
    ) AS k (place, rows, at, sign)
    WHERE k.rows IS NOT NULL
    HAVING count(*) > 0);
COMMENT ON FUNCTION segmentation_internal.workspace_engaged_sql(text, text, text) IS
  'Part of refresh: the days on which people of companies did something, as SQL; NULL without such a source.';

-- A company: its columns, its people and its sites. One is known by any of them.
CREATE FUNCTION segmentation_internal.workspace_companies_sql(ws text, batch text, zone text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  companies constant text := segmentation_internal.workspace_rows_sql(ws, 'companies', batch);
  people constant text := segmentation_internal.workspace_rows_sql(ws, 'people', batch);
  sites constant text := segmentation_internal.workspace_rows_sql(ws, 'sites', batch);
  engaged constant text := segmentation_internal.workspace_engaged_sql(ws, batch, zone);
  key_column text;
BEGIN
  IF NOT segmentation_internal.workspace_is_of_companies(ws) THEN
    RETURN segmentation_internal.fill(NULL, $q$
      SELECT r.customer, r.attributes AS company FROM @(rows)@ AS r$q$, jsonb_build_object('rows', companies));
  END IF;
  -- The column of the key is no attribute; a SIREN says more than which company it is.
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT s.mapping ->> 'customer' FROM ONLY @ws@.source AS s
    WHERE s.kind = 'companies' AND lower(s.mapping ->> 'customer') IN ('siren', 'siret')$q$) INTO key_column;
  RETURN segmentation_internal.fill(NULL, $q$
    SELECT k.customer, coalesce(c.attributes, '{}') || coalesce(p.people, '{}') || coalesce(s.sites, '{}') AS company
    FROM (@(keys)@) AS k
    LEFT JOIN (@(companies)@) AS c ON c.customer = k.customer
    LEFT JOIN (@(people)@) AS p ON p.customer = k.customer
    LEFT JOIN (@(sites)@) AS s ON s.customer = k.customer$q$,
    jsonb_build_object(
      'keys', (
        SELECT string_agg(format('SELECT r.customer FROM %s AS r', r.rows), ' UNION ' ORDER BY r.place)
        FROM (VALUES (1, companies), (2, people), (3, sites)) AS r (place, rows) WHERE r.rows IS NOT NULL),
      'companies', CASE
        WHEN companies IS NULL
          THEN format('SELECT r.customer, NULL::jsonb AS attributes FROM %s AS r WHERE false', coalesce(people, sites))
        WHEN key_column IS NULL THEN format('SELECT r.customer, r.attributes FROM %s AS r', companies)
        ELSE format('SELECT r.customer, jsonb_build_object(%L, r.customer) || r.attributes AS attributes FROM %s AS r',
          lower(key_column), companies) END,
      'people', CASE WHEN people IS NULL
        THEN format('SELECT r.customer, NULL::jsonb AS people FROM %s AS r WHERE false', coalesce(companies, sites))
        ELSE segmentation_internal.fill(NULL, $q$
          SELECT r.customer, jsonb_build_object('people', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
              'person', r.person, 'name', r.name, 'email', r.email, 'phone', r.phone, 'title', r.title,
              'relation', r.relation, 'engaged', @(days)@))
            ORDER BY r.person COLLATE "C", r.email COLLATE "C", r.name COLLATE "C", r.title COLLATE "C",
              r.phone COLLATE "C", r.relation COLLATE "C")) AS people
          FROM @(rows)@ AS r@(engaged)@
          WHERE btrim(r.person) <> ''
          GROUP BY r.customer$q$,
          jsonb_build_object('rows', people,
            'days', CASE WHEN engaged IS NULL THEN 'NULL::jsonb' ELSE 'e.days' END,
            'engaged', CASE WHEN engaged IS NULL THEN ''
              ELSE format(' LEFT JOIN (%s) AS e ON e.customer = r.customer AND e.person = r.person', engaged) END)) END,
      'sites', CASE WHEN sites IS NULL
        THEN format('SELECT r.customer, NULL::jsonb AS sites FROM %s AS r WHERE false', coalesce(companies, people))
        ELSE segmentation_internal.fill(NULL, $q$
          SELECT r.customer, jsonb_build_object('sites', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
              'site', r.site, 'name', r.name, 'latitude', r.latitude, 'longitude', r.longitude))
            ORDER BY r.site COLLATE "C", r.name COLLATE "C", r.latitude, r.longitude)) AS sites
          FROM @(rows)@ AS r
          WHERE btrim(r.site) <> ''
          GROUP BY r.customer$q$, jsonb_build_object('rows', sites)) END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_companies_sql(text, text, text) IS
  'Part of refresh: what is known of companies, with their people and sites, one row a company, as SQL.';

-- Scores, in steps

CREATE FUNCTION segmentation_internal.company_number(known jsonb, field text) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE pg_catalog.jsonb_typeof(known -> field) WHEN 'number' THEN (known -> field)::double precision END;
COMMENT ON FUNCTION segmentation_internal.company_number(jsonb, text) IS
  'Part of company_scores: a number of an object; NULL if it has none.';

-- What kind of company it is.
CREATE FUNCTION segmentation_internal.company_firm(known jsonb)
RETURNS TABLE (
  siren text, siret text, size text, size_at_least text, size_at_most text, headcount double precision,
  naf_version text, section text, division text, organisation_type text, is_public boolean
)
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT segmentation.siren(coalesce(known ->> 'siren', known ->> 'siret')), segmentation.siret(known ->> 'siret'),
    CASE WHEN s.at_least = s.at_most THEN s.at_least::text END, s.at_least::text, s.at_most::text, h.low,
    n.version, segmentation.naf_section(known ->> 'naf_code', n.version),
    segmentation.naf_division(known ->> 'naf_code', n.version),
    segmentation.organisation_type(known ->> 'legal_category', known ->> 'naf_code'),
    segmentation.is_public(known ->> 'legal_category')
  FROM (SELECT segmentation.sirene_headcount(known ->> 'headcount_band') AS range) AS b
  CROSS JOIN LATERAL (
    SELECT coalesce(segmentation_internal.company_number(known, 'headcount'), lower(b.range)::double precision) AS low,
      coalesce(segmentation_internal.company_number(known, 'headcount'), (upper(b.range) - 1)::double precision)
        AS high) AS h
  CROSS JOIN LATERAL (
    SELECT
      segmentation.company_size_at_least(h.low, segmentation_internal.company_number(known, 'turnover'),
        segmentation_internal.company_number(known, 'balance_sheet')) AS at_least,
      segmentation.company_size_at_most(h.high, segmentation_internal.company_number(known, 'turnover'),
        segmentation_internal.company_number(known, 'balance_sheet')) AS at_most) AS s
  CROSS JOIN LATERAL (
    SELECT coalesce(segmentation.naf_version(known ->> 'naf_code'), known ->> 'naf_version') AS version) AS n;
END;
COMMENT ON FUNCTION segmentation_internal.company_firm(jsonb) IS
  'Part of company_scores: number, size, activity and legal form of a company.';

-- How far it is: the company, or the nearest of its sites.
CREATE FUNCTION segmentation_internal.company_distance(known jsonb, sites jsonb, origin jsonb) RETURNS double precision
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT min(segmentation.geodesic(
      segmentation_internal.company_number(origin, 'latitude'),
      segmentation_internal.company_number(origin, 'longitude'),
      segmentation_internal.company_number(p.place, 'latitude'),
      segmentation_internal.company_number(p.place, 'longitude')))
    FROM (
      SELECT known AS place
      UNION ALL
      SELECT s.place FROM jsonb_array_elements(CASE jsonb_typeof(sites) WHEN 'array' THEN sites ELSE '[]' END)
        AS s (place)) AS p
    WHERE segmentation_internal.company_number(p.place, 'latitude') BETWEEN -90 AND 90
      AND segmentation_internal.company_number(p.place, 'longitude') BETWEEN -180 AND 180);
COMMENT ON FUNCTION segmentation_internal.company_distance(jsonb, jsonb, jsonb) IS
  'Part of company_scores: kilometres from the origin to a company, or to the nearest of its sites; NULL if unknown.';

-- What was exchanged with a company: when lately, what it showed, and what it cost within twelve months.
CREATE FUNCTION segmentation_internal.company_events(
  contacts segmentation.contact_history, interactions segmentation.interaction_history, as_of date, settings jsonb,
  distance_km double precision
) RETURNS TABLE (last_contact date, last_engaged date, points double precision, cost numeric)
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT max(v.day), max(v.day) FILTER (WHERE v.weight > 0),
    coalesce(sum(v.weight * power(0.5::double precision, (as_of - v.day) / h.days)), 0),
    CASE WHEN bool_or(v.unit = '"distance"' AND distance_km IS NULL) IS NOT TRUE THEN coalesce(sum(CASE
      WHEN v.unit = '"distance"' THEN segmentation.visit_cost(distance_km)
      WHEN jsonb_typeof(v.unit) = 'number' THEN v.unit::numeric END), 0) END
  FROM (
    SELECT extract(epoch FROM (coalesce(settings ->> 'company_half_life', '90 days'))::interval)
      ::double precision / 86400 AS days) AS h
  LEFT JOIN (
    SELECT e.day,
      CASE WHEN e.what IS NOT NULL THEN coalesce(
        segmentation_internal.company_number(settings -> 'company_engagement_weights', lower(e.what)), 1) END AS weight,
      CASE WHEN e.day > (as_of - interval '12 months')::date
        THEN settings -> 'company_unit_costs' -> lower(e.counted) END AS unit
    FROM (
      SELECT segmentation.segment_date(c.event ->> 'sent_on') AS day, 'contacts' AS counted,
        CASE WHEN segmentation_internal.retention_is_sign(c.event ->> 'response') THEN c.event ->> 'response' END
          AS what
      FROM jsonb_array_elements(contacts::jsonb) AS c (event)
      UNION ALL
      SELECT segmentation.segment_date(i.event ->> 'occurred_on'), i.event ->> 'kind', i.event ->> 'kind'
      FROM jsonb_array_elements(interactions::jsonb) AS i (event)) AS e
    WHERE e.day <= as_of) AS v ON true
  GROUP BY h.days;
END;
COMMENT ON FUNCTION segmentation_internal.company_events(
  segmentation.contact_history, segmentation.interaction_history, date, jsonb, double precision
) IS
  'Part of company_scores: the last contact, the points of engagement, and what contacts and visits of 12 months cost '
  '(NULL if a visit cost something and the distance is not known).';

-- Who is known at a company: who decides, which functions of the buying committee, and how they are reached.
CREATE FUNCTION segmentation_internal.company_people(people jsonb, known jsonb, as_of date, settings jsonb)
RETURNS TABLE (
  people bigint, engaged_people bigint, deciders bigint, decider text, committee_known text[],
  committee_missing text[], reach text, reach_by_phone boolean
)
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT count(v.person), count(*) FILTER (WHERE v.last_engaged > as_of - 90),
    count(*) FILTER (WHERE v.role = 'decider'),
    (array_agg(v.person ORDER BY v.last_engaged DESC NULLS LAST, v.person COLLATE "C")
      FILTER (WHERE v.role = 'decider'))[1],
    coalesce(array_agg(DISTINCT v.function ORDER BY v.function) FILTER (WHERE v.function IS NOT NULL), '{}'),
    ARRAY(
      SELECT c.function
      FROM jsonb_array_elements_text(settings -> 'company_committee') WITH ORDINALITY AS c (function, place)
      WHERE (c.function = ANY (array_agg(v.function))) IS NOT TRUE
      ORDER BY c.place),
    CASE
      WHEN bool_or(NOT segmentation.email_is_role(v.email)) THEN 'person'
      WHEN bool_or(segmentation.email_is_role(v.email)) OR segmentation.email_domain(known ->> 'email') IS NOT NULL
        THEN 'generic'
      ELSE 'none' END,
    coalesce(bool_or(btrim(v.phone) <> ''), false) OR known ? 'phone'
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN (
    SELECT p.item ->> 'person' AS person, p.item ->> 'email' AS email, p.item ->> 'phone' AS phone,
      segmentation.job_function(p.item ->> 'title') AS function,
      segmentation.decision_role(p.item ->> 'title', settings ->> 'company_function') AS role,
      (SELECT max(d.day::date)
       FROM jsonb_array_elements_text(CASE jsonb_typeof(p.item -> 'engaged') WHEN 'array' THEN p.item -> 'engaged'
         ELSE '[]' END) AS d (day) WHERE d.day::date <= as_of) AS last_engaged
    FROM jsonb_array_elements(CASE jsonb_typeof(people) WHEN 'array' THEN people ELSE '[]' END) AS p (item)) AS v
    ON true;
END;
COMMENT ON FUNCTION segmentation_internal.company_people(jsonb, jsonb, date, jsonb) IS
  'Part of company_scores: the people of a company.';

-- What the fit is learnt from.
CREATE FUNCTION segmentation_internal.company_features(firm jsonb) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('section', firm -> 'section',
    'size', firm -> 'size', 'organisation_type', firm -> 'organisation_type'));
COMMENT ON FUNCTION segmentation_internal.company_features(jsonb) IS
  'Part of company_scores: what of a company its fit is learnt from.';

-- The points are logarithms of odds, which add up.
CREATE FUNCTION segmentation_internal.company_fit(model jsonb, features jsonb) RETURNS double precision
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT CASE WHEN m.base IS NOT NULL THEN 100 / (1 + exp(-greatest(-30, least(30, m.base + coalesce((
        SELECT sum(segmentation_internal.company_number(model -> 'points' -> f.key, f.value #>> '{}')
          ORDER BY f.key)
        FROM jsonb_each(features) AS f), 0))))) END
    FROM (SELECT segmentation_internal.company_number(model, 'base') AS base) AS m);
COMMENT ON FUNCTION segmentation_internal.company_fit(jsonb, jsonb) IS
  'Part of company_scores: the fit of a company, the share in percent of good clients among companies like it; NULL '
  'without a model.';

CREATE FUNCTION segmentation_internal.company_peers(model jsonb, section text) RETURNS segmentation.peer_benchmark
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT ROW(p.companies, p.median, p.upper)::segmentation.peer_benchmark
    FROM (
      SELECT trunc(segmentation_internal.company_number(m.peers, 'companies'))::bigint AS companies,
        segmentation_internal.company_number(m.peers, 'median') AS median,
        segmentation_internal.company_number(m.peers, 'upper') AS upper
      FROM (SELECT CASE WHEN section IS NULL THEN model -> 'everybody' ELSE model -> 'sections' -> section END AS peers)
        AS m) AS p
    WHERE p.companies IS NOT NULL);
COMMENT ON FUNCTION segmentation_internal.company_peers(jsonb, text) IS
  'Part of company_scores: what the peers of a section buy for each employee; of all companies without one.';

-- A ready-made definition, where something of what it reads is known.
CREATE FUNCTION segmentation_internal.company_card(name text, scored jsonb, as_of date) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT segmentation.segment_assign(b.definition, scored, as_of)
    FROM segmentation.b2b_definition AS b
    WHERE b.name = company_card.name
      AND EXISTS (SELECT FROM unnest(b.reads) AS r (field) WHERE scored -> r.field <> 'null'));
COMMENT ON FUNCTION segmentation_internal.company_card(text, jsonb, date) IS
  'Part of company_scores: the band of a company by a scorecard of b2b_definition; NULL if nothing of what it reads is '
  'known.';

-- Everything that is said of a company beside the axes. A function in FROM that PostgreSQL puts where it is used: what
-- a query does not ask for is not computed.
CREATE FUNCTION segmentation_internal.company_scores(
  company jsonb, attributes jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, hours segmentation.send_hours, as_of date, settings jsonb,
  model jsonb, send_time jsonb
) RETURNS TABLE (
  name text, siren text, siret text, size text, size_at_least text, size_at_most text, headcount double precision,
  naf_version text, section text, division text, organisation_type text, is_public boolean, relation text,
  turnover_12_months numeric, potential_turnover numeric, share_of_wallet numeric, acquisition_effort numeric,
  cost_to_serve numeric, profitability numeric, distance_km double precision, visit_cost numeric,
  accessibility text, legal_barriers text, technical_barriers text, technology_level text, product_usage text,
  purchase_mode text, last_contact date, people bigint, engaged_people bigint, deciders bigint, decider text,
  committee_known text[], committee_missing text[], reach text, reach_by_phone boolean, opening_hours text,
  best_day smallint, best_hour smallint, fit double precision, fit_grade text, engagement double precision,
  engagement_grade text, fit_engagement text
)
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 COST 1000
BEGIN ATOMIC
  SELECT k.known ->> 'name', firm.siren, firm.siret, firm.size, firm.size_at_least, firm.size_at_most, firm.headcount,
    firm.naf_version, firm.section, firm.division, firm.organisation_type, firm.is_public,
    segmentation.relation(history, as_of,
      greatest(e.last_contact, segmentation.segment_date(k.known ->> 'last_contact')), k.known ->> 'relation'),
    money.turnover, money.potential, segmentation.share_of_wallet(money.turnover, money.potential),
    segmentation.acquisition_effort((k.known -> 'acquisition_cost')::numeric, segmentation.monetary(history, as_of)),
    cost.to_serve, segmentation.profitability(money.turnover, (settings -> 'value_margin')::numeric, cost.to_serve),
    d.km, segmentation.visit_cost(d.km),
    segmentation_internal.company_card('accessibility', d.scored, as_of), k.known ->> 'legal_barriers',
    k.known ->> 'technical_barriers', segmentation_internal.company_card('technology_level', d.scored, as_of),
    segmentation_internal.company_card('product_usage', d.scored, as_of), k.known ->> 'purchase_mode',
    e.last_contact, who.people, who.engaged_people, who.deciders, who.decider, who.committee_known,
    who.committee_missing, who.reach, who.reach_by_phone, open.hours, (open.best).day, (open.best).hour,
    fit.score, grade.fit, engaged.score, grade.engagement, grade.fit || grade.engagement
  FROM (
    SELECT r.row AS scored, segmentation_internal.company_known(r.row, settings -> 'company_columns') AS known
    FROM (SELECT coalesce(company, '{}') || coalesce(attributes, '{}') AS row) AS r OFFSET 0) AS k
  CROSS JOIN LATERAL segmentation_internal.company_firm(k.known) AS firm
  CROSS JOIN LATERAL (
    SELECT v.km, jsonb_build_object('distance_km', v.km) || k.scored AS scored
    FROM (SELECT segmentation_internal.company_distance(
      k.known, company -> 'sites', settings -> 'company_origin') AS km OFFSET 0) AS v) AS d
  CROSS JOIN LATERAL segmentation_internal.company_events(contacts, interactions, as_of, settings, d.km) AS e
  CROSS JOIN LATERAL segmentation_internal.company_people(company -> 'people', k.known, as_of, settings) AS who
  CROSS JOIN LATERAL (
    SELECT m.turnover, segmentation.potential_turnover(m.turnover, firm.headcount::numeric,
      segmentation_internal.company_peers(model, coalesce(firm.section, '-')),
      segmentation_internal.company_peers(model, NULL)) AS potential
    FROM (
      SELECT coalesce(segmentation.turnover(history, (as_of - interval '12 months')::date, as_of), 0) AS turnover) AS m
  ) AS money
  CROSS JOIN LATERAL (
    SELECT e.cost + coalesce(segmentation_internal.company_number(settings -> 'company_unit_costs', 'orders')::numeric
      * (segmentation.frequency(history, as_of)
        - segmentation.frequency(history, (as_of - interval '12 months')::date)), 0) AS to_serve) AS cost
  CROSS JOIN LATERAL (
    SELECT segmentation.opening_hours_text(o.mask) AS hours, segmentation.send_time(send_time, hours, o.mask) AS best
    FROM (SELECT segmentation.opening_hours(k.known ->> 'opening_hours') AS mask) AS o) AS open
  CROSS JOIN LATERAL (
    SELECT CASE WHEN settings -> 'company_fit' IN ('null') IS NOT FALSE THEN segmentation_internal.company_fit(
      model -> 'fit', segmentation_internal.company_features(to_jsonb(firm))) END AS score) AS fit
  CROSS JOIN LATERAL (SELECT 100 * (1 - exp(-e.points / 10)) AS score) AS engaged
  CROSS JOIN LATERAL (
    SELECT
      CASE
        WHEN settings -> 'company_fit' IN ('null') IS FALSE
          THEN segmentation.segment_assign(settings -> 'company_fit', d.scored, as_of)
        WHEN fit.score IS NULL THEN NULL
        WHEN fit.score >= (model #> '{fit,a}')::double precision THEN 'a'
        WHEN fit.score >= (model #> '{fit,b}')::double precision THEN 'b'
        ELSE 'c' END AS fit,
      CASE
        WHEN engaged.score >= (settings #> '{company_engagement_grades,0}')::double precision THEN '1'
        WHEN engaged.score >= (settings #> '{company_engagement_grades,1}')::double precision THEN '2'
        WHEN engaged.score >= (settings #> '{company_engagement_grades,2}')::double precision THEN '3'
        ELSE '4' END AS engagement) AS grade;
END;
COMMENT ON FUNCTION segmentation_internal.company_scores(
  jsonb, jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history,
  segmentation.send_hours, date, jsonb, jsonb, jsonb
) IS
  'The scores of a company from its facts, settings and the model of companies: the columns of the view '
  'company_scores.';

-- The view

CREATE FUNCTION segmentation_internal.workspace_company_scores_query(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$
    WITH p AS MATERIALIZED (
      SELECT w.as_of, g.settings, g.company_model, g.send_time_profile
      FROM ONLY @ws@.workspace AS w
      JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set)
    SELECT f.customer, p.as_of, k.*,
      coalesce(c.segments OPERATOR(pg_catalog.?) (p.settings OPERATOR(pg_catalog.->>) 'key_accounts'), false)
        AS key_account
    FROM p
    CROSS JOIN ONLY @ws@.customer_facts AS f
    LEFT JOIN ONLY @ws@.customer_segments AS c ON c.customer OPERATOR(pg_catalog.=) f.customer
    CROSS JOIN LATERAL segmentation_internal.company_scores(
      f.company, f.attributes, f.history, f.contacts, f.interactions, f.hours, p.as_of, p.settings, p.company_model,
      p.send_time_profile) AS k$q$);
COMMENT ON FUNCTION segmentation_internal.workspace_company_scores_query(text) IS
  'Part of create_workspace and account_sheet: the query of the view company_scores, as SQL.';

CREATE FUNCTION segmentation_internal.company_score_columns() RETURNS TABLE (name text, about text)
  LANGUAGE sql IMMUTABLE ROWS 40 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.name, v.about
  FROM (VALUES
    ('customer', 'The company.'), ('as_of', 'The day of the scores.'), ('name', 'Name.'), ('siren', 'SIREN.'),
    ('siret', 'SIRET.'), ('size', 'Size by the decree 2008-1354 (micro, pme, eti, ge); null: unknown figures leave it '
      'open.'),
    ('size_at_least', 'The least size that is possible.'), ('size_at_most', 'The greatest size that is possible.'),
    ('headcount', 'Employees, at least.'), ('naf_version', 'Version of its activity code.'),
    ('section', 'Section of NAF: the sector.'), ('division', 'Division of NAF.'),
    ('organisation_type', 'company, holding, association, ngo, public_body, independent or other.'),
    ('is_public', 'Whether it is a public body.'),
    ('relation', 'client, former_client, prospect, partner, supplier or other.'),
    ('turnover_12_months', 'What it bought within 12 months.'),
    ('potential_turnover', 'What it could buy in 12 months, as the best quarter of its peers does.'),
    ('share_of_wallet', 'What it bought of that, 0 to 1.'),
    ('acquisition_effort', 'What it cost to win it, for each unit of its turnover.'),
    ('cost_to_serve', 'What orders, contacts and visits of 12 months cost.'),
    ('profitability', 'Turnover of 12 months times value_margin, less cost_to_serve.'),
    ('distance_km', 'Kilometres from company_origin to it, or to the nearest of its sites.'),
    ('visit_cost', 'What a visit costs.'),
    ('accessibility', 'accessible, accessible_with_effort or hard_to_reach, by b2b_definition.'),
    ('legal_barriers', 'Legal barriers.'), ('technical_barriers', 'Technical barriers.'),
    ('technology_level', 'advanced, standard or basic, by b2b_definition.'),
    ('product_usage', 'heavy, regular or light, by b2b_definition.'),
    ('purchase_mode', 'How it buys, as its column says.'),
    ('last_contact', 'Day of the last contact, visit or call.'), ('people', 'People known.'),
    ('engaged_people', 'People who did something within 90 days: an answer, a visit, a call.'),
    ('deciders', 'People who decide, by their titles.'), ('decider', 'Who decides; of several, who was engaged last.'),
    ('committee_known', 'Functions of the people known.'),
    ('committee_missing', 'Functions of company_committee of which nobody is known.'),
    ('reach', 'person, generic or none: the best address of e-mail.'),
    ('reach_by_phone', 'Whether a telephone is known.'), ('opening_hours', 'When it is open.'),
    ('best_day', 'Best day to reach it, 1 Monday to 7, while it is open.'), ('best_hour', 'Best hour of that day.'),
    ('fit', 'Share in percent of good clients among companies like it, as learnt.'),
    ('fit_grade', 'a, b or c.'), ('engagement', '0 to 100, from what its people do; it fades.'),
    ('engagement_grade', '1 to 4.'), ('fit_engagement', 'Both grades: a1 to c4.'),
    ('key_account', 'Whether it is in the registered segment that the setting key_accounts names.')
  ) AS v (name, about);
END;
COMMENT ON FUNCTION segmentation_internal.company_score_columns() IS
  'Part of create_workspace: what the columns of company_scores are.';

CREATE FUNCTION segmentation_internal.workspace_make_companies(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  described record;
BEGIN
  IF NOT segmentation_internal.workspace_is_of_companies(ws) THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE OR REPLACE VIEW %s.company_scores AS %s', ws,
    segmentation_internal.workspace_company_scores_query(ws));
  EXECUTE format('COMMENT ON VIEW %s.company_scores IS %L', ws,
    'What is said of each company beside the axes at the published day, computed when it is read.');
  FOR described IN SELECT c.name, c.about FROM segmentation_internal.company_score_columns() AS c LOOP
    EXECUTE format('COMMENT ON COLUMN %s.company_scores.%I IS %L', ws, described.name, described.about);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_companies(text) IS
  'Part of create_workspace: the view company_scores of a workspace of companies.';

-- What is sent to other tools
CREATE FUNCTION segmentation_internal.crm_company_field(
  ws text, score text, OUT type text, OUT expression text, OUT joins text[], OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given regtype;
BEGIN
  SELECT a.atttypid INTO given
  FROM pg_attribute AS a
  WHERE a.attrelid = to_regclass(ws || '.company_scores') AND a.attname = score AND a.attnum > 0
    AND NOT a.attisdropped;
  IF NOT segmentation_internal.workspace_is_of_companies(ws) THEN
    fault := 'company_scores are of a workspace of companies';
  ELSIF given IS NULL THEN
    fault := format('company_scores has no "%s": name one as company_scores.%s', score, coalesce(
      segmentation_internal.nearest_name(score, ARRAY(
        SELECT c.name FROM segmentation_internal.company_score_columns() AS c)), 'fit_engagement'));
  ELSE
    type := CASE
      WHEN given = ANY ('{bigint,smallint,integer,numeric,double precision}'::regtype[]) THEN 'number'
      WHEN given = 'date'::regtype THEN 'day' WHEN given = 'boolean'::regtype THEN 'boolean' ELSE 'text' END;
    expression := format(CASE WHEN given = 'text[]'::regtype THEN 'array_to_string(%s, '','')' ELSE '%s' END,
      format('"company scores".%I', score));
    joins := ARRAY[format('LEFT JOIN (%s) AS "company scores" ON "company scores".customer = c.customer',
      segmentation_internal.workspace_company_scores_query(ws))];
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_company_field(text, text) IS
  'Part of crm_sync: a column of company_scores as a field of a destination, as SQL.';

-- Key accounts leave the other segments.
CREATE FUNCTION segmentation_internal.workspace_mass_segments(segments jsonb, key_accounts text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN segments ? key_accounts THEN jsonb_build_object(key_accounts, segments -> key_accounts)
    ELSE segments END;
COMMENT ON FUNCTION segmentation_internal.workspace_mass_segments(jsonb, text) IS
  'Part of refresh: the registered segments of a customer: of a key account that one alone.';

-- Training

-- The aggregates of one pass over the companies: peers by section, and good clients by what they are.
CREATE FUNCTION segmentation_internal.workspace_train_companies(
  ws text, parameter_set integer, as_of date, settings jsonb
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  peers jsonb;
  fit jsonb;
BEGIN
  IF settings ->> 'subject' IS DISTINCT FROM 'company' THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_companies AS
    SELECT coalesce(segmentation.turnover(f.history, ($1 - interval '12 months')::date, $1), 0) AS turnover,
      m.headcount, m.section, segmentation_internal.company_features(to_jsonb(m)) AS features
    FROM @ws@.stage_facts AS f
    CROSS JOIN LATERAL segmentation_internal.company_firm(segmentation_internal.company_known(
      coalesce(f.company, '{}') || coalesce(f.attributes, '{}'), $2)) AS m$q$)
    USING as_of, settings -> 'company_columns';
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT jsonb_build_object('everybody', to_jsonb((
        SELECT segmentation.peer_benchmark(c.turnover::double precision, c.headcount) FROM @ws@.stage_companies AS c
        WHERE c.turnover > 0)),
      'sections', (
        SELECT coalesce(jsonb_object_agg(s.section, to_jsonb(s.benchmark)), '{}')
        FROM (
          SELECT c.section, segmentation.peer_benchmark(c.turnover::double precision, c.headcount) AS benchmark
          FROM @ws@.stage_companies AS c WHERE c.section IS NOT NULL AND c.turnover > 0 GROUP BY c.section) AS s
        WHERE s.benchmark IS NOT NULL))$q$) INTO peers;
  -- Good: bought within 12 months, and no less than half of those who did. Few companies of a kind say little: twenty
  -- companies like all others are added to each.
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH c AS MATERIALIZED (
      SELECT c.features, coalesce(c.turnover > 0 AND c.turnover >= m.middle, false)::integer AS good
      FROM @ws@.stage_companies AS c
      CROSS JOIN (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY o.turnover) FILTER (WHERE o.turnover > 0) AS middle
        FROM @ws@.stage_companies AS o) AS m),
    base AS (SELECT count(*) AS companies, sum(c.good) AS good, avg(c.good)::double precision AS share FROM c)
    SELECT jsonb_build_object('base', ln(b.share / (1 - b.share)), 'companies', b.companies, 'good', b.good,
      'share', b.share,
      'a', least(99.9, 100 * b.share * ($1 #> '{company_fit_grades,0}')::double precision),
      'b', 100 * b.share * ($1 #> '{company_fit_grades,1}')::double precision,
      'points', (
        SELECT coalesce(jsonb_object_agg(g.feature, g.points), '{}')
        FROM (
          SELECT v.feature, jsonb_object_agg(v.value, ln(v.share / (1 - v.share)) - ln(b.share / (1 - b.share)))
            AS points
          FROM (
            SELECT f.key AS feature, f.value #>> '{}' AS value,
              (sum(c.good) + 20 * b.share) / (count(*) + 20) AS share
            FROM c CROSS JOIN LATERAL jsonb_each(c.features) AS f GROUP BY 1, 2) AS v
          GROUP BY v.feature) AS g))
    FROM base AS b
    WHERE b.companies >= ($1 -> 'minimum_buyers')::integer AND b.good >= ($1 -> 'minimum_repeaters')::integer
      AND b.good < b.companies$q$) INTO fit USING settings;
  EXECUTE format('UPDATE %s.parameter_set AS g SET company_model = $2 WHERE g.parameter_set = $1', ws)
    USING parameter_set, peers || jsonb_build_object('fit', fit);
  EXECUTE format('DROP TABLE %s.stage_companies', ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_companies(text, integer, date, jsonb) IS
  'Part of refresh: what peers buy for each employee, and how good clients differ from other companies, into a '
  'parameter set.';

-- A model that comes from elsewhere: a company of each section, so that whatever cannot be read is an error.
CREATE FUNCTION segmentation_internal.workspace_try_companies(ws text, number integer, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF segmentation_internal.workspace_is_of_companies(ws) THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT count(k.*)
      FROM @ws@.parameter_set AS g
      CROSS JOIN (
        SELECT jsonb_build_object('naf_code', n.division, 'naf_version', n.version, 'headcount', 5, 'turnover', 1000)
          AS company
        FROM segmentation.naf_nomenclature() AS n) AS f
      CROSS JOIN LATERAL segmentation_internal.company_scores(
        f.company, NULL, NULL, NULL, NULL, NULL, $2, g.settings, g.company_model, g.send_time_profile) AS k
      WHERE g.parameter_set = $1$q$) USING number, as_of;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_try_companies(text, integer, date) IS
  'Part of install_parameter_set: scores made-up companies by a parameter set; an error if the model cannot be read.';

-- The account sheet

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'company_feature', v.code, t.language, t.label
FROM (VALUES
  ('section', 'sector', 'secteur'), ('size', 'size', 'taille'),
  ('organisation_type', 'type of organisation', 'type d''organisation')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('company.fit', 'en', 'Of companies like it {fit} % are good clients, of all {share} %: {reasons}.'),
  ('company.fit', 'fr', 'Parmi les entreprises semblables, {fit} % sont de bons clients, parmi toutes {share} % : '
    '{reasons}.'),
  ('company.engagement', 'en', 'Engagement {engagement} of 100. People known: {people}, of whom {engaged} did '
    'something within 90 days.'),
  ('company.engagement', 'fr', 'Engagement {engagement} sur 100. Personnes connues : {people}, dont {engaged} actives '
    'dans les 90 derniers jours.'),
  ('company.decider', 'en', 'Who decides: {decider}.'),
  ('company.decider', 'fr', 'Qui décide : {decider}.'),
  ('company.no_decider', 'en', 'Nobody who decides is known.'),
  ('company.no_decider', 'fr', 'Aucun décideur n''est connu.'),
  ('company.missing', 'en', 'Nobody is known of: {missing}.'),
  ('company.missing', 'fr', 'Personne n''est connu dans : {missing}.');

CREATE FUNCTION segmentation_internal.company_words(
  scores jsonb, people jsonb, model jsonb, language text
) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN array_remove(ARRAY[
    CASE WHEN scores -> 'fit' <> 'null' THEN segmentation_internal.workspace_say('company.fit', jsonb_build_object(
      'fit', round((scores -> 'fit')::numeric), 'share', round(100 * (model #> '{fit,share}')::numeric),
      'reasons', (
        SELECT string_agg(format('%s %s (%s%s)', segmentation.label('company_feature', f.key, language),
            f.value #>> '{}', CASE WHEN p.points > 0 THEN '+' ELSE '' END,
            segmentation_internal.workspace_number_words(p.points::text, language)), ', '
          ORDER BY abs(p.points) DESC, f.key)
        FROM jsonb_each(segmentation_internal.company_features(scores)) AS f
        CROSS JOIN LATERAL (SELECT round(coalesce(segmentation_internal.company_number(
          model #> ARRAY['fit', 'points', f.key], f.value #>> '{}'), 0)::numeric, 2) AS points) AS p)), language) END,
    segmentation_internal.workspace_say('company.engagement', jsonb_build_object(
      'engagement', round((scores -> 'engagement')::numeric), 'engaged', scores -> 'engaged_people',
      'people', scores -> 'people'), language),
    CASE WHEN scores -> 'decider' = 'null'
      THEN segmentation_internal.workspace_say('company.no_decider', '{}', language)
      ELSE segmentation_internal.workspace_say('company.decider', jsonb_build_object('decider', (
        SELECT concat_ws(', ', coalesce(p.item ->> 'name', p.item ->> 'person'), p.item ->> 'title')
        FROM jsonb_array_elements(people) AS p (item)
        WHERE p.item ->> 'person' = scores ->> 'decider' LIMIT 1)), language) END,
    CASE WHEN scores -> 'committee_missing' <> '[]' THEN segmentation_internal.workspace_say('company.missing',
      jsonb_build_object('missing', (
        SELECT string_agg(segmentation.label('job_function', m.function, language), ', ' ORDER BY m.place)
        FROM jsonb_array_elements_text(scores -> 'committee_missing') WITH ORDINALITY AS m (function, place))),
      language) END], NULL);
COMMENT ON FUNCTION segmentation_internal.company_words(jsonb, jsonb, jsonb, text) IS
  'Part of account_sheet: fit, engagement, who decides and who is not known, in sentences.';

CREATE FUNCTION segmentation.account_sheet(workspace text, customer text, language text DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,setting,parameter_set,customer_facts,customer_segments,product}');
  spoken constant text := coalesce(language, segmentation_internal.workspace_language(ws));
  key constant text := segmentation_internal.workspace_key(ws);
  sheet jsonb;
BEGIN
  IF NOT segmentation_internal.workspace_is_of_companies(ws) THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I is not of companies', workspace),
      HINT = 'SELECT segmentation.create_workspace(workspace, subject => ''company''); of a customer see explain.';
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT segmentation.account_profile(
          jsonb_build_object('headcount', s.headcount) || segmentation_internal.company_known(
            coalesce(f.company, '{}') || coalesce(f.attributes, '{}'), g.settings -> 'company_columns'),
          f.company -> 'people', f.history, w.as_of, $2) - 'given'
      || jsonb_strip_nulls(jsonb_build_object(
        'scores', to_jsonb(s) - '{customer,as_of}'::text[],
        'words', to_jsonb(segmentation_internal.company_words(to_jsonb(s), f.company -> 'people', g.company_model, $2)),
        'fit_grade', segmentation.label('fit_grade', s.fit_grade, $2),
        'engagement_grade', segmentation.label('engagement_grade', s.engagement_grade, $2),
        'fit_by', (
          SELECT jsonb_object_agg(f.key, jsonb_build_object('is', f.value,
            'points', round((g.company_model #> ARRAY['fit', 'points', f.key, f.value #>> '{}'])::numeric, 2)))
          FROM jsonb_each(segmentation_internal.company_features(to_jsonb(s))) AS f),
        'axes', (
          SELECT jsonb_object_agg(a.axis,
            coalesce(n.label, segmentation.workspace_label(a.axis, to_jsonb(c) ->> a.axis, $2)))
          FROM segmentation.workspace_axis AS a
          CROSS JOIN (SELECT $2 AS language) AS l
          LEFT JOIN LATERAL (@(names)@) AS n (axis, code, label)
            ON n.axis = a.axis AND n.code = to_jsonb(c) ->> a.axis),
        'segments', c.segments))
    FROM ONLY @ws@.workspace AS w
    JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
    JOIN ONLY @ws@.customer_facts AS f ON f.customer = $1::@(key)@
    JOIN ONLY @ws@.customer_segments AS c ON c.customer = f.customer
    JOIN (@(scores)@) AS s ON s.customer = f.customer
    WHERE s.customer = $1::@(key)@$q$,
    jsonb_build_object('key', key, 'scores', segmentation_internal.workspace_company_scores_query(ws),
      'names', segmentation_internal.workspace_names_sql(ws)))
    INTO sheet USING customer, spoken;
  IF sheet IS NULL THEN
    RAISE no_data_found USING
      MESSAGE = format('workspace %I knows no company %s', workspace, coalesce(customer, 'null'));
  END IF;
  RETURN sheet;
END
$$;
COMMENT ON FUNCTION segmentation.account_sheet(text, text, text) IS
  'The sheet of a company of a workspace in one jsonb: what is known of it (account_profile), its people, scores, axes '
  'in words (en, fr) and segments.';
