/*
 * Who killed a process. The kernel says it by counts alone: the victim's cgroup counts the kill
 * (memory.events.local oom_kill), the cgroup whose limit it was counts that it could not be kept (oom in
 * its own events.local), and where no cgroup did, it was the machine that had no memory left. A
 * cgroup may be gone by the time; then what those above it count of all below must do.
 */
#include "probes/linux/cgroup.h"

#include "base/text.h"

#include <signal.h>
#include <string.h>

static const char earlyoom_name[] = "earlyoom";

static struct oc_lx_cgroup *find(const struct oc_lx_probe *probe, const char *path)
{
    struct oc_lx_cgroup *cgroup = probe->cgroups;

    while (cgroup && strcmp(cgroup->path, path) != 0)
        cgroup = cgroup->next;
    return cgroup;
}

static void tell_cgroup(struct oc_lx_probe *probe, struct oc_event *event, enum oc_killer killer,
                        const char *path)
{
    event->killer = killer;
    (void)oc_text_copy(probe->events.scope, sizeof probe->events.scope, path);
    event->killer_scope = probe->events.scope;
}

/* ---- whose limit ---- */

struct chain {
    struct oc_lx_probe *probe;
    char lost[OC_LX_CGROUP_PATH_MAX]; /* a cgroup that is gone, and may have been it; "": none */
    int lost_has_limit;
    int is_complete; /* so far nobody's limit was it, and that is certain */
};

static void lose(struct chain *chain, const char *path, int has_limit)
{
    chain->is_complete = 0;
    if (chain->lost[0] != '\0' && (chain->lost_has_limit || !has_limit))
        return; /* the nearest, or the nearest with a limit */
    (void)oc_text_copy(chain->lost, sizeof chain->lost, path);
    chain->lost_has_limit = has_limit;
}

/* Whether it was at its limit when last seen: all that a version 1 cgroup leaves behind. */
static int was_near_limit(const struct oc_lx_cgroup *cgroup)
{
    const struct oc_sample *sample = &cgroup->sample;

    return cgroup->limit_bytes != OC_LX_MAX && oc_sample_has(sample, OC_METRIC_CGROUP_PEAK) &&
           (uint64_t)oc_sample_get(sample, OC_METRIC_CGROUP_PEAK) >=
               cgroup->limit_bytes - cgroup->limit_bytes / 10;
}

/* What one cgroup of the chain says. Returns 1 where it was its limit, or that of one below it that is gone. */
static int ask(struct chain *chain, struct oc_lx_cgroup *cgroup, const char **out_scope)
{
    struct oc_lx_probe *probe = chain->probe;
    int rc = oc_lx_cgroup_events_read(probe, cgroup);

    *out_scope = cgroup->path;
    if (oc_lx_cgroup_moved(probe, cgroup, OC_LX_OWN_OOMS))
        return 1;
    if (rc != OC_OK) {
        lose(chain, cgroup->path, cgroup->limit_bytes != OC_LX_MAX);
        return probe->trees.memory.version == OC_LX_CGROUP_V1 && was_near_limit(cgroup);
    }
    if (!cgroup->counts_below) {
        if (cgroup->counts[OC_LX_OWN_OOMS].value == OC_LX_MAX && strcmp(cgroup->path, "/") != 0)
            chain->is_complete = 0;
        return 0;
    }
    *out_scope = chain->lost;
    if (oc_lx_cgroup_moved(probe, cgroup, OC_LX_ALL_OOMS))
        return chain->lost[0] != '\0';
    chain->lost[0] = '\0'; /* whatever is gone below it, it met no limit */
    chain->is_complete = probe->trees.memory.is_whole;
    return 0;
}

/*
 * Of version 1 nothing tells of a cgroup that is gone. It had a limit, those above it did not fail, and
 * the machine had memory left: it is what remains.
 */
static int is_left_over(const struct chain *chain)
{
    const struct oc_lx_probe *probe = chain->probe;

    return probe->trees.memory.version == OC_LX_CGROUP_V1 && probe->trees.memory.is_whole &&
           chain->lost_has_limit && oc_lx_host_room(probe) == OC_LX_ROOM_ENOUGH;
}

/* From the victim's cgroup upwards: the nearest whose limit could not be kept, else the machine. */
static void tell_whose_limit(struct oc_lx_probe *probe, const char *path, struct oc_event *event)
{
    struct chain chain = { .probe = probe, .is_complete = probe->trees.memory.is_whole };
    char at[OC_LX_CGROUP_PATH_MAX];
    int rc = oc_text_copy(at, sizeof at, path);

    for (; rc == OC_OK; rc = oc_cgroup_parent_path(at, at, sizeof at)) {
        struct oc_lx_cgroup *cgroup = find(probe, at);
        const char *scope = NULL;

        if (cgroup && ask(&chain, cgroup, &scope)) {
            tell_cgroup(probe, event, OC_KILLER_CGROUP, scope);
            return;
        }
        if (!cgroup && strcmp(at, "/") != 0)
            lose(&chain, at, 0);
    }
    if (chain.is_complete)
        event->killer = OC_KILLER_HOST;
    else if (is_left_over(&chain))
        tell_cgroup(probe, event, OC_KILLER_CGROUP, chain.lost);
}

/* ---- who ---- */

/*
 * Whether the OOM killer did it. The victim's own cgroup knows best; where that is gone, or not
 * looked at, the machine's count must do.
 */
static int was_oom_kill(struct oc_lx_probe *probe, const struct oc_lx_proc *proc)
{
    struct oc_lx_cgroup *cgroup = proc->cgroup_path ? find(probe, proc->cgroup_path) : NULL;
    int rc = cgroup ? oc_lx_cgroup_events_read(probe, cgroup) : OC_E_NOENT;

    if (cgroup && cgroup->kills_left > 0 && oc_lx_cgroup_moved(probe, cgroup, OC_LX_OWN_KILLS)) {
        cgroup->kills_left--;
        (void)oc_lx_host_claim_oom_kill(probe);
        return 1;
    }
    if (rc == OC_OK && cgroup->counts[OC_LX_OWN_KILLS].value != OC_LX_MAX)
        return 0; /* killed by somebody else, whatever went on elsewhere */
    return oc_lx_host_claim_oom_kill(probe);
}

/* systemd-oomd ends all of a cgroup: the victim's or one above it. */
static int was_oomd(struct oc_lx_probe *probe, const char *path, struct oc_event *event)
{
    char at[OC_LX_CGROUP_PATH_MAX];
    int rc = oc_text_copy(at, sizeof at, path);

    for (; rc == OC_OK; rc = oc_cgroup_parent_path(at, at, sizeof at)) {
        struct oc_lx_cgroup *cgroup = find(probe, at);

        if (!cgroup)
            continue;
        (void)oc_lx_cgroup_events_read(probe, cgroup);
        if (oc_lx_cgroup_moved(probe, cgroup, OC_LX_OOMD_ACTS)) {
            tell_cgroup(probe, event, OC_KILLER_OOMD, cgroup->path);
            return 1;
        }
    }
    return 0;
}

/*
 * earlyoom leaves nothing behind but a log. A signal of its two kinds, at a time when memory was as low as it
 * waits for, on a machine where it runs, is taken for its work.
 */
static int was_earlyoom(const struct oc_lx_probe *probe)
{
    if (oc_lx_host_room(probe) != OC_LX_ROOM_LOW)
        return 0;
    for (size_t i = 0; i < probe->scan.count; i++) {
        if (strcmp(probe->scan.before[i].name, earlyoom_name) == 0)
            return 1;
    }
    return 0;
}

static void tell_end(struct oc_lx_probe *probe, struct oc_event *event,
                     const struct oc_lx_proc *proc)
{
    const char *path = proc->cgroup_path ? proc->cgroup_path : "";

    if (event->status == SIGKILL && was_oom_kill(probe, proc)) {
        event->end = OC_END_OOM_KILLED;
        tell_whose_limit(probe, path, event);
    } else if (event->status == SIGKILL && was_oomd(probe, path, event)) {
        return;
    } else if ((event->status == SIGKILL || event->status == SIGTERM) && was_earlyoom(probe)) {
        event->killer = OC_KILLER_EARLYOOM;
    }
}

void oc_lx_killer_tell(struct oc_lx_probe *probe, struct oc_event *event, const void *owner)
{
    if (event->kind == OC_EVENT_PROC_END && event->end == OC_END_SIGNALED)
        tell_end(probe, event, owner);
    else if (event->kind == OC_EVENT_CGROUP_OOM_KILL)
        tell_whose_limit(probe, ((const struct oc_lx_cgroup *)owner)->path, event);
}
