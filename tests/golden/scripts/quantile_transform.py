"""QuantileTransformer with subsample=None: all rows count.

Where values are missing, `quantiles` is at most the number of values that are there, since scikit-learn counts
missing rows too when it lowers the number of quantiles.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.preprocessing import QuantileTransformer


def fit(name, rows, apply_rows, quantiles, output):
    transformer = QuantileTransformer(n_quantiles=quantiles, output_distribution=output, subsample=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformed = transformer.fit(rows).transform(apply_rows)
    given = {"fit": rows, "apply": apply_rows, "quantiles": quantiles, "output": output}
    return golden.case(name, given, {"quantiles": transformer.quantiles_.T, "transformed": transformed})


def main():
    rng = golden.generator()
    n = 80
    table = np.column_stack([rng.standard_normal(n), np.exp(1.5 * rng.standard_normal(n))])
    holes = table.copy()
    holes[rng.random(holes.shape) < 0.2] = np.nan
    ties = np.column_stack([rng.integers(0, 4, n), np.maximum(rng.standard_normal(n), 0.0)]).astype(float)
    constant = np.column_stack([np.full(n, 3.0), table[:, 0]])
    fresh = np.array([[-9.0, 0.01], [0.0, 0.0], [0.1, 1.0], [1.0, 2.5], [3.0, 9.0], [np.nan, 1e6]])
    cases = []
    for output in ["uniform", "normal"]:
        cases += [
            fit(f"{output}_all", table, np.vstack([table[:20], fresh]), 1000, output),
            fit(f"{output}_few", table, np.vstack([table[:20], fresh]), 11, output),
            fit(f"{output}_missing", holes, np.vstack([holes[:20], fresh]), 20, output),
            fit(f"{output}_ties", ties, np.vstack([ties[:20], fresh]), 15, output),
            fit(f"{output}_constant", constant, np.vstack([constant[:5], fresh]), 10, output),
        ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
