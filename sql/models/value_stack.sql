-- Value stacks: the best of candidates for what a customer will bring, judged on days of the past.

CREATE TYPE segmentation.value_stack_rows;
CREATE FUNCTION segmentation_internal.value_stack_rows_in(cstring) RETURNS segmentation.value_stack_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'value_stack_rows_in_wrapper';
CREATE FUNCTION segmentation_internal.value_stack_rows_out(segmentation.value_stack_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.value_stack_rows_recv(internal) RETURNS segmentation.value_stack_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'value_stack_rows_recv_wrapper';
CREATE FUNCTION segmentation_internal.value_stack_rows_send(segmentation.value_stack_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.value_stack_rows (
  INPUT = segmentation_internal.value_stack_rows_in,
  OUTPUT = segmentation_internal.value_stack_rows_out,
  RECEIVE = segmentation_internal.value_stack_rows_recv,
  SEND = segmentation_internal.value_stack_rows_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.value_stack_rows IS
  'A sample of customers with their histories: what fit_value_stack needs of them. Can be stored, merged and fitted '
  'later.';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_out(segmentation.value_stack_rows) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_send(segmentation.value_stack_rows) IS 'I/O';

CREATE FUNCTION segmentation_internal.value_stack_rows_add(
  segmentation.value_stack_rows, segmentation.purchase_history, date
) RETURNS segmentation.value_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'value_stack_rows_add_wrapper';
CREATE FUNCTION segmentation_internal.value_stack_rows_add(
  segmentation.value_stack_rows, segmentation.purchase_history, date, jsonb
) RETURNS segmentation.value_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'value_stack_rows_add_options_wrapper';
CREATE FUNCTION segmentation_internal.value_stack_rows_merge(
  segmentation.value_stack_rows, segmentation.value_stack_rows
) RETURNS segmentation.value_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'value_stack_rows_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_add(
  segmentation.value_stack_rows, segmentation.purchase_history, date
) IS 'transition of value_stack_rows and fit_value_stack';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_add(
  segmentation.value_stack_rows, segmentation.purchase_history, date, jsonb
) IS 'transition of value_stack_rows and fit_value_stack';
COMMENT ON FUNCTION segmentation_internal.value_stack_rows_merge(
  segmentation.value_stack_rows, segmentation.value_stack_rows
) IS 'combine function of value_stack_rows and fit_value_stack';

CREATE AGGREGATE segmentation.value_stack_rows(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.value_stack_rows_add,
  STYPE = segmentation.value_stack_rows,
  COMBINEFUNC = segmentation_internal.value_stack_rows_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.value_stack_rows(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.value_stack_rows_add,
  STYPE = segmentation.value_stack_rows,
  COMBINEFUNC = segmentation_internal.value_stack_rows_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.merge(rows segmentation.value_stack_rows) (
  SFUNC = segmentation_internal.value_stack_rows_merge,
  STYPE = segmentation.value_stack_rows,
  COMBINEFUNC = segmentation_internal.value_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.value_stack_rows(segmentation.purchase_history, date) IS
  'The customers as a mergeable value, for fit_value_stack(value_stack_rows).';
COMMENT ON AGGREGATE segmentation.value_stack_rows(segmentation.purchase_history, date, jsonb) IS
  'The customers as a mergeable value, for fit_value_stack(value_stack_rows), with options.';
COMMENT ON AGGREGATE segmentation.merge(segmentation.value_stack_rows) IS
  'The customers of many parts, which must have the same as_of and options.';

CREATE FUNCTION segmentation.fit_value_stack(rows segmentation.value_stack_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_value_stack_wrapper';
COMMENT ON FUNCTION segmentation.fit_value_stack(segmentation.value_stack_rows) IS
  'The stack of customers gathered by value_stack_rows; see the aggregate fit_value_stack.';
CREATE AGGREGATE segmentation.fit_value_stack(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.value_stack_rows_add,
  STYPE = segmentation.value_stack_rows,
  FINALFUNC = segmentation.fit_value_stack,
  COMBINEFUNC = segmentation_internal.value_stack_rows_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.fit_value_stack(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.value_stack_rows_add,
  STYPE = segmentation.value_stack_rows,
  FINALFUNC = segmentation.fit_value_stack,
  COMBINEFUNC = segmentation_internal.value_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_value_stack(segmentation.purchase_history, date) IS
  'Model of what customers bring within 365 days: the best of purchase model x spend model, last year''s turnover, '
  'their mean and a regression, judged on days of the past by rank, total and error; a jsonb value for future_value.';
COMMENT ON AGGREGATE segmentation.fit_value_stack(segmentation.purchase_history, date, jsonb) IS
  'Model of what customers bring within a horizon: the best of purchase model x spend model, last year''s turnover, '
  'their mean and a regression, judged on days of the past by rank, total and error; a jsonb value for future_value. '
  'options: '
  'horizon (365 days), family (mbg_nbd, nbd, bg_nbd, pareto_nbd), spend (options of fit_spend_model), season (auto, '
  'none, or twelve factors by month), sample (50,000 customers).';

CREATE FUNCTION segmentation.future_value(
  model jsonb, history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'future_value_stack_wrapper';
COMMENT ON FUNCTION segmentation.future_value(
  jsonb, segmentation.purchase_history, date, jsonb
) IS
  'Expected value of a customer within the horizon of a model of fit_value_stack after as_of, x margin, discounted '
  'continuously at ln(1 + discount_rate) a year. options: discount_rate (0.10 a year), margin (1).';
