"""Times one Python peer in a process of its own.

usage: peer.py <gbdt|forest|shap> <cache folder> <table> <threads> <peer>
"""

import os
import sys

task, cache, table_name, threads, peer = sys.argv[1:]
threads = int(threads)
# Before numpy is loaded, for every library that asks the environment.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
    os.environ[variable] = str(threads)

import warnings
from importlib.metadata import version

warnings.filterwarnings("ignore")

import numpy as np

import measure
import peers

EXPLAINED_ROWS = 10_000
SINGLE_ROWS = 2_000


def main():
    table = peers.Table(cache, table_name)
    model_kind = peers.make(peer, table, threads)
    release = version(model_kind.package)
    if task == "shap" and model_kind.package == "scikit-learn":
        release = version("shap")
    common = dict(table=table_name, peer=peer, version=release, threads=threads)

    model_kind.fit(1_000, trees=2)  # so that no import or start of a thread pool is timed
    measure.reset_peak()
    start = measure.memory_mb("VmRSS")
    wall, cpu, reps, model = measure.timed(lambda: model_kind.fit(table.train_rows))
    peak = measure.memory_mb("VmHWM")

    if task != "shap":
        quality = measure.quality(table.y_test, model_kind.probability(model))
        memory = dict(peak_rss_mb=peak, start_rss_mb=start)
        measure.line(
            f"{task}_fit",
            rows=table.train_rows,
            seconds=wall,
            cpu_seconds=cpu,
            reps=reps,
            **quality,
            **memory,
            **common,
        )
        wall, cpu, reps, _ = measure.timed(lambda: model_kind.probability(model))
        measure.line(f"{task}_predict", rows=len(table.y_test), seconds=wall, cpu_seconds=cpu, reps=reps, **common)
    if task == "gbdt" and hasattr(model_kind, "one_row") and not table.categories:
        seconds = measure.one_by_one(model_kind.one_row(model), range(SINGLE_ROWS))
        measure.line("gbdt_row", rows=1, seconds=seconds, cpu_seconds=seconds, reps=5 * SINGLE_ROWS, **common)
    if task == "shap":
        rows = table.x_test[:EXPLAINED_ROWS]
        model_kind.contributions(model, rows[:10])
        wall, cpu, reps, values = measure.timed(lambda: model_kind.contributions(model, rows))
        error = float(np.abs(np.sum(values, axis=1, dtype=float) - model_kind.margin(model, rows)).max())
        measure.line("shap", rows=len(rows), seconds=wall, cpu_seconds=cpu, reps=reps, sum_error=error, **common)


if __name__ == "__main__":
    main()
