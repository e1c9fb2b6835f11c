/* From the first sign to the end: inactive -> pending -> firing -> resolved or died. */
#include "alert/engine.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define STALE_MS HOUR_MS /* the daemon looks every 10 min at the latest */
#define RESTORED_KEEP_MS (2 * MINUTE_MS)
#define RESTORED_WAIT_MS (30 * MINUTE_MS) /* for a first word of a subject that had an alert */
#define WAIT_PART 10 /* of the time to a limit: so long at most is waited to be sure of it */
#define GONE_KEEP_MS                                                                               \
    (2 * MINUTE_MS) /* an end is no lull: the next life, if it grows, speaks by then */
#define FLAPS_MIN 3 /* returns within the hour, from which it flaps */
#define FLAP_KEEP_MS (30 * MINUTE_MS) /* it must be quiet for so long then */

/* ---- telling ---- */

void oc_state_say(struct oc_alerts *alerts, const struct oc_live *live, unsigned from, int is_news,
                  const char *reason, int64_t now_ms)
{
    const struct oc_alert *alert = &live->alert;
    const struct oc_alert_change change = {
        .alert = alert,
        .from = (uint8_t)from,
        .why = { .t_unix_ms = now_ms,
                 .episode = alert->episode,
                 .fingerprint = alert->fingerprint,
                 .from = (uint8_t)from,
                 .to = alert->state,
                 .mutes = alert->mutes,
                 .rule = alert->rule,
                 .subject = alert->subject,
                 .reason = reason },
        .is_news = is_news,
    };

    alerts->changes++;
    alerts->fn(&change, alerts->context);
}

static const struct oc_rule *rule_of(const struct oc_alerts *alerts, const struct oc_live *live)
{
    return oc_engine_rule(alerts, &alerts->subjects[live->subject], live->slot);
}

/* How long the condition must hold: of a limit that is near not longer than a part of the time that is left. */
static int64_t for_of(const struct oc_alerts *alerts, const struct oc_live *live)
{
    const struct oc_rule *rule = rule_of(alerts, live);
    double left_ms = live->deadline_s * 1000 / WAIT_PART;

    if (rule->kind == OC_RULE_FORECAST && left_ms < (double)rule->for_ms)
        return left_ms > 0 ? (int64_t)left_ms : 0;
    return rule->for_ms;
}

/* "… for 2 min": what the rule asks, and for how long it was so. */
static const char *reason_of(struct oc_alerts *alerts, const struct oc_live *live, int64_t since_ms,
                             int64_t now_ms)
{
    char condition[OC_ALERT_WHY_BYTES + 64], span[32];

    oc_words_condition(rule_of(alerts, live), &live->alert, condition, sizeof(condition));
    if (now_ms - since_ms < 1000)
        (void)snprintf(alerts->reason, sizeof(alerts->reason), "%s", condition);
    else
        (void)snprintf(alerts->reason, sizeof(alerts->reason), "%s for %s", condition,
                       oc_text_ms(now_ms - since_ms, span, sizeof(span)));
    return alerts->reason;
}

/* ---- what it is about ---- */

static int same_limit(const struct oc_forecast_row *a, const struct oc_forecast_row *b)
{
    return a->limit.kind == b->limit.kind && a->forecast.metric == b->forecast.metric &&
           strcmp(a->limit.where, b->limit.where) == 0;
}

/* Copies what was seen. 1: it is about another source or limit than before. */
static int take(struct oc_alerts *alerts, struct oc_live *live, const struct oc_verdict *verdict,
                int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[live->subject];
    struct oc_alert *alert = &live->alert;
    int is_other = alert->source != verdict->source;

    alert->source = verdict->source;
    alert->pid = verdict->pid;
    alert->source_kind = subject->kind;
    alert->value = verdict->value;
    alert->bound = verdict->bound;
    alert->chance = verdict->chance;
    live->deadline_s = verdict->deadline_s;
    live->is_event = verdict->is_event;
    live->scope = verdict->scope;
    live->seen_ms = now_ms;
    if (verdict->about) {
        is_other |= !same_limit(&alert->about, verdict->about);
        alert->about = *verdict->about;
    } else if (rule_of(alerts, live)->metric) {
        alert->about.forecast.metric = rule_of(alerts, live)->metric; /* the unit of its figures */
    }
    if (verdict->text)
        oc_text_copy_utf8(alert->why, sizeof(alert->why), verdict->text, strlen(verdict->text));
    else
        oc_words_why(rule_of(alerts, live), verdict, alert);
    return is_other;
}

/* ---- steps ---- */

static void fire(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    struct oc_alert *alert = &live->alert;
    unsigned from = alert->state;

    alert->state = OC_ALERT_FIRING;
    alert->firing_unix_ms = alert->changed_unix_ms = now_ms;
    alert->mutes = (uint8_t)oc_mute_bits(alerts, live, now_ms);
    if (alert->flaps >= FLAPS_MIN)
        alert->mutes |= OC_ALERT_FLAPPING;
    oc_state_say(alerts, live, from, 1, reason_of(alerts, live, alert->pending_unix_ms, now_ms),
                 now_ms);
    oc_inhibit_changed(alerts, live, now_ms);
}

void oc_state_end(struct oc_alerts *alerts, struct oc_live *live, unsigned state,
                  const char *reason, int64_t now_ms)
{
    struct oc_alert *alert = &live->alert;
    unsigned from = alert->state;

    alert->state = from == OC_ALERT_FIRING ? (uint8_t)state : OC_ALERT_INACTIVE;
    alert->ended_unix_ms = alert->changed_unix_ms = now_ms;
    oc_live_rest(alerts, live);
    oc_state_say(alerts, live, from, from == OC_ALERT_FIRING, reason, now_ms);
    oc_inhibit_changed(alerts, live, now_ms);
}

/* Another episode of one that rests: whether it comes and goes. */
static void begin_again(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    struct oc_alert *alert = &live->alert;
    int has_fired = alert->firing_unix_ms > 0 && now_ms - alert->ended_unix_ms <= HOUR_MS;

    alert->flaps = has_fired ? alert->flaps + 1 : 0;
    alert->firing_unix_ms = alert->ended_unix_ms = alert->acked_unix_ms = 0;
    alert->mutes = alert->was_told = alert->not_durable = 0;
    oc_live_wake(alerts, live);
}

static struct oc_live *begin_first(struct oc_alerts *alerts, uint32_t handle, unsigned slot)
{
    const struct oc_engine_subject *subject = &alerts->subjects[handle];
    const struct oc_rule *rule = oc_engine_rule(alerts, subject, slot);
    struct oc_live *live = oc_live_new(alerts);

    if (!live)
        return NULL;
    live->subject = handle;
    live->slot = (uint16_t)slot;
    live->alert.kind = rule->kind;
    live->alert.severity = rule->severity;
    (void)oc_text_copy(live->alert.rule, sizeof(live->alert.rule), rule->name);
    (void)oc_text_copy(live->alert.subject, sizeof(live->alert.subject), subject->name);
    live->alert.fingerprint =
        oc_alert_fingerprint(rule->name, subject->name, rule->severity, alerts->instance);
    oc_live_add(alerts, live);
    return live;
}

static void begin(struct oc_alerts *alerts, uint32_t handle, unsigned slot,
                  const struct oc_verdict *verdict, int64_t now_ms)
{
    struct oc_live *live = alerts->subjects[handle].lives[slot];

    if (live && alerts->live_count >= alerts->max_alerts) {
        alerts->refused++;
        return;
    }
    if (live)
        begin_again(alerts, live, now_ms);
    else
        live = begin_first(alerts, handle, slot);
    if (!live)
        return; /* it is tried again with the next look */
    live->alert.episode = ++alerts->last_episode;
    live->alert.pending_unix_ms = live->alert.changed_unix_ms = now_ms;
    live->alert.state = OC_ALERT_INACTIVE;
    live->over_since_ms = OC_NO_TIME;
    live->is_restored = 0;
    live->is_planned = verdict->is_planned;
    (void)take(alerts, live, verdict, now_ms);
    if (for_of(alerts, live) <= 0) {
        fire(alerts, live, now_ms);
        return;
    }
    live->alert.state = OC_ALERT_PENDING;
    oc_state_say(alerts, live, OC_ALERT_INACTIVE, 0, reason_of(alerts, live, now_ms, now_ms),
                 now_ms);
    oc_inhibit_changed(alerts, live, now_ms);
}

/* ---- looks ---- */

/* Whether a source may say something of an alert: its holder may, and who is nearer to the end. */
static int may_speak(const struct oc_live *live, const struct oc_verdict *verdict, int64_t now_ms)
{
    if (live->is_restored)
        return 1;
    if (live->is_event ? verdict->is_event : live->alert.source == verdict->source)
        return 1;
    if (verdict->hold != OC_HOLD_YES)
        return 0;
    return live->over_since_ms != OC_NO_TIME ||
           verdict->deadline_s < live->deadline_s - (double)(now_ms - live->seen_ms) / 1000;
}

/* It was over for a while, but not for long enough. */
static void holds_again(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    int was_over = live->over_since_ms != OC_NO_TIME;

    live->over_since_ms = OC_NO_TIME;
    live->is_gone = 0;
    if (was_over && (live->alert.mutes & OC_ALERT_INHIBITED))
        oc_mute_look(alerts, live, now_ms);
}

static void goes_on(struct oc_alerts *alerts, struct oc_live *live,
                    const struct oc_verdict *verdict, int64_t now_ms)
{
    int was_restored = live->is_restored;
    uint64_t scope = live->scope;
    int is_other = take(alerts, live, verdict, now_ms);

    holds_again(alerts, live, now_ms);
    live->is_restored = 0;
    if (live->alert.state == OC_ALERT_PENDING) {
        live->is_planned = verdict->is_planned;
        if (now_ms - live->alert.pending_unix_ms >= for_of(alerts, live))
            fire(alerts, live, now_ms);
        return;
    }
    if (live->is_planned != verdict->is_planned) {
        live->is_planned = verdict->is_planned;
        oc_mute_look(alerts, live, now_ms);
        oc_inhibit_changed(alerts, live, now_ms);
    }
    if (live->scope != scope)
        oc_inhibit_changed(alerts, live, now_ms);
    if (is_other && !was_restored) {
        live->alert.changed_unix_ms = now_ms;
        oc_state_say(alerts, live, OC_ALERT_FIRING, 0,
                     reason_of(alerts, live, live->alert.firing_unix_ms, now_ms), now_ms);
    }
}

static int64_t keep_of(const struct oc_alerts *alerts, const struct oc_live *live)
{
    int64_t keep_ms = rule_of(alerts, live)->keep_ms;

    if (live->is_gone && keep_ms > GONE_KEEP_MS)
        keep_ms = GONE_KEEP_MS;
    if ((live->alert.mutes & OC_ALERT_FLAPPING) && keep_ms < FLAP_KEEP_MS)
        keep_ms = FLAP_KEEP_MS;
    if (live->is_restored && keep_ms < RESTORED_KEEP_MS)
        keep_ms = RESTORED_KEEP_MS;
    return keep_ms;
}

static void resolve_if_kept(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    int64_t over_ms = now_ms - live->over_since_ms;
    char span[32];

    if (live->over_since_ms == OC_NO_TIME || over_ms < keep_of(alerts, live))
        return;
    if (over_ms < 1000)
        (void)snprintf(alerts->reason, sizeof(alerts->reason), "%s", live->over_why);
    else
        (void)snprintf(alerts->reason, sizeof(alerts->reason), "%s, for %s", live->over_why,
                       oc_text_ms(over_ms, span, sizeof(span)));
    oc_state_end(alerts, live, OC_ALERT_RESOLVED, alerts->reason, now_ms);
}

/* It is over for now; pending ones end at once, those that fire when it stays so. */
void oc_state_over(struct oc_alerts *alerts, struct oc_live *live, const char *why, int64_t now_ms)
{
    if (live->over_since_ms == OC_NO_TIME) {
        live->over_since_ms = now_ms;
        oc_text_copy_utf8(live->over_why, sizeof(live->over_why), why, strlen(why));
    }
    if (live->alert.state == OC_ALERT_PENDING)
        oc_state_end(alerts, live, OC_ALERT_INACTIVE, live->over_why, now_ms);
    else
        resolve_if_kept(alerts, live, now_ms);
}

static void is_over(struct oc_alerts *alerts, struct oc_live *live,
                    const struct oc_verdict *verdict, int64_t now_ms)
{
    char why[sizeof(live->over_why)];

    live->seen_ms = now_ms;
    if (live->over_since_ms == OC_NO_TIME)
        oc_words_over(rule_of(alerts, live), verdict, why, sizeof(why));
    else
        (void)oc_text_copy(why, sizeof(why), live->over_why);
    oc_state_over(alerts, live, why, now_ms);
}

void oc_state_judge(struct oc_alerts *alerts, uint32_t handle, unsigned slot,
                    const struct oc_verdict *verdict, int64_t now_ms)
{
    struct oc_live *live = alerts->subjects[handle].lives[slot];

    if (!live || live->is_resting) {
        if (verdict->hold == OC_HOLD_YES)
            begin(alerts, handle, slot, verdict, now_ms);
        return;
    }
    if (!may_speak(live, verdict, now_ms))
        return;
    if (verdict->hold == OC_HOLD_YES) {
        goes_on(alerts, live, verdict, now_ms);
    } else if (verdict->hold == OC_HOLD_OVER || live->alert.state == OC_ALERT_PENDING) {
        is_over(alerts, live, verdict, now_ms);
    } else {
        (void)take(alerts, live, verdict, now_ms);
        holds_again(alerts, live, now_ms);
    }
}

void oc_state_source_gone(struct oc_alerts *alerts, struct oc_live *live, const char *why,
                          int64_t now_ms)
{
    live->alert.pid = 0;
    live->deadline_s = (double)INFINITY;
    live->is_gone = 1;
    oc_state_over(alerts, live, why, now_ms);
}

/* ---- time ---- */

static int64_t tick_resting(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    if (now_ms - live->alert.ended_unix_ms <= HOUR_MS)
        return live->alert.ended_unix_ms + HOUR_MS + 1;
    oc_live_drop(alerts, live);
    return OC_NEVER;
}

/* Nothing was heard of it for long. */
static int64_t tick_silent(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    int64_t wait_ms = live->is_restored ? RESTORED_WAIT_MS : STALE_MS;

    if (!live->is_restored && (live->is_event || live->alert.kind == OC_RULE_HEAP_CAP))
        return OC_NEVER; /* told when it is over */
    if (now_ms - live->seen_ms < wait_ms)
        return live->seen_ms + wait_ms;
    oc_state_over(alerts, live,
                  live->is_restored ? "not seen since the daemon was started"
                                    : "nothing was heard of it for an hour",
                  now_ms);
    return now_ms;
}

int64_t oc_state_tick(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    int64_t due_ms;

    if (live->is_resting)
        return tick_resting(alerts, live, now_ms);
    if (live->alert.state == OC_ALERT_PENDING && live->over_since_ms == OC_NO_TIME) {
        due_ms = live->alert.pending_unix_ms + for_of(alerts, live);
        if (now_ms < due_ms)
            return due_ms;
        fire(alerts, live, now_ms);
    }
    if (live->is_event)
        oc_rule_tick_event(alerts, live, now_ms);
    if (live->is_resting)
        return now_ms + HOUR_MS;
    if (live->over_since_ms == OC_NO_TIME)
        return tick_silent(alerts, live, now_ms);
    due_ms = live->over_since_ms + keep_of(alerts, live);
    resolve_if_kept(alerts, live, now_ms);
    return due_ms > now_ms ? due_ms : now_ms + HOUR_MS;
}
