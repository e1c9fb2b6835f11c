#include "cli/model/recording.h"

#include "base/text.h"
#include "cli/show/json.h"
#include "cli/show/spark.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIVE_SPARK 20
#define REPORT_COLUMNS 8

void oc_recording_init(struct oc_recording *recording, unsigned metric)
{
    memset(recording, 0, sizeof(*recording));
    recording->line_metrics[0] = metric;
    recording->line_metrics[1] = metric == OC_METRIC_RSS ? OC_METRIC_PRIVATE : OC_METRIC_RSS;
    for (size_t i = 0; i < OC_RECORDING_LINES; i++)
        oc_series_init(&recording->lines[i]);
}

void oc_recording_clear(struct oc_recording *recording)
{
    for (size_t i = 0; i < OC_RECORDING_LINES; i++)
        oc_series_clear(&recording->lines[i]);
}

int oc_recording_add(struct oc_recording *recording, int64_t t_unix_ms,
                     const struct oc_sample *sample)
{
    int rc = OC_OK;

    recording->end_unix_ms = t_unix_ms;
    recording->samples++;
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (sample->known & OC_METRIC_BIT(bit))
            oc_trend_add(&recording->figures[bit], t_unix_ms, sample->values[bit]);
    }
    for (size_t i = 0; i < OC_RECORDING_LINES && !rc; i++) {
        unsigned bit = recording->line_metrics[i] % OC_BLOCK_METRICS;

        if (sample->known & OC_METRIC_BIT(bit))
            rc = oc_series_add(&recording->lines[i], t_unix_ms, sample->values[bit]);
    }
    return rc;
}

/* ---- CSV ---- */

void oc_recording_csv_head(struct oc_buf *out)
{
    oc_buf_puts(out, "time,elapsed_ms");
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));

        if (row)
            oc_buf_printf(out, ",%s", row->name);
    }
    oc_buf_puts(out, "\r\n");
}

void oc_recording_csv_row(const struct oc_recording *recording, int64_t t_unix_ms,
                          const struct oc_sample *sample, struct oc_buf *out)
{
    char time[48];

    oc_buf_printf(out, "%s,%" PRId64, oc_timespec_format(t_unix_ms, time, sizeof(time)),
                  t_unix_ms - recording->begin_unix_ms);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (!oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit)))
            continue;
        oc_buf_putc(out, ',');
        if (sample->known & OC_METRIC_BIT(bit))
            oc_buf_printf(out, "%" PRId64, sample->values[bit]);
    }
    oc_buf_puts(out, "\r\n");
}

/* ---- how it ended ---- */

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = { { 1, "SIGHUP" },   { 2, "SIGINT" },   { 3, "SIGQUIT" },  { 4, "SIGILL" },
                  { 6, "SIGABRT" },  { 7, "SIGBUS" },   { 8, "SIGFPE" },   { 9, "SIGKILL" },
                  { 11, "SIGSEGV" }, { 13, "SIGPIPE" }, { 14, "SIGALRM" }, { 15, "SIGTERM" } };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    return NULL;
}

const char *oc_end_text(enum oc_end end, int status, char *out, size_t out_bytes)
{
    const char *name;

    switch (end) {
    case OC_END_EXITED:
        if (status >= 0)
            (void)snprintf(out, out_bytes, "exit code %d", status);
        else
            (void)snprintf(out, out_bytes, "exited");
        return out;
    case OC_END_SIGNALED:
        name = signal_name(status);
        if (name)
            (void)snprintf(out, out_bytes, "killed by %s", name);
        else
            (void)snprintf(out, out_bytes, "killed by signal %d", status);
        return out;
    case OC_END_OOM_KILLED:
        (void)snprintf(out, out_bytes, "killed: out of memory");
        return out;
    case OC_END_RECYCLED:
    case OC_END_RUNNING:
    case OC_END_UNKNOWN:
    case OC_END_EXECED:
    case OC_END_UNWATCHED:
        break;
    }
    (void)snprintf(out, out_bytes, "%s", end == OC_END_UNKNOWN ? "ended" : oc_end_name(end));
    return out;
}

/* ---- report ---- */

/* Peaks of several processes do not add up: the one that the first had before they came is no answer. */
static int is_shown(const struct oc_recording *recording, const struct oc_metric_row *row)
{
    return row && recording->figures[row->number % OC_BLOCK_METRICS].count > 0 &&
           (row->number != OC_METRIC_RSS_PEAK || recording->processes <= 1);
}

static void report_head(const struct oc_recording *recording, struct oc_buf *out)
{
    char span[32], interval[32], end[64];
    int64_t duration_ms = recording->end_unix_ms - recording->begin_unix_ms;

    oc_buf_escaped(out, recording->command[0] ? recording->command : recording->facts.name);
    oc_buf_printf(out, " (pid %" PRIu32 "): %s, %" PRIu64 " sample%s every %s",
                  recording->facts.id.pid, oc_value_span(duration_ms, span, sizeof(span)),
                  recording->samples, recording->samples == 1 ? "" : "s",
                  oc_value_span(recording->interval_ms, interval, sizeof(interval)));
    if (recording->late > 0)
        oc_buf_printf(out, " (%" PRIu64 " skipped)", recording->late);
    if (recording->processes > 1)
        oc_buf_printf(out, ", %" PRIu64 " processes (at most %" PRIu64 " at once)",
                      recording->processes, recording->processes_most);
    if (recording->end != OC_END_RUNNING)
        oc_buf_printf(out, "; %s",
                      oc_end_text(recording->end, recording->status, end, sizeof(end)));
    else
        oc_buf_puts(out, "; it still runs");
    oc_buf_putc(out, '\n');
}

static void report_row(struct oc_table *table, const struct oc_metric_row *row,
                       const struct oc_trend *figure)
{
    enum oc_unit unit = (enum oc_unit)row->unit;
    char text[40];
    double per_hour = 0;

    oc_table_cell(table, row->name);
    oc_table_cell(table, oc_value_text(figure->first, unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text(figure->min, unit, text, sizeof(text)));
    oc_table_cell(table,
                  oc_value_text((int64_t)llround(oc_trend_mean(figure)), unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text(figure->max, unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text(figure->last, unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_change(figure->last - figure->first, unit, text, sizeof(text)));
    if (row->kind == OC_KIND_GAUGE && !oc_trend_per_hour(figure, &per_hour))
        oc_table_cell(table, oc_value_change((int64_t)llround(per_hour), unit, text, sizeof(text)));
    else if (table->column_count == REPORT_COLUMNS)
        oc_table_cell(table, NULL);
}

/* Too short a run has no rates: the last column goes. */
static int has_rates(const struct oc_recording *recording)
{
    double per_hour;

    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (!oc_trend_per_hour(&recording->figures[bit], &per_hour))
            return 1;
    }
    return 0;
}

static int report_table(const struct oc_recording *recording, int color, int utf8,
                        struct oc_buf *out)
{
    static const struct oc_column columns[] = { { "METRIC", OC_ALIGN_LEFT, 0, 0 },
                                                { "FIRST", OC_ALIGN_RIGHT, 0, 0 },
                                                { "MIN", OC_ALIGN_RIGHT, 0, 0 },
                                                { "MEAN", OC_ALIGN_RIGHT, 0, 0 },
                                                { "MAX", OC_ALIGN_RIGHT, 0, 0 },
                                                { "LAST", OC_ALIGN_RIGHT, 0, 0 },
                                                { "CHANGE", OC_ALIGN_RIGHT, 0, 0 },
                                                { "PER HOUR", OC_ALIGN_RIGHT, 0, 0 },
                                                { 0 } };
    struct oc_table_style style = { .width = 0, .color = color, .utf8 = utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    table.column_count = has_rates(recording) ? REPORT_COLUMNS : REPORT_COLUMNS - 1;
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));
        const struct oc_trend *figure = &recording->figures[bit];

        if (is_shown(recording, row) && (figure->max != 0 || figure->min != 0))
            report_row(&table, row, figure);
    }
    rc = oc_table_print(&table, &style, out);
    oc_table_clear(&table);
    return rc;
}

static void fill_plot(const struct oc_recording *recording, struct oc_plot *plot, size_t lines)
{
    const struct oc_metric_row *row = oc_metric_by_number(recording->line_metrics[0]);

    memset(plot, 0, sizeof(*plot));
    plot->unit = (enum oc_unit)row->unit;
    plot->title = row->name;
    plot->t0_unix_ms = plot->origin_ms = recording->begin_unix_ms;
    plot->t1_unix_ms = recording->end_unix_ms;
    for (size_t i = 0; i < lines; i++) {
        const struct oc_metric_row *line = oc_metric_by_number(recording->line_metrics[i]);

        if (line->unit != row->unit)
            continue;
        plot->series[plot->series_count].name = line->name;
        plot->series[plot->series_count].points = recording->lines[i].points;
        plot->series[plot->series_count++].count = recording->lines[i].count;
    }
}

int oc_recording_report(const struct oc_recording *recording, int color, int utf8,
                        const struct oc_chart_style *chart, struct oc_buf *out)
{
    struct oc_plot plot;
    int rc = OC_OK;

    if (chart && recording->lines[0].count > 1) {
        fill_plot(recording, &plot, 1);
        rc = oc_chart(&plot, chart, out);
        oc_buf_putc(out, '\n');
    }
    report_head(recording, out);
    if (!rc && recording->samples > 0)
        rc = report_table(recording, color, utf8, out);
    return rc ? rc : out->err;
}

int oc_recording_svg(const struct oc_recording *recording, struct oc_buf *out)
{
    struct oc_plot plot;
    const char *name = recording->command[0] ? recording->command : recording->facts.name;
    char cut[96], title[128], span[32];

    fill_plot(recording, &plot, OC_RECORDING_LINES);
    oc_text_copy_utf8(cut, sizeof(cut), name, strlen(name));
    (void)snprintf(title, sizeof(title), "%s (pid %" PRIu32 ")", cut, recording->facts.id.pid);
    plot.title = title;
    plot.subtitle =
        oc_value_span(recording->end_unix_ms - recording->begin_unix_ms, span, sizeof(span));
    return oc_svg(&plot, out);
}

/* ---- JSON ---- */

static void json_figure(struct oc_json *json, const struct oc_metric_row *row,
                        const struct oc_trend *figure)
{
    double per_hour = 0;

    oc_json_key(json, row->name);
    oc_json_object(json);
    oc_json_put_i64(json, "first", figure->first);
    oc_json_put_i64(json, "min", figure->min);
    oc_json_put_dbl(json, "mean", oc_trend_mean(figure));
    oc_json_put_i64(json, "max", figure->max);
    oc_json_put_i64(json, "last", figure->last);
    if (row->kind == OC_KIND_GAUGE && !oc_trend_per_hour(figure, &per_hour))
        oc_json_put_dbl(json, "growth_per_hour", per_hour);
    oc_json_object_end(json);
}

static void json_head(struct oc_json *json, const struct oc_recording *recording)
{
    oc_json_put_u64(json, "pid", recording->facts.id.pid);
    oc_json_put_str(json, "name", recording->facts.name);
    if (recording->command[0])
        oc_json_put_str(json, "command", recording->command);
    else if (recording->facts.cmdline[0])
        oc_json_put_str(json, "command", recording->facts.cmdline);
    oc_json_put_time(json, "begin", recording->begin_unix_ms);
    oc_json_put_time(json, "end", recording->end_unix_ms);
    oc_json_put_i64(json, "duration_ms", recording->end_unix_ms - recording->begin_unix_ms);
    oc_json_put_i64(json, "interval_ms", recording->interval_ms);
    oc_json_put_u64(json, "samples", recording->samples);
    oc_json_put_u64(json, "skipped", recording->late);
    oc_json_put_u64(json, "processes", recording->processes);
    oc_json_put_u64(json, "processes_at_once", recording->processes_most);
    oc_json_put_str(json, "ended", oc_end_name(recording->end));
    if (recording->status >= 0 && recording->end == OC_END_EXITED)
        oc_json_put_i64(json, "exit_code", recording->status);
    if (recording->status >= 0 && recording->end == OC_END_SIGNALED)
        oc_json_put_i64(json, "signal", recording->status);
}

void oc_recording_json(const struct oc_recording *recording, struct oc_buf *out)
{
    struct oc_json json;

    oc_json_init(&json, out);
    oc_json_object(&json);
    json_head(&json, recording);
    oc_json_key(&json, "figures");
    oc_json_object(&json);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));

        if (is_shown(recording, row))
            json_figure(&json, row, &recording->figures[bit]);
    }
    oc_json_object_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
}

/* ---- the live line ---- */

static void live_spark(const struct oc_series *series, int utf8, struct oc_buf *out)
{
    int64_t values[LIVE_SPARK];
    size_t count = series->count < LIVE_SPARK ? series->count : LIVE_SPARK;

    for (size_t i = 0; i < count; i++)
        values[i] = series->points[series->count - count + i].max;
    oc_spark(values, count, utf8, out);
}

void oc_recording_live(const struct oc_recording *recording, int columns, int utf8,
                       struct oc_buf *out)
{
    const struct oc_metric_row *row = oc_metric_by_number(recording->line_metrics[0]);
    const struct oc_trend *main = &recording->figures[row->number % OC_BLOCK_METRICS];
    const struct oc_trend *rss = &recording->figures[OC_METRIC_RSS];
    enum oc_unit unit = (enum oc_unit)row->unit;
    struct oc_buf line;
    char text[40];

    oc_buf_init(&line, 4096);
    oc_buf_escaped(&line, recording->facts.name);
    oc_buf_printf(
        &line, " %" PRIu32 "  %s  ", recording->facts.id.pid,
        oc_value_span(recording->end_unix_ms - recording->begin_unix_ms, text, sizeof(text)));
    if (main->count > 0) {
        oc_buf_printf(&line, "%s %s", row->name,
                      oc_value_text(main->last, unit, text, sizeof(text)));
        oc_buf_printf(&line, " (%s, peak ",
                      oc_value_change(main->last - main->first, unit, text, sizeof(text)));
        oc_buf_printf(&line, "%s)  ", oc_value_text(main->max, unit, text, sizeof(text)));
    }
    if (rss->count > 0 && row->number != OC_METRIC_RSS)
        oc_buf_printf(&line, "rss %s  ",
                      oc_value_text(rss->last, OC_UNIT_BYTES, text, sizeof(text)));
    live_spark(&recording->lines[0], utf8, &line);
    if (line.data && oc_text_columns(line.data) > (size_t)columns)
        oc_value_cut(line.data, (size_t)columns, utf8, out);
    else
        oc_buf_puts(out, line.data ? line.data : "");
    oc_buf_clear(&line);
}
