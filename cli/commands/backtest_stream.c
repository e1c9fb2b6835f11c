/*
 * oomcast backtest --stream: a trace on standard input, alerts and forecasts as JSON lines on
 * standard output. What is said after a sample rests on that sample and earlier ones alone.
 */
#include "cli/commands/backtest.h"
#include "cli/model/trace.h"

#include "base/alloc.h"
#include "base/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)65536) /* read at once; no line is longer */
#define FLUSH_BYTES ((size_t)65536)
#define LINE_BYTES 192 /* of an answer: four numbers of at most 24 characters, and their keys */
#define POOL_BYTES ((size_t)(64 * 1024))
#define DEFAULT_EVERY 10
#define MOST_TENTHS 9e17 /* seconds × 10 that are written; beyond them it is never */

struct stream {
    struct oc_cli *cli;
    struct oc_trace trace;
    oc_forecast_pool *pool;
    oc_series *series, *companion; /* the pool's; companion may be NULL */
    unsigned companion_at;         /* its column */
    double limit, inc;
    int64_t every, until_forecast;
    int64_t rows;
    int alert;
    char *block; /* BLOCK_BYTES + 1 */
    size_t begin, end;
};

/* ---- answers ---- */

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

/* value / 10^decimals, at least one decimal, without further zeros at its end. */
static char *put_fixed(char *at, int64_t value, unsigned decimals)
{
    char digits[24];
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    unsigned count = 0;

    if (value < 0)
        *at++ = '-';
    while (decimals > 1 && rest % 10 == 0) {
        rest /= 10;
        decimals--;
    }
    while (rest > 0 || count <= decimals) {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    }
    while (count > 0) {
        *at++ = digits[--count];
        if (count == decimals)
            *at++ = '.';
    }
    return at;
}

/* Seconds to one decimal; null where it is never, or unknown. */
static char *put_seconds(char *at, double seconds)
{
    double tenths = seconds <= 0 ? 0 : seconds * 10 + 0.5; /* NAN stays NAN */

    if (!(tenths <= MOST_TENTHS))
        return put_text(at, "null");
    return put_fixed(at, (int64_t)tenths, 1);
}

static char *put_time(char *at, int64_t t_ms)
{
    return put_fixed(put_text(at, "{\"t\": "), t_ms, 3);
}

static void say(struct stream *stream, char *line, char *end)
{
    *end++ = '}';
    *end++ = '\n';
    oc_buf_add(&stream->cli->out, line, (size_t)(end - line));
}

static void say_alert(struct stream *stream, int64_t t_ms)
{
    char line[LINE_BYTES];
    char *at = put_time(line, t_ms);

    say(stream, line, put_text(at, stream->alert ? ", \"alert\": true" : ", \"alert\": false"));
}

static void say_forecast(struct stream *stream, int64_t t_ms)
{
    struct oc_forecast forecast;
    char line[LINE_BYTES];
    char *at = put_time(line, t_ms);
    int never;

    oc_series_forecast(stream->series, 0, &forecast);
    never = !(forecast.p50_s * 10 <= MOST_TENTHS);
    at = put_seconds(put_text(at, ", \"eta\": "), forecast.p50_s);
    at = put_seconds(put_text(at, ", \"lo\": "), never ? (double)NAN : forecast.p10_s);
    at = put_seconds(put_text(at, ", \"hi\": "), never ? (double)NAN : forecast.p90_s);
    say(stream, line, at);
}

/* ---- samples ---- */

static int stands(const struct stream *stream)
{
    enum oc_forecast_state state = oc_series_state(stream->series, 0);

    return state == OC_FORECAST_LEAKING || (state == OC_FORECAST_EXHAUSTED && stream->alert);
}

static void restart(struct stream *stream, double inc)
{
    stream->inc = inc;
    oc_series_restart(stream->series, OC_LIFE_PLANNED);
    if (stream->companion)
        oc_series_restart(stream->companion, OC_LIFE_PLANNED);
}

static void take_row(struct stream *stream, const struct oc_trace_row *row)
{
    int alert;

    if (stream->rows++ == 0)
        stream->inc = row->inc;
    else if (row->inc > stream->inc || row->inc < stream->inc)
        restart(stream, row->inc);
    if (stream->trace.limit_at != OC_TRACE_NONE &&
        memcmp(&row->limit, &stream->limit, sizeof(row->limit)) !=
            0) { /* of bits: NAN is one too */
        stream->limit = row->limit;
        oc_series_limit(stream->series, 0, row->limit);
    }
    if (stream->companion)
        oc_series_feed(stream->companion, row->t_ms, stream->trace.fields[stream->companion_at]);
    oc_series_feed(stream->series, row->t_ms, row->value);
    alert = stands(stream);
    if (alert != stream->alert) {
        stream->alert = alert;
        say_alert(stream, row->t_ms);
    }
    if (--stream->until_forecast == 0) {
        stream->until_forecast = stream->every;
        say_forecast(stream, row->t_ms);
    }
}

/* ---- the series ---- */

static unsigned metric_of(const char *name)
{
    const struct oc_metric_row *row = oc_metric_by_name(name);

    return row ? row->number : 0;
}

/* What says most about growth of bytes: things that are counted, then other bytes. */
static unsigned best_companion(const struct oc_trace *trace)
{
    static const char *const names[] = { "modules", "mappings", "threads",
                                         "handles", "fds",      "private" };
    unsigned column = OC_TRACE_NONE;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && column == OC_TRACE_NONE; i++)
        column = oc_trace_column(trace, names[i]);
    for (unsigned i = 0; i < trace->column_count && column == OC_TRACE_NONE; i++) {
        if (i != trace->t_at && i != trace->value_at && i != trace->inc_at && i != trace->limit_at)
            column = i;
    }
    return column;
}

static int make_series(struct stream *stream, unsigned metric)
{
    struct oc_series_options options = { .metric = (uint16_t)metric };
    int rc = oc_series_new(stream->pool, &options, &stream->series);

    stream->companion_at = best_companion(&stream->trace);
    if (rc || stream->companion_at == OC_TRACE_NONE)
        return rc;
    options.metric = (uint16_t)metric_of(stream->trace.names[stream->companion_at]);
    rc = oc_series_new(stream->pool, &options, &stream->companion);
    if (!rc)
        oc_series_companion(stream->series, stream->companion);
    return rc;
}

static int take_head(struct stream *stream, struct oc_detail *detail)
{
    int taken = oc_trace_head(&stream->trace, stream->block + stream->begin, detail);
    int rc;

    if (taken < 0)
        return taken;
    stream->begin += (size_t)taken;
    rc = make_series(stream, (unsigned)oc_cli_number(stream->cli, "metric", 0));
    if (!rc)
        oc_series_limit(stream->series, 0, stream->limit);
    return rc;
}

/* ---- reading ---- */

/* Rows up to the last newline in the block. */
static int take_lines(struct stream *stream, struct oc_detail *detail)
{
    size_t last = stream->end;
    struct oc_trace_row row;

    while (last > stream->begin && stream->block[last - 1] != '\n')
        last--;
    if (last == stream->begin)
        return OC_OK;
    if (stream->trace.line == 0) {
        int rc = take_head(stream, detail);

        if (rc)
            return rc;
    }
    while (stream->begin < last) {
        int taken = oc_trace_row(&stream->trace, stream->block + stream->begin, &row, detail);

        if (taken < 0)
            return taken;
        stream->begin += (size_t)taken;
        take_row(stream, &row);
    }
    return stream->cli->out.len_bytes >= FLUSH_BYTES ? oc_cli_flush(stream->cli) : OC_OK;
}

/* What is left of the last line moves to the front, and the block is filled. Returns the bytes read. */
static size_t fill(struct stream *stream)
{
    size_t left = stream->end - stream->begin, got;

    memmove(stream->block, stream->block + stream->begin, left);
    got = fread(stream->block + left, 1, BLOCK_BYTES - left, stdin);
    stream->begin = 0;
    stream->end = left + got;
    return got;
}

static int take_all(struct stream *stream, struct oc_detail *detail)
{
    while (fill(stream) > 0) {
        int rc = take_lines(stream, detail);

        if (rc)
            return rc;
        if (stream->begin == 0 && stream->end == BLOCK_BYTES)
            return oc_detail_set(detail, OC_E_TOOBIG, "a line is longer than 64 KiB");
    }
    if (ferror(stdin))
        return oc_detail_set(detail, OC_E_IO, "cannot read standard input");
    if (stream->end > stream->begin) { /* the last line may lack its newline */
        stream->block[stream->end++] = '\n';
        return take_lines(stream, detail);
    }
    if (stream->trace.line == 0)
        return oc_detail_set(detail, OC_E_PARSE,
                             "standard input is empty; it takes a trace whose first line is such "
                             "as t,value");
    return OC_OK;
}

static int run(struct stream *stream)
{
    struct oc_detail detail = { 0 };
    int rc = take_all(stream, &detail), flushed = oc_cli_flush(stream->cli);

    if (rc == OC_OK)
        rc = flushed;
    if (rc)
        return oc_cli_error(stream->cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    return OC_EXIT_OK;
}

int oc_backtest_stream(struct oc_cli *cli)
{
    struct stream stream = { .cli = cli };
    struct oc_forecast_settings settings;
    int exit_code = oc_backtest_settings(cli, &settings);

    if (!exit_code)
        exit_code = oc_backtest_limit(cli, &stream.limit);
    if (exit_code)
        return exit_code;
    stream.every = stream.until_forecast = oc_cli_number(cli, "every", DEFAULT_EVERY);
    stream.pool = oc_forecast_pool_new(POOL_BYTES, &settings);
    stream.block = oc_malloc(BLOCK_BYTES + 1);
    exit_code = stream.pool && stream.block ? run(&stream)
                                            : oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    oc_forecast_pool_free(stream.pool);
    oc_free(stream.block);
    return exit_code;
}
