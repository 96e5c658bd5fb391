"""Boosting with linear leaves in LightGBM: how well it answers rows that it has not seen, and small models as text.

`loss` is the held-out RMSE, or the log loss of a binary case, of a model with the settings given; `constant` that of the
same with constant leaves. `model` is a smaller one, asked about `asked`, which lacks some values; `prediction` is what
LightGBM answers, through the link.
"""

import golden
import lightgbm
import numpy as np

ROWS = 500
BASE = dict(
    learning_rate=0.1,
    num_leaves=8,
    min_data_in_leaf=20,
    min_data_in_bin=1,
    linear_lambda=0.0,
    num_threads=1,
    deterministic=True,
    force_row_wise=True,
    seed=1,
    verbose=-1,
)
ROUNDS = 40


def fit(x, y, linear, objective, rounds, **more):
    params = {**BASE, "objective": objective, "linear_tree": linear, **more}
    return lightgbm.train(params, lightgbm.Dataset(x, label=y, params={"linear_tree": linear}), rounds)


def loss(model, x, y, objective):
    answer = model.predict(x)
    if objective == "binary":
        return float(-np.mean(np.where(y == 1, np.log(answer), np.log(1 - answer))))
    return float(np.sqrt(np.mean((answer - y) ** 2)))


def case(name, rng, objective="regression", missing=False):
    x = np.round(rng.uniform(-2.0, 2.0, (2 * ROWS, 3)), 3)
    signal = 2.0 * x[:, 0] + np.sin(2.0 * x[:, 1]) * 2.0 + np.abs(x[:, 2]) * x[:, 0]
    if missing:
        gone = rng.random(len(x)) < 0.15
        signal = signal + 1.5 * gone
        x[gone, 1] = np.nan
    y = np.round(signal + 0.3 * rng.standard_normal(len(x)), 3)
    if objective == "binary":
        y = (y > np.median(y)).astype(int)
    train, test = slice(0, ROWS), slice(ROWS, None)
    losses = [
        loss(fit(x[train], y[train], linear, objective, ROUNDS), x[test], y[test], objective)
        for linear in (True, False)
    ]
    small = fit(x[train], y[train], True, objective, 3, num_leaves=4)
    asked = np.vstack([x[test][:12], [[np.nan, 0.5, 1.0], [0.5, np.nan, 1.0], [5.0, -7.0, np.nan]]])
    given = {"x": x, "y": y, "train": ROWS, "rounds": ROUNDS, "model": small.model_to_string(), "asked": asked}
    expected = {"loss": losses[0], "constant": losses[1], "prediction": small.predict(asked)}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    cases = [
        case("regression", rng),
        case("regression_missing", rng, missing=True),
        case("binary", rng, objective="binary"),
    ]
    golden.write(__file__, f"LightGBM {lightgbm.__version__}", cases, 0.0, 0.03)


if __name__ == "__main__":
    main()
