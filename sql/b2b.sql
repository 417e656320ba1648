-- B2B: companies, the people in them, relations, economics, distance, opening hours, presets.

-- Company

CREATE TYPE segmentation.company_size AS ENUM ('micro', 'pme', 'eti', 'ge');
COMMENT ON TYPE segmentation.company_size IS
  'Size class of the decree 2008-1354, in ascending order: micro (TPE), pme, eti, ge.';

CREATE FUNCTION segmentation.company_size(
  headcount double precision, turnover double precision, balance_sheet double precision
) RETURNS segmentation.company_size
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'company_size_wrapper';
CREATE FUNCTION segmentation.company_size_at_least(
  headcount double precision, turnover double precision, balance_sheet double precision
) RETURNS segmentation.company_size
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'company_size_at_least_wrapper';
CREATE FUNCTION segmentation.company_size_at_most(
  headcount double precision, turnover double precision, balance_sheet double precision
) RETURNS segmentation.company_size
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'company_size_at_most_wrapper';
COMMENT ON FUNCTION segmentation.company_size(double precision, double precision, double precision) IS
  'Size of a company by headcount (annual work units), turnover and balance sheet total (euros); NULL if unknown '
  'figures leave it open. Negative and not finite figures are unknown.';
COMMENT ON FUNCTION segmentation.company_size_at_least(double precision, double precision, double precision) IS
  'The least size that the known figures leave possible.';
COMMENT ON FUNCTION segmentation.company_size_at_most(double precision, double precision, double precision) IS
  'The greatest size that the known figures leave possible.';

CREATE FUNCTION segmentation.sirene_headcount(code text) RETURNS int4range
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE btrim(code)
    WHEN '00' THEN int4range(0, 1)
    WHEN '01' THEN int4range(1, 3)
    WHEN '02' THEN int4range(3, 6)
    WHEN '03' THEN int4range(6, 10)
    WHEN '11' THEN int4range(10, 20)
    WHEN '12' THEN int4range(20, 50)
    WHEN '21' THEN int4range(50, 100)
    WHEN '22' THEN int4range(100, 200)
    WHEN '31' THEN int4range(200, 250)
    WHEN '32' THEN int4range(250, 500)
    WHEN '41' THEN int4range(500, 1000)
    WHEN '42' THEN int4range(1000, 2000)
    WHEN '51' THEN int4range(2000, 5000)
    WHEN '52' THEN int4range(5000, 10000)
    WHEN '53' THEN int4range(10000, NULL)
  END;
COMMENT ON FUNCTION segmentation.sirene_headcount(text) IS
  'Employees of a Sirene headcount band (tranche d''effectif), as a range without its upper bound. NULL for NN and '
  'what is no band.';

CREATE FUNCTION segmentation.sirene_headcount_code(headcount numeric) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN headcount IS NULL OR headcount < 0 OR headcount >= 'Infinity' THEN 'NN'
    WHEN headcount < 1 THEN '00'
    WHEN headcount < 3 THEN '01'
    WHEN headcount < 6 THEN '02'
    WHEN headcount < 10 THEN '03'
    WHEN headcount < 20 THEN '11'
    WHEN headcount < 50 THEN '12'
    WHEN headcount < 100 THEN '21'
    WHEN headcount < 200 THEN '22'
    WHEN headcount < 250 THEN '31'
    WHEN headcount < 500 THEN '32'
    WHEN headcount < 1000 THEN '41'
    WHEN headcount < 2000 THEN '42'
    WHEN headcount < 5000 THEN '51'
    WHEN headcount < 10000 THEN '52'
    ELSE '53'
  END;
COMMENT ON FUNCTION segmentation.sirene_headcount_code(numeric) IS
  'Sirene headcount band of a number of employees; NN if it is unknown.';

CREATE FUNCTION segmentation.sirene_headcount_group(code text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN btrim(code) = '00' THEN '0'
    WHEN btrim(code) IN ('01', '02', '03') THEN '1_9'
    WHEN btrim(code) IN ('11', '12') THEN '10_49'
    WHEN btrim(code) IN ('21', '22', '31') THEN '50_249'
    WHEN btrim(code) IN ('32', '41', '42', '51', '52', '53') THEN '250_plus'
  END;
COMMENT ON FUNCTION segmentation.sirene_headcount_group(text) IS
  'Usual grouping of Sirene headcount bands: 0, 1_9, 10_49, 50_249, 250_plus. NULL for NN and what is no band.';

CREATE FUNCTION segmentation.organisation_type(legal_category text, naf_code text DEFAULT NULL) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'organisation_type_wrapper';
COMMENT ON FUNCTION segmentation.organisation_type(text, text) IS
  'Type of an organisation by its legal category (INSEE, 1, 2 or 4 digits) and activity: company, holding, '
  'association, ngo, public_body, independent, other. NULL if the first is no legal category.';
CREATE FUNCTION segmentation.is_public(legal_category text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_public_wrapper';
COMMENT ON FUNCTION segmentation.is_public(text) IS
  'Whether a legal category (INSEE) is of public law, commercial (4) or not (7). NULL if it is no legal category.';

CREATE FUNCTION segmentation.siren_valid(siren text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'siren_valid_wrapper';
CREATE FUNCTION segmentation.siret_valid(siret text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'siret_valid_wrapper';
CREATE FUNCTION segmentation.vat_valid(vat text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vat_valid_wrapper';
CREATE FUNCTION segmentation.vat_from_siren(siren text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vat_from_siren_wrapper';
CREATE FUNCTION segmentation.siren(company text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'siren_of_wrapper';
CREATE FUNCTION segmentation.siret(site text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'siret_of_wrapper';
COMMENT ON FUNCTION segmentation.siren_valid(text) IS
  'Whether a text is a SIREN: nine digits with Luhn''s check digit. Spaces, dots and dashes do not count.';
COMMENT ON FUNCTION segmentation.siret_valid(text) IS
  'Whether a text is a SIRET: fourteen digits, a SIREN in front, Luhn over all; sites of La Poste by their own rule.';
COMMENT ON FUNCTION segmentation.vat_valid(text) IS
  'Whether a European VAT number, country in front, has the right form and check digits (AT, BE, DE, DK, ES, FI, FR, '
  'IT, LU, NL, PL, PT); NULL for other countries of the Union; false for all else.';
COMMENT ON FUNCTION segmentation.vat_from_siren(text) IS
  'The French VAT number of a SIREN or SIRET; NULL if it is neither.';
COMMENT ON FUNCTION segmentation.siren(text) IS
  'The nine digits of a SIREN or SIRET, as the key of a company; NULL if it is neither.';
COMMENT ON FUNCTION segmentation.siret(text) IS
  'The fourteen digits of a SIRET, as the key of a site; NULL if it is none.';

CREATE FUNCTION segmentation.naf_section(code text, version text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'naf_section_wrapper';
CREATE FUNCTION segmentation.naf_division(code text, version text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'naf_division_wrapper';
CREATE FUNCTION segmentation.naf_version(code text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'naf_version_wrapper';
CREATE FUNCTION segmentation.naf_nomenclature() RETURNS TABLE (version text, section text, division text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 175 AS 'MODULE_PATHNAME', 'naf_nomenclature_wrapper';
COMMENT ON FUNCTION segmentation.naf_section(text, text) IS
  'Section letter of a NAF code. version: rev2 or 2025. NULL if that version has no such code. Labels: domains '
  'naf_rev2_section and naf_2025_section.';
COMMENT ON FUNCTION segmentation.naf_division(text, text) IS
  'Division, two digits, of a NAF code. version: rev2 or 2025. NULL if that version has no such code. Labels: domains '
  'naf_rev2_division and naf_2025_division.';
COMMENT ON FUNCTION segmentation.naf_version(text) IS
  'The version that a whole NAF code belongs to, by its letter: rev2 (A to F, Z) or 2025 (G to Y). NULL without a '
  'letter.';
COMMENT ON FUNCTION segmentation.naf_nomenclature() IS 'Sections and divisions of NAF rév. 2 and NAF 2025.';

-- People

CREATE FUNCTION segmentation.email_domain(email text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'email_domain_wrapper';
CREATE FUNCTION segmentation.email_is_role(email text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'email_is_role_wrapper';
CREATE FUNCTION segmentation.is_freemail(email_or_domain text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_freemail_wrapper';
CREATE FUNCTION segmentation.registered_domain(email_or_domain text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'registered_domain_wrapper';
COMMENT ON FUNCTION segmentation.registered_domain(text) IS
  'What somebody registered of an e-mail address''s domain, or of a domain: example.co.uk of mail.example.co.uk. '
  'NULL if it is neither, or a public suffix (co.uk).';
COMMENT ON FUNCTION segmentation.email_domain(text) IS
  'The domain of an e-mail address, in lower case; NULL if it is not an address.';
COMMENT ON FUNCTION segmentation.email_is_role(text) IS
  'Whether an e-mail address belongs to a role (contact, compta, no-reply, ...) and not to a person; NULL if it is '
  'not an address.';
COMMENT ON FUNCTION segmentation.is_freemail(text) IS
  'Whether an e-mail address or domain is of a provider for private persons (gmail.com, orange.fr, ...); NULL if it '
  'is neither.';

CREATE FUNCTION segmentation.job_seniority(title text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'job_seniority_wrapper';
CREATE FUNCTION segmentation.job_function(title text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'job_function_wrapper';
CREATE FUNCTION segmentation.decision_role(title text, domain text DEFAULT NULL) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'decision_role_wrapper';
COMMENT ON FUNCTION segmentation.job_seniority(text) IS
  'Rank of an English or French job title: owner, cxo, partner, vp, director, manager, senior, entry, training, '
  'unpaid; NULL if it says none.';
COMMENT ON FUNCTION segmentation.job_function(text) IS
  'Function of an English or French job title: purchasing, finance, it, marketing, sales, ...; NULL if it says none.';
COMMENT ON FUNCTION segmentation.decision_role(text, text) IS
  'Part of the holder of a job title in a purchase: decider, buyer, influencer, user, gatekeeper. domain: the '
  'function that the purchase concerns (a code of job_function). NULL if the title says nothing.';

-- Relation

CREATE FUNCTION segmentation.relation(
  history segmentation.purchase_history,
  as_of date,
  last_contact date DEFAULT NULL,
  declared text DEFAULT NULL,
  client_within interval DEFAULT '12 months',
  prospect_within interval DEFAULT '3 years'
) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN as_of IS NULL THEN NULL
    WHEN lower(btrim(declared)) IN ('partner', 'partenaire') THEN 'partner'
    WHEN lower(btrim(declared)) IN ('supplier', 'fournisseur') THEN 'supplier'
    WHEN segmentation.last_purchase(segmentation.until(history, as_of)) > as_of - client_within THEN 'client'
    WHEN segmentation.last_purchase(segmentation.until(history, as_of)) IS NOT NULL THEN 'former_client'
    WHEN last_contact <= as_of AND last_contact > as_of - prospect_within THEN 'prospect'
    ELSE 'other'
  END;
COMMENT ON FUNCTION segmentation.relation(segmentation.purchase_history, date, date, text, interval, interval) IS
  'Relation with a company as of a day: partner or supplier if declared so, client if it bought within client_within, '
  'former_client if before, prospect if it never bought and was last in contact within prospect_within, else other.';

CREATE FUNCTION segmentation.acquisition_effort(cost numeric, turnover numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cost >= 0 AND turnover > 0 AND cost < 'Infinity' AND turnover < 'Infinity' THEN cost / turnover END;
COMMENT ON FUNCTION segmentation.acquisition_effort(numeric, numeric) IS
  'Cost of winning a client for each unit of turnover that it brought; NULL without turnover.';

-- Economics

CREATE TYPE segmentation.peer_benchmark AS (
  companies bigint,
  median double precision,
  upper double precision
);
COMMENT ON TYPE segmentation.peer_benchmark IS
  'What clients of one sector and size buy for each person they employ: their number, the median and the third '
  'quartile.';
CREATE FUNCTION segmentation_internal.peer_benchmark_add(bytea, double precision, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_add_wrapper';
CREATE FUNCTION segmentation_internal.peer_benchmark_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_merge_wrapper';
CREATE FUNCTION segmentation_internal.peer_benchmark_final(bytea) RETURNS segmentation.peer_benchmark
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_add(bytea, double precision, double precision) IS
  'transition of peer_benchmark';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_merge(bytea, bytea) IS 'combine function of peer_benchmark';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_final(bytea) IS 'final function of peer_benchmark';
CREATE AGGREGATE segmentation.peer_benchmark(turnover double precision, headcount double precision) (
  SFUNC = segmentation_internal.peer_benchmark_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.peer_benchmark_final,
  COMBINEFUNC = segmentation_internal.peer_benchmark_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.peer_benchmark(double precision, double precision) IS
  'What the clients of a group buy for each person they employ, for potential_turnover. Companies without turnover or '
  'headcount are skipped; NULL if none is left.';

CREATE FUNCTION segmentation.potential_turnover(
  turnover numeric,
  headcount numeric,
  peers segmentation.peer_benchmark,
  wider segmentation.peer_benchmark DEFAULT NULL,
  least_companies bigint DEFAULT 10
) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN headcount > 0 AND headcount < 'Infinity' THEN
      greatest(
        CASE WHEN turnover < 'Infinity' THEN turnover END,
        round(headcount * (CASE
          WHEN (peers).companies >= least_companies THEN (peers).upper
          WHEN (wider).companies >= least_companies THEN (wider).upper
        END)::numeric, 2))
      + CASE WHEN (peers).companies >= least_companies OR (wider).companies >= least_companies THEN 0 END
  END;
COMMENT ON FUNCTION segmentation.potential_turnover(
  numeric, numeric, segmentation.peer_benchmark, segmentation.peer_benchmark, bigint
) IS
  'What a company could buy: its headcount times what the best quarter of its peers buys for each employee, never '
  'less than it buys now. A group of fewer than least_companies gives way to the wider one; NULL if that is too small '
  'too.';

CREATE FUNCTION segmentation.share_of_wallet(turnover numeric, potential numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN potential > 0 AND potential < 'Infinity' AND turnover < 'Infinity'
    THEN least(1, greatest(0, turnover / potential)) END;
COMMENT ON FUNCTION segmentation.share_of_wallet(numeric, numeric) IS
  'Share of what a company could buy that it buys here, 0 to 1; NULL without potential.';
CREATE FUNCTION segmentation.wallet_allocation(rank integer, brands integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN rank >= 1 AND rank <= brands
    THEN (1 - rank / (brands + 1.0::double precision)) * 2 / brands END;
COMMENT ON FUNCTION segmentation.wallet_allocation(integer, integer) IS
  'Share of wallet by the Wallet Allocation Rule: the rank that a customer gives this brand among the brands used. '
  'NULL if rank is not 1 to brands.';

CREATE FUNCTION segmentation.cost_to_serve(quantities jsonb, unit_costs jsonb) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_typeof(quantities) = 'object' THEN (
    SELECT CASE
      WHEN coalesce(bool_and(jsonb_typeof(q.value) = 'number'
            AND coalesce(jsonb_typeof(unit_costs -> q.key) = 'number', false)), true)
      THEN coalesce(sum(CASE
        WHEN jsonb_typeof(q.value) = 'number' AND jsonb_typeof(unit_costs -> q.key) = 'number'
        THEN q.value::numeric * (unit_costs -> q.key)::numeric END), 0)
    END
    FROM jsonb_each(quantities) AS q (key, value)
  ) END;
COMMENT ON FUNCTION segmentation.cost_to_serve(jsonb, jsonb) IS
  'What serving an account cost: quantities ({"orders": 12, "visits": 3}) times unit costs ({"orders": 8, "visits": '
  '150}). NULL if a quantity is no number or has no unit cost.';
CREATE FUNCTION segmentation.profitability(turnover numeric, margin numeric, cost_to_serve numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN turnover * margin - cost_to_serve;
COMMENT ON FUNCTION segmentation.profitability(numeric, numeric, numeric) IS
  'Profit of an account: turnover times gross margin (a share), less what serving it cost.';
CREATE FUNCTION segmentation.visit_cost(
  distance_km double precision,
  per_km numeric DEFAULT 0.6,
  per_hour numeric DEFAULT 45,
  km_per_hour numeric DEFAULT 65,
  detour numeric DEFAULT 1.3,
  hours_there numeric DEFAULT 1
) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN distance_km >= 0 AND distance_km < 'Infinity' AND km_per_hour > 0 THEN
    round(2 * detour * distance_km::numeric * (per_km + per_hour / km_per_hour) + per_hour * hours_there, 2) END;
COMMENT ON FUNCTION segmentation.visit_cost(double precision, numeric, numeric, numeric, numeric, numeric) IS
  'Cost of a visit at a distance as the crow flies: both ways by road (detour times the distance), kilometres and '
  'hours paid, and hours_there on site.';

CREATE FUNCTION segmentation.equipment_rate(owned text[], reference text[]) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT round(avg(CASE WHEN r.product = ANY (owned) THEN 1 ELSE 0 END), 4)
          FROM (SELECT DISTINCT product FROM unnest(reference) AS u (product) WHERE product IS NOT NULL) AS r);
COMMENT ON FUNCTION segmentation.equipment_rate(text[], text[]) IS
  'Share of a reference list of products or technologies that an account has, 0 to 1; NULL if the list is empty.';

-- Place

CREATE FUNCTION segmentation.haversine(
  latitude1 double precision, longitude1 double precision, latitude2 double precision, longitude2 double precision
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'haversine_wrapper';
CREATE FUNCTION segmentation.geodesic(
  latitude1 double precision, longitude1 double precision, latitude2 double precision, longitude2 double precision
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'geodesic_wrapper';
COMMENT ON FUNCTION segmentation.haversine(double precision, double precision, double precision, double precision) IS
  'Great-circle distance in km between two points in degrees, on a sphere (at most 0.6 % off); NULL if one is not on '
  'Earth.';
COMMENT ON FUNCTION segmentation.geodesic(double precision, double precision, double precision, double precision) IS
  'Distance in km between two points in degrees, on the WGS 84 ellipsoid (Karney); NULL if one is not on Earth.';

-- Opening hours: bit(168), the hours of a week from Monday 00:00

CREATE FUNCTION segmentation.opening_hours(hours text) RETURNS bit
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_wrapper';
CREATE FUNCTION segmentation.opening_hours_text(mask bit) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_text_wrapper';
CREATE FUNCTION segmentation.opening_hours_fault(hours text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_fault_wrapper';
COMMENT ON FUNCTION segmentation.opening_hours_fault(text) IS
  'Why opening_hours gives NULL for a text: what is not understood, or what a usual week cannot hold. '
  'NULL if it gives a mask.';
COMMENT ON FUNCTION segmentation.opening_hours(text) IS
  'Weekly opening hours as a mask of 168 hours from Monday 00:00, bit(168): Mo-Fr 09:00-12:30,14:00-18:00; Sa off, or '
  'lun-ven 9h-18h. An hour is open if half of it is. NULL if the text is no weekly timetable.';
COMMENT ON FUNCTION segmentation.opening_hours_text(bit) IS
  'The text of a mask of 168 hours; NULL for a mask of another length.';

CREATE FUNCTION segmentation.hour_of_week(at timestamp) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ((extract(isodow FROM at) - 1) * 24 + extract(hour FROM at))::integer;
COMMENT ON FUNCTION segmentation.hour_of_week(timestamp) IS
  'Hour of the week, 0 (Monday 00:00) to 167, of a local time.';

CREATE FUNCTION segmentation.french_public_holidays(year integer, zone text DEFAULT 'metropole')
  RETURNS TABLE (day date, holiday text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 11 AS 'MODULE_PATHNAME', 'french_public_holidays_wrapper';
CREATE FUNCTION segmentation.french_public_holiday(day date, zone text DEFAULT 'metropole') RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'french_public_holiday_wrapper';
COMMENT ON FUNCTION segmentation.french_public_holidays(integer, text) IS
  'Public holidays of a year in France, from 1982. zone: metropole, alsace_moselle, guadeloupe, guyane, martinique, '
  'mayotte, reunion, saint_barthelemy, saint_martin.';
COMMENT ON FUNCTION segmentation.french_public_holiday(date, text) IS
  'The French public holiday that a day is; NULL if it is none. zone as for french_public_holidays.';

CREATE FUNCTION segmentation.open_at(mask bit, at timestamp, holiday_zone text DEFAULT NULL) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN length(mask) = 168 AND isfinite(at) THEN
    get_bit(mask, segmentation.hour_of_week(at)) = 1
    AND (holiday_zone IS NULL OR segmentation.french_public_holiday(at::date, holiday_zone) IS NULL) END;
COMMENT ON FUNCTION segmentation.open_at(bit, timestamp, text) IS
  'Whether a mask of 168 hours is open at a local time. With a holiday_zone, closed on its public holidays.';

CREATE FUNCTION segmentation.next_open(mask bit, after timestamp, holiday_zone text DEFAULT NULL) RETURNS timestamp
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN segmentation.open_at(mask, after, holiday_zone) THEN after
    WHEN length(mask) = 168 AND isfinite(after) AND after < '9999-12-01' THEN (
      SELECT min(hour)
      FROM generate_series(date_trunc('hour', after) + interval '1 hour', after + interval '15 days',
          interval '1 hour') AS hour
      WHERE segmentation.open_at(mask, hour, holiday_zone))
  END;
COMMENT ON FUNCTION segmentation.next_open(bit, timestamp, text) IS
  'The first moment from a local time on at which a mask of 168 hours is open, within 15 days; NULL if there is none.';

CREATE FUNCTION segmentation.mask_hours(scores double precision[], mask bit) RETURNS double precision[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cardinality(scores) = 168 AND length(mask) = 168 THEN (
    SELECT array_agg(CASE WHEN get_bit(mask, (n - 1)::integer) = 1 THEN score ELSE 0 END ORDER BY n)
    FROM unnest(scores) WITH ORDINALITY AS u (score, n)) END;
COMMENT ON FUNCTION segmentation.mask_hours(double precision[], bit) IS
  '168 hourly scores with 0 where the mask is closed; NULL unless both have 168 hours.';
CREATE FUNCTION segmentation.best_open_hour(scores double precision[], mask bit) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cardinality(scores) = 168 AND length(mask) = 168 THEN (
    SELECT (n - 1)::integer
    FROM unnest(scores) WITH ORDINALITY AS u (score, n)
    WHERE get_bit(mask, (n - 1)::integer) = 1 AND score < 'Infinity'
    ORDER BY score DESC, n LIMIT 1) END;
COMMENT ON FUNCTION segmentation.best_open_hour(double precision[], bit) IS
  'The hour of the week, 0 to 167, with the highest of 168 scores among the open ones; the earliest of several; NULL '
  'if none is open.';

-- Key accounts

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

-- Ready-made definitions

CREATE TABLE segmentation.b2b_definition (
  name text PRIMARY KEY,
  definition jsonb NOT NULL,
  reads text[] NOT NULL,
  about_en text NOT NULL,
  about_fr text NOT NULL
);
COMMENT ON TABLE segmentation.b2b_definition IS 'Ready-made definitions of the trade, to copy and change.';
COMMENT ON COLUMN segmentation.b2b_definition.name IS 'What it sorts by; the domain of the labels of its segments.';
COMMENT ON COLUMN segmentation.b2b_definition.definition IS
  'A scorecard: kind, points (when a condition holds), bands (a segment from so many points on).';
COMMENT ON COLUMN segmentation.b2b_definition.reads IS 'The attributes that it reads.';
COMMENT ON COLUMN segmentation.b2b_definition.about_en IS 'What it is for.';
COMMENT ON COLUMN segmentation.b2b_definition.about_fr IS 'The same in French.';
INSERT INTO segmentation.b2b_definition VALUES
  ('accessibility', $${
    "kind": "scorecard", "name": "accessibility",
    "points": [
      {"when": {"field": "distance_km", "<=": 50}, "points": 30},
      {"when": {"field": "distance_km", ">": 50, "<=": 200}, "points": 20},
      {"when": {"field": "distance_km", ">": 200, "<=": 800}, "points": 10},
      {"when": {"field": "common_language", "=": true}, "points": 20},
      {"when": {"field": "cultural_familiarity", "=": "high"}, "points": 15},
      {"when": {"field": "cultural_familiarity", "=": "medium"}, "points": 8},
      {"when": {"field": "legal_barriers", "=": "none"}, "points": 20},
      {"when": {"field": "legal_barriers", "=": "some"}, "points": 10},
      {"when": {"field": "technical_barriers", "=": "none"}, "points": 15},
      {"when": {"field": "technical_barriers", "=": "some"}, "points": 8}
    ],
    "bands": [
      {"segment": "accessible", "from": 70},
      {"segment": "accessible_with_effort", "from": 40},
      {"segment": "hard_to_reach", "from": 0}
    ]}$$,
   '{distance_km,common_language,cultural_familiarity,legal_barriers,technical_barriers}',
   'How easily a company can be served: distance, language, cultural familiarity, legal and technical barriers; 100 '
   'points at most. What is unknown has no points.',
   'Facilité à servir une entreprise : distance, langue, proximité culturelle, barrières juridiques et techniques ; '
   '100 points au plus. L''inconnu ne rapporte rien.'),
  ('technology_level', $${
    "kind": "scorecard", "name": "technology_level",
    "points": [
      {"when": {"field": "equipment_age_years", "<=": 3}, "points": 40},
      {"when": {"field": "equipment_age_years", ">": 3, "<=": 7}, "points": 20},
      {"when": {"field": "equipment_rate", ">=": 0.75}, "points": 40},
      {"when": {"field": "equipment_rate", ">=": 0.4, "<": 0.75}, "points": 20},
      {"when": {"field": "connected", "=": true}, "points": 20}
    ],
    "bands": [
      {"segment": "advanced", "from": 70},
      {"segment": "standard", "from": 40},
      {"segment": "basic", "from": 0}
    ]}$$,
   '{equipment_age_years,equipment_rate,connected}',
   'Level of equipment: its age, the share of the reference range that is there (equipment_rate), whether it is '
   'connected.',
   'Niveau d''équipement : son âge, la part de la gamme de référence présente (equipment_rate), la connexion.'),
  ('product_usage', $${
    "kind": "scorecard", "name": "product_usage",
    "points": [
      {"when": {"field": "uses_per_month", ">=": 20}, "points": 50},
      {"when": {"field": "uses_per_month", ">=": 4, "<": 20}, "points": 25},
      {"when": {"field": "users_share", ">=": 0.5}, "points": 30},
      {"when": {"field": "users_share", ">=": 0.2, "<": 0.5}, "points": 15},
      {"when": {"field": "features_share", ">=": 0.5}, "points": 20}
    ],
    "bands": [
      {"segment": "heavy", "from": 65},
      {"segment": "regular", "from": 25},
      {"segment": "light", "from": 0}
    ]}$$,
   '{uses_per_month,users_share,features_share}',
   'Usage of a product: how often, by which share of those who could, with which share of its features.',
   'Usage d''un produit : fréquence, part des utilisateurs possibles, part des fonctions utilisées.');

-- Presets

CREATE TABLE segmentation.sector_preset (
  sector text NOT NULL,
  setting text NOT NULL,
  value jsonb NOT NULL,
  reason_en text NOT NULL,
  reason_fr text NOT NULL,
  PRIMARY KEY (sector, setting)
);
COMMENT ON TABLE segmentation.sector_preset IS 'Settings that suit a sector, each with its reason.';
COMMENT ON COLUMN segmentation.sector_preset.sector IS 'retail, hotels, mutual_insurance, property or industry.';
COMMENT ON COLUMN segmentation.sector_preset.setting IS
  'What is set: axes, churn_model, churn_horizon, value_horizon, pmg_period, unit, life_moments, ...';
COMMENT ON COLUMN segmentation.sector_preset.value IS 'The setting.';
COMMENT ON COLUMN segmentation.sector_preset.reason_en IS 'Why it suits the sector.';
COMMENT ON COLUMN segmentation.sector_preset.reason_fr IS 'The same in French.';
INSERT INTO segmentation.sector_preset VALUES
  ('retail', 'axes',
    '["rfm", "pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", '
    '"life_moment"]', 'Customers buy often and without contract: every axis has data.',
    'Achats fréquents et sans contrat : tous les axes ont des données.'),
  ('retail', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 week"}',
    'No contract ends, so that leaving shows only as silence longer than usual: a purchase-rate model.',
    'Aucun contrat ne se termine ; le départ ne se voit que par un silence inhabituel : modèle de fréquence d''achat.'),
  ('retail', 'churn_horizon', '"90 days"', 'Several purchases fall within three months.',
    'Plusieurs achats tiennent dans trois mois.'),
  ('retail', 'value_horizon', '"365 days"', 'A year holds every season.', 'Une année contient toutes les saisons.'),
  ('retail', 'pmg_period', '"12 months"', 'The usual rolling year.', 'L''année glissante d''usage.'),
  ('retail', 'rfm_map', '"classic_11"', 'Eleven names are enough to act on with frequent purchases.',
    'Onze noms suffisent pour agir quand les achats sont fréquents.'),
  ('retail', 'life_moments',
    '["purchase_due", "purchase_overdue", "waning_interest", "holiday_ahead", "birth", "moving"]',
    'What is used up is bought again, and families change.', 'Le consommable se rachète, et les familles évoluent.'),
  ('hotels', 'axes',
    '["rfm", "pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", '
    '"life_moment"]', 'Stays repeat, by season for leisure and by the week for business.',
    'Les séjours se répètent, par saison pour les loisirs et chaque semaine pour les affaires.'),
  ('hotels', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 month"}',
    'Stays are rare: the month is the unit, and the year has a season. Fit business and leisure apart.',
    'Les séjours sont rares : le mois est l''unité, l''année a une saison. Ajuster affaires et loisirs séparément.'),
  ('hotels', 'churn_horizon', '"18 months"', 'A guest who comes once a year is not lost after ninety days.',
    'Un client annuel n''est pas perdu après quatre-vingt-dix jours.'),
  ('hotels', 'value_horizon', '"2 years"', 'One year may hold a single stay.',
    'Une année peut ne compter qu''un séjour.'),
  ('hotels', 'pmg_period', '"24 months"', 'Twelve months would call a guest of every second summer inactive.',
    'Douze mois classeraient inactif un client d''un été sur deux.'),
  ('hotels', 'life_moments', '["holiday_ahead", "anniversary", "reactivated"]', 'Booking follows the holidays.',
    'La réservation suit les vacances.'),
  ('hotels', 'send_time', '{"opening_hours": true, "holiday_zone": "metropole"}',
    'Companies book in office hours, and not on public holidays.',
    'Les entreprises réservent aux heures de bureau, hors jours fériés.'),
  ('mutual_insurance', 'axes',
    '["pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]',
    'Premiums are paid by contract: recency and frequency say nothing, so no rfm.',
    'Les cotisations sont contractuelles : récence et fréquence ne disent rien, donc pas de rfm.'),
  ('mutual_insurance', 'churn_model', '{"fit": "fit_retention_model"}',
    'A contract has a beginning and an end: model its duration, with its renewal dates.',
    'Un contrat a un début et une fin : modéliser sa durée, avec ses échéances.'),
  ('mutual_insurance', 'churn_horizon', '"12 months"',
    'Members leave at the yearly renewal, or at any time after the first year.',
    'Les départs se font à l''échéance annuelle, ou à tout moment après la première année.'),
  ('mutual_insurance', 'value_horizon', '"5 years"', 'Members stay for years; discount them.',
    'Les adhérents restent des années ; actualiser.'),
  ('mutual_insurance', 'turnover', '"premiums less claims"',
    'A member with high premiums can cost more than it brings.',
    'Un adhérent à forte cotisation peut coûter plus qu''il ne rapporte.'),
  ('mutual_insurance', 'life_moments', '["birth", "marriage", "moving", "retirement", "company_move"]',
    'Each changes what has to be insured.', 'Chacun change le besoin d''assurance.'),
  ('mutual_insurance', 'product_appetence', '"discovery"',
    'A second contract is another product, never the same again: no repeats.',
    'Le deuxième contrat est un autre produit : pas de rachat à l''identique.'),
  ('property', 'axes', '["profile", "life_moment", "channel_appetence", "pmg"]',
    'A person buys a home a few times in a life: rfm, loyalty and repeats have no data.',
    'On achète un logement quelques fois dans sa vie : rfm, fidélité et rachat n''ont pas de données.'),
  ('property', 'churn_model', '{"fit": "fit_churn_model", "target": "mandate or sale within 12 months"}',
    'No purchase-rate model: its rate would rest on one purchase each. A logistic model of who signs within a year, '
    'on visits, life moments and address, does.',
    'Pas de modèle de fréquence : il reposerait sur un seul achat. Une régression logistique de la signature à un an, '
    'sur visites, moments de vie et adresse, convient.'),
  ('property', 'management_contracts', '{"fit": "fit_retention_model"}',
    'Rental management and co-ownership are contracts: their duration can be modelled.',
    'Gestion locative et syndic sont des contrats : leur durée se modélise.'),
  ('property', 'churn_horizon', '"12 months"', 'From the first visit to the signature takes months, not weeks.',
    'De la première visite à la signature, il faut des mois, pas des semaines.'),
  ('property', 'value_horizon', '"10 years"', 'Sale, rental and referral of one family spread over years.',
    'Vente, location et recommandation d''une famille s''étalent sur des années.'),
  ('property', 'pmg_period', '"5 years"', 'Fees are rare and high: a year leaves nearly everybody inactive.',
    'Les honoraires sont rares et élevés : un an laisse presque tout le monde inactif.'),
  ('property', 'life_moments', '["moving", "birth", "marriage", "retirement"]', 'They are why people move.',
    'Ce sont les raisons de déménager.'),
  ('industry', 'axes',
    '["pmg", "rfm", "churn", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]',
    'Few accounts with much turnover each: weigh them first, score them next.',
    'Peu de comptes, beaucoup de chiffre d''affaires chacun : les peser d''abord, les scorer ensuite.'),
  ('industry', 'level', '"company (SIREN), sites (SIRET), contacts"',
    'Orders come from sites and people, the decision from the company: merge their histories upwards.',
    'Les commandes viennent des sites et des personnes, la décision de l''entreprise : remonter les historiques.'),
  ('industry', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 month"}',
    'Orders follow a stock cycle, often regular: the Erlang variants of auto catch it.',
    'Les commandes suivent un cycle de stock, souvent régulier : les variantes d''Erlang le saisissent.'),
  ('industry', 'churn_horizon', '"6 months"', 'Two order cycles without an order.',
    'Deux cycles de commande sans commande.'),
  ('industry', 'value_horizon', '"3 years"', 'The life of a framework agreement.', 'La durée d''un accord-cadre.'),
  ('industry', 'potential', '{"aggregate": "peer_benchmark", "by": ["naf_division", "company_size"]}',
    'Peers of one division and size show what an account could buy.',
    'Les pairs de même division et taille montrent le potentiel d''un compte.'),
  ('industry', 'key_accounts', '{"one_to_one": true, "rule": "pmg = G"}',
    'Large accounts leave mass segments and are treated one by one.',
    'Les gros comptes quittent les segments de masse et sont traités un par un.'),
  ('industry', 'send_time', '{"opening_hours": true, "holiday_zone": "metropole"}', 'Nobody reads at a closed plant.',
    'Personne ne lit dans une usine fermée.');
