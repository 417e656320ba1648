-- The axes that give a list a customer (products, channels, moments), and loyalty: their training, their lists, their codes.

-- Consents as they count: those of the source, or for everybody where the settings say so and there is no source.
CREATE FUNCTION segmentation_internal.workspace_consents_sql(ws text, number integer) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  assumed boolean;
  channels jsonb;
BEGIN
  EXECUTE format('SELECT (p.settings ->> ''channel_assumes_consent'')::boolean AND NOT EXISTS (SELECT FROM %1$s.source AS s WHERE s.kind = ''consents''),
    (SELECT jsonb_object_agg(c ->> ''channel'', true) FROM jsonb_array_elements(p.channel_model -> ''channels'') AS c)
    FROM %1$s.parameter_set AS p WHERE p.parameter_set = $1', ws) INTO assumed, channels USING number;
  RETURN CASE WHEN assumed AND channels IS NOT NULL THEN format('segmentation.consents(%L::jsonb)', channels) ELSE 'f.consents' END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_consents_sql(text, integer) IS 'Part of refresh: the consents of a customer, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_channel_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('by', 'lower', 'margin', settings -> 'channel_margin', 'cost', '{"*": 0}'::jsonb || (settings -> 'channel_costs'))
    || coalesce((SELECT jsonb_build_object('pressure', jsonb_agg(c.value || jsonb_build_object('channel', c.key) ORDER BY c.key))
                 FROM jsonb_each(settings -> 'channel_caps') AS c HAVING count(*) > 0), '{}');
COMMENT ON FUNCTION segmentation_internal.workspace_channel_options(jsonb) IS 'Part of refresh: the options of rank_channels from the settings.';

-- What is never offered, what offers are ranked by, and what each brings, by the products in catalogue (a relation). Where
-- categories are offered: one is out of stock if all its products are, and brings the mean of them.
CREATE FUNCTION segmentation_internal.workspace_product_options(settings jsonb, catalogue text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item text := CASE settings ->> 'product_level' WHEN 'category' THEN 'c.category' ELSE 'c.product' END;
  valued boolean := settings ->> 'product_rank_by' = 'value' OR settings -> 'product_margin_floor' <> 'null';
  excluded jsonb;
  margins jsonb;
BEGIN
  EXECUTE format($q$
    SELECT jsonb_agg(DISTINCT e.item) FROM (
      SELECT jsonb_array_elements_text($1 -> 'product_exclude') AS item
      UNION ALL
      SELECT %1$s FROM %2$s AS c WHERE $1 -> 'product_exclude_categories' ? c.category
      UNION ALL
      SELECT %1$s FROM %2$s AS c WHERE ($1 -> 'product_in_stock')::boolean GROUP BY %1$s HAVING bool_and(c.stock <= 0)) AS e
    WHERE e.item IS NOT NULL$q$, item, catalogue) INTO excluded USING settings;
  IF valued THEN
    EXECUTE format('SELECT jsonb_object_agg(m.item, m.margin) FROM (
        SELECT %1$s AS item, round(avg(c.margin * c.price), 4) AS margin FROM %2$s AS c WHERE c.margin * c.price IS NOT NULL GROUP BY 1) AS m WHERE m.item IS NOT NULL', item, catalogue) INTO margins;
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object('exclude', excluded,
      'owned_for_good', NULLIF(settings -> 'product_owned_for_good', '[]'), 'margins', margins, 'margin_floor', settings -> 'product_margin_floor',
      -- Without a margin of anything there is nothing to rank by.
      'rank_by', CASE WHEN settings ->> 'product_rank_by' = 'score' OR (settings ->> 'product_rank_by' = 'value' AND margins IS NULL) THEN NULL ELSE settings -> 'product_rank_by' END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_product_options(jsonb, text) IS 'Part of refresh: the options of top_products from the settings and the products.';

-- The products of the refresh under way; a batch or a day that moves takes those that were published.
CREATE FUNCTION segmentation_internal.workspace_catalogue(ws text, stage text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(to_regclass(ws || '.' || quote_ident(stage || 'catalogue')), to_regclass(ws || '.product'))::text;
COMMENT ON FUNCTION segmentation_internal.workspace_catalogue(text, text) IS 'Part of refresh: the relation of products to offer from.';

-- Offers are for the end of the week: they stay as they are until Monday, unless the customer buys.
CREATE FUNCTION segmentation_internal.workspace_product_day(as_of date) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (date_trunc('week', as_of::timestamp) + interval '6 days')::date;
COMMENT ON FUNCTION segmentation_internal.workspace_product_day(date) IS 'Part of refresh: the day for which products are offered, the Sunday of the week.';

CREATE FUNCTION segmentation_internal.workspace_moment_options(settings jsonb, model jsonb, moment text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(model -> moment, '{}')
    || CASE WHEN moment = 'anniversary' THEN jsonb_build_object('ahead', round(extract(epoch FROM (settings ->> 'moment_ahead')::interval) / 86400)) ELSE '{}' END
    || coalesce(settings -> 'moment_options' -> moment, '{}');
COMMENT ON FUNCTION segmentation_internal.workspace_moment_options(jsonb, jsonb, text) IS 'Part of refresh: the options of a life moment: what was trained, then the settings.';

-- Categories that mark moments, as settings name them: {"birth": ["baby"]}. Where they are not known, none.
CREATE FUNCTION segmentation_internal.workspace_marker_sql(settings jsonb, model jsonb, as_of date) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(format(CASE m.key WHEN 'holiday_ahead'
        THEN $s$ SELECT segmentation.yearly_recurrence(segmentation.item_purchases(g.bought, %1$L), %2$L, segmentation.first_purchase(f.history), %3$L, %4$L::jsonb, %5$L::jsonb) AS found
          WHERE g.bought IS NOT NULL AND segmentation.first_purchase(f.history) <= %2$L $s$
        ELSE $s$ SELECT segmentation.marker_purchase(segmentation.item_purchases(g.bought, %1$L), f.history, %2$L, %3$L, %5$L::jsonb) AS found WHERE g.bought IS NOT NULL AND f.history IS NOT NULL $s$ END,
      ARRAY(SELECT jsonb_array_elements_text(m.value)), as_of, m.key, NULLIF(settings -> 'moment_calendar', '[]'), segmentation_internal.workspace_moment_options(settings, model, m.key)), ' UNION ALL ' ORDER BY m.key)
    FROM jsonb_each(settings -> 'moment_categories') AS m);
COMMENT ON FUNCTION segmentation_internal.workspace_marker_sql(jsonb, jsonb, date) IS 'Part of refresh: the moments that purchases in some categories mark, as SQL over facts f and g.bought; NULL if there are none.';

CREATE FUNCTION segmentation_internal.workspace_train_axes(ws text, number integer, as_of date, settings jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
  facts text := ws || '.stage_facts';
  prior jsonb;
  channels jsonb;
  hours jsonb;
  alpha double precision;
  offers jsonb;
  moments jsonb;
  marker record;
BEGIN
  EXECUTE format('SELECT * FROM %s.parameter_set WHERE parameter_set = $1', ws) INTO p USING number;
  EXECUTE format('SELECT segmentation.fit_loyalty_prior(f.history, $1) FROM %s AS f WHERE f.history IS NOT NULL', facts) INTO prior USING as_of;
  EXECUTE format('UPDATE %s.parameter_set SET loyalty_prior = $2 WHERE parameter_set = $1', ws) USING number, prior;
  IF p.readiness -> 'product_appetence' = 'null' THEN
    EXECUTE format('UPDATE %s.parameter_set SET product_model = (SELECT segmentation.fit_product_affinity(f.items, $2, $3) FROM %s AS f WHERE f.items IS NOT NULL) WHERE parameter_set = $1', ws, facts)
      USING number, as_of, jsonb_build_object('horizon', round(extract(epoch FROM (settings ->> 'product_horizon')::interval) / 86400));
    offers := segmentation_internal.workspace_product_options(settings, segmentation_internal.workspace_catalogue(ws, 'stage_'));
    -- The median of the best offers, of a thousand customers chosen by their keys.
    EXECUTE format('UPDATE %1$s.parameter_set SET product_minimum = (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t.probability)
        FROM (SELECT f.items FROM %2$s AS f WHERE f.items IS NOT NULL ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT 1000) AS f
        CROSS JOIN LATERAL segmentation.top_products(product_model, segmentation.until(f.items, $2), $3, 1, $4) AS t)
      WHERE parameter_set = $1', ws, facts)
      USING number, as_of, segmentation_internal.workspace_product_day(as_of), offers;
  END IF;
  IF p.readiness -> 'channel_appetence' = 'null' THEN
    EXECUTE format('SELECT segmentation.fit_channel_model(f.contacts, (segmentation.profile_assign($2, %s)).code, $1), segmentation.fit_send_time(f.hours) FROM %s AS f WHERE f.contacts IS NOT NULL',
        segmentation_internal.workspace_pick_sql(coalesce(p.profile_features, '{}')), facts)
      INTO channels, hours USING as_of, p.profile_model;
    EXECUTE format('UPDATE %s.parameter_set SET channel_model = $2, send_time_profile = $3 WHERE parameter_set = $1', ws) USING number, channels, hours;
  END IF;
  IF p.readiness -> 'life_moment' = 'null' THEN
    -- The p value up to which false discoveries stay within their share, among all customers now; frozen, so that
    -- one customer's moment does not hang on the others' between trainings.
    EXECUTE format('SELECT max(t.p) FILTER (WHERE t.q <= $2) FROM (
        SELECT s.p, segmentation.q_value(s.p) OVER () AS q FROM (SELECT (segmentation.waning_interest(f.history, $1)).p_value AS p FROM %s AS f WHERE f.history IS NOT NULL OFFSET 0) AS s WHERE s.p IS NOT NULL) AS t', facts)
      INTO alpha USING as_of, (settings ->> 'moment_false_discoveries')::double precision;
    -- None found: only what is next to certain.
    moments := jsonb_build_object('purchase_due', jsonb_build_object('prior', prior), 'reactivated', jsonb_build_object('prior', prior),
      'waning_interest', jsonb_build_object('alpha', greatest(coalesce(alpha, 0), 1e-6)));
    -- So with each moment that purchases in some categories mark.
    FOR marker IN SELECT m.key, segmentation_internal.workspace_marker_sql(settings || jsonb_build_object('moment_categories', jsonb_build_object(m.key, m.value)), NULL, as_of) AS found
                  FROM jsonb_each(settings -> 'moment_categories') AS m LOOP
      EXECUTE format('SELECT max(t.p) FILTER (WHERE t.q <= $1) FROM (
          SELECT s.p, segmentation.q_value(s.p) OVER () AS q FROM (
            SELECT (m.found).p_value AS p FROM %s AS f CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_categories(f.items, f.categories, $2) AS bought OFFSET 0) AS g CROSS JOIN LATERAL (%s OFFSET 0) AS m) AS s
          WHERE s.p IS NOT NULL) AS t', facts, marker.found)
        INTO alpha USING (settings ->> 'moment_false_discoveries')::double precision, settings ->> 'product_level';
      moments := moments || jsonb_build_object(marker.key, jsonb_build_object('alpha', greatest(coalesce(alpha, 0), 1e-6)));
    END LOOP;
    EXECUTE format('UPDATE %s.parameter_set SET moment_model = $2 WHERE parameter_set = $1', ws) USING number, moments;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_axes(text, integer, date, jsonb) IS 'Part of refresh: priors and models of loyalty, products, channels and moments.';

CREATE FUNCTION segmentation_internal.workspace_stage_lists(ws text, stage text, number integer, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
  at text := ws || '.' || stage;
  consents text := segmentation_internal.workspace_consents_sql(ws, number);
  markers text;
BEGIN
  EXECUTE format('SELECT * FROM %s.parameter_set WHERE parameter_set = $1', ws) INTO p USING number;
  markers := segmentation_internal.workspace_marker_sql(p.settings, p.moment_model, as_of);
  IF p.product_model IS NULL THEN
    EXECUTE format('CREATE UNLOGGED TABLE %1$sproducts AS SELECT * FROM %2$s.customer_products WITH NO DATA', at, ws);
  ELSE
    EXECUTE format($q$
      CREATE UNLOGGED TABLE %1$sproducts AS
      SELECT f.customer, t.rank::smallint AS place, t.item AS product, t.score, t.probability, t.source, t.next_due, t.reason, t.reason_fr, t.value
      FROM %1$sfacts AS f
      CROSS JOIN LATERAL segmentation.top_products($1, segmentation.until(f.items, %2$L), %3$L, %4$s, $2) AS t
      WHERE f.items IS NOT NULL$q$, at, as_of, segmentation_internal.workspace_product_day(as_of), p.settings -> 'product_offers')
      -- A model of megabytes: not written out as a literal and parsed again.
      USING p.product_model, segmentation_internal.workspace_product_options(p.settings, segmentation_internal.workspace_catalogue(ws, stage));
  END IF;
  IF p.channel_model IS NULL THEN
    EXECUTE format('CREATE UNLOGGED TABLE %1$schannels AS SELECT * FROM %2$s.customer_channels WITH NO DATA', at, ws);
    EXECUTE format('CREATE UNLOGGED TABLE %1$schannel_changes AS SELECT f.customer, NULL::date AS next_change FROM %1$sfacts AS f WITH NO DATA', at);
  ELSE
    EXECUTE format($q$
      CREATE UNLOGGED TABLE %1$schannels AS
      SELECT f.customer, r.channel, r.eligible, r.reason, r.rank::smallint AS place, r.mean, r.lower, r.value, round(r.sent)::bigint AS n,
        (t.best).day AS best_day, (t.best).hour AS best_hour
      FROM %1$sfacts AS f JOIN %1$sscores AS s ON s.customer = f.customer
      CROSS JOIN LATERAL segmentation.rank_channels(%2$L::jsonb, s.profile, f.contacts, %3$s, %4$L, %5$L::jsonb) AS r
      CROSS JOIN LATERAL (SELECT segmentation.send_time(%6$L::jsonb, f.hours) AS best OFFSET 0) AS t
      WHERE f.contacts IS NOT NULL OR f.consents IS NOT NULL$q$, at, p.channel_model, consents, as_of, segmentation_internal.workspace_channel_options(p.settings), p.send_time_profile);
    EXECUTE format($q$
      CREATE UNLOGGED TABLE %1$schannel_changes AS
      SELECT f.customer, segmentation.channel_next_change(%2$L::jsonb, s.profile, f.contacts, %3$s, %4$L, %5$L::jsonb) AS next_change
      FROM %1$sfacts AS f JOIN %1$sscores AS s ON s.customer = f.customer
      WHERE f.contacts IS NOT NULL OR f.consents IS NOT NULL$q$, at, p.channel_model, consents, as_of, segmentation_internal.workspace_channel_options(p.settings));
  END IF;
  -- Every moment that was looked for, with the day on which it would change; those that are on become the list.
  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$sall_moments AS
    SELECT f.customer, (m.found).moment, (m.found).begins, (m.found).ends, (m.found).confidence, (m.found).evidence, (m.found).next_change
    FROM %1$sfacts AS f JOIN %1$sscores AS s ON s.customer = f.customer
    CROSS JOIN LATERAL (SELECT segmentation_internal.workspace_categories(f.items, f.categories, %10$L) AS bought OFFSET 0) AS g
    CROSS JOIN LATERAL (
      -- One SELECT each: the expressions of VALUES are prepared anew for every row, and options are parsed again.
      SELECT segmentation.purchase_due(f.history, %2$L, coalesce(s.alive_probability, 1), %3$L::jsonb) AS found WHERE f.history IS NOT NULL
      UNION ALL
      SELECT segmentation.waning_interest(f.history, %2$L, %4$L::jsonb) WHERE f.history IS NOT NULL
      UNION ALL
      SELECT segmentation.first_purchase_moment(f.history, %2$L, %5$L::jsonb) WHERE f.history IS NOT NULL
      UNION ALL
      SELECT segmentation.reactivated(f.history, %2$L, %6$L::jsonb) WHERE f.history IS NOT NULL
      UNION ALL
      SELECT segmentation.anniversary(segmentation.segment_date(f.attributes ->> 'birth_date'), %2$L, 'birth_date', %7$L::jsonb)
      WHERE segmentation.segment_date(f.attributes ->> 'birth_date') IS NOT NULL
      UNION ALL
      SELECT segmentation.attribute_moment(a.change ->> 'attribute', (a.change ->> 'changed_on')::date, a.change ->> 'old', a.change ->> 'new', %2$L, %8$L::jsonb, f.company IS NOT NULL)
      FROM jsonb_array_elements(f.attribute_changes) AS a (change)
      %9$s
      OFFSET 0) AS m$q$, at, as_of,
    segmentation_internal.workspace_moment_options(p.settings, p.moment_model, 'purchase_due'), segmentation_internal.workspace_moment_options(p.settings, p.moment_model, 'waning_interest'),
    segmentation_internal.workspace_moment_options(p.settings, p.moment_model, 'first_purchase'), segmentation_internal.workspace_moment_options(p.settings, p.moment_model, 'reactivated'),
    segmentation_internal.workspace_moment_options(p.settings, p.moment_model, 'anniversary'), p.settings -> 'moment_options' -> 'attributes',
    CASE WHEN markers IS NOT NULL THEN 'UNION ALL ' || markers END, p.settings ->> 'product_level');
  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$smoments AS
    SELECT DISTINCT ON (m.customer, m.moment, m.begins) m.customer, m.moment, m.begins, m.ends, m.confidence, m.evidence
    FROM %1$sall_moments AS m
    WHERE m.moment NOT IN ('none', 'insufficient_data') AND m.begins IS NOT NULL
    ORDER BY m.customer, m.moment, m.begins, m.confidence DESC, m.evidence::text COLLATE "C"$q$, at);
  EXECUTE format($q$
    CREATE UNLOGGED TABLE %1$smoment_codes AS
    SELECT m.customer, (array_agg(m.moment ORDER BY m.confidence DESC, m.moment COLLATE "C")
        FILTER (WHERE m.moment NOT IN ('none', 'insufficient_data') AND m.begins <= %2$L AND coalesce(m.ends, 'infinity') >= %2$L))[1] AS moment,
      -- Of two that are on at once, one may overtake the other: the confidence of these moves every day.
      LEAST(min(m.next_change), CASE WHEN count(DISTINCT m.moment) FILTER (WHERE m.begins <= %2$L AND coalesce(m.ends, 'infinity') >= %2$L) > 1
        AND bool_or(m.moment IN ('purchase_due', 'purchase_overdue', 'waning_interest', 'holiday_ahead')) FILTER (WHERE m.begins <= %2$L AND coalesce(m.ends, 'infinity') >= %2$L) THEN %3$L::date END) AS next_change
    FROM %1$sall_moments AS m GROUP BY m.customer$q$, at, as_of, as_of + 1);
  EXECUTE format('DROP TABLE %1$sall_moments; ANALYZE %1$sproducts; ANALYZE %1$schannels; ANALYZE %1$schannel_changes; ANALYZE %1$smoment_codes', at);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_lists(text, text, integer, date) IS 'Part of refresh: products, channels and moments of the staged customers.';

CREATE FUNCTION segmentation_internal.workspace_lists_join_sql(at text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('LEFT JOIN %1$sproducts AS best_product ON best_product.customer = s.customer AND best_product.place = 1
      LEFT JOIN %1$schannels AS best_channel ON best_channel.customer = s.customer AND best_channel.place = 1
      LEFT JOIN %1$schannel_changes AS channel_change ON channel_change.customer = s.customer
      LEFT JOIN %1$smoment_codes AS best_moment ON best_moment.customer = s.customer', at);
COMMENT ON FUNCTION segmentation_internal.workspace_lists_join_sql(text) IS 'Part of refresh: joins the best product, channel and moment to the scores.';

CREATE FUNCTION segmentation_internal.workspace_axis_sql(axis text, product_minimum double precision DEFAULT NULL) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE axis
    WHEN 'loyalty' THEN 'coalesce(s.loyalty_band, ''insufficient_data'')'
    WHEN 'product_appetence' THEN format('CASE WHEN f.items IS NULL THEN ''insufficient_data'' WHEN best_product.probability >= %L THEN best_product.product ELSE ''none'' END', coalesce(product_minimum, 0))
    WHEN 'channel_appetence' THEN 'coalesce(best_channel.channel, ''none'')'
    WHEN 'life_moment' THEN 'coalesce(best_moment.moment, ''none'')' END;
COMMENT ON FUNCTION segmentation_internal.workspace_axis_sql(text, double precision) IS 'Part of refresh: the expression of the code of loyalty, products, channels and moments.';

-- The share of wallet by a potential moves when a purchase leaves the twelve months.
CREATE FUNCTION segmentation_internal.workspace_wallet_next_change(history segmentation.purchase_history, as_of date) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT greatest(min(d.day + interval '12 months')::date, as_of + 1) FROM segmentation.days(history) AS d WHERE d.day > (as_of - interval '12 months')::date AND d.day <= as_of);
COMMENT ON FUNCTION segmentation_internal.workspace_wallet_next_change(segmentation.purchase_history, date) IS 'Part of refresh: the next day on which the turnover of twelve months falls by time alone, or an earlier one to look again.';

CREATE FUNCTION segmentation_internal.workspace_lists_next_change_sql(readiness jsonb, settings jsonb, loyalty_prior jsonb, categories integer, as_of date) RETURNS text[]
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN readiness -> 'loyalty' = 'null' THEN ARRAY[format($e$segmentation.loyalty_next_change(f.history, %1$L, %2$L::jsonb,
        segmentation_internal.workspace_breadth(segmentation_internal.workspace_categories(f.items, f.categories, %3$L), %1$L, %4$s),
        segmentation_internal.workspace_satisfaction(f.attributes, f.company, %5$L),
        segmentation_internal.workspace_share_of_wallet(f.attributes, f.company, f.history, %1$L, %6$L, %7$L))$e$,
      as_of, segmentation_internal.workspace_loyalty_options(settings, loyalty_prior), settings ->> 'product_level', coalesce(categories::text, 'NULL'),
      settings ->> 'satisfaction', settings ->> 'share_of_wallet', settings ->> 'potential')] ELSE '{}'::text[] END
    || CASE WHEN readiness -> 'loyalty' = 'null' AND settings -> 'potential' <> 'null' THEN ARRAY[format(
      'CASE WHEN segmentation_internal.workspace_number(f.attributes, f.company, %L) IS NOT NULL THEN segmentation_internal.workspace_wallet_next_change(f.history, %L) END', settings ->> 'potential', as_of)] ELSE '{}'::text[] END
    -- A line that is dated ahead comes into sight on its day, even where it is no purchase.
    || format('segmentation.item_next_day(f.items, %L)', as_of)
    || CASE WHEN readiness -> 'product_appetence' = 'null' THEN ARRAY[format('CASE WHEN f.items IS NOT NULL THEN %L::date END', segmentation_internal.workspace_product_day(as_of) + 1)] ELSE '{}'::text[] END
    || CASE WHEN readiness -> 'channel_appetence' = 'null' THEN '{channel_change.next_change}'::text[] ELSE '{}'::text[] END
    || CASE WHEN readiness -> 'life_moment' = 'null' THEN '{best_moment.next_change}'::text[] ELSE '{}'::text[] END;
COMMENT ON FUNCTION segmentation_internal.workspace_lists_next_change_sql(jsonb, jsonb, jsonb, integer, date) IS 'Part of refresh: next changes of loyalty, products, channels and moments, as SQL.';
