/* A made alert that looks like a real one, for `alerts test`. */
#include "alert/body.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define GIB (UINT64_C(1) << 30)
#define LABELS 8 /* pairs and the end */

static const char explanation[] =
    "private bytes grow by 210 MiB an hour, evenly, since 2 h 10 min ago.\n"
    "  91 %  Heap                 + 415 MiB\n"
    "   6 %  thread stacks        +  27 MiB\n"
    "   3 %  unexplained          +  14 MiB\n"
    "Likely: a native heap that is not given back (fair evidence).\n"
    "This alert is made up: it tests the receiver.";
static const char next[] = "oomcast explain unit:sample.service\n"
                           "oomcast history unit:sample.service --since 6h";

static void fill_alert(struct oc_alert *alert, int64_t now_unix_ms)
{
    struct oc_forecast *forecast = &alert->about.forecast;
    struct oc_limit *limit = &alert->about.limit;

    (void)oc_text_copy(alert->rule, sizeof(alert->rule), "MemoryLimitForecast");
    (void)oc_text_copy(alert->subject, sizeof(alert->subject), "unit:sample.service");
    (void)oc_text_copy(alert->why, sizeof(alert->why),
                       "P(limit in 4 h) 0.93 >= 0.5 for 2 min; a test, nothing is wrong");
    alert->fingerprint = UINT64_C(0x0000000000007e57);
    alert->kind = OC_RULE_FORECAST;
    alert->severity = OC_SEVERITY_WARN;
    alert->state = OC_ALERT_FIRING;
    alert->pending_unix_ms = now_unix_ms - 4 * MINUTE_MS;
    alert->firing_unix_ms = alert->changed_unix_ms = now_unix_ms - 2 * MINUTE_MS;
    alert->pid = 4242;
    alert->value = alert->chance = 0.93;
    alert->bound = 0.5;
    limit->kind = OC_LIMIT_CGROUP_MAX;
    limit->metric = OC_METRIC_CGROUP_CURRENT;
    limit->value = 2 * GIB;
    (void)oc_text_copy(limit->where, sizeof(limit->where), "/system.slice/sample.service");
    forecast->state = OC_FORECAST_LEAKING;
    forecast->metric = OC_METRIC_CGROUP_CURRENT;
    forecast->t_ms = now_unix_ms;
    forecast->since_ms = now_unix_ms - 130 * MINUTE_MS;
    forecast->samples = 780;
    forecast->value = 1.3 * (double)GIB;
    forecast->limit = (double)limit->value;
    forecast->growth_per_h = 210.0 * 1048576;
    forecast->growth_error_per_h = 8.0 * 1048576;
    forecast->chance = 0.96;
    forecast->p10_s = 9600;
    forecast->p50_s = 12000;
    forecast->p90_s = 15000;
    forecast->saved_life_s = (double)NAN;
}

static int fill_labels(struct oc_notice_alert *alert, const char *instance)
{
    const char *const pairs[LABELS] = { "alertname", alert->alert.rule,   "instance",
                                        instance,    "severity",          "warning",
                                        "subject",   alert->alert.subject };

    alert->labels = oc_calloc(LABELS + 1, sizeof(*alert->labels));
    if (!alert->labels)
        return OC_E_NOMEM;
    for (size_t i = 0; i < LABELS; i++) {
        alert->labels[i] = oc_strdup(pairs[i]);
        if (!alert->labels[i])
            return OC_E_NOMEM;
    }
    return OC_OK;
}

static int fill(struct oc_notice *notice, int64_t now_unix_ms)
{
    struct oc_notice_alert *alert = oc_calloc(1, sizeof(*alert));

    if (!alert)
        return OC_E_NOMEM;
    notice->alerts = alert;
    notice->count = 1;
    fill_alert(&alert->alert, now_unix_ms);
    alert->explanation = oc_strdup(explanation);
    alert->next = oc_strdup(next);
    if (!alert->explanation || !alert->next)
        return OC_E_NOMEM;
    return fill_labels(alert, notice->instance);
}

int oc_notice_sample(const char *instance, const char *receiver, int64_t now_unix_ms,
                     struct oc_notice *out_notice)
{
    struct oc_notice notice = { .kind = OC_NOTICE_TEST, .severity = OC_SEVERITY_WARN };

    notice.is_firing = 1;
    notice.firing = 1;
    notice.made_unix_ms = now_unix_ms;
    (void)snprintf(notice.id, sizeof(notice.id), "test-%" PRId64, now_unix_ms);
    (void)oc_text_copy(notice.receiver, sizeof(notice.receiver), receiver);
    (void)oc_text_copy(notice.instance, sizeof(notice.instance), instance);
    (void)oc_text_copy(notice.group_key, sizeof(notice.group_key), "{}/{test=\"oomcast\"}");
    if (fill(&notice, now_unix_ms) < 0) {
        oc_notice_clear(&notice);
        return OC_E_NOMEM;
    }
    *out_notice = notice;
    return OC_OK;
}
