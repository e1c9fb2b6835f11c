/*
 * One figure of all sources as the journal alone has it. A question about many sources in turn
 * would else replay the journal once for each of them.
 */
#ifndef OC_STORAGE_READ_UNSEALED_H
#define OC_STORAGE_READ_UNSEALED_H

#include "storage/read/scan.h"

#define OC_UNSEALED_MAX_SAMPLES (1u << 22) /* 96 MiB; more: each question replays */
#define OC_UNSEALED_MAX_SOURCE (1u << 22)

struct oc_unsealed_sample {
    int64_t t_boot_ms, value;
    uint32_t next; /* of the same source: place + 1; 0: none */
};

struct oc_unsealed_ends {
    uint32_t first, last; /* place + 1; 0: none */
};

struct oc_unsealed {
    unsigned metric;
    uint32_t boot;
    int64_t begin_boot_ms; /* all from here on is in it */
    int64_t last_row;      /* of the journal, when it was made */
    int is_asked, is_made;
    struct oc_unsealed_sample *samples;
    size_t count, capacity;
    struct oc_unsealed_ends *ends; /* by source id */
    size_t source_count, source_capacity;
};

void oc_unsealed_clear(struct oc_unsealed *unsealed);

/*
 * Makes it ready for a metric of a boot, where that pays: from the second question on. Within a
 * read transaction. 1: oc_unsealed_first() may be called; 0: replay yourself; or a code.
 */
int oc_unsealed_prepare(struct oc_unsealed *unsealed, struct oc_scan *scan, unsigned metric,
                        uint32_t boot, int64_t begin_boot_ms);

/* Samples of a source in ascending time. NULL: no more. Borrowed until the next prepare. */
const struct oc_unsealed_sample *oc_unsealed_first(const struct oc_unsealed *unsealed,
                                                   uint32_t source);
const struct oc_unsealed_sample *oc_unsealed_next(const struct oc_unsealed *unsealed,
                                                  const struct oc_unsealed_sample *sample);

#endif
