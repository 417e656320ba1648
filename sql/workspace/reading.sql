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
    $$$ NOT BETWEEN '0001-01-01' AND '9999-12-31'$$, true),
  (2, 'day', true, '{attribute_history}', 'day_out_of_range', 'NOT isfinite($)', false),
  (2, 'instant', true, NULL, 'day_out_of_range',
    $$$ NOT BETWEEN '0001-01-02' AND '9999-12-30'$$, true),
  (1, 'number', true, NULL, 'no_amount', '$ IS NULL', false),
  (2, 'number', NULL, '{purchases,purchase_lines}', 'not_finite',
    $$abs($::numeric) >= 'Infinity'$$, true),
  (3, 'number', NULL, '{purchases,purchase_lines}', 'amount_out_of_range', 'abs($::numeric) >= 9e14', true)
) AS v (place, type, required, kinds, reason, condition, refused)
  ON v.type = f.type AND f.required = coalesce(v.required, f.required) AND (v.kinds IS NULL OR f.kind = ANY (v.kinds));
INSERT INTO segmentation.workspace_row_fault (kind, place, reason, field, condition, refused) VALUES
  ('purchases', 25, 'no_rate', 'currency', 'r.currency IS NOT NULL', true),
  ('purchase_lines', 25, 'no_rate', 'currency', 'r.currency IS NOT NULL', true),
  ('purchase_lines', 101, 'name_out_of_range', 'product', 'octet_length(r.product) NOT BETWEEN 1 AND 1000', true),
  ('products', 101, 'no_name', 'product', 'r.product IS NULL', false),
  ('people', 101, 'no_name', 'person', $$coalesce(btrim(r.person), '') = ''$$, false),
  ('sites', 101, 'no_name', 'site', $$coalesce(btrim(r.site), '') = ''$$, false),
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
  ('cancelled', 'of orders cancelled or sent back whole', 'de commandes annulées ou retournées en entier'),
  ('ahead', 'dated after the published day', 'datées d''après le jour publié'),
  ('filtered', 'left out by the filter', 'écartées par le filtre'),
  ('no_product', 'of what is no product', 'de ce qui n''est pas un produit'),
  ('no_customer', 'without a customer', 'sans client'),
  ('no_day', 'without a day', 'sans date'),
  ('no_amount', 'without an amount', 'sans montant'),
  ('no_rate', 'in a currency without a rate', 'dans une devise sans cours'),
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

-- All rows of one source by fields, also those without a customer: as they are given, and with their money in the
-- workspace's currency.
CREATE FUNCTION segmentation_internal.workspace_given_rows_sql(ws text, source integer, several boolean) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  w record;
  s record;
BEGIN
  EXECUTE format('SELECT w.key_type::regtype AS key FROM %s.workspace AS w', ws) INTO w;
  EXECUTE format('SELECT s.* FROM %s.source AS s WHERE s.source = $1', ws) INTO s USING source;
  RETURN segmentation_internal.fill(NULL, '(SELECT @(columns)@ FROM @(relation)@ AS s)', jsonb_build_object(
    'columns', segmentation_internal.workspace_source_columns(
      s.kind, s.relation, s.mapping, w.key, s.time_zone, several),
    'relation', segmentation_internal.workspace_read(s.kind, s.relation, s.mapping)));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_given_rows_sql(text, integer, boolean) IS
  'Part of refresh: all rows of a source by fields, as SQL.';
CREATE FUNCTION segmentation_internal.workspace_source_rows_sql(
  ws text, source integer, several boolean DEFAULT false
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text;
BEGIN
  EXECUTE format('SELECT s.kind FROM %s.source AS s WHERE s.source = $1', ws) INTO kind USING source;
  RETURN '(' || segmentation_internal.workspace_money_sql(ws, kind,
    'SELECT r.* FROM ' || segmentation_internal.workspace_given_rows_sql(ws, source, several) || ' AS r', false) || ')';
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_source_rows_sql(text, integer, boolean) IS
  'Part of refresh: all rows of a source by fields, with their money in the workspace''s currency, as SQL.';

-- Rows that make orders are dated as these: what is sent back after the published day is taken off an order before it.
-- And those of an order that was cancelled say so. Only rows that this may touch are looked at: the orders of what was
-- sent back or is dated ahead; and what a refund that names no order may take away, which is of its day where a row of
-- purchases is an order, and else anything of the customer.
CREATE FUNCTION segmentation_internal.workspace_reconcile_orders(ws text, as_of date, key regtype) RETURNS void
  -- Rows of a source are expected by statistics that may be of before them: no loop in a loop, no sort of them all.
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off AS $$
DECLARE
  of_kind text;
  rows text;
  by_day boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT min(s.kind), '(' || string_agg(format(
        'SELECT r.*, %s AS source FROM %s AS r WHERE (%s) IS NULL', s.source,
        segmentation_internal.workspace_source_rows_sql($1, s.source, true),
        segmentation_internal.workspace_row_fault_sql(s.kind, $2, false)), ' UNION ALL ' ORDER BY s.source) || ')'
    FROM @ws@.source AS s
    -- Of lines where there are no purchases.
    WHERE s.kind = (
      SELECT max(k.kind COLLATE "C") FROM @ws@.source AS k WHERE k.kind IN ('purchases', 'purchase_lines'))$q$)
    INTO of_kind, rows USING ws, key;
  IF of_kind IS NULL THEN
    RETURN;
  END IF;
  by_day := of_kind = 'purchases' AND segmentation_internal.workspace_netted(ws) <> 'all';
  EXECUTE segmentation_internal.fill(ws, $q$
    WITH back AS MATERIALIZED (
      SELECT r.customer, r.purchased_on, @(number)@ AS number, r.amount < 0 AND NULLIF(r.refund_of, '') IS NULL AS loose
      FROM @(rows)@ AS r
      WHERE r.amount < 0 OR r.purchased_on > @'as_of'@),
    touched AS MATERIALIZED (
      SELECT r.*, r.amount::numeric AS amount_of, r.purchased_on AS purchased_on_of
      FROM @(rows)@ AS r
      LEFT JOIN (SELECT DISTINCT b.customer, b.number FROM back AS b) AS n
        ON n.customer = r.customer AND n.number = @(number)@
      LEFT JOIN (SELECT DISTINCT @(near)@ FROM back AS r WHERE r.loose) AS b ON (@(of_refund)@) = (@(near)@)
      WHERE n.customer IS NOT NULL OR b.customer IS NOT NULL)
    INSERT INTO @ws@.source_reading AS s (source, reason, rows, turnover)
    SELECT m.source, v.reason, sum(v.rows), sum(v.rows * m.amount)
    FROM (@(orders)@) AS o
    CROSS JOIN LATERAL unnest(o.source, o.amount_of, o.purchased_on_of) AS m (source, amount, purchased_on)
    CROSS JOIN LATERAL (VALUES
      (CASE
          WHEN o.purchased_on > @'as_of'@ THEN 'ahead'
          -- What was free from the start was not cancelled.
          WHEN NOT o.purchase AND o.amount = 0 AND 0 <> ANY (o.amount_of) THEN 'cancelled'
          ELSE 'used' END, 1),
      (CASE WHEN m.purchased_on > @'as_of'@ THEN 'ahead' ELSE 'used' END, -1)) AS v (reason, rows)
    GROUP BY m.source, v.reason
    HAVING sum(v.rows) <> 0 OR sum(v.rows * m.amount) <> 0
    ON CONFLICT (source, reason) DO UPDATE
    SET rows = s.rows + excluded.rows, turnover = s.turnover + excluded.turnover;
    DELETE FROM @ws@.source_reading AS s WHERE s.rows = 0$q$,
    jsonb_build_object('as_of', as_of, 'rows', rows,
      'number', segmentation_internal.workspace_number_sql(),
      'near', CASE WHEN by_day THEN 'r.customer, r.purchased_on' ELSE 'r.customer' END,
      'of_refund', CASE WHEN by_day THEN 'b.customer, b.purchased_on' ELSE 'b.customer' END,
      'orders', segmentation_internal.workspace_orders_of(
        ws, of_kind, 'touched', '{source,amount_of,purchased_on_of}')));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_reconcile_orders(text, date, regtype) IS
  'Part of refresh: what becomes of rows by what their order came to, into source_reading.';

-- What the filter of a source leaves out. Its amounts need not be numbers: then they have no turnover.
CREATE FUNCTION segmentation_internal.workspace_reconcile_filtered(ws text, source integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
  left_out bigint;
  turnover numeric;
BEGIN
  EXECUTE format('SELECT o.kind, o.relation, o.mapping FROM %s.source AS o WHERE o.source = $1', ws)
    INTO s USING source;
  IF NOT s.mapping ? 'where' THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(NULL, 'SELECT count(*) FROM @(rows)@ AS r', jsonb_build_object(
    'rows', segmentation_internal.workspace_read(s.kind, s.relation, s.mapping, false))) INTO left_out;
  IF s.kind IN ('purchases', 'purchase_lines') THEN
    BEGIN
      EXECUTE segmentation_internal.fill(NULL, 'SELECT sum(r.amount::numeric) FROM @(rows)@ AS r', jsonb_build_object(
        'rows', segmentation_internal.workspace_read(s.kind, s.relation, s.mapping, false))) INTO turnover;
    EXCEPTION WHEN data_exception THEN
      turnover := NULL;
    END;
  END IF;
  IF left_out > 0 THEN
    EXECUTE format('INSERT INTO %s.source_reading (source, reason, rows, turnover) VALUES ($1, $2, $3, $4)', ws)
      USING source, 'filtered', left_out, CASE WHEN turnover NOT IN ('NaN', 'Infinity', '-Infinity') THEN turnover END;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_reconcile_filtered(text, integer) IS
  'Part of refresh: counts the rows of a source that its filter leaves out, into source_reading.';

-- Reconciles: of each source, how many rows are used, and how many are not for which reason; with their turnover, so
-- that the parts add up to what the source has. Returns it in words.
CREATE FUNCTION segmentation_internal.workspace_reconcile(ws text, as_of date) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype;
  s record;
  day text;
  said text;
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  -- What does not count is left out; what does is used.
  service constant text := CASE WHEN NOT (settings -> 'not_products_count')::boolean
    THEN segmentation_internal.workspace_not_product_sql(settings -> 'not_products') END;
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
        SELECT r.*, coalesce(@(fault)@, CASE WHEN @(service)@ THEN 'no_product' WHEN @(ahead)@ THEN 'ahead' END, 'used')
            AS reason
        FROM @(rows)@ AS r) AS v
      GROUP BY v.reason$q$,
      jsonb_build_object('source', s.source,
        'fault', coalesce(segmentation_internal.workspace_row_fault_sql(s.kind, key, false), 'NULL'),
        'service', coalesce(CASE WHEN s.kind = 'purchase_lines' THEN service END, 'false'),
        'ahead', CASE WHEN day IS NULL THEN 'false' ELSE format('%s > %L::date', day, as_of) END,
        'turnover', CASE WHEN s.kind IN ('purchases', 'purchase_lines')
          THEN $t$sum(CASE WHEN NOT v.reason IN ('not_finite', 'amount_out_of_range') THEN v.amount::numeric END)$t$
          ELSE 'NULL::numeric' END,
        'rows', segmentation_internal.workspace_source_rows_sql(ws, s.source)));
    PERFORM segmentation_internal.workspace_reconcile_filtered(ws, s.source);
  END LOOP;
  PERFORM segmentation_internal.workspace_reconcile_orders(ws, as_of, key);
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT string_agg(segmentation_internal.workspace_say(
      'log.left_out', jsonb_build_object('rows', v.left_out, 'kind', v.kind),
      segmentation_internal.workspace_language(@'schema'@)), ', ' ORDER BY v.kind)
    FROM (
      SELECT s.kind, sum(r.rows) AS left_out
      FROM @ws@.source_reading AS r JOIN @ws@.source AS s ON s.source = r.source
      WHERE NOT r.reason IN ('used', 'cancelled', 'ahead', 'filtered') GROUP BY s.kind) AS v$q$,
    jsonb_build_object('schema', ws))
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

-- The first expression of the sources of some kinds that fails on a row, in words; NULL if none does.
CREATE FUNCTION segmentation_internal.workspace_first_failure(ws text, kinds text[]) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given record;
BEGIN
  FOR given IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT s.relation, m.key AS field, m.value AS given,
      format('SELECT count(v.given) FROM (SELECT %s AS given FROM %s%s OFFSET 0) AS v',
        segmentation_internal.workspace_given_sql(m.value, s.relation, s.mapping),
        segmentation_internal.workspace_from(s.relation, s.mapping),
        CASE WHEN s.mapping ? 'where' AND m.key <> 'where'
          THEN format(E' WHERE (%s\n)', s.mapping ->> 'where') ELSE '' END) AS query
    FROM @ws@.source AS s
    CROSS JOIN LATERAL (
      SELECT f.key, f.value FROM jsonb_each(s.mapping - '{where,join,as}'::text[]) AS f
      WHERE jsonb_typeof(f.value) = 'object'
      UNION ALL
      SELECT 'where', jsonb_build_object('sql', s.mapping -> 'where') WHERE s.mapping ? 'where') AS m
    WHERE s.kind = ANY ($1)
    ORDER BY s.source, m.key <> 'where', m.key$q$) USING kinds
  LOOP
    BEGIN
      EXECUTE given.query;
    EXCEPTION WHEN data_exception THEN
      RETURN format('In %s, "%s" (%s): %s. Let it give NULL there: CASE WHEN ... END.', given.relation, given.field,
        segmentation_internal.workspace_given_words(given.given), SQLERRM);
    END;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_first_failure(text, text[]) IS
  'Part of refresh: the first expression of a mapping that fails on a row, in words.';

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
        SELECT format('In %s, customer %s: %s is %s.', s.relation, found.row ->> 'customer',
          segmentation_internal.workspace_given_words(s.mapping -> f.field), left(found.row ->> f.field, 60))
        FROM segmentation.workspace_row_fault AS f
        WHERE f.kind = s.kind AND f.reason = found.row ->> 'row fault' AND s.mapping ? f.field
        ORDER BY f.place LIMIT 1);
    END IF;
  END LOOP;
  RETURN NULL;
EXCEPTION WHEN data_exception THEN
  RETURN segmentation_internal.workspace_first_failure(ws, kinds);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_first_fault(text, text[]) IS
  'Part of refresh: where the first wrong row of some kinds of sources is.';

-- What the words of a line say that it is, in English and French, if it is no product. Words that products have too
-- (a post office cabinet) only where there are few of them, or no others.
CREATE FUNCTION segmentation_internal.line_word(words text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT w.reason
    FROM (VALUES
      ('shipping', 'postages?|shipping|shipment|freight|deliver(y|ies)|frais de port|livraisons?|'
        'affranchissement|exp[ée]ditions?', '((next day|standard|express) )?carriage|post|port|transport|'
        'colissimo|chronopost|mondial relay'),
      ('fee', 'bank charges?|handling fees?|service fees?|fees?|commissions?|surcharges?|frais bancaires|'
        'frais de dossier|frais de gestion', 'charges?|frais'),
      ('discount', 'discounts?|rebates?|remises?|rabais|ristournes?|escomptes?|bons? d''achat|credit notes?|'
        'code promo|gift vouchers?|ch[èe]ques? cadeaux?', 'vouchers?|coupons?|avoirs?|r[ée]ductions?|promo'),
      ('adjustment', 'adjust(ments?)?|bad debts?|write[- ]?offs?|ajustements?|r[ée]gularisations?|arrondis?|acomptes?|'
        'pourboires?|donations?', 'manual|corrections?|rounding|deposits?|consignes?|tips?|dons?|samples?|tests?|'
        '[ée]chantillons?')
    ) AS w (reason, clear, ambiguous)
    WHERE words ~* format('^\s*(%s)\s*$', w.ambiguous)
      OR words ~* format('\m(%s)\M', w.clear) AND array_length(regexp_split_to_array(btrim(words), '\s+'), 1) <= 4
    ORDER BY w.reason LIMIT 1);
COMMENT ON FUNCTION segmentation_internal.line_word(text) IS
  'Part of line_suggestions: what words say that a line is (shipping, fee, discount, adjustment), if it is no product.';

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'line_reason', v.code, t.language, t.label
FROM (VALUES
  ('shipping', 'Shipping', 'Frais de port'),
  ('fee', 'Fee', 'Frais'),
  ('discount', 'Discount or voucher', 'Remise ou bon d''achat'),
  ('adjustment', 'Adjustment', 'Régularisation'),
  ('unlike_others', 'Code unlike the others', 'Code différent des autres')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

CREATE FUNCTION segmentation.line_suggestions(workspace text)
RETURNS TABLE (
  product text, name text, reason text, lines bigint, line_share double precision, turnover numeric,
  turnover_share double precision, chosen boolean
)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  rows text;
  names text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT string_agg('SELECT r.product, r.amount::numeric AS amount FROM '
        || segmentation_internal.workspace_source_rows_sql($1, s.source) || ' AS r WHERE r.product IS NOT NULL',
        ' UNION ALL ' ORDER BY s.source) FILTER (WHERE s.kind = 'purchase_lines'),
      string_agg('SELECT r.product, min(r.name) AS name FROM '
        || segmentation_internal.workspace_source_rows_sql($1, s.source) || ' AS r GROUP BY r.product', ' ')
        FILTER (WHERE s.kind = 'products')
    FROM @ws@.source AS s$q$)
    INTO rows, names USING ws;
  IF rows IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('workspace %I has no source of purchase_lines', workspace),
      HINT = format('SELECT segmentation.add_source(%L, ''purchase_lines'', ...)', workspace);
  END IF;
  -- A code is unlike the others where nearly all have digits and it has none, or nearly all are long and it is not.
  RETURN QUERY EXECUTE segmentation_internal.fill(NULL, $q$
    WITH p AS MATERIALIZED (
      SELECT r.product, count(*) AS lines, coalesce(sum(r.amount), 0) AS turnover FROM (@(rows)@) AS r
      GROUP BY r.product),
    whole AS (
      SELECT sum(p.lines) AS lines, sum(p.turnover) AS turnover,
        sum(p.lines) FILTER (WHERE p.product ~ '[0-9]') / sum(p.lines) AS digits,
        sum(p.lines) FILTER (WHERE length(btrim(p.product)) >= 4) / sum(p.lines) AS long
      FROM p)
    SELECT p.product, n.name, v.reason, p.lines, (p.lines / w.lines)::double precision, p.turnover,
      (p.turnover / NULLIF(w.turnover, 0))::double precision, @(chosen)@
    FROM p
    CROSS JOIN whole AS w
    LEFT JOIN (@(names)@) AS n ON n.product = p.product
    CROSS JOIN LATERAL (
      SELECT coalesce(
        segmentation_internal.line_word(n.name), segmentation_internal.line_word(p.product),
        CASE WHEN w.digits >= 0.95 AND p.product !~ '[0-9]' OR w.long >= 0.95 AND length(btrim(p.product)) < 4
          THEN 'unlike_others' END) AS reason) AS v
    WHERE v.reason IS NOT NULL
    ORDER BY p.lines DESC, p.product COLLATE "C"$q$,
    jsonb_build_object('rows', rows,
      'names', coalesce(names, 'SELECT NULL::text AS product, NULL::text AS name'),
      'chosen', coalesce(replace(segmentation_internal.workspace_not_product_sql(settings -> 'not_products'),
        'r.product', 'p.product'), 'false')));
END
$$;
COMMENT ON FUNCTION segmentation.line_suggestions(text) IS
  'Lines of a workspace that look like no products: by their words (reason shipping, fee, discount, adjustment; '
  'English and French), or by a code that is unlike the others; with their share of lines and of turnover, and '
  'whether the setting not_products has them.';
