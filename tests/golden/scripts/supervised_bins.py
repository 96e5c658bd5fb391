"""Edges of supervised bins: thresholds of decision trees on one column, and the cuts of description length.

scikit-learn rounds columns to 32 bits before it grows a tree, so values here are multiples of 1/64.
"""

import golden
import numpy as np
import Orange
import sklearn
from Orange.data import ContinuousVariable, DiscreteVariable, Domain, Table
from Orange.preprocess.discretize import EntropyMDL
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def tree(name, kind, x, y, depth, share, weights=None):
    model = DecisionTreeClassifier if kind == "classes" else DecisionTreeRegressor
    grown = model(max_depth=depth, min_weight_fraction_leaf=share, random_state=0)
    grown.fit(x.reshape(-1, 1), y, sample_weight=weights)
    edges = np.sort(grown.tree_.threshold[grown.tree_.feature >= 0])
    given = {"kind": kind, "x": x, "y": y, "depth": depth, "min_share": share, "weights": weights}
    return golden.case(name, given, {"edges": edges})


def description_length(name, x, y):
    classes = [str(value) for value in np.unique(y).astype(int)]
    domain = Domain([ContinuousVariable("x")], DiscreteVariable("y", values=classes))
    table = Table.from_numpy(domain, x.reshape(-1, 1), np.searchsorted(np.unique(y), y).astype(float))
    points = EntropyMDL()(table, domain["x"]).compute_value.points
    return golden.case(name, {"kind": "mdlp", "x": x, "y": y}, {"edges": list(points)})


def main():
    rng = golden.generator()
    x = np.round(64.0 * rng.standard_normal(150)) / 64.0
    three = np.clip(np.round(x + 0.7 * rng.standard_normal(150)), -1, 1) + 1
    two = (x + rng.standard_normal(150) > 0.3).astype(float)
    number = np.round(8.0 * (np.abs(x) + 0.3 * rng.standard_normal(150)))
    weights = rng.integers(1, 5, 150).astype(float)
    cases = [
        tree("two_classes", "classes", x, two, 2, 0.0),
        tree("two_classes_share", "classes", x, two, 4, 0.1),
        tree("three_classes", "classes", x, three, 3, 0.05),
        tree("three_classes_weighted", "classes", x, three, 3, 0.05, weights),
        tree("number", "numbers", x, number, 1, 0.0),
        tree("number_deep", "numbers", x, number, 4, 0.02),
        tree("number_share", "numbers", x, number, 3, 0.1),
        tree("number_weighted", "numbers", x, number, 3, 0.05, weights),
    ]
    flowers = load_iris()
    for i, feature in enumerate(["sepal_length", "sepal_width", "petal_length", "petal_width"]):
        cases.append(description_length(f"iris_{feature}", flowers.data[:, i], flowers.target.astype(float)))
    cases += [description_length("noisy_two", x, two), description_length("noisy_three", x, three)]
    source = f"scikit-learn {sklearn.__version__}, Orange {Orange.__version__}"
    golden.write(__file__, source, cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
