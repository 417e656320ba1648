-- SQL with named places, for statements whose names or parts vary: see docs/architecture.md.

CREATE FUNCTION segmentation_internal.fill(ws text, template text, places jsonb DEFAULT '{}') RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'fill_wrapper';
COMMENT ON FUNCTION segmentation_internal.fill(text, text, jsonb) IS
  'Part of every statement that is put together: the template with @ws@ as it is given (the quoted schema of a '
  'workspace), @name@ as an identifier, @''name''@ as a literal, @(name)@ as it is. A place without a value is an '
  'error, and a value without a place.';

-- jsonb_build_object takes 50 keys: a function has at most 100 arguments.
CREATE FUNCTION segmentation_internal.object_sql(names text[], expressions text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $sql$(
      SELECT coalesce(pg_catalog.jsonb_object_agg(o.name, o.value), '{}')
      FROM ROWS FROM (
        pg_catalog.unnest(@'names'@::pg_catalog.text[]),
        pg_catalog.unnest(ARRAY[@(expressions)@]::pg_catalog.jsonb[])) AS o (name, value))$sql$,
    jsonb_build_object('names', names::text, 'expressions', array_to_string(expressions, ', ')));
COMMENT ON FUNCTION segmentation_internal.object_sql(text[], text[]) IS
  'Part of segment_lookalike and the like: a jsonb object of any number of names, each with the value of an expression '
  'that is jsonb, as SQL.';

CREATE FUNCTION segmentation_internal.nearest_name(given text, names text[]) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'nearest_name_wrapper';
COMMENT ON FUNCTION segmentation_internal.nearest_name(text, text[]) IS
  'Part of errors: the one of some names that was probably meant, by letters to change, put in, take out or swap; NULL '
  'if none is near.';
