"""Bins: KBinsDiscretizer, pandas.cut for given edges, and the weight of evidence of category_encoders.

`edges` are the inner ones. `quantile_method` is linear and all rows count (`subsample=None`).
"""

import warnings

import category_encoders
import golden
import numpy as np
import pandas as pd
import sklearn
from sklearn.preprocessing import KBinsDiscretizer


def k_bins(name, strategy, bins, x, fresh):
    given = {"quantile_method": "linear"} if strategy == "quantile" else {}
    binner = KBinsDiscretizer(n_bins=bins, encode="ordinal", strategy=strategy, subsample=None, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        binner.fit(x.reshape(-1, 1))
        found = binner.transform(fresh.reshape(-1, 1))[:, 0]
    given = {"kind": "k_bins", "strategy": strategy, "bins": bins, "fit": x, "apply": fresh}
    return golden.case(name, given, {"edges": binner.bin_edges_[0][1:-1], "bins": found})


def custom(name, edges, x):
    found = pd.cut(x, [-np.inf, *edges, np.inf], right=False, labels=False)
    return golden.case(name, {"kind": "custom", "edges": edges, "apply": x}, {"bins": found.astype(float)})


def evidence(name, x, events):
    encoder = category_encoders.WOEEncoder(cols=["x"], regularization=0.0)
    table = pd.DataFrame({"x": [f"level {value}" for value in x]})
    woe = encoder.fit(table, events).transform(table)["x"].to_numpy()
    return golden.case(name, {"kind": "woe", "x": x, "events": events}, {"woe": woe})


def main():
    rng = golden.generator()
    normal = rng.standard_normal(120)
    skewed = np.exp(rng.standard_normal(120))
    whole = rng.integers(0, 12, 150).astype(float)
    groups = np.concatenate([rng.normal(middle, 0.3, 30) for middle in (0.0, 4.0, 5.5, 11.0)])
    fresh = np.array([-50.0, -1.0, -0.3, 0.0, 0.2, 0.9, 1.0, 2.0, 4.9, 7.0, 11.0, 99.0])
    cases = []
    for strategy in ["uniform", "quantile", "kmeans"]:
        cases += [
            k_bins(f"{strategy}_normal", strategy, 5, normal, fresh),
            k_bins(f"{strategy}_skewed", strategy, 3, skewed, fresh),
            k_bins(f"{strategy}_groups", strategy, 4, groups, fresh),
        ]
    cases += [
        k_bins("uniform_whole", "uniform", 4, whole, fresh),
        k_bins("quantile_whole", "quantile", 4, whole, fresh),
        k_bins("quantile_ties", "quantile", 5, np.maximum(normal, -0.2), fresh),
        custom("custom", [-1.0, 0.0, 2.5], np.array([-9.0, -1.0, -0.5, 0.0, 2.4999, 2.5, 1e300])),
        custom("custom_one_edge", [3.0], np.array([2.0, 3.0, 4.0])),
    ]
    for number, levels in enumerate([4, 7]):
        x = rng.integers(0, levels, 300).astype(float)
        events = (rng.random(300) < 0.15 + 0.1 * x).astype(float)
        cases.append(evidence(f"woe_{number}", x, events))
    sources = [f"scikit-learn {sklearn.__version__}", f"pandas {pd.__version__}"]
    sources.append(f"category_encoders {category_encoders.__version__}")
    golden.write(__file__, ", ".join(sources), cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
