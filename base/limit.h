/*
 * Ceilings that memory can meet. One table row a kind: what runs into it, and what happens then.
 * A limit that could not be read, or is not set, is absent: there is no "infinite" one.
 */
#ifndef OC_BASE_LIMIT_H
#define OC_BASE_LIMIT_H

#include "base/metric.h"

#include <stddef.h>
#include <stdint.h>

/* Numbers are in stores for ever. */
enum oc_limit_kind {
    OC_LIMIT_CGROUP_MAX = 1,   /* memory.max, limit_in_bytes */
    OC_LIMIT_CGROUP_HIGH = 2,  /* memory.high */
    OC_LIMIT_CGROUP_SWAP = 3,  /* memory.swap.max */
    OC_LIMIT_CGROUP_MEMSW = 4, /* version 1: memory and swap together */
    OC_LIMIT_CGROUP_TASKS = 5, /* pids.max */
    OC_LIMIT_RLIMIT_AS = 6,
    OC_LIMIT_RLIMIT_DATA = 7,
    OC_LIMIT_RLIMIT_STACK = 8,
    OC_LIMIT_RLIMIT_NPROC = 9,
    OC_LIMIT_RLIMIT_NOFILE = 10,
    OC_LIMIT_MAX_MAP_COUNT = 11,      /* vm.max_map_count */
    OC_LIMIT_COMMIT = 12,             /* overcommit mode 2: CommitLimit */
    OC_LIMIT_HOST_MEMORY = 13,        /* MemTotal + SwapTotal */
    OC_LIMIT_ADDRESS_SPACE = 14,      /* of a 32-bit process */
    OC_LIMIT_LARGEST_FREE = 15,       /* a floor: the largest hole of its address space */
    OC_LIMIT_USER = 16,               /* from the config; any metric */
    OC_LIMIT_HOST_PHYSICAL = 17,      /* Windows: RAM; beyond it the machine pages */
    OC_LIMIT_IIS_MEMORY = 18,         /* recycling.periodicRestart.memory of an application pool */
    OC_LIMIT_IIS_PRIVATE_MEMORY = 19, /* recycling.periodicRestart.privateMemory */
    OC_LIMIT_DANGER_VIRTUAL = 20,     /* of a 32-bit process, by experience: not enforced */
    OC_LIMIT_DANGER_PRIVATE = 21,
    OC_LIMIT_KINDS
};

/* Whose it is, and so whose source it hangs on. */
enum oc_limit_scope { OC_SCOPE_PROCESS, OC_SCOPE_CGROUP, OC_SCOPE_HOST, OC_SCOPE_SUBJECT };

/* What happens to who meets it. */
enum oc_limit_effect {
    OC_EFFECT_DIES,    /* the OOM killer comes */
    OC_EFFECT_FAILS,   /* allocations, threads or opens are refused: most programs end of it */
    OC_EFFECT_STALLS,  /* it is slowed down until it stands still */
    OC_EFFECT_TOLD,    /* nothing but what oomcast says: set by the user, or a line of experience */
    OC_EFFECT_RECYCLED /* a new process takes its place, by plan: IIS */
};

struct oc_limit_row {
    uint8_t kind;       /* enum oc_limit_kind */
    uint8_t scope;      /* enum oc_limit_scope */
    uint8_t effect;     /* enum oc_limit_effect */
    uint8_t is_floor;   /* the metric falls to it */
    uint16_t metric;    /* what runs into it; 0: any (OC_LIMIT_USER) or none that is sampled */
    uint8_t unit;       /* enum oc_unit */
    const char *name;   /* "memory.max": SQL, JSON, the CLI's word */
    const char *source; /* where it is read */
    const char *text;   /* a sentence or two for the manual */
};

/* The row of a kind, or NULL. Borrowed for ever. */
const struct oc_limit_row *oc_limit_row(unsigned kind);
const char *oc_limit_effect_name(unsigned effect); /* "dies" "fails" "stalls" "told" "recycled" */
const char *oc_limit_scope_name(unsigned scope);   /* "process" "cgroup" "host" "subject" */

#define OC_LIMIT_WHERE_BYTES 256

/* One ceiling. */
struct oc_limit {
    uint8_t kind;    /* enum oc_limit_kind */
    uint8_t has_use; /* `use` is known */
    uint16_t metric; /* of the row; of OC_LIMIT_USER the one that was named */
    uint64_t value;  /* bytes or a count, as the metric's unit says */
    uint64_t use;    /* what counts against it now; of a floor the room itself */
    char where
        [OC_LIMIT_WHERE_BYTES]; /* the cgroup's path, the user's name; "" the process or host. Cut paths keep their end, after "…" */
};

#define OC_LIMITS_MAX 96 /* of one process: its own, and four for each of 16 ancestors, and more */

struct oc_limits {
    size_t count;
    struct oc_limit items[OC_LIMITS_MAX];
    int is_truncated; /* there were more */
    int is_in_job; /* Windows: 1: in a job, whose limits nobody outside can read; they are absent */
};

/* Room left: value - use, of a floor use - value; 0 beyond it. Only with has_use. */
uint64_t oc_limit_room(const struct oc_limit *limit);
/* Share in use, 0 … 1 and above; a floor has none: 0. */
double oc_limit_ratio(const struct oc_limit *limit);
/* Sorts the nearest first: by the share in use, those without a known use last. Stable. */
void oc_limits_sort(struct oc_limits *limits);
/* Adds one; OC_E_TOOBIG marks the list as truncated. */
int oc_limits_add(struct oc_limits *limits, const struct oc_limit *limit);

#endif
