-- The gate: what may be said. An axis whose data are too thin says nothing (readiness, in train.sql); one that was no
-- good in the back-test of its training, or stands on a model that warns of itself, says so with everything it says.
-- One immutable rule an axis, all of them here, side by side.

-- A reason is {"code", "have", "need"}, with "measure" where it could be one of several.
CREATE FUNCTION segmentation_internal.workspace_reason(
  fails boolean, code text, have double precision DEFAULT NULL, need double precision DEFAULT NULL,
  measure text DEFAULT NULL
) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN fails THEN jsonb_strip_nulls(jsonb_build_object('code', code,
    'have', trim_scale(round(have::numeric, 3)), 'need', trim_scale(round(need::numeric, 3)), 'measure', measure)) END;
COMMENT ON FUNCTION segmentation_internal.workspace_reason(boolean, text, double precision, double precision, text) IS
  'Part of the gate: a reason why an axis is weak; NULL if it does not hold.';

CREATE FUNCTION segmentation_internal.workspace_reasons(VARIADIC reasons jsonb[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT coalesce(jsonb_agg(r.reason ORDER BY r.place), '[]')
    FROM unnest(reasons) WITH ORDINALITY AS r (reason, place)
    WHERE r.reason IS NOT NULL);
COMMENT ON FUNCTION segmentation_internal.workspace_reasons(jsonb[]) IS
  'Part of the gate: those reasons that hold, as a list.';

CREATE FUNCTION segmentation_internal.workspace_warned(model jsonb, code text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN coalesce(
    jsonb_path_exists(model, '$.warnings[*] ? (@.code == $code)', jsonb_build_object('code', code)), false);
COMMENT ON FUNCTION segmentation_internal.workspace_warned(jsonb, text) IS
  'Part of the gate: whether a model has a warning.';

-- Predicted probabilities, by their back-test (prediction_quality, pooled over days): what was predicted has to be
-- better than one share for everybody by more than chance (one-sided 95 %), neither too extreme nor too timid (slope
-- from .7 to 1.4), and by enough customers for the test to say much: 200 a day, 30 of whom did what is rarer. One who
-- is tested on several days is one customer: the error of the skill is that of one day.
CREATE FUNCTION segmentation_internal.workspace_weak_probability(tested jsonb, days integer) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT segmentation_internal.workspace_reasons(
      segmentation_internal.workspace_reason(t.skill <= t.slack, 'no_skill', t.skill, t.slack),
      segmentation_internal.workspace_reason(t.slope < 0.7, 'miscalibrated', t.slope, 0.7),
      segmentation_internal.workspace_reason(t.slope > 1.4, 'miscalibrated', t.slope, 1.4),
      segmentation_internal.workspace_reason(t.customers < 200, 'few_customers', t.customers, 200),
      segmentation_internal.workspace_reason(t.events < 30, 'few_events', t.events, 30))
    FROM (
      SELECT (tested ->> 'brier_skill')::double precision AS skill,
        1.645 * sqrt(days) * coalesce((tested ->> 'brier_skill_error')::double precision, 0) AS slack,
        (tested #>> '{calibration,slope}')::double precision AS slope,
        floor((tested ->> 'n')::double precision / days) AS customers,
        floor(least((tested ->> 'actual_total')::double precision,
          (tested ->> 'n')::double precision - (tested ->> 'actual_total')::double precision) / days) AS events) AS t);
COMMENT ON FUNCTION segmentation_internal.workspace_weak_probability(jsonb, integer) IS
  'Part of the gate: why predicted probabilities are weak by their back-test over so many days: no_skill, '
  'miscalibrated, few_customers, few_events.';

-- What a purchase model says of itself counts where the codes come straight from it, and not where they come from a
-- candidate that was trained and calibrated on what happened.
CREATE FUNCTION segmentation_internal.workspace_of_model(candidate text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN coalesce(candidate IN ('family', 'purchase_model'), true);
COMMENT ON FUNCTION segmentation_internal.workspace_of_model(text) IS
  'Part of the gate: whether a candidate is the purchase model as it is; NULL, before there were candidates, is.';

-- A log that begins after its customers did: bearable up to half of the first purchases in the first twelfth of their
-- span.
CREATE FUNCTION segmentation_internal.workspace_weak_model(model jsonb, seen jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation_internal.workspace_reasons(
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'not_converged'), 'not_converged'),
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'not_identified'), 'not_identified'),
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'left_truncated')
        AND (seen ->> 'first_share')::double precision > 0.5,
      'left_truncated', 100 * (seen ->> 'first_share')::double precision, 50),
    segmentation_internal.workspace_reason(
      model ->> 'family' = 'nbd' OR segmentation_internal.workspace_warned(model, 'no_dropout'), 'nobody_leaves'));
COMMENT ON FUNCTION segmentation_internal.workspace_weak_model(jsonb, jsonb) IS
  'Part of the gate: what a purchase model says against itself: not_converged, not_identified, left_truncated, '
  'nobody_leaves.';

CREATE FUNCTION segmentation_internal.workspace_tested_days(quality jsonb) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_typeof(quality -> 'inner_days') = 'array'
    THEN greatest(1, jsonb_array_length(quality -> 'inner_days')) ELSE 1 END;
COMMENT ON FUNCTION segmentation_internal.workspace_tested_days(jsonb) IS
  'Part of the gate: on how many days a back-test was made.';

CREATE FUNCTION segmentation_internal.workspace_span_days(setting text) RETURNS double precision
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN extract(epoch FROM setting::interval)::double precision / 86400;
COMMENT ON FUNCTION segmentation_internal.workspace_span_days(text) IS 'Part of the gate: an interval in days.';

-- churn: behind the naive rule where recency alone orders the customers better by more than .01 of AUC, or has a Brier
-- score that is better by more than a hundredth. naive_rule, base_rate: no candidate beat recency, or even one share
-- for everybody, and that is what is shown.
CREATE FUNCTION segmentation_internal.workspace_weak_churn(quality jsonb, model jsonb, seen jsonb, settings jsonb)
RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN settings ->> 'churn_of' = 'subscriptions'
    THEN segmentation_internal.workspace_weak_probability(quality -> 'churn', 1)
      || segmentation_internal.workspace_reasons(
        segmentation_internal.workspace_reason(
          segmentation_internal.workspace_warned(model, 'not_converged'), 'not_converged'))
    ELSE segmentation_internal.workspace_weak_probability(
        quality -> 'churn', segmentation_internal.workspace_tested_days(quality))
      || segmentation_internal.workspace_reasons(
        CASE quality ->> 'candidate'
          WHEN 'recency' THEN '{"code": "naive_rule"}'::jsonb
          WHEN 'base_rate' THEN '{"code": "base_rate"}'::jsonb
          ELSE coalesce(
            segmentation_internal.workspace_reason(
              (quality #>> '{churn,auc}')::double precision < (quality #>> '{recency,auc}')::double precision - 0.01,
              'behind_naive', (quality #>> '{churn,auc}')::double precision,
              (quality #>> '{recency,auc}')::double precision, 'AUC'),
            segmentation_internal.workspace_reason(
              (quality #>> '{churn,brier}')::double precision
                > 1.01 * (quality #>> '{recency,brier}')::double precision,
              'behind_naive', (quality #>> '{churn,brier}')::double precision,
              (quality #>> '{recency,brier}')::double precision, 'Brier')) END,
        segmentation_internal.workspace_reason(
          (seen ->> 'days')::double precision
            < 2 * segmentation_internal.workspace_span_days(settings ->> 'churn_horizon'),
          'short_history', (seen ->> 'days')::double precision,
          2 * segmentation_internal.workspace_span_days(settings ->> 'churn_horizon')))
      || CASE WHEN segmentation_internal.workspace_of_model(quality ->> 'candidate')
        THEN segmentation_internal.workspace_weak_model(model, seen) ELSE '[]' END END;
COMMENT ON FUNCTION segmentation_internal.workspace_weak_churn(jsonb, jsonb, jsonb, jsonb) IS
  'Part of the gate: why the axis churn is weak, by its back-test, its model, what the facts have, and the settings.';

-- future_value: the total predicted for the test period against the real one, and the order of the customers against
-- that by their turnover before it: behind where that is better by more than .02 of the correlation.
CREATE FUNCTION segmentation_internal.workspace_weak_value(
  quality jsonb, model jsonb, spend jsonb, seen jsonb, settings jsonb
) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT segmentation_internal.workspace_reasons(
        segmentation_internal.workspace_reason(t.ratio < 0.7, 'miscalibrated', t.ratio, 0.7),
        segmentation_internal.workspace_reason(t.ratio > 1.4, 'miscalibrated', t.ratio, 1.4),
        CASE WHEN t.naive THEN '{"code": "naive_rule"}'::jsonb
          ELSE segmentation_internal.workspace_reason(t.reached < t.past - 0.02, 'behind_naive', t.reached, t.past,
            t.measure) END,
        segmentation_internal.workspace_reason(t.customers < 200, 'few_customers', t.customers, 200),
        segmentation_internal.workspace_reason(
          (seen ->> 'days')::double precision < segmentation_internal.workspace_span_days(settings ->> 'value_horizon'),
          'short_history', (seen ->> 'days')::double precision,
          segmentation_internal.workspace_span_days(settings ->> 'value_horizon')))
      || CASE WHEN segmentation_internal.workspace_of_model(t.candidate)
        THEN segmentation_internal.workspace_reasons(
            segmentation_internal.workspace_reason(
              segmentation_internal.workspace_warned(spend, 'infinite_mean'), 'infinite_mean'))
          || segmentation_internal.workspace_weak_model(model, seen) ELSE '[]' END
    FROM (
      SELECT v.value ->> 'candidate' AS candidate,
        coalesce(v.value ->> 'candidate' = 'last_year', false) AS naive,
        (v.value ->> 'predicted')::double precision
          / NULLIF((v.value ->> 'actual')::double precision, 0) AS ratio,
        CASE WHEN v.last_year ? 'spearman' THEN 'Spearman' ELSE 'r' END AS measure,
        (v.value ->> CASE WHEN v.last_year ? 'spearman' THEN 'spearman' ELSE 'correlation' END)::double precision
          AS reached,
        coalesce(v.last_year ->> 'spearman', v.value ->> 'correlation_past')::double precision AS past,
        floor((quality #>> '{churn,n}')::double precision / segmentation_internal.workspace_tested_days(quality))
          AS customers
      FROM (
        SELECT quality -> 'value' AS value, jsonb_path_query_first(
          quality, '$.value_candidates[*] ? (@.candidate == "last_year")') AS last_year) AS v) AS t);
COMMENT ON FUNCTION segmentation_internal.workspace_weak_value(jsonb, jsonb, jsonb, jsonb, jsonb) IS
  'Part of the gate: why the axis future_value is weak.';

-- profile: groups by fewer than three features are those features, clusters that run into each other are no groups, and
-- neither are those on whose borders most customers lie: confidence is 0 there, and 1 at a centre. A feature that is
-- the same for all is none.
CREATE FUNCTION segmentation_internal.workspace_weak_profile(model jsonb, features text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN model IS NULL THEN '[]' ELSE segmentation_internal.workspace_reasons(
    (SELECT segmentation_internal.workspace_reason(v.used < 3, 'few_features', v.used, 3)
     FROM (SELECT cardinality(features) - jsonb_array_length(
       jsonb_path_query_array(model, '$.features[*] ? (@.used == false)')) AS used) AS v),
    segmentation_internal.workspace_reason(
      (model #>> '{quality,confidence}')::double precision < 0.1, 'low_confidence',
      100 * (model #>> '{quality,confidence}')::double precision, 10),
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'weak_structure'), 'weak_structure',
      (model #>> '{quality,silhouette}')::double precision, 0.25),
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'not_converged'), 'not_converged')) END;
COMMENT ON FUNCTION segmentation_internal.workspace_weak_profile(jsonb, text[]) IS
  'Part of the gate: why the axis profile is weak.';

-- channel_appetence: no channel tells customers apart.
CREATE FUNCTION segmentation_internal.workspace_weak_channels(model jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN model IS NULL THEN '[]' ELSE segmentation_internal.workspace_reasons(
    segmentation_internal.workspace_reason(
      jsonb_array_length(jsonb_path_query_array(
        model, '$.warnings[*] ? (@.code == "few_customers" || @.code == "no_response" || @.code == "not_identified")'))
      >= jsonb_array_length(jsonb_path_query_array(model, '$.channels[*]')), 'no_channel_model'),
    segmentation_internal.workspace_reason(
      segmentation_internal.workspace_warned(model, 'not_converged'), 'not_converged')) END;
COMMENT ON FUNCTION segmentation_internal.workspace_weak_channels(jsonb) IS
  'Part of the gate: why the axis channel_appetence is weak.';

-- pmg: of customers who pay the same none is large. Weak where more than half of those with turnover (30 at least) have
-- the same, or classes by rank miss their share by half of it, and by more than the one customer who crosses a limit.
CREATE FUNCTION segmentation_internal.workspace_weak_pmg(shares jsonb, cuts segmentation.pmg_cuts) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT CASE WHEN s.active >= 30 AND s.tied > 1 AND (s.tied > s.active / 2 OR (cuts).mode = 'rank' AND (
          abs(s.g - (cuts).gros * s.active) > greatest(1, (cuts).gros * s.active / 2)
          OR abs(s.g + s.m - (cuts).moyens * s.active) > greatest(1, (cuts).moyens * s.active / 2)))
      THEN jsonb_build_array(jsonb_build_object('code', 'ties', 'have', s.tied, 'active', s.active,
        'turnover', round(s.tied_turnover, 2), 'g_percent', round(100 * s.g / s.active, 1),
        'm_percent', round(100 * s.m / s.active, 1), 'p_percent', round(100 * s.p / s.active, 1)))
      ELSE '[]' END
    FROM (
      SELECT (shares ->> 'active')::numeric AS active, (shares ->> 'tied')::numeric AS tied,
        (shares ->> 'tied_turnover')::numeric AS tied_turnover, coalesce((shares ->> 'g')::numeric, 0) AS g,
        coalesce((shares ->> 'm')::numeric, 0) AS m, coalesce((shares ->> 'p')::numeric, 0) AS p) AS s);
COMMENT ON FUNCTION segmentation_internal.workspace_weak_pmg(jsonb, segmentation.pmg_cuts) IS
  'Part of the gate: why the axis pmg is weak: equal turnovers.';

-- rfm: a score that more than four in five have, of 30 at least, tells nothing.
CREATE FUNCTION segmentation_internal.workspace_weak_rfm(shares jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT coalesce(jsonb_agg(segmentation_internal.workspace_reason(true, 'one_score',
        round(100 * (shares ->> s.score)::numeric / (shares ->> 'customers')::numeric, 1)::double precision, 80,
        s.score)
      ORDER BY s.place), '[]')
    FROM unnest('{R,F,M}'::text[]) WITH ORDINALITY AS s (score, place)
    WHERE (shares ->> 'customers')::numeric >= 30
      AND (shares ->> s.score)::numeric > 0.8 * (shares ->> 'customers')::numeric);
COMMENT ON FUNCTION segmentation_internal.workspace_weak_rfm(jsonb) IS
  'Part of the gate: why the axis rfm is weak: nearly all have one score.';

UPDATE segmentation.workspace_axis AS a
SET weak = v.weak
FROM (VALUES
  ('rfm', $$segmentation_internal.workspace_weak_rfm(g.rfm_shares)$$),
  ('pmg', $$segmentation_internal.workspace_weak_pmg(g.pmg_shares, g.pmg_cuts)$$),
  ('churn', $$segmentation_internal.workspace_weak_churn(g.quality, CASE g.settings ->> 'churn_of'
    WHEN 'subscriptions' THEN g.retention_model -> 'model' ELSE g.purchase_model END, g.seen, g.settings)$$),
  ('future_value', $$segmentation_internal.workspace_weak_value(
    g.quality, g.purchase_model, g.spend_model, g.seen, g.settings)$$),
  ('profile', $$segmentation_internal.workspace_weak_profile(g.profile_model, g.profile_features)$$),
  ('channel_appetence', $$segmentation_internal.workspace_weak_channels(g.channel_model)$$)
) AS v (axis, weak)
WHERE a.axis = v.axis;

-- After a training: what of it is weak. An axis that is not ready says nothing, so it cannot be weak.
CREATE FUNCTION segmentation_internal.workspace_weigh(ws text, number integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE (
    SELECT segmentation_internal.fill(ws, $q$
      UPDATE @ws@.parameter_set AS g
      SET weak = (
        SELECT coalesce(jsonb_object_agg(v.axis, v.reasons), '{}')
        FROM (VALUES @(rules)@) AS v (axis, reasons)
        WHERE v.reasons <> '[]' AND g.readiness -> v.axis = 'null')
      WHERE g.parameter_set = $1$q$,
      jsonb_build_object('rules', string_agg(format('(%L, %s)', a.axis, a.weak), ', ' ORDER BY a.place)))
    FROM segmentation.workspace_axis AS a WHERE a.weak IS NOT NULL)
    USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_weigh(text, integer) IS
  'Part of refresh: writes into a parameter set which of its axes are weak, and why.';

-- In words

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('weak', ' With reserve: {reasons}.', ' Sous réserve : {reasons}.'),
  ('weak.no_skill', 'in the back-test its probabilities cannot be told from one share for everybody (Brier skill '
    '{have}; it would count above {need})',
    'lors du test, ses probabilités ne se distinguent pas d''une même part pour tous (gain de Brier {have} ; il '
    'compterait au-delà de {need})'),
  ('weak.miscalibrated', 'the calibration slope of the back-test is {have}, beyond the limit of {need} (1 is right)',
    'la pente de calibration du test est de {have}, au-delà de la limite de {need} (1 est juste)'),
  ('weak.future_value.miscalibrated', 'the total predicted in the back-test is {have} times the real one, beyond the '
    'limit of {need}',
    'le total prévu lors du test vaut {have} fois le total réel, au-delà de la limite de {need}'),
  ('weak.behind_naive', 'the time since the last purchase alone does better in the back-test ({measure} {need}, '
    'against {have})',
    'le temps écoulé depuis le dernier achat fait mieux à lui seul lors du test ({measure} {need}, contre {have})'),
  ('weak.future_value.behind_naive', 'the turnover of the time before alone does better in the back-test ({measure} '
    '{need}, against {have})',
    'le chiffre d''affaires passé fait mieux à lui seul lors du test ({measure} {need}, contre {have})'),
  ('weak.naive_rule', 'no model did better in the back-test than the time since the last purchase, so it goes by '
    'recency',
    'aucun modèle n''a fait mieux lors du test que le temps écoulé depuis le dernier achat : l''axe suit la '
    'récence'),
  ('weak.future_value.naive_rule', 'no model did better in the back-test than the turnover of the year before, so it '
    'goes by that',
    'aucun modèle n''a fait mieux lors du test que le chiffre d''affaires de l''année écoulée : l''axe le suit'),
  ('weak.base_rate', 'nothing did better in the back-test than one share for everybody, so all customers have that',
    'rien n''a fait mieux lors du test qu''une même part pour tous : tous les clients ont celle-ci'),
  ('weak.not_converged', 'the fit of its model did not converge', 'l''ajustement de son modèle n''a pas convergé'),
  ('weak.not_identified', 'the data do not identify the parameters of its model',
    'les données n''identifient pas les paramètres de son modèle'),
  ('weak.left_truncated', '{have} % of the first purchases lie in the first twelfth of their span, so the log begins '
    'after its customers did (up to {need} % are bearable)',
    '{have} % des premiers achats tombent dans le premier douzième de leur période : le journal commence après ses '
    'clients (jusqu''à {need} % sont tolérables)'),
  ('weak.nobody_leaves', 'in its model nobody ever leaves', 'dans son modèle, personne ne part jamais'),
  ('weak.few_customers', 'only {have} customers could be tested, and below {need} a test says little',
    'clients testés : {have} seulement, et en dessous de {need} un test dit peu'),
  ('weak.few_events', 'in the back-test only {have} customers did what is rarer, and below {need} it says little',
    'clients ayant fait ce qui est le plus rare lors du test : {have} seulement, et en dessous de {need} il dit peu'),
  ('weak.short_history', 'the log spans {have} days, and what it predicts would be seen in {need} only',
    'le journal couvre {have} jours, et ce que l''axe prédit ne se verrait qu''en {need}'),
  ('weak.infinite_mean', 'the mean spend is infinite in its model', 'la dépense moyenne est infinie dans son modèle'),
  ('weak.few_features', 'only {have} features make the groups, and {need} are needed',
    'variables qui font les groupes : {have} seulement, et il en faut {need}'),
  ('weak.low_confidence', 'most customers lie on the border of two groups (confidence {have} % in the middle, below '
    '{need} %)',
    'la plupart des clients sont à la frontière de deux groupes (confiance médiane de {have} %, sous {need} %)'),
  ('weak.weak_structure', 'the groups run into each other (silhouette {have}, below {need})',
    'les groupes se confondent (silhouette {have}, sous {need})'),
  ('weak.no_channel_model', 'no channel has contacts and answers enough to tell customers apart',
    'aucun canal n''a assez de sollicitations et de réponses pour distinguer les clients'),
  ('weak.ties', '{have} of {active} customers with turnover have the same, {turnover}, and none of them is larger than '
    'another: G has {g_percent} % of them, M {m_percent} %, P {p_percent} %',
    '{have} des {active} clients actifs ont le même chiffre d''affaires, {turnover}, et aucun n''est plus gros '
    'qu''un autre : G en compte {g_percent} %, M {m_percent} %, P {p_percent} %'),
  ('weak.one_score', '{have} % of the customers have the same score {measure}, so it tells little (up to {need} % are '
    'bearable)',
    '{have} % des clients ont la même note {measure}, qui dit donc peu (jusqu''à {need} % sont tolérables)'),
  ('note.candidate', 'It goes by: {candidate}.', 'L''axe suit : {candidate}.'),
  ('note.lost', 'Nobody is called lost: no probability was found from which on hardly any came back.',
    'Personne n''est dit perdu : on n''a trouvé aucune probabilité à partir de laquelle presque personne ne revient.'),
  ('mend', ' See the setting {setting}: SELECT segmentation.configure_workspace({ws}, '
    '''{"{setting}": ...}''); then {train}.',
    ' Voir le paramètre {setting} : SELECT segmentation.configure_workspace({ws}, '
    '''{"{setting}": ...}'') ; puis {train}.'),
  ('mend.no_source', ' Add one: SELECT segmentation.add_source({ws}, ''{need}'', ...); then {train}.',
    ' Ajoutez-en une : SELECT segmentation.add_source({ws}, ''{need}'', ...) ; puis {train}.'),
  ('mend.now', ' Its data suffice now: {train}.', ' Ses données suffisent désormais : {train}.'),
  ('mend.training', 'Changed since the training: {changes}. The codes are still by what held then: {train}.',
    'Modifié depuis l''apprentissage : {changes}. Les codes suivent encore ce qui valait alors : {train}.'),
  ('mend.codes', ' The codes are still those of the training of {as_of}.',
    ' Les codes sont encore ceux de l''apprentissage du {as_of}.'),
  ('mend.failed', '{phase} failed at {ended_at}: {message}', 'échec de {phase} le {ended_at} : {message}'),
  ('check.unpublished', 'nothing is published yet: CALL segmentation.refresh({ws})',
    'rien n''est encore publié : CALL segmentation.refresh({ws})'),
  ('check.published', 'published as of {as_of}, parameter set {parameter_set}',
    'publié au {as_of}, jeu de paramètres {parameter_set}'),
  ('check.guarded', 'not looked at: it may be code of the owner''s, which would run with your rights',
    'non examiné : ce peut être du code du propriétaire, qui s''exécuterait avec vos droits'),
  ('check.trigger', 'changes are captured by triggers; not seen: writes with session_replication_role = replica, '
    'logical replication, ATTACH and DETACH of partitions',
    'les changements sont captés par des triggers ; non vus : écritures sous session_replication_role = replica, '
    'réplication logique, ATTACH et DETACH de partitions'),
  ('check.watermark', 'changes are followed by {column}; not seen: deletes, and commits later than the overlap of '
    '{overlap}',
    'les changements sont suivis par {column} ; non vus : suppressions, et validations au-delà du recouvrement de '
    '{overlap}'),
  ('check.none', 'changes are seen at a full refresh only',
    'les changements ne sont vus que lors d''un rafraîchissement complet'),
  ('check.fields', 'fields not given: {names}', 'champs non fournis : {names}'),
  ('check.first', 'known after the first refresh', 'connu après le premier rafraîchissement'),
  ('check.training', 'known after the next training', 'connu après le prochain apprentissage'),
  ('check.refresh', 'known after the next refresh', 'connu après le prochain rafraîchissement')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);

CREATE FUNCTION segmentation_internal.workspace_language(ws text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  language text;
BEGIN
  EXECUTE format($q$SELECT s.value #>> '{}' FROM ONLY %s.setting AS s WHERE s.name = 'language'$q$, ws) INTO language;
  RETURN coalesce(language, 'en');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_language(text) IS 'The language of a workspace, its setting.';

-- The language that was asked for, else the workspace's.
CREATE FUNCTION segmentation_internal.workspace_spoken(ws text, language text) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fault constant text := CASE WHEN language IS NOT NULL THEN segmentation_internal.language_fault(language) END;
BEGIN
  IF fault IS NOT NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = 'language ' || fault,
      HINT = 'Add labels of your own to the table segmentation.label.';
  END IF;
  RETURN coalesce(language, segmentation_internal.workspace_language(ws));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_spoken(text, text) IS
  'Part of explain: the language asked for, which must have labels, else that of the workspace.';

-- What is weak about an axis, as part of a sentence.
CREATE FUNCTION segmentation_internal.workspace_weak_words(axis text, reasons jsonb, language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(segmentation_internal.workspace_say(
      (SELECT t.topic
       FROM segmentation.workspace_sentence AS t
       WHERE t.topic IN ('weak.' || (r.reason ->> 'code'), concat_ws('.', 'weak', axis, r.reason ->> 'code'))
       ORDER BY length(t.topic) DESC LIMIT 1), r.reason, language), CASE language WHEN 'fr' THEN ' ; ' ELSE '; ' END
      ORDER BY r.place)
    FROM jsonb_array_elements(reasons) WITH ORDINALITY AS r (reason, place));
COMMENT ON FUNCTION segmentation_internal.workspace_weak_words(text, jsonb, text) IS
  'Part of the gate: why an axis is weak, in words (en, fr); NULL if it is not.';

CREATE FUNCTION segmentation_internal.workspace_axis_status(readiness jsonb, weak jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN readiness IS NULL THEN 'unknown'
    WHEN readiness = 'null' THEN CASE WHEN weak IS NULL THEN 'ready' ELSE 'weak' END
    WHEN readiness ->> 'code' = 'no_source' THEN 'missing'
    ELSE 'thin' END;
COMMENT ON FUNCTION segmentation_internal.workspace_axis_status(jsonb, jsonb) IS
  'Part of the gate: ready, weak, thin, missing or unknown, by what a parameter set has of an axis.';

-- The same with words, of an axis of a parameter set.
CREATE FUNCTION segmentation_internal.workspace_axis_words(axis text, readiness jsonb, weak jsonb, language text)
RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN readiness = 'null' THEN segmentation_internal.workspace_weak_words(axis, weak, language)
    ELSE segmentation_internal.workspace_say('data.' || (readiness ->> 'code'), readiness, language) END;
COMMENT ON FUNCTION segmentation_internal.workspace_axis_words(text, jsonb, jsonb, text) IS
  'Part of bi_model_quality: why an axis is thin or weak, in words (en, fr); NULL if it is neither.';

-- What profiles are made of, and what not, for which reason.
CREATE FUNCTION segmentation_internal.workspace_features_words(chosen jsonb, language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN NULLIF(concat_ws(' ',
    (SELECT segmentation_internal.workspace_say('note.profile',
       jsonb_build_object('names', string_agg(f.name, ', ' ORDER BY f.place)), language)
     FROM jsonb_array_elements_text(chosen -> 'features') WITH ORDINALITY AS f (name, place) HAVING count(*) > 0),
    (SELECT segmentation_internal.workspace_say('note.left_out', jsonb_build_object('names', string_agg(
       format('%s (%s)', l.key, segmentation.label('feature_reason', l.value, language)), ', '
       ORDER BY l.key COLLATE "C")), language)
     FROM jsonb_each_text(chosen -> 'left_out') AS l HAVING count(*) > 0)), '');
COMMENT ON FUNCTION segmentation_internal.workspace_features_words(jsonb, text) IS
  'Part of workspace_check: the features of profiles, and those left out with the reason, in words.';

-- What an axis goes by, and what it does not say, by its back-test.
CREATE FUNCTION segmentation_internal.workspace_axis_note(axis text, quality jsonb, language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT NULLIF(concat_ws(' ',
      CASE WHEN c.label IS NOT NULL THEN segmentation_internal.workspace_say('note.candidate',
        jsonb_build_object('candidate', lower(left(c.label, 1)) || substr(c.label, 2)), language) END,
      c.features,
      CASE WHEN axis = 'churn' AND jsonb_typeof(quality -> 'lost') = 'object'
          AND quality #>> '{lost,threshold}' IS NULL
        THEN segmentation_internal.workspace_say('note.lost', '{}', language) END), '')
    FROM (
      SELECT coalesce(segmentation.label(v.domain, v.candidate, language), v.candidate) AS label,
        CASE WHEN v.axis = 'profile' THEN segmentation_internal.workspace_features_words(quality -> 'profile', language)
          END AS features
      FROM (VALUES ('churn', 'churn_candidate', quality ->> 'candidate'),
        ('future_value', 'value_candidate', quality #>> '{value,candidate}'),
        ('profile', NULL, NULL)) AS v (axis, domain, candidate)
      WHERE v.axis = workspace_axis_note.axis) AS c);
COMMENT ON FUNCTION segmentation_internal.workspace_axis_note(text, jsonb, text) IS
  'Part of workspace_check: what an axis goes by, in words; NULL if there is nothing to say.';

CREATE FUNCTION segmentation_internal.workspace_capital(words text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN upper(left(words, 1)) || substr(words, 2) || '.';
COMMENT ON FUNCTION segmentation_internal.workspace_capital(text) IS 'Part of the gate: part of a sentence as one.';

-- A notice for each axis that is weak, in the workspace's language.
CREATE FUNCTION segmentation_internal.workspace_notice_weak(ws text, number integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  language constant text := segmentation_internal.workspace_language(ws);
  parameters record;
  axis text;
  target record;
BEGIN
  EXECUTE format('SELECT g.weak, g.targets FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO parameters USING number;
  FOREACH axis IN ARRAY segmentation.workspace_axes() LOOP
    IF parameters.weak ? axis THEN
      RAISE NOTICE '%', format(CASE language WHEN 'fr' THEN 'l''axe %s est faible : %s' ELSE 'axis %s is weak: %s' END,
        axis, segmentation_internal.workspace_weak_words(axis, parameters.weak -> axis, language));
    END IF;
  END LOOP;
  FOR target IN
    SELECT t.* FROM jsonb_each(parameters.targets) AS t WHERE t.value -> 'weak' <> 'null' ORDER BY t.key
  LOOP
    RAISE NOTICE '%', format(
      CASE language WHEN 'fr' THEN 'la cible %s est faible : %s' ELSE 'target %s is weak: %s' END,
      target.key, segmentation_internal.workspace_weak_words('target', target.value -> 'weak', language));
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_notice_weak(text, integer) IS
  'Part of refresh: a notice for each axis that is weak.';

-- What a training was made with

CREATE FUNCTION segmentation_internal.workspace_sources_now(ws text) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sources jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'relation', s.relation::text, 'mapping', s.mapping,
      'time_zone', s.time_zone) ORDER BY s.source), '[]')
    FROM ONLY @ws@.source AS s$q$) INTO sources;
  RETURN sources;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_sources_now(text) IS
  'Part of refresh: the sources of a workspace as a parameter set remembers them.';

-- Settings that a training does not look at.
CREATE FUNCTION segmentation_internal.workspace_settings_at_once() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{language,notify,source_silence,bad_rows,retrain_after,keep_parameter_sets,promote_tolerance}'::text[];
COMMENT ON FUNCTION segmentation_internal.workspace_settings_at_once() IS
  'Part of refresh: the settings that hold without a training.';

CREATE FUNCTION segmentation_internal.workspace_changes(
  settings_then jsonb, sources_then jsonb, settings_now jsonb, sources_now jsonb
) RETURNS text[]
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN ARRAY(
    SELECT c.change
    FROM (
      SELECT 1 AS place, coalesce(n.key, t.key) AS change
      FROM jsonb_each(settings_now) AS n
      FULL JOIN jsonb_each(settings_then) AS t ON t.key = n.key
      WHERE n.value IS DISTINCT FROM t.value
        AND coalesce(n.key, t.key) <> ALL (segmentation_internal.workspace_settings_at_once())
      UNION
      SELECT 2, format('%s %s', v.source ->> 'kind', v.source ->> 'relation')
      FROM (
        (SELECT * FROM jsonb_array_elements(sources_now) EXCEPT SELECT * FROM jsonb_array_elements(sources_then))
        UNION ALL
        (SELECT * FROM jsonb_array_elements(sources_then) EXCEPT SELECT * FROM jsonb_array_elements(sources_now))
      ) AS v (source)) AS c
    ORDER BY c.place, c.change COLLATE "C");
COMMENT ON FUNCTION segmentation_internal.workspace_changes(jsonb, jsonb, jsonb, jsonb) IS
  'Part of refresh: settings and sources that are not what they were at a training.';

-- What of a workspace is ready

-- What gives a workspace new parameters.
CREATE FUNCTION segmentation_internal.workspace_training_call(workspace text, installed jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN format(CASE WHEN installed IS NULL THEN 'CALL segmentation.refresh(%L, retrain => true)'
    ELSE 'SELECT segmentation.install_parameter_set(%L, ...)' END, workspace);
COMMENT ON FUNCTION segmentation_internal.workspace_training_call(text, jsonb) IS
  'Part of workspace_check: the call that trains, or that installs what was trained elsewhere.';

-- Where an installed parameter set came from, and whether it is old by the published day.
CREATE FUNCTION segmentation_internal.workspace_check_installed(
  workspace text, published date, parameters record, settings jsonb, language text, OUT status text, OUT detail text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old constant boolean := published - parameters.as_of
    >= extract(epoch FROM (settings ->> 'retrain_after')::interval) / 86400;
BEGIN
  status := CASE WHEN old THEN 'stale' ELSE 'ready' END;
  detail := concat(
    segmentation_internal.workspace_say('check.installed', parameters.installed -> 'trained' || jsonb_build_object(
      'as_of', parameters.as_of, 'installed_on', (parameters.installed ->> 'installed_at')::timestamptz::date,
      'customers', coalesce(parameters.seen -> 'trained_on', parameters.seen -> 'customers')), language),
    CASE WHEN old THEN segmentation_internal.workspace_say('check.installed_old', jsonb_build_object(
      'retrain_after', segmentation_internal.workspace_interval_words(settings ->> 'retrain_after', language),
      'install', segmentation_internal.workspace_training_call(workspace, parameters.installed)), language) END);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_check_installed(text, date, record, jsonb, text) IS
  'Part of workspace_check: where an installed parameter set came from.';

-- An axis as it is now. The codes are those of the parameter set; what the data suffice for is said by the facts of the
-- last full refresh, the sources and the settings of now.
CREATE FUNCTION segmentation_internal.workspace_check_axis(
  workspace text, axis text, parameters record, now_reason jsonb, language text, OUT status text, OUT detail text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  then_reason constant jsonb := parameters.readiness -> axis;
  -- Known by training only.
  tried constant boolean := NOT coalesce(then_reason ->> 'code' IN ('no_source', 'few_buyers', 'few_repeaters',
    'short_history', 'few_subscribers', 'few_customers'), true);
  -- What an installed set was trained on is elsewhere: the data here need only be of the same kinds.
  reason jsonb := CASE
    WHEN tried OR now_reason IS NULL
      OR parameters.installed IS NOT NULL AND now_reason ->> 'code' IS DISTINCT FROM 'no_source'
    THEN then_reason ELSE now_reason END;
  places constant jsonb := jsonb_build_object('ws', quote_literal(workspace), 'as_of', parameters.as_of,
    'train', segmentation_internal.workspace_training_call(workspace, parameters.installed));
BEGIN
  IF then_reason IS NULL THEN
    status := 'unknown';
    detail := segmentation_internal.workspace_say('check.training', '{}', language);
    RETURN;
  END IF;
  status := segmentation_internal.workspace_axis_status(reason, parameters.weak -> axis);
  IF reason = 'null' AND then_reason = 'null' THEN
    detail := NULLIF(concat_ws(' ',
      segmentation_internal.workspace_capital(
        segmentation_internal.workspace_weak_words(axis, parameters.weak -> axis, language)),
      segmentation_internal.workspace_axis_note(axis, parameters.quality, language)), '');
  ELSIF reason = 'null' THEN
    -- Its codes still say that it is not.
    status := segmentation_internal.workspace_axis_status(then_reason, NULL);
    detail := segmentation_internal.workspace_say('data.' || (then_reason ->> 'code'), then_reason, language)
      || segmentation_internal.workspace_say('mend.now', places, language);
  ELSE
    detail := concat(
      segmentation_internal.workspace_say('data.' || (reason ->> 'code'), reason, language),
      segmentation_internal.workspace_mend(axis, reason, places, language),
      CASE WHEN then_reason = 'null' THEN segmentation_internal.workspace_say('mend.codes', places, language) END);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_check_axis(text, text, record, jsonb, text) IS
  'Part of workspace_check: an axis.';

-- The setting and the call that mend what is missing or thin.
CREATE FUNCTION segmentation_internal.workspace_mend(axis text, reason jsonb, places jsonb, language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE
      WHEN reason ->> 'code' = 'no_source'
        THEN segmentation_internal.workspace_say('mend.no_source', reason || places, language)
      WHEN m.setting IS NOT NULL THEN segmentation_internal.workspace_say('mend',
        reason || places || jsonb_build_object('setting', m.setting), language)
      ELSE '' END
    FROM (
      SELECT CASE reason ->> 'code'
        WHEN 'few_buyers' THEN 'minimum_buyers' WHEN 'few_subscribers' THEN 'minimum_buyers'
        WHEN 'few_customers' THEN 'minimum_buyers' WHEN 'few_repeaters' THEN 'minimum_repeaters'
        WHEN 'short_history' THEN 'minimum_history' WHEN 'one_outcome' THEN 'churn_horizon'
        WHEN 'no_features' THEN 'profile_features' END AS setting) AS m);
COMMENT ON FUNCTION segmentation_internal.workspace_mend(text, jsonb, jsonb, text) IS
  'Part of workspace_check: the setting and the call that mend what is missing or thin.';

CREATE FUNCTION segmentation_internal.workspace_check_targets(ws text, language text)
RETURNS TABLE (item text, status text, detail text)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  target record;
BEGIN
  FOR target IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT t.target AS name, g.targets -> t.target AS trained
    FROM ONLY @ws@.target AS t
    LEFT JOIN ONLY @ws@.workspace AS w ON true
    LEFT JOIN ONLY @ws@.parameter_set AS g ON g.parameter_set = w.parameter_set
      AND g.targets -> t.target -> 'definition' = t.definition
      AND (g.targets -> t.target ->> 'horizon')::interval = t.horizon
    ORDER BY t.target$q$)
  LOOP
    item := 'target ' || target.name;
    status := segmentation_internal.workspace_axis_status(
      target.trained -> 'readiness', NULLIF(target.trained -> 'weak', 'null'));
    detail := CASE
      WHEN target.trained IS NULL THEN segmentation_internal.workspace_say('check.refresh', '{}', language)
      WHEN status = 'weak' THEN segmentation_internal.workspace_capital(
        segmentation_internal.workspace_weak_words('target', target.trained -> 'weak', language))
      WHEN status = 'thin' THEN segmentation_internal.workspace_say(
        'data.' || (target.trained #>> '{readiness,code}'), target.trained -> 'readiness', language) END;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_check_targets(text, text) IS
  'Part of workspace_check: the targets of a workspace.';

CREATE FUNCTION segmentation.workspace_check(workspace text) RETURNS TABLE (item text, status text, detail text)
  LANGUAGE plpgsql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,setting,source,source_reading,parameter_set,refresh_log,target}');
  language constant text := segmentation_internal.workspace_language(ws);
  settings constant jsonb := segmentation_internal.workspace_settings_now(ws);
  w record;
  s record;
  last record;
  parameters record;
  changes text[];
  readiness jsonb;
  axis text;
BEGIN
  EXECUTE format('SELECT * FROM ONLY %s.workspace', ws) INTO w;
  EXECUTE format('SELECT l.* FROM ONLY %s.refresh_log AS l ORDER BY l.refresh DESC, l.place DESC LIMIT 1', ws)
    INTO last;
  item := 'workspace';
  status := CASE WHEN w.as_of IS NULL THEN 'missing' ELSE 'ready' END;
  detail := CASE WHEN w.as_of IS NULL
    THEN segmentation_internal.workspace_say(
      'check.unpublished', jsonb_build_object('ws', quote_literal(workspace)), language)
    ELSE segmentation_internal.workspace_say('check.published', jsonb_build_object(
      'as_of', w.as_of, 'parameter_set', w.parameter_set), language) END;
  RETURN NEXT;
  FOR s IN EXECUTE format('SELECT * FROM ONLY %s.source ORDER BY source', ws) LOOP
    item := format('source %s: %s', s.kind, s.relation);
    IF segmentation_internal.workspace_guarded() THEN
      status := 'unknown';
      detail := segmentation_internal.workspace_say('check.guarded', '{}', language);
      RETURN NEXT;
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE 'SELECT 1 FROM (' || segmentation_internal.workspace_rows_sql(ws, s.kind) || ') AS r LIMIT 0';
      status := 'ready';
      detail := concat_ws(CASE language WHEN 'fr' THEN ' ; ' ELSE '; ' END,
        segmentation_internal.workspace_say('check.' || s.capture, jsonb_build_object(
          'column', quote_ident(s.watermark_column),
          'overlap', segmentation_internal.workspace_interval_words(s.overlap::text, language)), language),
        segmentation_internal.workspace_mapping_words(s.mapping),
        (SELECT segmentation_internal.workspace_say(
           'check.fields', jsonb_build_object('names', string_agg(d.field, ', ' ORDER BY d.place)), language)
         FROM segmentation.workspace_field AS d
         -- What has no usual name is only where it is asked for.
         WHERE d.kind = s.kind AND d.columns <> '{}' AND NOT s.mapping ? d.field HAVING count(*) > 0),
        segmentation_internal.workspace_reading_words(ws, s.source, language));
    EXCEPTION WHEN OTHERS THEN
      status := 'broken';
      detail := SQLERRM;
    END;
    RETURN NEXT;
  END LOOP;
  IF coalesce(last.status = 'failed', false) THEN
    item := 'refresh';
    status := 'failed';
    detail := segmentation_internal.workspace_say('mend.failed', jsonb_build_object(
      'phase', segmentation.label('phase', last.phase, language),
      'ended_at', to_char(last.ended_at AT TIME ZONE w.time_zone, 'YYYY-MM-DD HH24:MI'),
      'message', last.detail), language);
    RETURN NEXT;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT p.as_of, p.settings, p.sources, p.readiness, p.weak, p.quality, p.seen, p.installed
    FROM ONLY @ws@.parameter_set AS p JOIN ONLY @ws@.workspace AS w ON w.parameter_set = p.parameter_set$q$)
    INTO parameters;
  changes := segmentation_internal.workspace_changes(parameters.settings, parameters.sources, settings,
    segmentation_internal.workspace_sources_now(ws));
  IF changes <> '{}' AND parameters.as_of IS NOT NULL THEN
    item := 'training';
    status := 'stale';
    detail := segmentation_internal.workspace_say('mend.training', jsonb_build_object(
      'changes', array_to_string(changes, ', '),
      'train', segmentation_internal.workspace_training_call(workspace, parameters.installed)), language);
    RETURN NEXT;
  END IF;
  IF parameters.installed IS NOT NULL THEN
    item := 'parameter set';
    SELECT c.status, c.detail INTO status, detail
    FROM segmentation_internal.workspace_check_installed(workspace, w.as_of, parameters, settings, language) AS c;
    RETURN NEXT;
  END IF;
  readiness := segmentation_internal.workspace_readiness(ws, w.seen, settings);
  FOREACH axis IN ARRAY segmentation.workspace_axes() LOOP
    item := 'axis ' || axis;
    IF parameters.as_of IS NULL THEN
      status := 'unknown';
      detail := segmentation_internal.workspace_say('check.first', '{}', language);
    ELSE
      SELECT c.status, c.detail INTO status, detail
      FROM segmentation_internal.workspace_check_axis(workspace, axis, parameters, readiness -> axis, language) AS c;
    END IF;
    RETURN NEXT;
  END LOOP;
  RETURN QUERY SELECT * FROM segmentation_internal.workspace_check_targets(ws, language);
  -- Which fields there are is said by the facts and the sources, which another role does not look at.
  IF NOT segmentation_internal.workspace_guarded() THEN
    RETURN QUERY SELECT * FROM segmentation_internal.workspace_check_segments(ws);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_check(text) IS
  'What of a workspace is ready, what is missing, which data are too thin or predictions weak, and why, with the '
  'setting and the call that mend it; which changes each source cannot show; whether the last refresh failed, and what '
  'changed since the last training. In the workspace''s language.';
