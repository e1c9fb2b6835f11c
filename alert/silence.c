/* Silences: who asked for quiet about what, and until when. */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/identity.h"
#include "base/text.h"

#include <string.h>

/* ---- matching ---- */

static const char *user_label(const struct oc_engine_subject *subject, const char *name)
{
    for (char **at = subject->pairs; at && at[0]; at += 2) {
        if (strcmp(at[0], name) == 0)
            return at[1];
    }
    return ""; /* a label that is not there is empty, as Alertmanager has it */
}

static int matches(const struct oc_alerts *alerts, const struct oc_live *live,
                   const struct oc_silence_matcher *matcher)
{
    const struct oc_alert *alert = &live->alert;
    int is = 0;

    if (strcmp(matcher->name, "subject") == 0)
        is = oc_subject_is_meant(alert->subject, matcher->glob);
    else if (strcmp(matcher->name, "alertname") == 0)
        is = oc_text_glob(matcher->glob, alert->rule);
    else if (strcmp(matcher->name, "severity") == 0)
        is = oc_text_glob(matcher->glob, oc_severity_name(alert->severity));
    else if (strcmp(matcher->name, "instance") == 0)
        is = oc_text_glob(matcher->glob, alerts->instance);
    else
        is = oc_text_glob(matcher->glob,
                          user_label(&alerts->subjects[live->subject], matcher->name));
    return is != (matcher->is_negative != 0);
}

static int is_meant(const struct oc_alerts *alerts, const struct oc_live *live,
                    const struct oc_silence *silence)
{
    for (uint32_t i = 0; i < silence->matcher_count; i++) {
        if (!matches(alerts, live, &silence->matchers[i]))
            return 0;
    }
    return silence->matcher_count > 0;
}

int oc_silence_is(const struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms)
{
    for (size_t i = 0; i < alerts->silence_count; i++) {
        const struct oc_silence *silence = &alerts->silences[i];

        if (silence->begin_unix_ms <= now_ms && now_ms < silence->end_unix_ms &&
            is_meant(alerts, live, silence))
            return 1;
    }
    return 0;
}

/* ---- the list ---- */

static void plan(struct oc_alerts *alerts, int64_t now_ms)
{
    alerts->silences_due_ms = OC_NEVER;
    for (size_t i = 0; i < alerts->silence_count; i++) {
        const struct oc_silence *silence = &alerts->silences[i];
        int64_t due_ms =
            silence->begin_unix_ms > now_ms ? silence->begin_unix_ms : silence->end_unix_ms;

        if (due_ms < alerts->silences_due_ms)
            alerts->silences_due_ms = due_ms;
    }
}

static struct oc_silence *find(const struct oc_alerts *alerts, uint64_t id)
{
    for (size_t i = 0; i < alerts->silence_count; i++) {
        if (alerts->silences[i].id == id)
            return &alerts->silences[i];
    }
    return NULL;
}

/* A place by id, so that they stay in order. */
static int add(struct oc_alerts *alerts, const struct oc_silence *silence)
{
    void *items = alerts->silences;
    size_t at = alerts->silence_count;
    int rc = oc_array_grow(&items, &alerts->silence_capacity, alerts->silence_count + 1,
                           sizeof(*silence), OC_SILENCES_MAX);

    alerts->silences = items;
    if (rc < 0)
        return rc;
    for (; at > 0 && alerts->silences[at - 1].id > silence->id; at--)
        alerts->silences[at] = alerts->silences[at - 1];
    alerts->silences[at] = *silence;
    alerts->silence_count++;
    return OC_OK;
}

static int is_sound(const struct oc_silence *silence, int64_t now_ms)
{
    return silence->end_unix_ms > silence->begin_unix_ms && silence->end_unix_ms > now_ms &&
           silence->matcher_count > 0 && silence->matcher_count <= OC_SILENCE_MATCHERS_MAX;
}

int oc_alerts_silence(oc_alerts *alerts, struct oc_silence *silence, int64_t now_ms)
{
    struct oc_silence *known = NULL;
    int rc = OC_OK;

    if (!is_sound(silence, now_ms))
        return OC_E_INVAL;
    known = silence->id ? find(alerts, silence->id) : NULL;
    if (known) {
        *known = *silence;
    } else {
        struct oc_silence made = *silence;

        if (made.id == 0)
            made.id = alerts->last_silence + 1;
        rc = add(alerts, &made);
        if (rc < 0)
            return rc;
        silence->id = made.id;
    }
    if (silence->id > alerts->last_silence)
        alerts->last_silence = silence->id;
    plan(alerts, now_ms);
    oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
    return OC_OK;
}

static void drop(struct oc_alerts *alerts, size_t at)
{
    memmove(&alerts->silences[at], &alerts->silences[at + 1],
            (alerts->silence_count - at - 1) * sizeof(alerts->silences[0]));
    alerts->silence_count--;
}

int oc_alerts_unsilence(oc_alerts *alerts, uint64_t id, int64_t now_ms)
{
    struct oc_silence *silence = find(alerts, id);

    if (!silence)
        return OC_E_NOENT;
    drop(alerts, (size_t)(silence - alerts->silences));
    plan(alerts, now_ms);
    oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
    return OC_OK;
}

const struct oc_silence *oc_alerts_silences(const oc_alerts *alerts, size_t *out_count)
{
    *out_count = alerts->silence_count;
    return alerts->silences;
}

int oc_silence_tick(struct oc_alerts *alerts, int64_t now_ms)
{
    if (now_ms < alerts->silences_due_ms)
        return 0;
    for (size_t i = alerts->silence_count; i > 0; i--) {
        if (alerts->silences[i - 1].end_unix_ms <= now_ms)
            drop(alerts, i - 1);
    }
    plan(alerts, now_ms);
    return 1;
}
