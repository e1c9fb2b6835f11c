#!/usr/bin/env python3
"""Fits the tables of the forecaster (needs numpy and scikit-learn): features in, forecast/table.c out.

    train.py --fit TRACES FEATURES --check TRACES FEATURES [--judge TRACES FEATURES] [--out table.c]

TRACES is a folder made by traces.py, FEATURES one that forecast-features filled from it: for each trace
ID.windows (a row for each window of a decision) and ID.outlooks (one for each forecast). Both begin with
a line {"columns": [...]}; rows of float32 follow. Their time is t_hi * 4096 + t_lo seconds, NaN is absent.
--fit grows the trees, --check sets the levels of the intervals and the marks, --judge is only looked at.

Five tables: leak (log odds that a window belongs to a leak), sure (log odds that a forecast is of a leak, so
that it may have an upper end), p10, p50 and p90 (of the logarithm of the true time to the limit over the eta
in the row). Rows of one trace stay together everywhere."""
import argparse
import json
import math
import os

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score

import public
from parts import FAMILIES

PLAIN = {name for name, f in FAMILIES.items() if f.set == public.__name__}
META = 3                       # t_hi, t_lo and level (windows) or eta (outlooks) are no features
DROPPED = ["span", "age", "is_leaking"]   # of outlooks: how long it takes in seconds is no matter, nor what was said
GRID = [k / 20 for k in range(2, 19)]   # where on its life a leak is asked for the time left
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
MARKS = [k / 4 for k in range(2, 15)]


# Reading ---------------------------------------------------------------------------------------

def read_rows(path):
    """(names of the columns, rows)"""
    with open(path, "rb") as f:
        names = json.loads(f.readline())["columns"]
        rows = numpy.frombuffer(f.read(), dtype="<f4")
    return names, rows.reshape(-1, len(names))


def times(rows):
    return rows[:, 0].astype(float) * 4096 + rows[:, 1]


def few(seed, n, most):
    """At most so many of n places, always the same ones, in order."""
    if n <= most:
        return numpy.arange(n)
    return numpy.sort(numpy.random.default_rng(seed).choice(n, most, replace=False))


def windows_of(trace, rows, most):
    """(features, labels, weights, times) of one trace, without what nobody could know."""
    t = times(rows)
    keep = t >= trace.get("ok_from", -math.inf)
    rows, t = rows[keep], t[keep]
    n = len(rows)
    keep = few(n, n, most)
    rows, t = rows[keep], t[keep]
    label = (t >= trace["ok_until"]) if trace["label"] == "leak" else numpy.zeros(len(t), bool)
    return rows[:, META:], label, numpy.full(len(t), n ** 0.3 / max(1, len(t))), t


def outlooks_of(trace, rows, more):
    """(features, ln(true / eta)) of one leak where the scorer asks, and at some other times."""
    t = times(rows)
    start, end = trace["leak_start"], trace["oom_time"]
    settled = max([e["t"] for e in trace["events"] if e["kind"] == "limit" and e["t"] >= start], default=start)
    grid = numpy.searchsorted(t, [start + s * (end - start) for s in GRID], side="right") - 1
    other = few(len(t), len(t), more)
    at = numpy.unique(numpy.concatenate([grid[grid >= 0], other]))
    at = at[(t[at] >= settled) & (t[at] < end)]
    rows, t = rows[at], t[at]
    good = numpy.isfinite(rows[:, 2]) & (rows[:, 2] > 0)
    rows, t = rows[good], t[good]
    true = numpy.maximum(end - t, trace["interval"])
    return rows[:, META:], numpy.log(true / rows[:, 2]), (t - start) / (end - start)


def last_time(path):
    """The time of the last sample."""
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - 200))
        return float(f.read().splitlines()[-1].split(b",")[0])


def sure_of(trace, rows, csv, most):
    """
    (features, whether it leaks, ln(eta), ln(time until the trace ends or is cut)) of forecasts: of a leak
    those of its last life, of a healthy trace all that are judged.
    """
    t = times(rows)
    keep = (t >= trace.get("ok_from", -math.inf)) & numpy.isfinite(rows[:, 2]) & (rows[:, 2] > 0)
    if trace["label"] == "leak":
        keep &= (t >= trace["leak_start"]) | (t < trace["ok_until"])
    at = numpy.flatnonzero(keep)
    at = at[few(len(at), len(at), most)]
    rows, t = rows[at], t[at]
    ends = numpy.array(sorted([e["t"] for e in trace["events"]] + [last_time(csv)]))
    left = ends[numpy.minimum(numpy.searchsorted(ends, t, side="right"), len(ends) - 1)] - t
    leaks = (t >= trace["leak_start"]) if trace["label"] == "leak" else numpy.zeros(len(t), bool)
    return rows[:, META:], leaks, numpy.log(rows[:, 2]), numpy.log(numpy.maximum(left, 1e-3)), len(keep)


def stretch(columns, rows, owner, n, share):
    """
    So large a share of the traces as if their clock ran up to 2000 times as fast: leaks of seconds look as
    those of days do. All but these columns are free of scale, and days are then none.
    """
    rng = numpy.random.default_rng(2)
    factor = numpy.where(rng.random(n) < share, -rng.uniform(math.log(3), math.log(2000), n), 0.0)[owner]
    rows = rows.copy()
    for name in ("span", "age"):
        rows[:, columns.index(name)] += factor
    for name in ("day_gain", "day_up"):
        rows[factor < 0, columns.index(name)] = math.nan
    return rows


def manifest(traces, features, weight=1.0):
    """Traces that have features, each with the paths of its files; the saved ones are for nothing here."""
    with open(os.path.join(traces, "manifest.json")) as f:
        all_traces = [t for t in json.load(f)["traces"] if t["label"] != "saved"]
    for t in all_traces:
        t["csv"], t["rows"], t["weight"] = os.path.join(traces, t["file"]), os.path.join(features, t["id"]), weight
    return [t for t in all_traces if os.path.exists(t["rows"] + ".windows")]


class Set:
    """The traces of some folders joined with their features."""

    def __init__(self, folders, most, more, stretched=0.0):
        self.traces = [t for pair in folders for t in manifest(*pair)]
        parts, outs, sures = [], [], []
        for k, trace in enumerate(self.traces):
            names, rows = read_rows(trace["rows"] + ".windows")
            self.columns = names[META:]
            parts.append((*windows_of(trace, rows, most), k))
            names, rows = read_rows(trace["rows"] + ".outlooks")
            self.outlook_columns = names[META:]
            sures.append((*sure_of(trace, rows, trace["csv"], 3 * more), k))
            if trace["label"] == "leak":
                outs.append((*outlooks_of(trace, rows, more), k))
        join = numpy.concatenate
        self.x, self.y, self.weight, self.t = (join([p[i] for p in parts]) for i in range(4))
        self.trace = join([numpy.full(len(p[0]), p[4]) for p in parts])
        self.ox, self.oy, self.share = (join([o[i] for o in outs]) for i in range(3))
        self.otrace = join([numpy.full(len(o[0]), o[3]) for o in outs])
        self.oweight = join([numpy.full(len(o[0]), 1.0 / max(1, len(o[0]))) for o in outs])
        self.sx, self.sy, self.seta, self.sleft = (join([o[i] for o in sures]) for i in range(4))
        self.sweight = join([numpy.full(len(o[0]), 1.0 / max(1, len(o[0]))) for o in sures])
        self.strace = join([numpy.full(len(o[0]), o[5]) for o in sures])
        n = len(self.traces)
        self.x = stretch(self.columns, self.x, self.trace, n, stretched)
        print(f"{folders[0][0]}: {n} traces, {len(self.y)} windows, {len(self.oy)} outlooks", flush=True)


# Fitting ---------------------------------------------------------------------------------------

class Model:
    """A fitted model and which of the columns it was given."""

    def __init__(self, kind, columns, all_columns, monotone, **settings):
        self.at = [all_columns.index(c) for c in columns]
        self.columns = columns
        wants = [monotone.get(c, 0) for c in columns]
        self.model, self.shift = kind(monotonic_cst=wants, early_stopping=False, **settings), 0.0

    def fit(self, x, y, weight):
        self.model.fit(x[:, self.at], y, sample_weight=weight)
        return self

    def __call__(self, x):
        if isinstance(self.model, HistGradientBoostingClassifier):
            return self.model.decision_function(x[:, self.at]) + self.shift
        return self.model.predict(x[:, self.at]) + self.shift

    def bias(self):
        return float(numpy.ravel(self.model._baseline_prediction)[0]) + self.shift

    def trees(self):
        return [trees[0].nodes for trees in self.model._predictors]


def settings(a, trees, leaf, rate=0.1):
    return {"max_depth": a.depth, "max_leaf_nodes": a.leaves, "max_iter": trees, "learning_rate": rate,
            "min_samples_leaf": leaf, "l2_regularization": a.l2, "random_state": 1}


def favour(data, weight, families):
    """A weight for each trace, larger for some families."""
    return numpy.array([t["weight"] * (weight if t["family"] in families else 1.0) for t in data.traces])


def fit_leak(a, fit, monotone):
    columns = fit.columns
    weight = fit.weight * favour(fit, a.favour, a.favoured)[fit.trace]
    model = Model(HistGradientBoostingClassifier, columns, fit.columns, monotone,
                  **settings(a, a.trees, a.leaf))
    at = gate_open(fit, a.least_gate)
    model.fit(fit.x[at], fit.y[at], weight[at])
    if a.hard > 1:   # a second look at what the first took for a leak: one such window is a false alarm
        weight = weight * numpy.where(~fit.y & (model(fit.x) > 1.0), a.hard, 1.0)
        model.fit(fit.x[at], fit.y[at], weight[at])
    return model


def passes(data, quantiles):
    """Where an upper end would pass with nothing having happened."""
    return ~data.sy & (data.seta + numpy.maximum(0, quantiles["p90"](data.sx)) < data.sleft)


def fit_sure(a, fit, quantiles):
    """Told from leaks are only the forecasts whose upper end would pass: the others are never proved wrong."""
    columns = [c for c in fit.outlook_columns if c not in a.drop]
    at = fit.sy | passes(fit, quantiles)
    model = Model(HistGradientBoostingClassifier, columns, fit.outlook_columns, {},
                  **settings(a, a.sure_trees, a.leaf // 5))
    weight = fit.sweight * fit.strace ** 0.4   # between a vote for each trace and one for each forecast
    return model.fit(fit.sx[at], fit.sy[at], weight[at])


def fit_quantiles(a, fit, check):
    """The three quantiles, each moved so that the share of check below it is right (conformal)."""
    columns = [c for c in fit.outlook_columns if c not in a.drop]
    weight = fit.oweight * favour(fit, a.favour, PLAIN)[fit.otrace]
    out = {}
    for name, q in QUANTILES.items():
        trees, rate = (a.middle_trees, 0.1) if name == "p50" else (a.outlook_trees, 0.15)
        model = Model(HistGradientBoostingRegressor, columns, fit.outlook_columns, {}, loss="quantile", quantile=q,
                      **settings(a, trees, a.outlook_leaf, rate))
        model.fit(fit.ox, fit.oy, weight)
        model.shift = float(weighted_quantile(check.oy - model(check.ox), check.oweight, q))
        out[name] = model
    return out


def weighted_quantile(values, weight, q):
    order = numpy.argsort(values)
    total = numpy.cumsum(weight[order])
    return values[order][numpy.searchsorted(total, q * total[-1])]


# Judging ---------------------------------------------------------------------------------------

def gate_open(data, gate):
    """Windows that have seen so large a share of (seen + time to go): of others no alert is raised."""
    return data.x[:, data.columns.index("reach")] >= math.log(gate / (1 - gate))


def watch(data, score, gate):
    """For every trace: the highest healthy score, and (time, highest score so far) where it leaks."""
    open_gate = gate_open(data, gate)
    out = []
    for k, (lo, hi) in enumerate(spans(data.trace, len(data.traces))):
        s = numpy.where(open_gate[lo:hi], score[lo:hi], -numpy.inf)
        y = data.y[lo:hi]
        out.append((s[~y].max(initial=-numpy.inf), data.t[lo:hi][y], numpy.maximum.accumulate(s[y])))
    return out


def spans(owner, n):
    return [(numpy.searchsorted(owner, k), numpy.searchsorted(owner, k, side="right")) for k in range(n)]


def leads(data, seen, mark):
    """For every trace: (false alarm?, lead as a share of the life or None where it is healthy)."""
    out = []
    for trace, (worst, t, best) in zip(data.traces, seen):
        lead = None
        if trace["label"] == "leak":
            life = trace["oom_time"] - trace["leak_start"]
            here = t >= trace["leak_start"]
            k = int(numpy.searchsorted(best[here], mark))
            lead = (trace["oom_time"] - t[here][k]) / life if k < here.sum() else 0.0
            lead = lead if lead > 0.05 else 0.0
        out.append((worst >= mark, lead))
    return out


def summary(results):
    false = sum(f for f, _ in results)
    lead = [v for _, v in results if v is not None]
    caught = sum(v > 0 for v in lead)
    if not lead:
        return f"{len(results):5d} healthy, false {false:4d}"
    precision, recall = caught / max(1, caught + false), caught / len(lead)
    return (f"{len(results):5d} traces, false {false:4d}, missed {len(lead) - caught:4d}, "
            f"F1 {2 * precision * recall / max(1e-9, precision + recall):.3f}, lead {numpy.median(lead):.3f} "
            f"(10 %: {numpy.quantile(lead, 0.1):.2f})")


def report(a, name, data, leak, quantiles):
    score = leak(data.x)
    print(f"-- {name}: AUC of windows {roc_auc_score(data.y, score, sample_weight=data.weight):.4f}")
    seen = watch(data, score, a.gate)
    for mark in MARKS:
        print(f"   mark {mark:5.2f}: {summary(leads(data, seen, mark))}")
    results = leads(data, seen, a.mark)
    for family in sorted({t["family"] for t in data.traces}):
        print(f"     {family:20s} {summary([r for r, t in zip(results, data.traces) if t['family'] == family])}")
    lo, mid, hi = (quantiles[k](data.ox) for k in QUANTILES)
    lo, hi = numpy.minimum(lo, mid), numpy.maximum(hi, mid)
    y = data.oy
    miss = numpy.maximum(0, lo - y) + numpy.maximum(0, y - hi)
    cost = numpy.minimum(10, hi - lo + 10 * miss)
    print(f"   intervals: cover {numpy.average((lo <= y) & (y <= hi), weights=data.oweight):.3f}, "
          f"width {numpy.median(hi - lo):.2f}, score {numpy.average(cost, weights=data.oweight):.3f}; error at 25, 50, "
          "75 %: " + " ".join(f"{near(data, numpy.abs(mid - y), s):.3f}" for s in (0.25, 0.5, 0.75))
          + "; without the table: " + " ".join(f"{near(data, numpy.abs(y), s):.3f}" for s in (0.25, 0.5, 0.75)))
    families = numpy.array([t["family"] for t in data.traces])[data.otrace]
    for family in sorted(set(families)):
        at = families == family
        print(f"     {family:20s} score {numpy.average(cost[at], weights=data.oweight[at]):.2f}, cover "
              f"{numpy.average(((lo <= y) & (y <= hi))[at], weights=data.oweight[at]):.2f}, error "
              f"{numpy.median(numpy.abs(mid - y)[at]):.3f}")


def report_sure(data, sure, quantiles):
    """At each mark: the share of healthy forecasts whose upper end passes, of leaks' that have none."""
    score, bad = sure(data.sx), passes(data, quantiles)
    for mark in MARKS:
        said, quiet = score >= mark, ~data.sy
        print(f"   sure {mark:5.2f}: overdue {numpy.average((said & bad)[quiet], weights=data.sweight[quiet]):.3f}, "
              f"open {numpy.average(~said[data.sy], weights=data.sweight[data.sy]):.3f}")


def near(data, error, share):
    return numpy.median(error[numpy.abs(data.share - share) < 0.03])


def importance(title, model, x, loss):
    """How much worse it gets when a column is shuffled, the least useful last."""
    at = few(1, len(x), 60000)
    base, rng, out = loss(model(x[at]), at), numpy.random.default_rng(1), []
    for c, k in zip(model.columns, model.at):
        mixed = x[at].copy()
        mixed[:, k] = rng.permutation(mixed[:, k])
        out.append((loss(model(mixed), at) - base, c))
    print(f"-- {title}: " + ", ".join(f"{c} {100 * v:.2f}" for v, c in sorted(out, reverse=True)))


def importances(check, leak, quantiles):
    def log_loss(score, at):
        y = check.y[at]
        return numpy.average(numpy.logaddexp(0, numpy.where(y, -score, score)), weights=check.weight[at])

    def pinball(q):
        def loss(value, at):
            d = check.oy[at] - value
            return numpy.average(numpy.maximum(q * d, (q - 1) * d), weights=check.oweight[at])
        return loss
    importance("worth of columns, leak", leak, check.x, log_loss)
    for name, q in QUANTILES.items():
        importance(f"worth of columns, {name}", quantiles[name], check.ox, pinball(q))


# Writing ---------------------------------------------------------------------------------------

def number(v):
    text = f"{max(-3.4e38, min(3.4e38, v)):.5g}"   # no mark of a tree is infinite in C
    return text + ("F" if any(c in text for c in ".e") else ".0F")


def node_text(model, k, node):
    """x <= mark goes left; a leaf leads to itself. Places are those within the tree."""
    if node["is_leaf"]:
        return f"{{{number(node['value'])},0,0,{k},{k}}}"
    return (f"{{{number(node['num_threshold'])},{model.at[node['feature_idx']]},{int(node['missing_go_to_left'])},"
            f"{node['left']},{node['right']}}}")


def wrapped(words, width):
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > width:
            lines, line = [*lines, line], ""
        line += word + ","
    return "\n".join([*lines, line.rstrip(",")])


def steps(nodes, k=0):
    """How many it takes to the deepest leaf."""
    node = nodes[k]
    return 0 if node["is_leaf"] else 1 + max(steps(nodes, node["left"]), steps(nodes, node["right"]))


def table_text(name, model):
    nodes, roots, trees = [], [], model.trees()
    for tree in trees:
        roots.append(len(nodes))
        nodes += [node_text(model, k, node) for k, node in enumerate(tree)]
    assert len(nodes) < 65536 and max(map(len, trees)) <= 256
    return (f"static const struct oc_tree_node {name}_nodes[] = {{\n{wrapped(nodes, 115)}\n}};\n"
            f"static const uint16_t {name}_roots[] = {{\n{wrapped(map(str, roots), 100)}\n}};\n"
            f"const struct oc_tree_table oc_table_{name} = {{ {number(model.bias())}, {len(roots)}, "
            f"{max(map(steps, trees))}, {name}_roots, {name}_nodes }};\n")


def write_tables(path, models, columns):
    with open(path, "w", newline="\n") as f:
        f.write("/* Made by forecast/train/train.py: see forecast/train/README.md. Do not edit. */\n"
                "/* clang-format off */\n#include \"forecast/trees.h\"\n\n")
        for title, names in columns.items():
            f.write(f"/* {title}: {len(names)} features\n"
                    + wrapped([f" {k} {c}" for k, c in enumerate(names)], 100) + "\n */\n")
        for name, model in models.items():
            f.write("\n" + table_text(name, model))
        f.write("/* clang-format on */\n")
    nodes = sum(len(tree) for model in models.values() for tree in model.trees())
    print(f"{path}: {os.path.getsize(path) // 1024} KB, {nodes} nodes")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--fit", "--check"):
        ap.add_argument(name, nargs=2, action="append", required=True, metavar=("TRACES", "FEATURES"))
    ap.add_argument("--again", nargs=2, action="append", default=[], metavar=("TRACES", "FEATURES"),
                    help="for fitting too, as other features of the same traces: they weigh less")
    ap.add_argument("--again-weight", type=float, default=0.3)
    ap.add_argument("--judge", nargs=2, action="append", default=[], metavar=("TRACES", "FEATURES"))
    ap.add_argument("--out")
    ap.add_argument("--trees", type=int, default=170)
    ap.add_argument("--outlook-trees", type=int, default=45)
    ap.add_argument("--middle-trees", type=int, default=90)
    ap.add_argument("--sure-trees", type=int, default=50)
    ap.add_argument("--depth", type=int, default=6)
    ap.add_argument("--leaves", type=int, default=31)
    ap.add_argument("--leaf", type=int, default=300, help="least rows of a leaf")
    ap.add_argument("--outlook-leaf", type=int, default=80)
    ap.add_argument("--l2", type=float, default=5.0)
    ap.add_argument("--rows", type=int, default=250, help="most windows of a trace")
    ap.add_argument("--more", type=int, default=15, help="outlooks of a leak beside those on the grid")
    ap.add_argument("--stretch", type=float, default=0.4, help="share of the traces whose clock is made to run faster")
    ap.add_argument("--least-gate", type=float, default=0.2, help="windows below this gate are not for fitting")
    ap.add_argument("--favour", type=float, default=2.0, help="weight of the windows of favoured families")
    ap.add_argument("--favoured", nargs="*", 
                    default=["capped_heap", "capped_pool", "fd_pool", "rss_at_xmx", "plain_leak"])
    ap.add_argument("--hard", type=float, default=3.0, help="weight of healthy windows that look like leaks")
    ap.add_argument("--drop", nargs="*", default=DROPPED, metavar="COLUMN", help="not for outlooks")
    ap.add_argument("--monotone", nargs="*", default=[], metavar="COLUMN=SIGN", help="+1: a leak the more, the larger")
    ap.add_argument("--gate", type=float, default=0.3, help="for the report")
    ap.add_argument("--mark", type=float, default=2.25, help="for the report")
    ap.add_argument("--importance", action="store_true")
    a = ap.parse_args()
    monotone = {c: int(s) for c, s in (m.split("=") for m in a.monotone)}
    again = [(*folders, a.again_weight) for folders in a.again]
    fit, check = (Set(folders, a.rows, a.more, a.stretch) for folders in (a.fit + again, a.check))
    leak = fit_leak(a, fit, monotone)
    quantiles = fit_quantiles(a, fit, check)
    sure = fit_sure(a, fit, quantiles)
    if a.out:
        write_tables(a.out, {"leak": leak, "sure": sure, **quantiles},
                     {"windows": fit.columns, "outlooks": fit.outlook_columns})
    report(a, "check", check, leak, quantiles)
    report_sure(check, sure, quantiles)
    for folders in a.judge:
        judge = Set([folders], 10 ** 9, a.more)
        report(a, folders[0], judge, leak, quantiles)
        report_sure(judge, sure, quantiles)
    if a.importance:
        importances(check, leak, quantiles)


if __name__ == "__main__":
    main()
