"""TfidfVectorizer: words and runs of letters within words, smooth idf, rows of unit length.

No two terms at the end of a full vocabulary occur equally often: which of them scikit-learn keeps is its sort's accident.
"""

import golden
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer

FIT = [
    "Paid late, then paid again", "never paid", "called twice: never late", "Straße in Zürich; the STRASSE", "",
    "a b c", "late late late", "moved to Zürich in 2024", "user_1 paid 20 times", "again and again and again",
]
APPLY = ["paid late", "unknown words only", "", "ZÜRICH zürich", "never, never again"]


def fit(name, letters, low, high, min_rows=1, max_share=1.0, max_terms=500, sublinear=False):
    vectorizer = TfidfVectorizer(
        analyzer="char_wb" if letters else "word", ngram_range=(low, high), min_df=min_rows, max_df=max_share,
        max_features=max_terms, sublinear_tf=sublinear,
    )
    vectorizer.fit(FIT)
    given = {
        "fit": FIT, "apply": APPLY, "letters": letters, "from": low, "to": high, "min_rows": min_rows,
        "max_share": max_share, "max_terms": max_terms, "sublinear": sublinear,
    }
    expected = {"terms": list(vectorizer.get_feature_names_out()), "transformed": vectorizer.transform(APPLY).toarray()}
    return golden.case(name, given, expected)


def main():
    cases = [
        fit("words", False, 1, 1),
        fit("pairs of words", False, 1, 2, min_rows=2),
        fit("words, sublinear, not too frequent", False, 1, 1, max_share=0.35, sublinear=True),
        fit("the most frequent word", False, 1, 1, max_terms=1),
        fit("letters", True, 3, 5, min_rows=2),
        fit("short letters", True, 1, 2, min_rows=3),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
