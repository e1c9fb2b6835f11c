/* The engine as others see it: subjects, facts, settings, and what there is. */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECTS_MAX 65536
#define ALERTS_MAX 20000
#define TICK_MS INT64_C(60000) /* looked at so often at least */
#define NOT_A_NUMBER ((double)NAN)

/* ---- its life ---- */

int oc_alerts_new(const struct oc_alerts_options *options, oc_alert_change_fn *fn, void *context,
                  oc_alerts **out_alerts)
{
    oc_alerts *alerts = oc_calloc(1, sizeof(*alerts));

    if (!alerts)
        return OC_E_NOMEM;
    if (options->instance)
        oc_text_copy_utf8(alerts->instance, sizeof(alerts->instance), options->instance,
                          strlen(options->instance));
    alerts->max_subjects = options->max_subjects ? options->max_subjects : SUBJECTS_MAX;
    alerts->max_alerts = options->max_alerts ? options->max_alerts : ALERTS_MAX;
    alerts->fn = fn;
    alerts->context = context;
    alerts->free_subject = OC_ALERT_NO_SUBJECT;
    alerts->host_growth_per_h = NOT_A_NUMBER;
    alerts->silences_due_ms = alerts->windows_due_ms = OC_NEVER;
    for (size_t i = 0; i < OC_ENGINE_BUCKETS; i++)
        alerts->by_name[i] = OC_ALERT_NO_SUBJECT;
    for (size_t i = 0; i < OC_WINDOWS_MAX; i++)
        alerts->next_restart_ms[i] = OC_NEVER;
    oc_live_refill(alerts);
    if (alerts->spare_count < OC_ENGINE_SPARES) {
        oc_alerts_free(alerts);
        return OC_E_NOMEM;
    }
    *out_alerts = alerts;
    return OC_OK;
}

static void clear_subject(oc_alerts *alerts, struct oc_engine_subject *subject)
{
    oc_course_drop(alerts, subject, OC_COURSE_ALL);
    oc_free(subject->name);
    oc_free(subject->set);
    oc_free(subject->lives);
    oc_free(subject->pairs);
    oc_free(subject->ends);
    *subject = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT, .limited_ms = OC_NO_TIME };
}

static void free_lives(oc_alerts *alerts)
{
    struct oc_live *next = NULL;

    for (struct oc_live *live = alerts->lives; live; live = next) {
        next = live->next;
        oc_free(live);
    }
    for (struct oc_live *live = alerts->spares; live; live = next) {
        next = live->next_bucket;
        oc_free(live);
    }
}

void oc_alerts_free(oc_alerts *alerts)
{
    if (!alerts)
        return;
    free_lives(alerts);
    for (size_t i = 0; i < alerts->subject_count; i++)
        clear_subject(alerts, &alerts->subjects[i]);
    oc_free(alerts->subjects);
    oc_free(alerts->silences);
    oc_rules_clear(&alerts->rules);
    oc_windows_clear(&alerts->windows);
    oc_free(alerts);
}

/* ---- subjects ---- */

struct oc_engine_subject *oc_engine_subject(const struct oc_alerts *alerts, uint32_t handle)
{
    if (handle >= alerts->subject_count || !alerts->subjects[handle].name)
        return NULL;
    return &alerts->subjects[handle];
}

static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    while (*name)
        hash = (hash ^ (unsigned char)*name++) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static uint32_t find_subject(const struct oc_alerts *alerts, const char *name, uint64_t hash)
{
    uint32_t at = alerts->by_name[hash % OC_ENGINE_BUCKETS];

    while (at != OC_ALERT_NO_SUBJECT &&
           (alerts->subjects[at].hash != hash || strcmp(alerts->subjects[at].name, name) != 0))
        at = alerts->subjects[at].next;
    return at;
}

struct oc_engine_subject *oc_engine_find(const struct oc_alerts *alerts, const char *name)
{
    return oc_engine_subject(alerts, find_subject(alerts, name, hash_of(name)));
}

/* A free slot; OC_ALERT_NO_SUBJECT. */
static uint32_t new_slot(oc_alerts *alerts)
{
    void *items = alerts->subjects;
    uint32_t at = alerts->free_subject;

    if (at != OC_ALERT_NO_SUBJECT) {
        alerts->free_subject = alerts->subjects[at].next;
        return at;
    }
    if (oc_array_grow(&items, &alerts->subject_capacity, alerts->subject_count + 1,
                      sizeof(*alerts->subjects), alerts->max_subjects) < 0)
        return OC_ALERT_NO_SUBJECT;
    alerts->subjects = items;
    at = (uint32_t)alerts->subject_count++;
    alerts->subjects[at] = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT };
    return at;
}

static void free_slot(oc_alerts *alerts, uint32_t at)
{
    clear_subject(alerts, &alerts->subjects[at]);
    alerts->subjects[at].next = alerts->free_subject;
    alerts->free_subject = at;
}

/* 0 or OC_E_NOMEM: nothing of it is left. */
static int fill_subject(oc_alerts *alerts, uint32_t at, const char *name, enum oc_source_kind kind)
{
    struct oc_engine_subject *subject = &alerts->subjects[at];

    *subject = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT,
                                           .hash = hash_of(name),
                                           .kind = (uint8_t)kind,
                                           .is_host = strcmp(name, "host") == 0,
                                           .limited_ms = OC_NO_TIME };
    subject->name = oc_strdup(name);
    subject->set = oc_engine_compile(&alerts->rules, &alerts->windows, name, NULL);
    if (subject->set)
        subject->lives = oc_calloc(subject->set->count + 1u, sizeof(struct oc_live *));
    return subject->name && subject->lives ? OC_OK : OC_E_NOMEM;
}

static void enter_name(oc_alerts *alerts, uint32_t at)
{
    uint32_t *bucket = &alerts->by_name[alerts->subjects[at].hash % OC_ENGINE_BUCKETS];

    alerts->subjects[at].next = *bucket;
    *bucket = at;
    alerts->subjects_used++;
}

static void leave_name(oc_alerts *alerts, uint32_t at)
{
    uint32_t *link = &alerts->by_name[alerts->subjects[at].hash % OC_ENGINE_BUCKETS];

    while (*link != at)
        link = &alerts->subjects[*link].next;
    *link = alerts->subjects[at].next;
    alerts->subjects_used--;
}

uint32_t oc_alerts_subject(oc_alerts *alerts, const char *name, enum oc_source_kind kind)
{
    char cut[OC_ALERT_SUBJECT_BYTES];
    uint32_t at;

    oc_text_copy_utf8(cut, sizeof(cut), name, strlen(name));
    at = find_subject(alerts, cut, hash_of(cut));
    if (at != OC_ALERT_NO_SUBJECT)
        return at;
    at = new_slot(alerts);
    if (at != OC_ALERT_NO_SUBJECT && fill_subject(alerts, at, cut, kind) == OC_OK) {
        enter_name(alerts, at);
        return at;
    }
    if (at != OC_ALERT_NO_SUBJECT)
        free_slot(alerts, at);
    alerts->refused++;
    return OC_ALERT_NO_SUBJECT;
}

void oc_alerts_forget(oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject)
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        struct oc_live *live = subject->lives[i];

        if (!live)
            continue;
        if (!live->is_resting)
            oc_state_end(alerts, live, OC_ALERT_RESOLVED, "no longer watched", now_ms);
        oc_live_drop(alerts, live);
    }
    leave_name(alerts, handle);
    free_slot(alerts, handle);
}

/* ---- time ---- */

int64_t oc_alerts_tick(oc_alerts *alerts, int64_t now_ms)
{
    int64_t next_ms = now_ms + TICK_MS;
    struct oc_live *next = NULL;

    oc_live_refill(alerts);
    if (alerts->has_restored)
        oc_inhibit_all(alerts, now_ms);
    if (oc_silence_tick(alerts, now_ms) | oc_window_tick(alerts, now_ms))
        oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
    for (struct oc_live *live = alerts->lives; live; live = next) {
        int64_t due_ms;

        next = live->next;
        due_ms = oc_state_tick(alerts, live, now_ms);
        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    if (alerts->silences_due_ms < next_ms)
        next_ms = alerts->silences_due_ms;
    if (alerts->windows_due_ms < next_ms)
        next_ms = alerts->windows_due_ms;
    return next_ms > now_ms ? next_ms : now_ms + 1;
}

static void move(int64_t *time_ms, int64_t delta_ms)
{
    if (*time_ms != 0 && *time_ms != OC_NO_TIME && *time_ms != OC_NEVER)
        *time_ms += delta_ms;
}

void oc_alerts_clock(oc_alerts *alerts, int64_t delta_ms)
{
    for (struct oc_live *live = alerts->lives; live; live = live->next) {
        struct oc_alert *alert = &live->alert;

        move(&alert->pending_unix_ms, delta_ms);
        move(&alert->firing_unix_ms, delta_ms);
        move(&alert->ended_unix_ms, delta_ms);
        move(&alert->changed_unix_ms, delta_ms);
        move(&alert->acked_unix_ms, delta_ms);
        move(&alert->about.forecast.t_ms, delta_ms);
        move(&alert->about.forecast.since_ms, delta_ms);
        move(&live->over_since_ms, delta_ms);
        move(&live->seen_ms, delta_ms);
    }
    for (size_t i = 0; i < alerts->subject_count; i++) {
        struct oc_engine_subject *subject = &alerts->subjects[i];

        for (size_t at = 0; subject->ends && at < OC_ENDS_MAX; at++)
            move(&subject->ends[at], delta_ms);
        oc_course_clock(subject, delta_ms);
        move(&subject->limited_ms, delta_ms);
    }
    /* silences and windows are of the wall clock: they stay, and are looked at anew */
    if (alerts->windows_due_ms != OC_NEVER)
        alerts->windows_due_ms = OC_NO_TIME;
    if (alerts->silences_due_ms != OC_NEVER)
        alerts->silences_due_ms = OC_NO_TIME;
}
