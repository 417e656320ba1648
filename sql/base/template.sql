-- SQL with named places, for statements whose names or parts vary: see docs/architecture.md.

CREATE FUNCTION segmentation_internal.fill(ws text, template text, places jsonb DEFAULT '{}') RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'fill_wrapper';
COMMENT ON FUNCTION segmentation_internal.fill(text, text, jsonb) IS
  'Part of every statement that is put together: the template with @ws@ as it is given (the quoted schema of a '
  'workspace), '
  '@name@ as an identifier, @''name''@ as a literal, @(name)@ as it is. A place without a value is an error, and a '
  'value '
  'without a place.';
