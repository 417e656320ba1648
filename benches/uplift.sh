# uplift: of 1,000 simulated campaigns with a known effect, in how many does the 95 % interval hold it.
# 2,000 customers each, a fifth held out; spend is lognormal, so skewed as turnover is.

sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS uplift_campaigns' -c 'SELECT setseed(0.1)' -o /dev/null -c "
  CREATE UNLOGGED TABLE uplift_campaigns AS
  SELECT effect, campaign, assigned, u < rate AS bought, CASE WHEN u < rate THEN exp(3.5 + 0.6 * z) ELSE 0 END AS spent
  FROM (VALUES ('no effect', 0.20, 0.20), ('effect', 0.20, 0.25)) AS e (effect, control, treated),
       generate_series(1, 1000) AS campaign, generate_series(1, 2000) AS customer,
       LATERAL (SELECT NOT holdout(customer::text, campaign::text || effect, 0.2) AS assigned, random() AS u,
                       sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS z) AS r,
       LATERAL (SELECT CASE WHEN assigned THEN treated ELSE control END AS rate) AS t"
while IFS='|' read -r effect campaigns rate value ratio found; do
  note "uplift, $effect: intervals hold the true effect in $rate % (rates), $value % (turnover), $ratio % (relative) of $campaigns campaigns; \"better\" or \"worse\" is said in $found %"
  for share in "$rate" "$value" "$ratio"; do
    awk -v s="$share" 'BEGIN { exit !(s >= 93 && s <= 97) }' || note "MISSED: $share % is not within 93 to 97 %"
  done
done < <(sql -F '|' -c "
  SELECT effect, count(*), round(100 * avg((truth BETWEEN (b).lower AND (b).upper)::int), 1),
         -- exp(3.5 + 0.6^2 / 2): the mean of an order
         round(100 * avg((truth * exp(3.68) BETWEEN (s).lower AND (s).upper)::int), 1),
         round(100 * avg((truth / 0.20 BETWEEN (b).relative_lower AND (b).relative_upper)::int), 1),
         round(100 * avg(((b).verdict IN ('better', 'worse'))::int), 1)
  FROM (SELECT effect, CASE effect WHEN 'effect' THEN 0.05 ELSE 0 END AS truth, uplift(assigned, bought) AS b, uplift(assigned, spent) AS s
        FROM uplift_campaigns GROUP BY effect, campaign) AS t GROUP BY effect ORDER BY effect")
sql -c 'DROP TABLE uplift_campaigns'

# Next changes of a million customers, by the clock.
for family in bg_nbd pareto_nbd mbg_cnbd_k; do
  sql -o /dev/null -c "DROP TABLE IF EXISTS next_change_model" -c "CREATE UNLOGGED TABLE next_change_model AS
    SELECT p, s, c, v FROM (SELECT fit_purchase_model(history, '$AS_OF', '{\"family\": \"$family\"$([ $family = mbg_cnbd_k ] && echo ', "k": 2')}') AS p, fit_spend_model(history, '$AS_OF') AS s, pmg_cuts(turnover(history, date '$AS_OF' - 365, '$AS_OF')) AS c FROM histories) AS m,
      LATERAL (SELECT pmg_cuts(future_value(m.p, m.s, history, '$AS_OF', '365 days'), '{\"mode\": \"cumulative\"}') AS v FROM histories TABLESAMPLE SYSTEM (5)) AS l"
  churn=$(seconds "SELECT count(churn_next_change(p, history, '$AS_OF')) FROM histories, next_change_model")
  worth=$(seconds "SELECT count(future_value_next_change(p, s, history, '$AS_OF', v)) FROM histories TABLESAMPLE SYSTEM (5), next_change_model")
  note "$family, $SIZE customers: churn_next_change $churn s; future_value_next_change on a twentieth of them $worth s"
done
sql -c 'DROP TABLE next_change_model'
