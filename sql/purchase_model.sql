-- Purchase models: how often a customer buys, and whether they still do.

CREATE TYPE purchase_cells;
CREATE FUNCTION purchase_cells_in(cstring) RETURNS purchase_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_in_wrapper';
CREATE FUNCTION purchase_cells_out(purchase_cells) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION purchase_cells_recv(internal) RETURNS purchase_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_recv_wrapper';
CREATE FUNCTION purchase_cells_send(purchase_cells) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE purchase_cells (
  INPUT = purchase_cells_in, OUTPUT = purchase_cells_out, RECEIVE = purchase_cells_recv, SEND = purchase_cells_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE purchase_cells IS
  'Customers grouped by purchase days and dates: what fit_purchase_model needs of them. Can be stored, merged and fitted later.';
COMMENT ON FUNCTION purchase_cells_in(cstring) IS 'I/O';
COMMENT ON FUNCTION purchase_cells_out(purchase_cells) IS 'I/O';
COMMENT ON FUNCTION purchase_cells_recv(internal) IS 'I/O';
COMMENT ON FUNCTION purchase_cells_send(purchase_cells) IS 'I/O';

CREATE FUNCTION purchase_cells_add(purchase_cells, purchase_history, date) RETURNS purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_add_wrapper';
CREATE FUNCTION purchase_cells_add(purchase_cells, purchase_history, date, jsonb) RETURNS purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_add_options_wrapper';
CREATE FUNCTION purchase_cells_merge(purchase_cells, purchase_cells) RETURNS purchase_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_cells_merge_wrapper';
COMMENT ON FUNCTION purchase_cells_add(purchase_cells, purchase_history, date) IS 'transition of purchase_cells and fit_purchase_model';
COMMENT ON FUNCTION purchase_cells_add(purchase_cells, purchase_history, date, jsonb) IS 'transition of purchase_cells and fit_purchase_model';
COMMENT ON FUNCTION purchase_cells_merge(purchase_cells, purchase_cells) IS 'combine function of purchase_cells and fit_purchase_model';

CREATE AGGREGATE purchase_cells(history purchase_history, as_of date) (
  SFUNC = purchase_cells_add, STYPE = purchase_cells, COMBINEFUNC = purchase_cells_merge, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_cells(history purchase_history, as_of date, options jsonb) (
  SFUNC = purchase_cells_add, STYPE = purchase_cells, COMBINEFUNC = purchase_cells_merge, PARALLEL = SAFE
);
CREATE AGGREGATE merge(cells purchase_cells) (
  SFUNC = purchase_cells_merge, STYPE = purchase_cells, COMBINEFUNC = purchase_cells_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_cells(purchase_history, date) IS 'The customers as a mergeable value, for fit_purchase_model(purchase_cells).';
COMMENT ON AGGREGATE purchase_cells(purchase_history, date, jsonb) IS 'The customers as a mergeable value, for fit_purchase_model(purchase_cells), with options.';
COMMENT ON AGGREGATE merge(purchase_cells) IS 'The customers of many parts, which must have the same as_of and options.';

CREATE FUNCTION fit_purchase_model(cells purchase_cells) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_purchase_model_wrapper';
COMMENT ON FUNCTION fit_purchase_model(purchase_cells) IS 'The model of customers gathered by purchase_cells; see the aggregate fit_purchase_model.';
CREATE AGGREGATE fit_purchase_model(history purchase_history, as_of date) (
  SFUNC = purchase_cells_add, STYPE = purchase_cells, FINALFUNC = fit_purchase_model, COMBINEFUNC = purchase_cells_merge, PARALLEL = SAFE
);
CREATE AGGREGATE fit_purchase_model(history purchase_history, as_of date, options jsonb) (
  SFUNC = purchase_cells_add, STYPE = purchase_cells, FINALFUNC = fit_purchase_model, COMBINEFUNC = purchase_cells_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_purchase_model(purchase_history, date) IS
  'Purchase model of customers as observed to as_of: a jsonb value with parameters, standard errors, log-likelihood, customers and warnings. One model a group by GROUP BY.';
COMMENT ON AGGREGATE fit_purchase_model(purchase_history, date, jsonb) IS
  'Purchase model of customers as observed to as_of: a jsonb value with parameters, standard errors, log-likelihood, customers and warnings. One model a group by GROUP BY. options: family (auto, nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k), k, unit (default 1 week), first_purchase_from, first_purchase_to, penalty, holdout.';

-- Scores. NULL for who has bought nothing by as_of, or by a model that lacked data.
-- COST: a score takes about a hundred times an integer operation.

CREATE TYPE prediction_interval AS (lower double precision, upper double precision);
COMMENT ON TYPE prediction_interval IS 'Lower and upper end of an interval.';
CREATE TYPE next_purchase AS (median date, lower date, upper date, never double precision);
COMMENT ON TYPE next_purchase IS
  'The day by which the next purchase is as likely to have come as not (NULL if it will more likely never come), a predictive interval, and the probability that it never comes.';

CREATE FUNCTION churn_probability(model jsonb, history purchase_history, as_of date, horizon interval) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'churn_probability_purchases_wrapper';
COMMENT ON FUNCTION churn_probability(jsonb, purchase_history, date, interval) IS
  'Probability of no purchase within the horizon after as_of, under a purchase model. Exact for one-time buyers too.';
CREATE FUNCTION alive_probability(model jsonb, history purchase_history, as_of date) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'alive_probability_wrapper';
COMMENT ON FUNCTION alive_probability(jsonb, purchase_history, date) IS
  'Probability of still being a customer at as_of. Under bg_nbd it is 1 for every one-time buyer: as a score of churn use churn_probability.';
CREATE FUNCTION expected_purchases(model jsonb, history purchase_history, as_of date, horizon interval) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_purchases_wrapper';
COMMENT ON FUNCTION expected_purchases(jsonb, purchase_history, date, interval) IS
  'Expected number of purchase days within the horizon after as_of.';
CREATE FUNCTION next_purchase(model jsonb, history purchase_history, as_of date, level double precision DEFAULT 0.9) RETURNS next_purchase
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'next_purchase_wrapper';
COMMENT ON FUNCTION next_purchase(jsonb, purchase_history, date, double precision) IS
  'When the next purchase comes: median day and predictive interval of the given level.';
CREATE FUNCTION purchases_interval(model jsonb, history purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.9) RETURNS prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'purchases_interval_wrapper';
COMMENT ON FUNCTION purchases_interval(jsonb, purchase_history, date, interval, double precision) IS
  'Predictive interval of the number of purchase days within the horizon: what this customer will do, given the model.';
CREATE FUNCTION churn_probability_confidence(model jsonb, history purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.95) RETURNS prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'churn_probability_confidence_wrapper';
COMMENT ON FUNCTION churn_probability_confidence(jsonb, purchase_history, date, interval, double precision) IS
  'Confidence interval of churn_probability from the uncertainty of the parameters (delta method).';
CREATE FUNCTION alive_probability_confidence(model jsonb, history purchase_history, as_of date, level double precision DEFAULT 0.95) RETURNS prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'alive_probability_confidence_wrapper';
COMMENT ON FUNCTION alive_probability_confidence(jsonb, purchase_history, date, double precision) IS
  'Confidence interval of alive_probability from the uncertainty of the parameters (delta method).';
CREATE FUNCTION expected_purchases_confidence(model jsonb, history purchase_history, as_of date, horizon interval, level double precision DEFAULT 0.95) RETURNS prediction_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'expected_purchases_confidence_wrapper';
COMMENT ON FUNCTION expected_purchases_confidence(jsonb, purchase_history, date, interval, double precision) IS
  'Confidence interval of expected_purchases from the uncertainty of the parameters (delta method).';
