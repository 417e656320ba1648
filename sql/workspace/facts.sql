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
  columns text[] := '{}';
BEGIN
  FOR field IN
    SELECT f.field AS name, f.type, g.name AS column_name,
      segmentation_internal.workspace_base_type(g.type) AS given
    FROM segmentation.workspace_field AS f
    LEFT JOIN segmentation_internal.workspace_given(workspace_source_columns.kind, relation, mapping) AS g
      ON g.field = f.field
    WHERE f.kind = workspace_source_columns.kind
    ORDER BY f.place
  LOOP
    columns := columns || CASE WHEN field.column_name IS NULL
      THEN format('NULL::%s AS %I', segmentation_internal.workspace_field_type(field.type, key), field.name)
      ELSE format('%s AS %I', segmentation_internal.workspace_field_sql(
        field.type, field.column_name, field.given, key, zone, several), field.name) END;
  END LOOP;
  IF kind IN ('customers', 'companies') THEN
    -- Blanks at the end of char(n) do not count in SQL, nor do they here.
    columns := columns || CASE WHEN segmentation_internal.workspace_computed(mapping) THEN 's.attributes'
      ELSE format('%s(s) - %L AS attributes', CASE WHEN EXISTS (
          SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
            AND segmentation_internal.workspace_base_type(a.atttypid) = 'character'::regtype)
        THEN 'segmentation_internal.row_attributes' ELSE 'to_jsonb' END, mapping ->> 'customer') END;
  END IF;
  RETURN array_to_string(columns, ', ');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_source_columns(text, regclass, jsonb, regtype, text, boolean) IS
  'Part of refresh: the fields of a source, as a list of SQL expressions.';

-- The customer of a row as what it is compared with: integers of any width as they are, so that an index is of use.
CREATE FUNCTION segmentation_internal.workspace_compared_sql(
  kind text, relation regclass, mapping jsonb, key regtype
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE
      WHEN g.type = ANY ('{smallint,integer,bigint}'::regtype[])
        AND key = ANY ('{smallint,integer,bigint}'::regtype[])
        THEN format('s.%I', g.name)
      ELSE segmentation_internal.workspace_key_sql(format('s.%I', g.name), g.type, key) END
    FROM segmentation_internal.workspace_given(kind, relation, mapping, 'customer') AS g);
COMMENT ON FUNCTION segmentation_internal.workspace_compared_sql(text, regclass, jsonb, regtype) IS
  'Part of refresh: the customer of a row of a source, for a comparison with keys, as SQL.';

-- Money

-- Parts of ten of a currency's unit (ISO 4217): what amounts in minor units are multiplied by.
CREATE FUNCTION segmentation_internal.currency_minor_unit(currency text) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
      'XAF', 'XOF', 'XPF') THEN 1
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 0.001
    ELSE 0.01 END;
COMMENT ON FUNCTION segmentation_internal.currency_minor_unit(text) IS
  'Part of refresh: what the minor unit of a currency is worth in its unit: .01, or 1 or .001 by ISO 4217.';

CREATE FUNCTION segmentation_internal.workspace_no_rate(currency text, day date) RETURNS numeric
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE invalid_parameter_value USING MESSAGE = format('there is no rate of %s on %s', currency, day);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_no_rate(text, date) IS
  'Part of refresh: the error of an amount that cannot be converted.';

-- Whether amounts of a kind have to be converted: they may be in several currencies.
CREATE FUNCTION segmentation_internal.workspace_converted(ws text, kind text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  converted boolean;
BEGIN
  EXECUTE format('SELECT bool_or(s.mapping ? ''currency'') FROM ONLY %s.source AS s WHERE s.kind = $1', ws)
    INTO converted USING kind;
  RETURN coalesce(converted, false);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_converted(text, text) IS
  'Part of refresh: whether a source of a kind has a currency.';

-- Rows of a source with their money in the workspace's currency: amounts by the rate of the last day at or before
-- theirs, rounded to four decimals, half away from zero; minor units as units. given is what they were before. The
-- currency of what cannot be converted is left, that of all else is null.
CREATE FUNCTION segmentation_internal.workspace_money_sql(ws text, kind text, rows text, refused boolean) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  own constant text := upper(btrim(settings ->> 'currency'));
  minor constant boolean := (settings -> 'minor_units')::boolean;
  converted constant boolean := segmentation_internal.workspace_converted(ws, kind);
  money text;
  columns text;
BEGIN
  SELECT string_agg(
      CASE
        WHEN converted AND f.field = 'currency'
          THEN 'CASE WHEN m.code IS NOT NULL AND m.rate IS NULL THEN m.code END AS currency'
        WHEN converted AND f.field = 'amount' THEN segmentation_internal.fill(NULL, $q$
          CASE WHEN m.code IS NULL THEN m.amount::numeric@(own_unit)@
            @(refused)@ELSE round(m.amount::numeric * m.rate@(unit)@, 4) END AS amount$q$,
          jsonb_build_object(
            'own_unit', CASE WHEN minor THEN format(' * %s', segmentation_internal.currency_minor_unit(own))
              ELSE '' END,
            'unit', CASE WHEN minor THEN ' * segmentation_internal.currency_minor_unit(m.code)' ELSE '' END,
            'refused', CASE WHEN refused
              THEN 'WHEN m.rate IS NULL AND m.amount IS NOT NULL AND m.purchased_on IS NOT NULL '
              'THEN segmentation_internal.workspace_no_rate(m.code, m.purchased_on) ' ELSE '' END))
        WHEN minor AND f.field IN ('amount', 'price') THEN format('m.%1$I::numeric * %2$s AS %1$I', f.field,
          segmentation_internal.currency_minor_unit(own))
        ELSE format('m.%I', f.field) END, ', ' ORDER BY f.place),
      string_agg(f.field, '') FILTER (WHERE f.field IN ('amount', 'price'))
    INTO columns, money
  FROM segmentation.workspace_field AS f
  WHERE f.kind = workspace_money_sql.kind;
  IF money IS NULL OR NOT (converted OR minor) THEN
    RETURN rows;
  ELSIF NOT converted THEN
    RETURN segmentation_internal.fill(NULL, 'SELECT @(columns)@ FROM (@(rows)@) AS m',
      jsonb_build_object('columns', columns, 'rows', rows));
  END IF;
  RETURN segmentation_internal.fill(ws, $q$
    SELECT @(columns)@, m.amount::numeric AS given
    FROM (
      SELECT m.*, x.rate
      FROM (SELECT m.*, NULLIF(NULLIF(upper(btrim(m.currency)), ''), @'own'@) AS code FROM (@(rows)@) AS m) AS m
      LEFT JOIN LATERAL (
        SELECT x.rate
        FROM @ws@.currency_rate AS x
        WHERE x.currency = m.code AND x.valid_from <= m.purchased_on
        ORDER BY x.valid_from DESC LIMIT 1) AS x ON true) AS m$q$,
    jsonb_build_object('columns', columns, 'own', own, 'rows', rows));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_money_sql(text, text, text, boolean) IS
  'Part of refresh: rows of a source with their money in the units of the workspace''s currency, as SQL.';

-- Currencies without any rate are refused before anything is read, all of them at once.
CREATE FUNCTION segmentation_internal.workspace_check_currencies(ws text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  s record;
  found text;
  lacking text;
BEGIN
  FOR s IN EXECUTE format($q$
    SELECT s.source, s.kind, s.relation, s.mapping ->> 'currency' AS "column" FROM %s.source AS s
    WHERE s.kind IN ('purchases', 'purchase_lines') AND s.mapping ? 'currency' ORDER BY s.source$q$, ws)
  LOOP
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT string_agg(format('%s (%s)', c.currency, c.rows), ', ' ORDER BY c.rows DESC, c.currency),
        string_agg(format('%s from %s on', c.currency, c.since), ', ' ORDER BY c.rows DESC, c.currency)
          FILTER (WHERE c.currency <> @'own'@ AND NOT EXISTS (
            SELECT FROM @ws@.currency_rate AS x WHERE x.currency = c.currency AND x.valid_from <= c.since))
      FROM (
        SELECT coalesce(NULLIF(upper(btrim(r.currency)), ''), @'own'@) AS currency, count(*) AS rows,
          min(r.purchased_on) AS since
        FROM @(rows)@ AS r
        WHERE r.amount IS NOT NULL AND r.purchased_on IS NOT NULL AND r.customer IS NOT NULL
        GROUP BY 1) AS c$q$,
      jsonb_build_object('own', upper(btrim(settings ->> 'currency')),
        'rows', segmentation_internal.workspace_given_rows_sql(ws, s.source, false)))
      INTO found, lacking;
    IF lacking IS NOT NULL THEN
      RAISE invalid_parameter_value USING
        MESSAGE = format('amounts of %s are in other currencies than %s, and there is no rate of: %s', s.relation,
          settings ->> 'currency', lacking),
        DETAIL = format('Column "%s" has (rows): %s.', s."column", found),
        HINT = format('INSERT INTO %s.currency_rate (currency, valid_from, rate): what one unit is worth in %s from a '
          'day on. Or change the setting currency, or leave such rows out and count them: the setting bad_rows, skip.',
          ws, settings ->> 'currency');
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_check_currencies(text) IS
  'Part of refresh: an error if a source has amounts in currencies of which no rate is known.';

-- The table of rates, if it is not there.
CREATE FUNCTION segmentation_internal.workspace_make_rates(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass(ws || '.currency_rate') IS NULL THEN
    EXECUTE format($q$
      CREATE TABLE %s.currency_rate (
        currency text NOT NULL CHECK (currency = upper(btrim(currency)) AND currency <> ''),
        valid_from date NOT NULL,
        rate numeric NOT NULL CHECK (rate > 0 AND rate < 'Infinity'),
        PRIMARY KEY (currency, valid_from)
      )$q$, ws);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_rates(text) IS
  'Part of create_workspace: the table of rates.';

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
    customer := segmentation_internal.workspace_compared_sql(kind, source.relation, source.mapping, key);
    parts := parts || segmentation_internal.fill(NULL, 'SELECT @(columns)@ FROM @(relation)@ AS s@(condition)@',
      jsonb_build_object(
        'columns', segmentation_internal.workspace_source_columns(
          kind, source.relation, source.mapping, key, source.time_zone, several),
        'relation', segmentation_internal.workspace_read(kind, source.relation, source.mapping),
        'condition', concat(
          -- Blanks are no key: all who have none would be one customer.
          ' WHERE ' || CASE WHEN key = ANY ('{text,varchar}'::regtype[]) THEN 'btrim(' || customer || ') <> '''''
            ELSE customer || ' IS NOT NULL' END,
          ' AND ' || customer || ' IN (SELECT b.customer FROM ' || batch || ' AS b)')));
    parts := parts[:cardinality(parts) - 1]
      || segmentation_internal.workspace_money_sql(ws, kind, parts[cardinality(parts)], NOT skips);
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

-- Lines that are no products (postage, bank charges, adjustments), by the setting not_products: texts as they are
-- written, * for anything, in capitals or not. A condition over a row r; NULL if nothing is named.
CREATE FUNCTION segmentation_internal.workspace_not_product_sql(patterns jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT format('coalesce(r.product ~* %L, false)', '^\s*(?:' || string_agg(
      replace(regexp_replace(btrim(e.pattern), '([.^$|()\[\]{}?+\\])', '\\\1', 'g'), '*', '.*'), '|'
      ORDER BY e.place) || ')\s*$')
    FROM jsonb_array_elements_text(patterns) WITH ORDINALITY AS e (pattern, place));
COMMENT ON FUNCTION segmentation_internal.workspace_not_product_sql(jsonb) IS
  'Part of refresh: whether a line r is no product, by the setting not_products, as SQL.';

-- The number of the order that a row r is of: a refund is of the order that it names.
CREATE FUNCTION segmentation_internal.workspace_number_sql() RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN $q$coalesce(CASE WHEN r.amount < 0 THEN NULLIF(r.refund_of, '') END, NULLIF(r."order", ''))$q$;
COMMENT ON FUNCTION segmentation_internal.workspace_number_sql() IS
  'Part of refresh: the number of the order that a row is of, as SQL.';

-- Purchases whose numbers are each that of one row, with what refunds that name them took away: rows and refunds meet
-- once. What names an order that is not there is one by itself.
CREATE FUNCTION segmentation_internal.workspace_refunded_sql(rows text, converted boolean, carried text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$
      SELECT coalesce(r.customer, b.customer) AS customer,
        CASE WHEN r.amount >= 0 THEN r.purchased_on ELSE LEAST(r.purchased_on, b.purchased_on) END AS purchased_on,
        CASE WHEN b.customer IS NULL THEN r.amount ELSE coalesce(r.amount, 0) + b.amount END AS amount,
        coalesce(r.amount >= 0 AND (b.customer IS NULL OR r.given + b.given > 0), false) AS purchase,
        b.customer IS NULL AS loose@(both)@
      FROM (
        SELECT r.customer, NULLIF(r."order", '') AS number, r.purchased_on, r.amount::numeric AS amount,
          @(given)@::numeric AS given@(each)@
        FROM @(rows)@ AS r
        WHERE r.purchased_on IS NOT NULL AND r.amount IS NOT NULL
          AND (r.amount >= 0 OR NULLIF(r.refund_of, '') IS NULL)) AS r
      FULL JOIN (
        SELECT r.customer, NULLIF(r.refund_of, '') AS number, min(r.purchased_on) AS purchased_on,
          sum(r.amount::numeric) AS amount, sum(@(given)@::numeric) AS given@(all)@
        FROM @(rows)@ AS r
        WHERE r.amount < 0 AND NULLIF(r.refund_of, '') IS NOT NULL AND r.purchased_on IS NOT NULL
        GROUP BY r.customer, NULLIF(r.refund_of, '')) AS b
        ON b.customer = r.customer AND b.number = r.number$q$,
    jsonb_build_object('rows', rows,
      -- What was sent back at another rate came back all the same.
      'given', CASE WHEN converted THEN 'r.given' ELSE 'r.amount' END,
      'each', coalesce((SELECT string_agg(format(', r.%I', c), '') FROM unnest(carried) AS c), ''),
      'all', coalesce((SELECT string_agg(format(', array_agg(r.%I) AS %I', c, c), '') FROM unnest(carried) AS c), ''),
      'both', coalesce((
        SELECT string_agg(
          format(', CASE WHEN r.customer IS NULL THEN b.%1$I ELSE ARRAY[r.%1$I] || b.%1$I END AS %1$I', c), '')
        FROM unnest(carried) AS c), '')));
COMMENT ON FUNCTION segmentation_internal.workspace_refunded_sql(text, boolean, text[]) IS
  'Part of refresh: the orders that rows of purchases come to, each with what refunds of it took away, as SQL.';

-- The rows of purchases or lines as orders, one row each: on the day on which it was bought, with what it came to in
-- the end, and whether it is a purchase. Rows with the number of an order are one order, over midnight, in several
-- parcels, with a price put right or goods sent back later; else each row is one. Lines without a number are one order
-- a day. netted: of purchases, whether that is so for all numbers ('all'), for those that refunds name, where a number
-- is that of one row ('refunds'), or for none.
--
-- It is a purchase if goods were bought and not all of them came back: their lines come to more than nothing, or none
-- was sent back (a gift). What else was charged (service, a condition over r) is in the amount and decides nothing.
-- loose: a refund that does not say of which order it is, or an order it may be of. carried: columns of each row that
-- are kept, as arrays.
CREATE FUNCTION segmentation_internal.workspace_netted_sql(
  kind text, rows text, netted text, service text, converted boolean, carried text[] DEFAULT '{}'
) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN kind = 'purchases' AND netted = 'refunds'
      THEN segmentation_internal.workspace_refunded_sql(rows, converted, carried)
    ELSE concat_ws(' UNION ALL ',
      CASE WHEN kind = 'purchases' THEN segmentation_internal.fill(NULL, $q$
        SELECT r.customer, r.purchased_on, r.amount::numeric AS amount, r.amount >= 0 AS purchase, true AS loose@(each)@
        FROM @(rows)@ AS r
        WHERE r.purchased_on IS NOT NULL AND r.amount IS NOT NULL@(rest)@$q$,
        jsonb_build_object('rows', rows,
          'each', coalesce(
            (SELECT string_agg(format(', ARRAY[r.%I] AS %I', c, c), '') FROM unnest(carried) AS c), ''),
          'rest', CASE netted WHEN 'none' THEN ''
            ELSE $q$ AND NOT (r.amount < 0 AND NULLIF(r.refund_of, '') IS NOT NULL)
          AND NULLIF(r."order", '') IS NULL$q$ END)) END,
      CASE WHEN kind = 'purchase_lines' OR netted <> 'none' THEN segmentation_internal.fill(NULL, $q$
        SELECT r.customer, coalesce(min(r.purchased_on) FILTER (WHERE r.amount >= 0), min(r.purchased_on))
            AS purchased_on,
          sum(r.amount) AS amount,
          bool_or(r.amount >= 0 AND NOT r.service)
            AND (sum(r.given) FILTER (WHERE NOT r.service) > 0 OR NOT bool_or(r.amount < 0 AND NOT r.service))
            AS purchase,
          NOT bool_or(r.amount < 0 AND r.refund_of IS NOT NULL) AS loose@(all)@
        FROM (
          SELECT r.customer, r.purchased_on, r.amount::numeric AS amount, @(given)@::numeric AS given,
            @(service)@ AS service, NULLIF(r.refund_of, '') AS refund_of,
            @(number)@ AS number@(each)@
          FROM @(rows)@ AS r
          WHERE r.purchased_on IS NOT NULL AND r.amount IS NOT NULL@(some)@) AS r
        @(by)@$q$,
        jsonb_build_object('rows', rows, 'service', coalesce(service, 'false'),
          'number', segmentation_internal.workspace_number_sql(),
          -- What was sent back at another rate came back all the same.
          'given', CASE WHEN converted THEN 'r.given' ELSE 'r.amount' END,
          'each', coalesce((SELECT string_agg(format(', r.%I', c), '') FROM unnest(carried) AS c), ''),
          'all', coalesce(
            (SELECT string_agg(format(', array_agg(r.%I) AS %I', c, c), '') FROM unnest(carried) AS c), ''),
          'some', CASE kind WHEN 'purchases' THEN $q$
            AND (r.amount < 0 AND NULLIF(r.refund_of, '') IS NOT NULL OR NULLIF(r."order", '') IS NOT NULL)$q$
            ELSE '' END,
          'by', CASE kind WHEN 'purchases' THEN 'GROUP BY r.customer, r.number'
            ELSE 'GROUP BY r.customer, r.number, CASE WHEN r.number IS NULL THEN r.purchased_on END' END)) END) END;
COMMENT ON FUNCTION segmentation_internal.workspace_netted_sql(text, text, text, text, boolean, text[]) IS
  'Part of refresh: the orders that rows of purchases or lines come to, as SQL.';

-- The same, with what was cancelled on its day: a refund that does not say of which order it is takes away an order of
-- the same day that came to as much, and all orders of the day, where the refunds that are left come to as much as
-- they. What is gone is no purchase and comes to 0.
CREATE FUNCTION segmentation_internal.workspace_orders_sql(
  kind text, rows text, netted text, service text, converted boolean, carried text[] DEFAULT '{}'
) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$
    WITH o AS @(kept)@ (@(netted)@)
    SELECT o.customer, o.purchased_on, o.amount, o.purchase@(carried)@
    FROM o
    WHERE NOT EXISTS (
      SELECT FROM @(refunds)@ AS b WHERE b.customer = o.customer AND b.purchased_on = o.purchased_on)
    UNION ALL
    SELECT o.customer, o.purchased_on, CASE WHEN o.gone THEN 0 ELSE o.amount END, o.purchase AND NOT o.gone@(carried)@
    FROM (
      SELECT o.*, o.loose AND o.amount <> 0
          AND (o.paired OR sum(o.amount) FILTER (WHERE NOT o.paired) OVER whole = 0) AS gone
      FROM (
        SELECT o.*, o.loose AND o.place <= least(
            count(*) FILTER (WHERE o.amount > 0) OVER alike, count(*) FILTER (WHERE o.amount < 0) OVER alike) AS paired
        FROM (
          SELECT o.*, row_number() OVER (PARTITION BY o.customer, o.purchased_on, o.loose, o.amount) AS place
          FROM o
          WHERE EXISTS (
            SELECT FROM @(refunds)@ AS b
            WHERE b.customer = o.customer AND b.purchased_on = o.purchased_on)) AS o
        WINDOW alike AS (PARTITION BY o.customer, o.purchased_on, o.loose, abs(o.amount))) AS o
      WINDOW whole AS (PARTITION BY o.customer, o.purchased_on, o.loose)) AS o$q$,
    jsonb_build_object(
      'netted', segmentation_internal.workspace_netted_sql(
        kind, rows, netted, service, converted, carried),
      -- Rows that are orders are read again rather than kept: by several processes.
      'kept', CASE WHEN kind = 'purchase_lines' OR netted = 'all' THEN 'MATERIALIZED' ELSE 'NOT MATERIALIZED' END,
      -- Where a row is an order, so is a refund that names none.
      'refunds', CASE
        WHEN kind = 'purchases' AND netted <> 'all' THEN segmentation_internal.fill(NULL, $q$(
        SELECT r.customer, r.purchased_on FROM @(rows)@ AS r
        WHERE r.amount < 0 AND NULLIF(r.refund_of, '') IS NULL AND r.purchased_on IS NOT NULL)$q$,
          jsonb_build_object('rows', rows))
        ELSE '(SELECT o.* FROM o WHERE o.amount < 0 AND NOT o.purchase AND o.loose)' END,
      'carried', coalesce((SELECT string_agg(format(', o.%I', c), '') FROM unnest(carried) AS c), '')));
COMMENT ON FUNCTION segmentation_internal.workspace_orders_sql(text, text, text, text, boolean, text[]) IS
  'Part of refresh: the orders that rows of purchases or lines come to, net of what was cancelled on the day, as SQL.';

-- Which rows of purchases have to be netted: where none has a number, or numbers are unique, each is an order, but for
-- what refunds name.
CREATE FUNCTION segmentation_internal.workspace_netted(ws text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  netted text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT CASE
      WHEN count(*) FILTER (WHERE s.mapping ? 'order') > 1
        OR bool_or(s.mapping ? 'order' AND NOT EXISTS (
          SELECT
          FROM pg_index AS i
          JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
          JOIN pg_class AS c ON c.oid = i.indrelid
          WHERE i.indrelid = s.relation AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
            -- An index of a table says nothing of those that inherit from it, but for partitions.
            AND (c.relkind = 'p' OR NOT c.relhassubclass) AND a.attname = s.mapping ->> 'order'))
        THEN 'all'
      WHEN bool_or(s.mapping ? 'refund_of') THEN 'refunds'
      ELSE 'none' END
    FROM @ws@.source AS s
    WHERE s.kind = 'purchases'$q$)
    INTO netted;
  RETURN netted;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_netted(text) IS
  'Part of refresh: which rows of purchases may be of one order: all that have a number (all), those that a refund '
  'names (refunds), or none.';

-- The orders of a workspace; rows: those of a kind.
CREATE FUNCTION segmentation_internal.workspace_orders_of(
  ws text, kind text, rows text, carried text[] DEFAULT '{}'
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  service constant text := CASE WHEN kind = 'purchase_lines'
    THEN segmentation_internal.workspace_not_product_sql(settings -> 'not_products') END;
BEGIN
  RETURN segmentation_internal.workspace_orders_sql(kind,
    CASE WHEN (settings -> 'not_products_count')::boolean OR service IS NULL THEN rows
      ELSE format('(SELECT r.* FROM %s AS r WHERE NOT %s)', rows, service) END,
    segmentation_internal.workspace_netted(ws), service, segmentation_internal.workspace_converted(ws, kind), carried);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_orders_of(text, text, text, text[]) IS
  'Part of refresh: the orders that rows of purchases or lines of a workspace come to, as SQL.';

-- The lines of what was bought and kept. Pieces of a product that came back count against those of the same order,
-- whenever they came, and without a number against those of the day; a product of which nothing is left was not bought.
-- What came back of an order that is not known is a line of its own. Nor are the lines of orders bought that purchases
-- say were cancelled. orders: the rows of purchases where these have numbers as lines have, else NULL.
CREATE FUNCTION segmentation_internal.workspace_kept_sql(rows text, orders text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$(
    SELECT r.customer, r.product, r.purchased_on, r.quantity, r.amount
    FROM (
      SELECT r.customer, r.product, r.purchased_on, @(pieces)@ AS quantity, r.amount::numeric AS amount,
        @(number)@ AS number
      FROM @(rows)@ AS r
      WHERE r.product IS NOT NULL AND NOT @(back)@
      UNION ALL
      SELECT r.customer, r.product, coalesce(min(r.purchased_on) FILTER (WHERE r.given), min(r.purchased_on)),
        sum(r.quantity), sum(r.amount), r.number
      FROM (
        SELECT r.customer, r.product, r.purchased_on, @(pieces)@ AS quantity, r.amount::numeric AS amount,
          NOT (r.amount < 0 OR coalesce(r.quantity < 0, false)) AS given, @(number)@ AS number
        FROM @(rows)@ AS r
        WHERE r.product IS NOT NULL AND r.purchased_on IS NOT NULL AND r.amount IS NOT NULL AND @(back)@) AS r
      GROUP BY r.customer, r.product, r.number, CASE WHEN r.number IS NULL THEN r.purchased_on END
      HAVING sum(r.quantity) > 0 AND (sum(r.amount) > 0 OR NOT bool_or(r.amount < 0)) OR NOT bool_or(r.given)) AS r
    @(gone)@)$q$,
    jsonb_build_object('rows', rows,
      -- A line without a quantity is one piece: bought, or sent back.
      'pieces', 'coalesce(r.quantity, CASE WHEN r.amount < 0 THEN -1 ELSE 1 END)::numeric',
      'number', segmentation_internal.workspace_number_sql(),
      'back', segmentation_internal.fill(NULL, $q$EXISTS (
        SELECT FROM @(rows)@ AS b
        WHERE (b.amount < 0 OR b.quantity < 0) AND b.customer = r.customer AND b.product = r.product)$q$,
        jsonb_build_object('rows', rows)),
      'gone', CASE WHEN orders IS NULL THEN '' ELSE segmentation_internal.fill(NULL, $q$WHERE NOT EXISTS (
        SELECT
        FROM (
          SELECT r.customer, r.number
          FROM (SELECT r.customer, r.amount, @(number)@ AS number FROM @(orders)@ AS r
            WHERE r.purchased_on IS NOT NULL) AS r
          WHERE EXISTS (
            SELECT
            FROM (SELECT r.customer, @(number)@ AS number FROM @(orders)@ AS r WHERE r.amount < 0) AS b
            WHERE b.customer = r.customer AND b.number = r.number)
          GROUP BY 1, 2 HAVING sum(r.amount) <= 0) AS o
        WHERE o.customer = r.customer AND o.number = r.number)$q$,
        jsonb_build_object('orders', orders, 'number', segmentation_internal.workspace_number_sql())) END));
COMMENT ON FUNCTION segmentation_internal.workspace_kept_sql(text, text) IS
  'Part of refresh: the lines of products that were bought and kept, as SQL.';

-- What was bought: products with their categories beside them, or categories alone. A line whose product has no
-- category counts for no category, and one whose product has two rows counts once.
CREATE FUNCTION segmentation_internal.workspace_items_sql(rows text, products text, level text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN products IS NULL THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(r.product, r.purchased_on, r.quantity, r.amount)
          AS items
      FROM @(rows)@ AS r
      WHERE r.product IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows))
    WHEN level = 'product' THEN segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(r.product, r.purchased_on, r.quantity, r.amount)
          AS items,
        segmentation.item_history(p.category, r.purchased_on, r.quantity, r.amount)
          FILTER (WHERE p.category IS NOT NULL) AS categories
      FROM @(rows)@ AS r
      LEFT JOIN (
        SELECT q.product, min(q.category COLLATE "C") AS category FROM @(products)@ AS q GROUP BY q.product) AS p
        ON p.product = r.product
      WHERE r.product IS NOT NULL
      GROUP BY r.customer$q$, jsonb_build_object('rows', rows, 'products', products))
    ELSE segmentation_internal.fill(NULL, $q$
      SELECT r.customer,
        segmentation.item_history(p.category, r.purchased_on, r.quantity, r.amount)
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

-- What is made of the rows of the other kinds, one row a customer. Purchases are orders.
CREATE FUNCTION segmentation_internal.workspace_fact_sql(kind text, rows text, zone text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE kind
    -- Of orders, see workspace_orders_of.
    -- What differs from its amount's sign is rare: goods given away with a discount of more, what was charged alone.
    WHEN 'purchases' THEN segmentation_internal.fill(NULL, $q$
      SELECT o.customer, CASE
          WHEN o.odd IS NULL THEN o.history
          ELSE (SELECT segmentation.merge(v.history) FROM (VALUES (o.history), (o.odd)) AS v (history)) END AS history
      FROM (
        SELECT o.customer, segmentation.purchase_history(o.purchased_on, o.amount)
            FILTER (WHERE o.purchase = (o.amount >= 0)) AS history,
          segmentation.merge(format('{%s:%s:%s}', to_char(o.purchased_on, 'YYYY-MM-DD'), o.purchase::integer,
            round(o.amount, 4))::segmentation.purchase_history)
            FILTER (WHERE o.purchase AND o.amount < 0 OR NOT o.purchase AND o.amount > 0) AS odd
        FROM (@(orders)@) AS o
        GROUP BY o.customer) AS o$q$, jsonb_build_object('orders', rows))
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
      SELECT r.customer, CASE
          WHEN r.birth_date IS NULL THEN r.attributes
          WHEN NOT isfinite(r.birth_date) THEN r.attributes || jsonb_build_object('birth_date', r.birth_date)
          ELSE r.attributes || jsonb_build_object(
            'birth_date', r.birth_date, 'birth_year', extract(year FROM r.birth_date)::integer) END AS attributes
      FROM @(rows)@ AS r$q$, jsonb_build_object('rows', rows))
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
  service constant text := segmentation_internal.workspace_not_product_sql(settings -> 'not_products');
  has_purchases boolean := false;
  has_categories boolean;
  numbered boolean;
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
    SELECT f.kind, f.columns, CASE f.kind
        WHEN 'companies' THEN segmentation_internal.workspace_companies_sql(ws, batch, zone)
        ELSE segmentation_internal.workspace_fact_sql(f.kind, r.rows, zone) END
    FROM (VALUES
      (1, 'purchases', '{history}'::text[]), (2, 'contacts', '{contacts,hours}'), (3, 'interactions', '{interactions}'),
      (4, 'consents', '{consents}'), (5, 'customers', '{attributes}'), (6, 'companies', '{company}'),
      (7, 'attribute_history', '{attribute_changes}'), (8, 'subscriptions', '{subscriptions}')
    ) AS f (place, kind, columns)
    CROSS JOIN LATERAL (
      -- A company may be known by its people or sites alone.
      SELECT min(segmentation_internal.workspace_rows_sql(ws, k.kind, batch))
      FROM unnest(CASE f.kind WHEN 'companies' THEN '{companies,people,sites}' ELSE ARRAY[f.kind] END) AS k (kind)
    ) AS g (given)
    CROSS JOIN LATERAL (
      SELECT CASE f.kind WHEN 'purchases' THEN segmentation_internal.workspace_orders_of(ws, f.kind, g.given)
        ELSE g.given END) AS r (rows)
    WHERE g.given IS NOT NULL
    ORDER BY f.place
  LOOP
    has_purchases := has_purchases OR part = 'purchases';
    RETURN NEXT;
  END LOOP;

  IF lines IS NOT NULL THEN
    IF NOT has_purchases THEN
      part := 'purchases';
      columns := '{history}';
      query := segmentation_internal.workspace_fact_sql(part,
        segmentation_internal.workspace_orders_of(ws, 'purchase_lines', lines), zone);
      RETURN NEXT;
    END IF;
    part := 'lines';
    columns := CASE WHEN has_categories AND level = 'product' THEN '{items,categories}' ELSE '{items}' END;
    EXECUTE format($q$
      SELECT EXISTS (SELECT FROM %s.source AS s WHERE s.kind = 'purchase_lines' AND s.mapping ? 'order')$q$, ws)
      INTO numbered;
    query := segmentation_internal.workspace_items_sql(
      segmentation_internal.workspace_kept_sql(
        coalesce(format('(SELECT r.* FROM %s AS r WHERE NOT %s)', lines, service), lines),
        CASE WHEN numbered AND has_purchases AND segmentation_internal.workspace_netted(ws) <> 'none'
          THEN segmentation_internal.workspace_rows_sql(ws, 'purchases', batch) END),
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
  -- The other parts are made by customer.
  IF part IN ('customers', 'companies') THEN
    EXECUTE format('SELECT customer::text FROM %s GROUP BY customer HAVING count(*) > 1 LIMIT 1', staged) INTO twice;
  END IF;
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
  loops constant text := current_setting('enable_nestloop');
  merges constant text := current_setting('enable_mergejoin');
  staged text;
  total bigint;
BEGIN
  IF batch IS NULL THEN
    -- Everything is read, and rows of a source are expected by statistics that may be of before them, or none: what
    -- joins them with themselves must not become a loop in a loop, nor sort them all for the few that it looks for.
    PERFORM set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);
    IF segmentation_internal.workspace_settings_now(ws) ->> 'bad_rows' = 'refuse' THEN
      PERFORM segmentation_internal.workspace_check_currencies(ws);
    END IF;
    PERFORM segmentation_internal.workspace_drop_stage(ws);
    -- What this snapshot sees of the queue is done with at the publication.
    EXECUTE segmentation_internal.fill(ws,
      'CREATE UNLOGGED TABLE @ws@.@snapshot@ AS SELECT pg_current_snapshot() AS snapshot',
      jsonb_build_object('snapshot', stage || 'snapshot'));
    PERFORM segmentation_internal.workspace_stage_watermarks(ws, stage);
    PERFORM segmentation_internal.workspace_stage_catalogue(ws, stage);
    PERFORM segmentation_internal.workspace_refuse_multiplied(ws);
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
  EXECUTE format('ANALYZE %s (customer)', facts);
  EXECUTE format('DROP TABLE %s', array_to_string(relations, ', '));
  PERFORM set_config('enable_nestloop', loops, true), set_config('enable_mergejoin', merges, true);
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
