"""HashingVectorizer: words and runs of letters within words in buckets, with the sign of the hash."""

import golden
import sklearn
from sklearn.feature_extraction.text import HashingVectorizer
from tfidf import APPLY, FIT


def apply(name, letters, low, high, buckets, unit_length):
    vectorizer = HashingVectorizer(
        analyzer="char_wb" if letters else "word", ngram_range=(low, high), n_features=buckets,
        norm="l2" if unit_length else None,
    )
    texts = FIT + APPLY
    given = {"apply": texts, "letters": letters, "from": low, "to": high, "buckets": buckets, "unit_length": unit_length}
    return golden.case(name, given, {"transformed": vectorizer.transform(texts).toarray()})


def main():
    cases = [
        apply("words", False, 1, 1, 16, True),
        apply("pairs of words", False, 1, 2, 10, False),
        apply("letters", True, 3, 5, 12, True),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
