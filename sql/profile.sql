-- Profiles: customers who resemble each other, found from their features.

CREATE TYPE profile_rows;
CREATE FUNCTION profile_rows_in(cstring) RETURNS profile_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_in_wrapper';
CREATE FUNCTION profile_rows_out(profile_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION profile_rows_recv(internal) RETURNS profile_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_recv_wrapper';
CREATE FUNCTION profile_rows_send(profile_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE profile_rows (
  INPUT = profile_rows_in, OUTPUT = profile_rows_out, RECEIVE = profile_rows_recv, SEND = profile_rows_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE profile_rows IS
  'Customers by their features, or a bounded sample of them: what fit_profile needs. Can be stored, merged and fitted later.';
COMMENT ON FUNCTION profile_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION profile_rows_out(profile_rows) IS 'I/O';
COMMENT ON FUNCTION profile_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION profile_rows_send(profile_rows) IS 'I/O';

CREATE FUNCTION profile_rows_add(profile_rows, double precision[]) RETURNS profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_array_wrapper';
CREATE FUNCTION profile_rows_add(profile_rows, double precision[], jsonb) RETURNS profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_array_options_wrapper';
CREATE FUNCTION profile_rows_add(profile_rows, jsonb) RETURNS profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_named_wrapper';
CREATE FUNCTION profile_rows_add(profile_rows, jsonb, jsonb) RETURNS profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_named_options_wrapper';
CREATE FUNCTION profile_rows_merge(profile_rows, profile_rows) RETURNS profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_merge_wrapper';
CREATE FUNCTION fit_profile("rows" profile_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'fit_profile_wrapper';
COMMENT ON FUNCTION profile_rows_add(profile_rows, double precision[]) IS 'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION profile_rows_add(profile_rows, double precision[], jsonb) IS 'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION profile_rows_add(profile_rows, jsonb) IS 'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION profile_rows_add(profile_rows, jsonb, jsonb) IS 'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION profile_rows_merge(profile_rows, profile_rows) IS 'combine function of profile_rows and fit_profile';
COMMENT ON FUNCTION fit_profile(profile_rows) IS 'The model of customers gathered by profile_rows; see the aggregate fit_profile.';

CREATE AGGREGATE profile_rows(features double precision[]) (
  SFUNC = profile_rows_add, STYPE = profile_rows, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE profile_rows(double precision[]) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows).';

CREATE AGGREGATE profile_rows(features double precision[], options jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE profile_rows(double precision[], jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows). options: method (auto, k_means, k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE profile_rows(features jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE profile_rows(jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows).';

CREATE AGGREGATE profile_rows(features jsonb, options jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE profile_rows(jsonb, jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows). options: method (auto, k_means, k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE fit_profile(features double precision[]) (
  SFUNC = profile_rows_add, STYPE = profile_rows, FINALFUNC = fit_profile, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_profile(double precision[]) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian mixture. The same rows and seed give the same bytes in any order.';

CREATE AGGREGATE fit_profile(features double precision[], options jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, FINALFUNC = fit_profile, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_profile(double precision[], jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian mixture. The same rows and seed give the same bytes in any order. options: method (auto, k_means, k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE fit_profile(features jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, FINALFUNC = fit_profile, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_profile(jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian mixture. The same rows and seed give the same bytes in any order.';

CREATE AGGREGATE fit_profile(features jsonb, options jsonb) (
  SFUNC = profile_rows_add, STYPE = profile_rows, FINALFUNC = fit_profile, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_profile(jsonb, jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian mixture. The same rows and seed give the same bytes in any order. options: method (auto, k_means, k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE merge("rows" profile_rows) (
  SFUNC = profile_rows_merge, STYPE = profile_rows, COMBINEFUNC = profile_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(profile_rows) IS 'The customers of many parts, which must have the same options.';

CREATE TYPE profile_assignment AS (code text, distance double precision, confidence double precision, next text);
COMMENT ON TYPE profile_assignment IS
  'The profile of a customer: its code, the distance from its centre, the confidence, and the next profile.';
COMMENT ON COLUMN profile_assignment.code IS 'The nearest profile; for a mixture the most probable.';
COMMENT ON COLUMN profile_assignment.distance IS 'From the centre, in the units of the fit: standard deviations if standardised.';
COMMENT ON COLUMN profile_assignment.confidence IS
  '1 - distance / distance to the next centre: 0 on the border, 1 at the centre. For a mixture the posterior probability.';
COMMENT ON COLUMN profile_assignment.next IS 'The second nearest, or second most probable.';
CREATE FUNCTION profile_assign(model jsonb, features double precision[]) RETURNS profile_assignment
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'profile_assign_array_wrapper';
CREATE FUNCTION profile_assign(model jsonb, features jsonb) RETURNS profile_assignment
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 40 AS 'MODULE_PATHNAME', 'profile_assign_named_wrapper';
COMMENT ON FUNCTION profile_assign(jsonb, double precision[]) IS
  'The profile of a customer under a model of fit_profile. Means stand in for missing features; NULL if all are missing.';
COMMENT ON FUNCTION profile_assign(jsonb, jsonb) IS
  'The profile of a customer under a model of fit_profile, by named features. Means stand in for missing ones; NULL if all are missing.';

CREATE FUNCTION profile_describe(model jsonb) RETURNS TABLE (
  code text, name text, name_fr text, customers bigint, share double precision, feature text, category text,
  centre double precision, population double precision, lift double precision, deviation double precision
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 40 AS 'MODULE_PATHNAME', 'profile_describe_wrapper';
COMMENT ON FUNCTION profile_describe(jsonb) IS
  'What is typical of each profile: a suggested name, and per feature (or category) its centre, that of everybody, their ratio (lift) and their difference in standard deviations.';
CREATE FUNCTION profile_quality(model jsonb) RETURNS TABLE (measure text, code text, value double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 AS 'MODULE_PATHNAME', 'profile_quality_wrapper';
COMMENT ON FUNCTION profile_quality(jsonb) IS
  'How good a model of profiles is: silhouette, inertia or log-likelihood, stability and others; with a code, of one profile.';
