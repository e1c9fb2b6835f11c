/* What alerts say of themselves: one sentence each, and the reasons of decisions. */
#include "alert/engine.h"

#include "base/ahead.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CLEAR_FACTOR 1.5 /* of the horizon */
#define HOUR_MS 3.6e6
#define COUNTS_MAX 9e15 /* beyond it a double is no count */

/* ---- figures ---- */

/* "private bytes" of "private_bytes". */
static const char *metric_words(unsigned metric, char *out, size_t out_bytes)
{
    const struct oc_metric_row *row = oc_metric_by_number(metric);

    (void)oc_text_copy(out, out_bytes, row ? row->name : "memory");
    for (char *at = out; *at; at++) {
        if (*at == '_')
            *at = ' ';
    }
    return out;
}

void oc_words_value(unsigned metric, double value, char *out, size_t out_bytes)
{
    const struct oc_metric_row *row = oc_metric_by_number(metric);

    if (!(value > -COUNTS_MAX && value < COUNTS_MAX))
        (void)snprintf(out, out_bytes, "-");
    else if (!row || row->unit == OC_UNIT_BYTES)
        (void)oc_text_bytes((int64_t)value, out, out_bytes);
    else if (row->unit == OC_UNIT_MS)
        (void)oc_text_ms((int64_t)value, out, out_bytes);
    else if (row->unit == OC_UNIT_US)
        (void)oc_text_ms((int64_t)(value / 1000), out, out_bytes);
    else
        (void)snprintf(out, out_bytes, "%" PRId64, (int64_t)value);
}

/* "memory.max of /system.slice/shop.service", "RLIMIT_AS". */
static const char *limit_words(const struct oc_limit *limit, char *out, size_t out_bytes)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    (void)snprintf(out, out_bytes, "%s%s%s",
                   limit->kind == OC_LIMIT_USER ? "the limit set in the config"
                   : row                        ? row->name
                                                : "its limit",
                   limit->where[0] ? " of " : "", limit->where);
    return out;
}

/* ---- sentences ---- */

struct words {
    char metric[64], limit[OC_LIMIT_WHERE_BYTES + 64], value[32], bound[32], ahead[128];
};

static void fill_words(const struct oc_rule *rule, const struct oc_alert *alert,
                       struct words *words)
{
    const struct oc_forecast *forecast = &alert->about.forecast;
    unsigned metric = rule->metric ? rule->metric : forecast->metric;

    (void)metric_words(metric, words->metric, sizeof(words->metric));
    (void)limit_words(&alert->about.limit, words->limit, sizeof(words->limit));
    oc_words_value(metric, alert->value, words->value, sizeof(words->value));
    oc_words_value(metric, alert->bound, words->bound, sizeof(words->bound));
    (void)oc_ahead_all(forecast->p10_s, forecast->p50_s, forecast->p90_s, words->ahead,
                       sizeof(words->ahead));
}

/* "; before that it is restarted by plan, 2026-11-24 03:00"; "". */
static const char *note_words(const struct oc_verdict *verdict, char *out, size_t out_bytes)
{
    struct oc_civil civil;

    out[0] = '\0';
    switch (verdict->note) {
    case OC_NOTE_BEFORE_RECYCLE:
        (void)oc_text_copy(out, out_bytes, "; that is before IIS recycles it for its memory");
        break;
    case OC_NOTE_AFTER_RECYCLE:
        (void)oc_text_copy(out, out_bytes, "; before that IIS recycles it for its memory");
        break;
    case OC_NOTE_PLANNED:
        oc_civil_from_unix_ms(verdict->planned_ms, &civil);
        (void)snprintf(out, out_bytes,
                       "; before that it is restarted by plan, %04d-%02d-%02d %02d:%02d",
                       civil.year, civil.month, civil.day, civil.hour, civil.minute);
        break;
    default:
        break;
    }
    return out;
}

static void say_forecast(const struct oc_alert *alert, const struct oc_verdict *verdict,
                         const struct words *words, char *out, size_t out_bytes)
{
    const struct oc_limit_row *row = oc_limit_row(alert->about.limit.kind);
    int is_recycled = row && row->effect == OC_EFFECT_RECYCLED;
    char note[128];

    (void)note_words(verdict, note, sizeof(note));
    if (alert->about.forecast.state == OC_FORECAST_EXHAUSTED)
        (void)snprintf(out, out_bytes, "%s%s has met %s", is_recycled ? "will be recycled: " : "",
                       words->metric, words->limit);
    else
        (void)snprintf(
            out, out_bytes, "%s%s will meet %s in %s%s%s", is_recycled ? "will be recycled: " : "",
            words->metric, words->limit, words->ahead, note,
            alert->about.forecast.state == OC_FORECAST_SAVED ? "; restarts have always come first"
                                                             : "");
}

void oc_words_why(const struct oc_rule *rule, const struct oc_verdict *verdict,
                  struct oc_alert *alert)
{
    struct words words;
    char text[OC_ENGINE_TEXT_BYTES + 128] = "";

    fill_words(rule, alert, &words);
    switch (rule->kind) {
    case OC_RULE_FORECAST:
        say_forecast(alert, verdict, &words, text, sizeof(text));
        break;
    case OC_RULE_THRESHOLD:
        (void)snprintf(text, sizeof(text), "%s is %s, %s %s", words.metric, words.value,
                       rule->is_below ? "not above" : "not below", words.bound);
        break;
    case OC_RULE_GROWTH:
        (void)snprintf(text, sizeof(text), "%s grows by %s an hour", words.metric, words.value);
        break;
    case OC_RULE_EXHAUSTED:
        (void)snprintf(text, sizeof(text), "%s is used up: requests fail though the process lives",
                       words.limit);
        break;
    case OC_RULE_NO_LIMIT:
        (void)snprintf(text, sizeof(text),
                       "%s leaks, and nothing but the host's memory will stop it%s", words.metric,
                       note_words(verdict, words.ahead, sizeof(words.ahead)));
        break;
    default:
        (void)snprintf(text, sizeof(text), "%s", oc_rule_kind_name(rule->kind));
        break;
    }
    oc_text_copy_utf8(alert->why, sizeof(alert->why), text, strlen(text));
}

/* ---- reasons ---- */

/* "24 h", as a rule is written. */
static const char *horizon_words(double horizon_ms, char *out, size_t out_bytes)
{
    if (horizon_ms >= HOUR_MS && horizon_ms <= 100 * HOUR_MS)
        (void)snprintf(out, out_bytes, "%.4g h", horizon_ms / HOUR_MS);
    else
        (void)oc_ahead_time(horizon_ms / 1000, out, out_bytes);
    return out;
}

static void say_chance(double horizon_ms, double chance, const char *sign, double bound, char *out,
                       size_t out_bytes)
{
    char span[32];

    (void)snprintf(out, out_bytes, "P(limit in %s) %.2f %s %.2f",
                   horizon_words(horizon_ms, span, sizeof(span)), chance, sign, bound);
}

void oc_words_condition(const struct oc_rule *rule, const struct oc_alert *alert, char *out,
                        size_t out_bytes)
{
    char metric[64], value[32], bound[32];

    oc_words_value(rule->metric, alert->value, value, sizeof(value));
    oc_words_value(rule->metric, alert->bound, bound, sizeof(bound));
    (void)metric_words(rule->metric, metric, sizeof(metric));
    if (rule->kind == OC_RULE_FORECAST)
        say_chance((double)rule->horizon_ms, alert->chance, ">=", rule->chance, out, out_bytes);
    else if (rule->kind == OC_RULE_THRESHOLD)
        (void)snprintf(out, out_bytes, "%s %s %s %s", metric, value,
                       rule->is_below ? "<=" : ">=", bound);
    else if (rule->kind == OC_RULE_GROWTH)
        (void)snprintf(out, out_bytes, "%s an hour >= %s", value, bound);
    else
        (void)snprintf(out, out_bytes, "%s", alert->why);
}

void oc_words_over(const struct oc_rule *rule, const struct oc_verdict *verdict, char *out,
                   size_t out_bytes)
{
    char value[32], bound[32];

    oc_words_value(rule->metric, verdict->value, value, sizeof(value));
    oc_words_value(rule->metric, rule->clear == rule->clear ? rule->clear : rule->enter, bound,
                   sizeof(bound));
    if (verdict->text)
        (void)snprintf(out, out_bytes, "%s", verdict->text);
    else if (rule->kind == OC_RULE_FORECAST && verdict->chance == verdict->chance)
        say_chance((double)rule->horizon_ms * CLEAR_FACTOR, verdict->chance, "<", rule->chance, out,
                   out_bytes);
    else if (rule->kind == OC_RULE_THRESHOLD)
        (void)snprintf(out, out_bytes, "%s is %s %s", value, rule->is_below ? "above" : "below",
                       bound);
    else if (rule->kind == OC_RULE_GROWTH)
        (void)snprintf(out, out_bytes, "%s an hour is below %s", value, bound);
    else
        (void)snprintf(out, out_bytes, "it is not so any more");
}
