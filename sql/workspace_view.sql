CREATE FUNCTION workspace_make_views(workspace text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
BEGIN
  NULL;
END
$$;
COMMENT ON FUNCTION workspace_make_views(text) IS 'Part of create_workspace: the materialized views for BI tools.';
