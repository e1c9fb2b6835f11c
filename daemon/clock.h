/*
 * The clocks beside each other: suspend moves CLOCK_BOOTTIME away from CLOCK_MONOTONIC, setting
 * the time moves the wall clock away from CLOCK_BOOTTIME. Pure: the readings are arguments.
 */
#ifndef OC_DAEMON_CLOCK_H
#define OC_DAEMON_CLOCK_H

#include <stdint.h>

struct oc_clock {
    int64_t boot_minus_mono_ms; /* steady but for suspend */
    int64_t unix_minus_boot_ms; /* as last told to the store */
    uint64_t suspends, jumps;
};

enum oc_clock_change { OC_CLOCK_SUSPENDED = 1, OC_CLOCK_JUMPED = 2 };

/* One reading of all three. */
struct oc_clock_reading {
    int64_t mono_ns, boot_ns, unix_ms;
};
struct oc_clock_reading oc_clock_read(void);

void oc_clock_start(struct oc_clock *clock, const struct oc_clock_reading *reading);

/*
 * Holds a new reading against the last: returns OC_CLOCK_… bits, 0 for none. A wall clock that is
 * slewed is told from a jump by nothing but size: 250 ms of difference in all is one.
 */
int oc_clock_update(struct oc_clock *clock, const struct oc_clock_reading *reading,
                    int64_t *out_moved_ms);

/* The time axis of all series at a time of the scheduling clock. */
int64_t oc_clock_boot_ms(const struct oc_clock *clock, int64_t mono_ms);

#endif
