/*
 * The rules that events hold: a kill for want of memory, lives that end again and again, a subject that is not there,
 * the daemon's own troubles, a heap cap that is too large.
 */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIGNAL_HUP 1 /* asked to end: a person or a service manager did it */
#define SIGNAL_INT 2
#define SIGNAL_TERM 15
#define ENDED_BY_CTRL_C 0xC000013AU /* of Windows: Ctrl+C, or its console was closed */
#define SAME_KILL_MS INT64_C(10000)
#define NEAR_SHARE 0.95 /* of a limit: a crash there was its doing */
#define LONGEST_S 1e9   /* beyond it nothing is in sight */
#define NOT_A_NUMBER ((double)NAN)

static struct oc_verdict verdict_of(enum oc_hold hold, const char *text)
{
    return (struct oc_verdict){ .hold = (uint8_t)hold,
                                .is_event = 1,
                                .value = NOT_A_NUMBER,
                                .bound = NOT_A_NUMBER,
                                .chance = NOT_A_NUMBER,
                                .deadline_s = (double)INFINITY,
                                .text = text };
}

static void judge_kind(struct oc_alerts *alerts, uint32_t handle, unsigned kind,
                       const struct oc_verdict *verdict, int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[handle];

    for (unsigned i = 0; i < subject->set->count; i++) {
        if (oc_engine_rule(alerts, subject, i)->kind == kind)
            oc_state_judge(alerts, handle, i, verdict, now_ms);
    }
}

/* The subject's own: whichever source it was told of. */
static void judge_subject(struct oc_alerts *alerts, uint32_t handle, unsigned kind,
                          enum oc_hold hold, const char *text, int64_t now_ms)
{
    struct oc_verdict verdict = verdict_of(hold, text);

    judge_kind(alerts, handle, kind, &verdict, now_ms);
}

/* ---- ends ---- */

static int is_asked_for(const struct oc_alert_event *event)
{
    if (event->end == OC_END_EXITED)
        return event->status == 0 || (uint32_t)event->status == ENDED_BY_CTRL_C;
    return event->end == OC_END_SIGNALED &&
           (event->status == SIGNAL_HUP || event->status == SIGNAL_INT ||
            event->status == SIGNAL_TERM);
}

static int is_crash(const struct oc_alert_event *event)
{
    return (event->end == OC_END_EXITED || event->end == OC_END_SIGNALED) && !is_asked_for(event);
}

/* A service manager put another in its place, or let it go: no kill. */
static int is_by_plan(const struct oc_alert_event *event)
{
    return event->end == OC_END_RECYCLED || event->killer == OC_KILLER_IIS;
}

static int is_oom(const struct oc_alert_event *event)
{
    if (is_by_plan(event))
        return 0;
    return event->kind == OC_ALERT_EVENT_OOM_KILL || event->end == OC_END_OOM_KILLED ||
           event->killer != OC_KILLER_UNKNOWN;
}

/* Whether the time had come of which the forecast said that eight of ten ends come then: figures of walks may be old. */
static int is_time(const struct oc_forecast *forecast, int64_t now_ms)
{
    return forecast->p10_s >= 0 && forecast->p10_s < LONGEST_S &&
           now_ms >= forecast->t_ms + (int64_t)(forecast->p10_s * 1000);
}

/* It crashed where the limit that the alert is about was all but met, or when that was forecast. */
static int is_near(const struct oc_alert *alert, int64_t now_ms)
{
    const struct oc_forecast *forecast = &alert->about.forecast;
    const struct oc_limit_row *row = oc_limit_row(alert->about.limit.kind);

    if (!row)
        return 0;
    if (forecast->state == OC_FORECAST_EXHAUSTED || is_time(forecast, now_ms))
        return 1;
    return row->is_floor ? forecast->value <= forecast->limit / NEAR_SHARE
                         : forecast->value >= forecast->limit * NEAR_SHARE;
}

static int is_about(const struct oc_alert *alert, const struct oc_alert_event *event)
{
    return (event->source != 0 && alert->source == event->source) ||
           (event->pid != 0 && alert->pid == event->pid);
}

static int has_died(const struct oc_live *live, const struct oc_alert_event *event, int64_t now_ms)
{
    const struct oc_alert *alert = &live->alert;

    if (!oc_live_fires(live))
        return 0;
    if (is_oom(event)) /* of what all of it share any victim will do */
        return is_about(alert, event) || alert->pid == 0;
    return is_about(alert, event) && is_crash(event) && is_near(alert, now_ms);
}

static const char *end_words(const struct oc_alert_event *event, char *out, size_t out_bytes)
{
    const char *by = oc_killer_name(event->killer);

    if (is_by_plan(event))
        (void)snprintf(out, out_bytes, "it was recycled%s%s%s%s", by[0] ? " by " : "", by,
                       event->text && event->text[0] ? ": " : "", event->text ? event->text : "");
    else if (is_oom(event))
        (void)snprintf(out, out_bytes, "killed for want of memory%s%s%s%s", by[0] ? " by " : "", by,
                       event->text && event->text[0] ? " of " : "", event->text ? event->text : "");
    else if (event->end == OC_END_EXITED)
        (void)snprintf(out, out_bytes, "it exited with %d", event->status);
    else if (event->end == OC_END_SIGNALED)
        (void)snprintf(out, out_bytes, "it was ended by signal %d", event->status);
    else if (event->end == OC_END_UNWATCHED)
        (void)snprintf(out, out_bytes, "it is not watched any more");
    else
        (void)snprintf(out, out_bytes, "its process ended");
    return out;
}

/* What was held by the life that is over. */
static void end_lives(struct oc_alerts *alerts, uint32_t handle, const struct oc_alert_event *event,
                      int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[handle];
    char words[OC_ALERT_WHY_BYTES];

    (void)end_words(event, words, sizeof(words));
    /* warnings first: they are not told anew since their critical ones are over */
    for (unsigned i = subject->set->count; i > 0 && subject->live_count > 0; i--) {
        struct oc_live *live = subject->lives[i - 1];

        if (!live || live->is_resting || (OC_KIND_BIT(live->alert.kind) & OC_KINDS_EVENT))
            continue;
        if (has_died(live, event, now_ms))
            oc_state_end(alerts, live, OC_ALERT_DIED, words, now_ms);
        else if (event->kind == OC_ALERT_EVENT_ENDED && is_about(&live->alert, event))
            oc_state_source_gone(alerts, live, words, now_ms);
    }
}

/*
 * A cgroup is a subject of its own: what fires of its limit died by the kill of whoever is in it, and the cgroup may be gone
 * before it says so itself.
 */
static void end_of_scope(struct oc_alerts *alerts, const struct oc_alert_event *event,
                         unsigned severity, int64_t now_ms)
{
    char words[OC_ALERT_WHY_BYTES];
    struct oc_live *next = NULL;

    if (event->killer != OC_KILLER_CGROUP || !event->text || !event->text[0])
        return;
    (void)end_words(event, words, sizeof(words));
    for (struct oc_live *live = alerts->lives; live; live = next) {
        const struct oc_alert *alert = &live->alert;

        next = live->next;
        if (!live->is_resting && oc_live_fires(live) && alert->severity == severity &&
            alert->about.limit.kind == OC_LIMIT_CGROUP_MAX &&
            strcmp(alert->about.limit.where, event->text) == 0)
            oc_state_end(alerts, live, OC_ALERT_DIED, words, now_ms);
    }
}

/* ---- restart loops ---- */

static uint32_t ends_since(const struct oc_engine_subject *subject, int64_t since_ms)
{
    uint32_t kept = subject->end_count < OC_ENDS_MAX ? subject->end_count : OC_ENDS_MAX;
    uint32_t count = 0;

    for (uint32_t i = 0; subject->ends && i < kept; i++)
        count += subject->ends[i] >= since_ms;
    return count;
}

static uint32_t wanted_ends(const struct oc_rule *rule)
{
    return rule->count > OC_ENDS_MAX ? OC_ENDS_MAX : rule->count;
}

/* Without a word of the config, what was chosen by its name alone is left out: a compiler that fails five times is no loop. */
static int may_loop(const struct oc_rule *rule, const char *subject)
{
    return rule->kind == OC_RULE_RESTART_LOOP && rule->count > 0 &&
           !(rule->is_builtin && strncmp(subject, "proc:", 5) == 0);
}

static void judge_loop(struct oc_alerts *alerts, uint32_t handle, unsigned slot, int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[handle];
    const struct oc_rule *rule = oc_engine_rule(alerts, subject, slot);
    uint32_t count = ends_since(subject, now_ms - rule->window_ms);
    int is_loop = may_loop(rule, subject->name) && count >= wanted_ends(rule);
    char words[OC_ALERT_WHY_BYTES] = "", span[32];
    struct oc_verdict verdict = verdict_of(is_loop ? OC_HOLD_YES : OC_HOLD_OVER, words);

    (void)snprintf(words, sizeof(words), "%" PRIu32 " lives of it ended badly within %s", count,
                   oc_text_ms(rule->window_ms, span, sizeof(span)));
    verdict.value = count;
    verdict.bound = rule->count;
    oc_state_judge(alerts, handle, slot, &verdict, now_ms);
}

static void note_end(struct oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    struct oc_engine_subject *subject = &alerts->subjects[handle];

    if (!(subject->set->kinds & OC_KIND_BIT(OC_RULE_RESTART_LOOP)))
        return;
    if (!subject->ends)
        subject->ends = oc_calloc(OC_ENDS_MAX, sizeof(*subject->ends));
    if (!subject->ends) {
        alerts->refused++;
        return;
    }
    subject->ends[subject->end_count++ % OC_ENDS_MAX] = now_ms;
    if (subject->end_count == 2 * OC_ENDS_MAX)
        subject->end_count = OC_ENDS_MAX;
    for (unsigned i = 0; i < subject->set->count; i++) {
        if (oc_engine_rule(alerts, subject, i)->kind == OC_RULE_RESTART_LOOP)
            judge_loop(alerts, handle, i, now_ms);
    }
}

/* ---- out of memory ---- */

/* A cgroup tells of the kill of which its process has told just now. */
static int is_told(const struct oc_alerts *alerts, uint32_t handle, uint64_t scope, int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[handle];

    for (unsigned i = 0; i < subject->set->count; i++) {
        const struct oc_live *live = subject->lives[i];

        if (live && live->alert.kind == OC_RULE_OOM_KILL && !live->is_resting &&
            live->alert.pid != 0 && scope != 0 && live->scope == scope &&
            now_ms - live->seen_ms < SAME_KILL_MS)
            return 1;
    }
    return 0;
}

static void note_kill(struct oc_alerts *alerts, uint32_t handle, const struct oc_alert_event *event,
                      int64_t now_ms)
{
    struct oc_verdict verdict = verdict_of(OC_HOLD_YES, NULL);
    char words[OC_ALERT_WHY_BYTES], text[OC_ALERT_WHY_BYTES];

    (void)end_words(event, words, sizeof(words));
    if (event->pid)
        (void)snprintf(text, sizeof(text), "process %" PRIu32 " was %.*s", event->pid, 220, words);
    else
        (void)snprintf(text, sizeof(text), "a process was %.*s", 230, words);
    verdict.source = event->source;
    verdict.pid = event->pid;
    verdict.text = text;
    if (event->text && event->text[0])
        verdict.scope = oc_alert_fingerprint(event->text, "", OC_SEVERITY_NONE, "");
    if (event->pid == 0 && is_told(alerts, handle, verdict.scope, now_ms))
        return;
    judge_kind(alerts, handle, OC_RULE_OOM_KILL, &verdict, now_ms);
}

/* ---- the daemon ---- */

static struct oc_degraded *find_degraded(struct oc_alerts *alerts, const char *text)
{
    for (size_t i = 0; i < alerts->degraded_count; i++) {
        if (strcmp(alerts->degraded[i].text, text) == 0)
            return &alerts->degraded[i];
    }
    return NULL;
}

static void note_degraded(struct oc_alerts *alerts, const char *text)
{
    char cut[OC_ALERT_WHY_BYTES];

    oc_text_copy_utf8(cut, sizeof(cut), text, strlen(text));
    if (find_degraded(alerts, cut) || alerts->degraded_count == OC_DEGRADED_TEXTS_MAX)
        return;
    memcpy(alerts->degraded[alerts->degraded_count++].text, cut, sizeof(cut));
}

static void note_healthy(struct oc_alerts *alerts, const char *text)
{
    char cut[OC_ALERT_WHY_BYTES];
    struct oc_degraded *degraded = NULL;

    if (!text) {
        alerts->degraded_count = 0;
        return;
    }
    oc_text_copy_utf8(cut, sizeof(cut), text, strlen(text));
    degraded = find_degraded(alerts, cut);
    if (degraded)
        *degraded = alerts->degraded[--alerts->degraded_count];
}

static void judge_degraded(struct oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    char text[OC_ALERT_WHY_BYTES];
    size_t count = alerts->degraded_count;

    if (count == 0) {
        judge_subject(alerts, handle, OC_RULE_DEGRADED, OC_HOLD_OVER, "all is well again", now_ms);
        return;
    }
    if (count == 1)
        (void)snprintf(text, sizeof(text), "%s", alerts->degraded[0].text);
    else
        (void)snprintf(text, sizeof(text), "%.220s, and %zu more", alerts->degraded[0].text,
                       count - 1);
    judge_subject(alerts, handle, OC_RULE_DEGRADED, OC_HOLD_YES, text, now_ms);
}

/* ---- heap caps ---- */

static void judge_heap_cap(struct oc_alerts *alerts, uint32_t handle,
                           const struct oc_alert_event *event, int64_t now_ms)
{
    int holds = event->value == event->value;
    char words[OC_ALERT_WHY_BYTES] = "", value[32], bound[32];
    struct oc_verdict verdict = verdict_of(holds ? OC_HOLD_YES : OC_HOLD_OVER, words);

    oc_words_value(0, event->value, value, sizeof(value));
    oc_words_value(0, event->bound, bound, sizeof(bound));
    if (holds)
        (void)snprintf(words, sizeof(words),
                       "heap cap and native memory may come to %s, above the limit of %s", value,
                       bound);
    else
        (void)snprintf(words, sizeof(words), "heap cap and native memory are below the limit");
    verdict.is_event = 0; /* of that process alone */
    verdict.source = event->source;
    verdict.pid = event->pid;
    verdict.value = event->value;
    verdict.bound = event->bound;
    judge_kind(alerts, handle, OC_RULE_HEAP_CAP, &verdict, now_ms);
}

/* ---- all of them ---- */

static void ended(struct oc_alerts *alerts, uint32_t handle, const struct oc_alert_event *event,
                  int64_t now_ms)
{
    oc_course_drop(alerts, &alerts->subjects[handle], event->source);
    end_lives(alerts, handle, event, now_ms);
    if (is_oom(event) || is_crash(event))
        note_end(alerts, handle, now_ms);
}

void oc_alerts_event(oc_alerts *alerts, uint32_t handle, const struct oc_alert_event *event,
                     int64_t now_ms)
{
    if (!oc_engine_subject(alerts, handle))
        return;
    switch (event->kind) {
    case OC_ALERT_EVENT_BEGAN:
    case OC_ALERT_EVENT_PRESENT:
        judge_subject(alerts, handle, OC_RULE_MISSING, OC_HOLD_OVER, "it is there again", now_ms);
        break;
    case OC_ALERT_EVENT_ENDED:
        ended(alerts, handle, event, now_ms);
        break;
    case OC_ALERT_EVENT_OOM_KILL:
        note_kill(alerts, handle, event, now_ms);
        end_lives(alerts, handle, event, now_ms);
        end_of_scope(alerts, event, OC_SEVERITY_WARN, now_ms); /* first, as above */
        end_of_scope(alerts, event, OC_SEVERITY_CRITICAL, now_ms);
        break;
    case OC_ALERT_EVENT_MISSING:
        judge_subject(alerts, handle, OC_RULE_MISSING, OC_HOLD_YES,
                      "it is expected, and has no process", now_ms);
        break;
    case OC_ALERT_EVENT_DEGRADED:
        note_degraded(alerts, event->text && event->text[0] ? event->text : "it is degraded");
        judge_degraded(alerts, handle, now_ms);
        break;
    case OC_ALERT_EVENT_HEALTHY:
        note_healthy(alerts, event->text);
        judge_degraded(alerts, handle, now_ms);
        break;
    case OC_ALERT_EVENT_HEAP_CAP:
        judge_heap_cap(alerts, handle, event, now_ms);
        break;
    }
}

void oc_rule_tick_event(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    if (live->over_since_ms != OC_NO_TIME || live->is_resting)
        return;
    if (live->alert.kind == OC_RULE_RESTART_LOOP)
        judge_loop(alerts, live->subject, live->slot, now_ms);
    else if (live->alert.kind == OC_RULE_OOM_KILL && oc_live_fires(live))
        oc_state_over(alerts, live, "no other was killed", live->seen_ms);
}
