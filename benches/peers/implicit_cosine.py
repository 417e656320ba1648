"""implicit's cosine neighbours of items, one thread, on the matrix that benches/product_appetence.sh gives:
customer, item, 1 a row. Prints its seconds."""

import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

warnings.simplefilter("ignore")
from implicit.nearest_neighbours import CosineRecommender

pairs = pd.read_csv(sys.argv[1], header=None, dtype=np.int32).to_numpy()
matrix = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])))
matrix.sum_duplicates()
matrix.data[:] = 1
model = CosineRecommender(K=int(sys.argv[2]), num_threads=1)
began = time.perf_counter()
model.fit(matrix, show_progress=False)
print(time.perf_counter() - began)
