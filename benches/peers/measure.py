"""Wall and processor seconds, memory and quality of one process; one JSON line per measurement."""

import gc
import json
import os
import statistics
import time


def timed(call, budget=5.0):
    """Calls once at least, and again while there were fewer than five calls and less than `budget` seconds.

    Returns the medians of wall and processor seconds, the number of calls, and what the last call returned.
    """
    walls, cpus, out = [], [], None
    while not walls or (len(walls) < 5 and sum(walls) < budget):
        out = None
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        out = call()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return statistics.median(walls), statistics.median(cpus), len(walls), out


def one_by_one(call, rows):
    """The median seconds of one `call(row)` over `rows`, five times around."""
    rounds = []
    for _ in range(6):
        start = time.perf_counter()
        for row in rows:
            call(row)
        rounds.append((time.perf_counter() - start) / len(rows))
    return statistics.median(rounds[1:])


def reset_peak():
    """Lets the peak of `memory_mb` start again from what is in use now."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def memory_mb(field):
    """Memory in use (`VmRSS`) or its peak (`VmHWM`)."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(field))
    return round(int(line.split()[1]) / 1024)


def quality(truth, probability):
    from sklearn.metrics import log_loss, roc_auc_score

    return {"auc": round(roc_auc_score(truth, probability), 6), "logloss": round(log_loss(truth, probability), 6)}


def line(task, table, peer, version, rows, threads, seconds, cpu_seconds, reps, **more):
    head = {
        "task": task,
        "table": table,
        "peer": peer,
        "version": version,
        "rows": rows,
        "threads": threads,
        "seconds": float(f"{seconds:.6g}"),
        "cpu_seconds": float(f"{cpu_seconds:.6g}"),
        "reps": reps,
        "load1": round(os.getloadavg()[0], 2),
    }
    print(json.dumps({**head, **more}), flush=True)
