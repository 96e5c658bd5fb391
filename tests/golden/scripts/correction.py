"""Adjusted p values for several tests at once, and exact tests of 2 x 2 tables.

"benjamini_hochberg": scipy.stats.false_discovery_control(p, method="bh").
"bonferroni": the definition, min(1, p * number of tests), in numpy.
"fisher": scipy.stats.fisher_exact([[a, b], [c, d]]), two-sided: the sum over all tables with the same margins that
are no more probable than the one given.
"""

import golden
import numpy as np
import scipy
from scipy import stats


def correction(name, p):
    p = np.asarray(p, dtype=float)
    expected = {
        "benjamini_hochberg": stats.false_discovery_control(p, method="bh"),
        "bonferroni": np.minimum(1.0, p * len(p)),
    }
    return golden.case(f"correction_{name}", {"kind": "correction", "p": p}, expected)


def fisher(name, table):
    result = stats.fisher_exact(np.array(table))
    return golden.case(f"fisher_{name}", {"kind": "fisher", "table": table}, {"p_value": result.pvalue})


def main():
    rng = golden.generator()
    cases = [
        correction("mixed", [0.01, 0.04, 0.03, 0.005, 0.9, 0.2]),
        correction("ties", [0.02, 0.02, 0.5, 0.02, 1.0]),
        correction("one", [0.03]),
        correction("extremes", [0.0, 1.0, 1e-300, 0.05]),
        correction("uniform", rng.random(40)),
        correction("skewed", rng.random(30) ** 6),
        fisher("tea", [[3, 1], [1, 3]]),
        fisher("new_level", [[1000, 0], [45, 5]]),
        fisher("rare", [[9990, 10], [495, 5]]),
        fisher("none", [[50, 3], [20, 1]]),
        fisher("equal", [[100, 4], [100, 4]]),
        fisher("gone", [[980, 20], [300, 0]]),
        fisher("large", [[999000, 1000], [1990, 9]]),
    ]
    golden.write(__file__, f"scipy {scipy.__version__}", cases, 1e-15, 1e-9)


if __name__ == "__main__":
    main()
