/* Which limits of a life hang on one figure, and when they begin and end. */
#ifndef OC_CLI_MODEL_REPLAY_PLAN_H
#define OC_CLI_MODEL_REPLAY_PLAN_H

#include "cli/model/replay_course.h"

/* A limit comes into force, or ends (NAN). */
struct oc_plan_event {
    int64_t t_ms;
    double value;
    unsigned slot;
    int is_begin;
};

/* Zeroed it is empty; its memory is reused from life to life. */
struct oc_replay_plan {
    const struct oc_replay_span *slots[OC_SERIES_LIMITS]; /* one span of each limit that has one */
    unsigned slot_count;
    struct oc_plan_event *events; /* owned; in time */
    size_t count, capacity, next;
};
void oc_replay_plan_clear(struct oc_replay_plan *plan);

/* Plans a life, which is borrowed until the next one. Of more limits than there are slots the nearest. 0 or a code. */
int oc_replay_plan_make(struct oc_replay_plan *plan, const struct oc_replay_life *life,
                        unsigned metric);

static inline int oc_replay_plan_is_due(const struct oc_replay_plan *plan, int64_t t_ms)
{
    return plan->next < plan->count && plan->events[plan->next].t_ms <= t_ms;
}

/* Puts what changed by t_ms into force. What ended and began anew with the same value goes on. */
void oc_replay_plan_apply(struct oc_replay_plan *plan, oc_replay_lane *lane, int64_t t_ms);

#endif
