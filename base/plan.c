#include "base/plan.h"

#include "base/os.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(1440) * MINUTE_MS)
#define DAYS_LOOKED_AT 3 /* a time of the day may not exist on the day that the clocks change */

int oc_plan_is_known(const struct oc_plan *plan)
{
    return plan->every_ms > 0 || plan->idle_ms > 0 || plan->requests > 0 || plan->time_count > 0;
}

static int64_t scheduled(uint16_t minute, int64_t day_unix_ms)
{
    struct oc_civil civil = { 0 };

    oc_civil_from_unix_ms(day_unix_ms, &civil);
    civil.hour = minute / 60;
    civil.minute = minute % 60;
    civil.second = civil.millisecond = 0;
    return oc_civil_to_unix_ms(&civil);
}

static void earlier(int64_t *best, int64_t at, int64_t now_unix_ms)
{
    if (at > now_unix_ms && (*best == 0 || at < *best))
        *best = at;
}

int64_t oc_plan_next_unix_ms(const struct oc_plan *plan, int64_t start_unix_ms, int64_t now_unix_ms)
{
    int64_t best = 0;

    if (plan->every_ms > 0 && start_unix_ms > 0)
        earlier(&best, start_unix_ms + plan->every_ms, now_unix_ms);
    for (int day = 0; day < DAYS_LOOKED_AT; day++) {
        for (unsigned i = 0; i < plan->time_count && i < OC_PLAN_TIMES_MAX; i++)
            earlier(&best, scheduled(plan->minutes[i], now_unix_ms + day * DAY_MS), now_unix_ms);
    }
    return best;
}
