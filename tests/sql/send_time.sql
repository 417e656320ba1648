-- Send time: hours of the week, profiles, scores.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';

-- An hour of the week is counted on the customer's clock, from Monday 00:00. 2026-11-23 is a Monday.
CREATE FUNCTION pg_temp.hours_of(h send_hours) RETURNS text LANGUAGE sql RETURN (SELECT string_agg(format('%s=%s', place - 1, weight), ' ' ORDER BY place) FROM unnest(h::float8[]) WITH ORDINALITY AS u (weight, place) WHERE weight <> 0);
SELECT pg_temp.hours_of(send_hours(at, 'Europe/Paris')) AS paris, pg_temp.hours_of(send_hours(at, 'UTC')) AS utc, pg_temp.hours_of(send_hours(at, 'Asia/Kolkata')) AS kolkata, pg_temp.hours_of(send_hours(at, 'America/Los_Angeles')) AS los_angeles
FROM unnest('{2026-11-22 23:00+00,2026-11-22 22:59:59.999999+00,2026-11-29 22:30+00}'::timestamptz[]) AS at;
-- The week with the change to summer time: on Sunday 2026-03-29 it is 01:59:59, then 03:00. No act at 2 (hour 146).
SELECT at, at AT TIME ZONE 'Europe/Paris' AS wall, pg_temp.hours_of(send_hours(at, 'Europe/Paris')) AS hour FROM unnest('{2026-03-29 00:59:59+00,2026-03-29 01:00:00+00,2026-03-29 01:59:59+00,2026-03-29 02:00+00}'::timestamptz[]) AS at GROUP BY at ORDER BY at;
-- Every quarter of an hour of that week: 167 hours, four each, none at Sunday 2; of the week back to winter time: 169 hours, eight at Sunday 2.
SELECT name, count(*) AS quarters, (send_hours(at, 'Europe/Paris')::float8[])[1 + 6 * 24 + 1] AS sunday_1, (send_hours(at, 'Europe/Paris')::float8[])[1 + 6 * 24 + 2] AS sunday_2, (send_hours(at, 'Europe/Paris')::float8[])[1 + 6 * 24 + 3] AS sunday_3,
       (SELECT array_agg(DISTINCT w) FROM unnest(send_hours(at, 'Europe/Paris')::float8[]) AS w) AS counts
FROM (VALUES ('to summer', '2026-03-22 23:00+00'::timestamptz, '2026-03-29 22:00+00'::timestamptz), ('an ordinary week', '2026-03-29 22:00+00', '2026-04-05 22:00+00'), ('to winter', '2026-10-18 22:00+00', '2026-10-25 23:00+00')) AS v (name, starts, ends),
     LATERAL generate_series(starts, ends - interval '1 second', interval '15 minutes') AS at GROUP BY name ORDER BY name;
-- By hand, in plain SQL.
CREATE TABLE public.acts AS SELECT n % 200 AS customer, timestamptz '2026-01-01 00:00+00' + hashint4(n) % 15000000 * interval '1 second' + 15000000 * interval '1 second' AS at, (n % 7)::float8 / 8 AS weight FROM generate_series(1, 3000) AS n;
ANALYZE acts;
SELECT count(*) AS wrong FROM (
  SELECT customer, 24 * (extract(isodow FROM l)::int - 1) + extract(hour FROM l)::int AS hour, count(*) AS n FROM acts, LATERAL (SELECT at AT TIME ZONE 'America/New_York' AS l) AS w GROUP BY 1, 2) AS plain
FULL JOIN (SELECT customer, place::int - 1 AS hour, weight FROM (SELECT customer, send_hours(at, 'America/New_York') AS h FROM acts GROUP BY 1) AS t, unnest(h::float8[]) WITH ORDINALITY AS u (weight, place) WHERE weight > 0) AS ours USING (customer, hour)
WHERE n IS DISTINCT FROM weight;
CREATE TABLE public.customers AS SELECT customer, send_hours(at, 'Europe/Paris') AS h, send_hours(at AT TIME ZONE 'Europe/Paris') AS local, send_hours(at, 'Europe/Paris', weight) AS weighted FROM acts GROUP BY customer;
ANALYZE customers;
SELECT count(*) FILTER (WHERE h = local) AS same, count(*) AS of, max(pg_column_size(h)) < 80 AS small, count(*) FILTER (WHERE send_hours(h::float8[]) = h AND h::text::send_hours = h) AS back FROM customers;
SELECT (SELECT merge(h) FROM customers) = (SELECT send_hours(at, 'Europe/Paris') FROM acts) AS merged, (SELECT send_hours(at, 'Europe/Paris', weight) FROM acts) = (SELECT send_hours(at, 'Europe/Paris', weight ORDER BY at DESC) FROM acts) AS any_order;
SELECT send_hours(NULL::timestamptz, 'UTC') IS NULL AS no_time, send_hours(now(), NULL) IS NULL AS no_zone, send_hours(now(), 'UTC', NULL) IS NULL AS no_weight, pg_temp.hours_of(send_hours(now(), 'UTC', 0)) IS NULL AS no_weight_at_all;

-- Profiles: serial, in parallel, by parts.
CREATE TABLE public.profile AS SELECT fit_send_time(h) AS m FROM customers;
SELECT m - 'shares' - 'prior_events' AS model, jsonb_array_length(m -> 'shares') AS shares, (SELECT round(sum(s::numeric), 9) FROM jsonb_array_elements_text(m -> 'shares') AS s) AS sum FROM profile;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT fit_send_time(h) FROM customers;
SELECT (SELECT fit_send_time(h) FROM customers) = m AS parallel, (SELECT fit_send_time(h, '{"prior_events": 3}') ->> 'prior_events' FROM customers) AS given FROM profile;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT (SELECT fit_send_time(merge(part)) FROM (SELECT send_time_cells(h) AS part FROM customers GROUP BY customer % 5) AS t) = m AS by_parts, (SELECT fit_send_time(send_time_cells(h), '{}') FROM customers) = m AS in_two FROM profile;
SELECT fit_send_time(NULL::send_hours) AS nothing, fit_send_time(h) - 'shares' AS one_act FROM (SELECT send_hours(timestamp '2026-11-23 08:00') AS h) AS t;

-- Scores. A segment of the evening, a customer of the morning.
CREATE TEMP TABLE evening AS SELECT fit_send_time(h, '{"prior_events": 4, "bandwidth_hours": 1}') AS m FROM (SELECT send_hours(timestamp '2026-11-23 20:00' + n * interval '1 day') AS h FROM generate_series(0, 4) AS n) AS t;
CREATE TEMP TABLE morning AS SELECT n, (SELECT send_hours(timestamp '2026-11-24 09:30') FROM generate_series(1, n)) AS h FROM unnest('{0,1,10}'::int[]) AS n;
SELECT n, o AS open, (t).day, (t).hour, round((t).score::numeric, 4) AS score, (t).n AS acts
FROM evening, morning, unnest('{Mo-Su 00:00-24:00,Mo-Su 12:00-22:00,Su 08:00-12:00}'::text[]) WITH ORDINALITY AS open (o, place), LATERAL (SELECT send_time(m, h, opening_hours(o)) AS t) AS best ORDER BY n, place;
SELECT send_time(m, NULL, repeat('0', 168)::bit(168)) IS NULL AS never_open, send_time(NULL, NULL) IS NULL AS no_model, send_time_scores(fit_send_time(NULL::send_hours), NULL) IS NULL AS unfitted FROM evening GROUP BY m;
SELECT n, round(sum(s)::numeric, 6) AS sum, count(*) AS hours, min(s) >= 0 AS positive FROM evening, morning, unnest(send_time_scores(m, h)) AS s GROUP BY n ORDER BY n;
SELECT count(*) FILTER (WHERE s > 0) AS scored, bit_count(opening_hours('Mo-Fr 09:00-12:00')::bit(168)) AS open FROM profile, unnest(send_time_scores(m, NULL, opening_hours('Mo-Fr 09:00-12:00'))) AS s;
-- Smoothing by hand: kernels on circles of 168 and 24 hours, written again in SQL.
WITH options AS (SELECT 1.3::float8 AS bw, 0.6::float8 AS shared, 5::float8 AS n0),
ring AS (SELECT 168 AS size UNION ALL SELECT 24),
raw AS (SELECT size, d, exp(greatest(-700, -0.5 * (least(d, size - d) / bw) ^ 2)) AS k FROM ring, options, generate_series(0, size - 1) AS d),
kernel AS (SELECT size, d, k / sum(k) OVER (PARTITION BY size) AS k FROM raw),
profile AS (SELECT place::int - 1 AS hour, weight / sum(weight) OVER () AS share FROM (SELECT merge(h) AS h FROM customers) AS t, unnest(h::float8[]) WITH ORDINALITY AS u (weight, place)),
days AS (SELECT hour / 24 AS day, sum(share) AS share FROM profile GROUP BY 1),
own AS (SELECT place::int - 1 AS hour, weight, weight / sum(weight) OVER () AS share FROM customers, unnest(h::float8[]) WITH ORDINALITY AS u (weight, place) WHERE customer = 17),
hand AS (
  SELECT h.hour, 168 * (n / (n + n0) * ((1 - shared) * (SELECT sum(o.share * k.k) FROM own AS o JOIN kernel AS k ON k.size = 168 AND k.d = (h.hour - o.hour + 168) % 168)
                        + shared * d.share * (SELECT sum(o.share * k.k) FROM own AS o JOIN kernel AS k ON k.size = 24 AND k.d = (h.hour - o.hour + 168) % 24))
                + n0 / (n + n0) * (SELECT sum(p.share * k.k) FROM profile AS p JOIN kernel AS k ON k.size = 168 AND k.d = (h.hour - p.hour + 168) % 168)) AS score
  FROM generate_series(0, 167) AS h (hour) JOIN days AS d ON d.day = h.hour / 24, options, (SELECT sum(weight) AS n FROM own) AS n)
SELECT max(abs(score - ours)) < 1e-9 AS as_by_hand, count(*) AS hours FROM hand JOIN (
  SELECT place::int - 1 AS hour, ours FROM (SELECT fit_send_time(h, '{"bandwidth_hours": 1.3, "shared_days": 0.6, "prior_events": 5}') AS m FROM customers) AS t, customers,
  unnest(send_time_scores(m, h)) WITH ORDINALITY AS u (ours, place) WHERE customer = 17) AS o USING (hour);
-- For tools.
SELECT d.day, d.hour, round(d.score::numeric, 4) AS score FROM evening, send_time_days(send_time_scores(m, NULL, opening_hours('Mo-Tu 08:00-22:00'))) AS d;
SELECT left(send_time_list(s), 60) AS monday_first, split_part(send_time_list(s), ',', 21) = split_part(send_time_list(s, 7), ',', 45) AS sunday_first, array_length(string_to_array(send_time_list(s), ','), 1) AS n, send_time_list(s, 8) AS no_such_day, send_time_list('{1}') AS no_week FROM (SELECT send_time_scores(m, NULL) AS s FROM evening) AS t;
SELECT r.* FROM evening, send_time_responsys(send_time_scores(m, NULL)) AS r;
SELECT day, r.* FROM (VALUES ('Sunday', 6 * 24 + 9), ('Monday', 10), ('Saturday', 5 * 24 + 23)) AS v (day, hour), send_time_responsys((SELECT array_agg((h = hour)::int::float8 ORDER BY h) FROM generate_series(0, 167) AS h)) AS r;
SELECT r.* FROM send_time_responsys(array_fill(0::float8, '{168}')) AS r;
-- The next good hour. In the night to summer time the hour of 2 does not come; in that to winter time it comes twice.
CREATE TEMP TABLE two AS SELECT (SELECT array_agg((h = 6 * 24 + 2)::int + (h = 6 * 24 + 4)::int * 0.5::float8 ORDER BY h) FROM generate_series(0, 167) AS h) AS s;
SELECT after, next_send_time(s, after, 'Europe/Paris', 24) AS next, next_send_time(s, after, 'Europe/Paris', 24) AT TIME ZONE 'Europe/Paris' AS wall
FROM two, unnest('{2026-03-28 22:10+00,2026-03-22 00:30+00,2026-10-24 22:10+00,2026-10-25 00:40+00,2026-10-25 01:40+00,2026-10-25 02:00+00,2026-11-23 08:00+00}'::timestamptz[]) AS after;
SELECT next_send_time(array_fill(1::float8, '{168}'), '2026-11-23 08:20:30+00', 'Asia/Kolkata') AS now, next_send_time(array_fill(0::float8, '{168}'), '2026-11-23 08:20:30+00', 'Asia/Kolkata') AS never, next_send_time(NULL, now(), 'UTC') AS unknown;

-- What cannot be.
CALL refused('SELECT send_hours(timestamptz ''infinity'', ''UTC'')');
CALL refused('SELECT send_hours(now(), ''Mars/Olympus'')');
CALL refused('SELECT send_hours(now(), ''UTC'', -1)');
CALL refused('SELECT send_hours(now(), ''UTC'', ''NaN'')');
CALL refused('SELECT send_hours(now(), ''UTC'', 1e9) FROM generate_series(1, 200)');
CALL refused('SELECT send_hours(''{1,2}''::float8[])');
CALL refused('SELECT send_hours(array_fill(NULL::float8, ''{168}''))');
CALL refused('SELECT send_hours(array_fill(''Infinity''::float8, ''{168}''))');
CALL refused('SELECT ''\x41''::send_hours');
CALL refused('SELECT ''\x410101a801''::send_hours');
CALL refused('SELECT ''\x4101''::send_time_cells');
CALL refused('SELECT fit_send_time(h, ''{"bandwidth": 1}'') FROM customers');
CALL refused('SELECT fit_send_time(h, ''{"bandwidth_hours": -1}'') FROM customers');
CALL refused('SELECT fit_send_time(h, ''{"shared_days": 2}'') FROM customers');
CALL refused('SELECT send_time(m, NULL, B''101'') FROM profile');
CALL refused('SELECT send_time(''{}'', NULL)');
CALL refused('SELECT send_time(''[1]'', NULL)');
CALL refused('SELECT send_time(m || ''{"prior_events": null}'', NULL) FROM profile');
CALL refused('SELECT send_time(m || ''{"prior_events": -3}'', NULL) FROM profile');
CALL refused('SELECT send_time(m || ''{"shares": [1, 2]}'', NULL) FROM profile');
CALL refused('SELECT send_time(jsonb_set(m, ''{shares,0}'', ''"x"''), NULL) FROM profile');
CALL refused('SELECT send_time(m || ''{"more": 1}'', NULL) FROM profile');
CALL refused('SELECT next_send_time(''{1}'', now(), ''UTC'')');
CALL refused('SELECT next_send_time(array_fill(''NaN''::float8, ''{168}''), now(), ''UTC'')');
CALL refused('SELECT next_send_time(array_fill(1::float8, ''{168}''), now(), ''UTC'', 0)');
CALL refused('SELECT next_send_time(array_fill(1::float8, ''{168}''), ''infinity'', ''UTC'')');
DROP TABLE public.acts, public.customers, public.profile;
