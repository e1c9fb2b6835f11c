#include "probes/linux/lx.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/linux/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void detach_all(struct oc_lx_probe *probe)
{
    for (size_t i = 0; i < probe->table.capacity; i++) {
        while (probe->table.slots[i]) /* a removal may move another one here */
            oc_lx_detach(&probe->base, &probe->table.slots[i]->base);
    }
    while (probe->cgroups)
        oc_lx_cgroup_detach(&probe->base, (oc_cgroup *)(void *)probe->cgroups);
}

static void close_probe(oc_probe *base)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);

    detach_all(probe);
    oc_lx_events_close(probe);
    oc_lx_host_close(probe);
    oc_lx_scan_clear(&probe->scan);
    oc_lx_table_clear(&probe->table);
    if (probe->spare_fd >= 0)
        (void)close(probe->spare_fd);
    if (probe->proc_fd >= 0)
        (void)close(probe->proc_fd);
    oc_free(probe->text);
    oc_free(probe);
}

static const struct oc_probe_ops ops = {
    .close = close_probe,
    .scan = oc_lx_scan,
    .attach = oc_lx_attach,
    .detach = oc_lx_detach,
    .facts = oc_lx_facts,
    .tick_begin = oc_lx_tick_begin,
    .read = oc_lx_read,
    .adopt = oc_lx_adopt,
    .unkept = oc_lx_unkept,
    .cgroup_attach = oc_lx_cgroup_attach,
    .cgroup_detach = oc_lx_cgroup_detach,
    .cgroup_read = oc_lx_cgroup_read,
    .host_read = oc_lx_host_read,
    .next_event = oc_lx_next_event,
    .event_fd = oc_lx_event_fd,
};

static uint64_t default_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 512; /* half of the usual soft limit */
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_C(4) * OC_LX_PROCS_MAX : limit.rlim_cur / 2;
}

/* We have descriptors open, so a kernel that counts them gives more than 0. */
static int counts_fds(int proc_fd)
{
    struct stat info;

    return fstatat(proc_fd, "self/fd", &info, 0) == 0 && info.st_size > 0;
}

static int open_proc_root(struct oc_lx_probe *probe, const char *root, struct oc_detail *detail)
{
    int rc = oc_text_copy(probe->proc_root, sizeof probe->proc_root, root);

    if (rc != OC_OK)
        return oc_detail_set(detail, rc, "the path of the proc folder is too long");
    probe->proc_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (probe->proc_fd < 0) {
        int error = errno;

        return oc_detail_set(detail, oc_err_from_errno(error), "cannot open %s: %s", root,
                             strerror(error));
    }
    probe->spare_fd = fcntl(probe->proc_fd, F_DUPFD_CLOEXEC, 0);
    probe->live = probe->sys != &oc_lx_kernel || oc_lx_is_live(probe->proc_fd);
    probe->counts_fds = counts_fds(probe->proc_fd);
    return OC_OK;
}

static void init(struct oc_lx_probe *probe, const struct oc_probe_options *options)
{
    long page_bytes = sysconf(_SC_PAGESIZE), ticks = sysconf(_SC_CLK_TCK);

    probe->base.ops = &ops;
    probe->look = options->look;
    probe->proc_fd = -1;
    probe->spare_fd = -1;
    probe->events.epoll_fd = -1;
    probe->events.connector_fd = -1;
    probe->events.wake_fd = -1;
    probe->events.timer_fd = -1;
    probe->host.meminfo_fd = -1;
    probe->host.pressure_fd = -1;
    probe->host.vmstat_fd = -1;
    probe->ticks_per_s = ticks > 0 ? (uint64_t)ticks : 100;
    probe->page_shift = 12;
    while (page_bytes > 1L << probe->page_shift)
        probe->page_shift++;
    probe->fds_max = options->max_descriptors ? options->max_descriptors : default_descriptors();
}

int oc_lx_open_with(const struct oc_probe_options *options, const struct oc_lx_sys *sys,
                    oc_probe **out_probe, struct oc_detail *detail)
{
    struct oc_lx_probe *probe = NULL;
    struct oc_lx_roots roots;
    int rc = oc_lx_roots_of(options, &roots);

    if (rc != OC_OK)
        return oc_detail_set(detail, rc, "the path of the folder to look in is too long");
    probe = oc_calloc(1, sizeof *probe);
    if (!probe)
        return OC_E_NOMEM;
    init(probe, options);
    probe->sys = sys;
    probe->text = oc_malloc(OC_LX_TEXT_BYTES);
    if (!probe->text) {
        rc = OC_E_NOMEM;
        goto out;
    }
    rc = open_proc_root(probe, roots.proc, detail);
    if (rc != OC_OK)
        goto out;
    oc_lx_trees_find(&roots, probe->proc_fd, &probe->trees);
    oc_lx_host_open(probe);
    rc = oc_lx_events_open(probe, options->no_connector);
    if (rc != OC_OK)
        goto out;
    *out_probe = &probe->base;
    probe = NULL;
out:
    if (probe)
        close_probe(&probe->base);
    return rc;
}

int oc_probe_open(const struct oc_probe_options *options, oc_probe **out_probe,
                  struct oc_detail *detail)
{
    return oc_lx_open_with(options, &oc_lx_kernel, out_probe, detail);
}
