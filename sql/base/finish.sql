-- Rights, last. Everything belongs to who runs the script: the bootstrap superuser, or the superuser who installs. The
-- tables that users fill do too: their owner could hang triggers, rules and policies on them, which run with the rights
-- of whoever reads or writes them. The installer fills them, and lets others fill them, by grants.

DO $$
DECLARE
  installer regrole := (SELECT e.extowner FROM pg_extension AS e WHERE e.extname = 'segmentation');
BEGIN
  IF installer <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user) THEN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON segmentation.rfm_map, segmentation.label, '
                   'segmentation.crm_profile TO %s WITH GRANT OPTION', installer);
    -- For a dump to be restored; its trigger keeps the rows true.
    EXECUTE format('GRANT INSERT ON segmentation.workspace_registry TO %s', installer);
  END IF;
END
$$;
GRANT SELECT ON segmentation.rfm_map, segmentation.label, segmentation.b2b_definition, segmentation.company_field,
  segmentation.sector_preset,
  segmentation.segment_template, segmentation.workspace_field, segmentation.workspace_setting,
  segmentation.workspace_sentence, segmentation.workspace_registry, segmentation.workspace_axis,
  segmentation.workspace_model, segmentation.workspace_parameter, segmentation.workspace_score,
  segmentation.workspace_list, segmentation.workspace_row_fault, segmentation.workspace_platform,
  segmentation.crm_profile TO PUBLIC;

UPDATE segmentation.label SET built_in = true;

-- Labels that came with the extension stay as they are: a change would be lost by dump and restore.
CREATE FUNCTION segmentation_internal.label_protect() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' OR (TG_OP IN ('UPDATE', 'DELETE') AND OLD.built_in)
     OR (TG_OP IN ('INSERT', 'UPDATE') AND NEW.built_in) THEN
    RAISE EXCEPTION 'built-in labels cannot be changed'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Add labels in a language of your own, such as "xx", and ask for that language.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.label_protect() IS 'trigger of label: keeps the built-in labels as they are';
CREATE TRIGGER protect BEFORE INSERT OR UPDATE OR DELETE ON segmentation.label
  FOR EACH ROW EXECUTE FUNCTION segmentation_internal.label_protect();
COMMENT ON TRIGGER protect ON segmentation.label IS 'The built-in labels cannot be changed.';
CREATE TRIGGER protect_all BEFORE TRUNCATE ON segmentation.label
  FOR EACH STATEMENT EXECUTE FUNCTION segmentation_internal.label_protect();
COMMENT ON TRIGGER protect_all ON segmentation.label IS 'The built-in labels cannot be removed.';
SELECT pg_catalog.pg_extension_config_dump('segmentation.label', 'WHERE NOT built_in');

-- Everybody calls and uses everything, with rights of their own, where default privileges of the database would have it
-- otherwise too.
DO $$
DECLARE
  statement text;
BEGIN
  FOR statement IN
    SELECT CASE d.classid
      WHEN 'pg_proc'::regclass THEN format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', d.objid::regprocedure)
      ELSE format('GRANT USAGE ON TYPE %s TO PUBLIC', d.objid::regtype) END
    FROM pg_depend AS d
    LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
    WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
      AND d.refobjid = (SELECT e.oid FROM pg_extension AS e WHERE e.extname = 'segmentation')
      AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, t.typacl)) AS a WHERE a.grantee = 0)
      AND coalesce(p.proacl, t.typacl) IS NOT NULL
  LOOP
    EXECUTE statement;
  END LOOP;
END
$$;

-- Nothing of others has come into the schemas meanwhile.
DO $$
DECLARE
  found text;
BEGIN
  SELECT string_agg(pg_describe_object(d.classid, d.objid, d.objsubid), ', ') INTO found
  FROM pg_depend AS d
  WHERE d.refclassid = 'pg_namespace'::regclass
    AND d.refobjid IN ('segmentation'::regnamespace, 'segmentation_internal'::regnamespace)
    AND d.classid <> 'pg_extension'::regclass
    AND NOT EXISTS (SELECT FROM pg_depend AS e
                    WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'
                      AND e.refclassid = 'pg_extension'::regclass
                      AND e.refobjid = (SELECT x.oid FROM pg_extension AS x WHERE x.extname = 'segmentation'));
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'the schemas segmentation and segmentation_internal have objects that are not the extension''s',
      DETAIL = format('They are: %s.', found),
      HINT = 'Drop them, and the schemas: the extension makes its schemas itself.';
  END IF;
END
$$;
