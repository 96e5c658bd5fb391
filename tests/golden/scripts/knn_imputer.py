"""KNNImputer with both weights.

Coordinates are multiples of 1/64 below 64, so that the dot products by which scikit-learn computes distances are exact.
No case has two donors at the distance of the last one taken: of these scikit-learn takes whichever its partial sort leaves
in front, and `distinct` refuses such a case. Columns are named c0, c1, … in the order of the tables.
"""

import golden
import numpy as np
import sklearn
from sklearn.impute import KNNImputer
from sklearn.metrics.pairwise import nan_euclidean_distances


def distinct(fitted, applied, k):
    """Refuse a tie at the border of the donors."""
    distances = nan_euclidean_distances(applied, fitted)
    for row, to in zip(applied, distances):
        for column in np.flatnonzero(np.isnan(row)):
            known = np.sort(to[~np.isnan(fitted[:, column]) & ~np.isnan(to)])
            if len(known) > k and known[k] - known[k - 1] < 1e-9:
                raise ValueError(f"a tie at {known[k]}")


def fit(name, fitted, applied, k, weights):
    distinct(fitted, applied, k)
    imputer = KNNImputer(n_neighbors=k, weights=weights, keep_empty_features=True)
    imputer.fit(fitted)
    given = {"fit": fitted, "apply": applied, "n_neighbors": k, "weights": weights}
    return golden.case(name, given, {"transformed": imputer.transform(applied)})


def grid(values):
    return np.round(64.0 * values) / 64.0


def main():
    rng = golden.generator()
    shape = (60, 5)
    fitted = grid(4.0 * rng.standard_normal(shape) + rng.standard_normal((60, 1)) * 3.0)
    fitted[rng.random(shape) < 0.25] = np.nan
    later = grid(4.0 * rng.standard_normal((25, 5)))
    later[rng.random((25, 5)) < 0.35] = np.nan
    later[0] = np.nan
    later[1] = fitted[7]
    x = np.nan
    # A row that shares no column with any donor, a column without any value, fewer donors than asked for.
    few = np.array([[1.0, x, 2.0, x], [2.0, 5.0, x, x], [x, 8.0, 4.5, x], [4.0, x, 8.0, x]])
    few_later = np.array([[x, 6.0, x, x], [1.5, x, x, x], [x, x, x, x], [x, x, 3.0, x]])
    same = np.array([[1.0, 2.0, 10.0], [1.0, 2.0, 30.0], [5.0, 2.0, 90.0], [x, 7.0, 50.0]])
    same_later = np.array([[1.0, 2.0, x], [4.0, 2.5, x]])
    cases = [
        fit("uniform", fitted, later, 5, "uniform"),
        fit("distance", fitted, later, 5, "distance"),
        fit("one_neighbour", fitted, later, 1, "uniform"),
        fit("many_neighbours", fitted, later, 30, "distance"),
        fit("training_rows", fitted, fitted, 4, "distance"),
        fit("few_rows", few, few_later, 10, "uniform"),
        fit("few_rows_distance", few, few_later, 10, "distance"),
        fit("equal_rows", same, same_later, 3, "distance"),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
