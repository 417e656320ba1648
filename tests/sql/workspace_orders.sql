-- Orders as shops have them: cancelled, sent back, corrected; lines that are no products.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA ord;

-- Purchases without numbers: what comes back on its day for exactly as much was no purchase, nor is a day that comes to nothing.
CREATE TABLE ord.purchases (customer_id integer, about text, purchased_on date, amount numeric);
INSERT INTO ord.purchases VALUES
  (1, 'cancelled, bought before', '2025-01-10', 80), (1, NULL, '2025-03-01', 50), (1, NULL, '2025-03-01', -50),
  (2, 'cancelled, nothing else', '2025-03-01', 50), (2, NULL, '2025-03-01', -50),
  (3, 'ordered again', '2025-03-01', 50), (3, NULL, '2025-03-01', -50), (3, NULL, '2025-03-01', 60),
  (4, 'two of three alike', '2025-03-01', 50), (4, NULL, '2025-03-01', 50), (4, NULL, '2025-03-01', 50), (4, NULL, '2025-03-01', -50), (4, NULL, '2025-03-01', -50),
  (5, 'in two parts', '2025-03-01', 50), (5, NULL, '2025-03-01', -20), (5, NULL, '2025-03-01', -30),
  (6, 'in one, of two orders', '2025-03-01', 50), (6, NULL, '2025-03-01', 30), (6, NULL, '2025-03-01', -80),
  (7, 'one part', '2025-03-01', 50), (7, NULL, '2025-03-01', -20),
  (8, 'a gift', '2025-03-01', 0),
  (9, 'a gift, and one cancelled', '2025-03-01', 0), (9, NULL, '2025-03-01', 50), (9, NULL, '2025-03-01', -50),
  (10, 'more came back', '2025-03-01', 50), (10, NULL, '2025-03-01', -80),
  (11, 'came back later', '2025-03-01', 50), (11, NULL, '2025-03-10', -50),
  (12, 'a refund alone', '2025-03-01', -50),
  (13, 'a refund and a purchase', '2025-03-01', -50), (13, NULL, '2025-03-10', 70),
  (14, 'cents and more', '2025-03-01', 0.30), (14, NULL, '2025-03-01', -0.1), (14, NULL, '2025-03-01', -0.2);
SELECT create_workspace('plain'), configure_workspace('plain', '{"source_silence": "off", "minimum_buyers": 1}'), add_source('plain', 'purchases', 'ord.purchases');
CALL refresh('plain', '2025-03-31');
SELECT p.about, f.history, recency(f.history, '2025-03-31'), frequency(f.history, '2025-03-31'), s.rfm, s.life_cycle
FROM ord.purchases AS p JOIN plain.customer_facts AS f ON f.customer = p.customer_id JOIN plain.customer_segments AS s USING (customer) WHERE p.about IS NOT NULL ORDER BY f.customer;
SELECT reason, label('row_reason', reason, 'fr') AS label, rows, turnover FROM plain.source_reading ORDER BY reason;
SELECT (SELECT sum(turnover) FROM plain.source_reading) = (SELECT sum(amount) FROM ord.purchases) AS rows_add_up,
  (SELECT sum(turnover) FROM plain.source_reading WHERE reason IN ('used', 'cancelled')) = (SELECT sum(monetary(history, '2025-03-31')) FROM plain.customer_facts) AS facts_add_up;
-- A refund alone is not "nothing yet".
SELECT s.customer, e.axis, e.language, x.explanation
FROM (VALUES (2), (12)) AS s (customer) CROSS JOIN (VALUES ('rfm', 'en'), ('rfm', 'fr'), ('life_cycle', 'en'), ('life_cycle', 'fr'), ('pmg', 'en'), ('pmg', 'fr')) AS e (axis, language)
CROSS JOIN LATERAL explain('plain', s.customer::text, e.axis, e.language) AS x ORDER BY 1, 2, 3;

-- Floats: sums that would miss 0 by a hair.
CREATE TABLE ord.floats (customer_id integer, purchased_on date, amount double precision);
INSERT INTO ord.floats VALUES (1, '2025-03-01', 0.30), (1, '2025-03-01', -0.1), (1, '2025-03-01', -0.2), (2, '2025-03-01', 0.3), (2, '2025-03-01', -0.3), (2, '2025-03-02', 10.1);
SELECT create_workspace('floats'), add_source('floats', 'purchases', 'ord.floats') IS NOT NULL AS added;
CALL refresh('floats', '2025-03-31');
SELECT customer, history FROM floats.customer_facts ORDER BY 1;

-- With numbers: whatever the day, an order comes to what it came to in the end; a refund with a number of its own names the order.
CREATE TABLE ord.numbered (customer_id integer, order_id text, refund_of text, ordered_on date, amount numeric);
INSERT INTO ord.numbered VALUES
  (1, 'a1', NULL, '2025-01-10', 80), (1, 'a2', NULL, '2025-03-01', 50), (1, 'a2', NULL, '2025-03-20', -50),
  (2, 'b1', NULL, '2025-03-01', 50), (2, 'r1', 'b1', '2025-03-20', -20),
  (3, 'c1', NULL, '2025-03-01', 50), (3, 'r2', 'c1', '2025-03-20', -50),
  -- The refund is of another order, which is not in the log: no cancellation of the day.
  (4, 'd1', NULL, '2025-03-01', 50), (4, 'r3', 'd0', '2025-03-01', -50),
  -- It does not say so: the two are one cancellation.
  (5, 'e1', NULL, '2025-03-01', 50), (5, 'r4', NULL, '2025-03-01', -50), (5, NULL, NULL, '2025-03-05', 10), (5, '', NULL, '2025-03-06', 10),
  -- By instalments; more than all came back; the order after its refund.
  (6, 'f1', NULL, '2025-01-31', 30), (6, 'f1', NULL, '2025-02-28', 30),
  (7, 'g1', NULL, '2025-03-01', 50), (7, 'g1', NULL, '2025-03-20', -60),
  (8, 'h1', NULL, '2025-03-05', 50), (8, 'h1', NULL, '2025-03-01', -20),
  -- Sent back after the published day; what a row that is no refund names does not matter.
  (9, 'i1', NULL, '2025-03-01', 50), (9, 'i1', NULL, '2025-04-20', -50),
  (10, 'j1', '0', '2025-03-01', 50), (10, 'j2', '0', '2025-03-02', 50), (10, 'j3', NULL, '2025-04-01', 7),
  (11, 'k1', NULL, '2025-03-01', 50), (11, 'k1', NULL, '2025-04-20', -10);
SELECT create_workspace('numbered'), configure_workspace('numbered', '{"source_silence": "off", "minimum_buyers": 1}'), add_source('numbered', 'purchases', 'ord.numbered');
CALL refresh('numbered', '2025-03-31');
SELECT customer, history FROM numbered.customer_facts ORDER BY 1;
SELECT reason, rows, turnover FROM numbered.source_reading ORDER BY reason;
SELECT (SELECT sum(turnover) FROM numbered.source_reading) = (SELECT sum(amount) FROM ord.numbered) AS rows_add_up,
  (SELECT sum(turnover) FROM numbered.source_reading WHERE reason IN ('used', 'cancelled')) = (SELECT sum(monetary(history, '2025-03-31')) FROM numbered.customer_facts) AS facts_add_up;
-- One customer at a time the same; an order is cancelled, its refund taken back.
SELECT start_capture('numbered', 'purchases', 'ord.numbered');
CALL refresh_changed('numbered', '2025-03-31');
INSERT INTO ord.numbered VALUES (10, 'r5', 'j2', '2025-03-30', -50), (2, 'r6', 'b1', '2025-03-30', -30), (1, 'a1', NULL, '2025-03-30', -80);
DELETE FROM ord.numbered WHERE order_id = 'r2';
CALL refresh_changed('numbered', '2025-03-31');
CREATE TABLE ord.changed AS SELECT customer, history FROM numbered.customer_facts;
SELECT * FROM ord.changed WHERE customer IN (1, 2, 3, 10) ORDER BY 1;
CALL refresh('numbered', '2025-03-31', false);
SELECT count(*) AS others FROM ord.changed AS c FULL JOIN numbered.customer_facts AS f USING (customer) WHERE c.history::text IS DISTINCT FROM f.history::text;
-- Unique numbers need no netting; two sources, or refunds in a table of their own, do.
CREATE TABLE ord.orders (order_id integer PRIMARY KEY, customer_id integer, ordered_on date, amount numeric);
CREATE TABLE ord.refunds (refund_id integer PRIMARY KEY, order_id integer, customer_id integer, refunded_on date, amount numeric);
INSERT INTO ord.orders SELECT n, n % 40, date '2025-01-01' + n % 90, 10 + n % 7 FROM generate_series(1, 400) AS n;
INSERT INTO ord.refunds SELECT n, 3 * n, 3 * n % 40, date '2025-01-01' + 3 * n % 90 + n % 20, CASE WHEN n % 2 = 0 THEN -1 ELSE -(10 + 3 * n % 7) END FROM generate_series(1, 100) AS n;
SELECT create_workspace('two'), configure_workspace('two', '{"source_silence": "off"}'), add_source('two', 'purchases', 'ord.orders');
SELECT segmentation_internal.workspace_netted('two');
SELECT add_source('two', 'purchases', 'ord.refunds', '{"purchased_on": "refunded_on"}');
SELECT segmentation_internal.workspace_netted('two');
CALL refresh('two', '2025-03-31');
SELECT r.kind, s.reason, s.rows, s.turnover FROM two.source_reading AS s JOIN two.source AS r USING (source) ORDER BY source, reason;
-- By hand, in another way: order by order.
SELECT count(*) AS customers, count(*) FILTER (WHERE purchases(f.history) = h.purchases AND turnover(f.history) = h.turnover AND last_purchase(f.history) IS NOT DISTINCT FROM h.last) AS same
FROM two.customer_facts AS f JOIN (
  SELECT o.customer_id, count(*) FILTER (WHERE o.amount + coalesce(r.amount, 0) > 0) AS purchases, sum(o.amount + coalesce(r.amount, 0)) AS turnover,
    max(o.ordered_on) FILTER (WHERE o.amount + coalesce(r.amount, 0) > 0) AS last
  FROM ord.orders AS o LEFT JOIN ord.refunds AS r USING (order_id) GROUP BY 1) AS h ON h.customer_id = f.customer;
-- Offers know what was kept: not the lines of orders that were sent back, though only the purchases say so.
CREATE TABLE ord.basket AS SELECT o.order_id, o.customer_id, o.ordered_on, p.product_id, 5 AS amount FROM ord.orders AS o CROSS JOIN LATERAL (VALUES ('p' || o.order_id % 5), ('q' || o.order_id % 7)) AS p (product_id);
SELECT add_source('two', 'purchase_lines', 'ord.basket', '{"order": "order_id"}') IS NOT NULL AS added;
CALL refresh('two', '2025-03-31');
CREATE FUNCTION ord.bought(ws text) RETURNS TABLE (customer text, item text, day date, purchases bigint, quantity numeric, amount numeric) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT f.customer::text, j ->> ''item'', (j ->> ''day'')::date, (j ->> ''purchases'')::bigint, (j ->> ''quantity'')::numeric, (j ->> ''amount'')::numeric FROM %I.customer_facts AS f, jsonb_array_elements(f.items::jsonb) AS j', ws);
END
$$;
CREATE VIEW ord.basket_by_hand AS
  SELECT b.customer_id::text AS customer, b.product_id AS item, b.ordered_on AS day, count(*) AS purchases, count(*)::numeric AS quantity, sum(b.amount)::numeric AS amount
  FROM ord.basket AS b JOIN ord.orders AS o USING (order_id) LEFT JOIN ord.refunds AS r USING (order_id) WHERE o.amount + coalesce(r.amount, 0) > 0 GROUP BY 1, 2, 3;
SELECT (SELECT count(*) FROM ord.basket_by_hand) AS by_hand, (SELECT count(*) FROM ord.basket) AS lines, count(*) AS differ FROM ((SELECT * FROM ord.bought('two') EXCEPT SELECT * FROM ord.basket_by_hand) UNION ALL (SELECT * FROM ord.basket_by_hand EXCEPT SELECT * FROM ord.bought('two'))) AS d;
SELECT start_capture('two', 'purchases', 'ord.refunds'), start_capture('two', 'purchases', 'ord.orders'), start_capture('two', 'purchase_lines', 'ord.basket');
CALL refresh_changed('two', '2025-03-31');
INSERT INTO ord.refunds SELECT 1000 + o.order_id, o.order_id, o.customer_id, '2025-03-30', -o.amount FROM ord.orders AS o WHERE o.order_id % 10 = 1 AND o.order_id % 3 > 0;
DELETE FROM ord.refunds WHERE refund_id % 9 = 1 AND refund_id < 100;
CALL refresh_changed('two', '2025-03-31');
SELECT (SELECT count(*) FROM ord.basket_by_hand) AS by_hand, count(*) AS differ FROM ((SELECT * FROM ord.bought('two') EXCEPT SELECT * FROM ord.basket_by_hand) UNION ALL (SELECT * FROM ord.basket_by_hand EXCEPT SELECT * FROM ord.bought('two'))) AS d;
-- Lines sent back: by order whatever the day, without one on the day; a refund may be written with its pieces above 0.
CREATE TABLE ord.kept (customer_id integer, about text, order_id text, refund_of text, ordered_on date, product_id text, quantity integer, amount numeric);
INSERT INTO ord.kept VALUES
  (1, 'all of it, later', 'a', NULL, '2025-03-01', 'p', 2, 10), (1, NULL, 'a', NULL, '2025-03-20', 'p', -2, -10),
  (2, 'one of two', 'b', NULL, '2025-03-01', 'p', 2, 10), (2, NULL, 'x', 'b', '2025-03-20', 'p', -1, -5),
  (3, 'of another order', 'c', NULL, '2025-03-01', 'p', 1, 5), (3, NULL, 'd', NULL, '2025-03-02', 'p', 1, 5), (3, NULL, 'd', NULL, '2025-03-20', 'p', -1, -5),
  (4, 'on the day', NULL, NULL, '2025-03-01', 'p', 1, 5), (4, NULL, NULL, NULL, '2025-03-01', 'p', -1, -5),
  (5, 'later, without a number', NULL, NULL, '2025-03-01', 'p', 1, 5), (5, NULL, NULL, NULL, '2025-03-04', 'p', -1, -5),
  (6, 'pieces above 0', 'f', NULL, '2025-03-01', 'p', 1, 5), (6, NULL, 'y', 'f', '2025-03-09', 'p', 1, -5),
  (7, 'a discount', 'g', NULL, '2025-03-01', 'p', 1, 5), (7, NULL, 'g', NULL, '2025-03-01', 'p', 0, -2),
  (8, 'a gift', 'h', NULL, '2025-03-01', 'p', 1, 0), (9, 'a refund alone', 'i', NULL, '2025-03-01', 'p', -1, -5),
  (10, 'another product', 'j', NULL, '2025-03-01', 'p', 1, 5), (10, NULL, 'j', NULL, '2025-03-01', 'q', 1, 5), (10, NULL, 'j', NULL, '2025-03-09', 'q', -1, -5);
SELECT create_workspace('kept'), configure_workspace('kept', '{"source_silence": "off", "minimum_buyers": 1}'), add_source('kept', 'purchase_lines', 'ord.kept') IS NOT NULL AS added;
CALL refresh('kept', '2025-03-31');
SELECT k.about, f.items FROM ord.kept AS k JOIN kept.customer_facts AS f ON f.customer = k.customer_id WHERE k.about IS NOT NULL ORDER BY f.customer;

-- Days of hostile mixtures against a twin that pairs row by row.
CREATE TABLE ord.random AS
  SELECT setseed(0.5)::text AS seed, 0 AS customer_id, NULL::date AS purchased_on, NULL::numeric AS amount LIMIT 0;
INSERT INTO ord.random SELECT NULL, c, date '2025-01-01' + (c * 7 + k * k) % 3, ((c * 31 + k * 17 + c * k) % 9 - 4) * 10 FROM generate_series(1, 500) AS c, generate_series(1, 2 + c % 6) AS k;
CREATE FUNCTION ord.twin(amounts numeric[], OUT purchases bigint, OUT left_over numeric) LANGUAGE plpgsql AS $$
DECLARE
  place integer; back numeric;
BEGIN
  FOREACH back IN ARRAY amounts LOOP
    CONTINUE WHEN back >= 0;
    place := array_position(amounts, -back);
    IF place IS NOT NULL THEN
      amounts[place] := NULL;
      amounts[array_position(amounts, back)] := NULL;
    END IF;
  END LOOP;
  SELECT sum(a), count(*) FILTER (WHERE a >= 0) INTO left_over, purchases FROM unnest(amounts) AS a;
  IF left_over = 0 THEN purchases := (SELECT count(*) FROM unnest(amounts) AS a WHERE a = 0); END IF;
END
$$;
SELECT create_workspace('random'), configure_workspace('random', '{"source_silence": "off"}'), add_source('random', 'purchases', 'ord.random') IS NOT NULL AS added;
CALL refresh('random', '2025-03-31');
SELECT count(*) AS days, count(*) FILTER (WHERE t.purchases > 0 OR t.left_over <> 0) AS left_over, count(d.day) AS in_histories,
  count(*) FILTER (WHERE (coalesce(d.purchases, 0), coalesce(d.amount, 0)) = (t.purchases, coalesce(t.left_over, 0))) AS same
FROM (SELECT customer_id, purchased_on, array_agg(amount ORDER BY amount) AS amounts FROM ord.random GROUP BY 1, 2) AS r
CROSS JOIN LATERAL ord.twin(r.amounts) AS t
LEFT JOIN (SELECT f.customer, d.* FROM random.customer_facts AS f, days(f.history) AS d) AS d ON d.customer = r.customer_id AND d.day = r.purchased_on;
SELECT (SELECT sum(turnover) FROM random.source_reading) = (SELECT sum(amount) FROM ord.random) AS add_up;

-- Unique numbers meet their refunds in a join; where no index says that they are unique, they are grouped: the same.
CREATE TABLE ord.once (order_id integer PRIMARY KEY, customer_id integer, ordered_on date, amount numeric, refund_of integer);
INSERT INTO ord.once
  SELECT n, c, date '2025-03-20' + (n * n % 107) % 20, CASE WHEN n * n % 101 < 40 THEN -10 ELSE 10 END * (n * 7 % 103 % 4), CASE n * n % 97 % 4 WHEN 0 THEN n - 90 WHEN 1 THEN n + 90 WHEN 2 THEN NULLIF(n - 180, n % 7) END
  FROM (SELECT n, n % 90 AS c FROM generate_series(1, 2000) AS n) AS n;
CREATE TABLE ord.again AS TABLE ord.once;
SELECT create_workspace(w), configure_workspace(w, '{"source_silence": "off"}'), add_source(w, 'purchases', ('ord.' || w)::regclass) IS NOT NULL AS added FROM unnest('{once,again}'::text[]) AS w;
SELECT w, segmentation_internal.workspace_netted(w) FROM unnest('{once,again}'::text[]) AS w;
CALL refresh('once', '2025-03-31');
CALL refresh('again', '2025-03-31');
SELECT count(*) AS customers, count(*) FILTER (WHERE o.history::text = a.history::text) AS same FROM once.customer_facts AS o FULL JOIN again.customer_facts AS a USING (customer);
SELECT o.reason, o.rows, o.turnover, o.rows = a.rows AND o.turnover = a.turnover AS same FROM once.source_reading AS o FULL JOIN again.source_reading AS a USING (reason) ORDER BY 1;
-- Only rows that refunds may touch are reconciled: against all of them.
CREATE FUNCTION ord.read_wholly(ws text, kind text, as_of date) RETURNS TABLE (reason text, rows bigint, turnover numeric) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT CASE WHEN o.purchased_on > $1 THEN 'ahead' WHEN NOT o.purchase AND o.amount = 0 AND 0 <> ANY (o.amount_of) THEN 'cancelled' ELSE 'used' END, count(*), sum(m.amount)
    FROM (%s) AS o CROSS JOIN LATERAL unnest(o.amount_of) AS m (amount) GROUP BY 1$q$,
    segmentation_internal.workspace_orders_of(ws, kind, format('(SELECT r.*, r.amount::numeric AS amount_of FROM %s AS r)', segmentation_internal.workspace_rows_sql(ws, kind)), '{amount_of}')) USING as_of;
END
$$;
CREATE TABLE ord.mixed AS SELECT customer_id, NULLIF(n % 11, 0) + 20 * customer_id AS order_id, ordered_on, CASE n % 13 WHEN 0 THEN 'postage' ELSE 'p' || n % 3 END AS product_id, CASE WHEN n % 13 = 0 THEN 0 ELSE amount END AS amount FROM (SELECT order_id AS n, * FROM ord.once) AS o;
SELECT create_workspace('mixed'), configure_workspace('mixed', '{"source_silence": "off", "not_products": ["postage"], "not_products_count": true}'), add_source('mixed', 'purchase_lines', 'ord.mixed') IS NOT NULL AS added;
CALL refresh('mixed', '2025-03-31');
SELECT w.ws, count(*) AS reasons, count(*) FILTER (WHERE (s.rows, s.turnover) = (h.rows, h.turnover)) AS same
FROM (VALUES ('once', 'purchases'), ('again', 'purchases'), ('random', 'purchases'), ('mixed', 'purchase_lines')) AS w (ws, kind)
CROSS JOIN LATERAL ord.read_wholly(w.ws, w.kind, '2025-03-31') AS h
LEFT JOIN (SELECT 'once' AS ws, * FROM once.source_reading UNION ALL SELECT 'again', * FROM again.source_reading UNION ALL SELECT 'random', * FROM random.source_reading UNION ALL SELECT 'mixed', * FROM mixed.source_reading) AS s ON s.ws = w.ws AND s.reason = h.reason
GROUP BY 1 ORDER BY 1;
SELECT reason, rows, turnover FROM mixed.source_reading ORDER BY 1;

-- Lines: netted by order; postage, charges and adjustments make no product, nor alone a purchase.
CREATE TABLE ord.lines (customer_id integer, order_id text, refund_of text, ordered_on date, product_id text, amount numeric);
INSERT INTO ord.lines VALUES
  (1, 'a', NULL, '2025-03-01', 'p1', 20), (1, 'a', NULL, '2025-03-01', 'POST', 5),
  (2, 'b', NULL, '2025-03-01', 'p1', 20), (2, 'b', NULL, '2025-03-01', 'POST', 5), (2, 'b', NULL, '2025-03-09', 'p1', -20),
  (3, 'c', NULL, '2025-03-01', 'p1', 20), (3, 'Cc', NULL, '2025-03-01', 'p1', -20), (3, 'd', NULL, '2025-02-01', 'p2', 10),
  (4, 'e', NULL, '2025-03-01', 'post', 5), (5, 'f', NULL, '2025-03-01', 'Bank Charges', -12),
  -- A gift: paid by a voucher. Goods and a voucher of more.
  (6, 'g', NULL, '2025-03-01', 'p1', 20), (6, 'g', NULL, '2025-03-01', 'gift_20', -20),
  (7, 'h', NULL, '2025-03-01', 'p1', 20), (7, 'h', NULL, '2025-03-01', 'gift_30', -30),
  (8, 'i', NULL, '2025-03-01', 'p1', 20), (8, 'i', NULL, '2025-03-01', 'p2', -20),
  (9, 'j', NULL, '2025-03-01', 'p1', 20), (9, 'Cj', 'j', '2025-03-10', 'p1', -20),
  (10, 'k', NULL, '2025-03-01', 'p1', 0), (11, 'l', NULL, '2025-03-01', 'postcard', 3), (11, 'l', NULL, '2025-03-01', 'A.B', 3), (11, 'l', NULL, '2025-03-01', 'AxB', 3);
SELECT create_workspace('lined'), configure_workspace('lined', '{"source_silence": "off", "minimum_buyers": 1}'), add_source('lined', 'purchase_lines', 'ord.lines') IS NOT NULL AS added;
CREATE VIEW ord.seen AS
  SELECT f.customer, f.history, s.rfm, s.life_cycle, (SELECT string_agg(j ->> 'item' || ' ' || (j ->> 'purchases') || ' ' || (j ->> 'quantity') || ' ' || (j ->> 'amount'), ', ') FROM jsonb_array_elements(to_jsonb(f.items)) AS j) AS items
  FROM lined.customer_facts AS f JOIN lined.customer_segments AS s USING (customer);
CALL refresh('lined', '2025-03-31');
SELECT * FROM ord.seen ORDER BY 1;
SELECT configure_workspace('lined', '{"not_products": ["POST", "bank charges ", "Gift_*", "a.b"]}');
CALL refresh('lined', '2025-03-31');
SELECT * FROM ord.seen ORDER BY 1;
SELECT reason, rows, turnover FROM lined.source_reading ORDER BY 1;
SELECT (SELECT sum(turnover) FROM lined.source_reading) = (SELECT sum(amount) FROM ord.lines) AS rows_add_up,
  (SELECT sum(turnover) FROM lined.source_reading WHERE reason IN ('used', 'cancelled')) = (SELECT sum(monetary(history, '2025-03-31')) FROM lined.customer_facts) AS facts_add_up;
-- They are left out of turnover: counted as such; known at once by refresh_changed.
SELECT configure_workspace('lined', '{"not_products_count": false}');
CALL refresh_changed('lined', '2025-03-31');
CREATE TABLE ord.lined_changed AS SELECT * FROM ord.seen;
SELECT customer, history FROM ord.lined_changed WHERE customer IN (1, 2, 4, 5, 6, 7) ORDER BY 1;
CALL refresh('lined', '2025-03-31', false);
SELECT count(*) AS others FROM ord.lined_changed AS c FULL JOIN ord.seen AS s USING (customer) WHERE (c.history::text, c.items) IS DISTINCT FROM (s.history::text, s.items);
SELECT reason, rows, turnover FROM lined.source_reading ORDER BY 1;
SELECT (SELECT sum(turnover) FROM lined.source_reading) = (SELECT sum(amount) FROM ord.lines) AS rows_add_up,
  (SELECT sum(turnover) FROM lined.source_reading WHERE reason IN ('used', 'cancelled')) = (SELECT sum(monetary(history, '2025-03-31')) FROM lined.customer_facts) AS facts_add_up;
CALL refused('SELECT configure_workspace(''lined'', ''{"not_products": ["POST", "* "]}'')');
CALL refused('SELECT configure_workspace(''lined'', ''{"not_products": [1]}'')');
-- What looks like none is suggested.
CREATE TABLE ord.products (product_id text, name text);
INSERT INTO ord.products VALUES ('100%', 'Frais de port'), ('10001', 'Vintage post office cabinet'), ('10002', 'Remise fidélité');
INSERT INTO ord.lines SELECT 20, 'm' || n, NULL, '2025-03-01', 10000 + n % 3, 10 FROM generate_series(1, 600) AS n;
INSERT INTO ord.lines VALUES (20, 'm1', NULL, '2025-03-01', '10002', -1), (20, 'm1', NULL, '2025-03-01', '100%', 5), (20, 'm2', NULL, '2025-03-01', 'Postage', 5);
SELECT add_source('lined', 'products', 'ord.products') IS NOT NULL AS added;
SELECT product, name, reason, lines, round(line_share::numeric, 4) AS line_share, turnover, round(turnover_share::numeric, 4) AS turnover_share, chosen FROM line_suggestions('lined');
CALL refused('SELECT * FROM line_suggestions(''plain'')');
DROP VIEW ord.seen;

-- Equal turnovers: 500 members of an association are not 500 large customers, and their scores tell nothing.
CREATE TABLE ord.fees AS SELECT n AS customer_id, date '2025-01-01' + y * 10 AS ordered_on, CASE WHEN n <= 10 THEN 20 + n ELSE 25 END AS amount FROM generate_series(1, 500) AS n, generate_series(0, 1) AS y;
SELECT create_workspace('club'), configure_workspace('club', '{"source_silence": "off"}'), add_source('club', 'purchases', 'ord.fees') IS NOT NULL AS added;
CALL refresh('club', '2025-03-31');
SELECT pmg, count(*) FROM club.customer_segments GROUP BY 1 ORDER BY 1;
SELECT axis, status, detail FROM (SELECT split_part(item, ' ', 2) AS axis, status, detail FROM workspace_check('club')) AS c WHERE axis IN ('pmg', 'rfm');
SELECT configure_workspace('club', '{"language": "fr"}');
SELECT axis, status, detail FROM (SELECT split_part(item, ' ', 2) AS axis, status, detail FROM workspace_check('club')) AS c WHERE axis IN ('pmg', 'rfm');
SELECT explanation FROM explain('club', '20', 'pmg');
SELECT drop_workspace('club');
SELECT drop_workspace('lined');
SELECT drop_workspace(w) FROM unnest('{plain,floats,numbered,two,kept,random,once,again,mixed}'::text[]) AS w;
DROP SCHEMA ord CASCADE;
