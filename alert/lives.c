/* Live alerts: their memory, their lists, and finding one. */
#include "alert/engine.h"

#include "base/alloc.h"

#include <string.h>

#define BUCKET(fingerprint) ((fingerprint) % OC_ENGINE_BUCKETS)

/* ---- memory ---- */

void oc_live_refill(struct oc_alerts *alerts)
{
    while (alerts->spare_count < OC_ENGINE_SPARES) {
        struct oc_live *spare = oc_malloc(sizeof(*spare));

        if (!spare)
            return; /* with the next tick, then */
        spare->next_bucket = alerts->spares;
        alerts->spares = spare;
        alerts->spare_count++;
    }
}

static struct oc_live *take_spare(struct oc_alerts *alerts)
{
    struct oc_live *spare = alerts->spares;

    if (spare) {
        alerts->spares = spare->next_bucket;
        alerts->spare_count--;
    }
    return spare;
}

/* The one that has rested longest gives its place. */
static void drop_oldest_resting(struct oc_alerts *alerts)
{
    struct oc_live *oldest = NULL;

    for (struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->is_resting &&
            (!oldest || live->alert.ended_unix_ms < oldest->alert.ended_unix_ms))
            oldest = live;
    }
    if (oldest)
        oc_live_drop(alerts, oldest);
}

struct oc_live *oc_live_new(struct oc_alerts *alerts)
{
    struct oc_live *live = NULL;

    if (alerts->live_count >= alerts->max_alerts) {
        alerts->refused++;
        return NULL;
    }
    if (alerts->rest_count > 0 && alerts->live_count + alerts->rest_count >= alerts->max_alerts)
        drop_oldest_resting(alerts);
    live = oc_malloc(sizeof(*live));
    if (!live)
        live = take_spare(alerts);
    if (live)
        memset(live, 0, sizeof(*live));
    else
        alerts->refused++;
    return live;
}

/* ---- lists ---- */

void oc_live_add(struct oc_alerts *alerts, struct oc_live *live)
{
    struct oc_live **bucket = &alerts->by_fingerprint[BUCKET(live->alert.fingerprint)];

    live->next_bucket = *bucket;
    *bucket = live;
    live->prev = NULL;
    live->next = alerts->lives;
    if (live->next)
        live->next->prev = live;
    alerts->lives = live;
    alerts->subjects[live->subject].lives[live->slot] = live;
    alerts->subjects[live->subject].live_count++;
    alerts->live_count++;
}

static void leave_bucket(struct oc_alerts *alerts, const struct oc_live *live)
{
    struct oc_live **at = &alerts->by_fingerprint[BUCKET(live->alert.fingerprint)];

    while (*at != live)
        at = &(*at)->next_bucket;
    *at = live->next_bucket;
}

static void leave_list(struct oc_alerts *alerts, const struct oc_live *live)
{
    if (live->next)
        live->next->prev = live->prev;
    if (live->prev)
        live->prev->next = live->next;
    else
        alerts->lives = live->next;
}

void oc_live_rest(struct oc_alerts *alerts, struct oc_live *live)
{
    live->is_resting = 1;
    alerts->live_count--;
    alerts->rest_count++;
    alerts->subjects[live->subject].live_count--;
}

void oc_live_wake(struct oc_alerts *alerts, struct oc_live *live)
{
    live->is_resting = 0;
    alerts->live_count++;
    alerts->rest_count--;
    alerts->subjects[live->subject].live_count++;
}

void oc_live_drop(struct oc_alerts *alerts, struct oc_live *live)
{
    struct oc_engine_subject *subject = &alerts->subjects[live->subject];

    if (!live->is_resting)
        oc_live_rest(alerts, live);
    alerts->rest_count--;
    if (subject->set && live->slot < subject->set->count && subject->lives[live->slot] == live)
        subject->lives[live->slot] = NULL;
    leave_bucket(alerts, live);
    leave_list(alerts, live);
    oc_free(live);
}

struct oc_live *oc_live_find(const struct oc_alerts *alerts, uint64_t fingerprint)
{
    struct oc_live *live = alerts->by_fingerprint[BUCKET(fingerprint)];

    while (live && (live->alert.fingerprint != fingerprint || live->is_resting))
        live = live->next_bucket;
    return live;
}
