# What each of 2,469 real households buys next (Complete Journey), by the methods of the literature and by
# fit_product_affinity and top_products, of 28 days and of the next basket. A table of quality, not of speed: it goes
# below the table of RESULTS.md and into docs/product_appetence.md, between the marks there. Run: benches/run grocery

grocery() { run_psql -Atq -v ON_ERROR_STOP=1 -d grocery "$@"; }

# grocery_lists <level> <options of the fit>: lists of ten by task and household, as of 28 days before the end.
grocery_lists() {
  grocery -c "
    CREATE TEMPORARY TABLE histories AS
    SELECT household_id, item_history($1::text, bought_on) AS history
    FROM purchase_lines WHERE $1 IS NOT NULL AND bought_on <= (SELECT max(bought_on) - 28 FROM purchase_lines) GROUP BY 1" -c "
    CREATE TEMPORARY TABLE model AS
    SELECT 'month' AS task, max(as_of) AS as_of, fit_product_affinity(history, as_of, '{$2}') AS model
    FROM histories, (SELECT max(bought_on) - 28 AS as_of FROM purchase_lines) s UNION ALL
    SELECT 'next', max(as_of), fit_product_affinity(history, as_of, '{\"horizon\": \"next\", $2}')
    FROM histories, (SELECT max(bought_on) - 28 AS as_of FROM purchase_lines) s" -c "COPY (
    SELECT task, household_id AS household, part, rank, item
    FROM model, histories,
      (VALUES ('overall', '{}'), ('repeat', '{\"sources\": [\"repeat\"]}'), ('discovery', '{\"sources\": [\"discovery\", \"popular\"]}')) p (part, options),
      LATERAL top_products(model, history, as_of, 10, options::jsonb)
    ORDER BY 1, 2, 3, 4) TO STDOUT (FORMAT csv, HEADER)"
}

if ! exists top_products; then
  skip 'product appetence on Complete Journey' 'not in the extension yet'
elif ! (peers); then
  skip 'product appetence on Complete Journey' 'Python could not be set up'
else
  if [ "$(run_psql -Atq -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = 'grocery'")" = 0 ]; then
    tools/load-grocery >/dev/null
  fi
  grocery -c 'SET client_min_messages = warning' -c 'DROP EXTENSION IF EXISTS segmentation CASCADE' -c 'CREATE EXTENSION segmentation' \
          -c 'ALTER DATABASE grocery SET search_path = public, segmentation'
  for level in product_type product_id; do
    fewest=1; [ $level = product_type ] || fewest=10
    say "Complete Journey by $level: lists by SQL, then the peers"
    grocery_lists $level "\"min_customers\": $fewest, \"ease_items\": 3000, \"neighbours\": 200" >"$work/ours.csv"
    grocery -c "COPY (SELECT household_id AS household, basket_id AS basket, bought_at, $level AS item FROM purchase_lines
                WHERE $level IS NOT NULL) TO STDOUT (FORMAT csv, HEADER)" >"$work/lines.csv"
    OMP_NUM_THREADS=1 .venv/bin/python benches/peers/grocery.py "$work/lines.csv" "$work/ours.csv" $level "$work/part.md"
    cat "$work/part.md" | tee -a "$work/grocery.md"
  done
  printf '\n## Product appetence on real baskets\n' >>"$work/sections"
  cat "$work/grocery.md" >>"$work/sections"
  for page in docs/product_appetence.md; do
    if grep -qs '^<!-- grocery table -->' $page; then
      awk -v table="$work/grocery.md" '
        /^<!-- end of the grocery table -->/ { on = 0 }
        !on { print }
        /^<!-- grocery table -->/ { on = 1; while ((getline line < table) > 0) print line; print "" }' $page >"$work/page.md"
      cat "$work/page.md" >$page
    fi
  done
fi
