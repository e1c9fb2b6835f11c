/* A notice in lines of text, and as fields for the journal and for hooks. */
#include "alert/body_impl.h"

#include "base/ahead.h"
#include "base/limit.h"
#include "base/metric.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64
#define TEST_TEXT "This is a test of the receiver: nothing is wrong.\n\n"

static void put_counts(const struct oc_notice *notice, struct oc_buf *out)
{
    if (notice->kind == OC_NOTICE_TEST)
        oc_buf_puts(out, TEST_TEXT);
    if (notice->kind == OC_NOTICE_DIGEST)
        oc_buf_puts(out, "A digest: there was more than this receiver is told in an hour.\n");
    if (notice->firing + notice->ended > 1)
        oc_buf_printf(out, "%" PRIu32 " fire, %" PRIu32 " ended.\n\n", notice->firing,
                      notice->ended);
}

void oc_body_text(const struct oc_notice *notice, int64_t now_unix_ms, size_t full,
                  struct oc_buf *out)
{
    size_t before = 0;

    put_counts(notice, out);
    for (size_t i = 0; i < notice->count; i++) {
        if (i > 0 && i <= full)
            oc_buf_putc(out, '\n');
        oc_body_alert_text(&notice->alerts[i], now_unix_ms, i < full, out);
    }
    oc_buf_putc(out, '\n');
    before = out->len_bytes;
    oc_body_remainder(notice, notice->count, out);
    if (out->len_bytes > before)
        oc_buf_puts(out, ".\n");
}

/* ---- fields ---- */

static void put_field(struct oc_body *out, const char *prefix, const char *name, const char *value)
{
    char whole[NAME_BYTES];

    (void)snprintf(whole, sizeof(whole), "%s%s", prefix, name);
    oc_body_field(out, whole, value);
}

static void put_number(struct oc_body *out, const char *prefix, const char *name, double value,
                       int digits)
{
    char text[40];

    if (!oc_ahead_is_known(value))
        return;
    (void)snprintf(text, sizeof(text), "%.*f", digits, value);
    put_field(out, prefix, name, text);
}

static void put_summary(struct oc_body *out, const char *prefix, const struct oc_alert *alert)
{
    struct oc_buf text;

    oc_buf_init(&text, 4096);
    oc_alert_headline(alert, &text);
    if (text.err)
        out->fields.err = text.err;
    put_field(out, prefix, "SUMMARY", text.data);
    oc_buf_clear(&text);
}

static void put_about(struct oc_body *out, const char *prefix, const struct oc_alert *alert)
{
    const struct oc_forecast *forecast = &alert->about.forecast;
    const struct oc_limit_row *limit = oc_limit_row(alert->about.limit.kind);
    const struct oc_metric_row *metric = oc_metric_by_number(forecast->metric);

    put_field(out, prefix, "METRIC", metric ? metric->name : NULL);
    put_number(out, prefix, "VALUE", oc_body_value(alert), 0);
    put_number(out, prefix, "BOUND", oc_body_bound(alert), 0);
    put_field(out, prefix, "LIMIT", limit ? limit->name : NULL);
    if (limit)
        put_field(out, prefix, "LIMIT_OF", alert->about.limit.where);
    if (!metric || forecast->t_ms <= 0)
        return;
    put_number(out, prefix, "GROWTH_PER_HOUR", forecast->growth_per_h, 0);
    if (!limit || !oc_body_is_firing(alert))
        return;
    put_number(out, prefix, "P10_SECONDS", forecast->p10_s, 0);
    put_number(out, prefix, "P50_SECONDS", forecast->p50_s, 0);
    put_number(out, prefix, "P90_SECONDS", forecast->p90_s, 0);
    if (alert->kind == OC_RULE_FORECAST)
        put_number(out, prefix, "CHANCE", alert->chance, 3);
}

void oc_body_alert_fields(const struct oc_notice *notice, const char *prefix, struct oc_body *out)
{
    const struct oc_alert *alert = NULL;
    char text[40];

    put_field(out, prefix, "ID", notice->id);
    put_field(out, prefix, "INSTANCE", notice->instance);
    (void)snprintf(text, sizeof(text), "%" PRIu32, notice->firing + notice->ended);
    put_field(out, prefix, "COUNT", text);
    if (notice->kind == OC_NOTICE_TEST)
        put_field(out, prefix, "TEST", "1");
    if (notice->count == 0)
        return;
    alert = &notice->alerts[0].alert;
    put_field(out, prefix, "SUBJECT", alert->subject);
    put_field(out, prefix, "RULE", alert->rule);
    put_field(out, prefix, "KIND", oc_rule_kind_name(alert->kind));
    put_field(out, prefix, "SEVERITY", oc_severity_name(alert->severity));
    put_field(out, prefix, "STATUS", oc_body_outcome(alert));
    (void)snprintf(text, sizeof(text), "%016" PRIx64, alert->fingerprint);
    put_field(out, prefix, "FINGERPRINT", text);
    if (alert->pid > 0)
        put_number(out, prefix, "PID", alert->pid, 0);
    put_about(out, prefix, alert);
    put_summary(out, prefix, alert);
    put_field(out, prefix, "RUNBOOK_URL", notice->alerts[0].runbook_url);
}

/* ---- journal and hooks ---- */

static const char *priority_of(const struct oc_notice *notice)
{
    if (notice->kind == OC_NOTICE_TEST)
        return "6"; /* info */
    if (!notice->is_firing)
        return "5"; /* notice */
    return notice->severity == OC_SEVERITY_CRITICAL ? "2" : "4";
}

int oc_body_journal(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    oc_body_title(notice, &out->text);
    oc_buf_puts(&out->text, "\n\n");
    oc_body_text(notice, now_unix_ms, notice->count > 5 ? 5 : notice->count, &out->text);
    oc_body_field(out, "PRIORITY", priority_of(notice));
    oc_body_field(out, "MESSAGE_ID", "6f1d0c5b8f7a4f0f9d0e3a4f0b5c7d21"); /* of oomcast's alerts */
    oc_body_alert_fields(notice, "OOMCAST_", out);
    return OC_OK;
}

int oc_body_hook(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    int rc = oc_body_webhook(notice, now_unix_ms, out);

    if (rc == OC_OK)
        oc_body_alert_fields(notice, "OOMCAST_", out);
    return rc;
}
