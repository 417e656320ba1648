-- Hostile input: a clean error each time, never a crash. (refused marks internal errors and Rust's own words.)
SET search_path = segmentation, public;

-- Text that is no purchase_history.
CALL refused('SELECT ''''::purchase_history');
CALL refused('SELECT ''{''::purchase_history');
CALL refused('SELECT ''}''::purchase_history');
CALL refused('SELECT ''{}}''::purchase_history');
CALL refused('SELECT ''{{}}''::purchase_history');
CALL refused('SELECT ''{,}''::purchase_history');
CALL refused('SELECT ''{2024-01-01}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:1:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:1,}''::purchase_history');
CALL refused('SELECT ''{2024-02-30:1:1}''::purchase_history');
CALL refused('SELECT ''{0000-01-01:1:1}''::purchase_history');
CALL refused('SELECT ''{10000-01-01:1:1}''::purchase_history');
CALL refused('SELECT ''{infinity:1:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01::1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:-1:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:4294967296:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1.5:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:NaN}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:1e5}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:0.00001}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:922337203685477.5808}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:é}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:''''); DROP TABLE cdnow; --"}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:4000000000:1,2024-01-01:4000000000:1}''::purchase_history');
CALL refused('SELECT ''{2024-01-01:1:922337203685477,2024-01-01:1:922337203685477}''::purchase_history');
-- A million characters, of several kinds; the message shows a few of them.
CALL refused('SELECT repeat(''x'', 1000000)::purchase_history');
CALL refused('SELECT (''{'' || repeat(''9'', 1000000) || ''}'')::purchase_history');
CALL refused('SELECT (''{2024-01-01:1:'' || repeat(''9'', 1000000) || ''}'')::purchase_history');
CALL refused('SELECT (''{2024-01-01:'' || repeat(''1'', 1000000) || '':1}'')::purchase_history');
CALL refused('SELECT (''{'' || repeat('','', 1000000) || ''}'')::purchase_history');
CALL refused('SELECT (''{'' || repeat(''é'', 1000000) || ''}'')::purchase_history');
SELECT purchases(('{' || repeat('2024-01-01:1:0.01,', 100000) || '2024-01-02:1:5}')::purchase_history) AS a_long_good_one;

-- Text that is no rfm_values and no turnover_values.
CALL refused('SELECT ''''::rfm_values');
CALL refused('SELECT ''x''::rfm_values');
CALL refused('SELECT ''\x''::rfm_values');
CALL refused('SELECT ''\x0''::rfm_values');
CALL refused('SELECT ''\x01zz''::rfm_values');
CALL refused('SELECT ''\xé1''::rfm_values');
CALL refused('SELECT ''\x0200000000000000000000000000000000''::rfm_values');
CALL refused('SELECT ''\x010000000000000000ffffffffffffffff''::rfm_values');
CALL refused('SELECT ''\x0100000000000000000100000000000000000000000000f03f000000000000f03f000000000000f07f''::rfm_values');
CALL refused('SELECT (''\x'' || repeat(''00'', 500000))::rfm_values');
CALL refused('SELECT (''\x'' || repeat(''g'', 1000000))::rfm_values');
CALL refused('SELECT ''''::turnover_values');
CALL refused('SELECT ''\x''::turnover_values');
CALL refused('SELECT ''\x02''::turnover_values');
CALL refused('SELECT ''\x01ffffffffffffff1f''::turnover_values');
CALL refused('SELECT ''\x01010000000000000000''::turnover_values');
CALL refused('SELECT (''\x'' || repeat(''01'', 500000))::turnover_values');
-- An empty population is one, of nobody.
SELECT rfm_cuts('\x0100000000000000000000000000000000'::rfm_values) IS NULL AS no_cuts, pmg_cuts('\x010000000000000000'::turnover_values) IS NULL AS no_limits,
       gini('\x010000000000000000'::turnover_values) IS NULL AS no_gini, merge('\x010000000000000000'::turnover_values);

-- Bytes from a client: crafted messages through COPY BINARY into a column of each type.
CREATE TEMP TABLE message (bytes bytea);
CREATE TEMP TABLE received_purchase_history (v purchase_history);
CREATE TEMP TABLE received_rfm_values (v rfm_values);
CREATE TEMP TABLE received_turnover_values (v turnover_values);
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/hostile.bin'
SELECT set_config('test.file', :'file', false) = :'file' AS ready;
CREATE PROCEDURE pg_temp.receive(type text, bytes bytea) LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE message;
  INSERT INTO message VALUES (bytes);
  EXECUTE format('COPY message TO %L (FORMAT binary)', current_setting('test.file'));
  CALL refused(format('COPY received_%s FROM %L (FORMAT binary)', type, current_setting('test.file')));
END
$$;
CREATE PROCEDURE pg_temp.accept(type text, bytes bytea) LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE message;
  INSERT INTO message VALUES (bytes);
  EXECUTE format('COPY message TO %L (FORMAT binary)', current_setting('test.file'));
  EXECUTE format('COPY received_%s FROM %L (FORMAT binary)', type, current_setting('test.file'));
END
$$;
-- What is good is received.
CALL pg_temp.accept('purchase_history', '{2024-01-03:1:12.50}'::purchase_history::bytea);
SELECT v FROM received_purchase_history;
CALL pg_temp.receive('purchase_history', '');
CALL pg_temp.receive('purchase_history', '\x01');
CALL pg_temp.receive('purchase_history', '\x0106');
CALL pg_temp.receive('purchase_history', '\x00060000');
CALL pg_temp.receive('purchase_history', '\x02060000');
CALL pg_temp.receive('purchase_history', '\x01080000');
CALL pg_temp.receive('purchase_history', '\x01030000');
CALL pg_temp.receive('purchase_history', '\x0106000000');
-- The form of an aggregate's state is none that is stored.
CALL pg_temp.receive('purchase_history', '\x8000000000000000');
CALL pg_temp.receive('purchase_history', '\x80000000010000005c22000001000000480e010000000000');
-- Counts that promise more than there is, or more days than a calendar has.
CALL pg_temp.receive('purchase_history', '\x0106ffffffff0f00');
CALL pg_temp.receive('purchase_history', '\x0106ffffffffffffffffff0100');
CALL pg_temp.receive('purchase_history', '\x0106ffffffffffffffffff7f00');
CALL pg_temp.receive('purchase_history', '\x010501028089010000c413');
-- A first day, a span and a gap out of the calendar; a day twice.
CALL pg_temp.receive('purchase_history', '\x01050101feffffff0f0000c413');
CALL pg_temp.receive('purchase_history', '\x01050101ffffffffffffffffff010000c413');
CALL pg_temp.receive('purchase_history', '\x010501018089ffffffffffffffffff0100c413');
CALL pg_temp.receive('purchase_history', '\x01060202808901010000020202');
CALL pg_temp.receive('purchase_history', '\x0106020280890101000000020202');
-- An amount that does not fit its unit; not the shortest form; bytes left over; a wrong span.
CALL pg_temp.receive('purchase_history', '\x010601018089010000ffffffffffffffffff01');
CALL pg_temp.receive('purchase_history', '\x010401018089010000c801');
CALL pg_temp.receive('purchase_history', '\x010501018089010000c49300');
CALL pg_temp.receive('purchase_history', '\x010501018089010000c41300');
CALL pg_temp.receive('purchase_history', '\x010501018089010100c413');
CALL pg_temp.receive('purchase_history', '\x01010101808901000001c413');
-- Every truncation and every changed byte of a good one: refused, or a value that reads and writes itself.
CREATE FUNCTION pg_temp.received(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE message, received_purchase_history;
  INSERT INTO message VALUES (bytes);
  EXECUTE format('COPY message TO %L (FORMAT binary)', current_setting('test.file'));
  EXECUTE format('COPY received_purchase_history FROM %L (FORMAT binary)', current_setting('test.file'));
  RETURN (SELECT CASE WHEN v::text::purchase_history = v AND v::bytea = bytes AND until(v, 'infinity') = v AND purchases(v) >= 0 AND v::jsonb IS NOT NULL THEN 'good' ELSE 'BAD' END
          FROM received_purchase_history);
EXCEPTION WHEN invalid_binary_representation THEN
  RETURN SQLSTATE;
END
$$;
SELECT pg_temp.received(substr(history, 1, n)) AS truncated, count(*)
FROM (SELECT '{2024-01-03:1:12.50,2024-02-01:2:80.01,2024-02-10:0:-20,2024-03-01:1:0}'::purchase_history::bytea AS history) AS h, generate_series(0, length(history)) AS n
GROUP BY 1 ORDER BY 1;
SELECT sum(count(*)) OVER () AS changes, pg_temp.received(set_byte(history, n, b)) IN ('22P03', 'good') AS refused_or_good
FROM (SELECT '{2024-01-03:1:12.50,2024-02-01:2:80.01,2024-02-10:0:-20,2024-03-01:1:0}'::purchase_history::bytea AS history) AS h,
     generate_series(0, length(history) - 1) AS n, unnest('{0,1,2,3,4,127,128,129,254,255}'::integer[]) AS b GROUP BY 2 ORDER BY 2;
CALL pg_temp.receive('rfm_values', '');
CALL pg_temp.receive('rfm_values', '\x02');
CALL pg_temp.receive('rfm_values', '\x010000000000000000ffffffffffffffff');
CALL pg_temp.receive('rfm_values', '\x0100000000000000000100000000000000000000000000f87f000000000000f03f000000000000f03f');
CALL pg_temp.receive('turnover_values', '');
CALL pg_temp.receive('turnover_values', '\x00');
CALL pg_temp.receive('turnover_values', '\x01ffffffffffffff7f');
-- Not in order is put in order: the value does not depend on who wrote it.
CALL pg_temp.accept('turnover_values', '\x01020000000000000002000000000000000100000000000000');
SELECT v FROM received_turnover_values;

-- Support functions are there for aggregates; called by hand they refuse what is not theirs.
-- A history in its packed form is one already.
SELECT segmentation_internal.history_final('{2024-01-03:1:12.50}');
CALL refused('SELECT segmentation_internal.history_add(''{2024-01-03:1:12.50}'', date ''2024-01-01'', 1::numeric)');
CALL refused('SELECT segmentation_internal.history_absorb(''{2024-01-03:1:12.50}'', ''{2024-01-03:1:12.50}'')');
CALL refused('SELECT segmentation_internal.purchase_history_recv(NULL::internal), segmentation_internal.purchase_history_recv(''x''::internal)');
CALL refused('SELECT segmentation_internal.purchase_history_recv(''x''::text)');
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(''\x'', ''\x'')');
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(''\x00'', ''\x01'')');
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(''\xffffffff00'', ''\x00'')');
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(NULL, ''\x00000000'')');
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(NULL, (''\x00000000'' || repeat(''ff'', 1000000))::bytea)');
CALL refused('SELECT segmentation_internal.rfm_cuts_final(''\x''::bytea)');
CALL refused('SELECT segmentation_internal.rfm_cuts_final(''\x04000000ffffffff0100000000000000000000000000000000''::bytea)');
CALL refused('SELECT segmentation_internal.rfm_cuts_final(''\x030000007b22780100000000000000000000000000000000''::bytea)');
CALL refused('SELECT segmentation_internal.rfm_cuts_add(''\x'', 1, 1, 1::numeric, ''{}'')');
CALL refused('SELECT segmentation_internal.rfm_cuts_add(NULL, 1, 1, 1::numeric, ''{"x": 1}'')');
CALL refused('SELECT segmentation_internal.rfm_values_merge(''\x'', NULL)');
CALL refused('SELECT segmentation_internal.rfm_values_add(''\x00'', 1, 1, 1::numeric)');
CALL refused('SELECT segmentation_internal.pmg_cuts_merge(''\x'', ''\x'')');
CALL refused('SELECT segmentation_internal.pmg_cuts_final(''\x00000000''::bytea)');
CALL refused('SELECT segmentation_internal.pmg_cuts_add(''\xff'', 1, ''{}'')');
CALL refused('SELECT segmentation_internal.turnover_values_add(''\x'', 1)');
CALL refused('SELECT segmentation_internal.turnover_values_merge(''\x'', NULL)');
-- The state of one aggregate is not that of another, though both are bytea.
CALL refused('SELECT segmentation_internal.rfm_cuts_final(segmentation_internal.pmg_cuts_add(NULL, 1, ''{}''))');
CALL refused('SELECT segmentation_internal.pmg_cuts_final(segmentation_internal.rfm_cuts_add(NULL, 1, 1, 1::numeric, ''{}''))');
-- The same with values not known when planning: the state is then a value in memory, whose Rust type is checked.
CALL refused('SELECT segmentation_internal.pmg_cuts_final(segmentation_internal.rfm_cuts_add(NULL, n, n, n::numeric, ''{}'')) FROM generate_series(1, 3) AS n');
CALL refused('SELECT segmentation_internal.rfm_cuts_final(segmentation_internal.pmg_cuts_add(NULL, n, ''{}'')) FROM generate_series(1, 3) AS n');
CALL refused('SELECT segmentation_internal.rfm_cuts_final(segmentation_internal.prediction_quality_add(NULL, 0.5, n > 0)) FROM generate_series(1, 3) AS n');
-- Called rightly they are functions like others.
SELECT segmentation_internal.history_final(segmentation_internal.history_absorb(segmentation_internal.history_add(NULL, date '2024-01-01', 1::numeric), '{2024-01-02:1:2}')),
       segmentation_internal.history_add(NULL, NULL::date, 1::numeric) IS NULL AS nothing, segmentation_internal.history_absorb(NULL, NULL) IS NULL AS nothing_either,
       segmentation_internal.rfm_cuts_final(segmentation_internal.rfm_cuts_merge(segmentation_internal.rfm_cuts_add(NULL, 1, 1, 1::numeric, '{"bins": 2}'), segmentation_internal.rfm_cuts_add(NULL, 3, 1, 3::numeric, '{"bins": 2}'))) AS cuts;
CALL refused('SELECT segmentation_internal.rfm_cuts_merge(segmentation_internal.rfm_cuts_add(NULL, 1, 1, 1::numeric, ''{"bins": 2}''), segmentation_internal.rfm_cuts_add(NULL, 3, 1, 3::numeric, ''{"bins": 3}''))');
-- A state that escaped into a table is written as the history that it is; whatever reads more of it refuses it.
CREATE TEMP TABLE escaped AS SELECT segmentation_internal.history_add(NULL, date '2024-01-01', 1::numeric) AS history;
SELECT history::text FROM escaped;
CALL refused('SELECT purchases(history) FROM escaped');
CALL refused('SELECT rfm_score(history, ''2024-01-01'') OVER () FROM escaped');

-- Cut points that are none.
CREATE FUNCTION pg_temp.frozen(recency double precision[], frequency double precision[], monetary double precision[], bins smallint, rule text) RETURNS rfm LANGUAGE sql AS $$
  SELECT rfm_score(1, 1, 1::numeric, ROW(recency, frequency, monetary, bins, rule, 1, 1)::rfm_cuts)
$$;
CALL refused('SELECT pg_temp.frozen(NULL, NULL, NULL, NULL, NULL)');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', NULL, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', 2::smallint, NULL)');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', 2::smallint, ''Quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', 0::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', (-32768)::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', 32767::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{1}'', 3::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{}'', ''{1}'', ''{1}'', 2::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', NULL, ''{1}'', 2::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{NULL}'', ''{1}'', 2::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{NaN}'', 2::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{1}'', ''{1}'', ''{-Infinity}'', 2::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(''{2,1}'', ''{1,2}'', ''{1,2}'', 3::smallint, ''quantile'')');
CALL refused('SELECT pg_temp.frozen(array_fill(1::double precision, ''{1000000}''), ''{1}'', ''{1}'', 2::smallint, ''quantile'')');
SELECT rfm_score(1, 1, 1::numeric, NULL::rfm_cuts) AS null_cuts, rfm_score(1, 1, 1::numeric, ROW('[7:7]={1}', '{1}', '{1}', 2, 'quantile', NULL, NULL)::rfm_cuts) AS other_bounds;

-- Limits that are none leave a customer without class, not in a wrong one.
SELECT pmg_bucket(5, ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::pmg_cuts) AS all_null, pmg_bucket(5, ROW('x', -1, 9, NULL, 10, 0, 0, 0)::pmg_cuts) AS half_null;

-- Options: keys that are not known, types that are wrong, nesting.
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bins": 5, "unknown": 1}'')');
CALL refused('SELECT rfm_cuts(rfm_values(1, 1, 1), ''{"bins": -1}'')');
CALL refused('SELECT pmg_cuts(1, ''{"": ""}'')');
CALL refused('SELECT pmg_cuts(1, ''{"gros": -1}'')');
CALL refused('SELECT pmg_cuts(turnover_values(1), ''{"moyens": 2}'')');
CALL refused('SELECT simulate_options(''{"customers": 1}'')');
CALL refused('SELECT simulate_options(''[]'')');
CALL refused('SELECT simulate_options(''{"products": {"a": [1]}}'')');
-- An array is no object, and messages speak of JSON, not of Rust.
CALL refused('SELECT rfm_cuts(1, 1, 1, ''null'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bins": 99999999999999999999}'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''[]'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''[3, "r_rfm"]'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bins": "5"}'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"bins": 5.5}'')');
CALL refused('SELECT rfm_cuts(1, 1, 1, ''{"rule": ["r_rfm"]}'')');
CALL refused('SELECT pmg_cuts(1, ''{"gros": "0.1"}'')');

-- The types, states and values of the models.
CALL refused('SELECT ''''::purchase_cells');
CALL refused('SELECT ''x''::purchase_cells');
CALL refused('SELECT ''\x''::purchase_cells');
CALL refused('SELECT ''\x01''::purchase_cells');
CALL refused('SELECT (''\x'' || repeat(''ff'', 500000))::purchase_cells');
CALL refused('SELECT (''\x01'' || repeat(''ff'', 100))::purchase_cells');
CALL refused('SELECT (''\x01'' || repeat(''00'', 100))::purchase_cells');
CALL refused('SELECT ''\x''::spend_cells');
CALL refused('SELECT (''\x01'' || repeat(''ff'', 100))::spend_cells');
CALL refused('SELECT (''\x01'' || repeat(''00'', 100))::spend_cells');
CALL refused('SELECT segmentation_internal.prediction_quality_final(''\x'')');
CALL refused('SELECT segmentation_internal.prediction_quality_final((''\x01'' || repeat(''ff'', 100))::bytea)');
CALL refused('SELECT segmentation_internal.prediction_quality_merge(''\x00'', ''\x01'')');
CALL refused('SELECT prediction_quality(2, true)');
CALL refused('SELECT prediction_quality(''NaN'', true)');
CALL refused('SELECT churn_probability(''{}'', ''{}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT churn_probability(''null'', ''{}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT churn_probability(''[]'', ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT churn_probability(''{"kind": "purchase_model", "version": 1, "family": "bg_nbd", "unit": "1 week", "parameters": {"r": -1, "alpha": 0, "a": 1e308, "b": 1}}'', ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''infinity'')');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''{"x": 1}'')');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''[]'')');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''{"family": "x"}'')');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''{"unit": "x"}'')');
CALL refused('SELECT fit_purchase_model(h::purchase_history, ''2024-01-01'', o) FROM (VALUES (''{}'', ''{"family": "nbd"}''::jsonb), (''{}'', ''{"family": "bg_nbd"}'')) AS v (h, o)');
CALL refused('SELECT fit_spend_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''{"transactions": "x"}'')');
CALL refused('SELECT expected_spend(''{"kind":"spend_model"}'', ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'')');

-- Nested deeply, or too large: said as that, whatever reads it.
CREATE FUNCTION nested(depth integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT (repeat('[', depth) || repeat(']', depth))::jsonb $$;
CREATE FUNCTION keys(n integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, n) AS i $$;
CALL refused('SELECT simulate_options(nested(100))');
CALL refused('SELECT simulate_options(nested(101))');
CALL refused('SELECT simulate_options(nested(129))');
CALL refused('SELECT simulate_options(jsonb_build_object(''pure'', nested(5000)))');
CALL refused('SELECT * FROM simulate_orders(1, 1, 1, ''2023-01-01'', ''2025-12-31'', nested(129))');
CALL refused('SELECT churn_probability(nested(5000), ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT churn_probability(''{}''::jsonb, nested(5000))');
CALL refused('SELECT fit_churn_model(true, jsonb_build_object(''a'', nested(5000)))');
CALL refused('SELECT fit_purchase_model(''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', jsonb_build_object(''family'', nested(5000)))');
CALL refused('SELECT uplift(true, true, jsonb_build_object(''confidence'', nested(5000)))');
CALL refused('SELECT segment_assign(jsonb_build_object(''kind'', nested(5000)), ''{}''::jsonb, NULL::date)');
CALL refused('SELECT segment_assign((repeat(''{"kind": "rules", "segments": [{"segment": "a", "when": '', 1) || repeat(''{"not": '', 101) || ''{"field": "a", "=": 1}'' || repeat(''}'', 101) || ''}]}'')::jsonb, ''{}''::jsonb, NULL::date)');
CALL refused('SELECT (repeat(''['', 5000) || repeat('']'', 5000))::item_history');
CALL refused('SELECT uplift(true, true, keys(100000))');
CALL refused('SELECT rfm_cuts(1, 1, 1, keys(100000))');
CALL refused('SELECT churn_probability(to_jsonb(array_fill(1, ARRAY[1999999])), ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT churn_probability(to_jsonb(array_fill(1, ARRAY[2000000])), ''{2023-01-01:1:1}''::purchase_history, ''2024-01-01'', ''90 days'')');
CALL refused('SELECT segment_assign(jsonb_build_object(''kind'', ''benefits'', ''criteria'', (SELECT jsonb_agg(''c'' || n) FROM generate_series(1, 101) AS n), ''profiles'', ''[{"segment": "a", "weights": [1]}]''::jsonb), ''{}''::jsonb, NULL::date)');
CALL refused('SELECT fit_profile(''{"a": 1}''::jsonb, jsonb_build_object(''categorical'', (SELECT jsonb_agg(''c'' || n) FROM generate_series(1, 257) AS n)))');
-- What a message quotes is cut short.
DO $$
DECLARE
  message text;
BEGIN
  PERFORM simulate_options(jsonb_build_object(repeat('x', 1000000), 1));
EXCEPTION WHEN invalid_parameter_value THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  RAISE INFO '% characters: % ... %', length(message), left(message, 30), right(message, 10);
END
$$;
DROP FUNCTION nested, keys;

-- Names are data: quotes, backslashes, a million characters.
SELECT label('x''; DROP TABLE label; --', 'a"b\c', '''') AS comes_back;
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), ''"; DROP TABLE rfm_map; --'')');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 1, 1, 1, 5, 111)::rfm, left(repeat(''é'', 1000000), 30))');
CALL refused('SELECT purchase_history(now(), 1::bigint, ''x''''; DROP TABLE cdnow'')');
SELECT count(*) AS still_there FROM cdnow;

-- After all this the backend is as it was.
SELECT purchase_history(purchased_on, amount) = (SELECT merge(h) FROM (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS t) AS sane FROM cdnow;
