-- What feeds the axes beside purchases: categories (breadth, marker purchases, holidays), products (names, stock, margins),
-- share of wallet, years of birth; and which attributes make profiles when none are named.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'Europe/Paris';
SET client_min_messages = warning;
CREATE SCHEMA fed;
CREATE TABLE fed.products (product_id text PRIMARY KEY, category text, name text, margin numeric, price numeric, stock integer);
INSERT INTO fed.products VALUES
  ('p1', 'food', 'Rice', 0.10, 2, 100), ('p2', 'food', 'Oil', 0.20, 5, 100), ('p3', 'garden', 'Spade', 0.50, 40, 3), ('p4', 'garden', 'Seeds', 0.40, 4, 0),
  ('p5', 'travel', 'Suitcase', 0.30, 100, 5), ('p6', 'travel', 'Towel', 0.30, 20, 5), ('p7', 'baby', 'Nappies', 0.15, 20, 50), ('p8', 'baby', 'Cot', 0.25, 200, 2),
  ('p9', 'none bought', 'Dust', 0.9, 1, 1);
-- 400 customers buy food every 20 to 40 days for three years, half of them garden in spring; every tenth travel goods each December;
-- customer 7 begins to buy for a baby in November; customer 8 has done so always.
CREATE TABLE fed.order_lines (customer_id bigint, order_id bigint, ordered_on date, product_id text, quantity integer, amount numeric);
INSERT INTO fed.order_lines
SELECT c, c * 100000 + n, d, CASE WHEN (c + n) % 3 = 0 THEN 'p2' ELSE 'p1' END, 1, 2 + (c + n) % 5
FROM generate_series(1, 400) AS c, generate_series(0, 54) AS n, LATERAL (SELECT date '2023-01-01' + n * (20 + c % 21)) AS t (d) WHERE d <= '2025-12-20';
INSERT INTO fed.order_lines SELECT c, c * 100000 + 1000 + y, make_date(y, 4, 1 + c % 20), CASE WHEN c % 4 = 0 THEN 'p3' ELSE 'p4' END, 1, 10 FROM generate_series(2, 400, 2) AS c, generate_series(2023, 2025) AS y;
INSERT INTO fed.order_lines SELECT c, c * 100000 + 4000 + y, make_date(y, 12, 5 + c % 10), CASE WHEN c % 20 = 0 THEN 'p5' ELSE 'p6' END, 1, 50 FROM generate_series(10, 400, 10) AS c, generate_series(2021, 2024) AS y;
INSERT INTO fed.order_lines SELECT 7, 7 * 100000 + 8000 + n, date '2025-11-01' + 7 * n, 'p7', 1, 20 FROM generate_series(0, 5) AS n;
INSERT INTO fed.order_lines SELECT 8, 8 * 100000 + 8000 + n, date '2023-01-01' + 30 * n, 'p7', 1, 20 FROM generate_series(0, 35) AS n;
-- Who is young lives in a flat and earns less: these go together. Letter and number go with nothing.
CREATE TABLE fed.customers (customer_id bigint PRIMARY KEY, birth_date date, home text, income integer, letter text, number numeric, wallet double precision, potential numeric, nps integer, town text);
INSERT INTO fed.customers
SELECT c, CASE WHEN c = 400 THEN 'infinity' ELSE make_date(1950 + (hashint4(c) & 1) * 35 + (hashint4(c + 1000) & 7), 5, 5) END, CASE hashint4(c) & 1 WHEN 0 THEN 'house' ELSE 'flat' END,
  CASE hashint4(c) & 1 WHEN 0 THEN 40 ELSE 20 END + (hashint4(c + 2000) & 15), chr(65 + (hashint4(c + 3000) & 7)), hashint4(c + 4000) & 31,
  CASE WHEN c % 7 = 0 THEN (c % 10) / 10.0 END, CASE WHEN c % 5 = 0 THEN 200 END, CASE WHEN c % 3 = 0 THEN c % 11 END, 'town ' || (hashint4(c + 5000) & 31)
FROM generate_series(1, 400) AS c;
SELECT create_workspace('crm');
SELECT add_source('crm', 'purchase_lines', 'fed.order_lines') IS NOT NULL AS lines, add_source('crm', 'products', 'fed.products') AS products, add_source('crm', 'customers', 'fed.customers') IS NOT NULL AS customers;
SELECT configure_workspace('crm', '{"purchase_family": "nbd", "satisfaction": "nps", "share_of_wallet": "wallet", "potential": "potential",
  "moment_categories": {"birth": ["baby"], "holiday_ahead": ["travel"]}}');
CALL refresh('crm', '2025-12-10');

-- Profiles: what goes together, with the year of birth, which only a birthday that is a day has.
SELECT profile_features, categories FROM crm.parameter_set;
SELECT attributes ->> 'birth_year' AS year, attributes ->> 'birth_date' AS day FROM crm.customer_facts WHERE customer IN (1, 400) ORDER BY customer;
SELECT count(DISTINCT s.profile) AS profiles, count(DISTINCT (s.profile, c.home)) AS with_home FROM crm.customer_segments AS s JOIN fed.customers AS c ON c.customer_id = s.customer;

-- Categories as facts, and the breadth of loyalty from them: entropy over ln 5, by hand.
SELECT customer, (SELECT string_agg(format('%s %s', item, purchases), ', ' ORDER BY item) FROM items(categories)) AS categories FROM crm.customer_facts WHERE customer IN (1, 7, 20) ORDER BY 1;
CREATE VIEW fed.by_hand AS
SELECT f.customer, (SELECT -sum(n / total * ln(n / total)) / ln(5) FROM (SELECT count(*)::float8 AS n, sum(count(*)) OVER ()::float8 AS total FROM fed.order_lines AS l JOIN fed.products USING (product_id)
    WHERE l.customer_id = f.customer AND l.ordered_on <= w.as_of GROUP BY category) AS t) AS breadth,
  CASE WHEN c.wallet IS NOT NULL THEN c.wallet WHEN c.potential > 0 THEN least(1, (SELECT coalesce(sum(amount), 0)::float8 FROM fed.order_lines AS l
    WHERE l.customer_id = f.customer AND l.ordered_on <= w.as_of AND l.ordered_on > (w.as_of - interval '12 months')::date) / c.potential::float8) END AS wallet, c.nps / 10.0 AS nps
FROM crm.customer_facts AS f JOIN fed.customers AS c ON c.customer_id = f.customer CROSS JOIN crm.workspace AS w;
SELECT count(*) AS customers, count(*) FILTER (WHERE abs(s.loyalty_index - (t.l).index) < 1e-9) AS same, count(*) FILTER (WHERE (t.l).breadth > 0) AS with_breadth, count((t.l).share_of_wallet) AS with_wallet
FROM crm.customer_scores AS s JOIN crm.customer_facts AS f USING (customer) JOIN fed.by_hand AS h USING (customer) CROSS JOIN crm.parameter_set AS p
CROSS JOIN LATERAL (SELECT loyalty(f.history, '2025-12-10', jsonb_build_object('prior', p.loyalty_prior), h.breadth, h.nps, h.wallet) AS l OFFSET 0) AS t;
SELECT jsonb_object_agg(c.key, round((c.value ->> 'value')::numeric, 3)) FILTER (WHERE c.key IN ('breadth', 'satisfaction', 'share_of_wallet')) AS seven
FROM explain('crm', '7', 'loyalty'), jsonb_each(numbers -> 'components') AS c;

-- Marker purchases and holidays.
SELECT moment, customer, begins, ends, evidence FROM crm.life_moments WHERE moment = 'birth' ORDER BY customer;
SELECT moment, count(*), min(begins), max(ends), bool_and(customer % 10 = 0) AS travellers FROM crm.life_moments WHERE moment = 'holiday_ahead' GROUP BY 1;
SELECT moment_model -> 'birth' ->> 'alpha' IS NOT NULL AS birth, moment_model -> 'holiday_ahead' ->> 'alpha' IS NOT NULL AS holiday FROM crm.parameter_set;
SELECT on_axis, label, explanation FROM explain('crm', '7', 'life_moment', 'fr');

-- Offers: nothing out of stock, names in words and views.
SELECT count(*) FILTER (WHERE product = 'p4') AS out_of_stock, count(*) FILTER (WHERE product = 'p3') > 0 AS spades, count(value) AS valued FROM crm.customer_products;
SELECT explanation ~ 'Rice|Oil|Spade|Suitcase|Towel|Nappies' AS named, numbers ->> 'product_name' <> numbers ->> 'product' AS two FROM explain('crm', '2', 'product_appetence');
CALL refresh_views('crm');
SELECT DISTINCT product, product_name FROM crm.bi_top_products WHERE product IN ('p1', 'p3') ORDER BY 1;
-- A full refresh sees the stock of today; a batch offers what that refresh knew.
UPDATE fed.products SET stock = 0 WHERE product_id = 'p3';
UPDATE fed.products SET stock = 10, name = 'Seeds, mixed' WHERE product_id = 'p4';
CALL refresh('crm', '2025-12-10', false);
SELECT count(*) FILTER (WHERE product = 'p3') AS spades, count(*) FILTER (WHERE product = 'p4') > 0 AS seeds, (SELECT name FROM crm.product WHERE product = 'p4') FROM crm.customer_products;
-- By value: probability x margin x price, best first, and a floor.
SELECT configure_workspace('crm', '{"product_rank_by": "value", "product_margin_floor": 0.5, "product_exclude": ["p8"], "product_exclude_categories": ["baby"]}');
CALL refresh('crm', '2025-12-10', true);
SELECT string_agg(DISTINCT product, ' ' ORDER BY product) AS offered, count(*) FILTER (WHERE abs(o.value - o.probability * p.margin * p.price) > 1e-9) AS differ,
  count(*) FILTER (WHERE o.value > o.before) AS out_of_order
FROM (SELECT *, lag(value) OVER (PARTITION BY customer ORDER BY place) AS before FROM crm.customer_products) AS o JOIN fed.products AS p ON p.product_id = o.product;
-- The next basket: what the model is of, and its offers.
SELECT configure_workspace('crm', '{"product_next_basket": true, "product_horizon": "35 days"}');
CALL refresh('crm', '2025-12-10', true);
SELECT p.product_model::jsonb ->> 'horizon' AS horizon, p.product_model::jsonb ->> 'next_within' AS next_within FROM crm.parameter_set AS p JOIN crm.workspace AS w USING (parameter_set);
SELECT count(*) > 0 AS offered, bool_and(o.probability = s.probability) AS same
FROM crm.customer_products AS o JOIN crm.customer_facts AS f USING (customer) CROSS JOIN crm.workspace AS w JOIN crm.parameter_set AS p USING (parameter_set)
CROSS JOIN LATERAL product_score(p.product_model, until(f.items, '2025-12-10'), '2025-12-14', o.product) AS s;
SELECT configure_workspace('crm', '{"product_next_basket": false, "product_horizon": "28 days"}');
-- By category: what is bought are categories; one is out of stock if all of it is.
SELECT configure_workspace('crm', '{"product_level": "category", "product_margin_floor": null, "product_exclude": [], "product_exclude_categories": []}');
UPDATE fed.products SET stock = 0 WHERE category = 'travel';
CALL refresh('crm', '2025-12-11');
SELECT string_agg(DISTINCT product, ' ' ORDER BY product) AS offered, max(abs(value - probability * CASE product WHEN 'food' THEN 0.6 WHEN 'garden' THEN 10.8 WHEN 'baby' THEN 26.5 END)) < 1e-9 AS valued FROM crm.customer_products;
SELECT count(categories) AS twice, count(items) AS once FROM crm.customer_facts;
SELECT count(*) AS customers, count(*) FILTER (WHERE abs(s.loyalty_index - (t.l).index) < 1e-9) AS same
FROM crm.customer_scores AS s JOIN crm.customer_facts AS f USING (customer) JOIN fed.by_hand AS h USING (customer) CROSS JOIN crm.workspace AS w JOIN crm.parameter_set AS p USING (parameter_set)
CROSS JOIN LATERAL (SELECT loyalty(f.history, '2025-12-11', jsonb_build_object('prior', p.loyalty_prior), h.breadth, h.nps, h.wallet) AS l OFFSET 0) AS t;

-- Day by day with all of it: incremental = full, and nobody moves on a day that was not foretold.
SELECT create_workspace('anew');
SELECT count(add_source('anew', kind, relation)) AS sources FROM crm.source;
SELECT configure_workspace('anew', jsonb_object_agg(name, value)) FROM workspace_settings('crm') WHERE value <> default_value;
SELECT configure_workspace(w, '{"product_level": "product", "product_rank_by": "score"}') FROM unnest('{crm,anew}'::text[]) AS w;
CALL refresh('crm', '2025-12-11', true);
CALL refresh('anew', '2025-12-11', true);
SELECT count(start_capture('crm', kind, relation)) AS captured FROM crm.source WHERE mapping ? 'customer';
CREATE TABLE fed.step (day date, moved bigint, facts bigint, codes bigint, untold bigint);
DO $$
DECLARE
  day date := '2025-12-11';
  codes CONSTANT text := 'customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment';
  facts bigint; different bigint; untold bigint; moved bigint;
BEGIN
  CALL segmentation.refresh_changed('crm', day);
  FOR n IN 1..45 LOOP
    day := day + 1;
    IF n % 5 = 0 THEN
      INSERT INTO fed.order_lines SELECT c, 90000000 + n * 1000 + c, day + CASE WHEN c % 3 = 0 THEN 3 ELSE 0 END, 'p' || 1 + (c + n) % 8, 1, 30 FROM generate_series(n, 400, 37) AS c;
      UPDATE fed.customers SET potential = potential * 1.5, wallet = wallet / 2 WHERE customer_id % 50 = n;
    END IF;
    COMMIT;
    CREATE TEMP TABLE before AS SELECT s.*, EXISTS (SELECT FROM crm.queue AS q WHERE q.customer = s.customer) AS queued FROM crm.customer_segments AS s;
    COMMIT;
    CALL segmentation.refresh_changed('crm', day);
    CALL segmentation.refresh('anew', day, false);
    EXECUTE format('SELECT count(*) FROM ((SELECT %1$s FROM crm.customer_segments EXCEPT ALL SELECT %1$s FROM anew.customer_segments) UNION ALL (SELECT %1$s FROM anew.customer_segments EXCEPT ALL SELECT %1$s FROM crm.customer_segments)) AS d', codes) INTO different;
    SELECT count(*) INTO facts FROM crm.customer_facts AS i FULL JOIN anew.customer_facts AS a USING (customer) WHERE i IS DISTINCT FROM a;
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE b.next_change_at IS DISTINCT FROM %L AND NOT b.queued) FROM crm.customer_segments AS n JOIN pg_temp.before AS b USING (customer) WHERE (%s) IS DISTINCT FROM (%s)', day,
      replace('n.' || replace(codes, ', ', ', n.'), 'n.customer', 'customer'), replace('b.' || replace(codes, ', ', ', b.'), 'b.customer', 'customer')) INTO moved, untold;
    INSERT INTO fed.step VALUES (day, moved, facts, different, untold);
    DROP TABLE pg_temp.before;
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*) AS days, sum(moved) > 300 AS moved, sum(facts) AS facts, sum(codes) AS codes, sum(untold) AS untold FROM fed.step;
SELECT * FROM fed.step WHERE facts + codes + untold > 0 ORDER BY day LIMIT 5;
SELECT drop_workspace('crm', cascade => true), drop_workspace('anew');
DROP SCHEMA fed CASCADE;
