-- The axis life_cycle: where a customer stands between the first purchase and the last, by the customer's own rhythm.

-- The rhythm is the mean of the customer's own gaps between purchase days and of one gap as others have it: so one
-- purchase is enough, and two in one week make no weekly customer. An expression in functions of the history, without a
-- subquery and with plain arguments: PostgreSQL puts it where it is used.

CREATE FUNCTION segmentation_internal.life_cycle_rhythm(
  history segmentation.purchase_history, as_of date, gap double precision)
RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (segmentation.tenure(history, as_of) - segmentation.recency(history, as_of) + gap)
    / segmentation.purchase_days(history, as_of);
COMMENT ON FUNCTION segmentation_internal.life_cycle_rhythm(segmentation.purchase_history, date, double precision) IS
  'Part of life_cycle: days from one purchase day to the next.';

-- Of the purchase days in sight, the last one that came after a lapse by the rhythm until then.
CREATE FUNCTION segmentation_internal.life_cycle_back(
  history segmentation.purchase_history, as_of date, gap double precision, back_days integer, lapsed double precision
) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT max(d.day)
    FROM (
      SELECT d.day, lag(d.day) OVER w AS before, first_value(d.day) OVER w AS first,
        row_number() OVER w - 1 AS days_before
      FROM segmentation.days(history) AS d
      WHERE d.purchases > 0 AND d.day <= as_of
      WINDOW w AS (ORDER BY d.day)) AS d
    WHERE d.day > as_of - back_days AND d.days_before > 0
      AND d.day - 1 - d.before > lapsed * ((d.before - d.first + gap) / d.days_before));
COMMENT ON FUNCTION segmentation_internal.life_cycle_back(
  segmentation.purchase_history, date, double precision, integer, double precision) IS
  'Part of life_cycle: the last day, less than back_days ago, on which the customer bought again after a lapse; NULL '
  'if there is none.';

CREATE FUNCTION segmentation_internal.life_cycle_ahead(history segmentation.purchase_history, as_of date) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT min(d.day) FROM segmentation.days(history) AS d WHERE d.purchases > 0 AND d.day > as_of);
COMMENT ON FUNCTION segmentation_internal.life_cycle_ahead(segmentation.purchase_history, date) IS
  'Part of life_cycle_next_change: the first purchase day after a day.';

CREATE FUNCTION segmentation_internal.life_cycle_refuse(
  gap double precision, new_days integer, back_days integer, slowing double precision, lapsed double precision
) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE invalid_parameter_value USING
    MESSAGE = format('gap %s, new_days %s, back_days %s, slowing %s and lapsed %s make no life cycle',
      gap, new_days, back_days, slowing, lapsed),
    DETAIL = 'gap is from 0 to 36500 days, new_days and back_days are from 0 to 36500, slowing and lapsed from 0 to '
      '10000.';
END
$$;
COMMENT ON FUNCTION
  segmentation_internal.life_cycle_refuse(double precision, integer, integer, double precision, double precision) IS
  'Part of life_cycle: an error that names the arguments.';

CREATE FUNCTION segmentation.life_cycle(
  history segmentation.purchase_history, as_of date, gap double precision DEFAULT 60, new_days integer DEFAULT 30,
  back_days integer DEFAULT 60, slowing double precision DEFAULT 2, lapsed double precision DEFAULT 4
) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN as_of IS NULL OR gap IS NULL OR new_days IS NULL OR back_days IS NULL OR slowing IS NULL OR lapsed IS NULL
    THEN NULL
    WHEN NOT (gap BETWEEN 0 AND 36500 AND new_days BETWEEN 0 AND 36500 AND back_days BETWEEN 0 AND 36500
      AND slowing BETWEEN 0 AND 10000 AND lapsed BETWEEN 0 AND 10000)
    THEN segmentation_internal.life_cycle_refuse(gap, new_days, back_days, slowing, lapsed)
    WHEN coalesce(segmentation.purchase_days(history, as_of), 0) = 0 THEN 'prospect'
    WHEN segmentation.tenure(history, as_of) < new_days THEN 'new'
    WHEN segmentation.recency(history, as_of) < back_days
      AND segmentation_internal.life_cycle_back(history, as_of, gap, back_days, lapsed) IS NOT NULL THEN 'reactivated'
    WHEN segmentation.recency(history, as_of) > lapsed * segmentation_internal.life_cycle_rhythm(history, as_of, gap)
    THEN 'lapsed'
    WHEN segmentation.recency(history, as_of) > slowing * segmentation_internal.life_cycle_rhythm(history, as_of, gap)
    THEN 'slowing'
    ELSE 'active' END;
COMMENT ON FUNCTION segmentation.life_cycle(
  segmentation.purchase_history, date, double precision, integer, integer, double precision, double precision) IS
  'Where a customer stands at a day: prospect (never bought), new (for new_days after the first purchase), '
  'reactivated (for back_days after a purchase that ended a lapse), active, slowing (silent for more than slowing '
  'times the own rhythm), lapsed (for more than lapsed times). The rhythm is the mean of the own gaps and of one gap '
  'of others (gap, in days).';

-- In silence a code ends on one day, and none comes back.
CREATE FUNCTION segmentation.life_cycle_next_change(
  history segmentation.purchase_history, as_of date, gap double precision DEFAULT 60, new_days integer DEFAULT 30,
  back_days integer DEFAULT 60, slowing double precision DEFAULT 2, lapsed double precision DEFAULT 4
) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN LEAST(
    CASE segmentation.life_cycle(history, as_of, gap, new_days, back_days, slowing, lapsed)
      WHEN 'new' THEN segmentation.first_purchase(history) + new_days
      WHEN 'reactivated' THEN segmentation_internal.life_cycle_back(history, as_of, gap, back_days, lapsed) + back_days
      WHEN 'active' THEN as_of - segmentation.recency(history, as_of) + 1
        + floor(least(1e6,
          least(slowing, lapsed) * segmentation_internal.life_cycle_rhythm(history, as_of, gap)))::integer
      WHEN 'slowing' THEN as_of - segmentation.recency(history, as_of) + 1
        + floor(least(1e6, lapsed * segmentation_internal.life_cycle_rhythm(history, as_of, gap)))::integer END,
    CASE WHEN segmentation.last_purchase(history) > as_of
      THEN segmentation_internal.life_cycle_ahead(history, as_of) END);
COMMENT ON FUNCTION segmentation.life_cycle_next_change(
  segmentation.purchase_history, date, double precision, integer, integer, double precision, double precision) IS
  'The first day after as_of on which life_cycle changes if nothing is bought, or on which a purchase that is dated '
  'ahead comes into sight. NULL: never.';

-- The workspace: the gap of others is the median of the customers' mean gaps.

CREATE FUNCTION segmentation_internal.workspace_train_life_cycle(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET life_cycle_gap = (
      SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY segmentation.mean_gap(f.history, $2))
      FROM @ws@.stage_facts AS f)
    WHERE g.parameter_set = $1$q$) USING number, as_of;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_life_cycle(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis life_cycle.';

INSERT INTO segmentation.workspace_setting (place, name, type, default_value, least, greatest, choices, about) VALUES
  (115, 'life_cycle_new', 'interval', '"30 days"', 1, 3660, NULL, 'life_cycle: new for this time from the first '
    'purchase on.'),
  (116, 'life_cycle_back', 'interval', '"60 days"', 1, 3660, NULL, 'life_cycle: reactivated for this time from a '
    'purchase on that ended a lapse.'),
  (117, 'life_cycle_slowing', 'number', '2', 1, 1000, NULL, 'life_cycle: slowing after a silence of more than so many '
    'times the customer''s own rhythm.'),
  (118, 'life_cycle_lapsed', 'number', '4', 1, 1000, NULL, 'life_cycle: lapsed after a silence of more than so many '
    'times the customer''s own rhythm.');

INSERT INTO segmentation.workspace_axis (axis, place, about, readiness, train, code, changes_on, numbers, topic)
VALUES (
  'life_cycle', 100, 'Where the customer stands: prospect, new, active, slowing, lapsed, reactivated.',
  $$seen.lasting$$,
  'segmentation_internal.workspace_train_life_cycle',
  -- code
  $$segmentation.life_cycle(f.history, p.as_of, p.life_cycle_gap, p.life_cycle_new, p.life_cycle_back,
    p.life_cycle_slowing, p.life_cycle_lapsed)$$,
  -- changes_on
  $$segmentation.life_cycle_next_change(f.history, p.as_of, p.life_cycle_gap, p.life_cycle_new, p.life_cycle_back,
    p.life_cycle_slowing, p.life_cycle_lapsed)$$,
  -- numbers
  $$jsonb_build_object(
    'recency', s.recency,
    'first_on', p.as_of - segmentation.tenure(f.history, p.as_of),
    'back_on', segmentation_internal.life_cycle_back(
      f.history, p.as_of, p.life_cycle_gap, p.life_cycle_back, p.life_cycle_lapsed),
    'new_days', p.life_cycle_new,
    'back_days', p.life_cycle_back,
    'rhythm', segmentation_internal.workspace_rounded(
      segmentation_internal.life_cycle_rhythm(f.history, p.as_of, p.life_cycle_gap), 1),
    'slowing_days', floor(p.life_cycle_slowing
      * segmentation_internal.life_cycle_rhythm(f.history, p.as_of, p.life_cycle_gap)),
    'lapsed_days', floor(p.life_cycle_lapsed
      * segmentation_internal.life_cycle_rhythm(f.history, p.as_of, p.life_cycle_gap)),
    'refunds', CASE WHEN segmentation_internal.workspace_refunds_only(
      f.history, p.as_of) THEN -segmentation.monetary(f.history, p.as_of) END)$$,
  -- topic
  $$CASE WHEN c.life_cycle = 'prospect' AND segmentation_internal.workspace_refunds_only(f.history, p.as_of)
    THEN 'life_cycle.refunds_only' END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, about) VALUES
  (170, 'life_cycle', 'life_cycle_gap', 'double precision', 'Median of the customers'' mean gaps, in days.');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('life_cycle', 'life_cycle_gap', 'double precision', $$g.life_cycle_gap$$),
  ('life_cycle', 'life_cycle_new', 'integer',
    $$ceil(extract(epoch FROM (g.settings ->> 'life_cycle_new')::interval) / 86400)::integer$$),
  ('life_cycle', 'life_cycle_back', 'integer',
    $$ceil(extract(epoch FROM (g.settings ->> 'life_cycle_back')::interval) / 86400)::integer$$),
  ('life_cycle', 'life_cycle_slowing', 'double precision', $$(g.settings ->> 'life_cycle_slowing')::double precision$$),
  ('life_cycle', 'life_cycle_lapsed', 'double precision', $$(g.settings ->> 'life_cycle_lapsed')::double precision$$);

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('life_cycle', 'en', 'Last purchase {recency} days ago, at a rhythm of {rhythm} days: '
    'slowing after {slowing_days} days of silence, lapsed after {lapsed_days}.'),
  ('life_cycle', 'fr', 'Dernier achat il y a {recency} jours, pour un rythme de {rhythm} jours : '
    'ralentit après {slowing_days} jours de silence, perdu de vue après {lapsed_days}.'),
  ('life_cycle.prospect', 'en', 'Has not bought anything yet.'),
  ('life_cycle.prospect', 'fr', 'N''a encore rien acheté.'),
  ('life_cycle.refunds_only', 'en', 'Only refunds are known, {refunds} {currency}: what was sent back was bought '
    'before the log begins.'),
  ('life_cycle.refunds_only', 'fr', 'On ne connaît que des remboursements, {refunds} {currency} : l''achat est plus '
    'ancien que le journal.'),
  ('life_cycle.new', 'en', 'First purchase on {first_on}: new for {new_days} days.'),
  ('life_cycle.new', 'fr', 'Premier achat le {first_on} : nouveau pendant {new_days} jours.'),
  ('life_cycle.reactivated', 'en', 'Bought again on {back_on} after a lapse: counted as back for {back_days} days.'),
  ('life_cycle.reactivated', 'fr', 'De retour le {back_on} après une longue absence : compté comme tel pendant '
    '{back_days} jours.');
