"""How many rows of each class a stratified k-fold puts in each fold.

Which row goes where cannot be compared, nor which fold gets the larger share; the sizes can:
  per_class   for each class, its rows per fold, largest first (as even as can be)
  fold_sizes  the rows per fold over all classes, largest first (as even as can be too: the remainder
              of one class starts where that of the class before it ended)
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.model_selection import StratifiedKFold


def sizes(counts, folds):
    labels = np.repeat(np.arange(len(counts)), counts)
    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=golden.SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = np.array(
            [
                np.bincount(labels[test], minlength=len(counts))
                for _, test in splitter.split(np.zeros(len(labels)), labels)
            ]
        )
    expected = {
        "per_class": [sorted(column, reverse=True) for column in table.T.tolist()],
        "fold_sizes": sorted(table.sum(axis=1).tolist(), reverse=True),
    }
    name = "_".join(str(count) for count in counts) + f"_in_{folds}"
    return golden.case(name, {"counts": counts, "folds": folds}, expected)


def main():
    cases = [
        sizes([50, 30, 7], 5),
        sizes([50, 50, 50], 5),
        sizes([50, 50, 50], 10),
        sizes([212, 357], 5),
        sizes([59, 71, 48], 10),
        sizes([10, 681, 638, 199, 53, 18], 5),
        sizes([3, 3, 3], 2),
        sizes([7, 7, 7], 5),
        sizes([95, 5], 10),
        sizes([20, 2], 5),
        sizes([4500, 500], 3),
        sizes([5, 5], 5),
        sizes([13], 4),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
