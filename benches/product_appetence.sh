# fit_product_affinity on 50 lines a customer and 20,000 items, against one plain aggregation of the same lines
# by customer and item, and against implicit's cosine neighbours on the same matrix, which it has in memory.
# Needs implicit among the peers (benches/peers/requirements.txt). Run: benches/run product_appetence

ITEMS=20000
if ! exists fit_product_affinity; then
  skip '`fit_product_affinity`' 'not in the extension yet'
else
  # As in a shop: few items sell much, and a customer buys again what it has bought.
  if [ "$(sql -c "SELECT to_regclass('shop.lines') IS NOT NULL")" = f ] || [ "$(sql -c 'SELECT EXISTS (SELECT FROM shop.lines)')" = f ]; then
    say "Making $SIZE customers' lines, once"
    sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS shop.lines' -c 'SELECT setseed(0.3)' -o /dev/null -c "
      CREATE UNLOGGED TABLE shop.lines AS
      SELECT customer_id, (CASE WHEN random() < 0.5
               THEN hashint4(customer_id * 16 + floor(16 * random() ^ 2)::int) & 2147483647
               ELSE floor($ITEMS * random() ^ 3)::int END) % $ITEMS AS item,
             '$AS_OF'::date - floor(730 * random())::int AS bought_on
      FROM generate_series(1, $SIZE) AS customer_id, generate_series(1, 50)"
    sql -c 'VACUUM (FREEZE, ANALYZE) shop.lines'
  fi
  sql -c "SET work_mem = '1GB'" -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS item_histories' -c '
    CREATE UNLOGGED TABLE item_histories AS
    SELECT customer_id, item_history(item::text, bought_on) AS history FROM shop.lines GROUP BY customer_id' -c 'ANALYZE item_histories'
  plain='SELECT customer_id, item, count(*), max(bought_on) FROM shop.lines GROUP BY customer_id, item'
  fit="SELECT fit_product_affinity(history, '$AS_OF', '{\"neighbours\": 50}') FROM item_histories"
  race '`item_history` by customer, 50 lines each' 'count, max by customer and item' - \
    'SELECT item_history(item::text, bought_on) FROM shop.lines GROUP BY customer_id' "$plain"
  race "\`fit_product_affinity\`, $ITEMS items" 'count, max by customer and item' - "$fit" "$plain"
  sql -c "$MEMORY" -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS affinity_model' -c "CREATE UNLOGGED TABLE affinity_model AS $fit"
  race '`top_products`, 10 of each of 1,000 customers' 'count, max by customer and item' - \
    "SELECT count(*) FROM affinity_model AS m (model), (SELECT history FROM item_histories LIMIT 1000) AS h,
       LATERAL top_products(model, history, '$AS_OF', 10)" "$plain"
  note "fit_product_affinity: $(sql -c "$MEMORY" -c "$SERIAL" -c "
    SELECT concat_ws(', ', model -> 'method', (model -> 'warnings')::text) FROM (SELECT to_jsonb(m) AS model FROM ($fit) AS f (m)) AS j" -c "
    SELECT '; memory of the backend at most ' || substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s*(\d+ kB)')" | tr -d '\n')"
  if ! (peers) || ! .venv/bin/python -c 'import implicit' 2>/dev/null; then
    skip '`fit_product_affinity`' 'implicit could not be installed'
  else
    sql -c "COPY (SELECT customer_id, item FROM shop.lines) TO STDOUT (FORMAT csv)" >"$work/pairs.csv"
    race "\`fit_product_affinity\`, $ITEMS items" 'implicit, cosine neighbours alone, matrix in memory' - "$fit" \
      "peer:implicit_cosine $work/pairs.csv 50"
    rm -f "$work/pairs.csv"
  fi
fi
