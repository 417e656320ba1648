CREATE FUNCTION stop_capture(workspace text, kind text, relation regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, segmentation, pg_temp AS $$
BEGIN
  NULL;
END
$$;
COMMENT ON FUNCTION stop_capture(text, text, regclass) IS 'Stub.';
