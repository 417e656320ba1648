-- What definitions may read in a workspace: workspace_fields, what is refused, and every template with members.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE PROCEDURE pg_temp.refused(statement text) LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RAISE WARNING 'not refused: %', statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | % | %', SQLSTATE, message, detail, hint;
END
$$;
SELECT count(*) AS tables FROM simulate_shop('fields', customers => 600, seed => 3, options => '{"subscriptions": false}');
-- What the shop does not ask, and the templates do.
CREATE VIEW fields.asked AS
SELECT c.*, (1000 * c.income_band + c.customer_id % 7 * 100)::numeric AS income, c.customer_id % 9 AS education,
  1 + c.customer_id % 3 AS adults, c.customer_id % 4 AS children, (ARRAY['house', 'flat'])[1 + c.customer_id % 2] AS housing,
  c.customer_id % 3 = 0 AS owner, (5 + c.customer_id % 60 * 10)::numeric AS headcount, (c.customer_id * 1000)::bigint AS balance, c.customer_id * 2000.5 AS turnover,
  c.customer_id % 11 AS performance, c.customer_id % 5 AS expert_image, c.customer_id % 7 AS price, c.customer_id % 3 AS trade_in, c.customer_id % 4 AS running_cost,
  c.customer_id % 6 AS parts, c.customer_id % 8 AS proximity, c.customer_id % 9 AS reliability, c.customer_id % 10 + 1 AS finance, c.city::char(20) AS town
FROM fields.customers AS c;
CREATE VIEW fields.catalogue AS SELECT p.product_id, c.category, p.product AS name, p.price, p.stock FROM fields.products AS p JOIN fields.categories AS c USING (category_id);
COMMENT ON COLUMN fields.asked.town IS 'The city, in twenty letters.';
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT configure_workspace('crm', '{"purchase_family": "bg_nbd"}');
-- Before there is anything: codes, scores and facts only; then what the sources have.
SELECT kind, count(*) AS fields, count(filled) AS filled FROM workspace_fields('crm') GROUP BY kind ORDER BY kind;
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchases', 'fields.orders'::regclass), ('purchase_lines', 'fields.order_lines'), ('products', 'fields.catalogue'), ('customers', 'fields.asked'),
             ('contacts', 'fields.contacts'), ('interactions', 'fields.interactions'), ('consents', 'fields.consents')) AS s (kind, relation);
SELECT field, kind, type, about FROM workspace_fields('crm') WHERE field IN ('income', 'housing', 'owner', 'birth_year', 'birth_date', 'town', 'turnover', 'future_value', 'future_value_code') ORDER BY field;
-- A definition is checked before there is a result, by the sources.
CALL pg_temp.refused($$SELECT register_segment('crm', 'x', '{"kind": "rules", "segments": [{"segment": "a", "when": {"field": "incom", ">": 1}}]}')$$);
SELECT register_segment('crm', t.name, t.definition) FROM segment_template AS t ORDER BY t.name;
CALL refresh('crm', '2025-12-31');

-- Every field with its type, codes, example; the same as what definitions really see.
SELECT field, kind, type, left(codes::text, 70) AS codes, filled IS NOT NULL AS filled, members FROM workspace_fields('crm')
WHERE kind NOT IN ('attribute', 'score') ORDER BY kind, field;
SELECT field, type, codes, example, round(filled::numeric, 3) AS filled, about FROM workspace_fields('crm') WHERE field IN ('housing', 'owner', 'income', 'town', 'headcount_band', 'churn_code', 'birth_year') ORDER BY field;
SELECT field, about FROM workspace_fields('crm', 'fr') WHERE field IN ('turnover', 'churn', 'first_purchase', 'birth_year', 'town') ORDER BY field;
SELECT e.key AS field, jsonb_typeof(e.value) AS type, f.type AS said
FROM crm.customer_segments AS c JOIN crm.customer_scores AS s USING (customer) JOIN crm.customer_facts AS f0 USING (customer)
CROSS JOIN LATERAL jsonb_each(segmentation_internal.workspace_row(f0.company, f0.attributes, to_jsonb(c), to_jsonb(s), '{email}')) AS e
LEFT JOIN workspace_fields('crm') AS f ON f.field = e.key
WHERE customer <= 60 AND e.value <> 'null'
  AND jsonb_typeof(e.value) IS DISTINCT FROM CASE f.type WHEN 'text' THEN 'string' WHEN 'day' THEN 'string' WHEN 'list' THEN 'array' ELSE f.type END;

-- Every template has members.
SELECT t.name, count(c.segments ->> t.name) > 0 AS members, count(DISTINCT c.segments ->> t.name) AS segments
FROM segment_template AS t CROSS JOIN crm.customer_segments AS c GROUP BY t.name ORDER BY t.name;
-- The same counts by SQL on the shop itself.
SELECT c.segments ->> 'lifecycle' = 'never_bought' AS said, NOT EXISTS (
  SELECT FROM fields.orders AS o WHERE o.customer_id = c.customer AND o.refund_of IS NULL
    -- A gift of 0 that was not sent back is a purchase.
    AND coalesce(o.amount + (SELECT sum(r.amount) FROM fields.orders AS r WHERE r.refund_of = o.order_id) <> 0, true)) AS never, count(*)
FROM crm.customer_segments AS c GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS differ
FROM crm.customer_segments AS c
LEFT JOIN (
  SELECT l.customer_id, (array_agg('likes_' || l.category ORDER BY l.category))[1] AS liked
  FROM (SELECT l.customer_id, c.category FROM fields.order_lines AS l JOIN fields.products AS p USING (product_id) JOIN fields.categories AS c USING (category_id)
        WHERE c.category IN ('garden', 'sport') AND l.ordered_on > date '2025-12-31' - 365 AND l.amount > 0
        GROUP BY 1, 2 HAVING count(DISTINCT l.ordered_on) >= 2) AS l GROUP BY 1) AS o ON o.customer_id = c.customer
WHERE CASE WHEN c.segments ->> 'interests' IN ('likes_garden', 'likes_sport') THEN c.segments ->> 'interests' END IS DISTINCT FROM o.liked;
SELECT code, customers FROM workspace_segment_preview('crm', '{"kind": "rules", "segments": [{"segment": "char(n)", "when": {"field": "town", "=": "Paris"}}]}') ORDER BY 1;
SELECT count(*) FROM fields.customers WHERE city = 'Paris';

-- What is refused, with the name that was meant; in the language of the workspace.
CREATE TABLE fields.wrong (n serial, "when" jsonb);
INSERT INTO fields.wrong ("when") VALUES
  ('{"field": "chrun", "=": "high"}'), ('{"field": "future_value", "=": "high"}'), ('{"field": "churn", "=": "High risk"}'), ('{"field": "churn_code", "in": ["hihg", "low"]}'),
  ('{"field": "rfm", "=": "champion"}'), ('{"field": "pmg", "=": "Large customers"}'), ('{"field": "profile", "=": "profile_99"}'), ('{"field": "income", "=": "much"}'),
  ('{"field": "owner", ">": 3}'), ('{"field": "consents", "=": "email"}'), ('{"field": ["company", "headcuont"], ">": 3}'), ('{"field": ["churn", "x"], "=": "y"}'),
  ('{"events": "purchase", "count": {">": 1}}'), ('{"events": "purchases", "where": {"field": "categry", "=": "garden"}, "count": {">": 1}}'), ('{"field": "product_appetence", "=": "no such product"}'),
  ('{"field": "life_moment", "=": "bith"}'), ('{"field": "housing", "=": 3}'), ('{"field": "first_purchase", ">": 3}');
SELECT n, "when", f.path, f.fault FROM fields.wrong, segmentation_internal.workspace_definition_faults('crm', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'x', 'when', "when")))) AS f ORDER BY n, 3, 4;
SELECT n FROM fields.wrong WHERE NOT EXISTS (SELECT FROM segmentation_internal.workspace_definition_faults('crm', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'x', 'when', "when")))));
CALL pg_temp.refused($$SELECT register_segment('crm', 'x', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'x', 'when', "when")))) FROM fields.wrong WHERE n = 1$$);
CALL pg_temp.refused($$SELECT workspace_segment_preview('crm', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'x', 'when', "when")))) FROM fields.wrong WHERE n = 2$$);
-- Unknown on purpose; what is a score and an attribute is told.
SELECT register_segment('crm', 'later', '{"kind": "rules", "unknown_fields": ["card"], "segments": [{"segment": "x", "when": {"field": "card", "=": "gold"}}]}');
SET client_min_messages = notice;
SELECT register_segment('crm', 'sized', '{"kind": "rules", "segments": [{"segment": "x", "when": {"all": [{"field": "turnover", ">": 100}, {"field": ["attributes", "turnover"], ">": 3000}]}}]}');
SET client_min_messages = warning;
-- A definition that was right once.
UPDATE crm.segment SET definition = '{"kind": "rules", "segments": [{"segment": "x", "when": {"field": "cihldren", ">": 2}}]}' WHERE segment = 'later';
SELECT * FROM workspace_check('crm') WHERE item LIKE 'segment%';
SELECT configure_workspace('crm', '{"language": "fr"}');
SELECT detail FROM workspace_check('crm') WHERE item LIKE 'segment%';
SELECT fault FROM fields.wrong, segmentation_internal.workspace_definition_faults('crm', jsonb_build_object('kind', 'rules', 'segments', jsonb_build_array(jsonb_build_object('segment', 'x', 'when', "when")))) ORDER BY n, 1;
CALL pg_temp.refused($$SELECT * FROM workspace_fields('crm', 'xx')$$);
SELECT drop_workspace('crm');
DROP SCHEMA fields CASCADE;
