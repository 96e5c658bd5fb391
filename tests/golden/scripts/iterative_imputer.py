"""IterativeImputer with BayesianRidge and with Ridge, ascending order.

`rounds` is how many rounds were made. `fitted` is the table that was learned from, completed; `transformed` are later rows.
`ridge: null` is BayesianRidge, `ridge: [l2]` is Ridge(alpha=l2).
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import BayesianRidge, Ridge


def fit(name, fitted, applied, ridge=None, max_iter=10, tol=1e-3):
    estimator = BayesianRidge() if ridge is None else Ridge(alpha=ridge, solver="cholesky")
    imputer = IterativeImputer(estimator=estimator, max_iter=max_iter, tol=tol, keep_empty_features=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        completed = imputer.fit_transform(fitted)
        transformed = imputer.transform(applied)
    given = {
        "fit": fitted,
        "apply": applied,
        "ridge": None if ridge is None else [ridge],
        "max_iter": max_iter,
        "tol": tol,
    }
    expected = {"rounds": imputer.n_iter_, "fitted": completed, "transformed": transformed}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    rows = 80
    first = rng.standard_normal((rows, 2))
    mixing = rng.standard_normal((2, 5))
    full = np.round(first @ mixing + 0.3 * rng.standard_normal((rows, 5)), 6)
    holes = full.copy()
    chance = rng.random((rows, 5)) < np.array([0.05, 0.1, 0.2, 0.3, 0.0])
    holes[chance] = np.nan
    later = np.round(rng.standard_normal((12, 2)) @ mixing + 0.3 * rng.standard_normal((12, 5)), 6)
    later[rng.random((12, 5)) < 0.4] = np.nan
    later[0] = np.nan
    wide = holes.copy()
    wide[:, 1] = wide[:, 1] * 50.0 + 1000.0
    constant = holes[:, :3].copy()
    constant[:, 1] = 2.0
    cases = [
        fit("bayesian_ridge", holes, later),
        fit("bayesian_ridge_one_round", holes, later, max_iter=1),
        fit("bayesian_ridge_strict", holes, later, tol=1e-6, max_iter=30),
        fit("bayesian_ridge_other_units", wide, later),
        fit("bayesian_ridge_constant_column", constant, later[:, :3]),
        fit("ridge", holes, later, ridge=1.0),
        fit("ridge_heavy", holes, later, ridge=50.0, max_iter=4),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
