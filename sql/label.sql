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

-- Profiles, criteria, quality of segments, trials.
INSERT INTO label (domain, code, language, label)
SELECT v.domain, v.code, t.language, t.label
FROM (VALUES
  ('profile_method', 'k_means', 'k-means', 'k-means'),
  ('profile_method', 'k_prototypes', 'k-prototypes', 'k-prototypes'),
  ('profile_method', 'gaussian_mixture', 'Gaussian mixture', 'Mélange gaussien'),
  ('profile_warning', 'insufficient_data', 'Too few data', 'Données insuffisantes'),
  ('profile_warning', 'sampled', 'A sample was used', 'Un échantillon a servi'),
  ('profile_warning', 'constant_feature', 'Constant feature', 'Variable constante'),
  ('profile_warning', 'missing_values', 'Missing values', 'Valeurs manquantes'),
  ('profile_warning', 'outliers', 'Outliers', 'Valeurs extrêmes'),
  ('profile_warning', 'not_converged', 'Not converged', 'Sans convergence'),
  ('profile_warning', 'weak_structure', 'Weak structure', 'Structure faible'),
  ('profile_measure', 'silhouette', 'Silhouette', 'Silhouette'),
  ('profile_measure', 'silhouette_rows', 'Rows of the silhouette', 'Lignes de la silhouette'),
  ('profile_measure', 'inertia', 'Inertia', 'Inertie'),
  ('profile_measure', 'explained', 'Share explained', 'Part expliquée'),
  ('profile_measure', 'stability', 'Stability', 'Stabilité'),
  ('profile_measure', 'calinski_harabasz', 'Calinski-Harabasz index', 'Indice de Calinski-Harabasz'),
  ('profile_measure', 'davies_bouldin', 'Davies-Bouldin index', 'Indice de Davies-Bouldin'),
  ('profile_measure', 'log_likelihood', 'Log-likelihood', 'Log-vraisemblance'),
  ('profile_measure', 'bic', 'BIC', 'BIC'),
  ('profile_measure', 'aic', 'AIC', 'AIC'),
  ('profile_measure', 'smallest_share', 'Smallest share', 'Plus petite part'),
  ('profile_measure', 'customers', 'Customers', 'Clients'),
  ('profile_measure', 'share', 'Share', 'Part'),
  ('profile_measure', 'radius', 'Radius', 'Rayon'),
  ('criterion_kind', 'number', 'Number', 'Nombre'),
  ('criterion_kind', 'date', 'Date', 'Date'),
  ('criterion_kind', 'boolean', 'Yes or no', 'Oui ou non'),
  ('criterion_kind', 'category', 'Category', 'Catégorie'),
  ('criterion_verdict', 'usable', 'Usable', 'Utilisable'),
  ('criterion_verdict', 'not_relevant', 'Not relevant', 'Non pertinent'),
  ('criterion_verdict', 'not_quantifiable', 'Not quantifiable', 'Non quantifiable'),
  ('criterion_verdict', 'not_accessible', 'Not accessible', 'Non accessible'),
  ('criterion_verdict', 'not_profitable', 'Not profitable', 'Non rentable'),
  ('criterion_verdict', 'insufficient_data', 'Too few data', 'Données insuffisantes'),
  ('segment_criterion', 'measurable', 'Measurable', 'Mesurable'),
  ('segment_criterion', 'substantial', 'Substantial', 'Substantiel'),
  ('segment_criterion', 'accessible', 'Accessible', 'Accessible'),
  ('segment_criterion', 'differentiable', 'Differentiable', 'Différenciable'),
  ('segment_criterion', 'actionable', 'Actionable', 'Exploitable'),
  ('segment_criterion', 'stable', 'Stable', 'Stable'),
  ('segment_measure', 'assigned', 'Customers with a segment', 'Clients affectés'),
  ('segment_measure', 'value_filled', 'Value filled', 'Valeur renseignée'),
  ('segment_measure', 'mean_value', 'Mean value', 'Valeur moyenne'),
  ('segment_measure', 'share', 'Share of customers', 'Part des clients'),
  ('segment_measure', 'value_share', 'Share of value', 'Part de la valeur'),
  ('segment_measure', 'value_index', 'Value index', 'Indice de valeur'),
  ('segment_measure', 'profit', 'Profit', 'Profit'),
  ('segment_measure', 'eta_squared', 'Eta-squared', 'Éta carré'),
  ('segment_measure', 'uplift', 'Uplift', 'Effet de l''offre'),
  ('segment_measure', 'stayed', 'Stayed', 'Restés'),
  ('segment_measure', 'adjusted_rand_index', 'Adjusted Rand index', 'Indice de Rand ajusté'),
  ('segment_measure', 'psi', 'Population stability index', 'Indice de stabilité'),
  ('trial_verdict', 'better', 'Better', 'Meilleur'),
  ('trial_verdict', 'worse', 'Worse', 'Moins bon'),
  ('trial_verdict', 'undecided', 'Undecided', 'Indécis')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
INSERT INTO label (domain, code, language, label)
SELECT 'profile', 'profile_' || n, t.language, t.label
FROM generate_series(1, 50) AS n
CROSS JOIN LATERAL (VALUES ('en', 'Profile ' || n), ('fr', 'Profil ' || n)) AS t (language, label);
