-- Contacts, consents and interactions of a customer, each as one compact, mergeable value; engagement.

CREATE TYPE contact_history;
CREATE FUNCTION contact_history_in(cstring) RETURNS contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_in_wrapper';
CREATE FUNCTION contact_history_out(contact_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION contact_history_recv(internal) RETURNS contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_recv_wrapper';
CREATE FUNCTION contact_history_send(contact_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE contact_history (
  INPUT = contact_history_in, OUTPUT = contact_history_out, RECEIVE = contact_history_recv, SEND = contact_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE contact_history IS
  'Messages to one customer: channel, day, and what came of each. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION contact_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION contact_history_out(contact_history) IS 'I/O';
COMMENT ON FUNCTION contact_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION contact_history_send(contact_history) IS 'I/O';
CREATE FUNCTION contact_history_eq(contact_history, contact_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION contact_history_eq(contact_history, contact_history) IS 'implementation of = operator';
CREATE FUNCTION contact_history_ne(contact_history, contact_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION contact_history_hash(contact_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION contact_history_hash_extended(contact_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION contact_history_ne(contact_history, contact_history) IS 'implementation of <> operator';
COMMENT ON FUNCTION contact_history_hash(contact_history) IS 'hash';
COMMENT ON FUNCTION contact_history_hash_extended(contact_history, bigint) IS 'hash';
CREATE OPERATOR = (
  LEFTARG = contact_history, RIGHTARG = contact_history, FUNCTION = contact_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR <> (
  LEFTARG = contact_history, RIGHTARG = contact_history, FUNCTION = contact_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR = (contact_history, contact_history) IS 'the same content';
COMMENT ON OPERATOR <> (contact_history, contact_history) IS 'not the same content';
CREATE OPERATOR CLASS contact_history_ops DEFAULT FOR TYPE contact_history USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 contact_history_hash(contact_history),
  FUNCTION 2 contact_history_hash_extended(contact_history, bigint);
COMMENT ON OPERATOR CLASS contact_history_ops USING hash IS 'the same content';
CREATE TYPE consent_history;
CREATE FUNCTION consent_history_in(cstring) RETURNS consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_in_wrapper';
CREATE FUNCTION consent_history_out(consent_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION consent_history_recv(internal) RETURNS consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_recv_wrapper';
CREATE FUNCTION consent_history_send(consent_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE consent_history (
  INPUT = consent_history_in, OUTPUT = consent_history_out, RECEIVE = consent_history_recv, SEND = consent_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE consent_history IS
  'Consents of one customer, given and withdrawn: channel, day. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION consent_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION consent_history_out(consent_history) IS 'I/O';
COMMENT ON FUNCTION consent_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION consent_history_send(consent_history) IS 'I/O';
CREATE FUNCTION consent_history_eq(consent_history, consent_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION consent_history_eq(consent_history, consent_history) IS 'implementation of = operator';
CREATE FUNCTION consent_history_ne(consent_history, consent_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION consent_history_hash(consent_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION consent_history_hash_extended(consent_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION consent_history_ne(consent_history, consent_history) IS 'implementation of <> operator';
COMMENT ON FUNCTION consent_history_hash(consent_history) IS 'hash';
COMMENT ON FUNCTION consent_history_hash_extended(consent_history, bigint) IS 'hash';
CREATE OPERATOR = (
  LEFTARG = consent_history, RIGHTARG = consent_history, FUNCTION = consent_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR <> (
  LEFTARG = consent_history, RIGHTARG = consent_history, FUNCTION = consent_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR = (consent_history, consent_history) IS 'the same content';
COMMENT ON OPERATOR <> (consent_history, consent_history) IS 'not the same content';
CREATE OPERATOR CLASS consent_history_ops DEFAULT FOR TYPE consent_history USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 consent_history_hash(consent_history),
  FUNCTION 2 consent_history_hash_extended(consent_history, bigint);
COMMENT ON OPERATOR CLASS consent_history_ops USING hash IS 'the same content';
CREATE TYPE interaction_history;
CREATE FUNCTION interaction_history_in(cstring) RETURNS interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_in_wrapper';
CREATE FUNCTION interaction_history_out(interaction_history) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION interaction_history_recv(internal) RETURNS interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_recv_wrapper';
CREATE FUNCTION interaction_history_send(interaction_history) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE interaction_history (
  INPUT = interaction_history_in, OUTPUT = interaction_history_out, RECEIVE = interaction_history_recv, SEND = interaction_history_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE interaction_history IS
  'What one customer did: kind, day. Packed, mergeable; cast it to jsonb to read it.';
COMMENT ON FUNCTION interaction_history_in(cstring) IS 'I/O';
COMMENT ON FUNCTION interaction_history_out(interaction_history) IS 'I/O';
COMMENT ON FUNCTION interaction_history_recv(internal) IS 'I/O';
COMMENT ON FUNCTION interaction_history_send(interaction_history) IS 'I/O';
CREATE FUNCTION interaction_history_eq(interaction_history, interaction_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION interaction_history_eq(interaction_history, interaction_history) IS 'implementation of = operator';
CREATE FUNCTION interaction_history_ne(interaction_history, interaction_history) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION interaction_history_hash(interaction_history) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION interaction_history_hash_extended(interaction_history, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION interaction_history_ne(interaction_history, interaction_history) IS 'implementation of <> operator';
COMMENT ON FUNCTION interaction_history_hash(interaction_history) IS 'hash';
COMMENT ON FUNCTION interaction_history_hash_extended(interaction_history, bigint) IS 'hash';
CREATE OPERATOR = (
  LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR <> (
  LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR = (interaction_history, interaction_history) IS 'the same content';
COMMENT ON OPERATOR <> (interaction_history, interaction_history) IS 'not the same content';
CREATE OPERATOR CLASS interaction_history_ops DEFAULT FOR TYPE interaction_history USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 interaction_history_hash(interaction_history),
  FUNCTION 2 interaction_history_hash_extended(interaction_history, bigint);
COMMENT ON OPERATOR CLASS interaction_history_ops USING hash IS 'the same content';

CREATE FUNCTION contact_history_add(contact_history, text, date, text) RETURNS contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_add_wrapper';
COMMENT ON FUNCTION contact_history_add(contact_history, text, date, text) IS
  'transition of contact_history';
CREATE FUNCTION contact_history_add(contact_history, text, date, boolean) RETURNS contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_add_responded_wrapper';
COMMENT ON FUNCTION contact_history_add(contact_history, text, date, boolean) IS
  'transition of contact_history';
CREATE FUNCTION consent_history_add(consent_history, text, boolean, date) RETURNS consent_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_add_wrapper';
COMMENT ON FUNCTION consent_history_add(consent_history, text, boolean, date) IS
  'transition of consent_history';
CREATE FUNCTION interaction_history_add(interaction_history, text, date) RETURNS interaction_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_add_wrapper';
COMMENT ON FUNCTION interaction_history_add(interaction_history, text, date) IS
  'transition of interaction_history';
CREATE FUNCTION contact_history_merge(contact_history, contact_history) RETURNS contact_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_merge_wrapper';
COMMENT ON FUNCTION contact_history_merge(contact_history, contact_history) IS
  'combine function of contact_history';
CREATE FUNCTION contact_history_final(contact_history) RETURNS contact_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_final_wrapper';
COMMENT ON FUNCTION contact_history_final(contact_history) IS
  'final function of contact_history';
CREATE FUNCTION contact_history_json(contact_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contact_history_json_wrapper';
COMMENT ON FUNCTION contact_history_json(contact_history) IS
  'The events of a contact_history as a list; used by the cast.';
CREATE CAST (contact_history AS jsonb) WITH FUNCTION contact_history_json(contact_history);
COMMENT ON CAST (contact_history AS jsonb) IS 'its events, in order';
CREATE FUNCTION consent_history_merge(consent_history, consent_history) RETURNS consent_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_merge_wrapper';
COMMENT ON FUNCTION consent_history_merge(consent_history, consent_history) IS
  'combine function of consent_history';
CREATE FUNCTION consent_history_final(consent_history) RETURNS consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_final_wrapper';
COMMENT ON FUNCTION consent_history_final(consent_history) IS
  'final function of consent_history';
CREATE FUNCTION consent_history_json(consent_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_json_wrapper';
COMMENT ON FUNCTION consent_history_json(consent_history) IS
  'The events of a consent_history as a list; used by the cast.';
CREATE CAST (consent_history AS jsonb) WITH FUNCTION consent_history_json(consent_history);
COMMENT ON CAST (consent_history AS jsonb) IS 'its events, in order';
CREATE FUNCTION interaction_history_merge(interaction_history, interaction_history) RETURNS interaction_history
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_merge_wrapper';
COMMENT ON FUNCTION interaction_history_merge(interaction_history, interaction_history) IS
  'combine function of interaction_history';
CREATE FUNCTION interaction_history_final(interaction_history) RETURNS interaction_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_final_wrapper';
COMMENT ON FUNCTION interaction_history_final(interaction_history) IS
  'final function of interaction_history';
CREATE FUNCTION interaction_history_json(interaction_history) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interaction_history_json_wrapper';
COMMENT ON FUNCTION interaction_history_json(interaction_history) IS
  'The events of a interaction_history as a list; used by the cast.';
CREATE CAST (interaction_history AS jsonb) WITH FUNCTION interaction_history_json(interaction_history);
COMMENT ON CAST (interaction_history AS jsonb) IS 'its events, in order';

CREATE AGGREGATE contact_history(channel text, sent_on date, response text) (
  SFUNC = contact_history_add, STYPE = contact_history, FINALFUNC = contact_history_final, COMBINEFUNC = contact_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE contact_history(text, date, text) IS
  'The contacts of a customer, one row a message: channel, local day, and what came of it: click, reply, visit, purchase or response (answers), open, none or NULL, unsubscribe, complaint, bounce. Rows without channel or day are left out.';
CREATE AGGREGATE contact_history(channel text, sent_on date, responded boolean) (
  SFUNC = contact_history_add, STYPE = contact_history, FINALFUNC = contact_history_final, COMBINEFUNC = contact_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE contact_history(text, date, boolean) IS
  'The contacts of a customer, one row a message: channel, local day, and whether it was answered. Rows without channel or day are left out.';
CREATE AGGREGATE consent_history(channel text, granted boolean, changed_on date) (
  SFUNC = consent_history_add, STYPE = consent_history, FINALFUNC = consent_history_final, COMBINEFUNC = consent_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE consent_history(text, boolean, date) IS
  'The consents of a customer, one row a change; channel * stands for all. In doubt it is a refusal: granted NULL is one; without a day it holds for good; without a channel it holds for all.';
CREATE AGGREGATE interaction_history(kind text, occurred_on date) (
  SFUNC = interaction_history_add, STYPE = interaction_history, FINALFUNC = interaction_history_final, COMBINEFUNC = interaction_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE interaction_history(text, date) IS
  'What a customer did, one row an act: kind and local day. Rows without either are left out.';
CREATE AGGREGATE merge(history contact_history) (
  SFUNC = contact_history_merge, STYPE = contact_history, FINALFUNC = contact_history_final, COMBINEFUNC = contact_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(contact_history) IS
  'One contact_history out of many.';
CREATE AGGREGATE merge(history consent_history) (
  SFUNC = consent_history_merge, STYPE = consent_history, FINALFUNC = consent_history_final, COMBINEFUNC = consent_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(consent_history) IS
  'One consent_history out of many.';
CREATE AGGREGATE merge(history interaction_history) (
  SFUNC = interaction_history_merge, STYPE = interaction_history, FINALFUNC = interaction_history_final, COMBINEFUNC = interaction_history_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(interaction_history) IS
  'One interaction_history out of many.';

CREATE FUNCTION consents(given jsonb) RETURNS consent_history
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'consent_history_of_wrapper';
COMMENT ON FUNCTION consents(jsonb) IS
  'Consents from an object of true, false or null by channel, as if said on the first day there is.';
CREATE FUNCTION contacts(history contact_history, as_of date, days integer DEFAULT NULL, channel text DEFAULT NULL) RETURNS bigint
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contacts_wrapper';
COMMENT ON FUNCTION contacts(contact_history, date, integer, text) IS
  'Contacts up to as_of: of the last so many days if days is given, by one channel if that is. Bounces are no contacts.';
CREATE FUNCTION last_response(history contact_history, as_of date) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'last_response_wrapper';
COMMENT ON FUNCTION last_response(contact_history, date) IS
  'The day on which the last message was sent, up to as_of, that the customer answered. An open is no answer.';
CREATE FUNCTION contact_counts(history contact_history, as_of date, options jsonb DEFAULT '{}') RETURNS TABLE (channel text, sent double precision, responses double precision)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'contact_counts_wrapper';
COMMENT ON FUNCTION contact_counts(contact_history, date, jsonb) IS
  'Contacts and answers by channel up to as_of. options: window_days, half_life_days (a contact of so many days ago counts half), opens (true: an open is an answer).';
CREATE FUNCTION has_consent(consents consent_history, channel text, as_of date, consent_days integer DEFAULT NULL) RETURNS boolean
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'has_consent_wrapper';
COMMENT ON FUNCTION has_consent(consent_history, text, date, integer) IS
  'Whether the last word about exactly this channel up to as_of was a consent, not older than consent_days. False in doubt: NULL, a refusal on the same day, of all channels, of an unknown day, or under another spelling.';
CREATE FUNCTION engagement_score(history interaction_history, as_of date, options jsonb DEFAULT '{}') RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'engagement_score_wrapper';
COMMENT ON FUNCTION engagement_score(interaction_history, date, jsonb) IS
  'Sum over the acts up to as_of of weight x 2^(-age / half-life). options: half_life_days (90), weights (by kind; * for the rest, 1).';
