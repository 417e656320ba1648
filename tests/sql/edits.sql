-- The history of edits: everything that changes a definition or a setting, by whom, and nothing else.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE PROCEDURE pg_temp.refused(statement text) LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RAISE WARNING 'not refused: %', statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | % | %', SQLSTATE, message, detail, hint;
END
$$;
CREATE ROLE edits_owner;
CREATE ROLE edits_member IN ROLE edits_owner;
CREATE ROLE edits_reader;
CREATE ROLE edits_stranger;
SELECT format('GRANT CREATE ON DATABASE %I TO edits_owner', current_database()) \gexec
GRANT CREATE ON SCHEMA public TO edits_owner;
SET ROLE edits_owner;
CREATE TABLE public.edits_orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO edits_orders SELECT n % 40, date '2026-01-01' + n % 90, 10 + n % 7 FROM generate_series(1, 400) AS n;
SELECT create_workspace('edited', time_zone => 'UTC');
SELECT count(*) AS nothing_yet FROM workspace_edits('edited');

-- Settings: one call, several edits; what is the same again is none.
SELECT configure_workspace('edited', '{"churn_horizon": "60 days", "minimum_buyers": 10}');
SELECT configure_workspace('edited', '{"churn_horizon": "60 days", "minimum_buyers": 20}');
-- Sources and mappings; capture; a member of the owner's role says that it was them.
SELECT add_source('edited', 'purchases', 'edits_orders');
SELECT add_source('edited', 'purchases', 'edits_orders');
RESET ROLE;
SET ROLE edits_member;
SELECT add_source('edited', 'purchases', 'edits_orders', '{"amount": "amount * 2"}') ->> 'amount' AS amount;
RESET ROLE;
SET ROLE edits_owner;
SELECT start_capture('edited', 'purchases', 'edits_orders');
SELECT register_segment('edited', 'vip', '{"kind": "rules", "segments": [{"segment": "vip", "when": {"field": "monetary", ">=": 1000}}]}', 'the best');
SELECT register_segment('edited', 'vip', '{"kind": "rules", "segments": [{"segment": "vip", "when": {"field": "monetary", ">=": 900}}]}', 'the best');
SELECT override_segment('edited', 'vip', '7', 'vip', 'met at the fair'), override_segment('edited', 'vip', '8', NULL);
SELECT override_segment('edited', 'vip', '7', NULL, 'left the country');
SELECT workspace_target('edited', 'again', '{"buys": true}', '30 days');
INSERT INTO edited.currency_rate VALUES ('USD', '2026-01-01', 0.9), ('GBP', '2026-01-01', 1.1);
UPDATE edited.currency_rate SET rate = rate * 2 WHERE currency = 'USD';
DELETE FROM edited.currency_rate;
-- No edits: refreshes, what a source was read up to, a change of a column that is none.
SELECT count(*) AS edits FROM workspace_edits('edited') \gset
CALL refresh('edited', '2026-04-03');
INSERT INTO edits_orders VALUES (3, '2026-04-03', 12);
CALL refresh_changed('edited', '2026-04-04');
UPDATE edited.source SET watermark = 'x', seen = 'y';
SELECT count(*) - :edits AS none FROM workspace_edits('edited');
SELECT drop_workspace_target('edited', 'again');
-- A cascade takes the overrides along, and says so.
SELECT unregister_segment('edited', 'vip');
SELECT remove_source('edited', 'purchases', 'edits_orders');
SELECT session_role = session_user AS mine, acting_role, kind, action, name, customer, before, after FROM workspace_edits('edited') WHERE kind <> 'source';
SELECT acting_role, action, name, before - 'mapping' AS before, after - 'mapping' AS after, before #>> '{mapping,amount}' AS amount_before, after #>> '{mapping,amount}' AS amount_after FROM workspace_edits('edited') WHERE kind = 'source';
-- Since a moment; numbers and days go on.
SELECT count(*) AS later FROM workspace_edits('edited', clock_timestamp());
SELECT bool_and(edited_at >= before) AS in_order FROM (SELECT edited_at, lag(edited_at) OVER (ORDER BY edit) AS before FROM edited.edit_log) AS e;

-- A million is one statement.
SELECT register_segment('edited', 'vip', '{"kind": "rules", "segments": [{"segment": "vip", "when": {"field": "monetary", ">=": 1000}}]}');
INSERT INTO edited.segment_override SELECT 'vip', n, 'vip', 'list' FROM generate_series(1, 20000) AS n;
UPDATE edited.segment_override SET reason = 'the other list' WHERE customer % 2 = 0;
UPDATE edited.segment_override SET set_at = now();
DELETE FROM edited.segment_override WHERE customer > 10;
SELECT action, count(*), count(DISTINCT customer) AS customers FROM edited.edit_log WHERE kind = 'override' AND customer IS NOT NULL GROUP BY action ORDER BY action;
-- Erased, nobody is in it any more.
SELECT count(*) > 0 AS there FROM workspace_edits('edited') WHERE customer = '9';
DELETE FROM edits_orders;
SELECT erase_customer('edited', '9') -> 'edit_log' AS rows;
SELECT count(*) AS left_of_them FROM workspace_edits('edited') WHERE customer = '9';

-- Who may read it: whom its owner lets. Nobody else writes, nor says who it was.
GRANT USAGE ON SCHEMA edited TO edits_reader;
GRANT SELECT ON edited.edit_log TO edits_reader;
RESET ROLE;
SET ROLE edits_reader;
SELECT count(*) > 0 AS reads FROM workspace_edits('edited');
CALL pg_temp.refused($$INSERT INTO edited.edit_log (kind, action, name) VALUES ('setting', 'changed', 'churn_horizon')$$);
CALL pg_temp.refused($$DELETE FROM edited.edit_log$$);
RESET ROLE;
SET ROLE edits_stranger;
CALL pg_temp.refused($$SELECT * FROM workspace_edits('edited')$$);
CALL pg_temp.refused($$SELECT * FROM workspace_edits('no such')$$);
RESET ROLE;
-- One who may write a table, and not the log, is told what is missing. With it, the name is still the own.
SET ROLE edits_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON edited.segment_override TO edits_reader;
RESET ROLE;
SET ROLE edits_reader;
CALL pg_temp.refused($$INSERT INTO edited.segment_override VALUES ('vip', 77, 'vip')$$);
RESET ROLE;
SET ROLE edits_owner;
GRANT INSERT (kind, action, name, customer, before, after) ON edited.edit_log TO edits_reader;
RESET ROLE;
SET ROLE edits_reader;
INSERT INTO edited.segment_override VALUES ('vip', 77, 'vip', 'by the reader');
SELECT acting_role, kind, action, customer, after FROM workspace_edits('edited') LIMIT 1;
CALL pg_temp.refused($$INSERT INTO edited.edit_log (kind, action, name, acting_role) VALUES ('setting', 'changed', 'x', 'edits_owner')$$);
CALL pg_temp.refused($$INSERT INTO edited.edit_log (kind, action, name, edited_at) VALUES ('setting', 'changed', 'x', '2020-01-01')$$);
-- Paths of the session lead nowhere.
CREATE TEMP TABLE edit_log (LIKE edited.edit_log);
CREATE TEMP TABLE edit_after (segment text, customer bigint, code text, reason text);
SET search_path = pg_temp, public, segmentation;
DELETE FROM edited.segment_override WHERE customer = 77;
SET search_path = segmentation, public;
SELECT acting_role, kind, action, customer FROM workspace_edits('edited') LIMIT 1;
RESET ROLE;

-- A name that nobody expects, a key of text; a destination comes later, and is noted.
SET ROLE edits_owner;
CREATE TABLE public.edits_people (customer_id text, ordered_on date, amount numeric, email text);
INSERT INTO edits_people SELECT 'p' || n % 9, date '2026-01-01' + n, 10, 'p@example.com' FROM generate_series(1, 50) AS n;
SELECT create_workspace('it''s "a" shop', time_zone => 'UTC');
SELECT add_source('it''s "a" shop', 'purchases', 'edits_people') ->> 'customer' AS customer;
SELECT register_segment('it''s "a" shop', 'vip', '{"kind": "rules", "segments": [{"segment": "vip", "when": {"field": "monetary", ">=": 1}}]}');
SELECT override_segment('it''s "a" shop', 'vip', 'p''1', 'vip');
CALL refresh('it''s "a" shop', '2026-02-20');
SELECT add_destination('it''s "a" shop', 'mail', 'csv', '{"channel": null, "audience": "all", "key": {"field": "customer", "as": "id"}, "fields": [{"field": "rfm", "as": "rfm"}]}');
SELECT kind, action, name, customer FROM workspace_edits('it''s "a" shop');
SELECT drop_workspace('it''s "a" shop'), drop_workspace('edited');
-- A workspace of before has none until it is upgraded, then all of them.
SELECT create_workspace('old', key_type => 'bigint', time_zone => 'UTC');
DROP TABLE old.edit_log;
DROP TRIGGER edit_insert ON old.setting;
CALL pg_temp.refused($$SELECT * FROM workspace_edits('old')$$);
RESET ROLE;
SET ROLE edits_member;
SELECT upgrade_workspace('old');
RESET ROLE;
SET ROLE edits_owner;
SELECT configure_workspace('old', '{"language": "fr"}');
SELECT kind, action, name, before, after FROM workspace_edits('old');
SELECT count(*) AS without_comment FROM pg_attribute AS a WHERE a.attrelid = 'old.edit_log'::regclass AND a.attnum > 0 AND a.attname IN ('session_role', 'kind', 'before') AND col_description(a.attrelid, a.attnum) IS NULL;
SELECT drop_workspace('old');
DROP TABLE public.edits_orders, public.edits_people;
RESET ROLE;
DROP OWNED BY edits_owner, edits_reader;
DROP ROLE edits_owner, edits_member, edits_reader, edits_stranger;
