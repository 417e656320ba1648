-- Permanent update: one customer whose key is written in several ways, and events that came by a dump of another server.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set VERBOSITY terse

-- Equal keys are one customer, in one part of the queue, however they are written.
CREATE TABLE public.orders (customer_id numeric NOT NULL, ordered_on date NOT NULL, amount numeric NOT NULL);
CREATE TABLE public.customers (customer_id numeric PRIMARY KEY, city text);
INSERT INTO customers VALUES (1.0, 'Lyon'), (2, 'Nice'), (1.50, 'Metz');
INSERT INTO orders VALUES (1, '2025-06-01', 10), (1.00, '2025-06-02', 10), (1.5, '2025-06-02', 10), (2.000, '2025-06-03', 10), (-0.0, '2025-06-03', 5), (1e3, '2025-06-03', 5), ('NaN', '2025-06-03', 5);
SELECT create_workspace(w, 'numeric', 'UTC'), configure_workspace(w, '{"minimum_buyers": 1}'), add_source(w, 'purchases', 'orders') IS NOT NULL AS orders, add_source(w, 'customers', 'customers') IS NOT NULL AS customers
FROM unnest('{incremental,anew}'::text[]) AS w;
CALL refresh('incremental', '2025-06-30');
CALL refresh('anew', '2025-06-30');
SELECT customer, turnover(history, '2025-01-01', '2025-12-31'), attributes FROM incremental.customer_facts ORDER BY customer;
SELECT start_capture('incremental', 'purchases', 'orders'), start_capture('incremental', 'customers', 'customers');
CALL refresh_changed('incremental', '2025-06-30');
INSERT INTO orders VALUES (1.000, '2025-06-04', 100); INSERT INTO orders VALUES (1, '2025-06-04', 1), (1.0, '2025-06-04', 1), (1.50, '2025-06-04', 1), (1000.00, '2025-06-04', 1), (0, '2025-06-04', 1);
UPDATE customers SET city = 'Brest' WHERE customer_id = 1; DELETE FROM orders WHERE customer_id = 2; UPDATE customers SET customer_id = 2.0, city = 'Caen' WHERE customer_id = 2;
SELECT trim_scale(customer) AS customer, count(*) AS changes, count(DISTINCT customer::text) AS written, count(DISTINCT shard) AS parts, bool_and(shard BETWEEN 0 AND 15) AS in_range FROM incremental.queue GROUP BY customer ORDER BY customer;
CALL refresh_changed('incremental', '2025-06-30', 1);
CALL refresh('anew', '2025-06-30', false);
SELECT customer, turnover(history, '2025-01-01', '2025-12-31'), attributes ->> 'city' AS city FROM incremental.customer_facts ORDER BY customer;
SELECT count(*) AS queued FROM incremental.queue;
SELECT (SELECT count(*) FROM ((TABLE incremental.customer_facts EXCEPT ALL TABLE anew.customer_facts) UNION ALL (TABLE anew.customer_facts EXCEPT ALL TABLE incremental.customer_facts)) AS d) AS facts,
       (SELECT count(*) FROM ((TABLE incremental.customer_segments EXCEPT ALL TABLE anew.customer_segments) UNION ALL (TABLE anew.customer_segments EXCEPT ALL TABLE incremental.customer_segments)) AS d) AS codes,
       (SELECT count(*) FROM ((TABLE incremental.membership_history EXCEPT ALL TABLE anew.membership_history) UNION ALL (TABLE anew.membership_history EXCEPT ALL TABLE incremental.membership_history)) AS d) AS history;
-- Erased as one.
DELETE FROM orders WHERE customer_id = 1; DELETE FROM customers WHERE customer_id = 1;
SELECT erase_customer('incremental', '1.0000') ->> 'customer_facts' AS facts;
SELECT count(*) AS left FROM incremental.events WHERE customer = 1;
SELECT drop_workspace('anew');

-- A dump of another server: its transactions had higher numbers, and ended in another order than they numbered their
-- events. Three readers stand at different places.
CREATE FUNCTION public.restored(by bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE incremental.events, incremental.event_reader, incremental.queue;
  INSERT INTO incremental.events (event, as_of, customer, kind, axis, code, transaction) OVERRIDING SYSTEM VALUE
    SELECT v.event, '2025-06-30', 2, 'entered', 'rfm', 'e' || v.event, (by + v.transaction)::text::xid8
    FROM (VALUES (1, 5), (2, 3), (3, 5), (4, 7), (5, 6), (6, 7), (7, 8), (8, 9), (9, 12), (10, 11), (11, 10), (12, 12)) AS v (event, transaction);
  PERFORM setval(pg_get_serial_sequence('incremental.events', 'event'), 12);
  INSERT INTO incremental.event_reader (reader, transaction, event) SELECT v.reader, e.transaction, e.event FROM (VALUES ('early', 2), ('middle', 5), ('late', 11)) AS v (reader, event) JOIN incremental.events AS e USING (event);
  INSERT INTO incremental.queue (customer, transaction) VALUES (1.5, (by + 12)::text::xid8);
END
$$;
-- All that a reader is given, two at a time, each time confirmed.
CREATE FUNCTION public.read_all(reader text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  got text := '';
  part text;
  last bigint;
BEGIN
  LOOP
    SELECT string_agg(e.event::text, ' '), (array_agg(e.event))[count(*)] INTO part, last FROM segmentation.read_events('incremental', reader, 2) AS e;
    EXIT WHEN last IS NULL;
    got := concat_ws(' ', nullif(got, ''), part);
    PERFORM segmentation.confirm_events('incremental', reader, last);
  END LOOP;
  RETURN got;
END
$$;
CREATE PROCEDURE public.compare(by bigint, how text) LANGUAGE plpgsql AS $$
DECLARE
  said text[] := '{}';
  reader text;
BEGIN
  PERFORM public.restored(by);
  IF how = 'upgrade' THEN
    PERFORM segmentation.upgrade_workspace('incremental');
  ELSIF how = 'refresh' THEN
    COMMIT;
    CALL segmentation.refresh_changed('incremental', '2025-06-30');
    DELETE FROM incremental.events WHERE event > 12;
  END IF;
  -- What runs now has to be over.
  COMMIT;
  FOREACH reader IN ARRAY '{early,middle,late,new}'::text[] LOOP
    said := said || format('%s: %s', reader, public.read_all(reader));
  END LOOP;
  RAISE INFO '%', array_to_string(said, E'\n  ');
END
$$;
-- As on the server that it came from, then after either way here.
CALL compare(0, 'home');
CALL compare(1000000000, 'upgrade');
CALL compare(1000000000, 'refresh');
-- Numbers around this server's own: some before, some after.
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS now \gset
CALL compare(:now, 'upgrade');
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 3 AS now \gset
CALL compare(:now, 'refresh');
-- Once: what comes afterwards is read after it, and nothing is read again.
SELECT restored(1000000000), upgrade_workspace('incremental');
SELECT read_all('middle') AS middle;
INSERT INTO orders VALUES (2, '2025-06-05', 1000);
CALL refresh_changed('incremental', '2025-06-30');
SELECT count(*) > 0 AS some, min(event) > 12 AS new_ones_only FROM read_events('incremental', 'middle');
SELECT string_agg(event::text, ' ') FILTER (WHERE event <= 12) AS early, bool_and(event > 12) FILTER (WHERE place > 11) AS then_new_ones FROM (SELECT event, row_number() OVER () AS place FROM read_events('incremental', 'early')) AS e;
-- Called again it changes nothing.
SELECT md5(string_agg(e::text, '|' ORDER BY event)) AS before FROM incremental.events AS e \gset
SELECT upgrade_workspace('incremental');
SELECT md5(string_agg(e::text, '|' ORDER BY event)) = :'before' AS same FROM incremental.events AS e;
-- What was queued there is done with by a full refresh here.
SELECT restored(1000000000), upgrade_workspace('incremental');
CALL refresh('incremental', '2025-06-30', false);
SELECT count(*) AS queued FROM incremental.queue;
SELECT drop_workspace('incremental');
DROP TABLE orders, customers; DROP FUNCTION restored, read_all; DROP PROCEDURE compare;
