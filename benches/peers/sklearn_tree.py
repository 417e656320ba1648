"""scikit-learn's decision tree on tests/data/telco.csv: accuracy and first split at each depth, as
tests/sql/segment_rules.sql has them. Arguments: the file. With --speed: 100,000 rows of 30 features, in seconds."""

import csv
import sys
import time

import numpy as np
from sklearn.tree import DecisionTreeClassifier

if sys.argv[1] == "--speed":
    random = np.random.default_rng(1)
    points = random.random((100_000, 30))
    classes = (points[:, 0] * 3 + points[:, 1] + random.random(100_000)).astype(int)
    began = time.perf_counter()
    DecisionTreeClassifier(max_depth=4, min_samples_leaf=1000).fit(points, classes)
    print(f"{time.perf_counter() - began:.3f}")
    sys.exit()

rows = list(csv.DictReader(open(sys.argv[1])))
numbers = ["tenure", "monthly_charges"]
flags = ["senior", "paperless"]
texts = ["contract", "internet", "payment"]
names, columns = [], []
for name in numbers:
    names.append(name)
    columns.append([float(row[name]) for row in rows])
for name in flags:
    names.append(name)
    columns.append([float(row[name] == "t") for row in rows])
for name in texts:
    for value in sorted({row[name] for row in rows}):
        names.append(f"{name}={value}")
        columns.append([float(row[name] == value) for row in rows])
points = np.array(columns).T
churned = np.array([row["churned"] == "t" for row in rows])
least = int(np.ceil(0.01 * len(rows)))
for depth in (1, 2, 3, 4, 5):
    tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=least, random_state=0).fit(points, churned)
    first = names[tree.tree_.feature[0]], float(tree.tree_.threshold[0])
    right = int((tree.predict(points) == churned).sum())
    gini = float((tree.tree_.impurity * tree.tree_.weighted_n_node_samples)[tree.tree_.children_left == -1].sum())
    print(depth, len(rows), right, f"{right / len(rows):.4f}", f"{gini / len(rows):.6f}", first)
