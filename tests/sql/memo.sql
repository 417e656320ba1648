-- What a call site remembers: every function that takes a model, a definition, options, cut points or a map is called
-- with two of them in turn, in every way in which a call site lives longer than one call; each answer must be that of
-- the same call written out.
SET search_path = public, segmentation;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;

-- The reproduction of a variable in PL/pgSQL.
CREATE FUNCTION memo_rules(d jsonb) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RETURN segment_assign(d, '{"a":1}'::jsonb, date '2024-01-01'); END $$;
SELECT i, memo_rules(format('{"kind":"rules","segments":[{"segment":"seg%s","when":{"field":"a",">=":0}}]}', i)::jsonb)
FROM generate_series(1, 3) AS i;

-- Two values of each kind, as texts.
CREATE TABLE memo_customer AS
  SELECT c, purchase_history(date '2024-01-01' + (c * 7 + k * (20 + c % 13)) % 400, (10 + (c * 31 + k * 17) % 50)::numeric) AS h,
         item_history('i' || (c * 3 + k * k) % 9, date '2024-01-01' + (c * 7 + k * 31) % 400) AS i,
         contact_history('ch' || (c + k) % 3, date '2024-01-01' + (c * 7 + k * 31) % 400, CASE WHEN (c * k) % 4 = 0 THEN 'click' END) AS t,
         interaction_history('v' || (c + k) % 3, date '2024-01-01' + (c * 7 + k * 31) % 400) AS n,
         send_hours(timestamp '2024-01-01' + ((c * 5 + k * 29) % 168) * interval '1 hour') AS s
  FROM generate_series(1, 60) AS c, generate_series(0, 7) AS k WHERE k <= c % 8 GROUP BY c;
CREATE TABLE memo_value (kind text, n integer, type text, v text NOT NULL, PRIMARY KEY (kind, n));
INSERT INTO memo_value
SELECT kind, nth, type, v FROM (VALUES (1, date '2025-01-01'), (2, date '2024-11-01')) AS d (nth, day), LATERAL (
  SELECT 'purchase', 'jsonb', fit_purchase_model(h, day, '{"family": "bg_nbd"}')::text FROM memo_customer UNION ALL
  SELECT 'spend', 'jsonb', fit_spend_model(h, day)::text FROM memo_customer UNION ALL
  SELECT 'affinity', 'product_affinity', fit_product_affinity(i, day)::text FROM memo_customer UNION ALL
  SELECT 'channel', 'jsonb', fit_channel_model(t, NULL, day)::text FROM memo_customer UNION ALL
  SELECT 'send_time', 'jsonb', fit_send_time(s, jsonb_build_object('bandwidth_hours', nth * 2))::text FROM memo_customer UNION ALL
  SELECT 'interest', 'jsonb', fit_interest_model(jsonb_build_object('x', c, 'y', nth * 40))::text FROM memo_customer UNION ALL
  SELECT 'lookalike', 'jsonb', fit_lookalike(c % (nth + 1) = 0, jsonb_build_object('a', c, 'b', c * c % 7))::text FROM memo_customer UNION ALL
  SELECT 'churn', 'jsonb', fit_churn_model((c * c + nth) % 5 < 2, jsonb_build_object('a', c, 'b', c % 7))::text FROM memo_customer UNION ALL
  SELECT 'stack', 'jsonb', jsonb_build_object('kind', 'churn_stack', 'version', 1, 'as_of', day, 'horizon', '90 days', 'candidate', 'recency',
    'reach', 365, 'unit', 1, 'with_events', false, 'intercept', -2.5 - nth / 2.0, 'coefficients', '[{"term": "recency", "estimate": 1, "mean": 3}]'::jsonb,
    'inner_horizon', '90 days', 'customers', count(*), 'sample', 60)::text FROM memo_customer UNION ALL
  SELECT 'value', 'jsonb', fit_value_stack(h, day)::text FROM memo_customer UNION ALL
  SELECT 'profile', 'jsonb', fit_profile(jsonb_build_object('a', c, 'b', c * c % (7 + nth)), jsonb_build_object('k', 1 + nth))::text FROM memo_customer UNION ALL
  SELECT 'profile_array', 'jsonb', fit_profile(ARRAY[c, c * c % (7 + nth)]::float8[], jsonb_build_object('k', 1 + nth))::text FROM memo_customer UNION ALL
  SELECT 'retention', 'jsonb', fit_retention_model('2023-01-01', CASE WHEN c % (nth + 1) > 0 THEN date '2023-01-01' + c * 9 END, day)::text FROM memo_customer UNION ALL
  SELECT 'calibration', 'jsonb', calibrate(c / 100.0, (c * 7) % (50 + nth * 30) < c)::text FROM memo_customer UNION ALL
  SELECT 'rfm_cuts', 'rfm_cuts', rfm_cuts(h, day)::text FROM memo_customer UNION ALL
  SELECT 'pmg_cuts', 'pmg_cuts', pmg_cuts(turnover(h) * nth)::text FROM memo_customer UNION ALL
  SELECT 'rules', 'jsonb', format('{"kind": "rules", "segments": [{"segment": "seg%s", "when": {"field": "a", ">=": 0}}]}', nth)
) AS v (kind, type, v);
INSERT INTO memo_value VALUES
  ('future_cuts', 1, 'pmg_cuts', '(rank,0.05,0.2,10000,1,1,1,1)'), ('future_cuts', 2, 'pmg_cuts', '(rank,0.05,0.2,10000,10,1,1,1)'),
  ('turnover_cuts', 1, 'pmg_cuts', '(rank,0.05,0.2,1000,1,1,1,1)'), ('turnover_cuts', 2, 'pmg_cuts', '(rank,0.05,0.2,1000,550,1,1,1)'),
  ('map', 1, 'text', 'classic_11'), ('map', 2, 'text', 'rf_10'),
  ('match_rules', 1, 'jsonb', '{"comparisons": [{"field": "email"}, {"field": "last_name", "levels": ["exact"], "contradicts": true}], "blocking": [["email"]]}'),
  ('match_rules', 2, 'jsonb', '{"comparisons": [{"field": "email", "kind": "text"}, {"field": "last_name"}], "blocking": [["last_name"]]}'),
  ('match_model', 1, 'jsonb', '{"kind": "match_model", "version": 1, "prior": 0.001, "records": 10, "rules": {"comparisons": [{"field": "email"}, {"field": "last_name", "levels": ["exact"], "contradicts": true}], "blocking": [["email"]]}, "comparisons": [{"field": "email", "levels": [{"level": "0", "m": 0.25, "u": 0.05}, {"level": "1", "m": 0.25, "u": 0.0333}, {"level": "2", "m": 0.25, "u": 0.025}, {"level": "3", "m": 0.25, "u": 0.02}]}, {"field": "last_name", "levels": [{"level": "0", "m": 0.5, "u": 0.05}, {"level": "1", "m": 0.5, "u": 0.0333}]}]}'),
  ('match_model', 2, 'jsonb', '{"kind": "match_model", "version": 1, "prior": 0.01, "records": 10, "rules": {"comparisons": [{"field": "email"}, {"field": "last_name", "levels": ["exact"], "contradicts": false}], "blocking": [["email"]]}, "comparisons": [{"field": "email", "levels": [{"level": "0", "m": 0.25, "u": 0.1}, {"level": "1", "m": 0.25, "u": 0.0667}, {"level": "2", "m": 0.25, "u": 0.05}, {"level": "3", "m": 0.25, "u": 0.04}]}, {"field": "last_name", "levels": [{"level": "0", "m": 0.5, "u": 0.1}, {"level": "1", "m": 0.5, "u": 0.0667}]}]}'),
  ('map_json', 1, 'jsonb', '{"first_match": true, "segments": [{"segment": "first", "r": 5}, {"segment": "one", "r": [1, 5]}]}'),
  ('map_json', 2, 'jsonb', '{"first_match": true, "segments": [{"segment": "second", "r": 5}, {"segment": "two", "r": [1, 5]}]}');

-- The other arguments are literals: an expression with a subquery is none of those that PL/pgSQL keeps.
CREATE TABLE memo_literal (name text PRIMARY KEY, literal text);
INSERT INTO memo_literal
SELECT '{' || name || '}', format('%L::%s', v, type) FROM (
  SELECT kind, type, v FROM memo_value WHERE n = 1 AND kind IN ('purchase', 'stack', 'value', 'spend', 'affinity', 'channel', 'pmg_cuts') UNION ALL
  SELECT 'h', 'purchase_history', h::text FROM memo_customer WHERE c = 23 UNION ALL
  SELECT 'i', 'item_history', i::text FROM memo_customer WHERE c = 23 UNION ALL
  SELECT 'marked', 'purchase_history', purchase_history(date '2026-01-01' + 10 * k, 1)::text FROM generate_series(0, 9) AS k UNION ALL
  SELECT 'quiet', 'purchase_history', '{2024-06-10:1:23,2024-07-10:1:40,2024-08-09:1:57,2024-10-08:1:41}' UNION ALL
  SELECT 't', 'contact_history', t::text FROM memo_customer WHERE c = 23 UNION ALL
  SELECT 'n', 'interaction_history', n::text FROM memo_customer WHERE c = 23 UNION ALL
  SELECT 's', 'send_hours', s::text FROM memo_customer WHERE c = 23 UNION ALL
  SELECT 'consents', 'consent_history', consents('{"ch0": true, "ch1": true, "ch2": true}')::text UNION ALL
  SELECT 'rfm', 'rfm', rfm_score(10, 3, 100::numeric, cuts)::text FROM (SELECT rfm_cuts(h, '2025-01-01') AS cuts FROM memo_customer) AS c
) AS l (name, type, v);

-- A call: the function, the kind of value that varies (or two options), the expression with $1 for it.
CREATE TABLE memo_call (call text, kind text, expression text, a text, b text, PRIMARY KEY (call, kind));
INSERT INTO memo_call (call, kind, expression) VALUES
('match_record(jsonb,jsonb)', 'match_rules', $$match_record($1, '{"email": "a.b@exemple.fr", "last_name": "Dupont"}')$$),
('match_keys(jsonb,text[])', 'match_rules', $$match_keys($1, '{a.b@exemple.fr,dupont}')$$),
('match_pattern(jsonb,text[],text[])', 'match_rules', $$match_pattern($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('match_contradiction(jsonb,text[],text[])', 'match_rules', $$match_contradiction($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('match_contradiction(jsonb,text[],text[])', 'match_model', $$match_contradiction($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('fit_match_model(jsonb,integer[],text[],bigint[],bigint,jsonb)', 'match_rules', $$fit_match_model(jsonb_set($1, '{comparisons,0,kind}', '"identifier"') || '{"blocking": [["email"]]}', '{0,1}', '{00,10}', '{10,9}', 10)$$),
('match_weight(jsonb,text[],text[])', 'match_model', $$match_weight($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('match_probability(jsonb,text[],text[])', 'match_model', $$match_probability($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('segmentation_internal.match_explain_json(jsonb,text[],text[])', 'match_model', $$segmentation_internal.match_explain_json($1, '{a.b@exemple.fr,dupont}', '{a.b@exemple.fr,dupond}')$$),
('segment_assign(jsonb,jsonb,date)', 'rules', $$segment_assign($1, '{"a": 1}'::jsonb, '2024-01-01')$$),
('segment_assign(jsonb,record,date)', 'rules', $$segment_assign($1, '(1,t)'::memo_row, '2024-01-01')$$),
('segment_memberships(jsonb,jsonb,date)', 'rules', $$segment_memberships($1, '{"a": 1}'::jsonb, '2024-01-01')$$),
('segment_memberships(jsonb,record,date)', 'rules', $$segment_memberships($1, '(1,t)'::memo_row, '2024-01-01')$$),
('segment_explain(jsonb,jsonb,date)', 'rules', $$segment_explain($1, '{"a": 1}'::jsonb, '2024-01-01')$$),
('segment_explain(jsonb,record,date)', 'rules', $$segment_explain($1, '(1,t)'::memo_row, '2024-01-01')$$),
('segment_codes(jsonb)', 'rules', $$segment_codes($1)$$),
('segmentation_internal.segment_sql(jsonb,date,jsonb,text,text,boolean)', 'rules', $$segmentation_internal.segment_sql($1, '2024-01-01', NULL, 't', 'c', false)$$),
('segmentation_internal.segment_conditions(jsonb)', 'rules', $$(SELECT string_agg(s::text, ',') FROM segmentation_internal.segment_conditions($1) AS s)$$),
('lookalike_score(jsonb,jsonb)', 'lookalike', $$lookalike_score($1, '{"a": 9, "b": 3}')$$),
('lookalike_explain(jsonb,jsonb)', 'lookalike', $$lookalike_explain($1, '{"a": 9, "b": 3}')$$),
('churn_probability(jsonb,jsonb)', 'churn', $$churn_probability($1, '{"a": 9, "b": 3}'::jsonb)$$),
('churn_explain(jsonb,jsonb,text)', 'churn', $$(SELECT string_agg(e::text, ',') FROM churn_explain($1, '{"a": 9, "b": 3}', 'en') AS e)$$),
('churn_probability(jsonb,interval,interval,jsonb)', 'retention', $$churn_probability($1, '3 months', '1 month'::interval, '{}')$$),
('survival_probability(jsonb,interval,jsonb)', 'retention', $$survival_probability($1, '3 months', '{}')$$),
('expected_lifetime(jsonb,interval,interval,jsonb)', 'retention', $$expected_lifetime($1, '3 months', '1 year', '{}')$$),
('contract_value(jsonb,interval,interval,double precision,double precision,jsonb)', 'retention', $$contract_value($1, '3 months', '1 year', 10, 0.1, '{}')$$),
('subscription_value(jsonb,interval,double precision,interval,double precision,double precision,jsonb)', 'retention', $$subscription_value($1, '3 months', 10, '1 year', 0.1, 1, '{}')$$),
('retention_curve(jsonb,jsonb)', 'retention', $$(SELECT string_agg(r::text, ',') FROM retention_curve($1, '{}') AS r)$$),
('calibrated(jsonb,double precision)', 'calibration', $$calibrated($1, 0.35)$$),
('churn_probability(jsonb,purchase_history,date,interval)', 'purchase', $$churn_probability($1, {h}, date '2025-01-01', '90 days')$$),
('churn_probability(jsonb,purchase_history,date,interval)', 'stack', $$churn_probability($1, {h}, date '2025-01-01', '90 days')$$),
('churn_probability(jsonb,purchase_history,date)', 'stack', $$churn_probability($1, {h}, date '2025-01-01')$$),
('churn_probability(jsonb,purchase_history,contact_history,interaction_history,date)', 'stack', $$churn_probability($1, {h}, {t}, {n}, date '2025-01-01')$$),
('churn_explain(jsonb,purchase_history,contact_history,interaction_history,date,text)', 'stack', $$(SELECT string_agg(e::text, ',') FROM churn_explain(jsonb_set($1, '{coefficients,0,estimate}', $1 -> 'intercept'), {h}, NULL, NULL, '2025-01-01', 'en') AS e)$$),
('churn_level(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb)', 'stack', $$churn_level($1, NULL, {quiet}, NULL, NULL, '2024-10-20', '{}')$$),
('churn_next_change(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb)', 'stack', $$churn_next_change($1, NULL, {quiet}, NULL, NULL, '2024-10-10', '{}')$$),
('segmentation_internal.churn_next_change(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb,date)', 'stack', $$segmentation_internal.churn_next_change($1, NULL, {quiet}, NULL, NULL, '2024-10-10', '{}', 'infinity')$$),
('alive_probability(jsonb,purchase_history,date)', 'purchase', $$alive_probability($1, {h}, '2025-01-01')$$),
('expected_purchases(jsonb,purchase_history,date,interval)', 'purchase', $$expected_purchases($1, {h}, '2025-01-01', '90 days')$$),
('next_purchase(jsonb,purchase_history,date,double precision)', 'purchase', $$next_purchase($1, {h}, '2025-01-01', 0.8)$$),
('churn_probability_confidence(jsonb,purchase_history,date,interval,double precision)', 'purchase', $$churn_probability_confidence($1, {h}, '2025-01-01', '90 days', 0.9)$$),
('alive_probability_confidence(jsonb,purchase_history,date,double precision)', 'purchase', $$alive_probability_confidence($1, {h}, '2025-01-01', 0.9)$$),
('expected_purchases_confidence(jsonb,purchase_history,date,interval,double precision)', 'purchase', $$expected_purchases_confidence($1, {h}, '2025-01-01', '90 days', 0.9)$$),
('expected_spend(jsonb,purchase_history,date)', 'spend', $$expected_spend($1, {h}, '2025-01-01')$$),
('future_value(jsonb,jsonb,purchase_history,date,interval,double precision,double precision)', 'purchase', $$future_value($1, {spend}, {h}, '2025-01-01', '1 year', 0.1, 1)$$),
('future_value(jsonb,jsonb,purchase_history,date,interval,double precision,double precision)', 'spend', $$future_value({purchase}, $1, {h}, '2025-01-01', '1 year', 0.1, 1)$$),
('future_value_interval(jsonb,jsonb,purchase_history,date,interval,double precision,double precision,double precision)', 'purchase', $$future_value_interval($1, {spend}, {h}, '2025-01-01', '1 year', 0.1, 1, 0.8)$$),
('future_value_interval(jsonb,jsonb,purchase_history,date,interval,double precision,double precision,double precision)', 'spend', $$future_value_interval({purchase}, $1, {h}, '2025-01-01', '1 year', 0.1, 1, 0.8)$$),
('churn_next_change(jsonb,purchase_history,date,jsonb)', 'purchase', $$churn_next_change($1, {quiet}, '2024-10-10', '{}')$$),
('future_value(jsonb,purchase_history,date,jsonb)', 'value', $$future_value($1, {h}, '2025-01-01', '{}')$$),
('future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb)', 'value', $$future_value_next_change($1, {quiet}, '2024-10-10', '(rank,0.05,0.2,10000,10,1,1,1)', '{}')$$),
('segmentation_internal.future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb,date)', 'value', $$segmentation_internal.future_value_next_change($1, {quiet}, '2024-10-10', '(rank,0.05,0.2,10000,10,1,1,1)', '{}', 'infinity')$$),
('future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb)', 'future_cuts', $$future_value_next_change({value}, {quiet}, '2024-10-10', $1, '{}')$$),
('segmentation_internal.future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb,date)', 'future_cuts', $$segmentation_internal.future_value_next_change({value}, {quiet}, '2024-10-10', $1, '{}', 'infinity')$$),
('future_value_next_change(jsonb,jsonb,purchase_history,date,pmg_cuts,jsonb)', 'future_cuts', $$future_value_next_change({purchase}, {spend}, {quiet}, '2024-12-01', $1, '{}')$$),
('pmg_next_change(purchase_history,date,pmg_cuts,integer)', 'turnover_cuts', $$pmg_next_change('{2024-05-20:3:500,2024-04-10:1:100}', '2024-06-01', $1, 3)$$),
('rfm_next_change(purchase_history,date,rfm_cuts)', 'rfm_cuts', $$rfm_next_change({quiet}, '2024-10-12', $1)$$),
('rfm_score(purchase_history,date,rfm_cuts)', 'rfm_cuts', $$rfm_score({h}, '2024-10-01', $1)$$),
('rfm_score(numeric,numeric,numeric,rfm_cuts)', 'rfm_cuts', $$rfm_score(20, 5, 90::numeric, $1)$$),
('rfm_score(numeric,numeric,double precision,rfm_cuts)', 'rfm_cuts', $$rfm_score(20, 5, 90::float8, $1)$$),
('rfm_segment(rfm,jsonb)', 'map_json', $$rfm_segment({rfm}, $1)$$),
('rfm_segment(rfm,text)', 'map', $$rfm_segment({rfm}, $1)$$),
('rfm_map_rows(jsonb)', 'map_json', $$(SELECT md5(string_agg(o::text, ',')) FROM rfm_map_rows($1) AS o)$$),
('pmg_bucket(numeric,pmg_cuts)', 'pmg_cuts', $$pmg_bucket((({pmg_cuts}).gros_from + 1), $1)$$),
('future_value_band(numeric,pmg_cuts)', 'pmg_cuts', $$future_value_band((({pmg_cuts}).gros_from + 1), $1)$$),
('segmentation_internal.product_offers(product_affinity,item_history,date,integer,jsonb,text)', 'affinity', $$segmentation_internal.product_offers($1, {i}, '2025-01-01', 3, '{}', NULL)$$),
('segmentation_internal.product_offer(product_affinity,item_history,date,text,jsonb,text)', 'affinity', $$segmentation_internal.product_offer($1, {i}, '2025-01-01', 'i4', '{}', NULL)$$),
('product_probability(product_affinity,item_history,date,text)', 'affinity', $$product_probability($1, {i}, '2025-01-01', 'i4')$$),
('top_products(product_affinity,item_history,date,integer,jsonb,text)', 'affinity', $$(SELECT string_agg(o::text, ',') FROM top_products($1, {i}, '2025-01-01', 3) AS o)$$),
('product_neighbours(product_affinity,text,integer)', 'affinity', $$(SELECT md5(string_agg(o::text, ',')) FROM product_neighbours($1, 'cosine', 3) AS o)$$),
('product_facts(product_affinity)', 'affinity', $$(SELECT md5(string_agg(o::text, ',')) FROM product_facts($1) AS o)$$),
('to_jsonb(product_affinity)', 'affinity', $$md5(segmentation.to_jsonb($1)::text)$$),
('profile_assign(jsonb,jsonb)', 'profile', $$profile_assign($1, '{"a": 9, "b": 3}'::jsonb)$$),
('segmentation_internal.profile_assign(jsonb,jsonb,jsonb)', 'profile', $$segmentation_internal.profile_assign($1, '{"a": 1, "b": 3}'::jsonb, '{"a": 9}'::jsonb)$$),
('profile_assign(jsonb,double precision[])', 'profile_array', $$profile_assign($1, '{9,3}'::float8[])$$),
('profile_describe(jsonb)', 'profile', $$(SELECT md5(string_agg(o::text, ',')) FROM profile_describe($1) AS o)$$),
('profile_quality(jsonb)', 'profile', $$(SELECT md5(string_agg(o::text, ',')) FROM profile_quality($1) AS o)$$),
('interest_shares(jsonb,jsonb)', 'interest', $$interest_shares($1, '{"x": 2, "y": 1}')$$),
('profile_map(jsonb)', 'profile', $$(SELECT md5(string_agg(o::text, ',')) FROM profile_map($1) AS o)$$),
('interest_profile(jsonb,jsonb)', 'interest', $$(SELECT string_agg(o::text, ',') FROM interest_profile($1, '{"x": 2, "y": 1}') AS o)$$),
('channel_score(jsonb,text,text,double precision,double precision,double precision)', 'channel', $$channel_score($1, 'ch1', NULL, 3, 1, 0.1)$$),
('segmentation_internal.channel_ranking(jsonb,text,contact_history,consent_history,date,jsonb)', 'channel', $$segmentation_internal.channel_ranking($1, NULL, {t}, {consents}, '2025-01-01', '{}')$$),
('rank_channels(jsonb,text,contact_history,consent_history,date,jsonb)', 'channel', $$(SELECT string_agg(o::text, ',') FROM rank_channels($1, NULL, {t}, {consents}, '2025-01-01') AS o)$$),
('send_time(jsonb,send_hours,bit)', 'send_time', $$send_time($1, {s}, NULL)$$),
('send_time_scores(jsonb,send_hours,bit)', 'send_time', $$send_time_scores($1, {s}, NULL)$$);
-- Options: two of them.
INSERT INTO memo_call VALUES
('segmentation_internal.fill(text,text,jsonb)', '', $$segmentation_internal.fill('w', '@(a)@', $1)$$, '{"a": "one"}', '{"a": "two"}'),
('segmentation_internal.segment_truths(jsonb,jsonb,date)', '', $$segmentation_internal.segment_truths($1, '{"a": 1}'::jsonb, '2024-01-01')$$, '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "a", ">=": 0}}]}', '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "a", ">=": 2}}]}'),
('segmentation_internal.segment_truths(jsonb,record,date)', '', $$segmentation_internal.segment_truths($1, '(1,t)'::memo_row, '2024-01-01')$$, '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "a", ">=": 0}}]}', '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "a", ">=": 2}}]}'),
('segmentation_internal.segment_next_day(jsonb,jsonb,date,text[])', '', $$segmentation_internal.segment_next_day($1, '{"d": "2024-01-01"}'::jsonb, '2024-01-01')$$, '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "d", "<": {"days_ago": 10}}}]}', '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "d", "<": {"days_ago": 20}}}]}'),
('segmentation_internal.segment_reads(jsonb)', '', $$(SELECT string_agg(o::text, ',') FROM segmentation_internal.segment_reads($1) AS o)$$, '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "a", ">=": 0}}]}', '{"kind": "rules", "segments": [{"segment": "s", "when": {"field": "b", ">=": 2}}]}'),
('segment_check(jsonb)', '', $$(SELECT string_agg(s::text, ',') FROM segment_check($1) AS s)$$, '{"kind": "rules"}', '{"kind": "rule"}'),
('purchases_interval(jsonb,purchase_history,date,interval,double precision)', '', $$purchases_interval(jsonb_set({purchase}, '{parameters,r}', $1), {h}, '2025-01-01', '900 days', 0.8)$$, '1', '9'),
('churn_level(jsonb,purchase_history,date,jsonb)', '', $$churn_level({purchase}, {h}, '2025-01-01', $1)$$, '{"medium_from": 0, "high_from": 0, "lost_above": 1}', '{"medium_from": 1, "high_from": 1, "lost_above": 1}'),
('churn_level(double precision,double precision,jsonb)', '', $$churn_level(0.5, 0.5, $1)$$, '{"medium_from": 0.1}', '{"medium_from": 0.6}'),
('churn_next_change(jsonb,purchase_history,date,jsonb)', '', $$churn_next_change({purchase}, {quiet}, '2024-10-10', $1)$$, '{}', '{"medium_from": 0.1}'),
('churn_level(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb)', '', $$churn_level({stack}, NULL, {quiet}, NULL, NULL, '2024-10-20', $1)$$, '{}', '{"medium_from": 0.6}'),
('churn_next_change(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb)', '', $$churn_next_change({stack}, NULL, {quiet}, NULL, NULL, '2024-10-10', $1)$$, '{}', '{"medium_from": 0.5}'),
('segmentation_internal.churn_next_change(jsonb,jsonb,purchase_history,contact_history,interaction_history,date,jsonb,date)', '', $$segmentation_internal.churn_next_change({stack}, NULL, {quiet}, NULL, NULL, '2024-10-10', $1, 'infinity')$$, '{}', '{"medium_from": 0.5}'),
('future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb)', '', $$future_value_next_change({value}, {quiet}, '2024-10-10', '(rank,0.05,0.2,10000,10,1,1,1)', $1)$$, '{"margin": 0.5}', '{"margin": 1}'),
('segmentation_internal.future_value_next_change(jsonb,purchase_history,date,pmg_cuts,jsonb,date)', '', $$segmentation_internal.future_value_next_change({value}, {quiet}, '2024-10-10', '(rank,0.05,0.2,10000,10,1,1,1)', $1, 'infinity')$$, '{"margin": 0.5}', '{"margin": 1}'),
('future_value(jsonb,purchase_history,date,jsonb)', '', $$future_value({value}, {h}, '2025-01-01', $1)$$, '{"margin": 0.5}', '{"margin": 1}'),
('future_value_band(jsonb,jsonb,purchase_history,date,pmg_cuts,jsonb)', '', $$future_value_band({purchase}, {spend}, {h}, '2025-01-01', {pmg_cuts}, $1)$$, '{"margin": 0.0001}', '{"margin": 10000}'),
('segmentation_internal.product_offers(product_affinity,item_history,date,integer,jsonb,text)', '', $$segmentation_internal.product_offers({affinity}, {i}, '2025-01-01', 3, $1, NULL)$$, '{"only": ["i1"]}', '{"only": ["i4"]}'),
('product_next_change(product_affinity,item_history,date,integer,jsonb,text)', '', $$product_next_change({affinity}, {i}, '2025-01-01', 3, $1, NULL)$$, '{}', '{"only": ["i1"]}'),
('segmentation_internal.channel_ranking(jsonb,text,contact_history,consent_history,date,jsonb)', '', $$segmentation_internal.channel_ranking({channel}, NULL, {t}, {consents}, '2025-01-01', $1)$$, '{"level": 0.1}', '{"level": 0.3}'),
('channel_code(jsonb,text,contact_history,consent_history,date,jsonb)', '', $$channel_code({channel}, NULL, {t}, {consents}, '2025-01-01', $1)$$, '{"channels": ["ch1"]}', '{"channels": ["ch2"]}'),
('channel_next_change(jsonb,text,contact_history,consent_history,date,jsonb)', '', $$channel_next_change({channel}, NULL, {t}, {consents}, '2025-01-01', $1)$$, '{"pressure": [{"contacts": 1, "days": 60}]}', '{"pressure": [{"contacts": 1, "days": 90}]}'),
('loyalty(purchase_history,date,jsonb,double precision,double precision,double precision)', '', $$loyalty({h}, '2025-01-01', $1, NULL, NULL, NULL)$$, '{"window": 100}', '{"window": 200}'),
('loyalty_next_change(purchase_history,date,jsonb,double precision,double precision,double precision)', '', $$loyalty_next_change({h}, '2024-12-01', $1, NULL, NULL, NULL)$$, '{"window": 100}', '{"window": 300}'),
('segmentation_internal.loyalty_next_change(purchase_history,date,jsonb,double precision,double precision,double precision,date)', '', $$segmentation_internal.loyalty_next_change({h}, '2024-12-01', $1, NULL, NULL, NULL, NULL)$$, '{"window": 100}', '{"window": 300}'),
('loyalty_explain(purchase_history,date,jsonb,double precision,double precision,double precision,text)', '', $$(SELECT string_agg(o::text, ',') FROM loyalty_explain({h}, '2025-01-01', $1) AS o)$$, '{"window": 100}', '{"window": 200}'),
('purchase_due(purchase_history,date,double precision,jsonb)', '', $$purchase_due({h}, '2025-02-01', 1, $1)$$, '{"least_gaps": 2}', '{"least_gaps": 50}'),
('waning_interest(purchase_history,date,jsonb)', '', $$waning_interest({h}, '2025-01-01', $1)$$, '{"window": 30}', '{"window": 200}'),
('waning_interest(bigint,double precision,bigint,double precision,date,jsonb)', '', $$waning_interest(1, 30, 90, 300, '2025-01-01', $1)$$, '{"alpha": 0.05}', '{"alpha": 1e-9}'),
('yearly_recurrence(purchase_history,date,date,text,jsonb,jsonb)', '', $$yearly_recurrence('{2021-06-10:1:5,2022-06-12:1:5,2023-06-11:1:5}'::purchase_history, '2024-05-01', '2020-01-01', 'holiday_ahead', NULL, $1)$$, '{"lead": 10}', '{"lead": 60}'),
('first_purchase_moment(purchase_history,date,jsonb)', '', $$first_purchase_moment({h}, first_purchase({h}) + 20, $1)$$, '{"days": 10}', '{"days": 100}'),
('reactivated(purchase_history,date,jsonb)', '', $$reactivated('{2024-01-01:1:1,2024-02-01:1:1,2024-03-05:1:1,2024-04-01:1:1,2025-03-01:1:1}'::purchase_history, '2025-04-29', $1)$$, '{}', '{"days": 10}'),
('anniversary(date,date,text,jsonb)', '', $$anniversary('1990-06-01', '2024-05-20', 'birth_date', $1)$$, '{"ahead": 5}', '{"ahead": 30}'),
('segmentation_internal.purchase_moments(purchase_history,date,double precision,jsonb,jsonb,jsonb,jsonb)', 'due options', $$segmentation_internal.purchase_moments({h}, '2025-02-01', 1, $1, NULL, NULL, NULL)$$, '{"until": 0.9, "lapsed": 0.99}', '{"until": 0.3}'),
('segmentation_internal.purchase_moments(purchase_history,date,double precision,jsonb,jsonb,jsonb,jsonb)', 'first options', $$segmentation_internal.purchase_moments({h}, first_purchase({h}) + 20, 1, NULL, NULL, $1, NULL)$$, '{"days": 10}', '{"days": 100}'),
('segmentation_internal.purchase_moments(purchase_history,date,double precision,jsonb,jsonb,jsonb,jsonb)', 'waning options', $$segmentation_internal.purchase_moments({h}, '2025-01-01', 1, NULL, $1, NULL, NULL)$$, '{"window": 30}', '{"window": 200}'),
('segmentation_internal.purchase_moments(purchase_history,date,double precision,jsonb,jsonb,jsonb,jsonb)', 'reactivated options', $$segmentation_internal.purchase_moments('{2024-01-01:1:1,2024-02-01:1:1,2024-03-05:1:1,2024-04-01:1:1,2025-03-01:1:1}'::purchase_history, '2025-04-29', 1, NULL, NULL, NULL, $1)$$, '{}', '{"days": 10}'),
('attribute_moment(text,date,text,text,date,jsonb,boolean)', '', $$attribute_moment('city', '2024-06-01', 'Lyon', 'Paris', '2024-06-10', $1, false)$$, '[{"attribute": "city", "moment": "one"}]', '[{"attribute": "city", "moment": "two"}]'),
('marker_purchase(purchase_history,purchase_history,date,text,jsonb)', '', $$marker_purchase('{2026-03-02:1:1,2026-03-12:1:1}'::purchase_history, {marked}, '2026-03-12', 'birth', $1)$$, '{}', '{"days": 5}'),
('engagement_score(interaction_history,date,jsonb)', '', $$engagement_score({n}, '2025-01-01', $1)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('contact_counts(contact_history,date,jsonb)', '', $$(SELECT string_agg(o::text, ',') FROM contact_counts({t}, '2025-01-01', $1) AS o)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('consents(jsonb)', '', $$consents($1)$$, '{"a": true}', '{"a": false}'),
('category_breadth(jsonb,integer)', '', $$category_breadth($1, 5)$$, '{"a": 1}', '{"a": 1, "b": 1}'),
('segmentation_internal.association_rules_json(basket_counts,jsonb)', '', $$(SELECT md5(segmentation_internal.association_rules_json(basket_counts(ARRAY['x' || c % 2, 'y' || c % 2]), $1)::text) FROM memo_customer)$$, '{"min_baskets": 2}', '{"min_baskets": 45}'),
('uplift(uplift_values,jsonb)', '', $$(SELECT uplift(uplift_values(c % 2 = 0, c % 3 = 0), $1) FROM memo_customer)$$, '{"level": 0.9}', '{"level": 0.95}'),
('rfm_map_check(jsonb)', '', $$(SELECT md5(string_agg(o::text, ',')) FROM rfm_map_check($1) AS o)$$, '{"segments": [{"segment": "a", "r": 5}]}', '{"segments": [{"segment": "a", "r": 4}]}'),
('rfm_cuts(rfm_values,jsonb)', '', $$(SELECT rfm_cuts(rfm_values(h, '2025-01-01'), $1) FROM memo_customer)$$, '{"bins": 4}', '{"bins": 5}'),
('pmg_cuts(turnover_values,jsonb)', '', $$(SELECT pmg_cuts(turnover_values(turnover(h)), $1) FROM memo_customer)$$, '{"gros": 0.1}', '{"gros": 0.05}'),
('fit_send_time(send_time_cells,jsonb)', '', $$(SELECT md5(fit_send_time(send_time_cells(s), $1)::text) FROM memo_customer)$$, '{"bandwidth_hours": 2}', '{"bandwidth_hours": 4}'),
('simulate_options(jsonb)', '', $$md5(simulate_options($1)::text)$$, '{}', '{"gamma": 40}');
-- Aggregates.
INSERT INTO memo_call SELECT call, '', format('(SELECT md5((%s)::text) FROM memo_customer)', expression), a, b FROM (VALUES
('rfm_cuts(purchase_history,date,jsonb)', $$rfm_cuts(h, '2025-01-01', $1)$$, '{"bins": 4}', '{"bins": 5}'),
('rfm_cuts(numeric,numeric,numeric,jsonb)', $$rfm_cuts(c, c, c::numeric, $1)$$, '{"bins": 4}', '{"bins": 5}'),
('rfm_cuts(numeric,numeric,double precision,jsonb)', $$rfm_cuts(c, c, c::float8, $1)$$, '{"bins": 4}', '{"bins": 5}'),
('pmg_cuts(numeric,jsonb)', $$pmg_cuts(c, $1)$$, '{"gros": 0.1}', '{"gros": 0.05}'),
('purchase_cells(purchase_history,date,jsonb)', $$purchase_cells(h, '2025-01-01', $1)$$, '{"family": "bg_nbd"}', '{"family": "nbd"}'),
('fit_purchase_model(purchase_history,date,jsonb)', $$fit_purchase_model(h, '2025-01-01', $1)$$, '{"family": "bg_nbd"}', '{"family": "nbd"}'),
('churn_stack_rows(purchase_history,date,jsonb)', $$churn_stack_rows(h, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('churn_stack_rows(purchase_history,contact_history,interaction_history,date,jsonb)', $$churn_stack_rows(h, t, n, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('fit_churn_stack(purchase_history,date,jsonb)', $$fit_churn_stack(h, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('fit_churn_stack(purchase_history,contact_history,interaction_history,date,jsonb)', $$fit_churn_stack(h, t, n, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('value_stack_rows(purchase_history,date,jsonb)', $$value_stack_rows(h, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('fit_value_stack(purchase_history,date,jsonb)', $$fit_value_stack(h, '2025-01-01', $1)$$, '{"horizon": "30 days"}', '{"horizon": "60 days"}'),
('spend_cells(purchase_history,date,jsonb)', $$spend_cells(h, '2025-01-01', $1)$$, '{"transactions": "all"}', '{"transactions": "repeat"}'),
('fit_spend_model(purchase_history,date,jsonb)', $$fit_spend_model(h, '2025-01-01', $1)$$, '{"transactions": "all"}', '{"transactions": "repeat"}'),
('churn_rows(boolean,jsonb,jsonb)', $$churn_rows(c % 5 < 2, jsonb_build_object('a', c), $1)$$, '{"ridge": 1}', '{"ridge": 9}'),
('churn_rows(boolean,jsonb,text)', $$churn_rows(c % 5 < 2, jsonb_build_object('a', c), ($1)::text)$$, '{"ridge": 1}', '{"ridge": 9}'),
('fit_churn_model(boolean,jsonb,text)', $$fit_churn_model(c % 5 < 2, jsonb_build_object('a', c), ($1)::text)$$, '{"ridge": 1}', '{"ridge": 9}'),
('churn_rows(boolean,jsonb,double precision,jsonb)', $$churn_rows(c % 5 < 2, jsonb_build_object('a', c), 1, $1)$$, '{"ridge": 1}', '{"ridge": 9}'),
('fit_churn_model(boolean,jsonb,jsonb)', $$fit_churn_model(c % 5 < 2, jsonb_build_object('a', c), $1)$$, '{"ridge": 1}', '{"ridge": 9}'),
('fit_churn_model(boolean,jsonb,double precision,jsonb)', $$fit_churn_model(c % 5 < 2, jsonb_build_object('a', c), 1, $1)$$, '{"ridge": 1}', '{"ridge": 9}'),
('contracts(date,date,date,jsonb,jsonb)', $$contracts('2023-01-01', date '2023-01-01' + c, '2024-01-01', '{}', $1)$$, '{"family": "kaplan_meier"}', '{"family": "shifted_beta_geometric"}'),
('fit_retention_model(date,date,date,jsonb,jsonb)', $$fit_retention_model('2023-01-01', date '2023-01-01' + c, '2024-01-01', '{}', $1)$$, '{"family": "kaplan_meier"}', '{"family": "shifted_beta_geometric"}'),
('calibrate(double precision,boolean,jsonb)', $$calibrate(c / 100.0, c * 7 % 50 < c, $1)$$, '{"method": "isotonic"}', '{"method": "logistic"}'),
('profit_curve(double precision,boolean,jsonb)', $$profit_curve(c / 100.0, c * 7 % 50 < c, $1)$$, '{"contact_cost": 5, "kept_value": 60, "success_rate": 0.3}', '{"contact_cost": 6, "kept_value": 60, "success_rate": 0.3}'),
('fit_profile(double precision[],jsonb)', $$fit_profile(ARRAY[c, c * c % 7]::float8[], $1)$$, '{"k": 2}', '{"k": 3}'),
('fit_profile(jsonb,jsonb)', $$fit_profile(jsonb_build_object('a', c), $1)$$, '{"k": 2}', '{"k": 3}'),
('profile_rows(double precision[],jsonb)', $$profile_rows(ARRAY[c, c * c % 7]::float8[], $1)$$, '{"k": 2}', '{"k": 3}'),
('profile_rows(jsonb,jsonb)', $$profile_rows(jsonb_build_object('a', c), $1)$$, '{"k": 2}', '{"k": 3}'),
('fit_segment_rules(text,jsonb,jsonb)', $$fit_segment_rules('s' || c % 3, jsonb_build_object('a', c * c % 7, 'b', c), $1)$$, '{"max_depth": 1}', '{"max_depth": 3}'),
('uplift(boolean,boolean,jsonb)', $$uplift(c % 2 = 0, c % 3 = 0, $1)$$, '{"level": 0.9}', '{"level": 0.95}'),
('uplift(boolean,double precision,jsonb)', $$uplift(c % 2 = 0, c::float8, $1)$$, '{"level": 0.9}', '{"level": 0.95}'),
('fit_loyalty_prior(purchase_history,date,jsonb)', $$fit_loyalty_prior(h, '2025-01-01', $1)$$, '{"least_customers": 5}', '{"least_customers": 500}'),
('channel_cells(contact_history,text,date,jsonb)', $$channel_cells(t, NULL, '2025-01-01', $1)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('channel_cells(text,text,double precision,double precision,jsonb)', $$channel_cells('a', NULL, c, 1, $1)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('fit_channel_model(contact_history,text,date,jsonb)', $$fit_channel_model(t, NULL, '2025-01-01', $1)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('fit_channel_model(text,text,double precision,double precision,jsonb)', $$fit_channel_model('a', NULL, c, 1, $1)$$, '{"half_life_days": 30}', '{"half_life_days": 90}'),
('fit_send_time(send_hours,jsonb)', $$fit_send_time(s, $1)$$, '{"bandwidth_hours": 2}', '{"bandwidth_hours": 4}'),
('affinity_rows(item_history,date,jsonb)', $$affinity_rows(i, '2025-01-01', $1)$$, '{"horizon": 28}', '{"horizon": 56}'),
('affinity_rows(item_history,date,text,jsonb)', $$affinity_rows(i, '2025-01-01', 's', $1)$$, '{"horizon": 28}', '{"horizon": 56}'),
('fit_product_affinity(item_history,date,jsonb)', $$fit_product_affinity(i, '2025-01-01', $1)$$, '{"horizon": 28}', '{"horizon": 56}'),
('fit_product_affinity(item_history,date,text,jsonb)', $$fit_product_affinity(i, '2025-01-01', 's', $1)$$, '{"horizon": 28}', '{"horizon": 56}'),
('appetence_quality(item_history,date,jsonb)', $$appetence_quality(i, '2025-01-01', $1)$$, '{"horizon": 28}', '{"horizon": 56}'),
('appetence_quality(item_history,date,text,jsonb)', $$appetence_quality(i, '2025-01-01', 's', $1)$$, '{"horizon": 28}', '{"horizon": 56}')
) AS v (call, expression, a, b);
CREATE TYPE memo_row AS (a integer, b boolean);

-- Every function in C and every aggregate that takes such an argument is in the list, or does not look at it again:
-- values and features of a customer, support functions of aggregates (called by these), input and output, simulations,
-- what is on the pictures of a report.
SELECT p.oid::regprocedure AS not_called
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace IN ('segmentation'::regnamespace, 'segmentation_internal'::regnamespace)
  AND (l.lanname = 'c' OR p.prokind = 'a')
  AND p.proargtypes::oid[] && '{jsonb,product_affinity,rfm_cuts,pmg_cuts}'::regtype[]::oid[]
  AND p.oid NOT IN (SELECT call::regprocedure FROM memo_call)
  AND p.oid NOT IN (SELECT aggtransfn FROM pg_aggregate)
  AND NOT (p.prokind = 'a' AND p.oid = ANY ('{"churn_rows(boolean,jsonb)","churn_rows(boolean,jsonb,double precision)",
    "fit_churn_model(boolean,jsonb)","fit_churn_model(boolean,jsonb,double precision)","contracts(date,date,date,jsonb)",
    "fit_retention_model(date,date,date,jsonb)","fit_lookalike(boolean,jsonb)","fit_profile(jsonb)","profile_rows(jsonb)",
    fit_interest_model(jsonb),"fit_segment_rules(text,jsonb)"}'::regprocedure[]))
  AND NOT (p.proretset AND p.proname LIKE 'simulate%')
  AND p.proname NOT IN ('report_page', 'report_chart')
ORDER BY p.oid::regprocedure::text;

-- The answers to values one after the other, called in a certain way.
CREATE FUNCTION memo_answers(way text, expression text, type text, given text[], written text[]) RETURNS text[]
LANGUAGE plpgsql AS $memo$
DECLARE
  answers text[] := '{}';
  answer text;
  value text;
  rows refcursor;
  of_row text := replace(expression, '$1', 'r.v');
BEGIN
  IF way = 'written' THEN
    FOREACH value IN ARRAY given LOOP
      EXECUTE format('SELECT (%s)::text', replace(expression, '$1', format('%L::%s', value, type))) INTO answer;
      answers := answers || answer;
    END LOOP;
  ELSIF way = 'assignment' THEN
    EXECUTE format($f$CREATE FUNCTION memo_f(given text[]) RETURNS text[] LANGUAGE plpgsql AS $$
      DECLARE x %s; one text; answer text; answers text[] := '{}';
      BEGIN FOREACH one IN ARRAY given LOOP x := one; answer := (%s)::text; answers := answers || answer; END LOOP; RETURN answers; END $$ $f$,
      type, replace(expression, '$1', 'x'));
    EXECUTE 'SELECT memo_f($1)' INTO answers USING given;
    DROP FUNCTION memo_f(text[]);
  ELSIF way = 'if' THEN
    EXECUTE format($f$CREATE FUNCTION memo_f(given text[], written text[]) RETURNS text[] LANGUAGE plpgsql AS $$
      DECLARE x %s; answers text[] := '{}';
      BEGIN FOR nth IN 1 .. cardinality(given) LOOP x := given[nth];
        IF (%s)::text IS NOT DISTINCT FROM written[nth] THEN answers := answers || written[nth]; ELSE answers := answers || 'another'::text; END IF;
      END LOOP; RETURN answers; END $$ $f$, type, replace(expression, '$1', 'x'));
    EXECUTE 'SELECT memo_f($1, $2)' INTO answers USING given, written;
    DROP FUNCTION memo_f(text[], text[]);
  ELSIF way IN ('return', 'sql', 'sql, not inlined') THEN
    EXECUTE format('CREATE FUNCTION memo_f(%s) RETURNS text STABLE PARALLEL SAFE ', type) || CASE way
      WHEN 'return' THEN format('LANGUAGE plpgsql AS $$ BEGIN RETURN (%s)::text; END $$', expression)
      WHEN 'sql' THEN format('LANGUAGE sql AS $$ SELECT (%s)::text $$', expression)
      ELSE format('LANGUAGE sql SET work_mem = ''64MB'' AS $$ SELECT (%s)::text $$', expression) END;
    EXECUTE 'SELECT array_agg(memo_f(v) ORDER BY n) FROM memo_rows' INTO answers;
    EXECUTE format('DROP FUNCTION memo_f(%s)', type);
  ELSIF way IN ('custom plan', 'generic plan') THEN
    PERFORM set_config('plan_cache_mode', 'force_' || replace(way, ' ', '_'), true);
    EXECUTE format('PREPARE memo_p (%s) AS SELECT (%s)::text', type, expression);
    FOREACH value IN ARRAY given LOOP
      EXECUTE format('EXECUTE memo_p (%L)', value) INTO answer;
      answers := answers || answer;
    END LOOP;
    DEALLOCATE memo_p;
    PERFORM set_config('plan_cache_mode', 'auto', true);
  ELSIF way = 'cursor' THEN
    OPEN rows FOR EXECUTE format('SELECT (%s)::text FROM memo_rows AS r ORDER BY n', of_row);
    LOOP
      FETCH rows INTO answer;
      EXIT WHEN NOT FOUND;
      answers := answers || answer;
    END LOOP;
    CLOSE rows;
  ELSIF way = 'subquery' THEN
    EXECUTE format('SELECT array_agg((%s)::text ORDER BY n) FROM memo_rows AS o',
      replace(expression, '$1', '(SELECT r.v FROM memo_rows AS r WHERE r.n = o.n)')) INTO answers;
  ELSIF way = 'parallel' THEN
    -- By its name in this or later majors.
    PERFORM set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
    PERFORM set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true);
    EXECUTE format('SELECT array_agg(a ORDER BY n) FROM (SELECT n, (%s)::text AS a FROM memo_rows AS r) AS s', of_row) INTO answers;
    PERFORM set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
  END IF;
  RETURN answers;
END
$memo$;

-- Each in a statement of its own. The rows are too wide, so that the values are stored apart.
CREATE PROCEDURE memo_check(call memo_call, INOUT differ boolean, INOUT wrong text) LANGUAGE plpgsql AS $$
DECLARE
  expression text := call.expression;
  type text := coalesce((SELECT v.type FROM memo_value AS v WHERE v.kind = call.kind LIMIT 1), 'jsonb');
  given text[] := coalesce((SELECT array_agg(v.v ORDER BY n) FROM memo_value AS v WHERE v.kind = call.kind), ARRAY[call.a, call.b]);
  literal memo_literal;
  way text;
  written text[];
BEGIN
  FOR literal IN SELECT * FROM memo_literal LOOP
    expression := replace(expression, literal.name, literal.literal);
  END LOOP;
  given := given || given;
  EXECUTE format('CREATE TABLE memo_rows (n integer, v %s, pad text)', type);
  EXECUTE 'ALTER TABLE memo_rows ALTER v SET STORAGE external, ALTER pad SET STORAGE plain';
  EXECUTE format('INSERT INTO memo_rows SELECT n, v::%s, repeat(''x'', 2100) FROM unnest($1) WITH ORDINALITY AS g (v, n)', type) USING given;
  written := memo_answers('written', expression, type, given, NULL);
  differ := written[1] IS DISTINCT FROM written[2];
  FOREACH way IN ARRAY '{assignment,return,if,sql,"sql, not inlined",custom plan,generic plan,cursor,subquery,parallel}'::text[] LOOP
    IF memo_answers(way, expression, type, given, written) IS DISTINCT FROM written THEN
      wrong := concat_ws('; ', wrong, way);
    END IF;
  END LOOP;
  DROP TABLE memo_rows;
END
$$;
CREATE TABLE memo_result (call text, kind text, differ boolean, wrong text);
DO $$
DECLARE
  call memo_call;
  differ boolean;
  wrong text;
BEGIN
  FOR call IN SELECT * FROM memo_call ORDER BY 1, 2 LOOP
    differ := NULL;
    wrong := NULL;
    BEGIN
      CALL memo_check(call, differ, wrong);
    EXCEPTION WHEN OTHERS THEN
      wrong := SQLERRM;
    END;
    INSERT INTO memo_result VALUES (call.call, call.kind, differ, wrong);
  END LOOP;
END
$$;
SELECT count(*) AS calls, count(DISTINCT call) AS functions FROM memo_result;
SELECT call, kind, differ, wrong FROM memo_result WHERE wrong IS NOT NULL OR differ IS NOT TRUE ORDER BY call, kind;

-- Two options of a call are two keys: an object that was right in one place is wrong in the other, also after the right one.
CALL refused($$SELECT yearly_recurrence(NULL, '2024-01-01', calendar => c::jsonb, options => o::jsonb)
  FROM (VALUES (1, NULL, '{"lead": 10}'), (2, '{"lead": 10}', NULL)) AS v (n, c, o)$$);
-- NULL is none, and no empty value of another kind.
SELECT n, (yearly_recurrence('{2023-12-20:1:5}', '2024-01-01', calendar => c::jsonb, options => o::jsonb)).moment
FROM (VALUES (1, NULL, NULL), (2, '[]', '{}'), (3, NULL, '{}'), (4, '[]', NULL)) AS v (n, c, o) ORDER BY n;

-- What a rolled back subtransaction wrote into a map is forgotten with it, in one expression of PL/pgSQL too.
CREATE PROCEDURE memo_map(rfm rfm) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 3 LOOP
    BEGIN
      IF i <> 2 THEN
        UPDATE rfm_map SET segment = 'changed' WHERE map = 'memo';
      END IF;
      RAISE INFO '%: %', i, rfm_segment(rfm, 'memo');
      RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
      NULL;
    END;
  END LOOP;
END
$$;
INSERT INTO rfm_map (map, r, f, m, segment)
  SELECT 'memo', r, f, m, 'as it was' FROM generate_series(1, 5) AS r, generate_series(1, 5) AS f, generate_series(1, 5) AS m;
SELECT format('CALL memo_map(%s)', literal) FROM memo_literal WHERE name = '{rfm}' \gexec
DELETE FROM rfm_map WHERE map = 'memo';

-- explain() of two workspaces in one transaction, and in one statement, is that of each by itself.
CREATE SCHEMA memo_shop;
CREATE TABLE memo_shop.orders AS
  SELECT c AS customer_id, date '2024-01-01' + (c * 7 + k * (20 + c % 13)) % 360 AS purchased_on, (10 + (c * 31 + k * 17) % 50)::numeric AS amount
  FROM generate_series(1, 60) AS c, generate_series(0, 7) AS k WHERE k <= c % 8;
CREATE VIEW memo_shop.sparse AS SELECT customer_id, purchased_on, amount * 3 AS amount FROM memo_shop.orders WHERE (customer_id + extract(day FROM purchased_on)) % 5 > 0;
SELECT create_workspace('memo_one'), create_workspace('memo_two');
SELECT configure_workspace(w, '{"purchase_family": "bg_nbd"}') IS NOT NULL AS set FROM unnest('{memo_one,memo_two}'::text[]) AS w;
SELECT add_source('memo_one', 'purchases', 'memo_shop.orders') IS NOT NULL AS one, add_source('memo_two', 'purchases', 'memo_shop.sparse') IS NOT NULL AS two;
CALL refresh('memo_one', '2024-12-31');
CALL refresh('memo_two', '2024-12-31');
CREATE TABLE memo_explained AS SELECT 'memo_one' AS w, c, e.* FROM unnest('{23,31,40}'::text[]) AS c, explain('memo_one', c) AS e;
INSERT INTO memo_explained SELECT 'memo_two', c, e.* FROM unnest('{23,31,40}'::text[]) AS c, explain('memo_two', c) AS e;
SELECT count(*) > 20 AS rows, count(DISTINCT (on_axis, c, explanation)) > count(*) * 3 / 4 AS they_differ FROM memo_explained;
BEGIN;
CREATE TEMP TABLE memo_again ON COMMIT DROP AS SELECT * FROM memo_explained WHERE false;
DO $$
BEGIN
  FOR i IN 1 .. 2 LOOP
    INSERT INTO memo_again SELECT 'memo_one', c, e.* FROM unnest('{23,31,40}'::text[]) AS c, explain('memo_one', c) AS e;
    INSERT INTO memo_again SELECT 'memo_two', c, e.* FROM unnest('{23,31,40}'::text[]) AS c, explain('memo_two', c) AS e;
  END LOOP;
END
$$;
SELECT count(*) = 2 * (SELECT count(*) FROM memo_explained) AS all_there,
       (SELECT count(*) FROM (TABLE memo_again EXCEPT TABLE memo_explained) AS d) AS others FROM memo_again;
COMMIT;
SELECT count(*) AS others
FROM (SELECT w, c, e.* FROM unnest('{23,31,40}'::text[]) AS c, unnest('{memo_one,memo_two}'::text[]) AS w, explain(w, c) AS e
      EXCEPT TABLE memo_explained) AS d;

SELECT drop_workspace(w) FROM unnest('{memo_one,memo_two}'::text[]) AS w;
DROP SCHEMA memo_shop CASCADE;
DROP FUNCTION memo_rules(jsonb), memo_answers(text, text, text, text[], text[]);
DROP PROCEDURE memo_map(rfm), memo_check(memo_call, boolean, text);
DROP TABLE memo_customer, memo_value, memo_literal, memo_call, memo_result, memo_explained;
DROP TYPE memo_row;
