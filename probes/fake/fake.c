#include "probes/fake/fake.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define EVENTS_MAX 4096

struct fake_proc {
    struct oc_proc base; /* first; what oc_probe_attach() hands out */
    struct fake_probe *probe;
    struct oc_proc_facts facts;
    struct oc_sample sample;
    int changed, attached, ended, fail;
    uint64_t reads;
};

struct fake_cgroup {
    struct oc_cgroup base; /* first */
    struct oc_sample sample;
    char path[512];
    int ended, attached;
};

struct fake_probe {
    struct oc_probe base;     /* first */
    struct fake_proc **procs; /* living ones, and ended ones that are still attached */
    size_t proc_count, proc_capacity;
    struct fake_cgroup **cgroups;
    size_t cgroup_count, cgroup_capacity;
    struct oc_sample host;
    struct oc_event events[EVENTS_MAX];
    size_t event_first, event_count;
    int lost;
    oc_fake_fill_fn *fill;
    void *fill_context;
    int64_t now_mono_ns;
};

static struct fake_probe *fake_of(oc_probe *probe) { return (struct fake_probe *)(void *)probe; }

static struct fake_proc *proc_of(oc_proc *proc) { return (struct fake_proc *)(void *)proc; }

static struct fake_proc *find_proc(const struct fake_probe *fake, uint32_t pid)
{
    for (size_t i = 0; i < fake->proc_count; i++) {
        if (fake->procs[i]->facts.id.pid == pid && !fake->procs[i]->ended)
            return fake->procs[i];
    }
    return NULL;
}

static struct fake_proc *script_proc(oc_probe *probe, uint32_t pid)
{
    struct fake_proc *proc = find_proc(fake_of(probe), pid);

    assert(proc && "the script names a process that is not there");
    return proc;
}

static struct fake_cgroup *find_cgroup(const struct fake_probe *fake, const char *path)
{
    for (size_t i = 0; i < fake->cgroup_count; i++) {
        if (strcmp(fake->cgroups[i]->path, path) == 0 && !fake->cgroups[i]->ended)
            return fake->cgroups[i];
    }
    return NULL;
}

static struct fake_cgroup *script_cgroup(oc_probe *probe, const char *path)
{
    struct fake_cgroup *cgroup = find_cgroup(fake_of(probe), path);

    assert(cgroup && "the script names a cgroup that is not there");
    return cgroup;
}

static void push(struct fake_probe *fake, struct oc_event event)
{
    if (fake->event_count == EVENTS_MAX) {
        fake->lost = 1;
        return;
    }
    fake->events[(fake->event_first + fake->event_count++) % EVENTS_MAX] = event;
}

/* ---- the calls of a probe ---- */

static void fake_close(oc_probe *probe)
{
    struct fake_probe *fake = fake_of(probe);

    for (size_t i = 0; i < fake->proc_count; i++)
        oc_free(fake->procs[i]);
    for (size_t i = 0; i < fake->cgroup_count; i++)
        oc_free(fake->cgroups[i]);
    oc_free(fake->procs);
    oc_free(fake->cgroups);
    oc_free(fake);
}

static int fake_scan(oc_probe *probe, oc_seen_fn *fn, void *context)
{
    struct fake_probe *fake = fake_of(probe);
    int count = 0;

    for (size_t i = 0; i < fake->proc_count; i++) {
        const struct fake_proc *proc = fake->procs[i];
        struct oc_seen seen = { proc->facts.id.pid, proc->facts.id.start_ticks, 0, 0, "" };

        if (proc->ended)
            continue;
        if (oc_sample_has(&proc->sample, OC_METRIC_RSS))
            seen.rss_bytes = (uint64_t)oc_sample_get(&proc->sample, OC_METRIC_RSS);
        (void)oc_text_copy(seen.name, sizeof seen.name, proc->facts.name);
        fn(&seen, context);
        count++;
    }
    return count;
}

static int fake_attach(oc_probe *probe, uint32_t pid, oc_proc **out_proc)
{
    struct fake_proc *proc = find_proc(fake_of(probe), pid);

    if (!proc)
        return OC_E_GONE;
    if (proc->fail != 0)
        return proc->fail;
    assert(!proc->attached && "one at a time");
    proc->attached = 1;
    proc->changed = 1;
    proc->base.tag = 0;
    *out_proc = &proc->base;
    return OC_OK;
}

static void remove_proc(struct fake_probe *fake, struct fake_proc *proc)
{
    for (size_t i = 0; i < fake->proc_count; i++) {
        if (fake->procs[i] != proc)
            continue;
        fake->procs[i] = fake->procs[--fake->proc_count];
        oc_free(proc);
        return;
    }
}

static void fake_detach(oc_probe *probe, oc_proc *handle)
{
    struct fake_proc *proc = proc_of(handle);

    proc->attached = 0;
    if (proc->ended)
        remove_proc(fake_of(probe), proc);
}

static const struct oc_proc_facts *fake_facts(const oc_proc *handle)
{
    return &((const struct fake_proc *)(const void *)handle)->facts;
}

static int fake_tick_begin(oc_probe *probe, int64_t now_mono_ns)
{
    fake_of(probe)->now_mono_ns = now_mono_ns;
    return OC_OK;
}

static int fake_read(oc_probe *probe, oc_proc *handle, struct oc_sample *out_sample)
{
    struct fake_probe *fake = fake_of(probe);
    struct fake_proc *proc = proc_of(handle);

    proc->reads++;
    if (proc->ended)
        return OC_E_GONE;
    if (proc->fail != 0)
        return proc->fail;
    if (fake->fill && fake->fill(proc->facts.id.pid, fake->now_mono_ns, &proc->sample,
                                 fake->fill_context) == OC_OK)
        proc->changed = 1;
    if (!proc->changed)
        return OC_READ_SAME;
    proc->changed = 0;
    *out_sample = proc->sample;
    return OC_OK;
}

static void fake_adopt(oc_probe *probe, oc_proc *handle, const struct oc_walk *walk)
{
    (void)probe;
    (void)handle;
    (void)walk;
}

static int fake_cgroup_attach(oc_probe *probe, const char *path, oc_cgroup **out_cgroup)
{
    struct fake_cgroup *cgroup = find_cgroup(fake_of(probe), path);

    if (!cgroup)
        return OC_E_NOENT;
    assert(!cgroup->attached && "one at a time");
    cgroup->attached = 1;
    *out_cgroup = &cgroup->base;
    return OC_OK;
}

static void fake_cgroup_detach(oc_probe *probe, oc_cgroup *handle)
{
    (void)probe;
    ((struct fake_cgroup *)(void *)handle)->attached = 0;
}

static int fake_cgroup_read(oc_probe *probe, oc_cgroup *handle, struct oc_sample *out_sample)
{
    const struct fake_cgroup *cgroup = (struct fake_cgroup *)(void *)handle;

    (void)probe;
    if (cgroup->ended)
        return OC_E_GONE;
    *out_sample = cgroup->sample;
    return OC_OK;
}

static int fake_host_read(oc_probe *probe, struct oc_sample *out_sample)
{
    *out_sample = fake_of(probe)->host;
    return OC_OK;
}

static int fake_next_event(oc_probe *probe, struct oc_event *out_event)
{
    struct fake_probe *fake = fake_of(probe);

    if (fake->event_count > 0) {
        *out_event = fake->events[fake->event_first];
        fake->event_first = (fake->event_first + 1) % EVENTS_MAX;
        fake->event_count--;
        return 1;
    }
    if (!fake->lost)
        return 0;
    fake->lost = 0;
    *out_event =
        (struct oc_event){ OC_EVENT_RESCAN, 0, 0, OC_END_UNKNOWN, -1, OC_KILLER_UNKNOWN, NULL };
    return 1;
}

static size_t fake_unkept(const oc_probe *probe)
{
    (void)probe;
    return 0;
}

static int fake_event_fd(const oc_probe *probe)
{
    (void)probe;
    return -1;
}

static const struct oc_probe_ops ops = {
    .close = fake_close,
    .scan = fake_scan,
    .attach = fake_attach,
    .detach = fake_detach,
    .facts = fake_facts,
    .tick_begin = fake_tick_begin,
    .read = fake_read,
    .adopt = fake_adopt,
    .cgroup_attach = fake_cgroup_attach,
    .cgroup_detach = fake_cgroup_detach,
    .cgroup_read = fake_cgroup_read,
    .host_read = fake_host_read,
    .next_event = fake_next_event,
    .unkept = fake_unkept,
    .event_fd = fake_event_fd,
};

int oc_fake_open(oc_probe **out_probe)
{
    struct fake_probe *fake = oc_calloc(1, sizeof *fake);

    if (!fake)
        return OC_E_NOMEM;
    fake->base.ops = &ops;
    fake->host.block = OC_BLOCK_HOST;
    *out_probe = &fake->base;
    return OC_OK;
}

/* ---- the script ---- */

int oc_fake_start(oc_probe *probe, const struct oc_proc_facts *facts)
{
    struct fake_probe *fake = fake_of(probe);
    struct fake_proc *proc = NULL;
    int rc = OC_OK;

    if (find_proc(fake, facts->id.pid))
        return OC_E_EXISTS;
    rc = oc_array_grow((void **)&fake->procs, &fake->proc_capacity, fake->proc_count + 1,
                       sizeof(struct fake_proc *), OC_FAKE_PROCS_MAX);
    if (rc != OC_OK)
        return rc;
    proc = oc_calloc(1, sizeof *proc);
    if (!proc)
        return OC_E_NOMEM;
    proc->base.ops = &ops;
    proc->probe = fake;
    proc->facts = *facts;
    proc->sample.block = OC_BLOCK_PROCESS;
    fake->procs[fake->proc_count++] = proc;
    push(fake, (struct oc_event){ OC_EVENT_PROC_START, facts->id.pid, 0, OC_END_RUNNING, -1,
                                  OC_KILLER_UNKNOWN, NULL });
    return OC_OK;
}

void oc_fake_set(oc_probe *probe, uint32_t pid, enum oc_metric metric, int64_t value)
{
    struct fake_proc *proc = script_proc(probe, pid);

    oc_sample_set(&proc->sample, metric, value);
    proc->changed = 1;
}

void oc_fake_unset(oc_probe *probe, uint32_t pid, enum oc_metric metric)
{
    struct fake_proc *proc = script_proc(probe, pid);

    proc->sample.known &= ~OC_METRIC_BIT(metric);
    proc->changed = 1;
}

void oc_fake_exec(oc_probe *probe, uint32_t pid, const char *name)
{
    struct fake_proc *proc = script_proc(probe, pid);

    proc->facts.id.exec_count++;
    (void)oc_text_copy(proc->facts.name, sizeof proc->facts.name, name);
    if (proc->attached)
        push(fake_of(probe), (struct oc_event){ OC_EVENT_PROC_EXEC, pid, proc->base.tag,
                                                OC_END_EXECED, -1, OC_KILLER_UNKNOWN, NULL });
}

static void end(oc_probe *probe, uint32_t pid, const struct oc_event *how)
{
    struct fake_proc *proc = script_proc(probe, pid);
    struct oc_event event = *how;

    if (!proc->attached) {
        remove_proc(fake_of(probe), proc);
        return;
    }
    proc->ended = 1;
    event.kind = OC_EVENT_PROC_END;
    event.pid = pid;
    event.tag = proc->base.tag;
    push(fake_of(probe), event);
}

void oc_fake_end(oc_probe *probe, uint32_t pid, enum oc_end how, int status)
{
    struct oc_event event = { .end = how, .status = status };

    end(probe, pid, &event);
}

void oc_fake_kill(oc_probe *probe, uint32_t pid, enum oc_killer killer, const char *scope)
{
    struct oc_event event = {
        .end = OC_END_OOM_KILLED, .status = 9, .killer = killer, .killer_scope = scope
    };

    end(probe, pid, &event);
}

void oc_fake_fail(oc_probe *probe, uint32_t pid, int code) { script_proc(probe, pid)->fail = code; }

void oc_fake_set_fill(oc_probe *probe, oc_fake_fill_fn *fill, void *context)
{
    fake_of(probe)->fill = fill;
    fake_of(probe)->fill_context = context;
}

uint64_t oc_fake_reads(const oc_probe *probe, uint32_t pid)
{
    const struct fake_proc *proc = find_proc((const struct fake_probe *)(const void *)probe, pid);

    return proc ? proc->reads : 0;
}

int oc_fake_cgroup(oc_probe *probe, const char *path, uint64_t inode)
{
    struct fake_probe *fake = fake_of(probe);
    struct fake_cgroup *cgroup = NULL;
    int rc = oc_array_grow((void **)&fake->cgroups, &fake->cgroup_capacity, fake->cgroup_count + 1,
                           sizeof(struct fake_cgroup *), OC_FAKE_CGROUPS_MAX);

    if (rc != OC_OK)
        return rc;
    cgroup = oc_calloc(1, sizeof *cgroup);
    if (!cgroup)
        return OC_E_NOMEM;
    (void)oc_text_copy(cgroup->path, sizeof cgroup->path, path);
    cgroup->base.path = cgroup->path;
    cgroup->base.inode = inode;
    cgroup->sample.block = OC_BLOCK_CGROUP;
    fake->cgroups[fake->cgroup_count++] = cgroup;
    return OC_OK;
}

void oc_fake_cgroup_set(oc_probe *probe, const char *path, enum oc_metric metric, int64_t value)
{
    oc_sample_set(&script_cgroup(probe, path)->sample, metric, value);
}

void oc_fake_cgroup_oom_kill(oc_probe *probe, const char *path)
{
    const struct fake_cgroup *cgroup = script_cgroup(probe, path);

    push(fake_of(probe), (struct oc_event){ OC_EVENT_CGROUP_OOM_KILL, 0, cgroup->base.tag,
                                            OC_END_OOM_KILLED, -1, OC_KILLER_UNKNOWN, NULL });
}

void oc_fake_cgroup_end(oc_probe *probe, const char *path)
{
    struct fake_cgroup *cgroup = script_cgroup(probe, path);

    cgroup->ended = 1;
    push(fake_of(probe), (struct oc_event){ OC_EVENT_CGROUP_GONE, 0, cgroup->base.tag,
                                            OC_END_UNKNOWN, -1, OC_KILLER_UNKNOWN, NULL });
}

void oc_fake_host_set(oc_probe *probe, enum oc_metric metric, int64_t value)
{
    oc_sample_set(&fake_of(probe)->host, metric, value);
}

void oc_fake_lose_events(oc_probe *probe) { fake_of(probe)->lost = 1; }
