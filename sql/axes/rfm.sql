-- RFM: scores as a window function, frozen cut points, named segments.

CREATE TYPE segmentation.rfm AS (
  recency numeric,
  frequency numeric,
  monetary numeric,
  r smallint,
  f smallint,
  m smallint,
  bins smallint,
  score integer
);
COMMENT ON TYPE segmentation.rfm IS
  'Recency (days since the last purchase), frequency (purchases), monetary (turnover), their scores r, f, m from 1 to '
  'bins (the highest is best) and score = 100 r + 10 f + m. Who never bought has null scores.';

CREATE TYPE segmentation.rfm_cuts AS (
  recency double precision[],
  frequency double precision[],
  monetary double precision[],
  bins smallint,
  rule text,
  customers bigint,
  prospects bigint
);
COMMENT ON TYPE segmentation.rfm_cuts IS
  'Cut points between the bins of recency, frequency and monetary; the rule by which values are compared with them; '
  'customers they were made from, and customers left out because they never bought.';

-- Window functions. recency and frequency are numeric, to which integer and bigint convert.
CREATE FUNCTION segmentation.rfm_score(
  recency numeric, frequency numeric, monetary numeric, bins integer DEFAULT 5, rule text DEFAULT 'quantile'
) RETURNS segmentation.rfm
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_window_numeric';
CREATE FUNCTION segmentation.rfm_score(
  recency numeric, frequency numeric, monetary double precision, bins integer DEFAULT 5, rule text DEFAULT 'quantile'
) RETURNS segmentation.rfm
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_window_double';
CREATE FUNCTION segmentation.rfm_score(
  history segmentation.purchase_history, as_of date, bins integer DEFAULT 5, rule text DEFAULT 'quantile'
) RETURNS segmentation.rfm
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_window_history';
COMMENT ON FUNCTION segmentation.rfm_score(numeric, numeric, numeric, integer, text) IS
  'Window function: RFM scores of each row by quantiles of its partition. bins 2 to 10; rule quantile (value <= cut) '
  'or r_rfm (as the R package rfm).';
COMMENT ON FUNCTION segmentation.rfm_score(numeric, numeric, double precision, integer, text) IS
  'Window function: RFM scores of each row by quantiles of its partition. bins 2 to 10; rule quantile (value <= cut) '
  'or r_rfm (as the R package rfm).';
COMMENT ON FUNCTION segmentation.rfm_score(segmentation.purchase_history, date, integer, text) IS
  'Window function: RFM scores of each history as of a day, by quantiles of its partition.';

-- Frozen cut points: customers move by their own purchases and the days that pass, never by what others do.
CREATE FUNCTION segmentation.rfm_score(recency numeric, frequency numeric, monetary numeric, cuts segmentation.rfm_cuts)
  RETURNS segmentation.rfm
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_frozen_numeric_wrapper';
CREATE FUNCTION segmentation.rfm_score(
  recency numeric, frequency numeric, monetary double precision, cuts segmentation.rfm_cuts
) RETURNS segmentation.rfm
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_frozen_double_wrapper';
CREATE FUNCTION segmentation.rfm_score(history segmentation.purchase_history, as_of date, cuts segmentation.rfm_cuts)
  RETURNS segmentation.rfm
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_score_frozen_history_wrapper';
COMMENT ON FUNCTION segmentation.rfm_score(numeric, numeric, numeric, segmentation.rfm_cuts) IS
  'RFM scores by frozen cut points.';
COMMENT ON FUNCTION segmentation.rfm_score(numeric, numeric, double precision, segmentation.rfm_cuts) IS
  'RFM scores by frozen cut points.';
COMMENT ON FUNCTION segmentation.rfm_score(segmentation.purchase_history, date, segmentation.rfm_cuts) IS
  'RFM scores of a history as of a day, by frozen cut points.';

-- The day on which time alone changes scores.
CREATE FUNCTION segmentation.rfm_next_change(
  history segmentation.purchase_history, as_of date, cuts segmentation.rfm_cuts
) RETURNS date
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_next_change_wrapper';
COMMENT ON FUNCTION segmentation.rfm_next_change(segmentation.purchase_history, date, segmentation.rfm_cuts) IS
  'The first day after as_of on which the RFM scores change because recency crosses a cut point, or on which the '
  'history has something dated later. NULL: never.';

-- The mergeable state of a population.
CREATE TYPE segmentation.rfm_values;
CREATE FUNCTION segmentation_internal.rfm_values_in(cstring) RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_in_wrapper';
CREATE FUNCTION segmentation_internal.rfm_values_out(segmentation.rfm_values) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.rfm_values_recv(internal) RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_recv_wrapper';
CREATE FUNCTION segmentation_internal.rfm_values_send(segmentation.rfm_values) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.rfm_values (
  INPUT = segmentation_internal.rfm_values_in,
  OUTPUT = segmentation_internal.rfm_values_out,
  RECEIVE = segmentation_internal.rfm_values_recv,
  SEND = segmentation_internal.rfm_values_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.rfm_values IS
  'Recency, frequency and monetary of a population, to be merged with others and made into rfm_cuts.';
COMMENT ON FUNCTION segmentation_internal.rfm_values_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.rfm_values_out(segmentation.rfm_values) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.rfm_values_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.rfm_values_send(segmentation.rfm_values) IS 'I/O';

CREATE FUNCTION segmentation_internal.rfm_values_add(segmentation.rfm_values, numeric, numeric, numeric)
  RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_add_numeric_wrapper';
CREATE FUNCTION segmentation_internal.rfm_values_add(segmentation.rfm_values, numeric, numeric, double precision)
  RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_add_double_wrapper';
CREATE FUNCTION segmentation_internal.rfm_values_add(segmentation.rfm_values, segmentation.purchase_history, date)
  RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_add_history_wrapper';
CREATE FUNCTION segmentation_internal.rfm_values_merge(segmentation.rfm_values, segmentation.rfm_values)
  RETURNS segmentation.rfm_values
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_values_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.rfm_values_add(segmentation.rfm_values, numeric, numeric, numeric) IS
  'transition of rfm_values and rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_values_add(segmentation.rfm_values, numeric, numeric, double precision) IS
  'transition of rfm_values and rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_values_add(
  segmentation.rfm_values, segmentation.purchase_history, date
) IS 'transition of rfm_values and rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_values_merge(segmentation.rfm_values, segmentation.rfm_values) IS
  'combine function of rfm_values and rfm_cuts';

CREATE AGGREGATE segmentation.rfm_values(recency numeric, frequency numeric, monetary numeric) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  COMBINEFUNC = segmentation_internal.rfm_values_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_values(recency numeric, frequency numeric, monetary double precision) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  COMBINEFUNC = segmentation_internal.rfm_values_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_values(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  COMBINEFUNC = segmentation_internal.rfm_values_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.merge("values" segmentation.rfm_values) (
  SFUNC = segmentation_internal.rfm_values_merge,
  STYPE = segmentation.rfm_values,
  COMBINEFUNC = segmentation_internal.rfm_values_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.rfm_values(numeric, numeric, numeric) IS
  'The population as a mergeable value, for rfm_cuts(rfm_values).';
COMMENT ON AGGREGATE segmentation.rfm_values(numeric, numeric, double precision) IS
  'The population as a mergeable value, for rfm_cuts(rfm_values).';
COMMENT ON AGGREGATE segmentation.rfm_values(segmentation.purchase_history, date) IS
  'The population as a mergeable value, for rfm_cuts(rfm_values).';
COMMENT ON AGGREGATE segmentation.merge(segmentation.rfm_values) IS 'One population of many.';

CREATE FUNCTION segmentation.rfm_cuts("values" segmentation.rfm_values, options jsonb DEFAULT '{}')
  RETURNS segmentation.rfm_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_of_values_wrapper';
COMMENT ON FUNCTION segmentation.rfm_cuts(segmentation.rfm_values, jsonb) IS
  'Cut points of a population. options: bins (2 to 10, default 5), rule (quantile or r_rfm).';

-- Aggregates with options keep them in their state, which is opaque bytes.
CREATE FUNCTION segmentation_internal.rfm_cuts_add(bytea, numeric, numeric, numeric, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_add_numeric_wrapper';
CREATE FUNCTION segmentation_internal.rfm_cuts_add(bytea, numeric, numeric, double precision, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_add_double_wrapper';
CREATE FUNCTION segmentation_internal.rfm_cuts_add(bytea, segmentation.purchase_history, date, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_add_history_wrapper';
CREATE FUNCTION segmentation_internal.rfm_cuts_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_merge_wrapper';
CREATE FUNCTION segmentation_internal.rfm_cuts_final(segmentation.rfm_values) RETURNS segmentation.rfm_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_final_wrapper';
CREATE FUNCTION segmentation_internal.rfm_cuts_final(bytea) RETURNS segmentation.rfm_cuts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_cuts_options_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_add(bytea, numeric, numeric, numeric, jsonb) IS
  'transition of rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_add(bytea, numeric, numeric, double precision, jsonb) IS
  'transition of rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_add(bytea, segmentation.purchase_history, date, jsonb) IS
  'transition of rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_merge(bytea, bytea) IS 'combine function of rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_final(segmentation.rfm_values) IS 'final function of rfm_cuts';
COMMENT ON FUNCTION segmentation_internal.rfm_cuts_final(bytea) IS 'final function of rfm_cuts';

CREATE AGGREGATE segmentation.rfm_cuts(recency numeric, frequency numeric, monetary numeric) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_cuts(recency numeric, frequency numeric, monetary double precision) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_cuts(history segmentation.purchase_history, as_of date) (
  SFUNC = segmentation_internal.rfm_values_add,
  STYPE = segmentation.rfm_values,
  FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_values_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_cuts(recency numeric, frequency numeric, monetary numeric, options jsonb) (
  SFUNC = segmentation_internal.rfm_cuts_add, STYPE = bytea, FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_cuts_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_cuts(recency numeric, frequency numeric, monetary double precision, options jsonb) (
  SFUNC = segmentation_internal.rfm_cuts_add, STYPE = bytea, FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_cuts_merge, PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.rfm_cuts(history segmentation.purchase_history, as_of date, options jsonb) (
  SFUNC = segmentation_internal.rfm_cuts_add, STYPE = bytea, FINALFUNC = segmentation_internal.rfm_cuts_final,
  COMBINEFUNC = segmentation_internal.rfm_cuts_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.rfm_cuts(numeric, numeric, numeric) IS
  'Cut points of the population (5 bins, rule quantile), to be stored and used by rfm_score(..., cuts). NULL if '
  'nobody bought.';
COMMENT ON AGGREGATE segmentation.rfm_cuts(numeric, numeric, double precision) IS
  'Cut points of the population (5 bins, rule quantile), to be stored and used by rfm_score(..., cuts). NULL if '
  'nobody bought.';
COMMENT ON AGGREGATE segmentation.rfm_cuts(segmentation.purchase_history, date) IS
  'Cut points of the population as of a day (5 bins, rule quantile). NULL if nobody bought.';
COMMENT ON AGGREGATE segmentation.rfm_cuts(numeric, numeric, numeric, jsonb) IS
  'Cut points of the population. options: bins (2 to 10, default 5), rule (quantile or r_rfm).';
COMMENT ON AGGREGATE segmentation.rfm_cuts(numeric, numeric, double precision, jsonb) IS
  'Cut points of the population. options: bins (2 to 10, default 5), rule (quantile or r_rfm).';
COMMENT ON AGGREGATE segmentation.rfm_cuts(segmentation.purchase_history, date, jsonb) IS
  'Cut points of the population as of a day. options: bins (2 to 10, default 5), rule (quantile or r_rfm).';

-- Segments.

CREATE TABLE segmentation.rfm_map (
  map text NOT NULL,
  r smallint NOT NULL,
  f smallint NOT NULL,
  m smallint NOT NULL,
  segment text NOT NULL CHECK (segment <> ''),
  bins smallint NOT NULL DEFAULT 5 CHECK (bins BETWEEN 2 AND 10),
  PRIMARY KEY (map, r, f, m),
  CHECK (r BETWEEN 1 AND bins AND f BETWEEN 1 AND bins AND m BETWEEN 1 AND bins)
);
COMMENT ON TABLE segmentation.rfm_map IS
  'Maps from RFM scores to segments, one row a code. Built in: classic_11, r_rfm_0_3, r_rfm_0_2, rf_10. Add maps of '
  'your own as rows.';
COMMENT ON COLUMN segmentation.rfm_map.map IS 'Name of the map.';
COMMENT ON COLUMN segmentation.rfm_map.r IS 'Recency score.';
COMMENT ON COLUMN segmentation.rfm_map.f IS 'Frequency score.';
COMMENT ON COLUMN segmentation.rfm_map.m IS 'Monetary score.';
COMMENT ON COLUMN segmentation.rfm_map.segment IS 'Code of the segment; its names are in the table label, domain rfm.';
COMMENT ON COLUMN segmentation.rfm_map.bins IS 'Number of bins of the scores that the map is for.';

CREATE FUNCTION segmentation.rfm_map_rows(map jsonb)
  RETURNS TABLE (r smallint, f smallint, m smallint, segment text, bins smallint)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 125 AS 'MODULE_PATHNAME', 'rfm_map_rows_wrapper';
COMMENT ON FUNCTION segmentation.rfm_map_rows(jsonb) IS
  'The codes of a map written as {"bins": 5, "first_match": false, "segments": [{"segment": "champions", "r": [4, 5], '
  '"f": 5, "m": [3, 5]}, ...]}, to be inserted into rfm_map.';
CREATE FUNCTION segmentation.rfm_map_check(map text) RETURNS TABLE (fault text, code integer, detail text)
  LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'rfm_map_check_name_wrapper';
COMMENT ON FUNCTION segmentation.rfm_map_check(text) IS
  'Faults of a map in rfm_map: codes without segment. No row: the map is good.';
CREATE FUNCTION segmentation.rfm_map_check(map jsonb) RETURNS TABLE (fault text, code integer, detail text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'rfm_map_check_json_wrapper';
COMMENT ON FUNCTION segmentation.rfm_map_check(jsonb) IS
  'Faults of a map: codes without segment (missing), with two (double), scores outside the bins (invalid). No row: '
  'the map is good.';

CREATE FUNCTION segmentation.rfm_segment(rfm segmentation.rfm, map text DEFAULT 'classic_11') RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_segment_by_name_wrapper';
COMMENT ON FUNCTION segmentation.rfm_segment(segmentation.rfm, text) IS
  'Segment of RFM scores by a map of the table rfm_map; prospect if the scores are null.';
CREATE FUNCTION segmentation.rfm_segment(rfm segmentation.rfm, map jsonb) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rfm_segment_by_json_wrapper';
COMMENT ON FUNCTION segmentation.rfm_segment(segmentation.rfm, jsonb) IS
  'Segment of RFM scores by a map given as a value (see rfm_map_rows); prospect if the scores are null.';

-- The classic map of eleven names over 125 codes. One line for each r and f, m from 1 to 5.
INSERT INTO segmentation.rfm_map (map, r, f, m, segment)
SELECT 'classic_11', line.r, line.f, cell.m,
  CASE cell.code
    WHEN 'CH' THEN 'champions'
    WHEN 'LO' THEN 'loyal'
    WHEN 'PL' THEN 'potential_loyalist'
    WHEN 'NE' THEN 'new'
    WHEN 'PR' THEN 'promising'
    WHEN 'NA' THEN 'need_attention'
    WHEN 'AS' THEN 'about_to_sleep'
    WHEN 'AR' THEN 'at_risk'
    WHEN 'CL' THEN 'cannot_lose'
    WHEN 'HI' THEN 'hibernating'
    WHEN 'LX' THEN 'lost'
  END
FROM (VALUES
  (5, 5, 'PL PL PL CH CH'), (5, 4, 'PL PL LO CH CH'), (5, 3, 'PL PL PL NA NA'), (5, 2, 'PR PR PR PR PR'),
  (5, 1, 'NE NE PR PR PR'),
  (4, 5, 'PL PL PL CH CH'), (4, 4, 'PL PL NA LO CH'), (4, 3, 'PL PL PL NA LO'), (4, 2, 'NE NE PL PR PR'),
  (4, 1, 'NE NE PR PR PR'),
  (3, 5, 'PL PL PL LO LO'), (3, 4, 'PL PL NA LO LO'), (3, 3, 'AS HI PL NA LO'), (3, 2, 'AS HI PL NA NA'),
  (3, 1, 'NE AS PR PR PR'),
  (2, 5, 'AS AR AR AR AR'), (2, 4, 'AS AR AR AR AR'), (2, 3, 'AS HI HI AR AR'), (2, 2, 'AS HI HI AR AR'),
  (2, 1, 'HI HI AS CL CL'),
  (1, 5, 'LX AR AR CL CL'), (1, 4, 'LX AR AR CL AR'), (1, 3, 'LX HI AR AR AR'), (1, 2, 'LX HI HI AR AR'),
  (1, 1, 'LX LX CL CL CL')
) AS line (r, f, codes)
CROSS JOIN LATERAL pg_catalog.string_to_table(line.codes, ' ') WITH ORDINALITY AS cell (code, m);

-- The maps of R's package rfm: rows in order, the first that matches wins, what none matches is 'others'.
INSERT INTO segmentation.rfm_map (map, r, f, m, segment, bins)
SELECT 'r_rfm_0_3', rows.* FROM segmentation.rfm_map_rows('{"first_match": true, "segments": [
  {"segment": "champions", "r": 5, "f": 5, "m": 5},
  {"segment": "potential_loyalist", "r": [3, 5], "f": [3, 5], "m": [2, 5]},
  {"segment": "loyal", "r": [2, 4], "f": [2, 4], "m": [2, 4]},
  {"segment": "promising", "r": [3, 4], "f": [1, 3], "m": [3, 5]},
  {"segment": "new", "r": [4, 5], "f": [1, 3], "m": [1, 5]},
  {"segment": "cannot_lose", "r": [1, 2], "f": [3, 4], "m": [4, 5]},
  {"segment": "at_risk", "r": [1, 2], "f": [2, 5], "m": [4, 5]},
  {"segment": "need_attention", "r": [1, 3], "f": [3, 5], "m": [3, 5]},
  {"segment": "about_to_sleep", "r": [2, 3], "f": [1, 3], "m": [1, 4]},
  {"segment": "lost", "r": 1, "f": [1, 5], "m": [1, 5]},
  {"segment": "others"}]}') AS rows;
INSERT INTO segmentation.rfm_map (map, r, f, m, segment, bins)
SELECT 'r_rfm_0_2', rows.* FROM segmentation.rfm_map_rows('{"first_match": true, "segments": [
  {"segment": "champions", "r": [4, 5], "f": [4, 5], "m": [4, 5]},
  {"segment": "loyal", "r": [2, 5], "f": [3, 5], "m": [3, 5]},
  {"segment": "potential_loyalist", "r": [3, 5], "f": [1, 3], "m": [1, 3]},
  {"segment": "new", "r": [4, 5], "f": 1, "m": 1},
  {"segment": "promising", "r": [3, 4], "f": 1, "m": 1},
  {"segment": "need_attention", "r": [2, 3], "f": [2, 3], "m": [2, 3]},
  {"segment": "about_to_sleep", "r": [2, 3], "f": [1, 2], "m": [1, 2]},
  {"segment": "at_risk", "r": [1, 2], "f": [2, 5], "m": [2, 5]},
  {"segment": "cannot_lose", "r": 1, "f": [4, 5], "m": [4, 5]},
  {"segment": "lost", "r": [1, 2], "f": [1, 2], "m": [1, 2]},
  {"segment": "others"}]}') AS rows;
-- Ten names over recency and frequency; monetary does not matter.
INSERT INTO segmentation.rfm_map (map, r, f, m, segment, bins)
SELECT 'rf_10', rows.* FROM segmentation.rfm_map_rows('{"segments": [
  {"segment": "hibernating", "r": [1, 2], "f": [1, 2]},
  {"segment": "at_risk", "r": [1, 2], "f": [3, 4]},
  {"segment": "cannot_lose", "r": [1, 2], "f": 5},
  {"segment": "about_to_sleep", "r": 3, "f": [1, 2]},
  {"segment": "need_attention", "r": 3, "f": 3},
  {"segment": "loyal", "r": [3, 4], "f": [4, 5]},
  {"segment": "promising", "r": 4, "f": 1},
  {"segment": "new", "r": 5, "f": 1},
  {"segment": "potential_loyalist", "r": [4, 5], "f": [2, 3]},
  {"segment": "champions", "r": 5, "f": [4, 5]}]}') AS rows;

-- What a dump leaves out (the built-in maps) must not be changed: the change would be lost.
CREATE FUNCTION segmentation_internal.rfm_map_protect() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  built_in constant text[] := ARRAY['classic_11', 'r_rfm_0_3', 'r_rfm_0_2', 'rf_10'];
  name text;
BEGIN
  IF TG_OP IN ('UPDATE', 'DELETE') AND OLD.map = ANY (built_in) THEN name := OLD.map; END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') AND NEW.map = ANY (built_in) THEN name := NEW.map; END IF;
  IF name IS NOT NULL THEN
    RAISE EXCEPTION 'map "%" is built in and cannot be changed', name
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Copy its rows under another name, and change those.';
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'table rfm_map cannot be truncated: it holds built-in maps'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete the rows of your own maps.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.rfm_map_protect() IS
  'trigger of rfm_map: keeps the built-in maps as they are';
CREATE TRIGGER protect BEFORE INSERT OR UPDATE OR DELETE ON segmentation.rfm_map
  FOR EACH ROW EXECUTE FUNCTION segmentation_internal.rfm_map_protect();
COMMENT ON TRIGGER protect ON segmentation.rfm_map IS 'The built-in maps cannot be changed.';
CREATE TRIGGER protect_all BEFORE TRUNCATE ON segmentation.rfm_map
  FOR EACH STATEMENT EXECUTE FUNCTION segmentation_internal.rfm_map_protect();
COMMENT ON TRIGGER protect_all ON segmentation.rfm_map IS 'The built-in maps cannot be removed.';
SELECT pg_catalog.pg_extension_config_dump('segmentation.rfm_map',
  $$WHERE map NOT IN ('classic_11', 'r_rfm_0_3', 'r_rfm_0_2', 'rf_10')$$);
