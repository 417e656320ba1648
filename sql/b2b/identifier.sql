-- Company numbers: SIREN, SIRET, VAT.

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
