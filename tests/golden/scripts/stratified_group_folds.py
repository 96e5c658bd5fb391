"""Which fold scikit-learn's StratifiedGroupKFold puts a row in, without shuffling.

Groups are numbered in the order in which they first come, so that "the first of equal ones" means the same everywhere.

counts  rows of each class in each fold, as a list per fold, sorted
folds   the fold of each row; null where the rounding of a deviation decides between equal folds
"""

import golden
import numpy as np
import sklearn
from sklearn.model_selection import StratifiedGroupKFold


def folds(name, groups, classes, folds, exact=True):
    seen = {}
    groups = np.asarray([seen.setdefault(group, len(seen)) for group in groups])
    classes = np.asarray(classes)
    of = np.zeros(len(groups), int)
    splitter = StratifiedGroupKFold(n_splits=folds)
    for fold, (_, test) in enumerate(splitter.split(groups, classes, groups)):
        of[test] = fold
    counts = sorted(np.bincount(classes[of == fold], minlength=classes.max() + 1).tolist() for fold in range(folds))
    expected = {"counts": counts, "folds": of if exact else None}
    return golden.case(name, {"groups": groups, "classes": classes, "folds": folds}, expected)


def main():
    rng = golden.generator()
    rare = (rng.random(400) < 0.1).astype(int)
    skewed = rng.integers(0, 30, 300)
    cases = [
        folds("rows_alone", np.arange(40), np.arange(40) % 2, 4, exact=False),
        folds("two_classes_in_3", rng.integers(0, 20, 200), rng.integers(0, 2, 200), 3),
        folds("rare_class_in_5", rng.integers(0, 60, 400), rare, 5),
        folds("four_classes_in_4", rng.integers(0, 40, 300), rng.integers(0, 4, 300), 4),
        folds("class_goes_with_group", skewed, (skewed + (rng.random(300) < 0.2)) % 3, 5),
        folds("one_large", [3] * 60 + list(rng.integers(4, 14, 60)), rng.integers(0, 2, 120), 3),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
