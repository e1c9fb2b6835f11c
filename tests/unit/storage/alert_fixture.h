/* Alerts, decisions, rows of the outbox and silences that a test makes up and reads back. */
#ifndef OC_TEST_ALERT_FIXTURE_H
#define OC_TEST_ALERT_FIXTURE_H

#include "walk_fixture.h"

#include <math.h>

static inline struct oc_alert made_alert(uint64_t episode, unsigned state)
{
    struct oc_alert alert = { .fingerprint = UINT64_C(0xfedcba9876543210) + episode,
                              .episode = episode,
                              .kind = OC_RULE_FORECAST,
                              .severity = OC_SEVERITY_CRITICAL,
                              .state = (uint8_t)state,
                              .mutes = OC_ALERT_SILENCED | OC_ALERT_ACKED,
                              .was_told = 1,
                              .source_kind = OC_SOURCE_PROCESS,
                              .flaps = 3,
                              .pending_unix_ms = WALK_UNIX_MS + (int64_t)episode * 1000,
                              .firing_unix_ms = WALK_UNIX_MS + (int64_t)episode * 1000 + 10,
                              .changed_unix_ms = WALK_UNIX_MS + (int64_t)episode * 1000 + 10,
                              .acked_unix_ms = WALK_UNIX_MS + 77,
                              .source = 5,
                              .pid = 4242,
                              .value = 0.63,
                              .bound = 0.5,
                              .chance = NAN };

    (void)snprintf(alert.rule, sizeof alert.rule, "MemoryLimitForecast");
    (void)snprintf(alert.subject, sizeof alert.subject, "proc:leak-%d", (int)episode);
    (void)snprintf(alert.why, sizeof alert.why, "meets memory.max in 3 h");
    alert.about.limit = limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a/b");
    alert.about.limit.has_use = 0;
    alert.about.limit.use = 0;
    alert.about.forecast = (struct oc_forecast){ .state = OC_FORECAST_LEAKING,
                                                 .metric = alert.about.limit.metric,
                                                 .t_ms = WALK_UNIX_MS,
                                                 .since_ms = WALK_UNIX_MS - 5000,
                                                 .samples = 99,
                                                 .value = 1e8,
                                                 .limit = 1 << 30,
                                                 .growth_per_h = 1e6,
                                                 .growth_error_per_h = 1e3,
                                                 .chance = 0.9,
                                                 .p10_s = 100,
                                                 .p50_s = 200,
                                                 .p90_s = (double)INFINITY,
                                                 .saved_life_s = NAN };
    if (state > OC_ALERT_FIRING)
        alert.ended_unix_ms = alert.changed_unix_ms = alert.firing_unix_ms + 500;
    return alert;
}

/* NAN is NAN. */
static inline void check_real(double got, double want)
{
    if (want == want)
        ck_assert_msg(got == want, "%f is not %f", got, want);
    else
        ck_assert_msg(got != got, "%f is known", got);
}

static inline void check_forecast(const struct oc_forecast *got, const struct oc_forecast *want)
{
    ck_assert_uint_eq(got->state, want->state);
    ck_assert_uint_eq(got->metric, want->metric);
    ck_assert_int_eq(got->t_ms, want->t_ms);
    ck_assert_int_eq(got->since_ms, want->since_ms);
    ck_assert_uint_eq(got->samples, want->samples);
    check_real(got->value, want->value);
    check_real(got->limit, want->limit);
    check_real(got->growth_per_h, want->growth_per_h);
    check_real(got->growth_error_per_h, want->growth_error_per_h);
    check_real(got->chance, want->chance);
    check_real(got->p10_s, want->p10_s);
    check_real(got->p50_s, want->p50_s);
    check_real(got->p90_s, want->p90_s);
    check_real(got->saved_life_s, want->saved_life_s);
}

static inline void check_alert(const struct oc_alert *got, const struct oc_alert *want)
{
    ck_assert_uint_eq(got->fingerprint, want->fingerprint);
    ck_assert_uint_eq(got->episode, want->episode);
    ck_assert_str_eq(got->rule, want->rule);
    ck_assert_str_eq(got->subject, want->subject);
    ck_assert_str_eq(got->why, want->why);
    ck_assert_uint_eq(got->kind, want->kind);
    ck_assert_uint_eq(got->severity, want->severity);
    ck_assert_uint_eq(got->state, want->state);
    ck_assert_uint_eq(got->mutes, want->mutes);
    ck_assert_uint_eq(got->was_told, want->was_told);
    ck_assert_uint_eq(got->not_durable, want->not_durable);
    ck_assert_uint_eq(got->source_kind, want->source_kind);
    ck_assert_uint_eq(got->flaps, want->flaps);
    ck_assert_int_eq(got->pending_unix_ms, want->pending_unix_ms);
    ck_assert_int_eq(got->firing_unix_ms, want->firing_unix_ms);
    ck_assert_int_eq(got->ended_unix_ms, want->ended_unix_ms);
    ck_assert_int_eq(got->changed_unix_ms, want->changed_unix_ms);
    ck_assert_int_eq(got->acked_unix_ms, want->acked_unix_ms);
    ck_assert_uint_eq(got->source, want->source);
    ck_assert_uint_eq(got->pid, want->pid);
    check_real(got->value, want->value);
    check_real(got->bound, want->bound);
    check_real(got->chance, want->chance);
    ck_assert_uint_eq(got->about.limit.kind, want->about.limit.kind);
    ck_assert_uint_eq(got->about.limit.metric, want->about.limit.metric);
    ck_assert_uint_eq(got->about.limit.value, want->about.limit.value);
    ck_assert_str_eq(got->about.limit.where, want->about.limit.where);
    check_forecast(&got->about.forecast, &want->about.forecast);
}

static inline struct oc_alert_decision made_decision(uint64_t episode, unsigned from, unsigned to,
                                                     const char *reason)
{
    return (struct oc_alert_decision){ .t_unix_ms = WALK_UNIX_MS + (int64_t)episode * 1000,
                                       .episode = episode,
                                       .fingerprint = episode,
                                       .from = (uint8_t)from,
                                       .to = (uint8_t)to,
                                       .rule = "MemoryLimitForecast",
                                       .subject = "proc:leak-1",
                                       .reason = reason };
}

static inline struct oc_outbox_row made_outbox(unsigned n, unsigned state, const char *body)
{
    struct oc_outbox_row row = { .group = UINT64_MAX - 3,
                                 .state = (uint8_t)state,
                                 .severity = OC_SEVERITY_WARN,
                                 .attempts = n,
                                 .made_unix_ms = WALK_UNIX_MS + n,
                                 .next_unix_ms = WALK_UNIX_MS + n + 10,
                                 .why = "",
                                 .body = body,
                                 .body_bytes = body ? strlen(body) : 0 };

    (void)snprintf(row.id, sizeof row.id, "msg_%016u", n);
    (void)snprintf(row.receiver, sizeof row.receiver, "ops");
    if (state >= OC_OUTBOX_SENT)
        row.done_unix_ms = WALK_UNIX_MS + n + 20;
    return row;
}

static inline struct oc_silence made_silence(uint64_t id, int64_t end_unix_ms)
{
    struct oc_silence silence = { .id = id,
                                  .begin_unix_ms = WALK_UNIX_MS,
                                  .end_unix_ms = end_unix_ms,
                                  .author = "ann",
                                  .comment = "a \"known\" leak; it's <b>",
                                  .matcher_count = 2 };

    silence.matchers[0] = (struct oc_silence_matcher){ "subject", "proc:leak-*", 0 };
    silence.matchers[1] = (struct oc_silence_matcher){ "severity", "critical", 1 };
    return silence;
}

/* What a loader or reader gave. */
struct got_alerts {
    struct oc_alert items[64];
    int count, most;
};

static inline int take_alert(const struct oc_alert *alert, void *context)
{
    struct got_alerts *got = context;

    ck_assert_int_lt(got->count, 64);
    got->items[got->count++] = *alert;
    return got->most && got->count == got->most;
}

struct got_outbox {
    struct oc_outbox_row items[64];
    char bodies[64][64], whys[64][64];
    int count;
};

static inline int take_outbox(const struct oc_outbox_row *row, void *context)
{
    struct got_outbox *got = context;

    ck_assert_int_lt(got->count, 64);
    got->items[got->count] = *row;
    (void)snprintf(got->whys[got->count], 64, "%s", row->why);
    (void)snprintf(got->bodies[got->count], 64, "%s", row->body ? row->body : "(none)");
    got->count++;
    return 0;
}

struct got_silences {
    struct oc_silence items[16];
    int count;
};

static inline int take_silence(const struct oc_silence *silence, void *context)
{
    struct got_silences *got = context;

    ck_assert_int_lt(got->count, 16);
    got->items[got->count++] = *silence;
    return 0;
}

/* Decisions as lines of "episode before>after reason". */
static inline int take_decision(const struct oc_alert_decision *decision, void *context)
{
    size_t used = strlen(context);

    (void)snprintf((char *)context + used, 1024 - used, "%d %d>%d %s\n", (int)decision->episode,
                   decision->from, decision->to, decision->reason);
    return 0;
}

#endif
