"""Answers of onnxruntime for the files in ../onnx, which the library wrote itself.

The files are made first, by `WRITE_ONNX=1 cargo test -p stagewise-model files_are_those`. The metadata of a file names
its features and those that are categories: these get the codes of levels, known, new and negative.
"""

import json
import pathlib

import golden
import numpy as np
import onnxruntime

ROWS = 60


def rows(rng, features, categories):
    x = np.empty((ROWS, len(features)))
    for column, name in enumerate(features):
        if name in categories:
            x[:, column] = rng.integers(0, 14, ROWS)
            far = rng.random(ROWS) < 0.3
            x[far, column] = rng.choice([-1, 30, 31, 32, 40, 63, 64, 99, 100, 1000], far.sum())
        else:
            x[:, column] = np.round(rng.standard_normal(ROWS), 1)
            x[rng.random(ROWS) < 0.05, column] = 1e300
    x[rng.random(x.shape) < 0.15] = np.nan
    if "log_exposure" in features:
        # An offset, which is never missing.
        x[:, features.index("log_exposure")] = np.round(rng.standard_normal(ROWS), 2)
    return x


def main():
    rng = golden.generator()
    cases = []
    for path in sorted((pathlib.Path(__file__).resolve().parent.parent / "onnx").glob("*.onnx")):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        x = rows(rng, json.loads(metadata["features"]), json.loads(metadata["categories"]))
        (answers,) = session.run(["answers"], {"features": x})
        if answers.dtype != np.float64:
            raise ValueError(f"{path.name}: answers are {answers.dtype}")
        if len(cases) == 0:
            single = np.vstack([session.run(["answers"], {"features": row[None]})[0] for row in x])
            if np.abs(single - answers).max() > 1e-12:
                raise ValueError("one row at a time, the answers differ")
        cases.append(golden.case(path.stem, {"x": x}, {"answers": answers}))
    golden.write(__file__, f"onnxruntime {onnxruntime.__version__}", cases, 1e-12, 1e-12)


if __name__ == "__main__":
    main()
