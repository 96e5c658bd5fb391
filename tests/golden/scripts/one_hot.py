"""OneHotEncoder on text columns; null is missing and counts as a level of its own.

Levels are sorted by code point, the missing level last. With min_frequency, levels seen fewer times
than that share one column, named <column>_infrequent_sklearn, after the frequent levels; if no level
is rare there is no such column. With max_categories, the most frequent levels, one fewer than that, have a
column of their own if there are more levels; the cases have no ties, of which scikit-learn keeps the last
by code point. A level not seen when fitting gives all zeros ("ignore"), or goes to
the infrequent column where there is one ("infrequent_if_exist").
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.preprocessing import OneHotEncoder


def fit(name, columns, fit_rows, apply_rows, unknown="ignore", min_frequency=None, max_categories=None):
    fitted, applied = (np.array(rows, dtype=object) for rows in (fit_rows, apply_rows))
    encoder = OneHotEncoder(
        sparse_output=False,
        handle_unknown=unknown,
        min_frequency=min_frequency,
        max_categories=max_categories,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder.fit(fitted)
        matrix = encoder.transform(applied)
    rare = [None] * len(columns)
    if min_frequency is not None or max_categories is not None:
        rare = [None if levels is None else list(levels) for levels in encoder.infrequent_categories_]
    given = {
        "columns": columns,
        "fit": fitted,
        "apply": applied,
        "handle_unknown": unknown,
        "min_frequency": min_frequency,
        "max_categories": max_categories,
    }
    expected = {
        "levels": [list(levels) for levels in encoder.categories_],
        "infrequent": rare,
        "names": list(encoder.get_feature_names_out(columns)),
        "matrix": matrix,
    }
    return golden.case(name, given, expected)


def column(*levels):
    return [level for level, count in levels for _ in range(count)]


def main():
    rng = golden.generator()
    color = column(("red", 5), ("blue", 4), ("green", 3), ("Amber", 2), ("ärger", 1), ("", 1))
    size = column(("s", 7), ("m", 6), ("l", 3))
    pairs = zip(rng.permutation(color).tolist(), rng.permutation(size).tolist(), strict=True)
    rows = [list(pair) for pair in pairs]
    fresh = [["red", "s"], ["Amber", "l"], ["violet", "xl"], ["", "m"], ["ärger", "s"]]

    holes = column(("a", 4), ("b", 3), (None, 3), ("c", 2))
    few_holes = column(("a", 5), ("b", 4), (None, 2), ("c", 1))
    one = [[level] for level in holes]
    rare = [[level] for level in few_holes]
    one_fresh = [["a"], [None], ["c"], ["d"], ["b"]]
    none_missing = [["a"]] * 3 + [["b"]] * 3
    all_rare = [["a"], ["b"], ["c"], ["b"]]
    uneven = [[level] for level in column(("a", 3), ("b", 6), ("c", 5), ("d", 1), ("e", 4))]

    cases = [
        fit("plain", ["color", "size"], rows, fresh),
        fit("missing_level", ["kind"], one, one_fresh),
        fit("missing_not_seen_when_fitting", ["kind"], none_missing, one_fresh),
        fit("min_frequency", ["color", "size"], rows, fresh, "ignore", 3),
        fit("min_frequency_unknown_is_infrequent", ["color", "size"], rows, fresh, "infrequent_if_exist", 3),
        fit("min_frequency_missing_is_frequent", ["kind"], one, one_fresh, "ignore", 3),
        fit("min_frequency_missing_is_infrequent", ["kind"], rare, one_fresh, "ignore", 3),
        fit("min_frequency_no_rare_level", ["kind"], none_missing, one_fresh, "infrequent_if_exist", 3),
        fit("min_frequency_every_level_rare", ["kind"], all_rare, one_fresh, "ignore", 3),
        fit("max_categories", ["kind"], uneven, one_fresh, "ignore", None, 3),
        fit("max_categories_unknown_is_infrequent", ["kind"], uneven, one_fresh[2:], "infrequent_if_exist", None, 4),
        fit("max_categories_and_min_frequency", ["kind"], uneven, one_fresh, "ignore", 4, 5),
        fit("one_level", ["kind"], [["a"], ["a"]], one_fresh),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
