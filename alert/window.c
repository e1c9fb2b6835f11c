/* Recurring times of the config, by local time: maintenance, and planned ends of lives. */
#include "alert/engine.h"

#include "base/os.h"

#define DAY_MINUTES 1440
#define WEEK_DAYS 7
#define MINUTE_MS INT64_C(60000)
#define LOOK_MS MINUTE_MS /* windows are of whole minutes */

/* 0 Sunday … 6 Saturday (Sakamoto). */
static int weekday_of(const struct oc_civil *civil)
{
    static const int shift[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 };
    int year = civil->year - (civil->month < 3);

    return (year + year / 4 - year / 100 + year / 400 + shift[civil->month - 1] + civil->day) %
           WEEK_DAYS;
}

static int is_of_day(const struct oc_window *window, int weekday)
{
    return window->days == 0 || (window->days >> weekday & 1u);
}

int oc_window_is_on(const struct oc_window *window, int64_t unix_ms)
{
    struct oc_civil civil;
    int weekday = 0;
    int64_t since_ms = 0;

    oc_civil_from_unix_ms(unix_ms, &civil);
    weekday = weekday_of(&civil);
    since_ms = ((int64_t)civil.hour * 60 + civil.minute - window->begin_minute) * MINUTE_MS +
               (int64_t)civil.second * 1000;
    /* it may have begun on an earlier day */
    for (int back = 0; back <= WEEK_DAYS; back++) {
        if (since_ms >= 0 && since_ms < window->duration_ms &&
            is_of_day(window, (weekday - back % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS))
            return 1;
        since_ms += DAY_MINUTES * MINUTE_MS;
    }
    return 0;
}

int64_t oc_window_next(const struct oc_window *window, int64_t unix_ms)
{
    struct oc_civil civil;
    int weekday = 0;

    oc_civil_from_unix_ms(unix_ms, &civil);
    weekday = weekday_of(&civil);
    civil.hour = window->begin_minute / 60;
    civil.minute = window->begin_minute % 60;
    civil.second = civil.millisecond = 0;
    for (int ahead = 0; ahead <= WEEK_DAYS; ahead++) {
        int64_t begin_ms = oc_civil_to_unix_ms(&civil); /* a day beyond the month's is the next's */

        if (begin_ms > unix_ms && is_of_day(window, (weekday + ahead) % WEEK_DAYS))
            return begin_ms;
        civil.day++;
    }
    return OC_NEVER;
}

int64_t oc_window_next_restart(const struct oc_alerts *alerts,
                               const struct oc_engine_subject *subject)
{
    int64_t next_ms = OC_NEVER;
    uint64_t bits = subject->set ? subject->set->windows : 0;

    for (unsigned i = 0; bits; i++, bits >>= 1) {
        if ((bits & 1u) && alerts->next_restart_ms[i] < next_ms)
            next_ms = alerts->next_restart_ms[i];
    }
    return next_ms;
}

int oc_window_tick(struct oc_alerts *alerts, int64_t now_ms)
{
    uint64_t active = 0;
    int has_changed = 0;

    if (now_ms < alerts->windows_due_ms)
        return 0;
    alerts->windows_due_ms = OC_NEVER;
    for (size_t i = 0; i < alerts->windows.count && i < OC_WINDOWS_MAX; i++) {
        const struct oc_window *window = &alerts->windows.items[i];

        alerts->windows_due_ms = (now_ms / LOOK_MS + 1) * LOOK_MS;
        alerts->next_restart_ms[i] = window->is_restart ? oc_window_next(window, now_ms) : OC_NEVER;
        if (!window->is_restart && oc_window_is_on(window, now_ms))
            active |= UINT64_C(1) << i;
    }
    has_changed = active != alerts->active_windows;
    alerts->active_windows = active;
    return has_changed;
}
