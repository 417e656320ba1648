-- A base of French households with known truth, for benches/identity.sh and tests: families with one address, often one phone and one
-- e-mail address, twins, fathers and sons of one name, marriages, moves; each person in up to three systems, as people type.
-- Variables of psql: households. Makes households.shop, households.web, households.card and households.truth.
CREATE SCHEMA households;
-- A number from 0 to 1 for a key and a purpose.
CREATE FUNCTION households.u(key bigint, purpose integer) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (hashint8extended(key, purpose) & 2147483647) / 2147483648.0;
CREATE TABLE households.name AS
SELECT row_number() OVER (ORDER BY md5(first_name)) - 1 AS n, first_name FROM (
  SELECT DISTINCT first_name FROM segmentation.simulate_customers(1, 1, 20000, '2020-01-01', '2021-12-31', '{}') WHERE first_name IS NOT NULL) AS f;
CREATE TABLE households.home AS
SELECT customer_id::bigint AS home, last_name, city, postcode,
  1 + (households.u(customer_id, 1) * 120)::integer || (ARRAY[' rue ', ' avenue ', ' place ', ' impasse '])[1 + (households.u(customer_id, 2) * 4)::integer % 4]
    || (ARRAY['de la Paix', 'du Général Leclerc', 'Victor Hugo', 'des Lilas', 'de la Gare', 'Jean Jaurès', 'du Moulin', 'Saint-Michel', 'de l''Église', 'Pasteur',
              'des Écoles', 'de la République', 'du Château', 'des Vignes', 'Émile Zola', 'de Verdun', 'du Stade', 'Jules Ferry', 'des Acacias', 'Gambetta'])
       [1 + (households.u(customer_id, 3) * 20)::integer % 20] AS address,
  '0' || 1 + (households.u(customer_id, 4) * 5)::integer % 5 || lpad((households.u(customer_id, 5) * 99999999)::bigint::text, 8, '2') AS phone,
  households.u(customer_id, 6) < 0.4 AS one_email, households.u(customer_id, 7) < 0.6 AS one_phone,
  1 + (households.u(customer_id, 8) * 4.2)::integer AS members
FROM segmentation.simulate_customers(2, 1, :households, '2020-01-01', '2021-12-31', '{"companies": 0}');
CREATE TABLE households.person AS
WITH member AS (
  SELECT h.*, h.home * 10 + m AS person, m, (SELECT count(*) FROM households.name) AS names,
    -- The third is a twin of the fourth in one of eight families; the third has his father's name in one of fifteen.
    households.u(h.home, 20) < 0.125 AND m IN (3, 4) AS twin, households.u(h.home, 21) < 0.066 AND m = 3 AS junior
  FROM households.home AS h CROSS JOIN LATERAL generate_series(1, h.members) AS m)
SELECT m.person, m.home, n.first_name, m.last_name, m.address, m.postcode, m.city,
  CASE WHEN m.m <= 2 THEN date '1955-01-01' + (households.u(m.home * 10 + m.m, 22) * 14000)::integer
    ELSE date '1996-01-01' + (households.u(m.home * 10 + CASE WHEN m.twin THEN 3 ELSE m.m END, 23) * 4500)::integer END AS birth_date,
  CASE WHEN m.one_phone THEN m.phone ELSE '06' || lpad((households.u(m.person, 24) * 99999999)::bigint::text, 8, '3') END AS phone,
  CASE WHEN m.one_email THEN 'famille.' || segmentation.normalize_name(m.last_name) || m.home || '@orange.fr'
    ELSE replace(segmentation.normalize_name(n.first_name), ' ', '') || '.' || replace(segmentation.normalize_name(m.last_name), ' ', '') || m.person % 1000 || '@gmail.com' END AS email
FROM member AS m
JOIN households.name AS n ON n.n = (households.u(CASE WHEN m.junior THEN m.home * 10 + 1 ELSE m.person END, 25) * (m.names - 1))::bigint;
-- As people type: a letter swapped, left out, or doubled.
CREATE FUNCTION households.typed(value text, key bigint, purpose integer, share double precision) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN length(value) < 4 OR households.u(key, purpose) >= share THEN value ELSE
  (SELECT CASE (households.u(key, purpose + 1000) * 3)::integer % 3
     WHEN 0 THEN left(value, at) || substr(value, at + 2, 1) || substr(value, at + 1, 1) || substr(value, at + 3)
     WHEN 1 THEN left(value, at) || substr(value, at + 2)
     ELSE left(value, at) || substr(value, at, 1) || substr(value, at + 1) END
   FROM (SELECT 1 + (households.u(key, purpose + 2000) * (length(value) - 3))::integer AS at) AS p) END;
CREATE FUNCTION households.records(source integer) RETURNS TABLE (id bigint, person bigint, first_name text, last_name text, birth_date date, email text, phone text,
  address text, postcode text, city text) LANGUAGE sql STABLE AS $$
  SELECT p.person * 4 + source, p.person, households.typed(CASE WHEN households.u(k.key, 40) < 0.02 THEN left(p.first_name, 1) ELSE p.first_name END, k.key, 41, 0.06),
    -- One in fifty married since.
    households.typed(CASE WHEN source = 2 AND households.u(p.person, 42) < 0.02 THEN (SELECT h.last_name FROM households.home AS h WHERE h.home = 1 + p.home % 100) ELSE upper(p.last_name) END, k.key, 43, 0.06),
    CASE WHEN households.u(k.key, 44) < 0.15 THEN NULL WHEN households.u(k.key, 45) < 0.02 THEN p.birth_date + 9 ELSE p.birth_date END,
    CASE WHEN households.u(k.key, 46) < 0.3 THEN NULL ELSE p.email END, CASE WHEN households.u(k.key, 47) < 0.3 THEN NULL ELSE p.phone END,
    -- One in twenty moved.
    households.typed(CASE WHEN source = 3 AND households.u(p.person, 48) < 0.05 THEN (SELECT h.address FROM households.home AS h WHERE h.home = 1 + p.home % 97) ELSE p.address END, k.key, 49, 0.1),
    p.postcode, p.city
  FROM households.person AS p CROSS JOIN LATERAL (SELECT p.person * 4 + source AS key) AS k
  WHERE source = 1 OR households.u(k.key, 50) < 0.5 $$;
CREATE TABLE households.shop AS SELECT * FROM households.records(1);
CREATE TABLE households.web AS SELECT * FROM households.records(2);
CREATE TABLE households.card AS SELECT * FROM households.records(3);
CREATE TABLE households.truth AS
SELECT 'shop' AS source, id::text AS key, person FROM households.shop UNION ALL SELECT 'web', id::text, person FROM households.web
UNION ALL SELECT 'card', id::text, person FROM households.card;
ANALYZE households.truth;
