-- Campaigns of several arms, drawn within segments, and their return.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SELECT count(*) > 0 AS shop FROM simulate_shop('shop', customers => 1500, seed => 8);
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT add_source('crm', 'purchases', 'shop.orders', '{"where": "refund_of IS NULL"}') IS NOT NULL AS added;
CALL refresh('crm', '2025-11-30');

CREATE TABLE public.drawn AS SELECT * FROM assign_arms('crm', 'winter', 'SELECT customer FROM crm.customer_segments WHERE customer % 10 < 9', '{"sms": 1, "email": 2}', 0.2, 'rfm');
SELECT arm, sum(customers) > 100 AS some, count(*) > 5 AS segments FROM public.drawn GROUP BY 1 ORDER BY 1;
-- Everybody is in one arm, or held out of both.
SELECT count(*) FILTER (WHERE arms = 1 AND held = 0) > 500 AS assigned, count(*) FILTER (WHERE arms = 0 AND held = 2) > 100 AS held_out, count(*) FILTER (WHERE NOT (arms = 1 AND held = 0 OR arms = 0 AND held = 2)) AS neither,
  count(*) = (SELECT count(*) FROM crm.customer_segments WHERE customer % 10 < 9) AS everybody, count(*) = (SELECT sum(customers) FROM public.drawn) AS counted
FROM (SELECT customer, count(*) FILTER (WHERE assigned) AS arms, count(*) FILTER (WHERE NOT assigned) AS held FROM crm.campaign_customer GROUP BY 1) AS c;
-- In each segment each part is what it should be, but for one customer; and by chance alone it would not.
SELECT count(*) AS parts, max(abs(coalesce(d.customers, 0) - e.n * a.part)) < 1.000001 AS in_each_segment
FROM (SELECT rfm AS segment, count(*) AS n FROM crm.customer_segments WHERE customer % 10 < 9 GROUP BY 1) AS e
CROSS JOIN (VALUES ('email', 0.8 * 2 / 3), ('sms', 0.8 / 3), (NULL, 0.2)) AS a (arm, part)
LEFT JOIN public.drawn AS d ON d.segment = e.segment AND d.arm IS NOT DISTINCT FROM a.arm
HAVING count(*) > 20;
-- A segment of one customer: held out as often as anybody, over many salts; and so is each of nine.
SELECT bool_and(held BETWEEN 0.17 AND 0.23) AS fair FROM (
  SELECT c, avg(((t.part - floor(t.part)) < 0.2)::integer) AS held
  FROM generate_series(1, 9) AS c, generate_series(1, 2000) AS salt,
    LATERAL (SELECT ((SELECT count(*) FROM generate_series(1, 9) AS o WHERE segmentation_internal.arm_hash(o::text, salt::text) <= segmentation_internal.arm_hash(c::text, salt::text)) - 0.5) / 9
      + segmentation_internal.arm_hash('segment', salt::text) AS part) AS t
  GROUP BY c) AS s;
SELECT min(h) >= 0 AND max(h) < 1 AS within, abs(avg(h) - 0.5) < 0.01 AS middle, count(DISTINCT h) AS different FROM (SELECT segmentation_internal.arm_hash(n::text, 'x') AS h FROM generate_series(1, 10000) AS n) AS t;
-- The same salt, the same draw.
SELECT count(*) > 20 AS again FROM assign_arms('crm', 'again', 'SELECT customer FROM crm.customer_segments WHERE customer % 10 < 9', '{"sms": 1, "email": 2}', 0.2, 'rfm', salt => 'winter');
SELECT count(*) AS differ FROM (SELECT replace(campaign, 'winter', 'again') AS campaign, customer, assigned FROM crm.campaign_customer WHERE campaign LIKE 'winter%' EXCEPT SELECT campaign, customer, assigned FROM crm.campaign_customer WHERE campaign LIKE 'again%') AS d;

-- An effect: those of the arm sms buy more.
INSERT INTO shop.orders SELECT 90000000 + c.customer, c.customer, '2025-12-10', '2025-12-10 12:00', 40, 'web', NULL FROM crm.campaign_customer AS c WHERE c.campaign = 'winter: sms' AND c.assigned AND c.customer % 2 = 0;
CALL refresh('crm', '2025-12-31', retrain => false);
CREATE TABLE public.by_hand AS
SELECT c.campaign, count(*) FILTER (WHERE c.assigned) AS assigned, count(*) FILTER (WHERE NOT c.assigned) AS held_out,
  count(*) FILTER (WHERE c.assigned) * (avg(coalesce(o.amount, 0)) FILTER (WHERE c.assigned) - avg(coalesce(o.amount, 0)) FILTER (WHERE NOT c.assigned)) * 0.5 AS gain
FROM crm.campaign_customer AS c
LEFT JOIN (SELECT customer_id, sum(amount) AS amount FROM shop.orders WHERE ordered_on > '2025-11-30' AND ordered_on <= '2025-12-31' AND refund_of IS NULL GROUP BY 1) AS o ON o.customer_id = c.customer
GROUP BY 1;
CREATE TABLE public.roi AS SELECT * FROM campaign_roi('crm', 'winter', '2025-12-31', '{"sms": 0.08, "email": 30}', fixed_cost => 100, margin => 0.5);
SELECT r.campaign_arm, r.assigned = h.assigned AND r.held_out = h.held_out AS counts, abs(r.gain - h.gain) < 1e-6 AS gain,
  abs(r.cost - (50 + r.assigned * CASE r.campaign_arm WHEN 'winter: sms' THEN 0.08 ELSE 30 END)) < 1e-9 AS cost, abs(r.net - (h.gain - r.cost)) < 1e-6 AS net, abs(r.roi - (h.gain - r.cost) / r.cost) < 1e-6 AS roi,
  r.roi_lower < r.roi AND r.roi < r.roi_upper AND r.net_lower < r.net AND r.gain < r.gain_upper AS intervals, r.verdict
FROM public.roi AS r JOIN public.by_hand AS h ON h.campaign = r.campaign_arm ORDER BY 1;
-- The intervals of two arms hold together (Bonferroni: 97.5 % each), at the level that was asked for.
SELECT bool_and(abs(r.gain_lower - 0.5 * (u.turnover).incremental_lower) < 1e-6 AND abs(r.gain_upper - 0.5 * (u.turnover).incremental_upper) < 1e-6) AS corrected, bool_and(r.gain_lower < 0.5 * (o.turnover).incremental_lower) AS wider
FROM public.roi AS r CROSS JOIN LATERAL campaign_uplift('crm', r.campaign_arm, '2025-12-31', false, '{"level": 0.975}') AS u CROSS JOIN LATERAL campaign_uplift('crm', r.campaign_arm, '2025-12-31') AS o;
SELECT bool_and(abs(r.gain_lower - 0.5 * (u.turnover).incremental_lower) < 1e-6) AS asked
FROM campaign_roi('crm', 'winter', '2025-12-31', margin => 0.5, options => '{"level": 0.8}') AS r CROSS JOIN LATERAL campaign_uplift('crm', r.campaign_arm, '2025-12-31', false, '{"level": 0.9}') AS u;
-- Another campaign whose name only looks like an arm is not one.
SELECT sum(customers) > 0 AS assigned FROM assign_campaign('crm', 'winter: post', 'SELECT customer FROM crm.customer_segments', 0.5);
SELECT campaign_arm FROM campaign_roi('crm', 'winter', '2025-12-31') ORDER BY 1;
-- One arm, nothing spent: no ROI.
SELECT campaign_arm, cost, roi, verdict IN ('pays', 'undecided') AS verdict FROM campaign_roi('crm', 'winter: sms', '2025-12-31');
SELECT campaign_arm, cost = 2 * assigned AS cost FROM campaign_roi('crm', 'winter: sms', '2025-12-31', '{"winter: sms": 2}');

-- A workspace that was made before there were arms, and before a refresh said its steps: upgrade_workspace brings the columns.
SELECT create_workspace('old'), add_source('old', 'purchases', 'shop.orders', '{"where": "refund_of IS NULL"}') IS NOT NULL AS added;
ALTER TABLE old.campaign DROP COLUMN arm_of, DROP COLUMN arm;
ALTER TABLE old.refresh_log DROP COLUMN steps;
SELECT upgrade_workspace('old') > 0 AS upgraded;
CALL refresh('old', '2025-11-30');
SELECT sum(customers) > 100 AS assigned FROM assign_arms('old', 'winter', 'SELECT customer FROM old.customer_segments', '{"sms": 1, "email": 2}');
SELECT count(steps) > 0 AS steps FROM old.refresh_log;
SELECT a.attname, format_type(a.atttypid, NULL) AS type, col_description(a.attrelid, a.attnum) IS NOT DISTINCT FROM col_description(b.attrelid, b.attnum) AS commented
FROM pg_attribute AS a JOIN pg_attribute AS b ON b.attrelid = ('crm' || '.' || split_part(a.attrelid::regclass::text, '.', 2))::regclass AND b.attname = a.attname AND NOT b.attisdropped
WHERE a.attrelid IN ('old.campaign'::regclass, 'old.refresh_log'::regclass) AND a.attname IN ('arm_of', 'arm', 'steps') AND NOT a.attisdropped ORDER BY 1;
SELECT drop_workspace('old');

-- What cannot be.
\set VERBOSITY terse
SELECT assign_arms('crm', 'winter: post', 'SELECT 1', '{"sms": 1}');
SELECT assign_campaign('crm', 'winter', 'SELECT 1');
SELECT assign_campaign('crm', 'winter: sms', 'SELECT 1');
SELECT assign_campaign('crm', 'winter: post', 'SELECT 1');
SELECT campaign_roi('crm', 'winter', '2025-12-31', '{"smss": 1}');
SELECT campaign_roi('crm', 'winter', '2025-12-31', options => '{"level": "x"}');
SELECT assign_arms('crm', 'winter', 'SELECT 1', '{"sms": 1}');
SELECT assign_arms('crm', 'x', 'SELECT 1', '{"sms": 0}');
SELECT assign_arms('crm', 'x', 'SELECT 1', '{"": 1}');
SELECT assign_arms('crm', 'x', 'SELECT 1', '{}');
SELECT assign_arms('crm', 'x', 'SELECT 1', '["sms"]');
SELECT assign_arms('crm', 'x', 'SELECT 1', '{"sms": 1}', 0);
SELECT assign_arms('crm', 'x', 'SELECT 1', '{"sms": 1}', 0.1, 'colour');
SELECT assign_arms('crm', 'x', NULL, '{"sms": 1}');
SELECT campaign_roi('crm', 'none', '2025-12-31');
SELECT campaign_roi('crm', 'winter', '2025-12-31', '{"sms": -1}');
SELECT campaign_roi('crm', 'winter', '2025-12-31', '[]');
SELECT campaign_roi('crm', 'winter', '2025-12-31', margin => 0);
SELECT campaign_roi('crm', 'winter', '2025-12-31', fixed_cost => 'NaN');
SELECT count(*) AS half_written FROM crm.campaign WHERE campaign LIKE 'x%';
DROP TABLE public.drawn;
DROP TABLE public.by_hand, public.roi;
DROP SCHEMA shop CASCADE;
SELECT drop_workspace('crm');
