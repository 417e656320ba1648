-- How customers buy, by customer_behaviour, and by hand from the tables of the shop.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SELECT count(*) > 0 AS shop FROM simulate_shop('shop', customers => 800, seed => 6);
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchase_lines', 'shop.order_lines'::regclass), ('products', 'shop.products'),
             ('contacts', 'shop.contacts'), ('consents', 'shop.consents')) AS s (kind, relation);
SELECT configure_workspace('crm', '{"channel_caps": {"email": {"contacts": 1, "days": 20}, "sms": {"contacts": 1, "days": 60}}}');
CALL refresh('crm', '2025-11-30');
CREATE TABLE public.behaviour AS SELECT * FROM customer_behaviour('crm', 0.2);
SELECT count(*) = (SELECT count(*) FROM crm.customer_facts) AS everybody, count(discount_decile) > 500 AS ranked, count(next_purchase) > 50 AS foreseen FROM public.behaviour;

-- Lines by hand: by customer, product and day; what was sent back has a number and a day of its own.
CREATE TABLE public.paid AS
SELECT customer_id AS customer, product_id, ordered_on AS day, sum(quantity) AS quantity, sum(amount) AS amount
FROM shop.order_lines WHERE ordered_on <= '2025-11-30' GROUP BY 1, 2, 3;
CREATE TABLE public.by_hand AS
SELECT t.customer, sum(t.bought) AS lines, sum(t.bought * t.reduced)::numeric / sum(t.bought) AS discount_lines,
  sum(t.bought * t.reduced * t.amount) / NULLIF(sum(t.bought * t.amount), 0) AS discount_value, sum(t.bought * t.amount) AS amount,
  sum(t.bought * (t.price * t.quantity - t.amount)) AS given, sum((t.bought - 1) * t.amount) / NULLIF(sum(t.bought * t.amount), 0) AS returned,
  sum(t.amount - t.price * (1 - t.margin) * t.quantity) AS margin
FROM (SELECT p.*, r.price, r.margin, (p.quantity > 0 AND p.amount >= 0)::integer AS bought, (p.amount <= 0.8 * r.price * p.quantity)::integer AS reduced
      FROM public.paid AS p JOIN shop.products AS r USING (product_id)) AS t
GROUP BY 1 HAVING sum(t.bought) > 0;
SELECT count(*) > 500 AS customers, count(*) FILTER (WHERE abs(b.discount_lines - h.discount_lines) > 1e-9) AS lines, count(*) FILTER (WHERE abs(b.discount_value - h.discount_value) > 1e-9) AS value,
  count(*) FILTER (WHERE abs(b.discount_given - h.given) > 0.01) AS given, count(*) FILTER (WHERE abs(b.net_margin - h.margin) > 0.01) AS margin,
  count(*) FILTER (WHERE abs(b.returned - h.returned) > 1e-9) AS returned, count(*) FILTER (WHERE h.returned > 0) > 50 AS some_returned
FROM public.behaviour AS b JOIN public.by_hand AS h ON h.customer::text = b.customer;
SELECT count(*) AS one_of_them_only FROM (SELECT customer FROM public.behaviour WHERE discount_decile IS NOT NULL) AS b FULL JOIN public.by_hand AS h ON h.customer::text = b.customer WHERE b IS NULL OR h IS NULL;
-- Deciles: of equal size but for ties, in the order of the sensitivity, which lies between the customer's own shares and everybody's.
SELECT bool_and(n BETWEEN everybody / 10 - 30 AND everybody / 10 + 30) AS tenths, count(*) AS deciles, bool_and(least >= coalesce(before, 0)) AS in_order
FROM (SELECT discount_decile, count(*) AS n, min(discount_sensitivity) AS least, lag(max(discount_sensitivity)) OVER (ORDER BY discount_decile) AS before, sum(count(*)) OVER () AS everybody
      FROM public.behaviour WHERE discount_decile IS NOT NULL GROUP BY 1) AS d;
SELECT count(*) FILTER (WHERE abs(b.discount_sensitivity - s.sensitivity) > 1e-9) AS differ
FROM public.behaviour AS b JOIN public.by_hand AS h ON h.customer::text = b.customer
CROSS JOIN (SELECT sum(lines * discount_lines) / sum(lines) AS lines FROM public.by_hand) AS l
CROSS JOIN (SELECT sum(discount_value * amount) / sum(amount) AS value FROM public.by_hand) AS v
CROSS JOIN LATERAL (SELECT ((h.lines * h.discount_lines + 5 * l.lines) + (h.lines * coalesce(h.discount_value, v.value) + 5 * v.value)) / (h.lines + 5) / 2 AS sensitivity) AS s;

-- Baskets, gaps, contacts.
CREATE TABLE public.orders_by_hand AS
SELECT customer_id AS customer, order_id, min(ordered_on) AS day, sum(amount) AS amount, max(quantity) > 0 AS bought FROM shop.order_lines WHERE ordered_on <= '2025-11-30' GROUP BY 1, 2;
SELECT count(*) > 500 AS customers, count(*) FILTER (WHERE abs(b.mean_basket - h.basket) > 0.01) AS basket, count(*) FILTER (WHERE b.tenure IS DISTINCT FROM h.tenure) AS tenure,
  count(*) FILTER (WHERE abs(coalesce(b.mean_gap, -1) - coalesce(h.gap, -1)) > 1e-9) AS gap
FROM public.behaviour AS b JOIN (
  SELECT customer, date '2025-11-30' - min(day) FILTER (WHERE bought) AS tenure, sum(amount) / count(*) FILTER (WHERE bought) AS basket,
    (max(day) FILTER (WHERE bought) - min(day) FILTER (WHERE bought))::double precision / NULLIF(count(DISTINCT day) FILTER (WHERE bought) - 1, 0) AS gap
  FROM public.orders_by_hand GROUP BY 1) AS h ON h.customer::text = b.customer;
SELECT count(*) FILTER (WHERE b.contacts_30 <> coalesce(h.n, 0)) AS contacts FROM public.behaviour AS b
LEFT JOIN (SELECT customer_id, count(*) AS n FROM shop.contacts WHERE sent_at >= '2025-11-01' AND sent_at < '2025-12-01' GROUP BY 1) AS h ON h.customer_id::text = b.customer;
SELECT contact_frequency, count(*) > 0 AS some, bool_and(contact_frequency <> 'under' OR contacts_30 = 0) AS as_said FROM public.behaviour GROUP BY 1 ORDER BY 1;
SELECT count(*) AS saturated_with_a_channel FROM public.behaviour AS b JOIN crm.customer_channels AS c ON c.customer::text = b.customer WHERE b.contact_frequency = 'saturated' AND c.eligible;

-- What cannot be.
\set VERBOSITY default
SELECT * FROM customer_behaviour('crm', 1);
SELECT * FROM customer_behaviour('crm', 'NaN');
SELECT * FROM customer_behaviour('crm', NULL);
SELECT * FROM customer_behaviour('no such', 0.1);
-- Categories have no price: the rest is there.
SELECT configure_workspace('crm', '{"product_level": "category"}');
CALL refresh('crm', '2025-11-30', retrain => true);
SELECT count(discount_decile) AS ranked, count(mean_basket) > 500 AS baskets FROM customer_behaviour('crm');
-- Nothing published yet: nobody.
SELECT create_workspace('empty');
SELECT count(*) FROM customer_behaviour('empty');
SELECT drop_workspace('empty');
DROP TABLE public.behaviour, public.paid, public.by_hand, public.orders_by_hand;
DROP SCHEMA shop CASCADE;
SELECT drop_workspace('crm');
