/*
 * oomcast backtest --stream: a trace on standard input, alerts and forecasts as JSON lines on
 * standard output. What is said after a sample rests on that sample and earlier ones alone.
 */
#include "cli/commands/backtest.h"
#include "cli/model/replay_file.h"
#include "cli/model/replay_rules.h"
#include "cli/model/trace_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_BYTES ((size_t)65536)
#define LINE_BYTES 192 /* of an answer: four numbers of at most 24 characters, and their keys */
#define POOL_BYTES ((size_t)(64 * 1024))
#define DEFAULT_EVERY 10
#define MOST_TENTHS 9e17 /* seconds × 10 that are written; beyond them it is never */

struct stream {
    struct oc_cli *cli;
    oc_forecast_pool *pool;
    oc_series *series, *companion; /* the pool's; companion may be NULL */
    unsigned companion_at;         /* its column */
    double limit, inc;
    int64_t every, until_forecast;
    int64_t rows, last_ms;
    int alert;
    unsigned metric;
    oc_replay_rules *rules; /* NULL: the forecaster alone */
};

/* ---- answers ---- */

static char *put_text(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

/* value / 10^decimals, at least one decimal, without further zeros at its end. */
static char *put_fixed(char *at, int64_t value, unsigned decimals)
{
    char digits[24] = "";
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

/* What a rule raises, or takes back. */
static void hear_rule(int64_t t_ms, const struct oc_alert_change *change, void *context)
{
    struct stream *stream = context;
    char time[LINE_BYTES];

    if (!change->is_news)
        return;
    *put_time(time, t_ms) = '\0';
    oc_buf_printf(&stream->cli->out,
                  "%s, \"rule\": \"%s\", \"severity\": \"%s\", \"state\": \"%s\", \"alert\": %s, "
                  "\"reason\": ",
                  time, change->alert->rule, oc_severity_name(change->alert->severity),
                  oc_alert_state_name(change->alert->state),
                  oc_replay_rules_is_told(change->alert) ? "true" : "false");
    oc_buf_json_string(&stream->cli->out, change->why.reason);
    oc_buf_puts(&stream->cli->out, "}\n");
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
    if (stream->rules)
        oc_replay_rules_end(stream->rules, OC_END_UNKNOWN, OC_KILLER_UNKNOWN, stream->last_ms);
    oc_series_restart(stream->series, OC_LIFE_PLANNED);
    if (stream->companion)
        oc_series_restart(stream->companion, OC_LIFE_PLANNED);
}

/* The limit has no name here: it is one at which the process dies. */
static void try_rules(struct stream *stream, const struct oc_trace_row *row)
{
    const struct oc_limit limit = { .kind = oc_trace_is_unknown(stream->limit)
                                                ? 0
                                                : OC_LIMIT_CGROUP_MAX,
                                    .metric = (uint16_t)stream->metric };

    oc_replay_rules_fed(stream->rules, stream->series, &limit, 1, stream->metric, row->value,
                        row->t_ms);
}

static void note_alert(struct stream *stream, int64_t t_ms)
{
    int alert = stands(stream);

    if (alert == stream->alert)
        return;
    stream->alert = alert;
    say_alert(stream, t_ms);
}

static void take_row(const struct oc_trace *trace, const struct oc_trace_row *row, void *context)
{
    struct stream *stream = context;

    if (stream->rows++ == 0)
        stream->inc = row->inc;
    else if (row->inc > stream->inc || row->inc < stream->inc)
        restart(stream, row->inc);
    if (trace->limit_at != OC_TRACE_NONE && oc_trace_differs(row->limit, stream->limit)) {
        stream->limit = row->limit;
        oc_series_limit(stream->series, 0, row->limit);
    }
    if (stream->companion)
        oc_series_feed(stream->companion, row->t_ms, trace->fields[stream->companion_at]);
    oc_series_feed(stream->series, row->t_ms, row->value);
    stream->last_ms = row->t_ms;
    if (stream->rules)
        try_rules(stream, row);
    else
        note_alert(stream, row->t_ms);
    if (--stream->until_forecast == 0) {
        stream->until_forecast = stream->every;
        say_forecast(stream, row->t_ms);
    }
}

/* ---- the series ---- */

static int take_head(const struct oc_trace *trace, void *context)
{
    struct stream *stream = context;
    struct oc_series_options options = { 0 };
    int rc;

    if (trace->limit_at == OC_TRACE_NONE && oc_trace_is_unknown(stream->limit))
        return OC_E_INVAL;
    options.metric = (uint16_t)oc_cli_number(stream->cli, "metric", 0);
    stream->metric = options.metric;
    rc = oc_series_new(stream->pool, &options, &stream->series);
    if (rc)
        return rc;
    oc_series_limit(stream->series, 0, stream->limit);
    stream->companion_at = oc_trace_companion(trace, &options.metric);
    if (stream->companion_at == OC_TRACE_NONE)
        return OC_OK;
    rc = oc_series_new(stream->pool, &options, &stream->companion);
    if (!rc)
        oc_series_companion(stream->series, stream->companion);
    return rc;
}

static int flush_some(const struct oc_trace *trace, void *context)
{
    struct stream *stream = context;

    (void)trace;
    return stream->cli->out.len_bytes >= FLUSH_BYTES ? oc_cli_flush(stream->cli) : OC_OK;
}

/* ---- running ---- */

static int run(struct stream *stream)
{
    static const struct oc_trace_calls calls = { take_head, take_row, flush_some };
    struct oc_detail detail = { 0 };
    int rc = oc_trace_read(stdin, &calls, stream, &detail), flushed = oc_cli_flush(stream->cli);

    if (rc == OC_OK)
        rc = flushed;
    if (rc == OC_E_INVAL)
        return oc_cli_usage(stream->cli, "%s", oc_trace_no_limit);
    if (rc)
        return oc_cli_error(stream->cli, "standard input: %s",
                            detail.text[0] ? detail.text : oc_err_text(rc));
    return OC_EXIT_OK;
}

/* An exit code. */
static int make_rules(struct stream *stream)
{
    struct oc_rules rules = { 0 };
    int exit_code = OC_EXIT_OK;

    if (!oc_cli_has(stream->cli, "rules"))
        return OC_EXIT_OK;
    exit_code = oc_backtest_rules(stream->cli, &rules, NULL);
    if (!exit_code &&
        oc_replay_rules_new(&rules, NULL, "trace", hear_rule, stream, &stream->rules) < 0)
        exit_code = oc_cli_error(stream->cli, "%s", oc_err_text(OC_E_NOMEM));
    oc_rules_clear(&rules);
    return exit_code;
}

int oc_backtest_stream(struct oc_cli *cli)
{
    struct stream stream = { .cli = cli };
    struct oc_forecast_settings settings;
    int exit_code = oc_backtest_settings(cli, &settings);

    if (!exit_code)
        exit_code = oc_backtest_limit(cli, &stream.limit);
    if (!exit_code)
        exit_code = make_rules(&stream);
    if (exit_code)
        return exit_code;
    stream.every = stream.until_forecast = oc_cli_number(cli, "every", DEFAULT_EVERY);
    stream.pool = oc_forecast_pool_new(POOL_BYTES, &settings);
    exit_code = stream.pool ? run(&stream) : oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    oc_forecast_pool_free(stream.pool);
    oc_replay_rules_free(stream.rules);
    return exit_code;
}
