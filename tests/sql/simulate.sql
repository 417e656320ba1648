-- simulate_shop: the same arguments make the same shop, for anybody who may create a schema.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;

-- A small shop: its tables and how many rows each has.
SELECT * FROM simulate_shop('shop', 200, seed => 1);
SELECT c.relname, c.relkind, (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns, obj_description(c.oid, 'pg_class') IS NOT NULL AS described,
       (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL) AS columns_not_described
FROM pg_class AS c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT obj_description('shop'::regnamespace, 'pg_namespace');

-- The same seed makes the same shop, in any time zone and date style; another seed another one.
SET timezone = 'Pacific/Kiritimati';
SET datestyle = 'SQL, DMY';
SELECT count(*) AS relations FROM simulate_shop('again', 200, seed => 1);
SET timezone = 'America/New_York';
SELECT count(*) AS relations FROM simulate_shop('other', 200, seed => 2, options => '{"unlogged": true}');
RESET timezone;
SET datestyle = ISO;
CREATE FUNCTION pg_temp.differing(a text, b text) RETURNS TABLE (relation text, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOR relation IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = a::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1 LOOP
    EXECUTE format('SELECT (SELECT count(*) FROM (TABLE %1$I.%3$I EXCEPT ALL TABLE %2$I.%3$I) AS t) + (SELECT count(*) FROM (TABLE %2$I.%3$I EXCEPT ALL TABLE %1$I.%3$I) AS t)', a, b, relation) INTO differ;
    RETURN NEXT;
  END LOOP;
END
$$;
SELECT count(*) AS relations, sum(differ) AS rows_that_differ FROM pg_temp.differing('shop', 'again');
SELECT relation, differ > 0 AS differs FROM pg_temp.differing('shop', 'other') WHERE relation NOT IN ('categories') ORDER BY relation;
-- Rows are in the order of time, so the heap is the same too.
SELECT count(*) AS out_of_order FROM (SELECT ordered_at < lag(ordered_at) OVER (ORDER BY ctid) AS earlier FROM shop.orders) AS t WHERE earlier;
-- A shop of more customers holds these row by row.
SELECT (SELECT count(*) FROM shop.orders) AS orders,
       (SELECT count(*) FROM (TABLE shop.orders EXCEPT ALL SELECT order_id, customer_id, ordered_on, ordered_at, amount::numeric(12,2), channel, refund_of
                              FROM simulate_orders(1, 1, 1000, '2023-01-01', '2025-12-31', '{}')) AS t) AS not_in_the_larger;

-- What a shop must be. Lines add up to their order.
SELECT count(*) FILTER (WHERE l.amount IS DISTINCT FROM o.amount) AS orders_that_differ
FROM shop.orders AS o LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM shop.order_lines GROUP BY order_id) AS l USING (order_id);
SELECT count(*) AS lines_without_order FROM shop.order_lines AS l WHERE NOT EXISTS (SELECT FROM shop.orders AS o WHERE (o.order_id, o.customer_id, o.ordered_on) = (l.order_id, l.customer_id, l.ordered_on));
SELECT count(*) AS refunds_more_than_paid FROM (SELECT refund_of, -sum(amount) AS back FROM shop.orders WHERE refund_of IS NOT NULL GROUP BY 1) AS r JOIN shop.orders AS o ON o.order_id = r.refund_of WHERE back > o.amount;
SELECT count(*) AS orders_before_registration FROM shop.orders JOIN shop.customers USING (customer_id) WHERE ordered_on < registered_on;
SELECT count(*) AS wrong_days FROM shop.orders WHERE (ordered_at AT TIME ZONE 'Europe/Paris')::date <> ordered_on OR ordered_on NOT BETWEEN '2023-01-01' AND '2025-12-31';
SELECT count(*) AS messages_without_consent FROM shop.contacts AS m WHERE NOT (
  SELECT c.granted FROM shop.consents AS c WHERE (c.customer_id, c.channel) = (m.customer_id, m.channel) AND c.changed_on <= (m.sent_at AT TIME ZONE 'Europe/Paris')::date ORDER BY c.changed_on DESC LIMIT 1);
SELECT count(*) AS prospects_who_bought FROM shop.truth_customers JOIN shop.orders USING (customer_id) WHERE NOT is_buyer;
SELECT count(*) AS orders_after_the_end FROM shop.truth_customers JOIN shop.orders USING (customer_id) WHERE amount >= 0 AND ordered_on > lifetime_ends;
-- And the extension reads it.
SELECT count(*) AS customers, sum(purchases(h)) = (SELECT count(*) FROM shop.orders WHERE amount >= 0) AS all_orders, sum(turnover(h)) = (SELECT sum(amount) FROM shop.orders) AS all_turnover,
       bool_and(h = p) AS instants_and_days_agree
FROM (SELECT purchase_history(ordered_on, amount) AS h, purchase_history(ordered_at, amount, 'Europe/Paris') AS p FROM shop.orders GROUP BY customer_id) AS t;

-- Parts left out are left out; a shorter period.
SELECT relation FROM simulate_shop('bare', 3, 1, '2024-01-01', '2024-03-31', '{"lines": false, "contacts": false, "interactions": false, "consents": false, "attribute_history": false, "subscriptions": false}');

-- Parallel is serial, for any ranges of customers.
CREATE TABLE ranges AS SELECT n * 20 + 1 AS first, n * 20 + 20 AS last FROM generate_series(0, 9) AS n;
ALTER TABLE ranges SET (parallel_workers = 4);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 4;
EXPLAIN (COSTS OFF) SELECT o.* FROM ranges, simulate_orders(1, first, last, '2023-01-01', '2025-12-31', '{}') AS o;
SELECT count(*) AS orders, count(*) FILTER (WHERE s.order_id IS NULL) AS not_in_the_shop
FROM (SELECT o.* FROM ranges, simulate_orders(1, first, last, '2023-01-01', '2025-12-31', '{}') AS o) AS p
LEFT JOIN shop.orders AS s ON (s.order_id, s.customer_id, s.ordered_at, s.amount) = (p.order_id, p.customer_id, p.ordered_at, p.amount);
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
DROP TABLE ranges;

-- Names are quoted.
SELECT relation, rows FROM simulate_shop('my "shop"', 5, options => '{"contacts": false, "lines": false, "interactions": false}') ORDER BY relation;
SELECT count(*) AS customers, (SELECT count(*) FROM "my ""shop""".truth_tastes) > 0 AS tastes FROM "my ""shop""".customers;
SELECT relation FROM simulate_shop('o''clock; DROP SCHEMA shop', 1) LIMIT 1;
-- A schema that is there is used if it holds no shop.
CREATE SCHEMA mine;
CREATE TABLE mine.notes (note text);
SELECT count(*) AS relations FROM simulate_shop('mine', 2);
CALL refused('SELECT * FROM simulate_shop(''mine'', 2)');
CREATE SCHEMA half;
CREATE VIEW half.orders AS SELECT 1 AS one;
CALL refused('SELECT * FROM simulate_shop(''half'', 2)');
SELECT relname FROM pg_class WHERE relnamespace = 'half'::regnamespace;

-- What is refused leaves nothing.
CALL refused('SELECT * FROM simulate_shop(''no'', 0)');
CALL refused('SELECT * FROM simulate_shop(''no'', -1)');
CALL refused('SELECT * FROM simulate_shop(''no'', 2147483647)');
CALL refused('SELECT * FROM simulate_shop(''no'', NULL)');
CALL refused('SELECT * FROM simulate_shop(NULL, 1)');
CALL refused('SELECT * FROM simulate_shop('''', 1)');
CALL refused('SELECT * FROM simulate_shop(repeat(''x'', 64), 1)');
CALL refused('SELECT * FROM simulate_shop(''pg_mine'', 1)');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, starts => ''2024-01-01'', ends => ''2023-01-01'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, starts => ''2024-01-01'', ends => ''2024-01-15'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, starts => ''-infinity'', ends => ''infinity'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, starts => ''1900-01-01'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''{"colour": "red"}'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''{"products": 0}'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''{"products": 1e9}'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''{"prospects": 1.5}'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''{"lines": "yes"}'')');
CALL refused('SELECT * FROM simulate_shop(''no'', 1, options => ''[]'')');
CALL refused('SELECT * FROM simulate_orders(1, 0, 5, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL refused('SELECT * FROM simulate_orders(1, 5, 2147483647, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL refused('SELECT * FROM simulate_orders(1, 1, 5, ''2023-01-01'', ''infinity'', ''{}'')');
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname IN ('no', 'pg_mine');
SELECT count(*) AS nothing FROM simulate_orders(NULL, 1, 5, '2023-01-01', '2025-12-31', '{}');

-- A user who may create schemas needs no more; who may not is told so.
CREATE ROLE shopkeeper;
SET ROLE shopkeeper;
CALL refused('SELECT * FROM simulate_shop(''own'', 2)');
RESET ROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO shopkeeper', current_database()) \gexec
SET ROLE shopkeeper;
SELECT count(*) AS relations FROM simulate_shop('own', 2);
SELECT count(*) AS orders_seen, pg_get_userbyid((SELECT nspowner FROM pg_namespace WHERE nspname = 'own')) AS owner, pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'own.orders'::regclass)) AS of_orders FROM own.orders WHERE customer_id > 2;
CALL refused('SELECT * FROM simulate_shop(''mine'', 2)');
CALL refused('SELECT * FROM simulate_shop(''half'', 2)');
CALL refused('SELECT * FROM simulate_shop(''segmentation'', 2)');
DROP SCHEMA own CASCADE;
RESET ROLE;
SELECT format('REVOKE CREATE ON DATABASE %I FROM shopkeeper', current_database()) \gexec
DROP ROLE shopkeeper;

DROP SCHEMA shop, again, other, bare, "my ""shop""", "o'clock; DROP SCHEMA shop", mine, half CASCADE;
