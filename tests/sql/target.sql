-- Targets: a planted cause is found and calibrated out of time; outcomes by brute force; features know nothing of later;
-- definitions; rules; a refresh and refresh_changed agree.
SET search_path = public, segmentation;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set VERBOSITY terse

-- 2,400 customers who buy food on one day of each 30. In each 60 days toys are bought with a probability of logistic(-3 + 2
-- children): nothing else tells. The member card is given to who has bought toys: what it is today knows what came later.
CREATE SCHEMA toy;
CREATE FUNCTION toy.chance(VARIADIC given integer[]) RETURNS double precision LANGUAGE sql IMMUTABLE
  AS $$ SELECT (hashtextextended(array_to_string(given, ' '), 7) & 1048575) / 1048576.0 $$;
CREATE TABLE toy.customers AS
  SELECT n AS customer_id, toy.chance(n, 1) < 0.4 AS children, (ARRAY['north', 'south', 'west'])[1 + n % 3] AS region, false AS card FROM generate_series(1, 2400) AS n;
CREATE TABLE toy.lines AS
  SELECT c.customer_id, date '2025-12-31' - (30 * b + floor(30 * toy.chance(c.customer_id, b, 2))::integer) AS ordered_on, 'food-' || c.customer_id % 7 AS product_id, 20 AS amount
  FROM toy.customers AS c CROSS JOIN generate_series(0, 23) AS b WHERE toy.chance(c.customer_id, b, 3) < 0.5
  UNION ALL
  SELECT c.customer_id, date '2025-12-31' - (60 * b + floor(60 * toy.chance(c.customer_id, b, 4))::integer), 'toy-' || c.customer_id % 5, 30
  FROM toy.customers AS c CROSS JOIN generate_series(0, 11) AS b WHERE toy.chance(c.customer_id, b, 5) < 1 / (1 + exp(3 - 2 * c.children::integer));
ALTER TABLE toy.lines ADD COLUMN order_id text;
UPDATE toy.lines SET order_id = concat_ws(' ', customer_id, ordered_on, left(product_id, 1));
CREATE TABLE toy.products AS SELECT DISTINCT product_id, CASE WHEN product_id LIKE 'toy%' THEN 'toys' ELSE 'food' END AS category FROM toy.lines;
UPDATE toy.customers AS c SET card = true WHERE EXISTS (SELECT FROM toy.lines AS l WHERE l.customer_id = c.customer_id AND l.product_id LIKE 'toy%' AND l.ordered_on <= '2025-12-31');
CREATE TABLE toy.attribute_history AS
  SELECT l.customer_id, 'card' AS attribute, min(l.ordered_on) + 1 AS changed_on, 'false' AS old_value, 'true' AS new_value FROM toy.lines AS l WHERE l.product_id LIKE 'toy%' GROUP BY 1 HAVING min(l.ordered_on) < '2025-12-31';
CREATE TABLE toy.contacts AS
  SELECT c.customer_id, (ARRAY['email', 'sms'])[1 + b % 2] AS channel, (date '2025-12-31' - (20 * b + c.customer_id % 20))::timestamp AT TIME ZONE 'Europe/Paris' AS sent_at,
    CASE WHEN toy.chance(c.customer_id, b, 6) < 0.15 + 0.2 * (c.customer_id % 2) THEN 'click' END AS response, NULL::timestamptz AS responded_at
  FROM toy.customers AS c CROSS JOIN generate_series(0, 30) AS b WHERE toy.chance(c.customer_id, b, 7) < 0.3;
CREATE TABLE toy.interactions AS
  SELECT c.customer_id, (ARRAY['visit', 'complaint'])[1 + (toy.chance(c.customer_id, b, 8) < 0.3)::integer] AS kind, (date '2025-12-31' - (25 * b + c.customer_id % 25))::timestamp AT TIME ZONE 'Europe/Paris' AS occurred_at
  FROM toy.customers AS c CROSS JOIN generate_series(0, 25) AS b WHERE toy.chance(c.customer_id, b, 9) < 0.1 + 0.1 * (c.customer_id % 3);
CREATE TABLE toy.consents AS SELECT customer_id, 'email' AS channel, true AS granted, date '2024-06-01' + customer_id % 400 AS changed_on FROM toy.customers;
CREATE TABLE toy.subscriptions AS
  SELECT s.customer_id, s.plan, 9 AS price, s.started_on, CASE WHEN s.ended_on <= '2025-12-31' THEN s.ended_on END AS ended_on
  FROM (SELECT c.customer_id, (ARRAY['basic', 'full'])[1 + c.customer_id % 2] AS plan, date '2024-03-01' + c.customer_id % 300 AS started_on,
      date '2024-03-01' + c.customer_id % 300 + (30 - 700 * ln(toy.chance(c.customer_id, 10) + 1e-6) * (1 + c.customer_id % 2))::integer AS ended_on FROM toy.customers AS c WHERE c.customer_id % 2 = 0 OR c.customer_id % 3 = 0) AS s;

SELECT format('CREATE INDEX ON toy.%I (customer_id)', t) FROM unnest('{customers,lines,contacts,interactions,consents,subscriptions,attribute_history}'::text[]) AS t \gexec
ANALYZE;

SELECT create_workspace('crm', 'integer');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": {"category": "toys"}}'')');
SELECT count(add_source('crm', kind, relation)) AS sources FROM (VALUES ('purchase_lines', 'toy.lines'::regclass), ('products', 'toy.products'), ('customers', 'toy.customers'), ('attribute_history', 'toy.attribute_history'),
  ('contacts', 'toy.contacts'), ('interactions', 'toy.interactions'), ('consents', 'toy.consents'), ('subscriptions', 'toy.subscriptions')) AS s (kind, relation);

-- Definitions: what is wrong is said, with what was probably meant.
SELECT given, segmentation_internal.target_form_fault(given) AS fault FROM (VALUES
  ('{"buys": {"category": "toys"}}'::jsonb), ('{"buys": true, "among": "prospects"}'), ('{"buys_nothing": {"product": ["a", "b"]}, "attributes": []}'), ('[]'), ('{}'), ('{"among": "all"}'),
  ('{"buy": {"category": "toys"}}'), ('{"colour": 1}'), ('{"buys": true, "responds": true}'), ('{"buys": {"categry": "toys"}}'), ('{"buys": {"category": 5}}'), ('{"buys": {"category": []}}'), ('{"buys": {"category": ["a", 1]}}'),
  ('{"buys": {"category": "a", "product": "b"}}'), ('{"buys": false}'), ('{"responds": {"channel": ["a"]}}'), ('{"interaction": {"kind": ""}}'), ('{"subscription_ends": {"plan": null}}'), ('{"buys": true, "among": "some"}'), ('{"buys": true, "attributes": "a"}')) AS v (given);
SELECT segmentation_internal.nearest_name(a, ARRAY[b]) AS nearest, a, b FROM (VALUES ('kiten', 'sitting'), ('', 'abc'), ('same', 'SAME'), ('é', 'e'), ('ab', 'xy'), ('smae', 'same')) AS v (a, b);
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": {"category": "toyz"}}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": {"category": ["food", "Spielzeug"]}}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": {"product": "toy-9"}}'')');
CALL refused('SELECT workspace_target(''crm'', ''mail'', ''{"responds": {"channel": "e-mail"}}'')');
CALL refused('SELECT workspace_target(''crm'', ''angry'', ''{"interaction": {"kind": "complaints"}}'')');
CALL refused('SELECT workspace_target(''crm'', ''quits'', ''{"subscription_ends": {"plan": "fulll"}}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": true, "attributes": ["region", "kids"]}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": true, "attributes": ["childrens"]}'')');
CALL refused('SELECT workspace_target(''crm'', ''Toys'', ''{"buys": true}'')');
CALL refused('SELECT workspace_target(''crm'', ''churn'', ''{"buys": true}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": true}'', ''3 months'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": true}'', ''0 days'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', ''{"buys": true}'', ''5000 days'')');
CALL refused('SELECT workspace_target(''crm'', NULL, ''{"buys": true}'')');
CALL refused('SELECT workspace_target(''crm'', ''toys'', NULL)');
CALL refused('SELECT drop_workspace_target(''crm'', ''toys'')');

SELECT workspace_target('crm', 'toys', '{"buys": {"category": "toys"}, "attributes": ["children", "card", "region"]}', '60 days');
SELECT workspace_target('crm', 'toy_3', '{"buys": {"product": ["toy-3", "toy-4"]}}', '60 days', 'Buys one of two toys');
SELECT workspace_target('crm', 'nothing', '{"buys_nothing": true, "among": "buyers"}', '30 days');
SELECT workspace_target('crm', 'answers', '{"responds": {"channel": " Email"}}', '60 days');
SELECT workspace_target('crm', 'complains', '{"interaction": {"kind": "complaint"}}', '60 days');
SELECT workspace_target('crm', 'quits', '{"subscription_ends": true}', '90 days');
SELECT workspace_target('crm', 'first', '{"buys": true, "among": "prospects"}', '60 days');
SELECT item, status, detail FROM workspace_check('crm') WHERE item LIKE 'target%';
CALL refresh('crm', '2025-12-31');
SELECT item, status, detail FROM workspace_check('crm') WHERE item LIKE 'target%';
SELECT key AS target, value -> 'days' AS days, value ->> 'rows' AS rows, value ->> 'events' AS events, value -> 'plan' AS plan FROM crm.parameter_set, jsonb_each(targets) ORDER BY 1;

-- The cause: its coefficient within three errors of 2, the others within three of 0; the card is as it was on each day.
SELECT c.feature, c.level, abs(c.estimate - CASE c.feature WHEN 'attribute children' THEN 2 ELSE 0 END) < 3 * c.standard_error AS as_planted
FROM crm.parameter_set, churn_coefficients(targets #> '{toys,model}') AS c WHERE c.feature LIKE 'attribute%' ORDER BY 1, 2;
-- Out of time: the total, the slope, the order (with the true probabilities the AUC would be the same).
SELECT (q ->> 'n')::integer AS n, abs((q ->> 'expected_total')::float - (q ->> 'actual_total')::float) < 3 * sqrt((q ->> 'actual_total')::float) AS total, abs((q #>> '{calibration,slope}')::float - 1) < 0.25 AS slope,
  abs((q ->> 'auc')::float - (t ->> 'auc')::float) < 0.02 AS auc
FROM crm.parameter_set, LATERAL (SELECT targets #> '{toys,quality}' AS q) AS q, LATERAL (
  SELECT prediction_quality(1 / (1 + exp(3 - 2 * c.children::integer)), EXISTS (SELECT FROM toy.lines AS l WHERE l.customer_id = c.customer_id AND l.product_id LIKE 'toy%' AND l.ordered_on > '2025-11-01' AND l.ordered_on <= '2025-12-31')) AS t
  FROM toy.customers AS c WHERE EXISTS (SELECT FROM toy.lines AS l WHERE l.customer_id = c.customer_id AND l.ordered_on <= '2025-11-01')) AS t;
-- What is said of now: means by group, beside the truth.
SELECT c.children, count(*) > 500 AS many, abs(avg(t.probability) - 1 / (1 + exp(3 - 2 * c.children::integer))) < 0.04 AS near_the_truth, stddev(t.probability) < 0.05 AS alike
FROM crm.customer_targets AS t JOIN toy.customers AS c ON c.customer_id = t.customer WHERE t.target = 'toys' GROUP BY 1;

-- Outcomes by brute force, on two days, of every kind.
CREATE VIEW toy.day AS SELECT d.day, d.day + 60 AS until FROM (VALUES (date '2025-08-15'), (date '2025-10-31')) AS d (day);
CREATE FUNCTION toy.happened(plan jsonb, f crm.customer_facts, day date, until date) RETURNS boolean LANGUAGE sql
  AS $$ SELECT segmentation_internal.target_happened(plan, segmentation_internal.target_purchases(plan, f.history, f.items, f.categories), f.contacts, f.interactions, f.subscriptions, day, until) $$;
SELECT count(*) FILTER (WHERE a.toys AND b.toys) AS toys, count(*) FILTER (WHERE a.toys <> b.toys) AS wrong, count(*) FILTER (WHERE b.nothing) AS nothing, count(*) FILTER (WHERE a.nothing <> b.nothing) AS wrong,
  count(b.answers) AS written_to, count(*) FILTER (WHERE b.answers) AS answers, count(*) FILTER (WHERE a.answers IS DISTINCT FROM b.answers) AS wrong,
  count(*) FILTER (WHERE b.complains) AS complains, count(*) FILTER (WHERE a.complains <> b.complains) AS wrong, count(*) FILTER (WHERE b.quits) AS quits, count(*) FILTER (WHERE a.quits <> b.quits) AS wrong
FROM toy.day AS d CROSS JOIN crm.customer_facts AS f
CROSS JOIN LATERAL (SELECT p.targets FROM crm.parameter_set AS p) AS p
CROSS JOIN LATERAL (SELECT toy.happened(targets #> '{toys,plan}', f, d.day, d.until) AS toys, toy.happened(targets #> '{nothing,plan}', f, d.day, d.until) AS nothing, toy.happened(targets #> '{answers,plan}', f, d.day, d.until) AS answers,
  toy.happened(targets #> '{complains,plan}', f, d.day, d.until) AS complains, toy.happened(targets #> '{quits,plan}', f, d.day, d.until) AS quits) AS a
CROSS JOIN LATERAL (SELECT
  EXISTS (SELECT FROM toy.lines AS l WHERE l.customer_id = f.customer AND l.product_id LIKE 'toy%' AND l.ordered_on > d.day AND l.ordered_on <= d.until) AS toys,
  NOT EXISTS (SELECT FROM toy.lines AS l WHERE l.customer_id = f.customer AND l.ordered_on > d.day AND l.ordered_on <= d.until) AS nothing,
  (SELECT bool_or(c.response IS NOT NULL) FROM toy.contacts AS c WHERE c.customer_id = f.customer AND c.channel = 'email' AND c.sent_at::date > d.day AND c.sent_at::date <= d.until) AS answers,
  EXISTS (SELECT FROM toy.interactions AS i WHERE i.customer_id = f.customer AND i.kind = 'complaint' AND i.occurred_at::date > d.day AND i.occurred_at::date <= d.until) AS complains,
  EXISTS (SELECT FROM toy.subscriptions AS s WHERE s.customer_id = f.customer AND s.started_on <= d.day AND s.ended_on > d.day AND s.ended_on <= d.until) AS quits) AS b;

-- No leak: features of a day are those of facts that end on it.
SELECT count(*) AS customers, count(*) FILTER (WHERE a.features <> b.features) AS differ, count(DISTINCT b.features) > 200 AS many
FROM crm.customer_facts AS f
CROSS JOIN LATERAL (SELECT p.targets #> '{toys,plan}' || '{"weights": {"weights": {"*": 0, "complaint": 1}}}' AS plan FROM crm.parameter_set AS p) AS p
CROSS JOIN LATERAL (SELECT date '2025-10-31' AS day) AS d
CROSS JOIN LATERAL (SELECT segmentation_internal.target_features(p.plan, f.history, segmentation_internal.target_purchases(p.plan, f.history, f.items, f.categories), f.items, f.contacts, f.interactions, f.consents, f.subscriptions, f.company, f.attributes, f.attribute_changes, d.day) AS features) AS a
CROSS JOIN LATERAL (SELECT
  (SELECT purchase_history(l.ordered_on, l.amount::numeric) FROM (SELECT order_id, ordered_on, sum(amount) AS amount FROM toy.lines AS l WHERE l.customer_id = f.customer AND l.ordered_on <= d.day GROUP BY 1, 2) AS l) AS history,
  (SELECT item_history(l.product_id, l.ordered_on, 1, l.amount::numeric) FROM toy.lines AS l WHERE l.customer_id = f.customer AND l.ordered_on <= d.day) AS items,
  (SELECT item_history(q.category, l.ordered_on, 1, l.amount::numeric) FROM toy.lines AS l JOIN toy.products AS q USING (product_id) WHERE l.customer_id = f.customer AND l.ordered_on <= d.day) AS categories,
  (SELECT contact_history(c.channel, c.sent_at::date, CASE WHEN c.sent_at::date <= d.day - 7 THEN c.response END) FROM toy.contacts AS c WHERE c.customer_id = f.customer AND c.sent_at::date <= d.day) AS contacts,
  (SELECT interaction_history(i.kind, i.occurred_at::date) FROM toy.interactions AS i WHERE i.customer_id = f.customer AND i.occurred_at::date <= d.day) AS interactions,
  (SELECT consent_history(c.channel, c.granted, c.changed_on) FROM toy.consents AS c WHERE c.customer_id = f.customer AND c.changed_on <= d.day) AS consents,
  (SELECT jsonb_agg(jsonb_build_object('plan', s.plan, 'started_on', s.started_on, 'ended_on', CASE WHEN s.ended_on <= d.day THEN s.ended_on END)) FROM toy.subscriptions AS s WHERE s.customer_id = f.customer AND s.started_on <= d.day) AS subscriptions,
  (SELECT to_jsonb(c) || jsonb_build_object('card', EXISTS (SELECT FROM toy.attribute_history AS h WHERE h.customer_id = c.customer_id AND h.changed_on <= d.day)) FROM toy.customers AS c WHERE c.customer_id = f.customer) AS attributes) AS k
CROSS JOIN LATERAL (SELECT segmentation_internal.target_features(p.plan, k.history, segmentation_internal.target_purchases(p.plan, k.history, k.items, k.categories), k.items, k.contacts, k.interactions, k.consents, k.subscriptions, NULL, k.attributes, NULL, d.day) AS features) AS b
WHERE f.customer <= 400;
SELECT segmentation_internal.target_attribute('{"size": 4, "name": "a"}', c, 'size', 'number', day) AS size, segmentation_internal.target_attribute('{"size": 4, "name": "a"}', c, 'name', 'string', day) AS name, day
FROM (SELECT '[{"attribute": "size", "changed_on": "2025-03-01", "old": "2", "new": "3"}, {"attribute": "name", "changed_on": "2025-03-05", "old": "z", "new": "a"}, {"attribute": "size", "changed_on": "2025-06-01", "old": "3", "new": "4"}]'::jsonb AS c) AS c,
  unnest('{2025-02-28,2025-03-01,2025-05-31,2025-06-01,2026-01-01}'::date[]) AS day;
SELECT segmentation_internal.target_attribute('{"size": 4}', NULL, 'size', 'number', '2025-01-01') AS as_it_is, segmentation_internal.target_attribute('{"size": "many"}', NULL, 'size', 'number', '2025-01-01') AS no_number,
  segmentation_internal.target_attribute('{"card": "T"}', NULL, 'card', 'boolean', '2025-01-01') AS yes, segmentation_internal.target_attribute('{"card": 1}', NULL, 'card', 'boolean', '2025-01-01') AS neither, segmentation_internal.target_attribute('{}', NULL, 'size', 'number', '2025-01-01') AS none;
SELECT segmentation_internal.target_days('2025-12-31', 60, '2024-01-01') AS four, segmentation_internal.target_days('2025-12-31', 7, '2025-11-01') AS short, segmentation_internal.target_days('2025-12-31', 90, '2025-06-01') AS one, segmentation_internal.target_days('2025-12-31', 90, NULL) AS none;

-- Thin and weak.
SELECT what, segmentation_internal.target_gate(fitted, days, 60, 500) AS gate FROM (VALUES
  ('one day', 1, '{}'::jsonb), ('few', 4, '{"events": 29}'), ('nobody in the test', 4, '{"events": 300, "quality": {"auc": null}}'),
  ('good', 4, '{"events": 300, "model": {"warnings": []}, "quality": {"auc": 0.8, "n": 1000, "actual_total": 300, "brier_skill": 0.2, "brier_skill_error": 0.02, "calibration": {"slope": 1}}}'),
  ('weak', 4, '{"events": 300, "model": {"warnings": [{"code": "leak_suspected"}]}, "quality": {"auc": 0.8, "n": 1000, "actual_total": 300, "brier_skill": 0.01, "brier_skill_error": 0.02, "calibration": {"slope": 3}}}')) AS v (what, days, fitted);

-- In words.
SELECT on_axis, label, regexp_replace(explanation, '\d+[.,]?\d*', 'N', 'g') AS explanation FROM explain('crm', '1') WHERE on_axis LIKE 'target:%';
SELECT label, regexp_replace(explanation, '\d+[.,]?\d*', 'N', 'g') AS explanation FROM explain('crm', '4', 'target:toys', 'fr');
SELECT numbers - '{probability,percent,base_rate,base_percent}'::text[] AS numbers, (numbers ->> 'probability')::float = (SELECT probability FROM crm.customer_targets WHERE customer = 4 AND target = 'toys') AS same FROM explain('crm', '4', 'target:toys');
SELECT feature, value, contribution > 0 AS raises, regexp_replace(words, '\d+[.,]?\d*', 'N', 'g') AS words FROM target_explain('crm', (SELECT min(customer_id)::text FROM toy.customers WHERE children), 'toys') LIMIT 1;
SELECT feature, value, contribution > 0 AS raises, regexp_replace(words, '\d+[.,]?\d*', 'N', 'g') AS words FROM target_explain('crm', (SELECT min(customer_id)::text FROM toy.customers WHERE NOT children), 'toys', 'fr') LIMIT 1;
CALL refused('SELECT * FROM target_explain(''crm'', ''1'', ''nowhere'')');
CALL refused('SELECT * FROM target_explain(''crm'', ''1'', NULL)');
CALL refused('SELECT * FROM target_explain(''crm'', ''99999'', ''toys'')');
CALL refused('SELECT * FROM explain(''crm'', ''1'', ''target:nowhere'')');
SELECT s.topic AS without_its_twin FROM workspace_sentence AS s WHERE s.topic ~ '^(target|driver|feature)' GROUP BY s.topic HAVING count(*) <> 2;
SELECT DISTINCT c.feature AS feature_without_words FROM crm.parameter_set, jsonb_each(targets) AS t, churn_coefficients(t.value -> 'model') AS c
WHERE c.feature <> '' AND c.feature NOT LIKE 'attribute %' AND NOT EXISTS (SELECT FROM workspace_sentence AS s WHERE s.topic = 'feature.' || segmentation_internal.target_driver(c.feature));

-- In rules, and in previews of them.
SELECT register_segment('crm', 'toy_fans', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "toys_probability", ">=": 0.15}}]}');
SELECT code, customers = (SELECT count(*) FROM crm.customer_targets WHERE target = 'toys' AND (probability >= 0.15) = (code = 'yes')) AS as_the_view, customers > 300 AS many
FROM workspace_segment_preview('crm', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "toys_probability", ">=": 0.15}}]}') ORDER BY 1;
SELECT segmentation.start_capture('crm', kind, relation) FROM (SELECT s.kind, s.relation FROM crm.source AS s WHERE s.kind <> 'products' ORDER BY s.source) AS s \g /dev/null
CALL refresh('crm', '2025-12-31', false);
SELECT count(*) FILTER (WHERE (c.segments ->> 'toy_fans' = 'yes') <> (t.probability >= 0.15)) AS wrong, count(*) > 2000 AS all_of_them FROM crm.customer_segments AS c JOIN crm.customer_targets AS t ON t.customer = c.customer AND t.target = 'toys';
SELECT numbers -> 'segments' IS NOT NULL OR numbers <> '{}' AS has_numbers, numbers::text LIKE '%toys_probability%' AS says_which FROM explain('crm', '1', 'segment:toy_fans');
-- Changes and time: the same by refresh_changed as by a refresh.
INSERT INTO toy.lines SELECT n, '2026-01-03', 'toy-1', 30, 'new ' || n FROM generate_series(1, 50) AS n;
INSERT INTO toy.lines SELECT 2400 + n, '2026-01-05', 'food-1', 30, 'new ' || 2400 + n FROM generate_series(1, 20) AS n;
DELETE FROM toy.contacts WHERE customer_id BETWEEN 60 AND 90;
INSERT INTO toy.interactions SELECT n, 'complaint', timestamptz '2026-01-06 10:00' FROM generate_series(200, 230) AS n;
CALL refresh_changed('crm', '2026-01-10', ahead => true);
CREATE TABLE toy.by_changes AS SELECT t.*, c.segments FROM crm.customer_targets AS t JOIN crm.customer_segments AS c USING (customer);
CALL refresh('crm', '2026-01-10', false, ahead => true);
CREATE TABLE toy.by_refresh AS SELECT t.*, c.segments FROM crm.customer_targets AS t JOIN crm.customer_segments AS c USING (customer);
SELECT count(*) > 10000 AS rows, (SELECT count(*) FROM (TABLE toy.by_changes EXCEPT TABLE toy.by_refresh) AS d) + (SELECT count(*) FROM (TABLE toy.by_refresh EXCEPT TABLE toy.by_changes) AS d) AS differ FROM toy.by_refresh;

-- For BI.
CALL refresh_views('crm');
SELECT target, as_of, label, horizon_days, status, base_rate BETWEEN 0 AND 1 AS base_rate, auc > 0.5 AS auc, lift > 1 AS lift, customers, expected BETWEEN 0 AND customers AS expected, reasons FROM crm.bi_targets ORDER BY 1;
SELECT (SELECT count(*) FROM crm.customer_targets_stored) = (SELECT count(*) FROM crm.customer_targets) AS stored;

-- Another definition: nothing is said until it is trained, which the next refresh does; one that was dropped is gone at once.
SELECT workspace_target('crm', 'toys', '{"buys": {"category": "toys"}}', '30 days');
SELECT count(drop_workspace_target('crm', t)) AS dropped FROM unnest('{toy_3,answers,complains,quits}'::text[]) AS t;
SELECT DISTINCT target FROM crm.customer_targets ORDER BY 1;
SELECT item, status, detail FROM workspace_check('crm') WHERE item ~ 'target toy';
SELECT workspace_due('crm', '2026-01-10'), (SELECT parameter_set FROM crm.workspace) AS parameter_set;
CALL refresh('crm', '2026-01-10', ahead => true);
SELECT workspace_due('crm', '2026-01-10'), (SELECT parameter_set FROM crm.workspace) AS parameter_set, (SELECT count(*) FROM crm.customer_targets WHERE target = 'toys') > 2000 AS trained;
-- A candidate that is rejected lends its targets.
SELECT segmentation_internal.workspace_lend_targets('crm', 2, 1);
SELECT parameter_set, targets #>> '{toys,horizon}' AS horizon, targets ? 'toy_3' AS has_dropped FROM crm.parameter_set ORDER BY 1;

-- Who is erased is in no view of targets; who is no owner registers none, and a reader may read.
DELETE FROM toy.lines WHERE customer_id = 7;
DELETE FROM toy.contacts WHERE customer_id = 7;
DELETE FROM toy.interactions WHERE customer_id = 7;
DELETE FROM toy.consents WHERE customer_id = 7;
DELETE FROM toy.subscriptions WHERE customer_id = 7;
DELETE FROM toy.attribute_history WHERE customer_id = 7;
DELETE FROM toy.customers WHERE customer_id = 7;
SELECT erase_customer('crm', '7') -> 'customer_targets_stored' AS rows;
SELECT (SELECT count(*) FROM crm.customer_targets WHERE customer = 7) AS in_view, (SELECT count(*) FROM crm.customer_targets_stored WHERE customer = 7) AS stored;
CREATE ROLE target_reader;
GRANT USAGE ON SCHEMA crm TO target_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO target_reader;
SET ROLE target_reader;
CALL refused('SELECT workspace_target(''crm'', ''mine'', ''{"buys": true}'')');
CALL refused('SELECT drop_workspace_target(''crm'', ''toys'')');
SELECT count(*) > 3 AS drivers FROM target_explain('crm', '1', 'toys');
RESET ROLE;
DROP SCHEMA toy CASCADE;
SELECT drop_workspace('crm');
DROP OWNED BY target_reader;
DROP ROLE target_reader;
