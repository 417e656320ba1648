-- Hold-out groups, and the effect of campaigns measured against them.

CREATE FUNCTION holdout(key text, salt text, share double precision) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'holdout_wrapper';
COMMENT ON FUNCTION holdout(text, text, double precision) IS
  'Whether a key is held out: whether the first 53 bits of sha256(salt, a zero byte, key), both in UTF-8, over 2^53, are below share. Always the same for the same key and salt; groups with different salts are independent.';

CREATE TYPE uplift AS (
  assigned bigint, held_out bigint, assigned_mean double precision, held_out_mean double precision,
  difference double precision, lower double precision, upper double precision, p_value double precision,
  relative double precision, relative_lower double precision, relative_upper double precision,
  incremental double precision, incremental_lower double precision, incremental_upper double precision,
  skipped bigint, verdict text
);
COMMENT ON TYPE uplift IS 'What a campaign brought: those assigned to it against those held out.';
COMMENT ON COLUMN uplift.assigned IS 'Customers assigned to the campaign, whether it reached them or not.';
COMMENT ON COLUMN uplift.held_out IS 'Customers held out.';
COMMENT ON COLUMN uplift.assigned_mean IS 'Mean outcome of those assigned; of a boolean outcome, the rate.';
COMMENT ON COLUMN uplift.held_out_mean IS 'Mean outcome of those held out.';
COMMENT ON COLUMN uplift.difference IS 'Difference of the means: what the campaign brought for each customer assigned.';
COMMENT ON COLUMN uplift.lower IS 'Lower end of its interval: Newcombe (rates) or Welch (numbers).';
COMMENT ON COLUMN uplift.upper IS 'Upper end of its interval.';
COMMENT ON COLUMN uplift.p_value IS 'Two-sided: pooled z-test (rates) or Welch''s t-test (numbers).';
COMMENT ON COLUMN uplift.relative IS 'Ratio of the means less 1; NULL unless the mean of those held out is above 0.';
COMMENT ON COLUMN uplift.relative_lower IS 'Lower end of its interval: MOVER-R (rates) or Fieller (numbers); NULL if nothing bounds it.';
COMMENT ON COLUMN uplift.relative_upper IS 'Upper end of its interval; NULL if nothing bounds it.';
COMMENT ON COLUMN uplift.incremental IS 'Difference times customers assigned: what the campaign brought in all.';
COMMENT ON COLUMN uplift.incremental_lower IS 'Lower end of its interval.';
COMMENT ON COLUMN uplift.incremental_upper IS 'Upper end of its interval.';
COMMENT ON COLUMN uplift.skipped IS 'Rows whose group or outcome is NULL, left out: no purchase is 0 or false, not NULL.';
COMMENT ON COLUMN uplift.verdict IS 'better, worse, undecided: whether the interval leaves 0 out; or insufficient_data.';

-- The mergeable state.
CREATE TYPE uplift_values;
CREATE FUNCTION uplift_values_in(cstring) RETURNS uplift_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_in_wrapper';
CREATE FUNCTION uplift_values_out(uplift_values) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION uplift_values_recv(internal) RETURNS uplift_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_recv_wrapper';
CREATE FUNCTION uplift_values_send(uplift_values) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE uplift_values (
  INPUT = uplift_values_in, OUTPUT = uplift_values_out,
  RECEIVE = uplift_values_recv, SEND = uplift_values_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE uplift_values IS 'Outcomes of those assigned and those held out, to be merged with others and asked for uplift.';
COMMENT ON FUNCTION uplift_values_in(cstring) IS 'I/O';
COMMENT ON FUNCTION uplift_values_out(uplift_values) IS 'I/O';
COMMENT ON FUNCTION uplift_values_recv(internal) IS 'I/O';
COMMENT ON FUNCTION uplift_values_send(uplift_values) IS 'I/O';

CREATE FUNCTION uplift_values_add(uplift_values, boolean, boolean) RETURNS uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_add_rate_wrapper';
CREATE FUNCTION uplift_values_add(uplift_values, boolean, double precision) RETURNS uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_add_wrapper';
CREATE FUNCTION uplift_values_merge(uplift_values, uplift_values) RETURNS uplift_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_values_merge_wrapper';
COMMENT ON FUNCTION uplift_values_add(uplift_values, boolean, boolean) IS 'transition of uplift_values and uplift';
COMMENT ON FUNCTION uplift_values_add(uplift_values, boolean, double precision) IS 'transition of uplift_values and uplift';
COMMENT ON FUNCTION uplift_values_merge(uplift_values, uplift_values) IS 'combine function of uplift_values and uplift';
CREATE AGGREGATE uplift_values(assigned boolean, outcome boolean) (
  SFUNC = uplift_values_add, STYPE = uplift_values, COMBINEFUNC = uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE uplift_values(assigned boolean, outcome double precision) (
  SFUNC = uplift_values_add, STYPE = uplift_values, COMBINEFUNC = uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE merge("values" uplift_values) (
  SFUNC = uplift_values_merge, STYPE = uplift_values, COMBINEFUNC = uplift_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE uplift_values(boolean, boolean) IS 'The outcomes as a mergeable value, for uplift(uplift_values): of yes or no.';
COMMENT ON AGGREGATE uplift_values(boolean, double precision) IS 'The outcomes as a mergeable value, for uplift(uplift_values): of numbers.';
COMMENT ON AGGREGATE merge(uplift_values) IS 'The outcomes of many parts.';

CREATE FUNCTION uplift("values" uplift_values, options jsonb DEFAULT '{}') RETURNS uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_of_values_wrapper';
COMMENT ON FUNCTION uplift(uplift_values, jsonb) IS 'What a campaign brought; see the aggregate uplift. options: level (0.95) of the intervals.';
CREATE FUNCTION uplift_add(bytea, boolean, boolean, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_add_rate_wrapper';
CREATE FUNCTION uplift_add(bytea, boolean, double precision, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_add_wrapper';
CREATE FUNCTION uplift_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_merge_wrapper';
CREATE FUNCTION uplift_final(uplift_values) RETURNS uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_final_wrapper';
CREATE FUNCTION uplift_final(bytea) RETURNS uplift
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'uplift_options_final_wrapper';
COMMENT ON FUNCTION uplift_add(bytea, boolean, boolean, jsonb) IS 'transition of uplift';
COMMENT ON FUNCTION uplift_add(bytea, boolean, double precision, jsonb) IS 'transition of uplift';
COMMENT ON FUNCTION uplift_merge(bytea, bytea) IS 'combine function of uplift';
COMMENT ON FUNCTION uplift_final(uplift_values) IS 'final function of uplift';
COMMENT ON FUNCTION uplift_final(bytea) IS 'final function of uplift';
CREATE AGGREGATE uplift(assigned boolean, outcome boolean) (
  SFUNC = uplift_values_add, STYPE = uplift_values, FINALFUNC = uplift_final,
  COMBINEFUNC = uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE uplift(assigned boolean, outcome double precision) (
  SFUNC = uplift_values_add, STYPE = uplift_values, FINALFUNC = uplift_final,
  COMBINEFUNC = uplift_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE uplift(assigned boolean, outcome boolean, options jsonb) (
  SFUNC = uplift_add, STYPE = bytea, FINALFUNC = uplift_final, COMBINEFUNC = uplift_merge, PARALLEL = SAFE
);
CREATE AGGREGATE uplift(assigned boolean, outcome double precision, options jsonb) (
  SFUNC = uplift_add, STYPE = bytea, FINALFUNC = uplift_final, COMBINEFUNC = uplift_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE uplift(boolean, boolean) IS
  'What a campaign brought in rates (bought or not): those assigned against those held out, one row for each customer eligible at assignment. Interval of 95 %.';
COMMENT ON AGGREGATE uplift(boolean, double precision) IS
  'What a campaign brought in numbers (turnover): those assigned against those held out, one row for each customer eligible at assignment. Interval of 95 %.';
COMMENT ON AGGREGATE uplift(boolean, boolean, jsonb) IS 'What a campaign brought in rates. options: level (0.95) of the intervals.';
COMMENT ON AGGREGATE uplift(boolean, double precision, jsonb) IS 'What a campaign brought in numbers. options: level (0.95) of the intervals.';
