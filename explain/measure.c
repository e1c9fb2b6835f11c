/* Which figure grew: that of the forecast where it is known, else the one that matters most of those that grew. */
#include "explain/view.h"

#include <math.h>

static unsigned unit_of(unsigned metric)
{
    const struct oc_metric_row *row = oc_metric_by_number(metric);

    return row ? row->unit : OC_UNIT_BYTES;
}

static int metric_grew(const struct oc_explain_view *view, unsigned metric)
{
    return oc_explain_grew(oc_explain_metric(view, metric), unit_of(metric));
}

/* Private memory and private memfd pages: .NET has its loader heaps there. */
static int64_t own_change(const struct oc_explain_view *view)
{
    int64_t memfd = oc_explain_metric_change(view, OC_METRIC_MEMFD);

    return oc_explain_metric_change(view, OC_METRIC_PRIVATE) + (memfd > 0 ? memfd : 0);
}

static int own_grew(const struct oc_explain_view *view)
{
    const struct oc_moved *own = oc_explain_metric(view, OC_METRIC_PRIVATE);
    const int64_t change = own_change(view);

    return oc_moved_known(own) && change >= OC_EXPLAIN_LEAST_BYTES && change >= own->then / 1000;
}

static unsigned of_process(const struct oc_explain_view *view)
{
    static const unsigned things[] = { OC_METRIC_THREADS, OC_METRIC_FDS, OC_METRIC_PROCESSES,
                                       OC_METRIC_MODULES, OC_METRIC_MAPPINGS };
    static const unsigned beside[] = { OC_METRIC_COMMIT, OC_METRIC_VIRTUAL,
                                       OC_METRIC_CGROUP_CURRENT };
    const int64_t resident = oc_explain_metric_change(view, OC_METRIC_RSS);

    if (own_grew(view) && own_change(view) >= resident / 10)
        return OC_METRIC_PRIVATE;
    if (metric_grew(view, OC_METRIC_RSS))
        return OC_METRIC_RSS;
    if (own_grew(view))
        return OC_METRIC_PRIVATE;
    for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
        if (metric_grew(view, things[i]))
            return things[i];
    }
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        if (metric_grew(view, beside[i]))
            return beside[i];
    }
    return OC_METRIC_PRIVATE;
}

static unsigned of_cgroup(const struct oc_explain_view *view)
{
    if (metric_grew(view, OC_METRIC_CGROUP_CHARGE))
        return OC_METRIC_CGROUP_CHARGE;
    if (!metric_grew(view, OC_METRIC_CGROUP_CURRENT) && metric_grew(view, OC_METRIC_CGROUP_TASKS))
        return OC_METRIC_CGROUP_TASKS;
    return OC_METRIC_CGROUP_CURRENT;
}

static unsigned choose(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const unsigned limited = evidence->forecast.forecast.metric;
    /* the largest hole falls as addresses are taken */
    const unsigned foretold = limited == OC_METRIC_LARGEST_FREE ? OC_METRIC_VIRTUAL : limited;

    if (evidence->has_forecast && foretold > 0 && foretold < OC_METRIC_MAX &&
        metric_grew(view, foretold))
        return foretold;
    if (evidence->source_kind == OC_SOURCE_CGROUP)
        return of_cgroup(view);
    if (evidence->source_kind == OC_SOURCE_HOST)
        return OC_METRIC_HOST_USED;
    return of_process(view);
}

void oc_explain_measure(struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;

    out->growth_per_h = (double)NAN;
    out->metric = (uint16_t)choose(view);
    if (view->evidence->is_one_look)
        return;
    if (out->metric == OC_METRIC_PRIVATE) {
        out->grew_bytes = own_change(view);
        view->is_growing = own_grew(view);
    } else {
        out->grew_bytes = oc_explain_metric_change(view, out->metric);
        view->is_growing = metric_grew(view, out->metric);
    }
    if (view->hours > 0 && oc_moved_known(oc_explain_metric(view, out->metric)))
        out->growth_per_h = (double)out->grew_bytes / view->hours;
}
