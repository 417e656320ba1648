-- purchase_history: what a customer bought, day by day, as one value.

CREATE TYPE segmentation.purchase_history;

CREATE FUNCTION segmentation_internal.purchase_history_in(cstring) RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_in_wrapper';
CREATE FUNCTION segmentation_internal.purchase_history_out(segmentation.purchase_history) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_out_wrapper';
CREATE FUNCTION segmentation_internal.purchase_history_recv(internal) RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_recv_wrapper';
-- The packed form is canonical bytes, so comparing and hashing are those of bytea. A state of an aggregate that
-- travels is packed as it is sent.
CREATE FUNCTION segmentation_internal.purchase_history_send(segmentation.purchase_history) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_send_wrapper';

CREATE TYPE segmentation.purchase_history (
  INPUT = segmentation_internal.purchase_history_in,
  OUTPUT = segmentation_internal.purchase_history_out,
  RECEIVE = segmentation_internal.purchase_history_recv,
  SEND = segmentation_internal.purchase_history_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE segmentation.purchase_history IS
  'For each day: number of purchases and amount (four decimals). Written {day:purchases:amount,...}.';
COMMENT ON FUNCTION segmentation_internal.purchase_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_history_out(segmentation.purchase_history) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.purchase_history_send(segmentation.purchase_history) IS 'I/O';

CREATE FUNCTION segmentation_internal.purchase_history_eq(segmentation.purchase_history, segmentation.purchase_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION segmentation_internal.purchase_history_ne(segmentation.purchase_history, segmentation.purchase_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.purchase_history_hash(segmentation.purchase_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.purchase_history_hash_extended(segmentation.purchase_history, bigint)
  RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.purchase_history_eq(
  segmentation.purchase_history, segmentation.purchase_history
) IS 'implementation of = operator';
COMMENT ON FUNCTION segmentation_internal.purchase_history_ne(
  segmentation.purchase_history, segmentation.purchase_history
) IS 'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.purchase_history_hash(segmentation.purchase_history) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.purchase_history_hash_extended(segmentation.purchase_history, bigint) IS
  'hash';

CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.purchase_history,
  RIGHTARG = segmentation.purchase_history,
  FUNCTION = segmentation_internal.purchase_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.purchase_history,
  RIGHTARG = segmentation.purchase_history,
  FUNCTION = segmentation_internal.purchase_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.purchase_history, segmentation.purchase_history) IS 'equal';
COMMENT ON OPERATOR segmentation.<> (segmentation.purchase_history, segmentation.purchase_history) IS 'not equal';
CREATE OPERATOR CLASS segmentation.purchase_history_ops DEFAULT FOR TYPE segmentation.purchase_history USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.purchase_history_hash(segmentation.purchase_history),
  FUNCTION 2 segmentation_internal.purchase_history_hash_extended(segmentation.purchase_history, bigint);
COMMENT ON OPERATOR CLASS segmentation.purchase_history_ops USING hash IS 'equality of purchase histories';

CREATE FUNCTION segmentation_internal.purchase_history_json(history segmentation.purchase_history) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_history_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.purchase_history_json(segmentation.purchase_history) IS
  'JSON text behind the cast to jsonb';
CREATE FUNCTION segmentation.to_jsonb(history segmentation.purchase_history) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN segmentation_internal.purchase_history_json(history)::jsonb;
COMMENT ON FUNCTION segmentation.to_jsonb(segmentation.purchase_history) IS
  'Array of {day, purchases, amount}, in order of day.';
CREATE CAST (segmentation.purchase_history AS jsonb) WITH FUNCTION segmentation.to_jsonb(segmentation.purchase_history);
COMMENT ON CAST (segmentation.purchase_history AS jsonb) IS 'array of {day, purchases, amount}, in order of day';
CREATE CAST (segmentation.purchase_history AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (segmentation.purchase_history AS bytea) IS 'the packed bytes';

-- Aggregates. The state is a purchase_history in growing form, packed by the final function.

CREATE FUNCTION segmentation_internal.history_absorb(segmentation.purchase_history, segmentation.purchase_history)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_absorb_wrapper';
CREATE FUNCTION segmentation_internal.history_final(segmentation.purchase_history) RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.history_absorb(
  segmentation.purchase_history, segmentation.purchase_history
) IS 'transition of merge, combine function of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_final(segmentation.purchase_history) IS
  'final function of purchase_history and merge';

CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, numeric)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_numeric_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, double precision)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_double_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, bigint)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_date_bigint_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, numeric)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_numeric_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, double precision)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_double_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, bigint)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamp_bigint_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamptz, numeric, text)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_numeric_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamptz, double precision, text)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_double_wrapper';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamptz, bigint, text)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_add_timestamptz_bigint_wrapper';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, numeric) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, double precision) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, date, bigint) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, numeric) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, double precision) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamp, bigint) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamptz, numeric, text) IS
  'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(
  segmentation.purchase_history, timestamptz, double precision, text
) IS 'transition of purchase_history';
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, timestamptz, bigint, text) IS
  'transition of purchase_history';

CREATE AGGREGATE segmentation.purchase_history(purchased_on date, amount numeric) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_on date, amount double precision) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_on date, amount bigint) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamp, amount numeric) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamp, amount double precision) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamp, amount bigint) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamptz, amount numeric, time_zone text) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamptz, amount double precision, time_zone text) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.purchase_history(purchased_at timestamptz, amount bigint, time_zone text) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
-- A call with a day as a literal is that of text: there are several types of time, and none is preferred. For literals:
-- what has a type is read faster.
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, numeric)
  RETURNS segmentation.purchase_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN $2 IS NULL OR $3 IS NULL THEN $1 ELSE segmentation_internal.history_absorb($1,
    format('{%s:%s:%s}', btrim($2), ($3 >= 0)::integer, round($3, 4))::segmentation.purchase_history) END;
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, numeric) IS
  'transition of purchase_history';
CREATE AGGREGATE segmentation.purchase_history(purchased_on text, amount numeric) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.purchase_history(text, numeric) IS
  'Purchase history of orders, by the day as it is written, as 2024-01-31.';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, double precision)
  RETURNS segmentation.purchase_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN $2 IS NULL OR $3 IS NULL THEN $1 ELSE segmentation_internal.history_absorb($1,
    format('{%s:%s:%s}', btrim($2), ($3 >= 0)::integer, round($3::numeric, 4))::segmentation.purchase_history) END;
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, double precision) IS
  'transition of purchase_history';
CREATE AGGREGATE segmentation.purchase_history(purchased_on text, amount double precision) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.purchase_history(text, double precision) IS
  'Purchase history of orders, by the day as it is written, as 2024-01-31.';
CREATE FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, bigint)
  RETURNS segmentation.purchase_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN $2 IS NULL OR $3 IS NULL THEN $1 ELSE segmentation_internal.history_absorb($1,
    format('{%s:%s:%s}', btrim($2), ($3 >= 0)::integer, round($3, 4))::segmentation.purchase_history) END;
COMMENT ON FUNCTION segmentation_internal.history_add(segmentation.purchase_history, text, bigint) IS
  'transition of purchase_history';
CREATE AGGREGATE segmentation.purchase_history(purchased_on text, amount bigint) (
  SFUNC = segmentation_internal.history_add, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.purchase_history(text, bigint) IS
  'Purchase history of orders, by the day as it is written, as 2024-01-31.';
CREATE AGGREGATE segmentation.merge(history segmentation.purchase_history) (
  SFUNC = segmentation_internal.history_absorb, STYPE = segmentation.purchase_history, SSPACE = 128,
  FINALFUNC = segmentation_internal.history_final, COMBINEFUNC = segmentation_internal.history_absorb, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.purchase_history(date, numeric) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE segmentation.purchase_history(date, double precision) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE segmentation.purchase_history(date, bigint) IS
  'Purchase history of orders, one row an order; a negative amount is a refund. Rows with a NULL are skipped.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamp, numeric) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamp, double precision) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamp, bigint) IS
  'Purchase history of orders, by the day of a local timestamp.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamptz, numeric, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamptz, double precision, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE segmentation.purchase_history(timestamptz, bigint, text) IS
  'Purchase history of orders, by the day in the given time zone.';
COMMENT ON AGGREGATE segmentation.merge(segmentation.purchase_history) IS
  'One history of many: shops into a customer, contacts into a company, days into a year.';

-- Accessors. A purchase after as_of is as if it were not there.

CREATE FUNCTION segmentation.until(history segmentation.purchase_history, until date)
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_until_wrapper';
COMMENT ON FUNCTION segmentation.until(segmentation.purchase_history, date) IS
  'The history up to and including a day, as known now: rows that arrived or were corrected later are in it.';
CREATE FUNCTION segmentation.first_purchase(history segmentation.purchase_history) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_first_purchase_wrapper';
COMMENT ON FUNCTION segmentation.first_purchase(segmentation.purchase_history) IS
  'Day of the first purchase; NULL without any.';
CREATE FUNCTION segmentation.last_purchase(history segmentation.purchase_history) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_last_purchase_wrapper';
COMMENT ON FUNCTION segmentation.last_purchase(segmentation.purchase_history) IS
  'Day of the last purchase; NULL without any.';
CREATE FUNCTION segmentation.purchase_days(history segmentation.purchase_history) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchase_days_wrapper';
COMMENT ON FUNCTION segmentation.purchase_days(segmentation.purchase_history) IS
  'Number of days with at least one purchase.';
CREATE FUNCTION segmentation.purchase_days(history segmentation.purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchase_days_until_wrapper';
COMMENT ON FUNCTION segmentation.purchase_days(segmentation.purchase_history, date) IS
  'Number of days with at least one purchase, up to as_of.';
CREATE FUNCTION segmentation.purchases(history segmentation.purchase_history) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_purchases_wrapper';
COMMENT ON FUNCTION segmentation.purchases(segmentation.purchase_history) IS 'Number of purchases.';
CREATE FUNCTION segmentation.turnover(
  history segmentation.purchase_history, after date DEFAULT '-infinity', until date DEFAULT 'infinity'
) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_turnover_wrapper';
COMMENT ON FUNCTION segmentation.turnover(segmentation.purchase_history, date, date) IS
  'Turnover, refunds taken off, of the days after the first date up to and including the second.';
CREATE FUNCTION segmentation.recency(history segmentation.purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_recency_wrapper';
COMMENT ON FUNCTION segmentation.recency(segmentation.purchase_history, date) IS
  'Days from the last purchase to as_of; NULL without any.';
CREATE FUNCTION segmentation.frequency(history segmentation.purchase_history, as_of date) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_frequency_wrapper';
COMMENT ON FUNCTION segmentation.frequency(segmentation.purchase_history, date) IS
  'Number of purchases up to as_of, the first included.';
CREATE FUNCTION segmentation.monetary(history segmentation.purchase_history, as_of date) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_monetary_wrapper';
COMMENT ON FUNCTION segmentation.monetary(segmentation.purchase_history, date) IS
  'Turnover up to as_of, refunds taken off.';
CREATE FUNCTION segmentation.tenure(history segmentation.purchase_history, as_of date) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_tenure_wrapper';
COMMENT ON FUNCTION segmentation.tenure(segmentation.purchase_history, date) IS
  'Days from the first purchase to as_of; NULL without any.';
CREATE FUNCTION segmentation.mean_gap(history segmentation.purchase_history, as_of date DEFAULT 'infinity')
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_mean_gap_wrapper';
COMMENT ON FUNCTION segmentation.mean_gap(segmentation.purchase_history, date) IS
  'Mean number of days from one purchase day to the next, up to as_of; NULL with fewer than two.';
CREATE FUNCTION segmentation.days(history segmentation.purchase_history)
RETURNS TABLE (
  day date, purchases bigint, amount numeric
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'history_days_wrapper';
COMMENT ON FUNCTION segmentation.days(segmentation.purchase_history) IS 'The days of a history as rows, in order.';
