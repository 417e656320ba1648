-- The effect of campaigns, measured against hold-out groups.

CREATE TYPE segmentation.uplift AS (
  assigned bigint, held_out bigint, assigned_mean double precision, held_out_mean double precision,
  difference double precision, lower double precision, upper double precision, p_value double precision,
  relative double precision, relative_lower double precision, relative_upper double precision,
  incremental double precision, incremental_lower double precision, incremental_upper double precision,
  skipped bigint, verdict text
);
COMMENT ON TYPE segmentation.uplift IS 'What a campaign brought: those assigned to it against those held out.';
COMMENT ON COLUMN segmentation.uplift.assigned IS 'Customers assigned to the campaign, whether it reached them or not.';
COMMENT ON COLUMN segmentation.uplift.held_out IS 'Customers held out.';
COMMENT ON COLUMN segmentation.uplift.assigned_mean IS
  'Mean outcome of those assigned; of a boolean outcome, the rate.';
COMMENT ON COLUMN segmentation.uplift.held_out_mean IS 'Mean outcome of those held out.';
COMMENT ON COLUMN segmentation.uplift.difference IS
  'Difference of the means: what the campaign brought for each customer assigned.';
COMMENT ON COLUMN segmentation.uplift.lower IS 'Lower end of its interval: Newcombe (rates) or Welch (numbers).';
COMMENT ON COLUMN segmentation.uplift.upper IS 'Upper end of its interval.';
COMMENT ON COLUMN segmentation.uplift.p_value IS 'Two-sided: pooled z-test (rates) or Welch''s t-test (numbers).';
COMMENT ON COLUMN segmentation.uplift.relative IS
  'Ratio of the means less 1; NULL unless the mean of those held out is above 0.';
COMMENT ON COLUMN segmentation.uplift.relative_lower IS
  'Lower end of its interval: MOVER-R (rates) or Fieller (numbers); NULL if nothing bounds it.';
COMMENT ON COLUMN segmentation.uplift.relative_upper IS 'Upper end of its interval; NULL if nothing bounds it.';
COMMENT ON COLUMN segmentation.uplift.incremental IS
  'Difference times customers assigned: what the campaign brought in all.';
COMMENT ON COLUMN segmentation.uplift.incremental_lower IS 'Lower end of its interval.';
COMMENT ON COLUMN segmentation.uplift.incremental_upper IS 'Upper end of its interval.';
COMMENT ON COLUMN segmentation.uplift.skipped IS
  'Rows whose group or outcome is NULL, left out: no purchase is 0 or false, not NULL.';
COMMENT ON COLUMN segmentation.uplift.verdict IS
  'better, worse, undecided: whether the interval leaves 0 out; or insufficient_data.';

-- The mergeable state.
CREATE TYPE segmentation.uplift_values;
CREATE FUNCTION segmentation_internal.uplift_values_in(cstring) RETURNS segmentation.uplift_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_in_wrapper';
CREATE FUNCTION segmentation_internal.uplift_values_out(segmentation.uplift_values) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.uplift_values_recv(internal) RETURNS segmentation.uplift_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_recv_wrapper';
CREATE FUNCTION segmentation_internal.uplift_values_send(segmentation.uplift_values) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.uplift_values (
  INPUT = segmentation_internal.uplift_values_in, OUTPUT = segmentation_internal.uplift_values_out,
  RECEIVE = segmentation_internal.uplift_values_recv, SEND = segmentation_internal.uplift_values_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.uplift_values IS
  'Outcomes of those assigned and those held out, to be merged with others and asked for uplift.';
COMMENT ON FUNCTION segmentation_internal.uplift_values_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.uplift_values_out(segmentation.uplift_values) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.uplift_values_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.uplift_values_send(segmentation.uplift_values) IS 'I/O';

CREATE FUNCTION segmentation_internal.uplift_values_add(segmentation.uplift_values, boolean, boolean)
  RETURNS segmentation.uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_add_rate_wrapper';
CREATE FUNCTION segmentation_internal.uplift_values_add(segmentation.uplift_values, boolean, double precision)
  RETURNS segmentation.uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_add_wrapper';
CREATE FUNCTION segmentation_internal.uplift_values_merge(segmentation.uplift_values, segmentation.uplift_values)
  RETURNS segmentation.uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.uplift_values_add(segmentation.uplift_values, boolean, boolean) IS
  'transition of uplift_values and uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_values_add(segmentation.uplift_values, boolean, double precision) IS
  'transition of uplift_values and uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_values_merge(segmentation.uplift_values, segmentation.uplift_values) IS
  'combine function of uplift_values and uplift';
CREATE AGGREGATE segmentation.uplift_values(assigned boolean, outcome boolean) (
  SFUNC = segmentation_internal.uplift_values_add,
  STYPE = segmentation.uplift_values,
  COMBINEFUNC = segmentation_internal.uplift_values_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.uplift_values(assigned boolean, outcome double precision) (
  SFUNC = segmentation_internal.uplift_values_add,
  STYPE = segmentation.uplift_values,
  COMBINEFUNC = segmentation_internal.uplift_values_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.merge("values" segmentation.uplift_values) (
  SFUNC = segmentation_internal.uplift_values_merge,
  STYPE = segmentation.uplift_values,
  COMBINEFUNC = segmentation_internal.uplift_values_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.uplift_values(boolean, boolean) IS
  'The outcomes as a mergeable value, for uplift(uplift_values): of yes or no.';
COMMENT ON AGGREGATE segmentation.uplift_values(boolean, double precision) IS
  'The outcomes as a mergeable value, for uplift(uplift_values): of numbers.';
COMMENT ON AGGREGATE segmentation.merge(segmentation.uplift_values) IS 'The outcomes of many parts.';

CREATE FUNCTION segmentation.uplift("values" segmentation.uplift_values, options jsonb DEFAULT '{}')
  RETURNS segmentation.uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_of_values_wrapper';
COMMENT ON FUNCTION segmentation.uplift(segmentation.uplift_values, jsonb) IS
  'What a campaign brought; see the aggregate uplift. options: level (0.95) of the intervals.';
CREATE FUNCTION segmentation_internal.uplift_add(bytea, boolean, boolean, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_add_rate_wrapper';
CREATE FUNCTION segmentation_internal.uplift_add(bytea, boolean, double precision, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_add_wrapper';
CREATE FUNCTION segmentation_internal.uplift_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_merge_wrapper';
CREATE FUNCTION segmentation_internal.uplift_final(segmentation.uplift_values) RETURNS segmentation.uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_final_wrapper';
CREATE FUNCTION segmentation_internal.uplift_final(bytea) RETURNS segmentation.uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_options_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.uplift_add(bytea, boolean, boolean, jsonb) IS 'transition of uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_add(bytea, boolean, double precision, jsonb) IS 'transition of uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_merge(bytea, bytea) IS 'combine function of uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_final(segmentation.uplift_values) IS 'final function of uplift';
COMMENT ON FUNCTION segmentation_internal.uplift_final(bytea) IS 'final function of uplift';
CREATE AGGREGATE segmentation.uplift(assigned boolean, outcome boolean) (
  SFUNC = segmentation_internal.uplift_values_add,
  STYPE = segmentation.uplift_values,
  FINALFUNC = segmentation_internal.uplift_final,
  COMBINEFUNC = segmentation_internal.uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.uplift(assigned boolean, outcome double precision) (
  SFUNC = segmentation_internal.uplift_values_add,
  STYPE = segmentation.uplift_values,
  FINALFUNC = segmentation_internal.uplift_final,
  COMBINEFUNC = segmentation_internal.uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.uplift(assigned boolean, outcome boolean, options jsonb) (
  SFUNC = segmentation_internal.uplift_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.uplift_final,
  COMBINEFUNC = segmentation_internal.uplift_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.uplift(assigned boolean, outcome double precision, options jsonb) (
  SFUNC = segmentation_internal.uplift_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.uplift_final,
  COMBINEFUNC = segmentation_internal.uplift_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.uplift(boolean, boolean) IS
  'What a campaign brought in rates (bought or not): those assigned against those held out, one row for each customer '
  'eligible at assignment. Interval of 95 %.';
COMMENT ON AGGREGATE segmentation.uplift(boolean, double precision) IS
  'What a campaign brought in numbers (turnover): those assigned against those held out, one row for each customer '
  'eligible at assignment. Interval of 95 %.';
COMMENT ON AGGREGATE segmentation.uplift(boolean, boolean, jsonb) IS
  'What a campaign brought in rates. options: level (0.95) of the intervals.';
COMMENT ON AGGREGATE segmentation.uplift(boolean, double precision, jsonb) IS
  'What a campaign brought in numbers. options: level (0.95) of the intervals.';
