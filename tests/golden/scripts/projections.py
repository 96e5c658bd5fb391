"""Principal components and truncated singular value decomposition.

Weights count rows several times: the other side gets the rows repeated. The entry of largest size of each direction is
positive on both sides.
"""

import golden
import numpy as np
import sklearn
from sklearn.decomposition import PCA, TruncatedSVD


def pca(name, rows, fresh, components=None, whiten=False, weights=None):
    seen = rows if weights is None else np.repeat(rows, weights.astype(int), axis=0)
    fitted = PCA(n_components=components, whiten=whiten, svd_solver="full").fit(seen)
    given = {
        "stage": "pca", "fit": rows, "apply": fresh, "weights": weights, "components": components, "whiten": whiten,
    }
    expected = {
        "mean": fitted.mean_,
        "directions": fitted.components_,
        "variance": fitted.explained_variance_,
        "share": fitted.explained_variance_ratio_,
        "singular": fitted.singular_values_,
        "transformed": fitted.transform(fresh),
    }
    return golden.case(name, given, expected)


def svd(name, rows, fresh, components, weights=None):
    seen = rows if weights is None else np.repeat(rows, weights.astype(int), axis=0)
    fitted = TruncatedSVD(n_components=components, algorithm="arpack", random_state=0).fit(seen)
    given = {"stage": "svd", "fit": rows, "apply": fresh, "weights": weights, "components": components}
    expected = {
        "directions": fitted.components_,
        "singular": fitted.singular_values_,
        "transformed": fitted.transform(fresh),
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    mixed = rng.standard_normal((40, 6)) @ rng.standard_normal((6, 6))
    mixed += np.array([0.0, 5.0, -3.0, 100.0, 0.5, 1.0])
    fresh = np.vstack([mixed[:4], rng.standard_normal((3, 6)), np.zeros((1, 6))])
    weights = rng.integers(0, 4, len(mixed)).astype(float)
    scaled = mixed * np.array([1.0, 10.0, 0.1, 1.0, 1.0, 5.0])
    wide = rng.standard_normal((60, 25))
    counts = rng.poisson(0.4, (50, 8)).astype(float)
    counts[:, 0] += 1.0
    cases = [
        pca("pca_all", mixed, fresh),
        pca("pca_three", mixed, fresh, 3),
        pca("pca_share", mixed, fresh, 0.9),
        pca("pca_whitened", mixed, fresh, 4, True),
        pca("pca_weighted", mixed, fresh, 6, False, weights),
        pca("pca_weighted_whitened", mixed, fresh, 6, True, weights),
        pca("pca_scales", scaled, fresh, 6),
        pca("pca_wide", wide, wide[:3], 25),
        svd("svd_counts", counts, counts[:6], 3),
        svd("svd_weighted", mixed, fresh, 4, weights),
        svd("svd_wide", wide, wide[:3], 10),
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
