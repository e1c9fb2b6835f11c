/* oomcast lives: processes from first seen to their end, and how they ended. */
#include "cli/commands/lives.h"
#include "cli/cli.h"
#include "cli/model/history.h"
#include "cli/show/ending.h"
#include "cli/show/json.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LIMIT 100
#define MAX_LIVES 100000
#define ROOM_FOR_ALL 120 /* columns of a terminal */
#define OUT_OF_SIGHT_MS 60000
#define OUT_OF_SIGHT_TICKS 3

static int take_life(const struct oc_life_row *row, void *context)
{
    struct oc_lives *lives = context;
    void *items = lives->items;
    struct oc_life *life;

    lives->rc = oc_array_grow(&items, &lives->capacity, lives->count + 1, sizeof(*life), MAX_LIVES);
    lives->items = items;
    if (lives->rc)
        return 1;
    life = &lives->items[lives->count++];
    memset(life, 0, sizeof(*life));
    life->source = row->source;
    life->pid = row->facts.id.pid;
    life->parent_pid = row->facts.parent_pid;
    life->uid = row->facts.uid;
    life->kind = row->kind;
    life->end = row->end;
    life->status = row->status;
    life->killer = row->killer;
    (void)oc_text_copy(life->killer_scope, sizeof(life->killer_scope),
                       row->killer_scope ? row->killer_scope : "");
    (void)oc_text_copy(life->name, sizeof(life->name), row->facts.name);
    life->begin_unix_ms = row->begin_unix_ms;
    life->end_unix_ms = row->end_unix_ms;
    life->last_unix_ms = row->last_unix_ms;
    life->samples = row->samples;
    life->interval_ms = row->interval_ms;
    (void)oc_text_copy(life->subject, sizeof(life->subject), row->subject);
    oc_text_copy_utf8(life->command, sizeof(life->command),
                      row->facts.cmdline[0] ? row->facts.cmdline : row->facts.exe,
                      strlen(row->facts.cmdline[0] ? row->facts.cmdline : row->facts.exe));
    return 0;
}

/* The newest first; running ones by when they began. */
static int newest_first(const void *a, const void *b)
{
    const struct oc_life *x = a, *y = b;

    if (x->begin_unix_ms != y->begin_unix_ms)
        return x->begin_unix_ms < y->begin_unix_ms ? 1 : -1;
    return x->source < y->source ? 1 : -1;
}

static int take_point(const struct oc_point *point, void *context)
{
    *(struct oc_point *)context = *point;
    return 0;
}

/* One step as wide as the life: the tiers answer it from their summaries. */
int oc_lives_read_figure(struct oc_lives *lives, oc_reader *reader, struct oc_life *life)
{
    int64_t end_ms = life->last_unix_ms ? life->last_unix_ms : life->begin_unix_ms;
    struct oc_range range = { .since_unix_ms = life->begin_unix_ms,
                              .until_unix_ms = end_ms + 1000,
                              .metric = lives->metric };
    int rc;

    range.step_ms = range.until_unix_ms - range.since_unix_ms;
    if (range.step_ms <= 0 || !oc_history_kind_has(life->kind, lives->metric))
        return OC_OK;
    rc = oc_reader_range(reader, life->source, &range, take_point, &life->figure);
    return rc < 0 ? rc : OC_OK;
}

static int load(struct oc_lives *lives, oc_reader *reader, const struct oc_life_filter *filter)
{
    int64_t limit =
        oc_cli_number(lives->cli, "limit", oc_cli_has(lives->cli, "last") ? 0 : DEFAULT_LIMIT);
    int rc = oc_reader_lives(reader, filter, take_life, lives);

    if (rc < 0 || lives->rc)
        return rc < 0 ? rc : lives->rc;
    if (lives->count > 1)
        qsort(lives->items, lives->count, sizeof(*lives->items), newest_first);
    if (limit > 0 && (uint64_t)limit < lives->count) {
        oc_cli_note(lives->cli, "the newest %" PRId64 " of %zu; --limit 0 shows all", limit,
                    lives->count);
        lives->count = (size_t)limit;
    }
    for (size_t i = 0; i < lives->count && !oc_cli_has(lives->cli, "last"); i++) {
        rc = oc_lives_read_figure(lives, reader, &lives->items[i]);
        if (rc)
            return rc;
    }
    return OC_OK;
}

/* ---- printing ---- */

/* Still running as far as the store knows, but nobody has looked for a while: the daemon is off. */
static int out_of_sight(const struct oc_lives *lives, const struct oc_life *life)
{
    return life->end_unix_ms == INT64_MAX && life->last_unix_ms > 0 &&
           lives->cli->now_unix_ms - life->last_unix_ms >
               OUT_OF_SIGHT_MS + OUT_OF_SIGHT_TICKS * (int64_t)life->interval_ms;
}

int64_t oc_lives_lasted_ms(const struct oc_lives *lives, const struct oc_life *life)
{
    int64_t end_ms = life->end_unix_ms;

    if (out_of_sight(lives, life))
        end_ms = life->last_unix_ms;
    else if (end_ms == INT64_MAX)
        end_ms = lives->cli->now_unix_ms;

    return end_ms > life->begin_unix_ms ? end_ms - life->begin_unix_ms : 0;
}

static int is_narrow(const struct oc_cli *cli) { return cli->is_tty && cli->width < ROOM_FOR_ALL; }

static void put_row(const struct oc_lives *lives, const struct oc_life *life,
                    struct oc_table *table)
{
    enum oc_unit unit = (enum oc_unit)oc_metric_by_number(lives->metric)->unit;
    int known = life->figure.count > 0;
    char text[320];

    oc_table_cell(table, life->subject);
    oc_table_cellf(table, "%" PRIu32, life->pid);
    oc_table_cell(
        table, oc_timespec_short(life->begin_unix_ms, lives->cli->now_unix_ms, text, sizeof(text)));
    oc_table_cell(table, oc_value_span(oc_lives_lasted_ms(lives, life), text, sizeof(text)));
    if (out_of_sight(lives, life))
        oc_table_cellf(
            table, "last seen %s",
            oc_timespec_short(life->last_unix_ms, lives->cli->now_unix_ms, text, sizeof(text)));
    else
        oc_table_cell(table, (is_narrow(lives->cli) ? oc_ending_short : oc_ending_text)(
                                 life->end, life->status, life->killer, life->killer_scope, text,
                                 sizeof(text)));
    oc_table_cell(table, known ? oc_value_text(life->figure.max, unit, text, sizeof(text)) : NULL);
    oc_table_cell(table, known ? oc_value_change(life->figure.last - life->figure.first, unit, text,
                                                 sizeof(text))
                               : NULL);
    oc_table_cellf(table, "%" PRIu64, life->samples);
    oc_table_cell(table, life->command);
}

static int print_table(struct oc_lives *lives)
{
    static const struct oc_column columns[] = { { "SUBJECT", OC_ALIGN_LEFT, 32, OC_SHRINKS },
                                                { "PID", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
                                                { "BEGIN", OC_ALIGN_LEFT, 0, OC_GOES(3) },
                                                { "LASTED", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
                                                { "END", OC_ALIGN_PATH, 48, 0 },
                                                { "PEAK", OC_ALIGN_RIGHT, 0, 0 },
                                                { "GROWTH", OC_ALIGN_RIGHT, 0, OC_GOES(4) },
                                                { "SAMPLES", OC_ALIGN_RIGHT, 0, OC_GOES(6) },
                                                { "COMMAND", OC_ALIGN_LEFT, 0,
                                                  OC_SHRINKS | OC_GOES(5) },
                                                { 0 } };
    struct oc_cli *cli = lives->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < lives->count; i++)
        put_row(lives, &lives->items[i], &table);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

void oc_lives_json(struct oc_lives *lives, struct oc_json *json, const struct oc_life *life)
{
    const char *metric = oc_metric_by_number(lives->metric)->name;

    oc_json_object(json);
    oc_json_put_u64(json, "source", life->source);
    oc_json_put_str(json, "subject", life->subject);
    oc_json_put_u64(json, "pid", life->pid);
    if (life->parent_pid)
        oc_json_put_u64(json, "parent_pid", life->parent_pid);
    if (life->uid >= 0)
        oc_json_put_i64(json, "uid", life->uid);
    if (life->command[0])
        oc_json_put_str(json, "command", life->command);
    oc_json_put_time(json, "begin", life->begin_unix_ms);
    oc_json_put_time(json, "end", life->end_unix_ms);
    oc_json_put_time(json, "last_sample", life->last_unix_ms);
    oc_json_put_i64(json, "lasted_ms", oc_lives_lasted_ms(lives, life));
    oc_json_put_str(json, "ended", oc_end_name(life->end));
    if (life->end == OC_END_EXITED && life->status >= 0)
        oc_json_put_i64(json, "exit_code", life->status);
    if (life->end == OC_END_SIGNALED && life->status >= 0)
        oc_json_put_i64(json, "signal", life->status);
    if (life->killer != OC_KILLER_UNKNOWN)
        oc_json_put_str(json, "killer", oc_killer_name(life->killer));
    if (life->killer_scope[0])
        oc_json_put_str(json, "killer_scope", life->killer_scope);
    oc_json_put_u64(json, "samples", life->samples);
    if (life->figure.count > 0) {
        oc_json_key(json, metric);
        oc_json_object(json);
        oc_json_put_i64(json, "first", life->figure.first);
        oc_json_put_i64(json, "min", life->figure.min);
        oc_json_put_dbl(json, "mean", life->figure.mean);
        oc_json_put_i64(json, "max", life->figure.max);
        oc_json_put_i64(json, "last", life->figure.last);
        oc_json_object_end(json);
    }
    oc_json_object_end(json);
}

static int print_json(struct oc_lives *lives)
{
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &lives->cli->out);
    oc_json_array(&json);
    for (size_t i = 0; i < lives->count && !rc; i++) {
        oc_lives_json(lives, &json, &lives->items[i]);
        if (lives->cli->out.len_bytes > (1u << 20))
            rc = oc_cli_flush(lives->cli);
    }
    oc_json_array_end(&json);
    oc_buf_putc(&lives->cli->out, '\n');
    return rc;
}

static void csv_life(struct oc_lives *lives, const struct oc_life *life)
{
    struct oc_buf *out = &lives->cli->out;
    char time[48];

    oc_buf_csv_field(out, life->subject);
    oc_buf_printf(out, ",%" PRIu32 ",%s,", life->pid,
                  oc_timespec_format(life->begin_unix_ms, time, sizeof(time)));
    if (life->end_unix_ms != INT64_MAX)
        oc_buf_puts(out, oc_timespec_format(life->end_unix_ms, time, sizeof(time)));
    oc_buf_printf(out, ",%" PRId64 ",%s,", oc_lives_lasted_ms(lives, life), oc_end_name(life->end));
    if (life->status >= 0 && life->end != OC_END_RUNNING)
        oc_buf_printf(out, "%d", life->status);
    oc_buf_printf(out, ",%" PRIu64 ",", life->samples);
    if (life->figure.count > 0)
        oc_buf_printf(out, "%" PRId64 ",%" PRId64 ",%" PRId64, life->figure.first, life->figure.max,
                      life->figure.last);
    else
        oc_buf_puts(out, ",,");
    oc_buf_putc(out, ',');
    oc_buf_csv_field(out, life->command);
    oc_buf_putc(out, ',');
    oc_buf_csv_field(out, oc_killer_name(life->killer));
    oc_buf_putc(out, ',');
    oc_buf_csv_field(out, life->killer_scope);
    oc_buf_puts(out, "\r\n");
}

static int print_csv(struct oc_lives *lives)
{
    const char *metric = oc_metric_by_number(lives->metric)->name;
    int rc = OC_OK;

    oc_buf_printf(&lives->cli->out,
                  "subject,pid,begin,end,lasted_ms,ended,status,samples,first_%s,max_%s,last_%s,"
                  "command,killer,killer_scope\r\n",
                  metric, metric, metric);
    for (size_t i = 0; i < lives->count && !rc; i++) {
        csv_life(lives, &lives->items[i]);
        if (lives->cli->out.len_bytes > (1u << 20))
            rc = oc_cli_flush(lives->cli);
    }
    return rc;
}

static int print(struct oc_lives *lives)
{
    if (lives->cli->format == OC_FORMAT_JSON)
        return print_json(lives);
    if (lives->cli->format == OC_FORMAT_CSV)
        return print_csv(lives);
    return print_table(lives);
}

/* ---- running ---- */

static int fill_filter(struct oc_cli *cli, struct oc_life_filter *filter)
{
    uint64_t pid;

    filter->since_unix_ms = cli->since_unix_ms;
    filter->until_unix_ms = cli->until_unix_ms;
    filter->running_only = oc_cli_has(cli, "running");
    filter->processes_only = 1;
    if (cli->arg_count == 0)
        return OC_EXIT_OK;
    if (!oc_text_u64(cli->args[0], &pid) && pid > 0 && pid <= UINT32_MAX) {
        filter->pid = (uint32_t)pid;
        return OC_EXIT_OK;
    }
    filter->subject = cli->args[0];
    return OC_EXIT_OK;
}

static int answer(struct oc_cli *cli, oc_reader *reader, const struct oc_life_filter *filter)
{
    struct oc_lives lives = { .cli = cli };
    int exit_code = OC_EXIT_OK;
    int rc;

    lives.metric = (unsigned)oc_cli_number(cli, "metric", OC_METRIC_PRIVATE);
    rc = load(&lives, reader, filter);
    if (!rc && lives.count == 0 && cli->format == OC_FORMAT_TABLE)
        oc_cli_note(cli, "no such process in the store");
    else if (!rc && oc_cli_has(cli, "last"))
        exit_code = oc_lives_last(&lives, reader);
    else if (!rc)
        rc = print(&lives);
    oc_free(lives.items);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : exit_code;
}

static int run_lives(struct oc_cli *cli)
{
    struct oc_life_filter filter = { 0 };
    oc_reader *reader = NULL;
    int exit_code = fill_filter(cli, &filter);

    if (exit_code)
        return exit_code;
    if (oc_cli_has(cli, "last") && (filter.running_only || cli->format == OC_FORMAT_CSV))
        return oc_cli_usage(cli, "--last is about one that ended, as text or --json");
    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    exit_code = answer(cli, reader, &filter);
    oc_reader_close(reader);
    return exit_code;
}

static const struct oc_cli_option lives_options[] = {
    { "running", 0, OC_CLI_FLAG, NULL, "only those that still run", NULL },
    { "last", 0, OC_CLI_FLAG, NULL,
      "the one that ended last: who ended it, its last figures and regions", NULL },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "of peak and growth; private_bytes", NULL },
    { "limit", 'n', OC_CLI_INT, "N", "at most so many, the newest; 100, 0 is all", NULL },
    { 0 },
};

static const struct oc_cli_example lives_examples[] = {
    { "oomcast lives", "the newest processes, how they ended, their peaks" },
    { "oomcast lives java --since yesterday", "restarts of one program" },
    { "oomcast lives java --last", "what its memory was made of when it ended, and who ended it" },
    { "oomcast lives --json --limit 0 | jq '.[] | select(.ended == \"oom_killed\")'",
      "those that ran out of memory" },
    { 0 },
};

const struct oc_cli_command oc_cmd_lives = {
    .name = "lives",
    .summary = "processes: begin, end, how they ended, peak, growth",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text = "A life is one process from first seen to its end. \"unwatched\" means that it lives "
            "on, but the daemon left it or stopped. Where the kernel's counters tell who ended it, "
            "END says whose limit it was: of a cgroup, or the host's; or which other killer came.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = lives_options,
    .examples = lives_examples,
    .max_args = 1,
    .run = run_lives,
};
