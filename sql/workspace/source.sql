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

-- A key is text of any type whose text is the same in all sessions. Between other types only PostgreSQL's own casts count:
-- others are code of somebody's.
CREATE FUNCTION segmentation_internal.workspace_type_fits(type text, given regtype, key_type regtype) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE type
    WHEN 'text' THEN true
    WHEN 'key' THEN given = key_type OR EXISTS (
      SELECT FROM pg_cast AS c JOIN pg_type AS t ON t.oid = c.castsource
      WHERE c.castsource = given AND c.casttarget = key_type AND c.castcontext IN ('i', 'a') AND t.typnamespace = 'pg_catalog'::regnamespace)
      OR (key_type = 'text'::regtype AND EXISTS (
        SELECT FROM pg_type AS t WHERE t.oid = given AND NOT t.typcategory IN ('A', 'C', 'D', 'P', 'R', 'T')
          AND NOT t.oid = ANY ('{real,double precision,money,bytea}'::regtype[])))
    WHEN 'number' THEN given = ANY ('{smallint,integer,bigint,numeric,real,double precision,money}'::regtype[])
    WHEN 'boolean' THEN given = 'boolean'::regtype
    ELSE given = ANY ('{date,timestamp,timestamptz}'::regtype[])
  END;
COMMENT ON FUNCTION segmentation_internal.workspace_type_fits(text, regtype, regtype) IS 'Whether a column of a type can be a field of a type of workspace_field.';

CREATE FUNCTION segmentation_internal.workspace_key_sql(expression text, given regtype, key_type regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN given = key_type THEN expression
    WHEN EXISTS (SELECT FROM pg_type AS t WHERE t.oid = segmentation_internal.workspace_base_type(given) AND (t.typnamespace = 'pg_catalog'::regnamespace OR t.oid = key_type))
      THEN format('%s::%s', expression, key_type)
    -- By its output function: its owner may give it any cast.
    ELSE format('CASE WHEN %1$s IS NOT NULL THEN pg_catalog.format(''%%s'', %1$s) END::%2$s', expression, key_type) END;
COMMENT ON FUNCTION segmentation_internal.workspace_key_sql(text, regtype, regtype) IS 'Part of refresh: a column as the key of customers, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_key_narrows(given regtype, key_type regtype) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = segmentation_internal.workspace_base_type(given) AND c.casttarget = key_type AND c.castcontext <> 'i');
COMMENT ON FUNCTION segmentation_internal.workspace_key_narrows(regtype, regtype) IS 'Part of start_capture: whether values of a type may be out of the range of the key.';

CREATE FUNCTION segmentation_internal.workspace_customer_sql(alias text, relation regclass, customer text, key_type regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT segmentation_internal.workspace_key_sql(format('%s.%I', alias, a.attname), a.atttypid, key_type)
          FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = customer AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION segmentation_internal.workspace_customer_sql(text, regclass, text, regtype) IS 'Part of refresh: the customer of a relation as a key, as SQL.';

CREATE FUNCTION segmentation.add_source(workspace text, kind text, relation regclass, mapping jsonb DEFAULT '{}', time_zone text DEFAULT NULL)
RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  key regtype;
  zone text;
  faults text[] := '{}';
  whole jsonb := '{}';
  wanted record;
  col record;
  named text;
  held record;
BEGIN
  IF kind IS NULL OR relation IS NULL OR mapping IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'kind, relation and mapping must not be null';
  END IF;
  IF NOT EXISTS (SELECT FROM segmentation.workspace_field AS f WHERE f.kind = add_source.kind) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown kind of source "%s"', kind),
      HINT = (SELECT format('Kinds: %s.', string_agg(k.kind, ', ' ORDER BY k.kind)) FROM (SELECT DISTINCT f.kind FROM segmentation.workspace_field AS f) AS k);
  END IF;
  IF jsonb_typeof(mapping) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'mapping must be a jsonb object',
      HINT = 'As {"customer": "client", "amount": "net_amount"}: field to column.';
  END IF;
  IF (SELECT c.relkind NOT IN ('r', 'v', 'm', 'f', 'p') FROM pg_class AS c WHERE c.oid = relation) THEN
    RAISE wrong_object_type USING MESSAGE = format('%s is not a table or view', relation);
  END IF;
  EXECUTE format('SELECT key_type::regtype, coalesce($1, time_zone) FROM %s.workspace', ws) INTO key, zone USING time_zone;
  PERFORM timestamptz '2000-01-01 00:00Z' AT TIME ZONE zone;

  SELECT array_agg(format('there is no field "%s" in %s', m.key, kind) ORDER BY m.key) INTO faults
  FROM jsonb_object_keys(mapping) AS m (key)
  WHERE NOT EXISTS (SELECT FROM segmentation.workspace_field AS f WHERE f.kind = add_source.kind AND f.field = m.key);
  faults := coalesce(faults, '{}');

  FOR wanted IN SELECT f.* FROM segmentation.workspace_field AS f WHERE f.kind = add_source.kind ORDER BY f.place LOOP
    named := NULL;
    IF mapping ? wanted.field THEN
      IF jsonb_typeof(mapping -> wanted.field) = 'null' AND NOT wanted.required THEN
        CONTINUE;  -- said not to be there
      ELSIF jsonb_typeof(mapping -> wanted.field) <> 'string' THEN
        faults := faults || format('the column of "%s" must be a text', wanted.field);
        CONTINUE;
      END IF;
      named := mapping ->> wanted.field;
    ELSE
      SELECT c.name INTO named FROM unnest(wanted.columns) WITH ORDINALITY AS c (name, place)
      WHERE EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
      ORDER BY c.place LIMIT 1;
      IF named IS NULL THEN
        IF wanted.required THEN
          faults := faults || format('no column for "%s" (%s)', wanted.field, rtrim(wanted.about, '.'));
        END IF;
        CONTINUE;
      END IF;
    END IF;
    SELECT a.attname, segmentation_internal.workspace_base_type(a.atttypid) AS type INTO col FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = named AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
      faults := faults || format('%s has no column "%s" (for "%s")', relation, named, wanted.field);
    ELSIF NOT segmentation_internal.workspace_type_fits(wanted.type, col.type, key) THEN
      faults := faults || format('column "%s" for "%s" has type %s, not %s', named, wanted.field, col.type,
        CASE wanted.type WHEN 'key' THEN format('%s, the key type of the workspace', key) WHEN 'number' THEN 'a number'
          WHEN 'boolean' THEN 'boolean' ELSE 'date, timestamp or timestamptz' END);
    ELSIF NOT has_column_privilege(relation, named, 'SELECT') THEN
      faults := faults || format('no right to read column "%s" of %s', named, relation);
    ELSE
      whole := whole || jsonb_build_object(wanted.field, named);
    END IF;
  END LOOP;
  IF faults <> '{}' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('%s cannot be a source of %s', relation, kind),
      DETAIL = array_to_string(faults, E'\n'),
      HINT = 'Give a mapping from fields to columns; fields are listed in segmentation.workspace_field. What is not a column can be made one by a view.';
  END IF;
  IF kind IN ('customers', 'companies', 'products') THEN
    EXECUTE format('SELECT relation::text FROM %s.source WHERE kind = $1 AND relation <> $2', ws) INTO named USING kind, relation;
    IF named IS NOT NULL THEN
      RAISE duplicate_object USING
        MESSAGE = format('workspace %I already has a source of %s: %s', workspace, kind, named),
        HINT = 'Remove it, or make one view of both.';
    END IF;
  END IF;
  EXECUTE format('SELECT s.source, s.mapping, s.time_zone, s.capture, s.watermark_column FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws)
    INTO held USING kind, relation;
  EXECUTE format(
    'INSERT INTO %s.source (kind, relation, mapping, time_zone) VALUES ($1, $2, $3, $4)
     ON CONFLICT (kind, relation) DO UPDATE SET mapping = excluded.mapping, time_zone = excluded.time_zone', ws)
    USING kind, relation, whole, zone;
  IF held.mapping IS DISTINCT FROM whole OR held.time_zone IS DISTINCT FROM zone THEN
    -- The triggers note the customers of the new column; and what is known of anybody was read in another way.
    IF held.capture = 'trigger' THEN
      PERFORM segmentation_internal.workspace_settle(ws, held.source, true);
    END IF;
    IF held.source IS NOT NULL THEN
      PERFORM segmentation_internal.workspace_queue_all(ws);
    END IF;
  END IF;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION segmentation.add_source(text, text, regclass, jsonb, text) IS
  'Makes a relation a source of a workspace, or changes how it is read. kind: see workspace_field. mapping: field to column, for those not found by their usual names; null for a field that is not to be read. Returns the whole mapping. Every fault is named.';

CREATE FUNCTION segmentation.remove_source(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  capture text;
BEGIN
  EXECUTE format('SELECT capture FROM %s.source WHERE kind = $1 AND relation = $2', ws) INTO capture USING kind, relation;
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
  'Takes a source from a workspace. What came from it goes at the next refresh. A relation that was dropped is given by its number, as capture_status does.';
