"""MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, and the logarithms of numpy.

Missing values (null) are left out of what is learned and stay missing. `quantile_range` is in percent. A logarithm
that is not defined is null.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler


def fit(name, kind, scaler, fit_rows, apply_rows, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformed = scaler.fit(fit_rows).transform(apply_rows)
    given = {"kind": kind, "fit": fit_rows, "apply": apply_rows, **given}
    return golden.case(name, given, {"transformed": transformed})


def log(name, rows, base, offset):
    with np.errstate(all="ignore"):
        moved = np.where(rows + offset > 0, rows, np.nan)
        if offset == 1.0:
            logs = np.log1p(moved)
            logs = logs if base is None else logs / np.log(base)
        else:
            known = {None: np.log, 2.0: np.log2, 10.0: np.log10}
            moved = moved + offset
            logs = known[base](moved) if base in known else np.log(moved) / np.log(base)
    given = {"kind": "log", "fit": rows, "apply": rows, "base": None if base is None else [base], "offset": offset}
    return golden.case(name, given, {"transformed": logs})


def main():
    rng = golden.generator()
    n = 30
    table = np.column_stack(
        [rng.standard_normal(n), 100.0 + 15.0 * rng.standard_normal(n), np.exp(1.5 * rng.standard_normal(n))]
    )
    holes = table.copy()
    holes[rng.random(holes.shape) < 0.2] = np.nan
    fresh = np.array([[0.0, 100.0, 1.0], [np.nan, 85.0, 4.5], [-30.0, np.nan, 0.0], [30.0, 900.0, 9e3]])
    constant = table[:12].copy()
    constant[:, 1] = 7.0
    constant_fresh = np.array([[0.5, 7.0, 1.0], [0.5, 9.0, 1.0]])

    cases = []
    for name, rows, apply_rows, bounds, clip in [
        ("plain", table, fresh, (0.0, 1.0), False),
        ("range", table, fresh, (-1.0, 3.0), False),
        ("clip", holes, fresh, (-2.0, 5.0), True),
        ("missing", holes, np.vstack([holes[:5], fresh]), (0.0, 1.0), False),
        ("constant", constant, constant_fresh, (1.0, 3.0), False),
        ("one_row", table[:1], fresh, (0.0, 1.0), False),
    ]:
        scaler = MinMaxScaler(feature_range=bounds, clip=clip)
        cases.append(fit(f"min_max_{name}", "min_max", scaler, rows, apply_rows, range=list(bounds), clip=clip))
    for name, rows, apply_rows in [
        ("plain", table, fresh),
        ("missing", holes, np.vstack([holes[:5], fresh])),
        ("zeros", np.column_stack([table[:, 0], np.zeros(n)]), np.array([[1.0, 2.0], [0.0, 0.0]])),
    ]:
        cases.append(fit(f"max_abs_{name}", "max_abs", MaxAbsScaler(), rows, apply_rows))
    for name, rows, center, scale, percents, unit in [
        ("plain", table, True, True, (25.0, 75.0), False),
        ("missing", holes, True, True, (25.0, 75.0), False),
        ("wide", holes, True, True, (10.0, 95.0), False),
        ("unit_variance", table, True, True, (20.0, 80.0), True),
        ("scale_only", table, False, True, (0.0, 100.0), False),
        ("center_only", table, True, False, (25.0, 75.0), False),
        ("constant", constant, True, True, (25.0, 75.0), False),
    ]:
        scaler = RobustScaler(with_centering=center, with_scaling=scale, quantile_range=percents, unit_variance=unit)
        given = {"center": center, "scale": scale, "quantile_range": list(percents), "unit_variance": unit}
        cases.append(fit(f"robust_{name}", "robust", scaler, rows, fresh, **given))
    rows = np.vstack([table, [[0.0, 0.0, 0.0], [3.0, -4.0, 12.0]]])
    for norm in ["l1", "l2", "max"]:
        cases.append(fit(f"unit_norm_{norm}", "unit_norm", Normalizer(norm=norm), rows, rows, norm=norm))
    numbers = np.array([[1.0, 1e-300], [2.0, 1e300], [0.0, -0.5], [-1.0, 5e-324], [np.nan, 1e-17], [8.0, 1000.0]])
    for name, base, offset in [
        ("e", None, 0.0),
        ("2", 2.0, 0.0),
        ("10", 10.0, 0.0),
        ("3_offset", 3.0, 2.5),
        ("log1p", None, 1.0),
        ("log1p_10", 10.0, 1.0),
    ]:
        cases.append(log(f"log_{name}", numbers, base, offset))
    golden.write(__file__, f"scikit-learn {sklearn.__version__}, numpy {np.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
