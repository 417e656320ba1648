-- Offers of a workspace that stand up: what was bought before is offered if it is due, or likely all the same.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SELECT count(*) > 0 AS shop FROM simulate_shop('shop', customers => 600, seed => 4);
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchase_lines', 'shop.order_lines'::regclass), ('products', 'shop.products')) AS s (kind, relation);
SELECT configure_workspace('crm', '{"product_repeat_unless_due": 0.5}');
CALL refresh('crm', '2025-11-30');

-- By hand: all that the model can offer, in its order, without what was bought, is due after 28 days and is not likelier than not.
CREATE FUNCTION public.by_hand(likely double precision) RETURNS TABLE (customer bigint, place bigint, product text, next_due date)
LANGUAGE sql AS $$
  SELECT o.* FROM (
    SELECT f.customer, row_number() OVER (PARTITION BY f.customer ORDER BY t.rank) AS place, t.item, t.next_due
    FROM crm.workspace AS w JOIN crm.parameter_set AS p USING (parameter_set) CROSS JOIN crm.customer_facts AS f
    CROSS JOIN LATERAL segmentation.top_products(p.product_model, segmentation.until(f.items, w.as_of),
      segmentation_internal.workspace_product_day(w.as_of), 10000, segmentation_internal.workspace_product_options(p.settings, 'crm.product')) AS t
    WHERE NOT (t.source = 'repeat' AND t.next_due > segmentation_internal.workspace_product_day(w.as_of) + 28 AND t.probability < likely)) AS o
  WHERE o.place <= 5 $$;
CREATE FUNCTION public.differ(likely double precision) RETURNS TABLE (here bigint, by_hand bigint, differ bigint)
LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM crm.customer_products), (SELECT count(*) FROM public.by_hand(likely)),
    (SELECT count(*) FROM (SELECT customer, place::bigint, product, next_due FROM crm.customer_products EXCEPT SELECT * FROM public.by_hand(likely)) AS d) $$;
SELECT here > 2000 AS offers, here = by_hand AS as_many, differ FROM public.differ(0.5);
SELECT count(*) > 0 AS early_and_likely, min(probability) >= 0.5 AS all_likely FROM crm.customer_products WHERE source = 'repeat' AND next_due > date '2025-11-30' + 28;
-- The limit of the axis is the median of the best offers that are due.
SELECT abs(p.product_minimum - m.median) < 1e-12 AS median
FROM crm.parameter_set AS p JOIN crm.workspace AS w USING (parameter_set), (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY probability) AS median FROM crm.customer_products WHERE place = 1) AS m;
-- A day that moves, and a full refresh of that day: the same.
CALL refresh_changed('crm', '2025-12-08');
CREATE TABLE public.moved AS SELECT * FROM crm.customer_products;
CALL refresh('crm', '2025-12-08', retrain => false);
SELECT count(*) AS differ FROM (TABLE public.moved EXCEPT TABLE crm.customer_products) AS d;
SELECT differ FROM public.differ(0.5);

-- 0: whatever is likeliest, due or not.
SELECT configure_workspace('crm', '{"product_repeat_unless_due": 0}');
CALL refresh('crm', '2025-12-08', retrain => true);
SELECT here = by_hand AS as_many, differ FROM public.differ(0);
SELECT count(*) > 100 AS not_due FROM crm.customer_products WHERE source = 'repeat' AND next_due > date '2025-12-14' + 28 AND probability < 0.5;
-- 1: nothing that is not due.
SELECT configure_workspace('crm', '{"product_repeat_unless_due": 1}');
CALL refresh('crm', '2025-12-08', retrain => true);
SELECT here = by_hand AS as_many, differ FROM public.differ(1);
SELECT count(*) AS not_due FROM crm.customer_products WHERE source = 'repeat' AND next_due > date '2025-12-14' + 28;
\set VERBOSITY terse
SELECT configure_workspace('crm', '{"product_repeat_unless_due": 1.5}');

-- What they are to sell, by hand from the tables of the shop.
SELECT configure_workspace('crm', '{"product_repeat_unless_due": 0.5, "product_offers": 20}');
CALL refresh('crm', '2025-12-08', retrain => true);
CREATE TABLE public.lines AS
SELECT l.customer_id AS customer, l.ordered_on AS day, l.product_id, p.category_id, sum(l.quantity) AS quantity, sum(l.amount) AS amount FROM shop.order_lines AS l JOIN shop.products AS p USING (product_id)
WHERE l.ordered_on <= '2025-12-08' GROUP BY 1, 2, 3, 4;
CREATE TABLE public.in_category AS
SELECT customer, category_id, sum(amount) / sum(quantity) AS paid FROM (SELECT customer, category_id, day, sum(quantity) AS quantity, sum(amount) AS amount FROM public.lines GROUP BY 1, 2, 3) AS d
WHERE quantity > 0 AND amount >= 0 GROUP BY 1, 2;
SELECT o.kind, count(*) > 0 AS some,
  count(*) FILTER (WHERE (o.kind = 'repeat') <> (c.source = 'repeat')) AS repeat_wrong,
  count(*) FILTER (WHERE (o.kind = 'cross_sell') <> (o.kind NOT IN ('repeat', 'popular') AND i.customer IS NULL)) AS cross_wrong,
  count(*) FILTER (WHERE (o.kind = 'up_sell') <> (o.kind NOT IN ('repeat', 'popular') AND coalesce(p.price > i.paid AND p.price <= m.most, false))) AS up_wrong
FROM customer_offers('crm') AS o JOIN crm.customer_products AS c ON c.customer::text = o.customer AND c.place = o.place JOIN shop.products AS p ON p.product_id::text = o.product
LEFT JOIN public.in_category AS i ON i.customer::text = o.customer AND i.category_id = p.category_id
LEFT JOIN (SELECT customer, max(amount / quantity) AS most FROM public.lines WHERE quantity > 0 AND amount >= 0 GROUP BY 1) AS m ON m.customer::text = o.customer
GROUP BY 1 ORDER BY 1;
SELECT count(*) = (SELECT count(*) FROM crm.customer_products) AS all_of_them FROM customer_offers('crm');
SELECT configure_workspace('crm', '{"product_level": "category"}');
CALL refresh('crm', '2025-12-08', retrain => true);
SELECT kind, count(*) > 0 AS some FROM customer_offers('crm') GROUP BY 1 ORDER BY 1;
SELECT * FROM customer_offers('none');
DROP TABLE public.moved, public.lines, public.in_category;
DROP FUNCTION public.by_hand, public.differ;
DROP SCHEMA shop CASCADE;
SELECT drop_workspace('crm');
