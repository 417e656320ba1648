-- The report: what its parts read, who may, hostile names.
SET search_path = segmentation, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SELECT count(*) AS tables FROM simulate_shop('shop', customers => 300, seed => 3);
SELECT create_workspace('crm', time_zone => 'Europe/Paris');
SELECT count(add_source('crm', kind, relation)) AS sources
FROM (VALUES ('purchases', 'shop.orders'::regclass), ('purchase_lines', 'shop.order_lines'), ('products', 'shop.products'),
             ('customers', 'shop.customers'), ('contacts', 'shop.contacts'), ('consents', 'shop.consents')) AS s (kind, relation);
-- A part of a page, without its marks.
CREATE FUNCTION words(page text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT m[1] FROM regexp_matches(page, '<p class="nothing"><bdi>(.*?)</bdi>', 'g') AS m $$;

-- Nothing was ever published, nor refreshed.
SELECT DISTINCT words(report('crm', parts => '{axes,rfm,models}'));
SELECT report('crm') LIKE '%Nothing has been published yet.%' AS says_so;
CALL refresh('crm', '2025-11-30');
SELECT DISTINCT words(report('crm', 'fr', '{axes,rfm}'));
CALL refresh('crm', '2025-12-31', retrain => false);
CALL refresh_views('crm');

-- Every part has its document, and what it counts is what there is.
SELECT p ->> 'part' AS part, p ->> 'state' AS state, jsonb_typeof(p -> 'data') AS data
FROM jsonb_array_elements(segmentation_internal.report_document('crm', NULL, NULL) -> 'parts') AS p;
WITH part AS (
  SELECT p ->> 'part' AS part, p -> 'data' AS data
  FROM jsonb_array_elements(segmentation_internal.report_document('crm', 'fr', NULL) -> 'parts') AS p),
codes AS (
  SELECT a.value ->> 'axis' AS axis, c.value ->> 'label' AS label, (c.value ->> 'customers')::int AS customers,
    (c.value ->> 'before')::int AS before
  FROM part AS p
  CROSS JOIN jsonb_array_elements(p.data -> 'axes') AS a
  CROSS JOIN jsonb_array_elements(a.value -> 'codes') AS c
  WHERE p.part = 'axes')
SELECT count(DISTINCT axis) AS axes, bool_and(customers = there) AS all_of_them, bool_and(before = earlier) AS and_before
FROM (
  SELECT c.axis, sum(c.customers) AS customers, sum(c.before) AS before,
    (SELECT count(*) FROM crm.customer_segments) AS there,
    (SELECT count(*) FROM crm.membership_history AS h
     WHERE h.axis = c.axis AND h.valid_from <= '2025-11-30' AND coalesce(h.valid_to, 'infinity') > '2025-11-30') AS earlier
  FROM codes AS c GROUP BY c.axis) AS s;
-- Customers of a migration: those who were there on both days, by the history itself.
SELECT a.value ->> 'axis' AS axis, sum((f.value ->> 'customers')::int) = (
    SELECT count(*) FROM crm.membership_history AS b JOIN crm.membership_history AS e
      ON e.customer = b.customer AND e.axis = b.axis AND e.valid_to IS NULL
    WHERE b.axis = a.value ->> 'axis' AND b.valid_from <= '2025-11-30' AND coalesce(b.valid_to, 'infinity') > '2025-11-30')
    AS as_in_the_history,
  sum((f.value ->> 'customers')::int) FILTER (WHERE f.value ->> 'from' <> f.value ->> 'to') = (
    SELECT count(*) FROM crm.membership_history AS b JOIN crm.membership_history AS e
      ON e.customer = b.customer AND e.axis = b.axis AND e.valid_from = '2025-12-31' AND b.valid_to = '2025-12-31'
    WHERE b.axis = a.value ->> 'axis') AS movers
FROM jsonb_array_elements(segmentation_internal.report_part('crm', 'migration', 'en') #> '{data,axes}') AS a
CROSS JOIN jsonb_array_elements(a.value -> 'flows') AS f
GROUP BY a.value ORDER BY 1;
-- Two years: groups and factors add up to the change of turnover.
SELECT abs(sum((g ->> 'change')::numeric) - sum((g ->> 'turnover_after')::numeric - (g ->> 'turnover_before')::numeric)) < 0.01 AS groups,
  abs(sum((g ->> 'change')::numeric) - (SELECT sum((f ->> 'effect')::numeric) FROM jsonb_array_elements(p.data -> 'factors') AS f)) < 1 AS factors
FROM (SELECT segmentation_internal.report_part('crm', 'change', 'en') -> 'data' AS data) AS p
CROSS JOIN jsonb_array_elements(p.data -> 'groups') AS g GROUP BY p.data;
-- Labels follow the language of the report, not of the views.
SELECT c ->> 'churn_label' AS label
FROM jsonb_array_elements(segmentation_internal.report_part('crm', 'churn_value', 'fr') #> '{data,cells}') AS c
GROUP BY 1 ORDER BY 1;

-- Pages and pictures.
SELECT report('crm', l) LIKE '<!DOCTYPE html><html lang="' || l || '">%' AS page, length(report('crm', l)) < 1000000 AS small,
  (SELECT count(*) FROM regexp_matches(report('crm', l), '<section id="part-', 'g')) AS parts
FROM unnest('{en,fr}'::text[]) AS l;
SELECT report('crm', parts => '{}') LIKE '%</html>' AS none;
SELECT n, xml_is_well_formed_document(chart('crm', n)) AS xml
FROM unnest('{axis:rfm,axis:churn,rfm,pmg,churn_value,migration:pmg,reach,models,health,drift}'::text[]) AS n;
SELECT report(NULL);
SELECT chart('crm', NULL) IS NULL AS picture;
SELECT report('nowhere');
SELECT report('crm', 'de');
SELECT report('crm', parts => '{axes,rfmm}');
SELECT report('crm', parts => ARRAY[NULL]);
SELECT chart('crm', 'pmgg');
SELECT chart('crm', 'axis:nothing');
SELECT chart('crm', 'pmg', width => 10);

-- A registered segment has its picture. Names of a campaign are texts, whatever they are.
SELECT register_segment('crm', 'risky',
  '{"kind": "rules", "default": "calm", "segments": [{"segment": "gone", "when": {"field": "churn", "in": ["high"]}}]}');
SELECT count(*) AS groups FROM assign_campaign('crm', '<img src=x onerror=alert(1)> 🎄 عملاء', 'SELECT customer FROM crm.customer_segments', 0.3);
UPDATE crm.campaign SET as_of = '2025-11-30';
CALL refresh('crm', '2026-01-01', retrain => false);
CALL refresh_views('crm');
SELECT report('crm') ~ '<(script|img|b)[ >]' AS marks, report('crm') LIKE '%&lt;img src=x onerror=alert(1)&gt; 🎄 عملاء%' AS campaign;
SELECT n, xml_is_well_formed_document(chart('crm', n)) AS xml FROM unnest('{campaigns,segment:risky}'::text[]) AS n;

-- Who may: what grant_bi gives is enough for all but campaigns. Of an owner who is no superuser.
CREATE ROLE report_owner;
CREATE ROLE report_reader;
SELECT format('GRANT CREATE ON DATABASE %I TO report_owner', current_database()) \gexec
GRANT USAGE ON SCHEMA shop TO report_owner;
GRANT SELECT ON shop.orders TO report_owner;
SET ROLE report_owner;
SELECT create_workspace('own', time_zone => 'UTC');
SELECT add_source('own', 'purchases', 'shop.orders');
CALL refresh('own', '2025-12-31');
CALL refresh_views('own');
SELECT grant_bi('own', 'report_reader');
SET ROLE report_reader;
SELECT p ->> 'state' AS state, string_agg(p ->> 'part', ', ' ORDER BY p ->> 'part') AS parts, min(p ->> 'relation') AS relation
FROM jsonb_array_elements(segmentation_internal.report_document('own', NULL, NULL) -> 'parts') AS p GROUP BY 1 ORDER BY 1;
SELECT words(report('own', parts => '{campaigns}'));
SELECT report('crm');
RESET ROLE;
SELECT p ->> 'state' AS state, string_agg(p ->> 'part', ', ' ORDER BY p ->> 'part') AS parts
FROM jsonb_array_elements(segmentation_internal.report_document('own', NULL, NULL) -> 'parts') AS p GROUP BY 1 ORDER BY 1;
-- A view in the place of one would run its owner's code with the rights of who looks.
SET ROLE report_owner;
DROP MATERIALIZED VIEW own.bi_pmg_curve CASCADE;
CREATE VIEW own.bi_pmg_curve AS SELECT current_date AS as_of, 1 AS percent, 1.0 AS turnover_share, 1 AS customers, 1 AS turnover;
GRANT SELECT ON own.bi_pmg_curve TO report_reader;
RESET ROLE;
SELECT report('own', parts => '{pmg}');
SET ROLE report_reader;
SELECT report('own', parts => '{pmg}');
SET ROLE report_owner;
SELECT drop_workspace('own');
RESET ROLE;
SELECT drop_workspace('crm');
DROP FUNCTION words;
DROP OWNED BY report_owner, report_reader;
DROP SCHEMA shop CASCADE;
DROP ROLE report_owner, report_reader;
