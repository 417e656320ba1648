-- Precision and recall of the life-moment detectors on a simulated shop, against its hidden truth, beside a
-- naive rule for each. Variables: seed, customers. Run by life_moment.sh.
\set QUIET on
\pset pager off
SET search_path = segmentation, public;
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS moments_shop CASCADE;
SELECT FROM simulate_shop('moments_shop', :customers, seed => :seed, starts => '2020-01-01', ends => '2025-12-31',
  options => '{"acquisition_days": 900, "contacts": false, "consents": false, "subscriptions": false, "interactions": false}') \g /dev/null
CREATE TEMP TABLE histories AS
  SELECT customer_id, purchase_history(ordered_on, amount) AS h FROM moments_shop.orders GROUP BY customer_id;
CREATE TEMP TABLE markers AS
  SELECT l.customer_id, purchase_history(l.ordered_on, 1) FILTER (WHERE c.category = 'baby') AS baby,
         purchase_history(l.ordered_on, 1) FILTER (WHERE c.category = 'travel') AS travel
  FROM moments_shop.order_lines AS l JOIN moments_shop.products USING (product_id) JOIN moments_shop.categories AS c USING (category_id)
  GROUP BY l.customer_id;
CREATE TEMP TABLE days AS
  SELECT as_of, jsonb_build_object('prior', fit_loyalty_prior(h, as_of)) AS prior, fit_purchase_model(h, as_of, '{"family": "mbg_nbd"}') AS model
  FROM histories, unnest('{2024-06-30,2025-02-15,2025-06-30}'::date[]) AS as_of GROUP BY as_of;
CREATE TEMP TABLE facts AS
  SELECT as_of, customer_id, until(h, as_of) AS h, until(baby, as_of) AS baby, until(travel, as_of) AS travel, prior, model,
         recency(h, as_of) AS recency, mean_gap(h, as_of) AS gap, first_purchase(h) AS since,
         EXISTS (SELECT FROM days(h) AS d WHERE d.day > as_of AND d.day <= as_of + 30 AND d.purchases > 0) AS buys_soon,
         purchase_days(until(h, as_of - 180)) - purchase_days(until(h, as_of - 360)) AS before, purchase_days(h, as_of) - purchase_days(until(h, as_of - 180)) AS recent
  FROM days, histories LEFT JOIN markers USING (customer_id) WHERE first_purchase(h) <= as_of;
CREATE TEMP TABLE truth AS
  SELECT as_of, customer_id, array_agg(moment) AS moments
  FROM days JOIN moments_shop.truth_moments ON as_of BETWEEN begins AND coalesce(ends, 'infinity')
    AND NOT (moment = 'waning_interest' AND begins > as_of - 30)
  GROUP BY as_of, customer_id;
-- Who stopped, paused or began to wane in the last half year, and whose rate has fallen at all.
CREATE TEMP TABLE gone AS
  SELECT as_of, customer_id FROM days JOIN moments_shop.truth_customers ON lifetime_ends::date BETWEEN as_of - 180 AND as_of
  UNION SELECT as_of, customer_id FROM days JOIN moments_shop.truth_moments ON moment IN ('dormant', 'waning_interest') AND begins BETWEEN as_of - 180 AND as_of;
CREATE TEMP TABLE fallen AS
  SELECT as_of, customer_id FROM days JOIN moments_shop.truth_customers ON lifetime_ends::date <= as_of
  UNION SELECT as_of, customer_id FROM truth WHERE moments && '{dormant,waning_interest}';

-- Every rule as rows (moment, rule, as_of, customer_id) of those it flags.
CREATE TEMP TABLE flags (moment text, rule text, as_of date, customer_id integer);
INSERT INTO flags SELECT m.moment, 'own gaps, shrunk', as_of, customer_id FROM facts, purchase_due(h, as_of, alive_probability(model, h, as_of), prior) AS m WHERE m.moment IN ('purchase_due', 'purchase_overdue');
INSERT INTO flags SELECT 'purchase_due', '… and confidence >= .5', as_of, customer_id FROM facts, purchase_due(h, as_of, alive_probability(model, h, as_of), prior) AS m WHERE m.moment = 'purchase_due' AND m.confidence >= .5;
INSERT INTO flags SELECT 'purchase_due', 'naive: .75 to 1.25 mean gaps', as_of, customer_id FROM facts WHERE recency BETWEEN .75 * gap AND 1.25 * gap;
INSERT INTO flags SELECT 'purchase_overdue', 'naive: 2 mean gaps', as_of, customer_id FROM facts WHERE recency > 2 * gap;
CREATE TEMP TABLE waning AS SELECT as_of, customer_id, m.*, q_value(m.p_value) OVER (PARTITION BY as_of) AS q, m.p_value <= .05 AND (m.evidence ->> 'ratio')::float8 <= .5 AS fell FROM facts, waning_interest(h, as_of) AS m;
INSERT INTO flags SELECT 'waning_interest', 'exact test, p <= .05', as_of, customer_id FROM waning WHERE moment = 'waning_interest';
INSERT INTO flags SELECT 'waning_interest', '… and q <= .2', as_of, customer_id FROM waning WHERE moment = 'waning_interest' AND q <= .2;
INSERT INTO flags SELECT 'rate fell', 'exact test, p <= .05', as_of, customer_id FROM waning WHERE fell;
INSERT INTO flags SELECT 'rate fell', '… and q <= .2', as_of, customer_id FROM waning WHERE fell AND q <= .2;
INSERT INTO flags SELECT 'rate fell', 'naive: half of the 180 days before', as_of, customer_id FROM facts WHERE before > 0 AND recent <= .5 * before;
INSERT INTO flags SELECT 'waning_interest', '… also of who stopped', as_of, customer_id FROM waning WHERE fell;
INSERT INTO flags SELECT 'waning_interest', 'naive: half of the 180 days before', as_of, customer_id FROM facts WHERE before > 0 AND recent <= .5 * before;
INSERT INTO flags SELECT 'holiday_ahead', 'travel, same weeks, 2 years', as_of, customer_id FROM facts, yearly_recurrence(travel, as_of, since) AS m WHERE m.moment = 'holiday_ahead';
INSERT INTO flags SELECT 'holiday_ahead', 'naive: travel a year ago', as_of, customer_id FROM facts WHERE EXISTS (SELECT FROM days(travel) AS d WHERE d.day BETWEEN as_of - 379 AND as_of - 351);
INSERT INTO flags SELECT m.moment, 'silence long for them', as_of, customer_id FROM facts, reactivated(h, as_of, prior) AS m WHERE m.moment = 'reactivated';
INSERT INTO flags SELECT 'reactivated', 'naive: 180 days of silence', f.as_of, f.customer_id FROM facts AS f
  WHERE EXISTS (SELECT FROM (SELECT day, day - lag(day) OVER (ORDER BY day) AS silence FROM days(f.h) WHERE purchases > 0) AS d WHERE d.day > f.as_of - 60 AND d.silence > 180);
INSERT INTO flags SELECT m.moment, 'baby goods, not by chance', as_of, customer_id FROM facts, marker_purchase(baby, h, as_of) AS m WHERE m.moment = 'birth';
INSERT INTO flags SELECT 'birth', 'naive: any baby goods, 180 days', as_of, customer_id FROM facts WHERE purchase_days(baby) > purchase_days(until(baby, as_of - 180));
INSERT INTO flags SELECT DISTINCT m.moment, 'attributes, by the mapping', f.as_of, f.customer_id FROM facts AS f JOIN moments_shop.attribute_history AS a USING (customer_id) JOIN moments_shop.customers AS c USING (customer_id),
  attribute_moment(a.attribute, a.changed_on, a.old_value, a.new_value, f.as_of, is_company => c.is_company) AS m WHERE m.moment <> 'none';
INSERT INTO flags SELECT DISTINCT n.moment, 'naive: attribute changed in 90 days', f.as_of, f.customer_id FROM facts AS f JOIN moments_shop.attribute_history AS a USING (customer_id)
  JOIN (VALUES ('postcode', 'moving'), ('postcode', 'company_move'), ('household_size', 'birth'), ('marital_status', 'marriage'), ('occupation_code', 'retirement')) AS n (attribute, moment) USING (attribute)
  WHERE a.changed_on BETWEEN f.as_of - 89 AND f.as_of;

WITH real AS (
  SELECT 'purchase_due' AS moment, as_of, customer_id FROM facts WHERE buys_soon
  UNION ALL SELECT 'purchase_overdue', as_of, customer_id FROM facts JOIN gone USING (as_of, customer_id)
  UNION ALL SELECT 'rate fell', as_of, customer_id FROM facts JOIN fallen USING (as_of, customer_id)
  UNION ALL SELECT m, as_of, customer_id FROM facts JOIN truth USING (as_of, customer_id), unnest(moments) AS m
)
SELECT f.moment, f.rule, r.real, count(*) AS flagged, round(avg((x.customer_id IS NOT NULL)::integer), 3) AS precision,
       round(count(x.customer_id)::numeric / nullif(r.real, 0), 3) AS recall
FROM flags AS f
LEFT JOIN real AS x USING (moment, as_of, customer_id)
LEFT JOIN (SELECT moment, count(*) AS real FROM real GROUP BY moment) AS r USING (moment)
GROUP BY f.moment, f.rule, r.real
ORDER BY array_position('{purchase_due,purchase_overdue,rate fell,waning_interest,holiday_ahead,reactivated,birth,moving,marriage,retirement,company_move}', f.moment), f.rule LIKE 'naive%', f.rule DESC;
