/*
 * Plain types that rooms share: who a process is, one sample, what a source is, how a life ended.
 */
#ifndef OC_BASE_SAMPLE_H
#define OC_BASE_SAMPLE_H

#include "base/metric.h"

#include <stdint.h>

/*
 * One process, within one boot: PIDs come round, exec keeps both PID and start time.
 * start_ticks: Linux: field 22 of /proc/PID/stat, clock ticks since boot; Windows: creation
 * FILETIME.
 */
struct oc_proc_id {
    uint32_t pid;
    uint32_t exec_count; /* execs seen in place since we first saw it */
    uint64_t start_ticks;
};

/*
 * One look at one source, figures of one block. values[bit] holds where known has the bit;
 * elsewhere the value is undefined and must not be read.
 */
struct oc_sample {
    uint8_t block; /* enum oc_block */
    uint64_t known;
    int64_t
        values[OC_BLOCK_METRICS]; /* by number % 64; bytes, counts, ms or us as the table says */
};

/* Gives a figure. The metric is of the sample's block. */
static inline void oc_sample_set(struct oc_sample *sample, enum oc_metric metric, int64_t value)
{
    sample->values[(unsigned)metric % OC_BLOCK_METRICS] = value;
    sample->known |= OC_METRIC_BIT(metric);
}

static inline int oc_sample_has(const struct oc_sample *sample, enum oc_metric metric)
{
    return sample->block == OC_METRIC_BLOCK(metric) && (sample->known & OC_METRIC_BIT(metric)) != 0;
}

/* The figure; only where oc_sample_has(). */
static inline int64_t oc_sample_get(const struct oc_sample *sample, enum oc_metric metric)
{
    return sample->values[(unsigned)metric % OC_BLOCK_METRICS];
}

enum oc_source_kind {
    OC_SOURCE_SELF = 0, /* oomcastd itself: always source id 0 */
    OC_SOURCE_PROCESS = 1,
    OC_SOURCE_CGROUP = 2,
    OC_SOURCE_HOST = 3,
    OC_SOURCE_GROUP = 4 /* all processes of one subject, summed: figures of OC_BLOCK_PROCESS */
};
#define OC_SOURCE_KINDS 5

/* How a life ended. */
enum oc_end {
    OC_END_RUNNING = 0,  /* not ended */
    OC_END_UNKNOWN = 1,  /* ended, nobody could say how */
    OC_END_EXITED = 2,   /* status is the exit code */
    OC_END_SIGNALED = 3, /* status is the signal */
    OC_END_EXECED = 4,   /* another program took its place; the next life has the same PID */
    OC_END_OOM_KILLED = 5,
    OC_END_UNWATCHED = 6, /* it lives on; the watcher stopped or left it */
    OC_END_RECYCLED = 7   /* by plan: IIS put another process in its place, or let it go idle */
};

/* Who sent the signal, where that could be told. Numbers are in stores for ever. */
enum oc_killer {
    OC_KILLER_UNKNOWN = 0,
    OC_KILLER_CGROUP = 1, /* the kernel's OOM killer for a cgroup's limit: scope is its path */
    OC_KILLER_HOST = 2,   /* the kernel's OOM killer, since the host had no memory left */
    OC_KILLER_OOMD = 3,   /* systemd-oomd: scope is the cgroup that it chose */
    OC_KILLER_EARLYOOM = 4,
    OC_KILLER_KUBELET = 5,
    OC_KILLER_IIS = 6 /* the Windows Process Activation Service: scope is the reason in its words */
};
/* "cgroup limit", "host", "systemd-oomd" …; "" unknown. Borrowed for ever. */
const char *oc_killer_name(enum oc_killer killer);

/* "running", "unknown", "exited" … Borrowed for ever. */
const char *oc_end_name(enum oc_end end);
const char *oc_source_kind_name(enum oc_source_kind kind);

/*
 * Facts of a process that do not change while it lives; read once, at its first sight.
 * Strings are valid UTF-8 with control characters kept (printing escapes them), NUL-terminated.
 */
struct oc_proc_facts {
    struct oc_proc_id id;
    uint32_t parent_pid;   /* 0: unknown */
    int64_t uid;           /* -1: unknown */
    int64_t start_unix_ms; /* 0: unknown */
    char name[64];         /* comm */
    char exe[512];         /* "": unknown */
    char cgroup[512];      /* path in the unified hierarchy, or that of v1's memory controller; "":
                              unknown */
    char cmdline[1024];    /* arguments joined by blanks, cut; "": unknown or a kernel thread */
};

/*
 * What a process is called by the systems around it. "" where it is none of that, or unknown.
 * The cgroup's path says the unit and the ids (config/identity.h); the rest is looked up.
 */
struct oc_proc_names {
    char user[64];       /* "" where the number has no name */
    char container[128]; /* name of the container, of Docker or Podman */
    char pod[256];       /* of Kubernetes */
    char pod_namespace[64];
    char pod_container[64];
    char app_pool[200]; /* of IIS, from the worker's -ap; of its descendants the same */
    char clr[16];       /* of an IIS worker: "v4.0", "" none or unknown */
    char service[128];  /* of Windows, by the service manager's list; several: the first */
    char session[12];   /* number of the Windows session */
};

#endif
