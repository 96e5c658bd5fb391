"""Decision trees, of which a forest is made: predictions on the training rows.

Answers are for the training rows, so that it does not matter where between two values a threshold lies, nor which of
two features that part the rows alike was taken. Each case is fitted again with other random states and its weights
shaken by 1e-9; answers that then move would hang on a tie between splits, and other random numbers are drawn.
"""

import golden
import numpy as np
import sklearn
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS = 50
COLUMNS = 4
DEFAULTS = dict(max_depth=None, min_samples_leaf=1, max_leaf_nodes=None)


def answers(kind, settings, x, y, weights, state=0):
    criterion = "gini" if kind is DecisionTreeClassifier else "squared_error"
    model = kind(criterion=criterion, random_state=state, **settings).fit(x, y, sample_weight=weights)
    return model, model.predict_proba(x) if kind is DecisionTreeClassifier else model.predict(x)[:, None]


def steady(kind, settings, x, y, weights, rng):
    _, before = answers(kind, settings, x, y, weights)
    for state in range(1, 9):
        shaken = (np.ones(ROWS) if weights is None else weights) * (1 + 1e-9 * rng.standard_normal(ROWS))
        _, after = answers(kind, settings, x, y, shaken, state)
        if np.abs(after - before).max() > 1e-7:
            return False
    return True


def importances(kind, settings, x, y, weights):
    """`null` where they hang on which of two features was taken."""
    found = [answers(kind, settings, x, y, weights, state)[0].feature_importances_ for state in range(9)]
    return found[0] if np.abs(np.array(found) - found[0]).max() < 1e-9 else None


def draw(rng, missing, classes):
    """Values are multiples of 1/8: exact in float32, which these trees compare in."""
    x = np.round(rng.standard_normal((ROWS, COLUMNS)) * 8.0) / 8.0
    signal = x[:, 0] - np.abs(x[:, 1]) + 0.5 * x[:, 2] * x[:, 3]
    if missing:
        gone = rng.random((ROWS, COLUMNS)) < (0.25, 0.15, 0.0, 0.0)
        signal = signal + 1.2 * gone[:, 0]
        x[gone] = np.nan
    noisy = signal + 0.4 * rng.standard_normal(ROWS)
    if classes:
        y = np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes))
    else:
        y = np.round(noisy, 4)
    return x, y, np.round(rng.uniform(0.3, 2.5, ROWS), 3)


def case(rng, name, classes=0, missing=False, weighted=False, **settings):
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    settings = {**DEFAULTS, **settings}
    for _ in range(500):
        x, y, weights = draw(rng, missing, classes)
        weights = weights if weighted else None
        if steady(kind, settings, x, y, weights, rng):
            break
    else:
        raise ValueError(f"{name}: every draw hangs on a tie")
    model, answer = answers(kind, settings, x, y, weights)
    given = {"classes": classes or None, "x": x, "target": y, "weights": weights, **settings}
    expected = {
        "prediction": answer,
        "leaves": model.get_n_leaves(),
        "depth": model.get_depth(),
        "importances": importances(kind, settings, x, y, weights),
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    cases = [
        case(rng, "squared_depth_3", max_depth=3),
        case(rng, "squared_min_leaf_4", min_samples_leaf=4),
        case(rng, "squared_weighted", weighted=True, max_depth=4, min_samples_leaf=2),
        case(rng, "squared_best_first", max_leaf_nodes=7),
        case(rng, "squared_missing", missing=True, max_depth=4, min_samples_leaf=3),
        case(rng, "squared_to_the_end"),
        case(rng, "gini_depth_3", classes=2, max_depth=3, min_samples_leaf=3),
        case(rng, "gini_weighted", classes=2, weighted=True, max_depth=5, min_samples_leaf=2),
        case(rng, "gini_three_classes", classes=3, max_depth=3, min_samples_leaf=3),
        case(rng, "gini_three_classes_weighted", classes=3, weighted=True, max_depth=5, min_samples_leaf=2),
        case(rng, "gini_missing_weighted", classes=2, missing=True, weighted=True, max_depth=4, min_samples_leaf=3),
        case(rng, "gini_best_first_weighted", classes=3, weighted=True, max_leaf_nodes=8, min_samples_leaf=2),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
