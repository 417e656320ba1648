-- Channel appetence: by which channel a customer answers, and may be asked.

CREATE TYPE segmentation.channel_cells;
CREATE FUNCTION segmentation_internal.channel_cells_in(cstring) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_in_wrapper';
CREATE FUNCTION segmentation_internal.channel_cells_out(segmentation.channel_cells) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.channel_cells_recv(internal) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_recv_wrapper';
CREATE FUNCTION segmentation_internal.channel_cells_send(segmentation.channel_cells) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.channel_cells (
  INPUT = segmentation_internal.channel_cells_in,
  OUTPUT = segmentation_internal.channel_cells_out,
  RECEIVE = segmentation_internal.channel_cells_recv,
  SEND = segmentation_internal.channel_cells_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.channel_cells IS
  'How many customers have so many contacts and answers, by channel and segment: what fit_channel_model needs. Can be '
  'stored, merged and fitted later.';
COMMENT ON FUNCTION segmentation_internal.channel_cells_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.channel_cells_out(segmentation.channel_cells) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.channel_cells_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.channel_cells_send(segmentation.channel_cells) IS 'I/O';

CREATE FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, segmentation.contact_history, text, date
) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_add_history_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, segmentation.contact_history, text, date
) IS
  'transition of channel_cells and fit_channel_model';
CREATE FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, segmentation.contact_history, text, date, jsonb
) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_add_history_options_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, segmentation.contact_history, text, date, jsonb
) IS
  'transition of channel_cells and fit_channel_model';
CREATE FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, text, text, double precision, double precision
) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_add_counts_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, text, text, double precision, double precision
) IS
  'transition of channel_cells and fit_channel_model';
CREATE FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, text, text, double precision, double precision, jsonb
) RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_add_counts_options_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_cells_add(
  segmentation.channel_cells, text, text, double precision, double precision, jsonb
) IS
  'transition of channel_cells and fit_channel_model';
CREATE FUNCTION segmentation_internal.channel_cells_merge(segmentation.channel_cells, segmentation.channel_cells)
  RETURNS segmentation.channel_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_cells_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_cells_merge(segmentation.channel_cells, segmentation.channel_cells) IS
  'combine function of channel_cells and fit_channel_model';
CREATE FUNCTION segmentation.fit_channel_model(cells segmentation.channel_cells) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_channel_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_channel_model(segmentation.channel_cells) IS
  'The model of customers gathered by channel_cells; see the aggregate fit_channel_model.';
CREATE AGGREGATE segmentation.channel_cells(history segmentation.contact_history, segment text, as_of date) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.channel_cells(segmentation.contact_history, text, date) IS
  'The customers as a mergeable value, for fit_channel_model(channel_cells): one row a customer: contacts, segment '
  '(or NULL), day up to which contacts are counted.';
CREATE AGGREGATE segmentation.channel_cells(
  history segmentation.contact_history, segment text, as_of date, options jsonb
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.channel_cells(segmentation.contact_history, text, date, jsonb) IS
  'The customers as a mergeable value, for fit_channel_model(channel_cells): one row a customer: contacts, segment '
  '(or NULL), day up to which contacts are counted. options: window_days, half_life_days, opens (true: opens are '
  'answers; the model then warns).';
CREATE AGGREGATE segmentation.channel_cells(
  channel text, segment text, sent double precision, responses double precision
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.channel_cells(text, text, double precision, double precision) IS
  'The customers as a mergeable value, for fit_channel_model(channel_cells): one row a customer and channel: channel, '
  'segment (or NULL), contacts, contacts answered.';
CREATE AGGREGATE segmentation.channel_cells(
  channel text, segment text, sent double precision, responses double precision, options jsonb
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.channel_cells(text, text, double precision, double precision, jsonb) IS
  'The customers as a mergeable value, for fit_channel_model(channel_cells): one row a customer and channel: channel, '
  'segment (or NULL), contacts, contacts answered. options say how they were counted: window_days, half_life_days, '
  'opens (true: opens are among the answers; the model then warns).';
CREATE AGGREGATE segmentation.merge(cells segmentation.channel_cells) (
  SFUNC = segmentation_internal.channel_cells_merge,
  STYPE = segmentation.channel_cells,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.channel_cells) IS
  'The customers of many parts, which must have the same as_of and options.';
CREATE AGGREGATE segmentation.fit_channel_model(history segmentation.contact_history, segment text, as_of date) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  FINALFUNC = segmentation.fit_channel_model,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_channel_model(segmentation.contact_history, text, date) IS
  'Response rates by channel and segment, and how customers differ in them: beta-binomial, segments drawn towards '
  'their channel; a jsonb value. One row a customer: contacts, segment (or NULL), day up to which contacts are '
  'counted.';
CREATE AGGREGATE segmentation.fit_channel_model(
  history segmentation.contact_history, segment text, as_of date, options jsonb
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  FINALFUNC = segmentation.fit_channel_model,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_channel_model(segmentation.contact_history, text, date, jsonb) IS
  'Response rates by channel and segment, and how customers differ in them: beta-binomial, segments drawn towards '
  'their channel; a jsonb value. One row a customer: contacts, segment (or NULL), day up to which contacts are '
  'counted. options: window_days, half_life_days, opens (true: opens are answers; the model then warns).';
CREATE AGGREGATE segmentation.fit_channel_model(
  channel text, segment text, sent double precision, responses double precision
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  FINALFUNC = segmentation.fit_channel_model,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_channel_model(text, text, double precision, double precision) IS
  'Response rates by channel and segment, and how customers differ in them: beta-binomial, segments drawn towards '
  'their channel; a jsonb value. One row a customer and channel: channel, segment (or NULL), contacts, contacts '
  'answered.';
CREATE AGGREGATE segmentation.fit_channel_model(
  channel text, segment text, sent double precision, responses double precision, options jsonb
) (
  SFUNC = segmentation_internal.channel_cells_add,
  STYPE = segmentation.channel_cells,
  FINALFUNC = segmentation.fit_channel_model,
  COMBINEFUNC = segmentation_internal.channel_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_channel_model(text, text, double precision, double precision, jsonb) IS
  'Response rates by channel and segment, and how customers differ in them: beta-binomial, segments drawn towards '
  'their channel; a jsonb value. One row a customer and channel: channel, segment (or NULL), contacts, contacts '
  'answered. options say how they were counted: window_days, half_life_days, opens (true: opens are among the '
  'answers; the model then warns).';

CREATE TYPE segmentation.channel_rate AS (
  mean double precision, lower double precision, sent double precision, responses double precision
);
COMMENT ON TYPE segmentation.channel_rate IS
  'Response rate of a customer by a channel: mean, lower bound, and the contacts and answers that it rests on beside '
  'the model.';
CREATE FUNCTION segmentation.channel_score(
  model jsonb, channel text, segment text, sent double precision, responses double precision,
  level double precision DEFAULT 0.1
) RETURNS segmentation.channel_rate
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'channel_score_wrapper';
COMMENT ON FUNCTION segmentation.channel_score(
  jsonb, text, text, double precision, double precision, double precision
) IS
  'Response rate of a customer of a segment (or NULL) with so many contacts and answers: its mean, and the bound that '
  'it exceeds with probability 1 - level. NULL if the model does not know the channel.';
CREATE TYPE segmentation.channel_rank AS (
  channel text, rank integer, mean double precision, lower double precision, sent double precision,
  responses double precision, value double precision, eligible boolean, reason text
);
COMMENT ON TYPE segmentation.channel_rank IS
  'A channel of a customer: its rank (NULL: not to be used, for that reason), response rate, lower bound, contacts, '
  'answers, and value of a contact.';
CREATE FUNCTION segmentation_internal.channel_ranking(
  model jsonb, segment text, history segmentation.contact_history, consents segmentation.consent_history, as_of date,
  options jsonb DEFAULT '{}'
) RETURNS segmentation.channel_rank[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2500 AS 'MODULE_PATHNAME', 'channel_ranking_wrapper';
COMMENT ON FUNCTION segmentation_internal.channel_ranking(
  jsonb, text, segmentation.contact_history, segmentation.consent_history, date, jsonb
) IS
  'What rank_channels returns, as an array.';
CREATE FUNCTION segmentation.rank_channels(
  model jsonb, segment text, history segmentation.contact_history, consents segmentation.consent_history, as_of date,
  options jsonb DEFAULT '{}'
) RETURNS SETOF segmentation.channel_rank
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  SELECT r.channel, r.rank, r.mean, r.lower, r.sent, r.responses, r.value, r.eligible, r.reason
  FROM unnest(segmentation_internal.channel_ranking(model, segment, history, consents, as_of, options)) AS r;
END;
COMMENT ON FUNCTION segmentation.rank_channels(
  jsonb, text, segmentation.contact_history, segmentation.consent_history, date, jsonb
) IS
  'The channels of a customer, best first; without consent none has a rank. options: level (0.1), by (lower, mean, '
  'value), margin and cost (a number, or one by channel, * for the rest), pressure (a list of {contacts, days, '
  'channel}: at most so many contacts in so many days), consent_days, channels (a list), no_answer_after (25).';
CREATE FUNCTION segmentation.channel_code(
  model jsonb, segment text, history segmentation.contact_history, consents segmentation.consent_history, as_of date,
  options jsonb DEFAULT '{}'
) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'channel_code_wrapper';
COMMENT ON FUNCTION segmentation.channel_code(
  jsonb, text, segmentation.contact_history, segmentation.consent_history, date, jsonb
) IS
  'The best channel of a customer; none if there is no consent, or all channels are closed otherwise; '
  'insufficient_data if the model knows no channel. Options as for rank_channels.';
CREATE FUNCTION segmentation.channel_next_change(
  model jsonb, segment text, history segmentation.contact_history, consents segmentation.consent_history, as_of date,
  options jsonb DEFAULT '{}'
) RETURNS date
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'channel_next_change_wrapper';
COMMENT ON FUNCTION segmentation.channel_next_change(
  jsonb, text, segmentation.contact_history, segmentation.consent_history, date, jsonb
) IS
  'The first day after as_of on which channel_code changes if nothing happens: a contact or a consent begins, ends or '
  'leaves a window. It may be earlier, a day to look again (where contacts fade by half_life_days), never later. '
  'NULL: not within ten years.';
