"""InterpretML's explainable boosting machines, boosted plainly: round by round over all columns, one bag, no early
stopping, no smoothing, no pairs.

InterpretML goes over the columns in an order that its seed alone fixes; the columns are written in that order. Its base
of a classifier is fitted again at the end, so only terms are compared there. Every distinct value has a bin of its own. Answers are what each column adds to each training row, so it does not matter
where between two values a cut lies. Each case is fitted again with its weights shaken by 1e-6; answers that then move
would hang on a tie, and other random numbers are drawn.
"""

import golden
import interpret
import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

ROWS = 120
# The order in which InterpretML visits three columns with random_state 0.
ORDER = [1, 0, 2]
PLAIN = dict(
    interactions=0,
    outer_bags=1,
    inner_bags=0,
    validation_size=0,
    early_stopping_rounds=0,
    greedy_ratio=0.0,
    cyclic_progress=1.0,
    smoothing_rounds=0,
    min_hessian=0.0,
    max_delta_step=0.0,
    gain_scale=1.0,
    n_jobs=1,
    random_state=0,
)


def fit(kind, settings, x, y, weights):
    model = kind(**PLAIN, **settings)
    model.fit(x, y, sample_weight=weights)
    return np.asarray(model.eval_terms(x)), float(np.ravel(model.intercept_)[0])


def draw(rng, binary):
    x = np.round(rng.standard_normal((ROWS, 3)) * 4) / 4
    signal = np.sin(2 * x[:, 0]) + np.abs(x[:, 1]) - 0.5 * x[:, 2]
    noisy = signal + 0.3 * rng.standard_normal(ROWS)
    return x, (noisy > np.median(noisy)).astype(int) if binary else np.round(noisy, 3)


def main():
    rng = golden.generator()
    cases = []
    for name, kind, columns, leaves, least, weighted in [
        ("regression", ExplainableBoostingRegressor, 3, 3, 3, False),
        ("regression weighted", ExplainableBoostingRegressor, 3, 2, 1, True),
        ("binary", ExplainableBoostingClassifier, 1, 3, 3, False),
        ("binary weighted", ExplainableBoostingClassifier, 1, 2, 1, True),
    ]:
        settings = dict(max_leaves=leaves, learning_rate=0.1, min_samples_leaf=least, max_rounds=25)
        for _ in range(200):
            x, y = draw(rng, kind is ExplainableBoostingClassifier)
            x = x[:, :columns]
            weights = rng.integers(1, 4, ROWS).astype(float) if weighted else np.ones(ROWS)
            terms, base = fit(kind, settings, x, y, weights)
            shaken, _ = fit(kind, settings, x, y, weights * (1 + 1e-6 * rng.standard_normal(ROWS)))
            if np.abs(shaken - terms).max() < 1e-5:
                break
        else:
            raise RuntimeError("every draw hangs on a tie")
        order = ORDER if columns == 3 else [0]
        given = dict(x=x[:, order], y=y, weights=weights if weighted else None, **settings)
        base = base if kind is ExplainableBoostingRegressor else None
        cases.append(golden.case(name, given, dict(terms=terms[:, order], base=base)))
    golden.write(__file__, f"interpret {interpret.__version__}", cases, 1e-6, 1e-6)


if __name__ == "__main__":
    main()
