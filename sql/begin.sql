-- The first statement of the script. It runs as the bootstrap superuser, whoever calls CREATE EXTENSION: nothing in it
-- is looked up where others may have put something, so every name that is not PostgreSQL's own is written with its schema.

SET LOCAL search_path = pg_catalog, pg_temp;
