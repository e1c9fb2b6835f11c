#!/usr/bin/env python3
"""features.py TRACES OUT --program FORECAST-FEATURES [--short SHARE]: what the forecaster sees of traces.

Feeds a folder made by traces.py to forecast-features, in as many processes as there are processors. With
--short only so large a share of the traces is taken, each by every 2nd to 12th of its samples: lives of some
dozens of samples, which no family has. Which traces and which step follows from their names alone."""
import argparse
import json
import math
import os
import random
import subprocess

LEAST_STEP, MOST_STEP = 2, 12


def lines_of(traces, short):
    with open(os.path.join(traces, "manifest.json")) as f:
        known = json.load(f)["traces"]
    for t in known:
        r = random.Random(f"short/{t['id']}")
        words = [t["id"], os.path.join(traces, t["file"]), str(t["limit"])]
        if not short:
            yield " ".join(words) + "\n"
        elif r.random() < short:
            step = int(math.exp(math.log(LEAST_STEP) + r.random() * math.log((MOST_STEP + 1) / LEAST_STEP)))
            yield " ".join([*words, "1", str(step)]) + "\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("traces")
    ap.add_argument("out")
    ap.add_argument("--program", required=True)
    ap.add_argument("--short", type=float, default=0.0)
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    lines, jobs = list(lines_of(a.traces, a.short)), os.cpu_count() or 1
    running = [subprocess.Popen([a.program, a.out], stdin=subprocess.PIPE, text=True) for _ in range(jobs)]
    for k, line in enumerate(lines):
        running[k % jobs].stdin.write(line)
    for p in running:
        p.stdin.close()
    if any([p.wait() for p in running]):
        raise SystemExit("forecast-features failed")
    print(f"{len(lines)} traces in {a.out}")


if __name__ == "__main__":
    main()
