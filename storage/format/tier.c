#include "storage/format/tier.h"

const struct oc_tier_row oc_tiers[OC_TIER_COUNT] = {
    [OC_TIER_RAW] = { .table = "raw", .resolution_ms = 0 },
    [OC_TIER_MINUTE] = { .table = "minute", .resolution_ms = OC_MINUTE_MS },
    [OC_TIER_HOUR] = { .table = "hour", .resolution_ms = OC_HOUR_MS },
};
