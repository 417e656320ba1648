-- PMG: petits, moyens, gros clients; concentration of turnover.

CREATE TYPE pmg AS ENUM ('I', 'P', 'M', 'G');
COMMENT ON TYPE pmg IS
  'Class of a customer by turnover, in ascending order: I inactif (none), P petit, M moyen, G gros.';

CREATE TYPE pmg_cuts AS (
  mode text,
  gros numeric,
  moyens numeric,
  gros_from numeric,
  moyens_from numeric,
  customers bigint,
  active bigint,
  turnover numeric
);
COMMENT ON TYPE pmg_cuts IS
  'Frozen PMG limits: mode and cumulative shares, the least turnover of classes G and M, and the customers, active customers and turnover they were made from.';

CREATE FUNCTION pmg_bucket(
  turnover numeric, mode text DEFAULT 'rank', gros numeric DEFAULT NULL, moyens numeric DEFAULT NULL
) RETURNS pmg
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_bucket_window';
COMMENT ON FUNCTION pmg_bucket(numeric, text, numeric, numeric) IS
  'Window function: PMG class of each turnover in its partition. mode rank: the first 5 % of active customers are G, up to 20 % M; mode cumulative: those who make the first 80 % of turnover are G, up to 95 % M; or your own limits, cumulative from the top.';
CREATE FUNCTION pmg_bucket(turnover numeric, cuts pmg_cuts) RETURNS pmg
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_bucket_frozen_wrapper';
COMMENT ON FUNCTION pmg_bucket(numeric, pmg_cuts) IS 'PMG class of a turnover by frozen limits.';

-- The mergeable state of a population.
CREATE TYPE turnover_values;
CREATE FUNCTION turnover_values_in(cstring) RETURNS turnover_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_in_wrapper';
CREATE FUNCTION turnover_values_out(turnover_values) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION turnover_values_recv(internal) RETURNS turnover_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_recv_wrapper';
CREATE FUNCTION turnover_values_send(turnover_values) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE turnover_values (
  INPUT = turnover_values_in, OUTPUT = turnover_values_out,
  RECEIVE = turnover_values_recv, SEND = turnover_values_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE turnover_values IS
  'Turnovers of a population, to be merged with others and asked for pmg_cuts, gini or concentration_curve.';
COMMENT ON FUNCTION turnover_values_in(cstring) IS 'I/O';
COMMENT ON FUNCTION turnover_values_out(turnover_values) IS 'I/O';
COMMENT ON FUNCTION turnover_values_recv(internal) IS 'I/O';
COMMENT ON FUNCTION turnover_values_send(turnover_values) IS 'I/O';

CREATE FUNCTION turnover_values_add(turnover_values, numeric) RETURNS turnover_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_add_wrapper';
CREATE FUNCTION turnover_values_merge(turnover_values, turnover_values) RETURNS turnover_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'turnover_values_merge_wrapper';
COMMENT ON FUNCTION turnover_values_add(turnover_values, numeric) IS 'transition of turnover_values, pmg_cuts and gini';
COMMENT ON FUNCTION turnover_values_merge(turnover_values, turnover_values) IS 'combine function of turnover_values, pmg_cuts and gini';
CREATE AGGREGATE turnover_values(turnover numeric) (
  SFUNC = turnover_values_add, STYPE = turnover_values, COMBINEFUNC = turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE turnover_values(numeric) IS
  'The population as a mergeable value, for pmg_cuts, gini and concentration_curve. NULLs are skipped.';
CREATE AGGREGATE merge("values" turnover_values) (
  SFUNC = turnover_values_merge, STYPE = turnover_values, COMBINEFUNC = turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(turnover_values) IS 'One population of many.';

CREATE FUNCTION pmg_cuts("values" turnover_values, options jsonb DEFAULT '{}') RETURNS pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_of_values_wrapper';
COMMENT ON FUNCTION pmg_cuts(turnover_values, jsonb) IS
  'Frozen PMG limits of a population. options: mode (rank or cumulative), gros, moyens.';
CREATE FUNCTION pmg_cuts_add(bytea, numeric, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_add_wrapper';
CREATE FUNCTION pmg_cuts_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_merge_wrapper';
CREATE FUNCTION pmg_cuts_final(turnover_values) RETURNS pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_final_wrapper';
CREATE FUNCTION pmg_cuts_final(bytea) RETURNS pmg_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pmg_cuts_options_final_wrapper';
COMMENT ON FUNCTION pmg_cuts_add(bytea, numeric, jsonb) IS 'transition of pmg_cuts';
COMMENT ON FUNCTION pmg_cuts_merge(bytea, bytea) IS 'combine function of pmg_cuts';
COMMENT ON FUNCTION pmg_cuts_final(turnover_values) IS 'final function of pmg_cuts';
COMMENT ON FUNCTION pmg_cuts_final(bytea) IS 'final function of pmg_cuts';
CREATE AGGREGATE pmg_cuts(turnover numeric) (
  SFUNC = turnover_values_add, STYPE = turnover_values, FINALFUNC = pmg_cuts_final,
  COMBINEFUNC = turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pmg_cuts(numeric) IS
  'Frozen PMG limits by rank (5 % and 20 % of active customers), for pmg_bucket(turnover, cuts). NULL if nobody has turnover.';
CREATE AGGREGATE pmg_cuts(turnover numeric, options jsonb) (
  SFUNC = pmg_cuts_add, STYPE = bytea, FINALFUNC = pmg_cuts_final,
  COMBINEFUNC = pmg_cuts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pmg_cuts(numeric, jsonb) IS
  'Frozen PMG limits. options: mode (rank or cumulative), gros, moyens (cumulative shares from the top).';

CREATE FUNCTION gini("values" turnover_values) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gini_of_values_wrapper';
COMMENT ON FUNCTION gini(turnover_values) IS 'Gini coefficient of turnover; see the aggregate gini.';
CREATE AGGREGATE gini(turnover numeric) (
  SFUNC = turnover_values_add, STYPE = turnover_values, FINALFUNC = gini,
  COMBINEFUNC = turnover_values_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gini(numeric) IS
  'Gini coefficient of turnover among customers: 0 if all have the same, near 1 if one has all. Negative turnover counts as 0. NULL without turnover.';
CREATE FUNCTION concentration_curve("values" turnover_values, points integer DEFAULT 100)
  RETURNS TABLE (customers bigint, customer_share double precision, turnover numeric, turnover_share double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 101 AS 'MODULE_PATHNAME', 'concentration_curve_wrapper';
COMMENT ON FUNCTION concentration_curve(turnover_values, integer) IS
  'Concentration curve, biggest customers first: for points + 1 shares of the customers, their share of the turnover.';
