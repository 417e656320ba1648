-- Rules for segments that are there already: a decision tree as a definition.

CREATE FUNCTION segmentation_internal.segment_rules_add(bytea, text, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rules_add_wrapper';
CREATE FUNCTION segmentation_internal.segment_rules_add(bytea, text, jsonb, jsonb) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rules_add_options_wrapper';
CREATE FUNCTION segmentation_internal.segment_rules_merge(bytea, bytea) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rules_merge_wrapper';
CREATE FUNCTION segmentation_internal.segment_rules_final(bytea) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rules_final_wrapper';
COMMENT ON FUNCTION segmentation_internal.segment_rules_add(bytea, text, jsonb) IS
  'transition of fit_segment_rules';
COMMENT ON FUNCTION segmentation_internal.segment_rules_add(bytea, text, jsonb, jsonb) IS
  'transition of fit_segment_rules with options';
COMMENT ON FUNCTION segmentation_internal.segment_rules_merge(bytea, bytea) IS 'combine function of fit_segment_rules';
COMMENT ON FUNCTION segmentation_internal.segment_rules_final(bytea) IS 'final function of fit_segment_rules';

CREATE AGGREGATE segmentation.fit_segment_rules(segment text, features jsonb) (
  SFUNC = segmentation_internal.segment_rules_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.segment_rules_final,
  COMBINEFUNC = segmentation_internal.segment_rules_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_segment_rules(text, jsonb) IS
  'Rules that tell segments apart by features: a decision tree, written as a definition of kind rules for '
  'segment_assign and segment_sql. One row a customer: the segment, and an object of numbers, texts and booleans.';

CREATE AGGREGATE segmentation.fit_segment_rules(segment text, features jsonb, options jsonb) (
  SFUNC = segmentation_internal.segment_rules_add,
  STYPE = bytea,
  FINALFUNC = segmentation_internal.segment_rules_final,
  COMBINEFUNC = segmentation_internal.segment_rules_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_segment_rules(text, jsonb, jsonb) IS
  'Rules that tell segments apart by features, as a definition of kind rules. options: max_depth (4: questions up '
  'to a rule, 1 to 8), min_support (0.01: the customers of a rule, a share below 1, else a count), min_purity (0: '
  'the share of them that must be of its segment; others get the default).';

CREATE FUNCTION segmentation.segment_rules_quality(definition jsonb)
  RETURNS TABLE (
    place bigint,
    segment text,
    rule text,
    customers bigint,
    share double precision,
    purity double precision,
    lift double precision)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
BEGIN ATOMIC
  SELECT r.place, r.rule ->> 'segment', c.condition,
    (r.rule #> '{comment,customers}')::bigint, (r.rule #> '{comment,share}')::double precision,
    (r.rule #> '{comment,purity}')::double precision, (r.rule #> '{comment,lift}')::double precision
  FROM jsonb_array_elements(
      CASE WHEN jsonb_typeof(definition -> 'segments') = 'array' THEN definition -> 'segments' END)
      WITH ORDINALITY AS r (rule, place)
    JOIN (
      SELECT row_number() OVER (ORDER BY s.place) AS place, s.condition
      FROM segmentation_internal.segment_conditions(definition) AS s
      WHERE s.whole
    ) AS c ON c.place OPERATOR(pg_catalog.=) r.place
  ORDER BY r.place;
END;
COMMENT ON FUNCTION segmentation.segment_rules_quality(jsonb) IS
  'The rules that fit_segment_rules found, in words: customers, their share, purity (the share of them that are of '
  'the rule''s segment) and lift (how many times more than among all).';
