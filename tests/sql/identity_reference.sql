-- The customer reference: families are not merged, ids stay, decisions outlive runs, hostile records stop nothing.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;

-- 300 households with one name, address, phone and e-mail address each: two adults, twins, and a son with his father's
-- first name. Each is in two systems; every fifth record of the second is mistyped.
CREATE TABLE first_name AS SELECT row_number() OVER (ORDER BY md5(first_name)) - 1 AS n, first_name FROM (
  SELECT DISTINCT first_name FROM simulate_customers(1, 1, 3000, '2020-01-01', '2021-12-31', '{}') WHERE first_name IS NOT NULL) AS f;
CREATE TABLE home AS
SELECT row_number() OVER (ORDER BY customer_id) AS home, last_name, city, postcode, customer_id % 90 + 1 || ' rue ' || city AS address,
  '01' || lpad((customer_id * 7919 % 99999999)::text, 8, '0') AS phone, 'famille' || customer_id || '@orange.fr' AS email
FROM simulate_customers(2, 1, 600, '2020-01-01', '2021-12-31', '{}') WHERE NOT is_company AND last_name IS NOT NULL LIMIT 300;
CREATE TABLE person AS
SELECT h.home * 10 + m AS person, h.*, f.first_name,
  CASE WHEN m <= 2 THEN date '1950-01-01' + (h.home * 37 + m * 1201)::integer ELSE date '1990-01-01' + (h.home * 29 + CASE WHEN m = 5 THEN 900 ELSE 0 END)::integer END AS birth_date
FROM home AS h CROSS JOIN generate_series(1, 5) AS m
-- 3 and 4 are twins, 5 has the first name of 1.
JOIN first_name AS f ON f.n = (h.home * 13 + CASE WHEN m = 5 THEN 1 ELSE m END * 17) % (SELECT count(*) FROM first_name);
CREATE TABLE shop AS SELECT person AS id, first_name, last_name, birth_date::text AS birth_date, email, phone, address, postcode, person AS truth FROM person;
CREATE TABLE web AS SELECT person AS id, first_name, CASE WHEN person % 5 = 0 THEN left(last_name, 2) || substr(last_name, 4) ELSE upper(last_name) END AS last_name,
  CASE WHEN person % 7 > 0 OR person % 10 IN (1, 5) THEN to_char(birth_date, 'DD/MM/YYYY') END AS birth_date, CASE WHEN person % 3 > 0 THEN email END AS email,
  CASE WHEN person % 4 > 0 THEN '+33 ' || substr(phone, 2) END AS phone, upper(address) AS address, postcode, person AS truth FROM person WHERE person % 10 <> 2;

SELECT create_reference('rcu', '{
  "comparisons": [{"field": "first_name"}, {"field": "last_name"}, {"field": "birth_date", "levels": ["exact", {"edits": 1}, "day_month"]},
    {"field": "email"}, {"field": "phone"}, {"field": "address"}, {"field": "postcode"}],
  "blocking": [["email"], ["phone"], ["last_name", "birth_date"], ["first_name", "birth_date"], ["first_name", "postcode"], ["last_name:sounds_fr", "address"]]}');
SELECT add_reference_source('rcu', 'shop', 'shop', 'id'), add_reference_source('rcu', 'web', 'web', 'id');
SELECT rule, fields, blocks > 0 AS has_blocks, pairs > 0 AS has_pairs, left_out FROM reference_pairs('rcu');
SELECT records, customers BETWEEN 1400 AND 1600 AS about_as_many_as_people, created = customers AS all_new, merged, split, vanished FROM reference_run('rcu');
-- Nobody is merged with another of the family, nor with anybody else; nearly all who are one are found.
CREATE VIEW judged AS
SELECT r.record, r.source, r.key, r.customer_id, coalesce(s.truth, w.truth) AS truth
FROM rcu.record AS r LEFT JOIN shop AS s ON r.source = 'shop' AND s.id::text = r.key LEFT JOIN web AS w ON r.source = 'web' AND w.id::text = r.key;
SELECT count(*) FILTER (WHERE a.truth <> b.truth) AS wrongly_merged, count(*) FILTER (WHERE a.truth = b.truth) > 0.95 * (SELECT count(*) FROM web) AS found
FROM judged AS a JOIN judged AS b ON a.customer_id = b.customer_id AND a.record < b.record;
-- Those who were left to review are likely, and not merged.
SELECT count(*) > 0 AS some, bool_and(probability >= 0.5) AS likely, count(contradiction) > 0 AS contradictory FROM rcu.review;

-- A household is a level of its own.
SELECT members, count(*) > 200 AS usual FROM (SELECT count(*) AS members FROM reference_households('rcu', '{phone}') GROUP BY household) AS h GROUP BY members ORDER BY count(*) DESC LIMIT 1;
SELECT max(members) AS largest FROM (SELECT count(*) AS members FROM reference_households('rcu', '{phone}', 2) GROUP BY household) AS h;
SELECT (SELECT count(*) FROM reference_households('rcu', '{last_name,address,postcode}')) = (SELECT count(*) FROM rcu.customer) AS everybody_once;
SELECT * FROM reference_households('rcu', '{colour}');

-- Ids stay: the same data, in another order, with other records beside them.
CREATE TABLE was AS SELECT source, key, customer_id FROM rcu.record;
CREATE TABLE shuffled AS SELECT * FROM shop ORDER BY md5(id::text);
SELECT add_reference_source('rcu', 'shop', 'shuffled', 'id');
SELECT created, merged, split, vanished FROM reference_run('rcu');
INSERT INTO web SELECT 100000 + n, 'Nouveau', 'Client' || n, '1970-05-0' || n, 'client' || n || '@exemple.fr', NULL, NULL, NULL, 100000 + n FROM generate_series(1, 3) AS n;
DELETE FROM web WHERE id = (SELECT min(id) FROM web);
SELECT created, merged, split, vanished FROM reference_run('rcu');
SELECT count(*) AS moved FROM was JOIN rcu.record AS r USING (source, key) WHERE r.customer_id <> was.customer_id;

-- Only what is new was compared, and the result is that of a full run.
UPDATE web SET email = 'autre' || id || '@exemple.fr' WHERE id % 11 = 0;
SELECT vanished FROM reference_run('rcu');
CREATE TABLE partly AS SELECT source, key, customer_id FROM rcu.record;
CREATE TABLE partly_pair AS SELECT a, b, rule, probability, contradiction FROM rcu.pair;
SELECT created, merged, split, vanished FROM reference_run('rcu', again => true);
SELECT count(*) AS differences FROM partly JOIN rcu.record AS r USING (source, key) WHERE r.customer_id <> partly.customer_id;
SELECT count(*) AS differences FROM (TABLE partly_pair EXCEPT TABLE rcu.pair) AS d;
SELECT count(*) AS differences FROM (TABLE rcu.pair EXCEPT TABLE partly_pair) AS d;
UPDATE web AS w SET email = CASE WHEN id % 3 > 0 THEN p.email END FROM person AS p WHERE p.person = w.id AND w.id % 11 = 0;
SELECT vanished FROM reference_run('rcu');

-- Decisions: forced, then forbidden; undone, everything has its id of before.
INSERT INTO rcu.decision (source_a, key_a, source_b, key_b, verdict) SELECT 'shop', '11', 'shop', '23', 'same';
SELECT created, merged, split, vanished FROM reference_run('rcu');
SELECT count(DISTINCT customer_id) AS customers FROM rcu.record WHERE source = 'shop' AND key IN ('11', '23');
SELECT created, merged, split, vanished FROM reference_run('rcu');
UPDATE rcu.decision SET verdict = 'different';
SELECT created, merged, split, vanished FROM reference_run('rcu');
SELECT count(*) AS moved FROM was JOIN rcu.record AS r USING (source, key) WHERE r.customer_id <> was.customer_id;
DELETE FROM rcu.decision;
INSERT INTO rcu.decision (source_a, key_a, source_b, key_b, verdict)
SELECT a.source, a.key, b.source, b.key, 'different' FROM rcu.record AS a JOIN rcu.record AS b ON a.customer_id = b.customer_id AND a.record < b.record ORDER BY a.record LIMIT 1;
SELECT created, merged, split, vanished FROM reference_run('rcu');
SELECT count(*) AS still_together FROM rcu.decision AS d JOIN rcu.record AS a ON (a.source, a.key) = (d.source_a, d.key_a) JOIN rcu.record AS b ON (b.source, b.key) = (d.source_b, d.key_b)
WHERE a.customer_id = b.customer_id;
\set VERBOSITY terse
INSERT INTO rcu.decision (source_a, key_a, source_b, key_b, verdict) VALUES ('a', 'b', 'c', 'd', 'perhaps');
\set VERBOSITY default

-- Erased.
SELECT reference_forget('rcu', 'shop', '11'), reference_forget('rcu', 'shop', '11') AS again;
SELECT count(*) FROM rcu.record WHERE source = 'shop' AND key = '11';

-- Hostile records stop no run, and merge with nobody.
CREATE TABLE hostile (id text, first_name text, last_name text, birth_date text, email text, phone text, address text, postcode text);
INSERT INTO hostile SELECT n || v.name, v.value, v.value, v.value, v.value, v.value, v.value, v.value
FROM generate_series(1, 3) AS n, (VALUES ('empty', ''), ('blank', '   '), ('letter', 'x'), ('long', repeat('é', 500000)), ('bidi', E'\u202e\u200f\u2066'), ('quotes', $$'";--\$$),
  ('braces', '{"a":[1,2]}'), ('digits', repeat('9', 1000)), ('emoji', '👩‍👩‍👧'), ('null', NULL), ('date', '0000-00-00'), ('at', '@@@'), ('infinity', 'infinity')) AS v (name, value);
INSERT INTO hostile (id) VALUES (NULL), (NULL);
SELECT add_reference_source('rcu', E'it''s "h"', 'hostile', 'id');
SELECT created >= 13 * 3 - 13 AS new_customers, vanished FROM reference_run('rcu');
SELECT count(*) AS with_others FROM rcu.record AS r JOIN rcu.record AS o USING (customer_id) WHERE r.source LIKE 'it%' AND o.source NOT LIKE 'it%';
DROP TABLE hostile;
SELECT * FROM reference_run('rcu');
DELETE FROM rcu.source WHERE source LIKE 'it%';
SELECT vanished > 0 AS vanished FROM reference_run('rcu');

-- What is refused.
SELECT create_reference('rcu', '{}');
SELECT create_reference('', '{}');
SELECT create_reference('other', '{}');
SELECT create_reference(NULL, '{}');
SELECT create_reference('other', '{"comparisons": [{"field": "email"}], "blocking": [["email"]]}', '{"email": "best"}');
SELECT create_reference('other', '{"comparisons": [{"field": "email"}], "blocking": [["email"]]}', '{"email": "latest"}');
SELECT create_reference('other', '{"comparisons": [{"field": "email"}], "blocking": [["email"]]}', settings => '{"match": 2}');
SELECT create_reference('other', '{"comparisons": [{"field": "email"}], "blocking": [["email"]]}', settings => '{"matsch": 1}');
SELECT reference_run('nowhere');
SELECT reference_run('pg_catalog');
SELECT add_reference_source('rcu', 'shop', 'shop', 'nothing');
SELECT add_reference_source('rcu', 'shop', 'shop', 'id', '{"email": "nothing"}');
INSERT INTO web SELECT * FROM web LIMIT 1;
SELECT reference_run('rcu');
CREATE ROLE stranger;
GRANT USAGE ON SCHEMA rcu TO stranger;
SET ROLE stranger;
SELECT reference_run('rcu');
RESET ROLE;
-- A trap for who has all rights: code of the owner's in a trigger. It does not run.
SELECT format('GRANT CREATE ON DATABASE %I TO stranger', current_database()) AS granting \gset
:granting;
SET ROLE stranger;
SELECT create_reference('trap', '{"comparisons": [{"field": "email"}], "blocking": [["email"]]}');
CREATE FUNCTION trap.spring() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sprung by %', current_user; END $$;
CREATE TRIGGER spring BEFORE INSERT ON trap.run FOR EACH ROW EXECUTE FUNCTION trap.spring();
RESET ROLE;
SELECT reference_run('trap');
SELECT reference_pairs('trap');
SELECT reference_forget('trap', 'x', 'y');
SET ROLE stranger;
DROP SCHEMA trap CASCADE;
RESET ROLE;
UPDATE rcu.reference SET settings = settings || '{"most_pairs": 10}';
DELETE FROM web WHERE ctid = (SELECT max(ctid) FROM web);
\set VERBOSITY terse
SELECT reference_run('rcu');
\set VERBOSITY default
-- Names of any kind, and no source at all.
SELECT create_reference('a "b" ''c''', '{"comparisons": [{"field": "e\"x''", "kind": "email"}], "blocking": [["e\"x''"]]}', '{"e\"x''": "longest", "day": "latest", "ok": "most_restrictive"}', '{"updated": "day"}');
SELECT reference_run('a "b" ''c''');
CREATE TABLE "so ""urce" ("k ""ey" integer, "e""x'" text, day date, ok text);
INSERT INTO "so ""urce" VALUES (1, 'a@exemple.fr', '2024-01-01', 'yes'), (2, 'A@exemple.fr', '2025-01-01', 'no'), (3, 'b@exemple.fr', NULL, NULL);
SELECT add_reference_source('a "b" ''c''', 's', '"so ""urce"', 'k "ey');
\set VERBOSITY terse
SELECT reference_train('a "b" ''c''');
\set VERBOSITY default
SELECT * FROM reference_run('a "b" ''c''');
INSERT INTO "a ""b"" 'c'".decision (source_a, key_a, source_b, key_b, verdict) VALUES ('s', '1', 's', '2', 'same');
SELECT customers FROM reference_run('a "b" ''c''');
SELECT * FROM "a ""b"" 'c'".customer ORDER BY customer;
SELECT * FROM reference_explain('rcu', 'shop', 'x', 'web', 'y');
DROP SCHEMA rcu, "a ""b"" 'c'" CASCADE;
DROP TABLE first_name, home, person, shop, web, was, shuffled, partly, partly_pair, "so ""urce";
DROP OWNED BY stranger;
DROP ROLE stranger;
