-- The best action of each customer, by customer_actions, and by hand.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SELECT count(*) > 0 AS shop FROM simulate_shop('shop', customers => 600, seed => 7);
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchases', 'shop.orders'::regclass), ('purchase_lines', 'shop.order_lines'), ('products', 'shop.products'),
             ('contacts', 'shop.contacts'), ('consents', 'shop.consents')) AS s (kind, relation);
SELECT configure_workspace('crm', '{"channel_costs": {"mail": 0.8, "phone": 3, "sms": 0.08, "email": 0.002}, "channel_caps": {"email": {"contacts": 1, "days": 30}, "mail": {"contacts": 1, "days": 60}}}');
CALL refresh('crm', '2025-11-30');
SELECT bool_and(customers > 50) AS assigned FROM assign_campaign('crm', 'autumn', 'SELECT customer FROM crm.customer_segments WHERE customer % 3 = 0', 0.3);

-- By hand: nothing that could be done is worth more than what is said, and what is said could be done.
CREATE TABLE public.possible AS
SELECT c.customer, c.channel, o.product,
  c.mean * 0.5 * (o.probability / (SELECT sum(q.probability) FROM crm.customer_products AS q WHERE q.customer = o.customer)) * (SELECT p.price * p.margin FROM shop.products AS p WHERE p.product_id::text = o.product)
    - CASE c.channel WHEN 'mail' THEN 0.8 WHEN 'phone' THEN 3 WHEN 'sms' THEN 0.08 WHEN 'email' THEN 0.002 ELSE 0 END AS value
FROM crm.customer_channels AS c JOIN crm.customer_products AS o USING (customer) WHERE c.eligible;
CREATE TABLE public.held AS SELECT customer FROM crm.campaign_customer WHERE NOT assigned;
CREATE TABLE public.actions AS SELECT * FROM customer_actions('crm', 0.5);
SELECT count(*) = (SELECT count(*) FROM crm.customer_segments) AS everybody, count(DISTINCT customer) = count(*) AS once FROM public.actions;
SELECT a.action, a.reason, count(*) > 0 AS some,
  count(*) FILTER (WHERE a.action = 'contact' AND NOT EXISTS (SELECT FROM public.possible AS p WHERE p.customer::text = a.customer AND p.channel = a.channel AND p.product = a.product AND abs(p.value - a.expected_value) < 1e-9)) AS not_possible,
  count(*) FILTER (WHERE a.action = 'contact' AND a.expected_value < (SELECT max(p.value) FROM public.possible AS p WHERE p.customer::text = a.customer) - 1e-9) AS not_best,
  count(*) FILTER (WHERE a.action = 'contact' AND a.expected_value <= 0) AS not_worth,
  count(*) FILTER (WHERE a.reason NOT IN ('best', 'held_out') AND EXISTS (SELECT FROM public.possible AS p WHERE p.customer::text = a.customer AND p.value > 1e-9)) AS missed,
  count(*) FILTER (WHERE (a.reason = 'held_out') <> EXISTS (SELECT FROM public.held AS h WHERE h.customer::text = a.customer)) AS held_out_wrong,
  count(*) FILTER (WHERE a.action = 'none' AND (a.channel IS NOT NULL OR a.product IS NOT NULL OR a.expected_value <> 0)) AS none_that_is_something
FROM public.actions AS a GROUP BY 1, 2 ORDER BY 1, 2;
-- The reasons of none: consent and pressure as the channels have them.
SELECT count(*) FILTER (WHERE a.reason = 'no_consent' AND EXISTS (SELECT FROM crm.customer_channels AS c WHERE c.customer::text = a.customer AND (c.eligible OR c.reason = 'pressure'))) AS could,
  count(*) FILTER (WHERE a.reason = 'pressure' AND NOT EXISTS (SELECT FROM crm.customer_channels AS c WHERE c.customer::text = a.customer AND c.reason = 'pressure')) AS not_pressed
FROM public.actions AS a;
-- Nothing that a contact changes is worth nothing, and what costs nothing is still not done for nothing.
SELECT reason, count(*) > 0 AS some FROM customer_actions('crm', 0) GROUP BY 1 ORDER BY 1;
-- The campaign is over: nobody is held out.
SELECT count(*) FILTER (WHERE reason = 'held_out') AS held_out FROM customer_actions('crm', 1, 0);
-- Who is to be left alone, for a channel or for all: nobody of them is contacted there.
SELECT add_destination('crm', 'told', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}');
INSERT INTO crm.crm_suppressed (customer, channel)
SELECT a.customer::integer, CASE WHEN a.customer::integer % 2 = 0 THEN '*' ELSE a.channel END FROM customer_actions('crm', 1, 0) AS a WHERE a.action = 'contact' AND a.customer::integer % 3 > 0;
SELECT count(*) > 20 AS some, count(*) FILTER (WHERE a.action = 'contact' AND (q.channel = '*' OR q.channel = a.channel)) AS contacted_all_the_same,
  count(*) FILTER (WHERE q.channel <> '*' AND a.action = 'contact') > 0 AS by_another_channel, count(*) FILTER (WHERE q.channel = '*' AND a.reason <> 'no_consent') AS wrong_reasons
FROM customer_actions('crm', 1, 0) AS a JOIN crm.crm_suppressed AS q ON q.customer::text = a.customer;
TRUNCATE crm.crm_suppressed;
-- Dearer contacts: fewer of them.
SELECT configure_workspace('crm', '{"channel_costs": {"mail": 50, "phone": 50, "sms": 50, "email": 50, "push": 50}}');
CALL refresh('crm', '2025-11-30', retrain => true);
SELECT count(*) FILTER (WHERE action = 'contact') AS contacts, count(*) FILTER (WHERE reason = 'not_worth') > 100 AS not_worth FROM customer_actions('crm');

SELECT * FROM customer_actions('crm', 1.1);
SELECT * FROM customer_actions('crm', NULL);
SELECT * FROM customer_actions('crm', 1, -1);
SELECT create_workspace('empty');
SELECT count(*) FROM customer_actions('empty');
SELECT drop_workspace('empty');
DROP TABLE public.possible, public.held, public.actions;
DROP SCHEMA shop CASCADE;
SELECT drop_workspace('crm');
