"""Splink (DuckDB) on FEBRL, tuned as its own tutorial does, without labels: pairs and clusters against the truth.

    python benches/peers/splink_febrl.py <with soc_sec_id: yes or no> <threshold> dataset.csv [dataset.csv]
"""
import csv
import sys
import time

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

identifier, threshold, files = sys.argv[1] == "yes", float(sys.argv[2]), sys.argv[3:]
rows = []
for name in files:
    with open(name) as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            rows.append({key.strip(): (value or "").strip() or None for key, value in row.items()})
for row in rows:
    row["unique_id"] = row.pop("rec_id")
truth = {row["unique_id"]: row["unique_id"].split("-")[1] for row in rows}
connection = duckdb.connect()
columns = list(rows[0])
connection.execute(f"CREATE TABLE records ({', '.join(c + ' VARCHAR' for c in columns)})")
connection.executemany(f"INSERT INTO records VALUES ({', '.join('?' * len(columns))})", [[r[c] for c in columns] for r in rows])
begun = time.time()
rules = [block_on("surname", "substr(date_of_birth, 1, 4)"), block_on("given_name", "date_of_birth"), block_on("surname", "postcode"),
         block_on("given_name", "postcode"), block_on("date_of_birth"), block_on("address_1", "street_number"), block_on("given_name", "surname"),
         block_on("suburb", "street_number")] + ([block_on("soc_sec_id")] if identifier else [])
jaro = lambda name: cl.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True)
comparisons = [jaro("given_name"), jaro("surname"), cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
               cl.JaroWinklerAtThresholds("address_1", [0.88]).configure(term_frequency_adjustments=True), jaro("suburb"),
               cl.LevenshteinAtThresholds("postcode", [1]), cl.ExactMatch("street_number"), cl.ExactMatch("state")]
if identifier:
    comparisons.append(cl.LevenshteinAtThresholds("soc_sec_id", [1]))
settings = SettingsCreator(link_type="dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules)
api = DuckDBAPI(connection)
try:
    linker = Linker("records", settings, api)
except Exception:
    linker = Linker(api.register("records"), settings)
linker.training.estimate_probability_two_random_records_match(
    [block_on("given_name", "surname", "date_of_birth"), block_on("surname", "postcode", "date_of_birth")], recall=0.6)
linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
for rule in (block_on("given_name", "date_of_birth"), block_on("date_of_birth"), block_on("surname", "postcode"), block_on("given_name", "postcode")):
    linker.training.estimate_parameters_using_expectation_maximisation(rule)
found = linker.inference.predict(threshold_match_probability=threshold)
pairs = {(min(a, b), max(a, b)) for a, b in ((r["unique_id_l"], r["unique_id_r"]) for r in found.as_record_list())}
seconds = time.time() - begun
by_person = {}
for record, person in truth.items():
    by_person.setdefault(person, []).append(record)
there = sum(len(v) * (len(v) - 1) // 2 for v in by_person.values())
right = sum(truth[a] == truth[b] for a, b in pairs)
parent = {record: record for record in truth}


def root(record):
    while parent[record] != record:
        record = parent[record]
    return record


for a, b in pairs:
    parent[root(a)] = root(b)
clusters = {}
for record in truth:
    clusters.setdefault(root(record), []).append(record)
cell = lambda members, person: sum(truth[m] == person for m in members)
made = sum(len(v) * (len(v) - 1) // 2 for v in clusters.values())
joined = sum(sum(truth[a] == truth[b] for i, a in enumerate(v) for b in v[i + 1:]) for v in clusters.values())
precision = sum(cell(v, truth[m]) / len(v) for v in clusters.values() for m in v) / len(truth)
recall = sum(cell(v, truth[m]) / len(by_person[truth[m]]) for v in clusters.values() for m in v) / len(truth)
print(f"pairs P {right / len(pairs):.4f} R {right / there:.4f} F1 {2 * right / (len(pairs) + there):.4f} | clusters P {joined / made:.4f} "
      f"R {joined / there:.4f} F1 {2 * joined / (made + there):.4f} | B-cubed P {precision:.4f} R {recall:.4f} "
      f"F {2 * precision * recall / (precision + recall):.4f} | {seconds:.1f} s")
