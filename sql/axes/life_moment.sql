-- Life moments: what is happening in a customer's life or relation just now.

CREATE TYPE segmentation.life_moment AS (
  moment text,
  begins date,
  ends date,
  confidence double precision,
  p_value double precision,
  evidence jsonb,
  next_change date
);
COMMENT ON TYPE segmentation.life_moment IS
  'A moment (none: nothing is on; insufficient_data: it cannot be said), its first and last day, how probably it is '
  'real, the p value of its test, the figures behind it, and the first day on which the code changes by itself (or an '
  'earlier day to look again).';

CREATE FUNCTION segmentation.purchase_due(
  history segmentation.purchase_history, as_of date, alive double precision DEFAULT 1, options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'purchase_due_wrapper';
COMMENT ON FUNCTION segmentation.purchase_due(segmentation.purchase_history, date, double precision, jsonb) IS
  'purchase_due or purchase_overdue, by the customer''s own gaps drawn to the population''s (option prior, by '
  'fit_loyalty_prior). alive: alive_probability of a purchase model. Options: prior, from, until, lapsed, horizon, '
  'least_gaps.';
CREATE FUNCTION segmentation.waning_interest(
  history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'waning_interest_wrapper';
COMMENT ON FUNCTION segmentation.waning_interest(segmentation.purchase_history, date, jsonb) IS
  'waning_interest: fewer purchase days in the last window than the customer''s own past makes plausible (exact '
  'test). Options: window, ratio, alpha, least_days, least_recent, gone.';
CREATE FUNCTION segmentation.waning_interest(
  recent bigint, recent_days double precision, before bigint, before_days double precision, as_of date,
  options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'waning_interest_counts_wrapper';
COMMENT ON FUNCTION segmentation.waning_interest(bigint, double precision, bigint, double precision, date, jsonb) IS
  'The same from counts of visits, clicks, answers or anything. It has to be asked again every day.';
CREATE TYPE segmentation.rate_ratio AS (
  ratio double precision, lower double precision, upper double precision, p_value double precision
);
COMMENT ON TYPE segmentation.rate_ratio IS
  'A rate over an earlier one, its exact interval (upper NULL: not bounded), and the p value of a fall.';
CREATE FUNCTION segmentation_internal.rate_ratio_test(
  recent bigint, recent_days double precision, before bigint, before_days double precision,
  level double precision DEFAULT 0.95
) RETURNS segmentation.rate_ratio
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'rate_ratio_test_wrapper';
COMMENT ON FUNCTION segmentation_internal.rate_ratio_test(
  bigint, double precision, bigint, double precision, double precision
) IS
  'Exact one-sided test that a Poisson rate has fallen, given all events, with the exact interval of the ratio.';
CREATE FUNCTION segmentation.yearly_recurrence(
  history segmentation.purchase_history, as_of date, since date DEFAULT NULL, moment text DEFAULT 'holiday_ahead',
  calendar jsonb DEFAULT NULL, options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'yearly_recurrence_wrapper';
COMMENT ON FUNCTION segmentation.yearly_recurrence(segmentation.purchase_history, date, date, text, jsonb, jsonb) IS
  'Whether the time of the year has come at which the customer bought in earlier years: holiday_ahead, with purchases '
  'of travel goods. since: from when they were observed. calendar: list of {name, begins, ends}. Options: half_width, '
  'lead, ahead, least_years, alpha.';
CREATE FUNCTION segmentation.first_purchase_moment(
  history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'first_purchase_moment_wrapper';
COMMENT ON FUNCTION segmentation.first_purchase_moment(segmentation.purchase_history, date, jsonb) IS
  'first_purchase, for the first days (option days, 30) after it.';
CREATE FUNCTION segmentation.reactivated(history segmentation.purchase_history, as_of date, options jsonb DEFAULT '{}')
  RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'reactivated_wrapper';
COMMENT ON FUNCTION segmentation.reactivated(segmentation.purchase_history, date, jsonb) IS
  'reactivated: bought again after a silence that was long for this customer too. Options: prior, silence, days, '
  'level.';
-- All that purchases tell from one reading of them, for a refresh, which keeps nothing of what is not on.
CREATE FUNCTION segmentation_internal.purchase_moments(
  history segmentation.purchase_history, as_of date, alive double precision, due jsonb, waning jsonb,
  first_purchase jsonb, reactivated jsonb
) RETURNS segmentation.life_moment[]
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1500 AS 'MODULE_PATHNAME', 'purchase_moments_wrapper';
COMMENT ON FUNCTION segmentation_internal.purchase_moments(
  segmentation.purchase_history, date, double precision, jsonb, jsonb, jsonb, jsonb
) IS
  'Part of refresh: the moments of purchase_due, waning_interest, first_purchase_moment and reactivated that are on, '
  'by their options (NULL: is not looked for); then, if there is one, the first day on which another may be, as none.';
CREATE FUNCTION segmentation.anniversary(
  "on" date, as_of date, kind text DEFAULT 'birth_date', options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'anniversary_wrapper';
COMMENT ON FUNCTION segmentation.anniversary(date, date, text, jsonb) IS
  'anniversary: the yearly day of a date (birth, first order) is near. Options: ahead (14 days), after (0), leap_day '
  '(february_28 or march_1).';
CREATE FUNCTION segmentation.attribute_moment(
  attribute text, changed_on date, old_value text, new_value text, as_of date, mapping jsonb DEFAULT NULL,
  is_company boolean DEFAULT false
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'attribute_moment_wrapper';
COMMENT ON FUNCTION segmentation.attribute_moment(text, date, text, text, date, jsonb, boolean) IS
  'What a change of an attribute means (moving, birth, marriage, separation, retirement, company_move, '
  'new_decision_maker), by a mapping; without one by attribute_moment_mapping().';
CREATE FUNCTION segmentation.attribute_moment_mapping() RETURNS jsonb
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'attribute_moment_mapping_wrapper';
COMMENT ON FUNCTION segmentation.attribute_moment_mapping() IS
  'The mapping of attribute_moment: to be used as it is, or as a start for your own.';
CREATE FUNCTION segmentation.marker_purchase(
  marker segmentation.purchase_history, history segmentation.purchase_history, as_of date, moment text DEFAULT 'birth',
  options jsonb DEFAULT '{}'
) RETURNS segmentation.life_moment
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'marker_purchase_wrapper';
COMMENT ON FUNCTION segmentation.marker_purchase(
  segmentation.purchase_history, segmentation.purchase_history, date, text, jsonb
) IS
  'A customer has begun to buy in a category that marks a moment (baby goods: birth). marker: purchases in it; '
  'history: all. Options: days, least, alpha.';

-- False discovery.

CREATE FUNCTION segmentation.q_value(p_value double precision, method text DEFAULT 'bh') RETURNS double precision
  LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'q_value_window';
COMMENT ON FUNCTION segmentation.q_value(double precision, text) IS
  'Window function: who takes all rows with a q value up to .1 has a share of false discoveries up to .1, on average. '
  'method bh (Benjamini-Hochberg) or by (Benjamini-Yekutieli: any dependence). NULLs are no tests.';

-- The one moment of a customer. Commutative and associative, so that any order gives the same.

CREATE FUNCTION segmentation_internal.strongest_moment_add(segmentation.life_moment, segmentation.life_moment)
  RETURNS segmentation.life_moment
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE
    WHEN ($1).moment IS NULL THEN $2
    WHEN ($2).moment IS NULL THEN $1
    ELSE (
      SELECT ROW(s.moment, s.begins, s.ends, s.confidence, s.p_value, s.evidence,
                 least(($1).next_change, ($2).next_change))::segmentation.life_moment
      FROM (VALUES (($1).moment, ($1).begins, ($1).ends, ($1).confidence, ($1).p_value, ($1).evidence),
                   (($2).moment, ($2).begins, ($2).ends, ($2).confidence, ($2).p_value, ($2).evidence))
           AS s (moment, begins, ends, confidence, p_value, evidence)
      ORDER BY CASE s.moment WHEN 'insufficient_data' THEN 2 WHEN 'none' THEN 1 ELSE 0 END,
               s.confidence DESC NULLS LAST, s.moment COLLATE "C", s.begins, s.ends, s.p_value, s.evidence
      LIMIT 1)
    END;
END;
COMMENT ON FUNCTION segmentation_internal.strongest_moment_add(segmentation.life_moment, segmentation.life_moment) IS
  'transition and combine function of strongest_moment';
CREATE AGGREGATE segmentation.strongest_moment(segmentation.life_moment) (
  SFUNC = segmentation_internal.strongest_moment_add,
  STYPE = segmentation.life_moment,
  COMBINEFUNC = segmentation_internal.strongest_moment_add,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.strongest_moment(segmentation.life_moment) IS
  'The most confident of a customer''s moments, with the first day on which any of them changes. none comes before '
  'insufficient_data: something was looked at.';
