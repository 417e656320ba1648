-- Makes statements that call every function of the extension. Variables: calls, seed.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET search_path = public, segmentation;
SET hostile.seed = :'seed';

-- A literal on one line, whatever is in it.
CREATE FUNCTION hostile.quoted(value text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN 'E''' || replace(replace(replace(replace(value, '\', '\\'), '''', ''''''), E'\n', '\n'), E'\r', '\r') || '''';

CREATE FUNCTION hostile.reads(value text, type regtype) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT %L::%s', value, type);
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  RETURN false;
END
$$;

CREATE TABLE hostile.function AS
  SELECT row_number() OVER (ORDER BY hashtext(p.oid::regprocedure::text || :'seed')) - 1 AS number, p.oid, p.proname::text AS name, format('%I.%I', n.nspname, p.proname) AS qualified, p.prokind AS kind, p.proretset AS set,
         p.provolatile = 'v' OR p.prokind = 'p' AS writes, p.pronargs::integer AS arguments, p.proargtypes::oid[] AS types,
         p.proargnames AS names, pg_get_function_identity_arguments(p.oid) AS signature, p.provariadic <> 0 AS variadic
  FROM pg_depend AS d
  JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'segmentation') AND d.deptype = 'e'
    -- SQL cannot make a value of these.
    AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[]);

CREATE TABLE hostile.literal AS
  WITH near AS (
    SELECT n, concat_ws(' ', line, lead(line, 1) OVER w, lead(line, 2) OVER w) AS text FROM hostile.line WINDOW w AS (ORDER BY n)
  ), called AS (
    SELECT DISTINCT name, m.found[1] AS value
    FROM (SELECT DISTINCT name FROM hostile.function WHERE kind <> 'p' OR true) AS f
    JOIN near ON strpos(near.text, f.name || '(') > 0
    CROSS JOIN LATERAL regexp_matches(near.text, '''([^'']*)''', 'g') AS m (found)
  )
  SELECT name, value, hostile.quoted(value) AS expression, value ~ '^[[{]' AND hostile.reads(value, 'jsonb') AS jsonb, value ~ '^-?\d{4}' AND hostile.reads(value, 'date') AS date, value ~ '\d' AND value !~ '^\d{4}' AND hostile.reads(value, 'interval') AS interval
  FROM called WHERE length(value) < 1500;
CREATE INDEX ON hostile.literal (name);
CREATE TABLE hostile.word AS SELECT hostile.quoted(code) AS expression FROM (SELECT code FROM segmentation.label UNION SELECT domain FROM segmentation.label) AS c;

-- One of some expressions.
CREATE FUNCTION hostile.one(expressions text[], salt text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN expressions[1 + hostile.pick(salt, greatest(cardinality(expressions), 1))];
CREATE TABLE hostile.pools AS SELECT type, array_agg(expression ORDER BY expression) AS expressions FROM hostile.pool GROUP BY type;
CREATE TABLE hostile.literals AS
  SELECT name, array_agg(expression ORDER BY expression) AS texts, array_agg(expression ORDER BY expression) FILTER (WHERE jsonb) AS jsonbs,
         array_agg(expression ORDER BY expression) FILTER (WHERE date) AS dates, array_agg(expression ORDER BY expression) FILTER (WHERE interval) AS intervals
  FROM hostile.literal GROUP BY name;
CREATE TABLE hostile.words AS SELECT array_agg(expression ORDER BY expression) AS texts FROM hostile.word;
CREATE TABLE hostile.things AS SELECT kind, good, array_agg(id ORDER BY id) AS ids FROM hostile.thing GROUP BY kind, good;
CREATE INDEX ON hostile.literals (name);
CREATE TABLE hostile.kept (type text PRIMARY KEY, count integer);
DO $$
DECLARE
  relation name;
  count integer;
BEGIN
  FOR relation IN SELECT relname FROM pg_class WHERE relnamespace = 'hostile'::regnamespace AND relname LIKE 'v\_%' AND relkind = 'r' LOOP
    EXECUTE format('SELECT count(*) FROM hostile.%I', relation) INTO count;
    EXECUTE format('CREATE INDEX ON hostile.%I (id)', relation);
    INSERT INTO hostile.kept VALUES (substr(relation, 3), count);
  END LOOP;
END
$$;

-- States of aggregates are bytea, and their functions can be called by hand.
CREATE TABLE hostile.state (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, family text, v bytea);
CREATE TABLE hostile.states (family text, ids integer[]);
CREATE FUNCTION hostile.family(name text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN regexp_replace(name, '(_options)?_(add|merge|final)(_\w+)?$', '');

-- What kind of jsonb an argument asks for.
CREATE FUNCTION hostile.kind_of(f hostile.function, argument text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE
  WHEN argument ~ 'spend' THEN 'spend_model'
  WHEN argument ~ 'prior' THEN 'loyalty_prior'
  WHEN argument ~ 'definition' THEN 'definition'
  WHEN argument IN ('settings', 'readiness') THEN 'settings'
  WHEN argument = 'map' THEN 'rfm_map'
  WHEN argument IN ('matrix', 'counts') THEN argument
  WHEN argument IN ('features', 'attributes', 'company', 'codes', 'scores', 'numbers') THEN 'features'
  WHEN argument = 'curve' THEN 'profit_curve'
  WHEN argument = 'quality' THEN 'appetence_quality'
  WHEN argument !~ 'model' THEN NULL
  WHEN f.name ~ 'channel' THEN 'channel_model'
  WHEN f.name ~ 'send_time' THEN 'send_time_model'
  WHEN f.name ~ 'interest' THEN 'interest_model'
  WHEN f.name ~ 'profile' THEN 'profile_model'
  WHEN f.name ~ 'lookalike' THEN 'lookalike_model'
  WHEN f.name = 'calibrated' THEN 'calibration'
  WHEN f.signature ~ 'tenure interval' OR f.name = 'retention_curve' THEN 'retention_model'
  WHEN f.name ~ 'future_value' AND argument = 'model' THEN 'value_stack'
  WHEN argument = 'lost_model' OR f.name ~ 'churn' AND f.signature ~ 'interaction_history' THEN 'churn_stack'
  WHEN f.signature ~ 'history' OR argument = 'purchase_model' THEN 'purchase_model'
  WHEN f.name ~ 'churn' THEN 'churn_model'
END;

CREATE FUNCTION hostile.value_of(f hostile.function, type oid, argument text, salt text) RETURNS text LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
DECLARE
  t pg_type%ROWTYPE;
  dice integer := hostile.pick(salt || 'dice', 100);
  named text := format_type(type, NULL);
  l hostile.literals%ROWTYPE;
  kind text;
  expressions text[];
  id integer;
  count integer;
BEGIN
  IF dice < 6 THEN
    RETURN 'NULL';
  END IF;
  SELECT * INTO t FROM pg_type WHERE oid = type;
  IF t.typcategory = 'A' THEN
    IF named = 'double precision[]' AND dice < 30 THEN
      RETURN 'ARRAY(SELECT (g % 7)::float8 FROM generate_series(1, 168) AS g)';
    END IF;
    SELECT '(' || string_agg(format('(%s)::%s', hostile.value_of(f, t.typelem, argument, salt || n), format_type(t.typelem, -1)), ', ') || ')' INTO named
    FROM generate_series(1, 1 + hostile.pick(salt || 'many', 5)) AS n;
    kind := format_type(t.typelem, -1);
    RETURN CASE dice % 10
      WHEN 0 THEN '''{}'''
      WHEN 1 THEN '''{NULL}'''
      WHEN 2 THEN format('ARRAY[ARRAY[%s], ARRAY[%1$s]]', trim(named, '()'))
      WHEN 3 THEN format('''[0:1]={NULL,NULL}''', named)
      -- Long values fewer times: PostgreSQL's own array_fill and array_to_string copy them without looking whether they
      -- are cancelled, a hundred megabytes a second on a busy machine.
      WHEN 4 THEN format('array_fill((%1$s)::%2$s, ARRAY[CASE WHEN pg_column_size((%1$s)::%2$s) > 1000 THEN 50 ELSE 20000 END])',
        hostile.value_of(f, t.typelem, argument, salt || 'fill'), kind)
      ELSE format('ARRAY[%s]', substr(named, 2, length(named) - 2))
    END;
  END IF;
  SELECT * INTO l FROM hostile.literals AS s WHERE s.name = f.name;
  IF argument = 'ws' THEN
    -- Functions of the workspace's own take its schema as an identifier, quoted by those that call them.
    RETURN CASE WHEN dice < 60 THEN '''crm''' WHEN dice < 80 THEN 'E''"we""ird ''''w\\%s"''' ELSE '''no_such''' END;
  ELSIF argument = 'workspace' AND dice < 70 THEN
    RETURN CASE WHEN dice < 55 THEN '''crm''' ELSE 'E''we"ird ''''w\\%s''' END;
  ELSIF named = 'cstring' AND dice < 90 THEN
    -- What an input function reads: the text of a value, as it is or spoilt.
    kind := regexp_replace(f.name, '_in$', '');
    SELECT k.count INTO count FROM hostile.kept AS k WHERE k.type = kind;
    IF count IS NOT NULL THEN
      RETURN format(CASE WHEN dice % 3 = 0 THEN '(SELECT textout(v::text) FROM hostile.%1$I WHERE id = %2$s)' ELSE '(SELECT textout(hostile.spoilt(v::text, ''%3$s'')) FROM hostile.%1$I WHERE id = %2$s)' END,
        'v_' || kind, hostile.pick(salt || 'kept', count), hostile.pick(salt || 'spoilt', 1000000));
    END IF;
  ELSIF named = 'bytea' AND dice < 85 THEN
    -- An aggregate's state, of this family or, now and then, of another.
    SELECT s.ids[1 + hostile.pick(salt || 'state', cardinality(s.ids))] INTO id FROM hostile.states AS s
    WHERE s.family = hostile.family(f.name) OR dice < 12 ORDER BY (s.family = hostile.family(f.name)) = (dice < 12), s.family LIMIT 1;
    IF id IS NOT NULL THEN
      RETURN format(CASE WHEN dice % 4 = 0 THEN '(SELECT hostile.spoilt(v::text, ''%2$s'')::bytea FROM hostile.state WHERE id = %1$s)' ELSE '(SELECT v FROM hostile.state WHERE id = %1$s)' END,
        id, hostile.pick(salt || 'spoilt', 1000000));
    END IF;
  ELSIF named = 'jsonb' THEN
    IF dice < 20 THEN
      RETURN hostile.one((SELECT p.expressions FROM hostile.pools AS p WHERE p.type = 'jsonb'), salt);
    END IF;
    kind := hostile.kind_of(f, argument);
    IF dice < 26 THEN
      kind := (SELECT s.kind FROM hostile.things AS s ORDER BY hashtext(s.kind || salt) LIMIT 1);
    ELSIF kind IS NULL OR dice < 45 AND kind IN ('definition', 'features', 'rfm_map', 'counts', 'settings') THEN
      kind := CASE WHEN dice % 5 = 0 THEN '''{}''' ELSE hostile.one(coalesce(l.jsonbs, ARRAY['''{}''']), salt) END;
      RETURN CASE WHEN dice < 60 THEN kind ELSE format('hostile.spoilt(%s::jsonb, ''%s'')', kind, hostile.pick(salt || 'spoilt', 1000000)) END;
    END IF;
    SELECT s.ids[1 + hostile.pick(salt || 'thing', cardinality(s.ids))] INTO id FROM hostile.things AS s WHERE s.kind = kind AND s.good = (dice % 2 = 0);
    RETURN format('(SELECT value FROM hostile.thing WHERE id = %s)', id);
  ELSIF named IN ('text', 'name', 'character varying') THEN
    RETURN CASE
      WHEN dice < 55 AND l.texts IS NOT NULL THEN hostile.one(l.texts, salt)
      WHEN dice < 70 THEN hostile.one((SELECT texts FROM hostile.words), salt)
      ELSE hostile.one((SELECT p.expressions FROM hostile.pools AS p WHERE p.type = 'text'), salt)
    END;
  ELSIF named = 'date' AND dice < 50 THEN
    RETURN CASE WHEN dice < 30 OR l.dates IS NULL THEN '''2024-12-31''' ELSE hostile.one(l.dates, salt) END;
  ELSIF named = 'interval' AND dice < 30 AND l.intervals IS NOT NULL THEN
    RETURN hostile.one(l.intervals, salt);
  ELSIF t.typtype = 'e' THEN
    RETURN (SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = type ORDER BY hashtext(enumlabel || salt) LIMIT 1);
  END IF;
  SELECT k.count INTO count FROM hostile.kept AS k WHERE k.type = t.typname;
  IF count IS NOT NULL AND (t.typtype <> 'c' OR dice < 60) THEN
    RETURN format('(SELECT v FROM hostile.%I WHERE id = %s)', 'v_' || t.typname, hostile.pick(salt || 'kept', count));
  ELSIF t.typtype = 'c' THEN
    RETURN (SELECT format('ROW(%s)', string_agg(format('(%s)::%s', hostile.value_of(f, a.atttypid, a.attname, salt || a.attname), format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
            FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped);
  END IF;
  SELECT p.expressions INTO expressions FROM hostile.pools AS p WHERE p.type = named;
  RETURN coalesce(hostile.one(expressions, salt), '''x''');
END
$$;

-- An argument with its type, so that every row and every call finds the same function.
CREATE FUNCTION hostile.argument(f hostile.function, place integer, salt text) RETURNS text LANGUAGE sql STABLE
RETURN CASE
  WHEN f.types[place - 1] IN ('record'::regtype, 'anyelement'::regtype, 'anyarray'::regtype, 'anynonarray'::regtype, '"any"'::regtype)
    THEN hostile.value_of(f, 'record'::regtype, f.names[place], salt)
  ELSE format('(%s)::%s', hostile.value_of(f, f.types[place - 1], coalesce(f.names[place], ''), salt), format_type(f.types[place - 1], -1))
END;

-- An expression in g that is usual for a type, for many rows.
CREATE FUNCTION hostile.series(f hostile.function, place integer, salt text) RETURNS text LANGUAGE sql STABLE
RETURN CASE
  WHEN EXISTS (SELECT FROM hostile.kept WHERE type = (SELECT typname FROM pg_type WHERE oid = f.types[place - 1]))
    THEN format('(SELECT v FROM hostile.%I AS k WHERE k.id = g)', 'v_' || (SELECT typname FROM pg_type WHERE oid = f.types[place - 1]))
  WHEN place > 1 AND (f.names[place] ~ 'options|as_of|zone' OR hostile.pick(salt || 'same', 4) = 0) THEN hostile.argument(f, place, salt)
  ELSE CASE format_type(f.types[place - 1], NULL)
    WHEN 'boolean' THEN '(g % 3 = 0)'
    WHEN 'date' THEN '(date ''2022-01-01'' + g * 17)'
    WHEN 'double precision' THEN '(g * 0.03::float8)'
    WHEN 'numeric' THEN '(g * 1.5)'
    WHEN 'integer' THEN 'g'
    WHEN 'bigint' THEN 'g::bigint'
    WHEN 'text' THEN '(''k'' || g % 4)'
    WHEN 'text[]' THEN 'ARRAY[''a'' || g % 3, ''b'' || g % 2]'
    WHEN 'double precision[]' THEN 'ARRAY[g % 3, g * 0.5]::float8[]'
    WHEN 'timestamp without time zone' THEN '(timestamp ''2022-01-01'' + g * interval ''17 days'')'
    WHEN 'timestamp with time zone' THEN '(timestamptz ''2022-01-01 UTC'' + g * interval ''17 days'')'
    WHEN 'jsonb' THEN '(SELECT features FROM hostile.features ORDER BY customer_id LIMIT 1 OFFSET g)'
    ELSE hostile.argument(f, place, salt)
  END
END;

CREATE FUNCTION hostile.statement(call bigint, seed text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  f hostile.function%ROWTYPE;
  salt text := seed || ':' || call || ':';
  dice integer := hostile.pick(salt || 'form', 100);
  heavy boolean;
  called text;
  arguments text;
  rows text;
  statement text;
BEGIN
  LOOP
    SELECT * INTO f FROM hostile.function WHERE number = mod(call * 7919 + hostile.pick(salt || 'function', 1000000), (SELECT count(*) FROM hostile.function));
    -- What writes reads a workspace, and takes a thousand times longer than a function of numbers.
    EXIT WHEN NOT f.writes OR hostile.pick(salt || 'writes', 8) = 0;
    salt := salt || '+';
  END LOOP;
  called := f.qualified;
  SELECT string_agg(CASE WHEN f.variadic AND p = f.arguments THEN 'VARIADIC ' ELSE '' END || hostile.argument(f, p, salt || p), ', ' ORDER BY p) INTO arguments
  FROM generate_series(1, f.arguments) AS p;
  arguments := coalesce(arguments, '');
  IF f.kind = 'p' THEN
    RETURN CASE WHEN dice < 70 THEN format('BEGIN; CALL %s(%s); ROLLBACK;', called, arguments) ELSE format('CALL %s(%s);', called, arguments) END;
  ELSIF f.set THEN
    statement := format('SELECT count(r::text) FROM %s(%s) AS r;', called, arguments);
  ELSIF f.kind IN ('a', 'w') OR dice >= 60 AND f.arguments > 0 AND f.signature !~ '\y(record|cstring|any\w*)\y' AND NOT f.writes THEN
    IF dice % 2 = 0 OR f.kind = 'f' THEN
      -- Few rows of anything; most arguments are the same in all of them.
      SELECT string_agg('(' || r.row || ')', ', ') INTO rows
      FROM (SELECT n, string_agg(hostile.argument(f, p, salt || p || CASE WHEN hostile.pick(salt || 'same' || p || n, 5) < 2 THEN n::text ELSE '' END), ', ' ORDER BY p) AS row
            FROM generate_series(1, f.arguments) AS p, generate_series(1, 1 + hostile.pick(salt || 'rows', 4)) AS n GROUP BY n) AS r;
      rows := format('(VALUES %s) AS v (%s)', rows, (SELECT string_agg('a' || p, ', ' ORDER BY p) FROM generate_series(1, f.arguments) AS p));
      SELECT string_agg('a' || p, ', ' ORDER BY p) INTO arguments FROM generate_series(1, f.arguments) AS p;
    ELSE
      SELECT string_agg(hostile.series(f, p, salt || p), ', ' ORDER BY p) INTO arguments FROM generate_series(1, f.arguments) AS p;
      rows := format('generate_series(0, %s) AS g', hostile.one('{0,1,5,40}', salt || 'n'));
    END IF;
    statement := format('SELECT %s(%s)%s FROM %s;', called, arguments,
      CASE WHEN f.kind = 'w' OR f.kind = 'a' AND dice % 5 = 0 THEN ' OVER ' || (ARRAY['()', '(ORDER BY 1)', '(ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)', '(ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)'])[1 + hostile.pick(salt || 'over', 4)] ELSE '' END, rows);
  ELSE
    statement := format('SELECT %s(%s);', called, arguments);
  END IF;
  RETURN CASE WHEN f.writes THEN 'BEGIN; ' || statement || ' ROLLBACK;' ELSE statement END;
END
$$;

-- States: of no rows yet, of one, of two.
DO $$
DECLARE
  f hostile.function%ROWTYPE;
  arguments text;
  made bytea;
BEGIN
  FOR f IN SELECT * FROM hostile.function AS g WHERE g.types[0] = 'bytea'::regtype AND g.name ~ '_add' AND (SELECT prorettype FROM pg_proc WHERE oid = g.oid) = 'bytea'::regtype LOOP
    made := NULL;
    FOR round IN 1 .. 40 LOOP
      SELECT string_agg(hostile.argument(f, p, current_setting('hostile.seed') || f.signature || round || '/' || p), ', ' ORDER BY p) INTO arguments FROM generate_series(2, f.arguments) AS p;
      BEGIN
        EXECUTE format('SELECT %s($1, %s)', f.qualified, arguments) INTO made USING CASE WHEN round % 5 <> 0 THEN made END;
        INSERT INTO hostile.state (family, v) SELECT hostile.family(f.name), made WHERE made IS NOT NULL AND octet_length(made) < 10000;
      EXCEPTION WHEN OTHERS THEN
        NULL;
      END;
    END LOOP;
  END LOOP;
END
$$;
INSERT INTO hostile.states SELECT family, array_agg(id ORDER BY id) FROM hostile.state GROUP BY family;
