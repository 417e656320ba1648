-- A parameter set that is trained once and used in several workspaces; and training on a sample.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
SELECT count(*) AS tables FROM simulate_shop('sets_shop', customers => 1200, seed => 5);
-- One shop, and its two halves: views, as postgres_fdw would show them.
CREATE FUNCTION public.sets_make(workspace text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
BEGIN
  PERFORM segmentation.create_workspace(workspace, time_zone => 'Europe/Paris');
  EXECUTE format('CREATE SCHEMA %I', 'sets_' || workspace);
  FOR s IN
    SELECT * FROM (VALUES ('purchases', 'orders'), ('purchase_lines', 'order_lines'), ('customers', 'customers'),
      ('contacts', 'contacts'), ('consents', 'consents'), ('interactions', 'interactions'),
      ('subscriptions', 'subscriptions'), ('attribute_history', 'attribute_history')) AS v (kind, relation)
  LOOP
    EXECUTE format('CREATE VIEW %I.%I AS SELECT * FROM sets_shop.%I WHERE %s', 'sets_' || workspace, s.relation, s.relation, wanted);
    PERFORM segmentation.add_source(workspace, s.kind, format('%I.%I', 'sets_' || workspace, s.relation)::regclass);
  END LOOP;
  PERFORM segmentation.add_source(workspace, 'products', 'sets_shop.products');
END
$$;
SELECT sets_make('sets_all', 'true'), sets_make('sets_0', 'customer_id % 2 = 0'), sets_make('sets_1', 'customer_id % 2 = 1');
SELECT configure_workspace('sets_all', '{"moments": ["purchase_due", "waning_interest", "first_purchase", "reactivated", "anniversary", "attributes"], "source_silence": "off", "churn_horizon": "60 days"}');
SELECT workspace_target('sets_all', 'answers', '{"responds": {"channel": "email"}}', '60 days');
CALL refresh('sets_all', '2025-12-31');
-- Nothing is there to export from a half yet; the set of the whole shop does not fit other settings, and says which.
\set SHOW_CONTEXT never
CREATE FUNCTION public.sets_fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text; message text; detail text; hint text;
BEGIN
  EXECUTE query;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n', state || ' ' || message, NULLIF(detail, ''), NULLIF(hint, ''));
END
$$;
CREATE TABLE public.sets_document AS SELECT export_parameter_set('sets_all') AS document;
SELECT sets_fails($$SELECT export_parameter_set('sets_0')$$);
SELECT sets_fails($$SELECT export_parameter_set('sets_all', 7)$$);
SELECT sets_fails($$SELECT export_parameter_set(NULL)$$);
SELECT sets_fails($$SELECT install_parameter_set('sets_0', document) FROM sets_document$$);
-- The two halves, by the set of the whole.
SELECT configure_workspace(w, document -> 'settings') FROM sets_document, unnest('{sets_0,sets_1}'::text[]) AS w;
SELECT install_parameter_set('sets_0', document) FROM sets_document;
SELECT workspace_target(w, 'answers', '{"responds": {"channel": "email"}}', '60 days') FROM unnest('{sets_0,sets_1}'::text[]) AS w;
SELECT install_parameter_set('sets_0', document) AS again, install_parameter_set('sets_1', document) FROM sets_document;
SELECT workspace_due('sets_0', '2025-12-31') AS not_published_yet;
CALL refresh('sets_0', '2025-12-31');
CALL run_due('sets_1', '2025-12-31');
SELECT phase, status FROM sets_0.refresh_log ORDER BY refresh, place;
SELECT phase, status FROM sets_1.refresh_log ORDER BY refresh, place;
-- As many rows as the one workspace, and the same: codes, next changes, scores, offers, channels, moments, targets.
CREATE FUNCTION public.sets_compared(relation text, without text DEFAULT '') RETURNS TABLE (name text, rows bigint, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH one AS (SELECT to_jsonb(t) - %2$L AS row FROM sets_all.%1$I AS t),
    many AS (SELECT to_jsonb(t) - %2$L AS row FROM sets_0.%1$I AS t UNION ALL SELECT to_jsonb(t) - %2$L FROM sets_1.%1$I AS t)
    SELECT %1$L::text, (SELECT count(*) FROM one),
      (SELECT count(*) FROM ((TABLE one EXCEPT ALL TABLE many) UNION ALL (TABLE many EXCEPT ALL TABLE one)) AS d)$q$, relation, without);
END
$$;
SELECT c.* FROM unnest('{customer_segments,customer_scores,customer_products,customer_channels,life_moments,customer_targets,membership_history}'::text[]) AS r (name), sets_compared(r.name, 'parameter_set') AS c;
-- In another session's way of writing numbers and days the document is the same, and as text it travels unchanged.
SET extra_float_digits = -3; SET timezone = 'America/New_York'; SET datestyle = 'SQL, DMY';
SELECT export_parameter_set('sets_all') = document AS same, document::text::jsonb = document AS as_text FROM sets_document;
RESET extra_float_digits; SET timezone = 'Europe/Paris'; SET datestyle = ISO;
-- What was installed can be exported again: the origin goes along.
SELECT export_parameter_set('sets_0') - '{settings}'::text[] = document - '{settings}'::text[] AS same FROM sets_document;
-- Where it came from.
SELECT parameter_set, status, note, installed #> '{trained,workspace}' AS trained, as_of FROM sets_0.parameter_set;
SELECT item, status, regexp_replace(detail, '(installed on|installé le) [0-9-]+', '\1 ...') AS detail FROM workspace_check('sets_0') WHERE item IN ('parameter set', 'axis rfm', 'axis churn', 'target answers');
SELECT numbers -> 'trained' ->> 'workspace' AS trained FROM explain('sets_0', '2', 'rfm');
SELECT numbers ? 'trained' AS trained FROM explain('sets_all', '2', 'rfm');
-- No refresh trains unless it is told to, neither when settings change nor when it is old; both are said.
SELECT configure_workspace('sets_0', '{"churn_high": 0.7}');
SELECT workspace_due('sets_0', '2025-12-31') AS due, workspace_due('sets_0', '2026-03-01') AS later;
SELECT item, status, detail FROM workspace_check('sets_0') WHERE item = 'training';
CALL refresh('sets_0', '2026-03-01', ahead => true);
SELECT phase, status FROM sets_0.refresh_log WHERE refresh = (SELECT max(refresh) FROM sets_0.refresh_log) ORDER BY place;
SELECT item, status, regexp_replace(detail, 'installed on [0-9-]+', 'installed on ...') AS detail FROM workspace_check('sets_0') WHERE item = 'parameter set';
CALL refresh_changed('sets_0', '2026-03-01');
SELECT configure_workspace('sets_0', '{"product_level": "category"}');
DO $$BEGIN PERFORM segmentation_internal.workspace_warn_installed('sets_0', '2026-03-01'); END$$;
SELECT configure_workspace('sets_0', '{"churn_high": 0.66, "product_level": "product"}');
CALL refresh('sets_0', '2026-03-01', retrain => true);
SELECT parameter_set, status, installed IS NOT NULL AS installed FROM sets_0.parameter_set ORDER BY 1;
-- From then on it trains by itself again; the next install takes over, and only the sets that are kept stay.
SELECT workspace_due('sets_0', '2026-05-01') AS due;
SELECT configure_workspace('sets_0', '{"keep_parameter_sets": 2}');
SELECT install_parameter_set('sets_0', document) FROM sets_document;
SELECT parameter_set, status, installed IS NOT NULL AS installed FROM sets_0.parameter_set ORDER BY 1;
SELECT use_parameter_set('sets_0', 2);
SELECT workspace_due('sets_0', '2026-05-01') AS due;
SELECT install_parameter_set('sets_0', document) FROM sets_document;
SELECT parameter_set, status, installed IS NOT NULL AS installed FROM sets_0.parameter_set ORDER BY 1;
-- refresh_changed moves everybody to it.
CALL refresh_changed('sets_0', '2026-03-01');
SELECT DISTINCT parameter_set FROM sets_0.customer_segments;
-- Other workspaces than it was trained for.
SELECT create_workspace('sets_text', 'text', 'America/New_York');
SELECT add_source('sets_text', 'purchases', 'sets_shop.orders') IS NOT NULL AS added, configure_workspace('sets_text', document -> 'settings') FROM sets_document;
SELECT sets_fails($$SELECT install_parameter_set('sets_text', jsonb_set(document, '{extension}', '"9.9"')) FROM sets_document$$);
-- A workspace of before there was such a column.
ALTER TABLE sets_text.parameter_set DROP COLUMN installed;
SELECT upgrade_workspace('sets_text') AS layout, upgrade_workspace('sets_text') AS again;
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'sets_text.parameter_set'::regclass AND attname = 'installed';
-- What of the sources and targets is otherwise is a warning: the codes are by the same rules, but of other facts.
DELETE FROM sets_1.target;
CREATE VIEW sets_sets_1.products AS SELECT product_id, category_id FROM sets_shop.products;
SELECT remove_source('sets_1', 'products', 'sets_shop.products'), add_source('sets_1', 'products', 'sets_sets_1.products') IS NOT NULL AS added;
UPDATE sets_1.parameter_set SET status = 'retired';
SELECT install_parameter_set('sets_1', document) FROM sets_document;
-- Documents that are none.
SELECT v.what, sets_fails(format('SELECT install_parameter_set(''sets_1'', %s) FROM sets_document', v.document)) AS fault
FROM (VALUES
  (1, 'null', 'NULL'), (2, 'no object', $$'[]'$$), (3, 'empty', $$'{}'$$), (4, 'another kind', $$'{"kind": "profile_model"}'$$),
  (5, 'version 2', $$jsonb_set(document, '{version}', '2')$$),
  (6, 'version 1e400', $$jsonb_set(document, '{version}', '1e400')$$),
  (7, 'unknown key', $$document || '{"; DROP TABLE": 1}'$$), (8, 'missing keys', $$document - '{models,weak}'::text[]$$),
  (9, 'no origin', $$jsonb_set(document, '{trained}', '{"workspace": {}}')$$),
  (10, 'readiness', $$document || '{"readiness": {"rfm": 1, "pmg": {}}}'$$),
  (11, 'weak', $$document || '{"weak": {"rfm": {}, "pmg": [1]}}'$$), (12, 'targets', $$document || '{"targets": {"x": 1}}'$$),
  (13, 'models', $$document #- '{models,rfm_cuts}' #- '{models,pmg_cuts}' || '{"axes": []}'$$),
  (14, 'unknown model', $$jsonb_set(document, '{models,evil}', '1')$$),
  (15, 'a number for cuts', $$jsonb_set(document, '{models,rfm_cuts}', '5')$$),
  (16, 'cuts that are no numbers', $$jsonb_set(document, '{models,rfm_cuts,recency}', '["x"]')$$),
  (17, 'cuts out of order', $$jsonb_set(document, '{models,rfm_cuts,recency}', '[5, 4, 3, 2]')$$),
  (18, 'a map of nonsense', $$jsonb_set(document, '{models,rfm_map}', '{"bins": 5, "segments": 5}')$$),
  (19, 'a churn model of nonsense', $$jsonb_set(document, '{models,purchase_model}', '{"kind": "purchase_model", "r": "x"}')$$),
  (20, 'a product model of nonsense', $$jsonb_set(document, '{models,product_model}', '{"kind": "segment"}')$$),
  (21, 'a channel model of nonsense', $$jsonb_set(document, '{models,channel_model}', '[[[]]]')$$),
  (22, 'a profile model of nonsense', $$jsonb_set(document, '{models,profile_model}', '{"kind": "profile_model", "clusters": 3}')$$),
  (23, 'no day', $$jsonb_set(document, '{as_of}', '"infinity"')$$), (24, 'no date', $$jsonb_set(document, '{as_of}', '"soon"')$$),
  (25, 'no moment of training', $$jsonb_set(document, '{trained,trained_at}', '"soon"')$$),
  (26, 'an early day', $$jsonb_set(document, '{as_of}', '"4713-01-01 BC"')$$)
) AS v (place, what, document) ORDER BY v.place;
SELECT parameter_set, status FROM sets_1.parameter_set ORDER BY 1;
SELECT relname FROM pg_class WHERE relnamespace = 'sets_1'::regnamespace AND relname LIKE 'stage%';
-- Names are values.
SELECT install_parameter_set('sets_1', jsonb_set(document, '{trained,workspace}', '"x''; DROP TABLE sets_1.workspace; --"')) FROM sets_document;
SELECT note FROM sets_1.parameter_set WHERE status = 'in_use';
-- Owners only.
CREATE ROLE sets_other;
GRANT USAGE ON SCHEMA sets_all TO sets_other;
GRANT SELECT ON ALL TABLES IN SCHEMA sets_all TO sets_other;
GRANT SELECT ON sets_document TO sets_other;
SET ROLE sets_other;
SELECT public.sets_fails($$SELECT export_parameter_set('sets_all')$$);
SELECT public.sets_fails($$SELECT install_parameter_set('sets_all', document) FROM sets_document$$);
RESET ROLE;
-- Training on a sample: about so many, the same ones each time, and what the data suffice for is said by all.
CREATE TABLE public.sets_before AS SELECT customer, rfm, pmg FROM sets_all.customer_segments;
SELECT sets_fails($$SELECT configure_workspace('sets_all', '{"train_customers": 10}')$$);
DELETE FROM sets_all.target;
SELECT configure_workspace('sets_all', '{"train_customers": 1000, "language": "fr"}');
CALL refresh('sets_all', '2025-12-31');
SELECT seen -> 'customers' AS customers, (seen ->> 'trained_on')::integer BETWEEN 900 AND 1100 AS about,
  (seen ->> 'trained_on')::bigint = (SELECT count(*) FROM sets_all.customer_facts
    WHERE hashtextextended(customer::text, 0) < floor(1000::numeric / 1200 * 18446744073709551616) - 9223372036854775808) AS these,
  ((rfm_cuts).customers + (rfm_cuts).prospects)::numeric / (SELECT count(history) FROM sets_all.customer_facts) BETWEEN 0.75 AND 0.9 AS cuts
FROM sets_all.parameter_set WHERE status = 'in_use';
SELECT regexp_replace(detail, '[0-9]+ des', '... des') AS detail FROM sets_all.refresh_log WHERE phase = 'train' ORDER BY refresh DESC LIMIT 1;
SELECT count(*) AS customers, count(*) FILTER (WHERE a.rfm <> b.rfm) < 60 AS rfm, count(*) FILTER (WHERE a.pmg <> b.pmg) < 30 AS pmg
FROM sets_all.customer_segments AS a JOIN sets_before AS b USING (customer);
CALL refresh('sets_all', '2025-12-31', retrain => true);
SELECT count(DISTINCT (g.rfm_cuts, g.pmg_cuts, g.purchase_model, g.profile_model - 'clusters')) AS trainings FROM sets_all.parameter_set AS g WHERE g.seen ? 'trained_on';
SELECT count(*) AS facts FROM sets_all.customer_facts;
SELECT relname FROM pg_class WHERE relnamespace = 'sets_all'::regnamespace AND relname LIKE 'stage%';
DROP FUNCTION public.sets_make, public.sets_fails, public.sets_compared;
SELECT drop_workspace(w) FROM unnest('{sets_all,sets_0,sets_1,sets_text}'::text[]) AS w;
DROP TABLE sets_document, sets_before;
DROP SCHEMA sets_sets_all, sets_sets_0, sets_sets_1, sets_shop CASCADE;
DROP OWNED BY sets_other;
DROP ROLE sets_other;
