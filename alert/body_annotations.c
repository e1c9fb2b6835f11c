/* Labels and annotations of an alert, as pairs. */
#include "alert/body_impl.h"

#include "base/ahead.h"
#include "base/limit.h"

#include <inttypes.h>
#include <string.h>

/* ---- labels ---- */

void oc_body_each_label(const struct oc_notice *notice, const struct oc_notice_alert *alert,
                        oc_body_pair_fn *fn, void *context)
{
    const char *made[] = { "alertname", alert->alert.rule,
                           "instance",  notice ? notice->instance : "",
                           "severity",  oc_severity_name(alert->alert.severity),
                           "subject",   alert->alert.subject };

    if (alert->labels) {
        for (size_t i = 0; alert->labels[i] && alert->labels[i + 1]; i += 2) {
            if (fn(alert->labels[i], alert->labels[i + 1], context))
                return;
        }
        return;
    }
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i += 2) {
        if (made[i + 1][0] && fn(made[i], made[i + 1], context))
            return;
    }
}

const char *oc_body_label(const struct oc_notice_alert *alert, const char *key)
{
    for (size_t i = 0; alert->labels && alert->labels[i] && alert->labels[i + 1]; i += 2) {
        if (strcmp(alert->labels[i], key) == 0)
            return alert->labels[i + 1];
    }
    return "";
}

/* ---- annotations ---- */

static void put_pair(struct oc_buf *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    oc_buf_add(out, name, strlen(name) + 1);
    oc_buf_add(out, value, strlen(value) + 1);
}

/* A pair whose value a function writes to a scratch. */
struct scratch {
    struct oc_buf *out, text;
};

static void put_scratch(struct scratch *s, const char *name)
{
    if (s->text.err)
        s->out->err = s->text.err;
    put_pair(s->out, name, s->text.data);
    oc_buf_reset(&s->text);
    if (s->text.data)
        s->text.data[0] = '\0';
}

static void put_figures(struct scratch *s, const struct oc_alert *alert)
{
    const struct oc_forecast *forecast = &alert->about.forecast;
    const struct oc_limit_row *row = oc_limit_row(alert->about.limit.kind);

    oc_body_limit(alert, &s->text);
    put_scratch(s, "limit");
    put_pair(s->out, "limit_kind", row ? row->name : NULL);
    if (oc_ahead_is_known(oc_body_value(alert)))
        oc_body_quantity(alert, oc_body_value(alert), &s->text);
    put_scratch(s, "value");
    if (oc_ahead_is_known(oc_body_bound(alert)))
        oc_body_quantity(alert, oc_body_bound(alert), &s->text);
    put_scratch(s, "bound");
    if (forecast->metric && forecast->t_ms > 0 && oc_ahead_is_known(forecast->growth_per_h))
        oc_body_quantity(alert, forecast->growth_per_h, &s->text);
    put_scratch(s, "growth_per_hour");
    if (oc_ahead_is_known(alert->chance) && alert->kind == OC_RULE_FORECAST)
        oc_buf_printf(&s->text, "%.2f", alert->chance);
    put_scratch(s, "chance");
}

static void put_quantile(struct scratch *s, const char *name, double seconds)
{
    char text[32];

    if (oc_ahead_is_known(seconds))
        oc_buf_puts(&s->text, oc_ahead_time(seconds, text, sizeof(text)));
    put_scratch(s, name);
}

static void put_course(struct scratch *s, const struct oc_alert *alert)
{
    const struct oc_forecast *forecast = &alert->about.forecast;

    if (!forecast->metric || forecast->t_ms <= 0)
        return;
    if (alert->about.limit.kind && oc_body_is_firing(alert)) {
        put_quantile(s, "p10", forecast->p10_s);
        put_quantile(s, "p50", forecast->p50_s);
        put_quantile(s, "p90", forecast->p90_s);
        if (oc_ahead_is_known(forecast->p50_s) && forecast->p50_s < 3e9 && forecast->t_ms > 0)
            oc_alert_time(forecast->t_ms + (int64_t)(forecast->p50_s * 1000), &s->text);
        put_scratch(s, "expected_at");
    }
    if (forecast->since_ms > 0)
        oc_alert_time(forecast->since_ms, &s->text);
    put_scratch(s, "since");
}

void oc_alert_annotations(const struct oc_notice_alert *alert, struct oc_buf *out)
{
    struct scratch s = { .out = out };

    oc_buf_init(&s.text, 8192);
    oc_alert_headline(&alert->alert, &s.text);
    put_scratch(&s, "summary");
    if (alert->alert.state == OC_ALERT_RESOLVED && alert->alert.why[0])
        oc_buf_puts(&s.text, "it was: ");
    oc_body_line(&s.text, alert->alert.why, OC_ALERT_WHY_BYTES);
    put_scratch(&s, "description");
    if (!oc_body_is_firing(&alert->alert))
        put_pair(out, "outcome", oc_body_outcome(&alert->alert));
    if (alert->alert.pid > 0)
        oc_buf_printf(&s.text, "%" PRIu32, alert->alert.pid);
    put_scratch(&s, "pid");
    put_figures(&s, &alert->alert);
    put_course(&s, &alert->alert);
    oc_body_lines(&s.text, alert->explanation ? alert->explanation : "", OC_NOTICE_EXPLAIN_BYTES);
    put_scratch(&s, "explanation");
    oc_body_lines(&s.text, alert->next ? alert->next : "", OC_NOTICE_EXPLAIN_BYTES);
    put_scratch(&s, "next");
    oc_body_line(&s.text, alert->runbook_url ? alert->runbook_url : "", 512);
    put_scratch(&s, "runbook_url");
    if (alert->alert.not_durable)
        put_pair(out, "not_durable", "true");
    oc_buf_clear(&s.text);
}
