-- Purchase models: how often a customer buys, and whether they still do.

CREATE TYPE segmentation.purchase_cells;
CREATE FUNCTION segmentation_internal.purchase_cells_in(cstring) RETURNS segmentation.purchase_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_in_wrapper';
CREATE FUNCTION segmentation_internal.purchase_cells_out(segmentation.purchase_cells) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.purchase_cells_recv(internal) RETURNS segmentation.purchase_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_recv_wrapper';
CREATE FUNCTION segmentation_internal.purchase_cells_send(segmentation.purchase_cells) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.purchase_cells (
  INPUT = segmentation_internal.purchase_cells_in,
  OUTPUT = segmentation_internal.purchase_cells_out,
  RECEIVE = segmentation_internal.purchase_cells_recv,
  SEND = segmentation_internal.purchase_cells_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.purchase_cells IS
  'Customers grouped by purchase days and dates: what fit_purchase_model needs of them. Can be stored, merged and '
  'fitted later.';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_out(segmentation.purchase_cells) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_send(segmentation.purchase_cells) IS 'I/O';

CREATE FUNCTION segmentation_internal.purchase_cells_add(
  segmentation.purchase_cells, segmentation.purchase_history, date
) RETURNS segmentation.purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_add_wrapper';
CREATE FUNCTION segmentation_internal.purchase_cells_add(
  segmentation.purchase_cells, segmentation.purchase_history, date, jsonb
) RETURNS segmentation.purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_add_options_wrapper';
CREATE FUNCTION segmentation_internal.purchase_cells_merge(segmentation.purchase_cells, segmentation.purchase_cells)
  RETURNS segmentation.purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_add(
  segmentation.purchase_cells, segmentation.purchase_history, date
) IS 'transition of purchase_cells and fit_purchase_model';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_add(
  segmentation.purchase_cells, segmentation.purchase_history, date, jsonb
) IS 'transition of purchase_cells and fit_purchase_model';
COMMENT ON FUNCTION segmentation_internal.purchase_cells_merge(
  segmentation.purchase_cells, segmentation.purchase_cells
) IS 'combine function of purchase_cells and fit_purchase_model';

CREATE AGGREGATE segmentation.purchase_cells(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.purchase_cells_add,
  STYPE = segmentation.purchase_cells,
  COMBINEFUNC = segmentation_internal.purchase_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_cells(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.purchase_cells_add,
  STYPE = segmentation.purchase_cells,
  COMBINEFUNC = segmentation_internal.purchase_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.merge(cells segmentation.purchase_cells) (
  SFUNC = segmentation_internal.purchase_cells_merge,
  STYPE = segmentation.purchase_cells,
  COMBINEFUNC = segmentation_internal.purchase_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.purchase_cells(segmentation.purchase_history, date) IS
  'The customers as a mergeable value, for fit_purchase_model(purchase_cells).';
COMMENT ON AGGREGATE segmentation.purchase_cells(segmentation.purchase_history, date, jsonb) IS
  'The customers as a mergeable value, for fit_purchase_model(purchase_cells), with options.';
COMMENT ON AGGREGATE segmentation.merge(segmentation.purchase_cells) IS
  'The customers of many parts, which must have the same as_of and options.';

CREATE FUNCTION segmentation.fit_purchase_model(cells segmentation.purchase_cells) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_purchase_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_purchase_model(segmentation.purchase_cells) IS
  'The model of customers gathered by purchase_cells; see the aggregate fit_purchase_model.';
CREATE AGGREGATE segmentation.fit_purchase_model(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.purchase_cells_add,
  STYPE = segmentation.purchase_cells,
  FINALFUNC = segmentation.fit_purchase_model,
  COMBINEFUNC = segmentation_internal.purchase_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.fit_purchase_model(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.purchase_cells_add,
  STYPE = segmentation.purchase_cells,
  FINALFUNC = segmentation.fit_purchase_model,
  COMBINEFUNC = segmentation_internal.purchase_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_purchase_model(segmentation.purchase_history, date) IS
  'Purchase model of customers as observed to as_of: a jsonb value with parameters, standard errors, log-likelihood, '
  'customers and warnings. One model a group by GROUP BY.';
COMMENT ON AGGREGATE segmentation.fit_purchase_model(segmentation.purchase_history, date, jsonb) IS
  'Purchase model of customers as observed to as_of: a jsonb value with parameters, standard errors, log-likelihood, '
  'customers and warnings. One model a group by GROUP BY. options: family (auto, nbd, bg_nbd, mbg_nbd, pareto_nbd, '
  'bg_cnbd_k, mbg_cnbd_k), k, unit (default 1 week), first_purchase_from, first_purchase_to, penalty, '
  'horizon (default 90 days: what auto chooses the family by).';

-- Scores. NULL for who has bought nothing by as_of, or by a model that lacked data.
-- COST: a score takes about a hundred times an integer operation.

CREATE TYPE segmentation.prediction_interval AS (lower double precision, upper double precision);
COMMENT ON TYPE segmentation.prediction_interval IS 'Lower and upper end of an interval.';
CREATE TYPE segmentation.next_purchase AS (median date, lower date, upper date, never double precision);
COMMENT ON TYPE segmentation.next_purchase IS
  'The day by which the next purchase is as likely to have come as not (NULL if it will more likely never come), a '
  'predictive interval, and the probability that it never comes.';

CREATE FUNCTION segmentation.churn_probability(
  model jsonb, history segmentation.purchase_history, as_of date, horizon interval
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'churn_probability_purchases_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, segmentation.purchase_history, date, interval) IS
  'Probability of no purchase within the horizon after as_of, under a purchase model. Exact for one-time buyers too.';
CREATE FUNCTION segmentation.alive_probability(model jsonb, history segmentation.purchase_history, as_of date)
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'alive_probability_wrapper';
COMMENT ON FUNCTION segmentation.alive_probability(jsonb, segmentation.purchase_history, date) IS
  'Probability of still being a customer at as_of. Under bg_nbd it is 1 for every one-time buyer: as a score of churn '
  'use churn_probability.';
CREATE FUNCTION segmentation.expected_purchases(
  model jsonb, history segmentation.purchase_history, as_of date, horizon interval
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_purchases_wrapper';
COMMENT ON FUNCTION segmentation.expected_purchases(jsonb, segmentation.purchase_history, date, interval) IS
  'Expected number of purchase days within the horizon after as_of.';
CREATE FUNCTION segmentation.next_purchase(
  model jsonb, history segmentation.purchase_history, as_of date, level double precision DEFAULT 0.9
) RETURNS segmentation.next_purchase
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'next_purchase_wrapper';
COMMENT ON FUNCTION segmentation.next_purchase(jsonb, segmentation.purchase_history, date, double precision) IS
  'When the next purchase comes: median day and predictive interval of the given level.';
CREATE FUNCTION segmentation.purchases_interval(
  model jsonb, history segmentation.purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.9
) RETURNS segmentation.prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'purchases_interval_wrapper';
COMMENT ON FUNCTION segmentation.purchases_interval(
  jsonb, segmentation.purchase_history, date, interval, double precision
) IS
  'Predictive interval of the number of purchase days within the horizon: what this customer will do, given the model.';
CREATE FUNCTION segmentation.churn_probability_confidence(
  model jsonb, history segmentation.purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.95
) RETURNS segmentation.prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'churn_probability_confidence_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability_confidence(
  jsonb, segmentation.purchase_history, date, interval, double precision
) IS
  'Confidence interval of churn_probability from the uncertainty of the parameters (delta method).';
CREATE FUNCTION segmentation.alive_probability_confidence(
  model jsonb, history segmentation.purchase_history, as_of date, level double precision DEFAULT 0.95
) RETURNS segmentation.prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'alive_probability_confidence_wrapper';
COMMENT ON FUNCTION segmentation.alive_probability_confidence(
  jsonb, segmentation.purchase_history, date, double precision
) IS
  'Confidence interval of alive_probability from the uncertainty of the parameters (delta method).';
CREATE FUNCTION segmentation.expected_purchases_confidence(
  model jsonb, history segmentation.purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.95
) RETURNS segmentation.prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'expected_purchases_confidence_wrapper';
COMMENT ON FUNCTION segmentation.expected_purchases_confidence(
  jsonb, segmentation.purchase_history, date, interval, double precision
) IS
  'Confidence interval of expected_purchases from the uncertainty of the parameters (delta method).';
