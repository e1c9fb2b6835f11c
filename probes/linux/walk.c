/* One look at all of a process: may block on its memory lock, so a walker thread runs it. */
#include "probes/linux/walk.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/linux/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES 3 /* of a process that becomes another program while it is looked at */

/* ---- reading ---- */

ssize_t oc_lx_walk_read(const struct oc_lx_walker *walker, const char *name)
{
    int fd = openat(walker->dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got_bytes = 0;

    if (fd < 0)
        return oc_err_from_errno(errno);
    got_bytes = oc_lx_read_all(fd, walker->text, OC_LX_TEXT_BYTES);
    (void)close(fd);
    return got_bytes;
}

ssize_t oc_lx_walk_timed(struct oc_lx_walker *walker, int fd, char *text, size_t max_bytes)
{
    const int64_t begin_ns = oc_clock_mono_ns();
    ssize_t got_bytes = read(fd, text, max_bytes);
    int64_t took_ns = 0;

    while (got_bytes < 0 && errno == EINTR)
        got_bytes = read(fd, text, max_bytes);
    if (got_bytes < 0)
        return oc_err_from_errno(errno);
    took_ns = oc_clock_mono_ns() - begin_ns;
    if (took_ns > walker->walk->stall_ns)
        walker->walk->stall_ns = took_ns;
    return got_bytes;
}

ssize_t oc_lx_walk_read_timed(struct oc_lx_walker *walker, const char *name)
{
    int fd = openat(walker->dir_fd, name, O_RDONLY | O_CLOEXEC);
    size_t len_bytes = 0;
    ssize_t got_bytes = 1;

    if (fd < 0)
        return oc_err_from_errno(errno);
    while (got_bytes > 0 && len_bytes < OC_LX_TEXT_BYTES) {
        got_bytes =
            oc_lx_walk_timed(walker, fd, walker->text + len_bytes, OC_LX_TEXT_BYTES - len_bytes);
        if (got_bytes > 0)
            len_bytes += (size_t)got_bytes;
    }
    (void)close(fd);
    return got_bytes < 0 ? got_bytes : (ssize_t)len_bytes;
}

static int open_process(struct oc_lx_walker *walker)
{
    char pid[16];

    walker->root_fd = open(walker->roots->proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walker->root_fd < 0)
        return oc_err_from_errno(errno);
    walker->is_live = oc_lx_is_live(walker->root_fd);
    (void)snprintf(pid, sizeof pid, "%u", walker->request->pid);
    walker->dir_fd = openat(walker->root_fd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walker->dir_fd < 0)
        return errno == ENOENT ? OC_E_GONE : oc_err_from_errno(errno);
    return OC_OK;
}

/* ---- what is looked at ---- */

static int walk_memory(struct oc_lx_walker *walker)
{
    if (oc_lx_wants(walker,
                    OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES | OC_WALK_RESIDENT))
        return oc_lx_walk_space(walker);
    if (oc_lx_wants(walker, OC_WALK_COUNTS))
        oc_lx_walk_counts(walker);
    return OC_OK;
}

static void walk_pages(struct oc_lx_walker *walker)
{
    struct oc_lx_rollup rollup;
    ssize_t len_bytes = oc_lx_walk_read_timed(walker, "smaps_rollup");

    if (len_bytes <= 0 || oc_lx_rollup_parse(walker->text, (size_t)len_bytes, &rollup) != OC_OK)
        return;
    oc_lx_walk_set(walker, OC_METRIC_PSS, rollup.pss_bytes);
    oc_lx_walk_set(walker, OC_METRIC_USS, rollup.uss_bytes);
}

static void set_if(struct oc_sample *sample, enum oc_metric metric,
                   const struct oc_lx_status *status, enum oc_lx_status_field field)
{
    if (oc_lx_status_has(status, field))
        oc_sample_set(sample, metric, (int64_t)status->values[field]);
}

/* With what status knows too: those figures are the ticks', so the walk's sample is without them. */
static void walk_limits(struct oc_lx_walker *walker)
{
    struct oc_walk *walk = walker->walk;
    const struct oc_lx_status *status = &walker->status;
    struct oc_sample sample = walk->sample;

    walk->limit_count = oc_lx_walk_limits(walker->root_fd, walker->dir_fd, walk->facts.uid,
                                          walk->names.user, walk->limits);
    set_if(&sample, OC_METRIC_VIRTUAL, status, OC_LX_VM_SIZE);
    set_if(&sample, OC_METRIC_THREADS, status, OC_LX_THREADS);
    set_if(&sample, OC_METRIC_COMMIT, status, OC_LX_VM_DATA);
    if (oc_sample_has(&sample, OC_METRIC_COMMIT) && oc_lx_status_has(status, OC_LX_VM_STK))
        sample.values[OC_METRIC_COMMIT] += (int64_t)status->values[OC_LX_VM_STK];
    oc_limits_use(walk->limits, walk->limit_count, &sample);
}

/*
 * Memory goes some time before a process is a zombie, and its maps end in the middle then: what was
 * read is no whole.
 */
static int check_memory(const struct oc_lx_walker *walker)
{
    struct oc_lx_statm statm;
    ssize_t len_bytes = walker->walk->census.has_regions ? oc_lx_walk_read(walker, "statm") : 0;

    if (len_bytes <= 0 || oc_lx_statm_parse(walker->text, (size_t)len_bytes, 0, &statm) != OC_OK)
        return OC_OK;
    return statm.size_bytes == 0 ? OC_E_GONE : OC_OK;
}

static int walk_all(struct oc_lx_walker *walker)
{
    int rc = oc_lx_walk_stat(walker);

    if (rc != OC_OK)
        return rc;
    oc_lx_walk_facts(walker);
    if (oc_lx_wants(walker, OC_WALK_FAMILIES)) {
        walker->families = oc_families_new();
        if (!walker->families)
            return OC_E_NOMEM;
    }
    rc = walk_memory(walker);
    if (rc == OC_OK && oc_lx_wants(walker, OC_WALK_PAGES))
        walk_pages(walker);
    if (rc == OC_OK && oc_lx_wants(walker, OC_WALK_COUNTS | OC_WALK_FAMILIES))
        rc = oc_lx_walk_fds(walker);
    if (rc == OC_OK && walker->families)
        rc = oc_families_finish(walker->families, &walker->walk->census);
    if (rc != OC_OK)
        return rc;
    if (oc_lx_wants(walker, OC_WALK_LIMITS))
        walk_limits(walker);
    rc = oc_lx_walk_stat(walker); /* still there: what lies between is its own */
    return rc == OC_OK ? check_memory(walker) : rc;
}

/* ---- a walk ---- */

static void begin(struct oc_walk *walk, const struct oc_walk_request *request)
{
    oc_walk_clear(walk);
    walk->sample.block = OC_BLOCK_PROCESS;
    walk->facts.id.pid = request->pid;
    walk->facts.uid = -1;
}

static int walk_once(const struct oc_lx_roots *roots, const struct oc_walk_request *request,
                     char *text, struct oc_walk *walk)
{
    struct oc_lx_walker walker = {
        .roots = roots, .root_fd = -1, .dir_fd = -1, .text = text, .request = request, .walk = walk
    };
    int rc = OC_OK;

    begin(walk, request);
    rc = open_process(&walker);
    if (rc == OC_OK)
        rc = walk_all(&walker);
    if (walker.dir_fd >= 0)
        (void)close(walker.dir_fd);
    if (walker.root_fd >= 0)
        (void)close(walker.root_fd);
    oc_families_free(walker.families);
    return rc;
}

/* What became another program in between is looked at again, but for a caller that has a list by now. */
static int walk_until_whole(const struct oc_lx_roots *roots, const struct oc_walk_request *request,
                            char *text, struct oc_walk *walk)
{
    const int tries = request->on_region ? 1 : TRIES;
    int rc = OC_E_AGAIN;

    for (int i = 0; i < tries && rc == OC_E_AGAIN; i++)
        rc = walk_once(roots, request, text, walk);
    return rc == OC_E_AGAIN ? OC_E_GONE : rc;
}

int oc_probe_walk(const struct oc_probe_options *options, const struct oc_walk_request *request,
                  struct oc_walk *out_walk)
{
    struct oc_lx_roots roots;
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    char *text = oc_malloc(OC_LX_TEXT_BYTES);
    int64_t cpu_ns = oc_clock_thread_cpu_ns(), wall_ns = oc_clock_mono_ns();
    int rc = walk && text ? oc_lx_roots_of(options, &roots) : OC_E_NOMEM;

    if (rc == OC_OK)
        rc = walk_until_whole(&roots, request, text, walk);
    if (rc == OC_OK) {
        walk->cpu_ns = oc_clock_thread_cpu_ns() - cpu_ns;
        walk->wall_ns = oc_clock_mono_ns() - wall_ns;
        *out_walk = *walk;
    } else if (walk) {
        oc_walk_clear(walk);
    }
    oc_free(text);
    oc_free(walk);
    return rc;
}
