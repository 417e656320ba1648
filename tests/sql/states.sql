-- States travel: Citus, postgres_fdw and whoever stores a part send an aggregate's state as text or in binary. For each
-- aggregate in the catalogue: half of the rows in one state, half in another, both written and read again, combined, and
-- made the answer; it is the one of all rows at once. A new aggregate that this does not know is reported.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
-- Four rows of arguments, by name and type of the argument.
CREATE TABLE public.state_argument (name text, type regtype, value text, PRIMARY KEY (name, type));
INSERT INTO state_argument VALUES
  ('', 'date', $$(date '2024-01-01' + 40 * n)$$), ('', 'numeric', $$(n * 7 % 5)::numeric$$), ('', 'double precision', $$(n / 4.0)::double precision$$),
  ('', 'bigint', $$n::bigint$$), ('', 'timestamp', $$(timestamp '2024-01-01 10:00' + n * interval '25 hours')$$),
  ('', 'timestamptz', $$(timestamptz '2024-01-01 10:00Z' + n * interval '25 hours')$$), ('', 'boolean', $$(n % 2 = 0)$$),
  ('', 'text', $$('t' || n % 3)$$), ('time_zone', 'text', $$'Europe/Paris'::text$$), ('response', 'text', $$CASE n WHEN 2 THEN 'click' END$$),
  ('purchased_on', 'text', $$(date '2024-01-01' + 40 * n)::text$$), ('channel', 'text', $$(ARRAY['email', 'sms'])[1 + n % 2]$$),
  ('', 'jsonb', $$jsonb_build_object('x', n, 'y', n % 2)$$), ('counts', 'jsonb', $$jsonb_build_object('toys', n, 'books', 5 - n)$$),
  ('', 'double precision[]', $$ARRAY[n, n * n % 7]::double precision[]$$), ('', 'text[]', $$ARRAY['a', 'b' || n]$$),
  ('as_of', 'date', $$date '2024-12-31'$$), ('ended_on', 'date', $$CASE WHEN n > 2 THEN date '2024-10-01' + n END$$),
  ('', 'purchase_history', $$(SELECT purchase_history(date '2024-01-01' + 30 * i * n % 300, 5 * i) FROM generate_series(1, 1 + n) AS i)$$),
  ('', 'item_history', $$(SELECT item_history('i' || i % 3, date '2024-01-01' + 30 * i * n % 300) FROM generate_series(1, 2 + n) AS i)$$),
  ('', 'contact_history', $$(SELECT contact_history('email', date '2024-01-01' + 30 * i, CASE WHEN i = n THEN 'click' END) FROM generate_series(1, 5) AS i)$$),
  ('', 'consent_history', $$(SELECT consent_history('email', n % 2 = 0, date '2024-01-01' + n + i) FROM generate_series(1, 1) AS i)$$),
  ('', 'interaction_history', $$(SELECT interaction_history('visit', date '2024-01-01' + 10 * n + i) FROM generate_series(1, 2) AS i)$$),
  ('', 'send_hours', $$(SELECT send_hours(timestamp '2024-01-01' + n * i * interval '11 hours') FROM generate_series(1, 2) AS i)$$),
  ('score', 'double precision', $$n::double precision$$), ('', 'life_moment', $$ROW('reactivated', date '2024-01-01' + n, NULL, n / 5.0, NULL, NULL, NULL)::life_moment$$);
CREATE FUNCTION public.state_arguments(aggregate regprocedure) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(coalesce(
      (SELECT s.value FROM public.state_argument AS s WHERE s.type = u.type AND s.name = coalesce(u.name, '') AND s.name <> ''),
      (SELECT s.value FROM public.state_argument AS s WHERE s.type = u.type AND s.name = ''), 'NULL::' || u.type::regtype), ', ' ORDER BY u.place)
  FROM pg_proc AS p CROSS JOIN LATERAL unnest(p.proargtypes::oid[], p.proargnames) WITH ORDINALITY AS u (type, name, place)
  WHERE p.oid = aggregate AND u.type IS NOT NULL
$$;
-- A state after the rows from .. until, as the executor makes it: a call of the transition function a row.
CREATE FUNCTION public.state_after(aggregate regprocedure, first integer, last integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  a record;
  made text;
BEGIN
  SELECT g.aggtransfn, g.aggtranstype::regtype AS type, g.agginitval INTO a FROM pg_aggregate AS g WHERE g.aggfnoid = aggregate;
  made := format('%L::%s', a.agginitval, a.type);
  FOR n IN first .. last LOOP
    made := format('%s(%s, %s)', (SELECT format('%I.%I', s.nspname, p.proname) FROM pg_proc AS p JOIN pg_namespace AS s ON s.oid = p.pronamespace WHERE p.oid = a.aggtransfn),
      made, regexp_replace(public.state_arguments(aggregate), '\mn\M', n::text, 'g'));
  END LOOP;
  RETURN made;
END
$$;
CREATE TABLE public.state_answer (aggregate text, way text, answer text);
DO $$
DECLARE
  a record;
  halves text;
  file text := current_setting('data_directory') || '/states_test';
BEGIN
  FOR a IN
    SELECT g.aggfnoid::regprocedure AS aggregate, g.aggtranstype::regtype AS type,
      -- A combine function that is not strict begins with NULL, as the executor does.
      concat((SELECT format('%I.%I', s.nspname, p.proname) FROM pg_proc AS p JOIN pg_namespace AS s ON s.oid = p.pronamespace WHERE p.oid = g.aggfinalfn), '(',
        CASE WHEN (SELECT p.proisstrict FROM pg_proc AS p WHERE p.oid = g.aggcombinefn) THEN '%1$s(%3$s, %4$s)' ELSE '%1$s(%1$s(NULL::%2$s, %3$s), %4$s)' END,
        ')::text') AS answer,
      (SELECT format('%I.%I', s.nspname, p.proname) FROM pg_proc AS p JOIN pg_namespace AS s ON s.oid = p.pronamespace WHERE p.oid = g.aggcombinefn) AS combine,
      format('%I.%I', n.nspname, q.proname) AS called
    FROM pg_aggregate AS g JOIN pg_proc AS q ON q.oid = g.aggfnoid JOIN pg_namespace AS n ON n.oid = q.pronamespace
    WHERE n.nspname = 'segmentation' AND NOT 'options' = ANY (coalesce(q.proargnames, '{}')) AND q.proname <> 'merge'
    ORDER BY g.aggfnoid::regprocedure::text COLLATE "C"
  LOOP
    BEGIN
      EXECUTE format('INSERT INTO state_answer SELECT %L, ''whole'', %s(%s)::text FROM generate_series(1, 4) AS n',
        a.aggregate, a.called, public.state_arguments(a.aggregate));
      IF a.combine IS NULL THEN
        INSERT INTO state_answer VALUES (a.aggregate, 'none', 'it has no combine function');
        CONTINUE;
      END IF;
      -- Never stored as it grows: sent as it is.
      halves := format('SELECT %s AS one, %s AS other', public.state_after(a.aggregate, 1, 2), public.state_after(a.aggregate, 3, 4));
      EXECUTE format('INSERT INTO state_answer SELECT %L, ''text'', %s FROM (%s OFFSET 0) AS h', a.aggregate, format(a.answer, a.combine, a.type, 'one::text::' || a.type, 'other::text::' || a.type), halves);
      EXECUTE format('COPY (%s) TO %L (FORMAT binary)', halves, file);
      EXECUTE format('CREATE TEMP TABLE halves (one %1$s, other %1$s)', a.type);
      EXECUTE format('COPY halves FROM %L (FORMAT binary)', file);
      EXECUTE format('INSERT INTO state_answer SELECT %L, ''binary'', %s FROM halves', a.aggregate, format(a.answer, a.combine, a.type, 'one', 'other'));
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO state_answer VALUES (a.aggregate, 'error', SQLERRM);
    END;
    DROP TABLE IF EXISTS halves;
  END LOOP;
END
$$;
-- Nothing but what has no state of its own to send.
SELECT aggregate, way, answer FROM state_answer WHERE way IN ('none', 'error') ORDER BY 1;
SELECT w.aggregate, s.way, left(w.answer, 60) AS whole, left(s.answer, 60) AS sent
FROM state_answer AS w JOIN state_answer AS s USING (aggregate)
WHERE w.way = 'whole' AND s.way IN ('text', 'binary') AND s.answer IS DISTINCT FROM w.answer ORDER BY 1, 2;
SELECT count(DISTINCT aggregate) AS aggregates, count(*) FILTER (WHERE way = 'text') AS by_text, count(*) FILTER (WHERE way = 'binary') AS in_binary,
  count(*) FILTER (WHERE way = 'whole' AND answer IS NULL) AS without_answer FROM state_answer;
-- Each type of a state is among those that were sent; product_affinity is a model.
SELECT t.oid::regtype AS not_sent FROM pg_type AS t
WHERE t.typnamespace = 'segmentation'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A' AND NOT EXISTS (
  SELECT FROM state_answer AS s JOIN pg_aggregate AS g ON g.aggfnoid::regprocedure::text = s.aggregate WHERE s.way = 'binary' AND g.aggtranstype = t.oid);
DROP TABLE state_answer, state_argument;
DROP FUNCTION state_after, state_arguments;
