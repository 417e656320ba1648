-- Send time: at which of the 168 hours of the week a customer is reached.

CREATE TYPE segmentation.send_hours;
CREATE FUNCTION segmentation_internal.send_hours_in(cstring) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_in_wrapper';
CREATE FUNCTION segmentation_internal.send_hours_out(segmentation.send_hours) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.send_hours_recv(internal) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_recv_wrapper';
CREATE FUNCTION segmentation_internal.send_hours_send(segmentation.send_hours) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.send_hours (
  INPUT = segmentation_internal.send_hours_in,
  OUTPUT = segmentation_internal.send_hours_out,
  RECEIVE = segmentation_internal.send_hours_recv,
  SEND = segmentation_internal.send_hours_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.send_hours IS
  'Acts of one customer by hour of the week, on the customer''s clock, from Monday 00:00. Packed, mergeable; cast it '
  'to double precision[] to read its 168 weights.';
COMMENT ON FUNCTION segmentation_internal.send_hours_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_hours_out(segmentation.send_hours) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_hours_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_hours_send(segmentation.send_hours) IS 'I/O';
CREATE FUNCTION segmentation_internal.send_hours_eq(segmentation.send_hours, segmentation.send_hours) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION segmentation_internal.send_hours_eq(segmentation.send_hours, segmentation.send_hours) IS
  'implementation of = operator';
CREATE FUNCTION segmentation_internal.send_hours_ne(segmentation.send_hours, segmentation.send_hours) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
CREATE FUNCTION segmentation_internal.send_hours_hash(segmentation.send_hours) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION segmentation_internal.send_hours_hash_extended(segmentation.send_hours, bigint) RETURNS bigint
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION segmentation_internal.send_hours_ne(segmentation.send_hours, segmentation.send_hours) IS
  'implementation of <> operator';
COMMENT ON FUNCTION segmentation_internal.send_hours_hash(segmentation.send_hours) IS 'hash';
COMMENT ON FUNCTION segmentation_internal.send_hours_hash_extended(segmentation.send_hours, bigint) IS 'hash';
CREATE OPERATOR segmentation.= (
  LEFTARG = segmentation.send_hours, RIGHTARG = segmentation.send_hours, FUNCTION = segmentation_internal.send_hours_eq,
  COMMUTATOR = OPERATOR(segmentation.=), NEGATOR = OPERATOR(segmentation.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR segmentation.<> (
  LEFTARG = segmentation.send_hours, RIGHTARG = segmentation.send_hours, FUNCTION = segmentation_internal.send_hours_ne,
  COMMUTATOR = OPERATOR(segmentation.<>), NEGATOR = OPERATOR(segmentation.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR segmentation.= (segmentation.send_hours, segmentation.send_hours) IS 'the same content';
COMMENT ON OPERATOR segmentation.<> (segmentation.send_hours, segmentation.send_hours) IS 'not the same content';
CREATE OPERATOR CLASS segmentation.send_hours_ops DEFAULT FOR TYPE segmentation.send_hours USING hash AS
  OPERATOR 1 segmentation.=,
  FUNCTION 1 segmentation_internal.send_hours_hash(segmentation.send_hours),
  FUNCTION 2 segmentation_internal.send_hours_hash_extended(segmentation.send_hours, bigint);
COMMENT ON OPERATOR CLASS segmentation.send_hours_ops USING hash IS 'the same content';
CREATE TYPE segmentation.send_time_cells;
CREATE FUNCTION segmentation_internal.send_time_cells_in(cstring) RETURNS segmentation.send_time_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_cells_in_wrapper';
CREATE FUNCTION segmentation_internal.send_time_cells_out(segmentation.send_time_cells) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.send_time_cells_recv(internal) RETURNS segmentation.send_time_cells
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_cells_recv_wrapper';
CREATE FUNCTION segmentation_internal.send_time_cells_send(segmentation.send_time_cells) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.send_time_cells (
  INPUT = segmentation_internal.send_time_cells_in,
  OUTPUT = segmentation_internal.send_time_cells_out,
  RECEIVE = segmentation_internal.send_time_cells_recv,
  SEND = segmentation_internal.send_time_cells_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.send_time_cells IS
  'Hours of many customers: what fit_send_time needs. Can be stored, merged and fitted later.';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_out(segmentation.send_time_cells) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_send(segmentation.send_time_cells) IS 'I/O';

CREATE FUNCTION segmentation_internal.send_hours_add(segmentation.send_hours, timestamp with time zone, text)
  RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_add(segmentation.send_hours, timestamp with time zone, text) IS
  'transition of send_hours';
CREATE FUNCTION segmentation_internal.send_hours_add(
  segmentation.send_hours, timestamp with time zone, text, double precision
) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_add_weight_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_add(
  segmentation.send_hours, timestamp with time zone, text, double precision
) IS
  'transition of send_hours';
CREATE FUNCTION segmentation_internal.send_hours_add(segmentation.send_hours, timestamp without time zone)
  RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_add_local_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_add(segmentation.send_hours, timestamp without time zone) IS
  'transition of send_hours';
CREATE FUNCTION segmentation_internal.send_hours_add(
  segmentation.send_hours, timestamp without time zone, double precision
) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_add_local_weight_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_add(
  segmentation.send_hours, timestamp without time zone, double precision
) IS
  'transition of send_hours';
CREATE FUNCTION segmentation_internal.send_hours_merge(segmentation.send_hours, segmentation.send_hours)
  RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_merge(segmentation.send_hours, segmentation.send_hours) IS
  'combine function of send_hours';
CREATE FUNCTION segmentation_internal.send_hours_final(segmentation.send_hours) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_final(segmentation.send_hours) IS
  'final function of send_hours';
CREATE AGGREGATE segmentation.send_hours(at timestamp with time zone, time_zone text) (
  SFUNC = segmentation_internal.send_hours_add,
  STYPE = segmentation.send_hours,
  FINALFUNC = segmentation_internal.send_hours_final,
  COMBINEFUNC = segmentation_internal.send_hours_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.send_hours(timestamp with time zone, text) IS
  'Acts of a customer by hour of the week, one row an act: instant and the customer''s time zone. Rows with a NULL '
  'are left out.';
CREATE AGGREGATE segmentation.send_hours(at timestamp with time zone, time_zone text, weight double precision) (
  SFUNC = segmentation_internal.send_hours_add,
  STYPE = segmentation.send_hours,
  FINALFUNC = segmentation_internal.send_hours_final,
  COMBINEFUNC = segmentation_internal.send_hours_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.send_hours(timestamp with time zone, text, double precision) IS
  'Acts of a customer by hour of the week, one row an act: instant, the customer''s time zone, and what the act '
  'weighs (four decimals). Rows with a NULL are left out.';
CREATE AGGREGATE segmentation.send_hours(at timestamp without time zone) (
  SFUNC = segmentation_internal.send_hours_add,
  STYPE = segmentation.send_hours,
  FINALFUNC = segmentation_internal.send_hours_final,
  COMBINEFUNC = segmentation_internal.send_hours_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.send_hours(timestamp without time zone) IS
  'Acts of a customer by hour of the week, one row an act: time on the customer''s clock. Rows with a NULL are left '
  'out.';
CREATE AGGREGATE segmentation.send_hours(at timestamp without time zone, weight double precision) (
  SFUNC = segmentation_internal.send_hours_add,
  STYPE = segmentation.send_hours,
  FINALFUNC = segmentation_internal.send_hours_final,
  COMBINEFUNC = segmentation_internal.send_hours_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.send_hours(timestamp without time zone, double precision) IS
  'Acts of a customer by hour of the week, one row an act: time on the customer''s clock, and what the act weighs '
  '(four decimals). Rows with a NULL are left out.';
CREATE AGGREGATE segmentation.merge(hours segmentation.send_hours) (
  SFUNC = segmentation_internal.send_hours_merge,
  STYPE = segmentation.send_hours,
  FINALFUNC = segmentation_internal.send_hours_final,
  COMBINEFUNC = segmentation_internal.send_hours_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.send_hours) IS
  'The acts of many parts.';
CREATE FUNCTION segmentation.send_hours(weights double precision[]) RETURNS segmentation.send_hours
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_of_wrapper';
COMMENT ON FUNCTION segmentation.send_hours(double precision[]) IS
  'Hours from 168 weights, from Monday 00:00.';
CREATE FUNCTION segmentation_internal.send_hours_array(hours segmentation.send_hours) RETURNS double precision[]
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_hours_array_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_hours_array(segmentation.send_hours) IS
  'The 168 weights, from Monday 00:00; used by the cast.';
CREATE CAST (segmentation.send_hours AS double precision[])
  WITH FUNCTION segmentation_internal.send_hours_array(segmentation.send_hours);
COMMENT ON CAST (segmentation.send_hours AS double precision[]) IS 'its 168 weights, from Monday 00:00';

CREATE FUNCTION segmentation_internal.send_time_cells_add(segmentation.send_time_cells, segmentation.send_hours)
  RETURNS segmentation.send_time_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_cells_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_add(segmentation.send_time_cells, segmentation.send_hours) IS
  'transition of send_time_cells and fit_send_time';
CREATE FUNCTION segmentation_internal.send_time_cells_merge(segmentation.send_time_cells, segmentation.send_time_cells)
  RETURNS segmentation.send_time_cells
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_cells_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_time_cells_merge(
  segmentation.send_time_cells, segmentation.send_time_cells
) IS
  'combine function of send_time_cells and fit_send_time';
CREATE FUNCTION segmentation_internal.send_time_options_add(bytea, segmentation.send_hours, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_options_add_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_time_options_add(bytea, segmentation.send_hours, jsonb) IS
  'transition of fit_send_time with options';
CREATE FUNCTION segmentation_internal.send_time_options_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_options_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_time_options_merge(bytea, bytea) IS
  'combine function of fit_send_time with options';
CREATE FUNCTION segmentation_internal.send_time_options_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'send_time_options_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.send_time_options_final(bytea) IS
  'final function of fit_send_time with options';
CREATE FUNCTION segmentation.fit_send_time(cells segmentation.send_time_cells) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fit_send_time_wrapper';
COMMENT ON FUNCTION segmentation.fit_send_time(segmentation.send_time_cells) IS
  'The profile of customers gathered by send_time_cells; see the aggregate fit_send_time.';
CREATE FUNCTION segmentation.fit_send_time(cells segmentation.send_time_cells, options jsonb) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fit_send_time_options_wrapper';
COMMENT ON FUNCTION segmentation.fit_send_time(segmentation.send_time_cells, jsonb) IS
  'The profile of customers gathered by send_time_cells, with options; see the aggregate fit_send_time.';
CREATE AGGREGATE segmentation.send_time_cells(hours segmentation.send_hours) (
  SFUNC = segmentation_internal.send_time_cells_add,
  STYPE = segmentation.send_time_cells,
  COMBINEFUNC = segmentation_internal.send_time_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.send_time_cells(segmentation.send_hours) IS
  'The hours of customers as a mergeable value, for fit_send_time(send_time_cells).';
CREATE AGGREGATE segmentation.merge(cells segmentation.send_time_cells) (
  SFUNC = segmentation_internal.send_time_cells_merge,
  STYPE = segmentation.send_time_cells,
  COMBINEFUNC = segmentation_internal.send_time_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.send_time_cells) IS
  'The customers of many parts.';
CREATE AGGREGATE segmentation.fit_send_time(hours segmentation.send_hours) (
  SFUNC = segmentation_internal.send_time_cells_add,
  STYPE = segmentation.send_time_cells,
  FINALFUNC = segmentation.fit_send_time,
  COMBINEFUNC = segmentation_internal.send_time_cells_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_send_time(segmentation.send_hours) IS
  'The weekly profile of a segment, one row a customer, and how strongly customers are drawn towards it; a jsonb '
  'value.';
CREATE AGGREGATE segmentation.fit_send_time(hours segmentation.send_hours, options jsonb) (
  SFUNC = segmentation_internal.send_time_options_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.send_time_options_final,
  COMBINEFUNC = segmentation_internal.send_time_options_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_send_time(segmentation.send_hours, jsonb) IS
  'The weekly profile of a segment, one row a customer; a jsonb value. options: bandwidth_hours (2.5: of the kernel), '
  'shared_days (0.95: how far an act stands for its hour on every day), prior_events (n0 in n / (n + n0); estimated '
  'if not given).';

CREATE TYPE segmentation.send_moment AS (day smallint, hour smallint, score double precision, n double precision);
COMMENT ON TYPE segmentation.send_moment IS
  'Best hour of the week: day (1 Monday to 7 Sunday), hour (0 to 23), how many times as good as an average hour, and '
  'the weight of the customer''s own acts.';
CREATE FUNCTION segmentation.send_time(model jsonb, hours segmentation.send_hours, open_hours bit DEFAULT NULL)
  RETURNS segmentation.send_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'send_time_wrapper';
COMMENT ON FUNCTION segmentation.send_time(jsonb, segmentation.send_hours, bit) IS
  'The best hour to reach a customer (hours NULL: only the segment is known), among the open hours if a mask of 168 '
  'is given. NULL if none is open or the model knows nothing.';
CREATE FUNCTION segmentation.send_time_scores(model jsonb, hours segmentation.send_hours, open_hours bit DEFAULT NULL)
  RETURNS double precision[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'send_time_scores_wrapper';
COMMENT ON FUNCTION segmentation.send_time_scores(jsonb, segmentation.send_hours, bit) IS
  'The scores of the 168 hours, from Monday 00:00: how many times as good as an average hour; 0 where closed.';
CREATE FUNCTION segmentation.next_send_time(
  scores double precision[], after timestamp with time zone, time_zone text, hours integer DEFAULT 168
) RETURNS timestamp with time zone
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'next_send_time_wrapper';
COMMENT ON FUNCTION segmentation.next_send_time(double precision[], timestamp with time zone, text, integer) IS
  'The best of the coming hours by the scores of a week, on the clock of a time zone: the given instant, or the '
  'beginning of a later hour. NULL if no score is above 0.';
CREATE FUNCTION segmentation.send_time_days(scores double precision[])
RETURNS TABLE (day smallint, hour smallint, score double precision)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 7
BEGIN ATOMIC
  SELECT DISTINCT ON ((s.place - 1) / 24) ((s.place - 1) / 24 + 1)::smallint, ((s.place - 1) % 24)::smallint, s.score
  FROM unnest(scores) WITH ORDINALITY AS s (score, place)
  WHERE s.score > 0
  ORDER BY (s.place - 1) / 24, s.score DESC, s.place;
END;
COMMENT ON FUNCTION segmentation.send_time_days(double precision[]) IS
  'The best hour of each day (1 Monday to 7 Sunday) by the scores of a week; days without a score above 0 are left '
  'out.';
CREATE FUNCTION segmentation.send_time_list(scores double precision[], first_day integer DEFAULT 1) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT string_agg(round(s.score::numeric, 4)::text, ',' ORDER BY (s.place - 1 - 24 * (first_day - 1) + 168) % 168)
    FROM unnest(scores) WITH ORDINALITY AS s (score, place)
    WHERE first_day BETWEEN 1 AND 7 AND cardinality(scores) = 168
  );
COMMENT ON FUNCTION segmentation.send_time_list(double precision[], integer) IS
  'The 168 scores as text, with commas and four decimals, from 00:00 of first_day (1 Monday to 7 Sunday): for tools '
  'that take a list, such as HourlyScoresByWeekList of Salesforce Data Cloud.';
CREATE FUNCTION segmentation.send_time_responsys(scores double precision[])
RETURNS TABLE (bestday smallint, besthourforbestday smallint)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT coalesce((b.day % 7 + 1)::smallint, 0::smallint), b.hour
  FROM (VALUES (true)) AS one (row)
  LEFT JOIN (SELECT d.day, d.hour FROM segmentation.send_time_days(scores) AS d
             ORDER BY d.score DESC, d.day LIMIT 1) AS b ON true;
END;
COMMENT ON FUNCTION segmentation.send_time_responsys(double precision[]) IS
  'The best hour of the week in the numbers of Oracle Responsys: day 1 Sunday to 7 Saturday, 0 for any; hour 0 to 23.';
