"""Regression metrics. r2 has the library's default `force_finite=True`.

That is: if the truth does not vary, r2 is 1 for a perfect prediction and 0 for any other. With
fewer than two rows r2 is undefined (null). r2 is about the weighted mean of the truth.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn import metrics


def measure(name, truth, prediction, weights=None):
    truth = np.asarray(truth, dtype=float)
    prediction = np.asarray(prediction, dtype=float)
    weights = None if weights is None else np.asarray(weights, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "mae": metrics.mean_absolute_error(truth, prediction, sample_weight=weights),
            "mse": metrics.mean_squared_error(truth, prediction, sample_weight=weights),
            "rmse": metrics.root_mean_squared_error(truth, prediction, sample_weight=weights),
            "r2": metrics.r2_score(truth, prediction, sample_weight=weights),
        }
    given = {"truth": truth, "prediction": prediction, "weights": weights}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 200
    truth = 3.0 + 2.0 * rng.standard_normal(n)
    prediction = truth + 0.7 * rng.standard_normal(n)
    weights = rng.uniform(0.2, 3.0, n)
    extreme = 10.0 ** rng.uniform(-6.0, 6.0, n)
    cases = [
        measure("random", truth, prediction),
        measure("weighted", truth, prediction, weights),
        measure("extreme_weights", truth, prediction, extreme),
        measure("zero_weights", truth, prediction, np.where(rng.random(n) < 0.3, 0.0, weights)),
        measure("large_offset", truth + 1e8, prediction + 1e8),
        measure("large_offset_weighted", truth + 1e8, prediction + 1e8, weights),
        measure("small_scale", truth * 1e-9, prediction * 1e-9),
        measure("worse_than_the_mean", truth, rng.permutation(truth)),
        measure("perfect", truth[:20], truth[:20]),
        measure("constant_truth_perfect", [5.0] * 6, [5.0] * 6),
        measure("constant_truth_not_perfect", [5.0] * 6, [5.0, 5.5, 4.0, 5.0, 6.0, 5.25]),
        measure("constant_truth_weighted", [5.0] * 4, [5.0, 5.5, 4.0, 5.0], [1.0, 2.0, 0.5, 4.0]),
        measure("constant_prediction", truth[:20], [3.0] * 20),
        measure("two_rows", [1.0, 2.0], [1.5, 1.5]),
        measure("one_row", [1.0], [1.5]),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 1e-12)


if __name__ == "__main__":
    main()
