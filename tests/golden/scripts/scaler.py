"""StandardScaler: missing values (null) are left out of mean and scale and stay missing.

The scale is the population deviation, sqrt(sum(w * (x - mean)^2) / sum(w)). A column is taken as
constant, and its scale set to 1, if
    variance <= s * eps * variance + (s * mean * eps)^2,  eps = 2.220446049250313e-16,
where s is the sum of the weights (or the number) of the values present.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.preprocessing import StandardScaler


def fit(name, fit_rows, apply_rows, weights=None):
    scaler = StandardScaler()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaler.fit(fit_rows, sample_weight=weights)
        transformed = scaler.transform(apply_rows)
    given = {"fit": fit_rows, "apply": apply_rows, "weights": weights}
    expected = {"mean": scaler.mean_, "scale": scaler.scale_, "transformed": transformed}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 40
    table = np.column_stack(
        [
            rng.standard_normal(n),
            100.0 + 15.0 * rng.standard_normal(n),
            np.exp(1.5 * rng.standard_normal(n)),
        ]
    )
    weights = rng.uniform(0.2, 3.0, n)
    holes = table.copy()
    holes[rng.random(holes.shape) < 0.2] = np.nan
    fresh = np.array([[0.0, 100.0, 1.0], [np.nan, 85.0, 4.5], [-3.0, np.nan, 0.0]])

    constant = table[:12].copy()
    constant[:, 1] = 7.0
    constant_fresh = np.array([[0.5, 7.0, 1.0], [0.5, 9.0, 1.0]])
    inexact = constant.copy()
    inexact[:, 1] = 0.1

    # Integers around 1e9 whose mean is a binary fraction: the exact mean and variance are reachable,
    # so this case tells a two-pass variance from E[x^2] - E[x]^2, and not rounding from rounding.
    steps = rng.integers(-50, 51, 64).astype(float)
    far = np.column_stack([1e9 + steps, steps])
    far_weights = rng.integers(1, 4, 63).astype(float)
    far_weights = np.append(far_weights, 256.0 - far_weights.sum())

    single = table[:1]
    few = holes[:12].copy()
    few[:, 2] = np.nan
    few[3, 2] = 4.0

    cases = [
        fit("plain", table, fresh),
        fit("weighted", table, fresh, weights),
        fit("missing", holes, np.vstack([holes[:5], fresh])),
        fit("missing_weighted", holes, np.vstack([holes[:5], fresh]), weights),
        fit("constant_column", constant, constant_fresh),
        fit("constant_column_weighted", constant, constant_fresh, weights[:12]),
        fit("constant_column_of_tenths", inexact, inexact[:3]),
        fit("large_mean", far, far[:10]),
        fit("large_mean_weighted", far, far[:10], far_weights),
        fit("one_value_present", few, few[:5]),
        fit("one_row", single, fresh),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
