/* Shapes of memory that an allocator or a runtime holds. */
#include "explain/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAIN_PART 0.4   /* of the growth: it is what grows */
#define LOADER_PART 0.2 /* class and method data alone is seldom most of it */
#define SOME_MAPPINGS 16
#define SHORT_HOURS (10.0 / 60)
#define MIB (INT64_C(1) << 20)

void oc_shape_say_usage(const struct oc_explain_view *view, unsigned usage, char *out,
                        size_t out_bytes)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_moved *resident = &evidence->usage_resident[usage];
    const int in_ram = oc_moved_known(resident);
    const struct oc_moved *moved = in_ram ? resident : &evidence->usage_commit[usage];
    char change[40], now[40], percent[16];

    if (!oc_moved_known(moved))
        return;
    (void)oc_explain_amount(moved->now, OC_UNIT_BYTES, now, sizeof(now));
    if (llabs(oc_explain_change(moved)) < OC_EXPLAIN_LEAST_BYTES)
        oc_explain_say(out, out_bytes, "%s stays at %s%s", oc_usage_name(usage), now,
                       view->usage_part[usage] >= LOADER_PART
                           ? ", which was committed before and is touched now"
                           : "");
    else
        oc_explain_say(
            out, out_bytes, "%s %s to %s%s", oc_usage_name(usage),
            oc_explain_signed(oc_explain_change(moved), OC_UNIT_BYTES, change, sizeof(change)), now,
            in_ram ? " in RAM" : "");
    if (view->usage_part[usage] > 0)
        oc_explain_say(out, out_bytes, " (%s of the growth)",
                       oc_explain_percent(view->usage_part[usage], percent, sizeof(percent)));
}

int64_t oc_shape_space(const struct oc_explain_view *view, unsigned usage)
{
    return oc_explain_change(&view->evidence->usage_commit[usage]) +
           oc_explain_change(&view->evidence->usage_reserve[usage]);
}

static double of_part(double part) { return fmin(0.9, 0.5 + 0.4 * part); }

/* ---- native ---- */

static int has_more_arenas(const struct oc_explain_view *view)
{
    return oc_explain_change(&view->evidence->arenas) >= 2;
}

double oc_shape_native_heap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double part = view->usage_part[OC_USAGE_HEAP];

    if (part < MAIN_PART)
        return 0;
    oc_shape_say_usage(view, OC_USAGE_HEAP, cause->evidence, sizeof(cause->evidence));
    if (has_more_arenas(view)) {
        OC_SAY(cause->against, "arenas became more too, and each keeps what it freed; ");
        return of_part(part) - 0.2;
    }
    OC_SAY(cause->against,
           "from outside blocks in use look like blocks that were freed and kept; ");
    if (view->runtime != OC_RUNTIME_DOTNET ||
        oc_explain_change(&view->evidence->usage_commit[OC_USAGE_LOADER_HEAP]) < MIB)
        return of_part(part);
    OC_SAY(cause->against, "the runtime keeps its own data of types and assemblies there too; ");
    return of_part(part) - 0.25;
}

/* What glibc makes of many threads: a heap for each, none of which gives back what lies below its top. */
double oc_shape_arenas(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *arenas = &view->evidence->arenas;
    const struct oc_moved *threads = oc_explain_metric(view, OC_METRIC_THREADS);

    if (!oc_moved_known(arenas) || !has_more_arenas(view) ||
        view->usage_part[OC_USAGE_HEAP] < LOADER_PART)
        return 0;
    OC_SAY(cause->evidence, "malloc arenas beside the main one: %" PRId64 " then, %" PRId64 " now",
           arenas->then, arenas->now);
    if (threads->has_now)
        OC_SAY(cause->evidence, ", with %" PRId64 " threads", threads->now);
    OC_SAY(cause->evidence, "; ");
    oc_shape_say_usage(view, OC_USAGE_HEAP, cause->evidence, sizeof(cause->evidence));
    OC_SAY(cause->against,
           "glibc stops at eight arenas a CPU: growth beyond that has another cause; ");
    return 0.5 + 0.3 * view->usage_part[OC_USAGE_HEAP];
}

/* ---- managed ---- */

/* Python has no mark of its own: its object arenas are anonymous mappings. */
static double python_heap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double part = view->usage_part[OC_USAGE_PRIVATE] + view->usage_part[OC_USAGE_HEAP];

    if (view->runtime != OC_RUNTIME_PYTHON || part < MAIN_PART)
        return 0;
    oc_shape_say_usage(view, OC_USAGE_PRIVATE, cause->evidence, sizeof(cause->evidence));
    OC_SAY(cause->evidence, "; Python keeps its objects in anonymous mappings and the malloc heap");
    OC_SAY(cause->against, "native extensions allocate in the same places; ");
    return of_part(part) - 0.2;
}

double oc_shape_managed_heap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double part = view->usage_part[OC_USAGE_MANAGED_HEAP];

    if (part < MAIN_PART)
        return python_heap(view, cause);
    oc_shape_say_usage(view, OC_USAGE_MANAGED_HEAP, cause->evidence, sizeof(cause->evidence));
    OC_SAY(cause->against, "a collector lets its heap grow until it must collect: whether objects "
                           "stay reachable only a look inside "
                           "tells; ");
    if (view->hours >= SHORT_HOURS)
        return of_part(part) - 0.1;
    OC_SAY(cause->against, "so short a time may be that of one collection; ");
    return of_part(part) - 0.3;
}

static const struct oc_evidence_family *mapping_named(const struct oc_explain_view *view,
                                                      const char *name)
{
    const struct oc_evidence *evidence = view->evidence;

    for (size_t i = 0; i < evidence->family_count; i++) {
        if (evidence->families[i].kind == OC_FAMILY_MAPPING &&
            strcmp(evidence->families[i].name, name) == 0)
            return &evidence->families[i];
    }
    return NULL;
}

/* Of .NET each assembly or dynamic type takes mappings: of its loader heaps, or of the bytes it was loaded from. */
static const struct oc_evidence_family *loader_mappings(const struct oc_explain_view *view)
{
    static const char *const names[] = { "/memfd:doublemapper", "/memfd:doublemapper (deleted)",
                                         "/dev/zero", "/dev/zero (deleted)" };
    const struct oc_evidence_family *most = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct oc_evidence_family *family = mapping_named(view, names[i]);

        if (family && oc_explain_change(&family->count) >= SOME_MAPPINGS &&
            (!most || oc_explain_change(&family->count) > oc_explain_change(&most->count)))
            most = family;
    }
    return most;
}

static void say_still_heap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    if (!oc_moved_known(&view->evidence->usage_commit[OC_USAGE_MANAGED_HEAP]))
        return;
    OC_SAY(cause->evidence, "; ");
    oc_shape_say_usage(view, OC_USAGE_MANAGED_HEAP, cause->evidence, sizeof(cause->evidence));
}

double oc_shape_loader_heap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double part = view->usage_part[OC_USAGE_LOADER_HEAP] + view->usage_part[OC_USAGE_JIT];
    const int64_t space = oc_explain_change(&view->evidence->usage_commit[OC_USAGE_LOADER_HEAP]);
    const struct oc_evidence_family *mappings =
        view->runtime == OC_RUNTIME_DOTNET ? loader_mappings(view) : NULL;
    double fits;

    if (!view->is_growing || (!mappings && (space < MIB || part < LOADER_PART)))
        return 0;
    oc_shape_say_usage(view, OC_USAGE_LOADER_HEAP, cause->evidence, sizeof(cause->evidence));
    fits = fmin(0.85, 0.45 + 0.5 * part);
    if (mappings) {
        OC_SAY(cause->evidence, "; mappings of '%.60s': %" PRId64 " then, %" PRId64 " now",
               mappings->name, mappings->count.then, mappings->count.now);
        fits = oc_shape_course(mappings, fmax(fits, 0.65), cause);
    }
    say_still_heap(view, cause);
    OC_SAY(cause->against, "which types they are is not seen from outside; ");
    return fits;
}

double oc_shape_jit(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double part = view->usage_part[OC_USAGE_JIT];

    if (part < LOADER_PART || part < view->usage_part[OC_USAGE_LOADER_HEAP])
        return 0;
    oc_shape_say_usage(view, OC_USAGE_JIT, cause->evidence, sizeof(cause->evidence));
    OC_SAY(cause->against,
           "code is compiled for some minutes after a start: that ends by itself; ");
    return fmin(0.8, 0.4 + 0.4 * part);
}

/* ---- unknown: a finding by itself ---- */

static void say_not_seen(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *commit = &view->evidence->usage_commit[OC_USAGE_PRIVATE];

    if (view->evidence->walks < 2) {
        OC_SAY(cause->evidence, "fewer than two walks: what its regions were before is not known");
        return;
    }
    if (oc_explain_change(commit) <= 0)
        return;
    oc_shape_say_usage(view, OC_USAGE_PRIVATE, cause->evidence, sizeof(cause->evidence));
    OC_SAY(cause->evidence, "%s",
           view->is_windows ? ": MEM_PRIVATE with no sign of an owner (VirtualAlloc, a heap's "
                              "largest blocks, an allocator of its own)"
                            : ": anonymous mappings with no sign of an owner (malloc's blocks of "
                              "128 KiB and more, an allocator of its own, mmap)");
}

/* The host, or the cgroup of a process that does not grow itself: others are in there that nobody looked at. */
static int is_of_others(const struct oc_explain_view *view)
{
    const unsigned block = OC_METRIC_BLOCK(view->out->metric);

    if (block == OC_BLOCK_HOST)
        return 1;
    return block == OC_BLOCK_CGROUP && view->evidence->source_kind == OC_SOURCE_PROCESS &&
           oc_explain_metric_change(view, OC_METRIC_PRIVATE) < OC_EXPLAIN_LEAST_BYTES;
}

/* A heap may be committed whole and touched little by little: only a look at pages tells. */
static void say_touched(const struct oc_explain_view *view, struct oc_cause *cause)
{
    if (view->evidence->walks >= 2 && view->runtime != OC_RUNTIME_NATIVE &&
        !view->evidence->usage_resident[OC_USAGE_MANAGED_HEAP].has_now)
        OC_SAY(cause->against, "space that was committed before may have been touched since; ");
}

double oc_shape_unknown(const struct oc_explain_view *view, struct oc_cause *cause)
{
    double unexplained = view->unexplained_part;
    char percent[16];

    if (view->runtime == OC_RUNTIME_PYTHON) /* its objects are there */
        unexplained -= view->usage_part[OC_USAGE_PRIVATE];

    if (!view->is_growing || is_of_others(view) || !(unexplained >= 0.3))
        return 0;
    OC_SAY(cause->evidence, "%s of the growth is of no known use; ",
           oc_explain_percent(unexplained, percent, sizeof(percent)));
    say_not_seen(view, cause);
    say_touched(view, cause);
    return fmin(0.5, 0.6 * unexplained);
}
