/* Shapes of memory with a file behind it: page cache, shared memory, mapped files. */
#include "explain/shape.h"

#include <inttypes.h>
#include <math.h>

#define MAIN_PART 0.4
#define CACHE_PART 0.6
#define MORE_REGIONS 16

/* ---- page cache: no leak ---- */

static void against_cache(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const int64_t locked = oc_explain_metric_change(view, OC_METRIC_CGROUP_UNEVICTABLE);
    const int64_t dirty = oc_explain_metric_change(view, OC_METRIC_CGROUP_FILE_DIRTY);
    char text[40];

    if (locked > OC_EXPLAIN_LEAST_BYTES)
        OC_SAY(cause->against, "%s are locked, and stay; ",
               oc_explain_signed(locked, OC_UNIT_BYTES, text, sizeof(text)));
    if (dirty > OC_EXPLAIN_LEAST_BYTES)
        OC_SAY(cause->against, "%s must be written to disk first; ",
               oc_explain_signed(dirty, OC_UNIT_BYTES, text, sizeof(text)));
}

double oc_shape_cache(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const int of_cgroup = OC_METRIC_BLOCK(view->out->metric) == OC_BLOCK_CGROUP;
    const int64_t own = oc_explain_metric_change(view, OC_METRIC_PRIVATE);
    char percent[16], text[40];

    if (view->cache_part < CACHE_PART)
        return 0;
    OC_SAY(cause->evidence, "%s of the growth is %s",
           oc_explain_percent(view->cache_part, percent, sizeof(percent)),
           of_cgroup ? "page cache of its cgroup" : "pages of mapped files");
    if (own > 0)
        OC_SAY(cause->evidence, "; its private memory grew by %s",
               oc_explain_amount(own, OC_UNIT_BYTES, text, sizeof(text)));
    else if (oc_moved_known(oc_explain_metric(view, OC_METRIC_PRIVATE)))
        OC_SAY(cause->evidence, "; its private memory did not grow");
    against_cache(view, cause);
    return fmin(0.95, 0.3 + 0.65 * fmin(1, view->cache_part));
}

/* ---- shared memory ---- */

static const struct oc_evidence_family *shared_family(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_evidence_family *most = NULL;

    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];

        if (oc_explain_family_usage(family) == OC_USAGE_SHARED &&
            oc_explain_change(&family->bytes) > 0 &&
            (!most || oc_explain_change(&family->bytes) > oc_explain_change(&most->bytes)))
            most = family;
    }
    return most;
}

double oc_shape_shared(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_evidence_family *family = shared_family(view);
    char percent[16], text[40];

    if (view->shared_part < MAIN_PART)
        return 0;
    OC_SAY(cause->evidence, "%s of the growth is memory of memfd, tmpfs or shared segments",
           oc_explain_percent(view->shared_part, percent, sizeof(percent)));
    if (family)
        OC_SAY(cause->evidence, "; '%.120s' %s", family->name,
               oc_explain_signed(oc_explain_change(&family->bytes), OC_UNIT_BYTES, text,
                                 sizeof(text)));
    return fmin(0.9, 0.4 + 0.5 * fmin(1, view->shared_part));
}

/* ---- mapped files ---- */

double oc_shape_mapped_files(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *regions = &view->evidence->usage_count[OC_USAGE_MAPPED_FILE];
    const struct oc_evidence_family *family = oc_explain_family(view, OC_FAMILY_MAPPING);
    const int64_t more = oc_explain_change(regions);
    char text[40];

    if (more < MORE_REGIONS || more < regions->then / 5)
        return 0;
    OC_SAY(cause->evidence, "mapped files: %" PRId64 " mappings then, %" PRId64 " now, %s",
           regions->then, regions->now,
           oc_explain_signed(oc_explain_change(&view->evidence->usage_commit[OC_USAGE_MAPPED_FILE]),
                             OC_UNIT_BYTES, text, sizeof(text)));
    if (family && oc_explain_family_usage(family) == OC_USAGE_MAPPED_FILE)
        OC_SAY(cause->evidence, "; most are '%.120s'", family->name);
    OC_SAY(cause->against, "pages of files are given back when memory is short; ");
    return view->usage_part[OC_USAGE_MAPPED_FILE] >= MAIN_PART ? 0.75 : 0.45;
}
