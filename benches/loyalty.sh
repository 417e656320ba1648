# Life moments against the hidden truth of simulated shops (life_moment.sh); then loyalty and life moments of every
# stored history, against one plain aggregation of the orders. No limit is set.

if [ "${ACCURACY:-1}" != 0 ]; then
  { printf '\n## Life moments against the hidden truth\n\n```text\n'
    TUNE= SIZE=5000 benches/life_moment.sh
    printf '```\n'; } | tee -a "$work/sections"
fi

plain='SELECT customer_id, min(ordered_on), max(ordered_on), count(*), sum(amount) FROM shop.orders GROUP BY customer_id'
against='min, max, count, sum of the orders by customer'
sql -c "$MEMORY" -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS gap_prior' \
    -c "CREATE TABLE gap_prior AS SELECT jsonb_build_object('prior', fit_loyalty_prior(history, '$AS_OF')) AS gaps FROM histories"
gaps='(SELECT gaps FROM gap_prior)'
race '`fit_loyalty_prior`' "$against" - "SELECT fit_loyalty_prior(history, '$AS_OF') FROM histories" "$plain"
race '`loyalty`' "$against" - "SELECT avg((loyalty(history, '$AS_OF', $gaps)).index) FROM histories" "$plain"
race '`loyalty_next_change`' "$against" - "SELECT min(loyalty_next_change(history, '$AS_OF', $gaps)) FROM histories" "$plain"
for moment in "purchase_due(history, '$AS_OF', 1, $gaps)" "waning_interest(history, '$AS_OF')" "first_purchase_moment(history, '$AS_OF')" \
              "reactivated(history, '$AS_OF', $gaps)" "yearly_recurrence(history, '$AS_OF')" "marker_purchase(history, history, '$AS_OF')" "anniversary(first_purchase(history), '$AS_OF')"; do
  race "\`${moment%%(*}\`" "$against" - "SELECT count(*) FROM (SELECT ($moment).moment FROM histories OFFSET 0) AS m WHERE m.moment <> 'none'" "$plain"
done
race '`q_value` of every p value' "$against" - \
  "SELECT count(*) FROM (SELECT q_value(p) OVER () AS q FROM (SELECT (waning_interest(history, '$AS_OF')).p_value AS p FROM histories OFFSET 0) AS t WHERE p IS NOT NULL) AS q WHERE q <= 0.1" "$plain"
# All of it in one session: the greatest private memory of the backend.
note "loyalty and life moments of $SIZE customers: $(sql -c "$MEMORY" -c "$SERIAL" -c '\o /dev/null' \
  -c "SELECT fit_loyalty_prior(history, '$AS_OF') FROM histories" \
  -c "SELECT count(*) FROM (SELECT (loyalty(history, '$AS_OF', $gaps)).index, (purchase_due(history, '$AS_OF', 1, $gaps)).moment, (reactivated(history, '$AS_OF', $gaps)).moment FROM histories OFFSET 0) AS t" \
  -c "SELECT count(*) FROM (SELECT q_value(p) OVER () AS q FROM (SELECT (waning_interest(history, '$AS_OF')).p_value AS p FROM histories OFFSET 0) AS t) AS q WHERE q <= 0.1" \
  -c '\o' -c "SELECT 'the backend had at most ' || round(substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s*(\d+) kB')::numeric / 1024) || ' MB, shared buffers (' || current_setting('shared_buffers') || ') included'")"
