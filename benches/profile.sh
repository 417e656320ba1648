# k-means on 1 M x 8 numbers, k = 8, from the same start, against scikit-learn's Lloyd iterations.
# Both sides have their data in memory: ours as a stored profile_rows, whose ordering and judging are within
# its time. Needs scikit-learn among the peers (benches/peers/requirements.txt). Run: benches/run profile

start='[[0.2,0.2,0.2,0.2,0.2,0.2,0.2,0.2],[0.8,0.2,0.2,0.2,0.2,0.2,0.2,0.2],[0.2,0.8,0.2,0.2,0.2,0.2,0.2,0.2],[0.2,0.2,0.8,0.2,0.2,0.2,0.2,0.2],[0.2,0.2,0.2,0.8,0.2,0.2,0.2,0.2],[0.2,0.2,0.2,0.2,0.8,0.2,0.2,0.2],[0.2,0.2,0.2,0.2,0.2,0.8,0.2,0.2],[0.2,0.2,0.2,0.2,0.2,0.2,0.8,0.2]]'
options="{\"start\": $start, \"standardize\": false, \"max_iterations\": 20, \"tolerance\": 0}"

if ! exists fit_profile; then
  skip '`fit_profile`, k-means' 'not in the extension yet'
elif ! (peers) || ! .venv/bin/python -c 'import sklearn' 2>/dev/null; then
  skip '`fit_profile`, k-means' 'scikit-learn could not be installed'
else
  sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS points, points_held' -o /dev/null -c 'SELECT setseed(0.5)' -c "CREATE UNLOGGED TABLE points AS
    SELECT ARRAY[random(), random(), random(), random(), random(), random(), random(), random()] AS f
    FROM generate_series(1, $SIZE)" -c "CREATE UNLOGGED TABLE points_held AS SELECT profile_rows(f, '$options') AS held FROM points"
  sql -c "COPY (SELECT array_to_string(f, ',') FROM points) TO STDOUT (DELIMITER E'\t')" >"$work/points.csv"
  race '`fit_profile`, k-means, 20 iterations' 'scikit-learn, Lloyd' 1.0 'SELECT fit_profile(held) FROM points_held' \
    "peer:sklearn_kmeans $work/points.csv $work/inertia"
  note "k-means inertia: ours $(sql -c "SELECT fit_profile(held) #>> '{quality,inertia}' FROM points_held"); scikit-learn $(cat "$work/inertia")"
fi
