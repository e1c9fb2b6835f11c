#include "alerts_made.h"

#include "outlook_fixture.h"

#include "base/alert.h"
#include "base/limit.h"
#include "storage/store.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HOUR OUTLOOK_HOUR
#define MINUTE OUTLOOK_MINUTE

static oc_store *store;
static int64_t now_ms;
static uint64_t episodes;

static struct oc_alert made(const char *rule, const char *subject, unsigned severity,
                            unsigned state)
{
    const uint64_t episode = ++episodes;
    struct oc_alert alert = { .fingerprint = 0xa0 + episode,
                              .episode = episode,
                              .kind = OC_RULE_FORECAST,
                              .severity = (uint8_t)severity,
                              .state = (uint8_t)state,
                              .source_kind = OC_SOURCE_PROCESS,
                              .pending_unix_ms = now_ms - 20 * MINUTE,
                              .changed_unix_ms = now_ms - 10 * MINUTE,
                              .value = NAN,
                              .bound = NAN,
                              .chance = NAN };

    (void)snprintf(alert.rule, sizeof(alert.rule), "%s", rule);
    (void)snprintf(alert.subject, sizeof(alert.subject), "%s", subject);
    if (state != OC_ALERT_PENDING)
        alert.firing_unix_ms = now_ms - 10 * MINUTE;
    alert.was_told = state != OC_ALERT_PENDING;
    return alert;
}

/* Towards a limit, in minutes from now on. */
static void towards(struct oc_alert *alert, enum oc_limit_kind kind, const char *where, double p10,
                    double p50, double p90)
{
    alert->about.limit.kind = (uint8_t)kind;
    alert->about.limit.metric = oc_limit_row(kind)->metric;
    (void)snprintf(alert->about.limit.where, sizeof(alert->about.limit.where), "%s", where);
    alert->about.forecast = (struct oc_forecast){ .state = OC_FORECAST_LEAKING,
                                                  .metric = oc_limit_row(kind)->metric,
                                                  .t_ms = now_ms - 10 * MINUTE,
                                                  .since_ms = now_ms - HOUR,
                                                  .samples = 100,
                                                  .value = 7e8,
                                                  .limit = 1e9,
                                                  .growth_per_h = 1e8,
                                                  .growth_error_per_h = 1e6,
                                                  .chance = 0.9,
                                                  .p10_s = (p10 + 10) * 60,
                                                  .p50_s = (p50 + 10) * 60,
                                                  .p90_s = (p90 + 10) * 60,
                                                  .saved_life_s = NAN };
    alert->value = alert->chance = 0.93;
    alert->bound = 0.5;
}

static void put(struct oc_alert *alert, const char *why)
{
    (void)snprintf(alert->why, sizeof(alert->why), "%s", why);
    ck_assert_int_eq(oc_store_alert(store, alert), 0);
}

static void decide(const struct oc_alert *alert, unsigned from, unsigned to, int64_t ago_ms,
                   const char *reason)
{
    struct oc_alert_decision decision = { .t_unix_ms = now_ms - ago_ms,
                                          .episode = alert->episode,
                                          .fingerprint = alert->fingerprint,
                                          .from = (uint8_t)from,
                                          .to = (uint8_t)to,
                                          .mutes = alert->mutes,
                                          .rule = alert->rule,
                                          .subject = alert->subject,
                                          .reason = reason };

    ck_assert_int_eq(oc_store_alert_decision(store, &decision), 0);
}

static void put_living(void)
{
    struct oc_alert alert =
        made("MemoryLimitForecast", ALERTS_MADE_SHOP, OC_SEVERITY_CRITICAL, OC_ALERT_FIRING);

    alert.source_kind = OC_SOURCE_CGROUP;
    towards(&alert, OC_LIMIT_CGROUP_MAX, "/system.slice/shop.service", 130, 180, 240);
    put(&alert, "memory charge will meet memory.max in 3 h");
    decide(&alert, OC_ALERT_INACTIVE, OC_ALERT_PENDING, 20 * MINUTE, "P(limit in 4 h) 0.93 >= 0.5");
    decide(&alert, OC_ALERT_PENDING, OC_ALERT_FIRING, 10 * MINUTE, "held for 2 min");
    alert = made("MemoryLimitForecast", "pool:web", OC_SEVERITY_WARN, OC_ALERT_FIRING);
    alert.mutes = OC_ALERT_ACKED;
    alert.acked_unix_ms = now_ms - MINUTE;
    towards(&alert, OC_LIMIT_USER, "", 30, 60, 120);
    put(&alert, "private bytes will meet a limit of the config in 60 min");
    decide(&alert, OC_ALERT_PENDING, OC_ALERT_FIRING, 9 * MINUTE, "held for 2 min");
    alert = made("MemoryExhausted", "proc:full", OC_SEVERITY_CRITICAL, OC_ALERT_FIRING);
    alert.kind = OC_RULE_EXHAUSTED;
    alert.mutes = OC_ALERT_SILENCED;
    put(&alert, "RLIMIT_NOFILE is met");
    decide(&alert, OC_ALERT_FIRING, OC_ALERT_FIRING, 8 * MINUTE, "silence 1 of ann: deploy");
    alert = made("MemoryLimitForecast", "proc:warm", OC_SEVERITY_WARN, OC_ALERT_PENDING);
    put(&alert, "not yet");
    alert = made("NoMemoryLimit", OUTLOOK_EVIL, OC_SEVERITY_WARN, OC_ALERT_FIRING);
    alert.kind = OC_RULE_NO_LIMIT;
    put(&alert, "it | leaks\033[2J");
    decide(&alert, OC_ALERT_INACTIVE, OC_ALERT_FIRING, 7 * MINUTE, "leaks\nand nothing ends it");
}

static void put_past(void)
{
    struct oc_alert alert =
        made("MemoryLimitForecast", "proc:dead", OC_SEVERITY_CRITICAL, OC_ALERT_DIED);

    alert.pending_unix_ms = now_ms - 3 * HOUR;
    alert.firing_unix_ms = now_ms - 2 * HOUR;
    alert.ended_unix_ms = alert.changed_unix_ms = now_ms - HOUR;
    put(&alert, "killed: out of memory");
    decide(&alert, OC_ALERT_FIRING, OC_ALERT_DIED, HOUR, "killed: out of memory");
    alert = made("MemoryLimitForecast", "proc:flat", OC_SEVERITY_WARN, OC_ALERT_RESOLVED);
    alert.pending_unix_ms = now_ms - 4 * HOUR;
    alert.firing_unix_ms = now_ms - 3 * HOUR;
    alert.ended_unix_ms = alert.changed_unix_ms = now_ms - 2 * HOUR;
    put(&alert, "grows no more");
    decide(&alert, OC_ALERT_FIRING, OC_ALERT_RESOLVED, 2 * HOUR, "grows no more");
}

static void put_row(const char *id, const char *receiver, enum oc_outbox_state state, int status,
                    const char *why)
{
    struct oc_outbox_row row = { .group = 0xbeef,
                                 .state = (uint8_t)state,
                                 .severity = OC_SEVERITY_CRITICAL,
                                 .attempts = state == OC_OUTBOX_SENT ? 1 : 3,
                                 .made_unix_ms = now_ms - 9 * MINUTE,
                                 .next_unix_ms = now_ms + MINUTE,
                                 .status = status,
                                 .why = why,
                                 .body = "{}",
                                 .body_bytes = 2 };

    (void)snprintf(row.id, sizeof(row.id), "%s", id);
    (void)snprintf(row.receiver, sizeof(row.receiver), "%s", receiver);
    if (state == OC_OUTBOX_SENT)
        row.done_unix_ms = now_ms - 8 * MINUTE;
    ck_assert_int_eq(oc_store_outbox(store, &row), 0);
}

static void put_silence(uint64_t id, const char *glob, int64_t begin_ms, int64_t end_ms)
{
    struct oc_silence silence = {
        .id = id,
        .begin_unix_ms = begin_ms,
        .end_unix_ms = end_ms,
        .author = "ann",
        .comment = "deploy",
        .matcher_count = 2,
        .matchers = { { .name = "subject" },
                      { .name = "severity", .glob = "warning", .is_negative = 1 } }
    };

    (void)snprintf(silence.matchers[0].glob, sizeof(silence.matchers[0].glob), "%s", glob);
    ck_assert_int_eq(oc_store_silence(store, &silence), 0);
}

void alerts_made_add(const char *folder, int64_t now_unix_ms)
{
    char path[200];
    struct oc_store_options options = { .path = path, .boot_id = "boot" };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    now_ms = now_unix_ms;
    episodes = 0;
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", folder);
    options.now_boot_ms = 6 * HOUR;
    options.now_unix_ms = now_unix_ms;
    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == 0, "%s", detail.text);
    put_living();
    put_past();
    put_row("msg_1", "ops", OC_OUTBOX_SENT, 200, "");
    put_row("msg_2", "ops", OC_OUTBOX_WAITING, 503, "Service Unavailable");
    put_row("msg_3", "mail", OC_OUTBOX_PARKED, 550, "no such user");
    put_silence(1, "proc:full", now_ms - HOUR, now_ms + 2 * HOUR);
    put_silence(2, "unit:*", now_ms - 5 * HOUR, now_ms - 4 * HOUR);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 6 * HOUR), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    store = NULL;
}
