"""Normal scores, their correlations and quantiles of columns of several kinds.

columns       name, kind (number or category) and values; null is missing, a category holds codes
scores        name and values of each score in order: of a column its value, if that varies, then whether it is missing, if
              some are
correlation   Pearson's correlation of the scores, pair by pair over the rows where both are present; 0 where one
              does not vary there
quantiles     of each column of many numbers: probabilities (i + 0.5) / n and the quantiles there
"""

import golden
import numpy as np
import pandas as pd
import scipy
from scipy.stats import norm, rankdata

FEW = 64


def by_rank(values):
    """Ranks of what is present, in the middle of their steps, on the normal scale."""
    present = ~np.isnan(values)
    scores = np.full(len(values), np.nan)
    scores[present] = norm.ppf((rankdata(values[present]) - 0.5) / present.sum())
    return scores


def by_piece(values, frequent_first):
    """The middle of the piece of the normal scale that is as likely as the value."""
    present = values[~np.isnan(values)]
    items, counts = np.unique(present, return_counts=True)
    order = np.argsort(-counts, kind="stable") if frequent_first else np.arange(len(items))
    middles = (np.cumsum(counts[order]) - 0.5 * counts[order]) / counts.sum()
    place = dict(zip(items[order], norm.ppf(middles)))
    return np.array([np.nan if np.isnan(x) else place[x] for x in values])


def case(name, columns):
    scores, quantiles = {}, {}
    for label, (kind, values) in columns.items():
        present = values[~np.isnan(values)]
        distinct = len(np.unique(present))
        whole = np.all(present == np.round(present))
        if distinct > 1:
            if kind == "category" or (whole and distinct <= FEW):
                scores[label] = by_piece(values, kind == "category")
            else:
                scores[label] = by_rank(values)
                n = len(present)
                probabilities = (np.array([0, 1, n // 5, n // 2, n - 2, n - 1]) + 0.5) / n
                found = np.quantile(present, probabilities, method="hazen")
                quantiles[label] = {"probability": probabilities, "value": found}
        share = len(present) / len(values)
        if share < 1:
            scores[label + " missing"] = norm.ppf(np.where(np.isnan(values), 0.5 + 0.5 * share, 0.5 * share))
    # A score that does not vary where the other is present goes together with it in no way.
    correlation = pd.DataFrame(scores).corr(method="pearson").fillna(0.0).to_numpy()
    given = [{"name": label, "kind": kind, "values": values} for label, (kind, values) in columns.items()]
    found = [{"name": label, "values": values} for label, values in scores.items()]
    expected = {"scores": found, "correlation": correlation, "quantiles": quantiles}
    return golden.case(name, {"columns": given}, expected)


def holes(rng, values, share):
    return np.where(rng.uniform(size=len(values)) < share, np.nan, values)


def main():
    rng = golden.generator()
    z = rng.normal(size=(150, 4)) @ np.array([[1, 0.7, 0.3, 0], [0, 0.7, 0.2, 0.4], [0, 0, 0.9, 0.5], [0, 0, 0, 0.8]])
    numbers = {
        "skewed": ("number", np.round(np.exp(z[:, 0]), 4)),
        "tied": ("number", np.round(3 * z[:, 1], 1)),
        "holes": ("number", holes(rng, np.round(z[:, 2], 3), 0.2)),
        "large": ("number", np.round(1e6 * z[:, 3])),
    }
    mixed = {
        "x": ("number", np.round(z[:, 0], 3)),
        "count": ("number", np.floor(np.exp(z[:, 1]))),
        "level": ("category", holes(rng, np.digitize(z[:, 2], [-1, 0.5, 2]).astype(float), 0.15)),
        "constant": ("number", holes(rng, np.full(150, 2.5), 0.3)),
    }
    source = f"scipy {scipy.__version__}, pandas {pd.__version__}"
    golden.write(__file__, source, [case("numbers", numbers), case("mixed", mixed)], 1e-11, 1e-11)


if __name__ == "__main__":
    main()
