#!/usr/bin/env python3
"""forecast_bench.py [--oomcast EXE] [--sets NAMES] [--work DIR] [--ranges N]: scores `oomcast backtest --stream`.

Two sources of traces: the project's own (forecast/train/traces.py with a seed that nothing was fitted on; the
set "held" has families that nothing was fitted on), and a folder named by OOMCAST_FORECAST_BENCH that has a
score.py, a generate.py and recorded traces in real/. Scores are made by that score.py; without the folder
there is nothing to score with, and it says so. Prints one table of the measures beside their goals. Nothing
fails here: a person reads it. Standard library only."""
import argparse
import importlib.util
import os
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PUBLIC = (("f1", ">=", 0.975), ("false_per_month", "<=", 0.35), ("lead_share", ">=", 0.50), ("early", ">=", 0.93),
          ("eta_error_25", "<=", 0.14), ("eta_error_50", "<=", 0.08), ("eta_error_75", "<=", 0.09),
          ("coverage", "in", (0.77, 0.85)), ("interval_score", "<=", 2.2), ("overdue", "<=", 0.02))
GOALS = {
    "public": PUBLIC,
    "everyday": (("f1", ">=", 0.92), ("false_per_month", "<=", 0.6), ("early", ">=", 0.96),
                 ("interval_score", "<=", 1.8), ("overdue", "<=", 0.04)),
    "real": (("caught", ">=", 15), ("false_alarms", "<=", 2), ("lead_share", ">=", 0.33),
             ("coverage", "in", (0.75, 0.86)), ("interval_score", "<=", 3.3), ("overdue", "<=", 0.03)),
    "held": (("f1", ">=", 0.90), ("false_per_month", "<=", 1.2), ("lead_share", ">=", 0.50),
             ("interval_score", "<=", 2.9)),
}


def scorer():
    """The module score.py of the bench and its folder; (None, None) without."""
    folder = os.environ.get("OOMCAST_FORECAST_BENCH", "")
    path = os.path.join(folder, "score.py")
    if not folder or not os.path.exists(path):
        return None, None
    spec = importlib.util.spec_from_file_location("score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, folder


def traces_of(name, folder, work):
    """The folder with the traces of a set, made on first use."""
    if name == "real":
        return os.path.join(folder, "real")
    out = os.path.join(work, name)
    make = {
        "public": [os.path.join(folder, "generate.py"), out, "--per-family", "28"],
        "everyday": [os.path.join(folder, "generate.py"), out, "--set", "everyday"],
        "held": [os.path.join(ROOT, "forecast", "train", "traces.py"), out, "--set", "held", "--seed", "H",
                 "--per-family", "12"],
    }[name]
    if not os.path.exists(os.path.join(out, "manifest.json")):
        subprocess.run([sys.executable, *make], check=True, stdout=subprocess.DEVNULL)
    return out


def holds(value, relation, goal):
    if relation == "in":
        return goal[0] <= value <= goal[1]
    return value >= goal if relation == ">=" else value <= goal


def wanted(relation, goal):
    return f"{goal[0]:g} to {goal[1]:g}" if relation == "in" else f"{relation} {goal:g}"


def show(name, summary, spread):
    for measure, relation, goal in GOALS[name]:
        value = summary[measure]
        word = "ok" if holds(value, relation, goal) else "MISSED"
        chance = f"{spread[0][measure]:8.3f} to {spread[1][measure]:.3f}" if spread and measure in spread[0] else ""
        print(f"{name:9s} {measure:16s} {value:9.3f}   goal {wanted(relation, goal):12s} {word:7s}{chance}", flush=True)
    print(f"{name:9s} {'us a sample':16s} {summary['cpu_us']:9.3f}   with the start of the program", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oomcast", default=os.path.join(ROOT, "build", "cli", "oomcast"))
    ap.add_argument("--sets", default="public,everyday,real,held")
    ap.add_argument("--work", help="where traces are kept from one run to the next; else they are made anew")
    ap.add_argument("--ranges", type=int, default=0, metavar="N", help="90 %% ranges, from N draws of the traces")
    ap.add_argument("--options", default="", help="more words for backtest")
    a = ap.parse_args()
    score, folder = scorer()
    if not score:
        print("SKIP forecast_bench: OOMCAST_FORECAST_BENCH names no folder with a score.py")
        return
    command = f"{shlex.quote(os.path.abspath(a.oomcast))} backtest --stream --limit {{limit}} --every {{every}} {a.options}"
    with tempfile.TemporaryDirectory() as temporary:
        for name in a.sets.split(","):
            traces = score.prepare([traces_of(name, folder, a.work or temporary)])
            summary, results, _ = score.evaluate(command, traces)
            summary["caught"] = sum(r["label"] == "leak" and r["lead_share"] > 0 for r in results)
            show(name, summary, score.ranges(results, a.ranges) if a.ranges else None)


if __name__ == "__main__":
    main()
