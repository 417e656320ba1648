-- A source of several tables is captured on each of them: whatever changes, the incremental facts are the full ones.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA cap;
-- Three tables: the customer of a line is two joins away. Orders are in partitions.
CREATE TABLE cap.accounts (account_id integer PRIMARY KEY, person text, closed boolean NOT NULL DEFAULT false);
CREATE TABLE cap.orders (order_id integer PRIMARY KEY, account_id integer, placed_on date, status text, home text) PARTITION BY RANGE (order_id);
CREATE TABLE cap.orders_1 PARTITION OF cap.orders FOR VALUES FROM (0) TO (700);
CREATE TABLE cap.orders_2 PARTITION OF cap.orders FOR VALUES FROM (700) TO (1000000);
CREATE TABLE cap.lines (line_id integer PRIMARY KEY, order_id integer, sku text, price text, quantity integer);
CREATE INDEX ON cap.lines (order_id);
CREATE INDEX ON cap.orders (account_id);
INSERT INTO cap.accounts SELECT a, CASE WHEN a % 17 > 0 THEN 'p' || a % 180 END FROM generate_series(1, 200) AS a;
INSERT INTO cap.orders SELECT o, 1 + o % 210, date '2024-01-01' + o / 3, (ARRAY['paid', 'paid', 'new'])[1 + o % 3], 'x' FROM generate_series(1, 1200) AS o;
INSERT INTO cap.lines SELECT 10 * o + l, o, 's' || (o * l) % 20, (5 + (o + l) % 7)::text, 1 + (o + l) % 3 FROM generate_series(1, 1200) AS o, generate_series(1, 1 + o % 3) AS l;
-- Refunds are orders of the same table, whose customer is that of the order.
CREATE TABLE cap.bills (id integer PRIMARY KEY, parent integer, who integer, day date, total numeric);
INSERT INTO cap.bills SELECT b, CASE WHEN b % 9 = 0 THEN b - 1 END, CASE WHEN b % 9 > 0 THEN b % 100 END, date '2024-01-01' + b / 2, CASE WHEN b % 9 = 0 THEN -3.5 ELSE b % 40 END FROM generate_series(1, 900) AS b;

SELECT create_workspace(w), configure_workspace(w, '{"source_silence": "off", "minimum_buyers": 10}') FROM unnest('{lines_live,lines_anew,bills_live,bills_anew}'::text[]) AS w;
SELECT count(add_source(w, 'purchase_lines', 'cap.lines', '{"join": {"orders": "order_id", "accounts": {"orders.account_id": "account_id"}}, "customer": "person", "purchased_on": "placed_on",
  "product": "sku", "amount": "price::numeric * quantity", "where": "status = ''paid'' AND NOT closed"}')) AS added FROM unnest('{lines_live,lines_anew}'::text[]) AS w;
SELECT count(add_source(w, 'purchases', 'cap.bills', '{"join": {"parent": {"relation": "bills", "on": {"parent": "id"}}}, "customer": "coalesce(parent.who, bills.who)", "purchased_on": "day", "amount": "total"}')) AS added FROM unnest('{bills_live,bills_anew}'::text[]) AS w;
SELECT workspace, key_type FROM workspaces() WHERE workspace ~ 'live' ORDER BY 1;
DO $$
BEGIN
  FOR w IN 1..4 LOOP
    CALL segmentation.refresh((ARRAY['lines_live', 'lines_anew', 'bills_live', 'bills_anew'])[w], '2025-12-31');
  END LOOP;
END
$$;
SELECT start_capture('lines_live', 'purchase_lines', 'cap.lines'), start_capture('bills_live', 'purchases', 'cap.bills');
SELECT capture, misses FROM capture_status('lines_live');
SELECT detail FROM workspace_check('lines_live') WHERE item ~ '^source';
SELECT tgrelid::regclass AS relation, count(*), min(encode(tgargs, 'escape')) AS argument FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'cap'::regnamespace AND tgname LIKE 'segmentation%' GROUP BY 1, tgfoid ORDER BY 1::text;
CALL refresh_changed('lines_live', '2025-12-31');
CALL refresh_changed('bills_live', '2025-12-31');

-- Who is queued by what.
CREATE FUNCTION cap.queued(ws text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  EXECUTE format('SELECT coalesce(string_agg(DISTINCT coalesce(q.customer::text, ''all''), '' ''), ''nobody'') FROM %I.queue AS q', ws) INTO said;
  EXECUTE format('DELETE FROM %I.queue', ws);
  RETURN said;
END
$$;
BEGIN;
UPDATE cap.orders SET status = 'new' WHERE order_id = 15;
SELECT cap.queued('lines_live') AS an_order, (SELECT person FROM cap.orders JOIN cap.accounts USING (account_id) WHERE order_id = 15) AS by_hand;
UPDATE cap.orders SET account_id = 50 WHERE order_id = 15;
SELECT cap.queued('lines_live') AS moved_to_another;
UPDATE cap.accounts SET person = 'new' WHERE account_id = 60;
SELECT cap.queued('lines_live') AS another_person;
UPDATE cap.lines SET order_id = 20 WHERE line_id = 151;
SELECT cap.queued('lines_live') AS a_line_moved;
UPDATE cap.lines SET price = '7' WHERE order_id = 208;
SELECT cap.queued('lines_live') AS of_no_account, (SELECT account_id FROM cap.orders WHERE order_id = 208) AS account;
DELETE FROM cap.orders_1 WHERE order_id = 30;
SELECT cap.queued('lines_live') AS order_deleted;
DELETE FROM cap.lines WHERE order_id = 30;
SELECT cap.queued('lines_live') AS its_lines_after;
-- Lines before their order: it may be on its way.
INSERT INTO cap.lines VALUES (5000001, 500000, 's1', '5', 1);
SELECT cap.queued('lines_live') AS lines_first;
INSERT INTO cap.orders VALUES (500000, 70, '2025-01-01', 'paid', 'x');
SELECT cap.queued('lines_live') AS then_their_order;
UPDATE cap.bills SET who = 77 WHERE id = 8;
SELECT cap.queued('bills_live') AS bill_with_a_refund;
UPDATE cap.bills SET total = -1 WHERE id = 9;
SELECT cap.queued('bills_live') AS the_refund;
TRUNCATE cap.accounts;
SELECT cap.queued('lines_live') AS truncated;
ROLLBACK;

-- Random changes of all tables, week by week.
CREATE TABLE cap.step (place integer GENERATED ALWAYS AS IDENTITY, lines bigint, bills bigint, everybody boolean);
DO $$
DECLARE
  day date := '2025-12-31';
  n integer;
BEGIN
  PERFORM setseed(0.25);
  FOR week IN 1..16 LOOP
    FOR change IN 1..4 LOOP
      n := 1 + floor(1200 * random());
      CASE floor(12 * random())::integer
      WHEN 0 THEN UPDATE cap.orders SET status = CASE status WHEN 'paid' THEN 'new' ELSE 'paid' END WHERE order_id BETWEEN n AND n + 5;
      WHEN 1 THEN UPDATE cap.orders SET account_id = 1 + n % 210 WHERE order_id % 97 = n % 97;
      WHEN 2 THEN DELETE FROM cap.orders WHERE order_id = n;
      WHEN 3 THEN UPDATE cap.accounts SET person = 'p' || n % 300 WHERE account_id = 1 + n % 200;
      WHEN 4 THEN UPDATE cap.accounts SET closed = NOT closed WHERE account_id % 50 = n % 50;
      WHEN 5 THEN UPDATE cap.lines SET price = (1 + n % 9)::text WHERE line_id % 301 = n % 301;
      WHEN 6 THEN UPDATE cap.lines SET order_id = 1 + n % 1200 WHERE line_id % 401 = n % 401;
      WHEN 7 THEN DELETE FROM cap.lines WHERE line_id % 501 = n % 501;
      WHEN 8 THEN
        INSERT INTO cap.lines SELECT 1000000 + 1000 * week + 10 * change + l, 2000 + 10 * week + change, 's' || l, '4.5', 2 FROM generate_series(1, 2) AS l;
        INSERT INTO cap.orders VALUES (2000 + 10 * week + change, 1 + n % 200, '2025-06-01', 'paid', 'y');
      WHEN 9 THEN DELETE FROM cap.accounts WHERE account_id = 1 + n % 200;
      WHEN 10 THEN INSERT INTO cap.accounts VALUES (1 + n % 210, 'p' || n % 50) ON CONFLICT DO NOTHING;
      ELSE MERGE INTO cap.bills AS b USING (SELECT n % 1000 AS id) AS s ON s.id = b.id
        WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET who = n % 90 + 1, parent = NULLIF(s.id - 1, 0)
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, n % 500, NULL, '2025-03-03', -2);
      END CASE;
      UPDATE cap.bills SET who = who % 100 + 1 WHERE id % 211 = n % 211;
    END LOOP;
    COMMIT;
    CALL segmentation.refresh_changed('lines_live', day);
    CALL segmentation.refresh('lines_anew', day, false);
    CALL segmentation.refresh_changed('bills_live', day);
    CALL segmentation.refresh('bills_anew', day, false);
    INSERT INTO cap.step (lines, bills, everybody) SELECT
      (SELECT count(*) FROM ((SELECT * FROM lines_live.customer_facts EXCEPT ALL SELECT * FROM lines_anew.customer_facts) UNION ALL (SELECT * FROM lines_anew.customer_facts EXCEPT ALL SELECT * FROM lines_live.customer_facts)) AS d),
      (SELECT count(*) FROM ((SELECT * FROM bills_live.customer_facts EXCEPT ALL SELECT * FROM bills_anew.customer_facts) UNION ALL (SELECT * FROM bills_anew.customer_facts EXCEPT ALL SELECT * FROM bills_live.customer_facts)) AS d),
      (SELECT max(rows) >= 150 FROM lines_live.refresh_log WHERE refresh = (SELECT max(refresh) FROM lines_live.refresh_log) AND phase = 'changed');
  END LOOP;
END
$$;
SELECT count(*) AS weeks, sum(lines) AS lines_differ, sum(bills) AS bills_differ, count(*) FILTER (WHERE everybody) < 8 AS seldom_everybody FROM cap.step;
SELECT * FROM cap.step WHERE lines + bills > 0 LIMIT 5;
SELECT sum(monetary(history, '2025-12-31')) AS turnover, (SELECT sum(l.price::numeric * l.quantity) FROM cap.lines AS l JOIN cap.orders AS o USING (order_id) JOIN cap.accounts AS a USING (account_id) WHERE o.status = 'paid' AND NOT a.closed AND a.person IS NOT NULL AND o.placed_on <= '2025-12-31') AS by_hand FROM lines_live.customer_facts;

-- Writing goes on, whatever becomes of what is joined.
ALTER TABLE cap.accounts RENAME COLUMN person TO who;
UPDATE cap.orders SET status = 'paid' WHERE order_id = 100;
SELECT count(*) FILTER (WHERE customer IS NULL) > 0 AS everybody FROM lines_live.queue;
CALL refresh_changed('lines_live', '2025-12-31');
CALL refresh('lines_anew', '2025-12-31');
SELECT item, status, detail FROM workspace_check('lines_live') WHERE item ~ '^source';
ALTER TABLE cap.accounts RENAME COLUMN who TO person;
ALTER TABLE cap.accounts RENAME TO people;
CALL refresh('lines_anew', '2025-12-31');
UPDATE cap.lines SET price = '3' WHERE line_id % 100 = 1;
SELECT count(*) FILTER (WHERE customer IS NULL) > 0 AS everybody FROM lines_live.queue;
ALTER TABLE cap.people RENAME TO accounts;
UPDATE cap.lines SET price = 'much' WHERE line_id = 11;
CALL refresh('lines_anew', '2025-12-31');
UPDATE cap.lines SET price = '3' WHERE line_id = 11;
CALL refresh_changed('lines_live', '2025-12-31');
CALL refresh('lines_anew', '2025-12-31');
SELECT count(*) AS differ FROM ((SELECT * FROM lines_live.customer_facts EXCEPT ALL SELECT * FROM lines_anew.customer_facts) UNION ALL (SELECT * FROM lines_anew.customer_facts EXCEPT ALL SELECT * FROM lines_live.customer_facts)) AS d;
-- Another mapping: only the tables that it needs keep triggers, with the arguments of now.
SELECT add_source('lines_live', 'purchase_lines', 'cap.lines', '{"join": {"orders": "order_id"}, "customer": "''p'' || orders.account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}') IS NOT NULL AS added;
SELECT tgrelid::regclass AS relation, count(*), min(encode(tgargs, 'escape')) AS argument FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.pronamespace = 'lines_live'::regnamespace GROUP BY 1 ORDER BY 1::text;
SELECT stop_capture('lines_live', 'purchase_lines', 'cap.lines');
SELECT count(*) AS triggers FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.pronamespace = 'lines_live'::regnamespace;

-- A join without a unique index cannot be captured, nor one of a view; a watermark sees its own table only.
CREATE TABLE cap.loose AS SELECT * FROM cap.orders;
CREATE VIEW cap.seen AS SELECT * FROM cap.orders;
ALTER TABLE cap.lines ADD COLUMN updated_at timestamptz NOT NULL DEFAULT '2025-01-01';
SELECT add_source('lines_anew', 'purchase_lines', 'cap.lines', '{"join": {"loose": "order_id"}, "customer": "''p'' || account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}') IS NOT NULL AS added;
SELECT start_capture('lines_anew', 'purchase_lines', 'cap.lines');
SELECT start_capture('lines_anew', 'purchase_lines', 'cap.lines', 'updated_at');
CALL refresh('lines_anew', '2025-12-31');
UPDATE cap.lines SET updated_at = now(), price = '9' WHERE line_id = 21;
CALL refresh_changed('lines_anew', '2025-12-31');
SELECT capture, misses FROM capture_status('lines_anew');
SELECT add_source('lines_anew', 'purchase_lines', 'cap.lines', '{"join": {"seen": "order_id"}, "customer": "''p'' || account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}') IS NOT NULL AS added;
SELECT stop_capture('lines_anew', 'purchase_lines', 'cap.lines');
SELECT start_capture('lines_anew', 'purchase_lines', 'cap.lines');
-- Nor one whose rows others guard: the trigger reads them with the rights of the workspace's owner.
SELECT add_source('lines_live', 'purchase_lines', 'cap.lines', '{"join": {"orders": "order_id"}, "customer": "''p'' || account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}') IS NOT NULL AS added;
CALL refresh('lines_live', '2025-12-31');
SELECT start_capture('lines_live', 'purchase_lines', 'cap.lines');
CALL refresh_changed('lines_live', '2025-12-31');
ALTER TABLE cap.orders ENABLE ROW LEVEL SECURITY;
UPDATE cap.lines SET quantity = 2 WHERE line_id = 31;
SELECT count(*) FILTER (WHERE customer IS NULL) AS everybody FROM lines_live.queue;
CALL refresh_changed('lines_live', '2025-12-31');
SELECT capture, misses FROM capture_status('lines_live');
SELECT start_capture('lines_live', 'purchase_lines', 'cap.lines');
ALTER TABLE cap.orders DISABLE ROW LEVEL SECURITY;
-- An order that is there twice would count its lines twice: the refresh says so.
SELECT add_source('lines_anew', 'purchase_lines', 'cap.lines', '{"join": {"loose": "order_id"}, "customer": "''p'' || account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}') IS NOT NULL AS added;
INSERT INTO cap.loose SELECT * FROM cap.loose WHERE order_id = 7;
CALL refresh('lines_anew', '2025-12-31');
SELECT add_source('lines_anew', 'purchase_lines', 'cap.lines', '{"join": {"loose": "order_id"}, "customer": "''p'' || account_id", "purchased_on": "placed_on", "product": "sku", "amount": "price::numeric"}');
-- Who is still in a source is not erased, whatever its filter says.
SELECT erase_customer('bills_live', '50');
SELECT drop_workspace(w) FROM unnest('{lines_live,lines_anew,bills_live,bills_anew}'::text[]) AS w;
DROP SCHEMA cap CASCADE;
