/* oomcast history: what a figure of a subject did. */
#include "cli/model/history.h"
#include "cli/cli.h"
#include "cli/show/json.h"
#include "cli/show/plot.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_RANGE_MS INT64_C(86400000)
#define TABLE_POINTS 30
#define FILE_POINTS 1000 /* of CSV, JSON and SVG where no --step says otherwise */
#define CHART_ROWS 16
#define MAX_CHART_COLUMNS 140
#define MAX_SVG_BYTES (32u << 20)
#define FLUSH_BYTES (1u << 20)
#define GAP_STEPS 3 /* points further apart than so many steps are not joined */

/* ---- text ---- */

static enum oc_unit unit_of(const struct oc_history *history)
{
    return (enum oc_unit)oc_metric_by_number(history->metric)->unit;
}

/* "min 10.0 MiB  mean …  last …  change +1.2 MiB (+14 MiB/h)". */
static void put_trend(const struct oc_history *history, const struct oc_trend *trend,
                      struct oc_buf *out)
{
    const struct oc_metric_row *row = oc_metric_by_number(history->metric);
    enum oc_unit unit = (enum oc_unit)row->unit;
    char text[40];
    double per_hour;

    oc_buf_printf(out, "min %s", oc_value_text(trend->min, unit, text, sizeof(text)));
    oc_buf_printf(out, "  mean %s",
                  oc_value_text((int64_t)llround(oc_trend_mean(trend)), unit, text, sizeof(text)));
    oc_buf_printf(out, "  max %s", oc_value_text(trend->max, unit, text, sizeof(text)));
    oc_buf_printf(out, "  last %s", oc_value_text(trend->last, unit, text, sizeof(text)));
    oc_buf_printf(out, "  change %s",
                  oc_value_change(trend->last - trend->first, unit, text, sizeof(text)));
    if (row->kind == OC_KIND_GAUGE && !oc_trend_per_hour(trend, &per_hour))
        oc_buf_printf(out, " (%s/h)",
                      oc_value_change((int64_t)llround(per_hour), unit, text, sizeof(text)));
    oc_buf_putc(out, '\n');
}

static void put_head(const struct oc_cli *cli, const struct oc_history *history,
                     const struct oc_history_line *line, struct oc_buf *out)
{
    char from[32], to[32], step[32];

    oc_buf_escaped(out, line->name);
    if (line->sources > 1)
        oc_buf_printf(out, " (%zu lives, summed up)", line->sources);
    else if (line->pid && !strchr(line->name, ' '))
        oc_buf_printf(out, " (pid %" PRIu32 ")", line->pid);
    oc_buf_printf(out, "  %s  %s to %s", oc_metric_by_number(history->metric)->name,
                  oc_timespec_short(line->trend.t0_ms, cli->now_unix_ms, from, sizeof(from)),
                  oc_timespec_short(line->trend.t1_ms, cli->now_unix_ms, to, sizeof(to)));
    oc_buf_printf(out, "  %" PRIu64 " samples", line->trend.count);
    if (history->step_ms > 0)
        oc_buf_printf(out, "  step %s", oc_value_span(history->step_ms, step, sizeof(step)));
    oc_buf_putc(out, '\n');
}

static void put_row(const struct oc_cli *cli, const struct oc_history *history,
                    const struct oc_point *point, struct oc_table *table)
{
    enum oc_unit unit = unit_of(history);
    char text[40];

    oc_table_cell(table, oc_timespec_short(point->t_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    oc_table_cellf(table, "%" PRIu64, point->count);
    oc_table_cell(table, oc_value_text(point->min, unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text((int64_t)llround(point->mean), unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text(point->max, unit, text, sizeof(text)));
    oc_table_cell(table, oc_value_text(point->last, unit, text, sizeof(text)));
}

static int print_line_table(struct oc_cli *cli, const struct oc_history *history,
                            const struct oc_history_line *line)
{
    static const struct oc_column columns[] = { { "TIME", OC_ALIGN_LEFT, 0, 0 },
                                                { "SAMPLES", OC_ALIGN_RIGHT, 0, OC_GOES(3) },
                                                { "MIN", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
                                                { "MEAN", OC_ALIGN_RIGHT, 0, 0 },
                                                { "MAX", OC_ALIGN_RIGHT, 0, 0 },
                                                { "LAST", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
                                                { 0 } };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < line->count; i++)
        put_row(cli, history, &line->points[i], &table);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

static void plot_of_line(const struct oc_history *history, const struct oc_history_line *line,
                         struct oc_plot *plot)
{
    plot->series[plot->series_count].name = line->name;
    plot->series[plot->series_count].points = line->points;
    plot->series[plot->series_count++].count = line->count;
    plot->unit = unit_of(history);
    plot->t0_unix_ms = history->t0_unix_ms;
    plot->t1_unix_ms = history->t1_unix_ms;
}

/* Gaps are where nobody looked: wider than some steps, and than some of the usual distances of its points. */
static int64_t gap_of(const struct oc_history *history, const struct oc_history_line *line)
{
    int64_t usual_ms = 0;

    if (line->count > 1)
        usual_ms = (line->points[line->count - 1].t_unix_ms - line->points[0].t_unix_ms) /
                   (int64_t)(line->count - 1);
    return GAP_STEPS * (usual_ms > history->step_ms ? usual_ms : history->step_ms) + 1;
}

static int print_line_chart(struct oc_cli *cli, const struct oc_history *history,
                            const struct oc_history_line *line)
{
    struct oc_plot plot = { 0 };
    struct oc_chart_style style = { cli->width, CHART_ROWS, cli->utf8, cli->color };

    if (style.columns > MAX_CHART_COLUMNS)
        style.columns = MAX_CHART_COLUMNS;
    plot_of_line(history, line, &plot);
    plot.gap_ms = gap_of(history, line);
    return oc_chart(&plot, &style, &cli->out);
}

static int print_text(struct oc_cli *cli, const struct oc_history *history)
{
    int as_chart = !oc_cli_has(cli, "table") && (cli->is_tty || oc_cli_has(cli, "chart"));
    int rc = OC_OK;

    for (size_t i = 0; i < history->line_count && !rc; i++) {
        const struct oc_history_line *line = &history->lines[i];

        if (i > 0)
            oc_buf_putc(&cli->out, '\n');
        if (line->count == 0) {
            oc_buf_escaped(&cli->out, line->name);
            oc_buf_puts(&cli->out, ": no samples of it in that time\n");
            continue;
        }
        put_head(cli, history, line, &cli->out);
        if (as_chart && line->count > 1)
            rc = print_line_chart(cli, history, line);
        else
            rc = print_line_table(cli, history, line);
        put_trend(history, &line->trend, &cli->out);
    }
    return rc;
}

/* ---- CSV and JSON ---- */

static int print_csv(struct oc_cli *cli, const struct oc_history *history)
{
    char time[48];
    int rc = OC_OK;

    oc_buf_puts(&cli->out, "time,subject,pid,metric,samples,min,mean,max,first,last\r\n");
    for (size_t i = 0; i < history->line_count; i++) {
        const struct oc_history_line *line = &history->lines[i];

        for (size_t p = 0; p < line->count && !rc; p++) {
            const struct oc_point *point = &line->points[p];

            oc_buf_printf(&cli->out, "%s,",
                          oc_timespec_format(point->t_unix_ms, time, sizeof(time)));
            oc_buf_csv_field(&cli->out, line->subject);
            oc_buf_putc(&cli->out, ',');
            if (line->pid)
                oc_buf_printf(&cli->out, "%" PRIu32, line->pid);
            oc_buf_printf(&cli->out,
                          ",%s,%" PRIu64 ",%" PRId64 ",%.15g,%" PRId64 ",%" PRId64 ",%" PRId64
                          "\r\n",
                          oc_metric_by_number(history->metric)->name, point->count, point->min,
                          point->mean, point->max, point->first, point->last);
            if (cli->out.len_bytes > FLUSH_BYTES)
                rc = oc_cli_flush(cli);
        }
    }
    return rc;
}

static void json_point(struct oc_json *json, const struct oc_point *point)
{
    oc_json_object(json);
    oc_json_put_time(json, "time", point->t_unix_ms);
    oc_json_put_u64(json, "samples", point->count);
    oc_json_put_i64(json, "min", point->min);
    oc_json_put_dbl(json, "mean", point->mean);
    oc_json_put_i64(json, "max", point->max);
    oc_json_put_i64(json, "first", point->first);
    oc_json_put_i64(json, "last", point->last);
    oc_json_object_end(json);
}

static void json_trend(struct oc_json *json, const struct oc_trend *trend)
{
    double per_hour;

    if (trend->count == 0)
        return;
    oc_json_put_u64(json, "samples", trend->count);
    oc_json_put_i64(json, "first", trend->first);
    oc_json_put_i64(json, "min", trend->min);
    oc_json_put_dbl(json, "mean", oc_trend_mean(trend));
    oc_json_put_i64(json, "max", trend->max);
    oc_json_put_i64(json, "last", trend->last);
    if (!oc_trend_per_hour(trend, &per_hour))
        oc_json_put_dbl(json, "growth_per_hour", per_hour);
}

static int json_line(struct oc_cli *cli, struct oc_json *json, const struct oc_history_line *line)
{
    int rc = OC_OK;

    oc_json_object(json);
    oc_json_put_str(json, "subject", line->subject);
    if (line->pid)
        oc_json_put_u64(json, "pid", line->pid);
    oc_json_put_u64(json, "lives", line->sources);
    json_trend(json, &line->trend);
    oc_json_key(json, "points");
    oc_json_array(json);
    for (size_t p = 0; p < line->count && !rc; p++) {
        json_point(json, &line->points[p]);
        if (cli->out.len_bytes > FLUSH_BYTES)
            rc = oc_cli_flush(cli);
    }
    oc_json_array_end(json);
    oc_json_object_end(json);
    return rc;
}

static int print_json(struct oc_cli *cli, const struct oc_history *history)
{
    const struct oc_metric_row *row = oc_metric_by_number(history->metric);
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_str(&json, "metric", row->name);
    oc_json_put_str(&json, "unit", oc_unit_name((enum oc_unit)row->unit));
    if (history->step_ms > 0)
        oc_json_put_i64(&json, "step_ms", history->step_ms);
    oc_json_key(&json, "lines");
    oc_json_array(&json);
    for (size_t i = 0; i < history->line_count && !rc; i++)
        rc = json_line(cli, &json, &history->lines[i]);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
    return rc;
}

/* ---- SVG ---- */

static int write_svg(const struct oc_cli *cli, const struct oc_history *history, const char *path)
{
    const struct oc_metric_row *row = oc_metric_by_number(history->metric);
    struct oc_plot plot = { 0 };
    struct oc_buf svg, title;
    char from[48], to[48], subtitle[120];
    int64_t t0_unix_ms = history->t0_unix_ms / 1000 * 1000;
    int64_t t1_unix_ms = history->t1_unix_ms / 1000 * 1000;
    int rc;

    oc_buf_init(&title, 1024);
    oc_buf_init(&svg, MAX_SVG_BYTES);
    for (size_t i = 0; i < history->line_count; i++) {
        int64_t gap_ms = gap_of(history, &history->lines[i]);

        plot_of_line(history, &history->lines[i], &plot);
        if (gap_ms > plot.gap_ms)
            plot.gap_ms = gap_ms;
    }
    oc_buf_printf(&title, "%s: %s",
                  history->line_count == 1 ? history->lines[0].name : cli->args[0], row->name);
    (void)snprintf(subtitle, sizeof(subtitle), "%s to %s",
                   oc_timespec_format(t0_unix_ms, from, sizeof(from)),
                   oc_timespec_format(t1_unix_ms, to, sizeof(to)));
    plot.title = title.data ? title.data : "";
    plot.subtitle = subtitle;
    rc = oc_svg(&plot, &svg);
    if (!rc)
        rc = oc_file_write_atomic(path, svg.data, svg.len_bytes);
    oc_buf_clear(&svg);
    oc_buf_clear(&title);
    return rc;
}

/* ---- the question ---- */

/* Subjects that hold the word: what one may have meant. */
struct near {
    const char *word;
    struct oc_buf *out;
    size_t count;
};

static int take_near(const struct oc_subject_row *row, void *context)
{
    struct near *near = context;

    if (strstr(row->name, near->word) && near->count < 5)
        oc_buf_printf(near->out, "%s%s", near->count++ ? ", " : "", row->name);
    return 0;
}

static int say_nothing_there(struct oc_cli *cli, oc_reader *reader)
{
    struct oc_buf names;
    struct near near = { .word = cli->args[0], .out = &names };
    int rc;

    oc_buf_init(&names, 1024);
    (void)oc_reader_subjects(reader, take_near, &near);
    if (near.count > 0)
        rc = oc_cli_error(cli,
                          "nothing of '%s' in that time; there is %s (a longer --since may "
                          "help)",
                          cli->args[0], names.data);
    else
        rc = oc_cli_error(cli, "nothing of '%s' in the store; 'oomcast lives' lists what there is",
                          cli->args[0]);
    oc_buf_clear(&names);
    return rc;
}

static size_t points_wanted(const struct oc_cli *cli)
{
    int columns = cli->width < MAX_CHART_COLUMNS ? cli->width : MAX_CHART_COLUMNS;

    if (cli->format != OC_FORMAT_TABLE || oc_cli_has(cli, "plot"))
        return FILE_POINTS;
    if (!oc_cli_has(cli, "table") && (cli->is_tty || oc_cli_has(cli, "chart")))
        return (size_t)columns * 2; /* dots of a chart */
    return TABLE_POINTS;
}

/* "available" of the host is host_available_bytes. */
static int find_metric(struct oc_cli *cli, unsigned *out_metric, struct oc_detail *detail)
{
    const char *block = strcmp(cli->args[0], "host") == 0          ? "host"
                        : strncmp(cli->args[0], "cgroup:", 7) == 0 ? "cgroup"
                        : strcmp(cli->args[0], "oomcastd") == 0    ? "self"
                                                                   : "";
    const struct oc_metric_row *row;
    char name[80];

    (void)snprintf(name, sizeof(name), "%s_%.60s", block, cli->args[1]);
    row = oc_metric_by_name(cli->args[1]) ? NULL : oc_metric_by_name(name);
    if (!row)
        return oc_cli_metric(cli->args[1], out_metric, detail);
    *out_metric = row->number;
    return OC_OK;
}

static int fill_ask(struct oc_cli *cli, struct oc_history_ask *ask)
{
    struct oc_detail detail = { 0 };
    uint64_t pid;

    ask->since_unix_ms =
        cli->since_unix_ms ? cli->since_unix_ms : cli->now_unix_ms - DEFAULT_RANGE_MS;
    ask->until_unix_ms = cli->until_unix_ms;
    if (ask->since_unix_ms >= ask->until_unix_ms)
        ask->since_unix_ms = ask->until_unix_ms - DEFAULT_RANGE_MS;
    ask->step_ms = oc_cli_number(cli, "step", 0);
    ask->points = points_wanted(cli);
    ask->every_sample = oc_cli_has(cli, "samples");
    ask->each = oc_cli_has(cli, "each");
    ask->precision = oc_cli_has(cli, "exact") ? OC_PRECISE_EXACT : OC_PRECISE_AUTO;
    if (cli->arg_count > 1 && find_metric(cli, &ask->metric, &detail))
        return oc_cli_usage(cli, "%s", detail.text);
    if (!oc_text_u64(cli->args[0], &pid) && pid > 0 && pid <= UINT32_MAX) {
        ask->pid = (uint32_t)pid;
        return OC_EXIT_OK;
    }
    ask->subject = cli->args[0];
    return OC_EXIT_OK;
}

static int answer(struct oc_cli *cli, const struct oc_history *history)
{
    const char *plot = oc_cli_text(cli, "plot", NULL);
    int rc;

    if (plot) {
        rc = write_svg(cli, history, plot);
        if (rc)
            return oc_cli_error(cli, "cannot write %s: %s", plot, oc_err_text(rc));
        oc_cli_note(cli, "wrote %s", plot);
        if (cli->format == OC_FORMAT_TABLE)
            return OC_EXIT_OK;
    }
    if (cli->format == OC_FORMAT_CSV)
        rc = print_csv(cli, history);
    else if (cli->format == OC_FORMAT_JSON)
        rc = print_json(cli, history);
    else
        rc = print_text(cli, history);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int ask_and_answer(struct oc_cli *cli, oc_reader *reader, const struct oc_history_ask *ask)
{
    static struct oc_history history; /* some KiB: off the stack */
    struct oc_detail detail = { 0 };
    int exit_code;
    int rc = oc_history_load(&history, reader, ask, &detail);

    if (rc == OC_E_NOENT)
        exit_code = say_nothing_there(cli, reader);
    else if (rc)
        exit_code = oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    else
        exit_code = answer(cli, &history);
    oc_history_clear(&history);
    return exit_code;
}

static int run_history(struct oc_cli *cli)
{
    struct oc_history_ask ask = { 0 };
    oc_reader *reader = NULL;
    int exit_code = fill_ask(cli, &ask);

    if (exit_code)
        return exit_code;
    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    exit_code = ask_and_answer(cli, reader, &ask);
    oc_reader_close(reader);
    return exit_code;
}

static const struct oc_cli_option history_options[] = {
    { "step", 0, OC_CLI_DURATION, "TIME", "width of a step; else as many as fit", NULL },
    { "samples", 0, OC_CLI_FLAG, NULL, "every sample instead of steps, a line for each life",
      NULL },
    { "each", 0, OC_CLI_FLAG, NULL, "a line for each life: nothing is summed up", NULL },
    { "exact", 0, OC_CLI_FLAG, NULL, "from raw samples where they still are", NULL },
    { "table", 0, OC_CLI_FLAG, NULL, "a table on a terminal too", NULL },
    { "chart", 0, OC_CLI_FLAG, NULL, "a chart in a pipe too", NULL },
    { "plot", 0, OC_CLI_TEXT, "FILE.svg", "write a chart to a file", NULL },
    { 0 },
};

static const struct oc_cli_example history_examples[] = {
    { "oomcast history nginx", "private memory of all nginx processes in the last day" },
    { "oomcast history 1234 rss --since 6h --step 5m --table", "of one process, in steps" },
    { "oomcast history host available --since yesterday", "what the machine had left" },
    { "oomcast history 'proc:java*' --csv > java.csv", "several subjects, for a spreadsheet" },
    { "oomcast history leaker --plot leak.svg", "as a picture" },
    { 0 },
};

const struct oc_cli_command oc_cmd_history = {
    .name = "history",
    .summary = "what a figure did: chart, table, CSV, JSON, SVG",
    .usage = "[OPTION]... SUBJECT|PID [METRIC]",
    .text =
        "SUBJECT is what 'oomcast top' and 'lives' call it (proc:nginx, unit:shop.service, "
        "cgroup:/PATH, host), what stands behind the first ':' of that (nginx), or a glob over "
        "either. Lives of one subject that are there at the same time are summed up "
        "step by step; min and max are then sums of what each had in the step; process_count says "
        "how many there were.\n\n"
        "Without METRIC: private_bytes of a process, cgroup_current_bytes, "
        "host_available_bytes. Without --since: the last 24 hours. A terminal gets a chart, a "
        "pipe a table.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = history_options,
    .examples = history_examples,
    .min_args = 1,
    .max_args = 2,
    .run = run_history,
};
