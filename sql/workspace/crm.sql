-- Destinations: who of a workspace is to be known in which tool, by which fields, called what there; and one place that
-- says who may leave for a channel.

-- The tables of delivery are made with the first destination: the types of customers' keys are settled by then.
CREATE FUNCTION segmentation_internal.crm_make_tables(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass(ws || '.crm_destination') IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE TABLE @ws@.crm_destination (
      destination text PRIMARY KEY CHECK (destination ~ '^[a-z][a-z0-9_]{0,62}$'),
      profile text NOT NULL,
      definition jsonb NOT NULL,
      options jsonb NOT NULL DEFAULT '{}',
      about text,
      added_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE @ws@.crm_batch (
      batch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      destination text NOT NULL REFERENCES @ws@.crm_destination ON DELETE CASCADE,
      status text NOT NULL CHECK (status IN ('ready', 'taken', 'acked', 'failed', 'cancelled')),
      made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      as_of date,
      rows jsonb NOT NULL DEFAULT '{}',
      attempt integer NOT NULL DEFAULT 0,
      worker text,
      lease_until timestamptz,
      not_before timestamptz,
      closed_at timestamptz,
      reason text,
      whole boolean NOT NULL DEFAULT true
    );
    CREATE UNIQUE INDEX crm_batch_open ON @ws@.crm_batch (destination) WHERE status IN ('ready', 'taken');
    CREATE INDEX crm_batch_destination ON @ws@.crm_batch (destination, batch);
    CREATE TABLE @ws@.crm_part (
      batch bigint NOT NULL REFERENCES @ws@.crm_batch ON DELETE CASCADE,
      part integer NOT NULL,
      name text NOT NULL,
      instruction text NOT NULL CHECK (instruction IN ('upsert', 'unsubscribe', 'delete')),
      columns text[] NOT NULL,
      key_column text NOT NULL,
      separator text NOT NULL,
      format text NOT NULL,
      line_end text NOT NULL,
      encoding text NOT NULL,
      head text NOT NULL,
      tail text NOT NULL,
      rows bigint NOT NULL,
      bytes bigint NOT NULL,
      sha256 text NOT NULL,
      state jsonb,
      PRIMARY KEY (batch, part)
    );
    CREATE TABLE @ws@.crm_row (
      batch bigint NOT NULL,
      part integer NOT NULL,
      place bigint NOT NULL,
      customer @(key)@,
      key text COLLATE "C" NOT NULL,
      action text NOT NULL CHECK (action IN ('upsert', 'clear', 'unsubscribe', 'delete')),
      reason text NOT NULL,
      hash uuid,
      line text NOT NULL,
      accepted boolean,
      answer text,
      PRIMARY KEY (batch, part, place)
    );
    CREATE TABLE @ws@.crm_sent (
      destination text NOT NULL REFERENCES @ws@.crm_destination ON DELETE CASCADE,
      key text COLLATE "C" NOT NULL,
      customer @(key)@,
      state text NOT NULL CHECK (state IN ('member', 'cleared', 'unsubscribed')),
      hash uuid,
      payload jsonb,
      rejected text,
      changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (destination, key)
    );
    CREATE INDEX crm_sent_customer ON @ws@.crm_sent (customer);
    CREATE TABLE @ws@.crm_suppressed (
      customer @(key)@ NOT NULL,
      channel text NOT NULL DEFAULT '*',
      reason text,
      since timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (customer, channel)
    );
    CREATE TABLE @ws@.crm_contact (
      destination text NOT NULL,
      id text NOT NULL,
      customer @(key)@ NOT NULL,
      channel text NOT NULL,
      sent_at timestamptz NOT NULL,
      response text,
      responded_at timestamptz,
      PRIMARY KEY (destination, id)
    );
    CREATE TABLE @ws@.crm_consent (
      destination text NOT NULL,
      id text NOT NULL,
      customer @(key)@ NOT NULL,
      channel text NOT NULL,
      granted boolean NOT NULL,
      changed_on date NOT NULL,
      PRIMARY KEY (destination, id)
    );$q$,
    jsonb_build_object('key', segmentation_internal.workspace_key(ws)));
  -- What the last sync told; who has lost the consent since, or was erased, is not there any more.
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE VIEW @ws@.audiences AS
      SELECT d.destination AS id, d.destination AS name, d.about AS description
      FROM @ws@.crm_destination AS d JOIN segmentation.crm_profile AS p ON p.profile = d.profile
      WHERE p.system = 'pull';
    CREATE VIEW @ws@.crm_pull AS
      SELECT s.destination || ':' || s.key AS id, s.destination, s.key, s.payload, s.changed_at
      FROM @ws@.crm_sent AS s
      JOIN @ws@.audiences AS a ON a.id = s.destination
      JOIN @ws@.crm_destination AS d ON d.destination = s.destination
      JOIN @ws@.customer_facts AS f ON f.customer = s.customer
      CROSS JOIN @ws@.workspace AS n
      WHERE s.state = 'member' AND s.payload IS NOT NULL AND @(consent)@;
    CREATE VIEW @ws@.people AS
      SELECT s.key AS id, jsonb_object_agg(e.key, e.value ORDER BY s.destination) AS traits,
        max(s.changed_at) AS updated_at
      FROM @ws@.crm_pull AS s CROSS JOIN LATERAL jsonb_each(s.payload) AS e
      GROUP BY s.key;
    CREATE VIEW @ws@.memberships AS
      SELECT s.key AS person_id, s.destination AS audience_id FROM @ws@.crm_pull AS s;
    CREATE VIEW @ws@.braze AS
      SELECT s.changed_at AS "UPDATED_AT", s.key AS "EXTERNAL_ID", s.payload::text AS "PAYLOAD"
      FROM @ws@.crm_sent AS s
      JOIN @ws@.crm_destination AS d ON d.destination = s.destination
      JOIN segmentation.crm_profile AS p ON p.profile = d.profile
      LEFT JOIN @ws@.customer_facts AS f ON f.customer = s.customer
      CROSS JOIN @ws@.workspace AS n
      WHERE p.system = 'braze_pull' AND s.payload IS NOT NULL AND (s.state <> 'member' OR @(consent)@)$q$,
    jsonb_build_object('consent', segmentation_internal.crm_consent_sql(ws, $c$(d.definition ->> 'channel')$c$)));
  PERFORM segmentation_internal.crm_comments(ws);
  PERFORM segmentation_internal.workspace_make_edits(ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_make_tables(text) IS
  'Part of add_destination: the tables and views of delivery of a workspace, if they are not there.';

CREATE FUNCTION segmentation_internal.crm_comments(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d record;
BEGIN
  FOR d IN
    SELECT * FROM (VALUES
      ('TABLE', 'crm_destination', 'Where people and their codes are sent to; see segmentation.add_destination.'),
      ('TABLE', 'crm_batch', 'Differences that were, or are to be, told to a destination; see segmentation.crm_sync.'),
      ('TABLE', 'crm_part', 'The files of a batch, each within the limits of the destination.'),
      ('TABLE', 'crm_row', 'The rows of the open batch of each destination, and of the last acknowledged one.'),
      ('TABLE', 'crm_sent', 'What each destination has, as acknowledged.'),
      ('TABLE', 'crm_suppressed', 'Who is to be left alone, by channel; * is all. Rows may be added by hand.'),
      ('TABLE', 'crm_contact', 'Contacts and answers that came back: a source of contacts.'),
      ('TABLE', 'crm_consent', 'Consents and refusals that came back: a source of consents.'),
      ('VIEW', 'audiences', 'Audiences of destinations that are read here, for Fivetran Activations.'),
      ('VIEW', 'people', 'People in these audiences, one row each.'),
      ('VIEW', 'memberships', 'Who is in which of these audiences.'),
      ('VIEW', 'crm_pull', 'The same by a primary key, id: for Hightouch, DinMo, n8n, dbt.'),
      ('VIEW', 'braze', 'For Braze Cloud Data Ingestion: UPDATED_AT moves only when the payload does.'),
      ('COLUMN', 'crm_batch.status', 'ready, taken (by a worker, until lease_until), acked, failed or cancelled.'),
      ('COLUMN', 'crm_batch.rows', 'How many rows for which reason, and how many were left out.'),
      ('COLUMN', 'crm_batch.attempt', 'How often it was taken.'),
      ('COLUMN', 'crm_batch.whole', 'Whether all its rows are still there: an erasure takes some.'),
      ('COLUMN', 'crm_part.state', 'What the client wrote down about this file.'),
      ('COLUMN', 'crm_row.accepted', 'What the destination said; null: nothing, which is yes.'),
      ('COLUMN', 'crm_sent.customer', 'Whose key it was when it was sent; null: erased here, and to be deleted there.'),
      ('COLUMN', 'crm_sent.hash', 'Of the row as it was sent; null: not known, as an acknowledgement was lost.'),
      ('COLUMN', 'crm_sent.payload', 'What is shown to tools that read it here.'),
      ('COLUMN', 'crm_sent.rejected', 'Why the destination did not take the last row.')
    ) AS v (kind, name, about)
  LOOP
    EXECUTE format('COMMENT ON %s %s.%s IS %L', d.kind, ws, d.name, d.about);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_comments(text) IS 'Part of add_destination: comments.';

-- A destination with its profile, cells that it changes included.
CREATE FUNCTION segmentation_internal.crm_profile_of(profile text, options jsonb) RETURNS segmentation.crm_profile
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.jsonb_populate_record(p, coalesce(options -> 'profile', '{}'))
  FROM segmentation.crm_profile AS p WHERE p.profile = crm_profile_of.profile;
END;
COMMENT ON FUNCTION segmentation_internal.crm_profile_of(text, jsonb) IS
  'Part of crm_sync: a profile with the cells that a destination changes.';

CREATE FUNCTION segmentation_internal.crm_profile_fault(p segmentation.crm_profile) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN p.format NOT IN ('csv', 'json_lines', 'json') THEN 'format must be csv, json_lines or json'
    WHEN p.separator !~ '^[^"\r\n]$' THEN 'separator must be one character, and no quote or line break'
    WHEN p.quoting NOT IN ('needed', 'texts') THEN 'quoting must be needed or texts'
    WHEN p.line_end NOT IN ('LF', 'CRLF') THEN 'line_end must be LF or CRLF'
    WHEN p.encoding NOT IN ('UTF8', 'LATIN1', 'WIN1252') THEN 'encoding must be UTF8, LATIN1 or WIN1252'
    WHEN p.bom AND p.encoding <> 'UTF8' THEN 'a byte order mark is of UTF8'
    WHEN p.decimal_point NOT IN ('.', ',') THEN 'decimal_point must be . or ,'
    WHEN p.phone NOT IN ('free', 'plus', 'zeros') THEN 'phone must be free, plus or zeros'
    WHEN p.line_breaks NOT IN ('keep', 'space') THEN 'line_breaks must be keep or space'
    WHEN p.on_left NOT IN ('keep', 'clear', 'unsubscribe', 'delete')
      THEN 'on_left must be keep, clear, unsubscribe or delete'
    WHEN p.on_refused NOT IN ('clear', 'unsubscribe', 'delete') THEN 'on_refused must be clear, unsubscribe or delete'
    WHEN p.on_gone NOT IN ('clear', 'unsubscribe', 'delete') THEN 'on_gone must be clear, unsubscribe or delete'
    WHEN p.format = 'csv' AND p.row_head || p.row_tail <> '' THEN 'row_head and row_tail are of json and json_lines'
    WHEN p.row_head || p.row_tail ~ E'[\\r\\n]' THEN 'row_head and row_tail must have no line break'
    WHEN p.never_null <> '{}' AND 'clear' IN (p.on_left, p.on_refused, p.on_gone)
      THEN 'clear cannot be where some types must have a value'
    WHEN least(p.max_bytes, p.max_rows, p.max_row_bytes, p.max_fields, p.max_text) < 1 THEN 'limits must be above 0'
    WHEN p.format = 'csv' AND (SELECT bool_or(strpos(t.token, p.separator) > 0 OR t.token ~ E'[\\r\\n]'
        OR t.token ~ '"' AND t.token <> '""')
      FROM unnest(ARRAY[p.null_token, p.empty_token, p.true_token, p.false_token, p.day_format]) AS t (token))
      THEN 'tokens must have no separator, quote or line break' END;
COMMENT ON FUNCTION segmentation_internal.crm_profile_fault(segmentation.crm_profile) IS
  'Part of add_destination: what is wrong with a profile whose cells were changed; NULL if nothing is.';

-- Who may leave

-- The rule: consent for the channel as published, and not suppressed. channel is an expression; NULL is no channel:
-- what is sent is not for contacting people. Over n (the workspace) and f (the facts).
CREATE FUNCTION segmentation_internal.crm_consent_sql(ws text, channel text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$(@(channel)@ IS NULL
      OR segmentation.has_consent(@(consents)@, @(channel)@, n.as_of, NULL, f.contacts))
      AND NOT EXISTS (
        SELECT FROM ONLY @ws@.crm_suppressed AS q
        WHERE q.customer = f.customer
          AND (q.channel = '*' OR segmentation_internal.workspace_channel(q.channel) = @(channel)@))$q$,
    jsonb_build_object('channel', channel,
      'consents', segmentation_internal.workspace_published_consents_sql(ws)));
COMMENT ON FUNCTION segmentation_internal.crm_consent_sql(text, text) IS
  'Part of crm_sync and of the views that others read: who may leave the workspace for a channel, as published.';

-- Everybody, as a relation of customer and allowed: by that rule and, where a source has consents, as it has them now.
CREATE FUNCTION segmentation_internal.crm_allowed_sql(ws text, channel text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  live constant text := CASE WHEN channel IS NOT NULL
    THEN segmentation_internal.workspace_rows_sql(ws, 'consents') END;
  zone text;
BEGIN
  EXECUTE format('SELECT w.time_zone FROM %s.workspace AS w', ws) INTO zone;
  RETURN segmentation_internal.fill(ws, $q$(
      SELECT f.customer, @(consent)@ @(now)@ AS allowed
      FROM ONLY @ws@.workspace AS n
      CROSS JOIN ONLY @ws@.customer_facts AS f @(live)@)$q$,
    jsonb_build_object(
      'consent', segmentation_internal.crm_consent_sql(ws, coalesce(quote_literal(channel), 'NULL') || '::text'),
      'now', CASE WHEN live IS NULL THEN '' ELSE segmentation_internal.fill(NULL, $q$
        AND segmentation.has_consent(l.consents, @'channel'@,
          greatest(n.as_of, (now() AT TIME ZONE n.time_zone)::date), NULL, f.contacts)$q$,
        jsonb_build_object('channel', channel)) END,
      'live', CASE WHEN live IS NULL THEN '' ELSE segmentation_internal.fill(NULL,
        'LEFT JOIN (@(rows)@) AS l ON l.customer = f.customer', jsonb_build_object(
          'rows', segmentation_internal.workspace_fact_sql('consents', live, zone))) END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_allowed_sql(text, text) IS
  'Part of crm_sync: who may leave the workspace for a channel, as SQL; nothing else says so.';

-- Fields

-- A field of a mapping: what is read (as an expression of the type it has by nature), of which joined relations.
CREATE FUNCTION segmentation_internal.crm_read(
  ws text, spec jsonb, fields jsonb,
  OUT type text, OUT expression text, OUT joins text[], OUT scores boolean, OUT fault text
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kinds constant text[] := ARRAY(
    SELECT k FROM jsonb_object_keys(spec) AS k
    WHERE k IN ('field', 'segment', 'offer', 'channel', 'moment', 'holdout', 'value'));
  what constant text := spec ->> kinds[1];
  member text;
  object text;
  known record;
  found boolean;
BEGIN
  joins := '{}';
  scores := false;
  IF cardinality(kinds) <> 1 THEN
    fault := 'needs one of field, segment, offer, channel, moment, holdout, value';
    RETURN;
  END IF;
  CASE kinds[1]
  -- What is not of the customer, or of few words
  WHEN 'value' THEN
    type := CASE jsonb_typeof(spec -> 'value')
      WHEN 'number' THEN 'number' WHEN 'boolean' THEN 'boolean' ELSE 'text' END;
    expression := format('%L::%s', what, CASE type WHEN 'number' THEN 'numeric' ELSE type END);
  WHEN 'segment' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s.segment AS s WHERE s.segment = $1)', ws) INTO found USING what;
    fault := CASE WHEN NOT found THEN format('there is no segment "%s"', what) END;
    type := 'text';
    expression := format('c.segments ->> %L', what);
  WHEN 'holdout' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s.campaign AS s WHERE s.campaign = $1)', ws) INTO found USING what;
    fault := CASE WHEN NOT found THEN format('there is no campaign "%s"', what) END;
    type := 'boolean';
    expression := segmentation_internal.fill(ws, $q$EXISTS (
      SELECT FROM ONLY @ws@.campaign_customer AS h
      WHERE h.campaign = @'campaign'@ AND h.customer = c.customer AND NOT h.assigned)$q$,
      jsonb_build_object('campaign', what));
  -- Lists, by place
  WHEN 'offer', 'channel', 'moment' THEN
    member := coalesce(spec ->> 'of', CASE kinds[1] WHEN 'offer' THEN 'product' ELSE kinds[1] END);
    IF jsonb_typeof(spec -> kinds[1]) <> 'number' OR NOT what ~ '^[1-9][0-9]?$' THEN
      fault := format('"%s" must be a place from 1 to 99', kinds[1]);
      RETURN;
    END IF;
    SELECT v.type INTO type FROM (VALUES
      ('offer', 'product', 'text'), ('offer', 'name', 'text'), ('offer', 'category', 'text'),
      ('offer', 'score', 'number'),
      ('offer', 'probability', 'number'), ('offer', 'next_due', 'day'), ('offer', 'reason', 'text'),
      ('offer', 'reason_fr', 'text'), ('offer', 'value', 'number'), ('channel', 'channel', 'text'),
      ('channel', 'mean', 'number'), ('channel', 'lower', 'number'), ('channel', 'value', 'number'),
      ('channel', 'best_day', 'number'), ('channel', 'best_hour', 'number'), ('moment', 'moment', 'text'),
      ('moment', 'begins', 'day'), ('moment', 'ends', 'day'), ('moment', 'confidence', 'number')
    ) AS v (kind, part, type)
    WHERE v.kind = kinds[1] AND v.part = member;
    IF type IS NULL THEN
      fault := format('"of" of "%s" cannot be "%s"', kinds[1], member);
      RETURN;
    END IF;
    expression := format('%I.%I', kinds[1] || what, member);
    joins := ARRAY[segmentation_internal.fill(ws, CASE kinds[1]
      WHEN 'offer' THEN $q$LEFT JOIN (
        SELECT o.*, p.name, p.category
        FROM ONLY @ws@.customer_products AS o LEFT JOIN ONLY @ws@.product AS p ON p.product = o.product
        WHERE o.place = @(place)@) AS @alias@ ON @alias@.customer = c.customer$q$
      WHEN 'channel' THEN $q$LEFT JOIN (
        SELECT o.* FROM ONLY @ws@.customer_channels AS o
        WHERE o.place = @(place)@) AS @alias@ ON @alias@.customer = c.customer$q$
      ELSE $q$LEFT JOIN LATERAL (
        SELECT o.* FROM ONLY @ws@.life_moments AS o
        WHERE o.customer = c.customer AND o.begins <= n.as_of AND (o.ends >= n.as_of OR o.ends IS NULL)
        ORDER BY o.confidence DESC, o.begins, o.moment OFFSET @(place)@ - 1 LIMIT 1) AS @alias@ ON true$q$ END,
      jsonb_build_object('place', what, 'alias', kinds[1] || what))];
  -- Fields, as definitions of segments read them
  ELSE
    IF what IN ('since', 'next_change_at', 'as_of') THEN
      type := 'day';
      expression := CASE what WHEN 'as_of' THEN 'n.as_of' ELSE format('c.%I', what) END;
      RETURN;
    END IF;
    IF what = 'company_scores' OR starts_with(what, 'company_scores.') THEN
      SELECT o.type, o.expression, o.joins, o.fault INTO type, expression, joins, fault
      FROM segmentation_internal.crm_company_field(ws, substr(what, 16)) AS o;
      RETURN;
    END IF;
    SELECT l.field, l.kind, l.type, l.axis INTO known
    FROM jsonb_to_record(fields -> what) AS l (field text, kind text, type text, axis text);
    IF known.field IS NULL THEN
      fault := format('there is no field "%s"', what) || coalesce((
        SELECT format(', do you mean "%s"?', m.name)
        FROM segmentation_internal.nearest_name(what, ARRAY(SELECT jsonb_object_keys(fields))) AS m (name)
        WHERE m.name IS NOT NULL), '');
      RETURN;
    END IF;
    type := coalesce(known.type, 'text');
    CASE known.kind
    WHEN 'key' THEN
      type := 'text';
      expression := 'c.customer::text';
    WHEN 'score' THEN
      scores := true;
      expression := format('s.%I', what);
    WHEN 'code' THEN
      expression := format('c.%I', known.axis);
    WHEN 'target' THEN
      joins := ARRAY[format('LEFT JOIN (SELECT q.customer, q.probability FROM (%s) AS q WHERE q.target = %L) AS %I '
        'ON %I.customer = c.customer', segmentation_internal.workspace_targets_query(ws),
        regexp_replace(what, '_probability$', ''), 'target ' || what, 'target ' || what)];
      expression := format('%I.probability', 'target ' || what);
    WHEN 'consents' THEN
      type := 'text';
      expression := format('array_to_string(segmentation.consents_on(%s, n.as_of, f.contacts), '','')',
        segmentation_internal.workspace_published_consents_sql(ws));
    WHEN 'fact' THEN
      expression := segmentation_internal.fill(NULL, (
          SELECT r.expression FROM segmentation_internal.workspace_row_fields() AS r WHERE r.field = what),
        CASE WHEN (SELECT strpos(r.expression, '@(as_of)@') > 0
            FROM segmentation_internal.workspace_row_fields() AS r WHERE r.field = what)
          THEN jsonb_build_object('as_of', 'n.as_of') ELSE '{}' END);
      expression := format('((%s) #>> ''{}'')', expression);
      expression := CASE type WHEN 'number' THEN format('%s::numeric', expression)
        WHEN 'day' THEN format('segmentation.segment_date(%s)', expression)
        WHEN 'boolean' THEN format('%s::boolean', expression) ELSE expression END;
      type := CASE WHEN type IN ('number', 'day', 'boolean') THEN type ELSE 'text' END;
    ELSE
      object := CASE known.kind WHEN 'company' THEN 'f.company' ELSE 'f.attributes' END;
      expression := CASE type
        WHEN 'number' THEN format('CASE jsonb_typeof(%1$s -> %2$L) WHEN ''number'' THEN (%1$s ->> %2$L)::numeric END',
          object, what)
        WHEN 'boolean' THEN format('CASE jsonb_typeof(%1$s -> %2$L) WHEN ''boolean'' THEN (%1$s ->> %2$L)::boolean END',
          object, what)
        WHEN 'day' THEN format('segmentation.segment_date(%s ->> %L)', object, what)
        ELSE format('%s ->> %L', object, what) END;
      type := CASE WHEN type IN ('number', 'day', 'boolean') THEN type ELSE 'text' END;
    END CASE;
    IF spec ? 'label' THEN
      IF known.axis IS NULL THEN
        fault := format('"%s" has no labels', what);
        RETURN;
      END IF;
      expression := format('segmentation.workspace_label(%L, %s, %L)', known.axis, expression, spec ->> 'label');
    END IF;
  END CASE;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_read(text, jsonb, jsonb) IS
  'Part of crm_sync: what a field of a mapping reads, as SQL over c (codes), f (facts), s (scores), n (the workspace).';

-- The text of a value under a profile, before it is quoted: an expression of the wanted type over one of another.
-- whole: texts as they are, where the line's own function mends and cuts them.
CREATE FUNCTION segmentation_internal.crm_text_sql(
  p segmentation.crm_profile, spec jsonb, given text, type text, expression text, options jsonb, whole boolean
) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE WHEN spec -> 'default' <> 'null'
      THEN format('coalesce(%s, %L)', t.sql, CASE type WHEN 'boolean'
        THEN CASE spec ->> 'default' WHEN 'true' THEN CASE p.format WHEN 'csv' THEN p.true_token ELSE 'true' END
          ELSE CASE p.format WHEN 'csv' THEN p.false_token ELSE 'false' END END
        ELSE spec ->> 'default' END)
      ELSE t.sql END
    FROM (
      SELECT segmentation_internal.fill(NULL, CASE type
        WHEN 'number' THEN CASE given
          WHEN 'number' THEN $q$segmentation_internal.crm_number((@(e)@)::numeric, @(digits)@)$q$
          ELSE $q$segmentation_internal.crm_number(CASE WHEN (@(e)@)::text ~ '^\s*-?[0-9]{1,40}(\.[0-9]{1,40})?\s*$'
            THEN (@(e)@)::text::numeric END, @(digits)@)$q$ END
        WHEN 'day' THEN $q$(
          SELECT CASE WHEN isfinite(v.d) THEN to_char(v.d, @'day'@) END FROM (SELECT @(day_of)@ AS d) AS v)$q$
        WHEN 'boolean' THEN $q$CASE lower((@(e)@)::text)
          WHEN 'true' THEN @'true'@ WHEN 't' THEN @'true'@ WHEN '1' THEN @'true'@
          WHEN 'false' THEN @'false'@ WHEN 'f' THEN @'false'@ WHEN '0' THEN @'false'@ END$q$
        WHEN 'phone' THEN $q$segmentation_internal.crm_phone((@(e)@)::text, @'form'@, @'country'@)$q$
        WHEN 'email' THEN $q$lower(btrim((@(e)@)::text))$q$
        ELSE $q$@(cut)@$q$ END, CASE type
        WHEN 'number' THEN jsonb_build_object('e', expression, 'digits', coalesce((spec ->> 'digits')::integer, 2))
        WHEN 'day' THEN jsonb_build_object('day', CASE p.format WHEN 'csv' THEN p.day_format ELSE 'YYYY-MM-DD' END,
          'day_of', CASE given WHEN 'day' THEN format('(%s)::date', expression)
            ELSE format('segmentation.segment_date((%s)::text)', expression) END)
        WHEN 'boolean' THEN jsonb_build_object('e', expression,
          'true', CASE p.format WHEN 'csv' THEN p.true_token ELSE 'true' END,
          'false', CASE p.format WHEN 'csv' THEN p.false_token ELSE 'false' END)
        WHEN 'phone' THEN jsonb_build_object('e', expression, 'form', p.phone, 'country', options ->> 'country')
        WHEN 'email' THEN jsonb_build_object('e', expression)
        -- A line break is LF, whatever it was: with a lone CR no two readers agree.
        ELSE jsonb_build_object('cut', format(CASE WHEN p.max_text IS NULL OR whole THEN '%s' ELSE 'left(%s, %s)' END,
          CASE WHEN p.format <> 'csv' OR whole THEN format('(%s)::text', expression)
          ELSE segmentation_internal.fill(NULL, $q$
            replace(replace(replace((@(e)@)::text, @'crlf'@, @'lf'@), @'cr'@, @'lf'@), @'lf'@, @'break'@)$q$,
            jsonb_build_object('e', expression, 'crlf', E'\r\n', 'cr', E'\r', 'lf', E'\n',
              'break', CASE p.line_breaks WHEN 'space' THEN ' ' ELSE E'\n' END)) END, p.max_text)) END) AS sql) AS t);
COMMENT ON FUNCTION segmentation_internal.crm_text_sql(
  segmentation.crm_profile, jsonb, text, text, text, jsonb, boolean) IS
  'Part of crm_sync: the text of a value as a tool wants it (days, numbers, booleans, phones), as SQL.';

-- The fields of a destination, the key first.
CREATE FUNCTION segmentation_internal.crm_fields(
  ws text, p segmentation.crm_profile, definition jsonb, options jsonb
) RETURNS TABLE (place bigint, name text, type text, value text, cell text, joins text[], scores boolean, fault text)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  spec jsonb;
  given record;
  fields constant jsonb := (
    SELECT jsonb_object_agg(l.field, to_jsonb(l)) FROM segmentation_internal.workspace_field_list(ws, 'en') AS l);
BEGIN
  FOR place, spec IN
    SELECT 0, definition -> 'key'
    UNION ALL
    SELECT e.place, e.spec FROM jsonb_array_elements(definition -> 'fields') WITH ORDINALITY AS e (spec, place)
    ORDER BY 1
  LOOP
    name := coalesce(spec ->> 'as', spec ->> 'field', spec ->> 'segment');
    SELECT * INTO given FROM segmentation_internal.crm_read(ws, spec, fields);
    fault := given.fault;
    joins := given.joins;
    scores := given.scores;
    type := coalesce(spec ->> 'type', given.type);
    IF fault IS NULL AND NOT type IN ('text', 'number', 'boolean', 'day', 'phone', 'email') THEN
      fault := 'type must be text, number, boolean, day, phone or email';
    END IF;
    IF fault IS NULL AND spec ? 'digits' AND NOT spec ->> 'digits' ~ '^([0-9]|1[0-5])$' THEN
      fault := 'digits must be a whole number from 0 to 15';
    END IF;
    IF fault IS NULL THEN
      value := segmentation_internal.crm_text_sql(p, spec, given.type, type, given.expression, options, false);
      cell := CASE WHEN place = 0 THEN 'k.key'
        WHEN p.format = 'csv'
        THEN segmentation_internal.crm_text_sql(p, spec, given.type, type, given.expression, options, true)
        ELSE value END;
    ELSE
      value := NULL;
      cell := NULL;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_fields(text, segmentation.crm_profile, jsonb, jsonb) IS
  'Part of crm_sync: the fields of a destination with what they are called there and how they are written, as SQL.';

-- Whether a customer is in the audience, as SQL; with what it reads of scores.
CREATE FUNCTION segmentation_internal.crm_audience_sql(ws text, definition jsonb, OUT inside text, OUT scores boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  audience constant jsonb := definition -> 'audience';
  hold constant jsonb := definition -> 'holdout';
  codes constant text := CASE WHEN audience -> 'codes' <> 'null' THEN
    quote_literal(ARRAY(SELECT jsonb_array_elements_text(audience -> 'codes'))::text) || '::text[]' END;
  number integer;
BEGIN
  scores := false;
  IF audience = '"all"' THEN
    inside := 'true';
  ELSIF audience ? 'segment' THEN
    inside := format('coalesce((c.segments ->> %L) %s, false)', audience ->> 'segment',
      coalesce(format('= ANY (%s)', codes), 'IS NOT NULL'));
  ELSIF audience ? 'axis' THEN
    inside := format('coalesce(c.%I = ANY (%s), false)', audience ->> 'axis', codes);
  ELSE
    EXECUTE format('SELECT w.parameter_set FROM %s.workspace AS w', ws) INTO number;
    scores := true;
    inside := segmentation_internal.fill(NULL,
      '(segmentation.segment_assign(@''d''@::jsonb, @(row)@, n.as_of) IS NOT NULL)',
      jsonb_build_object('d', audience -> 'rule', 'row', segmentation_internal.workspace_row_sql(ws, number,
        (audience -> 'rule')::text, 'n.as_of', segmentation_internal.workspace_published_consents_sql(ws))));
  END IF;
  IF hold ? 'campaign' THEN
    inside := segmentation_internal.fill(ws, $q$@(inside)@ AND NOT EXISTS (
      SELECT FROM ONLY @ws@.campaign_customer AS h
      WHERE h.campaign = @'campaign'@ AND h.customer = c.customer AND NOT h.assigned)$q$,
      jsonb_build_object('inside', inside, 'campaign', hold ->> 'campaign'));
  ELSIF hold ? 'salt' THEN
    inside := format('%s AND NOT segmentation.holdout(c.customer::text, %L, %L)',
      inside, hold ->> 'salt', hold ->> 'share');
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_audience_sql(text, jsonb) IS
  'Part of crm_sync: whether a customer is in the audience of a destination, as SQL over c, f, s and n.';

-- Everybody, as rows of customer, key, inside, allowed, and (where inside and allowed) line.
CREATE FUNCTION segmentation_internal.crm_people_sql(
  ws text, p segmentation.crm_profile, definition jsonb, options jsonb, lines boolean DEFAULT true
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  audience record;
  built record;
BEGIN
  SELECT * INTO audience FROM segmentation_internal.crm_audience_sql(ws, definition);
  SELECT bool_or(f.scores) FILTER (WHERE lines OR f.place = 0) AS scores,
    min(f.value) FILTER (WHERE f.place = 0) AS key,
    segmentation_internal.crm_line_sql(p, array_agg(f.name ORDER BY f.place), array_agg(f.type ORDER BY f.place),
      array_agg(f.cell ORDER BY f.place)) AS line,
    string_agg(format('WHEN (%s) IS NULL THEN %L', f.value, f.name), ' ' ORDER BY f.place)
      FILTER (WHERE f.type = ANY (p.never_null) AND f.place > 0) AS missing
    INTO built
  FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f;
  RETURN segmentation_internal.fill(ws, $q$
    SELECT c.customer, k.key, i.inside, a.allowed, @(line)@ AS line, @(missing)@ AS missing
    FROM ONLY @ws@.workspace AS n
    CROSS JOIN @(coded)@ AS c
    JOIN ONLY @ws@.customer_facts AS f ON f.customer = c.customer
    JOIN @(allowed)@ AS a ON a.customer = c.customer
    @(scores)@ @(joins)@
    CROSS JOIN LATERAL (SELECT NULLIF(@(key)@, '') COLLATE "C" AS key) AS k
    CROSS JOIN LATERAL (SELECT @(inside)@ AS inside) AS i$q$,
    jsonb_build_object('key', built.key, 'inside', audience.inside,
      'coded', segmentation_internal.workspace_coded_sql(format('ONLY %s.customer_segments', ws)),
      'allowed', segmentation_internal.crm_allowed_sql(ws, definition ->> 'channel'),
      'line', CASE WHEN lines THEN format('CASE WHEN i.inside AND a.allowed THEN %s END', built.line)
        ELSE 'NULL::text' END,
      'missing', CASE WHEN lines AND built.missing IS NOT NULL
        THEN format('CASE WHEN i.inside AND a.allowed THEN CASE %s END END', built.missing) ELSE 'NULL::text' END,
      'scores', CASE WHEN built.scores OR audience.scores THEN format('JOIN (%s) AS s ON s.customer = c.customer',
        segmentation_internal.workspace_scores_query(ws)) ELSE '' END,
      'joins', coalesce((
        SELECT string_agg(DISTINCT j.sql, ' ')
        FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f
        CROSS JOIN LATERAL unnest(f.joins) AS j (sql)
        WHERE lines OR f.place = 0), '')));
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_people_sql(text, segmentation.crm_profile, jsonb, jsonb, boolean) IS
  'Part of crm_sync: everybody of a workspace with their key there, whether they are in the audience and may leave, '
  'and their line, as SQL.';

-- A row of fields, the key first, over the texts of their values. In JSON a name with a point is a name within an
-- object.
CREATE FUNCTION segmentation_internal.crm_line_sql(
  p segmentation.crm_profile, names text[], types text[], cells text[]
) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN p.format = 'csv'
    THEN segmentation_internal.fill(NULL, $q$segmentation_internal.crm_csv_line(ARRAY[@(cells)@]::text[], @'kinds'@,
      @'separator'@, @'quoting'@, @'line_breaks'@, @'null'@, @'empty'@, @'decimal_point'@, @(max_text)@)$q$,
      jsonb_build_object('cells', array_to_string(cells, ', '), 'kinds', (
          SELECT string_agg(CASE WHEN t.type IN ('text', 'email', 'phone') THEN 't'
            WHEN t.type = 'number' THEN 'n' ELSE 'p' END, '' ORDER BY t.place)
          FROM unnest(types) WITH ORDINALITY AS t (type, place)),
        'separator', p.separator, 'quoting', p.quoting, 'line_breaks', p.line_breaks, 'null', p.null_token,
        'empty', p.empty_token, 'decimal_point', p.decimal_point, 'max_text', coalesce(p.max_text, 2147483647)))
    ELSE (
      SELECT format('%L || %s || %L', p.row_head || '{', string_agg(g.sql, ' || '','' || ' ORDER BY g.place),
        '}' || p.row_tail)
      FROM (
        SELECT min(f.place) AS place,
          CASE WHEN f.outer_name IS NULL THEN min(format('%L || %s', to_json(f.name)::text || ':', f.cell))
            ELSE format('%L || %s || ''}''', to_json(f.outer_name)::text || ':{',
              string_agg(format('%L || %s', to_json(substr(f.name, length(f.outer_name) + 2))::text || ':', f.cell),
                ' || '','' || ' ORDER BY f.place)) END AS sql
        FROM (
          SELECT n.place, n.name, segmentation_internal.crm_cell_sql(n.type, n.value) AS cell,
            CASE WHEN strpos(n.name, '.') > 1 THEN split_part(n.name, '.', 1) END AS outer_name
          FROM ROWS FROM (unnest(names), unnest(types), unnest(cells)) WITH ORDINALITY
            AS n (name, type, value, place)) AS f
        GROUP BY f.outer_name, CASE WHEN f.outer_name IS NULL THEN f.place END) AS g) END;
COMMENT ON FUNCTION segmentation_internal.crm_line_sql(segmentation.crm_profile, text[], text[], text[]) IS
  'Part of crm_sync: a row of fields under a profile, as SQL over the texts of their values.';

-- What is wrong with a destination; every fault is named.
CREATE FUNCTION segmentation_internal.crm_faults(
  ws text, p segmentation.crm_profile, definition jsonb, options jsonb
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  audience constant jsonb := definition -> 'audience';
  faults text[] := '{}';
  found text;
  there boolean;
BEGIN
  -- The form of the definition
  SELECT array_agg(format('"%s" is no part of a definition', k) ORDER BY k) INTO faults
  FROM jsonb_object_keys(definition) AS k
  WHERE NOT k IN ('audience', 'key', 'fields', 'channel', 'holdout');
  faults := coalesce(faults, '{}') || array_remove(ARRAY[
    CASE WHEN NOT definition ? 'channel' THEN '"channel" is missing: the one whose consent is needed, or null where '
      'nobody is contacted by what is sent' END,
    CASE WHEN jsonb_typeof(definition -> 'channel') NOT IN ('string', 'null')
      THEN '"channel" must be a text or null' END,
    CASE WHEN jsonb_typeof(definition -> 'key') IS DISTINCT FROM 'object'
      THEN '"key" is missing: as {"field": "customer", "as": "External_Id__c"}' END,
    CASE WHEN jsonb_typeof(definition -> 'fields') IS DISTINCT FROM 'array'
      THEN '"fields" must be an array, as [{"field": "churn", "as": "Churn__c"}]' END,
    CASE WHEN audience IS NULL THEN '"audience" is missing: "all", or {"segment": ...}, {"axis": ..., "codes": [...]}, '
      '{"rule": ...}' END], NULL);
  IF faults <> '{}' THEN
    RETURN array_to_string(faults, E'\n');
  END IF;
  SELECT coalesce(array_agg(format('field %s must be an object', e.place)), '{}') INTO faults
  FROM jsonb_array_elements(definition -> 'fields') WITH ORDINALITY AS e (spec, place)
  WHERE jsonb_typeof(e.spec) <> 'object';
  IF faults <> '{}' THEN
    RETURN array_to_string(faults, E'\n');
  END IF;
  -- Who
  IF audience ? 'codes' AND jsonb_typeof(audience -> 'codes') <> 'array' THEN
    RETURN '"codes" must be an array';
  END IF;
  IF jsonb_typeof(audience) = 'object' AND audience ? 'segment' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s.segment AS s WHERE s.segment = $1)', ws)
      INTO there USING audience ->> 'segment';
    faults := faults || CASE WHEN NOT there THEN format('there is no segment "%s"', audience ->> 'segment') END;
  ELSIF jsonb_typeof(audience) = 'object' AND audience ? 'axis' THEN
    faults := faults || CASE WHEN NOT coalesce(audience ->> 'axis' = ANY (segmentation.workspace_axes()), false)
      THEN format('there is no axis "%s"', audience ->> 'axis') END
      || CASE WHEN NOT audience ? 'codes' THEN 'an axis needs "codes"' END;
  ELSIF jsonb_typeof(audience) = 'object' AND audience ? 'rule' THEN
    SELECT string_agg(concat_ws(': ', c.path, c.fault), E'\n') INTO found
    FROM segmentation.segment_check(audience -> 'rule') AS c;
    IF found IS NULL THEN
      PERFORM segmentation_internal.workspace_refuse_definition(ws, NULL, audience -> 'rule');
    END IF;
    faults := faults || found;
  ELSIF audience <> '"all"' THEN
    faults := faults || ('"audience" must be "all", {"segment": ...}, {"axis": ..., "codes": [...]} or '
      '{"rule": ...}')::text;
  END IF;
  IF definition ? 'holdout' THEN
    IF definition -> 'holdout' ? 'campaign' THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM %s.campaign AS s WHERE s.campaign = $1)', ws)
        INTO there USING definition #>> '{holdout,campaign}';
      faults := faults || CASE WHEN NOT there
        THEN format('there is no campaign "%s"', definition #>> '{holdout,campaign}') END;
    ELSIF (definition -> 'holdout' ? 'salt'
      AND jsonb_typeof(definition #> '{holdout,share}') = 'number') IS NOT TRUE
    THEN
      faults := faults || '"holdout" must be {"campaign": ...} or {"salt": ..., "share": ...}'::text;
    ELSIF NOT (definition #>> '{holdout,share}')::numeric BETWEEN 0 AND 1 THEN
      faults := faults || '"share" must be from 0 to 1'::text;
    END IF;
  END IF;
  -- Which fields, called what
  SELECT faults || coalesce(array_agg(x.fault ORDER BY x.place), '{}') INTO faults
  FROM (
    SELECT f.place, CASE
      WHEN f.fault IS NOT NULL THEN format('%s: %s', coalesce(f.name, 'field ' || f.place), f.fault)
      WHEN coalesce(f.name, '') = '' THEN format('field %s needs a name: "as"', f.place)
      WHEN f.name ~ '[\r\n]' THEN format('field %s: a name has no line breaks', f.place)
      WHEN f.name !~ coalesce(CASE WHEN f.place = 0 THEN p.key_pattern END, p.name_pattern, '')
        THEN concat_ws(' ', format('"%s" is no name of a field there.', f.name), p.name_hint)
      WHEN EXISTS (SELECT FROM unnest(p.forbidden_names) AS b (name) WHERE lower(b.name) = lower(f.name))
        THEN format('"%s" may not be used there', f.name)
      WHEN count(*) OVER (PARTITION BY CASE WHEN p.case_matters THEN f.name ELSE lower(f.name) END) > 1
        THEN format('"%s" is there twice', f.name) END AS fault
    FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f) AS x
  WHERE x.fault IS NOT NULL;
  IF jsonb_array_length(definition -> 'fields') + 1 > p.max_fields THEN
    faults := faults || format('%s fields are too many: %s takes %s', jsonb_array_length(definition -> 'fields') + 1,
      p.profile, p.max_fields);
  END IF;
  RETURN NULLIF(array_to_string(array_remove(faults, NULL), E'\n'), '');
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_faults(text, segmentation.crm_profile, jsonb, jsonb) IS
  'Part of add_destination: what is wrong with a definition, a line each; NULL if nothing is.';

CREATE FUNCTION segmentation.add_destination(
  workspace text, destination text, profile text, definition jsonb, options jsonb DEFAULT '{}', about text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  p segmentation.crm_profile;
  published boolean;
  faults text;
BEGIN
  IF destination IS NULL OR profile IS NULL OR definition IS NULL OR options IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'destination, profile, definition and options must not be null';
  END IF;
  IF destination !~ '^[a-z][a-z0-9_]{0,62}$' THEN
    RAISE invalid_name USING
      MESSAGE = format('invalid name of a destination: %s', quote_literal(destination)),
      HINT = 'Use lower-case letters, digits and underscores, a letter first; at most 63.';
  END IF;
  IF jsonb_typeof(definition) <> 'object' OR jsonb_typeof(options) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'definition and options must be jsonb objects';
  END IF;
  SELECT string_agg(format('"%s" is no option', k), E'\n' ORDER BY k) INTO faults
  FROM jsonb_object_keys(options) AS k WHERE NOT k IN ('profile', 'part_bytes', 'part_rows', 'country', 'client');
  faults := concat_ws(E'\n', faults, (
    SELECT string_agg(format('"%s" must be a whole number from 1 to 500000000', k), E'\n' ORDER BY k)
    FROM unnest('{part_bytes,part_rows}'::text[]) AS k
    WHERE options ? k AND (options ->> k ~ '^[1-9][0-9]{0,8}$'
      AND (options ->> k)::bigint <= 500000000 AND jsonb_typeof(options -> k) = 'number') IS NOT TRUE), (
    SELECT '"country" must be the number of a country, as "33"'
    WHERE options ? 'country' AND (options ->> 'country' ~ '^[1-9][0-9]{0,2}$') IS NOT TRUE), (
    SELECT '"profile" must be an object of columns of crm_profile'
    WHERE options ? 'profile' AND jsonb_typeof(options -> 'profile') <> 'object'));
  IF NOT EXISTS (SELECT FROM segmentation.crm_profile AS c WHERE c.profile = add_destination.profile) THEN
    RAISE undefined_object USING
      MESSAGE = format('there is no profile "%s"', profile),
      HINT = (SELECT format('Profiles: %s.', string_agg(c.profile, ', ' ORDER BY c.profile))
              FROM segmentation.crm_profile AS c);
  END IF;
  IF faults = '' THEN
    SELECT string_agg(format('"%s" is no column of crm_profile that can be changed', k), E'\n' ORDER BY k) INTO faults
    FROM jsonb_object_keys(options -> 'profile') AS k
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = 'segmentation.crm_profile'::regclass AND a.attname = k AND a.attnum > 0 AND NOT a.attisdropped
        AND NOT a.attname IN ('profile', 'system', 'built_in', 'about', 'not_verified'));
  END IF;
  IF coalesce(faults, '') = '' THEN
    BEGIN
      p := segmentation_internal.crm_profile_of(profile, options);
    EXCEPTION WHEN data_exception OR invalid_text_representation THEN
      faults := format('the cells of "profile" have the wrong type: %s', SQLERRM);
    END;
    faults := concat_ws(E'\n', NULLIF(faults, ''), segmentation_internal.crm_profile_fault(p));
  END IF;
  IF faults <> '' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'invalid options', DETAIL = faults;
  END IF;
  EXECUTE format('SELECT w.as_of IS NOT NULL FROM %s.workspace AS w', ws) INTO published;
  IF NOT published THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I has nothing published yet', workspace),
      HINT = format('CALL segmentation.refresh(%L)', workspace);
  END IF;
  faults := segmentation_internal.crm_faults(ws, p, definition, options);
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('invalid definition of destination %s', destination),
      DETAIL = faults,
      HINT = 'segmentation.workspace_fields(workspace) lists the fields; docs/crm.md has the form of a definition.';
  END IF;
  PERFORM segmentation_internal.crm_make_tables(ws);
  -- The channel as the workspace calls it.
  definition := definition || CASE WHEN definition -> 'channel' <> 'null' THEN jsonb_build_object('channel',
    segmentation_internal.workspace_channel(definition ->> 'channel')) ELSE '{}' END;
  EXECUTE format($q$
    INSERT INTO %s.crm_destination AS d (destination, profile, definition, options, about)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (destination) DO UPDATE
    SET profile = excluded.profile, definition = excluded.definition, options = excluded.options,
      about = excluded.about$q$, ws)
    USING destination, profile, definition, options, about;
END
$$;
COMMENT ON FUNCTION segmentation.add_destination(text, text, text, jsonb, jsonb, text) IS
  'Makes a tool a destination of a workspace, or changes it: profile, a row of crm_profile; definition, who '
  '(audience), by which key, with which fields called what there, and the channel whose consent is needed. Every fault '
  'is named.';

CREATE FUNCTION segmentation_internal.crm_refuse_none(ws text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass(ws || '.crm_destination') IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %s has no destinations', ws),
      HINT = 'See segmentation.add_destination.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_refuse_none(text) IS
  'Part of crm_sync: an error if a workspace never had a destination.';

CREATE FUNCTION segmentation_internal.crm_destination_of(
  ws text, destination text, OUT profile text, OUT definition jsonb, OUT options jsonb, OUT p segmentation.crm_profile
)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation_internal.crm_refuse_none(ws);
  -- One works on a destination at a time.
  EXECUTE format('SELECT d.profile, d.definition, d.options FROM %s.crm_destination AS d '
    'WHERE d.destination = $1 FOR UPDATE', ws) INTO profile, definition, options USING destination;
  IF profile IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('there is no destination %s', coalesce(destination, 'null')),
      HINT = 'See segmentation.add_destination.';
  END IF;
  p := segmentation_internal.crm_profile_of(profile, options);
  IF p.profile IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('there is no profile "%s"', profile);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_destination_of(text, text) IS
  'Part of crm_sync: a destination, locked until the transaction ends.';

CREATE FUNCTION segmentation.remove_destination(workspace text, destination text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
BEGIN
  PERFORM segmentation_internal.crm_destination_of(ws, destination);
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.crm_row AS r USING @ws@.crm_batch AS b WHERE b.destination = $1 AND r.batch = b.batch$q$)
    USING destination;
  EXECUTE format('DELETE FROM %s.crm_destination AS d WHERE d.destination = $1', ws) USING destination;
END
$$;
COMMENT ON FUNCTION segmentation.remove_destination(text, text) IS
  'Takes a destination out of a workspace, with what is known of it. The tool itself is told nothing: to empty it, '
  'change the audience first and send that.';
