-- Interest profiles: what customers care for, from the categories they buy.

CREATE FUNCTION segmentation_internal.interest_counts_add(bytea, text) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_counts_add_wrapper';
CREATE FUNCTION segmentation_internal.interest_counts_add(bytea, text, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_counts_add_weight_wrapper';
CREATE FUNCTION segmentation_internal.interest_counts_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_counts_merge_wrapper';
CREATE FUNCTION segmentation_internal.interest_counts_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_counts_final_wrapper';
CREATE FUNCTION segmentation_internal.interest_population_add(bytea, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_population_add_wrapper';
CREATE FUNCTION segmentation_internal.interest_population_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_population_merge_wrapper';
CREATE FUNCTION segmentation_internal.interest_population_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interest_population_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.interest_counts_add(bytea, text) IS 'transition of interest_counts';
COMMENT ON FUNCTION segmentation_internal.interest_counts_add(bytea, text, double precision) IS
  'transition of interest_counts';
COMMENT ON FUNCTION segmentation_internal.interest_counts_merge(bytea, bytea) IS 'combine function of interest_counts';
COMMENT ON FUNCTION segmentation_internal.interest_counts_final(bytea) IS 'final function of interest_counts';
COMMENT ON FUNCTION segmentation_internal.interest_population_add(bytea, jsonb) IS 'transition of fit_interest_model';
COMMENT ON FUNCTION segmentation_internal.interest_population_merge(bytea, bytea) IS
  'combine function of fit_interest_model';
COMMENT ON FUNCTION segmentation_internal.interest_population_final(bytea) IS 'final function of fit_interest_model';

CREATE AGGREGATE segmentation.interest_counts(category text) (
  SFUNC = segmentation_internal.interest_counts_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.interest_counts_final,
  COMBINEFUNC = segmentation_internal.interest_counts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.interest_counts(text) IS
  'Purchases of a customer by category, as {"category": n}. NULL is left out.';
CREATE AGGREGATE segmentation.interest_counts(category text, weight double precision) (
  SFUNC = segmentation_internal.interest_counts_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.interest_counts_final,
  COMBINEFUNC = segmentation_internal.interest_counts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.interest_counts(text, double precision) IS
  'Purchases of a customer by category, each counted as its weight (a quantity, 0 or above).';
CREATE AGGREGATE segmentation.fit_interest_model(counts jsonb) (
  SFUNC = segmentation_internal.interest_population_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.interest_population_final,
  COMBINEFUNC = segmentation_internal.interest_population_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_interest_model(jsonb) IS
  'Shares of the categories among all customers, and how strongly a customer is drawn towards them (a Dirichlet '
  'prior, by moments), from the interest_counts of each.';
CREATE FUNCTION segmentation.interest_shares(model jsonb, counts jsonb) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'interest_shares_wrapper';
COMMENT ON FUNCTION segmentation.interest_shares(jsonb, jsonb) IS
  'The shrunk share of every category for a customer: features for fit_profile.';
CREATE FUNCTION segmentation.interest_profile(model jsonb, counts jsonb) RETURNS TABLE (
  category text, n double precision, share double precision, population double precision,
  shrunk double precision, lift double precision
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'interest_profile_wrapper';
COMMENT ON FUNCTION segmentation.interest_profile(jsonb, jsonb) IS
  'What a customer cares for more than others do, the most particular first: own share, that of everybody, the shrunk '
  'share, and its ratio to everybody''s.';
