"""How far apart the groups' rates of selection and true positive rates are."""

import fairlearn
import golden
import numpy as np
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
)


def report(name, groups, truth, selected, weights=None):
    given = {
        "group": groups.tolist(), "truth": truth.tolist(), "selected": selected.tolist(), "weights": weights,
    }
    rest = {"sensitive_features": groups, "sample_weight": weights}
    expected = {
        "ratio": demographic_parity_ratio(truth, selected, **rest),
        "difference": demographic_parity_difference(truth, selected, **rest),
        "equal_opportunity": equal_opportunity_difference(truth, selected, **rest),
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 80
    two = np.array(["f", "m"])[rng.integers(0, 2, n)]
    four = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, n)]
    truth = (rng.random(n) < np.where(two == "f", 0.4, 0.6)).astype(int)
    selected = np.where(rng.random(n) < 0.75, truth, 1 - truth)
    weights = rng.uniform(0.2, 3.0, n)
    cases = [
        report("two_groups", two, truth, selected),
        report("four_groups", four, truth, selected),
        report("weighted", two, truth, selected, weights),
        report("four_groups_weighted", four, truth, selected, weights),
    ]
    golden.write(__file__, f"fairlearn {fairlearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
