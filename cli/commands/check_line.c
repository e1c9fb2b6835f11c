#include "cli/commands/check_line.h"

#include "base/ahead.h"
#include "base/metric.h"
#include "cli/commands/forecast_view.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_S 1000

const char *oc_check_state_name(enum oc_check_state state)
{
    static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

    return names[(unsigned)state < 4 ? (unsigned)state : OC_CHECK_UNKNOWN];
}

/* ---- the text ---- */

/* What stands before the '|' must not hold one. */
static void put_text(struct oc_buf *out, const char *text)
{
    size_t begin = out->len_bytes;

    oc_buf_escaped(out, text);
    for (size_t i = begin; i < out->len_bytes && !out->err; i++) {
        if (out->data[i] == '|')
            out->data[i] = '/';
    }
}

static void begin_line(enum oc_check_state state, struct oc_buf *out)
{
    oc_buf_printf(out, "OOMCAST %s - ", oc_check_state_name(state));
}

void oc_check_unknown(const char *why, struct oc_buf *out)
{
    begin_line(OC_CHECK_UNKNOWN, out);
    put_text(out, why);
}

/* "dies at memory.max in 3 h (2 h - 5 h)", "has met memory.max". 1, or 0: nothing lies ahead. */
static int put_ahead(const struct oc_outlook_row *row, struct oc_buf *out)
{
    enum oc_urgency urgency = oc_outlook_urgency(row);
    char text[128];

    if (urgency > OC_URGENCY_MAYBE)
        return 0;
    if (urgency == OC_URGENCY_MET)
        oc_buf_printf(out, "has met %s", oc_forecast_limit_name(&row->said));
    else
        oc_buf_printf(out, "%s %s in %s", oc_ahead_effect(row->said.limit.kind),
                      oc_forecast_limit_name(&row->said),
                      oc_ahead_all(row->p10_s, row->p50_s, row->p90_s, text, sizeof(text)));
    return 1;
}

static void put_alert(const struct oc_check_facts *facts, const struct oc_alert *alert,
                      struct oc_buf *out)
{
    struct oc_outlook_row ahead;

    put_text(out, alert->subject);
    oc_buf_putc(out, ' ');
    if (alert->kind == OC_RULE_FORECAST &&
        oc_alert_ahead(alert, facts->outlook->now_unix_ms, &ahead) && put_ahead(&ahead, out))
        return;
    oc_buf_printf(out, "%s: ", alert->rule);
    put_text(out, alert->why);
}

/* "unit:shop.service flat", with what lies ahead where something does; of a word. */
static void put_calm(const struct oc_check_facts *facts, struct oc_buf *out)
{
    const struct oc_outlook_choice *choice = facts->choice;
    size_t binding;

    put_text(out, choice->subjects > 1 ? facts->word : choice->subject);
    if (!choice->own) {
        oc_buf_puts(out, ": no alert, and nothing is forecast yet");
        return;
    }
    oc_buf_printf(out, " %s", oc_forecast_state_name(choice->own->said.forecast.state));
    binding = oc_outlook_binding(choice);
    if (binding == OC_OUTLOOK_NONE)
        return;
    oc_buf_puts(out, ", ");
    (void)put_ahead(choice->rows[binding], out);
}

static void put_all_calm(const struct oc_check_facts *facts, struct oc_buf *out)
{
    char age[40];

    oc_buf_printf(out, "no alert: %zu sources watched, sampled %s ago", facts->sources,
                  oc_value_span(facts->outlook->now_unix_ms - facts->outlook->newest_unix_ms, age,
                                sizeof(age)));
}

/* "; 2 more, 1 muted". */
static void put_rest(const struct oc_check_facts *facts, const struct oc_alert_counts *counts,
                     struct oc_buf *out)
{
    size_t told = counts->critical + counts->warning;
    const char *part = "; ";

    if (told > 1) {
        oc_buf_printf(out, "%s%zu more", part, told - 1);
        part = ", ";
    }
    if (counts->muted) {
        oc_buf_printf(out, "%s%zu muted", part, counts->muted);
        part = ", ";
    }
    for (size_t i = 0; i < facts->behind->count; i++) {
        oc_buf_printf(out, "%sreceiver ", part);
        put_text(out, facts->behind->items[i].receiver);
        oc_buf_puts(out, " does not take its messages");
        part = ", ";
    }
}

/* ---- perfdata ---- */

static void put_seconds(struct oc_buf *out, const char *label, double seconds)
{
    if (oc_ahead_is_known(seconds))
        oc_buf_printf(out, " '%s'=%.0fs;;;0", label, seconds);
}

/* The figure that runs into the binding limit, the limit as its maximum; and the times. */
static void put_figures(const struct oc_outlook_choice *choice, struct oc_buf *out)
{
    size_t binding = oc_outlook_binding(choice);
    const struct oc_outlook_row *row =
        binding == OC_OUTLOOK_NONE ? choice->own : choice->rows[binding];
    const struct oc_metric_row *metric;

    if (!row)
        return;
    metric = oc_metric_by_number(row->said.forecast.metric);
    if (metric && oc_ahead_is_known(row->said.forecast.value)) {
        oc_buf_printf(out, " '%s'=%.0f%s;;;0;", metric->name, row->said.forecast.value,
                      metric->unit == OC_UNIT_BYTES ? "B" : "");
        if (oc_ahead_is_known(row->said.forecast.limit))
            oc_buf_printf(out, "%.0f", row->said.forecast.limit);
    }
    if (binding == OC_OUTLOOK_NONE)
        return;
    put_seconds(out, "time_to_limit_p10", row->p10_s);
    put_seconds(out, "time_to_limit", row->p50_s);
    put_seconds(out, "time_to_limit_p90", row->p90_s);
}

static void put_perfdata(const struct oc_check_facts *facts, const struct oc_alert_counts *counts,
                         struct oc_buf *out)
{
    uint64_t waiting = 0;

    for (size_t i = 0; i < facts->behind->count; i++)
        waiting += facts->behind->items[i].waiting + facts->behind->items[i].parked;
    oc_buf_printf(out, "|'critical'=%zu;;0;0 'warning'=%zu;0;;0 'muted'=%zu;;;0 'pending'=%zu;;;0",
                  counts->critical, counts->warning, counts->muted, counts->pending);
    if (!facts->word)
        oc_buf_printf(out, " 'undelivered'=%" PRIu64 ";;;0", waiting);
    oc_buf_printf(out, " 'age'=%" PRId64 "s;;;0",
                  (facts->outlook->now_unix_ms - facts->outlook->newest_unix_ms) / MS_PER_S);
    if (facts->word && facts->choice && facts->choice->subjects == 1)
        put_figures(facts->choice, out);
}

/* ---- the line ---- */

/* Why nothing can be said. 1, or 0: something can. */
static int put_unknown(const struct oc_check_facts *facts, struct oc_buf *out)
{
    const struct oc_outlook *outlook = facts->outlook;
    char age[40];

    if (outlook->newest_unix_ms == 0) {
        oc_check_unknown("the store holds no samples yet", out);
        return 1;
    }
    if (outlook->is_stale) {
        begin_line(OC_CHECK_UNKNOWN, out);
        oc_buf_printf(
            out, "stale: nothing was sampled for %s; oomcastd does not run, it seems",
            oc_value_span(outlook->now_unix_ms - outlook->newest_unix_ms, age, sizeof(age)));
        return 1;
    }
    if (!facts->word || (facts->choice && facts->choice->subject))
        return 0;
    begin_line(OC_CHECK_UNKNOWN, out);
    put_text(out, facts->word);
    if (facts->ended && *facts->ended) {
        oc_buf_puts(out, " does not run: ");
        put_text(out, facts->ended);
    } else {
        oc_buf_puts(out, " is not known: no process of that name is watched");
    }
    return 1;
}

enum oc_check_state oc_check_line(const struct oc_check_facts *facts, struct oc_buf *out)
{
    struct oc_alert_counts counts;
    enum oc_check_state state = OC_CHECK_OK;

    oc_alert_count(facts->alerts, facts->alert_count, &counts);
    if (counts.warning)
        state = OC_CHECK_WARNING;
    if (counts.critical)
        state = OC_CHECK_CRITICAL;
    /* Of a stale store alerts are as old as its samples; of one that does not run an alert may say so. */
    if ((state == OC_CHECK_OK || facts->outlook->is_stale) && put_unknown(facts, out))
        return OC_CHECK_UNKNOWN;
    begin_line(state, out);
    if (state != OC_CHECK_OK)
        put_alert(facts, &facts->alerts[0], out);
    else if (facts->word)
        put_calm(facts, out);
    else
        put_all_calm(facts, out);
    put_rest(facts, &counts, out);
    put_perfdata(facts, &counts, out);
    return state;
}
