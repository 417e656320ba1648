-- Levels of churn risk, and the day on which time alone moves one.
--
-- Each ..._next_change asks: if nothing more happens, on which day after as_of does the code change?
-- It is never later than that; NULL: within ten years it does not.

CREATE FUNCTION segmentation.churn_level(
  model jsonb, history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'churn_level_wrapper';
COMMENT ON FUNCTION segmentation.churn_level(jsonb, segmentation.purchase_history, date, jsonb) IS
  'Level of churn risk under a purchase model: low, medium, high by the probability of no purchase within the '
  'horizon, lost by that within a longer one; insufficient_data without history, purchase or fitted model. '
  'options: horizon (90 days), medium_from (0.33), high_from (0.66), lost_horizon (365 days), lost_above (0.95).';
CREATE FUNCTION segmentation.churn_level(
  probability double precision, lost_probability double precision, options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_level_of_wrapper';
COMMENT ON FUNCTION segmentation.churn_level(double precision, double precision, jsonb) IS
  'The same from the probability of no purchase within the horizon, and within the longer one; NULL for that: never '
  'lost. insufficient_data without the first. options: medium_from (0.33), high_from (0.66), lost_above (0.95).';
CREATE FUNCTION segmentation.churn_next_change(
  model jsonb, history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'churn_next_change_wrapper';
COMMENT ON FUNCTION segmentation.churn_next_change(jsonb, segmentation.purchase_history, date, jsonb) IS
  'The first day after as_of on which churn_level changes if nothing is bought, or an earlier one on which to look '
  'again. NULL: not within ten years.';

-- The same by two churn stacks: one for low, medium and high, one of a longer horizon whose threshold says who is lost.

CREATE FUNCTION segmentation.churn_level(
  model jsonb, lost_model jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 400 AS 'MODULE_PATHNAME', 'churn_level_stacks_wrapper';
COMMENT ON FUNCTION segmentation.churn_level(
  jsonb, jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date,
  jsonb
) IS
  'Level of churn risk under churn stacks: low, medium, high by the first; lost above the threshold that the second '
  'has verified, never without one, or where it is NULL. options: medium_from (0.33), high_from (0.66).';
CREATE FUNCTION segmentation.churn_next_change(
  model jsonb, lost_model jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'churn_next_change_stacks_wrapper';
COMMENT ON FUNCTION segmentation.churn_next_change(
  jsonb, jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date,
  jsonb
) IS
  'The first day after as_of on which churn_level by stacks changes if nothing happens, or the 61st, on which to look '
  'again.';
CREATE FUNCTION segmentation_internal.churn_next_change(
  model jsonb, lost_model jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, options jsonb, until date
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2000 AS 'MODULE_PATHNAME', 'churn_next_change_stacks_until_wrapper';
COMMENT ON FUNCTION segmentation_internal.churn_next_change(
  jsonb, jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date,
  jsonb, date
) IS
  'Part of refresh: the same, looked for until a day; a change that comes later may be NULL or any later day.';
