-- The axis product_appetence: the product or category to offer first, and the list of offers.

-- What is never offered, what offers are ranked by, and what each brings, by the products in catalogue (a relation).
-- Where
-- categories are offered: one is out of stock if all its products are, and brings the mean of them.
CREATE FUNCTION segmentation_internal.workspace_product_options(settings jsonb, catalogue text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  places constant jsonb := jsonb_build_object('catalogue', catalogue,
    'item', CASE settings ->> 'product_level' WHEN 'category' THEN 'category' ELSE 'product' END);
  excluded jsonb;
  margins jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT jsonb_agg(DISTINCT e.item)
    FROM (
      SELECT jsonb_array_elements_text($1 -> 'product_exclude') AS item
      UNION ALL
      SELECT c.@item@ FROM @(catalogue)@ AS c WHERE $1 -> 'product_exclude_categories' ? c.category
      UNION ALL
      SELECT c.@item@ FROM @(catalogue)@ AS c WHERE ($1 -> 'product_in_stock')::boolean
      GROUP BY c.@item@ HAVING bool_and(c.stock <= 0)) AS e
    WHERE e.item IS NOT NULL$q$, places) INTO excluded USING settings;
  IF settings ->> 'product_rank_by' = 'value' OR settings -> 'product_margin_floor' <> 'null' THEN
    EXECUTE segmentation_internal.fill(NULL, $q$
      SELECT jsonb_object_agg(m.item, m.margin)
      FROM (
        SELECT c.@item@ AS item, round(avg(c.margin * c.price), 4) AS margin
        FROM @(catalogue)@ AS c WHERE c.margin * c.price IS NOT NULL GROUP BY 1) AS m
      WHERE m.item IS NOT NULL$q$, places) INTO margins;
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'exclude', excluded,
    'owned_for_good', NULLIF(settings -> 'product_owned_for_good', '[]'),
    'margins', margins,
    'margin_floor', settings -> 'product_margin_floor',
    -- Without a margin of anything there is nothing to rank by.
    'rank_by', CASE
      WHEN settings ->> 'product_rank_by' = 'score' THEN NULL
      WHEN settings ->> 'product_rank_by' = 'value' AND margins IS NULL THEN NULL
      ELSE settings -> 'product_rank_by' END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_product_options(jsonb, text) IS
  'Part of refresh: the options of top_products from the settings and the products.';

-- The products of the refresh under way; a batch or a day that moves takes those that were published.
CREATE FUNCTION segmentation_internal.workspace_catalogue(ws text, stage text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(
    to_regclass(segmentation_internal.workspace_staged(ws, stage, '@ws@.@catalogue@')),
    to_regclass(ws || '.product'))::text;
COMMENT ON FUNCTION segmentation_internal.workspace_catalogue(text, text) IS
  'Part of refresh: the relation of products to offer from.';

-- Offers are for the end of the week: they stay as they are until Monday, unless the customer buys.
CREATE FUNCTION segmentation_internal.workspace_product_day(as_of date) RETURNS date
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (date_trunc('week', as_of::timestamp) + interval '6 days')::date;
COMMENT ON FUNCTION segmentation_internal.workspace_product_day(date) IS
  'Part of refresh: the day for which products are offered, the Sunday of the week.';

-- What was bought before is offered again if it is due by this day; NULL: at any time.
CREATE FUNCTION segmentation_internal.workspace_product_due(settings jsonb, as_of date) RETURNS date
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.workspace_product_day(as_of) + round(extract(epoch FROM (
    CASE WHEN (settings ->> 'product_repeat_unless_due')::double precision > 0
      THEN settings ->> 'product_horizon' END)::interval) / 86400)::integer;
COMMENT ON FUNCTION segmentation_internal.workspace_product_due(jsonb, date) IS
  'Part of refresh: the last day on which what is offered again may be due.';

-- The k best of offers that are ranked: what was bought before only if it is due by a day, or likely all the same.
-- Nobody needs an offer of what they bought last week and buy once a year; who buys it every 38 days may be early.
CREATE FUNCTION segmentation_internal.product_offers_due(
  offers segmentation.product_offer[], due_by date, likely double precision, k integer
) RETURNS SETOF segmentation.product_offer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  SELECT o.* FROM unnest(offers) AS o
  WHERE (o.source = 'repeat' AND o.next_due > due_by AND o.probability < likely) IS NOT TRUE
  ORDER BY o.rank LIMIT k;
END;
COMMENT ON FUNCTION segmentation_internal.product_offers_due(
  segmentation.product_offer[], date, double precision, integer) IS
  'Part of refresh: the k best offers without what was bought, is not due by a day and not likely.';

-- So many are ranked that k are left, whatever is not due.
CREATE FUNCTION segmentation_internal.product_offers_ranked(items segmentation.item_history, due_by date, k integer)
RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN k + CASE WHEN due_by IS NULL THEN 0 ELSE segmentation.item_count(items) END;
COMMENT ON FUNCTION segmentation_internal.product_offers_ranked(segmentation.item_history, date, integer) IS
  'Part of refresh: how many offers to rank for k that are due.';

-- What probabilities are of, as options of the fit.
CREATE FUNCTION segmentation_internal.workspace_product_horizon(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE
    WHEN (settings ->> 'product_next_basket')::boolean
      THEN jsonb_build_object('horizon', 'next', 'next_within', t.days)
    ELSE jsonb_build_object('horizon', t.days) END
  FROM (VALUES (round(extract(epoch FROM (settings ->> 'product_horizon')::interval) / 86400))) AS t (days);
END;
COMMENT ON FUNCTION segmentation_internal.workspace_product_horizon(jsonb) IS
  'Part of refresh: the horizon of fit_product_affinity from the settings.';

CREATE FUNCTION segmentation_internal.workspace_train_products(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT segmentation_internal.workspace_ready(ws, number, 'product_appetence') THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET product_model = (
      SELECT segmentation.fit_product_affinity(f.items, $2, $3) FROM @ws@.stage_facts AS f WHERE f.items IS NOT NULL)
    WHERE g.parameter_set = $1$q$)
    USING number, as_of, segmentation_internal.workspace_product_horizon(settings);
  -- The median of the best offers, of a thousand customers chosen by their keys.
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET product_minimum = (
      SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t.probability)
      FROM (
        SELECT f.items FROM @ws@.stage_facts AS f
        WHERE f.items IS NOT NULL ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT 1000) AS f
      CROSS JOIN LATERAL (SELECT segmentation.until(f.items, $2) AS items OFFSET 0) AS u
      CROSS JOIN LATERAL segmentation_internal.product_offers_due(
        segmentation_internal.product_offers(g.product_model, u.items, $3,
          segmentation_internal.product_offers_ranked(u.items, $5, 1), $4, NULL), $5, $6, 1) AS t)
    WHERE g.parameter_set = $1$q$)
    USING number, as_of, segmentation_internal.workspace_product_day(as_of),
      segmentation_internal.workspace_product_options(
        settings, segmentation_internal.workspace_catalogue(ws, 'stage_')),
      segmentation_internal.workspace_product_due(settings, as_of),
      (settings ->> 'product_repeat_unless_due')::double precision;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_products(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis product_appetence.';

-- The offers of the staged customers, over the model $1 and options $2. A model of megabytes: not written out as a
-- literal and parsed again.
CREATE FUNCTION segmentation_internal.workspace_products_sql(
  ws text, stage text, offers integer, as_of date, due_by date DEFAULT NULL, likely double precision DEFAULT 0
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.workspace_staged(ws, stage, $q$
    SELECT f.customer, t.place::smallint AS place, t.item AS product, t.score, t.probability, t.source, t.next_due,
      t.reason, t.reason_fr, t.value
    FROM (
      SELECT u.customer, segmentation_internal.product_offers($1, u.items, @'day'@,
        segmentation_internal.product_offers_ranked(u.items, @(due_by)@, @(offers)@), $2, NULL) AS offers
      FROM (
        SELECT f.customer, segmentation.until(f.items, @'as_of'@) AS items
        FROM @ws@.@facts@ AS f WHERE f.items IS NOT NULL OFFSET '0') AS u OFFSET '0') AS f
    CROSS JOIN LATERAL (
      SELECT row_number() OVER (ORDER BY o.rank) AS place, o.*
      FROM segmentation_internal.product_offers_due(f.offers, @(due_by)@, @(likely)@, @(offers)@) AS o) AS t$q$,
    jsonb_build_object('as_of', as_of, 'day', segmentation_internal.workspace_product_day(as_of), 'offers', offers,
      'due_by', format('%L::date', due_by), 'likely', likely));
COMMENT ON FUNCTION segmentation_internal.workspace_products_sql(text, text, integer, date, date, double precision) IS
  'Part of refresh: the offers of the staged customers, as SQL; what was bought before if due by a day, or likely.';

CREATE FUNCTION segmentation_internal.workspace_stage_products(ws text, stage text, number integer, as_of date)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parameters record;
BEGIN
  EXECUTE format('SELECT g.product_model, g.settings FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO parameters USING number;
  IF parameters.product_model IS NULL THEN
    EXECUTE segmentation_internal.workspace_staged(ws, stage,
      'CREATE UNLOGGED TABLE @ws@.@products@ AS SELECT * FROM @ws@.customer_products WITH NO DATA');
  ELSE
    EXECUTE segmentation_internal.workspace_staged(ws, stage, 'CREATE UNLOGGED TABLE @ws@.@products@ AS @(query)@',
      jsonb_build_object('query', segmentation_internal.workspace_products_sql(
        ws, stage, (parameters.settings ->> 'product_offers')::integer, as_of,
        segmentation_internal.workspace_product_due(parameters.settings, as_of),
        (parameters.settings ->> 'product_repeat_unless_due')::double precision)))
      USING parameters.product_model, segmentation_internal.workspace_product_options(
        parameters.settings, segmentation_internal.workspace_catalogue(ws, stage));
  END IF;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ANALYZE @ws@.@products@');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_products(text, text, integer, date) IS
  'Part of refresh: the offers of the staged customers.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, stage, joins, code, look_again, numbers, label)
VALUES (
  'product_appetence', 60, 'The product or category to offer first.',
  -- readiness
  $$segmentation_internal.workspace_too_thin(
    seen.kinds, '{purchase_lines}', 'few_buyers', seen.lines, g.settings -> 'minimum_buyers')$$,
  'segmentation_internal.workspace_train_products',
  'segmentation_internal.workspace_stage_products',
  -- joins
  $$LEFT JOIN @ws@.@products@ AS best_product ON best_product.customer = s.customer AND best_product.place = 1$$,
  -- code
  $$CASE WHEN f.items IS NULL THEN 'insufficient_data'
    WHEN best_product.probability >= p.product_minimum THEN best_product.product ELSE 'none' END$$,
  -- look_again
  $$CASE WHEN f.items IS NOT NULL THEN segmentation_internal.workspace_product_day(p.as_of) + 1 END$$,
  -- numbers
  $$(SELECT to_jsonb(o) - 'customer' || jsonb_build_object(
      'product_name', coalesce((SELECT r.name FROM ONLY @ws@.product AS r WHERE r.product = o.product), o.product),
      'minimum', p.product_minimum,
      'minimum_percent', segmentation_internal.workspace_rounded(100 * p.product_minimum, 1))
    FROM ONLY @ws@.customer_products AS o WHERE o.customer = f.customer AND o.place = 1)$$,
  -- label
  $$CASE WHEN c.product_appetence = n.numbers ->> 'product' THEN n.numbers ->> 'product_name' END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type) VALUES
  (90, 'product_appetence', 'product_model', 'segmentation.product_affinity'),
  (100, 'product_appetence', 'product_minimum', 'double precision');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('product_appetence', 'product_minimum', 'double precision', $$g.product_minimum$$);

INSERT INTO segmentation.workspace_list (place, axis, name, staged, columns, about, comments) VALUES (
  10, 'product_appetence', 'customer_products', 'products',
  $$customer @(key)@ NOT NULL,
    place smallint NOT NULL,
    product text NOT NULL,
    score double precision NOT NULL,
    probability double precision,
    source text NOT NULL,
    next_due date,
    reason text,
    reason_fr text,
    value double precision,
    PRIMARY KEY (customer, place)$$,
  'Best offers of each customer.',
  '{"place": "1 is the best.",
    "probability": "Of a purchase within product_horizon, or in the next basket (product_next_basket).",
    "source": "repeat, discovery or popular.", "next_due": "When it is used up, for what is bought again and again.",
    "value": "probability x margin x price, where offers are ranked or limited by margin."}');

UPDATE segmentation.workspace_axis AS a
SET names = 'SELECT p.product, p.name FROM ONLY @ws@.product AS p WHERE p.name IS NOT NULL'
WHERE a.axis = 'product_appetence';

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('product_appetence', 'en', 'Best offer: {product_name} ({reason}).'),
  ('product_appetence', 'fr', 'Meilleure offre : {product_name} ({reason_fr}).'),
  ('product_appetence.none', 'en', 'No offer is likelier than {minimum_percent} %, what the best offer of half of all '
    'customers reaches; the best is {product_name} ({reason}).'),
  ('product_appetence.none', 'fr', 'Aucune offre n''est plus probable que {minimum_percent} %, ce qu''atteint la '
    'meilleure '
    'offre de la moitié des clients ; la meilleure est {product_name} ({reason_fr}).');
