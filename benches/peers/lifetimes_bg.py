"""lifetimes on the customers of a CSV file (frequency, recency, t). Prints the seconds of the work alone.

lifetimes_bg.py fit SUMMARY ANSWER
lifetimes_bg.py expected SUMMARY ANSWER HORIZON R ALPHA A B
"""

import sys
import time
import warnings

import pandas
from lifetimes import BetaGeoFitter

warnings.filterwarnings("ignore")
work, summary, answer = sys.argv[1:4]
frame = pandas.read_csv(summary)
frequency, recency, t = (frame[name].to_numpy() for name in ("frequency", "recency", "t"))
model = BetaGeoFitter()
names = ("r", "alpha", "a", "b")

if work == "fit":
    begun = time.perf_counter()
    model.fit(frequency, recency, t)
    taken = time.perf_counter() - begun
    result = " ".join(f"{model.params_[name]:.6f}" for name in names)
else:
    horizon = float(sys.argv[4])
    model.params_ = pandas.Series(dict(zip(names, map(float, sys.argv[5:9]))))
    begun = time.perf_counter()
    expected = model.conditional_expected_number_of_purchases_up_to_time(horizon, frequency, recency, t)
    total = expected.sum()
    taken = time.perf_counter() - begun
    result = f"{total:.6f}"

with open(answer, "w") as file:
    print(result, file=file)
print(f"{taken:.6f}")
