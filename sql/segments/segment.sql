-- Segments as definitions: who is what, written as JSON.

CREATE FUNCTION segmentation.segment_assign(definition jsonb, attributes jsonb, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'segment_assign_wrapper';
CREATE FUNCTION segmentation.segment_assign(definition jsonb, attributes record, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'segment_assign_record_wrapper';
COMMENT ON FUNCTION segmentation.segment_assign(jsonb, jsonb, date) IS
  'The segment of a customer whose attributes are a JSON object: the first that matches, else the default, else NULL. '
  'Kinds of definition: rules, scorecard, nearest, benefits. as_of is needed if a condition is relative to it; events '
  'after it do not count.';
COMMENT ON FUNCTION segmentation.segment_assign(jsonb, record, date) IS
  'The segment of a customer whose attributes are the columns of a row, as to_jsonb writes them, but that char(n) and '
  'citext compare as in SQL: without trailing blanks, whatever the case.';

CREATE FUNCTION segmentation.segment_memberships(definition jsonb, attributes jsonb, as_of date DEFAULT NULL)
  RETURNS text[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'segment_memberships_wrapper';
CREATE FUNCTION segmentation.segment_memberships(definition jsonb, attributes record, as_of date DEFAULT NULL)
  RETURNS text[]
  LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'segment_memberships_record_wrapper';
COMMENT ON FUNCTION segmentation.segment_memberships(jsonb, jsonb, date) IS
  'All segments of a customer, in the order of the definition: several if it says "match": "all", else at most one; '
  'the default if there is none.';
COMMENT ON FUNCTION segmentation.segment_memberships(jsonb, record, date) IS
  'All segments of a customer whose attributes are the columns of a row.';

CREATE FUNCTION segmentation.segment_explain(definition jsonb, attributes jsonb, as_of date DEFAULT NULL) RETURNS jsonb
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'segment_explain_wrapper';
CREATE FUNCTION segmentation.segment_explain(definition jsonb, attributes record, as_of date DEFAULT NULL) RETURNS jsonb
  LANGUAGE c STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'segment_explain_record_wrapper';
COMMENT ON FUNCTION segmentation.segment_explain(jsonb, jsonb, date) IS
  'Why a customer is in the segment: every condition with the value that it read and its result; points, distances, '
  'confidence and what would change the answer.';
COMMENT ON FUNCTION segmentation.segment_explain(jsonb, record, date) IS
  'Why a customer whose attributes are the columns of a row is in the segment.';

-- Attributes as a literal are a JSON object: without these a call with literals could mean that or a row.
CREATE FUNCTION segmentation.segment_assign(definition jsonb, attributes text, as_of date DEFAULT NULL) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation.segment_assign(definition, attributes::jsonb, as_of);
CREATE FUNCTION segmentation.segment_memberships(definition jsonb, attributes text, as_of date DEFAULT NULL)
  RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation.segment_memberships(definition, attributes::jsonb, as_of);
CREATE FUNCTION segmentation.segment_explain(definition jsonb, attributes text, as_of date DEFAULT NULL) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation.segment_explain(definition, attributes::jsonb, as_of);
COMMENT ON FUNCTION segmentation.segment_assign(jsonb, text, date) IS
  'The segment of a customer whose attributes are a JSON object, written as text.';
COMMENT ON FUNCTION segmentation.segment_memberships(jsonb, text, date) IS
  'All segments of a customer whose attributes are a JSON object, written as text.';
COMMENT ON FUNCTION segmentation.segment_explain(jsonb, text, date) IS
  'Why a customer whose attributes are a JSON object, written as text, is in the segment.';

CREATE FUNCTION segmentation.segment_check(definition jsonb) RETURNS TABLE (path text, fault text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'segment_check_wrapper';
COMMENT ON FUNCTION segmentation.segment_check(jsonb) IS
  'Every fault of a definition, with its JSON path; no rows if there is none.';
CREATE FUNCTION segmentation.segment_codes(definition jsonb) RETURNS text[]
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_codes_wrapper';
COMMENT ON FUNCTION segmentation.segment_codes(jsonb) IS
  'The codes that a definition can return, in its order, the default last.';
CREATE FUNCTION segmentation_internal.segment_conditions(definition jsonb)
  RETURNS TABLE (place integer, segment text, whole boolean, path text, condition text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'segment_conditions_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_conditions(jsonb) IS
  'The conditions of a definition in words, with their JSON paths; whole: the whole condition of a segment, and not a '
  'part of it.';
CREATE FUNCTION segmentation_internal.segment_truths(definition jsonb, attributes jsonb, as_of date DEFAULT NULL)
  RETURNS boolean[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 40 AS 'MODULE_PATHNAME', 'segment_truths_wrapper';
CREATE FUNCTION segmentation_internal.segment_truths(definition jsonb, attributes record, as_of date DEFAULT NULL)
  RETURNS boolean[]
  LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'segment_truths_record_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_truths(jsonb, jsonb, date) IS
  'For each row of segment_conditions, by its place, whether the condition holds: true, false or NULL (unknown).';
COMMENT ON FUNCTION segmentation_internal.segment_truths(jsonb, record, date) IS
  'For each row of segment_conditions, by its place, whether the condition holds of a row.';

CREATE FUNCTION segmentation_internal.row_attributes("row" record) RETURNS jsonb
  LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'row_attributes_wrapper';
COMMENT ON FUNCTION segmentation_internal.row_attributes(record) IS
  'A row as an object, as to_jsonb writes it, but for char(n): without trailing blanks.';

CREATE FUNCTION segmentation_internal.segment_reads(definition jsonb)
  RETURNS TABLE (path text, field text[], events text[], read_as text, texts text[])
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'segment_reads_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_reads(jsonb) IS
  'Where a definition reads a field: its JSON path, the keys of the field (events: of events in that list), what it is '
  'read as (number, text, boolean, day, list, any), and the texts that it is compared with by equality.';

CREATE FUNCTION segmentation_internal.segment_next_day(
  definition jsonb, attributes jsonb, as_of date, clocks text[] DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'segment_next_day_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_next_day(jsonb, jsonb, date, text[]) IS
  'The first day after as_of on which a customer may be in another segment although nothing new is known of them, but '
  'for clocks: fields that grow by one a day. NULL: never. It may be early, not late.';

CREATE FUNCTION segmentation.segment_date(text) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_date_wrapper';
COMMENT ON FUNCTION segmentation.segment_date(text) IS
  'The day of a text that begins with one, yyyy-mm-dd, alone or followed by a time; NULL for any other text. Used by '
  'the SQL of segment_sql.';

-- As SQL

CREATE FUNCTION segmentation_internal.segment_sql(
  definition jsonb, as_of date, columns jsonb, alias text, attributes text, memberships boolean
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_sql_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_sql(jsonb, date, jsonb, text, text, boolean) IS
  'The definition as an SQL expression, over columns given as an object of classes by name (see segment_columns) or, '
  'if that is NULL, over the jsonb column attributes.';

CREATE FUNCTION segmentation_internal.segment_columns(relation regclass) RETURNS jsonb
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT jsonb_object_agg(a.attname,
      CASE
        WHEN a.atttypid = 'boolean'::regtype THEN 'boolean'
        WHEN a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN 'integer'
        WHEN a.atttypid = 'numeric'::regtype THEN 'numeric'
        WHEN a.atttypid IN ('real'::regtype, 'double precision'::regtype) THEN 'float'
        WHEN a.atttypid IN ('text'::regtype, 'character varying'::regtype)
          AND (SELECT c.collisdeterministic FROM pg_catalog.pg_collation AS c WHERE c.oid = a.attcollation) THEN 'text'
        WHEN a.atttypid = 'date'::regtype THEN 'date'
        WHEN b.oid = 'character'::regtype THEN 'char'
        WHEN b.typname = 'citext' THEN 'citext'
        ELSE 'other'
      END)
    FROM pg_catalog.pg_attribute AS a
    CROSS JOIN LATERAL (
      WITH RECURSIVE d AS (
        SELECT t.oid, t.typname, t.typtype, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid
        UNION ALL
        SELECT t.oid, t.typname, t.typtype, t.typbasetype
        FROM d JOIN pg_catalog.pg_type AS t ON d.typtype = 'd' AND t.oid = d.typbasetype)
      SELECT d.oid, d.typname FROM d WHERE d.typtype <> 'd') AS b
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION segmentation_internal.segment_columns(regclass) IS
  'The columns of a relation by class, as segment_sql needs them.';

CREATE FUNCTION segmentation.segment_sql(
  definition jsonb, as_of date DEFAULT NULL, attributes name DEFAULT 'attributes', memberships boolean DEFAULT false
) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation_internal.segment_sql($1, $2, NULL::jsonb, NULL::text, $3::text, $4);
COMMENT ON FUNCTION segmentation.segment_sql(jsonb, date, name, boolean) IS
  'The definition as one SQL expression over a jsonb column: its value is that of segment_assign, or of '
  'segment_memberships, on every row. Names and values are quoted. Kinds rules and scorecard.';
CREATE FUNCTION segmentation.segment_sql(
  definition jsonb, relation regclass, as_of date DEFAULT NULL, alias name DEFAULT NULL,
  memberships boolean DEFAULT false
) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN segmentation_internal.segment_sql(
    $1, $3, coalesce(segmentation_internal.segment_columns($2), '{}'), $4::text, NULL::text, $5);
COMMENT ON FUNCTION segmentation.segment_sql(jsonb, regclass, date, name, boolean) IS
  'The definition as one SQL expression over the columns of a relation: its value is that of segment_assign on the '
  'row.';
CREATE FUNCTION segmentation.segment_sql(definition jsonb, relation text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE WHEN relation ~ '^\d{4}-\d\d-\d\d$' THEN segmentation.segment_sql(definition, relation::date)
    ELSE segmentation.segment_sql(definition, relation::regclass) END;
COMMENT ON FUNCTION segmentation.segment_sql(jsonb, text) IS
  'The definition as one SQL expression over the columns of a relation, or, where the text is a date, over a jsonb '
  'column at that day.';

-- Before it is used: how many, where, and with whom in common

-- A field that no row has is unknown everywhere: mostly a slip. What is unknown on purpose is named in unknown_fields.
CREATE FUNCTION segmentation_internal.segment_refuse_unknown(definition jsonb, relation regclass) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known constant text[] := ARRAY(
    SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped);
  faults text;
BEGIN
  SELECT string_agg(concat(r.path, ': ', format('the relation has no column "%s"', left(r.name, 200)),
      ', do you mean "' || segmentation_internal.nearest_name(r.name, known) || '"?'), E'\n' ORDER BY r.place)
    INTO faults
  FROM (
    SELECT DISTINCT ON (s.field[1]) s.path, s.field[1] AS name, s.place
    FROM segmentation_internal.segment_reads(definition) WITH ORDINALITY
      AS s (path, field, events, read_as, texts, place)
    WHERE s.events IS NULL AND s.field[1] <> ALL (known)
      AND NOT coalesce(definition -> 'unknown_fields', '[]') ? s.field[1]
    ORDER BY s.field[1], s.place) AS r;
  IF faults IS NOT NULL THEN
    RAISE undefined_column USING
      MESSAGE = format('the definition reads what relation %s does not have', relation),
      DETAIL = faults,
      HINT = 'Name in "unknown_fields" of the definition what is unknown on purpose.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.segment_refuse_unknown(jsonb, regclass) IS
  'Part of segment_preview and the like: an error that names the fields of a definition that a relation does not have.';

CREATE FUNCTION segmentation.segment_preview(
  definition jsonb, relation regclass, as_of date DEFAULT NULL, consents jsonb DEFAULT '{}'
) RETURNS TABLE (
  path text, segment text, condition text, customers bigint, share numeric, unknown bigint, reachable jsonb
)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  reach text;
BEGIN
  IF definition IS NULL OR relation IS NULL THEN RETURN; END IF;
  IF jsonb_typeof(consents) IS DISTINCT FROM 'object'
     OR EXISTS (SELECT FROM jsonb_each(consents) AS c WHERE jsonb_typeof(c.value) <> 'string') THEN
    RAISE EXCEPTION 'consents must be an object of column names by channel'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For instance {"email": "email_consent"}.';
  END IF;
  PERFORM segmentation_internal.segment_refuse_unknown(definition, relation);
  SELECT segmentation_internal.object_sql(coalesce(array_agg(c.key ORDER BY c.key), '{}'),
      coalesce(array_agg(format('to_jsonb(("segmentation row".%I)::boolean)', c.value) ORDER BY c.key), '{}'))
    INTO reach
  FROM jsonb_each_text(consents) AS c;
  RETURN QUERY EXECUTE segmentation_internal.fill(NULL, $query$
    WITH customer AS MATERIALIZED (
      SELECT segmentation.segment_memberships($1, "segmentation row", $2) AS segments,
             segmentation_internal.segment_truths($1, "segmentation row", $2) AS truths,
             @(consent)@ AS consent
      FROM @(relation)@ AS "segmentation row"
    ), n AS (SELECT count(*) AS customers FROM customer),
    item AS (
      SELECT 0 AS part, s.place::integer AS place, NULL::text AS path, s.segment, NULL::text AS condition
      FROM unnest(segmentation.segment_codes($1)) WITH ORDINALITY AS s (segment, place)
      UNION ALL SELECT 0, 1000000, NULL, NULL, NULL
      UNION ALL SELECT 1, c.place, c.path, c.segment, c.condition FROM segmentation_internal.segment_conditions($1) AS c
    ), hit AS (
      SELECT 0 AS part, s.segment, NULL::integer AS place, true AS holds, consent
      FROM customer
      CROSS JOIN LATERAL unnest(CASE WHEN segments = '{}' THEN ARRAY[NULL::text] ELSE segments END) AS s (segment)
      UNION ALL
      SELECT 1, NULL, t.place::integer, t.holds, consent
      FROM customer CROSS JOIN LATERAL unnest(truths) WITH ORDINALITY AS t (holds, place)
      WHERE t.holds IS DISTINCT FROM false
    ), counted AS (
      SELECT h.part, h.segment, h.place, count(*) FILTER (WHERE h.holds) AS customers,
        count(*) FILTER (WHERE h.holds IS NULL) AS unknown
      FROM hit AS h GROUP BY h.part, h.segment, h.place
    ), reached AS (
      SELECT k.part, k.segment, k.place, jsonb_object_agg(k.channel, k.customers) AS reachable
      FROM (SELECT h.part, h.segment, h.place, e.key AS channel,
              count(*) FILTER (WHERE h.holds AND e.value = 'true'::jsonb) AS customers
            FROM hit AS h CROSS JOIN LATERAL jsonb_each(h.consent) AS e GROUP BY 1, 2, 3, 4) AS k
      GROUP BY k.part, k.segment, k.place
    )
    SELECT i.path, i.segment, i.condition, coalesce(c.customers, 0),
           round(coalesce(c.customers, 0)::numeric / nullif(n.customers, 0), 4), coalesce(c.unknown, 0),
           coalesce(k.reachable,
             CASE WHEN $3 <> '{}' THEN (SELECT jsonb_object_agg(e.key, 0) FROM jsonb_each($3) AS e) END)
    FROM item AS i CROSS JOIN n
    LEFT JOIN counted AS c ON c.part = i.part
      AND CASE i.part WHEN 0 THEN c.segment IS NOT DISTINCT FROM i.segment ELSE c.place = i.place END
    LEFT JOIN reached AS k ON k.part = i.part
      AND CASE i.part WHEN 0 THEN k.segment IS NOT DISTINCT FROM i.segment ELSE k.place = i.place END
    ORDER BY i.part, i.place
  $query$, jsonb_build_object('relation', relation, 'consent', reach)) USING definition, as_of, consents;
END
$$;
COMMENT ON FUNCTION segmentation.segment_preview(jsonb, regclass, date, jsonb) IS
  'How many rows of a relation fall into each segment (path NULL; segment NULL: into none), and for how many each '
  'condition is true or unknown. consents names boolean columns by channel, {"email": "email_consent"}: reachable '
  'counts by channel.';

CREATE FUNCTION segmentation.segment_overlap(definition jsonb, relation regclass, as_of date DEFAULT NULL)
RETURNS TABLE (
  a text, b text, in_a bigint, in_b bigint, in_both bigint, share_of_a numeric, share_of_b numeric, jaccard numeric,
  lift numeric
)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF definition IS NULL OR relation IS NULL THEN RETURN; END IF;
  PERFORM segmentation_internal.segment_refuse_unknown(definition, relation);
  RETURN QUERY EXECUTE format($query$
    WITH rule AS MATERIALIZED (
      SELECT c.segment, min(c.place) AS place, array_agg(c.place) AS places
      FROM segmentation_internal.segment_conditions($1) AS c WHERE c.whole AND c.segment IS NOT NULL GROUP BY c.segment
    ), customer AS MATERIALIZED (
      SELECT segmentation_internal.segment_truths($1, "segmentation row", $2) AS truths
      FROM %s AS "segmentation row"
    ), member AS MATERIALIZED (
      SELECT (SELECT array_agg(rule.segment) FROM rule
              WHERE EXISTS (SELECT FROM unnest(rule.places) AS p (place) WHERE customer.truths[p.place])) AS segments
      FROM customer
    ), n AS (SELECT count(*)::numeric AS customers FROM member),
    single AS (SELECT s.segment, count(*) AS customers FROM member CROSS JOIN unnest(segments) AS s (segment)
        GROUP BY s.segment),
    pair AS (
      SELECT s.segment AS a, t.segment AS b, count(*) AS customers
      FROM member CROSS JOIN unnest(segments) AS s (segment) CROSS JOIN unnest(segments) AS t (segment)
      GROUP BY s.segment, t.segment
    )
    SELECT x.segment, y.segment, coalesce(i.customers, 0), coalesce(j.customers, 0), coalesce(p.customers, 0),
           round(coalesce(p.customers, 0)::numeric / nullif(i.customers, 0), 4),
           round(coalesce(p.customers, 0)::numeric / nullif(j.customers, 0), 4),
           round(coalesce(p.customers, 0)::numeric
                   / nullif(i.customers + j.customers - coalesce(p.customers, 0), 0), 4),
           round(coalesce(p.customers, 0) * n.customers / nullif(i.customers::numeric * j.customers, 0), 4)
    FROM rule AS x JOIN rule AS y ON x.place < y.place CROSS JOIN n
    LEFT JOIN single AS i ON i.segment = x.segment LEFT JOIN single AS j ON j.segment = y.segment
    LEFT JOIN pair AS p ON p.a = x.segment AND p.b = y.segment
    ORDER BY coalesce(p.customers, 0) DESC, x.place, y.place
  $query$, relation) USING definition, as_of;
END
$$;
COMMENT ON FUNCTION segmentation.segment_overlap(jsonb, regclass, date) IS
  'For each pair of segments of a definition of kind rules, how many rows of a relation match both, whichever comes '
  'first: counts, shares, Jaccard (both over either) and lift (both over what chance would give).';

-- Lookalikes

CREATE FUNCTION segmentation_internal.lookalike_add(bytea, boolean, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'lookalike_add_wrapper';
CREATE FUNCTION segmentation_internal.lookalike_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'lookalike_merge_wrapper';
CREATE FUNCTION segmentation_internal.lookalike_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'lookalike_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.lookalike_add(bytea, boolean, jsonb) IS 'transition of fit_lookalike';
COMMENT ON FUNCTION segmentation_internal.lookalike_merge(bytea, bytea) IS 'combine function of fit_lookalike';
COMMENT ON FUNCTION segmentation_internal.lookalike_final(bytea) IS 'final function of fit_lookalike';
CREATE AGGREGATE segmentation.fit_lookalike(member boolean, features jsonb) (
  SFUNC = segmentation_internal.lookalike_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.lookalike_final,
  COMBINEFUNC = segmentation_internal.lookalike_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_lookalike(boolean, jsonb) IS
  'What tells members from others: a jsonb model (naive Bayes) over the numbers, texts and booleans of an object of '
  'features, the most telling first. Rows with a NULL are skipped. Without members or others, a value that says so and '
  'scores NULL.';
CREATE FUNCTION segmentation.lookalike_score(model jsonb, features jsonb) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'lookalike_score_wrapper';
COMMENT ON FUNCTION segmentation.lookalike_score(jsonb, jsonb) IS
  'How much a customer resembles the members: the sum over the features of ln(how much likelier the value is among '
  'members), each from -3 to 3. Above 0: rather like them.';
CREATE FUNCTION segmentation.lookalike_explain(model jsonb, features jsonb) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'lookalike_explain_wrapper';
COMMENT ON FUNCTION segmentation.lookalike_explain(jsonb, jsonb) IS
  'What each feature adds to the score, the most telling first.';

-- One question, unlike one group of many: that nothing can be said is an error.
CREATE FUNCTION segmentation_internal.lookalike_fitted(model jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF model -> 'features' = 'null' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = split_part(model #>> '{warnings,0,message}', '. ', 1),
      DETAIL = split_part(model #>> '{warnings,0,message}', '. ', 2);
  END IF;
  RETURN model;
END
$$;
COMMENT ON FUNCTION segmentation_internal.lookalike_fitted(jsonb) IS
  'Part of segment_lookalike: the model, or an error if there was too little data for one.';

CREATE FUNCTION segmentation.segment_lookalike(
  definition jsonb, segment text, relation regclass, key name, features name[], as_of date DEFAULT NULL,
  n integer DEFAULT 100
) RETURNS TABLE (rank bigint, key_value text, score double precision, reasons jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  object text;
BEGIN
  IF definition IS NULL OR segment IS NULL OR relation IS NULL OR key IS NULL OR features IS NULL OR n IS NULL THEN
    RETURN;
  END IF;
  features := array_remove(features, NULL);
  IF features = '{}' THEN
    RAISE EXCEPTION 'features must name at least one column' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  object := segmentation_internal.object_sql(features,
    ARRAY(SELECT format('to_jsonb("segmentation row".%I)', f.name)
          FROM unnest(features) WITH ORDINALITY AS f (name, place) ORDER BY f.place));
  RETURN QUERY EXECUTE segmentation_internal.fill(NULL, $query$
    WITH customer AS MATERIALIZED (
      SELECT "segmentation row".@key@::text AS key, @(features)@ AS features,
             $2 = ANY (segmentation.segment_memberships($1, "segmentation row", $3)) AS member
      FROM @(relation)@ AS "segmentation row"
    ), model AS MATERIALIZED (
      SELECT segmentation_internal.lookalike_fitted(segmentation.fit_lookalike(member, features)) AS model
      FROM customer),
    best AS (
      SELECT c.key, c.features, m.model, segmentation.lookalike_score(m.model, c.features) AS score
      FROM customer AS c CROSS JOIN model AS m WHERE NOT c.member
      ORDER BY score DESC, c.key COLLATE "C" LIMIT $4
    )
    SELECT row_number() OVER (ORDER BY b.score DESC, b.key COLLATE "C"), b.key, b.score,
           (SELECT coalesce(jsonb_agg(e.value ORDER BY e.place) FILTER (WHERE e.place <= 3), '[]')
            FROM jsonb_array_elements(segmentation.lookalike_explain(b.model, b.features))
              WITH ORDINALITY AS e (value, place)
            WHERE (e.value ->> 'adds')::numeric > 0)
    FROM best AS b ORDER BY 1
  $query$, jsonb_build_object('relation', relation, 'key', key, 'features', object))
    USING definition, segment, as_of, n;
END
$$;
COMMENT ON FUNCTION segmentation.segment_lookalike(jsonb, text, regclass, name, name[], date, integer) IS
  'The n rows of a relation outside a segment that most resemble its members on the named columns, with the three '
  'features that speak most for each.';

CREATE FUNCTION segmentation.segment_lookalike_quality(
  definition jsonb, segment text, relation regclass, key name, features name[], as_of date DEFAULT NULL
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  object text;
  quality jsonb;
BEGIN
  IF definition IS NULL OR segment IS NULL OR relation IS NULL OR key IS NULL OR features IS NULL THEN
    RETURN NULL;
  END IF;
  features := array_remove(features, NULL);
  IF features = '{}' THEN
    RAISE EXCEPTION 'features must name at least one column' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  object := segmentation_internal.object_sql(features,
    ARRAY(SELECT format('to_jsonb("segmentation row".%I)', f.name)
          FROM unnest(features) WITH ORDINALITY AS f (name, place) ORDER BY f.place));
  EXECUTE segmentation_internal.fill(NULL, $query$
    WITH customer AS MATERIALIZED (
      SELECT @(features)@ AS features,
             $2 = ANY (segmentation.segment_memberships($1, "segmentation row", $3)) AS member,
             hashtextextended("segmentation row".@key@::text, 0) % 2 = 0 AS held_out
      FROM @(relation)@ AS "segmentation row"
    ), model AS MATERIALIZED (
      SELECT segmentation_internal.lookalike_fitted(segmentation.fit_lookalike(member, features)) AS model
      FROM customer WHERE NOT held_out
    )
    SELECT segmentation.prediction_quality(1 / (1 + exp(-segmentation.lookalike_score(m.model, c.features))), c.member)
    FROM customer AS c CROSS JOIN model AS m WHERE c.held_out
  $query$, jsonb_build_object('relation', relation, 'key', key, 'features', object))
    INTO quality USING definition, segment, as_of;
  RETURN quality;
END
$$;
COMMENT ON FUNCTION segmentation.segment_lookalike_quality(jsonb, text, regclass, name, name[], date) IS
  'How well lookalikes are found: half of the rows, by a hash of the key, make the model, and prediction_quality says '
  'how well it finds the members in the other half (auc, lift). Its scores rank; they are no calibrated probabilities.';
