"""LinearRegression (alpha 0) and Ridge (alpha > 0).

The loss is sum(w * (y - intercept - x . coef)^2) + alpha * |coef|^2, with the weights as given (not
scaled to mean 1) and the intercept not penalised. Where columns are linearly dependent and alpha is
0, the answer is the coefficient vector of least norm.
"""

import golden
import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression, Ridge


def fit(name, features, target, alpha=0.0, weights=None, intercept=True):
    if alpha == 0.0:
        model = LinearRegression(fit_intercept=intercept)
    else:
        model = Ridge(alpha=alpha, fit_intercept=intercept, solver="cholesky")
    model.fit(features, target, sample_weight=weights)
    given = {
        "features": features,
        "target": target,
        "weights": weights,
        "alpha": alpha,
        "fit_intercept": intercept,
    }
    return golden.case(name, given, {"coef": model.coef_, "intercept": model.intercept_})


def main():
    rng = golden.generator()
    n, p = 60, 4
    features = rng.standard_normal((n, p)) * np.array([1.0, 3.0, 0.5, 10.0])
    features[:, 1] += 0.8 * features[:, 0]
    target = 2.5 + features @ np.array([1.5, -0.7, 0.0, 0.2]) + 0.6 * rng.standard_normal(n)
    weights = rng.uniform(0.2, 3.0, n)
    shifted = features + np.array([0.0, 0.0, 1000.0, -50.0])
    doubled = np.column_stack([features[:, :3], features[:, 0]])
    whole = rng.integers(0, 4, n).astype(float)
    cases = [
        fit("ols", features, target),
        fit("ols_weighted", features, target, weights=weights),
        fit("ols_weighted_by_whole_numbers", features, target, weights=whole),
        fit("ols_no_intercept", features, target, intercept=False),
        fit("ols_shifted_columns", shifted, target),
        fit("ols_repeated_column", doubled, target),
        fit("ridge_0.1", features, target, 0.1),
        fit("ridge_1", features, target, 1.0),
        fit("ridge_100", features, target, 100.0),
        fit("ridge_1_weighted", features, target, 1.0, weights),
        fit("ridge_100_weighted", features, target, 100.0, weights),
        fit("ridge_1_no_intercept", features, target, 1.0, intercept=False),
        fit("ridge_1_shifted_columns", shifted, target, 1.0),
        fit("ridge_1_repeated_column", doubled, target, 1.0),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
