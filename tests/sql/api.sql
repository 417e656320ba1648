-- The wall: what people call is in schema segmentation, everything else in segmentation_internal.
SET search_path = public, segmentation;
SET client_min_messages = warning;

-- As many lines as \df segmentation.* shows. A function that people do not call belongs to segmentation_internal: see
-- docs/architecture.md.
SELECT count(*) AS lines, count(DISTINCT p.proname) AS names FROM pg_proc AS p WHERE p.pronamespace = 'segmentation'::regnamespace;
SELECT CASE WHEN count(*) = 1 THEN p.proname::text ELSE format('%s (%s)', p.proname, count(*)) END AS name
FROM pg_proc AS p WHERE p.pronamespace = 'segmentation'::regnamespace GROUP BY p.proname ORDER BY p.proname COLLATE "C";

-- Types, operators and tables are where people find them; nothing of the internal schema but functions.
SELECT (pg_identify_object(d.classid, d.objid, 0)).type AS kind, (pg_identify_object(d.classid, d.objid, 0)).identity AS in_the_wrong_schema
FROM pg_depend AS d
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'segmentation_internal'::regnamespace
  AND d.classid NOT IN ('pg_proc'::regclass, 'pg_extension'::regclass)
ORDER BY 2;
-- What says that it is a part, moves an aggregate on, or reads and writes a type, is no use to people.
SELECT p.oid::regprocedure AS no_use_to_people
FROM pg_proc AS p
WHERE p.pronamespace = 'segmentation'::regnamespace AND (
  obj_description(p.oid, 'pg_proc') ~ '^(Part of (?!the holder)|Support|I/O)' OR p.prorettype = 'trigger'::regtype
  OR p.proargtypes::oid[] && '{internal,cstring,bytea}'::regtype[]::oid[] OR p.prorettype = 'cstring'::regtype
  OR p.oid IN (SELECT unnest(ARRAY[a.aggtransfn, a.aggcombinefn]::oid[]) FROM pg_aggregate AS a)
  OR p.oid IN (SELECT o.oprcode FROM pg_operator AS o))
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- A role with no right but what everybody has calls everything that is public, and uses every type, operator and cast.
-- Arguments are NULL, and not known to be when the plan is made. What comes is an answer or a complaint, never about a
-- right of the extension's own.
CREATE ROLE api_user;
SET ROLE api_user;
CREATE TEMP TABLE api_answer (what text, said text);
DO $$
DECLARE
  one record;
  said text;
BEGIN
  FOR one IN
    WITH functions AS (
      SELECT p.oid, p.prokind, format('%s.%I', p.pronamespace::regnamespace, p.proname) AS call,
             (SELECT string_agg(format('a%s', t.at), ', ' ORDER BY t.at) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type, at)) AS names,
             (SELECT string_agg(format('NULL::%s AS a%s',
                CASE t.type WHEN 'record'::regtype THEN 'segmentation.rfm' ELSE t.type::regtype::text END, t.at), ', ' ORDER BY t.at)
              FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type, at)) AS nulls
      FROM pg_proc AS p WHERE p.pronamespace = 'segmentation'::regnamespace)
    SELECT f.oid::regprocedure::text AS what,
           CASE f.prokind WHEN 'p' THEN format('CALL %s(%s)', f.call, regexp_replace(f.nulls, ' AS a\d+', '', 'g'))
           ELSE format('SELECT (%s(%s)%s)::text FROM (SELECT %s OFFSET 0) AS v', f.call, f.names,
                       CASE f.prokind WHEN 'w' THEN ' OVER ()' ELSE '' END, f.nulls) END AS statement
    FROM functions AS f
    UNION ALL
    SELECT o.oid::regoperator::text,
           format('SELECT a OPERATOR(segmentation.%s) b FROM (SELECT NULL::%s AS a, NULL::%s AS b OFFSET 0) AS v', o.oprname, o.oprleft::regtype, o.oprright::regtype)
    FROM pg_operator AS o WHERE o.oprnamespace = 'segmentation'::regnamespace
    UNION ALL
    SELECT format('%s as %s', c.castsource::regtype, c.casttarget::regtype),
           format('SELECT a::%s FROM (SELECT NULL::%s AS a OFFSET 0) AS v', c.casttarget::regtype, c.castsource::regtype)
    FROM pg_cast AS c JOIN pg_depend AS d ON d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    UNION ALL
    SELECT t.oid::regtype::text, format('CREATE TEMP TABLE api_mine (a %s, b %1$s[])', t.oid::regtype)
    FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE t.typnamespace = 'segmentation'::regnamespace AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
  LOOP
    BEGIN
      EXECUTE one.statement;
      RAISE 'done' USING ERRCODE = 'P0000';
    EXCEPTION WHEN OTHERS THEN
      said := CASE WHEN SQLSTATE = 'P0000' THEN 'an answer' WHEN SQLSTATE = '42501' THEN SQLERRM ELSE 'a complaint: ' || SQLSTATE END;
    END;
    INSERT INTO api_answer VALUES (one.what, said);
  END LOOP;
END
$$;
SELECT count(*) > 400 AS enough, count(*) FILTER (WHERE said = 'an answer') > 300 AS answered FROM api_answer;
SELECT what, said FROM api_answer WHERE said !~ '^an answer$|^a complaint: (2|55)' ORDER BY what COLLATE "C";
DROP TABLE api_answer;
RESET ROLE;
DROP ROLE api_user;
