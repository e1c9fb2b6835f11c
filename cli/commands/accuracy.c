/* oomcast accuracy: how right the daemon's forecasts were. */
#include "cli/cli.h"
#include "cli/model/verdict.h"
#include "base/ahead.h"
#include "cli/show/json.h"
#include "cli/show/rows.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define S_PER_DAY 86400.0

/* ---- cells ---- */

/* "42 %"; of few their counts: a share of them says nothing. */
static void inside_cell(struct oc_table *table, uint64_t part, uint64_t whole)
{
    if (whole == 0)
        oc_table_cell(table, NULL);
    else if (whole < OC_VERDICT_LEAST)
        oc_table_cellf(table, "%" PRIu64 " of %" PRIu64, part, whole);
    else
        oc_table_cellf(table, "%.0f %%", 100.0 * (double)part / (double)whole);
}

static void count_cell(struct oc_table *table, uint64_t count)
{
    oc_table_cellf(table, "%" PRIu64, count);
}

static void put_row(struct oc_table *table, const struct oc_verdict *verdict)
{
    const struct oc_accuracy *sum = &verdict->sum;
    const struct oc_metric_row *metric = oc_metric_by_number(verdict->metric);
    const struct oc_limit_row *limit = oc_limit_row(verdict->limit_kind);
    double error = oc_verdict_error(sum), lead_s = oc_verdict_lead_s(sum);
    char text[40];

    oc_table_cell(table, verdict->subject);
    oc_table_cell(table, metric ? metric->name : NULL);
    oc_table_cell(table, limit ? limit->name : NULL);
    count_cell(table, sum->judged);
    inside_cell(table, sum->inside, sum->judged);
    count_cell(table, sum->early);
    count_cell(table, sum->late);
    if (oc_ahead_is_known(error))
        oc_table_cellf(table, "%.2fx", error);
    else
        oc_table_cell(table, NULL);
    count_cell(table, sum->ends);
    count_cell(table, sum->foretold);
    oc_table_cell(table, oc_ahead_time(lead_s, text, sizeof(text)));
    count_cell(table, sum->alarms);
    count_cell(table, sum->false_alarms);
    count_cell(table, sum->censored);
    oc_table_cell(table,
                  oc_ahead_time(sum->watched_s > 0 ? sum->watched_s : NAN, text, sizeof(text)));
}

static int put_table(struct oc_cli *cli, const struct oc_verdicts *verdicts)
{
    static const struct oc_column columns[] = {
        { "SUBJECT", OC_ALIGN_PATH, 40, OC_SHRINKS },
        { "METRIC", OC_ALIGN_LEFT, 0, OC_GOES(6) },
        { "LIMIT", OC_ALIGN_LEFT, 24, OC_SHRINKS },
        { "JUDGED", OC_ALIGN_RIGHT, 0, 0 },
        { "INSIDE", OC_ALIGN_RIGHT, 0, 0 },
        { "EARLY", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "LATE", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "ERROR", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "ENDS", OC_ALIGN_RIGHT, 0, 0 },
        { "FORETOLD", OC_ALIGN_RIGHT, 0, 0 },
        { "LEAD", OC_ALIGN_RIGHT, 0, OC_GOES(3) },
        { "ALARMS", OC_ALIGN_RIGHT, 0, 0 },
        { "FALSE", OC_ALIGN_RIGHT, 0, 0 },
        { "CENSORED", OC_ALIGN_RIGHT, 0, OC_GOES(5) },
        { "WATCHED", OC_ALIGN_RIGHT, 0, OC_GOES(4) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < verdicts->count; i++)
        put_row(&table, &verdicts->items[i]);
    oc_table_hide_empty(&table, 1); /* metric and limit: only with --limits */
    oc_table_hide_empty(&table, 2);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

/* ---- in words ---- */

static void put_intervals(struct oc_buf *out, const struct oc_accuracy *sum)
{
    double ratio = oc_verdict_inside(sum), error = oc_verdict_inside_error(sum);

    if (sum->judged < OC_VERDICT_LEAST) {
        oc_buf_printf(out,
                      "Too little to judge: the outcome of %" PRIu64
                      " interval%s is known, %d are needed",
                      sum->judged, sum->judged == 1 ? "" : "s", OC_VERDICT_LEAST);
        if (sum->judged)
            oc_buf_printf(out, " (%" PRIu64 " held it)", sum->inside);
        oc_buf_puts(out, ".\n");
        return;
    }
    oc_buf_printf(out,
                  "Intervals   %.0f %% (+- %.0f) of %" PRIu64
                  " held what happened; 80 %% is what they promise: %s.\n",
                  ratio * 100, error * 100, sum->judged, oc_verdict_word(sum));
    oc_buf_printf(out,
                  "            %" PRIu64 " times the end came before, %" PRIu64
                  " times after or not at all.\n",
                  sum->early, sum->late);
}

static void put_errors(struct oc_buf *out, const struct oc_accuracy *sum)
{
    double error = oc_verdict_error(sum);

    if (oc_ahead_is_known(error))
        oc_buf_printf(out,
                      "Error       the time to the limit was off by a factor of %.2f in the "
                      "mean (%" PRIu64 " forecasts).\n",
                      error, sum->errors);
}

static void put_ends(struct oc_buf *out, const struct oc_accuracy *sum)
{
    double lead_s = oc_verdict_lead_s(sum);
    char text[40];

    oc_buf_printf(out, "Ends        %" PRIu64 " limit%s met", sum->ends,
                  sum->ends == 1 ? " was" : "s were");
    if (sum->ends)
        oc_buf_printf(out, ", %" PRIu64 " of them foretold", sum->foretold);
    if (sum->foretold)
        oc_buf_printf(out, ", %s ahead in the mean", oc_ahead_time(lead_s, text, sizeof(text)));
    oc_buf_puts(out, ".\n");
}

static void put_alarms(struct oc_buf *out, const struct oc_accuracy *sum)
{
    double days = sum->watched_s / S_PER_DAY;
    char text[40];

    oc_buf_printf(out, "Alarms      %" PRIu64 ", %" PRIu64 " of them false", sum->alarms,
                  sum->false_alarms);
    if (days >= 1)
        oc_buf_printf(out, " (%.2f false a month of each series)",
                      (double)sum->false_alarms / days * 30);
    oc_buf_printf(out, "; %s under forecast, all series together.\n",
                  oc_ahead_time(sum->watched_s, text, sizeof(text)));
    if (sum->censored)
        oc_buf_printf(out,
                      "Censored    %" PRIu64
                      ": a restart by plan or a moved limit came first; nothing can be said.\n",
                      sum->censored);
}

static void put_words(struct oc_cli *cli, const struct oc_verdicts *verdicts)
{
    char from[32], to[32];

    if (verdicts->first_unix_ms)
        oc_buf_printf(
            &cli->out, "From %s to %s\n",
            oc_timespec_short(verdicts->first_unix_ms, cli->now_unix_ms, from, sizeof(from)),
            oc_timespec_short(verdicts->last_unix_ms, cli->now_unix_ms, to, sizeof(to)));
    put_intervals(&cli->out, &verdicts->all);
    put_errors(&cli->out, &verdicts->all);
    put_ends(&cli->out, &verdicts->all);
    put_alarms(&cli->out, &verdicts->all);
}

static int print_text(struct oc_cli *cli, const struct oc_verdicts *verdicts)
{
    put_words(cli, verdicts);
    if (verdicts->count < 2 && !verdicts->by_limit)
        return OC_OK;
    oc_buf_putc(&cli->out, '\n');
    return put_table(cli, verdicts);
}

/* ---- JSON, CSV ---- */

static void json_known(struct oc_json *json, const char *key, double value)
{
    if (oc_ahead_is_known(value))
        oc_json_put_dbl(json, key, value);
}

static void json_sum(struct oc_json *json, const struct oc_accuracy *sum)
{
    oc_json_put_u64(json, "judged", sum->judged);
    oc_json_put_u64(json, "inside", sum->inside);
    json_known(json, "inside_ratio", oc_verdict_inside(sum));
    oc_json_put_bool(json, "is_enough",
                     sum->judged >= OC_VERDICT_LEAST && sum->ends >= OC_VERDICT_LEAST_ENDS);
    oc_json_put_u64(json, "early", sum->early);
    oc_json_put_u64(json, "late", sum->late);
    oc_json_put_u64(json, "censored", sum->censored);
    json_known(json, "error_factor", oc_verdict_error(sum));
    oc_json_put_u64(json, "errors", sum->errors);
    oc_json_put_u64(json, "ends", sum->ends);
    oc_json_put_u64(json, "foretold", sum->foretold);
    json_known(json, "lead_s", oc_verdict_lead_s(sum));
    oc_json_put_u64(json, "alarms", sum->alarms);
    oc_json_put_u64(json, "false_alarms", sum->false_alarms);
    oc_json_put_dbl(json, "watched_s", sum->watched_s);
}

static void json_place(struct oc_json *json, const struct oc_verdict *verdict)
{
    const struct oc_metric_row *metric = oc_metric_by_number(verdict->metric);
    const struct oc_limit_row *limit = oc_limit_row(verdict->limit_kind);

    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    if (limit)
        oc_json_put_str(json, "limit", limit->name);
}

static void print_json(struct oc_cli *cli, const struct oc_verdicts *verdicts)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_time(&json, "first", verdicts->first_unix_ms);
    oc_json_put_time(&json, "last", verdicts->last_unix_ms);
    oc_json_key(&json, "all");
    oc_json_object(&json);
    json_sum(&json, &verdicts->all);
    oc_json_object_end(&json);
    oc_json_key(&json, "subjects");
    oc_json_array(&json);
    for (size_t i = 0; i < verdicts->count; i++) {
        oc_json_object(&json);
        oc_json_put_str(&json, "subject", verdicts->items[i].subject);
        json_place(&json, &verdicts->items[i]);
        json_sum(&json, &verdicts->items[i].sum);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static void csv_row(struct oc_rows *rows, const struct oc_verdict *verdict)
{
    const struct oc_accuracy *sum = &verdict->sum;
    const struct oc_metric_row *metric = oc_metric_by_number(verdict->metric);
    const struct oc_limit_row *limit = oc_limit_row(verdict->limit_kind);

    oc_rows_str(rows, verdict->subject);
    oc_rows_str(rows, metric ? metric->name : NULL);
    oc_rows_str(rows, limit ? limit->name : NULL);
    oc_rows_u64(rows, sum->judged);
    oc_rows_u64(rows, sum->inside);
    oc_rows_u64(rows, sum->early);
    oc_rows_u64(rows, sum->late);
    oc_rows_u64(rows, sum->censored);
    oc_rows_known(rows, oc_verdict_error(sum));
    oc_rows_u64(rows, sum->ends);
    oc_rows_u64(rows, sum->foretold);
    oc_rows_known(rows, oc_verdict_lead_s(sum));
    oc_rows_u64(rows, sum->alarms);
    oc_rows_u64(rows, sum->false_alarms);
    oc_rows_known(rows, sum->watched_s);
    oc_rows_end(rows);
}

static void print_csv(struct oc_cli *cli, const struct oc_verdicts *verdicts)
{
    static const char *const columns[] = { "subject",      "metric",       "limit",     "judged",
                                           "inside",       "early",        "late",      "censored",
                                           "error_factor", "ends",         "foretold",  "lead_s",
                                           "alarms",       "false_alarms", "watched_s", NULL };
    struct oc_rows rows;

    oc_rows_begin(&rows, OC_ROWS_CSV, columns, &cli->out);
    for (size_t i = 0; i < verdicts->count; i++)
        csv_row(&rows, &verdicts->items[i]);
}

/* ---- the question ---- */

static int answer(struct oc_cli *cli, const struct oc_verdicts *verdicts, const char *word)
{
    int rc = OC_OK;

    if (verdicts->count == 0 && word)
        return oc_cli_error(cli,
                            "there is no record of '%s' yet; 'oomcast accuracy' lists what "
                            "there is",
                            word);
    if (cli->format == OC_FORMAT_JSON)
        print_json(cli, verdicts);
    else if (cli->format == OC_FORMAT_CSV)
        print_csv(cli, verdicts);
    else if (verdicts->count == 0)
        oc_buf_puts(&cli->out, "Too little to judge: no outcome of a forecast is known yet (0 "
                               "intervals, 0 ends, 0 alarms).\n");
    else
        rc = print_text(cli, verdicts);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_accuracy(struct oc_cli *cli)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : NULL;
    struct oc_verdicts verdicts = { .by_limit = oc_cli_has(cli, "limits") };
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    rc = oc_verdicts_load(&verdicts, reader, word);
    rc = rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : answer(cli, &verdicts, word);
    oc_verdicts_clear(&verdicts);
    oc_reader_close(reader);
    return rc;
}

static const struct oc_cli_option accuracy_options[] = {
    { "limits", 'l', OC_CLI_FLAG, NULL, "a row for each metric and limit of a subject", NULL },
    { 0 },
};

static const struct oc_cli_example accuracy_examples[] = {
    { "oomcast accuracy", "all forecasts of this store, in words and by subject" },
    { "oomcast accuracy unit:shop.service --limits", "of one subject, by metric and limit" },
    { "oomcast accuracy --json | jq .all.false_alarms", "a figure for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_accuracy = {
    .name = "accuracy",
    .summary = "how right the forecasts were: what was said against what happened",
    .usage = "[OPTION]... [SUBJECT]",
    .text =
        "The daemon holds its forecasts against what came of them: some ten of each life, "
        "spaced by the time that was left.\n\n"
        "INSIDE: the end lay within 10 % - 90 %, which is to be so in 80 % of the cases. EARLY: it "
        "came before, LATE: after, or the time passed and nothing happened. ERROR: the factor by "
        "which the time to the limit was off in the mean; 1.10x is a tenth. FORETOLD: limits met "
        "of which "
        "it was said in time that they would be, LEAD before. FALSE: alarms that were taken back. "
        "CENSORED: a restart by plan or a moved limit came first. Below 10 judged intervals "
        "nothing is concluded, and of fewer than three ends nothing good: the intervals of one "
        "life are right or wrong together.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = accuracy_options,
    .examples = accuracy_examples,
    .max_args = 1,
    .run = run_accuracy,
};
