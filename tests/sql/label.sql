-- Labels: every code that a function can return has a name, in English and French.
SET search_path = segmentation, public;

-- Every code, from where it is made; a new one belongs here. Missing: none.
CREATE TEMP TABLE histories AS SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id;
CREATE TEMP VIEW codes AS
  SELECT 'rfm' AS domain, segment AS code FROM rfm_map
  UNION SELECT 'rfm', rfm_segment(rfm_score(1, 0, 0) OVER ())
  UNION SELECT 'pmg', unnest(enum_range(NULL::pmg))::text
  UNION SELECT 'pmg_mode', (pmg_cuts(1, jsonb_build_object('mode', mode))).mode FROM unnest('{rank,cumulative}'::text[]) AS mode GROUP BY mode
  UNION SELECT 'rfm_rule', (rfm_cuts(1, 1, 1, jsonb_build_object('rule', rule))).rule FROM unnest('{quantile,r_rfm}'::text[]) AS rule GROUP BY rule
  UNION SELECT 'rfm_map_fault', fault FROM rfm_map_check('{"segments": [{"segment": "a", "r": 1}, {"segment": "b", "r": 1}, {"segment": "c", "r": 9}]}'::jsonb)
  UNION SELECT 'model_kind', unnest(ARRAY[(SELECT fit_purchase_model(h, '1997-09-30') FROM histories), (SELECT fit_spend_model(h, '1997-09-30') FROM histories), (SELECT fit_value_stack(h, '1997-09-30') FROM histories), (SELECT fit_churn_stack(h, '1997-09-30') FROM histories)]) ->> 'kind'
  UNION SELECT 'churn_candidate', unnest('{base_rate,recency,family,calibrated,features,mean,stack}'::text[])
  UNION SELECT 'churn_driver', unnest('{purchase_model,recency,purchases,spend,returns,contacts,interactions}'::text[])
  UNION SELECT 'purchase_family', 'auto'
  UNION SELECT 'purchase_family', (SELECT fit_purchase_model(h, '1997-09-30', jsonb_build_object('family', family)) FROM histories) ->> 'family'
    FROM unnest('{nbd,bg_nbd,mbg_nbd,pareto_nbd,bg_cnbd_k,mbg_cnbd_k}'::text[]) AS family
  UNION SELECT 'spend_family', (SELECT fit_spend_model(h, '1997-09-30', jsonb_build_object('family', family)) FROM histories) ->> 'family'
    FROM unnest('{gamma_gamma,gamma_gamma_days,gamma_gamma_mixture}'::text[]) AS family
  UNION SELECT 'spend_transactions', (SELECT fit_spend_model(h, '1997-09-30', jsonb_build_object('transactions', transactions)) FROM histories) ->> 'transactions'
    FROM unnest('{repeat,all,every}'::text[]) AS transactions
  UNION SELECT 'spend_transactions', 'auto'
  UNION SELECT 'value_candidate', c ->> 'candidate' FROM (SELECT fit_value_stack(h, '1997-12-31', '{"horizon": "60 days"}') AS v FROM histories) AS s, jsonb_array_elements(v -> 'candidates') AS c
  UNION SELECT 'row_reason', reason FROM workspace_row_fault
  UNION SELECT 'row_reason', unnest('{used,ahead,filtered,cancelled,no_product}'::text[])
  UNION SELECT 'line_reason', unnest('{shipping,fee,discount,adjustment,unlike_others}'::text[])
  -- These come up in special data only, so they are told over.
  UNION SELECT 'model_warning', unnest('{insufficient_data,few_customers,not_judged,shorter_horizon,holdout_unusable,horizon_too_long,infinite_mean,left_truncated,no_dropout,not_converged,not_identified}'::text[])
  UNION SELECT 'skip_reason', unnest('{no_history,no_purchase,after_as_of,before_cohort,after_cohort,one_purchase_day,no_positive_spend}'::text[])
  UNION SELECT 'segment', unnest(segment_codes(definition)) FROM segment_template
  UNION SELECT 'segment_template', name FROM segment_template
  UNION SELECT 'profile', 'profile_' || n FROM generate_series(1, 50) AS n
  -- Their codes come from data of many kinds: profile.sql, criteria.sql, churn_model.sql and retention_model.sql show them.
  UNION SELECT l.domain, l.code FROM label AS l
        WHERE l.domain IN ('profile_method', 'profile_warning', 'profile_measure', 'criterion_kind', 'criterion_verdict',
                           'segment_criterion', 'segment_measure', 'trial_verdict', 'calibration_method',
                           'churn_role', 'churn_skipped', 'churn_warning', 'retention_family')
  UNION SELECT 'axis', unnest(workspace_axes())
  UNION SELECT 'workspace', 'insufficient_data'
  UNION SELECT 'life_cycle', unnest('{prospect,new,active,slowing,lapsed,reactivated}'::text[])
  UNION SELECT 'source', kind FROM workspace_field
  -- Levels and bands: churn_level.sql and future_value_band.sql show them.
  UNION SELECT 'churn', unnest('{low,medium,high,lost,insufficient_data}'::text[])
  UNION SELECT 'future_value', unnest('{high,medium,low,none,insufficient_data}'::text[])
  -- Channels and send time: event_log.sql, channels.sql and send_time.sql show them.
  UNION SELECT l.domain, l.code FROM label AS l
        WHERE l.domain IN ('channel', 'channel_reason', 'channel_order', 'channel_method', 'channel_skipped', 'channel_warning',
                           'send_time_warning', 'contact_response', 'weekday')
  -- loyalty.sql and life_moment.sql show these.
  UNION SELECT l.domain, l.code FROM label AS l WHERE l.domain IN ('loyalty', 'loyalty_component', 'nps', 'life_moment')
  -- Views for dashboards: bi_views.sql shows them.
  UNION SELECT 'verdict', v FROM (SELECT DISTINCT segmentation_internal.psi_verdict(p::float8 / 100) AS v FROM generate_series(0, 100) AS p) AS t
  UNION SELECT 'bi', unnest('{before,after}'::text[])
  UNION SELECT 'measure', unnest('{customers,days_since_last_purchase_of_all,with_attributes,with_company,with_consents,with_contacts,with_interactions,with_lines,with_purchases,with_purchases_after_as_of,with_subscriptions}'::text[])
  -- Product appetence: product_appetence.sql shows them.
  UNION SELECT l.domain, l.code FROM label AS l
        WHERE l.domain IN ('offer_source', 'affinity_method', 'affinity_warning', 'appetence_method', 'appetence_task',
                           'appetence_part', 'appetence_measure')
  -- Fields of a workspace: workspace_fields.sql shows them; the rest is in the words of gate.sql and refreshes.
  UNION SELECT 'field', name FROM workspace_score
  UNION SELECT 'field', field FROM segmentation_internal.workspace_row_fields()
  UNION SELECT 'field', 'company_scores'
  UNION SELECT 'field', unnest('{customer,as_of,consents,attribute,company_attribute,birth_year,probability}'::text[])
  UNION SELECT 'field_type', unnest('{number,text,boolean,day,list,object}'::text[])
  UNION SELECT 'feature_reason', unnest('{key,foreign_key,key_name,near_unique,many_values,constant,type,alone}'::text[])
  UNION SELECT 'phase', unnest('{facts,train,score,publish,watch,time,changed}'::text[])
  UNION SELECT 'edit', kind FROM segmentation_internal.edit_kinds()
  UNION SELECT 'edit_action', unnest('{added,changed,removed}'::text[])
  -- For the DBA: security.sql makes each finding.
  UNION SELECT 'security_check', what FROM security_check()
  UNION SELECT 'security_verdict', unnest('{ok,look,danger,unknown}'::text[])
  UNION SELECT 'progress', unnest('{running,done,failed,lost}'::text[])
  -- B2B
  UNION SELECT 'company_feature', unnest('{section,size,organisation_type}'::text[])
  UNION SELECT 'fit_grade', unnest('{a,b,c}'::text[])
  UNION SELECT 'engagement_grade', unnest('{1,2,3,4}'::text[])
  UNION SELECT 'company_reach', unnest('{person,generic,none}'::text[])
  UNION SELECT 'company_size', unnest(enum_range(NULL::company_size))::text
  UNION SELECT 'sirene_headcount', sirene_headcount_code(n) FROM unnest('{NULL,0,1,3,6,10,20,50,100,200,250,500,1000,2000,5000,10000}'::int[]) AS n
  UNION SELECT 'sirene_headcount_group', sirene_headcount_group(sirene_headcount_code(n)) FROM unnest('{0,1,10,50,250}'::int[]) AS n
  UNION SELECT 'organisation_type', organisation_type(c, naf) FROM (VALUES ('1000', ''), ('5710', ''), ('5710', '64.20Z'), ('7210', ''), ('9220', ''), ('9300', ''), ('8210', '')) AS o (c, naf)
  UNION SELECT 'job_seniority', job_seniority(t) FROM unnest('{owner,CEO,partner,VP,director,manager,senior,junior,intern,volunteer}'::text[]) AS t
  UNION SELECT 'job_function', job_function(t) FROM unnest('{buyer,HR,finance,lawyer,IT,product owner,marketing,communication,SAV,sales,logistics,quality,research,production,nurse,teacher,engineer,office,CEO}'::text[]) AS t
  UNION SELECT 'decision_role', decision_role(t) FROM unnest('{CEO,buyer,marketing manager,accountant,secretary}'::text[]) AS t
  UNION SELECT 'relation', relation(CASE WHEN bought THEN purchase_history(date '2026-01-01', 1) END, as_of, contact, declared)
    FROM (VALUES (true, date '2026-02-01', NULL::date, NULL::text), (true, '2030-01-01', NULL, NULL), (false, '2026-02-01', '2026-01-01', NULL), (false, '2026-02-01', NULL, NULL), (false, '2026-02-01', NULL, 'partner'), (false, '2026-02-01', NULL, 'supplier')) AS r (bought, as_of, contact, declared)
    GROUP BY bought, as_of, contact, declared
  UNION SELECT 'account_segment', account_segment('x', true)
  UNION SELECT 'public_holiday', holiday FROM unnest('{alsace_moselle,reunion}'::text[]) AS zone, french_public_holidays(2026, zone)
  UNION SELECT d.name, band ->> 'segment' FROM b2b_definition AS d, jsonb_array_elements(definition -> 'bands') AS band
  UNION SELECT 'sector', sector FROM sector_preset
  UNION SELECT 'preset', kind FROM sector_preset
  UNION SELECT 'naf_' || version || '_section', section FROM naf_nomenclature()
  UNION SELECT 'naf_' || version || '_division', division FROM naf_nomenclature();
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
-- The built-in labels stay, and nobody adds to them; one's own codes may be named in English too.
BEGIN;
INSERT INTO label VALUES ('rfm', 'my_best', 'en', 'My best');
SELECT label('rfm', 'my_best');
ROLLBACK;
CALL refused('UPDATE label SET label = ''Big'' WHERE domain = ''pmg''');
CALL refused('DELETE FROM label');
CALL refused('INSERT INTO label VALUES (''rfm'', ''my_best'', ''en'', ''My best'', true)');
CALL refused('TRUNCATE label');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''english'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''EN'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''en'', ''Big'')');
CALL refused('INSERT INTO label VALUES (''pmg'', ''G'', ''de'', NULL)');
