-- Facts: what is known of each customer, read from the sources. A full refresh and an incremental one read by the
-- same SQL; the latter adds a condition on the customer. So both come to the same facts.

-- The rows of all sources of a kind, with one column a field of workspace_field, in their types; NULL if there is
-- no source. With a batch (a relation with a column customer), only the rows of its customers.
CREATE FUNCTION segmentation_internal.workspace_rows_sql(ws text, kind text, batch text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  source record;
  field record;
  given regtype;
  columns text[];
  customer text;
  parts text[] := '{}';
  several boolean;
  whole constant boolean := kind IN ('customers', 'companies');
BEGIN
  EXECUTE format('SELECT key_type::regtype, (SELECT count(*) > 1 FROM %1$s.source WHERE kind = $1) FROM %1$s.workspace', ws)
    INTO key, several USING kind;
  FOR source IN EXECUTE format('SELECT * FROM %s.source WHERE kind = $1 ORDER BY source', ws) USING kind LOOP
    columns := '{}';
    IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.relation) THEN
      RAISE undefined_table USING
        MESSAGE = format('a source of %s was dropped (it was relation %s)', kind, source.relation::oid),
        HINT = format('SELECT segmentation.remove_source(workspace, %L, ''%s'')', kind, source.relation::oid);
    END IF;
    FOR field IN SELECT f.* FROM segmentation.workspace_field AS f WHERE f.kind = workspace_rows_sql.kind ORDER BY f.place LOOP
      IF NOT source.mapping ? field.field THEN
        columns := columns || format('NULL::%s AS %I', CASE field.type WHEN 'key' THEN key::text WHEN 'day' THEN 'date'
          WHEN 'instant' THEN 'timestamptz' WHEN 'number' THEN 'numeric' ELSE field.type END, field.field);
        CONTINUE;
      END IF;
      SELECT segmentation_internal.workspace_base_type(a.atttypid) INTO given FROM pg_attribute AS a
      WHERE a.attrelid = source.relation AND a.attname = source.mapping ->> field.field AND NOT a.attisdropped;
      IF NOT FOUND THEN
        RAISE undefined_column USING
          MESSAGE = format('source %s of %s has lost its column "%s"', source.relation, kind, source.mapping ->> field.field),
          HINT = 'Call add_source again with a new mapping, or remove_source.';
      END IF;
      columns := columns || format(CASE field.type
          WHEN 'key' THEN '%5$s AS %2$I'
          WHEN 'day' THEN CASE given::text WHEN 'date' THEN 's.%1$I AS %2$I' WHEN 'timestamp without time zone' THEN 's.%1$I::date AS %2$I'
                               ELSE '(s.%1$I AT TIME ZONE %4$L)::date AS %2$I' END
          WHEN 'instant' THEN CASE given::text WHEN 'timestamp with time zone' THEN 's.%1$I AS %2$I'
                               ELSE '(s.%1$I::timestamp AT TIME ZONE %4$L) AS %2$I' END
          WHEN 'number' THEN CASE WHEN several OR given = ANY ('{numeric,money}'::regtype[]) THEN 's.%1$I::numeric AS %2$I'
                                  WHEN given = ANY ('{real,double precision}'::regtype[]) THEN 's.%1$I::double precision AS %2$I'
                                  ELSE 's.%1$I::bigint AS %2$I' END
          WHEN 'boolean' THEN 's.%1$I AS %2$I'
          ELSE 's.%1$I::text AS %2$I' END,
        source.mapping ->> field.field, field.field, key, source.time_zone, CASE field.type WHEN 'key' THEN segmentation_internal.workspace_key_sql(format('s.%I', source.mapping ->> field.field), given, key) END);
    END LOOP;
    IF whole THEN
      columns := columns || format('to_jsonb(s) - %L AS attributes', source.mapping ->> 'customer');
    END IF;
    IF source.mapping ? 'customer' THEN
      SELECT CASE WHEN a.atttypid = key OR (a.atttypid = ANY ('{smallint,integer,bigint}'::regtype[]) AND key = ANY ('{smallint,integer,bigint}'::regtype[]))
        THEN format('s.%I', a.attname) ELSE segmentation_internal.workspace_key_sql(format('s.%I', a.attname), a.atttypid, key) END INTO customer
      FROM pg_attribute AS a WHERE a.attrelid = source.relation AND a.attname = source.mapping ->> 'customer' AND NOT a.attisdropped;
      parts := parts || format('SELECT %s FROM %s AS s WHERE %s IS NOT NULL%s', array_to_string(columns, ', '), source.relation, customer,
        CASE WHEN batch IS NOT NULL THEN format(' AND %s IN (SELECT b.customer FROM %s AS b)', customer, batch) ELSE '' END);
    ELSE
      parts := parts || format('SELECT %s FROM %s AS s', array_to_string(columns, ', '), source.relation);
    END IF;
  END LOOP;
  RETURN CASE WHEN parts <> '{}' THEN '(' || array_to_string(parts, ' UNION ALL ') || ')' END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_rows_sql(text, text, text) IS 'Part of refresh: the rows of all sources of a kind, as SQL.';

-- The facts by part, each a query with one row a customer.
CREATE FUNCTION segmentation_internal.workspace_fact_parts(ws text, batch text DEFAULT NULL)
RETURNS TABLE (part text, columns text[], query text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  zone text;
  settings jsonb := segmentation_internal.workspace_settings_now(ws);
  rows text;
  categories boolean;
BEGIN
  EXECUTE format('SELECT time_zone FROM %s.workspace', ws) INTO zone;

  -- A batch is scored by the models in use: its items are of their level.
  IF batch IS NOT NULL THEN
    EXECUTE format('SELECT coalesce((SELECT p.settings FROM %s.parameter_set AS p WHERE p.status = ''in_use''), $1)', ws) INTO settings USING settings;
  END IF;

  part := 'purchases'; columns := '{history}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'purchases', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, segmentation.purchase_history(r.purchased_on, r.amount) AS history FROM %s AS r GROUP BY r.customer', rows);
    RETURN NEXT;
  ELSE
    -- Lines are netted by order: an order with a line sent back at once is still one purchase.
    rows := segmentation_internal.workspace_rows_sql(ws, 'purchase_lines', batch);
    IF rows IS NOT NULL THEN
      query := format('SELECT o.customer, segmentation.purchase_history(o.purchased_on, o.amount) AS history
        FROM (SELECT r.customer, r."order", r.purchased_on, sum(r.amount) AS amount FROM %s AS r GROUP BY r.customer, r."order", r.purchased_on) AS o
        GROUP BY o.customer', rows);
      RETURN NEXT;
    END IF;
  END IF;

  part := 'lines';
  rows := segmentation_internal.workspace_rows_sql(ws, 'purchase_lines', batch);
  IF rows IS NOT NULL THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s.source WHERE kind = ''products'' AND mapping ? ''category'')', ws) INTO categories;
    columns := CASE WHEN categories AND settings ->> 'product_level' = 'product' THEN '{items,categories}' ELSE '{items}' END;
    query := segmentation_internal.workspace_items_sql(rows, CASE WHEN categories OR settings ->> 'product_level' = 'category' THEN segmentation_internal.workspace_rows_sql(ws, 'products') END, settings ->> 'product_level');
    RETURN NEXT;
  END IF;

  part := 'contacts'; columns := '{contacts,hours}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'contacts', batch);
  IF rows IS NOT NULL THEN
    query := segmentation_internal.workspace_contacts_sql(rows, zone);
    RETURN NEXT;
  END IF;

  part := 'interactions'; columns := '{interactions}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'interactions', batch);
  IF rows IS NOT NULL THEN
    query := segmentation_internal.workspace_interactions_sql(rows, zone);
    RETURN NEXT;
  END IF;

  part := 'consents'; columns := '{consents}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'consents', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, segmentation.consent_history(r.channel, coalesce(r.granted, false), r.changed_on) AS consents
      FROM %s AS r WHERE r.channel IS NOT NULL AND r.changed_on IS NOT NULL GROUP BY r.customer', rows);
    RETURN NEXT;
  END IF;

  part := 'customers'; columns := '{attributes}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'customers', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, r.attributes || CASE WHEN r.birth_date IS NULL THEN ''{}'' ELSE jsonb_build_object(''birth_date'', r.birth_date) || CASE WHEN isfinite(r.birth_date) THEN jsonb_build_object(''birth_year'', extract(year FROM r.birth_date)::integer) ELSE ''{}'' END END AS attributes FROM %s AS r', rows);
    RETURN NEXT;
  END IF;

  part := 'companies'; columns := '{company}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'companies', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, r.attributes AS company FROM %s AS r', rows);
    RETURN NEXT;
  END IF;

  part := 'attribute_history'; columns := '{attribute_changes}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'attribute_history', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, jsonb_agg(jsonb_build_object(''attribute'', r.attribute, ''changed_on'', r.changed_on, ''old'', r.old_value, ''new'', r.new_value)
        ORDER BY r.changed_on, r.attribute COLLATE "C", r.old_value COLLATE "C", r.new_value COLLATE "C") AS attribute_changes
      FROM %s AS r WHERE r.attribute IS NOT NULL AND isfinite(r.changed_on) GROUP BY r.customer', rows);
    RETURN NEXT;
  END IF;

  part := 'subscriptions'; columns := '{subscriptions}';
  rows := segmentation_internal.workspace_rows_sql(ws, 'subscriptions', batch);
  IF rows IS NOT NULL THEN
    query := format('SELECT r.customer, jsonb_agg(jsonb_build_object(''plan'', r.plan, ''price'', r.price, ''started_on'', r.started_on, ''ended_on'', r.ended_on)
        ORDER BY r.started_on, r.ended_on, r.plan COLLATE "C", r.price) AS subscriptions
      FROM %s AS r WHERE r.started_on IS NOT NULL GROUP BY r.customer', rows);
    RETURN NEXT;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_fact_parts(text, text) IS 'Part of refresh: the facts by kind of source, as SQL with one row a customer.';

-- What was bought: products with their categories beside them, or categories alone. A line whose product has no category
-- counts for no category, and one whose product has two rows counts once.
CREATE FUNCTION segmentation_internal.workspace_items_sql(rows text, products text, level text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN level = 'product' AND products IS NOT NULL
    THEN format('SELECT r.customer, segmentation.item_history(r.product, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric) AS items,
        segmentation.item_history(p.category, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric) FILTER (WHERE p.category IS NOT NULL) AS categories
      FROM %s AS r LEFT JOIN (SELECT q.product, min(q.category COLLATE "C") AS category FROM %s AS q GROUP BY q.product) AS p ON p.product = r.product WHERE r.product IS NOT NULL GROUP BY r.customer', rows, products)
    WHEN products IS NULL
    THEN format('SELECT r.customer, segmentation.item_history(r.product, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric) AS items
      FROM %s AS r WHERE r.product IS NOT NULL GROUP BY r.customer', rows)
    ELSE format('SELECT r.customer, segmentation.item_history(p.category, r.purchased_on, coalesce(r.quantity, 1)::numeric, r.amount::numeric) AS items
      FROM %s AS r JOIN (SELECT q.product, min(q.category COLLATE "C") AS category FROM %s AS q GROUP BY q.product) AS p ON p.product = r.product WHERE p.category IS NOT NULL GROUP BY r.customer', rows, products) END;
COMMENT ON FUNCTION segmentation_internal.workspace_items_sql(text, text, text) IS 'Part of refresh: products bought by customer, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_contacts_sql(rows text, zone text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('SELECT r.customer, segmentation.contact_history(r.channel, (r.sent_at AT TIME ZONE %1$L)::date, r.response) AS contacts,
      segmentation.send_hours(r.responded_at, %1$L) FILTER (WHERE r.response IS NOT NULL) AS hours
    FROM %2$s AS r WHERE r.channel IS NOT NULL AND r.sent_at IS NOT NULL GROUP BY r.customer', zone, rows);
COMMENT ON FUNCTION segmentation_internal.workspace_contacts_sql(text, text) IS 'Part of refresh: contacts and hours of responses by customer, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_interactions_sql(rows text, zone text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('SELECT r.customer, segmentation.interaction_history(r.kind, (r.occurred_at AT TIME ZONE %L)::date) AS interactions
    FROM %s AS r WHERE r.kind IS NOT NULL AND r.occurred_at IS NOT NULL GROUP BY r.customer', zone, rows);
COMMENT ON FUNCTION segmentation_internal.workspace_interactions_sql(text, text) IS 'Part of refresh: visits and calls by customer, as SQL.';

-- All parts side by side. relation(part) is where a part's rows are.
CREATE FUNCTION segmentation_internal.workspace_facts_sql(ws text, parts text[], columns text[], relations text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT format('SELECT k.customer, %s FROM (%s) AS k %s',
      string_agg(CASE WHEN has.n IS NULL THEN format('NULL::%s AS %I', fact.type, fact.name) ELSE format('p%s.%I', has.n, fact.name) END, ', ' ORDER BY fact.place),
      (SELECT string_agg(format('SELECT r.customer FROM %s AS r', r.name), ' UNION ' ORDER BY r.n) FROM unnest(relations) WITH ORDINALITY AS r (name, n)),
      (SELECT string_agg(format('LEFT JOIN %s AS p%s ON p%2$s.customer = k.customer', r.name, r.n), ' ' ORDER BY r.n)
       FROM unnest(relations) WITH ORDINALITY AS r (name, n)))
    FROM (VALUES (1, 'history', 'segmentation.purchase_history'), (2, 'items', 'segmentation.item_history'), (3, 'categories', 'segmentation.item_history'),
                 (4, 'contacts', 'segmentation.contact_history'), (5, 'hours', 'segmentation.send_hours'), (6, 'interactions', 'segmentation.interaction_history'),
                 (7, 'consents', 'segmentation.consent_history'), (8, 'attributes', 'jsonb'), (9, 'attribute_changes', 'jsonb'),
                 (10, 'company', 'jsonb'), (11, 'subscriptions', 'jsonb')) AS fact (place, name, type)
    LEFT JOIN LATERAL (
      SELECT c.n FROM unnest(columns) WITH ORDINALITY AS c (names, n) WHERE fact.name = ANY (string_to_array(c.names, ','))) AS has ON true);
COMMENT ON FUNCTION segmentation_internal.workspace_facts_sql(text, text[], text[], text[]) IS 'Part of refresh: the parts of facts joined, one row a customer, as SQL.';

-- Phase facts: the sources, read in one snapshot, into the unlogged table <stage>facts. With a batch (a relation with
-- a column customer) only its customers: so a full refresh and an incremental one read by the same SQL.
CREATE FUNCTION segmentation_internal.workspace_stage_facts(ws text, stage text DEFAULT 'stage_', batch text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  parts text[] := '{}';
  columns text[] := '{}';
  relations text[] := '{}';
  total bigint;
  twice text;
  made text;
BEGIN
  IF batch IS NULL THEN
    PERFORM segmentation_internal.workspace_drop_stage(ws);
    -- What this snapshot sees of the queue is done with at the publication.
    EXECUTE format('CREATE UNLOGGED TABLE %s.%I AS SELECT pg_current_snapshot() AS snapshot', ws, stage || 'snapshot');
    PERFORM segmentation_internal.workspace_stage_watermarks(ws, stage);
    PERFORM segmentation_internal.workspace_stage_catalogue(ws, stage);
  END IF;
  FOR held IN SELECT * FROM segmentation_internal.workspace_fact_parts(ws, batch) AS p WHERE p.query IS NOT NULL LOOP
    made := format('%s.%I', ws, stage || 'part_' || held.part);
    BEGIN
      EXECUTE format('CREATE UNLOGGED TABLE %s AS %s', made, held.query);
    EXCEPTION WHEN data_exception OR cardinality_violation OR undefined_table OR undefined_column OR insufficient_privilege OR undefined_function OR cannot_coerce THEN
      DECLARE
        state text; message text; detail text; hint text;
      BEGIN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = format('sources of %s cannot be read: %s', held.part, message), DETAIL = detail,
          HINT = coalesce(NULLIF(hint, ''), 'Look at segmentation.workspace_check, and at the relation itself.');
      END;
    END;
    EXECUTE format('SELECT customer::text FROM %s GROUP BY customer HAVING count(*) > 1 LIMIT 1', made) INTO twice;
    IF twice IS NOT NULL THEN
      RAISE cardinality_violation USING
        MESSAGE = format('customer %s has more than one row in the source of %s', twice, held.part),
        HINT = 'A source of customers or companies has one row a customer: make a view that chooses one.';
    END IF;
    -- For the joins; the facts themselves have no order that a plan could use.
    EXECUTE format('ANALYZE %s (customer)', made);
    parts := parts || held.part;
    columns := columns || array_to_string(held.columns, ',');
    relations := relations || made;
  END LOOP;
  IF parts = '{}' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'the workspace has no source',
      HINT = 'Add one: SELECT segmentation.add_source(workspace, ''purchases'', ''orders'').';
  END IF;
  made := format('%s.%I', ws, stage || 'facts');
  EXECUTE format('CREATE UNLOGGED TABLE %s AS %s', made, segmentation_internal.workspace_facts_sql(ws, parts, columns, relations));
  GET DIAGNOSTICS total = ROW_COUNT;
  EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (customer)', made);
  EXECUTE format('ANALYZE %s', made);
  EXECUTE (SELECT string_agg(format('DROP TABLE %s;', r.name), ' ') FROM unnest(relations) AS r (name));
  RETURN total;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_facts(text, text, text) IS
  'Phase facts of refresh: reads all sources, or the rows of a batch of customers, into a staged table. Returns the number of customers.';

-- The products as the offers see them: those of the last full refresh, whose rows belong to no customer.
CREATE FUNCTION segmentation_internal.workspace_stage_catalogue(ws text, stage text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows text := segmentation_internal.workspace_rows_sql(ws, 'products');
BEGIN
  -- One row a product, as for the categories of lines; a name of several, and the least stock and margin, to be careful.
  EXECUTE CASE WHEN rows IS NULL THEN format('CREATE UNLOGGED TABLE %s.%I AS SELECT * FROM %1$s.product WITH NO DATA', ws, stage || 'catalogue')
    ELSE format('CREATE UNLOGGED TABLE %s.%I AS SELECT r.product, min(r.category COLLATE "C") AS category, min(r.name COLLATE "C") AS name,
        min(r.margin)::numeric AS margin, min(r.price)::numeric AS price, min(r.stock)::numeric AS stock
      FROM %s AS r WHERE r.product IS NOT NULL GROUP BY r.product', ws, stage || 'catalogue', rows) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_catalogue(text, text) IS 'Part of refresh: the products of the source, one row each, into a staged table.';

-- What an earlier refresh left behind when it was killed.
CREATE FUNCTION segmentation_internal.workspace_drop_stage(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
BEGIN
  FOR held IN
    SELECT c.oid::regclass AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE quote_ident(n.nspname) = ws AND c.relname LIKE 'stage\_%' AND c.relkind = 'r'
  LOOP
    EXECUTE format('DROP TABLE %s', held.name);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_drop_stage(text) IS 'Part of refresh: drops the tables stage_* of a workspace.';
