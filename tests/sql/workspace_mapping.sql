-- Mappings that are more than columns: expressions, filters, joins; captured on every table; refused with a reason.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA map;
CREATE TABLE map.orders (order_id integer PRIMARY KEY, customer_id integer, order_date date, status text, note text, placed_at timestamptz);
CREATE TABLE map.items (item_id integer PRIMARY KEY, order_id integer, product_id integer, unit_price numeric, quantity integer, discount numeric DEFAULT 0);
CREATE INDEX ON map.items (order_id);
INSERT INTO map.orders SELECT o, CASE WHEN o % 29 > 0 THEN 1 + o % 150 END, date '2024-01-01' + o / 3, CASE WHEN o % 10 > 0 THEN 'paid' ELSE 'cancelled' END, 'n' || o, date '2024-01-01' + o / 3 FROM generate_series(1, 1500) AS o;
INSERT INTO map.items SELECT 10 * o + l, o, 1 + (o * l) % 20, 5 + (o + l) % 7, 1 + (o + l) % 3, CASE WHEN l = 2 THEN 0.1 ELSE 0 END FROM generate_series(1, 1500) AS o, generate_series(1, 1 + o % 3) AS l;
-- An item without its order, too.
INSERT INTO map.items VALUES (99999, 99999, 1, 5, 1, 0);

SELECT create_workspace('mapped'), configure_workspace('mapped', '{"source_silence": "off"}');
-- What is missing is named, with what it could be.
SELECT add_source('mapped', 'purchase_lines', 'map.items');
SELECT add_source('mapped', 'purchase_lines', 'map.items', '{"join": {"orders": "order_id"}, "amount": "unit_price * quantity * (1 - discount)", "where": "status = ''paid''"}');
SELECT mapping FROM mapped.source;
CALL refresh('mapped', '2025-12-31');
SELECT reason, rows, turnover FROM mapped.source_reading ORDER BY rows DESC;
SELECT (SELECT sum(unit_price * quantity * (1 - discount)) FROM map.items) AS all_items, sum(turnover) AS parts, sum(turnover) FILTER (WHERE reason = 'used') AS used,
  (SELECT sum(monetary(history, '2025-12-31')) FROM mapped.customer_facts) AS facts,
  (SELECT sum(i.unit_price * i.quantity * (1 - i.discount)) FROM map.items AS i JOIN map.orders AS o USING (order_id) WHERE o.status = 'paid' AND o.customer_id IS NOT NULL) AS by_hand
FROM mapped.source_reading;
SELECT (SELECT count(*) FROM mapped.customer_facts) AS customers, (SELECT count(DISTINCT o.customer_id) FROM map.items AS i JOIN map.orders AS o USING (order_id) WHERE o.status = 'paid') AS by_hand;
SELECT item, status, detail FROM workspace_check('mapped') WHERE item ~ '^source';
-- What is stored can be given again, and changes nothing.
SELECT s.mapping = add_source('mapped', 'purchase_lines', 'map.items', s.mapping) AS same, (SELECT count(*) FROM mapped.queue) AS queued FROM mapped.source AS s;

-- Forms of joins, and of names.
SELECT add_source('mapped', 'purchase_lines', 'map.items', '{"join": {"o": {"relation": "map.orders", "on": {"order_id": "order_id"}}}, "customer": "o.customer_id", "amount": {"sql": "unit_price -- a comment"}}') - 'join';
SELECT add_source('mapped', 'purchase_lines', 'map.items', '{"join": {"map.orders": ["order_id"]}, "as": "line", "amount": "line.quantity * 2", "product": "''one''", "quantity": "1"}');

-- Refused: what is no expression of its own row, or need not give the same.
CREATE TYPE map.span AS RANGE (subtype = integer);
CREATE FUNCTION map.mine(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE PROCEDURE map.tried(given text, field text DEFAULT 'amount') LANGUAGE plpgsql AS $$
DECLARE
  state text; detail text;
BEGIN
  PERFORM segmentation.add_source('mapped', 'purchase_lines', 'map.items',
    jsonb_build_object('join', '{"orders": "order_id"}'::jsonb, field, jsonb_build_object('sql', given), 'amount', coalesce(CASE WHEN field = 'amount' THEN jsonb_build_object('sql', given) END, '"unit_price"')) || CASE WHEN field = 'where' THEN jsonb_build_object('where', given) ELSE '{}' END);
  RAISE INFO '%: NOT REFUSED <<<', given;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
  RAISE INFO '% %', state, detail;
END
$$;
CALL map.tried('unit_price, quantity');
CALL map.tried('unit_price) AS a FROM map.items; DROP TABLE map.items; --');
CALL map.tried('unit_price; DROP TABLE map.items');
CALL map.tried('unit_price AS a');
CALL map.tried('*');
CALL map.tried('items.*');
CALL map.tried('');
CALL map.tried('unit_price FROM map.items');
CALL map.tried('1 UNION SELECT 2');
CALL map.tried('unit_price /* no end');
CALL map.tried('''no end');
CALL map.tried('unit_price * ');
CALL map.tried('unit_prise * quantity');
CALL map.tried('unit_price * status');
CALL map.tried('order_id * 1');
CALL map.tried('(SELECT 1)');
CALL map.tried('sum(unit_price)');
CALL map.tried('row_number() OVER ()');
CALL map.tried('generate_series(1, quantity)');
CALL map.tried('unit_price * random()');
CALL map.tried('map.mine(unit_price)');
CALL map.tried('nextval(''x'')');
CALL map.tried('$1 * quantity');
CALL map.tried('status');
CALL map.tried('length(items::text)');
CALL map.tried('extract(year FROM placed_at)');
CALL map.tried('quantity * extract(epoch FROM now())');
CALL map.tried('current_setting(''work_mem'')::numeric');
CALL map.tried('length(placed_at::text)');
CALL map.tried('length(concat(placed_at))');
CALL map.tried('length(placed_at || '''')');
CALL map.tried('length(''[1,2)''::map.span::text)');
CALL map.tried('placed_at > ''2024-01-01''', 'where');
CALL map.tried('order_date > CURRENT_DATE - 30', 'where');
CALL map.tried('status = current_user', 'where');
CALL map.tried('status', 'where');
CALL map.tried('quantity OPERATOR(pg_catalog.+) pg_sleep(1)::text::integer');
CALL map.tried('unit_price * (quantity IN (SELECT 1))::integer');
SELECT count(*) > 0 AS still_there FROM map.items;
-- Accepted: what depends on the row alone.
SELECT e, (segmentation_internal.workspace_expression(e, 'map.items AS items LEFT JOIN map.orders AS orders ON orders.order_id = items.order_id') ->> 'type')::oid::regtype AS type,
  segmentation_internal.workspace_expression(e, 'map.items AS items LEFT JOIN map.orders AS orders ON orders.order_id = items.order_id') -> 'relations' AS relations
FROM unnest('{unit_price * quantity,"extract(year FROM placed_at AT TIME ZONE ''Europe/Paris'')","CASE WHEN status = ''paid'' THEN unit_price ELSE 0 END","coalesce(NULLIF(btrim(note), ''''), ''none'')","to_date(note, ''YYYY-MM-DD'')","status IN (''a'', ''b'')","note::integer","segmentation.email_domain(status)","regexp_replace(note, ''\\D'', '''', ''g'')","quantity::text || items.order_id","ARRAY[quantity]","unit_price /* here */","unit_price -- there"}'::text[]) AS e;

-- Joins that are wrong.
CREATE PROCEDURE map.joined(given jsonb) LANGUAGE plpgsql AS $$
DECLARE
  state text; detail text;
BEGIN
  PERFORM segmentation.add_source('mapped', 'purchase_lines', 'map.items', jsonb_build_object('join', given, 'amount', 'unit_price', 'customer', 'orders.customer_id', 'purchased_on', 'orders.order_date'));
  RAISE INFO 'NOT REFUSED <<<';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
  RAISE INFO '% %', state, detail;
END
$$;
CALL map.joined('{"bills": "order_id"}');
CALL map.joined('{"orders": "bill_id"}');
CALL map.joined('{"orders": {"order_id": "id"}}');
CALL map.joined('{"orders": 5}');
CALL map.joined('"orders"');
CALL map.joined('{"orders": {"order_id": "status"}}');
CALL map.joined('{"items": "order_id"}');
CALL map.joined('{"orders": {"product_id": "customer_id"}}');
CALL map.joined('{"pg_class; DROP TABLE map.orders": "order_id"}');
SELECT drop_workspace('mapped');
DROP SCHEMA map CASCADE;
