"""Weights that make group and label independent (Kamiran and Calders 2012): w P(g) P(y) / P(g, y)."""

import golden
import numpy as np


def weigh(name, groups, labels, weights=None):
    before = np.ones(len(groups)) if weights is None else weights
    total = before.sum()

    def factor(group, label):
        g, y = groups == group, labels == label
        both = before[g & y].sum()
        return before[g].sum() * before[y].sum() / (total * both) if both > 0 else 1.0

    after = [w * factor(g, y) for w, g, y in zip(before, groups, labels, strict=True)]
    given = {"group": groups.tolist(), "label": labels.tolist(), "weights": weights}
    return golden.case(name, given, {"weights": after})


def main():
    rng = golden.generator()
    n = 60
    groups = np.array(["f", "m", "x"])[np.minimum(rng.integers(0, 7, n) // 3, 2)]
    two = np.where(rng.random(n) < np.where(groups == "f", 0.3, 0.6), "yes", "no")
    three = np.where(rng.random(n) < 0.3, "maybe", two)
    weights = np.where(rng.random(n) < 0.1, 0.0, rng.uniform(0.2, 3.0, n))
    cases = [
        weigh("two_classes", groups, two),
        weigh("three_classes", groups, three),
        weigh("weighted", groups, three, weights),
    ]
    golden.write(__file__, f"the script's own formula, numpy {np.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
