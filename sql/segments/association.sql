-- Two classifications of the same customers: how far they agree, who moved, how the shares shifted.

CREATE FUNCTION segmentation_internal.crossing_add(bytea, text, text) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crossing_add_wrapper';
CREATE FUNCTION segmentation_internal.crossing_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crossing_merge_wrapper';
CREATE FUNCTION segmentation_internal.crossing_psi(bytea) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crossing_psi_wrapper';
CREATE FUNCTION segmentation_internal.crossing_rand(bytea) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crossing_rand_wrapper';
CREATE FUNCTION segmentation_internal.crossing_matrix(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crossing_matrix_wrapper';
CREATE FUNCTION segmentation_internal.psi_add(bytea, double precision, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'psi_add_wrapper';
CREATE FUNCTION segmentation_internal.psi_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'psi_merge_wrapper';
CREATE FUNCTION segmentation_internal.psi_final(bytea) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'psi_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.crossing_add(bytea, text, text) IS
  'transition of adjusted_rand_index, migration_matrix and psi';
COMMENT ON FUNCTION segmentation_internal.crossing_merge(bytea, bytea) IS
  'combine function of adjusted_rand_index, migration_matrix and psi';
COMMENT ON FUNCTION segmentation_internal.crossing_psi(bytea) IS 'final function of psi';
COMMENT ON FUNCTION segmentation_internal.crossing_rand(bytea) IS 'final function of adjusted_rand_index';
COMMENT ON FUNCTION segmentation_internal.crossing_matrix(bytea) IS 'final function of migration_matrix';
COMMENT ON FUNCTION segmentation_internal.psi_add(bytea, double precision, double precision) IS 'transition of psi';
COMMENT ON FUNCTION segmentation_internal.psi_merge(bytea, bytea) IS 'combine function of psi';
COMMENT ON FUNCTION segmentation_internal.psi_final(bytea) IS 'final function of psi';

CREATE AGGREGATE segmentation.psi(before double precision, after double precision) (
  SFUNC = segmentation_internal.psi_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.psi_final,
  COMBINEFUNC = segmentation_internal.psi_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.psi(double precision, double precision) IS
  'Population stability index of a distribution, one row a class with its share or count before and after: below 0.1 '
  'stable, to 0.25 moderate, above major. An empty class counts as 0.0001.';
CREATE AGGREGATE segmentation.psi(before text, after text) (
  SFUNC = segmentation_internal.crossing_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.crossing_psi,
  COMBINEFUNC = segmentation_internal.crossing_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.psi(text, text) IS
  'Population stability index, one row a customer with the segment before and after. Rows with a NULL are left out.';
CREATE AGGREGATE segmentation.adjusted_rand_index(before text, after text) (
  SFUNC = segmentation_internal.crossing_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.crossing_rand,
  COMBINEFUNC = segmentation_internal.crossing_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.adjusted_rand_index(text, text) IS
  'How far two classifications agree whatever their names: 1 if alike, 0 on average for unrelated ones. Rows with a '
  'NULL are left out.';
CREATE AGGREGATE segmentation.migration_matrix(before text, after text) (
  SFUNC = segmentation_internal.crossing_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.crossing_matrix,
  COMBINEFUNC = segmentation_internal.crossing_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.migration_matrix(text, text) IS
  'Who went from which segment to which: a list of before, after, customers, share of those before. See migrations. '
  'Rows with a NULL are left out.';
CREATE FUNCTION segmentation.migrations(matrix jsonb)
  RETURNS TABLE (before text, after text, customers bigint, share double precision)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT m.before, m.after, m.customers, m.share
  FROM jsonb_to_recordset(matrix) AS m (before text, after text, customers bigint, share double precision);
END;
COMMENT ON FUNCTION segmentation.migrations(jsonb) IS 'The rows of a migration_matrix.';
