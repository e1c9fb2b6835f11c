/* What the rules of a config are told of a lane. */
#include "cli/model/replay_impl.h"

#include "base/text.h"

#include <string.h>

/* One that was given with a trace has no name: what meets it dies. */
static void fill_limit(const oc_replay_lane *lane, const struct oc_lane_slot *slot,
                       struct oc_limit *out_limit)
{
    *out_limit = (struct oc_limit){ .metric = (uint16_t)lane->metric };
    if (!oc_lane_is_number(slot->limit))
        return;
    out_limit->kind = slot->kind ? slot->kind : OC_LIMIT_CGROUP_MAX;
    out_limit->value = slot->limit > 0 ? (uint64_t)slot->limit : 0;
    if (slot->where)
        (void)oc_text_copy(out_limit->where, sizeof(out_limit->where), slot->where);
}

void oc_lane_tell_rules(oc_replay_lane *lane, int64_t t_ms)
{
    struct oc_limit limits[OC_SERIES_LIMITS];

    for (unsigned i = 0; i < lane->slot_count; i++)
        fill_limit(lane, &lane->slots[i], &limits[i]);
    oc_replay_rules_fed(lane->rules, lane->series, limits, lane->slot_count, lane->metric,
                        lane->last, t_ms);
}

void oc_lane_end_rules(oc_replay_lane *lane, enum oc_replay_over over, int64_t t_ms)
{
    if (over == OC_OVER_NOT_YET)
        return;
    oc_replay_rules_end(lane->rules, lane->was_killed ? OC_END_OOM_KILLED : OC_END_UNKNOWN,
                        OC_KILLER_UNKNOWN, t_ms);
}
