-- What people write of themselves, in one form.

CREATE FUNCTION segmentation.normalize_email(email text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'normalize_email_wrapper';
COMMENT ON FUNCTION segmentation.normalize_email(text) IS
  'An e-mail address as a key to compare by: small letters, no tag (+news), no dots where the provider ignores them, '
  'the domains of one provider as one. NULL if it is no address.';
CREATE FUNCTION segmentation.normalize_phone(phone text, region text DEFAULT 'FR') RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'normalize_phone_wrapper';
COMMENT ON FUNCTION segmentation.normalize_phone(text, text) IS
  'A phone number in E.164 (+33612345678); without a country code it is one of the region (ISO 3166, two letters). '
  'NULL if it is no number of the plan.';
CREATE FUNCTION segmentation.normalize_name(name text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'normalize_name_wrapper';
COMMENT ON FUNCTION segmentation.normalize_name(text) IS
  'The name of a person in one form: small letters without accents, no title in front, one space between words, '
  'particles joined to their name (delatour). NULL without a letter.';
CREATE FUNCTION segmentation.first_name_root(first_name text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'first_name_root_wrapper';
COMMENT ON FUNCTION segmentation.first_name_root(text) IS
  'The first name behind a nickname, English or French (robert of Bob, emmanuel of Manu); any other name in one form.';
CREATE FUNCTION segmentation.normalize_address(address text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'normalize_address_wrapper';
COMMENT ON FUNCTION segmentation.normalize_address(text) IS
  'A postal address or a line of one in one form: small letters without accents, usual abbreviations, house numbers '
  'with their letter (12b), without CEDEX and words that join. NULL without a letter or digit.';
CREATE FUNCTION segmentation.normalize_postcode(postcode text, region text DEFAULT 'FR') RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'normalize_postcode_wrapper';
COMMENT ON FUNCTION segmentation.normalize_postcode(text, text) IS
  'A postcode in one form: capital letters and digits; a French one with the zero that spreadsheets take. NULL '
  'without a digit.';
CREATE FUNCTION segmentation.normalize_company(company text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'normalize_company_wrapper';
COMMENT ON FUNCTION segmentation.normalize_company(text) IS
  'The name of a company in one form: small letters without accents, without its legal form and words that join. NULL '
  'without a letter or digit.';
CREATE FUNCTION segmentation.normalize_birth_date(birth_date text) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'normalize_birth_date_wrapper';
COMMENT ON FUNCTION segmentation.normalize_birth_date(text) IS
  'A birth date written 1985-12-31, 19851231, 31/12/1985 or 31.12.1985; NULL if it is no date, or a day that systems '
  'write for an unknown one (1900-01-01, 1970-01-01, ...).';
CREATE FUNCTION segmentation.birth_date_plausible(birth_date date, as_of date) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'birth_date_plausible_wrapper';
COMMENT ON FUNCTION segmentation.birth_date_plausible(date, date) IS
  'Whether a living person can have been born on a day, seen from another: not later, at most 120 years before, no day '
  'that systems write for an unknown one.';
