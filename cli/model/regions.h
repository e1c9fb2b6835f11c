/* What an address space is made of, as WinDbg's !address -summary puts it: three sums of a census. */
#ifndef OC_CLI_MODEL_REGIONS_H
#define OC_CLI_MODEL_REGIONS_H

#include "base/census.h"

#include <stddef.h>
#include <stdint.h>

struct oc_region_sum {
    uint64_t count;          /* regions */
    uint64_t bytes;          /* of address space */
    uint64_t commit_bytes;   /* of these, MEM_COMMIT */
    uint64_t largest_bytes;  /* the largest of them */
    uint64_t resident_bytes; /* in RAM; OC_RESIDENT_UNKNOWN */
};

/* Zeroed is empty: no process looked at. */
struct oc_regions {
    struct oc_region_sum usages[OC_USAGE_COUNT], types[OC_REGION_TYPES], states[OC_REGION_STATES];
    uint64_t busy_bytes;   /* all but free: of %BUSY */
    uint64_t commit_bytes; /* of %COMMIT */
    uint64_t total_bytes;  /* with the free ones */
    uint64_t resident_bytes;
    uint64_t unexplained_bytes;  /* committed, private, of no known use */
    uint64_t largest_free_bytes; /* of one process alone; 0: unknown */
    uint64_t largest_free_start;
    uint64_t arenas;
    size_t processes;
    int is_32bit;     /* any of them */
    int has_resident; /* all of them */
};

/* Adds a process. */
void oc_regions_add(struct oc_regions *regions, const struct oc_census *census);

/* Numbers of usages, types or states that have regions, the most committed first, free ones last.
 * `order` has room for `count` of them. Returns how many. */
size_t oc_regions_order(const struct oc_region_sum *sums, size_t count, unsigned free_number,
                        unsigned *out_order);

#endif
