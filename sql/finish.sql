-- Rights. A trusted installation leaves everything to the bootstrap superuser, so that
-- what users need is granted here, and the tables that they may fill become the installer's.

GRANT USAGE ON SCHEMA segmentation TO PUBLIC;
GRANT SELECT ON rfm_map, label TO PUBLIC;
GRANT SELECT ON segment_template TO PUBLIC;
ALTER TABLE rfm_map OWNER TO @extowner@;
ALTER TABLE label OWNER TO @extowner@;
