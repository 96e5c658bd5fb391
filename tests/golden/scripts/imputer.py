"""SimpleImputer on columns with missing values (null).

mean and median ignore missing values; the median of an even count is the mean of the middle two.
most_frequent breaks ties towards the smallest value: numerically for numbers, by code point for text.
A column with no value at all when fitting is dropped from the output (its statistic is null), or,
with keep_empty_features, filled with 0. Indicator columns follow the values, in column order, one for
each column that had a missing value when fitting, and only those.
"""

import warnings

import golden
import numpy as np
import sklearn
from sklearn.impute import SimpleImputer


def fit(name, fit_rows, apply_rows, strategy, text=False, indicator=False, keep_empty=False):
    if text:
        missing = None
        fitted, applied = (np.array(rows, dtype=object) for rows in (fit_rows, apply_rows))
    else:
        missing = np.nan
        fitted, applied = (np.array(rows, dtype=float) for rows in (fit_rows, apply_rows))
    imputer = SimpleImputer(
        missing_values=missing,
        strategy=strategy,
        add_indicator=indicator,
        keep_empty_features=keep_empty,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imputer.fit(fitted)
        transformed = imputer.transform(applied)
    columns = list(imputer.indicator_.features_) if indicator else None
    transformed = [
        [float(value) if isinstance(value, bool) else value for value in row]
        for row in transformed.tolist()
    ]
    given = {
        "fit": fitted,
        "apply": applied,
        "strategy": strategy,
        "add_indicator": indicator,
        "keep_empty_features": keep_empty,
    }
    expected = {
        "statistics": imputer.statistics_,
        "indicator_columns": columns,
        "transformed": transformed,
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    numbers = np.round(10.0 * rng.standard_normal((15, 4)), 3)
    numbers[:, 3] = rng.integers(0, 4, 15)
    holes = numbers.copy()
    # Values left: 15 (odd), 10 (even), 11 (odd), 12 (even).
    holes[[0, 3, 7, 11, 14], 1] = np.nan
    holes[[1, 2, 3, 9], 2] = np.nan
    holes[[4, 5, 6], 3] = np.nan
    fresh = np.array([[np.nan] * 4, [1.0, 2.0, 3.0, 4.0], [np.nan, 5.0, np.nan, 1.0]])
    apply_rows = np.vstack([holes[:4], fresh])

    x = np.nan
    ties = [[3.0, 2.0, -1.0], [1.0, 2.0, -5.0], [3.0, x, -1.0], [1.0, 9.0, -5.0], [2.0, 9.0, x]]
    empty = [[1.0, x, 4.0], [2.0, x, x], [4.0, x, 5.0], [8.0, x, 6.0]]
    empty_fresh = [[x, x, x], [1.0, 7.0, 2.0]]
    words = [
        ["red", "b", None, "B"],
        ["blue", "a", "x", "a"],
        ["red", None, "x", "B"],
        ["green", "a", "", "a"],
        ["blue", "b", "", None],
        [None, "c", "y", "é"],
        ["red", None, "x", "z"],
    ]
    words_fresh = [[None, None, None, None], ["violet", "d", "", "b"]]

    cases = []
    for strategy in ("mean", "median", "most_frequent"):
        cases += [
            fit(f"{strategy}", holes, apply_rows, strategy),
            fit(f"{strategy}_indicator", holes, apply_rows, strategy, indicator=True),
            fit(f"{strategy}_empty_column_dropped", empty, empty_fresh, strategy),
            fit(f"{strategy}_empty_column_kept", empty, empty_fresh, strategy, keep_empty=True),
        ]
    cases += [
        fit("median_empty_column_dropped_indicator", empty, empty_fresh, "median", indicator=True),
        fit("median_one_and_two_values", [[x, 1.0], [3.0, 2.0], [x, x]], [[x, x]], "median"),
        fit("most_frequent_ties", ties, [[x, x, x]], "most_frequent"),
        fit("most_frequent_text", words, words_fresh, "most_frequent", text=True),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
