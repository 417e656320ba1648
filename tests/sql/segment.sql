-- Segments as definitions: assign, memberships, explain, check, preview, overlap, lookalike, templates.
SET search_path = segmentation, public;
SET datestyle = ISO;
\set two '{"kind": "rules", "default": "others", "segments": [{"segment": "senior", "when": {"field": "age", ">=": 60}}, {"segment": "parisian", "when": {"all": [{"field": "city", "=": "Paris"}, {"not": {"field": "age", "<": 30}}]}}]}'

-- First match, default, unknown.
SELECT attributes, segment_assign(:'two'::jsonb, attributes), segment_memberships(:'two'::jsonb, attributes)
FROM (VALUES ('{"age": 70, "city": "Paris"}'::jsonb), ('{"age": 40, "city": "Paris"}'), ('{"age": 20, "city": "Paris"}'), ('{"city": "Paris"}'), ('{"age": "70"}'), ('{}'), (NULL)) AS v (attributes);
SELECT segment_assign(jsonb_set(:'two', '{match}', '"all"'), '{"age": 70, "city": "Paris"}'::jsonb) AS first, segment_memberships(jsonb_set(:'two', '{match}', '"all"'), '{"age": 70, "city": "Paris"}'::jsonb) AS all,
       segment_memberships(jsonb_set(:'two', '{match}', '"all"'), '{}'::jsonb) AS none, segment_memberships(:'two'::jsonb - 'default', '{}'::jsonb) AS no_default, segment_assign(:'two'::jsonb - 'default', '{}'::jsonb) AS null_segment;
SELECT segment_assign(NULL, '{}'::jsonb) AS no_definition, segment_memberships(:'two', NULL::jsonb) AS no_customer, segment_explain(NULL, NULL::jsonb) AS neither, segment_sql(NULL) AS no_sql;
-- Records: of a table, of a query, with a column called r.
CREATE TABLE customer (id integer, age integer, city text, joined timestamptz, r smallint, email_consent boolean, sms_consent text);
INSERT INTO customer SELECT n, CASE WHEN n % 10 > 0 THEN n % 90 END, CASE n % 3 WHEN 0 THEN 'Paris' WHEN 1 THEN 'Lyon' END, '2024-01-31 23:30+00', n % 5, n % 2 = 0, CASE WHEN n % 4 > 0 THEN (n % 4 = 1)::text END FROM generate_series(1, 1000) AS n;
SELECT segment_assign(:'two', c), count(*), array_agg(DISTINCT segment_memberships(:'two', c)::text) AS memberships, count(*) FILTER (WHERE segment_assign(:'two', c) IS DISTINCT FROM segment_assign(:'two', to_jsonb(c))) AS differ FROM customer AS c GROUP BY 1 ORDER BY 1;
SELECT segment_assign(:'two', v) FROM (VALUES (65, 'Lyon')) AS v (age, city);
-- The day of an instant is that of the session's time zone: the record form is STABLE.
SET timezone = 'UTC';
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "february", "when": {"field": "joined", ">=": {"date": "2024-02-01"}}}]}', c) FROM customer AS c WHERE id = 1;
SET timezone = 'Europe/Paris';
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "february", "when": {"field": "joined", ">=": {"date": "2024-02-01"}}}]}', c) FROM customer AS c WHERE id = 1;
SELECT proname, provolatile, count(*) FROM pg_proc WHERE proname IN ('segment_assign', 'segment_memberships', 'segment_explain') AND pronamespace = 'segmentation'::regnamespace GROUP BY 1, 2 ORDER BY 1, 2;

-- Relative to as_of.
\set moving '{"kind": "rules", "segments": [{"segment": "recent", "when": {"field": "last", ">=": {"days_ago": 30}}}, {"segment": "old", "when": {"field": "last", "<": {"years_ago": 1}}}]}'
SELECT as_of, segment_assign(:'moving', '{"last": "2024-01-31"}'::jsonb, as_of) FROM unnest('{2024-02-01,2024-03-01,2024-03-02,2025-01-31,2025-02-01}'::date[]) AS as_of;
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "x", "<": {"days_ago": 1}}}]}', '{}'::jsonb)$$);
CALL refused($$SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "x", "<": {"days_ago": 1}}}]}')$$);
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "x", "<": {"days_ago": 1}}}]}', '{}'::jsonb, 'infinity')$$);
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "x", "<": {"years_ago": 1000}}}]}', '{}'::jsonb, '0500-01-01')$$);

-- Events: windows, sums, sequences; what is dated after as_of does not count.
\set log '{"log": [{"date": "2024-01-01", "what": "view"}, {"date": "2024-01-01", "what": "order", "amount": 0.1}, {"date": "2024-02-01", "what": "view"}, {"date": "2024-02-20", "what": "order", "amount": 0.2}, {"what": "order", "amount": 5}, {"date": "2024-06-01", "what": "order", "amount": 1000}]}'
SELECT as_of, said AS condition, segment_assign(jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'yes', 'when', said), jsonb_build_object('segment', 'no', 'when', jsonb_build_object('not', said)))), :'log'::jsonb, as_of)
FROM (VALUES
  (1, '{"events": "log", "where": {"field": "what", "=": "order"}, "count": {"=": 3}}'::jsonb),
  (2, '{"events": "log", "sum": {"of": "amount", "=": 0.3}, "until": {"days_ago": 0}}'),
  (3, '{"events": "log", "where": {"field": "what", "=": "view"}, "then": {"field": "what", "=": "order"}, "within_days": 0}'),
  (4, '{"events": "log", "where": {"field": "what", "=": "view"}, "not_then": {"field": "what", "=": "order"}, "within_days": 10}'),
  (5, '{"events": "log", "last_days": 10, "count": {">=": 1}}'),
  (6, '{"events": "missing", "count": {"=": 0}}')) AS v (n, said), unnest('{2024-02-05,2024-03-01}'::date[]) AS as_of ORDER BY n, as_of;

-- Why.
SELECT jsonb_pretty(segment_explain(:'two', '{"age": 40, "city": "Paris"}'::jsonb));
SELECT jsonb_pretty(segment_explain(segment_template('engagement'), '{"clicks_90": 6, "visits_90": 2, "complaints_90": null}'::jsonb) - 'points');
SELECT jsonb_pretty(segment_explain('{"kind": "nearest", "max_distance": 2, "default": "nobody", "model": {"features": [{"feature": "age", "scale": 10}, {"feature": ["spend", "year"], "scale": 100}], "clusters": [{"code": "young", "centre": [25, 100]}, {"code": "old", "centre": [65, 400]}]}}', '{"age": 30, "spend": {"year": 150}}'::jsonb));

-- Benefits sought: the matrix of Caterpillar. Whoever gives a profile's marks is of it, whatever the scale of the marks.
SELECT p ->> 'segment' AS profile, round(f, 2) AS scale, segment_assign(segment_template('benefits_sought'), m.marks) AS assigned, segment_explain(segment_template('benefits_sought'), m.marks) -> 'confidence' AS confidence
FROM jsonb_array_elements(segment_template('benefits_sought') -> 'profiles') AS p, unnest('{1,0.1,0.5,0.7,3}'::numeric[]) AS f
CROSS JOIN LATERAL (SELECT jsonb_object_agg(c, (p -> 'weights' ->> (n::integer - 1))::numeric * f) FROM jsonb_array_elements_text(segment_template('benefits_sought') -> 'criteria') WITH ORDINALITY AS c (c, n)) AS m (marks)
ORDER BY 1, 2;
SELECT jsonb_pretty(segment_explain(segment_template('benefits_sought'), '{"performance": 9, "expert_image": 6, "price": 7, "trade_in": 3, "running_cost": 8, "parts": 6, "proximity": 5, "reliability": 8, "finance": 4}'::jsonb));
SELECT why, segment_explain(segment_template('benefits_sought'), marks) AS explained
FROM (VALUES ('none', '{}'::jsonb), ('a zero sum', (SELECT jsonb_object_agg(c, 0) FROM jsonb_array_elements_text(segment_template('benefits_sought') -> 'criteria') AS c)),
             ('negative', (SELECT jsonb_object_agg(c, -1) FROM jsonb_array_elements_text(segment_template('benefits_sought') -> 'criteria') AS c))) AS v (why, marks);

-- SQL: readable over columns, quoted always.
SELECT segment_sql(:'two', 'customer'::regclass);
SELECT segment_sql(:'two', 'customer'::regclass, alias => 'c"; DROP TABLE customer; --');
SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "x''; DROP TABLE customer; --\\", "when": {"field": "a\"; DROP TABLE customer; --", "=": "''; DROP TABLE customer; --\\''"}}]}', attributes => 'att"ributes');
CALL refused($$SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "agee", "=": 1}}]}', 'customer'::regclass)$$);
CALL refused($$SELECT segment_sql(segment_template('benefits_sought'))$$);
CALL refused($$SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', attributes => '')$$);
CALL refused($$SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', attributes => 'segmentation event')$$);

-- How many: segments, then conditions; reachable by channel.
SELECT * FROM segment_preview(:'two', 'customer', consents => '{"email": "email_consent", "sms": "sms_consent"}');
CREATE TEMP TABLE empty (age integer, city text);
SELECT path, segment, customers, share FROM segment_preview(:'two', 'empty');
SELECT segment, customers, share FROM segment_preview(segment_template('benefits_sought') || jsonb_build_object('unknown_fields', segment_template('benefits_sought') -> 'criteria'), 'customer');
CALL refused($$SELECT * FROM segment_preview('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'customer', consents => '[]')$$);
CALL refused($$SELECT * FROM segment_preview('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'customer', consents => '{"email": "no_such_column"}')$$);
CALL refused($$SELECT * FROM segment_preview('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'customer', consents => '{"email": 1}')$$);
-- In common.
SELECT * FROM segment_overlap(:'two', 'customer');
SELECT count(*) AS both FROM customer WHERE age >= 60 AND city = 'Paris' AND NOT age < 30;
SELECT * FROM segment_overlap(:'two', 'empty');

-- Lookalikes of those who live in Paris, by age and r: chance; by city too: certainty.
\set paris '{"kind": "rules", "segments": [{"segment": "parisian", "when": {"field": "city", "=": "Paris"}}]}'
SELECT rank, key_value, round(score::numeric, 4) AS score, reasons FROM segment_lookalike(:'two', 'senior', 'customer', 'id', '{age,r,city}', n => 3);
SELECT round((q ->> 'auc')::numeric, 3) AS auc, q ->> 'n' AS n FROM segment_lookalike_quality(:'two', 'senior', 'customer', 'id', '{age,r,city}') AS q;
SELECT round((q ->> 'auc')::numeric, 3) AS auc FROM segment_lookalike_quality(:'paris', 'parisian', 'customer', 'id', '{r}') AS q;
SELECT jsonb_path_query_array(fit_lookalike(age >= 60, jsonb_build_object('age', age, 'r', r, 'city', city, 'consent', email_consent)), '$.features[*].feature') AS features FROM customer;
CALL refused($$SELECT * FROM segment_lookalike('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'a', 'customer', 'id', '{age}')$$);
CALL refused($$SELECT * FROM segment_lookalike('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'a', 'customer', 'id', '{}')$$);
CALL refused($$SELECT * FROM segment_lookalike('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'a', 'customer', 'id', '{"no such"}')$$);
CALL refused($$SELECT fit_lookalike(true, '[]')$$);
CALL refused($$SELECT lookalike_score('{}', '{}')$$);
CALL refused($$SELECT lookalike_score('{"kind": "lookalike", "features": [{"feature": "a", "type": "number", "members": {"mean": 1, "deviation": 0}}]}', '{}')$$);
CALL refused($$SELECT segmentation_internal.lookalike_final('\x00'::bytea)$$);
SELECT fit_lookalike(NULL, NULL) FROM generate_series(1, 0);
-- A group without members or without others is a value that says so, and scores nobody.
SELECT g, m ->> 'kind' AS kind, m -> 'warnings' -> 0 ->> 'code' AS warning, m -> 'warnings' -> 0 ->> 'message' AS message, lookalike_score(m, '{"a": 1}') AS score, lookalike_explain(m, '{"a": 1}') AS explained
FROM (SELECT g, fit_lookalike(member, features) AS m FROM (VALUES (1, true, '{"a": 1}'::jsonb), (1, false, '{"a": 2}'), (2, false, '{"a": 3}'), (3, true, '{"a": 3}')) AS v (g, member, features) GROUP BY g) AS f ORDER BY g;
CALL refused($$SELECT segment_lookalike_quality('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', 'a', 'customer', 'id', '{age}')$$);

-- Every ready-made definition is whole, and every segment of it can be reached.
SELECT t.name, c.* FROM segment_template AS t CROSS JOIN LATERAL segment_check(definition) AS c;
SELECT name, cardinality(segment_codes(definition)) AS segments, about FROM segment_template ORDER BY name;
-- Of whom nothing is known, nothing is said.
SELECT t.name, a.attributes, segment_memberships(t.definition, a.attributes, '2024-07-01') AS said
FROM segment_template AS t CROSS JOIN LATERAL (VALUES ('{}'::jsonb), ((SELECT jsonb_object_agg(k, NULL) FROM jsonb_object_keys(t.columns) AS k))) AS a (attributes)
WHERE segment_memberships(t.definition, a.attributes, '2024-07-01') <> '{}';
SELECT bought, last_purchase, first_purchase, last_gap, segment_assign(segment_template('lifecycle'), v, '2024-07-01')
FROM (VALUES (false, NULL::date, NULL::date, NULL::integer), (true, '2024-06-30', '2024-06-30', NULL), (NULL, '2024-06-30', '2020-01-01', 400), (true, '2024-06-30', '2020-01-01', 20), (true, '2024-01-03', '2020-01-01', 20), (true, '2024-01-02', '2020-01-01', 20), (true, '2023-07-01', '2020-01-01', 20)) AS v (bought, last_purchase, first_purchase, last_gap);
SELECT segment_assign(segment_template('value_churn'), '{"future_value": 12.5, "future_value_code": "high", "churn": "low"}'::jsonb) AS in_a_workspace;
SELECT future_value, string_agg(churn || ': ' || segment_assign(segment_template('value_churn'), v), ', ' ORDER BY n) AS segments
FROM (SELECT n, future_value, churn FROM unnest('{high,medium,low,none}'::text[]) AS future_value, unnest('{low,medium,high,lost}'::text[]) WITH ORDINALITY AS c (churn, n)) AS v GROUP BY future_value ORDER BY future_value;
-- The decree's cases; unknown turnover only where it decides nothing.
SELECT v.*, segment_assign(segment_template('company_size'), v) FROM (VALUES
  (5, 3e6, 1e6, 'micro'), (9, 3e6, 3e6, 'pme'), (10, 1e6, 1e6, 'pme'), (249, 60e6, 40e6, 'pme'), (100, 60e6, 50e6, 'eti'), (250, 1e6, 1e6, 'eti'), (4999, 1600e6, 2100e6, 'ge'), (5000, 1e6, 1e6, 'ge'),
  (5, NULL, 1e6, 'micro'), (5, NULL, 3e6, NULL), (5000, NULL, NULL, 'ge'), (20, NULL, 1e6, 'pme'), (NULL, 1e6, 1e6, NULL)) AS v (headcount, turnover, balance, expected);
SELECT postcode, segment_memberships(segment_template('geography'), v) FROM (VALUES ('06000'), ('75011'), ('73000'), ('97400'), ('45000'), ('98000'), ('98800'), ('6000'), ('7501'), ('Paris'), (NULL)) AS v (postcode);
SELECT birth_date, segment_assign(segment_template('age'), v, '2024-07-01') FROM (VALUES (date '2000-01-01'), ('1999-07-01'), ('1999-07-02'), ('1989-07-02'), ('1959-07-01'), ('1959-07-02')) AS v (birth_date);
SELECT segment_memberships(segment_template('interests'), '{"purchases": [{"date": "2024-01-01", "category": "garden"}, {"date": "2024-05-01", "category": "garden"}, {"date": "2024-05-01", "category": "books"}, {"date": "2024-05-02", "category": "toys"}, {"date": "2022-05-02", "category": "sport"}, {"date": "2022-06-02", "category": "sport"}]}'::jsonb, '2024-07-01');
SELECT as_of, segment_assign(segment_template('abandoned_visit'), '{"activity": [{"date": "2024-06-10", "what": "product_view"}, {"date": "2024-06-14", "what": "order"}]}'::jsonb, as_of) FROM unnest('{2024-06-11,2024-06-13,2024-07-10,2024-07-11}'::date[]) AS as_of;
SELECT segment_template('none of the sort');

-- Faults: each with its path.
CREATE TEMP TABLE bad (n serial, definition jsonb);
INSERT INTO bad (definition) VALUES
  ('null'), ('[]'), ('"rules"'), ('{}'), ('{"kind": "rule"}'), ('{"kind": 1}'), ('{"kind": "rules"}'), ('{"kind": "rules", "segments": []}'), ('{"kind": "rules", "segments": {}}'),
  ('{"kind": "rules", "segments": [1]}'), ('{"kind": "rules", "segments": [{}], "matches": "all"}'), ('{"kind": "rules", "segments": [{"segment": "", "when": {"all": []}}], "match": "some"}'),
  ('{"kind": "rules", "segments": [{"segment": "a", "when": {"all": []}}], "default": 1, "name": 2}'),
  ('{"kind": "rules", "match": "all", "segments": [{"segment": "a", "when": {"all": []}}, {"segment": "a", "when": {"all": []}}]}'),
  ('{"kind": "scorecard"}'), ('{"kind": "scorecard", "points": [{"when": {"all": []}}], "bands": [{"from": "1"}]}'),
  ('{"kind": "scorecard", "base": "0", "points": [{"when": {"all": []}, "points": 1}], "bands": [{"segment": "a", "from": 1}, {"segment": "b", "from": 1.0}]}'),
  ('{"kind": "nearest"}'), ('{"kind": "nearest", "model": {"features": [], "clusters": []}}'), ('{"kind": "nearest", "max_distance": -1, "model": {"features": [{"feature": "a", "scale": 0}, {"feature": 1, "weight": -1}, 3], "clusters": [{"code": "a", "centre": ["1"]}, {}]}}'),
  ('{"kind": "nearest", "model": {"features": [{"feature": "a"}], "clusters": [{"code": "a", "centre": [1, 2]}, {"code": "b", "centre": [1e400]}]}}'),
  ('{"kind": "benefits"}'), ('{"kind": "benefits", "min_confidence": 2, "criteria": ["a", "a"], "profiles": [{"segment": "x", "weights": [1]}]}'),
  ('{"kind": "benefits", "criteria": ["a", "b"], "profiles": [{"segment": "x", "weights": [1]}, {"segment": "y", "weights": [0, 0]}, {"segment": "z", "weights": [1, -1]}]}');
INSERT INTO bad (definition)
SELECT jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'a', 'when', c::jsonb))) FROM unnest(ARRAY[
  '1', '{}', '{"all": 1}', '{"all": [1, {"any": {}}]}', '{"not": []}', '{"all": [], "any": []}', '{"and": []}', '{"field": "a"}', '{"field": "", "=": 1, "x": 1, "a b": 2}', '{"field": [], "=": 1}', '{"field": [1, "a"], "=": 1}', '{"field": {"a": 1}, "=": 1}',
  '{"field": "a", "=": null}', '{"field": "a", "=": [1]}', '{"field": "a", "<": true}', '{"field": "a", "=": {"date": "2024-02-30"}}', '{"field": "a", "=": {"days": 3}}', '{"field": "a", "=": {}}', '{"field": "a", "=": {"date": "2024-01-01", "days_ago": 1}}',
  '{"field": "a", "=": {"days_ago": 1.5}}', '{"field": "a", "=": {"days_ago": 1e9}}', '{"field": "a", "=": {"years_ago": "1"}}', '{"field": "a", "in": []}', '{"field": "a", "in": 1}', '{"field": "a", "in": [1, "a"]}', '{"field": "a", "not_in": [null]}',
  '{"field": "a", "between": [1]}', '{"field": "a", "between": [1, 2, 3]}', '{"field": "a", "between": [true, false]}', '{"field": "a", "is_null": 1}', '{"field": "a", "starts_with": 1}', '{"field": "a", "like": "a\\"}', '{"field": "a", "like": {}}',
  '{"field": "a", "contains": {"days_ago": 1}}', '{"field": "a", "contains_any": "x"}', '{"events": "a"}', '{"events": "a", "count": {}}', '{"events": "a", "count": {">=": "1"}, "sum": {}}', '{"events": "a", "sum": {">": 1}}', '{"events": "a", "count": {">": 1}, "within_days": 3}',
  '{"events": "a", "then": {"field": "x", "=": 1}}', '{"events": "a", "then": 1, "within_days": -1}', '{"events": "a", "count": {">": 1}, "last_days": 0}', '{"events": "a", "count": {">": 1}, "last_days": 3, "from": "2024-01-01"}',
  '{"events": "a", "count": {">": 1}, "where": {"events": "b", "count": {">": 1}}}', '{"events": "a", "on": 1, "count": 3}', '{"comment": "nothing"}', '{"field": "a", "=": 1, "all": []}']) AS c;
SELECT n, path, fault FROM bad LEFT JOIN LATERAL segment_check(definition) ON true ORDER BY n, path COLLATE "C", fault COLLATE "C";
SELECT count(DISTINCT n) AS definitions FROM bad, segment_check(definition);
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"when": 1}, {"segment": "a", "when": {"field": "a", "=": null}}]}', '{}'::jsonb)$$);
CALL refused($$SELECT segment_assign('{}', '{}'::jsonb)$$);
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', '[]'::jsonb)$$);
CALL refused($$SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": []}}]}', '1'::jsonb)$$);
SELECT * FROM segment_check(:'two');

-- Hostile: too large, too deep, odd texts, a million characters.
CALL refused($$SELECT segment_assign(jsonb_build_object('kind', 'rules', 'segments', (SELECT jsonb_agg(jsonb_build_object('segment', 's' || n, 'when', '{"field": "a", "=": 1}'::jsonb)) FROM generate_series(1, 20000) AS n)), '{}'::jsonb)$$);
CALL refused($$SELECT * FROM segment_check(to_jsonb(repeat('x', 1000001)))$$);
CALL refused($$SELECT segment_assign(('{"kind": "rules", "segments": [{"segment": "a", "when": ' || repeat('{"not": ', 10000) || '{"field": "a", "=": 1}' || repeat('}', 10000) || '}]}')::jsonb, '{}'::jsonb)$$);
CALL refused($$SELECT segment_assign(('{"kind": "rules", "segments": [{"segment": "a", "when": ' || repeat('{"all": [', 101) || repeat(']}', 101) || '}]}')::jsonb, '{}'::jsonb)$$);
SELECT segment_assign(('{"kind": "rules", "segments": [{"segment": "deep", "when": ' || repeat('{"not": ', 98) || '{"all": []}' || repeat('}', 98) || '}]}')::jsonb, '{}'::jsonb) AS deep_enough;
SELECT path, length(path), left(fault, 30) AS fault FROM segment_check(jsonb_build_object('kind', 'rules', repeat('é', 200000), 1, 'segments', '[{"segment": "a", "when": {"any": []}}]'::jsonb));
SELECT left(fault, 60) AS fault FROM segment_check(jsonb_build_object('kind', repeat('x', 900000)));
SELECT segment_assign(jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'a', 'when', jsonb_build_object('field', k, '=', v)))), jsonb_build_object(k, v)) AS found
FROM (VALUES ('"', '''"\'), (repeat('k', 400000), repeat('v', 400000)), ('', ''), (E'\x01', E'\x7f'), ('$.a[0]', '{"a": 1}')) AS t (k, v);
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "long", "when": {"field": "t", "like": "%x%y%z"}}]}', jsonb_build_object('t', repeat('x', 1000000) || 'yz')) AS million,
       length(segment_explain('{"kind": "rules", "segments": [{"segment": "long", "when": {"field": "t", "like": "%x%y%z"}}]}', jsonb_build_object('t', repeat('x', 1000000)))::text) < 2000 AS shown_short;
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "exact", "when": {"field": "n", "=": 0.1234567890123456789012345678901234567890}}]}', '{"n": 0.12345678901234567890123456789012345678900}'::jsonb) AS exact,
       segment_assign('{"kind": "rules", "segments": [{"segment": "large", "when": {"field": "n", ">": 1e130000}}]}', '{"n": 1e130001}'::jsonb) AS large;
SELECT segment_assign('{"kind": "rules", "segments": [{"segment": "a", "when": {"events": "e", "count": {"=": 100000}}}]}', jsonb_build_object('e', (SELECT jsonb_agg(n) FROM generate_series(1, 100000) AS n))) AS many_events;

-- Parallel workers say the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT segment_assign(:'two', to_jsonb(c)) AS segment, count(*) FROM customer AS c GROUP BY 1 ORDER BY 1;
SELECT round((fit_lookalike(age >= 60, jsonb_build_object('age', age, 'city', city)) -> 'features' -> 0 -> 'members' ->> 'mean')::numeric, 6) AS mean, avg(age) FILTER (WHERE age >= 60) AS expected FROM customer;
DROP TABLE customer;

-- Rows compare as SQL does: trailing blanks of char(n), and the case of citext, do not count; in domains over them too.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE DOMAIN town AS char(12);
CREATE DOMAIN town_again AS town;
CREATE TABLE spelling (id integer, gone integer, fixed char(10), folded citext, domained town_again, plain text);
ALTER TABLE spelling DROP COLUMN gone;
INSERT INTO spelling SELECT row_number() OVER (), a, b, c, d FROM (VALUES ('Paris', 'PARIS', 'Paris', 'Paris'), ('paris', 'Paris', 'Nice', 'PARIS'), ('', '', '', ''), (NULL, NULL, NULL, NULL), ('Par', 'ÉTÉ', 'Paris  ', 'été'), (' Paris', 'été', ' Paris', 'Paris ')) AS v (a, b, c, d);
CREATE TABLE asked (name text, condition jsonb, sql text);
INSERT INTO asked VALUES
  ('fixed', '{"field": "fixed", "=": "Paris"}', 'fixed = ''Paris'''), ('fixed not', '{"field": "fixed", "<>": "Paris"}', 'fixed <> ''Paris'''),
  ('fixed in', '{"field": "fixed", "in": ["Par", "Nice"]}', 'fixed IN (''Par'', ''Nice'')'), ('fixed empty', '{"field": "fixed", "=": ""}', 'fixed = '''''),
  ('folded', '{"field": "folded", "=": "pAris"}', 'folded = ''pAris'''), ('folded not', '{"field": "folded", "<>": "PARIS"}', 'folded <> ''PARIS'''),
  ('folded in', '{"field": "folded", "not_in": ["Nice", "ÉTé"]}', 'folded NOT IN (''Nice'', ''ÉTé'')'), ('folded like', '{"field": "folded", "like": "pAR%"}', 'folded LIKE ''pAR%'''),
  ('folded start', '{"field": "folded", "starts_with": "PA"}', 'folded LIKE ''pa%'''), ('folded null', '{"field": "folded", "is_null": true}', 'folded IS NULL'),
  ('domained', '{"field": "domained", "=": "Paris"}', 'domained = ''Paris'''), ('plain', '{"field": "plain", "=": "Paris"}', 'plain = ''Paris''');
DO $$
DECLARE
  a record;
  definition jsonb;
  differ integer;
  preview bigint;
BEGIN
  FOR a IN SELECT * FROM asked LOOP
    definition := jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'yes', 'when', a.condition)));
    EXECUTE format($q$SELECT count(*) FROM spelling AS s WHERE (segment_assign($1, s) IS NOT NULL) IS DISTINCT FROM coalesce(%1$s, false)
        OR segment_memberships($1, s) IS DISTINCT FROM CASE WHEN %1$s THEN '{yes}'::text[] ELSE '{}' END
        OR (%2$s) IS DISTINCT FROM segment_assign($1, s)
        OR (segmentation_internal.segment_truths($1, s))[1] IS DISTINCT FROM (%1$s)$q$,
      a.sql, segment_sql(definition, 'spelling', alias => 's')) INTO differ USING definition;
    IF differ > 0 THEN RAISE WARNING '% differs on % rows', a.name, differ; END IF;
    EXECUTE format('SELECT count(*) FROM spelling WHERE %s', a.sql) INTO differ;
    SELECT p.customers INTO preview FROM segment_preview(definition, 'spelling') AS p WHERE p.path IS NULL AND p.segment = 'yes';
    IF preview <> differ THEN RAISE WARNING 'preview of %: %, not %', a.name, preview, differ; END IF;
  END LOOP;
END
$$;
SELECT count(*) AS asked FROM asked;
-- Rows of two types at one call site.
DO $$
DECLARE
  r record;
BEGIN
  FOR i IN 1 .. 4 LOOP
    IF i % 2 = 1 THEN SELECT s.* INTO r FROM spelling AS s WHERE id = (i + 1) / 2; ELSE SELECT 'Paris'::text AS folded INTO r; END IF;
    RAISE INFO '%: %', r, segment_assign('{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "folded", "=": "PARIS"}}]}'::jsonb, r);
  END LOOP;
END
$$;
SELECT segmentation_internal.row_attributes(s) FROM spelling AS s ORDER BY id LIMIT 2;

-- Fields that a relation does not have.
CALL refused($$SELECT * FROM segment_preview('{"kind": "rules", "segments": [{"segment": "a", "when": {"any": [{"field": "plian", "=": "x"}, {"field": ["fixd", "x"], "=": 1}, {"field": "plain", "=": "x"}, {"field": "zzzzzzzzz", "is_null": true}]}}]}', 'spelling')$$);
CALL refused($$SELECT * FROM segment_overlap('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "Plain", "=": "x"}}]}', 'spelling')$$);
CALL refused($$SELECT segment_sql('{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "plane", "=": "x"}}]}', 'spelling'::regclass)$$);
SELECT segment, customers, unknown FROM segment_preview('{"kind": "rules", "unknown_fields": ["plian"], "segments": [{"segment": "a", "when": {"field": "plian", "=": "x"}}]}', 'spelling');
SELECT segment_sql('{"kind": "rules", "unknown_fields": ["plian"], "segments": [{"segment": "a", "when": {"field": "plian", "=": "x"}}]}', 'spelling'::regclass);
SELECT path, field, events, read_as, texts FROM segmentation_internal.segment_reads('{"kind": "rules", "segments": [{"segment": "a", "when": {"all": [{"field": "city", "in": ["Nice", "Lyon"]}, {"field": ["a", "b"], ">": 3}, {"events": "buys", "where": {"field": "category", "=": "x"}, "last_days": 3, "count": {">": 1}}]}}]}');
SELECT * FROM segment_check('{"kind": "rules", "unknown_fields": ["a", 3], "segments": [{"segment": "a", "when": {"field": "a", "=": 1}}]}');
SELECT segmentation_internal.nearest_name(g, '{churn,churn_code,future_value,recency}') AS nearest FROM unnest('{chrun,Churn_Code,valeu,xyz,future}'::text[]) AS g;
