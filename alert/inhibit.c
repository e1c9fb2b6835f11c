/*
 * What keeps an alert quiet: a worse one, a silence, maintenance, a planned end. Whether something inhibits does not depend on
 * whether it is inhibited itself, so that nothing goes round.
 */
#include "alert/engine.h"

#include <stdio.h>

/* ---- who inhibits whom ---- */

static unsigned metric_of(const struct oc_alerts *alerts, const struct oc_live *live)
{
    const struct oc_engine_subject *subject = &alerts->subjects[live->subject];

    if (!subject->set || live->slot >= subject->set->count)
        return 0;
    return oc_engine_rule(alerts, subject, live->slot)->metric;
}

/* A warning is kept quiet by the critical one of its kind, and a foretold limit by its being met. */
static int is_kept_by(const struct oc_alerts *alerts, const struct oc_live *live,
                      const struct oc_live *other)
{
    if (!other || other == live || other->is_resting || !oc_live_fires(other) || other->is_planned)
        return 0;
    if (other->alert.kind == OC_RULE_EXHAUSTED && live->alert.kind == OC_RULE_FORECAST)
        return 1;
    return other->alert.kind == live->alert.kind && other->alert.severity > live->alert.severity &&
           metric_of(alerts, other) == metric_of(alerts, live);
}

/* A kill that a cgroup tells of is told of the process that was killed, where that is known. */
static int is_of_a_process(const struct oc_alerts *alerts, const struct oc_live *cgroup)
{
    for (const struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->alert.kind == OC_RULE_OOM_KILL && !live->is_resting && oc_live_fires(live) &&
            live->alert.pid != 0 && live->scope == cgroup->scope)
            return 1;
    }
    return 0;
}

int oc_inhibit_is(const struct oc_alerts *alerts, const struct oc_live *live)
{
    const struct oc_engine_subject *subject = &alerts->subjects[live->subject];
    unsigned kind = OC_KIND_BIT(live->alert.kind);

    if (live->alert.kind == OC_RULE_MISSING && alerts->is_degraded)
        return 1;
    if (live->alert.kind == OC_RULE_OOM_KILL && live->alert.pid == 0 && live->scope != 0 &&
        is_of_a_process(alerts, live))
        return 1;
    if (!subject->is_host && (kind & OC_KINDS_MEMORY) &&
        alerts->host_severity >= live->alert.severity)
        return 1;
    for (unsigned i = 0; subject->set && i < subject->set->count; i++) {
        if (is_kept_by(alerts, live, subject->lives[i]))
            return 1;
    }
    return 0;
}

static uint8_t host_severity(const struct oc_alerts *alerts)
{
    uint8_t worst = OC_SEVERITY_NONE;

    for (const struct oc_live *live = alerts->lives; live; live = live->next) {
        if (alerts->subjects[live->subject].is_host && !live->is_resting && oc_live_fires(live) &&
            !live->is_planned && (OC_KIND_BIT(live->alert.kind) & OC_KINDS_MEMORY) &&
            live->alert.severity > worst)
            worst = live->alert.severity;
    }
    return worst;
}

/* Pending counts: that the daemon cannot tell is known before it is worth telling. */
static uint8_t is_degraded(const struct oc_alerts *alerts)
{
    for (const struct oc_live *live = alerts->lives; live; live = live->next) {
        if (live->alert.kind == OC_RULE_DEGRADED && !live->is_resting &&
            live->over_since_ms == OC_NO_TIME)
            return 1;
    }
    return 0;
}

void oc_inhibit_changed(struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms)
{
    uint32_t subject = live->subject;

    if (alerts->subjects[subject].is_host) {
        uint8_t severity = host_severity(alerts);

        if (severity != alerts->host_severity) {
            alerts->host_severity = severity;
            oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
            return;
        }
    }
    if (live->alert.kind == OC_RULE_DEGRADED && is_degraded(alerts) != alerts->is_degraded) {
        alerts->is_degraded = !alerts->is_degraded;
        oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
        return;
    }
    oc_mute_look_all(alerts, live->scope != 0 ? OC_ALERT_NO_SUBJECT : subject, now_ms);
}

void oc_inhibit_all(struct oc_alerts *alerts, int64_t now_ms)
{
    alerts->has_restored = 0;
    alerts->host_severity = host_severity(alerts);
    alerts->is_degraded = is_degraded(alerts);
    oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
}

/* ---- mutes ---- */

unsigned oc_mute_bits(const struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms)
{
    const struct oc_engine_subject *subject = &alerts->subjects[live->subject];
    unsigned bits = 0;

    if (oc_silence_is(alerts, live, now_ms))
        bits |= OC_ALERT_SILENCED;
    if (oc_inhibit_is(alerts, live))
        bits |= OC_ALERT_INHIBITED;
    if (subject->set && (subject->set->windows & alerts->active_windows))
        bits |= OC_ALERT_MAINTENANCE;
    if (live->is_planned)
        bits |= OC_ALERT_PLANNED;
    return bits;
}

static const char *mute_reason(struct oc_alerts *alerts, unsigned before, unsigned after)
{
    static const struct {
        unsigned bit;
        const char *begins, *ends;
    } words[] = {
        { OC_ALERT_SILENCED, "silenced", "no longer silenced" },
        { OC_ALERT_INHIBITED, "a worse alert says it", "no worse alert says it any more" },
        { OC_ALERT_MAINTENANCE, "maintenance began", "maintenance is over" },
        { OC_ALERT_PLANNED, "a planned end comes first", "no planned end comes first any more" },
    };
    size_t len = 0;

    alerts->reason[0] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        int was = (before & words[i].bit) != 0, is = (after & words[i].bit) != 0;
        int more = 0;

        if (was == is)
            continue;
        more = snprintf(alerts->reason + len, sizeof(alerts->reason) - len, "%s%s",
                        len > 0 ? "; " : "", is ? words[i].begins : words[i].ends);
        len += more > 0 ? (size_t)more : 0;
    }
    return alerts->reason;
}

void oc_mute_look(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms)
{
    const unsigned own = OC_ALERT_ACKED | OC_ALERT_FLAPPING;
    unsigned before = live->alert.mutes, after = 0;

    if (live->is_resting || !oc_live_fires(live))
        return;
    after = oc_mute_bits(alerts, live, now_ms) | (before & own);
    if (live->over_since_ms != OC_NO_TIME)
        after |= before & OC_ALERT_INHIBITED; /* it is all but over: not told anew for that */
    if (after == before)
        return;
    live->alert.mutes = (uint8_t)after;
    live->alert.changed_unix_ms = now_ms;
    oc_state_say(alerts, live, OC_ALERT_FIRING, 1, mute_reason(alerts, before, after), now_ms);
}

void oc_mute_look_all(struct oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    const struct oc_engine_subject *subject = NULL;

    if (handle == OC_ALERT_NO_SUBJECT) {
        for (struct oc_live *live = alerts->lives; live; live = live->next)
            oc_mute_look(alerts, live, now_ms);
        return;
    }
    subject = &alerts->subjects[handle];
    for (unsigned i = 0; subject->set && i < subject->set->count; i++) {
        if (subject->lives[i])
            oc_mute_look(alerts, subject->lives[i], now_ms);
    }
}
