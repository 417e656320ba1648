-- Capture: changes of the sources come into a queue, by triggers or by a watermark.

-- The relations that a source's triggers belong on: the table, and its partitions and children by inheritance at every
-- level, since a statement on one of these fires only its own triggers. Parents first: in this order everybody locks.
CREATE FUNCTION segmentation_internal.workspace_members(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE member AS (
    SELECT relation::oid AS relid, 0 AS depth
    UNION
    SELECT i.inhrelid, m.depth + 1
    FROM member AS m JOIN pg_inherits AS i ON i.inhparent = m.relid
    WHERE NOT i.inhdetachpending)
  SELECT m.relid::regclass
  FROM member AS m JOIN pg_class AS c ON c.oid = m.relid
  WHERE c.relkind IN ('r', 'p')
  GROUP BY m.relid ORDER BY min(m.depth), m.relid;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_members(regclass) IS
  'Part of start_capture: a table with its partitions and its children by inheritance, at every level.';

-- Of a thousand partitions not every name is said.
CREATE FUNCTION segmentation_internal.workspace_some(names text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN concat(array_to_string(names[1:5], ', '),
    CASE WHEN cardinality(names) > 5 THEN format(' and %s more', cardinality(names) - 5) END);
COMMENT ON FUNCTION segmentation_internal.workspace_some(text[]) IS
  'Part of capture_status: the first names of a list, and how many more there are.';

-- With a foreign table below it a table cannot have our triggers: every write that comes to that one would fail, since
-- no transition rows come from there. Nor can a table whose rows lie on other servers.
CREATE FUNCTION segmentation_internal.workspace_uncapturable(relation regclass) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  below oid[];
  away text[];
  distributed regclass;
BEGIN
  WITH RECURSIVE member AS (
    SELECT relation::oid AS relid
    UNION
    SELECT i.inhrelid FROM member AS m JOIN pg_inherits AS i ON i.inhparent = m.relid)
  SELECT array_agg(m.relid),
      array_agg(c.oid::regclass::text ORDER BY c.oid) FILTER (WHERE c.relkind = 'f' AND c.oid <> relation)
    INTO below, away
  FROM member AS m JOIN pg_class AS c ON c.oid = m.relid;
  IF cardinality(away) = 1 THEN
    RETURN format('foreign table %s belongs to it', away[1]);
  ELSIF cardinality(away) > 1 THEN
    RETURN format('%s foreign tables belong to it: %s', cardinality(away), segmentation_internal.workspace_some(away));
  END IF;
  IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
    EXECUTE 'SELECT d.logicalrelid FROM pg_catalog.pg_dist_partition AS d
      WHERE d.logicalrelid = ANY ($1) ORDER BY d.logicalrelid <> $2, d.logicalrelid::oid LIMIT 1'
      INTO distributed USING below, relation;
  END IF;
  RETURN CASE
    WHEN distributed = relation THEN 'it is distributed: its rows are on other servers'
    WHEN distributed IS NOT NULL
      THEN format('its part %s is distributed: its rows are on other servers', distributed) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_uncapturable(regclass) IS
  'Part of start_capture: why a table cannot have triggers that see changed rows, though it is one; NULL if it can.';

-- A view as a source

-- What a view is made of, by PostgreSQL's own tree of its query: {"tables": [[alias, oid]], "equal": [[[table, column],
-- [table, column]]], "optional": [table], "columns": {column of the view: [table, column]}}, tables by their place from
-- 0, optional those of outer joins; or {"fault": ...}.
-- See src/pg/view.rs.
CREATE FUNCTION segmentation_internal.workspace_view(relation oid) RETURNS jsonb
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'workspace_view_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_view(oid) IS
  'Part of start_capture: the tables of a view, the columns that they are joined by, and which of its columns are '
  'columns of theirs; or why triggers on its tables could not tell whose rows of it change.';

-- The tables of a view joined to one of them, as a mapping has it: each by columns that are equal to some of a table
-- before it. NULL if there is one that is not.
CREATE FUNCTION segmentation_internal.workspace_view_joins(view jsonb, main integer) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  joins jsonb := '[]';
  placed integer[] := ARRAY[main];
  part record;
BEGIN
  LOOP
    SELECT q.table, jsonb_object_agg(q.left_column, q.column) AS columns INTO part
    FROM (
      SELECT (e.item #>> '{1,0}')::integer AS table,
        concat(view -> 'tables' -> (e.item #>> '{0,0}')::integer ->> 0, '.', e.item #>> '{0,1}') AS left_column,
        e.item #>> '{1,1}' AS column
      FROM jsonb_array_elements(view -> 'equal') AS e (item)
      WHERE (e.item #>> '{0,0}')::integer = ANY (placed)) AS q
    WHERE NOT q.table = ANY (placed)
    GROUP BY q.table ORDER BY q.table LIMIT 1;
    EXIT WHEN part.table IS NULL;
    placed := placed || part.table;
    joins := joins || jsonb_build_object('as', view -> 'tables' -> part.table ->> 0, 'on', part.columns, 'relation', (
      SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.oid = (view -> 'tables' -> part.table ->> 1)::oid));
  END LOOP;
  RETURN CASE WHEN cardinality(placed) = jsonb_array_length(view -> 'tables') THEN joins END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_view_joins(jsonb, integer) IS
  'Part of start_capture: the other tables of a view joined to one of them, as a mapping has it; NULL if they are not '
  'joined by equal columns.';

-- What stands for a source where its changes are noted: itself, or for a view one of its tables, joined with the
-- others, with the customer alone. The table has a row in each row of the view; if it can be, it is one to which all
-- others are joined by unique columns, or that of the customer.
CREATE FUNCTION segmentation_internal.workspace_tables(
  given regclass, given_mapping jsonb, OUT relation regclass, OUT mapping jsonb, OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  view jsonb;
  customer jsonb;
BEGIN
  relation := given;
  mapping := given_mapping;
  IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = given AND c.relkind = 'v') THEN
    RETURN;
  END IF;
  view := segmentation_internal.workspace_view(given);
  customer := view -> 'columns' -> (given_mapping ->> 'customer');
  fault := CASE
    WHEN view ? 'fault' THEN format('the view %s', view ->> 'fault')
    WHEN given_mapping ? 'join' THEN 'the mapping joins the view with others'
    WHEN customer IS NULL THEN format('the customer (%s) is no column of a table of the view',
      segmentation_internal.workspace_given_words(given_mapping -> 'customer')) END;
  IF fault IS NOT NULL THEN
    RETURN;
  END IF;
  SELECT t.relation, t.mapping INTO relation, mapping
  FROM (
    SELECT (v.item ->> 1)::oid::regclass AS relation, v.place, jsonb_build_object(
        'as', v.item -> 0, 'customer', concat(view -> 'tables' -> (customer ->> 0)::integer ->> 0, '.', customer ->> 1))
      || CASE j.joins WHEN '[]' THEN '{}' ELSE jsonb_build_object('join', j.joins) END AS mapping
    FROM jsonb_array_elements(view -> 'tables') WITH ORDINALITY AS v (item, place)
    CROSS JOIN LATERAL segmentation_internal.workspace_view_joins(view, v.place::integer - 1) AS j (joins)
    WHERE j.joins IS NOT NULL AND NOT view -> 'optional' @> to_jsonb(v.place - 1)) AS t
  ORDER BY NOT EXISTS (
      SELECT FROM segmentation_internal.workspace_relations(t.relation, t.mapping) AS r
      WHERE r.place > 0 AND NOT segmentation_internal.workspace_joins_once(r.joined, r.columns)) DESC,
    t.place - 1 = (customer ->> 0)::integer DESC, t.place
  LIMIT 1;
  IF NOT FOUND THEN
    relation := given;
    mapping := given_mapping;
    fault := 'the tables of the view are joined by other conditions than equal columns, or by a full join';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_tables(regclass, jsonb) IS
  'Part of start_capture: the relation and the mapping that stand for a source where its changes are noted: of a view, '
  'its tables; or why they cannot.';

-- The tables of a source, each once, with the place at which its mapping has it first.
CREATE FUNCTION segmentation_internal.workspace_captured(relation regclass, mapping jsonb)
RETURNS TABLE (place integer, captured regclass)
  LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT min(r.place), r.joined
  FROM segmentation_internal.workspace_tables(relation, mapping) AS t
  CROSS JOIN LATERAL segmentation_internal.workspace_relations(t.relation, t.mapping) AS r
  WHERE r.joined IS NOT NULL GROUP BY r.joined ORDER BY 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_captured(regclass, jsonb) IS
  'Part of start_capture: the relations that triggers of a source belong on.';

-- All that triggers of a source belong on.
CREATE FUNCTION segmentation_internal.workspace_source_members(relation regclass, mapping jsonb)
RETURNS TABLE (place integer, member regclass)
  LANGUAGE sql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.place, m
  FROM segmentation_internal.workspace_captured(relation, mapping) AS c
  CROSS JOIN LATERAL segmentation_internal.workspace_members(c.captured) WITH ORDINALITY AS m (m, number)
  ORDER BY c.place, m.number;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_source_members(regclass, jsonb) IS
  'Part of start_capture: the tables of a source, with their partitions and children.';

-- A trigger function of several tables reads them, with the rights of the workspace's owner and in the statements of
-- others: so there is no code of others in the way to their rows.
CREATE FUNCTION segmentation_internal.workspace_source_uncapturable(relation regclass, mapping jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
  viewed boolean;
BEGIN
  SELECT * INTO t FROM segmentation_internal.workspace_tables(relation, mapping);
  viewed := t.relation <> relation;
  RETURN coalesce(t.fault, (
    SELECT CASE c.relkind WHEN 'm' THEN 'materialized views have none' WHEN 'f' THEN 'foreign tables have none'
      WHEN 'v' THEN format('it reads %s, which is no table', t.relation) END
    FROM pg_class AS c WHERE c.oid = t.relation),
    segmentation_internal.workspace_uncapturable(t.relation), (
    SELECT format('the rows of %s are behind row-level security or rules', r.joined)
    FROM segmentation_internal.workspace_relations(t.relation, t.mapping) AS r
    JOIN pg_class AS c ON c.oid = r.joined
    WHERE (t.mapping ? 'join' OR viewed)
      AND c.relkind IN ('r', 'p') AND (c.relrowsecurity OR c.relhasrules)
    ORDER BY r.place LIMIT 1), (
    SELECT CASE
      WHEN NOT (SELECT c.relkind IN ('r', 'p') FROM pg_class AS c WHERE c.oid = r.joined)
        THEN format('it joins %s, which is no table', r.joined)
      WHEN segmentation_internal.workspace_uncapturable(r.joined) IS NOT NULL
        THEN format('it joins %s: %s', r.joined, segmentation_internal.workspace_uncapturable(r.joined))
      ELSE format('it joins %s, which has no unique index on (%s)', r.joined, (
          SELECT string_agg(o.value, ', ' ORDER BY o.key) FROM jsonb_each_text(r.columns) AS o)) END
    FROM segmentation_internal.workspace_relations(t.relation, t.mapping) AS r
    WHERE r.place > 0 AND r.joined IS NOT NULL
      AND (NOT (SELECT c.relkind IN ('r', 'p') FROM pg_class AS c WHERE c.oid = r.joined)
        -- How often a view has a row is its own business.
        OR NOT viewed AND NOT segmentation_internal.workspace_joins_once(r.joined, r.columns)
        OR segmentation_internal.workspace_uncapturable(r.joined) IS NOT NULL)
    ORDER BY r.place LIMIT 1));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_source_uncapturable(regclass, jsonb) IS
  'Part of start_capture: why the tables of a source cannot have triggers that see changed rows; NULL if they can.';

-- The trigger function of a source, NULL if it has none. Its name ends in a number drawn by lot: so the name that it
-- was given proves, in the function itself, that it still lives where it was made.
CREATE FUNCTION segmentation_internal.workspace_capture_function(ws text, source integer) RETURNS regprocedure
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT p.oid
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE quote_ident(n.nspname) = ws AND p.proname ~ format('^capture_%s_[0-9a-f]{12}$', source)
      AND p.prorettype = 'trigger'::regtype
    ORDER BY p.oid LIMIT 1);
COMMENT ON FUNCTION segmentation_internal.workspace_capture_function(text, integer) IS
  'Part of start_capture: the trigger function of a source.';

CREATE FUNCTION segmentation_internal.workspace_own_type(given regtype) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (SELECT FROM pg_type AS t WHERE t.oid = given AND t.typnamespace = 'pg_catalog'::regnamespace);
COMMENT ON FUNCTION segmentation_internal.workspace_own_type(regtype) IS
  'Part of start_capture: whether a type is PostgreSQL''s own.';

-- The customer of a row r of a source, for the queue, as SQL: without code of others. A type that is not PostgreSQL's
-- own is read by its output function, as its owner may give it any cast; a domain, too, is known to the body by its
-- name only, which may become that of another type.
CREATE FUNCTION segmentation_internal.workspace_captured_sql(customer name, given regtype, key regtype) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base regtype := segmentation_internal.workspace_base_type(given);
BEGIN
  IF segmentation_internal.workspace_own_type(given) THEN
    RETURN segmentation_internal.workspace_key_sql(format('r.%I', customer), given, key);
  END IF;
  RETURN segmentation_internal.fill(NULL,
    $q$CASE WHEN r.@customer@ IS NOT NULL THEN pg_catalog.format('%s', r.@customer@) END@(by)@::@(key)@$q$,
    jsonb_build_object('customer', customer, 'key', key,
      'by', CASE WHEN segmentation_internal.workspace_own_type(base) THEN format('::%s', base) ELSE '' END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_captured_sql(name, regtype, regtype) IS
  'Part of start_capture: the customer of a changed row as a key, as SQL that runs no code of others.';

-- Notes the keys of changed rows. What is no key is the refresh's to say.
CREATE FUNCTION segmentation_internal.workspace_note_sql(
  ws text, new_rows text, old_rows text, customer name, given regtype, key regtype
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  note text;
BEGIN
  note := segmentation_internal.fill(ws, $body$
      IF TG_OP = 'INSERT' THEN
        INSERT INTO @ws@.queue (customer) SELECT DISTINCT @(key)@ FROM @(new)@ AS r WHERE r.@customer@ IS NOT NULL;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO @ws@.queue (customer) SELECT DISTINCT @(key)@ FROM @(old)@ AS r WHERE r.@customer@ IS NOT NULL;
      ELSE
        INSERT INTO @ws@.queue (customer)
        SELECT @(key)@ FROM @(new)@ AS r WHERE r.@customer@ IS NOT NULL
        UNION SELECT @(key)@ FROM @(old)@ AS r WHERE r.@customer@ IS NOT NULL;
      END IF;$body$,
    jsonb_build_object('customer', customer, 'new', new_rows, 'old', old_rows,
      'key', segmentation_internal.workspace_captured_sql(customer, given, key)));
  IF segmentation_internal.workspace_key_narrows(given, key)
     OR NOT segmentation_internal.workspace_own_type(given) AND key <> 'text'::regtype
  THEN
    note := segmentation_internal.fill(ws, $body$
      BEGIN@(note)@
      EXCEPTION WHEN data_exception THEN
        INSERT INTO @ws@.queue (customer) VALUES (NULL);
      END;$body$, jsonb_build_object('note', note));
  END IF;
  RETURN note;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_note_sql(text, text, text, name, regtype, regtype) IS
  'Part of start_capture: what of the trigger function of a source notes the keys of changed rows.';

-- A source of several relations, or of expressions

-- The aliases of relations without which the customer of a row is not known: those that it is computed from, and those
-- that lead there.
CREATE FUNCTION segmentation_internal.workspace_customer_relations(kind text, relation regclass, mapping jsonb)
RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  needed text[];
  part record;
BEGIN
  SELECT g.relations INTO needed FROM segmentation_internal.workspace_given(kind, relation, mapping, 'customer') AS g;
  FOR part IN SELECT * FROM segmentation_internal.workspace_relations(relation, mapping) AS r ORDER BY r.place DESC LOOP
    IF part.place > 0 AND part.alias = ANY (needed) THEN
      needed := needed || ARRAY(
        SELECT r.alias
        FROM segmentation_internal.workspace_relations(relation, mapping) AS r
        CROSS JOIN jsonb_object_keys(part.columns) AS o (name)
        WHERE r.place < part.place AND r.place > 0 AND starts_with(o.name, r.alias || '.'));
    END IF;
  END LOOP;
  RETURN needed;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_customer_relations(text, regclass, jsonb) IS
  'Part of start_capture: the relations of a source that the customer of a row depends on, by alias.';

-- The customers of changed rows of one of the relations, in a column customer. Where all that the customer is computed
-- from is in the changed row, the others are not asked: so who moves an order to another customer notes both, whatever
-- others write at the same moment. The filter is not asked either: a row that it lets in, or out, has changed.
CREATE FUNCTION segmentation_internal.workspace_changed_rows(
  kind text, relation regclass, mapping jsonb, captured regclass, rows text
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT '(' || string_agg(format('SELECT %s AS customer FROM %s',
        segmentation_internal.workspace_given_sql(mapping -> 'customer', relation, mapping),
        CASE WHEN n.needed <@ ARRAY[r.alias] THEN format('%s AS %I', rows, r.alias)
          ELSE segmentation_internal.workspace_from(relation, mapping, r.place, rows) END),
      ' UNION ALL ' ORDER BY r.place) || ')'
    FROM segmentation_internal.workspace_relations(relation, mapping) AS r
    CROSS JOIN (SELECT segmentation_internal.workspace_customer_relations(kind, relation, mapping)) AS n (needed)
    WHERE r.joined = captured);
COMMENT ON FUNCTION segmentation_internal.workspace_changed_rows(text, regclass, jsonb, regclass, text) IS
  'Part of start_capture: the customers of changed rows of a relation of a source, as SQL.';

-- Rows of the source whose customer is not to be known yet: what they are joined with is not there. It may be on its
-- way, in a transaction that this one does not see.
CREATE FUNCTION segmentation_internal.workspace_orphans_sql(kind text, relation regclass, mapping jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(NULL, 'EXISTS (SELECT FROM @(whole)@ WHERE @(lost)@)', jsonb_build_object(
      'whole', segmentation_internal.workspace_from(relation, mapping, 0, 'new_rows'),
      'lost', string_agg('(' || (
        SELECT string_agg(format('%s IS NOT NULL AND %I.%I IS NULL', l.sql, r.alias, o.value), ' AND ' ORDER BY o.key)
        FROM jsonb_each_text(r.columns) AS o
        CROSS JOIN LATERAL segmentation_internal.workspace_column_sql(o.key, relation, mapping) AS l) || ')',
        ' OR ' ORDER BY r.place)))
    FROM segmentation_internal.workspace_relations(relation, mapping) AS r
    WHERE r.place > 0
      AND r.alias = ANY (segmentation_internal.workspace_customer_relations(kind, relation, mapping))
    HAVING count(*) > 0);
COMMENT ON FUNCTION segmentation_internal.workspace_orphans_sql(text, regclass, jsonb) IS
  'Part of start_capture: whether new rows of a source lack what their customer is known by, as SQL; NULL if the '
  'customer is in the row.';

-- Each trigger says by its argument which relation it is on. What can go wrong in an expression must not stop a write:
-- then everybody is noted.
CREATE FUNCTION segmentation_internal.workspace_note_computed(
  ws text, kind text, relation regclass, mapping jsonb, given regtype, key regtype
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(ws, $body$
      BEGIN
        CASE TG_ARGV[0]@(branches)@
        ELSE
          INSERT INTO @ws@.queue (customer) VALUES (NULL);
        END CASE;@(orphans)@
      EXCEPTION WHEN OTHERS THEN
        RAISE LOG 'segmentation: whose row of % changed is not known: %', TG_RELID::regclass, SQLERRM;
        INSERT INTO @ws@.queue (customer) VALUES (NULL);
      END;$body$,
      jsonb_build_object(
        'branches', string_agg(format(E'\n        WHEN %L THEN%s', c.place, segmentation_internal.workspace_note_sql(ws,
          segmentation_internal.workspace_changed_rows(kind, relation, mapping, c.captured, 'new_rows'),
          segmentation_internal.workspace_changed_rows(kind, relation, mapping, c.captured, 'old_rows'),
          'customer', given, key)), '' ORDER BY c.place),
        'orphans', (
          SELECT CASE WHEN o.found IS NULL THEN '' ELSE segmentation_internal.fill(ws, $body$
        IF TG_ARGV[0] = '0' AND TG_OP IN ('INSERT', 'UPDATE') THEN
          IF @(found)@ THEN
            INSERT INTO @ws@.queue (customer) VALUES (NULL);
          END IF;
        END IF;$body$, jsonb_build_object('found', o.found)) END
          FROM (SELECT segmentation_internal.workspace_orphans_sql(kind, relation, mapping)) AS o (found))))
    FROM segmentation_internal.workspace_captured(relation, mapping) AS c);
COMMENT ON FUNCTION segmentation_internal.workspace_note_computed(text, text, regclass, jsonb, regtype, regtype) IS
  'Part of start_capture: what of the trigger function of a source with expressions or joins notes the keys of changed '
  'rows.';

-- The body of the trigger function. It writes the queue, to which those who write the source have no right: so it runs
-- with the rights of the workspace's owner. Nothing that a writer can name gets into its SQL, and no code of others
-- runs in it.
--
-- Whatever happens to it, writing goes on. Where all is as it was made, the keys are noted. Where it is not (the
-- workspace has another name, the queue is gone or was changed, the column has another name or type) everybody is
-- noted; where that cannot be, the sequence "missed" counts it. A block with EXCEPTION gives each statement a
-- transaction number of its own, so it is for that second way only.
CREATE FUNCTION segmentation_internal.workspace_capture_body(
  ws text, function name, kind text, relation regclass, mapping jsonb, given regtype, key regtype
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  computed constant boolean := segmentation_internal.workspace_computed(mapping);
BEGIN
  RETURN segmentation_internal.fill(ws, $body$
#variable_conflict use_column
DECLARE
  home oid;
BEGIN
  IF (CASE WHEN TG_OP <> 'TRUNCATE'
             AND pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace(@'schema'@)::oid, 'USAGE')
           THEN pg_catalog.to_regprocedure(@'function'@) IS NOT NULL END) THEN
    IF EXISTS (
      SELECT
      FROM pg_catalog.pg_class AS q
      JOIN pg_catalog.pg_attribute AS k ON k.attrelid = q.oid AND k.attname = 'customer'
        AND pg_catalog.format_type(k.atttypid, NULL) = @'key'@ AND NOT k.attnotnull
      WHERE q.oid = pg_catalog.to_regclass(@'queue'@) AND q.relkind = 'r' AND q.relnatts = 4 AND q.relchecks = 0
        AND NOT q.relhastriggers AND NOT q.relhasrules AND NOT q.relrowsecurity
        AND pg_catalog.has_table_privilege(q.oid, 'INSERT')@(column)@)
    THEN@(note)@
      RETURN NULL;
    END IF;
  END IF;
  BEGIN
    SELECT p.pronamespace INTO home
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = TG_RELID AND t.tgname = TG_NAME;
    EXECUTE pg_catalog.format('INSERT INTO %I.queue (customer) VALUES (NULL)',
      (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = home));
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'segmentation: a change of % was not noted: %', TG_RELID::regclass, SQLERRM;
    BEGIN
      PERFORM pg_catalog.nextval(c.oid)
      FROM pg_catalog.pg_class AS c
      WHERE c.relnamespace = home AND c.relname = 'missed' AND c.relkind = 'S';
    EXCEPTION WHEN OTHERS THEN
      NULL;  -- nothing is left to write to
    END;
  END;
  RETURN NULL;
END
$body$,
    jsonb_build_object('schema', ws, 'function', format('%s.%I()', ws, function), 'queue', ws || '.queue',
      'key', format_type(key, NULL),
      'column', CASE WHEN computed THEN coalesce((
          SELECT format($body$
        AND NOT EXISTS (
          SELECT FROM pg_catalog.unnest(%L::pg_catalog.text[]) AS v (name)
          LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(v.name)
          WHERE c.oid IS NULL OR NOT c.relkind IN ('r', 'p') OR c.relrowsecurity OR c.relhasrules)$body$,
            array_agg(r.joined::text ORDER BY r.place))
          FROM segmentation_internal.workspace_relations(relation, mapping) AS r
          WHERE mapping ? 'join' HAVING count(*) > 0), '')
        ELSE segmentation_internal.fill(NULL, $body$
        AND EXISTS (
          SELECT FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = TG_RELID AND a.attname = @'customer'@ AND NOT a.attisdropped
            AND pg_catalog.format_type(a.atttypid, NULL) = @'given'@)$body$,
        jsonb_build_object('customer', mapping ->> 'customer', 'given', format_type(given, NULL))) END,
      'note', CASE WHEN computed
        THEN segmentation_internal.workspace_note_computed(ws, kind, relation, mapping, given, key)
        ELSE segmentation_internal.workspace_note_sql(
          ws, 'new_rows', 'old_rows', (mapping ->> 'customer')::name, given, key) END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_capture_body(
  text, name, text, regclass, jsonb, regtype, regtype
) IS
  'Part of start_capture: the body of the trigger function of a source.';

-- What the capture of a source rests on, as one text. Where it has changed since the last look something may have been
-- missed: rows were written anew (ALTER TABLE ... TYPE ... USING), triggers were off, or a column of a row that is
-- taken whole has come, or goes; the queue was emptied; changes could not be noted.
-- known: only of the tables that belonged to it then.
CREATE FUNCTION segmentation_internal.workspace_seen(ws text, source integer, known boolean DEFAULT false) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- Looked up once: in the query it would be once a trigger.
  function regprocedure := segmentation_internal.workspace_capture_function(ws, source);
  seen text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT md5(concat_ws(' ', s.mapping, s.time_zone,
      CASE WHEN s.mapping ? 'currency' THEN (
        SELECT string_agg(format('%s %s %s', x.currency, x.valid_from - date '2000-01-01', x.rate), ','
          ORDER BY x.currency, x.valid_from)
        FROM @ws@.currency_rate AS x) END,
      q.oid, q.relfilenode, m.last_value, m.is_called,
      (SELECT string_agg(concat(c.oid, ':', c.relfilenode), ' ' ORDER BY c.oid)
       FROM segmentation_internal.workspace_source_members(s.relation, s.mapping) AS r
       JOIN pg_class AS c ON c.oid = r.member
       WHERE NOT $3 OR EXISTS (
         SELECT FROM @ws@.capture AS b WHERE b.source = s.source AND b.relation = r.member)),
      (SELECT string_agg(concat(t.oid, ':', t.xmin), ' ' ORDER BY t.oid)
       FROM pg_trigger AS t WHERE t.tgfoid = $2),
      (SELECT string_agg(r.xmin::text, ' ' ORDER BY r.oid) FROM pg_rewrite AS r WHERE r.ev_class = s.relation),
      (SELECT string_agg(concat(a.attname, ':', a.atttypid), ' ' ORDER BY a.attnum)
       FROM pg_attribute AS a
       WHERE a.attrelid = s.relation AND a.attnum > 0 AND NOT a.attisdropped
         AND (s.kind IN ('customers', 'companies') OR a.attname = s.watermark_column
           OR a.attname IN (SELECT f.value FROM jsonb_each_text(s.mapping) AS f))),
      CASE WHEN segmentation_internal.workspace_computed(s.mapping) THEN (
        SELECT string_agg(concat(a.attrelid, ':', a.attname, ':', a.atttypid), ' ' ORDER BY a.attrelid, a.attnum)
        FROM segmentation_internal.workspace_captured(s.relation, s.mapping) AS r
        JOIN pg_attribute AS a ON a.attrelid = r.captured AND a.attnum > 0 AND NOT a.attisdropped) END))
    FROM @ws@.source AS s
    CROSS JOIN @ws@.missed AS m
    JOIN pg_class AS q ON q.oid = to_regclass(@'queue'@)
    WHERE s.source = $1$q$,
    jsonb_build_object('queue', ws || '.queue'))
    INTO seen USING source, function, known;
  RETURN seen;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_seen(text, integer, boolean) IS
  'Part of refresh_changed: what the capture of a source rests on; another text if something may have been missed.';

-- Tables that were attached to a source since the last look, where that is all that has changed and they can be read
-- alone: what they bring is then all that was missed. NULL: everybody is to be read. What was detached may be gone.
CREATE FUNCTION segmentation_internal.workspace_attached(
  ws text, source integer, relation regclass, mapping jsonb, seen text
) RETURNS regclass[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attached regclass[];
BEGIN
  IF segmentation_internal.workspace_computed(mapping)
    OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = relation AND c.relkind = 'v')
  THEN
    RETURN NULL;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT array_agg(m.member ORDER BY m.member)
    FROM segmentation_internal.workspace_source_members($2, $3) AS m
    WHERE NOT EXISTS (SELECT FROM @ws@.capture AS c WHERE c.source = $1 AND c.relation = m.member)$q$)
    INTO attached USING source, relation, mapping;
  IF attached IS NULL OR seen IS DISTINCT FROM segmentation_internal.workspace_seen(ws, source, true)
    OR EXISTS (
      SELECT FROM unnest(attached) AS a (member) JOIN pg_class AS c ON c.oid = a.member
      WHERE c.relrowsecurity OR c.relhasrules OR NOT has_table_privilege(c.oid, 'SELECT'))
  THEN
    RETURN NULL;
  END IF;
  RETURN attached;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_attached(text, integer, regclass, jsonb, text) IS
  'Part of refresh_changed: the tables that were attached to a source, if nothing else of it has changed.';

-- Their customers, into the queue.
CREATE FUNCTION segmentation_internal.workspace_queue_attached(
  ws text, relation regclass, mapping jsonb, attached regclass[]
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  member regclass;
  key regtype;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype FROM %s.workspace AS w', ws) INTO key;
  FOREACH member IN ARRAY attached LOOP
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.queue (customer)
      SELECT DISTINCT @(key)@
      FROM ONLY @(member)@ AS r
      WHERE r.@customer@ IS NOT NULL AND (SELECT w.as_of IS NOT NULL FROM @ws@.workspace AS w)$q$,
      jsonb_build_object('member', member, 'customer', mapping ->> 'customer',
        'key', segmentation_internal.workspace_captured_sql((mapping ->> 'customer')::name, (
          SELECT a.atttypid FROM pg_attribute AS a
          WHERE a.attrelid = relation AND a.attname = mapping ->> 'customer' AND NOT a.attisdropped), key)));
  END LOOP;
EXCEPTION WHEN data_exception THEN
  -- What is no key is the reading's to say.
  PERFORM segmentation_internal.workspace_queue_all(ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_queue_attached(text, regclass, jsonb, regclass[]) IS
  'Part of refresh_changed: the customers of attached tables, into the queue.';

-- Everybody is read again, if anything is published.
CREATE FUNCTION segmentation_internal.workspace_queue_all(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.queue (customer)
    SELECT NULL FROM @ws@.workspace AS w WHERE w.as_of IS NOT NULL$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_queue_all(text) IS
  'Part of refresh_changed: notes that everybody is to be read again.';

-- What the triggers write to, if it is not there as it was made: dropped by somebody, or not restored.
CREATE FUNCTION segmentation_internal.workspace_mend_queue(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key text;
  queue regclass := to_regclass(ws || '.queue');
BEGIN
  EXECUTE format('SELECT w.key_type FROM %s.workspace AS w', ws) INTO key;
  IF queue IS NOT NULL AND 4 <> (
    SELECT count(*) + (SELECT c.relnatts - 4 FROM pg_class AS c WHERE c.oid = queue)
    FROM pg_attribute AS a
    WHERE a.attrelid = queue AND a.attnum BETWEEN 1 AND 4 AND NOT a.attisdropped
      AND (a.attname, a.atttypid) IN (
        ('change', 'bigint'::regtype), ('customer', key::regtype), ('shard', 'smallint'::regtype),
        ('transaction', 'xid8'::regtype)))
  THEN
    RAISE WARNING 'table % is not as it was made: it is made anew', queue;
    EXECUTE format('DROP TABLE %s', queue);
    queue := NULL;
  END IF;
  IF to_regclass(ws || '.missed') IS NULL THEN
    EXECUTE format('CREATE SEQUENCE %s.missed', ws);
  END IF;
  -- Without a foreign key: a dump of the data alone may bring its rows before those of source.
  IF to_regclass(ws || '.capture') IS NULL THEN
    EXECUTE format($q$
      CREATE TABLE %s.capture (
        source integer NOT NULL,
        relation regclass NOT NULL,
        PRIMARY KEY (source, relation)
      )$q$, ws);
  END IF;
  IF queue IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE TABLE @ws@.queue (
        change bigint GENERATED ALWAYS AS IDENTITY,
        customer @(key)@,
        -- Equal keys lie in one part, also those that are written differently, as 1.0 and 1.00.
        shard smallint GENERATED ALWAYS AS (
          CASE WHEN customer IS NULL THEN -1 ELSE pg_catalog.hash_record_extended(ROW(customer), 0) & 15 END) STORED,
        transaction xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
      );
      CREATE INDEX queue_shard_customer ON @ws@.queue (shard, customer)$q$, jsonb_build_object('key', key));
    PERFORM segmentation_internal.workspace_queue_all(ws);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_mend_queue(text) IS
  'Part of refresh: makes what the triggers write to, where it is missing.';

-- The trigger function of a source as it has to be; NULL if it was so.
CREATE FUNCTION segmentation_internal.workspace_settle_function(
  ws text, source integer, kind text, relation regclass, mapping jsonb, given regtype, key regtype
) RETURNS regprocedure
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  function regprocedure := segmentation_internal.workspace_capture_function(ws, source);
  name text := coalesce(
    (SELECT p.proname FROM pg_proc AS p WHERE p.oid = function),
    format('capture_%s_%s', source, right(replace(gen_random_uuid()::text, '-', ''), 12)));
  body text := segmentation_internal.workspace_capture_body(ws, name, kind, relation, mapping, given, key);
BEGIN
  IF EXISTS (SELECT FROM pg_proc AS p WHERE p.oid = function AND p.prosrc = body) THEN
    RETURN NULL;
  END IF;
  -- The body as a literal: a name that has dollars in it cannot end it.
  EXECUTE segmentation_internal.fill(ws, $q$CREATE OR REPLACE FUNCTION @ws@.@name@() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS @'body'@;
    REVOKE ALL ON FUNCTION @ws@.@name@() FROM PUBLIC;
    COMMENT ON FUNCTION @ws@.@name@() IS @'about'@;
    ALTER FUNCTION @ws@.@name@() OWNER TO @owner@$q$,
    jsonb_build_object('name', name, 'body', body,
      'about', format('trigger of %s: notes whose rows change', relation),
      'owner', (SELECT r.rolname FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
                WHERE quote_ident(n.nspname) = ws)));
  RETURN segmentation_internal.workspace_capture_function(ws, source);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settle_function(
  text, integer, text, regclass, jsonb, regtype, regtype
) IS
  'Part of start_capture: makes the trigger function of a source what it has to be; NULL if it was.';

-- The triggers of a source: on the table and all that belongs to it, and nowhere else. Whether they were not so.
CREATE FUNCTION segmentation_internal.workspace_settle_triggers(
  ws text, source integer, relation regclass, mapping jsonb
) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  function regprocedure := segmentation_internal.workspace_capture_function(ws, source);
  name text := (SELECT p.proname FROM pg_proc AS p WHERE p.oid = function);
  computed constant boolean := segmentation_internal.workspace_computed(mapping);
  part record;
  -- Which relation it is on; one that is read as it is has no need of it.
  argument text := '';
  event record;
  lost record;
  done boolean := false;
BEGIN
  FOR part IN SELECT * FROM segmentation_internal.workspace_source_members(relation, mapping) AS m LOOP
    IF computed THEN
      argument := part.place;
    END IF;
    FOR event IN
      SELECT v.event, v.tables
      FROM (VALUES
        (4, 'insert', 'REFERENCING NEW TABLE AS new_rows'),
        (16, 'update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
        (8, 'delete', 'REFERENCING OLD TABLE AS old_rows'),
        (32, 'truncate', '')) AS v (bit, event, tables)
      WHERE NOT EXISTS (
        SELECT FROM pg_trigger AS t
        WHERE t.tgrelid = part.member AND t.tgfoid = function AND t.tgtype & v.bit <> 0
          AND t.tgargs = CASE WHEN computed THEN convert_to(argument, 'UTF8') || '\x00' ELSE '' END::bytea)
    LOOP
      done := true;
      EXECUTE segmentation_internal.fill(ws, $q$CREATE OR REPLACE TRIGGER @trigger@
        AFTER @(event)@ ON @(table)@ @(tables)@
        FOR EACH STATEMENT EXECUTE FUNCTION @ws@.@function@(@(argument)@)$q$,
        jsonb_build_object('trigger', format('segmentation_%s_%s', substr(name, 9), event.event),
          'event', event.event, 'table', part.member, 'tables', event.tables, 'function', name,
          'argument', CASE WHEN computed THEN quote_literal(argument) ELSE '' END));
    END LOOP;
  END LOOP;
  -- On the table of another they stay, and note more than is needed.
  FOR lost IN
    SELECT t.tgname AS trigger, t.tgrelid::regclass AS relation
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE t.tgfoid = function AND pg_has_role(c.relowner, 'USAGE')
      AND NOT t.tgrelid IN (
        SELECT m.member FROM segmentation_internal.workspace_source_members(relation, mapping) AS m)
  LOOP
    done := true;
    EXECUTE format('DROP TRIGGER %I ON %s', lost.trigger, lost.relation);
  END LOOP;
  RETURN done;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settle_triggers(text, integer, regclass, jsonb) IS
  'Part of start_capture: makes the triggers of a source what they have to be. Whether they were not.';

-- Brings the trigger function and the triggers of a source to what they have to be, and takes them off what no longer
-- belongs to it. Whether anything had to be done. strict: an error if the column cannot be a key; else that is for the
-- refresh to say, as are rights that are missing.
CREATE FUNCTION segmentation_internal.workspace_settle(ws text, source integer, strict boolean) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  captured record;
  given regtype;
  made regprocedure;
  moved boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT s.kind, s.relation, s.mapping, w.key_type::regtype AS key
    FROM @ws@.source AS s
    CROSS JOIN @ws@.workspace AS w
    WHERE s.source = $1$q$)
    INTO captured USING source;
  SELECT t.relation, t.mapping INTO captured.relation, captured.mapping
  FROM segmentation_internal.workspace_tables(captured.relation, captured.mapping) AS t;
  BEGIN
    SELECT g.type INTO given
    FROM segmentation_internal.workspace_given(captured.kind, captured.relation, captured.mapping, 'customer') AS g;
  EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
    given := NULL;
  END;
  IF given IS NULL
     OR NOT segmentation_internal.workspace_type_fits(
       'key', segmentation_internal.workspace_base_type(given), captured.key)
  THEN
    IF strict THEN
      RAISE datatype_mismatch USING
        MESSAGE = format('%s of %s cannot be a key of type %s',
          segmentation_internal.workspace_given_words(captured.mapping -> 'customer'), captured.relation, captured.key),
        HINT = 'Call add_source again with a new mapping, or remove_source.';
    END IF;
    RETURN true;
  END IF;
  made := segmentation_internal.workspace_settle_function(
    ws, source, captured.kind, captured.relation, captured.mapping, given, captured.key);
  moved := segmentation_internal.workspace_settle_triggers(ws, source, captured.relation, captured.mapping);
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.capture AS c
    WHERE c.source = $1
      AND NOT c.relation IN (SELECT m.member FROM segmentation_internal.workspace_source_members($2, $3) AS m)$q$)
    USING source, captured.relation, captured.mapping;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.capture (source, relation)
    SELECT $1, m.member FROM segmentation_internal.workspace_source_members($2, $3) AS m
    ON CONFLICT DO NOTHING$q$)
    USING source, captured.relation, captured.mapping;
  RETURN made IS NOT NULL OR moved;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settle(text, integer, boolean) IS
  'Part of start_capture and refresh_changed: makes the trigger function and the triggers of a source what they have '
  'to be. Whether they were not.';

-- Takes the triggers off: with their function, on whatever table they are. To make one needs the right TRIGGER, to drop
-- one alone the table.
CREATE FUNCTION segmentation_internal.workspace_uncapture(ws text, source integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  function regprocedure := segmentation_internal.workspace_capture_function(ws, source);
BEGIN
  IF function IS NOT NULL THEN
    EXECUTE format('DROP FUNCTION %s CASCADE', function);
  END IF;
  EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1', ws) USING source;
  EXECUTE format($q$
    UPDATE %s.source AS s
    SET capture = 'none', watermark_column = NULL, watermark = NULL, overlap = NULL, seen = NULL
    WHERE s.source = $1$q$, ws)
    USING source;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_uncapture(text, integer) IS
  'Part of stop_capture: a source is captured no longer.';

-- The greatest value of a watermark column that is not ahead of the clock, and the text from which rows are looked at,
-- given the value of the last time. A value ahead of the clock never becomes the watermark: nothing after it would be
-- seen.
CREATE FUNCTION segmentation_internal.workspace_watermark(
  relation regclass, column_name name, zone text, overlap interval, last text,
  OUT seen text, OUT since text, OUT type text, OUT ahead boolean
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = ISO SET timezone = UTC AS $$
DECLARE
  most text;
BEGIN
  SELECT format_type(a.atttypid, NULL) INTO type
  FROM pg_attribute AS a
  WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
  IF type IS NULL OR NOT type IN ('date', 'timestamp without time zone', 'timestamp with time zone') THEN
    RAISE undefined_column USING
      MESSAGE = format('%s has lost its watermark, column "%s"', relation, column_name),
      HINT = 'Call start_capture again with another column, or stop_capture.';
  END IF;
  EXECUTE format('SELECT max(r.%I)::text FROM %s AS r', column_name, relation) INTO seen;
  -- The clock after the rows: none of them that was written by it is ahead.
  EXECUTE segmentation_internal.fill(NULL, 'SELECT (@(clock)@ + $1)::@(type)@::text',
    jsonb_build_object('type', type, 'clock', CASE type WHEN 'timestamp with time zone' THEN 'clock_timestamp()'
      ELSE '(clock_timestamp() AT TIME ZONE $2)' END))
    INTO most USING overlap, zone;
  EXECUTE segmentation_internal.fill(NULL, 'SELECT coalesce($1::@(type)@ > $2::@(type)@, false)',
    jsonb_build_object('type', type))
    INTO ahead USING seen, most;
  IF ahead THEN
    EXECUTE segmentation_internal.fill(NULL,
      'SELECT max(r.@column@)::text FROM @(relation)@ AS r WHERE r.@column@ <= $1::@(type)@',
      jsonb_build_object('column', column_name, 'relation', relation, 'type', type))
      INTO seen USING most;
  END IF;
  -- Of an empty table all that comes is new.
  seen := coalesce(seen, '-infinity');
  -- Years before our era, and the least date of all, have nothing to take the overlap from.
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT CASE WHEN l.least < '0200-01-01' THEN '-infinity' ELSE (l.least - $3)::@(type)@::text END
    FROM (SELECT least($1::@(type)@, $2::@(type)@)) AS l (least)
    WHERE $1 IS NOT NULL$q$, jsonb_build_object('type', type))
    INTO since USING last, most, overlap;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_watermark(regclass, name, text, interval, text) IS
  'Part of refresh: how far a watermark has come, never beyond the clock, and from where rows are looked at again.';

CREATE FUNCTION segmentation.start_capture(
  workspace text, kind text, relation regclass, watermark_column name DEFAULT NULL, overlap interval DEFAULT '1 hour'
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  given record;
  reason text;
  type regtype;
BEGIN
  EXECUTE format('SELECT s.source, s.mapping FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws)
    INTO given USING kind, relation;
  IF given.source IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace),
      HINT = 'Call add_source first.';
  END IF;
  IF NOT given.mapping ? 'customer' THEN
    RAISE wrong_object_type USING
      MESSAGE = format('changes of %s belong to no customer', kind),
      DETAIL = 'They are read by each full refresh.';
  END IF;
  PERFORM segmentation_internal.workspace_mend_queue(ws);
  PERFORM segmentation_internal.workspace_uncapture(ws, given.source);
  IF watermark_column IS NULL THEN
    reason := (
      SELECT upper(left(u, 1)) || substr(u, 2) || '.'
      FROM segmentation_internal.workspace_source_uncapturable(relation, given.mapping) AS u);
    IF reason IS NOT NULL THEN
      RAISE wrong_object_type USING
        MESSAGE = format('%s cannot have triggers that see changed rows', relation),
        DETAIL = reason,
        HINT = 'Name a column that grows with every change: start_capture(workspace, kind, relation, '
          'watermark_column => ''updated_at'').';
    END IF;
    PERFORM segmentation_internal.workspace_settle(ws, given.source, true);
    EXECUTE format($q$UPDATE %s.source AS s SET capture = 'trigger' WHERE s.source = $1$q$, ws) USING given.source;
  ELSE
    SELECT a.atttypid INTO type
    FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = watermark_column AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
      RAISE undefined_column USING MESSAGE = format('%s has no column "%s"', relation, watermark_column);
    END IF;
    IF NOT type = ANY ('{date,timestamp,timestamptz}'::regtype[]) THEN
      RAISE datatype_mismatch USING
        MESSAGE = format('column "%s" cannot be a watermark: its type is %s', watermark_column, type),
        HINT = 'Use the date, timestamp or timestamptz of the last change of a row.';
    END IF;
    IF overlap IS NULL OR NOT overlap BETWEEN interval '0' AND interval '10 years' THEN
      RAISE invalid_parameter_value USING MESSAGE = 'overlap must be an interval from 0 to 10 years';
    END IF;
    EXECUTE format($q$
      UPDATE %s.source AS s SET capture = 'watermark', watermark_column = $2, overlap = $3 WHERE s.source = $1$q$, ws)
      USING given.source, watermark_column, overlap;
  END IF;
  EXECUTE format($q$
    UPDATE %s.source AS s SET seen = segmentation_internal.workspace_seen($2, s.source) WHERE s.source = $1$q$, ws)
    USING given.source, ws;
  -- What came between the last refresh and now was not seen: all are read once more.
  PERFORM segmentation_internal.workspace_queue_all(ws);
END
$$;
COMMENT ON FUNCTION segmentation.start_capture(text, text, regclass, name, interval) IS
  'Begins to notice changes of a source for refresh_changed: by statement triggers, or by a watermark, a column that '
  'grows with every change; rows up to overlap older than the greatest seen are looked at again. See capture_status '
  'for what each cannot see.';

CREATE FUNCTION segmentation.stop_capture(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  source integer;
BEGIN
  EXECUTE format('SELECT s.source FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws)
    INTO source USING kind, relation;
  IF source IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace);
  END IF;
  PERFORM segmentation_internal.workspace_uncapture(ws, source);
END
$$;
COMMENT ON FUNCTION segmentation.stop_capture(text, text, regclass) IS
  'Ends what start_capture began: takes the triggers off the table and all that belongs to it.';

-- What triggers on a source do not see. sound: whether they can write the queue; own: whether it has triggers of its
-- own.
CREATE FUNCTION segmentation_internal.workspace_triggers_miss(
  relation regclass, mapping jsonb, function regprocedure, sound boolean, own boolean
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN concat_ws('; ',
    'writes with session_replication_role = replica, among them those of logical replication',
    (SELECT 'a row that moves to another customer while another session adds rows that it is joined with: a full '
       'refresh finds it'
     FROM segmentation_internal.workspace_tables(relation, mapping) AS t WHERE t.mapping ? 'join'),
    CASE WHEN function IS NULL THEN
      'all writes: its trigger function is gone, until refresh_changed has made it anew' END,
    CASE WHEN sound IS NOT TRUE THEN 'all writes: the queue is gone, or its owner may not write it' END,
    CASE WHEN own THEN
      'nothing, but each write means everybody: the queue has a trigger, rule, check or policy' END,
    'writes that come to the foreign table, which fail, until refresh_changed takes the triggers off: '
      || segmentation_internal.workspace_source_uncapturable(relation, mapping),
    (SELECT format('writes to %s (%s of %s tables), whose triggers refresh_changed has yet to make',
       segmentation_internal.workspace_some(array_agg(m.member::text ORDER BY m.member::text) FILTER (WHERE m.lacks)),
       count(*) FILTER (WHERE m.lacks), count(*))
     FROM (
       SELECT m.member,
         4 > (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = m.member AND t.tgfoid = function) AS lacks
       FROM segmentation_internal.workspace_source_members(relation, mapping) AS m) AS m
     HAVING function IS NOT NULL AND bool_or(m.lacks)),
    (SELECT format('writes to %s (%s of %s tables): %s triggers are disabled',
       segmentation_internal.workspace_some(array_agg(m.member::text ORDER BY m.member::text) FILTER (WHERE m.off)),
       count(*) FILTER (WHERE m.off), count(*), CASE count(*) FILTER (WHERE m.off) WHEN 1 THEN 'its' ELSE 'their' END)
     FROM (
       SELECT m.member, EXISTS (
         SELECT FROM pg_trigger AS t
         WHERE t.tgrelid = m.member AND t.tgfoid = function AND NOT t.tgenabled IN ('O', 'A')) AS off
       FROM segmentation_internal.workspace_source_members(relation, mapping) AS m) AS m
     HAVING bool_or(m.off)));
COMMENT ON FUNCTION segmentation_internal.workspace_triggers_miss(regclass, jsonb, regprocedure, boolean, boolean) IS
  'Part of capture_status: what triggers on a source do not see.';

CREATE FUNCTION segmentation.capture_status(workspace text)
RETURNS TABLE (kind text, relation regclass, capture text, watermark text, misses text)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{source,capture}');
  source record;
  sound boolean;
  own boolean;
  may_look boolean;
BEGIN
  -- Whether the triggers can write: what their function asks, with the rights of its owner.
  SELECT has_schema_privilege(n.nspowner, n.oid, 'USAGE') AND has_table_privilege(n.nspowner, q.oid, 'INSERT'),
      q.relchecks > 0 OR q.relhastriggers OR q.relhasrules OR q.relrowsecurity
    INTO sound, own
  FROM pg_namespace AS n
  LEFT JOIN pg_class AS q ON q.relnamespace = n.oid AND q.relname = 'queue' AND q.relkind = 'r'
  WHERE quote_ident(n.nspname) = ws;
  -- For others the guard is up: a sequence is no table that was checked.
  may_look := NOT segmentation_internal.workspace_guarded()
    AND has_sequence_privilege(to_regclass(ws || '.missed')::oid, 'SELECT')
    AND has_table_privilege(to_regclass(ws || '.currency_rate')::oid, 'SELECT');
  FOR source IN EXECUTE format('SELECT s.* FROM ONLY %s.source AS s ORDER BY s.source', ws) LOOP
    kind := source.kind;
    relation := source.relation;
    capture := source.capture;
    watermark := source.watermark;
    IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.relation) THEN
      misses := format('everything: the relation was dropped; SELECT segmentation.remove_source(%L, %L, %L)',
        workspace, source.kind, source.relation::oid);
      RETURN NEXT;
      CONTINUE;
    END IF;
    misses := CASE capture
      WHEN 'none' THEN concat_ws('; ',
        'everything: changes are read by a full refresh only',
        'triggers are not possible: '
          || segmentation_internal.workspace_source_uncapturable(source.relation, source.mapping))
      WHEN 'watermark' THEN concat_ws('; ',
        format('deleted rows, rows whose %s did not grow or is null, and commits later than %s: a full refresh finds '
          'them', source.watermark_column, source.overlap),
        CASE WHEN source.mapping ? 'join' THEN 'changes of the relations that it joins' END,
        CASE WHEN NOT EXISTS (
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = source.relation AND a.attname = source.watermark_column AND NOT a.attisdropped)
          THEN format('everything: there is no column "%s"', source.watermark_column) END)
      ELSE segmentation_internal.workspace_triggers_miss(source.relation, source.mapping,
        segmentation_internal.workspace_capture_function(ws, source.source), sound, own) END;
    -- Nested: what may not be looked at is not.
    IF capture <> 'none' AND may_look THEN
      IF source.seen IS DISTINCT FROM segmentation_internal.workspace_seen(ws, source.source)
        AND (capture <> 'trigger' OR segmentation_internal.workspace_attached(
          ws, source.source, source.relation, source.mapping, source.seen) IS NULL)
      THEN
        misses := concat_ws('; ', misses,
          'perhaps something since the last look: the next refresh_changed reads everybody');
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation.capture_status(text) IS
  'How changes of each source are noticed, and what that cannot see.';
