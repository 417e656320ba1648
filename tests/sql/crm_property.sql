-- Delivery as a property: whatever happens to consents, audiences, keys, erasures, batches that are lost, half applied, applied
-- twice or rejected: nobody without consent is in a batch that is handed out, and after each acknowledged batch the destination,
-- simulated by what was applied to it, is the audience with consent.
SET search_path = segmentation, public;
SET client_min_messages = warning;
SET timezone = 'Europe/Paris';
CREATE SCHEMA prop;
CREATE TABLE prop.orders (customer_id bigint, ordered_on date, amount numeric);
INSERT INTO prop.orders SELECT c, date '2025-01-01' + n * (20 + c % 21), 10 + c % 7 FROM generate_series(1, 80) AS c, generate_series(0, 8) AS n;
CREATE TABLE prop.customers (customer_id bigint PRIMARY KEY, email text, town text);
INSERT INTO prop.customers SELECT c, 'k' || c || '@x.fr', 'town ' || c FROM generate_series(1, 80) AS c;
CREATE TABLE prop.consents (customer_id bigint, channel text, granted boolean, changed_on date, place integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO prop.consents SELECT c, 'email', c % 4 <> 0, '2025-01-01' FROM generate_series(1, 80) AS c;
SELECT create_workspace('propws', time_zone => 'Europe/Paris');
SELECT count(add_source('propws', kind, relation)) AS sources FROM (VALUES ('purchases', 'prop.orders'::regclass), ('customers', 'prop.customers'), ('consents', 'prop.consents')) AS s (kind, relation);
CALL refresh('propws', '2025-08-31');
SELECT add_destination('propws', d.destination, 'csv', '{"audience": {"axis": "rfm", "codes": ["in", "also"]}, "channel": "Email",
    "key": {"field": "email", "as": "email", "type": "email"}, "fields": [{"field": "town", "as": "town"}, {"field": "rfm", "as": "code"}]}', d.options)
FROM (VALUES ('clears', '{"part_rows": 7}'::jsonb), ('deletes', '{"part_rows": 7, "profile": {"on_left": "delete", "on_refused": "delete"}}'),
  ('keeps', '{"part_rows": 7, "profile": {"on_left": "unsubscribe", "on_gone": "unsubscribe"}}')) AS d (destination, options);

-- The destination: what was applied to it. A row without values, an unsubscription and a deletion end a membership.
CREATE TABLE prop.sim (destination text, key text COLLATE "C", line text, PRIMARY KEY (destination, key));
CREATE TABLE prop.seen (what text PRIMARY KEY, times bigint NOT NULL DEFAULT 1);
CREATE PROCEDURE prop.note(w text) LANGUAGE sql AS $$INSERT INTO prop.seen VALUES (w) ON CONFLICT (what) DO UPDATE SET times = seen.times + 1$$;
-- Who is to be there, by hand: the last word of each customer, refusals of one day first; all who share a key must agree.
CREATE VIEW prop.allowed AS
SELECT c.customer_id, lower(c.email) COLLATE "C" AS key, c.town,
  NOT EXISTS (SELECT FROM propws.crm_suppressed AS x WHERE x.customer = c.customer_id) AND coalesce((
    SELECT s.granted FROM prop.consents AS s WHERE s.customer_id = c.customer_id ORDER BY s.changed_on DESC, s.granted LIMIT 1), false) AS allowed
FROM prop.customers AS c;
CREATE VIEW prop.wanted AS
SELECT DISTINCT ON (a.key) a.key, a.key || ',' || a.town || ',' || g.rfm AS line
FROM prop.allowed AS a JOIN propws.customer_segments AS g ON g.customer = a.customer_id
WHERE g.rfm IN ('in', 'also') AND a.key IN (SELECT b.key FROM prop.allowed AS b GROUP BY b.key HAVING bool_and(b.allowed))
ORDER BY a.key, a.customer_id;
-- A publication, as far as delivery reads it: the facts follow the tables.
CREATE PROCEDURE prop.publish() LANGUAGE sql AS $$
  UPDATE propws.customer_facts AS f SET attributes = jsonb_build_object('email', c.email, 'town', c.town),
    consents = (SELECT segmentation.consent_history(lower(btrim(s.channel)), s.granted, s.changed_on) FROM prop.consents AS s WHERE s.customer_id = f.customer)
  FROM prop.customers AS c WHERE c.customer_id = f.customer;
$$;
CREATE PROCEDURE prop.apply(number bigint, dest text, share double precision) LANGUAGE plpgsql AS $$
DECLARE
  f record;
  r record;
BEGIN
  FOR f IN SELECT * FROM segmentation.crm_files('propws', number) ORDER BY part LOOP
    IF (SELECT encode(sha256(string_agg(b, '')), 'hex') FROM segmentation.crm_bytes('propws', number, f.part) AS b) <> f.sha256 THEN CALL prop.note('BAD checksum'); END IF;
    FOR r IN SELECT l.line, split_part(l.line, ',', 1) AS key FROM segmentation.crm_rows('propws', number, f.part) WITH ORDINALITY AS l (line, place) WHERE l.place > 1 LOOP
      -- Consent, at the moment at which it is handed out.
      IF f.instruction = 'upsert' AND r.line <> r.key || ',,' AND NOT (SELECT coalesce(bool_and(a.allowed), false) FROM prop.allowed AS a WHERE a.key = r.key) THEN
        CALL prop.note('BAD no consent: ' || r.line);
      END IF;
      CONTINUE WHEN random() > share;
      IF f.instruction = 'upsert' AND r.line <> r.key || ',,' THEN
        INSERT INTO prop.sim VALUES (dest, r.key, r.line) ON CONFLICT (destination, key) DO UPDATE SET line = excluded.line;
      ELSE
        DELETE FROM prop.sim AS s WHERE s.destination = dest AND s.key = r.key;
      END IF;
    END LOOP;
  END LOOP;
END
$$;
CREATE PROCEDURE prop.compare(dest text) LANGUAGE plpgsql AS $$
DECLARE
  bad text;
BEGIN
  SELECT string_agg(format('%s: %s / %s', coalesce(s.key, w.key), coalesce(s.line, '-'), coalesce(w.line, '-')), '; ') INTO bad
  FROM (SELECT * FROM prop.sim WHERE destination = dest) AS s FULL JOIN prop.wanted AS w ON w.key = s.key
  WHERE s.line IS DISTINCT FROM w.line
    AND NOT coalesce(s.key, w.key) IN (SELECT t.key FROM propws.crm_sent AS t WHERE t.destination = dest AND t.rejected IS NOT NULL);
  CALL prop.note(CASE WHEN bad IS NULL THEN 'equal' ELSE 'BAD differs: ' || left(bad, 200) END);
END
$$;
-- After a batch was lost: those in it move, out of and into the audience, which is when what is not known matters.
CREATE PROCEDURE prop.shake(number bigint) LANGUAGE sql AS $$
  UPDATE propws.customer_segments AS g SET rfm = CASE WHEN g.rfm = 'out' THEN 'in' ELSE 'out' END
  WHERE g.customer IN (SELECT r.customer FROM propws.crm_row AS r WHERE r.batch = number) AND random() < 0.4;
$$;
CREATE PROCEDURE prop.step() LANGUAGE plpgsql AS $$
DECLARE
  c bigint := (SELECT customer_id FROM prop.customers ORDER BY random() LIMIT 1);
  dest text := (ARRAY['clears', 'deletes', 'keeps'])[1 + floor(3 * random())];
  dice integer := floor(20 * random());
  day date := date '2025-01-02' + floor(240 * random())::integer;
  number bigint;
  t record;
  f record;
BEGIN
  CASE
  WHEN dice <= 2 THEN
    INSERT INTO prop.consents (customer_id, channel, granted, changed_on)
    SELECT c, ' EMAIL', random() < 0.6, greatest(day, max(changed_on)) FROM prop.consents WHERE customer_id = c;
    CALL prop.note('consent');
  WHEN dice <= 4 THEN
    UPDATE propws.customer_segments SET rfm = (ARRAY['in', 'also', 'out', 'out'])[1 + floor(4 * random())] WHERE customer = c;
    CALL prop.note('code');
  WHEN dice = 5 THEN
    UPDATE prop.customers SET email = 'K' || floor(80 * random()) || '@x.fr' WHERE customer_id = c;
    CALL prop.note('key');
  WHEN dice = 6 THEN
    UPDATE prop.customers SET town = 'town ' || floor(1000 * random()) WHERE customer_id = c;
    CALL prop.note('value');
  WHEN dice = 7 AND random() < 0.6 AND (SELECT count(*) FROM prop.customers) > 20 THEN
    -- Better somebody who is on the way.
    c := coalesce((SELECT r.customer FROM propws.crm_row AS r JOIN propws.crm_batch AS b USING (batch) WHERE b.status IN ('ready', 'taken') ORDER BY random() LIMIT 1), c);
    DELETE FROM prop.orders WHERE customer_id = c;
    DELETE FROM prop.customers WHERE customer_id = c;
    DELETE FROM prop.consents WHERE customer_id = c;
    PERFORM segmentation.erase_customer('propws', c::text, 'asked');
    CALL prop.note('erased');
  WHEN dice = 8 THEN
    IF random() < 0.5 THEN
      INSERT INTO propws.crm_suppressed (customer, channel, reason) VALUES (c, CASE WHEN random() < 0.5 THEN '*' ELSE 'email' END, 'by hand') ON CONFLICT DO NOTHING;
    ELSE
      DELETE FROM propws.crm_suppressed WHERE customer IN (SELECT customer FROM propws.crm_suppressed ORDER BY random() LIMIT 3);
    END IF;
    CALL prop.note('suppressed');
  WHEN dice = 9 THEN
    PERFORM segmentation.crm_sync('propws', dest);
    CALL prop.note('synced');
  WHEN dice = 10 AND random() < 0.3 THEN
    PERFORM segmentation.crm_resync('propws', dest);
    CALL prop.note('resynced');
  WHEN dice = 11 THEN
    SELECT max(b.batch) INTO number FROM propws.crm_batch AS b WHERE b.destination = dest AND b.status = 'acked';
    IF number IS NOT NULL AND (SELECT b.whole FROM propws.crm_batch AS b WHERE b.batch = number) THEN
      PERFORM segmentation.crm_replay('propws', number);
      CALL prop.note('replayed');
    END IF;
  ELSE
    -- A worker; what it applies may be a part, or all, and the answer may be lost: its time is over at once.
    CALL prop.publish();
    IF random() < 0.6 THEN
      PERFORM segmentation.crm_sync('propws', dest);
    END IF;
    SELECT * INTO t FROM segmentation.crm_take('propws', 'w' || floor(3 * random()), dest, '1 microsecond');
    IF t.batch IS NULL THEN
      CALL prop.note('nothing to take');
      RETURN;
    END IF;
    CASE
    WHEN dice = 12 THEN
      CALL prop.apply(t.batch, dest, 0.5);
      CALL prop.shake(t.batch);
      CALL prop.note('half, and lost');
    WHEN dice = 13 THEN
      CALL prop.apply(t.batch, dest, 1);
      CALL prop.shake(t.batch);
      CALL prop.note('whole, the answer lost');
    WHEN dice = 14 THEN
      CALL prop.apply(t.batch, dest, random());
      CALL prop.shake(t.batch);
      PERFORM segmentation.crm_fail('propws', t.batch, (SELECT worker FROM propws.crm_batch WHERE batch = t.batch), 'down', CASE WHEN random() < 0.5 THEN interval '0' END);
      CALL prop.note('failed');
    ELSE
      CALL prop.apply(t.batch, dest, 1);
      IF random() < 0.2 THEN
        CALL prop.apply(t.batch, dest, 1);
        CALL prop.note('twice');
      END IF;
      IF dice = 15 THEN
        -- A row that it says it did not take.
        FOR f IN SELECT r.key, r.action FROM propws.crm_row AS r WHERE r.batch = t.batch ORDER BY random() LIMIT 1 LOOP
          PERFORM segmentation.crm_result('propws', t.batch, (SELECT worker FROM propws.crm_batch WHERE batch = t.batch), ARRAY[f.key], '{f}', '{odd}');
          CALL prop.note('rejected');
        END LOOP;
      END IF;
      PERFORM segmentation.crm_ack('propws', t.batch, (SELECT worker FROM propws.crm_batch WHERE batch = t.batch));
      PERFORM segmentation.crm_ack('propws', t.batch, (SELECT worker FROM propws.crm_batch WHERE batch = t.batch));
      -- A retried batch is what it was, and the audience may have moved since.
      IF (SELECT count(*) FROM segmentation.crm_preview('propws', dest) WHERE action <> 'none') = 0 THEN
        CALL prop.compare(dest);
      ELSE
        CALL prop.note('moved meanwhile');
      END IF;
    END CASE;
  END CASE;
  IF EXISTS (SELECT FROM propws.crm_batch AS b WHERE b.status IN ('ready', 'taken') GROUP BY b.destination HAVING count(*) > 1) THEN
    CALL prop.note('BAD two open');
  END IF;
END
$$;
SELECT setseed(0.22);
DO $$
DECLARE
  dest text;
  number bigint;
BEGIN
  UPDATE propws.customer_segments SET rfm = CASE WHEN customer % 3 = 0 THEN 'out' ELSE 'in' END;
  CALL prop.publish();
  FOR i IN 1 .. 500 LOOP
    CALL prop.step();
  END LOOP;
  -- In the end all is told.
  CALL prop.publish();
  FOREACH dest IN ARRAY '{clears,deletes,keeps}'::text[] LOOP
    PERFORM segmentation.crm_sync('propws', dest);
    SELECT t.batch INTO number FROM segmentation.crm_take('propws', 'end', dest) AS t;
    IF number IS NOT NULL THEN
      CALL prop.apply(number, dest, 1);
      PERFORM segmentation.crm_ack('propws', number, 'end');
    END IF;
    CALL prop.compare(dest);
    IF EXISTS (SELECT FROM segmentation.crm_preview('propws', dest) AS p WHERE p.action <> 'none') THEN
      CALL prop.note('BAD something left to tell');
    END IF;
  END LOOP;
END
$$;
SELECT what FROM prop.seen WHERE what LIKE 'BAD%' ORDER BY 1;
-- Each thing happened, and often enough.
SELECT what, times >= 3 AS often FROM prop.seen WHERE what NOT LIKE 'BAD%' ORDER BY what COLLATE "C";
SELECT drop_workspace('propws', cascade => true);
DROP SCHEMA prop CASCADE;
