-- Ready-made definitions of segments, as rows to copy and adapt.

CREATE TABLE segmentation.segment_template (
  name text PRIMARY KEY,
  about text NOT NULL,
  columns jsonb NOT NULL,
  definition jsonb NOT NULL
);
COMMENT ON TABLE segmentation.segment_template IS
  'Ready-made definitions of segments. Copy a definition, adapt its thresholds, and give it to segment_assign.';
COMMENT ON COLUMN segmentation.segment_template.name IS 'What it is called in segment_template(name).';
COMMENT ON COLUMN segmentation.segment_template.about IS 'What it sorts customers by.';
COMMENT ON COLUMN segmentation.segment_template.columns IS
  'The attributes that it reads, with their type and meaning. Names are those of workspace_fields, where a workspace '
  'has them.';
COMMENT ON COLUMN segmentation.segment_template.definition IS 'The definition.';

CREATE FUNCTION segmentation.segment_template(name text) RETURNS jsonb
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN (SELECT t.definition FROM segmentation.segment_template AS t WHERE t.name = $1);
COMMENT ON FUNCTION segmentation.segment_template(text) IS
  'A ready-made definition, or NULL if there is none of that name.';

INSERT INTO segmentation.segment_template (name, about, columns, definition) VALUES
('value_churn', 'What a customer is worth against how likely they are to leave: where an effort pays.',
 '{"future_value": "text: high, medium, low, none; in a workspace, where that is the amount, future_value_code", '
 '"churn": "text: low, medium, high, lost"}',
 jsonb_build_object('kind', 'rules', 'name', 'value x churn',
   'unknown_fields', '["future_value", "future_value_code"]'::jsonb, 'segments', (
   SELECT jsonb_agg(jsonb_build_object('segment', v.segment, 'when', jsonb_build_object('all', jsonb_build_array(
       jsonb_build_object('any', jsonb_build_array(
         jsonb_build_object('field', 'future_value_code', 'in', to_jsonb(v.future_values)),
         jsonb_build_object('field', 'future_value', 'in', to_jsonb(v.future_values)))),
       jsonb_build_object('field', 'churn', 'in', to_jsonb(v.churns))))) ORDER BY v.place)
   FROM (VALUES
     (1, 'cherish', '{high}'::text[], '{low}'::text[]), (2, 'watch_over', '{high}', '{medium}'),
     (3, 'save_now', '{high}', '{high}'), (4, 'win_back', '{high,medium}', '{lost}'),
     (5, 'develop', '{medium}', '{low,medium}'), (6, 'reawaken', '{medium}', '{high}'),
     (7, 'keep_cheaply', '{low,none}', '{low,medium}'), (8, 'let_go', '{low,none}', '{high,lost}'))
     AS v (place, segment, future_values, churns)))),
('lifecycle', 'Where a customer stands: new, active, at risk, lost, reactivated.',
 '{"bought": "boolean: whether the customer ever bought", "first_purchase": "date", "last_purchase": "date", '
 '"last_gap": "integer: days between the last purchase day and the one before; NULL if there is only one"}',
 '{"kind": "rules", "name": "life cycle", "unknown_fields": ["bought"], "segments": [
   {"segment": "never_bought", "when": {"field": "bought", "=": false}},
   {"segment": "lost_customer", "when": {"field": "last_purchase", "<": {"days_ago": 365}}},
   {"segment": "fading", "when": {"field": "last_purchase", "<": {"days_ago": 180}}},
   {"segment": "new_customer", "when": {"field": "first_purchase", ">=": {"days_ago": 90}}},
   {"segment": "reactivated",
    "when": {"all": [{"field": "last_gap", ">": 365}, {"field": "last_purchase", ">=": {"days_ago": 90}}]}},
   {"segment": "active", "when": {"field": "last_purchase", ">=": {"days_ago": 180}}}]}'),
('age', 'Age bands, from the date of birth.',
 '{"birth_date": "date"}',
 '{"kind": "rules", "name": "age", "segments": [
   {"segment": "under_25", "when": {"field": "birth_date", ">": {"years_ago": 25}}},
   {"segment": "age_25_34", "when": {"field": "birth_date", ">": {"years_ago": 35}}},
   {"segment": "age_35_49", "when": {"field": "birth_date", ">": {"years_ago": 50}}},
   {"segment": "age_50_64", "when": {"field": "birth_date", ">": {"years_ago": 65}}},
   {"segment": "age_65_plus", "when": {"field": "birth_date", "<=": {"years_ago": 65}}}]}'),
('income', 'Bands of income. The thresholds are examples in euros a month: set your own.',
 '{"income": "number: net income of the household a month"}',
 '{"kind": "rules", "name": "income", "segments": [
   {"segment": "income_modest", "when": {"field": "income", "<": 1500}},
   {"segment": "income_middle", "when": {"field": "income", "<": 3000}},
   {"segment": "income_comfortable", "when": {"field": "income", "<": 5000}},
   {"segment": "income_high", "when": {"field": "income", ">=": 5000}}]}'),
('activity', 'Occupation, from the code of Insee (PCS), whose first digit is the group.',
 '{"occupation_code": "text: PCS code, one digit or more"}',
 '{"kind": "rules", "name": "activity", "segments": [
   {"segment": "farmer", "when": {"field": "occupation_code", "starts_with": "1"}},
   {"segment": "self_employed", "when": {"field": "occupation_code", "starts_with": "2"}},
   {"segment": "executive", "when": {"field": "occupation_code", "starts_with": "3"}},
   {"segment": "intermediate", "when": {"field": "occupation_code", "starts_with": "4"}},
   {"segment": "employee", "when": {"field": "occupation_code", "starts_with": "5"}},
   {"segment": "worker", "when": {"field": "occupation_code", "starts_with": "6"}},
   {"segment": "retired", "when": {"field": "occupation_code", "starts_with": "7"}},
   {"segment": "not_working", "when": {"field": "occupation_code", "starts_with": "8"}}]}'),
('education', 'Level of education, from the international classification (ISCED 2011).',
 '{"education": "integer: ISCED level, 0 to 8"}',
 '{"kind": "rules", "name": "education", "segments": [
   {"segment": "education_basic", "when": {"field": "education", "between": [0, 2]}},
   {"segment": "education_secondary", "when": {"field": "education", "between": [3, 4]}},
   {"segment": "education_higher", "when": {"field": "education", "between": [5, 8]}}]}'),
('household', 'The household: alone, couple, family.',
 '{"adults": "integer", "children": "integer: living in the household"}',
 '{"kind": "rules", "name": "household", "segments": [
   {"segment": "single_parent", "when": {"all": [{"field": "adults", "=": 1}, {"field": "children", ">=": 1}]}},
   {"segment": "large_family", "when": {"field": "children", ">=": 3}},
   {"segment": "family", "when": {"field": "children", ">=": 1}},
   {"segment": "single", "when": {"all": [{"field": "adults", "=": 1}, {"field": "children", "=": 0}]}},
   {"segment": "couple", "when": {"all": [{"field": "adults", "=": 2}, {"field": "children", "=": 0}]}},
   {"segment": "shared_home", "when": {"all": [{"field": "adults", ">": 2}, {"field": "children", "=": 0}]}}]}'),
('housing', 'House or flat, owned or rented.',
 '{"housing": "text: house, flat", "owner": "boolean"}',
 '{"kind": "rules", "name": "housing", "segments": [
   {"segment": "house_owner", "when": {"all": [{"field": "housing", "=": "house"}, {"field": "owner", "=": true}]}},
   {"segment": "house_tenant", "when": {"all": [{"field": "housing", "=": "house"}, {"field": "owner", "=": false}]}},
   {"segment": "flat_owner", "when": {"all": [{"field": "housing", "=": "flat"}, {"field": "owner", "=": true}]}},
   {"segment": "flat_tenant", "when": {"all": [{"field": "housing", "=": "flat"}, {"field": "owner", "=": false}]}}]}'),
('geography',
 'Departments of France by the sea (and Monaco), in the mountains, around Paris, overseas, inland; a customer can be '
 'in several. Whole departments: a postcode does not say how far the beach is. What is no postcode of five characters '
 'is in none.',
 '{"postcode": "text: five characters"}',
 jsonb_build_object('kind', 'rules', 'name', 'geography', 'match', 'all', 'segments', (
   SELECT jsonb_agg(jsonb_build_object('segment', g.segment, 'when', jsonb_build_object('any', (
            SELECT jsonb_agg(jsonb_build_object('field', 'postcode', 'like', rpad(d.code, 5, '_')))
            FROM unnest(g.departments) AS d (code)))) ORDER BY g.place)
   FROM (VALUES
     (1, 'seaside', '{06,11,13,14,17,20,22,29,30,33,34,35,40,44,50,56,59,62,64,66,76,80,83,85,980}'::text[]),
     (2, 'mountain', '{04,05,06,09,15,25,38,39,43,48,63,64,65,66,73,74,88}'),
     (3, 'paris_region', '{75,77,78,91,92,93,94,95}'),
     (4, 'overseas', '{97,986,987,988}'),
     (5, 'inland',
      '{01,02,03,07,08,10,12,16,18,19,21,23,24,26,27,28,31,32,36,37,41,42,'
      '45,46,47,49,51,52,53,54,55,57,58,60,61,67,68,69,70,71,72,79,81,82,84,86,87,89,90}')
   ) AS g (place, segment, departments)))),
('interests',
  'Interests, from the categories bought at least twice in the last year; a customer can have several. Name your own '
  'categories.',
 '{"purchases": "list of objects: date, category"}',
 jsonb_build_object('kind', 'rules', 'name', 'interests', 'match', 'all', 'segments', (
   SELECT jsonb_agg(jsonb_build_object('segment', 'likes_' || i.code, 'when', jsonb_build_object(
            'events', 'purchases', 'where', jsonb_build_object('field', 'category', 'in', to_jsonb(i.categories)),
            'last_days', 365, 'count', '{">=": 2}'::jsonb)) ORDER BY i.place)
   FROM (VALUES
     (1, 'garden', '{garden}'::text[]), (2, 'sport', '{sport}'), (3, 'travel', '{travel}'),
     (4, 'culture', '{books,music,toys}'),
     (5, 'home', '{home,furniture,kitchen,diy}'), (6, 'fashion', '{fashion,shoes,jewellery}'),
     (7, 'technology', '{electronics}'),
     (8, 'beauty', '{beauty}'), (9, 'children', '{baby,toys}'), (10, 'pets', '{pets}'))
     AS i (place, code, categories)))),
('abandoned_visit', 'Looked at a product, or at the shop''s pages, and did not order within three days.',
 '{"activity": "list of objects: date, what (product_view, web_visit, order)"}',
 '{"kind": "rules", "name": "abandoned visit", "segments": [
   {"segment": "left_without_order", "when": {"events": "activity",
     "where": {"field": "what", "in": ["product_view", "web_visit"]},
     "from": {"days_ago": 30}, "not_then": {"field": "what", "=": "order"}, "within_days": 3}}]}'),
('engagement',
 'A scorecard of engagement over 90 days. Opens of e-mails do not count: machines open them too. Of whom nothing is '
 'known, nothing is said.',
 '{"clicks_90": "integer", "visits_90": "integer", "purchases_90": "integer", "complaints_90": "integer"}',
 '{"kind": "scorecard", "name": "engagement", "base": -1000, "points": [
   {"comment": "known at all", "points": 1000, "when": {"any": [
     {"field": "clicks_90", "is_null": false}, {"field": "visits_90", "is_null": false},
     {"field": "purchases_90", "is_null": false}, {"field": "complaints_90", "is_null": false}]}},
   {"when": {"field": "clicks_90", ">=": 1}, "points": 10}, {"when": {"field": "clicks_90", ">=": 5}, "points": 10},
   {"when": {"field": "visits_90", ">=": 1}, "points": 15}, {"when": {"field": "visits_90", ">=": 10}, "points": 15},
   {"when": {"field": "purchases_90", ">=": 1}, "points": 30},
   {"when": {"field": "purchases_90", ">=": 3}, "points": 20},
   {"when": {"field": "complaints_90", ">=": 1}, "points": -20}],
  "bands": [{"segment": "engaged", "from": 50}, {"segment": "interested", "from": 20},
      {"segment": "quiet", "from": -100}]}'),
('company_size',
  'Size of a company by French law (decree 2008-1354, article 3). Unknown turnover: an answer only if it does not '
  'depend on it.',
 '{"headcount": "number: annual work units", "turnover": "number: euros, without VAT", "balance": "number: balance '
 'sheet total, euros"}',
 '{"kind": "rules", "name": "company size", "segments": [
   {"segment": "micro", "when": {"all": [
     {"field": "headcount", "<": 10},
     {"any": [{"field": "turnover", "<=": 2000000}, {"field": "balance", "<=": 2000000}]}]}},
   {"segment": "pme", "when": {"all": [
     {"field": "headcount", "<": 250},
     {"any": [{"field": "turnover", "<=": 50000000}, {"field": "balance", "<=": 43000000}]},
     {"not": {"all": [
       {"field": "headcount", "<": 10},
       {"any": [{"field": "turnover", "<=": 2000000}, {"field": "balance", "<=": 2000000}]}]}}]}},
   {"segment": "eti", "when": {"all": [
     {"field": "headcount", "<": 5000},
     {"any": [{"field": "turnover", "<=": 1500000000}, {"field": "balance", "<=": 2000000000}]},
     {"not": {"all": [
       {"field": "headcount", "<": 250},
       {"any": [{"field": "turnover", "<=": 50000000}, {"field": "balance", "<=": 43000000}]}]}}]}},
   {"segment": "ge", "when": {"not": {"all": [
     {"field": "headcount", "<": 5000},
     {"any": [{"field": "turnover", "<=": 1500000000}, {"field": "balance", "<=": 2000000000}]}]}}}]}'),
('benefits_sought',
  'Buyers of construction machines by what counts for them, marks from 0 to 10 (Caterpillar): a worked example of '
  'benefits sought.',
 '{"performance": "number", "expert_image": "number", "price": "number", "trade_in": "number", "running_cost": '
 '"number", "parts": "number", "proximity": "number", "reliability": "number", "finance": "number"}',
 '{"kind": "benefits", "name": "benefits sought",
  "criteria": ["performance", "expert_image", "price", "trade_in", "running_cost", "parts", "proximity", "reliability",
      "finance"],
  "profiles": [
   {"segment": "miners", "weights": [10, 6, 6, 1, 9, 6, 4, 9, 2]},
   {"segment": "quarry", "weights": [8, 7, 7, 5, 8, 7, 7, 7, 5]},
   {"segment": "general_builders", "weights": [7, 5, 9, 8, 5, 5, 6, 5, 7]},
   {"segment": "renters", "weights": [6, 4, 10, 9, 4, 7, 5, 6, 7]}]}');

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'segment_template', v.code, t.language, t.label
FROM (VALUES
  ('value_churn', 'Value and risk of churn', 'Valeur et risque d''attrition'),
  ('lifecycle', 'Life cycle', 'Cycle de vie du client'),
  ('age', 'Age band', 'Tranche d''âge'),
  ('income', 'Income band', 'Tranche de revenus'),
  ('activity', 'Occupation', 'Catégorie socioprofessionnelle'),
  ('education', 'Level of education', 'Niveau d''études'),
  ('household', 'Household', 'Composition du foyer'),
  ('housing', 'Housing', 'Habitat'),
  ('geography', 'Kind of place', 'Situation géographique'),
  ('interests', 'Interests', 'Centres d''intérêt'),
  ('abandoned_visit', 'Visit without an order', 'Visite sans commande'),
  ('engagement', 'Engagement', 'Engagement'),
  ('company_size', 'Size of a company', 'Taille d''entreprise'),
  ('benefits_sought', 'Benefits sought', 'Bénéfices recherchés')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
