"""Winsorizer and OutlierTrimmer of feature-engine; LocalOutlierFactor(novelty=True) of scikit-learn.

feature-engine divides the median distance from the median by 0.67449; the factor here is corrected to the quartile of the
normal law, 0.6744897501960817. `fold` of the quantiles is the lower one, 1 - fold the upper.
For the factors, `fitted` are those of the rows learned from (`-negative_outlier_factor_`), `scores` those of later rows
(`-score_samples`). With `standardise` a StandardScaler comes first. No row has a tie at its k-th neighbour.
"""

import feature_engine
import golden
import numpy as np
import pandas as pd
import sklearn
from feature_engine.outliers import OutlierTrimmer, Winsorizer
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

NORMAL_QUARTILE = 0.6744897501960817


def frame(rows):
    return pd.DataFrame(rows, columns=[f"c{j}" for j in range(rows.shape[1])])


def winsorizer(name, fitted, applied, method, fold, tail="both"):
    theirs = fold * 0.67449 / NORMAL_QUARTILE if method == "mad" else fold
    capper = Winsorizer(capping_method=method, tail=tail, fold=theirs, missing_values="ignore")
    capper.fit(frame(fitted))
    given = {"fit": fitted, "apply": applied, "method": method, "fold": fold, "tail": tail}
    return golden.case(f"winsorizer_{name}", given, {"transformed": capper.transform(frame(applied)).to_numpy()})


def trimmer(name, fitted, fold):
    table = frame(fitted)
    left = OutlierTrimmer(capping_method="iqr", tail="both", fold=fold, missing_values="ignore").fit_transform(table)
    return golden.case(f"trimmer_{name}", {"fit": fitted, "fold": fold}, {"rows": left.index.to_numpy()})


def factors(name, fitted, applied, k, standardise):
    scaler = StandardScaler().fit(fitted)
    x, z = (scaler.transform(fitted), scaler.transform(applied)) if standardise else (fitted, applied)
    lof = LocalOutlierFactor(n_neighbors=k, novelty=True).fit(x)
    distances = np.sort(np.linalg.norm(x[None] - np.vstack([x, z])[:, None], axis=2), axis=1)
    if (np.diff(distances[:, 1 : k + 3], axis=1) < 1e-12).any():
        raise ValueError("a tie")
    given = {"fit": fitted, "apply": applied, "n_neighbors": k, "standardise": standardise}
    expected = {"fitted": -lof.negative_outlier_factor_, "scores": -lof.score_samples(z)}
    return golden.case(f"lof_{name}", given, expected)


def main():
    rng = golden.generator()
    fitted = np.round(np.column_stack([rng.standard_normal(60), rng.exponential(2.0, 60), rng.standard_t(2, 60)]), 4)
    fitted[5, 0] = np.nan
    fitted[11, 2] = np.nan
    applied = np.round(6.0 * rng.standard_normal((12, 3)), 4)
    applied[3, 1] = np.nan
    cluster = np.vstack([rng.standard_normal((40, 3)), 0.1 * rng.standard_normal((30, 3)) + 4.0, [[9.0, -9.0, 2.0]]])
    later = np.vstack([3.0 * rng.standard_normal((15, 3)), cluster[:2] + 0.01])
    scaled = cluster * np.array([1.0, 100.0, 0.01])
    cases = [
        winsorizer("gaussian", fitted, applied, "gaussian", 2.0),
        winsorizer("iqr", fitted, applied, "iqr", 1.5),
        winsorizer("mad", fitted, applied, "mad", 3.5),
        winsorizer("quantiles", fitted, applied, "quantiles", 0.05),
        winsorizer("left", fitted, applied, "iqr", 1.0, "left"),
        winsorizer("right", fitted, applied, "gaussian", 1.0, "right"),
        trimmer("iqr", np.nan_to_num(fitted), 1.5),
        factors("plain", cluster, later, 5, False),
        factors("many_neighbours", cluster, later, 25, False),
        factors("standardised", scaled, later * np.array([1.0, 100.0, 0.01]), 10, True),
    ]
    source = f"feature-engine {feature_engine.__version__}, scikit-learn {sklearn.__version__}"
    golden.write(__file__, source, cases, 1e-12, 1e-9)


if __name__ == "__main__":
    main()
