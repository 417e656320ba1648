-- What is a workspace, and who looks into it with whose code running.

-- A schema is a workspace because it is in this table, whatever its tables look like and whatever is said of them.
CREATE TABLE segmentation.workspace_registry (
  workspace name PRIMARY KEY,
  owner name NOT NULL,
  layout integer NOT NULL,
  key_type text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE segmentation.workspace_registry IS
  'The workspaces: written by create_workspace, adopt_workspace and drop_workspace alone. One whose schema is gone, or '
  'has another owner now, is none.';
COMMENT ON COLUMN segmentation.workspace_registry.workspace IS 'Name of its schema.';
COMMENT ON COLUMN segmentation.workspace_registry.owner IS 'Who owned the schema then.';
COMMENT ON COLUMN segmentation.workspace_registry.layout IS 'Version of its tables.';
COMMENT ON COLUMN segmentation.workspace_registry.key_type IS 'Type of customers'' keys.';
COMMENT ON COLUMN segmentation.workspace_registry.registered_at IS 'Since when.';
SELECT pg_catalog.pg_extension_config_dump('segmentation.workspace_registry', '');

-- A dump is restored by COPY, perhaps by the installer, who is no superuser. What a row says of a schema is true, or
-- there is no row: as if the schema's owner had called adopt_workspace.
CREATE FUNCTION segmentation_internal.workspace_registry_truth() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.owner := (
    SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n
    WHERE n.nspname = NEW.workspace AND pg_has_role(n.nspowner, 'MEMBER'));
  RETURN CASE WHEN NEW.owner IS NOT NULL THEN NEW END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_registry_truth() IS
  'Trigger of workspace_registry: the owner of a row is that of its schema; a schema that is not there, or not the '
  'writer''s, gets none.';
CREATE TRIGGER truth BEFORE INSERT ON segmentation.workspace_registry
  FOR EACH ROW EXECUTE FUNCTION segmentation_internal.workspace_registry_truth();
COMMENT ON TRIGGER truth ON segmentation.workspace_registry IS 'Rows are of schemas that the writer owns.';

CREATE FUNCTION segmentation_internal.workspace_register(workspace text, layout integer, key_type text) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'workspace_register_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_register(text, integer, text) IS
  'Part of create_workspace: writes the registry. Only for a schema that the caller owns.';

CREATE FUNCTION segmentation_internal.workspace_unregister(workspace text) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'workspace_unregister_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_unregister(text) IS
  'Part of drop_workspace: takes a schema out of the registry. Only one that the caller owns.';

CREATE FUNCTION segmentation.workspaces() RETURNS TABLE (workspace text, owner name, layout integer, key_type text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT g.workspace::text, g.owner, g.layout, g.key_type
  FROM segmentation.workspace_registry AS g
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = g.workspace
  JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
  WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  ORDER BY g.workspace;
END;
COMMENT ON FUNCTION segmentation.workspaces() IS
  'The workspaces of this database whose schema the caller may use. Reads the registry, and nothing of anybody''s.';

-- The tables that create_workspace makes.
CREATE FUNCTION segmentation_internal.workspace_tables() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{workspace,setting,source,parameter_set,segment,segment_override,customer_facts,customer_segments,'
    'membership_history,customer_products,product,customer_channels,life_moments,events,refresh_log,'
    'source_reading,queue,capture,event_reader,erasure,campaign,campaign_customer,drift,target,currency_rate,'
    'edit_log,segment_value}'::text[];
COMMENT ON FUNCTION segmentation_internal.workspace_tables() IS 'Part of adopt_workspace: the tables of a workspace.';

CREATE FUNCTION segmentation_internal.workspace_schema(workspace text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF workspace IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'workspace must not be null';
  END IF;
  IF NOT EXISTS (
    SELECT FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
    WHERE g.workspace = workspace_schema.workspace)
  THEN
    RAISE invalid_schema_name USING
      MESSAGE = format('workspace %I does not exist', workspace),
      HINT = CASE
        WHEN EXISTS (
          SELECT FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
          WHERE n.nspname = workspace AND c.relname = 'customer_segments' AND pg_has_role(n.nspowner, 'MEMBER'))
        THEN format('If it came by a restore, or has a new name or owner: SELECT segmentation.adopt_workspace(%L).',
          workspace)
        ELSE 'Make it with create_workspace; segmentation.workspaces() lists those there are.' END;
  END IF;
  RETURN quote_ident(workspace);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_schema(text) IS
  'Part of every call: the quoted schema of a workspace, or an error if there is none.';

-- Its owner's are also what belongs to a member of the owner's role: that may act as the owner.
CREATE FUNCTION segmentation_internal.workspace_alien(workspace text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format('%s belongs to %I',
    pg_catalog.pg_describe_object(o.class, o.oid, 0), pg_catalog.pg_get_userbyid(o.owner))
  FROM pg_catalog.pg_namespace AS n
  CROSS JOIN LATERAL (
    SELECT 'pg_catalog.pg_class'::regclass AS class, c.oid, c.relowner AS owner
    FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.proowner
    FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid) AS o
  WHERE n.nspname = workspace_alien.workspace AND NOT pg_catalog.pg_has_role(o.owner, n.nspowner, 'MEMBER')
  ORDER BY 1 LIMIT 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_alien(text) IS
  'Part of workspace_owned: a relation or function in the schema of a workspace that is not its owner''s; NULL if '
  'there is none.';

CREATE FUNCTION segmentation_internal.workspace_refuse_alien(workspace text, owner name) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  alien constant text := segmentation_internal.workspace_alien(workspace);
BEGIN
  IF alien IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('workspace %I holds what is not its owner''s: %s', workspace, alien),
      DETAIL = 'Code of another role could run with your rights.',
      HINT = format('Drop it, move it to another schema, or give it to %I.', owner);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_alien(text, name) IS
  'Part of workspace_owned: an error if anything in the schema of a workspace belongs to another role.';

CREATE FUNCTION segmentation_internal.workspace_refuse_others(workspace text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner oid;
  owner_name name;
  owner_is_superuser boolean;
BEGIN
  SELECT r.oid, r.rolname, r.rolsuper INTO owner, owner_name, owner_is_superuser
  FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = workspace;
  IF owner IS NULL THEN
    RAISE invalid_schema_name USING MESSAGE = format('schema %I does not exist', workspace);
  END IF;
  IF NOT pg_has_role(current_user, owner, 'MEMBER') THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('must be owner of workspace %I', workspace),
      HINT = format('Its owner is %I.', owner_name);
  END IF;
  IF NOT owner_is_superuser AND (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('a superuser does not work in workspace %I of another role', workspace),
      DETAIL = 'Code of the owner would run with all rights.',
      HINT = format('Connect as %I, or SET ROLE %I.', owner_name, owner_name);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_others(text) IS
  'Part of drop_workspace: an error unless the caller may act as the owner of a schema.';

CREATE FUNCTION segmentation_internal.workspace_refuse_stranger(workspace text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation_internal.workspace_refuse_others(workspace);
  PERFORM segmentation_internal.workspace_refuse_alien(workspace, (
    SELECT r.rolname FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = workspace));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_stranger(text) IS
  'Part of workspace_owned: an error unless the caller may act as the owner of a schema, and all in it is the '
  'owner''s.';

-- The gate for what changes a workspace. It runs as its owner does: code of the owner's (a view, a trigger) must not
-- get the rights of somebody who has more, nor code of somebody else's those of the owner.
CREATE FUNCTION segmentation_internal.workspace_owned(workspace text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_schema(workspace);
BEGIN
  PERFORM segmentation_internal.workspace_refuse_stranger(workspace);
  RETURN ws;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_owned(text) IS
  'Part of every call: the quoted schema of a workspace that the caller may change, or an error.';

-- Looking into a workspace of others

CREATE FUNCTION segmentation_internal.workspace_look(workspace text, reads text[], writes text[]) RETURNS text
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'workspace_look_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_look(text, text[], text[]) IS
  'Part of workspace_readable: locks tables that the caller may read (or write) and says by workspace_fault what is '
  'not plain about them; NULL if nothing is. Then the guard lets them pass.';

CREATE FUNCTION segmentation_internal.workspace_guarded() RETURNS boolean
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'workspace_guarded_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_guarded() IS
  'Part of workspace_readable: whether segmentation.guard is on: then only tables that were looked at are read, and '
  'only functions of superusers are run.';

CREATE FUNCTION segmentation_internal.workspace_let_down() RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'workspace_let_down_wrapper';
COMMENT ON FUNCTION segmentation_internal.workspace_let_down() IS
  'Part of workspace_readable: puts segmentation.guard off until the function that put it on returns.';

-- What is hung on a table runs with the rights of who reads it. Functions, operators and types of a superuser are
-- harmless: who has all rights needs no trap.
CREATE FUNCTION segmentation_internal.workspace_fault(workspace text, reads oid[], writes oid[]) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH schema AS (
    SELECT n.oid, n.nspowner
    FROM segmentation.workspace_registry AS g
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
    WHERE g.workspace = workspace_fault.workspace),
  seen AS (
    SELECT given.oid, given.oid = ANY (writes) AS written,
      c.relname, c.relnamespace, c.relkind, c.relowner, c.relrowsecurity
    FROM pg_catalog.unnest(reads || writes) AS given (oid)
    LEFT JOIN pg_catalog.pg_class AS c ON c.oid = given.oid),
  expression AS (
    SELECT c.conrelid AS relation, 'pg_catalog.pg_constraint'::regclass AS class, c.oid
    FROM pg_catalog.pg_constraint AS c WHERE c.contype = 'c' AND c.conrelid = ANY (reads || writes)
    UNION ALL
    SELECT i.indrelid, 'pg_catalog.pg_class'::regclass, i.indexrelid
    FROM pg_catalog.pg_index AS i WHERE i.indrelid = ANY (reads || writes)
    UNION ALL
    SELECT s.stxrelid, 'pg_catalog.pg_statistic_ext'::regclass, s.oid
    FROM pg_catalog.pg_statistic_ext AS s WHERE s.stxrelid = ANY (reads || writes)
    UNION ALL
    -- A plain default is computed when a row is written only.
    SELECT d.adrelid, 'pg_catalog.pg_attrdef'::regclass, d.oid
    FROM pg_catalog.pg_attrdef AS d
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = ANY (reads || writes) AND (a.attgenerated <> '' OR d.adrelid = ANY (writes)))
  SELECT f.fault
  FROM (
    SELECT 1 AS place, 'its schema has another owner than it was registered with' AS fault
    WHERE NOT EXISTS (SELECT FROM schema)
    UNION ALL
    SELECT 2, CASE
      WHEN s.relname IS NULL OR s.relnamespace <> n.oid THEN 'one of its tables was dropped or moved just now'
      -- Those for BI tools are materialized: rows as a table's, whose query runs when their owner refreshes them.
      WHEN s.relkind <> 'r' AND NOT (s.relkind = 'm' AND s.relname LIKE 'bi\_%' AND NOT s.written)
        THEN pg_catalog.format('%I is %s', s.relname, CASE s.relkind
        WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
        WHEN 'p' THEN 'a partitioned table' ELSE 'no table' END)
      WHEN s.relowner <> n.nspowner
        THEN pg_catalog.format('%I belongs to %I', s.relname, pg_catalog.pg_get_userbyid(s.relowner))
      WHEN s.relrowsecurity THEN pg_catalog.format('%I has row-level security', s.relname) END
    FROM seen AS s CROSS JOIN schema AS n
    UNION ALL
    SELECT 3, pg_catalog.format('%I has the rule %I', s.relname, w.rulename)
    FROM seen AS s
    JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = s.oid AND NOT (s.relkind = 'm' AND w.rulename = '_RETURN')
    UNION ALL
    SELECT 4, pg_catalog.format('%I and %I inherit', s.relname,
      (SELECT c.relname FROM pg_catalog.pg_class AS c
       WHERE c.oid = CASE s.oid WHEN h.inhparent THEN h.inhrelid ELSE h.inhparent END))
    FROM seen AS s JOIN pg_catalog.pg_inherits AS h ON s.oid IN (h.inhparent, h.inhrelid)
    UNION ALL
    SELECT 5, pg_catalog.format('column %I of %I has the type %s of role %I',
      a.attname, s.relname, pg_catalog.format_type(a.atttypid, NULL), r.rolname)
    FROM seen AS s
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = s.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_roles AS r ON r.oid = t.typowner
    WHERE NOT r.rolsuper
    UNION ALL
    SELECT 6, pg_catalog.format('%s uses %s of role %I',
      coalesce(pg_catalog.pg_describe_object(e.class, e.oid, 0), 'an index or the like'),
      coalesce(pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0), 'something'), r.rolname)
    FROM expression AS e
    JOIN pg_catalog.pg_depend AS d ON d.classid = e.class AND d.objid = e.oid
    JOIN pg_catalog.pg_roles AS r ON r.oid = CASE d.refclassid
      WHEN 'pg_catalog.pg_proc'::regclass THEN (SELECT p.proowner FROM pg_catalog.pg_proc AS p WHERE p.oid = d.refobjid)
      WHEN 'pg_catalog.pg_type'::regclass THEN (SELECT t.typowner FROM pg_catalog.pg_type AS t WHERE t.oid = d.refobjid)
      WHEN 'pg_catalog.pg_operator'::regclass THEN (
        SELECT p.proowner
        FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_proc AS p ON p.oid = o.oprcode
        WHERE o.oid = d.refobjid)
      END
    WHERE NOT r.rolsuper
    UNION ALL
    SELECT 7, pg_catalog.format('%I has the trigger %I', s.relname, t.tgname)
    FROM seen AS s JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = s.oid AND NOT t.tgisinternal
    WHERE s.written) AS f
  WHERE f.fault IS NOT NULL
  ORDER BY f.place, f.fault COLLATE "C"
  LIMIT 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_fault(text, oid[], oid[]) IS
  'Part of workspace_look: what about these tables of a workspace would run code of its owner when they are read, or '
  'written; NULL if nothing would.';

-- The library defines the setting when it is loaded, and only then it is known where a value comes from. The owner of
-- a database, who need not be a superuser, must not answer for those who connect.
CREATE FUNCTION segmentation_internal.workspace_trusted(workspace text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN pg_catalog.current_setting('segmentation.trusted_workspaces', true) <> '' THEN EXISTS (
    SELECT FROM pg_catalog.pg_settings AS s
    CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(s.setting, ',')) AS t (name)
    WHERE s.name = 'segmentation.trusted_workspaces' AND s.source <> 'database'
      AND pg_catalog.btrim(t.name) = workspace)
    ELSE false END;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_trusted(text) IS
  'Part of workspace_readable: whether the caller asked for a workspace by name in segmentation.trusted_workspaces: '
  'then its owner''s code may run with the caller''s rights.';

-- The gate for what looks into a workspace. Every function that calls it has the clause SET segmentation.guard = on;
-- for the owner, and for whom the caller trusts by name, the guard is let down. reads and writes name the tables.
CREATE FUNCTION segmentation_internal.workspace_readable(
  workspace text, reads text[], writes text[] DEFAULT '{}'
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_schema(workspace);
  owner name;
  trusted boolean;
  fault text;
BEGIN
  IF NOT segmentation_internal.workspace_guarded() THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = 'segmentation.guard is off',
      DETAIL = 'A function that looks into a workspace has the clause SET segmentation.guard = on.';
  END IF;
  SELECT r.rolname,
    r.rolsuper
    OR (pg_has_role(r.oid, 'MEMBER') AND NOT (SELECT u.rolsuper FROM pg_roles AS u WHERE u.rolname = current_user))
    OR segmentation_internal.workspace_trusted(workspace)
  INTO owner, trusted
  FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = workspace;
  IF trusted THEN
    PERFORM segmentation_internal.workspace_let_down();
    PERFORM segmentation_internal.workspace_refuse_alien(workspace, owner);
    RETURN ws;
  END IF;
  fault := segmentation_internal.workspace_look(workspace, reads, writes);
  IF fault IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('workspace %I of role %I is not looked into: %s', workspace, owner, fault),
      DETAIL = 'Code of that role could run with your rights.',
      HINT = format('SET ROLE %I, or trust it: SET segmentation.trusted_workspaces = %L.', owner, workspace);
  END IF;
  RETURN ws;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_readable(text, text[], text[]) IS
  'Part of every call: the quoted schema of a workspace whose tables the caller may look into without running code of '
  'others, or an error. For functions with SET segmentation.guard = on.';

-- Sources are whatever their owner made of them: views, foreign tables, with policies.
CREATE FUNCTION segmentation_internal.workspace_refuse_sources(workspace text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF segmentation_internal.workspace_guarded() THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('the sources of workspace %I are not read by another role', workspace),
      DETAIL = 'They may be views: code of the owner''s could run with your rights.',
      HINT = format('SET ROLE to the owner, or trust it: SET segmentation.trusted_workspaces = %L.', workspace);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_sources(text) IS
  'Part of retention_due: an error where the guard is on.';

-- From the catalogue: what the table says of itself is text of the owner's, and would come into a query as SQL.
CREATE FUNCTION segmentation_internal.workspace_key(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = pg_catalog.to_regclass(ws || '.customer_facts') AND a.attname = 'customer' AND NOT a.attisdropped;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_key(text) IS
  'The type of customers'' keys of a workspace, given by its quoted schema, as SQL.';

CREATE FUNCTION segmentation.adopt_workspace(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text;
  layout integer;
BEGIN
  IF workspace IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'workspace must not be null';
  END IF;
  PERFORM segmentation_internal.workspace_refuse_stranger(workspace);
  SELECT string_agg(t.name, ', ' ORDER BY t.place) INTO missing
  FROM unnest(segmentation_internal.workspace_tables()) WITH ORDINALITY AS t (name, place)
  WHERE NOT EXISTS (
    SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = workspace AND c.relname = t.name AND c.relkind = 'r');
  IF missing IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('schema %I is no workspace', workspace),
      DETAIL = format('These are not there, or are no tables: %s.', missing);
  END IF;
  EXECUTE format('SELECT w.layout FROM %I.workspace AS w', workspace) INTO layout;
  IF layout IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('schema %I is no workspace', workspace),
      DETAIL = 'Its table workspace is empty.';
  END IF;
  PERFORM segmentation_internal.workspace_register(workspace, layout,
    segmentation_internal.workspace_key(quote_ident(workspace)));
  -- It names its workspace.
  IF EXISTS (
    SELECT FROM pg_proc AS p WHERE pg_has_role(p.proowner, 'USAGE')
      AND p.oid = to_regprocedure(format('%I.explain(text, text, text)', workspace)))
  THEN
    PERFORM segmentation_internal.workspace_make_explain(workspace);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.adopt_workspace(text) IS
  'Registers a schema as the workspace that it is: after a restore by who is no superuser, or after ALTER SCHEMA gave '
  'it another name or owner. For its owner; the tables have to be there.';
