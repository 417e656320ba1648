-- How good predicted probabilities were.

CREATE FUNCTION segmentation_internal.prediction_quality_add(bytea, double precision, boolean) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_add_wrapper';
CREATE FUNCTION segmentation_internal.prediction_quality_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_merge_wrapper';
CREATE FUNCTION segmentation_internal.prediction_quality_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_add(bytea, double precision, boolean) IS
  'transition of prediction_quality';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_merge(bytea, bytea) IS
  'combine function of prediction_quality';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_final(bytea) IS 'final function of prediction_quality';
CREATE AGGREGATE segmentation.prediction_quality(predicted double precision, happened boolean) (
  SFUNC = segmentation_internal.prediction_quality_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.prediction_quality_final,
  COMBINEFUNC = segmentation_internal.prediction_quality_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.prediction_quality(double precision, boolean) IS
  'Quality of predicted probabilities once the outcome is known: n, base rate, AUC, Brier score and skill, log-loss, '
  'lift at 5, 10 and 20 %, lift quality, calibration bins, slope and intercept; beside them, what predicting the base '
  'rate for everyone comes to. Rows with a NULL are counted as skipped.';

CREATE FUNCTION segmentation_internal.prediction_quality_compare_add(bytea, double precision, boolean, double precision)
  RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_compare_add_wrapper';
CREATE FUNCTION segmentation_internal.prediction_quality_compare_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_compare_merge_wrapper';
CREATE FUNCTION segmentation_internal.prediction_quality_compare_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'prediction_quality_compare_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_compare_add(
  bytea, double precision, boolean, double precision
) IS 'transition of prediction_quality with a baseline';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_compare_merge(bytea, bytea) IS
  'combine function of prediction_quality with a baseline';
COMMENT ON FUNCTION segmentation_internal.prediction_quality_compare_final(bytea) IS
  'final function of prediction_quality with a baseline';
CREATE AGGREGATE segmentation.prediction_quality(
  predicted double precision, happened boolean, baseline double precision
) (
  SFUNC = segmentation_internal.prediction_quality_compare_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.prediction_quality_compare_final,
  COMBINEFUNC = segmentation_internal.prediction_quality_compare_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.prediction_quality(double precision, boolean, double precision) IS
  'The same report with a second baseline: any number from 0 on that is greater the likelier the event, such as the '
  'recency in days. baselines.given has its AUC, lift and lift quality, on the same rows.';
