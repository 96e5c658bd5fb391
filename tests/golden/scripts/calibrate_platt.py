"""Platt's calibration of the log-odds of a probability.

scikit-learn's sigmoid calibration is fitted on log(p / (1 - p)), p kept 2.220446049250313e-16 away from 0 and 1.
Its answer is 1 / (1 + exp(a f + b)); slope and intercept here have the opposite sign. Its search stops up to 5e-8
away from the minimum (seen by Newton steps from there), so the tolerance is 1e-6.
"""

import golden
import numpy as np
import sklearn
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration

EDGE = np.finfo(float).eps


def log_odds(probability):
    p = np.clip(probability, EDGE, 1.0 - EDGE)
    return np.log(p / (1.0 - p))


def fit(name, probability, truth, weights=None):
    f = log_odds(probability)
    model = _SigmoidCalibration().fit(f, truth, sample_weight=weights)
    slope, intercept = -model.a_, -model.b_
    given = {"probability": probability, "truth": truth, "weights": weights}
    expected = {"slope": slope, "intercept": intercept, "calibrated": expit(slope * f + intercept)}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 80
    score = rng.standard_normal(n)
    truth = (rng.random(n) < expit(score - 0.5)).astype(int)
    weights = rng.uniform(0.2, 3.0, n)
    few = (np.arange(30) % 10 == 0).astype(int)
    cases = [
        fit("too_sure", expit(3.0 * score), truth),
        fit("not_sure_enough", expit(0.3 * score + 1.0), truth),
        fit("weighted", expit(3.0 * score), truth, weights),
        fit("separated", expit(score), (score > 0.0).astype(int)),
        fit("rare_events", expit(rng.standard_normal(30) + few), few),
        fit("reversed", expit(-score), truth),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-6, 1e-6)


if __name__ == "__main__":
    main()
