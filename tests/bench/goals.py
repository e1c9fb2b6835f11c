#!/usr/bin/env python3
"""goals.py [--build DIR] [--only P1,P3] [--peers LIST]: measures oomcastd against its goals for speed.

Ratios side by side in one run, never absolute times: the floor and the peers run in the same
windows as the daemon. Needs the side-by-side harness (a folder with bench.py, its population
and its floor): named by OOMCAST_BENCH_PEERS, or found beside the checkout. Goals that do not need
it are measured anyway. Nothing fails here: a person reads the table. Standard library only."""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROWS = []


def harness():
    for path in (os.environ.get("OOMCAST_BENCH_PEERS"), os.path.join(ROOT, "..", "shared", "bench-peers")):
        if path and os.path.exists(os.path.join(path, "bench.py")):
            copy = tempfile.mkdtemp(prefix="oomcast-bench-")      # it builds inside itself; the folder may be read-only
            shutil.copytree(path, os.path.join(copy, "bench"))
            return os.path.join(copy, "bench")
    return None


def row(goal, what, measured, wanted):
    ROWS.append((goal, what, measured, wanted))
    print("%-4s %-58s %14s   goal %s" % (goal, what, measured, wanted), flush=True)


def cpu_us(pid):
    return time.clock_gettime(((~pid) << 3) | 2) * 1e6


def rss_mb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


class Daemon:
    """An oomcastd over exactly these pids, its data in a folder that goes with it."""

    def __init__(self, exe, pids, interval_ms, *more):
        self.dir = tempfile.mkdtemp(prefix="oomcast-goal-")
        pidfile = os.path.join(self.dir, "pids")
        with open(pidfile, "w") as f:
            f.write("".join("%d\n" % p for p in pids))
        data = os.path.join(self.dir, "data")
        os.mkdir(data)
        self.p = subprocess.Popen([exe, "--foreground", "--pids-from", pidfile, "--interval", "%dms" % interval_ms,
                                   "--data", data] + list(more), stdout=subprocess.DEVNULL,
                                  stderr=open(os.path.join(self.dir, "log"), "wb"))
        self.pid = self.p.pid

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Population:
    """N processes of the harness's kind: 25 % active, the rest asleep."""

    def __init__(self, bench, n, active=25, maps=0):
        self.file = tempfile.mktemp(prefix="oomcast-pids-")
        build = os.path.join(bench, "build")
        subprocess.run(["make", "-s", "-C", bench], check=True)
        self.p = subprocess.Popen([os.path.join(build, "population"), os.path.join(build, "target"), str(n), str(active),
                                   str(min(4, n)), self.file, str(maps), "0"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env=dict(os.environ, BENCH_TARGET_MAX_S="1800"))
        self.p.stdout.readline()
        with open(self.file) as f:
            self.pids = [int(x) for x in f.read().split()]

    def end(self):
        self.p.stdin.close()
        self.p.wait()
        os.unlink(self.file)


def side_by_side(bench, exe, level, n, more="", peers="none", seconds=10, syscalls=False, big=4, active=25):
    out = tempfile.mktemp(suffix=".json")
    cmd = [sys.executable, os.path.join(bench, "bench.py"), "--n", str(n), "--seconds", str(seconds), "--peers", peers,
           "--daemon", "%s --foreground --pids-from {pids} --interval {interval_ms}ms --data {dir} %s" % (exe, more),
           "--daemon-level", level, "--json", out, "--active", str(active)] + (["--syscalls"] if syscalls else [])
    done = subprocess.run(cmd, capture_output=True, text=True)
    try:
        with open(out) as f:
            rows = json.load(f)
        os.unlink(out)
    except (OSError, ValueError):
        print(done.stdout[-2000:], done.stderr[-2000:])
        raise SystemExit("goals: the harness gave nothing")
    for r in rows:
        if "error" in r:
            print("goals: %s: %s" % (r["peer"], r["error"]))
    return rows


def p1(bench, exe, a):
    for level, goal in (("least", 1.4), ("basic", 1.2), ("pss", 1.08), ("regions", 1.08)):
        for r in side_by_side(bench, exe, level, 1000, "--rung " + level, a.peers if level == "basic" else "none"):
            if r.get("ratio"):
                mine = r["peer"].startswith("daemon")
                row("P1", "%s, N=1000, 1 s: %s (%.2f us, floor %.2f)" % (level if mine else r["level"], r["peer"], r["us"], r["floor_us"]),
                    "%.2fx" % r["ratio"], "<= %.2fx" % goal if mine else "(peer)")


def p2(bench, exe, a):
    r = side_by_side(bench, exe, "gated", 1000, syscalls=True)[0]
    row("P2", "default mode against the gated floor", "%.2fx" % r["ratio"], "<= 1.3x")
    row("P3", "system calls per process-sample, default mode", "%.2f" % (r.get("syscalls") or -1), "<= 2.2")
    q = side_by_side(bench, exe, "regions", 1000)[0]
    row("P2", "default mode against the regions floor", "%.2fx" % q["ratio"], "<= 0.5x")
    i = side_by_side(bench, exe, "gated", 1000, syscalls=True, active=0)[0]
    row("P3", "system calls per process-sample, idle", "%.2f" % (i.get("syscalls") or -1), "<= 1.05")


def p4(bench, exe, a):
    d = Daemon(exe, [], 1000)
    time.sleep(10)
    row("P4", "RSS with no target", "%.1f MB" % rss_mb(d.pid), "<= 6 MB")
    d.end()
    for n, goal in ((1000, 12), (3000, 20)):
        pop = Population(bench, n)
        d = Daemon(exe, pop.pids, 1000)
        marks = []
        for _ in range(4):
            time.sleep(a.soak / 4)
            marks.append(rss_mb(d.pid))
        fds = len(os.listdir("/proc/%d/fd" % d.pid))
        row("P4", "RSS with %d targets after %d s (%s)" % (n, a.soak, " ".join("%.1f" % m for m in marks)),
            "%.1f MB" % marks[-1], "<= %d MB" % goal)
        row("P5", "descriptors with %d targets" % n, str(fds), "statm only beyond 1000")
        d.end()
        pop.end()


def p9(bench, exe, a):
    us = {}
    for n in (500, 3000):
        us[n] = side_by_side(bench, exe, "gated", n)[0]["us"]
    row("P9", "us per process-sample at 3000 (%.2f) over that at 500 (%.2f)" % (us[3000], us[500]),
        "%.2fx" % (us[3000] / us[500]), "<= 1.15x")


def p10(bench, exe, a):
    target = os.path.join(bench, "build", "target")
    subprocess.run(["make", "-s", "-C", bench], check=True)
    procs, daemons, took = [], [], []
    for k in ("60000", "30"):
        p = subprocess.Popen([target, "maps", k], stdout=subprocess.PIPE, env=dict(os.environ, BENCH_TARGET_MAX_S="300"))
        p.stdout.readline()
        procs.append(p)
        daemons.append(Daemon(exe, [p.pid], 100))
    time.sleep(5)
    for _ in range(3):
        before = [cpu_us(d.pid) for d in daemons]
        time.sleep(15)
        took.append([cpu_us(d.pid) - b for d, b in zip(daemons, before)])
    row("P10", "idle target with 60,000 mappings over one with 30, 100 ms", "%.2fx" % statistics.median(x / y for x, y in took), "<= 1.1x")
    for d in daemons:
        d.end()
    for p in procs:
        p.kill()
        p.wait()


def p11(bench, exe, a):
    pause = os.path.join(a.build, "tests", "bench", "pause")
    ratios = []
    for _ in range(5):
        worst = []
        for watched in (False, True):
            p = subprocess.Popen([pause, "12"], stdout=subprocess.PIPE, text=True)
            pid = int(p.stdout.readline().split()[1])
            d = Daemon(exe, [pid], 10000) if watched else None
            worst.append(float(p.stdout.readline().split()[1]))
            p.wait()
            if d:
                d.end()
        ratios.append(worst[1] / worst[0])
    row("P11", "the watched's worst pause, watched over unwatched (%s)" % " ".join("%.2f" % r for r in ratios),
        "%.2fx" % statistics.median(ratios), "<= 2x")


def wakeups(pid):
    """of the loop's thread: each time it slept and was woken"""
    with open("/proc/%d/task/%d/status" % (pid, pid)) as f:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M).group(1))


def p12(bench, exe, a):
    pop = Population(bench, 1000)
    for more, what in (((), "connector events of other processes included"), (("--no-connector",), "without the connector")):
        d = Daemon(exe, pop.pids, 1000, *more)
        time.sleep(20)
        before = wakeups(d.pid)
        time.sleep(20)
        row("P12", "wake-ups per tick of the loop, 1000 targets at 1 s, %s" % what, "%.2f" % ((wakeups(d.pid) - before) / 20),
            "1 an interval class and tick")
        if shutil.which("perf") and more:
            done = subprocess.run(["perf", "stat", "-x", ",", "-e", "syscalls:sys_enter_getdents64", "-p", str(d.pid), "sleep", "15"],
                                  capture_output=True, text=True)
            found = re.search(r"^(\d+),,syscalls", done.stderr, re.M)
            row("P12", "reads of /proc's directory in 15 s", found.group(1) if found else "-", "none on the tick")
        d.end()
    pop.end()


def p13(bench, exe, a):
    """walks of a process with 60,000 mappings, over reading the file alone; then 12,000 modules of one shape"""
    for counts in (("60000", "0"), ("100", "12000")):
        done = subprocess.run([os.path.join(os.path.abspath(a.build), "tests", "bench", "bench_walk")] + list(counts),
                              capture_output=True, text=True)
        for what, us, ratio in re.findall(r"^(\S.*?)\s+[\d.]+ ms\s+([\d.]+) us/mapping\s+([\d.]+)x", done.stdout, re.M):
            row("P13", "walk, %s mappings, %s modules: %s (%s us a mapping)" % (counts + (what, us)), ratio + "x", "<= 1.5x")


def p14(bench, exe, a):
    folder = tempfile.mkdtemp(prefix="oomcast-goal-")
    out = subprocess.run([os.path.join(a.build, "tests", "bench", "bench_forecast"), folder], capture_output=True, text=True).stdout
    shutil.rmtree(folder, ignore_errors=True)
    found = re.search(r"^all\s+(\d+) ns .*dearest (\d+) ns", out, re.M)
    if found:
        row("P14", "the forecaster, ns a sample over all ways to live", found.group(1), "<= 1000")
        row("P14", "the forecaster, ns a sample on the dearest", found.group(2), "<= 5000")
    found = re.search(r"^backtest: ([\d.]+) million", out, re.M)
    if found:
        row("P15", "backtest, million stored samples a second beside reading", found.group(1), ">= 3")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="a release build with the tests")
    ap.add_argument("--only", default="", help="goals to measure, comma-separated")
    ap.add_argument("--peers", default="none", help="peers to run beside P1 (names as the harness has them)")
    ap.add_argument("--soak", type=int, default=120, help="seconds before the memory is read")
    a = ap.parse_args()
    exe = os.path.join(os.path.abspath(a.build), "oomcastd")
    if not os.path.exists(exe):
        exe = os.path.join(os.path.abspath(a.build), "daemon", "oomcastd")
    bench = harness()
    steps = {"P1": p1, "P2": p2, "P3": p2, "P4": p4, "P5": p4, "P9": p9, "P10": p10, "P11": p11, "P12": p12, "P13": p13, "P14": p14, "P15": p14}
    wanted = [x for x in a.only.split(",") if x] or ["P1", "P2", "P4", "P9", "P10", "P11", "P12", "P13", "P14"]
    for name in wanted:
        if not bench and name not in ("P11", "P13", "P14", "P15"):
            row(name, "left out: no side-by-side harness (set OOMCAST_BENCH_PEERS)", "-", "-")
            continue
        steps[name](bench, exe, a)
    if bench:
        shutil.rmtree(os.path.dirname(bench), ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
