-- The axis life_cycle: its codes beside an independent twin, its next change beside the code itself day by day, and the
-- axis in a workspace.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;

-- One customer, from the first purchase to the last: every ten days, a long silence, back, and gone.
CREATE TABLE public.one AS SELECT purchase_history(day, 10) AS h FROM unnest('{2024-01-01,2024-01-11,2024-01-21,2024-01-31,2024-06-01,2024-06-05}'::date[]) AS day;
SELECT code, min(day) AS first, max(day) AS last, min(next) AS next_change
FROM (SELECT day, code, next, count(*) FILTER (WHERE code IS DISTINCT FROM before) OVER (ORDER BY day) AS spell
      FROM (SELECT d::date AS day, life_cycle(h, d::date, 30) AS code, lag(life_cycle(h, d::date, 30)) OVER (ORDER BY d) AS before, life_cycle_next_change(h, d::date, 30) AS next
            FROM one, generate_series('2023-12-25', '2025-06-30', interval '1 day') AS d) AS t) AS t
GROUP BY spell, code ORDER BY 2;
-- At the limits: the rhythm of one purchase and a gap of 30 is 30 days; twice that is not slowing, a day more is.
SELECT d AS silence, life_cycle(purchase_history(date '2024-01-01', 10), date '2024-01-01' + d, 30) AS code FROM unnest('{0,29,30,60,61,120,121}'::integer[]) AS d GROUP BY d ORDER BY d;
-- A refund is no purchase; who never bought is a prospect, also by a history of refunds.
SELECT life_cycle(purchase_history(date '2024-01-01', -10), '2024-02-01') AS refund_only, life_cycle(NULL, '2024-02-01') AS no_history, life_cycle(h, NULL) AS no_day, life_cycle(h, '2024-02-01', NULL) AS no_gap FROM one, unnest('{1}'::integer[]) GROUP BY h;
SELECT life_cycle_next_change(NULL, '2024-02-01') AS no_history, life_cycle_next_change(h, '2023-01-01') AS ahead, life_cycle_next_change(h, NULL) AS no_day FROM one;
-- What makes no life cycle is an error, also where there is no history.
CALL refused('SELECT life_cycle(h, ''2024-02-01'', -1) FROM one');
CALL refused('SELECT life_cycle(h, ''2024-02-01'', ''NaN'') FROM one');
CALL refused('SELECT life_cycle(h, ''2024-02-01'', new_days => -1) FROM one');
CALL refused('SELECT life_cycle(NULL, ''2024-02-01'', lapsed => ''Infinity'')');
CALL refused('SELECT life_cycle_next_change(h, ''2024-02-01'', slowing => 1e9) FROM one');

-- Many customers: those of cdnow, and made ones with gaps of 1 to 200 days, pauses and refunds.
CREATE TABLE public.bought AS SELECT customer_id AS customer, purchased_on AS day, amount FROM cdnow WHERE customer_id % 40 = 0;
INSERT INTO public.bought
SELECT 100000 + c, date '1996-01-01' + c % 90 + n * (1 + c * 13 % 200) + CASE WHEN n > c % 7 THEN c * 31 % 900 ELSE 0 END, CASE WHEN (c + n) % 11 = 0 THEN -5 ELSE 10 END
FROM generate_series(1, 120) AS c, generate_series(0, c % 9) AS n;
CREATE TABLE public.customer AS SELECT customer, purchase_history(day, amount) AS h FROM bought GROUP BY customer;
CREATE TABLE public.rules AS SELECT * FROM (VALUES (1, 60.0, 30, 60, 2.0, 4.0), (2, 20.0, 1, 400, 1.0, 1.5), (3, 0.0, 0, 0, 4.0, 3.0), (4, 365.0, 200, 30, 1.0, 1.0)) AS v (rule, gap, new_days, back_days, slowing, lapsed);
-- The twin: from the rows, without the extension.
CREATE FUNCTION pg_temp.twin(customer bigint, as_of date, gap float8, new_days integer, back_days integer, slowing float8, lapsed float8) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  days date[];
  silence integer;
  rhythm float8;
  was_back boolean := false;
BEGIN
  SELECT array_agg(DISTINCT b.day ORDER BY b.day) INTO days FROM public.bought AS b WHERE b.customer = twin.customer AND b.day <= as_of AND b.amount >= 0;
  IF days IS NULL THEN
    RETURN 'prospect';
  END IF;
  FOR i IN 2 .. cardinality(days) LOOP
    -- Whether it had lapsed on the day before it bought.
    IF as_of < days[i] + back_days AND days[i] - 1 - days[i - 1] > lapsed * ((days[i - 1] - days[1] + gap) / (i - 1)) THEN
      was_back := true;
    END IF;
  END LOOP;
  silence := as_of - days[cardinality(days)];
  rhythm := (days[cardinality(days)] - days[1] + gap) / cardinality(days);
  RETURN CASE WHEN as_of < days[1] + new_days THEN 'new' WHEN was_back THEN 'reactivated' WHEN silence > lapsed * rhythm THEN 'lapsed' WHEN silence > slowing * rhythm THEN 'slowing' ELSE 'active' END;
END
$$;
SELECT r.rule, count(*) AS compared, count(*) FILTER (WHERE t.code IS DISTINCT FROM pg_temp.twin(t.customer, t.day, r.gap, r.new_days, r.back_days, r.slowing, r.lapsed)) AS differ,
  string_agg(DISTINCT t.code, ' ' ORDER BY t.code) AS codes
FROM rules AS r CROSS JOIN LATERAL (
  SELECT c.customer, d::date AS day, life_cycle(c.h, d::date, r.gap, r.new_days, r.back_days, r.slowing, r.lapsed) AS code
  FROM customer AS c, generate_series('1995-12-01', '2000-06-30', interval '17 days') AS d) AS t
GROUP BY r.rule ORDER BY r.rule;
-- The next change, by asking the code on every day: the first day with another code, or a purchase day before it.
CREATE TABLE public.code_of AS
SELECT r.rule, c.customer, d::date AS day, life_cycle(c.h, d::date, r.gap, r.new_days, r.back_days, r.slowing, r.lapsed) AS code,
  EXISTS (SELECT FROM bought AS b WHERE b.customer = c.customer AND b.day = d::date AND b.amount >= 0) AS buys
FROM rules AS r, customer AS c, generate_series('1995-12-20', '2000-12-31', interval '1 day') AS d WHERE c.customer % 7 = 0;
CREATE TABLE public.change_of AS
SELECT t.*, min(t.day) FILTER (WHERE t.moves) OVER (PARTITION BY t.rule, t.customer ORDER BY t.day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next
FROM (SELECT c.*, c.buys OR c.code IS DISTINCT FROM lag(c.code) OVER (PARTITION BY c.rule, c.customer ORDER BY c.day) AS moves FROM code_of AS c) AS t;
SELECT r.rule, count(*) AS days_asked, count(t.next) AS changes_ahead, count(*) FILTER (WHERE n.told IS DISTINCT FROM t.next AND (t.next IS NOT NULL OR n.told <= '2000-12-31')) AS differ
FROM change_of AS t JOIN rules AS r USING (rule) JOIN customer AS c USING (customer)
CROSS JOIN LATERAL (SELECT life_cycle_next_change(c.h, t.day, r.gap, r.new_days, r.back_days, r.slowing, r.lapsed) AS told OFFSET 0) AS n
WHERE t.day - date '1995-12-20' < 1700 AND (t.day - date '1995-12-20') % 5 = 0
GROUP BY r.rule ORDER BY r.rule;
SELECT count(*) AS not_ahead FROM customer AS c, generate_series('1996-01-01', '1999-12-31', interval '11 days') AS d WHERE life_cycle_next_change(c.h, d::date) <= d::date;

-- In a workspace: the codes are those of the function, with the median gap; each comes up; every one has a name.
SELECT create_workspace('crm', time_zone => 'UTC');
SELECT configure_workspace('crm', '{"source_silence": "off", "purchase_family": "bg_nbd", "life_cycle_back": "90 days"}');
CREATE SCHEMA life;
CREATE TABLE life.orders AS SELECT customer AS customer_id, day AS ordered_on, amount FROM bought UNION ALL SELECT 1, date '1998-06-01', -1 UNION ALL SELECT 2, date '1998-03-20', 10;
SELECT add_source('crm', 'purchases', 'life.orders');
CALL refresh('crm', '1998-03-31');
SELECT p.life_cycle_gap = (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY mean_gap(h, '1998-03-31')) FROM customer) AS median_gap, p.readiness -> 'life_cycle' AS reason FROM crm.parameter_set AS p;
CREATE VIEW life.differ AS
SELECT count(*) AS customers, count(*) FILTER (WHERE c.life_cycle IS DISTINCT FROM life_cycle(f.history, w.as_of, p.life_cycle_gap, 30, 90, 2, 4)) AS differ,
  count(*) FILTER (WHERE c.next_change_at > life_cycle_next_change(f.history, w.as_of, p.life_cycle_gap, 30, 90, 2, 4) OR c.next_change_at IS NULL AND life_cycle_next_change(f.history, w.as_of, p.life_cycle_gap, 30, 90, 2, 4) IS NOT NULL) AS too_late
FROM crm.customer_segments AS c JOIN crm.customer_facts AS f USING (customer) CROSS JOIN crm.workspace AS w JOIN crm.parameter_set AS p ON p.parameter_set = c.parameter_set;
TABLE life.differ;
SELECT life_cycle, count(*) > 0 AS some, workspace_label('life_cycle', life_cycle) AS en, workspace_label('life_cycle', life_cycle, 'fr') AS fr FROM crm.customer_segments GROUP BY 1 ORDER BY 1;
-- Words for each code, in both languages; the day on which it changes is that of the function.
SELECT DISTINCT ON (c.life_cycle, l) c.life_cycle, l AS language, e.explanation, e.changes_on IS NOT DISTINCT FROM life_cycle_next_change(f.history, '1998-03-31', p.life_cycle_gap, 30, 90, 2, 4) AS day_told
FROM crm.customer_segments AS c JOIN crm.customer_facts AS f USING (customer) JOIN crm.parameter_set AS p USING (parameter_set) CROSS JOIN unnest('{en,fr}'::text[]) AS l, explain('crm', c.customer::text, 'life_cycle', l) AS e
ORDER BY c.life_cycle, l, c.customer;
SELECT numbers FROM explain('crm', '100001', 'life_cycle');
-- Day by day: who moves was due.
CREATE TABLE life.day (day date, moved bigint, not_due bigint, differ bigint);
DO $$
BEGIN
  FOR n IN 1 .. 30 LOOP
    CREATE TEMP TABLE was AS SELECT customer, life_cycle, next_change_at FROM crm.customer_segments;
    CALL segmentation.refresh_changed('crm', date '1998-03-31' + n);
    INSERT INTO life.day SELECT date '1998-03-31' + n, count(*) FILTER (WHERE w.life_cycle <> c.life_cycle), count(*) FILTER (WHERE w.life_cycle <> c.life_cycle AND (w.next_change_at <= date '1998-03-31' + n) IS NOT TRUE), (SELECT differ FROM life.differ)
    FROM crm.customer_segments AS c JOIN was AS w USING (customer);
    DROP TABLE was;
  END LOOP;
END
$$;
SELECT count(*) AS days, sum(moved) > 10 AS moved, sum(not_due) AS not_due, sum(differ) AS differ FROM life.day;
-- In the views, the movements, and the definitions of segments.
CALL refresh_views('crm');
SELECT code, label, customers = (SELECT count(*) FROM crm.customer_segments WHERE life_cycle = code) AS all_of_them FROM crm.bi_segment_size WHERE axis = 'life_cycle' ORDER BY code;
SELECT count(*) > 0 AS moved FROM movements('crm', '1998-03-31', '1998-04-30', 'life_cycle') WHERE from_code <> to_code;
SELECT p.code, p.customers = (SELECT count(*) FROM crm.customer_segments WHERE life_cycle = 'lapsed') AS the_lapsed
FROM workspace_segment_preview('crm', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "life_cycle_code", "=": "lapsed"}}]}') AS p WHERE p.code = 'yes';
CALL refused('SELECT configure_workspace(''crm'', ''{"life_cycle_new": "0 days", "life_cycle_lapsed": 0.5}'')');
-- Too few who bought twice: no rhythm.
SELECT configure_workspace('crm', '{"minimum_repeaters": 100000}');
CALL refresh('crm', '1998-05-01', true);
SELECT DISTINCT life_cycle FROM crm.customer_segments;
SELECT explanation FROM explain('crm', '100001', 'life_cycle');
-- A workspace that was made before the axis was: upgrade_workspace gives it the columns.
SELECT configure_workspace('crm', '{"minimum_repeaters": 30}');
DROP VIEW life.differ;
ALTER TABLE crm.customer_segments DROP COLUMN life_cycle CASCADE;
ALTER TABLE crm.parameter_set DROP COLUMN life_cycle_gap;
UPDATE crm.parameter_set SET readiness = readiness - 'life_cycle';
SELECT upgrade_workspace('crm');
SELECT DISTINCT life_cycle FROM crm.customer_segments;
SELECT status, detail FROM workspace_check('crm') WHERE item = 'axis life_cycle';
-- Nothing is lost meanwhile, and the next training knows it.
CALL refresh_changed('crm', '1998-05-02');
CALL refresh('crm', '1998-05-03', true);
SELECT life_cycle, count(*) > 0 AS some FROM crm.customer_segments GROUP BY 1 ORDER BY 1;
CALL refresh_views('crm');
SELECT count(*) AS codes FROM crm.bi_segment_size WHERE axis = 'life_cycle';
SELECT drop_workspace('crm', cascade => true);
DROP SCHEMA life CASCADE;
DROP TABLE one, bought, customer, rules, code_of, change_of;
