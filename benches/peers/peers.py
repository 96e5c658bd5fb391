"""The Python peers behind one shape: `fit(rows)`, `probability(model)`, `contributions(model, rows)`.

`settings[peer]` says how each is set. Everywhere: 100 trees, learning rate 0.1, 255 bins, no early stopping.
"""

import json
import pathlib

import numpy as np
import pandas as pd

LIGHTGBM = dict(objective="binary", num_leaves=63, max_bin=255, learning_rate=0.1, verbose=-1)
QUANTIZED = dict(use_quantized_grad=True, num_grad_quant_bins=4, quant_train_renew_leaf=True)
FOREST_FEATURES = 5 / 28  # about sqrt(28) of 28, as scikit-learn's forest takes

LIGHTGBM_SETTINGS = {
    "lightgbm": {},
    "lightgbm-row": dict(force_row_wise=True),
    "lightgbm-col": dict(force_col_wise=True),
    "lightgbm-quantized": QUANTIZED,
    "lightgbm-quantized-row": dict(QUANTIZED, force_row_wise=True),
    "lightgbm-quantized-col": dict(QUANTIZED, force_col_wise=True),
    "lightgbm-rf": dict(
        boosting="rf",
        num_leaves=4096,
        max_depth=12,
        bagging_freq=1,
        bagging_fraction=0.632,
        feature_fraction_bynode=FOREST_FEATURES,
        min_data_in_leaf=1,
        min_sum_hessian_in_leaf=0.0,
    ),
}
XGBOOST_SETTINGS = {
    "xgboost-depth8": dict(max_depth=8),
    "xgboost-leaves63": dict(grow_policy="lossguide", max_leaves=63, max_depth=0),
}


class Table:
    """A table of `tables.py`: a float32 matrix where all columns are numbers, a data frame where not."""

    def __init__(self, cache, name):
        folder, _, limit = name.partition("-")
        folder = pathlib.Path(cache) / folder
        header = json.loads((folder / "header.json").read_text())
        self.fields, rows, first_test = header["columns"], header["rows"], header["train_rows"]
        self.name, self.train_rows = name, int(limit or first_test)
        if self.train_rows > first_test:
            raise SystemExit(f"{name}: only {first_test} training rows")
        y = np.fromfile(folder / "y.f32", "<f4")
        if header["layout"] == "row-major f32":
            x = np.memmap(folder / "x.f32", "<f4", "r", shape=(rows, len(self.fields)))
            self.x, self.x_test = np.array(x[: self.train_rows]), np.array(x[first_test:])
        else:
            x = np.fromfile(folder / "x.f64", "<f8").reshape(len(self.fields), rows)
            x = pd.DataFrame({field["name"]: column(field, values) for field, values in zip(self.fields, x)})
            self.x, self.x_test = x[: self.train_rows].copy(), x[first_test:].reset_index(drop=True)
        self.y, self.y_test = y[: self.train_rows].astype(int), y[first_test:].astype(int)
        self.categories = [field["name"] for field in self.fields if field["kind"] == "category"]


def column(field, values):
    if field["kind"] == "category":
        return pd.Categorical.from_codes(np.where(np.isnan(values), -1, values).astype(int), field["levels"])
    return values.astype(bool) if field["kind"] == "flag" else values


class LightGbm:
    package = "lightgbm"

    def __init__(self, peer, table, threads):
        import lightgbm

        self.lib, self.table = lightgbm, table
        self.params = dict(LIGHTGBM, num_threads=threads, **LIGHTGBM_SETTINGS[peer])

    def fit(self, rows, trees=100):
        data = self.lib.Dataset(self.table.x[:rows], self.table.y[:rows], params=self.params)
        return self.lib.train(self.params, data, trees)

    def probability(self, model):
        return model.predict(self.table.x_test)

    def contributions(self, model, rows):
        return model.predict(rows, pred_contrib=True)

    def margin(self, model, rows):
        return model.predict(rows, raw_score=True)

    def one_row(self, model):
        """The C function made for single rows: it is what a server written in another language would call."""
        import ctypes

        lib, config = self.lib.basic._LIB, ctypes.c_void_p()
        columns, found, out = len(self.table.fields), ctypes.c_int64(), (ctypes.c_double * 1)()
        params = b"num_threads=1"
        code = lib.LGBM_BoosterPredictForMatSingleRowFastInit(
            model._handle, 0, 0, -1, 0, columns, ctypes.c_char_p(params), ctypes.byref(config)
        )
        if code != 0:
            raise RuntimeError("LGBM_BoosterPredictForMatSingleRowFastInit")
        self.kept = np.ascontiguousarray(self.table.x_test[:2000])
        base, stride, length = self.kept.ctypes.data, self.kept.strides[0], ctypes.byref(found)
        call = lib.LGBM_BoosterPredictForMatSingleRowFast
        return lambda row: call(config, ctypes.c_void_p(base + row * stride), length, out)


class XgBoost:
    package = "xgboost"

    def __init__(self, peer, table, threads):
        import xgboost

        self.lib, self.table, self.threads = xgboost, table, threads
        self.params = dict(
            objective="binary:logistic",
            tree_method="hist",
            max_bin=255,
            learning_rate=0.1,
            n_jobs=threads,
            enable_categorical=bool(table.categories),
            **XGBOOST_SETTINGS[peer],
        )

    def fit(self, rows, trees=100):
        model = self.lib.XGBClassifier(n_estimators=trees, **self.params)
        return model.fit(self.table.x[:rows], self.table.y[:rows])

    def probability(self, model):
        return model.predict_proba(self.table.x_test)[:, 1]

    def contributions(self, model, rows):
        return model.get_booster().predict(self.lib.DMatrix(rows, nthread=self.threads), pred_contribs=True)

    def margin(self, model, rows):
        return model.predict(rows, output_margin=True)


class HistGradientBoosting:
    """At most 255 levels in a column: wider categories go in as the number of their level."""

    package = "scikit-learn"

    def __init__(self, peer, table, threads):
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)
        self.table = table
        wide = [f["name"] for f in table.fields if len(f.get("levels", [])) > 255]
        self.x, self.x_test = (self.narrow(x, wide) for x in (table.x, table.x_test))

    @staticmethod
    def narrow(x, wide):
        for name in wide:
            codes = x[name].cat.codes.astype(float)
            x = x.assign(**{name: codes.where(codes >= 0)})
        return x

    def fit(self, rows, trees=100):
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=trees,
            max_leaf_nodes=63,
            max_bins=255,
            learning_rate=0.1,
            early_stopping=False,
            categorical_features="from_dtype" if self.table.categories else None,
        )
        return model.fit(self.x[:rows], self.table.y[:rows])

    def probability(self, model):
        return model.predict_proba(self.x_test)[:, 1]

    def contributions(self, model, rows):
        import shap

        explanation = shap.TreeExplainer(model)
        values = explanation.shap_values(rows, check_additivity=False)
        base = np.full((len(values), 1), np.ravel(explanation.expected_value)[-1])
        return np.hstack([values, base])

    def margin(self, model, rows):
        return model.decision_function(rows)


class CatBoost:
    """Symmetric trees of depth 8. Categories go in as text, which is what it wants; missing is a level of its own."""

    package = "catboost"

    def __init__(self, peer, table, threads):
        self.table, self.threads = table, threads
        self.x, self.x_test = (self.as_text(x) for x in (table.x, table.x_test))

    def as_text(self, x):
        for name in self.table.categories:
            x = x.assign(**{name: x[name].astype(object).where(x[name].notna(), "?")})
        return x

    def fit(self, rows, trees=100):
        from catboost import CatBoostClassifier

        model = CatBoostClassifier(
            iterations=trees,
            depth=8,
            border_count=254,
            learning_rate=0.1,
            thread_count=self.threads,
            verbose=0,
            cat_features=self.table.categories or None,
            allow_writing_files=False,
        )
        return model.fit(self.x[:rows], self.table.y[:rows])

    def probability(self, model):
        return model.predict_proba(self.x_test, thread_count=self.threads)[:, 1]


class RandomForest:
    package = "scikit-learn"

    def __init__(self, peer, table, threads):
        self.table, self.threads = table, threads

    def fit(self, rows, trees=100):
        from sklearn.ensemble import RandomForestClassifier

        model = RandomForestClassifier(trees, max_depth=12, n_jobs=self.threads, random_state=0)
        return model.fit(self.table.x[:rows], self.table.y[:rows])

    def probability(self, model):
        return model.predict_proba(self.table.x_test)[:, 1]


def make(peer, table, threads):
    kinds = {
        "lightgbm": LightGbm,
        "xgboost": XgBoost,
        "histgb": HistGradientBoosting,
        "shap": HistGradientBoosting,
        "catboost": CatBoost,
        "sklearn": RandomForest,
    }
    return kinds[peer.split("-")[0]](peer, table, threads)
