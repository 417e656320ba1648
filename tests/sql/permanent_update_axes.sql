-- Permanent update with every kind of source: all axes follow as a full refresh has them, by week and by day.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
SELECT count(*) > 0 AS simulated FROM simulate_shop('shop', 300) AS s;
CREATE SCHEMA live;
CREATE TABLE live.orders AS SELECT * FROM shop.orders WHERE ordered_on <= '2025-03-31';
CREATE TABLE live.order_lines AS SELECT * FROM shop.order_lines WHERE order_id IN (SELECT order_id FROM live.orders);
CREATE TABLE live.customers AS SELECT * FROM shop.customers;
CREATE TABLE live.contacts AS SELECT * FROM shop.contacts WHERE sent_at < '2025-04-01';
CREATE TABLE live.interactions AS SELECT * FROM shop.interactions WHERE occurred_at < '2025-04-01';
CREATE TABLE live.consents AS SELECT * FROM shop.consents;
CREATE TABLE live.attribute_history AS SELECT * FROM shop.attribute_history;
CREATE TABLE live.subscriptions AS SELECT * FROM shop.subscriptions;
SELECT create_workspace('incremental', 'bigint', 'Europe/Paris'), create_workspace('anew', 'bigint', 'Europe/Paris');
-- Time goes on without purchases on purpose.
SELECT configure_workspace(w, '{"source_silence": "off", "moments": ["purchase_due", "waning_interest", "first_purchase", "reactivated", "anniversary", "attributes"]}') FROM unnest('{incremental,anew}'::text[]) AS w;
SELECT count(*) AS sources FROM unnest('{incremental,anew}'::text[]) AS w, (VALUES ('purchases', 'live.orders'), ('purchase_lines', 'live.order_lines'), ('customers', 'live.customers'), ('contacts', 'live.contacts'),
  ('interactions', 'live.interactions'), ('consents', 'live.consents'), ('attribute_history', 'live.attribute_history'), ('subscriptions', 'live.subscriptions'), ('products', 'shop.products')) AS v (kind, relation),
  LATERAL (SELECT add_source(w, kind, relation::regclass) AS mapping) AS s WHERE mapping IS NOT NULL;
CALL refresh('incremental', '2025-03-31');
CALL refresh('anew', '2025-03-31');
SELECT count(*) FROM (SELECT start_capture('incremental', kind, relation) FROM incremental.source WHERE mapping ? 'customer') AS s;

CREATE TABLE public.step (place integer GENERATED ALWAYS AS IDENTITY, what text, as_of date, customer bigint, differs text, moved bigint);
CREATE PROCEDURE public.compare(what text, day date) LANGUAGE plpgsql AS $$
DECLARE
  axis text;
BEGIN
  INSERT INTO public.step (what, as_of, moved) SELECT what, day, rows FROM anew.refresh_log WHERE phase = 'publish' ORDER BY refresh DESC LIMIT 1;
  INSERT INTO public.step (what, as_of, customer, differs)
    SELECT what, day, coalesce(i.customer, a.customer), 'facts' FROM incremental.customer_facts AS i FULL JOIN anew.customer_facts AS a USING (customer) WHERE i IS DISTINCT FROM a;
  FOREACH axis IN ARRAY segmentation.workspace_axes() LOOP
    EXECUTE format('INSERT INTO public.step (what, as_of, customer, differs)
      SELECT $1, $2, coalesce(i.customer, a.customer), %L || '': '' || coalesce(i.%1$I, ''none'') || '' for '' || coalesce(a.%1$I, ''none'')
      FROM incremental.customer_segments AS i FULL JOIN anew.customer_segments AS a USING (customer) WHERE i.%1$I IS DISTINCT FROM a.%1$I', axis) USING what, day;
  END LOOP;
END
$$;
CALL refresh_changed('incremental', '2025-03-31');
CALL compare('begin', '2025-03-31');

DO $$
DECLARE
  day date := '2025-03-31';
  days integer;
BEGIN
  FOR step IN 1..36 LOOP
    days := CASE WHEN step <= 22 THEN 7 ELSE 1 END;
    INSERT INTO live.orders SELECT * FROM shop.orders WHERE ordered_on > day AND ordered_on <= day + days;
    INSERT INTO live.order_lines SELECT l.* FROM shop.order_lines AS l JOIN shop.orders AS o USING (order_id) WHERE o.ordered_on > day AND o.ordered_on <= day + days;
    INSERT INTO live.contacts SELECT * FROM shop.contacts WHERE sent_at >= (day + 1)::timestamp AND sent_at < (day + 1 + days)::timestamp;
    INSERT INTO live.interactions SELECT * FROM shop.interactions WHERE occurred_at >= (day + 1)::timestamp AND occurred_at < (day + 1 + days)::timestamp;
    UPDATE live.customers SET household_size = household_size % 5 + 1 WHERE customer_id % 37 = step;
    UPDATE live.consents SET granted = NOT granted WHERE customer_id % 61 = step;
    DELETE FROM live.subscriptions WHERE customer_id % 53 = step;
    day := day + days;
    COMMIT;
    CALL segmentation.refresh_changed('incremental', day);
    CALL segmentation.refresh('anew', day, false);
    CALL public.compare('step ' || step, day);
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) FILTER (WHERE differs IS NULL) AS steps, sum(moved) > 0 AS moved, count(differs) AS differences FROM step;
SELECT differs, count(*), min(as_of), min(customer) FROM step WHERE differs IS NOT NULL GROUP BY differs ORDER BY 2 DESC, 1 LIMIT 20;
SELECT drop_workspace('incremental'), drop_workspace('anew');
DROP TABLE step; DROP PROCEDURE compare; DROP SCHEMA live CASCADE; DROP SCHEMA shop CASCADE;
