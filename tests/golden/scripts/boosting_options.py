"""What gradient boosting can be told besides its trees: class weights, an offset, a loss of the user's own.

Small tables where every distinct value has a bin of its own, answers for the training rows, and cases that do not hang on
a tie, as in gradient_boosting.py. Leaves are limited by their hessians, not by rows, which programs count differently once
curvatures or weights differ. Both programs keep gradients in float32, hence the tolerance.
"""

import golden
import lightgbm
import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

ROWS = 60
COLUMNS = 3
TREES = 4
RATE = 0.3


def signal(rng):
    x = np.round(rng.standard_normal((ROWS, COLUMNS)), 1)
    return x, x[:, 0] - np.abs(x[:, 1]) + 0.5 * x[:, 2]


def balanced(x, y, shake):
    model = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=4, min_samples_leaf=1, early_stopping=False,
        class_weight="balanced", random_state=0,
    )
    model.fit(x, y, sample_weight=shake)
    return model.predict_proba(x)


def boosted(x, y, shake, objective, start, **given):
    """Raw scores of LightGBM on the training rows: trees and what they start from."""
    data = lightgbm.Dataset(x, y, weight=shake, init_score=start, params={"min_data_in_bin": 1, "verbose": -1})
    params = dict(
        objective=objective, learning_rate=RATE, num_leaves=4, min_data_in_leaf=0, min_sum_hessian_in_leaf=1.0,
        min_data_in_bin=1, feature_pre_filter=False, num_threads=1, deterministic=True, verbose=-1, **given,
    )
    return start + lightgbm.train(params, data, TREES).predict(x, raw_score=True)


def linex(a):
    def pairs(score, data):
        grown = np.exp(a * (score - data.get_label()))
        weight = data.get_weight()
        weight = np.ones(len(grown)) if weight is None else weight
        return weight * a * (grown - 1), weight * a * a * grown

    return pairs


def expectile(level):
    def pairs(score, data):
        left = score - data.get_label()
        side = np.where(left > 0, 1 - level, level)
        weight = data.get_weight()
        weight = np.ones(len(left)) if weight is None else weight
        return weight * 2 * side * left, weight * 2 * side

    return pairs


def steady(rng, draw, fit):
    """Inputs for which a shake of the weights by 1e-6 changes little, and the answers."""
    for _ in range(300):
        inputs = draw()
        plain = fit(inputs, None)
        shaken = [fit(inputs, 1 + 1e-6 * rng.standard_normal(ROWS)) for _ in range(3)]
        if all(np.abs(other - plain).max() < 1e-4 for other in shaken):
            return inputs, plain
    raise ValueError("every draw hangs on a tie")


def main():
    rng = golden.generator()
    cases = []
    for name, cuts in [("balanced_events", [0.8]), ("balanced_classes", [0.6, 0.9])]:

        def draw():
            x, of_x = signal(rng)
            noisy = of_x + 0.4 * rng.standard_normal(ROWS)
            return x, np.digitize(noisy, np.quantile(noisy, cuts))

        (x, y), answers = steady(rng, draw, lambda given, shake: balanced(*given, shake))
        cases.append(golden.case(name, {"x": x, "target": y}, {"answers": answers}))

    def counts():
        x, of_x = signal(rng)
        offset = np.round(np.log(rng.uniform(0.2, 8.0, ROWS)), 4)
        return x, rng.poisson(np.exp(0.5 * of_x + offset)).astype(float), offset

    def poisson(given, shake):
        x, y, offset = given
        # LightGBM starts from its init_score alone, where we add the best constant; its hessians are multiplied by
        # e^poisson_max_delta_step.
        start = offset + np.log(y.sum() / np.exp(offset).sum())
        return boosted(x, y, shake, "poisson", start, poisson_max_delta_step=1e-12)

    (x, y, offset), scores = steady(rng, counts, poisson)
    cases.append(golden.case("poisson_offset", {"x": x, "target": y, "offset": offset}, {"scores": scores}))

    def numbers():
        x, of_x = signal(rng)
        return x, np.round(of_x + 0.4 * rng.standard_normal(ROWS), 4)

    for name, parameter, pairs in [("linex", 0.8, linex), ("expectile", 0.9, expectile)]:
        start = np.full(ROWS, 0.25)
        (x, y), scores = steady(rng, numbers, lambda given, shake: boosted(*given, shake, pairs(parameter), start))
        given = {"x": x, "target": y, "parameter": parameter, "start": 0.25}
        cases.append(golden.case(name, given, {"scores": scores}))
    source = f"LightGBM {lightgbm.__version__}; balanced: scikit-learn {sklearn.__version__}"
    golden.write(__file__, source, cases, 2e-6, 2e-6)


if __name__ == "__main__":
    main()
