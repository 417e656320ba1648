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

-- Segments of the ready-made definitions.
INSERT INTO label (domain, code, language, label)
SELECT 'segment', v.code, t.language, t.label
FROM (VALUES
  ('cherish', 'Cherish', 'À choyer'),
  ('watch_over', 'Watch over', 'À veiller'),
  ('save_now', 'Save now', 'À sauver tout de suite'),
  ('win_back', 'Win back', 'À reconquérir'),
  ('develop', 'Develop', 'À développer'),
  ('reawaken', 'Reawaken', 'À réveiller'),
  ('keep_cheaply', 'Keep at little cost', 'À garder à moindre coût'),
  ('let_go', 'Let go', 'À laisser partir'),
  ('never_bought', 'Has not bought yet', 'Sans achat'),
  ('lost_customer', 'Lost', 'Perdu'),
  ('fading', 'At risk', 'À risque'),
  ('new_customer', 'New', 'Nouveau'),
  ('reactivated', 'Reactivated', 'Réactivé'),
  ('active', 'Active', 'Actif'),
  ('under_25', 'Under 25', 'Moins de 25 ans'),
  ('age_25_34', '25 to 34', '25 à 34 ans'),
  ('age_35_49', '35 to 49', '35 à 49 ans'),
  ('age_50_64', '50 to 64', '50 à 64 ans'),
  ('age_65_plus', '65 and over', '65 ans et plus'),
  ('income_modest', 'Modest income', 'Revenus modestes'),
  ('income_middle', 'Middle income', 'Revenus moyens'),
  ('income_comfortable', 'Comfortable income', 'Revenus aisés'),
  ('income_high', 'High income', 'Hauts revenus'),
  ('farmer', 'Farmers', 'Agriculteurs'),
  ('self_employed', 'Self-employed and shopkeepers', 'Artisans, commerçants, chefs d''entreprise'),
  ('executive', 'Executives and professions', 'Cadres et professions intellectuelles'),
  ('intermediate', 'Intermediate professions', 'Professions intermédiaires'),
  ('employee', 'Employees', 'Employés'),
  ('worker', 'Workers', 'Ouvriers'),
  ('retired', 'Retired', 'Retraités'),
  ('not_working', 'Not working', 'Sans activité professionnelle'),
  ('education_basic', 'Up to lower secondary education', 'Jusqu''au collège'),
  ('education_secondary', 'Upper secondary education', 'Niveau lycée'),
  ('education_higher', 'Higher education', 'Études supérieures'),
  ('single_parent', 'Single parent', 'Famille monoparentale'),
  ('large_family', 'Large family', 'Famille nombreuse'),
  ('family', 'Family', 'Famille'),
  ('single', 'Single', 'Personne seule'),
  ('couple', 'Couple', 'Couple'),
  ('shared_home', 'Several adults', 'Plusieurs adultes'),
  ('house_owner', 'Owner of a house', 'Propriétaire d''une maison'),
  ('house_tenant', 'Tenant of a house', 'Locataire d''une maison'),
  ('flat_owner', 'Owner of a flat', 'Propriétaire d''un appartement'),
  ('flat_tenant', 'Tenant of a flat', 'Locataire d''un appartement'),
  ('seaside', 'Seaside', 'Bord de mer'),
  ('mountain', 'Mountain', 'Montagne'),
  ('paris_region', 'Paris region', 'Île-de-France'),
  ('overseas', 'Overseas', 'Outre-mer'),
  ('inland', 'Inland', 'Intérieur des terres'),
  ('likes_garden', 'Garden', 'Jardin'),
  ('likes_sport', 'Sport', 'Sport'),
  ('likes_travel', 'Travel', 'Voyages'),
  ('likes_culture', 'Culture', 'Culture'),
  ('likes_home', 'Home', 'Maison'),
  ('likes_fashion', 'Fashion', 'Mode'),
  ('likes_technology', 'Technology', 'Technologie'),
  ('likes_beauty', 'Beauty', 'Beauté'),
  ('likes_children', 'Children', 'Enfants'),
  ('likes_pets', 'Pets', 'Animaux'),
  ('left_without_order', 'Left without an order', 'Parti sans commander'),
  ('engaged', 'Engaged', 'Engagé'),
  ('interested', 'Interested', 'Intéressé'),
  ('quiet', 'Quiet', 'Silencieux'),
  ('micro', 'Micro-enterprise', 'Microentreprise (TPE)'),
  ('pme', 'Small or medium enterprise', 'Petite ou moyenne entreprise (PME)'),
  ('eti', 'Intermediate-size enterprise', 'Entreprise de taille intermédiaire (ETI)'),
  ('ge', 'Large enterprise', 'Grande entreprise (GE)'),
  ('miners', 'Miners', 'Mineurs'),
  ('quarry', 'Quarry operators', 'Exploitants de carrières'),
  ('general_builders', 'General builders', 'Entrepreneurs généraux'),
  ('renters', 'Renters', 'Loueurs')
) AS v (code, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, label);
