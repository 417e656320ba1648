-- What must not be published, and the way back when it was: days ahead, sources that stopped, restart_workspace; and what
-- of others goes with a workspace.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT count(*) > 10 AS made FROM simulate_shop('shop', 300, seed => 3, options => '{"contacts": false, "interactions": false}');
DELETE FROM shop.orders WHERE ordered_on > '2025-10-31';
SELECT create_workspace(w, 'bigint', 'UTC'), configure_workspace(w, '{"retrain_after": "60 days"}'),
  add_source(w, 'purchases', 'shop.orders') IS NOT NULL AND add_source(w, 'customers', 'shop.customers') IS NOT NULL AS sources,
  register_segment(w, 'vip', '{"kind": "rules", "default": "no", "segments": [{"segment": "vip", "when": {"field": "turnover", ">=": 300}}]}')
FROM unnest('{far,twin}'::text[]) AS w;

-- A day that has not come is refused, also the next one and in a workspace that was never refreshed; and taken if meant.
SELECT (now() AT TIME ZONE 'UTC')::date + 1 AS tomorrow \gset
CALL refresh('far', '9999-12-31');
\set VERBOSITY sqlstate
CALL refresh('far', :'tomorrow');
\set VERBOSITY terse
CALL run_due('far', '9999-12-31');
SELECT as_of IS NULL AS nothing FROM far.workspace;
CALL refresh('far', '2025-09-30');
\set VERBOSITY sqlstate
CALL refresh_changed('far', :'tomorrow');
\set VERBOSITY terse
CALL refresh_changed('far', '9999-12-31');
SELECT as_of FROM far.workspace;

-- This shop never stood still for more than three days. A week is no pause; after that a refresh holds, whoever calls it,
-- and nothing is published.
CALL refresh('twin', '2025-09-30');
CALL refresh('far', '2025-10-31', false);
CALL refresh('twin', '2025-10-31', false);
SELECT start_capture(w, 'purchases', 'shop.orders'), start_capture(w, 'customers', 'shop.customers') FROM unnest('{far,twin}'::text[]) AS w;
CALL refresh_changed('far', '2025-11-07');
CALL refresh_changed('far', '2025-11-08');
CALL refresh('far', '2025-11-08', false);
CALL run_due('far', '2025-11-08');
CALL run_due('far', '2025-12-15');
SELECT as_of, parameter_set FROM far.workspace;
SELECT phase, status, detail FROM far.refresh_log WHERE status = 'failed' ORDER BY refresh;
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL refresh_changed('far', '2025-11-08');
\set VERBOSITY terse
-- The error handed the lock back. Where it would be caught, the call fails before it takes one.
DO $$ BEGIN CALL segmentation.refresh('far', '2025-11-08'); EXCEPTION WHEN OTHERS THEN RAISE INFO '% %', SQLSTATE, SQLERRM; END $$;
DO $$ BEGIN CALL segmentation.refresh_changed('far', '2025-11-08'); EXCEPTION WHEN OTHERS THEN RAISE INFO '% %', SQLSTATE, SQLERRM; END $$;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
-- The lock by itself: it outlives a commit and a rolled back savepoint, not an aborted transaction, nor DISCARD ALL.
SELECT segmentation_internal.workspace_take_lock(1, true), segmentation_internal.workspace_take_lock(1, true);
BEGIN; SAVEPOINT s; SELECT 1 / 0; ROLLBACK TO s; COMMIT;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT segmentation_internal.workspace_release_lock(1, true), segmentation_internal.workspace_release_lock(2, true);
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT 1 / 0;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT segmentation_internal.workspace_take_lock(1, false);
SELECT pg_advisory_unlock_all();
SELECT 1 / 0;
SELECT segmentation_internal.workspace_release_lock(1, false);
-- What waits in the queue counts as well.
INSERT INTO shop.orders (order_id, customer_id, ordered_on, ordered_at, amount, channel) VALUES (-1, 1, '2025-11-07', '2025-11-07 12:00+00', 10, 'web');
CALL refresh_changed('far', '2025-11-08');
SELECT as_of FROM far.workspace;
-- A setting instead; a shop that seldom sells has another rhythm; too few purchases are none.
CALL refused('SELECT configure_workspace(''far'', ''{"source_silence": "soon"}'')');
CALL refused('SELECT configure_workspace(''far'', ''{"source_silence": "1 hour"}'')');
CALL refused('SELECT configure_workspace(''far'', ''{"source_silence": null}'')');
SELECT configure_workspace('far', '{"source_silence": "10 days"}');
CALL refresh_changed('far', '2025-11-17');
CALL refresh_changed('far', '2025-11-18');
SELECT configure_workspace('far', '{"source_silence": "auto"}');
CREATE TABLE seldom (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO seldom SELECT n % 5, date '2024-01-01' + n * 30, 100 FROM generate_series(0, 20) AS n;
SELECT create_workspace('seldom', 'bigint', 'UTC'), add_source('seldom', 'purchases', 'seldom') IS NOT NULL AS source;
CALL refresh('seldom', '2025-10-22');
CALL refresh('seldom', '2025-10-23');
DELETE FROM seldom WHERE ordered_on > '2024-04-01';
CALL refresh('seldom', '2025-10-23');
SELECT drop_workspace('seldom');

-- The accident: it was said to be meant. Everybody is lost, and a set that nobody could test stays out of use.
CALL refresh('far', '2025-12-15', true, despite_silence => true);
CALL refresh('far', '2026-03-31', true, despite_silence => true);
SELECT status, note FROM far.parameter_set ORDER BY parameter_set DESC LIMIT 1;
CALL refresh('far', '9999-12-30', false, ahead => true, despite_silence => true);
\set VERBOSITY sqlstate
CALL refresh('far');
\set VERBOSITY terse
SELECT count(*) > 200 AS gone FROM far.customer_segments WHERE churn IN ('high', 'lost');
SELECT override_segment('far', 'vip', '5', 'vip', 'a friend of the house');
-- And back. The twin never went further than 2025-10-31.
CALL refused('SELECT restart_workspace(''far'', ''2025-09-29'')');
CALL refused('SELECT restart_workspace(''far'', ''9999-12-31'')');
CALL refused('SELECT restart_workspace(''far'', ''2025-10-31'', 99)');
CALL refused('SELECT restart_workspace(''far'', NULL, 1)');
CALL refused('SELECT restart_workspace(''nowhere'')');
SELECT restart_workspace('far', '2025-10-31') > 300 AS moved_back;
SELECT as_of, parameter_set FROM far.workspace;
SELECT parameter_set, as_of, status, note FROM far.parameter_set ORDER BY parameter_set;
SELECT phase, status, as_of FROM far.refresh_log ORDER BY refresh DESC LIMIT 1;
CREATE FUNCTION differ() RETURNS TABLE (codes bigint, history bigint, overlaps bigint, events_after bigint) LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM (SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM far.customer_segments) AS f
          FULL JOIN (SELECT customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments, since FROM twin.customer_segments) AS t USING (customer)
          WHERE f IS DISTINCT FROM t),
    (SELECT count(*) FROM ((TABLE far.membership_history EXCEPT TABLE twin.membership_history) UNION ALL (TABLE twin.membership_history EXCEPT TABLE far.membership_history)) AS h),
    (SELECT count(*) FROM far.membership_history AS h JOIN far.membership_history AS o USING (customer, axis)
     WHERE o.valid_from > h.valid_from AND (h.valid_to IS NULL OR h.valid_to > o.valid_from)),
    (SELECT count(*) FROM far.events AS e WHERE e.as_of > (SELECT as_of FROM far.workspace))
$$;
-- The codes are those of the day at once; after a refresh, with the override and the order that came meanwhile, those of the twin.
SELECT * FROM differ();
SELECT override_segment('twin', 'vip', '5', 'vip', 'a friend of the house');
CALL refresh('twin', '2025-10-31', false);
CALL refresh('far', '2025-10-31');
SELECT * FROM differ();
SELECT count(*) AS differ FROM (SELECT customer, next_change_at FROM far.customer_segments) AS f FULL JOIN (SELECT customer, next_change_at FROM twin.customer_segments) AS t USING (customer) WHERE f IS DISTINCT FROM t;
-- Both go on alike.
CALL refresh('far', '2025-11-12', false);
CALL refresh('twin', '2025-11-12', false);
SELECT * FROM differ();
-- refresh_changed does it too.
SELECT restart_workspace('far', '2025-10-31') > 0 AS moved_back, restart_workspace('twin', '2025-10-31') > 0 AS twin_moved_back;
CALL refresh_changed('far', '2025-10-31');
CALL refresh('twin', '2025-10-31', false);
SELECT * FROM differ();
-- The set that was taken back can be asked for by number.
SELECT restart_workspace('far', '2025-10-31', 2);
SELECT parameter_set FROM far.workspace;
-- Without a day memberships begin anew; what people wrote down stays.
SELECT restart_workspace('far') > 300 AS moved_back;
SELECT as_of, parameter_set FROM far.workspace;
SELECT (SELECT count(*) FROM far.customer_segments) AS codes, (SELECT count(*) FROM far.membership_history) AS history, (SELECT count(*) FROM far.events) AS events,
  (SELECT count(*) FROM far.segment) AS segments, (SELECT count(*) FROM far.segment_override) AS overrides, (SELECT count(*) FROM far.source) AS sources, (SELECT count(*) FROM far.setting) AS settings;
CALL refused('SELECT restart_workspace(''far'')');
CALL refresh('far', '2025-10-31');
SELECT count(DISTINCT valid_from) AS days, min(valid_from) AS first FROM far.membership_history;

-- Only the owner.
CREATE ROLE back_stranger;
SET ROLE back_stranger;
CALL public.refused('SELECT segmentation.restart_workspace(''far'')');
CALL public.refused('SELECT segmentation.drop_workspace(''far'', cascade => true)');
RESET ROLE;

-- A view that a later version makes otherwise: refused while others depend on it, else made anew with its grants and rows.
CALL refresh_views('far');
SELECT segmentation_internal.workspace_stale_views('far');
SELECT upgrade_workspace('far');
DROP MATERIALIZED VIEW far.bi_reach, far.bi_segment_size;
CREATE MATERIALIZED VIEW far.bi_segment_size AS SELECT axis, code, count(*) AS customers FROM far.membership_history GROUP BY 1, 2;
GRANT SELECT ON far.bi_segment_size TO back_stranger;
CREATE SCHEMA analyst;
CREATE VIEW analyst.sizes AS SELECT * FROM far.bi_segment_size;
SELECT segmentation_internal.workspace_stale_views('far');
CALL refused('SELECT upgrade_workspace(''far'')');
SELECT count(*) FROM pg_attribute WHERE attrelid = 'far.bi_segment_size'::regclass AND attname = 'label';
DROP SCHEMA analyst CASCADE;
SELECT upgrade_workspace('far');
SELECT segmentation_internal.workspace_stale_views('far'), has_table_privilege('back_stranger', 'far.bi_segment_size', 'SELECT') AS granted, (SELECT count(*) > 0 FROM far.bi_segment_size WHERE label <> '') AS filled,
  to_regclass('far.bi_reach') IS NOT NULL AS made;

-- What others made of it is not dropped with it: refused, with the list.
CREATE SCHEMA analyst;
CREATE VIEW analyst.lost AS SELECT customer FROM far.customer_segments WHERE churn = 'lost';
CREATE VIEW analyst.lost_number AS SELECT count(*) FROM analyst.lost;
CREATE MATERIALIZED VIEW analyst.kept AS SELECT * FROM analyst.lost_number;
CREATE FUNCTION analyst.customers() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM far.customer_facts; END;
CREATE TABLE analyst.note (customer bigint REFERENCES far.customer_segments, entered far.events, number integer DEFAULT nextval('far.refresh_number'));
CREATE POLICY known ON analyst.note USING (EXISTS (SELECT FROM far.segment));
SET client_min_messages = error;
CREATE PUBLICATION back_events FOR TABLE far.events;
SET client_min_messages = warning;
CREATE VIEW far.mine AS SELECT 1 AS one;
GRANT CREATE, USAGE ON SCHEMA far TO back_stranger;
SET ROLE back_stranger;
CREATE TABLE far.of_a_stranger (n integer);
RESET ROLE;
CREATE TEMP VIEW of_this_session AS SELECT * FROM far.customer_segments;
\set VERBOSITY default
SELECT drop_workspace('far');
\set VERBOSITY terse
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND NOT tgisinternal;
SELECT count(*) AS still FROM analyst.lost_number;
SELECT drop_workspace('far', cascade => true);
SELECT to_regnamespace('far') IS NULL AS gone, to_regclass('analyst.lost') IS NULL AS view_gone, (SELECT count(*) FROM pg_attribute WHERE attrelid = 'analyst.note'::regclass AND attnum > 0 AND NOT attisdropped) AS columns;
DROP SCHEMA analyst CASCADE;
DROP PUBLICATION back_events;
DROP ROLE back_stranger;
SELECT drop_workspace('twin');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND NOT tgisinternal;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
DROP SCHEMA shop CASCADE;
DROP TABLE seldom;
