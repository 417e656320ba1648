-- Product appetence: item histories, the fit, offers, the back-test, association rules.
SET search_path = segmentation, public;
SET datestyle = ISO;
\getenv abs_srcdir PG_ABS_SRCDIR

-- Item histories: items of any type as text, returns, NULLs, text form, merge, until.
SELECT item_history(item, day::date) AS h FROM (VALUES ('b', '2024-01-03'), ('a', '2024-01-01'), ('b', '2024-01-01'), (NULL, '2024-01-01'), ('c', NULL)) AS v (item, day);
SELECT item_history(item::text, day::date, quantity, amount) AS h
FROM (VALUES (7, '2024-01-03', 2, 9.98), (7, '2024-01-03', -1, -4.99), (7, '2024-02-03', 0.5, 2.495), (8, '2024-01-03', -1, -1)) AS v (item, day, quantity, amount);
CREATE TEMP TABLE h AS SELECT item_history(item::text, day::date, quantity, amount) AS h
FROM (VALUES (7, '2024-01-03', 2.0, 9.98), (7, '2024-01-03', -1, -4.99), (7, '2024-02-03', 0.5, 2.495), (8, '2024-01-03', -1, -1)) AS v (item, day, quantity, amount);
SELECT i.* FROM h, items(h) AS i;
SELECT d.* FROM h, item_days(h) AS d;
SELECT h::jsonb AS json, item_count(h) AS items, item_count(until(h, '2023-12-31')) AS none, until(h, '2024-01-31') AS january FROM h;
SELECT h::text::item_history = h AS text_round, h::bytea = segmentation_internal.item_history_send(h) AS bytes, pg_column_size(h) AS size FROM h;
SELECT merge(m) = (SELECT h FROM h) AS merged FROM (VALUES ('[["8","2024-01-03",0,"-1","-1"],["7","2024-01-03",1,"1","4.99"]]'::item_history), ('[["7","2024-02-03",1,"0.5","2.495"]]'), (NULL)) AS v (m);
SELECT item_history(x, d) AS nobody FROM (SELECT NULL::text AS x, NULL::date AS d WHERE false) AS t;
CALL refused('SELECT item_history(''a'', ''infinity'')');
CALL refused('SELECT item_history(repeat(''a'', 1001), ''2024-01-01'')');
CALL refused('SELECT item_history(''a'', ''2024-01-01'', ''NaN''::numeric, 1)');
CALL refused('SELECT item_history(''a'', ''2024-01-01'', 1, ''NaN''::float8)');
CALL refused('SELECT item_history(''a'', ''2024-01-01'', ''Infinity''::float8, 1)');
CALL refused('SELECT ''[["a","2024-13-01",1,"1","1"]]''::item_history');
CALL refused('SELECT ''nothing''::item_history');

-- Cosine neighbours as implicit 0.7.3 recorded them: all pairs, to 6 digits (the model keeps four bytes).
CREATE TEMP TABLE lines (customer_id int, item text);
\set file :abs_srcdir '/data/implicit_lines.csv'
COPY lines FROM :'file' (FORMAT csv, HEADER);
CREATE TEMP TABLE recorded (item text, neighbour text, cosine float8);
\set file :abs_srcdir '/data/implicit_cosine.csv'
COPY recorded FROM :'file' (FORMAT csv, HEADER);
CREATE TEMP TABLE small AS SELECT fit_product_affinity(h, '2024-01-31', '{"min_customers": 1}') AS model
FROM (SELECT item_history(item, date '2024-01-01') AS h FROM lines GROUP BY customer_id) AS t;
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(r.cosine - n.weight) < 1e-6) AS same
FROM recorded AS r FULL JOIN (SELECT n.* FROM small, product_neighbours(model, 'cosine', 100) AS n) AS n USING (item, neighbour);

-- A simulated shop with two tastes.
CREATE TABLE baskets AS
SELECT c AS customer_id, date '2024-01-01' + week * 7 + c % 7 AS day,
       array_remove(ARRAY[
         CASE WHEN (c * 7 + week * 5) % 9 <> 0 THEN CASE WHEN c % 2 = 0 THEN 'milk' ELSE 'beer' END END,
         CASE WHEN (week + c) % 3 = 0 THEN 'water' END,
         CASE WHEN c % 5 <> 0 AND week >= c % 31 AND (week * 3 + c) % 4 <> 0 THEN CASE WHEN c % 2 = 0 THEN 'bread' ELSE 'crisps' END END], NULL) AS items
FROM generate_series(0, 239) AS c, generate_series(0, 27) AS week;
CREATE TABLE shoppers AS
SELECT customer_id, CASE WHEN customer_id % 2 = 0 THEN 'day' ELSE 'night' END AS segment, item_history(item, day, 1.0, 2.5) AS history
FROM baskets, unnest(items) AS item GROUP BY customer_id;
CREATE TABLE affinity AS SELECT fit_product_affinity(history, '2024-07-15', segment, '{}') AS model FROM shoppers;
SELECT model::jsonb - 'blend' AS model FROM affinity;
SELECT item, customers, round(repeat_share::numeric, 3) AS repeat_share, round(popularity::numeric, 3) AS popularity, round(gap::numeric, 1) AS gap, price FROM affinity, product_facts(model);
SELECT item, rank, neighbour, round(weight::numeric, 3) AS weight FROM affinity, product_neighbours(model, 'ease', 1);
SELECT count(*) AS bm25 FROM affinity, product_neighbours(model, 'bm25', 2);
-- Who gets what.
SELECT customer_id, t.rank, t.item, round(t.score::numeric, 3) AS score, round(t.probability::numeric, 3) AS probability, t.source, t.reason, t.reason_fr, t.next_due
FROM affinity, shoppers, top_products(model, history, '2024-07-15', 4) AS t WHERE customer_id IN (0, 1, 5) ORDER BY 1, 2;
-- The cold, by segment; the same numbers for one product.
SELECT segment, t.rank, t.item, t.source, t.reason, t.reason_fr FROM affinity, (VALUES ('day'), ('night'), ('unknown')) AS s (segment), top_products(model, NULL, '2024-07-15', 2, segment => s.segment) AS t ORDER BY 1, 2;
SELECT count(*) AS offers, count(*) FILTER (WHERE (s.score, s.probability, s.source, s.reason, s.next_due) IS DISTINCT FROM (t.score, t.probability, t.source, t.reason, t.next_due)) AS differ,
       count(*) FILTER (WHERE product_probability(model, history, '2024-07-15', t.item) <> t.probability) AS differ_too
FROM affinity, shoppers, top_products(model, history, '2024-07-15', 99) AS t, product_score(model, history, '2024-07-15', t.item) AS s;
SELECT product_probability(model, history, '2024-07-15', 'caviar') IS NULL AS unknown FROM affinity, shoppers WHERE customer_id = 1;
SELECT count(*) AS no_row FROM affinity, shoppers, product_score(model, history, '2024-07-15', 'caviar');
-- Exclusions, value.
SELECT options, string_agg(t.item, ' ' ORDER BY t.rank) AS items, round(max(t.value)::numeric, 3) AS value
FROM affinity, shoppers, (VALUES (1, '{}'::jsonb), (2, '{"exclude": ["beer", "x"]}'), (3, '{"only": ["beer", "bread"]}'), (4, '{"owned_for_good": ["beer"]}'),
  (5, '{"categories": {"beer": "alcohol"}, "exclude_categories": ["alcohol"]}'), (6, '{"margins": {"beer": 0.2, "crisps": 1.5}, "margin_floor": 0.5}'),
  (7, '{"margins": {"beer": 0.2, "crisps": 1.5, "water": 99}, "rank_by": "value"}'), (8, '{"sources": ["discovery", "popular"]}'), (9, '{"min_probability": 0.9}'), (10, '{"rank_by": "probability"}')) AS o (n, options),
  top_products(model, history, '2024-07-15', 9, options) AS t WHERE customer_id = 1 GROUP BY n, options ORDER BY n;
-- The probability comes true: on the last 28 days, with a model of the day before them.
SELECT round(avg(p)::numeric, 2) AS predicted, round(avg(happened)::numeric, 2) AS happened
FROM (SELECT t.probability AS p, EXISTS (SELECT FROM item_days(history) AS d WHERE d.item = t.item AND d.day > '2024-06-17' AND d.day <= '2024-07-15')::int AS happened
      FROM (SELECT fit_product_affinity(history, '2024-06-17') AS model FROM shoppers) AS m, shoppers, top_products(model, until(history, '2024-06-17'), '2024-06-17', 5) AS t) AS x;
-- The next basket: so do its probabilities, and they are below those of four weeks, of the same products.
CREATE TABLE next_affinity AS SELECT fit_product_affinity(history, '2024-06-17', '{"horizon": "next"}') AS model FROM shoppers;
SELECT model::jsonb ->> 'horizon' AS horizon, model::jsonb ->> 'next_within' AS next_within, model::text::product_affinity::text = model::text AS stored FROM next_affinity;
SELECT round(avg(p)::numeric, 2) AS predicted, round(avg(happened)::numeric, 2) AS happened, avg((p < month)::int) > 0.9 AS below
FROM (SELECT t.probability AS p, (t.item = ANY (b.items))::int AS happened, product_probability(m.model, until(history, '2024-06-17'), '2024-06-17', t.item) AS month
      FROM (SELECT fit_product_affinity(history, '2024-06-17') AS model FROM shoppers) AS m, next_affinity AS n, shoppers AS s,
        LATERAL (SELECT b.items FROM baskets AS b WHERE b.customer_id = s.customer_id AND b.day > '2024-06-17' AND b.items <> '{}' ORDER BY b.day LIMIT 1) AS b,
        top_products(n.model, until(history, '2024-06-17'), '2024-06-17', 5) AS t) AS x;
-- Nobody known: the share of the baskets, as the segment buys.
SELECT segment, t.rank, t.item, t.source, t.probability > 0 AND t.probability < 1 AS probability
FROM (SELECT fit_product_affinity(history, '2024-07-15', segment, '{"horizon": "next"}') AS model FROM shoppers) AS m, (VALUES ('day'), ('night'), ('unknown')) AS s (segment),
  top_products(model, NULL, '2024-07-15', 1, segment => s.segment) AS t ORDER BY 1;
SELECT quality ->> 'horizon' AS horizon, quality ->> 'next_within' AS next_within, count(*) AS measures
FROM (SELECT appetence_quality(history, '2024-07-15', '{"horizon": "next", "next_within": 14, "bootstrap": 0}') AS quality FROM shoppers) AS q, appetence_measures(quality) GROUP BY 1, 2;
-- The same in parts.
SELECT count(DISTINCT model) AS models FROM (
  SELECT fit_product_affinity(history, '2024-07-15', '{"horizon": "next", "next_within": 14}')::text AS model FROM shoppers UNION ALL
  SELECT fit_product_affinity(merge(r::text::affinity_rows))::text FROM (SELECT affinity_rows(history, '2024-07-15', '{"horizon": "next", "next_within": 14}') AS r FROM shoppers GROUP BY customer_id % 7) AS t) AS m;
-- The next change: nothing differs before it.
SELECT count(*) AS customers, count(*) FILTER (WHERE early > 0) AS changed_before, bool_and(change > '2024-07-15') AS later
FROM (SELECT c.change, (SELECT count(*) FROM generate_series(date '2024-07-16', least(c.change - 1, '2024-09-30'), interval '1 day') AS d
        WHERE (SELECT t.item FROM top_products(model, history, d::date, 1) AS t) <> (SELECT t.item FROM top_products(model, history, '2024-07-15', 1) AS t)) AS early
      FROM affinity, shoppers, LATERAL (SELECT product_next_change(model, history, '2024-07-15') AS change) AS c WHERE customer_id < 20) AS t;
SELECT product_next_change(model, NULL, '2024-07-15') AS nobody FROM affinity;

-- The back-test.
CREATE TEMP TABLE quality AS SELECT appetence_quality(history, '2024-07-15', '{"k": 2, "bootstrap": 100}') AS quality FROM shoppers;
SELECT quality ->> 'kind' AS kind, quality ->> 'as_of' AS as_of, quality ->> 'until' AS until, quality ->> 'tested' AS tested FROM quality;
SELECT part, method, round(value::numeric, 2) AS ndcg, low <= value AND value <= high AS inside, round(behind::numeric, 2) AS behind
FROM quality, appetence_measures(quality) WHERE task = 'next_basket' AND measure = 'ndcg' ORDER BY part, method;
SELECT count(*) AS measures, count(DISTINCT (task, part, method, measure)) AS different FROM quality, appetence_measures(quality);

-- The same bytes in any order, in parts, stored, by parallel workers.
CREATE TABLE many_shoppers AS SELECT s.* FROM shoppers AS s;
ALTER TABLE many_shoppers SET (parallel_workers = 2);
ANALYZE many_shoppers;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE TEMP TABLE fits (way text, model text);
EXPLAIN (COSTS OFF) SELECT fit_product_affinity(history, '2024-07-15', segment, '{}') FROM many_shoppers;
INSERT INTO fits SELECT 'parallel', fit_product_affinity(history, '2024-07-15', segment, '{}')::text FROM many_shoppers;
SET max_parallel_workers_per_gather = 0;
INSERT INTO fits SELECT 'serial', fit_product_affinity(history, '2024-07-15', segment, '{}')::text FROM many_shoppers;
INSERT INTO fits SELECT 'ordered', fit_product_affinity(history, '2024-07-15', segment, '{}' ORDER BY customer_id DESC)::text FROM many_shoppers;
INSERT INTO fits SELECT 'merged', fit_product_affinity(merge(r::text::affinity_rows))::text FROM (SELECT affinity_rows(history, '2024-07-15', segment, '{}') AS r FROM many_shoppers GROUP BY customer_id % 7) AS t;
INSERT INTO fits SELECT 'stored', model::text::product_affinity::text FROM affinity;
SELECT count(*) AS ways, count(DISTINCT model) AS models FROM fits;
DROP TABLE many_shoppers;

-- Too little: a value that says so, and scores nobody.
SELECT fit_product_affinity(h, '2024-01-01')::jsonb AS empty, fit_product_affinity(h, '2024-01-01')::jsonb -> 'method' AS method FROM (VALUES (NULL::item_history), ('[]')) AS v (h);
SELECT count(*) AS nothing FROM (SELECT fit_product_affinity(h, '2024-01-01') AS model FROM (VALUES ('[]'::item_history)) AS v (h)) AS m, top_products(model, '[]', '2024-01-01') AS t;
SELECT appetence_quality(h, '2024-01-01') AS quality FROM (VALUES ('[]'::item_history)) AS v (h);
-- One product, one line each; a product that everybody buys.
SELECT w ->> 'code' AS warning, t.item, t.source, t.reason, t.next_due > '2024-01-10' AS due
FROM (SELECT fit_product_affinity(item_history, '2024-01-10') AS model FROM (SELECT item_history('milk', date '2024-01-01' + c) FROM generate_series(1, 5) AS c GROUP BY c) AS h) AS m,
     jsonb_array_elements(model::jsonb -> 'warnings') AS w, top_products(model, '[["milk","2024-01-09",1,"1","1"]]', '2024-01-10') AS t;
-- Beyond the limit of EASE: item neighbours, said.
SELECT model::jsonb ->> 'method' AS method, model::jsonb -> 'warnings' AS warnings, (SELECT count(*) FROM product_neighbours(model, 'ease')) AS ease,
       (SELECT string_agg(t.item, ' ' ORDER BY t.rank) FROM shoppers, top_products(model, history, '2024-07-15', 3) AS t WHERE customer_id = 5) AS items
FROM (SELECT fit_product_affinity(history, '2024-07-15', '{"ease_items": 2}') AS model FROM shoppers) AS m;
-- What is refused.
CALL refused('SELECT fit_product_affinity(h, ''infinity'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, NULL) FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, d) FROM (VALUES (''[]''::segmentation.item_history, date ''2024-01-01''), (''[]'', ''2024-01-02'')) AS v (h, d)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"horizont": 3}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"horizon": 0}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"horizon": "last"}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"next_within": 7}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"horizon": "next", "next_within": 0}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT fit_product_affinity(h, ''2024-01-01'', ''{"ridge": -1}'') FROM (VALUES (''[]''::segmentation.item_history)) AS v (h)');
CALL refused('SELECT top_products(model, NULL, ''2024-07-15'', -1) FROM affinity');
CALL refused('SELECT top_products(model, NULL, ''infinity'') FROM affinity');
CALL refused('SELECT top_products(model, NULL, ''2024-07-15'', 3, ''{"rank_by": "value"}'') FROM affinity');
CALL refused('SELECT top_products(model, NULL, ''2024-07-15'', 3, ''{"sources": ["x"]}'') FROM affinity');
CALL refused('SELECT product_neighbours(model, ''jaccard'') FROM affinity');
CALL refused('SELECT ''\x0102''::product_affinity');
CALL refused('SELECT ''\x00''::affinity_rows');
-- Cancelled within a second.
SET statement_timeout = '300ms';
SELECT fit_product_affinity(h, '2024-07-15') FROM (SELECT item_history((c * i % 1999)::text, date '2024-01-01' + (c + i) % 180) AS h FROM generate_series(1, 1000) AS c, generate_series(1, 60) AS i GROUP BY c) AS t;
RESET statement_timeout;

-- Association rules: who buys bread buys butter.
CREATE TEMP TABLE rules AS SELECT basket_counts(CASE i % 3 WHEN 0 THEN '{bread,butter,bread,NULL}'::text[] WHEN 1 THEN '{bread,beer}' ELSE '{beer,bag}' END) AS counts FROM generate_series(1, 60) AS i;
SELECT antecedent, consequent, baskets, round(support::numeric, 3) AS support, round(confidence::numeric, 3) AS confidence, round(lift::numeric, 3) AS lift,
       round(leverage::numeric, 3) AS leverage, round(p_value::numeric, 9) AS p, round(q_value::numeric, 9) AS q FROM rules, association_rules(counts);
SELECT count(*) AS all_pairs FROM rules, association_rules(counts, '{"min_lift": 0, "max_q": 1}');
-- The tea: Fisher's 17 in 70.
SELECT round(p_value::numeric * 70, 9) AS tea FROM (SELECT basket_counts(b) AS c FROM (VALUES ('{milk,said}'::text[]), ('{milk,said}'), ('{milk,said}'), ('{milk}'), ('{said}'), ('{x}'), ('{x}'), ('{x}'), ('{}'), (NULL)) AS v (b)) AS t, association_rules(c, '{"min_baskets": 1, "max_q": 1}') WHERE antecedent = 'milk';
SELECT merge(c::text::basket_counts)::text = (SELECT basket_counts(items)::text FROM baskets) AS merged FROM (SELECT basket_counts(items) AS c FROM baskets GROUP BY customer_id % 5) AS t;
SELECT count(*) AS none FROM (SELECT basket_counts(NULL::text[]) AS c) AS t, association_rules(c);
CALL refused('SELECT segmentation.association_rules(counts, ''{"min_suport": 1}'') FROM rules');
CALL refused('SELECT ''\x01''::basket_counts');
DROP TABLE baskets, shoppers, affinity, next_affinity;
