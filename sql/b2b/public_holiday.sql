-- Public holidays of France.

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
