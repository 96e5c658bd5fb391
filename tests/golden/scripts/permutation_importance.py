"""scikit-learn's permutation_importance with the shuffles that it made.

It shuffles a column again and again in place, from the same seed for every column; the row that each row's value comes
from after so many repeats is kept in the file.
"""

import golden
import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance

ROWS = 40
REPEATS = 4


class Line(RegressorMixin, BaseEstimator):
    def __init__(self, slopes=None):
        self.slopes = slopes

    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        return np.asarray(x) @ self.slopes


class Sigmoid(ClassifierMixin, BaseEstimator):
    def __init__(self, slopes=None):
        self.slopes = slopes

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        p = 1 / (1 + np.exp(-(np.asarray(x) @ self.slopes)))
        return np.stack([1 - p, p], axis=1)


def orders(seed):
    """The rows that values come from, as scikit-learn shuffles them."""
    inner = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    index, place, found = np.arange(ROWS), np.arange(ROWS), []
    for _ in range(REPEATS):
        inner.shuffle(index)
        place = place[index]
        found.append(place.copy())
    return found


def main():
    rng = golden.generator()
    cases = []
    for seed, (metric, weighted) in enumerate([("mse", False), ("mse", True), ("roc_auc", False), ("roc_auc", True)]):
        x = np.round(rng.standard_normal((ROWS, 3)), 3)
        slopes = np.array([1.5, -0.5, 0.0])
        noisy = x @ slopes + rng.standard_normal(ROWS)
        weights = np.round(rng.uniform(0.5, 2.0, ROWS), 2) if weighted else None
        y = np.round(noisy, 3) if metric == "mse" else (noisy > 0).astype(int)
        model = (Line if metric == "mse" else Sigmoid)(slopes).fit(x, y)
        scoring = "neg_mean_squared_error" if metric == "mse" else "roc_auc"
        found = permutation_importance(
            model, x, y, scoring=scoring, n_repeats=REPEATS, random_state=seed, sample_weight=weights
        )
        scorer = sklearn.metrics.get_scorer(scoring)
        how = {} if weights is None else {"sample_weight": weights}
        baseline = scorer(model, x, y, **how)
        given = dict(metric=metric, x=x, y=y, weights=weights, slopes=slopes, orders=orders(seed))
        expected = dict(baseline=-baseline if metric == "mse" else baseline, drops=found.importances)
        cases.append(golden.case(f"{metric}{' weighted' if weighted else ''}", given, expected))
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-9)


if __name__ == "__main__":
    main()
