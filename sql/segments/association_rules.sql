-- Association rules: which items are bought together more often than chance has it.

CREATE TYPE segmentation.basket_counts;

CREATE FUNCTION segmentation_internal.basket_counts_in(cstring) RETURNS segmentation.basket_counts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'basket_counts_in_wrapper';
-- The value is canonical bytes, so writing and sending are those of bytea.
CREATE FUNCTION segmentation_internal.basket_counts_out(segmentation.basket_counts) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.basket_counts_recv(internal) RETURNS segmentation.basket_counts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'basket_counts_recv_wrapper';
CREATE FUNCTION segmentation_internal.basket_counts_send(segmentation.basket_counts) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.basket_counts (
  INPUT = segmentation_internal.basket_counts_in,
  OUTPUT = segmentation_internal.basket_counts_out,
  RECEIVE = segmentation_internal.basket_counts_recv,
  SEND = segmentation_internal.basket_counts_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE segmentation.basket_counts IS
  'Baskets counted by item and by pair of items, mergeable: what association_rules works on.';
COMMENT ON FUNCTION segmentation_internal.basket_counts_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.basket_counts_out(segmentation.basket_counts) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.basket_counts_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.basket_counts_send(segmentation.basket_counts) IS 'I/O';

CREATE FUNCTION segmentation_internal.basket_counts_add(segmentation.basket_counts, text[])
  RETURNS segmentation.basket_counts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'basket_counts_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.basket_counts_add(segmentation.basket_counts, text[]) IS
  'transition of basket_counts';
CREATE FUNCTION segmentation_internal.basket_counts_merge(segmentation.basket_counts, segmentation.basket_counts)
  RETURNS segmentation.basket_counts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'basket_counts_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.basket_counts_merge(segmentation.basket_counts, segmentation.basket_counts) IS
  'transition of merge, combine function of basket_counts';
CREATE AGGREGATE segmentation.basket_counts(basket text[]) (
  SFUNC = segmentation_internal.basket_counts_add, STYPE = segmentation.basket_counts, SSPACE = 100000,
  COMBINEFUNC = segmentation_internal.basket_counts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.basket_counts(text[]) IS
  'Baskets counted by item and by pair, one row a basket; an item twice in it counts once. NULL and empty baskets do '
  'not count.';
CREATE AGGREGATE segmentation.merge(counts segmentation.basket_counts) (
  SFUNC = segmentation_internal.basket_counts_merge, STYPE = segmentation.basket_counts, SSPACE = 100000,
  COMBINEFUNC = segmentation_internal.basket_counts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.basket_counts) IS 'Counts of many parts as one.';

CREATE FUNCTION segmentation_internal.association_rules_json(segmentation.basket_counts, jsonb) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'association_rules_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.association_rules_json(segmentation.basket_counts, jsonb) IS
  'The rows of association_rules as one value.';
CREATE FUNCTION segmentation.association_rules(counts segmentation.basket_counts, options jsonb DEFAULT '{}')
  RETURNS TABLE (antecedent text, consequent text, baskets bigint, support double precision,
                 confidence double precision, lift double precision, leverage double precision,
                 p_value double precision, q_value double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT r.antecedent, r.consequent, r.baskets, r.support, r.confidence, r.lift, r.leverage, r.p_value, r.q_value
  FROM jsonb_to_recordset(segmentation_internal.association_rules_json(counts, options))
    AS r (antecedent text, consequent text, baskets bigint, support double precision,
          confidence double precision, lift double precision, leverage double precision,
          p_value double precision, q_value double precision);
END;
COMMENT ON FUNCTION segmentation.association_rules(segmentation.basket_counts, jsonb) IS
  'Pairs of items bought together more often than chance: support, confidence, lift, leverage, Fisher''s exact p, '
  'Benjamini-Hochberg q. Options min_support, min_confidence, min_lift, max_q, min_baskets, limit.';
