# A refresh as a whole against the plain aggregation of its own sources, by size and by workers: CPU seconds of all
# processes of the server, and the clock's. Both sides read the same tables; the other side keeps count, sum, first and
# last of each customer.

. benches/parts/whole_shop.sh
sizes=${REFRESH_SIZES:-10000 100000}

# CPU seconds of the server's processes that have ended: sessions and their workers are reaped by the postmaster.
ended() { awk '{ print ($16 + $17) / 100 }' "/proc/$(head -1 "$DATA/postmaster.pid")/stat"; }

# spent <settings> <statement>: CPU and clock seconds of a session with one statement.
spent() {
  local before after begin end
  before=$(ended); begin=$(date +%s.%N)
  run_psql -q -o /dev/null -v ON_ERROR_STOP=1 -d "$DB" -c 'SET client_min_messages = warning' -c 'SET jit = off' -c "$MEMORY" -c "$1" -c "$2"
  end=$(date +%s.%N)
  # A session's process may outlive its client a little.
  sleep 0.3
  after=$(ended)
  awk -v a="$before" -v b="$after" -v c="$begin" -v d="$end" 'BEGIN { printf "%.2f %.2f\n", b - a, d - c }'
}
# What a customer's rows come to, source by source.
plain_of() {
  local pair relation columns
  for pair in 'orders min(ordered_on), max(ordered_on), sum(amount)' 'order_lines min(ordered_on), max(ordered_on), sum(amount), sum(quantity)' \
    'contacts min(sent_at), max(sent_at)' 'interactions min(occurred_at), max(occurred_at)' 'consents min(changed_on), max(changed_on)' \
    'attribute_history min(changed_on), max(changed_on)' 'subscriptions min(started_on), max(ended_on)' 'customers max(birth_date)'; do
    relation=${pair%% *}; columns=${pair#* }
    # Of the whole row: aggregates that nothing reads would not be computed.
    printf 'SELECT count(g) FROM (SELECT customer_id, count(*), %s FROM %s.%s GROUP BY customer_id) AS g;\n' "$columns" "$1" "$relation"
  done
}
fitted() { awk '{ x[NR] = log($1); y[NR] = log($2) } END { print NR > 1 ? sprintf("%.2f", (y[NR] - y[1]) / (x[NR] - x[1])) : "-" }'; }

rm -f "$work"/exponents.*
for size in $sizes; do
  schema=whole_$size; space=refresh_$size
  whole "$schema" "$size"
  feed "$space" "$schema"
  plain=$(plain_of "$schema")
  for workers in 0 2; do
    with="SET max_parallel_workers_per_gather = $workers"
    label="$size customers, $workers workers"
    [ "$workers" != 0 ] || read -r first_cpu first_wall < <(spent "$with" "CALL refresh('$space', '$AS_OF')")
    spent "$with" "$plain" >/dev/null
    for ((round = 0; round < ROUNDS; round++)); do
      read -r cpu wall < <(spent "$with" "CALL refresh('$space', '$AS_OF', false)")
      read -r plain_cpu plain_wall < <(spent "$with" "$plain")
      printf '%s %s\n' "$cpu" "$plain_cpu" >>"$work/cpu"
      printf '%s %s\n' "$wall" "$plain_wall" >>"$work/wall"
    done
    report "\`refresh\`, nothing to train, CPU, $label" 'count, sum, first, last of every source by customer' 2.5 <"$work/cpu"
    report "\`refresh\`, nothing to train, clock, $label" 'the same' - <"$work/wall"
    sort -n "$work/wall" | awk -v s="$size" '{ w[NR] = $1 } END { print s, w[int((NR + 1) / 2)] }' >>"$work/exponents.$workers"
    if [ "$workers" = 0 ]; then
      printf '%s %s\n' "$first_cpu" "$plain_cpu" | report "\`refresh\`, the first, CPU, $label" 'the same' 4
      alone=$wall
    else
      note "refresh of $size customers: $alone s alone, $wall s with $workers workers"
    fi
    note "refresh of $size customers, $workers workers, by phase: $(sql -c "SELECT string_agg(format('%s %s s', phase, round(extract(epoch FROM ended_at - began_at), 2)), ', ' ORDER BY place) FROM $space.refresh_log WHERE refresh = (SELECT max(refresh) FROM $space.refresh_log)")"
    rm -f "$work/cpu" "$work/wall"
  done
done
for workers in 0 2; do
  note "refresh grows with the number of customers to the power of $(fitted <"$work/exponents.$workers"), $workers workers"
done
