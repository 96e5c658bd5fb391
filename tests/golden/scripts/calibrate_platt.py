"""Platt's calibration of the log-odds of a probability.

scikit-learn's sigmoid calibration is fitted on log(p / (1 - p)), p kept 2.220446049250313e-16 away from 0 and 1.
Its answer is 1 / (1 + exp(a f + b)); slope and intercept here have the opposite sign. Its search is polished by
Newton steps on the same objective, because it stops a few 1e-6 away.
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


def polish(f, truth, weights, slope, intercept):
    """Newton steps from the library's answer, which must be near the minimum already."""
    w = np.ones(len(f)) if weights is None else weights
    n1, n0 = w[truth == 1].sum(), w[truth == 0].sum()
    target = np.where(truth == 1, (n1 + 1.0) / (n1 + 2.0), 1.0 / (n0 + 2.0))
    x = np.column_stack([f, np.ones(len(f))])
    at = np.array([slope, intercept])
    for _ in range(20):
        p = expit(x @ at)
        gradient = x.T @ (w * (p - target))
        hessian = (x.T * (w * p * (1.0 - p))) @ x
        at = at - np.linalg.solve(hessian, gradient)
    if np.abs(x.T @ (w * (expit(x @ at) - target))).max() >= 1e-9:
        raise ValueError("not at the minimum")
    if not np.allclose(at, [slope, intercept], rtol=1e-3, atol=1e-3):
        raise ValueError(f"the library is elsewhere: {slope}, {intercept}, {at}")
    return at


def fit(name, probability, truth, weights=None):
    f = log_odds(probability)
    model = _SigmoidCalibration().fit(f, truth, sample_weight=weights)
    slope, intercept = polish(f, truth, weights, -model.a_, -model.b_)
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
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-8, 1e-8)


if __name__ == "__main__":
    main()
