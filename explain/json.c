/* An explanation for machines. Keys are stable; what is unknown is absent. */
#include "explain/json.h"
#include "explain/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ---- */

void oc_explain_json_open(struct oc_explain_json *json, char bracket)
{
    oc_buf_putc(json->out, bracket);
    json->has_before = 0;
}

void oc_explain_json_close(struct oc_explain_json *json, char bracket)
{
    oc_buf_putc(json->out, bracket);
    json->has_before = 1;
}

void oc_explain_json_item(struct oc_explain_json *json)
{
    if (json->has_before)
        oc_buf_putc(json->out, ',');
    json->has_before = 1;
}

void oc_explain_json_key(struct oc_explain_json *json, const char *key)
{
    oc_explain_json_item(json);
    oc_buf_json_string(json->out, key);
    oc_buf_putc(json->out, ':');
}

void oc_explain_json_text(struct oc_explain_json *json, const char *key, const char *value)
{
    if (!value[0])
        return;
    oc_explain_json_key(json, key);
    oc_buf_json_string(json->out, value);
}

void oc_explain_json_integer(struct oc_explain_json *json, const char *key, int64_t value)
{
    oc_explain_json_key(json, key);
    oc_buf_printf(json->out, "%" PRId64, value);
}

void oc_explain_json_number(struct oc_explain_json *json, const char *key, double value)
{
    if (!(fabs(value) <= 1e300))
        return;
    oc_explain_json_key(json, key);
    oc_buf_printf(json->out, "%.6g", value);
}

void oc_explain_json_flag(struct oc_explain_json *json, const char *key, int value)
{
    oc_explain_json_key(json, key);
    oc_buf_puts(json->out, value ? "true" : "false");
}

void oc_explain_json_time(struct oc_explain_json *json, const char *key, int64_t unix_ms)
{
    if (unix_ms > 0 && unix_ms < INT64_MAX)
        oc_explain_json_integer(json, key, unix_ms);
}

void oc_explain_json_forecast(struct oc_explain_json *json, const char *key,
                              const struct oc_forecast_row *row)
{
    const struct oc_limit_row *limit = oc_limit_row(row->limit.kind);
    const struct oc_metric_row *metric = oc_metric_by_number(row->forecast.metric);

    oc_explain_json_key(json, key);
    oc_explain_json_open(json, '{');
    oc_explain_json_text(json, "state", oc_forecast_state_name(row->forecast.state));
    oc_explain_json_text(json, "metric", metric ? metric->name : "");
    if (limit) {
        oc_explain_json_text(json, "limit", limit->name);
        oc_explain_json_text(json, "where", row->limit.where);
        oc_explain_json_integer(json, "limit_value", (int64_t)row->limit.value);
    }
    oc_explain_json_time(json, "time_unix_ms", row->forecast.t_ms);
    oc_explain_json_time(json, "since_unix_ms", row->forecast.since_ms);
    oc_explain_json_number(json, "growth_per_hour", row->forecast.growth_per_h);
    oc_explain_json_number(json, "chance", row->forecast.chance);
    oc_explain_json_number(json, "p10_seconds", row->forecast.p10_s);
    oc_explain_json_number(json, "p50_seconds", row->forecast.p50_s);
    oc_explain_json_number(json, "p90_seconds", row->forecast.p90_s);
    oc_explain_json_close(json, '}');
}

/* ---- the parts ---- */

static const char *share_kind_name(unsigned kind)
{
    static const char *const names[] = {
        [OC_SHARE_USAGE] = "usage",   [OC_SHARE_FAMILY] = "family",
        [OC_SHARE_STACKS] = "stacks", [OC_SHARE_CACHE] = "cache",
        [OC_SHARE_KERNEL] = "kernel", [OC_SHARE_SHMEM] = "shared",
        [OC_SHARE_MEMBER] = "member", [OC_SHARE_UNEXPLAINED] = "unexplained",
    };

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

static void put_shares(struct oc_explain_json *json, const struct oc_explanation *explanation)
{
    oc_explain_json_key(json, "shares");
    oc_explain_json_open(json, '[');
    for (size_t i = 0; i < explanation->share_count; i++) {
        const struct oc_share *share = &explanation->shares[i];

        oc_explain_json_item(json);
        oc_explain_json_open(json, '{');
        oc_explain_json_text(json, "kind", share_kind_name(share->kind));
        oc_explain_json_text(json, "name", share->name);
        oc_explain_json_integer(json, "bytes", share->bytes);
        oc_explain_json_number(json, "part", share->part);
        if (share->count)
            oc_explain_json_integer(json, "count", share->count);
        oc_explain_json_flag(json, "is_estimate", share->is_estimate);
        oc_explain_json_close(json, '}');
    }
    oc_explain_json_close(json, ']');
}

static void put_causes(struct oc_explain_json *json, const struct oc_explanation *explanation)
{
    oc_explain_json_key(json, "causes");
    oc_explain_json_open(json, '[');
    for (size_t i = 0; i < explanation->cause_count; i++) {
        const struct oc_cause *cause = &explanation->causes[i];

        oc_explain_json_item(json);
        oc_explain_json_open(json, '{');
        oc_explain_json_text(json, "cause", oc_cause_name(cause->kind));
        oc_explain_json_text(json, "title", cause->title);
        oc_explain_json_number(json, "confidence", cause->confidence);
        oc_explain_json_text(json, "evidence", cause->evidence);
        oc_explain_json_text(json, "against", cause->against);
        oc_explain_json_text(json, "mend", cause->mend);
        oc_explain_json_close(json, '}');
    }
    oc_explain_json_close(json, ']');
}

static void put_steps(struct oc_explain_json *json, const struct oc_explanation *explanation)
{
    oc_explain_json_key(json, "next");
    oc_explain_json_open(json, '[');
    for (size_t i = 0; i < explanation->step_count; i++) {
        const struct oc_step *step = &explanation->steps[i];

        oc_explain_json_item(json);
        oc_explain_json_open(json, '{');
        oc_explain_json_text(json, "command", step->command);
        oc_explain_json_text(json, "text", step->text);
        oc_explain_json_flag(json, "is_ours", step->is_ours);
        oc_explain_json_flag(json, "stops_it", step->stops_it);
        oc_explain_json_close(json, '}');
    }
    oc_explain_json_close(json, ']');
}

/* {"then": …, "now": …} of what is known. */
static void put_moved(struct oc_explain_json *json, const char *key, const struct oc_moved *moved)
{
    if (!moved->has_then && !moved->has_now)
        return;
    oc_explain_json_key(json, key);
    oc_explain_json_open(json, '{');
    if (moved->has_then)
        oc_explain_json_integer(json, "then", moved->then);
    if (moved->has_now)
        oc_explain_json_integer(json, "now", moved->now);
    oc_explain_json_close(json, '}');
}

static void put_figures(struct oc_explain_json *json, const struct oc_evidence *evidence)
{
    oc_explain_json_key(json, "figures");
    oc_explain_json_open(json, '{');
    for (unsigned number = 0; number < OC_METRIC_MAX; number++) {
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (row)
            put_moved(json, row->name, &evidence->metrics[number]);
    }
    oc_explain_json_close(json, '}');
}

static void put_usages(struct oc_explain_json *json, const char *key, const struct oc_moved *usages)
{
    oc_explain_json_key(json, key);
    oc_explain_json_open(json, '{');
    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++)
        put_moved(json, oc_usage_name(usage), &usages[usage]);
    oc_explain_json_close(json, '}');
}

static void put_families(struct oc_explain_json *json, const struct oc_evidence *evidence)
{
    oc_explain_json_key(json, "families");
    oc_explain_json_open(json, '[');
    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];

        oc_explain_json_item(json);
        oc_explain_json_open(json, '{');
        oc_explain_json_text(json, "kind", oc_family_kind_name(family->kind));
        oc_explain_json_text(json, "name", family->name);
        oc_explain_json_text(json, "example", family->example);
        put_moved(json, "count", &family->count);
        put_moved(json, "bytes", &family->bytes);
        oc_explain_json_close(json, '}');
    }
    oc_explain_json_close(json, ']');
}

static void put_limits(struct oc_explain_json *json, const struct oc_evidence *evidence)
{
    oc_explain_json_key(json, "limits");
    oc_explain_json_open(json, '[');
    for (size_t i = 0; i < evidence->limit_count; i++) {
        const struct oc_limit *limit = &evidence->limits[i];
        const struct oc_limit_row *row = oc_limit_row(limit->kind);

        if (!row)
            continue;
        oc_explain_json_item(json);
        oc_explain_json_open(json, '{');
        oc_explain_json_text(json, "limit", row->name);
        oc_explain_json_text(json, "where", limit->where);
        oc_explain_json_integer(json, "value", (int64_t)limit->value);
        if (limit->has_use)
            oc_explain_json_integer(json, "use", (int64_t)limit->use);
        oc_explain_json_close(json, '}');
    }
    oc_explain_json_close(json, ']');
}

static const char *confidence_name(unsigned evidence)
{
    static const char *const names[] = { "none", "thin", "fair", "good" };

    return evidence < sizeof(names) / sizeof(names[0]) ? names[evidence] : "?";
}

static void put_head(struct oc_explain_json *json, const struct oc_evidence *evidence,
                     const struct oc_explanation *explanation)
{
    const struct oc_metric_row *metric = oc_metric_by_number(explanation->metric);

    oc_explain_json_text(json, "subject", explanation->subject);
    if (explanation->pid)
        oc_explain_json_integer(json, "pid", explanation->pid);
    oc_explain_json_text(json, "name", evidence->name);
    oc_explain_json_text(json, "runtime", evidence->runtime);
    oc_explain_json_flag(json, "is_live", evidence->is_live);
    oc_explain_json_flag(json, "is_one_look", evidence->is_one_look);
    oc_explain_json_text(json, "metric", metric ? metric->name : "");
    oc_explain_json_time(json, "since_unix_ms", explanation->since_unix_ms);
    oc_explain_json_time(json, "then_unix_ms", evidence->then_unix_ms);
    oc_explain_json_time(json, "until_unix_ms", explanation->until_unix_ms);
    if (!evidence->is_one_look)
        oc_explain_json_integer(json, "grew", explanation->grew_bytes);
    oc_explain_json_number(json, "growth_per_hour", explanation->growth_per_h);
    oc_explain_json_number(json, "explained_part", explanation->explained_part);
    oc_explain_json_text(json, "evidence", confidence_name(explanation->evidence));
    oc_explain_json_text(json, "thin", explanation->thin);
    oc_explain_json_integer(json, "samples", evidence->samples);
    oc_explain_json_integer(json, "walks", evidence->walks);
}

void oc_explain_json(const struct oc_evidence *evidence, const struct oc_explanation *explanation,
                     struct oc_buf *out)
{
    struct oc_explain_json json = { .out = out };

    oc_explain_json_open(&json, '{');
    put_head(&json, evidence, explanation);
    if (evidence->has_forecast)
        oc_explain_json_forecast(&json, "forecast", &evidence->forecast);
    put_shares(&json, explanation);
    put_causes(&json, explanation);
    put_steps(&json, explanation);
    put_figures(&json, evidence);
    put_usages(&json, "usage_commit_bytes", evidence->usage_commit);
    put_usages(&json, "usage_resident_bytes", evidence->usage_resident);
    put_families(&json, evidence);
    put_limits(&json, evidence);
    oc_explain_json_close(&json, '}');
    oc_buf_putc(out, '\n');
}
