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
