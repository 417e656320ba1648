-- The history of edits: who changed which definition or setting of a workspace, when, what it was and what it is.

-- What is noted: keys make its name, columns are what it is. A change of other columns is no edit.
CREATE FUNCTION segmentation_internal.edit_kinds()
RETURNS TABLE (kind text, relation name, keys text[], columns text[], personal boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 7
BEGIN ATOMIC
  SELECT v.kind, v.relation, v.keys::text[], v.columns::text[], v.kind = 'override'
  FROM (VALUES
    ('setting', 'setting'::name, '{name}', '{value}'),
    ('source', 'source', '{kind,relation}', '{mapping,time_zone,capture,watermark_column,overlap}'),
    ('segment', 'segment', '{segment}', '{definition,about}'),
    ('override', 'segment_override', '{segment}', '{code,reason}'),
    ('target', 'target', '{target}', '{definition,horizon,about}'),
    ('rate', 'currency_rate', '{currency,valid_from}', '{rate}'),
    ('destination', 'crm_destination', '{destination}', '{profile,definition,options,about}')
  ) AS v (kind, relation, keys, columns);
END;
COMMENT ON FUNCTION segmentation_internal.edit_kinds() IS
  'Part of workspace_edits: the tables whose edits are noted, what names a row, and which columns are the edit.';

INSERT INTO segmentation.label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('edit', 'setting', 'Setting', 'Paramètre'),
  ('edit', 'source', 'Source', 'Source'),
  ('edit', 'segment', 'Segment', 'Segment'),
  ('edit', 'override', 'Segment set by hand', 'Segment fixé à la main'),
  ('edit', 'target', 'Target', 'Cible'),
  ('edit', 'rate', 'Currency rate', 'Taux de change'),
  ('edit', 'destination', 'Destination', 'Destination'),
  ('edit_action', 'added', 'Added', 'Ajout'),
  ('edit_action', 'changed', 'Changed', 'Modification'),
  ('edit_action', 'removed', 'Removed', 'Suppression')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

-- Rows of a transition table as they are noted: one column is itself, several are an object.
CREATE FUNCTION segmentation_internal.edit_rows_sql(
  rows text, keys text[], columns text[], personal boolean, key_type text
) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL,
    'SELECT concat_ws('' '', @(keys)@) AS name, @(customer)@ AS customer, @(value)@ AS value FROM @(rows)@ AS t',
    jsonb_build_object('rows', rows,
      'keys', (SELECT string_agg(format('t.%I::text', k.name), ', ') FROM unnest(keys) AS k (name)),
      'customer', CASE WHEN personal THEN 't.customer' ELSE 'NULL::' || key_type END,
      'value', CASE
        WHEN cardinality(columns) = 1 THEN format('to_jsonb(t.%I)', columns[1])
        ELSE (
          SELECT format('jsonb_build_object(%s)', string_agg(format('%L, t.%I', c.name, c.name), ', '))
          FROM unnest(columns) AS c (name)) END));
COMMENT ON FUNCTION segmentation_internal.edit_rows_sql(text, text[], text[], boolean, text) IS
  'Part of workspace_edits: rows of a transition table by name, customer and value, as SQL.';

-- A trigger runs with the rights of whoever writes: who that is, the defaults of edit_log say.
CREATE FUNCTION segmentation_internal.edit_noted() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = ISO SET intervalstyle = postgres AS $$
DECLARE
  ws constant text := quote_ident(TG_TABLE_SCHEMA);
  key_type constant text := segmentation_internal.workspace_key(ws);
  noted record;
BEGIN
  SELECT * INTO STRICT noted FROM segmentation_internal.edit_kinds() AS k WHERE k.kind = TG_ARGV[0];
  IF NOT has_column_privilege(ws || '.edit_log', 'kind', 'INSERT') THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('an edit of %s.%I by role %I cannot be noted', ws, TG_TABLE_NAME, current_user),
      DETAIL = 'What is edited is noted in edit_log, by whoever edits.',
      -- Of these columns alone: nobody can say who it was, or when.
      HINT = format('GRANT INSERT (kind, action, name, customer, before, after) ON %s.edit_log TO %I', ws,
        current_user);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.edit_log (kind, action, name, customer, before, after)
    SELECT @'kind'@, CASE WHEN b.name IS NULL THEN 'added' WHEN a.name IS NULL THEN 'removed' ELSE 'changed' END,
      coalesce(a.name, b.name), coalesce(a.customer, b.customer), b.value, a.value
    FROM (@(before)@) AS b
    FULL JOIN (@(after)@) AS a ON a.name = b.name AND @(same_customer)@
    WHERE (b.name IS NULL) <> (a.name IS NULL) OR b.value IS DISTINCT FROM a.value
    ORDER BY 3, 4$q$,
    jsonb_build_object('kind', noted.kind,
      'same_customer', CASE WHEN noted.personal THEN 'a.customer = b.customer' ELSE 'true' END,
      'before', CASE WHEN TG_OP = 'INSERT' THEN segmentation_internal.edit_nothing_sql(key_type)
        ELSE segmentation_internal.edit_rows_sql(
          'edit_before', noted.keys, noted.columns, noted.personal, key_type) END,
      'after', CASE WHEN TG_OP = 'DELETE' THEN segmentation_internal.edit_nothing_sql(key_type)
        ELSE segmentation_internal.edit_rows_sql(
          'edit_after', noted.keys, noted.columns, noted.personal, key_type) END));
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.edit_noted() IS
  'Trigger of the tables of a workspace that are edited: writes edit_log.';

CREATE FUNCTION segmentation_internal.edit_nothing_sql(key_type text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN format('SELECT NULL::text AS name, NULL::%s AS customer, NULL::jsonb AS value WHERE false', key_type);
COMMENT ON FUNCTION segmentation_internal.edit_nothing_sql(text) IS 'Part of workspace_edits: no rows, as SQL.';

-- The log, and the triggers that are not there: of tables that come later, too.
CREATE FUNCTION segmentation_internal.workspace_make_edits(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  noted record;
BEGIN
  IF to_regclass(ws || '.edit_log') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE TABLE @ws@.edit_log (
        edit bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        edited_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
        session_role name NOT NULL DEFAULT SESSION_USER,
        acting_role name NOT NULL DEFAULT CURRENT_USER,
        kind text NOT NULL,
        action text NOT NULL CHECK (action IN ('added', 'changed', 'removed')),
        name text NOT NULL,
        customer @(key)@,
        before jsonb,
        after jsonb
      );
      -- Also where a member of the owner's role upgrades.
      ALTER TABLE @ws@.edit_log OWNER TO @owner@$q$,
      jsonb_build_object('key', segmentation_internal.workspace_key(ws), 'owner', (
        SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.oid = ws::regnamespace)));
  END IF;
  FOR noted IN
    SELECT k.kind, k.relation, e.event, e.tables
    FROM segmentation_internal.edit_kinds() AS k
    CROSS JOIN (VALUES
      ('INSERT', 'NEW TABLE AS edit_after'),
      ('UPDATE', 'OLD TABLE AS edit_before NEW TABLE AS edit_after'),
      ('DELETE', 'OLD TABLE AS edit_before')) AS e (event, tables)
    WHERE to_regclass(format('%s.%I', ws, k.relation)) IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM pg_trigger AS g
        WHERE g.tgrelid = to_regclass(format('%s.%I', ws, k.relation)) AND g.tgname = 'edit_' || lower(e.event))
  LOOP
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE TRIGGER @name@ AFTER @(event)@ ON @ws@.@relation@ REFERENCING @(tables)@
      FOR EACH STATEMENT EXECUTE FUNCTION segmentation_internal.edit_noted(@'kind'@)$q$,
      jsonb_build_object('name', 'edit_' || lower(noted.event), 'event', noted.event, 'relation', noted.relation,
        'tables', noted.tables, 'kind', noted.kind));
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_edits(text) IS
  'Part of create_workspace: the log of edits, and the triggers that write it.';

CREATE FUNCTION segmentation.workspace_edits(workspace text, since timestamptz DEFAULT '-infinity')
RETURNS TABLE (
  edited_at timestamptz, session_role name, acting_role name, kind text, action text, name text, customer text,
  before jsonb, after jsonb
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, '{edit_log}');
BEGIN
  IF to_regclass(ws || '.edit_log') IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I has no history of edits yet', workspace),
      HINT = format('Its owner calls SELECT segmentation.upgrade_workspace(%L).', workspace);
  END IF;
  -- A setting that was not set had its default.
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT e.edited_at, e.session_role, e.acting_role, e.kind, e.action, e.name, e.customer::text,
      coalesce(e.before, d.default_value), e.after
    FROM ONLY @ws@.edit_log AS e
    LEFT JOIN segmentation.workspace_setting AS d ON e.kind = 'setting' AND d.name = e.name
    WHERE e.edited_at >= $1
    ORDER BY e.edit DESC$q$) USING since;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_edits(text, timestamptz) IS
  'Who changed which setting, source, segment, target, rate or destination of a workspace, or put a customer into a '
  'segment by hand; when, as which role, what it was and what it is. The last first.';
