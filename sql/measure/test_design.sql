-- Trials of an offer at small cost.

CREATE TYPE segmentation.sample_size AS (
  treated bigint, held_out bigint, target_rate double precision, exact double precision
);
COMMENT ON TYPE segmentation.sample_size IS 'How many customers a trial needs.';
COMMENT ON COLUMN segmentation.sample_size.treated IS 'Customers who get the offer.';
COMMENT ON COLUMN segmentation.sample_size.held_out IS 'Customers who do not.';
COMMENT ON COLUMN segmentation.sample_size.target_rate IS 'The rate that the trial detects.';
COMMENT ON COLUMN segmentation.sample_size.exact IS 'Customers who get the offer, not rounded.';
CREATE FUNCTION segmentation.sample_size(
  base_rate double precision, lift double precision, power double precision DEFAULT 0.8,
  significance double precision DEFAULT 0.05, held_out double precision DEFAULT 0.5
) RETURNS segmentation.sample_size
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'sample_size_wrapper';
COMMENT ON FUNCTION segmentation.sample_size(
  double precision, double precision, double precision, double precision, double precision
) IS
  'Customers needed to tell base_rate from a rate higher by lift (0.1: a tenth), two-sided. held_out is the share who '
  'get no offer.';

CREATE TYPE segmentation.ab_result AS (
  treated_rate double precision, held_out_rate double precision, difference double precision,
  lower double precision, upper double precision, lift double precision, p_value double precision, verdict text
);
COMMENT ON TYPE segmentation.ab_result IS
  'What a trial gave: rates, their difference with its interval, relative lift, p-value, verdict.';
COMMENT ON COLUMN segmentation.ab_result.treated_rate IS 'The rate with the offer.';
COMMENT ON COLUMN segmentation.ab_result.held_out_rate IS 'The rate without.';
COMMENT ON COLUMN segmentation.ab_result.difference IS 'Their difference.';
COMMENT ON COLUMN segmentation.ab_result.lower IS 'The lower end of its interval (Newcombe, method 10).';
COMMENT ON COLUMN segmentation.ab_result.upper IS 'The upper end.';
COMMENT ON COLUMN segmentation.ab_result.lift IS 'Their ratio less 1; NULL if nobody answered without the offer.';
COMMENT ON COLUMN segmentation.ab_result.p_value IS 'Two-sided, of the pooled z-test.';
COMMENT ON COLUMN segmentation.ab_result.verdict IS 'better, worse or undecided: whether the interval leaves 0 out.';
CREATE FUNCTION segmentation.ab_result(
  treated bigint, successes bigint, held_out bigint, held_out_successes bigint, level double precision DEFAULT 0.95
) RETURNS segmentation.ab_result
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ab_result_wrapper';
COMMENT ON FUNCTION segmentation.ab_result(bigint, bigint, bigint, bigint, double precision) IS
  'Compares who answered among those with the offer and those without.';

CREATE TYPE segmentation.share_interval AS (lower double precision, upper double precision);
COMMENT ON TYPE segmentation.share_interval IS 'Lower and upper end of an interval of a share.';
COMMENT ON COLUMN segmentation.share_interval.lower IS 'The lower end.';
COMMENT ON COLUMN segmentation.share_interval.upper IS 'The upper end.';
CREATE FUNCTION segmentation_internal.wilson_interval(
  successes double precision, n double precision, level double precision DEFAULT 0.95
) RETURNS segmentation.share_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'wilson_interval_wrapper';
COMMENT ON FUNCTION segmentation_internal.wilson_interval(double precision, double precision, double precision) IS
  'Wilson''s score interval of a share of n.';
