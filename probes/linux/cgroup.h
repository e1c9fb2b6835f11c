/* What the two cgroup files share: which files there are, and what is kept of each cgroup. */
#ifndef OC_PROBES_LINUX_CGROUP_H
#define OC_PROBES_LINUX_CGROUP_H

#include "probes/linux/lx.h"

enum oc_lx_cgroup_file {
    /* kept open, as long as there is room */
    OC_LX_CGROUP_CURRENT,
    OC_LX_CGROUP_SWAP, /* version 1: memory and swap together */
    OC_LX_CGROUP_EVENTS,
    OC_LX_CGROUP_PRESSURE,
    OC_LX_CGROUP_STAT,
    OC_LX_CGROUP_KEPT,
    /* opened when read: at most every 10 s */
    OC_LX_CGROUP_EVENTS_LOCAL = OC_LX_CGROUP_KEPT,
    OC_LX_CGROUP_PEAK,
    OC_LX_CGROUP_LIMIT,
    OC_LX_CGROUP_HIGH,
    OC_LX_CGROUP_SWAP_LIMIT,
    OC_LX_CGROUP_FAILCNT,
    OC_LX_CGROUP_MEMSW_LIMIT,
    OC_LX_CGROUP_MEMSW_FAILCNT,
    OC_LX_CGROUP_FILES
};

/* NULL: that version has no such file. */
const char *oc_lx_cgroup_file_name(enum oc_lx_cgroup_version version, enum oc_lx_cgroup_file file);

/* What says whose a kill was: counts that only grow, and when they were last seen to move. */
enum oc_lx_kill_count {
    OC_LX_OWN_KILLS, /* processes of this cgroup itself that the OOM killer ended */
    OC_LX_OWN_OOMS, /* how often its own limit could not be kept; of version 1 how often it stood in the way */
    OC_LX_ALL_OOMS,  /* the same of all below it too */
    OC_LX_OOMD_ACTS, /* what systemd-oomd wrote on it */
    OC_LX_KILL_COUNTS
};
struct oc_lx_count {
    uint64_t value;        /* OC_LX_MAX: not known */
    int64_t moved_mono_ns; /* INT64_MIN: never */
};

struct oc_lx_cgroup {
    struct oc_cgroup base; /* first */
    struct oc_lx_cgroup *next, **link;
    char *path;
    int dir_fd;
    int fd[OC_LX_CGROUP_KEPT]; /* -1: not kept */
    int had_events;
    int had_current;                    /* its root has none */
    int64_t stat_mono_ns, slow_mono_ns; /* when last read */
    struct oc_sample sample;            /* what was read last of each */
    struct oc_lx_count counts[OC_LX_KILL_COUNTS];
    int counts_below;     /* OC_LX_ALL_OOMS is more than OC_LX_OWN_OOMS: Linux 5.2 on */
    uint64_t kills_left;  /* of OC_LX_OWN_KILLS: whose victim is not told yet */
    uint64_t limit_bytes; /* OC_LX_MAX: none */
    uint64_t memsw_bytes; /* of version 1; OC_LX_MAX: unknown */
    uint64_t cache_bytes; /* by the last memory.stat, what reclaim gives back; OC_LX_MAX: unknown */
    uint64_t stat_current_bytes; /* what was charged when memory.stat was last read */
};

static inline struct oc_lx_cgroup *oc_lx_cgroup_of(oc_cgroup *cgroup)
{
    return (struct oc_lx_cgroup *)(void *)cgroup;
}

/* ---- cgroup_read.c ---- */
/* One file from its start: kept, or opened for this once. OC_E_NOENT: there is no such file. */
ssize_t oc_lx_cgroup_read_file(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                               enum oc_lx_cgroup_file file, char *text, size_t max_bytes);
int oc_lx_cgroup_read_number(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                             enum oc_lx_cgroup_file file, uint64_t *out_value);

/* ---- cgroup_events.c ---- */
/* Reads what happened: into its sample and its counts; queues a kill. 0 or OC_E_GONE. */
int oc_lx_cgroup_events_read(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup);
/* Whether a count moved in the last seconds. */
int oc_lx_cgroup_moved(const struct oc_lx_probe *probe, const struct oc_lx_cgroup *cgroup,
                       enum oc_lx_kill_count count);

#endif
