-- Ready-made definitions, and an attribute that they read.

CREATE FUNCTION segmentation.equipment_rate(owned text[], reference text[]) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT round(avg(CASE WHEN r.product = ANY (owned) THEN 1 ELSE 0 END), 4)
          FROM (SELECT DISTINCT product FROM unnest(reference) AS u (product) WHERE product IS NOT NULL) AS r);
COMMENT ON FUNCTION segmentation.equipment_rate(text[], text[]) IS
  'Share of a reference list of products or technologies that an account has, 0 to 1; NULL if the list is empty.';

CREATE TABLE segmentation.b2b_definition (
  name text PRIMARY KEY,
  definition jsonb NOT NULL,
  reads text[] NOT NULL,
  about_en text NOT NULL,
  about_fr text NOT NULL
);
COMMENT ON TABLE segmentation.b2b_definition IS 'Ready-made definitions of the trade, to copy and change.';
COMMENT ON COLUMN segmentation.b2b_definition.name IS 'What it sorts by; the domain of the labels of its segments.';
COMMENT ON COLUMN segmentation.b2b_definition.definition IS
  'A scorecard: kind, points (when a condition holds), bands (a segment from so many points on).';
COMMENT ON COLUMN segmentation.b2b_definition.reads IS 'The attributes that it reads.';
COMMENT ON COLUMN segmentation.b2b_definition.about_en IS 'What it is for.';
COMMENT ON COLUMN segmentation.b2b_definition.about_fr IS 'The same in French.';
INSERT INTO segmentation.b2b_definition VALUES
  ('accessibility', $${
    "kind": "scorecard", "name": "accessibility",
    "points": [
      {"when": {"field": "distance_km", "<=": 50}, "points": 30},
      {"when": {"field": "distance_km", ">": 50, "<=": 200}, "points": 20},
      {"when": {"field": "distance_km", ">": 200, "<=": 800}, "points": 10},
      {"when": {"field": "common_language", "=": true}, "points": 20},
      {"when": {"field": "cultural_familiarity", "=": "high"}, "points": 15},
      {"when": {"field": "cultural_familiarity", "=": "medium"}, "points": 8},
      {"when": {"field": "legal_barriers", "=": "none"}, "points": 20},
      {"when": {"field": "legal_barriers", "=": "some"}, "points": 10},
      {"when": {"field": "technical_barriers", "=": "none"}, "points": 15},
      {"when": {"field": "technical_barriers", "=": "some"}, "points": 8}
    ],
    "bands": [
      {"segment": "accessible", "from": 70},
      {"segment": "accessible_with_effort", "from": 40},
      {"segment": "hard_to_reach", "from": 0}
    ]}$$,
   '{distance_km,common_language,cultural_familiarity,legal_barriers,technical_barriers}',
   'How easily a company can be served: distance, language, cultural familiarity, legal and technical barriers; 100 '
   'points at most. What is unknown has no points.',
   'Facilité à servir une entreprise : distance, langue, proximité culturelle, barrières juridiques et techniques ; '
   '100 points au plus. L''inconnu ne rapporte rien.'),
  ('technology_level', $${
    "kind": "scorecard", "name": "technology_level",
    "points": [
      {"when": {"field": "equipment_age_years", "<=": 3}, "points": 40},
      {"when": {"field": "equipment_age_years", ">": 3, "<=": 7}, "points": 20},
      {"when": {"field": "equipment_rate", ">=": 0.75}, "points": 40},
      {"when": {"field": "equipment_rate", ">=": 0.4, "<": 0.75}, "points": 20},
      {"when": {"field": "connected", "=": true}, "points": 20}
    ],
    "bands": [
      {"segment": "advanced", "from": 70},
      {"segment": "standard", "from": 40},
      {"segment": "basic", "from": 0}
    ]}$$,
   '{equipment_age_years,equipment_rate,connected}',
   'Level of equipment: its age, the share of the reference range that is there (equipment_rate), whether it is '
   'connected.',
   'Niveau d''équipement : son âge, la part de la gamme de référence présente (equipment_rate), la connexion.'),
  ('product_usage', $${
    "kind": "scorecard", "name": "product_usage",
    "points": [
      {"when": {"field": "uses_per_month", ">=": 20}, "points": 50},
      {"when": {"field": "uses_per_month", ">=": 4, "<": 20}, "points": 25},
      {"when": {"field": "users_share", ">=": 0.5}, "points": 30},
      {"when": {"field": "users_share", ">=": 0.2, "<": 0.5}, "points": 15},
      {"when": {"field": "features_share", ">=": 0.5}, "points": 20}
    ],
    "bands": [
      {"segment": "heavy", "from": 65},
      {"segment": "regular", "from": 25},
      {"segment": "light", "from": 0}
    ]}$$,
   '{uses_per_month,users_share,features_share}',
   'Usage of a product: how often, by which share of those who could, with which share of its features.',
   'Usage d''un produit : fréquence, part des utilisateurs possibles, part des fonctions utilisées.');
