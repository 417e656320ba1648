-- Life moments: each detector at its edges, tests against SciPy, false discovery, the one moment of a customer.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET extra_float_digits = 0;

-- The exact test: scipy.stats.binomtest(recent, recent + before, recent_days / (recent_days + before_days), 'less').pvalue, SciPy 1.17.1.
SELECT recent, before, abs((t).p_value / scipy - 1) < 1e-10 AS as_scipy, round((t).ratio::numeric, 3) AS ratio, round((t).lower::numeric, 4) AS lower, round((t).upper::numeric, 4) AS upper
FROM (SELECT *, segmentation_internal.rate_ratio_test(recent, recent_days, before, before_days) AS t
      FROM (VALUES (0, 180, 6, 540, 0.17797851562500003), (1, 90, 20, 360, 0.05764607523034242), (3, 30, 40, 365, 0.5856348379607226), (2, 180, 2, 200, 0.7258998933402905),
                   (5, 90, 20, 360, 0.6166894117793686), (0, 60, 100, 700, 0.0002681913542884612)) AS v (recent, recent_days, before, before_days, scipy)) AS s;
SELECT segmentation_internal.rate_ratio_test(0, 9, 0, 9) AS nothing, (segmentation_internal.rate_ratio_test(3, 9, 0, 9)).ratio IS NULL AS no_past;
CALL refused('SELECT segmentation_internal.rate_ratio_test(-1, 9, 0, 9)');
CALL refused('SELECT segmentation_internal.rate_ratio_test(1, 0, 0, 9)');
CALL refused('SELECT segmentation_internal.rate_ratio_test(1, ''NaN'', 0, 9)');
CALL refused('SELECT segmentation_internal.rate_ratio_test(1, 9, 0, 9, 1)');

-- q values: scipy.stats.false_discovery_control, SciPy 1.17.1. Ties share one; NULL is no test.
SELECT p, round(q_value(p) OVER ()::numeric, 12) AS bh, round(q_value(p, 'by') OVER ()::numeric, 12) AS "by"
FROM unnest('{.01,.02,.03,.04,.05,.01,.9,.5,1,.001,NULL}'::float8[]) WITH ORDINALITY AS v (p, n) ORDER BY n;
-- By partition, as if each were alone; and by its definition.
CREATE TEMP TABLE tests AS SELECT n % 4 AS g, CASE WHEN n % 4 < 3 THEN (n * 37 % 101)::float8 / 101 END AS p FROM generate_series(1, 400) AS n;
SELECT g, count(*) AS rows, count(q) AS tests, bool_and(abs(q - definition) < 1e-12) AS by_definition FROM (
  SELECT g, p, q, least(1, (SELECT min(b.p * (SELECT count(p) FROM tests AS n WHERE n.g = t.g) / (SELECT count(*) FROM tests AS c WHERE c.g = t.g AND c.p <= b.p)) FROM tests AS b WHERE b.g = t.g AND b.p >= t.p)) AS definition
  FROM (SELECT g, p, q_value(p) OVER (PARTITION BY g) AS q FROM tests) AS t) AS s GROUP BY g ORDER BY g;
CALL refused('SELECT q_value(p) OVER () FROM unnest(''{1.5}''::float8[]) AS p');
CALL refused('SELECT q_value(p) OVER () FROM unnest(''{NaN}''::float8[]) AS p');
CALL refused('SELECT q_value(p, ''fdr'') OVER () FROM unnest(''{.5}''::float8[]) AS p');
CALL refused('SELECT q_value(p, NULL) OVER () FROM unnest(''{.5}''::float8[]) AS p');

-- Purchase due and overdue: a monthly customer through the year after the last purchase.
CREATE TEMP TABLE monthly AS SELECT purchase_history(d::date, 1) AS h FROM generate_series(date '2025-01-01', '2025-12-01', '1 month') AS d;
SELECT m.moment, min(d)::date AS first, max(d)::date AS last, min(m.begins) AS begins, min(m.ends) AS ends, round(min(m.confidence)::numeric, 3) AS least, round(max(m.confidence)::numeric, 3) AS most
FROM monthly, generate_series(date '2025-12-01', '2026-12-31', '1 day') AS d, purchase_due(h, d::date) AS m GROUP BY 1 ORDER BY 2;
SELECT purchase_due(h, '2026-01-01', alive => .5) AS half_alive FROM monthly;
SELECT purchase_due(NULL, '2026-01-01') AS nobody, purchase_due(purchase_history(date '2026-01-01', 1), '2026-02-01') AS once;
SELECT (purchase_due(purchase_history(date '2026-01-01', 1), '2026-03-01', options => '{"least_gaps": 0, "prior": {"kind": "loyalty_prior", "version": 1, "parameters": {"shape": 2, "shape_spread": 0.3, "gap": 60, "gap_spread": 0.5}}}')).moment AS by_the_population;
SELECT purchase_due(NULL, NULL) IS NULL AS no_day;
CALL refused('SELECT purchase_due(NULL, ''2026-01-01'', options => ''{"from": 0.8, "until": 0.7}'')');
CALL refused('SELECT purchase_due(NULL, ''2026-01-01'', 1.5)');
CALL refused('SELECT purchase_due(NULL, ''2026-01-01'', options => ''{"horizont": 1}'')');
CALL refused('SELECT purchase_due(purchase_history(date ''2026-01-01'', 1), ''infinity'')');

-- Waning interest: every 20 days until the end of 2025, then once.
CREATE TEMP TABLE waning AS SELECT purchase_history(d::date, 1) AS h FROM (SELECT generate_series(date '2024-12-31', '2025-12-20', '20 days') UNION SELECT date '2026-03-01') AS t (d);
SELECT m.moment, m.begins, round(m.p_value::numeric, 6) AS p, round((segmentation_internal.rate_ratio_test((m.evidence ->> 'recent')::int, 180, (m.evidence ->> 'before')::int, (m.evidence ->> 'before_days')::float8)).p_value::numeric, 6) AS again, m.evidence, m.next_change
FROM waning, waning_interest(h, '2026-07-01') AS m;
SELECT m.moment, min(d)::date AS first, max(d)::date AS last FROM waning, generate_series(date '2025-01-01', '2027-12-31', '1 day') AS d, waning_interest(h, d::date) AS m GROUP BY 1 ORDER BY 2;
SELECT waning_interest(NULL, '2026-01-01') AS nobody, waning_interest(purchase_history(date '2020-01-01', 1), '2026-01-01') AS once, waning_interest(0, 90, 30, 365, '2026-07-01') AS clicks, waning_interest(0, 90, 0, 365, '2026-07-01') AS no_clicks;
CALL refused('SELECT waning_interest(0, 90, -1, 365, ''2026-07-01'')');
CALL refused('SELECT waning_interest(NULL, ''2026-01-01'', ''{"window": 0}'')');

-- Every year in June; by date, and by a calendar of school holidays.
CREATE TEMP TABLE travel AS SELECT purchase_history(d, 1) AS h FROM unnest('{2020-06-20,2021-06-15,2022-06-25,2023-06-18}'::date[]) AS d;
SELECT d, (yearly_recurrence(h, d, '2019-10-01')).* FROM travel, unnest('{2024-01-15,2024-06-16,2024-07-15}'::date[]) AS d;
SELECT d, m.moment, m.begins, m.ends, round(m.p_value::numeric, 5) AS p, m.evidence FROM travel, unnest('{2024-01-20,2024-06-10,2024-07-06}'::date[]) AS d,
  yearly_recurrence(h, d, '2019-10-01', calendar => '[{"name": "summer", "begins": "2021-07-06"}, {"name": "summer", "begins": "2022-07-07"}, {"name": "summer", "begins": "2023-07-08", "ends": "2023-09-03"}, {"name": "summer", "begins": "2024-07-06"}, {"name": "winter", "begins": "2023-02-04"}, {"name": "winter", "begins": "2024-02-10"}]') AS m;
SELECT (yearly_recurrence(h, '2024-06-16', '2019-10-01', 'gift_season')).moment AS own_code, (yearly_recurrence(h, '2020-07-16', '2019-10-01')).moment AS too_early, (yearly_recurrence(NULL, '2024-06-16')).moment AS nobody FROM travel;
CALL refused('SELECT yearly_recurrence(NULL, ''2024-01-01'', calendar => ''{}'')');
CALL refused('SELECT yearly_recurrence(NULL, ''2024-01-01'', calendar => ''[{"name": "x"}]'')');
CALL refused('SELECT yearly_recurrence(NULL, ''2024-01-01'', options => ''{"half_width": 100}'')');

-- First purchase, reactivation.
SELECT d, (first_purchase_moment(h, d)).* FROM monthly, unnest('{2024-12-31,2025-01-01,2025-01-30,2025-01-31}'::date[]) AS d;
CREATE TEMP TABLE back AS SELECT purchase_history(d, 1) AS h FROM unnest('{2024-01-01,2024-02-01,2024-03-05,2024-04-01,2025-03-01}'::date[]) AS d;
SELECT d, m.moment, m.begins, m.ends, round(m.p_value::numeric, 4) AS p, m.evidence, m.next_change FROM back, unnest('{2025-02-28,2025-03-01,2025-04-29,2025-04-30}'::date[]) AS d, reactivated(h, d) AS m;
-- Not a silence for one who buys once a year.
SELECT (reactivated(purchase_history(d::date, 1), '2026-01-10')).moment FROM generate_series(date '2018-01-01', '2026-01-01', '1 year') AS d;

-- Anniversaries; 29 February.
SELECT d, leap_day, m.moment, m.begins, m.ends, m.evidence ->> 'on' AS "on", m.evidence ->> 'years' AS years, m.next_change
FROM unnest('{2024-02-29,2026-02-13,2026-02-14,2026-02-28,2026-03-01,2026-03-02,2028-02-29}'::date[]) AS d, unnest('{february_28,march_1}'::text[]) AS leap_day,
     anniversary('2004-02-29', d, 'birth_date', jsonb_build_object('leap_day', leap_day)) AS m ORDER BY leap_day, d;
CALL refused('SELECT anniversary(''2004-02-29'', ''2026-01-01'', options => ''{"leap_day": "never"}'')');
CALL refused('SELECT anniversary(''-infinity'', ''2026-01-01'')');

-- Changes of attributes.
SELECT a.*, m.moment, m.begins, m.ends, m.confidence FROM (VALUES
  ('postcode', '75001', '69001', false), ('postcode', '75001', '69001', true), ('postcode', NULL, '69001', false), ('postcode', '75001', '75001', false), ('siret', '1', '2', true),
  ('household_size', '2', '3', false), ('household_size', '3', '2', false), ('household_size', '1', '2', false), ('marital_status', 'single', 'Married', false), ('marital_status', 'marié', 'divorcé', false),
  ('occupation_code', '37', '74', false), ('main_contact', 'Ada', 'Grace', true), ('colour', 'red', 'blue', false)) AS a (attribute, old, new, company),
  attribute_moment(attribute, '2026-01-01', old, new, '2026-01-20', is_company => company) AS m;
SELECT d, (attribute_moment('postcode', '2026-01-01', '1', '2', d)).* FROM unnest('{2025-12-31,2026-01-01,2026-03-31,2026-04-01}'::date[]) AS d;
SELECT (attribute_moment('plan', '2026-01-01', 'gold', 'basic', '2026-01-20', '[{"attribute": "plan", "new": "basic", "moment": "downgrade", "days": 30, "confidence": 1}]')).*;
CALL refused('SELECT attribute_moment(''a'', ''2026-01-01'', ''1'', ''2'', ''2026-01-20'', ''[{"attribute": "a"}]'')');
CALL refused('SELECT attribute_moment(''a'', ''2026-01-01'', ''1'', ''2'', ''2026-01-20'', ''[{"attribute": 1, "moment": "x"}]'')');
CALL refused('SELECT attribute_moment(''a'', ''2026-01-01'', ''1'', ''2'', ''2026-01-20'', ''[{"attribute": "a", "moment": "x", "change": "grew"}]'')');
CALL refused('SELECT attribute_moment(''a'', ''2026-01-01'', ''1'', ''2'', ''2026-01-20'', ''{}'')');

-- A marker category: C(4, 3) / C(10, 3) = 1 / 30.
SELECT d, m.moment, m.begins, m.ends, round(m.p_value::numeric, 6) AS p, m.evidence FROM
  (SELECT purchase_history(date '2026-01-01' + 10 * n, 1) AS h, purchase_history(date '2026-01-01' + 10 * n, 1) FILTER (WHERE n IN (6, 7, 9)) AS marker FROM generate_series(0, 9) AS n) AS t,
  unnest('{2026-03-02,2026-03-12,2026-04-10,2026-09-30}'::date[]) AS d, marker_purchase(marker, h, d) AS m;

-- The strongest: by confidence, whatever the order; the first change of any.
SELECT strongest_moment(m) AS strongest, strongest_moment(m ORDER BY n DESC) = strongest_moment(m) AS any_order FROM (
  SELECT 1 AS n, purchase_due(h, '2026-01-01') AS m FROM monthly UNION ALL SELECT 2, anniversary('1990-01-05', '2026-01-01') UNION ALL SELECT 3, attribute_moment('postcode', '2025-12-28', '1', '2', '2026-01-01')
  UNION ALL SELECT 4, NULL UNION ALL SELECT 5, waning_interest(NULL, '2026-01-01')) AS t;
SELECT (strongest_moment(m)).moment AS none_beats_insufficient, (strongest_moment(m) FILTER (WHERE n = 1)).moment AS one FROM (SELECT 1 AS n, waning_interest(NULL, '2026-01-01') AS m UNION ALL SELECT 2, first_purchase_moment(NULL, '2026-01-01')) AS t;

-- next_change is never late: every detector, day by day, for customers of the CD shop.
CREATE TEMP TABLE histories AS SELECT customer_id, until(purchase_history(purchased_on, amount), '1997-09-30') AS h FROM cdnow WHERE customer_id % 400 = 1 GROUP BY customer_id;
CREATE TEMP TABLE days AS
  SELECT customer_id, detector, d, (m).moment, (m).next_change
  FROM histories, LATERAL (SELECT date '1997-09-30' + n AS d FROM generate_series(0, 500, 4) AS n) AS n,
  LATERAL (VALUES ('due', purchase_due(h, d)), ('waning', waning_interest(h, d)), ('yearly', yearly_recurrence(h, d)), ('first', first_purchase_moment(h, d)),
                  ('reactivated', reactivated(h, d)), ('anniversary', anniversary(first_purchase(h), d, 'first_order'))) AS v (detector, m);
SELECT detector, count(*) AS answers, count(DISTINCT moment) AS codes, count(*) FILTER (WHERE late) AS late FROM (
  SELECT detector, moment, next_change <= d OR EXISTS (
    SELECT FROM days AS o WHERE (o.customer_id, o.detector) = (t.customer_id, t.detector) AND o.d > t.d AND o.d < coalesce(t.next_change, 'infinity') AND o.moment <> t.moment) AS late
  FROM days AS t) AS s GROUP BY 1 ORDER BY 1;

-- What is only written otherwise is no event.
SELECT a, o, n, (attribute_moment(a, '2024-06-01', o, n, '2024-06-10')).moment
FROM (VALUES ('marital_status', 'Married', 'MARRIED'), ('marital_status', 'marrié', 'Marié'), ('city', 'Paris', 'PARIS'), ('city', 'Paris', 'Paris '), ('city', 'Saint-Étienne', 'ST ETIENNE'),
  ('address', '3, av. Foch', '3 Avenue FOCH'), ('postcode', '06000', '6000'), ('siret', '73282932000074', '732 829 320 00074'), ('siret', '73282932000074', siret('732 829 320 00074')), ('contact', 'A. Petit', 'A. PETIT'),
  ('contact', 'A. Petit', 'M. A. Petit'), ('marital_status', 'pacsé', 'marié'), ('city', 'Saint-Étienne', 'Saint-Denis'), ('postcode', '06000', '60000'), ('contact', 'A. Petit', 'B. Petit')) AS v (a, o, n);
