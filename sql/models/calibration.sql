-- Calibration, and whom to contact.

CREATE FUNCTION segmentation_internal.outcomes_add(bytea, double precision, boolean, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'outcomes_add_wrapper';
CREATE FUNCTION segmentation_internal.outcomes_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'outcomes_merge_wrapper';
CREATE FUNCTION segmentation_internal.calibrate_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibrate_final_wrapper';
CREATE FUNCTION segmentation_internal.calibrate_options_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibrate_options_final_wrapper';
CREATE FUNCTION segmentation_internal.profit_curve_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profit_curve_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.outcomes_add(bytea, double precision, boolean, jsonb) IS
  'transition of calibrate and profit_curve';
COMMENT ON FUNCTION segmentation_internal.outcomes_merge(bytea, bytea) IS
  'combine function of calibrate and profit_curve';
COMMENT ON FUNCTION segmentation_internal.calibrate_final(bytea) IS 'final function of calibrate';
COMMENT ON FUNCTION segmentation_internal.calibrate_options_final(bytea) IS 'final function of calibrate with options';
COMMENT ON FUNCTION segmentation_internal.profit_curve_final(bytea) IS 'final function of profit_curve';
CREATE AGGREGATE segmentation.calibrate(predicted double precision, happened boolean) (
  SFUNC = segmentation_internal.prediction_quality_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.calibrate_final,
  COMBINEFUNC = segmentation_internal.prediction_quality_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.calibrate(double precision, boolean) IS
  'Calibration of predicted probabilities by isotonic regression: a jsonb value for calibrated(). Fit it on rows that '
  'the model has not seen.';
CREATE AGGREGATE segmentation.calibrate(predicted double precision, happened boolean, options jsonb) (
  SFUNC = segmentation_internal.outcomes_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.calibrate_options_final,
  COMBINEFUNC = segmentation_internal.outcomes_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.calibrate(double precision, boolean, jsonb) IS
  'Calibration of predicted probabilities: a jsonb value for calibrated(). options: method (isotonic, logistic).';
CREATE FUNCTION segmentation.calibrated(model jsonb, predicted double precision) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibrated_wrapper';
COMMENT ON FUNCTION segmentation.calibrated(jsonb, double precision) IS
  'The probability that a prediction comes to, under a model of calibrate.';
CREATE AGGREGATE segmentation.profit_curve(predicted double precision, happened boolean, options jsonb) (
  SFUNC = segmentation_internal.outcomes_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.profit_curve_final,
  COMBINEFUNC = segmentation_internal.outcomes_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.profit_curve(double precision, boolean, jsonb) IS
  'What contacting everyone from a predicted probability on would have brought: break-even threshold, best threshold, '
  'curve. options: contact_cost, kept_value, success_rate (the share of leavers that a contact keeps), all three '
  'needed.';
CREATE FUNCTION segmentation.profit_points(curve jsonb)
  RETURNS TABLE (
    threshold double precision, contacted bigint, share double precision, reached bigint, profit double precision,
    expected_profit double precision
  )
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.* FROM jsonb_to_recordset(CASE WHEN jsonb_typeof(curve -> 'curve') = 'array' THEN curve -> 'curve' END)
    AS c (
      threshold double precision, contacted bigint, share double precision, reached bigint, profit double precision,
      expected_profit double precision
    ) ;
END;
COMMENT ON FUNCTION segmentation.profit_points(jsonb) IS 'The points of a profit_curve as rows.';
