-- The start of the script. It runs as the bootstrap superuser, whoever calls CREATE EXTENSION: nothing in it is looked
-- up where others may have put something, so every name that is not PostgreSQL's own is written with its schema.

SET LOCAL search_path = pg_catalog, pg_temp;

-- A schema that was there before may be a trap: what others made in it, or may still make, would be taken for ours. It
-- has to be empty, and a superuser's or the installer's own; pg_restore makes it before the extension.
DO $$
DECLARE
  installer oid := (SELECT e.extowner FROM pg_extension AS e WHERE e.extname = 'segmentation');
  owner record;
  found text;
BEGIN
  SELECT r.oid, r.rolname, r.rolsuper,
         -- Made by this transaction, so nobody else has seen it yet.
         EXISTS (SELECT FROM pg_locks AS l
                 WHERE l.locktype = 'transactionid' AND l.pid = pg_backend_pid() AND l.transactionid = n.xmin) AS fresh,
         EXISTS (SELECT FROM aclexplode(n.nspacl) AS a
                 WHERE a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner) AS shared
    INTO owner
  FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
  WHERE n.nspname = 'segmentation';
  IF NOT owner.rolsuper AND owner.oid <> installer THEN
    RAISE insufficient_privilege USING
      MESSAGE = 'schema segmentation belongs to somebody else',
      DETAIL = format('Its owner is %I, who is neither a superuser nor the one who installs.', owner.rolname),
      HINT = 'Look at what is in it, and drop it: the extension makes its schema itself.';
  END IF;
  SELECT string_agg(o.name, ', ' ORDER BY o.name) INTO found
  FROM (SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS name FROM pg_depend AS d
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'segmentation'::regnamespace
          AND (d.classid, d.objid) <> ALL (SELECT 'pg_extension'::regclass::oid, e.oid FROM pg_extension AS e
                                           WHERE e.extname = 'segmentation')
        ORDER BY name LIMIT 10) AS o;
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'schema segmentation is not empty',
      DETAIL = format('It has, among others perhaps: %s.', found),
      HINT = 'Look at what is in it, and drop it: the extension makes its schema itself.';
  END IF;
  -- What another transaction has made there is not seen before it ends.
  IF NOT owner.fresh AND (NOT owner.rolsuper OR owner.shared) THEN
    SELECT string_agg(DISTINCT w.who, ', ') INTO found
    FROM (SELECT format('process %s', l.pid) AS who FROM pg_locks AS l JOIN pg_stat_activity AS s ON s.pid = l.pid
          WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
            AND l.pid <> pg_backend_pid()
            AND s.datid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
          UNION ALL
          SELECT format('prepared transaction %L', p.gid) FROM pg_prepared_xacts AS p
          WHERE p.database = current_database()) AS w;
    IF found IS NOT NULL THEN
      RAISE object_not_in_prerequisite_state USING
        MESSAGE = 'schema segmentation may be about to get objects of others',
        DETAIL = format('It was there before, and transactions that have written are not over: %s.', found),
        HINT = 'Wait until they are over, or drop the schema: the extension makes its schema itself.';
    END IF;
  END IF;
END
$$;

-- What people call is in segmentation; what its own SQL calls, and the functions behind types, aggregates and
-- operators, is here, out of the way. No other extension makes it, so whatever is there before is not ours.
DO $$
BEGIN
  IF to_regnamespace('segmentation_internal') IS NOT NULL THEN
    RAISE duplicate_schema USING
      MESSAGE = 'schema segmentation_internal already exists',
      HINT = 'Look at what is in it, and drop it: the extension makes its schemas itself.';
  END IF;
END
$$;
CREATE SCHEMA segmentation_internal;
COMMENT ON SCHEMA segmentation_internal IS
  'Functions that the extension segmentation calls itself. They change without notice: call those of schema '
  'segmentation.';

-- From now on nobody but the superuser makes anything in them, whoever owned the first and whatever was granted,
-- default privileges of the database included.
ALTER SCHEMA segmentation OWNER TO CURRENT_USER;
DO $$
DECLARE
  schema name;
  grantee text;
BEGIN
  FOR schema, grantee IN
    SELECT DISTINCT n.nspname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    WHERE n.nspname IN ('segmentation', 'segmentation_internal') AND a.grantee <> n.nspowner
  LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE', schema, grantee);
  END LOOP;
END
$$;
GRANT USAGE ON SCHEMA segmentation, segmentation_internal TO PUBLIC;
