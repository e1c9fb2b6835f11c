/* What the caller sees, as verdicts of the rules that want it. Most sources are well: that is found out first. */
#include "alert/engine.h"

#include <math.h>

#define NOT_A_NUMBER ((double)NAN)

unsigned oc_alerts_wants(oc_alerts *alerts, uint32_t handle)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);
    unsigned wants = 0;

    if (!subject)
        return 0;
    if (subject->set->kinds & OC_KINDS_FORECAST)
        wants |= OC_ALERT_WANTS_FORECASTS;
    for (unsigned i = 0; i < OC_BLOCK_COUNT; i++) {
        if (subject->set->metrics[i])
            wants |= OC_ALERT_WANTS_SAMPLES;
    }
    if (subject->set->kinds & OC_KIND_BIT(OC_RULE_FAMILY))
        wants |= OC_ALERT_WANTS_FAMILIES;
    return wants;
}

uint64_t oc_alerts_wanted_metrics(oc_alerts *alerts, uint32_t handle, unsigned block)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    return subject && block < OC_BLOCK_COUNT ? subject->set->metrics[block] : 0;
}

/* A ceiling that ends it before the host's memory does. */
static int is_own_limit(unsigned kind)
{
    return kind == OC_LIMIT_CGROUP_MAX || kind == OC_LIMIT_CGROUP_HIGH ||
           kind == OC_LIMIT_CGROUP_MEMSW || kind == OC_LIMIT_RLIMIT_AS ||
           kind == OC_LIMIT_RLIMIT_DATA || kind == OC_LIMIT_COMMIT ||
           kind == OC_LIMIT_ADDRESS_SPACE || kind == OC_LIMIT_USER || kind == OC_LIMIT_IIS_MEMORY ||
           kind == OC_LIMIT_IIS_PRIVATE_MEMORY;
}

void oc_alerts_limited(oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (subject)
        subject->limited_ms = now_ms;
}

/* Of the host: how fast its memory goes, if it leaks. On Windows it pages before it runs out. */
static void note_host(oc_alerts *alerts, const struct oc_forecast_row *rows, size_t count)
{
    double most = NOT_A_NUMBER;
    int is_told = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].limit.kind != OC_LIMIT_HOST_MEMORY &&
            rows[i].limit.kind != OC_LIMIT_HOST_PHYSICAL)
            continue;
        is_told = 1;
        if (rows[i].forecast.state == OC_FORECAST_LEAKING)
            most = fmax(most, rows[i].forecast.growth_per_h); /* fmax() passes over what is none */
    }
    if (is_told)
        alerts->host_growth_per_h = most;
}

/* Whether any rule could hold: most sources are well, and then nothing more is done. */
static int note_rows(struct oc_engine_subject *subject, const struct oc_forecast_row *rows,
                     size_t count, int64_t now_ms)
{
    int is_of_interest = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_own_limit(rows[i].limit.kind))
            subject->limited_ms = now_ms;
        is_of_interest |= rows[i].forecast.state >= OC_FORECAST_WARMING;
    }
    return is_of_interest;
}

struct oc_verdict oc_verdict_empty(uint32_t source, uint32_t pid)
{
    return (struct oc_verdict){ .hold = OC_HOLD_OVER,
                                .source = source,
                                .pid = pid,
                                .value = NOT_A_NUMBER,
                                .bound = NOT_A_NUMBER,
                                .chance = NOT_A_NUMBER,
                                .deadline_s = (double)INFINITY };
}

void oc_alerts_forecasts(oc_alerts *alerts, uint32_t handle, const struct oc_alert_outlook *outlook,
                         int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject || !(subject->set->kinds & OC_KINDS_FORECAST))
        return;
    if (subject->is_host)
        note_host(alerts, outlook->rows, outlook->count);
    if (!note_rows(subject, outlook->rows, outlook->count, now_ms) && subject->live_count == 0)
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        const struct oc_rule *rule = oc_engine_rule(alerts, subject, i);
        struct oc_verdict verdict = oc_verdict_empty(outlook->source, outlook->pid);

        if (!(OC_KIND_BIT(rule->kind) & OC_KINDS_FORECAST) ||
            (rule->kind == OC_RULE_GROWTH && rule->metric != 0))
            continue;
        oc_rule_judge_forecast(alerts, subject, rule, outlook, now_ms, &verdict);
        oc_state_judge(alerts, handle, i, &verdict, now_ms);
    }
}

void oc_alerts_sample(oc_alerts *alerts, uint32_t handle, uint32_t source, uint32_t pid,
                      const struct oc_sample *sample, int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject || sample->block >= OC_BLOCK_COUNT ||
        !(subject->set->metrics[sample->block] & sample->known))
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        const struct oc_rule *rule = oc_engine_rule(alerts, subject, i);
        struct oc_verdict verdict = oc_verdict_empty(source, pid);
        double value = 0;

        if ((rule->kind != OC_RULE_THRESHOLD && rule->kind != OC_RULE_GROWTH) ||
            rule->metric == 0 || !oc_sample_has(sample, (enum oc_metric)rule->metric))
            continue;
        value = (double)oc_sample_get(sample, (enum oc_metric)rule->metric);
        if (rule->kind == OC_RULE_THRESHOLD)
            oc_rule_judge_threshold(rule, value, &verdict);
        else
            oc_rule_judge_growth(alerts, subject, rule, value, now_ms, &verdict);
        oc_state_judge(alerts, handle, i, &verdict, now_ms);
    }
}
