-- item_history: for each item, the days on which a customer bought it, as one value.

CREATE TYPE segmentation.item_history;

CREATE FUNCTION segmentation_internal.item_history_in(cstring) RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_in_wrapper';
CREATE FUNCTION segmentation_internal.item_history_out(segmentation.item_history) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_out_wrapper';
CREATE FUNCTION segmentation_internal.item_history_recv(internal) RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_recv_wrapper';
-- The packed form is canonical bytes, so comparing and hashing are those of bytea. A state of an aggregate that
-- travels is packed as it is sent.
CREATE FUNCTION segmentation_internal.item_history_send(segmentation.item_history) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_send_wrapper';

CREATE TYPE segmentation.item_history (
  INPUT = segmentation_internal.item_history_in,
  OUTPUT = segmentation_internal.item_history_out,
  RECEIVE = segmentation_internal.item_history_recv,
  SEND = segmentation_internal.item_history_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE segmentation.item_history IS
  'For each item and day: purchases, quantity, amount. Written as a JSON list of [item, day, purchases, quantity, '
  'amount].';
COMMENT ON FUNCTION segmentation_internal.item_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.item_history_out(segmentation.item_history) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.item_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.item_history_send(segmentation.item_history) IS 'I/O';

CREATE FUNCTION segmentation_internal.item_history_eq(segmentation.item_history, segmentation.item_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION segmentation_internal.item_history_ne(segmentation.item_history, segmentation.item_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.item_history_hash(segmentation.item_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.item_history_hash_extended(segmentation.item_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.item_history_eq(segmentation.item_history, segmentation.item_history) IS
  'implementation of = operator';
COMMENT ON FUNCTION segmentation_internal.item_history_ne(segmentation.item_history, segmentation.item_history) IS
  'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.item_history_hash(segmentation.item_history) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.item_history_hash_extended(segmentation.item_history, bigint) IS 'hash';

CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.item_history,
  RIGHTARG = segmentation.item_history,
  FUNCTION = segmentation_internal.item_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.item_history,
  RIGHTARG = segmentation.item_history,
  FUNCTION = segmentation_internal.item_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.item_history, segmentation.item_history) IS 'equal';
COMMENT ON OPERATOR segmentation.<> (segmentation.item_history, segmentation.item_history) IS 'not equal';
CREATE OPERATOR CLASS segmentation.item_history_ops DEFAULT FOR TYPE segmentation.item_history USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.item_history_hash(segmentation.item_history),
  FUNCTION 2 segmentation_internal.item_history_hash_extended(segmentation.item_history, bigint);
COMMENT ON OPERATOR CLASS segmentation.item_history_ops USING hash IS 'equality of item histories';

CREATE FUNCTION segmentation_internal.item_history_json(history segmentation.item_history) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_json(segmentation.item_history) IS
  'JSON text behind the cast to jsonb';
CREATE FUNCTION segmentation.to_jsonb(history segmentation.item_history) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN segmentation_internal.item_history_json(history)::jsonb;
COMMENT ON FUNCTION segmentation.to_jsonb(segmentation.item_history) IS
  'Array of {item, day, purchases, quantity, amount}, in order of item and day.';
CREATE CAST (segmentation.item_history AS jsonb) WITH FUNCTION segmentation.to_jsonb(segmentation.item_history);
COMMENT ON CAST (segmentation.item_history AS jsonb) IS 'array of {item, day, purchases, quantity, amount}';
CREATE CAST (segmentation.item_history AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (segmentation.item_history AS bytea) IS 'the packed bytes';

-- Aggregates. The state is an item_history in growing form, packed by the final function.

CREATE FUNCTION segmentation_internal.item_history_absorb(segmentation.item_history, segmentation.item_history)
  RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_absorb_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_absorb(segmentation.item_history, segmentation.item_history) IS
  'transition of merge, combine function of item_history';
CREATE FUNCTION segmentation_internal.item_history_final(segmentation.item_history) RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_final(segmentation.item_history) IS
  'final function of item_history and merge';
CREATE FUNCTION segmentation_internal.item_history_add(segmentation.item_history, text, date)
  RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_add(segmentation.item_history, text, date) IS
  'transition of item_history';
CREATE FUNCTION segmentation_internal.item_history_add(segmentation.item_history, text, date, numeric, numeric)
  RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_add_numeric_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_add(segmentation.item_history, text, date, numeric, numeric) IS
  'transition of item_history';
CREATE FUNCTION segmentation_internal.item_history_add(
  segmentation.item_history, text, date, double precision, double precision
) RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_add_double_wrapper';
COMMENT ON FUNCTION segmentation_internal.item_history_add(
  segmentation.item_history, text, date, double precision, double precision
) IS 'transition of item_history';

CREATE AGGREGATE segmentation.item_history(item text, bought_on date) (
  SFUNC = segmentation_internal.item_history_add, STYPE = segmentation.item_history, SSPACE = 1024,
  FINALFUNC = segmentation_internal.item_history_final,
  COMBINEFUNC = segmentation_internal.item_history_absorb,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.item_history(text, date) IS
  'Item history of lines without quantity or amount: each is one piece. Rows with a NULL are skipped.';
CREATE AGGREGATE segmentation.item_history(item text, bought_on date, quantity numeric, amount numeric) (
  SFUNC = segmentation_internal.item_history_add, STYPE = segmentation.item_history, SSPACE = 1024,
  FINALFUNC = segmentation_internal.item_history_final,
  COMBINEFUNC = segmentation_internal.item_history_absorb,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.item_history(text, date, numeric, numeric) IS
  'Item history of order lines. A negative quantity or amount is a return. Rows with a NULL are skipped.';
CREATE AGGREGATE segmentation.item_history(
  item text, bought_on date, quantity double precision, amount double precision
) (
  SFUNC = segmentation_internal.item_history_add, STYPE = segmentation.item_history, SSPACE = 1024,
  FINALFUNC = segmentation_internal.item_history_final,
  COMBINEFUNC = segmentation_internal.item_history_absorb,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.item_history(text, date, double precision, double precision) IS
  'Item history of order lines. A negative quantity or amount is a return. Rows with a NULL are skipped.';
CREATE AGGREGATE segmentation.merge(history segmentation.item_history) (
  SFUNC = segmentation_internal.item_history_absorb, STYPE = segmentation.item_history, SSPACE = 1024,
  FINALFUNC = segmentation_internal.item_history_final,
  COMBINEFUNC = segmentation_internal.item_history_absorb,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.item_history) IS
  'One history of many: contacts into a company, days into a year.';

-- Accessors. A purchase after as_of is as if it were not there.

CREATE FUNCTION segmentation.until(history segmentation.item_history, until date) RETURNS segmentation.item_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_until_wrapper';
COMMENT ON FUNCTION segmentation.until(segmentation.item_history, date) IS
  'The history up to and including a day, as known now: rows that arrived or were corrected later are in it.';
-- A history that is a literal is one of purchases.
CREATE FUNCTION segmentation.until(history text, until date) RETURNS segmentation.purchase_history
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN segmentation.until(history::segmentation.purchase_history, until);
COMMENT ON FUNCTION segmentation.until(text, date) IS
  'A purchase history that is written as text, up to and including a day.';
CREATE FUNCTION segmentation.item_count(history segmentation.item_history, as_of date DEFAULT 'infinity')
  RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_history_count_wrapper';
COMMENT ON FUNCTION segmentation.item_count(segmentation.item_history, date) IS
  'Number of different items bought up to as_of.';
CREATE FUNCTION segmentation.item_next_day(history segmentation.item_history, as_of date) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_next_day_wrapper';
COMMENT ON FUNCTION segmentation.item_next_day(segmentation.item_history, date) IS
  'The first day after as_of that has a line, a return included; NULL if none has.';
CREATE FUNCTION segmentation.item_purchases(history segmentation.item_history, items text[])
  RETURNS segmentation.purchase_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_purchases_wrapper';
COMMENT ON FUNCTION segmentation.item_purchases(segmentation.item_history, text[]) IS
  'The purchases of some items as one purchase history: for marker_purchase, yearly_recurrence and purchase_due of a '
  'category. A day counts as many purchases as the item bought most often on it.';
CREATE FUNCTION segmentation.category_breadth(history segmentation.item_history, as_of date, categories integer)
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'item_breadth_wrapper';
COMMENT ON FUNCTION segmentation.category_breadth(segmentation.item_history, date, integer) IS
  'How evenly the purchases up to as_of spread over so many categories, from a history whose items are categories: '
  'entropy over its greatest value, 0 to 1. NULL without purchases.';
CREATE FUNCTION segmentation.items(history segmentation.item_history, as_of date DEFAULT 'infinity')
  RETURNS TABLE (item text, first_day date, last_day date, days integer, purchases bigint, quantity numeric,
                 amount numeric, mean_gap double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 AS 'MODULE_PATHNAME', 'item_history_items_wrapper';
COMMENT ON FUNCTION segmentation.items(segmentation.item_history, date) IS
  'One row an item bought up to as_of: first and last day, days, purchases, quantity, amount, mean days between '
  'purchase days.';
CREATE FUNCTION segmentation.item_days(history segmentation.item_history)
  RETURNS TABLE (item text, day date, purchases bigint, quantity numeric, amount numeric)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'item_history_days_wrapper';
COMMENT ON FUNCTION segmentation.item_days(segmentation.item_history) IS 'One row an item and day.';
