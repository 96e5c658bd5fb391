"""scikit-learn's imputers on the table of `imputers.rs`: `OMP_NUM_THREADS=2 python imputers.py`. Best of three, in seconds."""

import time
import warnings

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

ROWS, COLUMNS = 20_000, 10
i, j = np.meshgrid(np.arange(ROWS, dtype=float), np.arange(COLUMNS, dtype=float), indexing="ij")
table = np.sin(0.37 * i + j) + 0.5 * np.sin(0.011 * i * (j + 1.0)) + 0.2 * np.sin(1.7 * i * i)
table[(i * 31 + j * 17 + i * j) % 10 == 0] = np.nan

warnings.simplefilter("ignore")
for name, imputer in [("knn", KNNImputer()), ("iterative", IterativeImputer())]:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        filled = imputer.fit_transform(table)
        best = min(best, time.perf_counter() - start)
    print(f"{name} seconds {best:.3f} sum {filled[:, 0].sum():.9f}")
