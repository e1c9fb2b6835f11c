/* A life that is over: which limit it met, who ended it, what was forecast last and how wrong that was. */
#include "explain/json.h"
#include "explain/page.h"
#include "explain/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define SPAN_BYTES 32
#define AT_LIMIT 0.95 /* in use at the last look: the next allocation may have been refused */
#define MS_PER_S 1000.0

/* What came of the last forecast. */
struct outcome {
    double after_s; /* from the forecast to the end */
    int is_known;   /* it named a time */
    int is_inside;  /* the end lay within p10 … p90 */
    double ratio;   /* after_s / p50: 1 is right, 2 came twice as late */
};

static struct outcome outcome_of(const struct oc_evidence *evidence)
{
    const struct oc_forecast *forecast = &evidence->last_forecast.forecast;
    struct outcome outcome = { .ratio = (double)NAN };

    if (!evidence->has_last_forecast || evidence->end_unix_ms <= 0)
        return outcome;
    outcome.after_s = (double)(evidence->end_unix_ms - forecast->t_ms) / MS_PER_S;
    outcome.is_known = forecast->p50_s < (double)INFINITY && outcome.after_s >= 0;
    if (!outcome.is_known)
        return outcome;
    outcome.is_inside = outcome.after_s >= forecast->p10_s && outcome.after_s <= forecast->p90_s;
    if (forecast->p50_s > 0)
        outcome.ratio = outcome.after_s / forecast->p50_s;
    return outcome;
}

/* Whether a killer came for want of memory. */
static int is_killed(const struct oc_evidence *evidence)
{
    return evidence->end == OC_END_OOM_KILLED || evidence->killer != OC_KILLER_UNKNOWN;
}

/* How much of a limit was in use at the end; NAN: not known. */
static double used_part(const struct oc_evidence *evidence, const struct oc_limit *limit)
{
    const struct oc_limit_row *row = limit ? oc_limit_row(limit->kind) : NULL;
    const unsigned metric = limit && limit->metric ? limit->metric : row ? row->metric : 0;
    const struct oc_moved *moved;

    if (metric == 0 || metric >= OC_METRIC_MAX || limit->value == 0)
        return (double)NAN;
    moved = &evidence->metrics[metric];
    return moved->has_now ? (double)moved->now / (double)limit->value : (double)NAN;
}

/* Whether memory ended it, so that the forecast can be held against it: it was killed for it, or stood at its limit. */
static int is_of_memory(const struct oc_evidence *evidence, const struct oc_limit *limit)
{
    return is_killed(evidence) || used_part(evidence, limit) >= AT_LIMIT;
}

/* ---- words ---- */

static void ending_words(const struct oc_evidence *evidence, char *out, size_t out_bytes)
{
    const char *scope = evidence->killer_scope;

    out[0] = '\0';
    if (evidence->killer == OC_KILLER_CGROUP)
        oc_explain_say(out, out_bytes, "the kernel's OOM killer, for the limit of cgroup %.300s",
                       scope[0] ? scope : "(unknown)");
    else if (evidence->killer == OC_KILLER_HOST)
        oc_explain_say(out, out_bytes, "the kernel's OOM killer: the host had no memory left");
    else if (evidence->killer != OC_KILLER_UNKNOWN)
        oc_explain_say(out, out_bytes, "%s%s%.300s", oc_killer_name(evidence->killer),
                       scope[0] ? ", for " : "", scope);
    else if (evidence->end == OC_END_OOM_KILLED)
        oc_explain_say(out, out_bytes, "the kernel's OOM killer");
    else if (evidence->end == OC_END_SIGNALED && evidence->status > 0)
        oc_explain_say(out, out_bytes, "signal %d, of no killer that is known", evidence->status);
    else if (evidence->end == OC_END_EXITED && evidence->status >= 0)
        oc_explain_say(out, out_bytes, "itself, with exit code %d", evidence->status);
    else
        oc_explain_say(out, out_bytes, "%s",
                       evidence->end == OC_END_EXECED      ? "another program took its place"
                       : evidence->end == OC_END_UNWATCHED ? "it was not watched any more"
                                                           : "not known");
}

/* The limit that it met: of the forecast, else the one of the killer's cgroup. */
static const struct oc_limit *met_limit(const struct oc_evidence *evidence)
{
    if (evidence->has_last_forecast && evidence->last_forecast.limit.kind != 0)
        return &evidence->last_forecast.limit;
    for (size_t i = 0; i < evidence->limit_count; i++) {
        if (evidence->killer == OC_KILLER_CGROUP && evidence->limits[i].kind == OC_LIMIT_CGROUP_MAX)
            return &evidence->limits[i];
        if (evidence->killer == OC_KILLER_HOST && evidence->limits[i].kind == OC_LIMIT_HOST_MEMORY)
            return &evidence->limits[i];
    }
    return NULL;
}

/* ---- text ---- */

static void put_span(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char begin[SPAN_BYTES], end[SPAN_BYTES], span[SPAN_BYTES];

    if (evidence->end_unix_ms <= 0)
        return;
    if (evidence->begin_unix_ms <= 0) {
        oc_explain_page_putf(
            page, "ended:    ", 1, "%s",
            oc_explain_time(evidence->end_unix_ms, evidence->end_unix_ms, end, sizeof(end)));
        return;
    }
    oc_explain_page_putf(
        page, "lived:    ", 2, "%s - %s (%s)",
        oc_explain_time(evidence->begin_unix_ms, evidence->end_unix_ms, begin, sizeof(begin)),
        oc_explain_time(evidence->end_unix_ms, evidence->begin_unix_ms, end, sizeof(end)),
        oc_explain_span((double)(evidence->end_unix_ms - evidence->begin_unix_ms) / MS_PER_S, span,
                        sizeof(span)));
}

static void put_figures(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    static const unsigned metrics[] = { OC_METRIC_PRIVATE,        OC_METRIC_RSS,
                                        OC_METRIC_SWAP,           OC_METRIC_THREADS,
                                        OC_METRIC_CGROUP_CURRENT, OC_METRIC_CGROUP_CHARGE };
    char text[400] = "", value[40];

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct oc_metric_row *row = oc_metric_by_number(metrics[i]);
        const struct oc_moved *moved = &evidence->metrics[metrics[i]];

        if (moved->has_now && moved->now > 0)
            OC_SAY(text, "%s%s %s", text[0] ? ", " : "", row->name,
                   oc_explain_amount(moved->now, row->unit, value, sizeof(value)));
    }
    if (text[0])
        oc_explain_page_put(page, "at last:  ", text, 0);
}

static void put_verdict(struct oc_explain_page *page, const struct oc_evidence *evidence,
                        const struct oc_limit *limit, const struct outcome *outcome)
{
    const struct oc_forecast *forecast = &evidence->last_forecast.forecast;
    char after[SPAN_BYTES], off[SPAN_BYTES];

    if (!outcome->is_known)
        return;
    oc_explain_span(fabs(outcome->after_s - forecast->p50_s), off, sizeof(off));
    oc_explain_page_putf(page, "it came:  ", 3, "after %s, %s %s than said; %s%s",
                         oc_explain_span(outcome->after_s, after, sizeof(after)), off,
                         outcome->after_s < forecast->p50_s ? "sooner" : "later",
                         outcome->is_inside ? "inside the interval" : "outside the interval",
                         is_of_memory(evidence, limit)
                             ? ""
                             : "; memory did not end it, so this says little of the forecast");
}

static void put_forecast(struct oc_explain_page *page, const struct oc_evidence *evidence,
                         const struct oc_limit *limit)
{
    const struct oc_forecast *forecast = &evidence->last_forecast.forecast;
    const struct outcome outcome = outcome_of(evidence);
    char at[SPAN_BYTES], p10[SPAN_BYTES], p50[SPAN_BYTES], p90[SPAN_BYTES];

    if (!evidence->has_last_forecast) {
        oc_explain_page_put(page, "forecast: ", "none was made", 1);
        return;
    }
    oc_explain_time(forecast->t_ms, evidence->end_unix_ms, at, sizeof(at));
    if (!outcome.is_known) {
        oc_explain_page_putf(page, "forecast: ", 2, "of %s: %s, no limit in sight", at,
                             oc_forecast_state_name(forecast->state));
        return;
    }
    oc_explain_page_putf(page, "forecast: ", 2, "of %s: %s, in %s (%s - %s)", at,
                         oc_forecast_state_name(forecast->state),
                         oc_explain_span(forecast->p50_s, p50, sizeof(p50)),
                         oc_explain_span(forecast->p10_s, p10, sizeof(p10)),
                         oc_explain_span(forecast->p90_s, p90, sizeof(p90)));
    put_verdict(page, evidence, limit, &outcome);
}

static void put_used(const struct oc_evidence *evidence, const struct oc_limit *limit, char *words,
                     size_t words_bytes)
{
    const double used = used_part(evidence, limit);
    char percent[16];

    if (used == used)
        oc_explain_say(words, words_bytes, ", %s in use at the last look",
                       oc_explain_percent(used, percent, sizeof(percent)));
}

void oc_explain_life_text(const struct oc_evidence *evidence, unsigned columns, struct oc_buf *out)
{
    struct oc_explain_page page = { .out = out, .columns = columns };
    const struct oc_limit *limit = met_limit(evidence);
    char words[400];

    oc_explain_page_putf(&page, "", 2, "%.300s (pid %" PRIu32 "%s%.60s)", oc_explain_name(evidence),
                         evidence->pid, evidence->name[0] ? ", " : "", evidence->name);
    if (!evidence->has_end) {
        oc_explain_page_put(&page, "", "It runs: there is no end to tell of.", 1);
        return;
    }
    put_span(&page, evidence);
    ending_words(evidence, words, sizeof(words));
    oc_explain_page_put(&page, "ended by: ", words, 0);
    if (limit) {
        oc_explain_limit(limit, words, sizeof(words));
        put_used(evidence, limit, words, sizeof(words));
        oc_explain_page_put(&page,
                            is_of_memory(evidence, limit) ? "limit:    " : "nearest:  ", words, 0);
    }
    put_figures(&page, evidence);
    put_forecast(&page, evidence, limit);
}

/* ---- JSON ---- */

void oc_explain_life_json(const struct oc_evidence *evidence, struct oc_buf *out)
{
    struct oc_explain_json json = { .out = out };
    const struct oc_limit *limit = met_limit(evidence);
    const struct oc_limit_row *row = limit ? oc_limit_row(limit->kind) : NULL;
    const struct outcome outcome = outcome_of(evidence);

    oc_explain_json_open(&json, '{');
    oc_explain_json_text(&json, "subject", oc_explain_name(evidence));
    oc_explain_json_integer(&json, "pid", evidence->pid);
    oc_explain_json_text(&json, "name", evidence->name);
    oc_explain_json_flag(&json, "has_ended", evidence->has_end);
    oc_explain_json_time(&json, "begin_unix_ms", evidence->begin_unix_ms);
    oc_explain_json_time(&json, "end_unix_ms", evidence->end_unix_ms);
    if (evidence->has_end) {
        oc_explain_json_text(&json, "end", oc_end_name(evidence->end));
        if (evidence->status >= 0)
            oc_explain_json_integer(&json, "status", evidence->status);
        oc_explain_json_text(&json, "killer", oc_killer_name(evidence->killer));
        oc_explain_json_text(&json, "killer_scope", evidence->killer_scope);
    }
    if (row) {
        oc_explain_json_text(&json, "limit", row->name);
        oc_explain_json_text(&json, "where", limit->where);
        oc_explain_json_integer(&json, "limit_value", (int64_t)limit->value);
    }
    if (evidence->has_last_forecast)
        oc_explain_json_forecast(&json, "last_forecast", &evidence->last_forecast);
    if (outcome.is_known) {
        oc_explain_json_number(&json, "came_after_seconds", outcome.after_s);
        oc_explain_json_flag(&json, "inside", outcome.is_inside);
        oc_explain_json_number(&json, "ratio", outcome.ratio);
    }
    oc_explain_json_close(&json, '}');
    oc_buf_putc(out, '\n');
}
