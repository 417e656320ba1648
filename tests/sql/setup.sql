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
    RAISE INFO '%', concat_ws(E'\n  ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
    RETURN;
  END;
  RAISE INFO 'NOT REFUSED  <<<';
END
$$;
