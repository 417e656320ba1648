-- Who is the same customer: forms, distances, the model, clusters.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- One form. NULL for what is none.
SELECT e AS written, normalize_email(e), email_is_role(e)
FROM unnest(ARRAY['Jean.Dupont+promo@Gmail.com', 'jean.dupont@orange.fr', 'contact@exemple.fr', 'not an address', '']) AS e;
SELECT p AS written, normalize_phone(p), normalize_phone(p, 'DE') AS german
FROM unnest(ARRAY['06 12 34 56 78', '+33 (0)6.12.34.56.78', '030 901820', '0690 12 34 56', '0000000000', 'none']) AS p;
SELECT n AS written, normalize_name(n), first_name_root(n)
FROM unnest(ARRAY['M. DE LA TOUR', 'd’Estaing', 'Jean-Pierre', 'Bob', 'Manu', 'O''Brien', '李', '123', E'\u202eeiraM']) AS n;
SELECT a AS written, normalize_address(a)
FROM unnest(ARRAY['12 bis, Avenue du Général de Gaulle', '75008 PARIS CEDEX 08', '10 Downing Street', ',']) AS a;
SELECT normalize_postcode('1000'), normalize_postcode('1000', 'BE') AS belgian, normalize_postcode('sw1a 1aa', 'GB') AS british,
       normalize_company('Sté DUPONT & Cie, S.A.R.L.') AS company, normalize_birth_date('31/12/1985') AS born,
       normalize_birth_date('1900-01-01') AS placeholder, birth_date_plausible('1985-12-31', '2026-01-01') AS plausible,
       birth_date_plausible('infinity', '2026-01-01') AS never;
SELECT normalize_phone('1', 'XX');
SELECT normalize_postcode('1', 'France');
SELECT phonetic_key('Dupont', 'klingon');
SELECT birth_date_plausible('2000-01-01', 'infinity');
SELECT count(*) AS null_in_null_out
FROM (VALUES (normalize_email(NULL)), (normalize_phone(NULL)), (normalize_name(NULL)), (first_name_root(NULL)), (normalize_address(NULL)),
             (normalize_company(NULL)), (phonetic_key(NULL)), (normalize_birth_date(NULL)::text)) AS v (value) WHERE value IS NULL;

-- Distances.
SELECT a, b, round(jaro_winkler(a, b)::numeric, 4) AS jaro_winkler, damerau_levenshtein(a, b), round(token_similarity(a, b)::numeric, 2) AS tokens,
       phonetic_key(a) = phonetic_key(b) AS sound_alike
FROM (VALUES ('martha', 'marhta'), ('dupont', 'dupond'), ('philippe', 'filipe'), ('5 rue paix', 'rue paix 7'), ('', '')) AS v (a, b);
SELECT jaro_winkler(repeat('x', 1001), 'x');
SELECT damerau_levenshtein('x', repeat('é', 1001));

-- Records, keys and patterns.
CREATE TABLE rules AS SELECT '{"comparisons": [{"field": "first_name"}, {"field": "last_name"}, {"field": "birth_date"}, {"field": "email"},
    {"field": "phone"}, {"field": "city", "kind": "text"}, {"field": "card", "kind": "identifier"}],
  "blocking": [["last_name", "birth_date"], ["email"], ["phone"], ["first_name:nickname", "last_name:sounds_fr"]]}'::jsonb AS rules;
CREATE TABLE person (id bigint, customer jsonb);
INSERT INTO person VALUES
  (1, '{"first_name": "Robert", "last_name": "Dupont", "birth_date": "1980-05-01", "email": "bob.dupont@gmail.com", "city": "Paris"}'),
  (2, '{"first_name": "Bob", "last_name": "DUPOND", "birth_date": "01/05/1980", "phone": "06 12 34 56 78", "city": "paris", "card": 12}'),
  (3, '{"first_name": null, "last_name": "", "email": "contact@exemple.fr", "phone": [1], "card": {"a": 1}, "other": true}');
SELECT id, match_record(rules, customer) FROM rules, person ORDER BY id;
SELECT match_pattern(r.rules, match_record(r.rules, a.customer), match_record(r.rules, b.customer)) AS pattern,
       match_rule(match_keys(r.rules, match_record(r.rules, a.customer)), match_keys(r.rules, match_record(r.rules, b.customer))) AS rule
FROM rules AS r, person AS a, person AS b WHERE a.id = 1 AND b.id IN (2, 3) ORDER BY b.id;
SELECT match_record(rules, '[]') FROM rules;
SELECT match_pattern(rules, '{a}', '{b}') FROM rules;
SELECT match_record('{"comparisons": [{"field": "name"}], "blocking": [["name"]]}', '{}');
SELECT match_record('{"comparisons": [{"field": "email"}], "blocking": [["phone"]]}', '{}');
SELECT match_record('{"comparisons": [{"field": "email", "levels": ["alike"]}], "blocking": [["email"]]}', '{}');
SELECT match_record('{"comparisons": []}', '{}');

-- A model, of patterns that were counted.
CREATE TABLE model AS
SELECT fit_match_model(rules, ARRAY[0, 0, 0, 0, 1, 1, 4, 4], ARRAY['0000000', '0000010', '1000000', '0300000', '5444222', '0044000', '5444222', '5400000'],
  ARRAY[9000, 900, 90, 10, 80, 20, 85, 5], 1000, '{"last_name": {"collision": 0.001, "rest": 0.0001, "frequent": {"martin": 0.02}}}') AS model
FROM rules;
SELECT model ->> 'kind' AS kind, round((model ->> 'prior')::numeric, 5) AS prior, p.pass -> 'rule' AS rule, round((p.pass ->> 'matches')::numeric) AS matches
FROM model, jsonb_array_elements(model -> 'passes') AS p (pass);
SELECT step, field, value_a, value_b, level, round(bits::numeric, 1) AS bits, round(total::numeric, 1) AS total, contradicts
FROM model, match_explain(model, match_record(model, '{"first_name": "Bob", "last_name": "Kerbrat", "birth_date": "1980-05-01"}'),
                                 match_record(model, '{"first_name": "Robert", "last_name": "kerbrat", "birth_date": "1980-05-10"}'));
SELECT round((match_weight(model, match_record(model, '{"last_name": "Kerbrat"}'), match_record(model, '{"last_name": "Kerbrat"}'))
            - match_weight(model, match_record(model, '{"last_name": "Martin"}'), match_record(model, '{"last_name": "Martin"}')))::numeric, 3) AS a_rare_name_counts_more,
       round(log(2, 200), 3) AS expected FROM model;
SELECT match_contradiction(model, match_record(model, '{"first_name": "Anne", "last_name": "Petit"}'), match_record(model, '{"first_name": "Paul", "last_name": "Petit"}')) AS husband,
       match_contradiction(model, match_record(model, '{"first_name": "Anne", "last_name": "Petit", "card": 7}'), match_record(model, '{"first_name": "Paul", "last_name": "Petit", "card": 7}')) AS one_card,
       match_contradiction(model, match_record(model, '{"first_name": "Anne", "last_name": "Paul"}'), match_record(model, '{"first_name": "Paul", "last_name": "Anne"}')) AS in_each_others_place
FROM model;
SELECT fit_match_model(rules, '{}', '{}', '{}', 10) FROM rules;
SELECT fit_match_model(rules, '{0}', '{0000000}', '{10}', 10) FROM rules;
SELECT fit_match_model(rules, '{9}', '{0000000}', '{10}', 10) FROM rules;
SELECT fit_match_model(rules, '{0}', '{00}', '{10}', 10) FROM rules;
SELECT fit_match_model(rules, '{0,0}', '{0000000}', '{10}', 10) FROM rules;
SELECT fit_match_model(rules, '{0}', '{0000000}', '{-1}', 10) FROM rules;
SELECT match_weight('{"kind": "churn_model"}', '{}', '{}');

-- Clusters: the best pairs first, none too large, none with two that are apart.
SELECT * FROM match_clusters('{1,2,3,9}', '{2,3,4,9}', '{0.9,0.8,0.99,1}');
SELECT * FROM match_clusters('{1,2,3}', '{2,3,4}', '{0.9,0.8,0.99}', '{4}', '{1}');
SELECT * FROM match_clusters('{1,2,3}', '{2,3,4}', '{0.9,0.8,0.99}', largest => 2);
SELECT * FROM match_clusters('{}', '{}', '{}');
SELECT * FROM match_clusters('{1}', '{2}', '{NaN}');
SELECT * FROM match_clusters('{1}', '{2,3}', '{1}');
SELECT * FROM match_clusters('{1}', '{NULL}', '{1}');
SELECT * FROM match_clusters('{1}', '{2}', '{1}', largest => 0);
DROP TABLE rules, person, model;
