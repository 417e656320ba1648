-- A refresh shares its scoring among workers: every staged query has a plan in which they do what is computed of a
-- customer, and the result is that of one process. Publication writes what differs, and only that.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
SELECT count(*) > 0 AS simulated FROM simulate_shop('busy', 1500, 7);
SELECT create_workspace('crm', 'integer');
SELECT count(add_source('crm', s.kind, ('busy.' || s.relation)::regclass)) AS sources
FROM (VALUES ('purchases', 'orders'), ('purchase_lines', 'order_lines'), ('customers', 'customers'), ('contacts', 'contacts'),
  ('interactions', 'interactions'), ('consents', 'consents'), ('attribute_history', 'attribute_history'),
  ('products', 'products'), ('subscriptions', 'subscriptions')) AS s (kind, relation);
SELECT configure_workspace('crm', '{"moment_categories": {"birth": ["baby"], "holiday_ahead": ["travel"]}}');
SET max_parallel_workers_per_gather = 0;
CALL refresh('crm', '2025-11-30');
SELECT count(*) > 1000 AS customers, count(DISTINCT rfm) > 5 AS segments FROM crm.customer_segments;

-- What one process says.
CREATE SCHEMA alone;
CREATE TABLE alone.customer_segments AS SELECT * FROM crm.customer_segments;
CREATE TABLE alone.customer_products AS SELECT * FROM crm.customer_products;
CREATE TABLE alone.customer_channels AS SELECT * FROM crm.customer_channels;
CREATE TABLE alone.life_moments AS SELECT * FROM crm.life_moments;
CREATE TABLE alone.customer_scores AS SELECT * FROM crm.customer_scores;
CREATE FUNCTION alone.differ(relation text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((SELECT a::text FROM crm.%1$I AS a EXCEPT ALL SELECT b::text FROM alone.%1$I AS b) UNION ALL (SELECT b::text FROM alone.%1$I AS b EXCEPT ALL SELECT a::text FROM crm.%1$I AS a)) AS d', relation) INTO n;
  RETURN n;
END
$$;

-- The plans, by the planner's own costs, over the facts of a refresh.
SET max_parallel_workers_per_gather = 2;
SELECT rows > 1000 AS facts FROM segmentation_internal.workspace_phase('crm', 'facts', '2025-11-30', true, 1);
SELECT rows > 1000 AS scores FROM segmentation_internal.workspace_phase('crm', 'score', '2025-11-30', true, 1);
-- What has many rows a customer comes from unnest, above the Gather, of an array that workers have made.
CREATE FUNCTION alone.shared(query text, given segmentation.product_affinity DEFAULT NULL, options jsonb DEFAULT NULL)
RETURNS TABLE (plan text, next text, workers integer) LANGUAGE plpgsql AS $$
DECLARE
  explained jsonb;
BEGIN
  IF query ~ '\$2' THEN
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) ' || query INTO explained USING given, options;
  ELSE
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) ' || query INTO explained;
  END IF;
  plan := explained #>> '{0,Plan,Node Type}';
  next := explained #>> '{0,Plan,Plans,0,Node Type}';
  workers := jsonb_path_query_first(explained, 'lax $.**."Workers Planned"')::integer;
  RETURN NEXT;
END
$$;
SELECT q.name, s.*
FROM (
  SELECT 1 AS place, 'scores' AS name, segmentation_internal.workspace_score_sql('crm.stage_facts', segmentation_internal.workspace_constants('crm', 1, '2025-11-30'), true) AS query
  UNION ALL SELECT 2, 'codes', segmentation_internal.workspace_stage_codes_sql('crm', 'stage_', 1, '2025-11-30')
  UNION ALL SELECT 3, 'products', segmentation_internal.workspace_products_sql('crm', 'stage_', 5, '2025-11-30')
  UNION ALL SELECT 4, 'channels', c.channels FROM segmentation_internal.workspace_channels_sql('crm', 'stage_', 1, '2025-11-30') AS c
  UNION ALL SELECT 5, 'channel changes', c.channel_changes FROM segmentation_internal.workspace_channels_sql('crm', 'stage_', 1, '2025-11-30') AS c
  UNION ALL SELECT 6, 'moments', segmentation_internal.workspace_moments_sql('crm', 'stage_', 1, '2025-11-30')) AS q
CROSS JOIN crm.parameter_set AS g
CROSS JOIN LATERAL alone.shared(q.query, g.product_model, '{}') AS s
ORDER BY q.place;
-- Nothing moved, nothing is written: rows stay where they are.
CREATE TABLE alone.places AS SELECT 'segments' AS name, ctid AS place, customer::text AS key FROM crm.customer_segments
  UNION ALL SELECT 'facts', ctid, customer::text FROM crm.customer_facts UNION ALL SELECT 'products', ctid, customer || ' ' || place FROM crm.customer_products
  UNION ALL SELECT 'channels', ctid, customer || channel FROM crm.customer_channels UNION ALL SELECT 'moments', ctid, concat(customer, moment, begins) FROM crm.life_moments;
SELECT rows AS moved FROM segmentation_internal.workspace_phase('crm', 'publish', '2025-11-30', true, 1);
SELECT p.name, count(*) FILTER (WHERE n.place IS DISTINCT FROM p.place) AS rewritten
FROM alone.places AS p
LEFT JOIN (SELECT 'segments' AS name, ctid AS place, customer::text AS key FROM crm.customer_segments
  UNION ALL SELECT 'facts', ctid, customer::text FROM crm.customer_facts UNION ALL SELECT 'products', ctid, customer || ' ' || place FROM crm.customer_products
  UNION ALL SELECT 'channels', ctid, customer || channel FROM crm.customer_channels UNION ALL SELECT 'moments', ctid, concat(customer, moment, begins) FROM crm.life_moments) AS n
  USING (name, key)
GROUP BY 1 ORDER BY 1;
SELECT r.relation, alone.differ(r.relation) AS differ FROM unnest('{customer_segments,customer_products,customer_channels,life_moments,customer_scores}'::text[]) AS r (relation);

-- By workers from the beginning, in a refresh that trains too.
SELECT drop_workspace('crm');
SELECT create_workspace('crm', 'integer');
SELECT count(add_source('crm', s.kind, ('busy.' || s.relation)::regclass)) AS sources
FROM (VALUES ('purchases', 'orders'), ('purchase_lines', 'order_lines'), ('customers', 'customers'), ('contacts', 'contacts'),
  ('interactions', 'interactions'), ('consents', 'consents'), ('attribute_history', 'attribute_history'),
  ('products', 'products'), ('subscriptions', 'subscriptions')) AS s (kind, relation);
SELECT configure_workspace('crm', '{"moment_categories": {"birth": ["baby"], "holiday_ahead": ["travel"]}}');
CALL refresh('crm', '2025-11-30');
SELECT r.relation, alone.differ(r.relation) AS differ FROM unnest('{customer_segments,customer_products,customer_channels,life_moments,customer_scores}'::text[]) AS r (relation);

-- Some are gone, some are new, some are others: what is published is what a first publication has.
DELETE FROM busy.orders WHERE customer_id % 10 = 3; DELETE FROM busy.order_lines WHERE customer_id % 10 = 3;
DELETE FROM busy.customers WHERE customer_id % 10 = 3; DELETE FROM busy.contacts WHERE customer_id % 10 = 3;
DELETE FROM busy.interactions WHERE customer_id % 10 = 3; DELETE FROM busy.consents WHERE customer_id % 10 = 3;
DELETE FROM busy.attribute_history WHERE customer_id % 10 = 3; DELETE FROM busy.subscriptions WHERE customer_id % 10 = 3;
UPDATE busy.orders SET amount = 2 * amount WHERE customer_id % 10 = 4;
UPDATE busy.order_lines SET customer_id = customer_id + 100000 WHERE customer_id % 100 = 5;
CALL refresh('crm', '2025-11-30', false);
TRUNCATE alone.customer_segments, alone.customer_products, alone.customer_channels, alone.life_moments, alone.customer_scores;
INSERT INTO alone.customer_segments SELECT * FROM crm.customer_segments; INSERT INTO alone.customer_products SELECT * FROM crm.customer_products;
INSERT INTO alone.customer_channels SELECT * FROM crm.customer_channels; INSERT INTO alone.life_moments SELECT * FROM crm.life_moments;
SELECT count(*) FILTER (WHERE customer % 10 = 3) AS gone, count(*) FILTER (WHERE customer > 100000) > 5 AS fresh FROM crm.customer_segments;
DELETE FROM crm.customer_segments; DELETE FROM crm.customer_products; DELETE FROM crm.customer_channels; DELETE FROM crm.life_moments; DELETE FROM crm.customer_facts;
CALL refresh('crm', '2025-11-30', false);
SELECT r.relation, alone.differ(r.relation) AS differ FROM unnest('{customer_products,customer_channels,life_moments}'::text[]) AS r (relation);
SELECT count(*) FILTER (WHERE to_jsonb(a) - 'since' <> to_jsonb(b) - 'since' OR a.customer IS NULL OR b.customer IS NULL) AS differ
FROM crm.customer_segments AS a FULL JOIN alone.customer_segments AS b USING (customer);
SELECT drop_workspace('crm');
DROP SCHEMA alone, busy CASCADE;
