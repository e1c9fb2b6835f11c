#include "probes/probe.h"

#include "base/alloc.h"

#include <string.h>

void oc_probe_close(oc_probe *probe)
{
    if (probe)
        probe->ops->close(probe);
}

int oc_probe_scan(oc_probe *probe, oc_seen_fn *fn, void *context)
{
    return probe->ops->scan(probe, fn, context);
}

int oc_probe_attach(oc_probe *probe, uint32_t pid, oc_proc **out_proc)
{
    return probe->ops->attach(probe, pid, out_proc);
}

void oc_probe_detach(oc_probe *probe, oc_proc *proc)
{
    if (proc)
        probe->ops->detach(probe, proc);
}

const struct oc_proc_facts *oc_proc_facts(const oc_proc *proc) { return proc->ops->facts(proc); }

void oc_proc_set_tag(oc_proc *proc, uint64_t tag) { proc->tag = tag; }

uint64_t oc_proc_tag(const oc_proc *proc) { return proc->tag; }

int oc_probe_tick_begin(oc_probe *probe, int64_t now_mono_ns)
{
    return probe->ops->tick_begin(probe, now_mono_ns);
}

int oc_probe_read(oc_probe *probe, oc_proc *proc, struct oc_sample *out_sample)
{
    return probe->ops->read(probe, proc, out_sample);
}

void oc_probe_adopt(oc_probe *probe, oc_proc *proc, const struct oc_walk *walk)
{
    probe->ops->adopt(probe, proc, walk);
}

size_t oc_probe_unkept(const oc_probe *probe) { return probe->ops->unkept(probe); }

int oc_probe_cgroup_attach(oc_probe *probe, const char *path, oc_cgroup **out_cgroup)
{
    return probe->ops->cgroup_attach(probe, path, out_cgroup);
}

void oc_probe_cgroup_detach(oc_probe *probe, oc_cgroup *cgroup)
{
    if (cgroup)
        probe->ops->cgroup_detach(probe, cgroup);
}

const char *oc_cgroup_path(const oc_cgroup *cgroup) { return cgroup->path; }

uint64_t oc_cgroup_inode(const oc_cgroup *cgroup) { return cgroup->inode; }

void oc_cgroup_set_tag(oc_cgroup *cgroup, uint64_t tag) { cgroup->tag = tag; }

uint64_t oc_cgroup_tag(const oc_cgroup *cgroup) { return cgroup->tag; }

int oc_cgroup_parent_path(const char *path, char *out, size_t out_bytes)
{
    const char *slash = strrchr(path, '/');
    size_t len_bytes = slash ? (size_t)(slash - path) : 0;

    if (!slash || path[1] == '\0')
        return OC_E_NOENT;
    if (len_bytes == 0) /* "/a" */
        len_bytes = 1;
    if (len_bytes >= out_bytes)
        return OC_E_TOOBIG;
    memmove(out, path, len_bytes); /* out may be path */
    out[len_bytes] = '\0';
    return OC_OK;
}

int oc_probe_cgroup_read(oc_probe *probe, oc_cgroup *cgroup, struct oc_sample *out_sample)
{
    return probe->ops->cgroup_read(probe, cgroup, out_sample);
}

int oc_probe_host_read(oc_probe *probe, struct oc_sample *out_sample)
{
    return probe->ops->host_read(probe, out_sample);
}

int oc_probe_next_event(oc_probe *probe, struct oc_event *out_event)
{
    return probe->ops->next_event(probe, out_event);
}

int oc_probe_event_fd(const oc_probe *probe) { return probe->ops->event_fd(probe); }

void oc_walk_clear(struct oc_walk *walk)
{
    oc_free(walk->cmdline);
    oc_census_clear(&walk->census);
    memset(walk, 0, sizeof *walk);
}
