"""Runs ours and every peer in turn, several rounds, one process each, and prints Markdown tables of ratios.

usage: compare.py <gbdt|forest|shap> <cache folder>; TABLES, PEERS, THREADS and ROUNDS as `run.sh` says. Every line
measured is also kept in <cache folder>/results/<task>-<date>.jsonl; `compare.py <file>.jsonl` prints its tables again.
"""

import collections
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

BOOSTERS = [
    "stagewise",
    "lightgbm",
    "lightgbm-row",
    "lightgbm-col",
    "lightgbm-quantized",
    "lightgbm-quantized-row",
    "lightgbm-quantized-col",
    "xgboost-depth8",
    "xgboost-leaves63",
    "histgb",
    "catboost",
    "hessboost-leaves63",
    "hessboost-depth8",
]
PEERS = {
    "gbdt": BOOSTERS,
    "forest": ["stagewise", "sklearn", "lightgbm-rf", "hessboost-depth12"],
    "shap": ["stagewise", "shap", "lightgbm", "xgboost-leaves63", "hessboost-leaves63"],
}
TABLES = {
    "gbdt": ["higgs-100000", "higgs-1000000", "mixed", "adult"],
    "forest": ["higgs-100000"],
    "shap": ["higgs-100000"],
}
TITLES = {
    "gbdt_fit": "Gradient boosting: fit",
    "gbdt_predict": "Gradient boosting: predict",
    "gbdt_row": "Gradient boosting: one row",
    "forest_fit": "Random forest: fit",
    "forest_predict": "Random forest: predict",
    "shap": "TreeSHAP",
}


def chosen(variable, default):
    return os.environ.get(variable, "").split() or default


def command(task, cache, table, threads, peer):
    """How to run a peer, or None where its program is not there."""
    if peer.startswith(("stagewise", "hessboost")):
        name, _, setting = peer.partition("-")
        program = cache / "target" / "release" / f"peer-{name}"
        return [program, task, cache, table, threads, *([setting] if setting else [])] if program.exists() else None
    return [sys.executable, "-B", HERE / "peer.py", task, cache, table, threads, peer]


def run(task, cache, table, threads, peer, keep):
    words = command(task, cache, table, threads, peer)
    if words is None:
        return
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"{peer} on {table} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    for text in done.stdout.splitlines():
        print(text, flush=True)
        try:
            keep(json.loads(text))
        except ValueError:
            pass


def measure(task, cache):
    tables = []
    for table in chosen("TABLES", TABLES[task]):
        if (cache / table.partition("-")[0]).exists():
            tables.append(table)
        else:
            print(
                f"no table {table}" + (": ADULT=path/to/adult.csv adds it" if table == "adult" else ""), file=sys.stderr
            )
    results = cache / "results"
    results.mkdir(exist_ok=True)
    file = results / f"{task}-{datetime.datetime.now():%Y%m%d-%H%M%S}.jsonl"
    lines = []

    def keep(line):
        lines.append(line)
        with open(file, "a") as out:
            out.write(json.dumps(line) + "\n")

    for table in tables:
        for threads in chosen("THREADS", ["1", "2"]):
            for _ in range(int(os.environ.get("ROUNDS", "3"))):
                for peer in chosen("PEERS", PEERS[task]):
                    run(task, cache, table, threads, peer, keep)
    return lines


def summary(lines):
    """Groups by what was measured, then by peer; medians of the times, the largest memory, the last quality."""
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in lines:
        groups[line["task"], line["table"], line["rows"], line["threads"]][line["peer"]].append(line)
    for what, peers in sorted(groups.items()):
        rows = []
        for peer, runs in peers.items():
            row = dict(runs[-1])
            for key in ("seconds", "cpu_seconds"):
                row[key] = statistics.median(run[key] for run in runs)
            row["load1"] = max(run["load1"] for run in runs)
            row["runs"] = len(runs)
            if "peak_rss_mb" in row:
                row["growth_mb"] = max(run["peak_rss_mb"] - run["start_rss_mb"] for run in runs)
            rows.append(row)
        yield what, rows


def time_text(seconds):
    if seconds < 1e-3:
        return f"{seconds * 1e6:.2f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def quality_text(row):
    if "auc" in row:
        return f"AUC {row['auc']:.4f}, log loss {row['logloss']:.4f}"
    if "rmse" in row:
        return f"RMSE {row['rmse']:.5g}"
    return f"sums to {row['sum_error']:.0e}" if "sum_error" in row else ""


def print_tables(lines):
    for (task, table, count, threads), rows in summary(lines):
        ours = min((r for r in rows if r["peer"].startswith("stagewise")), key=lambda r: r["seconds"], default=None)
        best = min((r for r in rows if r["peer"].startswith("lightgbm")), key=lambda r: r["seconds"], default=None)
        plural = "threads" if threads > 1 else "thread"
        print(f"\n### {TITLES.get(task, task)}, {table}, {count:,} row{'s' if count > 1 else ''}, {threads} {plural}\n")
        print("| peer | version | wall | CPU | wall / ours | CPU / ours | quality | memory growth | load |")
        print("|---|---|---|---|---|---|---|---|---|")
        for row in sorted(rows, key=lambda r: (r is not ours, r["seconds"])):
            ratios = [f"{row[k] / ours[k]:.2f}" if ours and ours[k] > 0 else "" for k in ("seconds", "cpu_seconds")]
            name = row["peer"] + (" (fastest LightGBM)" if row is best and task == "gbdt_fit" else "")
            growth = f"{row['growth_mb']:.0f} MB" if "growth_mb" in row else ""
            cells = [name, row["version"], time_text(row["seconds"]), time_text(row["cpu_seconds"]), *ratios]
            print("| " + " | ".join([*cells, quality_text(row), growth, f"{row['load1']:.1f}"]) + " |")
    busy = sum(line["load1"] > line["threads"] + 1 for line in lines)
    if busy:
        print(f"\nThe machine was busy during {busy} of {len(lines)} measurements: see the load, and trust no ratio.")


def main():
    if sys.argv[1].endswith(".jsonl"):
        with open(sys.argv[1]) as file:
            print_tables([json.loads(text) for text in file])
    else:
        print_tables(measure(sys.argv[1], pathlib.Path(sys.argv[2])))


if __name__ == "__main__":
    main()
