-- Fields: what a definition may read of a customer, and what it says that cannot be.

-- What is known of a customer beside attributes, codes, scores and targets: computed only where a definition reads it.
-- An attribute of the same name wins. expression is over the facts f, @(as_of)@ is the day; members are the fields of
-- an event, or of an object. What counts by day within 90 days is given as counted, days with numbers: it changes when
-- a day leaves them, or comes into sight. What else is dated ahead is looked for in workspace_sight_sql.
CREATE FUNCTION segmentation_internal.workspace_row_fields()
RETURNS TABLE (
  place integer, field text, type text, expression text, members text[], next_day text, clock boolean
)
  LANGUAGE sql IMMUTABLE ROWS 20 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT v.place, v.field, v.type,
    CASE WHEN v.counted IS NULL THEN v.expression
      ELSE replace(replace($$CASE WHEN @(known)@ THEN to_jsonb((
        SELECT coalesce(sum(v.n), 0) FROM (@(counted)@) AS v (day, n)
        WHERE v.day BETWEEN @(as_of)@ - 89 AND @(as_of)@)) END$$,
        '@(known)@', v.expression), '@(counted)@', v.counted) END,
    v.members,
    replace($$(
        SELECT LEAST(min(v.day) FILTER (WHERE v.day > @(as_of)@), min(v.day) FILTER (WHERE v.day <= @(as_of)@) + 90)
        FROM (@(counted)@) AS v (day, n) WHERE v.day > @(as_of)@ - 90)$$, '@(counted)@', v.counted),
    v.field = 'tenure'
  FROM (VALUES
    (1, 'first_purchase', 'day', $$to_jsonb(segmentation.first_purchase(segmentation.until(f.history, @(as_of)@)))$$,
      NULL, NULL::text[]),
    (2, 'last_purchase', 'day', $$to_jsonb(segmentation.last_purchase(segmentation.until(f.history, @(as_of)@)))$$,
      NULL, NULL),
    (3, 'last_gap', 'number', $$(
        SELECT to_jsonb(l.days[1] - l.days[2])
        FROM (
          SELECT array_agg(d.day ORDER BY d.day DESC) AS days
          FROM segmentation.days(segmentation.until(f.history, @(as_of)@)) AS d WHERE d.purchases > 0) AS l)$$,
      NULL, NULL),
    (4, 'bought', 'boolean', $$to_jsonb(
        segmentation.first_purchase(segmentation.until(f.history, @(as_of)@)) IS NOT NULL)$$, NULL, NULL),
    (5, 'purchases_90', 'number', 'true', 'SELECT d.day, d.purchases FROM segmentation.days(f.history) AS d', NULL),
    (6, 'clicks_90', 'number', 'f.contacts IS NOT NULL',
      $$SELECT segmentation.segment_date(e.event ->> 'sent_on'), 1
        FROM jsonb_array_elements(f.contacts::jsonb) AS e (event) WHERE e.event ->> 'response' = 'click'$$, NULL),
    (7, 'visits_90', 'number', 'f.contacts IS NOT NULL OR f.interactions IS NOT NULL',
      $$SELECT segmentation.segment_date(e.event ->> 'sent_on'), 1
        FROM jsonb_array_elements(f.contacts::jsonb) AS e (event) WHERE e.event ->> 'response' = 'visit'
        UNION ALL
        SELECT segmentation.segment_date(e.event ->> 'occurred_on'), 1
        FROM jsonb_array_elements(f.interactions::jsonb) AS e (event) WHERE e.event ->> 'kind' ~* 'visit'$$, NULL),
    (8, 'complaints_90', 'number', 'f.contacts IS NOT NULL OR f.interactions IS NOT NULL',
      $$SELECT segmentation.segment_date(e.event ->> 'sent_on'), 1
        FROM jsonb_array_elements(f.contacts::jsonb) AS e (event) WHERE e.event ->> 'response' = 'complaint'
        UNION ALL
        SELECT segmentation.segment_date(e.event ->> 'occurred_on'), 1
        FROM jsonb_array_elements(f.interactions::jsonb) AS e (event)
        WHERE e.event ->> 'kind' ~* '(complain|plainte|réclamation|reclamation)'$$, NULL),
    (9, 'tenure', 'number', $$to_jsonb(segmentation.tenure(segmentation.until(f.history, @(as_of)@), @(as_of)@))$$,
      NULL, NULL),
    (10, 'purchase_days', 'number', $$to_jsonb(
        segmentation.purchase_days(segmentation.until(f.history, @(as_of)@)))$$, NULL, NULL),
    (11, 'orders', 'list', $$(
        SELECT jsonb_agg(jsonb_build_object('date', d.day, 'purchases', d.purchases, 'amount', d.amount)
          ORDER BY d.day)
        FROM segmentation.days(f.history) AS d)$$, NULL, '{date,purchases,amount}'),
    (12, 'purchases', 'list', $$(
        SELECT jsonb_agg(jsonb_build_object('date', d.day, 'category', d.item, 'purchases', d.purchases,
          'quantity', d.quantity, 'amount', d.amount) ORDER BY d.day, d.item)
        FROM segmentation.item_days(coalesce(f.categories, f.items)) AS d)$$,
      NULL, '{date,category,purchases,quantity,amount}'),
    (13, 'product_purchases', 'list', $$(
        SELECT jsonb_agg(jsonb_build_object('date', d.day, 'product', d.item, 'purchases', d.purchases,
          'quantity', d.quantity, 'amount', d.amount) ORDER BY d.day, d.item)
        FROM segmentation.item_days(f.items) AS d)$$,
      NULL, '{date,product,purchases,quantity,amount}'),
    (14, 'contacts', 'list', $$(
        SELECT jsonb_agg(jsonb_build_object('date', e.event -> 'sent_on', 'channel', e.event -> 'channel',
          'response', e.event -> 'response') ORDER BY e.place)
        FROM jsonb_array_elements(f.contacts::jsonb) WITH ORDINALITY AS e (event, place))$$,
      NULL, '{date,channel,response}'),
    (15, 'activity', 'list', $$(
        -- Facts know days: an order of the day of a visit is taken as what followed it.
        SELECT jsonb_agg(jsonb_build_object('date', v.date, 'what', v.what) ORDER BY v.date, v.what = '"order"', v.what)
        FROM (
          SELECT e.event -> 'occurred_on' AS date, e.event -> 'kind' AS what
          FROM jsonb_array_elements(f.interactions::jsonb) AS e (event)
          UNION ALL
          SELECT to_jsonb(d.day), '"order"' FROM segmentation.days(f.history) AS d WHERE d.purchases > 0) AS v)$$,
      NULL, '{date,what}'),
    (16, 'mean_basket', 'number', $$(
        SELECT to_jsonb(round(segmentation.turnover(u.history) / NULLIF(segmentation.purchases(u.history), 0), 2))
        FROM (SELECT segmentation.until(f.history, @(as_of)@) AS history OFFSET 0) AS u)$$, NULL, NULL),
    (17, 'mean_gap', 'number', $$to_jsonb(segmentation.mean_gap(segmentation.until(f.history, @(as_of)@)))$$,
      NULL, NULL),
    (21, 'attributes', 'object', 'f.attributes', NULL, NULL),
    (22, 'company', 'object', 'f.company', NULL, NULL)
  ) AS v (place, field, type, expression, counted, members);
END;
COMMENT ON FUNCTION segmentation_internal.workspace_row_fields() IS
  'Part of refresh: what definitions may read of the facts of a customer beside attributes.';

-- What definitions see of a company: the object company_scores, where one of them names it.
CREATE FUNCTION segmentation_internal.workspace_company_row_sql(
  ws text, number integer, definitions text, as_of text
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parameters record;
BEGIN
  IF strpos(definitions, '"company_scores"') = 0 OR NOT segmentation_internal.workspace_is_of_companies(ws) THEN
    RETURN '';
  END IF;
  EXECUTE format('SELECT g.settings, g.company_model, g.send_time_profile FROM ONLY %s.parameter_set AS g '
    'WHERE g.parameter_set = $1', ws)
    INTO parameters USING number;
  RETURN segmentation_internal.fill(NULL, $q$jsonb_build_object('company_scores', (
      SELECT to_jsonb(k)
      FROM segmentation_internal.company_scores(f.company, f.attributes, f.history, f.contacts, f.interactions,
        f.hours, @(as_of)@, @'settings'@::jsonb, @'model'@::jsonb, @'send_time'@::jsonb) AS k)) || $q$,
    jsonb_build_object('as_of', as_of, 'settings', parameters.settings::text,
      'model', parameters.company_model::text, 'send_time', parameters.send_time_profile::text));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_company_row_sql(text, integer, text, text) IS
  'Part of refresh: what registered definitions see of a company, as SQL over f.';

-- The row that definitions see of a customer, over the facts f, scores s and codes c. What is costly is in it only
-- where one of the definitions (as text) names it.
CREATE FUNCTION segmentation_internal.workspace_row_sql(
  ws text, number integer, definitions text, as_of text, consents text
) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, $q$@(companies)@@(facts)@segmentation_internal.workspace_row(
      f.company, f.attributes, to_jsonb(c), to_jsonb(s),
      segmentation.consents_on(@(consents)@, @(as_of)@, f.contacts)) || @(targets)@$q$,
    jsonb_build_object('consents', consents, 'as_of', as_of,
      'targets', segmentation_internal.workspace_target_row_sql(ws, number, definitions, as_of),
      'companies', segmentation_internal.workspace_company_row_sql(ws, number, definitions, as_of),
      'facts', coalesce((
        SELECT format('jsonb_build_object(%s) || ', string_agg(
          format('%L, %s', r.field, segmentation_internal.fill(NULL, r.expression,
            CASE WHEN strpos(r.expression, '@(as_of)@') > 0 THEN jsonb_build_object('as_of', as_of) ELSE '{}' END)),
          ', ' ORDER BY r.place))
        FROM segmentation_internal.workspace_row_fields() AS r
        WHERE strpos(definitions, '"' || r.field || '"') > 0), '')));
COMMENT ON FUNCTION segmentation_internal.workspace_row_sql(text, integer, text, text, text) IS
  'Part of refresh: what registered definitions see of a customer, as SQL over f, s and c.';

-- Scores that time alone does not change in any way but these; all others may be others tomorrow.
UPDATE segmentation.workspace_score AS s
SET by_time = v.by_time
FROM (VALUES
  ('recency', 'clock'), ('frequency', 'none'), ('monetary', 'none'),
  ('profile', 'none'), ('profile_distance', 'none'), ('profile_confidence', 'none')) AS v (name, by_time)
WHERE s.name = v.name;

-- In words

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'field', v.code, t.language, t.label
FROM (VALUES
  ('customer', 'The customer''s key.', 'La clé du client.'),
  ('as_of', 'The day of the scores.', 'Le jour des scores.'),
  ('recency', 'Days since the last purchase.', 'Jours depuis le dernier achat.'),
  ('frequency', 'Number of purchases.', 'Nombre d''achats.'),
  ('monetary', 'Turnover, all time.', 'Chiffre d''affaires, depuis toujours.'),
  ('r', 'Recency score; the highest is best.', 'Score de récence ; le plus élevé est le meilleur.'),
  ('f', 'Frequency score; the highest is best.', 'Score de fréquence ; le plus élevé est le meilleur.'),
  ('m', 'Monetary score; the highest is best.', 'Score de montant ; le plus élevé est le meilleur.'),
  ('rfm_score', '100 r + 10 f + m.', '100 r + 10 f + m.'),
  ('turnover', 'Turnover of the months that PMG looks at.', 'Chiffre d''affaires des mois que regarde PMG.'),
  ('churn_probability', 'Probability of no purchase within churn_horizon.',
    'Probabilité de ne rien acheter pendant churn_horizon.'),
  ('lost_probability', 'Probability of no purchase within churn_lost_horizon.',
    'Probabilité de ne rien acheter pendant churn_lost_horizon.'),
  ('alive_probability', 'Probability of still being a customer.', 'Probabilité d''être encore client.'),
  ('expected_purchases', 'Purchases expected within value_horizon.', 'Achats attendus pendant value_horizon.'),
  ('future_value', 'Value expected within value_horizon, an amount; its code is future_value_code.',
    'Valeur attendue pendant value_horizon, un montant ; son code est future_value_code.'),
  ('loyalty_index', 'Loyalty index, 0 to 100.', 'Indice de fidélité, de 0 à 100.'),
  ('loyalty_band', 'Its band.', 'Sa classe.'),
  ('engagement', 'Engagement from interactions.', 'Engagement d''après les interactions.'),
  ('profile', 'Nearest profile.', 'Profil le plus proche.'),
  ('profile_distance', 'Distance from the centre of the profile.', 'Distance au centre du profil.'),
  ('profile_confidence', '0 on the border to the next profile, 1 at the centre.',
    '0 à la frontière du profil suivant, 1 au centre.'),
  ('consents', 'Channels by which the customer may be contacted.', 'Canaux par lesquels on peut contacter le client.'),
  ('first_purchase', 'Day of the first purchase.', 'Jour du premier achat.'),
  ('last_purchase', 'Day of the last purchase.', 'Jour du dernier achat.'),
  ('last_gap', 'Days between the last purchase day and the one before.',
    'Jours entre le dernier jour d''achat et le précédent.'),
  ('bought', 'Whether the customer ever bought.', 'Si le client a déjà acheté.'),
  ('tenure', 'Days since the first purchase.', 'Ancienneté : jours depuis le premier achat.'),
  ('purchase_days', 'Days with a purchase.', 'Nombre de jours d''achat.'),
  ('mean_basket', 'Turnover by purchase.', 'Panier moyen.'),
  ('mean_gap', 'Mean days between two days with a purchase.', 'Nombre moyen de jours entre deux jours d''achat.'),
  ('purchases_90', 'Purchases in the last 90 days.', 'Achats des 90 derniers jours.'),
  ('clicks_90', 'Contacts answered by a click in the last 90 days.',
    'Sollicitations suivies d''un clic dans les 90 derniers jours.'),
  ('visits_90', 'Visits in the last 90 days, by interactions and answers.',
    'Visites des 90 derniers jours, d''après interactions et réponses.'),
  ('complaints_90', 'Complaints in the last 90 days, by interactions and answers.',
    'Plaintes des 90 derniers jours, d''après interactions et réponses.'),
  ('orders', 'Purchases day by day.', 'Achats jour par jour.'),
  ('purchases', 'What was bought, by day and category.', 'Ce qui a été acheté, par jour et catégorie.'),
  ('product_purchases', 'What was bought, by day and product.', 'Ce qui a été acheté, par jour et produit.'),
  ('contacts', 'Contacts, with their response.', 'Sollicitations, avec leur réponse.'),
  ('activity', 'Interactions, and the days of orders.', 'Interactions, et jours de commande.'),
  ('attributes', 'All attributes of the source of customers, as an object.',
    'Tous les attributs de la source de clients, en un objet.'),
  ('company_scores', 'What is said of a company beside the axes, as an object: see the view company_scores.',
    'Ce qui est dit d''une entreprise en plus des axes, en objet : voir la vue company_scores.'),
  ('company', 'All attributes of the source of companies, as an object.',
    'Tous les attributs de la source d''entreprises, en un objet.'),
  ('probability', 'Probability of the target.', 'Probabilité de la cible.'),
  ('attribute', 'Attribute of the source of customers.', 'Attribut de la source de clients.'),
  ('company_attribute', 'Attribute of the source of companies.', 'Attribut de la source d''entreprises.'),
  ('birth_year', 'Year of birth.', 'Année de naissance.')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

INSERT INTO segmentation.label (domain, code, language, label)
SELECT 'field_type', v.code, t.language, t.label
FROM (VALUES
  ('number', 'a number', 'un nombre'),
  ('text', 'a text', 'un texte'),
  ('boolean', 'true or false', 'vrai ou faux'),
  ('day', 'a day', 'un jour'),
  ('list', 'a list', 'une liste'),
  ('object', 'an object', 'un objet')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('field.unknown', 'there is no field "{field}"', 'il n''y a pas de champ « {field} »'),
  ('field.meant', ', do you mean "{name}"?', ' ; est-ce « {name} » ?'),
  ('field.member', '"{field}" has no "{member}"', '« {field} » n''a pas de « {member} »'),
  ('field.type', '"{field}" is {type}, and is read as {read_as}', '« {field} » est {type}, et lu comme {read_as}'),
  ('field.coded', '; its code is "{name}"', ' ; son code est « {name} »'),
  ('field.hidden', '"{field}" is what the workspace says; the attribute of that name is {path}',
    '« {field} » est ce que dit l''espace de travail ; l''attribut de ce nom est {path}'),
  ('field.label', '"{value}" is the label of the code "{code}" of "{field}"',
    '« {value} » est le libellé du code « {code} » de « {field} »'),
  ('field.code', '"{value}" is no code of "{field}"', '« {value} » n''est pas un code de « {field} »')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);

-- The codes of each axis, one rule an axis: a query over the workspace @ws@ and the settings $1. NULL: those of its
-- labels.
UPDATE segmentation.workspace_axis AS a
SET codes = v.codes
FROM (VALUES
  ('rfm', $$SELECT m.segment FROM segmentation.rfm_map AS m WHERE m.map = $1 ->> 'rfm_map' UNION SELECT 'prospect'$$),
  ('product_appetence', $$SELECT coalesce(CASE $1 ->> 'product_level' WHEN 'category' THEN p.category END, p.product)
    FROM ONLY @ws@.product AS p UNION SELECT 'none'$$),
  ('channel_appetence', $$SELECT c.channel ->> 'channel'
    FROM ONLY @ws@.workspace AS w JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
    CROSS JOIN LATERAL jsonb_array_elements(
      CASE jsonb_typeof(g.channel_model -> 'channels') WHEN 'array' THEN g.channel_model -> 'channels' ELSE '[]' END)
      AS c (channel)
    UNION SELECT l.code FROM segmentation.label AS l WHERE l.domain = 'channel'$$),
  ('life_moment', $$SELECT l.code FROM segmentation.label AS l WHERE l.domain = 'life_moment'
    UNION SELECT k.code FROM jsonb_object_keys($1 -> 'moment_categories') AS k (code)$$),
  ('profile', $$SELECT d.code
    FROM ONLY @ws@.workspace AS w JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
    CROSS JOIN LATERAL segmentation.profile_describe(g.profile_model) AS d
    WHERE $1 ->> 'profile_segment' IS NULL
    UNION SELECT c.code FROM ONLY @ws@.segment AS s
    CROSS JOIN LATERAL unnest(segmentation.segment_codes(s.definition)) AS c (code)
    WHERE s.segment = $1 ->> 'profile_segment'
    UNION SELECT 'none' WHERE $1 ->> 'profile_segment' IS NOT NULL$$)
) AS v (axis, codes)
WHERE a.axis = v.axis;

-- Codes that have an order, the best first.
UPDATE segmentation.workspace_axis AS a
SET ordered = v.ordered
FROM (VALUES
  ('rfm', '{champions,loyal,potential_loyalist,new,promising,need_attention,about_to_sleep,at_risk,cannot_lose,'
    'hibernating,lost,others,prospect}'::text[]),
  ('pmg', '{G,M,P,I}'),
  ('churn', '{low,medium,high,lost}'),
  ('loyalty', '{ambassador,loyal,regular,occasional,new}'),
  ('future_value', '{high,medium,low,none}'),
  ('life_cycle', '{new,active,reactivated,slowing,lapsed,prospect}')
) AS v (axis, ordered)
WHERE a.axis = v.axis;

CREATE FUNCTION segmentation_internal.workspace_axis_codes(ws text, axis text, settings jsonb) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  query text;
  codes text[];
BEGIN
  SELECT CASE WHEN a.codes IS NULL
      THEN format('SELECT l.code FROM segmentation.label AS l WHERE l.domain = %L',
        coalesce(a.label_domain, a.axis))
      ELSE segmentation_internal.fill(CASE WHEN strpos(a.codes, '@ws@') > 0 THEN ws END, a.codes) END INTO query
  FROM segmentation.workspace_axis AS a WHERE a.axis = workspace_axis_codes.axis;
  EXECUTE format('SELECT array_agg(DISTINCT v.code COLLATE "C") FROM (%s) AS v (code) WHERE v.code IS NOT NULL', query)
    INTO codes USING settings;
  -- Nothing known yet: any code is possible.
  RETURN CASE WHEN codes <@ '{none,insufficient_data}'::text[] THEN NULL ELSE codes || 'insufficient_data'::text END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_axis_codes(text, text, jsonb) IS
  'Part of workspace_fields: the codes that an axis may have; NULL if they are not known yet.';

-- The columns of a source of customers or companies that become attributes, with what to_jsonb makes of their types.
CREATE FUNCTION segmentation_internal.workspace_attribute_columns(ws text)
RETURNS TABLE (kind text, field text, type text, about text)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT DISTINCT ON (s.kind, a.attname) s.kind, a.attname::text, CASE
        WHEN b.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') THEN 'number'
        WHEN b.typname = 'bool' THEN 'boolean'
        WHEN b.typname IN ('date', 'timestamp', 'timestamptz') THEN 'day'
        WHEN b.typname IN ('json', 'jsonb') THEN NULL
        WHEN b.typcategory = 'A' THEN 'list'
        WHEN b.typtype = 'c' THEN 'object'
        ELSE 'text' END,
      col_description(a.attrelid, a.attnum)
    FROM ONLY @ws@.source AS s
    JOIN pg_attribute AS a ON a.attrelid = s.relation AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS b ON b.oid = segmentation_internal.workspace_base_type(a.atttypid)
    WHERE s.kind IN ('customers', 'companies') AND a.attname <> s.mapping ->> 'customer'
    ORDER BY s.kind, a.attname, s.source$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_attribute_columns(text) IS
  'Part of workspace_fields: the columns of sources that become attributes.';

-- All fields, by what makes them: attributes that come from the sources, and those that the facts have already.
CREATE FUNCTION segmentation_internal.workspace_field_list(ws text, language text)
RETURNS TABLE (
  place integer, field text, kind text, type text, axis text, members text[], about text, hidden text
)
  LANGUAGE plpgsql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH sampled AS (
      SELECT o.kind, e.key AS field, CASE jsonb_typeof(e.value) WHEN 'string' THEN 'text' WHEN 'array' THEN 'list'
          ELSE jsonb_typeof(e.value) END AS type
      FROM (SELECT f.attributes, f.company FROM ONLY @ws@.customer_facts AS f LIMIT 1000) AS f
      CROSS JOIN LATERAL (VALUES ('customers', f.attributes), ('companies', f.company)) AS o (kind, attributes)
      CROSS JOIN LATERAL jsonb_each(o.attributes) AS e
      WHERE e.value <> 'null'),
    found AS (
      SELECT s.kind, s.field, CASE WHEN count(DISTINCT s.type) = 1 THEN min(s.type) END AS type
      FROM sampled AS s GROUP BY s.kind, s.field),
    attribute AS (
      SELECT coalesce(c.kind, f.kind) AS kind, coalesce(c.field, f.field) AS field,
        CASE WHEN c.field IS NULL THEN f.type ELSE c.type END AS type, c.about
      FROM segmentation_internal.workspace_attribute_columns(@'ws'@) AS c
      FULL JOIN found AS f ON f.kind = c.kind AND f.field = c.field),
    every (rank, place, field, kind, type, axis, members, about) AS (
      SELECT 1, 1, t.target || '_probability', 'target', 'number', NULL::text, NULL::text[],
        concat_ws(' ', segmentation.label('field', 'probability', $1), t.about)
      FROM ONLY @ws@.target AS t
      UNION ALL
      SELECT 2, 1, 'consents', 'consents', 'list', NULL, NULL, segmentation.label('field', 'consents', $1)
      UNION ALL
      SELECT 3, a.attnum, a.attname, CASE a.attname WHEN 'customer' THEN 'key' ELSE 'score' END, CASE
          WHEN b.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') THEN 'number'
          WHEN b.typname = 'date' THEN 'day' ELSE 'text' END,
        CASE b.typname WHEN 'text' THEN s.axis END, NULL,
        CASE WHEN l.code IS NULL THEN s.about ELSE segmentation.label('field', a.attname, $1) END
      FROM pg_attribute AS a
      JOIN pg_type AS b ON b.oid = a.atttypid
      LEFT JOIN segmentation.workspace_score AS s ON s.name = a.attname
      LEFT JOIN segmentation.label AS l ON l.domain = 'field' AND l.code = a.attname AND l.language = 'en'
      WHERE a.attrelid = to_regclass(@'scores'@) AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT 4, x.place, v.field, 'code', 'text', x.axis, NULL, segmentation.label('axis', x.axis, $1)
      FROM segmentation.workspace_axis AS x
      CROSS JOIN LATERAL (VALUES (x.axis), (x.axis || '_code')) AS v (field)
      UNION ALL
      SELECT CASE a.kind WHEN 'customers' THEN 5 ELSE 6 END, 1, a.field,
        CASE a.kind WHEN 'customers' THEN 'attribute' ELSE 'company' END, a.type, NULL, NULL,
        coalesce(a.about, segmentation.label('field', CASE WHEN a.field = 'birth_year' THEN a.field
          WHEN a.kind = 'customers' THEN 'attribute' ELSE 'company_attribute' END, $1))
      FROM attribute AS a
      UNION ALL
      SELECT 5, 2, v.field, 'attribute', v.type, NULL, NULL, segmentation.label('field', v.about, $1)
      FROM (VALUES ('birth_date', 'day', 'attribute'), ('birth_year', 'number', 'birth_year')) AS v (field, type, about)
      WHERE EXISTS (SELECT FROM ONLY @ws@.source AS s WHERE s.kind = 'customers' AND s.mapping ? 'birth_date')
      UNION ALL
      SELECT 7, r.place, r.field, 'fact', r.type, NULL, CASE WHEN r.type = 'object' THEN (
          SELECT coalesce(array_agg(a.field ORDER BY a.field COLLATE "C"), '{}') FROM attribute AS a
          WHERE a.kind = CASE r.field WHEN 'company' THEN 'companies' ELSE 'customers' END) ELSE r.members END,
        segmentation.label('field', r.field, $1)
      FROM segmentation_internal.workspace_row_fields() AS r
      UNION ALL
      SELECT 7, 100, 'company_scores', 'fact', 'object', NULL, array_agg(c.name ORDER BY c.name COLLATE "C"),
        segmentation.label('field', 'company_scores', $1)
      FROM segmentation_internal.company_score_columns() AS c
      WHERE NOT c.name IN ('customer', 'as_of', 'key_account')
        AND segmentation_internal.workspace_is_of_companies(@'ws'@)
      HAVING count(*) > 0)
    SELECT (1000 * d.rank + d.place)::integer, d.field, d.kind, d.type, d.axis, d.members, d.about, (
        SELECT jsonb_build_array(CASE h.rank WHEN 5 THEN 'attributes' ELSE 'company' END, h.field)::text
        FROM every AS h WHERE h.field = d.field AND h.rank IN (5, 6) AND d.rank < 5 ORDER BY h.rank LIMIT 1)
    FROM (SELECT DISTINCT ON (e.field) e.* FROM every AS e ORDER BY e.field, e.rank, e.place) AS d$q$,
    jsonb_build_object('ws', ws, 'scores', ws || '.customer_scores'))
    USING language;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_field_list(text, text) IS
  'Part of workspace_fields: every field that a definition may read.';

-- Codes with their labels, as an object; NULL where they are not known yet.
CREATE FUNCTION segmentation_internal.workspace_code_labels(ws text, axis text, settings jsonb, language text)
RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  labels jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT jsonb_object_agg(c.code, coalesce(n.label, segmentation.workspace_label($1, c.code, l.language)))
    FROM (SELECT $3 AS language) AS l
    CROSS JOIN unnest($2) AS c (code)
    LEFT JOIN LATERAL (@(names)@) AS n (axis, code, label) ON n.axis = $1 AND n.code = c.code$q$,
    jsonb_build_object('names', segmentation_internal.workspace_names_sql(ws)))
    INTO labels
    USING axis, segmentation_internal.workspace_axis_codes(ws, axis, settings), language;
  RETURN labels;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_code_labels(text, text, jsonb, text) IS
  'Part of workspace_fields: the codes of an axis with their labels.';

-- What is wrong with a definition in a workspace, in its language: fields that no customer has, read as what they are
-- not, compared with what they never are. What is unknown on purpose is named in unknown_fields.
CREATE FUNCTION segmentation_internal.workspace_definition_faults(ws text, definition jsonb)
RETURNS TABLE (path text, fault text)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  language constant text := segmentation_internal.workspace_language(ws);
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  known text[];
  channels text[];
  codes jsonb := '{}';
  r record;
  v text;
  said text;
BEGIN
  SELECT array_agg(l.field) INTO known FROM segmentation_internal.workspace_field_list(ws, 'en') AS l;
  FOR r IN
    SELECT d.path, d.field, d.events, d.read_as, d.texts, (coalesce(d.events, d.field))[1] AS name,
      l.field IS NOT NULL AS found, l.kind, l.type, l.axis, l.members,
      coalesce(l.field || '_code' = ANY (known) AND l.kind = 'score', false) AS coded
    FROM segmentation_internal.segment_reads(definition) WITH ORDINALITY
      AS d (path, field, events, read_as, texts, place)
    LEFT JOIN segmentation_internal.workspace_field_list(ws, 'en') AS l ON l.field = (coalesce(d.events, d.field))[1]
    WHERE NOT coalesce(definition -> 'unknown_fields', '[]') ? (coalesce(d.events, d.field))[1]
    ORDER BY d.place
  LOOP
    path := r.path;
    IF NOT r.found THEN
      IF r.events IS NULL THEN
        said := segmentation_internal.nearest_name(r.name, known);
        fault := concat(segmentation_internal.workspace_say(
          'field.unknown', jsonb_build_object('field', r.name), language),
          CASE WHEN said IS NOT NULL
            THEN segmentation_internal.workspace_say('field.meant', jsonb_build_object('name', said), language) END);
        RETURN NEXT;
      END IF;
      CONTINUE;
    END IF;
    -- A field of an event, or of an object.
    v := CASE WHEN r.events IS NOT NULL THEN r.field[1] ELSE r.field[2] END;
    IF v IS NOT NULL THEN
      IF v <> ALL (r.members) OR r.members IS NULL AND r.type IN ('number', 'text', 'boolean', 'day') THEN
        said := segmentation_internal.nearest_name(v, r.members);
        fault := concat(segmentation_internal.workspace_say(
          'field.member', jsonb_build_object('field', r.name, 'member', v), language),
          CASE WHEN said IS NOT NULL
            THEN segmentation_internal.workspace_say('field.meant', jsonb_build_object('name', said), language) END);
        RETURN NEXT;
      END IF;
      CONTINUE;
    END IF;
    IF r.read_as NOT IN ('any', r.type) AND NOT (r.read_as IN ('text', 'day') AND r.type IN ('text', 'day')) THEN
      fault := concat(segmentation_internal.workspace_say('field.type', jsonb_build_object('field', r.name,
          'type', segmentation.label('field_type', r.type, language),
          'read_as', segmentation.label('field_type', r.read_as, language)), language),
        CASE WHEN r.coded AND r.read_as = 'text'
          THEN segmentation_internal.workspace_say(
            'field.coded', jsonb_build_object('name', r.name || '_code'), language) END);
      RETURN NEXT;
      CONTINUE;
    END IF;
    CONTINUE WHEN r.axis IS NULL OR r.texts = '{}';
    IF NOT codes ? r.axis THEN
      codes := codes || jsonb_build_object(
        r.axis, segmentation_internal.workspace_code_labels(ws, r.axis, settings, language));
    END IF;
    FOREACH v IN ARRAY r.texts LOOP
      CONTINUE WHEN codes -> r.axis = 'null' OR codes -> r.axis ? v;
      SELECT c.key INTO said
      FROM jsonb_each_text(codes -> r.axis) AS c
      WHERE lower(v) IN (lower(c.value), lower(segmentation.workspace_label(r.axis, c.key, 'en')))
      ORDER BY c.key COLLATE "C" LIMIT 1;
      IF said IS NOT NULL THEN
        fault := segmentation_internal.workspace_say('field.label',
          jsonb_build_object('value', v, 'code', said, 'field', r.name), language);
      ELSE
        said := segmentation_internal.nearest_name(v, ARRAY(SELECT jsonb_object_keys(codes -> r.axis)));
        fault := concat(segmentation_internal.workspace_say(
          'field.code', jsonb_build_object('value', v, 'field', r.name), language),
          CASE WHEN said IS NOT NULL
            THEN segmentation_internal.workspace_say('field.meant', jsonb_build_object('name', said), language) END);
      END IF;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_definition_faults(text, jsonb) IS
  'Part of register_segment: what a definition says that cannot be in a workspace, with the name that was meant.';

CREATE FUNCTION segmentation_internal.workspace_refuse_definition(ws text, name text, definition jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  faults text;
BEGIN
  SELECT string_agg(concat_ws(': ', f.path, f.fault), E'\n') INTO faults
  FROM segmentation_internal.workspace_definition_faults(ws, definition) AS f;
  IF faults IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = concat('the definition', ' of segment ' || name, ' reads what no customer has'),
      DETAIL = faults,
      HINT = format('SELECT * FROM segmentation.workspace_fields(%L) lists all fields. Name in "unknown_fields" of the '
        'definition what is unknown on purpose.', (parse_ident(ws))[1]);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_refuse_definition(text, text, jsonb) IS
  'Part of register_segment: an error that names what a definition reads in vain.';

-- A score, a code or a fact has the name of an attribute: that is not what most will have meant.
CREATE FUNCTION segmentation_internal.workspace_notice_hidden(ws text, definition jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text;
BEGIN
  FOR said IN
    SELECT DISTINCT segmentation_internal.workspace_say('field.hidden',
      jsonb_build_object('field', l.field, 'path', l.hidden), segmentation_internal.workspace_language(ws))
    FROM segmentation_internal.workspace_field_list(ws, 'en') AS l
    JOIN segmentation_internal.segment_reads(definition) AS d ON d.field = ARRAY[l.field]
    WHERE l.hidden IS NOT NULL ORDER BY 1
  LOOP
    RAISE NOTICE '%', said;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_notice_hidden(text, jsonb) IS
  'Part of register_segment: a notice for each field whose name an attribute has as well.';

CREATE FUNCTION segmentation_internal.workspace_check_segments(ws text)
RETURNS TABLE (item text, status text, detail text)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT 'segment ' || s.segment, 'broken', f.faults
    FROM ONLY @ws@.segment AS s
    CROSS JOIN LATERAL (
      SELECT string_agg(concat_ws(': ', d.path, d.fault), E'\n') AS faults
      FROM segmentation_internal.workspace_definition_faults(@'ws'@, s.definition) AS d) AS f
    WHERE f.faults IS NOT NULL
    ORDER BY s.segment$q$, jsonb_build_object('ws', ws));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_check_segments(text) IS
  'Part of workspace_check: the registered segments that read what no customer has.';

-- For who, or what, writes definitions.
CREATE FUNCTION segmentation.workspace_fields(workspace text, language text DEFAULT NULL)
RETURNS TABLE (
  field text, kind text, type text, codes jsonb, example jsonb, filled double precision, members text[], about text
)
  LANGUAGE plpgsql STABLE ROWS 60 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,setting,source,segment,parameter_set,target,customer_facts,customer_segments,product}');
  spoken constant text := segmentation_internal.workspace_spoken(ws, language);
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  published record;
BEGIN
  EXECUTE format('SELECT w.as_of, w.parameter_set FROM ONLY %s.workspace AS w', ws) INTO published;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    WITH listed AS MATERIALIZED (SELECT l.* FROM segmentation_internal.workspace_field_list(@'ws'@, $1) AS l),
    coded AS MATERIALIZED (
      -- Of a catalogue of thousands an example has to do.
      SELECT x.axis, CASE WHEN cardinality(segmentation_internal.workspace_axis_codes(@'ws'@, x.axis, $2)) <= 500
          THEN segmentation_internal.workspace_code_labels(@'ws'@, x.axis, $2, $1) END AS codes
      FROM segmentation.workspace_axis AS x),
    sampled AS MATERIALIZED (@(rows)@),
    seen AS (
      SELECT e.key AS field, e.value, count(*) AS customers
      FROM sampled AS r CROSS JOIN LATERAL jsonb_each(r.row) AS e
      WHERE e.value <> 'null' GROUP BY e.key, e.value),
    told AS (
      SELECT s.field, sum(s.customers) AS customers,
        (array_agg(s.value ORDER BY s.customers DESC, s.value))[1] AS example,
        CASE WHEN count(*) <= 20 THEN jsonb_object_agg(s.value #>> '{}', s.value #>> '{}')
          FILTER (WHERE jsonb_typeof(s.value) = 'string') END AS codes
      FROM seen AS s GROUP BY s.field)
    SELECT l.field, l.kind, coalesce(l.type, 'any'),
      CASE
        WHEN l.axis IS NOT NULL THEN c.codes
        WHEN l.kind IN ('attribute', 'company') AND l.type = 'text' THEN t.codes END,
      CASE WHEN jsonb_typeof(t.example) = 'array' THEN jsonb_build_array(t.example -> -1) ELSE t.example END,
      CASE WHEN n.customers > 0 THEN coalesce(t.customers, 0)::double precision / n.customers END,
      l.members, concat_ws(' ', l.about, CASE WHEN l.hidden IS NOT NULL THEN segmentation_internal.workspace_say(
        'field.hidden', jsonb_build_object('field', l.field, 'path', l.hidden), $1) || '.' END)
    FROM listed AS l
    CROSS JOIN (SELECT count(*) AS customers FROM sampled) AS n
    LEFT JOIN coded AS c ON c.axis = l.axis
    LEFT JOIN told AS t ON t.field = l.field
    ORDER BY l.place, l.field COLLATE "C"$q$,
    jsonb_build_object('ws', ws, 'rows', segmentation_internal.workspace_sample_rows_sql(
      ws, published.parameter_set, 2000)))
    USING spoken, settings;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_fields(text, text) IS
  'Every field that a definition may read in a workspace: what it is (attribute, company, code, score, fact, target, '
  'consents), its type, its codes with their labels, an example and the share of customers who have it (of 2,000), the '
  'fields of its events, what it means.';

-- Whole rows, as definitions see them, of some customers by hash.
CREATE FUNCTION segmentation_internal.workspace_sample_rows_sql(ws text, number integer, customers integer) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT segmentation_internal.fill(ws, $q$
      SELECT @(row)@ AS row
      FROM (
        SELECT k.customer FROM ONLY @ws@.customer_segments AS k
        ORDER BY pg_catalog.hashtextextended(k.customer::text, 0), k.customer LIMIT @(customers)@) AS k
      JOIN (@(scores)@) AS s ON s.customer = k.customer
      JOIN ONLY @ws@.customer_facts AS f ON f.customer = k.customer
      JOIN @(coded)@ AS c ON c.customer = k.customer$q$,
      jsonb_build_object('customers', customers,
        'scores', segmentation_internal.workspace_scores_query(ws),
        'row', segmentation_internal.workspace_row_sql(ws, number, (
          SELECT string_agg(format('"%s"', l.field), ' ')
          FROM segmentation_internal.workspace_field_list(ws, 'en') AS l),
          's.as_of', segmentation_internal.workspace_published_consents_sql(ws)),
        'coded', segmentation_internal.workspace_coded_sql(format('ONLY %s.customer_segments', ws)))));
COMMENT ON FUNCTION segmentation_internal.workspace_sample_rows_sql(text, integer, integer) IS
  'Part of workspace_fields: what definitions see of some customers, as SQL.';

-- Days on which time alone may move a customer

-- Whether a definition reads what may be another number each day.
CREATE FUNCTION segmentation_internal.workspace_reads_daily(ws text, segments jsonb) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (
    SELECT
    FROM jsonb_each(segments) AS d (segment, definition)
    CROSS JOIN LATERAL segmentation_internal.segment_reads(d.definition) AS r
    JOIN segmentation_internal.workspace_field_list(ws, 'en') AS l ON l.field = (coalesce(r.events, r.field))[1]
    LEFT JOIN segmentation.workspace_score AS s ON s.name = l.field
    WHERE l.kind = 'target' OR l.field = 'company_scores' OR l.kind = 'score' AND s.by_time IS NULL);
COMMENT ON FUNCTION segmentation_internal.workspace_reads_daily(text, jsonb) IS
  'Part of refresh: whether registered definitions read probabilities and the like, which change from day to day.';

-- What is dated ahead comes into sight on its day, and with it the codes of the day: until then it is looked at daily.
CREATE FUNCTION segmentation_internal.workspace_sight_sql(definitions text, as_of text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, concat(
    $q$CASE WHEN segmentation.last_purchase(f.history) > @(as_of)@ THEN @(as_of)@ + 1 END,
      segmentation.item_next_day(f.items, @(as_of)@)$q$,
    CASE WHEN strpos(definitions, '"consents"') > 0 THEN $q$,
      CASE WHEN jsonb_path_exists(coalesce(f.consents::jsonb, '[]') || coalesce(f.contacts::jsonb, '[]'),
          '$[*] ? (@.changed_on > $day || @.sent_on > $day)', jsonb_build_object('day', @(as_of)@))
        THEN @(as_of)@ + 1 END$q$ END), jsonb_build_object('as_of', as_of));
COMMENT ON FUNCTION segmentation_internal.workspace_sight_sql(text, text) IS
  'Part of refresh: when what is dated ahead comes into sight, as SQL over f.';

-- The next day on which time alone may put a customer into another registered segment, over the facts f and the row
-- that definitions see.
CREATE FUNCTION segmentation_internal.workspace_segments_next_day_sql(ws text, segments jsonb, as_of date) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN segmentation_internal.workspace_reads_daily(ws, segments) THEN format('%L::date', as_of + 1)
    ELSE concat('LEAST(', concat_ws(', ',
      segmentation_internal.workspace_sight_sql(segments::text, format('%L::date', as_of)),
      (SELECT string_agg(segmentation_internal.fill(NULL, r.next_day,
          jsonb_build_object('as_of', format('%L::date', as_of))), ', ' ORDER BY r.place)
       FROM segmentation_internal.workspace_row_fields() AS r
       WHERE r.next_day IS NOT NULL AND strpos(segments::text, '"' || r.field || '"') > 0),
      (SELECT string_agg(format('segmentation_internal.segment_next_day(%L::jsonb, d.row, %L::date, %L)', d.definition,
          as_of, c.names), ', ' ORDER BY d.segment)
       FROM (
         SELECT array_agg(n.name ORDER BY n.name) AS names
         FROM (
           SELECT s.name FROM segmentation.workspace_score AS s WHERE s.by_time = 'clock'
           UNION ALL
           SELECT r.field FROM segmentation_internal.workspace_row_fields() AS r WHERE r.clock) AS n) AS c
       CROSS JOIN jsonb_each(segments) AS d (segment, definition))), ')') END;
COMMENT ON FUNCTION segmentation_internal.workspace_segments_next_day_sql(text, jsonb, date) IS
  'Part of refresh: the next day on which time alone may change a registered segment, as SQL over f and d.';
