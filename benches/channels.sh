# Channels and send time: benches/run channels. First how good they are on simulated shops, beside naive
# rules (ACCURACY customers a shop, 20000 unless set; nothing was tuned on seed 2); then how fast, as ratios to a plain
# aggregation of the same rows (SIZE customers). No limit is set for the ratios.

accuracy_of() { # accuracy_of <seed>: rows "what|rule|number..." by SQL
  sql -v seed="$1" -v customers="${ACCURACY:-20000}" -v send_options="${SEND_OPTIONS:-{\}}" -f - <<'SQL'
SET search_path = pg_temp, segmentation, public;
SET client_min_messages = warning;
SET work_mem = '256MB';
\set as_of '2025-06-30'
\set period '\'2023-01-01\'::date, \'2025-12-31\'::date, \'{}\'::jsonb'
CREATE TEMP TABLE blocks AS SELECT n * 1000 + 1 AS first, least((n + 1) * 1000, :customers) AS last FROM generate_series(0, (:customers - 1) / 1000) AS n;
CREATE TEMP TABLE truth AS
  SELECT t.customer_id, preferred_hour, prefers_weekend, channel, rate
  FROM blocks, segmentation_internal.simulate_truth_customers(:seed, first, last, :period) AS t, unnest('{email,sms,mail,phone,push}'::text[], t.response_rates) AS u (channel, rate);
CREATE TEMP TABLE who AS
  SELECT customer_id, CASE WHEN is_company THEN 'company' ELSE coalesce(width_bucket(2025 - extract(year FROM birth_date), 20, 80, 6)::text, '?') END AS segment
  FROM blocks, simulate_customers(:seed, first, last, :period);
-- What was known on the day: an answer of later was not.
CREATE TEMP TABLE sent AS
  SELECT customer_id, channel, sent_at, (sent_at AT TIME ZONE 'Europe/Paris')::date AS sent_on,
         CASE WHEN (responded_at AT TIME ZONE 'Europe/Paris')::date <= :'as_of' THEN response END AS response
  FROM blocks, simulate_contacts(:seed, first, last, :period) WHERE (sent_at AT TIME ZONE 'Europe/Paris')::date <= :'as_of';
CREATE TEMP TABLE facts AS
  SELECT customer_id, segment, h, c FROM who
  LEFT JOIN (SELECT customer_id, contact_history(channel, sent_on, response) AS h FROM sent GROUP BY 1) AS s USING (customer_id)
  LEFT JOIN (SELECT customer_id, consent_history(channel, granted, changed_on) AS c FROM blocks, segmentation_internal.simulate_consents(:seed, first, last, :period) GROUP BY 1) AS k USING (customer_id);
CREATE TEMP TABLE model AS SELECT fit_channel_model(h, segment, :'as_of') AS m FROM facts;
CREATE TEMP TABLE choices AS
  SELECT f.customer_id, r.channel, t.rate, r.mean, r.lower, r.sent, r.responses, p.mean AS population,
         r.responses / nullif(r.sent, 0) AS observed
  FROM model CROSS JOIN facts AS f CROSS JOIN LATERAL rank_channels(m, segment, h, c, :'as_of', '{"no_answer_after": null}') AS r
  JOIN truth AS t ON t.channel = r.channel AND t.customer_id = f.customer_id
  JOIN (SELECT c ->> 'channel' AS channel, (c ->> 'mean')::float8 AS mean FROM model, jsonb_array_elements(m -> 'channels') AS c) AS p ON p.channel = r.channel
  WHERE r.rank IS NOT NULL;
DELETE FROM choices WHERE customer_id IN (SELECT customer_id FROM choices GROUP BY 1 HAVING count(*) < 2);
WITH chosen AS (
  SELECT customer_id, max(rate) AS best, avg(rate) AS any_channel,
         (array_agg(rate ORDER BY lower DESC, mean DESC))[1] AS by_lower, (array_agg(rate ORDER BY mean DESC))[1] AS by_mean,
         (array_agg(rate ORDER BY observed DESC NULLS LAST, sent DESC, population DESC))[1] AS naive,
         (array_agg(rate ORDER BY population DESC))[1] AS same_for_all
  FROM choices GROUP BY 1)
SELECT format('| channel | %s | %s | %s%% |', rule, round((100 * avg(best - rate))::numeric, 2), round((100 * (1 - avg(rate) / avg(best)))::numeric, 1))
FROM chosen, LATERAL (VALUES (1, 'rank_channels, by lower bound', by_lower), (2, 'rank_channels, by mean', by_mean), (3, 'highest rate observed, then most contacts', naive),
  (4, 'best channel of the population', same_for_all), (5, 'any channel with consent', any_channel)) AS v (n, rule, rate)
GROUP BY n, rule ORDER BY n;
-- Send time: what the customer did, at what hour, up to the day.
CREATE TEMP TABLE acts AS
  SELECT customer_id, at FROM (
    SELECT customer_id, ordered_at AS at FROM blocks, simulate_orders(:seed, first, last, :period) WHERE refund_of IS NULL
    UNION ALL SELECT customer_id, occurred_at FROM blocks, segmentation_internal.simulate_interactions(:seed, first, last, :period)
    UNION ALL SELECT customer_id, sent_at FROM sent WHERE response IS NOT NULL) AS a
  WHERE (at AT TIME ZONE 'Europe/Paris')::date <= :'as_of';
CREATE TEMP TABLE hours AS SELECT segment, customer_id, h FROM who LEFT JOIN (SELECT customer_id, send_hours(at, 'Europe/Paris') AS h FROM acts GROUP BY 1) AS a USING (customer_id);
CREATE TEMP TABLE profiles AS SELECT segment, fit_send_time(h, :'send_options') AS m FROM hours GROUP BY segment;
CREATE TEMP TABLE naive AS
  SELECT DISTINCT ON (customer_id) customer_id, hour FROM (
    SELECT customer_id, extract(hour FROM at AT TIME ZONE 'Europe/Paris')::int AS hour, count(*) AS n FROM acts GROUP BY 1, 2) AS c ORDER BY customer_id, n DESC, hour;
WITH population AS (SELECT extract(hour FROM at AT TIME ZONE 'Europe/Paris')::int AS hour FROM acts GROUP BY 1 ORDER BY count(*) DESC LIMIT 1),
best AS (SELECT h.customer_id, (send_time(m, h.h)).hour AS hour, (send_time(m, NULL)).hour AS segment FROM hours AS h JOIN profiles USING (segment)),
judged AS (
  SELECT n, rule, least(abs(chosen - preferred_hour), 24 - abs(chosen - preferred_hour)) AS error
  FROM (SELECT DISTINCT customer_id, preferred_hour FROM truth) AS t JOIN best AS b USING (customer_id) LEFT JOIN naive AS o USING (customer_id), population AS p,
  LATERAL (VALUES (1, 'send_time', b.hour::int), (2, 'hour with the most acts', coalesce(o.hour, p.hour)), (3, 'best hour of the segment', b.segment::int), (4, 'best hour of the population', p.hour)) AS v (n, rule, chosen))
-- A message is answered with a probability proportional to 0.35 + exp(-error^2 / 8): simulate_shop.
SELECT format('| hour | %s | %s | %s%% |', rule, round(avg(error), 2), round((100 * (1 - avg(0.35 + exp(-(error ^ 2) / 8.0)) / 1.35))::numeric, 1)) FROM judged GROUP BY n, rule ORDER BY n;
SQL
}

for seed in ${SEEDS:-2}; do
  say "Accuracy on a simulated shop of ${ACCURACY:-20000} customers, seed $seed"
  { printf '\n| choice | rule | error: points of response rate, or hours | answers lost against the best choice |\n|---|---|---|---|\n'
    accuracy_of "$seed"; } | tee "$work/accuracy_$seed"
done
[ "${SPEED:-1}" != 0 ] || return 0

# The rows: about ten contacts a customer, stored in the order of time as a log grows.
if [ "$(sql -c "SELECT to_regclass('public.contacts_by_time') IS NOT NULL")" = f ]; then
  say "Simulating the contacts of $SIZE customers, once"
  sql -c 'SET client_min_messages = warning' -c "
    CREATE UNLOGGED TABLE public.contacts_by_time AS
    SELECT customer_id, channel, sent_at, (sent_at AT TIME ZONE 'Europe/Paris')::date AS sent_on, response
    FROM generate_series(0, ($SIZE - 1) / 1000) AS n,
         simulate_contacts(1, n * 1000 + 1, least((n + 1) * 1000, $SIZE), '2023-01-01', '2025-12-31', '{}')
    ORDER BY sent_at" -c 'VACUUM (FREEZE, ANALYZE) public.contacts_by_time'
fi
sql -c "SET work_mem = '1GB'" -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS channel_facts, channel_models' -c "
  CREATE UNLOGGED TABLE channel_facts AS
  SELECT customer_id, 's' || customer_id % 10 AS segment, contact_history(channel, sent_on, response) AS h,
         consent_history(channel, true, '2023-01-01') AS c, send_hours(sent_at, 'Europe/Paris') AS hours
  FROM public.contacts_by_time GROUP BY customer_id" -c "
  CREATE TABLE channel_models AS
  SELECT fit_channel_model(h, segment, '$AS_OF') AS channels, fit_send_time(hours) AS send_time FROM channel_facts" \
  -c 'VACUUM (FREEZE, ANALYZE) channel_facts'
race '`contact_history` by customer' 'count(*), count(response), max(sent_on) by customer' - \
  'SELECT customer_id, contact_history(channel, sent_on, response) FROM public.contacts_by_time GROUP BY customer_id' \
  'SELECT customer_id, count(*), count(response), max(sent_on) FROM public.contacts_by_time GROUP BY customer_id'
race '`contact_history` by customer' 'count(*), count(response) by customer and channel' - \
  'SELECT customer_id, contact_history(channel, sent_on, response) FROM public.contacts_by_time GROUP BY customer_id' \
  'SELECT customer_id, channel, count(*), count(response) FROM public.contacts_by_time GROUP BY customer_id, channel'
race '`send_hours` by customer' 'count(*) by customer, local day of the week and hour' - \
  "SELECT customer_id, send_hours(sent_at, 'Europe/Paris') FROM public.contacts_by_time GROUP BY customer_id" \
  "SELECT customer_id, extract(isodow FROM l), extract(hour FROM l), count(*) FROM public.contacts_by_time, LATERAL (SELECT sent_at AT TIME ZONE 'Europe/Paris' AS l OFFSET 0) AS w GROUP BY 1, 2, 3"
plain='SELECT customer_id, channel, count(*), count(response) FROM public.contacts_by_time GROUP BY customer_id, channel'
race '`fit_channel_model` from stored histories' 'count(*), count(response) by customer and channel' - \
  "SELECT fit_channel_model(h, segment, '$AS_OF') FROM channel_facts" "$plain"
race '`channel_code` of stored histories' 'count(*), count(response) by customer and channel' - \
  "SELECT count(channel_code((SELECT channels FROM channel_models), segment, h, c, '$AS_OF')) FROM channel_facts" "$plain"
race '`rank_channels` of stored histories' 'count(*), count(response) by customer and channel' - \
  "SELECT count(r.rank) FROM channel_models, channel_facts, rank_channels(channels, segment, h, c, '$AS_OF') AS r" "$plain"
race '`send_time` of stored hours' 'count(*), count(response) by customer and channel' - \
  "SELECT count(send_time((SELECT send_time FROM channel_models), hours)) FROM channel_facts" "$plain"
note "channels and send time of $SIZE customers: $(sql -c "$MEMORY" -c "$SERIAL" -c '\o /dev/null' \
  -c "SELECT fit_channel_model(h, segment, '$AS_OF'), fit_send_time(hours) FROM channel_facts" \
  -c "SELECT count(r.rank) FROM channel_models, channel_facts, rank_channels(channels, segment, h, c, '$AS_OF') AS r" \
  -c '\o' -c "SELECT 'the backend had at most ' || round(substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s*(\d+) kB')::numeric / 1024) || ' MB, shared buffers (' || current_setting('shared_buffers') || ') included'")"
sql -c "SELECT format('contacts: %s rows, %s bytes a stored history, %s bytes of stored hours', (SELECT count(*) FROM public.contacts_by_time), round(avg(pg_column_size(h))), round(avg(pg_column_size(hours)))) FROM channel_facts" | while read -r line; do note "$line"; done
