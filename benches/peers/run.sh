#!/usr/bin/env bash
# Times stagewise and its peers side by side on the same data and prints a table of ratios. See README.md.
#
#   benches/peers/run.sh gbdt      fit, predict and one-row latency of gradient boosting
#   benches/peers/run.sh forest    random forests
#   benches/peers/run.sh shap      TreeSHAP
#   benches/peers/run.sh setup     only the virtual environment, the tables and the programs
#
# Settings, by environment:
#   STAGEWISE_PEERS  the cache: virtual environment, tables, builds, results   ($HOME/.cache/stagewise-peers)
#   ADULT            UCI's Adult table as CSV, to time it too                  (left out)
#   TABLES           for example "higgs-100000 mixed"                          (see compare.py)
#   PEERS            for example "stagewise lightgbm hessboost-leaves63"       (all)
#   THREADS          for example "1"                                           ("1 2")
#   ROUNDS           how often each program is run                             (3)
#
# What ours must do. `stagewise/` is a crate of its own; its program `peer-stagewise` is called as
#
#   peer-stagewise <gbdt|forest|shap> <cache folder> <table> <threads>
#
# with <table> a folder of the cache (`tables.py` says what is in it), or a folder, a dash and the number of training
# rows: `mixed`, `higgs-100000`. It warms up on 1,000 rows and 2 trees, measures as `measure.py` does (medians; one
# call at least, and more while there were fewer than five and less than 5 s), and prints one JSON object a line:
#
#   gbdt    task gbdt_fit      rows = training rows, seconds, auc, logloss, peak_rss_mb, start_rss_mb
#           task gbdt_predict  rows = test rows, seconds to give all of them probabilities
#           task gbdt_row      rows = 1, seconds of one probability, the median over the first 2,000 test rows
#   forest  task forest_fit, forest_predict: as above
#   shap    task shap          rows = 10,000 (the first test rows), seconds, sum_error: the largest gap between a row's
#                              contributions with the bias and its margin
#
# each with task, table, peer ("stagewise", or "stagewise-<setting>"), version, rows, threads, seconds, cpu_seconds,
# reps, load1. A fit runs from numbers in memory to a model, binning included. Other lines are passed to the screen.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${STAGEWISE_PEERS:-$HOME/.cache/stagewise-peers}"
python="$cache/venv/bin/python"

usage() { sed -n '2,/^# What ours/{/^# What ours/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

build() { # build <crate folder>: into the cache, so that the folder stays clean
    cargo build --release --quiet --manifest-path "$here/$1/Cargo.toml" --target-dir "$cache/target"
}

setup() {
    mkdir -p "$cache"
    if ! cmp -s "$here/requirements.txt" "$cache/venv/installed.txt"; then
        echo "virtual environment in $cache/venv" >&2
        python3 -m venv "$cache/venv"
        "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$cache/venv/installed.txt"
    fi
    "$python" -B "$here/tables.py" "$cache" ${ADULT:+"$ADULT"}
    build hessboost
    if [ -f "$here/stagewise/Cargo.toml" ]; then build stagewise; fi
}

case "${1:-}" in
    setup) setup ;;
    gbdt | forest | shap)
        setup
        exec "$python" -B "$here/compare.py" "$1" "$cache"
        ;;
    "" | -h | --help | help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
