-- Training: what is frozen in a parameter set, and how good it would have been.

-- Why the data of an axis are too thin: {"code": ..., "have": ..., "need": ...}, or null. Internal.
CREATE FUNCTION segmentation_internal.workspace_readiness(ws text, facts text, as_of date, settings jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kinds text[];
  seen record;
  purchases jsonb;
  lasting jsonb;
BEGIN
  EXECUTE format('SELECT coalesce(array_agg(DISTINCT kind), ''{}'') FROM %s.source', ws) INTO kinds;
  EXECUTE format(
    'SELECT count(*) FILTER (WHERE segmentation.purchase_days(f.history, $1) > 0) AS buyers,
            count(*) FILTER (WHERE segmentation.purchase_days(f.history, $1) > 1) AS repeaters,
            $1 - min(segmentation.first_purchase(f.history)) FILTER (WHERE segmentation.purchase_days(f.history, $1) > 0) AS days,
            count(f.items) AS lines, count(f.subscriptions) AS contracts, count(f.contacts) AS contacts, count(coalesce(f.attributes, f.company)) AS attributes
     FROM %s AS f', facts) INTO seen USING as_of;
  purchases := CASE
    WHEN NOT kinds && '{purchases,purchase_lines}' THEN jsonb_build_object('code', 'no_source', 'need', 'purchases')
    WHEN seen.buyers < (settings ->> 'minimum_buyers')::integer
      THEN jsonb_build_object('code', 'few_buyers', 'have', seen.buyers, 'need', settings -> 'minimum_buyers')
    END;
  lasting := CASE
    WHEN purchases IS NOT NULL THEN purchases
    WHEN seen.repeaters < (settings ->> 'minimum_repeaters')::integer
      THEN jsonb_build_object('code', 'few_repeaters', 'have', seen.repeaters, 'need', settings -> 'minimum_repeaters')
    WHEN seen.days < extract(epoch FROM (settings ->> 'minimum_history')::interval) / 86400
      THEN jsonb_build_object('code', 'short_history', 'have', seen.days, 'need', settings -> 'minimum_history')
    END;
  RETURN jsonb_build_object(
    'rfm', purchases, 'pmg', purchases, 'churn', CASE
      WHEN settings ->> 'churn_of' <> 'subscriptions' THEN lasting
      WHEN NOT 'subscriptions' = ANY (kinds) THEN jsonb_build_object('code', 'no_source', 'need', 'subscriptions')
      WHEN seen.contracts < (settings ->> 'minimum_buyers')::integer
        THEN jsonb_build_object('code', 'few_subscribers', 'have', seen.contracts, 'need', settings -> 'minimum_buyers') END, 'loyalty', lasting, 'future_value', lasting,
    'product_appetence', CASE
      WHEN NOT 'purchase_lines' = ANY (kinds) THEN jsonb_build_object('code', 'no_source', 'need', 'purchase_lines')
      WHEN seen.lines < (settings ->> 'minimum_buyers')::integer
        THEN jsonb_build_object('code', 'few_buyers', 'have', seen.lines, 'need', settings -> 'minimum_buyers') END,
    'channel_appetence', CASE
      WHEN NOT 'contacts' = ANY (kinds) THEN jsonb_build_object('code', 'no_source', 'need', 'contacts')
      WHEN seen.contacts = 0 THEN jsonb_build_object('code', 'no_contacts', 'have', 0, 'need', 1) END,
    'profile', CASE
      WHEN settings ->> 'profile_segment' IS NOT NULL THEN NULL
      WHEN NOT kinds && '{customers,companies}' THEN jsonb_build_object('code', 'no_source', 'need', 'customers')
      WHEN seen.attributes < (settings ->> 'minimum_buyers')::integer
        THEN jsonb_build_object('code', 'few_customers', 'have', seen.attributes, 'need', settings -> 'minimum_buyers') END,
    'life_moment', CASE
      WHEN NOT kinds && '{purchases,purchase_lines,customers,attribute_history}'
        THEN jsonb_build_object('code', 'no_source', 'need', 'purchases') END);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_readiness(text, text, date, jsonb) IS 'Part of refresh: axis to the reason why its data are too thin.';

-- The attributes that make profiles, when none are named: numbers, booleans, texts of few values. What differs from
-- customer to customer (keys, phone numbers, dates) says nothing about groups, and neither does what goes together with
-- nothing else, as family names do: a cluster is features that vary together. Internal.
CREATE FUNCTION segmentation_internal.workspace_profile_features(facts text, settings jsonb) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found text[];
  together text[];
  sample text[];
BEGIN
  IF settings -> 'profile_features' <> 'null' THEN
    RETURN ARRAY(SELECT jsonb_array_elements_text(settings -> 'profile_features'));
  END IF;
  sample := ARRAY(SELECT format($q$(SELECT s.customer, e.key AS name, e.value, jsonb_typeof(e.value) AS type
      FROM (SELECT f.customer, coalesce(f.company, '{}') || coalesce(f.attributes, '{}') AS attributes FROM %s AS f
            ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT %s) AS s
      CROSS JOIN LATERAL jsonb_each(s.attributes) AS e WHERE e.value <> 'null')$q$, facts, n) FROM unnest('{20000,5000}'::integer[]) WITH ORDINALITY AS u (n, place) ORDER BY place);
  EXECUTE format(
    'SELECT array_agg(a.name ORDER BY a.name COLLATE "C") FROM (
       SELECT e.name FROM %s AS e
       -- Its year is an attribute of its own.
       WHERE e.name <> ''birth_date''
       GROUP BY e.name
       HAVING count(DISTINCT e.type) = 1
          AND CASE min(e.type) WHEN ''boolean'' THEN count(DISTINCT e.value) > 1
                WHEN ''string'' THEN count(DISTINCT e.value) BETWEEN 2 AND 20 AND count(*) > 2 * count(DISTINCT e.value)
                WHEN ''number'' THEN count(DISTINCT e.value) > 1 AND NOT (count(DISTINCT e.value) = count(*) AND bool_and(e.value::text ~ ''^-?[0-9]+$''))
                ELSE false END) AS a', sample[1]) INTO found;
  -- Cramer's V of each two, corrected for chance (Bergsma 2013), over those who have both; numbers in ten classes.
  EXECUTE format($q$
    WITH classed AS MATERIALIZED (
      SELECT e.customer, e.name, CASE e.type WHEN 'number' THEN ceil(10 * cume_dist() OVER (PARTITION BY e.name, e.type ORDER BY CASE e.type WHEN 'number' THEN (e.value #>> '{}')::numeric END))::text ELSE e.value::text END AS class
      FROM %s AS e WHERE e.name = ANY ($1)),
    pair AS (
      SELECT a.name AS one, b.name AS other, segmentation_internal.criterion(a.class, NULL, b.class, NULL) AS measured, count(*) OVER () AS pairs
      FROM classed AS a JOIN classed AS b ON b.customer = a.customer AND a.name < b.name GROUP BY a.name, b.name)
    SELECT array_agg(DISTINCT n.name COLLATE "C") FROM pair AS p CROSS JOIN LATERAL (VALUES (p.one), (p.other)) AS n (name)
    WHERE (p.measured ->> 'cramers_v_corrected')::double precision >= 0.1 AND (p.measured ->> 'p_value')::double precision < 0.01 / p.pairs$q$, sample[2])
    INTO together USING found;
  RETURN coalesce(together, found, '{}');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_profile_features(text, jsonb) IS 'Part of refresh: the attributes of customers that make profiles.';

-- The expression that picks features out of facts f; its text is that of the names. Internal.
CREATE FUNCTION segmentation_internal.workspace_pick_sql(names text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN cardinality(names) = 0 THEN 'NULL::jsonb' ELSE
    (SELECT format('CASE WHEN f.attributes IS NOT NULL OR f.company IS NOT NULL THEN %s END',
       -- A function takes at most 100 arguments.
       (SELECT string_agg(format('jsonb_build_object(%s)', g.pairs), ' || ' ORDER BY g.chunk)
        FROM (SELECT (n.place - 1) / 40 AS chunk, string_agg(format('%1$L, coalesce(f.attributes -> %1$L, f.company -> %1$L)', n.name), ', ' ORDER BY n.place) AS pairs
              FROM unnest(names) WITH ORDINALITY AS n (name, place) GROUP BY 1) AS g))) END;
COMMENT ON FUNCTION segmentation_internal.workspace_pick_sql(text[]) IS 'Part of refresh: features of the profile, as a SQL expression over facts.';

-- How good the scores of churn and value would have been one horizon ago, beside what simple rules reach.
-- model is the one to judge, or NULL for one fitted on what was known then. Internal.
CREATE FUNCTION segmentation_internal.workspace_backtest(facts text, as_of date, settings jsonb, model jsonb DEFAULT NULL, spend jsonb DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon interval := (settings ->> 'churn_horizon')::interval;
  inner_day date := (as_of - horizon)::date;
  tested jsonb;
BEGIN
  IF model IS NULL THEN
    EXECUTE format('SELECT segmentation.fit_purchase_model(f.history, $1, $2), segmentation.fit_spend_model(f.history, $1) FROM %s AS f', facts)
      INTO model, spend USING inner_day, jsonb_build_object('family', settings ->> 'purchase_family');
  END IF;
  EXECUTE format($q$
    SELECT jsonb_build_object(
      'as_of', $1, 'horizon', $2::text,
      'churn', segmentation.prediction_quality(t.p, t.churned) - 'bins',
      'recency', jsonb_build_object('auc', segmentation.prediction_quality(t.recency / (t.recency + 30.0), t.churned) -> 'auc'),
      'value', jsonb_build_object('predicted', round(sum(t.value), 2), 'actual', round(sum(t.actual), 2),
        'correlation', corr(t.value, t.actual), 'correlation_past', corr(t.past, t.actual)))
    FROM (SELECT segmentation.churn_probability($4, f.history, $1, $2) AS p, segmentation.churned_within(f.history, $1, $2, $3) AS churned,
                 segmentation.recency(f.history, $1)::double precision AS recency,
                 segmentation.future_value($4, $5, f.history, $1, $2, 0, 1) AS value,
                 segmentation.turnover(f.history, $1, $3) AS actual, segmentation.turnover(f.history, ($1 - $2)::date, $1) AS past
          FROM %s AS f WHERE segmentation.purchase_days(f.history, $1) > 0) AS t$q$, facts)
    INTO tested USING inner_day, horizon, as_of, model, spend;
  RETURN tested;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest(text, date, jsonb, jsonb, jsonb) IS
  'Part of refresh: quality of churn and value on the last horizon, by a model of before it.';

-- How long subscriptions last, by plan where there are some: a hazard, since it says what comes after the longest one seen.
CREATE FUNCTION segmentation_internal.workspace_fit_contracts(facts text, as_of date) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  by_plan boolean;
  model jsonb;
BEGIN
  EXECUTE format('SELECT count(DISTINCT c.plan) BETWEEN 2 AND 50 FROM %s AS f CROSS JOIN LATERAL segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c', facts) INTO by_plan USING as_of;
  EXECUTE format('SELECT segmentation.fit_retention_model(c.started_on, CASE WHEN NOT c.runs THEN c.ended_on END, $1, CASE WHEN $2 AND c.plan IS NOT NULL THEN jsonb_build_object(''plan'', c.plan) ELSE ''{}'' END, ''{"family": "hazard"}'')
    FROM %s AS f CROSS JOIN LATERAL segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c WHERE coalesce(c.ended_on >= c.started_on, true)', facts) INTO model USING as_of, by_plan;
  RETURN jsonb_build_object('by_plan', by_plan, 'model', model);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_fit_contracts(text, date) IS 'Part of refresh: a model of how long subscriptions last.';

-- The same one horizon ago, by what was known then, and who has none left now. Beside it, the share of all.
CREATE FUNCTION segmentation_internal.workspace_backtest_contracts(facts text, as_of date, settings jsonb, model jsonb DEFAULT NULL) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  horizon interval := (settings ->> 'churn_horizon')::interval;
  inner_day date := (as_of - horizon)::date;
  tested jsonb;
BEGIN
  model := coalesce(model, segmentation_internal.workspace_fit_contracts(facts, inner_day));
  EXECUTE format($q$
    SELECT jsonb_build_object('as_of', $1, 'horizon', $2::text, 'churn', segmentation.prediction_quality(t.p, t.churned) - 'bins')
    FROM (SELECT %2$s AS p, NOT EXISTS (SELECT FROM segmentation_internal.workspace_contracts(f.subscriptions, $3) AS c WHERE c.runs) AS churned
          FROM %1$s AS f CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('plan', c.plan, 'started_on', c.started_on)) AS known FROM segmentation_internal.workspace_contracts(f.subscriptions, $1) AS c WHERE c.runs) AS k
          WHERE k.known IS NOT NULL) AS t WHERE t.p IS NOT NULL$q$, facts, segmentation_internal.workspace_contract_churn_sql('$4', 'k.known', '$1', '$2'))
    INTO tested USING inner_day, horizon, as_of, model;
  RETURN tested;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_backtest_contracts(text, date, jsonb, jsonb) IS 'Part of refresh: quality of the churn of subscriptions on the last horizon.';

-- Phase train: fits everything on stage_facts, and writes a candidate parameter set. Returns its number.
CREATE FUNCTION segmentation_internal.workspace_train(ws text, as_of date) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settings jsonb := segmentation_internal.workspace_settings_now(ws);
  facts text := ws || '.stage_facts';
  readiness jsonb := segmentation_internal.workspace_readiness(ws, facts, as_of, settings);
  made record;
  number integer;
  rfm_map jsonb;
  features text[];
  worth record;
  value_cuts segmentation.pmg_cuts;
  profile jsonb;
  quality jsonb := '{}';
  categories integer;
  retention jsonb;
  -- What never happened in the test period, or always, cannot be told apart: whoever predicts it so looks splendid.
  one_outcome jsonb := jsonb_build_object('code', 'one_outcome', 'have', settings ->> 'churn_horizon');
BEGIN
  SELECT jsonb_build_object('bins', settings -> 'rfm_bins', 'first_match', false,
           'segments', jsonb_agg(jsonb_build_object('segment', m.segment, 'r', m.r, 'f', m.f, 'm', m.m) ORDER BY m.r, m.f, m.m)) INTO rfm_map
  FROM segmentation.rfm_map AS m WHERE m.map = settings ->> 'rfm_map' AND m.bins = (settings ->> 'rfm_bins')::integer;
  IF rfm_map -> 'segments' = 'null' OR rfm_map IS NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('there is no RFM map "%s" for %s bins', settings ->> 'rfm_map', settings ->> 'rfm_bins'),
      HINT = 'Change the settings rfm_map and rfm_bins, or add rows to segmentation.rfm_map.';
  END IF;
  EXECUTE format($q$
    SELECT segmentation.rfm_cuts(f.history, $1, $2) AS rfm_cuts,
           segmentation.pmg_cuts(segmentation.turnover(f.history, ($1 - make_interval(months => $3))::date, $1), $4) AS pmg_cuts,
           segmentation.fit_purchase_model(f.history, $1, $5) AS purchase_model,
           segmentation.fit_spend_model(f.history, $1) AS spend_model
    FROM %s AS f WHERE f.history IS NOT NULL$q$, facts)
    INTO made
    USING as_of, jsonb_build_object('bins', settings -> 'rfm_bins', 'rule', settings -> 'rfm_rule'),
      (settings ->> 'pmg_months')::integer,
      jsonb_strip_nulls(jsonb_build_object('mode', settings -> 'pmg_mode', 'gros', settings -> 'pmg_gros', 'moyens', settings -> 'pmg_moyens')),
      jsonb_build_object('family', settings ->> 'purchase_family');
  IF readiness -> 'future_value' = 'null' THEN
    EXECUTE format($q$
      SELECT segmentation.pmg_cuts(segmentation.future_value($1, $2, f.history, $3, $4, $5, $6), $7) AS cuts FROM %s AS f WHERE f.history IS NOT NULL$q$, facts)
      INTO worth
      USING made.purchase_model, made.spend_model, as_of, (settings ->> 'value_horizon')::interval,
        (settings ->> 'value_discount_rate')::double precision, (settings ->> 'value_margin')::double precision,
        jsonb_build_object('mode', 'cumulative', 'gros', settings -> 'value_high', 'moyens', settings -> 'value_medium');
    value_cuts := worth.cuts;
    quality := segmentation_internal.workspace_backtest(facts, as_of, settings);
    IF quality #>> '{churn,auc}' IS NULL THEN
      readiness := readiness || jsonb_build_object('future_value', one_outcome);
      IF settings ->> 'churn_of' = 'purchases' THEN
        readiness := readiness || jsonb_build_object('churn', one_outcome);
      END IF;
    END IF;
  END IF;
  IF settings ->> 'churn_of' = 'subscriptions' THEN
    retention := segmentation_internal.workspace_fit_contracts(facts, as_of);
    IF readiness -> 'churn' = 'null' THEN
      quality := quality || segmentation_internal.workspace_backtest_contracts(facts, as_of, settings);
      IF quality #>> '{churn,auc}' IS NULL THEN
        readiness := readiness || jsonb_build_object('churn', one_outcome);
      END IF;
    END IF;
  END IF;
  IF readiness -> 'profile' = 'null' AND settings ->> 'profile_segment' IS NULL THEN
    features := segmentation_internal.workspace_profile_features(facts, settings);
    IF cardinality(features) = 0 THEN
      readiness := readiness || '{"profile": {"code": "no_features"}}';
    ELSE
      EXECUTE format('SELECT segmentation.fit_profile(%s, $1) FROM %s AS f', segmentation_internal.workspace_pick_sql(features), facts) INTO profile
        USING jsonb_build_object('k', settings -> 'profile_k', 'seed', 1, 'sample', 200000);
    END IF;
  END IF;
  EXECUTE format('SELECT NULLIF(count(DISTINCT c.category), 0) FROM %s.stage_catalogue AS c', ws) INTO categories;
  EXECUTE format($q$
    INSERT INTO %s.parameter_set (as_of, status, settings, readiness, rfm_cuts, rfm_map, pmg_cuts, purchase_model, spend_model,
      value_cuts, profile_model, profile_features, quality, categories, retention_model)
    VALUES ($1, 'candidate', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING parameter_set$q$, ws)
    INTO number
    USING as_of, settings, readiness, made.rfm_cuts, rfm_map, made.pmg_cuts, made.purchase_model, made.spend_model,
      value_cuts, profile, features, quality, categories, retention;
  PERFORM segmentation_internal.workspace_train_axes(ws, number, as_of, settings);
  RETURN number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train(text, date) IS 'Phase train of refresh: a candidate parameter set from the staged facts.';

-- Puts the candidate into use, unless it would have predicted worse than the set in use, or nobody can say whether it
-- would. Says which. Returns the number of the set to score with.
CREATE FUNCTION segmentation_internal.workspace_promote(ws text, candidate integer, as_of date) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  used record;
  fresh record;
  old_brier double precision;
  new_brier double precision;
  said text;
  accepted boolean := true;
BEGIN
  EXECUTE format('SELECT * FROM %s.parameter_set WHERE parameter_set = $1', ws) INTO fresh USING candidate;
  EXECUTE format('SELECT p.* FROM %s.parameter_set AS p WHERE p.status = ''in_use''', ws) INTO used;
  new_brier := (fresh.quality #>> '{churn,brier}')::double precision;
  IF used.parameter_set IS NULL THEN
    said := 'the first';
  ELSIF fresh.readiness #>> '{churn,code}' = 'one_outcome' AND used.readiness -> 'churn' = 'null' AND used.settings ->> 'churn_of' = fresh.settings ->> 'churn_of' THEN
    accepted := false;
    said := format('rejected: within %s all customers did the same, so its back-test has no AUC', fresh.readiness #>> '{churn,have}');
  ELSIF new_brier IS NULL OR (CASE fresh.settings ->> 'churn_of' WHEN 'subscriptions' THEN used.retention_model::text ELSE used.purchase_model #>> '{parameters}' END) IS NULL THEN
    said := 'not compared: there are too few data for a back-test';
  ELSIF used.settings ->> 'churn_of' <> fresh.settings ->> 'churn_of' THEN
    said := 'not compared: churn is about something else now';
  ELSIF used.as_of > (as_of - (fresh.settings ->> 'churn_horizon')::interval)::date THEN
    -- A model trained after the test period began has seen its outcome: no fair comparison.
    said := 'not compared: the set in use is younger than the test period';
  ELSE
    old_brier := (CASE fresh.settings ->> 'churn_of' WHEN 'subscriptions' THEN segmentation_internal.workspace_backtest_contracts(ws || '.stage_facts', as_of, fresh.settings, used.retention_model)
      ELSE segmentation_internal.workspace_backtest(ws || '.stage_facts', as_of, fresh.settings, used.purchase_model, used.spend_model) END #>> '{churn,brier}')::double precision;
    accepted := old_brier IS NULL OR new_brier <= old_brier * (1 + (fresh.settings ->> 'promote_tolerance')::double precision);
    said := format('Brier score of churn %s, against %s of parameter set %s: %s', round(new_brier::numeric, 5), round(old_brier::numeric, 5),
      used.parameter_set, CASE WHEN accepted THEN 'taken into use' ELSE 'rejected' END);
  END IF;
  IF accepted THEN
    EXECUTE format('UPDATE %s.parameter_set SET status = ''retired'' WHERE status = ''in_use''', ws);
  END IF;
  EXECUTE format('UPDATE %s.parameter_set SET status = $1, note = $2 WHERE parameter_set = $3', ws)
    USING CASE WHEN accepted THEN 'in_use' ELSE 'rejected' END, said, candidate;
  EXECUTE format('DELETE FROM %1$s.parameter_set WHERE status IN (''retired'', ''rejected'') AND parameter_set <= $1 - $2
                  AND parameter_set IS DISTINCT FROM (SELECT parameter_set FROM %1$s.workspace)', ws)
    USING candidate, (fresh.settings ->> 'keep_parameter_sets')::integer;
  RETURN CASE WHEN accepted THEN candidate ELSE used.parameter_set END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_promote(text, integer, date) IS 'Part of refresh: takes a candidate parameter set into use if it is not worse.';

CREATE FUNCTION segmentation.use_parameter_set(workspace text, parameter_set integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws text := segmentation_internal.workspace_owned(workspace);
  found boolean;
BEGIN
  EXECUTE format('SELECT true FROM %s.parameter_set WHERE parameter_set = $1 AND status <> ''candidate''', ws) INTO found USING parameter_set;
  IF found IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no parameter set %s', workspace, coalesce(parameter_set::text, 'null')),
      HINT = format('SELECT parameter_set, as_of, status FROM %s.parameter_set lists them.', ws);
  END IF;
  EXECUTE format('UPDATE %s.parameter_set SET status = ''retired'' WHERE status = ''in_use'' AND parameter_set <> $1', ws) USING parameter_set;
  EXECUTE format('UPDATE %s.parameter_set SET status = ''in_use'', note = ''chosen by hand'' WHERE parameter_set = $1', ws) USING parameter_set;
END
$$;
COMMENT ON FUNCTION segmentation.use_parameter_set(text, integer) IS
  'Takes an earlier parameter set into use again (a roll-back). Codes follow at the next refresh: CALL refresh(workspace, retrain => false).';
