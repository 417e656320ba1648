# Fit and scores of purchase models, against the Python package lifetimes and against reading the bytes.

horizon=12 # weeks
fit="SELECT fit_purchase_model(history, '$AS_OF', '{\"family\": \"bg_nbd\"}') FROM histories"
churn="SELECT sum(churn_probability((SELECT model FROM bg_nbd), history, '$AS_OF', '$horizon weeks')) FROM histories"
bytes='SELECT sum(length(history::bytea)) FROM histories'
expected="SELECT sum(expected_purchases((SELECT model FROM bg_nbd), history, '$AS_OF', '$horizon weeks')) FROM histories"

if ! exists fit_purchase_model; then
  skip '`fit_purchase_model`, `churn_probability`, `expected_purchases`' 'not in the extension yet'
  return
fi

if ! (peers); then
  skip '`fit_purchase_model`, BG/NBD' 'lifetimes could not be installed'
else
  # What lifetimes wants: repeat purchase days, week of the last one, weeks observed.
  sql -c "COPY (
    SELECT purchase_days(history) - 1 AS frequency, (last_purchase(history) - first_purchase(history)) / 7.0 AS recency,
           tenure(history, '$AS_OF') / 7.0 AS t
    FROM histories WHERE purchase_days(history) > 0) TO STDOUT (FORMAT csv, HEADER)" >"$work/summary.csv"
  race '`fit_purchase_model`, BG/NBD' 'lifetimes' 0.05 "$fit" "peer:lifetimes_bg fit $work/summary.csv $work/fitted"
  race '`fit_purchase_model`, BG/NBD, two workers' 'lifetimes, one process' - "$fit" \
    "peer:lifetimes_bg fit $work/summary.csv $work/fitted" "$PARALLEL"
fi

sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS bg_nbd' -c "CREATE TABLE bg_nbd AS ${fit/ FROM/ AS model FROM}"
parameters=$(sql -c "SELECT concat_ws(' ', p ->> 'r', p ->> 'alpha', p ->> 'a', p ->> 'b') FROM bg_nbd, LATERAL (SELECT model -> 'parameters' AS p) AS p")
[ ! -s "$work/fitted" ] || note "BG/NBD r, alpha, a, b: ours $parameters; lifetimes $(cat "$work/fitted")"

if exists churn_probability; then
  race '`churn_probability`' 'sum(length(bytes))' 2 "$churn" "$bytes"
  race '`churn_probability`, two workers' 'sum(length(bytes)), two workers' - "$churn" "$bytes" "$PARALLEL"
else
  skip '`churn_probability`' 'not in the extension yet'
fi

if ! exists expected_purchases; then
  skip '`expected_purchases`' 'not in the extension yet'
elif [ ! -s "$work/summary.csv" ]; then
  skip '`expected_purchases`' 'lifetimes could not be installed'
else
  # The same parameters on both sides.
  race '`expected_purchases`' 'lifetimes, vectorised' 1.0 "$expected" \
    "peer:lifetimes_bg expected $work/summary.csv $work/expected $horizon $parameters"
  note "Sum of expected purchases in $horizon weeks: ours $(sql -c "$expected"); lifetimes $(cat "$work/expected")"
fi
[ ! -x .venv/bin/pip ] || note "Peers: Python $(.venv/bin/python -c 'import platform; print(platform.python_version())'), $(grep -v '^#' benches/peers/requirements.txt | paste -sd' ')"
