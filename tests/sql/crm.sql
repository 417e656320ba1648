-- Delivery: profiles, definitions and their faults, files that parsers read back, batches and workers, erasures, the way back, views.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
\set SHOW_CONTEXT never
CREATE SCHEMA told;
CREATE TABLE told.orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO told.orders SELECT c, date '2025-01-01' + n * (20 + c % 21), 10 + c % 7 FROM generate_series(1, 120) AS c, generate_series(0, 10) AS n;
CREATE TABLE told.customers (customer_id bigint PRIMARY KEY, email text, mobile text, town text, vip boolean, born date, points numeric);
INSERT INTO told.customers SELECT c, 'C' || c || '@x.fr', '06 12 34 56 ' || lpad((c % 100)::text, 2, '0'), 'town ' || c, c % 2 = 0, date '1980-01-01' + c::int, c * 1.5 FROM generate_series(1, 120) AS c;
UPDATE told.customers SET town = v.town FROM (VALUES
  (1, 'a "quoted" town'), (2, 'semi;colon, comma'), (3, E'two\nlines'), (4, E'two\r\nlines'), (5, '  leading'), (6, 'trailing  '), (7, ''), (8, NULL),
  (9, 'emoji 😀, é and œ'), (11, '#N/A'), (12, E'back\\slash and \\.'), (13, E'tab\there'), (14, repeat('long text ', 3000)), (15, '""'), (16, ','), (17, E'\n'),
  (18, ' '), (19, E'a\rb'), (21, 'null'), (22, E'\uFEFFmark'), (23, '=1+1')) AS v (c, town) WHERE customer_id = v.c;
UPDATE told.customers SET mobile = v.mobile FROM (VALUES (1, '+33612345678'), (2, '0033 6 12 34 56 78'), (3, '+33 (0)6 12.34.56.78'), (4, 'none'), (5, NULL), (6, '112')) AS v (c, mobile) WHERE customer_id = v.c;
UPDATE told.customers SET vip = NULL, born = NULL, points = NULL WHERE customer_id = 8;
UPDATE told.customers SET born = 'infinity', points = 'NaN' WHERE customer_id = 9;
UPDATE told.customers SET email = NULL WHERE customer_id = 24;
UPDATE told.customers SET email = ' c25@X.fr' WHERE customer_id = 26;
CREATE TABLE told.consents (customer_id bigint, channel text, granted boolean, changed_on date);
INSERT INTO told.consents SELECT c, 'Email', c % 10 <> 0, '2025-01-01' FROM generate_series(1, 120) AS c;
SELECT create_workspace('told_ws', time_zone => 'Europe/Paris');
SELECT * FROM crm_status('told_ws');
SELECT add_destination('told_ws', 'early', 'csv', '{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": []}');
SELECT count(add_source('told_ws', kind, relation)) AS sources FROM (VALUES ('purchases', 'told.orders'::regclass), ('customers', 'told.customers'), ('consents', 'told.consents')) AS s (kind, relation);
CALL refresh('told_ws', '2025-08-31');

-- Profiles: what was read in the documentation of each, and what was not. Built-in ones stay as they are.
SELECT profile, separator AS sep, line_end, bom, null_token, true_token, phone, max_bytes, max_rows, max_fields, max_text, array_to_string(not_verified, ' ') AS not_verified
FROM crm_profile ORDER BY profile;
SELECT profile, unnest(not_verified) AS no_column FROM crm_profile EXCEPT SELECT p.profile, a.attname FROM crm_profile AS p, pg_attribute AS a WHERE a.attrelid = 'crm_profile'::regclass;
UPDATE crm_profile SET separator = ';' WHERE profile = 'salesforce';
DELETE FROM crm_profile;
TRUNCATE crm_profile;
INSERT INTO crm_profile (profile, system, about) VALUES ('own', 'csv', 'A copy of our own.');
UPDATE crm_profile SET separator = 'ab' WHERE profile = 'own';
DELETE FROM crm_profile WHERE profile = 'own';

-- Every fault is named.
SELECT add_destination('told_ws', 'Bad name', 'csv', '{}');
SELECT add_destination('told_ws', 'bad', 'csv', NULL);
SELECT add_destination('told_ws', 'bad', 'csv', '[]');
SELECT add_destination('told_ws', 'bad', 'sugar', '{}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"who": "all"}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": "some", "channel": 1, "key": {"field": "customer"}, "fields": [1]}');
SELECT add_destination('told_ws', 'bad', 'salesforce', '{"audience": {"axis": "rmf", "codes": []}, "channel": "email", "key": {"field": "customer", "as": "Ext"}, "holdout": {"campaign": "none"},
  "fields": [{"field": "chrun", "as": "Churn__c"}, {"field": "rfm", "as": "R F M"}, {"field": "pmg", "as": "Pmg__c"}, {"field": "pmg", "as": "pmg__C"}, {"as": "X__c"}, {"offer": 0, "as": "O__c"}, {"offer": 1, "of": "colour", "as": "P__c"},
    {"segment": "none", "as": "S__c"}, {"field": "turnover", "as": "T__c", "type": "colour"}, {"field": "turnover", "as": "U__c", "digits": 99}, {"field": "turnover", "as": "V__c", "label": "fr"}]}');
SELECT add_destination('told_ws', 'bad', 'eloqua', jsonb_build_object('audience', 'all', 'channel', 'email', 'key', '{"field": "email", "as": "EmailAddress"}'::jsonb,
  'fields', (SELECT jsonb_agg(jsonb_build_object('field', 'pmg', 'as', 'C_F' || n)) FROM generate_series(1, 100) AS n)));
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": {"rule": {"kind": "rules"}}, "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}',
  '{"part_rows": 0, "country": "fr", "colour": 1, "profile": []}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}', '{"profile": {"bom": true, "built_in": true}}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}', '{"profile": {"max_rows": "many"}}');
SELECT add_destination('told_ws', 'bad', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": []}', '{"profile": {"null_token": "a,b"}}');
SELECT crm_sync('told_ws', 'bad'), crm_sync('told_ws', NULL);
SELECT crm_take('told_ws', 'w');
SELECT crm_ack('told_ws', 1, 'w');

-- The same people in the forms of several tools.
SELECT add_destination('told_ws', d.name, d.profile, jsonb_build_object('audience', 'all', 'channel', 'email', 'key', jsonb_build_object('field', 'customer', 'as', d.key),
  'fields', (SELECT jsonb_agg(f.field || jsonb_build_object('as', f.name) ORDER BY f.place) FROM ROWS FROM (
      unnest('{"{\"field\": \"email\", \"type\": \"email\"}","{\"field\": \"town\"}","{\"field\": \"vip\"}","{\"field\": \"born\"}","{\"field\": \"points\"}","{\"field\": \"mobile\", \"type\": \"phone\"}","{\"field\": \"rfm\", \"label\": \"fr\"}"}'::jsonb[]),
      unnest(d.names)) WITH ORDINALITY AS f (field, name, place))), d.options)
FROM (VALUES
  ('plain', 'csv', 'id', '{email,town,vip,born,points,mobile,rfm}'::text[], '{}'::jsonb),
  ('force', 'salesforce', 'Ext__c', '{Email,Town__c,Vip__c,Born__c,Points__c,MobilePhone,Rfm__c}', '{"country": "33"}'),
  ('universe', 'splio', 'customer_key', '{email,town,vip,born,points,cellphone,rfm}', '{"country": "33"}'),
  ('engage', 'selligent', 'ID', ARRAY['MAIL', 'my "town"', 'VIP', 'BORN', 'POINTS', 'MOBILE', 'RFM;'], '{"profile": {"bom": true, "decimal_point": ",", "day_format": "DD/MM/YYYY", "quoting": "texts"}}'),
  ('nested', 'json_lines', 'id', '{email,place.town,place.vip,born,points,mobile,rfm}', '{}'),
  ('klav', 'klaviyo', 'external_id', '{email,properties.town,properties.vip,properties.born,properties.points,phone_number,properties.rfm}', '{"country": "33", "part_rows": 50}')
) AS d (name, profile, key, names, options);
SELECT destination, crm_sync('told_ws', destination) > 0 AS made FROM told_ws.crm_destination ORDER BY added_at, destination;
CREATE VIEW told.newest AS SELECT DISTINCT ON (destination) destination, batch FROM told_ws.crm_batch ORDER BY destination, batch DESC;
SELECT n.destination, f.part, replace(f.name, to_char(now(), 'YYYYMMDD'), '<day>') AS name, f.instruction, f.rows, f.bytes, f.columns FROM told.newest AS n, crm_files('told_ws', n.batch) AS f ORDER BY n.destination COLLATE "C", f.part;
SELECT n.destination, left(l.line, 110) AS line FROM told.newest AS n, crm_rows('told_ws', n.batch) WITH ORDINALITY AS l (line, place)
WHERE n.destination <> 'klav' AND (l.place = 1 OR l.line ~ '^"?({"id":")?[1-9]"?[,;]') ORDER BY n.destination COLLATE "C", l.place;

-- Checksums are of the bytes, and these are those that psql writes.
SELECT n.destination, bool_and(encode(sha256(b.bytes), 'hex') = f.sha256 AND length(b.bytes) = f.bytes) AS same, bool_and(b.bytes = convert_to(b.lines, 'UTF8')) AS as_lines
FROM told.newest AS n, crm_files('told_ws', n.batch) AS f, LATERAL (
  SELECT (SELECT string_agg(c, '') FROM crm_bytes('told_ws', n.batch, f.part) AS c) AS bytes, (SELECT string_agg(l || E'\n', '') FROM crm_rows('told_ws', n.batch, f.part) AS l) AS lines) AS b
GROUP BY n.destination ORDER BY n.destination COLLATE "C";
\pset tuples_only on
\pset format unaligned
SELECT batch AS plain FROM told.newest WHERE destination = 'plain' \gset
SELECT batch AS force FROM told.newest WHERE whole \gset
SELECT batch AS engage FROM told.newest WHERE destination = 'engage' \gset
\o crm_plain.csv
SELECT crm_rows('told_ws', :plain);
\o crm_force.csv
SELECT crm_rows('told_ws', :force);
\o crm_engage.csv
SELECT crm_rows('told_ws', :engage);
\o
\pset format aligned
\pset tuples_only off
-- One parser: PostgreSQL's own.
CREATE TABLE told.back (destination text DEFAULT 'plain', id bigint, email text, town text, vip text, born text, points text, mobile text, rfm text);
\copy told.back (id, email, town, vip, born, points, mobile, rfm) FROM 'crm_plain.csv' (FORMAT csv, HEADER)
ALTER TABLE told.back ALTER destination SET DEFAULT 'force';
\copy told.back (id, email, town, vip, born, points, mobile, rfm) FROM 'crm_force.csv' (FORMAT csv, HEADER, NULL '#N/A')
ALTER TABLE told.back ALTER destination SET DEFAULT 'engage';
\copy told.back (id, email, town, vip, born, points, mobile, rfm) FROM 'crm_engage.csv' (FORMAT csv, HEADER, DELIMITER ';')
-- Another: RFC 4180, letter by letter.
CREATE FUNCTION told.parse(file text, separator text) RETURNS TABLE (line integer, place integer, value text, quoted boolean) LANGUAGE plpgsql AS $$
DECLARE
  letters text[] := regexp_split_to_array(file, '');
  letter text;
  inside boolean := false;
  i integer := 1;
BEGIN
  line := 1; place := 1; value := ''; quoted := false;
  WHILE i <= cardinality(letters) LOOP
    letter := letters[i];
    IF inside THEN
      IF letter = '"' AND letters[i + 1] = '"' THEN value := value || '"'; i := i + 1;
      ELSIF letter = '"' THEN inside := false;
      ELSE value := value || letter; END IF;
    ELSIF letter = '"' AND value = '' AND NOT quoted THEN inside := true; quoted := true;
    ELSIF letter = separator THEN RETURN NEXT; place := place + 1; value := ''; quoted := false;
    ELSIF letter = E'\r' AND letters[i + 1] = E'\n' THEN NULL;
    ELSIF letter = E'\n' THEN RETURN NEXT; line := line + 1; place := 1; value := ''; quoted := false;
    ELSIF quoted THEN RAISE EXCEPTION 'a letter after a quoted value, line %', line;
    ELSE value := value || letter; END IF;
    i := i + 1;
  END LOOP;
  IF inside OR value <> '' OR place > 1 THEN RAISE EXCEPTION 'the last line does not end'; END IF;
END
$$;
CREATE TABLE told.parsed AS
SELECT d.destination, p.* FROM (VALUES ('plain', :plain, ','), ('force', :force, ','), ('engage', :engage, ';')) AS d (destination, batch, separator),
  LATERAL told.parse((SELECT convert_from(string_agg(b, ''), 'UTF8') FROM crm_bytes('told_ws', d.batch) AS b), d.separator) AS p;
CREATE TABLE told.parsed_rows AS
SELECT p.destination, max(p.value) FILTER (WHERE p.place = 1) AS id, max(p.place) AS fields,
  array_agg(CASE WHEN NOT p.quoted AND p.value = CASE p.destination WHEN 'force' THEN '#N/A' ELSE '' END THEN NULL ELSE p.value END ORDER BY p.place) AS cells
FROM told.parsed AS p GROUP BY p.destination, p.line;
-- What they were to read: texts as they are in the table, with LF for every line break; Salesforce has no empty text.
CREATE VIEW told.meant AS
SELECT d.destination, c.customer_id AS id, lower(btrim(c.email)) AS email,
  CASE WHEN d.destination = 'force' AND c.town = '' THEN NULL ELSE regexp_replace(c.town, E'\r\n?', E'\n', 'g') END AS town,
  CASE d.destination WHEN 'engage' THEN (c.vip::int)::text ELSE c.vip::text END AS vip,
  CASE WHEN isfinite(c.born) THEN to_char(c.born, CASE d.destination WHEN 'engage' THEN 'DD/MM/YYYY' ELSE 'YYYY-MM-DD' END) END AS born,
  CASE WHEN c.points <> 'NaN' THEN replace(trim_scale(c.points)::text, '.', CASE d.destination WHEN 'engage' THEN ',' ELSE '.' END) END AS points, c.mobile
FROM told.customers AS c CROSS JOIN (VALUES ('plain'), ('force'), ('engage')) AS d (destination) WHERE c.customer_id % 10 <> 0;
SELECT m.destination, count(*) AS meant, count(b.id) AS there,
  count(*) FILTER (WHERE (b.email, b.town, b.vip, b.born, b.points, b.mobile) IS NOT DISTINCT FROM (m.email, m.town, m.vip, m.born, m.points, m.mobile)) AS by_copy,
  count(*) FILTER (WHERE p.cells[2:7] IS NOT DISTINCT FROM ARRAY[m.email, m.town, m.vip, m.born, m.points, m.mobile]) AS by_letter, min(p.fields) AS least_fields, max(p.fields) AS most_fields
FROM told.meant AS m LEFT JOIN told.back AS b ON b.destination = m.destination AND b.id = m.id LEFT JOIN told.parsed_rows AS p ON p.destination = m.destination AND p.id = m.id::text
GROUP BY m.destination ORDER BY 1;
SELECT p.destination, count(*) FILTER (WHERE p.id !~ '^[0-9]+$') AS headers, count(*) - count(*) FILTER (WHERE p.id !~ '^[0-9]+$') AS rows FROM told.parsed_rows AS p GROUP BY 1 ORDER BY 1;
-- JSON: bodies and lines are JSON, values as they are.
SELECT f.part, jsonb_array_length(b.body #> '{data,attributes,profiles,data}') AS profiles, b.body #> '{data,attributes,profiles,data,0}' AS first
FROM told.newest AS n, crm_files('told_ws', n.batch) AS f, LATERAL (SELECT convert_from(string_agg(c, ''), 'UTF8')::jsonb AS body FROM crm_bytes('told_ws', n.batch, f.part) AS c) AS b
WHERE n.destination = 'klav' ORDER BY f.part;
SELECT count(*) AS lines, count(*) FILTER (WHERE l.line::jsonb #>> '{place,town}' IS NOT DISTINCT FROM c.town) AS same
FROM told.newest AS n, crm_rows('told_ws', n.batch) AS l (line), told.customers AS c WHERE n.destination = 'nested' AND c.customer_id::text = l.line::jsonb ->> 'id';

-- Limits: every part within them, every row once, the same as in one file.
SELECT add_destination('told_ws', 'small', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "email", "as": "email", "type": "email"}, "fields": [{"field": "points", "as": "points"}]}',
  '{"part_bytes": 300, "part_rows": 9}');
SELECT crm_sync('told_ws', 'small') AS small \gset
SELECT count(*) AS parts, max(bytes) <= 300 AS bytes, max(rows) <= 9 AS rows, sum(rows) AS people FROM crm_files('told_ws', :small);
SELECT action, reason, rows FROM crm_preview('told_ws', 'small');
SELECT count(DISTINCT l.line) AS lines FROM crm_files('told_ws', :small) AS f, crm_rows('told_ws', :small, f.part) WITH ORDINALITY AS l (line, place) WHERE l.place > 1;
SELECT add_destination('told_ws', 'tiny', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": [{"field": "town", "as": "town"}]}', '{"part_bytes": 300}');
SELECT crm_sync('told_ws', 'tiny');
SELECT add_destination('told_ws', 'tiny', 'adobe', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": [{"field": "points", "as": "points"}]}');
SELECT crm_sync('told_ws', 'tiny');
SELECT add_destination('told_ws', 'tiny', 'adobe', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": [{"field": "points", "as": "points", "default": 0}]}');
SELECT crm_sync('told_ws', 'tiny') AS tiny \gset
SELECT l FROM crm_rows('told_ws', :tiny) AS l WHERE l ~ '^([89]|id);';
SELECT add_destination('told_ws', 'tiny', 'csv', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "id"}, "fields": [{"field": "town", "as": "town"}]}', '{"profile": {"encoding": "LATIN1"}}');
SELECT crm_sync('told_ws', 'tiny');
SELECT remove_destination('told_ws', 'tiny'), remove_destination('told_ws', 'nested');
SELECT remove_destination('told_ws', 'tiny');

-- Workers: one has a batch; what others say of it is refused; an answer that was lost is said again.
SELECT batch = :small AS small, for_destination, profile, system, format, options, attempt FROM crm_take('told_ws', 'one', 'small');
SELECT * FROM crm_take('told_ws', 'two', 'small');
SELECT batch = :small AS again, attempt FROM crm_take('told_ws', 'one', 'small');
\set VERBOSITY terse
SELECT crm_sync('told_ws', 'small');
SELECT crm_ack('told_ws', :small, 'two');
SELECT crm_renew('told_ws', :small, 'two');
SELECT crm_note('told_ws', :small, 1, 'two', '{}');
SELECT crm_note('told_ws', :small, 99, 'one', '{}');
SELECT crm_result('told_ws', :small, 'two', '{}', '{}');
SELECT crm_result('told_ws', :small, 'one', '{a}', '{}');
SELECT crm_fail('told_ws', 12345, 'one', 'no');
SELECT crm_take('told_ws', NULL), crm_take('told_ws', 'one', lease => '-1 s');
SELECT count(*) FROM crm_rows('told_ws', :small, 99);
\set VERBOSITY default
SELECT crm_renew('told_ws', :small, 'one', '1 hour') > now() AS longer, crm_note('told_ws', :small, 1, 'one', '{"job": "7"}');
SELECT state FROM crm_files('told_ws', :small) WHERE part = 1;
SELECT crm_fail('told_ws', :small, 'one', 'it is down', '1 hour');
SELECT count(*) AS not_yet FROM crm_take('told_ws', 'two', 'small');
UPDATE told_ws.crm_batch SET not_before = now() - interval '1 second' WHERE batch = :small;
SELECT batch = :small AS small, attempt FROM crm_take('told_ws', 'two', 'small');
SELECT crm_result('told_ws', :small, 'two', '{c1@x.fr,c2@x.fr,nobody}', '{true,false,false}', '{NULL,"bad address",NULL}') AS known;
SELECT crm_ack('told_ws', :small, 'two'), crm_ack('told_ws', :small, 'two');
SELECT destination, members, rejected, status, rows FROM crm_status('told_ws') WHERE destination = 'small';
SELECT crm_sync('told_ws', 'small') AS nothing_new;
SELECT crm_resync('told_ws', 'small', true) AS resynced \gset
SELECT rows FROM told_ws.crm_batch WHERE batch = :resynced;
SELECT crm_fail('told_ws', batch, 'one', 'no such list') FROM crm_take('told_ws', 'one', 'small');
SELECT count(*) FROM crm_rows('told_ws', (SELECT batch FROM told.newest WHERE destination = 'small'));
-- Consent is asked again when a batch is handed out.
SELECT crm_replay('told_ws', :small) AS replayed \gset
SELECT rows FROM told_ws.crm_batch WHERE batch = :replayed;
INSERT INTO told.consents VALUES (1, 'email', false, '2025-08-31');
SELECT batch, attempt FROM crm_take('told_ws', 'one', 'small') \gset
SELECT status, reason, rows FROM told_ws.crm_batch WHERE destination = 'small' ORDER BY batch;
SELECT f.instruction, l.line FROM crm_files('told_ws', :batch) AS f, crm_rows('told_ws', :batch, f.part) WITH ORDINALITY AS l (line, place) WHERE f.instruction <> 'upsert';
SELECT crm_ack('told_ws', :batch, 'one');

-- Who leaves, and who moves: differences only.
SELECT add_destination('told_ws', 'moves', 'csv', '{"audience": {"axis": "rfm", "codes": ["new", "lost"]}, "channel": "email", "key": {"field": "email", "as": "email", "type": "email"}, "fields": [{"field": "rfm", "as": "code"}, {"field": "points", "as": "points"}]}');
UPDATE told_ws.customer_segments SET rfm = CASE WHEN customer <= 6 THEN 'new' ELSE 'loyal' END;
CREATE PROCEDURE told.deliver(destination text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM crm_sync('told_ws', destination);
  PERFORM crm_ack('told_ws', t.batch, 'all') FROM crm_take('told_ws', 'all', destination) AS t;
END
$$;
CALL told.deliver('moves');
UPDATE told_ws.customer_segments SET rfm = CASE customer WHEN 2 THEN 'lost' WHEN 3 THEN 'loyal' WHEN 7 THEN 'new' ELSE rfm END WHERE customer IN (2, 3, 7);
CALL told.deliver('moves');
SELECT f.instruction, r.reason, r.line FROM told.newest AS n, crm_files('told_ws', n.batch) AS f JOIN told_ws.crm_row AS r ON r.part = f.part WHERE n.destination = 'moves' AND r.batch = n.batch ORDER BY f.part, r.place;

-- An erasure: an open batch with the person goes, the destination is told to delete, then nothing is left here.
UPDATE told_ws.customer_segments SET rfm = 'lost' WHERE customer = 4;
SELECT crm_sync('told_ws', 'moves') IS NOT NULL AS made;
DELETE FROM told.orders WHERE customer_id = 4; DELETE FROM told.customers WHERE customer_id = 4; DELETE FROM told.consents WHERE customer_id = 4;
SELECT erase_customer('told_ws', '4') ? 'customer_facts' AS erased;
SELECT status, reason FROM told_ws.crm_batch WHERE destination = 'moves' ORDER BY batch DESC LIMIT 1;
SELECT key, customer, hash FROM told_ws.crm_sent WHERE destination = 'moves' AND customer IS NULL;
SELECT count(*) FROM crm_rows('told_ws', (SELECT max(batch) FROM told_ws.crm_batch WHERE destination = 'small' AND status = 'acked'));
CALL told.deliver('moves');
SELECT r.action, r.reason, r.line FROM told.newest AS n JOIN told_ws.crm_row AS r ON r.batch = n.batch WHERE n.destination = 'moves';
SELECT count(*) AS left_of_4 FROM told_ws.crm_sent WHERE destination = 'moves' AND key = 'c4@x.fr';

-- The way back.
SELECT * FROM crm_feedback('told_ws', 'moves', '[{"id": "1", "key": "c1@x.fr"}, 7, {"id": "2", "key": "c1@x.fr", "event": "click", "at": "yesterday"}, {"id": "3", "key": "c1@x.fr", "event": "wink", "at": "2025-08-01"}]');
SELECT * FROM crm_feedback('told_ws', 'moves', '{}');
CREATE TABLE told.events AS SELECT '[{"id": "a", "key": "c2@x.fr", "event": "click", "at": "2025-08-01T23:30:00Z", "sent_at": "2025-08-01T08:00:00Z"}, {"id": "b", "key": "c5@x.fr", "event": "unsubscribe", "at": "2025-08-02T23:30:00Z"},
  {"id": "c", "key": "c6@x.fr", "event": "bounce", "hard": true, "at": "2025-08-02T10:00:00Z"}, {"id": "d", "key": "c7@x.fr", "event": "bounce", "at": "2025-08-02T10:00:00Z"}, {"id": "e", "key": "stranger", "event": "reply", "at": "2025-08-02"}]'::jsonb AS events;
SELECT f.* FROM told.events, crm_feedback('told_ws', 'moves', events) AS f;
SELECT f.* FROM told.events, crm_feedback('told_ws', 'moves', events) AS f;
SELECT customer, channel, sent_at, response, responded_at FROM told_ws.crm_contact ORDER BY id;
SELECT customer, channel, granted, changed_on FROM told_ws.crm_consent;
SELECT customer, channel, reason FROM told_ws.crm_suppressed ORDER BY customer;
CALL told.deliver('moves');
SELECT r.action, r.reason, r.line FROM told.newest AS n JOIN told_ws.crm_row AS r ON r.batch = n.batch WHERE n.destination = 'moves' ORDER BY r.part, r.place;
SELECT add_source('told_ws', 'contacts', 'told_ws.crm_contact') IS NOT NULL AS contacts, add_source('told_ws', 'consents', 'told_ws.crm_consent') IS NOT NULL AS consents;
CALL refresh('told_ws', '2025-08-31', false);
SELECT customer, consents_on(consents, '2025-08-31', contacts) AS now FROM told_ws.customer_facts WHERE customer IN (2, 5) ORDER BY customer;
DELETE FROM told.orders WHERE customer_id = 5; DELETE FROM told.customers WHERE customer_id = 5; DELETE FROM told.consents WHERE customer_id = 5;
SELECT erase_customer('told_ws', '5') ?& '{crm_contact,crm_consent,crm_suppressed}' AS erased_with_what_came_back;
SELECT * FROM crm_feedback('told_ws', 'moves', '[{"id": "f", "key": "c2@x.fr", "event": "subscribe", "at": "2025-08-03"}]');

-- For tools that read here: views with keys; a row is newer only when its codes are others.
SELECT add_destination('told_ws', 'vips', 'pull', '{"audience": {"rule": {"kind": "rules", "segments": [{"segment": "vip", "when": {"field": "vip", "=": true}}]}}, "channel": "email",
  "key": {"field": "customer", "as": "id"}, "fields": [{"field": "email", "as": "email", "type": "email"}, {"field": "rfm", "as": "rfm"}]}', about => 'Very important.');
SELECT add_destination('told_ws', 'brazen', 'braze_pull', '{"audience": "all", "channel": "email", "key": {"field": "customer", "as": "external_id"}, "fields": [{"field": "rfm", "as": "rfm"}]}');
SELECT crm_sync('told_ws', 'vips') IS NOT NULL AS vips, crm_sync('told_ws', 'brazen') IS NOT NULL AS brazen;
SELECT * FROM told_ws.audiences ORDER BY id;
SELECT count(*) AS members, count(DISTINCT person_id) AS people FROM told_ws.memberships WHERE audience_id = 'vips';
SELECT id, traits FROM told_ws.people WHERE id IN ('12', '14') ORDER BY id;
SELECT count(*), count(DISTINCT id) FROM told_ws.crm_pull;
CREATE TABLE told.before AS SELECT "EXTERNAL_ID" AS id, "UPDATED_AT" AS at FROM told_ws.braze;
UPDATE told_ws.customer_segments SET rfm = 'lost' WHERE customer = 12;
INSERT INTO told.consents VALUES (14, 'email', false, '2025-08-31');
SELECT crm_sync('told_ws', 'vips') IS NOT NULL AS vips, crm_sync('told_ws', 'brazen') IS NOT NULL AS brazen, crm_sync('told_ws', 'brazen') IS NULL AS same;
INSERT INTO told_ws.crm_suppressed (customer) VALUES (16);
SELECT count(*) AS suppressed_since FROM told_ws.memberships WHERE person_id = '16';
SELECT n."EXTERNAL_ID", n."PAYLOAD" FROM told_ws.braze AS n JOIN told.before AS b ON b.id = n."EXTERNAL_ID" WHERE n."UPDATED_AT" > b.at ORDER BY 1;
SELECT person_id FROM told_ws.memberships WHERE audience_id = 'vips' AND person_id IN ('12', '14');

-- Rights: the owner's; a reader who was granted the tables reads batches, and changes nothing.
CREATE ROLE told_reader;
SELECT max(batch) AS readable FROM told_ws.crm_row JOIN told_ws.crm_batch USING (batch) WHERE whole \gset
GRANT USAGE ON SCHEMA told_ws TO told_reader;
SET ROLE told_reader;
SELECT count(*) FROM crm_rows('told_ws', :readable);
RESET ROLE;
GRANT SELECT ON told_ws.crm_destination, told_ws.crm_batch, told_ws.crm_part, told_ws.crm_row, told_ws.crm_sent TO told_reader;
SET ROLE told_reader;
SELECT count(*) > 0 AS rows FROM crm_rows('told_ws', :readable);
SELECT count(*) > 0 AS files FROM crm_files('told_ws', :readable);
SELECT count(*) > 0 AS destinations FROM crm_status('told_ws');
SELECT crm_sync('told_ws', 'moves');
SELECT crm_take('told_ws', 'thief');
RESET ROLE;
SELECT drop_workspace('told_ws', true);
REVOKE ALL ON SCHEMA told FROM told_reader;
DROP ROLE told_reader;
DROP SCHEMA told CASCADE;
