-- NAF, the French classification of activities.

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
