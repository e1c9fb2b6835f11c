#include "tests/integration/foretold.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

struct wanted {
    const char *subject;
    struct foretold *out;
};

static int on_row(const struct oc_forecast_span *span, void *context)
{
    const struct wanted *wanted = context;
    struct foretold *out = wanted->out;

    if (strcmp(span->subject, wanted->subject) != 0)
        return 0;
    ck_assert_uint_lt(out->count, MAX_FORETOLD);
    out->rows[out->count++] = (struct foretold_row){
        .source = span->source,
        .metric = span->row->forecast.metric,
        .limit_kind = span->row->limit.kind,
        .forecast = span->row->forecast,
    };
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct foretold_row *x = a, *y = b;

    return (x->forecast.t_ms > y->forecast.t_ms) - (x->forecast.t_ms < y->forecast.t_ms);
}

void foretold_read(oc_reader *reader, const char *subject, struct foretold *out_foretold)
{
    const struct oc_forecast_filter filter = { .source = OC_READER_ALL_SOURCES,
                                               .until_unix_ms = INT64_MAX };
    struct wanted wanted = { subject, out_foretold };

    out_foretold->count = 0;
    ck_assert_int_ge(oc_reader_forecasts(reader, &filter, on_row, &wanted), 0);
    qsort(out_foretold->rows, out_foretold->count, sizeof(out_foretold->rows[0]), by_time);
}

size_t foretold_count(const struct foretold *foretold, enum oc_forecast_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < foretold->count; i++)
        count += foretold->rows[i].forecast.state == (uint8_t)state;
    return count;
}

/* ---- the truth ---- */

struct crossing {
    double value;
    int64_t t_ms;
};

static int on_point(const struct oc_point *point, void *context)
{
    struct crossing *crossing = context;

    if ((double)point->last < crossing->value)
        return 0;
    crossing->t_ms = point->t_unix_ms;
    return 1;
}

static int64_t first_ms(oc_reader *reader, uint32_t source, unsigned metric, double value)
{
    const struct oc_range range = { .until_unix_ms = INT64_MAX,
                                    .metric = metric,
                                    .precision = OC_PRECISE_EXACT };
    struct crossing crossing = { value, -1 };

    ck_assert_int_ge(oc_reader_range(reader, source, &range, on_point, &crossing), 0);
    return crossing.t_ms;
}

int64_t first_sample_ms(oc_reader *reader, uint32_t source, unsigned metric)
{
    return first_ms(reader, source, metric, -INFINITY);
}

int64_t first_at_least_ms(oc_reader *reader, uint32_t source, unsigned metric, uint64_t value)
{
    return first_ms(reader, source, metric, (double)value);
}

/* ---- the verdict ---- */

static int holds(const struct oc_forecast *forecast, int64_t end_ms)
{
    const double took_s = (double)(end_ms - forecast->t_ms) / 1000;

    return took_s >= forecast->p10_s && took_s <= forecast->p90_s;
}

/* What stood at a time: the newest that was said by then. NULL: nothing yet. */
static const struct oc_forecast *stood(const struct foretold *foretold, uint8_t limit_kind,
                                       unsigned metric, int64_t t_ms)
{
    const struct oc_forecast *newest = NULL;

    for (size_t i = 0; i < foretold->count; i++) {
        const struct foretold_row *row = &foretold->rows[i];

        if (row->limit_kind == limit_kind && row->metric == metric && row->forecast.t_ms <= t_ms)
            newest = &row->forecast;
    }
    return newest;
}

/* A row is news: what was said last stands until the next one. */
static void judge_intervals(const struct foretold *foretold, uint8_t limit_kind, unsigned metric,
                            const struct truth *truth, struct judged *judged)
{
    for (int percent = 25; percent <= 75; percent += 5) {
        const int64_t t_ms = truth->begin_ms + (truth->end_ms - truth->begin_ms) * percent / 100;
        const struct oc_forecast *forecast = stood(foretold, limit_kind, metric, t_ms);

        if (!forecast || !isfinite(forecast->p10_s))
            continue;
        judged->intervals++;
        judged->inside += (size_t)holds(forecast, truth->end_ms);
    }
}

struct judged judge(const struct foretold *foretold, uint8_t limit_kind, unsigned metric,
                    const struct truth *truth)
{
    struct judged judged = { .leaking_ms = -1 };

    for (size_t i = 0; i < foretold->count; i++) {
        const struct foretold_row *row = &foretold->rows[i];
        const struct oc_forecast *forecast = &row->forecast;

        if (row->limit_kind != limit_kind || row->metric != metric ||
            forecast->t_ms >= truth->end_ms)
            continue;
        judged.rows++;
        if (forecast->state != OC_FORECAST_LEAKING && forecast->state != OC_FORECAST_EXHAUSTED)
            judged.leaking_ms = -1; /* taken back */
        else if (judged.leaking_ms < 0 && forecast->state == OC_FORECAST_LEAKING)
            judged.leaking_ms = forecast->t_ms;
    }
    judge_intervals(foretold, limit_kind, metric, truth, &judged);
    return judged;
}
