-- B2B: companies, people, relations, economics, distance, opening hours, presets.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- Company size: the cases of the decree 2008-1354.
SELECT headcount, turnover_m, balance_m, company_size(headcount, turnover_m * 1e6, balance_m * 1e6), expected,
       company_size(headcount, turnover_m * 1e6, balance_m * 1e6)::text = expected AS right
FROM (VALUES (5, 3, 1, 'micro'), (9, 3, 3, 'pme'), (10, 1, 1, 'pme'), (249, 60, 40, 'pme'), (100, 60, 50, 'eti'),
             (250, 1, 1, 'eti'), (4999, 1600, 2100, 'ge'), (5000, 1, 1, 'ge')) AS c (headcount, turnover_m, balance_m, expected);
SELECT enum_range(NULL::company_size) AS ascending, 'micro'::company_size < 'pme' AND 'eti'::company_size < 'ge' AS in_order;
-- What is unknown leaves bounds.
SELECT headcount, turnover, balance_sheet, company_size(headcount, turnover, balance_sheet) AS size,
       company_size_at_least(headcount, turnover, balance_sheet) AS at_least,
       company_size_at_most(headcount, turnover, balance_sheet) AS at_most
FROM (VALUES (5, NULL, NULL), (5, 1e6, NULL), (5, NULL, 1e6), (5, 3e6, NULL), (300, NULL, NULL), (300, 1e6, NULL), (5000, NULL, NULL),
             (NULL, 1e6, 1e6), (NULL, NULL, NULL), ('NaN', 1e6, 1e6), (5, '-1', 'Infinity'), (0, 0, 0), (9.9, 2e6, 9e9), (10.0, 2e6, 9e9))
  AS c (headcount, turnover, balance_sheet);

-- Sirene headcount bands, all of them, and there and back.
SELECT code, sirene_headcount(code), sirene_headcount_group(code) AS "group", label('sirene_headcount', code) AS en, label('sirene_headcount', code, 'fr') AS fr,
       sirene_headcount_code(lower(sirene_headcount(code))) = code AS there_and_back
FROM unnest('{NN,00,01,02,03,11,12,21,22,31,32,41,42,51,52,53}'::text[]) AS code;
SELECT bool_and(sirene_headcount(sirene_headcount_code(n)) @> n) AS every_number_in_its_band FROM generate_series(0, 12000) AS n;
SELECT code, sirene_headcount(code), sirene_headcount_group(code) FROM unnest(ARRAY[NULL, '', '1', '04', '99', ' 11 ', 'abc', repeat('1', 1000000)]) WITH ORDINALITY AS t (code, n) WHERE length(code) < 100 OR code IS NULL ORDER BY n;
SELECT sirene_headcount_code(NULL), sirene_headcount_code('NaN'::numeric), sirene_headcount_code(-1), sirene_headcount_code(0.5), sirene_headcount_code('Infinity');

-- Legal category.
SELECT code, naf, organisation_type(code, naf), is_public(code), label('organisation_type', organisation_type(code, naf), 'fr') AS fr
FROM (VALUES ('1000', NULL), ('5710', '62.01Z'), ('5710', '64.20Z'), ('5710', '64.21Y'), ('5499', NULL), ('6540', NULL), ('7210', NULL), ('4110', NULL), ('9220', NULL),
             ('9230', NULL), ('9300', NULL), ('9110', NULL), ('8210', NULL), ('3120', NULL), ('2110', NULL), ('5', NULL), ('57', NULL), ('', NULL), ('571', NULL), ('SARL', NULL), (NULL, NULL)) AS c (code, naf);

-- SIREN, SIRET, VAT: public numbers of firms.
SELECT siren, siren_valid(siren), vat_from_siren(siren), vat_valid(vat_from_siren(siren))
FROM unnest('{732829320,356000000,552081317,780129987,652014051,380129866,519037584,552032534,632012100,855200887,542051180,662042449,552120222,552096281,383474814,572015246,403210032,542039532,395030844,775670417,552075020,784608416,542107651,443061841,330703844}'::text[]) AS siren;
-- Any digit changed makes a SIREN wrong: Luhn finds every single error.
SELECT count(*) FILTER (WHERE siren_valid(overlay('732829320' placing digit::text FROM place FOR 1))) AS valid, count(*) AS tried
FROM generate_series(1, 9) AS place, generate_series(0, 9) AS digit;
SELECT siret_valid('73282932000074') AS example, siret_valid('73282932000075') AS not_it,
       siret_valid('35600000000048') AS la_poste_head_office, siret_valid('35600000049837') AS la_poste_site, siret_valid('35600000049838') AS no_site;
SELECT number, siren_valid(number), siret_valid(number), vat_valid(number), siren(number), siret(number), vat_from_siren(number)
FROM (VALUES (NULL), (''), (' '), ('732 829 320'), ('732-829-320'), (E'732\u00a0829\u202f320'), ('732.829.320'), ('73282932O'), ('73282932'), ('7328293200'), ('732829321'), ('000000000'), ('00000000000000'),
             ('732 829 320 00074'), ('MONACOCONFO001'), ('FR44732829320'), ('FR 44 732 829 320'), ('fr44732829320'), ('FR45732829320'), ('DE136695976'), ('DE136695978'), ('BE0428759497'), ('IT00743110157'), ('SE556188840401'),
             ('GB980780684'), ('US12-3456789'), ('CHE-107.787.577'), ('７３２８２９３２０'), ('732829320; DROP TABLE x'), ('l''apostrophe "et" les guillemets')) AS t (number);
SELECT siren_valid(repeat('7', 1000000)), siret_valid(repeat(' ', 1000000)), vat_valid(repeat('FR', 500000)), siren(repeat('é', 1000000));

-- NAF: every section of both, with its divisions and its names.
SELECT version, section, string_agg(division, ' ' ORDER BY division) AS divisions, label('naf_' || version || '_section', section) AS en, label('naf_' || version || '_section', section, 'fr') AS fr
FROM naf_nomenclature() GROUP BY version, section ORDER BY version DESC, section;
SELECT version, count(DISTINCT section) AS sections, count(*) AS divisions,
       bool_and(naf_section(division, version) = section AND naf_division(division || '.10', version) = division) AS found_again
FROM naf_nomenclature() GROUP BY version ORDER BY version DESC;
SELECT code, version, naf_section(code, version), naf_division(code, version), naf_version(code)
FROM (VALUES ('62.01Z', 'rev2'), ('6201z', 'rev2'), (' 62.01 Z', 'rev2'), ('62', 'rev2'), ('62', '2025'), ('62.10Y', '2025'), ('62.10Y', 'rev2'), ('62.01Z', '2025'), ('85.59A', 'rev2'), ('85.59G', '2025'),
             ('45.11Z', 'rev2'), ('45', '2025'), ('04.00Z', 'rev2'), ('99', '2025'), ('99', 'rev2'), ('62.01Z', 'NAFRev2'), ('62.01Z', NULL), (NULL, 'rev2'), ('', 'rev2'), ('J', 'rev2'), ('abc', '2025'), ('62.01ZZ', 'rev2')) AS c (code, version);

-- E-mail.
SELECT email, email_domain(email), email_is_role(email), is_freemail(email)
FROM (VALUES ('Jean.Dupont@Exemple.fr'), ('contact@exemple.fr'), ('INFO2@exemple.fr'), ('no-reply+fr@exemple.com'), ('service.client@exemple.fr'), ('comptabilité@exemple.fr'), ('webmaster@exemple.fr'),
             ('jean@gmail.com'), ('jean@yahoo.co.uk'), ('jean@orange.fr'), ('jean@orange.com'), ('gmail.com'), ('jean'), ('jean@'), ('@exemple.fr'), ('a b@exemple.fr'), ('a@b@exemple.fr'), ('a@exemple'), ('a@-x.fr'), (''), (NULL),
             ('"quoted"@exemple.fr'), ('a@x.fr, b@y.fr'), ('o''brien@exemple.ie')) AS t (email);
SELECT email_domain(repeat('a', 1000000) || '@exemple.fr'), email_is_role(repeat('@', 1000000)), is_freemail(repeat('.', 1000000));
-- What somebody registered, by the public suffix list.
SELECT written, registered_domain(written), is_freemail(written)
FROM (VALUES ('a@mail.example.co.uk'), ('a@b.exemple.fr'), ('WWW.Exemple.FR'), ('a@x.exemple.asso.fr'), ('a@boutique.blogspot.com'),
             ('a@mail.example.nosuchtop'), ('a@mail.société.fr'), ('co.uk'), ('a@gouv.fr'), ('fr'), (''), (NULL), ('jean'), ('gmail.com'),
             ('gmx.net'), ('a@outlook.com.br'), ('a@live.events'), ('a@live.biz'), ('a@b_c.fr'), (E'a\u00a0b@c.fr'), ('"a"@b.fr'), ('a@[127.0.0.1]'))
  AS t (written);
SELECT registered_domain(repeat('a.', 1000000) || 'fr');
-- RFC 2142, all of it.
SELECT count(*) FILTER (WHERE email_is_role(name || '@example.com')) AS roles, count(*)
FROM unnest('{abuse,ftp,hostmaster,info,list,list-request,marketing,news,noc,postmaster,sales,security,support,usenet,uucp,webmaster,www}'::text[]) AS name;

-- Job titles. All of those that the core is tested with are in its own tests; here both languages once more.
SELECT title, job_seniority(title), job_function(title), decision_role(title), decision_role(title, 'it') AS for_it
FROM (VALUES ('PDG'), ('Gérante'), ('Directrice générale adjointe'), ('DSI'), ('Responsable informatique'), ('DAF'), ('Directeur/trice financier/ère'), ('Chargé(e) d''affaires'), ('Acheteuse'), ('Assistante de direction'),
             ('Assistante commerciale'), ('Cheffe de produit'), ('Ingénieure'), ('Stagiaire RH'), ('CEO'), ('Founder & CEO'), ('VP Sales'), ('Head of Procurement'), ('IT Manager'), ('Executive Assistant to the CEO'),
             ('Product Owner'), ('Senior Software Engineer'), ('P.D.G.'), ('Poète'), (''), (NULL), ('12345'), ('O''Reilly "manager"; --')) AS t (title);
SELECT job_seniority(repeat('directeur ', 100000)), job_function(repeat('x', 1000000)), decision_role(repeat('é', 1000000)), decision_role('PDG', 'no such function');

-- Relation.
SELECT what, relation(history, '2026-06-30', last_contact, declared) AS relation
FROM (VALUES (1, 'bought this year', date '2026-01-05', NULL::date, NULL::text),
             (2, 'bought on the first day that counts', '2025-07-01', NULL, NULL),
             (3, 'bought one day before', '2025-06-30', NULL, NULL),
             (4, 'will buy', '2026-07-01', NULL, NULL),
             (5, 'met last year', NULL, '2025-05-01', NULL), (6, 'met four years ago', NULL, '2022-05-01', NULL), (7, 'will meet', NULL, '2026-07-01', NULL),
             (8, 'a supplier that buys', '2026-01-05', NULL, ' Fournisseur '), (9, 'partner', NULL, NULL, 'partner'), (10, 'declared otherwise', NULL, NULL, 'ami'), (11, 'nothing', NULL, NULL, NULL)) AS r (place, what, bought, last_contact, declared)
CROSS JOIN LATERAL (SELECT purchase_history(day, 100) AS history FROM (SELECT bought AS day WHERE bought IS NOT NULL) AS d) AS h
ORDER BY place;
SELECT relation(NULL, NULL), relation(purchase_history(date '2025-06-30', 100), '2026-06-30', client_within => '24 months') FROM (VALUES (1)) AS one;
SELECT acquisition_effort(500, 2000), acquisition_effort(500, 0), acquisition_effort(500, NULL), acquisition_effort(-1, 5), acquisition_effort('NaN', 5), acquisition_effort(1, 'Infinity');

-- Potential, by peers: quantiles as percentile_cont, in parts as in one.
CREATE TEMP TABLE firm AS
  SELECT n AS id, CASE n % 3 WHEN 0 THEN '46' WHEN 1 THEN '62' ELSE '25' END AS division, (n * 7919 % 240) + 1 AS headcount, (n * 104729 % 99991)::numeric AS turnover FROM generate_series(1, 300) AS n;
SELECT division, (b).companies, (b).median = p50 AS median, (b).upper = p75 AS upper
FROM (SELECT division, peer_benchmark(turnover, headcount) AS b,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY turnover::float8 / headcount) AS p50, percentile_cont(0.75) WITHIN GROUP (ORDER BY turnover::float8 / headcount) AS p75
      FROM firm WHERE turnover > 0 GROUP BY division) AS t ORDER BY division;
SELECT peer_benchmark(turnover, headcount) FROM (VALUES (NULL::float8, 5::float8), (100, NULL), (0, 5), (-5, 5), (100, 0), ('NaN', 5), (5, 'Infinity'), ('Infinity', 5)) AS t (turnover, headcount);
SELECT peer_benchmark(turnover, headcount) FROM (VALUES (100::float8, 10::float8), (200, 10), (300, 10), (400, 10), (NULL, 1)) AS t (turnover, headcount);
SELECT potential_turnover(1000, 20, ROW(12, 100, 150), ROW(90, 80, 120)) AS by_peers, potential_turnover(1000, 20, ROW(3, 100, 150), ROW(90, 80, 120)) AS wider,
       potential_turnover(1000, 20, ROW(3, 100, 150)) AS too_few, potential_turnover(9000, 20, ROW(12, 100, 150)) AS above_already, potential_turnover(NULL, 20, ROW(12, 100, 150)) AS prospect,
       potential_turnover(1000, NULL, ROW(12, 100, 150)) AS no_headcount, potential_turnover(1000, 20, NULL) AS no_peers, potential_turnover('NaN', 'NaN', ROW(12, 100, 150)) AS nan;
SELECT share_of_wallet(500, 2000), share_of_wallet(3000, 2000), share_of_wallet(-5, 2000), share_of_wallet(5, 0), share_of_wallet(NULL, 5), share_of_wallet('NaN', 5);
-- Two brands, first: 0.667.
SELECT brands, rank, round(wallet_allocation(rank, brands)::numeric, 3) AS share, round(sum(wallet_allocation(rank, brands)) OVER (PARTITION BY brands)::numeric, 3) AS total
FROM generate_series(1, 4) AS brands, generate_series(1, brands) AS rank ORDER BY brands, rank;
SELECT wallet_allocation(0, 2), wallet_allocation(3, 2), wallet_allocation(NULL, 2), wallet_allocation(1, 0), wallet_allocation(2147483647, 2147483647) > 0 AS tiny;
SELECT cost_to_serve('{"orders": 12, "visits": 3}', '{"orders": 8, "visits": 150, "calls": 4}'), cost_to_serve('{}', '{}'), cost_to_serve('{"x": 1}', '{"y": 1}'), cost_to_serve('{"x": "a"}', '{"x": 1}'),
       cost_to_serve('{"x": 1}', '[1]'), cost_to_serve('[1]', '{}'), cost_to_serve('{"x": null}', '{"x": 1}'), cost_to_serve(NULL, '{}'), cost_to_serve('{"x": 1}', NULL);
SELECT profitability(10000, 0.3, 546), profitability(1000, 0.3, 546) AS loss, profitability(NULL, 0.3, 5);
SELECT km, visit_cost(km) FROM unnest('{0,10,100,500,-1,NaN,Infinity,NULL}'::float8[]) AS km;
SELECT equipment_rate('{crm,erp}', '{crm,erp,plm,mes}'), equipment_rate('{}', '{crm}'), equipment_rate(NULL, '{crm}'), equipment_rate('{crm}', '{}'), equipment_rate('{crm}', NULL), equipment_rate('{a,a}', '{a,a,b,NULL}');

-- Distance: Paris to Lyon, to Marseille, to Saint-Denis de La Réunion (GeographicLib: 391.712705, 660.493269, 9370.699262).
SELECT town, round(haversine(48.8566, 2.3522, latitude, longitude)::numeric, 3) AS haversine, round(geodesic(48.8566, 2.3522, latitude, longitude)::numeric, 6) AS geodesic
FROM (VALUES ('Lyon', 45.7640, 4.8357), ('Marseille', 43.2965, 5.3698), ('Saint-Denis', -21.1151, 55.5364), ('Paris', 48.8566, 2.3522)) AS t (town, latitude, longitude);
SELECT round(geodesic(0, 0, 0.5, 179.5)::numeric, 6) AS nearly_antipodal, round(geodesic(0, 179.5, 0, -179.5)::numeric, 6) AS date_line, haversine(0, 0, 0, 180) / pi() AS radius;
SELECT latitude, longitude, haversine(latitude, longitude, 0, 0), geodesic(0, 0, latitude, longitude)
FROM (VALUES (91::float8, 0::float8), (0, 361), ('NaN', 0), (0, '-Infinity'), (NULL, 0)) AS t (latitude, longitude);

-- Opening hours.
SELECT hours, opening_hours_text(opening_hours(hours)), length(opening_hours(hours)), length(replace(opening_hours(hours)::text, '0', '')) AS open
FROM (VALUES ('24/7'), ('Mo-Fr 09:00-18:00'), ('Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-16:00; Su,PH off'), ('lun-ven 9h-12h30, 14h-18h; sam 9h-12h'), ('Lundi au vendredi : 9h00 à 12h00 et 14h00 à 18h00'),
             ('Fr 22:00-02:00'), ('Su 20:00-04:00'), ('Fr 22:00-26:00'), ('Mo-Fr 08:00-18:00; We off'), ('09:00-17:00'), ('Sa-Mo 10:00-12:00'), ('off'), ('PH off'),
             ('Apr 9-17'), ('sunrise-sunset'), ('Jan-Mar Mo 09:00-10:00'), ('Mo-Fr 18:00+'), ('Mo 25:00-26:00'), ('Mo 09:61-10:00'), ('by appointment'), (''), (NULL), ('Mo-Fr 09:00-17:00; DROP TABLE x')) AS t (hours);
-- Why a text has no mask; and what OpenStreetMap's grammar and people's French say beyond the above.
SELECT hours, opening_hours_text(opening_hours(hours)) AS read_as, opening_hours_fault(hours) AS fault
FROM (VALUES ('Fr 22:00-04:00; Sa 21:00-04:00'), ('Mo-Fr 22:00-02:00; We off'), ('Mo-Fr 08:00-18:00; We 12:00-14:00 off'),
             ('Lundi de 9 h 30 à midi, de 14h à 18 heures'), ('Lun-sam 9h-18h ; fermé le jeudi'), ('Tous les jours 10h-19h, jours fériés fermé'),
             ('7j/7, 24h/24'), ('Mo-Fr'), ('2026 Mo 09:00-10:00'), ('Jan-Feb Mo 09:00-10:00'), ('Dec 25 off'), ('week 1-10 Mo 09:00-10:00'),
             ('Mo[1] 09:00-10:00'), ('PH +1 day off'), ('sunrise-sunset'), ('Mo-Fr 18:00+'), ('Su 10:00-16:00/01:30'), ('Mo unknown'),
             ('Mo-Fr 09:00-17:00 "by appointment"'), ('Mo-Fr 09:00-17:00 || Sa 09:00-12:00'), ('on request'), ('Apr 9-17'), ('Mo-Fr 09:00-'),
             ('Mo 09:00-49:00'), (''), (NULL)) AS t (hours);
SELECT opening_hours_fault(repeat('Mo 09:00-10:00; ', 100000));
SELECT opening_hours(repeat('Mo 09:00-10:00; ', 100000)), opening_hours_text(B'101'), opening_hours_text(NULL), opening_hours_text(B'');
SELECT substring(opening_hours('Mo 00:00-01:00; Su 23:00-24:00') FOR 8) AS monday_first, substring(opening_hours('Mo 00:00-01:00; Su 23:00-24:00') FROM 161) AS sunday_last;
-- Both open: bits and bits.
SELECT opening_hours_text(opening_hours('Mo-Fr 09:00-18:00') & opening_hours('Mo-Sa 14:00-20:00'));
CREATE TEMP TABLE site (hours bit(168));
INSERT INTO site VALUES (opening_hours('Mo-Fr 09:00-12:00,14:00-18:00; Fr 22:00-02:00'));
SELECT at, hour_of_week(at), open_at(hours, at), next_open(hours, at), open_at(hours, at, 'metropole') AS but_for_holidays, next_open(hours, at, 'metropole') AS next_working
FROM site, unnest('{2026-05-13 08:59,2026-05-13 09:00,2026-05-13 13:15,2026-05-14 10:00,2026-05-15 23:30,2026-05-16 01:59,2026-05-16 02:00,infinity,NULL}'::timestamp[]) AS at;
SELECT open_at(B'1', '2026-05-13 09:00'), next_open(B'1', '2026-05-13 09:00'), next_open(opening_hours('off'), '2026-05-13 09:00'), open_at(opening_hours('24/7'), '2026-05-01 09:00', 'no such zone') AS no_calendar;
SELECT best_open_hour(scores, hours), best_open_hour(scores, opening_hours('off')) AS never, cardinality(mask_hours(scores, hours)) AS hours, (mask_hours(scores, hours))[10:14] AS monday_morning
FROM site, (SELECT array_agg(CASE WHEN n = 100 THEN 'NaN'::float8 WHEN n % 24 = 13 THEN 9 ELSE n % 24 END ORDER BY n) AS scores FROM generate_series(0, 167) AS n) AS s;
SELECT best_open_hour('{1,2}', opening_hours('24/7')), mask_hours(NULL, opening_hours('24/7')), best_open_hour(array_fill(NULL::float8, '{168}'), opening_hours('24/7'));

-- Public holidays: a year in each zone, and no calendar.
SELECT day, holiday, label('public_holiday', holiday, 'fr') AS fr, to_char(day, 'TMDay') AS weekday FROM french_public_holidays(2026);
SELECT zone, string_agg(to_char(day, 'MM-DD') || ' ' || holiday, ', ' ORDER BY day) AS of_its_own
FROM unnest('{alsace_moselle,guadeloupe,guyane,martinique,mayotte,reunion,saint_barthelemy,saint_martin}'::text[]) AS zone, french_public_holidays(2026, zone)
WHERE (day, holiday) NOT IN (SELECT * FROM french_public_holidays(2026)) GROUP BY zone ORDER BY zone;
-- Ascension on Labour Day (2008): two holidays, one day.
SELECT * FROM french_public_holidays(2008) WHERE day = '2008-05-01';
SELECT count(*) FROM french_public_holidays(1981) UNION ALL SELECT count(*) FROM french_public_holidays(10000) UNION ALL SELECT count(*) FROM french_public_holidays(2026, 'mars') UNION ALL SELECT count(*) FROM french_public_holidays(NULL) UNION ALL SELECT count(*) FROM french_public_holidays(-2147483648);
SELECT french_public_holiday('2026-07-14'), french_public_holiday('2026-07-15'), french_public_holiday('infinity'), french_public_holiday('-infinity'), french_public_holiday('0044-03-15 BC'), french_public_holiday('2026-04-03', 'alsace_moselle'), french_public_holiday(NULL);

-- Key accounts.
SELECT listed, rule, account_segment('champions', listed, rule) FROM (VALUES (true, NULL::boolean), (NULL, true), (false, true), (true, false), (NULL, NULL), (false, NULL)) AS t (listed, rule);
SELECT jsonb_pretty(account_profile(
  '{"name": "Ateliers Durand", "siret": "732 829 320 00074", "headcount": 120, "turnover": 18000000, "naf_code": "25.62B", "legal_category": "5710", "headcount_band": "22", "opening_hours": "lun-ven 8h-12h, 13h30-17h30", "crm_owner": "O''Neil \"key\""}',
  '[{"name": "A. Petit", "title": "Assistante de direction"}, {"name": "B. Roy", "title": "Responsable achats", "email": "achats@example.fr"}, {"name": "C. Durand", "title": "Gérante", "email": "c.durand@example.fr"}]',
  (SELECT purchase_history(day, amount) FROM (VALUES (date '2024-03-01', 1200), ('2026-02-03', 800), ('2026-05-20', 950)) AS o (day, amount)), '2026-06-30', 'fr'));
SELECT account_profile(NULL), account_profile('{}'), account_profile('[]', '{}'), account_profile('"x"', '"y"'), account_profile('{"headcount": "many", "siren": 5, "naf_code": [], "opening_hours": {}}', '[1, null, {"title": 5}]'), account_profile('{"headcount": 1e400, "turnover": -1e-400}');

-- Contacts, sites and companies: one history each, rolled up.
CREATE TEMP TABLE orders (siret text, contact text, day date, amount numeric);
INSERT INTO orders VALUES ('73282932000074', 'a', '2026-01-05', 100), ('732 829 320 00074', 'b', '2026-01-05', 50), ('73282932000009', 'a', '2026-02-01', 10), ('35600000000048', 'c', '2026-03-01', 7), ('unknown', 'd', '2026-03-02', 1);
CREATE TEMP TABLE contact_history AS SELECT siren(siret) AS company, siret(siret) AS site, contact, purchase_history(day, amount) AS history FROM orders GROUP BY 1, 2, 3;
SELECT company, site, contact, purchases(merge(history)), purchase_days(merge(history)) AS days, turnover(merge(history)) FROM contact_history GROUP BY ROLLUP (company, site, contact) ORDER BY company NULLS LAST, site NULLS LAST, contact NULLS LAST, purchases(merge(history));
SELECT merge(history) = (SELECT purchase_history(day, amount) FROM orders) AS the_same FROM contact_history;

-- Ready-made definitions: whole, in both languages, and not to be written to.
SELECT name, definition ->> 'kind' AS kind, jsonb_array_length(definition -> 'points') AS points, (SELECT string_agg(band ->> 'segment', ', ') FROM jsonb_array_elements(definition -> 'bands') AS band) AS segments,
       (SELECT array_agg(DISTINCT point -> 'when' ->> 'field') FROM jsonb_array_elements(definition -> 'points') AS point) @> reads AND reads @> (SELECT array_agg(DISTINCT point -> 'when' ->> 'field') FROM jsonb_array_elements(definition -> 'points') AS point) AS reads_what_it_says
FROM b2b_definition ORDER BY name;
CREATE ROLE b2b_nobody;
SET ROLE b2b_nobody;
SELECT count(*) > 0 FROM b2b_definition;
CALL refused('UPDATE segmentation.b2b_definition SET name = ''x''');
RESET ROLE;
DROP ROLE b2b_nobody;

-- Every object described.
SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'segmentation' WHERE obj_description(p.oid, 'pg_proc') IS NULL;
-- Rubbish raises nothing.
SELECT count(siren_valid(t)), count(siret_valid(t)), count(vat_valid(t)), count(naf_section(t, 'rev2')), count(email_domain(t)), count(job_seniority(t)), count(opening_hours(t)), count(organisation_type(t)), count(is_freemail(t)),
       count(registered_domain(t)), count(opening_hours_fault(t))
FROM (SELECT translate(md5(n::text), 'abcdef', E' @.-\u00e9:') AS t FROM generate_series(1, 20000) AS n) AS r;

-- One domain has one key, however it is written; addresses to throw away are a class of their own.
SELECT e, email_domain(e), is_freemail(e), email_is_disposable(e), email_is_role(e)
FROM unnest(ARRAY['info@société.fr', U&'info@socie\0301te\0301.fr', 'INFO@SOCIÉTÉ.FR', 'info@xn--socit-esab.fr', 'a@netcourrier.com', 'a@tuta.io', 'a@interia.eu', 'a@posteo.net',
  'x@privaterelay.appleid.com', 'a@yopmail.com', 'direction.generale@a.fr', 'info.fr@exemple.com', 'info.lyon@a.fr', 'jean.dupont@a.fr']) AS e;
-- What somebody was, they are no more.
SELECT t, job_seniority(t), job_function(t)
FROM unnest('{Ex-directeur,Ancien PDG,"Ancien PDG, consultant en informatique",Former CEO,"Directrice commerciale, ex Danone",Resp. SI,Responsable SI,Directeur export}'::text[]) AS t;
