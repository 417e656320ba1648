-- Presets of trades: every name exists, every value holds, each is whole, and a dry run changes nothing.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE PROCEDURE pg_temp.refused(statement text) LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RAISE WARNING 'not refused: %', statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | % | %', SQLSTATE, message, detail, hint;
END
$$;

-- Nothing is named that a workspace does not have. No rows.
SELECT p.sector, p.kind, p.name FROM sector_preset AS p
WHERE NOT CASE p.kind
  WHEN 'setting' THEN EXISTS (SELECT FROM workspace_setting AS d WHERE d.name = p.name AND segmentation_internal.workspace_setting_fault(d, p.value) IS NULL)
  WHEN 'axis' THEN p.name = ANY (workspace_axes()) AND jsonb_typeof(p.value) = 'boolean'
  WHEN 'source' THEN EXISTS (SELECT FROM workspace_field AS f WHERE f.kind = p.name) AND p.value = 'true'
  WHEN 'subject' THEN (SELECT p.name = ANY (d.choices) FROM workspace_setting AS d WHERE d.name = 'subject') AND p.value = 'true' END;
-- Every axis has its verdict in every sector; reasons are in two languages. No rows.
SELECT s.sector, a AS without_verdict FROM (SELECT DISTINCT sector FROM sector_preset) AS s CROSS JOIN unnest(workspace_axes()) AS a
WHERE NOT EXISTS (SELECT FROM sector_preset AS p WHERE (p.sector, p.kind, p.name) = (s.sector, 'axis', a));
SELECT sector, kind, name FROM sector_preset WHERE reason_en !~ '^[A-Z].*[.]$' OR reason_fr !~ '^[[:upper:]0-9].*[.]$' OR reason_en = reason_fr;
-- Nothing is set for an axis that does not fit. No rows.
SELECT p.sector, p.name FROM sector_preset AS p JOIN sector_preset AS a ON a.sector = p.sector AND a.kind = 'axis' AND a.value = 'false'
WHERE p.kind = 'setting' AND p.name LIKE CASE a.name WHEN 'product_appetence' THEN 'product\_%' ELSE a.name || '\_%' END;
SELECT label('sector', sector, 'fr') AS sector, count(*) FILTER (WHERE kind = 'setting') AS settings, count(*) FILTER (WHERE kind = 'axis' AND value = 'true') AS axes,
  string_agg(name, ', ' ORDER BY name) FILTER (WHERE kind = 'axis' AND value = 'false') AS do_not_fit, string_agg(name, ', ' ORDER BY name) FILTER (WHERE kind = 'source') AS sources
FROM sector_preset GROUP BY sector ORDER BY 1;

-- A dry run says all and changes nothing; another language by name, one without reasons reads English.
SELECT create_workspace('crm', key_type => 'bigint', time_zone => 'UTC');
SELECT kind, name, value, was, reason FROM workspace_preset('crm', 'hotels', apply => false);
SELECT kind, name, value, reason FROM workspace_preset('crm', 'mutual_insurance', apply => false, language => 'fr');
SELECT count(*) AS unchanged FROM crm.setting;

-- Applied, it holds; once more, nothing changes. What it does not name stays, and what was set by hand is said in was.
SELECT configure_workspace('crm', '{"language": "fr", "currency": "CHF", "churn_horizon": "200 days", "retrain_after": "7 days"}');
SELECT name, value, was, left(reason, 60) AS reason FROM workspace_preset('crm', 'hotels') WHERE kind = 'setting' AND value <> was;
SELECT w.name, w.value FROM workspace_settings('crm') AS w JOIN crm.setting AS s USING (name) ORDER BY w.name;
SELECT count(*) AS changed FROM workspace_preset('crm', 'hotels') WHERE kind = 'setting' AND value <> was;
-- Another one: what the first left over goes back to the default. Set by hand to something else, it stays.
SELECT configure_workspace('crm', '{"moment_ahead": "21 days"}');
SELECT name, value, was, reason FROM workspace_preset('crm', 'retail', language => 'en') WHERE kind = 'setting' AND value <> was;
SELECT w.name, w.value FROM workspace_settings('crm') AS w WHERE w.value <> w.default_value ORDER BY w.name;

-- Whatever preset came before, a preset comes to the same. No rows.
SELECT drop_workspace('crm');
SELECT create_workspace('crm', key_type => 'bigint', time_zone => 'UTC');
SELECT configure_workspace('crm', '{"retrain_after": "7 days"}');
CREATE TEMP TABLE came (before text, preset text, settings jsonb);
DO $$
DECLARE
  first text;
  second text;
BEGIN
  FOR first IN SELECT DISTINCT p.sector FROM sector_preset AS p LOOP
    FOR second IN SELECT DISTINCT p.sector FROM sector_preset AS p LOOP
      PERFORM workspace_preset('crm', first), workspace_preset('crm', second);
      INSERT INTO came SELECT first, second, jsonb_object_agg(s.name, s.value) FROM workspace_settings('crm') AS s;
    END LOOP;
  END LOOP;
END
$$;
SELECT a.before, a.preset FROM came AS a JOIN came AS b ON b.preset = a.preset AND b.before = b.preset WHERE a.settings <> b.settings;
SELECT count(DISTINCT settings) AS different, count(*) AS tried FROM came;

-- What there is already: sources, the subject.
CREATE TABLE public.preset_orders (customer_id bigint, ordered_on date, order_id text, product_id text, amount numeric);
SELECT create_workspace('accounts', key_type => 'bigint', subject => 'company');
SELECT count(add_source('accounts', 'purchase_lines', 'preset_orders')) AS added;
SELECT kind, name, value, was FROM workspace_preset('accounts', 'industry') WHERE kind IN ('subject', 'source');
SELECT kind, name, value, was FROM workspace_preset('crm', 'industry', apply => false) WHERE kind IN ('subject', 'source');

-- Refused, each by its name.
CALL pg_temp.refused($$SELECT workspace_preset('crm', 'hotel')$$);
CALL pg_temp.refused($$SELECT workspace_preset('crm', NULL)$$);
CALL pg_temp.refused($$SELECT workspace_preset(NULL, 'hotels')$$);
CALL pg_temp.refused($$SELECT workspace_preset('no such', 'hotels')$$);
CALL pg_temp.refused($$SELECT workspace_preset('crm', 'hotels', language => 'xx')$$);
SELECT count(*) AS rows, count(*) FILTER (WHERE was IS DISTINCT FROM value AND kind = 'setting') > 0 AS a_dry_run FROM workspace_preset('crm', 'hotels', apply => NULL);
CREATE ROLE preset_nobody;
SET ROLE preset_nobody;
CALL pg_temp.refused($$SELECT workspace_preset('crm', 'hotels', apply => false)$$);
CALL pg_temp.refused($$DELETE FROM sector_preset$$);
RESET ROLE;
DROP ROLE preset_nobody;
SELECT drop_workspace('accounts'), drop_workspace('crm');

-- A shop with contracts under each: what a preset sets is what is trained with, and no refresh fails.
SELECT count(*) AS tables FROM simulate_shop('preset_shop', customers => 400, seed => 5);
DO $$
DECLARE
  preset text;
BEGIN
  FOR preset IN SELECT DISTINCT p.sector FROM sector_preset AS p LOOP
    PERFORM create_workspace(preset, key_type => 'bigint', time_zone => 'Europe/Paris');
    PERFORM add_source(preset, s.kind, s.relation)
    FROM (VALUES ('purchases', 'preset_shop.orders'::regclass), ('purchase_lines', 'preset_shop.order_lines'), ('customers', 'preset_shop.customers'), ('contacts', 'preset_shop.contacts'),
                 ('subscriptions', 'preset_shop.subscriptions')) AS s (kind, relation);
    PERFORM add_source(preset, 'products', 'preset_shop.products', '{"category": "category_id", "name": "product"}');
    PERFORM workspace_preset(preset, preset);
  END LOOP;
END
$$;
-- Of 400 customers some dozens have contracts.
SELECT configure_workspace(w, '{"minimum_buyers": 30}') FROM unnest('{mutual_insurance,subscriptions}'::text[]) AS w;
CALL refresh('retail', '2025-12-31');
CALL refresh('hotels', '2025-12-31');
CALL refresh('mutual_insurance', '2025-12-31');
CALL refresh('property', '2025-12-31');
CALL refresh('industry', '2025-12-31');
CALL refresh('subscriptions', '2025-12-31');
CREATE FUNCTION pg_temp.of(workspace text, sql text) RETURNS TABLE (answer text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(sql, workspace);
END
$$;
-- Trained with what the preset says: no rows.
SELECT p.sector, p.name, p.value, t.answer FROM sector_preset AS p
CROSS JOIN LATERAL pg_temp.of(p.sector, 'SELECT g.settings ->> ' || quote_literal(p.name) || ' FROM %I.parameter_set AS g') AS t
WHERE p.kind = 'setting' AND t.answer IS DISTINCT FROM p.value #>> '{}';
-- Of each sector the levels of churn, and what pmg looks at.
SELECT s.sector, c.answer AS churn, g.answer AS large FROM (SELECT DISTINCT sector FROM sector_preset) AS s
CROSS JOIN LATERAL pg_temp.of(s.sector, 'SELECT string_agg(DISTINCT churn, '', '') FROM %I.customer_segments') AS c
CROSS JOIN LATERAL pg_temp.of(s.sector, 'SELECT count(*)::text FROM %I.customer_segments WHERE pmg = ''G''') AS g ORDER BY s.sector;
SELECT count(drop_workspace(s.sector)) AS dropped FROM (SELECT DISTINCT sector FROM sector_preset) AS s;
DROP SCHEMA preset_shop CASCADE;
DROP TABLE public.preset_orders;
