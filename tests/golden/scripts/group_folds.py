"""Which fold scikit-learn's GroupKFold puts a row in.

sizes   rows of the folds, smallest first
folds   the fold of each row; null where two groups are equally large, for then any of them may come first
"""

import golden
import numpy as np
import sklearn
from sklearn.model_selection import GroupKFold


def folds(name, groups, folds):
    groups = np.asarray(groups)
    of = np.zeros(len(groups), int)
    for fold, (_, test) in enumerate(GroupKFold(n_splits=folds).split(groups, groups=groups)):
        of[test] = fold
    counts = np.unique(groups, return_counts=True)[1]
    unique = len(set(counts)) == len(counts)
    expected = {"sizes": sorted(np.bincount(of).tolist()), "folds": of if unique else None}
    return golden.case(name, {"groups": groups, "folds": folds}, expected)


def main():
    rng = golden.generator()
    distinct = rng.permutation(np.repeat(np.arange(9), [1, 2, 4, 5, 7, 8, 11, 12, 13]))
    cases = [
        folds("distinct_in_3", distinct, 3),
        folds("distinct_in_5", distinct, 5),
        folds("random_in_4", rng.integers(0, 15, 80), 4),
        folds("one_large", [3] * 20 + [1, 2, 5, 6], 3),
        folds("as_many_groups", [2, 0, 1, 1, 2, 2], 3),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
