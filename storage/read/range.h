/* The inside of a range, also for the virtual tables of the upper tiers. */
#ifndef OC_STORAGE_READ_RANGE_H
#define OC_STORAGE_READ_RANGE_H

#include "storage/read/scan.h"
#include "storage/read/unsealed.h"
#include "storage/reader.h"

/* oc_reader_range() within a read transaction, the clock table read. */
int oc_range_unix(struct oc_scan *scan, struct oc_unsealed *unsealed, uint32_t source,
                  const struct oc_range *range, oc_point_fn *fn, void *context);

/* All in the time of the source's boot; steps are counted from its beginning. */
struct oc_boot_range {
    uint32_t source, boot;
    unsigned metric;
    int64_t begin_boot_ms, end_boot_ms; /* [begin, end) */
    int64_t step_ms;                    /* > 0 */
};

/*
 * Points of a source from the coarsest tier that fits, as oc_reader_range() with OC_PRECISE_AUTO;
 * t_unix_ms of a point is boot time here. Within a read transaction. The number, or a code.
 */
int oc_range_boot(struct oc_scan *scan, struct oc_unsealed *unsealed,
                  const struct oc_boot_range *wanted, oc_point_fn *fn, void *context);

#endif
