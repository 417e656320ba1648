-- Time zones as people write them.

CREATE FUNCTION segmentation_internal.checked_time_zone(zone text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'checked_time_zone_wrapper';
COMMENT ON FUNCTION segmentation_internal.checked_time_zone(text) IS
  'Part of create_workspace and add_source: the time zone, or an error if it is an offset, which PostgreSQL would read '
  'the other way round.';
