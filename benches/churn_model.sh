# fit_churn_model on a million rows of 8 numbers, against scikit-learn's lbfgs on the same matrix in memory.
# Ours reads jsonb from a table; of that, `churn_rows` is the reading and fit_churn_model(rows) the regression.

n=$SIZE
sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS churn_bench, churn_gathered' -c "
  CREATE UNLOGGED TABLE churn_bench AS
  SELECT random() < 1 / (1 + exp(-(x[1] - 0.5 * x[2] + 0.3 * x[3] - 1))) AS churned,
         jsonb_build_object('a', x[1], 'b', x[2], 'c', x[3], 'd', x[4], 'e', x[5], 'f', x[6], 'g', x[7], 'h', x[8]) AS features
  FROM (SELECT setseed(0.4)) AS s, LATERAL (
    SELECT ARRAY[random(), random(), random(), random(), random(), random(), random(), random()] AS x FROM generate_series(1, $n)) AS m" \
  -c 'CREATE UNLOGGED TABLE churn_gathered AS SELECT churn_rows(churned, features) AS rows FROM churn_bench' -c 'ANALYZE churn_bench, churn_gathered'
fit='SELECT fit_churn_model(churned, features) FROM churn_bench'
regression='SELECT fit_churn_model(rows) FROM churn_gathered'
if ! (peers) || ! .venv/bin/python -c 'import sklearn' 2>/dev/null; then
  skip '`fit_churn_model`, 8 numbers' 'scikit-learn could not be installed'
else
  sql -c "COPY (SELECT churned::int, features -> 'a', features -> 'b', features -> 'c', features -> 'd', features -> 'e',
                       features -> 'f', features -> 'g', features -> 'h' FROM churn_bench) TO STDOUT (FORMAT csv, HEADER)" >"$work/matrix.csv"
  race '`fit_churn_model` from jsonb, 8 numbers' 'scikit-learn lbfgs, matrix in memory' - "$fit" "peer:scikit_logistic $work/matrix.csv $work/coefficients"
  race '`fit_churn_model` from jsonb, two workers' 'scikit-learn lbfgs, matrix in memory' - "$fit" "peer:scikit_logistic $work/matrix.csv $work/coefficients" "$PARALLEL"
  race '`fit_churn_model(churn_rows)`' 'scikit-learn lbfgs, matrix in memory' - "$regression" "peer:scikit_logistic $work/matrix.csv $work/coefficients"
  note "coefficients: scikit-learn $(cat "$work/coefficients")"
fi
race '`churn_probability(model, features)`' 'sum(length(features::text))' - \
  "SELECT sum(churn_probability((SELECT fit_churn_model(rows) FROM churn_gathered), features)) FROM churn_bench" \
  'SELECT sum(length(features::text)) FROM churn_bench'
