-- What a company could buy, by what its peers do.

CREATE TYPE segmentation.peer_benchmark AS (
  companies bigint,
  median double precision,
  upper double precision
);
COMMENT ON TYPE segmentation.peer_benchmark IS
  'What clients of one sector and size buy for each person they employ: their number, the median and the third '
  'quartile.';
CREATE FUNCTION segmentation_internal.peer_benchmark_add(bytea, double precision, double precision) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_add_wrapper';
CREATE FUNCTION segmentation_internal.peer_benchmark_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_merge_wrapper';
CREATE FUNCTION segmentation_internal.peer_benchmark_final(bytea) RETURNS segmentation.peer_benchmark
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'peer_benchmark_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_add(bytea, double precision, double precision) IS
  'transition of peer_benchmark';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_merge(bytea, bytea) IS 'combine function of peer_benchmark';
COMMENT ON FUNCTION segmentation_internal.peer_benchmark_final(bytea) IS 'final function of peer_benchmark';
CREATE AGGREGATE segmentation.peer_benchmark(turnover double precision, headcount double precision) (
  SFUNC = segmentation_internal.peer_benchmark_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.peer_benchmark_final,
  COMBINEFUNC = segmentation_internal.peer_benchmark_merge, PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.peer_benchmark(double precision, double precision) IS
  'What the clients of a group buy for each person they employ, for potential_turnover. Companies without turnover or '
  'headcount are skipped; NULL if none is left.';

CREATE FUNCTION segmentation.potential_turnover(
  turnover numeric,
  headcount numeric,
  peers segmentation.peer_benchmark,
  wider segmentation.peer_benchmark DEFAULT NULL,
  least_companies bigint DEFAULT 10
) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN headcount > 0 AND headcount < 'Infinity' THEN
      greatest(
        CASE WHEN turnover < 'Infinity' THEN turnover END,
        round(headcount * (CASE
          WHEN (peers).companies >= least_companies THEN (peers).upper
          WHEN (wider).companies >= least_companies THEN (wider).upper
        END)::numeric, 2))
      + CASE WHEN (peers).companies >= least_companies OR (wider).companies >= least_companies THEN 0 END
  END;
COMMENT ON FUNCTION segmentation.potential_turnover(
  numeric, numeric, segmentation.peer_benchmark, segmentation.peer_benchmark, bigint
) IS
  'What a company could buy: its headcount times what the best quarter of its peers buys for each employee, never '
  'less than it buys now. A group of fewer than least_companies gives way to the wider one; NULL if that is too small '
  'too.';

CREATE FUNCTION segmentation.share_of_wallet(turnover numeric, potential numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN potential > 0 AND potential < 'Infinity' AND turnover < 'Infinity'
    THEN least(1, greatest(0, turnover / potential)) END;
COMMENT ON FUNCTION segmentation.share_of_wallet(numeric, numeric) IS
  'Share of what a company could buy that it buys here, 0 to 1; NULL without potential.';
CREATE FUNCTION segmentation.wallet_allocation(rank integer, brands integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN rank >= 1 AND rank <= brands
    THEN (1 - rank / (brands + 1.0::double precision)) * 2 / brands END;
COMMENT ON FUNCTION segmentation.wallet_allocation(integer, integer) IS
  'Share of wallet by the Wallet Allocation Rule: the rank that a customer gives this brand among the brands used. '
  'NULL if rank is not 1 to brands.';
