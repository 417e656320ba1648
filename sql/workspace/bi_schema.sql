-- Plain views over the views for BI tools, in a schema of their own beside the workspace: many tools list no
-- materialized view, as information_schema knows none. Who reads there needs no right on the workspace's schema.

CREATE FUNCTION segmentation_internal.bi_schema_mark() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'Views for BI tools of a workspace of the extension segmentation, as plain views: kept by make_bi_schema.';
COMMENT ON FUNCTION segmentation_internal.bi_schema_mark() IS
  'Part of make_bi_schema: the comment by which a schema of plain views is known, after a restore too.';

-- Nobody else could give it this owner, nor the comment.
CREATE FUNCTION segmentation_internal.bi_schema_of(ws text) RETURNS regnamespace
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT b.oid::regnamespace
  FROM pg_namespace AS n
  JOIN pg_namespace AS b ON b.nspname = n.nspname::text || '_bi' AND b.nspowner = n.nspowner
  WHERE quote_ident(n.nspname) = ws
    AND obj_description(b.oid, 'pg_namespace') = segmentation_internal.bi_schema_mark();
END;
COMMENT ON FUNCTION segmentation_internal.bi_schema_of(text) IS
  'Part of make_bi_schema: the schema of plain views of a workspace; NULL if there is none, or it is somebody else''s.';

-- In the views with an argument that is a constant: so it is called when a query is planned, before PostgreSQL would
-- say that a materialized view is empty, and not when it runs. A change of the view makes old plans void.
CREATE FUNCTION segmentation_internal.bi_made(view regclass) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made record;
BEGIN
  SELECT c.relispopulated AS populated, c.relname AS name, n.nspname AS workspace INTO made
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = view;
  IF NOT made.populated THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('view %I of workspace %I has nothing to show yet', made.name, made.workspace),
      DETAIL = 'The views for BI tools are made after the first refresh.',
      HINT = format('CALL segmentation.refresh_views(%L), after CALL segmentation.refresh(%L), as its owner.',
        made.workspace, made.workspace);
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_made(regclass) IS
  'Part of the plain views for BI tools: an error that says what to call where a materialized view was never made.';

-- Why no schema of plain views can be made, or NULL: it can, or is there.
CREATE FUNCTION segmentation_internal.bi_schema_fault(workspace text, OUT message text, OUT hint text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.message, v.hint
  FROM (
    SELECT 1 AS place, format('%I would be a name of more than 63 bytes', workspace || '_bi') AS message,
      'The views bi_* of the workspace itself can be read; only tools that list no materialized view do not find them.'
        AS hint
    WHERE octet_length(workspace) > 60
    UNION ALL
    SELECT 2, format('schema %I exists already, and is not that of the plain views of workspace %I', n.nspname,
      workspace), 'Rename it, or drop it if it is of no use.'
    FROM pg_namespace AS n
    WHERE n.nspname = workspace || '_bi' AND segmentation_internal.bi_schema_of(quote_ident(workspace)) IS NULL
    UNION ALL
    SELECT 3, format('role %I may not make a schema in database %I', r.rolname, current_database()),
      format('GRANT CREATE ON DATABASE %I TO %I', current_database(), r.rolname)
    FROM pg_roles AS r
    WHERE r.rolname = current_user AND NOT has_database_privilege(r.oid, current_database(), 'CREATE')
      AND segmentation_internal.bi_schema_of(quote_ident(workspace)) IS NULL) AS v
  ORDER BY v.place LIMIT 1;
END;
COMMENT ON FUNCTION segmentation_internal.bi_schema_fault(text) IS
  'Part of make_bi_schema: why the schema of plain views cannot be made; NULL if it can.';

-- A view is its owner's who may read what is behind it, with its columns as they are and their comments.
CREATE FUNCTION segmentation_internal.bi_schema_view(bi text, behind regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  there record;
  described record;
BEGIN
  SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
    obj_description(c.oid, 'pg_class') AS about, (
      SELECT string_agg(format('v.%I', a.attname), ', ' ORDER BY a.attnum)
      FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns, (
      -- Itself, or what a view reads.
      SELECT 'WHERE ' || string_agg(format('segmentation_internal.bi_made(%L::regclass)', m.oid::regclass), ' AND '
        ORDER BY m.relname)
      FROM pg_class AS m
      WHERE m.relkind = 'm' AND (m.oid = c.oid OR m.oid IN (
        SELECT d.refobjid FROM pg_rewrite AS w
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        WHERE w.ev_class = c.oid AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'v'))) AS checks
    INTO there
  FROM pg_class AS c WHERE c.oid = behind;
  EXECUTE segmentation_internal.fill(NULL, $q$
    CREATE VIEW @(bi)@.@view@ AS SELECT @(columns)@ FROM @(behind)@ AS v @(checks)@;
    COMMENT ON VIEW @(bi)@.@view@ IS @'about'@;
    ALTER VIEW @(bi)@.@view@ OWNER TO @owner@$q$,
    jsonb_build_object('bi', bi, 'view', there.name, 'columns', there.columns, 'behind', behind,
      'about', coalesce(there.about, ''), 'owner', there.owner, 'checks', coalesce(there.checks, '')));
  FOR described IN
    SELECT a.attname AS name, col_description(behind, a.attnum) AS about
    FROM pg_attribute AS a WHERE a.attrelid = behind AND a.attnum > 0 AND NOT a.attisdropped
  LOOP
    EXECUTE segmentation_internal.fill(NULL, $q$COMMENT ON COLUMN @(bi)@.@view@.@column@ IS @'about'@$q$,
      jsonb_build_object('bi', bi, 'view', there.name, 'column', described.name,
        'about', coalesce(described.about, '')));
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_schema_view(text, regclass) IS
  'Part of make_bi_schema: makes the plain view over one view for BI tools.';

CREATE FUNCTION segmentation_internal.bi_schema_behind(ws text) RETURNS TABLE (behind regclass, name name)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid::regclass, c.relname
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE quote_ident(n.nspname) = ws AND c.relkind IN ('m', 'v') AND c.relname LIKE 'bi\_%'
  ORDER BY c.relname;
END;
COMMENT ON FUNCTION segmentation_internal.bi_schema_behind(text) IS
  'Part of make_bi_schema: the views for BI tools of a workspace.';

-- Where there is a schema of plain views, those that are missing.
CREATE FUNCTION segmentation_internal.bi_schema_keep(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bi constant text := segmentation_internal.bi_schema_of(ws);
  behind regclass;
BEGIN
  FOR behind IN
    SELECT b.behind FROM segmentation_internal.bi_schema_behind(ws) AS b
    WHERE bi IS NOT NULL AND to_regclass(format('%s.%I', bi, b.name)) IS NULL
  LOOP
    PERFORM segmentation_internal.bi_schema_view(bi, behind);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_schema_keep(text) IS
  'Part of make_bi_schema: makes the plain views that are missing, where there is a schema for them.';

-- Before the views behind them go: the plain views over those, or over all; returns what gives their rights back.
CREATE FUNCTION segmentation_internal.bi_schema_take(
  ws text, names text[] DEFAULT NULL, cascade boolean DEFAULT false
) RETURNS text[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bi constant text := segmentation_internal.bi_schema_of(ws);
  views text[];
  grants text[];
  view text;
BEGIN
  SELECT array_agg(format('%s.%I', bi, c.relname) ORDER BY c.relname),
    array_agg(g.statement) FILTER (WHERE g.statement IS NOT NULL)
    INTO views, grants
  FROM pg_class AS c
  LEFT JOIN LATERAL (
    SELECT string_agg(format('GRANT %s ON %s.%I TO %s%s', x.privilege_type, bi, c.relname,
      CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
      CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '; ') AS statement
    FROM aclexplode(c.relacl) AS x) AS g ON true
  WHERE c.relnamespace = to_regnamespace(bi) AND c.relkind = 'v'
    AND c.relname IN (SELECT b.name FROM segmentation_internal.bi_schema_behind(ws) AS b)
    AND (names IS NULL OR c.relname = ANY (names));
  FOREACH view IN ARRAY coalesce(views, '{}') LOOP
    EXECUTE format('DROP VIEW %s%s', view, CASE WHEN cascade THEN ' CASCADE' ELSE '' END);
  END LOOP;
  RETURN grants;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_schema_take(text, text[], boolean) IS
  'Part of upgrade_workspace: drops plain views before those behind them change, and returns their grants.';

CREATE FUNCTION segmentation_internal.bi_schema_give(ws text, grants text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  statement text;
BEGIN
  PERFORM segmentation_internal.bi_schema_keep(ws);
  FOREACH statement IN ARRAY coalesce(grants, '{}') LOOP
    EXECUTE statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_schema_give(text, text[]) IS
  'Part of upgrade_workspace: makes the plain views anew that bi_schema_take dropped, with their grants.';

-- With the workspace. What somebody else put into the schema of plain views stays there.
CREATE FUNCTION segmentation_internal.bi_schema_drop(ws text, cascade boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bi constant regnamespace := segmentation_internal.bi_schema_of(ws);
BEGIN
  IF bi IS NULL THEN
    RETURN;
  END IF;
  PERFORM segmentation_internal.bi_schema_take(ws, NULL, cascade);
  IF NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = bi)
  THEN
    EXECUTE format('DROP SCHEMA %s', bi);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.bi_schema_drop(text, boolean) IS
  'Part of drop_workspace: drops the plain views, and their schema if it is empty then.';

CREATE FUNCTION segmentation.make_bi_schema(workspace text) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  bi constant text := workspace || '_bi';
  fault record;
BEGIN
  SELECT f.message, f.hint INTO fault FROM segmentation_internal.bi_schema_fault(workspace) AS f;
  IF fault.message IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I can have no schema of plain views: %s', workspace, fault.message),
      HINT = fault.hint;
  END IF;
  IF segmentation_internal.bi_schema_of(ws) IS NULL THEN
    EXECUTE segmentation_internal.fill(NULL, $q$
      CREATE SCHEMA @bi@;
      COMMENT ON SCHEMA @bi@ IS @'mark'@;
      ALTER SCHEMA @bi@ OWNER TO @owner@$q$,
      jsonb_build_object('bi', bi, 'mark', segmentation_internal.bi_schema_mark(), 'owner', (
        SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.nspname = workspace)));
  END IF;
  PERFORM segmentation_internal.bi_schema_keep(ws);
  RETURN bi;
END
$$;
COMMENT ON FUNCTION segmentation.make_bi_schema(text) IS
  'Makes the schema <workspace>_bi with a plain view over each view bi_* of a workspace, columns and comments alike, '
  'for tools that list no materialized views; returns its name. Kept by upgrade_workspace, dropped by drop_workspace. '
  'Refused if a schema of that name is something else.';
