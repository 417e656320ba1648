-- The gate: each rule at and beside its limits; what it says, and where; what is ready now.
SET search_path = public, segmentation, segmentation_internal;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set VERBOSITY terse

-- Probabilities by their back-test. Of 1,000 customers, 400 did it; skill .1 with an error of .05.
CREATE FUNCTION pg_temp.tested(given jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"n": 1000, "actual_total": 400, "auc": 0.8, "brier": 0.2, "brier_skill": 0.1, "brier_skill_error": 0.05, "calibration": {"slope": 1}}'::jsonb || given $$;
SELECT what, days, workspace_weak_probability(pg_temp.tested(given), days) AS weak
FROM (VALUES
  ('good', 1, '{}'::jsonb),
  ('the error of one day: 1.645 x sqrt(2) x .05 = .116', 2, '{}'),
  ('skill just above its error', 1, '{"brier_skill": 0.0823}'), ('just below', 1, '{"brier_skill": 0.0822}'),
  ('negative', 1, '{"brier_skill": -0.19, "brier_skill_error": 0.001}'),
  ('none, exactly', 1, '{"brier_skill": 0, "brier_skill_error": 0}'),
  ('slope .7', 1, '{"calibration": {"slope": 0.7}}'), ('slope .69', 1, '{"calibration": {"slope": 0.69}}'),
  ('slope 1.4', 1, '{"calibration": {"slope": 1.4}}'), ('slope 1.41', 1, '{"calibration": {"slope": 1.41}}'),
  ('no slope', 1, '{"calibration": {"slope": null}}'),
  ('200 customers', 1, '{"n": 200, "actual_total": 80}'), ('199', 1, '{"n": 199, "actual_total": 80}'),
  ('30 of them did it', 1, '{"actual_total": 30}'), ('29', 1, '{"actual_total": 29}'), ('29 did not', 1, '{"actual_total": 971}'),
  ('on four days of 200', 4, '{"n": 800, "actual_total": 120, "brier_skill": 0.2}'), ('on four days of 199', 4, '{"n": 799, "actual_total": 119, "brier_skill": 0.2}'),
  ('nothing was tested', 1, '{"n": 0, "actual_total": 0, "brier_skill": null, "calibration": null}')) AS v (what, days, given);
SELECT workspace_weak_probability(NULL, 1) AS of_null, workspace_weak_probability('{}', 1) AS of_nothing;

-- What a purchase model says against itself.
SELECT what, workspace_weak_model(model, seen) AS weak
FROM (VALUES
  ('good', '{"family": "bg_nbd", "warnings": []}'::jsonb, '{"first_share": 0.9}'::jsonb),
  ('not converged', '{"warnings": [{"code": "few_customers"}, {"code": "not_converged"}]}', '{}'),
  ('not identified', '{"warnings": [{"code": "not_identified"}]}', '{}'),
  ('left-truncated, half', '{"warnings": [{"code": "left_truncated"}]}', '{"first_share": 0.5}'),
  ('more than half', '{"warnings": [{"code": "left_truncated"}]}', '{"first_share": 0.501}'),
  ('nobody leaves', '{"family": "nbd"}', '{}'),
  ('nearly nobody', '{"family": "bg_nbd", "warnings": [{"code": "no_dropout"}]}', '{}'),
  ('no model', NULL, NULL),
  ('not one of ours', '[1]', '{}')) AS v (what, model, seen);

-- The axis churn.
CREATE FUNCTION pg_temp.churn(quality jsonb, settings jsonb DEFAULT '{}', seen jsonb DEFAULT '{}', model jsonb DEFAULT '{"family": "nbd"}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT workspace_weak_churn(jsonb_build_object('churn', pg_temp.tested('{}'), 'recency', '{"auc": 0.81}'::jsonb) || quality, model,
    '{"days": 365}'::jsonb || seen, '{"churn_of": "purchases", "churn_horizon": "90 days"}'::jsonb || settings) $$;
SELECT what, weak FROM (VALUES
  ('recency is as good, within .01', pg_temp.churn('{}', model => '{}')),
  ('better', pg_temp.churn('{"recency": {"auc": 0.811}}', model => '{}')),
  ('its Brier score is as good, within 1 %', pg_temp.churn('{"recency": {"auc": 0.8, "brier": 0.199}}', model => '{}')),
  ('better', pg_temp.churn('{"recency": {"auc": 0.8, "brier": 0.198}}', model => '{}')),
  ('it is what is shown', pg_temp.churn('{"candidate": "recency", "recency": {"auc": 0.9}}')),
  ('of the model itself, its doubts count', pg_temp.churn('{}')),
  ('of a family as it is too', pg_temp.churn('{"candidate": "family"}')),
  ('one share for everybody is what is shown', pg_temp.churn('{"candidate": "base_rate"}')),
  ('of what was trained on what happened they do not', pg_temp.churn('{"candidate": "stack"}')),
  ('a log of two horizons', pg_temp.churn('{}', seen => '{"days": 180}', model => '{}')),
  ('shorter', pg_temp.churn('{}', seen => '{"days": 179}', model => '{}')),
  ('on three days', pg_temp.churn('{"inner_days": ["2025-01-01", "2025-02-01", "2025-03-01"]}', model => '{}')),
  ('of contracts', pg_temp.churn('{"recency": {"auc": 0.99}}', '{"churn_of": "subscriptions"}', model => '{"warnings": [{"code": "not_converged"}]}'))) AS v (what, weak);

-- The axis future_value.
CREATE FUNCTION pg_temp.value(quality jsonb, seen jsonb DEFAULT '{}', model jsonb DEFAULT '{}', spend jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT workspace_weak_value(jsonb_build_object('churn', pg_temp.tested('{}'),
    'value', '{"predicted": 1000, "actual": 1000, "correlation": 0.5, "correlation_past": 0.52}'::jsonb || (coalesce(quality -> 'value', '{}'))) || (quality - 'value'), model, spend,
    '{"days": 365}'::jsonb || seen, '{"value_horizon": "365 days"}') $$;
SELECT what, weak FROM (VALUES
  ('past turnover orders as well, within .02', pg_temp.value('{}')),
  ('better', pg_temp.value('{"value": {"correlation_past": 0.521}}')),
  ('by rank, with candidates', pg_temp.value('{"value": {"candidate": "purchase_model", "spearman": 0.5}, "value_candidates": [{"candidate": "purchase_model", "spearman": 0.5}, {"candidate": "last_year", "spearman": 0.53}]}')),
  ('it is what is shown', pg_temp.value('{"value": {"candidate": "last_year", "correlation_past": 0.9}}')),
  ('the total is 1.4 times the real one', pg_temp.value('{"value": {"predicted": 1400}}')),
  ('more', pg_temp.value('{"value": {"predicted": 1401}}')),
  ('.7', pg_temp.value('{"value": {"predicted": 700}}')),
  ('less', pg_temp.value('{"value": {"predicted": 699}}')),
  ('nothing was sold', pg_temp.value('{"value": {"actual": 0}}')),
  ('a short log', pg_temp.value('{}', seen => '{"days": 364}')),
  ('its models doubt', pg_temp.value('{}', model => '{"warnings": [{"code": "not_identified"}]}', spend => '{"warnings": [{"code": "infinite_mean"}]}')),
  ('but are not what is shown', pg_temp.value('{"value": {"candidate": "mean"}}', model => '{"warnings": [{"code": "not_identified"}]}', spend => '{"warnings": [{"code": "infinite_mean"}]}'))) AS v (what, weak);

-- The axes profile and channel_appetence.
SELECT workspace_weak_profile('{"warnings": []}', '{a,b,c}') AS three, workspace_weak_profile('{"warnings": []}', '{a,b}') AS two,
  workspace_weak_profile('{"warnings": [{"code": "weak_structure"}, {"code": "not_converged"}], "quality": {"silhouette": 0.1234}}', '{a,b,c}') AS run_together, workspace_weak_profile(NULL, NULL) AS none;
SELECT workspace_weak_channels('{"channels": [{}, {}], "warnings": [{"code": "few_customers"}]}') AS one_of_two, workspace_weak_channels('{"channels": [{}, {}], "warnings": [{"code": "few_customers"}, {"code": "no_response"}]}') AS both,
  workspace_weak_channels(NULL) AS none;

-- Every reason has words in both languages, and every place in them is filled.
SELECT r.code, l.language, workspace_weak_words(r.axis, jsonb_build_array(jsonb_build_object('code', r.code, 'have', 1.5, 'need', 2, 'measure', 'AUC')), l.language) AS words
FROM (VALUES ('churn', 'no_skill'), ('churn', 'miscalibrated'), ('future_value', 'miscalibrated'), ('churn', 'behind_naive'), ('future_value', 'behind_naive'), ('churn', 'naive_rule'), ('future_value', 'naive_rule'), ('churn', 'base_rate'),
  ('churn', 'not_converged'), ('churn', 'not_identified'), ('churn', 'left_truncated'), ('churn', 'nobody_leaves'), ('churn', 'few_customers'), ('churn', 'few_events'), ('churn', 'short_history'),
  ('future_value', 'infinite_mean'), ('profile', 'few_features'), ('profile', 'weak_structure'), ('channel_appetence', 'no_channel_model')) AS r (axis, code)
CROSS JOIN (VALUES ('en'), ('fr')) AS l (language);
SELECT s.topic AS without_its_twin FROM segmentation.workspace_sentence AS s WHERE s.topic ~ '^(weak|mend)' GROUP BY s.topic HAVING count(*) <> 2;

-- What an axis goes by.
SELECT l.language, workspace_axis_note(n.axis, n.quality, l.language) AS note FROM (VALUES ('churn', '{"candidate": "recency", "lost": {"threshold": 0.97}}'::jsonb), ('churn', '{"candidate": "stack", "lost": {"threshold": null}}'), ('churn', '{"candidate": "new_one"}'),
  ('churn', '{}'), ('rfm', '{"candidate": "recency"}'), ('future_value', '{"candidate": "recency"}')) AS n (axis, quality), (VALUES ('en'), ('fr')) AS l (language);

-- Of 60 companies that buy alike, what is said says with what reserve it is.
CREATE TABLE orders AS SELECT c AS customer_id, date '2024-01-01' + (n * 40 + c * 7 % 40) AS ordered_on, 100 + c AS amount
  FROM generate_series(1, 60) AS c CROSS JOIN generate_series(0, 17) AS n WHERE n < 9 + c % 10;
SELECT create_workspace('few', 'integer');
SELECT add_source('few', 'purchases', 'orders') \g /dev/null
SELECT configure_workspace('few', '{"minimum_buyers": 1000, "source_silence": "off"}');
SELECT item, status, detail FROM workspace_check('few') WHERE item LIKE 'axis churn';
CALL refresh('few', '2025-12-31');
SELECT item, status, detail FROM workspace_check('few') WHERE item IN ('training', 'axis churn', 'axis product_appetence');
-- What is asked for now, before and after a training.
SELECT configure_workspace('few', '{"minimum_buyers": 50}');
SELECT item, status, detail FROM workspace_check('few') WHERE item IN ('training', 'axis churn');
CALL refresh('few', '2025-12-31', retrain => true);
SELECT item, status FROM workspace_check('few') WHERE item = 'training' OR status = 'weak';
SELECT axis, reason ->> 'code' AS code FROM few.parameter_set, jsonb_each(weak) AS w (axis, reasons), jsonb_array_elements(reasons) AS reason WHERE parameter_set.status = 'in_use' ORDER BY 1, 2;
SELECT on_axis, code, explanation ~ 'With reserve: .*\.' AS says_so, numbers ? 'weak' AS has_it FROM explain('few', '1') WHERE on_axis IN ('churn', 'rfm', 'product_appetence');
SELECT right(explanation, 40) AS in_french FROM explain('few', '1', 'churn', 'fr');
-- What a refresh says of it.
SET client_min_messages = notice;
SELECT workspace_notice_weak('few', parameter_set) FROM few.workspace;
SELECT configure_workspace('few', '{"language": "fr"}');
SELECT workspace_notice_weak('few', parameter_set) FROM few.workspace;
SET client_min_messages = warning;
SELECT configure_workspace('few', '{"minimum_buyers": 61}');
SELECT item, status, detail FROM workspace_check('few') WHERE item IN ('training', 'axis churn', 'axis product_appetence');
CALL refresh_views('few');
SELECT parameter_set, churn_status, churn_reasons, value_status, value_reasons FROM few.bi_model_quality ORDER BY 1;
-- A source added since is there now, but not yet read.
SELECT configure_workspace('few', '{"language": "en", "minimum_buyers": 50}');
CREATE TABLE contacts AS SELECT c AS customer_id, 'email' AS channel, timestamptz '2025-01-01 10:00' + c * interval '1 day' AS sent_at, NULL::text AS response, NULL::timestamptz AS responded_at FROM generate_series(1, 60) AS c;
SELECT add_source('few', 'contacts', 'contacts') \g /dev/null
SELECT item, status, detail FROM workspace_check('few') WHERE item IN ('training', 'axis channel_appetence');
-- Settings and sources that changed: a refresh trains anew, once, or says that it does not.
SELECT configure_workspace('few', '{"churn_high": 0.7}');
SELECT workspace_due('few', '2025-12-31'), workspace_changed('few', true) AS changed, workspace_changed('few', false) AS since_the_newest;
CALL refresh('few', '2025-12-31', retrain => false);
SET client_min_messages = notice;
CALL refresh_changed('few', '2025-12-31');
SET client_min_messages = warning;
CALL refresh('few', '2025-12-31');
SELECT parameter_set, status, settings -> 'churn_high' AS churn_high, jsonb_array_length(sources) AS sources FROM few.parameter_set ORDER BY 1;
SELECT workspace_due('few', '2025-12-31'), workspace_changed('few', true) AS changed;
-- One that was rejected is not tried again and again, but it is said that its settings do not hold.
UPDATE few.parameter_set SET status = CASE WHEN parameter_set = 3 THEN 'rejected' ELSE 'in_use' END WHERE parameter_set IN (2, 3);
SELECT workspace_due('few', '2025-12-31'), workspace_changed('few', true) AS changed, workspace_changed('few', false) AS since_the_newest;
UPDATE few.parameter_set SET status = CASE WHEN parameter_set = 2 THEN 'retired' ELSE 'in_use' END WHERE parameter_set IN (2, 3);
SELECT d.name AS at_once_but_no_setting FROM unnest(workspace_settings_at_once()) AS d (name) WHERE NOT EXISTS (SELECT FROM workspace_setting AS s WHERE s.name = d.name);
-- A view that cannot be computed.
UPDATE few.parameter_set SET quality = jsonb_set(quality, '{churn,auc}', '"x"') WHERE status = 'in_use';
CALL refresh_views('few');
SELECT phase, status, detail FROM few.refresh_log ORDER BY refresh DESC LIMIT 1;
UPDATE few.parameter_set SET quality = jsonb_set(quality, '{churn,auc}', '0.5') WHERE status = 'in_use';
-- A refresh that failed.
ALTER TABLE orders RENAME TO orders_gone;
CREATE TABLE orders (customer_id text);
UPDATE few.source SET relation = 'orders'::regclass WHERE kind = 'purchases';
CALL refresh('few', '2025-12-31');
SELECT item, status, regexp_replace(detail, '\d{4}-\d\d-\d\d \d\d:\d\d', 'T') AS detail FROM workspace_check('few') WHERE item = 'refresh';
SELECT drop_workspace('few');
DROP TABLE orders, orders_gone, contacts;
