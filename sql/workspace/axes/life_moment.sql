-- The axis life_moment: what happens in the customer's life now, and the list of moments.

CREATE FUNCTION segmentation_internal.workspace_moment_options(settings jsonb, model jsonb, moment text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(model -> moment, '{}')
    || CASE WHEN moment = 'anniversary'
       THEN jsonb_build_object('ahead', round(extract(epoch FROM (settings ->> 'moment_ahead')::interval) / 86400))
       ELSE '{}' END
    || coalesce(settings -> 'moment_options' -> moment, '{}');
COMMENT ON FUNCTION segmentation_internal.workspace_moment_options(jsonb, jsonb, text) IS
  'Part of refresh: the options of a life moment: what was trained, then the settings.';

-- Categories that mark moments, as settings name them: {"birth": ["baby"]}. One expression each, over facts f with
-- f.bought, what was bought by category; NULL where the customer is not asked about.
CREATE FUNCTION segmentation_internal.workspace_marker_sql(settings jsonb, model jsonb, as_of date)
RETURNS TABLE (moment text, found text)
  LANGUAGE sql IMMUTABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT m.moment, segmentation_internal.fill(NULL, CASE m.moment
      WHEN 'holiday_ahead' THEN $q$
        CASE WHEN f.bought IS NOT NULL AND segmentation.first_purchase(f.history) <= @'as_of'@
        THEN segmentation.yearly_recurrence(segmentation.item_purchases(f.bought, @'categories'@), @'as_of'@,
          segmentation.first_purchase(f.history), @'moment'@, @'calendar'@::jsonb, @'options'@::jsonb) END$q$
      ELSE $q$
        CASE WHEN f.bought IS NOT NULL AND f.history IS NOT NULL
        THEN segmentation.marker_purchase(segmentation.item_purchases(f.bought, @'categories'@), f.history, @'as_of'@,
          @'moment'@, @'options'@::jsonb) END$q$ END,
      jsonb_build_object('moment', m.moment, 'as_of', as_of,
        'categories', ARRAY(SELECT jsonb_array_elements_text(m.categories))::text,
        'options', segmentation_internal.workspace_moment_options(settings, model, m.moment)::text)
      || CASE m.moment WHEN 'holiday_ahead'
         THEN jsonb_build_object('calendar', NULLIF(settings -> 'moment_calendar', '[]')::text) ELSE '{}' END)
  FROM jsonb_each(settings -> 'moment_categories') AS m (moment, categories)
  ORDER BY m.moment;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_marker_sql(jsonb, jsonb, date) IS
  'Part of refresh: the moments that purchases in some categories mark, as SQL over facts f with f.bought.';

-- The p value up to which false discoveries stay within their share, among all customers now; frozen, so that one
-- customer's moment does not hang on the others' between trainings. None found: only what is next to certain.
CREATE FUNCTION segmentation_internal.workspace_discovery_limit(ws text, moment text, settings jsonb)
RETURNS double precision
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  alpha double precision;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT max(t.p) FILTER (WHERE t.q <= $1)
    FROM (
      SELECT s.p, segmentation.q_value(s.p) OVER () AS q
      FROM (
        SELECT (@(moment)@).p_value AS p
        FROM (
          SELECT f.*, segmentation_internal.workspace_categories(f.items, f.categories, $2) AS bought
          FROM @ws@.stage_facts AS f OFFSET '0') AS f) AS s
      WHERE s.p IS NOT NULL) AS t$q$, jsonb_build_object('moment', moment))
    INTO alpha USING (settings ->> 'moment_false_discoveries')::double precision, settings ->> 'product_level';
  RETURN greatest(coalesce(alpha, 0), 1e-6);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_discovery_limit(text, text, jsonb) IS
  'Part of refresh: the limit of the p values of a life moment.';

CREATE FUNCTION segmentation_internal.workspace_train_moments(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  prior jsonb;
  model jsonb;
  marker record;
BEGIN
  IF NOT segmentation_internal.workspace_ready(ws, number, 'life_moment') THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT g.loyalty_prior FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO prior USING number;
  model := jsonb_build_object(
    'purchase_due', jsonb_build_object('prior', prior), 'reactivated', jsonb_build_object('prior', prior));
  IF settings -> 'moments' ? 'waning_interest' THEN
    model := model || jsonb_build_object(
      'waning_interest', jsonb_build_object('alpha', segmentation_internal.workspace_discovery_limit(ws,
        segmentation_internal.fill(NULL, 'segmentation.waning_interest(f.history, @''as_of''@)',
          jsonb_build_object('as_of', as_of)), settings)));
  END IF;
  -- So with each moment that purchases in some categories mark.
  FOR marker IN SELECT * FROM segmentation_internal.workspace_marker_sql(settings, NULL, as_of) LOOP
    model := model || jsonb_build_object(marker.moment,
      jsonb_build_object('alpha', segmentation_internal.workspace_discovery_limit(ws, marker.found, settings)));
  END LOOP;
  EXECUTE format('UPDATE %s.parameter_set AS g SET moment_model = $2 WHERE g.parameter_set = $1', ws)
    USING number, model;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_moments(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis life_moment.';

CREATE FUNCTION segmentation_internal.workspace_moment_is_on(moment segmentation.life_moment, as_of date)
RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (moment).moment NOT IN ('none', 'insufficient_data')
    AND (moment).begins <= as_of AND coalesce((moment).ends, 'infinity') >= as_of;
COMMENT ON FUNCTION segmentation_internal.workspace_moment_is_on(segmentation.life_moment, date) IS
  'Part of refresh: whether a moment is under way on a day.';

-- Of all changes of a customer. A function of its own: workers share no query with a correlated subquery.
CREATE FUNCTION segmentation_internal.workspace_attribute_moments(
  changes jsonb, as_of date, mapping jsonb, is_company boolean
) RETURNS segmentation.life_moment[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
  RETURN (
    SELECT array_agg(segmentation.attribute_moment(a.change ->> 'attribute', (a.change ->> 'changed_on')::date,
      a.change ->> 'old', a.change ->> 'new', as_of, mapping, is_company))
    FROM jsonb_array_elements(changes) AS a (change));
COMMENT ON FUNCTION segmentation_internal.workspace_attribute_moments(jsonb, date, jsonb, boolean) IS
  'Part of refresh: the life moments of the changes of a customer''s attributes.';

-- Every moment of the staged customers that was found, and with the day on which it would change what was not.
CREATE FUNCTION segmentation_internal.workspace_moments_sql(ws text, stage text, number integer, as_of date)
RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parameters record;
BEGIN
  EXECUTE format('SELECT g.settings, g.moment_model AS model FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO parameters USING number;
  RETURN segmentation_internal.workspace_staged(ws, stage, $q$
    SELECT f.customer, m AS found
    FROM (
      SELECT f.customer, segmentation_internal.purchase_moments(f.history, @'as_of'@, coalesce(f.alive, 1),
          @'purchase_due'@, @'waning_interest'@, @'first_purchase'@, @'reactivated'@) AS by_purchases,
        CASE WHEN f.attribute_changes IS NOT NULL AND @'moments'@::jsonb ? 'attributes'
          THEN segmentation_internal.workspace_attribute_moments(
            f.attribute_changes, @'as_of'@, @'attributes'@, f.company IS NOT NULL) END AS by_attributes,
        ARRAY[CASE WHEN f.born IS NOT NULL AND @'moments'@::jsonb ? 'anniversary'
          THEN segmentation.anniversary(f.born, @'as_of'@, 'birth_date', @'anniversary'@) END@(markers)@] AS others
      FROM (
        SELECT f.*, s.alive_probability AS alive, segmentation.segment_date(f.attributes ->> 'birth_date') AS born,
          segmentation_internal.workspace_categories(f.items, f.categories, @'level'@) AS bought
        FROM @ws@.@facts@ AS f JOIN @ws@.@scores@ AS s ON s.customer = f.customer OFFSET '0') AS f
      OFFSET '0') AS f
    CROSS JOIN LATERAL unnest(f.by_purchases || f.by_attributes || f.others) AS m
    WHERE m.moment IS NOT NULL$q$, (
    SELECT jsonb_build_object('as_of', as_of, 'level', parameters.settings ->> 'product_level',
        'moments', (parameters.settings -> 'moments')::text,
        'attributes', (parameters.settings -> 'moment_options' -> 'attributes')::text,
        'markers', (
          SELECT coalesce(string_agg(', ' || m.found, '' ORDER BY m.moment), '')
          FROM segmentation_internal.workspace_marker_sql(parameters.settings, parameters.model, as_of) AS m))
      || jsonb_object_agg(o.moment, CASE WHEN parameters.settings -> 'moments' ? o.moment
        THEN segmentation_internal.workspace_moment_options(parameters.settings, parameters.model, o.moment)::text END)
    FROM unnest('{purchase_due,waning_interest,first_purchase,reactivated,anniversary}'::text[]) AS o (moment)));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_moments_sql(text, text, integer, date) IS
  'Part of refresh: the life moments of the staged customers, as SQL.';

-- The moments that are on become the list.
CREATE FUNCTION segmentation_internal.workspace_stage_moments(ws text, stage text, number integer, as_of date)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM segmentation_internal.workspace_stage(
    ws, stage, 'all_moments', segmentation_internal.workspace_moments_sql(ws, stage, number, as_of));
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    CREATE UNLOGGED TABLE @ws@.@moments@ AS
    SELECT DISTINCT ON (m.customer, (m.found).moment, (m.found).begins)
      m.customer, (m.found).moment, (m.found).begins, (m.found).ends, (m.found).confidence, (m.found).evidence
    FROM @ws@.@all_moments@ AS m
    WHERE (m.found).moment NOT IN ('none', 'insufficient_data') AND (m.found).begins IS NOT NULL
    ORDER BY m.customer, (m.found).moment, (m.found).begins, (m.found).confidence DESC,
      (m.found).evidence::text COLLATE "C"$q$);
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    CREATE UNLOGGED TABLE @ws@.@moment_codes@ AS
    SELECT m.customer, (segmentation.strongest_moment(m.found) FILTER (WHERE m.is_on)).moment,
      -- Of two that are on at once, one may overtake the other: the confidence of these moves every day.
      LEAST(min((m.found).next_change), CASE
        WHEN count(DISTINCT (m.found).moment) FILTER (WHERE m.is_on) > 1
          AND bool_or((m.found).moment IN ('purchase_due', 'purchase_overdue', 'waning_interest', 'holiday_ahead'))
            FILTER (WHERE m.is_on)
        THEN @'as_of'@::date + 1 END) AS next_change
    FROM (
      SELECT m.customer, m.found, segmentation_internal.workspace_moment_is_on(m.found, @'as_of'@) AS is_on
      FROM @ws@.@all_moments@ AS m) AS m
    GROUP BY m.customer$q$, jsonb_build_object('as_of', as_of));
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    DROP TABLE @ws@.@all_moments@;
    ANALYZE @ws@.@moment_codes@$q$);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_moments(text, text, integer, date) IS
  'Part of refresh: the life moments of the staged customers.';

CREATE FUNCTION segmentation_internal.workspace_publish_moments(ws text, stage text, as_of date) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
    INSERT INTO @ws@.events (as_of, customer, kind, axis, code)
    SELECT $1, m.customer, 'begun', 'life_moment', m.moment
    FROM @ws@.@moments@ AS m
    WHERE m.begins <= $1 AND NOT EXISTS (
      SELECT FROM @ws@.life_moments AS o WHERE o.customer = m.customer AND o.moment = m.moment AND o.begins <= $1)
    ORDER BY m.customer, m.moment$q$) USING as_of;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_publish_moments(text, text, date) IS
  'Part of refresh: tells of the life moments that have begun.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, stage, staged, joins, code, look_again, publish, numbers)
VALUES (
  'life_moment', 90, 'What happens in the customer''s life now.',
  -- readiness
  $$CASE WHEN NOT seen.kinds && '{purchases,purchase_lines,customers,attribute_history}'
    THEN jsonb_build_object('code', 'no_source', 'need', 'purchases') END$$,
  'segmentation_internal.workspace_train_moments',
  'segmentation_internal.workspace_stage_moments',
  '{moment_codes}',
  -- joins
  $$LEFT JOIN @ws@.@moment_codes@ AS best_moment ON best_moment.customer = s.customer$$,
  $$coalesce(best_moment.moment, 'none')$$,
  $$best_moment.next_change$$,
  'segmentation_internal.workspace_publish_moments',
  -- numbers
  $$(SELECT jsonb_build_object(
      'moment', o.moment, 'begins', o.begins, 'ends', o.ends,
      'confidence_percent', segmentation_internal.workspace_rounded(100 * o.confidence), 'evidence', o.evidence,
      'moment_label', segmentation.workspace_label('life_moment', c.life_moment, a.language),
      'until_en', coalesce(' until ' || (to_jsonb(o.ends) #>> '{}'), ''),
      'until_fr', coalesce(' jusqu''au '
        || segmentation_internal.workspace_day_words(to_jsonb(o.ends) #>> '{}', 'fr'), ''))
    FROM ONLY @ws@.life_moments AS o WHERE o.customer = f.customer AND o.moment = c.life_moment
    ORDER BY o.begins DESC LIMIT 1)$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type) VALUES
  (160, 'life_moment', 'moment_model', 'jsonb');

INSERT INTO segmentation.workspace_list (place, axis, name, staged, columns, about, comments) VALUES (
  30, 'life_moment', 'life_moments', 'moments',
  $$customer @(key)@ NOT NULL,
    moment text NOT NULL,
    begins date NOT NULL,
    ends date,
    confidence double precision NOT NULL,
    evidence jsonb NOT NULL,
    PRIMARY KEY (customer, moment, begins)$$,
  'What happens in customers'' lives, now and soon.',
  '{"confidence": "From 0 to 1.", "evidence": "The numbers behind it."}');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('life_moment', 'en', '{moment_label} from {begins}{until_en}, confidence {confidence_percent} %.'),
  ('life_moment', 'fr', '{moment_label} à partir du {begins}{until_fr}, confiance {confidence_percent} %.'),
  ('life_moment.none', 'en', 'Nothing particular happens now.'),
  ('life_moment.none', 'fr', 'Rien de particulier en ce moment.');
