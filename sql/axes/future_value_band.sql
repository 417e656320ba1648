-- Bands of future value, and the day on which time alone moves one.
--
-- Each ..._next_change asks: if nothing more happens, on which day after as_of does the code change?
-- It is never later than that; NULL: within ten years it does not.

CREATE FUNCTION segmentation.future_value_band(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history,
  as_of date, cuts segmentation.pmg_cuts, options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'future_value_band_wrapper';
COMMENT ON FUNCTION segmentation.future_value_band(
  jsonb, jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb
) IS
  'Band of the future value by frozen limits (pmg_cuts of the values, mode cumulative): high, medium, low, none; '
  'insufficient_data without history, purchase, limits or fitted models. options: horizon (365 days), '
  'discount_rate (0.10 a year), margin (1).';
CREATE FUNCTION segmentation.future_value_band(value numeric, cuts segmentation.pmg_cuts) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'future_value_band_of_wrapper';
COMMENT ON FUNCTION segmentation.future_value_band(numeric, segmentation.pmg_cuts) IS
  'The same of a value: high, medium, low, none by frozen limits; insufficient_data without value or limits.';
CREATE FUNCTION segmentation.future_value_next_change(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history,
  as_of date, cuts segmentation.pmg_cuts, options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'future_value_next_change_wrapper';
COMMENT ON FUNCTION segmentation.future_value_next_change(
  jsonb, jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb
) IS
  'The first day after as_of on which future_value_band changes if nothing is bought, or an earlier one on which '
  'to look again. NULL: not within ten years.';
CREATE FUNCTION segmentation.future_value_next_change(
  model jsonb, history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'future_value_next_change_stack_wrapper';
COMMENT ON FUNCTION segmentation.future_value_next_change(
  jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb
) IS
  'The same for the value by a model of fit_value_stack. options: discount_rate (0.10 a year), margin (1).';
CREATE FUNCTION segmentation_internal.future_value_next_change(
  model jsonb, history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, options jsonb, until date
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2000
  AS 'MODULE_PATHNAME', 'future_value_next_change_stack_until_wrapper';
COMMENT ON FUNCTION segmentation_internal.future_value_next_change(
  jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb, date
) IS
  'Part of refresh: the same, looked for until a day; a change that comes later may be NULL or any later day.';
