-- What tools/hostile takes its arguments from: good values of every type, made by the extension itself,
-- spoilt copies of them, and values that are hostile to anything of their type.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION segmentation;
SET search_path = public, segmentation;
CREATE SCHEMA hostile;

-- A number below `n` that depends on `salt` only: all choices are made by it, so a seed says everything.
CREATE FUNCTION hostile.pick(salt text, n integer) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN mod(mod(hashtextextended(salt, 16), n) + n, n)::integer;

-- Text for every type: SQL expressions, so that a megabyte is written in a few bytes.
CREATE TABLE hostile.pool (type text, expression text);
INSERT INTO hostile.pool SELECT 'text', expression FROM unnest(ARRAY[
  $$''$$, $$' '$$, $$'x'$$, $$'0'$$, $$'-1'$$, $$'NaN'$$, $$'Infinity'$$, $$'null'$$, $$'{}'$$, $$'[]'$$, $$'%'$$, $$'_'$$, $$'\'$$, $$E'\n'$$, $$E'a\tb\r\nc'$$,
  $$E'\x01\x7f'$$, $$U&'\00A0'$$, $$U&'\202Eabc\202C'$$, $$U&'\FEFF'$$, $$U&'e\0301'$$, $$U&'\+01F600'$$, $$U&'\+01F468\200D\+01F469'$$, $$'İıßſ'$$, $$'éÉœŒ'$$, $$'ﬀ'$$,
  $$''';--'$$, $$'"'$$, $q$'$$'$q$, $$'%s %I %L'$$, $$'{0} {x} {{'$$, $$'..'$$, $$'a.b'$$, $$'"a"."b"'$$, $$'pg_catalog'$$, $$'1e400'$$, $$'2024-02-30'$$, $$'9999-12-31'$$,
  $$'infinity'$$, $$'Europe/Paris'$$, $$'UTC'$$, $$'+25:00'$$, $$'en'$$, $$'fr'$$, $$'xx'$$, $$'73282932000074'$$, $$'732829320'$$, $$'FR44732829320'$$, $$'000000000'$$,
  $$'a@b.fr'$$, $$'@'$$, $$'a@'$$, $$'<a@b.fr'$$, $$'Directeur général adjoint'$$, $$'Mo-Fr 08:00-12:00,14:00-18:00'$$, $$'24/7'$$, $$'Mo-Su 99:99-00:00'$$, $$'01.11Z'$$, $$'0111Z'$$,
  $$'99999'$$, $$'20A01'$$, $$repeat('x', 63)$$, $$repeat('é', 100)$$, $$repeat('a', 200)$$, $$repeat('a', 256)$$, $$repeat('x', 1000000)$$, $$repeat('é ', 300000)$$, $$repeat('9', 100000)$$,
  $$repeat('(', 20000)$$, $$repeat('Mo-Fr 08:00-12:00;', 2000)$$, $$repeat('a@b.', 3000)$$, $$repeat('%', 5000)$$, $$repeat('{x}', 5000)$$]) AS expression;
INSERT INTO hostile.pool SELECT 'double precision', quote_literal(value) FROM unnest(ARRAY[
  '0', '-0', '1', '-1', '0.5', '0.1', '0.95', '1.0000000000000002', '0.9999999999999999', '2', '7', '10', '11', '30', '100', '-100', '365', '1000', '1e6', '1e9', '2147483647', '2147483648',
  '9007199254740993', '9.3e18', '1e15', '1e16', '1e300', '1e308', '-1e308', '1.7976931348623157e308', '1e-300', '5e-324', '-5e-324', '1e-17', 'NaN', 'Infinity', '-Infinity', '48.85', '2.35', '-91', '90', '180']) AS value;
INSERT INTO hostile.pool SELECT 'real', expression FROM hostile.pool WHERE type = 'double precision' AND expression !~ 'e-?3\d\d|e308';
INSERT INTO hostile.pool SELECT 'numeric', quote_literal(value) FROM unnest(ARRAY[
  '0', '1', '-1', '0.5', '0.0001', '0.00005', '-0.00005', '0.95', '10', '100', '12345.67', '922337203685477.5807', '922337203685477.5808', '-922337203685477.5808', '-922337203685477.5809', '1e20', '1e-20', '1e300',
  '1e1000', '-1e1000', '1e131071', '1e-16383', 'NaN', 'Infinity', '-Infinity', '3.0', '2147483648', '9223372036854775808', '99999999999999999999999999.9999']) AS value;
INSERT INTO hostile.pool SELECT 'smallint', quote_literal(value) FROM unnest('{0,1,-1,2,5,7,12,28,100,365,9999,32767,-32768}'::text[]) AS value;
INSERT INTO hostile.pool SELECT 'integer', quote_literal(value) FROM unnest('{0,1,-1,2,3,5,7,10,12,28,31,64,100,168,365,1000,2024,9999,65536,1000000,2147483647,2147483646,-2147483648,-2147483647}'::text[]) AS value;
INSERT INTO hostile.pool SELECT 'bigint', quote_literal(value) FROM unnest('{0,1,-1,2,5,10,100,1000,1000000,2147483648,4294967296,9007199254740993,922337203685477,922337203685478,9223372036854775807,-9223372036854775808,-9223372036854775807}'::text[]) AS value;
INSERT INTO hostile.pool SELECT 'boolean', quote_literal(value) FROM unnest('{true,false}'::text[]) AS value;
INSERT INTO hostile.pool SELECT 'date', quote_literal(value) FROM unnest(ARRAY[
  '2024-06-30', '2024-12-31', '2023-02-28', '2024-02-29', '2000-01-01', '1999-12-31', '1970-01-01', '0001-01-01', '0001-12-31 BC', '4713-01-01 BC', '9999-12-31', '9999-12-30', '10000-01-01', '5874897-12-31', 'infinity', '-infinity']) AS value;
INSERT INTO hostile.pool SELECT 'timestamp without time zone', quote_literal(value) FROM unnest(ARRAY[
  '2024-06-30', '2024-03-31 02:30', '2024-02-29 23:59:59.999999', '0001-01-01', '4713-01-01 BC', '9999-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999', 'infinity', '-infinity']) AS value;
INSERT INTO hostile.pool SELECT 'timestamp with time zone', expression FROM hostile.pool WHERE type = 'timestamp without time zone' AND expression !~ '4713|294276';
INSERT INTO hostile.pool VALUES ('timestamp with time zone', $$'4713-01-02 BC UTC'$$), ('timestamp with time zone', $$'294276-12-31 23:59:59.999999 UTC'$$);
INSERT INTO hostile.pool SELECT 'interval', quote_literal(value) FROM unnest(ARRAY[
  '0', '1 day', '30 days', '1 month', '3 months', '1 year', '10 years', '-1 day', '-1 month', '1 month -1 day', '1 second', '0.000001 seconds', '23:59:59', '1000 hours', '1000000 days', '2147483647 days', '-2147483648 days',
  '2147483647 months', '-2147483648 months', '178000000 years', '2562047788:00:54.775807']) AS value;
INSERT INTO hostile.pool SELECT 'jsonb', expression FROM unnest(ARRAY[
  $$'null'$$, $$'true'$$, $$'0'$$, $$'1e400'$$, $$'""'$$, $$'"x"'$$, $$'[]'$$, $$'{}'$$, $$'[null]'$$, $$'[[]]'$$, $$'{"": null}'$$, $$'{"a": 1, "a": 2}'$$, $$'{"a": 1e308, "b": -1e308, "c": 1e-400}'$$, $$'{"kind": null}'$$, $$'{"kind": "rules"}'$$,
  $$'{"kind": "purchase_model", "version": 1e30}'$$, $$'{"\u202e": "\u0001", "\ud83d\ude00": "\ufeff"}'$$, $$'{"as_of": "infinity"}'$$, $$'{"segments": {}}'$$, $$(repeat('[', 5000) || repeat(']', 5000))::jsonb$$,
  $$(repeat('{"a":', 200) || '1' || repeat('}', 200))::jsonb$$, $$(repeat('[', 127) || repeat(']', 127))::jsonb$$, $$(repeat('[', 130) || repeat(']', 130))::jsonb$$, $$('"' || repeat('x', 1000000) || '"')::jsonb$$,
  $$('{"x": ' || repeat('9', 100000) || '}')::jsonb$$, $$(SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 20000) AS n)$$, $$(SELECT jsonb_agg(n) FROM generate_series(1, 20000) AS n)$$,
  $$(SELECT jsonb_object_agg(n, jsonb_build_array(n, 'x')) FROM generate_series(1, 300) AS n)$$]) AS expression;
INSERT INTO hostile.pool SELECT 'json', expression FROM hostile.pool WHERE type = 'jsonb' AND expression !~ '::jsonb|SELECT';
INSERT INTO hostile.pool SELECT 'bytea', quote_literal(value) FROM unnest(ARRAY['', '\x', '\x00', '\x01', '\xff', '\x01ffffffffffffffffff', '\x0100000000000000000000000000000000', '\x0102030405060708']) AS value;
INSERT INTO hostile.pool VALUES ('bytea', $$decode(repeat('00', 300000), 'hex')$$), ('bytea', $$decode(repeat('ff', 300000), 'hex')$$);
INSERT INTO hostile.pool SELECT 'bit', expression FROM unnest(ARRAY[$$B''$$, $$B'1'$$, $$repeat('1', 168)::bit(168)$$, $$repeat('0', 168)::bit(168)$$, $$repeat('01', 84)::bit(168)$$, $$repeat('1', 167)::bit(167)$$, $$repeat('1', 100000)::bit(100000)$$]) AS expression;
INSERT INTO hostile.pool SELECT 'name', expression FROM unnest(ARRAY[$$''$$, $$'attributes'$$, $$'customer_id'$$, $$'we"ird'$$, $$'x''y'$$, $$E'a\nb'$$, $$'no_such'$$, $$repeat('é', 31)$$]) AS expression;
INSERT INTO hostile.pool SELECT 'regclass', quote_literal(value) FROM unnest(ARRAY[
  '0', '4294967295', 'pg_catalog.pg_class', 'hostile.pool', 'hostile.wide', 'hostile.ghost', 'hostile.parts', 'hostile.parts_1', 'hostile.seen', 'hostile."we""ird t''able"', 'hostile.numbers', 'shop.orders', 'shop.customers',
  'shop.order_lines', 'shop.contacts', 'shop.consents', 'shop.products', 'shop.orders_pkey', 'segmentation.label', 'crm.customer_scores', 'crm.customer_facts']) AS value;
INSERT INTO hostile.pool SELECT 'regtype', quote_literal(value) FROM unnest(ARRAY['bigint', 'text', 'integer', 'uuid', 'jsonb', 'anyelement', '0', 'segmentation.rfm', 'integer[]', 'bpchar']) AS value;
INSERT INTO hostile.pool SELECT '"char"', quote_literal(value) FROM unnest('{"",r,v,é}'::text[]) AS value;
INSERT INTO hostile.pool SELECT 'record', expression FROM unnest(ARRAY[
  $$ROW()$$, $$ROW(NULL)$$, $$ROW(1, 'x', NULL)$$, $$(SELECT w FROM hostile.wide AS w LIMIT 1)$$, $$(SELECT o FROM shop.customers AS o LIMIT 1)$$, $$ROW(repeat('x', 100000), '{}'::jsonb, ARRAY[1, 2], 'NaN'::float8, date 'infinity')$$,
  $$ROW('2024-01-01'::date, interval '1 day', 1e1000::numeric)$$, $$(SELECT p FROM hostile.parts AS p LIMIT 1)$$]) AS expression;
INSERT INTO hostile.pool SELECT 'int4range', quote_literal(value) FROM unnest(ARRAY['empty', '(,)', '[1,5)']) AS value;
INSERT INTO hostile.pool SELECT 'daterange', quote_literal(value) FROM unnest(ARRAY['empty', '(,)', '[2024-01-01,2024-02-01)']) AS value;
INSERT INTO hostile.pool SELECT 'cstring', expression FROM hostile.pool WHERE type = 'text' AND expression ~ '^''[^\\]*''$';

-- Relations of unusual kinds and names.
CREATE TABLE hostile.wide (id bigint, "a b" text, "q""uote" numeric, j jsonb, d date, n double precision, t text[], c char(10));
INSERT INTO hostile.wide VALUES (1, E'x''"\n', 'NaN', '{"a": [1, {"b": null}]}', 'infinity', '-Infinity', '{NULL,x}', 'Paris'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE hostile.ghost ();
CREATE TABLE hostile.parts (id integer, on_day date) PARTITION BY LIST (id);
CREATE TABLE hostile.parts_1 PARTITION OF hostile.parts FOR VALUES IN (1);
INSERT INTO hostile.parts VALUES (1, '-infinity');
CREATE VIEW hostile.seen AS SELECT 1 / 0 AS customer_id, now()::date AS purchased_on;
CREATE TABLE hostile."we""ird t'able" (customer_id text, purchased_on timestamptz, amount double precision);
INSERT INTO hostile."we""ird t'able" VALUES ('', 'infinity', 'NaN'), (E'\n''"', '2024-01-01', 1e308);
CREATE SEQUENCE hostile.numbers;

-- Good values: a small shop of its own, and what every aggregate makes of it.
SELECT count(*) AS tables FROM simulate_shop('shop', 150, 16, '2023-01-01', '2024-12-31') \gset
CREATE TABLE hostile.customer AS
  SELECT c.customer_id, h.history, i.items, k.contacts, s.consents, a.interactions
  FROM shop.customers AS c
  LEFT JOIN (SELECT customer_id, purchase_history(ordered_on, amount) AS history FROM shop.orders GROUP BY 1) AS h USING (customer_id)
  LEFT JOIN (SELECT customer_id, item_history(product_id::text, ordered_on, quantity, amount) AS items FROM shop.order_lines GROUP BY 1) AS i USING (customer_id)
  LEFT JOIN (SELECT customer_id, contact_history(channel, sent_at::date, response) AS contacts FROM shop.contacts GROUP BY 1) AS k USING (customer_id)
  LEFT JOIN (SELECT customer_id, consent_history(channel, granted, changed_on) AS consents FROM shop.consents GROUP BY 1) AS s USING (customer_id)
  LEFT JOIN (SELECT customer_id, interaction_history(kind, occurred_at::date) AS interactions FROM shop.interactions GROUP BY 1) AS a USING (customer_id);

CREATE TABLE hostile.thing (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, good boolean DEFAULT true, value jsonb);
INSERT INTO hostile.thing (kind, value)
  SELECT 'purchase_model', fit_purchase_model(history, '2024-12-31', jsonb_build_object('family', family))
  FROM hostile.customer, unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,auto}'::text[]) AS family GROUP BY family;
INSERT INTO hostile.thing (kind, value)
  SELECT 'churn_stack', fit_churn_stack(history, contacts, interactions, '2024-12-31', jsonb_build_object('horizon', horizon, 'lost', 0.8))
  FROM hostile.customer, unnest('{30 days,400 days}'::text[]) AS horizon GROUP BY horizon;
INSERT INTO hostile.thing (kind, value) SELECT 'value_stack', fit_value_stack(history, '2024-12-31') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'spend_model', fit_spend_model(history, '2024-12-31', '{"family": "gamma_gamma"}') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'spend_model', fit_spend_model(history, '2024-12-31') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'spend_model', fit_spend_model(history, '2024-12-31', '{"transactions": "all"}') FROM hostile.customer;
CREATE TABLE hostile.features AS
  SELECT customer_id, history_features(history, '2024-06-30') || jsonb_build_object('channel', customer_id % 3, 'fan', customer_id % 2 = 0, 'city', 'c' || customer_id % 4) AS features, customer_id % 3 = 1 AS left
  FROM hostile.customer WHERE history IS NOT NULL;
INSERT INTO hostile.thing (kind, value) SELECT 'churn_model', fit_churn_model("left", features, '{"ridge": 1}'::jsonb) FROM hostile.features;
INSERT INTO hostile.thing (kind, value) SELECT 'features', features FROM hostile.features LIMIT 3;
INSERT INTO hostile.thing (kind, value) SELECT 'features', to_jsonb(c) FROM shop.customers AS c LIMIT 3;
INSERT INTO hostile.thing (kind, value) SELECT 'lookalike_model', fit_lookalike("left", features) FROM hostile.features;
INSERT INTO hostile.thing (kind, value)
  SELECT 'retention_model', fit_retention_model(date '2022-01-01' + n % 300, CASE WHEN n % 3 = 0 THEN date '2022-01-01' + n % 300 + n * 7 % 600 + 1 END, '2024-12-31', jsonb_build_object('plan', n % 2), o::jsonb)
  FROM generate_series(1, 200) AS n, unnest(ARRAY['{}', '{"family": "shifted_beta_geometric"}', '{"family": "weibull"}', '{"unit": "1 year"}']) AS o
  WHERE o <> '{"family": "weibull"}' GROUP BY o;
INSERT INTO hostile.thing (kind, value)
  SELECT 'profile_model', fit_profile(ARRAY[n % 3 + n * 0.001, n % 5, n % 7], o::jsonb) FROM generate_series(1, 120) AS n, unnest(ARRAY['{"k": 3}', '{"k": 2, "method": "gaussian_mixture"}', '{"k": [2, 4], "names": ["a", "b", "c"]}']) AS o GROUP BY o;
INSERT INTO hostile.thing (kind, value) SELECT 'profile_model', fit_profile(jsonb_build_object('a', n % 3 + n * 0.001, 'b', 'x' || n % 2), '{"k": 2}'::jsonb) FROM generate_series(1, 60) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'channel_model', fit_channel_model(contacts, 'all', '2024-12-31') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'channel_model', fit_channel_model(contacts, (customer_id % 2)::text, '2024-12-31', '{"opens": true}') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'send_time_model', fit_send_time(send_hours(ARRAY(SELECT (g * n % 7)::float8 FROM generate_series(1, 168) AS g))) FROM generate_series(1, 20) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'counts', jsonb_build_object('baby', n % 3, 'garden', n % 5, 'travel', 1) FROM generate_series(1, 3) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'interest_model', fit_interest_model(value) FROM hostile.thing WHERE kind = 'counts';
INSERT INTO hostile.thing (kind, value) SELECT 'loyalty_prior', fit_loyalty_prior(history, '2024-12-31') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'calibration', calibrate(n * 0.005, n * 7 % 200 < n) FROM generate_series(0, 200) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'calibration', calibrate(n * 0.005, n * 7 % 200 < n, '{"method": "logistic"}') FROM generate_series(0, 200) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'profit_curve', profit_curve(n * 0.005, n * 7 % 200 < n, '{"kept_value": 10, "contact_cost": 1, "success_rate": 0.5}') FROM generate_series(0, 200) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'matrix', migration_matrix('a' || n % 3, 'b' || n % 4) FROM generate_series(1, 30) AS n;
INSERT INTO hostile.thing (kind, value) SELECT 'appetence_quality', appetence_quality(items, '2024-10-31', '{"horizon": 30}') FROM hostile.customer;
INSERT INTO hostile.thing (kind, value) SELECT 'definition', segment_template(name) FROM segmentation.segment_template;
INSERT INTO hostile.thing (kind, value)
  SELECT 'rfm_map', value::jsonb FROM unnest(ARRAY['{"bins": 2, "first_match": true, "segments": [{"segment": "a", "r": [1, 2], "f": [1, 2], "m": [1, 2]}]}']) AS value;
INSERT INTO hostile.thing (kind, value)
  SELECT 'definition', value::jsonb FROM unnest(ARRAY[
    '{"kind": "rules", "segments": [{"segment": "big", "when": {"all": [{"field": "turnover", ">=": 100}, {"not": {"field": "city", "in": ["c1", "c2"]}}]}}, {"segment": "old", "when": {"field": "d", "<": {"days_ago": 30}}}], "default": "rest"}',
    '{"kind": "scorecard", "base": 1, "points": [{"when": {"field": "purchases", ">": 2}, "points": 5}], "bands": [{"segment": "low", "from": 0}, {"segment": "high", "from": 5}]}']) AS value;
INSERT INTO hostile.thing (kind, value) SELECT 'settings', '{"churn_horizon": "90 days", "profile_k": [2, 3], "notify": true}';

-- A workspace, and one with a name that needs quoting.
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchases', 'shop.orders'::regclass), ('purchase_lines', 'shop.order_lines'), ('products', 'shop.products'),
             ('customers', 'shop.customers'), ('attribute_history', 'shop.attribute_history'), ('contacts', 'shop.contacts'),
             ('interactions', 'shop.interactions'), ('consents', 'shop.consents'), ('subscriptions', 'shop.subscriptions')) AS s (kind, relation) \gset
CALL refresh('crm', '2024-12-31');
SELECT create_workspace(E'we"ird ''w\\%s', 'text');
SELECT add_source(E'we"ird ''w\\%s', 'purchases', 'shop.orders') IS NULL AS added \gset
CALL refresh(E'we"ird ''w\\%s', '2024-12-31');
INSERT INTO hostile.thing (kind, value) SELECT 'settings', segmentation_internal.workspace_settings_now('crm');
INSERT INTO hostile.thing (kind, value) SELECT 'row', to_jsonb(f) FROM crm.customer_scores AS f LIMIT 2;

-- A value with something changed: a field gone, another type, a number out of all bounds. `salt` says what.
CREATE FUNCTION hostile.spoilt(value jsonb, salt text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  places text[];
  place text[];
  spoilt jsonb := value;
  instead jsonb;
BEGIN
  FOR round IN 0 .. hostile.pick(salt || 'rounds', 3) LOOP
    WITH RECURSIVE part (path, part) AS (
      SELECT '{}'::text[], spoilt
      UNION ALL
      SELECT path || c.key, c.value
      FROM part
      CROSS JOIN LATERAL (
        SELECT key, e.value FROM jsonb_each(CASE jsonb_typeof(part) WHEN 'object' THEN part END) AS e
        UNION ALL
        (SELECT (n - 1)::text, a.value FROM jsonb_array_elements(CASE jsonb_typeof(part) WHEN 'array' THEN part END) WITH ORDINALITY AS a (value, n) LIMIT 20)
      ) AS c
      WHERE cardinality(path) < 6
    ), numbered AS (SELECT path, row_number() OVER (ORDER BY cardinality(path), path) - 1 AS n, count(*) OVER () AS of FROM part WHERE path <> '{}')
    SELECT path INTO place FROM numbered WHERE n = hostile.pick(salt || 'place' || round, of::integer);
    EXIT WHEN place IS NULL;
    instead := (ARRAY[
      'null', '"NaN"', '1e400', '-1', '0', '1', '0.5', '1e308', '-1e308', '1e-320', '1e15', '4294967296', '18446744073709551616', '""', '"x"', '[]', '{}', 'true', '"9999-12-31"', '"0001-01-01"', '[[]]', '[1, 2, 3]', '["a", "a"]', '{"": {}}'
    ])[1 + hostile.pick(salt || 'instead' || round, 24)]::jsonb;
    spoilt := CASE hostile.pick(salt || 'how' || round, 5)
      WHEN 0 THEN spoilt #- place
      WHEN 1 THEN jsonb_insert(spoilt, place || '?'::text, instead, true)
      WHEN 2 THEN CASE WHEN cardinality(place) > 1 AND jsonb_typeof(spoilt #> place[: cardinality(place) - 1]) = 'array' THEN jsonb_insert(spoilt, place, spoilt #> place) ELSE jsonb_set(spoilt, place, instead) END
      ELSE jsonb_set(spoilt, place, instead)
    END;
  END LOOP;
  RETURN spoilt;
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation THEN
  RETURN value;
END
$$;

-- Text with some of it changed; of hexadecimal digits, with numbers of eight bytes that are limits of something.
CREATE FUNCTION hostile.spoilt(value text, salt text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  hex boolean := value LIKE '\\x%';
  spoilt text := value;
  place integer;
  instead text;
BEGIN
  FOR round IN 0 .. hostile.pick(salt || 'rounds', 2) LOOP
    place := 3 + hostile.pick(salt || 'place' || round, greatest(length(spoilt) - 3, 1));
    instead := CASE WHEN hex
      THEN (ARRAY['00', '01', '7f', '80', 'ff', 'ffffffffffffffff', '000000000000f07f', '000000000000f87f', '0000000000000080', '0000000000000000', 'ffffffffffffff7f', 'ffffffffffffefff', 'ffffff7f', '00000080'])
        [1 + hostile.pick(salt || 'instead' || round, 14)]
      ELSE (ARRAY['0', '9', '-', ':', ',', '"', '\', '}', '4294967295', '9999-12-31', '0001-01-01', '0.00005', '1e9', ' '])[1 + hostile.pick(salt || 'instead' || round, 14)]
    END;
    IF hex THEN
      place := place - (place + 1) % 2;
    END IF;
    spoilt := CASE hostile.pick(salt || 'how' || round, 6)
      WHEN 0 THEN left(spoilt, place - 1)
      WHEN 1 THEN left(spoilt, place - 1) || instead || substr(spoilt, place)
      ELSE overlay(spoilt PLACING instead FROM place)
    END;
  END LOOP;
  RETURN spoilt;
END
$$;

INSERT INTO hostile.thing (kind, good, value)
  SELECT kind, false, hostile.spoilt(value, :'seed' || id || '/' || n) FROM hostile.thing, generate_series(1, :spoilt) AS n;
CREATE INDEX ON hostile.thing (kind);

-- Values of the extension's own types: good ones, and spoilt ones that its input function takes. What it refuses
-- with words of its own is well; an internal error is noted.
CREATE TABLE hostile.fault (statement text, state text, message text);
CREATE PROCEDURE hostile.keep(type text, made text) LANGUAGE plpgsql AS $$
DECLARE
  relation text := format('hostile.%I', 'v_' || type);
  t text;
  spoilt text;
  n integer := 0;
BEGIN
  EXECUTE format('CREATE TABLE %s (id integer GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), v segmentation.%I)', relation, type);
  EXECUTE format('INSERT INTO %s (v) %s', relation, made);
  FOR t IN EXECUTE format('SELECT v::text FROM %s', relation) LOOP
    CONTINUE WHEN t IS NULL OR length(t) > 20000;
    FOR k IN 1 .. current_setting('hostile.spoilt')::integer LOOP
      n := n + 1;
      spoilt := hostile.spoilt(t, current_setting('hostile.seed') || type || n);
      BEGIN
        EXECUTE format('INSERT INTO %s (v) VALUES (%L)', relation, spoilt);
      EXCEPTION
        WHEN internal_error OR data_corrupted THEN
          INSERT INTO hostile.fault VALUES (format('SELECT %L::%I', left(spoilt, 1000), type), SQLSTATE, SQLERRM);
        WHEN OTHERS THEN
          NULL;
      END;
    END LOOP;
  END LOOP;
END
$$;
SET hostile.spoilt = :'spoilt';
SET hostile.seed = :'seed';
CALL hostile.keep('purchase_history', $$(SELECT history FROM hostile.customer LIMIT 6) UNION ALL SELECT v::purchase_history FROM unnest('{"{}","{2024-01-01:1:1}","{2024-01-01:0:-5}","{0001-01-01:1:1,9999-12-31:4000000000:922337203685477.5807}"}'::text[]) AS v$$);
CALL hostile.keep('item_history', 'SELECT items FROM hostile.customer LIMIT 6');
CALL hostile.keep('contact_history', 'SELECT contacts FROM hostile.customer LIMIT 6');
CALL hostile.keep('consent_history', 'SELECT consents FROM hostile.customer LIMIT 6');
CALL hostile.keep('interaction_history', 'SELECT interactions FROM hostile.customer LIMIT 6');
CALL hostile.keep('rfm_values', $$SELECT rfm_values(history, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 3$$);
CALL hostile.keep('turnover_values', 'SELECT turnover_values(turnover(history)) FROM hostile.customer GROUP BY customer_id % 3');
CALL hostile.keep('purchase_cells', $$SELECT purchase_cells(history, '2024-12-31', o::jsonb) FROM hostile.customer, unnest('{"{}","{\"horizon\": \"91 days\"}"}'::text[]) AS o GROUP BY customer_id % 3, o$$);
CALL hostile.keep('spend_cells', $$SELECT spend_cells(history, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 3$$);
CALL hostile.keep('churn_rows', 'SELECT churn_rows("left", features) FROM hostile.features GROUP BY customer_id % 3');
CALL hostile.keep('value_stack_rows', $$SELECT value_stack_rows(history, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 3$$);
CALL hostile.keep('churn_stack_rows', $$SELECT churn_stack_rows(history, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 3$$);
CALL hostile.keep('contracts', $$SELECT contracts(date '2022-01-01' + n % 300, CASE WHEN n % 3 = 0 THEN date '2022-11-01' + n % 300 END, '2024-12-31', jsonb_build_object('plan', n % 2)) FROM generate_series(1, 90) AS n GROUP BY n % 4$$);
CALL hostile.keep('profile_rows', 'SELECT profile_rows(ARRAY[n % 3, n % 5 * 0.1]) FROM generate_series(1, 60) AS n GROUP BY n % 2');
CALL hostile.keep('basket_counts', $$SELECT basket_counts(ARRAY['a' || n % 3, 'b' || n % 5, 'c']) FROM generate_series(1, 90) AS n GROUP BY n % 2$$);
CALL hostile.keep('channel_cells', $$SELECT channel_cells(contacts, (customer_id % 2)::text, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 3$$);
CALL hostile.keep('affinity_rows', $$SELECT affinity_rows(items, '2024-12-31') FROM (SELECT * FROM hostile.customer LIMIT 30) AS c GROUP BY customer_id % 3$$);
CALL hostile.keep('product_affinity', $$SELECT fit_product_affinity(items, '2024-12-31') FROM hostile.customer GROUP BY customer_id % 2$$);
CALL hostile.keep('send_hours', 'SELECT send_hours(ARRAY(SELECT (g * n % 7)::float8 FROM generate_series(1, 168) AS g)) FROM generate_series(1, 4) AS n');
CALL hostile.keep('send_time_cells', 'SELECT send_time_cells(v) FROM hostile.v_send_hours GROUP BY id % 2');
CALL hostile.keep('uplift_values', 'SELECT uplift_values(n % 3 = 0, n % 7 = 0) FROM generate_series(1, 60) AS n GROUP BY n % 2 UNION ALL SELECT uplift_values(n % 3 = 0, n * 0.5) FROM generate_series(1, 60) AS n');
CALL hostile.keep('rfm_cuts', $$SELECT rfm_cuts(v, jsonb_build_object('bins', b)) FROM hostile.v_rfm_values, unnest('{2,5}'::int[]) AS b$$);
CALL hostile.keep('pmg_cuts', 'SELECT pmg_cuts(v) FROM hostile.v_turnover_values');

-- Literals that the tests and the pages use beside the name of a function: what it expects.
CREATE TABLE hostile.line (n integer GENERATED ALWAYS AS IDENTITY, line text);
