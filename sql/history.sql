-- purchase_history: what a customer bought, day by day, as one value.

CREATE TYPE purchase_history;

CREATE FUNCTION purchase_history_in(cstring) RETURNS purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_in_wrapper';
CREATE FUNCTION purchase_history_out(purchase_history) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_out_wrapper';
CREATE FUNCTION purchase_history_recv(internal) RETURNS purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_recv_wrapper';
-- The packed form is canonical bytes, so sending, comparing and hashing are those of bytea.
CREATE FUNCTION purchase_history_send(purchase_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';

CREATE TYPE purchase_history (
  INPUT = purchase_history_in,
  OUTPUT = purchase_history_out,
  RECEIVE = purchase_history_recv,
  SEND = purchase_history_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE purchase_history IS
  'For each day: number of purchases and amount (four decimals). Written {day:purchases:amount,...}.';
COMMENT ON FUNCTION purchase_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION purchase_history_out(purchase_history) IS 'I/O';
COMMENT ON FUNCTION purchase_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION purchase_history_send(purchase_history) IS 'I/O';

CREATE FUNCTION purchase_history_eq(purchase_history, purchase_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION purchase_history_ne(purchase_history, purchase_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION purchase_history_hash(purchase_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION purchase_history_hash_extended(purchase_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION purchase_history_eq(purchase_history, purchase_history) IS 'implementation of = operator';
COMMENT ON FUNCTION purchase_history_ne(purchase_history, purchase_history) IS 'implementation of <> operator';
COMMENT ON FUNCTION purchase_history_hash(purchase_history) IS 'hash';
COMMENT ON FUNCTION purchase_history_hash_extended(purchase_history, bigint) IS 'hash';

CREATE OPERATOR = (
  LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR <> (
  LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR = (purchase_history, purchase_history) IS 'equal';
COMMENT ON OPERATOR <> (purchase_history, purchase_history) IS 'not equal';
CREATE OPERATOR CLASS purchase_history_ops DEFAULT FOR TYPE purchase_history USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 purchase_history_hash(purchase_history),
  FUNCTION 2 purchase_history_hash_extended(purchase_history, bigint);
COMMENT ON OPERATOR CLASS purchase_history_ops USING hash IS 'equality of purchase histories';

CREATE FUNCTION purchase_history_json(history purchase_history) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_json_wrapper';
COMMENT ON FUNCTION purchase_history_json(purchase_history) IS 'JSON text behind the cast to jsonb';
CREATE FUNCTION to_jsonb(history purchase_history) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN purchase_history_json(history)::jsonb;
COMMENT ON FUNCTION to_jsonb(purchase_history) IS
  'Array of {day, purchases, amount}, in order of day.';
CREATE CAST (purchase_history AS jsonb) WITH FUNCTION to_jsonb(purchase_history);
COMMENT ON CAST (purchase_history AS jsonb) IS 'array of {day, purchases, amount}, in order of day';
CREATE CAST (purchase_history AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (purchase_history AS bytea) IS 'the packed bytes';

-- Aggregates. The state is a purchase_history in growing form, packed by the final function.

CREATE FUNCTION history_absorb(purchase_history, purchase_history) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_absorb_wrapper';
CREATE FUNCTION history_final(purchase_history) RETURNS purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_final_wrapper';
COMMENT ON FUNCTION history_absorb(purchase_history, purchase_history) IS 'transition of merge, combine function of purchase_history';
COMMENT ON FUNCTION history_final(purchase_history) IS 'final function of purchase_history and merge';

CREATE FUNCTION history_add(purchase_history, date, numeric) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_numeric_wrapper';
CREATE FUNCTION history_add(purchase_history, date, double precision) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_double_wrapper';
CREATE FUNCTION history_add(purchase_history, date, bigint) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_bigint_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamp, numeric) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_numeric_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamp, double precision) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_double_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamp, bigint) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_bigint_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamptz, numeric, text) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_numeric_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamptz, double precision, text) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_double_wrapper';
CREATE FUNCTION history_add(purchase_history, timestamptz, bigint, text) RETURNS purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_bigint_wrapper';
COMMENT ON FUNCTION history_add(purchase_history, date, numeric) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, date, double precision) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, date, bigint) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamp, numeric) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamp, double precision) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamp, bigint) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamptz, numeric, text) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamptz, double precision, text) IS 'transition of purchase_history';
COMMENT ON FUNCTION history_add(purchase_history, timestamptz, bigint, text) IS 'transition of purchase_history';

CREATE AGGREGATE purchase_history(purchased_on date, amount numeric) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_on date, amount double precision) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_on date, amount bigint) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamp, amount numeric) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamp, amount double precision) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamp, amount bigint) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamptz, amount numeric, time_zone text) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamptz, amount double precision, time_zone text) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE purchase_history(purchased_at timestamptz, amount bigint, time_zone text) (
  SFUNC = history_add, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE merge(history purchase_history) (
  SFUNC = history_absorb, STYPE = purchase_history, SSPACE = 128,
  FINALFUNC = history_final, COMBINEFUNC = history_absorb, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(date, numeric) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE purchase_history(date, double precision) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE purchase_history(date, bigint) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE purchase_history(timestamp, numeric) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE purchase_history(timestamp, double precision) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE purchase_history(timestamp, bigint) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE purchase_history(timestamptz, numeric, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE purchase_history(timestamptz, double precision, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE purchase_history(timestamptz, bigint, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE merge(purchase_history) IS
  'One history of many: shops into a customer, contacts into a company, days into a year.';

-- Accessors. A purchase after as_of is as if it were not there.

CREATE FUNCTION until(history purchase_history, until date) RETURNS purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_until_wrapper';
COMMENT ON FUNCTION until(purchase_history, date) IS
  'The history up to and including a day, as known now: rows that arrived or were corrected later are in it.';
CREATE FUNCTION first_purchase(history purchase_history) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_first_purchase_wrapper';
COMMENT ON FUNCTION first_purchase(purchase_history) IS 'Day of the first purchase; NULL without any.';
CREATE FUNCTION last_purchase(history purchase_history) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_last_purchase_wrapper';
COMMENT ON FUNCTION last_purchase(purchase_history) IS 'Day of the last purchase; NULL without any.';
CREATE FUNCTION purchase_days(history purchase_history) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchase_days_wrapper';
COMMENT ON FUNCTION purchase_days(purchase_history) IS 'Number of days with at least one purchase.';
CREATE FUNCTION purchase_days(history purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchase_days_until_wrapper';
COMMENT ON FUNCTION purchase_days(purchase_history, date) IS 'Number of days with at least one purchase, up to as_of.';
CREATE FUNCTION purchases(history purchase_history) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchases_wrapper';
COMMENT ON FUNCTION purchases(purchase_history) IS 'Number of purchases.';
CREATE FUNCTION turnover(history purchase_history, after date DEFAULT '-infinity', until date DEFAULT 'infinity') RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_turnover_wrapper';
COMMENT ON FUNCTION turnover(purchase_history, date, date) IS
  'Turnover, refunds taken off, of the days after the first date up to and including the second.';
CREATE FUNCTION recency(history purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_recency_wrapper';
COMMENT ON FUNCTION recency(purchase_history, date) IS 'Days from the last purchase to as_of; NULL without any.';
CREATE FUNCTION frequency(history purchase_history, as_of date) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_frequency_wrapper';
COMMENT ON FUNCTION frequency(purchase_history, date) IS 'Number of purchases up to as_of, the first included.';
CREATE FUNCTION monetary(history purchase_history, as_of date) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_monetary_wrapper';
COMMENT ON FUNCTION monetary(purchase_history, date) IS 'Turnover up to as_of, refunds taken off.';
CREATE FUNCTION tenure(history purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_tenure_wrapper';
COMMENT ON FUNCTION tenure(purchase_history, date) IS 'Days from the first purchase to as_of; NULL without any.';
CREATE FUNCTION mean_gap(history purchase_history, as_of date DEFAULT 'infinity') RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_mean_gap_wrapper';
COMMENT ON FUNCTION mean_gap(purchase_history, date) IS
  'Mean number of days from one purchase day to the next, up to as_of; NULL with fewer than two.';
CREATE FUNCTION days(history purchase_history) RETURNS TABLE (day date, purchases bigint, amount numeric)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'history_days_wrapper';
COMMENT ON FUNCTION days(purchase_history) IS 'The days of a history as rows, in order.';
