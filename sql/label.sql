-- Labels: every code that a function can return, in English and French.

CREATE TABLE label (
  domain text NOT NULL,
  code text NOT NULL,
  language text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  label text NOT NULL,
  built_in boolean NOT NULL DEFAULT false,
  PRIMARY KEY (domain, code, language)
);
COMMENT ON TABLE label IS
  'Names of codes for people: domain (rfm, pmg, ...), code, language (en, fr; add your own), label.';
COMMENT ON COLUMN label.domain IS 'What the code is a code of.';
COMMENT ON COLUMN label.code IS 'The code that a function returns.';
COMMENT ON COLUMN label.language IS 'ISO 639-1, lower case.';
COMMENT ON COLUMN label.label IS 'The name to show.';
COMMENT ON COLUMN label.built_in IS 'Whether the extension brought it: such a row cannot be changed, and is not dumped.';

CREATE FUNCTION label(domain text, code text, language text DEFAULT 'en') RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(
    (SELECT l.label FROM label AS l WHERE l.domain = $1 AND l.code = $2 AND l.language = $3),
    $2);
COMMENT ON FUNCTION label(text, text, text) IS
  'The label of a code in a language (en, fr), or the code itself if it has none.';

INSERT INTO label (domain, code, language, label, built_in)
SELECT v.domain, v.code, t.language, t.label, true
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
  ('pmg', 'M', 'Medium customers', 'Clients moyens'),
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

INSERT INTO label (domain, code, language, label, built_in)
SELECT v.domain, v.code, t.language, t.label, true
FROM (VALUES
  ('purchase_family', 'auto', 'Best of all', 'Le meilleur de tous'),
  ('purchase_family', 'nbd', 'NBD: nobody leaves', 'NBD : personne ne part'),
  ('purchase_family', 'bg_nbd', 'BG/NBD', 'BG/NBD'),
  ('purchase_family', 'mbg_nbd', 'MBG/NBD', 'MBG/NBD'),
  ('purchase_family', 'pareto_nbd', 'Pareto/NBD', 'Pareto/NBD'),
  ('purchase_family', 'bg_cnbd_k', 'BG/NBD with regular purchases', 'BG/NBD à achats réguliers'),
  ('purchase_family', 'mbg_cnbd_k', 'MBG/NBD with regular purchases', 'MBG/NBD à achats réguliers'),
  ('spend_family', 'gamma_gamma', 'Gamma-Gamma', 'Gamma-Gamma'),
  ('spend_transactions', 'repeat', 'All purchases but the first', 'Tous les achats sauf le premier'),
  ('spend_transactions', 'all', 'All purchases', 'Tous les achats'),
  ('model_kind', 'purchase_model', 'Purchase model', 'Modèle d''achat'),
  ('model_kind', 'spend_model', 'Spend model', 'Modèle de dépense'),
  ('model_warning', 'insufficient_data', 'Insufficient data', 'Données insuffisantes'),
  ('model_warning', 'few_customers', 'Few customers', 'Peu de clients'),
  ('model_warning', 'holdout_unusable', 'Too little data after the inner split', 'Trop peu de données après la coupure interne'),
  ('model_warning', 'infinite_mean', 'The mean spend is infinite', 'La dépense moyenne est infinie'),
  ('model_warning', 'left_truncated', 'The log begins after its customers did', 'Le journal commence après ses clients'),
  ('model_warning', 'not_converged', 'The fit did not converge', 'L''ajustement n''a pas convergé'),
  ('model_warning', 'not_identified', 'Parameters not identified', 'Paramètres non identifiés'),
  ('skip_reason', 'no_history', 'No history', 'Aucun historique'),
  ('skip_reason', 'no_purchase', 'No purchase', 'Aucun achat'),
  ('skip_reason', 'after_as_of', 'First purchase after the date of observation', 'Premier achat après la date d''observation'),
  ('skip_reason', 'before_cohort', 'First purchase before the cohort', 'Premier achat avant la cohorte'),
  ('skip_reason', 'after_cohort', 'First purchase after the cohort', 'Premier achat après la cohorte'),
  ('skip_reason', 'one_purchase_day', 'One purchase day only', 'Un seul jour d''achat'),
  ('skip_reason', 'no_positive_spend', 'No spend above zero', 'Aucune dépense positive')
) AS v (domain, code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
