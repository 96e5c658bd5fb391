"""CorrelationRemover of fairlearn. Weights count rows several times: the other side gets the rows repeated."""

import fairlearn
import golden
import numpy as np
from fairlearn.preprocessing import CorrelationRemover


def fit(name, rows, fresh, protected, alpha=1.0, weights=None):
    seen = rows if weights is None else np.repeat(rows, weights.astype(int), axis=0)
    fitted = CorrelationRemover(sensitive_feature_ids=protected, alpha=alpha).fit(seen)
    given = {"fit": rows, "apply": fresh, "protected": protected, "alpha": alpha, "weights": weights}
    return golden.case(name, given, {"transformed": fitted.transform(fresh)})


def main():
    rng = golden.generator()
    rows = rng.standard_normal((40, 5))
    rows[:, 0] = rows[:, 0] > 0.2
    rows[:, 2] += 1.5 * rows[:, 0] - rows[:, 1]
    rows[:, 3] = 100.0 * rows[:, 3] + 30.0 * rows[:, 0]
    weights = rng.integers(0, 4, len(rows)).astype(float)
    fresh = np.vstack([rows[:6], rng.standard_normal((4, 5))])
    cases = [
        fit("one", rows, fresh, [0]),
        fit("two", rows, fresh, [0, 1]),
        fit("in_the_middle", rows, fresh, [3, 1]),
        fit("partly", rows, fresh, [0, 1], 0.35),
        fit("weighted", rows, fresh, [0, 1], 1.0, weights),
    ]
    golden.write(__file__, f"fairlearn {fairlearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
