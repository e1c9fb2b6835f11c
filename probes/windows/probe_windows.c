#include "probes/windows/probe_windows.h"

#include "base/alloc.h"
#include "probes/windows/contract.h"

static void close_probe(oc_probe *base)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);

    while (probe->procs)
        oc_win_detach(base, &probe->procs->base);
    probe->win->signal_free(probe->win, probe->signal);
    oc_win_table_clear(&probe->table);
    oc_free(probe->known);
    oc_free(probe->known_next);
    oc_free(probe->log);
    probe->free_win(probe->win);
    oc_free(probe);
}

static int tick_begin(oc_probe *base, int64_t now_mono_ns)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);

    probe->now_mono_ns = now_mono_ns;
    oc_win_told_tick(probe);
    return OC_OK;
}

/* The pool, to know whom the event log speaks of when the worker has ended. */
static void adopt(oc_probe *base, oc_proc *base_proc, const struct oc_walk *walk)
{
    struct oc_win_proc *proc = oc_win_proc_of(base_proc);

    (void)base;
    if (!proc->pool && walk->names.app_pool[0] != '\0')
        proc->pool = oc_strdup(walk->names.app_pool);
}

static size_t unkept(const oc_probe *base)
{
    const struct oc_win_probe *probe = (const struct oc_win_probe *)(const void *)base;

    return probe->proc_count - probe->kept;
}

/* ---- Windows has no cgroups ---- */

static int cgroup_attach(oc_probe *base, const char *path, oc_cgroup **out_cgroup)
{
    (void)base;
    (void)path;
    (void)out_cgroup;
    return OC_E_NOTSUP;
}

static void cgroup_detach(oc_probe *base, oc_cgroup *cgroup)
{
    (void)base;
    (void)cgroup;
}

static int cgroup_read(oc_probe *base, oc_cgroup *cgroup, struct oc_sample *out_sample)
{
    (void)base;
    (void)cgroup;
    (void)out_sample;
    return OC_E_GONE;
}

/* ---- the host ---- */

int oc_win_host_read(oc_probe *base, struct oc_sample *out_sample)
{
    struct oc_win *win = oc_win_probe_of(base)->win;
    struct oc_win_host host;
    int rc = win->host(win, &host);

    out_sample->block = OC_BLOCK_HOST;
    out_sample->known = 0;
    if (rc != OC_OK)
        return rc;
    oc_sample_set(out_sample, OC_METRIC_HOST_TOTAL, (int64_t)host.total_phys);
    oc_sample_set(out_sample, OC_METRIC_HOST_AVAILABLE, (int64_t)host.avail_phys);
    oc_sample_set(out_sample, OC_METRIC_HOST_COMMIT, (int64_t)host.commit_total);
    oc_sample_set(out_sample, OC_METRIC_HOST_COMMIT_LIMIT, (int64_t)host.commit_limit);
    oc_sample_set(out_sample, OC_METRIC_HOST_PROCESSES, (int64_t)host.processes);
    if (host.commit_max != 0)
        oc_sample_set(out_sample, OC_METRIC_HOST_COMMIT_MAX, (int64_t)host.commit_max);
    return OC_OK;
}

static const struct oc_probe_ops ops = {
    .close = close_probe,
    .scan = oc_win_scan,
    .attach = oc_win_attach,
    .detach = oc_win_detach,
    .facts = oc_win_facts,
    .tick_begin = tick_begin,
    .read = oc_win_read,
    .adopt = adopt,
    .unkept = unkept,
    .cgroup_attach = cgroup_attach,
    .cgroup_detach = cgroup_detach,
    .cgroup_read = cgroup_read,
    .host_read = oc_win_host_read,
    .next_event = oc_win_next_event,
    .event_fd = oc_win_event_fd,
};

int oc_win_probe_open(struct oc_win *take_win, void (*free_win)(struct oc_win *),
                      const struct oc_probe_options *options, oc_probe **out_probe)
{
    struct oc_win_probe *probe = oc_calloc(1, sizeof *probe);

    if (!probe) {
        free_win(take_win);
        return OC_E_NOMEM;
    }
    probe->base.ops = &ops;
    probe->win = take_win;
    probe->free_win = free_win;
    probe->look = options->look;
    probe->kept_max = options->max_descriptors && options->max_descriptors < OC_WIN_KEPT_MAX
                          ? (size_t)options->max_descriptors
                          : OC_WIN_KEPT_MAX;
    (void)take_win->signal_new(take_win, &probe->signal); /* without it ends are found at looks */
    if (!options->no_connector && oc_win_told_open(probe) != OC_OK) {
        close_probe(&probe->base);
        return OC_E_NOMEM;
    }
    *out_probe = &probe->base;
    return OC_OK;
}
