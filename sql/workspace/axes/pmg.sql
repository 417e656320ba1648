-- The axis pmg: petits, moyens, gros clients, by the turnover of rolling months. Without purchases, by what was paid
-- for subscriptions.

-- The prices of subscriptions for as long as they ran: a month has 30.4375 days. NULL without a price.
CREATE FUNCTION segmentation_internal.workspace_subscription_turnover(subscriptions jsonb, since date, until date)
RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT round(sum(c.price * greatest(least(c.ended_on, until) - greatest(c.started_on, since), 0) / 30.4375), 4)
    FROM jsonb_to_recordset(subscriptions) AS c (price numeric, started_on date, ended_on date)
    WHERE c.price IS NOT NULL AND c.started_on <= until);
COMMENT ON FUNCTION segmentation_internal.workspace_subscription_turnover(jsonb, date, date) IS
  'Part of refresh: what subscriptions brought in a period, by their prices of a month.';

CREATE FUNCTION segmentation_internal.workspace_has_price(subscriptions jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN pg_catalog.jsonb_path_exists(subscriptions, '$[*].price ? (@ > 0)');
COMMENT ON FUNCTION segmentation_internal.workspace_has_price(jsonb) IS
  'Part of refresh: whether a subscription of a customer has a price.';

-- Limits by subscriptions, where there are no purchases.
CREATE FUNCTION segmentation_internal.workspace_train_pmg(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_fits AS
    SELECT segmentation.pmg_cuts(segmentation_internal.workspace_subscription_turnover(
      f.subscriptions, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of),
      p.pmg_options) AS cuts
    FROM @(constants)@ AS p CROSS JOIN @ws@.stage_facts AS f
    WHERE p.turnover_of_subscriptions AND f.subscriptions IS NOT NULL;
    UPDATE @ws@.parameter_set AS g SET pmg_cuts = (SELECT v.cuts FROM @ws@.stage_fits AS v)
    WHERE g.parameter_set = @(number)@ AND g.purchase_model IS NULL;
    DROP TABLE @ws@.stage_fits$q$,
    jsonb_build_object(
      'number', number, 'constants', segmentation_internal.workspace_constants(ws, number, as_of)));
  -- How large the classes are: of equal turnovers they cannot be as large as wanted.
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET pmg_shares = (
      SELECT jsonb_build_object('active', sum(t.customers), 'g', sum(t.customers) FILTER (WHERE t.class = 'G'),
        'm', sum(t.customers) FILTER (WHERE t.class = 'M'), 'p', sum(t.customers) FILTER (WHERE t.class = 'P'),
        'tied', max(t.customers), 'tied_turnover', (array_agg(t.turnover ORDER BY t.customers DESC, t.turnover))[1])
      FROM (
        SELECT t.turnover, count(*) AS customers, segmentation.pmg_bucket(t.turnover, g.pmg_cuts)::text AS class
        FROM (
          SELECT @(turnover)@ AS turnover
          FROM @(constants)@ AS p CROSS JOIN @ws@.stage_facts AS f
          OFFSET 0) AS t
        WHERE t.turnover > 0
        GROUP BY t.turnover) AS t
      HAVING count(*) > 0)
    WHERE g.parameter_set = @(number)@ AND g.pmg_cuts IS NOT NULL$q$,
    jsonb_build_object(
      'number', number, 'constants', segmentation_internal.workspace_constants(ws, number, as_of),
      'turnover', (SELECT c.expression FROM segmentation.workspace_score AS c WHERE c.name = 'turnover')));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_pmg(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis pmg where there are subscriptions and no purchases, and counts its classes.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, code, changes_on, look_again, numbers, topic)
VALUES (
  'pmg', 20, 'G, M, P or I: petits, moyens, gros clients (small, medium, large customers), inactifs.',
  $$CASE WHEN seen.purchases ->> 'code' = 'no_source' AND segmentation_internal.workspace_too_thin(
      seen.kinds, '{subscriptions}', 'few_prices', seen.prices, g.settings -> 'minimum_buyers') ->> 'code'
      IS DISTINCT FROM 'no_source'
    THEN segmentation_internal.workspace_too_thin(
      seen.kinds, '{subscriptions}', 'few_prices', seen.prices, g.settings -> 'minimum_buyers')
    ELSE seen.purchases END$$,
  'segmentation_internal.workspace_train_pmg',
  $$coalesce(segmentation.pmg_bucket(s.turnover, p.pmg_cuts), 'I')::text$$,
  $$segmentation.pmg_next_change(f.history, p.as_of, p.pmg_cuts, p.pmg_months)$$,
  -- look_again: a subscription brings something every day.
  $$CASE WHEN p.turnover_of_subscriptions AND f.subscriptions IS NOT NULL THEN p.as_of + 1 END$$,
  $$jsonb_build_object('turnover', round(s.turnover, 2),
    -- A limit may lie just above what many have.
    'moyens_from', (SELECT CASE WHEN v = round(v, 2) THEN round(v, 2) ELSE trim_scale(v) END
      FROM (SELECT (p.pmg_cuts).moyens_from) AS m (v)),
    'gros_from', (SELECT CASE WHEN v = round(v, 2) THEN round(v, 2) ELSE trim_scale(v) END
      FROM (SELECT (p.pmg_cuts).gros_from) AS g (v)))$$,
  $$CASE WHEN c.pmg = 'I' AND s.turnover < 0 THEN 'pmg.refunds' END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit) VALUES
  (20, 'pmg', 'pmg_cuts', 'segmentation.pmg_cuts', $$segmentation.pmg_cuts(
    segmentation.turnover(f.history, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of),
    p.pmg_options)$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, about) VALUES
  (21, 'pmg', 'pmg_shares', 'jsonb', 'How many customers each class had, and how many the commonest turnover.');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('pmg', 'pmg_cuts', 'segmentation.pmg_cuts', $$g.pmg_cuts$$),
  ('pmg', 'turnover_of_subscriptions', 'boolean', $$g.purchase_model IS NULL$$),
  ('pmg', 'pmg_months', 'integer', $$(g.settings ->> 'pmg_months')::integer$$),
  ('pmg', 'pmg_options', 'jsonb', $$jsonb_strip_nulls(jsonb_build_object('mode', g.settings -> 'pmg_mode',
    'gros', g.settings -> 'pmg_gros', 'moyens', g.settings -> 'pmg_moyens'))$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (20, 'pmg', 'turnover',
    $$CASE WHEN p.turnover_of_subscriptions
      THEN segmentation_internal.workspace_subscription_turnover(
        f.subscriptions, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of)
      ELSE segmentation.turnover(f.history, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of)
      END$$,
    'Turnover of the period that PMG looks at (12 rolling months); without purchases, what subscriptions brought.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('pmg', 'en', 'Turnover of {turnover} {currency} over {pmg_months} rolling months; '
    'medium customers begin at {moyens_from}, large ones at {gros_from}.'),
  ('pmg', 'fr', 'Chiffre d''affaires de {turnover} {currency} sur {pmg_months} mois glissants ; '
    'les moyens clients commencent à {moyens_from}, les gros à {gros_from}.'),
  ('pmg.I', 'en', 'No turnover over {pmg_months} rolling months.'),
  ('pmg.I', 'fr', 'Aucun chiffre d''affaires sur {pmg_months} mois glissants.'),
  ('pmg.refunds', 'en', 'Turnover of {turnover} {currency} over {pmg_months} rolling months: more was sent back than '
    'bought.'),
  ('pmg.refunds', 'fr', 'Chiffre d''affaires de {turnover} {currency} sur {pmg_months} mois glissants : les retours '
    'dépassent les achats.'),
  ('data.few_prices', 'en', 'Only {have} customers have subscriptions with a price; {need} are needed.'),
  ('data.few_prices', 'fr', 'Clients ayant un abonnement à prix connu : {have} seulement ; il en faut {need}.');
