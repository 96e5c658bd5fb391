"""B-splines of scikit-learn and natural cubic splines of patsy.

Weights count rows several times: the other side gets the rows repeated. patsy is given the quantiles of the rows as knots,
for its own are those of the distinct values. `apply` goes beyond the values to learn from but for the extrapolation "error".
"""

import golden
import numpy as np
import patsy
import sklearn
from sklearn.preprocessing import SplineTransformer


def b_spline(name, rows, fresh, degree, knots, spacing, extrapolation, bias=True, weights=None):
    seen = rows if weights is None else np.repeat(rows, weights.astype(int), axis=0)
    spline = SplineTransformer(
        n_knots=knots, degree=degree, knots=spacing, extrapolation=extrapolation, include_bias=bias
    )
    # Column by column: with degree 1 and lines beyond, scikit-learn raises the degree of the columns after the first.
    made = [spline.fit(seen[:, [j]]).transform(fresh[:, [j]]) for j in range(rows.shape[1])]
    given = {
        "stage": "b_spline", "fit": rows, "apply": fresh, "weights": weights, "degree": degree, "knots": knots,
        "spacing": spacing, "extrapolation": extrapolation, "bias": bias,
    }
    return golden.case(name, given, {"transformed": np.hstack(made)})


def natural(name, x, fresh, knots, spacing, weights=None):
    seen = x if weights is None else np.repeat(x, weights.astype(int))
    shares = np.linspace(0, 1, knots)
    if spacing == "quantile":
        places = np.quantile(seen, shares)
    else:
        places = seen.min() + (seen.max() - seen.min()) * shares
    basis = patsy.dmatrix("cr(x, knots=inner) - 1", {"x": seen, "inner": places[1:-1]})
    made = patsy.build_design_matrices([basis.design_info], {"x": fresh, "inner": places[1:-1]})[0]
    given = {
        "stage": "natural", "fit": x[:, None], "apply": fresh[:, None], "weights": weights, "knots": knots,
        "spacing": spacing,
    }
    return golden.case(name, given, {"transformed": np.asarray(made)})


def main():
    rng = golden.generator()
    rows = np.column_stack([rng.standard_normal(40), np.exp(rng.standard_normal(40)) * 100.0])
    weights = rng.integers(0, 4, len(rows)).astype(float)
    low, high = rows.min(axis=0), rows.max(axis=0)
    inside = np.vstack([rows[:5], low, high, 0.3 * low + 0.7 * high])
    fresh = np.vstack([inside, low - 0.5 * (high - low), high + 2.0 * (high - low), low - 1e-3])
    cases = []
    for degree in range(5):
        for spacing in ["uniform", "quantile"]:
            # Values beyond splines of degree 0 make scikit-learn fail.
            for extrapolation in ["constant", "linear"] if degree > 0 else ["error"]:
                name = f"b_spline_{degree}_{spacing}_{extrapolation}"
                shown = inside if extrapolation == "error" else fresh
                cases.append(b_spline(name, rows, shown, degree, 5, spacing, extrapolation))
    for spacing in ["uniform", "quantile"]:
        cases.append(b_spline(f"b_spline_error_{spacing}", rows, inside, 3, 6, spacing, "error"))
        cases.append(b_spline(f"b_spline_no_bias_{spacing}", rows, fresh, 3, 4, spacing, "linear", False))
        cases.append(b_spline(f"b_spline_two_knots_{spacing}", rows, fresh, 2, 2, spacing, "constant"))
        cases.append(b_spline(f"b_spline_weighted_{spacing}", rows, fresh, 3, 5, spacing, "linear", True, weights))
        for knots in [3, 4, 7]:
            cases.append(natural(f"natural_{knots}_{spacing}", rows[:, 1], fresh[:, 1], knots, spacing))
        cases.append(natural(f"natural_weighted_{spacing}", rows[:, 0], fresh[:, 0], 5, spacing, weights))
    source = f"scikit-learn {sklearn.__version__}, patsy {patsy.__version__}"
    golden.write(__file__, source, cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
