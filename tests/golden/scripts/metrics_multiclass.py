"""Multiclass metrics over the classes 0..k-1, all of them named to every function.

The predicted class is the first largest probability of the row. `zero_division=0`.
log_loss clips to [eps, 1 - eps], eps = 2.220446049250313e-16, and does not renormalise the row.
roc_auc_ovr_macro is the unweighted mean over classes of one-against-rest areas; null if a class
never occurs in the truth.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn import metrics


def area(truth, probability, weights, labels):
    try:
        return metrics.roc_auc_score(
            truth, probability, sample_weight=weights, labels=labels, multi_class="ovr", average="macro"
        )
    except ValueError:
        return None


def measure(name, truth, probability, weights=None):
    truth = np.asarray(truth, dtype=int)
    probability = np.asarray(probability, dtype=float)
    weights = None if weights is None else np.asarray(weights, dtype=float)
    labels = list(range(probability.shape[1]))
    predicted = probability.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": metrics.accuracy_score(truth, predicted, sample_weight=weights),
            "log_loss": metrics.log_loss(
                truth, y_proba=probability, sample_weight=weights, labels=labels
            ),
        }
        for average in ("macro", "micro", "weighted"):
            precision, recall, f1, _ = metrics.precision_recall_fscore_support(
                truth,
                predicted,
                labels=labels,
                average=average,
                sample_weight=weights,
                zero_division=0,
            )
            expected[f"precision_{average}"] = precision
            expected[f"recall_{average}"] = recall
            expected[f"f1_{average}"] = f1
        expected["roc_auc_ovr_macro"] = area(truth, probability, weights, labels)
    given = {"truth": truth, "probability": probability, "weights": weights}
    return golden.case(name, given, expected)


def draw(rng, n, k, shares, sharpness=1.2):
    truth = rng.choice(k, size=n, p=shares)
    logit = rng.standard_normal((n, k))
    logit[np.arange(n), truth] += sharpness
    exponential = np.exp(logit)
    return truth, exponential / exponential.sum(axis=1, keepdims=True)


def main():
    rng = golden.generator()
    truth, probability = draw(rng, 150, 3, [0.5, 0.3, 0.2])
    weights = rng.uniform(0.2, 3.0, 150)
    extreme = 10.0 ** rng.uniform(-6.0, 6.0, 150)
    tenths = np.array([rng.multinomial(10, row) for row in probability]) / 10.0
    wide_truth, wide = draw(rng, 120, 5, [0.4, 0.3, 0.15, 0.1, 0.05], 0.8)
    unseen = wide.copy()
    unseen[:, 4] *= 0.01
    unseen /= unseen.sum(axis=1, keepdims=True)
    absent = np.where(wide_truth == 4, 0, wide_truth)
    sure = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]
    cases = [
        measure("random", truth, probability),
        measure("weighted", truth, probability, weights),
        measure("extreme_weights", truth, probability, extreme),
        measure("ties_and_zeros", truth, tenths),
        measure("ties_and_zeros_weighted", truth, tenths, weights),
        measure("five_classes", wide_truth, wide),
        measure("class_never_predicted", wide_truth, unseen),
        measure("class_absent_from_truth", absent, wide),
        measure("exact_zero_and_one", [0, 1, 2, 1, 2], sure),
        measure("tiny_perfect", [0, 1, 2], [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]]),
        measure("tiny_all_wrong", [1, 2, 0], [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]]),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
