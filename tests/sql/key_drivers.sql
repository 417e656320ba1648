-- What explains a change: against a brute-force twin, and with a cause that was planted.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET datestyle = ISO;
CREATE TABLE public.sale AS
SELECT n, (ARRAY['north', 'south', 'east', 'west'])[1 + n % 4] AS region, (ARRAY['web', 'store', 'phone'])[1 + n / 7 % 3] AS channel, (n / 11 % 5) AS size, CASE WHEN n % 13 > 0 THEN n % 2 = 0 END AS card,
  1 + (n / 6000) AS period, round((20 + 30 * ((n * 7919) % 1009) / 1009.0 + CASE WHEN n >= 6000 AND n % 4 = 1 AND n / 7 % 3 = 0 THEN 15 ELSE 0 END)::numeric, 2) AS amount
FROM generate_series(0, 11999) AS n;
SELECT rank, segment, rows_before, rows_after, round(value_before::numeric) AS before, round(value_after::numeric) AS after, round(support::numeric, 3) AS support, round(contribution::numeric) AS contribution, round(share_of_change::numeric, 2) AS share, round(unexpected::numeric) AS unexpected, round(z::numeric, 1) AS z, q_value < 0.001 AS clear
FROM key_drivers('public.sale', 'amount', '{region,channel,size,card}', 'period = 1', 'period = 2') WHERE rank <= 4;

-- The twin: every segment of one to three dimensions, by joins and subqueries, in words of its own.
CREATE TABLE public.tagged AS
SELECT n, period, amount::float8 AS x, jsonb_build_object('region', region, 'channel', channel, 'size', size::text, 'card', card::text) AS d FROM public.sale;
CREATE FUNCTION public.twin(kind text) RETURNS TABLE (segment jsonb, n0 float8, n1 float8, contribution float8, unexpected float8, z float8) LANGUAGE sql AS $$
  WITH k AS (SELECT ARRAY[a, b, c] AS keys FROM unnest('{region,channel,size,card}'::text[]) WITH ORDINALITY AS a (a, i), unnest('{region,channel,size,card}'::text[]) WITH ORDINALITY AS b (b, j), unnest('{region,channel,size,card}'::text[]) WITH ORDINALITY AS c (c, l) WHERE i <= j AND j <= l),
  s AS (SELECT DISTINCT (SELECT jsonb_object_agg(u.key, t.d -> u.key) FROM unnest(k.keys) AS u (key)) AS segment FROM public.tagged AS t, k),
  m AS (
    SELECT s.segment, count(*) FILTER (WHERE i AND period = 1) AS n0, count(*) FILTER (WHERE i AND period = 2) AS n1, count(*) FILTER (WHERE NOT i AND period = 1) AS r0, count(*) FILTER (WHERE NOT i AND period = 2) AS r1,
      sum(x) FILTER (WHERE i AND period = 1) AS s0, sum(x) FILTER (WHERE i AND period = 2) AS s1, sum(x) FILTER (WHERE NOT i AND period = 1) AS t0, sum(x) FILTER (WHERE NOT i AND period = 2) AS t1,
      sum(x * x) FILTER (WHERE i AND period = 1) AS q0, sum(x * x) FILTER (WHERE i AND period = 2) AS q1, sum(x * x) FILTER (WHERE NOT i AND period = 1) AS p0, sum(x * x) FILTER (WHERE NOT i AND period = 2) AS p1,
      var_samp(x) FILTER (WHERE i AND period = 1) AS v0, var_samp(x) FILTER (WHERE i AND period = 2) AS v1, var_samp(x) FILTER (WHERE NOT i AND period = 1) AS w0, var_samp(x) FILTER (WHERE NOT i AND period = 2) AS w1
    FROM s CROSS JOIN LATERAL (SELECT t.period, t.x, t.d @> s.segment AS i FROM public.tagged AS t) AS t GROUP BY s.segment)
  SELECT segment, n0, n1,
    CASE kind WHEN 'sum' THEN s1 - s0 ELSE (s1 - n1 * (s0 + t0) / (n0 + r0)) / (n1 + r1) - (s0 - n0 * (s0 + t0) / (n0 + r0)) / (n0 + r0) END,
    CASE kind WHEN 'sum' THEN s1 - s0 * t1 / t0 ELSE s1 / n1 - s0 / n0 - t1 / r1 + t0 / r0 END,
    CASE kind WHEN 'sum' THEN (s1 - s0 * t1 / t0) / sqrt(q1 + (t1 / t0) ^ 2 * q0 + (s0 * t1 / t0) ^ 2 * (p1 / t1 ^ 2 + p0 / t0 ^ 2))
      ELSE (s1 / n1 - s0 / n0 - t1 / r1 + t0 / r0) / sqrt(v1 / n1 + v0 / n0 + w1 / r1 + w0 / r0) END
  FROM m
$$;
CREATE TABLE public.answer AS SELECT kind, k.* FROM unnest('{sum,mean}'::text[]) AS kind, LATERAL key_drivers('public.sale', 'amount', '{region,channel,size,card}', 'period = 1', 'period = 2', kind, minimum_support => 0, maximum_q => 1) AS k;
CREATE TABLE public.expected AS SELECT kind, t.* FROM unnest('{sum,mean}'::text[]) AS kind, LATERAL public.twin(kind) AS t;
SELECT kind, count(*) > 150 AS segments, count(*) FILTER (WHERE a.segment IS NULL) AS missing, count(*) FILTER (WHERE e.segment IS NULL) AS too_many,
  max(abs(a.contribution - e.contribution) / (1 + abs(e.contribution))) < 1e-7 AS contribution, max(abs(a.unexpected - e.unexpected) / (1 + abs(e.unexpected))) < 1e-7 AS unexpected, max(abs(a.z - e.z)) < 1e-6 AS z, bool_and(a.rows_before = e.n0 AND a.rows_after = e.n1) AS counts
FROM public.answer AS a FULL JOIN public.expected AS e USING (kind, segment) GROUP BY kind ORDER BY kind;
-- Contributions of a partition add up to the change, of a sum and of a mean; p values are of z, q values by Benjamini and Hochberg.
SELECT kind, abs(sum(contribution) FILTER (WHERE segment ? 'region' AND NOT segment ?| '{channel,size,card}') - CASE kind WHEN 'sum' THEN t.s1 - t.s0 ELSE t.m1 - t.m0 END) < 1e-6 AS add_up, abs(sum(share_of_change) FILTER (WHERE segment ? 'channel' AND NOT segment ?| '{region,size,card}') - 1) < 1e-9 AS shares
FROM public.answer, (SELECT sum(amount) FILTER (WHERE period = 1) AS s0, sum(amount) FILTER (WHERE period = 2) AS s1, avg(amount) FILTER (WHERE period = 1) AS m0, avg(amount) FILTER (WHERE period = 2) AS m1 FROM public.sale) AS t GROUP BY kind, t.s0, t.s1, t.m0, t.m1 ORDER BY kind;
SELECT abs(segmentation_internal.normal_two_sided(1.959963984540054) - 0.05) < 1e-12 AS five, abs(segmentation_internal.normal_two_sided(-6) / 1.973175290075396e-9 - 1) < 1e-9 AS six, segmentation_internal.normal_two_sided(0) AS none, segmentation_internal.normal_two_sided('NaN') AS nan;
SELECT max(abs(a.q_value - b.q)) < 1e-12 AS benjamini_hochberg
FROM public.answer AS a JOIN (
  SELECT rank, min(least(1, p_value * many / place)) OVER (ORDER BY p_value DESC, place DESC) AS q
  FROM (SELECT rank, p_value, row_number() OVER (ORDER BY p_value, rank) AS place, count(*) OVER () AS many FROM public.answer WHERE kind = 'sum') AS r) AS b USING (rank) WHERE a.kind = 'sum';

-- A rate; a query; rows of neither period left out; a dimension that only repeats another says nothing more.
SELECT rank, segment, round(value_before::numeric, 3) AS before, round(value_after::numeric, 3) AS after
FROM key_drivers('SELECT s.*, s.region || ''!'' AS again, s.amount > 40 AS big FROM public.sale AS s', 'big', '{region,again,channel}', 'period = 1', 'period = 2 AND n < 11000', 'rate') WHERE rank <= 2;

-- Rows of one customer belong together: with a unit the test is of what customers brought, by hand.
CREATE TABLE public.visit AS SELECT c, d, (ARRAY['a', 'b'])[1 + c % 2] AS kind, 1 + d / 10 AS period, (1 + c % 7 * (1 + d / 10 % 2))::numeric AS amount FROM generate_series(1, 300) AS c, generate_series(0, 19) AS d WHERE (c * 31 + d / 10 * 17) % 5 > 1;
WITH u AS (SELECT c, kind, coalesce(sum(amount) FILTER (WHERE period = 1), 0)::float8 AS x0, coalesce(sum(amount) FILTER (WHERE period = 2), 0)::float8 AS x1 FROM public.visit GROUP BY 1, 2),
g AS (SELECT sum(x1) / sum(x0) AS factor FROM u WHERE kind = 'b'),
e AS (SELECT sum(x1 - factor * x0) FILTER (WHERE kind = 'a') AS unexpected, sum((x1 - factor * x0) ^ 2) FILTER (WHERE kind = 'a') + (sum(x0) FILTER (WHERE kind = 'a') / sum(x0) FILTER (WHERE kind = 'b')) ^ 2 * sum((x1 - factor * x0) ^ 2) FILTER (WHERE kind = 'b') AS variance FROM u, g)
SELECT k.rows_before + k.rows_after = (SELECT count(*) FROM public.visit WHERE kind = 'a') AS rows, abs(k.unexpected - e.unexpected) < 1e-8 AS unexpected, abs(k.z - e.unexpected / sqrt(e.variance)) < 1e-9 AS z, abs(k.z) < abs(r.z) AS less_sure_than_rows
FROM e, key_drivers('public.visit', 'amount', '{kind}', 'period = 1', 'period = 2', maximum_q => 1, unit => 'c') AS k, key_drivers('public.visit', 'amount', '{kind}', 'period = 1', 'period = 2', maximum_q => 1) AS r
WHERE k.segment = '{"kind": "a"}' AND r.segment = k.segment;
DROP TABLE public.visit;

-- Nothing changed but by chance: few segments come through, in few of 20 shops; what is planted comes first, in each.
CREATE FUNCTION public.shop_sale(seed integer, planted boolean) RETURNS TABLE (day date, region text, channel text, kind text, amount float8) LANGUAGE sql AS $$
  SELECT '2025-01-01'::date + (365 * h.h1)::integer, (ARRAY['north', 'south', 'east', 'west'])[1 + floor(4 * h.h2)::integer], (ARRAY['web', 'store', 'phone'])[1 + floor(3 * h.h3)::integer], (ARRAY['a', 'b', 'c', 'd', 'e'])[1 + floor(5 * h.h4)::integer], exp(3 + h.h5)
  FROM (SELECT n, segmentation_internal.arm_hash(n::text, seed || 'a') AS h1, segmentation_internal.arm_hash(n::text, seed || 'b') AS h2, segmentation_internal.arm_hash(n::text, seed || 'c') AS h3, segmentation_internal.arm_hash(n::text, seed || 'd') AS h4,
    segmentation_internal.arm_hash(n::text, seed || 'e') AS h5, segmentation_internal.arm_hash(n::text, seed || 'f') AS h6 FROM generate_series(1, 16000) AS n) AS h
  -- Sales of b by phone in the south are down by 70 % in the second half of the year.
  WHERE NOT (planted AND h1 > 0.5 AND h2 BETWEEN 0.25 AND 0.5 AND h3 > 2 / 3.0 AND h4 BETWEEN 0.2 AND 0.4 AND h6 > 0.3)
$$;
SELECT planted, count(*) AS seeds, count(*) FILTER (WHERE k.segment = '{"kind": "b", "region": "south", "channel": "phone"}') AS found_first, count(*) FILTER (WHERE k.segment IS NOT NULL) AS anything
FROM generate_series(1, 20) AS seed, unnest('{f,t}'::boolean[]) AS planted
LEFT JOIN LATERAL key_drivers(format('SELECT * FROM public.shop_sale(%s, %L)', seed, planted), 'amount', '{region,channel,kind}', $$day < '2025-07-02'$$, $$day >= '2025-07-02'$$) AS k ON k.rank = 1
GROUP BY planted ORDER BY planted;

-- What cannot be.
\set VERBOSITY terse
SELECT key_drivers('public.sale', 'amount', '{}', 'true', 'true');
SELECT key_drivers('public.sale', 'amount', NULL, 'true', 'true');
SELECT key_drivers('public.sale', 'amount', '{region}', NULL, 'true');
SELECT key_drivers('public.sale', 'amount', '{region}', 'period = 1', 'period = 2', 'median');
SELECT key_drivers('public.sale', 'amount', '{region}', 'period = 1', 'period = 2', depth => 4);
SELECT key_drivers('public.sale', 'amount', '{region}', 'period = 1', 'period = 2', minimum_support => 2);
SELECT key_drivers('public.sale', 'amount', '{region}', 'period = 1', 'period = 2', 'mean', unit => 'n');
SELECT key_drivers('public.sale', 'amount', '{colour}', 'period = 1', 'period = 2');
SELECT key_drivers('public.nowhere', 'amount', '{region}', 'period = 1', 'period = 2');
SELECT count(*) FROM key_drivers('public.sale', 'amount', '{region}', 'period = 7', 'period = 8');
SELECT count(*) FROM key_drivers('public.sale', 'amount', '{region}', 'true', 'true');
DROP TABLE public.sale, public.tagged, public.answer, public.expected;
DROP FUNCTION public.twin, public.shop_sale;
