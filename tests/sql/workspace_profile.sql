-- Profiles of a workspace keep code and name where a training finds them again, whatever number it gives them.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA crowd;
CREATE TABLE crowd.people (customer_id integer PRIMARY KEY, age integer, income integer, home text, kind text);
CREATE TABLE crowd.orders (customer_id integer, ordered_on date, amount numeric);
-- Three kinds of people that nobody would mix up.
CREATE FUNCTION crowd.person(n integer, kind text) RETURNS SETOF crowd.people LANGUAGE sql AS $$
  SELECT n, v.age, v.income, v.home, kind
  FROM (VALUES ('student', 19 + n % 6, 8000 + n * 37 % 4000, CASE WHEN n % 10 = 0 THEN 'house' ELSE 'room' END),
    ('family', 36 + n % 9, 42000 + n * 41 % 9000, CASE WHEN n % 12 = 0 THEN 'flat' ELSE 'house' END),
    ('retired', 68 + n % 12, 24000 + n * 43 % 6000, CASE WHEN n % 11 = 0 THEN 'house' ELSE 'flat' END),
    ('rich', 30 + n % 5, 150000 + n * 47 % 30000, 'yacht')) AS v (kind, age, income, home)
  WHERE v.kind = person.kind
$$;
INSERT INTO crowd.people SELECT p.* FROM generate_series(1, 900) AS n, crowd.person(n, (ARRAY['student', 'family', 'retired'])[1 + n % 3]) AS p;
INSERT INTO crowd.orders SELECT n, date '2025-01-01' + n % 80, 10 + n % 9 FROM generate_series(1, 2000) AS n;
SELECT create_workspace('prof'), configure_workspace('prof', '{"source_silence": "off", "minimum_buyers": 10, "profile_k": [3, 5], "profile_features": ["age", "income", "home"]}');
SELECT add_source('prof', 'customers', 'crowd.people') IS NOT NULL AND add_source('prof', 'purchases', 'crowd.orders') IS NOT NULL AS added;
CALL refresh('prof', '2025-03-31');
CREATE VIEW crowd.found AS
  SELECT p.kind, s.profile, (SELECT min(l.label) FROM prof.bi_label AS l WHERE l.axis = 'profile' AND l.code = s.profile) AS name, count(*) AS customers
  FROM prof.customer_segments AS s JOIN crowd.people AS p ON p.customer_id = s.customer WHERE p.kind IS NOT NULL GROUP BY 1, 2;
CREATE TABLE crowd.first AS SELECT * FROM crowd.found;
SELECT * FROM crowd.first ORDER BY kind, customers DESC;
-- Other people of the same kinds, in other shares, and another order of rows: another training, the same codes and names.
UPDATE crowd.people SET customer_id = customer_id + 5000;
DELETE FROM crowd.people WHERE kind = 'student' AND customer_id % 2 = 0;
INSERT INTO crowd.people SELECT p.* FROM generate_series(1, 700) AS n, crowd.person(n, (ARRAY['retired', 'retired', 'student', 'family'])[1 + n % 4]) AS p;
INSERT INTO crowd.orders SELECT customer_id, '2025-03-15', 20 FROM crowd.people;
CALL refresh('prof', '2025-04-30', true);
SELECT count(DISTINCT profile_model::text) AS models FROM prof.parameter_set;
SELECT f.kind, bool_and((f.profile, f.name) = (b.profile, b.name)) AS kept
FROM (SELECT DISTINCT ON (kind) * FROM crowd.found ORDER BY kind, customers DESC) AS f JOIN (SELECT DISTINCT ON (kind) * FROM crowd.first ORDER BY kind, customers DESC) AS b USING (kind) GROUP BY 1 ORDER BY 1;
-- Another kind comes, and one goes: who is new has a number that none has had.
INSERT INTO crowd.people SELECT p.* FROM generate_series(20001, 20400) AS n, crowd.person(n, 'rich') AS p;
DELETE FROM crowd.people WHERE kind = 'student';
INSERT INTO crowd.orders SELECT customer_id, '2025-05-15', 20 FROM crowd.people WHERE kind = 'rich';
CALL refresh('prof', '2025-05-31', true);
CREATE TABLE crowd.second AS SELECT DISTINCT ON (kind) * FROM crowd.found ORDER BY kind, customers DESC;
SELECT s.kind, s.profile = b.profile AS same_code, s.name = b.name AS same_name, s.profile NOT IN (SELECT profile FROM crowd.first) AS new_code
FROM crowd.second AS s LEFT JOIN (SELECT DISTINCT ON (kind) * FROM crowd.first ORDER BY kind, customers DESC) AS b USING (kind) ORDER BY 1;
-- Who was in a profile that is no more still reads by its name in the history.
SELECT count(*) > 0 AS history, bool_and(l.label IS NOT NULL) AS named
FROM (SELECT DISTINCT code FROM prof.membership_history WHERE axis = 'profile' AND code LIKE 'profile%') AS h LEFT JOIN prof.bi_label AS l ON l.axis = 'profile' AND l.code = h.code;
SELECT explanation FROM explain('prof', '20001', 'profile');
DROP SCHEMA crowd CASCADE;
SELECT drop_workspace('prof');
