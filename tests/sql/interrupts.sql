-- Every function that can run long is cancelled within a second, wherever it is at that moment.
SET search_path = segmentation, public;
SET client_min_messages = warning;
-- Data: populations as stored values, so that what follows spends its time in the extension and not in making rows.
CREATE UNLOGGED TABLE population (turnovers turnover_values, measures rfm_values);
ALTER TABLE population ALTER turnovers SET STORAGE EXTERNAL, ALTER measures SET STORAGE EXTERNAL;
INSERT INTO population SELECT turnover_values((hashint4(n) & 16777215)::numeric / 100), rfm_values(hashint4(n) & 1023, 1 + (hashint4(n + 1) & 63), (hashint4(n + 2) & 16777215)::numeric / 100)
FROM generate_series(1, 500000) AS n;
CREATE UNLOGGED TABLE customers AS
  SELECT n, hashint4(n) & 1023 AS recency, 1 + (hashint4(n + 1) & 63) AS frequency, (hashint4(n + 2) & 16777215)::numeric / 100 AS monetary FROM generate_series(1, 600000) AS n;
CREATE UNLOGGED TABLE stored AS SELECT purchase_history(date '2000-01-01' + n % 3000, 1::bigint) AS history FROM generate_series(1, 600000) AS n GROUP BY n / 6;
SET max_parallel_workers_per_gather = 0;

-- Histories: many orders, many customers, many histories into one.
SET statement_timeout = '150ms';
CALL cancelled('SELECT purchase_history(date ''2000-01-01'' + n % 3000, 1::bigint) FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT purchase_history(date ''2000-01-01'' + n % 3000, n::numeric) FROM customers, generate_series(1, 1000) GROUP BY n % 1000');
CALL cancelled('SELECT purchase_history(date ''2000-01-01'' + n, 1::bigint) FROM generate_series(2000000, 1, -1) AS n');
CALL cancelled('SELECT purchase_history(now() - n * interval ''1 minute'', 1::bigint, ''Europe/Paris'') FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT purchase_history(date ''2000-01-01'' + n, 1::bigint) OVER (ORDER BY n) FROM generate_series(1, 100000) AS n');
CALL cancelled('SELECT merge(history) FROM stored, generate_series(1, 1000)');
CALL cancelled('SELECT sum(turnover(history)) FROM stored, generate_series(1, 1000)');
CALL cancelled('SELECT count(d) FROM stored, generate_series(1, 1000), days(history) AS d');

-- RFM.
CALL cancelled('SELECT rfm_score(recency, frequency, monetary) OVER () FROM customers');
CALL cancelled('SELECT rfm_score(history, ''2008-06-30'') OVER () FROM stored, generate_series(1, 1000)');
CALL cancelled('SELECT rfm_cuts(recency, frequency, monetary) FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT rfm_cuts(recency, frequency, monetary, ''{"bins": 10}'') FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT rfm_cuts(history, ''2008-06-30'') FROM stored, generate_series(1, 1000)');
CALL cancelled('SELECT rfm_cuts(measures) FROM population, generate_series(1, 100)');
CALL cancelled('SELECT merge(measures) FROM population, generate_series(1, 100)');
CALL cancelled('SELECT count(rfm_segment(rfm_score(recency, frequency, monetary, cuts))) FROM customers, generate_series(1, 1000), (SELECT rfm_cuts(recency, frequency, monetary) AS cuts FROM rfm_customers) AS c');

-- PMG.
CALL cancelled('SELECT pmg_bucket(monetary) OVER () FROM customers, generate_series(1, 10)');
CALL cancelled('SELECT pmg_bucket(monetary, ''cumulative'') OVER () FROM customers, generate_series(1, 10)');
CALL cancelled('SELECT pmg_cuts(monetary) FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT pmg_cuts(monetary, ''{"mode": "cumulative"}'') FROM customers, generate_series(1, 1000)');
CALL cancelled('SELECT pmg_cuts(turnovers) FROM population, generate_series(1, 100)');
CALL cancelled('SELECT gini(turnovers) FROM population, generate_series(1, 100)');
CALL cancelled('SELECT concentration_curve(turnovers, 10000) FROM population, generate_series(1, 100)');
CALL cancelled('SELECT gini(monetary) FROM customers, generate_series(1, 1000)');

-- The simulated shop.
CALL cancelled('SELECT * FROM simulate_shop(''shop'', 5000000)');
CALL cancelled('SELECT count(*) FROM simulate_orders(1, 1, 5000000, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL cancelled('SELECT count(*) FROM simulate_order_lines(1, 1, 5000000, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL cancelled('SELECT count(*) FROM simulate_contacts(1, 1, 5000000, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL cancelled('SELECT count(*) FROM simulate_customers(1, 1, 5000000, ''2023-01-01'', ''2025-12-31'', ''{}'')');
CALL cancelled('SELECT count(*) FROM segmentation_internal.simulate_truth_moments(1, 1, 5000000, ''2023-01-01'', ''2025-12-31'', ''{}'')');
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname = 'shop';

-- Later moments of the same work: sorting and answering, after the rows are read.
SET statement_timeout = '300ms';
CALL cancelled('SELECT rfm_score(recency, frequency, monetary) OVER () FROM customers, generate_series(1, 3)');
CALL cancelled('SELECT pmg_bucket(monetary) OVER () FROM customers, generate_series(1, 3)');
SET statement_timeout = '700ms';
CALL cancelled('SELECT rfm_score(recency, frequency, monetary) OVER () FROM customers, generate_series(1, 3)');
CALL cancelled('SELECT pmg_bucket(monetary) OVER () FROM customers, generate_series(1, 5)');
-- Sorting a population to write it down, and reading one.
CALL cancelled('SELECT gini(merge(turnovers)) FROM population, generate_series(1, 36)');
CALL cancelled('SELECT rfm_cuts(merge(measures)) FROM population, generate_series(1, 36)');

-- Purchase and spend models: gathering, fitting, scoring; 100,000 histories of six days, all of them different customers.
SET statement_timeout = 0;
CREATE UNLOGGED TABLE buyers AS
  SELECT purchase_history(date '2010-01-01' + (hashint4(n / 10) & 1023) + CASE n % 10 WHEN 0 THEN 0 ELSE hashint4(n) & 4095 END, (1 + (hashint4(n) & 65535))::bigint) AS history FROM generate_series(1, 600000) AS n GROUP BY n / 10;
CREATE UNLOGGED TABLE gathered AS SELECT purchase_cells(history, '2026-06-30') AS purchases, purchase_cells(history, '2026-06-30', '{"family": "pareto_nbd"}') AS pareto, spend_cells(history, '2026-06-30') AS spend FROM buyers;
CREATE UNLOGGED TABLE models AS SELECT fit_purchase_model(history, '2026-06-30', '{"family": "pareto_nbd"}') AS purchases, fit_spend_model(history, '2026-06-30') AS spend FROM (SELECT history FROM buyers LIMIT 1000) AS t;
SET statement_timeout = '150ms';
CALL cancelled('SELECT purchase_cells(history, ''2026-06-30'') FROM buyers, generate_series(1, 100)');
CALL cancelled('SELECT purchase_cells(history, ''2026-06-30'', ''{"family": "bg_nbd"}'') FROM buyers, generate_series(1, 1000)');
CALL cancelled('SELECT merge(purchases) FROM gathered, generate_series(1, 1000)');
CALL cancelled('SELECT fit_purchase_model(purchases) FROM gathered');
CALL cancelled('SELECT fit_purchase_model(pareto) FROM gathered');
CALL cancelled('SELECT fit_spend_model(spend) FROM gathered, generate_series(1, 100)');
CALL cancelled('SELECT merge(spend) FROM gathered, generate_series(1, 1000)');
CALL cancelled('SELECT fit_value_stack(history, ''2026-06-30'') FROM buyers');
CALL cancelled('SELECT sum(churn_probability(purchases, history, ''2026-06-30'', ''1 year'')) FROM buyers, models, generate_series(1, 1000)');
CALL cancelled('SELECT count(next_purchase(purchases, history, ''2026-06-30'')) FROM buyers, models, generate_series(1, 100)');
CALL cancelled('SELECT count(expected_purchases_confidence(purchases, history, ''2026-06-30'', ''1 year'')) FROM buyers, models, generate_series(1, 100)');
CALL cancelled('SELECT count(future_value_interval(purchases, spend, history, ''2026-06-30'', ''1 year'')) FROM buyers, models, generate_series(1, 10)');
CALL cancelled('SELECT prediction_quality((n % 1000003) / 1000003.0, n % 3 = 0) FROM customers, generate_series(1, 100)');
SET statement_timeout = '400ms';
CALL cancelled('SELECT fit_purchase_model(purchases) FROM gathered');
CALL cancelled('SELECT fit_purchase_model(pareto) FROM gathered, generate_series(1, 10)');

-- Cancelled work leaves the backend as it was.
SET statement_timeout = 0;
RESET max_parallel_workers_per_gather;
SELECT (SELECT count(*) FROM cdnow) AS orders, purchases(merge(h)) AS purchases, (rfm_cuts(h, '1998-06-30')).frequency FROM (SELECT purchase_history(purchased_on, amount) AS h FROM cdnow GROUP BY customer_id) AS t;
DROP TABLE population, customers, stored, buyers, gathered, models;
