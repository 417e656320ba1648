-- What a company is to us.

CREATE FUNCTION segmentation.relation(
  history segmentation.purchase_history,
  as_of date,
  last_contact date DEFAULT NULL,
  declared text DEFAULT NULL,
  client_within interval DEFAULT '12 months',
  prospect_within interval DEFAULT '3 years'
) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN as_of IS NULL THEN NULL
    WHEN lower(btrim(declared)) IN ('partner', 'partenaire') THEN 'partner'
    WHEN lower(btrim(declared)) IN ('supplier', 'fournisseur') THEN 'supplier'
    WHEN segmentation.last_purchase(segmentation.until(history, as_of)) > as_of - client_within THEN 'client'
    WHEN segmentation.last_purchase(segmentation.until(history, as_of)) IS NOT NULL THEN 'former_client'
    WHEN last_contact <= as_of AND last_contact > as_of - prospect_within THEN 'prospect'
    ELSE 'other'
  END;
COMMENT ON FUNCTION segmentation.relation(segmentation.purchase_history, date, date, text, interval, interval) IS
  'Relation with a company as of a day: partner or supplier if declared so, client if it bought within client_within, '
  'former_client if before, prospect if it never bought and was last in contact within prospect_within, else other.';
