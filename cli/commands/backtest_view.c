/* oomcast backtest: what was replayed, for people and as JSON. */
#include "cli/commands/backtest.h"

#include "base/limit.h"
#include "base/metric.h"
#include "cli/show/ahead.h"
#include "cli/show/json.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define DEFAULT_ROWS 40
#define LEAST_WALL_MS                                                                              \
    INT64_C(100000000000) /* 1973: times below count from a trace's own beginning */
#define FEW 10            /* judged intervals below which a share says nothing */
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
    if (t_ms >= LEAST_WALL_MS)
        return oc_timespec_short(t_ms, view->cli->now_unix_ms, out, out_bytes);
    return oc_value_span(t_ms, out, out_bytes);
}

static const char *limit_name(const struct oc_replay_name *name)
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

static void put_alert(const struct view *view, struct oc_table *table,
                      const struct oc_replay_alert *alert)
{
    const struct oc_replay_name *name = &view->replay->names[alert->name];
    const struct oc_metric_row *metric = oc_metric_by_number(name->metric);
    char text[160];

    oc_table_cell(table, time_text(view, alert->raised_ms, text, sizeof(text)));
    oc_table_cell(table, name->subject);
    if (name->pid)
        oc_table_cellf(table, "%" PRIu32, name->pid);
    else
        oc_table_cell(table, NULL);
    oc_table_cell(table, metric ? metric->name : NULL);
    oc_table_cell(table, value_text(alert->value, name->metric, text, sizeof(text)));
    oc_table_cellf(table, "%s %s", limit_name(name),
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
    oc_table_cellf(table, "%" PRIu64 " of %" PRIu64, tally->met, replay->ends);
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
        &view->cli->out, "Replayed %" PRIu64 " samples of %" PRIu64 " %s, %s to %s (%s).\n\n",
        replay->samples, replay->lives, replay->lives == 1 ? "life" : "lives",
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
        oc_buf_printf(out, "%" PRIu64 " more alerts were not kept.\n", view->replay->dropped);
    if (view->replay->with_rules)
        oc_buf_puts(out,
                    "Rules must say so for 10 minutes. A line is the least-squares fit of the "
                    "last hour, to meet the limit\nwithin 4 hours, or of 6 hours, within 24.\n");
}

static int put_text(const struct view *view)
{
    int rc;

    put_size(view);
    if (view->replay->samples == 0)
        return OC_OK;
    rc = put_alerts(view);
    if (!rc)
        rc = put_methods(view);
    put_intervals(view);
    put_notes(view);
    return rc;
}

/* ---- JSON ---- */

static void json_time(const struct view *view, struct oc_json *json, const char *key, int64_t t_ms)
{
    (void)view;
    if (t_ms >= LEAST_WALL_MS)
        oc_json_put_time(json, key, t_ms);
    else
        oc_json_put_dbl(json, key, (double)t_ms / MS_PER_S);
}

/* never: no key says more than null, which stands for it where there is a forecast. */
static void json_alert(const struct view *view, struct oc_json *json,
                       const struct oc_replay_alert *alert)
{
    const struct oc_replay_name *name = &view->replay->names[alert->name];
    const struct oc_metric_row *metric = oc_metric_by_number(name->metric);

    oc_json_object(json);
    oc_json_put_str(json, "method", oc_replay_method_name(alert->method));
    oc_json_put_str(json, "subject", name->subject);
    if (name->source)
        oc_json_put_u64(json, "source", name->source);
    if (name->pid)
        oc_json_put_u64(json, "pid", name->pid);
    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    oc_json_put_str(json, "limit", limit_name(name));
    if (name->where[0])
        oc_json_put_str(json, "where", name->where);
    oc_json_put_dbl(json, "limit_value", alert->limit);
    oc_json_put_dbl(json, "value", alert->value);
    json_time(view, json, "raised", alert->raised_ms);
    json_time(view, json, "over", alert->over_ms);
    oc_json_put_dbl(json, "after_s", (double)(alert->over_ms - alert->raised_ms) / MS_PER_S);
    oc_json_put_str(json, "came", oc_replay_came_name(alert->came));
    if (oc_ahead_is_known(alert->growth_per_h))
        oc_json_put_dbl(json, "growth_per_h", alert->growth_per_h);
    oc_json_put_dbl(json, "p10_s", alert->p10_s);
    oc_json_put_dbl(json, "p50_s", alert->p50_s);
    oc_json_put_dbl(json, "p90_s", alert->p90_s);
    oc_json_object_end(json);
}

static int json_method(const struct view *view, struct oc_json *json, unsigned method)
{
    struct oc_replay_tally tally;
    int rc = oc_replay_tally(view->replay, (enum oc_replay_method)method, &tally);

    if (rc)
        return rc;
    oc_json_object(json);
    oc_json_put_str(json, "method", oc_replay_method_name(method));
    oc_json_put_u64(json, "alerts", tally.alerts);
    oc_json_put_u64(json, "foretold", tally.met);
    oc_json_put_u64(json, "false", tally.cleared);
    oc_json_put_u64(json, "restarted", tally.restarted);
    oc_json_put_u64(json, "limit_moved", tally.moved);
    oc_json_put_u64(json, "stands", tally.stands);
    oc_json_put_dbl(json, "false_per_week", tally.false_per_week);
    oc_json_put_dbl(json, "lead_s", tally.lead_s);
    oc_json_put_dbl(json, "lead_p10_s", tally.least_lead_s);
    oc_json_object_end(json);
    return OC_OK;
}

static void json_accuracy(struct oc_json *json, const struct oc_accuracy *sum)
{
    oc_json_key(json, "intervals");
    oc_json_object(json);
    oc_json_put_u64(json, "judged", sum->judged);
    oc_json_put_u64(json, "inside", sum->inside);
    oc_json_put_u64(json, "early", sum->early);
    oc_json_put_u64(json, "late", sum->late);
    oc_json_put_u64(json, "censored", sum->censored);
    if (sum->errors)
        oc_json_put_dbl(json, "error_factor", exp(sum->error_sum / (double)sum->errors));
    oc_json_object_end(json);
}

static int put_json(const struct view *view)
{
    const struct oc_replay *replay = view->replay;
    unsigned methods = replay->with_rules ? OC_METHODS : 1;
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &view->cli->out);
    oc_json_object(&json);
    oc_json_put_u64(&json, "samples", replay->samples);
    oc_json_put_u64(&json, "lives", replay->lives);
    oc_json_put_u64(&json, "limits_met", replay->ends);
    if (replay->samples) {
        json_time(view, &json, "begin", replay->begin_ms);
        json_time(view, &json, "end", replay->end_ms);
    }
    oc_json_key(&json, "methods");
    oc_json_array(&json);
    for (unsigned i = 0; i < methods && !rc; i++)
        rc = json_method(view, &json, i);
    oc_json_array_end(&json);
    json_accuracy(&json, &replay->accuracy);
    oc_json_key(&json, "alerts");
    oc_json_array(&json);
    for (size_t i = 0; i < replay->alert_count; i++)
        json_alert(view, &json, &replay->alerts[i]);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&view->cli->out, '\n');
    return rc;
}

int oc_backtest_show(struct oc_cli *cli, const struct oc_replay *replay)
{
    const struct view view = { cli, replay };

    return cli->format == OC_FORMAT_JSON ? put_json(&view) : put_text(&view);
}
