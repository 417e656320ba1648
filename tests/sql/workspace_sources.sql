-- Sources as people have them: spellings of channels, orders of several days.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
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
