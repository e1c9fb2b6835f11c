/*
 * When a group ticks: at base + k * interval, so that lateness never adds up. Pure: time is an
 * argument, in milliseconds of CLOCK_MONOTONIC, which stands still in suspend: a suspended
 * machine misses no tick.
 */
#ifndef OC_DAEMON_SCHEDULE_H
#define OC_DAEMON_SCHEDULE_H

#include <stdint.h>

struct oc_schedule {
    int64_t base_ms;
    int64_t interval_ms;
    int64_t next; /* number of the next tick */
};

/* A tick that is to be made now. */
struct oc_due {
    int64_t due_mono_ms; /* when it was meant */
    int64_t skipped;     /* ticks before it that came and went */
    int late;            /* now is beyond oc_schedule_tolerance_ms() of its time */
};

/*
 * The first tick is within one interval of now. index spreads the phases: groups of one interval
 * with the indices 0, 1, 2 … are far from each other, however many there are and whenever each
 * was made.
 */
void oc_schedule_init(struct oc_schedule *schedule, int64_t now_mono_ms, int64_t interval_ms,
                      uint32_t index);

int64_t oc_schedule_next_ms(const struct oc_schedule *schedule);

/* Takes the tick due at now. Returns 1, or 0 where none is due yet (*out_due untouched). */
int oc_schedule_take(struct oc_schedule *schedule, int64_t now_mono_ms, struct oc_due *out_due);

/* Within it of its time a sample bears the scheduled time: max(5 ms, 1 % of the interval). */
int64_t oc_schedule_tolerance_ms(int64_t interval_ms);

#endif
