/* An alert in words: headline, annotations, times. All bodies say the same. */
#include "alert/body_impl.h"

#include "base/ahead.h"
#include "base/limit.h"
#include "base/metric.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SUBJECT_SHOWN 200 /* of a name, in a line for people */
#define WHERE_SHOWN 120
#define LINE_BYTES 600
#define DAY_MS INT64_C(86400000)

/* ---- state ---- */

int oc_body_is_firing(const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_FIRING || alert->state == OC_ALERT_PENDING;
}

const char *oc_body_outcome(const struct oc_alert *alert)
{
    if (alert->state == OC_ALERT_DIED)
        return "died";
    return oc_body_is_firing(alert) ? "firing" : "resolved";
}

int64_t oc_body_begin(const struct oc_alert *alert)
{
    return alert->firing_unix_ms > 0 ? alert->firing_unix_ms : alert->pending_unix_ms;
}

/* ---- times ---- */

/* Days since 1970 to a date; Howard Hinnant's civil_from_days, in public domain. */
static void date_of(int64_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;

    *out_day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *out_month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *out_year = (int64_t)year_of_era + era * 400 + (*out_month <= 2);
}

void oc_alert_time(int64_t unix_ms, struct oc_buf *out)
{
    int64_t days = unix_ms / DAY_MS, ms = unix_ms % DAY_MS, year = 0;
    unsigned month = 0, day = 0;

    if (ms < 0) {
        ms += DAY_MS;
        days--;
    }
    if (days > 2932896 || days < -719162) { /* beyond the years 1 to 9999, which RFC 3339 has */
        oc_buf_puts(out, "0001-01-01T00:00:00.000Z");
        return;
    }
    date_of(days, &year, &month, &day);
    oc_buf_printf(out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", (int)year, month, day,
                  (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
                  (int)(ms % 1000));
}

/* For people: to the second. */
static void put_when(struct oc_buf *out, int64_t unix_ms)
{
    char text[40];
    struct oc_buf whole;

    oc_buf_init(&whole, 64);
    oc_alert_time(unix_ms, &whole);
    (void)oc_text_copy(text, sizeof(text), whole.data ? whole.data : "");
    if (strlen(text) > 19) {
        text[10] = ' ';
        text[19] = '\0';
    }
    oc_buf_printf(out, "%s UTC", text);
    oc_buf_clear(&whole);
}

void oc_body_times(const struct oc_alert *alert, int64_t now_unix_ms, struct oc_buf *out)
{
    int64_t begin = oc_body_begin(alert);
    int64_t end = oc_body_is_firing(alert) ? now_unix_ms : alert->ended_unix_ms;
    char span[32];

    if (begin <= 0)
        return;
    oc_buf_puts(out, oc_body_is_firing(alert) ? "Fires since " : "Fired since ");
    put_when(out, begin);
    if (!oc_body_is_firing(alert) && end > 0) {
        oc_buf_puts(out, alert->state == OC_ALERT_DIED ? ", died " : ", over ");
        put_when(out, end);
    }
    if (end > begin)
        oc_buf_printf(out, " (%s)", oc_text_ms(end - begin, span, sizeof(span)));
}

/* ---- figures ---- */

/* What its value and bound are counted in. */
static enum oc_unit unit_of(const struct oc_alert *alert)
{
    const struct oc_metric_row *row = oc_metric_by_number(alert->about.forecast.metric);

    switch (alert->kind) {
    case OC_RULE_FAMILY:
    case OC_RULE_RESTART_LOOP:
        return OC_UNIT_COUNT;
    case OC_RULE_HEAP_CAP:
        return OC_UNIT_BYTES;
    default:
        return row ? (enum oc_unit)row->unit : OC_UNIT_COUNT;
    }
}

static void put_figure(enum oc_unit unit, double value, struct oc_buf *out)
{
    char text[32];

    if (!oc_ahead_is_known(value))
        oc_buf_putc(out, '-');
    else if (unit == OC_UNIT_BYTES && fabs(value) < 9e18)
        oc_buf_puts(out, oc_text_bytes((int64_t)value, text, sizeof(text)));
    else if (fabs(value) < 1e15 && value == floor(value))
        oc_buf_printf(out, "%.0f", value);
    else
        oc_buf_printf(out, "%.4g", value);
}

void oc_body_quantity(const struct oc_alert *alert, double value, struct oc_buf *out)
{
    put_figure(unit_of(alert), value, out);
}

/* Of forecasts the figure that runs into the limit, and the limit: the rule's own are chances. */
static int is_of_forecast(const struct oc_alert *alert)
{
    return alert->kind == OC_RULE_FORECAST || alert->kind == OC_RULE_NO_LIMIT;
}

double oc_body_value(const struct oc_alert *alert)
{
    if (!is_of_forecast(alert))
        return alert->value;
    return alert->about.forecast.metric ? alert->about.forecast.value : (double)NAN;
}

double oc_body_bound(const struct oc_alert *alert)
{
    if (!is_of_forecast(alert))
        return alert->bound;
    return alert->about.limit.kind ? (double)alert->about.limit.value : (double)NAN;
}

/* "memory.max of /system.slice/shop.service" */
static void put_limit_name(const struct oc_limit *limit, struct oc_buf *out)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    if (!row)
        return;
    oc_buf_puts(out, limit->kind == OC_LIMIT_USER ? "the limit set in the config" : row->name);
    if (limit->where[0]) {
        oc_buf_puts(out, " of ");
        oc_body_line(out, limit->where, WHERE_SHOWN);
    }
}

void oc_body_limit(const struct oc_alert *alert, struct oc_buf *out)
{
    const struct oc_limit_row *row = oc_limit_row(alert->about.limit.kind);

    if (!row)
        return;
    put_limit_name(&alert->about.limit, out);
    oc_buf_puts(out, " (");
    put_figure((enum oc_unit)row->unit, (double)alert->about.limit.value, out);
    oc_buf_putc(out, ')');
}

/* ---- headline ---- */

/* "private bytes"; what a cgroup is charged with is its memory, to anyone but the kernel. */
static void put_metric(unsigned number, struct oc_buf *out)
{
    const struct oc_metric_row *row =
        number == OC_METRIC_CGROUP_CURRENT ? NULL : oc_metric_by_number(number);

    for (const char *c = row ? row->name : "memory"; *c; c++)
        oc_buf_putc(out, *c == '_' ? ' ' : *c);
}

/* What the sentence notes beside what is foretold: behind its first semicolon, that follows the names of others. */
static void put_note(const struct oc_alert *alert, struct oc_buf *out)
{
    const char *note = NULL;

    for (const char *at = strstr(alert->why, "; "); at; at = strstr(at + 1, "; "))
        note = at;
    if (note && alert->about.limit.where[0] && strstr(alert->about.limit.where, note))
        note = NULL; /* a name of others has semicolons */
    if (note)
        oc_body_line(out, note, OC_ALERT_WHY_BYTES);
}

static void put_forecast(const struct oc_alert *alert, struct oc_buf *out)
{
    const struct oc_limit_row *row = oc_limit_row(alert->about.limit.kind);
    const struct oc_forecast *forecast = &alert->about.forecast;
    char ahead[128];

    if (row && row->effect == OC_EFFECT_RECYCLED) {
        oc_body_line(out, alert->subject, SUBJECT_SHOWN);
        oc_buf_puts(out, " will be recycled: its ");
        put_metric(forecast->metric, out);
    } else {
        put_metric(forecast->metric, out);
        oc_buf_puts(out, " of ");
        oc_body_line(out, alert->subject, SUBJECT_SHOWN);
    }
    oc_buf_puts(out, " will meet ");
    put_limit_name(&alert->about.limit, out);
    if (oc_ahead_is_known(forecast->p50_s))
        oc_buf_printf(
            out, " in %s",
            oc_ahead_all(forecast->p10_s, forecast->p50_s, forecast->p90_s, ahead, sizeof(ahead)));
    put_note(alert, out);
}

static void put_over(const struct oc_alert *alert, struct oc_buf *out)
{
    int64_t begin = oc_body_begin(alert);
    char span[32];

    oc_body_line(out, alert->subject, SUBJECT_SHOWN);
    oc_buf_puts(out, alert->state == OC_ALERT_DIED ? " died while " : ": ");
    oc_body_line(out, alert->rule, OC_RULE_NAME_BYTES);
    oc_buf_puts(out, alert->state == OC_ALERT_DIED ? " was firing" : " is over");
    if (begin > 0 && alert->ended_unix_ms > begin)
        oc_buf_printf(out, " after %s",
                      oc_text_ms(alert->ended_unix_ms - begin, span, sizeof(span)));
    if (alert->state == OC_ALERT_DIED && alert->why[0]) {
        oc_buf_puts(out, ": ");
        oc_body_line(out, alert->why, OC_ALERT_WHY_BYTES);
    }
}

void oc_alert_headline(const struct oc_alert *alert, struct oc_buf *out)
{
    if (!oc_body_is_firing(alert)) {
        put_over(alert, out);
    } else if (alert->kind == OC_RULE_FORECAST && alert->about.limit.kind) {
        put_forecast(alert, out);
    } else {
        oc_body_line(out, alert->subject, SUBJECT_SHOWN);
        oc_buf_puts(out, ": ");
        oc_body_line(out, alert->why[0] ? alert->why : alert->rule, OC_ALERT_WHY_BYTES);
    }
}

static const char *title_word(const struct oc_notice *notice)
{
    if (notice->kind == OC_NOTICE_TEST)
        return "test";
    if (notice->kind == OC_NOTICE_DIGEST)
        return "digest";
    if (notice->is_firing)
        return oc_severity_name(notice->severity);
    for (size_t i = 0; i < notice->count; i++) {
        if (notice->alerts[i].alert.state == OC_ALERT_DIED)
            return "died";
    }
    return "resolved";
}

void oc_body_title(const struct oc_notice *notice, struct oc_buf *out)
{
    uint32_t all = notice->firing + notice->ended;

    oc_buf_puts(out, "oomcast");
    if (notice->instance[0]) {
        oc_buf_putc(out, ' ');
        oc_body_line(out, notice->instance, 80);
    }
    oc_buf_printf(out, ": %s: ", title_word(notice));
    if (notice->count > 0)
        oc_alert_headline(&notice->alerts[0].alert, out);
    if (all > 1)
        oc_buf_printf(out, ", and %" PRIu32 " more", all - 1);
}

void oc_body_remainder(const struct oc_notice *notice, size_t shown, struct oc_buf *out)
{
    size_t all = notice->count + notice->more;
    const char *separator = "";

    if (all > shown) {
        oc_buf_printf(out, "and %" PRIu64 " more alerts: `oomcast alerts` lists them",
                      (uint64_t)(all - shown));
        separator = ". ";
    }
    if (notice->folded > 0) {
        oc_buf_printf(out, "%sIn the place of %" PRIu32 " earlier messages that could not be sent",
                      separator, notice->folded);
        separator = ". ";
    }
    if (notice->not_durable)
        oc_buf_printf(out, "%sThe store could not take it: it may come again, or its end may not",
                      separator);
}

/* ---- an alert in lines ---- */

void oc_body_alert_text(const struct oc_notice_alert *alert, int64_t now_unix_ms, int full,
                        struct oc_buf *out)
{
    const char *severity = oc_severity_name(alert->alert.severity);

    oc_buf_printf(out, "[%s%s%s] ", severity, severity[0] ? " " : "",
                  oc_body_outcome(&alert->alert));
    oc_alert_headline(&alert->alert, out);
    oc_buf_putc(out, '\n');
    if (!full)
        return;
    oc_body_times(&alert->alert, now_unix_ms, out);
    oc_buf_putc(out, '\n');
    if (alert->explanation) {
        oc_buf_putc(out, '\n');
        oc_body_lines(out, alert->explanation, OC_NOTICE_EXPLAIN_BYTES);
        oc_buf_putc(out, '\n');
    }
    if (alert->next) {
        oc_buf_puts(out, "\nWhat to do next:\n");
        oc_body_lines(out, alert->next, OC_NOTICE_EXPLAIN_BYTES);
        oc_buf_putc(out, '\n');
    }
    if (alert->runbook_url) {
        oc_buf_puts(out, "\nRunbook: ");
        oc_body_line(out, alert->runbook_url, 512);
        oc_buf_putc(out, '\n');
    }
}
