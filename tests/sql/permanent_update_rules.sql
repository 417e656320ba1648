-- Registered segments over windows of days: refresh_changed looks only at whom time can move, and is a full refresh.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
SELECT count(*) > 0 AS simulated FROM simulate_shop('shop', 300, seed => 5) AS s;
CREATE SCHEMA live;
CREATE TABLE live.orders AS SELECT * FROM shop.orders WHERE ordered_on <= '2025-06-30';
CREATE TABLE live.order_lines AS SELECT * FROM shop.order_lines WHERE order_id IN (SELECT order_id FROM live.orders);
CREATE TABLE live.customers AS SELECT customer_id, city, household_size, '2025-01-01'::date + (customer_id % 400)::integer AS card_until FROM shop.customers;
CREATE TABLE live.contacts AS SELECT * FROM shop.contacts WHERE sent_at < '2025-07-01';
CREATE TABLE live.interactions AS SELECT * FROM shop.interactions WHERE occurred_at < '2025-07-01';
CREATE TABLE live.consents AS SELECT * FROM shop.consents;
SELECT create_workspace('incremental', 'bigint', 'Europe/Paris'), create_workspace('anew', 'bigint', 'Europe/Paris');
SELECT configure_workspace(w, '{"source_silence": "off"}') FROM unnest('{incremental,anew}'::text[]) AS w;
SELECT count(*) AS sources FROM unnest('{incremental,anew}'::text[]) AS w, (VALUES ('purchases', 'live.orders'), ('purchase_lines', 'live.order_lines'), ('customers', 'live.customers'), ('contacts', 'live.contacts'),
  ('interactions', 'live.interactions'), ('consents', 'live.consents'), ('products', 'shop.products')) AS v (kind, relation),
  LATERAL (SELECT add_source(w, kind, relation::regclass) AS mapping) AS s WHERE mapping IS NOT NULL;

-- Twenty rules: every form of window, over every list, over days of attributes, over what counts days.
CREATE TABLE public.rule (name text, condition jsonb);
INSERT INTO public.rule VALUES
  ('silent_90', '{"field": "recency", ">": 90}'),
  ('silent_between', '{"field": "recency", "between": [30, 60]}'),
  ('no_order_60', '{"events": "orders", "last_days": 60, "count": {"=": 0}}'),
  ('twice_90', '{"events": "purchases", "where": {"field": "purchases", ">": 0}, "last_days": 90, "count": {">=": 2}}'),
  ('spent_month', '{"events": "orders", "from": {"months_ago": 1}, "sum": {"of": "amount", ">=": 40}}'),
  ('old_order', '{"events": "orders", "from": {"days_ago": 200}, "until": {"days_ago": 100}, "count": {">=": 1}}'),
  ('this_year', '{"events": "orders", "from": {"date": "2025-01-01"}, "count": {">=": 5}}'),
  ('clicked_30', '{"events": "contacts", "where": {"field": "response", "=": "click"}, "last_days": 30, "count": {">=": 1}}'),
  ('mailed_14', '{"events": "contacts", "where": {"field": "channel", "=": "email"}, "last_days": 14, "count": {">=": 1}}'),
  ('visit_then_order', '{"events": "activity", "where": {"field": "what", "=": "store_visit"}, "last_days": 60, "then": {"field": "what", "=": "order"}, "within_days": 14}'),
  ('visit_no_order', '{"events": "activity", "where": {"field": "what", "=": "store_visit"}, "last_days": 60, "not_then": {"field": "what", "=": "order"}, "within_days": 10}'),
  ('clicks', '{"field": "clicks_90", ">=": 1}'),
  ('visits', '{"field": "visits_90", ">=": 2}'),
  ('complaints', '{"field": "complaints_90", ">=": 1}'),
  ('bought_lately', '{"field": "purchases_90", ">=": 2}'),
  ('last_day', '{"field": "last_purchase", "<": {"months_ago": 4}}'),
  ('card_ends', '{"field": "card_until", "between": [{"days_ago": 0}, {"days_ago": -30}]}'),
  ('often', '{"field": "frequency", ">=": 5}'),
  ('best_lost', '{"all": [{"field": "churn", "in": ["high", "lost"]}, {"field": "rfm", "in": ["champions", "loyal", "at_risk"]}]}'),
  ('mail_allowed', '{"all": [{"field": "consents", "contains": "email"}, {"not": {"field": "recency", "<": 45}}]}'),
  ('long_with_us', '{"field": "tenure", "between": [400, 500]}'),
  ('basket', '{"all": [{"field": "mean_basket", ">=": 60}, {"field": "mean_gap", "<": 60}, {"field": "purchase_days", ">": 2}]}'),
  ('named', '{"all": [{"field": "city", "is_null": false}, {"field": "profile", "is_null": false}]}');
SELECT count(*) AS rules, count(register_segment(w, name, jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'yes', 'when', condition)))) IS NULL) AS registered
FROM public.rule, unnest('{incremental,anew}'::text[]) AS w;
CALL refresh('incremental', '2025-06-30');
CALL refresh('anew', '2025-06-30');
SELECT count(*) FROM (SELECT start_capture('incremental', kind, relation) FROM incremental.source WHERE mapping ? 'customer') AS s;
CALL refresh_changed('incremental', '2025-06-30');

CREATE TABLE public.step (as_of date, looked_at bigint, moved bigint);
CREATE TABLE public.difference (as_of date, customer bigint, what text);
DO $$
DECLARE
  day date := '2025-06-30';
BEGIN
  FOR step IN 1..40 LOOP
    INSERT INTO live.orders SELECT * FROM shop.orders WHERE ordered_on = day + 1;
    INSERT INTO live.order_lines SELECT l.* FROM shop.order_lines AS l JOIN shop.orders AS o USING (order_id) WHERE o.ordered_on = day + 1;
    INSERT INTO live.contacts SELECT * FROM shop.contacts WHERE sent_at >= (day + 1)::timestamp AND sent_at < (day + 2)::timestamp;
    INSERT INTO live.interactions SELECT * FROM shop.interactions WHERE occurred_at >= (day + 1)::timestamp AND occurred_at < (day + 2)::timestamp;
    -- Some are dated ahead: they come into sight on their day.
    INSERT INTO live.orders SELECT 80000000 + step, step * 7, day + 1 + step % 5, day + 1 + step % 5, 25, 'web', NULL;
    day := day + 1;
    COMMIT;
    CALL segmentation.refresh_changed('incremental', day);
    CALL segmentation.refresh('anew', day, false);
    INSERT INTO public.step SELECT day, (SELECT max(l.rows) FROM incremental.refresh_log AS l WHERE l.phase = 'time' AND l.as_of = day),
      (SELECT l.rows FROM anew.refresh_log AS l WHERE l.phase = 'publish' ORDER BY l.refresh DESC LIMIT 1);
    INSERT INTO public.difference SELECT day, coalesce(i.customer, a.customer), d.what
      FROM incremental.customer_segments AS i FULL JOIN anew.customer_segments AS a USING (customer)
      CROSS JOIN LATERAL (SELECT k.key || ': ' || coalesce(i.segments ->> k.key, 'out') || ' for ' || coalesce(a.segments ->> k.key, 'out') AS what
        FROM jsonb_each(coalesce(i.segments, '{}') || coalesce(a.segments, '{}')) AS k
        WHERE i.segments ->> k.key IS DISTINCT FROM a.segments ->> k.key
        UNION ALL SELECT 'codes' WHERE (i.rfm, i.pmg, i.churn, i.loyalty, i.future_value, i.life_moment, i.since) IS DISTINCT FROM (a.rfm, a.pmg, a.churn, a.loyalty, a.future_value, a.life_moment, a.since)) AS d;
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) AS differences FROM public.difference;
SELECT what, count(*), min(as_of), min(customer) FROM public.difference GROUP BY what ORDER BY 2 DESC, 1 LIMIT 20;
-- On Mondays everybody has new offers. On the other days a part is looked at, and moves are not rare.
SELECT count(*) AS days, max(looked_at) < 0.6 * 300 AS a_part, sum(moved) > 200 AS moves FROM public.step WHERE extract(isodow FROM as_of) > 1;
-- Each rule has had members who left again, but those that nobody leaves by time, or that few ever meet.
SELECT r.name, count(h.axis) FILTER (WHERE h.valid_to IS NOT NULL) > 0 AS left_again
FROM public.rule AS r LEFT JOIN incremental.membership_history AS h ON h.axis = 'segment:' || r.name OR h.axis = r.name
GROUP BY r.name HAVING count(h.axis) FILTER (WHERE h.valid_to IS NOT NULL) = 0 ORDER BY 1;

-- A probability is another one each day: who reads one is looked at daily. Nothing else was registered here.
SELECT count(unregister_segment('incremental', name) IS NULL) AS unregistered FROM public.rule;
SELECT register_segment('incremental', 'likely', '{"kind": "rules", "segments": [{"segment": "yes", "when": {"field": "churn_probability", ">": 0.5}}]}');
CALL refresh_changed('incremental', '2025-08-09');
SELECT count(*) = count(*) FILTER (WHERE next_change_at = '2025-08-10') AS everybody_tomorrow FROM incremental.customer_segments;
SELECT unregister_segment('incremental', 'likely');
SELECT register_segment('incremental', 'rich', '{"kind": "rules", "segments": [{"segment": "yes", "when": {"field": "monetary", ">": 500}}]}');
CALL refresh_changed('incremental', '2025-08-09');
SELECT count(*) FILTER (WHERE next_change_at = '2025-08-10') < count(*) / 2 AS not_everybody FROM incremental.customer_segments;
SELECT drop_workspace('incremental'), drop_workspace('anew');
DROP TABLE public.step, public.difference, public.rule;
DROP SCHEMA live CASCADE;
DROP SCHEMA shop CASCADE;
