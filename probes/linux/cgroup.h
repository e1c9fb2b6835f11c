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

struct oc_lx_cgroup {
    struct oc_cgroup base; /* first */
    struct oc_lx_cgroup *next, **link;
    char *path;
    int dir_fd;
    int fd[OC_LX_CGROUP_KEPT];          /* -1: not kept */
    int had_current;                    /* its root has none */
    int64_t stat_mono_ns, slow_mono_ns; /* when last read */
    struct oc_sample sample;            /* what was read last of each */
    uint64_t oom_kills;                 /* told so far; OC_LX_MAX: not read yet */
    uint64_t limit_bytes;               /* OC_LX_MAX: none */
    uint64_t memsw_bytes;               /* of version 1; OC_LX_MAX: unknown */
    uint64_t
        clean_bytes; /* by the last memory.stat, what dropping cache would give back; OC_LX_MAX: unknown */
};

static inline struct oc_lx_cgroup *oc_lx_cgroup_of(oc_cgroup *cgroup)
{
    return (struct oc_lx_cgroup *)(void *)cgroup;
}

#endif
