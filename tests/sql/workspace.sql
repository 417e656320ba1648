-- The workspace: sources, settings, refresh, results, history, explanations, views.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT count(*) > 10 AS made FROM simulate_shop('shop', 600, seed => 7);

-- Names: what a workspace may be called, and its key.
CALL refused('SELECT create_workspace(NULL)');
CALL refused('SELECT create_workspace('''')');
CALL refused('SELECT create_workspace(repeat(''é'', 32))');
CALL refused('SELECT create_workspace(''shop'')');
CALL refused('SELECT create_workspace(''pg_mine'')');
CALL refused('SELECT create_workspace(''no'', ''boolean'')');
CALL refused('SELECT create_workspace(''no'', ''double precision'')');
CALL refused('SELECT create_workspace(''no'', ''point'')');
CALL refused('SELECT create_workspace(''no'', time_zone => ''Mars/Olympus'')');
CALL refused('SELECT workspace_settings(''no'')');
CALL refresh('no');
CALL refresh(NULL);
CALL refused('SELECT drop_workspace(''shop'')');
CALL refused('SELECT * FROM explain(''shop'', ''1'')');
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname IN ('no', 'pg_mine');
SELECT create_workspace('crm');
SELECT workspace, layout, key_type FROM workspaces();
-- Everything in it says what it is.
SELECT c.relname AS without_comment FROM pg_class AS c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v', 'm') AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT c.relname AS materialized_without_unique_index FROM pg_class AS c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'm'
  AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique);
SELECT c.relname, a.attname AS column_of_a_view_without_comment FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'm' AND c.relname LIKE 'bi%' AND col_description(c.oid, a.attnum) IS NULL ORDER BY 1, a.attnum;
CALL refresh('crm', '2025-11-30');
CALL refused('SELECT * FROM explain(''crm'', ''1'')');
SELECT count(*) AS rows_of_failed_refresh FROM crm.refresh_log WHERE status <> 'failed';

-- Sources: usual names are found, all faults come at once.
CALL refused('SELECT add_source(''crm'', ''orders'', ''shop.orders'')');
CALL refused('SELECT add_source(''crm'', NULL, ''shop.orders'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.orders'', ''[]'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.orders_pkey'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.orders'', time_zone => ''Mars/Olympus'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.customers'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.orders'', ''{"customer": "channel", "amount": "ordered_on", "purchased_on": "nowhere", "price": "amount", "colour": 1}'')');
CALL refused('SELECT add_source(''crm'', ''purchases'', ''shop.orders'', ''{"customer": null, "amount": 1}'')');
SELECT count(*) AS sources FROM crm.source;
SELECT add_source('crm', 'purchases', 'shop.orders', '{"purchased_on": "ordered_at"}', 'UTC');
SELECT add_source('crm', 'purchases', 'shop.orders');
SELECT add_source('crm', 'purchase_lines', 'shop.order_lines');
SELECT add_source('crm', 'products', 'shop.products');
SELECT add_source('crm', 'customers', 'shop.customers', '{"birth_date": null}');
SELECT add_source('crm', 'attribute_history', 'shop.attribute_history');
SELECT add_source('crm', 'companies', 'shop.customers');
SELECT add_source('crm', 'contacts', 'shop.contacts');
SELECT add_source('crm', 'interactions', 'shop.interactions');
SELECT add_source('crm', 'consents', 'shop.consents');
SELECT add_source('crm', 'subscriptions', 'shop.subscriptions');
SELECT remove_source('crm', 'companies', 'shop.customers');
SELECT add_source('crm', 'customers', 'shop.customers');
CALL refused('SELECT add_source(''crm'', ''customers'', ''shop.orders'')');
CALL refused('SELECT remove_source(''crm'', ''companies'', ''shop.customers'')');
SELECT kind, relation, time_zone FROM crm.source ORDER BY kind;

-- Settings: each wrong value is refused, and all of a call at once.
SELECT count(*) AS settings, count(*) FILTER (WHERE value IS DISTINCT FROM default_value) AS changed, count(*) FILTER (WHERE about = '') AS without_words FROM workspace_settings('crm');
CALL refused('SELECT configure_workspace(''crm'', NULL)');
CALL refused('SELECT configure_workspace(''crm'', ''[]'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"colour": "red", "churn_high": 2, "rfm_bins": 2.5, "churn_horizon": "soon", "language": 5, "notify": "yes", "profile_k": [3], "pmg_mode": "x", "retrain_after": null, "product_exclude": {}, "channel_caps": []}'')');
-- Every setting but texts of the user's own refuses a value of a wrong type and one out of its range, and takes its default.
CREATE FUNCTION pg_temp.takes(given jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.configure_workspace('crm', given);
  RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN false;
END
$$;
SELECT s.name AS takes_what_it_should_not_or_not_its_default FROM workspace_setting AS s
WHERE pg_temp.takes(jsonb_build_object(s.name, CASE s.type WHEN 'boolean' THEN '1' ELSE 'true' END::jsonb))
   OR (s.least IS NOT NULL AND pg_temp.takes(jsonb_build_object(s.name, CASE s.type WHEN 'interval' THEN to_jsonb((s.least - 0.5) || ' days') ELSE to_jsonb(s.least - 1) END)))
   OR (s.greatest IS NOT NULL AND pg_temp.takes(jsonb_build_object(s.name, CASE s.type WHEN 'interval' THEN to_jsonb((s.greatest + 1) || ' days') ELSE to_jsonb(s.greatest * 1.001 + 0.001) END)))
   OR (s.choices IS NOT NULL AND pg_temp.takes(jsonb_build_object(s.name, 'x')))
   OR NOT pg_temp.takes(jsonb_build_object(s.name, s.default_value));
CALL refused('SELECT configure_workspace(''crm'', ''{"churn_high": 1e400}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"churn_horizon": "99999999 years"}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"churn_medium": 0.7, "churn_high": 0.6}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moment_categories": {"Birth": ["baby"]}, "product_exclude": [1], "product_owned_for_good": [null], "moment_calendar": [{"name": "summer"}], "product_rank_by": "price"}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moment_categories": {"birth": []}}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moment_categories": {"birth": "baby"}}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moment_categories": {"purchase_due": ["baby"]}}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"value_high": 0.96}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"profile_k": [8, 3]}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moments": ["waning"]}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"moments": [null, 1]}'')');
CALL refused('SELECT configure_workspace(''crm'', ''{"profile_k": [0, 3]}'')');
DELETE FROM crm.setting;

-- Segments of one's own.
CALL refused('SELECT register_segment(''crm'', ''Vip'', ''{}'')');
CALL refused('SELECT register_segment(''crm'', ''vip'', ''{"kind": "x"}'')');
CALL refused('SELECT register_segment(''crm'', ''vip'', NULL)');
CALL refused('SELECT unregister_segment(''crm'', ''vip'')');
SELECT register_segment('crm', 'vip', '{"kind": "rules", "default": "no", "segments": [{"segment": "vip", "when": {"field": "turnover", ">=": 500}}]}', 'Who brings much.');
SELECT override_segment('crm', 'vip', '1', 'vip', 'a friend of the house'), override_segment('crm', 'vip', '2', NULL);
CALL refused('SELECT override_segment(''crm'', ''none'', ''1'', ''vip'')');
CALL refused('SELECT override_segment(''crm'', ''vip'', ''x'', ''vip'')');

-- The first refresh.
CALL refresh('crm', 'infinity');
CALL refresh('crm', '2025-10-31');
SELECT phase, status, as_of, rows FROM crm.refresh_log WHERE refresh = (SELECT max(refresh) FROM crm.refresh_log) ORDER BY place;
SELECT as_of, parameter_set FROM crm.workspace;
SELECT * FROM workspace_check('crm') ORDER BY item;
SELECT 'rfm' AS axis, rfm AS code, count(*) FROM crm.customer_segments GROUP BY 2
UNION ALL SELECT 'pmg', pmg, count(*) FROM crm.customer_segments GROUP BY 2
UNION ALL SELECT 'churn', churn, count(*) FROM crm.customer_segments GROUP BY 2
UNION ALL SELECT 'future_value', future_value, count(*) FROM crm.customer_segments GROUP BY 2
UNION ALL SELECT 'vip', segments ->> 'vip', count(*) FROM crm.customer_segments GROUP BY 2
ORDER BY 1, 2;
-- Every code has a label, in both languages.
SELECT DISTINCT e.key AS axis, e.value AS code_without_label FROM crm.customer_segments AS c CROSS JOIN LATERAL jsonb_each_text(to_jsonb(c)) AS e, unnest('{en,fr}'::text[]) AS l
WHERE e.key IN ('rfm', 'pmg', 'churn', 'loyalty', 'future_value', 'life_moment') AND e.value <> 'insufficient_data' AND NOT EXISTS (SELECT FROM label WHERE (domain, code, language) = (e.key, e.value, l));
-- By hand wins over the definition.
SELECT customer, segments FROM crm.customer_segments WHERE customer IN (1, 2) ORDER BY customer;
-- Facts are those of the sources.
SELECT count(*) AS differ FROM crm.customer_facts AS f FULL JOIN (
  SELECT customer_id, purchase_history(day, amount) AS h
  FROM (
    SELECT customer_id, coalesce(refund_of, order_id) AS number, min(ordered_on) AS day, sum(amount) AS amount, bool_or(amount < 0) AS sent_back
    FROM shop.orders GROUP BY 1, 2) AS n
  WHERE NOT (sent_back AND amount = 0) GROUP BY 1) AS o ON o.customer_id = f.customer WHERE f.history IS DISTINCT FROM o.h;
SELECT count(*) AS differ FROM crm.customer_facts AS f JOIN shop.customers AS c ON c.customer_id = f.customer WHERE f.attributes ->> 'city' IS DISTINCT FROM c.city;
SELECT count(*) AS differ FROM crm.customer_facts AS f FULL JOIN (
  SELECT DISTINCT ON (customer_id, channel) customer_id, channel, granted FROM shop.consents WHERE changed_on <= '2025-10-31' ORDER BY customer_id, channel, changed_on DESC, granted) AS c
  ON c.customer_id = f.customer WHERE c.granted IS DISTINCT FROM (c.channel = ANY (consents_on(f.consents, '2025-10-31'))) AND c.customer_id IS NOT NULL;
SELECT count(*) AS codes FROM crm.events;

-- Once more for the same day, nothing is written.
CREATE TEMP VIEW written AS
  SELECT 'facts' AS relation, customer::text AS row, xmin AS written_by FROM crm.customer_facts UNION ALL SELECT 'segments', customer::text, xmin AS written_by FROM crm.customer_segments
  UNION ALL SELECT 'history', concat_ws(' ', customer, axis, valid_from), xmin AS written_by FROM crm.membership_history UNION ALL SELECT 'products', concat_ws(' ', customer, place), xmin AS written_by FROM crm.customer_products
  UNION ALL SELECT 'channels', concat_ws(' ', customer, channel), xmin AS written_by FROM crm.customer_channels UNION ALL SELECT 'moments', concat_ws(' ', customer, moment, begins), xmin AS written_by FROM crm.life_moments
  UNION ALL SELECT 'events', event::text, xmin AS written_by FROM crm.events;
CREATE TEMP TABLE before AS SELECT * FROM written;
CALL refresh('crm', '2025-10-31', false);
SELECT count(*) FILTER (WHERE b.written_by IS DISTINCT FROM w.written_by) AS rows_written, count(*) > 6000 AS many FROM before AS b FULL JOIN written AS w USING (relation, row);
-- A training that sees the same gives the same codes.
CALL refresh('crm', '2025-10-31', true);
SELECT count(*) FILTER (WHERE b.written_by IS DISTINCT FROM w.written_by) AS rows_written FROM before AS b FULL JOIN written AS w USING (relation, row) WHERE relation <> 'segments';
SELECT parameter_set, as_of, status, note FROM crm.parameter_set ORDER BY parameter_set;

-- Days go by; purchases come; two refreshes on one day, where a customer goes and comes back.
CREATE TEMP TABLE snapshots (n integer, as_of date, customer bigint, axis text, code text);
CREATE PROCEDURE pg_temp.note(number integer) LANGUAGE sql AS $$
  INSERT INTO snapshots SELECT number, w.as_of, c.customer, e.key, e.value FROM crm.customer_segments AS c, crm.workspace AS w, jsonb_each_text(to_jsonb(c) - '{customer,segments,since,next_change_at,parameter_set}'::text[]) AS e
  UNION ALL SELECT number, w.as_of, c.customer, 'segment:' || e.key, e.value FROM crm.customer_segments AS c, crm.workspace AS w, jsonb_each_text(c.segments) AS e;
$$;
CALL pg_temp.note(1);
CALL refresh('crm', '2025-11-15', false);
CALL pg_temp.note(2);
CREATE TEMP TABLE gone AS SELECT * FROM shop.orders WHERE customer_id <= 100;
DELETE FROM shop.orders WHERE customer_id <= 100;
DELETE FROM shop.customers WHERE customer_id = 600;
CALL refresh('crm', '2025-11-30', false);
SELECT rfm, count(*) FROM crm.customer_segments WHERE customer <= 100 GROUP BY 1;
CALL pg_temp.note(3);
INSERT INTO shop.orders SELECT * FROM gone;
CALL refresh('crm', '2025-11-30', false);
CALL pg_temp.note(4);
INSERT INTO shop.orders (order_id, customer_id, ordered_on, ordered_at, amount, channel) SELECT -n, n, '2025-11-30', '2025-11-30 12:00+01', 300, 'web' FROM generate_series(1, 50) AS n;
CALL refresh('crm', '2025-11-30', false);
CALL pg_temp.note(5);
CALL refresh('crm', '2025-12-31');
CALL pg_temp.note(6);
SELECT count(*) AS gaps_or_overlaps FROM (
  SELECT h.*, lead(h.valid_from) OVER w AS next, lead(h.code) OVER w AS next_code FROM crm.membership_history AS h WINDOW w AS (PARTITION BY customer, axis ORDER BY valid_from)) AS t
WHERE (next IS NOT NULL AND valid_to IS DISTINCT FROM next) OR next_code = code OR valid_to <= valid_from;
-- History says of each day what the last refresh of the day said.
SELECT s.as_of, count(*) AS rows, count(*) FILTER (WHERE h.code IS DISTINCT FROM s.code) AS differ
FROM snapshots AS s FULL JOIN crm.membership_history AS h ON h.customer = s.customer AND h.axis = s.axis AND h.valid_from <= s.as_of AND (h.valid_to > s.as_of OR h.valid_to IS NULL)
WHERE s.n IN (1, 2, 5, 6) GROUP BY 1 ORDER BY 1;
SELECT count(*) AS open_and_not_current FROM (SELECT customer, axis, code FROM crm.membership_history WHERE valid_to IS NULL EXCEPT SELECT customer, axis, code FROM snapshots WHERE n = 6) AS t;
-- Events: what was left and entered adds up to where everybody is.
SELECT count(*) AS do_not_add_up FROM (
  SELECT customer, axis, code, sum(n) AS n FROM (
    SELECT customer, axis, code, 1 AS n FROM snapshots WHERE n = 1 UNION ALL
    SELECT customer, axis, code, CASE kind WHEN 'entered' THEN 1 ELSE -1 END FROM crm.events WHERE kind <> 'begun' UNION ALL
    SELECT customer, axis, code, -1 FROM snapshots WHERE n = 6) AS t GROUP BY 1, 2, 3 HAVING sum(n) <> 0) AS t;
-- Movements agree with what was noted.
SELECT count(*) AS differ FROM movements('crm', '2025-10-31', '2025-12-31') AS m FULL JOIN (
  SELECT coalesce(a.axis, b.axis) AS axis, a.code AS a, b.code AS b, count(*) AS n FROM (SELECT * FROM snapshots WHERE n = 1) AS a FULL JOIN (SELECT * FROM snapshots WHERE n = 6) AS b USING (customer, axis) GROUP BY 1, 2, 3) AS t
  ON (m.on_axis, m.customers) = (t.axis, t.n) AND m.from_code IS NOT DISTINCT FROM t.a AND m.to_code IS NOT DISTINCT FROM t.b WHERE m.customers IS NULL OR t.n IS NULL;
CALL refused('SELECT * FROM movements(''crm'', ''2025-12-31'', ''2025-12-31'')');
CALL refused('SELECT * FROM movements(''crm'', NULL, ''2025-12-31'')');
-- Drift is that of the day, against the publication before it, however often the day was published.
SELECT as_of, axis, moved, (SELECT count(*) FROM crm.membership_history AS h JOIN crm.membership_history AS b ON (b.customer, b.axis, b.valid_to) = (h.customer, h.axis, h.valid_from) WHERE (h.axis, h.valid_from) = (d.axis, d.as_of)) - moved AS differ
FROM crm.drift AS d WHERE axis IN ('rfm', 'churn') ORDER BY 1, 2;
SELECT as_of, axis, psi IS NULL AS first, psi > 0 AS moved, customers FROM crm.drift WHERE axis IN ('rfm', 'churn') ORDER BY 1, 2;
CALL refresh('crm', '2025-12-30');

-- since: the day of the last change of any code.
SELECT count(*) AS differ FROM crm.customer_segments AS c JOIN (SELECT customer, max(greatest(valid_from, valid_to)) AS moved FROM crm.membership_history GROUP BY 1) AS h USING (customer) WHERE c.since < h.moved;
-- next_change_at: nobody moves by time alone before its day.
CREATE TEMP TABLE due AS SELECT customer, next_change_at FROM crm.customer_segments;
SELECT unregister_segment('crm', 'vip');
-- Sources that stopped hold a refresh: nothing is published, and the log says why. Here time goes on without purchases on purpose.
CALL refresh('crm', '2026-01-10', false);
SELECT phase, status, detail FROM crm.refresh_log ORDER BY refresh DESC, place DESC LIMIT 1;
SELECT as_of FROM crm.workspace;
SELECT configure_workspace('crm', '{"source_silence": "off"}');
CALL refresh('crm', '2026-01-10', false);
CREATE TEMP TABLE due_2 AS SELECT customer, next_change_at, rfm, pmg, churn, future_value FROM crm.customer_segments;
SELECT count(*) FILTER (WHERE next_change_at <= '2026-01-10') AS not_ahead FROM due_2;
CALL refresh('crm', '2026-01-25', false);
SELECT count(*) AS moved, count(*) FILTER (WHERE d.next_change_at IS NULL OR d.next_change_at > '2026-01-25') AS moved_too_early
FROM due_2 AS d JOIN crm.customer_segments AS c USING (customer) WHERE (d.rfm, d.pmg, d.churn, d.future_value) <> (c.rfm, c.pmg, c.churn, c.future_value);
SELECT count(*) AS still_in_vip FROM crm.membership_history WHERE axis = 'segment:vip' AND valid_to IS NULL;

-- Parameter sets: settings hold from the next training on; a roll-back brings the earlier codes back.
CREATE TEMP TABLE of_first AS SELECT customer, rfm, pmg, churn, future_value FROM crm.customer_segments;
SELECT parameter_set AS first FROM crm.workspace \gset
SELECT configure_workspace('crm', '{"churn_medium": 0.2, "churn_high": 0.4, "pmg_gros": 0.1, "rfm_bins": 5, "rfm_map": "rf_10"}');
CALL refresh('crm', '2026-01-25', false);
SELECT count(*) AS moved FROM of_first AS d JOIN crm.customer_segments AS c USING (customer) WHERE (d.rfm, d.pmg, d.churn, d.future_value) <> (c.rfm, c.pmg, c.churn, c.future_value);
CALL refresh('crm', '2026-01-25', true);
SELECT count(*) > 0 AS moved FROM of_first AS d JOIN crm.customer_segments AS c USING (customer) WHERE (d.rfm, d.pmg, d.churn, d.future_value) <> (c.rfm, c.pmg, c.churn, c.future_value);
SELECT register_segment('crm', 'late', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
CALL refused('SELECT use_parameter_set(''crm'', 999)');
CALL refused('SELECT use_parameter_set(''crm'', NULL)');
SELECT use_parameter_set('crm', :first);
CALL refresh('crm', '2026-01-25', false);
SELECT count(*) AS moved FROM of_first AS d JOIN crm.customer_segments AS c USING (customer) WHERE (d.rfm, d.pmg, d.churn, d.future_value) <> (c.rfm, c.pmg, c.churn, c.future_value);
SELECT count(*) FILTER (WHERE status = 'in_use') AS in_use, (SELECT parameter_set = :first FROM crm.workspace) AS the_first FROM crm.parameter_set;
SELECT count(*) FILTER (WHERE segments ? 'late') AS in_late, count(*) FILTER (WHERE segments ? 'vip') AS in_vip FROM crm.customer_segments;
SELECT configure_workspace('crm', '{"rfm_map": "nowhere"}');
CALL refresh('crm', '2026-01-25', true);
SELECT configure_workspace('crm', '{"rfm_map": "classic_11"}');
CALL refresh('crm', '2026-01-25', true);
-- A model that would have predicted worse is not taken.
SELECT configure_workspace('crm', '{"promote_tolerance": 0}');
CALL refresh('crm', '2026-06-30', true);
SELECT p.status, p.note, w.parameter_set = p.parameter_set AS scored_with_it FROM crm.parameter_set AS p, crm.workspace AS w ORDER BY p.parameter_set DESC LIMIT 1;
-- Of nobody who bought in the test period nothing can be said; of some it can.
INSERT INTO shop.orders (order_id, customer_id, ordered_on, ordered_at, amount, channel)
SELECT -1000 - c, c, '2026-05-15', '2026-05-15 12:00+02', 50, 'web' FROM generate_series(3, 600, 3) AS c;
CALL refresh('crm', '2026-06-30', true);
SELECT p.status IN ('in_use', 'rejected') AS decided, p.note LIKE 'Brier score of churn %, against % of parameter set %' AS said,
       (p.status = 'in_use') = (w.parameter_set = p.parameter_set) AS scored_with_it
FROM crm.parameter_set AS p, crm.workspace AS w ORDER BY p.parameter_set DESC LIMIT 1;

-- Previews and overlaps, on the published result.
SELECT code, customers > 0 AS some FROM workspace_segment_preview('crm', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
SELECT (SELECT customers FROM workspace_segment_preview('crm', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}') WHERE code = 'yes') = (SELECT count(*) FROM crm.customer_segments WHERE segments ->> 'late' = 'yes') AS same;
SELECT count(*) AS pairs FROM workspace_segment_overlap('crm');

-- Explanations, in both languages.
SELECT on_axis, code, label, explanation FROM explain('crm', '2') WHERE on_axis IN ('rfm', 'pmg', 'churn', 'future_value', 'segment:late');
SELECT on_axis, code, label, explanation FROM explain('crm', '2', language => 'fr') WHERE on_axis IN ('rfm', 'pmg', 'churn', 'future_value', 'segment:late');
SELECT count(*) AS unfilled FROM (SELECT c.customer FROM crm.customer_segments AS c ORDER BY c.customer LIMIT 60) AS c, unnest('{en,fr}'::text[]) AS l, explain('crm', c.customer::text, language => l) AS e WHERE e.explanation ~ '[{}?]' OR e.explanation IS NULL OR e.label IS NULL;
SELECT count(*) AS axes, count(DISTINCT on_axis) AS distinct_axes FROM explain('crm', '3');
CALL refused('SELECT * FROM explain(''crm'', ''99999'')');
CALL refused('SELECT * FROM explain(''crm'', NULL)');
CALL refused('SELECT * FROM explain(''crm'', ''2'', ''x'')');
CALL refused('SELECT * FROM explain(''crm'', ''2'', ''segment:none'')');
CALL refused('SELECT * FROM explain(''crm'', ''x'')');

-- Views for BI: full once refreshed, and again; labels follow the language at once.
CALL refresh_views('crm');
CALL refresh_views('crm');
CREATE FUNCTION pg_temp.some(relation text) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM crm.%I', relation) INTO n; RETURN n > 0; END $$;
SELECT relname, pg_temp.some(relname) AS has_rows FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'm' AND relname NOT IN ('bi_moments_ahead', 'bi_top_products') ORDER BY relname;
SELECT axis, sum(customers) = (SELECT count(*) FROM crm.customer_segments) AS all_customers, round(sum(share)::numeric, 4) AS shares FROM crm.bi_segment_size WHERE axis NOT LIKE 'segment:%' GROUP BY axis ORDER BY axis;
SELECT sum(turnover) = (SELECT sum(turnover) FROM crm.customer_scores WHERE turnover > 0) AS all_turnover, max(turnover_share) AS share FROM crm.bi_pmg_curve;
SELECT sum(customers) = (SELECT count(*) FROM crm.customer_scores WHERE r IS NOT NULL) AS all_buyers FROM crm.bi_rfm_grid;
SELECT count(*) AS differ FROM (TABLE crm.customer_scores EXCEPT TABLE crm.customer_scores_stored) AS t;
SELECT count(*) AS more_reached_than_there_are FROM crm.bi_reach WHERE reachable > customers;
SELECT bool_and(share = 1) AS all_of_month_0, bool_and(share <= 1) AS shares FROM crm.bi_cohort_retention WHERE months = 0;
SELECT configure_workspace('crm', '{"language": "fr"}');
CALL refresh_views('crm');
SELECT code, label FROM crm.bi_segment_size WHERE axis = 'churn' ORDER BY code;

-- A dump brings numbers of transactions that this server has not come to: a reader of events loses nothing by it.
SELECT confirm_events('crm', 'outbox', (SELECT max(event) FROM read_events('crm', 'outbox', 200)));
SELECT count(*) AS unread FROM read_events('crm', 'outbox', 100000) \gset
UPDATE crm.events SET transaction = (transaction::text::bigint + 1000000000000)::text::xid8;
UPDATE crm.event_reader SET transaction = (transaction::text::bigint + 1000000000000)::text::xid8;
SELECT count(*) = :unread AS same FROM read_events('crm', 'outbox', 100000);
SELECT max(event) AS newest FROM crm.events \gset
CALL refresh('crm', '2026-09-30', false);
SELECT count(*) FILTER (WHERE event <= :newest) = :unread AS same, count(*) FILTER (WHERE event > :newest) > 0 AS new_ones_too FROM read_events('crm', 'outbox', 100000);

-- Nothing is left.
SELECT count(*) AS stage_tables FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relname LIKE 'stage\_%';
CREATE TEMP TABLE triggers AS SELECT oid FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace);
SELECT drop_workspace('crm');
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname = 'crm';
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory';

-- Hostile names, in every place where a name comes from a user; keys are texts with quotes.
CREATE SCHEMA "sho""p.%s";
CREATE TABLE "sho""p.%s"."{facts} %1$s $1 ""o""" ("cl'ie""nt" varchar(40), "d.%I" timestamptz, "mon\tant {as_of}" money);
INSERT INTO "sho""p.%s"."{facts} %1$s $1 ""o""" SELECT 'é''"\ ' || n % 150, timestamptz '2024-01-01 23:30Z' + make_interval(days => n * 7 % 700), (n % 37)::money FROM generate_series(1, 2000) AS n;
CREATE TABLE "sho""p.%s"."clients @ws@" ("cl'ie""nt" text, "{as_of}" integer, "{facts}" text, "%s' ""x" boolean, "@ws@\" numeric, "$1" text, "été {profile_features}" real);
INSERT INTO "sho""p.%s"."clients @ws@" SELECT 'é''"\ ' || n, n % 7, CASE n % 3 WHEN 0 THEN '{as_of}' WHEN 1 THEN '%s''"' ELSE '\' END, n % 2 = 0, n % 11, '$1' || n % 4, n % 5 FROM generate_series(0, 149) AS n;
SELECT create_workspace('@ws@ "%s" {facts}.é''\ $1', 'text', 'UTC'), configure_workspace('@ws@ "%s" {facts}.é''\ $1', '{"source_silence": "off"}');
SELECT add_source('@ws@ "%s" {facts}.é''\ $1', 'purchases', '"sho""p.%s"."{facts} %1$s $1 ""o"""', '{"customer": "cl''ie\"nt", "purchased_on": "d.%I", "amount": "mon\\tant {as_of}"}');
SELECT add_source('@ws@ "%s" {facts}.é''\ $1', 'customers', '"sho""p.%s"."clients @ws@"', '{"customer": "cl''ie\"nt"}');
SELECT register_segment('@ws@ "%s" {facts}.é''\ $1', 'odd', '{"kind": "rules", "default": "%s {as_of} ''\"", "segments": [{"segment": "$1''\\", "when": {"field": "{facts}", "=": "%s''\""}}]}');
SELECT override_segment('@ws@ "%s" {facts}.é''\ $1', 'odd', 'é''"\ 5', 'it''s {as_of} %s');
SELECT configure_workspace('@ws@ "%s" {facts}.é''\ $1', '{"profile_features": ["$1", "%s'' \"x", "@ws@\\", "{as_of}", "{facts}", "été {profile_features}"]}');
CALL refresh('@ws@ "%s" {facts}.é''\ $1', '2025-12-31');
CALL refresh('@ws@ "%s" {facts}.é''\ $1', '2026-01-31', false);
SELECT profile_features, readiness FROM "@ws@ ""%s"" {facts}.é'\ $1".parameter_set;
SELECT segments ->> 'odd' AS odd, count(*), count(DISTINCT profile) > 1 AS profiles, bool_or(churn = 'insufficient_data') AS unknown FROM "@ws@ ""%s"" {facts}.é'\ $1".customer_segments GROUP BY 1 ORDER BY 1;
SELECT count(*) AS scores, count(churn_probability) AS churn, count(profile) AS profiles FROM "@ws@ ""%s"" {facts}.é'\ $1".customer_scores;
SELECT count(*) AS differ FROM "@ws@ ""%s"" {facts}.é'\ $1".customer_scores AS s JOIN "@ws@ ""%s"" {facts}.é'\ $1".customer_segments AS c USING (customer) WHERE s.profile IS DISTINCT FROM c.profile;
SELECT on_axis, code, explanation FROM explain('@ws@ "%s" {facts}.é''\ $1', 'é''"\ 5') WHERE on_axis IN ('rfm', 'segment:odd');
CALL refresh_views('@ws@ "%s" {facts}.é''\ $1');
SELECT axis, count(*) FROM "@ws@ ""%s"" {facts}.é'\ $1".bi_segment_size WHERE axis = 'segment:odd' GROUP BY 1;
SELECT item, status FROM workspace_check('@ws@ "%s" {facts}.é''\ $1') WHERE item LIKE 'source%';
-- A day is that of the workspace: 23:30 UTC is the next day in Paris.
SELECT count(*) AS not_that_day FROM "@ws@ ""%s"" {facts}.é'\ $1".customer_facts AS f, days(f.history) AS d WHERE (d.day - date '2024-01-01') % 7 <> 0;
SELECT count(*) FROM movements('@ws@ "%s" {facts}.é''\ $1', '2025-12-31', '2026-01-31', 'churn') WHERE customers < 0;
SELECT drop_workspace('@ws@ "%s" {facts}.é''\ $1');
DROP SCHEMA "sho""p.%s" CASCADE;

-- uuid keys, several sources of one kind, domains, and lines without orders: netted by order.
CREATE SCHEMA web;
CREATE DOMAIN web.euro AS numeric CHECK (value > -1000);
CREATE TABLE web.lines (client_id uuid, sku integer, id_commande bigint, date_commande timestamp, montant web.euro);
CREATE TABLE web.shop_lines (client_id uuid, sku text, id_commande text, date_commande date, montant double precision, quantite integer);
INSERT INTO web.lines SELECT md5((n % 120)::text)::uuid, n % 9, n / 2, timestamp '2024-01-01' + make_interval(days => n / 2 % 700), n % 13 - 2 FROM generate_series(1, 3000) AS n;
INSERT INTO web.shop_lines SELECT md5((n % 120)::text)::uuid, 'p' || n % 9, 's' || n, date '2024-02-01' + n % 600, n % 7, 1 FROM generate_series(1, 1000) AS n;
INSERT INTO web.shop_lines VALUES (NULL, 'p', 'x', '2024-01-01', 1, 1), (md5('1')::uuid, NULL, NULL, NULL, NULL, NULL);
SELECT create_workspace('web_crm', 'uuid'), configure_workspace('web_crm', '{"source_silence": "off"}');
CALL refused('SELECT add_source(''web_crm'', ''purchases'', ''shop.orders'')');
SELECT add_source('web_crm', 'purchase_lines', 'web.lines'), add_source('web_crm', 'purchase_lines', 'web.shop_lines');
CALL refresh('web_crm', '2026-01-01');
SELECT count(*) AS differ FROM web_crm.customer_facts AS f FULL JOIN (
  SELECT o.client_id, purchase_history(o.d, o.amount) AS h FROM (
    SELECT client_id, id_commande::text AS o, date_commande::date AS d, sum(montant::numeric) AS amount FROM web.lines GROUP BY 1, 2, 3 UNION ALL
    SELECT client_id, id_commande, date_commande, sum(montant::numeric) FROM web.shop_lines WHERE client_id IS NOT NULL GROUP BY 1, 2, 3) AS o GROUP BY 1) AS o
  ON o.client_id = f.customer WHERE f.history IS DISTINCT FROM o.h;
SELECT item, status, detail FROM workspace_check('web_crm') WHERE item NOT LIKE 'source%' AND item NOT IN ('axis product_appetence', 'axis loyalty', 'axis life_moment');
SELECT drop_workspace('web_crm');
DROP SCHEMA web CASCADE;

-- Nobody and nothing: an empty source; a customer alone; purchases all ahead; a day far away.
CREATE TABLE shop.nothing (customer_id bigint, purchased_on date, amount numeric);
SELECT create_workspace('empty');
SELECT add_source('empty', 'purchases', 'shop.nothing');
CALL refresh('empty', '2025-12-31');
SELECT count(*) AS customers FROM empty.customer_segments;
SELECT DISTINCT value FROM empty.parameter_set, jsonb_each(readiness) WHERE key IN ('rfm', 'churn');
INSERT INTO shop.nothing VALUES (1, '2025-01-01', 0), (2, '2030-01-01', 10), (3, NULL, 5), (4, '2025-01-01', NULL);
CALL refresh('empty', '2026-01-01', true);
SELECT customer, rfm, pmg, churn, future_value FROM empty.customer_segments ORDER BY customer;
SELECT configure_workspace('empty', '{"minimum_buyers": 1, "minimum_repeaters": 1, "minimum_history": "1 day"}');
INSERT INTO shop.nothing VALUES (1, '2025-03-01', 20);
CALL refresh('empty', '2026-01-02', true);
SELECT customer, rfm, pmg, churn, future_value FROM empty.customer_segments ORDER BY customer;
CALL refresh_views('empty');
SELECT count(*) AS explained FROM unnest('{1,2,3,4}'::text[]) AS c, explain('empty', c);
CALL refresh('empty', '9999-12-31');
CALL refresh('empty', '9999-12-31', ahead => true);
CALL refresh('empty', '5874897-12-31');
CALL refresh('empty', '5874897-12-31', ahead => true);
SELECT drop_workspace('empty');
SELECT count(*) AS workspaces FROM workspaces();
DROP SCHEMA shop CASCADE;

-- Dates that are none, or never, and a product with two rows: one customer's bad value does not stop the others.
CREATE SCHEMA faulty;
CREATE TABLE faulty.lines AS
  SELECT i % 120 AS customer_id, i AS order_id, i % 3 AS product_id, date '2025-01-01' + (i * 7919 % 300) AS ordered_on, i % 90 AS amount FROM generate_series(1, 1200) AS i;
CREATE TABLE faulty.products AS SELECT * FROM (VALUES (0, 'a'), (1, 'b'), (1, 'c'), (2, NULL)) AS p (product_id, category);
CREATE TABLE faulty.people AS SELECT i AS customer_id, CASE i WHEN 1 THEN '2024-02-31' WHEN 2 THEN 'x' ELSE '1990-12-31' END AS birth_date FROM generate_series(0, 119) AS i;
CREATE TABLE faulty.changes AS SELECT 3 AS customer_id, 'city' AS attribute, date 'infinity' AS changed_on, 'a' AS old_value, 'b' AS new_value;
SELECT create_workspace('faults'), configure_workspace('faults', '{"source_silence": "off"}');
SELECT configure_workspace('faults', '{"product_level": "category", "purchase_family": "bg_nbd"}');
SELECT count(add_source('faults', kind, relation, mapping)) FROM (VALUES ('purchase_lines', 'faulty.lines'::regclass, '{}'::jsonb), ('products', 'faulty.products', '{}'),
  ('customers', 'faulty.people', '{"birth_date": null}'), ('attribute_history', 'faulty.changes', '{}')) AS s (kind, relation, mapping);
CALL refresh('faults', '2025-12-31');
SELECT customer, life_moment FROM faults.customer_segments WHERE customer IN (1, 2, 3) ORDER BY customer;
SELECT count(*) FROM faults.life_moments WHERE moment = 'anniversary';
SELECT i.item, sum(i.purchases) FROM faults.customer_facts AS f, items(f.items) AS i GROUP BY i.item ORDER BY i.item;
-- Another level of products needs another model, whatever was asked.
SELECT configure_workspace('faults', '{"product_level": "product"}');
CALL refresh('faults', '2025-12-31', retrain => false);
SELECT max(parameter_set) FROM faults.parameter_set;
SELECT drop_workspace('faults');
DROP SCHEMA faulty CASCADE;
