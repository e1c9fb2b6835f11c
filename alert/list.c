/* What there is: alerts in order, their labels, acknowledging them, and those of an earlier run. */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/identity.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Firing before pending, the worst first, then by subject and rule. */
static int compare(const void *a, const void *b)
{
    const struct oc_alert *left = &(*(struct oc_live *const *)a)->alert;
    const struct oc_alert *right = &(*(struct oc_live *const *)b)->alert;
    int order = 0;

    if (left->state != right->state)
        return left->state == OC_ALERT_FIRING ? -1 : 1;
    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    order = strcmp(left->subject, right->subject);
    return order ? order : strcmp(left->rule, right->rule);
}

static int each_of_list(const oc_alerts *alerts, oc_alert_fn *fn, void *context)
{
    int count = 0;

    for (const struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->is_resting)
            continue;
        count++;
        if (fn(&live->alert, context) != 0)
            break;
    }
    return count;
}

int oc_alerts_each(const oc_alerts *alerts, oc_alert_fn *fn, void *context)
{
    struct oc_live **items = oc_malloc((alerts->live_count + 1u) * sizeof(struct oc_live *));
    size_t count = 0;
    int given = 0;

    if (!items) /* in no order, then */
        return each_of_list(alerts, fn, context);
    for (struct oc_live *live = alerts->lives; live; live = live->next) {
        if (!live->is_resting)
            items[count++] = live;
    }
    qsort(items, count, sizeof(struct oc_live *), compare);
    for (size_t i = 0; i < count; i++) {
        given++;
        if (fn(&items[i]->alert, context) != 0)
            break;
    }
    oc_free(items);
    return given;
}

const struct oc_alert *oc_alerts_by_fingerprint(const oc_alerts *alerts, uint64_t fingerprint)
{
    const struct oc_live *live = oc_live_find(alerts, fingerprint);

    return live ? &live->alert : NULL;
}

/* ---- labels ---- */

static int is_fixed(const char *name)
{
    return strcmp(name, "alertname") == 0 || strcmp(name, "severity") == 0 ||
           strcmp(name, "instance") == 0 || strcmp(name, "subject") == 0;
}

const char *const *oc_alerts_labels_of(const oc_alerts *alerts, const struct oc_alert *alert)
{
    const char **pairs = ((oc_alerts *)alerts)->label_pairs; /* room for the answer */
    const struct oc_engine_subject *subject = oc_engine_find(alerts, alert->subject);
    size_t at = 0;

    pairs[at++] = "alertname";
    pairs[at++] = alert->rule;
    pairs[at++] = "severity";
    pairs[at++] = oc_severity_name(alert->severity);
    pairs[at++] = "instance";
    pairs[at++] = alerts->instance;
    pairs[at++] = "subject";
    pairs[at++] = alert->subject;
    for (char **own = subject ? subject->pairs : NULL; own && own[0]; own += 2) {
        if (is_fixed(own[0]))
            continue;
        pairs[at++] = own[0];
        pairs[at++] = own[1];
    }
    pairs[at] = NULL;
    return pairs;
}

/* ---- what people and others say of them ---- */

static int is_asked(const struct oc_alert *alert, uint64_t fingerprint, const char *subject_glob)
{
    if (fingerprint)
        return alert->fingerprint == fingerprint;
    return !subject_glob || oc_subject_is_meant(alert->subject, subject_glob);
}

int oc_alerts_ack(oc_alerts *alerts, uint64_t fingerprint, const char *subject_glob, int64_t now_ms)
{
    int count = 0;

    for (struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->is_resting || !is_asked(&live->alert, fingerprint, subject_glob))
            continue;
        count++;
        if (live->alert.mutes & OC_ALERT_ACKED)
            continue;
        live->alert.mutes |= OC_ALERT_ACKED;
        live->alert.acked_unix_ms = now_ms;
        oc_state_say(alerts, live, live->alert.state, 0, "acknowledged", now_ms);
    }
    return count;
}

void oc_alerts_note_told(oc_alerts *alerts, uint64_t fingerprint)
{
    struct oc_live *live = oc_live_find(alerts, fingerprint);

    if (live && oc_live_fires(live))
        live->alert.was_told = 1;
}

void oc_alerts_stats(const oc_alerts *alerts, struct oc_alerts_stats *out_stats)
{
    *out_stats = (struct oc_alerts_stats){ .subjects = alerts->subjects_used,
                                           .refused = alerts->refused,
                                           .changes = alerts->changes };
    for (const struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->is_resting)
            continue;
        if (!oc_live_fires(live)) {
            out_stats->pending++;
            continue;
        }
        out_stats->firing++;
        out_stats->muted += (live->alert.mutes & OC_ALERT_MUTES) != 0;
    }
}

/* ---- an earlier run's ---- */

void oc_alerts_set_episode(oc_alerts *alerts, uint64_t highest)
{
    if (highest > alerts->last_episode)
        alerts->last_episode = highest;
}

/* It has no rule any more: said, and not kept. */
static void say_gone(struct oc_alerts *alerts, uint32_t handle, const struct oc_alert *alert,
                     int64_t now_ms)
{
    struct oc_live gone = { .alert = *alert, .subject = handle, .slot = UINT16_MAX };
    int was_firing = alert->state == OC_ALERT_FIRING;

    gone.alert.state = was_firing ? OC_ALERT_RESOLVED : OC_ALERT_INACTIVE;
    gone.alert.ended_unix_ms = gone.alert.changed_unix_ms = now_ms;
    oc_state_say(alerts, &gone, alert->state, was_firing,
                 "no rule of that name is in force for it any more", now_ms);
}

static void fill_restored(struct oc_live *live, uint32_t handle, unsigned slot,
                          const struct oc_alert *alert, int64_t now_ms)
{
    live->alert = *alert;
    live->subject = handle;
    live->slot = (uint16_t)slot;
    live->is_restored = 1;
    live->is_event = (OC_KIND_BIT(alert->kind) & OC_KINDS_EVENT) != 0;
    live->is_planned = (alert->mutes & OC_ALERT_PLANNED) != 0;
    live->over_since_ms = OC_NO_TIME;
    live->seen_ms = now_ms;
    live->deadline_s = (double)INFINITY;
}

int oc_alerts_restore(oc_alerts *alerts, const struct oc_alert *alert, int64_t now_ms)
{
    uint32_t handle =
        oc_alerts_subject(alerts, alert->subject, (enum oc_source_kind)alert->source_kind);
    struct oc_live *live = NULL;
    unsigned slot = 0;

    if (alert->state != OC_ALERT_PENDING && alert->state != OC_ALERT_FIRING)
        return OC_E_INVAL;
    if (handle == OC_ALERT_NO_SUBJECT)
        return OC_E_NOMEM;
    oc_alerts_set_episode(alerts, alert->episode);
    if (oc_engine_slot(alerts, &alerts->subjects[handle], alert, &slot) < 0) {
        say_gone(alerts, handle, alert, now_ms);
        return OC_OK;
    }
    if (alerts->subjects[handle].lives[slot])
        return OC_OK; /* it is there: an older row of the same */
    if (alerts->live_count >= alerts->max_alerts)
        return OC_E_TOOBIG;
    live = oc_live_new(alerts);
    if (!live)
        return OC_E_NOMEM;
    fill_restored(live, handle, slot, alert, now_ms);
    oc_live_add(alerts, live);
    alerts->has_restored = 1; /* the others may be still to come: mutes stay until the next tick */
    return OC_OK;
}
