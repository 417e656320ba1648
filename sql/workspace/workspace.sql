-- A workspace: a schema of its owner that holds facts, models and results, and what feeds it.

-- Every function below works on a workspace by name. All run with the rights of the caller; none has powers of
-- its own, but for those that write the registry of workspaces. Paths are pinned: a name resolves to PostgreSQL's own,
-- or to this extension's.

CREATE FUNCTION segmentation_internal.workspace_layout() RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 1;
COMMENT ON FUNCTION segmentation_internal.workspace_layout() IS
  'The version of a workspace''s tables that this version of the extension makes; see upgrade_workspace.';

CREATE FUNCTION segmentation.create_workspace(
  workspace text, key_type regtype DEFAULT NULL, time_zone text DEFAULT NULL, subject text DEFAULT 'customer')
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  zone text := coalesce(time_zone, current_setting('TimeZone'));
  -- Without a type: until the first source says.
  key text := format_type(coalesce(key_type, 'bigint'), NULL);
  layout text;
BEGIN
  IF workspace IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'workspace must not be null';
  END IF;
  IF workspace = '' OR octet_length(workspace) > 63 OR workspace ~ '[[:cntrl:]]' THEN
    RAISE invalid_schema_name USING
      MESSAGE = format('invalid workspace name %I', workspace),
      DETAIL = 'The name of a workspace has from 1 to 63 bytes, and no control characters.';
  END IF;
  IF EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = workspace) THEN
    RAISE duplicate_schema USING
      MESSAGE = format('schema %I already exists', workspace),
      HINT = 'A workspace is a schema of its own: choose another name.';
  END IF;
  -- One for the primary keys, one for the parts of the queue.
  IF key_type IS NOT NULL
     AND 2 > (SELECT count(DISTINCT a.amname) FROM pg_opclass AS o JOIN pg_am AS a ON a.oid = o.opcmethod
                 JOIN pg_type AS t ON t.oid = key_type
                 WHERE a.amname IN ('btree', 'hash') AND o.opcdefault AND o.opcintype = CASE
                   WHEN t.oid = 'varchar'::regtype THEN 'text'::regtype ELSE t.oid END)
     OR key_type IN ('double precision'::regtype, 'real'::regtype, 'jsonb'::regtype, 'boolean'::regtype)
  THEN
    RAISE datatype_mismatch USING
      MESSAGE = format('type %s cannot be the key of customers', key),
      HINT = 'Use bigint, integer, numeric, uuid or text.';
  END IF;
  -- An unknown time zone is an error of PostgreSQL's own.
  PERFORM timestamptz '2000-01-01 00:00Z' AT TIME ZONE segmentation_internal.checked_time_zone(zone);
  IF (subject IN ('customer', 'company')) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('subject must be customer or company, not %s', coalesce(quote_literal(subject), 'null')),
      HINT = 'Of a company there may be people and sites, whose orders and contacts are the company''s.';
  END IF;

  EXECUTE format('CREATE SCHEMA %I', workspace);
  EXECUTE format('COMMENT ON SCHEMA %I IS %L', workspace, 'Customer segmentation: facts, models and results, kept by '
    'the extension segmentation.');
  layout := $layout$
    CREATE TABLE @ws@.workspace (
      single boolean PRIMARY KEY DEFAULT true CHECK (single),
      layout integer NOT NULL,
      key_type text NOT NULL,
      key_given boolean NOT NULL DEFAULT true,
      time_zone text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      as_of date,
      parameter_set integer,
      refreshed_at timestamptz,
      definitions text,
      seen jsonb
    );
    CREATE TABLE @ws@.setting (
      name text PRIMARY KEY,
      value jsonb NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE @ws@.source (
      source integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind text NOT NULL,
      relation regclass NOT NULL,
      mapping jsonb NOT NULL,
      time_zone text NOT NULL,
      capture text NOT NULL DEFAULT 'none' CHECK (capture IN ('none', 'trigger', 'watermark')),
      watermark_column name,
      watermark text,
      overlap interval,
      seen text,
      added_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (kind, relation)
    );
    CREATE TABLE @ws@.parameter_set (
      parameter_set integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      trained_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      as_of date NOT NULL,
      status text NOT NULL CHECK (status IN ('candidate', 'in_use', 'retired', 'rejected')),
      settings jsonb NOT NULL,
      sources jsonb NOT NULL DEFAULT '[]',
      seen jsonb NOT NULL DEFAULT '{}',
      readiness jsonb NOT NULL,
      weak jsonb NOT NULL DEFAULT '{}',
      targets jsonb NOT NULL DEFAULT '{}',
      @(models)@,
      segments jsonb NOT NULL DEFAULT '{}',
      quality jsonb NOT NULL DEFAULT '{}',
      note text,
      installed jsonb
    );
    CREATE TABLE @ws@.segment (
      segment text PRIMARY KEY CHECK (segment ~ '^[a-z][a-z0-9_]{0,62}$'),
      definition jsonb NOT NULL,
      about text,
      registered_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE @ws@.segment_override (
      segment text NOT NULL REFERENCES @ws@.segment ON DELETE CASCADE,
      customer @(key)@ NOT NULL,
      code text,
      reason text,
      set_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (segment, customer)
    );
    CREATE TABLE @ws@.customer_facts (
      customer @(key)@ PRIMARY KEY,
      history segmentation.purchase_history,
      items segmentation.item_history,
      categories segmentation.item_history,
      contacts segmentation.contact_history,
      hours segmentation.send_hours,
      interactions segmentation.interaction_history,
      consents segmentation.consent_history,
      attributes jsonb,
      attribute_changes jsonb,
      company jsonb,
      subscriptions jsonb
    );
    CREATE TABLE @ws@.customer_segments (
      customer @(key)@ PRIMARY KEY,
      @(axes)@,
      segments jsonb NOT NULL,
      since date NOT NULL,
      next_change_at date,
      parameter_set integer NOT NULL
    );
    CREATE TABLE @ws@.membership_history (
      customer @(key)@ NOT NULL,
      axis text NOT NULL,
      code text NOT NULL,
      valid_from date NOT NULL,
      valid_to date CHECK (valid_to > valid_from),
      PRIMARY KEY (customer, axis, valid_from)
    );
    CREATE TABLE @ws@.product (
      product text PRIMARY KEY,
      category text,
      name text,
      margin numeric,
      price numeric,
      stock numeric
    );
    CREATE TABLE @ws@.events (
      event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      as_of date NOT NULL,
      customer @(key)@ NOT NULL,
      kind text NOT NULL CHECK (kind IN ('entered', 'left', 'begun')),
      axis text NOT NULL,
      code text NOT NULL,
      transaction xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
    );
    CREATE TABLE @ws@.refresh_log (
      refresh integer NOT NULL,
      place smallint NOT NULL,
      phase text NOT NULL,
      status text NOT NULL CHECK (status IN ('done', 'failed', 'running')),
      as_of date NOT NULL,
      began_at timestamptz NOT NULL,
      ended_at timestamptz,
      rows bigint,
      detail text,
      steps jsonb,
      PRIMARY KEY (refresh, place)
    );
    CREATE TABLE @ws@.source_reading (
      source integer NOT NULL REFERENCES @ws@.source ON DELETE CASCADE,
      reason text NOT NULL,
      rows bigint NOT NULL,
      turnover numeric,
      PRIMARY KEY (source, reason)
    );
    CREATE SEQUENCE @ws@.refresh_number OWNED BY @ws@.refresh_log.refresh;
    CREATE TABLE @ws@.event_reader (
      reader text PRIMARY KEY,
      transaction xid8 NOT NULL,
      event bigint NOT NULL,
      confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE @ws@.erasure (
      erasure bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      reason text,
      customers bigint NOT NULL,
      rows jsonb NOT NULL
    );
    CREATE TABLE @ws@.campaign (
      campaign text PRIMARY KEY,
      salt text NOT NULL,
      share double precision NOT NULL,
      assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      as_of date,
      about text,
      arm_of text,
      arm text,
      CHECK ((arm_of IS NULL) = (arm IS NULL))
    );
    CREATE TABLE @ws@.campaign_customer (
      campaign text NOT NULL REFERENCES @ws@.campaign ON DELETE CASCADE,
      customer @(key)@ NOT NULL,
      assigned boolean NOT NULL,
      segment text,
      contacted_at timestamptz,
      PRIMARY KEY (campaign, customer)
    );
    CREATE TABLE @ws@.drift (
      as_of date NOT NULL,
      axis text NOT NULL,
      psi double precision,
      customers bigint NOT NULL,
      moved bigint NOT NULL,
      PRIMARY KEY (as_of, axis)
    );
  $layout$;
  EXECUTE segmentation_internal.fill(quote_ident(workspace), layout, jsonb_build_object('key', key,
    'axes', segmentation_internal.workspace_each_axis('@axis@ text NOT NULL'),
    'models', (
      SELECT string_agg(format('%I %s', m.name, m.type), ', ' ORDER BY m.place)
      FROM segmentation.workspace_model AS m)));
  PERFORM segmentation_internal.workspace_make_lists(quote_ident(workspace), key);
  EXECUTE format('INSERT INTO %I.workspace (layout, key_type, key_given, time_zone) VALUES ($1, $2, $3, $4)', workspace)
    USING segmentation_internal.workspace_layout(), key, key_type IS NOT NULL, zone;
  IF subject <> 'customer' THEN
    EXECUTE format('INSERT INTO %I.setting (name, value) VALUES (''subject'', to_jsonb($1))', workspace) USING subject;
  END IF;
  PERFORM segmentation_internal.workspace_mend_queue(quote_ident(workspace));
  PERFORM segmentation_internal.workspace_register(workspace,
    segmentation_internal.workspace_layout(), segmentation_internal.workspace_key(quote_ident(workspace)));
  PERFORM segmentation_internal.workspace_make_rates(quote_ident(workspace));
  PERFORM segmentation_internal.workspace_make_scores(workspace);
  PERFORM segmentation_internal.workspace_make_targets(quote_ident(workspace));
  PERFORM segmentation_internal.workspace_make_edits(quote_ident(workspace));
  PERFORM segmentation_internal.workspace_make_values(quote_ident(workspace));
  PERFORM segmentation_internal.workspace_comments(workspace);
  PERFORM segmentation_internal.workspace_make_views(workspace);
  PERFORM segmentation_internal.workspace_make_companies(quote_ident(workspace));
END
$$;
COMMENT ON FUNCTION segmentation.create_workspace(text, regtype, text, text) IS
  'Makes a workspace: a schema owned by the caller, with its tables and views. key_type is the type of customers'' '
  'keys, by default that of the first source (bigint, uuid or text); time_zone (default: the session''s) is that in '
  'which a day begins; subject says what customers are: customer, or company, with people and sites.';

-- The tables of lists that axes bring, those that are not there.
CREATE FUNCTION segmentation_internal.workspace_make_lists(ws text, key text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list record;
BEGIN
  FOR list IN SELECT l.name, l.columns FROM segmentation.workspace_list AS l ORDER BY l.place LOOP
    CONTINUE WHEN to_regclass(format('%s.%I', ws, list.name)) IS NOT NULL;
    EXECUTE format('CREATE TABLE %s.%I (%s)', ws, list.name,
      segmentation_internal.fill(NULL, list.columns, jsonb_build_object('key', key)));
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_lists(text, text) IS
  'Part of create_workspace: the tables of lists that axes bring.';

-- An axis that came with a later version of the extension than the workspace: its columns and lists. What it says is
-- known
-- after the next training.
CREATE FUNCTION segmentation_internal.workspace_add_axes(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT v.relation, v.name, v.type, v.is_code
    FROM (
      SELECT ws || '.parameter_set' AS relation, m.name, m.type, false AS is_code, m.place
      FROM segmentation.workspace_model AS m
      UNION ALL
      SELECT ws || '.customer_segments', a.axis, 'text', true, a.place FROM segmentation.workspace_axis AS a) AS v
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS t
      WHERE t.attrelid = v.relation::regclass AND t.attname = v.name AND NOT t.attisdropped)
    ORDER BY v.is_code, v.place
  LOOP
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', added.relation, added.name, added.type);
    IF added.is_code THEN
      EXECUTE format('UPDATE %s SET %I = ''insufficient_data''', added.relation, added.name);
      EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', added.relation, added.name);
    END IF;
  END LOOP;
  PERFORM segmentation_internal.workspace_make_lists(ws, segmentation_internal.workspace_key(ws));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_add_axes(text) IS
  'Part of upgrade_workspace: columns and lists of axes that a workspace does not have yet.';

-- What each table and column holds, as comments: BI tools show them.
CREATE FUNCTION segmentation_internal.workspace_comments(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  described record;
BEGIN
  FOR described IN
    SELECT * FROM (VALUES
      ('workspace', NULL, 'A workspace of the extension segmentation: what it is and what is published. One row.'),
      ('workspace', 'layout', 'Version of its tables; see upgrade_workspace.'),
      ('workspace', 'key_type', 'Type of customers'' keys.'),
      ('workspace', 'key_given', 'Whether that is settled: given, or taken from the first source.'),
      ('workspace', 'time_zone', 'Where a day begins.'),
      ('workspace', 'as_of', 'The day of the published result.'),
      ('workspace', 'parameter_set', 'The parameter set of the published result.'),
      ('workspace', 'refreshed_at', 'When that was published.'),
      ('workspace', 'definitions', 'Fingerprint of the registered segments and overrides in that result.'),
      ('workspace', 'seen', 'What the facts of the last full refresh have: customers by what is known of them.'),
      ('setting', NULL, 'Settings that are not at their default; see segmentation.workspace_settings.'),
      ('source', NULL, 'Relations that feed the workspace; see segmentation.add_source.'),
      ('source', 'mapping', 'Field to column.'),
      ('source', 'capture', 'How changes are noticed between refreshes: none, trigger or watermark.'),
      ('source', 'watermark', 'The greatest value of watermark_column that was read, none ahead of the clock.'),
      ('source', 'seen', 'Fingerprint of what the capture rests on at the last look: of another one something may '
        'have been missed.'),
      ('parameter_set', NULL, 'What a training froze: cut points, limits, priors, models, thresholds. Results are '
        'reproducible from it.'),
      ('parameter_set', 'status', 'candidate while being tested, in_use, retired, or rejected (worse than the one in '
        'use).'),
      ('parameter_set', 'settings', 'All settings as they were.'),
      ('parameter_set', 'sources', 'The sources as they were: kind, relation, mapping, time zone.'),
      ('parameter_set', 'seen', 'What the facts had: customers by what is known of them, days of the log.'),
      ('parameter_set', 'readiness', 'Axis to the reason why its data are too thin, null if they are not.'),
      ('parameter_set', 'weak', 'Axis to the reasons why what it says is weak, though its data suffice.'),
      ('parameter_set', 'quality', 'Back-tested quality, beside what simple rules reach.'),
      ('parameter_set', 'targets', 'Target to its definition, model, calibration, back-tested quality, and why it is '
        'thin or weak.'),
      ('parameter_set', 'segments', 'Definitions of the registered segments by which customers were last scored.'),
      ('parameter_set', 'installed', 'Where it was trained, and when it came here, by install_parameter_set; null: '
        'trained here.'),
      ('segment', NULL, 'Segments of your own, by definition; see segmentation.register_segment.'),
      ('segment_override', NULL, 'Who is put into a segment or kept out of it by hand. It wins over the definition.'),
      ('segment_override', 'code', 'The code to have; null: kept out.'),
      ('customer_facts', NULL, 'What is known of each customer, independent of any day: scores are computed from it.'),
      ('customer_facts', 'history', 'Purchases by day.'),
      ('customer_facts', 'items', 'Products bought by day (item_history).'),
      ('customer_facts', 'categories', 'Categories bought by day (item_history), where products have categories and '
        'are what is offered.'),
      ('customer_facts', 'contacts', 'Contacts by channel.'),
      ('customer_facts', 'hours', 'Responses by hour of the week.'),
      ('customer_facts', 'interactions', 'Visits and calls, by day and kind.'),
      ('customer_facts', 'consents', 'Consents by channel, as they changed.'),
      ('customer_facts', 'attributes', 'Columns of the source of customers.'),
      ('customer_facts', 'attribute_changes', 'Changes of attributes, by day.'),
      ('customer_facts', 'company', 'Columns of the source of companies.'),
      ('customer_facts', 'subscriptions', 'Subscriptions with their periods.'),
      ('customer_segments', NULL, 'Where each customer is now: one code an axis. label() has the names.'),
      ('customer_segments', 'customer', 'The customer.'),
      ('customer_segments', 'segments', 'Registered segments: name to code.'),
      ('customer_segments', 'since', 'The day since which nothing of this row has changed.'),
      ('customer_segments', 'next_change_at', 'The next day on which time alone may change a code.'),
      ('customer_segments', 'parameter_set', 'The parameter set by which the codes were given.'),
      ('membership_history', NULL, 'Who was where, from when to when: no gaps, no overlaps.'),
      ('membership_history', 'axis', 'An axis, or segment: and the name of a registered segment.'),
      ('membership_history', 'valid_from', 'First day.'),
      ('membership_history', 'valid_to', 'The day from which it no longer holds; null: holds now.'),
      ('product', NULL, 'Products as the source of products had them at the last full refresh: names, margins, stock.'),
      ('events', NULL, 'What changed at each publication: segments entered and left, moments begun. The first '
        'publication writes none.'),
      ('refresh_log', NULL, 'Phases of each refresh.'),
      ('refresh_log', 'steps', 'What a phase did, in order: [{"step": ..., "seconds": ...}, ...].'),
      ('source_reading', NULL, 'What became of the rows of each source at the last full refresh: the parts add up.'),
      ('source_reading', 'source', 'Number of the source.'),
      ('source_reading', 'reason', 'used; ahead: dated after the published day; else why not: domain row_reason.'),
      ('source_reading', 'rows', 'How many rows.'),
      ('source_reading', 'turnover', 'What they come to, of purchases and lines.'),
      ('segment_value', NULL, 'What each code was worth on each day on which refresh_views was called; '
        'bi_segment_history shows it.'),
      ('segment_value', 'turnover', 'Turnover of its customers, as of that day.'),
      ('segment_value', 'future_value', 'Their future value, as expected then.'),
      ('segment_value', 'expected_churners', 'Sum of their probabilities of churn, as of then.'),
      ('edit_log', NULL, 'Who changed which definition or setting, when, from what to what; see '
        'segmentation.workspace_edits.'),
      ('edit_log', 'session_role', 'Who was connected.'),
      ('edit_log', 'acting_role', 'As which role: another one after SET ROLE.'),
      ('edit_log', 'kind', 'setting, source, segment, override, target, rate or destination.'),
      ('edit_log', 'name', 'Which one.'),
      ('edit_log', 'customer', 'Of an override: whose. Goes with the customer at erasure.'),
      ('edit_log', 'before', 'What it was; null: it was not there.'),
      ('edit_log', 'after', 'What it is; null: it was removed.'),
      ('currency_rate', NULL, 'Rates by which amounts in other currencies are converted.'),
      ('currency_rate', 'currency', 'Code of the currency, in capitals.'),
      ('currency_rate', 'valid_from', 'The day from which it holds, until the next one.'),
      ('currency_rate', 'rate', 'What one unit is worth in the workspace''s currency (the setting currency).'),
      ('queue', NULL, 'Customers whose facts have changed since they were read, as captured; refresh_changed takes '
        'them.'),
      ('queue', 'change', 'Number of the change.'),
      ('queue', 'customer', 'The customer; null: all of them.'),
      ('queue', 'shard', 'Part of the queue: one worker works on a part at a time.'),
      ('queue', 'transaction', 'The transaction that changed it.'),
      ('capture', NULL, 'Relations with triggers that fill the queue: a source, its partitions and children.'),
      ('event_reader', NULL, 'How far each reader of events has come; see segmentation.read_events.'),
      ('erasure', NULL, 'That customers were erased, when and how many rows. Nothing says who.'),
      ('campaign', NULL, 'Campaigns with a hold-out group; see segmentation.assign_campaign.'),
      ('campaign', 'salt', 'Salt of the hold-out group.'),
      ('campaign', 'share', 'Share of those eligible that is held out.'),
      ('campaign_customer', NULL, 'Who was eligible for a campaign, and who of them was assigned to it; the others '
        'are held out.'),
      ('campaign_customer', 'segment', 'A code of theirs at assignment, to tell the uplift by segment.'),
      ('campaign_customer', 'contacted_at', 'When the campaign reached them; no part of the uplift.'),
      ('drift', NULL, 'How far each publication moved each axis: population stability index against the publication '
        'before.'),
      ('drift', 'psi', 'Below .1 stable, above .25 a major change.')
      -- What axes bring.
      UNION ALL
      SELECT 'customer_segments', a.axis, a.about FROM segmentation.workspace_axis AS a
      UNION ALL
      SELECT 'parameter_set', m.name, m.about FROM segmentation.workspace_model AS m WHERE m.about IS NOT NULL
      UNION ALL
      SELECT l.name, NULL, l.about FROM segmentation.workspace_list AS l
      UNION ALL
      SELECT l.name, d.name, d.about
      FROM segmentation.workspace_list AS l CROSS JOIN LATERAL jsonb_each_text(l.comments) AS d (name, about)
    ) AS v (name, col, about)
    WHERE to_regclass(format('%I.%I', workspace, v.name)) IS NOT NULL
  LOOP
    IF described.col IS NULL THEN
      EXECUTE format('COMMENT ON TABLE %I.%I IS %L', workspace, described.name, described.about);
    ELSE
      EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', workspace, described.name, described.col, described.about);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_comments(text) IS
  'Part of create_workspace: comments of tables and columns.';

-- What others own

-- Whatever would go with a relation of the workspace, or (relation is NULL) with all of it, and is not its own: views,
-- functions with a body of SQL, columns, defaults and foreign keys in other schemas, members of publications, and what
-- another role keeps inside the schema. As pg_depend has it, of each one what hangs on that in turn.
CREATE FUNCTION segmentation_internal.workspace_dependents(ws text, relation regclass DEFAULT NULL) RETURNS SETOF text
  LANGUAGE sql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE home AS (
    SELECT n.oid, n.nspname, n.nspowner FROM pg_namespace AS n WHERE quote_ident(n.nspname) = ws),
  reached (classid, objid, objsubid) AS (
    SELECT d.classid, d.objid, d.objsubid FROM home AS h
    JOIN pg_depend AS d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = h.oid
    WHERE relation IS NULL
    UNION
    SELECT 'pg_class'::regclass, relation::oid, 0 WHERE relation IS NOT NULL
    UNION
    -- A rule is its view's, and a type that of its relation.
    SELECT next.classid, next.objid, next.objsubid
    FROM reached AS r
    CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid FROM pg_depend AS d
      WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND (r.objsubid = 0 OR d.refobjsubid IN (0, r.objsubid))
      UNION ALL
      SELECT 'pg_class'::regclass, w.ev_class, 0 FROM pg_rewrite AS w
      WHERE r.classid = 'pg_rewrite'::regclass AND w.oid = r.objid AND w.rulename = '_RETURN') AS next),
  named AS (
    SELECT r.*, i.type, coalesce(i.schema, quote_ident(a.object_names[1])) AS schema,
      coalesce(c.relowner, p.proowner, t.typowner) AS owner
    FROM reached AS r
    CROSS JOIN LATERAL pg_identify_object(r.classid, r.objid, r.objsubid) AS i
    CROSS JOIN LATERAL pg_identify_object_as_address(r.classid, r.objid, r.objsubid) AS a
    LEFT JOIN pg_class AS c ON r.classid = 'pg_class'::regclass AND c.oid = r.objid
    LEFT JOIN pg_proc AS p ON r.classid = 'pg_proc'::regclass AND p.oid = r.objid
    -- The type of a relation, and of its arrays, goes by the relation.
    LEFT JOIN pg_type AS t ON r.classid = 'pg_type'::regclass AND t.oid = r.objid AND t.typrelid = 0 AND t.typelem = 0)
  SELECT DISTINCT concat(pg_describe_object(n.classid, n.objid, n.objsubid),
    CASE WHEN n.schema = ws AND n.owner <> h.nspowner
      THEN format(' of %I', pg_get_userbyid(n.owner)) END) COLLATE "C" AS dependent
  FROM named AS n CROSS JOIN home AS h
  WHERE n.type NOT IN ('rule') AND NOT (n.classid = 'pg_type'::regclass AND n.owner IS NULL)
    -- A session's own temporary objects are its own affair.
    AND coalesce(n.schema NOT IN ('pg_toast', 'pg_temp', pg_my_temp_schema()::regnamespace::text), true)
    AND (n.schema IS DISTINCT FROM ws OR n.owner <> h.nspowner OR n.type LIKE 'publication%')
    -- The plain views over its own for BI tools.
    AND NOT EXISTS (SELECT FROM pg_class AS v
                    WHERE n.classid = 'pg_class'::regclass AND v.oid = n.objid AND v.relkind = 'v'
                      AND v.relnamespace = segmentation_internal.bi_schema_of(ws)
                      AND v.relname IN (SELECT b.name FROM segmentation_internal.bi_schema_behind(ws) AS b))
    -- Those of foreign keys, and its own on the sources.
    AND NOT EXISTS (SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
                    WHERE n.classid = 'pg_trigger'::regclass AND g.oid = n.objid
                      AND (g.tgisinternal
                        OR (p.pronamespace = h.oid AND p.proname ~ '^capture_[0-9]+(_[0-9a-f]{12})?$')))
  ORDER BY 1;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_dependents(text, regclass) IS
  'Part of drop_workspace: what depends on a workspace, or on one of its relations, and is not its own.';

CREATE FUNCTION segmentation_internal.workspace_listed(items text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN array_to_string(items[1:100], E'\n')
    || CASE WHEN cardinality(items) > 100 THEN format(E'\nand %s more', cardinality(items) - 100) ELSE '' END;
COMMENT ON FUNCTION segmentation_internal.workspace_listed(text[]) IS 'Part of drop_workspace: a list for a message.';

CREATE FUNCTION segmentation.drop_workspace(workspace text, cascade boolean DEFAULT false) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_schema(workspace);
  own text;
  others text[];
BEGIN
  -- What other roles keep in the schema is listed below: dropping it runs none of their code.
  PERFORM segmentation_internal.workspace_refuse_others(workspace);
  IF NOT pg_try_advisory_xact_lock(segmentation_internal.workspace_lock(ws)) THEN
    RAISE lock_not_available USING
      MESSAGE = format('workspace %I is being refreshed by another session', workspace),
      HINT = 'Call again when it has ended.';
  END IF;
  -- Nobody makes a view of them while we look.
  FOR own IN
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.relnamespace = ws::regnamespace AND c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.relname
  LOOP
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', own);
  END LOOP;
  others := ARRAY(SELECT d FROM segmentation_internal.workspace_dependents(ws) AS d);
  IF others <> '{}' THEN
    IF cascade IS NOT TRUE THEN
      RAISE dependent_objects_still_exist USING
        MESSAGE = format('cannot drop workspace %I because other objects depend on it', workspace),
        DETAIL = segmentation_internal.workspace_listed(others),
        HINT = format('SELECT segmentation.drop_workspace(%L, cascade => true) drops these too.', workspace);
    END IF;
    RAISE NOTICE USING
      MESSAGE = format('drop_workspace drops %s other objects too', cardinality(others)),
      DETAIL = segmentation_internal.workspace_listed(others);
  END IF;
  PERFORM segmentation_internal.workspace_unregister(workspace);
  PERFORM segmentation_internal.bi_schema_drop(ws, cascade IS TRUE);
  -- The triggers on the sources go with their functions.
  EXECUTE format('DROP SCHEMA %s CASCADE', ws);
END
$$;
COMMENT ON FUNCTION segmentation.drop_workspace(text, boolean) IS
  'Drops a workspace with all it holds, and its triggers on sources. The sources stay. Refused, with a list, if '
  'anything of others depends on it; cascade drops that too.';

-- Settings

CREATE FUNCTION segmentation.workspace_settings(workspace text)
RETURNS TABLE (name text, value jsonb, default_value jsonb, about text)
  LANGUAGE plpgsql STABLE ROWS 90 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT d.name, coalesce(s.value, d.default_value), d.default_value, d.about
     FROM segmentation.workspace_setting AS d LEFT JOIN ONLY %s.setting AS s ON s.name = d.name ORDER BY d.place',
    segmentation_internal.workspace_readable(workspace, '{setting}'));
END
$$;
COMMENT ON FUNCTION segmentation.workspace_settings(text) IS
  'All settings of a workspace: the value that holds, the default, what it does.';

-- A language has labels. What lacks one in it reads in English.
CREATE FUNCTION segmentation_internal.language_fault(language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN NOT EXISTS (SELECT FROM segmentation.label AS l WHERE l.language = language_fault.language)
    THEN format('must be a language that has labels (%s), not %s', (
        SELECT string_agg(DISTINCT l.language, ', ' ORDER BY l.language) FROM segmentation.label AS l),
      quote_literal(language)) END;
COMMENT ON FUNCTION segmentation_internal.language_fault(text) IS
  'Part of configure_workspace: what is wrong with a language; NULL if it has labels.';

CREATE FUNCTION segmentation_internal.workspace_setting_fault(d segmentation.workspace_setting, value jsonb)
RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  amount double precision;
BEGIN
  IF value = 'null' THEN
    RETURN CASE WHEN d.default_value <> 'null' THEN 'must not be null' END;
  END IF;
  -- In brackets: plpgsql would take the first THEN for its own.
  IF (jsonb_typeof(value) <> CASE d.type
    WHEN 'integer' THEN 'number' WHEN 'interval' THEN 'string' WHEN 'text' THEN 'string' ELSE d.type END)
  THEN
    RETURN format('must be %s', CASE d.type
      WHEN 'integer' THEN 'a whole number' WHEN 'interval' THEN 'an interval, as text' WHEN 'number' THEN 'a number'
      WHEN 'boolean' THEN 'true or false' WHEN 'text' THEN 'a text' WHEN 'object' THEN 'an object' ELSE 'an array' END);
  END IF;
  IF d.type = 'interval' THEN
    BEGIN
      amount := extract(epoch FROM (value #>> '{}')::interval) / 86400;
    EXCEPTION WHEN data_exception OR invalid_text_representation THEN
      RETURN format('is not an interval: %s', value);
    END;
  ELSIF d.type IN ('integer', 'number') THEN
    BEGIN
      amount := (value #>> '{}')::double precision;
    EXCEPTION WHEN numeric_value_out_of_range THEN
      amount := 'infinity';
    END;
    IF d.type = 'integer' AND amount <> trunc(amount) THEN
      RETURN 'must be a whole number';
    END IF;
  END IF;
  IF amount < d.least OR amount > d.greatest THEN
    RETURN format('must be from %s to %s%s', d.least, d.greatest,
      CASE WHEN d.type = 'interval' THEN ' days' ELSE '' END);
  END IF;
  IF d.type = 'array' AND d.choices IS NOT NULL THEN
    IF EXISTS (
      SELECT FROM jsonb_array_elements(value) AS e (choice)
      WHERE NOT coalesce(e.choice #>> '{}' = ANY (d.choices), false))
    THEN
      RETURN format('must be an array of some of %s', array_to_string(d.choices, ', '));
    END IF;
  ELSIF d.choices IS NOT NULL AND NOT (value #>> '{}') = ANY (d.choices) THEN
    RETURN format('must be one of %s', array_to_string(d.choices, ', '));
  END IF;
  IF d.name = 'language' THEN
    RETURN segmentation_internal.language_fault(value #>> '{}');
  END IF;
  IF d.name = 'subject' THEN
    RETURN 'is what create_workspace made it';
  END IF;
  IF d.name LIKE 'company\_%' THEN
    RETURN segmentation_internal.company_setting_fault(d.name, value);
  END IF;
  -- Nested: a condition of one IF may be computed in any order.
  IF d.name = 'moment_categories' THEN
    IF EXISTS (
      SELECT FROM jsonb_each(value) AS m WHERE m.key !~ '^[a-z][a-z0-9_]{0,62}$'
        OR m.key IN ('none', 'insufficient_data', 'purchase_due', 'purchase_overdue', 'waning_interest',
          'first_purchase', 'reactivated', 'anniversary')
        OR NOT CASE WHEN jsonb_typeof(m.value) = 'array'
          THEN jsonb_array_length(m.value) > 0
            AND NOT EXISTS (SELECT FROM jsonb_array_elements(m.value) AS c WHERE jsonb_typeof(c) <> 'string')
          ELSE false END)
    THEN
      RETURN 'must go from moments (codes in small letters, none that purchases or dates give already) to lists of '
        'categories, as {"birth": ["baby"]}';
    END IF;
  END IF;
  IF d.name IN ('product_exclude', 'product_exclude_categories', 'product_owned_for_good', 'not_products') THEN
    IF EXISTS (SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'string') THEN
      RETURN 'must be an array of texts';
    END IF;
  END IF;
  IF d.name = 'not_products' THEN
    -- Blanks or stars alone would be every line.
    IF EXISTS (SELECT FROM jsonb_array_elements_text(value) AS e (pattern) WHERE btrim(e.pattern, ' *') = '') THEN
      RETURN 'must be an array of texts with more than blanks and *';
    END IF;
  END IF;
  IF d.name = 'source_silence' AND NOT value IN ('"auto"', '"off"') THEN
    BEGIN
      IF (value #>> '{}')::interval < interval '1 day' THEN
        RETURN 'must be at least 1 day';
      END IF;
    EXCEPTION WHEN data_exception OR invalid_text_representation THEN
      RETURN format('must be auto, off or an interval, not %s', value);
    END;
  END IF;
  IF d.name = 'moment_calendar' AND value <> '[]' THEN
    BEGIN
      PERFORM segmentation.yearly_recurrence(segmentation.purchase_history '{}', date '2000-01-01', date '1999-01-01',
        'holiday_ahead', value);
    EXCEPTION WHEN data_exception OR invalid_parameter_value THEN
      RETURN format('is not a calendar: %s', SQLERRM);
    END;
  END IF;
  IF d.name = 'profile_k'
    AND (value::text ~ '^\[[1-9][0-9]?, [1-9][0-9]?\]$' AND value -> 0 <= value -> 1) IS NOT TRUE
  THEN
    RETURN 'must be an array of two whole numbers from 1 to 99: the least and the greatest';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_setting_fault(segmentation.workspace_setting, jsonb) IS
  'What is wrong with a value of a setting; NULL if nothing is.';

-- Settings by which facts are made of the sources.
CREATE FUNCTION segmentation_internal.workspace_settings_of_facts() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{bad_rows,currency,minor_units,not_products,not_products_count}'::text[];
COMMENT ON FUNCTION segmentation_internal.workspace_settings_of_facts() IS
  'Part of configure_workspace: the settings by which the sources are read.';

CREATE FUNCTION segmentation.configure_workspace(workspace text, settings jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  faults text;
BEGIN
  IF settings IS NULL OR jsonb_typeof(settings) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'settings must be a jsonb object',
      HINT = 'As {"churn_horizon": "60 days", "language": "fr"}.';
  END IF;
  -- What a workspace is may be said, not changed.
  IF settings -> 'subject' = segmentation_internal.workspace_settings_now(ws) -> 'subject' THEN
    settings := settings - 'subject';
  END IF;
  SELECT string_agg(format('%s %s', g.key, coalesce(segmentation_internal.workspace_setting_fault(d, g.value),
    'is not a setting')), E'\n' ORDER BY g.key) INTO faults
  FROM jsonb_each(settings) AS g LEFT JOIN segmentation.workspace_setting AS d ON d.name = g.key
  WHERE d.name IS NULL OR segmentation_internal.workspace_setting_fault(d, g.value) IS NOT NULL;
  IF faults IS NULL THEN
    -- Limits that go together.
    SELECT string_agg(
      format('%s %s must not be above %s %s', p.low, w.all_of -> p.low, p.high, w.all_of -> p.high), E'\n')
      INTO faults
    FROM (SELECT segmentation_internal.workspace_settings_now(ws) || settings AS all_of) AS w
    CROSS JOIN (
      VALUES ('churn_medium', 'churn_high'), ('value_high', 'value_medium'), ('pmg_gros', 'pmg_moyens')
    ) AS p (low, high)
    WHERE settings ?| ARRAY[p.low, p.high]
      AND (w.all_of ->> p.low)::double precision > (w.all_of ->> p.high)::double precision;
  END IF;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = 'invalid settings', DETAIL = faults,
      HINT = 'segmentation.workspace_settings(workspace) lists all settings with what they do.';
  END IF;
  -- By another of these the sources are read otherwise.
  IF EXISTS (
    SELECT FROM jsonb_each(segmentation_internal.workspace_settings_now(ws)) AS n
    WHERE n.key = ANY (segmentation_internal.workspace_settings_of_facts()) AND n.value <> settings -> n.key)
  THEN
    PERFORM segmentation_internal.workspace_queue_all(ws);
  END IF;
  EXECUTE format(
    'INSERT INTO %s.setting AS s (name, value) SELECT key, value FROM jsonb_each($1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = now() WHERE s.value <> excluded.value', ws)
    USING settings;
END
$$;
COMMENT ON FUNCTION segmentation.configure_workspace(text, jsonb) IS
  'Changes settings. They hold from the next training on, which is at the next refresh: a parameter set keeps those it '
  'was made with. A language holds at once.';

-- All settings as one value; internal.
CREATE FUNCTION segmentation_internal.workspace_settings_now(ws text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT jsonb_object_agg(d.name, coalesce(s.value, d.default_value))
    FROM segmentation.workspace_setting AS d LEFT JOIN ONLY @ws@.setting AS s ON s.name = d.name$q$) INTO settings;
  RETURN settings;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_settings_now(text) IS
  'All settings of a workspace, given by its quoted schema, as one object.';
