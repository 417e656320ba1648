-- Loyalty: an index of how long, how often, how regularly and how broadly customers buy.

CREATE TYPE segmentation.loyalty AS (
  tenure integer,
  purchase_days integer,
  regularity double precision,
  clumpiness double precision,
  trend double precision,
  breadth double precision,
  satisfaction double precision,
  share_of_wallet double precision,
  index double precision,
  band text
);
COMMENT ON TYPE segmentation.loyalty IS
  'The components of loyalty, each in its own unit (NULL: not known), an index from 0 to 100, and its band: new, '
  'occasional, regular, loyal, ambassador, or insufficient_data.';

CREATE FUNCTION segmentation.loyalty(
  history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}', breadth double precision DEFAULT NULL,
  satisfaction double precision DEFAULT NULL, share_of_wallet double precision DEFAULT NULL
) RETURNS segmentation.loyalty
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'loyalty_wrapper';
COMMENT ON FUNCTION segmentation.loyalty(
  segmentation.purchase_history, date, jsonb, double precision, double precision, double precision
) IS
  'Loyalty of a customer at a day. breadth, satisfaction, share_of_wallet: 0 to 1, where known. Options: prior, '
  'weights, window, new_days, full_tenure, half_purchase_days, bands.';
CREATE FUNCTION segmentation.loyalty_next_change(
  history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}', breadth double precision DEFAULT NULL,
  satisfaction double precision DEFAULT NULL, share_of_wallet double precision DEFAULT NULL
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'loyalty_next_change_wrapper';
COMMENT ON FUNCTION segmentation.loyalty_next_change(
  segmentation.purchase_history, date, jsonb, double precision, double precision, double precision
) IS
  'The first day after as_of on which the band of loyalty changes if nothing happens, or an earlier day (at most 120 '
  'days on) to look again; NULL: never.';
CREATE FUNCTION segmentation_internal.loyalty_next_change(
  history segmentation.purchase_history, as_of date, options jsonb, breadth double precision,
  satisfaction double precision, share_of_wallet double precision, until date
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'loyalty_next_change_until_wrapper';
COMMENT ON FUNCTION segmentation_internal.loyalty_next_change(
  segmentation.purchase_history, date, jsonb, double precision, double precision, double precision, date
) IS
  'Part of refresh: the same, looked for until a day; a change that comes later may be NULL or any later day.';
CREATE FUNCTION segmentation.loyalty_explain(
  history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}', breadth double precision DEFAULT NULL,
  satisfaction double precision DEFAULT NULL, share_of_wallet double precision DEFAULT NULL, language text DEFAULT 'en'
) RETURNS TABLE (
  component text, value double precision, points double precision, weight double precision,
  contribution double precision, text text
)
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 8 AS 'MODULE_PATHNAME', 'loyalty_explain_wrapper';
COMMENT ON FUNCTION segmentation.loyalty_explain(
  segmentation.purchase_history, date, jsonb, double precision, double precision, double precision, text
) IS
  'Why the loyalty index is what it is: what each component adds to it, the most first, with a sentence (language en '
  'or fr).';

CREATE FUNCTION segmentation_internal.loyalty_prior_add(bytea, segmentation.purchase_history, date) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'loyalty_prior_add_plain_wrapper';
CREATE FUNCTION segmentation_internal.loyalty_prior_add(bytea, segmentation.purchase_history, date, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'loyalty_prior_add_wrapper';
CREATE FUNCTION segmentation_internal.loyalty_prior_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'loyalty_prior_merge_wrapper';
CREATE FUNCTION segmentation_internal.loyalty_prior_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'loyalty_prior_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.loyalty_prior_add(bytea, segmentation.purchase_history, date) IS
  'transition of fit_loyalty_prior';
COMMENT ON FUNCTION segmentation_internal.loyalty_prior_add(bytea, segmentation.purchase_history, date, jsonb) IS
  'transition of fit_loyalty_prior';
COMMENT ON FUNCTION segmentation_internal.loyalty_prior_merge(bytea, bytea) IS 'combine function of fit_loyalty_prior';
COMMENT ON FUNCTION segmentation_internal.loyalty_prior_final(bytea) IS 'final function of fit_loyalty_prior';
CREATE AGGREGATE segmentation.fit_loyalty_prior(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.loyalty_prior_add, STYPE = bytea, FINALFUNC = segmentation_internal.loyalty_prior_final,
  COMBINEFUNC = segmentation_internal.loyalty_prior_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.fit_loyalty_prior(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.loyalty_prior_add, STYPE = bytea, FINALFUNC = segmentation_internal.loyalty_prior_final,
  COMBINEFUNC = segmentation_internal.loyalty_prior_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_loyalty_prior(segmentation.purchase_history, date) IS
  'How long and how regular the gaps between purchase days are in a population, and how much customers differ: the '
  'option "prior" of loyalty, purchase_due and reactivated.';
COMMENT ON AGGREGATE segmentation.fit_loyalty_prior(segmentation.purchase_history, date, jsonb) IS
  'The same with options: least_customers (30), below which there is insufficient data.';

-- Measures by themselves.

CREATE FUNCTION segmentation.gamma_shape(gaps double precision[]) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'gamma_shape_wrapper';
COMMENT ON FUNCTION segmentation.gamma_shape(double precision[]) IS
  'Maximum-likelihood shape of a gamma distribution: 1 at random, above regular, below in bursts. NULL with fewer '
  'than two gaps, or if all are alike.';
CREATE FUNCTION segmentation.clumpiness(events integer[], span integer) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'clumpiness_events_wrapper';
COMMENT ON FUNCTION segmentation.clumpiness(integer[], integer) IS
  'How clumped events at positions 1 to span are: 0 evenly spread, 1 all together (Zhang, Bradlow and Small 2015). '
  'NULL without events.';
CREATE FUNCTION segmentation.clumpiness(history segmentation.purchase_history, "from" date, until date)
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'clumpiness_history_wrapper';
COMMENT ON FUNCTION segmentation.clumpiness(segmentation.purchase_history, date, date) IS
  'How clumped the purchase days of a period are, its first and last day included. Begin on the day after the first '
  'purchase to leave that out, as its authors do.';
CREATE FUNCTION segmentation.clumpiness_critical(events integer, span integer, level double precision DEFAULT 0.95)
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'clumpiness_critical_wrapper';
COMMENT ON FUNCTION segmentation.clumpiness_critical(integer, integer, double precision) IS
  'The clumpiness that so many events placed at random stay below with probability level: by 20,000 draws, always the '
  'same.';
CREATE FUNCTION segmentation.category_breadth(counts jsonb, categories integer) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'category_breadth_wrapper';
COMMENT ON FUNCTION segmentation.category_breadth(jsonb, integer) IS
  'How evenly purchases (by interest_counts) spread over so many categories: entropy over its greatest value, 0 to 1. '
  'NULL without purchases.';

CREATE FUNCTION segmentation.nps_class(score double precision) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nps_class_wrapper';
COMMENT ON FUNCTION segmentation.nps_class(double precision) IS
  'Class of an answer from 0 to 10 to "would you recommend us": promoter (9, 10), passive (7, 8), detractor.';
CREATE FUNCTION segmentation_internal.nps_add(bytea, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nps_add_wrapper';
CREATE FUNCTION segmentation_internal.nps_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nps_merge_wrapper';
CREATE FUNCTION segmentation_internal.nps_final(bytea) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nps_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.nps_add(bytea, double precision) IS 'transition of nps';
COMMENT ON FUNCTION segmentation_internal.nps_merge(bytea, bytea) IS 'combine function of nps';
COMMENT ON FUNCTION segmentation_internal.nps_final(bytea) IS 'final function of nps';
CREATE AGGREGATE segmentation.nps(score double precision) (
  SFUNC = segmentation_internal.nps_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.nps_final,
  COMBINEFUNC = segmentation_internal.nps_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.nps(double precision) IS
  'Net promoter score: the percentage of promoters less that of detractors, -100 to 100. NULL without answers.';
