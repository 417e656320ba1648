-- Opening hours: bit(168), the hours of a week from Monday 00:00.

CREATE FUNCTION segmentation.opening_hours(hours text) RETURNS bit
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_wrapper';
CREATE FUNCTION segmentation.opening_hours_text(mask bit) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_text_wrapper';
CREATE FUNCTION segmentation.opening_hours_fault(hours text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'opening_hours_fault_wrapper';
COMMENT ON FUNCTION segmentation.opening_hours_fault(text) IS
  'Why opening_hours gives NULL for a text: what is not understood, or what a usual week cannot hold. '
  'NULL if it gives a mask.';
COMMENT ON FUNCTION segmentation.opening_hours(text) IS
  'Weekly opening hours as a mask of 168 hours from Monday 00:00, bit(168): Mo-Fr 09:00-12:30,14:00-18:00; Sa off, or '
  'lun-ven 9h-18h. An hour is open if half of it is. NULL if the text is no weekly timetable.';
COMMENT ON FUNCTION segmentation.opening_hours_text(bit) IS
  'The text of a mask of 168 hours; NULL for a mask of another length.';

CREATE FUNCTION segmentation.hour_of_week(at timestamp) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ((extract(isodow FROM at) - 1) * 24 + extract(hour FROM at))::integer;
COMMENT ON FUNCTION segmentation.hour_of_week(timestamp) IS
  'Hour of the week, 0 (Monday 00:00) to 167, of a local time.';

CREATE FUNCTION segmentation.open_at(mask bit, at timestamp, holiday_zone text DEFAULT NULL) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN length(mask) = 168 AND isfinite(at) THEN
    get_bit(mask, segmentation.hour_of_week(at)) = 1
    AND (holiday_zone IS NULL OR segmentation.french_public_holiday(at::date, holiday_zone) IS NULL) END;
COMMENT ON FUNCTION segmentation.open_at(bit, timestamp, text) IS
  'Whether a mask of 168 hours is open at a local time. With a holiday_zone, closed on its public holidays.';

CREATE FUNCTION segmentation.next_open(mask bit, after timestamp, holiday_zone text DEFAULT NULL) RETURNS timestamp
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN segmentation.open_at(mask, after, holiday_zone) THEN after
    WHEN length(mask) = 168 AND isfinite(after) AND after < '9999-12-01' THEN (
      SELECT min(hour)
      FROM generate_series(date_trunc('hour', after) + interval '1 hour', after + interval '15 days',
          interval '1 hour') AS hour
      WHERE segmentation.open_at(mask, hour, holiday_zone))
  END;
COMMENT ON FUNCTION segmentation.next_open(bit, timestamp, text) IS
  'The first moment from a local time on at which a mask of 168 hours is open, within 15 days; NULL if there is none.';

CREATE FUNCTION segmentation.mask_hours(scores double precision[], mask bit) RETURNS double precision[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cardinality(scores) = 168 AND length(mask) = 168 THEN (
    SELECT array_agg(CASE WHEN get_bit(mask, (n - 1)::integer) = 1 THEN score ELSE 0 END ORDER BY n)
    FROM unnest(scores) WITH ORDINALITY AS u (score, n)) END;
COMMENT ON FUNCTION segmentation.mask_hours(double precision[], bit) IS
  '168 hourly scores with 0 where the mask is closed; NULL unless both have 168 hours.';
CREATE FUNCTION segmentation.best_open_hour(scores double precision[], mask bit) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cardinality(scores) = 168 AND length(mask) = 168 THEN (
    SELECT (n - 1)::integer
    FROM unnest(scores) WITH ORDINALITY AS u (score, n)
    WHERE get_bit(mask, (n - 1)::integer) = 1 AND score < 'Infinity'
    ORDER BY score DESC, n LIMIT 1) END;
COMMENT ON FUNCTION segmentation.best_open_hour(double precision[], bit) IS
  'The hour of the week, 0 to 167, with the highest of 168 scores among the open ones; the earliest of several; NULL '
  'if none is open.';
