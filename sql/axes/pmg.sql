-- PMG: petits, moyens, gros clients; concentration of turnover.

CREATE TYPE segmentation.pmg AS ENUM ('I', 'P', 'M', 'G');
COMMENT ON TYPE segmentation.pmg IS
  'Class of a customer by turnover, in ascending order: I inactif (none), P petit, M moyen, G gros.';

CREATE TYPE segmentation.pmg_cuts AS (
  mode text,
  gros numeric,
  moyens numeric,
  gros_from numeric,
  moyens_from numeric,
  customers bigint,
  active bigint,
  turnover numeric
);
COMMENT ON TYPE segmentation.pmg_cuts IS
  'Frozen PMG limits: mode and cumulative shares, the least turnover of classes G and M, and the customers, active '
  'customers and turnover they were made from.';

CREATE FUNCTION segmentation.pmg_bucket(
  turnover numeric, mode text DEFAULT 'rank', gros numeric DEFAULT NULL, moyens numeric DEFAULT NULL
) RETURNS segmentation.pmg
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_bucket_window';
COMMENT ON FUNCTION segmentation.pmg_bucket(numeric, text, numeric, numeric) IS
  'Window function: PMG class of each turnover in its partition. mode rank: the first 5 % of active customers are G, '
  'up to 20 % M; mode cumulative: those who make the first 80 % of turnover are G, up to 95 % M; or your own limits, '
  'cumulative from the top.';
CREATE FUNCTION segmentation.pmg_bucket(turnover numeric, cuts segmentation.pmg_cuts) RETURNS segmentation.pmg
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_bucket_frozen_wrapper';
COMMENT ON FUNCTION segmentation.pmg_bucket(numeric, segmentation.pmg_cuts) IS
  'PMG class of a turnover by frozen limits.';

-- The mergeable state of a population.
CREATE TYPE segmentation.turnover_values;
CREATE FUNCTION segmentation_internal.turnover_values_in(cstring) RETURNS segmentation.turnover_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_in_wrapper';
CREATE FUNCTION segmentation_internal.turnover_values_out(segmentation.turnover_values) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.turnover_values_recv(internal) RETURNS segmentation.turnover_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_recv_wrapper';
CREATE FUNCTION segmentation_internal.turnover_values_send(segmentation.turnover_values) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.turnover_values (
  INPUT = segmentation_internal.turnover_values_in, OUTPUT = segmentation_internal.turnover_values_out,
  RECEIVE = segmentation_internal.turnover_values_recv, SEND = segmentation_internal.turnover_values_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.turnover_values IS
  'Turnovers of a population, to be merged with others and asked for pmg_cuts, gini or concentration_curve.';
COMMENT ON FUNCTION segmentation_internal.turnover_values_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.turnover_values_out(segmentation.turnover_values) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.turnover_values_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.turnover_values_send(segmentation.turnover_values) IS 'I/O';

CREATE FUNCTION segmentation_internal.turnover_values_add(segmentation.turnover_values, numeric)
  RETURNS segmentation.turnover_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_add_wrapper';
CREATE FUNCTION segmentation_internal.turnover_values_merge(segmentation.turnover_values, segmentation.turnover_values)
  RETURNS segmentation.turnover_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.turnover_values_add(segmentation.turnover_values, numeric) IS
  'transition of turnover_values, pmg_cuts and gini';
COMMENT ON FUNCTION segmentation_internal.turnover_values_merge(
  segmentation.turnover_values, segmentation.turnover_values
) IS 'combine function of turnover_values, pmg_cuts and gini';
CREATE AGGREGATE segmentation.turnover_values(turnover numeric) (
  SFUNC = segmentation_internal.turnover_values_add,
  STYPE = segmentation.turnover_values,
  COMBINEFUNC = segmentation_internal.turnover_values_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.turnover_values(numeric) IS
  'The population as a mergeable value, for pmg_cuts, gini and concentration_curve. NULLs are skipped.';
CREATE AGGREGATE segmentation.merge("values" segmentation.turnover_values) (
  SFUNC = segmentation_internal.turnover_values_merge,
  STYPE = segmentation.turnover_values,
  COMBINEFUNC = segmentation_internal.turnover_values_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.turnover_values) IS 'One population of many.';

CREATE FUNCTION segmentation.pmg_cuts("values" segmentation.turnover_values, options jsonb DEFAULT '{}')
  RETURNS segmentation.pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_of_values_wrapper';
COMMENT ON FUNCTION segmentation.pmg_cuts(segmentation.turnover_values, jsonb) IS
  'Frozen PMG limits of a population. options: mode (rank or cumulative), gros, moyens.';
CREATE FUNCTION segmentation_internal.pmg_cuts_add(bytea, numeric, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_add_wrapper';
CREATE FUNCTION segmentation_internal.pmg_cuts_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_merge_wrapper';
CREATE FUNCTION segmentation_internal.pmg_cuts_final(segmentation.turnover_values) RETURNS segmentation.pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_final_wrapper';
CREATE FUNCTION segmentation_internal.pmg_cuts_final(bytea) RETURNS segmentation.pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_options_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.pmg_cuts_add(bytea, numeric, jsonb) IS 'transition of pmg_cuts';
COMMENT ON FUNCTION segmentation_internal.pmg_cuts_merge(bytea, bytea) IS 'combine function of pmg_cuts';
COMMENT ON FUNCTION segmentation_internal.pmg_cuts_final(segmentation.turnover_values) IS 'final function of pmg_cuts';
COMMENT ON FUNCTION segmentation_internal.pmg_cuts_final(bytea) IS 'final function of pmg_cuts';
CREATE AGGREGATE segmentation.pmg_cuts(turnover numeric) (
  SFUNC = segmentation_internal.turnover_values_add,
  STYPE = segmentation.turnover_values,
  FINALFUNC = segmentation_internal.pmg_cuts_final,
  COMBINEFUNC = segmentation_internal.turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.pmg_cuts(numeric) IS
  'Frozen PMG limits by rank (5 % and 20 % of active customers), for pmg_bucket(turnover, cuts). NULL if nobody has '
  'turnover.';
CREATE AGGREGATE segmentation.pmg_cuts(turnover numeric, options jsonb) (
  SFUNC = segmentation_internal.pmg_cuts_add, STYPE = bytea, FINALFUNC = segmentation_internal.pmg_cuts_final,
  COMBINEFUNC = segmentation_internal.pmg_cuts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.pmg_cuts(numeric, jsonb) IS
  'Frozen PMG limits. options: mode (rank or cumulative), gros, moyens (cumulative shares from the top).';

CREATE FUNCTION segmentation.gini("values" segmentation.turnover_values) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gini_of_values_wrapper';
COMMENT ON FUNCTION segmentation.gini(segmentation.turnover_values) IS
  'Gini coefficient of turnover; see the aggregate gini.';
CREATE AGGREGATE segmentation.gini(turnover numeric) (
  SFUNC = segmentation_internal.turnover_values_add,
  STYPE = segmentation.turnover_values,
  FINALFUNC = segmentation.gini,
  COMBINEFUNC = segmentation_internal.turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.gini(numeric) IS
  'Gini coefficient of turnover among customers: 0 if all have the same, near 1 if one has all. Negative turnover '
  'counts as 0. NULL without turnover.';
CREATE FUNCTION segmentation.concentration_curve("values" segmentation.turnover_values, points integer DEFAULT 100)
  RETURNS TABLE (customers bigint, customer_share double precision, turnover numeric, turnover_share double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 101 AS 'MODULE_PATHNAME', 'concentration_curve_wrapper';
COMMENT ON FUNCTION segmentation.concentration_curve(segmentation.turnover_values, integer) IS
  'Concentration curve, biggest customers first: for points + 1 shares of the customers, their share of the turnover.';

-- The day on which time alone changes a class.
CREATE FUNCTION segmentation.pmg_next_change(
  history segmentation.purchase_history, as_of date, cuts segmentation.pmg_cuts, months integer DEFAULT 12
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_next_change_wrapper';
COMMENT ON FUNCTION segmentation.pmg_next_change(segmentation.purchase_history, date, segmentation.pmg_cuts, integer) IS
  'The first day after as_of on which pmg_bucket(turnover(history, (day - months)::date, day), cuts) changes: a '
  'purchase leaves the rolling months, or a refund does. NULL: never.';
