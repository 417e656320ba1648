# purchase_history by customer, against the aggregates that everybody knows, in the same plan.

ours='SELECT customer_id, purchase_history(ordered_on, amount) FROM %s GROUP BY customer_id'
other='SELECT customer_id, min(ordered_on), max(ordered_on), count(*), sum(amount) FROM %s GROUP BY customer_id'

by_customer() {
  local what="\`purchase_history\` by customer, $1" limit=$2 a=${ours//%s/$3} b=${other//%s/$3}
  if [ "$(nodes "$a" "${4:-}")" = "$(nodes "$b" "${4:-}")" ]; then
    race "$what" 'min, max, count, sum' "$limit" "$a" "$b" "${4:-}"
  else
    skip "$what" 'the plans differ'
  fi
}
by_customer 'stored customer by customer' 1.5 shop.orders
by_customer 'stored in the order of time' 1.5 shop.orders_by_time
by_customer 'two workers' - shop.orders "$PARALLEL"
by_customer 'the hash table spills' - shop.orders "SET work_mem = '16MB'"
by_customer 'sorted' - shop.orders "SET enable_hashagg = off"
