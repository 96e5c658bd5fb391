"""HistGradientBoosting on small tables where every distinct value has a bin of its own.

All answers are for the training rows, so that it does not matter where between two values a threshold lies, nor which
of two features that part the rows alike was taken. Each case is fitted again with its columns in another order and
its weights shaken by 1e-6; answers that then move more than a little would hang on a tie, and other random numbers are
drawn. scikit-learn keeps gradients in float32, hence the tolerance.
"""

import golden
import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

ROWS = 50
COLUMNS = 4
TREES = 5
DEFAULTS = dict(
    learning_rate=0.3,
    max_leaf_nodes=6,
    max_depth=None,
    min_samples_leaf=4,
    l2_regularization=0.0,
    monotonic_cst=None,
    interaction_cst=None,
)


def raw(kind, loss, settings, x, y, weights, trees):
    how = {} if kind is HistGradientBoostingClassifier else {"loss": loss}
    model = kind(max_iter=trees, max_bins=255, early_stopping=False, random_state=0, **how, **settings)
    model.fit(x, y, sample_weight=weights)
    margin = model._raw_predict(model._preprocess_X(x, reset=False) if hasattr(model, "_preprocess_X") else x)
    answer = model.predict_proba(x) if kind is HistGradientBoostingClassifier else model.predict(x)[:, None]
    return model, np.asarray(margin), answer


def steady(kind, loss, settings, x, y, weights, rng):
    """Whether a shake changes little."""
    _, before, _ = raw(kind, loss, settings, x, y, weights, TREES)
    for _ in range(3):
        order = rng.permutation(COLUMNS)
        place = {int(old): new for new, old in enumerate(order)}
        moved = dict(settings)
        if settings["monotonic_cst"] is not None:
            moved["monotonic_cst"] = [settings["monotonic_cst"][i] for i in order]
        if settings["interaction_cst"] is not None:
            moved["interaction_cst"] = [[place[i] for i in group] for group in settings["interaction_cst"]]
        shaken = (np.ones(ROWS) if weights is None else weights) * (1 + 1e-6 * rng.standard_normal(ROWS))
        _, after, _ = raw(kind, loss, moved, x[:, order], y, shaken, TREES)
        if np.abs(after - before).max() > 1e-4:
            return False
    return True


def draw(rng, missing, target):
    x = np.round(rng.standard_normal((ROWS, COLUMNS)), 1)
    signal = x[:, 0] - np.abs(x[:, 1]) + 0.5 * x[:, 2] * x[:, 3]
    if missing:
        gone = rng.random((ROWS, COLUMNS)) < (0.25, 0.15, 0.0, 0.1)
        signal = signal + 1.2 * gone[:, 0]
        x[gone] = np.nan
    noisy = signal + 0.4 * rng.standard_normal(ROWS)
    if target == "number":
        y = np.round(noisy, 4)
    elif target == "event":
        y = (noisy > np.median(noisy)).astype(int)
    elif target == "class":
        y = np.digitize(noisy, np.quantile(noisy, [0.3, 0.7]))
    elif target == "count":
        y = rng.poisson(np.exp(0.5 * signal)).astype(float)
    else:
        y = np.round(rng.gamma(3.0, np.exp(0.5 * signal)) + 0.05, 4)
    return x, y, np.round(rng.uniform(0.3, 2.5, ROWS), 3)


def case(rng, name, loss, target, missing=False, weighted=False, **settings):
    kind = HistGradientBoostingClassifier if loss in ("binary", "multiclass") else HistGradientBoostingRegressor
    settings = {**DEFAULTS, **settings}
    for _ in range(200):
        x, y, weights = draw(rng, missing, target)
        weights = weights if weighted else None
        if steady(kind, loss, settings, x, y, weights, rng):
            break
    else:
        raise ValueError(f"{name}: every draw hangs on a tie")
    model, one, _ = raw(kind, loss, settings, x, y, weights, 1)
    _, five, answer = raw(kind, loss, settings, x, y, weights, TREES)
    given = {"loss": loss, "x": x, "target": y, "weights": weights, "trees": TREES, **settings}
    start = np.ravel(model._baseline_prediction)
    expected = {"start": start, "raw_after_1": one, "raw_after_5": five, "prediction": answer}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    cases = [
        case(rng, "squared", "squared_error", "number"),
        case(rng, "squared_missing", "squared_error", "number", missing=True),
        case(rng, "squared_weighted", "squared_error", "number", weighted=True),
        case(rng, "squared_depth_2", "squared_error", "number", max_depth=2, max_leaf_nodes=None),
        case(rng, "squared_l2", "squared_error", "number", missing=True, l2_regularization=3.0),
        case(rng, "squared_monotone", "squared_error", "number", monotonic_cst=[1, -1, 0, 0]),
        case(rng, "squared_monotone_missing", "squared_error", "number", missing=True, monotonic_cst=[1, 0, -1, 0]),
        case(rng, "squared_interaction", "squared_error", "number", interaction_cst=[[0, 1], [2, 3]]),
        case(rng, "binary", "binary", "event"),
        case(rng, "binary_missing_weighted", "binary", "event", missing=True, weighted=True),
        case(rng, "binary_monotone", "binary", "event", weighted=True, monotonic_cst=[1, 0, 0, 0]),
        case(rng, "multiclass", "multiclass", "class", max_leaf_nodes=4),
        case(rng, "multiclass_missing_weighted", "multiclass", "class", missing=True, weighted=True, max_leaf_nodes=4),
        case(rng, "poisson", "poisson", "count"),
        case(rng, "gamma", "gamma", "positive", missing=True),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-6, 1e-6)


if __name__ == "__main__":
    main()
