-- Churn stacks: the best of candidates for the probability of no purchase, judged on days of the past.

CREATE TYPE segmentation.churn_stack_rows;
CREATE FUNCTION segmentation_internal.churn_stack_rows_in(cstring) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_in_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_out(segmentation.churn_stack_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.churn_stack_rows_recv(internal) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_recv_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_send(segmentation.churn_stack_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.churn_stack_rows (
  INPUT = segmentation_internal.churn_stack_rows_in,
  OUTPUT = segmentation_internal.churn_stack_rows_out,
  RECEIVE = segmentation_internal.churn_stack_rows_recv,
  SEND = segmentation_internal.churn_stack_rows_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.churn_stack_rows IS
  'A sample of customers with their histories: what fit_churn_stack needs of them. Can be stored, merged and fitted '
  'later.';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_out(segmentation.churn_stack_rows) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_send(segmentation.churn_stack_rows) IS 'I/O';

CREATE FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, date
) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_add_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, date, jsonb
) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_add_options_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, segmentation.contact_history,
  segmentation.interaction_history, date
) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_add_events_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, segmentation.contact_history,
  segmentation.interaction_history, date, jsonb
) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_add_events_options_wrapper';
CREATE FUNCTION segmentation_internal.churn_stack_rows_merge(
  segmentation.churn_stack_rows, segmentation.churn_stack_rows
) RETURNS segmentation.churn_stack_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_stack_rows_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, date
) IS 'transition of churn_stack_rows and fit_churn_stack';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, date, jsonb
) IS 'transition of churn_stack_rows and fit_churn_stack';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, segmentation.contact_history,
  segmentation.interaction_history, date
) IS 'transition of churn_stack_rows and fit_churn_stack';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_add(
  segmentation.churn_stack_rows, segmentation.purchase_history, segmentation.contact_history,
  segmentation.interaction_history, date, jsonb
) IS 'transition of churn_stack_rows and fit_churn_stack';
COMMENT ON FUNCTION segmentation_internal.churn_stack_rows_merge(
  segmentation.churn_stack_rows, segmentation.churn_stack_rows
) IS 'combine function of churn_stack_rows and fit_churn_stack';

CREATE AGGREGATE segmentation.churn_stack_rows(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_stack_rows(segmentation.purchase_history, date) IS
  'The customers as a mergeable value, for fit_churn_stack(churn_stack_rows), without options.';
CREATE AGGREGATE segmentation.churn_stack_rows(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_stack_rows(segmentation.purchase_history, date, jsonb) IS
  'The customers as a mergeable value, for fit_churn_stack(churn_stack_rows), with options.';
CREATE AGGREGATE segmentation.churn_stack_rows(
  history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date
) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_stack_rows(
  segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date
) IS
  'The customers as a mergeable value, for fit_churn_stack(churn_stack_rows), with contacts and interactions.';
CREATE AGGREGATE segmentation.churn_stack_rows(
  history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, options jsonb
) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_stack_rows(
  segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date, jsonb
) IS
  'The customers as a mergeable value, for fit_churn_stack(churn_stack_rows), with contacts, '
  'interactions and options.';
CREATE AGGREGATE segmentation.merge(rows segmentation.churn_stack_rows) (
  SFUNC = segmentation_internal.churn_stack_rows_merge,
  STYPE = segmentation.churn_stack_rows,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.churn_stack_rows) IS
  'The customers of many parts, which must have the same as_of and options.';

CREATE FUNCTION segmentation.fit_churn_stack(rows segmentation.churn_stack_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_churn_stack_wrapper';
COMMENT ON FUNCTION segmentation.fit_churn_stack(segmentation.churn_stack_rows) IS
  'The stack of customers gathered by churn_stack_rows; see the aggregate fit_churn_stack.';
CREATE AGGREGATE segmentation.fit_churn_stack(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  FINALFUNC = segmentation.fit_churn_stack,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_stack(segmentation.purchase_history, date) IS
  'The best of candidates for the probability of no purchase within a horizon (90 days), judged on inner days before '
  'as_of: a jsonb value with the candidate, coefficients, purchase models, quality out of time and warnings.';
CREATE AGGREGATE segmentation.fit_churn_stack(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  FINALFUNC = segmentation.fit_churn_stack,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_stack(segmentation.purchase_history, date, jsonb) IS
  'The best of candidates for the probability of no purchase within a horizon (90 days), judged on inner days before '
  'as_of: a jsonb value with the candidate, coefficients, purchase models, quality out of time and warnings. '
  'options: horizon, lost, families, features, sample.';
CREATE AGGREGATE segmentation.fit_churn_stack(
  history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date
) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  FINALFUNC = segmentation.fit_churn_stack,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_stack(
  segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date
) IS
  'The best of candidates for the probability of no purchase within a horizon (90 days), judged on inner days before '
  'as_of: a jsonb value with the candidate, coefficients, purchase models, quality out of time and warnings. '
  'Contacts and interactions are features too.';
CREATE AGGREGATE segmentation.fit_churn_stack(
  history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, options jsonb
) (
  SFUNC = segmentation_internal.churn_stack_rows_add,
  STYPE = segmentation.churn_stack_rows,
  FINALFUNC = segmentation.fit_churn_stack,
  COMBINEFUNC = segmentation_internal.churn_stack_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_stack(
  segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date, jsonb
) IS
  'The best of candidates for the probability of no purchase within a horizon (90 days), judged on inner days before '
  'as_of: a jsonb value with the candidate, coefficients, purchase models, quality out of time and warnings. '
  'Contacts and interactions are features too. options: horizon, lost, families, features, sample.';

-- Scores. NULL for who has bought nothing by as_of, or by a stack that lacked data.

CREATE FUNCTION segmentation.churn_probability(model jsonb, history segmentation.purchase_history, as_of date)
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 150 AS 'MODULE_PATHNAME', 'churn_probability_stack_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, segmentation.purchase_history, date) IS
  'Probability of no purchase within the horizon of a churn stack after as_of.';
CREATE FUNCTION segmentation.churn_probability(
  model jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date
) RETURNS double precision
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'churn_probability_stack_events_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability(
  jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date
) IS
  'The same by a churn stack that knows contacts and interactions. Who has none may have NULL for them.';
CREATE FUNCTION segmentation.churn_explain(
  model jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, language text DEFAULT 'en'
) RETURNS TABLE (feature text, value text, contribution double precision, odds_ratio double precision, words text)
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 5 AS 'MODULE_PATHNAME', 'churn_explain_stack_wrapper';
COMMENT ON FUNCTION segmentation.churn_explain(
  jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date, text
) IS
  'What drives the probability of a churn stack for a customer, against the average customer: recency, purchases, '
  'spend, the purchase model and so on, the strongest first, with a sentence (language en or fr).';
