#include "cli/show/calendar.h"

#include "base/os.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

static int64_t offset_ms(int64_t unix_ms)
{
    struct oc_civil civil;

    oc_civil_from_unix_ms(unix_ms, &civil);
    return civil.offset_minutes * MINUTE_MS;
}

/* local_ms counts as if the local clock had never been changed; what it shows twice is the first. */
static int64_t local_to_unix(int64_t local_ms)
{
    int64_t before_ms = offset_ms(local_ms - DAY_MS), after_ms = offset_ms(local_ms + DAY_MS);

    if (offset_ms(local_ms - before_ms) != before_ms && offset_ms(local_ms - after_ms) == after_ms)
        return local_ms - after_ms;
    return local_ms - before_ms; /* also for what the clock leaps over: as late as if it had not */
}

static int64_t round_down(int64_t ms, int64_t step_ms)
{
    int64_t over = ms % step_ms;

    return ms - (over < 0 ? over + step_ms : over);
}

int64_t oc_calendar_begin(int64_t unix_ms, int64_t step_ms)
{
    int64_t shift_ms = offset_ms(unix_ms);
    int64_t local_ms = round_down(unix_ms + shift_ms, step_ms);
    int64_t begin_ms;

    if (step_ms <= HOUR_MS)
        return local_ms - shift_ms;
    for (begin_ms = local_to_unix(local_ms); begin_ms > unix_ms; begin_ms = local_to_unix(local_ms))
        local_ms -= step_ms;
    return begin_ms;
}

int64_t oc_calendar_next(int64_t begin_ms, int64_t step_ms)
{
    int64_t local_ms = round_down(begin_ms + offset_ms(begin_ms), step_ms);
    int64_t next_ms = begin_ms;

    if (step_ms <= HOUR_MS)
        return begin_ms + step_ms;
    while (next_ms <= begin_ms) {
        local_ms += step_ms;
        next_ms = local_to_unix(local_ms);
    }
    return next_ms;
}
