-- The registry of axes. An axis is one file in sql/workspace/axes: it fills these tables, and what trains, scores,
-- stages, publishes and explains a workspace reads them. See "Adding an axis" in docs/architecture.md.
--
-- What is here runs with the rights of whoever refreshes or explains a workspace: so only the extension fills it, and
-- every name in it is written with its schema. In the pieces of SQL
--
--   f is a row of facts (customer_facts),
--   p has the parameters, by name, and as_of, the day,
--   s is a row of scores (customer_scores),
--   c is a row of codes (customer_segments); a.language is that of an explanation; g is a row of parameter_set,
--
-- and @ws@ is the schema of the workspace, @products@ the staged table products.

CREATE TABLE segmentation.workspace_axis (
  axis text PRIMARY KEY CHECK (axis ~ '^[a-z][a-z_]*$'),
  place smallint NOT NULL UNIQUE,
  about text NOT NULL,
  label_domain text,
  readiness text NOT NULL,
  weak text,
  train text,
  training_place smallint,
  judge text,
  scored_from text,
  stage text,
  staged text[] NOT NULL DEFAULT '{}',
  joins text,
  code text NOT NULL,
  segment_setting text,
  changes_on text,
  look_again text,
  publish text,
  numbers text,
  topic text,
  label text,
  codes text,
  names text,
  ordered text[]
);
COMMENT ON TABLE segmentation.workspace_axis IS
  'The axes of a workspace: what each needs, trains, stages, gives as code and says in explain. Names of functions '
  'and pieces of SQL; see docs/architecture.md.';
COMMENT ON COLUMN segmentation.workspace_axis.axis IS 'Its name: a column of customer_segments.';
COMMENT ON COLUMN segmentation.workspace_axis.place IS
  'Order in which axes are listed, and trained: one may stand on what those before it trained.';
COMMENT ON COLUMN segmentation.workspace_axis.about IS 'What its codes say: the comment of the column.';
COMMENT ON COLUMN segmentation.workspace_axis.label_domain IS
  'Domain of its codes in label, where that is not the axis.';
COMMENT ON COLUMN segmentation.workspace_axis.readiness IS
  'Why its data are too thin, as jsonb {code, have, need}, or NULL: an expression over seen, what the facts have, '
  'and g.settings.';
COMMENT ON COLUMN segmentation.workspace_axis.weak IS
  'Why what it says is weak, though its data suffice: a jsonb list of {code, have, need}, an expression over g, a row '
  'of parameter_set; see sql/workspace/gate.sql. NULL: it never is.';
COMMENT ON COLUMN segmentation.workspace_axis.train IS
  'Function (ws text, parameter_set integer, as_of date, settings jsonb) that trains what workspace_model.fit cannot.';
COMMENT ON COLUMN segmentation.workspace_axis.training_place IS 'Order of training, where that is not place.';
COMMENT ON COLUMN segmentation.workspace_axis.judge IS
  'Function (ws text, candidate integer, used integer, as_of date, OUT accepted boolean, OUT said text): whether a '
  'candidate is not worse than the parameter set in use.';
COMMENT ON COLUMN segmentation.workspace_axis.scored_from IS
  'What several of its scores take values from, computed once a customer: expressions over f and p, with names; they '
  'are columns of f for the scores.';
COMMENT ON COLUMN segmentation.workspace_axis.stage IS
  'Function (ws text, stage text, parameter_set integer, as_of date) that stages its lists, after the scores.';
COMMENT ON COLUMN segmentation.workspace_axis.staged IS 'Tables that it stages beside its lists.';
COMMENT ON COLUMN segmentation.workspace_axis.joins IS 'Joins of staged tables to s, for code and look_again.';
COMMENT ON COLUMN segmentation.workspace_axis.code IS 'The code, never NULL: an expression over f, p, s and joins.';
COMMENT ON COLUMN segmentation.workspace_axis.segment_setting IS
  'Setting that may name a registered segment which is the axis instead.';
COMMENT ON COLUMN segmentation.workspace_axis.changes_on IS
  'The first day after as_of on which time alone changes the code, or NULL: an expression over f, p and s. What comes '
  'after @(until)@, a date, is not asked for.';
COMMENT ON COLUMN segmentation.workspace_axis.look_again IS
  'A day no later than that, where it cannot be told or is staged: an expression over f, p, s and joins.';
COMMENT ON COLUMN segmentation.workspace_axis.publish IS
  'Function (ws text, stage text, as_of date) that writes events of its own, before its lists are published.';
COMMENT ON COLUMN segmentation.workspace_axis.numbers IS
  'The numbers of explain, as jsonb: an expression over f, p, s, c and a.';
COMMENT ON COLUMN segmentation.workspace_axis.topic IS
  'Topic of the sentence of explain, where it is not axis.code: an expression over f, p, s, c and n.numbers, NULL '
  'where it is.';
COMMENT ON COLUMN segmentation.workspace_axis.label IS 'Label of the code in explain, likewise, where label has none.';
COMMENT ON COLUMN segmentation.workspace_axis.codes IS
  'A query of its codes, over the workspace @ws@ and the settings $1, where they are not those of its labels.';
COMMENT ON COLUMN segmentation.workspace_axis.names IS
  'A query of codes whose names are the workspace''s own, and the names: over the workspace @ws@ and l.language.';
COMMENT ON COLUMN segmentation.workspace_axis.ordered IS
  'Its codes in their order, the best first. NULL: they have none.';

CREATE TABLE segmentation.workspace_model (
  name text PRIMARY KEY,
  axis text NOT NULL REFERENCES segmentation.workspace_axis,
  place smallint NOT NULL UNIQUE,
  type text NOT NULL,
  fit text,
  about text
);
COMMENT ON TABLE segmentation.workspace_model IS 'What a training freezes: columns of parameter_set.';
COMMENT ON COLUMN segmentation.workspace_model.name IS 'Name of the column.';
COMMENT ON COLUMN segmentation.workspace_model.axis IS 'The axis that trains it. Others may use it.';
COMMENT ON COLUMN segmentation.workspace_model.place IS 'Order of the columns.';
COMMENT ON COLUMN segmentation.workspace_model.type IS 'Type of the column.';
COMMENT ON COLUMN segmentation.workspace_model.fit IS
  'An aggregate over the facts f of all who have purchases, and p. NULL: the function train of the axis writes it.';
COMMENT ON COLUMN segmentation.workspace_model.about IS 'Comment of the column.';

CREATE TABLE segmentation.workspace_parameter (
  name text PRIMARY KEY,
  axis text REFERENCES segmentation.workspace_axis,
  type text NOT NULL,
  expression text NOT NULL
);
COMMENT ON TABLE segmentation.workspace_parameter IS
  'What scores, codes and explanations take from a parameter set: the columns of p. A refresh writes them as '
  'constants, which are read once.';
COMMENT ON COLUMN segmentation.workspace_parameter.name IS 'Name of the column of p.';
COMMENT ON COLUMN segmentation.workspace_parameter.axis IS
  'The axis that brings it. Others may use it. NULL: none does.';
COMMENT ON COLUMN segmentation.workspace_parameter.type IS 'Its type.';
COMMENT ON COLUMN segmentation.workspace_parameter.expression IS 'The value, over a row g of parameter_set.';

INSERT INTO segmentation.workspace_parameter (name, type, expression) VALUES
  ('settings', 'jsonb', $$g.settings$$);

CREATE TABLE segmentation.workspace_score (
  name text PRIMARY KEY,
  axis text NOT NULL REFERENCES segmentation.workspace_axis,
  place smallint NOT NULL UNIQUE,
  expression text NOT NULL,
  about text NOT NULL,
  by_time text CHECK (by_time IN ('clock', 'none'))
);
COMMENT ON TABLE segmentation.workspace_score IS 'Continuous scores: columns of customer_scores.';
COMMENT ON COLUMN segmentation.workspace_score.name IS 'Name of the column.';
COMMENT ON COLUMN segmentation.workspace_score.axis IS 'The axis that brings it. Others may use it.';
COMMENT ON COLUMN segmentation.workspace_score.place IS 'Order of the columns.';
COMMENT ON COLUMN segmentation.workspace_score.expression IS
  'The score, over p and f, in which is also what axes are scored_from.';
COMMENT ON COLUMN segmentation.workspace_score.about IS 'Comment of the column.';
COMMENT ON COLUMN segmentation.workspace_score.by_time IS
  'What time alone does to it: it grows by one a day (clock), nothing (none), or anything (NULL).';

CREATE TABLE segmentation.workspace_list (
  name text PRIMARY KEY,
  axis text NOT NULL REFERENCES segmentation.workspace_axis,
  place smallint NOT NULL UNIQUE,
  staged text NOT NULL UNIQUE,
  columns text NOT NULL,
  about text NOT NULL,
  comments jsonb NOT NULL
);
COMMENT ON TABLE segmentation.workspace_list IS
  'Tables of a workspace with several rows a customer, published beside the codes.';
COMMENT ON COLUMN segmentation.workspace_list.name IS 'Name of the table.';
COMMENT ON COLUMN segmentation.workspace_list.axis IS 'The axis whose function stage fills it.';
COMMENT ON COLUMN segmentation.workspace_list.place IS 'Order in which lists are published.';
COMMENT ON COLUMN segmentation.workspace_list.staged IS 'Name of its staged table, without the prefix of the stage.';
COMMENT ON COLUMN segmentation.workspace_list.columns IS
  'Columns and constraints; @(key)@ is the type of customers'' keys.';
COMMENT ON COLUMN segmentation.workspace_list.about IS 'Comment of the table.';
COMMENT ON COLUMN segmentation.workspace_list.comments IS 'Comments of its columns.';

CREATE FUNCTION segmentation.workspace_axes() RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN ARRAY(SELECT a.axis FROM segmentation.workspace_axis AS a ORDER BY a.place);
COMMENT ON FUNCTION segmentation.workspace_axes() IS 'The axes, in their order.';

-- A piece of SQL once an axis, as '@axis@' for a list of columns.
CREATE FUNCTION segmentation_internal.workspace_each_axis(template text, separator text DEFAULT ', ') RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(
      segmentation_internal.fill(NULL, template, jsonb_build_object('axis', a.axis)), separator ORDER BY a.place)
    FROM segmentation.workspace_axis AS a);
COMMENT ON FUNCTION segmentation_internal.workspace_each_axis(text, text) IS
  'Part of refresh: a template with the place axis, filled for each axis and joined.';

-- In a template @ws@.@products@ is the staged table products: places that places does not have are staged tables.
CREATE FUNCTION segmentation_internal.workspace_staged(ws text, stage text, template text, places jsonb DEFAULT '{}')
RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, template, coalesce((
      SELECT jsonb_object_agg(t.name[1], stage || t.name[1])
      FROM regexp_matches(template, '@ws@\.@([a-z_]+)@', 'g') AS t (name)), '{}') || places);
COMMENT ON FUNCTION segmentation_internal.workspace_staged(text, text, text, jsonb) IS
  'Part of refresh: a template in which @ws@.@name@ is the staged table of that name.';

-- Codes of a relation of customer_segments beside which each is there as <axis>_code too: a score may have its name.
CREATE FUNCTION segmentation_internal.workspace_coded_sql(relation text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN format('(SELECT o.*, %s FROM %s AS o)', (
    SELECT string_agg(format('o.%I AS %I', a.axis, a.axis || '_code'), ', ' ORDER BY a.place)
    FROM segmentation.workspace_axis AS a), relation);
COMMENT ON FUNCTION segmentation_internal.workspace_coded_sql(text) IS
  'Part of refresh: a relation of codes, with each code as <axis>_code too, as SQL.';

-- Parameters

CREATE FUNCTION segmentation_internal.workspace_parameter_list(query text DEFAULT NULL) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT string_agg(format('%s AS %I', m.expression, m.name), ', ' ORDER BY m.name COLLATE "C")
    FROM segmentation.workspace_parameter AS m
    WHERE query IS NULL OR query ~ ('\mp\.' || m.name || '\M'));
COMMENT ON FUNCTION segmentation_internal.workspace_parameter_list(text) IS
  'Part of refresh: the parameters that a query uses, or all, as a list of SELECT over a row g of parameter_set.';

-- The parameters of a set as constants. PostgreSQL puts them where they are used, so a model is parsed once.
CREATE FUNCTION segmentation_internal.workspace_constants(ws text, number integer, as_of date) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  constants text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT pg_catalog.string_agg(
      pg_catalog.format('%L::%s AS %I', v.value, v.type, v.name), ', ' ORDER BY v.name COLLATE "C")
    FROM @ws@.parameter_set AS g
    CROSS JOIN LATERAL (VALUES @(parameters)@) AS v (name, type, value)
    WHERE g.parameter_set = $1$q$,
    jsonb_build_object('parameters', (
      SELECT string_agg(format('(%L, %L, (%s)::text)', m.name, m.type, m.expression), ', ')
      FROM segmentation.workspace_parameter AS m)))
    INTO constants USING number;
  RETURN format('(SELECT %L::date AS as_of, %s)', as_of, constants);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_constants(text, integer, date) IS
  'Part of refresh: the parameters of a set as a subquery of constants.';
