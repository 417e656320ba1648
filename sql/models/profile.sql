-- Profiles: customers who resemble each other, found from their features.

CREATE TYPE segmentation.profile_rows;
CREATE FUNCTION segmentation_internal.profile_rows_in(cstring) RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_in_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_out(segmentation.profile_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.profile_rows_recv(internal) RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_recv_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_send(segmentation.profile_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.profile_rows (
  INPUT = segmentation_internal.profile_rows_in,
  OUTPUT = segmentation_internal.profile_rows_out,
  RECEIVE = segmentation_internal.profile_rows_recv,
  SEND = segmentation_internal.profile_rows_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.profile_rows IS
  'Customers by their features, or a bounded sample of them: what fit_profile needs. Can be stored, merged and fitted '
  'later.';
COMMENT ON FUNCTION segmentation_internal.profile_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.profile_rows_out(segmentation.profile_rows) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.profile_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.profile_rows_send(segmentation.profile_rows) IS 'I/O';

CREATE FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, double precision[])
  RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_array_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, double precision[], jsonb)
  RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_array_options_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, jsonb)
  RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_named_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, jsonb, jsonb)
  RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_add_named_options_wrapper';
CREATE FUNCTION segmentation_internal.profile_rows_merge(segmentation.profile_rows, segmentation.profile_rows)
  RETURNS segmentation.profile_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_rows_merge_wrapper';
CREATE FUNCTION segmentation.fit_profile("rows" segmentation.profile_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'fit_profile_wrapper';
COMMENT ON FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, double precision[]) IS
  'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, double precision[], jsonb) IS
  'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, jsonb) IS
  'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION segmentation_internal.profile_rows_add(segmentation.profile_rows, jsonb, jsonb) IS
  'transition of profile_rows and fit_profile';
COMMENT ON FUNCTION segmentation_internal.profile_rows_merge(segmentation.profile_rows, segmentation.profile_rows) IS
  'combine function of profile_rows and fit_profile';
COMMENT ON FUNCTION segmentation.fit_profile(segmentation.profile_rows) IS
  'The model of customers gathered by profile_rows; see the aggregate fit_profile.';

CREATE AGGREGATE segmentation.profile_rows(features double precision[]) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.profile_rows(double precision[]) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows).';

CREATE AGGREGATE segmentation.profile_rows(features double precision[], options jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.profile_rows(double precision[], jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows). options: method (auto, k_means, '
  'k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, '
  'standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, '
  'diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE segmentation.profile_rows(features jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.profile_rows(jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows).';

CREATE AGGREGATE segmentation.profile_rows(features jsonb, options jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.profile_rows(jsonb, jsonb) IS
  'Customers by their features as a mergeable value, for fit_profile(profile_rows). options: method (auto, k_means, '
  'k_prototypes, gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, '
  'standardize, outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, '
  'diagonal), start, choose_by (silhouette, bic).';

CREATE AGGREGATE segmentation.fit_profile(features double precision[]) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  FINALFUNC = segmentation.fit_profile,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_profile(double precision[]) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian '
  'mixture. The same rows and seed give the same bytes in any order.';

CREATE AGGREGATE segmentation.fit_profile(features double precision[], options jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  FINALFUNC = segmentation.fit_profile,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_profile(double precision[], jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian '
  'mixture. The same rows and seed give the same bytes in any order. options: method (auto, k_means, k_prototypes, '
  'gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, '
  'outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), '
  'start, choose_by (silhouette, bic).';

CREATE AGGREGATE segmentation.fit_profile(features jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  FINALFUNC = segmentation.fit_profile,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_profile(jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian '
  'mixture. The same rows and seed give the same bytes in any order.';

CREATE AGGREGATE segmentation.fit_profile(features jsonb, options jsonb) (
  SFUNC = segmentation_internal.profile_rows_add,
  STYPE = segmentation.profile_rows,
  FINALFUNC = segmentation.fit_profile,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_profile(jsonb, jsonb) IS
  'Profiles of customers as a jsonb model: k-means on numbers, k-prototypes if there are categories, or a Gaussian '
  'mixture. The same rows and seed give the same bytes in any order. options: method (auto, k_means, k_prototypes, '
  'gaussian_mixture), k (a number, or [least, most]), seed, restarts, max_iterations, tolerance, standardize, '
  'outliers (keep, clip), missing (mean, skip), sample, names, categorical, gamma, covariance (full, diagonal), '
  'start, choose_by (silhouette, bic).';

CREATE AGGREGATE segmentation.merge("rows" segmentation.profile_rows) (
  SFUNC = segmentation_internal.profile_rows_merge,
  STYPE = segmentation.profile_rows,
  COMBINEFUNC = segmentation_internal.profile_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.profile_rows) IS
  'The customers of many parts, which must have the same options.';

CREATE TYPE segmentation.profile_assignment AS (
  code text, distance double precision, confidence double precision, next text
);
COMMENT ON TYPE segmentation.profile_assignment IS
  'The profile of a customer: its code, the distance from its centre, the confidence, and the next profile.';
COMMENT ON COLUMN segmentation.profile_assignment.code IS 'The nearest profile; for a mixture the most probable.';
COMMENT ON COLUMN segmentation.profile_assignment.distance IS
  'From the centre, in the units of the fit: standard deviations if standardised.';
COMMENT ON COLUMN segmentation.profile_assignment.confidence IS
  '1 - distance / distance to the next centre: 0 on the border, 1 at the centre. For a mixture the posterior '
  'probability.';
COMMENT ON COLUMN segmentation.profile_assignment.next IS 'The second nearest, or second most probable.';
CREATE FUNCTION segmentation.profile_assign(model jsonb, features double precision[])
  RETURNS segmentation.profile_assignment
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'profile_assign_array_wrapper';
CREATE FUNCTION segmentation.profile_assign(model jsonb, features jsonb) RETURNS segmentation.profile_assignment
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 40 AS 'MODULE_PATHNAME', 'profile_assign_named_wrapper';
COMMENT ON FUNCTION segmentation.profile_assign(jsonb, double precision[]) IS
  'The profile of a customer under a model of fit_profile. Means stand in for missing features; NULL if all are '
  'missing.';
COMMENT ON FUNCTION segmentation.profile_assign(jsonb, jsonb) IS
  'The profile of a customer under a model of fit_profile, by named features. Means stand in for missing ones; NULL '
  'if all are missing.';
CREATE FUNCTION segmentation.profile_assign(model jsonb, features text) RETURNS segmentation.profile_assignment
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE WHEN features ~ '[:"]|^\s*\{\s*\}\s*$' THEN segmentation.profile_assign(model, features::jsonb)
    ELSE segmentation.profile_assign(model, features::double precision[]) END;
COMMENT ON FUNCTION segmentation.profile_assign(jsonb, text) IS
  'The profile of a customer whose features are written as text: an array, {1,2}, or a JSON object.';
CREATE FUNCTION segmentation_internal.profile_assign(model jsonb, company jsonb, attributes jsonb)
  RETURNS segmentation.profile_assignment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'profile_assign_both_wrapper';
COMMENT ON FUNCTION segmentation_internal.profile_assign(jsonb, jsonb, jsonb) IS
  'Part of refresh: the same by the attributes of a customer, and by those of its company that it has not.';

CREATE FUNCTION segmentation.profile_describe(model jsonb) RETURNS TABLE (
  code text, name text, name_fr text, customers bigint, share double precision, feature text, category text,
  centre double precision, population double precision, lift double precision, deviation double precision
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 40 AS 'MODULE_PATHNAME', 'profile_describe_wrapper';
COMMENT ON FUNCTION segmentation.profile_describe(jsonb) IS
  'What is typical of each profile: a suggested name, and per feature (or category) its centre, that of everybody, '
  'their ratio (lift) and their difference in standard deviations.';
CREATE FUNCTION segmentation.profile_quality(model jsonb)
RETURNS TABLE (
  measure text, code text, value double precision
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 AS 'MODULE_PATHNAME', 'profile_quality_wrapper';
COMMENT ON FUNCTION segmentation.profile_quality(jsonb) IS
  'How good a model of profiles is: silhouette, inertia or log-likelihood, stability and others; with a code, of one '
  'profile.';
CREATE FUNCTION segmentation.profile_map(model jsonb)
  RETURNS TABLE (
    code text,
    customers bigint,
    share double precision,
    x double precision,
    y double precision,
    spread_x double precision,
    spread_y double precision,
    explained_x double precision,
    explained_y double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 8 AS 'MODULE_PATHNAME', 'profile_map_wrapper';
COMMENT ON FUNCTION segmentation.profile_map(jsonb) IS
  'The profiles on a plane, for pictures: each centre and its spread (one standard deviation) on the two principal '
  'components of the centres weighted by customers, in standard deviations of the features; explained_x and '
  'explained_y are the shares of the variance between profiles.';
