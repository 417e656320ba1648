-- Permanent update: whatever changes and whatever day it is, the incremental result is the full one.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
-- The name of the trigger function ends in a number drawn by lot.
CREATE PROCEDURE public.refused_capture(query text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(query, segmentation_internal.workspace_capture_function('incremental', 1));
  RAISE INFO 'NOT REFUSED  <<<';
EXCEPTION WHEN OTHERS THEN
  RAISE INFO '% %', SQLSTATE, regexp_replace(SQLERRM, '_[0-9a-f]{12}', '');
END
$$;
SELECT count(*) > 0 AS simulated FROM simulate_shop('shop', 400, options => '{"lines": false, "contacts": false}') AS s;
-- The shop up to the end of 2024, in partitions; the rest comes week by week.
CREATE TABLE public.live_orders (order_id bigint NOT NULL, customer_id integer, ordered_on date NOT NULL, amount numeric(12,2) NOT NULL) PARTITION BY RANGE (ordered_on);
CREATE TABLE public.live_old PARTITION OF live_orders FOR VALUES FROM ('2023-01-01') TO ('2025-01-01');
CREATE TABLE public.live_2025 PARTITION OF live_orders FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE INDEX ON live_orders (customer_id);
INSERT INTO live_orders SELECT order_id, customer_id, ordered_on, amount FROM shop.orders WHERE ordered_on < '2025-01-01';
CREATE TABLE public.live_customers AS SELECT customer_id, city, household_size, income_band FROM shop.customers WHERE customer_id <= 350;
CREATE TABLE public.live_interactions AS SELECT interaction_id, customer_id, kind, occurred_at, occurred_at AS updated_at FROM shop.interactions WHERE occurred_at < '2025-01-01';

-- Two workspaces on the same sources: one is kept up to date, one is made anew each time.
SELECT create_workspace('incremental', 'bigint', 'Europe/Paris'), create_workspace('anew', 'bigint', 'Europe/Paris');
-- Time goes on without purchases on purpose.
SELECT configure_workspace(w, '{"source_silence": "off"}') FROM unnest('{incremental,anew}'::text[]) AS w;
SELECT count(*) AS sources FROM unnest('{incremental,anew}'::text[]) AS w, LATERAL (SELECT add_source(w, 'purchases', 'live_orders'), add_source(w, 'customers', 'live_customers'), add_source(w, 'interactions', 'live_interactions')) AS s;
CALL refresh('incremental', '2024-12-31');
CALL refresh('anew', '2024-12-31');
SELECT start_capture('incremental', 'purchases', 'live_orders'), start_capture('incremental', 'customers', 'live_customers'),
       start_capture('incremental', 'interactions', 'live_interactions', 'updated_at', '2 hours');
SELECT kind, relation, capture, misses FROM capture_status('incremental');
SELECT relation::text, count(*) AS triggers FROM incremental.capture JOIN pg_trigger ON tgrelid = relation WHERE tgname LIKE 'segmentation%' GROUP BY 1 ORDER BY 1;
-- What came before the capture began is read once more.
SELECT count(*) FILTER (WHERE customer IS NULL) AS everybody FROM incremental.queue;
CALL refresh_changed('incremental', '2024-12-31');
SELECT count(*) AS queued FROM incremental.queue;

-- What differs between the two, both ways. next_change_at is not compared: where a change is hard to foresee it is a day to look again.
CREATE TABLE public.step (place integer GENERATED ALWAYS AS IDENTITY, what text, as_of date, timed bigint, changed bigint, moved bigint, facts bigint, codes bigint, history bigint);
CREATE PROCEDURE public.compare(what text, as_of date) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.step (what, as_of, timed, changed, moved, facts, codes, history) SELECT what, as_of,
    (SELECT max(rows) FROM incremental.refresh_log AS l WHERE phase = 'time' AND l.refresh = (SELECT max(refresh) FROM incremental.refresh_log)),
    (SELECT max(rows) FROM incremental.refresh_log AS l WHERE phase = 'changed' AND l.refresh = (SELECT max(refresh) FROM incremental.refresh_log)),
    (SELECT rows FROM anew.refresh_log WHERE phase = 'publish' ORDER BY refresh DESC LIMIT 1),
    (SELECT count(*) FROM ((SELECT * FROM incremental.customer_facts EXCEPT ALL SELECT * FROM anew.customer_facts) UNION ALL (SELECT * FROM anew.customer_facts EXCEPT ALL SELECT * FROM incremental.customer_facts)) AS d),
    (SELECT count(*) FROM (
       (SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM incremental.customer_segments EXCEPT ALL
        SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM anew.customer_segments) UNION ALL
       (SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM anew.customer_segments EXCEPT ALL
        SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM incremental.customer_segments)) AS d),
    (SELECT count(*) FROM ((SELECT * FROM incremental.membership_history EXCEPT ALL SELECT * FROM anew.membership_history) UNION ALL (SELECT * FROM anew.membership_history EXCEPT ALL SELECT * FROM incremental.membership_history)) AS d);
END
$$;
CALL refresh('anew', '2024-12-31', false);
CALL compare('begin', '2024-12-31');
TABLE step;

-- A year by week: orders of the week, corrections, refunds, deletions, orders that change hands, writes to a partition by its own name, a new partition, customers who come and go.
DO $$
DECLARE
  day date := '2024-12-31';
BEGIN
  FOR week IN 1..52 LOOP
    IF week = 25 THEN
      CREATE TABLE public.live_late (LIKE public.live_orders INCLUDING ALL);
      INSERT INTO public.live_late SELECT order_id, customer_id, ordered_on, amount FROM shop.orders WHERE ordered_on BETWEEN '2025-07-01' AND '2025-07-03';
      ALTER TABLE public.live_orders ATTACH PARTITION public.live_late FOR VALUES FROM ('2025-07-01') TO ('2026-07-01');
    END IF;
    INSERT INTO public.live_orders SELECT order_id, customer_id, ordered_on, amount FROM shop.orders
      WHERE ordered_on > day AND ordered_on <= day + 7 AND NOT ordered_on BETWEEN '2025-07-01' AND '2025-07-03';
    CASE week % 5
    WHEN 0 THEN UPDATE public.live_orders SET amount = round(amount * 1.1, 2) WHERE order_id % 97 = week;
    WHEN 1 THEN DELETE FROM public.live_old WHERE order_id % 211 = week;
    WHEN 2 THEN UPDATE public.live_orders SET customer_id = customer_id % 300 + 1 WHERE order_id % 301 = week;
    WHEN 3 THEN INSERT INTO public.live_2025 SELECT 1000000 + week, week, '2025-01-02', -5;
    ELSE MERGE INTO public.live_customers AS c USING (SELECT * FROM shop.customers WHERE customer_id BETWEEN 340 + week AND 350 + week) AS s ON s.customer_id = c.customer_id
         WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.customer_id, s.city, s.household_size, s.income_band);
    END CASE;
    INSERT INTO public.live_interactions SELECT interaction_id, customer_id, kind, occurred_at, occurred_at FROM shop.interactions
      WHERE occurred_at >= timestamp '2025-01-01' + (week - 1) * interval '7 days' AND occurred_at < timestamp '2025-01-01' + week * interval '7 days';
    day := day + 7;
    COMMIT;
    CALL segmentation.refresh_changed('incremental', day);
    CALL segmentation.refresh('anew', day, false);
    CALL public.compare('week ' || week, day);
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) AS weeks, sum(timed) > 0 AS timed, sum(changed) > 0 AS changed, sum(moved) > 0 AS moved, count(*) FILTER (WHERE changed >= 300) AS weeks_of_everybody,
       sum(facts) AS facts, sum(codes) AS codes, sum(history) AS history FROM step WHERE what LIKE 'week%';
SELECT * FROM step WHERE facts + codes + history > 0 LIMIT 5;

-- Day by day without any change: each move comes on its own day, and nobody else is looked at.
DO $$
DECLARE
  day date := '2025-12-30';
BEGIN
  FOR d IN 1..30 LOOP
    day := day + 1;
    CALL segmentation.refresh_changed('incremental', day);
    CALL segmentation.refresh('anew', day, false);
    CALL public.compare('day ' || d, day);
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) AS days, sum(moved) > 0 AS moved, max(timed) < 200 AS few_looked_at, sum(facts) AS facts, sum(codes) AS codes, sum(history) AS history FROM step WHERE what LIKE 'day%';

-- Histories have neither gaps nor overlaps, and end in the codes of today.
SELECT count(*) AS rows, count(*) FILTER (WHERE valid_from < before) AS overlaps, count(*) FILTER (WHERE valid_from > before) AS gaps
FROM (SELECT valid_from, lag(valid_to) OVER (PARTITION BY customer, axis ORDER BY valid_from) AS before FROM incremental.membership_history) AS h WHERE before IS NOT NULL;
SELECT count(*) AS wrong FROM incremental.customer_segments AS s FULL JOIN (SELECT * FROM incremental.membership_history WHERE axis = 'churn' AND valid_to IS NULL) AS h USING (customer) WHERE s.churn IS DISTINCT FROM h.code;

-- TRUNCATE, DETACH and a whole table again; a burst of changes in small batches.
TRUNCATE live_2025;
CALL refresh_changed('incremental', '2026-01-29'); CALL refresh('anew', '2026-01-29', false); CALL compare('truncate', '2026-01-29');
ALTER TABLE live_orders DETACH PARTITION live_old;
CALL refresh_changed('incremental', '2026-01-29'); CALL refresh('anew', '2026-01-29', false); CALL compare('detach', '2026-01-29');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'live_old'::regclass;
UPDATE live_orders SET amount = amount + 1;
CALL refresh_changed('incremental', '2026-01-29', 7); CALL refresh('anew', '2026-01-29', false); CALL compare('small batches', '2026-01-29');
SELECT what, facts, codes, history FROM step ORDER BY place DESC LIMIT 3;
SELECT count(*) AS queued FROM incremental.queue;

-- A segment registered in between holds for everybody at the next call.
SELECT register_segment(w, 'big', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "monetary", ">=": 300}}]}') FROM unnest('{incremental,anew}'::text[]) AS w;
CALL refresh_changed('incremental', '2026-01-29'); CALL refresh('anew', '2026-01-29', false); CALL compare('segment', '2026-01-29');
SELECT what, facts, codes, history, (SELECT count(*) > 0 FROM incremental.customer_segments WHERE segments ->> 'big' = 'yes') AS some FROM step ORDER BY place DESC LIMIT 1;

-- Events are read at least once, in order, until they are confirmed.
-- A transaction of the server's own (autovacuum) that began before holds the last of them back.
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM incremental.events AS e WHERE e.transaction >= pg_snapshot_xmin(pg_current_snapshot())) LOOP
    PERFORM pg_sleep(0.05);
  END LOOP;
END
$$;
SELECT count(*) AS first_read, min(event) = (SELECT min(event) FROM incremental.events) AS from_the_first FROM read_events('incremental', 'mailer', 10);
SELECT count(*) AS again FROM read_events('incremental', 'mailer', 10);
SELECT confirm_events('incremental', 'mailer', (SELECT max(event) FROM read_events('incremental', 'mailer', 10)));
SELECT confirm_events('incremental', 'mailer', (SELECT min(event) FROM incremental.events));
SELECT count(*) AS rest, (SELECT count(*) FROM incremental.events) - count(*) AS confirmed FROM read_events('incremental', 'mailer', 1000000);
CALL refused('SELECT confirm_events(''incremental'', ''mailer'', -1)');

-- What is due, and how to have it called.
SELECT workspace_due('incremental', '2026-01-29') AS after_a_year;
CALL refresh('incremental', '2026-01-29', true);
SELECT workspace_due('incremental', '2026-01-29') AS now, workspace_due('incremental', '2026-02-01') AS in_three_days, workspace_due('incremental', '2026-03-15') AS in_spring, workspace_due('anew', '2026-01-30') AS without_capture;
SELECT scheduler, regexp_replace(replace(line, current_database(), 'DB'), '-h ''[^'']*'' -p [0-9]+ -U ''[^'']*''', '-h SOCKETS -p PORT -U OWNER') AS line FROM schedule_sql('incremental');
SELECT create_workspace('it''s; 50% "mine"');
SELECT regexp_replace(replace(line, current_database(), 'DB'), '-h ''[^'']*'' -p [0-9]+ -U ''[^'']*''', '-h SOCKETS -p PORT -U OWNER') AS hostile FROM schedule_sql('it''s; 50% "mine"', '0 3 * * *');
SELECT drop_workspace('it''s; 50% "mine"');
SELECT upgrade_workspace('incremental');
-- As if restored into a younger server: readers are told, and set right.
UPDATE incremental.events SET transaction = (transaction::text::bigint + 1000000000)::text::xid8 WHERE event <= 20;
UPDATE incremental.event_reader SET transaction = (SELECT transaction FROM incremental.events AS e WHERE e.event = event_reader.event);
CALL refused('SELECT * FROM read_events(''incremental'', ''mailer'')');
SELECT upgrade_workspace('incremental');
SELECT min(event) > (SELECT event FROM incremental.event_reader) AS goes_on, count(*) > 0 AS some FROM read_events('incremental', 'mailer', 5);

CALL run_due('incremental', '2026-01-29');
SELECT count(*) > 0 AS views_filled FROM incremental.customer_scores_stored;

-- A campaign: three tenths held out, measured by what those eligible bought afterwards.
SELECT * FROM assign_campaign('incremental', 'spring', 'SELECT customer FROM incremental.customer_segments WHERE rfm <> ''prospect''', 0.3, 'pmg');
SELECT bool_and(assigned <> holdout(customer::text, 'spring', 0.3)) AS by_salt, count(DISTINCT segment) > 1 AS segments FROM incremental.campaign_customer;
INSERT INTO live_orders SELECT 2000000 + customer, customer, '2026-02-02', 20 FROM incremental.campaign_customer WHERE campaign = 'spring' AND (assigned AND customer % 3 = 0 OR customer % 5 = 0);
CALL refresh_changed('incremental', '2026-02-10');
SELECT segment, (bought).assigned, (bought).held_out, round((bought).difference::numeric, 3) AS difference, (bought).verdict, round((turnover).difference::numeric, 2) AS turnover FROM campaign_uplift('incremental', 'spring', '2026-02-10');
SELECT count(*) AS segments, sum((bought).assigned + (bought).held_out) = (SELECT count(*) FROM incremental.campaign_customer) AS all_of_them FROM campaign_uplift('incremental', 'spring', '2026-02-10', true);

-- Erasure: nothing of the person stays.
CALL refused('SELECT erase_customer(''incremental'', ''7'')');
DELETE FROM live_orders WHERE customer_id = 7; DELETE FROM live_customers WHERE customer_id = 7; DELETE FROM live_interactions WHERE customer_id = 7;
SELECT jsonb_object_agg(key, value::int > 0) AS erased FROM jsonb_each_text(erase_customer('incremental', '7', 'request 42'));
SELECT count(*) AS left FROM segmentation_internal.workspace_personal('incremental') AS p, LATERAL (SELECT (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s WHERE customer = 7', p.relation), false, true, '')))[1]::text::int AS n) AS c WHERE kind = 'r' AND n > 0;
CALL refresh_changed('incremental', '2026-02-10');
SELECT count(*) AS back FROM incremental.customer_facts WHERE customer = 7;
SELECT reason, customers FROM incremental.erasure;

-- Retention: prospects three years after their last sign.
INSERT INTO live_customers (customer_id) VALUES (9001), (9002), (9003), (9004);
INSERT INTO live_interactions VALUES (1, 9001, 'visit', '2022-12-31 12:00', now()), (2, 9002, 'visit', '2023-03-01 12:00', now()), (3, 9003, 'visit', '2022-01-01 12:00', now()), (4, 9003, 'support', '2025-01-01 12:00', now());
CALL refresh_changed('incremental', '2026-02-10');
SELECT * FROM retention_due('incremental', '2026-02-10') WHERE customer::int > 9000;
SELECT count(*) > 0 AS some_customers, bool_and(relation = 'customer' OR last_contact <= '2023-02-10') AS right_ones FROM retention_due('incremental', '2026-02-10', customers => '1 year');
CALL refused('SELECT apply_retention(''incremental'', ''2026-02-10'')');
DELETE FROM live_customers WHERE customer_id IN (SELECT customer::int FROM retention_due('incremental', '2026-02-10'));
CREATE TEMP TABLE due AS SELECT customer::int FROM retention_due('incremental', '2026-02-10');
DELETE FROM live_interactions WHERE customer_id IN (TABLE due);
CALL refresh_changed('incremental', '2026-02-10');
SELECT count(*) AS left FROM incremental.customer_facts WHERE customer IN (TABLE due);

-- Rights: who writes a source needs none on the workspace, and gets none by it.
CREATE ROLE cashier;
GRANT INSERT ON live_orders TO cashier;
SET ROLE cashier;
CREATE TEMP TABLE queue (customer bigint); CREATE TEMP TABLE new_rows (customer_id integer); INSERT INTO new_rows VALUES (666);
SET search_path = pg_temp, public;
INSERT INTO live_orders VALUES (3000000, 11, '2026-02-01', 5);
CALL public.refused('INSERT INTO incremental.queue (customer) VALUES (1)');
CALL public.refused_capture('SELECT %s');
CALL public.refused_capture('CREATE TEMP TABLE mine (customer_id integer); CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s');
CALL public.refused('CALL segmentation.refresh_changed(''incremental'')');
SELECT count(*) AS caught FROM pg_temp.queue;
RESET ROLE;
SET search_path = segmentation, public;
SELECT customer FROM incremental.queue;
DROP TABLE pg_temp.queue, pg_temp.new_rows;

-- Faults.
CALL refused('CALL refresh_changed(''nowhere'')');
CALL refused('CALL refresh_changed(''incremental'', ''2026-01-01'')');
CALL refused('SELECT start_capture(''incremental'', ''purchases'', ''live_customers'')');
CALL refused('SELECT start_capture(''incremental'', ''interactions'', ''live_interactions'', ''kind'')');
CALL refused('SELECT start_capture(''incremental'', ''interactions'', ''live_interactions'', ''nothing'')');
CREATE MATERIALIZED VIEW public.seen AS TABLE live_interactions;
SELECT add_source('anew', 'interactions', 'seen') IS NOT NULL AS added;
CALL refused('SELECT start_capture(''anew'', ''interactions'', ''seen'')');

-- A clean end: no trigger stays.
SELECT remove_source('incremental', 'customers', 'live_customers');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'live_customers'::regclass;
SELECT drop_workspace('incremental'), drop_workspace('anew');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgname LIKE 'segmentation%';
DROP TABLE live_orders, live_old, live_customers, step; DROP MATERIALIZED VIEW seen; DROP TABLE live_interactions; DROP PROCEDURE compare; DROP OWNED BY cashier; DROP ROLE cashier;
DROP SCHEMA shop CASCADE;
DROP PROCEDURE public.refused_capture(text);
