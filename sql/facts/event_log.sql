-- Contacts, consents and interactions of a customer, each as one compact, mergeable value; engagement.

CREATE TYPE segmentation.contact_history;
CREATE FUNCTION segmentation_internal.contact_history_in(cstring) RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_in_wrapper';
CREATE FUNCTION segmentation_internal.contact_history_out(segmentation.contact_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.contact_history_recv(internal) RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_recv_wrapper';
CREATE FUNCTION segmentation_internal.contact_history_send(segmentation.contact_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.contact_history (
  INPUT = segmentation_internal.contact_history_in,
  OUTPUT = segmentation_internal.contact_history_out,
  RECEIVE = segmentation_internal.contact_history_recv,
  SEND = segmentation_internal.contact_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.contact_history IS
  'Messages to one customer: channel, day, and what came of each. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION segmentation_internal.contact_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contact_history_out(segmentation.contact_history) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contact_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contact_history_send(segmentation.contact_history) IS 'I/O';
CREATE FUNCTION segmentation_internal.contact_history_eq(segmentation.contact_history, segmentation.contact_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION segmentation_internal.contact_history_eq(
  segmentation.contact_history, segmentation.contact_history
) IS 'implementation of = operator';
CREATE FUNCTION segmentation_internal.contact_history_ne(segmentation.contact_history, segmentation.contact_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.contact_history_hash(segmentation.contact_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.contact_history_hash_extended(segmentation.contact_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.contact_history_ne(
  segmentation.contact_history, segmentation.contact_history
) IS 'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.contact_history_hash(segmentation.contact_history) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.contact_history_hash_extended(segmentation.contact_history, bigint) IS 'hash';
CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.contact_history,
  RIGHTARG = segmentation.contact_history,
  FUNCTION = segmentation_internal.contact_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.contact_history,
  RIGHTARG = segmentation.contact_history,
  FUNCTION = segmentation_internal.contact_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.contact_history, segmentation.contact_history) IS 'the same content';
COMMENT ON OPERATOR segmentation.<> (segmentation.contact_history, segmentation.contact_history) IS
  'not the same content';
CREATE OPERATOR CLASS segmentation.contact_history_ops DEFAULT FOR TYPE segmentation.contact_history USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.contact_history_hash(segmentation.contact_history),
  FUNCTION 2 segmentation_internal.contact_history_hash_extended(segmentation.contact_history, bigint);
COMMENT ON OPERATOR CLASS segmentation.contact_history_ops USING hash IS 'the same content';
CREATE TYPE segmentation.consent_history;
CREATE FUNCTION segmentation_internal.consent_history_in(cstring) RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_in_wrapper';
CREATE FUNCTION segmentation_internal.consent_history_out(segmentation.consent_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.consent_history_recv(internal) RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_recv_wrapper';
CREATE FUNCTION segmentation_internal.consent_history_send(segmentation.consent_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.consent_history (
  INPUT = segmentation_internal.consent_history_in,
  OUTPUT = segmentation_internal.consent_history_out,
  RECEIVE = segmentation_internal.consent_history_recv,
  SEND = segmentation_internal.consent_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.consent_history IS
  'Consents of one customer, given and withdrawn: channel, day. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION segmentation_internal.consent_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.consent_history_out(segmentation.consent_history) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.consent_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.consent_history_send(segmentation.consent_history) IS 'I/O';
CREATE FUNCTION segmentation_internal.consent_history_eq(segmentation.consent_history, segmentation.consent_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION segmentation_internal.consent_history_eq(
  segmentation.consent_history, segmentation.consent_history
) IS 'implementation of = operator';
CREATE FUNCTION segmentation_internal.consent_history_ne(segmentation.consent_history, segmentation.consent_history)
  RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.consent_history_hash(segmentation.consent_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.consent_history_hash_extended(segmentation.consent_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.consent_history_ne(
  segmentation.consent_history, segmentation.consent_history
) IS 'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.consent_history_hash(segmentation.consent_history) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.consent_history_hash_extended(segmentation.consent_history, bigint) IS 'hash';
CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.consent_history,
  RIGHTARG = segmentation.consent_history,
  FUNCTION = segmentation_internal.consent_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.consent_history,
  RIGHTARG = segmentation.consent_history,
  FUNCTION = segmentation_internal.consent_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.consent_history, segmentation.consent_history) IS 'the same content';
COMMENT ON OPERATOR segmentation.<> (segmentation.consent_history, segmentation.consent_history) IS
  'not the same content';
CREATE OPERATOR CLASS segmentation.consent_history_ops DEFAULT FOR TYPE segmentation.consent_history USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.consent_history_hash(segmentation.consent_history),
  FUNCTION 2 segmentation_internal.consent_history_hash_extended(segmentation.consent_history, bigint);
COMMENT ON OPERATOR CLASS segmentation.consent_history_ops USING hash IS 'the same content';
CREATE TYPE segmentation.interaction_history;
CREATE FUNCTION segmentation_internal.interaction_history_in(cstring) RETURNS segmentation.interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_in_wrapper';
CREATE FUNCTION segmentation_internal.interaction_history_out(segmentation.interaction_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.interaction_history_recv(internal) RETURNS segmentation.interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_recv_wrapper';
CREATE FUNCTION segmentation_internal.interaction_history_send(segmentation.interaction_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.interaction_history (
  INPUT = segmentation_internal.interaction_history_in,
  OUTPUT = segmentation_internal.interaction_history_out,
  RECEIVE = segmentation_internal.interaction_history_recv,
  SEND = segmentation_internal.interaction_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.interaction_history IS
  'What one customer did: kind, day. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION segmentation_internal.interaction_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.interaction_history_out(segmentation.interaction_history) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.interaction_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.interaction_history_send(segmentation.interaction_history) IS 'I/O';
CREATE FUNCTION segmentation_internal.interaction_history_eq(
  segmentation.interaction_history, segmentation.interaction_history
) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION segmentation_internal.interaction_history_eq(
  segmentation.interaction_history, segmentation.interaction_history
) IS 'implementation of = operator';
CREATE FUNCTION segmentation_internal.interaction_history_ne(
  segmentation.interaction_history, segmentation.interaction_history
) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.interaction_history_hash(segmentation.interaction_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.interaction_history_hash_extended(segmentation.interaction_history, bigint)
  RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.interaction_history_ne(
  segmentation.interaction_history, segmentation.interaction_history
) IS 'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.interaction_history_hash(segmentation.interaction_history) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.interaction_history_hash_extended(segmentation.interaction_history, bigint) IS
  'hash';
CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.interaction_history,
  RIGHTARG = segmentation.interaction_history,
  FUNCTION = segmentation_internal.interaction_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.interaction_history,
  RIGHTARG = segmentation.interaction_history,
  FUNCTION = segmentation_internal.interaction_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.interaction_history, segmentation.interaction_history) IS
  'the same content';
COMMENT ON OPERATOR segmentation.<> (segmentation.interaction_history, segmentation.interaction_history) IS
  'not the same content';
CREATE OPERATOR CLASS segmentation.interaction_history_ops DEFAULT FOR TYPE segmentation.interaction_history
  USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.interaction_history_hash(segmentation.interaction_history),
  FUNCTION 2 segmentation_internal.interaction_history_hash_extended(segmentation.interaction_history, bigint);
COMMENT ON OPERATOR CLASS segmentation.interaction_history_ops USING hash IS 'the same content';

CREATE FUNCTION segmentation_internal.contact_history_add(segmentation.contact_history, text, date, text)
  RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.contact_history_add(segmentation.contact_history, text, date, text) IS
  'transition of contact_history';
CREATE FUNCTION segmentation_internal.contact_history_add(segmentation.contact_history, text, date, boolean)
  RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_add_responded_wrapper';
COMMENT ON FUNCTION segmentation_internal.contact_history_add(segmentation.contact_history, text, date, boolean) IS
  'transition of contact_history';
CREATE FUNCTION segmentation_internal.consent_history_add(segmentation.consent_history, text, boolean, date)
  RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.consent_history_add(segmentation.consent_history, text, boolean, date) IS
  'transition of consent_history';
CREATE FUNCTION segmentation_internal.interaction_history_add(segmentation.interaction_history, text, date)
  RETURNS segmentation.interaction_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.interaction_history_add(segmentation.interaction_history, text, date) IS
  'transition of interaction_history';
CREATE FUNCTION segmentation_internal.contact_history_merge(segmentation.contact_history, segmentation.contact_history)
  RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.contact_history_merge(
  segmentation.contact_history, segmentation.contact_history
) IS
  'combine function of contact_history';
CREATE FUNCTION segmentation_internal.contact_history_final(segmentation.contact_history)
  RETURNS segmentation.contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.contact_history_final(segmentation.contact_history) IS
  'final function of contact_history';
CREATE FUNCTION segmentation_internal.contact_history_json(segmentation.contact_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.contact_history_json(segmentation.contact_history) IS
  'The events of a contact_history as a list; used by the cast.';
CREATE CAST (segmentation.contact_history AS jsonb)
  WITH FUNCTION segmentation_internal.contact_history_json(segmentation.contact_history);
COMMENT ON CAST (segmentation.contact_history AS jsonb) IS 'its events, in order';
CREATE FUNCTION segmentation_internal.consent_history_merge(segmentation.consent_history, segmentation.consent_history)
  RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.consent_history_merge(
  segmentation.consent_history, segmentation.consent_history
) IS
  'combine function of consent_history';
CREATE FUNCTION segmentation_internal.consent_history_final(segmentation.consent_history)
  RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.consent_history_final(segmentation.consent_history) IS
  'final function of consent_history';
CREATE FUNCTION segmentation_internal.consent_history_json(segmentation.consent_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.consent_history_json(segmentation.consent_history) IS
  'The events of a consent_history as a list; used by the cast.';
CREATE CAST (segmentation.consent_history AS jsonb)
  WITH FUNCTION segmentation_internal.consent_history_json(segmentation.consent_history);
COMMENT ON CAST (segmentation.consent_history AS jsonb) IS 'its events, in order';
CREATE FUNCTION segmentation_internal.interaction_history_merge(
  segmentation.interaction_history, segmentation.interaction_history
) RETURNS segmentation.interaction_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.interaction_history_merge(
  segmentation.interaction_history, segmentation.interaction_history
) IS
  'combine function of interaction_history';
CREATE FUNCTION segmentation_internal.interaction_history_final(segmentation.interaction_history)
  RETURNS segmentation.interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.interaction_history_final(segmentation.interaction_history) IS
  'final function of interaction_history';
CREATE FUNCTION segmentation_internal.interaction_history_json(segmentation.interaction_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.interaction_history_json(segmentation.interaction_history) IS
  'The events of a interaction_history as a list; used by the cast.';
CREATE CAST (segmentation.interaction_history AS jsonb)
  WITH FUNCTION segmentation_internal.interaction_history_json(segmentation.interaction_history);
COMMENT ON CAST (segmentation.interaction_history AS jsonb) IS 'its events, in order';

CREATE AGGREGATE segmentation.contact_history(channel text, sent_on date, response text) (
  SFUNC = segmentation_internal.contact_history_add,
  STYPE = segmentation.contact_history,
  FINALFUNC = segmentation_internal.contact_history_final,
  COMBINEFUNC = segmentation_internal.contact_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.contact_history(text, date, text) IS
  'The contacts of a customer, one row a message: channel, local day, and what came of it: click, reply, visit, '
  'purchase or response (answers), open, none or NULL, unsubscribe, complaint, bounce. Rows without channel or day '
  'are left out.';
CREATE AGGREGATE segmentation.contact_history(channel text, sent_on date, responded boolean) (
  SFUNC = segmentation_internal.contact_history_add,
  STYPE = segmentation.contact_history,
  FINALFUNC = segmentation_internal.contact_history_final,
  COMBINEFUNC = segmentation_internal.contact_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.contact_history(text, date, boolean) IS
  'The contacts of a customer, one row a message: channel, local day, and whether it was answered. Rows without '
  'channel or day are left out.';
CREATE AGGREGATE segmentation.consent_history(channel text, granted boolean, changed_on date) (
  SFUNC = segmentation_internal.consent_history_add,
  STYPE = segmentation.consent_history,
  FINALFUNC = segmentation_internal.consent_history_final,
  COMBINEFUNC = segmentation_internal.consent_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.consent_history(text, boolean, date) IS
  'The consents of a customer, one row a change; channel * stands for all. In doubt it is a refusal: granted NULL is '
  'one; without a day it holds for good; without a channel it holds for all.';
CREATE AGGREGATE segmentation.interaction_history(kind text, occurred_on date) (
  SFUNC = segmentation_internal.interaction_history_add,
  STYPE = segmentation.interaction_history,
  FINALFUNC = segmentation_internal.interaction_history_final,
  COMBINEFUNC = segmentation_internal.interaction_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.interaction_history(text, date) IS
  'What a customer did, one row an act: kind and local day. Rows without either are left out.';
CREATE AGGREGATE segmentation.merge(history segmentation.contact_history) (
  SFUNC = segmentation_internal.contact_history_merge,
  STYPE = segmentation.contact_history,
  FINALFUNC = segmentation_internal.contact_history_final,
  COMBINEFUNC = segmentation_internal.contact_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.contact_history) IS
  'One contact_history out of many.';
CREATE AGGREGATE segmentation.merge(history segmentation.consent_history) (
  SFUNC = segmentation_internal.consent_history_merge,
  STYPE = segmentation.consent_history,
  FINALFUNC = segmentation_internal.consent_history_final,
  COMBINEFUNC = segmentation_internal.consent_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.consent_history) IS
  'One consent_history out of many.';
CREATE AGGREGATE segmentation.merge(history segmentation.interaction_history) (
  SFUNC = segmentation_internal.interaction_history_merge,
  STYPE = segmentation.interaction_history,
  FINALFUNC = segmentation_internal.interaction_history_final,
  COMBINEFUNC = segmentation_internal.interaction_history_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.interaction_history) IS
  'One interaction_history out of many.';

CREATE FUNCTION segmentation.consents(given jsonb) RETURNS segmentation.consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_of_wrapper';
COMMENT ON FUNCTION segmentation.consents(jsonb) IS
  'Consents from an object of true, false or null by channel, as if said on the first day there is.';
CREATE FUNCTION segmentation.contacts(
  history segmentation.contact_history, as_of date, days integer DEFAULT NULL, channel text DEFAULT NULL
) RETURNS bigint
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contacts_wrapper';
COMMENT ON FUNCTION segmentation.contacts(segmentation.contact_history, date, integer, text) IS
  'Contacts up to as_of: of the last so many days if days is given, by one channel if that is. Bounces are no '
  'contacts.';
CREATE FUNCTION segmentation.last_response(history segmentation.contact_history, as_of date) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'last_response_wrapper';
COMMENT ON FUNCTION segmentation.last_response(segmentation.contact_history, date) IS
  'The day on which the last message was sent, up to as_of, that the customer answered. An open is no answer.';
CREATE FUNCTION segmentation.contact_counts(
  history segmentation.contact_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS TABLE (channel text, sent double precision, responses double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'contact_counts_wrapper';
COMMENT ON FUNCTION segmentation.contact_counts(segmentation.contact_history, date, jsonb) IS
  'Contacts and answers by channel up to as_of. options: window_days, half_life_days (a contact of so many days ago '
  'counts half), opens (true: an open is an answer).';
CREATE FUNCTION segmentation.has_consent(
  consents segmentation.consent_history, channel text, as_of date, consent_days integer DEFAULT NULL,
  contacts segmentation.contact_history DEFAULT NULL
) RETURNS boolean
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'has_consent_wrapper';
COMMENT ON FUNCTION segmentation.has_consent(
  segmentation.consent_history, text, date, integer, segmentation.contact_history
) IS
  'Whether the last word about exactly this channel up to as_of was a consent, not older than consent_days. False in '
  'doubt: NULL, a refusal on the same day, of all channels, of an unknown day, or under another spelling. With '
  'contacts: who answered by an unsubscription or a complaint has to consent on a later day.';
CREATE FUNCTION segmentation.engagement_score(
  history segmentation.interaction_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'engagement_score_wrapper';
COMMENT ON FUNCTION segmentation.engagement_score(segmentation.interaction_history, date, jsonb) IS
  'Sum over the acts up to as_of of weight x 2^(-age / half-life). options: half_life_days (90), weights (by kind; * '
  'for the rest, 1).';
