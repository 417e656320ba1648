-- Key accounts.

CREATE FUNCTION segmentation.account_segment(segment text, listed boolean, rule boolean DEFAULT NULL) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN coalesce(listed, rule, false) THEN 'one_to_one' ELSE segment END;
COMMENT ON FUNCTION segmentation.account_segment(text, boolean, boolean) IS
  'The segment of an account, or one_to_one for a key account: a list decides (true in, false out), and a rule where '
  'the list says nothing (NULL).';

CREATE FUNCTION segmentation.account_profile(
  company jsonb,
  contacts jsonb DEFAULT NULL,
  history segmentation.purchase_history DEFAULT NULL,
  as_of date DEFAULT NULL,
  language text DEFAULT 'en'
) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'identity', jsonb_build_object(
        'name', company ->> 'name',
        'siren', segmentation.siren(coalesce(company ->> 'siren', company ->> 'siret')),
        'siret', segmentation.siret(company ->> 'siret'),
        'vat',
        coalesce(company ->> 'vat', segmentation.vat_from_siren(coalesce(company ->> 'siren', company ->> 'siret'))),
        'vat_valid', segmentation.vat_valid(company ->> 'vat')),
      'company', jsonb_build_object(
        'size', segmentation.company_size(f.headcount, f.turnover, f.balance_sheet),
        'size_at_least', CASE WHEN segmentation.company_size(f.headcount, f.turnover, f.balance_sheet) IS NULL
                              THEN segmentation.company_size_at_least(f.headcount, f.turnover, f.balance_sheet) END,
        'size_at_most', CASE WHEN segmentation.company_size(f.headcount, f.turnover, f.balance_sheet) IS NULL
                             THEN segmentation.company_size_at_most(f.headcount, f.turnover, f.balance_sheet) END,
        'headcount_band', segmentation.label('sirene_headcount', company ->> 'headcount_band', language),
        'naf_version', f.naf_version,
        'section', segmentation.naf_section(company ->> 'naf_code', f.naf_version),
        'section_label', segmentation.label('naf_' || f.naf_version || '_section',
            segmentation.naf_section(company ->> 'naf_code', f.naf_version), language),
        'division_label', segmentation.label('naf_' || f.naf_version || '_division',
            segmentation.naf_division(company ->> 'naf_code', f.naf_version), language),
        'organisation_type', segmentation.organisation_type(company ->> 'legal_category', company ->> 'naf_code'),
        'public', segmentation.is_public(company ->> 'legal_category')),
      'purchases', CASE WHEN history IS NOT NULL AND as_of IS NOT NULL THEN jsonb_build_object(
        'as_of', as_of,
        'relation', segmentation.relation(history, as_of, NULL, company ->> 'relation'),
        'first_purchase', segmentation.first_purchase(segmentation.until(history, as_of)),
        'last_purchase', segmentation.last_purchase(segmentation.until(history, as_of)),
        'purchase_days', segmentation.purchase_days(segmentation.until(history, as_of)),
        'turnover', segmentation.monetary(history, as_of),
        'turnover_12_months', segmentation.turnover(history, (as_of - interval '12 months')::date, as_of)) END,
      'people', (
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'name', p.contact ->> 'name',
            'title', p.contact ->> 'title',
            'email', p.contact ->> 'email',
            'role_address', segmentation.email_is_role(p.contact ->> 'email'),
            'seniority', segmentation.job_seniority(p.contact ->> 'title'),
            'function', segmentation.job_function(p.contact ->> 'title'),
            'decision_role', segmentation.decision_role(p.contact ->> 'title')))
          ORDER BY array_position(ARRAY['decider', 'buyer', 'influencer', 'user', 'gatekeeper'],
              segmentation.decision_role(p.contact ->> 'title')), p.place)
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(contacts) = 'array' THEN contacts ELSE '[]' END)
          WITH ORDINALITY AS p (contact, place)),
      'opening_hours', segmentation.opening_hours_text(segmentation.opening_hours(company ->> 'opening_hours')),
      'given', company))
    FROM (SELECT
        CASE WHEN jsonb_typeof(company -> 'headcount') = 'number'
          THEN round(greatest(-1, least((company -> 'headcount')::numeric, 1e300)), 4)::double precision
        END AS headcount,
        CASE WHEN jsonb_typeof(company -> 'turnover') = 'number'
          THEN round(greatest(-1, least((company -> 'turnover')::numeric, 1e300)), 4)::double precision
        END AS turnover,
        CASE WHEN jsonb_typeof(company -> 'balance_sheet') = 'number'
          THEN round(greatest(-1, least((company -> 'balance_sheet')::numeric, 1e300)), 4)::double precision
        END AS balance_sheet,
        coalesce(company ->> 'naf_version', segmentation.naf_version(company ->> 'naf_code')) AS naf_version) AS f;
  END;
COMMENT ON FUNCTION segmentation.account_profile(jsonb, jsonb, segmentation.purchase_history, date, text) IS
  'Account sheet: what is known and what follows from it, in one jsonb. company: an object with any of name, siren, '
  'siret, vat, headcount, turnover, balance_sheet, headcount_band, naf_code, naf_version, legal_category, relation, '
  'opening_hours, and all else you know (repeated under given); contacts: an array of objects with name, title, email.';
