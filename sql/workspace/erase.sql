-- Erasure and retention.

-- Tables with a column customer: where a person is. Staged tables are of a refresh under way.
CREATE FUNCTION segmentation_internal.workspace_personal(ws text) RETURNS TABLE (relation regclass, kind "char")
  LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid, c.relkind
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid
  WHERE quote_ident(n.nspname) = ws AND c.relkind IN ('r', 'm')
    AND a.attname = 'customer' AND NOT a.attisdropped AND a.attnum > 0
    AND NOT c.relname LIKE 'stage\_%';
END;
COMMENT ON FUNCTION segmentation_internal.workspace_personal(text) IS
  'Part of erase_customer: tables and materialized views of a workspace with a column customer.';

-- keys is a relation, or a query in brackets, with a column customer.
CREATE FUNCTION segmentation_internal.workspace_erase(ws text, keys text, reason text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  personal record;
  gone bigint;
  rows jsonb := '{}';
  customers bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING
      MESSAGE = 'the workspace is being refreshed by another session',
      DETAIL = 'What it has read could bring an erased customer back.',
      HINT = 'Call again when it has ended.';
  END IF;
  -- What a killed refresh left may hold anybody.
  PERFORM segmentation_internal.workspace_drop_stage(ws);
  PERFORM segmentation_internal.crm_erase(ws, keys);
  EXECUTE format('SELECT count(*) FROM %s AS k', keys) INTO customers;
  FOR personal IN
    SELECT p.relation, p.kind, c.relname AS name
    FROM segmentation_internal.workspace_personal(ws) AS p
    JOIN pg_class AS c ON c.oid = p.relation
    WHERE c.relispopulated
    -- Views show what is in the tables; and what is deleted by then is noted in the log of edits.
    ORDER BY p.kind DESC, c.relname = 'edit_log', p.relation::text
  LOOP
    IF personal.kind = 'r' THEN
      EXECUTE segmentation_internal.fill(ws,
        'DELETE FROM @(relation)@ AS t WHERE t.customer IN (SELECT k.customer FROM @(keys)@ AS k)',
        jsonb_build_object('relation', personal.relation, 'keys', keys));
      GET DIAGNOSTICS gone = ROW_COUNT;
    ELSE
      EXECUTE segmentation_internal.fill(ws,
        'SELECT count(*) FROM @(relation)@ AS t WHERE t.customer IN (SELECT k.customer FROM @(keys)@ AS k)',
        jsonb_build_object('relation', personal.relation, 'keys', keys))
        INTO gone;
      IF gone > 0 THEN
        EXECUTE format('REFRESH MATERIALIZED VIEW %s', personal.relation);
      END IF;
    END IF;
    IF gone > 0 THEN
      rows := rows || jsonb_build_object(personal.name, gone);
    END IF;
  END LOOP;
  EXECUTE format('INSERT INTO %s.erasure (reason, customers, rows) VALUES ($1, $2, $3)', ws)
    USING reason, customers, rows;
  RETURN rows;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_erase(text, text, text) IS
  'Part of erase_customer: removes the customers of a relation from every table of a workspace.';

CREATE FUNCTION segmentation_internal.workspace_left_in_sources(ws text, keys text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source record;
  key text;
  there boolean;
  found text[] := '{}';
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  FOR source IN EXECUTE format($q$
    SELECT s.kind, s.relation, s.mapping
    FROM %1$s.source AS s
    -- What lies in the workspace is erased with it.
    WHERE s.mapping ? 'customer' AND NOT EXISTS (
      SELECT FROM pg_class AS c WHERE c.oid = s.relation AND c.relkind = 'r' AND c.relnamespace = %1$L::regnamespace)
    ORDER BY s.source$q$, ws)
  LOOP
    EXECUTE segmentation_internal.fill(ws,
      'SELECT EXISTS (SELECT FROM @(customers)@ AS s WHERE s.customer IN (SELECT k.customer FROM @(keys)@ AS k))',
      jsonb_build_object('keys', keys, 'customers', segmentation_internal.workspace_customers_sql(
        source.kind, source.relation, source.mapping, key::regtype)))
      INTO there;
    IF there AND NOT source.relation::text = ANY (found) THEN
      found := found || source.relation::text;
    END IF;
  END LOOP;
  RETURN nullif(array_to_string(found, ', '), '');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_left_in_sources(text, text) IS
  'Part of erase_customer: the sources that still have rows of these customers.';

CREATE FUNCTION segmentation.erase_customer(workspace text, customer text, reason text DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  key text;
  keys text;
  sources text;
BEGIN
  IF customer IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'customer must not be null';
  END IF;
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  keys := segmentation_internal.fill(ws, $q$(SELECT @'customer'@::@(key)@ AS customer)$q$,
    jsonb_build_object('customer', customer, 'key', key));
  sources := segmentation_internal.workspace_left_in_sources(ws, keys);
  IF sources IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('the customer still has rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.',
      HINT = 'Erase them there first.';
  END IF;
  RETURN segmentation_internal.workspace_erase(ws, keys, reason);
END
$$;
COMMENT ON FUNCTION segmentation.erase_customer(text, text, text) IS
  'Removes a person from every table of a workspace: facts, codes, history, events, queue, campaigns, lists; '
  'materialized views that hold them are refreshed. The sources come first. What stays is a row of erasure: when, how '
  'many rows, and the reason given (name nobody in it). Returns the rows by table.';

-- What comes from the person: an answer, a visit, a call, a consent given or withdrawn. A message that was sent, or
-- opened by a mail program, does not.
CREATE FUNCTION segmentation_internal.retention_is_sign(response text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(response) NOT IN ('', 'none', 'open', 'opened', 'bounce', 'bounced', 'delivered', 'sent');
COMMENT ON FUNCTION segmentation_internal.retention_is_sign(text) IS
  'Part of retention_due: whether a response to a contact comes from the person, as a click does; NULL if there is '
  'none.';

-- The days on which somebody gave a sign of themselves, as a query with the columns customer and day.
CREATE FUNCTION segmentation_internal.workspace_signs_sql(ws text, zone text, day date) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(
    string_agg(segmentation_internal.fill(ws,
      'SELECT r.customer, @(day)@ AS day FROM @(rows)@ AS r WHERE @(condition)@',
      jsonb_build_object('day', sign.day, 'rows', source.rows, 'condition', sign.condition)),
      ' UNION ALL ' ORDER BY sign.place),
    segmentation_internal.fill(ws, 'SELECT f.customer, NULL::date FROM ONLY @ws@.customer_facts AS f WHERE false'))
  FROM (VALUES
    (1, 'contacts', format('(coalesce(r.responded_at, r.sent_at) AT TIME ZONE %L)::date', zone),
      'segmentation_internal.retention_is_sign(r.response)'),
    (2, 'interactions', format('(r.occurred_at AT TIME ZONE %L)::date', zone), 'true'),
    (3, 'consents', 'r.changed_on', 'true'),
    -- One that runs is contact every day.
    (4, 'subscriptions', format('coalesce(r.ended_on, %L::date)', day), 'true')
  ) AS sign (place, kind, day, condition)
  CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_rows_sql(ws, sign.kind)) AS source (rows)
  WHERE source.rows IS NOT NULL;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_signs_sql(text, text, date) IS
  'Part of retention_due: the days on which customers gave a sign of themselves, as SQL.';

CREATE FUNCTION segmentation.retention_due(
  workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL
) RETURNS TABLE (customer text, relation text, last_contact date, due_on date)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,customer_facts,source}');
  zone text;
  day date;
  by_sources boolean;
  signs text;
BEGIN
  EXECUTE format($q$
    SELECT w.time_zone, coalesce($1, w.as_of, (now() AT TIME ZONE w.time_zone)::date)
    FROM ONLY %s.workspace AS w$q$, ws)
    INTO zone, day USING as_of;
  EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s.source AS s WHERE s.kind = ANY ($1))', ws)
    INTO by_sources USING '{contacts,interactions,consents,subscriptions}'::text[];
  IF by_sources THEN
    PERFORM segmentation_internal.workspace_refuse_sources(workspace);
    signs := segmentation_internal.workspace_signs_sql(ws, zone, day);
  ELSE
    signs := format('SELECT f.customer, NULL::date FROM ONLY %s.customer_facts AS f WHERE false', ws);
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT t.customer::text, t.relation, t.last_contact, (t.last_contact + t.kept)::date
    FROM (
      SELECT f.customer, k.relation, CASE k.relation WHEN 'prospect' THEN $2 ELSE $3 END AS kept,
        greatest(segmentation.last_purchase(f.history), s.day) AS last_contact
      FROM ONLY @ws@.customer_facts AS f
      CROSS JOIN LATERAL (
        SELECT CASE WHEN segmentation.last_purchase(f.history) IS NULL THEN 'prospect' ELSE 'customer' END
      ) AS k (relation)
      LEFT JOIN (
        SELECT r.customer, max(r.day) AS day
        FROM (@(signs)@) AS r (customer, day)
        WHERE r.day <= $1
        GROUP BY r.customer) AS s ON s.customer = f.customer) AS t
    WHERE (t.last_contact + t.kept)::date <= $1
    ORDER BY 4, 1$q$,
    jsonb_build_object('signs', signs))
    USING day, prospects, customers;
END
$$;
COMMENT ON FUNCTION segmentation.retention_due(text, date, interval, interval) IS
  'Whose data have been kept long enough, and are to be erased: prospects this long after the last contact from them '
  '(a click counts, an open does not), customers this long after their last purchase or contact (NULL: never). Who '
  'never gave a sign with a date is not listed. Erases nothing: it is the dry run of apply_retention.';

CREATE FUNCTION segmentation.apply_retention(
  workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL
) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  keys constant text := 'pg_temp.segmentation_retention';
  key text;
  sources text;
  rows jsonb;
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE TEMP TABLE segmentation_retention ON COMMIT DROP AS
    SELECT d.customer::@(key)@ AS customer
    FROM segmentation.retention_due(@'workspace'@, @'as_of'@, @'prospects'@, @'customers'@) AS d$q$,
    jsonb_build_object('key', key, 'workspace', workspace, 'as_of', as_of, 'prospects', prospects,
      'customers', customers));
  sources := segmentation_internal.workspace_left_in_sources(ws, keys);
  IF sources IS NULL THEN
    rows := segmentation_internal.workspace_erase(ws, keys, 'retention');
  END IF;
  DROP TABLE pg_temp.segmentation_retention;
  IF sources IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('those whose time is up still have rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.',
      HINT = format('Erase them there first: SELECT customer FROM segmentation.retention_due(%L) lists them.',
        workspace);
  END IF;
  RETURN rows;
END
$$;
COMMENT ON FUNCTION segmentation.apply_retention(text, date, interval, interval) IS
  'Erases whom retention_due lists from the workspace; from the sources they must be gone before. Returns the rows by '
  'table.';
