# Shops with every table, and workspaces that are fed with all of them: what `workspace` and `refresh` measure on.

on_shop() { sql -c 'SET client_min_messages = warning' -c 'SET jit = off' -c "$MEMORY" -c "$SERIAL" "$@"; }
# Companies are a view, which no trigger can watch: changes of it are seen by a full refresh.
fed='purchases=orders purchase_lines=order_lines customers=customers contacts=contacts interactions=interactions consents=consents
  attribute_history=attribute_history products=products companies=companies subscriptions=subscriptions'

# whole <schema> <customers>: a shop with every table, once, with an index by customer.
whole() {
  [ "$(sql -c "SELECT to_regclass('$1.companies') IS NOT NULL AND (SELECT count(*) FROM pg_namespace WHERE nspname = '$1' AND obj_description(oid, 'pg_namespace') LIKE '% $2 customers%') > 0")" = f ] || return 0
  say "Simulating a whole shop of $2 customers, once"
  on_shop -o /dev/null -c "DROP SCHEMA IF EXISTS $1 CASCADE" -c "SELECT * FROM simulate_shop('$1', $2, options => '{\"unlogged\": true, \"chronological\": false}')" \
    -c "CREATE VIEW $1.companies AS SELECT customer_id, company_name, siren, naf_code, headcount_band FROM $1.customers WHERE is_company" \
    -c "CREATE INDEX ON $1.orders (customer_id)" -c "CREATE INDEX ON $1.order_lines (customer_id)" -c "CREATE INDEX ON $1.contacts (customer_id)" -c "CREATE INDEX ON $1.interactions (customer_id)"
  sql -c "SELECT format('VACUUM (FREEZE, ANALYZE) %I.%I;', schemaname, tablename) FROM pg_tables WHERE schemaname = '$1'" | run_psql -q -d "$DB"
}

# feed <workspace> <schema>: a new workspace with every source.
feed() {
  local pair
  on_shop -o /dev/null -c "DROP SCHEMA IF EXISTS $1 CASCADE" -c "SELECT create_workspace('$1', 'integer', 'Europe/Paris')"
  for pair in $fed; do on_shop -o /dev/null -c "SELECT add_source('$1', '${pair%=*}', '$2.${pair#*=}')"; done
}
