"""Which rows imbalanced-learn keeps, and how many it makes.

x, y     the rows and their classes
kept     per cleaner: the rows that stay, ascending
counts   per sampler: the rows of each class afterwards
danger   rows of the smallest class that BorderlineSMOTE takes for parents, as positions among all rows
"""

import golden
import imblearn
import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    NearMiss,
    NeighbourhoodCleaningRule,
    RandomUnderSampler,
    TomekLinks,
)


def kept(sampler, x, y):
    sampler.fit_resample(x, y)
    return sorted(sampler.sample_indices_.tolist())


def counts(sampler, x, y):
    return np.bincount(sampler.fit_resample(x, y)[1], minlength=y.max() + 1)


def danger(x, y):
    sampler = BorderlineSMOTE(random_state=0)
    sampler._validate_estimator()
    smallest = np.argmin(np.bincount(y))
    rows = np.flatnonzero(y == smallest)
    sampler.nn_m_.fit(x)
    return rows[sampler._in_danger_noise(sampler.nn_m_, x[rows], smallest, y, kind="danger")]


def case(name, rng, sizes, dims, spread):
    y = np.repeat(np.arange(len(sizes)), sizes)
    x = np.round(rng.normal(size=(len(y), dims)) + spread * y[:, None] * (np.arange(dims) % 2), 3)
    order = rng.permutation(len(y))
    x, y = x[order], y[order]
    cleaners = {
        "tomek": TomekLinks(),
        "tomek_all": TomekLinks(sampling_strategy="all"),
        "edited": EditedNearestNeighbours(),
        "edited_most": EditedNearestNeighbours(kind_sel="mode"),
        "edited_most_of_5_all": EditedNearestNeighbours(kind_sel="mode", n_neighbors=5, sampling_strategy="all"),
        "neighbourhood": NeighbourhoodCleaningRule(),
        "neighbourhood_of_5": NeighbourhoodCleaningRule(n_neighbors=5, threshold_cleaning=3.0),
        "near_miss_1": NearMiss(version=1),
        "near_miss_2": NearMiss(version=2),
        "near_miss_3": NearMiss(version=3),
    }
    samplers = {
        "over": RandomOverSampler(random_state=0),
        "under": RandomUnderSampler(random_state=0),
        "smote": SMOTE(random_state=0),
        "adasyn": ADASYN(random_state=0),
    }
    if len(sizes) == 2:
        samplers["over_half"] = RandomOverSampler(sampling_strategy=0.57, random_state=0)
        samplers["under_half"] = RandomUnderSampler(sampling_strategy=0.57, random_state=0)
    expected = {
        "kept": {key: kept(sampler, x, y) for key, sampler in cleaners.items()},
        "counts": {key: counts(sampler, x, y) for key, sampler in samplers.items()},
        "danger": danger(x, y),
    }
    return golden.case(name, {"x": x, "y": y}, expected)


def main():
    rng = golden.generator()
    cases = [
        case("two_classes", rng, [180, 40], 3, 1.0),
        case("event_first", rng, [33, 150], 6, 0.8),
        case("three_classes", rng, [120, 70, 30], 4, 0.9),
        case("four_classes", rng, [40, 25, 100, 60], 2, 1.2),
    ]
    golden.write(__file__, f"imbalanced-learn {imblearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
