-- Churn of a workspace about subscriptions: the probability that all of a customer's end, against the model's own
-- functions; notice given; codes; reasons; days that pass.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
CREATE SCHEMA members;
CREATE TABLE members.subscriptions (customer_id bigint, plan text, price numeric, started_on date, ended_on date);
-- A month of the light plan ends with one in eight, of the full plan with one in forty.
INSERT INTO members.subscriptions
SELECT c, CASE c % 2 WHEN 0 THEN 'full' ELSE 'light' END, 20, started, (started + make_interval(months => lasts))::date
FROM (SELECT c, date '2023-01-01' + hashint4(c) % 700 * sign(hashint4(c))::integer AS started,
        1 + floor(ln((1 + abs(hashint4(c + 7000)::bigint % 9998)) / 10000.0) / ln(CASE c % 2 WHEN 0 THEN 0.975 ELSE 0.875 END))::integer AS lasts FROM generate_series(1, 600) AS c) AS s;
UPDATE members.subscriptions SET ended_on = NULL WHERE ended_on > '2025-06-01';
-- Two at once; one that begins later; notice given for soon and for later; ended before it began; none at all.
INSERT INTO members.subscriptions VALUES (1001, 'full', 20, '2024-01-10', NULL), (1001, 'light', 10, '2024-05-10', NULL), (1002, 'full', 20, '2025-07-01', NULL),
  (1003, 'full', 20, '2024-01-10', '2025-06-20'), (1004, 'light', 20, '2024-01-10', '2026-03-01'), (1005, 'full', 20, '2024-01-10', '2024-01-09'), (1006, NULL, NULL, '2024-01-10', NULL),
  (1007, 'full', 20, '2024-01-10', '2025-06-01'), (1008, 'full', 20, NULL, NULL);
CREATE TABLE members.customers AS SELECT c AS customer_id FROM generate_series(1, 1010) AS c WHERE c <= 600 OR c > 1000;
SELECT create_workspace('club');
SELECT add_source('club', 'subscriptions', 'members.subscriptions') IS NOT NULL AS subscriptions, add_source('club', 'customers', 'members.customers') IS NOT NULL AS customers;
SELECT configure_workspace('club', '{"churn_of": "subscriptions", "churn_medium": 0.2, "churn_high": 0.3}');
CALL refresh('club', '2025-06-01');
SELECT item, status, detail FROM workspace_check('club') WHERE item IN ('axis churn', 'axis rfm');
SELECT retention_model -> 'by_plan' AS by_plan, retention_model #>> '{model,family}' AS family, (quality #>> '{churn,n}')::integer > 200 AS tested, (quality #>> '{churn,auc}')::numeric > 0.55 AS auc,
  abs((quality #>> '{churn,expected_total}')::numeric / (quality #>> '{churn,actual_total}')::numeric - 1) < 0.2 AS total FROM club.parameter_set;
-- By hand: one contract is the model's own probability, two are the product, notice is 0 or 1, none running is 1.
WITH p AS (SELECT retention_model -> 'model' AS fitted FROM club.parameter_set)
SELECT s.customer, round(s.churn_probability::numeric, 6) AS probability, round(t.by_hand::numeric, 6) AS by_hand, c.churn
FROM club.customer_scores AS s JOIN club.customer_segments AS c USING (customer) CROSS JOIN p
LEFT JOIN LATERAL (VALUES
  (1001, churn_probability(fitted, age('2025-06-01', '2024-01-10'), interval '90 days', '{"plan": "full"}') * churn_probability(fitted, age('2025-06-01', '2024-05-10'), interval '90 days', '{"plan": "light"}')),
  (1003, 1), (1004, 0), (1005, 1), (1006, churn_probability(fitted, age('2025-06-01', '2024-01-10'), interval '90 days', '{}')), (1007, 1)) AS t (customer, by_hand) ON t.customer = s.customer
WHERE s.customer > 1000 ORDER BY 1;
WITH p AS (SELECT retention_model -> 'model' AS fitted FROM club.parameter_set)
SELECT count(*) AS running, max(abs(s.churn_probability - churn_probability(fitted, age('2025-06-01', o.started_on), interval '90 days', jsonb_build_object('plan', o.plan)))) < 1e-12 AS same,
  bool_and(c.churn = CASE WHEN s.churn_probability >= 0.3 THEN 'high' WHEN s.churn_probability >= 0.2 THEN 'medium' ELSE 'low' END) AS codes
FROM members.subscriptions AS o JOIN club.customer_scores AS s ON s.customer = o.customer_id JOIN club.customer_segments AS c ON c.customer = o.customer_id CROSS JOIN p WHERE o.customer_id <= 600 AND o.ended_on IS NULL;
SELECT count(*) AS ended, bool_and(c.churn = 'lost') AS lost FROM members.subscriptions AS o JOIN club.customer_segments AS c ON c.customer = o.customer_id WHERE o.customer_id <= 600 AND o.ended_on IS NOT NULL;
SELECT o.plan, round(avg(s.churn_probability)::numeric, 1) AS probability FROM members.subscriptions AS o JOIN club.customer_scores AS s ON s.customer = o.customer_id WHERE o.ended_on IS NULL AND o.customer_id <= 600 GROUP BY 1 ORDER BY 1;
SELECT code, explanation FROM explain('club', '1001', 'churn');
SELECT code, explanation FROM explain('club', '1003', 'churn', 'fr');
SELECT code, explanation FROM explain('club', '1004', 'churn', 'en');
SELECT code, explanation FROM explain('club', '1007', 'churn', 'fr');
SELECT code, explanation FROM explain('club', '1009', 'churn');
-- Turnover by prices paid, and the value of what runs: by hand. The price is 20, and no purchase is known.
SELECT item, status, detail FROM workspace_check('club') WHERE item IN ('axis pmg', 'axis future_value');
SELECT jsonb_pretty(quality -> 'value') AS value FROM (SELECT quality FROM club.parameter_set) AS g;
WITH p AS (SELECT retention_model -> 'model' AS fitted FROM club.parameter_set)
SELECT s.customer, s.turnover, c.pmg, s.future_value, c.future_value AS band, t.value_by_hand, round(t.turnover_by_hand, 4) AS turnover_by_hand
FROM club.customer_scores AS s JOIN club.customer_segments AS c USING (customer) CROSS JOIN p
LEFT JOIN LATERAL (VALUES
  (1001, subscription_value(fitted, age('2025-06-01', '2024-01-10'), 20, '365 days', features => '{"plan": "full"}') + subscription_value(fitted, age('2025-06-01', '2024-05-10'), 10, '365 days', features => '{"plan": "light"}'), 30 * 365 / 30.4375),
  (1003, round((20 * 19 / 30.4375 * 1.1 ^ (-9.5 / 365.25))::numeric, 4), 20 * 365 / 30.4375), (1004, round((20 * 273 / 30.4375 * 1.1 ^ (-136.5 / 365.25))::numeric, 4), 20 * 365 / 30.4375), (1005, 0, 0), (1006, NULL, NULL),
  (1007, 0, 20 * 365 / 30.4375)) AS t (customer, value_by_hand, turnover_by_hand) ON t.customer = s.customer
WHERE s.customer > 1000 ORDER BY 1;
SELECT code, explanation FROM explain('club', '1001', 'future_value');
SELECT code, explanation FROM explain('club', '1001', 'future_value', 'fr');
SELECT code, explanation FROM explain('club', '1001', 'pmg', 'en');
-- Days pass, contracts begin, end and are given notice of: incremental = full.
SELECT create_workspace('anew');
SELECT count(add_source('anew', kind, relation)) AS sources FROM club.source;
SELECT configure_workspace('anew', '{"churn_of": "subscriptions", "churn_medium": 0.2, "churn_high": 0.3}');
CALL refresh('anew', '2025-06-01');
SELECT count(start_capture('club', kind, relation)) AS captured FROM club.source;
CREATE TABLE members.step (day date, moved bigint, facts bigint, codes bigint);
DO $$
DECLARE
  day date := '2025-06-01';
BEGIN
  FOR n IN 1..25 LOOP
    day := day + 1;
    UPDATE members.subscriptions SET ended_on = day + n % 9 WHERE customer_id = n * 13 AND ended_on IS NULL;
    INSERT INTO members.subscriptions VALUES (1100 + n, 'light', 10, day + n % 3, NULL);
    COMMIT;
    CALL segmentation.refresh_changed('club', day);
    CALL segmentation.refresh('anew', day, false);
    INSERT INTO members.step SELECT day, (SELECT count(*) FROM club.events AS e WHERE e.as_of = day AND e.axis = 'churn'),
      (SELECT count(*) FROM club.customer_facts AS i FULL JOIN anew.customer_facts AS a USING (customer) WHERE i IS DISTINCT FROM a),
      (SELECT count(*) FROM club.customer_segments AS i FULL JOIN anew.customer_segments AS a USING (customer) WHERE i.churn IS DISTINCT FROM a.churn);
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) AS days, sum(moved) > 30 AS moved, sum(facts) AS facts, sum(codes) AS codes FROM members.step;
-- No subscription ended within the last 90 days: a set that cannot be tested stays out.
CALL refresh('club', '2025-09-30', true);
SELECT parameter_set, status, note FROM club.parameter_set ORDER BY 1;
UPDATE members.subscriptions SET ended_on = '2025-09-01' WHERE customer_id % 5 = 2 AND started_on < '2025-07-01' AND ended_on IS NULL;
-- A training that is not worse comes into use; about purchases again, there are none.
CALL refresh('club', '2025-09-30', true);
SELECT parameter_set, status, note ~ 'Brier score of churn' AS compared FROM club.parameter_set ORDER BY 1;
SELECT configure_workspace('club', '{"churn_of": "purchases"}');
CALL refresh('club', '2025-09-30', true);
SELECT item, status, detail FROM workspace_check('club') WHERE item = 'axis churn';
SELECT DISTINCT churn FROM club.customer_segments;
-- Too few, and no source.
SELECT configure_workspace('club', '{"churn_of": "subscriptions", "minimum_buyers": 100000}');
CALL refresh('club', '2025-09-30', true);
SELECT item, status, detail FROM workspace_check('club') WHERE item = 'axis churn';
SELECT remove_source('club', 'subscriptions', 'members.subscriptions');
CALL refresh('club', '2025-09-30', true);
SELECT item, status, detail FROM workspace_check('club') WHERE item = 'axis churn';
SELECT drop_workspace('club'), drop_workspace('anew');
DROP SCHEMA members CASCADE;
