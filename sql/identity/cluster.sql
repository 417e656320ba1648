-- Records that belong together.

CREATE FUNCTION segmentation.match_clusters(
  a bigint[], b bigint[], strength double precision[], apart_a bigint[] DEFAULT '{}', apart_b bigint[] DEFAULT '{}',
  largest integer DEFAULT 100
) RETURNS TABLE (record bigint, cluster bigint)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000 AS 'MODULE_PATHNAME', 'match_clusters_wrapper';
COMMENT ON FUNCTION segmentation.match_clusters(bigint[], bigint[], double precision[], bigint[], bigint[], integer) IS
  'Puts the records of pairs together, the strongest pairs first: no cluster has more than largest records, none has a '
  'pair of apart_a and apart_b. A cluster is called by its least record.';
