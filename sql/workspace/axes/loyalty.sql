-- The axis loyalty: the band of the loyalty index.

CREATE FUNCTION segmentation_internal.workspace_loyalty_options(settings jsonb, prior jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN prior IS NULL THEN '{}' ELSE jsonb_build_object('prior', prior) END
    || CASE WHEN settings -> 'loyalty_weights' = '{}' THEN '{}' ELSE jsonb_build_object('weights', settings ->
      'loyalty_weights') END;
COMMENT ON FUNCTION segmentation_internal.workspace_loyalty_options(jsonb, jsonb) IS
  'Part of refresh: the options of loyalty from the settings and the prior.';

-- What the loyalty index takes from elsewhere than the purchases. Each is NULL where it is not known.

CREATE FUNCTION segmentation_internal.workspace_number(attributes jsonb, company jsonb, attribute text)
RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_typeof(coalesce(attributes -> attribute, company -> attribute)) = 'number'
    THEN coalesce(attributes ->> attribute, company ->> attribute)::double precision END;
COMMENT ON FUNCTION segmentation_internal.workspace_number(jsonb, jsonb, text) IS
  'Part of refresh: a number among the attributes of a customer or its company; NULL if there is none.';

CREATE FUNCTION segmentation_internal.workspace_satisfaction(attributes jsonb, company jsonb, attribute text)
RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN attribute IS NOT NULL
      AND segmentation_internal.workspace_number(attributes, company, attribute) BETWEEN 0 AND 10
    THEN segmentation_internal.workspace_number(attributes, company, attribute) / 10 END;
COMMENT ON FUNCTION segmentation_internal.workspace_satisfaction(jsonb, jsonb, text) IS
  'Part of refresh: a satisfaction from 0 to 10 among the attributes, as a share; NULL if there is none.';

CREATE FUNCTION segmentation_internal.workspace_share_of_wallet(
  attributes jsonb, company jsonb, history segmentation.purchase_history, as_of date, share text, potential text
) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN share IS NOT NULL AND segmentation_internal.workspace_number(attributes, company, share) BETWEEN 0 AND 1
    THEN segmentation_internal.workspace_number(attributes, company, share)
    WHEN potential IS NOT NULL AND segmentation_internal.workspace_number(attributes, company, potential) > 0
    THEN greatest(0, least(1,
      segmentation.turnover(history, (as_of - interval '12 months')::date, as_of)::double precision
        / segmentation_internal.workspace_number(attributes, company, potential))) END;
COMMENT ON FUNCTION
  segmentation_internal.workspace_share_of_wallet(jsonb, jsonb, segmentation.purchase_history, date, text, text) IS
  'Part of refresh: share of wallet by an attribute, or by the turnover of 12 months over a potential; NULL if '
  'neither is known.';

CREATE FUNCTION segmentation_internal.workspace_categories(
  items segmentation.item_history, categories segmentation.item_history, level text) RETURNS segmentation.item_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE level WHEN 'category' THEN items ELSE categories END;
COMMENT ON FUNCTION
  segmentation_internal.workspace_categories(segmentation.item_history, segmentation.item_history, text) IS
  'Part of refresh: what was bought, by category; where categories are what is offered, items are categories.';

-- A category that came after the training counts as one more.
CREATE FUNCTION segmentation_internal.workspace_breadth(
  history segmentation.item_history, as_of date, categories integer
) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN history IS NOT NULL AND categories >= 2
    THEN segmentation.category_breadth(
      history, as_of, greatest(categories, segmentation.item_count(history, as_of))) END;
COMMENT ON FUNCTION segmentation_internal.workspace_breadth(segmentation.item_history, date, integer) IS
  'Part of refresh: breadth over the categories of a workspace, for loyalty; NULL if there are none.';

-- The share of wallet by a potential moves when a purchase leaves the twelve months.
CREATE FUNCTION segmentation_internal.workspace_wallet_next_change(history segmentation.purchase_history, as_of date)
RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT greatest(min(d.day + interval '12 months')::date, as_of + 1)
    FROM segmentation.days(history) AS d
    WHERE d.day > (as_of - interval '12 months')::date AND d.day <= as_of);
COMMENT ON FUNCTION segmentation_internal.workspace_wallet_next_change(segmentation.purchase_history, date) IS
  'Part of refresh: the next day on which the turnover of twelve months falls by time alone, or an earlier one to '
  'look again.';

CREATE FUNCTION segmentation_internal.workspace_train_loyalty(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET categories = (SELECT NULLIF(count(DISTINCT c.category), 0) FROM @ws@.stage_catalogue AS c)
    WHERE g.parameter_set = $1$q$) USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_loyalty(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis loyalty.';

INSERT INTO segmentation.workspace_axis (axis, place, about, readiness, train, scored_from, code, changes_on, numbers)
VALUES (
  'loyalty', 40, 'new, occasional, regular, loyal, ambassador.',
  $$seen.lasting$$,
  'segmentation_internal.workspace_train_loyalty',
  -- scored_from
  $$segmentation.loyalty(f.history, p.as_of, p.loyalty_options,
      segmentation_internal.workspace_breadth(
        segmentation_internal.workspace_categories(f.items, f.categories, p.product_level), p.as_of, p.categories),
      segmentation_internal.workspace_satisfaction(f.attributes, f.company, p.satisfaction),
      segmentation_internal.workspace_share_of_wallet(
        f.attributes, f.company, f.history, p.as_of, p.share_of_wallet, p.potential)) AS loyalty_scored$$,
  -- code
  $$coalesce(s.loyalty_band, 'insufficient_data')$$,
  -- changes_on
  $$LEAST(
      segmentation_internal.loyalty_next_change(f.history, p.as_of, p.loyalty_options,
        segmentation_internal.workspace_breadth(
          segmentation_internal.workspace_categories(f.items, f.categories, p.product_level), p.as_of, p.categories),
        segmentation_internal.workspace_satisfaction(f.attributes, f.company, p.satisfaction),
        segmentation_internal.workspace_share_of_wallet(
          f.attributes, f.company, f.history, p.as_of, p.share_of_wallet, p.potential), @(until)@),
      CASE WHEN segmentation_internal.workspace_number(f.attributes, f.company, p.potential) IS NOT NULL
        THEN segmentation_internal.workspace_wallet_next_change(f.history, p.as_of) END)$$,
  -- numbers
  $$jsonb_build_object(
      'tenure', segmentation.tenure(f.history, p.as_of),
      'purchase_days', segmentation.purchase_days(f.history, p.as_of),
      'loyalty_index', segmentation_internal.workspace_rounded(s.loyalty_index),
      'components', (
        SELECT jsonb_object_agg(l.component, jsonb_build_object(
          'value', l.value, 'points', l.points, 'contribution', l.contribution, 'text', l.text))
        FROM segmentation.loyalty_explain(f.history, p.as_of, p.loyalty_options,
          segmentation_internal.workspace_breadth(
            segmentation_internal.workspace_categories(f.items, f.categories, p.product_level), p.as_of, p.categories),
          segmentation_internal.workspace_satisfaction(f.attributes, f.company, p.satisfaction),
          segmentation_internal.workspace_share_of_wallet(
            f.attributes, f.company, f.history, p.as_of, p.share_of_wallet, p.potential), a.spoken) AS l))$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit, about) VALUES
  (80, 'loyalty', 'loyalty_prior', 'jsonb', $$segmentation.fit_loyalty_prior(f.history, p.as_of)$$, NULL),
  (110, 'loyalty', 'categories', 'integer', NULL, 'Number of categories of products, for the breadth in loyalty.');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('loyalty', 'loyalty_options', 'jsonb',
    $$segmentation_internal.workspace_loyalty_options(g.settings, g.loyalty_prior)$$),
  ('loyalty', 'satisfaction', 'text', $$g.settings ->> 'satisfaction'$$),
  ('loyalty', 'share_of_wallet', 'text', $$g.settings ->> 'share_of_wallet'$$),
  ('loyalty', 'potential', 'text', $$g.settings ->> 'potential'$$),
  ('loyalty', 'product_level', 'text', $$g.settings ->> 'product_level'$$),
  ('loyalty', 'categories', 'integer', $$g.categories$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (60, 'loyalty', 'loyalty_index', $$(f.loyalty_scored).index$$, 'Loyalty index, 0 to 100.'),
  (61, 'loyalty', 'loyalty_band', $$(f.loyalty_scored).band$$, 'Its band.'),
  (62, 'loyalty', 'engagement', $$segmentation.engagement_score(f.interactions, p.as_of)$$,
    'Engagement score: visits and calls, fading.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('loyalty', 'en', 'Loyalty index of {loyalty_index} out of 100; customer for {tenure} days, '
    '{purchase_days} days with a purchase.'),
  ('loyalty', 'fr', 'Indice de fidélité de {loyalty_index} sur 100 ; client depuis {tenure} jours, '
    '{purchase_days} jours avec achat.');
