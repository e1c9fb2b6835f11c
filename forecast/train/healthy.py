"""Other healthy processes that real programs show; those of the set "held" are never for fitting."""
import itertools
import math

from parts import (DAY, HOUR, MINUTE, WEEK, WIDE, Healthy, Load, Path, Sawtooth, arrivals, chance, choice,
                   cycle_length, expo, family, filled, gauss, lives, logu, many, pareto, ramp, rises, uni, wander)

KNOWN_FROM = 0.6   # what fills to more than this share of the limit once cannot be told from a leak before it is full

SILENT = 0.15      # of the processes: nothing moves by chance but what the family says


def healthy(shape, noise, share=(0.2, 0.95), **more):
    w = Healthy(shape, noise, share=share, intervals=WIDE, **more)
    if chance(shape, SILENT):
        w.hum = lambda: 0.0
    return w


def fills(w, values, **what):
    """A path that fills once: where it ends high it is judged from when it has been seen to be full for a while."""
    known = min(len(values) - 1, int(1.25 * filled(values))) if w.peak_share > KNOWN_FROM else 0
    return Path(w, values, ok_from=known, **what)


@family("other", "ok")
def lru_cache(shape, noise):
    """A cache with a fixed number of entries: fills with the misses, then stays."""
    w = healthy(shape, noise, share=(0.3, 0.95), lo=HOUR)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span)) if chance(shape, 0.5) else lambda t: 1.0
    fill, size = w.span * logu(shape, 0.03, 0.5), logu(shape, 0.5, 20)
    slower = uni(shape, 0.0, 0.95) * chance(shape, 0.7)
    values, used = [], 0.0
    for t in w.times():
        used = min(1.0, used + load(t) * w.dt / fill * (1 - slower * used))
        values.append(1 + size * used + 0.3 * w.hum())
    return fills(w, values)


@family("other", "ok")
def log_cache(shape, noise):
    """Keys that are seen for the first time get rare, but never stop: growth as a logarithm."""
    w = healthy(shape, noise, share=(0.2, 0.85))
    tau, size = w.span * logu(shape, 0.001, 0.1), logu(shape, 0.3, 6)
    whole = math.log1p(w.span / tau)
    return Path(w, [1 + size * math.log1p(t / tau) / whole + w.hum() for t in w.times()])


@family("other", "ok")
def heap_doubling(shape, noise):
    """A heap is committed in steps of a factor until its live set and its garbage fit; the live set is steady."""
    w = healthy(shape, noise, share=(0.3, 0.97))
    step, warm = uni(shape, 1.1, 2.0), w.span * logu(shape, 0.01, 0.3)
    size, rare = logu(shape, 2, 20), uni(shape, 0, 0.3)
    bump = wander(noise, rare, 0.1 * w.n)
    values, committed = [], 1.0
    for t in w.times():
        while committed < size * rises(t, warm) * (1 + min(0.6, abs(bump()))):
            committed *= step
        values.append(committed + 0.05 * abs(w.hum()))
    return Path(w, values, metric="rss", ok_from=filled(values) if w.peak_share > 0.8 else 0)


@family("other", "ok")
def go_steady(shape, noise):
    """A heap collected at a factor of its live set, which follows the load; pages go back slowly."""
    w = healthy(shape, noise, share=(0.2, 0.97))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    factor, swing = choice(shape, (1.0, 1.0, 0.5, 2.0)), logu(shape, 0.02, 1)
    fade = math.exp(-1.0 / logu(shape, 1, 40))
    values, resident = [], 1.0
    for t in w.times():
        heap = (1 + swing * load(t)) * (1 + factor * noise.random())
        resident = max(heap, heap + (resident - heap) * fade)
        values.append(resident)
    return Path(w, values, metric="rss")


@family("other", "ok")
def fragmentation(shape, noise):
    """A plateau that creeps for long while holes form, and then creeps no more."""
    w = healthy(shape, noise, share=(0.2, 0.9))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span)) if chance(shape, 0.6) else lambda t: 1.0
    first, more = logu(shape, 0.3, 3), uni(shape, 0.1, 0.5)
    tau, creep = w.span * logu(shape, 0.005, 0.05), w.span * uni(shape, 0.1, 0.4)
    swing = uni(shape, 0.0, 0.2)
    return Path(w, [1 + first * (rises(t, tau) + more * rises(t, creep) + swing * load(t)) + w.hum()
                    for t in w.times()], metric="rss")


@family("other", "ok")
def thread_pool(shape, noise):
    """Threads are started when all others are busy, up to a maximum, and kept."""
    w = healthy(shape, noise, lo=HOUR, share=(0.1, 0.95))
    w.limit = choice(shape, (256, 512, 1024, 4096, 32768))
    most = max(4, int(w.peak_share * w.limit))
    load, normal = Load(shape, noise, w.dt, cycle_length(shape, w.span)), gauss(noise)
    peak = uni(shape, 0.5, 1.5)
    fade = 1.0 if chance(shape, 0.6) else math.exp(-w.dt / (w.span * logu(shape, 0.01, 0.2)))
    values, kept = [], 3.0
    for t in w.times():
        kept = max(kept * fade, min(most, most * load(t) * peak * (0.6 + 0.08 * normal())))
        values.append(max(3, int(kept)))
    return Path(w, values, metric="threads", base_bytes=1, page=1)


@family("other", "ok")
def page_cache(shape, noise):
    """Files read in a container: its charge fills to just below the limit and is taken back in small pieces."""
    w = healthy(shape, noise, lo=HOUR, share=(0.95, 0.995))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    fill, size = w.span * logu(shape, 0.01, 0.4), logu(shape, 1, 20)
    piece = logu(shape, 0.003, 0.08)
    values, used = [], 0.0
    for t in w.times():
        used += load(t) * w.dt / fill
        if used > 1.0:
            used = 1.0 - piece * noise.random()
        values.append(1 + size * used)
    return fills(w, values, metric="container")


@family("other", "ok")
def buffer_pool(shape, noise):
    """A database reads its working set into a pool of fixed size, in chunks, for hours."""
    w = healthy(shape, noise, lo=3 * HOUR, share=(0.4, 0.95))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    chunks, fill = many(shape, 16, 400), w.span * uni(shape, 0.08, 0.6)
    size, curve = logu(shape, 1, 15), uni(shape, 0.0, 0.9)
    values, used = [], 0.0
    for t in w.times():
        used = min(1.0, used + load(t) * w.dt / fill * (1 - curve * used))
        values.append(1 + size * math.ceil(used * chunks) / chunks + 0.2 * w.hum())
    return fills(w, values, metric="rss")


@family("other", "ok")
def load_test(shape, noise):
    """Ramp up, hold, ramp down; again."""
    w = healthy(shape, noise)
    cycles, height = many(shape, 1, 6), logu(shape, 0.3, 8)
    up, hold, down = (uni(shape, 0.1, 0.6), uni(shape, 0.1, 0.6), uni(shape, 0.02, 0.4))
    keeps = uni(shape, 0.0, 0.5)
    whole, phase = (up + hold + down) * uni(shape, 1.0, 2.0), uni(shape, 0.0, 0.2)
    values, floor = [], 0.0
    for t in w.times():
        s = (t / w.span * cycles - phase) % 1.0 * whole
        now = ramp(s, up) * (1 - ramp(s - up - hold, down)) if t / w.span * cycles > phase else 0.0
        floor = max(floor, keeps * now)
        values.append(1 + height * max(floor, now) + w.hum())
    return Path(w, values)


@family("other", "ok")
def autoscaled(shape, noise):
    """Memory of requests under way; instances come and go, and the share of this one with them."""
    w = healthy(shape, noise)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span), weekend=chance(shape, 0.4))
    swing, share, most = logu(shape, 0.2, 3), 1.0, uni(shape, 1.1, 1.5)
    values = []
    for t in w.times():
        now = load(t)
        if now * share > most:
            share /= 2
        elif now * share < 0.4 and share < 1:
            share *= 2
        values.append(1 + swing * now * share + w.hum())
    return Path(w, values)


@family("other", "ok")
def business_growth(shape, noise):
    """A daily and a weekly wave that get larger with the business, a few per cent a week."""
    w = healthy(shape, noise, lo=2 * WEEK, hi=8 * WEEK, share=(0.2, 0.75))
    load = Load(shape, noise, w.dt, DAY, weekend=True)
    swing, growth = logu(shape, 0.1, 1.5), uni(shape, 0.003, 0.04)
    return Path(w, [1 + swing * load(t) * (1 + growth * t / WEEK) + w.hum() for t in w.times()])


@family("other", "ok")
def trim_cycle(shape, noise):
    """Grows steadily and is trimmed on a schedule, to where it began or nearly so."""
    w = healthy(shape, noise)
    period = DAY if w.span > 4 * DAY and chance(shape, 0.5) else w.span / uni(shape, 4, 40)
    height, left, curve = logu(shape, 0.1, 3), uni(shape, 0, 0.15), uni(shape, 0.4, 1.3)
    shape.keeps_time = True
    values, last, scale, floor = [], -1, 1.0, 0.0
    for t in w.times():
        cycle, s = divmod(t / period, 1.0)
        if cycle != last:
            last, scale, floor = cycle, uni(noise, 0.8, 1.2), left * noise.random()
        values.append(1 + height * (floor + scale * s ** curve) + w.hum())
    return Path(w, values)


@family("other", "ok")
def restart_loop(shape, noise):
    """Restarted again and again by a probe that is too strict, each time with a warm-up."""
    w = healthy(shape, noise)
    mean, cuts = w.span / logu(shape, 8, 60), []
    while not cuts or cuts[-1] < w.span:
        cuts.append((cuts[-1] if cuts else 0.0) + mean * uni(noise, 0.2, 1.8))
    size, tau = logu(shape, 0.3, 6), mean * logu(shape, 0.03, 0.6)
    slope = uni(shape, 0.0, 0.3) * chance(shape, 0.3)
    values, incs = [], []
    for _, inc, age in lives(w, cuts):
        values.append(1 + size * (rises(age, tau) + slope * min(1.0, age / mean)) + w.hum())
        incs.append(inc)
    return Path(w, values, incs=incs)


@family("other", "ok")
def deploy_stairs(shape, noise):
    """Configuration is loaded piece by piece, at even distances, until all of it is there."""
    w = healthy(shape, noise, share=(0.25, 0.85))
    n, until = many(shape, 3, 12), uni(shape, 0.1, 0.6)
    at = [(k + uni(noise, 0.0, 0.5)) * until * w.span / n for k in range(n)]
    size = [logu(noise, 0.5, 2) * logu(shape, 0.5, 4) / n for _ in at]
    values, level, k = [], 1.0, 0
    for t in w.times():
        while k < n and t >= at[k]:
            level, k = level + size[k], k + 1
        values.append(level + 0.3 * w.hum())
    return fills(w, values)


@family("other", "ok")
def mapped_files(shape, noise):
    """Files are mapped and unmapped; some stay for long."""
    w = healthy(shape, noise)
    n, stay = uni(shape, 2, 15), w.span * logu(shape, 0.01, 0.3)
    comes, size = arrivals(noise, w.dt, stay / n), logu(shape, 0.1, 1.5)
    warm, values, held, level = chance(shape, 0.6), [], [], 1.0
    for k in range(int(n) if warm else 0):
        held.append((expo(noise, stay), size * pareto(noise, 2.5, 5)))
        level += held[-1][1]
    for t in w.times():
        if comes():
            held.append((t + expo(noise, stay), size * pareto(noise, 2.5, 5)))
            level += held[-1][1]
        if any(end <= t for end, _ in held):
            held = [h for h in held if h[0] > t]
            level = 1.0 + sum(s for _, s in held)
        values.append(level)
    return Path(w, values, metric="virtual")


@family("other", "ok")
def small_counts(shape, noise):
    """A few dozen descriptors or threads that come and go."""
    w = healthy(shape, noise)
    mean, own = logu(shape, 3, 300), many(shape, 3, 60)
    turnover, normal = min(0.5, w.dt / (w.span * logu(shape, 0.002, 0.1))), gauss(noise)
    slow = wander(noise, uni(shape, 0.0, 0.3), w.n * logu(shape, 0.01, 0.2))
    values, now = [], mean * chance(shape, 0.7)
    for _ in w.times():
        now = max(0.0, now + turnover * (mean * math.exp(slow()) - now) + math.sqrt(2 * turnover * mean) * normal())
        values.append(own + int(now))
    w.limit = max(max(values) + 5, int(max(values) / w.peak_share))
    return Path(w, values, metric=choice(shape, ("fds", "threads", "mappings")), base_bytes=1, page=1)


@family("other", "ok")
def new_plateau(shape, noise):
    """At rest; then a feature or a tenant comes, and it settles elsewhere in minutes to hours."""
    w = healthy(shape, noise)
    moves = sorted((uni(shape, 0.02, 0.9) * w.span, uni(shape, -0.5, 1.5), w.span * logu(shape, 0.003, 0.15),
                    chance(shape, 0.5)) for _ in range(many(shape, 1, 3)))
    size = logu(shape, 0.1, 2)
    values = []
    for t in w.times():
        v = sum(s * (rises(t - at, tau) if curved else ramp(t - at, tau)) for at, s, tau, curved in moves)
        values.append(max(0.05, 1 + size * v + w.hum()))
    return Path(w, values)


@family("other", "ok")
def log_buffers(shape, noise):
    """A buffer fills at the pace of the traffic and is written out when it is full."""
    w = healthy(shape, noise)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    cycle, height = max(6 * w.dt, w.span / logu(shape, 6, 200)), logu(shape, 0.05, 5)
    values, used = [], 0.0
    for t in w.times():
        used += load(t) * w.dt / cycle
        if used >= 1.0:
            used = 0.1 * noise.random()
        values.append(1 + height * used + 0.3 * w.hum())
    return Path(w, values)


@family("other", "ok")
def late_fill(shape, noise):
    """Flat for long; then a nightly report or an import fills a cache that stays."""
    w = healthy(shape, noise, share=(0.3, 0.9), lo=2 * HOUR)
    at, span = uni(shape, 0.1, 0.7) * w.span, w.span * logu(shape, 0.02, 0.25)
    size = logu(shape, 0.1, 3)
    curve = (lambda s: min(1.0, s)) if chance(shape, 0.5) else (lambda s: rises(s, 0.4))
    return fills(w, [1 + size * curve(max(0.0, t - at) / span) + 0.5 * w.hum() for t in w.times()])


@family("other", "ok")
def peak_keeper(shape, noise):
    """An allocator that gives nothing back: the highest load so far, seldom passed."""
    w = healthy(shape, noise, share=(0.3, 0.95))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span), weekend=chance(shape, 0.4))
    normal, rough, swing = gauss(noise), uni(shape, 0.02, 0.2), logu(shape, 0.2, 4)
    most = itertools.accumulate((load(t) * (1 + rough * normal()) for t in w.times()), max)
    return Path(w, [1 + swing * m + 0.3 * w.hum() for m in most], metric="rss",
                ok_from=w.n // 10 if w.peak_share > 0.8 else 0)


# Held back ---------------------------------------------------------------------------------------


@family("held", "ok")
def retention_day(shape, noise):
    """Jobs keep what they make for a day: grows for that long, then as much goes as comes."""
    w = healthy(shape, noise, lo=1.5 * DAY, hi=14 * DAY, share=(0.3, 0.9))
    every, jobs = choice(shape, (0.25, 0.5, 1, 1, 2)) * HOUR, []
    keep, size = DAY * choice(shape, (0.5, 1, 1)), logu(shape, 0.5, 8)
    shape.keeps_time = True
    values, due, level = [], 0.0, 0.0
    for t in w.times():
        while t >= due:
            jobs.append((t + keep, size * every / keep * uni(noise, 0.6, 1.4)))
            level += jobs[-1][1]
            due += every
        while jobs[0][0] <= t:
            level -= jobs.pop(0)[1]
        values.append(1 + level + 0.3 * w.hum())
    return fills(w, values, metric="container")


@family("held", "ok")
def session_ttl(shape, noise):
    """Sessions live for a fixed time: grows in a line for as long, then follows the traffic."""
    w = healthy(shape, noise, share=(0.25, 0.9))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    keep, size = max(8, int(w.n * logu(shape, 0.02, 0.3))), logu(shape, 0.3, 6)
    come = [load(t) for t in w.times()]
    values, level = [], 0.0
    for i, now in enumerate(come):
        level += now - (come[i - keep] if i >= keep else 0.0)
        values.append(1 + size * level / keep + 0.3 * w.hum())
    return Path(w, values, ok_from=keep if w.peak_share > KNOWN_FROM else 0)


@family("held", "ok")
def node_heap(shape, noise):
    """Small collections leave much behind; a large one comes seldom, and takes all of it."""
    w = healthy(shape, noise, share=(0.2, 0.95))
    small = Sawtooth(shape, noise, w.span, w.dt)
    small.alpha = uni(shape, 0.05, 0.3)
    large, height = w.span / uni(shape, 4, 25), logu(shape, 0.2, 2)
    values, old, top = [], 0.0, height
    for _ in w.times():
        old += height * w.dt / large
        if old >= top:
            old, top = 0.1 * height * noise.random(), height * uni(noise, 0.75, 1.25)
        values.append(small(1 + old, w.dt) + 0.2 * w.hum())
    return Path(w, values, metric="heap")


@family("held", "ok")
def bounded_queue(shape, noise):
    """A queue grows while more comes than is done, up to its bound, and drains again."""
    w = healthy(shape, noise, share=(0.2, 0.95))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span), swing=uni(shape, 0.4, 0.9))
    done, fill, size = uni(shape, 0.9, 1.4), w.span * logu(shape, 0.005, 0.05), logu(shape, 0.3, 10)
    values, queue = [], 0.0
    for t in w.times():
        queue = min(1.0, max(0.0, queue + (load(t) - done) * w.dt / fill))
        values.append(1 + size * queue + w.hum())
    return Path(w, values)


@family("held", "ok")
def memory_high(shape, noise):
    """Throttled at a mark below the limit: what it wants grows, what it gets is taken back there."""
    w = healthy(shape, noise, lo=HOUR, share=(0.8, 0.96))
    fill, size = w.span * logu(shape, 0.02, 0.4), logu(shape, 0.5, 8)
    over = uni(shape, 0.002, 0.02)
    press = wander(noise, over, logu(shape, 1, 30))
    values = [1 + size * min(1.0 - over + press(), t / fill) for t in w.times()]
    return fills(w, values, metric="container")


@family("held", "ok")
def host_mix(shape, noise):
    """A machine: many processes of different size come and go, one of them with a cache."""
    w = healthy(shape, noise, lo=3 * HOUR, share=(0.4, 0.95))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    n, stay = uni(shape, 5, 40), w.span * logu(shape, 0.01, 0.2)
    comes = arrivals(noise, w.dt, stay / n)
    cache, tau, swing = uni(shape, 0, 0.5), w.span * logu(shape, 0.02, 0.2), uni(shape, 0, 0.3)
    held, level, values = [], 0.0, []
    for _ in range(int(n)):
        held.append((expo(noise, stay), pareto(noise, 2, 8) / n))
    level = sum(s for _, s in held)
    for t in w.times():
        if comes():
            held.append((t + expo(noise, stay), pareto(noise, 2, 8) / n))
            level += held[-1][1]
        if any(end <= t for end, _ in held):
            held = [h for h in held if h[0] > t]
            level = sum(s for _, s in held)
        values.append(1 + level + cache * rises(t, tau) + swing * load(t) + 0.3 * w.hum())
    return Path(w, values, metric="host used")


@family("held", "ok")
def report_runs(shape, noise):
    """Reports of an hour or so, of very different size, at odd times; a library stays loaded after the first."""
    w = healthy(shape, noise)
    comes, size = arrivals(noise, w.dt, w.span / logu(shape, 5, 60)), logu(shape, 0.2, 3)
    length = min(0.05 * w.span, logu(shape, 10 * MINUTE, 3 * HOUR))
    stays, values, runs, seen = uni(shape, 0, 0.3) * size, [], [], 0.0
    for t in w.times():
        if comes():
            runs.append((t, length * uni(noise, 0.3, 2), size * pareto(noise, 2, 6)))
            seen = 1.0
        runs = [r for r in runs if t < r[0] + r[1]]
        values.append(1 + stays * seen + sum(s * ramp(t - at, span) for at, span, s in runs) + w.hum())
    return Path(w, values)
