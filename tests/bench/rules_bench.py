#!/usr/bin/env python3
"""rules_bench.py [--oomcast EXE] [--sets NAMES] [--work DIR] [--rules CONFIG]: scores what the rules of a config
(the defaults without one) would have told, by severity, on the traces of forecast_bench.py.

A severity is told while one of its alerts fires that no silence, window or planned end keeps back; a warning that is kept quiet
by its critical one counts as told. "early" is of leaks that live at least 8 hours: told 4 hours before the end, and not taken
back. Needs a folder named by OOMCAST_FORECAST_BENCH, as forecast_bench.py does. Prints a table and the goals; nothing fails here. Standard
library only."""
import argparse
import json
import os
import shlex
import tempfile
from concurrent.futures import ThreadPoolExecutor

import forecast_bench

GOALS = (("critical", "false_per_month", "<=", 0.05), ("warning", "false_per_month", "<=", 0.4),
         ("warning", "early", ">=", 0.9))
FORECASTS = 1000000000  # samples between two of them: they are not looked at


def of_severity(lines, severity):
    """The changes of any of its alerts, as one."""
    standing, out = set(), []
    for line in lines:
        said = json.loads(line)
        if said.get("severity") != severity:
            continue
        was = bool(standing)
        (standing.add if said["alert"] else standing.discard)(said["rule"])
        if was != bool(standing):
            out.append(json.dumps({"t": said["t"], "alert": bool(standing)}))
    return out


def hours(score, results):
    """Median and 10th percentile of the lead over leaks that were told."""
    leads = [r["lead"] / 3600 for r in results if r["label"] == "leak" and r["lead_share"] > 0]
    return score.quantile(leads, 0.5), score.quantile(leads, 0.1)


def evaluate(score, command, traces):
    """Of each severity the summary and the results by trace."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = list(pool.map(lambda t: score.run(command, t, FORECASTS)[0], traces))
    by_severity = {}
    for severity in ("warning", "critical"):
        results = [score.judge(t, of_severity(lines, severity)) for t, lines in zip(traces, outputs)]
        summary = score.summarise(results)
        summary["lead_h"], summary["lead10_h"] = hours(score, results)
        summary["early_of"] = sum("early" in r for r in results)
        by_severity[severity] = (summary, results)
    return by_severity


def show(name, by_severity):
    for severity, (s, _) in by_severity.items():
        print(f"{name:9s} {severity:9s} F1 {s['f1']:.3f}  recall {s['recall']:.3f}  false/month {s['false_per_month']:.3f} "
              f"({s['false_alarms']} in {s['target_months']:.1f})  lead {s['lead_h']:.1f} h (10 %: {s['lead10_h']:.1f} h)  "
              f"early {s['early']:.3f} of {s['early_of']}  raises {s['raises_per_leak']:.2f}", flush=True)
    for severity, measure, relation, goal in GOALS:
        value = by_severity[severity][0][measure]
        word = "ok" if forecast_bench.holds(value, relation, goal) else "MISSED"
        print(f"{name:9s} {severity:9s} {measure:16s} {value:7.3f}   goal {relation} {goal:g}   {word}", flush=True)


def list_misses(by_severity):
    for severity, (_, results) in by_severity.items():
        for r in results:
            if r["false"]:
                print(f"  {severity}: {r['false']} false on {r['id']}")
            if r.get("early") is False:
                print(f"  {severity}: not early on {r['id']}, lead {r['lead'] / 3600:.1f} h of {r['life'] / 3600:.1f}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oomcast", default=os.path.join(forecast_bench.ROOT, "build", "cli", "oomcast"))
    ap.add_argument("--sets", default="public,everyday,real,held", help="names, or folders with a manifest.json")
    ap.add_argument("--work", help="where traces are kept from one run to the next; else they are made anew")
    ap.add_argument("--rules", default="default", help="a config")
    ap.add_argument("--misses", action="store_true", help="list false alarms and what was told late")
    a = ap.parse_args()
    score, folder = forecast_bench.scorer()
    if not score:
        print("SKIP rules_bench: OOMCAST_FORECAST_BENCH names no folder with a score.py")
        return
    command = (f"{shlex.quote(os.path.abspath(a.oomcast))} backtest --stream --limit {{limit}} --every {{every}} "
               f"--rules {shlex.quote(a.rules)}")
    with tempfile.TemporaryDirectory() as temporary:
        for name in a.sets.split(","):
            place = name if os.path.isdir(name) else forecast_bench.traces_of(name, folder, a.work or temporary)
            by_severity = evaluate(score, command, score.prepare([place]))
            show(os.path.basename(name), by_severity)
            if a.misses:
                list_misses(by_severity)


if __name__ == "__main__":
    main()
