/* An engine under a made clock, what it said, and facts made to measure. */
#ifndef OC_TESTS_ENGINE_RIG_H
#define OC_TESTS_ENGINE_RIG_H

#include "alert/alert.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define RIG_SECOND INT64_C(1000)
#define RIG_MINUTE (60 * RIG_SECOND)
#define RIG_HOUR (60 * RIG_MINUTE)
#define RIG_BEGIN INT64_C(1767225600000) /* 2026-01-01, a Thursday, 00:00 UTC */
#define RIG_SAID_MAX 64
#define RIG_GIB (1024.0 * 1024 * 1024)

struct rig_said {
    struct oc_alert alert;
    uint8_t from;
    int is_news;
    char reason[512];
};
struct rig {
    oc_alerts *alerts;
    int64_t now_ms;
    size_t said_count; /* in all; the first RIG_SAID_MAX are kept */
    struct rig_said said[RIG_SAID_MAX];
};

static inline void rig_hear(const struct oc_alert_change *change, void *context)
{
    struct rig *rig = context;
    struct rig_said *said = &rig->said[rig->said_count % RIG_SAID_MAX];

    rig->said_count++;
    said->alert = *change->alert;
    said->from = change->from;
    said->is_news = change->is_news;
    ck_assert_ptr_nonnull(change->why.reason);
    (void)strncpy(said->reason, change->why.reason, sizeof(said->reason) - 1);
}

static inline void rig_use(struct rig *rig, struct oc_rule *items, size_t count)
{
    const struct oc_rules rules = { items, count };

    ck_assert_int_eq(oc_alerts_set_rules(rig->alerts, &rules, rig->now_ms), OC_OK);
}

/* rules NULL: the defaults. */
static inline void rig_begin(struct rig *rig, struct oc_rule *items, size_t count)
{
    const struct oc_alerts_options options = { .instance = "host1" };
    struct oc_rules rules = { 0 };

    memset(rig, 0, sizeof(*rig));
    rig->now_ms = RIG_BEGIN;
    ck_assert_int_eq(oc_alerts_new(&options, rig_hear, rig, &rig->alerts), OC_OK);
    if (items) {
        rig_use(rig, items, count);
        return;
    }
    ck_assert_int_eq(oc_rules_default(&rules), OC_OK);
    rig_use(rig, rules.items, rules.count);
    oc_rules_clear(&rules);
}

static inline void rig_end(struct rig *rig) { oc_alerts_free(rig->alerts); }

static inline void rig_forget(struct rig *rig) { rig->said_count = 0; }

/* Time passes, as the daemon lets it. */
static inline void rig_pass(struct rig *rig, int64_t span_ms)
{
    int64_t end_ms = rig->now_ms + span_ms;

    while (rig->now_ms < end_ms) {
        int64_t next_ms = oc_alerts_tick(rig->alerts, rig->now_ms);

        ck_assert_int_gt(next_ms, rig->now_ms);
        ck_assert_int_le(next_ms, rig->now_ms + RIG_MINUTE);
        rig->now_ms = next_ms < end_ms ? next_ms : end_ms;
    }
    (void)oc_alerts_tick(rig->alerts, rig->now_ms);
}

static inline uint32_t rig_subject(struct rig *rig, const char *name)
{
    uint32_t subject = oc_alerts_subject(rig->alerts, name, OC_SOURCE_PROCESS);

    ck_assert_uint_ne(subject, OC_ALERT_NO_SUBJECT);
    return subject;
}

/* A forecast of private bytes against memory.max that is met in p50_h hours. */
static inline struct oc_forecast_row rig_row(const struct rig *rig, unsigned state, double p50_h)
{
    const struct oc_forecast_row row = {
        .limit = { .kind = OC_LIMIT_CGROUP_MAX,
                   .metric = OC_METRIC_CGROUP_CHARGE,
                   .value = (uint64_t)(2 * RIG_GIB),
                   .where = "/system.slice/shop.service" },
        .forecast = { .state = (uint8_t)state,
                      .metric = OC_METRIC_CGROUP_CHARGE,
                      .t_ms = rig->now_ms,
                      .since_ms = rig->now_ms - RIG_HOUR,
                      .samples = 1000,
                      .value = RIG_GIB,
                      .limit = 2 * RIG_GIB,
                      .growth_per_h = RIG_GIB / 10,
                      .growth_error_per_h = RIG_GIB / 100,
                      .chance = 0.9,
                      .p10_s = p50_h * 3600 * 0.8,
                      .p50_s = p50_h * 3600,
                      .p90_s = p50_h * 3600 * 1.3,
                      .saved_life_s = (double)NAN },
    };

    return row;
}

static inline void rig_tell(struct rig *rig, uint32_t subject, uint32_t source,
                            const struct oc_forecast_row *rows, size_t count)
{
    const struct oc_alert_outlook outlook = {
        .source = source, .pid = source, .rows = rows, .count = count
    };

    oc_alerts_forecasts(rig->alerts, subject, &outlook, rig->now_ms);
}

/* Of the host: it has no process. */
static inline void rig_tell_host(struct rig *rig, uint32_t host, const struct oc_forecast_row *row)
{
    const struct oc_alert_outlook outlook = { .source = 9, .rows = row, .count = 1 };

    oc_alerts_forecasts(rig->alerts, host, &outlook, rig->now_ms);
}

static inline void rig_say_state(struct rig *rig, uint32_t subject, uint32_t source, unsigned state,
                                 double p50_h)
{
    const struct oc_forecast_row row = rig_row(rig, state, p50_h);

    rig_tell(rig, subject, source, &row, 1);
}

/* The same forecast each minute for a while. */
static inline void rig_go_on(struct rig *rig, uint32_t subject, unsigned state, double p50_h,
                             int64_t span_ms)
{
    for (int64_t at = 0; at < span_ms; at += RIG_MINUTE) {
        rig_say_state(rig, subject, 1, state, p50_h);
        rig_pass(rig, RIG_MINUTE);
    }
}

static inline void rig_sample(struct rig *rig, uint32_t subject, enum oc_metric metric,
                              int64_t value)
{
    struct oc_sample sample = { .block = (uint8_t)OC_METRIC_BLOCK(metric) };

    oc_sample_set(&sample, metric, value);
    oc_alerts_sample(rig->alerts, subject, 1, 1, &sample, rig->now_ms);
}

static inline struct oc_alerts_stats rig_stats(const struct rig *rig)
{
    struct oc_alerts_stats stats;

    oc_alerts_stats(rig->alerts, &stats);
    return stats;
}

/* What fires under a name and severity; NULL. */
struct rig_want {
    const char *rule;
    unsigned severity;
    const struct oc_alert *found;
};
static inline int rig_match(const struct oc_alert *alert, void *context)
{
    struct rig_want *want = context;

    if (alert->severity == want->severity && strcmp(alert->rule, want->rule) == 0)
        want->found = alert;
    return want->found != NULL;
}
static inline const struct oc_alert *rig_find(const struct rig *rig, const char *rule,
                                              unsigned severity)
{
    struct rig_want want = { rule, severity, NULL };

    (void)oc_alerts_each(rig->alerts, rig_match, &want);
    return want.found;
}
static inline int rig_fires(const struct rig *rig, const char *rule, unsigned severity)
{
    const struct oc_alert *alert = rig_find(rig, rule, severity);

    return alert && alert->state == OC_ALERT_FIRING;
}

/* Changes of which someone may be to be told, to a state. */
static inline size_t rig_news(const struct rig *rig, unsigned state)
{
    size_t count = 0, kept = rig->said_count < RIG_SAID_MAX ? rig->said_count : RIG_SAID_MAX;

    for (size_t i = 0; i < kept; i++)
        count += rig->said[i].is_news && rig->said[i].alert.state == state;
    return count;
}
static inline const struct rig_said *rig_last(const struct rig *rig)
{
    ck_assert_uint_gt(rig->said_count, 0);
    return &rig->said[(rig->said_count - 1) % RIG_SAID_MAX];
}

#endif
