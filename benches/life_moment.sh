#!/usr/bin/env bash
# Precision and recall of the life-moment detectors on simulated shops, against the hidden truth, beside
# naive rules: benches/life_moment.sh, with the private cluster running. Thresholds were looked at on
# TUNE only; what is reported is REPORT. A part of the topic loyalty of benches/run, which measures time too.
. "$(dirname "$0")/../tools/common.sh"
TUNE=${TUNE-1}
REPORT=${REPORT:-2}
SIZE=${SIZE:-5000}
db=life_moments
if [ "$(run_psql -Atq -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = '$db'")" = 0 ]; then
  run_psql -q -d postgres -c "CREATE DATABASE $db"
fi
run_psql -q -d "$db" -c 'SET client_min_messages = warning' -c 'DROP SCHEMA IF EXISTS moments_shop CASCADE' \
  -c 'DROP EXTENSION IF EXISTS segmentation' -c 'CREATE EXTENSION segmentation'
for seed in $TUNE $REPORT; do
  say "Seed $seed, $SIZE customers"
  run_psql -q -v ON_ERROR_STOP=1 -v seed="$seed" -v customers="$SIZE" -d "$db" <"$ROOT/benches/life_moment.sql"
done
