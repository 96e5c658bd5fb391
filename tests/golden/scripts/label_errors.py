"""Suspect labels by cleanlab's confident learning.

thresholds   per class the mean probability of it among the rows that are given it
joint        rows counted by given and likely class, a given class a row
calibrated   the same after it was made to sum to the given labels, rounded
noise_rate   the suspects of `prune_by_noise_rate`
confident    the suspects of `confident_learning`
self_confidence, normalized_margin   of every row

The paper takes the likeliest of the classes whose thresholds a row reaches, cleanlab the likeliest of all as soon as there
are two. Which of two equal remainders is rounded up is chance. Cases are drawn until neither makes a difference.
"""

from importlib.metadata import version

import golden
import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label, get_self_confidence_for_each_label


def draw(rng, rows, classes, noise, sharp):
    truth = rng.integers(0, classes, rows)
    logits = rng.standard_normal((rows, classes))
    logits[np.arange(rows), truth] += sharp
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    given = np.where(rng.random(rows) < noise, (truth + rng.integers(1, classes, rows)) % classes, truth)
    return given, np.round(probabilities, 6)


def plain(given, probabilities):
    reached = probabilities >= get_confident_thresholds(given, probabilities) - 1e-6
    likeliest = probabilities.argmax(axis=1)
    if not all(reached[i, likeliest[i]] for i in range(len(given)) if reached[i].any()):
        return False
    joint = compute_confident_joint(given, probabilities, calibrate=False).astype(float)
    scaled = joint / joint.sum(axis=1, keepdims=True) * np.bincount(given)[:, None]
    rests = [sorted(rest for rest in np.round(row % 1, 9) if 0 < rest < 1) for row in scaled]
    return all(len(set(row)) == len(row) for row in rests)


def case(rng, name, *options):
    given, probabilities = draw(rng, *options)
    while not plain(given, probabilities):
        given, probabilities = draw(rng, *options)
    expected = {
        "thresholds": get_confident_thresholds(given, probabilities),
        "joint": compute_confident_joint(given, probabilities, calibrate=False),
        "calibrated": compute_confident_joint(given, probabilities, calibrate=True),
        "self_confidence": get_self_confidence_for_each_label(given, probabilities),
        "normalized_margin": get_normalized_margin_for_each_label(given, probabilities),
    }
    for key, by in [("noise_rate", "prune_by_noise_rate"), ("confident", "confident_learning")]:
        mask = find_label_issues(given, probabilities, filter_by=by, n_jobs=1)
        expected[key] = np.flatnonzero(mask)
    return golden.case(name, {"given": given, "probabilities": probabilities}, expected)


def main():
    rng = golden.generator()
    cases = [
        case(rng, "two_classes", 120, 2, 0.15, 2.5),
        case(rng, "three_classes", 150, 3, 0.2, 3.5),
        case(rng, "four_classes", 160, 4, 0.1, 4.0),
        case(rng, "no_noise", 80, 3, 0.0, 6.0),
    ]
    golden.write(__file__, f"cleanlab {version('cleanlab')}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
