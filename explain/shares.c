/*
 * Who has which part of the growth.
 *
 * What grew is measured in RAM; what a region usage has is known in RAM only where pages were looked at, else as
 * address space that may be touched. So measured sums come first (private, memfd, file and shared pages; of a
 * cgroup anonymous, cache, kernel), and within each the usages get what they want: where they want more than there
 * is, all get less in proportion (space that was not touched), where they want less, the rest is unexplained.
 */
#include "explain/share.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A stack is committed whole and touched at its top alone: of most threads that is less. */
#define STACK_TOUCHED_BYTES (INT64_C(64) << 10)

struct oc_share *oc_explain_add_share(struct oc_explain_view *view, unsigned kind, const char *name,
                                      int64_t bytes)
{
    struct oc_explanation *out = view->out;
    struct oc_share *share;

    if (out->share_count + 1 >= OC_EXPLAIN_SHARES) /* the last is for what is unexplained */
        return NULL;
    share = &out->shares[out->share_count++];
    memset(share, 0, sizeof(*share));
    share->kind = (uint8_t)kind;
    share->bytes = bytes;
    share->part = view->is_growing ? (double)bytes / (double)out->grew_bytes : (double)NAN;
    (void)snprintf(share->name, sizeof(share->name), "%s", name);
    return share;
}

/* ---- usages ---- */

/* What a usage would have of the growth, and whether that is RAM. */
static int64_t wanted(const struct oc_explain_view *view, unsigned usage, int *out_measured)
{
    const struct oc_evidence *evidence = view->evidence;
    int64_t bytes, threads;

    *out_measured = oc_moved_known(&evidence->usage_resident[usage]);
    if (*out_measured)
        return oc_explain_change(&evidence->usage_resident[usage]);
    bytes = oc_explain_change(&evidence->usage_commit[usage]);
    if (usage != OC_USAGE_STACK || view->is_windows)
        return bytes;
    threads = oc_explain_metric_change(view, OC_METRIC_THREADS);
    if (threads <= 0)
        return 0;
    return bytes < threads * STACK_TOUCHED_BYTES ? bytes : threads * STACK_TOUCHED_BYTES;
}

/* The share that a usage has already; NULL. */
static struct oc_share *share_of(struct oc_explain_view *view, const char *name)
{
    struct oc_explanation *out = view->out;

    for (size_t i = 0; i < out->share_count; i++) {
        if (out->shares[i].kind != OC_SHARE_MEMBER && strcmp(out->shares[i].name, name) == 0)
            return &out->shares[i];
    }
    return NULL;
}

static void add_usage(struct oc_explain_view *view, unsigned usage, int64_t bytes, int measured)
{
    const double part = view->is_growing ? (double)bytes / (double)view->out->grew_bytes : 0;
    struct oc_share *share;

    if (bytes < OC_EXPLAIN_PAGE_BYTES)
        return;
    view->usage_bytes[usage] += bytes;
    view->usage_part[usage] += part;
    share = share_of(view, oc_usage_name(usage));
    if (share) {
        share->bytes += bytes;
        share->part += part;
        return;
    }
    share = oc_explain_add_share(view, usage == OC_USAGE_STACK ? OC_SHARE_STACKS : OC_SHARE_USAGE,
                                 oc_usage_name(usage), bytes);
    if (!share)
        return;
    share->is_estimate = !measured;
    share->count = oc_explain_change(&view->evidence->usage_count[usage]);
    if (usage == OC_USAGE_STACK)
        share->count = oc_explain_metric_change(view, OC_METRIC_THREADS);
}

/* Gives usages what they want of what is there, less in proportion where it does not go round. */
static void share_out(struct oc_explain_view *view, const unsigned *usages, size_t count,
                      int64_t *left)
{
    double sum = 0, scale = 1;
    int measured;

    for (size_t i = 0; i < count; i++) {
        const int64_t bytes = wanted(view, usages[i], &measured);

        sum += bytes > 0 ? (double)bytes : 0;
    }
    if (*left <= 0 || sum <= 0)
        return;
    if (sum > (double)*left)
        scale = (double)*left / sum;
    for (size_t i = 0; i < count; i++) {
        const int64_t bytes = (int64_t)((double)wanted(view, usages[i], &measured) * scale);

        if (bytes <= 0)
            continue;
        add_usage(view, usages[i], bytes, measured && scale >= 1);
        *left -= bytes < *left ? bytes : *left;
    }
}

#define SHARE_OUT(view, usages, left)                                                              \
    share_out((view), (usages), sizeof(usages) / sizeof((usages)[0]), (left))

static int is_doublemapped(const struct oc_explain_view *view)
{
    return view->runtime == OC_RUNTIME_DOTNET && !view->is_windows;
}

/*
 * What came in RAM and not in address space was touched in space that was there before, as a JVM's heap that is committed
 * whole. Whose is not known: each usage gets as much as it had of that space, and no more in all than was untouched.
 */
static void share_touched(struct oc_explain_view *view, const unsigned *usages, size_t count,
                          int64_t *left)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_moved *own = oc_explain_metric(view, OC_METRIC_PRIVATE);
    int64_t space = 0, pool;

    for (size_t i = 0; i < count; i++) {
        if (oc_moved_known(&evidence->usage_resident[usages[i]]))
            return; /* pages were looked at: it is known */
        if (usages[i] != OC_USAGE_STACK && oc_moved_known(&evidence->usage_commit[usages[i]]))
            space += evidence->usage_commit[usages[i]].then;
    }
    pool = own->has_then ? space - own->then : 0;
    pool = pool < *left ? pool : *left;
    for (size_t i = 0; i < count && pool > 0; i++) {
        const struct oc_moved *commit = &evidence->usage_commit[usages[i]];
        int64_t bytes;

        if (usages[i] == OC_USAGE_STACK || !oc_moved_known(commit))
            continue;
        bytes = (int64_t)((double)pool * ((double)commit->then / (double)space));
        add_usage(view, usages[i], bytes, 0);
        *left -= bytes < *left ? bytes : *left;
    }
}

/* Anonymous memory. That of modules comes last: only pages that were written are private. */
static void share_anonymous(struct oc_explain_view *view, int64_t bytes)
{
    static const unsigned plain[] = { OC_USAGE_HEAP,  OC_USAGE_PRIVATE,     OC_USAGE_MANAGED_HEAP,
                                      OC_USAGE_STACK, OC_USAGE_LOADER_HEAP, OC_USAGE_JIT };
    static const unsigned files[] = { OC_USAGE_IMAGE };
    const int is_elsewhere =
        is_doublemapped(view) && oc_moved_known(oc_explain_metric(view, OC_METRIC_MEMFD));
    const size_t count = sizeof(plain) / sizeof(plain[0]) - (is_elsewhere ? 2 : 0);
    const int64_t all = bytes;

    share_out(view, plain, count, &bytes);
    SHARE_OUT(view, files, &bytes);
    if (bytes > all / 5) /* less came since the last walk */
        share_touched(view, plain, count, &bytes);
}

/* Shared pages, measured; of .NET its loader heaps are in there. */
static void share_shared(struct oc_explain_view *view, int64_t bytes)
{
    static const unsigned loader[] = { OC_USAGE_LOADER_HEAP, OC_USAGE_JIT };

    if (bytes <= 0)
        return;
    if (is_doublemapped(view))
        SHARE_OUT(view, loader, &bytes);
    if (bytes >= OC_EXPLAIN_PAGE_BYTES &&
        oc_explain_add_share(view, OC_SHARE_SHMEM, "shared memory", bytes))
        view->shared_part += view->is_growing ? (double)bytes / (double)view->out->grew_bytes : 0;
}

static void share_cache(struct oc_explain_view *view, const char *name, int64_t bytes)
{
    if (bytes >= OC_EXPLAIN_PAGE_BYTES && oc_explain_add_share(view, OC_SHARE_CACHE, name, bytes))
        view->cache_part += view->is_growing ? (double)bytes / (double)view->out->grew_bytes : 0;
}

static void share_kernel(struct oc_explain_view *view, int64_t bytes)
{
    if (bytes >= OC_EXPLAIN_PAGE_BYTES &&
        oc_explain_add_share(view, OC_SHARE_KERNEL, "kernel", bytes))
        view->kernel_part += view->is_growing ? (double)bytes / (double)view->out->grew_bytes : 0;
}

/* The metric is address space itself: the usages are all of it, to the byte. */
static void share_space(struct oc_explain_view *view, int with_reserve)
{
    const struct oc_evidence *evidence = view->evidence;

    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
        int64_t bytes = oc_explain_change(&evidence->usage_commit[usage]);

        if (with_reserve)
            bytes += oc_explain_change(&evidence->usage_reserve[usage]);
        add_usage(view, usage, bytes, 1);
    }
}

static void of_process(struct oc_explain_view *view)
{
    switch (view->out->metric) {
    case OC_METRIC_VIRTUAL:
        share_space(view, 1);
        return;
    case OC_METRIC_COMMIT:
        share_space(view, 0);
        return;
    case OC_METRIC_RSS:
        share_anonymous(view, oc_explain_metric_change(view, OC_METRIC_RSS_ANON));
        share_shared(view, oc_explain_metric_change(view, OC_METRIC_RSS_SHMEM));
        share_cache(view, "mapped files in RAM",
                    oc_explain_metric_change(view, OC_METRIC_RSS_FILE));
        return;
    case OC_METRIC_MEMFD:
    case OC_METRIC_RSS_SHMEM:
        share_shared(view, view->out->grew_bytes);
        return;
    case OC_METRIC_RSS_FILE:
        share_cache(view, "mapped files in RAM", view->out->grew_bytes);
        return;
    case OC_METRIC_PRIVATE:
        share_anonymous(view, oc_explain_metric_change(view, OC_METRIC_PRIVATE));
        share_shared(view, oc_explain_metric_change(view, OC_METRIC_MEMFD));
        return;
    default:
        share_anonymous(view, view->out->grew_bytes);
    }
}

/* ---- processes ---- */

static int64_t member_change(const struct oc_explain_view *view,
                             const struct oc_evidence_member *member)
{
    if (oc_moved_known(&member->private_bytes))
        return oc_explain_change(&member->private_bytes);
    if (member->private_bytes.has_now && member->begin_unix_ms > view->evidence->then_unix_ms)
        return member->private_bytes.now; /* it began since: all of it is new */
    return 0;
}

static void add_member(struct oc_explain_view *view, const struct oc_evidence_member *member,
                       int64_t bytes, double part)
{
    char name[128];
    struct oc_share *share;

    (void)snprintf(name, sizeof(name), "pid %u %s", (unsigned)member->pid, member->name);
    share = oc_explain_add_share(view, OC_SHARE_MEMBER, name, bytes);
    if (share && part == part)
        share->part = part;
}

/* Processes beside the one that is told in full, out of anonymous memory. */
static void share_members(struct oc_explain_view *view, int64_t left)
{
    const struct oc_evidence *evidence = view->evidence;

    for (size_t i = 0; i < evidence->member_count && left > 0; i++) {
        const struct oc_evidence_member *member = &evidence->members[i];
        int64_t bytes = member_change(view, member);

        if (member->source == evidence->source || bytes <= 0)
            continue;
        bytes = bytes < left ? bytes : left;
        add_member(view, member, bytes, (double)NAN);
        left -= bytes;
    }
}

/* A process' own figures: how the growth is spread over the processes of the subject, beside the shares. */
static void list_members(struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    double sum = 0;

    if (evidence->member_count < 2)
        return;
    for (size_t i = 0; i < evidence->member_count; i++)
        sum += fmax(0, (double)member_change(view, &evidence->members[i]));
    for (size_t i = 0; i < evidence->member_count && i < 4; i++) {
        const int64_t bytes = member_change(view, &evidence->members[i]);

        if (bytes > 0)
            add_member(view, &evidence->members[i], bytes, (double)bytes / sum);
    }
}

/* ---- cgroups and the host ---- */

static int64_t at_least_none(int64_t value) { return value > 0 ? value : 0; }

static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

/* Anonymous memory of many: first the process that is told in full, then the others. */
static void share_among(struct oc_explain_view *view, int64_t anonymous, int64_t shared)
{
    const int64_t own =
        lesser(at_least_none(oc_explain_metric_change(view, OC_METRIC_PRIVATE)), anonymous);

    share_anonymous(view, own);
    share_members(view, anonymous - own);
    share_shared(view, shared);
}

static void of_cgroup(struct oc_explain_view *view)
{
    const int is_all = view->out->metric == OC_METRIC_CGROUP_CURRENT;
    const int64_t shared = oc_explain_metric_change(view, OC_METRIC_CGROUP_SHMEM);
    const int64_t file = oc_explain_metric_change(view, OC_METRIC_CGROUP_FILE);
    int64_t kernel = oc_explain_metric_change(view, OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE) +
                     oc_explain_metric_change(view, OC_METRIC_CGROUP_KERNEL_STACK) +
                     oc_explain_metric_change(view, OC_METRIC_CGROUP_PAGE_TABLES) +
                     oc_explain_metric_change(view, OC_METRIC_CGROUP_SOCK);

    if (is_all)
        kernel += oc_explain_metric_change(view, OC_METRIC_CGROUP_SLAB_RECLAIMABLE);
    share_among(view, at_least_none(oc_explain_metric_change(view, OC_METRIC_CGROUP_ANON)), shared);
    if (is_all)
        share_cache(view, "page cache", file - at_least_none(shared));
    share_kernel(view, kernel);
}

static void of_host(struct oc_explain_view *view)
{
    const int64_t shared = oc_explain_metric_change(view, OC_METRIC_HOST_SHMEM);
    const int64_t kernel = oc_explain_metric_change(view, OC_METRIC_HOST_SLAB_UNRECLAIMABLE) +
                           oc_explain_metric_change(view, OC_METRIC_HOST_PAGE_TABLES);

    share_among(view, at_least_none(view->out->grew_bytes - shared - kernel), shared);
    share_kernel(view, kernel);
}

static double sum_of_parts(const struct oc_explanation *out)
{
    double sum = 0;

    for (size_t i = 0; i < out->share_count; i++)
        sum += out->shares[i].part;
    return sum;
}

/* Where memory is of no known use, it is shown as a share and counted as unexplained. */
static void reconcile(struct oc_explain_view *view, double attributed, int is_things)
{
    struct oc_explanation *out = view->out;
    const double rest = attributed < 1 ? 1 - attributed : 0;
    const double explained = attributed - view->usage_part[OC_USAGE_PRIVATE];
    struct oc_share *last;

    view->unexplained_part = rest + view->usage_part[OC_USAGE_PRIVATE];
    out->explained_part = fmin(1, fmax(0, explained));
    if (rest < 0.005)
        return;
    last = &out->shares[out->share_count++];
    memset(last, 0, sizeof(*last));
    last->kind = OC_SHARE_UNEXPLAINED;
    last->part = rest;
    (void)snprintf(last->name, sizeof(last->name), "unexplained");
    if (is_things)
        last->count = (int64_t)llround(rest * (double)out->grew_bytes);
    else
        last->bytes = (int64_t)llround(rest * (double)out->grew_bytes);
}

void oc_explain_shares(struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;
    int is_things;
    double attributed;

    out->explained_part = (double)NAN;
    if (!view->is_growing)
        return;
    is_things = oc_explain_share_things(view);
    if (!is_things && OC_METRIC_BLOCK(out->metric) == OC_BLOCK_CGROUP)
        of_cgroup(view);
    else if (!is_things && OC_METRIC_BLOCK(out->metric) == OC_BLOCK_HOST)
        of_host(view);
    else if (!is_things)
        of_process(view);
    attributed = sum_of_parts(out);
    oc_explain_arrange_shares(view);
    if (!is_things) {
        if (OC_METRIC_BLOCK(out->metric) == OC_BLOCK_PROCESS)
            list_members(view);
        oc_explain_add_descriptors(view);
    }
    reconcile(view, attributed, is_things);
}
