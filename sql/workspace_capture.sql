-- Capture: changes of the sources come into a queue, by triggers or by a watermark.

-- The relations that a source's triggers belong on: the table, and its partitions at every level, since a statement on
-- a partition fires only the triggers of that partition.
CREATE FUNCTION segmentation.workspace_members(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT relation
  UNION
  SELECT t.relid FROM pg_partition_tree(relation) AS t JOIN pg_class AS c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p');
END;
COMMENT ON FUNCTION segmentation.workspace_members(regclass) IS 'Part of start_capture: a table with its partitions at every level.';

-- The name of what belongs to a source: two workspaces can capture one table.
CREATE FUNCTION segmentation.workspace_trigger_name(ws text, source integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('segmentation_%s_%s', left(md5(ws), 12), source);
COMMENT ON FUNCTION segmentation.workspace_trigger_name(text, integer) IS 'Part of start_capture: the name of a source''s triggers, but for the event.';

CREATE FUNCTION segmentation.workspace_add_triggers(ws text, source integer, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := segmentation.workspace_trigger_name(ws, source);
  event record;
BEGIN
  FOR event IN
    SELECT * FROM (VALUES ('insert', 'REFERENCING NEW TABLE AS new_rows'), ('update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
                          ('delete', 'REFERENCING OLD TABLE AS old_rows'), ('truncate', '')) AS v (event, tables)
  LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s.capture_%s()',
      name || '_' || event.event, event.event, relation, event.tables, ws, source);
  END LOOP;
  EXECUTE format('INSERT INTO %s.capture (source, relation) VALUES ($1, $2)', ws) USING source, relation;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_add_triggers(text, integer, regclass) IS 'Part of start_capture: the triggers of one table.';

CREATE FUNCTION segmentation.workspace_drop_triggers(ws text, source integer, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := segmentation.workspace_trigger_name(ws, source);
  held record;
BEGIN
  -- On the table of another they stay, and note more than is needed.
  FOR held IN SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
              WHERE t.tgrelid = relation AND t.tgname LIKE replace(name, '_', '\_') || '\_%' AND pg_has_role(c.relowner, 'USAGE') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', held.tgname, relation);
  END LOOP;
  EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1 AND c.relation = $2', ws) USING source, relation;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_drop_triggers(text, integer, regclass) IS 'Part of refresh_changed: takes the triggers off a partition that was detached.';

-- The trigger function of one source. It writes the queue, to which those who write the source have no right: so it
-- runs with the rights of the workspace's owner. Nothing that a writer can name gets into its SQL, and no code of others
-- runs in it: a type that is not PostgreSQL's own is read by its output function, as its owner may give it any cast, and a
-- column whose type was changed, or that is gone, is not looked at. Whatever happens to it, writing goes on.
CREATE FUNCTION segmentation.workspace_make_capture(ws text, source integer, customer name, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  given regtype;
  owner name;
  body text;
  value text;
BEGIN
  EXECUTE format('SELECT key_type::regtype FROM %s.workspace', ws) INTO key;
  SELECT r.rolname INTO owner FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE quote_ident(n.nspname) = ws;
  SELECT a.atttypid INTO given FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = customer AND a.attnum > 0 AND NOT a.attisdropped;
  IF given IS NULL OR NOT segmentation.workspace_type_fits('key', segmentation.workspace_base_type(given), key) THEN
    RAISE datatype_mismatch USING MESSAGE = format('column "%s" of %s cannot be a key of type %s', customer, relation, key),
      HINT = 'Call add_source again with a new mapping, or remove_source.';
  END IF;
  value := segmentation.workspace_key_sql(format('r.%I', customer), given, key);
  body := format($body$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO %1$s.queue (customer) SELECT DISTINCT %2$s FROM new_rows AS r WHERE r.%3$I IS NOT NULL;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO %1$s.queue (customer) SELECT DISTINCT %2$s FROM old_rows AS r WHERE r.%3$I IS NOT NULL;
      ELSE
        INSERT INTO %1$s.queue (customer)
        SELECT %2$s FROM new_rows AS r WHERE r.%3$I IS NOT NULL
        UNION SELECT %2$s FROM old_rows AS r WHERE r.%3$I IS NOT NULL;
      END IF;$body$, ws, value, customer);
  -- What is no key is the refresh's to say.
  IF segmentation.workspace_key_narrows(given, key) THEN
    body := concat(body, format($body$
    EXCEPTION WHEN data_exception THEN
      INSERT INTO %s.queue (customer) VALUES (NULL);$body$, ws));
  END IF;
  body := format($body$
    BEGIN
      IF TG_OP = 'TRUNCATE' OR NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = TG_RELID AND a.attname = %2$L AND NOT a.attisdropped AND a.atttypid = pg_catalog.to_regtype(%3$L)) THEN
        INSERT INTO %1$s.queue (customer) VALUES (NULL);
        RETURN NULL;
      END IF;%4$s
      END;
      RETURN NULL;
    END
    $body$, ws, customer, format('%s', given), body);
  -- As a literal: a name that has dollars in it cannot end it.
  EXECUTE format('CREATE FUNCTION %s.capture_%s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L', ws, source, body);
  EXECUTE format('REVOKE ALL ON FUNCTION %s.capture_%s() FROM PUBLIC', ws, source);
  EXECUTE format('ALTER FUNCTION %s.capture_%s() OWNER TO %I', ws, source, owner);
  EXECUTE format('COMMENT ON FUNCTION %s.capture_%s() IS %L', ws, source, format('trigger of %s: notes whose rows change', relation));
END
$$;
COMMENT ON FUNCTION segmentation.workspace_make_capture(text, integer, name, regclass) IS 'Part of start_capture: the trigger function of a source.';

CREATE FUNCTION segmentation.start_capture(
  workspace text, kind text, relation regclass, watermark_column name DEFAULT NULL, overlap interval DEFAULT '1 hour'
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation.workspace_owned(workspace);
  held record;
  member regclass;
  type regtype;
BEGIN
  EXECUTE format('SELECT * FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws) INTO held USING kind, relation;
  IF held.source IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace),
      HINT = 'Call add_source first.';
  END IF;
  IF NOT held.mapping ? 'customer' THEN
    RAISE wrong_object_type USING MESSAGE = format('changes of %s belong to no customer', kind),
      DETAIL = 'They are read by each full refresh.';
  END IF;
  PERFORM segmentation.stop_capture(workspace, kind, relation);
  IF watermark_column IS NULL THEN
    IF (SELECT c.relkind NOT IN ('r', 'p') FROM pg_class AS c WHERE c.oid = relation) THEN
      RAISE wrong_object_type USING MESSAGE = format('%s cannot have triggers that see changed rows', relation),
        DETAIL = 'Views, materialized views and foreign tables have none.',
        HINT = 'Name a column that grows with every change: start_capture(workspace, kind, relation, watermark_column => ''updated_at'').';
    END IF;
    PERFORM segmentation.workspace_make_capture(ws, held.source, held.mapping ->> 'customer', relation);
    FOR member IN SELECT m FROM segmentation.workspace_members(relation) AS m ORDER BY m::text LOOP
      PERFORM segmentation.workspace_add_triggers(ws, held.source, member);
    END LOOP;
    EXECUTE format('UPDATE %s.source AS s SET capture = ''trigger'' WHERE s.source = $1', ws) USING held.source;
  ELSE
    SELECT a.atttypid INTO type FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = watermark_column AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
      RAISE undefined_column USING MESSAGE = format('%s has no column "%s"', relation, watermark_column);
    END IF;
    IF NOT type = ANY ('{date,timestamp,timestamptz}'::regtype[]) THEN
      RAISE datatype_mismatch USING MESSAGE = format('column "%s" cannot be a watermark: its type is %s', watermark_column, type),
        HINT = 'Use the date, timestamp or timestamptz of the last change of a row.';
    END IF;
    IF overlap IS NULL OR overlap < interval '0' THEN
      RAISE invalid_parameter_value USING MESSAGE = 'overlap must be an interval of 0 or more';
    END IF;
    EXECUTE format('UPDATE %s.source AS s SET capture = ''watermark'', watermark_column = $2, watermark = NULL, overlap = $3 WHERE s.source = $1', ws)
      USING held.source, watermark_column, overlap;
  END IF;
  -- What came between the last refresh and now was not seen: all are read once more.
  EXECUTE format('INSERT INTO %s.queue (customer) SELECT NULL WHERE EXISTS (SELECT FROM %1$s.customer_facts)', ws);
END
$$;
COMMENT ON FUNCTION segmentation.start_capture(text, text, regclass, name, interval) IS
  'Begins to notice changes of a source for refresh_changed: by statement triggers, or by a watermark, a column that grows with every change; rows up to overlap older than the greatest seen are looked at again. See capture_status for what each cannot see.';

CREATE FUNCTION segmentation.stop_capture(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation.workspace_owned(workspace);
  source integer;
BEGIN
  EXECUTE format('SELECT s.source FROM %s.source AS s WHERE s.kind = $1 AND s.relation = $2', ws) INTO source USING kind, relation;
  IF source IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('%s is no source of %s of workspace %I', relation, kind, workspace);
  END IF;
  EXECUTE format('DELETE FROM %s.capture AS c WHERE c.source = $1', ws) USING source;
  -- With its triggers, on whatever table they are: to make one needs the right TRIGGER, to drop one alone the table.
  IF to_regprocedure(format('%s.capture_%s()', ws, source)) IS NOT NULL THEN
    EXECUTE format('DROP FUNCTION %s.capture_%s() CASCADE', ws, source);
  END IF;
  EXECUTE format('UPDATE %s.source AS s SET capture = ''none'', watermark_column = NULL, watermark = NULL, overlap = NULL WHERE s.source = $1', ws) USING source;
END
$$;
COMMENT ON FUNCTION segmentation.stop_capture(text, text, regclass) IS 'Ends what start_capture began: takes the triggers off the table and its partitions.';

CREATE FUNCTION segmentation.capture_status(workspace text)
RETURNS TABLE (kind text, relation regclass, capture text, watermark text, misses text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation.workspace_schema(workspace);
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT s.kind, s.relation, s.capture, s.watermark, CASE
      WHEN s.capture = 'none' THEN 'everything: changes are read by a full refresh only'
      WHEN s.capture = 'watermark' THEN 'deleted rows, rows whose ' || s.watermark_column || ' did not grow, and commits later than ' || s.overlap || ': a full refresh finds them'
      ELSE concat_ws('; ', 'writes with session_replication_role = replica, among them those of logical replication',
        (SELECT 'writes to the new partition ' || string_agg(m::text, ', ') || ', until refresh_changed has seen it'
         FROM segmentation.workspace_members(s.relation) AS m WHERE NOT EXISTS (SELECT FROM %1$s.capture AS c WHERE c.source = s.source AND c.relation = m)),
        (SELECT 'all writes: its triggers are gone or disabled' WHERE 4 > (SELECT count(*) FROM pg_trigger AS t
           WHERE t.tgrelid = s.relation AND t.tgenabled IN ('O', 'A') AND t.tgname LIKE replace(segmentation.workspace_trigger_name(%1$L, s.source), '_', '\_') || '\_%%')))
      END
    FROM %1$s.source AS s ORDER BY s.source$q$, ws);
END
$$;
COMMENT ON FUNCTION segmentation.capture_status(text) IS 'How changes of each source are noticed, and what that cannot see.';
