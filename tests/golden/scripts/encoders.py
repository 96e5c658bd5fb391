"""Encoders that do not look at the target: levels in `fit`, the rows of `apply` as numbers in `matrix`.

null is missing. Where a program has another rule for unseen or missing levels, the rule is written out here and the program
answers the rest. Hashing is of the texts "<column>=<level>" with the columns named c0, c1, ...
"""

import category_encoders as ce
import golden
import numpy as np
import pandas as pd
import patsy
import sklearn
from patsy.contrasts import Diff, Helmert, Poly, Sum
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import OrdinalEncoder


def ordinal(name, fit, apply, order):
    # scikit-learn takes None for a level and nan for missing.
    rows, later = (
        np.array([[np.nan if level is None else level for level in row] for row in table], dtype=object)
        for table in (fit, apply)
    )
    categories = "auto" if order == "name" else [order] * rows.shape[1]
    encoder = OrdinalEncoder(
        categories=categories,
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
    )
    matrix = encoder.fit(rows).transform(later)
    given = {"encoder": "ordinal", "fit": fit, "apply": apply, "order": order}
    return golden.case(name, given, {"matrix": matrix})


def frame(rows):
    return pd.DataFrame(rows, columns=[f"c{j}" for j in range(len(rows[0]))], dtype=object)


def count(name, fit, apply, share):
    encoder = ce.CountEncoder(cols=list(frame(fit).columns), normalize=share)
    matrix = encoder.fit(frame(fit)).transform(frame(apply)).to_numpy(dtype=float)
    given = {"encoder": "share" if share else "count", "fit": fit, "apply": apply}
    return golden.case(name, given, {"matrix": matrix})


def base(name, fit, apply, of):
    columns = list(frame(fit).columns)
    encoder = ce.BinaryEncoder(cols=columns) if of == 2 else ce.BaseNEncoder(cols=columns, base=of)
    matrix = encoder.fit(frame(fit)).transform(frame(apply)).to_numpy(dtype=float)
    given = {"encoder": "base", "base": of, "fit": fit, "apply": apply, "order": "appearance"}
    return golden.case(name, given, {"matrix": matrix})


def hashed(name, rows, buckets, signed):
    texts = [
        [f"c{j}={'(missing)' if level is None else level}" for j, level in enumerate(row)]
        for row in rows
    ]
    hasher = FeatureHasher(buckets, input_type="string", alternate_sign=signed)
    matrix = hasher.transform(texts).toarray()
    given = {"encoder": "hash", "fit": rows[:2], "apply": rows, "buckets": buckets, "signed": signed}
    return golden.case(name, given, {"matrix": matrix})


def contrast(name, kind, levels, order=None):
    coding = {
        "helmert": Helmert(),
        "sum": Sum(),
        "backward_difference": Diff(),
        "polynomial": Poly(),
    }[kind]
    ordered = order if order is not None else sorted(levels)
    matrix = coding.code_without_intercept(ordered).matrix
    rows = [matrix[ordered.index(level)] for level in levels]
    # A level not seen is the mean of all levels.
    rows.append(np.zeros(matrix.shape[1]))
    given = {
        "encoder": kind,
        "fit": [[level] for level in levels],
        "apply": [[level] for level in levels] + [["never seen"]],
        "order": "name" if order is None else order,
    }
    return golden.case(name, given, {"matrix": rows})


def main():
    rng = golden.generator()
    plans = ["basic", "plus", "pro", "Enterprise", "ärger", ""]
    sizes = ["S", "M", "L"]
    fit = [[plans[i], sizes[j]] for i, j in zip(rng.integers(0, 6, 40), rng.integers(0, 3, 40), strict=True)]
    fresh = [["pro", "S"], ["violet", "XL"], ["", "M"], ["ärger", "L"], ["Enterprise", "S"]]
    holes = [[row[0] if i % 5 else None, row[1]] for i, row in enumerate(fit)]
    some = [["S"], ["L"], ["M"], ["L"], ["S"]]

    cases = [
        ordinal("ordinal", fit, fresh, "name"),
        ordinal("ordinal_missing", holes, fresh + [[None, "S"]], "name"),
        ordinal("ordinal_given", some, [["S"], ["M"], ["L"], ["XL"]], ["S", "M", "L"]),
        count("count", fit, fresh, False),
        count("share", fit, fresh, True),
        count("count_missing", holes, fresh + [[None, "S"]], False),
        count("share_missing", holes, fresh + [[None, "S"]], True),
        base("binary", fit, fresh, 2),
        base("base_3", fit, fresh, 3),
        base("binary_seven_levels", [[str(i)] for i in range(7)], [[str(i)] for i in range(9)], 2),
        base("binary_eight_levels", [[str(i)] for i in range(8)], [[str(i)] for i in range(9)], 2),
        hashed("hash_signed", holes + fresh, 8, True),
        hashed("hash_unsigned", holes + fresh, 8, False),
        hashed("hash_one_bucket", fresh, 1, True),
        hashed("hash_thirteen", [[f"level {i}"] for i in range(60)], 13, True),
    ]
    for kind in ("helmert", "sum", "backward_difference", "polynomial"):
        cases.append(contrast(f"{kind}_2", kind, ["b", "a"]))
        cases.append(contrast(f"{kind}_5", kind, ["e", "b", "a", "d", "c"]))
        cases.append(contrast(f"{kind}_order", kind, ["L", "S", "XL", "M"], ["S", "M", "L", "XL"]))
    cases.append(contrast("polynomial_10", "polynomial", [str(i) for i in range(10)]))
    source = (
        f"scikit-learn {sklearn.__version__}, category_encoders {ce.__version__}, patsy {patsy.__version__}"
    )
    golden.write(__file__, source, cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
