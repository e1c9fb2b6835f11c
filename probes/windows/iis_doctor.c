/* What the doctor says of IIS. */
#include "probes/windows/iis.h"

#include <inttypes.h>
#include <stdio.h>

struct doctor {
    oc_ability_fn *fn;
    void *context;
};

/*
 * `memory` counts reserved address space. A 64-bit .NET reserves tens of GiB as it starts, so such a worker would be recycled
 * over and over.
 */
static void look_at(const struct oc_app_pool *pool, void *context)
{
    const struct doctor *doctor = context;
    struct oc_ability ability = { .figure = "IIS periodicRestart memory", .rc = OC_E_INVAL };

    if (pool->is_32bit || pool->memory_bytes == 0)
        return;
    (void)snprintf(ability.why, sizeof(ability.why),
                   "pool %.60s is 64-bit: .NET reserves more than its %" PRIu64 " MiB at its start",
                   pool->name, pool->memory_bytes >> 20);
    (void)snprintf(ability.mend, sizeof(ability.mend),
                   "set recycling/periodicRestart memory of the pool to 0 and, where it is to be "
                   "recycled by memory, privateMemory");
    doctor->fn(&ability, doctor->context);
}

int oc_win_iis_doctor(struct oc_win *win, oc_ability_fn *fn, void *context)
{
    struct doctor doctor = { .fn = fn, .context = context };
    struct oc_ability ability = { .figure = "IIS application pools" };
    struct oc_detail detail = { .line = 0 };
    int rc = oc_win_iis_pools(win, look_at, &doctor, &detail);

    if (rc == OC_E_NOMEM || rc == OC_E_NOTSUP)
        return rc == OC_E_NOMEM ? rc : OC_OK;
    if (rc < 0) {
        ability.rc = rc;
        (void)snprintf(ability.why, sizeof(ability.why), "%.150s",
                       detail.text[0] ? detail.text : oc_err_text(rc));
        if (rc == OC_E_DENIED)
            (void)snprintf(ability.mend, sizeof(ability.mend),
                           "run as an administrator, or let the service do it");
    }
    fn(&ability, context);
    return OC_OK;
}
