"""Families of the public set: 14 plain kinds of leaks and 15 of healthy processes."""
import math

from parts import (DAY, HOUR, MB, MINUTE, Healthy, Leaker, Load, Path, Sawtooth, arrivals, chance, choice,
                   cycle_length, expo, family, finish, gauss, logu, many, pareto, pick_interval, ramp, rises, uni,
                   until_full, wander)

# Leaks -------------------------------------------------------------------------------------------


@family("public", "leak")
def linear_leak(shape, noise):
    """A constant rate under measurement noise."""
    w = Leaker(shape, noise)
    return finish(w, (1 + w.gain * t / w.life + w.hum() for t in w.times()))


@family("public", "leak")
def request_leak(shape, noise):
    """Every request leaks a little, and traffic has a daily wave."""
    w = Leaker(shape, noise)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life), weekend=chance(shape, 0.5))
    working_set = uni(shape, 0.0, 0.12) * w.gain

    def values():
        leaked = 0.0
        for t in w.times():
            now = load(t)
            leaked += w.gain * w.dt / w.life * now
            yield 1 + leaked + working_set * now + w.hum()
    return finish(w, values())


@family("public", "leak")
def gc_floor_leak(shape, noise):
    """A collected heap whose live floor rises; some heaps are capped at the limit."""
    w = Leaker(shape, noise, base=(0.05, 0.25))
    saw = Sawtooth(shape, noise, w.life, w.dt)
    heap = w.limit if chance(shape, 0.5) else None
    top = 0.97 * w.limit if heap else w.limit / (1 + saw.alpha)
    return finish(w, (saw(1 + (top - 1) * t / w.life, w.dt, heap) for t in w.times()), metric="heap")


@family("public", "leak")
def staircase_leak(shape, noise):
    """A job that runs now and then leaks a lump every time."""
    w = Leaker(shape, noise)
    steps = int(logu(shape, 12, 60))

    def values():
        level, due = 1.0, w.life / steps
        for t in w.times():
            while t >= due:
                level += w.gain / steps * uni(noise, 0.7, 1.3)
                due += w.life / steps * uni(noise, 0.85, 1.15)
            yield level + w.hum()
    return finish(w, values())


@family("public", "leak")
def bursty_leak(shape, noise):
    """Heavy-tailed lumps at random times, and heavy-tailed bursts that are returned."""
    w = Leaker(shape, noise)
    events = logu(shape, 40, 400)
    tail = uni(shape, 1.4, 2.5)
    fade = math.exp(-w.dt * logu(shape, 30, 200) / w.life)
    bursts = uni(shape, 0.2, 1.0)
    comes, lump = arrivals(noise, w.dt, w.life / events), w.gain / events

    def values():
        kept = passing = 0.0
        for _ in w.times():
            if comes():
                kept += lump * pareto(noise, tail, events / 8)
            if comes():
                passing += bursts * lump * pareto(noise, tail, events / 8)
            passing *= fade
            yield 1 + kept + passing + 0.3 * w.hum()
    return finish(w, values())


@family("public", "leak")
def superlinear_leak(shape, noise):
    """The rate grows: a power of time, or an exponential."""
    w = Leaker(shape, noise)
    power, k = uni(shape, 1.5, 3.0), uni(shape, 1.5, 4.0)
    if chance(shape, 0.5):
        return finish(w, (1 + w.gain * (t / w.life) ** power + w.hum() for t in w.times()))
    return finish(w, (1 + w.gain * math.expm1(k * t / w.life) / math.expm1(k) + w.hum() for t in w.times()))


@family("public", "leak")
def late_leak(shape, noise):
    """Healthy for a long while, then a leak is deployed."""
    w = Leaker(shape, noise, before=logu(shape, 0.5, 20.0), hi=2 * DAY, base=(0.1, 0.4))
    kind = choice(shape, ("flat", "saw", "wave"))
    saw = Sawtooth(shape, noise, w.life, w.dt)
    saw.alpha = uni(shape, 0.2, 0.5)
    swing = uni(shape, 0.05, 0.3)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life + w.before)) if kind == "wave" else None
    top = {"flat": w.limit, "saw": w.limit / (1 + saw.alpha), "wave": w.limit - swing}[kind]

    def values():
        for t in w.times():
            floor = 1 + (top - 1) * max(0.0, t - w.before) / w.life
            if kind == "saw":
                yield saw(floor, w.dt)
            else:
                yield floor + (swing * load(t) if load else 0.0) + 0.3 * w.hum()
    first = int(math.ceil(w.before / w.dt))
    return finish(w, values(), start=first, ok_until=first)


@family("public", "leak")
def recycle_leak(shape, noise):
    """Leaks from its first second; is restarted a few times before it fills up."""
    w = Leaker(shape, noise)
    stops = [uni(shape, 0.2, 0.85) * w.life for _ in range(many(shape, 1, 4))]
    warm = w.life * uni(shape, 0.002, 0.02)
    w.dt = pick_interval(shape, w.life + sum(stops))
    values, incs, start, full = [], [], 0, False
    for inc, span in enumerate([*stops, 3 * w.life]):
        life = (1 - 0.5 * math.exp(-i * w.dt / warm) + w.gain * i * w.dt / w.life + w.hum()
                for i in range(int(span / w.dt)))
        part, full = until_full(w, life)
        start = len(values)
        values += part
        incs += [inc] * len(part)
        if full:
            break
    if not full:
        raise ValueError("a leaking process did not reach its limit")
    return Path(w, values, start=start, incs=incs)


@family("public", "leak")
def module_leak(shape, noise):
    """Each call loads about three modules and never frees them, in a 32-bit address space."""
    w = Leaker(shape, noise, lo=8 * MINUTE, hi=4 * HOUR)
    base = uni(shape, 150, 350)
    loops = uni(shape, 400, 500)
    per_loop, private_per_loop = (2048 - base) / loops, uni(shape, 0.8, 1.2)
    w.limit = 2048 / base
    modules, private, count, own = many(shape, 80, 299), uni(shape, 20, 60), [], []

    def values():
        nonlocal modules, private
        size, due = base, 0.0
        for t in w.times():
            while t >= due:
                modules += 3 if chance(noise, 0.9) else 4
                private += private_per_loop * uni(noise, 0.7, 1.3)
                size += per_loop * uni(noise, 0.75, 1.25)
                due += expo(noise, w.life / loops)
            count.append(modules)
            own.append(int(private * MB))
            yield size / base
    return finish(w, values(), metric="virtual", base_bytes=base * MB, columns={"private": own, "modules": count})


@family("public", "leak")
def arena_leak(shape, noise):
    """The allocator reserves address space in large arenas, so growth comes in equal lumps."""
    w = Leaker(shape, noise)
    arena = w.gain / logu(shape, 12, 60)
    pace = wander(noise, uni(shape, 0.1, 0.6), w.life / w.dt / 40)

    def values():
        used = 0.0
        for _ in w.times():
            used += w.gain * w.dt / w.life * math.exp(pace())
            yield 1 + arena * math.floor(used / arena)
    return finish(w, values(), metric="virtual")


@family("public", "leak")
def diurnal_leak(shape, noise):
    """A leak that is small against the daily swing."""
    if chance(shape, 0.7):
        w = Leaker(shape, noise, lo=4 * DAY, hi=14 * DAY)
        period = DAY
    else:
        w = Leaker(shape, noise, lo=4 * HOUR, hi=2 * DAY)
        period = w.life / uni(shape, 4, 14)
    load = Load(shape, noise, w.dt, period, weekend=period == DAY and chance(shape, 0.3))
    swing = uni(shape, 0.06, 0.25) * w.gain
    top = w.gain - 1.6 * swing
    return finish(w, (1 + top * t / w.life + swing * load(t) + w.hum() for t in w.times()))


@family("public", "leak")
def slow_trim_leak(shape, noise):
    """Bursts whose memory the allocator returns slowly, over a leak."""
    w = Leaker(shape, noise)
    gap = w.life / logu(shape, 10, 60)
    fade = math.exp(-w.dt / (gap * uni(shape, 0.3, 1.0)))
    size = uni(shape, 0.04, 0.18) * w.gain

    def values():
        passing = due = 0.0
        for t in w.times():
            passing *= fade
            while t >= due:
                passing += size * uni(noise, 0.5, 1.5)
                due += expo(noise, gap)
            yield 1 + 0.85 * w.gain * t / w.life + passing + 0.3 * w.hum()
    return finish(w, values())


@family("public", "leak")
def cache_then_leak(shape, noise):
    """A cache that fills and levels off, with a leak underneath."""
    w = Leaker(shape, noise)
    cache = uni(shape, 0.2, 0.6) * w.gain
    tau = w.life * uni(shape, 0.01, 0.08)
    return finish(w, (1 + cache * rises(t, tau) + (w.gain - cache) * t / w.life + w.hum() for t in w.times()))


@family("public", "leak")
def irregular_leak(shape, noise):
    """A plain leak, badly sampled."""
    path = choice(shape, (linear_leak, gc_floor_leak))(shape, noise)
    path.irregular = True
    return path


# Healthy -----------------------------------------------------------------------------------------


@family("public", "ok")
def flat(shape, noise):
    w = Healthy(shape, noise)
    return Path(w, [1 + w.hum() for _ in w.times()])


@family("public", "ok")
def gc_sawtooth(shape, noise):
    """A collected heap with a steady floor."""
    w = Healthy(shape, noise)
    saw = Sawtooth(shape, noise, w.span, w.dt)
    sway = wander(noise, uni(shape, 0.0, 0.08), 0.05 * w.n)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    return Path(w, [saw(1 + abs(sway()), w.dt, load=load(t)) for t in w.times()], metric="heap")


@family("public", "ok")
def cache_warmup(shape, noise):
    """One or two caches that fill and level off."""
    w = Healthy(shape, noise)
    size = [logu(shape, 0.3, 5.0), logu(shape, 0.1, 1.0) * chance(shape, 0.5)]
    tau = [w.span * logu(shape, 0.01, 0.2), w.span * logu(shape, 0.05, 0.35)]
    return Path(w, [1 + sum(s * rises(t, k) for s, k in zip(size, tau)) + w.hum() for t in w.times()])


@family("public", "ok")
def step_growth(shape, noise):
    """A few deployments load more code for good."""
    w = Healthy(shape, noise)
    steps = [(uni(shape, 0, w.span), uni(shape, 0.05, 0.5)) for _ in range(many(shape, 1, 5))]
    return Path(w, [1 + sum(s for at, s in steps if t >= at) + w.hum() for t in w.times()])


@family("public", "ok")
def ramp_plateau(shape, noise):
    """A huge ramp of minutes, at the start or later, then a long plateau."""
    w = Healthy(shape, noise)
    span = min(0.1 * w.span, logu(shape, 2 * MINUTE, 30 * MINUTE))
    at = 0.0 if chance(shape, 0.6) else uni(shape, 0.1, 0.9) * w.span
    height = logu(shape, 0.5, 20)
    return Path(w, [1 + height * ramp(t - at, span) + w.hum() for t in w.times()])


@family("public", "ok")
def slow_release(shape, noise):
    """Bursts that are returned slowly (madvise, trim)."""
    w = Healthy(shape, noise)
    gap = w.span / logu(shape, 3, 40)
    fade = math.exp(-w.dt / (gap * uni(shape, 0.1, 0.8)))
    part = min(1.0, w.dt / (gap * uni(shape, 0.0, 0.3) + w.dt))
    size = logu(shape, 0.2, 2.0)
    values, passing, pending, due = [], 0.0, 0.0, expo(noise, gap)
    for t in w.times():
        passing *= fade
        while t >= due:
            pending += size * uni(noise, 0.5, 1.5)
            due += expo(noise, gap)
        passing += pending * part
        pending -= pending * part
        values.append(1 + passing + w.hum())
    return Path(w, values)


@family("public", "ok")
def diurnal(shape, noise):
    """The memory of the requests that are under way."""
    w = Healthy(shape, noise)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.span))
    swing = logu(shape, 0.05, 1.0)
    return Path(w, [1 + swing * load(t) + w.hum() for t in w.times()])


@family("public", "ok")
def weekly(shape, noise):
    """Working days and week-ends."""
    w = Healthy(shape, noise, lo=8 * DAY, hi=28 * DAY)
    load = Load(shape, noise, w.dt, DAY, weekend=True)
    swing = logu(shape, 0.1, 1.0)
    return Path(w, [1 + swing * load(t) + w.hum() for t in w.times()])


@family("public", "ok")
def random_walk(shape, noise):
    """No drift: a walk between two walls, or one that is pulled back."""
    w = Healthy(shape, noise)
    high, normal = logu(shape, 0.2, 2.0), gauss(noise)
    step = high / math.sqrt(w.n) * uni(shape, 0.5, 3.0)
    pull = w.dt / (w.span * logu(shape, 0.02, 0.3)) if chance(shape, 0.5) else 0.0
    values, v = [], 0.5 * high
    for _ in w.times():
        v += step * normal() - pull * (v - 0.5 * high)
        v = abs(v) if v < high else 2 * high - v
        values.append(1 + v)
    return Path(w, values)


@family("public", "ok")
def batch(shape, noise):
    """A job that ramps up steadily, ends, and gives everything back."""
    w = Healthy(shape, noise)
    period = DAY if w.span > 3 * DAY and chance(shape, 0.6) else w.span / uni(shape, 4, 30)
    share, height, phase = uni(shape, 0.05, 0.6), logu(shape, 0.3, 4.0), shape.random()
    shape.keeps_time = True
    values, last, scale = [], -1, 1.0
    for t in w.times():
        cycle, s = divmod(t / period + phase, 1.0)
        if cycle != last:
            last, scale = cycle, uni(noise, 0.7, 1.3)
        values.append(1 + (height * scale * s / share if s < share else 0.0) + w.hum())
    return Path(w, values)


@family("public", "ok")
def restarts(shape, noise):
    """Restarted every now and then, with a warm-up each time."""
    w = Healthy(shape, noise)
    cuts = sorted(uni(shape, 0.03, 0.97) * w.span for _ in range(many(shape, 2, 8)))
    size, tau = logu(shape, 0.3, 4.0), w.span * logu(shape, 0.003, 0.05)
    values, incs, since, inc = [], [], 0.0, 0
    for t in w.times():
        while inc < len(cuts) and t >= cuts[inc]:
            since, inc = t, inc + 1
        values.append(1 + size * rises(t - since, tau) + w.hum())
        incs.append(inc)
    return Path(w, values, incs=incs)


@family("public", "ok")
def arena_pool(shape, noise):
    """Threads take arenas up to a fixed number of them."""
    w = Healthy(shape, noise)
    most = int(logu(shape, 4, 64))
    mean = w.span * logu(shape, 0.02, 0.25)
    size = logu(shape, 0.5, 6.0) / most
    values, taken = [], 0
    for _ in w.times():
        if taken < most and chance(noise, -math.expm1(-w.dt / mean * (most - taken))):
            taken += 1
        values.append(1 + size * taken)
    return Path(w, values, metric="virtual")


@family("public", "ok")
def module_plateau(shape, noise):
    """Plug-ins are loaded on first use until all of them are in."""
    w = Healthy(shape, noise)
    most = int(logu(shape, 20, 400))
    mean = w.span * logu(shape, 0.01, 0.15)
    size = logu(shape, 0.3, 3.0) / most
    base = many(shape, 60, 199)
    values, loaded, count = [], 0, []
    for _ in w.times():
        for _ in range(3):
            if loaded < most and chance(noise, -math.expm1(-w.dt / mean * (most - loaded) / 3)):
                loaded += 1
        values.append(1 + size * loaded + 0.2 * abs(w.hum()))
        count.append(base + loaded)
    return Path(w, values, metric="virtual", columns={"modules": count})


@family("public", "ok")
def bursty(shape, noise):
    """Heavy-tailed requests; everything is returned."""
    w = Healthy(shape, noise)
    comes = arrivals(noise, w.dt, w.span / logu(shape, 30, 600))
    tail = uni(shape, 1.3, 2.5)
    fade = math.exp(-w.dt * logu(shape, 30, 400) / w.span)
    size = logu(shape, 0.05, 0.5)
    values, passing = [], 0.0
    for _ in w.times():
        if comes():
            passing += size * pareto(noise, tail, 30)
        passing *= fade
        values.append(1 + passing + w.hum())
    return Path(w, values)


@family("public", "ok")
def irregular_ok(shape, noise):
    """A healthy process, badly sampled."""
    path = choice(shape, (flat, gc_sawtooth, diurnal, cache_warmup))(shape, noise)
    path.irregular = True
    return path
