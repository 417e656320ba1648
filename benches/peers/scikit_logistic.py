"""scikit-learn's logistic regression (lbfgs, no penalty) on a CSV matrix. Prints the seconds of the work alone.

scikit_logistic.py MATRIX ANSWER
The first column is the outcome, 0 or 1; the others are standardised before the clock starts.
"""

import sys
import time

import numpy
import pandas
from sklearn.linear_model import LogisticRegression

matrix, answer = sys.argv[1:3]
data = pandas.read_csv(matrix).to_numpy(dtype=float)
y, x = data[:, 0], numpy.ascontiguousarray(data[:, 1:])
mean, deviation = x.mean(axis=0), x.std(axis=0)
x = (x - mean) / deviation
begun = time.perf_counter()
model = LogisticRegression(C=numpy.inf, tol=1e-6, max_iter=1000).fit(x, y)
taken = time.perf_counter() - begun
with open(answer, "w") as file:
    print(" ".join(f"{b:.6f}" for b in model.coef_[0] / deviation), file=file)
print(f"{taken:.6f}")
