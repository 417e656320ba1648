-- Spend models, and what customers are worth.

CREATE TYPE segmentation.spend_cells;
CREATE FUNCTION segmentation_internal.spend_cells_in(cstring) RETURNS segmentation.spend_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_cells_in_wrapper';
CREATE FUNCTION segmentation_internal.spend_cells_out(segmentation.spend_cells) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.spend_cells_recv(internal) RETURNS segmentation.spend_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_cells_recv_wrapper';
CREATE FUNCTION segmentation_internal.spend_cells_send(segmentation.spend_cells) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.spend_cells (
  INPUT = segmentation_internal.spend_cells_in,
  OUTPUT = segmentation_internal.spend_cells_out,
  RECEIVE = segmentation_internal.spend_cells_recv,
  SEND = segmentation_internal.spend_cells_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.spend_cells IS
  'Customers grouped by number of purchases and spend: what fit_spend_model needs of them. Can be stored, merged and '
  'fitted later.';
COMMENT ON FUNCTION segmentation_internal.spend_cells_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.spend_cells_out(segmentation.spend_cells) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.spend_cells_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.spend_cells_send(segmentation.spend_cells) IS 'I/O';

CREATE FUNCTION segmentation_internal.spend_cells_add(segmentation.spend_cells, segmentation.purchase_history, date)
  RETURNS segmentation.spend_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_cells_add_wrapper';
CREATE FUNCTION segmentation_internal.spend_cells_add(
  segmentation.spend_cells, segmentation.purchase_history, date, jsonb
) RETURNS segmentation.spend_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_cells_add_options_wrapper';
CREATE FUNCTION segmentation_internal.spend_cells_merge(segmentation.spend_cells, segmentation.spend_cells)
  RETURNS segmentation.spend_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_cells_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.spend_cells_add(
  segmentation.spend_cells, segmentation.purchase_history, date
) IS 'transition of spend_cells and fit_spend_model';
COMMENT ON FUNCTION segmentation_internal.spend_cells_add(
  segmentation.spend_cells, segmentation.purchase_history, date, jsonb
) IS 'transition of spend_cells and fit_spend_model';
COMMENT ON FUNCTION segmentation_internal.spend_cells_merge(segmentation.spend_cells, segmentation.spend_cells) IS
  'combine function of spend_cells and fit_spend_model';

CREATE AGGREGATE segmentation.spend_cells(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.spend_cells_add,
  STYPE = segmentation.spend_cells,
  COMBINEFUNC = segmentation_internal.spend_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.spend_cells(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.spend_cells_add,
  STYPE = segmentation.spend_cells,
  COMBINEFUNC = segmentation_internal.spend_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.merge(cells segmentation.spend_cells) (
  SFUNC = segmentation_internal.spend_cells_merge,
  STYPE = segmentation.spend_cells,
  COMBINEFUNC = segmentation_internal.spend_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.spend_cells(segmentation.purchase_history, date) IS
  'The customers as a mergeable value, for fit_spend_model(spend_cells).';
COMMENT ON AGGREGATE segmentation.spend_cells(segmentation.purchase_history, date, jsonb) IS
  'The customers as a mergeable value, for fit_spend_model(spend_cells), with options.';
COMMENT ON AGGREGATE segmentation.merge(segmentation.spend_cells) IS
  'The customers of many parts, which must have the same as_of and options.';

CREATE FUNCTION segmentation.fit_spend_model(cells segmentation.spend_cells) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_spend_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_spend_model(segmentation.spend_cells) IS
  'The model of customers gathered by spend_cells; see the aggregate fit_spend_model.';
CREATE AGGREGATE segmentation.fit_spend_model(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.spend_cells_add,
  STYPE = segmentation.spend_cells,
  FINALFUNC = segmentation.fit_spend_model,
  COMBINEFUNC = segmentation_internal.spend_cells_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.fit_spend_model(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.spend_cells_add,
  STYPE = segmentation.spend_cells,
  FINALFUNC = segmentation.fit_spend_model,
  COMBINEFUNC = segmentation_internal.spend_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_spend_model(segmentation.purchase_history, date) IS
  'Gamma-Gamma model of spend per purchase day, as observed to as_of, net of what was sent back by then: a jsonb '
  'value. By default every day''s amount is read, and how regular a customer''s amounts are differs between customers.';
COMMENT ON AGGREGATE segmentation.fit_spend_model(segmentation.purchase_history, date, jsonb) IS
  'Gamma-Gamma model of spend per purchase day, as observed to as_of, net of what was sent back by then: a jsonb '
  'value. options: family (gamma_gamma_mixture, gamma_gamma_days, or gamma_gamma: the published fit of means), '
  'transactions (repeat: all purchase days but the first; all; every: one-time buyers too; auto: by a back-test), '
  'first_purchase_from, first_purchase_to, penalty.';

CREATE TYPE segmentation.money_interval AS (lower numeric, upper numeric);
COMMENT ON TYPE segmentation.money_interval IS 'Lower and upper end of an interval of money.';

CREATE FUNCTION segmentation.expected_spend(model jsonb, history segmentation.purchase_history, as_of date)
  RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_spend_wrapper';
COMMENT ON FUNCTION segmentation.expected_spend(jsonb, segmentation.purchase_history, date) IS
  'Expected spend of a future purchase day, given what the customer spent before, net of what was sent back. NULL if '
  'the model has no finite mean (q <= 1).';
CREATE FUNCTION segmentation.future_value(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history, as_of date, horizon interval,
  discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1
) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'future_value_wrapper';
COMMENT ON FUNCTION segmentation.future_value(
  jsonb, jsonb, segmentation.purchase_history, date, interval, double precision, double precision
) IS
  'Expected value of a customer within the horizon after as_of: expected purchases x expected spend x margin, '
  'discounted continuously at ln(1 + discount_rate) a year.';
CREATE FUNCTION segmentation.future_value_interval(
  purchase_model jsonb, spend_model jsonb, history segmentation.purchase_history, as_of date, horizon interval,
  discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, level double precision DEFAULT 0.9
) RETURNS segmentation.money_interval
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'future_value_interval_wrapper';
COMMENT ON FUNCTION segmentation.future_value_interval(
  jsonb, jsonb, segmentation.purchase_history, date, interval, double precision, double precision, double precision
) IS
  'Predictive interval of the value of a customer within the horizon: what this customer will bring, given the models.';
