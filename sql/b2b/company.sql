-- What kind of company: size, Sirene headcount bands, legal category.

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
