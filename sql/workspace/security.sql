-- What a DBA asks of an extension and of the workspaces in a database, from the catalogues. Nothing is read but these,
-- the registry and, with the guard on, the list of sources of a workspace.

-- Each check is a statement that should hold: its label is what is said where nothing was found.
INSERT INTO segmentation.label (domain, code, language, label, built_in)
SELECT v.domain, v.code, t.language, t.label, true
FROM (VALUES
  ('security_check', 'schema_owner', 'The schemas belong to a superuser',
    'Les schémas appartiennent à un superutilisateur'),
  ('security_check', 'object_owner', 'What is in the extension belongs to a superuser',
    'Les objets de l''extension appartiennent à un superutilisateur'),
  ('security_check', 'stranger', 'Nothing of others is in the schemas of the extension',
    'Les schémas de l''extension ne contiennent rien d''autrui'),
  ('security_check', 'widened', 'No right to the extension was added',
    'Aucun droit n''a été ajouté sur l''extension'),
  ('security_check', 'narrowed', 'No right to the extension was taken away',
    'Aucun droit n''a été retiré sur l''extension'),
  ('security_check', 'definer', 'No function of the extension has its owner''s rights',
    'Aucune fonction de l''extension n''a les droits de son propriétaire'),
  ('security_check', 'path', 'Every function finds its names whatever the path of the caller',
    'Chaque fonction trouve ses noms quel que soit le chemin de l''appelant'),
  ('security_check', 'guard', 'Who looks into workspaces of others does it with the guard on',
    'La consultation des espaces d''autrui se fait sous garde'),
  ('security_check', 'library', 'Functions in C are those of the library of the extension',
    'Les fonctions en C sont celles de la bibliothèque de l''extension'),
  ('security_check', 'hung_on', 'Nothing is hung on the tables of the extension',
    'Rien n''est accroché aux tables de l''extension'),
  ('security_check', 'open_schema', 'Nobody but its owner may create in a schema that all use',
    'Nul autre que son propriétaire ne peut créer dans un schéma ouvert à tous'),
  ('security_check', 'trusted', 'No role trusts workspaces of others beforehand',
    'Aucun rôle ne fait d''avance confiance aux espaces d''autrui'),
  ('security_check', 'registry', 'Every registered workspace is there, and of its owner',
    'Chaque espace enregistré existe et appartient à son propriétaire'),
  ('security_check', 'superuser_owner', 'No workspace belongs to a superuser',
    'Aucun espace n''appartient à un superutilisateur'),
  ('security_check', 'members', 'Nobody but its owner may act as the owner of a workspace',
    'Seul son propriétaire peut agir comme propriétaire d''un espace'),
  ('security_check', 'workspace_create', 'Nobody else may create in the schema of a workspace',
    'Nul autre ne peut créer dans le schéma d''un espace'),
  ('security_check', 'workspace_alien', 'What is in a workspace is its owner''s',
    'Le contenu d''un espace appartient à son propriétaire'),
  ('security_check', 'workspace_definer', 'In workspaces only known functions have their owner''s rights',
    'Dans les espaces, seules les fonctions connues ont les droits du propriétaire'),
  ('security_check', 'workspace_plain', 'Reading the tables of a workspace runs nobody''s code',
    'La lecture des tables d''un espace n''exécute le code de personne'),
  ('security_check', 'workspace_public', 'Nothing of a workspace is everybody''s to read',
    'Rien d''un espace n''est lisible par tous'),
  ('security_check', 'workspace_writer', 'Nobody but its owner writes the tables of a workspace',
    'Seul son propriétaire écrit dans les tables d''un espace'),
  ('security_check', 'workspace_reader', 'Nobody but its owner reads more of a workspace than the figures of bi_*',
    'Seul son propriétaire lit plus d''un espace que les chiffres de bi_*'),
  ('security_check', 'default_rights', 'New tables of a workspace are its owner''s alone',
    'Les nouvelles tables d''un espace ne sont qu''à son propriétaire'),
  ('security_check', 'capture', 'No trigger of a workspace runs in the statements of others',
    'Aucun déclencheur d''un espace ne s''exécute dans les instructions d''autrui'),
  ('security_check', 'source_writer', 'Nobody but their owner writes the sources of a workspace',
    'Seul leur propriétaire écrit dans les sources d''un espace'),
  ('security_verdict', 'ok', 'In order', 'En ordre'),
  ('security_verdict', 'look', 'To be known', 'À connaître'),
  ('security_verdict', 'danger', 'Dangerous', 'Dangereux'),
  ('security_verdict', 'unknown', 'Not looked at', 'Non examiné')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

-- The members of the extension, with their owner, the rights to them now and as they came, and how PostgreSQL calls
-- their kind. A list of rights that was never written is the usual one of its kind.
CREATE FUNCTION segmentation_internal.security_object() RETURNS TABLE (
    class oid, oid oid, kind "char", owner oid, rights aclitem[], given aclitem[])
  LANGUAGE sql STABLE ROWS 1500 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT o.class, o.oid, o.kind, o.owner,
    coalesce(o.rights, acldefault(o.kind, o.owner)),
    coalesce(
      (SELECT i.initprivs FROM pg_init_privs AS i
       WHERE i.classoid = o.class AND i.objoid = o.oid AND i.objsubid = 0),
      acldefault(o.kind, o.owner))
  FROM pg_extension AS e
  JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  JOIN LATERAL (
    SELECT d.classid AS class, d.objid AS oid, 'f'::"char" AS kind, p.proowner AS owner, p.proacl AS rights
    FROM pg_proc AS p WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    UNION ALL
    SELECT d.classid, d.objid, 'T', t.typowner, t.typacl
    FROM pg_type AS t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid
    UNION ALL
    SELECT d.classid, d.objid, 'r', c.relowner, c.relacl
    FROM pg_class AS c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind <> 'S'
    UNION ALL
    SELECT d.classid, d.objid, 's', c.relowner, c.relacl
    FROM pg_class AS c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'S') AS o ON true
  WHERE e.extname = 'segmentation'
  UNION ALL
  -- The first schema is no member of the extension where it was there before.
  SELECT 'pg_namespace'::regclass, n.oid, 'n', n.nspowner,
    coalesce(n.nspacl, acldefault('n', n.nspowner)),
    acldefault('n', n.nspowner) || makeaclitem(0, n.nspowner, 'USAGE', false)
  FROM pg_namespace AS n WHERE n.nspname IN ('segmentation', 'segmentation_internal');
END;
COMMENT ON FUNCTION segmentation_internal.security_object() IS
  'Part of security_check: what is of the extension, with owner, rights now and rights as they came.';

-- A role as it stands in GRANT and REVOKE.
CREATE FUNCTION segmentation_internal.security_grantee(role oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END;
COMMENT ON FUNCTION segmentation_internal.security_grantee(oid) IS
  'Part of security_check: the name of a role, or PUBLIC, as SQL.';

-- Rights that did not come with the extension, or came and are gone. A right to write its
-- tables is for those who fill maps and labels; a trigger on them, or an object in its schemas, is code that others
-- run.
CREATE FUNCTION segmentation_internal.security_rights() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.what,
    CASE WHEN c.what = 'widened' AND (c.privilege IN ('CREATE', 'TRIGGER') OR c.grantee = 0) THEN 'danger'
      ELSE 'look' END,
    c.object,
    format(CASE c.what WHEN 'widened' THEN '%s may %s' ELSE '%s may no longer %s' END,
      segmentation_internal.security_grantee(c.grantee), c.privilege),
    format(CASE c.what WHEN 'widened' THEN 'REVOKE %s ON %s FROM %s' ELSE 'GRANT %s ON %s TO %s' END,
      c.privilege, c.named, segmentation_internal.security_grantee(c.grantee))
  FROM (
    SELECT d.what, d.grantee, pg_describe_object(o.class, o.oid, 0) AS object,
      CASE o.kind WHEN 'f' THEN 'ROUTINE ' WHEN 'T' THEN 'TYPE ' WHEN 'n' THEN 'SCHEMA ' ELSE '' END
        || (pg_identify_object(o.class, o.oid, 0)).identity AS named,
      string_agg(d.privilege_type, ', ' ORDER BY d.privilege_type) AS privilege
    FROM segmentation_internal.security_object() AS o
    CROSS JOIN LATERAL (
      (SELECT 'widened' AS what, n.grantee, n.privilege_type FROM aclexplode(o.rights) AS n
       EXCEPT SELECT 'widened', g.grantee, g.privilege_type FROM aclexplode(o.given) AS g)
      UNION ALL
      (SELECT 'narrowed', g.grantee, g.privilege_type FROM aclexplode(o.given) AS g
       EXCEPT SELECT 'narrowed', n.grantee, n.privilege_type FROM aclexplode(o.rights) AS n)) AS d
    WHERE d.grantee <> o.owner AND d.grantee NOT IN (SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper)
    GROUP BY o.class, o.oid, o.kind, d.what, d.grantee,
      d.privilege_type IN ('CREATE', 'TRIGGER')) AS c;
END;
COMMENT ON FUNCTION segmentation_internal.security_rights() IS
  'Part of security_check: rights to the extension that were added or taken away.';

-- Who owns the extension, and what is in its schemas beside it.
CREATE FUNCTION segmentation_internal.security_owners() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE o.kind WHEN 'n' THEN 'schema_owner' ELSE 'object_owner' END, 'danger',
    pg_describe_object(o.class, o.oid, 0),
    format('belongs to %I, who is no superuser', pg_get_userbyid(o.owner)),
    format('ALTER %s %s OWNER TO a superuser: its owner can make of it whatever others will run.',
      CASE o.kind WHEN 'f' THEN 'ROUTINE' WHEN 'T' THEN 'TYPE' WHEN 'n' THEN 'SCHEMA' ELSE 'TABLE' END,
      (pg_identify_object(o.class, o.oid, 0)).identity)
  FROM segmentation_internal.security_object() AS o
  WHERE NOT coalesce((SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = o.owner), false)
    -- The types of rows and arrays follow their table or type, and cannot be given away alone.
    AND NOT EXISTS (
      SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
      WHERE o.kind = 'T' AND t.oid = o.oid AND (t.typcategory = 'A' OR c.relkind IN ('r', 'v')))
  UNION ALL
  SELECT 'stranger', 'danger', pg_describe_object(d.classid, d.objid, 0),
    'is in a schema of the extension, and not of the extension',
    'Find out who made it, and drop it: statements that have the schema on their path may find it.'
  FROM pg_depend AS d
  WHERE d.refclassid = 'pg_namespace'::regclass
    AND d.refobjid IN (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname IN ('segmentation', 'segmentation_internal'))
    AND d.classid <> 'pg_extension'::regclass
    AND NOT EXISTS (
      SELECT FROM pg_depend AS e JOIN pg_extension AS x ON x.oid = e.refobjid AND x.extname = 'segmentation'
      WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'
        AND e.refclassid = 'pg_extension'::regclass);
END;
COMMENT ON FUNCTION segmentation_internal.security_owners() IS
  'Part of security_check: what of the extension belongs to somebody who is no superuser, and what is beside it.';

-- Functions of the extension that are not what they were: the rights, the path, the guard, the library.
CREATE FUNCTION segmentation_internal.security_functions() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH routine AS (
    SELECT p.oid, p.prokind, p.prosecdef, p.prosrc, p.prosqlbody, p.probin, l.lanname,
      coalesce(array_to_string(p.proconfig, ';'), '') AS settings,
      pg_describe_object('pg_proc'::regclass, p.oid, 0) AS name,
      (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity AS identity
    FROM segmentation_internal.security_object() AS o
    JOIN pg_proc AS p ON o.kind = 'f' AND p.oid = o.oid
    JOIN pg_language AS l ON l.oid = p.prolang)
  SELECT 'definer', 'danger', r.name, 'has the rights of its owner (SECURITY DEFINER)',
    format('ALTER ROUTINE %s SECURITY INVOKER', r.identity)
  FROM routine AS r WHERE r.prosecdef
  UNION ALL
  -- A standard body was resolved at the installation; a procedure that commits can have no clause, and its names have
  -- their schema.
  SELECT 'path', 'danger', r.name, 'has no search_path of its own',
    format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp', r.identity)
  FROM routine AS r
  WHERE r.lanname NOT IN ('c', 'internal') AND r.prosqlbody IS NULL AND r.prokind <> 'p'
    AND r.settings !~ '(^|;)search_path=pg_catalog, pg_temp(;|$)'
  UNION ALL
  SELECT 'guard', 'danger', r.name, 'looks into workspaces of others without the guard',
    format('ALTER ROUTINE %s SET segmentation.guard = on', r.identity)
  FROM routine AS r
  WHERE r.prosrc ~ 'segmentation_internal\.workspace_readable\(' AND r.settings !~ 'segmentation\.guard=on'
  UNION ALL
  SELECT 'library', 'danger', r.name, format('is in the library %s', r.probin),
    'The extension has one library, $libdir/segmentation: install the extension again.'
  FROM routine AS r WHERE r.lanname = 'c' AND r.probin !~ '^\$libdir/segmentation(-[0-9.]+)?$';
END;
COMMENT ON FUNCTION segmentation_internal.security_functions() IS
  'Part of security_check: functions of the extension whose rights, path, guard or library is not as it came.';

-- What is hung on the tables of the extension runs with the rights of whoever reads or writes them.
CREATE FUNCTION segmentation_internal.security_hung_on() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH own AS (SELECT o.oid, o.kind FROM segmentation_internal.security_object() AS o WHERE o.kind IN ('r', 'f'))
  SELECT 'hung_on', 'danger', pg_describe_object('pg_class'::regclass, f.relation, 0), f.finding, f.hint
  FROM (
    SELECT t.tgrelid AS relation, format('has the trigger %I, which is not the extension''s', t.tgname) AS finding,
      format('DROP TRIGGER %I ON %s', t.tgname,
        (pg_identify_object('pg_class'::regclass, t.tgrelid, 0)).identity) AS hint
    FROM pg_trigger AS t
    WHERE NOT t.tgisinternal AND t.tgfoid NOT IN (SELECT o.oid FROM own AS o WHERE o.kind = 'f')
    UNION ALL
    SELECT t.tgrelid, format('has its trigger %I switched off', t.tgname),
      format('ALTER TABLE %s ENABLE TRIGGER %I',
        (pg_identify_object('pg_class'::regclass, t.tgrelid, 0)).identity, t.tgname)
    FROM pg_trigger AS t
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'O' AND t.tgfoid IN (SELECT o.oid FROM own AS o WHERE o.kind = 'f')
    UNION ALL
    SELECT w.ev_class, format('has the rule %I', w.rulename),
      format('DROP RULE %I ON %s', w.rulename, (pg_identify_object('pg_class'::regclass, w.ev_class, 0)).identity)
    FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class WHERE c.relkind = 'r'
    UNION ALL
    SELECT c.oid, 'has row-level security',
      format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity)
    FROM pg_class AS c WHERE c.relrowsecurity
    UNION ALL
    SELECT h.inhparent, format('has the child %s', h.inhrelid::regclass),
      format('ALTER TABLE %s NO INHERIT %s', (pg_identify_object('pg_class'::regclass, h.inhrelid, 0)).identity,
        (pg_identify_object('pg_class'::regclass, h.inhparent, 0)).identity)
    FROM pg_inherits AS h) AS f
  WHERE f.relation IN (SELECT o.oid FROM own AS o WHERE o.kind = 'r');
END;
COMMENT ON FUNCTION segmentation_internal.security_hung_on() IS
  'Part of security_check: triggers, rules, policies and children of the tables of the extension, and triggers of its '
  'own that are off.';

-- What prepares a trap for statements of your own: a schema in which anybody creates, and trust that was given before
-- anybody asked.
CREATE FUNCTION segmentation_internal.security_surroundings() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'open_schema', 'look', pg_describe_object('pg_namespace'::regclass, n.oid, 0),
    'everybody may create in it',
    format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, or keep it off the path of roles that have more rights.', n.nspname)
  FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
  WHERE a.grantee = 0 AND a.privilege_type = 'CREATE' AND n.nspname NOT IN ('segmentation', 'segmentation_internal')
  UNION ALL
  SELECT 'trusted',
    CASE WHEN s.setrole = 0 THEN 'look' WHEN r.rolsuper THEN 'danger' ELSE 'look' END,
    CASE WHEN s.setrole = 0 THEN format('database %I', d.datname) ELSE format('role %I', r.rolname) END,
    CASE WHEN s.setrole = 0
      THEN format('trusts these workspaces, which counts for nobody: %s', substr(c.setting, 33))
      ELSE format('runs the code of these workspaces'' owners: %s', substr(c.setting, 33)) END,
    format('ALTER %s RESET segmentation.trusted_workspaces',
      CASE WHEN s.setrole = 0 THEN format('DATABASE %I', d.datname)
        WHEN s.setdatabase = 0 THEN format('ROLE %I', r.rolname)
        ELSE format('ROLE %I IN DATABASE %I', r.rolname, d.datname) END)
  FROM pg_db_role_setting AS s
  CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)
  LEFT JOIN pg_roles AS r ON r.oid = s.setrole
  LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
  WHERE c.setting LIKE 'segmentation.trusted\_workspaces=_%'
    AND s.setdatabase IN (0, (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database()));
END;
COMMENT ON FUNCTION segmentation_internal.security_surroundings() IS
  'Part of security_check: schemas in which everybody may create, and roles that trust workspaces beforehand.';

-- Whose a workspace is: what is in the registry and no more so, and all who may act as the owner.
CREATE FUNCTION segmentation_internal.security_workspace_owners() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT f.what, f.verdict, format('workspace %I', f.workspace), f.finding, f.hint
  FROM (
    SELECT g.workspace, 'registry' AS what, 'look' AS verdict,
      CASE WHEN n.oid IS NULL THEN 'its schema is gone'
        ELSE format('its schema belongs to %I, and it was registered by %I', pg_get_userbyid(n.nspowner), g.owner)
        END AS finding,
      CASE WHEN n.oid IS NULL THEN 'If it was renamed, its owner calls segmentation.adopt_workspace with the new name.'
        ELSE format('As %I: SELECT segmentation.adopt_workspace(%L)', pg_get_userbyid(n.nspowner), g.workspace)
        END AS hint
    FROM segmentation.workspace_registry AS g
    LEFT JOIN pg_namespace AS n ON n.nspname = g.workspace
    LEFT JOIN pg_roles AS r ON r.oid = n.nspowner
    WHERE r.rolname IS DISTINCT FROM g.owner
    UNION ALL
    SELECT g.workspace, 'superuser_owner', 'look',
      format('belongs to the superuser %I: its triggers run with all rights', g.owner),
      'Give it to a role of its own: ALTER SCHEMA and what is in it, then segmentation.adopt_workspace.'
    FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
    WHERE r.rolsuper
    UNION ALL
    SELECT g.workspace, 'members', 'look',
      format('%I may act as its owner %I', m.rolname, g.owner),
      format('REVOKE %I FROM %I, if it need not', g.owner, m.rolname)
    FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
    JOIN pg_roles AS m ON m.oid <> r.oid AND NOT m.rolsuper AND pg_has_role(m.oid, r.oid, 'MEMBER')) AS f;
END;
COMMENT ON FUNCTION segmentation_internal.security_workspace_owners() IS
  'Part of security_check: workspaces that are not what the registry says, and who may act as the owner of one.';

-- What in a workspace runs with whose rights.
CREATE FUNCTION segmentation_internal.security_workspace_code() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH workspace AS (
    SELECT g.workspace, g.owner, n.oid, n.nspowner, n.nspacl
    FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner),
  routine AS (
    SELECT w.workspace, p.oid, p.prokind, format('%s(%s)', p.oid::regproc, oidvectortypes(p.proargtypes)) AS name,
      -- What start_capture and grant_bi make.
      (p.proname ~ '^capture_\d+_[0-9a-f]{12}$' AND p.prorettype = 'trigger'::regtype)
        OR (p.proname = 'explain' AND oidvectortypes(p.proargtypes) = 'text, text, text') AS known,
      coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) AS pinned,
      EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) AS open
    FROM workspace AS w JOIN pg_proc AS p ON p.pronamespace = w.oid
    WHERE p.prosecdef)
  SELECT 'workspace_create', 'danger', format('workspace %I', w.workspace),
    format('%s may create in its schema', segmentation_internal.security_grantee(a.grantee)),
    format('REVOKE CREATE ON SCHEMA %I FROM %s', w.workspace, segmentation_internal.security_grantee(a.grantee))
  FROM workspace AS w CROSS JOIN LATERAL aclexplode(w.nspacl) AS a
  WHERE a.privilege_type = 'CREATE' AND a.grantee <> w.nspowner
  UNION ALL
  SELECT 'workspace_alien', 'danger', format('workspace %I', w.workspace), a.alien,
    format('Drop it, move it to another schema, or give it to %I.', w.owner)
  FROM workspace AS w CROSS JOIN LATERAL segmentation_internal.workspace_alien(w.workspace) AS a (alien)
  WHERE a.alien IS NOT NULL
  UNION ALL
  SELECT 'workspace_definer', CASE WHEN r.known THEN 'danger' ELSE 'look' END, format('function %s', r.name),
    concat_ws(', and ', CASE WHEN NOT r.known THEN 'has the rights of its owner, and is not made by the extension' END,
      CASE WHEN NOT r.pinned THEN 'finds its names along the path of who calls' END,
      CASE WHEN r.open THEN 'everybody may call it' END),
    concat_ws('; ', CASE WHEN NOT r.known THEN 'Read it' END,
      CASE WHEN NOT r.pinned THEN format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp', r.name) END,
      CASE WHEN r.open THEN format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', r.name) END)
  FROM routine AS r WHERE NOT (r.known AND r.pinned AND NOT r.open)
  UNION ALL
  -- Of each table by itself, as one that would run code hides the next.
  SELECT 'workspace_plain', 'look', format('table %s', c.oid::regclass), f.fault,
    'Whoever reads it, or writes it, runs that with its own rights; the functions of the extension refuse to.'
  FROM workspace AS w
  JOIN pg_class AS c ON c.relnamespace = w.oid
    AND (c.relkind = 'r' OR c.relname = ANY (segmentation_internal.workspace_tables()))
  CROSS JOIN LATERAL segmentation_internal.workspace_fault(w.workspace, ARRAY[c.oid], ARRAY[c.oid]) AS f (fault)
  WHERE f.fault IS NOT NULL;
END;
COMMENT ON FUNCTION segmentation_internal.security_workspace_code() IS
  'Part of security_check: who may put code into a workspace, and code in it that runs with rights of others.';

-- Who else reads and writes what is in a workspace. The views bi_* have figures, as grant_bi gives them; all else is
-- about single customers or is what results are made of. confirm_events writes event_reader as who calls it.
CREATE FUNCTION segmentation_internal.security_workspace_rights() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH workspace AS (
    SELECT g.workspace, n.oid, n.nspowner
    FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner),
  granted AS (
    SELECT DISTINCT w.workspace, c.relname, a.grantee, a.privilege_type,
      c.relname LIKE 'bi\_%' AND c.relname <> 'bi_customers' AS figures
    FROM workspace AS w
    JOIN pg_class AS c ON c.relnamespace = w.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    CROSS JOIN LATERAL (
      SELECT t.grantee, t.privilege_type FROM aclexplode(c.relacl) AS t
      UNION ALL
      SELECT t.grantee, t.privilege_type
      FROM pg_attribute AS b CROSS JOIN LATERAL aclexplode(b.attacl) AS t
      WHERE b.attrelid = c.oid AND NOT b.attisdropped) AS a
    WHERE a.grantee NOT IN (c.relowner, w.nspowner)),
  finding AS (
    SELECT g.workspace, g.relname, g.grantee, g.privilege_type,
      CASE WHEN g.privilege_type <> 'SELECT' THEN 'workspace_writer'
        WHEN g.grantee = 0 THEN 'workspace_public'
        ELSE 'workspace_reader' END AS what,
      CASE WHEN g.privilege_type = 'SELECT' THEN g.grantee = 0 AND NOT g.figures
        ELSE g.relname <> 'event_reader' OR g.privilege_type NOT IN ('INSERT', 'UPDATE') OR g.grantee = 0 END AS bad
    FROM granted AS g
    WHERE g.privilege_type <> 'SELECT' OR g.grantee = 0 OR NOT g.figures)
  SELECT f.what, CASE WHEN f.bad THEN 'danger' ELSE 'look' END, format('workspace %I', f.workspace),
    format('%s may %s %s', segmentation_internal.security_grantee(f.grantee), f.privilege_type,
      string_agg(quote_ident(f.relname), ', ' ORDER BY f.relname COLLATE "C")),
    format('REVOKE %s ON %s FROM %s', f.privilege_type,
      string_agg(format('%I.%I', f.workspace, f.relname), ', ' ORDER BY f.relname COLLATE "C"),
      segmentation_internal.security_grantee(f.grantee))
  FROM finding AS f
  GROUP BY f.what, f.bad, f.workspace, f.grantee, f.privilege_type
  UNION ALL
  SELECT 'default_rights', 'look', format('workspace %I', w.workspace),
    format('%s may %s each table that %I makes%s', segmentation_internal.security_grantee(a.grantee),
      string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), pg_get_userbyid(w.nspowner),
      CASE WHEN d.defaclnamespace <> 0 THEN ' there' ELSE '' END),
    format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON TABLES FROM %s', pg_get_userbyid(w.nspowner),
      CASE WHEN d.defaclnamespace <> 0 THEN format(' IN SCHEMA %I', w.workspace) ELSE '' END,
      segmentation_internal.security_grantee(a.grantee))
  FROM workspace AS w
  JOIN pg_default_acl AS d ON d.defaclrole = w.nspowner AND d.defaclnamespace IN (0, w.oid) AND d.defaclobjtype = 'r'
  CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
  WHERE a.grantee <> w.nspowner
  GROUP BY w.workspace, w.nspowner, d.defaclnamespace, a.grantee;
END;
COMMENT ON FUNCTION segmentation_internal.security_workspace_rights() IS
  'Part of security_check: who reads and writes the relations of a workspace beside its owner.';

-- Triggers of capture run in the statements of whoever writes a source, with the rights of the function's owner.
CREATE FUNCTION segmentation_internal.security_capture() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'capture', CASE WHEN w.workspace IS NULL OR o.rolsuper THEN 'danger' ELSE 'look' END,
    format('table %s', t.tgrelid::regclass),
    format('whoever writes it runs %s with the rights of %I%s', p.oid::regproc, o.rolname,
      CASE WHEN w.workspace IS NULL THEN ', which is in no registered workspace'
        WHEN o.rolsuper THEN ', a superuser' ELSE '' END),
    CASE WHEN w.workspace IS NULL THEN format('DROP FUNCTION %s() CASCADE, or segmentation.adopt_workspace(%L)',
        p.oid::regproc, n.nspname)
      WHEN o.rolsuper THEN format('Give workspace %I to a role of its own.', w.workspace)
      ELSE format('SELECT segmentation.stop_capture(%L, ...) takes it off.', w.workspace) END
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_roles AS o ON o.oid = p.proowner
  JOIN (SELECT DISTINCT g.tgfoid, g.tgrelid FROM pg_trigger AS g
        WHERE NOT g.tgisinternal AND g.tgparentid = 0) AS t ON t.tgfoid = p.oid
  LEFT JOIN (
    SELECT g.workspace, s.oid FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS s ON s.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = s.nspowner AND r.rolname = g.owner) AS w ON w.oid = n.oid
  WHERE p.prosecdef AND p.proname ~ '^capture_\d+_[0-9a-f]{12}$';
END;
COMMENT ON FUNCTION segmentation_internal.security_capture() IS
  'Part of security_check: the triggers that workspaces have on their sources.';

-- Whoever writes a source decides what its customers are, and a trigger on it runs with the rights of its writers. What
-- the sources are is in a table of the workspace: it is read like any table of others.
CREATE FUNCTION segmentation_internal.security_sources_of(workspace text) RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{source}');
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT 'source_writer', CASE WHEN w.grantee = 0 THEN 'danger' ELSE 'look' END,
      format('source %%s of workspace %%I', w.captured, $1),
      format('%%s may %%s', segmentation_internal.security_grantee(w.grantee), w.rights),
      format('REVOKE %%s ON %%s FROM %%s, if it need not', w.rights, w.captured,
        segmentation_internal.security_grantee(w.grantee))
    FROM (
      SELECT r.captured, a.grantee, string_agg(DISTINCT a.privilege_type, ', ') AS rights
      FROM ONLY %s.source AS s
      CROSS JOIN LATERAL segmentation_internal.workspace_captured(s.relation, s.mapping) AS r
      JOIN pg_class AS c ON c.oid = r.captured
      CROSS JOIN LATERAL (
        SELECT t.grantee, t.privilege_type FROM aclexplode(c.relacl) AS t
        UNION ALL
        SELECT t.grantee, t.privilege_type
        FROM pg_attribute AS b CROSS JOIN LATERAL aclexplode(b.attacl) AS t
        WHERE b.attrelid = c.oid AND NOT b.attisdropped) AS a
      WHERE a.grantee <> c.relowner
        AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
      GROUP BY r.captured, a.grantee) AS w$q$, ws) USING workspace;
END
$$;
COMMENT ON FUNCTION segmentation_internal.security_sources_of(text) IS
  'Part of security_check: who else may write the sources of a workspace, or hang triggers on them.';

CREATE FUNCTION segmentation_internal.security_sources() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one text;
BEGIN
  FOR one IN
    SELECT g.workspace FROM segmentation.workspace_registry AS g
    JOIN pg_namespace AS n ON n.nspname = g.workspace
    JOIN pg_roles AS r ON r.oid = n.nspowner AND r.rolname = g.owner
    ORDER BY g.workspace
  LOOP
    BEGIN
      RETURN QUERY SELECT s.* FROM segmentation_internal.security_sources_of(one) AS s;
    -- Out of reach, or not plain: one workspace must not hide the others.
    EXCEPTION WHEN insufficient_privilege OR invalid_schema_name OR undefined_table OR data_exception THEN
      RETURN QUERY SELECT 'source_writer', 'unknown', format('workspace %I', one),
        format('its sources were not looked at: %s', SQLERRM), 'Ask as its owner, or with SELECT on its table source.';
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.security_sources() IS
  'Part of security_check: who else may write the sources of each workspace.';

CREATE FUNCTION segmentation.security_check() RETURNS TABLE (
    what text, verdict text, object text, finding text, hint text)
  LANGUAGE sql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH found AS (
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_owners() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_rights() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_functions() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_hung_on() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_surroundings() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_workspace_owners() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_workspace_code() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_workspace_rights() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_capture() AS f
    UNION ALL
    SELECT f.what, f.verdict, f.object, f.finding, f.hint FROM segmentation_internal.security_sources() AS f)
  SELECT l.code, coalesce(f.verdict, 'ok'), f.object,
    coalesce(f.finding, segmentation.label('security_check', l.code)), f.hint
  FROM segmentation.label AS l
  LEFT JOIN found AS f ON f.what = l.code
  WHERE l.domain = 'security_check' AND l.language = 'en' AND l.built_in
  ORDER BY array_position('{danger,unknown,look,ok}', coalesce(f.verdict, 'ok')), l.code,
    f.object COLLATE "C", f.finding COLLATE "C";
END;
COMMENT ON FUNCTION segmentation.security_check() IS
  'What a DBA asks of the extension and of all workspaces of this database: a row for each finding, dangers first, and '
  'one for each check that found nothing. Runs no code of others.';
