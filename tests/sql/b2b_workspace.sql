-- A workspace of companies: rows of people and sites are read as their company's, and every score of company_scores is
-- computed again by hand from the tables themselves.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
-- What takes the time is compiled already.
SET jit = off;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA trade;
CREATE FUNCTION trade.u(n bigint, what integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE RETURN (hashint8extended(n, what) & 1048575) / 1048576.0;
CREATE FUNCTION trade.one_of(choices text[], n bigint, what integer) RETURNS text
  LANGUAGE sql IMMUTABLE RETURN choices[1 + floor(trade.u(n, what) * cardinality(choices))::integer];
CREATE TABLE trade.company AS
  SELECT n::integer AS company_id, format('Company %s', n) AS name, d.siren || luhn.digit AS siren,
    trade.one_of('{62.01Z,46.69B,84.11Z,64.20Z,94.99Z,25.62B}', n, 1) AS naf_code,
    trade.one_of('{5710,5710,5499,5202,7210,9220}', n, 2) AS legal_category,
    trade.one_of('{01,03,11,12,21,31,42}', n, 3) AS headcount_band,
    CASE WHEN trade.u(n, 4) < 0.7 THEN round((1e5 * power(10, 3 * trade.u(n, 5)))::numeric) END AS annual_turnover,
    43 + 7 * trade.u(n, 6) AS latitude, -1 + 7 * trade.u(n, 7) AS longitude,
    CASE WHEN trade.u(n, 8) < 0.6 THEN trade.one_of('{Mo-Fr 09:00-18:00,lun-ven 9h-12h30 14h-18h,Tu-Sa 10:00-19:00}', n, 9) END AS opening_hours,
    CASE WHEN trade.u(n, 10) < 0.05 THEN trade.one_of('{partenaire,fournisseur}', n, 11) END AS relation,
    trade.one_of('{none,some,many}', n, 12) AS legal_barriers, trade.one_of('{none,some}', n, 13) AS technical_barriers, trade.u(n, 18) < 0.8 AS common_language,
    floor(12 * trade.u(n, 14))::integer AS equipment_age_years, trade.u(n, 15) < 0.5 AS connected,
    round((30 * trade.u(n, 16))::numeric) AS uses_per_month, round((2000 * trade.u(n, 17))::numeric) AS acquisition_cost
  FROM generate_series(1, 600) AS n
  CROSS JOIN LATERAL (SELECT lpad((10000000 + n)::text, 8, '0') AS siren) AS d
  CROSS JOIN LATERAL (SELECT x.digit FROM generate_series(0, 9) AS x (digit) WHERE segmentation.siren_valid(d.siren || x.digit)) AS luhn;
ALTER TABLE trade.company ADD PRIMARY KEY (company_id);
CREATE TABLE trade.site AS
  SELECT format('%s/%s', c.company_id, s) AS site, c.company_id, c.latitude + trade.u(c.company_id, 20 + s) / 5 AS latitude, c.longitude
  FROM trade.company AS c CROSS JOIN generate_series(1, 3) AS s WHERE trade.u(c.company_id, 30 + s) < 0.5;
ALTER TABLE trade.site ADD PRIMARY KEY (site);
CREATE TABLE trade.person AS
  SELECT 10 * c.company_id + p AS contact_id, c.company_id, format('Person %s', 10 * c.company_id + p) AS name,
    CASE WHEN trade.u(10 * c.company_id + p, 41) < 0.2 THEN 'contact' ELSE 'p' || p END || '@c' || c.company_id || '.example' AS email,
    trade.one_of('{Directeur général,DAF,Responsable achats,DSI,Assistante de direction,Chargé de marketing,Comptable}', 10 * c.company_id + p, 42) AS title,
    CASE WHEN trade.u(10 * c.company_id + p, 43) < 0.5 THEN '0102030405' END AS phone
  FROM trade.company AS c CROSS JOIN generate_series(1, 6) AS p WHERE trade.u(10 * c.company_id + p, 40) < 0.4;
ALTER TABLE trade.person ADD PRIMARY KEY (contact_id);
-- Orders by a person, by a site, or by the company: each row says one of them. Holdings and public bodies buy little.
CREATE TABLE trade.orders AS
  SELECT row_number() OVER (ORDER BY c.company_id, k) AS order_id, date '2024-01-01' + floor(730 * trade.u(1000 * c.company_id + k, 50))::integer AS ordered_on,
    round((200 * exp(2 * trade.u(1000 * c.company_id + k, 51)) * (1 + c.company_id % 5))::numeric, 2) AS amount,
    CASE WHEN l.u < 0.3 OR p.contact_id IS NULL AND l.u < 0.7 OR s.site IS NULL AND l.u >= 0.7 THEN c.company_id END AS company_id,
    CASE WHEN l.u >= 0.3 AND l.u < 0.7 THEN p.contact_id END AS contact_id, CASE WHEN l.u >= 0.7 THEN s.site END AS site
  FROM trade.company AS c
  CROSS JOIN generate_series(1, 40) AS k
  CROSS JOIN LATERAL (SELECT trade.u(1000 * c.company_id + k, 52) AS u) AS l
  LEFT JOIN LATERAL (SELECT p.contact_id FROM trade.person AS p WHERE p.company_id = c.company_id ORDER BY trade.u(p.contact_id, k) LIMIT 1) AS p ON true
  LEFT JOIN LATERAL (SELECT s.site FROM trade.site AS s WHERE s.company_id = c.company_id ORDER BY s.site LIMIT 1) AS s ON true
  WHERE trade.u(c.company_id, 60) < 0.75
    AND trade.u(1000 * c.company_id + k, 53) < CASE WHEN c.naf_code IN ('64.20Z', '84.11Z') THEN 0.05 ELSE 0.5 END * trade.u(c.company_id, 61);
ALTER TABLE trade.orders ADD PRIMARY KEY (order_id);
CREATE TABLE trade.mailing AS
  SELECT p.contact_id, 'email' AS channel, m.at AS sent_at,
    CASE WHEN trade.u(100 * p.contact_id + k, 70) < 0.4 * trade.u(p.company_id, 71) THEN trade.one_of('{click,reply,visit}', 100 * p.contact_id + k, 72) END AS response
  FROM trade.person AS p CROSS JOIN generate_series(1, 12) AS k
  CROSS JOIN LATERAL (SELECT timestamptz '2025-01-05 09:00Z' + k * interval '29 days' + p.contact_id % 9 * interval '1 hour' AS at) AS m;
ALTER TABLE trade.mailing ADD COLUMN responded_at timestamptz;
UPDATE trade.mailing AS m SET responded_at = m.sent_at + (1 + m.contact_id % 30) * interval '1 hour' WHERE m.response IS NOT NULL;
CREATE TABLE trade.line AS
  SELECT o.order_id, trade.one_of('{bolt,nut,screw,drill,saw,glue,paint,tape}', 10 * o.order_id + l, 100) AS product, o.amount / 2 AS amount
  FROM trade.orders AS o CROSS JOIN generate_series(1, 2) AS l;
CREATE TABLE trade.visit AS
  SELECT p.contact_id, k AS number, trade.one_of('{visit,call,support_call}', 100 * p.contact_id + k, 80) AS kind,
    timestamptz '2025-12-01 10:00Z' - floor(700 * trade.u(100 * p.contact_id + k, 81)) * interval '1 day' AS occurred_at
  FROM trade.person AS p CROSS JOIN generate_series(1, 3) AS k WHERE trade.u(100 * p.contact_id + k, 82) < 0.4;
CREATE TABLE trade.opt_in AS
  SELECT p.contact_id, 'email' AS channel, trade.u(p.contact_id, 90) < 0.9 AS granted, date '2024-12-01' AS changed_on FROM trade.person AS p;
ANALYZE;
-- Refused: levels of companies where customers are none; a level without its source; a subject that is none.
SELECT create_workspace('people', subject => 'person');
SELECT create_workspace('people', 'integer', 'UTC', NULL);
SELECT create_workspace('shop');
SELECT add_source('shop', 'people', 'trade.person');
SELECT add_source('shop', 'contacts', 'trade.mailing', '{"person": "contact_id"}');
SELECT configure_workspace('shop', '{"subject": "company"}');
SELECT account_sheet('shop', '1');
SELECT to_regclass('shop.company_scores') AS of_companies_only, drop_workspace('shop');
SELECT create_workspace('b2b', time_zone => 'UTC', subject => 'company');
SELECT add_source('b2b', 'purchases', 'trade.orders', '{"person": "contact_id"}');
SELECT add_source('b2b', 'companies', 'trade.company');
SELECT add_source('b2b', 'people', 'trade.person', '{"where": "company_id > 0"}') ->> 'where' AS filtered;
SELECT add_source('b2b', 'purchases', 'trade.orders', '{"person": "contact_id"}');
SELECT add_source('b2b', 'people', 'trade.person');
SELECT add_source('b2b', 'people', 'trade.opt_in', '{"customer": "contact_id", "person": "contact_id"}');
SELECT add_source('b2b', 'purchases', 'trade.orders', '{"person": {"sql": "contact_id + 1"}}');
SELECT add_source('b2b', 'purchases', 'trade.orders', '{"person": "nobody"}');
SELECT add_source('b2b', 'sites', 'trade.site');
SELECT jsonb_pretty(add_source('b2b', 'purchases', 'trade.orders', '{"customer": "company_id", "person": "contact_id", "site": "site"}')) AS mapping;
-- What is stored can be given again.
SELECT s.mapping = add_source('b2b', s.kind, s.relation, s.mapping) AS same FROM b2b.source AS s WHERE s.kind = 'purchases';
SELECT add_source('b2b', 'purchase_lines', 'trade.line', '{"join": {"orders": {"order_id": "order_id"}}, "customer": "orders.company_id", "person": "orders.contact_id", "site": "orders.site", "purchased_on": "orders.ordered_on"}') #>> '{customer,sql}' AS customer;
SELECT count(add_source('b2b', kind, relation, '{"person": "contact_id"}')) FROM (VALUES ('contacts', 'trade.mailing'::regclass), ('interactions', 'trade.visit')) AS s (kind, relation);
-- Found by its usual name.
SELECT add_source('b2b', 'consents', 'trade.opt_in');
-- Settings that are none.
SELECT configure_workspace('b2b', '{"company_columns": {"colour": "x"}, "company_origin": {"latitude": 91, "longitude": 0}, "company_unit_costs": {"orders": -1}, "company_engagement_weights": {"click": "much"}, "company_committee": ["finance", "magic"], "company_function": "magic", "company_fit_grades": [1, 2], "company_engagement_grades": [60, 25], "company_fit": {"kind": "guess"}, "company_half_life": "0 days"}');
SELECT configure_workspace('b2b', '{"company_origin": {"latitude": 48.8566, "longitude": 2.3522}, "value_margin": 0.3, "company_unit_costs": {"orders": 15, "contacts": 0.1, "call": 10, "support_call": 10, "visit": "distance"}}');
CALL refresh('b2b', '2025-12-31');
SELECT kind, s.relation, r.reason, r.rows FROM b2b.source_reading AS r JOIN b2b.source AS s USING (source) ORDER BY source, reason;
SELECT item, status FROM workspace_check('b2b') WHERE item LIKE 'axis %';
SELECT a.axis, count(DISTINCT to_jsonb(c) ->> a.axis) > 1 AS codes FROM b2b.customer_segments AS c CROSS JOIN workspace_axis AS a GROUP BY a.axis, a.place ORDER BY a.place;

-- By hand. Orders, as they are of a company by whichever level; its turnover, its peers, its share.
CREATE VIEW public.rolled AS
  SELECT coalesce(o.company_id, p.company_id, s.company_id) AS company_id, o.ordered_on, o.amount
  FROM trade.orders AS o LEFT JOIN trade.person AS p USING (contact_id) LEFT JOIN trade.site AS s USING (site);
SELECT count(*) AS companies, count(*) FILTER (WHERE turnover(f.history) IS DISTINCT FROM o.turnover OR purchases(f.history) IS DISTINCT FROM o.orders) AS differ
FROM b2b.customer_facts AS f LEFT JOIN (SELECT company_id, sum(amount) AS turnover, count(*) AS orders FROM rolled GROUP BY company_id) AS o ON o.company_id = f.customer;
CREATE TABLE public.year AS
  SELECT c.company_id, coalesce(sum(r.amount), 0) AS turnover, count(r.amount) AS orders, lower(sirene_headcount(c.headcount_band)) AS headcount,
    naf_section(c.naf_code, 'rev2') AS section
  FROM trade.company AS c LEFT JOIN rolled AS r ON r.company_id = c.company_id AND r.ordered_on > '2024-12-31' GROUP BY c.company_id;
WITH peers AS (SELECT section, percentile_cont(0.75) WITHIN GROUP (ORDER BY (turnover / headcount)::double precision) AS upper, count(*) AS n FROM year WHERE turnover > 0 AND headcount > 0 GROUP BY section)
SELECT count(*) AS companies, min(p.n) AS least_peers,
  count(*) FILTER (WHERE s.turnover_12_months <> y.turnover) AS turnover, count(*) FILTER (WHERE abs(s.potential_turnover - greatest(y.turnover, y.headcount * p.upper)) > 0.01) AS potential,
  count(*) FILTER (WHERE abs(s.share_of_wallet - y.turnover / greatest(y.turnover, y.headcount * p.upper)::numeric) > 1e-4) AS share
FROM b2b.company_scores AS s JOIN year AS y ON y.company_id = s.customer JOIN peers AS p ON p.section = y.section;
-- Sizes by the decree, from bands that lie within one; the distance to the nearest site; relation.
SELECT c.headcount_band, s.size, s.size_at_least, s.size_at_most, count(*), count(c.annual_turnover) FROM b2b.company_scores AS s JOIN trade.company AS c ON c.company_id = s.customer GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT count(*) FILTER (WHERE abs(s.distance_km - d.km) > 1e-9) AS distance, count(*) FILTER (WHERE s.relation <> d.relation) AS relation, count(DISTINCT d.relation) AS relations
FROM b2b.company_scores AS s
JOIN (SELECT c.company_id, least(geodesic(48.8566, 2.3522, c.latitude, c.longitude), (SELECT min(geodesic(48.8566, 2.3522, t.latitude, t.longitude)) FROM trade.site AS t WHERE t.company_id = c.company_id)) AS km,
    CASE WHEN c.relation = 'partenaire' THEN 'partner' WHEN c.relation = 'fournisseur' THEN 'supplier' WHEN (SELECT max(r.ordered_on) FROM rolled AS r WHERE r.company_id = c.company_id) > '2024-12-31' THEN 'client'
      WHEN EXISTS (SELECT FROM rolled AS r WHERE r.company_id = c.company_id) THEN 'former_client'
      WHEN EXISTS (SELECT FROM trade.person AS p WHERE p.company_id = c.company_id) THEN 'prospect' ELSE 'other' END AS relation
  FROM trade.company AS c) AS d ON d.company_id = s.customer;
-- Engagement: points by kind that halve in 90 days; costs of a year; who was engaged, who decides, who is missing.
CREATE TABLE public.event AS
  SELECT p.company_id, p.contact_id, m.sent_at::date AS day, coalesce(m.responded_at, m.sent_at)::date AS did_on, CASE m.response WHEN 'click' THEN 1 WHEN 'visit' THEN 2 WHEN 'reply' THEN 3 END AS points, 0.1 AS cost
  FROM trade.mailing AS m JOIN trade.person AS p USING (contact_id)
  UNION ALL
  SELECT p.company_id, p.contact_id, v.occurred_at::date, v.occurred_at::date, CASE v.kind WHEN 'visit' THEN 2 WHEN 'call' THEN 1 ELSE 0 END, CASE v.kind WHEN 'visit' THEN visit_cost(s.distance_km) ELSE 10 END
  FROM trade.visit AS v JOIN trade.person AS p USING (contact_id) JOIN b2b.company_scores AS s ON s.customer = p.company_id;
WITH e AS (SELECT company_id, sum(points * 0.5 ^ (('2025-12-31' - day) / 90.0)) AS points, coalesce(sum(cost) FILTER (WHERE day > '2024-12-31'), 0) AS cost, count(DISTINCT contact_id) FILTER (WHERE points IS NOT NULL AND did_on > date '2025-12-31' - 90 AND did_on <= '2025-12-31') AS engaged FROM event GROUP BY company_id)
SELECT count(*) AS companies, count(*) FILTER (WHERE abs(s.engagement - 100 * (1 - exp(-coalesce(e.points, 0) / 10))) > 1e-6) AS engagement,
  count(*) FILTER (WHERE s.engagement_grade <> CASE WHEN s.engagement >= 60 THEN '1' WHEN s.engagement >= 25 THEN '2' WHEN s.engagement >= 5 THEN '3' ELSE '4' END) AS grade,
  count(*) FILTER (WHERE s.cost_to_serve <> 15 * y.orders + coalesce(e.cost, 0)) AS cost, count(*) FILTER (WHERE s.profitability <> 0.3 * y.turnover - s.cost_to_serve) AS profit,
  count(*) FILTER (WHERE s.engaged_people <> coalesce(e.engaged, 0)) AS engaged, sum(s.engaged_people) AS engaged_people
FROM b2b.company_scores AS s JOIN year AS y ON y.company_id = s.customer LEFT JOIN e ON e.company_id = s.customer;
WITH p AS (
  SELECT company_id, count(*) AS people, count(*) FILTER (WHERE decision_role(title) = 'decider') AS deciders, array_agg(DISTINCT job_function(title)) FILTER (WHERE job_function(title) IS NOT NULL) AS known,
    bool_or(email LIKE 'p%') AS personal, bool_or(phone IS NOT NULL) AS phone
  FROM trade.person GROUP BY company_id)
SELECT count(*) FILTER (WHERE s.people <> coalesce(p.people, 0)) AS people, count(*) FILTER (WHERE s.deciders <> coalesce(p.deciders, 0) OR (s.decider IS NULL) <> (coalesce(p.deciders, 0) = 0)) AS deciders,
  count(*) FILTER (WHERE s.committee_known <> coalesce(p.known, '{}')) AS known,
  count(*) FILTER (WHERE s.committee_missing <> ARRAY(SELECT f FROM unnest('{general_management,finance,purchasing}'::text[]) AS f WHERE NOT f = ANY (coalesce(p.known, '{}')))) AS missing,
  count(*) FILTER (WHERE s.reach <> CASE WHEN p.personal THEN 'person' WHEN p.people > 0 THEN 'generic' ELSE 'none' END) AS reach, count(*) FILTER (WHERE s.reach_by_phone <> coalesce(p.phone, false)) AS phone, sum(s.deciders) AS all_deciders
FROM b2b.company_scores AS s LEFT JOIN p ON p.company_id = s.customer;
-- Fit: the points of each value from counts, added by hand; good clients are found more often where the fit is better.
CREATE TABLE public.good AS
  SELECT y.*, (y.turnover > 0 AND y.turnover >= (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY turnover) FROM year WHERE turnover > 0))::integer AS good,
    jsonb_strip_nulls(jsonb_build_object('section', y.section, 'size', s.size, 'organisation_type', organisation_type(c.legal_category, c.naf_code))) AS features
  FROM year AS y JOIN trade.company AS c USING (company_id) JOIN b2b.company_scores AS s ON s.customer = y.company_id;
WITH b AS (SELECT avg(good)::double precision AS share FROM good),
  v AS (SELECT f.key, f.value, (sum(good) + 20 * b.share) / (count(*) + 20) AS share FROM good CROSS JOIN b CROSS JOIN jsonb_each(features) AS f GROUP BY f.key, f.value, b.share),
  x AS (SELECT g.company_id, ln(b.share / (1 - b.share)) + sum(ln(v.share / (1 - v.share)) - ln(b.share / (1 - b.share))) AS odds, b.share FROM good AS g CROSS JOIN b CROSS JOIN jsonb_each(g.features) AS f JOIN v USING (key, value) GROUP BY g.company_id, b.share)
SELECT count(*) AS companies, count(*) FILTER (WHERE abs(s.fit - 100 / (1 + exp(-x.odds))) > 1e-9) AS fit, count(*) FILTER (WHERE s.fit_grade <> CASE WHEN s.fit >= 150 * x.share THEN 'a' WHEN s.fit >= 75 * x.share THEN 'b' ELSE 'c' END) AS grade
FROM b2b.company_scores AS s JOIN x ON x.company_id = s.customer;
SELECT s.fit_grade, count(*), round(avg(g.good), 2) AS good, label('fit_grade', s.fit_grade, 'fr') FROM b2b.company_scores AS s JOIN good AS g ON g.company_id = s.customer GROUP BY s.fit_grade ORDER BY s.fit_grade;
SELECT count(DISTINCT fit_engagement) AS cells, count(*) FILTER (WHERE fit_engagement <> fit_grade || engagement_grade) AS wrong FROM b2b.company_scores;
-- Within the opening hours, and at an hour at which it answers.
SELECT count(best_hour) > 100 AS found, count(*) FILTER (WHERE get_bit(opening_hours(opening_hours), (best_day - 1) * 24 + best_hour) = 0) AS closed FROM b2b.company_scores;
SELECT accessibility, technology_level, product_usage, count(*) FROM b2b.company_scores GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
WITH p AS (
  SELECT s.*, CASE WHEN s.distance_km <= 50 THEN 30 WHEN s.distance_km <= 200 THEN 20 WHEN s.distance_km <= 800 THEN 10 ELSE 0 END
    + CASE c.legal_barriers WHEN 'none' THEN 20 WHEN 'some' THEN 10 ELSE 0 END + CASE c.technical_barriers WHEN 'none' THEN 15 ELSE 8 END + CASE WHEN c.common_language THEN 20 ELSE 0 END AS points
  FROM b2b.company_scores AS s JOIN trade.company AS c ON c.company_id = s.customer)
SELECT count(*) FILTER (WHERE accessibility <> CASE WHEN points >= 70 THEN 'accessible' WHEN points >= 40 THEN 'accessible_with_effort' ELSE 'hard_to_reach' END) AS accessibility FROM p;

-- Definitions see the scores; key accounts, by rule and by list, are in no other segment; a fit of one's own.
SELECT register_segment('b2b', 'grid', '{"kind": "rules", "segments": [{"segment": "hot", "when": {"field": ["company_scores", "fit_engagement"], "in": ["a1", "a2"]}},
  {"segment": "no_decider", "when": {"field": ["company_scores", "deciders"], "=": 0}}]}');
SELECT register_segment('b2b', 'key', '{"kind": "rules", "segments": [{"segment": "one_to_one", "when": {"field": ["company_scores", "turnover_12_months"], ">=": 20000}}]}');
SELECT customer AS first FROM b2b.company_scores ORDER BY turnover_12_months DESC, customer LIMIT 1 \gset
INSERT INTO b2b.segment_override (segment, customer, code, reason) VALUES ('key', 3, 'one_to_one', 'the chairman said so'), ('key', :first, NULL, 'wants a catalogue');
SELECT configure_workspace('b2b', '{"key_accounts": "key", "company_fit": {"kind": "rules", "default": "c", "segments": [{"segment": "a", "when": {"field": "connected", "=": true}}]}}');
CALL refresh('b2b', '2025-12-31', retrain => true);
SELECT s.key_account, c.segments ? 'key' AS is_key, c.segments ? 'grid' AS in_grid, count(*) FROM b2b.company_scores AS s JOIN b2b.customer_segments AS c USING (customer) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) FILTER (WHERE s.key_account <> (s.customer = 3 OR s.turnover_12_months >= 20000 AND s.customer <> :first)) AS wrong_keys,
  count(*) FILTER (WHERE NOT s.key_account AND coalesce(c.segments ->> 'grid', '-') <> CASE WHEN s.fit_engagement IN ('a1', 'a2') THEN 'hot' WHEN s.deciders = 0 THEN 'no_decider' ELSE '-' END) AS wrong_grid,
  count(*) FILTER (WHERE s.fit_grade <> CASE WHEN t.connected THEN 'a' ELSE 'c' END OR s.fit IS NOT NULL) AS wrong_fit
FROM b2b.company_scores AS s JOIN b2b.customer_segments AS c USING (customer) JOIN trade.company AS t ON t.company_id = s.customer;
SELECT jsonb_pretty(account_sheet('b2b', '3', 'fr') - 'axes' #- '{scores,best_day}' #- '{scores,best_hour}') AS sheet;
SELECT account_sheet('b2b', '-1');
-- What is sent elsewhere, and what is trained elsewhere.
SELECT add_destination('b2b', 'crm', 'csv', '{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": [{"field": "company_scores", "as": "x"}, {"field": "company_scores.grid", "as": "y"}]}');
SELECT add_destination('b2b', 'crm', 'csv', '{"audience": "all", "channel": null, "key": {"field": "customer", "as": "id"}, "fields": [{"field": "name"}, {"field": "company_scores.size", "as": "size"},
  {"field": "company_scores.committee_missing", "as": "missing"}, {"field": "company_scores.turnover_12_months", "as": "turnover"}, {"field": "company_scores.key_account", "as": "key"}]}') IS NOT NULL AS added;
SELECT crm_sync('b2b', 'crm') AS batch;
SELECT r FROM crm_rows('b2b', 1) AS r WHERE r ~ '^(id|1|2|3),';
SELECT create_workspace('twin', 'bigint', 'UTC', 'company');
SELECT count(add_source('twin', s.kind, s.relation, s.mapping)) FROM b2b.source AS s;
SELECT configure_workspace('b2b', '{"key_accounts": null, "company_fit": null}');
CALL refresh('b2b', '2025-12-31', retrain => true);
SELECT configure_workspace('twin', export_parameter_set('b2b') -> 'settings');
SELECT install_parameter_set('twin', jsonb_set(export_parameter_set('b2b'), '{models,company_model,fit,a}', '"high"'));
SELECT install_parameter_set('twin', export_parameter_set('b2b')) IS NOT NULL AS installed;
CALL refresh('twin', '2025-12-31');
SELECT count(*) AS companies, count(*) FILTER (WHERE to_jsonb(a) IS DISTINCT FROM to_jsonb(b)) AS differ FROM b2b.company_scores AS a FULL JOIN twin.company_scores AS b USING (customer);
SELECT drop_workspace('twin');

-- A change of a row, of a person, or of where a person or a site belongs, is its companies', before and after.
SELECT count(start_capture('b2b', kind, relation)) FROM b2b.source;
CALL refresh_changed('b2b', '2025-12-31');
UPDATE trade.person SET company_id = 5 WHERE contact_id = 21;
SELECT array_agg(DISTINCT customer ORDER BY customer) AS moved FROM b2b.queue;
INSERT INTO trade.visit SELECT contact_id, 99, 'visit', '2025-12-30 10:00Z' FROM trade.person WHERE company_id = 7 LIMIT 1;
UPDATE trade.mailing SET response = 'reply' WHERE contact_id = (SELECT min(contact_id) FROM trade.person WHERE company_id = 8);
INSERT INTO trade.person VALUES (9001, 900, 'Alone', 'alone@c900.example', 'PDG', NULL);
UPDATE trade.site SET latitude = 48.8 WHERE company_id = 9;
UPDATE trade.orders SET amount = amount + 1 WHERE order_id IN (SELECT order_id FROM trade.orders WHERE contact_id IS NOT NULL ORDER BY order_id LIMIT 5);
SELECT count(DISTINCT customer) AS queued FROM b2b.queue;
CALL refresh_changed('b2b', '2025-12-31');
CREATE TABLE public.incremental AS SELECT 'facts' AS what, customer, to_jsonb(f) AS row FROM b2b.customer_facts AS f UNION ALL SELECT 'codes', customer, to_jsonb(c) FROM b2b.customer_segments AS c UNION ALL SELECT 'scores', customer, to_jsonb(s) FROM b2b.company_scores AS s;
CALL refresh('b2b', '2025-12-31', retrain => false);
SELECT count(*) AS rows, count(*) FILTER (WHERE i.row IS DISTINCT FROM n.row) AS differ
FROM incremental AS i FULL JOIN (SELECT 'facts' AS what, customer, to_jsonb(f) AS row FROM b2b.customer_facts AS f UNION ALL SELECT 'codes', customer, to_jsonb(c) FROM b2b.customer_segments AS c UNION ALL SELECT 'scores', customer, to_jsonb(s) FROM b2b.company_scores AS s) AS n USING (what, customer);
SELECT people, deciders, decider, relation, reach, size_at_least, size_at_most FROM b2b.company_scores WHERE customer = 900;

-- At random, day after day: what is written at any level comes to the same as reading it all.
CREATE PROCEDURE public.scramble(seed integer) LANGUAGE plpgsql AS $$
BEGIN
  FOR n IN 1 .. 12 LOOP
    CASE floor(9 * trade.u(seed * 100 + n, 200))
    WHEN 0 THEN UPDATE trade.person SET company_id = 1 + floor(600 * trade.u(seed * 100 + n, 201)) WHERE contact_id = (SELECT contact_id FROM trade.person ORDER BY trade.u(contact_id, seed * 100 + n) LIMIT 1);
    WHEN 1 THEN UPDATE trade.person SET title = 'DAF' WHERE contact_id = (SELECT contact_id FROM trade.person ORDER BY trade.u(contact_id, seed * 100 + n) LIMIT 1);
    WHEN 2 THEN UPDATE trade.site SET company_id = 1 + floor(600 * trade.u(seed * 100 + n, 202)) WHERE site = (SELECT site FROM trade.site ORDER BY hashtextextended(site, seed * 100 + n) LIMIT 1);
    WHEN 3 THEN INSERT INTO trade.orders SELECT max(order_id) + 1, date '2025-12-31' + seed, 500, NULL, (SELECT contact_id FROM trade.person ORDER BY trade.u(contact_id, seed * 100 + n) LIMIT 1), NULL FROM trade.orders;
    WHEN 4 THEN DELETE FROM trade.orders WHERE order_id = (SELECT order_id FROM trade.orders ORDER BY trade.u(order_id, seed * 100 + n) LIMIT 1);
    WHEN 5 THEN UPDATE trade.mailing SET response = 'click', responded_at = sent_at WHERE contact_id = (SELECT contact_id FROM trade.person ORDER BY trade.u(contact_id, seed * 100 + n) LIMIT 1);
    WHEN 6 THEN DELETE FROM trade.visit WHERE contact_id = (SELECT contact_id FROM trade.visit ORDER BY trade.u(contact_id, seed * 100 + n), number LIMIT 1);
    WHEN 7 THEN UPDATE trade.company SET naf_code = '62.01Z', headcount_band = '42' WHERE company_id = 1 + floor(600 * trade.u(seed * 100 + n, 203));
    ELSE DELETE FROM trade.person WHERE contact_id = (SELECT contact_id FROM trade.person ORDER BY trade.u(contact_id, seed * 100 + n) LIMIT 1); END CASE;
  END LOOP;
END
$$;
CREATE TABLE public.round (seed integer, rows bigint, differ bigint);
\set compare 'INSERT INTO round SELECT :seed, count(*), count(*) FILTER (WHERE i.row IS DISTINCT FROM n.row) FROM incremental AS i FULL JOIN (SELECT ''facts'' AS what, customer, to_jsonb(f) AS row FROM b2b.customer_facts AS f UNION ALL SELECT ''codes'', customer, to_jsonb(c) - ''since'' FROM b2b.customer_segments AS c UNION ALL SELECT ''scores'', customer, to_jsonb(s) FROM b2b.company_scores AS s) AS n USING (what, customer);'
\set keep 'TRUNCATE incremental; INSERT INTO incremental SELECT ''facts'' AS what, customer, to_jsonb(f) AS row FROM b2b.customer_facts AS f UNION ALL SELECT ''codes'', customer, to_jsonb(c) - ''since'' FROM b2b.customer_segments AS c UNION ALL SELECT ''scores'', customer, to_jsonb(s) FROM b2b.company_scores AS s;'
\set seed 1
CALL scramble(:seed);
CALL refresh_changed('b2b', '2026-01-01');
:keep
CALL refresh('b2b', '2026-01-01', retrain => false);
:compare
\set seed 2
CALL scramble(:seed);
CALL refresh_changed('b2b', '2026-01-02');
:keep
CALL refresh('b2b', '2026-01-02', retrain => false);
:compare
\set seed 3
CALL scramble(:seed);
CALL refresh_changed('b2b', '2026-01-03');
:keep
CALL refresh('b2b', '2026-01-03', retrain => false);
:compare
SELECT seed, rows > 1800 AS rows, differ FROM round ORDER BY seed;

-- Hostile: columns that are not what they are called, numbers beyond all, people without an id, a company without anything.
CREATE SCHEMA odd;
CREATE TABLE odd."Firms" (siren text, headcount text, annual_turnover numeric, latitude double precision, longitude double precision, opening_hours text, naf text, people text, relation integer, last_contact text);
INSERT INTO odd."Firms" VALUES ('100000017', 'many', 1e200, 'NaN', 'Infinity', 'at times', 'what?', 'none', 7, 'yesterday'), ('100000025', ' 12 ', -5, 200, 3, '24/7', '62.01Z', NULL, NULL, '2026-01-01T00:00:00Z'),
  ('100000033', NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('  ', '3', 1, 1, 1, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE odd."People of" ("it's" text PRIMARY KEY, siret text, title text, email text);
INSERT INTO odd."People of" VALUES ('a', '10000001700017', 'PDG', '@'), ('b', NULL, 'DAF', 'b@example.com'), (repeat('x', 2000), '10000002500019', repeat('y', 5000), 'not an address');
CREATE TABLE odd.place (siret text PRIMARY KEY, siren text);
INSERT INTO odd.place VALUES ('10000001700017', '100000017'), ('10000002500019', '100000025');
SELECT create_workspace('odd one', subject => 'company');
SELECT add_source('odd one', 'companies', 'odd."Firms"') AS companies;
SELECT add_source('odd one', 'sites', 'odd.place') AS sites;
SELECT add_source('odd one', 'people', 'odd."People of"', '{"person": "it''s", "site": "siret"}') AS people;
CREATE TABLE odd.bill (who text, paid_on date, amount numeric);
INSERT INTO odd.bill SELECT CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, date '2025-01-01' + n, 10 FROM generate_series(1, 100) AS n;
SELECT jsonb_pretty(add_source('odd one', 'purchases', 'odd.bill', '{"person": "who", "purchased_on": "paid_on"}')) AS bills;
CALL refresh('odd one', '2026-01-01', despite_silence => true);
SELECT kind, reason, rows FROM "odd one".source_reading JOIN "odd one".source USING (source) ORDER BY source, reason;
SELECT customer, siren, headcount, size_at_least, size_at_most, turnover_12_months, potential_turnover, distance_km, relation, left(decider, 10) AS decider, deciders, people, reach, fit_engagement, opening_hours, last_contact FROM "odd one".company_scores ORDER BY customer;
SELECT account_sheet('odd one', '100000033', 'en') -> 'scores' ->> 'people' AS people;
-- Who may read the tables may read the view, and the sheet; others may not.
CREATE ROLE onlooker;
SET ROLE onlooker;
SELECT count(*) FROM "odd one".company_scores;
SELECT account_sheet('odd one', '100000033');
RESET ROLE;
GRANT USAGE ON SCHEMA "odd one" TO onlooker;
GRANT SELECT ON ALL TABLES IN SCHEMA "odd one" TO onlooker;
SET ROLE onlooker;
SELECT count(*) FROM "odd one".company_scores;
SELECT account_sheet('odd one', '100000033') -> 'identity' AS identity;
RESET ROLE;
SELECT erase_customer('odd one', '100000033');
SELECT drop_workspace('odd one'), drop_workspace('b2b');
DROP TABLE year, event, good, incremental, round;
DROP PROCEDURE scramble;
DROP VIEW rolled;
DROP SCHEMA trade CASCADE;
DROP SCHEMA odd CASCADE;
DROP ROLE onlooker;
