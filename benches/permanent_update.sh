# refresh_changed against the full refresh; what capture costs those who write; bursts of changes.

clock() { local began; began=$(date +%s.%N); "$@" >/dev/null; awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }'; }
quiet() { sql -c 'SET client_min_messages = warning' "$@"; }
changed=$((SIZE / 1000))
burst=$((SIZE / 10))

quiet -c 'DROP TABLE IF EXISTS bench_orders CASCADE' -c "SELECT count(segmentation.drop_workspace(workspace)) FROM segmentation.workspaces() WHERE workspace = 'bench_update'" \
  -c 'CREATE UNLOGGED TABLE bench_orders AS SELECT order_id, customer_id, ordered_on, amount FROM shop.orders' -c 'CREATE INDEX ON bench_orders (customer_id)' -c 'ANALYZE bench_orders' \
  -c "SELECT create_workspace('bench_update')" -c "SELECT add_source('bench_update', 'purchases', 'bench_orders')" -c "CALL refresh('bench_update', '$AS_OF')" >/dev/null

# Writers: one row a transaction, one client; then a statement with many rows. Each side in turns.
capture() { quiet -c "SELECT ${1}_capture('bench_update', 'purchases', 'bench_orders')" -c 'DELETE FROM bench_update.queue' >/dev/null; }
writes=$work/insert.sql
echo "INSERT INTO bench_orders VALUES (0, 1 + floor(random() * $SIZE)::integer, '$AS_OF', 10);" >"$writes"
chmod -R a+rX "$work"
one() { as_pg "$PG_BIN/pgbench" -h "$SOCKETS" -p "$PORT" -U "$PG_USER" -n -T 10 -f "$writes" "$DB" 2>/dev/null | awk '/^tps/ { print 1000 / $3 }'; }
many() { clock sql -c "INSERT INTO bench_orders SELECT 0, 1 + (n * 7919) % $SIZE, '$AS_OF', 10 FROM generate_series(1, $burst) AS n"; }
for side in one many; do
  for ((round = 0; round < ROUNDS; round++)); do
    if ((round % 2)); then capture start; a=$($side); capture stop; b=$($side)
    else capture stop; b=$($side); capture start; a=$($side); fi
    echo "$a $b"
  done >"$work/$side"
done
report 'a thousand inserts of one row, captured' 'the same, not captured' - <"$work/one"
report "an insert of $burst rows, captured" 'the same, not captured' - <"$work/many"

capture start
full=$(clock quiet -c "CALL refresh('bench_update', '$AS_OF', false)")
sql -c "UPDATE bench_orders SET amount = amount + 1 WHERE customer_id IN (SELECT 1 + (n * 7919) % $SIZE FROM generate_series(1, $changed) AS n)"
part=$(clock quiet -c "CALL refresh_changed('bench_update', '$AS_OF')")
# A call has a cost of its own, which only a big shop hides: the limit is for a million customers.
awk -v f="$full" -v p="$part" -v n="$changed" -v s="$SIZE" -v whole="$FULL" 'BEGIN { r = p / f; printf "| `refresh_changed`, purchases alone, %d of %d customers | the full refresh | %.3f | %.3f | **%.4f** | %s | %s |\n", n, s, p, f, r, s == whole ? "0.01" : "-", s != whole ? "-" : r <= 0.01 ? "met" : "MISSED" }' | tee -a "$work/table"

# Bursts. One statement over all orders of a tenth of the customers; and the queue as ten statements of one row for each
# of them leave it, brought in by one worker, then by two.
rows=$(sql -c "WITH u AS (UPDATE bench_orders SET amount = amount + 1 WHERE customer_id <= $burst RETURNING 1) SELECT count(*) FROM u")
note "a burst: one statement changes $rows rows of $burst customers; brought in within $(clock quiet -c "CALL refresh_changed('bench_update', '$AS_OF')") s"
short() { quiet -c "INSERT INTO bench_update.queue (customer) SELECT 1 + (n * 7919::bigint) % $burst FROM generate_series(1, $((burst * 10))) AS n" -c "UPDATE bench_orders SET amount = amount + 1 WHERE customer_id <= $burst AND order_id % 10 = 0" >/dev/null; }
work_off() { quiet -c "CALL refresh_changed('bench_update', '$AS_OF')"; }
two() { work_off & work_off; wait; }
short
alone=$(clock work_off)
short
together=$(clock two)
note "a queue of $((burst * 10)) rows, ten for each of $burst customers: one worker $alone s, two side by side $together s; $(sql -c 'SELECT count(*) FROM bench_update.queue') rows are left"
note "the next day, nothing changed: $(clock quiet -c "CALL refresh_changed('bench_update', '$(date -d "$AS_OF + 1 day" +%F)')") s for $(sql -c "SELECT coalesce(max(rows), 0) FROM bench_update.refresh_log WHERE phase = 'time'") customers whose day had come"
quiet -c "SELECT drop_workspace('bench_update')" -c 'DROP TABLE bench_orders' >/dev/null
