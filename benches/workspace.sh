# A workspace with every source: time of each phase against one plain aggregation of the orders, peak memory, what a
# thousandth of changed customers costs, the views, bytes a customer. Then the axes against the hidden truth, if TRUTH
# is not 0, on a shop of that many customers.

TRUTH=${TRUTH:-5000}
work_shop=whole_shop
. benches/parts/whole_shop.sh

# call <statement>: seconds and the greatest private memory of the backend (RssAnon, looked at ten times a second), in MB.
call() {
  local out=$work/call
  run_psql -Atq -v ON_ERROR_STOP=1 -d "$DB" -c 'SET client_min_messages = warning' -c 'SET jit = off' -c "$MEMORY" -c "$SERIAL" -c "SET application_name = 'bench_workspace'" \
    -c 'SELECT pg_backend_pid()' -c 'SELECT extract(epoch FROM clock_timestamp())' -c "$1" -c 'SELECT extract(epoch FROM clock_timestamp())' >"$out" &
  local job=$! pid='' peak=0 now
  while kill -0 $job 2>/dev/null; do
    [ -n "$pid" ] || pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'bench_workspace'")
    now=$(awk '/^RssAnon/ { print $2 }' "/proc/${pid:-none}/status" 2>/dev/null || true)
    [ "${now:-0}" -le "$peak" ] || peak=$now
    sleep 0.1
  done
  wait $job
  awk -v peak="$peak" 'NR == 2 { b = $1 } NR > 2 { e = $1 } END { printf "%.3f %.0f\n", e - b, peak / 1024 }' "$out"
}
# Both sides find what they read in the memory of the operating system, as on a server that has enough of it: a thousand
# customers are thousands of single pages, and a disk that needs a millisecond for each would be all that is measured.
warm() {
  sql -c "SELECT pg_relation_filepath(c.oid) FROM pg_class AS c WHERE c.relnamespace IN ('$work_shop'::regnamespace, 'bench_workspace'::regnamespace) AND c.relkind IN ('r', 'i', 't', 'm') AND pg_relation_filepath(c.oid) IS NOT NULL
          UNION SELECT pg_relation_filepath(i.indexrelid) FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.reltoastrelid WHERE c.relnamespace = 'bench_workspace'::regnamespace" |
    while read -r path; do as_pg sh -c "cat '$DATA/$path' '$DATA/$path'.* >/dev/null 2>&1 || true"; done
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }
row() { printf '| %s | %s | %s | %s | **%s** | %s | %s |\n' "$@" | tee -a "$work/table"; }

whole "$work_shop" "$SIZE"
plain="SELECT customer_id, min(ordered_on), max(ordered_on), count(*), sum(amount) FROM $work_shop.orders GROUP BY customer_id"
seconds "$plain" >/dev/null
base=$(for round in 1 2 3; do seconds "$plain"; done | sort -n | sed -n 2p)
note "the whole shop: $(sql -c "SELECT string_agg(format('%s %s', n.n, n.name), ', ') FROM (SELECT c.reltuples::bigint AS n, c.relname AS name FROM pg_class AS c WHERE c.relnamespace = '$work_shop'::regnamespace AND c.relkind = 'r' AND NOT c.relname LIKE 'truth%' AND c.reltuples >= 1000 ORDER BY 1 DESC) AS n")"
feed bench_workspace "$work_shop"
read -r first first_memory < <(call "CALL refresh('bench_workspace', '$AS_OF')")
while IFS='|' read -r phase took; do
  row "\`refresh\`, phase $phase, $SIZE customers" 'min, max, count, sum of the orders' "$took" "$base" "$(ratio "$took" "$base")" - -
done < <(sql -c "SELECT phase, round(extract(epoch FROM ended_at - began_at), 3) FROM bench_workspace.refresh_log ORDER BY refresh, place")
row "\`refresh\`, the first, all phases" 'min, max, count, sum of the orders' "$first" "$base" "$(ratio "$first" "$base")" - -
on_shop -o /dev/null -c "SELECT start_capture('bench_workspace', kind, relation) FROM bench_workspace.source WHERE mapping ? 'customer' AND kind <> 'companies'"
warm
read -r full full_memory < <(call "CALL refresh('bench_workspace', '$AS_OF', false)")
row "\`refresh\`, nothing to train" 'min, max, count, sum of the orders' "$full" "$base" "$(ratio "$full" "$base")" - -
note "peak private memory of the backend (RssAnon): $first_memory MB with a training, $full_memory MB without; work_mem is 1 GB"
changed=$((SIZE / 1000))
warm
# Three times other customers, and the median.
part=$(for prime in 7919 7907 7901; do
  on_shop -c "UPDATE $work_shop.orders SET amount = amount WHERE customer_id IN (SELECT 1 + (n * $prime) % $SIZE FROM generate_series(1, $changed) AS n)"
  call "CALL refresh_changed('bench_workspace', '$AS_OF')"
done | sort -n | awk 'NR == 2 { print $1 }')
r=$(ratio "$part" "$full")
verdict=-; limit=-
if [ "$SIZE" = $FULL ]; then limit=0.01; verdict=$(awk -v r="$r" 'BEGIN { print r <= 0.01 ? "met" : "MISSED" }'); fi
row "\`refresh_changed\`, every source, $changed of $SIZE customers" 'the full refresh' "$part" "$full" "$r" "$limit" "$verdict"
read -r day day_memory < <(call "CALL refresh_changed('bench_workspace', '$(date -d "$AS_OF + 1 day" +%F)')")
note "the next day, nothing changed: $day s for $(sql -c "SELECT coalesce(max(rows) FILTER (WHERE phase = 'time'), 0) FROM bench_workspace.refresh_log WHERE refresh = (SELECT max(refresh) FROM bench_workspace.refresh_log)") customers whose day had come"
read -r views views_memory < <(call "CALL refresh_views('bench_workspace')")
row '`refresh_views`' 'the full refresh' "$views" "$full" "$(ratio "$views" "$full")" - -
note "$(sql -c "SELECT format('the schema takes %s bytes a customer: %s', round(sum(s.bytes) / $SIZE), string_agg(format('%s %s', s.name, round(s.bytes / $SIZE)), ', ' ORDER BY s.bytes DESC) FILTER (WHERE s.bytes / $SIZE >= 5))
  FROM (SELECT c.relname AS name, pg_total_relation_size(c.oid)::numeric AS bytes FROM pg_class AS c WHERE c.relnamespace = 'bench_workspace'::regnamespace AND c.relkind IN ('r', 'm')) AS s")"
sql -c 'SET client_min_messages = warning' -o /dev/null -c "SELECT drop_workspace('bench_workspace')"

if [ "$TRUTH" != 0 ]; then
  truth_shop=$work_shop
  [ "$TRUTH" = "$SIZE" ] || { truth_shop=truth_shop; whole truth_shop "$TRUTH"; }
  { printf '\n## The axes of a workspace against the hidden truth\n\n%s customers; trained and scored 90 days before the end of the shop.\n\n' "$TRUTH"
    sql -v shop="$truth_shop" -f - <benches/workspace_truth.sql; } | tee -a "$work/sections"
fi
