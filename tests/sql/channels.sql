-- Contacts, consents, interactions; channel models, scores, rankings.
SET search_path = segmentation, public;
SET datestyle = ISO;

-- The values: small, the same in any order, merged as if gathered at once.
CREATE TEMP TABLE sent (customer int, channel text, sent_on date, response text);
INSERT INTO sent
  SELECT c, channel, date '2026-01-01' + day, CASE WHEN luck < rate THEN (ARRAY['click','purchase','reply'])[1 + n % 3] WHEN luck > 95 THEN 'bounce' WHEN luck > 60 THEN 'open' END
  FROM generate_series(1, 300) AS c, generate_series(1, 3 + c % 15) AS n,
       LATERAL (SELECT (ARRAY['email','sms','mail'])[1 + abs(hashint4(1000 * c + n)) % 3] AS channel, abs(hashint4(7777 * c + n)) % 180 AS day, abs(hashint4(31 * c + 100000 * n)) % 100 AS luck) AS drawn,
       LATERAL (SELECT (c % 5) * 9 + CASE channel WHEN 'sms' THEN c % 3 * 10 ELSE 2 END AS rate) AS own;
ANALYZE sent;
CREATE TABLE public.known AS
  SELECT customer, CASE WHEN customer % 3 = 0 THEN 'young' WHEN customer % 3 = 1 THEN 'old' END AS segment,
         contact_history(channel, sent_on, response) AS h
  FROM sent GROUP BY customer;
ANALYZE known;
SELECT jsonb_pretty(contact_history(c, d, r)::jsonb) FROM (VALUES ('sms', date '2026-02-03', 'click'), ('email', '2026-02-03', NULL), ('email', '2026-01-01', 'bounce')) AS v (c, d, r);
SELECT count(*) FILTER (WHERE a.h = b.h) AS same, count(*) AS of, max(pg_column_size(a.h)) <= 80 AS small
FROM known AS a JOIN (SELECT customer, contact_history(channel, sent_on, response ORDER BY sent_on DESC, channel) AS h FROM sent GROUP BY customer) AS b USING (customer);
SELECT (SELECT merge(h) FROM known) = (SELECT contact_history(channel, sent_on, response) FROM sent) AS merged,
       (SELECT h::text::contact_history = h FROM known LIMIT 1) AS text_and_back;
SELECT contact_history(channel, sent_on, response) FILTER (WHERE channel IS NULL) IS NULL AS nothing, contact_history('email', NULL::date, 'click') IS NULL AS no_day, contact_history(NULL, '2026-01-01', 'click') IS NULL AS no_channel FROM sent;
SELECT contact_history('email', date '2026-01-01', true)::jsonb AS answered, contact_history('email', '2026-01-01', NULL::boolean)::jsonb AS unknown;
-- Against plain SQL: contacts of a window, answers.
SELECT count(*) AS wrong FROM (
  SELECT customer, channel, count(*) FILTER (WHERE response IS DISTINCT FROM 'bounce') AS n, count(*) FILTER (WHERE response IN ('click', 'purchase', 'reply')) AS y
  FROM sent WHERE sent_on BETWEEN date '2026-05-01' - 89 AND '2026-05-01' GROUP BY 1, 2) AS plain
FULL JOIN (SELECT customer, c.* FROM known, contact_counts(h, '2026-05-01', '{"window_days": 90}') AS c) AS ours USING (customer, channel)
WHERE coalesce(n, 0) <> coalesce(sent, 0) OR coalesce(y, 0) <> coalesce(responses, 0);
SELECT count(*) AS wrong FROM (SELECT customer, count(*) FILTER (WHERE response IS DISTINCT FROM 'bounce' AND sent_on > date '2026-05-01' - 30 AND sent_on <= '2026-05-01') AS n FROM sent GROUP BY 1) AS plain JOIN known USING (customer) WHERE n <> contacts(h, '2026-05-01', 30);
SELECT round(sum(n)::numeric, 9) = round(sum(sent)::numeric, 9) AS decayed FROM (SELECT sum(0.5 ^ ((date '2026-05-01' - sent_on) / 30.0)) AS n FROM sent WHERE sent_on <= '2026-05-01' AND response IS DISTINCT FROM 'bounce') AS p, (SELECT sum(c.sent) AS sent FROM known, contact_counts(h, '2026-05-01', '{"half_life_days": 30}') AS c) AS o;
SELECT contacts(h, '2026-05-01') AS ever, contacts(h, '2026-05-01', 30) AS month, contacts(h, '2026-05-01', 30, 'sms') AS sms, contacts(h, '2026-05-01', channel => 'no such') AS none, contacts(h, NULL) AS no_day, contacts(NULL, '2026-05-01') AS no_history, last_response(h, '2026-05-01') FROM known WHERE customer = 8;
-- Opens are no answers unless asked for.
SELECT c.channel, c.sent, c.responses, o.responses AS with_opens
FROM (SELECT contact_history('email', date '2026-01-01' + n, (ARRAY['open', 'click', NULL])[1 + n % 3]) AS h FROM generate_series(0, 8) AS n) AS t,
     contact_counts(h, '2026-02-01') AS c, contact_counts(h, '2026-02-01', '{"opens": true}') AS o;
-- Parallel, as serial.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE public.contact_rows AS SELECT * FROM sent;
ANALYZE contact_rows;
EXPLAIN (COSTS OFF) SELECT contact_history(channel, sent_on, response) FROM contact_rows;
SELECT contact_history(channel, sent_on, response) = (SELECT merge(h) FROM known) AS parallel FROM contact_rows;
CREATE TEMP TABLE in_parallel AS SELECT fit_channel_model(h, segment, '2026-07-01') AS m FROM known;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE public.model AS SELECT fit_channel_model(h, segment, '2026-07-01') AS m FROM known;
SELECT (SELECT m FROM in_parallel) = m AS same_model, (SELECT fit_channel_model(merge(part)) FROM (SELECT channel_cells(h, segment, '2026-07-01') AS part FROM known GROUP BY customer % 7) AS t) = m AS same_by_parts FROM model;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- The model. From counted contacts it is the same but for as_of.
SELECT c ->> 'channel' AS channel, c ->> 'method' AS method, c ->> 'customers' AS customers, c ->> 'sent' AS sent, c ->> 'responses' AS responses, round((c ->> 'mean')::numeric, 6) AS mean, round((c ->> 'precision')::numeric, 2) AS precision, jsonb_array_length(c -> 'segments') AS segments
FROM model, jsonb_array_elements(m -> 'channels') AS c;
SELECT m - 'channels' FROM model;
SELECT fit_channel_model(c.channel, segment, c.sent, c.responses) - 'as_of' = (SELECT m - 'as_of' FROM model) AS counted FROM known, contact_counts(h, '2026-07-01') AS c;
SELECT segment, round((s -> 'parameters' ->> 'alpha')::numeric, 4) AS alpha, round((s -> 'parameters' ->> 'beta')::numeric, 4) AS beta FROM model, jsonb_array_elements(m -> 'channels') AS c, jsonb_array_elements(c -> 'segments') AS s, LATERAL (SELECT s ->> 'segment' AS segment) AS n WHERE c ->> 'channel' = 'email';
-- Against an independent optimiser: SciPy 1.17.1 found alpha .5797956497, beta 3.5787434065, log-likelihood -693.448285647;
-- segments, drawn towards the channel: a .3485158 4.9536188, b 1.4534330 4.2606417, c 1.7227107 2.5400992.
CREATE TEMP TABLE peer (segment text, n float8, y float8, customers int);
INSERT INTO peer VALUES ('a',10,0,60),('a',10,1,25),('a',10,3,9),('a',5,0,40),('a',5,2,6),('a',20,9,2),('b',10,0,20),('b',10,2,20),('b',8,4,15),('b',3,1,30),('b',12,7,5),('b',2.5,.5,4),('c',4,3,3),('c',6,1,2);
SELECT round((c #>> '{parameters,alpha}')::numeric, 7) AS alpha, round((c #>> '{parameters,beta}')::numeric, 6) AS beta, round((c ->> 'log_likelihood')::numeric, 6) AS log_likelihood,
       (SELECT string_agg(format('%s %s %s', s ->> 'segment', round((s #>> '{parameters,alpha}')::numeric, 5), round((s #>> '{parameters,beta}')::numeric, 5)), ', ') FROM jsonb_array_elements(c -> 'segments') AS s) AS segments
FROM (SELECT fit_channel_model('email', segment, n, y) -> 'channels' -> 0 AS c FROM peer, generate_series(1, customers)) AS t;
-- A customer's rate: beta quantiles of SciPy 1.17.1 at (1.3, 47.2): .0044159678; at (2, 3): .1425593167.
SELECT round((channel_score(m, 'email', NULL, 0, 0)).lower::numeric, 10) AS before, round((channel_score(m, 'email', NULL, 1, 1)).mean::numeric, 10) AS mean, round((channel_score(m, 'email', NULL, 1, 1)).lower::numeric, 10) AS lower FROM (SELECT '{"kind": "channel_model", "version": 1, "counting": {}, "channels": [{"channel": "email", "parameters": {"alpha": 1.3, "beta": 47.2}}]}'::jsonb AS m) AS t;
SELECT round((channel_score('{"kind": "channel_model", "version": 1, "counting": {}, "channels": [{"channel": "email", "parameters": {"alpha": 1, "beta": 2}}]}', 'email', 'any', 2, 1)).lower::numeric, 10) AS lower;
SELECT channel_score(m, 'fax', NULL, 1, 1) IS NULL AS no_channel, channel_score(m, NULL, NULL, 1, 1) IS NULL AS null_channel, channel_score(m, 'email', NULL, NULL, 1) IS NULL AS null_count, channel_score(NULL, 'email', NULL, 1, 1) IS NULL AS null_model,
       (channel_score(m, 'email', 'young', 4, 1)).mean > (channel_score(m, 'email', 'young', 4, 0)).mean AS answers_count, (channel_score(m, 'email', 'nobody knows', 4, 1)) = channel_score(m, 'email', NULL, 4, 1) AS unknown_segment FROM model;
-- Warnings.
SELECT w ->> 'code' AS code, label('channel_warning', w ->> 'code', 'fr') AS fr, w ->> 'message' AS message FROM known, LATERAL (SELECT 1) AS x, LATERAL (SELECT fit_channel_model(h, segment, '2026-07-01', '{"opens": true}') AS m FROM known) AS t, jsonb_array_elements(m -> 'warnings') AS w WHERE known.customer = 1;
SELECT fit_channel_model(n::text, NULL, 1 + n, CASE WHEN n < 3 THEN 0 ELSE n END) -> 'warnings' AS warnings FROM generate_series(1, 3) AS n, generate_series(1, 3 * n);
SELECT fit_channel_model(h, segment, '2020-01-01') AS too_early FROM known;
SELECT fit_channel_model(NULL::contact_history, NULL, '2026-01-01') AS nothing, fit_channel_model('email', NULL, NULL, 1) AS missing, (SELECT fit_channel_model(h, segment, '2020-01-01') FROM known WHERE false) AS no_row;
SELECT segment, fit_channel_model(h, NULL, '2026-07-01') #>> '{channels,0,customers}' AS customers FROM known GROUP BY segment ORDER BY segment;

-- Consent. The last word counts; doubt is a no.
CREATE TEMP TABLE consents (customer int, channel text, granted boolean, changed_on date);
INSERT INTO consents VALUES
  (1, 'email', true, '2025-01-01'), (1, 'sms', true, '2025-01-01'), (1, 'mail', true, '2025-06-01'),
  (2, 'email', true, '2025-01-01'), (2, 'email', false, '2026-03-01'), (2, 'sms', NULL, '2025-01-01'),
  (3, 'Email', true, '2025-01-01'), (3, 'SMS', true, '2025-01-01'), (3, ' mail', true, '2025-01-01'),
  (4, 'email', true, '2025-01-01'), (4, 'EMAIL', false, '2026-01-01'), (4, 'sms', true, '2025-01-01'), (4, 'sms', false, '2025-01-01'),
  (5, 'email', true, '2025-01-01'), (5, '*', false, '2026-01-01'), (5, 'sms', true, '2026-02-01'),
  (6, 'email', true, '2025-01-01'), (6, 'email', false, NULL), (6, 'sms', true, NULL), (6, 'mail', true, '2030-01-01'),
  (7, 'email', true, '2025-01-01'), (7, NULL, false, '2026-01-01'), (8, NULL, NULL, NULL), (9, '*', true, '2025-01-01');
CREATE TABLE public.agreed AS SELECT customer, consent_history(channel, granted, changed_on) AS c FROM consents GROUP BY customer;
SELECT customer, string_agg(channel, ' ' ORDER BY channel) AS may FROM agreed, unnest('{email,sms,mail,fax,*,Email,EMAIL, mail}'::text[]) AS channel WHERE has_consent(c, channel, '2026-06-01') GROUP BY customer ORDER BY customer;
SELECT has_consent(c, 'email', '2026-02-28') AS before, has_consent(c, 'email', '2026-03-01') AS withdrawn, has_consent(c, 'email', '2024-12-31') AS not_yet, has_consent(c, 'email', '2026-02-28', 423) AS too_old, has_consent(c, 'email', '2026-02-28', 424) AS not_too_old FROM agreed WHERE customer = 2;
SELECT consents(NULL) IS NULL AS null_json, has_consent(NULL, 'email', '2026-01-01') AS none, has_consent(c, NULL, '2026-01-01') AS no_channel, has_consent(c, 'email', NULL) AS no_day FROM agreed WHERE customer = 1;
SELECT consents('{"email": true, "sms": false, "mail": null}')::jsonb, has_consent(consents('{"email": true}'), 'email', '0001-01-01') AS at_once;
SELECT c::jsonb FROM agreed WHERE customer = 6;
-- Nobody without consent gets a rank, whoever asks, however.
SELECT channel, rank, round(mean::numeric, 5) AS mean, round(lower::numeric, 5) AS lower, sent, responses, round(value::numeric, 5) AS value, eligible, reason, label('channel_reason', reason, 'fr') AS fr FROM model, known, agreed, rank_channels(m, segment, h, c, '2026-06-01') AS r WHERE known.customer = 1 AND agreed.customer = 5;
SELECT agreed.customer, string_agg(r.channel, ' ' ORDER BY r.rank) FILTER (WHERE r.rank IS NOT NULL) AS ranked, string_agg(DISTINCT r.reason, ' ') AS reasons
FROM model, known, agreed, rank_channels(m, segment, h, c, '2026-06-01') AS r WHERE known.customer = 1 GROUP BY 1 ORDER BY 1;
CREATE TEMP TABLE asked AS
  SELECT known.customer, agreed.customer AS agreed, as_of, options, c, r.* FROM model, known, agreed,
    unnest('{2024-06-01,2026-01-15,2026-03-02,2026-06-01,2031-01-01}'::date[]) AS as_of,
    unnest('{"{}", "{\"by\": \"mean\", \"no_answer_after\": 2}", "{\"margin\": {\"*\": 9}, \"cost\": {\"sms\": 2}, \"pressure\": [{\"contacts\": 2, \"days\": 40}]}", "{\"pressure\": [{\"channel\": \"sms\", \"contacts\": 1, \"days\": 60}], \"consent_days\": 400}"}'::jsonb[]) AS options,
    rank_channels(m, segment, h, c, as_of, options) AS r
  WHERE known.customer <= 40;
SELECT count(*) > 10000 AS many, count(*) FILTER (WHERE rank IS NOT NULL) AS ranked,
       count(*) FILTER (WHERE rank IS NOT NULL AND NOT has_consent(c, channel, as_of)) AS ranked_without_consent,
       count(*) FILTER (WHERE rank IS NOT NULL AND NOT EXISTS (SELECT FROM consents AS k WHERE k.customer = agreed AND k.channel = asked.channel AND k.granted AND k.changed_on <= as_of)) AS never_granted,
       count(*) FILTER (WHERE (rank IS NULL) <> (reason IS NOT NULL) OR eligible <> (rank IS NOT NULL)) AS without_reason, count(DISTINCT reason) AS reasons FROM asked;
SELECT count(*) AS ranked FROM model, known, unnest(ARRAY[NULL, consents('{}'), consents('{"*": true, "EMAIL": true, "email": null}')]) AS c, rank_channels(m, segment, h, c, '2026-06-01') AS r WHERE rank IS NOT NULL;
-- A channel that is called as a code is not ranked: it would be taken for it.
SELECT r.channel, r.rank, r.reason FROM (SELECT fit_channel_model(channel, NULL, 3, n % 2) AS m FROM unnest('{none,insufficient_data,email}'::text[]) AS channel, generate_series(1, 20) AS n) AS t, rank_channels(m, NULL, NULL, consents('{"none": true, "insufficient_data": true, "email": true}'), '2026-01-01') AS r;
-- Pressure: no rank while the contacts of the window are too many.
SELECT count(*) FILTER (WHERE rank IS NOT NULL) AS ranked, count(*) FILTER (WHERE rank IS NOT NULL AND contacts(h, as_of, 40) >= 2) AS pressed FROM asked JOIN known USING (customer) WHERE options ? 'margin';
-- Codes, and when they change by time alone: the first day is checked day by day.
SELECT agreed.customer, channel_code(m, segment, h, c, '2026-06-01'), label('channel', channel_code(m, segment, h, c, '2026-06-01'), 'fr') AS fr, channel_next_change(m, segment, h, c, '2026-06-01') AS next,
       channel_code(m, segment, h, c, '2026-06-01', '{"pressure": [{"contacts": 1, "days": 30}]}') AS pressed, channel_next_change(m, segment, h, c, '2026-06-01', '{"pressure": [{"contacts": 1, "days": 30}]}') AS free
FROM model, known, agreed WHERE known.customer = 9 ORDER BY 1;
WITH asked AS (
  SELECT m, segment, h, c, options, channel_code(m, segment, h, c, '2026-05-01', options) AS now, channel_next_change(m, segment, h, c, '2026-05-01', options) AS next
  FROM model, known, agreed, unnest('{"{\"pressure\": [{\"contacts\": 2, \"days\": 40}], \"consent_days\": 400}", "{\"pressure\": [{\"channel\": \"email\", \"contacts\": 1, \"days\": 25}]}"}'::jsonb[]) AS options
  WHERE known.customer <= 25)
SELECT count(*) AS asked, count(next) AS change,
       count(*) FILTER (WHERE next IS NOT NULL AND channel_code(m, segment, h, c, next, options) = now) AS not_then,
       count(*) FILTER (WHERE EXISTS (SELECT FROM generate_series(1, 60) AS d WHERE date '2026-05-01' + d < coalesce(next, 'infinity') AND channel_code(m, segment, h, c, date '2026-05-01' + d, options) <> now)) AS before
FROM asked;
SELECT channel_code(fit, NULL, NULL, consents('{"email": true}'), '2026-01-01') AS unfitted, channel_next_change(fit, NULL, NULL, NULL, '2026-01-01') AS next, segmentation_internal.channel_ranking(fit, NULL, NULL, NULL, '2026-01-01') AS ranking FROM (SELECT fit_channel_model('email', NULL, 0, 0) AS fit) AS t;
SELECT channel_code(NULL, NULL, NULL, NULL, '2026-01-01') AS null_model, channel_code(m, NULL, NULL, NULL, NULL) AS null_day, channel_code(m, NULL, NULL, NULL, '2026-01-01') AS knows_nothing, channel_code(m, NULL, NULL, c, '2026-01-01', NULL) AS null_options FROM model, agreed WHERE customer = 1;
-- Values: margin of an answer, cost of a contact.
SELECT channel, rank, round(mean::numeric, 4) AS mean, round(value::numeric, 4) AS value, reason FROM model, known, agreed, rank_channels(m, segment, h, c, '2026-06-01', '{"margin": 20, "cost": {"email": 0.02, "sms": 0.1, "mail": 9}}') WHERE known.customer = 2 AND agreed.customer = 1;

-- Engagement: half after a half-life.
SELECT engagement_score(interaction_history(kind, day), '2026-03-01', '{"half_life_days": 10, "weights": {"support": -1, "*": 2}}') AS score, 2 * (1 + 0.5) - 0.25 AS by_hand, engagement_score(interaction_history(kind, day), '2026-02-28') < engagement_score(interaction_history(kind, day), '2026-03-01') AS grows, interaction_history(kind, day)::jsonb -> 0 AS first
FROM (VALUES ('visit', date '2026-03-01'), ('visit', '2026-02-19'), ('support', '2026-02-09'), ('visit', '2026-03-02'), (NULL, '2026-03-01'), ('visit', NULL)) AS v (kind, day);
SELECT engagement_score(NULL, '2026-03-01') AS unknown;

-- What cannot be.
CALL refused('SELECT contact_history(''email'', date ''2026-01-01'', ''opened'')');
CALL refused('SELECT contact_history('''', date ''2026-01-01'', true)');
CALL refused('SELECT contact_history(repeat(''x'', 201), date ''2026-01-01'', true)');
CALL refused('SELECT contact_history(''email'', date ''infinity'', true)');
CALL refused('SELECT contact_history(n::text, date ''2026-01-01'', true) FROM generate_series(1, 1001) AS n');
CALL refused('SELECT ''\x01''::contact_history');
CALL refused('SELECT ''{}''::consent_history');
CALL refused('SELECT c::text::contact_history FROM agreed');
CALL refused('SELECT h::text::consent_history FROM known');
CALL refused('SELECT consents(''{"email": "yes"}'')');
CALL refused('SELECT consents(''["email"]'')');
CALL refused('SELECT contacts(h, ''2026-01-01'', 0) FROM known');
CALL refused('SELECT contacts(h, ''infinity'') FROM known');
CALL refused('SELECT * FROM known, contact_counts(h, ''2026-01-01'', ''{"window": 1}'')');
CALL refused('SELECT * FROM known, contact_counts(h, ''2026-01-01'', ''{"half_life_days": 0}'')');
CALL refused('SELECT fit_channel_model(''email'', NULL, 1, 2)');
CALL refused('SELECT fit_channel_model(''email'', NULL, -1, 0)');
CALL refused('SELECT fit_channel_model(''email'', NULL, ''NaN'', 0)');
CALL refused('SELECT fit_channel_model(''email'', NULL, 1, ''NaN'')');
CALL refused('SELECT fit_channel_model(''email'', NULL, ''Infinity'', 0)');
CALL refused('SELECT fit_channel_model(n::text, NULL, 1, 0) FROM generate_series(1, 1000000) AS n');
CALL refused('SELECT fit_channel_model(''email'', n::text, 1, 0) FROM generate_series(1, 1000000) AS n');
CALL refused('SELECT fit_channel_model(h, segment, date ''2026-01-01'' + customer) FROM known');
CALL refused('SELECT fit_channel_model(h, segment, NULL) FROM known');
CALL refused('SELECT fit_channel_model(h, segment, ''2026-01-01'', ''{"opens": 1}'') FROM known');
CALL refused('SELECT fit_channel_model(h, segment, ''2026-01-01'', NULL) FROM known');
CALL refused('SELECT ''\x7b7d''::channel_cells');
CALL refused('SELECT ''\x00''::channel_cells');
CALL refused('SELECT channel_score(m, ''email'', NULL, 1, 2) FROM model');
CALL refused('SELECT channel_score(m, ''email'', NULL, -1, -2) FROM model');
CALL refused('SELECT channel_score(m, ''email'', NULL, 1, 0, 0) FROM model');
CALL refused('SELECT channel_score(m, ''email'', NULL, 1, 0, ''NaN'') FROM model');
CALL refused('SELECT channel_score(''{}'', ''email'', NULL, 1, 0)');
CALL refused('SELECT channel_score(''[]'', ''email'', NULL, 1, 0)');
CALL refused('SELECT channel_score(''{"kind": "channel_model", "version": 1, "channels": [{}]}'', ''email'', NULL, 1, 0)');
CALL refused('SELECT channel_score(jsonb_set(m, ''{channels,0,parameters,alpha}'', ''-1''), ''email'', NULL, 1, 0) FROM model');
CALL refused('SELECT channel_score(jsonb_set(m, ''{channels,0,segments,0,parameters}'', ''null''), ''email'', NULL, 1, 0) FROM model');
CALL refused('SELECT channel_score(jsonb_set(m, ''{channels,1,channel}'', ''"email"''), ''email'', NULL, 1, 0) FROM model');
CALL refused('SELECT channel_score(m || ''{"more": 1}'', ''email'', NULL, 1, 0) FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''-infinity'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"by": "luck"}'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"level": 1}'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"margin": "much"}'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"pressure": [{"contacts": 1}]}'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"pressure": [{"contacts": -1, "days": 3}]}'') FROM model');
CALL refused('SELECT channel_code(m, NULL, NULL, NULL, ''2026-01-01'', ''{"consents": {}}'') FROM model');
CALL refused('SELECT engagement_score(interaction_history(''visit'', date ''2026-01-01''), ''2026-01-01'', ''{"half_life_days": -1}'')');
CALL refused('SELECT engagement_score(interaction_history(''visit'', date ''2026-01-01''), ''2026-01-01'', ''{"weights": {"visit": "x"}}'')');
-- Names with everything in them; shapes at the ends of what a model may hold.
SELECT (c ->> 'channel') = E'e"m\\a''il; --\n\u00e9' AS as_it_was, c ->> 'customers' AS customers FROM (SELECT fit_channel_model(E'e"m\\a''il; --\n\u00e9', E'"', 10, n % 3) AS m FROM generate_series(1, 50) AS n) AS t, jsonb_array_elements(m -> 'channels') AS c;
SELECT (channel_score('{"kind": "channel_model", "version": 1, "counting": {}, "channels": [{"channel": "email", "parameters": {"alpha": 1e-9, "beta": 1e12}}]}', 'email', NULL, n, y, l)).lower BETWEEN 0 AND 1 AS sane FROM (VALUES (0, 0, .1), (1e12, 1e12, .5), (1, 0, 1e-300), (1, 1, .999999999)) AS v (n, y, l);
DROP TABLE public.known, public.contact_rows, public.model, public.agreed;
-- Who unsubscribes or complains has to consent anew, in every way in which consent is asked.
SELECT answer, day, r.rank, r.reason, has_consent(c, 'email', day, NULL, h) AS may, has_consent(c, 'email', day) AS by_consents_alone, consents_on(c, day, h) AS on_day
FROM (SELECT fit_channel_model(k, 'all', '2026-06-30') AS m FROM (SELECT contact_history('email', date '2026-01-01' + g % 100, CASE WHEN g % 9 = 0 THEN 'click' END) AS k FROM generate_series(1, 900) AS g GROUP BY g % 90) AS s) AS f,
     (SELECT answer, contact_history('Email', date '2026-02-10', answer) AS h FROM (VALUES ('unsubscribe'), ('complaint'), ('bounce')) AS a (answer) GROUP BY answer) AS a,
     (SELECT consent_history('email', given, d) AS c FROM (VALUES (true, date '2026-01-01'), (true, '2026-03-01')) AS v (given, d)) AS c,
     unnest('{2026-02-09,2026-02-10,2026-02-28,2026-03-01}'::date[]) AS day,
     LATERAL (SELECT * FROM rank_channels(m, 'all', h, c, day) AS r WHERE r.channel = 'email') AS r
ORDER BY answer DESC, day;
