/* What the judges share: figures and families of the evidence. */
#include "explain/view.h"

#include <string.h>

#define SURE_OF_COURSE 4 /* points that are known */

static unsigned runtime_bit(const char *runtime)
{
    static const struct {
        const char *name;
        unsigned bit;
    } runtimes[] = { { "dotnet", OC_RUNTIME_DOTNET },
                     { "jvm", OC_RUNTIME_JVM },
                     { "node", OC_RUNTIME_NODE },
                     { "go", OC_RUNTIME_GO },
                     { "python", OC_RUNTIME_PYTHON } };

    for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
        if (strcmp(runtimes[i].name, runtime) == 0)
            return runtimes[i].bit;
    }
    return OC_RUNTIME_NATIVE;
}

static double hours_between(int64_t then_unix_ms, int64_t now_unix_ms)
{
    if (then_unix_ms <= 0 || now_unix_ms <= then_unix_ms)
        return 0;
    return (double)(now_unix_ms - then_unix_ms) / OC_EXPLAIN_HOUR_MS;
}

void oc_explain_view_init(struct oc_explain_view *view, const struct oc_evidence *evidence,
                          struct oc_explanation *out)
{
    memset(view, 0, sizeof(*view));
    view->evidence = evidence;
    view->out = out;
    view->runtime = runtime_bit(evidence->runtime);
    view->is_windows = strcmp(evidence->os, "windows") == 0;
    if (evidence->is_one_look)
        return;
    view->hours = hours_between(evidence->then_unix_ms, evidence->now_unix_ms);
    view->walk_hours = hours_between(evidence->walk_then_unix_ms, evidence->walk_now_unix_ms);
}

int64_t oc_explain_change(const struct oc_moved *moved)
{
    return oc_moved_known(moved) ? moved->now - moved->then : 0;
}

const struct oc_moved *oc_explain_metric(const struct oc_explain_view *view, unsigned number)
{
    return &view->evidence->metrics[number];
}

int64_t oc_explain_metric_change(const struct oc_explain_view *view, unsigned number)
{
    return oc_explain_change(oc_explain_metric(view, number));
}

int oc_explain_grew(const struct oc_moved *moved, unsigned unit)
{
    const int64_t change = oc_explain_change(moved);

    if (unit == OC_UNIT_BYTES)
        return change >= OC_EXPLAIN_LEAST_BYTES && change >= moved->then / 1000;
    return change >= OC_EXPLAIN_LEAST_THINGS && change >= moved->then / 100;
}

const char *oc_explain_name(const struct oc_evidence *evidence)
{
    return evidence->subject[0] ? evidence->subject : evidence->name;
}

const struct oc_evidence_family *oc_explain_family(const struct oc_explain_view *view,
                                                   unsigned kind)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_evidence_family *most = NULL;

    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];
        const int64_t change = oc_explain_change(&family->count);

        if (family->kind != kind || change <= 0)
            continue;
        if (!most || change > oc_explain_change(&most->count))
            most = family;
    }
    return most;
}

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static unsigned mapping_usage(const char *name)
{
    static const struct {
        const char *begin;
        unsigned usage;
    } names[] = {
        { "glibc arena", OC_USAGE_HEAP },
        { "[heap]", OC_USAGE_HEAP },
        { "GC heap", OC_USAGE_MANAGED_HEAP },
        { "JVM heap", OC_USAGE_MANAGED_HEAP },
        { "Go heap", OC_USAGE_MANAGED_HEAP },
        { "V8 heap", OC_USAGE_MANAGED_HEAP },
        { "/memfd:java_heap", OC_USAGE_MANAGED_HEAP },
        { "metaspace", OC_USAGE_LOADER_HEAP },
        { "/memfd:doublemapper", OC_USAGE_LOADER_HEAP },
        { "code cache", OC_USAGE_JIT },
        { "thread stack", OC_USAGE_STACK },
        { "[stack", OC_USAGE_STACK },
        { "/memfd:", OC_USAGE_SHARED },
        { "/dev/shm/", OC_USAGE_SHARED },
        { "/SYSV", OC_USAGE_SHARED },
        { "/dev/zero", OC_USAGE_SHARED },
        { "/", OC_USAGE_MAPPED_FILE },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (begins(name, names[i].begin))
            return names[i].usage;
    }
    return OC_USAGE_COUNT;
}

unsigned oc_explain_family_usage(const struct oc_evidence_family *family)
{
    switch (family->kind) {
    case OC_FAMILY_MODULE:
        return OC_USAGE_IMAGE;
    case OC_FAMILY_THREAD:
        return OC_USAGE_STACK;
    case OC_FAMILY_MAPPING:
        return mapping_usage(family->name);
    default:
        return OC_USAGE_COUNT;
    }
}

enum oc_explain_course oc_explain_course_of(const struct oc_evidence_family *family)
{
    const size_t points = sizeof(family->course) / sizeof(family->course[0]);
    int64_t last = -1;
    size_t known = 0, rises = 0, still_for = 0;

    for (size_t i = 0; i < points; i++) {
        if (family->course[i] < 0)
            continue;
        if (known > 0 && family->course[i] > last)
            rises++;
        still_for = known > 0 && family->course[i] <= last ? still_for + 1 : 0;
        last = family->course[i];
        known++;
    }
    if (known < SURE_OF_COURSE)
        return OC_COURSE_UNKNOWN;
    if (still_for >= 2)
        return OC_COURSE_STOPPED;
    return rises + 2 >= known ? OC_COURSE_EVEN : OC_COURSE_UNKNOWN;
}
