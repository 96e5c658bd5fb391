"""Ranking metrics of lists, the mean over the groups with a row of a grade above 0; a group weighs the mean of its rows.

ndcg, linear_ndcg         scikit-learn's ndcg_score per group (ties by expected value), gains 2^grade - 1 and grade
mean_average_precision    without ties, of all places: scikit-learn's label_ranking_average_precision_score; in general the
mean_reciprocal_rank      mean over all orders of the rows (of equal scores) by the definition; both are compared here
lightgbm                  LightGBM's own ndcg and map of scores without ties, where every group has a relevant row
"""

import itertools

import golden
import lightgbm
import numpy as np
import sklearn
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score


def orders(scores):
    """All orders of the rows by score, the largest first."""
    values = sorted(set(scores), reverse=True)
    ties = [[i for i, score in enumerate(scores) if score == value] for value in values]
    for parts in itertools.product(*(itertools.permutations(tie) for tie in ties)):
        yield [i for part in parts for i in part]


def average_precision(relevant, at):
    hits, total = 0, 0.0
    for place, hit in enumerate(relevant[:at]):
        hits += hit
        total += hit * hits / (place + 1)
    return total / min(sum(relevant), at)


def reciprocal_rank(relevant, at):
    return next((1.0 / (place + 1) for place, hit in enumerate(relevant[:at]) if hit), 0.0)


def over_orders(of, grades, scores, at):
    return float(np.mean([of([int(grades[i] > 0) for i in order], at) for order in orders(scores)]))


def ndcg(gains, scores, at):
    # scikit-learn wants two rows.
    return ndcg_score([gains], [scores], k=at) if len(gains) > 1 else 1.0


def measure(name, grades, scores, groups, at, weights=None):
    grades, scores, groups = np.asarray(grades, float), np.asarray(scores, float), np.asarray(groups)
    w = np.ones(len(grades)) if weights is None else np.asarray(weights, float)
    values = {key: [] for key in ("ndcg", "linear_ndcg", "mean_average_precision", "mean_reciprocal_rank")}
    of_groups = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        g, s = grades[rows], scores[rows]
        if g.max() == 0:
            continue
        of_groups.append(w[rows].mean())
        k = len(rows) if at is None else at
        values["ndcg"].append(ndcg(2.0**g - 1.0, s, at))
        values["linear_ndcg"].append(ndcg(g, s, at))
        values["mean_average_precision"].append(over_orders(average_precision, g, s, k))
        values["mean_reciprocal_rank"].append(over_orders(reciprocal_rank, g, s, k))
        if at is None and len(set(s)) == len(s) and len(s) > 1:
            other = label_ranking_average_precision_score([g > 0], [s])
            assert abs(other - values["mean_average_precision"][-1]) < 1e-12
    expected = {key: float(np.average(value, weights=of_groups)) for key, value in values.items()}
    given = {"grades": grades, "scores": scores, "groups": groups, "at": at, "weights": weights}
    return golden.case(name, given, expected)


def lightgbm_case(name, rng, at):
    groups = np.repeat(np.arange(12), 9)
    grades = rng.integers(0, 4, len(groups)).astype(float)
    grades[::9] = 2.0
    scores = np.round(rng.permutation(len(groups)) / 7.0 + grades, 3) + np.arange(len(groups)) * 1e-5
    data = lightgbm.Dataset(
        np.zeros((len(groups), 1)), grades, group=np.bincount(groups), init_score=scores, params={"verbose": -1}
    )
    parameters = {"objective": "lambdarank", "metric": ["ndcg", "map"], "eval_at": [at], "verbose": -1}
    record = {}
    lightgbm.train(
        parameters, data, 1, valid_sets=[data], valid_names=["rows"], callbacks=[lightgbm.record_evaluation(record)]
    )
    expected = {
        "ndcg": record["rows"][f"ndcg@{at}"][0],
        "mean_average_precision": record["rows"][f"map@{at}"][0],
    }
    given = {"grades": grades, "scores": scores, "groups": groups, "at": at, "weights": None}
    return golden.case(f"lightgbm_{name}", given, expected)


def main():
    rng = golden.generator()
    rows = 60
    groups = rng.integers(0, 12, rows)
    grades = rng.integers(0, 4, rows) * (rng.random(rows) < 0.6)
    distinct = rng.permutation(rows) / rows
    tied = rng.integers(0, 3, rows) / 4.0
    weights = rng.uniform(0.0, 3.0, rows)
    cases = []
    for at in (None, 1, 3, 5):
        for name, scores in (("distinct", distinct), ("tied", tied)):
            cases.append(measure(f"{name}_at_{at}", grades, scores, groups, at))
    cases += [
        measure("constant", grades, np.zeros(rows), groups % 15, 3),
        measure("weighted", grades, tied, groups, 4, weights),
        measure("fractions", grades / 3.0, tied, groups, 4),
        measure("one_group_of_one", [2.0], [0.1], [7], None),
        lightgbm_case("all", rng, 9),
        lightgbm_case("first", rng, 3),
    ]
    source = f"scikit-learn {sklearn.__version__}; the definitions; LightGBM {lightgbm.__version__}"
    golden.write(__file__, source, cases, 0.0, 1e-12)


if __name__ == "__main__":
    main()
