"""Drift statistics: two-sample Kolmogorov-Smirnov, chi-squared, and the population stability index.

"ks": scipy.stats.ks_2samp, two-sided. Three p values are given, since "asymptotic" has two meanings:
  p_value_asymptotic  method="asymp": the exact distribution of the ONE-sample statistic at sample size
                      round(m n / (m + n)) (halves to even)
  p_value_limit       the Kolmogorov limit, scipy.special.kolmogorov(d * sqrt(m n / (m + n)))
  p_value_exact       method="exact"
"chi_squared": scipy.stats.chi2_contingency of the two rows of counts, correction=False (no Yates).
"psi": not from a library, but the numpy formula below:
  bin of x  = number of edges <= x                (edges are the inner ones; a value on an edge goes up)
  p, q      = counts / n of reference and current, each replaced by max(., floor) if there is a floor
              (and not scaled to sum to 1 again)
  psi       = sum((q - p) * ln(q / p))
The edges are the nine inner deciles of the reference, numpy.quantile's default (linear) rule.
"""

import warnings

import golden
import numpy as np
import scipy
from scipy import special, stats


def ks(name, reference, current):
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asymptotic = stats.ks_2samp(reference, current, method="asymp")
        exact = stats.ks_2samp(reference, current, method="exact")
    m, n = len(reference), len(current)
    expected = {
        "statistic": asymptotic.statistic,
        "p_value_asymptotic": asymptotic.pvalue,
        "p_value_limit": special.kolmogorov(asymptotic.statistic * np.sqrt(m * n / (m + n))),
        "p_value_exact": exact.pvalue,
    }
    given = {"kind": "ks", "reference": reference, "current": current}
    return golden.case(f"ks_{name}", given, expected)


def chi_squared(name, reference, current):
    result = stats.chi2_contingency(np.array([reference, current]), correction=False)
    expected = {
        "statistic": result.statistic,
        "degrees_of_freedom": result.dof,
        "p_value": result.pvalue,
    }
    given = {"kind": "chi_squared", "reference": reference, "current": current}
    return golden.case(f"chi_squared_{name}", given, expected)


def shares(edges, values, floor):
    bins = np.searchsorted(edges, values, side="right")
    share = np.bincount(bins, minlength=len(edges) + 1) / len(values)
    return share if floor is None else np.maximum(share, floor)


def psi(name, reference, current, floor=None):
    edges = np.quantile(reference, np.arange(1, 10) / 10.0)
    p, q = shares(edges, reference, floor), shares(edges, current, floor)
    if floor is None and (p.min() <= 0.0 or q.min() <= 0.0):
        raise ValueError(f"{name} has an empty bin and no floor")
    expected = {
        "reference_shares": p,
        "current_shares": q,
        "psi": np.sum((q - p) * np.log(q / p)),
    }
    given = {
        "kind": "psi",
        "reference": reference,
        "current": current,
        "edges": edges,
        "floor": floor,
    }
    return golden.case(f"psi_{name}", given, expected)


def main():
    rng = golden.generator()
    base = rng.standard_normal(150)
    same = rng.standard_normal(120)
    moved = 0.4 + 1.1 * rng.standard_normal(90)
    reference = rng.standard_normal(300)
    shifted = 0.3 + rng.standard_normal(250)
    low = np.minimum(shifted, np.quantile(reference, 0.75))
    whole = np.round(2.0 * rng.standard_normal(200))
    cases = [
        ks("same_distribution", base, same),
        ks("moved", base, moved),
        ks("ties", np.round(base, 1), np.round(moved, 1)),
        ks("unequal_sizes", base[:100], moved[:37]),
        ks("small", base[:5], moved[:7]),
        ks("half_to_even", base[:9], moved[:9]),
        ks("identical", base[:20], base[:20]),
        ks("disjoint", base[:12], base[:15] + 100.0),
        ks("far", base, base[:80] + 1.5),
        chi_squared("four_levels", [120, 80, 40, 10], [100, 90, 50, 20]),
        chi_squared("two_levels_no_yates", [30, 70], [45, 55]),
        chi_squared("level_gone", [50, 30, 20], [60, 40, 0]),
        chi_squared("new_level", [50, 30, 0], [20, 12, 9]),
        chi_squared("proportional", [10, 20, 30], [20, 40, 60]),
        chi_squared("unequal_sizes", [1000, 2000, 500], [12, 15, 3]),
        chi_squared("far", [900, 100], [100, 900]),
        psi("shifted", reference, shifted),
        psi("same_values", reference, reference),
        psi("shifted_floor_not_reached", reference, shifted, 1e-4),
        psi("empty_bins", reference, low, 1e-4),
        psi("repeated_edges", whole, whole[:80] + 1.0, 1e-4),
    ]
    source = f"scipy {scipy.__version__}; psi: the script's own formula, numpy {np.__version__}"
    golden.write(__file__, source, cases, 1e-15, 1e-9)


if __name__ == "__main__":
    main()
