-- Mappings that are more than columns: expressions, a filter, columns of joined relations. A source without any of
-- these is read from its relation as it is; one with them from a subquery that has a column for each field.
--
-- In a mapping a field is the name of a column ("amount"), one of a joined relation ("orders.customer_id"), or
-- {"sql": "quantity * unit_price"}. "where" is the filter; "join" a list of {"as", "relation", "on"}, in the order of
-- joining; "as" the alias of the source's own relation. What is given to add_source may be shorter: see workspace_map.

-- What an expression is, by PostgreSQL's parser: {"type": oid, "relations": [alias]}; or an error. See
-- src/pg/expression.rs.
CREATE FUNCTION segmentation_internal.workspace_expression(expression text, relations text) RETURNS jsonb
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'workspace_expression_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_expression(text, text) IS
  'Part of add_source: the type of an SQL expression over relations (the content of FROM) and the aliases that it '
  'uses; an error if it is not one expression, or need not give the same for the same row.';

CREATE FUNCTION segmentation_internal.workspace_computed(mapping jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN mapping ?| '{where,join,as}'
    OR EXISTS (SELECT FROM jsonb_each(mapping) AS m WHERE jsonb_typeof(m.value) = 'object');
COMMENT ON FUNCTION segmentation_internal.workspace_computed(jsonb) IS
  'Whether a mapping has expressions, a filter or joins.';

CREATE FUNCTION segmentation_internal.workspace_column_type(relation regclass, name text) RETURNS regtype
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT a.atttypid FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION segmentation_internal.workspace_column_type(regclass, text) IS
  'The type of a column of a relation; NULL if there is none.';

-- The relations of a source: its own, then those that are joined. relation is NULL where one is gone.
CREATE FUNCTION segmentation_internal.workspace_relations(relation regclass, mapping jsonb)
RETURNS TABLE (place integer, alias text, joined regclass, name text, columns jsonb)
  LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 0, coalesce(mapping ->> 'as', c.relname), relation, relation::text, NULL::jsonb
  FROM pg_class AS c WHERE c.oid = relation
  UNION ALL
  SELECT j.place::integer, j.item ->> 'as', to_regclass(j.item ->> 'relation'), j.item ->> 'relation', j.item -> 'on'
  FROM jsonb_array_elements(mapping -> 'join') WITH ORDINALITY AS j (item, place)
  ORDER BY 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_relations(regclass, jsonb) IS
  'Part of refresh: the relations of a source by alias: its own (place 0) and those that are joined, with the columns '
  'that they are joined by.';

-- The column of a mapping as SQL: of the source's own relation, or with the alias of another before it.
CREATE FUNCTION segmentation_internal.workspace_column_sql(
  given text, relation regclass, mapping jsonb, OUT sql text, OUT type regtype, OUT joined regclass,
  OUT column_name text
)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('%I.%I', r.alias, a.attname), a.atttypid::regtype, r.joined, a.attname::text
  FROM segmentation_internal.workspace_relations(relation, mapping) AS r
  JOIN pg_attribute AS a ON a.attrelid = r.joined AND a.attnum > 0 AND NOT a.attisdropped
    AND (r.place = 0 AND a.attname = given
      OR starts_with(given, r.alias || '.') AND a.attname = substr(given, length(r.alias) + 2))
  ORDER BY r.place, a.attname = given DESC LIMIT 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_column_sql(text, regclass, jsonb) IS
  'Part of refresh: a column that a mapping names, as SQL, with its type and relation; NULL if there is none.';

-- The relations of a source joined, for FROM. Rows of the source are never left out: what is joined may be missing.
-- With changed, the relation of that place is read from rows in its stead (those of a trigger), and must be there.
CREATE FUNCTION segmentation_internal.workspace_from(
  relation regclass, mapping jsonb, changed integer DEFAULT NULL, rows text DEFAULT NULL
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part record;
  conditions text;
  lost text;
  whole text := '';
BEGIN
  FOR part IN SELECT * FROM segmentation_internal.workspace_relations(relation, mapping) AS r ORDER BY r.place LOOP
    IF part.joined IS NULL THEN
      RAISE undefined_table USING
        MESSAGE = format('source %s joins %s, which is not there', relation, part.name),
        HINT = 'Call add_source again with a new mapping, or remove_source.';
    END IF;
    SELECT string_agg(format('%s = %I.%I', l.sql, part.alias, o.value), ' AND ' ORDER BY o.key),
        min(o.key) FILTER (WHERE l.sql IS NULL)
      INTO conditions, lost
    FROM jsonb_each_text(part.columns) AS o
    CROSS JOIN LATERAL segmentation_internal.workspace_column_sql(o.key, relation, mapping) AS l;
    IF lost IS NOT NULL THEN
      RAISE undefined_column USING
        MESSAGE = format('source %s has lost its column "%s" (to join %s)', relation, lost, part.name),
        HINT = 'Call add_source again with a new mapping, or remove_source.';
    END IF;
    whole := concat(whole,
      CASE WHEN part.place = 0 THEN '' WHEN part.place = changed THEN ' JOIN ' ELSE ' LEFT JOIN ' END,
      format('%s AS %I', CASE WHEN part.place = changed THEN rows ELSE part.joined::text END, part.alias),
      ' ON ' || conditions);
  END LOOP;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_from(regclass, jsonb, integer, text) IS
  'Part of refresh: the relations of a source, joined, as the content of FROM.';

-- A field, or the filter, as SQL over the relations of a source; NULL if its column is gone.
CREATE FUNCTION segmentation_internal.workspace_given_sql(value jsonb, relation regclass, mapping jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE jsonb_typeof(value)
    -- On a line of its own: a comment at its end must not reach what follows.
    WHEN 'object' THEN format(E'(%s\n)', value ->> 'sql')
    ELSE (SELECT c.sql FROM segmentation_internal.workspace_column_sql(value #>> '{}', relation, mapping) AS c) END;
COMMENT ON FUNCTION segmentation_internal.workspace_given_sql(jsonb, regclass, jsonb) IS
  'Part of refresh: what a mapping gives for a field, as SQL.';

-- In words, for messages.
CREATE FUNCTION segmentation_internal.workspace_given_words(value jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE jsonb_typeof(value) WHEN 'object' THEN value ->> 'sql' ELSE format('column "%s"', value #>> '{}') END;
COMMENT ON FUNCTION segmentation_internal.workspace_given_words(jsonb) IS
  'What a mapping gives for a field, in words.';

-- The fields that a source gives, each with its name and type in what workspace_read makes; or an error that names
-- source and field. With wanted, that field alone.
CREATE FUNCTION segmentation_internal.workspace_given(
  kind text, relation regclass, mapping jsonb, wanted text DEFAULT NULL
) RETURNS TABLE (field text, name text, type regtype, relations text[])
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given record;
  computed constant boolean := segmentation_internal.workspace_computed(mapping);
  whole constant text := CASE WHEN computed THEN segmentation_internal.workspace_from(relation, mapping) END;
  sql text;
  found jsonb;
  state text; message text; detail text; hint text;
BEGIN
  FOR given IN
    SELECT f.field AS key, mapping -> f.field AS value, f.place
    FROM segmentation.workspace_field AS f
    WHERE f.kind = workspace_given.kind AND mapping ? f.field AND f.field = coalesce(wanted, f.field)
    UNION ALL
    SELECT 'where', jsonb_build_object('sql', mapping -> 'where'), 1000 WHERE mapping ? 'where' AND wanted IS NULL
    ORDER BY 3
  LOOP
    field := given.key;
    IF computed THEN
      sql := segmentation_internal.workspace_given_sql(given.value, relation, mapping);
    ELSE
      name := given.value #>> '{}';
      type := segmentation_internal.workspace_column_type(relation, name);
    END IF;
    IF (CASE WHEN computed THEN sql IS NULL ELSE type IS NULL END) THEN
      RAISE undefined_column USING
        MESSAGE = format('source %s of %s has lost its column "%s" (for "%s")',
          relation, kind, given.value #>> '{}', field),
        HINT = 'Call add_source again with a new mapping, or remove_source.';
    END IF;
    IF NOT computed THEN
      RETURN NEXT;
      CONTINUE;
    END IF;
    BEGIN
      found := segmentation_internal.workspace_expression(coalesce(given.value ->> 'sql', sql), whole);
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
      RAISE EXCEPTION USING ERRCODE = state,
        MESSAGE = format('source %s of %s, field "%s" (%s): %s', relation, kind, field,
          segmentation_internal.workspace_given_words(given.value), message),
        DETAIL = detail,
        HINT = concat_ws(' ', NULLIF(hint, ''), 'Call add_source again with a new mapping, or remove_source.');
    END;
    CONTINUE WHEN field = 'where';
    name := given.key;
    type := ((found ->> 'type')::oid)::regtype;
    relations := ARRAY(SELECT r FROM jsonb_array_elements_text(found -> 'relations') AS r);
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_given(text, regclass, jsonb, text) IS
  'Part of refresh: the fields that a source gives, with name and type as they are read, and the aliases of the '
  'relations that they are computed from; or an error that names source and field.';

-- What a source is read from: its relation, or a subquery with a column a field. Of customers and companies all columns
-- become attributes, those of its own relation before those of others.
CREATE FUNCTION segmentation_internal.workspace_read(
  kind text, relation regclass, mapping jsonb, filtered boolean DEFAULT true
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN NOT segmentation_internal.workspace_computed(mapping) THEN relation::text
    ELSE segmentation_internal.fill(NULL, '(SELECT @(columns)@ FROM @(relations)@@(where)@)', jsonb_build_object(
      'columns', (
        SELECT concat_ws(', ', string_agg(format('%s AS %I',
            segmentation_internal.workspace_given_sql(m.value, relation, mapping), m.key), ', ' ORDER BY m.key),
          CASE WHEN kind IN ('customers', 'companies') THEN (
            SELECT format('(%s) - %L::text AS attributes',
              string_agg(format('coalesce(to_jsonb(%I.*), ''{}'')', r.alias), ' || ' ORDER BY r.place DESC),
              (SELECT coalesce(c.column_name, '')
               FROM segmentation_internal.workspace_column_sql(mapping ->> 'customer', relation, mapping) AS c))
            FROM segmentation_internal.workspace_relations(relation, mapping) AS r) END)
        FROM jsonb_each(mapping - '{where,join,as}'::text[]) AS m),
      'relations', segmentation_internal.workspace_from(relation, mapping),
      'where', CASE WHEN filtered AND mapping ? 'where'
        THEN ' WHERE ' || segmentation_internal.workspace_given_sql(
          jsonb_build_object('sql', mapping -> 'where'), relation, mapping)
        WHEN mapping ? 'where'
        THEN format(E' WHERE (%s\n) IS NOT TRUE', mapping ->> 'where') ELSE '' END)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_read(text, regclass, jsonb, boolean) IS
  'Part of refresh: what a source is read from, as SQL; with filtered false, the rows that its filter leaves out.';

-- The customers of a source as keys, whatever its filter says.
CREATE FUNCTION segmentation_internal.workspace_customers_sql(
  kind text, relation regclass, mapping jsonb, key regtype, watermark name DEFAULT NULL
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given record;
  main text;
BEGIN
  SELECT g.type INTO given FROM segmentation_internal.workspace_given(kind, relation, mapping, 'customer') AS g;
  SELECT r.alias INTO main FROM segmentation_internal.workspace_relations(relation, mapping) AS r WHERE r.place = 0;
  RETURN segmentation_internal.fill(NULL, $q$(
    SELECT @(key)@ AS customer@(watermark)@
    FROM (SELECT @(customer)@ AS customer@(column)@ FROM @(relations)@) AS r
    WHERE r.customer IS NOT NULL)$q$,
    jsonb_build_object(
      'customer', segmentation_internal.workspace_given_sql(mapping -> 'customer', relation, mapping),
      'relations', segmentation_internal.workspace_from(relation, mapping),
      'key', segmentation_internal.workspace_key_sql('r.customer', given.type, key),
      'watermark', CASE WHEN watermark IS NULL THEN '' ELSE ', r.watermark' END,
      'column', CASE WHEN watermark IS NULL THEN '' ELSE format(', %I.%I AS watermark', main, watermark) END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_customers_sql(text, regclass, jsonb, regtype, name) IS
  'Part of refresh_changed and erase_customer: the keys of the customers of a source, as SQL.';

-- Joins that give a row once

-- Whether what is joined has at most one row for a row of the source, by a unique index.
CREATE FUNCTION segmentation_internal.workspace_joins_once(joined regclass, columns jsonb) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = joined AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (
        SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS k (attnum)
        JOIN pg_attribute AS a ON a.attrelid = joined AND a.attnum = k.attnum
        WHERE NOT a.attname IN (SELECT o.value FROM jsonb_each_text(columns) AS o)));
COMMENT ON FUNCTION segmentation_internal.workspace_joins_once(regclass, jsonb) IS
  'Part of add_source: whether a unique index says that a join finds one row at most.';

-- A join that finds several rows would count an amount several times.
CREATE FUNCTION segmentation_internal.workspace_join_fault(relation regclass, mapping jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part record;
  twice record;
BEGIN
  FOR part IN
    SELECT r.* FROM segmentation_internal.workspace_relations(relation, mapping) AS r
    WHERE r.place > 0 AND NOT segmentation_internal.workspace_joins_once(r.joined, r.columns)
  LOOP
    EXECUTE (
      SELECT segmentation_internal.fill(NULL, $q$
        SELECT concat_ws(', ', @(columns)@) AS value, count(*) AS rows
        FROM @(joined)@ AS r WHERE @(given)@ GROUP BY @(columns)@ HAVING count(*) > 1 LIMIT 1$q$,
        jsonb_build_object('joined', part.joined,
          'columns', string_agg(format('r.%I', o.value), ', ' ORDER BY o.key),
          'given', string_agg(format('r.%I IS NOT NULL', o.value), ' AND ')))
      FROM jsonb_each_text(part.columns) AS o)
      INTO twice;
    IF twice.rows IS NOT NULL THEN
      RETURN (
        SELECT format('%s has %s rows with %s = %s: each row of %s would be counted several times',
          part.joined, twice.rows, string_agg(o.value, ', ' ORDER BY o.key), twice.value, relation)
        FROM jsonb_each_text(part.columns) AS o);
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_join_fault(regclass, jsonb) IS
  'Part of add_source and refresh: a join that finds several rows for one, in words; NULL if none does.';

CREATE FUNCTION segmentation_internal.workspace_refuse_multiplied(ws text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
  fault text;
BEGIN
  FOR s IN EXECUTE format($q$
    SELECT s.kind, s.relation, s.mapping FROM %s.source AS s WHERE s.mapping ? 'join' ORDER BY s.source$q$, ws)
  LOOP
    -- What is gone is for the reading to tell.
    CONTINUE WHEN EXISTS (
      SELECT FROM segmentation_internal.workspace_relations(s.relation, s.mapping) AS r WHERE r.joined IS NULL);
    fault := segmentation_internal.workspace_join_fault(s.relation, s.mapping);
    IF fault IS NOT NULL THEN
      RAISE cardinality_violation USING
        MESSAGE = format('source %s of %s: %s', s.relation, s.kind, fault),
        HINT = 'Join by columns that tell its rows apart; a unique index on them keeps it so.';
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_multiplied(text) IS
  'Part of refresh: an error if a join of a source finds several rows for one.';

-- The mapping that add_source is given

-- The relation that a join names: as it is written, or by the rules of SQL, in the schema of the source.
CREATE FUNCTION segmentation_internal.workspace_join_relation(given text, relation regclass) RETURNS regclass
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  schema text := (
    SELECT quote_ident(n.nspname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relation);
  parts text[];
BEGIN
  parts := parse_ident(given);
  RETURN coalesce(to_regclass(format('%s.%I', schema, given)),
    CASE cardinality(parts) WHEN 1 THEN to_regclass(format('%s.%I', schema, parts[1]))
      WHEN 2 THEN to_regclass(format('%I.%I', parts[1], parts[2])) END);
EXCEPTION WHEN invalid_parameter_value THEN  -- no name by the rules of SQL
  RETURN to_regclass(format('%s.%I', schema, given));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_join_relation(text, regclass) IS
  'Part of add_source: the relation that a join names; NULL if there is none.';

-- Columns to join by, however they are given: "order_id", ["shop_id", "order_id"], {"order_id": "id"}.
CREATE FUNCTION segmentation_internal.workspace_join_columns(given jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE jsonb_typeof(given)
    WHEN 'string' THEN jsonb_build_object(given #>> '{}', given)
    WHEN 'array' THEN CASE WHEN NOT jsonb_path_exists(given, '$[*] ? (@.type() != "string")') THEN (
      SELECT jsonb_object_agg(c.value #>> '{}', c.value) FROM jsonb_array_elements(given) AS c) END
    WHEN 'object' THEN CASE WHEN NOT jsonb_path_exists(given, '$.* ? (@.type() != "string")')
      THEN NULLIF(given, '{}') END
    END;
COMMENT ON FUNCTION segmentation_internal.workspace_join_columns(jsonb) IS
  'Part of add_source: the columns of a join, left to right; NULL if they are not given so.';

-- The joins in the short forms, one a row: {"orders": "order_id"}, {"orders": {"order_id": "id"}},
-- {"o": {"relation": "shop.orders", "on": ...}}, or the list that is stored.
CREATE FUNCTION segmentation_internal.workspace_join_list(given jsonb, relation regclass)
RETURNS TABLE (place bigint, alias text, name text, joined regclass, columns jsonb)
  LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.place, coalesce(l.alias, c.relname, l.name), l.name, c.oid::regclass,
    segmentation_internal.workspace_join_columns(l.columns)
  FROM (
    SELECT j.place, j.item ->> 'as' AS alias, j.item ->> 'relation' AS name, j.item -> 'on' AS columns
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(given) = 'array' THEN given ELSE '[]' END)
      WITH ORDINALITY AS j (item, place)
    UNION ALL
    SELECT j.place, CASE WHEN j.value ? 'relation' THEN j.key END,
      coalesce(CASE WHEN j.value ? 'on' THEN j.value ->> 'relation' END, j.key),
      CASE WHEN jsonb_typeof(j.value) = 'object' AND j.value ? 'on' THEN j.value -> 'on' ELSE j.value END
    FROM jsonb_each(CASE WHEN jsonb_typeof(given) = 'object' THEN given ELSE '{}' END)
      WITH ORDINALITY AS j (key, value, place)) AS l
  LEFT JOIN pg_class AS c ON c.oid = segmentation_internal.workspace_join_relation(l.name, relation)
    AND c.relkind IN ('r', 'v', 'm', 'f', 'p');
END;
COMMENT ON FUNCTION segmentation_internal.workspace_join_list(jsonb, regclass) IS
  'Part of add_source: the joins of a mapping as they are given, one a row.';

-- A column that is named for a field: of the source's own relation, with an alias before it, or the only one of that
-- name among those that are joined. Returns it as it is stored.
CREATE FUNCTION segmentation_internal.workspace_find_column(given text, relation regclass, mapping jsonb) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN (SELECT c.sql FROM segmentation_internal.workspace_column_sql(given, relation, mapping) AS c) IS NOT NULL
      THEN ARRAY[given]
    ELSE ARRAY(
      SELECT format('%s.%s', r.alias, given)
      FROM segmentation_internal.workspace_relations(relation, mapping) AS r
      WHERE r.place > 0 AND segmentation_internal.workspace_column_type(r.joined, given) IS NOT NULL
      ORDER BY r.place) END;
COMMENT ON FUNCTION segmentation_internal.workspace_find_column(text, regclass, jsonb) IS
  'Part of add_source: the columns that a name could mean, as they are stored; several are ambiguous.';

-- Joins as they are stored, in an order in which each finds its columns; or what is wrong with them.
CREATE FUNCTION segmentation_internal.workspace_map_joins(
  relation regclass, given jsonb, main text, OUT joins jsonb, OUT faults text[]
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part record;
  sides jsonb;
  lost text;
  placed text[] := ARRAY[main];
  moved boolean := true;
BEGIN
  joins := '[]';
  faults := ARRAY(
    SELECT CASE
      WHEN j.name IS NULL OR j.columns IS NULL THEN format('"join" of %s must be a column, columns, or an object from '
        'columns to columns, as {"orders": {"order_id": "id"}}', coalesce(j.name, 'something without a name'))
      WHEN j.joined IS NULL THEN format('no relation "%s" to join%s', j.name, (
        SELECT ' in the schema of the source; there is ' || string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid)
        FROM pg_class AS c WHERE c.relname = j.name AND c.relkind IN ('r', 'v', 'm', 'f', 'p')))
      WHEN j.alias = main OR 1 < count(*) OVER (PARTITION BY j.alias)
        THEN format('two relations are called "%s": give one another name, as {"other": {"relation": "%s", "on": ...}}',
          j.alias, j.name) END
    FROM segmentation_internal.workspace_join_list(given, relation) AS j ORDER BY j.place);
  faults := array_remove(faults, NULL);
  IF jsonb_typeof(given) NOT IN ('object', 'array') THEN
    faults := faults || '"join" must go from relations to columns, as {"orders": "order_id"}'::text;
  END IF;
  IF faults <> '{}' THEN
    RETURN;
  END IF;
  WHILE moved LOOP
    moved := false;
    FOR part IN
      SELECT j.* FROM segmentation_internal.workspace_join_list(given, relation) AS j
      WHERE NOT j.alias = ANY (placed) ORDER BY j.place
    LOOP
      SELECT jsonb_object_agg(coalesce(c.names[1], o.key), o.value),
          string_agg(DISTINCT CASE
            WHEN segmentation_internal.workspace_column_type(part.joined, o.value) IS NULL
              THEN format('%s has no column "%s" to join by', part.joined, o.value)
            WHEN cardinality(c.names) = 0 THEN format('no column "%s" to join %s by', o.key, part.joined)
            WHEN cardinality(c.names) > 1 THEN format('"%s" to join %s by is ambiguous: say %s', o.key, part.joined,
              array_to_string(c.names, ' or ')) END, E'\n')
        INTO sides, lost
      FROM jsonb_each_text(part.columns) AS o
      CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_find_column(o.key, relation,
        jsonb_build_object('as', main, 'join', joins))) AS c (names);
      IF lost IS NULL THEN
        moved := true;
        placed := placed || part.alias;
        joins := joins || jsonb_build_object('as', part.alias, 'on', sides, 'relation', (
          SELECT format('%I.%I', n.nspname, c.relname)
          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = part.joined));
      ELSE
        faults := faults || lost;
      END IF;
    END LOOP;
    EXIT WHEN faults = '{}';
    IF moved THEN
      faults := '{}';
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_map_joins(regclass, jsonb, text) IS
  'Part of add_source: the joins of a mapping as they are stored, or what is wrong with them.';

-- What of a mapping is more than columns, in words: for workspace_check.
CREATE FUNCTION segmentation_internal.workspace_mapping_words(mapping jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN NULLIF(concat_ws('; ',
    (SELECT string_agg(format('%s: %s', m.key, m.value ->> 'sql'), '; ' ORDER BY m.key)
     FROM jsonb_each(mapping) AS m WHERE jsonb_typeof(m.value) = 'object'),
    'only where ' || (mapping ->> 'where'),
    (SELECT string_agg(format('joined: %s by %s', j.item ->> 'relation', (
       SELECT string_agg(DISTINCT o.value, ', ') FROM jsonb_each_text(j.item -> 'on') AS o)), '; ' ORDER BY j.place)
     FROM jsonb_array_elements(mapping -> 'join') WITH ORDINALITY AS j (item, place))), '');
COMMENT ON FUNCTION segmentation_internal.workspace_mapping_words(jsonb) IS
  'Part of workspace_check: the expressions, the filter and the joins of a mapping, in words.';
