"""The rows on each side of the folds of scikit-learn's TimeSeriesSplit, rows being in the order of time.

validation, window: a list of the one number given, or null for the default
"""

import golden
import numpy as np
import sklearn
from sklearn.model_selection import TimeSeriesSplit


def splits(name, rows, folds, gap=0, validation=None, window=None):
    splitter = TimeSeriesSplit(n_splits=folds, gap=gap, test_size=validation, max_train_size=window)
    sides = list(splitter.split(np.zeros(rows)))
    given = {
        "rows": rows,
        "folds": folds,
        "gap": gap,
        "validation": None if validation is None else [validation],
        "window": None if window is None else [window],
    }
    expected = {"train": [train for train, _ in sides], "validation": [test for _, test in sides]}
    return golden.case(name, given, expected)


def main():
    cases = [
        splits("expanding", 23, 4),
        splits("smallest", 4, 3),
        splits("gap", 23, 4, gap=3),
        splits("sliding", 23, 4, window=5),
        splits("size", 23, 5, validation=2),
        splits("all", 40, 3, gap=2, validation=4, window=7),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
