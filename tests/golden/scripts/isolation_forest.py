"""Isolation forests of scikit-learn: scores of rows by so many trees that they hardly depend on the draw.

`score` is scikit-learn's own, with the sign turned. `exact` takes the same trees and puts the harmonic numbers themselves
in the average path length, where scikit-learn has a logarithm and Euler's constant: what a forest by the definition of Liu,
Ting & Zhou (2008) would answer. With 4000 trees a score is right to about 0.001.
"""

import golden
import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length
from sklearn.metrics import roc_auc_score

TREES = 4000


def paths(most):
    """c(n) = 2 H(n - 1) - 2 (n - 1) / n."""
    harmonic = np.concatenate([[0.0, 0.0], np.cumsum(1.0 / np.arange(1, most))])
    n = np.arange(most + 1)
    return np.where(n < 2, 0.0, 2.0 * harmonic - 2.0 * (n - 1) / np.maximum(n, 1))


def exact(forest, x):
    table = paths(len(x))
    length = np.zeros(len(x))
    for tree in forest.estimators_:
        leaf = tree.apply(x)
        depth = np.asarray(tree.decision_path(x).sum(axis=1)).ravel() - 1
        length += depth + table[tree.tree_.n_node_samples[leaf]]
    return 2.0 ** (-length / len(forest.estimators_) / table[forest.max_samples_])


def case(name, x, odd, rows):
    forest = IsolationForest(n_estimators=TREES, max_samples=rows, random_state=0).fit(x)
    score = -forest.score_samples(x)
    given = {"x": x, "odd": odd.astype(int), "rows": rows}
    expected = {
        "score": np.round(score, 6),
        "exact": np.round(exact(forest, x), 6),
        "roc_auc": roc_auc_score(odd, score),
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    usual = rng.standard_normal((380, 3)) * [1.0, 2.0, 0.5]
    far = rng.uniform(-6.0, 6.0, (20, 3))
    cloud = np.round(np.vstack([usual, far]), 3)
    two = np.vstack([rng.standard_normal((140, 2)) - 4.0, 0.5 * rng.standard_normal((145, 2)) + 3.0])
    between = rng.uniform(-1.5, 1.5, (15, 2)) * [4.0, 1.0] + [0.0, 8.0]
    clusters = np.round(np.vstack([two, between]), 3)
    few = np.round(np.vstack([rng.integers(0, 6, (37, 2)), [[9, 9], [-4, 2], [2, 14]]]).astype(float), 1)
    n = np.array([10, 50, 256, 1000, 5000])
    cases = [
        golden.case("average_path", {"rows": n}, {"path": _average_path_length(n)}),
        case("cloud", cloud, np.arange(400) >= 380, 256),
        case("clusters_small_trees", clusters, np.arange(300) >= 285, 64),
        case("few_rows_with_ties", few, np.arange(40) >= 37, 40),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.01, 0.0)


if __name__ == "__main__":
    main()
