-- Sources as people have them: spellings of channels, orders of several days.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA had;

-- Email, EMAIL and " email" are one channel, in contacts, consents and settings.
CREATE TABLE had.contacts (customer_id bigint, channel text, sent_at date, response text);
INSERT INTO had.contacts
SELECT c, (ARRAY['Email', 'email', ' EMAIL ', 'SMS'])[1 + (c + n) % 4], date '2025-01-01' + (7 * n + c % 5)::int, CASE WHEN (c * 7 + n) % 6 = 0 THEN 'click' END
FROM generate_series(1, 300) AS c, generate_series(0, 19) AS n;
CREATE TABLE had.consents (customer_id bigint, channel text, granted boolean, changed_on date);
INSERT INTO had.consents SELECT c, CASE WHEN c % 2 = 0 THEN 'Email' ELSE 'email' END, true, date '2025-01-01' FROM generate_series(1, 300) AS c;
INSERT INTO had.consents VALUES (2, 'EMAIL', false, '2025-03-01');
SELECT create_workspace('chan');
SELECT add_source('chan', 'contacts', 'had.contacts') IS NOT NULL AS contacts, add_source('chan', 'consents', 'had.consents') IS NOT NULL AS consents;
SELECT configure_workspace('chan', '{"channel_costs": {"EMAIL": 0.01, " Sms": 0.08}, "channel_caps": {"Sms": {"contacts": 2, "days": 30}}}');
CALL refresh('chan', '2025-06-01');
SELECT channel, count(*), count(*) FILTER (WHERE eligible) AS eligible FROM chan.customer_channels GROUP BY 1 ORDER BY 1;
SELECT customer, channel_appetence FROM chan.customer_segments WHERE customer IN (1, 2) ORDER BY 1;
SELECT segmentation_internal.workspace_channel_options(jsonb_object_agg(name, value)) AS options FROM workspace_settings('chan');

-- An order is one order: over midnight, in two parcels, with a price put right later, sent back whole.
CREATE TABLE had.lines (customer_id bigint, order_id text, ordered_on date, product_id text, amount numeric);
INSERT INTO had.lines VALUES
  (1, 'midnight', '2025-01-31', 'a', 10), (1, 'midnight', '2025-02-01', 'b', 5),
  (2, 'parcels', '2025-02-01', 'a', 10), (2, 'parcels', '2025-02-09', 'b', 5),
  (3, 'corrected', '2025-02-01', 'a', 10), (3, 'corrected', '2025-02-20', 'a', -4),
  (4, 'sent back', '2025-02-01', 'a', 10), (4, 'sent back', '2025-02-20', 'a', -10),
  (5, NULL, '2025-02-01', 'a', 10), (5, NULL, '2025-02-20', 'a', 10),
  (6, 'one', '2025-02-01', 'a', 10), (6, 'two', '2025-02-01', 'a', 10);
SELECT create_workspace('ord');
SELECT add_source('ord', 'purchase_lines', 'had.lines') IS NOT NULL AS lines;
CALL refresh('ord', '2025-06-01');
SELECT f.customer, purchase_days(f.history, '2025-06-01') AS days, frequency(f.history, '2025-06-01') AS purchases, monetary(f.history, '2025-06-01') AS amount, first_purchase(f.history) AS first
FROM ord.customer_facts AS f ORDER BY 1;
SELECT drop_workspace('chan');
SELECT drop_workspace('ord');
DROP SCHEMA had CASCADE;

-- Keys are never rounded, and blanks are none.
CREATE SCHEMA keyed;
CREATE TABLE keyed.floats (customer_id double precision, ordered_on date, amount numeric);
INSERT INTO keyed.floats SELECT c, date '2025-01-01' + c, 10 FROM generate_series(1, 5) AS c;
SELECT create_workspace('keyed_floats'), add_source('keyed_floats', 'purchases', 'keyed.floats') IS NOT NULL AS added;
CALL refresh('keyed_floats', '2025-06-01');
INSERT INTO keyed.floats VALUES (1.5, '2025-01-07', 10);
CALL refresh('keyed_floats', '2025-06-02');
UPDATE keyed.floats SET customer_id = 9007199254740994 WHERE customer_id = 1.5;
CALL refresh('keyed_floats', '2025-06-02');
CREATE TABLE keyed.numbers (customer_id numeric, ordered_on date, amount numeric);
INSERT INTO keyed.numbers VALUES (9007199254740993, '2025-01-07', 10), (7.0, '2025-01-07', 10);
SELECT create_workspace('keyed_numbers'), add_source('keyed_numbers', 'purchases', 'keyed.numbers') IS NOT NULL AS added;
CALL refresh('keyed_numbers', '2025-06-01');
SELECT customer FROM keyed_numbers.customer_facts ORDER BY 1;
INSERT INTO keyed.numbers VALUES (2.4, '2025-01-07', 10);
CALL refresh('keyed_numbers', '2025-06-02');
CREATE TABLE keyed.reals (customer_id real, ordered_on date, amount numeric);
INSERT INTO keyed.reals VALUES (1234567, '2025-01-07', 10);
SELECT create_workspace('keyed_reals', 'numeric'), add_source('keyed_reals', 'purchases', 'keyed.reals') IS NOT NULL AS added;
CALL refresh('keyed_reals', '2025-06-01');
SELECT customer FROM keyed_reals.customer_facts;
CREATE TABLE keyed.texts (customer_id text, ordered_on date, amount numeric);
INSERT INTO keyed.texts VALUES ('a', '2025-01-07', 10), ('', '2025-01-07', 10), ('  ', '2025-01-08', 10), (NULL, '2025-01-07', 10), ('b', '2031-01-01', 5), ('a', '2031-01-01', 5);
SELECT create_workspace('keyed_texts', 'text'), add_source('keyed_texts', 'purchases', 'keyed.texts') IS NOT NULL AS added;
CALL refresh('keyed_texts', '2025-06-01');
CALL refresh_views('keyed_texts');
SELECT customer FROM keyed_texts.customer_facts ORDER BY 1;
-- Rows that are dated ahead make nothing younger.
SELECT measure, value FROM keyed_texts.bi_data_health WHERE measure IN ('days_since_last_purchase_of_all', 'with_purchases_after_as_of');

-- An offset is no time zone: PostgreSQL reads +02:00 as two hours west.
CALL refused('SELECT create_workspace(''zoned'', ''bigint'', ''+02:00'')');
CALL refused('SELECT add_source(''keyed_texts'', ''purchases'', ''keyed.texts'', time_zone => ''UTC+2'')');
CALL refused('SELECT purchase_history(timestamptz ''2025-01-01 23:30Z'', 1::numeric, ''-3'')');
CALL refused('SELECT purchase_history(timestamptz ''2025-01-01 23:30Z'', 1::numeric, ''<+02>-2'')');
CALL refused('SELECT purchase_history(timestamptz ''2025-01-01 23:30Z'', 1::numeric, ''Europe/Pariss'')');
SELECT z, last_purchase(purchase_history(timestamptz '2025-01-01 23:30Z', 1::numeric, z)) FROM unnest('{UTC,Europe/Paris,Etc/GMT-2,EST5EDT,CET,EST}'::text[]) AS z GROUP BY z ORDER BY z COLLATE "C";

-- Intervals in French, and what is filled in is no place.
SELECT i, segmentation_internal.workspace_interval_words(i, 'fr') AS fr, segmentation_internal.workspace_interval_words(i, 'en') AS en
FROM unnest('{12 weeks,1 week,3 mons,1 mon,90 days,1 day,1 year 2 mons,2 years,P3M,P2W,36:00:00,21 days,none}'::text[]) AS i;
SELECT n, segmentation_internal.workspace_number_words(n, 'fr') AS fr, segmentation_internal.workspace_number_words(n, 'en') AS en FROM unnest('{523342.07,1985,10000,-1234567.5,0.5,1e9,NaN}'::text[]) AS n;
SELECT segmentation_internal.workspace_say('changes', '{"changes_on": "2025-12-31"}', l) AS day, segmentation_internal.workspace_say('product_appetence', '{"product_name": "2025-12-31 {reason_fr}", "reason": "a", "reason_fr": "b"}', l) AS name, segmentation_internal.workspace_say('log.codes', '{"rows": 1}', l) AS one FROM unnest('{en,fr}'::text[]) AS l;
SELECT segmentation_internal.workspace_say('product_appetence', '{"product_name": "{percent} {x}", "percent": 5}', 'en') AS said;
SELECT drop_workspace(w) FROM unnest('{keyed_floats,keyed_numbers,keyed_reals,keyed_texts}'::text[]) AS w;
DROP SCHEMA keyed CASCADE;

-- Nothing vanishes: rows read, used, left out for a reason, to the penny; a wrong row is named, or skipped and counted.
CREATE SCHEMA read;
CREATE TABLE read.orders (customer_id bigint, ordered_on timestamp, amount double precision);
INSERT INTO read.orders SELECT c, date '2025-01-01' + 10 * n + c % 7, 10.25 * (1 + c % 3) FROM generate_series(1, 150) AS c, generate_series(0, 5) AS n;
INSERT INTO read.orders SELECT NULL, date '2025-02-01' + n, 99.99 FROM generate_series(1, 40) AS n;
INSERT INTO read.orders VALUES (1, NULL, 5), (2, '2025-02-01', NULL), (3, '2031-01-01', 7), (4, '2025-03-01', -3.5);
CREATE TABLE read.contacts (customer_id bigint, channel text, sent_at timestamptz, response text);
INSERT INTO read.contacts SELECT c, 'email', '2025-02-01'::date + c % 30, CASE WHEN c % 4 = 0 THEN 'click' END FROM generate_series(1, 150) AS c;
INSERT INTO read.contacts VALUES (5, ' ', '2025-02-01', NULL), (5, NULL, '2025-02-01', NULL);
SELECT create_workspace('reads'), configure_workspace('reads', '{"source_silence": "off"}'), add_source('reads', 'purchases', 'read.orders') IS NOT NULL AS orders, add_source('reads', 'contacts', 'read.contacts') IS NOT NULL AS contacts;
CALL refresh('reads', '2025-03-10');
SELECT s.kind, r.reason, r.rows, r.turnover FROM reads.source_reading AS r JOIN reads.source AS s USING (source) ORDER BY 1, 2;
SELECT (SELECT sum(amount)::numeric FROM read.orders) AS source, sum(turnover) AS parts, sum(turnover) FILTER (WHERE reason = 'used') AS used,
  (SELECT sum(monetary(history, '2025-03-10')) FROM reads.customer_facts) AS facts
FROM reads.source_reading AS r JOIN reads.source AS s USING (source) WHERE s.kind = 'purchases';
SELECT item, detail FROM workspace_check('reads') WHERE item ~ '^source';
SELECT configure_workspace('reads', '{"language": "fr"}');
SELECT regexp_replace(detail, '^.*lignes', 'lignes') FROM workspace_check('reads') WHERE item ~ '^source';
SELECT phase, detail FROM reads.refresh_log WHERE phase = 'facts';
CALL refresh_views('reads');
SELECT measure, value, round(share::numeric, 4) AS share FROM reads.bi_data_health WHERE measure ~ '^rows' ORDER BY 1;
INSERT INTO read.orders VALUES (17, '2025-03-01', 'NaN');
CALL refresh('reads', '2025-03-11');
UPDATE read.orders SET amount = 1e16 WHERE amount = 'NaN';
CALL refresh('reads', '2025-03-11');
UPDATE read.orders SET amount = 5, ordered_on = 'infinity' WHERE amount = 1e16;
CALL refresh('reads', '2025-03-11');
INSERT INTO read.contacts VALUES (18, repeat('x', 201), '2025-02-01', NULL), (19, 'email', '2025-02-01', 'opened');
CALL refresh('reads', '2025-03-11');
DELETE FROM read.orders WHERE ordered_on = 'infinity';
CALL refresh('reads', '2025-03-11');
SELECT configure_workspace('reads', '{"bad_rows": "skip"}');
INSERT INTO read.orders VALUES (17, '2025-03-01', 'NaN'), (17, '2025-03-01', 'infinity'), (17, 'infinity', 5), (17, '2025-03-01', 1e16);
CALL refresh('reads', '2025-03-11');
SELECT s.kind, r.reason, r.rows FROM reads.source_reading AS r JOIN reads.source AS s USING (source) WHERE r.reason <> 'used' ORDER BY 1, 2;
-- One customer at a time the same.
SELECT start_capture('reads', 'purchases', 'read.orders');
CALL refresh('reads', '2025-03-12', false);
INSERT INTO read.orders VALUES (17, '2025-03-02', 'NaN'), (17, '2025-03-02', 8);
CALL refresh_changed('reads', '2025-03-12');
SELECT monetary(history, '2025-03-12') FROM reads.customer_facts WHERE customer = 17;
SELECT (SELECT sum(amount) FROM read.orders WHERE customer_id = 17 AND isfinite(ordered_on) AND amount < 1e15) AS by_hand;
SELECT remove_source('reads', 'contacts', 'read.contacts');
SELECT count(DISTINCT source) FROM reads.source_reading;
SELECT drop_workspace('reads');
DROP SCHEMA read CASCADE;

-- Where the settings say that everybody may be contacted, reach, definitions and previews go by it; who unsubscribed may not.
CREATE SCHEMA assumed;
CREATE TABLE assumed.contacts AS SELECT c AS customer_id, 'email' AS channel, date '2025-01-01' + c % 60 AS sent_at, CASE WHEN c % 5 = 0 THEN 'click' WHEN c = 7 THEN 'unsubscribe' END AS response
FROM generate_series(1, 200) AS c;
CREATE TABLE assumed.orders AS SELECT c AS customer_id, date '2025-01-01' + c % 60 + 30 * n AS ordered_on, 10 AS amount FROM generate_series(1, 200) AS c, generate_series(0, 2) AS n;
SELECT create_workspace('may'), configure_workspace('may', '{"source_silence": "off", "channel_assumes_consent": true}'), add_source('may', 'contacts', 'assumed.contacts') IS NOT NULL AS contacts, add_source('may', 'purchases', 'assumed.orders') IS NOT NULL AS orders;
SELECT register_segment('may', 'mailable', '{"kind": "rules", "segments": [{"segment": "yes", "when": {"field": "consents", "contains": "email"}}]}');
CALL refresh('may', '2025-05-01');
CALL refresh_views('may');
SELECT sum(reachable), sum(customers) FROM may.bi_reach WHERE axis = 'rfm';
SELECT segments, count(*) FROM may.customer_segments GROUP BY 1 ORDER BY 2;
SELECT code, customers, reachable FROM workspace_segment_preview('may', '{"kind": "rules", "segments": [{"segment": "yes", "when": {"field": "consents", "contains": "email"}}]}');
SELECT explanation FROM explain('may', '8', 'segment:mailable');
-- A source of consents is believed.
CREATE TABLE assumed.consents (customer_id integer, channel text, granted boolean, changed_on date);
INSERT INTO assumed.consents VALUES (1, 'email', true, '2025-01-01');
SELECT add_source('may', 'consents', 'assumed.consents') IS NOT NULL AS consents;
CALL refresh('may', '2025-05-02', true);
CALL refresh_views('may');
SELECT sum(reachable) FROM may.bi_reach WHERE axis = 'rfm';
SELECT segments, count(*) FROM may.customer_segments GROUP BY 1 ORDER BY 2;
SELECT drop_workspace('may');
DROP SCHEMA assumed CASCADE;
