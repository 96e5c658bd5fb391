"""Tests of whether values are missing by chance.

`numbers…`: a column of numbers beside where another is missing (`missing` is 1): z of Mann and Whitney without continuity
correction, its sign that of "larger where missing"; the effect is 2 U / (n m) - 1. `levels…`: Pearson's chi-square without
Yates' correction, every level expected 5 times among the fewer rows; the effect is the square root of chi-square / n.
`little…`: Little's (1988) test. Its estimates are by expectation and maximisation over single rows, to the last digits; no
general optimiser may find a higher likelihood from there. The rows of `little_airquality` are R's `airquality` (New York
air quality, May to September 1973), for which naniar's `mcar_test` publishes 35.1061288689702 with 14 degrees of freedom;
its estimates stop earlier, hence four digits.
"""

import golden
import numpy as np
import scipy
from scipy import optimize, stats

AIRQUALITY = golden.pathlib.Path(__file__).with_name("airquality.csv")


def numbers(name, missing, values):
    a, b = values[missing == 1], values[missing == 0]
    found = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False)
    effect = 2.0 * found.statistic / (len(a) * len(b)) - 1.0
    z = np.copysign(stats.norm.isf(found.pvalue / 2.0), effect)
    expected = {"statistic": z, "p": found.pvalue, "effect": effect}
    return golden.case(f"numbers_{name}", {"missing": missing, "values": values}, expected)


def levels(name, missing, values):
    table = np.array([[np.sum((missing == m) & (values == v)) for v in np.unique(values)] for m in (0, 1)])
    found = stats.chi2_contingency(table, correction=False)
    if found.expected_freq.min() < 5.0:
        raise ValueError("a level is too rare")
    effect = np.sqrt(found.statistic / table.sum())
    expected = {"statistic": found.statistic, "p": found.pvalue, "effect": effect}
    return golden.case(f"levels_{name}", {"missing": missing, "values": values}, expected)


def likelihood(rows, mean, covariance):
    """The log-likelihood of what was seen."""
    total = 0.0
    for row in rows:
        o = ~np.isnan(row)
        total += stats.multivariate_normal.logpdf(row[o], mean[o], covariance[np.ix_(o, o)])
    return total


def estimates(rows):
    """Mean and covariance by expectation and maximisation."""
    n, p = rows.shape
    mean, covariance = np.nanmean(rows, axis=0), np.diag(np.nanvar(rows, axis=0))
    for _ in range(100_000):
        first, second = np.zeros(p), np.zeros((p, p))
        for row in rows:
            o = ~np.isnan(row)
            m = ~o
            told, rest = row.copy(), np.zeros((p, p))
            if m.any():
                slopes = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, m)]).T
                told[m] = mean[m] + slopes @ (row[o] - mean[o])
                rest[np.ix_(m, m)] = covariance[np.ix_(m, m)] - slopes @ covariance[np.ix_(o, m)]
            first += told
            second += np.outer(told, told) + rest
        updated = first / n
        spread = second / n - np.outer(updated, updated)
        unit = np.sqrt(np.diag(spread))
        change = max(np.abs((updated - mean) / unit).max(), np.abs((spread - covariance) / np.outer(unit, unit)).max())
        mean, covariance = updated, spread
        if change < 1e-12:
            break
    else:
        raise ValueError("did not settle")
    lower = np.linalg.cholesky(covariance)
    index = np.tril_indices(p)

    def loss(parameters):
        factor = np.zeros((p, p))
        factor[index] = parameters[p:]
        return -likelihood(rows, parameters[:p] * unit, factor @ factor.T * np.outer(unit, unit) + 1e-300 * np.eye(p))

    start = np.concatenate([mean / unit, (lower / unit[:, None])[index]])
    better = optimize.minimize(loss, start, method="Powell", options={"maxiter": 3, "ftol": 1e-12})
    if loss(start) - better.fun > 1e-7:
        raise ValueError(f"a higher likelihood was found by {loss(start) - better.fun}")
    return mean, covariance


def little(name, rows):
    rows = rows[~np.isnan(rows).all(axis=1)]
    scale = np.nanstd(rows, axis=0)
    mean, covariance = estimates((rows - np.nanmean(rows, axis=0)) / scale)
    scaled = (rows - np.nanmean(rows, axis=0)) / scale
    patterns = np.unique(~np.isnan(rows), axis=0)
    statistic, held = 0.0, 0
    for pattern in patterns:
        among = scaled[(~np.isnan(rows) == pattern).all(axis=1)][:, pattern]
        away = among.mean(axis=0) - mean[pattern]
        statistic += len(among) * away @ np.linalg.solve(covariance[np.ix_(pattern, pattern)], away)
        held += pattern.sum()
    freedom = int(held - rows.shape[1])
    expected = {
        "statistic": statistic,
        "freedom": freedom,
        "p": stats.chi2.sf(statistic, freedom),
        "patterns": len(patterns),
    }
    return golden.case(f"little_{name}", {"rows": rows}, expected)


def main():
    rng = golden.generator()
    missing = (rng.random(80) < 0.3).astype(float)
    values = np.round(rng.standard_normal(80) + 0.5 * missing, 4)
    rounded = np.round(values)
    codes = np.floor(3.0 * rng.random(120))
    often = (rng.random(120) < 0.2 + 0.2 * codes).astype(float)
    rows = rng.standard_normal((90, 4)) @ np.array([[1, 0.5, 0, 0.2], [0, 1, 0.4, 0], [0, 0, 1, 0.8], [0, 0, 0, 1]])
    chance = np.round(rows, 5)
    chance[rng.random((90, 4)) < np.array([0.0, 0.1, 0.2, 0.15])] = np.nan
    hidden = np.round(rows, 5)
    hidden[hidden[:, 0] > 0.4, 2] = np.nan
    hidden[::7, 1] = np.nan
    air = np.genfromtxt(AIRQUALITY, delimiter=",", skip_header=1, missing_values="NA")
    cases = [
        numbers("related", missing, values),
        numbers("ties", missing, rounded),
        numbers("unrelated", missing, np.round(rng.standard_normal(80), 4)),
        numbers("far_apart", missing, values + 10.0 * missing),
        levels("related", often, codes),
        levels("two", often, np.floor(codes / 2.0)),
        little("by_chance", chance),
        little("not_by_chance", hidden),
        little("airquality", air),
    ]
    last = cases[-1]["expected"]
    if abs(last["statistic"] - 35.1061288689702) > 1e-3 or last["freedom"] != 14:
        raise ValueError(f"not the published answer: {last}")
    golden.write(__file__, f"scipy {scipy.__version__}, numpy {np.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
