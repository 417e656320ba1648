-- Nothing can be made to run without end: every function of the extension is given values that are far too large, in
-- every argument that can hold one. It may answer or refuse; it must not fail inside (XX000, Rust's words), nor go on
-- when its time is over.
SET search_path = public, segmentation;
SET client_min_messages = warning;
CREATE TABLE large (name text, is_text boolean, value jsonb);
ALTER TABLE large ALTER value SET STORAGE EXTERNAL;
INSERT INTO large
  SELECT 'a million keys', NULL, jsonb_object_agg('key' || n, n) FROM generate_series(1, 1000000) AS n
  UNION ALL
  SELECT 'many keys', false, jsonb_object_agg('key' || n, n) FROM generate_series(1, 60000) AS n
  UNION ALL
  SELECT 'many numbers', false, jsonb_agg(n) FROM generate_series(1, 100000) AS n
  UNION ALL
  SELECT 'a million numbers', NULL, jsonb_agg(n) FROM generate_series(1, 1000000) AS n
  UNION ALL
  SELECT 'lists in lists', false, (repeat('[', 5000) || repeat(']', 5000))::jsonb
  UNION ALL
  SELECT 'objects in objects', false, (repeat('{"features":', 5000) || '1' || repeat('}', 5000))::jsonb
  UNION ALL
  SELECT 'a long key', false, jsonb_build_object(repeat('k', 1000000), 1)
  UNION ALL
  SELECT 'a long text', true, to_jsonb(repeat('x', 1000000))
  UNION ALL
  SELECT 'a long number', true, to_jsonb(repeat('9', 100000)::numeric)
  UNION ALL
  SELECT 'words', true, to_jsonb(repeat('lun-ven 9h-12h, ', 62500))
  UNION ALL
  SELECT 'signs', true, to_jsonb(repeat('[{<"@.(', 142857));
CREATE INDEX ON large (name);

-- A value for each argument that is not the one in question. A type without one is given NULL.
CREATE TABLE plain (type regtype, value text);
INSERT INTO plain VALUES
  ('text', '''x''::text'), ('date', 'date ''2024-06-01'''), ('integer', '1'), ('bigint', '1::bigint'), ('smallint', '1::smallint'), ('double precision', '0.5::double precision'), ('real', '0.5::real'),
  ('numeric', '1::numeric'), ('boolean', 'true'), ('jsonb', '''{}''::jsonb'), ('interval', 'interval ''30 days'''), ('timestamp', 'timestamp ''2024-06-01'''),
  ('timestamptz', 'timestamptz ''2024-06-01 12:00+00'''), ('name', '''x''::name'), ('regclass', '''pg_class''::regclass'), ('bytea', '''\x00''::bytea'), ('record', 'ROW(1)'),
  ('anyelement', '1'), ('anynonarray', '1'), ('"any"', '1'), ('cstring', '''x''::cstring'),
  ('purchase_history', 'purchase_history ''{2024-01-01:1:10,2024-02-01:2:20}'''),
  ('item_history', 'item_history ''[["a","2024-01-01",1,"1","10"]]'''),
  ('contact_history', '(SELECT contact_history(''email'', date ''2024-01-01'', ''click''))'),
  ('consent_history', '(SELECT consent_history(''email'', true, date ''2024-01-01''))');

-- One call a function and argument, with each large value of its type in its place.
CREATE TABLE call (id integer GENERATED ALWAYS AS IDENTITY, query text, state text, fault text);
WITH functions AS (
  SELECT p.oid, p.prokind, p.proname, format('%I.%I', n.nspname, p.proname) AS call, p.proargtypes::oid[] AS types, l.lanname = 'c' AS is_ours
  FROM pg_proc AS p
    JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
  WHERE e.extname = 'segmentation' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND 'internal'::regtype <> ALL (p.proargtypes::oid[])
), arguments AS (
  SELECT f.oid, f.is_ours, a.place, a.type, t.typelem,
    CASE
    WHEN a.type = 'jsonb'::regtype THEN 'jsonb'
    WHEN a.type IN ('text'::regtype, 'cstring'::regtype) THEN 'text'
    WHEN t.typcategory = 'A' THEN 'array'
    END AS class,
    coalesce(
      p.value,
      CASE WHEN t.typcategory = 'A' THEN format('ARRAY[%s]::%s', q.value, a.type::regtype) END,
      format('NULL::%s', a.type::regtype)) AS usual,
    q.value AS element
  FROM functions AS f
    CROSS JOIN unnest(f.types) WITH ORDINALITY AS a (type, place)
    JOIN pg_type AS t ON t.oid = a.type
    LEFT JOIN plain AS p ON p.type = a.type
    LEFT JOIN plain AS q ON q.type = t.typelem AND t.typcategory = 'A'
), hostile AS (
  SELECT a.oid, a.place, l.name,
    CASE
    WHEN a.class = 'jsonb' THEN 'l.value'
    WHEN a.class = 'text' THEN format('(l.value #>> %L)%s', '{}', CASE WHEN a.type = 'cstring'::regtype THEN '::cstring' ELSE '' END)
    END AS value
  FROM arguments AS a JOIN large AS l ON a.class = 'jsonb' AND l.is_text IS NOT NULL OR a.class = 'text' AND l.is_text AND (a.is_ours OR l.name = 'a long text')
  UNION ALL
  SELECT a.oid, a.place, 'a long text', format('(SELECT array_agg(%s) FROM generate_series(1, 100000) AS n)::%s', e.value, a.type::regtype)
  FROM arguments AS a
    CROSS JOIN LATERAL (SELECT CASE
      WHEN a.typelem = 'text'::regtype THEN '''x'' || n'
      WHEN a.typelem IN ('integer'::regtype, 'bigint'::regtype, 'double precision'::regtype, 'real'::regtype, 'numeric'::regtype) THEN 'n'
      WHEN a.typelem = 'smallint'::regtype THEN '1'
      ELSE a.element
      END) AS e (value)
  WHERE a.class = 'array' AND e.value IS NOT NULL
  UNION ALL
  SELECT a.oid, a.place, 'a long text', format(v.value, a.element, a.type::regtype)
  FROM arguments AS a CROSS JOIN (VALUES ('ARRAY[]::%2$s'), ('ARRAY[NULL]::%2$s'), ('ARRAY[%1$s, NULL]::%2$s'), ('ARRAY[[%1$s, %1$s], [%1$s, %1$s]]::%2$s')) AS v (value)
  WHERE a.class = 'array' AND a.element IS NOT NULL
)
INSERT INTO call (query)
SELECT CASE
  WHEN f.prokind = 'p' THEN format(
    'DO $do$ DECLARE l record; BEGIN SELECT * INTO l FROM large WHERE name = %L; CALL %s(%s); END $do$', h.name, f.call, list.arguments)
  ELSE format(
    'SELECT %s FROM large AS l%s WHERE l.name = %L', format('%s(%s)%s', f.call, list.arguments, CASE f.prokind WHEN 'w' THEN ' OVER ()' ELSE '' END),
    CASE f.prokind WHEN 'a' THEN ', generate_series(1, 2)' ELSE '' END, h.name)
  END
FROM functions AS f
  JOIN hostile AS h USING (oid)
  CROSS JOIN LATERAL (
    SELECT string_agg(CASE WHEN a.place = h.place THEN h.value ELSE a.usual END, ', ' ORDER BY a.place) AS arguments FROM arguments AS a WHERE a.oid = f.oid
  ) AS list
ORDER BY f.proname, f.oid, h.place, h.name;

-- Definitions and models that are well formed, and as large as they can be made.
CREATE TABLE document (name text, value jsonb);
ALTER TABLE document ALTER value SET STORAGE EXTERNAL;
INSERT INTO document
  SELECT 'members', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 's', 'when', jsonb_build_object('any',
    (SELECT jsonb_agg(jsonb_build_object('field', 'f' || n, '=', n)) FROM generate_series(1, 15000) AS n)))))
  UNION ALL
  SELECT 'dates', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 's', 'when', jsonb_build_object('field', 'f', 'in',
    (SELECT jsonb_agg(jsonb_build_object('days_ago', n)) FROM generate_series(1, 20000) AS n)))))
  UNION ALL
  SELECT 'bands', jsonb_build_object('kind', 'scorecard', 'points', '[{"when": {"field": "a", "=": 1}, "points": 1}]'::jsonb, 'bands',
    (SELECT jsonb_agg(jsonb_build_object('segment', 's' || n, 'from', n)) FROM generate_series(1, 15000) AS n))
  UNION ALL
  SELECT 'segments', jsonb_build_object('kind', 'rules', 'match', 'all', 'segments',
    (SELECT jsonb_agg(jsonb_build_object('segment', 's' || n, 'when', '{"field": "a", ">=": 0}'::jsonb)) FROM generate_series(1, 10000) AS n))
  UNION ALL
  SELECT 'values', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 's', 'when', jsonb_build_object('field', 'list', 'contains_all',
    (SELECT jsonb_agg(n) FROM generate_series(1, 50000) AS n)))))
  UNION ALL
  SELECT 'pattern', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 's', 'when', jsonb_build_object('field', 'text', 'like',
    '%' || repeat('a', 400000) || 'b'))))
  UNION ALL
  SELECT 'benefits', jsonb_build_object('kind', 'benefits', 'criteria', (SELECT jsonb_agg('f' || n) FROM generate_series(1, 300) AS n), 'profiles',
    (SELECT jsonb_agg(jsonb_build_object('segment', 's' || p, 'weights', (SELECT jsonb_agg(1 + (n * p) % 7) FROM generate_series(1, 300) AS n))) FROM generate_series(1, 300) AS p))
  UNION ALL
  SELECT 'customer', jsonb_build_object('text', repeat('a', 900000), 'list', (SELECT jsonb_agg(n) FROM generate_series(50000, 0, -1) AS n)) || (
    SELECT jsonb_object_agg('f' || n, 1) FROM generate_series(1, 15000) AS n)
  UNION ALL
  SELECT 'churn', jsonb_build_object('kind', 'churn_model', 'version', 1,
    'features', jsonb_build_array(jsonb_build_object('name', 'a', 'type', 'category', 'missing', 0,
      'levels', (SELECT jsonb_agg(jsonb_build_object('level', 'l' || n, 'role', 'level', 'rows', 1, 'share', 0)) FROM generate_series(1, 100000) AS n))),
    'coefficients', '[{"role": "intercept", "estimate": 0}]'::jsonb ||
      (SELECT jsonb_agg(jsonb_build_object('feature', 'a', 'level', 'l' || n, 'role', 'level', 'estimate', 1)) FROM generate_series(1, 100000) AS n)) ||
    (SELECT jsonb_object_agg('key' || n, n) FROM generate_series(1, 100000) AS n)
  UNION ALL
  SELECT 'calibration', jsonb_build_object('kind', 'calibration', 'version', 1, 'method', 'isotonic',
    'predicted', (SELECT jsonb_agg(n / 1e6) FROM generate_series(1, 200000) AS n), 'probability', (SELECT jsonb_agg(n / 1e6) FROM generate_series(1, 200000) AS n)) ||
    (SELECT jsonb_object_agg('key' || n, n) FROM generate_series(1, 200000) AS n);
INSERT INTO call (query)
  SELECT format('SELECT %s FROM document AS d, document AS c WHERE d.name = %L AND c.name = ''customer''', f.call, d.name)
  FROM document AS d CROSS JOIN (VALUES
    ('segment_assign(d.value, c.value, date ''2024-06-01'')'), ('segment_memberships(d.value, c.value, date ''2024-06-01'')'), ('segment_explain(d.value, c.value, date ''2024-06-01'')'),
    ('segmentation_internal.segment_truths(d.value, c.value, date ''2024-06-01'')'), ('segmentation_internal.segment_conditions(d.value)'), ('segment_codes(d.value)'), ('segment_check(d.value)'),
    ('segment_sql(d.value, date ''2024-06-01'')')) AS f (call)
  WHERE d.name NOT IN ('customer', 'churn', 'calibration') AND (d.name <> 'pattern' OR f.call ~ 'assign|sql|check');
INSERT INTO call (query)
  SELECT format('SELECT %s FROM large AS l, generate_series(1, 2) AS n WHERE l.name = %L', f.call, l.name) FROM large AS l, (VALUES
    ('alive_probability(l.value, NULL::purchase_history, date ''2024-06-01'')'), ('alive_probability(l.value, purchase_history ''{2024-01-01:1:10}'', date ''2024-06-01'')'),
    ('simulate_options(l.value)'), ('profile_assign(l.value, ''{}''::jsonb)'), ('profile_assign(''{}''::jsonb, l.value)'), ('fit_profile(l.value)'), ('fit_churn_model(n = 1, l.value)'),
    ('churn_probability(l.value, ''{}''::jsonb)'), ('calibrated(l.value, 0.5)'), ('segment_assign(l.value, ''{}''::jsonb, date ''2024-06-01'')'), ('fit_lookalike(true, l.value)'), ('fit_segment_rules(''a'', l.value)')
    ) AS f (call)
  WHERE l.is_text IS NULL;
INSERT INTO call (query) VALUES
  ('SELECT churn_probability(value, ''{"a": "l99999"}'') FROM document WHERE name = ''churn'''),
  ('SELECT churn_explain(value, ''{"a": "l99999"}'') FROM document WHERE name = ''churn'''),
  ('SELECT calibrated(value, 0.1) FROM document WHERE name = ''calibration''');

-- Models as they are fitted, with one list or object after the other made large: a list is its first element, again and
-- again; an object gets keys that nobody knows.
CREATE TABLE model (name text, value jsonb);
INSERT INTO model
  WITH buyers AS MATERIALIZED (
    SELECT purchase_history(date '2024-01-01' + (hashint4(n / 8 + n) & 255), 10 + n % 7) AS history FROM generate_series(1, 1600) AS n GROUP BY n / 8
  ), contacted AS MATERIALIZED (
    SELECT contact_history((ARRAY['email', 'sms'])[1 + n % 2], date '2024-01-01' + n % 200, CASE WHEN n % 5 = 0 THEN 'click' END) AS history FROM generate_series(1, 2000) AS n GROUP BY n / 10
  )
  SELECT 'purchase', fit_purchase_model(history, '2024-12-31', '{"family": "pareto_nbd"}') FROM buyers
  UNION ALL
  SELECT 'spend', fit_spend_model(history, '2024-12-31') FROM buyers
  UNION ALL
  SELECT 'value', fit_value_stack(history, '2024-12-31', '{"season": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]}') FROM buyers
  UNION ALL
  SELECT 'prior', fit_loyalty_prior(history, '2024-12-31') FROM buyers
  UNION ALL
  SELECT 'churn', fit_churn_model(hashint4(n) & 3 = 0, jsonb_build_object('a', n % 7, 'b', (n % 3)::text)) FROM generate_series(1, 500) AS n
  UNION ALL
  SELECT 'retention', fit_retention_model(date '2024-01-01', CASE WHEN n % 3 = 0 THEN date '2024-03-01' + n % 100 END, date '2024-12-31', jsonb_build_object('a', n % 3)) FROM generate_series(1, 300) AS n
  UNION ALL
  SELECT 'curve', fit_retention_model(date '2024-01-01', CASE WHEN n % 3 = 0 THEN date '2024-03-01' + n % 100 END, date '2024-12-31') FROM generate_series(1, 300) AS n
  UNION ALL
  SELECT 'calibration', calibrate((n % 10) / 10.0, n % 3 = 0) FROM generate_series(1, 100) AS n
  UNION ALL
  SELECT 'profile', fit_profile(jsonb_build_object('a', hashint4(n) & 1023, 'b', (n % 3)::text)) FROM generate_series(1, 300) AS n
  UNION ALL
  SELECT 'mixture', fit_profile(ARRAY[hashint4(n) & 1023, hashint4(n + 1) & 1023]::double precision[], '{"method": "gaussian_mixture", "k": 2}') FROM generate_series(1, 300) AS n
  UNION ALL
  SELECT 'channels', fit_channel_model(history, 'x', '2024-12-31') FROM contacted
  UNION ALL
  SELECT 'hours', fit_send_time(hours) FROM (SELECT send_hours(timestamp '2024-01-01' + n * interval '7 hours') AS hours FROM generate_series(1, 300) AS n GROUP BY n / 10) AS t
  UNION ALL
  SELECT 'interests', fit_interest_model(jsonb_build_object('a', n % 3, 'b', n % 5)) FROM generate_series(1, 100) AS n
  UNION ALL
  SELECT 'lookalike', fit_lookalike(n % 2 = 0, jsonb_build_object('a', n, 'b', (n % 3)::text)) FROM generate_series(1, 100) AS n
  UNION ALL
  SELECT 'map', '{"bins": 2, "first_match": true, "segments": [{"segment": "a", "r": [1, 2], "f": 1}, {"segment": "b"}]}'
  UNION ALL
  SELECT 'mapping', attribute_moment_mapping()
  UNION ALL
  SELECT 'calendar', '[{"name": "a", "begins": "2024-07-01"}, {"name": "a", "begins": "2023-07-01"}]'
  UNION ALL
  SELECT 'ranking', '{"pressure": [{"contacts": 2, "days": 30}], "channels": ["email"], "margin": {"email": 1}}'
  UNION ALL
  SELECT 'offers', '{"exclude": ["a"], "only": ["b"], "categories": {"a": "x"}, "exclude_categories": ["x"], "margins": {"a": 1}, "owned_for_good": ["a"]}'
  UNION ALL
  SELECT 'churn options', '{"features": ["a"], "base_levels": {"b": "1"}}'
  UNION ALL
  SELECT 'profile options', '{"categorical": ["b"], "start": [[1, 2], [3, 4]], "names": ["a", "b"], "k": [2, 3]}'
  UNION ALL
  SELECT 'loyalty options', '{"weights": {"frequency": 1}}'
  UNION ALL
  SELECT 'definition', '{"kind": "rules", "segments": [{"segment": "s", "when": {"all": [{"any": [{"field": "a", "=": 1}]}, {"not": {"field": ["a", "b"], "in": [1, 2]}},
    {"events": "list", "where": {"field": "x", "contains_any": ["y"]}, "count": {">": 1}}, {"field": "a", "between": [{"date": "2024-01-01"}, {"days_ago": 1}]}]}}]}'
  UNION ALL
  SELECT 'card', '{"kind": "scorecard", "points": [{"when": {"field": "a", "=": 1}, "points": 1}], "bands": [{"segment": "x", "from": 0}]}'
  UNION ALL
  SELECT 'nearest', '{"kind": "nearest", "model": {"features": [{"feature": "a"}], "clusters": [{"code": "x", "centre": [1]}]}}';
CREATE TABLE swollen (id integer GENERATED ALWAYS AS IDENTITY, name text, value jsonb);
ALTER TABLE swollen ALTER value SET STORAGE EXTERNAL;
WITH RECURSIVE place (name, path, value) AS (
  SELECT m.name, '{}'::text[], m.value FROM model AS m
  UNION ALL
  SELECT p.name, p.path || c.key, c.value
  FROM place AS p CROSS JOIN LATERAL (
    SELECT o.key, o.value FROM jsonb_each(CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value ELSE '{}' END) AS o (key, value)
    UNION ALL
    -- The first elements stand for all.
    SELECT (l.n - 1)::text, l.value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p.value) = 'array' THEN p.value ELSE '[]' END) WITH ORDINALITY AS l (value, n) WHERE l.n <= 3
  ) AS c
), large AS MATERIALIZED (SELECT jsonb_object_agg('key' || n, n) AS keys FROM generate_series(1, 50000) AS n)
INSERT INTO swollen (name, value)
SELECT p.name, CASE WHEN p.path = '{}' THEN s.value ELSE jsonb_set(m.value, p.path, s.value) END
FROM place AS p
  JOIN model AS m USING (name)
  CROSS JOIN large AS l
  CROSS JOIN LATERAL (
    SELECT p.value || l.keys WHERE jsonb_typeof(p.value) = 'object'
    UNION ALL
    SELECT (SELECT jsonb_agg(f.value) FROM (SELECT p.value -> 0 AS value FROM generate_series(1, 20000)) AS f) WHERE jsonb_typeof(p.value) = 'array' AND p.value <> '[]'
    UNION ALL
    SELECT (SELECT jsonb_agg(n) FROM generate_series(1, 20000) AS n) WHERE jsonb_typeof(p.value -> 0) = 'number'
    UNION ALL
    SELECT (SELECT jsonb_agg('text' || n) FROM generate_series(1, 20000) AS n) WHERE jsonb_typeof(p.value -> 0) = 'string'
    UNION ALL
    SELECT to_jsonb(repeat('x', 300000)) WHERE jsonb_typeof(p.value) = 'string'
  ) AS s (value)
ORDER BY p.name, p.path;
INSERT INTO call (query)
  SELECT format('SELECT %s FROM swollen AS d, document AS c, (SELECT purchase_history ''{2024-01-01:1:10,2024-02-01:2:20}'' AS h) AS b WHERE d.id = %s AND c.name = ''customer''', f.call, s.id)
  FROM swollen AS s JOIN (VALUES
    ('purchase', 'alive_probability(d.value, b.h, date ''2024-06-01'')'), ('purchase', 'next_purchase(d.value, b.h, date ''2024-06-01'')'),
    ('purchase', 'churn_next_change(d.value, b.h, date ''2024-06-01'')'), ('spend', 'expected_spend(d.value, b.h, date ''2024-06-01'')'), ('value', 'future_value(d.value, b.h, date ''2024-06-01'')'),
    ('prior', 'loyalty(b.h, date ''2024-06-01'', jsonb_build_object(''prior'', d.value))'), ('prior', 'purchase_due(b.h, date ''2024-06-01'', 0.5, jsonb_build_object(''prior'', d.value))'),
    ('churn', 'churn_probability(d.value, ''{"a": 1, "b": "2"}''::jsonb)'), ('churn', 'churn_probability(d.value, c.value - ''list'')'), ('churn', 'churn_explain(d.value, ''{"a": 1, "b": "2"}'')'), ('churn', 'churn_coefficients(d.value)'),
    ('retention', 'survival_probability(d.value, interval ''2 months'', ''{"a": 1}'')'), ('retention', 'retention_curve(d.value)'), ('retention', 'contract_value(d.value, interval ''2 months'', interval ''1 year'', 1)'), ('retention', 'subscription_value(d.value, interval ''2 months'', 1, interval ''1 year'')'),
    ('curve', 'survival_probability(d.value, interval ''2 months'')'), ('curve', 'retention_curve(d.value)'), ('curve', 'expected_lifetime(d.value, interval ''2 months'', interval ''10 years'')'),
    ('calibration', 'calibrated(d.value, 0.3)'), ('profile', 'profile_assign(d.value, ''{"a": 1, "b": "2"}''::jsonb)'), ('profile', 'profile_describe(d.value)'), ('profile', 'profile_quality(d.value)'), ('profile', 'profile_map(d.value)'),
    ('mixture', 'profile_assign(d.value, ARRAY[1, 2]::double precision[])'), ('mixture', 'profile_describe(d.value)'),
    ('channels', 'channel_code(d.value, ''x'', (SELECT contact_history(''email'', date ''2024-01-01'', ''click'')), NULL, date ''2024-06-01'')'),
    ('channels', 'channel_next_change(d.value, ''x'', (SELECT contact_history(''email'', date ''2024-01-01'', ''click'')), NULL, date ''2024-06-01'')'),
    ('ranking', 'segmentation_internal.channel_ranking((SELECT m.value FROM model AS m WHERE m.name = ''channels''), ''x'', (SELECT contact_history(''email'', date ''2024-01-01'', ''click'')), (SELECT consent_history(''email'', true, date ''2024-01-01'')), date ''2024-06-01'', d.value)'),
    ('hours', 'send_time(d.value, (SELECT send_hours(timestamp ''2024-01-01'')))'), ('interests', 'interest_profile(d.value, ''{"a": 1}'')'), ('interests', 'interest_shares(d.value, ''{"a": 1}'')'),
    ('lookalike', 'lookalike_score(d.value, ''{"a": 1, "b": "2"}'')'), ('lookalike', 'lookalike_explain(d.value, ''{"a": 1, "b": "2"}'')'),
    ('map', 'rfm_map_check(d.value)'), ('map', 'rfm_map_rows(d.value)'), ('mapping', 'attribute_moment(''city'', date ''2024-05-01'', ''a'', repeat(''b'', 100000), date ''2024-06-01'', d.value)'),
    ('calendar', 'yearly_recurrence(b.h, date ''2024-06-01'', NULL, ''x'', d.value)'), ('churn options', 'fit_churn_model(true, ''{"a": 1}'', d.value)'), ('profile options', 'fit_profile(''{"a": 1, "b": 1}''::jsonb, d.value)'),
    ('profile options', 'fit_profile(ARRAY[1, 2]::double precision[], d.value)'), ('loyalty options', 'loyalty_explain(b.h, date ''2024-06-01'', d.value)'),
    ('offers', 'top_products((SELECT fit_product_affinity(item_history ''[["a","2024-01-01",1,"1","10"]]'', date ''2024-06-01'')), item_history ''[["a","2024-01-01",1,"1","10"]]'', date ''2024-06-01'', 3, d.value)'),
    ('definition', 'segment_explain(d.value, c.value, date ''2024-06-01'')'), ('definition', 'segment_sql(d.value, date ''2024-06-01'')'), ('definition', 'segmentation_internal.segment_conditions(d.value)'),
    ('card', 'segment_explain(d.value, c.value, date ''2024-06-01'')'), ('card', 'segment_sql(d.value, date ''2024-06-01'')'), ('nearest', 'segment_explain(d.value, c.value, date ''2024-06-01'')')
    ) AS f (name, call) ON f.name = s.name
  ORDER BY s.id, f.call;

-- Each in a statement of its own, with a second to end. It is undone, whatever it did.
CREATE PROCEDURE try(which integer) LANGUAGE plpgsql AS $$
DECLARE
  before interval := worked();
  took interval;
  message text;
  detail text;
  outcome text := 'done';
  query text := (SELECT c.query FROM call AS c WHERE c.id = which);
BEGIN
  BEGIN
    EXECUTE query;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0';
  EXCEPTION
  WHEN SQLSTATE 'UNDO0' THEN
    took := worked() - before;
  WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS outcome = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    took := worked() - before;
  END;
  -- A name of a million characters is quoted as it is by PostgreSQL.
  message := left(message, 1000);
  detail := left(detail, 1000);
  UPDATE call SET
    state = outcome,
    fault = CASE
      WHEN outcome ~ '^(XX|58|53)' OR message || detail ~* 'panic|unwrap|index out of|slice index|with overflow|\.rs\y|\y(struct|enum|variant|[iuf](16|32|64)|usize)\y'
      THEN concat_ws(' | ', message, detail)
      WHEN took > interval '2 seconds' THEN 'went on for ' || took
      END
  WHERE id = which;
END
$$;
SET statement_timeout = '1s';
\set ECHO none
SELECT format('CALL try(%s)', id) FROM call ORDER BY id \gexec
\set ECHO all
SET statement_timeout = 0;
SELECT count(*) > 500 AS enough, count(*) FILTER (WHERE state = 'done') > 50 AS answered, count(*) FILTER (WHERE state = '22023') > 50 AS refused FROM call;
SELECT state, fault, left(query, 300) AS query FROM call WHERE fault IS NOT NULL OR state IS NULL ORDER BY id;
DROP TABLE large, plain, call, document, model, swollen;
DROP PROCEDURE try;
