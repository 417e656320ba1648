-- Whether two records are of one customer: rules, patterns, the model of Fellegi and Sunter.

CREATE FUNCTION segmentation.match_record(rules jsonb, customer jsonb) RETURNS text[]
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'match_record_wrapper';
COMMENT ON FUNCTION segmentation.match_record(jsonb, jsonb) IS
  'A customer (to_jsonb of a row) as a record: the value of each comparison of the rules, in one form, NULL where it '
  'says nothing. rules may be a model.';
CREATE FUNCTION segmentation.match_keys(rules jsonb, record text[]) RETURNS bigint[]
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'match_keys_wrapper';
COMMENT ON FUNCTION segmentation.match_keys(jsonb, text[]) IS
  'The key of a record under each blocking rule, NULL where it has no value: records with one key are compared.';
CREATE FUNCTION segmentation.match_rule(a bigint[], b bigint[]) RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'match_rule_wrapper';
COMMENT ON FUNCTION segmentation.match_rule(bigint[], bigint[]) IS
  'The first blocking rule by which two records are compared, from their keys; NULL if by none.';
CREATE FUNCTION segmentation.match_pattern(rules jsonb, a text[], b text[]) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'match_pattern_wrapper';
COMMENT ON FUNCTION segmentation.match_pattern(jsonb, text[], text[]) IS
  'How alike two records are: a digit for each comparison, 0 if the values differ, the number of its levels for the '
  'best; - where one has no value.';
CREATE FUNCTION segmentation.fit_match_model(
  rules jsonb, pass integer[], pattern text[], pairs bigint[], records bigint, frequencies jsonb DEFAULT '{}'
) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_match_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_match_model(jsonb, integer[], text[], bigint[], bigint, jsonb) IS
  'A model of Fellegi and Sunter, learned without labels (EM) from numbers of pairs by pattern: pass 0 is random '
  'pairs, others are the numbers of blocking rules. records: how many there are. frequencies: '
  'how often values are, by field: collision, rest, frequent.';
CREATE FUNCTION segmentation.match_weight(model jsonb, a text[], b text[]) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'match_weight_wrapper';
COMMENT ON FUNCTION segmentation.match_weight(jsonb, text[], text[]) IS
  'What speaks for two records being of one customer, in bits: the logarithm (base 2) of the odds.';
CREATE FUNCTION segmentation.match_probability(model jsonb, a text[], b text[]) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'match_probability_wrapper';
COMMENT ON FUNCTION segmentation.match_probability(jsonb, text[], text[]) IS
  'The probability that two records are of one customer, under a model of fit_match_model.';
CREATE FUNCTION segmentation.match_contradiction(rules jsonb, a text[], b text[]) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'match_contradiction_wrapper';
COMMENT ON FUNCTION segmentation.match_contradiction(jsonb, text[], text[]) IS
  'The field in which two records contradict each other (first names, birth dates, company numbers that differ), '
  'NULL if in none, or if an identifier of theirs agrees.';

CREATE FUNCTION segmentation_internal.match_explain_json(jsonb, text[], text[]) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'match_explain_json_wrapper';
COMMENT ON FUNCTION segmentation_internal.match_explain_json(jsonb, text[], text[]) IS
  'The rows of match_explain as one value.';
CREATE FUNCTION segmentation.match_explain(model jsonb, a text[], b text[])
  RETURNS TABLE (step integer, field text, value_a text, value_b text, level text, m double precision,
                 u double precision, bits double precision, total double precision, probability double precision,
                 contradicts boolean)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
  SELECT r.at::integer, e.field, e.a, e.b, e.level, e.m, e.u, e.bits, e.total, e.probability, e.contradicts
  FROM jsonb_array_elements(segmentation_internal.match_explain_json(model, a, b)) WITH ORDINALITY AS r (row, at),
       jsonb_to_record(r.row) AS e (field text, a text, b text, level text, m double precision, u double precision,
                                    bits double precision, total double precision, probability double precision,
                                    contradicts boolean)
  ORDER BY r.at;
END;
COMMENT ON FUNCTION segmentation.match_explain(jsonb, text[], text[]) IS
  'Why two records are, or are not, of one customer: what each field adds in bits, from the prior on, and the '
  'probability so far.';
