"""LogisticRegression with an L2 penalty; the intercept is not penalised.

The loss is C * sum(w * negative log likelihood) + |coef|^2 / 2, with the weights as given. Binary
models have one row of coefficients (for class 1), multinomial ones have one row per class (softmax, no
reference class). All are fitted with newton-cholesky, tol = 1e-12. (lbfgs with that tol stops earlier, by
its relative decrease of the loss, at coefficients a few 1e-8 away.) The loss of a multinomial model does
not change if one number is added to every intercept; the intercepts here sum to zero.
Every fit is checked here: the largest partial derivative of the loss, divided by C * sum(w), must be
below 1e-11.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

ROWS = 10
SOLVER_TOLERANCE = 1e-12


def slope(model, features, target, weights, c):
    """The largest partial derivative of the loss, per unit of C * sum(w)."""
    weights = np.ones(len(target)) if weights is None else weights
    classes = model.classes_
    gap = model.predict_proba(features) - (target[:, None] == classes[None, :])
    gap = gap[:, 1:] if len(classes) == 2 else gap
    gap = gap * weights[:, None]
    coef = c * gap.T @ features + model.coef_
    largest = np.abs(coef).max()
    if model.fit_intercept:
        largest = max(largest, np.abs(c * gap.sum(axis=0)).max())
    return largest / (c * weights.sum())


def fit(name, features, target, c=1.0, weights=None, intercept=True):
    model = LogisticRegression(
        C=c,
        solver="newton-cholesky",
        tol=SOLVER_TOLERANCE,
        max_iter=10_000,
        fit_intercept=intercept,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(features, target, sample_weight=weights)
    steepest = slope(model, features, target, weights, c)
    if steepest >= 1e-11:
        raise ValueError(f"{name} did not converge: {steepest}")
    if len(model.classes_) > 2 and abs(model.intercept_.sum()) > 1e-11:
        raise ValueError(f"{name}: the intercepts do not sum to zero")
    given = {
        "features": features,
        "target": target,
        "weights": weights,
        "c": c,
        "fit_intercept": intercept,
    }
    expected = {
        "coef": model.coef_,
        "intercept": model.intercept_,
        "probability": model.predict_proba(features[:ROWS]),
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 80
    features = rng.standard_normal((n, 4)) * np.array([1.0, 2.0, 0.5, 1.0])
    features[:, 3] += 0.6 * features[:, 0]
    logit = -0.4 + features @ np.array([1.2, -0.6, 0.0, 0.5])
    target = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(int)
    weights = rng.uniform(0.2, 3.0, n)

    near = rng.standard_normal((30, 2))
    near[:, 0] = np.abs(near[:, 0]) + 0.5
    sides = np.repeat([0, 1], 15)
    near[sides == 0, 0] *= -1.0

    centres = np.array([[0.0, 0.0, 0.0], [1.2, 0.5, -0.5], [-0.4, 1.5, 0.8]])
    three = rng.choice(3, size=90, p=[0.5, 0.3, 0.2])
    cloud = centres[three] + rng.standard_normal((90, 3))
    three_weights = rng.uniform(0.2, 3.0, 90)

    cases = [
        fit("binary_c_0.01", features, target, 0.01),
        fit("binary_c_1", features, target),
        fit("binary_c_100", features, target, 100.0),
        fit("binary_c_1_weighted", features, target, weights=weights),
        fit("binary_c_0.01_weighted", features, target, 0.01, weights),
        fit("binary_c_1_no_intercept", features, target, intercept=False),
        fit("separable_c_1", near, sides),
        fit("separable_c_100", near, sides, 100.0),
        fit("separable_c_1_weighted", near, sides, weights=weights[:30]),
        fit("multinomial_c_0.1", cloud, three, 0.1),
        fit("multinomial_c_1", cloud, three),
        fit("multinomial_c_10", cloud, three, 10.0),
        fit("multinomial_c_1_weighted", cloud, three, weights=three_weights),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-6, 1e-6)


if __name__ == "__main__":
    main()
