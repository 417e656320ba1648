-- Facts: what is known of each customer, read from the sources. A full refresh and an incremental one read by the
-- same SQL; the latter adds a condition on the customer. So both come to the same facts.

-- A field of a kind of source, in the type of its column. Numbers of several sources come together as numeric.
CREATE FUNCTION segmentation_internal.workspace_field_sql(
  type text, name text, given regtype, key regtype, zone text, several boolean
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  field constant text := format('s.%I', name);
BEGIN
  RETURN CASE type
    WHEN 'key' THEN segmentation_internal.workspace_key_sql(field, given, key)
    WHEN 'day' THEN CASE
      WHEN given = 'date'::regtype THEN field
      WHEN given = 'timestamp'::regtype THEN field || '::date'
      ELSE segmentation_internal.fill(NULL, $q$(@(field)@ AT TIME ZONE @'zone'@)::date$q$,
        jsonb_build_object('field', field, 'zone', zone)) END
    WHEN 'instant' THEN CASE
      WHEN given = 'timestamptz'::regtype THEN field
      ELSE segmentation_internal.fill(NULL, $q$(@(field)@::timestamp AT TIME ZONE @'zone'@)$q$,
        jsonb_build_object('field', field, 'zone', zone)) END
    WHEN 'number' THEN field || CASE
      WHEN several OR given = ANY ('{numeric,money}'::regtype[]) THEN '::numeric'
      WHEN given = ANY ('{real,double precision}'::regtype[]) THEN '::double precision'
      ELSE '::bigint' END
    WHEN 'boolean' THEN field
    ELSE field || '::text' END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_field_sql(text, text, regtype, regtype, text, boolean) IS
  'Part of refresh: a field of a source, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_field_type(type text, key regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE type WHEN 'key' THEN key::text WHEN 'day' THEN 'date' WHEN 'instant' THEN 'timestamptz'
    WHEN 'number' THEN 'numeric' ELSE type END;
COMMENT ON FUNCTION segmentation_internal.workspace_field_type(text, regtype) IS
  'Part of refresh: the type of a field that a source does not give, as SQL.';

-- The columns that a source gives for the fields of its kind.
CREATE FUNCTION segmentation_internal.workspace_source_columns(
  kind text, relation regclass, mapping jsonb, key regtype, zone text, several boolean
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  field record;
  given regtype;
  columns text[] := '{}';
BEGIN
  FOR field IN
    SELECT f.field AS name, f.type, mapping ->> f.field AS column_name
    FROM segmentation.workspace_field AS f
    WHERE f.kind = workspace_source_columns.kind
    ORDER BY f.place
  LOOP
    IF field.column_name IS NULL THEN
      columns := columns || format('NULL::%s AS %I',
        segmentation_internal.workspace_field_type(field.type, key), field.name);
      CONTINUE;
    END IF;
    SELECT segmentation_internal.workspace_base_type(a.atttypid) INTO given
    FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = field.column_name AND NOT a.attisdropped;
    IF NOT FOUND THEN
      RAISE undefined_column USING
        MESSAGE = format('source %s of %s has lost its column "%s"', relation, kind, field.column_name),
        HINT = 'Call add_source again with a new mapping, or remove_source.';
    END IF;
    columns := columns || format('%s AS %I', segmentation_internal.workspace_field_sql(
      field.type, field.column_name, given, key, zone, several), field.name);
  END LOOP;
  IF kind IN ('customers', 'companies') THEN
    -- Blanks at the end of char(n) do not count in SQL, nor do they here.
    columns := columns || format('%s(s) - %L AS attributes', CASE WHEN EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
          AND segmentation_internal.workspace_base_type(a.atttypid) = 'character'::regtype)
      THEN 'segmentation_internal.row_attributes' ELSE 'to_jsonb' END, mapping ->> 'customer');
  END IF;
  RETURN array_to_string(columns, ', ');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_source_columns(text, regclass, jsonb, regtype, text, boolean) IS
  'Part of refresh: the fields of a source, as a list of SQL expressions.';

-- The customer of a row as what it is compared with: integers of any width as they are, so that an index is of use.
CREATE FUNCTION segmentation_internal.workspace_compared_sql(relation regclass, customer text, key regtype) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE
      WHEN a.atttypid = ANY ('{smallint,integer,bigint}'::regtype[])
        AND key = ANY ('{smallint,integer,bigint}'::regtype[])
        THEN format('s.%I', a.attname)
      ELSE segmentation_internal.workspace_key_sql(format('s.%I', a.attname), a.atttypid, key) END
    FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attname = customer AND NOT a.attisdropped);
COMMENT ON FUNCTION segmentation_internal.workspace_compared_sql(regclass, text, regtype) IS
  'Part of refresh: the customer of a row of a source, for a comparison with keys, as SQL.';

-- The rows of all sources of a kind, with one column a field of workspace_field, in their types; NULL if there is
-- no source. With a batch (a relation with a column customer), only the rows of its customers.
CREATE FUNCTION segmentation_internal.workspace_rows_sql(ws text, kind text, batch text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  several boolean;
  skips constant boolean := segmentation_internal.workspace_settings_now(ws) ->> 'bad_rows' = 'skip';
  source record;
  customer text;
  parts text[] := '{}';
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT key_type::regtype, (SELECT count(*) > 1 FROM @ws@.source WHERE kind = $1) FROM @ws@.workspace$q$)
    INTO key, several USING kind;
  FOR source IN EXECUTE format('SELECT * FROM %s.source WHERE kind = $1 ORDER BY source', ws) USING kind LOOP
    IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.relation) THEN
      RAISE undefined_table USING
        MESSAGE = format('a source of %s was dropped (it was relation %s)', kind, source.relation::oid),
        HINT = format('SELECT segmentation.remove_source(workspace, %L, ''%s'')', kind, source.relation::oid);
    END IF;
    customer := segmentation_internal.workspace_compared_sql(source.relation, source.mapping ->> 'customer', key);
    parts := parts || segmentation_internal.fill(NULL, 'SELECT @(columns)@ FROM @(relation)@ AS s@(condition)@',
      jsonb_build_object(
        'columns', segmentation_internal.workspace_source_columns(
          kind, source.relation, source.mapping, key, source.time_zone, several),
        'relation', source.relation,
        'condition', concat(
          -- Blanks are no key: all who have none would be one customer.
          ' WHERE ' || CASE WHEN key = ANY ('{text,varchar}'::regtype[]) THEN format('btrim(%s) <> ''''', customer)
            ELSE customer || ' IS NOT NULL' END,
          ' AND ' || customer || ' IN (SELECT b.customer FROM ' || batch || ' AS b)')));
  END LOOP;
  RETURN CASE
    WHEN parts = '{}' THEN NULL
    WHEN skips THEN segmentation_internal.fill(NULL, '(SELECT r.* FROM (@(rows)@) AS r WHERE (@(fault)@) IS NULL)',
      jsonb_build_object('rows', array_to_string(parts, ' UNION ALL '),
        'fault', coalesce(segmentation_internal.workspace_row_fault_sql(kind, key, true), 'NULL')))
    ELSE '(' || array_to_string(parts, ' UNION ALL ') || ')' END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_rows_sql(text, text, text) IS
  'Part of refresh: the rows of all sources of a kind, as SQL.';

-- What was bought: products with their categories beside them, or categories alone. A line whose product has no
-- category counts for no category, and one whose product has two rows counts once.
CREATE FUNCTION segmentation_internal.workspace_items_sql(rows text, products text, level text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN products IS NULL THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(r.product, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric)
          AS items
      FROM @(rows)@ AS r
      WHERE r.product IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows))
    WHEN level = 'product' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(r.product, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric)
          AS items,
        segmentation.item_history(p.category, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric)
          FILTER (WHERE p.category IS NOT NULL) AS categories
      FROM @(rows)@ AS r
      LEFT JOIN (
        SELECT q.product, min(q.category COLLATE "C") AS category FROM @(products)@ AS q GROUP BY q.product) AS p
        ON p.product = r.product
      WHERE r.product IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows, 'products', products))
    ELSE segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(p.category, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric)
          AS items
      FROM @(rows)@ AS r
      JOIN (
        SELECT q.product, min(q.category COLLATE "C") AS category FROM @(products)@ AS q GROUP BY q.product) AS p
        ON p.product = r.product
      WHERE p.category IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows, 'products', products)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_items_sql(text, text, text) IS
  'Part of refresh: products bought by customer, as SQL.';

-- People and tools write Email, email and EMAIL: one channel.
CREATE FUNCTION segmentation_internal.workspace_channel(channel text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(btrim(channel));
COMMENT ON FUNCTION segmentation_internal.workspace_channel(text) IS
  'Part of refresh: a channel as it is called in a workspace: small letters, no blanks around it.';

-- What is made of the rows of the other kinds, one row a customer. Lines make a history where there are no purchases:
-- they are netted by order, an order with a line sent back at once is still one purchase.
CREATE FUNCTION segmentation_internal.workspace_fact_sql(kind text, rows text, zone text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE kind
    WHEN 'purchases' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer, segmentation.purchase_history(r.purchased_on, r.amount) AS history
      FROM @(rows)@ AS r
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows))
    WHEN 'purchase_lines' THEN segmentation_internal.fill(NULL, $q$
      -- One order is one purchase, on its first day: over midnight, by several parcels, with a price put right later.
      SELECT o.customer, segmentation.purchase_history(o.purchased_on, o.amount) AS history
      FROM (
        SELECT r.customer, min(r.purchased_on) AS purchased_on, sum(r.amount) AS amount
        FROM @(rows)@ AS r
        GROUP BY r.customer, r."order", CASE WHEN r."order" IS NULL THEN r.purchased_on END) AS o
      GROUP BY o.customer$q$, jsonb_build_object('rows', rows))
    WHEN 'contacts' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.contact_history(
          segmentation_internal.workspace_channel(r.channel), (r.sent_at AT TIME ZONE @'zone'@)::date, r.response)
          AS contacts,
        segmentation.send_hours(r.responded_at, @'zone'@) FILTER (WHERE r.response IS NOT NULL) AS hours
      FROM @(rows)@ AS r
      WHERE btrim(r.channel) <> '' AND r.sent_at IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows, 'zone', zone))
    WHEN 'interactions' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.interaction_history(r.kind, (r.occurred_at AT TIME ZONE @'zone'@)::date) AS interactions
      FROM @(rows)@ AS r
      WHERE btrim(r.kind) <> '' AND r.occurred_at IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows, 'zone', zone))
    WHEN 'consents' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.consent_history(
          segmentation_internal.workspace_channel(r.channel), coalesce(r.granted, false), r.changed_on) AS consents
      FROM @(rows)@ AS r
      WHERE btrim(r.channel) <> '' AND r.changed_on IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows))
    WHEN 'customers' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        r.attributes
        || CASE WHEN r.birth_date IS NULL THEN '{}' ELSE jsonb_build_object('birth_date', r.birth_date) END
        || CASE WHEN isfinite(r.birth_date)
             THEN jsonb_build_object('birth_year', extract(year FROM r.birth_date)::integer) ELSE '{}' END
          AS attributes
      FROM @(rows)@ AS r$q$, jsonb_build_object('rows', rows))
    WHEN 'companies' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer, r.attributes AS company FROM @(rows)@ AS r$q$, jsonb_build_object('rows', rows))
    WHEN 'attribute_history' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer, jsonb_agg(
          jsonb_build_object('attribute', r.attribute, 'changed_on', r.changed_on,
            'old', r.old_value, 'new', r.new_value)
          ORDER BY r.changed_on, r.attribute COLLATE "C", r.old_value COLLATE "C", r.new_value COLLATE "C")
        AS attribute_changes
      FROM @(rows)@ AS r
      WHERE r.attribute IS NOT NULL AND isfinite(r.changed_on)
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows))
    WHEN 'subscriptions' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer, jsonb_agg(
          jsonb_build_object('plan', r.plan, 'price', r.price, 'started_on', r.started_on, 'ended_on', r.ended_on)
          ORDER BY r.started_on, r.ended_on, r.plan COLLATE "C", r.price)
        AS subscriptions
      FROM @(rows)@ AS r
      WHERE r.started_on IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_fact_sql(text, text, text) IS
  'Part of refresh: what is made of the rows of a kind of source, one row a customer, as SQL.';

-- The facts by part, each a query with one row a customer.
CREATE FUNCTION segmentation_internal.workspace_fact_parts(ws text, batch text DEFAULT NULL)
RETURNS TABLE (part text, columns text[], query text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  zone text;
  settings jsonb := segmentation_internal.workspace_settings_now(ws);
  level text;
  lines text := segmentation_internal.workspace_rows_sql(ws, 'purchase_lines', batch);
  has_purchases boolean := false;
  has_categories boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT w.time_zone,
      EXISTS (SELECT FROM @ws@.source AS s WHERE s.kind = 'products' AND s.mapping ? 'category')
    FROM @ws@.workspace AS w$q$)
    INTO zone, has_categories;
  -- A batch is scored by the models in use: its items are of their level.
  IF batch IS NOT NULL THEN
    EXECUTE format($q$
      SELECT coalesce((SELECT p.settings FROM %s.parameter_set AS p WHERE p.status = 'in_use'), $1)$q$, ws)
      INTO settings USING settings;
  END IF;
  level := settings ->> 'product_level';

  FOR part, columns, query IN
    SELECT f.kind, f.columns, segmentation_internal.workspace_fact_sql(f.kind, r.rows, zone)
    FROM (VALUES
      (1, 'purchases', '{history}'::text[]), (2, 'contacts', '{contacts,hours}'), (3, 'interactions', '{interactions}'),
      (4, 'consents', '{consents}'), (5, 'customers', '{attributes}'), (6, 'companies', '{company}'),
      (7, 'attribute_history', '{attribute_changes}'), (8, 'subscriptions', '{subscriptions}')
    ) AS f (place, kind, columns)
    CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_rows_sql(ws, f.kind, batch)) AS r (rows)
    WHERE r.rows IS NOT NULL
    ORDER BY f.place
  LOOP
    has_purchases := has_purchases OR part = 'purchases';
    RETURN NEXT;
  END LOOP;

  IF lines IS NOT NULL THEN
    IF NOT has_purchases THEN
      part := 'purchases';
      columns := '{history}';
      query := segmentation_internal.workspace_fact_sql('purchase_lines', lines, zone);
      RETURN NEXT;
    END IF;
    part := 'lines';
    columns := CASE WHEN has_categories AND level = 'product' THEN '{items,categories}' ELSE '{items}' END;
    query := segmentation_internal.workspace_items_sql(lines,
      CASE WHEN has_categories OR level = 'category' THEN segmentation_internal.workspace_rows_sql(ws, 'products') END,
      level);
    RETURN NEXT;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_fact_parts(text, text) IS
  'Part of refresh: the facts by kind of source, as SQL with one row a customer.';

-- All parts side by side: relations are where the rows of a part are, columns what each has, as names with commas.
CREATE FUNCTION segmentation_internal.workspace_facts_sql(columns text[], relations text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH part AS (
    SELECT r.relation, format('p%s', r.place) AS alias, string_to_array(c.names, ',') AS columns, r.place
    FROM unnest(relations) WITH ORDINALITY AS r (relation, place)
    JOIN unnest(columns) WITH ORDINALITY AS c (names, place) ON c.place = r.place),
  fact (place, name, type) AS (
    VALUES (1, 'history', 'segmentation.purchase_history'), (2, 'items', 'segmentation.item_history'),
      (3, 'categories', 'segmentation.item_history'), (4, 'contacts', 'segmentation.contact_history'),
      (5, 'hours', 'segmentation.send_hours'), (6, 'interactions', 'segmentation.interaction_history'),
      (7, 'consents', 'segmentation.consent_history'), (8, 'attributes', 'jsonb'), (9, 'attribute_changes', 'jsonb'),
      (10, 'company', 'jsonb'), (11, 'subscriptions', 'jsonb'))
  SELECT segmentation_internal.fill(NULL, 'SELECT k.customer, @(facts)@ FROM (@(keys)@) AS k @(parts)@',
    jsonb_build_object(
      'facts', (
        SELECT string_agg(CASE WHEN p.alias IS NULL THEN format('NULL::%s AS %I', f.type, f.name)
            ELSE format('%s.%I', p.alias, f.name) END, ', ' ORDER BY f.place)
        FROM fact AS f LEFT JOIN part AS p ON f.name = ANY (p.columns)),
      'keys', (
        SELECT string_agg(format('SELECT r.customer FROM %s AS r', p.relation), ' UNION ' ORDER BY p.place)
        FROM part AS p),
      'parts', (
        SELECT string_agg(segmentation_internal.fill(NULL,
            'LEFT JOIN @(relation)@ AS @(alias)@ ON @(alias)@.customer = k.customer',
            jsonb_build_object('relation', p.relation, 'alias', p.alias)), ' ' ORDER BY p.place)
        FROM part AS p)));
END;
COMMENT ON FUNCTION segmentation_internal.workspace_facts_sql(text[], text[]) IS
  'Part of refresh: the parts of facts joined, one row a customer, as SQL.';

-- One part of the facts, into a table of its own.
CREATE FUNCTION segmentation_internal.workspace_stage_part(ws text, staged text, part text, query text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  twice text;
  wrong text;
  state text;
  message text;
  detail text;
  hint text;
BEGIN
  BEGIN
    EXECUTE segmentation_internal.fill(NULL, 'CREATE UNLOGGED TABLE @(staged)@ AS @(query)@',
      jsonb_build_object('staged', staged, 'query', query));
  EXCEPTION
    WHEN data_exception OR cardinality_violation OR undefined_table OR undefined_column OR insufficient_privilege
      OR undefined_function OR cannot_coerce
    THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
      -- In a source of millions of rows it has to be said which.
      IF state ~ '^22' THEN
        wrong := segmentation_internal.workspace_first_fault(ws,
          CASE part WHEN 'lines' THEN '{purchase_lines}' WHEN 'purchases' THEN '{purchases,purchase_lines}'
            ELSE ARRAY[part] END);
      END IF;
      RAISE EXCEPTION USING
        ERRCODE = state,
        MESSAGE = format('sources of %s cannot be read: %s', part, message),
        DETAIL = concat_ws(E'\n', wrong, NULLIF(detail, '')),
        HINT = CASE WHEN wrong IS NOT NULL
          THEN 'Put it right, or leave such rows out and count them: the setting bad_rows, skip.'
          ELSE coalesce(NULLIF(hint, ''), 'Look at segmentation.workspace_check, and at the relation itself.') END;
  END;
  EXECUTE format('SELECT customer::text FROM %s GROUP BY customer HAVING count(*) > 1 LIMIT 1', staged) INTO twice;
  IF twice IS NOT NULL THEN
    RAISE cardinality_violation USING
      MESSAGE = format('customer %s has more than one row in the source of %s', twice, part),
      HINT = 'A source of customers or companies has one row a customer: make a view that chooses one.';
  END IF;
  -- For the joins; the facts themselves have no order that a plan could use.
  EXECUTE format('ANALYZE %s (customer)', staged);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_part(text, text, text, text) IS
  'Part of refresh: the facts from one kind of source, into a staged table.';

-- Phase facts: the sources, read in one snapshot, into the unlogged table <stage>facts. With a batch (a relation with
-- a column customer) only its customers: so a full refresh and an incremental one read by the same SQL.
CREATE FUNCTION segmentation_internal.workspace_stage_facts(
  ws text, stage text DEFAULT 'stage_', batch text DEFAULT NULL
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fact record;
  columns text[] := '{}';
  relations text[] := '{}';
  facts constant text := format('%s.%I', ws, stage || 'facts');
  staged text;
  total bigint;
BEGIN
  IF batch IS NULL THEN
    PERFORM segmentation_internal.workspace_drop_stage(ws);
    -- What this snapshot sees of the queue is done with at the publication.
    EXECUTE segmentation_internal.fill(ws,
      'CREATE UNLOGGED TABLE @ws@.@snapshot@ AS SELECT pg_current_snapshot() AS snapshot',
      jsonb_build_object('snapshot', stage || 'snapshot'));
    PERFORM segmentation_internal.workspace_stage_watermarks(ws, stage);
    PERFORM segmentation_internal.workspace_stage_catalogue(ws, stage);
  END IF;
  FOR fact IN SELECT * FROM segmentation_internal.workspace_fact_parts(ws, batch) LOOP
    staged := format('%s.%I', ws, stage || 'part_' || fact.part);
    PERFORM segmentation_internal.workspace_stage_part(ws, staged, fact.part, fact.query);
    columns := columns || array_to_string(fact.columns, ',');
    relations := relations || staged;
  END LOOP;
  IF relations = '{}' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'the workspace has no source',
      HINT = 'Add one: SELECT segmentation.add_source(workspace, ''purchases'', ''orders'').';
  END IF;
  EXECUTE segmentation_internal.fill(NULL, 'CREATE UNLOGGED TABLE @(facts)@ AS @(query)@',
    jsonb_build_object('facts', facts,
      'query', segmentation_internal.workspace_facts_sql(columns, relations)));
  GET DIAGNOSTICS total = ROW_COUNT;
  EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (customer)', facts);
  EXECUTE format('ANALYZE %s', facts);
  EXECUTE format('DROP TABLE %s', array_to_string(relations, ', '));
  RETURN total;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_facts(text, text, text) IS
  'Phase facts of refresh: reads all sources, or the rows of a batch of customers, into a staged table. Returns the '
  'number of customers.';

-- The products as the offers see them: those of the last full refresh, whose rows belong to no customer.
CREATE FUNCTION segmentation_internal.workspace_stage_catalogue(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows text := segmentation_internal.workspace_rows_sql(ws, 'products');
  catalogue constant text := stage || 'catalogue';
BEGIN
  IF rows IS NULL THEN
    EXECUTE segmentation_internal.fill(ws,
      'CREATE UNLOGGED TABLE @ws@.@catalogue@ AS SELECT * FROM @ws@.product WITH NO DATA',
      jsonb_build_object('catalogue', catalogue));
  ELSE
    -- One row a product, as for the categories of lines; a name of several, and the least stock and margin, to be
    -- careful.
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE UNLOGGED TABLE @ws@.@catalogue@ AS
      SELECT r.product, min(r.category COLLATE "C") AS category, min(r.name COLLATE "C") AS name,
        min(r.margin)::numeric AS margin, min(r.price)::numeric AS price, min(r.stock)::numeric AS stock
      FROM @(rows)@ AS r
      WHERE r.product IS NOT NULL
      GROUP BY r.product$q$,
      jsonb_build_object('catalogue', catalogue, 'rows', rows));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_catalogue(text, text) IS
  'Part of refresh: the products of the source, one row each, into a staged table.';

-- What an earlier refresh left behind when it was killed.
CREATE FUNCTION segmentation_internal.workspace_drop_stage(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  staged regclass;
BEGIN
  FOR staged IN
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE quote_ident(n.nspname) = ws AND c.relname LIKE 'stage\_%' AND c.relkind = 'r'
  LOOP
    EXECUTE format('DROP TABLE %s', staged);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_drop_stage(text) IS
  'Part of refresh: drops the tables stage_* of a workspace.';
