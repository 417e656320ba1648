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
-- Customers who stay silent, for codes that time alone moves.
CREATE TABLE silent AS
  SELECT customer_id, segmentation.purchase_history(purchased_on, amount) AS history FROM cdnow GROUP BY customer_id;
-- Refunds, so that a turnover can rise by time alone: two thirds of a customer's turnover, 100 days after the last purchase.
INSERT INTO silent
  SELECT 10000 + customer_id, segmentation.purchase_history(day, amount)
  FROM silent, LATERAL (SELECT purchased_on AS day, amount FROM cdnow WHERE cdnow.customer_id = silent.customer_id
                        UNION ALL SELECT segmentation.last_purchase(history) + 100, -segmentation.turnover(history) / 3 * 2) AS rows
  WHERE customer_id <= 30 AND segmentation.turnover(history) > 0 GROUP BY customer_id;
INSERT INTO silent VALUES (0, '{}');
ANALYZE;
GRANT SELECT ON cdnow, rfm_orders, rfm_customers TO PUBLIC;
SELECT extversion FROM pg_extension WHERE extname = 'segmentation';
-- The time that this backend has had of a processor; where the system does not say, the clock. A busy machine makes
-- everybody wait, a fault makes the backend work.
CREATE FUNCTION worked() RETURNS interval LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(
    split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::double precision / 1e6 * interval '1 millisecond',
    clock_timestamp() - to_timestamp(0))
$$;
-- The statement is given some time (set before it), and the error has to come within one second of work more.
CREATE PROCEDURE cancelled(query text) LANGUAGE plpgsql AS $$
DECLARE
  before interval := worked();
BEGIN
  EXECUTE query;
  RAISE INFO 'NOT LONG ENOUGH  <<< %', worked() - before;
EXCEPTION WHEN query_canceled THEN
  RAISE INFO '% within a second: %', SQLSTATE,
    worked() - before < current_setting('statement_timeout')::interval + interval '1 second';
END
$$;
-- Runs what must fail and shows how. An internal error, or Rust's own words, is a fault of ours.
CREATE PROCEDURE refused(query text) LANGUAGE plpgsql AS $$
DECLARE
  state text; message text; detail text; hint text;
BEGIN
  BEGIN
    EXECUTE query;
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
      detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    IF state ~ '^XX' OR message || detail ~* 'panic|unwrap|index out of|slice index|with overflow|\.rs\y|\y(struct|enum|variant|[iuf](16|32|64)|usize)\y' THEN
      message := message || '  <<< INTERNAL ERROR, OR RUST''S WORDS';
    END IF;
    -- PostgreSQL 17 has a right to refresh what is another's.
    message := regexp_replace(message, '^must be owner of materialized view', 'permission denied for materialized view');
    RAISE INFO '%', concat_ws(E'\n  ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
    RETURN;
  END;
  RAISE INFO 'NOT REFUSED  <<<';
END
$$;
