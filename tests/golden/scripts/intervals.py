"""Wilson score intervals (no continuity correction) and quantiles of the normal and t distributions."""

import golden
import scipy
from scipy import stats


def wilson(successes, trials, confidence):
    interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    given = {
        "kind": "wilson",
        "successes": successes,
        "trials": trials,
        "confidence": confidence,
    }
    name = f"wilson_{successes}_of_{trials}_at_{confidence}"
    return golden.case(name, given, {"low": interval.low, "high": interval.high})


def main():
    cases = []
    counts = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (37, 50), (500, 1000), (999, 1000), (3, 1_000_000)]
    for successes, trials in counts:
        for confidence in (0.8, 0.9, 0.95, 0.99):
            cases.append(wilson(successes, trials, confidence))
    probabilities = [1e-10, 1e-6, 0.001, 0.005, 0.025, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.975, 0.995, 0.999, 0.999999]
    cases.append(
        golden.case(
            "normal_quantiles",
            {"kind": "normal", "probability": probabilities},
            {"quantile": stats.norm.ppf(probabilities)},
        )
    )
    for freedom in (1.0, 2.0, 3.0, 5.0, 10.0, 29.0, 30.5, 100.0, 1e6):
        cases.append(
            golden.case(
                f"t_quantiles_{freedom:g}",
                {"kind": "t", "degrees_of_freedom": freedom, "probability": probabilities},
                {"quantile": stats.t.ppf(probabilities, freedom)},
            )
        )
    golden.write(__file__, f"scipy {scipy.__version__}", cases, 1e-15, 1e-9)


if __name__ == "__main__":
    main()
