#include "cli/model/replay_plan.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS ((size_t)100000)

void oc_replay_plan_clear(struct oc_replay_plan *plan)
{
    oc_free(plan->events);
    memset(plan, 0, sizeof(*plan));
}

/* ---- slots ---- */

static int is_same(const struct oc_replay_span *a, const struct oc_replay_span *b)
{
    return a->kind == b->kind && strcmp(a->where, b->where) == 0;
}

static int is_nearer(const struct oc_replay_span *a, const struct oc_replay_span *b)
{
    return oc_replay_falls(a->metric) ? a->value > b->value : a->value < b->value;
}

/* The slot of a limit, or how many there are. */
static unsigned find_slot(const struct oc_replay_plan *plan, const struct oc_replay_span *span)
{
    unsigned slot = 0;

    while (slot < plan->slot_count && !is_same(span, plan->slots[slot]))
        slot++;
    return slot;
}

static void take_slot(struct oc_replay_plan *plan, const struct oc_replay_span *span)
{
    unsigned farthest = 0;

    if (find_slot(plan, span) < plan->slot_count)
        return;
    if (plan->slot_count < OC_SERIES_LIMITS) {
        plan->slots[plan->slot_count++] = span;
        return;
    }
    for (unsigned slot = 1; slot < plan->slot_count; slot++) {
        if (is_nearer(plan->slots[farthest], plan->slots[slot]))
            farthest = slot;
    }
    if (is_nearer(span, plan->slots[farthest]))
        plan->slots[farthest] = span;
}

/* ---- events ---- */

static int add_event(struct oc_replay_plan *plan, const struct oc_plan_event *event)
{
    void *events = plan->events;
    int rc = oc_array_grow(&events, &plan->capacity, plan->count + 1, sizeof(*event), MAX_EVENTS);

    plan->events = events;
    if (!rc)
        plan->events[plan->count++] = *event;
    return rc;
}

static int add_span(struct oc_replay_plan *plan, const struct oc_replay_span *span, unsigned slot)
{
    const struct oc_plan_event begin = { span->from_unix_ms, span->value, slot, 1 };
    const struct oc_plan_event end = { span->until_unix_ms, (double)NAN, slot, 0 };
    int rc = add_event(plan, &begin);

    if (!rc && span->until_unix_ms != INT64_MAX)
        rc = add_event(plan, &end);
    return rc;
}

/* In time; at one time slot by slot, and what ends before what begins. */
static int by_time(const void *a, const void *b)
{
    const struct oc_plan_event *x = a, *y = b;

    if (x->t_ms != y->t_ms)
        return x->t_ms < y->t_ms ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->is_begin - y->is_begin;
}

int oc_replay_plan_make(struct oc_replay_plan *plan, const struct oc_replay_life *life,
                        unsigned metric)
{
    int rc = OC_OK;

    plan->slot_count = 0;
    plan->count = plan->next = 0;
    for (size_t i = 0; i < life->span_count; i++) {
        if (life->spans[i].metric == metric)
            take_slot(plan, &life->spans[i]);
    }
    for (size_t i = 0; i < life->span_count && !rc; i++) {
        const struct oc_replay_span *span = &life->spans[i];
        unsigned slot = find_slot(plan, span);

        if (span->metric == metric && slot < plan->slot_count)
            rc = add_span(plan, span, slot);
    }
    if (plan->count > 1)
        qsort(plan->events, plan->count, sizeof(*plan->events), by_time);
    return rc;
}

/* Whether the same limit begins again at once. */
static int goes_on(const struct oc_replay_plan *plan, const struct oc_plan_event *event)
{
    const struct oc_plan_event *next = event + 1;

    return !event->is_begin && plan->next < plan->count && next->slot == event->slot &&
           next->is_begin && next->t_ms <= event->t_ms + 1;
}

void oc_replay_plan_apply(struct oc_replay_plan *plan, oc_replay_lane *lane, int64_t t_ms)
{
    while (oc_replay_plan_is_due(plan, t_ms)) {
        const struct oc_plan_event *event = &plan->events[plan->next++];
        const struct oc_replay_span *span = plan->slots[event->slot];

        if (!goes_on(plan, event))
            oc_replay_lane_limit(lane, event->slot, span->kind, span->where, event->value, t_ms);
    }
}
