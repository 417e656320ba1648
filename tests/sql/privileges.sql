-- Rights: a user who may read the data can do everything here, and change nothing that is not theirs.
-- The second half lists every object of the extension: the list grows with the project, line by line, on purpose.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- No right beyond reading the data (setup grants that to everybody) and what PUBLIC has.
CREATE ROLE analyst;
SET ROLE analyst;
SELECT has_schema_privilege('segmentation', 'USAGE') AS uses, has_schema_privilege('segmentation', 'CREATE') AS creates,
       has_schema_privilege('segmentation_internal', 'USAGE') AS uses_internal, has_schema_privilege('segmentation_internal', 'CREATE') AS creates_internal,
       has_schema_privilege('public', 'CREATE') AS creates_in_public, has_database_privilege(current_database(), 'CREATE') AS creates_schemas;
SELECT count(*) AS customers, sum(turnover(h)) AS turnover FROM (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS t;
SELECT purchases(merge(h)), purchases(until(merge(h), '1997-12-31')) AS until_1997, merge(h)::jsonb IS NOT NULL AS jsonb
FROM (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS t;
SELECT label('rfm', segment, 'fr') AS label, count(*) FROM (
  SELECT rfm_segment(rfm_score(recency, frequency, monetary) OVER ()) AS segment FROM rfm_customers) AS t GROUP BY 1 ORDER BY 2 DESC LIMIT 3;
SELECT count(rfm_score(recency, frequency, monetary, cuts)) FROM rfm_customers, (SELECT rfm_cuts(recency, frequency, monetary, '{"bins": 4}') AS cuts FROM rfm_customers) AS c;
SELECT (rfm_cuts(rfm_values(recency, frequency, monetary))).frequency FROM rfm_customers;
SELECT count(*) FROM rfm_map;
SELECT count(*) FROM label;
SELECT count(*) AS faults FROM rfm_map_check('classic_11');
SELECT class, count(*) FROM (SELECT pmg_bucket(monetary) OVER () AS class FROM rfm_customers) AS t GROUP BY class ORDER BY class;
SELECT round(gini(monetary)::numeric, 4) AS gini, (pmg_cuts(monetary)).gros_from FROM rfm_customers;
SELECT count(*) FROM concentration_curve((SELECT turnover_values(monetary) FROM rfm_customers));
SELECT count(*) > 0 AS orders FROM simulate_orders(1, 1, 10, '2023-01-01', '2025-12-31', '{}');
-- A temporary table with every type is theirs to make.
CREATE TEMP TABLE mine (h purchase_history, v rfm_values, t turnover_values, r rfm, c rfm_cuts, p pmg, l pmg_cuts);
-- What is not theirs.
CALL refused('INSERT INTO rfm_map VALUES (''mine'', 1, 1, 1, ''x'')');
CALL refused('UPDATE rfm_map SET segment = ''x''');
CALL refused('DELETE FROM rfm_map');
CALL refused('TRUNCATE rfm_map');
CALL refused('INSERT INTO label VALUES (''rfm'', ''x'', ''de'', ''X'')');
CALL refused('UPDATE label SET label = ''x''');
CALL refused('DELETE FROM label');
CALL refused('TRUNCATE label');
CALL refused('ALTER TABLE label DISABLE TRIGGER ALL');
CALL refused('CREATE FUNCTION segmentation.mine() RETURNS integer LANGUAGE sql RETURN 1');
CALL refused('CREATE TABLE segmentation.mine (a integer)');
CALL refused('CREATE FUNCTION segmentation_internal.mine() RETURNS integer LANGUAGE sql RETURN 1');
CALL refused('CREATE TABLE segmentation_internal.mine (a integer)');
CALL refused('CREATE OR REPLACE FUNCTION segmentation.label(text, text, text DEFAULT ''en'') RETURNS text LANGUAGE sql RETURN ''x''');
CALL refused('DROP FUNCTION segmentation_internal.simulate_categories()');
CALL refused('SELECT * FROM simulate_shop(''mine'', 1)');
-- A user's own objects with the names of the extension's do not get into its functions.
CREATE TEMP TABLE rfm_map (map text, r smallint, f smallint, m smallint, segment text, bins smallint);
INSERT INTO rfm_map SELECT 'classic_11', r, f, m, 'caught', 5 FROM generate_series(1, 5) AS r, generate_series(1, 5) AS f, generate_series(1, 5) AS m;
CREATE TEMP TABLE label (domain text, code text, language text, label text);
INSERT INTO label VALUES ('pmg', 'G', 'en', 'caught');
CREATE FUNCTION pg_temp.rfm_segment_by_name(smallint, smallint, smallint, smallint, text) RETURNS text LANGUAGE sql RETURN 'caught';
SET search_path = pg_temp, public;
SELECT segmentation.rfm_segment(segmentation.rfm_score(1, 1, 1) OVER ()), segmentation.label('pmg', 'G'), (SELECT count(*) FROM segmentation.rfm_map_check('classic_11')) AS faults;
SET search_path = segmentation, public;
DROP TABLE pg_temp.rfm_map, pg_temp.label, mine;
DROP FUNCTION pg_temp.rfm_segment_by_name;
RESET ROLE;
-- Rights on the tables can be granted: then maps and labels are filled by that role, the built-in maps still not.
GRANT INSERT, DELETE ON rfm_map, label TO analyst;
SET ROLE analyst;
INSERT INTO rfm_map (map, r, f, m, segment, bins) SELECT 'theirs', rows.* FROM rfm_map_rows('{"bins": 2, "segments": [{"segment": "all"}]}') AS rows;
SELECT rfm_segment(rfm_score(1, 1, 1, 2) OVER (), 'theirs');
CALL refused('DELETE FROM rfm_map WHERE map = ''rf_10''');
DELETE FROM rfm_map WHERE map = 'theirs';
RESET ROLE;
REVOKE INSERT, DELETE ON rfm_map, label FROM analyst;
DROP ROLE analyst;

-- Everything of the extension.
CREATE TEMP VIEW objects AS
  SELECT d.classid, d.objid, (pg_identify_object(d.classid, d.objid, 0)).type AS kind,
         replace((pg_identify_object(d.classid, d.objid, 0)).identity, 'segmentation.', '') AS identity
  FROM pg_depend AS d
  WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'segmentation') AND d.deptype = 'e'
    -- From PostgreSQL 17 on the types of rows and arrays are listed too.
    AND NOT EXISTS (SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
      WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind IN ('r', 'v')));
SELECT kind, count(*) FROM objects GROUP BY kind ORDER BY kind;
-- Nobody runs anything with another's rights.
SELECT identity AS security_definer FROM objects JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass WHERE prosecdef;
-- Functions that are not parallel safe: the trigger, and what makes tables. Functions that are not immutable: what reads a table too.
SELECT identity, proparallel AS parallel, provolatile AS volatile FROM objects JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass
WHERE proparallel <> 's' OR provolatile <> 'i' ORDER BY identity COLLATE "C";
-- Aggregates are parallel: each has a combine function and a state of a type of its own, never internal.
SELECT identity AS aggregate_without_combine_or_with_internal_state FROM objects JOIN pg_aggregate AS a ON a.aggfnoid = objid AND classid = 'pg_proc'::regclass
WHERE aggcombinefn = 0 OR aggtranstype = 'internal'::regtype;
-- plpgsql has its search_path pinned; functions that inline have none.
SELECT identity, lanname, proconfig FROM objects JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass JOIN pg_language AS l ON l.oid = prolang
WHERE lanname NOT IN ('c', 'internal') ORDER BY identity COLLATE "C";
-- Every object says what it is, and so does every column of a table.
SELECT kind, identity AS without_comment FROM objects
WHERE obj_description(objid, classid::regclass::name) IS NULL AND kind NOT IN ('operator family', 'schema') ORDER BY 1, 2;
SELECT identity, attname AS column_without_comment FROM objects JOIN pg_attribute ON attrelid = objid AND attnum > 0 AND NOT attisdropped
WHERE classid = 'pg_class'::regclass AND kind = 'table' AND col_description(attrelid, attnum) IS NULL ORDER BY 1, 2;
-- Owners and rights; "installer" is who ran CREATE EXTENSION, and may MAINTAIN (m) from PostgreSQL 17 on.
SELECT (SELECT string_agg(rolname::text, ',') FROM pg_roles WHERE rolname <> current_user AND oid IN (
  SELECT proowner FROM pg_proc WHERE oid IN (SELECT objid FROM objects) UNION SELECT relowner FROM pg_class WHERE oid IN (SELECT objid FROM objects)
  UNION SELECT typowner FROM pg_type WHERE oid IN (SELECT objid FROM objects) UNION SELECT oprowner FROM pg_operator WHERE oid IN (SELECT objid FROM objects)
  UNION SELECT nspowner FROM pg_namespace WHERE nspname IN ('segmentation', 'segmentation_internal'))) AS owners_other_than_installer;
SELECT identity, replace(replace(relacl::text, current_user, 'installer'), 'Dxtm/', 'Dxt/') AS rights FROM objects JOIN pg_class AS c ON c.oid = objid AND classid = 'pg_class'::regclass ORDER BY identity;
SELECT nspname, replace(nspacl::text, current_user, 'installer') AS rights_on_the_schema FROM pg_namespace WHERE nspname IN ('segmentation', 'segmentation_internal') ORDER BY nspname;
SELECT identity AS not_everybodys_to_run, proacl FROM objects JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass WHERE proacl IS NOT NULL;
SELECT identity AS not_everybodys_to_use, typacl FROM objects JOIN pg_type AS t ON t.oid = objid AND classid = 'pg_type'::regclass WHERE typacl IS NOT NULL;
-- What a dump takes along.
SELECT c.relname, e.condition FROM pg_extension, unnest(extconfig, extcondition) AS e (relation, condition) JOIN pg_class AS c ON c.oid = e.relation WHERE extname = 'segmentation' ORDER BY 1;
-- The list. v: i(mmutable), s(table), v(olatile); p: s(afe), u(nsafe); s: s(trict).
\pset format unaligned
SELECT kind, identity FROM objects WHERE kind NOT IN ('function', 'aggregate') ORDER BY kind, identity COLLATE "C";
SELECT kind, identity || ' -> ' || CASE WHEN proretset THEN 'setof ' ELSE '' END || replace(prorettype::regtype::text, 'segmentation.', '') AS function,
       concat(provolatile, ' ', proparallel, ' ', CASE WHEN proisstrict THEN 's' ELSE '-' END) AS "v p s"
FROM objects JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass ORDER BY kind, identity COLLATE "C";
