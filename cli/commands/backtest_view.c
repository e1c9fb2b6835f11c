/* oomcast backtest: what was replayed, for people. */
#include "cli/commands/backtest.h"

#include "base/ahead.h"
#include "base/limit.h"
#include "base/metric.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define DEFAULT_ROWS 40
#define FEW 10 /* judged intervals below which a share says nothing */
#define MS_PER_S 1000.0

struct view {
    struct oc_cli *cli;
    const struct oc_replay *replay;
};

/* ---- cells ---- */

static enum oc_unit unit_of(unsigned metric)
{
    const struct oc_metric_row *row = oc_metric_by_number(metric);

    return row ? (enum oc_unit)row->unit : OC_UNIT_BYTES;
}

/* A figure of a file that does not say what it is may be a count: small ones are shown as they are. */
static const char *value_text(double value, unsigned metric, char *out, size_t out_bytes)
{
    if (metric == 0 && fabs(value) < 1e5)
        (void)snprintf(out, out_bytes, "%.6g", value);
    else if (fabs(value) > 9e18)
        (void)snprintf(out, out_bytes, "%.3g", value);
    else
        (void)oc_value_text((int64_t)llround(value), unit_of(metric), out, out_bytes);
    return out;
}

static const char *time_text(const struct view *view, int64_t t_ms, char *out, size_t out_bytes)
{
    if (t_ms >= OC_BACKTEST_LEAST_WALL_MS)
        return oc_timespec_short(t_ms, view->cli->now_unix_ms, out, out_bytes);
    return oc_value_span(t_ms, out, out_bytes);
}

const char *oc_backtest_limit_name(const struct oc_replay_name *name)
{
    const struct oc_limit_row *row = oc_limit_row(name->limit_kind);

    return row ? row->name : "limit";
}

static void came_cell(struct oc_table *table, const struct oc_replay_alert *alert)
{
    char text[40];

    (void)oc_ahead_time((double)(alert->over_ms - alert->raised_ms) / MS_PER_S, text, sizeof(text));
    if (alert->came == OC_CAME_STANDS)
        oc_table_cellf(table, "stands since %s", text);
    else
        oc_table_cellf(table, "%s after %s", oc_replay_came_name(alert->came), text);
}

/* Whose it is: subject, process, metric. */
static void put_name(struct oc_table *table, const struct oc_replay_name *name)
{
    const struct oc_metric_row *metric = oc_metric_by_number(name->metric);

    oc_table_cell(table, name->subject);
    if (name->pid)
        oc_table_cellf(table, "%" PRIu32, name->pid);
    else
        oc_table_cell(table, NULL);
    oc_table_cell(table, metric ? metric->name : NULL);
}

static void put_alert(const struct view *view, struct oc_table *table,
                      const struct oc_replay_alert *alert)
{
    const struct oc_replay_name *name = &view->replay->names[alert->name];
    char text[160];

    oc_table_cell(table, time_text(view, alert->raised_ms, text, sizeof(text)));
    put_name(table, name);
    oc_table_cell(table, value_text(alert->value, name->metric, text, sizeof(text)));
    oc_table_cellf(table, "%s %s", oc_backtest_limit_name(name),
                   value_text(alert->limit, name->metric, text, sizeof(text)));
    oc_table_cell(table,
                  oc_ahead_all(alert->p10_s, alert->p50_s, alert->p90_s, text, sizeof(text)));
    came_cell(table, alert);
}

/* ---- the alerts ---- */

static size_t count_of(const struct oc_replay *replay, enum oc_replay_method method)
{
    size_t count = 0;

    for (size_t i = 0; i < replay->alert_count; i++)
        count += replay->alerts[i].method == method;
    return count;
}

static int put_alerts(const struct view *view)
{
    static const struct oc_column columns[] = {
        { "SAID", OC_ALIGN_LEFT, 0, 0 },
        { "SUBJECT", OC_ALIGN_LEFT, 40, OC_SHRINKS },
        { "PID", OC_ALIGN_RIGHT, 0, OC_GOES(3) },
        { "METRIC", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "VALUE", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "LIMIT", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { "TIME TO LIMIT", OC_ALIGN_LEFT, 0, 0 },
        { "CAME", OC_ALIGN_LEFT, 0, 0 },
        { 0 },
    };
    struct oc_cli *cli = view->cli;
    const struct oc_replay *replay = view->replay;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    size_t most = (size_t)oc_cli_number(cli, "rows", DEFAULT_ROWS);
    size_t count = count_of(replay, OC_METHOD_FORECAST), at = 0;
    struct oc_table table;
    int rc;

    if (count == 0) {
        oc_buf_puts(&cli->out, "No alert would have been raised.\n\n");
        return OC_OK;
    }
    oc_table_init(&table, columns);
    for (size_t i = 0; i < replay->alert_count; i++) {
        if (replay->alerts[i].method == OC_METHOD_FORECAST && (most == 0 || at++ < most))
            put_alert(view, &table, &replay->alerts[i]);
    }
    oc_table_hide_empty(&table, 1);
    oc_table_hide_empty(&table, 2);
    oc_table_hide_empty(&table, 3);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    if (most > 0 && count > most)
        oc_buf_printf(&cli->out, "%zu more; --rows 0 shows all.\n", count - most);
    oc_buf_putc(&cli->out, '\n');
    return rc;
}

/* ---- what nobody foretold ---- */

static void put_miss(const struct view *view, struct oc_table *table,
                     const struct oc_replay_end *end)
{
    const struct oc_replay_name *name = &view->replay->names[end->name];
    char text[64];

    oc_table_cell(table, time_text(view, end->t_ms, text, sizeof(text)));
    put_name(table, name);
    oc_table_cellf(table, "%s %s", oc_backtest_limit_name(name),
                   value_text(end->limit, name->metric, text, sizeof(text)));
}

static int put_misses(const struct view *view)
{
    static const struct oc_column columns[] = {
        { "NOT FORETOLD", OC_ALIGN_LEFT, 0, 0 },   { "SUBJECT", OC_ALIGN_LEFT, 40, OC_SHRINKS },
        { "PID", OC_ALIGN_RIGHT, 0, OC_GOES(2) },  { "METRIC", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "LIMIT", OC_ALIGN_LEFT, 0, OC_SHRINKS }, { 0 },
    };
    struct oc_cli *cli = view->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    size_t most = (size_t)oc_cli_number(cli, "rows", DEFAULT_ROWS), count = 0;
    struct oc_table table;
    int rc = OC_OK;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < view->replay->end_count; i++) {
        if (oc_backtest_is_miss(&view->replay->ends[i]) && (count++ < most || most == 0))
            put_miss(view, &table, &view->replay->ends[i]);
    }
    for (size_t column = 1; column < 4; column++)
        oc_table_hide_empty(&table, column);
    if (count > 0)
        rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    if (most > 0 && count > most)
        oc_buf_printf(&cli->out, "%zu more; --rows 0 shows all.\n", count - most);
    if (count > 0)
        oc_buf_putc(&cli->out, '\n');
    return rc;
}

/* ---- the methods side by side ---- */

static void number_cell(struct oc_table *table, uint64_t number)
{
    oc_table_cellf(table, "%" PRIu64, number);
}

static void put_method(struct oc_table *table, const struct oc_replay *replay, unsigned method,
                       const struct oc_replay_tally *tally)
{
    char text[40];

    oc_table_cell(table, oc_replay_method_name(method));
    number_cell(table, tally->alerts);
    oc_table_cellf(table, "%" PRIu64 " of %" PRIu64, tally->met, (uint64_t)replay->end_count);
    oc_table_cell(table, oc_ahead_time(tally->lead_s, text, sizeof(text)));
    number_cell(table, tally->cleared);
    if (oc_ahead_is_known(tally->false_per_week))
        oc_table_cellf(table, "%.2g", tally->false_per_week);
    else
        oc_table_cell(table, NULL);
    number_cell(table, tally->restarted);
    number_cell(table, tally->moved);
    number_cell(table, tally->stands);
}

static int put_methods(const struct view *view)
{
    static const struct oc_column columns[] = {
        { "METHOD", OC_ALIGN_LEFT, 0, 0 },
        { "ALERTS", OC_ALIGN_RIGHT, 0, 0 },
        { "FORETOLD", OC_ALIGN_RIGHT, 0, 0 },
        { "LEAD", OC_ALIGN_RIGHT, 0, 0 },
        { "FALSE", OC_ALIGN_RIGHT, 0, 0 },
        { "A WEEK", OC_ALIGN_RIGHT, 0, 0 },
        { "RESTARTED", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "LIMIT MOVED", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "STANDS", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { 0 },
    };
    struct oc_cli *cli = view->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    unsigned methods = view->replay->with_rules ? OC_METHODS : 1;
    struct oc_table table;
    int rc = OC_OK;

    oc_table_init(&table, columns);
    for (unsigned i = 0; i < methods && !rc; i++) {
        struct oc_replay_tally tally;

        rc = oc_replay_tally(view->replay, (enum oc_replay_method)i, &tally);
        if (!rc)
            put_method(&table, view->replay, i, &tally);
    }
    if (!rc)
        rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    oc_buf_putc(&cli->out, '\n');
    return rc;
}

/* ---- in words ---- */

static void put_size(const struct view *view)
{
    const struct oc_replay *replay = view->replay;
    char span[40] = "", from[40] = "", to[40] = "";

    if (replay->samples == 0) {
        oc_buf_puts(&view->cli->out, "There are no samples of that time.\n");
        return;
    }
    oc_buf_printf(
        &view->cli->out,
        "Replayed %" PRIu64 " samples of %" PRIu64 " series in %" PRIu64 " %s, %s to %s (%s).\n\n",
        replay->samples, replay->series, replay->lives, replay->lives == 1 ? "life" : "lives",
        time_text(view, replay->begin_ms, from, sizeof(from)),
        time_text(view, replay->end_ms, to, sizeof(to)),
        oc_ahead_time((double)(replay->end_ms - replay->begin_ms) / MS_PER_S, span, sizeof(span)));
}

static void put_intervals(const struct view *view)
{
    const struct oc_accuracy *sum = &view->replay->accuracy;
    struct oc_buf *out = &view->cli->out;

    if (sum->judged < FEW) {
        oc_buf_printf(out,
                      "The outcome of %" PRIu64 " interval%s is known: too few to judge them.\n",
                      sum->judged, sum->judged == 1 ? "" : "s");
        return;
    }
    oc_buf_printf(out,
                  "Intervals: %.0f %% of %" PRIu64
                  " held what happened (80 %% is what they promise); %" PRIu64
                  " times the end came before, %" PRIu64 " times after or not at all.\n",
                  100.0 * (double)sum->inside / (double)sum->judged, sum->judged, sum->early,
                  sum->late);
    if (sum->errors)
        oc_buf_printf(out, "The time to the limit was off by a factor of %.2f in the mean.\n",
                      exp(sum->error_sum / (double)sum->errors));
}

static void put_notes(const struct view *view)
{
    struct oc_buf *out = &view->cli->out;

    if (view->replay->dropped)
        oc_buf_printf(out, "%" PRIu64 " more alerts or ends were not kept.\n",
                      view->replay->dropped);
    if (view->replay->with_rules)
        oc_buf_puts(out,
                    "Rules must say so for 10 minutes. A line is the least-squares fit of the "
                    "last hour, to meet the limit\nwithin 4 hours, or of 6 hours, within 24.\n");
}

int oc_backtest_text(struct oc_cli *cli, const struct oc_replay *replay)
{
    const struct view all = { cli, replay }, *view = &all;
    int rc;

    put_size(view);
    if (replay->samples == 0)
        return OC_OK;
    rc = put_alerts(view);
    if (!rc)
        rc = put_misses(view);
    if (!rc)
        rc = put_methods(view);
    put_intervals(view);
    put_notes(view);
    return rc;
}
