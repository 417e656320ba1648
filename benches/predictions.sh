# Who stays away and who brings how much, foretold for real shops: the axes churn and future_value of a workspace beside
# recency, last year's turnover, lifetimes' formulas, logistic regression and LightGBM. A table of quality, not of
# speed: it goes below the table of RESULTS.md and into docs/predictions.md, between the marks there.
# Run: benches/run predictions. Nothing is tuned on what is judged here.

shops() { run_psql -Atq -v ON_ERROR_STOP=1 -d real_shops "$@"; }

# One table of orders for all shops. An order of a wholesaler is an invoice; lines without a customer are left out.
load_real_shops() {
  run_psql -q -d postgres -c 'DROP DATABASE IF EXISTS real_shops WITH (FORCE)' -c 'CREATE DATABASE real_shops'
  shops -c 'CREATE TABLE orders (shop text, customer text, ordered_on date, amount numeric)' \
        -c 'CREATE TABLE lines (invoice text, product text, quantity integer, at timestamp, price numeric, customer text, country text)' \
        -c 'CREATE TABLE cdnow (customer text, day date, quantity integer, amount numeric)' \
        -c 'CREATE TABLE elog (customer text, day date)' \
        -c 'CREATE TABLE northwind_orders (order_id text, customer text, day date, required date, shipped date, freight numeric, city text, country text)' \
        -c 'CREATE TABLE northwind_lines (order_id text, product text, price numeric, quantity integer, discount numeric)'
  shops -c 'COPY cdnow FROM STDIN (FORMAT csv, HEADER)' <tests/data/cdnow_sample.csv
  zcat benches/data/grocery_elog.csv.gz | shops -c 'COPY elog FROM STDIN (FORMAT csv, HEADER)'
  zcat benches/data/online_retail.csv.gz | shops -c 'COPY lines FROM STDIN (FORMAT csv, HEADER)'
  shops -c 'COPY northwind_orders FROM STDIN (FORMAT csv, HEADER)' <benches/data/northwind/orders.csv
  shops -c 'COPY northwind_lines FROM STDIN (FORMAT csv, HEADER)' <benches/data/northwind/order_details.csv
  shops -c "
    INSERT INTO orders SELECT 'CDNOW', customer, day, amount FROM cdnow;
    INSERT INTO orders SELECT 'grocery log', customer, day, 1 FROM elog;
    INSERT INTO orders
    SELECT 'Online Retail', customer, min(at)::date, sum(quantity * price) FROM lines WHERE customer IS NOT NULL GROUP BY customer, invoice;
    INSERT INTO orders
    SELECT 'Northwind', o.customer, o.day, sum(l.price * l.quantity * (1 - l.discount))
    FROM northwind_orders AS o JOIN northwind_lines AS l USING (order_id) GROUP BY o.order_id, o.customer, o.day"
  if [ "$(run_psql -Atq -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = 'grocery'")" = 0 ]; then
    tools/load-grocery >/dev/null || true
  fi
  run_psql -Atq -d grocery -c "COPY (SELECT 'Complete Journey', household_id, bought_on, sum(amount) FROM purchase_lines GROUP BY household_id, basket_id, bought_on) TO STDOUT (FORMAT csv)" |
    shops -c 'COPY orders FROM STDIN (FORMAT csv)' || true
  shops -c 'CREATE INDEX ON orders (shop)' -c 'ANALYZE orders'
}

# Windows: two or three days of judgement a shop, horizons as far as the data go.
windows() {
  shops -F ' ' -c "
    SELECT replace(d.shop, ' ', '_'), d.day, h.days
    FROM (VALUES ('CDNOW', date '1997-06-30'), ('CDNOW', '1997-09-30'), ('CDNOW', '1997-12-31'),
                 ('grocery log', '2006-12-30'), ('grocery log', '2007-03-31'), ('grocery log', '2007-06-30'),
                 ('Online Retail', '2011-06-10'), ('Online Retail', '2011-09-09'),
                 ('Complete Journey', '2017-06-30'), ('Complete Journey', '2017-09-30'),
                 ('Northwind', '1997-09-30'), ('Northwind', '1998-01-31')) AS d (shop, day)
    CROSS JOIN (VALUES (30), (90), (180), (365)) AS h (days)
    JOIN (SELECT o.shop, max(o.ordered_on) AS last FROM orders AS o GROUP BY o.shop) AS l ON l.shop = d.shop AND d.day + h.days <= l.last
    WHERE h.days < 365 OR d.shop IN ('CDNOW', 'grocery log')
    ORDER BY 1, 2, 3"
}

# The workspace's answer: trained on what was known on the day.
workspace_answers() {
  local shop=$1 day=$2 days=$3
  shops -c 'SET client_min_messages = warning' -o /dev/null \
    -c "CREATE OR REPLACE VIEW shop_orders AS SELECT customer AS customer_id, ordered_on, amount FROM orders WHERE shop = '$shop' AND ordered_on <= '$day'" \
    -c "SELECT segmentation.create_workspace('judged', key_type => 'text')" \
    -c "SELECT segmentation.add_source('judged', 'purchases', 'shop_orders')" \
    -c "SELECT segmentation.configure_workspace('judged', '{\"churn_horizon\": \"$days days\", \"churn_lost_horizon\": \"$days days\",
          \"value_horizon\": \"$days days\", \"value_discount_rate\": 0, \"source_silence\": \"off\", \"minimum_buyers\": 30, \"minimum_repeaters\": 10, \"minimum_history\": \"60 days\"}')" \
    -c "CALL segmentation.refresh('judged', '$day')"
  shops -c "COPY (
    SELECT s.customer, c.churn, s.churn_probability, s.future_value
    FROM judged.customer_scores AS s JOIN judged.customer_segments AS c USING (customer)
    WHERE c.churn <> 'insufficient_data' OR s.future_value IS NOT NULL) TO STDOUT (FORMAT csv, HEADER)" >"$work/ours.csv"
  shops -c "COPY (SELECT parameter_set, quality, weak FROM judged.parameter_set) TO STDOUT" >"$work/quality.txt" 2>/dev/null || true
  shops -o /dev/null -c 'SET client_min_messages = warning' -c "SELECT segmentation.drop_workspace('judged')"
}

if ! (peers); then
  skip 'predictions on real shops' 'Python could not be set up'
else
  [ "$(run_psql -Atq -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = 'real_shops'")" = 1 ] || load_real_shops
  shops -c 'SET client_min_messages = warning' -c 'DROP EXTENSION IF EXISTS segmentation CASCADE' -c 'CREATE EXTENSION segmentation'
  : >"$work/predictions.csv"
  while read -r shop day days; do
    shop=${shop//_/ }
    say "Predictions: $shop on $day, $days days"
    workspace_answers "$shop" "$day" "$days"
    [ -s "$work/orders of $shop.csv" ] || shops -c "COPY (SELECT customer, ordered_on, sum(amount) AS amount FROM orders WHERE shop = '$shop' GROUP BY 1, 2 ORDER BY 1, 2) TO STDOUT (FORMAT csv, HEADER)" >"$work/orders of $shop.csv"
    .venv/bin/python benches/peers/predictions.py judge "$shop" "$day" "$days" "$work/orders of $shop.csv" "$work/ours.csv" "$work/predictions.csv" >/dev/null
  done < <(windows)
  .venv/bin/python benches/peers/predictions.py table "$work/predictions.csv" "$work/predictions.md"
  printf '\n## Predictions on real shops\n' >>"$work/sections"
  cat "$work/predictions.md" >>"$work/sections"
  cp "$work/predictions.csv" "${PREDICTIONS_OUT:-/dev/null}"
  page=docs/predictions.md
  if grep -qs '^<!-- predictions table -->' $page; then
    awk -v table="$work/predictions.md" '
      /^<!-- end of the predictions table -->/ { on = 0 }
      !on { print }
      /^<!-- predictions table -->/ { on = 1; while ((getline line < table) > 0) print line; print "" }' $page >"$work/page.md"
    cat "$work/page.md" >$page
  fi
fi
