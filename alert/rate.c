/* Messages in the last hour, by the minute: no memory but its own. */
#include "alert/dispatch_own.h"

#define MINUTE_MS 60000
#define KEPT_SHARE 5 /* a fifth of an hour's messages is for digests */

static void pass(struct oc_rate *rate, int64_t minute)
{
    if (minute - rate->minute >= OC_RATE_SLOTS) {
        *rate = (struct oc_rate){ .minute = minute };
        return;
    }
    while (rate->minute < minute) {
        uint32_t *slot = &rate->counts[(uint64_t)++rate->minute % OC_RATE_SLOTS];

        rate->sum -= *slot;
        *slot = 0;
    }
}

uint32_t oc_rate_used(struct oc_rate *rate, int64_t now_ms)
{
    pass(rate, now_ms / MINUTE_MS);
    return rate->sum;
}

void oc_rate_count(struct oc_rate *rate, int64_t now_ms)
{
    pass(rate, now_ms / MINUTE_MS);
    rate->counts[(uint64_t)rate->minute % OC_RATE_SLOTS]++;
    rate->sum++;
}

/* Slots are numbered by the minute: those of the past move with it. */
void oc_rate_shift(struct oc_rate *rate, int64_t delta_ms)
{
    const int64_t minutes = delta_ms / MINUTE_MS;
    struct oc_rate moved = { .sum = rate->sum, .minute = rate->minute + minutes };

    if (moved.minute < OC_RATE_SLOTS) {
        *rate = (struct oc_rate){ 0 };
        return;
    }
    for (int64_t back = 0; back < OC_RATE_SLOTS; back++)
        moved.counts[(uint64_t)(moved.minute - back) % OC_RATE_SLOTS] =
            rate->minute >= back ? rate->counts[(uint64_t)(rate->minute - back) % OC_RATE_SLOTS]
                                 : 0;
    *rate = moved;
}

uint32_t oc_rate_kept(uint32_t max_per_hour)
{
    if (max_per_hour <= 1)
        return 0;
    return max_per_hour < KEPT_SHARE ? 1 : max_per_hour / KEPT_SHARE;
}
