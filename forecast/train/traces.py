#!/usr/bin/env python3
"""Makes traces of memory with known ends: to fit the tables of the forecaster, and to judge it.

    traces.py OUT                                     all sets but "held", 7 traces a family, seed A
    traces.py OUT --set public --seed T --per-family 60
    traces.py OUT --only linear_leak flat

Sets: public (29 plain families), everyday (12: near limits, counts, deploys), other (35 more kinds of
ordinary behaviour), held (14 that nothing is ever fitted to), all (the first three).

OUT gets a manifest.json and a CSV file per trace, with a header line:

    t        seconds; intervals are irregular, samples are missing, now and then the clock steps back
    value    bytes, or a count where the metric is fds, threads or mappings
    inc      goes up by one when the process was restarted
    limit    optional: the limit in force; without it that of the manifest holds all along
    others   companions: private, modules, threads, fds, mappings

The manifest: {"format": 1, "name": ..., "traces": [{"id", "file", "family", "label", "limit", "interval",
"metric", "oom_time", "leak_start", "ok_until", "ok_from", "events", "source"}]}. The label is "ok", "leak"
or "saved" (leaks, but a restart always comes in time); a leak begins at leak_start and reaches its limit at
oom_time, just after the last sample; what is said before ok_until is judged as on a healthy process;
a healthy trace with ok_from could not be told from a leak before it.

Equal arguments give equal bytes. Python 3.9 or later, nothing else."""
import argparse
import bisect
import json
import math
import multiprocessing
import os

import everyday  # noqa: F401 - each of these adds its families to parts.FAMILIES
import healthy  # noqa: F401
import leaks  # noqa: F401
import public  # noqa: F401
from parts import FAMILIES, MB, Source, chance, choice, logu, many, uni, wander

SETS = ("public", "everyday", "other", "held")
FITTED = SETS[:3]
LIVES = 0.15       # of the traces of the wide sets: how many are given earlier lives,
WARPED = 0.15      # how many run faster and slower by turns,
LIMIT_MOVES = 0.05  # and how many healthy ones have their limit changed
COMPANIONS = 0.35   # of all traces that have no other column


# What may happen to any family -----------------------------------------------------------------

def warp(path, shape):
    """The same process at a pace that changes smoothly, by 0.4 to 1.6: its values at other times."""
    n = len(path.values)
    waves = [(k, uni(shape, -0.25, 0.25)) for k in (1, 2, 3)]
    at = [min(n - 1.0, max(0.0, i + n / math.pi * sum(a / k * math.sin(math.pi * k * i / n) for k, a in waves)))
          for i in range(n)]
    near = [int(a) for a in at]
    whole = path.base_bytes == 1
    values = path.values
    path.values = [values[k] if whole or path.incs[k] != path.incs[min(k + 1, n - 1)] else
                   values[k] + (a - k) * (values[min(k + 1, n - 1)] - values[k]) for k, a in zip(near, at)]
    path.incs = [path.incs[k] for k in near]
    path.columns = {name: [column[k] for k in near] for name, column in path.columns.items()}
    if path.limits:
        path.limits = [path.limits[k] for k in near]
    for place in ("start", "ok_until", "ok_from"):
        setattr(path, place, min(n - 1, bisect.bisect_left(near, getattr(path, place))))


def relive(path, family, names, shape):
    """Earlier lives of the same program: the same shape on other days, each of them cut short."""
    leaking = family.label == "leak"
    values, incs = [], []
    columns = {name: [] for name in path.columns}
    for inc in range(many(shape, 1, 3)):
        life = family(Source(names[0]), Source(f"{names[1]}/{inc}"))
        end = int(len(life.values) * (uni(shape, 0.2, 0.85) if leaking else uni(shape, 0.15, 1.0)))
        if path.ok_until:
            end = max(2, int(uni(shape, 0.2, 0.9) * life.ok_until))
        values += life.values[:end]
        incs += [inc] * end
        for name in columns:
            columns[name] += life.columns[name][:end]
    before, last = len(values), incs[-1] + 1
    path.values = values + path.values
    path.incs = incs + [last] * (len(path.values) - before)
    path.columns = {name: column + path.columns[name] for name, column in columns.items()}
    path.start += before
    path.ok_until += before if path.ok_until else 0
    path.ok_from = path.incs.index(1) if path.ok_from else 0   # what filled once is known from its second life on


def move_limit(path, shape):
    """Somebody sets another limit for a healthy process, still above all that it needs."""
    top = max(path.values)
    limit = path.limit or top / path.peak_share
    other = max(top / uni(shape, 0.3, 0.95), top * 1.03)
    at = int(uni(shape, 0.1, 0.9) * len(path.values))
    path.limits = [limit if i < at else other for i in range(len(path.values))]


def companions(path, shape, noise, leaking):
    """Other figures of the process: some grow with the leak, most know nothing of it."""
    n, dt = len(path.values), path.dt
    first, size = path.start if leaking else 0, max(1, n - (path.start if leaking else 0))
    for name in ("modules", "threads", "fds", "mappings"):
        if not chance(shape, 0.4) or name == path.metric:
            continue
        base, sway = logu(shape, 5, 400), wander(noise, uni(shape, 0.0, 0.2), logu(shape, 0.3, 200))
        steady = name == "modules" or chance(shape, 0.4)
        warm, extra = n * logu(shape, 0.002, 0.2), uni(shape, 0.0, 1.0)
        grows = logu(shape, 0.3, 30) if leaking and chance(shape, 0.35) else 0.0
        path.columns[name] = [
            int(base * (1 + extra * -math.expm1(-i / warm) + (0.0 if steady else max(-0.9, sway()))
                        + grows * max(0, i - first) / size)) for i in range(n)]
    if path.base_bytes is None and chance(shape, 0.15):
        chunk, base = logu(shape, 0.002, 0.05), many(shape, 50, 900)
        path.columns["mappings"] = [base + int(v / chunk) for v in path.values]   # grows with the bytes, says nothing new


# From a family to a trace ----------------------------------------------------------------------

def sample_times(path, shape, noise):
    """The time of every value, and whether it is seen; the timer is never perfect."""
    bad, n, dt = path.irregular, len(path.values), path.dt
    jitter = dt * (choice(shape, (0.3, 0.8)) if bad else choice(shape, (0.0, 0.01, 0.1)))
    missing = uni(shape, 0.05, 0.3) if bad else choice(shape, (0.0, 0.0, 0.0, 0.005, 0.03))
    jumps = {}
    if bad:
        for _ in range(many(shape, 1, 4)):
            jumps[int(uni(shape, 0.05, 0.95) * n)] = uni(shape, 0.01, 0.1) * n * dt
        jumps[int(uni(shape, 0.05, 0.95) * n)] = -uni(shape, 1, 4) * dt
    times, seen, offset, draw = [], [], 0.0, noise.random
    for i in range(n + 1):
        offset += jumps.get(i, 0.0)
        times.append(round(i * dt + offset + (jitter * draw() if jitter else 0.0), 2))
        seen.append(i < 5 or not missing or draw() >= missing)
    return times, seen


def make(name, seed):
    """(path, its random sources) of a family, with all that may happen to it."""
    family = FAMILIES[name]
    names = f"shape/{name}/{seed}", f"noise/{name}/{seed}"
    shape, noise, more = Source(names[0]), Source(names[1]), Source(f"more/{name}/{seed}")
    path = family(shape, noise)
    wide = family.set in ("other", "held")
    alone = path.incs[-1] == 0 and not path.limits
    if wide and not shape.keeps_time and chance(more, WARPED):
        warp(path, more)
    if wide and alone and len(path.values) < 8000 and chance(more, LIVES):
        relive(path, family, names, more)
    elif wide and alone and family.label == "ok" and path.base_bytes is None and chance(more, LIMIT_MOVES):
        move_limit(path, more)
    if not path.columns and chance(more, COMPANIONS):
        companions(path, more, noise, family.label == "leak")
    return path, shape, noise


def happenings(path, times, limits):
    """Restarts and changes of the limit, as the manifest tells them."""
    out = []
    for i in range(1, len(path.values)):
        if path.incs[i] != path.incs[i - 1]:
            out.append({"t": times[i], "kind": "restart"})
        if limits and limits[i] != limits[i - 1]:
            out.append({"t": times[i], "kind": "limit", "limit": limits[i]})
    return out


def build(name, seed):
    """One trace: (names of the columns, rows of numbers, what is true of it)."""
    path, shape, noise = make(name, seed)
    times, seen = sample_times(path, shape, noise)
    base = path.base_bytes or logu(shape, 16 * MB, 4096 * MB)
    page = path.page or choice(shape, (4096,) * 17 + (65536, 65536, 2 * MB))
    limit = path.limits[0] if path.limits else path.limit or max(path.values) / path.peak_share
    limits = [int(v * base) for v in path.limits] if path.limits else None
    columns = ({"limit": limits} if limits else {}) | path.columns
    sizes = [max(0, int(v * base / page) * page) for v in path.values]
    rows = [row for row, s in zip(zip(times, sizes, path.incs, *columns.values()), seen) if s]
    leaking = FAMILIES[name].label == "leak"
    truth = {"family": name, "label": FAMILIES[name].label, "limit": int(limit * base), "interval": path.dt,
             "metric": path.metric, "oom_time": times[len(path.values)] if leaking else None,
             "leak_start": times[path.start] if leaking else None,
             "ok_until": times[path.ok_until] if leaking and path.ok_until else 0.0}
    if path.ok_from and not leaking:
        truth["ok_from"] = times[path.ok_from]
    truth["events"] = happenings(path, times, limits)
    return ["t", "value", "inc", *columns], rows, truth


def write(job):
    out, name, seed = job
    columns, rows, truth = build(name, seed)
    ident = f"{name}-{seed}"
    with open(os.path.join(out, ident + ".csv"), "w", newline="\n") as f:
        f.write(",".join(columns) + "\n")
        f.writelines(",".join([f"{row[0]:.10g}", *map(str, row[1:])]) + "\n" for row in rows)
    return {"id": ident, "file": ident + ".csv", "source": "synthetic", **truth}


def generate(out, names, seed, per_family, jobs):
    os.makedirs(out, exist_ok=True)
    todo = [(out, name, f"{seed}{k}") for name in sorted(names) for k in range(per_family)]
    with multiprocessing.Pool(jobs) as pool:
        traces = pool.map(write, todo, chunksize=4)
    with open(os.path.join(out, "manifest.json"), "w", newline="\n") as f:
        json.dump({"format": 1, "name": f"synthetic-{seed}", "traces": traces}, f, indent=1)
        f.write("\n")
    return traces


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out")
    ap.add_argument("--set", choices=[*SETS, "all"], default="all")
    ap.add_argument("--seed", default="A")
    ap.add_argument("--per-family", type=int, default=7, metavar="N")
    ap.add_argument("--only", nargs="*", metavar="FAMILY")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    a = ap.parse_args()
    sets = FITTED if a.set == "all" else (a.set,)
    names = a.only or [name for name, f in FAMILIES.items() if f.set in sets]
    if not set(names) <= set(FAMILIES):
        ap.error("families: " + " ".join(sorted(FAMILIES)))
    traces = generate(a.out, names, a.seed, a.per_family, a.jobs)
    leaking = sum(t["label"] == "leak" for t in traces)
    print(f"{len(traces)} traces in {a.out}, {leaking} of them leaks")


if __name__ == "__main__":
    main()
