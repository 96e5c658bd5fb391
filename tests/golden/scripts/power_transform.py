"""PowerTransformer and the powers and likelihoods of scipy.

`what: function` has what becomes of numbers under a given lambda. `what: fit` has the lambda that scikit-learn
finds, the logarithm of the likelihood there divided by the number of values, and the transformed values. The lambda
comes from a search for a greatest value and is good to about 1e-8 of the scale on which the likelihood bends; the
tolerance of the file is for functions and likelihoods.
"""

import golden
import numpy as np
import scipy
import sklearn
from scipy import special, stats
from sklearn.preprocessing import PowerTransformer

FULL = {"box_cox": "box-cox", "yeo_johnson": "yeo-johnson"}


def function(kind, power, x):
    y = special.boxcox(x, power) if kind == "box_cox" else stats.yeojohnson(x, lmbda=power)
    return golden.case(f"{kind}_{power}", {"what": "function", "kind": kind, "lambda": power, "x": x}, {"y": y})


def fit(name, kind, x, standardize=True):
    transformer = PowerTransformer(method=FULL[kind], standardize=standardize)
    transformed = transformer.fit_transform(x.reshape(-1, 1))[:, 0]
    power = transformer.lambdas_[0]
    present = x[~np.isnan(x)]
    likelihood = (stats.boxcox_llf if kind == "box_cox" else stats.yeojohnson_llf)(power, present) / len(present)
    given = {"what": "fit", "kind": kind, "x": x, "standardize": standardize}
    return golden.case(name, given, {"lambda": power, "likelihood": likelihood, "transformed": transformed})


def main():
    rng = golden.generator()
    positive = np.array([1e-6, 0.01, 0.5, 0.999, 1.0, 1.001, 2.0, 10.0, 345.6])
    signed = np.concatenate([-positive[::-1], [0.0], positive])
    cases = []
    for power in [-2.0, -0.5, 0.0, 1e-9, 0.001, 0.5, 1.0, 1.7, 2.0, 3.0]:
        cases.append(function("box_cox", power, positive))
        cases.append(function("yeo_johnson", power, signed))
    skewed = np.exp(rng.standard_normal(60))
    normal = 3.0 + rng.standard_normal(60)
    left = 20.0 - rng.gamma(2.0, 2.0, 50)
    mixed = rng.standard_t(3, 50) + 0.5 * rng.exponential(2.0, 50)
    holes = skewed.copy()
    holes[::7] = np.nan
    cases += [
        fit("box_cox_skewed", "box_cox", skewed),
        fit("box_cox_left", "box_cox", np.abs(left) + 0.1),
        fit("box_cox_holes", "box_cox", holes),
        fit("box_cox_plain", "box_cox", skewed, standardize=False),
        fit("yeo_johnson_skewed", "yeo_johnson", skewed),
        fit("yeo_johnson_normal", "yeo_johnson", normal),
        fit("yeo_johnson_left", "yeo_johnson", left),
        fit("yeo_johnson_mixed", "yeo_johnson", mixed),
        fit("yeo_johnson_negative", "yeo_johnson", -skewed),
        fit("yeo_johnson_holes", "yeo_johnson", holes - 1.0),
        fit("yeo_johnson_plain", "yeo_johnson", mixed, standardize=False),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
