/* An explanation for people: whole, or the few lines that an alert has room for. */
#include "explain/page.h"
#include "explain/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPAN_BYTES 32
#define USAGES_SHOWN 8
#define FAMILIES_SHOWN 6
#define LIMITS_SHOWN 4
#define FAMILY_WORTH 8
#define SHARES_IN_A_LINE 5
#define MS_PER_S 1000.0
#define COUNT_COLUMNS 10
#define NUMBER_COLUMNS 12
#define PART_COLUMNS 8

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

/* "memory.max of /x (512.0 MiB)". */
static void limit_words(const struct oc_limit *limit, char *out, size_t out_bytes)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);
    char value[40];

    out[0] = '\0';
    oc_explain_say(out, out_bytes, "%s", row ? row->name : "limit");
    if (limit->where[0])
        oc_explain_say(out, out_bytes, " of %.200s", limit->where);
    oc_explain_say(out, out_bytes, " (%s)",
                   oc_explain_amount((int64_t)limit->value, row ? row->unit : OC_UNIT_BYTES, value,
                                     sizeof(value)));
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
    limit_words(&row->limit, limit, sizeof(limit));
    oc_explain_page_putf(page, "", 2, "forecast: %s; %s in %s (%s - %s), chance %s",
                         oc_forecast_state_name(forecast->state), limit,
                         oc_explain_span(forecast->p50_s, p50, sizeof(p50)),
                         oc_explain_span(forecast->p10_s, p10, sizeof(p10)),
                         oc_explain_span(forecast->p90_s, p90, sizeof(p90)),
                         oc_explain_percent(forecast->chance, chance, sizeof(chance)));
}

static void put_program(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char time[SPAN_BYTES];

    if (evidence->program_since_unix_ms > 0)
        oc_explain_page_putf(page, "", 1, "another build of the program runs since %s",
                             oc_explain_time(evidence->program_since_unix_ms, evidence->now_unix_ms,
                                             time, sizeof(time)));
}

/* ---- shares ---- */

static int is_inner(const struct oc_share *share) { return share->kind == OC_SHARE_FAMILY; }

/* A line of the table: the name is cut, the figures stand one below the other. */
static void put_share(struct oc_explain_page *page, const struct oc_share *share, unsigned unit)
{
    const unsigned figures = NUMBER_COLUMNS + PART_COLUMNS + COUNT_COLUMNS + 3;
    const unsigned room = page->columns > figures + 20 ? page->columns - figures : 20;
    struct oc_buf name;
    char number[40] = "", part[24], count[40] = "";
    size_t columns;

    oc_buf_init(&name, 1024);
    oc_buf_puts(&name, is_inner(share) ? "  " : "");
    oc_buf_escaped(&name, share->name);
    if (share->bytes && unit == OC_UNIT_BYTES)
        (void)oc_explain_signed(share->bytes, OC_UNIT_BYTES, number, sizeof(number));
    if (share->count)
        (void)oc_explain_signed(share->count, OC_UNIT_COUNT, count, sizeof(count));
    (void)oc_explain_percent(share->part, part, sizeof(part));
    oc_explain_say(part, sizeof(part), "%s", share->is_estimate ? " ~" : "  ");
    columns = oc_text_columns(name.data ? name.data : "");
    if (columns > room) { /* a long name has a line of its own */
        oc_explain_page_put(page, is_inner(share) ? "  " : "", share->name, 2);
        oc_buf_reset(&name);
        columns = 0;
    }
    if (!oc_explain_page_is_full(page)) {
        oc_buf_puts(page->out, name.data ? name.data : "");
        oc_buf_spaces(page->out, room - columns);
        oc_buf_printf(page->out, "%*s %*s", NUMBER_COLUMNS, number, PART_COLUMNS, part);
        if (count[0])
            oc_buf_printf(page->out, " %*s", COUNT_COLUMNS, count);
        while (page->out->len_bytes > 0 && page->out->data[page->out->len_bytes - 1] == ' ')
            page->out->len_bytes--;
        oc_buf_putc(page->out, '\n');
        page->used++;
    }
    oc_buf_clear(&name);
}

static void put_shares(struct oc_explain_page *page, const struct oc_explanation *explanation)
{
    const unsigned figures = NUMBER_COLUMNS + PART_COLUMNS + COUNT_COLUMNS + 3;
    const unsigned room = page->columns > figures + 20 ? page->columns - figures : 20;
    int has_estimate = 0, has_private = 0;
    char explained[16];

    if (explanation->share_count == 0)
        return;
    oc_explain_page_blank(page);
    oc_buf_puts(page->out, "WHAT");
    oc_buf_spaces(page->out, room - 4);
    oc_buf_printf(page->out, "%*s %*s %*s\n", NUMBER_COLUMNS, "GREW BY", PART_COLUMNS, "SHARE  ",
                  COUNT_COLUMNS, "COUNT");
    for (size_t i = 0; i < explanation->share_count; i++) {
        const struct oc_share *share = &explanation->shares[i];

        put_share(page, share, unit_of(explanation));
        has_estimate |= share->is_estimate;
        has_private |= share->kind == OC_SHARE_USAGE &&
                       strcmp(share->name, oc_usage_name(OC_USAGE_PRIVATE)) == 0;
    }
    oc_explain_page_putf(
        page, "", 2, "explained: %s%s",
        oc_explain_percent(explanation->explained_part, explained, sizeof(explained)),
        has_private ? " (Private is memory of no known use: it counts as unexplained)" : "");
    if (has_estimate)
        oc_explain_page_put(
            page, "",
            "~ told from address space, cut to what came in RAM: pages were not looked at", 2);
}

/* ---- one look ---- */

static int64_t usage_size(const struct oc_evidence *evidence, unsigned usage)
{
    if (evidence->usage_resident[usage].has_now)
        return evidence->usage_resident[usage].now;
    return evidence->usage_commit[usage].has_now ? evidence->usage_commit[usage].now : 0;
}

static void put_figures(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    static const unsigned metrics[] = { OC_METRIC_PRIVATE, OC_METRIC_MEMFD,    OC_METRIC_RSS,
                                        OC_METRIC_SWAP,    OC_METRIC_VIRTUAL,  OC_METRIC_THREADS,
                                        OC_METRIC_FDS,     OC_METRIC_MAPPINGS, OC_METRIC_MODULES };
    char text[512] = "", value[40];

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct oc_metric_row *row = oc_metric_by_number(metrics[i]);
        const struct oc_moved *moved = &evidence->metrics[metrics[i]];

        if (moved->has_now && (moved->now > 0 || i < 1))
            OC_SAY(text, "%s%s %s", text[0] ? ", " : "", row->name,
                   oc_explain_amount(moved->now, row->unit, value, sizeof(value)));
    }
    if (text[0])
        oc_explain_page_put(page, "", text, 0);
}

static void put_sizes(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    int shown[OC_USAGE_COUNT] = { 0 };
    int has_resident = 0;
    char line[600] = "", value[40];

    for (unsigned n = 0; n < USAGES_SHOWN; n++) {
        unsigned best = OC_USAGE_COUNT;

        for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
            if (!shown[usage] && usage_size(evidence, usage) > 0 &&
                (best == OC_USAGE_COUNT ||
                 usage_size(evidence, usage) > usage_size(evidence, best)))
                best = usage;
        }
        if (best == OC_USAGE_COUNT)
            break;
        shown[best] = 1;
        has_resident |= evidence->usage_resident[best].has_now;
        OC_SAY(line, "%s%s %s", line[0] ? ", " : "", oc_usage_name(best),
               oc_explain_amount(usage_size(evidence, best), OC_UNIT_BYTES, value, sizeof(value)));
    }
    if (line[0])
        oc_explain_page_put(page, has_resident ? "in RAM: " : "may be touched: ", line, 0);
}

static void put_families(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char line[1000] = "";
    size_t shown = 0;

    for (size_t i = 0; i < evidence->family_count && shown < FAMILIES_SHOWN; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];

        if (!family->count.has_now || family->count.now < FAMILY_WORTH)
            continue;
        OC_SAY(line, "%s%" PRId64 " %s '%.80s'", shown ? ", " : "", family->count.now,
               oc_family_kind_name(family->kind), family->name);
        shown++;
    }
    if (shown)
        oc_explain_page_put(page, "families: ", line, 0);
}

static void put_limits(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char words[360];
    size_t shown = 0;

    for (size_t i = 0; i < evidence->limit_count && shown < LIMITS_SHOWN; i++) {
        const struct oc_limit *limit = &evidence->limits[i];

        if (!limit->has_use)
            continue;
        limit_words(limit, words, sizeof(words));
        oc_explain_page_putf(page, shown ? "        " : "limits: ", 2, "%.0f %% of %s",
                             oc_limit_ratio(limit) * 100, words);
        shown++;
    }
}

static void put_look(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    put_figures(page, evidence);
    put_sizes(page, evidence);
    put_families(page, evidence);
    put_limits(page, evidence);
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
    put_forecast(page, evidence);
    put_program(page, evidence);
    if (evidence->is_one_look || !is_growing(explanation)) {
        oc_explain_page_blank(page);
        put_look(page, evidence);
    }
    put_shares(page, explanation);
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

        if (is_inner(share) || !(share->part >= 0.03))
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

    if (evidence->is_one_look)
        put_figures(page, evidence);
    else
        put_growth(page, evidence, explanation);
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
