"""Small XGBoost models as JSON, with XGBoost's own margins, predictions, contributions and interactions.

Every model is trained on 120 rows and asked about `x`: the first 24 of them, then rows with a missing value in each
column and with all missing. XGBoost computes in float32: inputs here are exact in it, answers are right to about 1e-6.
A level that training has not seen is left out: XGBoost refuses it where it knows the levels by name.
"""

import json

import golden
import numpy as np
import pandas as pd
import xgboost

ROWS = 120
ASKED = 24
COLUMNS = 5
BASE = dict(tree_method="hist", max_depth=3, learning_rate=0.3, nthread=1, seed=1, min_child_weight=0.5)
LEVELS = ["amber", "blue", "coral", "denim", "ecru", "fawn", "gold", "hazel"]


def exact(values):
    """Rounded to 1/64: exact in float32 and short in JSON."""
    return np.round(np.asarray(values) * 64.0) / 64.0


def table(rng, categorical):
    x = exact(rng.standard_normal((ROWS, COLUMNS)))
    x[rng.random(ROWS) < 0.2, 1] = np.nan
    if categorical:
        x[:, 3] = rng.integers(0, 3, ROWS)
        x[:, 4] = rng.integers(0, 8, ROWS)
        x[rng.random(ROWS) < 0.1, 4] = np.nan
    return x


def frame(x):
    """The same table with the levels of column 4 by name."""
    data = pd.DataFrame(x, columns=[f"f{j}" for j in range(COLUMNS)])
    for name, levels in (("f3", ["low", "middle", "high"]), ("f4", LEVELS)):
        data[name] = pd.Categorical.from_codes(data[name].fillna(-1).astype(int), levels)
    return data


def fit(name, x, y, params, trees=4, types=None, named=False, interactions=False, weight=None):
    def matrix(rows, **more):
        if named:
            return xgboost.DMatrix(frame(rows), enable_categorical=True, nthread=1, **more)
        return xgboost.DMatrix(rows, feature_types=types, enable_categorical=types is not None, nthread=1, **more)

    model = xgboost.train({**BASE, **params}, matrix(x, label=y, weight=weight), trees)
    text = model.save_raw("json").decode()
    stored = json.loads(text)
    if types or named:
        sizes = [
            n for tree in stored["learner"]["gradient_booster"]["model"]["trees"] for n in tree["categories_sizes"]
        ]
        if not (min(sizes) == 1 and max(sizes) > 1):
            raise ValueError(f"{name}: wants a split of one level and one of several, has {sizes}")
    rows = [x[0].copy() for _ in range(COLUMNS)]
    for column, row in enumerate(rows):
        row[column] = np.nan
    asked = np.vstack([x[:ASKED], *rows, np.full(COLUMNS, np.nan)])
    data = matrix(asked)
    raw = model.predict(data, output_margin=True)
    outputs = 1 if raw.ndim == 1 else raw.shape[1]
    raw = raw.reshape(len(asked), outputs)
    contributions = model.predict(data, pred_contribs=True, strict_shape=True)
    gap = np.abs(contributions.sum(axis=2) - raw).max()
    if gap > 1e-4:
        raise ValueError(f"{name}: contributions miss the margin by {gap}")
    expected = {
        "raw": raw,
        "prediction": model.predict(data).reshape(len(asked), outputs),
        "contributions": contributions.reshape(len(asked), outputs * (COLUMNS + 1)),
    }
    if interactions:
        expected["interactions"] = model.predict(data, pred_interactions=True)[:6].reshape(6, -1)
    return golden.case(name, {"outputs": outputs, "model": stored, "x": asked}, short(expected))


def short(expected):
    """The shortest digits that read back to the same float32."""
    return {key: [[float(str(np.float32(v))) for v in row] for row in rows] for key, rows in expected.items()}


def main():
    rng = golden.generator()
    x = table(rng, categorical=False)
    mixed = table(rng, categorical=True)
    noise = rng.standard_normal(ROWS)
    weight = exact(rng.uniform(0.2, 3.0, ROWS))

    signal = x[:, 0] - x[:, 2] ** 2 + 0.7 * np.nan_to_num(x[:, 1], nan=2.0) + 0.4 * x[:, 3]
    number = exact(3.0 + signal + 0.3 * noise)
    level = np.nan_to_num(np.sin(mixed[:, 4] * 2.0), nan=1.0) * 2.0 + (mixed[:, 3] == 1) * 1.5 + mixed[:, 0]
    event = (level + 0.5 * noise > np.median(level)).astype(int)
    three = np.digitize(signal + 0.3 * noise, np.quantile(signal, [0.3, 0.7]))
    count = rng.poisson(np.exp(0.5 * np.clip(signal, -2.0, 2.0)))
    positive = exact(rng.gamma(2.0, np.exp(0.4 * np.clip(signal, -2, 2))) + 0.02)
    zeros = np.where(rng.random(ROWS) < 0.4, 0.0, positive)
    types = ["q", "q", "q", "c", "c"]

    cases = [
        fit("squared_error", x, number, dict(objective="reg:squarederror"), interactions=True),
        fit(
            "squared_error_weighted",
            x,
            number,
            dict(objective="reg:squarederror", base_score=1.5),
            trees=2,
            weight=weight,
        ),
        fit("logistic_categories", mixed, event, dict(objective="binary:logistic", max_cat_to_onehot=4), types=types),
        fit(
            "logistic_named_categories",
            mixed,
            event,
            dict(objective="binary:logistic", max_cat_to_onehot=4),
            trees=3,
            named=True,
        ),
        fit("softprob", x, three, dict(objective="multi:softprob", num_class=3, max_depth=2), trees=3),
        fit("poisson", x, count, dict(objective="count:poisson"), trees=3),
        fit("gamma", x, positive, dict(objective="reg:gamma"), trees=3),
        fit("tweedie", x, zeros, dict(objective="reg:tweedie", tweedie_variance_power=1.3), trees=3),
        fit("absolute_error", x, number, dict(objective="reg:absoluteerror", max_depth=2), trees=2),
        fit(
            "lossguide",
            x,
            number,
            dict(objective="reg:squarederror", grow_policy="lossguide", max_leaves=6, max_depth=0),
        ),
        fit(
            "parallel_trees",
            x,
            number,
            dict(objective="reg:squarederror", num_parallel_tree=2, subsample=0.7, max_depth=2),
            trees=2,
        ),
        fit("dart", x, number, dict(objective="reg:squarederror", booster="dart", rate_drop=0.5, max_depth=2), trees=4),
    ]
    golden.write(__file__, f"XGBoost {xgboost.__version__}", cases, 2e-6, 2e-6)


if __name__ == "__main__":
    main()
