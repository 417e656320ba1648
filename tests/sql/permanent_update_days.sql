-- Permanent update by time alone: nothing changes in the sources, and day by day refresh_changed moves those whose day
-- has come, as a full refresh of everybody does. All axes, all kinds of sources.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
SELECT count(*) > 0 AS simulated FROM simulate_shop('shop', 200) AS s;
SELECT create_workspace('incremental', 'bigint', 'Europe/Paris'), create_workspace('anew', 'bigint', 'Europe/Paris');
-- Time goes on without purchases on purpose.
SELECT configure_workspace(w, '{"source_silence": "off", "moments": ["purchase_due", "waning_interest", "first_purchase", "reactivated", "anniversary", "attributes"]}') FROM unnest('{incremental,anew}'::text[]) AS w;
SELECT count(*) AS sources FROM unnest('{incremental,anew}'::text[]) AS w, (VALUES ('purchases', 'shop.orders'), ('purchase_lines', 'shop.order_lines'), ('customers', 'shop.customers'), ('contacts', 'shop.contacts'),
  ('interactions', 'shop.interactions'), ('consents', 'shop.consents'), ('attribute_history', 'shop.attribute_history'), ('subscriptions', 'shop.subscriptions'), ('products', 'shop.products')) AS v (kind, relation),
  LATERAL (SELECT add_source(w, kind, relation::regclass) AS mapping) AS s WHERE mapping IS NOT NULL;
CALL refresh('incremental', '2025-06-15');
CALL refresh('anew', '2025-06-15');
SELECT (SELECT readiness FROM anew.parameter_set WHERE status = 'in_use') = (SELECT jsonb_object_agg(a, NULL) FROM unnest(workspace_axes()) AS a) AS all_axes_ready;
SELECT count(*) FROM (SELECT start_capture('incremental', kind, relation) FROM incremental.source WHERE mapping ? 'customer') AS s;
CALL refresh_changed('incremental', '2025-06-15');

-- What was published the day before, and who moved on a day, by the full refresh.
CREATE TABLE public.was AS SELECT * FROM anew.customer_segments;
CREATE TABLE public.move (day date, customer bigint, axis text, code_before text, code_after text, due date);
CREATE TABLE public.day (day date, looked_at bigint, was_due bigint, differ bigint);
CREATE PROCEDURE public.a_day(day date) LANGUAGE plpgsql AS $$
DECLARE
  axis text;
BEGIN
  FOREACH axis IN ARRAY segmentation.workspace_axes() LOOP
    EXECUTE format('INSERT INTO public.move SELECT $1, n.customer, %L, w.%1$I, n.%1$I, w.next_change_at FROM anew.customer_segments AS n JOIN public.was AS w USING (customer) WHERE n.%1$I <> w.%1$I', axis) USING day;
  END LOOP;
  INSERT INTO public.day SELECT day,
    coalesce((SELECT l.rows FROM incremental.refresh_log AS l WHERE l.phase = 'time' AND l.as_of = day), 0),
    (SELECT count(*) FROM public.was AS w WHERE w.next_change_at <= day),
    (SELECT count(*) FROM anew.customer_segments AS a FULL JOIN incremental.customer_segments AS i USING (customer) WHERE a IS DISTINCT FROM i);
  TRUNCATE public.was;
  INSERT INTO public.was SELECT * FROM anew.customer_segments;
END
$$;
DO $$
BEGIN
  FOR n IN 1..40 LOOP
    CALL segmentation.refresh_changed('incremental', date '2025-06-15' + n);
    CALL segmentation.refresh('anew', date '2025-06-15' + n, false);
    CALL public.a_day(date '2025-06-15' + n);
    COMMIT;
  END LOOP;
END
$$;
-- Each move came on a day that was told the day before; nobody was missed.
SELECT axis, count(*) AS moves, count(DISTINCT day) AS days, count(*) FILTER (WHERE (due <= day) IS NOT TRUE) AS not_foreseen FROM move GROUP BY axis ORDER BY axis;
-- Whole rows are equal each day, next_change_at among them; who was looked at was due, and most were not.
SELECT count(*) AS days, sum(differ) AS different_rows, sum(looked_at) AS looked_at, sum(was_due) AS due, count(*) FILTER (WHERE looked_at > was_due) AS days_with_more, max(looked_at) < 200 AS never_all FROM day;
SELECT day, looked_at, was_due, differ FROM day WHERE differ > 0 LIMIT 5;
-- Of those looked at, how many moved: the days that next_change_at says are days of a change, but for axes whose next change cannot be told.
SELECT round(count(*)::numeric / (SELECT sum(looked_at) FROM day), 2) AS moved_of_looked_at FROM (SELECT DISTINCT day, customer FROM move) AS m;
-- The histories are equal, without gaps or overlaps, and each move is a row of them.
SELECT count(*) AS different FROM ((SELECT * FROM incremental.membership_history EXCEPT ALL SELECT * FROM anew.membership_history) UNION ALL (SELECT * FROM anew.membership_history EXCEPT ALL SELECT * FROM incremental.membership_history)) AS d;
SELECT count(*) AS different FROM ((SELECT as_of, customer, kind, axis, code FROM incremental.events EXCEPT ALL SELECT as_of, customer, kind, axis, code FROM anew.events) UNION ALL (SELECT as_of, customer, kind, axis, code FROM anew.events EXCEPT ALL SELECT as_of, customer, kind, axis, code FROM incremental.events)) AS d;
SELECT count(*) AS rows, count(*) FILTER (WHERE valid_from < before) AS overlaps, count(*) FILTER (WHERE valid_from > before) AS gaps, count(*) FILTER (WHERE valid_from > '2025-06-15') = (SELECT count(*) FROM move) AS a_row_a_move
FROM (SELECT valid_from, lag(valid_to) OVER (PARTITION BY customer, axis ORDER BY valid_from) AS before FROM incremental.membership_history) AS h;
SELECT count(*) AS not_in_history FROM move AS m WHERE NOT EXISTS (SELECT FROM incremental.membership_history AS h WHERE h.customer = m.customer AND h.axis = m.axis AND h.code = m.code_after AND h.valid_from = m.day);
SELECT count(*) AS queued FROM incremental.queue;
SELECT drop_workspace('incremental'), drop_workspace('anew');
DROP TABLE was, move, day; DROP PROCEDURE a_day; DROP SCHEMA shop CASCADE;
