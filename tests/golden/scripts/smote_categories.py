"""What is not drawn at random when rows with categories are made: distances, neighbours, most frequent levels.

numbers, levels   the columns, row by row; levels are codes
y                 the classes
of                per class that grows:
  class           the class
  rows            its rows
  apart           how far two levels lie apart, SMOTENC.median_std_ (smote_nc only)
  squared         per row the squared distances of its nearest, ascending
  nearest         per row its nearest as positions among all rows, null where two are equally far
  levels          per row the levels of its children, null where two levels are equally frequent or the nearest are not sure

smote_nc: the neighbours that SMOTENC draws mates from; its levels are their most frequent ones.
smote_n: distances of ValueDifferenceMetric(k=2, r=2). The levels are those of SMOTEN itself with two classes, where its
distances are twice these; with three they are its levels by these distances. The row itself takes part in the vote.
"""

import golden
import imblearn
import numpy as np
from imblearn.metrics.pairwise import ValueDifferenceMetric
from imblearn.over_sampling import SMOTEN, SMOTENC

K = 5


class RecordedNC(SMOTENC):
    def _make_samples(self, X, y_dtype, y_type, nn_data, nn_num, n_samples, step_size=1.0, y=None):
        self.recorded_[y_type] = (nn_data.toarray(), nn_num)
        return super()._make_samples(X, y_dtype, y_type, nn_data, nn_num, n_samples, step_size, y)


class RecordedN(SMOTEN):
    def _make_samples(self, X_class, klass, y_dtype, nn_indices, n_samples):
        self.recorded_[klass] = (X_class, nn_indices)
        return super()._make_samples(X_class, klass, y_dtype, nn_indices, n_samples)


def nearest(distances, k):
    """Per row its k nearest others and their distances; None where the last is not sure or two are equally far."""
    rows, far = [], []
    for row, line in enumerate(distances):
        others = np.array([place for place in np.argsort(line, kind="stable") if place != row])
        found = line[others[: k + 1]]
        far.append(found[:k])
        rows.append(others[:k] if np.all(np.diff(found) > 1e-9) else None)
    return rows, far


def most_frequent(levels):
    """Per column the most frequent level, or None if two are."""
    found = []
    for column in levels.T:
        values, counts = np.unique(column, return_counts=True)
        if np.sum(counts == counts.max()) > 1:
            return None
        found.append(int(values[np.argmax(counts)]))
    return found


def sure(levels, line, row, k):
    """Whether the k nearest hold the same levels however equal distances are ordered."""
    others = np.delete(np.arange(len(line)), row)
    edge = np.sort(line[others])[k - 1]
    tied = others[np.abs(line[others] - edge) < 1e-9]
    within = np.sum(line[others] <= edge + 1e-9)
    return within == k or len({tuple(levels[place]) for place in tied}) == 1


def grown(rows, distances, levels, itself, k):
    near, far = nearest(distances, k)
    children = []
    for row in range(len(rows)):
        order = [place for place in np.argsort(distances[row], kind="stable") if place != row][:k]
        votes = levels[([row] if itself else []) + order]
        children.append(most_frequent(votes) if sure(levels, distances[row], row, k) else None)
    places = [None if found is None else rows[found] for found in near]
    return {"squared": far, "nearest": places, "levels": children}


def smote_nc(name, rng, sizes, numbers, counts):
    y = np.repeat(np.arange(len(sizes)), sizes)
    scale = 10.0 ** np.arange(numbers)
    x = np.round((rng.normal(size=(len(y), numbers)) + 0.5 * y[:, None]) * scale, 3)
    levels = np.stack([(rng.integers(0, count, size=len(y)) + (y * rng.integers(0, 2, size=len(y)))) % count for count in counts], 1)
    sampler = RecordedNC(categorical_features=list(range(numbers, numbers + len(counts))), k_neighbors=K, random_state=0)
    sampler.recorded_ = {}
    sampler.fit_resample(np.hstack([x, levels.astype(float)]), y)
    of = []
    for label, (points, near) in sampler.recorded_.items():
        rows = np.flatnonzero(y == label)
        distances = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
        found = grown(rows, distances, levels[rows], False, K)
        # These are the neighbours that SMOTENC itself has taken.
        for own, theirs in zip(found["nearest"], near):
            assert own is None or np.array_equal(own, rows[theirs])
        of.append({"class": int(label), "rows": rows, "apart": sampler.median_std_[label], **found})
    given = {"kind": "smote_nc", "neighbours": K, "numbers": x, "levels": levels, "y": y}
    return golden.case(name, given, {"of": of})


def smote_n(name, rng, sizes, counts):
    y = np.repeat(np.arange(len(sizes)), sizes)
    levels = np.stack([np.minimum(rng.integers(0, count, size=len(y)) + y * rng.integers(0, 2, size=len(y)), count - 1) for count in counts], 1)
    for column, count in zip(levels.T, counts):
        assert len(np.unique(column)) == count
    metric = ValueDifferenceMetric(k=2, r=2).fit(levels.astype(np.int32), y)
    sampler = RecordedN(k_neighbors=K, random_state=0)
    sampler.recorded_ = {}
    sampler.fit_resample(levels, y)
    of = []
    for label, (codes, near) in sampler.recorded_.items():
        rows = np.flatnonzero(y == label)
        assert np.array_equal(codes, levels[rows])
        distances = metric.pairwise(codes.astype(np.int32))
        found = grown(rows, distances, levels[rows], True, K)
        if len(sizes) == 2:
            # What SMOTEN itself makes of each row.
            for own, theirs in zip(found["levels"], near):
                assert own is None or own == most_frequent(levels[rows][theirs])
        of.append({"class": int(label), "rows": rows, **found})
    given = {"kind": "smote_n", "neighbours": K, "levels": levels, "y": y}
    return golden.case(name, given, {"of": of})


def main():
    rng = golden.generator()
    cases = [
        smote_nc("two_classes", rng, [90, 30], 3, [3, 4]),
        smote_nc("three_classes", rng, [60, 25, 40], 2, [2, 5, 3]),
        smote_nc("one_number", rng, [20, 70], 1, [4]),
        smote_n("levels_two_classes", rng, [90, 30], [7, 6, 8]),
        smote_n("levels_three_classes", rng, [70, 25, 40], [5, 6, 7]),
    ]
    golden.write(__file__, f"imbalanced-learn {imblearn.__version__}", cases, 1e-10, 1e-10)


if __name__ == "__main__":
    main()
