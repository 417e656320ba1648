-- How alike two texts are.

CREATE FUNCTION segmentation.jaro_winkler(a text, b text) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'jaro_winkler_wrapper';
COMMENT ON FUNCTION segmentation.jaro_winkler(text, text) IS
  'Jaro and Winkler''s similarity of two texts, 0 to 1. At most 1,000 characters.';
CREATE FUNCTION segmentation.damerau_levenshtein(a text, b text) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'damerau_levenshtein_wrapper';
COMMENT ON FUNCTION segmentation.damerau_levenshtein(text, text) IS
  'How many letters are put in, left out, changed or swapped with their neighbour between two texts (Damerau, '
  'Levenshtein). At most 1,000 characters.';
CREATE FUNCTION segmentation.token_similarity(a text, b text) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'token_similarity_wrapper';
COMMENT ON FUNCTION segmentation.token_similarity(text, text) IS
  'The share of words that two texts have in common (Jaccard), 0 to 1.';
CREATE FUNCTION segmentation.phonetic_key(name text, language text DEFAULT 'fr') RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'phonetic_key_wrapper';
COMMENT ON FUNCTION segmentation.phonetic_key(text, text) IS
  'What a name sounds like in French (fr) or English (en, double metaphone): names spoken alike have the same key. '
  'NULL without a Latin letter.';
