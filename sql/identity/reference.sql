-- The single customer reference (RCU): a schema with the records of several systems, and who they are.

CREATE FUNCTION segmentation_internal.reference_checked(reference text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner oid := (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = reference);
BEGIN
  IF reference IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'reference must not be null';
  END IF;
  IF owner IS NULL
     OR NOT EXISTS (SELECT FROM pg_class AS c
                    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = reference)
                      AND c.relname = 'reference' AND c.relkind = 'r') THEN
    RAISE invalid_schema_name USING
      MESSAGE = format('reference %I does not exist', left(reference, 63)),
      HINT = 'Make it by create_reference.';
  END IF;
  -- Its tables may have triggers of their owner, which would run with the rights of whoever writes.
  IF NOT pg_has_role(owner, 'USAGE') THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('must be owner of reference %I', reference);
  END IF;
  -- Who has all rights has every role: that is no reason to run the owner's code with them.
  IF (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user)
     AND NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = owner) THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('a superuser does not work in reference %I of another role', reference),
      DETAIL = 'Code of the owner would run with all rights.',
      HINT = format('Connect as %1$I, or SET ROLE %1$I.', pg_get_userbyid(owner));
  END IF;
  RETURN quote_ident(reference);
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_checked(text) IS
  'Part of the customer reference: its schema, quoted, if it is one and the caller''s own.';

CREATE FUNCTION segmentation_internal.reference_survivor_sql(field text, strategy text, latest text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, CASE strategy
    WHEN 'latest' THEN
      '(array_agg(r.customer ->> @''field''@ ORDER BY r.customer ->> @''latest''@ DESC NULLS LAST, r.record DESC)'
      ' FILTER (WHERE r.customer ->> @''field''@ IS NOT NULL AND @''latest''@ <> ''''))[1] AS @field@'
    WHEN 'longest' THEN
      '(array_agg(r.customer ->> @''field''@ ORDER BY length(r.customer ->> @''field''@) DESC,'
      ' r.customer ->> @''field''@) FILTER (WHERE r.customer ->> @''field''@ IS NOT NULL))[1] AS @field@'
    WHEN 'all' THEN
      'array_agg(DISTINCT r.customer ->> @''field''@) FILTER (WHERE r.customer ->> @''field''@ IS NOT NULL) AS @field@'
    WHEN 'most_restrictive' THEN
      'bool_and(lower(r.customer ->> @''field''@) IN (''true'', ''t'', ''yes'', ''y'', ''oui'', ''on'', ''1''))'
      ' AS @field@'
    ELSE
      'mode() WITHIN GROUP (ORDER BY r.customer ->> @''field''@) AS @field@'
    END, jsonb_build_object('field', field) || CASE WHEN strategy = 'latest'
      THEN jsonb_build_object('latest', latest) ELSE '{}' END);
COMMENT ON FUNCTION segmentation_internal.reference_survivor_sql(text, text, text) IS
  'Part of create_reference: which of several records'' values of a field a customer has, as SQL.';

CREATE FUNCTION segmentation_internal.reference_settings(known jsonb, given jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
BEGIN
  IF jsonb_typeof(given) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'settings must be a JSON object';
  END IF;
  SELECT s.key INTO wrong FROM jsonb_object_keys(given) AS s (key) WHERE NOT known ? s.key ORDER BY s.key LIMIT 1;
  IF FOUND THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown setting "%s" of a reference', left(wrong, 60)),
      HINT = format('Settings are %s.',
        (SELECT string_agg(k.key, ', ' ORDER BY k.key) FROM jsonb_object_keys(known) AS k (key)));
  END IF;
  SELECT s.key INTO wrong FROM jsonb_each(given) AS s
  WHERE CASE
    WHEN s.key = 'updated' THEN jsonb_typeof(s.value) <> 'string'
    WHEN jsonb_typeof(s.value) <> 'number' THEN true
    WHEN s.key IN ('match', 'review') THEN s.value::numeric NOT BETWEEN 0 AND 1
    ELSE s.value::numeric NOT BETWEEN 1 AND 1000000000 OR s.value::numeric <> trunc(s.value::numeric) END
  LIMIT 1;
  IF FOUND THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('invalid value of setting "%s": %s', wrong, left((given -> wrong)::text, 60)),
      HINT = 'match and review are probabilities, updated is the name of a field, others are whole numbers from 1.';
  END IF;
  RETURN known || given;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_settings(jsonb, jsonb) IS
  'Part of create_reference: the settings, checked, with the defaults of those left out.';

CREATE FUNCTION segmentation_internal.reference_layout() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN $layout$
    CREATE TABLE @ws@.reference (
      single boolean PRIMARY KEY DEFAULT true CHECK (single),
      rules jsonb NOT NULL,
      settings jsonb NOT NULL,
      survivorship jsonb NOT NULL,
      model jsonb,
      trained_at timestamptz
    );
    CREATE TABLE @ws@.source (
      source text PRIMARY KEY,
      relation regclass NOT NULL,
      key text NOT NULL,
      fields jsonb NOT NULL
    );
    CREATE TABLE @ws@.record (
      record bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      source text NOT NULL,
      key text NOT NULL,
      customer jsonb NOT NULL,
      form text[] NOT NULL,
      keys bigint[] NOT NULL,
      scored boolean NOT NULL DEFAULT false,
      customer_id bigint,
      origin_id bigint,
      UNIQUE (source, key)
    );
    CREATE INDEX ON @ws@.record (customer_id);
    CREATE TABLE @ws@.pair (
      a bigint NOT NULL,
      b bigint NOT NULL,
      rule integer NOT NULL,
      probability double precision NOT NULL,
      contradiction text,
      PRIMARY KEY (a, b)
    );
    CREATE TABLE @ws@.decision (
      source_a text NOT NULL,
      key_a text NOT NULL,
      source_b text NOT NULL,
      key_b text NOT NULL,
      verdict text NOT NULL CHECK (verdict IN ('same', 'different')),
      decided_by name NOT NULL DEFAULT current_user,
      decided_at timestamptz NOT NULL DEFAULT now(),
      note text,
      PRIMARY KEY (source_a, key_a, source_b, key_b)
    );
    CREATE TABLE @ws@.run (
      run integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT now(),
      records bigint NOT NULL,
      pairs bigint NOT NULL,
      customers bigint NOT NULL
    );
    CREATE TABLE @ws@.log (
      run integer NOT NULL,
      change text NOT NULL CHECK (change IN ('create', 'merge', 'split', 'vanish')),
      customer bigint NOT NULL,
      other bigint
    );
    CREATE SEQUENCE @ws@.customer_id;
    COMMENT ON TABLE @ws@.reference IS 'Its rules, settings and model.';
    COMMENT ON TABLE @ws@.source IS 'Where records come from.';
    COMMENT ON TABLE @ws@.record IS 'A row a record of a source, as it is and in one form, with the customer it is of.';
    COMMENT ON TABLE @ws@.pair IS 'Pairs of records that the last run found likely enough for review.';
    COMMENT ON TABLE @ws@.decision IS 'What people decided of pairs of records: outlives every run.';
    COMMENT ON TABLE @ws@.run IS 'Runs.';
    COMMENT ON TABLE @ws@.log IS 'What became of customers: create; merge and split, with the other one; vanish.';
    CREATE VIEW @ws@.review AS
    SELECT p.probability, p.contradiction, a.source AS source_a, a.key AS key_a, b.source AS source_b, b.key AS key_b,
           a.customer AS record_a, b.customer AS record_b
    FROM @ws@.pair AS p
    JOIN @ws@.record AS a ON a.record = p.a
    JOIN @ws@.record AS b ON b.record = p.b
    WHERE a.customer_id IS DISTINCT FROM b.customer_id
      AND NOT EXISTS (
        SELECT FROM @ws@.decision AS d
        WHERE (d.source_a, d.key_a, d.source_b, d.key_b) IN
              ((a.source, a.key, b.source, b.key), (b.source, b.key, a.source, a.key)));
    COMMENT ON VIEW @ws@.review IS 'Pairs that are likely and not one customer, until a decision says what they are.';
    $layout$;
COMMENT ON FUNCTION segmentation_internal.reference_layout() IS 'Part of create_reference: its tables.';

CREATE FUNCTION segmentation.create_reference(
  reference text, rules jsonb, survivorship jsonb DEFAULT '{}', settings jsonb DEFAULT '{}')
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := quote_ident(reference);
  known constant jsonb := '{"match": 0.95, "review": 0.5, "largest_cluster": 50, "largest_block": 1000,
                            "most_pairs": 50000000, "updated": ""}';
  unknown text;
  fields text[];
BEGIN
  IF reference IS NULL OR rules IS NULL OR survivorship IS NULL OR settings IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'arguments of create_reference must not be null';
  END IF;
  IF reference = '' OR octet_length(reference) > 63 OR reference ~ '[[:cntrl:]]' THEN
    RAISE invalid_schema_name USING
      MESSAGE = format('invalid name of a reference %I', reference),
      DETAIL = 'It has from 1 to 63 bytes, and no control characters.';
  END IF;
  IF EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = reference) THEN
    RAISE duplicate_schema USING
      MESSAGE = format('schema %I already exists', reference),
      HINT = 'A reference is a schema of its own: choose another name.';
  END IF;
  -- Rules that cannot be read are an error here, and not at the first run.
  PERFORM segmentation.match_record(rules, '{}');
  PERFORM segmentation_internal.reference_settings(known, settings);
  fields := ARRAY(SELECT c.value ->> 'field' FROM jsonb_array_elements(rules -> 'comparisons') AS c);
  IF jsonb_typeof(survivorship) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'survivorship must be a JSON object';
  END IF;
  SELECT s.key INTO unknown FROM jsonb_each(survivorship) AS s
  WHERE NOT s.value <@ '["most_frequent", "latest", "longest", "all", "most_restrictive"]' LIMIT 1;
  IF FOUND THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown survivorship of field "%s"', left(unknown, 60)),
      HINT = 'It is most_frequent, latest, longest, all or most_restrictive.';
  END IF;
  fields := fields || ARRAY(SELECT s.key FROM jsonb_object_keys(survivorship) AS s (key) WHERE s.key <> ALL (fields)
                            ORDER BY s.key);
  IF EXISTS (SELECT FROM unnest(fields) AS f WHERE octet_length(f) > 63 OR f IN ('', 'customer', 'records')) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'a field of a reference must have a name of 1 to 63 bytes that is neither customer nor records';
  END IF;
  IF (known || settings) ->> 'updated' = '' AND EXISTS (SELECT FROM jsonb_each_text(survivorship) AS s
                                                        WHERE s.value = 'latest') THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'survivorship "latest" needs the setting "updated"',
      HINT = 'It names the field that says when a record was changed.';
  END IF;
  EXECUTE format('CREATE SCHEMA %I', reference);
  EXECUTE format('COMMENT ON SCHEMA %I IS %L', reference,
    'A customer reference, kept by the extension segmentation.');
  EXECUTE segmentation_internal.fill(ws, segmentation_internal.reference_layout());
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.reference (rules, settings, survivorship)
    VALUES (@'rules'@::jsonb, @'settings'@::jsonb, @'survivorship'@::jsonb)$q$, jsonb_build_object(
      'rules', rules::text, 'settings', (known || settings)::text, 'survivorship', survivorship::text));
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE VIEW @ws@.customer AS
    SELECT r.customer_id AS customer, count(*) AS records, @(fields)@
    FROM @ws@.record AS r
    WHERE r.customer_id IS NOT NULL
    GROUP BY r.customer_id$q$, jsonb_build_object('fields', (
      SELECT string_agg(segmentation_internal.reference_survivor_sql(f.field,
               coalesce(survivorship ->> f.field, 'most_frequent'), (known || settings) ->> 'updated'), ', '
               ORDER BY f.at)
      FROM unnest(fields) WITH ORDINALITY AS f (field, at))));
  EXECUTE segmentation_internal.fill(ws, $q$
    COMMENT ON VIEW @ws@.customer IS 'A row a customer: the values that survive of its records.'$q$);
END
$$;
COMMENT ON FUNCTION segmentation.create_reference(text, jsonb, jsonb, jsonb) IS
  'Makes a customer reference: a schema with tables for records, pairs, decisions and the log, and the view customer. '
  'survivorship: which value of a field is kept (most_frequent, latest, longest, all, most_restrictive). settings: '
  'match, review, largest_cluster, largest_block, most_pairs, updated.';

CREATE FUNCTION segmentation.add_reference_source(
  reference text, source text, relation regclass, key text, fields jsonb DEFAULT NULL)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  missing text;
  mapping jsonb := fields;
BEGIN
  IF source IS NULL OR relation IS NULL OR key IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'source, relation and key must not be null';
  END IF;
  IF mapping IS NULL THEN
    SELECT coalesce(jsonb_object_agg(a.attname, a.attname), '{}') INTO mapping
    FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
  END IF;
  IF jsonb_typeof(mapping) <> 'object' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'fields must be a JSON object',
      HINT = 'Its names are fields of the rules, its values columns: {"first_name": "prenom"}.';
  END IF;
  SELECT c.name INTO missing
  FROM (SELECT m.value FROM jsonb_each_text(mapping) AS m UNION ALL SELECT key) AS c (name)
  WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
  LIMIT 1;
  IF FOUND THEN
    RAISE undefined_column USING
      MESSAGE = format('column "%s" does not exist in %s', coalesce(left(missing, 63), 'null'), relation);
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.source (source, relation, key, fields)
    VALUES (@'source'@, @'relation'@::oid::regclass, @'key'@, @'fields'@::jsonb)
    ON CONFLICT ON CONSTRAINT source_pkey DO UPDATE
      SET relation = excluded.relation, key = excluded.key, fields = excluded.fields$q$, jsonb_build_object(
      'source', source, 'relation', relation::oid::text, 'key', key, 'fields', mapping::text));
END
$$;
COMMENT ON FUNCTION segmentation.add_reference_source(text, text, regclass, text, jsonb) IS
  'Says where records of a reference come from: a relation, its key column, and which column has which field. Without '
  'fields, columns have the names of fields.';

CREATE FUNCTION segmentation_internal.reference_load(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  s record;
  doubled text;
BEGIN
  FOR s IN EXECUTE segmentation_internal.fill(ws, $q$SELECT * FROM ONLY @ws@.source ORDER BY source$q$) LOOP
    IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = s.relation) THEN
      RAISE undefined_table USING
        MESSAGE = format('the relation of source "%s" does not exist any more', s.source),
        HINT = 'Name another by add_reference_source.';
    END IF;
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT t.@key@::text FROM @(relation)@ AS t WHERE t.@key@ IS NOT NULL GROUP BY 1 HAVING count(*) > 1 LIMIT 1$q$,
      jsonb_build_object('key', s.key, 'relation', s.relation::text)) INTO doubled;
    IF doubled IS NOT NULL THEN
      RAISE unique_violation USING
        MESSAGE = format('key "%s" stands twice in source "%s"', left(doubled, 60), s.source);
    END IF;
    EXECUTE segmentation_internal.fill(ws, $q$
      WITH read AS (
        SELECT t.@key@::text AS key, coalesce((
          SELECT jsonb_object_agg(f.key, to_jsonb(t) -> f.value) FROM jsonb_each_text(@'fields'@::jsonb) AS f), '{}')
          AS customer
        FROM @(relation)@ AS t
        WHERE t.@key@ IS NOT NULL),
      gone AS (
        DELETE FROM @ws@.record AS r
        WHERE r.source = @'source'@ AND NOT EXISTS (SELECT FROM read AS n WHERE n.key = r.key)),
      changed AS MATERIALIZED (
        SELECT n.key, n.customer FROM read AS n
        WHERE NOT EXISTS (SELECT FROM ONLY @ws@.record AS r
                          WHERE r.source = @'source'@ AND r.key = n.key AND r.customer = n.customer))
      INSERT INTO @ws@.record AS r (source, key, customer, form, keys)
      SELECT @'source'@, n.key, n.customer, n.form, segmentation.match_keys(n.rules, n.form)
      FROM (SELECT n.key, n.customer, g.rules, segmentation.match_record(g.rules, n.customer) AS form
            FROM changed AS n CROSS JOIN ONLY @ws@.reference AS g OFFSET 0) AS n
      ORDER BY n.key
      ON CONFLICT ON CONSTRAINT record_source_key_key DO UPDATE
        SET customer = excluded.customer, form = excluded.form, keys = excluded.keys, scored = false
        WHERE r.customer IS DISTINCT FROM excluded.customer$q$,
      jsonb_build_object('key', s.key, 'relation', s.relation::text, 'fields', s.fields::text, 'source', s.source));
  END LOOP;
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.record AS r WHERE NOT EXISTS (SELECT FROM ONLY @ws@.source AS s WHERE s.source = r.source)$q$);
  EXECUTE segmentation_internal.fill(ws, 'ANALYZE @ws@.record');
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_load(text) IS
  'Part of reference_train and reference_run: takes over new, changed and vanished records of the sources.';

CREATE FUNCTION segmentation_internal.reference_keys_sql() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN $q$
    every AS MATERIALIZED (
      SELECT r.record, r.scored, k.rule::integer AS rule, k.key
      FROM ONLY @ws@.record AS r, unnest(r.keys) WITH ORDINALITY AS k (key, rule)
      WHERE k.key IS NOT NULL),
    block AS MATERIALIZED (
      SELECT e.rule, e.key, count(*) AS records
      FROM every AS e GROUP BY e.rule, e.key HAVING count(*) > 1),
    entry AS MATERIALIZED (
      SELECT e.record, e.scored, e.rule, e.key
      FROM every AS e JOIN block AS b ON b.rule = e.rule AND b.key = e.key
      WHERE b.records <= (SELECT (g.settings ->> 'largest_block')::bigint FROM ONLY @ws@.reference AS g))
    $q$;
COMMENT ON FUNCTION segmentation_internal.reference_keys_sql() IS
  'Part of the customer reference: records by the keys that others have too, but for keys that too many have, as SQL.';

CREATE FUNCTION segmentation.reference_pairs(reference text)
RETURNS TABLE (rule integer, fields text, blocks bigint, pairs bigint, largest_block bigint, left_out bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
BEGIN
  PERFORM segmentation_internal.reference_load(ws);
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH @(keys)@
    SELECT f.at::integer, (SELECT string_agg(p.part, ', ' ORDER BY p.at)
                           FROM jsonb_array_elements_text(f.rule) WITH ORDINALITY AS p (part, at)),
      count(b.key), coalesce(sum(b.records * (b.records - 1) / 2) FILTER (WHERE b.records <= g.most), 0)::bigint,
      coalesce(max(b.records), 0)::bigint, count(*) FILTER (WHERE b.records > g.most)
    FROM (SELECT g.rules, (g.settings ->> 'largest_block')::bigint AS most FROM ONLY @ws@.reference AS g) AS g
    CROSS JOIN jsonb_array_elements(g.rules -> 'blocking') WITH ORDINALITY AS f (rule, at)
    LEFT JOIN block AS b ON b.rule = f.at
    GROUP BY f.at, f.rule ORDER BY f.at$q$,
    jsonb_build_object('keys', segmentation_internal.fill(ws, segmentation_internal.reference_keys_sql())));
END
$$;
COMMENT ON FUNCTION segmentation.reference_pairs(text) IS
  'Takes over the sources of a reference and counts, for each blocking rule, the pairs that a run would compare, '
  'before it does: blocks, the largest, and those left out for being too large.';

CREATE FUNCTION segmentation_internal.reference_guard(reference text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  most bigint;
  total bigint;
  worst record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT (g.settings ->> 'most_pairs')::bigint FROM ONLY @ws@.reference AS g$q$) INTO most;
  SELECT sum(p.pairs) OVER (), p.pairs, p.rule, p.fields INTO worst
  FROM segmentation.reference_pairs(reference) AS p ORDER BY p.pairs DESC, p.rule LIMIT 1;
  total := worst.sum;
  IF total > most THEN
    RAISE program_limit_exceeded USING
      MESSAGE = format('the blocking rules of reference %I make too many pairs', reference),
      DETAIL = format('They make %s, of which %s by rule %s (%s); at most %s are compared.', total, worst.pairs,
                      worst.rule, worst.fields, most),
      HINT = 'Narrow the rule by another field, or set most_pairs higher. See reference_pairs.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_guard(text) IS
  'Part of reference_train and reference_run: takes over the sources, and an error if there would be too many pairs.';

CREATE FUNCTION segmentation_internal.reference_frequencies(ws text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  found jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH seen AS (
      SELECT f.at, f.value, count(*) AS n
      FROM ONLY @ws@.record AS r, unnest(r.form) WITH ORDINALITY AS f (value, at)
      WHERE f.value IS NOT NULL
      GROUP BY f.at, f.value),
    ranked AS (
      SELECT s.at, s.value, s.n, sum(s.n) OVER (PARTITION BY s.at) AS total,
        row_number() OVER (PARTITION BY s.at ORDER BY s.n DESC, s.value) AS place
      FROM seen AS s),
    counted AS (
      SELECT r.at, min(r.total) AS total, sum(r.n * (r.n - 1)) AS same,
        -- Of a value that few have, its share is that of its like.
        avg(r.n) FILTER (WHERE r.place > 5000 OR r.n < 3) AS rest,
        jsonb_object_agg(r.value, round(r.n / r.total, 12)) FILTER (WHERE r.place <= 5000 AND r.n >= 3) AS frequent
      FROM ranked AS r GROUP BY r.at)
    SELECT coalesce(jsonb_object_agg(c.value ->> 'field', jsonb_build_object(
      'collision', round(f.same / greatest(f.total * (f.total - 1), 1), 15),
      'rest', round(coalesce(f.rest, 1) / f.total, 15), 'frequent', coalesce(f.frequent, '{}'))), '{}')
    FROM ONLY @ws@.reference AS g
    CROSS JOIN jsonb_array_elements(g.rules -> 'comparisons') WITH ORDINALITY AS c (value, at)
    JOIN counted AS f ON f.at = c.at$q$) INTO found;
  RETURN found;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_frequencies(text) IS
  'Part of reference_train: how often each value is, for fit_match_model.';

CREATE FUNCTION segmentation.reference_train(reference text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  -- Pairs of each pass that are looked at.
  enough constant bigint := 200000;
  fitted jsonb;
BEGIN
  PERFORM segmentation_internal.reference_guard(reference);
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH @(keys)@,
    share AS (
      SELECT b.rule, least(1, @(enough)@ / sum(b.records * (b.records - 1) / 2)) AS share
      FROM block AS b
      WHERE b.records <= (SELECT (g.settings ->> 'largest_block')::bigint FROM ONLY @ws@.reference AS g)
      GROUP BY b.rule),
    sampled AS MATERIALIZED (
      SELECT e.record, e.rule, e.key
      FROM entry AS e JOIN share AS s ON s.rule = e.rule
      WHERE (hashint8(e.key) & 65535) < s.share * 65536),
    -- In an order that has nothing to do with who they are, each record meets those that follow.
    shuffled AS MATERIALIZED (
      SELECT r.form, row_number() OVER (ORDER BY hashint8(r.record), r.record) - 1 AS place, count(*) OVER () AS n
      FROM ONLY @ws@.record AS r),
    counted AS (
      SELECT 0 AS pass, segmentation.match_pattern(g.rules, a.form, b.form) AS pattern
      FROM ONLY @ws@.reference AS g
      CROSS JOIN shuffled AS a
      CROSS JOIN LATERAL generate_series(1, least(a.n / 2, greatest(@(enough)@ / a.n, 1))) AS d (steps)
      JOIN shuffled AS b ON b.place = (a.place + d.steps) % a.n
      UNION ALL
      SELECT x.rule, segmentation.match_pattern(g.rules, a.form, b.form)
      FROM ONLY @ws@.reference AS g
      CROSS JOIN sampled AS x
      JOIN sampled AS y ON y.rule = x.rule AND y.key = x.key AND y.record > x.record
      JOIN ONLY @ws@.record AS a ON a.record = x.record
      JOIN ONLY @ws@.record AS b ON b.record = y.record),
    total AS (SELECT c.pass, c.pattern, count(*) AS pairs FROM counted AS c GROUP BY c.pass, c.pattern),
    -- Pairs that were left out count as those that were looked at.
    weighed AS (
      SELECT t.pass, t.pattern, round(t.pairs / coalesce(s.share, 1))::bigint AS pairs
      FROM total AS t LEFT JOIN share AS s ON s.rule = t.pass)
    SELECT segmentation.fit_match_model(g.rules, w.pass, w.pattern, w.pairs,
      (SELECT count(*) FROM ONLY @ws@.record), @'frequencies'@::jsonb)
    FROM ONLY @ws@.reference AS g
    CROSS JOIN (
      SELECT array_agg(w.pass ORDER BY w.pass, w.pattern) AS pass,
        array_agg(w.pattern ORDER BY w.pass, w.pattern) AS pattern,
        array_agg(w.pairs ORDER BY w.pass, w.pattern) AS pairs
      FROM weighed AS w) AS w$q$,
    jsonb_build_object('keys', segmentation_internal.fill(ws, segmentation_internal.reference_keys_sql()),
      'enough', enough::text, 'frequencies', segmentation_internal.reference_frequencies(ws)::text)) INTO fitted;
  IF fitted IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'no records to learn from',
      HINT = 'Add sources by add_reference_source.';
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.reference SET model = @'model'@::jsonb, trained_at = now()$q$,
    jsonb_build_object('model', fitted::text));
  -- By the new model every pair is to be looked at again.
  EXECUTE segmentation_internal.fill(ws, 'UPDATE @ws@.record AS r SET scored = false WHERE r.scored');
  RETURN fitted;
END
$$;
COMMENT ON FUNCTION segmentation.reference_train(text) IS
  'Takes over the sources of a reference and learns its model, without labels. Ids stay: a run with the new model '
  'changes only who is merged.';

CREATE FUNCTION segmentation_internal.reference_score(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  -- What was found of records that are as they were stands.
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.pair AS p
    WHERE NOT EXISTS (SELECT FROM ONLY @ws@.record AS r WHERE r.record = p.a AND r.scored)
       OR NOT EXISTS (SELECT FROM ONLY @ws@.record AS r WHERE r.record = p.b AND r.scored)$q$);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.pair (a, b, rule, probability, contradiction)
    WITH @(keys)@,
    used AS MATERIALIZED (
      SELECT r.record, r.form, array_agg(e.key ORDER BY k.rule) AS keys
      FROM ONLY @ws@.record AS r
      CROSS JOIN LATERAL generate_series(1, cardinality(r.keys)) AS k (rule)
      LEFT JOIN entry AS e ON e.record = r.record AND e.rule = k.rule
      GROUP BY r.record, r.form),
    scored AS (
      SELECT x.record AS new, y.record AS other, x.rule, u.form AS form_a, v.form AS form_b, g.model,
        (g.settings ->> 'review')::double precision AS review,
        segmentation.match_probability(g.model, u.form, v.form) AS probability
      FROM ONLY @ws@.reference AS g
      CROSS JOIN entry AS x
      JOIN entry AS y ON y.rule = x.rule AND y.key = x.key
      JOIN used AS u ON u.record = x.record
      JOIN used AS v ON v.record = y.record
      -- Each new record with all of before, and with the new ones after it.
      WHERE NOT x.scored AND (CASE WHEN y.scored THEN y.record <> x.record ELSE y.record > x.record END)
        -- A pair is of the first rule that finds it.
        AND segmentation.match_rule(u.keys, v.keys) = x.rule
      OFFSET 0)
    SELECT least(s.new, s.other), greatest(s.new, s.other), s.rule, s.probability,
      segmentation.match_contradiction(s.model, s.form_a, s.form_b)
    FROM scored AS s WHERE s.probability >= s.review$q$,
    jsonb_build_object('keys', segmentation_internal.fill(ws, segmentation_internal.reference_keys_sql())));
  EXECUTE segmentation_internal.fill(ws, 'UPDATE @ws@.record AS r SET scored = true WHERE NOT r.scored');
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_score(text) IS
  'Part of reference_run: the pairs of new and changed records that the blocking rules find and the model thinks '
  'likely enough for review; those of others stay.';

CREATE FUNCTION segmentation_internal.reference_cluster(
  ws text, apart_a bigint[], apart_b bigint[], OUT records bigint[], OUT clusters bigint[])
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH decided AS (
      SELECT a.record AS a, b.record AS b, d.verdict
      FROM ONLY @ws@.decision AS d
      JOIN ONLY @ws@.record AS a ON a.source = d.source_a AND a.key = d.key_a
      JOIN ONLY @ws@.record AS b ON b.source = d.source_b AND b.key = d.key_b
      WHERE a.record <> b.record),
    edge AS (
      SELECT p.a, p.b, p.probability AS strength
      FROM ONLY @ws@.pair AS p, ONLY @ws@.reference AS g
      WHERE p.contradiction IS NULL AND p.probability >= (g.settings ->> 'match')::double precision
      UNION ALL
      SELECT d.a, d.b, double precision 'Infinity' FROM decided AS d WHERE d.verdict = 'same'),
    edges AS (
      SELECT coalesce(array_agg(e.a), '{}') AS a, coalesce(array_agg(e.b), '{}') AS b,
        coalesce(array_agg(e.strength), '{}') AS strength
      FROM edge AS e),
    parted AS (
      SELECT coalesce(array_agg(d.a), '{}') AS a, coalesce(array_agg(d.b), '{}') AS b
      FROM decided AS d WHERE d.verdict = 'different')
    SELECT coalesce(array_agg(c.record ORDER BY c.record), '{}'), coalesce(array_agg(c.cluster ORDER BY c.record), '{}')
    FROM edges AS e
    CROSS JOIN parted AS p
    CROSS JOIN ONLY @ws@.reference AS g
    CROSS JOIN LATERAL segmentation.match_clusters(e.a, e.b, e.strength, p.a || $1, p.b || $2,
      (g.settings ->> 'largest_cluster')::integer) AS c$q$)
  INTO records, clusters USING apart_a, apart_b;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_cluster(text, bigint[], bigint[]) IS
  'Part of reference_run: records put together by pairs and decisions, but for those that are apart.';

CREATE FUNCTION segmentation_internal.reference_conflicts(
  ws text, records bigint[], clusters bigint[], OUT conflict_a bigint[], OUT conflict_b bigint[])
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  -- What people decided to be the same does not contradict itself, nor do those who fit either side of it.
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH c AS MATERIALIZED (
      SELECT c.record, c.cluster, r.form, r.source, r.key
      FROM unnest($1, $2) AS c (record, cluster) JOIN ONLY @ws@.record AS r ON r.record = c.record),
    same AS MATERIALIZED (
      SELECT a.cluster, a.form AS form_a, b.form AS form_b
      FROM (
        SELECT d.source_a, d.key_a, d.source_b, d.key_b FROM ONLY @ws@.decision AS d WHERE d.verdict = 'same'
        UNION
        SELECT d.source_b, d.key_b, d.source_a, d.key_a FROM ONLY @ws@.decision AS d WHERE d.verdict = 'same') AS d
      JOIN c AS a ON a.source = d.source_a AND a.key = d.key_a
      JOIN c AS b ON b.source = d.source_b AND b.key = d.key_b
      WHERE a.cluster = b.cluster)
    SELECT array_agg(a.record ORDER BY a.record, b.record), array_agg(b.record ORDER BY a.record, b.record)
    FROM c AS a
    JOIN c AS b ON b.cluster = a.cluster AND b.record > a.record
    CROSS JOIN ONLY @ws@.reference AS g
    WHERE segmentation.match_contradiction(g.model, a.form, b.form) IS NOT NULL
      AND NOT EXISTS (SELECT FROM same AS s
                      WHERE s.cluster = a.cluster
                        AND segmentation.match_contradiction(g.model, a.form, s.form_a) IS NULL
                        AND segmentation.match_contradiction(g.model, b.form, s.form_b) IS NULL)$q$)
  INTO conflict_a, conflict_b USING records, clusters;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_conflicts(text, bigint[], bigint[]) IS
  'Part of reference_run: pairs within clusters that contradict each other.';

CREATE FUNCTION segmentation_internal.reference_name(ws text, this_run integer, records bigint[], clusters bigint[])
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH placed AS MATERIALIZED (
      SELECT r.record, coalesce(c.cluster, r.record) AS cluster, r.customer_id AS old, r.origin_id AS origin
      FROM ONLY @ws@.record AS r LEFT JOIN unnest($1, $2) AS c (record, cluster) ON c.record = r.record),
    -- An id goes where most of its records are, and a cluster keeps the one that most of its records have.
    overlap AS (
      SELECT p.cluster, p.old, count(*) AS n FROM placed AS p WHERE p.old IS NOT NULL GROUP BY p.cluster, p.old),
    home AS (SELECT DISTINCT ON (o.old) o.old, o.cluster, o.n FROM overlap AS o ORDER BY o.old, o.n DESC, o.cluster),
    kept AS MATERIALIZED (
      SELECT DISTINCT ON (h.cluster) h.cluster, h.old AS id FROM home AS h ORDER BY h.cluster, h.n DESC, h.old),
    -- What was merged and comes apart gets back the id it had at first, if that is free.
    first_id AS (
      SELECT p.origin, p.cluster, count(*) AS n FROM placed AS p
      WHERE p.origin IS NOT NULL AND NOT EXISTS (SELECT FROM kept AS k WHERE k.cluster = p.cluster)
        AND NOT EXISTS (SELECT FROM kept AS k WHERE k.id = p.origin)
      GROUP BY p.origin, p.cluster),
    first_home AS (
      SELECT DISTINCT ON (f.origin) f.origin, f.cluster, f.n FROM first_id AS f ORDER BY f.origin, f.n DESC, f.cluster),
    back AS MATERIALIZED (
      SELECT DISTINCT ON (f.cluster) f.cluster, f.origin AS id
      FROM first_home AS f ORDER BY f.cluster, f.n DESC, f.origin),
    fresh AS MATERIALIZED (
      SELECT n.cluster, nextval(@'sequence'@::regclass) AS id
      FROM (SELECT DISTINCT p.cluster FROM placed AS p
            WHERE NOT EXISTS (SELECT FROM kept AS k WHERE k.cluster = p.cluster)
              AND NOT EXISTS (SELECT FROM back AS b WHERE b.cluster = p.cluster)
            ORDER BY p.cluster) AS n),
    named AS (SELECT * FROM kept UNION ALL SELECT * FROM back UNION ALL SELECT * FROM fresh),
    assigned AS MATERIALIZED (
      SELECT p.record, p.old, p.origin, n.id FROM placed AS p JOIN named AS n ON n.cluster = p.cluster),
    written AS (
      UPDATE @ws@.record AS r SET customer_id = a.id, origin_id = coalesce(a.origin, a.id)
      FROM assigned AS a WHERE a.record = r.record AND a.old IS DISTINCT FROM a.id),
    before AS (
      SELECT l.customer FROM (
        SELECT DISTINCT ON (l.customer) l.customer, l.change
        FROM ONLY @ws@.log AS l ORDER BY l.customer, l.run DESC) AS l
      WHERE l.change IN ('create', 'split')),
    moved AS (
      SELECT a.old, a.id, count(*) AS n
      FROM assigned AS a WHERE a.old IS NOT NULL AND a.old <> a.id GROUP BY a.old, a.id)
    INSERT INTO @ws@.log (run, change, customer, other)
    SELECT $3, CASE WHEN m.old IS NULL THEN 'create' ELSE 'split' END, n.id, m.old
    FROM (SELECT DISTINCT a.id FROM assigned AS a) AS n
    LEFT JOIN (SELECT DISTINCT ON (m.id) m.id, m.old FROM moved AS m ORDER BY m.id, m.n DESC, m.old) AS m ON m.id = n.id
    WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.customer = n.id)
    UNION ALL
    SELECT $3, CASE WHEN m.id IS NULL THEN 'vanish' ELSE 'merge' END, b.customer, m.id
    FROM before AS b
    LEFT JOIN (SELECT DISTINCT ON (m.old) m.old, m.id FROM moved AS m ORDER BY m.old, m.n DESC, m.id) AS m
      ON m.old = b.customer
    WHERE NOT EXISTS (SELECT FROM assigned AS a WHERE a.id = b.customer)
    ORDER BY 3$q$, jsonb_build_object('sequence', ws || '.customer_id'))
  USING records, clusters, this_run;
END
$$;
COMMENT ON FUNCTION segmentation_internal.reference_name(text, integer, bigint[], bigint[]) IS
  'Part of reference_run: gives clusters their customers'' ids, as before wherever that can be, and logs changes.';

CREATE FUNCTION segmentation.reference_run(reference text, again boolean DEFAULT false)
RETURNS TABLE (records bigint, pairs bigint, customers bigint, created bigint, merged bigint, split bigint,
               vanished bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  trained boolean;
  this_run integer;
  apart_a bigint[] := '{}';
  apart_b bigint[] := '{}';
  c record;
  x record;
BEGIN
  -- One run at a time.
  EXECUTE segmentation_internal.fill(ws, 'LOCK TABLE ONLY @ws@.reference IN SHARE ROW EXCLUSIVE MODE');
  PERFORM segmentation_internal.reference_guard(reference);
  -- What was learned from few is learned again when there are many.
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT coalesce((SELECT count(*) FROM ONLY @ws@.record) <= 4 * (g.model ->> 'records')::bigint, false)
    FROM ONLY @ws@.reference AS g$q$) INTO trained;
  IF NOT trained THEN
    -- Where nobody resembles anybody there is nothing to learn: everyone is a customer.
    BEGIN
      PERFORM segmentation.reference_train(reference);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
      RAISE WARNING 'no model was learned for reference %: %', reference, SQLERRM;
    END;
  END IF;
  IF again THEN
    EXECUTE segmentation_internal.fill(ws, 'UPDATE @ws@.record AS r SET scored = false WHERE r.scored');
  END IF;
  PERFORM segmentation_internal.reference_score(ws);
  -- Clusters whose members contradict each other come apart, until none does: each time more pairs are apart.
  LOOP
    c := segmentation_internal.reference_cluster(ws, apart_a, apart_b);
    x := segmentation_internal.reference_conflicts(ws, c.records, c.clusters);
    EXIT WHEN x.conflict_a IS NULL;
    apart_a := apart_a || x.conflict_a;
    apart_b := apart_b || x.conflict_b;
  END LOOP;
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.run (records, pairs, customers)
    SELECT (SELECT count(*) FROM ONLY @ws@.record), (SELECT count(*) FROM ONLY @ws@.pair),
      (SELECT count(*) FROM ONLY @ws@.record) - cardinality($1)
        + (SELECT count(DISTINCT u.c) FROM unnest($2) AS u (c))
    RETURNING run$q$) INTO this_run USING c.records, c.clusters;
  PERFORM segmentation_internal.reference_name(ws, this_run, c.records, c.clusters);
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT r.records, r.pairs, r.customers, count(*) FILTER (WHERE l.change = 'create'),
      count(*) FILTER (WHERE l.change = 'merge'), count(*) FILTER (WHERE l.change = 'split'),
      count(*) FILTER (WHERE l.change = 'vanish')
    FROM ONLY @ws@.run AS r LEFT JOIN ONLY @ws@.log AS l ON l.run = r.run
    WHERE r.run = $1
    GROUP BY r.run$q$) USING this_run;
END
$$;
COMMENT ON FUNCTION segmentation.reference_run(text, boolean) IS
  'Takes over the sources of a reference, finds who is the same and gives every record its customer, with the ids of '
  'before wherever that can be. Decisions hold. Only new and changed records are compared, or all again. The first run '
  'learns the model, and one that finds more than four times as many records.';

CREATE FUNCTION segmentation.reference_explain(reference text, source_a text, key_a text, source_b text, key_b text)
RETURNS TABLE (step integer, field text, value_a text, value_b text, level text, m double precision,
               u double precision, bits double precision, total double precision, probability double precision,
               contradicts boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT e.step, e.field, e.value_a, e.value_b, e.level, e.m, e.u, e.bits, e.total, e.probability, e.contradicts
    FROM ONLY @ws@.reference AS g
    JOIN ONLY @ws@.record AS a ON a.source = $1 AND a.key = $2
    JOIN ONLY @ws@.record AS b ON b.source = $3 AND b.key = $4
    CROSS JOIN LATERAL segmentation.match_explain(g.model, a.form, b.form) AS e
    ORDER BY e.step$q$) USING source_a, key_a, source_b, key_b;
END
$$;
COMMENT ON FUNCTION segmentation.reference_explain(text, text, text, text, text) IS
  'Why two records of a reference are, or are not, of one customer: what each field adds. No rows before the first '
  'run, or if there is no such record.';

CREATE FUNCTION segmentation.reference_forget(reference text, source text, key text) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  found_record bigint;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.record AS r WHERE r.source = $1 AND r.key = $2 RETURNING r.record$q$)
  INTO found_record USING source, key;
  EXECUTE segmentation_internal.fill(ws, 'DELETE FROM @ws@.pair AS p WHERE $1 IN (p.a, p.b)') USING found_record;
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.decision AS d
    WHERE (d.source_a = $1 AND d.key_a = $2) OR (d.source_b = $1 AND d.key_b = $2)$q$) USING source, key;
  RETURN found_record IS NOT NULL;
END
$$;
COMMENT ON FUNCTION segmentation.reference_forget(text, text, text) IS
  'Erases a record from a reference, with its pairs and decisions; the log keeps ids alone. Erase it in its source '
  'too, or the next run takes it over again. Whether there was one.';

CREATE FUNCTION segmentation.reference_households(reference text, fields text[], largest integer DEFAULT 20)
RETURNS TABLE (customer bigint, household bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  ws text := segmentation_internal.reference_checked(reference);
  known text[];
  parts text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT array_agg(c.value ->> 'field' ORDER BY c.at)
    FROM ONLY @ws@.reference AS g, jsonb_array_elements(g.rules -> 'comparisons') WITH ORDINALITY AS c (value, at)$q$)
  INTO known;
  IF coalesce(cardinality(fields), 0) = 0 OR NOT fields <@ known THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'fields of a household must be among those that are compared',
      HINT = format('They are %s.', array_to_string(known, ', '));
  END IF;
  parts := (SELECT string_agg(format('r.form[%s]', array_position(known, f)), ', ') FROM unnest(fields) AS f);
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH home AS (
      SELECT DISTINCT r.customer_id AS customer, ARRAY[@(parts)@] AS home
      FROM ONLY @ws@.record AS r
      WHERE r.customer_id IS NOT NULL AND array_position(ARRAY[@(parts)@], NULL) IS NULL),
    edge AS (SELECT min(h.customer) OVER (PARTITION BY h.home) AS a, h.customer AS b FROM home AS h),
    found AS MATERIALIZED (
      SELECT c.record AS customer, c.cluster AS household
      FROM (SELECT coalesce(array_agg(e.a), '{}') AS a, coalesce(array_agg(e.b), '{}') AS b,
              coalesce(array_agg(double precision '1'), '{}') AS strength
            FROM edge AS e) AS e
      CROSS JOIN LATERAL segmentation.match_clusters(e.a, e.b, e.strength, largest => $1) AS c)
    SELECT f.customer, f.household FROM found AS f
    UNION ALL
    SELECT DISTINCT r.customer_id, r.customer_id
    FROM ONLY @ws@.record AS r
    WHERE r.customer_id IS NOT NULL AND NOT EXISTS (SELECT FROM found AS f WHERE f.customer = r.customer_id)
    ORDER BY 2, 1$q$, jsonb_build_object('parts', parts)) USING largest;
END
$$;
COMMENT ON FUNCTION segmentation.reference_households(text, text[], integer) IS
  'Customers of a reference by household: those who agree in all of some fields, such as last name, address and '
  'postcode. A household is called by its least customer; none has more than largest.';
