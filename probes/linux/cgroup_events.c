/* What happened to a cgroup: limits that were met, kills, its end. */
#include "probes/linux/cgroup.h"

#include <string.h>
#include <sys/xattr.h>

/*
 * A count that moved so long ago does not tell of a death now. Generous, since times are those of
 * ticks, 10 s apart mostly, and a victim with much memory takes its time to end.
 */
#define RECENT_NS INT64_C(15000000000)

enum { EVENT_LOW, EVENT_HIGH, EVENT_MAX, EVENT_OOM, EVENT_OOM_KILL, EVENT_COUNT };

static const char *const event_keys[EVENT_COUNT] = { "low", "high", "max", "oom", "oom_kill" };
static const enum oc_metric event_metrics[EVENT_COUNT] = {
    OC_METRIC_CGROUP_EVENTS_LOW, OC_METRIC_CGROUP_EVENTS_HIGH,     OC_METRIC_CGROUP_EVENTS_MAX,
    OC_METRIC_CGROUP_EVENTS_OOM, OC_METRIC_CGROUP_EVENTS_OOM_KILL,
};

int oc_lx_cgroup_moved(const struct oc_lx_probe *probe, const struct oc_lx_cgroup *cgroup,
                       enum oc_lx_kill_count count)
{
    int64_t moved_ns = cgroup->counts[count].moved_mono_ns;

    return moved_ns != INT64_MIN && probe->now_mono_ns - moved_ns <= RECENT_NS;
}

/* Takes a count's new value; by how much it is more than before. */
static uint64_t see(const struct oc_lx_probe *probe, struct oc_lx_count *count, uint64_t value)
{
    uint64_t before = count->value;

    count->value = value;
    if (before == OC_LX_MAX || value == OC_LX_MAX || value <= before)
        return 0;
    count->moved_mono_ns = probe->now_mono_ns;
    return value - before;
}

static void see_kills(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup, uint64_t kills)
{
    struct oc_event event = {
        OC_EVENT_CGROUP_OOM_KILL, 0,   cgroup->base.tag, OC_END_OOM_KILLED, -1,
        OC_KILLER_UNKNOWN,        NULL
    };
    int was_recent = oc_lx_cgroup_moved(probe, cgroup, OC_LX_OWN_KILLS);
    uint64_t more = see(probe, &cgroup->counts[OC_LX_OWN_KILLS], kills);

    if (!was_recent)
        cgroup->kills_left = 0;
    cgroup->kills_left += more;
    if (more > 0)
        oc_lx_events_push(probe, &event, cgroup);
}

/*
 * What happened in this cgroup itself, not below it: events.local. Kernels without it count in
 * events what is the cgroup's own (before 5.2), and version 1 does always.
 */
static void see_local(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup, uint64_t found,
                      const uint64_t *values)
{
    char text[512];
    uint64_t local[EVENT_COUNT];
    ssize_t len_bytes =
        oc_lx_cgroup_read_file(probe, cgroup, OC_LX_CGROUP_EVENTS_LOCAL, text, sizeof text);

    if (len_bytes > 0) {
        found = oc_lx_keyed_parse(text, (size_t)len_bytes, event_keys, EVENT_COUNT, local);
        values = local;
        cgroup->counts_below = 1;
    }
    if (found >> EVENT_OOM & 1)
        (void)see(probe, &cgroup->counts[OC_LX_OWN_OOMS], values[EVENT_OOM]);
    if (found >> EVENT_OOM_KILL & 1)
        see_kills(probe, cgroup, values[EVENT_OOM_KILL]);
}

/* Version 1 does not count what its limits could not hold, only how often they stood in the way. */
static void see_failures(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    uint64_t memory = 0, memsw = 0;

    if (probe->trees.memory.version != OC_LX_CGROUP_V1 ||
        oc_lx_cgroup_read_number(probe, cgroup, OC_LX_CGROUP_FAILCNT, &memory) != OC_OK ||
        memory > INT64_MAX / 2)
        return;
    oc_sample_set(&cgroup->sample, OC_METRIC_CGROUP_EVENTS_MAX, (int64_t)memory);
    (void)oc_lx_cgroup_read_number(probe, cgroup, OC_LX_CGROUP_MEMSW_FAILCNT, &memsw);
    (void)see(probe, &cgroup->counts[OC_LX_OWN_OOMS], memory + memsw);
}

/* A number that systemd-oomd wrote on the folder; 0: none. */
static uint64_t attribute(const struct oc_lx_cgroup *cgroup, const char *name)
{
    char text[32];
    uint64_t value = 0;
    ssize_t len_bytes = fgetxattr(cgroup->dir_fd, name, text, sizeof text);

    if (len_bytes <= 0 || oc_lx_number_parse(text, (size_t)len_bytes, &value) != OC_OK ||
        value > INT64_MAX / 2)
        return 0;
    return value;
}

/* It counts before it kills, and again behind. The folder tells it even when it is gone. */
static void see_oomd(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    if (probe->trees.memory.version == OC_LX_CGROUP_V2)
        (void)see(probe, &cgroup->counts[OC_LX_OOMD_ACTS],
                  attribute(cgroup, "user.oomd_ooms") + attribute(cgroup, "user.oomd_kill"));
}

int oc_lx_cgroup_events_read(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    char text[512];
    uint64_t values[EVENT_COUNT], found = 0;
    ssize_t len_bytes =
        oc_lx_cgroup_read_file(probe, cgroup, OC_LX_CGROUP_EVENTS, text, sizeof text);

    see_oomd(probe, cgroup);
    if (len_bytes == OC_E_GONE || (len_bytes == OC_E_NOENT && cgroup->had_events))
        return OC_E_GONE;
    see_failures(probe, cgroup);
    if (len_bytes <= 0)
        return OC_OK; /* a root has none */
    cgroup->had_events = 1;
    found = oc_lx_keyed_parse(text, (size_t)len_bytes, event_keys, EVENT_COUNT, values);
    for (int i = 0; i < EVENT_COUNT; i++) {
        if (found >> i & 1)
            oc_sample_set(&cgroup->sample, event_metrics[i], (int64_t)values[i]);
    }
    if (found >> EVENT_OOM & 1)
        (void)see(probe, &cgroup->counts[OC_LX_ALL_OOMS], values[EVENT_OOM]);
    see_local(probe, cgroup, found, values);
    return OC_OK;
}

void oc_lx_cgroup_on_ready(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    struct oc_event event = { OC_EVENT_CGROUP_GONE, 0,   cgroup->base.tag, OC_END_UNKNOWN, -1,
                              OC_KILLER_UNKNOWN,    NULL };

    if (oc_lx_cgroup_events_read(probe, cgroup) != OC_E_GONE)
        return; /* reading it armed it again */
    oc_lx_events_push(probe, &event, cgroup);
    oc_lx_events_forget(probe, cgroup->fd[OC_LX_CGROUP_EVENTS], cgroup, 1);
}
