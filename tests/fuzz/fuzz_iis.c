/* IIS's configuration: whoever may write it names pools; a worker's own copy may be anybody's. */
#include "probes/windows/iis.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct oc_win_pool *pool, void *context)
{
    size_t *count = context;

    (*count)++;
    if (!memchr(pool->name, '\0', sizeof(pool->name)) || !pool->name[0] ||
        pool->plan.time_count > OC_PLAN_TIMES_MAX || pool->plan.every_ms < 0 ||
        pool->plan.idle_ms < 0)
        abort();
    for (unsigned i = 0; i < pool->plan.time_count; i++) {
        if (pool->plan.minutes[i] >= 1440 ||
            (i > 0 && pool->plan.minutes[i] <= pool->plan.minutes[i - 1]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_detail detail = { 0 };
    size_t count = 0;
    int rc = oc_win_iis_parse((const char *)data, size, look_at, &count, &detail);

    if (rc > 0 && (size_t)rc != count)
        abort();
    return 0;
}
