/* An explanation for people: whole, or the few lines that an alert has room for. */
#include "explain/parts.h"
#include "explain/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPAN_BYTES 32
#define SHARES_IN_A_LINE 5
#define MS_PER_S 1000.0

static unsigned unit_of(const struct oc_explanation *explanation)
{
    const struct oc_metric_row *row = oc_metric_by_number(explanation->metric);

    return row ? row->unit : OC_UNIT_BYTES;
}

static const char *metric_name(const struct oc_explanation *explanation)
{
    const struct oc_metric_row *row = oc_metric_by_number(explanation->metric);

    return row ? row->name : "?";
}

static int is_growing(const struct oc_explanation *explanation)
{
    return explanation->evidence != OC_EVIDENCE_NONE && explanation->grew_bytes > 0;
}

static double seconds_looked(const struct oc_evidence *evidence)
{
    return (double)(evidence->now_unix_ms - evidence->then_unix_ms) / MS_PER_S;
}

/* ---- the head ---- */

static void put_head(struct oc_explain_page *page, const struct oc_evidence *evidence,
                     const struct oc_explanation *explanation)
{
    char about[160] = "";

    if (explanation->pid)
        OC_SAY(about, "pid %" PRIu32, explanation->pid);
    if (evidence->subject[0] && evidence->name[0])
        OC_SAY(about, "%s%.60s", about[0] ? ", " : "", evidence->name);
    if (evidence->runtime[0])
        OC_SAY(about, "%s%.15s", about[0] ? ", " : "", evidence->runtime);
    if (evidence->has_end)
        OC_SAY(about, "%sended", about[0] ? ", " : "");
    if (about[0])
        oc_explain_page_putf(page, "", 2, "%s (%s)", explanation->subject, about);
    else
        oc_explain_page_put(page, "", explanation->subject, 2);
}

static void put_no_growth(struct oc_explain_page *page, const struct oc_evidence *evidence,
                          const struct oc_explanation *explanation)
{
    const struct oc_moved *moved = &evidence->metrics[explanation->metric];
    const unsigned unit = unit_of(explanation);
    char then[40], now[40], span[SPAN_BYTES];

    if (!oc_moved_known(moved)) {
        oc_explain_page_put(page, "",
                            "No growth can be told: its figures at two times are not known.", 2);
        return;
    }
    oc_explain_page_putf(page, "", 3, "No growth in %s: %s was %s then and is %s now.",
                         oc_explain_span(seconds_looked(evidence), span, sizeof(span)),
                         metric_name(explanation),
                         oc_explain_amount(moved->then, unit, then, sizeof(then)),
                         oc_explain_amount(moved->now, unit, now, sizeof(now)));
}

static void put_growth(struct oc_explain_page *page, const struct oc_evidence *evidence,
                       const struct oc_explanation *explanation)
{
    const unsigned unit = unit_of(explanation);
    const int64_t memfd = oc_explain_change(&evidence->metrics[OC_METRIC_MEMFD]);
    const int64_t own = oc_explain_change(&evidence->metrics[OC_METRIC_PRIVATE]);
    char amount[40], span[SPAN_BYTES], rate[40], since[SPAN_BYTES], part[40];

    if (!is_growing(explanation)) {
        put_no_growth(page, evidence, explanation);
        return;
    }
    oc_explain_page_putf(
        page, "", 2, "%s%s grew by %s in %s, since %s: %s", metric_name(explanation),
        explanation->metric == OC_METRIC_PRIVATE && memfd > 0 ? " and memfd_bytes" : "",
        oc_explain_amount(explanation->grew_bytes, unit, amount, sizeof(amount)),
        oc_explain_span(seconds_looked(evidence), span, sizeof(span)),
        oc_explain_time(evidence->then_unix_ms, evidence->now_unix_ms, since, sizeof(since)),
        oc_explain_rate(explanation->growth_per_h, unit, rate, sizeof(rate)));
    if (evidence->source_kind == OC_SOURCE_PROCESS &&
        OC_METRIC_BLOCK(explanation->metric) != OC_BLOCK_PROCESS)
        oc_explain_page_putf(
            page, "", 2, "that is its cgroup, with all that is in it; its private memory %s%s",
            own > 0 ? "grew by " : "did not grow",
            own > 0 ? oc_explain_amount(own, OC_UNIT_BYTES, part, sizeof(part)) : "");
    if (explanation->since_unix_ms > evidence->then_unix_ms)
        oc_explain_page_putf(
            page, "", 1, "the growth began about %s",
            oc_explain_time(explanation->since_unix_ms, evidence->now_unix_ms, part, sizeof(part)));
}

/* What only 32 bits have. */
static int is_32bit(const struct oc_evidence *evidence)
{
    for (size_t i = 0; i < evidence->limit_count; i++) {
        switch (evidence->limits[i].kind) {
        case OC_LIMIT_ADDRESS_SPACE:
        case OC_LIMIT_DANGER_VIRTUAL:
        case OC_LIMIT_DANGER_PRIVATE:
            return 1;
        default:
            break;
        }
    }
    return 0;
}

/* Pool, process and bitness: what a person on Windows looks for first. */
static void put_who(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    const int is_pool = strncmp(evidence->subject, "pool:", strlen("pool:")) == 0;
    char about[400] = "";

    if (strcmp(evidence->os, "windows") != 0 || evidence->pid == 0)
        return;
    if (is_pool)
        OC_SAY(about, "application pool %.200s: ", evidence->subject + strlen("pool:"));
    OC_SAY(about, "%.60s, PID %" PRIu32, evidence->name[0] ? evidence->name : "process",
           evidence->pid);
    if (evidence->walks > 0 || evidence->limit_count > 0)
        OC_SAY(about, ", %s", is_32bit(evidence) ? "32-bit" : "64-bit");
    oc_explain_page_put(page, "", about, 2);
}

/* The commit limit follows the page files up to their largest size: both are said. */
static void put_commit(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    const struct oc_moved *now = &evidence->metrics[OC_METRIC_HOST_COMMIT_LIMIT];
    const struct oc_moved *most = &evidence->metrics[OC_METRIC_HOST_COMMIT_MAX];
    char now_text[40], most_text[40];

    if (evidence->forecast.limit.kind != OC_LIMIT_COMMIT || !now->has_now || !most->has_now ||
        now->now >= most->now)
        return;
    oc_explain_page_putf(page, "", 2,
                         "the commit limit is %s now; page files may let it grow to %s",
                         oc_explain_amount(now->now, OC_UNIT_BYTES, now_text, sizeof(now_text)),
                         oc_explain_amount(most->now, OC_UNIT_BYTES, most_text, sizeof(most_text)));
}

static void put_forecast(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    const struct oc_forecast_row *row = &evidence->forecast;
    const struct oc_forecast *forecast = &row->forecast;
    char limit[360], p10[SPAN_BYTES], p50[SPAN_BYTES], p90[SPAN_BYTES], chance[16];

    if (!evidence->has_forecast)
        return;
    if (row->limit.kind == 0 || !(forecast->p50_s < (double)INFINITY)) {
        oc_explain_page_putf(page, "", 1, "forecast: %s", oc_forecast_state_name(forecast->state));
        return;
    }
    oc_explain_limit(&row->limit, limit, sizeof(limit));
    oc_explain_page_putf(page, "", 2, "forecast: %s; %s in %s (%s - %s), chance %s",
                         oc_forecast_state_name(forecast->state), limit,
                         oc_explain_span(forecast->p50_s, p50, sizeof(p50)),
                         oc_explain_span(forecast->p10_s, p10, sizeof(p10)),
                         oc_explain_span(forecast->p90_s, p90, sizeof(p90)),
                         oc_explain_percent(forecast->chance, chance, sizeof(chance)));
}

/* A limit beyond the next planned end is no alert. */
static void put_plan(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    if (evidence->plan[0])
        oc_explain_page_putf(page, "", 2, "by plan it is restarted: %s", evidence->plan);
}

static void put_program(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char time[SPAN_BYTES];

    if (evidence->program_since_unix_ms > 0)
        oc_explain_page_putf(page, "", 1, "another build of the program runs since %s",
                             oc_explain_time(evidence->program_since_unix_ms, evidence->now_unix_ms,
                                             time, sizeof(time)));
}

/* ---- causes and steps ---- */

static void put_causes(struct oc_explain_page *page, const struct oc_evidence *evidence,
                       const struct oc_explanation *explanation)
{
    const int is_look = evidence->is_one_look;
    char percent[16];

    for (size_t i = 0; i < explanation->cause_count; i++) {
        const struct oc_cause *cause = &explanation->causes[i];

        oc_explain_page_blank(page);
        oc_explain_page_putf(page,
                             i > 0     ? "Or: "
                             : is_look ? "Unusual: "
                                       : "Likely: ",
                             2, "%s (%s sure)", cause->title,
                             oc_explain_percent(cause->confidence, percent, sizeof(percent)));
        oc_explain_page_put(page, "  seen:    ", cause->evidence, 0);
        if (cause->against[0])
            oc_explain_page_put(page, "  against: ", cause->against, 0);
        if (i > 0 && strcmp(cause->mend, cause[-1].mend) == 0)
            oc_explain_page_put(page, "  mend:    ", "as above", 1);
        else if (cause->mend[0])
            oc_explain_page_put(page, "  mend:    ", cause->mend, 0);
    }
    if (explanation->cause_count > 0)
        return;
    oc_explain_page_blank(page);
    if (is_look)
        oc_explain_page_put(page, "", "Nothing unusual: no known cause fits what one look shows.",
                            0);
    else if (is_growing(explanation))
        oc_explain_page_put(page, "", "No known cause fits what was seen.", 0);
}

static void put_steps(struct oc_explain_page *page, const struct oc_explanation *explanation)
{
    if (explanation->step_count == 0)
        return;
    oc_explain_page_blank(page);
    oc_explain_page_put(page, "", "Next:", 1);
    for (size_t i = 0; i < explanation->step_count; i++) {
        const struct oc_step *step = &explanation->steps[i];

        oc_explain_page_command(page, "  ", step->command);
        oc_explain_page_put(page, "      ", step->text, 0);
    }
}

static void put_thin(struct oc_explain_page *page, const struct oc_explanation *explanation,
                     unsigned most_lines)
{
    if (explanation->thin[0])
        oc_explain_page_putf(page, "", most_lines, "%s: %s",
                             explanation->evidence <= OC_EVIDENCE_THIN ? "The evidence is thin"
                                                                       : "Note",
                             explanation->thin);
}

static void put_whole(struct oc_explain_page *page, const struct oc_evidence *evidence,
                      const struct oc_explanation *explanation)
{
    put_head(page, evidence, explanation);
    if (!evidence->is_one_look)
        put_growth(page, evidence, explanation);
    put_who(page, evidence);
    put_forecast(page, evidence);
    put_commit(page, evidence);
    put_plan(page, evidence);
    put_program(page, evidence);
    if (evidence->is_one_look || !is_growing(explanation)) {
        oc_explain_page_blank(page);
        oc_explain_put_look(page, evidence);
    }
    oc_explain_put_shares(page, explanation);
    put_causes(page, evidence, explanation);
    put_steps(page, explanation);
    if (explanation->thin[0])
        oc_explain_page_blank(page);
    put_thin(page, explanation, 0);
}

/* ---- the few lines of an alert ---- */

static void put_short_shares(struct oc_explain_page *page, const struct oc_explanation *explanation)
{
    char line[800] = "", percent[16];
    size_t shown = 0;

    for (size_t i = 0; i < explanation->share_count && shown < SHARES_IN_A_LINE; i++) {
        const struct oc_share *share = &explanation->shares[i];

        if (share->kind == OC_SHARE_FAMILY || !(share->part >= 0.03))
            continue;
        OC_SAY(line, "%s%.60s %s", shown ? ", " : "", share->name,
               oc_explain_percent(share->part, percent, sizeof(percent)));
        shown++;
    }
    if (shown)
        oc_explain_page_put(page, "of it ", line, 2);
}

static void put_short(struct oc_explain_page *page, const struct oc_evidence *evidence,
                      const struct oc_explanation *explanation)
{
    const struct oc_cause *cause = explanation->cause_count > 0 ? &explanation->causes[0] : NULL;
    char percent[16];

    put_who(page, evidence);
    if (evidence->is_one_look)
        oc_explain_put_figures(page, evidence);
    else
        put_growth(page, evidence, explanation);
    put_commit(page, evidence);
    put_plan(page, evidence);
    put_short_shares(page, explanation);
    if (cause) {
        oc_explain_page_putf(page, "likely: ", 1, "%s (%s sure)", cause->title,
                             oc_explain_percent(cause->confidence, percent, sizeof(percent)));
        oc_explain_page_put(page, "seen: ", cause->evidence, 2);
        oc_explain_page_put(page, "mend: ", cause->mend, 3);
    }
    put_thin(page, explanation, 1); /* steps go beside it: oc_explain_next() */
}

void oc_explain_text(const struct oc_evidence *evidence, const struct oc_explanation *explanation,
                     unsigned columns, unsigned lines, struct oc_buf *out)
{
    struct oc_explain_page page = { .out = out, .columns = columns, .lines = lines };

    if (lines == 0)
        put_whole(&page, evidence, explanation);
    else
        put_short(&page, evidence, explanation);
}

void oc_explain_next(const struct oc_explanation *explanation, unsigned steps, struct oc_buf *out)
{
    for (size_t i = 0; i < explanation->step_count && (steps == 0 || i < steps); i++) {
        oc_buf_escaped(out, explanation->steps[i].command);
        oc_buf_puts(out, "  # ");
        oc_buf_escaped(out, explanation->steps[i].text);
        oc_buf_putc(out, '\n');
    }
}
