"""PolynomialFeatures without the constant column: the columns, then their products. A blank parts the factors in a name."""

import golden
import numpy as np
import sklearn
from sklearn.preprocessing import PolynomialFeatures


def fit(name, rows, fresh, degree, interaction_only):
    fitted = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=False).fit(rows)
    names = fitted.get_feature_names_out([f"c{j}" for j in range(rows.shape[1])])
    given = {"fit": rows, "apply": fresh, "degree": degree, "interaction_only": interaction_only}
    return golden.case(name, given, {"names": names, "transformed": fitted.transform(fresh)})


def main():
    rng = golden.generator()
    rows = rng.standard_normal((6, 4)) * np.array([1.0, 100.0, 0.01, 3.0])
    fresh = np.vstack([rows, np.zeros((1, 4))])
    cases = [
        fit("squares", rows, fresh, 2, False),
        fit("cubes", rows, fresh, 3, False),
        fit("interactions", rows, fresh, 3, True),
        fit("degree_five", rows, fresh, 5, False),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 1e-9)


if __name__ == "__main__":
    main()
