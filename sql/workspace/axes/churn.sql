-- The axis churn: the risk that no purchase comes any more, or that all subscriptions end. Brings the churn stacks, one
-- for the levels and one of a longer horizon for lost; the purchase model, which other axes use; and back-tests.

-- Subscriptions. One that has a day of its end in the future was given notice of: there is nothing to guess.

CREATE FUNCTION segmentation_internal.workspace_contracts(subscriptions jsonb, as_of date)
RETURNS TABLE (plan text, started_on date, ended_on date, runs boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
BEGIN ATOMIC
  SELECT c.plan, c.started_on, c.ended_on, coalesce(c.ended_on > as_of, true)
  FROM jsonb_to_recordset(subscriptions) AS c (plan text, started_on date, ended_on date)
  WHERE c.started_on <= as_of;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_contracts(jsonb, date) IS
  'Part of refresh: the subscriptions of a customer that have begun, and whether they run.';

CREATE FUNCTION segmentation_internal.workspace_contract_features(model jsonb, plan text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN (model -> 'by_plan')::boolean AND plan IS NOT NULL
    THEN jsonb_build_object('plan', plan) ELSE '{}' END;
COMMENT ON FUNCTION segmentation_internal.workspace_contract_features(jsonb, text) IS
  'Part of refresh: what the model of contracts looks at.';

-- The probability that all subscriptions of a customer end within a horizon: a product; 1 if none runs, NULL without
-- any. One row, as a table: PostgreSQL puts a function that returns a set into the query, so that the model is a
-- constant there, and is read once.
CREATE FUNCTION segmentation_internal.workspace_contract_churn(
  model jsonb, subscriptions jsonb, as_of date, horizon interval) RETURNS TABLE (probability double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT CASE
    WHEN count(*) = 0 THEN NULL
    WHEN NOT bool_or(c.runs) THEN 1
    WHEN bool_or(c.p = 0) THEN 0
    WHEN bool_or(c.runs AND c.p IS NULL) THEN NULL
    ELSE exp(sum(ln(NULLIF(c.p, 0)))) END
  FROM (
    SELECT c.runs, CASE
      WHEN NOT c.runs THEN NULL
      WHEN c.ended_on IS NOT NULL THEN (c.ended_on <= as_of + horizon)::integer::double precision
      ELSE segmentation.churn_probability(model -> 'model', age(as_of, c.started_on), horizon,
        segmentation_internal.workspace_contract_features(model, c.plan)) END AS p
    FROM segmentation_internal.workspace_contracts(subscriptions, as_of) AS c OFFSET 0) AS c;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_contract_churn(jsonb, jsonb, date, interval) IS
  'Part of refresh: the probability that all subscriptions of a customer end within a horizon.';

-- The same for a refresh: workers share no query with a correlated subquery.
CREATE FUNCTION segmentation_internal.workspace_churn_of_contracts(
  model jsonb, subscriptions jsonb, as_of date, horizon interval) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
  RETURN (
    SELECT e.probability
    FROM segmentation_internal.workspace_contract_churn(model, subscriptions, as_of, horizon) AS e);
COMMENT ON FUNCTION segmentation_internal.workspace_churn_of_contracts(jsonb, jsonb, date, interval) IS
  'Part of refresh: the probability that all subscriptions of a customer end within a horizon.';

CREATE FUNCTION segmentation_internal.workspace_contracts_run(subscriptions jsonb, as_of date) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN EXISTS (SELECT FROM segmentation_internal.workspace_contracts(subscriptions, as_of) AS c WHERE c.runs);
COMMENT ON FUNCTION segmentation_internal.workspace_contracts_run(jsonb, date) IS
  'Part of refresh: whether a customer has a subscription that runs.';

CREATE FUNCTION segmentation_internal.workspace_churn_limits(settings jsonb, lost_stack jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object(
    'medium_from', least(
      (settings ->> 'churn_medium')::double precision, (settings ->> 'churn_high')::double precision),
    'high_from', settings -> 'churn_high', 'lost_above', lost_stack #> '{lost,threshold}');
COMMENT ON FUNCTION segmentation_internal.workspace_churn_limits(jsonb, jsonb) IS
  'Part of refresh: the options of churn_level from the settings, and the threshold that the stack for lost verified.';

-- A horizon of months has the days that it has from the day of training on. A family that is named is that family,
-- calibrated or as it is; else all candidates are tried.
CREATE FUNCTION segmentation_internal.workspace_stack_options(
  settings jsonb, as_of date, horizon text, lost text DEFAULT NULL
) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object(
    'horizon', least(greatest((as_of + (settings ->> horizon)::interval)::date - as_of, 1), 3653) || ' days',
    'lost', least(greatest((settings ->> lost)::double precision, 0.5), 0.9999))
  || CASE WHEN settings ->> 'purchase_family' <> 'auto'
    THEN jsonb_build_object('families', jsonb_build_array(settings -> 'purchase_family'), 'features', false)
    ELSE '{}' END;
COMMENT ON FUNCTION segmentation_internal.workspace_stack_options(jsonb, date, text, text) IS
  'Part of refresh: the options of fit_churn_stack from the settings; horizon and lost are names of settings.';

-- What a stack says of its quality, as the quality of a parameter set has it.
CREATE FUNCTION segmentation_internal.workspace_stack_quality(stack jsonb, lost_stack jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN jsonb_typeof(stack -> 'quality') = 'object' THEN jsonb_build_object('churn', stack -> 'quality'
      -- On the last inner day all did the same: whatever came before, nobody can say how it would do now.
      || CASE WHEN stack #>> '{last,auc}' IS NULL THEN '{"auc": null}' ELSE '{}' END::jsonb) ELSE '{}' END
    || CASE WHEN jsonb_typeof(stack -> 'recency') = 'object' THEN jsonb_build_object('recency', stack -> 'recency')
      ELSE '{}' END
    || jsonb_build_object(
      'candidate', stack -> 'candidate', 'churn_candidates', coalesce(stack -> 'candidates', '[]'),
      'inner_days', coalesce(stack -> 'inner_days', '[]'), 'inner_horizon', stack -> 'inner_horizon',
      'lost', lost_stack -> 'lost');
COMMENT ON FUNCTION segmentation_internal.workspace_stack_quality(jsonb, jsonb) IS
  'Part of refresh: the quality of a parameter set from its stacks.';

-- The Brier score of an earlier stack on the last horizon.
CREATE FUNCTION segmentation_internal.workspace_backtest_stack(facts text, as_of date, stack jsonb)
RETURNS double precision
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon constant interval := (stack ->> 'horizon')::interval;
  tested jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT segmentation.prediction_quality(t.p, t.churned)
    FROM (
      SELECT segmentation.churn_probability($3, f.history, f.contacts, f.interactions, ($1 - $2)::date) AS p,
        segmentation.churned_within(f.history, ($1 - $2)::date, $2, $1) AS churned
      FROM @(facts)@ AS f
      WHERE segmentation.purchase_days(f.history, ($1 - $2)::date) > 0) AS t
    WHERE t.p IS NOT NULL$q$, jsonb_build_object('facts', facts))
    INTO tested USING as_of, horizon, stack;
  RETURN (tested ->> 'brier')::double precision;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest_stack(text, date, jsonb) IS
  'Part of refresh: the Brier score of a churn stack on its last horizon.';

-- Families are judged by the horizon of churn.
CREATE FUNCTION segmentation_internal.workspace_purchase_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('family', settings ->> 'purchase_family', 'horizon',
    greatest(('2001-01-01'::date + (settings ->> 'churn_horizon')::interval)::date - '2001-01-01'::date, 1) || ' days');
COMMENT ON FUNCTION segmentation_internal.workspace_purchase_options(jsonb) IS
  'Part of refresh: the options of fit_purchase_model from the settings.';

-- How good the scores of churn and value would have been one horizon ago, beside what simple rules reach.
-- model is the one to judge, or NULL for one fitted on what was known then.
CREATE FUNCTION segmentation_internal.workspace_backtest(
  facts text, as_of date, settings jsonb, model jsonb DEFAULT NULL, spend jsonb DEFAULT NULL
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon constant interval := (settings ->> 'churn_horizon')::interval;
  inner_day constant date := (as_of - horizon)::date;
  tested jsonb;
BEGIN
  IF model IS NULL THEN
    EXECUTE segmentation_internal.fill(NULL, $q$
      SELECT segmentation.fit_purchase_model(f.history, $1, $2), segmentation.fit_spend_model(f.history, $1)
      FROM @(facts)@ AS f$q$, jsonb_build_object('facts', facts))
      INTO model, spend USING inner_day, segmentation_internal.workspace_purchase_options(settings);
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT jsonb_build_object(
      'as_of', $1, 'horizon', $2::text,
      'churn', segmentation.prediction_quality(t.p, t.churned) - 'bins',
      'recency', jsonb_build_object(
        'auc', segmentation.prediction_quality(t.recency / (t.recency + 30.0), t.churned) -> 'auc'),
      'value', jsonb_build_object('predicted', round(sum(t.value), 2), 'actual', round(sum(t.actual), 2),
        'correlation', corr(t.value, t.actual), 'correlation_past', corr(t.past, t.actual)))
    FROM (
      SELECT segmentation.churn_probability($4, f.history, $1, $2) AS p,
        segmentation.churned_within(f.history, $1, $2, $3) AS churned,
        segmentation.recency(f.history, $1)::double precision AS recency,
        segmentation.future_value($4, $5, f.history, $1, $2, 0, 1) AS value,
        segmentation.turnover(f.history, $1, $3) AS actual,
        segmentation.turnover(f.history, ($1 - $2)::date, $1) AS past
      FROM @(facts)@ AS f
      WHERE segmentation.purchase_days(f.history, $1) > 0) AS t$q$, jsonb_build_object('facts', facts))
    INTO tested USING inner_day, horizon, as_of, model, spend;
  RETURN tested;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest(text, date, jsonb, jsonb, jsonb) IS
  'Part of refresh: quality of churn and value on the last horizon, by a model of before it.';

-- How long subscriptions last, by plan where there are some: a hazard, since it says what comes after the longest
-- one seen.
CREATE FUNCTION segmentation_internal.workspace_fit_contracts(facts text, as_of date) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  by_plan boolean;
  model jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT count(DISTINCT c.plan) BETWEEN 2 AND 50
    FROM @(facts)@ AS f
    CROSS JOIN LATERAL segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c$q$,
    jsonb_build_object('facts', facts))
    INTO by_plan USING as_of;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT segmentation.fit_retention_model(c.started_on, CASE WHEN NOT c.runs THEN c.ended_on END, $1,
      CASE WHEN $2 AND c.plan IS NOT NULL THEN jsonb_build_object('plan', c.plan) ELSE '{}' END, '{"family": "hazard"}')
    FROM @(facts)@ AS f
    CROSS JOIN LATERAL segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c
    WHERE coalesce(c.ended_on >= c.started_on, true)$q$, jsonb_build_object('facts', facts))
    INTO model USING as_of, by_plan;
  RETURN jsonb_build_object('by_plan', by_plan, 'model', model);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_fit_contracts(text, date) IS
  'Part of refresh: a model of how long subscriptions last.';

-- The same one horizon ago, by what was known then, and who has none left now. Beside it, the share of all.
CREATE FUNCTION segmentation_internal.workspace_backtest_contracts(
  facts text, as_of date, settings jsonb, model jsonb DEFAULT NULL
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon constant interval := (settings ->> 'churn_horizon')::interval;
  inner_day constant date := (as_of - horizon)::date;
  tested jsonb;
BEGIN
  model := coalesce(model, segmentation_internal.workspace_fit_contracts(facts, inner_day));
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT jsonb_build_object(
      'as_of', $1, 'horizon', $2::text, 'churn', segmentation.prediction_quality(t.p, t.churned) - 'bins')
    FROM (
      SELECT (SELECT e.probability FROM segmentation_internal.workspace_contract_churn($4, k.known, $1, $2) AS e) AS p,
        NOT segmentation_internal.workspace_contracts_run(f.subscriptions, $3) AS churned
      FROM @(facts)@ AS f
      CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('plan', c.plan, 'started_on', c.started_on)) AS known
        FROM segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c WHERE c.runs) AS k
      WHERE k.known IS NOT NULL) AS t
    WHERE t.p IS NOT NULL$q$,
    jsonb_build_object('facts', facts))
    INTO tested USING inner_day, horizon, as_of, model;
  RETURN tested;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest_contracts(text, date, jsonb, jsonb) IS
  'Part of refresh: quality of the churn of subscriptions on the last horizon.';

-- What never happened in the test period, or always, cannot be told apart: whoever predicts it so looks splendid.
CREATE FUNCTION segmentation_internal.workspace_one_outcome(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('code', 'one_outcome', 'have', settings ->> 'churn_horizon');
COMMENT ON FUNCTION segmentation_internal.workspace_one_outcome(jsonb) IS
  'Part of refresh: the reason why an axis cannot be tested where all customers did the same.';

CREATE FUNCTION segmentation_internal.workspace_train_churn(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  of_contracts constant boolean := settings ->> 'churn_of' = 'subscriptions';
  horizon constant interval := (settings ->> 'churn_horizon')::interval;
  stacks record;
  tested jsonb;
BEGIN
  IF of_contracts THEN
    EXECUTE format('UPDATE %s.parameter_set AS g SET retention_model = $2 WHERE g.parameter_set = $1', ws)
      USING number, segmentation_internal.workspace_fit_contracts(facts, as_of);
  END IF;
  IF segmentation_internal.workspace_ready(ws, number, 'churn') THEN
    IF of_contracts THEN
      tested := segmentation_internal.workspace_backtest_contracts(facts, as_of, settings);
    ELSE
      -- The stacks were tested as they were trained; the model alone is where the log is too short for that.
      EXECUTE format('SELECT g.churn_stack, g.lost_stack FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
        INTO stacks USING number;
      tested := CASE WHEN jsonb_typeof(stacks.churn_stack -> 'quality') = 'object'
          THEN jsonb_build_object('as_of', (as_of - horizon)::date, 'horizon', horizon::text)
          ELSE segmentation_internal.workspace_backtest(facts, as_of, settings) END
        || segmentation_internal.workspace_stack_quality(stacks.churn_stack, stacks.lost_stack);
    END IF;
    EXECUTE format('UPDATE %s.parameter_set AS g SET quality = $2 WHERE g.parameter_set = $1', ws) USING number, tested;
    IF tested #>> '{churn,auc}' IS NULL THEN
      PERFORM segmentation_internal.workspace_unready(
        ws, number, 'churn', segmentation_internal.workspace_one_outcome(settings));
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_churn(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis churn, and tests it.';

-- By the Brier score of the last horizon: that of a stack in training is of what it would have been before it.
CREATE FUNCTION segmentation_internal.workspace_judge_churn(
  ws text, candidate integer, used integer, as_of date, OUT accepted boolean, OUT said text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  language constant text := segmentation_internal.workspace_language(ws);
  before record;
  fresh record;
  of_contracts boolean;
  fresh_brier double precision;
  brier_before double precision;
BEGIN
  EXECUTE format('SELECT g.* FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws) INTO before USING used;
  EXECUTE format('SELECT g.* FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws) INTO fresh USING candidate;
  of_contracts := fresh.settings ->> 'churn_of' = 'subscriptions';
  fresh_brier := (CASE WHEN of_contracts THEN fresh.quality #>> '{churn,brier}'
    ELSE fresh.churn_stack #>> '{last,brier}' END)::double precision;
  accepted := true;
  IF fresh.readiness #>> '{churn,code}' = 'one_outcome' AND before.readiness -> 'churn' = 'null'
    AND before.settings ->> 'churn_of' = fresh.settings ->> 'churn_of'
  THEN
    accepted := false;
    said := segmentation_internal.workspace_say('note.one_outcome', fresh.readiness -> 'churn', language);
  ELSIF fresh_brier IS NULL
    OR (CASE WHEN of_contracts THEN before.retention_model::text
      ELSE before.churn_stack ->> 'candidate' END) IS NULL
  THEN
    said := segmentation_internal.workspace_say('note.no_test', '{}', language);
  ELSIF before.settings ->> 'churn_of' <> fresh.settings ->> 'churn_of'
    OR NOT of_contracts AND before.churn_stack ->> 'horizon' <> fresh.churn_stack ->> 'horizon'
  THEN
    said := segmentation_internal.workspace_say('note.other', '{}', language);
  ELSIF before.as_of > (as_of - (fresh.settings ->> 'churn_horizon')::interval)::date THEN
    -- A model trained after the test period began has seen its outcome: no fair comparison.
    said := segmentation_internal.workspace_say('note.younger', '{}', language);
  ELSE
    brier_before := CASE
      WHEN of_contracts
      THEN (segmentation_internal.workspace_backtest_contracts(
        facts, as_of, fresh.settings, before.retention_model) #>> '{churn,brier}')::double precision
      ELSE segmentation_internal.workspace_backtest_stack(facts, as_of, before.churn_stack) END;
    accepted := brier_before IS NULL
      OR fresh_brier <= brier_before * (1 + (fresh.settings ->> 'promote_tolerance')::double precision);
    said := segmentation_internal.workspace_say(CASE WHEN accepted THEN 'note.used' ELSE 'note.rejected' END,
      jsonb_build_object('fresh', round(fresh_brier::numeric, 5), 'before', round(brier_before::numeric, 5),
        'used', used), language);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_judge_churn(text, integer, integer, date) IS
  'Part of refresh: whether a candidate predicts churn as well as the parameter set in use.';

CREATE FUNCTION segmentation_internal.workspace_contract_numbers(subscriptions jsonb, as_of date) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT jsonb_build_object(
      'contracts', count(*) FILTER (WHERE r.runs),
      'since', min(r.started_on) FILTER (WHERE r.runs),
      'ended_on', max(r.ended_on) FILTER (WHERE NOT r.runs),
      'notice', coalesce(' Notice was given for '
        || to_char(min(r.ended_on) FILTER (WHERE r.runs), 'YYYY-MM-DD') || '.', ''),
      'notice_fr', coalesce(' Résiliation annoncée pour le '
        || to_char(min(r.ended_on) FILTER (WHERE r.runs), 'DD/MM/YYYY') || '.', ''))
    FROM segmentation_internal.workspace_contracts(subscriptions, as_of) AS r);
COMMENT ON FUNCTION segmentation_internal.workspace_contract_numbers(jsonb, date) IS
  'Part of explain: subscriptions of a customer in numbers.';

-- What the probability goes by, for people: where there is more than one driver, the two strongest.
CREATE FUNCTION segmentation_internal.workspace_churn_why(
  stack jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, as_of date, language text
) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.workspace_say('churn_by.' || (stack ->> 'candidate'), jsonb_build_object('reasons', (
      SELECT string_agg(e.words, CASE language WHEN 'fr' THEN ' ; ' ELSE '; ' END ORDER BY abs(e.contribution) DESC)
      FROM (
        SELECT e.words, e.contribution
        FROM segmentation.churn_explain(stack, history, contacts, interactions, as_of, language) AS e
        ORDER BY abs(e.contribution) DESC LIMIT 2) AS e)), language);
COMMENT ON FUNCTION segmentation_internal.workspace_churn_why(
  jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, date, text) IS
  'Part of explain: the candidate that a probability of churn is of, and what drives it.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, judge, code, changes_on, look_again, numbers, topic)
VALUES (
  'churn', 30, 'Risk of no further purchase: low, medium, high, lost.',
  -- readiness
  $$CASE g.settings ->> 'churn_of' WHEN 'subscriptions'
    THEN segmentation_internal.workspace_too_thin(
      seen.kinds, '{subscriptions}', 'few_subscribers', seen.contracts, g.settings -> 'minimum_buyers')
    ELSE seen.lasting END$$,
  'segmentation_internal.workspace_train_churn',
  'segmentation_internal.workspace_judge_churn',
  -- code
  $$CASE
    WHEN p.churn_of = 'subscriptions' AND s.churn_probability IS NOT NULL
      AND NOT segmentation_internal.workspace_contracts_run(f.subscriptions, p.as_of) THEN 'lost'
    ELSE segmentation.churn_level(
      s.churn_probability, CASE WHEN p.lost_above IS NOT NULL THEN s.lost_probability END, p.churn_limits) END$$,
  -- changes_on
  $$CASE WHEN p.churn_of <> 'subscriptions'
    -- The 61st day is one to look again on.
    THEN NULLIF(segmentation_internal.churn_next_change(
      p.churn_stack, p.lost_stack, f.history, f.contacts, f.interactions, p.as_of, p.churn_limits, @(until)@),
      p.as_of + 61) END$$,
  -- look_again: subscriptions grow older, and so does the risk, every day that one runs; one that begins or ends later
  -- is looked at then. Purchases: no change is looked for further ahead.
  $$CASE WHEN p.churn_of <> 'subscriptions' THEN CASE WHEN f.history IS NOT NULL THEN p.as_of + 61 END
    WHEN f.subscriptions IS NOT NULL THEN p.as_of + 1 END$$,
  -- numbers
  $$jsonb_build_object(
      'churn_percent', segmentation_internal.workspace_rounded(100 * s.churn_probability),
      'lost_percent', segmentation_internal.workspace_rounded(100 * s.lost_probability),
      'medium_percent', segmentation_internal.workspace_rounded(100 * p.churn_medium),
      'high_percent', segmentation_internal.workspace_rounded(100 * p.churn_high),
      'churn_horizon', p.settings -> 'churn_horizon',
      'churn_lost_horizon', p.settings -> 'churn_lost_horizon',
      'churn_probability', s.churn_probability, 'lost_probability', s.lost_probability)
    || CASE p.churn_of
    WHEN 'subscriptions' THEN segmentation_internal.workspace_contract_numbers(f.subscriptions, p.as_of)
    ELSE jsonb_build_object(
      'lost_above_percent', segmentation_internal.workspace_rounded(100 * p.lost_above, 1),
      'candidate', p.churn_stack -> 'candidate',
      'why', segmentation_internal.workspace_churn_why(
        p.churn_stack, f.history, f.contacts, f.interactions, p.as_of, a.spoken),
      'purchase_days', segmentation.purchase_days(f.history, p.as_of),
      'recency', segmentation.recency(f.history, p.as_of),
      'mean_gap', segmentation_internal.workspace_rounded(segmentation.mean_gap(f.history, p.as_of)),
      'alive_probability', segmentation_internal.workspace_rounded(s.alive_probability, 4)) END$$,
  -- topic
  $$CASE
    WHEN p.churn_of = 'subscriptions' THEN CASE n.numbers ->> 'contracts'
      WHEN '0' THEN 'churn.no_subscription' WHEN '1' THEN 'churn.one_subscription' ELSE 'churn.subscription' END
    WHEN c.churn <> 'lost' AND n.numbers ->> 'mean_gap' IS NULL THEN 'churn.once' END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit) VALUES
  (30, 'churn', 'purchase_model', 'jsonb', $$segmentation.fit_purchase_model(f.history, p.as_of, p.purchase_options)$$),
  (31, 'churn', 'churn_stack', 'jsonb', $$segmentation.fit_churn_stack(
    f.history, f.contacts, f.interactions, p.as_of, p.stack_options) FILTER (WHERE p.churn_of <> 'subscriptions')$$),
  (32, 'churn', 'lost_stack', 'jsonb', $$segmentation.fit_churn_stack(
    f.history, f.contacts, f.interactions, p.as_of, p.lost_options) FILTER (WHERE p.churn_of <> 'subscriptions')$$),
  (70, 'churn', 'retention_model', 'jsonb', NULL);

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  -- || '{}' fetches a long value once, not once a row.
  ('churn', 'purchase_model', 'jsonb', $$g.purchase_model || '{}'$$),
  ('churn', 'churn_stack', 'jsonb', $$g.churn_stack || '{}'$$),
  ('churn', 'lost_stack', 'jsonb', $$g.lost_stack || '{}'$$),
  ('churn', 'stack_options', 'jsonb',
    $$segmentation_internal.workspace_stack_options(g.settings, g.as_of, 'churn_horizon')$$),
  ('churn', 'lost_options', 'jsonb',
    $$segmentation_internal.workspace_stack_options(g.settings, g.as_of, 'churn_lost_horizon', 'churn_lost')$$),
  ('churn', 'purchase_options', 'jsonb', $$segmentation_internal.workspace_purchase_options(g.settings)$$),
  ('churn', 'retention_model', 'jsonb', $$g.retention_model || '{}'$$),
  ('churn', 'churn_of', 'text', $$g.settings ->> 'churn_of'$$),
  ('churn', 'churn_horizon', 'interval', $$(g.settings ->> 'churn_horizon')::interval$$),
  ('churn', 'churn_lost_horizon', 'interval', $$(g.settings ->> 'churn_lost_horizon')::interval$$),
  ('churn', 'churn_medium', 'double precision', $$(g.settings ->> 'churn_medium')::double precision$$),
  ('churn', 'churn_high', 'double precision', $$(g.settings ->> 'churn_high')::double precision$$),
  -- From where on somebody is lost, as verified: NULL if nowhere.
  ('churn', 'lost_above', 'double precision', $$(g.lost_stack #>> '{lost,threshold}')::double precision$$),
  ('churn', 'churn_limits', 'jsonb', $$segmentation_internal.workspace_churn_limits(g.settings, g.lost_stack)$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (30, 'churn', 'churn_probability', $$CASE p.churn_of WHEN 'subscriptions'
      THEN segmentation_internal.workspace_churn_of_contracts(
        p.retention_model, f.subscriptions, p.as_of, p.churn_horizon)
      ELSE segmentation.churn_probability(p.churn_stack, f.history, f.contacts, f.interactions, p.as_of) END$$,
    'Probability of no purchase within churn_horizon (90 days), or of the end of all subscriptions; see the setting '
    'churn_of.'),
  (31, 'churn', 'lost_probability', $$CASE p.churn_of WHEN 'subscriptions'
      THEN segmentation_internal.workspace_churn_of_contracts(
        p.retention_model, f.subscriptions, p.as_of, p.churn_lost_horizon)
      ELSE segmentation.churn_probability(p.lost_stack, f.history, f.contacts, f.interactions, p.as_of) END$$,
    'The same within churn_lost_horizon (365 days).'),
  (32, 'churn', 'alive_probability', $$segmentation.alive_probability(p.purchase_model, f.history, p.as_of)$$,
    'Probability of still being a customer.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('churn_by', 'en', 'What speaks most: {reasons}.'),
  ('churn_by', 'fr', 'Ce qui pèse le plus : {reasons}.'),
  ('churn_by.base_rate', 'en', 'The same for all: on days of the past nothing told customers apart.'),
  ('churn_by.base_rate', 'fr', 'La même pour tous : par le passé, rien ne distinguait les clients.'),
  ('churn_by.recency', 'en', 'By the time since the last purchase alone.'),
  ('churn_by.recency', 'fr', 'D''après le seul temps écoulé depuis le dernier achat.'),
  ('churn_by.family', 'en', 'By the rhythm of the purchases.'),
  ('churn_by.family', 'fr', 'D''après le rythme des achats.'),
  ('churn_by.calibrated', 'en', 'By the rhythm of the purchases.'),
  ('churn_by.calibrated', 'fr', 'D''après le rythme des achats.'),
  ('churn', 'en', 'Buys nothing within {churn_horizon} with a probability of {churn_percent} % '
    '(medium from {medium_percent} %, high from {high_percent} %). '
    'Bought on {purchase_days} days, lately {recency} days ago, usually every {mean_gap} days. '
    '{why}'),
  ('churn', 'fr', 'N''achètera rien d''ici {churn_horizon} avec une probabilité de {churn_percent} % '
    '(moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). '
    'A acheté {purchase_days} jours, la dernière fois il y a {recency} jours, en général tous les {mean_gap} jours. '
    '{why}'),
  ('churn.once', 'en', 'Buys nothing within {churn_horizon} with a probability of {churn_percent} % '
    '(medium from {medium_percent} %, high from {high_percent} %). Bought on one day only, {recency} days ago. '
    '{why}'),
  ('churn.once', 'fr', 'N''achètera rien d''ici {churn_horizon} avec une probabilité de {churn_percent} % '
    '(moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). N''a acheté qu''un seul jour, il y a '
    '{recency} jours. {why}'),
  ('churn.lost', 'en', 'Buys nothing within {churn_lost_horizon} with a probability of {lost_percent} %, '
    'more than {lost_above_percent} %, the limit beyond which hardly any came back in the past. '
    'The last purchase was {recency} days ago.'),
  ('churn.lost', 'fr', 'N''achètera rien d''ici {churn_lost_horizon} avec une probabilité de {lost_percent} %, '
    'au-delà du seuil de {lost_above_percent} % à partir duquel presque personne n''est revenu par le passé. '
    'Le dernier achat date de {recency} jours.'),
  ('churn.subscription', 'en', 'All {contracts} subscriptions that run end within {churn_horizon} with a probability '
    'of '
    '{churn_percent} % (medium from {medium_percent} %, high from {high_percent} %). The oldest runs since '
    '{since}.{notice}'),
  ('churn.subscription', 'fr', 'Les {contracts} abonnements en cours prendront tous fin d''ici {churn_horizon} '
    'avec une '
    'probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). '
    'Le plus ancien court depuis le {since}.{notice_fr}'),
  ('churn.one_subscription', 'en', 'The subscription, which runs since {since}, ends within {churn_horizon} with a '
    'probability of {churn_percent} % (medium from {medium_percent} %, high from {high_percent} %).{notice}'),
  ('churn.one_subscription', 'fr', 'L''abonnement, qui court depuis le {since}, prendra fin d''ici '
    '{churn_horizon} avec une '
    'probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} '
    '%).{notice_fr}'),
  ('churn.no_subscription', 'en', 'No subscription runs; the last one ended on {ended_on}.'),
  ('churn.no_subscription', 'fr', 'Aucun abonnement en cours ; le dernier a pris fin le {ended_on}.'),
  ('data.few_subscribers', 'en', 'Only {have} customers have subscriptions; {need} are needed.'),
  ('data.few_subscribers', 'fr', 'Clients ayant un abonnement : {have} seulement ; il en faut {need}.');
