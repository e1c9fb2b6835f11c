/*
 * The metric table: one row a figure, with a number that is never reused. Chunk columns, SQL,
 * JSON keys, CLI words, --help and the manual are loops over these rows; a new metric is one row
 * here and the code that reads it.
 *
 * Numbers come in blocks of 64: number = block * 64 + bit. A sample holds figures of one block,
 * so that one 64-bit mask says which are known. A source has one or more blocks (a process has
 * OC_BLOCK_PROCESS, later also that of its runtime).
 */
#ifndef OC_BASE_METRIC_H
#define OC_BASE_METRIC_H

#include <stdint.h>

enum oc_block {
    OC_BLOCK_PROCESS = 0,
    OC_BLOCK_CGROUP = 1,
    OC_BLOCK_HOST = 2,
    OC_BLOCK_SELF = 3, /* what only oomcastd knows of itself; it is a process too */
    OC_BLOCK_COUNT
};

#define OC_BLOCK_METRICS 64
#define OC_METRIC_NUMBER(block, bit) ((block)*OC_BLOCK_METRICS + (bit))
#define OC_METRIC_MAX (OC_BLOCK_COUNT * OC_BLOCK_METRICS)
#define OC_METRIC_BIT(number) (UINT64_C(1) << ((unsigned)(number) % OC_BLOCK_METRICS))
#define OC_METRIC_BLOCK(number) ((unsigned)(number) / OC_BLOCK_METRICS)

/* Numbers: in stored chunks for ever. Bit 0 of each block stays unused. */
enum oc_metric {
    /* a process */
    OC_METRIC_PRIVATE = 1,
    OC_METRIC_VIRTUAL = 2,
    OC_METRIC_RSS = 3,
    OC_METRIC_RSS_ANON = 4,
    OC_METRIC_RSS_FILE = 5,
    OC_METRIC_RSS_SHMEM = 6,
    OC_METRIC_MEMFD = 7,
    OC_METRIC_SWAP = 8,
    OC_METRIC_COMMIT = 9,
    OC_METRIC_PAGE_TABLE = 10,
    OC_METRIC_THREADS = 11,
    OC_METRIC_FDS = 12,
    OC_METRIC_MINOR_FAULTS = 13,
    OC_METRIC_MAJOR_FAULTS = 14,
    OC_METRIC_CPU_TIME = 15,
    OC_METRIC_PSS = 16,
    OC_METRIC_USS = 17,
    OC_METRIC_MAPPINGS = 18,
    OC_METRIC_MODULES = 19,
    OC_METRIC_BRK_HEAP = 20,
    OC_METRIC_RSS_PEAK = 21,
    OC_METRIC_PROCESSES = 22,
    OC_METRIC_LARGEST_FREE = 23,
    OC_METRIC_RESERVED = 24,
    OC_METRIC_MAIN_STACK = 25,
    OC_METRIC_ARENAS = 26,
    OC_METRIC_UNUSABLE = 27,
    OC_METRIC_SECTIONS = 28,

    /* a cgroup */
    OC_METRIC_CGROUP_CURRENT = OC_METRIC_NUMBER(OC_BLOCK_CGROUP, 1),
    OC_METRIC_CGROUP_CHARGE,
    OC_METRIC_CGROUP_PEAK,
    OC_METRIC_CGROUP_SWAP,
    OC_METRIC_CGROUP_ANON,
    OC_METRIC_CGROUP_FILE,
    OC_METRIC_CGROUP_ACTIVE_FILE,
    OC_METRIC_CGROUP_INACTIVE_FILE,
    OC_METRIC_CGROUP_SHMEM,
    OC_METRIC_CGROUP_SLAB_RECLAIMABLE,
    OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE,
    OC_METRIC_CGROUP_KERNEL_STACK,
    OC_METRIC_CGROUP_PAGE_TABLES,
    OC_METRIC_CGROUP_SOCK,
    OC_METRIC_CGROUP_FILE_DIRTY,
    OC_METRIC_CGROUP_UNEVICTABLE,
    OC_METRIC_CGROUP_EVENTS_LOW,
    OC_METRIC_CGROUP_EVENTS_HIGH,
    OC_METRIC_CGROUP_EVENTS_MAX,
    OC_METRIC_CGROUP_EVENTS_OOM,
    OC_METRIC_CGROUP_EVENTS_OOM_KILL,
    OC_METRIC_CGROUP_PSI_SOME_US,
    OC_METRIC_CGROUP_PSI_FULL_US,
    OC_METRIC_CGROUP_LIMIT,
    OC_METRIC_CGROUP_HIGH,
    OC_METRIC_CGROUP_SWAP_LIMIT,
    OC_METRIC_CGROUP_TASKS,
    OC_METRIC_CGROUP_TASKS_LIMIT,
    OC_METRIC_CGROUP_MEMSW,
    OC_METRIC_CGROUP_MEMSW_LIMIT,

    /* the host */
    OC_METRIC_HOST_TOTAL = OC_METRIC_NUMBER(OC_BLOCK_HOST, 1),
    OC_METRIC_HOST_AVAILABLE,
    OC_METRIC_HOST_FREE,
    OC_METRIC_HOST_SWAP_TOTAL,
    OC_METRIC_HOST_SWAP_FREE,
    OC_METRIC_HOST_COMMIT,
    OC_METRIC_HOST_COMMIT_LIMIT,
    OC_METRIC_HOST_PSI_SOME_US,
    OC_METRIC_HOST_PSI_FULL_US,
    OC_METRIC_HOST_OOM_KILLS,
    OC_METRIC_HOST_PROCESSES,
    OC_METRIC_HOST_SHMEM,
    OC_METRIC_HOST_SLAB_UNRECLAIMABLE,
    OC_METRIC_HOST_PAGE_TABLES,
    OC_METRIC_HOST_USED,
    OC_METRIC_HOST_COMMIT_MAX,

    /* oomcastd itself, besides what any process has */
    OC_METRIC_SELF_TARGETS = OC_METRIC_NUMBER(OC_BLOCK_SELF, 1),
    OC_METRIC_SELF_SAMPLES,
    OC_METRIC_SELF_LATE_TICKS,
    OC_METRIC_SELF_SKIPPED_TICKS,
    OC_METRIC_SELF_LOST_SAMPLES,
    OC_METRIC_SELF_QUEUE,
    OC_METRIC_SELF_COMMITS,
    OC_METRIC_SELF_COMMIT_WORST_US,
    OC_METRIC_SELF_TICK_WORST_US,
    OC_METRIC_SELF_STORE,
    OC_METRIC_SELF_WALKS,
    OC_METRIC_SELF_WALK_CPU_US
};

enum oc_unit { OC_UNIT_BYTES, OC_UNIT_COUNT, OC_UNIT_MS, OC_UNIT_US };

enum oc_kind {
    OC_KIND_GAUGE,  /* goes up and down */
    OC_KIND_COUNTER /* only grows within the life of its source */
};

/* What it costs to read: which rung of the ladder yields it. */
enum oc_rung {
    OC_RUNG_TICK,  /* O(1), each tick */
    OC_RUNG_WALK,  /* with a walk of the mappings */
    OC_RUNG_PAGES, /* a walk of the page tables: only where asked for */
};

struct oc_metric_row {
    uint16_t number;            /* in stored chunks, for ever */
    uint8_t unit;               /* enum oc_unit */
    uint8_t kind;               /* enum oc_kind */
    uint8_t rung;               /* enum oc_rung */
    const char *name;           /* SQL, JSON key, CLI word; the unit ends it */
    const char *linux_source;   /* NULL: unknown there */
    const char *windows_source; /* NULL: unknown there */
    const char *text;           /* a sentence or two for the manual */
};

/* The row of a number, or NULL where no metric has it. Borrowed for ever. O(1). */
const struct oc_metric_row *oc_metric_by_number(unsigned number);

/* The row of a name ("rss_bytes"; the unit may be left out: "rss"), or NULL. Borrowed for ever. */
const struct oc_metric_row *oc_metric_by_name(const char *name);

/* The nearest name to a misspelt one within the same table, or NULL where none is near. */
const char *oc_metric_nearest(const char *name);

/* "bytes", "count", "ms", "us". */
const char *oc_unit_name(enum oc_unit unit);

/* "process", "cgroup", "host", "self". */
const char *oc_block_name(enum oc_block block);

#endif
