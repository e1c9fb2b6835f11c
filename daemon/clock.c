#include "daemon/clock.h"

#include "base/os.h"

#include <stdlib.h>

#define NS_PER_MS 1000000
#define SUSPEND_MS 100 /* less is the noise of reading two clocks one after the other */
#define JUMP_MS 250

struct oc_clock_reading oc_clock_read(void)
{
    return (struct oc_clock_reading){
        .mono_ns = oc_clock_mono_ns(),
        .boot_ns = oc_clock_boot_ns(),
        .unix_ms = oc_clock_unix_ms(),
    };
}

void oc_clock_start(struct oc_clock *clock, const struct oc_clock_reading *reading)
{
    *clock = (struct oc_clock){
        .boot_minus_mono_ms = (reading->boot_ns - reading->mono_ns) / NS_PER_MS,
        .unix_minus_boot_ms = reading->unix_ms - reading->boot_ns / NS_PER_MS,
    };
}

int oc_clock_update(struct oc_clock *clock, const struct oc_clock_reading *reading,
                    int64_t *out_moved_ms)
{
    int64_t boot_ms = (reading->boot_ns - reading->mono_ns) / NS_PER_MS;
    int64_t unix_ms = reading->unix_ms - reading->boot_ns / NS_PER_MS;
    int changes = 0;

    if (boot_ms - clock->boot_minus_mono_ms >= SUSPEND_MS) {
        *out_moved_ms = boot_ms - clock->boot_minus_mono_ms;
        clock->boot_minus_mono_ms = boot_ms;
        clock->suspends++;
        changes |= OC_CLOCK_SUSPENDED;
    }
    if (llabs(unix_ms - clock->unix_minus_boot_ms) >= JUMP_MS) {
        *out_moved_ms = unix_ms - clock->unix_minus_boot_ms;
        clock->unix_minus_boot_ms = unix_ms;
        clock->jumps++;
        changes |= OC_CLOCK_JUMPED;
    }
    return changes;
}

int64_t oc_clock_boot_ms(const struct oc_clock *clock, int64_t mono_ms)
{
    return mono_ms + clock->boot_minus_mono_ms;
}
