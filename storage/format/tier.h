/* The tiers that a source's past is kept in: raw samples, and what they did in each minute and hour. */
#ifndef OC_STORAGE_FORMAT_TIER_H
#define OC_STORAGE_FORMAT_TIER_H

#include <stdint.h>

#define OC_MINUTE_MS 60000
#define OC_HOUR_MS 3600000

/* From fine to coarse: each is made of the one before. */
enum oc_tier { OC_TIER_RAW, OC_TIER_MINUTE, OC_TIER_HOUR, OC_TIER_COUNT };

struct oc_tier_row {
    const char *table;
    int64_t resolution_ms; /* of a row; 0: raw samples */
};
extern const struct oc_tier_row oc_tiers[OC_TIER_COUNT];

#endif
