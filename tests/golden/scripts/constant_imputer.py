"""SimpleImputer(strategy="constant") for numbers and for text.

The stated value replaces each missing one, in training rows and later ones; nothing else changes.
"""

import golden
import numpy as np
import sklearn
from sklearn.impute import SimpleImputer

X = np.nan


def fit(name, fit_rows, apply_rows, fill):
    text = isinstance(fill, str)
    kind = object if text else float
    imputer = SimpleImputer(
        missing_values=None if text else np.nan,
        strategy="constant",
        fill_value=fill,
        keep_empty_features=True,
    )
    imputer.fit(np.array(fit_rows, dtype=kind))
    transformed = imputer.transform(np.array(apply_rows, dtype=kind))
    given = {"fit": fit_rows, "apply": apply_rows, "fill_value": fill}
    return golden.case(name, given, {"transformed": transformed.tolist()})


def main():
    numbers = [[1.0, X, X], [X, 2.5, X], [3.0, -4.0, X]]
    later = [[X, X, X], [7.0, X, 0.5]]
    words = [["red", None], [None, "b"], ["blue", "a"]]
    later_words = [[None, None], ["red", "a"], ["none", "b"]]
    cases = [
        fit("numbers", numbers, later, -1.5),
        fit("text", words, later_words, "none"),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
