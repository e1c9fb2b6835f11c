/* The limits that a process has by itself, and all that it can meet. */
#include "probes/windows/contract.h"
#include "probes/windows/gc.h"
#include "probes/windows/iis.h"
#include "probes/windows/walk.h"

#include "base/alloc.h"
#include "base/text.h"

#define MIB (UINT64_C(1) << 20)

/*
 * Where 32-bit ASP.NET workers begin to throw OutOfMemoryException, by Microsoft's experience with their address spaces:
 * 1400 MiB of virtual and 800 MiB of private bytes in 2 GiB, 2800 MiB of virtual ones in 4.
 */
#define DANGER_VIRTUAL_BYTES (1400 * MIB)
#define DANGER_VIRTUAL_LARGE_BYTES (2800 * MIB)
#define DANGER_PRIVATE_BYTES (800 * MIB)

/* ---- the process's own ---- */

static struct oc_limit *add(struct oc_walk *walk, enum oc_limit_kind kind, uint64_t value)
{
    struct oc_limit *limit = &walk->limits[walk->limit_count];

    if (walk->limit_count == OC_WALK_LIMITS_MAX)
        return NULL;
    *limit = (struct oc_limit){ .kind = (uint8_t)kind,
                                .metric = oc_limit_row(kind)->metric,
                                .value = value };
    walk->limit_count++;
    return limit;
}

static void add_largest_free(struct oc_win_walker *walker)
{
    const struct oc_win_gc_facts facts = { .is_dotnet = walker->space.runtime == OC_WIN_DOTNET,
                                           .cpu_count = walker->host.cpu_count,
                                           .largest_bytes = walker->tally.gc_largest_bytes };
    struct oc_win_gc_next next;
    struct oc_limit *limit = NULL;

    oc_win_gc_next(&facts, &next);
    limit = add(walker->walk, OC_LIMIT_LARGEST_FREE, next.bytes);
    if (limit)
        (void)oc_text_copy(limit->where, sizeof limit->where, next.why);
}

/* What the walk found counts against them, not what the last tick said. */
static void fill_uses(struct oc_win_walker *walker)
{
    struct oc_sample sample = walker->walk->sample;

    if (walker->tally.bytes > 0)
        oc_sample_set(&sample, OC_METRIC_VIRTUAL, (int64_t)walker->tally.bytes);
    oc_limits_use(walker->walk->limits, walker->walk->limit_count, &sample);
}

int oc_win_walk_limits(struct oc_win_walker *walker)
{
    const int is_large = walker->pe.is_large_address_aware;
    int rc = OC_OK;

    if (oc_win_wants(walker, OC_WALK_LIMITS) && walker->has_pe && walker->pe.is_32bit) {
        (void)add(walker->walk, OC_LIMIT_ADDRESS_SPACE, walker->space.top);
        add_largest_free(walker);
        (void)add(walker->walk, OC_LIMIT_DANGER_VIRTUAL,
                  is_large ? DANGER_VIRTUAL_LARGE_BYTES : DANGER_VIRTUAL_BYTES);
        if (!is_large)
            (void)add(walker->walk, OC_LIMIT_DANGER_PRIVATE, DANGER_PRIVATE_BYTES);
    }
    rc = oc_win_iis_walk(walker->win, walker->request->want, walker->walk->cmdline, walker->walk);
    fill_uses(walker);
    return rc;
}

/* ---- all of them, for a question of a person ---- */

/* What the tick knows of it. */
static void read_figures(struct oc_win *win, uint32_t pid, int is_32bit,
                         struct oc_sample *out_sample)
{
    struct oc_win_memory memory;
    oc_win_handle process = 0;

    *out_sample = (struct oc_sample){ .block = OC_BLOCK_PROCESS };
    if (win->open(win, pid, OC_WIN_LIMITED, &process) != OC_OK)
        return;
    if (win->memory(win, process, &memory) == OC_OK) {
        const uint64_t private_bytes = memory.private_usage > memory.pagefile_usage
                                           ? memory.private_usage
                                           : memory.pagefile_usage;

        if (private_bytes > 0)
            oc_sample_set(out_sample, OC_METRIC_PRIVATE, (int64_t)private_bytes);
        if (memory.virtual_size > 0 && !(win->is_wine && is_32bit))
            oc_sample_set(out_sample, OC_METRIC_VIRTUAL, (int64_t)memory.virtual_size);
    }
    win->close(win, process);
}

static int own_limits(struct oc_win *win, uint32_t pid, struct oc_limits *out_limits)
{
    const struct oc_walk_request request = {
        .pid = pid, .want = OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_LIMITS
    };
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    struct oc_sample look;
    int rc = walk ? oc_win_walk(win, &request, walk) : OC_E_NOMEM;

    if (rc == OC_OK) {
        read_figures(win, pid, walk->census.is_32bit, &look);
        oc_limits_use(walk->limits, walk->limit_count, &look);
        for (uint32_t i = 0; i < walk->limit_count; i++)
            (void)oc_limits_add(out_limits, &walk->limits[i]);
        oc_walk_clear(walk);
    }
    oc_free(walk);
    return rc;
}

/* Nobody outside can ask a job for its limits: a handle of it would be needed. */
static int is_in_job(struct oc_win *win, uint32_t pid)
{
    struct oc_win_basics basics = { 0 };
    oc_win_handle process = 0;
    int rc = win->open(win, pid, OC_WIN_LIMITED, &process);

    if (rc != OC_OK)
        return 0;
    rc = win->basics(win, process, &basics);
    win->close(win, process);
    return rc == OC_OK && basics.has_job && basics.is_in_job;
}

static void set_known(struct oc_sample *sample, enum oc_metric metric, uint64_t value)
{
    if (value > 0)
        oc_sample_set(sample, metric, (int64_t)value);
}

static void host_limits(struct oc_win *win, struct oc_limits *out_limits, struct oc_limits *scratch)
{
    struct oc_win_host host;
    struct oc_sample sample = { .block = OC_BLOCK_HOST };

    if (win->host(win, &host) != OC_OK)
        return;
    set_known(&sample, OC_METRIC_HOST_TOTAL, host.total_phys);
    set_known(&sample, OC_METRIC_HOST_COMMIT, host.commit_total);
    set_known(&sample, OC_METRIC_HOST_COMMIT_LIMIT, host.commit_limit);
    set_known(&sample, OC_METRIC_HOST_COMMIT_MAX, host.commit_max);
    if (host.total_phys > host.avail_phys)
        set_known(&sample, OC_METRIC_HOST_USED, host.total_phys - host.avail_phys);
    oc_limits_of_host(&sample, 1, scratch);
    for (size_t i = 0; i < scratch->count; i++)
        (void)oc_limits_add(out_limits, &scratch->items[i]);
}

int oc_win_limits(struct oc_win *win, uint32_t pid, struct oc_limits *out_limits)
{
    struct oc_limits *lists = oc_calloc(2, sizeof *lists); /* 27 KiB each */
    int rc = lists ? own_limits(win, pid, &lists[0]) : OC_E_NOMEM;

    if (rc == OC_OK) {
        lists[0].is_in_job = is_in_job(win, pid);
        host_limits(win, &lists[0], &lists[1]);
        *out_limits = lists[0];
    }
    oc_free(lists);
    return rc;
}
