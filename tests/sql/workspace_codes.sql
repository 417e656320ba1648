-- Each code of a workspace at its boundaries, by SQL only: the codes beside an independent computation from the scores
-- and the parameter set, and thresholds laid exactly on a customer's own score.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
CREATE SCHEMA hand;
-- Gaps of 1 to 40 days, 1 to 30 purchases, the last one 0 to 1200 days ago, some refunds; ten who never bought.
CREATE TABLE hand.orders (customer_id bigint, purchased_on date, amount numeric);
INSERT INTO hand.orders
SELECT c, date '2025-12-31' - (c * 37 % 1200) - n * (1 + c % 40), 5 + (c * n) % 90
FROM generate_series(1, 500) AS c, generate_series(0, c % 30) AS n;
INSERT INTO hand.orders SELECT c, date '2025-12-31' - (c * 37 % 1200) + 1, -10 FROM generate_series(5, 500, 5) AS c;
CREATE TABLE hand.customers (customer_id bigint, age integer, city text);
INSERT INTO hand.customers SELECT c, 20 + c % 50, (ARRAY['Lyon', 'Paris', 'Lille'])[1 + c % 3] FROM generate_series(1, 510) AS c;
SELECT create_workspace('crm'), configure_workspace('crm', '{"source_silence": "off"}');
-- One family: the fit of all would take most of the time.
SELECT configure_workspace('crm', '{"purchase_family": "bg_nbd"}');
SELECT add_source('crm', 'purchases', 'hand.orders'), add_source('crm', 'customers', 'hand.customers');
CALL refresh('crm', '2025-12-31');
SELECT key AS axis, value AS reason FROM crm.parameter_set, jsonb_each(readiness) WHERE value <> 'null' AND key IN ('rfm', 'pmg', 'churn', 'future_value', 'profile') ORDER BY key;

-- The twin: from scores, cuts and settings, without the extension's own functions.
CREATE VIEW hand.twin AS
SELECT s.customer,
  CASE WHEN s.recency IS NULL THEN 'prospect' ELSE (
    SELECT m.segment FROM rfm_map AS m WHERE m.map = p.settings ->> 'rfm_map' AND m.bins = 5
      AND m.r = 5 - (SELECT count(*) FROM unnest((p.rfm_cuts).recency) AS q WHERE s.recency > q)
      AND m.f = 1 + (SELECT count(*) FROM unnest((p.rfm_cuts).frequency) AS q WHERE s.frequency > q)
      AND m.m = 1 + (SELECT count(*) FROM unnest((p.rfm_cuts).monetary) AS q WHERE s.monetary::float8 > q)) END AS rfm,
  CASE WHEN coalesce(t.turnover, 0) <= 0 THEN 'I' WHEN t.turnover >= (p.pmg_cuts).gros_from THEN 'G' WHEN t.turnover >= (p.pmg_cuts).moyens_from THEN 'M' ELSE 'P' END AS pmg,
  CASE WHEN s.churn_probability IS NULL THEN 'insufficient_data'
       WHEN s.lost_probability > (p.lost_stack #>> '{lost,threshold}')::float8 THEN 'lost'
       WHEN s.churn_probability >= (p.settings ->> 'churn_high')::float8 THEN 'high'
       WHEN s.churn_probability >= (p.settings ->> 'churn_medium')::float8 THEN 'medium' ELSE 'low' END AS churn,
  CASE WHEN s.future_value IS NULL THEN 'insufficient_data' WHEN s.future_value <= 0 THEN 'none' WHEN s.future_value >= (p.value_cuts).gros_from THEN 'high'
       WHEN s.future_value >= (p.value_cuts).moyens_from THEN 'medium' ELSE 'low' END AS future_value
FROM crm.customer_scores AS s
CROSS JOIN crm.workspace AS w
JOIN crm.parameter_set AS p ON p.parameter_set = w.parameter_set
LEFT JOIN LATERAL (SELECT sum(o.amount) AS turnover FROM hand.orders AS o WHERE o.customer_id = s.customer AND o.purchased_on <= w.as_of
  AND o.purchased_on > w.as_of - make_interval(months => (p.settings ->> 'pmg_months')::integer)) AS t ON true;
CREATE VIEW hand.differ AS
SELECT count(*) AS customers, count(*) FILTER (WHERE t.rfm IS DISTINCT FROM c.rfm) AS rfm, count(*) FILTER (WHERE t.pmg IS DISTINCT FROM c.pmg) AS pmg,
  count(*) FILTER (WHERE t.churn IS DISTINCT FROM c.churn) AS churn, count(*) FILTER (WHERE t.future_value IS DISTINCT FROM c.future_value) AS future_value
FROM hand.twin AS t FULL JOIN crm.customer_segments AS c USING (customer);
TABLE hand.differ;
-- Every code of these axes is there to be compared.
SELECT (SELECT string_agg(DISTINCT pmg, ' ') FROM crm.customer_segments) AS pmg, (SELECT string_agg(DISTINCT churn, ' ') FROM crm.customer_segments) AS churn,
  (SELECT string_agg(DISTINCT future_value, ' ') FROM crm.customer_segments) AS future_value, (SELECT count(DISTINCT rfm) FROM crm.customer_segments) AS rfm;
-- The cuts lie on customers: both sides of each, and the cut itself, have codes.
SELECT s.turnover = (p.pmg_cuts).gros_from AS at_gros, c.pmg, count(*) > 0 AS some FROM crm.customer_scores AS s JOIN crm.customer_segments AS c USING (customer), crm.parameter_set AS p
WHERE s.turnover = (p.pmg_cuts).gros_from OR s.turnover = (p.pmg_cuts).moyens_from GROUP BY 1, 2 ORDER BY 1;
SELECT c.future_value, count(*) > 0 AS some FROM crm.customer_scores AS s JOIN crm.customer_segments AS c USING (customer), crm.parameter_set AS p
WHERE s.future_value IN ((p.value_cuts).gros_from, (p.value_cuts).moyens_from) GROUP BY 1 ORDER BY 1;

-- Days go by with the same cuts: recency and the twelve months cross them, refunds go out of sight.
CALL refresh('crm', '2026-01-01', false);
TABLE hand.differ;
CALL refresh('crm', '2026-02-28', false);
TABLE hand.differ;
CALL refresh('crm', '2026-03-31', false);
TABLE hand.differ;

-- Thresholds on a customer's own score: medium and high begin at it; lost is above it.
SELECT customer AS one, churn_probability AS p, lost_probability AS l FROM crm.customer_scores WHERE lost_probability < churn_probability - 0.05 ORDER BY abs(churn_probability - 0.5), customer LIMIT 1 \gset
CREATE TABLE hand.seen (threshold text, code text);
-- The model must not move, so that only thresholds differ: their place is in the frozen set, that of lost in its stack.
UPDATE crm.parameter_set SET settings = settings || jsonb_build_object('churn_medium', :p, 'churn_high', 1), lost_stack = jsonb_set(lost_stack, '{lost,threshold}', '1') WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'medium at', churn FROM crm.customer_segments WHERE customer = :one;
TABLE hand.differ;
UPDATE crm.parameter_set SET settings = settings || jsonb_build_object('churn_medium', :p + 1e-12) WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'medium just above', churn FROM crm.customer_segments WHERE customer = :one;
UPDATE crm.parameter_set SET settings = settings || jsonb_build_object('churn_medium', 0.1, 'churn_high', :p) WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'high at', churn FROM crm.customer_segments WHERE customer = :one;
TABLE hand.differ;
UPDATE crm.parameter_set SET settings = settings || jsonb_build_object('churn_high', :p + 1e-12) WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'high just above', churn FROM crm.customer_segments WHERE customer = :one;
UPDATE crm.parameter_set SET lost_stack = jsonb_set(lost_stack, '{lost,threshold}', to_jsonb(:l)) WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'lost at', churn FROM crm.customer_segments WHERE customer = :one;
TABLE hand.differ;
UPDATE crm.parameter_set SET lost_stack = jsonb_set(lost_stack, '{lost,threshold}', to_jsonb(:l - 1e-12)) WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
INSERT INTO hand.seen SELECT 'lost just below', churn FROM crm.customer_segments WHERE customer = :one;
TABLE hand.seen;

-- Bands of value and limits of PMG laid on one customer, and just above it.
SELECT customer AS worth, future_value AS v, turnover AS t FROM crm.customer_scores WHERE turnover > 0 ORDER BY future_value DESC NULLS LAST, customer LIMIT 1 \gset
UPDATE crm.parameter_set SET value_cuts.gros_from = :v, value_cuts.moyens_from = 0.0001, pmg_cuts.gros_from = :t, pmg_cuts.moyens_from = 0.01 WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
SELECT future_value, pmg FROM crm.customer_segments WHERE customer = :worth;
TABLE hand.differ;
UPDATE crm.parameter_set SET value_cuts.gros_from = :v + 0.0001, pmg_cuts.gros_from = :t + 0.01 WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
SELECT future_value, pmg FROM crm.customer_segments WHERE customer = :worth;
TABLE hand.differ;
UPDATE crm.parameter_set SET value_cuts.gros_from = :v + 1, value_cuts.moyens_from = :v + 0.0001, pmg_cuts.gros_from = :t + 1, pmg_cuts.moyens_from = :t + 0.01 WHERE status = 'in_use';
CALL refresh('crm', '2026-03-31', false);
SELECT future_value, pmg FROM crm.customer_segments WHERE customer = :worth;
TABLE hand.differ;

-- PMG: turnover that refunds bring to nothing, or below, is I; the day that leaves the twelve months takes its turnover along.
INSERT INTO hand.orders VALUES (1001, '2026-03-01', 50), (1001, '2026-03-02', -50), (1002, '2026-03-01', 50), (1002, '2026-03-02', -50.01), (1003, '2026-03-01', 0.01), (1003, '2026-03-02', 0),
  (1004, '2025-03-31', 100), (1005, '2025-04-01', 100), (1006, '2026-04-01', 100), (1007, '2026-03-05', 0), (1008, '2026-03-05', -5);
-- Some buy in the month before: a back-test of which nobody bought would be rejected.
INSERT INTO hand.orders SELECT c, '2026-03-20', 10 FROM generate_series(100, 160, 5) AS c;
CALL refresh('crm', '2026-03-31', true);
SELECT c.customer, c.pmg, s.turnover, c.rfm = 'prospect' AS prospect, c.churn = 'insufficient_data' AS churn_unknown FROM crm.customer_segments AS c JOIN crm.customer_scores AS s USING (customer) WHERE customer > 1000 ORDER BY 1;
CALL refresh('crm', '2026-04-01', false);
SELECT customer, pmg FROM crm.customer_segments WHERE customer IN (1004, 1005, 1006) ORDER BY 1;
TABLE hand.differ;

-- Other horizons, months, bins, modes: the twin still agrees.
SELECT configure_workspace('crm', '{"pmg_mode": "cumulative", "pmg_months": 3, "churn_horizon": "30 days", "churn_lost_horizon": "2 years", "value_horizon": "100 days", "value_margin": 0.3, "value_discount_rate": 0}');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.differ;

-- A profile that is a definition; a profile of nobody.
SELECT register_segment('crm', 'town', '{"kind": "rules", "segments": [{"segment": "lyon", "when": {"field": "city", "=": "Lyon"}}, {"segment": "paris", "when": {"field": "city", "=": "Paris"}}]}');
SELECT configure_workspace('crm', '{"profile_segment": "town"}');
CALL refresh('crm', '2026-04-01', true);
SELECT c.profile, h.city, count(*) FROM crm.customer_segments AS c LEFT JOIN hand.customers AS h ON h.customer_id = c.customer GROUP BY 1, 2 ORDER BY 1, 2;

-- insufficient_data, with each reason.
CREATE PROCEDURE hand.thin(settings jsonb) LANGUAGE plpgsql AS $$ BEGIN PERFORM segmentation.configure_workspace('crm', '{"minimum_buyers": 100, "minimum_repeaters": 30, "minimum_history": "180 days"}'); PERFORM segmentation.configure_workspace('crm', settings); END $$;
CREATE VIEW hand.reasons AS SELECT e.key AS axis, e.value AS reason, (SELECT string_agg(DISTINCT to_jsonb(c) ->> e.key, ' ') FROM crm.customer_segments AS c) AS codes
FROM crm.workspace AS w JOIN crm.parameter_set AS p USING (parameter_set), jsonb_each(p.readiness) AS e WHERE e.value <> 'null' AND e.key IN ('rfm', 'pmg', 'churn', 'future_value', 'profile') ORDER BY 1;
CALL hand.thin('{"minimum_buyers": 100000}');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
CALL hand.thin('{"minimum_repeaters": 100000}');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
CALL hand.thin('{"minimum_history": "30000 days"}');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
CALL hand.thin('{"profile_segment": null, "minimum_buyers": 505}');
UPDATE hand.orders SET customer_id = 1 WHERE customer_id BETWEEN 2 AND 20;
DELETE FROM hand.customers WHERE customer_id > 400;
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
CALL hand.thin('{"profile_features": []}');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
SELECT remove_source('crm', 'customers', 'hand.customers');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
SELECT on_axis, label, explanation FROM explain('crm', '1') WHERE on_axis = 'profile';
SELECT add_source('crm', 'customers', 'hand.customers');
SELECT remove_source('crm', 'purchases', 'hand.orders');
CALL refresh('crm', '2026-04-01', true);
TABLE hand.reasons;
SELECT on_axis, label, explanation FROM explain('crm', '1', 'rfm', 'fr');
-- The twin is a view of another schema.
CALL refused('SELECT drop_workspace(''crm'')');
SELECT drop_workspace('crm', cascade => true);
DROP SCHEMA hand CASCADE;
