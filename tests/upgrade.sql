-- A workspace, maps and labels of one's own, and a value of every type of the extension that can be stored.
SET client_min_messages = warning;
SET search_path = segmentation, public;
SELECT simulate_shop('shop_data', customers => 300, seed => 7);
SELECT create_workspace('shop', time_zone => 'UTC');
SELECT add_source('shop', kind, relation)
FROM (VALUES ('purchases', 'shop_data.orders'::regclass), ('purchase_lines', 'shop_data.order_lines'),
  ('products', 'shop_data.products'), ('customers', 'shop_data.customers'), ('contacts', 'shop_data.contacts'),
  ('consents', 'shop_data.consents'), ('subscriptions', 'shop_data.subscriptions')) AS s (kind, relation)
WHERE relation IS NOT NULL;
SELECT register_segment('shop', 'late', '{"kind": "rules", "default": "no",
  "segments": [{"segment": "yes", "when": {"field": "recency", ">": 100}}]}');
CALL refresh('shop', '2025-12-31');
CALL refresh_views('shop');
SELECT start_capture('shop', 'purchases', 'shop_data.orders');
SELECT add_destination('shop', 'files', 'csv',
  '{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": []}');
SELECT crm_sync('shop', 'files');
CALL refresh('shop', '2025-12-31');
INSERT INTO rfm_map (map, r, f, m, segment, bins)
SELECT 'mine', rows.* FROM rfm_map_rows('{"bins": 2, "segments": [{"segment": "all"}]}') AS rows;
INSERT INTO label VALUES ('rfm', 'all', 'de', 'Alle');
CREATE TABLE public.stored AS
SELECT g.*, f.history AS one_history, f.items AS some_items, f.contacts AS some_contacts, f.hours AS some_hours,
  f.interactions AS some_interactions, f.subscriptions AS some_subscriptions
FROM shop.customer_facts AS f CROSS JOIN (SELECT * FROM shop.parameter_set ORDER BY parameter_set LIMIT 1) AS g
WHERE f.items IS NOT NULL ORDER BY f.customer LIMIT 20;
