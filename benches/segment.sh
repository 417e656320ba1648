# segment_assign: 20 rules over stored jsonb, against the same CASE in SQL; and segment_sql over columns.
# What is compared: both sides read the same rows and give the same answers (checked below).

sql -c "DROP TABLE IF EXISTS segment_rows" -c "CREATE UNLOGGED TABLE segment_rows AS
  SELECT n AS id, (n * 7919 % 80 + 15)::integer AS age, (n * 104729 % 900000 / 100.0)::numeric(10, 2) AS spend,
         (ARRAY['Paris', 'Lyon', 'Nice', 'Lille', 'Nantes', 'Brest'])[n % 6 + 1] AS city, n % 3 = 0 AS owner,
         (n * 31 % 40)::integer AS purchases, (date '2024-01-01' + (n * 13 % 700)::integer) AS last_purchase,
         (ARRAY['email', 'sms', 'mail'])[n % 3 + 1] AS channel
  FROM generate_series(1::bigint, $SIZE) AS n" \
    -c "ALTER TABLE segment_rows ADD attributes jsonb" \
    -c "UPDATE segment_rows AS r SET attributes = to_jsonb(r) - 'attributes'" -c 'VACUUM (FULL, FREEZE, ANALYZE) segment_rows'

# Twenty rules of two or three conditions each, few of them true, so that most are looked at.
rules=$(sql -c "
  SELECT jsonb_build_object('kind', 'rules', 'default', 'rest', 'segments', jsonb_agg(jsonb_build_object('segment', 's' || k, 'when',
    jsonb_build_object('all', jsonb_build_array(
      jsonb_build_object('field', 'age', '>=', 15 + 4 * k, '<', 17 + 4 * k),
      CASE k % 4 WHEN 0 THEN jsonb_build_object('field', 'city', 'in', '[\"Paris\", \"Nice\"]'::jsonb)
        WHEN 1 THEN jsonb_build_object('field', 'spend', '>', 100 * k) WHEN 2 THEN jsonb_build_object('field', 'owner', '=', true)
        ELSE jsonb_build_object('field', 'purchases', '>=', k) END))) ORDER BY k))
  FROM generate_series(0, 19) AS k")
# The same as people write it over jsonb, and over columns.
written() {
  sql -c "
  SELECT 'CASE ' || string_agg(format('WHEN %1\$s >= %3\$s AND %1\$s < %4\$s AND %5\$s THEN ''s%2\$s''',
    format(numbers, 'age'), k, 15 + 4 * k, 17 + 4 * k,
    CASE k % 4 WHEN 0 THEN format(texts, 'city') || ' IN (''Paris'', ''Nice'')' WHEN 1 THEN format(numbers, 'spend') || ' > ' || 100 * k
      WHEN 2 THEN format(booleans, 'owner') WHEN 3 THEN format(numbers, 'purchases') || ' >= ' || k END), ' ' ORDER BY k) || ' ELSE ''rest'' END'
  FROM generate_series(0, 19) AS k, (VALUES ('$1', '$2', '$3')) AS v (numbers, texts, booleans)"
}
over_jsonb=$(written "(attributes ->> ''%s'')::numeric" "attributes ->> ''%s''" "(attributes ->> ''%s'')::boolean")
over_columns=$(written %s %s %s)
compiled=$(sql -v rules="$rules" <<<"SELECT segment_sql(:'rules', 'segment_rows'::regclass)")
assign="segment_assign('${rules//\'/\'\'}'::jsonb, attributes)"

race '`segment_assign`, 20 rules, stored jsonb' 'the same CASE over the same jsonb' 1.0 \
  "SELECT $assign FROM segment_rows" "SELECT $over_jsonb FROM segment_rows"
race '`segment_sql`, 20 rules, columns' 'the same CASE' 1.0 \
  "SELECT $compiled FROM segment_rows" "SELECT $over_columns FROM segment_rows"
race '`segment_assign`, 20 rules, the record' 'the same CASE over columns' - \
  "SELECT segment_assign('${rules//\'/\'\'}', s) FROM (SELECT age, spend, city, owner, purchases FROM segment_rows) AS s" "SELECT $over_columns FROM segment_rows"
note "segments: $(sql -c "SELECT format('%s rows in the default, %s answers differ from the CASE', count(*) FILTER (WHERE $assign = 'rest'), count(*) FILTER (WHERE $assign IS DISTINCT FROM $over_jsonb OR $assign IS DISTINCT FROM $compiled)) FROM segment_rows")"
