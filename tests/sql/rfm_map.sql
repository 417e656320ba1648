-- Named segments: the built-in maps, maps of one's own, maps as values.
SET search_path = segmentation, public;

-- Four maps, each a partition of the 125 codes of five bins.
SELECT map, count(*) AS codes, count(DISTINCT (r, f, m)) AS distinct_codes, min(bins), max(bins), count(DISTINCT segment) AS segments
FROM rfm_map GROUP BY map ORDER BY map;
SELECT map, (SELECT count(*) FROM rfm_map_check(map)) AS faults FROM (SELECT DISTINCT map FROM rfm_map) AS m ORDER BY map;
SELECT segment, count(*) AS codes FROM rfm_map WHERE map = 'classic_11' GROUP BY segment ORDER BY segment;
SELECT map, segment, count(*) AS codes FROM rfm_map WHERE map IN ('r_rfm_0_2', 'r_rfm_0_3') GROUP BY map, segment ORDER BY map, segment;
SELECT string_agg((100 * r + 10 * f + m)::text, ' ' ORDER BY r, f, m) AS others FROM rfm_map WHERE map = 'r_rfm_0_3' AND segment = 'others';
-- The classic map as it is printed: recency and frequency down, monetary across.
SELECT r, f, string_agg(segment, ' ' ORDER BY m) AS monetary_1_to_5 FROM rfm_map WHERE map = 'classic_11' GROUP BY r, f ORDER BY r DESC, f DESC;
-- The map of ten names looks at recency and frequency only.
SELECT r, string_agg(segment, ' ' ORDER BY f) AS frequency_1_to_5 FROM rfm_map WHERE map = 'rf_10' AND m = 1 GROUP BY r ORDER BY r DESC;
SELECT count(*) AS monetary_matters FROM (SELECT FROM rfm_map WHERE map = 'rf_10' GROUP BY r, f HAVING count(DISTINCT segment) > 1) AS t;

-- Every code of every map comes out of rfm_segment as it stands in the table.
SELECT map, count(*) AS codes, count(*) FILTER (WHERE rfm_segment(ROW(1, 1, 1, r, f, m, 5, 100 * r + 10 * f + m)::rfm, map) <> segment) AS differ
FROM rfm_map GROUP BY map ORDER BY map;
SELECT rfm_segment(ROW(1, 1, 1, 1, 4, 5, 5, 145)::rfm) AS vendors_oddity_145, rfm_segment(ROW(NULL, NULL, NULL, NULL, NULL, NULL, 5, NULL)::rfm) AS nobody_bought,
       rfm_segment(NULL::rfm) AS null_value, rfm_segment(ROW(1, 1, 1, 1, 1, 1, 5, 111)::rfm, NULL::text) AS null_map;

-- A map of one's own: written as jsonb, inserted as rows, used by name.
CREATE TEMP TABLE my (map jsonb);
INSERT INTO my VALUES ('{"bins": 3, "segments": [
  {"segment": "mine",   "r": 3, "f": [2, 3]},
  {"segment": "theirs", "r": 3, "f": 1},
  {"segment": "gone",   "r": [1, 2]}]}');
INSERT INTO rfm_map (map, r, f, m, segment, bins) SELECT 'mine_3', rows.* FROM my, rfm_map_rows(map) AS rows;
SELECT segment, count(*) FROM rfm_map WHERE map = 'mine_3' GROUP BY segment ORDER BY segment;
SELECT * FROM rfm_map_check('mine_3');
SELECT rfm_segment(rfm, 'mine_3') AS by_name, rfm_segment(rfm, my.map) AS by_value, count(*)
FROM (SELECT rfm_score(recency, frequency, monetary, 3) OVER () AS rfm FROM rfm_customers) AS t, my GROUP BY 1, 2 ORDER BY 1;
-- By value, prospects and nulls are as by name.
SELECT rfm_segment(ROW(NULL, NULL, NULL, NULL, NULL, NULL, 3, NULL)::rfm, map) AS nobody_bought, rfm_segment(NULL::rfm, map) AS null_value,
       rfm_segment(ROW(1, 1, 1, 1, 1, 1, 3, 111)::rfm, NULL::jsonb) AS null_map FROM my;
-- The first row that matches wins if the map says so; else a code of two segments is a fault.
SELECT segment, count(*) FROM rfm_map_rows('{"bins": 2, "first_match": true, "segments": [{"segment": "top", "r": 2, "f": 2, "m": 2}, {"segment": "rest"}]}') GROUP BY segment ORDER BY segment;

-- Faults are reported one by one: codes without a segment, with two, scores outside the bins.
SELECT * FROM rfm_map_check('{"bins": 2, "segments": [{"segment": "a", "r": 2}, {"segment": "b", "r": 1, "f": 1}]}'::jsonb) ORDER BY code, fault;
SELECT * FROM rfm_map_check('{"bins": 2, "segments": [{"segment": "a"}, {"segment": "b", "r": 1, "f": 1, "m": 1}]}'::jsonb) ORDER BY code, fault;
SELECT * FROM rfm_map_check('{"bins": 2, "segments": [{"segment": "a"}, {"segment": "b", "r": 3}, {"segment": "c", "f": [2, 1]}, {"segment": "d", "m": 0}]}'::jsonb) ORDER BY detail;
SELECT fault, count(*), min(code), max(code) FROM rfm_map_check('{"segments": []}'::jsonb) GROUP BY fault;
INSERT INTO rfm_map VALUES ('holes', 1, 1, 1, 'a', 2), ('holes', 2, 2, 2, 'b', 2);
SELECT * FROM rfm_map_check('holes') ORDER BY code;
-- A code that the map has not cannot be named; the others can.
SELECT rfm_segment(ROW(1, 1, 1, 2, 2, 2, 2, 222)::rfm, 'holes');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 1, 2, 2, 2, 122)::rfm, ''holes'')');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 1, 2, 2, 2, 122)::rfm, ''{"bins": 2, "segments": [{"segment": "a", "r": 2}]}''::jsonb)');

-- A map for other bins than the scores' is refused, and a map that is not there.
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1, 3) OVER ())');
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), ''mine_3'')');
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), ''{"bins": 4, "segments": [{"segment": "a"}]}''::jsonb)');
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), ''no such map'')');
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), '''')');
CALL refused('SELECT rfm_segment(rfm_score(1, 1, 1) OVER (), ''x'''' OR true --"'')');
CALL refused('SELECT * FROM rfm_map_check(''no such map'')');
-- The built-in maps stay as they are, for everybody; the table keeps nonsense out.
CALL refused('UPDATE rfm_map SET segment = ''x'' WHERE map = ''classic_11'' AND r = 1');
CALL refused('DELETE FROM rfm_map');
CALL refused('INSERT INTO rfm_map VALUES (''rf_10'', 6, 6, 6, ''x'', 10)');
CALL refused('UPDATE rfm_map SET map = ''r_rfm_0_3'', r = 2, f = 2 WHERE map = ''holes''');
CALL refused('TRUNCATE rfm_map');
CALL refused('INSERT INTO rfm_map VALUES (''x'', 6, 1, 1, ''a'')');
CALL refused('INSERT INTO rfm_map VALUES (''x'', 1, 1, 1, '''')');
CALL refused('INSERT INTO rfm_map VALUES (''x'', 1, 1, 1, ''a'', 11)');
CALL refused('INSERT INTO rfm_map VALUES (''x'', 1, 1, 1, ''a''), (''x'', 1, 1, 1, ''b'')');
INSERT INTO rfm_map VALUES ('mixed', 1, 1, 1, 'a', 2), ('mixed', 2, 2, 2, 'b', 3);
CALL refused('SELECT * FROM rfm_map_check(''mixed'')');

-- A change of a map is seen by the next statement, in the same transaction and rolled back with it.
BEGIN;
SELECT rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::rfm, 'mine_3');
UPDATE rfm_map SET segment = 'ours' WHERE map = 'mine_3' AND segment = 'theirs';
SELECT rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::rfm, 'mine_3');
ROLLBACK;
SELECT rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::rfm, 'mine_3');
-- Also where the call site lives on: a loop of plpgsql, a prepared statement.
DO $$
DECLARE
  said text;
BEGIN
  FOR i IN 1..3 LOOP
    UPDATE segmentation.rfm_map SET segment = 'turn ' || i WHERE map = 'mine_3' AND r = 3 AND f = 1;
    said := segmentation.rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::segmentation.rfm, 'mine_3');
    RAISE INFO '%', said;
  END LOOP;
  RAISE EXCEPTION 'rolled back' USING ERRCODE = 'P0099';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
  RAISE INFO '% again', segmentation.rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::segmentation.rfm, 'mine_3');
END
$$;
PREPARE named AS SELECT rfm_segment(ROW(1, 1, 1, 3, 1, 1, 3, 311)::rfm, $1);
EXECUTE named('mine_3');
UPDATE rfm_map SET segment = 'ours' WHERE map = 'mine_3' AND segment = 'theirs';
EXECUTE named('mine_3');
-- The map may vary by row.
SELECT map, rfm_segment(ROW(1, 1, 1, 5, 1, 3, 5, 513)::rfm, map) FROM unnest('{classic_11,r_rfm_0_2,r_rfm_0_3,rf_10,classic_11}'::text[]) WITH ORDINALITY AS m (map, n) ORDER BY n;

-- Maps are read in parallel workers too.
CREATE TABLE scores AS SELECT cid, rfm_score(recency, frequency, monetary) OVER () AS rfm FROM rfm_customers;
ALTER TABLE scores SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE rfm_segment(rfm) = 'lost') FROM scores;
SELECT count(*) FILTER (WHERE rfm_segment(rfm) = 'lost') FROM scores;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
DROP TABLE scores;

-- Maps as values that are not maps.
CALL refused('SELECT * FROM rfm_map_rows(''{}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"segments": [{"segment": "a", "x": 1}]}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"segments": [{"r": 1}]}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"bins": 1, "segments": []}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"bins": 11, "segments": []}'')');
CALL refused('SELECT * FROM rfm_map_rows(jsonb_build_object(''segments'', (SELECT jsonb_agg(''{"segment": "a"}''::jsonb) FROM generate_series(1, 1001))))');
-- An array is no object, and messages speak of JSON, not of Rust.
CALL refused('SELECT * FROM rfm_map_rows(''[]'')');
CALL refused('SELECT * FROM rfm_map_rows(''null'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"segments": [{"segment": "a", "r": [1, 2, 3]}]}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"segments": [{"segment": "a", "r": 1e9}]}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"segments": [{"segment": "a", "r": "5"}]}'')');
CALL refused('SELECT * FROM rfm_map_rows(''{"bins": 5.5, "segments": []}'')');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 1, 1, 1, 5, 111)::rfm, ''"classic_11"''::jsonb)');
CALL refused('SELECT * FROM rfm_map_rows(''[2, true, [{"segment": "a"}]]'')');
-- Scores that no rfm_score gives.
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 6, 1, 1, 5, 611)::rfm)');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 0, -32768, 32767, 5, 0)::rfm)');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 1, 1, 1, -5, 111)::rfm)');
CALL refused('SELECT rfm_segment(ROW(1, 1, 1, 11, 1, 1, 32767, 111)::rfm, ''{"segments": [{"segment": "a"}]}''::jsonb)');

DELETE FROM rfm_map WHERE map IN ('mine_3', 'holes', 'mixed');
