-- Product appetence: what a customer will buy next, again or for the first time.

CREATE TYPE segmentation.affinity_rows;

CREATE FUNCTION segmentation_internal.affinity_rows_in(cstring) RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_in_wrapper';
-- The value is canonical bytes, so writing, sending and comparing are those of bytea.
CREATE FUNCTION segmentation_internal.affinity_rows_out(segmentation.affinity_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.affinity_rows_recv(internal) RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_recv_wrapper';
CREATE FUNCTION segmentation_internal.affinity_rows_send(segmentation.affinity_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.affinity_rows (
  INPUT = segmentation_internal.affinity_rows_in,
  OUTPUT = segmentation_internal.affinity_rows_out,
  RECEIVE = segmentation_internal.affinity_rows_recv,
  SEND = segmentation_internal.affinity_rows_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE segmentation.affinity_rows IS
  'Item histories of a population, mergeable: what fit_product_affinity and appetence_quality work on.';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_out(segmentation.affinity_rows) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_send(segmentation.affinity_rows) IS 'I/O';

CREATE TYPE segmentation.product_affinity;

CREATE FUNCTION segmentation_internal.product_affinity_in(cstring) RETURNS segmentation.product_affinity
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'product_affinity_in_wrapper';
-- The value is canonical bytes, so writing, sending and comparing are those of bytea.
CREATE FUNCTION segmentation_internal.product_affinity_out(segmentation.product_affinity) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.product_affinity_recv(internal) RETURNS segmentation.product_affinity
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'product_affinity_recv_wrapper';
CREATE FUNCTION segmentation_internal.product_affinity_send(segmentation.product_affinity) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.product_affinity (
  INPUT = segmentation_internal.product_affinity_in,
  OUTPUT = segmentation_internal.product_affinity_out,
  RECEIVE = segmentation_internal.product_affinity_recv,
  SEND = segmentation_internal.product_affinity_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = extended
);
COMMENT ON TYPE segmentation.product_affinity IS
  'A fitted product affinity: items, neighbours, EASE, blend. Cast to jsonb for what it is; product_neighbours and '
  'product_facts for its tables.';
COMMENT ON FUNCTION segmentation_internal.product_affinity_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.product_affinity_out(segmentation.product_affinity) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.product_affinity_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.product_affinity_send(segmentation.product_affinity) IS 'I/O';

CREATE FUNCTION segmentation.to_jsonb(model segmentation.product_affinity) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'product_affinity_json_wrapper';
COMMENT ON FUNCTION segmentation.to_jsonb(segmentation.product_affinity) IS
  'What a model is: kind, version, as_of, horizon, method, items, customers, blend, warnings; not its tables.';
CREATE CAST (segmentation.product_affinity AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (segmentation.product_affinity AS bytea) IS 'the bytes of the model';
CREATE CAST (segmentation.product_affinity AS jsonb) WITH FUNCTION segmentation.to_jsonb(segmentation.product_affinity);
COMMENT ON CAST (segmentation.product_affinity AS jsonb) IS 'what a model is, without its tables';

CREATE FUNCTION segmentation_internal.affinity_rows_add(segmentation.affinity_rows, segmentation.item_history, date)
  RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_add(
  segmentation.affinity_rows, segmentation.item_history, date
) IS 'transition of fit_product_affinity';
CREATE FUNCTION segmentation_internal.affinity_rows_add(
  segmentation.affinity_rows, segmentation.item_history, date, jsonb
) RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_add_options_wrapper';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_add(
  segmentation.affinity_rows, segmentation.item_history, date, jsonb
) IS 'transition of fit_product_affinity';
CREATE FUNCTION segmentation_internal.affinity_rows_add(
  segmentation.affinity_rows, segmentation.item_history, date, text, jsonb
) RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_add_segment_wrapper';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_add(
  segmentation.affinity_rows, segmentation.item_history, date, text, jsonb
) IS 'transition of fit_product_affinity';
CREATE FUNCTION segmentation_internal.affinity_rows_merge(segmentation.affinity_rows, segmentation.affinity_rows)
  RETURNS segmentation.affinity_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'affinity_rows_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.affinity_rows_merge(segmentation.affinity_rows, segmentation.affinity_rows) IS
  'combine function of fit_product_affinity';
CREATE FUNCTION segmentation.fit_product_affinity(rows segmentation.affinity_rows) RETURNS segmentation.product_affinity
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fit_product_affinity_wrapper';
COMMENT ON FUNCTION segmentation.fit_product_affinity(segmentation.affinity_rows) IS
  'A product affinity from merged affinity_rows; final function of the aggregate of the same name.';
CREATE FUNCTION segmentation.appetence_quality(rows segmentation.affinity_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'appetence_quality_wrapper';
COMMENT ON FUNCTION segmentation.appetence_quality(segmentation.affinity_rows) IS
  'The back-test from merged affinity_rows; final function of the aggregate of the same name.';

CREATE AGGREGATE segmentation.affinity_rows(history segmentation.item_history, as_of date) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.affinity_rows(segmentation.item_history, date) IS
  'Item histories of a population as one mergeable value, for fit_product_affinity(affinity_rows) and '
  'appetence_quality(affinity_rows).';
CREATE AGGREGATE segmentation.affinity_rows(history segmentation.item_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.affinity_rows(segmentation.item_history, date, jsonb) IS
  'Item histories of a population as one mergeable value, for fit_product_affinity(affinity_rows) and '
  'appetence_quality(affinity_rows).';
CREATE AGGREGATE segmentation.affinity_rows(
  history segmentation.item_history, as_of date, segment text, options jsonb
) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.affinity_rows(segmentation.item_history, date, text, jsonb) IS
  'Item histories of a population as one mergeable value, for fit_product_affinity(affinity_rows) and '
  'appetence_quality(affinity_rows).';
CREATE AGGREGATE segmentation.fit_product_affinity(history segmentation.item_history, as_of date) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.fit_product_affinity,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_product_affinity(segmentation.item_history, date) IS
  'A product affinity as of a day, one history a customer: item neighbours, EASE, popularity (by segment if given), '
  'gaps, and the blend learnt on an inner split. NULL histories are counted and skipped.';
CREATE AGGREGATE segmentation.fit_product_affinity(history segmentation.item_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.fit_product_affinity,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_product_affinity(segmentation.item_history, date, jsonb) IS
  'A product affinity as of a day, one history a customer: item neighbours, EASE, popularity (by segment if given), '
  'gaps, and the blend learnt on an inner split. NULL histories are counted and skipped.';
CREATE AGGREGATE segmentation.fit_product_affinity(
  history segmentation.item_history, as_of date, segment text, options jsonb
) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.fit_product_affinity,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_product_affinity(segmentation.item_history, date, text, jsonb) IS
  'A product affinity as of a day, one history a customer: item neighbours, EASE, popularity (by segment if given), '
  'gaps, and the blend learnt on an inner split. NULL histories are counted and skipped.';
CREATE AGGREGATE segmentation.appetence_quality(history segmentation.item_history, as_of date) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.appetence_quality,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.appetence_quality(segmentation.item_history, date) IS
  'Back-test: a model as of horizon days before as_of, judged by what was bought since. Recall, NDCG and hit at k, '
  'repeat and discovery apart, beside single methods, with bootstrap intervals: see appetence_measures.';
CREATE AGGREGATE segmentation.appetence_quality(history segmentation.item_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.appetence_quality,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.appetence_quality(segmentation.item_history, date, jsonb) IS
  'Back-test: a model as of horizon days before as_of, judged by what was bought since. Recall, NDCG and hit at k, '
  'repeat and discovery apart, beside single methods, with bootstrap intervals: see appetence_measures.';
CREATE AGGREGATE segmentation.appetence_quality(
  history segmentation.item_history, as_of date, segment text, options jsonb
) (
  SFUNC = segmentation_internal.affinity_rows_add, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  FINALFUNC = segmentation.appetence_quality,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.appetence_quality(segmentation.item_history, date, text, jsonb) IS
  'Back-test: a model as of horizon days before as_of, judged by what was bought since. Recall, NDCG and hit at k, '
  'repeat and discovery apart, beside single methods, with bootstrap intervals: see appetence_measures.';
CREATE AGGREGATE segmentation.merge(rows segmentation.affinity_rows) (
  SFUNC = segmentation_internal.affinity_rows_merge, STYPE = segmentation.affinity_rows, SSPACE = 1000000,
  COMBINEFUNC = segmentation_internal.affinity_rows_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.affinity_rows) IS 'One population of many: shards into a whole.';

-- What the model says

CREATE FUNCTION segmentation.product_neighbours(
  model segmentation.product_affinity, measure text DEFAULT 'cosine', k integer DEFAULT 10
) RETURNS TABLE (item text, rank integer, neighbour text, weight double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'product_neighbours_wrapper';
COMMENT ON FUNCTION segmentation.product_neighbours(segmentation.product_affinity, text, integer) IS
  'What goes with each item, the k strongest: cosine, bm25, or the weights of ease (none beyond its limit on items).';
CREATE FUNCTION segmentation.product_facts(model segmentation.product_affinity)
  RETURNS TABLE (item text, customers integer, repeat_share double precision, popularity double precision,
                 gap double precision, price double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'product_facts_wrapper';
COMMENT ON FUNCTION segmentation.product_facts(segmentation.product_affinity) IS
  'One row an item: customers, share of them who bought again, share of all customers in the last 28 days, days '
  'between purchases, mean amount.';
CREATE FUNCTION segmentation.appetence_measures(quality jsonb)
  RETURNS TABLE (task text, part text, method text, measure text, customers integer, value double precision,
                 low double precision, high double precision, behind double precision,
                 behind_low double precision, behind_high double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT m.task, m.part, m.method, m.measure, m.customers, m.value,
         (m."interval" ->> 0)::double precision, (m."interval" ->> 1)::double precision,
         m.behind, (m.behind_interval ->> 0)::double precision, (m.behind_interval ->> 1)::double precision
  FROM jsonb_to_recordset(quality -> 'measures')
    AS m (task text, part text, method text, measure text, customers integer, value double precision,
          "interval" jsonb, behind double precision, behind_interval jsonb);
END;
COMMENT ON FUNCTION segmentation.appetence_measures(jsonb) IS
  'The rows of an appetence_quality: a measure of a method with its 95 % interval, and how far it is behind '
  'product_appetence (paired).';

-- Scores. They return arrays because a set function in C cannot keep its model between calls.

CREATE TYPE segmentation.product_offer AS (
  rank integer, item text, score double precision, probability double precision, source text, reason text,
  reason_fr text, next_due date, value double precision
);
COMMENT ON TYPE segmentation.product_offer IS 'A row of top_products: an offer, explained.';
CREATE FUNCTION segmentation_internal.product_offers(
  segmentation.product_affinity, segmentation.item_history, date, integer, jsonb, text
) RETURNS segmentation.product_offer[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000 AS 'MODULE_PATHNAME', 'product_offers_wrapper';
COMMENT ON FUNCTION segmentation_internal.product_offers(
  segmentation.product_affinity, segmentation.item_history, date, integer, jsonb, text
) IS 'What top_products returns, as an array.';
CREATE FUNCTION segmentation_internal.product_offer(
  segmentation.product_affinity, segmentation.item_history, date, text, jsonb, text
) RETURNS segmentation.product_offer[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'product_offer_wrapper';
COMMENT ON FUNCTION segmentation_internal.product_offer(
  segmentation.product_affinity, segmentation.item_history, date, text, jsonb, text
) IS 'What product_score returns, as an array.';
CREATE FUNCTION segmentation.top_products(
  model segmentation.product_affinity, history segmentation.item_history, as_of date, k integer DEFAULT 10,
  options jsonb DEFAULT '{}', segment text DEFAULT NULL
) RETURNS TABLE (rank integer, item text, score double precision, probability double precision, source text,
                 reason text, reason_fr text, next_due date, value double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
  SELECT o.rank, o.item, o.score, o.probability, o.source, o.reason, o.reason_fr, o.next_due, o.value
  FROM unnest(segmentation_internal.product_offers(model, history, as_of, k, options, segment)) AS o;
END;
COMMENT ON FUNCTION segmentation.top_products(
  segmentation.product_affinity, segmentation.item_history, date, integer, jsonb, text
) IS
  'The k best offers for a customer as of a day. score: what the ranking is by; probability: to be bought within the '
  'horizon; source: repeat, discovery or popular. A NULL history is a customer nobody knows, segment says which '
  'popularity.';
CREATE FUNCTION segmentation.product_score(
  model segmentation.product_affinity, history segmentation.item_history, as_of date, item text,
  options jsonb DEFAULT '{}', segment text DEFAULT NULL
) RETURNS TABLE (score double precision, probability double precision, source text, reason text, reason_fr text,
                 next_due date, value double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT o.score, o.probability, o.source, o.reason, o.reason_fr, o.next_due, o.value
  FROM unnest(segmentation_internal.product_offer(model, history, as_of, item, options, segment)) AS o;
END;
COMMENT ON FUNCTION segmentation.product_score(
  segmentation.product_affinity, segmentation.item_history, date, text, jsonb, text
) IS
  'The offer of one product, as top_products has it: whom to send it to. No row if the options exclude it or the '
  'model does not know it.';
CREATE FUNCTION segmentation.product_probability(
  model segmentation.product_affinity, history segmentation.item_history, as_of date, item text
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'product_probability_wrapper';
COMMENT ON FUNCTION segmentation.product_probability(
  segmentation.product_affinity, segmentation.item_history, date, text
) IS
  'Probability that a customer buys an item within the horizon; NULL if the model does not know it.';
CREATE FUNCTION segmentation.product_next_change(
  model segmentation.product_affinity, history segmentation.item_history, as_of date, k integer DEFAULT 1,
  options jsonb DEFAULT '{}', segment text DEFAULT NULL
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20000 AS 'MODULE_PATHNAME', 'product_next_change_wrapper';
COMMENT ON FUNCTION segmentation.product_next_change(
  segmentation.product_affinity, segmentation.item_history, date, integer, jsonb, text
) IS
  'The first day after as_of on which the k best offers are others if the customer buys nothing. If a month brings '
  'none, the day after it, to look again; NULL without purchases.';
