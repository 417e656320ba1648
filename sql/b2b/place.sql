-- Distance.

CREATE FUNCTION segmentation.haversine(
  latitude1 double precision, longitude1 double precision, latitude2 double precision, longitude2 double precision
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'haversine_wrapper';
CREATE FUNCTION segmentation.geodesic(
  latitude1 double precision, longitude1 double precision, latitude2 double precision, longitude2 double precision
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'geodesic_wrapper';
COMMENT ON FUNCTION segmentation.haversine(double precision, double precision, double precision, double precision) IS
  'Great-circle distance in km between two points in degrees, on a sphere (at most 0.6 % off); NULL if one is not on '
  'Earth.';
COMMENT ON FUNCTION segmentation.geodesic(double precision, double precision, double precision, double precision) IS
  'Distance in km between two points in degrees, on the WGS 84 ellipsoid (Karney); NULL if one is not on Earth.';
