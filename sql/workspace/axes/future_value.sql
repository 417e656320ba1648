-- The axis future_value: the band of the value that is to be expected.

CREATE FUNCTION segmentation_internal.workspace_value_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('discount_rate', settings -> 'value_discount_rate', 'margin', settings -> 'value_margin');
COMMENT ON FUNCTION segmentation_internal.workspace_value_options(jsonb) IS
  'Part of refresh: the options of future_value and future_value_next_change from the settings.';

-- With what subscriptions are expected to bring. A function of its own: workers share no query with a correlated
-- subquery.
CREATE FUNCTION segmentation_internal.workspace_value_with(
  bought numeric, model jsonb, subscriptions jsonb, as_of date, horizon interval, discount_rate double precision,
  margin double precision
) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
  RETURN (
    SELECT CASE WHEN bought IS NOT NULL OR e.value IS NOT NULL THEN coalesce(bought, 0) + coalesce(e.value, 0) END
    FROM segmentation_internal.workspace_subscription_value(
      model, subscriptions, as_of, horizon, discount_rate, margin) AS e);
COMMENT ON FUNCTION segmentation_internal.workspace_value_with(
  numeric, jsonb, jsonb, date, interval, double precision, double precision
) IS
  'Part of refresh: a value of purchases, and that of subscriptions; NULL without both.';

-- A horizon of months has the days that it has from the day of training on.
CREATE FUNCTION segmentation_internal.workspace_value_stack_options(settings jsonb, as_of date) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('horizon',
    least(greatest((as_of + (settings ->> 'value_horizon')::interval)::date - as_of, 1), 3653) || ' days')
  || CASE WHEN settings ->> 'purchase_family' IN ('nbd', 'bg_nbd', 'mbg_nbd', 'pareto_nbd')
    THEN jsonb_build_object('family', settings -> 'purchase_family') ELSE '{}' END;
COMMENT ON FUNCTION segmentation_internal.workspace_value_stack_options(jsonb, date) IS
  'Part of refresh: the options of fit_value_stack from the settings.';

-- What a stack says of its quality, as the quality of a parameter set has it.
CREATE FUNCTION segmentation_internal.workspace_value_quality(stack jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object(
    'value', coalesce(NULLIF(stack -> 'quality', 'null'), '{}') || jsonb_build_object(
      'predicted', round((stack #>> '{quality,predicted}')::numeric, 2),
      'actual', round((stack #>> '{quality,actual}')::numeric, 2),
      'candidate', stack -> 'candidate', 'correlation_past', stack -> 'correlation_past',
      'inner_days', coalesce(stack -> 'inner_days', '[]'), 'inner_horizon', stack -> 'inner_horizon',
      'warnings', coalesce(jsonb_path_query_array(stack, '$.warnings[*].code'), '[]')),
    'value_candidates', coalesce(stack -> 'candidates', '[]'));
COMMENT ON FUNCTION segmentation_internal.workspace_value_quality(jsonb) IS
  'Part of refresh: the quality of value of a parameter set from its stack.';

-- The limits; the stack was tested as it was trained. Whether purchases can be foreseen at all is tested with churn
-- where that is about purchases.
CREATE FUNCTION segmentation_internal.workspace_train_future_value(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  of_subscriptions boolean;
  tested jsonb;
BEGIN
  IF NOT segmentation_internal.workspace_ready(ws, number, 'future_value') THEN
    RETURN;
  END IF;
  of_subscriptions := segmentation_internal.workspace_train_subscriptions(ws, number, as_of);
  IF of_subscriptions THEN
    tested := segmentation_internal.workspace_backtest_subscription_value(facts, as_of, settings);
    EXECUTE format('UPDATE %s.parameter_set AS g SET quality = $2 || coalesce(g.quality, ''{}'') WHERE g.parameter_set '
      '= $1', ws)
      USING number, tested;
  ELSIF settings ->> 'churn_of' = 'purchases' THEN
    EXECUTE format('SELECT g.quality FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
      INTO tested USING number;
  ELSE
    tested := segmentation_internal.workspace_backtest(facts, as_of, settings);
    EXECUTE format('UPDATE %s.parameter_set AS g SET quality = $2 || g.quality WHERE g.parameter_set = $1', ws)
      USING number, tested;
  END IF;
  IF NOT of_subscriptions THEN
    EXECUTE format($q$
      UPDATE %s.parameter_set AS g
      SET quality = coalesce(g.quality, '{}') || segmentation_internal.workspace_value_quality(g.value_stack)
      WHERE g.parameter_set = $1$q$, ws)
      USING number;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_fits AS
    SELECT segmentation.pmg_cuts(@(value)@, p.value_limits) AS cuts
    FROM @(constants)@ AS p CROSS JOIN @(facts)@ AS f
    WHERE f.history IS NOT NULL OR f.subscriptions IS NOT NULL;
    UPDATE @ws@.parameter_set AS g SET value_cuts = (SELECT v.cuts FROM @ws@.stage_fits AS v)
    WHERE g.parameter_set = @(number)@;
    DROP TABLE @ws@.stage_fits$q$,
    jsonb_build_object('number', number, 'facts', facts, 'value', (
        SELECT o.expression FROM segmentation.workspace_score AS o WHERE o.name = 'future_value'),
      'constants', segmentation_internal.workspace_constants(ws, number, as_of)));
  IF NOT of_subscriptions AND tested #>> '{churn,auc}' IS NULL THEN
    PERFORM segmentation_internal.workspace_unready(
      ws, number, 'future_value', segmentation_internal.workspace_one_outcome(settings));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_future_value(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis future_value, and tests it.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, code, changes_on, look_again, numbers, topic)
VALUES (
  'future_value', 50, 'Expected value: high, medium, low, none.',
  $$CASE WHEN seen.lasting ->> 'code' = 'no_source' AND 'subscriptions' = ANY (seen.kinds)
    THEN segmentation_internal.workspace_too_thin(
      seen.kinds, '{subscriptions}', 'few_prices', seen.prices, g.settings -> 'minimum_buyers')
    ELSE seen.lasting END$$,
  'segmentation_internal.workspace_train_future_value',
  -- code
  $$segmentation.future_value_band(s.future_value, p.value_cuts)$$,
  -- changes_on
  $$segmentation_internal.future_value_next_change(
      p.value_stack, f.history, p.as_of, p.value_cuts, p.value_options, @(until)@)$$,
  -- look_again: a subscription grows older every day.
  $$CASE WHEN f.subscriptions IS NOT NULL THEN p.as_of + 1 END$$,
  -- numbers
  $$jsonb_build_object(
    'future_value', round(s.future_value, 2),
    'subscription_value', (
      SELECT round(e.value, 2) FROM segmentation_internal.workspace_subscription_value(p.retention_model,
        f.subscriptions, p.as_of, p.value_horizon, p.value_discount_rate, p.value_margin) AS e),
    'expected_purchases', segmentation_internal.workspace_rounded(s.expected_purchases, 2),
    'expected_spend', round(segmentation.expected_spend(p.spend_model, f.history, p.as_of), 2),
    'last_year', round(segmentation.turnover(f.history, p.as_of - 365, p.as_of), 2),
    'candidate', segmentation.label('value_candidate', p.value_candidate),
    'candidate_fr', segmentation.label('value_candidate', p.value_candidate, 'fr'),
    'value_horizon', p.settings -> 'value_horizon',
    'high_from', round((p.value_cuts).gros_from, 2), 'medium_from', round((p.value_cuts).moyens_from, 2))$$,
  -- topic
  $$CASE WHEN (n.numbers ->> 'subscription_value')::numeric > 0 THEN CASE
    WHEN n.numbers ->> 'expected_purchases' IS NULL THEN 'future_value.subscription'
    ELSE 'future_value.both' END END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit) VALUES
  (50, 'future_value', 'spend_model', 'jsonb', $$segmentation.fit_spend_model(f.history, p.as_of)$$),
  (60, 'future_value', 'value_cuts', 'segmentation.pmg_cuts', NULL),
  (65, 'future_value', 'value_stack', 'jsonb',
    $$segmentation.fit_value_stack(f.history, p.as_of, p.value_stack_options)$$);

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('future_value', 'spend_model', 'jsonb', $$g.spend_model || '{}'$$),
  ('future_value', 'value_cuts', 'segmentation.pmg_cuts', $$g.value_cuts$$),
  ('future_value', 'value_stack', 'jsonb', $$g.value_stack || '{}'$$),
  ('future_value', 'value_candidate', 'text', $$g.value_stack ->> 'candidate'$$),
  ('future_value', 'value_stack_options', 'jsonb',
    $$segmentation_internal.workspace_value_stack_options(g.settings, g.as_of)$$),
  ('future_value', 'value_horizon', 'interval', $$(g.settings ->> 'value_horizon')::interval$$),
  ('future_value', 'value_discount_rate', 'double precision',
    $$(g.settings ->> 'value_discount_rate')::double precision$$),
  ('future_value', 'value_margin', 'double precision', $$(g.settings ->> 'value_margin')::double precision$$),
  ('future_value', 'value_limits', 'jsonb', $$jsonb_build_object(
    'mode', 'cumulative', 'gros', g.settings -> 'value_high', 'moyens', g.settings -> 'value_medium')$$),
  ('future_value', 'value_options', 'jsonb', $$segmentation_internal.workspace_value_options(g.settings)$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (50, 'future_value', 'expected_purchases',
    $$segmentation.expected_purchases(p.purchase_model, f.history, p.as_of, p.value_horizon)$$,
    'Expected purchase days within value_horizon (365 days).'),
  (51, 'future_value', 'future_value',
    $$CASE WHEN f.subscriptions IS NULL
      THEN segmentation.future_value(p.value_stack, f.history, p.as_of, p.value_options)
      ELSE segmentation_internal.workspace_value_with(
        segmentation.future_value(p.value_stack, f.history, p.as_of, p.value_options), p.retention_model,
        f.subscriptions, p.as_of, p.value_horizon, p.value_discount_rate, p.value_margin) END$$,
    'Expected value within value_horizon, discounted: of purchases, and of subscriptions that run at a price.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('future_value', 'en', 'Expected to bring {future_value} {currency} within {value_horizon}, discounted, '
    'by {candidate}: '
    '{expected_purchases} purchases of {expected_spend} {currency} each are foreseen, and the last year brought '
    '{last_year} {currency}. '
    'High from {high_from}, medium from {medium_from}.'),
  ('future_value', 'fr', 'Devrait rapporter {future_value} {currency} d''ici {value_horizon}, actualisés, '
    'd''après {candidate_fr}. '
    'Achats prévus : {expected_purchases}, de {expected_spend} {currency} en moyenne ; l''an passé a rapporté '
    '{last_year} {currency}. '
    'Élevée à partir de {high_from}, moyenne à partir de {medium_from}.'),
  ('future_value.subscription', 'en', 'Subscriptions are expected to bring {future_value} {currency} within '
    '{value_horizon}: their prices for as long as they are expected to run, discounted. '
    'High from {high_from}, medium from {medium_from}.'),
  ('future_value.subscription', 'fr', 'Les abonnements devraient rapporter {future_value} {currency} d''ici '
    '{value_horizon} : leurs prix pour la durée attendue, actualisés. '
    'Élevée à partir de {high_from}, moyenne à partir de {medium_from}.'),
  ('future_value.both', 'en', 'Expected to bring {future_value} {currency} within {value_horizon}: '
    '{expected_purchases} purchases of {expected_spend} {currency} each, and {subscription_value} {currency} by '
    'subscriptions, discounted. High from {high_from}, medium from {medium_from}.'),
  ('future_value.both', 'fr', 'Devrait rapporter {future_value} {currency} d''ici {value_horizon} : '
    'achats prévus, {expected_purchases} de {expected_spend} {currency} en moyenne, et {subscription_value} {currency} '
    'par abonnement, actualisés. Élevée à partir de {high_from}, moyenne à partir de {medium_from}.');
