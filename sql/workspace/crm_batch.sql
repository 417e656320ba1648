-- Batches: what differs since a destination last acknowledged, as files that stay the same, byte for byte, until they
-- are acknowledged; who sends them, and what becomes of what is lost on the way.

-- What is done to the record of a batch whose rows may have reached the destination, or not: nothing is known of these
-- keys any more, so the next sync tells of them again.
CREATE FUNCTION segmentation_internal.crm_forget(ws text, number bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.crm_sent AS s (destination, key, customer, state)
    SELECT b.destination, r.key, r.customer, 'member'
    FROM @ws@.crm_row AS r JOIN @ws@.crm_batch AS b ON b.batch = r.batch
    WHERE r.batch = $1 AND r.action = 'upsert'
    ON CONFLICT (destination, key) DO UPDATE SET customer = excluded.customer, state = 'member', hash = NULL$q$)
    USING number;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_sent AS s
    SET hash = NULL
    FROM @ws@.crm_row AS r JOIN @ws@.crm_batch AS b ON b.batch = r.batch
    WHERE r.batch = $1 AND r.action <> 'upsert' AND s.destination = b.destination AND s.key = r.key$q$)
    USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_forget(text, bigint) IS
  'Part of crm_sync: what a batch said is taken as not known to have arrived.';

CREATE FUNCTION segmentation_internal.crm_close(ws text, number bigint, ending text, why text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sent boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_batch AS b
    SET status = $2, reason = $3, closed_at = clock_timestamp(), lease_until = NULL
    WHERE b.batch = $1
    RETURNING b.attempt > 0$q$) INTO sent USING number, ending, why;
  IF sent THEN
    PERFORM segmentation_internal.crm_forget(ws, number);
  END IF;
  EXECUTE format('DELETE FROM %s.crm_row AS r WHERE r.batch = $1', ws) USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_close(text, bigint, text, text) IS
  'Part of crm_fail: ends a batch that was not acknowledged.';

-- Making

CREATE FUNCTION segmentation_internal.crm_header(p segmentation.crm_profile, names text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN p.format = 'csv' THEN CASE WHEN p.bom THEN chr(65279) ELSE '' END || (
    SELECT string_agg(CASE WHEN strpos(n.name, p.separator) > 0 OR n.name ~ '["]|^\s|\s$' OR n.name = p.null_token
      THEN '"' || replace(n.name, '"', '""') || '"' ELSE n.name END, p.separator ORDER BY n.place)
    FROM unnest(names) WITH ORDINALITY AS n (name, place)) ELSE p.head END;
COMMENT ON FUNCTION segmentation_internal.crm_header(segmentation.crm_profile, text[]) IS
  'Part of crm_sync: the first line of a file.';

-- What differs between those who are to be there and what the destination has: a row a key.
CREATE FUNCTION segmentation_internal.crm_diff_sql(
  ws text, destination text, p segmentation.crm_profile, definition jsonb, options jsonb
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  built record;
BEGIN
  SELECT array_agg(f.name ORDER BY f.place) AS names, array_agg(f.type ORDER BY f.place) AS types,
    array_agg(CASE f.place WHEN 0 THEN 'd.key' ELSE 'NULL::text' END ORDER BY f.place) AS cells
    INTO built
  FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f;
  RETURN segmentation_internal.fill(ws, $q$
    WITH people AS MATERIALIZED (@(people)@),
    keyed AS (
      SELECT DISTINCT ON (p.key) p.key, p.customer, p.inside AND p.all_allowed AS wanted, p.all_allowed, p.line,
        p.missing, md5(@'names'@ || p.line)::uuid AS hash
      FROM (
        SELECT p.*, bool_and(p.allowed) OVER (PARTITION BY p.key) AS all_allowed
        FROM people AS p WHERE p.key IS NOT NULL) AS p
      ORDER BY p.key, p.inside DESC, p.customer),
    differing AS (
      SELECT coalesce(k.key, s.key) AS key, CASE WHEN k.wanted THEN k.customer ELSE s.customer END AS customer,
        k.wanted IS TRUE AS wanted, k.hash, k.line, k.missing, s.state, CASE
          WHEN k.wanted THEN CASE WHEN s.key IS NULL THEN 'added' WHEN s.state <> 'member' THEN 'back'
            WHEN s.hash IS NULL THEN 'again' ELSE 'changed' END
          WHEN k.key IS NULL THEN 'gone'
          WHEN NOT k.all_allowed THEN 'refused'
          ELSE 'left' END AS reason
      FROM keyed AS k
      FULL JOIN (SELECT s.* FROM ONLY @ws@.crm_sent AS s WHERE s.destination = @'destination'@) AS s ON s.key = k.key
      WHERE CASE WHEN k.wanted THEN s.key IS NULL OR s.state <> 'member' OR s.hash IS DISTINCT FROM k.hash
        ELSE s.key IS NOT NULL END),
    acting AS (
      SELECT d.*, CASE d.reason WHEN 'gone' THEN @'on_gone'@ WHEN 'refused' THEN @'on_refused'@
          WHEN 'left' THEN @'on_left'@ ELSE 'upsert' END AS action
      FROM differing AS d)
    SELECT d.key, d.customer, d.action, d.reason, d.hash, d.missing, CASE
        WHEN d.action = 'upsert' THEN d.line
        WHEN d.action = 'clear' THEN @(clear)@
        ELSE @(key_line)@ END AS line
    FROM acting AS d
    WHERE d.wanted OR CASE d.action WHEN 'clear' THEN 1 WHEN 'unsubscribe' THEN 2 WHEN 'delete' THEN 3 ELSE 0 END
      > CASE d.state WHEN 'cleared' THEN 1 WHEN 'unsubscribed' THEN 2 ELSE 0 END$q$,
    jsonb_build_object('destination', destination, 'names', built.names::text,
      'people', segmentation_internal.crm_people_sql(ws, p, definition, options),
      'on_gone', p.on_gone, 'on_refused', p.on_refused, 'on_left', p.on_left,
      'clear', segmentation_internal.crm_line_sql(p, built.names, built.types, built.cells),
      'key_line', segmentation_internal.crm_line_sql(p, built.names[1:1], built.types[1:1], built.cells[1:1])));
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_diff_sql(text, text, segmentation.crm_profile, jsonb, jsonb) IS
  'Part of crm_sync: what a destination has to be told, a row a key, as SQL.';

-- The rows of a batch in parts, each within the limits: withdrawals first. Tables that were just written have no
-- statistics: without nested loops, where there is a choice, no plan is worse than the number of customers.
CREATE FUNCTION segmentation_internal.crm_write_rows(
  ws text, number bigint, destination text, p segmentation.crm_profile, definition jsonb, options jsonb
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
  written bigint;
  names constant text[] := ARRAY(
    SELECT f.name FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f ORDER BY f.place);
  room constant bigint := least(coalesce((options ->> 'part_bytes')::bigint, 32000000), p.max_bytes)
    - octet_length(segmentation_internal.crm_header(p, names)) - octet_length(p.tail) - 4;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.crm_row (batch, part, place, customer, key, action, reason, hash, line)
    SELECT @(batch)@, q.part, row_number() OVER (PARTITION BY q.part ORDER BY q.key), q.customer, q.key, q.action,
      q.reason, q.hash, coalesce(q.line, '')
    FROM (
      SELECT r.*, dense_rank() OVER (
          ORDER BY r.instruction, (r.filled - 1) / greatest(@(room)@ - r.longest, 1), (r.number - 1) / @(rows)@) AS part
      FROM (
        SELECT r.*, sum(r.bytes) OVER w AS filled, row_number() OVER w AS number,
          max(r.bytes) OVER (PARTITION BY r.instruction) AS longest
        FROM (
          SELECT d.*, octet_length(d.line) + 3 AS bytes,
            CASE d.action WHEN 'delete' THEN 1 WHEN 'unsubscribe' THEN 2 ELSE 3 END AS instruction
          FROM (@(diff)@) AS d) AS r
        WINDOW w AS (PARTITION BY r.instruction ORDER BY r.key ROWS UNBOUNDED PRECEDING)) AS r) AS q
    WHERE segmentation_internal.crm_row_fits(q.key, q.missing, q.bytes - 3, @(most)@)$q$,
    jsonb_build_object('batch', number, 'room', room,
      'rows', least(coalesce((options ->> 'part_rows')::bigint, 9e17::bigint), p.max_rows),
      'most', least(p.max_row_bytes, greatest(room, 0)),
      'diff', segmentation_internal.crm_diff_sql(ws, destination, p, definition, options)));
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_write_rows(
  text, bigint, text, segmentation.crm_profile, jsonb, jsonb) IS
  'Part of crm_sync: writes the rows of a batch, in parts within the limits of the destination.';

CREATE FUNCTION segmentation_internal.crm_row_fits(key text, missing text, bytes bigint, most bigint) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF missing IS NOT NULL THEN
    RAISE not_null_violation USING
      MESSAGE = format('%s has no value for "%s", and the destination takes no row without', key, missing),
      HINT = 'Give the field a "default", or the destination a profile whose never_null is {}.';
  END IF;
  IF bytes > most THEN
    RAISE program_limit_exceeded USING
      MESSAGE = format('the row of %s has %s bytes, the destination takes %s', left(key, 60), bytes, most),
      HINT = 'Leave out a field, or set max_text.';
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_row_fits(text, text, bigint, bigint) IS
  'Part of crm_sync: true, or an error that names the row that a destination would not take.';

-- The lines of a file, in order, without the line feed that ends each: the header or head, the rows, the tail.
CREATE FUNCTION segmentation_internal.crm_lines(ws text, number bigint, wanted integer, first bigint, last bigint)
RETURNS SETOF text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  file record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT f.format, f.head, f.tail, f.rows, CASE f.line_end WHEN 'CRLF' THEN E'\r' ELSE '' END AS line_end
    FROM ONLY @ws@.crm_part AS f
    WHERE f.batch = $1 AND f.part = $2$q$) INTO file USING number, wanted;
  IF file.head <> '' AND first <= 1 THEN
    RETURN NEXT file.head || file.line_end;
  END IF;
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT @(comma)@ r.line @(end)@
    FROM ONLY @ws@.crm_row AS r
    WHERE r.batch = $1 AND r.part = $2 AND r.place BETWEEN $3 AND $4
    ORDER BY r.place$q$,
    jsonb_build_object(
      'comma', CASE file.format WHEN 'json' THEN $c$CASE WHEN r.place > 1 THEN ',' ELSE '' END || $c$ ELSE '' END,
      'end', CASE WHEN file.line_end <> '' THEN $c$|| E'\r'$c$ ELSE '' END))
    USING number, wanted, first, last;
  IF file.tail <> '' AND last >= file.rows THEN
    RETURN NEXT file.tail || file.line_end;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_lines(text, bigint, integer, bigint, bigint) IS
  'Part of crm_rows: lines of a file, from one row to another.';

-- In chunks, as bytes: 500 rows each.
CREATE FUNCTION segmentation_internal.crm_chunks(ws text, number bigint, wanted integer)
RETURNS TABLE (place bigint, chunk bytea)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  file record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT f.encoding, f.rows FROM ONLY @ws@.crm_part AS f WHERE f.batch = $1 AND f.part = $2$q$)
    INTO file USING number, wanted;
  FOR number_of_chunk IN 0 .. greatest((file.rows - 1) / 500, 0) LOOP
    place := number_of_chunk;
    SELECT convert_to(string_agg(l.line || E'\n', '' ORDER BY l.place), file.encoding) INTO chunk
    FROM segmentation_internal.crm_lines(ws, number, wanted, 500 * number_of_chunk + 1,
      500 * number_of_chunk + 500) WITH ORDINALITY AS l (line, place);
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_chunks(text, bigint, integer) IS
  'Part of crm_bytes: a file in chunks, in its encoding.';

CREATE FUNCTION segmentation_internal.crm_write_parts(
  ws text, number bigint, destination text, p segmentation.crm_profile, definition jsonb, options jsonb
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names constant text[] := ARRAY(
    SELECT f.name FROM segmentation_internal.crm_fields(ws, p, definition, options) AS f ORDER BY f.place);
  file record;
  columns text[];
BEGIN
  FOR file IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT r.part, count(*) AS rows,
      min(CASE WHEN r.action IN ('unsubscribe', 'delete') THEN r.action ELSE 'upsert' END) AS instruction
    FROM @ws@.crm_row AS r WHERE r.batch = $1 GROUP BY r.part ORDER BY r.part$q$) USING number
  LOOP
    columns := CASE file.instruction WHEN 'upsert' THEN names ELSE names[1:1] END;
    EXECUTE segmentation_internal.fill(ws, $q$
      INSERT INTO @ws@.crm_part (batch, part, name, instruction, columns, key_column, separator, format, line_end,
        encoding, head, tail, rows, bytes, sha256)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '')$q$)
      USING number, file.part,
        replace(replace(replace(replace(replace(p.file_name, '{destination}', destination), '{instruction}',
          file.instruction), '{batch}', number::text), '{part}', file.part::text), '{day}', to_char(now(), 'YYYYMMDD')),
        file.instruction, columns, names[1], p.separator, p.format, p.line_end, p.encoding,
        segmentation_internal.crm_header(p, columns), p.tail, file.rows;
    EXECUTE segmentation_internal.fill(ws, $q$
      UPDATE @ws@.crm_part AS f
      SET bytes = c.bytes, sha256 = c.sha256
      FROM (
        SELECT sum(octet_length(c.chunk)) AS bytes,
          encode(sha256(string_agg(c.chunk, '' ORDER BY c.place)), 'hex') AS sha256
        FROM segmentation_internal.crm_chunks(@'ws'@, $1, $2) AS c) AS c
      WHERE f.batch = $1 AND f.part = $2$q$, jsonb_build_object('ws', ws))
      USING number, file.part;
  END LOOP;
EXCEPTION WHEN untranslatable_character THEN
  RAISE untranslatable_character USING
    MESSAGE = format('a value has a character that %s does not have', p.encoding),
    DETAIL = SQLERRM,
    HINT = 'Let the tool read UTF8, or give the fields without it.';
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_write_parts(
  text, bigint, text, segmentation.crm_profile, jsonb, jsonb) IS
  'Part of crm_sync: writes down the files of a batch, with their size and checksum.';

-- The destination is locked by the caller, and has no open batch.
CREATE FUNCTION segmentation_internal.crm_make(ws text, destination text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d record;
  number bigint;
  written bigint;
BEGIN
  SELECT * INTO d FROM segmentation_internal.crm_destination_of(ws, destination);
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.crm_batch (destination, status, as_of)
    SELECT $1, 'ready', w.as_of FROM @ws@.workspace AS w
    RETURNING batch$q$) INTO number USING destination;
  written := segmentation_internal.crm_write_rows(ws, number, destination, d.p, d.definition, d.options);
  IF written = 0 THEN
    EXECUTE format('DELETE FROM %s.crm_batch AS b WHERE b.batch = $1', ws) USING number;
    RETURN NULL;
  END IF;
  PERFORM segmentation_internal.crm_write_parts(ws, number, destination, d.p, d.definition, d.options);
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_batch AS b
    SET rows = (
      SELECT jsonb_object_agg(r.reason, r.rows)
      FROM (SELECT r.reason, count(*) AS rows FROM @ws@.crm_row AS r WHERE r.batch = $1 GROUP BY r.reason) AS r)
    WHERE b.batch = $1$q$) USING number;
  IF (d.p).system IN ('pull', 'braze_pull') THEN
    EXECUTE format('UPDATE %s.crm_batch AS b SET attempt = 1, worker = ''pull'' WHERE b.batch = $1', ws) USING number;
    PERFORM segmentation_internal.crm_settle(ws, number, true);
  END IF;
  RETURN number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_make(text, text) IS
  'Part of crm_sync: makes a batch of what differs; NULL if nothing does.';

CREATE FUNCTION segmentation.crm_sync(workspace text, destination text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  unsent record;
BEGIN
  PERFORM segmentation_internal.crm_destination_of(ws, destination);
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT b.batch, b.worker, b.lease_until, b.status = 'taken' AND b.lease_until > clock_timestamp() AS held
    FROM @ws@.crm_batch AS b
    WHERE b.destination = $1 AND b.status IN ('ready', 'taken')
    FOR UPDATE$q$) INTO unsent USING destination;
  IF unsent.held THEN
    RAISE object_in_use USING
      MESSAGE = format('batch %s of destination %s is being sent', unsent.batch, destination),
      DETAIL = format('Worker %s has it until %s at least.', unsent.worker, unsent.lease_until),
      HINT = 'Call again when it has been acknowledged, or when its time is over.';
  END IF;
  IF unsent.batch IS NOT NULL THEN
    PERFORM segmentation_internal.crm_close(ws, unsent.batch, 'cancelled', 'superseded');
  END IF;
  RETURN segmentation_internal.crm_make(ws, destination);
END
$$;
COMMENT ON FUNCTION segmentation.crm_sync(text, text) IS
  'Makes a batch of what differs between the audience of a destination and what it has as far as it has acknowledged; '
  'NULL if nothing does. A batch that no worker holds is replaced.';

CREATE FUNCTION segmentation.crm_preview(workspace text, destination text)
RETURNS TABLE (action text, reason text, rows bigint)
  LANGUAGE plpgsql ROWS 8 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  d record;
BEGIN
  SELECT * INTO d FROM segmentation_internal.crm_destination_of(ws, destination);
  RETURN QUERY EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT d.action, d.reason, count(*) FROM (@(diff)@) AS d GROUP BY d.action, d.reason
    UNION ALL
    SELECT 'none', v.reason, count(*)
    FROM (@(people)@) AS p
    CROSS JOIN LATERAL (
      SELECT CASE WHEN NOT p.allowed THEN 'no_consent' WHEN p.key IS NULL THEN 'no_key' END AS reason) AS v
    WHERE p.inside AND v.reason IS NOT NULL
    GROUP BY v.reason
    UNION ALL
    SELECT 'none', 'same_key', k.rows
    FROM (
      SELECT sum(k.rows - 1)::bigint AS rows
      FROM (
        SELECT count(*) AS rows FROM (@(people)@) AS p
        WHERE p.inside AND p.key IS NOT NULL GROUP BY p.key HAVING count(*) > 1) AS k) AS k
    WHERE k.rows > 0
    ORDER BY 1, 2$q$,
    jsonb_build_object('diff', segmentation_internal.crm_diff_sql(ws, destination, d.p, d.definition, d.options),
      'people', segmentation_internal.crm_people_sql(ws, d.p, d.definition, d.options, false)));
END
$$;
COMMENT ON FUNCTION segmentation.crm_preview(text, text) IS
  'What crm_sync would tell a destination now, in rows by action and reason; and whom of the audience it would leave '
  'out: no_consent (or suppressed), no_key, same_key (a second customer with the key of another).';

-- Reading

CREATE FUNCTION segmentation_internal.crm_tables() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{crm_destination,crm_batch,crm_part,crm_row}'::text[];
COMMENT ON FUNCTION segmentation_internal.crm_tables() IS 'Part of crm_rows: the tables that readers of batches need.';

CREATE FUNCTION segmentation_internal.crm_refuse_batch(ws text, number bigint, wanted integer) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT b.status, b.reason, b.whole, EXISTS (
        SELECT FROM ONLY @ws@.crm_part AS f WHERE f.batch = b.batch AND f.part = coalesce($2, f.part)) AS part,
      EXISTS (SELECT FROM ONLY @ws@.crm_row AS r WHERE r.batch = b.batch) AS rows
    FROM ONLY @ws@.crm_batch AS b WHERE b.batch = $1$q$) INTO found USING number, wanted;
  IF found.status IS NULL OR NOT found.part THEN
    RAISE undefined_object USING MESSAGE = CASE WHEN found.status IS NULL
      THEN format('there is no batch %s', coalesce(number::text, 'null'))
      ELSE format('batch %s has no part %s', number, coalesce(wanted::text, 'null')) END;
  END IF;
  IF NOT found.whole OR NOT found.rows THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('the rows of batch %s are not kept any more', number),
      DETAIL = CASE WHEN NOT found.whole THEN 'Somebody in it was erased.'
        ELSE format('It is %s%s.', found.status, coalesce(': ' || found.reason, '')) END,
      HINT = 'segmentation.crm_sync makes a batch of what is to be told now.';
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_refuse_batch(text, bigint, integer) IS
  'Part of crm_rows: an error if the rows of a batch are not there.';

CREATE FUNCTION segmentation.crm_files(workspace text, batch bigint)
RETURNS TABLE (
  part integer, name text, instruction text, rows bigint, bytes bigint, sha256 text, columns text[], key_column text,
  separator text, state jsonb
)
  LANGUAGE plpgsql STABLE ROWS 4 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, segmentation_internal.crm_tables());
BEGIN
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT f.part, f.name, f.instruction, f.rows, f.bytes, f.sha256, f.columns, f.key_column, f.separator, f.state
    FROM ONLY @ws@.crm_part AS f WHERE f.batch = $1 ORDER BY f.part$q$) USING batch;
END
$$;
COMMENT ON FUNCTION segmentation.crm_files(text, bigint) IS
  'The files of a batch: name, what they instruct (delete, unsubscribe, upsert; in this order), rows, bytes, checksum.';

CREATE FUNCTION segmentation.crm_rows(workspace text, batch bigint, part integer DEFAULT 1) RETURNS SETOF text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, segmentation_internal.crm_tables());
BEGIN
  PERFORM segmentation_internal.crm_refuse_batch(ws, batch, part);
  RETURN QUERY SELECT l FROM segmentation_internal.crm_lines(ws, batch, part, 1, 9223372036854775807) AS l;
END
$$;
COMMENT ON FUNCTION segmentation.crm_rows(text, bigint, integer) IS
  'The lines of a file of a batch, the header first, always the same: each is to end with a line feed, as psql -At '
  'writes them.';

CREATE FUNCTION segmentation.crm_bytes(workspace text, batch bigint, part integer DEFAULT 1) RETURNS SETOF bytea
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace, segmentation_internal.crm_tables());
BEGIN
  PERFORM segmentation_internal.crm_refuse_batch(ws, batch, part);
  RETURN QUERY SELECT c.chunk FROM segmentation_internal.crm_chunks(ws, batch, part) AS c ORDER BY c.place;
END
$$;
COMMENT ON FUNCTION segmentation.crm_bytes(text, bigint, integer) IS
  'A file of a batch as chunks of bytes in its encoding, to be put one after the other: its size and checksum are '
  'those of crm_files.';

-- Sending

-- Whether somebody in a batch may no longer leave: asked again before it is handed out.
CREATE FUNCTION segmentation_internal.crm_stale(ws text, number bigint, d record) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
  stale boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT EXISTS (
      SELECT r.key FROM @ws@.crm_row AS r WHERE r.batch = $1 AND r.action = 'upsert'
      -- A set operation reads each side once, whatever is known of their sizes.
      EXCEPT
      SELECT p.key FROM (@(people)@) AS p GROUP BY p.key HAVING bool_and(p.allowed))$q$,
    jsonb_build_object('people', segmentation_internal.crm_people_sql(ws, d.p, d.definition, d.options, false)))
    INTO stale USING number;
  RETURN stale;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_stale(text, bigint, record) IS
  'Part of crm_take: whether somebody in a batch has no consent any more.';

CREATE FUNCTION segmentation.crm_take(
  workspace text, worker text, destination text DEFAULT NULL, lease interval DEFAULT '10 minutes'
) RETURNS TABLE (
  batch bigint, for_destination text, profile text, system text, format text, options jsonb, attempt integer,
  lease_until timestamptz
)
  LANGUAGE plpgsql ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  candidate record;
  now_open record;
  d record;
BEGIN
  IF worker IS NULL OR lease IS NULL OR NOT lease > interval '0' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'worker must not be null, and lease must be above 0';
  END IF;
  IF to_regclass(ws || '.crm_destination') IS NULL THEN
    RETURN;
  END IF;
  FOR candidate IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT b.batch, b.destination
    FROM @ws@.crm_batch AS b
    WHERE b.status IN ('ready', 'taken') AND b.destination = coalesce($1, b.destination)
    ORDER BY b.status = 'taken' AND b.worker = $2 DESC, b.batch$q$) USING destination, worker
  LOOP
    -- Another worker who looks at this moment passes on.
    EXECUTE segmentation_internal.fill(ws, $q$
      SELECT b.batch, b.status = 'taken' AND b.worker = $3 AND b.lease_until > clock_timestamp() AS own
      FROM @ws@.crm_destination AS d
      JOIN @ws@.crm_batch AS b ON b.destination = d.destination
      WHERE d.destination = $1 AND b.batch = $2 AND (
        b.status = 'ready' AND coalesce(b.not_before <= clock_timestamp(), true)
        OR b.status = 'taken' AND (b.worker = $3 OR b.lease_until <= clock_timestamp()))
      FOR UPDATE SKIP LOCKED$q$) INTO now_open USING candidate.destination, candidate.batch, worker;
    CONTINUE WHEN now_open.batch IS NULL;
    SELECT * INTO d FROM segmentation_internal.crm_destination_of(ws, candidate.destination);
    batch := candidate.batch;
    IF NOT now_open.own AND segmentation_internal.crm_stale(ws, batch, d) THEN
      PERFORM segmentation_internal.crm_close(ws, batch, 'cancelled', 'consent');
      batch := segmentation_internal.crm_make(ws, candidate.destination);
      CONTINUE WHEN batch IS NULL;
    END IF;
    EXECUTE segmentation_internal.fill(ws, $q$
      UPDATE @ws@.crm_batch AS b
      SET status = 'taken', worker = $2, lease_until = clock_timestamp() + $3, not_before = NULL,
        attempt = b.attempt + CASE WHEN $4 THEN 0 ELSE 1 END
      WHERE b.batch = $1
      RETURNING b.destination, b.attempt, b.lease_until$q$)
      INTO for_destination, attempt, lease_until USING batch, worker, lease, now_open.own;
    profile := d.profile;
    system := (d.p).system;
    format := (d.p).format;
    options := d.options;
    RETURN NEXT;
    RETURN;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation.crm_take(text, text, text, interval) IS
  'Gives a worker the next batch to send, for so long: no other gets it meanwhile. Its own batch again if it has one. '
  'A batch in which somebody has lost the consent since it was made is replaced by a new one.';

-- The open batch of a worker, locked with its destination; an error if it is not, or not any more.
CREATE FUNCTION segmentation_internal.crm_held(ws text, number bigint, worker text) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  b record;
BEGIN
  PERFORM segmentation_internal.crm_refuse_none(ws);
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT b.destination, b.status, b.worker, b.reason
    FROM @ws@.crm_destination AS d JOIN @ws@.crm_batch AS b ON b.destination = d.destination
    WHERE b.batch = $1 FOR UPDATE$q$) INTO b USING number;
  IF b.status IS NULL THEN
    RAISE undefined_object USING MESSAGE = format('there is no batch %s', coalesce(number::text, 'null'));
  END IF;
  -- Over time, but taken by nobody else: it is still the worker's.
  IF b.status <> 'taken' OR b.worker IS DISTINCT FROM worker THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('batch %s is not with worker %s', number, coalesce(worker, 'null')),
      DETAIL = CASE WHEN b.status = 'taken' THEN format('Worker %s has it.', b.worker)
        ELSE format('It is %s%s.', b.status, coalesce(': ' || b.reason, '')) END,
      HINT = 'Take the next one by segmentation.crm_take.';
  END IF;
  RETURN b.destination;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_held(text, bigint, text) IS
  'Part of crm_ack: an error unless a worker has a batch.';

CREATE FUNCTION segmentation.crm_renew(
  workspace text, batch bigint, worker text, lease interval DEFAULT '10 minutes'
) RETURNS timestamptz
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  until timestamptz;
BEGIN
  PERFORM segmentation_internal.crm_held(ws, batch, worker);
  EXECUTE format('UPDATE %s.crm_batch AS b SET lease_until = clock_timestamp() + $2 WHERE b.batch = $1 '
    'RETURNING b.lease_until', ws) INTO until USING batch, coalesce(lease, '10 minutes');
  RETURN until;
END
$$;
COMMENT ON FUNCTION segmentation.crm_renew(text, bigint, text, interval) IS
  'Lets a worker keep its batch for so long from now.';

CREATE FUNCTION segmentation.crm_note(workspace text, batch bigint, part integer, worker text, state jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  done integer;
BEGIN
  PERFORM segmentation_internal.crm_held(ws, batch, worker);
  EXECUTE format('UPDATE %s.crm_part AS f SET state = $3 WHERE f.batch = $1 AND f.part = $2', ws)
    USING batch, part, state;
  GET DIAGNOSTICS done = ROW_COUNT;
  IF done = 0 THEN
    RAISE undefined_object USING MESSAGE = format('batch %s has no part %s', batch, coalesce(part::text, 'null'));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.crm_note(text, bigint, integer, text, jsonb) IS
  'Keeps what a worker has to know of a file after it was killed, such as the number of the job there: crm_files gives '
  'it back.';

CREATE FUNCTION segmentation.crm_result(
  workspace text, batch bigint, worker text, keys text[], accepted boolean[], reasons text[] DEFAULT NULL
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  done bigint;
BEGIN
  IF cardinality(keys) IS DISTINCT FROM cardinality(accepted)
     OR cardinality(keys) <> cardinality(coalesce(reasons, keys))
  THEN
    RAISE array_subscript_error USING MESSAGE = 'keys, accepted and reasons must have as many elements';
  END IF;
  PERFORM segmentation_internal.crm_held(ws, batch, worker);
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_row AS r
    SET accepted = v.accepted, answer = v.reason
    FROM (
      SELECT DISTINCT ON (v.key) v.key COLLATE "C" AS key, v.accepted, v.reason
      FROM ROWS FROM (unnest($2), unnest($3), unnest($4)) AS v (key, accepted, reason)
      ORDER BY v.key, v.accepted) AS v
    WHERE r.batch = $1 AND r.key = v.key$q$) USING batch, keys, accepted, reasons;
  GET DIAGNOSTICS done = ROW_COUNT;
  RETURN done;
END
$$;
COMMENT ON FUNCTION segmentation.crm_result(text, bigint, text, text[], boolean[], text[]) IS
  'Writes down which rows of a batch the destination took, and why not others: before crm_ack. What is not named was '
  'taken. Returns how many rows are known. May be said twice.';

-- What an acknowledged batch said is what the destination has.
CREATE FUNCTION segmentation_internal.crm_settle(ws text, number bigint, pull boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    INSERT INTO @ws@.crm_sent AS s (destination, key, customer, state, hash, payload, rejected)
    SELECT b.destination, r.key, r.customer, 'member', r.hash, CASE WHEN $2 THEN r.line::jsonb END,
      CASE WHEN NOT r.accepted THEN coalesce(r.answer, 'rejected') END
    FROM @ws@.crm_row AS r JOIN @ws@.crm_batch AS b ON b.batch = r.batch
    WHERE r.batch = $1 AND r.action = 'upsert'
    ON CONFLICT (destination, key) DO UPDATE
    SET customer = excluded.customer, state = 'member', hash = excluded.hash, payload = excluded.payload,
      rejected = excluded.rejected, changed_at = clock_timestamp()$q$) USING number, pull;
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.crm_sent AS s
    USING @ws@.crm_row AS r JOIN @ws@.crm_batch AS b ON b.batch = r.batch
    WHERE r.batch = $1 AND r.action = 'delete' AND r.accepted IS NOT FALSE
      AND s.destination = b.destination AND s.key = r.key$q$) USING number;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_sent AS s
    SET hash = NULL, changed_at = clock_timestamp(),
      state = CASE WHEN NOT r.accepted THEN s.state WHEN r.action = 'clear' THEN 'cleared' ELSE 'unsubscribed' END,
      rejected = CASE WHEN NOT r.accepted THEN coalesce(r.answer, 'rejected') END,
      payload = CASE WHEN $2 AND r.action = 'clear' THEN r.line::jsonb END
    FROM @ws@.crm_row AS r JOIN @ws@.crm_batch AS b ON b.batch = r.batch
    WHERE r.batch = $1 AND r.action <> 'upsert' AND s.destination = b.destination AND s.key = r.key$q$)
    USING number, pull;
  -- The rows of the one before are not needed any more.
  EXECUTE segmentation_internal.fill(ws, $q$
    DELETE FROM @ws@.crm_row AS r
    USING @ws@.crm_batch AS b, @ws@.crm_batch AS a
    WHERE a.batch = $1 AND b.destination = a.destination AND b.batch < a.batch AND r.batch = b.batch$q$) USING number;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_batch AS b
    SET status = 'acked', closed_at = clock_timestamp(), lease_until = NULL, reason = NULL
    WHERE b.batch = $1$q$) USING number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_settle(text, bigint, boolean) IS
  'Part of crm_ack: what a batch said becomes what the destination has.';

CREATE FUNCTION segmentation.crm_ack(workspace text, batch bigint, worker text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  done boolean;
BEGIN
  PERFORM segmentation_internal.crm_refuse_none(ws);
  EXECUTE format('SELECT b.status = ''acked'' AND b.worker = $2 FROM %s.crm_batch AS b WHERE b.batch = $1', ws)
    INTO done USING batch, worker;
  -- Said twice, as after a connection that broke, is said once.
  IF done IS NOT TRUE THEN
    PERFORM segmentation_internal.crm_held(ws, batch, worker);
    PERFORM segmentation_internal.crm_settle(ws, batch, false);
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.crm_ack(text, bigint, text) IS
  'Says that a destination has a batch: the next one is of what differs from then on. May be said twice.';

CREATE FUNCTION segmentation.crm_fail(
  workspace text, batch bigint, worker text, reason text, retry_after interval DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
BEGIN
  PERFORM segmentation_internal.crm_held(ws, batch, worker);
  IF retry_after IS NULL THEN
    PERFORM segmentation_internal.crm_close(ws, batch, 'failed', reason);
  ELSE
    EXECUTE segmentation_internal.fill(ws, $q$
      UPDATE @ws@.crm_batch AS b
      SET status = 'ready', reason = $2, lease_until = NULL, not_before = clock_timestamp() + $3
      WHERE b.batch = $1$q$) USING batch, reason, retry_after;
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.crm_fail(text, bigint, text, text, interval) IS
  'Says that a batch was not delivered, or not wholly: with retry_after the same is to be sent again, else it is over, '
  'and the next crm_sync tells again what may have been lost.';

-- Again

CREATE FUNCTION segmentation.crm_replay(workspace text, batch bigint) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  b record;
BEGIN
  PERFORM segmentation_internal.crm_refuse_none(ws);
  EXECUTE format('SELECT b.destination, b.status FROM %s.crm_batch AS b WHERE b.batch = $1', ws) INTO b USING batch;
  IF b.status IS DISTINCT FROM 'acked' THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('batch %s was not acknowledged', coalesce(batch::text, 'null')),
      HINT = 'What was not comes again by itself.';
  END IF;
  PERFORM segmentation_internal.crm_destination_of(ws, b.destination);
  PERFORM segmentation_internal.crm_refuse_batch(ws, batch, NULL);
  PERFORM segmentation_internal.crm_forget(ws, batch);
  RETURN segmentation.crm_sync(workspace, b.destination);
END
$$;
COMMENT ON FUNCTION segmentation.crm_replay(text, bigint) IS
  'Makes a batch that tells again what an acknowledged one told, as it is now: who has no consent any more is not in '
  'it. Of the last acknowledged one of a destination; before that, see crm_resync.';

CREATE FUNCTION segmentation.crm_resync(workspace text, destination text, rejected_only boolean DEFAULT false)
RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
BEGIN
  PERFORM segmentation_internal.crm_destination_of(ws, destination);
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_sent AS s
    SET hash = NULL, state = CASE WHEN $2 THEN s.state ELSE 'member' END
    WHERE s.destination = $1 AND (s.rejected IS NOT NULL OR NOT $2)$q$) USING destination, rejected_only IS TRUE;
  RETURN segmentation.crm_sync(workspace, destination);
END
$$;
COMMENT ON FUNCTION segmentation.crm_resync(text, text, boolean) IS
  'Makes a batch of all that a destination is to have, and of all that it is to lose, as if nothing were known of '
  'what it has; or only of the rows that it rejected.';

-- Erasures

-- Before the tables are emptied of somebody: an open batch that names them is cancelled, and what the destination has
-- of them loses its customer, so that the next batch has it deleted there.
CREATE FUNCTION segmentation_internal.crm_erase(ws text, keys text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named record;
BEGIN
  IF to_regclass(ws || '.crm_destination') IS NULL THEN
    RETURN;
  END IF;
  FOR named IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT b.batch, b.status
    FROM @ws@.crm_destination AS d JOIN @ws@.crm_batch AS b ON b.destination = d.destination
    WHERE b.batch IN (
      SELECT r.batch FROM @ws@.crm_row AS r WHERE r.customer IN (SELECT k.customer FROM @(keys)@ AS k))
    FOR UPDATE$q$, jsonb_build_object('keys', keys))
  LOOP
    IF named.status IN ('ready', 'taken') THEN
      PERFORM segmentation_internal.crm_close(ws, named.batch, 'cancelled', 'erasure');
    ELSE
      EXECUTE format('UPDATE %s.crm_batch AS b SET whole = false WHERE b.batch = $1', ws) USING named.batch;
    END IF;
  END LOOP;
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.crm_sent AS s
    SET customer = NULL, hash = NULL, payload = NULL
    WHERE s.customer IN (SELECT k.customer FROM @(keys)@ AS k)$q$, jsonb_build_object('keys', keys));
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_erase(text, text) IS
  'Part of erase_customer: what destinations have of the customers of a relation is to be deleted there.';

CREATE FUNCTION segmentation.crm_status(workspace text)
RETURNS TABLE (
  destination text, profile text, members bigint, rejected bigint, batch bigint, status text, rows jsonb, reason text,
  made_at timestamptz, last_acked_at timestamptz
)
  LANGUAGE plpgsql STABLE ROWS 4 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on AS $$
DECLARE
  ws text := segmentation_internal.workspace_schema(workspace);
BEGIN
  IF to_regclass(ws || '.crm_destination') IS NULL THEN
    RETURN;
  END IF;
  ws := segmentation_internal.workspace_readable(workspace, '{crm_destination,crm_batch,crm_sent}');
  RETURN QUERY EXECUTE segmentation_internal.fill(ws, $q$
    SELECT d.destination, d.profile, coalesce(s.members, 0), coalesce(s.rejected, 0), b.batch, b.status, b.rows,
      b.reason, b.made_at, a.closed_at
    FROM ONLY @ws@.crm_destination AS d
    LEFT JOIN (
      SELECT s.destination, count(*) FILTER (WHERE s.state = 'member') AS members, count(s.rejected) AS rejected
      FROM ONLY @ws@.crm_sent AS s GROUP BY s.destination) AS s ON s.destination = d.destination
    LEFT JOIN LATERAL (
      SELECT b.* FROM ONLY @ws@.crm_batch AS b
      WHERE b.destination = d.destination ORDER BY b.batch DESC LIMIT 1) AS b ON true
    LEFT JOIN LATERAL (
      SELECT max(c.closed_at) AS closed_at FROM ONLY @ws@.crm_batch AS c
      WHERE c.destination = d.destination AND c.status = 'acked') AS a ON true
    ORDER BY d.destination$q$);
END
$$;
COMMENT ON FUNCTION segmentation.crm_status(text) IS
  'The destinations of a workspace: how many they have, the last batch with its rows by reason, and when one was last '
  'acknowledged.';
