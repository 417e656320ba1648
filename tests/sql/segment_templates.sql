-- Every template in a workspace: it registers, it finds members, and who they are is told by SQL of our own.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
\set SHOW_CONTEXT never
SELECT count(*) AS tables FROM simulate_shop('tried', customers => 800, seed => 3);
-- What no shop has by itself: the household, the home, the company, marks.
ALTER TABLE tried.customers ADD adults integer, ADD children integer, ADD housing text, ADD owner boolean, ADD income numeric, ADD education integer,
  ADD headcount numeric, ADD turnover numeric, ADD balance numeric;
UPDATE tried.customers SET adults = 1 + customer_id % 3, children = CASE WHEN customer_id % 4 = 0 THEN customer_id % 5 ELSE 0 END, housing = (ARRAY['house', 'flat'])[1 + customer_id % 2],
  owner = customer_id % 3 = 0, income = 800 + 41 * (customer_id % 200), education = customer_id % 9;
UPDATE tried.customers SET headcount = 4 ^ (customer_id % 8), turnover = 40000 * 5 ^ (customer_id % 8), balance = 30000 * 5 ^ (customer_id % 8) WHERE is_company;
ALTER TABLE tried.customers ADD performance numeric, ADD expert_image numeric, ADD price numeric, ADD trade_in numeric, ADD running_cost numeric, ADD parts numeric, ADD proximity numeric,
  ADD reliability numeric, ADD finance numeric;
UPDATE tried.customers SET performance = 10 - customer_id % 5, expert_image = 5, price = 5 + customer_id % 6, trade_in = customer_id % 10, running_cost = 5, parts = 6, proximity = 5, reliability = 7,
  finance = customer_id % 8 WHERE customer_id % 2 = 0;
SELECT create_workspace('tried_ws', time_zone => 'Europe/Paris');
SELECT count(add_source('tried_ws', kind, relation)) AS sources
FROM (VALUES ('purchases', 'tried.orders'::regclass), ('purchase_lines', 'tried.order_lines'), ('customers', 'tried.customers'), ('contacts', 'tried.contacts'),
             ('interactions', 'tried.interactions')) AS s (kind, relation);
-- Categories by their names, which another table has.
SELECT add_source('tried_ws', 'products', 'tried.products', '{"product": "product_id", "category": "categories.category", "join": {"tried.categories": "category_id"}}') IS NOT NULL AS products;
CALL refresh('tried_ws', '2025-12-31');
SELECT count(register_segment('tried_ws', t.name, t.definition)) AS registered FROM segment_template AS t;
CALL refresh('tried_ws', '2025-12-31', retrain => false);

SELECT t.name, label('segment_template', t.name, 'fr') AS french, count(DISTINCT c.customer) AS members, cardinality(segment_codes(t.definition)) AS codes, count(DISTINCT m.code) AS codes_with_members
FROM segment_template AS t
LEFT JOIN tried_ws.customer_segments AS c ON c.segments ? t.name
LEFT JOIN LATERAL unnest(string_to_array(c.segments ->> t.name, ', ')) AS m (code) ON true
GROUP BY t.name, t.definition ORDER BY t.name;
-- Each needs what it says: a template whose columns are missing is refused, by name.
SELECT t.name, k.field AS field_that_it_does_not_read FROM segment_template AS t CROSS JOIN LATERAL jsonb_object_keys(t.columns) AS k (field)
WHERE strpos(t.definition::text, '"' || k.field || '"') = 0 ORDER BY 1, 2;

CREATE VIEW tried.said AS SELECT c.customer, e.key AS template, e.value AS code FROM tried_ws.customer_segments AS c, jsonb_each_text(c.segments) AS e;
CREATE VIEW tried.meant AS
SELECT c.customer, 'value_churn' AS template, CASE
  WHEN c.future_value = 'high' AND c.churn = 'low' THEN 'cherish' WHEN c.future_value = 'high' AND c.churn = 'medium' THEN 'watch_over' WHEN c.future_value = 'high' AND c.churn = 'high' THEN 'save_now'
  WHEN c.future_value IN ('high', 'medium') AND c.churn = 'lost' THEN 'win_back' WHEN c.future_value = 'medium' AND c.churn IN ('low', 'medium') THEN 'develop'
  WHEN c.future_value = 'medium' AND c.churn = 'high' THEN 'reawaken' WHEN c.future_value IN ('low', 'none') AND c.churn IN ('low', 'medium') THEN 'keep_cheaply'
  WHEN c.future_value IN ('low', 'none') AND c.churn IN ('high', 'lost') THEN 'let_go' END AS code
FROM tried_ws.customer_segments AS c
UNION ALL
SELECT customer_id, 'age', CASE WHEN y < 25 THEN 'under_25' WHEN y < 35 THEN 'age_25_34' WHEN y < 50 THEN 'age_35_49' WHEN y < 65 THEN 'age_50_64' ELSE 'age_65_plus' END
FROM (SELECT customer_id, extract(year FROM age('2025-12-31', birth_date)) AS y FROM tried.customers WHERE birth_date IS NOT NULL) AS a
UNION ALL
SELECT customer_id, 'income', CASE WHEN income < 1500 THEN 'income_modest' WHEN income < 3000 THEN 'income_middle' WHEN income < 5000 THEN 'income_comfortable' ELSE 'income_high' END FROM tried.customers
UNION ALL
SELECT customer_id, 'education', (ARRAY['education_basic', 'education_secondary', 'education_higher'])[1 + (education >= 3)::int + (education >= 5)::int] FROM tried.customers
UNION ALL
SELECT customer_id, 'housing', housing || CASE WHEN owner THEN '_owner' ELSE '_tenant' END FROM tried.customers
UNION ALL
SELECT customer_id, 'household', CASE WHEN children > 0 AND adults = 1 THEN 'single_parent' WHEN children >= 3 THEN 'large_family' WHEN children > 0 THEN 'family'
  ELSE (ARRAY['single', 'couple', 'shared_home'])[adults] END FROM tried.customers
UNION ALL
SELECT customer_id, 'activity', (ARRAY['farmer', 'self_employed', 'executive', 'intermediate', 'employee', 'worker', 'retired', 'not_working'])[left(occupation_code, 1)::int]
FROM tried.customers WHERE occupation_code ~ '^[1-8]'
UNION ALL
SELECT customer_id, 'company_size', CASE WHEN headcount < 10 AND (turnover <= 2e6 OR balance <= 2e6) THEN 'micro' WHEN headcount < 250 AND (turnover <= 50e6 OR balance <= 43e6) THEN 'pme'
  WHEN headcount < 5000 AND (turnover <= 1.5e9 OR balance <= 2e9) THEN 'eti' ELSE 'ge' END FROM tried.customers WHERE is_company;
SELECT w.template, count(*) FILTER (WHERE s.code IS DISTINCT FROM m.code) AS differ, count(*) AS customers
FROM (SELECT DISTINCT template FROM tried.meant) AS w
CROSS JOIN tried_ws.customer_segments AS c
LEFT JOIN tried.said AS s ON s.customer = c.customer AND s.template = w.template
LEFT JOIN tried.meant AS m ON m.customer = c.customer AND m.template = w.template
GROUP BY w.template ORDER BY w.template;
-- Behaviour: on two days of the year something of garden, by lines that were not sent back.
SELECT count(*) FILTER (WHERE (g.n >= 2) IS DISTINCT FROM coalesce('likes_garden' = ANY (string_to_array(s.code, ', ')), false)) AS differ, count(*) FILTER (WHERE g.n >= 2) AS gardeners
FROM tried_ws.customer_segments AS c
LEFT JOIN tried.said AS s ON s.customer = c.customer AND s.template = 'interests'
CROSS JOIN LATERAL (
  SELECT count(*) AS n FROM tried_ws.customer_facts AS f CROSS JOIN LATERAL item_days(f.categories) AS d
  WHERE f.customer = c.customer AND d.item = 'garden' AND d.day > date '2025-12-31' - 365) AS g;
-- Left without an order: a look at a product, or at the shop's pages, and no order on that day or the three after it, which have passed.
SELECT count(*) FILTER (WHERE v.left_it IS DISTINCT FROM (s.code IS NOT NULL)) AS differ, count(*) FILTER (WHERE v.left_it) AS members
FROM tried_ws.customer_segments AS c
LEFT JOIN tried.said AS s ON s.customer = c.customer AND s.template = 'abandoned_visit'
CROSS JOIN LATERAL (
  SELECT EXISTS (
    SELECT FROM tried.interactions AS i
    WHERE i.customer_id = c.customer AND i.kind IN ('product_view', 'web_visit') AND i.occurred_at::date BETWEEN date '2025-12-31' - 30 AND date '2025-12-31' - 3
      AND NOT EXISTS (SELECT FROM tried_ws.customer_facts AS f CROSS JOIN LATERAL days(f.history) AS d
        WHERE f.customer = c.customer AND d.purchases > 0 AND d.day BETWEEN i.occurred_at::date AND i.occurred_at::date + 3)) AS left_it) AS v;
DROP SCHEMA tried CASCADE;
SELECT drop_workspace('tried_ws');
