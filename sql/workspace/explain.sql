-- Why a customer is where it is: numbers, thresholds, what would change it, in words and as jsonb.

CREATE TABLE segmentation.workspace_sentence (
  topic text NOT NULL,
  language text NOT NULL,
  sentence text NOT NULL,
  PRIMARY KEY (topic, language)
);
COMMENT ON TABLE segmentation.workspace_sentence IS 'Sentences of explain, with places {name} for its numbers.';
COMMENT ON COLUMN segmentation.workspace_sentence.topic IS 'Axis, or axis.code for a sentence of its own, or data.reason for data that are too thin.';
COMMENT ON COLUMN segmentation.workspace_sentence.language IS 'en or fr.';
COMMENT ON COLUMN segmentation.workspace_sentence.sentence IS 'The sentence.';

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('rfm', 'Last purchase {recency} days ago (score {r} of {bins}), {frequency} purchases (score {f}), turnover {monetary} {currency} (score {m}).',
          'Dernier achat il y a {recency} jours (note {r} sur {bins}), {frequency} achats (note {f}), chiffre d''affaires {monetary} {currency} (note {m}).'),
  ('rfm.prospect', 'Has not bought anything yet.', 'N''a encore rien acheté.'),
  ('pmg', 'Turnover of {turnover} {currency} over {pmg_months} rolling months; medium customers begin at {moyens_from}, large ones at {gros_from}.',
          'Chiffre d''affaires de {turnover} {currency} sur {pmg_months} mois glissants ; les moyens clients commencent à {moyens_from}, les gros à {gros_from}.'),
  ('pmg.I', 'No turnover over {pmg_months} rolling months.', 'Aucun chiffre d''affaires sur {pmg_months} mois glissants.'),
  ('churn', 'Buys nothing within {churn_horizon} with a probability of {churn_percent} % (medium from {medium_percent} %, high from {high_percent} %). Bought on {purchase_days} days, lately {recency} days ago, usually every {mean_gap} days.',
            'N''achètera rien dans les {churn_horizon_fr} avec une probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). A acheté {purchase_days} jours, la dernière fois il y a {recency} jours, en général tous les {mean_gap} jours.'),
  ('churn.once', 'Buys nothing within {churn_horizon} with a probability of {churn_percent} % (medium from {medium_percent} %, high from {high_percent} %). Bought on one day only, {recency} days ago.',
            'N''achètera rien dans les {churn_horizon_fr} avec une probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). N''a acheté qu''un seul jour, il y a {recency} jours.'),
  ('churn.lost', 'Buys nothing within {churn_lost_horizon} with a probability of {lost_percent} %, more than {lost_above_percent} %. The last purchase was {recency} days ago.',
                 'N''achètera rien dans les {churn_lost_horizon_fr} avec une probabilité de {lost_percent} %, au-delà du seuil de {lost_above_percent} %. Le dernier achat date de {recency} jours.'),
  ('churn.subscription', 'All {contracts} subscriptions that run end within {churn_horizon} with a probability of {churn_percent} % (medium from {medium_percent} %, high from {high_percent} %). The oldest runs since {since}.{notice}',
                         'Les {contracts} abonnements en cours prendront tous fin dans les {churn_horizon_fr} avec une probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %). Le plus ancien court depuis le {since}.{notice_fr}'),
  ('churn.one_subscription', 'The subscription, which runs since {since}, ends within {churn_horizon} with a probability of {churn_percent} % (medium from {medium_percent} %, high from {high_percent} %).{notice}',
                         'L''abonnement, qui court depuis le {since}, prendra fin dans les {churn_horizon_fr} avec une probabilité de {churn_percent} % (moyen à partir de {medium_percent} %, élevé à partir de {high_percent} %).{notice_fr}'),
  ('churn.no_subscription', 'No subscription runs; the last one ended on {ended_on}.', 'Aucun abonnement en cours ; le dernier a pris fin le {ended_on}.'),
  ('data.few_subscribers', 'Only {have} customers have subscriptions; {need} are needed.', 'Seuls {have} clients ont des abonnements ; il en faut {need}.'),
  ('loyalty', 'Loyalty index of {loyalty_index} out of 100; customer for {tenure} days, {purchase_days} days with a purchase.',
              'Indice de fidélité de {loyalty_index} sur 100 ; client depuis {tenure} jours, {purchase_days} jours avec achat.'),
  ('future_value', 'Expected to bring {future_value} {currency} within {value_horizon}: {expected_purchases} purchases of {expected_spend} {currency} each, discounted. High from {high_from}, medium from {medium_from}.',
                   'Devrait rapporter {future_value} {currency} dans les {value_horizon_fr} : {expected_purchases} achats de {expected_spend} {currency}, actualisés. Élevée à partir de {high_from}, moyenne à partir de {medium_from}.'),
  ('product_appetence.none', 'No offer is likelier than {minimum_percent} %, what the best offer of half of all customers reaches; the best is {product_name} ({reason}).', 'Aucune offre n''est plus probable que {minimum_percent} %, ce qu''atteint la meilleure offre de la moitié des clients ; la meilleure est {product_name} ({reason_fr}).'),
  ('product_appetence', 'Best offer: {product_name} ({reason}).', 'Meilleure offre : {product_name} ({reason_fr}).'),
  ('channel_appetence', 'Answers {channel} at a rate of at least {lower_percent} % (mean {mean_percent} %, {n} contacts); it has consent.',
                        'Répond par {channel} à un taux d''au moins {lower_percent} % (moyenne {mean_percent} %, {n} contacts) ; le consentement est donné.'),
  ('channel_appetence.none', 'No channel may be used now, or none was ever answered.', 'Aucun canal n''est utilisable maintenant, ou aucun n''a jamais reçu de réponse.'),
  ('profile', 'Nearest to the profile "{profile_name}", at a confidence of {confidence_percent} %.', 'Le plus proche du profil « {profile_name_fr} », avec une confiance de {confidence_percent} %.'),
  ('life_moment', '{moment_label} from {begins}{until_en}, confidence {confidence_percent} %.', '{moment_label} à partir du {begins}{until_fr}, confiance {confidence_percent} %.'),
  ('life_moment.none', 'Nothing particular happens now.', 'Rien de particulier en ce moment.'),
  ('segment', 'By the definition of the segment: see numbers.', 'Selon la définition du segment : voir les nombres.'),
  ('segment.override', 'Set by hand.{because}', 'Fixé à la main.{because}'),
  ('changes', ' If nothing happens, this changes on {changes_on}.', ' Sans nouvel événement, cela change le {changes_on}.'),
  ('data.customer', 'Nothing is known of this customer that this axis needs.', 'Rien de ce que cet axe demande n''est connu de ce client.'),
  ('data.no_source', 'The workspace has no source of {need}.', 'L''espace de travail n''a pas de source « {need_label} » ({need}).'),
  ('data.few_buyers', 'Only {have} customers bought; {need} are needed.', 'Seuls {have} clients ont acheté ; il en faut {need}.'),
  ('data.few_repeaters', 'Only {have} customers bought on two days or more; {need} are needed.', 'Seuls {have} clients ont acheté au moins deux jours ; il en faut {need}.'),
  ('data.one_outcome', 'Within the last {have} all customers did the same, so no model of it can be tested.', 'Sur le dernier horizon ({have}), tous les clients ont fait de même : aucun modèle ne peut être vérifié.'),
  ('data.short_history', 'The purchases span {have} days; {need} are needed.', 'Les achats couvrent {have} jours ; il en faut {need}.'),
  ('data.few_customers', 'Only {have} customers have attributes; {need} are needed.', 'Seuls {have} clients ont des attributs ; il en faut {need}.'),
  ('data.no_contacts', 'No contact is recorded.', 'Aucun contact n''est enregistré.'),
  ('data.no_features', 'No attribute is fit for profiles.', 'Aucun attribut ne convient à des profils.')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);

CREATE FUNCTION segmentation_internal.workspace_say(topic text, numbers jsonb, language text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text;
  pair record;
BEGIN
  SELECT s.sentence INTO said FROM segmentation.workspace_sentence AS s
  WHERE s.topic IN (workspace_say.topic, split_part(workspace_say.topic, '.', 1))
    AND s.language = CASE WHEN workspace_say.language = 'fr' THEN 'fr' ELSE 'en' END
  ORDER BY length(s.topic) DESC LIMIT 1;
  FOR pair IN SELECT n.key, n.value #>> '{}' AS value, jsonb_typeof(n.value) AS type
    FROM jsonb_each(numbers || jsonb_build_object('need_label', segmentation.label('source', numbers ->> 'need', language))) AS n LOOP
    -- One day, not one days; in French whatever is below two. A number is followed by what it counts; "mois" has no singular.
    IF (CASE WHEN pair.type <> 'number' OR pair.key !~ '^\w+$' THEN false WHEN language = 'fr' THEN abs(pair.value::numeric) < 2 ELSE pair.value::numeric = 1 END) THEN
      said := regexp_replace(said, format('(\{%s\} \w*[^i])s\M', pair.key), '\1', 'g');
    END IF;
    said := replace(said, '{' || pair.key || '}', coalesce(CASE WHEN pair.type = 'number' AND language = 'fr' THEN replace(pair.value, '.', ',') ELSE pair.value END, '?'));
  END LOOP;
  RETURN said;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_say(text, jsonb, text) IS 'Part of explain: a sentence with its numbers.';

-- A number as people write it. Internal.
CREATE FUNCTION segmentation_internal.workspace_rounded(value double precision, digits integer DEFAULT 0) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN to_jsonb(round(value::numeric, digits));
COMMENT ON FUNCTION segmentation_internal.workspace_rounded(double precision, integer) IS 'Part of explain: a rounded number.';

CREATE FUNCTION segmentation.explain(workspace text, customer text, axis text DEFAULT NULL, language text DEFAULT 'en')
RETURNS TABLE (on_axis text, code text, label text, explanation text, changes_on date, numbers jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,customer_segments,parameter_set,customer_facts,customer_products,product,customer_channels,life_moments,segment_override}');
  key constant text := segmentation_internal.workspace_key(ws);
  c record; s record; f record; p record; w record; held record;
  n jsonb;
  named jsonb;
  topic text;
  found_one boolean := false;
BEGIN
  EXECUTE format('SELECT * FROM ONLY %s.workspace', ws) INTO w;
  IF w.as_of IS NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format('workspace %I has no published result yet', workspace),
      HINT = format('CALL segmentation.refresh(%L)', workspace);
  END IF;
  IF axis IS NOT NULL AND axis <> ALL (segmentation.workspace_axes()) AND axis NOT LIKE 'segment:%' THEN
    RAISE invalid_parameter_value USING MESSAGE = format('unknown axis "%s"', axis),
      HINT = format('Axes: %s, and segment: with the name of a registered segment.', array_to_string(segmentation.workspace_axes(), ', '));
  END IF;
  EXECUTE format('SELECT * FROM ONLY %s.customer_segments WHERE customer = $1::%s', ws, key) INTO c USING customer;
  IF c.customer IS NULL THEN
    RAISE no_data_found USING MESSAGE = format('workspace %I has no customer %s', workspace, coalesce(customer, 'null'));
  END IF;
  EXECUTE format('SELECT s.* FROM (%s) AS s WHERE s.customer = $1::%s', segmentation_internal.workspace_scores_query(ws), key) INTO s USING customer;
  EXECUTE format('SELECT * FROM ONLY %s.parameter_set WHERE parameter_set = $1', ws) INTO p USING c.parameter_set;
  EXECUTE format('SELECT f.*, segmentation_internal.workspace_breadth(segmentation_internal.workspace_categories(f.items, f.categories, $2 ->> ''product_level''), $3, $4) AS breadth,
      segmentation_internal.workspace_satisfaction(f.attributes, f.company, $2 ->> ''satisfaction'') AS satisfaction,
      segmentation_internal.workspace_share_of_wallet(f.attributes, f.company, f.history, $3, $2 ->> ''share_of_wallet'', $2 ->> ''potential'') AS share_of_wallet
    FROM ONLY %s.customer_facts AS f WHERE f.customer = $1::%s', ws, key) INTO f USING customer, p.settings, w.as_of, p.categories;

  FOR held IN
    SELECT e.key AS axis, e.value AS code, a.place FROM unnest(segmentation.workspace_axes()) WITH ORDINALITY AS a (axis, place)
      JOIN jsonb_each_text(to_jsonb(c)) AS e ON e.key = a.axis
    UNION ALL
    SELECT 'segment:' || e.key, e.value, 100 FROM jsonb_each_text(c.segments) AS e
    ORDER BY 3, 1
  LOOP
    CONTINUE WHEN explain.axis IS NOT NULL AND held.axis <> explain.axis;
    on_axis := held.axis;
    code := held.code;
    label := segmentation.workspace_label(held.axis, held.code, language);
    changes_on := NULL;
    topic := held.axis || '.' || held.code;
    IF held.code = 'insufficient_data' THEN
      n := coalesce(NULLIF(p.readiness -> held.axis, 'null'), '{"code": "customer"}');
      topic := 'data.' || (n ->> 'code');
    ELSIF held.axis IN ('rfm', 'pmg', 'churn', 'future_value', 'loyalty') THEN
      n := segmentation_internal.workspace_explain_purchases(held.axis, to_jsonb(s), f.history, w.as_of, p.purchase_model, p.spend_model, p.settings, p.pmg_cuts, p.value_cuts);
      IF held.axis = 'churn' AND p.settings ->> 'churn_of' = 'subscriptions' THEN
        SELECT n - '{purchase_days,recency,mean_gap,alive_probability,lost_above_percent}'::text[] || jsonb_build_object('contracts', count(*) FILTER (WHERE r.runs), 'since', min(r.started_on) FILTER (WHERE r.runs), 'ended_on', max(r.ended_on) FILTER (WHERE NOT r.runs),
            'notice', coalesce(' Notice was given for ' || (min(r.ended_on) FILTER (WHERE r.runs)) || '.', ''), 'notice_fr', coalesce(' Résiliation annoncée pour le ' || (min(r.ended_on) FILTER (WHERE r.runs)) || '.', ''))
          INTO n FROM segmentation_internal.workspace_contracts(f.subscriptions, w.as_of) AS r;
        topic := CASE WHEN n ->> 'contracts' = '0' THEN 'churn.no_subscription' WHEN n ->> 'contracts' = '1' THEN 'churn.one_subscription' ELSE 'churn.subscription' END;
      ELSIF held.axis = 'churn' AND held.code <> 'lost' AND n ->> 'mean_gap' IS NULL THEN
        topic := 'churn.once';
      END IF;
      changes_on := CASE WHEN held.axis = 'churn' AND p.settings ->> 'churn_of' = 'subscriptions' THEN NULL ELSE segmentation_internal.workspace_changes_on(held.axis, f.history, w.as_of, p.rfm_cuts, p.pmg_cuts, p.purchase_model, p.spend_model, p.value_cuts, p.settings, p.loyalty_prior,
        f.breadth, f.satisfaction, f.share_of_wallet) END;
      IF held.axis = 'loyalty' AND segmentation_internal.workspace_number(f.attributes, f.company, p.settings ->> 'potential') IS NOT NULL THEN
        changes_on := LEAST(changes_on, segmentation_internal.workspace_wallet_next_change(f.history, w.as_of));
      END IF;
      IF held.axis = 'loyalty' THEN
        n := n || jsonb_build_object('components', (SELECT jsonb_object_agg(l.component, jsonb_build_object('value', l.value, 'points', l.points, 'contribution', l.contribution, 'text', l.text))
          FROM segmentation.loyalty_explain(f.history, w.as_of, segmentation_internal.workspace_loyalty_options(p.settings, p.loyalty_prior), f.breadth, f.satisfaction, f.share_of_wallet, explain.language) AS l));
      END IF;
    ELSIF held.axis = 'profile' THEN
      SELECT jsonb_build_object('profile_name', min(d.name), 'profile_name_fr', min(d.name_fr), 'confidence_percent', segmentation_internal.workspace_rounded(100 * s.profile_confidence),
               'distance', segmentation_internal.workspace_rounded(s.profile_distance, 3),
               'typical', jsonb_object_agg(d.feature, jsonb_build_object('centre', d.centre, 'population', d.population)) FILTER (WHERE d.feature IS NOT NULL AND d.centre IS NOT NULL))
        INTO n FROM segmentation.profile_describe(p.profile_model) AS d WHERE d.code = held.code;
    ELSIF held.axis = 'product_appetence' THEN
      EXECUTE format('SELECT to_jsonb(o) - ''customer'' FROM ONLY %s.customer_products AS o WHERE o.customer = $1::%s AND o.place = 1', ws, key) INTO n USING customer;
      EXECUTE format('SELECT jsonb_build_object(''product_name'', coalesce((SELECT g.name FROM ONLY %s.product AS g WHERE g.product = $1), $1))', ws) INTO named USING n ->> 'product';
      IF held.code = n ->> 'product' THEN
        label := named ->> 'product_name';
      END IF;
      n := n || named || jsonb_build_object('minimum', p.product_minimum, 'minimum_percent', segmentation_internal.workspace_rounded(100 * p.product_minimum, 1));
    ELSIF held.axis = 'channel_appetence' THEN
      EXECUTE format('SELECT to_jsonb(o) - ''customer'' || jsonb_build_object(''lower_percent'', segmentation_internal.workspace_rounded(100 * o.lower, 1), ''mean_percent'', segmentation_internal.workspace_rounded(100 * o.mean, 1))
                      FROM ONLY %s.customer_channels AS o WHERE o.customer = $1::%s AND o.place = 1', ws, key) INTO n USING customer;
    ELSIF held.axis = 'life_moment' THEN
      EXECUTE format('SELECT jsonb_build_object(''moment'', o.moment, ''begins'', o.begins, ''ends'', o.ends, ''confidence_percent'', segmentation_internal.workspace_rounded(100 * o.confidence), ''evidence'', o.evidence)
                      FROM ONLY %s.life_moments AS o WHERE o.customer = $1::%s AND o.moment = $2 ORDER BY o.begins DESC LIMIT 1', ws, key) INTO n USING customer, held.code;
      n := n || jsonb_build_object('moment_label', label, 'until_en', coalesce(' until ' || (n ->> 'ends'), ''), 'until_fr', coalesce(' jusqu''au ' || (n ->> 'ends'), ''));
    ELSE
      EXECUTE format('SELECT jsonb_build_object(''override'', true, ''because'', coalesce('' '' || o.reason, '''')) FROM ONLY %s.segment_override AS o WHERE o.segment = $1 AND o.customer = $2::%s', ws, key)
        INTO n USING substr(held.axis, 9), customer;
      topic := CASE WHEN n IS NULL THEN 'segment' ELSE 'segment.override' END;
      label := held.code;
      IF n IS NULL THEN
        n := segmentation.segment_explain(p.segments -> substr(held.axis, 9), segmentation_internal.workspace_row(f.company, f.attributes, to_jsonb(c), to_jsonb(s), segmentation.consents_on(f.consents, w.as_of)), w.as_of);
      END IF;
    END IF;
    numbers := coalesce(n, '{}') || jsonb_build_object('currency', p.settings ->> 'currency');
    explanation := segmentation_internal.workspace_say(topic, numbers || jsonb_build_object('bins', p.settings -> 'rfm_bins', 'pmg_months', p.settings -> 'pmg_months'), language);
    IF changes_on IS NOT NULL THEN
      explanation := explanation || segmentation_internal.workspace_say('changes', jsonb_build_object('changes_on', changes_on), language);
    END IF;
    found_one := true;
    RETURN NEXT;
  END LOOP;
  IF NOT found_one THEN
    RAISE no_data_found USING MESSAGE = format('customer %s is in no segment "%s"', customer, axis);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.explain(text, text, text, text) IS
  'Why a customer has its codes, on all axes or on one: the numbers and thresholds behind each, when it would change by itself, in words (en, fr) and as jsonb.';

-- An interval of days in French. Internal.
CREATE FUNCTION segmentation_internal.workspace_interval_fr(given text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN replace(replace(replace(replace(replace(replace(given, 'days', 'jours'), 'day', 'jour'), 'months', 'mois'), 'month', 'mois'), 'years', 'ans'), 'year', 'an');
COMMENT ON FUNCTION segmentation_internal.workspace_interval_fr(text) IS 'Part of explain: an interval in French.';

CREATE FUNCTION segmentation_internal.workspace_explain_purchases(axis text, s jsonb, history segmentation.purchase_history, as_of date, purchase_model jsonb, spend_model jsonb, settings jsonb,
  pmg_cuts segmentation.pmg_cuts, value_cuts segmentation.pmg_cuts) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE axis
    WHEN 'rfm' THEN jsonb_build_object('recency', s -> 'recency', 'frequency', s -> 'frequency', 'monetary', round((s ->> 'monetary')::numeric, 2), 'r', s -> 'r', 'f', s -> 'f', 'm', s -> 'm')
    WHEN 'pmg' THEN jsonb_build_object('turnover', round((s ->> 'turnover')::numeric, 2), 'moyens_from', round(pmg_cuts.moyens_from, 2), 'gros_from', round(pmg_cuts.gros_from, 2))
    WHEN 'churn' THEN jsonb_build_object('churn_percent', segmentation_internal.workspace_rounded(100 * (s ->> 'churn_probability')::double precision), 'lost_percent', segmentation_internal.workspace_rounded(100 * (s ->> 'lost_probability')::double precision),
      'medium_percent', segmentation_internal.workspace_rounded(100 * (settings ->> 'churn_medium')::double precision), 'high_percent', segmentation_internal.workspace_rounded(100 * (settings ->> 'churn_high')::double precision),
      'lost_above_percent', segmentation_internal.workspace_rounded(100 * (settings ->> 'churn_lost')::double precision),
      'churn_horizon', settings -> 'churn_horizon', 'churn_horizon_fr', segmentation_internal.workspace_interval_fr(settings ->> 'churn_horizon'),
      'churn_lost_horizon', settings -> 'churn_lost_horizon', 'churn_lost_horizon_fr', segmentation_internal.workspace_interval_fr(settings ->> 'churn_lost_horizon'),
      'purchase_days', segmentation.purchase_days(history, as_of), 'recency', segmentation.recency(history, as_of), 'mean_gap', segmentation_internal.workspace_rounded(segmentation.mean_gap(history, as_of)),
      'alive_probability', segmentation_internal.workspace_rounded(segmentation.alive_probability(purchase_model, history, as_of), 4), 'churn_probability', s -> 'churn_probability', 'lost_probability', s -> 'lost_probability')
    WHEN 'future_value' THEN jsonb_build_object('future_value', round((s ->> 'future_value')::numeric, 2), 'expected_purchases', segmentation_internal.workspace_rounded((s ->> 'expected_purchases')::double precision, 2),
      'expected_spend', round(segmentation.expected_spend(spend_model, history, as_of), 2), 'value_horizon', settings -> 'value_horizon', 'value_horizon_fr', segmentation_internal.workspace_interval_fr(settings ->> 'value_horizon'),
      'high_from', round(value_cuts.gros_from, 2), 'medium_from', round(value_cuts.moyens_from, 2))
    ELSE jsonb_build_object('tenure', segmentation.tenure(history, as_of), 'purchase_days', segmentation.purchase_days(history, as_of), 'loyalty_index', segmentation_internal.workspace_rounded((s ->> 'loyalty_index')::double precision))
    END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_explain_purchases(text, jsonb, segmentation.purchase_history, date, jsonb, jsonb, jsonb, segmentation.pmg_cuts, segmentation.pmg_cuts) IS 'Part of explain: the numbers of the axes from purchases.';

CREATE FUNCTION segmentation_internal.workspace_changes_on(axis text, history segmentation.purchase_history, as_of date, rfm_cuts segmentation.rfm_cuts, pmg_cuts segmentation.pmg_cuts, purchase_model jsonb, spend_model jsonb,
  value_cuts segmentation.pmg_cuts, settings jsonb, loyalty_prior jsonb, breadth double precision, satisfaction double precision, share_of_wallet double precision) RETURNS date
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE axis
    WHEN 'rfm' THEN segmentation.rfm_next_change(history, as_of, rfm_cuts)
    WHEN 'pmg' THEN segmentation.pmg_next_change(history, as_of, pmg_cuts, (settings ->> 'pmg_months')::integer)
    WHEN 'churn' THEN segmentation.churn_next_change(purchase_model, history, as_of, segmentation_internal.workspace_churn_options(settings))
    WHEN 'future_value' THEN segmentation.future_value_next_change(purchase_model, spend_model, history, as_of, value_cuts, segmentation_internal.workspace_value_options(settings))
    WHEN 'loyalty' THEN segmentation.loyalty_next_change(history, as_of, segmentation_internal.workspace_loyalty_options(settings, loyalty_prior), breadth, satisfaction, share_of_wallet)
    END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_changes_on(text, segmentation.purchase_history, date, segmentation.rfm_cuts, segmentation.pmg_cuts, jsonb, jsonb, segmentation.pmg_cuts, jsonb, jsonb, double precision, double precision, double precision) IS
  'Part of explain: the day on which time alone would change a code.';

CREATE FUNCTION segmentation.workspace_check(workspace text) RETURNS TABLE (item text, status text, detail text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_readable(workspace, '{workspace,source,parameter_set}');
  w record;
  s record;
  readiness jsonb;
  needed record;
BEGIN
  EXECUTE format('SELECT * FROM ONLY %s.workspace', ws) INTO w;
  item := 'workspace';
  status := CASE WHEN w.as_of IS NULL THEN 'missing' ELSE 'ready' END;
  detail := CASE WHEN w.as_of IS NULL THEN 'nothing is published yet: CALL segmentation.refresh' ELSE format('published as of %s, parameter set %s', w.as_of, w.parameter_set) END;
  RETURN NEXT;
  FOR s IN EXECUTE format('SELECT * FROM ONLY %s.source ORDER BY source', ws) LOOP
    item := format('source %s: %s', s.kind, s.relation);
    IF segmentation_internal.workspace_guarded() THEN
      status := 'unknown';
      detail := 'not looked at: it may be code of the owner''s, which would run with your rights';
      RETURN NEXT;
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE 'SELECT 1 FROM (' || segmentation_internal.workspace_rows_sql(ws, s.kind) || ') AS r LIMIT 0';
      status := 'ready';
      detail := concat_ws('; ', CASE s.capture
          WHEN 'trigger' THEN 'changes are captured by triggers; not seen: writes with session_replication_role = replica, logical replication, ATTACH and DETACH of partitions'
          WHEN 'watermark' THEN format('changes are followed by %I; not seen: deletes, and commits later than the overlap of %s', s.watermark_column, s.overlap)
          ELSE 'changes are seen at a full refresh only' END,
        (SELECT 'fields not given: ' || string_agg(d.field, ', ' ORDER BY d.place) FROM segmentation.workspace_field AS d WHERE d.kind = s.kind AND NOT s.mapping ? d.field));
    EXCEPTION WHEN OTHERS THEN
      status := 'broken';
      detail := SQLERRM;
    END;
    RETURN NEXT;
  END LOOP;
  EXECUTE format('SELECT (SELECT p.readiness FROM ONLY %1$s.parameter_set AS p WHERE p.parameter_set = w.parameter_set) FROM ONLY %1$s.workspace AS w', ws) INTO readiness;
  FOR needed IN SELECT a.axis FROM unnest(segmentation.workspace_axes()) WITH ORDINALITY AS a (axis, place) ORDER BY a.place LOOP
    item := 'axis ' || needed.axis;
    IF readiness IS NULL THEN
      status := 'unknown';
      detail := 'known after the first refresh';
    ELSIF readiness -> needed.axis = 'null' THEN
      status := 'ready';
      detail := NULL;
    ELSE
      status := CASE WHEN readiness #>> ARRAY[needed.axis, 'code'] = 'no_source' THEN 'missing' ELSE 'thin' END;
      detail := segmentation_internal.workspace_say('data.' || (readiness #>> ARRAY[needed.axis, 'code']), readiness -> needed.axis, 'en');
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_check(text) IS 'What of a workspace is ready, what is missing, which data are too thin and why, and which changes each source cannot show.';
