"""What the families of traces are put together from: random sources, noise, load, heaps, processes.

A family is a function of two random sources. `shape` decides what the process is (rates, sizes,
periods, the limit); `noise` decides the path it takes. Values are relative to the size of the process
at its start (1.0) and become bytes in traces.py. Nothing but Random.random() is used underneath, so
traces are the same on every version of Python.
"""
import math
import random

MB = 1 << 20
MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86400.0, 7 * 86400.0
INTERVALS = (1, 2, 5, 10, 15, 30, 60)
WIDE = (1, 2, 5, 10, 20, 30, 60, 60, 120, 300)
MIN_SAMPLES, MAX_SAMPLES, LIFE_SAMPLES = 400, 9000, 120
TAU = 2 * math.pi

FAMILIES = {}   # name: the function, with .label and .set


def family(of_set, label):
    def register(f):
        if f.__name__ in FAMILIES:
            raise ValueError(f"two families are called {f.__name__}")
        FAMILIES[f.__name__], f.set, f.label = f, of_set, label
        return f
    return register


class Source(random.Random):
    """Random numbers for one trace; keeps_time where a clock matters, so that time is not warped."""
    keeps_time = False


def uni(r, a, b):
    return a + (b - a) * r.random()


def logu(r, a, b):
    return math.exp(uni(r, math.log(a), math.log(b)))


def choice(r, seq):
    return seq[int(r.random() * len(seq))]


def chance(r, p):
    return r.random() < p


def many(r, a, b):
    """A whole number, a to b with both."""
    return a + int(r.random() * (b - a + 1))


def expo(r, mean):
    return -mean * math.log(1.0 - r.random())


def pareto(r, tail, cap):
    """Pareto with mean 1, cut at cap times the mean."""
    return min(cap, (tail - 1.0) / tail / (1.0 - r.random()) ** (1.0 / tail))


def gauss(r):
    """A function that gives normal numbers; each pair of them costs one logarithm."""
    draw, log, sqrt, sin, cos, spare = r.random, math.log, math.sqrt, math.sin, math.cos, []

    def normal():
        if spare:
            return spare.pop()
        size, angle = sqrt(-2.0 * log(1.0 - draw())), TAU * draw()
        spare.append(size * sin(angle))
        return size * cos(angle)
    return normal


def wander(r, sd, tau):
    """AR(1) noise with standard deviation sd and correlation time tau samples."""
    phi, normal, v = math.exp(-1.0 / max(tau, 1e-3)), gauss(r), 0.0
    kick = sd * math.sqrt(1.0 - phi * phi)

    def step():
        nonlocal v
        v = phi * v + kick * normal()
        return v
    return step


def rises(t, tau):
    """From 0 to 1, fast first."""
    return -math.expm1(-max(0.0, t) / tau)


def ramp(t, span):
    return min(1.0, max(0.0, t / span))


def arrivals(r, dt, mean_gap):
    """A function that says whether something that comes at random came during dt."""
    p = -math.expm1(-dt / mean_gap)
    return lambda: r.random() < p


class Load:
    """Traffic relative to its mean: a daily wave, quiet week-ends, slow noise."""

    def __init__(self, shape, noise, dt, period, swing=None, weekend=False):
        self.period = period
        self.swing = uni(shape, 0.3, 0.8) if swing is None else swing
        self.phase = uni(shape, 0, TAU)
        self.second = uni(shape, 0, 0.25) * self.swing
        self.phase2 = uni(shape, 0, TAU)
        self.weekend = uni(shape, 0.3, 0.7) if weekend else 1.0
        self.first_day = many(shape, 0, 6)
        self.slow = wander(noise, uni(shape, 0.02, 0.15), uni(shape, 0.02, 0.1) * period / dt)
        shape.keeps_time = True

    def __call__(self, t):
        w = TAU * t / self.period
        v = 1.0 + self.swing * math.sin(w + self.phase) + self.second * math.sin(2 * w + self.phase2)
        if self.weekend < 1.0 and int(t / DAY + self.first_day) % 7 >= 5:
            v *= self.weekend
        return max(0.03, v * math.exp(self.slow()))


class Sawtooth:
    """Garbage on top of a live floor, collected at floor * (1 + alpha)."""

    def __init__(self, shape, noise, span, dt, cycles=(15, 300)):
        self.noise = noise
        self.alpha = uni(shape, 0.2, 1.2)
        self.cycle = min(4 * HOUR, max(4 * dt, span / logu(shape, *cycles)))
        self.left = uni(shape, 0.0, 0.15)
        self.pace = wander(noise, uni(shape, 0.05, 0.4), self.cycle / dt)
        self.garbage = 0.0

    def __call__(self, floor, dt, heap=None, load=1.0):
        """heap, where given, is the cap of a heap that collects before it is full."""
        room = self.alpha * floor
        if heap is not None and floor < 0.95 * heap:
            room = min(room, 0.97 * heap - floor)
        self.garbage += load * self.alpha * floor * dt / self.cycle * math.exp(self.pace())
        if self.garbage >= room:
            self.garbage = room * self.left * self.noise.random()
        return floor + self.garbage


def pick_interval(shape, span, part=None, intervals=INTERVALS):
    """An interval that fits the whole span, and that sees enough of the part that matters."""
    fit = [d for d in intervals
           if MIN_SAMPLES <= span / d <= MAX_SAMPLES and (part or span) / d >= LIFE_SAMPLES]
    if fit:
        return choice(shape, fit)
    return intervals[0] if span / intervals[0] < MIN_SAMPLES else intervals[-1]


class Leaker:
    """What every leaking process has; life is the nominal time to the limit."""

    def __init__(self, shape, noise, lo=15 * MINUTE, hi=10 * DAY, before=0.0, base=(0.05, 0.6),
                 intervals=INTERVALS):
        self.life = logu(shape, lo, hi)
        self.before = before * self.life
        self.dt = pick_interval(shape, self.life + self.before, self.life, intervals)
        self.limit = 1.0 / uni(shape, *base)
        self.gain = self.limit - 1.0
        self.hum = wander(noise, logu(shape, 0.0005, 0.02) * self.gain, logu(shape, 0.3, 30))
        self.most = int(6 * (self.life + self.before) / self.dt)   # chance may make it last longer

    def times(self):
        return (i * self.dt for i in range(self.most))


class Healthy:
    """What every healthy process has; peak_share of the limit is its highest value."""

    def __init__(self, shape, noise, lo=0.5 * HOUR, hi=14 * DAY, share=(0.3, 0.92), intervals=INTERVALS):
        self.span = logu(shape, lo, hi)
        self.dt = pick_interval(shape, self.span, None, intervals)
        self.n = int(self.span / self.dt)
        self.limit = None
        self.peak_share = uni(shape, *share)
        self.hum = wander(noise, logu(shape, 0.0005, 0.02), logu(shape, 0.3, 30))

    def times(self):
        return (i * self.dt for i in range(self.n))


def cycle_length(shape, span):
    """A day where the trace is long enough for it, else something hourly."""
    return DAY if span > 1.8 * DAY else span / uni(shape, 2.5, 8)


class Path:
    """What a family gives: the values and what is true of them. Places are indexes of values."""

    def __init__(self, who, values, *, start=0, ok_until=0, ok_from=0, incs=None, limits=None,
                 metric="private", columns=None, base_bytes=None, page=None):
        self.dt, self.values = who.dt, values
        self.limit, self.limits = who.limit, limits[:len(values)] if limits else None
        self.peak_share = getattr(who, "peak_share", None)
        self.start, self.ok_until, self.ok_from = start, ok_until, ok_from
        self.incs = incs[:len(values)] if incs else [0] * len(values)
        self.metric, self.columns = metric, columns or {}
        self.base_bytes, self.page = base_bytes, page
        self.irregular = False


def until_full(who, values):
    """The values up to the one that reaches the limit, which is not seen."""
    out = []
    for v in values:
        if v >= who.limit:
            return out, True
        out.append(v)
    return out, False


def finish(who, values, **what):
    out, full = until_full(who, values)
    if not full:
        raise ValueError("a leaking process did not reach its limit")
    return Path(who, out, **what)


def lives(who, cuts):
    """(time, incarnation, age) of every sample of a process that is restarted at the cuts."""
    inc, since = 0, 0.0
    for t in who.times():
        while inc < len(cuts) and t >= cuts[inc]:
            since, inc = t, inc + 1
        yield t, inc, t - since


def filled(values, part=0.97):
    """The place where the highest value is first almost reached."""
    top, bottom = max(values), min(values)
    return next(i for i, v in enumerate(values) if v - bottom >= part * (top - bottom))


def even_cuts(r, span, n):
    """Restarts that make n lives of 0.6 to 1.4 times the mean."""
    return [(k + uni(r, -0.2, 0.2)) * span / n for k in range(1, n)]
