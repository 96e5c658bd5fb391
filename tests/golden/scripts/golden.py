"""Shared by every script here: the file format and the way a file is written.

See ../README.md. Nothing in this folder runs in continuous integration.
"""

import os

# One thread, set before numpy is loaded: sums then always run in the same order.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import json
import math
import pathlib
import platform

import numpy as np

SEED = 0
LIMIT = 300_000


def generator():
    """The one source of random inputs. The inputs are stored in the file, so readers need no generator."""
    return np.random.default_rng(SEED)


def plain(value):
    """Turn numpy values into JSON values; NaN becomes null and infinities are refused."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise ValueError("an infinity has no place in a golden file")
        return value
    raise TypeError(f"cannot write {type(value)}")


def case(name, given, expected):
    return {"name": name, "input": plain(given), "expected": plain(expected)}


def write(script, source, cases, absolute, relative):
    """Write ../<topic>.json next to the folder of `script` (its `__file__`)."""
    path = pathlib.Path(script)
    names = [item["name"] for item in cases]
    if len(set(names)) != len(names):
        raise ValueError("two cases share a name")
    head = {
        "source": source,
        "python": platform.python_version(),
        "script": f"scripts/{path.name}",
        "seed": SEED,
        "tolerance": {"absolute": absolute, "relative": relative},
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    body = ",\n".join(
        json.dumps(item, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        for item in cases
    )
    text = "{\n" + "\n".join(lines) + '\n"cases": [\n' + body + "\n]\n}\n"
    json.loads(text)
    target = path.resolve().parent.parent / f"{path.stem}.json"
    size = len(text.encode("utf-8"))
    if size >= LIMIT:
        raise ValueError(f"{target.name} would be {size} bytes")
    target.write_text(text, encoding="utf-8", newline="\n")
    print(f"{target.name}: {len(cases)} cases, {size} bytes")
