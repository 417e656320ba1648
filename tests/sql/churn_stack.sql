-- Churn stacks: the best of candidates, judged out of time; scores, levels and the day on which one changes.
SET search_path = segmentation, public;
SET datestyle = ISO;
CREATE UNLOGGED TABLE public.histories AS
  SELECT customer_id, purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
ANALYZE histories;

-- CDNOW, observed to 31 December 1997. What comes later is as if it were not there.
CREATE TABLE public.stack AS SELECT fit_churn_stack(history, '1997-12-31') AS model FROM histories;
SELECT model ->> 'kind' AS kind, model ->> 'version' AS version, model ->> 'as_of' AS as_of, model ->> 'horizon' AS horizon,
       model ->> 'customers' AS customers, model ->> 'sample' AS sample, model ->> 'inner_days' AS inner_days, model ->> 'reach' AS reach,
       model ->> 'lost' AS lost, jsonb_array_length(model -> 'models') AS models, model ->> 'warnings' AS warnings
FROM stack;
SELECT jsonb_object_keys(model) AS field FROM stack ORDER BY field;
SELECT c ->> 'candidate' AS candidate, c ->> 'family' AS family, c ->> 'ridge' AS ridge, round((c ->> 'auc')::numeric, 3) AS auc,
       round((c ->> 'brier')::numeric, 4) AS brier, round((c ->> 'log_loss')::numeric, 4) AS log_loss
FROM stack, jsonb_array_elements(model -> 'candidates') AS c;
SELECT model ->> 'candidate' AS candidate, model ->> 'family' AS family, round((model #>> '{quality,auc}')::numeric, 3) AS auc,
       round((model #>> '{quality,calibration,slope}')::numeric, 2) AS slope, model #> '{quality,calibration}' ? 'bins' AS bins,
       round((model #>> '{recency,auc}')::numeric, 3) AS recency_auc, model #>> '{last,as_of}' AS last
FROM stack;
SELECT (SELECT model FROM stack) = fit_churn_stack(until(history, '1997-12-31'), '1997-12-31') AS no_future,
       (SELECT model FROM stack) = fit_churn_stack(history, '1997-12-31', '{}') AS empty_options,
       (SELECT model FROM stack) = fit_churn_stack(history, '1997-12-31', '{"horizon": "90 days", "lost": null, "features": true, "sample": 100000}') AS defaults_written
FROM histories;

-- What came true in the 90 days that followed.
SELECT model ->> 'candidate' AS candidate, round((q ->> 'auc')::numeric, 3) AS auc, round((q ->> 'brier_skill')::numeric, 3) AS brier_skill,
       round((q #>> '{calibration,slope}')::numeric, 2) AS slope
FROM (
  SELECT model, prediction_quality(churn_probability(model, history, '1997-12-31'), churned_within(history, '1997-12-31', '90 days', '1998-06-30')) AS q
  FROM stack, histories WHERE purchase_days(history, '1997-12-31') > 0 GROUP BY model) AS t;
-- Its own horizon may be named, no other.
SELECT bool_and(churn_probability(model, history, '1997-12-31') = churn_probability(model, history, '1997-12-31', '90 days')
            AND churn_probability(model, history, '1997-12-31') = churn_probability(model, history, NULL, NULL, '1997-12-31')) AS same
FROM stack, histories;
SELECT churn_probability(model, history, '1997-12-31', '30 days') FROM stack, histories LIMIT 1;
SELECT churn_probability(model, history, '1996-12-31') AS before_the_first, churn_probability(model, NULL, NULL, NULL, '1997-12-31') AS no_history,
       churn_probability(NULL, history, NULL, NULL, '1997-12-31') AS no_model
FROM stack, histories WHERE customer_id = 1;

-- What drives it.
SELECT feature, value, round(contribution::numeric, 3) AS contribution, words
FROM stack, histories, churn_explain(model, history, NULL, NULL, '1997-12-31') WHERE customer_id = 1;
SELECT feature, words FROM stack, histories, churn_explain(model, history, NULL, NULL, '1997-12-31', 'fr') WHERE customer_id = 3;

SELECT feature, value, round(contribution::numeric, 3) AS contribution, words
FROM (SELECT fit_churn_stack(history, '1998-03-31', '{"horizon": "30 days"}') AS model FROM histories) AS m, histories,
     churn_explain(model, history, NULL, NULL, '1998-03-31') WHERE customer_id = 1;

-- Serial, parallel, merged, stored: to the last bit.
SELECT (SELECT model FROM stack) = fit_churn_stack(merged) AS merged
FROM (
  SELECT merge(rows) AS merged
  FROM (SELECT churn_stack_rows(history, '1997-12-31')::text::churn_stack_rows AS rows FROM histories GROUP BY customer_id % 7) AS parts) AS m;
SELECT set_config(name, 'on', false) AS parallel FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT (SELECT model FROM stack) = fit_churn_stack(history, '1997-12-31') AS parallel FROM histories;
SELECT set_config(name, 'off', false) AS serial FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

-- A sample: the same whatever the order.
SELECT one ->> 'sample' AS sample, one ->> 'customers' AS customers, one = other AS same
FROM (SELECT fit_churn_stack(history, '1997-12-31', '{"sample": 500, "families": ["mbg_nbd"]}' ORDER BY customer_id) AS one,
             fit_churn_stack(history, '1997-12-31', '{"sample": 500, "families": ["mbg_nbd"]}' ORDER BY customer_id DESC) AS other
      FROM histories) AS s;

-- lost is verified: within 30 days it can be said of some, within 180 of nobody.
SELECT horizon, model #>> '{lost,threshold}' IS NOT NULL AS said, (model #>> '{lost,upper}')::numeric <= 0.05 AS within,
       (model #>> '{lost,customers}')::integer > 0 AS seen, model @? '$.warnings[*] ? (@.code == "lost_not_verified")' AS warned
FROM (SELECT h AS horizon, fit_churn_stack(history, '1997-12-31', jsonb_build_object('horizon', h, 'lost', 0.95)) AS model
      FROM histories, unnest('{30 days,180 days}'::text[]) AS h GROUP BY h) AS m ORDER BY horizon;

-- A family that is named, and nothing else.
SELECT model ->> 'candidate' AS candidate, model ->> 'family' AS family, model #>> '{models,0,family}' AS model
FROM (SELECT fit_churn_stack(history, '1997-12-31', '{"families": ["bg_nbd"], "features": false}') AS model FROM histories) AS m;

-- Contacts and interactions: who is called comes back.
CREATE TABLE public.talks AS
  SELECT c, purchase_history(d, 10) AS history, interaction_history('call', d - 5) AS interactions, contact_history('email', d - 20, NULL::text) AS contacts
  FROM (SELECT c, date '2023-01-01' + (c * 13 + k * (20 + c % 50)) % 700 AS d FROM generate_series(1, 600) AS c, generate_series(0, 9) AS k WHERE k <= c % 10) AS d
  GROUP BY c;
SELECT model ->> 'with_events' AS with_events, jsonb_path_query_array(model, '$.coefficients[*].term') @? '$[*] ? (@ starts with "interactions")' AS counts
FROM (SELECT fit_churn_stack(history, contacts, interactions, '2024-11-30', '{"horizon": "30 days"}') AS model FROM talks) AS m;
SELECT fit_churn_stack(history, contacts, interactions, '2024-11-30', '{"horizon": "30 days"}')
     = fit_churn_stack(history, NULL, NULL, '2024-11-30', '{"horizon": "30 days"}') AS same_without
FROM talks;

-- Levels by two stacks, against the probabilities; and the day on which one changes, asked day by day.
CREATE TABLE public.two AS
  SELECT fit_churn_stack(history, '1997-12-31', '{"horizon": "60 days"}') AS model,
         fit_churn_stack(history, '1997-12-31', '{"horizon": "30 days", "lost": 0.95}') AS lost
  FROM histories;
SELECT churn_level(model, lost, history, NULL, NULL, '1997-12-31', '{"medium_from": 0.7, "high_from": 0.9}') AS level, count(*),
       bool_and(churn_level(model, lost, history, NULL, NULL, '1997-12-31', '{"medium_from": 0.7, "high_from": 0.9}')
         = churn_level(churn_probability(model, history, '1997-12-31'), CASE WHEN lost #>> '{lost,threshold}' IS NOT NULL THEN churn_probability(lost, history, '1997-12-31') END,
                       jsonb_build_object('medium_from', 0.7, 'high_from', 0.9, 'lost_above', lost #> '{lost,threshold}'))) AS as_by_probabilities
FROM two, histories GROUP BY 1 ORDER BY 1;
SELECT count(*) AS customers, count(*) FILTER (WHERE told < date '1997-12-31' + 61) AS change, bool_and(told = coalesce(asked, date '1997-12-31' + 61)) AS right
FROM (
  SELECT churn_next_change(model, lost, until(history, '1997-12-31'), NULL, NULL, '1997-12-31', '{"medium_from": 0.7, "high_from": 0.9}') AS told,
         (SELECT min(date '1997-12-31' + n) FROM generate_series(1, 60) AS n
          WHERE churn_level(model, lost, until(history, '1997-12-31'), NULL, NULL, '1997-12-31', '{"medium_from": 0.7, "high_from": 0.9}')
             <> churn_level(model, lost, until(history, '1997-12-31'), NULL, NULL, date '1997-12-31' + n, '{"medium_from": 0.7, "high_from": 0.9}')) AS asked
  FROM two, histories WHERE customer_id % 12 = 0 AND purchase_days(history, '1997-12-31') > 0) AS t;
-- A purchase that is known of already, if nothing changes before it.
SELECT churn_next_change(model, lost, '{1997-12-01:1:10,1998-01-03:1:10}', NULL, NULL, '1997-12-31') <= '1998-01-03' AS ahead FROM two;
SELECT churn_level(NULL, NULL, history, NULL, NULL, '1997-12-31') AS no_model, churn_level(model, NULL, NULL, NULL, NULL, '1997-12-31') AS no_history,
       churn_level(model, lost, history, NULL, NULL, NULL) AS no_day, churn_next_change(NULL, NULL, history, NULL, NULL, '1997-12-31') AS nothing
FROM two, histories LIMIT 1;

-- Too little: a value that says so and scores nobody.
SELECT m.model, churn_probability(m.model, '{2024-01-01:1:10}'::purchase_history, '2024-02-01') AS p, churn_level(m.model, NULL, '{2024-01-01:1:10}', NULL, NULL, '2024-02-01') AS level
FROM (VALUES (fit_churn_stack(NULL::churn_stack_rows)), ((SELECT fit_churn_stack(history, '1990-01-01') FROM histories))) AS m (model);
SELECT m.model ->> 'candidate' AS candidate, m.model -> 'warnings' @? '$[*] ? (@.code == "few_customers")' AS few, m.model -> 'warnings' @? '$[*] ? (@.code == "short_history")' AS short
FROM (SELECT fit_churn_stack(h, '2024-03-01') AS model FROM (VALUES ('{2024-01-01:1:10,2024-02-01:1:10}'::purchase_history), ('{2024-01-05:1:10}')) AS v (h)) AS m;

-- Wrong arguments.
SELECT fit_churn_stack(history, '1997-12-31', '{"horizont": "90 days"}') FROM histories;
SELECT fit_churn_stack(history, '1997-12-31', '{"horizon": "0 days"}') FROM histories;
SELECT fit_churn_stack(history, '1997-12-31', '{"lost": 2}') FROM histories;
SELECT fit_churn_stack(history, '1997-12-31', '{"families": ["x"]}') FROM histories;
SELECT fit_churn_stack(history, '1997-12-31', NULL) FROM histories;
SELECT fit_churn_stack(history, NULL) FROM histories;
SELECT fit_churn_stack(history, date '1997-12-31' + customer_id % 2) FROM histories;
SELECT merge(rows) FROM (SELECT churn_stack_rows(history, date '1997-12-31' - 7 * (customer_id % 2)) AS rows FROM histories GROUP BY customer_id % 2) AS r;
SELECT '\x00'::churn_stack_rows;
SELECT 'x'::churn_stack_rows;
SELECT churn_probability('{"kind": "churn_stack", "version": 2}'::jsonb, history, '1997-12-31') FROM histories LIMIT 1;
SELECT churn_probability('{"kind": "purchase_model"}'::jsonb, history, date '1997-12-31') FROM histories LIMIT 1;
SELECT churn_probability(model || '{"intercept": "high"}', history, '1997-12-31') FROM stack, histories LIMIT 1;
SELECT churn_probability(jsonb_set(model, '{coefficients,0,term}', '"shoe_size"'), history, '1997-12-31') FROM stack, histories LIMIT 1;
SELECT churn_probability(model - 'kind', history, '1997-12-31') FROM stack, histories LIMIT 1;
SELECT * FROM stack, histories, churn_explain(model, history, NULL, NULL, '1997-12-31', 'de') LIMIT 1;
DROP TABLE public.histories, public.stack, public.talks, public.two;
