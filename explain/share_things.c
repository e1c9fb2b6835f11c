/* Shares of a count: its families, or the usages of its regions. */
#include "explain/share.h"

void oc_explain_add_family(struct oc_explain_view *view, const struct oc_evidence_family *family,
                           int64_t bytes, double part)
{
    struct oc_share *share = oc_explain_add_share(view, OC_SHARE_FAMILY, family->name, bytes);

    if (!share)
        return;
    share->count = oc_explain_change(&family->count);
    share->part = part;
    share->is_estimate = bytes != 0;
}

/* A count grew: its families are the shares. */
static void of_things(struct oc_explain_view *view, unsigned kind)
{
    const struct oc_evidence *evidence = view->evidence;

    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];
        const int64_t change = oc_explain_change(&family->count);

        if (family->kind == kind && change > 0)
            oc_explain_add_family(view, family, 0, (double)change / (double)view->out->grew_bytes);
    }
}

static void of_mappings(struct oc_explain_view *view)
{
    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
        const int64_t change = oc_explain_change(&view->evidence->usage_count[usage]);
        struct oc_share *share;

        if (change <= 0)
            continue;
        share = oc_explain_add_share(view, OC_SHARE_USAGE, oc_usage_name(usage), 0);
        if (!share)
            return;
        share->count = change;
        share->part = (double)change / (double)view->out->grew_bytes;
        view->usage_part[usage] = share->part;
    }
}

int oc_explain_share_things(struct oc_explain_view *view)
{
    switch (view->out->metric) {
    case OC_METRIC_THREADS:
    case OC_METRIC_CGROUP_TASKS:
        of_things(view, OC_FAMILY_THREAD);
        return 1;
    case OC_METRIC_FDS:
        of_things(view, OC_FAMILY_FD);
        return 1;
    case OC_METRIC_MODULES:
        of_things(view, OC_FAMILY_MODULE);
        return 1;
    case OC_METRIC_MAPPINGS:
        of_mappings(view);
        return 1;
    case OC_METRIC_PROCESSES:
        return 1;
    default:
        return 0;
    }
}
