-- The sources of a workspace: which relation, which column is what.

CREATE FUNCTION segmentation_internal.workspace_base_type(given regtype) RETURNS regtype
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE b AS (
    SELECT t.oid, t.typtype, t.typbasetype FROM pg_type AS t WHERE t.oid = given
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype FROM b JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd')
  SELECT b.oid::regtype FROM b WHERE b.typtype <> 'd';
END;
COMMENT ON FUNCTION segmentation_internal.workspace_base_type(regtype) IS 'Part of add_source: the type below domains.';

-- A key is text of any type whose text is the same in all sessions. Between other types only PostgreSQL's own casts
-- count: others are code of somebody's.
CREATE FUNCTION segmentation_internal.workspace_type_fits(type text, given regtype, key_type regtype) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE type
    WHEN 'text' THEN true
    WHEN 'key' THEN given = key_type OR EXISTS (
      SELECT FROM pg_cast AS c JOIN pg_type AS t ON t.oid = c.castsource
      WHERE c.castsource = given AND c.casttarget = key_type AND c.castcontext IN ('i', 'a')
        AND t.typnamespace = 'pg_catalog'::regnamespace)
      OR (key_type = 'text'::regtype AND EXISTS (
        SELECT FROM pg_type AS t WHERE t.oid = given AND NOT t.typcategory IN ('A', 'C', 'D', 'P', 'R', 'T')
          AND NOT t.oid = ANY ('{real,double precision,money,bytea}'::regtype[])))
    WHEN 'number' THEN given = ANY ('{smallint,integer,bigint,numeric,real,double precision,money}'::regtype[])
    WHEN 'boolean' THEN given = 'boolean'::regtype
    ELSE given = ANY ('{date,timestamp,timestamptz}'::regtype[])
  END;
COMMENT ON FUNCTION segmentation_internal.workspace_type_fits(text, regtype, regtype) IS
  'Whether a column of a type can be a field of a type of workspace_field.';

-- A key is never rounded: the orders of one customer would come to another.
CREATE FUNCTION segmentation_internal.workspace_whole_key(value double precision, given text) RETURNS bigint
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Beyond 2^53 a float no longer tells neighbours apart.
  IF value = trunc(value) AND abs(value) <= 9007199254740992 THEN
    RETURN value::bigint;
  END IF;
  IF value IS NOT NULL THEN
    RAISE numeric_value_out_of_range USING
      MESSAGE = format('customer %s in column %s is no key', value, substr(given, strpos(given, '.') + 1)),
      DETAIL = 'Keys are whole numbers, and never rounded; in a float they are exact up to 2^53.',
      HINT = 'Put the value right, or map the customer to a column of integers or text.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_whole_key(double precision, text) IS
  'Part of refresh: a float as the key of customers, or an error that names the column.';
CREATE FUNCTION segmentation_internal.workspace_whole_key(value numeric, given text) RETURNS bigint
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF value = trunc(value) AND value BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
    RETURN value::bigint;
  END IF;
  IF value IS NOT NULL THEN
    RAISE numeric_value_out_of_range USING
      MESSAGE = format('customer %s in column %s is no key', value, substr(given, strpos(given, '.') + 1)),
      DETAIL = 'Keys are whole numbers within the range of bigint, and never rounded.',
      HINT = 'Put the value right, or map the customer to a column of integers or text.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_whole_key(numeric, text) IS
  'Part of refresh: a number as the key of customers, or an error that names the column.';

CREATE FUNCTION segmentation_internal.workspace_key_sql(expression text, given regtype, key_type regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN given = key_type THEN expression
    WHEN segmentation_internal.workspace_base_type(given) = ANY ('{real,double precision}'::regtype[])
      AND key_type = ANY ('{smallint,integer,bigint,numeric}'::regtype[])
      OR segmentation_internal.workspace_base_type(given) = 'numeric'::regtype
        AND key_type = ANY ('{smallint,integer,bigint}'::regtype[])
      THEN segmentation_internal.fill(NULL,
        $q$segmentation_internal.workspace_whole_key(@(given)@::@(base)@, @'given'@)::@(key)@$q$,
        jsonb_build_object('given', expression, 'key', key_type,
          'base', CASE WHEN segmentation_internal.workspace_base_type(given) = 'numeric'::regtype THEN 'numeric'
            ELSE 'double precision' END))
    WHEN EXISTS (
      SELECT FROM pg_type AS t
      WHERE t.oid = segmentation_internal.workspace_base_type(given)
        AND (t.typnamespace = 'pg_catalog'::regnamespace OR t.oid = key_type))
      THEN format('%s::%s', expression, key_type)
    -- By its output function: its owner may give it any cast.
    ELSE segmentation_internal.fill(NULL,
      $q$CASE WHEN @(given)@ IS NOT NULL THEN pg_catalog.format('%s', @(given)@) END::@(key)@$q$,
      jsonb_build_object('given', expression, 'key', key_type)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_key_sql(text, regtype, regtype) IS
  'Part of refresh: a column as the key of customers, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_key_narrows(given regtype, key_type regtype) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (
    SELECT FROM pg_cast AS c
    WHERE c.castsource = segmentation_internal.workspace_base_type(given) AND c.casttarget = key_type
      AND c.castcontext <> 'i');
COMMENT ON FUNCTION segmentation_internal.workspace_key_narrows(regtype, regtype) IS
  'Part of start_capture: whether values of a type may be out of the range of the key.';

-- What an error about a field offers: columns whose type fits.
CREATE FUNCTION segmentation_internal.workspace_candidates(
  field segmentation.workspace_field, relation regclass, mapping jsonb, key regtype
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(c.name, ', ' ORDER BY c.place, c.attnum) || CASE WHEN max(c.total) > 12 THEN ', ...' ELSE '' END
    FROM (
      SELECT r.place, a.attnum, CASE WHEN r.place = 0 THEN '' ELSE r.alias || '.' END || a.attname AS name,
        row_number() OVER (ORDER BY r.place, a.attnum) AS number, count(*) OVER () AS total
      FROM segmentation_internal.workspace_relations(relation, mapping) AS r
      JOIN pg_attribute AS a ON a.attrelid = r.joined AND a.attnum > 0 AND NOT a.attisdropped
      WHERE segmentation_internal.workspace_type_fits(
          field.type, segmentation_internal.workspace_base_type(a.atttypid), key)) AS c
    WHERE c.number <= 12);
COMMENT ON FUNCTION segmentation_internal.workspace_candidates(
  segmentation.workspace_field, regclass, jsonb, regtype
) IS
  'Part of add_source: columns that could be a field, by their types.';

CREATE FUNCTION segmentation_internal.workspace_type_words(type text, key regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE type WHEN 'key' THEN format('%s, the key type of the workspace', key) WHEN 'number' THEN 'a number'
    WHEN 'boolean' THEN 'boolean' WHEN 'text' THEN 'text' ELSE 'date, timestamp or timestamptz' END;
COMMENT ON FUNCTION segmentation_internal.workspace_type_words(text, regtype) IS
  'Part of add_source: what the type of a field has to be, in words.';

-- An expression of a mapping: {"sql": ...}, or what is wrong with it.
CREATE FUNCTION segmentation_internal.workspace_map_expression(
  expression text, field text, type text, relation regclass, mapping jsonb, key regtype,
  OUT mapped jsonb, OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  whole constant text := segmentation_internal.workspace_from(relation, mapping);
  given regtype;
  message text; detail text; hint text;
BEGIN
  given := segmentation_internal.workspace_base_type(
    ((segmentation_internal.workspace_expression(expression, whole) ->> 'type')::oid)::regtype);
  IF NOT segmentation_internal.workspace_type_fits(type, given, key) THEN
    fault := format('"%s" (%s) has type %s, not %s', field, expression, given,
      segmentation_internal.workspace_type_words(type, key));
    RETURN;
  END IF;
  -- With the rights of who reads.
  EXECUTE segmentation_internal.fill(NULL, E'SELECT (@(expression)@\n) FROM @(whole)@ LIMIT 0',
    jsonb_build_object('expression', expression, 'whole', whole));
  mapped := jsonb_build_object('sql', expression);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  fault := concat(CASE field WHEN 'join' THEN '"join": ' ELSE format('"%s" (%s): ', field, expression) END,
    concat_ws('. ', message, NULLIF(rtrim(detail, '.'), ''), NULLIF(rtrim(hint, '.'), '')));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map_expression(text, text, text, regclass, jsonb, regtype) IS
  'Part of add_source: an expression of a mapping as it is stored, or what is wrong with it.';

-- Names as people and tools write them: CustomerID, customer_id and "Customer ID" are one.
CREATE FUNCTION segmentation_internal.plain_name(name text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN regexp_replace(lower(name), '[^[:alnum:]]+', '', 'g');
COMMENT ON FUNCTION segmentation_internal.plain_name(text) IS
  'Part of add_source: a name without case, blanks and other signs.';

-- The column of the best usual name: of the source's own relation, else of those that are joined; of equal ones the one
-- that is written as the usual name is.
CREATE FUNCTION segmentation_internal.workspace_usual_column(
  field segmentation.workspace_field, relation regclass, mapping jsonb
) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT array_agg(v.name ORDER BY v.place)
    FROM (
      SELECT r.place, CASE WHEN r.place = 0 THEN a.attname ELSE format('%s.%s', r.alias, a.attname) END AS name,
        dense_rank() OVER (ORDER BY r.place > 0, c.place, a.attname <> c.name) AS rank
      FROM segmentation_internal.workspace_relations(relation, mapping) AS r
      JOIN pg_attribute AS a ON a.attrelid = r.joined AND a.attnum > 0 AND NOT a.attisdropped
      JOIN unnest(field.columns) WITH ORDINALITY AS c (name, place)
        ON segmentation_internal.plain_name(a.attname) = segmentation_internal.plain_name(c.name)) AS v
    WHERE v.rank = 1);
COMMENT ON FUNCTION segmentation_internal.workspace_usual_column(segmentation.workspace_field, regclass, jsonb) IS
  'Part of add_source: the column of a usual name for a field; several are ambiguous, NULL if there is none.';

-- What a field of a source is read from: what the mapping names, or gives as an expression, else a column of one of
-- the usual names. fault says why there is none; none and no fault is a field that is not given. mapping has "as" and
-- "join" as they are stored.
CREATE FUNCTION segmentation_internal.workspace_map_field(
  field segmentation.workspace_field, relation regclass, mapping jsonb, given jsonb, key regtype,
  OUT mapped jsonb, OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names text[];
  found record;
  type regtype;
BEGIN
  IF given ? field.field THEN
    CASE jsonb_typeof(given -> field.field)
    WHEN 'null' THEN
      IF NOT field.required THEN
        RETURN;  -- said not to be there
      END IF;
    WHEN 'string' THEN
      names := segmentation_internal.workspace_find_column(given ->> field.field, relation, mapping);
    WHEN 'object' THEN
      IF jsonb_typeof(given -> field.field -> 'sql') = 'string' THEN
        SELECT e.mapped, e.fault INTO mapped, fault FROM segmentation_internal.workspace_map_expression(
          given -> field.field ->> 'sql', field.field, field.type, relation, mapping, key) AS e;
        RETURN;
      END IF;
    ELSE NULL;
    END CASE;
    IF names IS NULL THEN
      fault := format('"%s" must be the name of a column or an SQL expression, as text', field.field);
      RETURN;
    END IF;
    IF names = '{}' AND (given ->> field.field) ~* '[^[:alnum:]_]|^[0-9]|^(true|false)$' THEN
      SELECT e.mapped, e.fault INTO mapped, fault FROM segmentation_internal.workspace_map_expression(
        given ->> field.field, field.field, field.type, relation, mapping, key) AS e;
      RETURN;
    END IF;
  ELSE
    names := segmentation_internal.workspace_usual_column(field, relation, mapping);
    IF names IS NULL THEN
      IF field.required THEN
        fault := format('no column for "%s" (%s)%s', field.field, rtrim(field.about, '.'),
          '; it could be ' || segmentation_internal.workspace_candidates(field, relation, mapping, key));
      END IF;
      RETURN;
    END IF;
  END IF;
  IF cardinality(names) > 1 THEN
    fault := format('"%s" is ambiguous: say %s', field.field, array_to_string(names, ' or '));
    RETURN;
  END IF;
  SELECT * INTO found FROM segmentation_internal.workspace_column_sql(names[1], relation, mapping);
  type := segmentation_internal.workspace_base_type(found.type);
  IF found.sql IS NULL THEN
    fault := format('%s has no column "%s" (for "%s")%s', relation, given ->> field.field, field.field,
      '; it could be ' || segmentation_internal.workspace_candidates(field, relation, mapping, key));
  ELSIF NOT segmentation_internal.workspace_type_fits(field.type, type, key) THEN
    fault := format('column "%s" for "%s" has type %s, not %s', names[1], field.field, type,
      segmentation_internal.workspace_type_words(field.type, key));
  ELSIF NOT has_column_privilege(found.joined, found.column_name, 'SELECT') THEN
    fault := format('no right to read column "%s" of %s', found.column_name, found.joined);
  ELSE
    mapped := to_jsonb(names[1]);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map_field(
  segmentation.workspace_field, regclass, jsonb, jsonb, regtype
) IS
  'Part of add_source: what a field is read from, as it is stored, or what is wrong.';

-- The whole mapping of a source as it is stored, or an error that names every fault.
CREATE FUNCTION segmentation_internal.workspace_map(
  kind text, relation regclass, mapping jsonb, key regtype
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  main constant text := coalesce(
    CASE jsonb_typeof(mapping -> 'as') WHEN 'string' THEN mapping ->> 'as' END,
    (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation));
  joined record;
  base jsonb := jsonb_build_object('as', main);
  whole jsonb;
  faults text;
  filter record;
BEGIN
  IF mapping ? 'join' AND mapping -> 'join' NOT IN ('null', '{}', '[]') THEN
    SELECT * INTO joined FROM segmentation_internal.workspace_map_joins(relation, mapping -> 'join', main);
    faults := array_to_string(joined.faults, E'\n');
    base := base || jsonb_build_object('join', joined.joins);
  END IF;
  IF base ? 'join' AND faults = '' THEN
    SELECT e.fault INTO faults
    FROM segmentation_internal.workspace_map_expression('true', 'join', 'boolean', relation, base, key) AS e;
  END IF;
  IF faults IS NULL THEN
    SELECT
        coalesce(jsonb_object_agg(m.field, m.mapped) FILTER (WHERE m.mapped IS NOT NULL), '{}'),
        string_agg(m.fault, E'\n' ORDER BY m.place, m.field)
      INTO whole, faults
    FROM (
      SELECT 0 AS place, g.field, NULL::jsonb AS mapped, format('there is no field "%s" in %s', g.field, kind) AS fault
      FROM jsonb_object_keys(mapping - '{where,join,as}'::text[]) AS g (field)
      WHERE NOT EXISTS (
        SELECT FROM segmentation.workspace_field AS f WHERE f.kind = workspace_map.kind AND f.field = g.field)
      UNION ALL
      SELECT f.place, f.field, c.mapped, c.fault
      FROM segmentation.workspace_field AS f
      CROSS JOIN LATERAL segmentation_internal.workspace_map_field(f, relation, base, mapping, key) AS c
      WHERE f.kind = workspace_map.kind) AS m;
    IF jsonb_typeof(mapping -> 'where') <> 'null' THEN
      SELECT * INTO filter FROM segmentation_internal.workspace_map_expression(
        mapping ->> 'where', 'where', 'boolean', relation, base, key);
      faults := concat_ws(E'\n', faults, CASE WHEN jsonb_typeof(mapping -> 'where') <> 'string'
        THEN '"where" must be an SQL expression, as text' ELSE filter.fault END);
      whole := whole || jsonb_build_object('where', filter.mapped ->> 'sql');
    END IF;
    faults := NULLIF(faults, '');
  END IF;
  IF faults IS NULL AND base ? 'join' THEN
    faults := segmentation_internal.workspace_join_fault(relation, base);
  END IF;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('%s cannot be a source of %s', relation, kind),
      DETAIL = faults,
      HINT = 'Give a mapping from fields to columns or SQL expressions; fields are listed in '
        'segmentation.workspace_field. Columns of other relations come by "join", as {"join": {"orders": "order_id"}}.';
  END IF;
  RETURN CASE WHEN base ? 'join' OR segmentation_internal.workspace_computed(whole) THEN whole || base ELSE whole END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map(text, regclass, jsonb, regtype) IS
  'Part of add_source: the mapping of a source as it is stored, or an error that names every fault.';

-- The key type that the first source says: whole numbers, uuid, else text.
CREATE FUNCTION segmentation_internal.workspace_key_of(kind text, relation regclass, mapping jsonb) RETURNS regtype
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE
      WHEN b.type = ANY ('{smallint,integer,bigint,numeric,real,double precision}'::regtype[]) THEN 'bigint'::regtype
      WHEN b.type = 'uuid'::regtype THEN b.type
      ELSE 'text'::regtype END
    FROM segmentation_internal.workspace_given(kind, relation, mapping, 'customer') AS g
    CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_base_type(g.type)) AS b (type));
COMMENT ON FUNCTION segmentation_internal.workspace_key_of(text, regclass, jsonb) IS
  'Part of add_source: the type of keys that the customers of a source have.';

-- The mapping of a source that may have keys of any type.
CREATE FUNCTION segmentation_internal.workspace_map_any_key(kind text, relation regclass, mapping jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN segmentation_internal.workspace_map(kind, relation, mapping, 'bigint');
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN segmentation_internal.workspace_map(kind, relation, mapping, 'text');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map_any_key(text, regclass, jsonb) IS
  'Part of add_source: the mapping of a source, whatever type of keys its customers have.';

-- Gives a workspace that has no source yet another type of keys. What was set and registered stays.
CREATE FUNCTION segmentation_internal.workspace_rekey(workspace text, key regtype) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := quote_ident(workspace);
  type constant text := format_type(key, NULL);
  part record;
  grants text[];
  plain text[];
  statement text;
BEGIN
  SELECT array_agg(format('GRANT %s ON %s TO %s%s', g.privilege_type, c.oid::regclass,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
      CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END))
    INTO grants
  FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS g
  WHERE c.relnamespace = ws::regnamespace AND (c.relkind IN ('v', 'm') OR c.relname = 'queue');
  FOR part IN
    SELECT c.oid::regclass AS relation, c.relkind
    FROM pg_class AS c
    WHERE c.relnamespace = ws::regnamespace AND (c.relkind IN ('v', 'm') OR c.relname = 'queue')
    ORDER BY c.relkind DESC, c.oid DESC
  LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = part.relation);
    IF EXISTS (SELECT FROM segmentation_internal.workspace_dependents(ws, part.relation)) THEN
      RAISE dependent_objects_still_exist USING
        MESSAGE = format('the key type of workspace %I cannot become %s: other objects depend on %s',
          workspace, type, part.relation),
        HINT = 'Make them after the first source, or give create_workspace the key type.';
    END IF;
    plain := coalesce(plain, segmentation_internal.bi_schema_take(ws), '{}');
    EXECUTE format('DROP %s %s CASCADE', CASE part.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
      ELSE 'TABLE' END, part.relation);
  END LOOP;
  FOR part IN
    SELECT a.attrelid::regclass AS relation
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = ws::regnamespace AND c.relkind = 'r' AND a.attname = 'customer' AND NOT a.attisdropped
    ORDER BY a.attrelid
  LOOP
    EXECUTE segmentation_internal.fill(NULL,
      'ALTER TABLE @(relation)@ ALTER COLUMN customer TYPE @(key)@ USING customer::text::@(key)@',
      jsonb_build_object('relation', part.relation, 'key', type));
  END LOOP;
  EXECUTE format('UPDATE %s.workspace SET key_type = $1', ws) USING type;
  PERFORM segmentation_internal.workspace_register(workspace,
    segmentation_internal.workspace_layout(), segmentation_internal.workspace_key(ws));
  PERFORM segmentation_internal.workspace_mend_queue(ws);
  PERFORM segmentation_internal.workspace_make_scores(workspace);
  PERFORM segmentation_internal.workspace_make_targets(ws);
  PERFORM segmentation_internal.workspace_make_views(workspace);
  PERFORM segmentation_internal.workspace_make_companies(ws);
  PERFORM segmentation_internal.workspace_comments(workspace);
  FOREACH statement IN ARRAY coalesce(grants, '{}') LOOP
    EXECUTE statement;
  END LOOP;
  PERFORM segmentation_internal.bi_schema_give(ws, plain);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_rekey(text, regtype) IS
  'Part of add_source: gives a workspace without sources another type of keys.';

-- The key type of a workspace; where nobody gave one, that of this source, which is its first.
CREATE FUNCTION segmentation_internal.workspace_settle_key(
  workspace text, kind text, relation regclass, mapping jsonb
) RETURNS regtype
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := quote_ident(workspace);
  key regtype;
  given boolean;
  own regtype;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype, w.key_given FROM %s.workspace AS w', ws) INTO key, given;
  IF given OR NOT EXISTS (
    SELECT FROM segmentation.workspace_field AS f WHERE f.kind = workspace_settle_key.kind AND f.field = 'customer')
  THEN
    RETURN key;
  END IF;
  own := segmentation_internal.workspace_key_of(kind, relation,
    segmentation_internal.workspace_map_any_key(kind, relation, mapping));
  IF own <> key THEN
    PERFORM segmentation_internal.workspace_rekey(workspace, own);
  END IF;
  EXECUTE format('UPDATE %s.workspace SET key_given = true', ws);
  RETURN own;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settle_key(text, text, regclass, jsonb) IS
  'Part of add_source: the key type of a workspace, taken from its first source where none was given.';

CREATE FUNCTION segmentation.add_source(
  workspace text, kind text, relation regclass, mapping jsonb DEFAULT '{}', time_zone text DEFAULT NULL
) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  key regtype;
  zone text;
  whole jsonb;
  other text;
  known record;
BEGIN
  IF kind IS NULL OR relation IS NULL OR mapping IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'kind, relation and mapping must not be null';
  END IF;
  IF NOT EXISTS (SELECT FROM segmentation.workspace_field AS f WHERE f.kind = add_source.kind) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown kind of source "%s"', kind),
      HINT = (
        SELECT format('Kinds: %s.', string_agg(k.kind, ', ' ORDER BY k.kind))
        FROM (SELECT DISTINCT f.kind FROM segmentation.workspace_field AS f) AS k);
  END IF;
  IF jsonb_typeof(mapping) <> 'object' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'mapping must be a jsonb object',
      HINT = 'As {"customer": "client", "amount": "net_amount"}: field to column.';
  END IF;
  IF (SELECT c.relkind NOT IN ('r', 'v', 'm', 'f', 'p') FROM pg_class AS c WHERE c.oid = relation) THEN
    RAISE wrong_object_type USING MESSAGE = format('%s is not a table or view', relation);
  END IF;
  EXECUTE format('SELECT coalesce($1, w.time_zone) FROM %s.workspace AS w', ws) INTO zone USING time_zone;
  PERFORM timestamptz '2000-01-01 00:00Z' AT TIME ZONE segmentation_internal.checked_time_zone(zone);
  IF mapping = '{}' THEN
    mapping := segmentation_internal.workspace_known_mapping(kind, relation);
  END IF;
  mapping := segmentation_internal.workspace_roll_up(ws, kind, relation, mapping);
  key := segmentation_internal.workspace_settle_key(workspace, kind, relation, mapping);
  whole := segmentation_internal.workspace_map(kind, relation, mapping, key);

  IF kind IN ('customers', 'companies', 'people', 'sites', 'products') THEN
    EXECUTE format('SELECT relation::text FROM %s.source WHERE kind = $1 AND relation <> $2', ws)
      INTO other USING kind, relation;
    IF other IS NOT NULL THEN
      RAISE duplicate_object USING
        MESSAGE = format('workspace %I already has a source of %s: %s', workspace, kind, other),
        HINT = 'Remove it, or make one view of both.';
    END IF;
  END IF;
  EXECUTE format($q$
    SELECT s.source, s.mapping, s.time_zone, s.capture FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2$q$, ws)
    INTO known USING kind, relation;
  EXECUTE format($q$
    INSERT INTO %s.source (kind, relation, mapping, time_zone)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, relation) DO UPDATE SET mapping = excluded.mapping, time_zone = excluded.time_zone$q$, ws)
    USING kind, relation, whole, zone;
  IF known.mapping IS DISTINCT FROM whole OR known.time_zone IS DISTINCT FROM zone THEN
    -- The triggers note the customers of the new column; and what is known of anybody was read in another way.
    IF known.capture = 'trigger' THEN
      PERFORM segmentation_internal.workspace_settle(ws, known.source, true);
    END IF;
    IF known.source IS NOT NULL THEN
      PERFORM segmentation_internal.workspace_queue_all(ws);
    END IF;
    PERFORM segmentation_internal.workspace_warn_source(ws, kind, relation, whole, zone);
  END IF;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION segmentation.add_source(text, text, regclass, jsonb, text) IS
  'Makes a relation a source of a workspace, or changes how it is read. kind: see workspace_field. mapping: field to '
  'column or SQL expression, for those not found by their usual names; null for a field that is not to be read; '
  '"where" for a filter, "join" for columns of other relations, as {"join": {"orders": "order_id"}}. Without a '
  'mapping, tables of known shops are read by their own rules: see suggest_sources. Returns the whole mapping. Every '
  'fault is named.';

CREATE FUNCTION segmentation.remove_source(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  capture text;
BEGIN
  EXECUTE format('SELECT capture FROM %s.source WHERE kind = $1 AND relation = $2', ws)
    INTO capture USING kind, relation;
  IF capture IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace);
  END IF;
  IF capture <> 'none' THEN
    PERFORM segmentation.stop_capture(workspace, kind, relation);
    PERFORM segmentation_internal.workspace_queue_all(ws);
  END IF;
  EXECUTE format('DELETE FROM %s.source WHERE kind = $1 AND relation = $2', ws) USING kind, relation;
END
$$;
COMMENT ON FUNCTION segmentation.remove_source(text, text, regclass) IS
  'Takes a source from a workspace. What came from it goes at the next refresh. A relation that was dropped is given '
  'by its number, as capture_status does.';
