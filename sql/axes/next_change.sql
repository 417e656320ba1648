-- Codes that time alone moves, and the day on which it does.
--
-- Each ..._next_change asks: if nothing more happens, on which day after as_of does the code change?
-- It is never later than that; NULL: within ten years it does not.

CREATE FUNCTION segmentation.rfm_next_change(history segmentation.purchase_history, as_of date, cuts segmentation.rfm_cuts) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_next_change_wrapper';
COMMENT ON FUNCTION segmentation.rfm_next_change(segmentation.purchase_history, date, segmentation.rfm_cuts) IS
  'The first day after as_of on which the RFM scores change because recency crosses a cut point, or on which the history has something dated later. NULL: never.';
CREATE FUNCTION segmentation.pmg_next_change(history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, months integer DEFAULT 12) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_next_change_wrapper';
COMMENT ON FUNCTION segmentation.pmg_next_change(segmentation.purchase_history, date, segmentation.pmg_cuts, integer) IS
  'The first day after as_of on which pmg_bucket(turnover(history, (day - months)::date, day), cuts) changes: a purchase leaves the rolling months, or a refund does. NULL: never.';

CREATE FUNCTION segmentation.churn_level(model jsonb, history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}') RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'churn_level_wrapper';
COMMENT ON FUNCTION segmentation.churn_level(jsonb, segmentation.purchase_history, date, jsonb) IS
  'Level of churn risk under a purchase model: low, medium, high by the probability of no purchase within the horizon, lost by that within a longer one; insufficient_data without history, purchase or fitted model. options: horizon (90 days), medium_from (0.33), high_from (0.66), lost_horizon (365 days), lost_above (0.95).';
CREATE FUNCTION segmentation.churn_level(probability double precision, lost_probability double precision, options jsonb DEFAULT '{}') RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_level_of_wrapper';
COMMENT ON FUNCTION segmentation.churn_level(double precision, double precision, jsonb) IS
  'The same from the probability of no purchase within the horizon, and within the longer one; NULL for that: never lost. insufficient_data without the first. options: medium_from (0.33), high_from (0.66), lost_above (0.95).';
CREATE FUNCTION segmentation.churn_next_change(model jsonb, history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}') RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'churn_next_change_wrapper';
COMMENT ON FUNCTION segmentation.churn_next_change(jsonb, segmentation.purchase_history, date, jsonb) IS
  'The first day after as_of on which churn_level changes if nothing is bought, or an earlier one on which to look again. NULL: not within ten years.';

CREATE FUNCTION segmentation.future_value_band(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'future_value_band_wrapper';
COMMENT ON FUNCTION segmentation.future_value_band(jsonb, jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb) IS
  'Band of the future value by frozen limits (pmg_cuts of the values, mode cumulative): high, medium, low, none; insufficient_data without history, purchase, limits or fitted models. options: horizon (365 days), discount_rate (0.10 a year), margin (1).';
CREATE FUNCTION segmentation.future_value_band(value numeric, cuts segmentation.pmg_cuts) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'future_value_band_of_wrapper';
COMMENT ON FUNCTION segmentation.future_value_band(numeric, segmentation.pmg_cuts) IS
  'The same of a value: high, medium, low, none by frozen limits; insufficient_data without value or limits.';
CREATE FUNCTION segmentation.future_value_next_change(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'future_value_next_change_wrapper';
COMMENT ON FUNCTION segmentation.future_value_next_change(jsonb, jsonb, segmentation.purchase_history, date, segmentation.pmg_cuts, jsonb) IS
  'The first day after as_of on which future_value_band changes if nothing is bought, or an earlier one on which to look again. NULL: not within ten years.';
