#include "probes/linux/lx.h"

#include "base/alloc.h"

#include <stdio.h>
#include <sys/stat.h>

#define STATUS_BYTES 8192
#define STAT_BYTES 1024

/*
 * What counts as moved: less is noise, since the kernel counts pages per thread or CPU and sums
 * them up now and then.
 */
#define MOVED_BYTES (UINT64_C(256) << 10)
#define MOVED_SHARE 128    /* or this part of what is resident */
#define DEEP_AGE_MAX 8     /* looks of one that runs */
#define DEEP_WAIT_UNKEPT 3 /* looks left out where its files have to be opened for each look */
#define DEEP_FDS_EVERY 4   /* descriptors change less than memory does */

static int moved(uint64_t now_bytes, uint64_t then_bytes)
{
    uint64_t by_bytes = now_bytes > then_bytes ? now_bytes - then_bytes : then_bytes - now_bytes;
    uint64_t share_bytes = then_bytes / MOVED_SHARE;

    return by_bytes >= (share_bytes > MOVED_BYTES ? share_bytes : MOVED_BYTES);
}

int oc_lx_deep_due(struct oc_lx_proc *proc)
{
    if (!(proc->flags & OC_LX_DEEP_SEEN))
        return 1;
    if (++proc->deep_age >= DEEP_AGE_MAX)
        return 1;
    if (proc->deep_wait > 0) {
        proc->deep_wait--;
        return 0;
    }
    return moved(proc->statm.resident_bytes, proc->deep.resident_bytes) ||
           moved(proc->statm.shared_bytes, proc->deep.shared_bytes);
}

/* Takes a value of status, or marks it as not to be had. */
static void take(struct oc_lx_deep *deep, const struct oc_lx_status *status,
                 enum oc_lx_status_field field, enum oc_metric metric, uint64_t *out_value)
{
    deep->have &= ~OC_METRIC_BIT(metric);
    if (!oc_lx_status_has(status, field))
        return;
    *out_value = status->values[field];
    deep->have |= OC_METRIC_BIT(metric);
}

static int read_status(struct oc_lx_proc *proc, uint64_t *out_peak_bytes)
{
    struct oc_lx_deep *deep = &proc->deep;
    struct oc_lx_status status = { 0 };
    char text[STATUS_BYTES];
    uint64_t threads = 0;
    ssize_t len_bytes = oc_lx_proc_pread(proc, OC_LX_STATUS, text, sizeof text);

    if (len_bytes == OC_E_GONE)
        return OC_E_GONE;
    if (len_bytes > 0)
        (void)oc_lx_status_parse(text, (size_t)len_bytes, &status); /* what was read of it counts */
    take(deep, &status, OC_LX_RSS_SHMEM, OC_METRIC_RSS_SHMEM, &deep->shmem_bytes);
    take(deep, &status, OC_LX_VM_SWAP, OC_METRIC_SWAP, &deep->swap_bytes);
    take(deep, &status, OC_LX_VM_PTE, OC_METRIC_PAGE_TABLE, &deep->page_table_bytes);
    take(deep, &status, OC_LX_VM_HWM, OC_METRIC_RSS_PEAK, &deep->hwm_bytes);
    take(deep, &status, OC_LX_THREADS, OC_METRIC_THREADS, &threads);
    deep->threads = (uint32_t)threads;
    *out_peak_bytes = oc_lx_status_has(&status, OC_LX_VM_PEAK) ? status.values[OC_LX_VM_PEAK] : 0;
    return OC_OK;
}

static int read_stat(struct oc_lx_proc *proc, uint64_t *out_stack)
{
    struct oc_lx_deep *deep = &proc->deep;
    struct oc_lx_stat stat;
    char text[STAT_BYTES];
    ssize_t len_bytes = oc_lx_proc_pread(proc, OC_LX_STAT, text, sizeof text);

    deep->have &= ~(OC_METRIC_BIT(OC_METRIC_MINOR_FAULTS) | OC_METRIC_BIT(OC_METRIC_MAJOR_FAULTS));
    if (len_bytes == OC_E_GONE)
        return OC_E_GONE;
    if (len_bytes <= 0 || oc_lx_stat_parse(text, (size_t)len_bytes, &stat) != OC_OK)
        return OC_OK;
    if (stat.start_ticks != proc->start_ticks && proc->start_ticks != 0)
        return OC_E_GONE; /* the PID is another's now */
    deep->minor_faults = stat.minor_faults;
    deep->major_faults = stat.major_faults;
    deep->have |= OC_METRIC_BIT(OC_METRIC_MINOR_FAULTS) | OC_METRIC_BIT(OC_METRIC_MAJOR_FAULTS);
    if (!proc->probe->live) /* no clock of it to ask */
        proc->cpu_ns = (int64_t)(stat.cpu_ticks % (UINT64_C(1) << 40) * 1000 /
                                 proc->probe->ticks_per_s * 1000000);
    *out_stack = stat.start_stack;
    return OC_OK;
}

/* The size of its folder of descriptors is their number since 6.2. */
static void read_fds(struct oc_lx_proc *proc)
{
    char path[64];
    struct stat info;

    proc->deep.have &= ~OC_METRIC_BIT(OC_METRIC_FDS);
    if (!proc->probe->counts_fds)
        return;
    (void)snprintf(path, sizeof path, "%u/fd", proc->pid);
    if (fstatat(proc->probe->proc_fd, path, &info, 0) != 0)
        return;
    proc->deep.fds = (uint32_t)info.st_size;
    proc->deep.have |= OC_METRIC_BIT(OC_METRIC_FDS);
}

/*
 * An exec in place, where no connector tells of it: exec puts the stack elsewhere, and the peak of
 * the address space, which else only grows, begins anew.
 */
static int has_execed(const struct oc_lx_proc *proc, uint64_t stack, uint64_t peak_bytes)
{
    const struct oc_lx_deep *deep = &proc->deep;

    if (!(proc->flags & OC_LX_DEEP_SEEN) || proc->probe->events.connector_fd >= 0)
        return 0;
    return (stack != 0 && deep->start_stack != 0 && stack != deep->start_stack) ||
           (peak_bytes != 0 && peak_bytes < deep->peak_bytes);
}

int oc_lx_deep_read(struct oc_lx_proc *proc)
{
    struct oc_lx_deep *deep = &proc->deep;
    uint64_t peak_bytes = 0, stack = 0;
    int rc = read_status(proc, &peak_bytes);

    if (rc == OC_OK)
        rc = read_stat(proc, &stack);
    if (rc != OC_OK)
        return rc;
    if (proc->deep_count % DEEP_FDS_EVERY == 0)
        read_fds(proc);
    if (has_execed(proc, stack, peak_bytes))
        oc_lx_proc_execed(proc);
    deep->peak_bytes = peak_bytes;
    deep->start_stack = stack;
    deep->resident_bytes = proc->statm.resident_bytes;
    deep->shared_bytes = proc->statm.shared_bytes;
    proc->flags |= OC_LX_DEEP_SEEN;
    proc->deep_age = 0;
    proc->deep_wait = proc->deep_count > 1 && proc->fd[OC_LX_STATUS] < 0 ? DEEP_WAIT_UNKEPT : 0;
    /* the count goes round, but never back to its beginning, where nothing is kept yet */
    proc->deep_count = proc->deep_count < 252 ? (uint8_t)(proc->deep_count + 1) : 249;
    return OC_OK;
}

/* ---- memfds: what a walk found, counted without holding any of it ---- */

void oc_lx_adopt(oc_probe *base, oc_proc *handle, const struct oc_walk *walk)
{
    struct oc_lx_proc *proc = oc_lx_proc_of(handle);

    (void)base;
    oc_free(proc->memfds);
    proc->memfds = NULL;
    proc->flags &= (uint8_t)~OC_LX_NO_MEMFDS;
    if (!oc_sample_has(&walk->sample, OC_METRIC_MEMFD))
        return; /* the walk could not look */
    if (walk->memfd_count == 0) {
        proc->flags |= OC_LX_NO_MEMFDS;
        return;
    }
    if (walk->memfd_count > OC_WALK_MEMFDS_MAX)
        return; /* dear: walks alone count them */
    proc->memfds = oc_calloc(1, sizeof *proc->memfds);
    if (!proc->memfds)
        return; /* unknown, until the next walk */
    for (uint32_t i = 0; i < walk->memfd_count; i++) {
        proc->memfds->fds[i] = walk->memfds[i].fd;
        proc->memfds->inodes[i] = walk->memfds[i].inode;
        proc->memfds->count++;
    }
}

/*
 * By the path of its descriptor, each time: a descriptor of our own, even with O_PATH, would keep
 * the pages of a memfd that the watched has closed.
 */
void oc_lx_memfd_set(const struct oc_lx_proc *proc, struct oc_sample *sample)
{
    uint64_t bytes = 0;

    if (proc->flags & OC_LX_NO_MEMFDS)
        oc_sample_set(sample, OC_METRIC_MEMFD, 0);
    if (!proc->memfds)
        return;
    for (uint32_t i = 0; i < proc->memfds->count; i++) {
        char path[64];
        struct stat info;

        (void)snprintf(path, sizeof path, "%u/fd/%d", proc->pid, proc->memfds->fds[i]);
        if (fstatat(proc->probe->proc_fd, path, &info, 0) == 0 &&
            info.st_ino == proc->memfds->inodes[i])
            bytes += (uint64_t)info.st_blocks * 512;
    }
    oc_sample_set(sample, OC_METRIC_MEMFD, (int64_t)bytes);
}
