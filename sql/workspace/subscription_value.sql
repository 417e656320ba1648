-- What subscriptions are worth: part of the axis future_value.

-- Those that run at a price, each for as long as the model of contracts expects it to, or until the day of which notice
-- was given; 0 if none runs, NULL without any that has a price. One row, as a table: PostgreSQL puts a function that
-- returns a set into the query, so that the model is a constant there, and is read once.
CREATE FUNCTION segmentation_internal.workspace_subscription_value(
  model jsonb, subscriptions jsonb, as_of date, horizon interval, discount_rate double precision,
  margin double precision
) RETURNS TABLE (value numeric)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
  SELECT CASE WHEN NOT bool_or(e.runs AND e.v IS NULL) THEN coalesce(sum(e.v) FILTER (WHERE e.runs), 0) END
  FROM (
    SELECT coalesce(c.ended_on > as_of, true) AS runs, CASE
      WHEN c.ended_on <= as_of THEN NULL
      WHEN c.ended_on IS NOT NULL THEN round((c.price * margin * n.days / 30.4375
        * (1 + discount_rate) ^ (-0.5 * n.days / 365.25))::numeric, 4)
      ELSE segmentation.subscription_value(model -> 'model', age(as_of, c.started_on), c.price, horizon, discount_rate,
        margin, segmentation_internal.workspace_contract_features(model, c.plan)) END AS v
    FROM jsonb_to_recordset(subscriptions) AS c (
      plan text, price double precision, started_on date, ended_on date)
    CROSS JOIN LATERAL (SELECT least(c.ended_on, (as_of + horizon)::date) - as_of AS days) AS n
    WHERE c.started_on <= as_of AND c.price IS NOT NULL OFFSET 0) AS e;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_subscription_value(
  jsonb, jsonb, date, interval, double precision, double precision
) IS
  'Part of refresh: what the subscriptions of a customer are expected to bring within a horizon, discounted.';

-- The same one horizon ago, by what was known then, and what they brought since; correlation_past is that of what they
-- had brought in as long a time before.
CREATE FUNCTION segmentation_internal.workspace_backtest_subscription_value(
  facts text, as_of date, settings jsonb
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon constant interval := (settings ->> 'churn_horizon')::interval;
  inner_day constant date := (as_of - horizon)::date;
  model constant jsonb := segmentation_internal.workspace_fit_contracts(facts, inner_day);
  tested jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT jsonb_build_object(
      'as_of', $1, 'horizon', $2::text,
      'value', jsonb_build_object('candidate', 'subscriptions', 'predicted', round(sum(t.value), 2),
        'actual', round(sum(t.actual), 2), 'mae', round(avg(abs(t.value - t.actual)), 2),
        'bias', round(sum(t.value) / NULLIF(sum(t.actual), 0) - 1, 4)::double precision,
        'correlation', corr(t.value, t.actual), 'correlation_past', corr(t.past, t.actual)))
    FROM (
      SELECT (SELECT e.value
          FROM segmentation_internal.workspace_subscription_value($4, k.known, $1, $2, 0, 1) AS e) AS value,
        coalesce(segmentation_internal.workspace_subscription_turnover(f.subscriptions, $1, $3), 0) AS actual,
        coalesce(segmentation_internal.workspace_subscription_turnover(
          f.subscriptions, ($1 - $2)::date, $1), 0) AS past
      FROM @(facts)@ AS f
      CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('plan', c.plan, 'price', c.price, 'started_on', c.started_on,
          'ended_on', CASE WHEN c.ended_on <= $1 THEN c.ended_on END)) AS known
        FROM jsonb_to_recordset(f.subscriptions) AS c (plan text, price numeric, started_on date, ended_on date)
        WHERE c.started_on <= $1) AS k
      WHERE k.known IS NOT NULL) AS t
    WHERE t.value IS NOT NULL$q$,
    jsonb_build_object('facts', facts))
    INTO tested USING inner_day, horizon, as_of, model;
  RETURN tested;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest_subscription_value(text, date, jsonb) IS
  'Part of refresh: quality of the value of subscriptions on the last horizon, by a model of before it.';

-- The model of contracts, where subscriptions have prices and the axis churn has made none. Whether there is nothing
-- else that value could be made of.
CREATE FUNCTION segmentation_internal.workspace_train_subscriptions(ws text, number integer, as_of date)
RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facts constant text := ws || '.stage_facts';
  used record;
  priced boolean;
BEGIN
  EXECUTE format('SELECT g.* FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws) INTO used USING number;
  EXECUTE format(
    'SELECT EXISTS (SELECT FROM %s AS f WHERE segmentation_internal.workspace_has_price(f.subscriptions))', facts)
    INTO priced;
  IF priced AND used.retention_model IS NULL THEN
    EXECUTE format('UPDATE %s.parameter_set AS g SET retention_model = $2 WHERE g.parameter_set = $1', ws)
      USING number, segmentation_internal.workspace_fit_contracts(facts, as_of);
  END IF;
  RETURN priced AND used.purchase_model IS NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_subscriptions(text, integer, date) IS
  'Part of refresh: trains the model of contracts for the value of subscriptions.';
