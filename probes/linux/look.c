#include "probes/linux/lx.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATM_BYTES 128
#define STATUS_BYTES 8192
#define ROLLUP_BYTES 4096
#define IDLE_LOOKS_MAX                                                                             \
    60 /* one that did not run can still change: others map its pages, or reclaim takes them */

int oc_lx_tick_begin(oc_probe *base, int64_t now_mono_ns)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);

    probe->now_mono_ns = now_mono_ns;
    oc_lx_host_refresh(probe);
    return OC_OK;
}

/* The gate: OC_READ_SAME where it has not run. A clock that went back is another process's. */
static int gate(struct oc_lx_proc *proc)
{
    int64_t cpu_ns = 0;
    int rc = proc->probe->sys->cpu_clock_ns(proc->pid, &cpu_ns);

    if (rc != OC_OK)
        return rc;
    if (cpu_ns == proc->cpu_ns && --proc->idle_left > 0)
        return OC_READ_SAME;
    if (cpu_ns < proc->cpu_ns)
        return OC_E_GONE;
    if (proc->cpu_ns < 0) /* the first look: spreads the rare ones of many that start at once */
        proc->idle_left = (uint8_t)(1 + proc->pid % IDLE_LOOKS_MAX);
    else
        proc->idle_left = IDLE_LOOKS_MAX;
    proc->cpu_ns = cpu_ns;
    return OC_OK;
}

/* Its statm, or why there is none; OC_E_DENIED and OC_E_PARSE cost these figures alone. */
static int read_statm(struct oc_lx_proc *proc, struct oc_lx_statm *out_statm)
{
    char text[STATM_BYTES];
    ssize_t len_bytes = oc_lx_proc_pread(proc, OC_LX_STATM, text, sizeof text);
    int rc = OC_OK;

    if (len_bytes < 0)
        return (int)len_bytes;
    rc = oc_lx_statm_parse(text, (size_t)len_bytes, proc->probe->page_shift, out_statm);
    if (rc == OC_OK && out_statm->size_bytes == 0 && !(proc->flags & OC_LX_KTHREAD))
        return OC_E_GONE; /* no memory: a zombie, or a leader that ended before its threads */
    return rc;
}

/* As above, and goes on with a thread where the leader has ended before the others. */
static int find_statm(struct oc_lx_proc *proc, struct oc_lx_statm *out_statm)
{
    int rc = read_statm(proc, out_statm);

    if (rc == OC_E_GONE && oc_lx_find_thread(proc) == OC_OK)
        rc = read_statm(proc, out_statm);
    return rc;
}

static void set_bytes(struct oc_sample *sample, enum oc_metric metric, uint64_t bytes)
{
    oc_sample_set(sample, metric, (int64_t)bytes);
}

/* Swap, where it is known now, and with it private_bytes. */
static void set_private(const struct oc_lx_proc *proc, struct oc_sample *sample,
                        uint64_t anon_bytes)
{
    uint64_t swap_bytes = 0;

    if (proc->probe->host.swap_total_bytes != 0) {
        if (!(proc->deep.have & OC_METRIC_BIT(OC_METRIC_SWAP)))
            return;
        swap_bytes = proc->deep.swap_bytes;
    }
    set_bytes(sample, OC_METRIC_SWAP, swap_bytes);
    set_bytes(sample, OC_METRIC_PRIVATE, anon_bytes + swap_bytes);
}

static void set_statm(const struct oc_lx_proc *proc, struct oc_sample *sample)
{
    const struct oc_lx_statm *statm = &proc->statm;
    uint64_t anon_bytes = statm->resident_bytes - statm->shared_bytes;

    if (proc->flags & OC_LX_KTHREAD)
        return; /* it has no memory of its own: there is nothing to know */
    if (statm->shared_bytes > statm->resident_bytes)
        anon_bytes = 0; /* counted per CPU, and summed at different moments */
    set_bytes(sample, OC_METRIC_VIRTUAL, statm->size_bytes);
    set_bytes(sample, OC_METRIC_RSS, statm->resident_bytes);
    set_bytes(sample, OC_METRIC_RSS_ANON, anon_bytes);
    set_bytes(sample, OC_METRIC_COMMIT, statm->data_bytes);
    set_private(proc, sample, anon_bytes);
}

static void set_if(const struct oc_lx_deep *deep, struct oc_sample *sample, enum oc_metric metric,
                   uint64_t value)
{
    if (deep->have & OC_METRIC_BIT(metric))
        set_bytes(sample, metric, value);
}

/* What the dear files said last. */
static void set_deep(const struct oc_lx_proc *proc, struct oc_sample *sample)
{
    const struct oc_lx_deep *deep = &proc->deep;
    uint64_t shared_bytes = proc->statm.shared_bytes;

    if ((deep->have & OC_METRIC_BIT(OC_METRIC_RSS_SHMEM)) && !(proc->flags & OC_LX_KTHREAD)) {
        set_bytes(sample, OC_METRIC_RSS_SHMEM, deep->shmem_bytes);
        if (oc_sample_has(sample, OC_METRIC_RSS))
            set_bytes(sample, OC_METRIC_RSS_FILE,
                      shared_bytes > deep->shmem_bytes ? shared_bytes - deep->shmem_bytes : 0);
    }
    set_if(deep, sample, OC_METRIC_PAGE_TABLE, deep->page_table_bytes);
    set_if(deep, sample, OC_METRIC_RSS_PEAK, deep->hwm_bytes);
    set_if(deep, sample, OC_METRIC_THREADS, deep->threads);
    set_if(deep, sample, OC_METRIC_FDS, deep->fds);
    set_if(deep, sample, OC_METRIC_MINOR_FAULTS, deep->minor_faults);
    set_if(deep, sample, OC_METRIC_MAJOR_FAULTS, deep->major_faults);
}

static void begin_sample(struct oc_sample *sample)
{
    sample->block = OC_BLOCK_PROCESS;
    sample->known = 0;
}

static int same_statm(const struct oc_lx_statm *a, const struct oc_lx_statm *b)
{
    return a->size_bytes == b->size_bytes && a->resident_bytes == b->resident_bytes &&
           a->shared_bytes == b->shared_bytes && a->data_bytes == b->data_bytes;
}

/* CPU clock, then statm, then the dear files: each only where the one before moved. */
static int look_ladder(struct oc_lx_proc *proc, struct oc_sample *sample)
{
    struct oc_lx_statm statm = { 0 };
    int64_t cpu_ms = proc->cpu_ns / 1000000;
    int rc = proc->probe->live ? gate(proc) : OC_OK;
    int statm_rc = OC_OK, moved = 0;

    if (rc != OC_OK)
        return rc;
    statm_rc = find_statm(proc, &statm);
    if (statm_rc != OC_OK && statm_rc != OC_E_DENIED && statm_rc != OC_E_PARSE)
        return statm_rc;
    moved = !same_statm(&statm, &proc->statm);
    proc->statm = statm;
    if (oc_lx_deep_due(proc)) {
        rc = oc_lx_deep_read(proc);
        if (rc != OC_OK)
            return rc;
    } else if (!moved && !proc->memfds && proc->cpu_ns / 1000000 == cpu_ms) {
        return OC_READ_SAME; /* it ran, for less than a ms, and nothing shows */
    }
    begin_sample(sample);
    if (statm_rc == OC_OK)
        set_statm(proc, sample);
    set_deep(proc, sample);
    if (proc->cpu_ns >= 0)
        oc_sample_set(sample, OC_METRIC_CPU_TIME, proc->cpu_ns / 1000000);
    oc_lx_memfd_set(proc, sample);
    return OC_OK;
}

static int look_least(struct oc_lx_proc *proc, struct oc_sample *sample)
{
    int rc = find_statm(proc, &proc->statm);

    if (rc != OC_OK && rc != OC_E_DENIED && rc != OC_E_PARSE)
        return rc;
    begin_sample(sample);
    if (rc == OC_OK)
        set_statm(proc, sample);
    return OC_OK;
}

static void set_status(const struct oc_lx_status *status, struct oc_sample *sample)
{
    static const struct {
        enum oc_lx_status_field field;
        enum oc_metric metric;
    } rows[] = {
        { OC_LX_VM_SIZE, OC_METRIC_VIRTUAL },   { OC_LX_VM_HWM, OC_METRIC_RSS_PEAK },
        { OC_LX_VM_RSS, OC_METRIC_RSS },        { OC_LX_RSS_ANON, OC_METRIC_RSS_ANON },
        { OC_LX_RSS_FILE, OC_METRIC_RSS_FILE }, { OC_LX_RSS_SHMEM, OC_METRIC_RSS_SHMEM },
        { OC_LX_VM_PTE, OC_METRIC_PAGE_TABLE }, { OC_LX_VM_SWAP, OC_METRIC_SWAP },
        { OC_LX_THREADS, OC_METRIC_THREADS },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (oc_lx_status_has(status, rows[i].field))
            set_bytes(sample, rows[i].metric, status->values[rows[i].field]);
    }
    if (oc_lx_status_has(status, OC_LX_RSS_ANON) && oc_lx_status_has(status, OC_LX_VM_SWAP))
        set_bytes(sample, OC_METRIC_PRIVATE,
                  status->values[OC_LX_RSS_ANON] + status->values[OC_LX_VM_SWAP]);
    if (oc_lx_status_has(status, OC_LX_VM_DATA) && oc_lx_status_has(status, OC_LX_VM_STK))
        set_bytes(sample, OC_METRIC_COMMIT,
                  status->values[OC_LX_VM_DATA] + status->values[OC_LX_VM_STK]);
}

static int read_status(struct oc_lx_proc *proc, struct oc_lx_status *out_status)
{
    char text[STATUS_BYTES];
    ssize_t len_bytes = oc_lx_proc_pread(proc, OC_LX_STATUS, text, sizeof text);
    int rc = OC_OK;

    if (len_bytes < 0)
        return (int)len_bytes;
    rc = oc_lx_status_parse(text, (size_t)len_bytes, out_status);
    if (rc == OC_OK && !oc_lx_status_has(out_status, OC_LX_VM_SIZE) &&
        !(proc->flags & OC_LX_KTHREAD))
        return OC_E_GONE; /* as with statm */
    return rc;
}

static int look_basic(struct oc_lx_proc *proc, struct oc_sample *sample)
{
    struct oc_lx_status status = { 0 };
    int rc = read_status(proc, &status);

    if (rc == OC_E_GONE && oc_lx_find_thread(proc) == OC_OK)
        rc = read_status(proc, &status);
    if (rc != OC_OK && rc != OC_E_DENIED && rc != OC_E_PARSE)
        return rc;
    begin_sample(sample);
    set_status(&status, sample);
    return OC_OK;
}

/* The memory it was opened for is no more; the process has another one, or it has ended. */
static int rollup_again(struct oc_lx_proc *proc, char *text)
{
    oc_lx_proc_close_file(proc, OC_LX_ROLLUP);
    oc_lx_proc_close_file(proc, OC_LX_MAPS);
    return (int)oc_lx_proc_pread(proc, OC_LX_ROLLUP, text, ROLLUP_BYTES);
}

static int look_pss(struct oc_lx_proc *proc, struct oc_sample *sample)
{
    struct oc_lx_rollup rollup;
    char *text = proc->probe->text;
    ssize_t len_bytes = 0;
    int rc = look_least(proc, sample);

    if (rc != OC_OK || (proc->flags & OC_LX_KTHREAD))
        return rc;
    len_bytes = oc_lx_proc_pread(proc, OC_LX_ROLLUP, text, ROLLUP_BYTES);
    if (len_bytes == OC_E_GONE)
        len_bytes = rollup_again(proc, text);
    if (len_bytes <= 0 || oc_lx_rollup_parse(text, (size_t)len_bytes, &rollup) != OC_OK)
        return OC_OK; /* another user's, or it ends just now: statm stands */
    set_bytes(sample, OC_METRIC_PSS, rollup.pss_bytes);
    set_bytes(sample, OC_METRIC_USS, rollup.uss_bytes);
    return OC_OK;
}

static int look_regions(struct oc_lx_proc *proc, struct oc_sample *sample)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    int rc = look_pss(proc, sample);

    if (rc != OC_OK || (proc->flags & OC_LX_KTHREAD))
        return rc;
    if (oc_lx_proc_maps(proc, &maps) != OC_OK || maps.mappings == 0)
        return OC_OK;
    set_bytes(sample, OC_METRIC_MAPPINGS, maps.mappings);
    set_bytes(sample, OC_METRIC_MODULES, maps.modules);
    set_bytes(sample, OC_METRIC_BRK_HEAP, maps.heap_bytes);
    return OC_OK;
}

static int (*const looks[OC_LOOK_COUNT])(struct oc_lx_proc *, struct oc_sample *) = {
    [OC_LOOK_LADDER] = look_ladder, [OC_LOOK_LEAST] = look_least,     [OC_LOOK_BASIC] = look_basic,
    [OC_LOOK_PSS] = look_pss,       [OC_LOOK_REGIONS] = look_regions,
};

int oc_lx_read(oc_probe *base, oc_proc *handle, struct oc_sample *out_sample)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_proc *proc = oc_lx_proc_of(handle);
    int rc = OC_OK;

    if (proc->flags & OC_LX_THINNED)
        oc_lx_proc_keep_again(proc);
    rc = looks[probe->look](proc, out_sample);
    if (rc == OC_E_GONE)
        oc_lx_proc_ended(proc);
    return rc == OC_OK || rc == OC_READ_SAME || rc == OC_E_GONE || rc == OC_E_NOMEM ? rc : OC_E_IO;
}
