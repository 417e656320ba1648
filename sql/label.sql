-- Labels: every code that a function can return, in English and French.

CREATE TABLE label (
  domain text NOT NULL,
  code text NOT NULL,
  language text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  label text NOT NULL,
  PRIMARY KEY (domain, code, language)
);
COMMENT ON TABLE label IS
  'Names of codes for people: domain (rfm, pmg, ...), code, language (en, fr; add your own), label.';
COMMENT ON COLUMN label.domain IS 'What the code is a code of.';
COMMENT ON COLUMN label.code IS 'The code that a function returns.';
COMMENT ON COLUMN label.language IS 'ISO 639-1, lower case.';
COMMENT ON COLUMN label.label IS 'The name to show.';

CREATE FUNCTION label(domain text, code text, language text DEFAULT 'en') RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(
    (SELECT l.label FROM label AS l WHERE l.domain = $1 AND l.code = $2 AND l.language = $3),
    $2);
COMMENT ON FUNCTION label(text, text, text) IS
  'The label of a code in a language (en, fr), or the code itself if it has none.';

INSERT INTO label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('rfm', 'champions', 'Champions', 'Champions'),
  ('rfm', 'loyal', 'Loyal customers', 'Clients fidèles'),
  ('rfm', 'potential_loyalist', 'Potential loyalists', 'Fidèles potentiels'),
  ('rfm', 'new', 'New customers', 'Nouveaux clients'),
  ('rfm', 'promising', 'Promising', 'Prometteurs'),
  ('rfm', 'need_attention', 'Need attention', 'À surveiller'),
  ('rfm', 'about_to_sleep', 'About to sleep', 'En voie d''assoupissement'),
  ('rfm', 'at_risk', 'At risk', 'À risque'),
  ('rfm', 'cannot_lose', 'Cannot lose them', 'À ne pas perdre'),
  ('rfm', 'hibernating', 'Hibernating', 'En hibernation'),
  ('rfm', 'lost', 'Lost', 'Perdus'),
  ('rfm', 'others', 'Others', 'Autres'),
  ('rfm', 'prospect', 'Prospects', 'Prospects'),
  ('pmg', 'G', 'Large customers', 'Gros clients'),
  ('pmg', 'M', 'Medium customers', 'Moyens clients'),
  ('pmg', 'P', 'Small customers', 'Petits clients'),
  ('pmg', 'I', 'Inactive customers', 'Clients inactifs'),
  ('pmg_mode', 'rank', 'Share of customers', 'Part des clients'),
  ('pmg_mode', 'cumulative', 'Share of turnover', 'Part du chiffre d''affaires'),
  ('rfm_rule', 'quantile', 'Quantiles, ties together', 'Quantiles, ex æquo ensemble'),
  ('rfm_rule', 'r_rfm', 'As the R package rfm', 'Comme le paquet R rfm'),
  ('rfm_map_fault', 'missing', 'Code without segment', 'Code sans segment'),
  ('rfm_map_fault', 'double', 'Code with two segments', 'Code à deux segments'),
  ('rfm_map_fault', 'invalid', 'Score outside the bins', 'Score hors des classes')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
SELECT pg_catalog.pg_extension_config_dump('label', $$WHERE language NOT IN ('en', 'fr')$$);

-- Churn from features, and contracts.
INSERT INTO label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('churn_warning', 'insufficient_data', 'Too little data', 'Trop peu de données'),
  ('churn_warning', 'separation', 'Outcomes are separated', 'Issues séparées'),
  ('churn_warning', 'collinear', 'Follows from other features', 'Se déduit d''autres variables'),
  ('churn_warning', 'constant_feature', 'Always the same', 'Toujours identique'),
  ('churn_warning', 'rare_categories', 'Rare categories only', 'Catégories trop rares'),
  ('churn_warning', 'few_events', 'Few events for so many coefficients', 'Peu d''événements pour tant de coefficients'),
  ('churn_warning', 'leak_suspected', 'A feature probably knows the outcome', 'Une variable connaît sans doute l''issue'),
  ('churn_warning', 'not_converged', 'The search did not end', 'La recherche n''a pas abouti'),
  ('churn_warning', 'not_identified', 'Not identified', 'Non identifiable'),
  ('churn_warning', 'no_ends', 'No contract ended', 'Aucun contrat terminé'),
  ('churn_warning', 'sampled', 'Fitted on a sample', 'Ajusté sur un échantillon'),
  ('churn_warning', 'unknown_feature', 'Feature of an option is unknown', 'Variable d''une option inconnue'),
  ('churn_warning', 'unknown_base_level', 'Base category is unknown', 'Catégorie de référence inconnue'),
  ('churn_skipped', 'null_outcome', 'Outcome not known', 'Issue inconnue'),
  ('churn_skipped', 'null_features', 'Features not known', 'Variables inconnues'),
  ('churn_skipped', 'no_weight', 'No weight', 'Sans poids'),
  ('churn_skipped', 'missing_values', 'Missing values', 'Valeurs manquantes'),
  ('churn_skipped', 'no_offset', 'No offset', 'Sans décalage'),
  ('churn_skipped', 'null_started', 'Beginning not known', 'Début inconnu'),
  ('churn_skipped', 'not_started', 'Not begun yet', 'Pas encore commencé'),
  ('churn_skipped', 'ended_before_start', 'Ended before it began', 'Terminé avant d''avoir commencé'),
  ('churn_skipped', 'before_observation', 'Ended before the log begins', 'Terminé avant le début du relevé'),
  ('churn_skipped', 'no_full_period', 'No period completed', 'Aucune période complète'),
  ('churn_role', 'intercept', 'Intercept', 'Constante'),
  ('churn_role', 'number', 'Number', 'Nombre'),
  ('churn_role', 'boolean', 'Yes or no', 'Oui ou non'),
  ('churn_role', 'level', 'Category', 'Catégorie'),
  ('churn_role', 'other', 'Other categories', 'Autres catégories'),
  ('churn_role', 'missing', 'Not known', 'Inconnu'),
  ('retention_family', 'kaplan_meier', 'Kaplan-Meier', 'Kaplan-Meier'),
  ('retention_family', 'shifted_beta_geometric', 'Shifted-beta-geometric', 'Bêta-géométrique décalée'),
  ('retention_family', 'hazard', 'Discrete-time hazard', 'Risque en temps discret'),
  ('calibration_method', 'isotonic', 'Isotonic', 'Isotonique'),
  ('calibration_method', 'logistic', 'Logistic', 'Logistique')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
