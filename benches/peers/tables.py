"""Makes the tables that every program here reads, once, in the cache folder.

usage: tables.py <cache folder> [adult.csv]

Each table is a folder:
  header.json   {"rows", "train_rows", "layout", "columns": [{"name", "kind", "levels"?}]}; the rows after the first
                `train_rows` are the test rows; `kind` is number, flag or category; a category is stored as its
                position in `levels`; missing is NaN
  x.f32         where the layout is "row-major f32": row after row
  x.f64         where the layout is "column-major f64": column after column
  y.f32         the target, 0 or 1
All numbers are little-endian. Seeds are fixed: everyone gets the same bytes.
"""

import json
import os
import pathlib
import sys

import numpy as np

HIGGS_TRAIN, HIGGS_TEST = 1_000_000, 200_000
MIXED_TRAIN, MIXED_TEST = 300_000, 60_000
MIXED_LEVELS = [2, 8, 50, 1_000, 10_000]
ADULT_TRAIN = 32_561
ADULT_NUMBERS = ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
ADULT_CATEGORIES = [
    "workclass",
    "education",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native_country",
]


def higgs_like(rows, seed=20240601):
    """28 numbers like those of the HIGGS table: tails, angles, two-level tags, and some made from the others."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((rows, 28)).astype(np.float32)
    x[:, 5:10] = np.exp(0.6 * x[:, 5:10])
    x[:, 10:14] = (random.random((rows, 4)) < [0.5, 0.3, 0.2, 0.1]) * np.float32(2.17)
    x[:, 14:21] = random.uniform(-np.pi, np.pi, (rows, 7)).astype(np.float32)
    x[:, 21] = np.hypot(x[:, 0], x[:, 1])
    x[:, 22] = np.abs(x[:, 2] * x[:, 3])
    x[:, 23] = np.sqrt(x[:, 5] * x[:, 6])
    x[:, 24] = np.cos(x[:, 14] - x[:, 15]) + 0.3 * x[:, 24]
    x[:, 25] = x[:, 5] + x[:, 7] + x[:, 8]
    x[:, 26] = np.maximum(x[:, 4], x[:, 9])
    x[:, 27] = np.tanh(x[:, 0] * x[:, 1]) + 0.5 * x[:, 27]
    score = (
        1.1 * np.cos(x[:, 14] - x[:, 15])
        + 0.8 * np.tanh(x[:, 0] * x[:, 1])
        - 0.5 * (x[:, 21] - 1.25)
        + 0.9 * (x[:, 23] > 1.3)
        - 0.45 * x[:, 22]
        + 0.35 * (x[:, 10] > 0) * x[:, 4]
        + 0.3 * np.sin(2 * x[:, 16]) * x[:, 2]
        + 0.25 * np.log(x[:, 25])
        - 0.4
    )
    y = random.random(rows) < 1 / (1 + np.exp(-1.4 * score))
    return x, y


def mixed(rows, seed=77_000):
    """8 numbers, 2 whole numbers, a flag and 5 categories of 2 to 10,000 levels; some with missing values."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((rows, 8))
    numbers[:, 1] = np.exp(numbers[:, 1])
    numbers[:, 2] = np.round(numbers[:, 2] * 10)
    numbers[:, 3] += 0.5 * numbers[:, 0]
    whole = random.integers(0, 100, rows), random.poisson(3, rows)
    flag = random.random(rows) < 0.3
    codes = []
    for levels in MIXED_LEVELS:
        if levels > 8:
            codes.append(np.minimum((random.pareto(1.2, rows) * levels / 12).astype(np.int64), levels - 1))
        else:
            codes.append(random.integers(0, levels, rows))
    score = (
        numbers[:, 0]
        - 0.6 * numbers[:, 4] * (codes[1] % 2)
        + 0.4 * np.log1p(numbers[:, 1])
        + 0.02 * (whole[0] - 50)
        + 0.7 * flag
        + np.sin(codes[2])
        + 0.5 * np.sin(codes[3] * 7.0)
        - 0.3
    )
    y = random.random(rows) < 1 / (1 + np.exp(-score))

    columns = []
    for j, share in enumerate((0.0, 0.05, 0.0, 0.1, 0.2, 0.02, 0.0, 0.3)):
        missing = random.random(rows) < share
        columns.append(({"name": f"n{j}", "kind": "number"}, np.where(missing, np.nan, numbers[:, j])))
    columns.append(({"name": "i0", "kind": "number"}, whole[0].astype(float)))
    columns.append(({"name": "i1", "kind": "number"}, whole[1].astype(float)))
    columns.append(({"name": "b0", "kind": "flag"}, flag.astype(float)))
    for j, share in enumerate((0.0, 0.03, 0.0, 0.05, 0.01)):
        missing = random.random(rows) < share
        levels = [f"c{j}_{level}" for level in range(MIXED_LEVELS[j])]
        columns.append(({"name": f"c{j}", "kind": "category", "levels": levels}, np.where(missing, np.nan, codes[j])))
    return columns, y


def adult(path):
    """UCI's Adult table with the official split; `?` is missing."""
    import pandas as pd

    table = pd.read_csv(path, na_values="?", keep_default_na=False, skipinitialspace=True)
    columns = [({"name": name, "kind": "number"}, table[name].to_numpy(float)) for name in ADULT_NUMBERS]
    for name in ADULT_CATEGORIES:
        values = pd.Categorical(table[name])
        codes = values.codes.astype(float)
        codes[codes < 0] = np.nan
        columns.append(({"name": name, "kind": "category", "levels": list(values.categories)}, codes))
    return columns, table["income"].str.startswith(">50K").to_numpy()


def write(folder, train_rows, fields, layout, x, y):
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    header = {"rows": len(y), "train_rows": train_rows, "layout": layout, "columns": fields}
    (partial / "header.json").write_text(json.dumps(header))
    x.tofile(partial / ("x.f32" if layout == "row-major f32" else "x.f64"))
    y.astype("<f4").tofile(partial / "y.f32")
    os.replace(partial, folder)
    print(f"{folder}: {len(y)} rows, {len(fields)} columns", file=sys.stderr)


def write_columns(folder, train_rows, columns, y):
    x = np.stack([values for _, values in columns]).astype("<f8")
    write(folder, train_rows, [field for field, _ in columns], "column-major f64", x, y)


def main():
    cache = pathlib.Path(sys.argv[1])
    if not (cache / "higgs").exists():
        x, y = higgs_like(HIGGS_TRAIN + HIGGS_TEST)
        fields = [{"name": f"f{j}", "kind": "number"} for j in range(28)]
        write(cache / "higgs", HIGGS_TRAIN, fields, "row-major f32", x.astype("<f4"), y)
    if not (cache / "mixed").exists():
        write_columns(cache / "mixed", MIXED_TRAIN, *mixed(MIXED_TRAIN + MIXED_TEST))
    if len(sys.argv) > 2 and not (cache / "adult").exists():
        write_columns(cache / "adult", ADULT_TRAIN, *adult(sys.argv[2]))


if __name__ == "__main__":
    main()
