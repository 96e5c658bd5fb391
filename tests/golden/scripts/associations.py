"""How columns hang together: correlations, Cramer's V, the correlation ratio, tests of independence, adjusted p values.

pandas and scipy where they define the answer. Cramer's V is Bergsma's formula on scipy's chi-square, the correlation ratio
the textbook's formula in numpy.
"""

import golden
import numpy as np
import pandas as pd
import scipy
from scipy import stats


def shapes(rng):
    """Numbers with ties, missing values and a bend; codes that hang together a little."""
    for name, rows, missing, places in [
        ("plain", 60, 0.0, 6), ("ties", 80, 0.0, 0), ("missing", 90, 0.2, 3), ("small", 25, 0.0, 2),
    ]:
        x = np.round(rng.standard_normal(rows), places)
        y = np.round(np.exp(x) + 0.5 * rng.standard_normal(rows), places)
        gaps = rng.random((2, rows)) < missing
        a = rng.integers(0, 4, rows)
        b = np.where(rng.random(rows) < 0.5, a, rng.integers(0, 3, rows))
        yield name, np.where(gaps[0], np.nan, x), np.where(gaps[1], np.nan, y), a, b


def cramers_v(a, b):
    table = pd.crosstab(a, b).to_numpy()
    n = table.sum()
    r, c = table.shape
    phi = max(0.0, stats.chi2_contingency(table, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1))
    r, c = (k - (k - 1) ** 2 / (n - 1) for k in (r, c))
    return np.sqrt(phi / (min(r, c) - 1))


def correlation_ratio(groups, values):
    known = ~np.isnan(values)
    groups, values = groups[known], values[known]
    between = sum(
        (groups == g).sum() * (values[groups == g].mean() - values.mean()) ** 2 for g in np.unique(groups)
    )
    return np.sqrt(between / ((values - values.mean()) ** 2).sum())


def main():
    rng = golden.generator()
    cases = []
    for name, x, y, a, b in shapes(rng):
        frame = pd.DataFrame({"x": x, "y": y})
        cases.append(golden.case(
            f"association_{name}",
            {"kind": "association", "x": x, "y": y, "a": a, "b": b},
            {
                "pearson": frame.corr("pearson").loc["x", "y"],
                "spearman": frame.corr("spearman").loc["x", "y"],
                "cramers_v": cramers_v(a, b),
                "correlation_ratio": correlation_ratio(a, x),
            },
        ))
        if name == "small":
            continue
        both = frame.dropna()
        found = stats.spearmanr(both.x, both.y)
        cases.append(golden.case(
            f"spearman_{name}", {"kind": "test", "test": "spearman", "x": x, "y": y},
            {"statistic": found.statistic, "p": found.pvalue},
        ))
        known = ~np.isnan(x)
        found = stats.kruskal(*(x[known & (a == g)] for g in np.unique(a)))
        cases.append(golden.case(
            f"kruskal_{name}", {"kind": "test", "test": "kruskal", "x": x, "g": a},
            {"statistic": found.statistic, "p": found.pvalue},
        ))
        found = stats.chi2_contingency(pd.crosstab(a, b).to_numpy(), correction=False)
        cases.append(golden.case(
            f"chi_square_{name}", {"kind": "test", "test": "chi_square", "a": a, "b": b},
            {"statistic": found.statistic, "p": found.pvalue},
        ))
    p = np.round(rng.random(12) ** 3, 6)
    p[3] = p[7]
    cases.append(golden.case(
        "false_discovery", {"kind": "adjust", "p": p}, {"adjusted": stats.false_discovery_control(p)},
    ))
    source = f"scipy {scipy.__version__}, pandas {pd.__version__}; Cramer's V and the correlation ratio: the script's own formulas, numpy {np.__version__}"
    golden.write(__file__, source, cases, absolute=1e-12, relative=1e-9)


if __name__ == "__main__":
    main()
