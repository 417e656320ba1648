# B2B functions over a million values: benches/run b2b. No limit is set for them; the other side is
# the length of the same text, which shows what a function call costs in itself.

sql -c "SET client_min_messages = warning" -c 'DROP TABLE IF EXISTS b2b_rows' -c "
  CREATE UNLOGGED TABLE b2b_rows AS
  SELECT lpad((n * 7919 % 1000000000)::text, 9, '0') AS siren,
         (ARRAY['Directrice générale', 'Responsable achats', 'Software Engineer', 'Chargé(e) d''affaires', 'Assistante de direction', 'VP Sales'])[1 + n % 6] AS title,
         'contact' || n || '@example' || n % 1000 || '.fr' AS email,
         'Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-16:00' AS hours,
         n % 90 AS latitude, n % 180 AS longitude
  FROM generate_series(1, $SIZE) AS n" -c 'VACUUM (FREEZE, ANALYZE) b2b_rows'
race '`siren_valid`' 'length' - 'SELECT count(siren_valid(siren)) FROM b2b_rows' 'SELECT count(length(siren)) FROM b2b_rows'
race '`decision_role`' 'length' - 'SELECT count(decision_role(title)) FROM b2b_rows' 'SELECT count(length(title)) FROM b2b_rows'
race '`email_is_role`' 'length' - 'SELECT count(email_is_role(email)) FROM b2b_rows' 'SELECT count(length(email)) FROM b2b_rows'
race '`opening_hours`' 'length' - 'SELECT count(opening_hours(hours)) FROM b2b_rows' 'SELECT count(length(hours)) FROM b2b_rows'
race '`haversine`' 'the same formula in SQL' - \
  'SELECT sum(haversine(48.8566, 2.3522, latitude, longitude)) FROM b2b_rows' \
  'SELECT sum(12742.0176 * asin(sqrt(sind((latitude - 48.8566::float8) / 2) ^ 2 + cosd(48.8566) * cosd(latitude) * sind((longitude - 2.3522::float8) / 2) ^ 2))) FROM b2b_rows'
