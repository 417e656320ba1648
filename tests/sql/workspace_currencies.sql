-- Amounts in several currencies, and in cents.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA cur;
CREATE TABLE cur.orders (order_id integer, customer_id integer, ordered_on date, amount numeric, currency text);
INSERT INTO cur.orders VALUES
  (1, 1, '2025-01-10', 100, 'EUR'), (2, 1, '2025-01-11', 100, NULL), (3, 1, '2025-01-12', 100, ''), (4, 1, '2025-01-13', 100, ' usd '),
  (5, 2, '2025-02-01', 10, 'USD'), (6, 2, '2025-02-02', 10, 'USD'), (7, 2, '2025-02-03', 33.335, 'USD'),
  (8, 3, '2025-02-01', 1000, 'JPY'), (9, 3, '2025-03-01', 5, 'GBP'),
  -- Sent back at another rate: no purchase all the same, and the difference stays.
  (10, 4, '2025-01-15', 50, 'USD'), (10, 4, '2025-02-15', -50, 'USD'), (11, 4, '2025-01-20', 50, 'USD'), (11, 4, '2025-01-20', -50, 'USD');
SELECT create_workspace('world'), configure_workspace('world', '{"source_silence": "off"}'), add_source('world', 'purchases', 'cur.orders');
-- Without rates it is refused, with the list.
CALL refresh('world', '2025-03-31');
INSERT INTO world.currency_rate VALUES ('USD', '2025-01-01', 0.9), ('USD', '2025-02-02', 0.92345), ('JPY', '2025-01-01', 0.0061), ('GBP', '2025-03-02', 1.2);
CALL refresh('world', '2025-03-31');
CALL refused('INSERT INTO world.currency_rate VALUES (''usd'', ''2025-01-01'', 1)');
CALL refused('INSERT INTO world.currency_rate VALUES (''CHF'', ''2025-01-01'', 0)');
CALL refused('INSERT INTO world.currency_rate VALUES (''CHF'', ''2025-01-01'', ''NaN'')');
-- Or such rows are left out, and counted.
SELECT configure_workspace('world', '{"bad_rows": "skip"}');
CALL refresh('world', '2025-03-31');
SELECT customer, history FROM world.customer_facts ORDER BY 1;
SELECT reason, label('row_reason', reason, 'fr') AS label, rows, turnover FROM world.source_reading ORDER BY 1;
SELECT item, detail FROM workspace_check('world') WHERE item ~ '^source';
-- By hand: the rate of the last day at or before, four decimals, half away from zero.
SELECT 33.335 * 0.92345 AS exact, round(33.335 * 0.92345, 4) AS rounded,
  (SELECT sum(monetary(history, '2025-03-31')) FROM world.customer_facts) = 300 + 90 + 9 + round(10 * 0.92345, 4) + round(33.335 * 0.92345, 4) + round(1000 * 0.0061, 4) + round(50 * 0.9, 4) - round(50 * 0.92345, 4) AS as_by_hand;
-- A changed rate is seen by capture, and everybody is read anew.
UPDATE world.currency_rate SET valid_from = '2025-03-01' WHERE currency = 'GBP';
SELECT configure_workspace('world', '{"bad_rows": "refuse"}');
SELECT start_capture('world', 'purchases', 'cur.orders');
CALL refresh('world', '2025-03-31', false);
SELECT misses ~ 'reads everybody' AS unsettled FROM capture_status('world');
UPDATE world.currency_rate SET rate = 1.25 WHERE currency = 'GBP';
SELECT misses ~ 'reads everybody' AS unsettled FROM capture_status('world');
CALL refresh_changed('world', '2025-03-31');
SELECT history FROM world.customer_facts WHERE customer = 3;
SELECT misses ~ 'reads everybody' AS unsettled FROM capture_status('world');
-- So is another currency of the workspace.
SELECT configure_workspace('world', '{"currency": "USD"}');
INSERT INTO world.currency_rate VALUES ('EUR', '2025-01-01', 1.1), ('CHF', '2025-01-01', 1);
UPDATE world.currency_rate SET rate = rate * 2 WHERE currency IN ('JPY', 'GBP');
CALL refresh_changed('world', '2025-03-31');
SELECT customer, history FROM world.customer_facts ORDER BY 1;
CREATE TABLE cur.changed AS SELECT customer, history FROM world.customer_facts;
CALL refresh('world', '2025-03-31', false);
SELECT count(*) AS others FROM cur.changed AS c FULL JOIN world.customer_facts AS f USING (customer) WHERE c.history::text IS DISTINCT FROM f.history::text;
-- A rate that is missing later is named with its row.
INSERT INTO cur.orders VALUES (20, 5, '2024-12-31', 5, 'CHF');
CALL refresh_changed('world', '2025-03-31');
CALL refresh('world', '2025-03-31', false);
SELECT drop_workspace('world');

-- In cents, of yen as they are; lines, prices and floats too.
CREATE TABLE cur.charges (customer_id integer, order_id text, product_id text, ordered_on date, amount bigint, currency text);
INSERT INTO cur.charges VALUES (1, 'a', 'p', '2025-01-10', 1999, 'EUR'), (1, 'b', 'p', '2025-01-11', 1999, 'JPY'), (1, 'c', 'p', '2025-01-12', 1999, 'KWD'), (1, 'd', 'p', '2025-01-13', -1, NULL);
SELECT create_workspace('cents'), configure_workspace('cents', '{"source_silence": "off", "minor_units": true}'), add_source('cents', 'purchase_lines', 'cur.charges');
INSERT INTO cents.currency_rate VALUES ('JPY', '2025-01-01', 0.0061), ('KWD', '2025-01-01', 3);
CALL refresh('cents', '2025-03-31');
SELECT history, items FROM cents.customer_facts;
SELECT reason, rows, turnover FROM cents.source_reading;
CREATE TABLE cur.contracts (customer_id integer, started_on date, price integer, plan text);
INSERT INTO cur.contracts VALUES (1, '2025-01-01', 4990, 'x');
CREATE TABLE cur.floats (customer_id integer, ordered_on date, amount double precision);
INSERT INTO cur.floats VALUES (1, '2025-01-01', 1999), (1, '2025-01-02', 0.5);
SELECT create_workspace('more_cents'), configure_workspace('more_cents', '{"source_silence": "off", "minor_units": true, "currency": "jpy"}'), add_source('more_cents', 'purchases', 'cur.floats'), add_source('more_cents', 'subscriptions', 'cur.contracts');
CALL refresh('more_cents', '2025-03-31');
SELECT history, subscriptions FROM more_cents.customer_facts;
SELECT configure_workspace('more_cents', '{"currency": "EUR"}');
CALL refresh('more_cents', '2025-03-31');
SELECT history, subscriptions FROM more_cents.customer_facts;
SELECT drop_workspace(w) FROM unnest('{cents,more_cents}'::text[]) AS w;
DROP SCHEMA cur CASCADE;
