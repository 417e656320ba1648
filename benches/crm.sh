# Delivery: a first sync and its stream against a plain COPY of the same rows, the memory of the stream, and the sync after
# a few customers have moved.

. benches/parts/whole_shop.sh
moves=${CRM_MOVES:-1000}
shop=crm_shop_$SIZE
space=bench_crm
whole "$shop" "$SIZE"
feed "$space" "$shop"
on_shop -o /dev/null -c "CALL refresh('$space', '$AS_OF')"
on_shop -o /dev/null -c "SELECT add_destination('$space', 'd', 'salesforce', '{\"audience\": \"all\", \"channel\": \"email\", \"key\": {\"field\": \"customer\", \"as\": \"Shop_Id__c\"}, \"fields\": [
  {\"field\": \"email\", \"as\": \"Email\"}, {\"field\": \"first_name\", \"as\": \"FirstName\"}, {\"field\": \"last_name\", \"as\": \"LastName\"}, {\"field\": \"city\", \"as\": \"City__c\"},
  {\"field\": \"is_company\", \"as\": \"Company__c\"}, {\"field\": \"birth_date\", \"as\": \"Birthdate\"}, {\"field\": \"rfm\", \"as\": \"Rfm__c\"}, {\"field\": \"churn\", \"as\": \"Churn__c\"},
  {\"field\": \"loyalty\", \"as\": \"Loyalty__c\"}, {\"field\": \"turnover\", \"as\": \"Turnover__c\"}, {\"field\": \"recency\", \"as\": \"Recency__c\"}]}')"

clock() { local begin=$EPOCHREALTIME; on_shop -o /dev/null "$@"; awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'; }
# The same rows and columns, with the scores and the consents looked up, as a query of one's own would.
plain="SELECT g.customer, c.email, c.first_name, c.last_name, c.city, c.is_company, c.birth_date, g.rfm, g.churn, g.loyalty, s.turnover, s.recency
  FROM $space.customer_segments AS g JOIN $shop.customers AS c ON c.customer_id = g.customer JOIN $space.customer_scores AS s USING (customer)
  JOIN $space.customer_facts AS f USING (customer) WHERE has_consent(f.consents, 'email', '$AS_OF')"
sync=$(clock -c "SELECT crm_sync('$space', 'd')")
batch=$(sql -c "SELECT max(batch) FROM $space.crm_batch")
told=$(sql -c "SELECT sum(rows) FROM crm_files('$space', $batch)")
query=$(clock -c "COPY ($plain) TO '/dev/null' (FORMAT csv)")
printf '%s %s\n' "$sync" "$query" | report "\`crm_sync\`, the first: $told rows of 12 fields" '`COPY` of a query of the same' -
on_shop -o /dev/null -c "DROP TABLE IF EXISTS public.crm_plain" -c "CREATE UNLOGGED TABLE public.crm_plain AS $plain"
rm -f "$work/stream" "$work/bytes"
for ((round = 0; round < ROUNDS; round++)); do
  stored=$(clock -c "COPY public.crm_plain TO '/dev/null' (FORMAT csv)")
  printf '%s %s\n' "$(clock -c "COPY (SELECT l FROM crm_files('$space', $batch) AS f CROSS JOIN LATERAL crm_rows('$space', $batch, f.part) AS l) TO '/dev/null'")" "$stored" >>"$work/stream"
  printf '%s %s\n' "$(clock -c "COPY (SELECT b FROM crm_files('$space', $batch) AS f CROSS JOIN LATERAL crm_bytes('$space', $batch, f.part) AS b) TO '/dev/null' (FORMAT binary)")" "$stored" >>"$work/bytes"
done
report "\`crm_rows\` of them, to a file" '`COPY` of a table of the same rows' 2 <"$work/stream"
report "\`crm_bytes\` of them, to a file" 'the same' 2 <"$work/bytes"
note "$(run_psql -Atq -d "$DB" -c 'SET client_min_messages = warning' -c "COPY (SELECT l FROM crm_files('$space', $batch) AS f CROSS JOIN LATERAL crm_rows('$space', $batch, f.part) AS l) TO '/dev/null'" \
  -c "SELECT 'the stream of ' || $told || ' rows: the backend took at most ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+ kB)') || ', shared buffers it touched included'")"
ack=$(clock -c "SELECT crm_ack('$space', t.batch, 'bench') FROM crm_take('$space', 'bench') AS t")
note "$(sql -c "SELECT format('%s bytes in %s files', sum(bytes), count(*)) FROM crm_files('$space', $batch)"), crm_take with the consents asked again and crm_ack: $ack s"
on_shop -c "UPDATE $space.customer_segments SET rfm = CASE rfm WHEN 'new' THEN 'lost' ELSE 'new' END WHERE customer IN (SELECT customer FROM $space.crm_sent ORDER BY hashtext(key) LIMIT $moves)"
again=$(clock -c "SELECT crm_sync('$space', 'd')")
printf '%s %s\n' "$again" "$sync" | report "\`crm_sync\`, $moves moved: $(sql -c "SELECT rows FROM $space.crm_batch ORDER BY batch DESC LIMIT 1")" 'the first' 1
on_shop -o /dev/null -c "SELECT drop_workspace('$space')" -c 'DROP TABLE public.crm_plain'
