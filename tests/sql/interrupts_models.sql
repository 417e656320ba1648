-- Models of features, products, profiles, channels and moments are cancelled within a second, wherever they are at that
-- moment: gathering rows, fitting, judging, scoring.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE UNLOGGED TABLE baskets AS
  SELECT c, item_history((hashint4(c * 37 + i) & 2047)::text, date '2024-01-01' + (hashint4(c + i) & 255)) AS items, purchase_history(date '2024-01-01' + (hashint4(c + i) & 255), 10::bigint) AS history
  FROM generate_series(1, 10000) AS c, generate_series(1, 40) AS i GROUP BY c;
CREATE UNLOGGED TABLE contacted AS
  SELECT c, contact_history((ARRAY['email', 'sms', 'mail', 'phone'])[1 + i % 4], date '2024-01-01' + (hashint4(c + i) & 255), hashint4(c * i) & 7 = 0) AS contacts,
    consent_history((ARRAY['email', 'sms', 'mail', 'phone'])[1 + i % 4], true, date '2023-01-01') AS consents, send_hours(timestamp '2024-01-01' + (hashint4(c + i) & 8191) * interval '1 hour') AS hours
  FROM generate_series(1, 10000) AS c, generate_series(1, 12) AS i GROUP BY c;
CREATE UNLOGGED TABLE rows AS
  SELECT n, hashint4(n) & 3 = 0 AS churned, jsonb_build_object('a', hashint4(n) & 1023, 'b', hashint4(n + 1) & 1023, 'c', (hashint4(n + 2) & 15)::text) AS features,
    ARRAY[hashint4(n) & 1023, hashint4(n + 1) & 1023, hashint4(n + 2) & 1023]::double precision[] AS point FROM generate_series(1, 200000) AS n;
CREATE UNLOGGED TABLE models AS
  SELECT (SELECT fit_product_affinity(items, '2024-09-15', '{"ease_items": 0}') FROM baskets WHERE c <= 2000) AS products,
    (SELECT fit_channel_model(contacts, NULL, '2024-09-15') FROM contacted) AS channels, (SELECT fit_send_time(hours) FROM contacted) AS hours,
    (SELECT fit_churn_model(churned, features) FROM rows WHERE n <= 5000) AS churn, (SELECT fit_profile(point, '{"k": 5}') FROM rows WHERE n <= 5000) AS profiles,
    (SELECT fit_loyalty_prior(history, '2024-09-15') FROM baskets) AS gaps;
CREATE UNLOGGED TABLE gathered AS
  SELECT (SELECT churn_rows(churned, features) FROM rows) AS churn,
    (SELECT churn_stack_rows(history, '2024-09-15', '{"horizon": "30 days"}') FROM baskets) AS stacks, (SELECT profile_rows(point) FROM rows) AS profiles, (SELECT affinity_rows(items, '2024-09-15') FROM baskets WHERE c <= 3000) AS products,
    (SELECT channel_cells(contacts, NULL, '2024-09-15') FROM contacted) AS channels,
    (SELECT basket_counts(ARRAY[hashint4(n) & 255, hashint4(n + 1) & 255, hashint4(n + 2) & 255]::text[]) FROM rows) AS counts;
SET statement_timeout = '150ms';

-- Products.
CALL cancelled('SELECT item_history((hashint4(n) & 65535)::text, date ''2024-01-01'' + n % 300) FROM generate_series(1, 100000000) AS n');
CALL cancelled('SELECT merge(items) FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT affinity_rows(items, ''2024-09-15'') FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT fit_product_affinity(products) FROM gathered');
CALL cancelled('SELECT appetence_quality(products) FROM gathered');
CALL cancelled('SELECT count(*) FROM models, baskets, generate_series(1, 1000), top_products(products, items, ''2024-09-15'')');
CALL cancelled('SELECT sum(score) FROM models, baskets, generate_series(1, 1000), product_score(products, items, ''2024-09-15'', ''7'')');
CALL cancelled('SELECT max(product_next_change(products, items, ''2024-09-15'')) FROM models, baskets, generate_series(1, 1000)');
CALL cancelled('SELECT basket_counts(basket) FROM (SELECT ARRAY[n & 255, (n >> 3) & 255, (n >> 5) & 255]::text[] AS basket FROM rows) AS b, generate_series(1, 1000)');
CALL cancelled('SELECT count(*) FROM gathered, generate_series(1, 1000) AS n, association_rules(counts, jsonb_build_object(''min_baskets'', n, ''max_q'', 1, ''min_lift'', 0))');

-- Churn from features, contracts, profiles.
CALL cancelled('SELECT churn_rows(churned, features) FROM rows, generate_series(1, 100)');
CALL cancelled('SELECT fit_churn_model(churn) FROM gathered, generate_series(1, 100)');
CALL cancelled('SELECT churn_stack_rows(history, ''2024-09-15'') FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT fit_churn_stack(stacks) FROM gathered, generate_series(1, 10)');
CALL cancelled('SELECT sum(churn_probability(churn, features)) FROM models, rows, generate_series(1, 100)');
CALL cancelled('SELECT contracts(date ''2000-01-01'' + n % 5000, date ''2014-01-01'' + n % 700, date ''2020-01-01'') FROM generate_series(1, 100000000) AS n');
CALL cancelled('SELECT fit_retention_model(date ''2000-01-01'' + n % 5000, date ''2014-01-01'' + n % 700, date ''2020-01-01'', jsonb_build_object(''p'', n % 7)) FROM generate_series(1, 100000000) AS n');
CALL cancelled('SELECT profile_rows(point) FROM rows, generate_series(1, 100)');
CALL cancelled('SELECT fit_profile(profiles) FROM gathered, generate_series(1, 100)');
CALL cancelled('SELECT count(profile_assign(profiles, point)) FROM models, rows, generate_series(1, 1000)');
CALL cancelled('SELECT fit_segment_rules((n % 7)::text, features) FROM rows, generate_series(1, 100)');
CALL cancelled('SELECT fit_segment_rules((hashint4(n) & 7)::text, jsonb_build_object(''a'', n, ''b'', hashint4(n), ''c'', hashint4(n) & 255), ''{"max_depth": 8, "min_support": 0}'') FROM rows');
CALL cancelled('SELECT calibrate((n % 1000003) / 1000003.0, n % 3 = 0) FROM rows, generate_series(1, 100)');
CALL cancelled('SELECT profit_curve((n % 1000003) / 1000003.0, n % 3 = 0, ''{"benefit": 10, "cost": 1}'') FROM rows, generate_series(1, 100)');

-- Loyalty, moments, channels, send time, uplift.
CALL cancelled('SELECT fit_loyalty_prior(history, ''2024-09-15'') FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT max((loyalty(history, ''2024-09-15'')).index) FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT max(loyalty_next_change(history, ''2024-09-15'')) FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT max((purchase_due(history, ''2024-09-15'', 1, jsonb_build_object(''prior'', gaps))).confidence) FROM models, baskets, generate_series(1, 1000)');
CALL cancelled('SELECT max((waning_interest(history, ''2024-09-15'')).confidence) FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT q_value(p) OVER () FROM (SELECT (hashint4(n) & 65535) / 65536.0::double precision AS p FROM rows, generate_series(1, 20)) AS t');
CALL cancelled('SELECT merge(contacts) FROM contacted, generate_series(1, 1000)');
CALL cancelled('SELECT channel_cells(contacts, NULL, ''2024-09-15'') FROM contacted, generate_series(1, 1000)');
CALL cancelled('SELECT fit_channel_model(channels) FROM gathered, generate_series(1, 10000)');
CALL cancelled('SELECT count(*) FROM models, contacted, generate_series(1, 1000), rank_channels(channels, NULL, contacts, consents, ''2024-09-15'')');
CALL cancelled('SELECT max((send_time(models.hours, contacted.hours)).score) FROM models, contacted, generate_series(1, 1000)');
CALL cancelled('SELECT uplift(n % 2 = 0, n % 3 = 0) FROM rows, generate_series(1, 1000)');
CALL cancelled('SELECT count(*) FROM rows, generate_series(1, 1000) WHERE holdout(n::text, ''spring'', 0.1)');

-- Later moments: fitting, judging.
SET statement_timeout = '500ms';
CALL cancelled('SELECT fit_product_affinity(products) FROM gathered');
CALL cancelled('SELECT appetence_quality(products) FROM gathered');
CALL cancelled('SELECT fit_profile(profiles) FROM gathered, generate_series(1, 100)');
CALL cancelled('SELECT fit_churn_model(churn) FROM gathered, generate_series(1, 100)');
CALL cancelled('SELECT churn_stack_rows(history, ''2024-09-15'') FROM baskets, generate_series(1, 1000)');
CALL cancelled('SELECT fit_churn_stack(stacks) FROM gathered, generate_series(1, 10)');
SET statement_timeout = '1s';
CALL cancelled('SELECT fit_product_affinity(products) FROM gathered, generate_series(1, 5)');
CALL cancelled('SELECT appetence_quality(products) FROM gathered, generate_series(1, 5)');

-- Cancelled work leaves the backend as it was.
SET statement_timeout = 0;
SELECT count(*) AS offers FROM models, (SELECT items FROM baskets ORDER BY c LIMIT 3) AS b, top_products(products, items, '2024-09-15', 4);
DROP TABLE baskets, contacted, rows, models, gathered;
