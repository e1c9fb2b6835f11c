#include "base/plan.h"

#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(1440) * MINUTE_MS)
#define DAYS_LOOKED_AT 3 /* a time of the day may not exist on the day that the clocks change */

int oc_plan_is_known(const struct oc_plan *plan)
{
    return plan->every_ms > 0 || plan->idle_ms > 0 || plan->requests > 0 || plan->time_count > 0;
}

int oc_plan_is_same(const struct oc_plan *a, const struct oc_plan *b)
{
    if (a->every_ms != b->every_ms || a->idle_ms != b->idle_ms || a->requests != b->requests ||
        a->unlogged != b->unlogged || a->time_count != b->time_count)
        return 0;
    for (unsigned i = 0; i < a->time_count && i < OC_PLAN_TIMES_MAX; i++) {
        if (a->minutes[i] != b->minutes[i])
            return 0;
    }
    return 1;
}

/* Appends a part; what has no room is left out. */
static void say(char *out, const char *how, const char *value)
{
    size_t used = strlen(out);
    int bytes = 0;

    if (used > 0 && used + 3 < OC_PLAN_TEXT_BYTES) {
        memcpy(out + used, ", ", 3);
        used += 2;
    }
    bytes = snprintf(out + used, OC_PLAN_TEXT_BYTES - used, "%s%s", how, value);
    if (bytes < 0 || used + (size_t)bytes >= OC_PLAN_TEXT_BYTES)
        out[used > 2 ? used - 2 : 0] = '\0';
}

const char *oc_plan_text(const struct oc_plan *plan, char out_text[OC_PLAN_TEXT_BYTES])
{
    char value[32];

    out_text[0] = '\0';
    if (plan->every_ms > 0)
        say(out_text, "every ", oc_text_ms(plan->every_ms, value, sizeof(value)));
    for (unsigned i = 0; i < plan->time_count && i < OC_PLAN_TIMES_MAX; i++) {
        (void)snprintf(value, sizeof(value), "%02u:%02u", plan->minutes[i] / 60u,
                       plan->minutes[i] % 60u);
        say(out_text, i == 0 ? "at " : "", value);
    }
    if (plan->requests > 0) {
        (void)snprintf(value, sizeof(value), "%" PRIu32 " requests", plan->requests);
        say(out_text, "after ", value);
    }
    if (plan->idle_ms > 0)
        say(out_text, "idle for ", oc_text_ms(plan->idle_ms, value, sizeof(value)));
    return out_text;
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
