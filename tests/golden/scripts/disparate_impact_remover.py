"""Repair of a column by groups (Feldman et al. 2015), from its definition in numpy.

Quantile functions at equal steps, `numpy.quantile` of the rows of a group; its inverse by interpolation, in the middle of the
steps where it is level; the target is the median of the groups' quantiles. Weights count rows several times: here rows are
repeated.
"""

import golden
import numpy as np


def inverse(values, x):
    """Where x is among ascending values, in steps."""
    equal = np.flatnonzero(values == x)
    if len(equal):
        return equal.mean()
    return np.interp(x, values, np.arange(len(values)))


def repaired(rows, groups, fresh, fresh_groups, level, steps):
    shares = np.linspace(0, 1, steps + 1)
    known = {g: np.quantile(rows[(groups == g) & ~np.isnan(rows)], shares) for g in np.unique(groups)}
    target = np.median(np.array(list(known.values())), axis=0)

    def one(x, group):
        if np.isnan(x):
            return x
        return (1 - level) * x + level * np.interp(inverse(known[group], x), np.arange(steps + 1), target)

    return np.array([one(x, group) for x, group in zip(fresh, fresh_groups, strict=True)])


def fit(name, rows, groups, fresh, fresh_groups, level=1.0, steps=1000, weights=None):
    times = np.ones(len(rows), int) if weights is None else weights.astype(int)
    seen, of = np.repeat(rows, times), np.repeat(groups, times)
    given = {
        "fit": rows, "fit_group": groups.tolist(), "apply": fresh, "apply_group": fresh_groups.tolist(),
        "repair": level, "quantiles": steps, "weights": weights,
    }
    return golden.case(name, given, {"transformed": repaired(seen, of, fresh, fresh_groups, level, steps)})


def main():
    rng = golden.generator()
    n = 60
    groups = np.array(["a", "b", "c"])[rng.integers(0, 3, n)]
    shift = np.select([groups == "a", groups == "b"], [0.0, 2.0], 1.0)
    rows = rng.standard_normal(n) * (1.0 + shift) + shift
    whole = np.round(rows)
    holes = rows.copy()
    holes[rng.random(n) < 0.2] = np.nan
    weights = rng.integers(0, 4, n).astype(float)
    fresh = np.concatenate([rows[:20], rng.standard_normal(6) * 8.0])
    fresh_groups = np.concatenate([groups[:20], np.array(["a", "b", "c", "a", "b", "c"])])
    cases = [
        fit("full", rows, groups, fresh, fresh_groups),
        fit("half", rows, groups, fresh, fresh_groups, 0.5),
        fit("few_steps", rows, groups, fresh, fresh_groups, 0.8, 12),
        fit("ties", whole, groups, np.round(fresh), fresh_groups, 1.0, 100),
        fit("missing", holes, groups, np.append(holes[:20], fresh[20:]), fresh_groups),
        fit("weighted", rows, groups, fresh, fresh_groups, 1.0, 200, weights),
    ]
    golden.write(__file__, f"the script's own formulas, numpy {np.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
