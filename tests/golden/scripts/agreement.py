"""Agreement of workers: Cohen's kappa (scikit-learn), Fleiss' kappa (statsmodels), Krippendorff's alpha (krippendorff).

table   a row a task, a cell a worker, the place of the label; null where no answer was given
"""

from importlib.metadata import version

import golden
import krippendorff
import numpy as np
import sklearn
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

# What the labels are worth on the scales that compute with them.
VALUES = [0.0, 1.0, 2.5, 4.0, 10.0]


def answers(rng, tasks, workers, labels, noise, missing):
    truth = rng.integers(0, labels, tasks)
    table = np.repeat(truth[:, None], workers, axis=1).astype(float)
    wrong = rng.random(table.shape) < noise
    table[wrong] = rng.integers(0, labels, wrong.sum())
    table[rng.random(table.shape) < missing] = np.nan
    return table


def case(name, table, labels):
    expected = {"cohen": None, "fleiss": None, "alpha": {}}
    both = ~np.isnan(table[:, 0]) & ~np.isnan(table[:, 1])
    pair = table[both, 0].astype(int), table[both, 1].astype(int)
    expected["cohen"] = [
        cohen_kappa_score(*pair, labels=list(range(labels)), weights=weights) for weights in (None, "linear", "quadratic")
    ]
    if not np.isnan(table).any():
        counts, _ = aggregate_raters(table.astype(int), n_cat=labels)
        expected["fleiss"] = fleiss_kappa(counts)
    # The package wants a row a worker.
    domain = np.array(VALUES[:labels])
    values = np.full(table.shape, np.nan)
    given = ~np.isnan(table)
    values[given] = domain[table[given].astype(int)]
    for level in ("nominal", "ordinal", "interval", "ratio"):
        expected["alpha"][level] = krippendorff.alpha(
            reliability_data=values.T, value_domain=domain, level_of_measurement=level
        )
    return golden.case(name, {"labels": labels, "values": VALUES[:labels], "table": table}, expected)


def main():
    rng = golden.generator()
    cases = [
        case("three_labels", answers(rng, 40, 4, 3, 0.3, 0.0), 3),
        case("five_labels", answers(rng, 60, 3, 5, 0.5, 0.0), 5),
        case("missing", answers(rng, 50, 5, 4, 0.4, 0.3), 4),
        case("sparse", answers(rng, 30, 4, 5, 0.2, 0.6), 5),
        case("chance", answers(rng, 25, 2, 2, 1.0, 0.0), 2),
        case("nearly_perfect", answers(rng, 30, 6, 3, 0.02, 0.1), 3),
    ]
    source = f"scikit-learn {sklearn.__version__}, " + ", ".join(
        f"{package} {version(package)}" for package in ("statsmodels", "krippendorff")
    )
    golden.write(__file__, source, cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
