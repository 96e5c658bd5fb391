"""Encoders that look at the target: `training` holds the training rows, each without its own target, `applied` the rows to come.

`target` is scikit-learn's TargetEncoder under the folds given (`smooth: null` is "auto"); weights are whole numbers, and
scikit-learn is given each row as often as its weight says, all in one fold. `james_stein` is the formula in numpy (see the
documentation of JamesSteinEncoder; category_encoders has another), `weight_of_evidence` category_encoders on the other folds.
`leave_one_out` and `ordered` are category_encoders on all rows, in the order given; no level of the rows to come has one row,
for which it has a rule of its own. null in `fit` is missing and a level.
"""

import warnings

import category_encoders as ce
import golden
import numpy as np
import pandas as pd
import sklearn
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import TargetEncoder

FOLDS = 5


def rows_of(rng, rows, levels, missing):
    columns = []
    for j, count in enumerate(levels):
        drawn = [f"{chr(97 + j)}{level}" for level in rng.integers(0, count, rows)]
        if missing and j == 0:
            drawn = [None if rng.random() < 0.15 else level for level in drawn]
        columns.append(drawn)
    return [list(row) for row in zip(*columns, strict=True)]


def given(encoder, task, fit, target, fold, apply, smooth, weights=None):
    return {
        "encoder": encoder,
        "task": task,
        "fit": fit,
        "target": target,
        "fold": fold,
        "apply": apply,
        "smooth": smooth,
        "weights": weights,
    }


def target_case(name, task, fit, target, fold, apply, smooth=None, weights=None):
    times = np.ones(len(fit), dtype=int) if weights is None else np.array(weights, dtype=int)
    rows = np.repeat(np.arange(len(fit)), times)
    kind = {"regression": "continuous"}.get(task, task)
    encoder = TargetEncoder(
        target_type=kind, smooth="auto" if smooth is None else smooth, cv=PredefinedSplit(fold[rows])
    )
    x = np.array(fit, dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        training = encoder.fit_transform(x[rows], np.asarray(target)[rows])
        applied = encoder.transform(np.array(apply, dtype=object))
    # The first of the copies of each row; a row of weight 0 is changed by all.
    first = {row: place for place, row in reversed(list(enumerate(rows)))}
    later = encoder.transform(x)
    expected = [training[first[row]] if row in first else later[row] for row in range(len(fit))]
    return golden.case(
        name,
        given("target", task, fit, target, fold, apply, smooth, weights),
        {"training": expected, "applied": applied},
    )


def james_stein(levels, target, asked):
    """The numbers of the levels asked for; all levels of one column."""
    target = np.asarray(target, dtype=float)
    prior = target.mean()
    groups = {level: target[[other == level for other in levels]] for level in set(levels)}
    k, n = len(groups), len(target)
    within = sum(((y - y.mean()) ** 2).sum() for y in groups.values())
    noise = within / (n - k)
    between = sum(len(y) * (y.mean() - prior) ** 2 for y in groups.values())
    usual = (n - sum(len(y) ** 2 for y in groups.values()) / n) / (k - 1)
    signal = (between / (k - 1) - noise) / usual
    numbers = []
    for level in asked:
        if level not in groups:
            numbers.append(prior)
            continue
        own = noise / len(groups[level])
        shrink = min(1.0, (k - 3) / (k - 1) * own / (own + signal)) if own + signal > 0 else 1.0
        numbers.append(prior + (1 - shrink) * (groups[level].mean() - prior))
    return numbers


def by_column(encode, fit, target, asked):
    columns = [encode([row[j] for row in fit], target, [row[j] for row in asked]) for j in range(len(fit[0]))]
    return [list(row) for row in zip(*columns, strict=True)]


def by_fold(name, encoder, task, encode, fit, target, fold, apply, smooth=None):
    training = [None] * len(fit)
    for part in range(FOLDS):
        learn = [row for row in range(len(fit)) if fold[row] != part]
        rest = [row for row in range(len(fit)) if fold[row] == part]
        found = encode([fit[row] for row in learn], [target[row] for row in learn], [fit[row] for row in rest])
        for row, numbers in zip(rest, found, strict=True):
            training[row] = numbers
    applied = encode(fit, target, apply)
    return golden.case(
        name,
        given(encoder, task, fit, target, fold, apply, smooth),
        {"training": training, "applied": applied},
    )


def frame(rows):
    return pd.DataFrame(rows, columns=[f"c{j}" for j in range(len(rows[0]))], dtype=object)


def weight_of_evidence(smooth):
    def encode(fit, target, asked):
        encoder = ce.WOEEncoder(cols=list(frame(fit).columns), regularization=smooth)
        encoder.fit(frame(fit), pd.Series(target))
        return encoder.transform(frame(asked)).to_numpy(dtype=float).tolist()

    return encode


def whole(name, encoder, task, made, fit, target, apply, smooth):
    made.cols = list(frame(fit).columns)
    training = made.fit_transform(frame(fit), pd.Series(target, dtype=float))
    applied = made.transform(frame(apply))
    return golden.case(
        name,
        given(encoder, task, fit, target, None, apply, smooth),
        {"training": training.to_numpy(dtype=float), "applied": applied.to_numpy(dtype=float)},
    )


def main():
    rng = golden.generator()
    rows = 150
    fit = rows_of(rng, rows, (6, 40), False)
    holes = rows_of(rng, rows, (6, 40), True)
    few = rows_of(rng, rows, (6, 10), False)
    fold = rng.permutation(rows) % FOLDS
    effect = {f"a{i}": rng.normal() for i in range(6)}
    signal = np.array([effect.get(row[0], 0.5) for row in fit])
    number = np.round(100.0 + 10.0 * signal + 5.0 * rng.normal(size=rows), 3)
    event = (signal + rng.normal(size=rows) > 0).astype(int)
    classes = np.digitize(signal + rng.normal(size=rows), [-0.7, 0.7])
    heavy = np.round(np.exp(3.0 * rng.normal(size=rows)), 6)
    weights = rng.integers(0, 4, rows)
    apply = [["a0", "b0"], ["a5", "b39"], ["a6", "b7"], ["a2", "never"]]
    apply_holes = apply + [[None, "b1"]]
    apply_few = [["a0", "b0"], ["a5", "b9"], ["a3", "b4"], ["a6", "never"]]

    cases = [
        target_case("binary_auto", "binary", fit, event, fold, apply),
        target_case("binary_10", "binary", fit, event, fold, apply, 10.0),
        target_case("binary_0", "binary", fit, event, fold, apply, 0.0),
        target_case("binary_missing", "binary", holes, event, fold, apply_holes),
        target_case("binary_weights", "binary", fit, event, fold, apply, None, weights),
        target_case("multiclass_auto", "multiclass", fit, classes, fold, apply),
        target_case("multiclass_3", "multiclass", holes, classes, fold, apply_holes, 3.0),
        target_case("regression_auto", "regression", fit, number, fold, apply),
        target_case("regression_2", "regression", fit, number, fold, apply, 2.0),
        target_case("regression_missing", "regression", holes, number, fold, apply_holes),
        target_case("regression_heavy_tail", "regression", fit, heavy, fold, apply),
        target_case("regression_weights", "regression", fit, number, fold, apply, None, weights),
        target_case("regression_large_mean", "regression", fit, number + 1e9, fold, apply),
    ]
    numbers = lambda fit, target, asked: by_column(james_stein, fit, target, asked)  # noqa: E731
    cases += [
        by_fold("james_stein_binary", "james_stein", "binary", numbers, fit, event, fold, apply),
        by_fold("james_stein_regression", "james_stein", "regression", numbers, fit, number, fold, apply),
        by_fold("james_stein_chance", "james_stein", "regression", numbers, fit, heavy, fold, apply),
    ]
    for smooth in (1.0, 0.5):
        evidence = weight_of_evidence(smooth)
        name = f"weight_of_evidence_{smooth}"
        cases.append(
            by_fold(name, "weight_of_evidence", "binary", evidence, few, event, fold, apply_few, smooth)
        )
    for task, target in (("binary", event), ("regression", number)):
        cases.append(
            whole(f"leave_one_out_{task}", "leave_one_out", task, ce.LeaveOneOutEncoder(), few, target, apply_few, 0.0)
        )
        for a in (1.0, 3.0):
            cases.append(
                whole(f"ordered_{task}_{a}", "ordered", task, ce.CatBoostEncoder(a=a), few, target, apply_few, a)
            )
    source = f"scikit-learn {sklearn.__version__}, category_encoders {ce.__version__}, numpy {np.__version__}"
    golden.write(__file__, source, cases, 1e-9, 1e-14)


if __name__ == "__main__":
    main()
