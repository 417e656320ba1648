-- A view as a source is captured on its tables, where whose rows of it change can be told: the incremental facts are
-- the full ones.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA seen;
CREATE TABLE seen.people (id integer PRIMARY KEY, name text, closed boolean NOT NULL DEFAULT false);
CREATE TABLE seen.orders (id integer PRIMARY KEY, person integer, placed_on date, status text, "the order's state" text);
CREATE TABLE seen.lines (id integer PRIMARY KEY, order_id integer, sku text, price numeric, quantity integer);
CREATE INDEX ON seen.lines (order_id);
INSERT INTO seen.people SELECT a, 'p' || a FROM generate_series(1, 200) AS a;
INSERT INTO seen.orders SELECT o, 1 + o % 210, date '2024-01-01' + o / 3, (ARRAY['paid', 'paid', 'new'])[1 + o % 3] FROM generate_series(1, 1200) AS o;
INSERT INTO seen.lines SELECT 10 * o + l, o, 's' || (o * l) % 20, 5 + (o + l) % 7, 1 + (o + l) % 3 FROM generate_series(1, 1200) AS o, generate_series(1, 1 + o % 3) AS l;

-- One table, with a filter and an expression; three tables, joined in every way; sums by order.
CREATE VIEW seen.plain AS SELECT o.person AS customer_id, o.placed_on AS ordered_on, (o.id % 50)::numeric + 0.5 AS amount FROM seen.orders AS o WHERE o.status = 'paid' AND upper(o.status) <> 'NEW';
CREATE VIEW seen.sold AS
  SELECT l.order_id, l.sku, l.price * l.quantity AS turnover, p.name AS customer, placed_on
  FROM seen.lines AS l JOIN seen.orders AS "the ""orders""" ON "the ""orders""".id = l.order_id AND l.quantity < 3, seen.people AS p
  WHERE p.id = "the ""orders""".person AND NOT p.closed;
CREATE VIEW seen.by_order AS
  SELECT o.id, o.person AS customer, max(o.placed_on) AS purchased_on, sum(l.price * l.quantity) AS amount
  FROM seen.orders AS o LEFT JOIN seen.lines AS l ON l.order_id = o.id GROUP BY o.id HAVING count(l.id) > 0;

SELECT view, segmentation_internal.workspace_view(view::regclass) - 'tables' AS made_of FROM unnest('{seen.sold,seen.by_order}'::text[]) AS view;
SELECT t.relation, t.mapping, t.fault FROM unnest('{seen.plain,seen.sold}'::regclass[]) AS v, segmentation_internal.workspace_tables(v, jsonb_build_object('customer', CASE v WHEN 'seen.plain'::regclass THEN 'customer_id' ELSE 'customer' END)) AS t;

SELECT create_workspace(w), configure_workspace(w, '{"source_silence": "off", "minimum_buyers": 10}') FROM unnest('{plain_live,plain_anew,sold_live,sold_anew,sums_live,sums_anew}'::text[]) AS w;
SELECT count(add_source(w, 'purchases', 'seen.plain')) FROM unnest('{plain_live,plain_anew}'::text[]) AS w;
SELECT count(add_source(w, 'purchase_lines', 'seen.sold', '{"customer": "customer", "purchased_on": "placed_on", "product": "sku", "order": "order_id", "amount": "turnover"}')) FROM unnest('{sold_live,sold_anew}'::text[]) AS w;
SELECT count(add_source(w, 'purchases', 'seen.by_order')) FROM unnest('{sums_live,sums_anew}'::text[]) AS w;
DO $$
BEGIN
  FOR w IN 1..6 LOOP
    CALL segmentation.refresh((ARRAY['plain_live', 'plain_anew', 'sold_live', 'sold_anew', 'sums_live', 'sums_anew'])[w], '2025-12-31');
  END LOOP;
END
$$;
SELECT misses FROM capture_status('plain_live');
SELECT start_capture('plain_live', 'purchases', 'seen.plain'), start_capture('sold_live', 'purchase_lines', 'seen.sold');
-- Sums by order, whose lines may be missing: only orders are in all of its rows.
SELECT start_capture('sums_live', 'purchases', 'seen.by_order');
SELECT w AS workspace, s.capture, s.misses FROM unnest('{plain_live,sold_live,sums_live}'::text[]) AS w, capture_status(w) AS s;
SELECT tgrelid::regclass AS relation, count(*), array_agg(DISTINCT encode(tgargs, 'escape')) AS arguments FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'seen'::regnamespace AND tgname LIKE 'segmentation%' GROUP BY 1 ORDER BY 1::text;
CALL refresh_changed('plain_live', '2025-12-31');
CALL refresh_changed('sold_live', '2025-12-31');
CALL refresh_changed('sums_live', '2025-12-31');

-- Who is queued by what.
CREATE FUNCTION seen.queued(ws text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  EXECUTE format('SELECT coalesce(string_agg(DISTINCT coalesce(q.customer::text, ''all''), '' ''), ''nobody'') FROM %I.queue AS q', ws) INTO said;
  EXECUTE format('DELETE FROM %I.queue', ws);
  RETURN said;
END
$$;
BEGIN;
UPDATE seen.orders SET status = 'paid' WHERE id = 14;
SELECT seen.queued('plain_live') AS let_in, seen.queued('sold_live') AS an_order, seen.queued('sums_live') AS sums, 1 + 14 % 210 AS by_hand;
UPDATE seen.orders SET person = 50 WHERE id = 15;
SELECT seen.queued('plain_live') AS moved, seen.queued('sold_live') AS moved_too, seen.queued('sums_live') AS and_here;
UPDATE seen.people SET closed = true WHERE id = 60;
SELECT seen.queued('plain_live') AS not_of_it, seen.queued('sold_live') AS closed;
UPDATE seen.people SET name = 'new' WHERE id = 61;
SELECT seen.queued('sold_live') AS another_name;
DELETE FROM seen.lines WHERE order_id = 30;
SELECT seen.queued('plain_live') AS not_of_it, seen.queued('sold_live') AS lines_deleted, seen.queued('sums_live') AS sums;
TRUNCATE seen.lines;
SELECT seen.queued('plain_live') AS not_of_it, seen.queued('sold_live') AS truncated;
ROLLBACK;

-- Random changes of all tables, week by week: live and anew are the same.
CREATE FUNCTION seen.differ(live text, anew text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  many bigint;
BEGIN
  EXECUTE format($q$
    SELECT count(*) FROM (
      (SELECT * FROM %1$I.customer_facts EXCEPT SELECT * FROM %2$I.customer_facts)
      UNION ALL
      (SELECT * FROM %2$I.customer_facts EXCEPT SELECT * FROM %1$I.customer_facts)) AS d$q$, live, anew) INTO many;
  RETURN many;
END
$$;
CREATE TABLE seen.step (place integer GENERATED ALWAYS AS IDENTITY, plain bigint, sold bigint, sums bigint, everybody boolean);
DO $$
DECLARE
  day date := '2025-12-31';
  n integer;
BEGIN
  PERFORM setseed(0.5);
  FOR week IN 1..12 LOOP
    FOR change IN 1..4 LOOP
      n := 1 + floor(1200 * random());
      CASE floor(11 * random())::integer
      WHEN 0 THEN UPDATE seen.orders SET status = CASE status WHEN 'paid' THEN 'new' ELSE 'paid' END WHERE id BETWEEN n AND n + 5;
      WHEN 1 THEN UPDATE seen.orders SET person = 1 + n % 210 WHERE id % 97 = n % 97;
      WHEN 2 THEN DELETE FROM seen.orders WHERE id = n;
      WHEN 3 THEN UPDATE seen.people SET name = 'p' || n % 300 WHERE id = 1 + n % 200;
      WHEN 4 THEN UPDATE seen.people SET closed = NOT closed WHERE id % 50 = n % 50;
      WHEN 5 THEN UPDATE seen.lines SET price = 1 + n % 9, quantity = 1 + n % 4 WHERE id % 301 = n % 301;
      WHEN 6 THEN UPDATE seen.lines SET order_id = 1 + n % 1200 WHERE id % 401 = n % 401;
      WHEN 7 THEN DELETE FROM seen.lines WHERE id % 501 = n % 501;
      WHEN 8 THEN
        INSERT INTO seen.lines SELECT 1000000 + 1000 * week + 10 * change + l, 2000 + 10 * week + change, 's' || l, 4.5, 2 FROM generate_series(1, 2) AS l;
        INSERT INTO seen.orders VALUES (2000 + 10 * week + change, 1 + n % 200, '2025-06-01', 'paid');
      WHEN 9 THEN DELETE FROM seen.people WHERE id = 1 + n % 200;
      ELSE INSERT INTO seen.people VALUES (1 + n % 210, 'p' || n % 50) ON CONFLICT DO NOTHING;
      END CASE;
    END LOOP;
    COMMIT;
    CALL segmentation.refresh_changed('plain_live', day);
    CALL segmentation.refresh('plain_anew', day, false);
    CALL segmentation.refresh_changed('sold_live', day);
    CALL segmentation.refresh('sold_anew', day, false);
    CALL segmentation.refresh_changed('sums_live', day);
    CALL segmentation.refresh('sums_anew', day, false);
    INSERT INTO seen.step (plain, sold, sums, everybody) SELECT
      seen.differ('plain_live', 'plain_anew'), seen.differ('sold_live', 'sold_anew'), seen.differ('sums_live', 'sums_anew'),
      (SELECT max(rows) >= 150 FROM sold_live.refresh_log WHERE refresh = (SELECT max(refresh) FROM sold_live.refresh_log) AND phase = 'changed');
  END LOOP;
END
$$;
SELECT count(*) AS weeks, sum(plain) AS plain_differ, sum(sold) AS sold_differ, sum(sums) AS sums_differ, count(*) FILTER (WHERE everybody) < 6 AS seldom_everybody FROM seen.step;
SELECT sum(monetary(history, '2025-12-31')) AS turnover, (SELECT sum(turnover) FROM seen.sold WHERE placed_on <= '2025-12-31') AS by_view FROM sold_live.customer_facts;

-- Another query of the same view: everybody is read again, and what it reads has the triggers.
CREATE OR REPLACE VIEW seen.plain AS
  SELECT p.id AS customer_id, o.placed_on AS ordered_on, 2.5 AS amount FROM seen.orders AS o JOIN seen.people AS p ON p.id = o.person;
CALL refresh_changed('plain_live', '2025-12-31');
CALL refresh('plain_anew', '2025-12-31', false);
SELECT seen.differ('plain_live', 'plain_anew');
UPDATE seen.people SET id = 9000 WHERE id = (SELECT min(id) FROM seen.people);
SELECT seen.queued('plain_live') AS another_key, (SELECT min(customer_id) > 0 FROM seen.plain) AS there;
-- Columns go by the names that they have now, not those of the query.
CREATE VIEW seen.renamed AS SELECT o.id AS a, o.person AS b, o.placed_on AS ordered_on FROM seen.orders AS o;
ALTER VIEW seen.renamed RENAME COLUMN a TO c;
ALTER VIEW seen.renamed RENAME COLUMN b TO a;
ALTER VIEW seen.renamed RENAME COLUMN c TO b;
SELECT segmentation_internal.workspace_view('seen.renamed'::regclass) -> 'columns' AS columns;
-- A view that moves by itself: its triggers are taken off, with a warning.
CREATE OR REPLACE VIEW seen.plain AS SELECT o.person AS customer_id, o.placed_on AS ordered_on, 2.5 AS amount FROM seen.orders AS o WHERE o.placed_on > current_date - 3650;
CALL refresh_changed('plain_live', '2025-12-31');
SELECT capture, misses FROM capture_status('plain_live');

-- What else a view can be, each with its reason.
CREATE TABLE seen.refused (place integer GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO seen.refused (query) VALUES
  ('SELECT person AS c, placed_on AS d FROM seen.orders UNION ALL SELECT person, placed_on FROM seen.orders'),
  ('WITH o AS (SELECT * FROM seen.orders) SELECT person AS c, placed_on AS d FROM o'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders ORDER BY id LIMIT 5'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders WHERE id IN (SELECT order_id FROM seen.lines)'),
  ('SELECT person AS c, placed_on AS d, row_number() OVER (ORDER BY id) FROM seen.orders'),
  ('SELECT DISTINCT ON (placed_on) person AS c, placed_on AS d FROM seen.orders'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders GROUP BY ROLLUP (person, placed_on)'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders TABLESAMPLE system (10)'),
  ('SELECT person AS c, placed_on AS d FROM (SELECT * FROM seen.orders) AS o'),
  ('SELECT person AS c, d::date FROM seen.orders, generate_series(placed_on, placed_on, ''1 day'') AS d'),
  ('SELECT person AS c, now()::date AS d FROM seen.orders'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders WHERE random() < 0.5'),
  ('SELECT person AS c, placed_on AS d FROM seen.orders WHERE status = current_user'),
  ('SELECT abs(person) AS c, placed_on AS d FROM seen.orders'),
  ('SELECT max(person) AS c, placed_on AS d FROM seen.orders GROUP BY placed_on'),
  ('SELECT c.id AS c, o.placed_on AS d FROM seen.orders AS o JOIN seen.people AS c ON c.id > o.person'),
  ('SELECT c.id AS c, o.placed_on AS d FROM seen.orders AS o FULL JOIN seen.people AS c ON c.id = o.person'),
  ('SELECT c.id AS c, s.purchased_on AS d FROM seen.by_order AS s JOIN seen.people AS c ON c.id = s.customer'),
  ('SELECT 1 AS c, date ''2025-01-01'' AS d');
SELECT create_workspace('refused');
DO $$
DECLARE
  given record;
  state text; detail text; message text;
BEGIN
  FOR given IN SELECT * FROM seen.refused ORDER BY place LOOP
    EXECUTE format('CREATE VIEW seen.refused_%s AS %s', given.place, given.query);
    BEGIN
      PERFORM segmentation.add_source('refused', 'purchases', format('seen.refused_%s', given.place)::regclass, '{"customer": "c", "purchased_on": "d", "amount": {"sql": "1"}}');
      PERFORM segmentation.start_capture('refused', 'purchases', format('seen.refused_%s', given.place)::regclass);
      RAISE WARNING 'captured: %', given.query;
    EXCEPTION WHEN wrong_object_type THEN
      GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
      RAISE WARNING '%: %', given.query, detail;
    END;
  END LOOP;
END
$$;
SELECT segmentation_internal.workspace_view(0), segmentation_internal.workspace_view('seen.orders'::regclass);
SELECT count(drop_workspace(w)) FROM unnest('{plain_live,plain_anew,sold_live,sold_anew,sums_live,sums_anew,refused}'::text[]) AS w;
SELECT count(*) AS triggers_left FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'seen'::regnamespace;
DROP SCHEMA seen CASCADE;
