-- What explains a change of a sum, a rate or a mean: which segments, of up to three dimensions.

CREATE FUNCTION segmentation_internal.normal_two_sided(z double precision) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'normal_two_sided_wrapper';
COMMENT ON FUNCTION segmentation_internal.normal_two_sided(double precision) IS
  'Part of key_drivers: the probability that a standard normal variable is further from 0 than z.';

-- The sets of up to so many dimensions, as GROUPING SETS.
CREATE FUNCTION segmentation_internal.driver_sets(dimensions integer, depth integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    WITH RECURSIVE s (last, names) AS (
      SELECT 0, '{}'::text[]
      UNION ALL
      SELECT d, s.names || ('d' || d)
      FROM s CROSS JOIN LATERAL generate_series(s.last + 1, dimensions) AS d
      WHERE cardinality(s.names) < depth)
    SELECT string_agg(format('(%s)', array_to_string(s.names, ', ')), ', ' ORDER BY cardinality(s.names), s.names)
    FROM s);
COMMENT ON FUNCTION segmentation_internal.driver_sets(integer, integer) IS
  'Part of key_drivers: the sets of up to some of the dimensions d1, d2 and so on, as GROUPING SETS.';

CREATE FUNCTION segmentation_internal.driver_names(dimensions integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT string_agg('d' || d, ', ' ORDER BY d) FROM generate_series(1, dimensions) AS d);
COMMENT ON FUNCTION segmentation_internal.driver_names(integer) IS
  'Part of key_drivers: the dimensions by their short names.';

-- What each unit brought in each period (x0, x1) in how many rows (n0, n1), over the rows r.
CREATE FUNCTION segmentation_internal.driver_units_sql(dimensions integer, unit text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN replace(CASE WHEN unit IS NULL
    THEN $q$
      SELECT @(names)@, (NOT r.after)::integer AS n0, r.after::integer AS n1,
        CASE WHEN r.after THEN 0 ELSE r.x END AS x0, CASE WHEN r.after THEN r.x ELSE 0 END AS x1
      FROM r WHERE r.x IS NOT NULL$q$
    ELSE $q$
      SELECT @(names)@, count(*) FILTER (WHERE NOT r.after) AS n0, count(*) FILTER (WHERE r.after) AS n1,
        coalesce(sum(r.x) FILTER (WHERE NOT r.after), 0) AS x0, coalesce(sum(r.x) FILTER (WHERE r.after), 0) AS x1
      FROM r WHERE r.x IS NOT NULL
      GROUP BY r.unit, @(names)@$q$ END, '@(names)@', segmentation_internal.driver_names(dimensions));
COMMENT ON FUNCTION segmentation_internal.driver_units_sql(integer, text) IS
  'Part of key_drivers: what each unit brought, as SQL.';

-- One segment (n, s: its rows and their sum, 0 before, 1 after; q0, q1, q01: the sums of squares and of products of
-- what each unit brought, a unit being a row, or all rows of a customer) against all (suffix _all).
-- What was unexpected: the change beyond that of everybody else. A sum is of as many units as come, which vary as
-- Poisson counts do: its variance is estimated by the sum of squares (compound Poisson), of what units brought less
-- what was expected of them. Its change is expected by the factor of everybody else's. A mean is of rows that are
-- given: variances of means, and the change is a difference.
CREATE FUNCTION segmentation_internal.driver_test(
  kind text,
  n0 double precision, s0 double precision, q0 double precision,
  n1 double precision, s1 double precision, q1 double precision, q01 double precision,
  n0_all double precision, s0_all double precision, q0_all double precision,
  n1_all double precision, s1_all double precision, q1_all double precision, q01_all double precision,
  OUT contribution double precision, OUT unexpected double precision, OUT deviation double precision
)
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rn0 constant double precision := n0_all - n0;
  rs0 constant double precision := s0_all - s0;
  rq0 constant double precision := greatest(q0_all - q0, 0);
  rn1 constant double precision := n1_all - n1;
  rs1 constant double precision := s1_all - s1;
  rq1 constant double precision := greatest(q1_all - q1, 0);
  factor double precision;
  variance double precision;
BEGIN
  IF kind = 'sum' THEN
    contribution := s1 - s0;
    -- Of a rest that is nothing, or below, nothing can be expected.
    IF rs0 > 0 AND rs1 >= 0 THEN
      factor := rs1 / rs0;
      unexpected := s1 - factor * s0;
      variance := q1 - 2 * factor * q01 + factor ^ 2 * q0
        + (s0 / rs0) ^ 2 * (rq1 - 2 * factor * (q01_all - q01) + factor ^ 2 * rq0);
    END IF;
  ELSIF n0_all > 0 AND n1_all > 0 THEN
    -- Over a partition of the rows these add up to the change of the mean: by weights, and by means.
    contribution := (s1 - n1 * (s0_all / n0_all)) / n1_all - (s0 - n0 * (s0_all / n0_all)) / n0_all;
    IF least(n0, n1, rn0, rn1) > 1 THEN
      unexpected := s1 / n1 - s0 / n0 - (rs1 / rn1 - rs0 / rn0);
      variance := greatest(q1 / n1 - (s1 / n1) ^ 2, 0) / (n1 - 1) + greatest(q0 / n0 - (s0 / n0) ^ 2, 0) / (n0 - 1)
        + greatest(rq1 / rn1 - (rs1 / rn1) ^ 2, 0) / (rn1 - 1)
        + greatest(rq0 / rn0 - (rs0 / rn0) ^ 2, 0) / (rn0 - 1);
    END IF;
  END IF;
  deviation := CASE WHEN variance > 0 THEN sqrt(variance) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.driver_test(
  text, double precision, double precision, double precision, double precision, double precision, double precision,
  double precision, double precision, double precision, double precision, double precision, double precision,
  double precision, double precision) IS
  'Part of key_drivers: what a segment contributed to a change, what of it was unexpected, and its standard error.';

CREATE FUNCTION segmentation_internal.driver_refuse(
  query text, measure text, dimensions text[], kind text, depth integer, support double precision, q double precision,
  unit text
) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF query IS NULL OR dimensions IS NULL OR measure IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'query, measure and dimensions must not be null';
  END IF;
  IF kind IS NULL OR kind NOT IN ('sum', 'mean', 'rate') THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unknown kind of measure "%s"', coalesce(kind, 'null')),
      HINT = 'Kinds are sum, mean and rate (of a boolean).';
  END IF;
  IF unit IS NOT NULL AND kind <> 'sum' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('unit goes with sums, not with a %s', kind),
      HINT = 'For means and rates give a query with one row a unit.';
  END IF;
  IF cardinality(dimensions) NOT BETWEEN 1 AND 20 OR array_position(dimensions, NULL) IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('from 1 to 20 dimensions are accepted, not %s', cardinality(dimensions)),
      HINT = 'Dimensions are columns of the query with few values each, as region, channel, category.';
  END IF;
  IF (depth BETWEEN 1 AND 3) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('depth must be 1, 2 or 3, not %s', coalesce(depth::text, 'null')),
      HINT = 'It is how many dimensions a segment may have.';
  END IF;
  IF (support >= 0 AND support < 1) IS NOT TRUE OR (q > 0 AND q <= 1) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'minimum_support must be from 0 to below 1, maximum_q above 0 and at most 1';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.driver_refuse(
  text, text, text[], text, integer, double precision, double precision, text) IS
  'Part of key_drivers: errors of its arguments.';

CREATE FUNCTION segmentation.key_drivers(
  query text, measure text, dimensions text[], before text, after text, kind text DEFAULT 'sum',
  depth integer DEFAULT 3, minimum_support double precision DEFAULT 0.01, maximum_q double precision DEFAULT 0.1,
  unit text DEFAULT NULL
) RETURNS TABLE (
  rank bigint, segment jsonb, rows_before bigint, rows_after bigint, value_before double precision,
  value_after double precision, support double precision, contribution double precision,
  share_of_change double precision, unexpected double precision, z double precision, p_value double precision,
  q_value double precision
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM segmentation_internal.driver_refuse(query, measure, dimensions, kind, depth, minimum_support, maximum_q,
    unit);
  IF before IS NULL OR after IS NULL THEN
    RAISE null_value_not_allowed USING
      MESSAGE = 'before and after must not be null',
      HINT = 'They are conditions on the columns of the query, as "ordered_on < date ''2025-01-01''".';
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(NULL, $q$
    WITH r AS (
      SELECT @(keys)@, (@(after)@) IS TRUE AS after, (@(measure)@)@(cast)@ AS x, (@(unit)@) AS unit
      FROM (@(query)@) AS r
      WHERE ((@(before)@) IS TRUE) <> ((@(after)@) IS TRUE)),
    u AS (@(units)@),
    -- Once over the rows; whatever comes is over combinations of values.
    c AS MATERIALIZED (
      SELECT @(names)@, sum(u.n0) AS n0, sum(u.x0) AS s0, sum(u.x0 * u.x0) AS q0, sum(u.n1) AS n1, sum(u.x1) AS s1,
        sum(u.x1 * u.x1) AS q1, sum(u.x0 * u.x1) AS q01
      FROM u GROUP BY @(names)@),
    g AS MATERIALIZED (
      SELECT GROUPING(@(names)@) AS without, ARRAY[@(names)@] AS vals,
        sum(c.n0) AS n0, sum(c.s0) AS s0, sum(c.q0) AS q0, sum(c.n1) AS n1, sum(c.s1) AS s1, sum(c.q1) AS q1,
        sum(c.q01) AS q01
      FROM c GROUP BY GROUPING SETS (@(sets)@)),
    w AS (
      SELECT g.*, g.without::bit(@(many)@) AS mask, bit_count(((1 << @(many)@) - 1 - g.without)::bit(32)) AS level,
        t.n0 AS n0_all, t.s0 AS s0_all, t.q0 AS q0_all, t.n1 AS n1_all, t.s1 AS s1_all, t.q1 AS q1_all,
        t.q01 AS q01_all,
        greatest(g.n0 / NULLIF(t.n0, 0), g.n1 / NULLIF(t.n1, 0))::double precision AS support
      FROM g CROSS JOIN (SELECT g.* FROM g WHERE g.without = (1 << @(many)@) - 1) AS t
      WHERE g.without < (1 << @(many)@) - 1),
    -- A segment of the very rows of one with fewer dimensions says nothing more: the shortest stands for all.
    p AS (
      SELECT DISTINCT ON (w.n0, w.s0, w.q0, w.n1, w.s1, w.q1) w.*
      FROM w WHERE w.support >= $2 AND (w.n0 < w.n0_all OR w.n1 < w.n1_all)
      ORDER BY w.n0, w.s0, w.q0, w.n1, w.s1, w.q1, w.level, w.mask, w.vals),
    e AS (
      SELECT p.*, (d.t).contribution, (d.t).unexpected, (d.t).unexpected / (d.t).deviation AS z
      FROM p CROSS JOIN LATERAL (
        SELECT segmentation_internal.driver_test($1, p.n0, p.s0, p.q0, p.n1, p.s1, p.q1, p.q01,
          p.n0_all, p.s0_all, p.q0_all, p.n1_all, p.s1_all, p.q1_all, p.q01_all) AS t OFFSET 0) AS d),
    q AS (
      SELECT e.*, v.p_value, segmentation.q_value(v.p_value) OVER () AS q_value
      FROM e CROSS JOIN LATERAL (SELECT segmentation_internal.normal_two_sided(e.z) AS p_value) AS v)
    SELECT row_number() OVER (ORDER BY abs(q.z) DESC, q.level, q.mask, q.vals),
      (SELECT jsonb_object_agg(d.name, q.vals[d.place])
       FROM unnest($4) WITH ORDINALITY AS d (name, place)
       WHERE substr(q.mask::text, d.place::integer, 1) = '0'),
      q.n0::bigint, q.n1::bigint,
      CASE $1 WHEN 'sum' THEN q.s0 ELSE q.s0 / NULLIF(q.n0, 0) END,
      CASE $1 WHEN 'sum' THEN q.s1 ELSE q.s1 / NULLIF(q.n1, 0) END,
      q.support, q.contribution,
      q.contribution / NULLIF(CASE $1 WHEN 'sum' THEN q.s1_all - q.s0_all
        ELSE q.s1_all / q.n1_all - q.s0_all / q.n0_all END, 0),
      q.unexpected, q.z, q.p_value, q.q_value
    FROM q WHERE q.q_value <= $3
    ORDER BY 1$q$,
    jsonb_build_object(
      'unit', coalesce(unit, 'NULL'), 'units', segmentation_internal.driver_units_sql(cardinality(dimensions), unit),
      'query', CASE WHEN query ~* '^\s*(select|with|table|values)\M' THEN query ELSE 'TABLE ' || query END,
      'measure', measure, 'before', before, 'after', after,
      'cast', CASE kind WHEN 'rate' THEN '::integer::double precision' ELSE '::double precision' END,
      'many', cardinality(dimensions),
      'keys', (SELECT string_agg(format('r.%I::text AS d%s', d.name, d.place), ', ' ORDER BY d.place)
               FROM unnest(dimensions) WITH ORDINALITY AS d (name, place)),
      'names', segmentation_internal.driver_names(cardinality(dimensions)),
      'sets', segmentation_internal.driver_sets(cardinality(dimensions), depth)))
    USING kind, minimum_support, maximum_q, dimensions;
END
$$;
COMMENT ON FUNCTION segmentation.key_drivers(
  text, text, text[], text, text, text, integer, double precision, double precision, text) IS
  'Which segments explain a change: of a relation or query (run with your rights, names qualified), the sum, mean or '
  'rate of measure, an expression, between the rows of before and of after, two conditions. Segments are of up to '
  'depth dimensions (columns) and at least minimum_support of the rows. contribution: their part of the change. '
  'unexpected: how they changed beyond everybody else; z, p_value and q_value (Benjamini-Hochberg) are of that, and '
  'order them. unit: whose rows belong together, as those of a customer do (an expression; of sums).';
