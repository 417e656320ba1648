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

CREATE FUNCTION segmentation_internal.workspace_customer_sql(
  alias text, relation regclass, customer text, key_type regtype
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.workspace_key_sql(format('%s.%I', alias, a.attname), a.atttypid, key_type)
    FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = customer AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION segmentation_internal.workspace_customer_sql(text, regclass, text, regtype) IS
  'Part of refresh: the customer of a relation as a key, as SQL.';

-- The column of a relation that a field is read from: the one that the mapping names, else one of the usual names.
-- fault says why there is none; none and no fault is a field that is not given.
CREATE FUNCTION segmentation_internal.workspace_map_field(
  field segmentation.workspace_field, relation regclass, mapping jsonb, key regtype,
  OUT column_name text, OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text;
  given regtype;
BEGIN
  IF mapping ? field.field THEN
    IF jsonb_typeof(mapping -> field.field) = 'null' AND NOT field.required THEN
      RETURN;  -- said not to be there
    ELSIF jsonb_typeof(mapping -> field.field) <> 'string' THEN
      fault := format('the column of "%s" must be a text', field.field);
      RETURN;
    END IF;
    named := mapping ->> field.field;
  ELSE
    SELECT c.name INTO named
    FROM unnest(field.columns) WITH ORDINALITY AS c (name, place)
    WHERE EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
    ORDER BY c.place LIMIT 1;
    IF named IS NULL THEN
      IF field.required THEN
        fault := format('no column for "%s" (%s)', field.field, rtrim(field.about, '.'));
      END IF;
      RETURN;
    END IF;
  END IF;
  SELECT segmentation_internal.workspace_base_type(a.atttypid) INTO given
  FROM pg_attribute AS a
  WHERE a.attrelid = relation AND a.attname = named AND a.attnum > 0 AND NOT a.attisdropped;
  IF NOT FOUND THEN
    fault := format('%s has no column "%s" (for "%s")', relation, named, field.field);
  ELSIF NOT segmentation_internal.workspace_type_fits(field.type, given, key) THEN
    fault := format('column "%s" for "%s" has type %s, not %s', named, field.field, given,
      CASE field.type WHEN 'key' THEN format('%s, the key type of the workspace', key) WHEN 'number' THEN 'a number'
        WHEN 'boolean' THEN 'boolean' ELSE 'date, timestamp or timestamptz' END);
  ELSIF NOT has_column_privilege(relation, named, 'SELECT') THEN
    fault := format('no right to read column "%s" of %s', named, relation);
  ELSE
    column_name := named;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map_field(
  segmentation.workspace_field, regclass, jsonb, regtype
) IS
  'Part of add_source: the column of a relation that a field is read from, or what is wrong.';

-- The whole mapping of a source, or an error that names every fault.
CREATE FUNCTION segmentation_internal.workspace_map(
  kind text, relation regclass, mapping jsonb, key regtype
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  whole jsonb;
  faults text;
BEGIN
  SELECT
      coalesce(jsonb_object_agg(m.field, m.column_name) FILTER (WHERE m.column_name IS NOT NULL), '{}'),
      string_agg(m.fault, E'\n' ORDER BY m.place, m.field)
    INTO whole, faults
  FROM (
    SELECT 0 AS place, g.field, NULL AS column_name, format('there is no field "%s" in %s', g.field, kind) AS fault
    FROM jsonb_object_keys(mapping) AS g (field)
    WHERE NOT EXISTS (
      SELECT FROM segmentation.workspace_field AS f WHERE f.kind = workspace_map.kind AND f.field = g.field)
    UNION ALL
    SELECT f.place, f.field, c.column_name, c.fault
    FROM segmentation.workspace_field AS f
    CROSS JOIN LATERAL segmentation_internal.workspace_map_field(f, relation, mapping, key) AS c
    WHERE f.kind = workspace_map.kind) AS m;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('%s cannot be a source of %s', relation, kind),
      DETAIL = faults,
      HINT = 'Give a mapping from fields to columns; fields are listed in segmentation.workspace_field. What is not a '
        'column can be made one by a view.';
  END IF;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map(text, regclass, jsonb, regtype) IS
  'Part of add_source: field to column for a source, or an error that names every fault.';

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
  EXECUTE format('SELECT key_type::regtype, coalesce($1, time_zone) FROM %s.workspace', ws)
    INTO key, zone USING time_zone;
  PERFORM timestamptz '2000-01-01 00:00Z' AT TIME ZONE segmentation_internal.checked_time_zone(zone);
  whole := segmentation_internal.workspace_map(kind, relation, mapping, key);

  IF kind IN ('customers', 'companies', 'products') THEN
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
  END IF;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION segmentation.add_source(text, text, regclass, jsonb, text) IS
  'Makes a relation a source of a workspace, or changes how it is read. kind: see workspace_field. mapping: field to '
  'column, for those not found by their usual names; null for a field that is not to be read. Returns the whole '
  'mapping. Every fault is named.';

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
