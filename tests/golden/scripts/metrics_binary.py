"""Binary classification metrics.

Positive means probability >= threshold. `zero_division=0`: a metric whose denominator is zero is 0.
log_loss clips probabilities to [eps, 1 - eps] with eps = 2.220446049250313e-16 (float64).
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn import metrics

THRESHOLD = 0.5


def measure(name, truth, probability, weights=None):
    truth = np.asarray(truth, dtype=int)
    probability = np.asarray(probability, dtype=float)
    weights = None if weights is None else np.asarray(weights, dtype=float)
    predicted = (probability >= THRESHOLD).astype(int)
    few = {"sample_weight": weights, "zero_division": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": metrics.accuracy_score(truth, predicted, sample_weight=weights),
            "precision": metrics.precision_score(truth, predicted, **few),
            "recall": metrics.recall_score(truth, predicted, **few),
            "f1": metrics.f1_score(truth, predicted, **few),
            "roc_auc": metrics.roc_auc_score(truth, probability, sample_weight=weights),
            "log_loss": metrics.log_loss(
                truth, y_proba=probability, sample_weight=weights, labels=[0, 1]
            ),
            "brier": metrics.brier_score_loss(
                truth, probability, sample_weight=weights, labels=[0, 1], pos_label=1
            ),
        }
    given = {
        "truth": truth,
        "probability": probability,
        "weights": weights,
        "threshold": THRESHOLD,
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    n = 200
    truth = (rng.random(n) < 0.35).astype(int)
    score = 1.4 * truth - 0.9 + 1.2 * rng.standard_normal(n)
    probability = 1.0 / (1.0 + np.exp(-score))
    tied = np.round(probability, 1)
    weights = rng.uniform(0.2, 3.0, n)
    extreme = 10.0 ** rng.uniform(-6.0, 6.0, n)
    some_zero = np.where(rng.random(n) < 0.3, 0.0, weights)
    above = np.nextafter(0.3, 1.0)
    cases = [
        measure("random", truth, probability),
        measure("ties", truth, tied),
        measure("weighted", truth, probability, weights),
        measure("weighted_ties", truth, tied, weights),
        measure("extreme_weights", truth, probability, extreme),
        measure("extreme_weights_ties", truth, tied, extreme),
        measure("zero_weights", truth, tied, some_zero),
        measure("equal_weights", truth, probability, np.full(n, 2.5)),
        measure("perfect", [0, 0, 0, 1, 1], [0.05, 0.2, 0.4, 0.6, 0.95]),
        measure("all_wrong", [1, 1, 1, 0, 0], [0.05, 0.2, 0.4, 0.6, 0.95]),
        measure("exact_zero_and_one_right", [0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0]),
        measure("exact_zero_and_one_wrong", [1, 0, 0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0, 0.7, 0.2]),
        measure("no_positive_predictions", [0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.45, 0.49]),
        measure("all_positive_predictions", [0, 1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.55, 0.5]),
        measure("all_the_same_probability", [0, 1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5, 0.5]),
        measure("one_ulp_apart", [1, 0, 1, 0], [above, 0.3, 0.3, above]),
        measure("only_negatives", [0, 0, 0, 0], [0.1, 0.6, 0.3, 0.5]),
        measure("only_positives", [1, 1, 1, 1], [0.1, 0.6, 0.3, 0.5]),
        measure("tiny", [0, 1], [0.3, 0.8]),
        measure("tiny_reversed", [1, 0], [0.3, 0.8]),
        measure("tiny_weighted_tie", [0, 1], [0.5, 0.5], [1.0, 3.0]),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
