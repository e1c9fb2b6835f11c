#!/usr/bin/env python3
"""forecast_cost.py [--build DIR] [--n 1000] [--seconds 25]: what forecasting costs the daemon.

Two daemons watch the same processes in the same windows, one with "forecast": "off": 5 % of them
grow, a quarter works without growing, the rest sleeps; each has four limits of its own. The ratio of
their CPU time and the difference of their memory are what counts; a person reads them. Standard
library only."""
import argparse
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

GROWING = 0.05
WORKING = 0.25
WINDOWS = 5
FIGURES = re.compile(r"^(RssAnon|VmHWM):\s+(\d+)", re.M)


def limited():
    resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20))  # besides mappings, descriptors and the stack


class Population:
    def __init__(self, leaker, n, seconds, named=False):
        plans = []
        for i in range(n):
            if i < n * GROWING:
                plans.append(["line", "--rate", "128K", "--max", "1G"])
            elif i < n * (GROWING + WORKING):
                plans.append(["sawtooth", "--rate", "64K", "--max", "256K", "--period", "1000"])
            else:
                plans.append(["idle"])
        if named:  # each a subject of its own
            plans = [plan + ["--name", "p%d" % i] for i, plan in enumerate(plans)]
        self.all = [subprocess.Popen([leaker] + plan + ["--base", "256K", "--for", str(seconds)],
                                     stdout=subprocess.DEVNULL, preexec_fn=limited) for plan in plans]
        self.pids = [p.pid for p in self.all]

    def end(self):
        for p in self.all:
            p.kill()
        for p in self.all:
            p.wait()


class Daemon:
    def __init__(self, exe, pids, forecast):
        self.dir = tempfile.mkdtemp(prefix="oomcast-cost-")
        pidfile, config = os.path.join(self.dir, "pids"), os.path.join(self.dir, "oomcast.json")
        with open(pidfile, "w") as f:
            f.write("".join("%d\n" % p for p in pids))
        with open(config, "w") as f:
            json.dump({"interval": "1s", "forecast": forecast, "walk_budget": "100%", "walk_target_budget": "100%",
                       "walk_interval": "7d"}, f)
        self.words = [exe, "--config", config, "--pids-from", pidfile, "--data", self.dir]
        self.ask = os.path.join(self.dir, "oomcastd.sock")
        self.start()

    def start(self):
        self.p = subprocess.Popen(self.words, stdout=subprocess.DEVNULL,
                                  stderr=open(os.path.join(self.dir, "log"), "wb"))

    def cpu_us(self):
        return time.clock_gettime(((~self.p.pid) << 3) | 2) * 1e6

    def mib(self):
        with open("/proc/%d/status" % self.p.pid) as f:
            return int(dict(FIGURES.findall(f.read()))["RssAnon"]) / 1024

    def status(self):
        import socket
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.ask)
            s.sendall(b'{"cmd":"status"}\n')
            text = b""
            while not text.endswith(b"\n"):
                text += s.recv(65536)
        return json.loads(text)

    def wait_walked(self, n):
        for _ in range(600):
            time.sleep(0.1)
            try:
                if self.status()["walks"]["made"] >= n:
                    return
            except (OSError, ValueError):
                pass
        sys.exit("forecast_cost: the first walks did not come to an end")

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        self.p.wait()

    def ready_s(self, n):
        """Until all that was saved is taken up again, and what the store has besides is fed."""
        began = time.monotonic()
        self.start()
        while time.monotonic() < began + 60:
            try:
                s = self.status()
                if s["targets"]["processes"] >= n and s["forecast"]["unreplayed"] == 0:
                    return time.monotonic() - began
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        sys.exit("forecast_cost: the series were not ready again")

    def end(self):
        self.stop()
        subprocess.run(["rm", "-rf", self.dir], check=False)


def window(daemons, seconds):
    """CPU time of each for one of its ticks, in the same seconds."""
    before = [(d.cpu_us(), d.status()["ticks"]["made"]) for d in daemons]
    time.sleep(seconds)
    after = [(d.cpu_us(), d.status()["ticks"]["made"]) for d in daemons]
    return [(b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(before, after)]


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--build", default="build")
    a.add_argument("--n", type=int, default=1000)
    a.add_argument("--seconds", type=int, default=25)
    a.add_argument("--warm", type=int, default=40, help="seconds after the first walks")
    a = a.parse_args()
    exe = os.path.join(a.build, "daemon", "oomcastd")
    people = Population(os.path.join(a.build, "tests", "programs", "leaker"), a.n, a.seconds + a.warm + 300)
    off, on = Daemon(exe, people.pids, "off"), Daemon(exe, people.pids, "on")
    try:
        off.wait_walked(a.n)
        on.wait_walked(a.n)
        time.sleep(a.warm)
        spans = [window((off, on), a.seconds / WINDOWS) for _ in range(WINDOWS)]
        ratios = sorted(b / c for c, b in spans)
        cpu = [statistics.median(x) for x in zip(*spans)]
        said = on.status()["forecast"]
        print("CPU a tick of %d: off %.0f us, on %.0f us: %.3fx, of %d windows %.3fx to %.3fx (goal <= 1.10x)"
              % (a.n, cpu[0], cpu[1], statistics.median(ratios), WINDOWS, ratios[0], ratios[-1]))
        print("memory: off %.1f MiB, on %.1f MiB: +%.1f MiB (goal <= 8)" % (off.mib(), on.mib(), on.mib() - off.mib()))
        print("series %d, large %d, %.1f MiB of them" % (said["series"], said["large"], said["bytes"] / 2**20))
        on.stop()
        print("stopped and started: %d series ready after %.1f s, %d samples fed again (goal <= 3 s for 1,000 processes)"
              % (said["series"], on.ready_s(a.n), on.status()["forecast"]["replayed"]))
        on.p.kill()
        on.p.wait()
        print("killed and started: ready after %.1f s, %d samples fed again" % (on.ready_s(a.n), on.status()["forecast"]["replayed"]))
    finally:
        on.end()
        off.end()
        people.end()


if __name__ == "__main__":
    main()
