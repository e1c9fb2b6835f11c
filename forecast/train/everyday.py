"""Families of the everyday set: near the limit, counts, deploys, changing limits, long lives.

The label "saved" is a leak that never gets to its end. Counts have base 1.
"""
import itertools
import math

from parts import (DAY, HOUR, MINUTE, Healthy, Leaker, Load, Path, Sawtooth, chance, choice, cycle_length, even_cuts,
                   family, finish, gauss, lives, logu, many, rises, uni, wander)

COUNT_LIMITS = (256, 1024, 1024, 4096)


@family("everyday", "ok")
def capped_pool(shape, noise):
    """Fills in a straight line to just under the limit, then stays; later lives do the same again."""
    w = Healthy(shape, noise, lo=6 * HOUR, share=(0.75, 0.97))
    n = many(shape, 3, 5)
    cuts = even_cuts(shape, w.span, n)
    fill = uni(shape, 0.1, 0.45) * w.span / n
    pace = [uni(noise, 0.8, 1.25) for _ in range(n)]
    size = logu(shape, 1, 20)
    values, incs = [], []
    for _, inc, age in lives(w, cuts):
        values.append(1 + size * min(1.0, age / fill / pace[inc]) + 0.2 * w.hum())
        incs.append(inc)
    return Path(w, values, incs=incs, ok_from=incs.index(1))


@family("everyday", "ok")
def capped_heap(shape, noise):
    """A collected heap whose peaks touch its cap; the floor is flat after a warm-up."""
    w = Healthy(shape, noise, lo=6 * HOUR, share=(0.94, 0.995))
    saw = Sawtooth(shape, noise, w.span, w.dt)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    tau = w.span * logu(shape, 0.002, 0.05)
    return Path(w, [saw(1 - 0.5 * math.exp(-t / tau), w.dt, load=load(t)) for t in w.times()], metric="heap")


@family("everyday", "ok")
def rss_at_xmx(shape, noise):
    """A heap is committed in steps as far as the load has needed, never returned, up to a cap."""
    w = Healthy(shape, noise, lo=6 * HOUR, share=(0.9, 0.99))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    tau = w.span * uni(shape, 0.02, 0.2)
    size = logu(shape, 1, 6)
    values, most = [], 0.0
    for t in w.times():
        most = max(most, size * rises(t, tau) * (0.7 + 0.3 * min(1.0, load(t) / 1.6)))
        values.append(1 + math.floor(40 * most) / 40 + 0.02 * abs(w.hum()))
    return Path(w, values, metric="rss")


@family("everyday", "ok")
def fd_pool(shape, noise):
    """Descriptors follow the load, or a pool keeps as many as were ever needed at once."""
    w = Healthy(shape, noise, lo=6 * HOUR)
    w.limit = choice(shape, COUNT_LIMITS)
    load, normal = Load(shape, noise, w.dt, cycle_length(shape, w.span)), gauss(noise)
    own = uni(shape, 8, 40)
    use = [max(0.0, load(t) + 0.03 * normal()) for t in w.times()]
    if chance(shape, 0.5):
        use = list(itertools.accumulate(use, max))
    scale = (w.peak_share * w.limit - own) / max(use)
    return Path(w, [int(own + scale * u) for u in use], metric="fds", base_bytes=1, page=1)


@family("everyday", "ok")
def weekly_deploy_ok(shape, noise):
    """A new version every one to seven days, with a warm-up each time; sizes differ a little."""
    w = Healthy(shape, noise, lo=10 * DAY, hi=28 * DAY)
    cuts = [logu(shape, 1, 7) * DAY]
    while cuts[-1] < w.span:
        cuts.append(cuts[-1] + logu(shape, 1, 7) * DAY)
    load = Load(shape, noise, w.dt, DAY, weekend=True)
    tau = logu(shape, 10 * MINUTE, 3 * HOUR)
    sizes = [logu(shape, 0.5, 5)]
    for _ in cuts:
        sizes.append(sizes[-1] * uni(noise, 0.97, 1.05))
    values, incs = [], []
    for t, inc, age in lives(w, cuts):
        values.append(1 + sizes[inc] * rises(age, tau) * (0.8 + 0.2 * load(t)) + 0.3 * w.hum())
        incs.append(inc)
    return Path(w, values, incs=incs)


@family("everyday", "ok")
def near_limit_ok(shape, noise):
    """The whole life between 85 and 97 % of the limit, up and down with load and chance."""
    w = Healthy(shape, noise, lo=6 * HOUR)
    w.limit = 1.0
    low, high = uni(shape, 0.85, 0.89), uni(shape, 0.92, 0.97)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    walk = wander(noise, logu(shape, 0.1, 1.0), w.n * logu(shape, 0.005, 0.1))
    rough, normal = uni(shape, 0.0, 0.1), gauss(noise)
    path = [load(t) + walk() + rough * normal() for t in w.times()]
    bottom, top = min(path), max(path)
    values = [low + (high - low) * (v - bottom) / (top - bottom) for v in path]
    return Path(w, values, metric="container", page=4096)


@family("everyday", "ok")
def limit_raised(shape, noise):
    """At rest close to the limit; it is raised and a larger cache fills under the new one."""
    w = Healthy(shape, noise, lo=6 * HOUR)
    at = uni(shape, 0.3, 0.7) * w.span
    rest, factor = uni(shape, 0.8, 0.94), uni(shape, 1.4, 2.5)
    more = uni(shape, 0.7, 0.9) * factor - rest
    tau = [w.span * logu(shape, 0.003, 0.03) for _ in range(2)]
    values = [rest * (1 - 0.6 * math.exp(-t / tau[0])) + more * rises(t - at, tau[1]) + 0.2 * w.hum()
              for t in w.times()]
    return Path(w, values, limits=[factor if t >= at else 1.0 for t in w.times()], metric="container")


@family("everyday", "leak")
def fd_leak(shape, noise):
    """Some requests leave a descriptor open."""
    w = Leaker(shape, noise)
    w.limit = choice(shape, COUNT_LIMITS)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life))
    own, busy = uni(shape, 8, 40), uni(shape, 0.0, 0.1) * w.limit

    def values():
        leaked = 0.0
        for t in w.times():
            now = load(t)
            leaked += (w.limit - own - busy) * w.dt / w.life * now
            yield int(own + busy * now) + int(leaked)
    return finish(w, values(), metric="fds", base_bytes=1, page=1)


@family("everyday", "leak")
def second_life_leak(shape, noise):
    """One to three lives are healthy; the version of the last one leaks slowly."""
    w = Leaker(shape, noise, lo=12 * HOUR, before=logu(shape, 0.5, 3.0), base=(0.1, 0.4))
    cuts = sorted(uni(shape, 0.15, 0.85) * w.before for _ in range(many(shape, 0, 2))) + [w.before]
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life))
    swing, warm = uni(shape, 0.03, 0.2), w.life * logu(shape, 0.002, 0.03)
    incs = []

    def values():
        for t, inc, age in lives(w, cuts):
            incs.append(inc)
            leaked = w.gain * age / w.life if inc == len(cuts) else 0.0
            yield 1 - 0.5 * math.exp(-age / warm) + swing * load(t) + leaked + 0.3 * w.hum()
    path = finish(w, values(), incs=incs)
    path.start = path.ok_until = incs.index(len(cuts))
    return path


@family("everyday", "leak")
def slow_weeks_leak(shape, noise):
    """Two to three months to the limit, under a daily and a weekly wave."""
    w = Leaker(shape, noise, lo=64 * DAY, hi=98 * DAY)
    w.dt = 300
    w.most = int(2 * w.life / w.dt)
    load = Load(shape, noise, w.dt, DAY, weekend=True)
    swing = uni(shape, 0.05, 0.2) * w.gain
    top = w.gain - swing * (1 + load.swing + 0.5 * load.second)
    return finish(w, (1 + top * t / w.life + swing * load(t) + w.hum() for t in w.times()))


@family("everyday", "leak")
def limit_lowered(shape, noise):
    """A plain leak; on its way the limit is lowered, with a third or more of the life still to come."""
    w = Leaker(shape, noise, lo=DAY)
    before, after = uni(shape, 0.25, 0.45), uni(shape, 0.25, 0.4)
    old, new = w.limit, 1 + w.gain * (before + after)
    limits = []

    def values():
        for t in w.times():
            w.limit = new if t >= before * w.life else old
            limits.append(w.limit)
            yield 1 + w.gain * t / w.life + w.hum()
    return finish(w, values(), limits=limits, metric="container")


@family("everyday", "saved")
def deploy_saved(shape, noise):
    """Leaks in every life, but a deploy has always come before the end."""
    w = Healthy(shape, noise, lo=4 * DAY, hi=21 * DAY)
    n = many(shape, 4, 12)
    size, used = logu(shape, 1, 8), uni(shape, 0.25, 0.65)
    w.limit = 1 + size
    values, incs = [], []
    for _, inc, age in lives(w, even_cuts(shape, w.span, n)):
        values.append(1 + size * used * age / (w.span / n) + 0.3 * w.hum())
        incs.append(inc)
    return Path(w, values, incs=incs)
