"""Other leaks that real programs show; those of the set "held" are for judging alone, never for fitting."""
import math

from parts import (DAY, HOUR, MINUTE, WEEK, WIDE, Leaker, Load, Path, Sawtooth, arrivals, chance, choice,
                   cycle_length, expo, family, finish, gauss, lives, logu, many, pareto, pick_interval, rises, uni,
                   until_full, wander)

SILENT = 0.15   # of the processes: nothing moves by chance but what the family says


def leaker(shape, noise, **more):
    w = Leaker(shape, noise, intervals=WIDE, **more)
    if chance(shape, SILENT):
        w.hum = lambda: 0.0
    return w


@family("other", "leak")
def night_batch_leak(shape, noise):
    """A job leaks while it runs, for some hours a day; the rest of the day is flat."""
    w = leaker(shape, noise, lo=4 * HOUR, hi=20 * DAY)
    period = DAY if w.life > 4 * DAY else w.life / uni(shape, 4, 14)
    part, phase = uni(shape, 0.05, 0.4), shape.random()
    working = uni(shape, 0.0, 0.15) * w.gain
    rate = (w.gain - working) / w.life / part
    shape.keeps_time = True

    def values():
        leaked = 0.0
        for t in w.times():
            runs = (t / period + phase) % 1.0 < part
            leaked += rate * w.dt * runs
            yield 1 + leaked + working * runs + w.hum()
    return finish(w, values())


@family("other", "leak")
def plain_leak(shape, noise):
    """A thing a round, and a round by a timer: a straight line from the start to the end, with hardly any hum."""
    w = leaker(shape, noise, lo=5 * MINUTE, hi=4 * DAY)
    hum = 0.0 if chance(shape, 0.5) else logu(shape, 0.01, 1.0)
    step = w.gain / logu(shape, 50, 2000) if chance(shape, 0.5) else 0.0
    straight = (w.gain * t / w.life for t in w.times())
    return finish(w, (1 + (math.floor(x / step) * step if step else x) + hum * w.hum() for x in straight))


@family("other", "leak")
def two_rate_leak(shape, noise):
    """Slow from the start; a change of traffic or of settings makes it three to twenty times as fast."""
    w = leaker(shape, noise)
    turn, factor = uni(shape, 0.2, 0.75) * w.life, logu(shape, 3, 20)
    rate = w.gain / (turn + factor * (w.life - turn))
    return finish(w, (1 + rate * (min(t, turn) + factor * max(0.0, t - turn)) + w.hum() for t in w.times()))


@family("other", "leak")
def fading_leak(shape, noise):
    """Slower and slower, but it never stops: a power of time below one."""
    w = leaker(shape, noise)
    power = uni(shape, 0.5, 0.85)
    return finish(w, (1 + w.gain * (t / w.life) ** power + w.hum() for t in w.times()))


@family("other", "leak")
def heap_steps_leak(shape, noise):
    """The heap is committed in steps of a factor, as far as the live set and its garbage need."""
    w = leaker(shape, noise, base=(0.03, 0.25))
    step, spare = uni(shape, 1.06, 1.5), uni(shape, 1.2, 1.8)
    saw = Sawtooth(shape, noise, w.life, w.dt) if chance(shape, 0.4) else None

    def values():
        committed = spare
        for t in w.times():
            live = 1 + (w.limit / spare - 1) * t / w.life
            while committed < spare * live:
                committed *= step
            yield committed * (1 if saw is None else min(1.0, saw(0.6, w.dt))) + 0.1 * w.hum()
    return finish(w, values(), metric="rss")


@family("other", "leak")
def gogc_leak(shape, noise):
    """A heap that is collected at a factor of its live set and given back slowly; the live set leaks."""
    w = leaker(shape, noise, base=(0.05, 0.3))
    factor = choice(shape, (1.0, 1.0, 0.5, 2.0))
    fade = math.exp(-1.0 / logu(shape, 1, 30))
    top = w.limit / (1 + factor)

    def values():
        resident = 1.0
        for t in w.times():
            live = 1 + max(0.0, top - 1) * t / w.life
            heap = live * (1 + factor * noise.random())
            resident = max(heap, heap + (resident - heap) * fade)
            yield resident + 0.2 * w.hum()
    return finish(w, values(), metric="rss")


@family("other", "leak")
def thrash_leak(shape, noise):
    """A capped heap: the nearer the floor comes to the cap, the more it collects and the slower it leaks."""
    w = leaker(shape, noise, base=(0.05, 0.25))
    saw = Sawtooth(shape, noise, w.life, w.dt)
    tight, least = uni(shape, 0.1, 0.3), uni(shape, 0.15, 0.5)

    def values():
        floor = 1.0
        for _ in w.times():
            room = (w.limit - floor) / w.limit
            floor += w.gain * w.dt / w.life * max(least, min(1.0, room / tight))
            yield saw(floor, w.dt, w.limit)
    return finish(w, values(), metric="heap")


@family("other", "leak")
def fleet_load_leak(shape, noise):
    """A leak per request; a fleet that is scaled halves and doubles the share of this process."""
    w = leaker(shape, noise, lo=2 * HOUR)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life), weekend=chance(shape, 0.3))
    comes = arrivals(noise, w.dt, w.life / uni(shape, 3, 20))
    working = uni(shape, 0.0, 0.15) * w.gain

    def values():
        leaked, share = 0.0, 1.0
        for t in w.times():
            if comes():
                share = choice(noise, (0.5, 0.67, 1.0, 1.5))
            now = share * load(t)
            leaked += (w.gain - working) * w.dt / w.life * now
            yield 1 + leaked + working * now + w.hum()
    return finish(w, values())


@family("other", "leak")
def worker_floor_leak(shape, noise):
    """Workers grow and are recycled under a parent that leaks: a sawtooth whose floor rises."""
    w = leaker(shape, noise)
    workers = many(shape, 1, 8)
    height = uni(shape, 0.1, 0.5) * w.gain / workers
    period = w.life / logu(shape, 8, 120)
    age = [noise.random() * period for _ in range(workers)]
    span = [uni(noise, 0.7, 1.3) * period for _ in range(workers)]

    def values():
        for t in w.times():
            grown = 0.0
            for k in range(workers):
                age[k] += w.dt
                if age[k] >= span[k]:
                    age[k], span[k] = 0.0, uni(noise, 0.7, 1.3) * period
                grown += height * age[k] / period
            yield 1 + (w.gain - 0.8 * height * workers) * t / w.life + grown + 0.3 * w.hum()
    return finish(w, values(), metric="container")


@family("other", "leak")
def mapping_leak(shape, noise):
    """Mappings that are never unmapped, two or three at a time, up to vm.max_map_count."""
    w = leaker(shape, noise)
    w.limit = choice(shape, (65530, 65530, 16384, 262144))
    own = uni(shape, 150, 0.1 * w.limit)
    lump = many(shape, 1, 3)
    pace = wander(noise, uni(shape, 0.05, 0.5), w.life / w.dt / 40)

    def values():
        leaked = 0.0
        for _ in w.times():
            leaked += (w.limit - own) * w.dt / w.life * math.exp(pace())
            yield int(own) + lump * int(leaked / lump)
    return finish(w, values(), metric="mappings", base_bytes=1, page=1)


@family("other", "leak")
def host_aging_leak(shape, noise):
    """A machine ages: what is used creeps up under the coming and going of many processes."""
    w = leaker(shape, noise, lo=12 * HOUR, hi=20 * DAY, base=(0.3, 0.75))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life))
    swing = uni(shape, 0.0, 0.15) * w.gain
    walk = wander(noise, uni(shape, 0.01, 0.06) * w.gain, w.life / w.dt * logu(shape, 0.003, 0.05))
    top = w.gain - 1.6 * swing
    return finish(w, (1 + top * t / w.life + swing * load(t) + walk() + w.hum() for t in w.times()),
                  metric="host used")


@family("other", "leak")
def piecewise_leak(shape, noise):
    """Each release, or each kind of work, leaks at another rate."""
    w = leaker(shape, noise)
    cuts = sorted(shape.random() for _ in range(many(shape, 2, 7))) + [9.0]
    rates = [logu(shape, 0.3, 3) for _ in cuts]

    def values():
        leaked, k = 0.0, 0
        for t in w.times():
            while t >= cuts[k] * w.life:
                k += 1
            leaked += rates[k] * w.gain * w.dt / w.life
            yield 1 + leaked + w.hum()
    return finish(w, values())


@family("other", "leak")
def quiet_burst_leak(shape, noise):
    """Few lumps of very different size with long quiet between them."""
    w = leaker(shape, noise)
    n, tail = many(shape, 10, 40), uni(shape, 1.5, 3)
    comes = arrivals(noise, w.dt, w.life / n)
    quiet = wander(noise, 1.0, w.life / w.dt / n)

    def values():
        level = 1.0
        for _ in w.times():
            sleeps = quiet() < -0.7
            if comes() and not sleeps:
                level += 1.3 * w.gain / n * pareto(noise, tail, 4)
            yield level + 0.3 * w.hum()
    return finish(w, values())


@family("other", "leak")
def session_leak(shape, noise):
    """Sessions are kept for a time to live, and some of them for ever."""
    w = leaker(shape, noise, lo=HOUR)
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life))
    alive, fade = uni(shape, 0.1, 0.4) * w.gain, w.dt / (w.life * logu(shape, 0.005, 0.1))
    top = w.gain - 1.3 * alive

    def values():
        sessions = leaked = 0.0
        for t in w.times():
            now = load(t)
            sessions += (now - sessions) * min(1.0, fade)
            leaked += top * w.dt / w.life * now
            yield 1 + alive * sessions + leaked + w.hum()
    return finish(w, values())


@family("other", "leak")
def crash_loop_leak(shape, noise):
    """Leaks to its end in every life, and is started again each time."""
    w = leaker(shape, noise, lo=10 * MINUTE, hi=2 * DAY)
    n = many(shape, 2, 6)
    paces = [uni(noise, 0.7, 1.4) for _ in range(n)]
    warm = w.life * uni(shape, 0.002, 0.03)
    w.dt = pick_interval(shape, w.life * sum(paces), w.life, WIDE)
    values, incs, start = [], [], 0
    for inc, pace in enumerate(paces):
        life = (1 - 0.5 * math.exp(-i * w.dt / warm) + w.gain * i * w.dt / w.life / pace + w.hum()
                for i in range(int(4 * w.life / w.dt)))
        part, full = until_full(w, life)
        if not full:
            raise ValueError("a leaking process did not reach its limit")
        start = len(values)
        values += part
        incs += [inc] * len(part)
    return Path(w, values, start=start, incs=incs)


@family("other", "leak")
def warm_then_slow_leak(shape, noise):
    """A long warm-up to most of what it needs, then a slow leak over the rest under its daily load."""
    w = leaker(shape, noise, lo=6 * HOUR, hi=20 * DAY, base=(0.1, 0.4))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life))
    warm, tau = uni(shape, 0.3, 0.7) * w.gain, w.life * logu(shape, 0.02, 0.15)
    swing = uni(shape, 0.02, 0.12) * w.gain
    top = w.gain - warm - 1.5 * swing
    return finish(w, (1 + warm * rises(t, tau) + top * t / w.life + swing * load(t) + w.hum() for t in w.times()))


# Held back ---------------------------------------------------------------------------------------


@family("held", "leak")
def keepalive_leak(shape, noise):
    """Connections fill up to a plateau; each one that is closed leaves something behind."""
    w = leaker(shape, noise)
    pool, tau = uni(shape, 0.1, 0.45) * w.gain, w.life * logu(shape, 0.01, 0.1)
    churn = wander(noise, uni(shape, 0.02, 0.2), w.life / w.dt / 30)
    top = w.gain - pool

    def values():
        leaked = 0.0
        for t in w.times():
            open_now = rises(t, tau) * math.exp(churn())
            leaked += top * w.dt / w.life * open_now
            yield 1 + pool * open_now + leaked + w.hum()
    return finish(w, values())


@family("held", "leak")
def pausing_leak(shape, noise):
    """A leak that stands still while nothing is asked of the process: nights out, week-ends, long pauses."""
    w = leaker(shape, noise)
    gap = w.life / uni(shape, 3, 10)
    idle = uni(shape, 0.15, 0.5)

    def values():
        leaked, until, busy = 0.0, expo(noise, gap), True
        for t in w.times():
            if t >= until:
                busy = not busy
                until = t + expo(noise, gap * (1 if busy else idle / (1 - idle)))
            leaked += busy * w.gain * w.dt / w.life / (1 - idle)
            yield 1 + leaked + w.hum()
    return finish(w, values())


@family("held", "leak")
def drift_walk_leak(shape, noise):
    """A random walk with a drift that wins in the long run."""
    w = leaker(shape, noise)
    n = w.life / w.dt
    step, normal = uni(shape, 0.05, 0.25) * w.gain / math.sqrt(n), gauss(noise)

    def values():
        v = 1.0
        for _ in w.times():
            v = max(0.5, v + w.gain / n + step * normal())
            yield v
    return finish(w, values())


@family("held", "leak")
def thread_leak(shape, noise):
    """Threads that wait for ever, above those of a pool."""
    w = leaker(shape, noise)
    w.limit = choice(shape, (512, 1024, 4096, 32768))
    pool, tau = uni(shape, 0.02, 0.15) * w.limit, w.life * logu(shape, 0.005, 0.1)
    comes = arrivals(noise, w.dt, max(w.dt, w.life / (w.limit - pool)))
    lump = max(1.0, (w.limit - pool) * w.dt / w.life)

    def values():
        stuck = 0.0
        for t in w.times():
            if comes():
                stuck += lump / 0.632 if lump > 1 else 1
            yield 5 + int(pool * rises(t, tau)) + int(stuck) + many(noise, 0, 2)
    return finish(w, values(), metric="threads", base_bytes=1, page=1)


@family("held", "leak")
def tmpfs_leak(shape, noise):
    """Files in memory: most are removed after a while, the rest is forgotten."""
    w = leaker(shape, noise)
    n = logu(shape, 30, 400)
    comes, kept = arrivals(noise, w.dt, w.life / n), uni(shape, 0.2, 0.8)
    tail, stay = uni(shape, 1.5, 3), w.life * logu(shape, 0.005, 0.05)

    def values():
        level, gone = 1.0, []
        for t in w.times():
            if comes():
                size = w.gain / n / kept * pareto(noise, tail, n / 10)
                level += size
                if chance(noise, 1 - kept):
                    gone.append((t + expo(noise, stay), size))
            for end, size in gone:
                level -= size * (end <= t)
            gone = [g for g in gone if g[0] > t]
            yield level + 0.1 * w.hum()
    return finish(w, values(), metric="container")


@family("held", "leak")
def switched_on_leak(shape, noise):
    """Warm and at rest under its load for long; then something is switched on that leaks per request."""
    w = leaker(shape, noise, before=logu(shape, 0.5, 8.0), lo=HOUR, hi=4 * DAY, base=(0.1, 0.4))
    load = Load(shape, noise, w.dt, cycle_length(shape, w.life + w.before))
    swing, warm = uni(shape, 0.02, 0.15) * w.gain, (w.life + w.before) * logu(shape, 0.003, 0.04)
    top = w.gain - 1.5 * swing

    def values():
        leaked = 0.0
        for t in w.times():
            now = load(t)
            if t >= w.before:
                leaked += top * w.dt / w.life * now
            yield 1 - 0.5 * math.exp(-t / warm) + leaked + swing * now + 0.3 * w.hum()
    first = int(math.ceil(w.before / w.dt))
    return finish(w, values(), start=first, ok_until=first)


@family("held", "leak")
def month_trend_leak(shape, noise):
    """Weeks to the limit, in working hours alone, with a restart on the way now and then."""
    w = leaker(shape, noise, lo=2 * WEEK, hi=8 * WEEK)
    load = Load(shape, noise, w.dt, DAY, swing=uni(shape, 0.6, 0.95), weekend=True)
    cuts = [uni(shape, 0.1, 0.5) * w.life] if chance(shape, 0.5) else []
    swing = uni(shape, 0.02, 0.1) * w.gain
    incs = []

    def values():
        leaked = 0.0
        for t, inc, age in lives(w, cuts):
            now = load(t)
            leaked = 0.0 if age == 0 else leaked + (w.gain - 1.5 * swing) * w.dt / w.life * now
            incs.append(inc)
            yield 1 + leaked + swing * now + w.hum()
    path = finish(w, values(), incs=incs)
    path.start = path.incs.index(len(cuts))
    return path
