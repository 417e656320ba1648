-- Labels: every code that a function can return has a name, in English and French.
SET search_path = segmentation, public;

-- Every code, from where it is made; a new one belongs here. Missing: none.
CREATE TEMP VIEW codes AS
  SELECT 'rfm' AS domain, segment AS code FROM rfm_map
  UNION SELECT 'rfm', rfm_segment(rfm_score(1, 0, 0) OVER ())
  UNION SELECT 'pmg', unnest(enum_range(NULL::pmg))::text
  UNION SELECT 'pmg_mode', (pmg_cuts(1, jsonb_build_object('mode', mode))).mode FROM unnest('{rank,cumulative}'::text[]) AS mode GROUP BY mode
  UNION SELECT 'rfm_rule', (rfm_cuts(1, 1, 1, jsonb_build_object('rule', rule))).rule FROM unnest('{quantile,r_rfm}'::text[]) AS rule GROUP BY rule
  UNION SELECT 'rfm_map_fault', fault FROM rfm_map_check('{"segments": [{"segment": "a", "r": 1}, {"segment": "b", "r": 1}, {"segment": "c", "r": 9}]}'::jsonb)
  UNION SELECT 'profile', 'profile_' || n FROM generate_series(1, 50) AS n
  -- Their codes come from data of many kinds: tests/sql/profile.sql and criteria.sql show them.
  UNION SELECT l.domain, l.code FROM label AS l
        WHERE l.domain IN ('profile_method', 'profile_warning', 'profile_measure', 'criterion_kind', 'criterion_verdict',
                           'segment_criterion', 'segment_measure', 'trial_verdict');
SELECT domain, code, language AS missing
FROM codes CROSS JOIN unnest('{en,fr}'::text[]) AS language
WHERE NOT EXISTS (SELECT FROM label AS l WHERE (l.domain, l.code, l.language) = (codes.domain, codes.code, language.language))
ORDER BY 1, 2, 3;
-- And no label without a code.
SELECT domain, code FROM label EXCEPT SELECT domain, code FROM codes ORDER BY 1, 2;

-- All of them, to be read.
SELECT en.domain, en.code, en.label AS en, fr.label AS fr
FROM label AS en LEFT JOIN label AS fr ON (fr.domain, fr.code, fr.language) = (en.domain, en.code, 'fr')
WHERE en.language = 'en' ORDER BY en.domain, en.code;
-- Within a domain and a language no two codes have one name.
SELECT domain, language, label, count(*) FROM label GROUP BY 1, 2, 3 HAVING count(*) > 1;

-- The function: English unless said, the code itself when there is no label, nothing for nothing.
SELECT label('rfm', 'at_risk') AS en, label('rfm', 'at_risk', 'fr') AS fr, label('rfm', 'at_risk', language => 'de') AS no_german,
       label('rfm', 'no_such_code') AS no_code, label('no_such_domain', 'G') AS no_domain, label('rfm', NULL) AS null_code;
SELECT label('pmg', class::text, 'fr'), count(*)
FROM (SELECT pmg_bucket(n) OVER () AS class FROM generate_series(0, 20) AS n) AS t GROUP BY class ORDER BY class DESC;

-- A language of one's own, and codes of one's own maps.
BEGIN;
INSERT INTO label VALUES ('pmg', 'G', 'de', 'Große Kunden'), ('rfm', 'my_best', 'de', 'Meine Besten');
SELECT label('pmg', 'G', 'de'), label('rfm', 'my_best', 'de'), label('pmg', 'M', 'de') AS not_yet;
ROLLBACK;
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''english'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''EN'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''en'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''de'', NULL)');
