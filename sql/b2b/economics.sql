-- What winning and serving an account costs.

CREATE FUNCTION segmentation.acquisition_effort(cost numeric, turnover numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cost >= 0 AND turnover > 0 AND cost < 'Infinity' AND turnover < 'Infinity' THEN cost / turnover END;
COMMENT ON FUNCTION segmentation.acquisition_effort(numeric, numeric) IS
  'Cost of winning a client for each unit of turnover that it brought; NULL without turnover.';

CREATE FUNCTION segmentation.cost_to_serve(quantities jsonb, unit_costs jsonb) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_typeof(quantities) = 'object' THEN (
    SELECT CASE
      WHEN coalesce(bool_and(jsonb_typeof(q.value) = 'number'
            AND coalesce(jsonb_typeof(unit_costs -> q.key) = 'number', false)), true)
      THEN coalesce(sum(CASE
        WHEN jsonb_typeof(q.value) = 'number' AND jsonb_typeof(unit_costs -> q.key) = 'number'
        THEN q.value::numeric * (unit_costs -> q.key)::numeric END), 0)
    END
    FROM jsonb_each(quantities) AS q (key, value)
  ) END;
COMMENT ON FUNCTION segmentation.cost_to_serve(jsonb, jsonb) IS
  'What serving an account cost: quantities ({"orders": 12, "visits": 3}) times unit costs ({"orders": 8, "visits": '
  '150}). NULL if a quantity is no number or has no unit cost.';
CREATE FUNCTION segmentation.profitability(turnover numeric, margin numeric, cost_to_serve numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN turnover * margin - cost_to_serve;
COMMENT ON FUNCTION segmentation.profitability(numeric, numeric, numeric) IS
  'Profit of an account: turnover times gross margin (a share), less what serving it cost.';
CREATE FUNCTION segmentation.visit_cost(
  distance_km double precision,
  per_km numeric DEFAULT 0.6,
  per_hour numeric DEFAULT 45,
  km_per_hour numeric DEFAULT 65,
  detour numeric DEFAULT 1.3,
  hours_there numeric DEFAULT 1
) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN distance_km >= 0 AND distance_km < 'Infinity' AND km_per_hour > 0 THEN
    round(2 * detour * distance_km::numeric * (per_km + per_hour / km_per_hour) + per_hour * hours_there, 2) END;
COMMENT ON FUNCTION segmentation.visit_cost(double precision, numeric, numeric, numeric, numeric, numeric) IS
  'Cost of a visit at a distance as the crow flies: both ways by road (detour times the distance), kilometres and '
  'hours paid, and hours_there on site.';
