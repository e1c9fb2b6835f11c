#include "probes/linux/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SLOW_NS INT64_C(10000000000)
#define STAT_BYTES 16384
#define NONE_BYTES (UINT64_C(1) << 62) /* version 1 writes "no limit" as 2^63 less a page */

static const char *const names_v1[OC_LX_CGROUP_FILES] = {
    [OC_LX_CGROUP_CURRENT] = "memory.usage_in_bytes",
    [OC_LX_CGROUP_SWAP] = "memory.memsw.usage_in_bytes",
    [OC_LX_CGROUP_EVENTS] = "memory.oom_control",
    [OC_LX_CGROUP_STAT] = "memory.stat",
    [OC_LX_CGROUP_PEAK] = "memory.max_usage_in_bytes",
    [OC_LX_CGROUP_LIMIT] = "memory.limit_in_bytes",
    [OC_LX_CGROUP_FAILCNT] = "memory.failcnt",
    [OC_LX_CGROUP_MEMSW_LIMIT] = "memory.memsw.limit_in_bytes",
    [OC_LX_CGROUP_MEMSW_FAILCNT] = "memory.memsw.failcnt",
};

static const char *const names_v2[OC_LX_CGROUP_FILES] = {
    [OC_LX_CGROUP_CURRENT] = "memory.current", [OC_LX_CGROUP_SWAP] = "memory.swap.current",
    [OC_LX_CGROUP_EVENTS] = "memory.events",   [OC_LX_CGROUP_PRESSURE] = "memory.pressure",
    [OC_LX_CGROUP_STAT] = "memory.stat",       [OC_LX_CGROUP_EVENTS_LOCAL] = "memory.events.local",
    [OC_LX_CGROUP_PEAK] = "memory.peak",       [OC_LX_CGROUP_LIMIT] = "memory.max",
    [OC_LX_CGROUP_HIGH] = "memory.high",       [OC_LX_CGROUP_SWAP_LIMIT] = "memory.swap.max",
};

const char *oc_lx_cgroup_file_name(enum oc_lx_cgroup_version version, enum oc_lx_cgroup_file file)
{
    return version == OC_LX_CGROUP_V1 ? names_v1[file] : names_v2[file];
}

ssize_t oc_lx_cgroup_read_file(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                               enum oc_lx_cgroup_file file, char *text, size_t max_bytes)
{
    const char *name = oc_lx_cgroup_file_name(probe->trees.memory.version, file);
    ssize_t got_bytes = 0;
    int fd = -1;

    if (!name)
        return OC_E_NOENT;
    if (file < OC_LX_CGROUP_KEPT && cgroup->fd[file] >= 0)
        return oc_lx_pread(cgroup->fd[file], text, max_bytes);
    fd = openat(cgroup->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return oc_err_from_errno(errno);
    got_bytes = oc_lx_pread(fd, text, max_bytes);
    (void)close(fd);
    return got_bytes;
}

int oc_lx_cgroup_read_number(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                             enum oc_lx_cgroup_file file, uint64_t *out_value)
{
    char text[64];
    ssize_t len_bytes = oc_lx_cgroup_read_file(probe, cgroup, file, text, sizeof text);

    if (len_bytes < 0)
        return (int)len_bytes;
    return oc_lx_number_parse(text, (size_t)len_bytes, out_value);
}

static void forget(struct oc_sample *sample, enum oc_metric metric)
{
    sample->known &= ~OC_METRIC_BIT(metric);
}

/* The number, or OC_LX_MAX: it is not there, or says "none". */
static uint64_t number_or_none(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                               enum oc_lx_cgroup_file file)
{
    uint64_t value = OC_LX_MAX;

    if (oc_lx_cgroup_read_number(probe, cgroup, file, &value) != OC_OK || value >= NONE_BYTES)
        return OC_LX_MAX;
    return value;
}

/* A number, or nothing: the file is not there, or says "max". */
static uint64_t take_number(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                            enum oc_lx_cgroup_file file, enum oc_metric metric)
{
    uint64_t value = number_or_none(probe, cgroup, file);

    forget(&cgroup->sample, metric);
    if (value != OC_LX_MAX)
        oc_sample_set(&cgroup->sample, metric, (int64_t)value);
    return value;
}

/* ---- memory.stat ---- */

enum {
    STAT_ANON,
    STAT_FILE,
    STAT_KERNEL_STACK,
    STAT_PAGE_TABLES,
    STAT_SOCK,
    STAT_SHMEM,
    STAT_DIRTY,
    STAT_SWAP,
    STAT_INACTIVE_FILE,
    STAT_ACTIVE_FILE,
    STAT_UNEVICTABLE,
    STAT_SLAB_RECLAIMABLE,
    STAT_SLAB_UNRECLAIMABLE,
    STAT_COUNT
};

/* In the kernel's order. "-": that version has no such line. */
static const char *const stat_keys_v2[STAT_COUNT] = {
    "anon",
    "file",
    "kernel_stack",
    "pagetables",
    "sock",
    "shmem",
    "file_dirty",
    "-",
    "inactive_file",
    "active_file",
    "unevictable",
    "slab_reclaimable",
    "slab_unreclaimable",
};

/* With those below, as version 2 counts. total_cache comes first there. */
static const char *const stat_keys_v1[STAT_COUNT] = {
    "total_rss",
    "total_cache",
    "-",
    "-",
    "-",
    "total_shmem",
    "total_dirty",
    "total_swap",
    "total_inactive_file",
    "total_active_file",
    "total_unevictable",
    "-",
    "-",
};

static const enum oc_metric stat_metrics[STAT_COUNT] = {
    [STAT_ANON] = OC_METRIC_CGROUP_ANON,
    [STAT_FILE] = OC_METRIC_CGROUP_FILE,
    [STAT_KERNEL_STACK] = OC_METRIC_CGROUP_KERNEL_STACK,
    [STAT_PAGE_TABLES] = OC_METRIC_CGROUP_PAGE_TABLES,
    [STAT_SOCK] = OC_METRIC_CGROUP_SOCK,
    [STAT_SHMEM] = OC_METRIC_CGROUP_SHMEM,
    [STAT_DIRTY] = OC_METRIC_CGROUP_FILE_DIRTY,
    [STAT_SWAP] = OC_METRIC_CGROUP_SWAP,
    [STAT_INACTIVE_FILE] = OC_METRIC_CGROUP_INACTIVE_FILE,
    [STAT_ACTIVE_FILE] = OC_METRIC_CGROUP_ACTIVE_FILE,
    [STAT_UNEVICTABLE] = OC_METRIC_CGROUP_UNEVICTABLE,
    [STAT_SLAB_RECLAIMABLE] = OC_METRIC_CGROUP_SLAB_RECLAIMABLE,
    [STAT_SLAB_UNRECLAIMABLE] = OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE,
};

static uint64_t less(uint64_t from, uint64_t what) { return from > what ? from - what : 0; }

/*
 * What the kernel takes back before it kills anyone, or OC_LX_MAX where it is unknown. Shared memory
 * and locked pages are on other lists than active_file and inactive_file, so they stay in the charge
 * by themselves. Pages that wait to be written do not: whoever writes files fills a cgroup with them
 * in a straight line (version 1 wakes no writer for a cgroup's sake), and at the limit reclaim writes
 * them and waits.
 */
static uint64_t cache_bytes(uint64_t found, const uint64_t *values)
{
    const uint64_t needed = UINT64_C(1) << STAT_INACTIVE_FILE | UINT64_C(1) << STAT_ACTIVE_FILE;
    uint64_t bytes = 0;

    if ((found & needed) != needed)
        return OC_LX_MAX;
    bytes = values[STAT_INACTIVE_FILE] + values[STAT_ACTIVE_FILE];
    if (found >> STAT_SLAB_RECLAIMABLE & 1)
        bytes += values[STAT_SLAB_RECLAIMABLE];
    return bytes;
}

/*
 * The charge that counts. Between two reads of memory.stat the cache is taken to be what it
 * was: so growth of the rest shows at once, and a burst of cache counts for a thirty-second of the
 * limit at most; without a limit for 10 s.
 */
static void set_charge(struct oc_lx_cgroup *cgroup, uint64_t current_bytes)
{
    forget(&cgroup->sample, OC_METRIC_CGROUP_CHARGE);
    forget(&cgroup->sample, OC_METRIC_CGROUP_MEMSW);
    if (cgroup->cache_bytes == OC_LX_MAX)
        return;
    if (current_bytes != OC_LX_MAX)
        oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_CHARGE,
                      (int64_t)less(current_bytes, cgroup->cache_bytes));
    if (cgroup->memsw_bytes != OC_LX_MAX)
        oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_MEMSW,
                      (int64_t)less(cgroup->memsw_bytes, cgroup->cache_bytes));
}

static void read_stat(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    const int v1 = probe->trees.memory.version == OC_LX_CGROUP_V1;
    uint64_t values[STAT_COUNT], found = 0;
    ssize_t len_bytes =
        oc_lx_cgroup_read_file(probe, cgroup, OC_LX_CGROUP_STAT, probe->text, STAT_BYTES);

    cgroup->stat_mono_ns = probe->now_mono_ns;
    if (len_bytes > 0)
        found = oc_lx_keyed_parse(probe->text, (size_t)len_bytes, v1 ? stat_keys_v1 : stat_keys_v2,
                                  STAT_COUNT, values);
    for (int i = 0; i < STAT_COUNT; i++) {
        if (stat_metrics[i] == 0 || (i == STAT_SWAP && !v1))
            continue; /* version 2 has a file of its own for swap */
        forget(&cgroup->sample, stat_metrics[i]);
        if (found >> i & 1)
            oc_sample_set(&cgroup->sample, stat_metrics[i], (int64_t)values[i]);
    }
    cgroup->cache_bytes = cache_bytes(found, values);
}

/* ---- the tick ---- */

static int is_old(int64_t then_mono_ns, int64_t now_mono_ns)
{
    return then_mono_ns == INT64_MIN || now_mono_ns < then_mono_ns ||
           now_mono_ns - then_mono_ns >= SLOW_NS;
}

static void read_task_file(const char *path, enum oc_metric metric, struct oc_sample *sample)
{
    char text[64];
    uint64_t value = OC_LX_MAX;
    ssize_t len_bytes = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    forget(sample, metric);
    if (fd < 0)
        return;
    len_bytes = oc_lx_pread(fd, text, sizeof text);
    (void)close(fd);
    if (len_bytes > 0 && oc_lx_number_parse(text, (size_t)len_bytes, &value) == OC_OK &&
        value < NONE_BYTES)
        oc_sample_set(sample, metric, (int64_t)value);
}

void oc_lx_tasks_read(struct oc_lx_probe *probe, const char *cgroup_path, struct oc_sample *sample)
{
    char path[OC_LX_CGROUP_PATH_MAX + sizeof probe->trees.pids.dir];
    const size_t room_bytes = sizeof path - sizeof "/pids.current";
    size_t len_bytes = 0;

    forget(sample, OC_METRIC_CGROUP_TASKS);
    forget(sample, OC_METRIC_CGROUP_TASKS_LIMIT);
    if (oc_lx_tree_folder(&probe->trees.pids, cgroup_path, path, room_bytes) != OC_OK)
        return;
    len_bytes = strlen(path);
    memcpy(path + len_bytes, "/pids.current", sizeof "/pids.current");
    read_task_file(path, OC_METRIC_CGROUP_TASKS, sample);
    memcpy(path + len_bytes, "/pids.max", sizeof "/pids.max");
    read_task_file(path, OC_METRIC_CGROUP_TASKS_LIMIT, sample);
}

/* Limits and the like: they seldom change. */
static int read_slow(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    cgroup->slow_mono_ns = probe->now_mono_ns;
    cgroup->limit_bytes = take_number(probe, cgroup, OC_LX_CGROUP_LIMIT, OC_METRIC_CGROUP_LIMIT);
    (void)take_number(probe, cgroup, OC_LX_CGROUP_HIGH, OC_METRIC_CGROUP_HIGH);
    (void)take_number(probe, cgroup, OC_LX_CGROUP_SWAP_LIMIT, OC_METRIC_CGROUP_SWAP_LIMIT);
    (void)take_number(probe, cgroup, OC_LX_CGROUP_PEAK, OC_METRIC_CGROUP_PEAK);
    (void)take_number(probe, cgroup, OC_LX_CGROUP_MEMSW_LIMIT, OC_METRIC_CGROUP_MEMSW_LIMIT);
    oc_lx_tasks_read(probe, cgroup->path, &cgroup->sample);
    if (probe->trees.memory.version == OC_LX_CGROUP_V1)
        cgroup->memsw_bytes = number_or_none(probe, cgroup, OC_LX_CGROUP_SWAP);
    return oc_lx_cgroup_events_read(probe, cgroup);
}

/* *out_bytes: what is charged now, OC_LX_MAX where it cannot be had. OC_E_GONE: the cgroup is. */
static int read_current(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup, uint64_t *out_bytes)
{
    uint64_t bytes = OC_LX_MAX;
    int rc = oc_lx_cgroup_read_number(probe, cgroup, OC_LX_CGROUP_CURRENT, &bytes);

    if (rc == OC_E_GONE || (rc == OC_E_NOENT && cgroup->had_current))
        return OC_E_GONE;
    forget(&cgroup->sample, OC_METRIC_CGROUP_CURRENT);
    *out_bytes = OC_LX_MAX;
    if (rc != OC_OK || bytes >= NONE_BYTES)
        return OC_OK;
    cgroup->had_current = 1;
    oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_CURRENT, (int64_t)bytes);
    *out_bytes = bytes;
    return OC_OK;
}

static void read_swap(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    if (probe->trees.memory.version == OC_LX_CGROUP_V1) { /* swap comes with memory.stat */
        if (oc_sample_has(&cgroup->sample, OC_METRIC_CGROUP_MEMSW_LIMIT))
            cgroup->memsw_bytes = number_or_none(probe, cgroup, OC_LX_CGROUP_SWAP);
        return;
    }
    if (probe->host.swap_total_bytes == 0)
        oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_SWAP, 0);
    else
        (void)take_number(probe, cgroup, OC_LX_CGROUP_SWAP, OC_METRIC_CGROUP_SWAP);
}

static void read_pressure(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    struct oc_lx_psi psi;
    char text[512];
    ssize_t len_bytes =
        oc_lx_cgroup_read_file(probe, cgroup, OC_LX_CGROUP_PRESSURE, text, sizeof text);

    forget(&cgroup->sample, OC_METRIC_CGROUP_PSI_SOME_US);
    forget(&cgroup->sample, OC_METRIC_CGROUP_PSI_FULL_US);
    if (len_bytes <= 0 || oc_lx_psi_parse(text, (size_t)len_bytes, &psi) != OC_OK)
        return;
    oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_PSI_SOME_US, (int64_t)psi.some_us);
    if (psi.full_us != OC_LX_MAX)
        oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_PSI_FULL_US, (int64_t)psi.full_us);
}

/* Within a tenth of its limit memory.stat is read at each tick. */
static int is_near_limit(const struct oc_lx_cgroup *cgroup, uint64_t current_bytes)
{
    return current_bytes != OC_LX_MAX && cgroup->limit_bytes != OC_LX_MAX &&
           current_bytes >= cgroup->limit_bytes - cgroup->limit_bytes / 10;
}

/*
 * Since memory.stat was read, the charge moved so far that it matters whether it is cache: what a
 * forecast would take for growth.
 */
static int has_moved(const struct oc_lx_cgroup *cgroup, uint64_t current_bytes)
{
    uint64_t then_bytes = cgroup->stat_current_bytes;
    uint64_t moved_bytes =
        current_bytes > then_bytes ? current_bytes - then_bytes : then_bytes - current_bytes;

    return current_bytes != OC_LX_MAX && cgroup->limit_bytes != OC_LX_MAX &&
           moved_bytes >= cgroup->limit_bytes / 32;
}

/* A peak read some seconds ago is at least what is charged now. */
static void raise_peak(struct oc_lx_cgroup *cgroup)
{
    struct oc_sample *sample = &cgroup->sample;

    if (oc_sample_has(sample, OC_METRIC_CGROUP_PEAK) &&
        oc_sample_has(sample, OC_METRIC_CGROUP_CURRENT) &&
        oc_sample_get(sample, OC_METRIC_CGROUP_PEAK) <
            oc_sample_get(sample, OC_METRIC_CGROUP_CURRENT))
        oc_sample_set(sample, OC_METRIC_CGROUP_PEAK,
                      oc_sample_get(sample, OC_METRIC_CGROUP_CURRENT));
}

int oc_lx_cgroup_read(oc_probe *base, oc_cgroup *handle, struct oc_sample *out_sample)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_cgroup *cgroup = oc_lx_cgroup_of(handle);
    uint64_t current_bytes = OC_LX_MAX;
    int rc = OC_OK;

    cgroup->sample.block = OC_BLOCK_CGROUP;
    rc = read_current(probe, cgroup, &current_bytes);
    if (rc == OC_OK && is_old(cgroup->slow_mono_ns, probe->now_mono_ns))
        rc = read_slow(probe, cgroup);
    if (rc != OC_OK)
        return OC_E_GONE;
    read_swap(probe, cgroup);
    read_pressure(probe, cgroup);
    if (is_old(cgroup->stat_mono_ns, probe->now_mono_ns) || is_near_limit(cgroup, current_bytes) ||
        has_moved(cgroup, current_bytes)) {
        read_stat(probe, cgroup);
        cgroup->stat_current_bytes = current_bytes;
    }
    set_charge(cgroup, current_bytes);
    raise_peak(cgroup);
    *out_sample = cgroup->sample;
    return OC_OK;
}
