-- segment_assign, segment_memberships and the SQL of segment_sql say the same of every row; of a record what they say of
-- its object, in which character(n) has no blanks at its end, as in SQL.
CREATE SCHEMA segment_property;
SET search_path = segment_property, segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';

-- Rows of every type, with NULL, NaN, infinities, other calendars' ends, odd names.
CREATE TYPE mood AS ENUM ('a', 'b', 'é');
CREATE TABLE any_row (
  id integer, i integer, big bigint, num numeric, money numeric(12, 2), f double precision, r real, t text, v varchar(12), ch char(4),
  b boolean, d date, ts timestamp, tz timestamptz, m mood, j jsonb, la text[], li integer[], ev jsonb, "o""k\y'; --" text
);
CREATE TABLE any_json (id integer, attributes jsonb);

CREATE FUNCTION pick(VARIADIC choice text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choice[1 + floor(random() * cardinality(choice))::integer] $$;
CREATE FUNCTION a_number() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT pick('0', '1', '2', '-1', '3', '1.0', '0.1', '0.10', '-0.1', '100', '1e3', '12345678901234567890', '0.3333333333333333', '10000', '9999.9999', '0.0001', '-123456789.123456789', '1e-30', '1e30') $$;
CREATE FUNCTION a_text() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT pick('', 'a', 'b', 'A', 'é', 'ab', 'a%', 'a_c', 'abc', 'x''y', 'back\slash', '"quoted"', 'true', '1', 'null', 'zz', 'Ünïcödé', '2024-01-31', E'line\nfeed', '€') $$;
CREATE FUNCTION a_day() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT pick('2024-01-31', '2024-02-29', '2024-03-01', '2023-12-31', '2024-02-15', '0001-01-01', '9999-12-31', '2024-03-31', '2024-02-28') $$;
CREATE FUNCTION an_event() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT CASE floor(random() * 12)::integer
    WHEN 0 THEN jsonb_build_object('what', a_text()) WHEN 1 THEN 'null' WHEN 2 THEN to_jsonb(a_number()::numeric)
    WHEN 3 THEN jsonb_build_object('date', a_text(), 'amount', a_text())
    ELSE jsonb_build_object('date', (date '2024-01-15' + floor(random() * 70)::integer)::text, 'amount', a_number()::numeric, 'what', pick('a', 'b', 'c')) END $$;
CREATE FUNCTION events() RETURNS jsonb LANGUAGE sql VOLATILE AS $$ SELECT coalesce(jsonb_agg(an_event()), '[]') FROM generate_series(1, floor(random() * 8)::integer) $$;
CREATE FUNCTION a_value() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT CASE floor(random() * 8)::integer WHEN 0 THEN 'null' WHEN 1 THEN to_jsonb(a_number()::numeric) WHEN 2 THEN to_jsonb(a_text())
    WHEN 3 THEN to_jsonb(random() < 0.5) WHEN 4 THEN to_jsonb(a_day() || pick('', 'T10:00:00', ' 23:00:00+01', ' BC', 'x'))
    WHEN 5 THEN jsonb_build_array(a_text(), a_number()::numeric, true, null, jsonb_build_array('a', 1))
    WHEN 6 THEN jsonb_build_object('x', a_text(), 'y', jsonb_build_object('z', a_number()::numeric)) ELSE events() END $$;
CREATE FUNCTION seldom(value text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT CASE WHEN random() < 0.8 THEN value END $$;

SELECT setseed(0.5);
INSERT INTO any_row
SELECT n, seldom(floor(random() * 4 - 1)::text)::integer, seldom(pick('0', '1', '9223372036854775807', '-9223372036854775808', '10000', '3'))::bigint,
  seldom(CASE WHEN random() < 0.2 THEN pick('NaN', 'Infinity', '-Infinity') ELSE a_number() END)::numeric,
  seldom(pick('0.10', 'NaN', '100', '9999.99', '-1'))::numeric,
  seldom(CASE WHEN random() < 0.2 THEN pick('NaN', 'Infinity', '-Infinity', '1e300') ELSE a_number() END)::double precision,
  seldom(pick('0.1', '1', '3', '0.3333333333333333', 'NaN', '-1', '1e10'))::real,
  seldom(a_text()), seldom(a_text()), seldom(pick('a', 'b', 'ab', 'é')), (seldom(pick('true', 'false')))::boolean,
  seldom(CASE WHEN random() < 0.15 THEN pick('infinity', '-infinity', '0044-03-15 BC', '20240-01-31') ELSE a_day() END)::date,
  seldom(pick('2024-01-31 00:00', '2024-02-29 23:59:59.9', 'infinity', '0044-03-15 10:00 BC', '12024-01-01 00:00'))::timestamp,
  seldom(pick('2024-01-31 23:30+00', '2024-02-29 22:59+00', 'infinity', '0044-03-15 10:00+00 BC'))::timestamptz,
  seldom(pick('a', 'b', 'é'))::mood, CASE WHEN random() < 0.8 THEN a_value() END,
  CASE WHEN random() < 0.8 THEN ARRAY[a_text(), a_text(), NULL] END, CASE WHEN random() < 0.8 THEN ARRAY[floor(random() * 3)::integer, 1000] END,
  CASE WHEN random() < 0.8 THEN events() END, seldom(a_text())
FROM generate_series(1, 60) AS n;
-- JSON rows: the same, and rows whose fields have any type.
INSERT INTO any_json SELECT id, to_jsonb(any_row) FROM any_row;
INSERT INTO any_json
SELECT 60 + n, (SELECT coalesce(jsonb_object_agg(k, a_value()), '{}') FROM unnest('{i,big,num,money,f,r,t,v,ch,b,d,ts,tz,m,j,la,li,ev}'::text[]) AS k WHERE random() < 0.8)
  || jsonb_build_object('o"k\y''; --', a_value())
FROM generate_series(1, 40) AS n;
-- Objects too large to be searched from the first key on, and large numbers of keys of one length.
INSERT INTO any_json
SELECT 100 + n, (SELECT jsonb_object_agg(left(md5(k::text), 2 + k % 3), a_value()) FROM generate_series(1, 100 * n) AS k) || attributes
FROM generate_series(1, 4) AS n JOIN any_json ON id = n;

-- Definitions of any shape.
CREATE FUNCTION a_field() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT pick('i', 'big', 'num', 'money', 'f', 'r', 't', 'v', 'ch', 'b', 'd', 'ts', 'tz', 'm', 'j', 'la', 'li', 'ev', 'o"k\y''; --') $$;
CREATE FUNCTION a_date() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT CASE floor(random() * 4)::integer WHEN 0 THEN jsonb_build_object('days_ago', floor(random() * 60 - 5)::integer)
    WHEN 1 THEN jsonb_build_object('months_ago', floor(random() * 4)::integer) WHEN 2 THEN jsonb_build_object('years_ago', floor(random() * 3)::integer)
    ELSE jsonb_build_object('date', a_day()) END $$;
CREATE FUNCTION an_operand(kind integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT CASE kind WHEN 0 THEN to_jsonb(a_number()::numeric) WHEN 1 THEN to_jsonb(a_text()) WHEN 2 THEN a_date() ELSE to_jsonb(random() < 0.5) END $$;
CREATE FUNCTION operands(kind integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_agg(an_operand(kind)) FROM generate_series(1, 1 + floor(random() * 4)::integer) $$;
CREATE FUNCTION a_test(field jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  -- Mostly what suits the field, so that it is often known.
  kind integer := CASE WHEN random() < 0.7 THEN CASE
    WHEN field <@ '["i", "big", "num", "money", "f", "r", "amount"]' THEN 0 WHEN field <@ '["t", "v", "ch", "m", "what"]' THEN 1
    WHEN field <@ '["d", "ts", "tz", "date"]' THEN 2 WHEN field = '"b"' THEN 3 END END;
  sign text;
BEGIN
  kind := coalesce(kind, floor(random() * 4)::integer);
  sign := CASE WHEN kind = 3 THEN pick('=', '<>') ELSE pick('=', '<>', '<', '<=', '>', '>=') END;
  RETURN jsonb_build_object('field', field) || CASE
    WHEN random() < 0.5 THEN jsonb_build_object(sign, an_operand(kind))
    WHEN random() < 0.3 THEN jsonb_build_object(pick('in', 'not_in'), operands(kind))
    WHEN random() < 0.2 AND kind < 3 THEN jsonb_build_object('between', jsonb_build_array(an_operand(kind), an_operand(kind)))
    WHEN random() < 0.2 THEN jsonb_build_object('is_null', random() < 0.5)
    WHEN random() < 0.3 THEN jsonb_build_object('starts_with', a_text())
    WHEN random() < 0.4 THEN jsonb_build_object('like', pick('a%', '%', '_', '%b%', '_b', 'a\_c', 'back\\%', '%é', '%''%', ''))
    WHEN random() < 0.5 AND kind <> 2 THEN jsonb_build_object('contains', an_operand(kind))
    WHEN kind <> 2 THEN jsonb_build_object(pick('contains_any', 'contains_all'), operands(kind))
    ELSE jsonb_build_object('>=', an_operand(0), '<', an_operand(0)) END;
END $$;
CREATE FUNCTION a_condition(depth integer, event boolean) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  chance double precision := random();
  asked jsonb;
BEGIN
  IF depth > 0 AND chance < 0.5 THEN
    RETURN jsonb_build_object(pick('all', 'any'), (SELECT coalesce(jsonb_agg(a_condition(depth - 1, event)), '[]') FROM generate_series(1, floor(random() * 4)::integer)));
  ELSIF depth > 0 AND chance < 0.65 THEN
    RETURN jsonb_build_object('not', a_condition(depth - 1, event));
  ELSIF event THEN
    RETURN a_test(to_jsonb(pick('what', 'amount', 'date', 'zz')));
  ELSIF chance < 0.8 THEN
    asked := CASE floor(random() * 4)::integer
      WHEN 0 THEN jsonb_build_object('count', jsonb_build_object(pick('=', '>=', '<'), floor(random() * 4)::integer))
      WHEN 1 THEN jsonb_build_object('sum', jsonb_build_object('of', 'amount', pick('>=', '<', '='), a_number()::numeric))
      ELSE jsonb_build_object(pick('then', 'not_then'), a_condition(1, true), 'within_days', floor(random() * 30)::integer) END;
    RETURN jsonb_build_object('events', pick('ev', 'j', 'ev', 'ev')) || asked
      || CASE WHEN random() < 0.6 THEN jsonb_build_object('where', a_condition(1, true)) ELSE '{}' END
      || CASE floor(random() * 4)::integer WHEN 0 THEN jsonb_build_object('last_days', 1 + floor(random() * 40)::integer)
           WHEN 1 THEN jsonb_build_object('from', a_date()) WHEN 2 THEN jsonb_build_object('until', a_date()) ELSE '{}' END;
  END IF;
  RETURN a_test(CASE WHEN random() < 0.1 THEN pick('["j", "x"]', '["j", "y", "z"]', '["j"]')::jsonb ELSE to_jsonb(a_field()) END);
END $$;
CREATE FUNCTION a_definition() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  one jsonb := a_condition(3, false);
  two jsonb := a_condition(2, false);
BEGIN
  IF random() < 0.1 THEN
    RETURN jsonb_build_object('kind', 'scorecard', 'base', a_number()::numeric, 'default', 'none',
      'points', jsonb_build_array(jsonb_build_object('when', one, 'points', a_number()::numeric), jsonb_build_object('when', two, 'points', a_number()::numeric)),
      'bands', '[{"segment": "low", "from": 0}, {"segment": "high", "from": 1.1}, {"segment": "''top''", "from": 100}]'::jsonb);
  END IF;
  -- Whether a condition is true, false or unknown shows in the segment.
  RETURN jsonb_build_object('kind', 'rules', 'match', pick('first', 'all'), 'segments', jsonb_build_array(
      jsonb_build_object('segment', 'both''\"', 'when', jsonb_build_object('all', jsonb_build_array(one, two))),
      jsonb_build_object('segment', 'yes', 'when', one), jsonb_build_object('segment', 'no', 'when', jsonb_build_object('not', one)),
      jsonb_build_object('segment', 'also', 'when', two)))
    || CASE WHEN random() < 0.5 THEN '{"default": "unknown"}'::jsonb ELSE '{}' END;
END $$;

CREATE FUNCTION compare(definitions integer) RETURNS TABLE (definition jsonb, form text, id integer, assigned text, said text) LANGUAGE plpgsql AS $$
DECLARE
  n integer;
  of date := '2024-03-01';
BEGIN
  FOR n IN 1..definitions LOOP
    definition := a_definition();
    IF EXISTS (SELECT FROM segment_check(definition)) THEN
      RAISE EXCEPTION 'faulty: % %', definition, (SELECT string_agg(path || ' ' || fault, E'\n') FROM segment_check(definition));
    END IF;
    RETURN QUERY EXECUTE format($q$
      SELECT $1, form, id, assigned, said FROM (
        SELECT id, segment_assign($1, attributes, $2) AS assigned, segment_memberships($1, attributes, $2) AS memberships, %1$s AS by_sql, %2$s AS memberships_by_sql,
          segment_explain($1, attributes, $2) ->> 'segment' AS explained
        FROM any_json) AS t
      CROSS JOIN LATERAL (VALUES ('json sql', by_sql), ('memberships', memberships[1]), ('explain', explained),
        ('memberships sql', CASE WHEN memberships = memberships_by_sql THEN assigned ELSE memberships_by_sql::text END)) AS v (form, said)
      UNION ALL
      SELECT $1, form, id, assigned, said FROM (
        SELECT id, segment_assign($1, a_row, $2) AS assigned, segment_assign($1, to_jsonb(a_row) || jsonb_build_object('ch', a_row.ch::text), $2) AS as_json, segment_memberships($1, a_row, $2) AS memberships, %3$s AS by_sql, %4$s AS memberships_by_sql
        FROM any_row AS a_row) AS t
      CROSS JOIN LATERAL (VALUES ('record', as_json), ('columns sql', by_sql),
        ('columns memberships', CASE WHEN memberships = memberships_by_sql THEN assigned ELSE memberships_by_sql::text END)) AS v (form, said)
      $q$, segment_sql(definition, of), segment_sql(definition, of, memberships => true),
      segment_sql(definition, 'any_row'::regclass, of, 'a_row'), segment_sql(definition, 'any_row'::regclass, of, 'a_row', true))
      USING definition, of;
  END LOOP;
END $$;
SELECT setseed(0.25);
CREATE TEMP TABLE outcome AS SELECT * FROM compare(300);
SELECT count(DISTINCT definition) > 290 AS many_definitions, count(DISTINCT (form, id)) AS forms_and_rows FROM outcome;
-- Each answer comes often enough to mean something.
SELECT form, count(*) FILTER (WHERE assigned IS DISTINCT FROM said) AS differ FROM outcome GROUP BY form ORDER BY form;
SELECT assigned, count(*) > 500 AS often FROM outcome GROUP BY assigned ORDER BY assigned;
-- None:
SELECT * FROM outcome WHERE assigned IS DISTINCT FROM said ORDER BY length(definition::text), id LIMIT 5;
-- One call site that sees another definition, or another as_of, in every row.
SELECT count(*) > 10000 AS calls, count(*) FILTER (WHERE assigned IS DISTINCT FROM segment_assign(definition, attributes, '2024-03-01')) AS differ
FROM (SELECT definition, attributes, assigned FROM outcome JOIN any_json USING (id) WHERE form = 'json sql' ORDER BY id, md5(definition::text)) AS t;
SELECT count(*) AS differ FROM (
  SELECT d, attributes, of, segment_assign(d, attributes, of) AS together, row_number() OVER () FROM any_json
  CROSS JOIN (SELECT DISTINCT definition AS d FROM outcome ORDER BY 1 LIMIT 20) AS s CROSS JOIN (VALUES (date '2024-03-01'), ('2024-02-01')) AS v (of)) AS t
WHERE of = '2024-03-01' AND together IS DISTINCT FROM segment_assign(d, attributes, date '2024-03-01');
SET client_min_messages = warning;
DROP SCHEMA segment_property CASCADE;
