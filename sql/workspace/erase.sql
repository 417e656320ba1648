-- Erasure and retention.

-- Tables with a column customer: where a person is. Staged tables are of a refresh under way.
CREATE FUNCTION segmentation_internal.workspace_personal(ws text) RETURNS TABLE (relation regclass, kind "char")
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid, c.relkind
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
  WHERE quote_ident(n.nspname) = ws AND c.relkind IN ('r', 'm') AND a.attname = 'customer' AND NOT a.attisdropped AND a.attnum > 0
    AND NOT c.relname LIKE 'stage\_%';
END;
COMMENT ON FUNCTION segmentation_internal.workspace_personal(text) IS 'Part of erase_customer: tables and materialized views of a workspace with a column customer.';

CREATE FUNCTION segmentation_internal.workspace_erase(ws text, keys text, reason text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  gone bigint;
  rows jsonb := '{}';
  customers bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING MESSAGE = 'the workspace is being refreshed by another session',
      DETAIL = 'What it has read could bring an erased customer back.', HINT = 'Call again when it has ended.';
  END IF;
  -- What a killed refresh left may hold anybody.
  PERFORM segmentation_internal.workspace_drop_stage(ws);
  EXECUTE format('SELECT count(*) FROM %s AS k', keys) INTO customers;
  FOR held IN SELECT * FROM segmentation_internal.workspace_personal(ws) AS p WHERE p.kind = 'r' ORDER BY p.relation::text LOOP
    EXECUTE format('DELETE FROM %s AS t WHERE t.customer IN (SELECT k.customer FROM %s AS k)', held.relation, keys);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
      rows := rows || jsonb_build_object((SELECT c.relname FROM pg_class AS c WHERE c.oid = held.relation), gone);
    END IF;
  END LOOP;
  FOR held IN SELECT p.relation FROM segmentation_internal.workspace_personal(ws) AS p JOIN pg_class AS c ON c.oid = p.relation WHERE p.kind = 'm' AND c.relispopulated LOOP
    EXECUTE format('SELECT count(*) FROM %s AS t WHERE t.customer IN (SELECT k.customer FROM %s AS k)', held.relation, keys) INTO gone;
    IF gone > 0 THEN
      EXECUTE format('REFRESH MATERIALIZED VIEW %s', held.relation);
      rows := rows || jsonb_build_object((SELECT c.relname FROM pg_class AS c WHERE c.oid = held.relation), gone);
    END IF;
  END LOOP;
  EXECUTE format('INSERT INTO %s.erasure (reason, customers, rows) VALUES ($1, $2, $3)', ws) USING reason, customers, rows;
  RETURN rows;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_erase(text, text, text) IS 'Part of erase_customer: removes the customers of a relation from every table of a workspace.';

CREATE FUNCTION segmentation_internal.workspace_left_in_sources(ws text, keys text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source record;
  key text;
  there boolean;
  found text[] := '{}';
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  FOR source IN EXECUTE format('SELECT s.relation, s.mapping ->> ''customer'' AS customer FROM %s.source AS s WHERE s.mapping ? ''customer'' ORDER BY s.source', ws) LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS s WHERE %s IN (SELECT k.customer FROM %s AS k))', source.relation,
      segmentation_internal.workspace_customer_sql('s', source.relation, source.customer, key::regtype), keys) INTO there;
    IF there AND NOT source.relation::text = ANY (found) THEN
      found := found || source.relation::text;
    END IF;
  END LOOP;
  RETURN nullif(array_to_string(found, ', '), '');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_left_in_sources(text, text) IS 'Part of erase_customer: the sources that still have rows of these customers.';

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
  keys := format('(SELECT %L::%s AS customer)', customer, key);
  sources := segmentation_internal.workspace_left_in_sources(ws, keys);
  IF sources IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('the customer still has rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.', HINT = 'Erase them there first.';
  END IF;
  RETURN segmentation_internal.workspace_erase(ws, keys, reason);
END
$$;
COMMENT ON FUNCTION segmentation.erase_customer(text, text, text) IS
  'Removes a person from every table of a workspace: facts, codes, history, events, queue, campaigns, lists; materialized views that hold them are refreshed. The sources come first. What stays is a row of erasure: when, how many rows, and the reason given (name nobody in it). Returns the rows by table.';

CREATE FUNCTION segmentation.retention_due(workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL)
RETURNS TABLE (customer text, relation text, last_contact date, due_on date)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,customer_facts,source}');
  zone text;
  day date;
  by_sources boolean;
  acts text[] := '{}';
  rows text;
BEGIN
  EXECUTE format('SELECT w.time_zone, coalesce($1, w.as_of, (now() AT TIME ZONE w.time_zone)::date) FROM ONLY %s.workspace AS w', ws) INTO zone, day USING as_of;
  EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s.source AS s WHERE s.kind = ANY ($1))', ws)
    INTO by_sources USING '{contacts,interactions,consents,subscriptions}'::text[];
  IF by_sources THEN
    PERFORM segmentation_internal.workspace_refuse_sources(workspace);
    -- What comes from the person: an answer, a visit, a call, a consent given or withdrawn. A message that was sent, or
    -- opened by a mail program, does not.
    rows := segmentation_internal.workspace_rows_sql(ws, 'contacts');
    IF rows IS NOT NULL THEN
      acts := acts || format('SELECT r.customer, (coalesce(r.responded_at, r.sent_at) AT TIME ZONE %L)::date AS day FROM %s AS r
        WHERE r.response IS NOT NULL AND NOT lower(r.response) IN ('''', ''none'', ''open'', ''opened'', ''bounce'', ''bounced'', ''delivered'', ''sent'')', zone, rows);
    END IF;
    rows := segmentation_internal.workspace_rows_sql(ws, 'interactions');
    IF rows IS NOT NULL THEN
      acts := acts || format('SELECT r.customer, (r.occurred_at AT TIME ZONE %L)::date FROM %s AS r', zone, rows);
    END IF;
    rows := segmentation_internal.workspace_rows_sql(ws, 'consents');
    IF rows IS NOT NULL THEN
      acts := acts || format('SELECT r.customer, r.changed_on FROM %s AS r', rows);
    END IF;
    rows := segmentation_internal.workspace_rows_sql(ws, 'subscriptions');
    IF rows IS NOT NULL THEN
      -- One that runs is contact every day.
      acts := acts || format('SELECT r.customer, coalesce(r.ended_on, %L::date) FROM %s AS r', day, rows);
    END IF;
  END IF;
  RETURN QUERY EXECUTE format($q$
    SELECT t.customer::text, t.relation, t.last_contact, (t.last_contact + CASE t.relation WHEN 'prospect' THEN $2 ELSE $3 END)::date
    FROM (SELECT f.customer, CASE WHEN segmentation.last_purchase(f.history) IS NULL THEN 'prospect' ELSE 'customer' END AS relation,
            greatest(segmentation.last_purchase(f.history), a.day) AS last_contact
          FROM ONLY %1$s.customer_facts AS f
          LEFT JOIN (SELECT r.customer, max(r.day) AS day FROM (%2$s) AS r (customer, day) WHERE r.day <= $1 GROUP BY r.customer) AS a ON a.customer = f.customer) AS t
    WHERE (t.last_contact + CASE t.relation WHEN 'prospect' THEN $2 ELSE $3 END)::date <= $1
    ORDER BY 4, 1$q$, ws, CASE WHEN acts = '{}' THEN format('SELECT f.customer, NULL::date FROM ONLY %s.customer_facts AS f WHERE false', ws) ELSE array_to_string(acts, ' UNION ALL ') END)
    USING day, prospects, customers;
END
$$;
COMMENT ON FUNCTION segmentation.retention_due(text, date, interval, interval) IS
  'Whose data have been kept long enough, and are to be erased: prospects this long after the last contact from them (a click counts, an open does not), customers this long after their last purchase or contact (NULL: never). Who never gave a sign with a date is not listed. Erases nothing: it is the dry run of apply_retention.';

CREATE FUNCTION segmentation.apply_retention(workspace text, as_of date DEFAULT NULL, prospects interval DEFAULT '3 years', customers interval DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  key text;
  keys text;
  sources text;
BEGIN
  EXECUTE format('SELECT key_type FROM %s.workspace', ws) INTO key;
  keys := format('(SELECT d.customer::%s AS customer FROM segmentation.retention_due(%L, %L, %L, %L) AS d)', key, workspace, as_of, prospects, customers);
  EXECUTE format('CREATE TEMP TABLE segmentation_retention ON COMMIT DROP AS SELECT k.customer FROM %s AS k', keys);
  sources := segmentation_internal.workspace_left_in_sources(ws, 'pg_temp.segmentation_retention');
  IF sources IS NOT NULL THEN
    DROP TABLE pg_temp.segmentation_retention;
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('those whose time is up still have rows in %s', sources),
      DETAIL = 'The next refresh would bring them back.',
      HINT = format('Erase them there first: SELECT customer FROM segmentation.retention_due(%L) lists them.', workspace);
  END IF;
  sources := segmentation_internal.workspace_erase(ws, 'pg_temp.segmentation_retention', 'retention')::text;
  DROP TABLE pg_temp.segmentation_retention;
  RETURN sources::jsonb;
END
$$;
COMMENT ON FUNCTION segmentation.apply_retention(text, date, interval, interval) IS
  'Erases whom retention_due lists from the workspace; from the sources they must be gone before. Returns the rows by table.';
