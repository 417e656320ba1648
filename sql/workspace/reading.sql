-- What becomes of the rows of the sources. Nothing vanishes: a row is used, or there is a reason.

CREATE TABLE segmentation.workspace_row_fault (
  kind text NOT NULL,
  place smallint NOT NULL,
  reason text NOT NULL,
  field text NOT NULL,
  condition text NOT NULL,
  refused boolean NOT NULL,
  PRIMARY KEY (kind, place)
);
COMMENT ON TABLE segmentation.workspace_row_fault IS
  'Why a row of a source is not used: conditions in order, the first that holds counts. Labels are in the domain '
  'row_reason.';
COMMENT ON COLUMN segmentation.workspace_row_fault.kind IS 'Kind of source.';
COMMENT ON COLUMN segmentation.workspace_row_fault.place IS 'Order.';
COMMENT ON COLUMN segmentation.workspace_row_fault.reason IS 'Code of the reason.';
COMMENT ON COLUMN segmentation.workspace_row_fault.field IS 'The field that is at fault.';
COMMENT ON COLUMN segmentation.workspace_row_fault.condition IS
  'SQL over a row r of the source by fields; @(no_customer)@ depends on the type of the key.';
COMMENT ON COLUMN segmentation.workspace_row_fault.refused IS
  'Whether the row is wrong, so that it stops a refresh unless the setting bad_rows is skip; else something is not '
  'known, and it is counted and left out.';

INSERT INTO segmentation.workspace_row_fault (kind, place, reason, field, condition, refused)
SELECT f.kind, 10 * f.place + v.place, v.reason, f.field, replace(v.condition, '$', format('r.%I', f.field)), v.refused
FROM segmentation.workspace_field AS f
JOIN (VALUES
  -- type, required (NULL: either), kinds that read it so
  (1, 'key', true, NULL::text[], 'no_customer', '@(no_customer)@', false),
  (1, 'day', true, NULL, 'no_day', '$ IS NULL', false),
  (1, 'instant', true, NULL, 'no_day', '$ IS NULL', false),
  (2, 'day', true, '{purchases,purchase_lines,consents,subscriptions}', 'day_out_of_range',
    $$NOT isfinite($) OR $ NOT BETWEEN '0001-01-01' AND '9999-12-31'$$, true),
  (2, 'day', true, '{attribute_history}', 'day_out_of_range', 'NOT isfinite($)', false),
  (2, 'instant', true, NULL, 'day_out_of_range',
    $$NOT isfinite($) OR $ NOT BETWEEN '0001-01-02' AND '9999-12-30'$$, true),
  (1, 'number', true, NULL, 'no_amount', '$ IS NULL', false),
  (2, 'number', NULL, '{purchases,purchase_lines}', 'not_finite',
    $$$::numeric IN ('NaN', 'Infinity', '-Infinity')$$, true),
  (3, 'number', NULL, '{purchases,purchase_lines}', 'amount_out_of_range', 'abs($::numeric) >= 9e14', true)
) AS v (place, type, required, kinds, reason, condition, refused)
  ON v.type = f.type AND f.required = coalesce(v.required, f.required) AND (v.kinds IS NULL OR f.kind = ANY (v.kinds));
INSERT INTO segmentation.workspace_row_fault (kind, place, reason, field, condition, refused) VALUES
  ('purchase_lines', 101, 'name_out_of_range', 'product', 'octet_length(r.product) NOT BETWEEN 1 AND 1000', true),
  ('products', 101, 'no_name', 'product', 'r.product IS NULL', false),
  ('attribute_history', 101, 'no_name', 'attribute', 'r.attribute IS NULL', false),
  ('contacts', 101, 'no_name', 'channel', $$coalesce(btrim(r.channel), '') = ''$$, false),
  ('contacts', 102, 'name_out_of_range', 'channel', 'octet_length(btrim(r.channel)) > 200', true),
  ('contacts', 103, 'unknown_response', 'response',
    $$NOT r.response IN ('none', 'open', 'click', 'reply', 'visit', 'purchase', 'response', 'unsubscribe', 'complaint',
      'bounce')$$, true),
  ('consents', 101, 'no_name', 'channel', $$coalesce(btrim(r.channel), '') = ''$$, false),
  ('consents', 102, 'name_out_of_range', 'channel', 'octet_length(btrim(r.channel)) > 200', true),
  ('interactions', 101, 'no_name', 'kind', $$coalesce(btrim(r.kind), '') = ''$$, false),
  ('interactions', 102, 'name_out_of_range', 'kind', 'octet_length(r.kind) > 200', true);

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'row_reason', v.code, t.language, t.label
FROM (VALUES
  ('used', 'used', 'utilisées'),
  ('ahead', 'dated after the published day', 'datées d''après le jour publié'),
  ('no_customer', 'without a customer', 'sans client'),
  ('no_day', 'without a day', 'sans date'),
  ('no_amount', 'without an amount', 'sans montant'),
  ('no_name', 'without a name', 'sans nom'),
  ('day_out_of_range', 'with a day out of range', 'à la date hors limites'),
  ('not_finite', 'with a number that is none', 'au nombre qui n''en est pas un'),
  ('amount_out_of_range', 'with a number out of range', 'au nombre hors limites'),
  ('name_out_of_range', 'with a name that is too long', 'au nom trop long'),
  ('unknown_response', 'with an unknown response', 'à la réponse inconnue')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

-- The first reason that holds for a row r of a kind, or NULL, as SQL; wrong: only those that a refresh refuses.
CREATE FUNCTION segmentation_internal.workspace_row_fault_sql(kind text, key regtype, wrong boolean) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(NULL, format('CASE %s END',
        string_agg(format('WHEN %s THEN %L', f.condition, f.reason), ' ' ORDER BY f.place)),
      CASE WHEN bool_or(f.reason = 'no_customer') THEN jsonb_build_object('no_customer',
        CASE WHEN key = ANY ('{text,varchar}'::regtype[]) THEN $$coalesce(btrim(r.customer), '') = ''$$
          ELSE 'r.customer IS NULL' END) ELSE '{}' END)
    FROM segmentation.workspace_row_fault AS f
    WHERE f.kind = workspace_row_fault_sql.kind AND (f.refused OR NOT wrong));
COMMENT ON FUNCTION segmentation_internal.workspace_row_fault_sql(text, regtype, boolean) IS
  'Part of refresh: why a row r of a kind of source is not used, as SQL.';

-- All rows of one source by fields, also those without a customer.
CREATE FUNCTION segmentation_internal.workspace_source_rows_sql(ws text, source integer) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  w record;
  s record;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype AS key FROM %s.workspace AS w', ws) INTO w;
  EXECUTE format('SELECT s.* FROM %s.source AS s WHERE s.source = $1', ws) INTO s USING source;
  RETURN segmentation_internal.fill(NULL, '(SELECT @(columns)@ FROM @(relation)@ AS s)', jsonb_build_object(
    'columns', segmentation_internal.workspace_source_columns(
      s.kind, s.relation, s.mapping, w.key, s.time_zone, false),
    'relation', s.relation));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_source_rows_sql(text, integer) IS
  'Part of refresh: all rows of a source by fields, as SQL.';

-- Reconciles: of each source, how many rows are used, and how many are not for which reason; with their turnover, so
-- that the parts add up to what the source has. Returns it in words.
CREATE FUNCTION segmentation_internal.workspace_reconcile(ws text, as_of date) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  s record;
  day text;
  said text;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype FROM %s.workspace AS w', ws) INTO key;
  EXECUTE format('DELETE FROM %s.source_reading', ws);
  FOR s IN EXECUTE format('SELECT o.source, o.kind FROM %s.source AS o ORDER BY o.source', ws) LOOP
    day := (
      SELECT CASE f.type WHEN 'instant' THEN format('r.%I::date', f.field) ELSE format('r.%I', f.field) END
      FROM segmentation.workspace_field AS f
      WHERE f.kind = s.kind AND f.type IN ('day', 'instant') AND f.required ORDER BY f.place LIMIT 1);
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.source_reading (source, reason, rows, turnover)
      SELECT @(source)@, v.reason, count(*), @(turnover)@
      FROM (
        SELECT r.*, coalesce(@(fault)@, CASE WHEN @(ahead)@ THEN 'ahead' END, 'used') AS reason
        FROM @(rows)@ AS r) AS v
      GROUP BY v.reason$q$,
      jsonb_build_object('source', s.source,
        'fault', coalesce(segmentation_internal.workspace_row_fault_sql(s.kind, key, false), 'NULL'),
        'ahead', CASE WHEN day IS NULL THEN 'false' ELSE format('%s > %L::date', day, as_of) END,
        'turnover', CASE WHEN s.kind IN ('purchases', 'purchase_lines')
          THEN $t$sum(CASE WHEN NOT v.reason IN ('not_finite', 'amount_out_of_range') THEN v.amount::numeric END)$t$
          ELSE 'NULL::numeric' END,
        'rows', segmentation_internal.workspace_source_rows_sql(ws, s.source)));
  END LOOP;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT string_agg(segmentation_internal.workspace_say(
      'log.left_out', jsonb_build_object('rows', v.left_out, 'kind', v.kind),
      segmentation_internal.workspace_language(@'schema'@)), ', ' ORDER BY v.kind)
    FROM (
      SELECT s.kind, sum(r.rows) AS left_out
      FROM @ws@.source_reading AS r JOIN @ws@.source AS s ON s.source = r.source
      WHERE NOT r.reason IN ('used', 'ahead') GROUP BY s.kind) AS v$q$, jsonb_build_object('schema', ws))
    INTO said;
  RETURN said;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_reconcile(text, date) IS
  'Part of refresh: counts the rows of each source by what becomes of them, into source_reading; in words what is left '
  'out.';

-- What was read, of one source, in words: for workspace_check.
CREATE FUNCTION segmentation_internal.workspace_reading_words(ws text, source integer, language text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT string_agg(format('%s %s%s', segmentation_internal.workspace_number_words(v.rows::text, $2), v.label, CASE
        WHEN v.turnover IS NULL OR v.reason = 'used' OR v.whole = 0 OR round(100 * v.turnover / v.whole, 1) = 0 THEN ''
        ELSE format(' (%s %%)', segmentation_internal.workspace_number_words(
          trim_scale(round(100 * v.turnover / v.whole, 1))::text, $2)) END),
      ', ' ORDER BY v.reason <> 'used', v.rows DESC, v.reason)
    FROM (
      SELECT r.reason, r.rows, r.turnover, sum(r.turnover) OVER () AS whole,
        segmentation.label('row_reason', r.reason, $2) AS label
      FROM ONLY @ws@.source_reading AS r WHERE r.source = $1) AS v$q$)
    INTO said USING source, language;
  RETURN CASE language WHEN 'fr' THEN 'lignes : ' ELSE 'rows: ' END || said;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_reading_words(text, integer, text) IS
  'Part of workspace_check: how many rows of a source were used, and why others were not, with their share of '
  'turnover.';

-- The first row of the sources of some kinds that is wrong, in words; NULL if none is found.
CREATE FUNCTION segmentation_internal.workspace_first_fault(ws text, kinds text[]) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  s record;
  found record;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype FROM %s.workspace AS w', ws) INTO key;
  FOR s IN EXECUTE format(
    'SELECT o.source, o.kind, o.relation, o.mapping FROM %s.source AS o WHERE o.kind = ANY ($1) ORDER BY o.source', ws)
    USING kinds
  LOOP
    CONTINUE WHEN segmentation_internal.workspace_row_fault_sql(s.kind, key, true) IS NULL;
    EXECUTE segmentation_internal.fill(NULL, $q$
      SELECT to_jsonb(v) AS row
      FROM (SELECT r.*, @(fault)@ AS "row fault" FROM @(rows)@ AS r) AS v
      WHERE v."row fault" IS NOT NULL AND v.customer IS NOT NULL LIMIT 1$q$,
      jsonb_build_object('fault', segmentation_internal.workspace_row_fault_sql(s.kind, key, true),
        'rows', segmentation_internal.workspace_source_rows_sql(ws, s.source)))
      INTO found;
    IF found.row IS NOT NULL THEN
      RETURN (
        SELECT format('In %s, customer %s: column "%s" is %s.', s.relation, found.row ->> 'customer',
          s.mapping ->> f.field, left(found.row ->> f.field, 60))
        FROM segmentation.workspace_row_fault AS f
        WHERE f.kind = s.kind AND f.reason = found.row ->> 'row fault' AND s.mapping ? f.field
        ORDER BY f.place LIMIT 1);
    END IF;
  END LOOP;
  RETURN NULL;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_first_fault(text, text[]) IS
  'Part of refresh: where the first wrong row of some kinds of sources is.';
