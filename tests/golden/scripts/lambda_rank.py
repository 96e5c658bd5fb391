"""Ranking: slopes and curvatures of LambdaRank from the definition, and models of LightGBM's lambdarank.

lambdas     gradient and hessian of every row by plain loops over all pairs of each group, as Burges (2010) has them with
            LightGBM's normalisations, and 1 - NDCG (exponential gains, mean over groups with a relevant row, ties by
            expected value) from scikit-learn's ndcg_score; a group of weight w multiplies both by w
lightgbm    scores of the training rows after 1 and 5 rounds, and NDCG@10 of rows that were not learned from after 50
"""

import golden
import lightgbm
import numpy as np
import sklearn
from sklearn.metrics import ndcg_score

def gain(grades):
    return 2.0 ** np.asarray(grades, float) - 1.0


def discount(place):
    return 1.0 / np.log2(place + 2.0)


def group_lambdas(grades, scores, truncation):
    n = len(grades)
    gradient, hessian = np.zeros(n), np.zeros(n)
    gains = gain(grades)
    best = np.sort(gains)[::-1][:truncation]
    ideal = sum(g * discount(i) for i, g in enumerate(best))
    if ideal == 0.0:
        return gradient, hessian
    order = sorted(range(n), key=lambda i: (-scores[i], i))
    place = {row: i for i, row in enumerate(order)}
    total = 0.0
    for a in range(n):
        for b in range(n):
            if grades[a] <= grades[b] or min(place[a], place[b]) >= truncation:
                continue
            delta = scores[a] - scores[b]
            change = abs((gains[a] - gains[b]) * (discount(place[a]) - discount(place[b]))) / ideal
            if max(scores) != min(scores):
                change /= 0.01 + abs(delta)
            wrong = 1.0 / (1.0 + np.exp(delta))
            gradient[a] -= wrong * change
            gradient[b] += wrong * change
            hessian[a] += wrong * (1.0 - wrong) * change
            hessian[b] += wrong * (1.0 - wrong) * change
            total += 2.0 * wrong * change
    if total > 0.0:
        factor = np.log2(1.0 + total) / total
        gradient, hessian = gradient * factor, hessian * factor
    return gradient, hessian


def lambdas(name, grades, groups, scores, truncation, weights=None):
    grades, groups, scores = np.array(grades, float), np.array(groups), np.array(scores, float)
    gradient, hessian = np.zeros(len(grades)), np.zeros(len(grades))
    lost, total = 0.0, 0.0
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        weight = 1.0 if weights is None else np.mean(np.array(weights)[rows])
        g, h = group_lambdas(grades[rows].tolist(), scores[rows].tolist(), truncation)
        gradient[rows], hessian[rows] = weight * g, weight * np.maximum(h, 1e-16)
        if grades[rows].max() > 0.0:
            # One row is its own best order.
            ndcg = ndcg_score([gain(grades[rows])], [scores[rows]], k=truncation) if len(rows) > 1 else 1.0
            lost, total = lost + weight * (1.0 - ndcg), total + weight
    inputs = {
        "grades": grades.tolist(),
        "groups": groups.tolist(),
        "scores": scores.tolist(),
        "weights": weights,
        "truncation": truncation,
    }
    expected = {"gradient": gradient.tolist(), "hessian": hessian.tolist(), "loss": lost / total}
    return golden.case(f"lambdas_{name}", inputs, expected)


def table(rng, groups, size, columns):
    rows = groups * size
    x = rng.normal(size=(rows, columns))
    query = np.repeat(np.arange(groups), size)
    signal = 1.2 * x[:, 0] - x[:, 1] * (x[:, 2] > 0) + 0.7 * rng.normal(size=rows) + 0.5 * np.repeat(rng.normal(size=groups), size)
    grades = np.digitize(signal, [-0.5, 0.8, 1.8, 2.8]).astype(float)
    return x, query, grades


def model(name, groups, size, columns, rounds, leaves, min_hessian):
    rng = np.random.default_rng(golden.SEED)
    x, query, grades = table(rng, groups, size, columns)
    # LightGBM estimates the rows of each bin and rounds; with few large bins and no small leaves nothing hangs on that.
    x = np.round(4.0 * x) / 4.0
    parameters = {
        "objective": "lambdarank",
        "num_leaves": leaves,
        "min_data_in_leaf": 0,
        "min_sum_hessian_in_leaf": min_hessian,
        "learning_rate": 0.1,
        "verbose": -1,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
    }
    held = query >= (groups * 3) // 4
    train = lightgbm.Dataset(x[~held], grades[~held], group=np.bincount(query[~held])[np.unique(query[~held])])
    expected = {}
    for k in rounds:
        booster = lightgbm.train(parameters, train, num_boost_round=k)
        if k <= 5:
            expected[f"scores_after_{k}"] = booster.predict(x[~held]).tolist()
        else:
            scores = booster.predict(x[held])
            each = [
                ndcg_score([gain(grades[held][query[held] == q])], [scores[query[held] == q]], k=10)
                for q in np.unique(query[held])
                if grades[held][query[held] == q].max() > 0
            ]
            expected[f"ndcg_10_after_{k}"] = float(np.mean(each))
    inputs = {
        "x": x.tolist(),
        "grades": grades.tolist(),
        "groups": query.tolist(),
        "held": held.astype(int).tolist(),
        "leaves": leaves,
        "min_hessian": min_hessian,
    }
    return golden.case(f"lightgbm_{name}", inputs, expected)


def main():
    rng = np.random.default_rng(golden.SEED)
    groups = rng.integers(0, 6, 40)
    cases = [
        lambdas("first_round", [2, 0, 1, 0, 3, 1, 0, 0], [1, 1, 1, 1, 0, 0, 0, 2], [0.0] * 8, 30),
        lambdas("scores", rng.integers(0, 5, 40), groups, np.round(rng.normal(size=40), 2), 30),
        lambdas("truncated", rng.integers(0, 4, 40), groups, np.round(rng.normal(size=40), 1), 3),
        lambdas(
            "weights", rng.integers(0, 4, 40), groups, rng.normal(size=40), 10, rng.integers(0, 4, 40).astype(float).tolist()
        ),
        model("small", 40, 8, 3, [1, 5, 50], 5, 3.0),
        model("long_lists", 12, 50, 3, [1, 5, 50], 5, 1.0),
    ]
    source = f"the definition; scikit-learn {sklearn.__version__}; LightGBM {lightgbm.__version__}"
    golden.write(__file__, source, cases, 1e-12, 1e-9)


if __name__ == "__main__":
    main()
