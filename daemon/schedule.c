#include "daemon/schedule.h"

#include <assert.h>

/* 2^32 over the golden ratio: its multiples modulo 2^32 leave no two of them close. */
#define SPREAD UINT32_C(2654435769)
#define MIN_TOLERANCE_MS 5

void oc_schedule_init(struct oc_schedule *schedule, int64_t now_mono_ms, int64_t interval_ms,
                      uint32_t index)
{
    uint64_t fraction = (uint32_t)(index * SPREAD);
    int64_t phase_ms = (int64_t)((fraction * (uint64_t)interval_ms) >> 32);

    assert(interval_ms > 0);
    schedule->interval_ms = interval_ms;
    schedule->base_ms = now_mono_ms - now_mono_ms % interval_ms + phase_ms;
    if (schedule->base_ms <= now_mono_ms)
        schedule->base_ms += interval_ms;
    schedule->next = 0;
}

int64_t oc_schedule_next_ms(const struct oc_schedule *schedule)
{
    return schedule->base_ms + schedule->next * schedule->interval_ms;
}

int64_t oc_schedule_tolerance_ms(int64_t interval_ms)
{
    return interval_ms / 100 > MIN_TOLERANCE_MS ? interval_ms / 100 : MIN_TOLERANCE_MS;
}

int oc_schedule_take(struct oc_schedule *schedule, int64_t now_mono_ms, struct oc_due *out_due)
{
    int64_t behind_ms = now_mono_ms - oc_schedule_next_ms(schedule);

    if (behind_ms < 0)
        return 0;
    out_due->skipped = behind_ms / schedule->interval_ms;
    schedule->next += out_due->skipped;
    out_due->due_mono_ms = oc_schedule_next_ms(schedule);
    out_due->late =
        now_mono_ms - out_due->due_mono_ms > oc_schedule_tolerance_ms(schedule->interval_ms);
    schedule->next++;
    return 1;
}
