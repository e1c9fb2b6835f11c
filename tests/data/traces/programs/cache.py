"""A cache in front of a slow source: cache.py ENTRIES PER_SECOND; 0 entries: it forgets nothing."""
import collections
import random
import sys
import time

most, rate = int(sys.argv[1]), int(sys.argv[2])
cache = collections.OrderedDict()
while True:
    for _ in range(int(rate / 10 * random.uniform(0.5, 1.5))):
        key = int(random.paretovariate(0.4))
        if key in cache:
            cache.move_to_end(key)
        else:
            cache[key] = bytes(random.randrange(200, 6000))
        if most and len(cache) > most:
            cache.popitem(last=False)
    time.sleep(0.1)
