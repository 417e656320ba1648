-- Job titles.

CREATE FUNCTION segmentation.job_seniority(title text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'job_seniority_wrapper';
CREATE FUNCTION segmentation.job_function(title text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'job_function_wrapper';
CREATE FUNCTION segmentation.decision_role(title text, domain text DEFAULT NULL) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'decision_role_wrapper';
COMMENT ON FUNCTION segmentation.job_seniority(text) IS
  'Rank of an English or French job title: owner, cxo, partner, vp, director, manager, senior, entry, training, '
  'unpaid; NULL if it says none.';
COMMENT ON FUNCTION segmentation.job_function(text) IS
  'Function of an English or French job title: purchasing, finance, it, marketing, sales, ...; NULL if it says none.';
COMMENT ON FUNCTION segmentation.decision_role(text, text) IS
  'Part of the holder of a job title in a purchase: decider, buyer, influencer, user, gatekeeper. domain: the '
  'function that the purchase concerns (a code of job_function). NULL if the title says nothing.';
