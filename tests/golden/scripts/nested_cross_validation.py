"""A nested loop over given folds: inner folds choose the penalty of a linear regression, outer folds judge.

x, y, weights   the rows
metric          rmse or r2
l2              the penalties, one for each candidate; 0 is least squares
outer           train and validation rows of each outer fold
inner           for each outer fold the train and validation rows of its inner folds, as positions among all rows
scores          outer fold x candidate x inner fold
chosen          outer fold: the place of the candidate
outer           outer fold: the score of the chosen candidate, fitted on the rows that learn
"""

import golden
import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import KFold


def fitted(l2, x, y, weights):
    model = LinearRegression() if l2 == 0 else Ridge(alpha=l2, solver="cholesky")
    return model.fit(x, y, sample_weight=weights)


def score(metric, model, x, y, weights):
    function = root_mean_squared_error if metric == "rmse" else r2_score
    return function(y, model.predict(x), sample_weight=weights)


def case(name, rng, rows, columns, noise, metric, l2, folds, weighted):
    hidden = rng.normal(size=(rows, 2))
    x = np.round(hidden @ rng.normal(size=(2, columns)) + 0.2 * rng.normal(size=(rows, columns)), 3)
    y = np.round(hidden[:, 0] + noise * rng.normal(size=rows), 3)
    weights = np.round(rng.uniform(0.5, 3, size=rows), 2) if weighted else None

    def judge(penalty, train, validation):
        take = lambda values, part: None if values is None else values[part]
        model = fitted(penalty, x[train], y[train], take(weights, train))
        return score(metric, model, x[validation], y[validation], take(weights, validation))

    outer_folds = list(KFold(folds[0], shuffle=True, random_state=0).split(x))
    inner_folds, scores, chosen, outer = [], [], [], []
    for train, validation in outer_folds:
        inner = [(train[a], train[b]) for a, b in KFold(folds[1], shuffle=True, random_state=1).split(train)]
        found = np.array([[judge(penalty, a, b) for a, b in inner] for penalty in l2])
        means = found.mean(axis=1) if metric == "rmse" else -found.mean(axis=1)
        best = int(np.argmin(means))
        assert np.sort(means)[1] - means[best] > 1e-6, "a choice must not hang on rounding"
        inner_folds.append(inner)
        scores.append(found)
        chosen.append(best)
        outer.append(judge(l2[best], train, validation))
    sides = lambda splits: {"train": [a for a, _ in splits], "validation": [b for _, b in splits]}
    given = {
        "x": x,
        "y": y,
        "weights": weights,
        "metric": metric,
        "l2": l2,
        "outer": sides(outer_folds),
        "inner": [sides(splits) for splits in inner_folds],
    }
    return golden.case(name, given, {"scores": scores, "chosen": chosen, "outer": outer})


def main():
    rng = golden.generator()
    cases = [
        case("rmse", rng, 60, 12, 1.0, "rmse", [0, 1, 10, 100], (4, 3), False),
        case("r2_weighted", rng, 50, 8, 0.6, "r2", [0, 0.5, 5, 50], (5, 2), True),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-9)


if __name__ == "__main__":
    main()
