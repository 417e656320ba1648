# refresh_changed against the full refresh; what capture costs those who write; a burst of changes.

clock() { local began; began=$(date +%s.%N); "$@" >/dev/null; awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f", b - a }'; }
quiet() { sql -c 'SET client_min_messages = warning' "$@"; }
changed=$((SIZE / 1000))

quiet -c 'DROP TABLE IF EXISTS bench_orders CASCADE' -c "SELECT count(segmentation.drop_workspace(workspace)) FROM segmentation.workspaces() WHERE workspace = 'bench_update'" \
  -c 'CREATE UNLOGGED TABLE bench_orders AS SELECT order_id, customer_id, ordered_on, amount FROM shop.orders' -c 'CREATE INDEX ON bench_orders (customer_id)' -c 'ANALYZE bench_orders' \
  -c "SELECT create_workspace('bench_update')" -c "SELECT add_source('bench_update', 'purchases', 'bench_orders')" -c "CALL refresh('bench_update', '$AS_OF')" >/dev/null
# Writers: one row a transaction, one client; each side twice, in turns.
writes=$work/insert.sql
echo "INSERT INTO bench_orders VALUES (0, 1 + floor(random() * $SIZE)::integer, '$AS_OF', 10);" >"$writes"
chmod -R a+rX "$work"
tps() { as_pg "$PG_BIN/pgbench" -h "$SOCKETS" -p "$PORT" -U "$PG_USER" -n -T 10 -f "$writes" "$DB" 2>/dev/null | awk '/^tps/ { print $3 }'; }
without=$(tps)
update_without=$(clock sql -c "UPDATE bench_orders SET amount = amount WHERE customer_id <= $SIZE / 10")
quiet -c "SELECT start_capture('bench_update', 'purchases', 'bench_orders')" >/dev/null
with=$(tps)
note "writing one row a transaction: $without a second without capture, $with with it"
update_with=$(clock sql -c "UPDATE bench_orders SET amount = amount WHERE customer_id <= $SIZE / 10")
note "a statement that changes the rows of a tenth of $SIZE customers: $update_without s without capture, $update_with s with it, $(sql -c 'SELECT count(*) FROM bench_update.queue') rows in the queue"
full=$(clock quiet -c "CALL refresh('bench_update', '$AS_OF', false)")
sql -c "UPDATE bench_orders SET amount = amount + 1 WHERE customer_id IN (SELECT 1 + (n * 7919) % $SIZE FROM generate_series(1, $changed) AS n)"
part=$(clock quiet -c "CALL refresh_changed('bench_update', '$AS_OF')")
# A call has a cost of its own, which only a big shop hides: the limit is for a million customers.
awk -v f="$full" -v p="$part" -v n="$changed" -v s="$SIZE" -v whole="$FULL" 'BEGIN { r = p / f; printf "| `refresh_changed`, %d of %d customers | the full refresh | %.3f | %.3f | **%.4f** | %s | %s |\n", n, s, p, f, r, s == whole ? "0.01" : "-", s != whole ? "-" : r <= 0.01 ? "met" : "MISSED" }' | tee -a "$work/table"
note "a burst: changes of a tenth of $SIZE customers are brought in within $(sql -c "UPDATE bench_orders SET amount = amount + 1 WHERE customer_id <= $SIZE / 10" && clock quiet -c "CALL refresh_changed('bench_update', '$AS_OF')") s"
note "the next day, nothing changed: $(clock quiet -c "CALL refresh_changed('bench_update', '$(date -d "$AS_OF + 1 day" +%F)')") s for $(sql -c "SELECT coalesce(max(rows), 0) FROM bench_update.refresh_log WHERE phase = 'time'") customers whose day had come"
quiet -c "SELECT drop_workspace('bench_update')" -c 'DROP TABLE bench_orders' >/dev/null
