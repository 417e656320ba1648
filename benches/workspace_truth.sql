-- The axes of a workspace against what happened in the 90 days after, and against the hidden truth of the simulated
-- shop. Variable: shop, its schema. Prints one Markdown table. Run by workspace.sh.
\set QUIET on
\set ON_ERROR_STOP on
\pset pager off
SET client_min_messages = error;
SET jit = off;
SET datestyle = ISO;
DROP SCHEMA IF EXISTS known CASCADE;
DROP SCHEMA IF EXISTS bench_truth CASCADE;
CREATE SCHEMA known;
SET search_path = segmentation, known, :shop, public;
-- What is known on the day: the sources hold nothing of after it.
CREATE TABLE known.day AS SELECT max(ordered_on) - 90 AS day, max(ordered_on) AS ends FROM :shop.orders;
CREATE VIEW known.orders AS SELECT o.* FROM :shop.orders AS o, known.day AS d WHERE o.ordered_on <= d.day;
CREATE VIEW known.order_lines AS SELECT l.* FROM :shop.order_lines AS l, known.day AS d WHERE l.ordered_on <= d.day;
CREATE VIEW known.customers AS SELECT c.* FROM :shop.customers AS c, known.day AS d WHERE c.registered_on <= d.day;
CREATE VIEW known.companies AS SELECT c.customer_id, c.company_name, c.siren, c.naf_code, c.headcount_band FROM known.customers AS c WHERE c.is_company;
CREATE VIEW known.contacts AS SELECT c.* FROM :shop.contacts AS c, known.day AS d WHERE (c.sent_at AT TIME ZONE 'Europe/Paris')::date <= d.day;
CREATE VIEW known.interactions AS SELECT i.* FROM :shop.interactions AS i, known.day AS d WHERE (i.occurred_at AT TIME ZONE 'Europe/Paris')::date <= d.day;
CREATE VIEW known.consents AS SELECT c.* FROM :shop.consents AS c, known.day AS d WHERE c.changed_on <= d.day;
CREATE VIEW known.attribute_history AS SELECT a.* FROM :shop.attribute_history AS a, known.day AS d WHERE a.changed_on <= d.day;
SELECT create_workspace('bench_truth', 'integer', 'Europe/Paris') \g /dev/null
SELECT add_source('bench_truth', kind, relation::regclass) FROM (VALUES ('purchases', 'known.orders'), ('purchase_lines', 'known.order_lines'), ('customers', 'known.customers'), ('companies', 'known.companies'),
  ('contacts', 'known.contacts'), ('interactions', 'known.interactions'), ('consents', 'known.consents'), ('attribute_history', 'known.attribute_history'), ('products', :'shop' || '.products')) AS v (kind, relation) \g /dev/null
SELECT day, ends FROM known.day \gset
CALL refresh('bench_truth', :'day');

CREATE TEMP TABLE scored AS
  SELECT s.customer, s.recency, s.churn_probability, s.lost_probability, s.future_value AS year_value, churned_within(h.history, :'day', '90 days', :'ends') AS churned,
    future_value(p.purchase_model, p.spend_model, f.history, :'day', '90 days', 0, 1) AS value, turnover(h.history, :'day', :'ends')::double precision AS actual,
    turnover(f.history, :'day'::date - 90, :'day')::double precision AS past, turnover(f.history, :'day'::date - 365, :'day')::double precision AS past_year,
    CASE WHEN coalesce(t.lifetime_ends > :'day', true) AND t.is_buyer THEN t.purchase_rate * t.mean_spend ELSE 0 END AS true_value, t.lifetime_ends <= :'day' AS lost
  FROM bench_truth.customer_scores AS s JOIN bench_truth.customer_facts AS f ON f.customer = s.customer
  JOIN (SELECT customer_id, purchase_history(ordered_on, amount) AS history FROM :shop.orders GROUP BY customer_id) AS h ON h.customer_id = s.customer
  JOIN :shop.truth_customers AS t ON t.customer_id = s.customer
  CROSS JOIN bench_truth.parameter_set AS p
  WHERE p.status = 'in_use' AND s.churn_probability IS NOT NULL;
CREATE TEMP TABLE result (place integer GENERATED ALWAYS AS IDENTITY, axis text, measure text, ours numeric, beside text);
-- Spearman: the correlation of ranks, ties in the middle.
CREATE FUNCTION pg_temp.middle(first bigint, same bigint) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN first + (same - 1) / 2.0;
CREATE TEMP TABLE ranked AS
  SELECT pg_temp.middle(rank() OVER (ORDER BY value), count(*) OVER (PARTITION BY value)) AS value, pg_temp.middle(rank() OVER (ORDER BY actual), count(*) OVER (PARTITION BY actual)) AS actual,
    pg_temp.middle(rank() OVER (ORDER BY past_year), count(*) OVER (PARTITION BY past_year)) AS past, pg_temp.middle(rank() OVER (ORDER BY true_value), count(*) OVER (PARTITION BY true_value)) AS truth,
    pg_temp.middle(rank() OVER (ORDER BY year_value), count(*) OVER (PARTITION BY year_value)) AS year_value
  FROM scored;

INSERT INTO result (axis, measure, ours, beside)
SELECT v.* FROM (SELECT prediction_quality(churn_probability, churned) AS q, prediction_quality(recency / (recency + 30.0), churned) AS r, avg(churned::int) AS base, avg(churn_probability) AS mean FROM scored) AS s
CROSS JOIN LATERAL (VALUES
  ('churn', 'AUC, no purchase in 90 days', (q ->> 'auc')::numeric, format('recency alone %s', round((r ->> 'auc')::numeric, 3))),
  ('churn', 'Brier score', (q ->> 'brier')::numeric, format('the base rate %s', round(base * (1 - base), 3))),
  ('churn', 'calibration slope', (q #>> '{calibration,slope}')::numeric, '1 is best'),
  ('churn', 'mean probability', mean::numeric, format('happened %s', round(base, 3)))) AS v;
INSERT INTO result (axis, measure, ours, beside)
SELECT 'churn', 'AUC of lost_probability, lifetime over', (prediction_quality(lost_probability, lost) ->> 'auc')::numeric, format('recency alone %s', round((prediction_quality(recency / (recency + 30.0), lost) ->> 'auc')::numeric, 3)) FROM scored WHERE lost IS NOT NULL;
INSERT INTO result (axis, measure, ours, beside)
SELECT v.* FROM (SELECT corr(value, actual) AS a, corr(past, actual) AS b, corr(truth, actual) AS t, corr(year_value, truth) AS c, corr(past, truth) AS d FROM ranked) AS r
CROSS JOIN LATERAL (VALUES
  ('future_value', 'Spearman with the turnover of 90 days', a::numeric, format('turnover of the year before %s; the hidden rate and spend %s', round(b::numeric, 3), round(t::numeric, 3))),
  ('future_value', 'Spearman with the hidden rate and spend', c::numeric, format('turnover of the year before %s', round(d::numeric, 3)))) AS v;
INSERT INTO result (axis, measure, ours, beside)
SELECT 'future_value', 'predicted total over the real one, 90 days', (sum(value) / sum(actual))::numeric, format('the 90 days before over the real %s', round((sum(past) / sum(actual))::numeric, 3)) FROM scored;

-- Channels: among those that may be used. Regret: the true response rate of the best one, less that of the chosen.
CREATE TEMP TABLE chosen AS
  SELECT c.customer, c.channel, c.place, t.response_rate, max(t.response_rate) OVER w AS best, avg(t.response_rate) OVER w AS mean, p.preferred_channel = c.channel AS preferred,
    bool_or(p.preferred_channel = c.channel) OVER w AS possible, count(*) OVER w AS channels
  FROM bench_truth.customer_channels AS c JOIN :shop.truth_channels AS t ON t.customer_id = c.customer AND t.channel = c.channel JOIN :shop.truth_customers AS p ON p.customer_id = c.customer
  WHERE c.eligible WINDOW w AS (PARTITION BY c.customer);
INSERT INTO result (axis, measure, ours, beside)
SELECT v.* FROM (
  SELECT avg(preferred::int) FILTER (WHERE place = 1 AND possible) AS hit, avg(preferred::int) FILTER (WHERE possible) AS chance,
    avg(best - response_rate) FILTER (WHERE place = 1) AS regret, avg(best - response_rate) AS random_regret, avg(best) FILTER (WHERE place = 1) AS best,
    (SELECT avg(c.best - c.response_rate) FROM (SELECT DISTINCT ON (c.customer) c.best, c.response_rate FROM chosen AS c
       JOIN (SELECT channel, avg(response_rate) AS rate FROM chosen GROUP BY channel) AS o USING (channel) ORDER BY c.customer, o.rate DESC) AS c) AS common_regret
  FROM chosen WHERE channels > 1) AS s
CROSS JOIN LATERAL (VALUES
  ('channel_appetence', 'truly preferred channel first, where there is a choice', hit, format('by chance %s', round(chance::numeric, 3))),
  ('channel_appetence', 'regret in response rate', regret::numeric, format('by chance %s; the channel best for all %s; the best rate is %s', round(random_regret::numeric, 4), round(common_regret::numeric, 4), round(best::numeric, 4)))) AS v;

-- Profiles: adjusted Rand index (Hubert and Arabie 1985).
CREATE TEMP TABLE cell AS
  SELECT s.profile AS ours, t.profile AS truth, c.is_company, count(*) AS n FROM bench_truth.customer_segments AS s JOIN :shop.truth_customers AS t ON t.customer_id = s.customer
  JOIN :shop.customers AS c ON c.customer_id = s.customer GROUP BY s.profile, t.profile, c.is_company;
CREATE FUNCTION pg_temp.pairs(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN n * (n - 1) / 2;
INSERT INTO result (axis, measure, ours, beside)
SELECT 'profile', 'adjusted Rand index, ' || g.who, (c.together - a.pairs * b.pairs / t.pairs) / nullif((a.pairs + b.pairs) / 2 - a.pairs * b.pairs / t.pairs, 0), format('%s profiles for %s', a.groups, b.groups)
FROM (VALUES ('all', NULL::boolean), ('persons', false)) AS g (who, company)
CROSS JOIN LATERAL (SELECT sum(pg_temp.pairs(n)) AS together FROM (SELECT sum(n) AS n FROM cell WHERE is_company IS NOT DISTINCT FROM coalesce(g.company, is_company) GROUP BY ours, truth) AS x) AS c
CROSS JOIN LATERAL (SELECT sum(pg_temp.pairs(n)) AS pairs, count(*) AS groups FROM (SELECT sum(n) AS n FROM cell WHERE is_company IS NOT DISTINCT FROM coalesce(g.company, is_company) GROUP BY ours) AS x) AS a
CROSS JOIN LATERAL (SELECT sum(pg_temp.pairs(n)) AS pairs, count(*) AS groups FROM (SELECT sum(n) AS n FROM cell WHERE is_company IS NOT DISTINCT FROM coalesce(g.company, is_company) GROUP BY truth) AS x) AS b
CROSS JOIN LATERAL (SELECT pg_temp.pairs(sum(n)) AS pairs FROM cell WHERE is_company IS NOT DISTINCT FROM coalesce(g.company, is_company)) AS t;

-- Moments of attributes: those under way, found on the day. Recall of what happens, written down or not.
INSERT INTO result (axis, measure, ours, beside)
SELECT 'life_moment', v.measure || ', ' || m.moment, v.ours, v.beside
FROM (SELECT k.moment, count(l.customer) AS found, count(t.customer_id) AS true, count(t.customer_id) FILTER (WHERE t.recorded_on <= :'day') AS noted,
        count(*) FILTER (WHERE l.customer IS NOT NULL AND t.customer_id IS NOT NULL) AS both
      FROM (VALUES ('moving'), ('birth'), ('marriage'), ('separation'), ('retirement'), ('company_move'), ('new_decision_maker')) AS k (moment)
      CROSS JOIN bench_truth.customer_segments AS c
      LEFT JOIN (SELECT DISTINCT customer, moment FROM bench_truth.life_moments WHERE begins <= :'day' AND coalesce(ends, 'infinity') >= :'day') AS l ON l.customer = c.customer AND l.moment = k.moment
      LEFT JOIN (SELECT customer_id, moment, min(recorded_on) AS recorded_on FROM :shop.truth_moments WHERE begins <= :'day' AND coalesce(ends, 'infinity') >= :'day' GROUP BY 1, 2) AS t ON t.customer_id = c.customer AND t.moment = k.moment
      GROUP BY k.moment) AS m
CROSS JOIN LATERAL (VALUES
  ('precision', m.both::numeric / nullif(m.found, 0), format('%s found', m.found)),
  ('recall', m.both::numeric / nullif(m.true, 0), format('%s under way, of which %s written down', m.true, m.noted))) AS v (measure, ours, beside)
WHERE m.true > 0 OR m.found > 0;
INSERT INTO result (axis, measure, ours, beside)
SELECT v.* FROM (
  SELECT avg(b.buys::int) FILTER (WHERE b.due) AS due, avg(b.buys::int) AS base, count(*) FILTER (WHERE b.due) AS flagged, avg(b.due::int) FILTER (WHERE b.buys) AS recall, avg(b.due::int) AS share
  FROM (SELECT c.customer, EXISTS (SELECT FROM :shop.orders AS o WHERE o.customer_id = c.customer AND o.amount > 0 AND o.ordered_on > :'day' AND o.ordered_on <= :'day'::date + 30) AS buys,
          EXISTS (SELECT FROM bench_truth.life_moments AS l WHERE l.customer = c.customer AND l.moment = 'purchase_due' AND l.begins <= :'day' AND coalesce(l.ends, 'infinity') >= :'day') AS due
        FROM bench_truth.customer_facts AS c WHERE purchase_days(c.history) > 1) AS b) AS s
CROSS JOIN LATERAL (VALUES
  ('life_moment', 'precision, purchase_due: buys within 30 days', due, format('any repeat buyer %s; %s found', round(base, 3), flagged)),
  ('life_moment', 'recall, purchase_due: of those who buy', recall, format('by chance %s', round(share, 3)))) AS v;

-- Products: the first offer, or one of the five, among those bought in the 90 days.
INSERT INTO result (axis, measure, ours, beside)
WITH bought AS (SELECT DISTINCT l.customer_id AS customer, l.product_id::text AS product FROM :shop.order_lines AS l WHERE l.ordered_on > :'day' AND l.amount > 0),
  buyer AS (SELECT DISTINCT b.customer FROM bought AS b JOIN bench_truth.customer_products AS o USING (customer)),
  common AS (SELECT l.product_id::text AS product, row_number() OVER (ORDER BY count(*) DESC, l.product_id) AS place FROM known.order_lines AS l GROUP BY l.product_id),
  hit AS (
    SELECT 'ours' AS who, o.customer, o.place FROM bench_truth.customer_products AS o JOIN bought USING (customer, product)
    UNION ALL SELECT 'common', b.customer, c.place FROM bought AS b JOIN common AS c USING (product))
SELECT 'product_appetence', v.measure, v.ours, v.beside FROM (
  SELECT h.who, count(DISTINCT h.customer) FILTER (WHERE h.place = 1)::numeric / b.n AS first, count(DISTINCT h.customer) FILTER (WHERE h.place <= 5)::numeric / b.n AS five
  FROM hit AS h JOIN buyer USING (customer) CROSS JOIN (SELECT count(*) AS n FROM buyer) AS b GROUP BY h.who, b.n) AS s
JOIN LATERAL (SELECT max(h.first) FROM (SELECT count(DISTINCT x.customer) FILTER (WHERE x.place = 1)::numeric / (SELECT count(*) FROM buyer) AS first FROM hit AS x JOIN buyer USING (customer) WHERE x.who = 'common') AS h) AS c (first) ON true
JOIN LATERAL (SELECT count(DISTINCT x.customer)::numeric / (SELECT count(*) FROM buyer) FROM hit AS x JOIN buyer USING (customer) WHERE x.who = 'common' AND x.place <= 5) AS d (five) ON true
CROSS JOIN LATERAL (VALUES ('the first offer is bought within 90 days, of those who buy', s.first, format('the most bought product %s', round(c.first, 3))),
  ('one of the first five is', s.five, format('the five most bought %s', round(d.five, 3)))) AS v (measure, ours, beside)
WHERE s.who = 'ours';

SELECT '| axis | measure | ours | beside |' UNION ALL SELECT '|---|---|---|---|';
SELECT format('| `%s` | %s | **%s** | %s |', axis, measure, coalesce(round(ours, CASE WHEN abs(ours) < 0.1 THEN 4 ELSE 3 END)::text, '-'), beside) FROM result ORDER BY place;
SELECT drop_workspace('bench_truth') \g /dev/null
DROP SCHEMA known CASCADE;
