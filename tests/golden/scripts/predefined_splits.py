"""The rows on each side of the folds of scikit-learn's PredefinedSplit; rows of fold -1 always learn."""

import golden
import sklearn
from sklearn.model_selection import PredefinedSplit


def splits(name, folds):
    sides = list(PredefinedSplit(folds).split())
    expected = {"train": [train for train, _ in sides], "validation": [test for _, test in sides]}
    return golden.case(name, {"folds": folds}, expected)


def main():
    rng = golden.generator()
    cases = [
        splits("two", [1, 0, 0, 1, 1]),
        splits("some_always_learn", [-1, 3, 3, -1, 0, 7]),
        splits("many", rng.integers(-1, 6, 50)),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
