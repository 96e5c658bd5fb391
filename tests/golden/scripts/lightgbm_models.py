"""Small LightGBM models as text, with LightGBM's own margins, predictions and contributions.

Every model is trained on 120 rows and asked about `x`: the first 12 of them, then rows that test a rule: a missing
value in each column, a level never seen, a negative level, zeros, and values on a threshold. The script checks that
contributions sum to the margin, and that the models have the splits they are meant to have.
"""

import re

import golden
import lightgbm
import numpy as np

ROWS = 120
ASKED = 12
COLUMNS = 5
BASE = dict(
    num_leaves=6,
    learning_rate=0.3,
    min_data_in_leaf=8,
    min_data_in_bin=1,
    num_threads=1,
    deterministic=True,
    seed=1,
    force_row_wise=True,
    verbose=-1,
)
CATEGORICAL = dict(min_data_per_group=4, cat_smooth=1.0, cat_l2=1.0, max_cat_to_onehot=4)


def table(rng, categorical):
    """Numbers with three decimals; columns 1 and 3 have missing values; column 2 has zeros."""
    x = np.round(rng.standard_normal((ROWS, COLUMNS)), 3)
    x[rng.random(ROWS) < 0.4, 2] = 0.0
    x[rng.random(ROWS) < 0.2, 1] = np.nan
    x[rng.random(ROWS) < 0.1, 3] = np.nan
    if categorical:
        x[:, 3] = rng.integers(0, 3, ROWS)
        x[:, 4] = rng.integers(0, 12, ROWS)
        x[rng.random(ROWS) < 0.1, 4] = np.nan
    return x


def edges(x, text, categorical):
    """Rows that differ from the first one in what a reader of the model may get wrong."""
    rows = []
    for column in range(COLUMNS):
        row = x[0].copy()
        row[column] = np.nan
        rows.append(row)
    rows.append(np.full(COLUMNS, np.nan))
    rows.append(np.zeros(COLUMNS))
    for feature, threshold in thresholds(text)[:4]:
        if not (categorical and feature >= 3):
            row = x[1].copy()
            row[feature] = threshold
            rows.append(row)
    for level in (99.0, -1.0, 11.0) if categorical else (1e300, -1e300, 1e-40):
        row = x[2].copy()
        row[3:] = level
        rows.append(row)
    return np.vstack([x[:ASKED], rows])


def thresholds(text):
    found = []
    for tree in text.split("Tree=")[1:]:
        fields = dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)
        if "split_feature" in fields:
            pairs = zip(fields["split_feature"].split(), fields["threshold"].split())
            found += [(int(feature), float(threshold)) for feature, threshold in pairs]
    return found


def level_sets(text):
    """How many levels go left at each categorical split."""
    sizes = []
    for tree in text.split("Tree=")[1:]:
        fields = dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)
        if int(fields["num_cat"]) > 0:
            bounds = [int(b) for b in fields["cat_boundaries"].split()]
            words = [int(w) for w in fields["cat_threshold"].split()]
            sizes += [sum(w.bit_count() for w in words[a:b]) for a, b in zip(bounds, bounds[1:])]
    return sizes


def fit(name, x, y, params, trees=4, categorical=(), weight=None):
    params = {**BASE, **params}
    data = lightgbm.Dataset(x, y, weight=weight, categorical_feature=list(categorical), params=params)
    model = lightgbm.train(params, data, trees)
    text = model.model_to_string()
    # What training was set to, and the importances, decide nothing: they are left out.
    text = re.split(r"\nfeature_importances:", text)[0] + "\n"
    model = lightgbm.Booster(model_str=text)
    sets = level_sets(text)
    if categorical and not (min(sets) == 1 and max(sets) > 1):
        raise ValueError(f"{name}: wants a split of one level and one of several, has {sets}")
    asked = edges(x, text, bool(categorical))
    raw = model.predict(asked, raw_score=True)
    contributions = model.predict(asked, pred_contrib=True)
    outputs = 1 if raw.ndim == 1 else raw.shape[1]
    raw = raw.reshape(len(asked), outputs)
    sums = contributions.reshape(len(asked), outputs, COLUMNS + 1).sum(axis=2)
    gap = np.abs(sums - raw).max()
    if gap > 1e-9:
        raise ValueError(f"{name}: contributions miss the margin by {gap}")
    expected = {
        "raw": raw,
        "prediction": model.predict(asked).reshape(len(asked), outputs),
        "contributions": contributions,
    }
    return golden.case(name, {"outputs": outputs, "model": text, "x": asked}, expected)


def main():
    rng = golden.generator()
    x = table(rng, categorical=False)
    mixed = table(rng, categorical=True)
    complete = np.nan_to_num(np.round(rng.standard_normal((ROWS, COLUMNS)), 3))
    noise = rng.standard_normal(ROWS)
    weight = np.round(rng.uniform(0.2, 3.0, ROWS), 2)

    signal = np.nan_to_num(
        x[:, 0] - x[:, 2] ** 2 + 0.7 * np.nan_to_num(x[:, 1], nan=2.0) + 0.4 * np.nan_to_num(x[:, 3])
    )
    number = np.round(3.0 + signal + 0.3 * noise, 3)
    level = np.nan_to_num(np.sin(mixed[:, 4] * 2.0), nan=1.0) * 2.0 + (mixed[:, 3] == 1) * 1.5 + mixed[:, 0]
    event = (level + 0.5 * noise > np.median(level)).astype(int)
    three = np.digitize(signal + 0.3 * noise, np.quantile(signal, [0.3, 0.7]))
    count = rng.poisson(np.exp(0.5 * np.clip(signal, -2.0, 2.0)))
    amount = np.where(rng.random(ROWS) < 0.4, 0.0, np.round(rng.gamma(2.0, np.exp(0.4 * np.clip(signal, -2, 2))), 3))
    positive = np.round(rng.gamma(2.0, np.exp(0.4 * np.clip(signal, -2, 2))) + 0.01, 3)

    cases = [
        fit("regression", x, number, dict(objective="regression"), trees=5),
        fit(
            "regression_weighted_l1_l2",
            x,
            number,
            dict(objective="regression", lambda_l1=0.5, lambda_l2=2.0),
            weight=weight,
        ),
        fit("regression_no_missing_in_training", complete, number, dict(objective="regression")),
        fit("regression_zero_as_missing", x, number, dict(objective="regression", zero_as_missing=True)),
        fit("binary_categories", mixed, event, dict(objective="binary", **CATEGORICAL), categorical=(3, 4)),
        fit("binary_sigmoid_2", x, (number > 3).astype(int), dict(objective="binary", sigmoid=2.0)),
        fit("multiclass", x, three, dict(objective="multiclass", num_class=3), trees=3),
        fit("one_against_rest", x, three, dict(objective="multiclassova", num_class=3), trees=2),
        fit("poisson", x, count, dict(objective="poisson")),
        fit("tweedie", x, amount, dict(objective="tweedie", tweedie_variance_power=1.3)),
        fit("gamma", x, positive, dict(objective="gamma")),
        fit("quantile", x, number, dict(objective="quantile", alpha=0.8)),
        fit("huber", x, number, dict(objective="huber", alpha=0.9)),
        fit("cross_entropy", x, np.round(1 / (1 + np.exp(-signal)), 3), dict(objective="cross_entropy"), trees=3),
        fit(
            "random_forest",
            x,
            number,
            dict(objective="regression", boosting="rf", bagging_freq=1, bagging_fraction=0.7, feature_fraction=0.8),
        ),
        fit("constant_target", x, np.full(ROWS, 2.5), dict(objective="regression"), trees=1),
    ]
    golden.write(__file__, f"LightGBM {lightgbm.__version__}", cases, 1e-12, 1e-10)


if __name__ == "__main__":
    main()
