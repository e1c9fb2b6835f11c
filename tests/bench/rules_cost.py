#!/usr/bin/env python3
"""rules_cost.py [--build DIR] [--n 1000] [--seconds 25]: what the default rules cost the daemon.

Two daemons watch the same processes in the same windows, one with every rule switched off: those of
forecast_cost.py, each a subject of its own. The ratio of their CPU time is what counts; a person reads it. Standard library only."""
import argparse
import json
import os
import statistics
import time

import forecast_cost

NAMES = ("MemoryLimitForecast", "MemoryExhausted", "OutOfMemoryKill", "RestartLoop", "SubjectMissing", "OomcastDegraded",
         "HeapCapAboveLimit", "NoMemoryLimit")


class Daemon(forecast_cost.Daemon):
    """As there, but the rules are what differs."""

    def __init__(self, exe, pids, rules):
        self.rules = rules
        super().__init__(exe, pids, "on")

    def start(self):
        config = os.path.join(self.dir, "oomcast.json")
        with open(config) as f:
            text = json.load(f)
        text["rules"] = self.rules
        with open(config, "w") as f:
            json.dump(text, f)
        super().start()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--build", default="build")
    a.add_argument("--n", type=int, default=1000)
    a.add_argument("--seconds", type=int, default=25)
    a.add_argument("--warm", type=int, default=20, help="seconds after the first walks")
    a = a.parse_args()
    exe = os.path.join(a.build, "daemon", "oomcastd")
    people = forecast_cost.Population(os.path.join(a.build, "tests", "programs", "leaker"), a.n, a.seconds + a.warm + 300, named=True)
    off = Daemon(exe, people.pids, [{"name": name, "enabled": False} for name in NAMES])
    on = Daemon(exe, people.pids, [])
    try:
        off.wait_walked(a.n)
        on.wait_walked(a.n)
        time.sleep(a.warm)
        spans = [forecast_cost.window((off, on), a.seconds / forecast_cost.WINDOWS) for _ in range(forecast_cost.WINDOWS)]
        ratios = sorted(b / c for c, b in spans)
        cpu = [statistics.median(x) for x in zip(*spans)]
        said = [d.status()["alerts"] for d in (off, on)]
        print("CPU a tick of %d: no rules %.0f us, default rules %.0f us: %.3fx, of %d windows %.3fx to %.3fx (goal <= 1.05x)"
              % (a.n, cpu[0], cpu[1], statistics.median(ratios), len(ratios), ratios[0], ratios[-1]))
        print("memory: no rules %.1f MiB, default rules %.1f MiB: +%.1f MiB" % (off.mib(), on.mib(), on.mib() - off.mib()))
        print("alerts: no rules %d firing, default rules %d firing, %d pending of %d subjects"
              % (said[0]["firing"], said[1]["firing"], said[1]["pending"], said[1]["watched_subjects"]))
    finally:
        on.end()
        off.end()
        people.end()


if __name__ == "__main__":
    main()
