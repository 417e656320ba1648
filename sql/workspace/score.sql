-- Scores and codes, set-based, from facts and a parameter set.

-- Subscriptions. One that has a day of its end in the future was given notice of: there is nothing to guess.

CREATE FUNCTION segmentation_internal.workspace_contracts(subscriptions jsonb, as_of date) RETURNS TABLE (plan text, started_on date, ended_on date, runs boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
BEGIN ATOMIC
  SELECT c.plan, c.started_on, c.ended_on, coalesce(c.ended_on > as_of, true)
  FROM jsonb_to_recordset(subscriptions) AS c (plan text, started_on date, ended_on date)
  WHERE c.started_on <= as_of;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_contracts(jsonb, date) IS 'Part of refresh: the subscriptions of a customer that have begun, and whether they run.';

CREATE FUNCTION segmentation_internal.workspace_contract_features(model jsonb, plan text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN (model -> 'by_plan')::boolean AND plan IS NOT NULL THEN jsonb_build_object('plan', plan) ELSE '{}' END;
COMMENT ON FUNCTION segmentation_internal.workspace_contract_features(jsonb, text) IS 'Part of refresh: what the model of contracts looks at.';

-- The probability that all subscriptions of a customer end within a horizon: a product; 1 if none runs, NULL without any.
-- As text, not as a function: the model is then read once a query, not once a row.
CREATE FUNCTION segmentation_internal.workspace_contract_churn_sql(model text, subscriptions text, as_of text, horizon text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN replace(replace(replace(replace($sql$(
        SELECT CASE WHEN count(*) = 0 THEN NULL WHEN NOT bool_or(c.runs) THEN 1 WHEN bool_or(e.p = 0) THEN 0
          WHEN bool_or(c.runs AND e.p IS NULL) THEN NULL ELSE exp(sum(ln(NULLIF(e.p, 0)))) END
        FROM segmentation_internal.workspace_contracts(@subscriptions@, @as_of@) AS c
        LEFT JOIN LATERAL (SELECT CASE WHEN c.ended_on IS NOT NULL THEN (c.ended_on <= @as_of@ + @horizon@)::integer::double precision
          ELSE segmentation.churn_probability(@model@ -> 'model', age(@as_of@, c.started_on), @horizon@, segmentation_internal.workspace_contract_features(@model@, c.plan)) END AS p OFFSET 0) AS e ON c.runs)$sql$,
    '@model@', model), '@subscriptions@', subscriptions), '@as_of@', as_of), '@horizon@', horizon);
COMMENT ON FUNCTION segmentation_internal.workspace_contract_churn_sql(text, text, text, text) IS
  'Part of refresh: the probability that all subscriptions of a customer end within a horizon, as SQL.';

-- Continuous scores of facts f. The values that a parameter set gives are written {name}: as literals when a refresh
-- computes all customers (a literal is parsed once), as columns of p in the view customer_scores. Internal.
CREATE FUNCTION segmentation_internal.workspace_score_template() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN replace(replace($template$
    SELECT f.customer, {as_of} AS as_of,
      (x.rfm).recency::integer AS recency, (x.rfm).frequency::bigint AS frequency, (x.rfm).monetary AS monetary,
      (x.rfm).r AS r, (x.rfm).f AS f, (x.rfm).m AS m, (x.rfm).score AS rfm_score,
      segmentation.turnover(f.history, ({as_of} - pg_catalog.make_interval(months => {pmg_months}))::date, {as_of}) AS turnover,
      CASE {churn_of} WHEN 'subscriptions' THEN
          CASE WHEN f.subscriptions IS NOT NULL THEN @contract_churn@ END
        ELSE segmentation.churn_probability({purchase_model}, f.history, {as_of}, {churn_horizon}) END AS churn_probability,
      CASE {churn_of} WHEN 'subscriptions' THEN
          CASE WHEN f.subscriptions IS NOT NULL THEN @contract_lost@ END
        ELSE segmentation.churn_probability({purchase_model}, f.history, {as_of}, {churn_lost_horizon}) END AS lost_probability,
      segmentation.alive_probability({purchase_model}, f.history, {as_of}) AS alive_probability,
      segmentation.expected_purchases({purchase_model}, f.history, {as_of}, {value_horizon}) AS expected_purchases,
      segmentation.future_value({purchase_model}, {spend_model}, f.history, {as_of}, {value_horizon}, {value_discount_rate}, {value_margin}) AS future_value,
      (z.loyalty).index AS loyalty_index, (z.loyalty).band AS loyalty_band,
      segmentation.engagement_score(f.interactions, {as_of}) AS engagement,
      (y.assigned).code AS profile, (y.assigned).distance AS profile_distance, (y.assigned).confidence AS profile_confidence
    FROM {facts} AS f
    CROSS JOIN LATERAL (SELECT segmentation.rfm_score(f.history, {as_of}, {rfm_cuts}) AS rfm OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT segmentation.profile_assign({profile_model}, {profile_features}) AS assigned OFFSET 0) AS y
    CROSS JOIN LATERAL (SELECT segmentation.loyalty(f.history, {as_of}, {loyalty_options},
      segmentation_internal.workspace_breadth(segmentation_internal.workspace_categories(f.items, f.categories, {product_level}), {as_of}, {categories}),
      segmentation_internal.workspace_satisfaction(f.attributes, f.company, {satisfaction}),
      segmentation_internal.workspace_share_of_wallet(f.attributes, f.company, f.history, {as_of}, {share_of_wallet}, {potential})) AS loyalty OFFSET 0) AS z
  $template$, '@contract_churn@', segmentation_internal.workspace_contract_churn_sql('{retention_model}', 'f.subscriptions', '{as_of}', '{churn_horizon}')),
    '@contract_lost@', segmentation_internal.workspace_contract_churn_sql('{retention_model}', 'f.subscriptions', '{as_of}', '{churn_lost_horizon}'));
COMMENT ON FUNCTION segmentation_internal.workspace_score_template() IS 'Part of refresh: all continuous scores as SQL, with places for the parameters.';

CREATE FUNCTION segmentation_internal.workspace_loyalty_options(settings jsonb, prior jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN prior IS NULL THEN '{}' ELSE jsonb_build_object('prior', prior) END
    || CASE WHEN settings -> 'loyalty_weights' = '{}' THEN '{}' ELSE jsonb_build_object('weights', settings -> 'loyalty_weights') END;
COMMENT ON FUNCTION segmentation_internal.workspace_loyalty_options(jsonb, jsonb) IS 'Part of refresh: the options of loyalty from the settings and the prior.';

-- What the loyalty index takes from elsewhere than the purchases. Each is NULL where it is not known.

CREATE FUNCTION segmentation_internal.workspace_number(attributes jsonb, company jsonb, attribute text) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_typeof(coalesce(attributes -> attribute, company -> attribute)) = 'number'
    THEN coalesce(attributes ->> attribute, company ->> attribute)::double precision END;
COMMENT ON FUNCTION segmentation_internal.workspace_number(jsonb, jsonb, text) IS 'Part of refresh: a number among the attributes of a customer or its company; NULL if there is none.';

CREATE FUNCTION segmentation_internal.workspace_satisfaction(attributes jsonb, company jsonb, attribute text) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN attribute IS NOT NULL AND segmentation_internal.workspace_number(attributes, company, attribute) BETWEEN 0 AND 10
    THEN segmentation_internal.workspace_number(attributes, company, attribute) / 10 END;
COMMENT ON FUNCTION segmentation_internal.workspace_satisfaction(jsonb, jsonb, text) IS 'Part of refresh: a satisfaction from 0 to 10 among the attributes, as a share; NULL if there is none.';

CREATE FUNCTION segmentation_internal.workspace_share_of_wallet(attributes jsonb, company jsonb, history segmentation.purchase_history, as_of date, share text, potential text) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN share IS NOT NULL AND segmentation_internal.workspace_number(attributes, company, share) BETWEEN 0 AND 1 THEN segmentation_internal.workspace_number(attributes, company, share)
    WHEN potential IS NOT NULL AND segmentation_internal.workspace_number(attributes, company, potential) > 0
      THEN greatest(0, least(1, segmentation.turnover(history, (as_of - interval '12 months')::date, as_of)::double precision / segmentation_internal.workspace_number(attributes, company, potential))) END;
COMMENT ON FUNCTION segmentation_internal.workspace_share_of_wallet(jsonb, jsonb, segmentation.purchase_history, date, text, text) IS
  'Part of refresh: share of wallet by an attribute, or by the turnover of 12 months over a potential; NULL if neither is known.';

CREATE FUNCTION segmentation_internal.workspace_categories(items segmentation.item_history, categories segmentation.item_history, level text) RETURNS segmentation.item_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE level WHEN 'category' THEN items ELSE categories END;
COMMENT ON FUNCTION segmentation_internal.workspace_categories(segmentation.item_history, segmentation.item_history, text) IS 'Part of refresh: what was bought, by category; where categories are what is offered, items are categories.';

-- A category that came after the training counts as one more.
CREATE FUNCTION segmentation_internal.workspace_breadth(history segmentation.item_history, as_of date, categories integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN history IS NOT NULL AND categories >= 2 THEN segmentation.category_breadth(history, as_of, greatest(categories, segmentation.item_count(history, as_of))) END;
COMMENT ON FUNCTION segmentation_internal.workspace_breadth(segmentation.item_history, date, integer) IS 'Part of refresh: breadth over the categories of a workspace, for loyalty; NULL if there are none.';

-- What takes the places: name, the expression in terms of a parameter set p and the workspace w, its type. Internal.
CREATE FUNCTION segmentation_internal.workspace_score_parameters() RETURNS TABLE (name text, expression text, type text)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM (VALUES
    ('rfm_cuts', 'p.rfm_cuts', 'segmentation.rfm_cuts'),
    ('pmg_months', '(p.settings ->> ''pmg_months'')::integer', 'integer'),
    -- || '{}' fetches a long value once, not once a row.
    ('purchase_model', 'p.purchase_model || ''{}''', 'jsonb'),
    ('retention_model', 'p.retention_model || ''{}''', 'jsonb'),
    ('churn_of', 'p.settings ->> ''churn_of''', 'text'),
    ('spend_model', 'p.spend_model || ''{}''', 'jsonb'),
    ('profile_model', 'p.profile_model || ''{}''', 'jsonb'),
    ('loyalty_options', 'segmentation_internal.workspace_loyalty_options(p.settings, p.loyalty_prior)', 'jsonb'),
    ('satisfaction', 'p.settings ->> ''satisfaction''', 'text'),
    ('share_of_wallet', 'p.settings ->> ''share_of_wallet''', 'text'),
    ('potential', 'p.settings ->> ''potential''', 'text'),
    ('product_level', 'p.settings ->> ''product_level''', 'text'),
    ('categories', 'p.categories', 'integer'),
    ('churn_horizon', '(p.settings ->> ''churn_horizon'')::interval', 'interval'),
    ('churn_lost_horizon', '(p.settings ->> ''churn_lost_horizon'')::interval', 'interval'),
    ('value_horizon', '(p.settings ->> ''value_horizon'')::interval', 'interval'),
    ('value_discount_rate', '(p.settings ->> ''value_discount_rate'')::double precision', 'double precision'),
    ('value_margin', '(p.settings ->> ''value_margin'')::double precision', 'double precision')
  ) AS v (name, expression, type);
END;
COMMENT ON FUNCTION segmentation_internal.workspace_score_parameters() IS 'Part of refresh: the parameters of workspace_score_template.';

-- The template with literals, for the customers of a relation of facts.
CREATE FUNCTION segmentation_internal.workspace_score_sql(ws text, facts text, number integer, as_of date) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  filled text := '';
  places jsonb;
  piece record;
  parameter record;
  given text;
  features text[];
BEGIN
  EXECUTE format('SELECT coalesce(p.profile_features, ''{}'') FROM %s.parameter_set AS p WHERE p.parameter_set = $1', ws)
    INTO features USING number;
  places := jsonb_build_object('profile_features', segmentation_internal.workspace_pick_sql(features), 'as_of', format('%L::date', as_of), 'facts', facts);
  FOR parameter IN SELECT * FROM segmentation_internal.workspace_score_parameters() LOOP
    EXECUTE format('SELECT (%s)::text FROM %s.parameter_set AS p WHERE p.parameter_set = $1', parameter.expression, ws) INTO given USING number;
    places := places || jsonb_build_object(parameter.name, format('%L::%s', given, parameter.type));
  END LOOP;
  -- In one pass: a column may well be called {facts}. The longest match wins, so a brace alone stays.
  FOR piece IN
    SELECT t.part[1] AS plain, t.part[2] AS name
    FROM regexp_matches(segmentation_internal.workspace_score_template(), '([^{]+|\{)|\{(\w+)\}', 'g') AS t (part)
  LOOP
    filled := concat(filled, piece.plain, places ->> piece.name);
  END LOOP;
  RETURN filled;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_score_sql(text, text, integer, date) IS 'Part of refresh: all continuous scores as SQL.';

-- All continuous scores at the published day, from the tables. The view customer_scores is this query; the functions read
-- it here: a view may have been replaced.
CREATE FUNCTION segmentation_internal.workspace_scores_query(ws text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  filled text := segmentation_internal.workspace_score_template();
BEGIN
  filled := regexp_replace(filled,
    concat('\{(', (SELECT string_agg(s.name, '|') FROM segmentation_internal.workspace_score_parameters() AS s), ')\}'), 'p.\1', 'g');
  filled := replace(filled, '{profile_features}', 'segmentation_internal.workspace_pick(p.features, f.attributes, f.company)');
  filled := replace(filled, '{as_of}', 'p.as_of');
  filled := replace(filled, '{facts} AS f', format('p CROSS JOIN ONLY %s.customer_facts AS f', ws));
  RETURN format('WITH p AS MATERIALIZED (SELECT w.as_of, p.profile_features AS features, %2$s
    FROM ONLY %1$s.workspace AS w JOIN ONLY %1$s.parameter_set AS p ON p.parameter_set = w.parameter_set) %3$s', ws,
    (SELECT string_agg(format('%s AS %I', s.expression, s.name), ', ') FROM segmentation_internal.workspace_score_parameters() AS s), filled);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_scores_query(text) IS
  'Part of create_workspace, explain and workspace_segment_preview: the query of the view customer_scores, as SQL.';

-- The view customer_scores, and its materialized twin for BI tools.
CREATE FUNCTION segmentation_internal.workspace_make_scores(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := quote_ident(workspace);
  said record;
BEGIN
  EXECUTE format('CREATE VIEW %s.customer_scores AS %s', ws, segmentation_internal.workspace_scores_query(ws));
  EXECUTE format('CREATE MATERIALIZED VIEW %1$s.customer_scores_stored AS SELECT * FROM %1$s.customer_scores WITH NO DATA', ws);
  EXECUTE format('CREATE UNIQUE INDEX customer_scores_stored_customer ON %s.customer_scores_stored (customer)', ws);
  EXECUTE format('COMMENT ON VIEW %s.customer_scores IS %L', ws, 'Every continuous score at the published day, computed from facts and models when it is read.');
  EXECUTE format('COMMENT ON MATERIALIZED VIEW %s.customer_scores_stored IS %L', ws, 'customer_scores as of the last CALL refresh_views: quick for BI tools.');
  FOR said IN
    SELECT r.relation, v.col, v.about FROM (VALUES
      ('as_of', 'The day of the scores.'),
      ('recency', 'Days since the last purchase.'),
      ('frequency', 'Purchases.'),
      ('monetary', 'Turnover, all time.'),
      ('r', 'Recency score; the highest is best.'),
      ('f', 'Frequency score.'),
      ('m', 'Monetary score.'),
      ('rfm_score', '100 r + 10 f + m.'),
      ('turnover', 'Turnover of the period that PMG looks at (12 rolling months).'),
      ('churn_probability', 'Probability of no purchase within churn_horizon (90 days), or of the end of all subscriptions; see the setting churn_of.'),
      ('lost_probability', 'The same within churn_lost_horizon (365 days).'),
      ('alive_probability', 'Probability of still being a customer.'),
      ('loyalty_index', 'Loyalty index, 0 to 100.'),
      ('loyalty_band', 'Its band.'),
      ('engagement', 'Engagement score: visits and calls, fading.'),
      ('expected_purchases', 'Expected purchase days within value_horizon (365 days).'),
      ('future_value', 'Expected value within value_horizon, discounted.'),
      ('profile', 'Nearest profile.'),
      ('profile_distance', 'Distance to its centre.'),
      ('profile_confidence', '0 on the border to the next profile, 1 at the centre.')
    ) AS v (col, about) CROSS JOIN (VALUES ('customer_scores'), ('customer_scores_stored')) AS r (relation)
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L', ws, said.relation, said.col, said.about);
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_scores(text) IS 'Part of create_workspace: the view customer_scores.';

CREATE FUNCTION segmentation_internal.workspace_pick(names text[], attributes jsonb, company jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN attributes IS NOT NULL OR company IS NOT NULL THEN
    (SELECT jsonb_object_agg(n.name, coalesce(attributes -> n.name, company -> n.name)) FROM unnest(names) AS n (name)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_pick(text[], jsonb, jsonb) IS 'Features of a profile out of a customer''s attributes and those of its company.';

-- Phase score: the tables <stage>scores, <stage>segments and the lists, for the customers of <stage>facts.
CREATE FUNCTION segmentation_internal.workspace_stage_scores(ws text, stage text, number integer, as_of date) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
  total bigint;
  at text := ws || '.' || stage;
BEGIN
  EXECUTE format('SELECT * FROM %s.parameter_set WHERE parameter_set = $1', ws) INTO p USING number;
  EXECUTE format('CREATE UNLOGGED TABLE %sscores AS %s', at, segmentation_internal.workspace_score_sql(ws, at || 'facts', number, as_of));
  GET DIAGNOSTICS total = ROW_COUNT;
  EXECUTE format('ANALYZE %sscores (customer)', at);
  PERFORM segmentation_internal.workspace_stage_lists(ws, stage, number, as_of);

  -- What is decided by the scores, then the lists. A code is insufficient_data where the axis is not ready, and
  -- where nothing is known of the customer.
  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$ssegments AS
    WITH c AS NOT MATERIALIZED (
      SELECT s.customer,
        %2$s AS rfm, %3$s AS pmg, %4$s AS churn, %5$s AS loyalty, %6$s AS future_value,
        %7$s AS product_appetence, %8$s AS channel_appetence, %9$s AS profile, %10$s AS life_moment,
        %11$s AS next_change_at
      FROM %1$sscores AS s
      JOIN %1$sfacts AS f ON f.customer = s.customer
      %12$s)
    SELECT c.customer, c.rfm, c.pmg, c.churn, c.loyalty, c.future_value, c.product_appetence, c.channel_appetence,
      %13$s AS profile, c.life_moment, %14$s AS segments, c.next_change_at
    FROM c
    $q$, at,
    CASE WHEN p.readiness -> 'rfm' <> 'null' THEN $e$'insufficient_data'$e$
      ELSE format($e$coalesce(segmentation.rfm_segment(ROW(s.recency, s.frequency, s.monetary, s.r, s.f, s.m, %L, s.rfm_score)::segmentation.rfm, %L::jsonb), 'prospect')$e$, p.settings ->> 'rfm_bins', p.rfm_map) END,
    CASE WHEN p.readiness -> 'pmg' <> 'null' THEN $e$'insufficient_data'$e$
      ELSE format($e$coalesce(segmentation.pmg_bucket(s.turnover, %L::segmentation.pmg_cuts), 'I')::text$e$, p.pmg_cuts) END,
    segmentation_internal.workspace_band_sql('churn', p.readiness, format($e$CASE WHEN s.churn_probability IS NULL THEN 'insufficient_data' WHEN %4$s THEN 'lost'
      WHEN s.churn_probability >= %2$s THEN 'high' WHEN s.churn_probability >= %3$s THEN 'medium' ELSE 'low' END$e$,
      NULL, p.settings -> 'churn_high', p.settings -> 'churn_medium',
      CASE p.settings ->> 'churn_of' WHEN 'subscriptions'
        THEN format('NOT EXISTS (SELECT FROM segmentation_internal.workspace_contracts(f.subscriptions, %L) AS r WHERE r.runs)', as_of)
        ELSE format('s.lost_probability > %s', p.settings -> 'churn_lost') END)),
    segmentation_internal.workspace_band_sql('loyalty', p.readiness, segmentation_internal.workspace_axis_sql('loyalty')),
    segmentation_internal.workspace_band_sql('future_value', p.readiness, format($e$CASE segmentation.pmg_bucket(s.future_value, %L::segmentation.pmg_cuts)
      WHEN 'G' THEN 'high' WHEN 'M' THEN 'medium' WHEN 'P' THEN 'low' WHEN 'I' THEN 'none' ELSE 'insufficient_data' END$e$, p.value_cuts)),
    segmentation_internal.workspace_band_sql('product_appetence', p.readiness, segmentation_internal.workspace_axis_sql('product_appetence', p.product_minimum)),
    segmentation_internal.workspace_band_sql('channel_appetence', p.readiness, segmentation_internal.workspace_axis_sql('channel_appetence')),
    segmentation_internal.workspace_band_sql('profile', p.readiness, $e$coalesce(s.profile, 'insufficient_data')$e$),
    segmentation_internal.workspace_band_sql('life_moment', p.readiness, segmentation_internal.workspace_axis_sql('life_moment')),
    segmentation_internal.workspace_next_change_sql(ws, number, as_of),
    segmentation_internal.workspace_lists_join_sql(at),
    'c.profile', '''{}''::jsonb');
  IF p.segments <> '{}' THEN
    PERFORM segmentation_internal.workspace_stage_registered(ws, at, p.segments, p.settings ->> 'profile_segment', as_of);
  END IF;
  EXECUTE format('ALTER TABLE %ssegments ADD PRIMARY KEY (customer)', at);
  EXECUTE format('ANALYZE %ssegments', at);
  RETURN total;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_scores(text, text, integer, date) IS 'Phase score of refresh: codes and lists for the staged facts.';

-- Where a code and a score have one name, the score has it: every code is there as <axis>_code too.
CREATE FUNCTION segmentation_internal.workspace_row(company jsonb, attributes jsonb, codes jsonb, scores jsonb, consents text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(company, '{}') || coalesce(attributes, '{}') || (codes - '{segments,next_change_at,since,parameter_set}'::text[]) || scores
    || jsonb_build_object('rfm_code', codes -> 'rfm', 'pmg_code', codes -> 'pmg', 'churn_code', codes -> 'churn', 'loyalty_code', codes -> 'loyalty',
         'future_value_code', codes -> 'future_value', 'product_appetence_code', codes -> 'product_appetence', 'channel_appetence_code', codes -> 'channel_appetence',
         'profile_code', codes -> 'profile', 'life_moment_code', codes -> 'life_moment', 'consents', to_jsonb(consents));
COMMENT ON FUNCTION segmentation_internal.workspace_row(jsonb, jsonb, jsonb, jsonb, text[]) IS 'What a registered definition sees of a customer: attributes, scores, codes, consents.';

CREATE FUNCTION segmentation_internal.workspace_band_sql(axis text, readiness jsonb, expression text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN readiness -> axis = 'null' THEN expression ELSE '''insufficient_data''' END;
COMMENT ON FUNCTION segmentation_internal.workspace_band_sql(text, jsonb, text) IS 'Part of refresh: the expression of a code, or insufficient_data where the axis is not ready.';

-- An interval as the options of the levels take it: NULL if it is not of whole days, as months are not.
CREATE FUNCTION segmentation_internal.workspace_days(span interval) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN span = make_interval(days => extract(day FROM span)::integer) AND extract(month FROM span) = 0 AND extract(year FROM span) = 0
    AND extract(day FROM span) > 0 THEN extract(day FROM span)::integer || ' days' END;
COMMENT ON FUNCTION segmentation_internal.workspace_days(interval) IS 'Part of refresh: a span of whole days, as text.';

CREATE FUNCTION segmentation_internal.workspace_churn_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN segmentation_internal.workspace_days((settings ->> 'churn_horizon')::interval) IS NOT NULL AND segmentation_internal.workspace_days((settings ->> 'churn_lost_horizon')::interval) IS NOT NULL THEN
    jsonb_build_object('horizon', segmentation_internal.workspace_days((settings ->> 'churn_horizon')::interval),
      'medium_from', least((settings ->> 'churn_medium')::double precision, (settings ->> 'churn_high')::double precision), 'high_from', settings -> 'churn_high',
      'lost_horizon', segmentation_internal.workspace_days((settings ->> 'churn_lost_horizon')::interval), 'lost_above', settings -> 'churn_lost') END;
COMMENT ON FUNCTION segmentation_internal.workspace_churn_options(jsonb) IS 'Part of refresh: the options of churn_level from the settings; NULL if a horizon is not of whole days.';

CREATE FUNCTION segmentation_internal.workspace_value_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN segmentation_internal.workspace_days((settings ->> 'value_horizon')::interval) IS NOT NULL THEN
    jsonb_build_object('horizon', segmentation_internal.workspace_days((settings ->> 'value_horizon')::interval),
      'discount_rate', settings -> 'value_discount_rate', 'margin', settings -> 'value_margin') END;
COMMENT ON FUNCTION segmentation_internal.workspace_value_options(jsonb) IS 'Part of refresh: the options of future_value_band from the settings; NULL if the horizon is not of whole days.';

CREATE FUNCTION segmentation_internal.workspace_next_change_sql(ws text, number integer, as_of date) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
  days text[] := '{}';
  ready jsonb;
  -- Where nothing better is known, tomorrow is looked at again.
  tomorrow constant text := format('%L::date', as_of + 1);
BEGIN
  EXECUTE format('SELECT * FROM %s.parameter_set WHERE parameter_set = $1', ws) INTO p USING number;
  -- A definition may look at the day in any way.
  IF p.segments <> '{}' OR p.settings ->> 'profile_segment' IS NOT NULL THEN
    RETURN tomorrow;
  END IF;
  ready := p.readiness;
  IF ready -> 'rfm' = 'null' THEN
    days := days || format('segmentation.rfm_next_change(f.history, %L, %L::segmentation.rfm_cuts)', as_of, p.rfm_cuts);
  END IF;
  IF ready -> 'pmg' = 'null' THEN
    days := days || format('segmentation.pmg_next_change(f.history, %L, %L::segmentation.pmg_cuts, %s)', as_of, p.pmg_cuts, p.settings ->> 'pmg_months');
  END IF;
  IF ready -> 'churn' = 'null' THEN
    -- Subscriptions grow older, and so does the risk, every day that one runs; one that begins or ends later is looked at then.
    days := days || CASE WHEN p.settings ->> 'churn_of' = 'subscriptions' THEN format('CASE WHEN f.subscriptions IS NOT NULL THEN %s END', tomorrow)
      WHEN segmentation_internal.workspace_churn_options(p.settings) IS NULL THEN tomorrow
      ELSE format('segmentation.churn_next_change(%L::jsonb, f.history, %L, %L::jsonb)', p.purchase_model, as_of, segmentation_internal.workspace_churn_options(p.settings)) END;
  END IF;
  IF ready -> 'future_value' = 'null' THEN
    days := days || CASE WHEN segmentation_internal.workspace_value_options(p.settings) IS NULL THEN tomorrow
      ELSE format('segmentation.future_value_next_change(%L::jsonb, %L::jsonb, f.history, %L, %L::segmentation.pmg_cuts, %L::jsonb)',
        p.purchase_model, p.spend_model, as_of, p.value_cuts, segmentation_internal.workspace_value_options(p.settings)) END;
  END IF;
  days := days || segmentation_internal.workspace_lists_next_change_sql(ready, p.settings, p.loyalty_prior, p.categories, as_of);
  RETURN CASE WHEN days = '{}' THEN 'NULL::date' ELSE format('LEAST(%s)', array_to_string(days, ', ')) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_next_change_sql(text, integer, date) IS 'Part of refresh: the next day on which time alone may change a code, as SQL.';

CREATE FUNCTION segmentation.consents_on(consents segmentation.consent_history, as_of date) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN consents IS NULL THEN NULL ELSE ARRAY(
    SELECT DISTINCT e.event ->> 'channel' COLLATE "C" FROM jsonb_array_elements(consents::jsonb) AS e (event)
    WHERE segmentation.has_consent(consents, e.event ->> 'channel', as_of) ORDER BY 1) END;
COMMENT ON FUNCTION segmentation.consents_on(segmentation.consent_history, date) IS 'The channels with consent on a day.';
