-- The extension, the data that the other files use, and a user without rights of their own.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION segmentation;
\getenv abs_srcdir PG_ABS_SRCDIR
CREATE TABLE cdnow (customer_id integer, purchased_on date, quantity integer, amount numeric(10,2));
\set file :abs_srcdir '/data/cdnow_sample.csv'
COPY cdnow FROM :'file' (FORMAT csv, HEADER);
CREATE TABLE rfm_orders (cid integer, order_date date, revenue integer);
\set file :abs_srcdir '/data/rfm_orders.csv'
COPY rfm_orders FROM :'file' (FORMAT csv, HEADER);
CREATE TABLE rfm_customers AS
  SELECT cid, date '2006-12-31' - max(order_date) AS recency, count(*) AS frequency, sum(revenue) AS monetary
  FROM rfm_orders GROUP BY cid;
ANALYZE;
GRANT SELECT ON cdnow, rfm_orders, rfm_customers TO PUBLIC;
SELECT extversion FROM pg_extension WHERE extname = 'segmentation';
