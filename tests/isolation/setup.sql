-- A small shop, its workspace, and what the specs ask of it. Each spec begins with SELECT make_shop().
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION segmentation;
-- Eight customers in seven parts of the queue, the last without a purchase. The day is 2025-06-30.
CREATE FUNCTION make_shop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE TABLE orders (customer_id bigint NOT NULL, ordered_on date NOT NULL, amount numeric NOT NULL);
  CREATE TABLE customers (customer_id bigint PRIMARY KEY, city text);
  INSERT INTO customers SELECT c, 'Lyon' FROM generate_series(1, 8) AS c;
  INSERT INTO orders SELECT c, date '2025-01-01' + (c * 20)::integer, 10 * c FROM generate_series(1, 7) AS c;
  PERFORM segmentation.create_workspace('live', 'bigint', 'Europe/Paris');
  PERFORM segmentation.configure_workspace('live', '{"minimum_buyers": 1, "source_silence": "off"}');
  PERFORM segmentation.add_source('live', 'purchases', 'orders'), segmentation.add_source('live', 'customers', 'customers');
END
$$;
CREATE FUNCTION capture_shop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.start_capture('live', 'purchases', 'orders'), segmentation.start_capture('live', 'customers', 'customers');
END
$$;
CREATE FUNCTION drop_shop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.drop_workspace('live');
  DROP TABLE orders, customers;
END
$$;
-- What is published: customers with their turnover, and who is queued.
CREATE FUNCTION turnovers() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT string_agg(format('%s:%s', f.customer, coalesce(segmentation.turnover(f.history, '2024-12-31', '2025-12-31'), 0)), ' ' ORDER BY f.customer) FROM live.customer_facts AS f);
END
$$;
CREATE FUNCTION queued() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(string_agg(coalesce(q.customer::text, 'all'), ' ' ORDER BY q.change), 'nobody') FROM live.queue AS q);
END
$$;
-- A brace ends a step of a spec: definitions are made here.
CREATE FUNCTION define_size(big integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.register_segment('live', 'size', jsonb_build_object('kind', 'rules', 'default', 'small', 'segments',
    jsonb_build_array(jsonb_build_object('segment', 'big', 'when', jsonb_build_object('field', 'monetary', '>=', big)))));
END
$$;
CREATE FUNCTION define_here() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.register_segment('live', 'here', '{"kind": "rules", "default": "no", "segments": [{"segment": "yes", "when": {"field": "city", "=": "Lyon"}}]}');
END
$$;
-- A destination that is told of everybody; specs cannot hold a definition, which has braces.
CREATE FUNCTION make_destination(destination text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM segmentation.add_destination('live', destination, 'csv', '{"audience": "all", "channel": null,
    "key": {"field": "customer", "as": "id"}, "fields": [{"field": "rfm", "as": "rfm"}]}');
END
$$;
