-- The customer-base audit: each lens against SQL over what was bought by day.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SELECT count(*) > 0 AS shop FROM simulate_shop('shop', customers => 800, seed => 4, options => '{"acquisition_days": 1000}');
-- Money back in a period without a purchase.
INSERT INTO shop.orders SELECT 70000000, customer_id, '2025-09-09', '2025-09-09 12:00', -5, 'web', NULL FROM shop.orders WHERE refund_of IS NULL GROUP BY customer_id
  HAVING max(ordered_on) < '2023-11-01' AND sum(amount) > 5 ORDER BY customer_id LIMIT 1;
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT add_source('crm', 'purchases', 'shop.orders') IS NOT NULL AS added;
CALL refresh('crm', '2025-11-30');
-- An order that is refunded counts less, or not, on its day: the facts say what was bought. (Other tests hold those.)
CREATE TABLE public.bought AS SELECT f.customer, d.day, d.purchases AS orders, d.amount FROM crm.customer_facts AS f CROSS JOIN days(f.history) AS d WHERE d.day <= '2025-11-30';
SELECT count(*) > 5000 AS days, count(*) FILTER (WHERE orders = 0) AS money_back FROM public.bought;

-- 1. One period.
SELECT * FROM audit_deciles('crm', daterange('2024-12-01', '2025-12-01'));
WITH c AS (SELECT customer, sum(orders) AS orders, sum(amount) AS turnover FROM public.bought WHERE day >= '2024-12-01' GROUP BY 1 HAVING sum(orders) > 0),
  p AS (SELECT *, ntile(10) OVER (ORDER BY turnover DESC, orders DESC, customer) AS part FROM c)
SELECT count(*) AS parts, count(*) FILTER (WHERE (a.customers, a.orders, a.turnover) IS DISTINCT FROM (h.customers, h.orders, h.turnover)) AS differ, max(abs(a.share - h.turnover / h.everything)) < 1e-12 AS shares, max(a.cumulative_share) AS all
FROM audit_deciles('crm', daterange('2024-12-01', '2025-12-01')) AS a
FULL JOIN (SELECT part, count(*) AS customers, sum(orders) AS orders, sum(turnover) AS turnover, sum(sum(turnover)) OVER () AS everything FROM p GROUP BY 1) AS h USING (part);

-- 2. Two periods.
SELECT * FROM audit_change('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'));
WITH c AS (
  SELECT customer, coalesce(sum(orders) FILTER (WHERE day >= '2023-12-01' AND day < '2024-12-01'), 0) AS o0, coalesce(sum(orders) FILTER (WHERE day >= '2024-12-01'), 0) AS o1,
    coalesce(sum(amount) FILTER (WHERE day >= '2023-12-01' AND day < '2024-12-01'), 0) AS t0, coalesce(sum(amount) FILTER (WHERE day >= '2024-12-01'), 0) AS t1, min(day) FILTER (WHERE orders > 0) AS first
  FROM public.bought GROUP BY 1),
h AS (
  SELECT CASE WHEN o0 = 0 AND o1 = 0 THEN 'refunded' WHEN o0 > 0 AND o1 > 0 AND t1 > t0 THEN 'up' WHEN o0 > 0 AND o1 > 0 AND t1 < t0 THEN 'down' WHEN o0 > 0 AND o1 > 0 THEN 'same' WHEN o0 > 0 THEN 'lost' WHEN first < '2024-12-01' THEN 'back' ELSE 'new' END AS what,
    count(*) AS customers, sum(o0) AS o0, sum(o1) AS o1, sum(t0) AS t0, sum(t1) AS t1
  FROM c WHERE o0 > 0 OR o1 > 0 OR t0 <> 0 OR t1 <> 0 GROUP BY 1)
SELECT count(*) AS kinds, count(*) FILTER (WHERE (a.customers, a.orders_before, a.orders_after, a.turnover_before, a.turnover_after, a.change) IS DISTINCT FROM (h.customers, h.o0, h.o1, h.t0, h.t1, h.t1 - h.t0)) AS differ,
  sum(a.change) = (SELECT sum(amount) FILTER (WHERE day >= '2024-12-01') - sum(amount) FILTER (WHERE day >= '2023-12-01' AND day < '2024-12-01') FROM public.bought) AS adds_up
FROM audit_change('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01')) AS a LEFT JOIN h USING (what) WHERE h.what IS NOT NULL OR a.customers > 0;
-- The factors multiply to the turnover, and their effects add up to its change.
SELECT factor, round(value_before::numeric, 3) AS before, round(value_after::numeric, 3) AS after, round(effect::numeric) AS effect, round(share_of_change::numeric, 3) AS share FROM audit_factors('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'));
SELECT abs(exp(sum(ln(value_after))) - t.after) < 1e-6 * t.after AS multiply, abs(sum(effect) - (t.after - t.before)) < 1e-6 * t.after AS add_up, abs(sum(share_of_change) - 1) < 1e-9 AS whole
FROM audit_factors('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01')),
  (SELECT sum(amount) FILTER (WHERE day >= '2024-12-01')::float8 AS after, sum(amount) FILTER (WHERE day >= '2023-12-01' AND day < '2024-12-01')::float8 AS before FROM public.bought) AS t GROUP BY t.before, t.after;
-- Without a turnover before there is nothing to explain.
SELECT factor, value_before, effect FROM audit_factors('crm', daterange('1990-01-01', '1991-01-01'), daterange('2024-12-01', '2025-12-01'));

-- 3 to 5. Cohorts.
SELECT * FROM audit_cohorts('crm', 'year') ORDER BY 1, 2;
WITH c AS (SELECT customer, date_trunc('quarter', min(day) FILTER (WHERE orders > 0))::date AS cohort FROM public.bought GROUP BY 1),
h AS (SELECT c.cohort, date_trunc('quarter', b.day)::date AS period, count(DISTINCT b.customer) FILTER (WHERE b.orders > 0) AS buyers, sum(b.orders) AS orders, sum(b.amount) AS turnover FROM public.bought AS b JOIN c USING (customer) GROUP BY 1, 2)
SELECT count(*) > 50 AS cells, count(*) FILTER (WHERE (a.buyers, a.orders, a.turnover) IS DISTINCT FROM (coalesce(h.buyers, 0), coalesce(h.orders, 0), coalesce(h.turnover, 0))) AS differ,
  count(*) FILTER (WHERE a.cohort_customers <> (SELECT count(*) FROM c WHERE c.cohort = a.cohort)) AS sizes, sum(a.turnover) = (SELECT sum(amount) FROM public.bought) AS everything,
  bool_and(a.age = (SELECT count(DISTINCT q) FROM generate_series(a.cohort::timestamp, a.period, '3 months') AS q) - 1) AS ages
FROM audit_cohorts('crm') AS a FULL JOIN h USING (cohort, period);

-- Why turnover changed: of those with a card in one city it was cut to a fifth, from one day on.
SELECT segmentation_internal.audit_dimensions('crm') IS NULL AS no_attributes;
SELECT rank, segment->> 'customer_is' AS customer_is, z IS NOT NULL AS tested FROM turnover_drivers('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'), maximum_q => 1);
CREATE TABLE public.client AS SELECT customer_id, (ARRAY['Lyon', 'Lille', 'Brest'])[1 + customer_id % 3] AS city, customer_id % 5 = 0 AS card, 'a' AS same FROM shop.customers;
SELECT add_source('crm', 'customers', 'public.client') IS NOT NULL AS added;
UPDATE shop.orders SET amount = amount / 5 WHERE customer_id % 3 = 1 AND customer_id % 5 = 0 AND ordered_on >= '2024-12-01';
CALL refresh('crm', '2025-11-30');
SELECT segmentation_internal.audit_dimensions('crm');
SELECT abs(turnover_before - h.before) < 1e-6 AS before, abs(turnover_after - h.after) < 1e-6 AS after, abs(contribution - (h.after - h.before)) < 1e-6 AS contribution, unexpected < 0 AND z < -1 AS down
FROM turnover_drivers('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'), maximum_q => 1) AS d,
  (SELECT sum(d.amount) FILTER (WHERE d.day >= '2024-12-01')::float8 AS after, sum(d.amount) FILTER (WHERE d.day >= '2023-12-01' AND d.day < '2024-12-01')::float8 AS before
   FROM crm.customer_facts AS f, days(f.history) AS d WHERE d.day <= '2025-11-30' AND f.customer % 3 = 1 AND f.customer % 5 = 0) AS h WHERE segment = '{"card": "true", "city": "Lille"}';
-- Who was new in a period, and what they brought.
SELECT bool_and(abs(d.turnover_before - h.before) < 1e-6 AND abs(d.turnover_after - h.after) < 1e-6) AS new_and_known, count(*)
FROM turnover_drivers('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'), '{customer_is,card}', maximum_q => 1, minimum_support => 0) AS d
JOIN (
  SELECT jsonb_build_object('customer_is', CASE WHEN f.first >= CASE WHEN d.day >= '2024-12-01' THEN '2024-12-01'::date ELSE '2023-12-01' END THEN 'new' ELSE 'known' END) AS segment,
    coalesce(sum(d.amount) FILTER (WHERE d.day >= '2024-12-01'), 0)::float8 AS after, coalesce(sum(d.amount) FILTER (WHERE d.day >= '2023-12-01' AND d.day < '2024-12-01'), 0)::float8 AS before
  FROM (SELECT f.history, (SELECT min(d.day) FROM days(f.history) AS d WHERE d.purchases > 0) AS first FROM crm.customer_facts AS f) AS f, days(f.history) AS d WHERE d.day >= '2023-12-01' AND d.day <= '2025-11-30' GROUP BY 1) AS h USING (segment);
SELECT count(*) > 0 AS by_city FROM turnover_drivers('crm', daterange('2023-12-01', '2024-12-01'), daterange('2024-12-01', '2025-12-01'), '{city}', maximum_q => 1) WHERE segment = '{"city": "Lyon"}';

-- What cannot be.
\set VERBOSITY terse
SELECT audit_deciles('crm', NULL);
SELECT audit_deciles('crm', 'empty');
SELECT audit_deciles('crm', daterange('2025-01-01', NULL));
SELECT audit_deciles('crm', daterange('2025-01-01', '2026-01-01'), 0);
SELECT audit_change('crm', daterange('2025-01-01', '2026-01-01'), daterange('2025-01-01', '2026-01-01'));
SELECT audit_cohorts('crm', 'week');
SELECT audit_cohorts('nowhere');
-- Nobody bought: no rows.
SELECT count(*) FROM audit_deciles('crm', daterange('1990-01-01', '1991-01-01'));
SELECT drop_workspace('crm');
DROP TABLE public.bought, public.client;
DROP SCHEMA shop CASCADE;
