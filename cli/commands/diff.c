/* oomcast diff: what grew between two times. */
#include "cli/cli.h"
#include "cli/model/growth.h"
#include "cli/show/json.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ROWS 12  /* of each kind */
#define ROOM_FOR_ALL 100 /* columns of a terminal */
#define COLUMN_WITH 6

struct diff {
    struct oc_cli *cli;
    struct oc_moment before, after;
    struct oc_growth growth;
};

/* ---- text ---- */

static void put_processes(struct oc_cli *cli, const struct oc_moment *moment)
{
    const struct oc_party_member *first = &moment->party.items[0];

    if (moment->party.count == 1)
        oc_buf_printf(&cli->out, "pid %" PRIu32, first->pid);
    else
        oc_buf_printf(&cli->out, "%zu processes", moment->party.count);
}

/* "from  10:05:00  pid 4711, walk of 10:04:12, the first there is". */
static void put_moment(struct oc_cli *cli, const char *word, const struct oc_moment *moment)
{
    char text[32];

    oc_buf_printf(&cli->out, "%-5s %s  ", word,
                  oc_timespec_short(moment->t_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    put_processes(cli, moment);
    if (moment->walk_unix_ms)
        oc_buf_printf(
            &cli->out, moment->party.count > 1 ? ", walks from %s on" : ", walk of %s",
            oc_timespec_short(moment->walk_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    else
        oc_buf_puts(&cli->out, ", no walk by then");
    if (moment->is_first)
        oc_buf_puts(&cli->out, ", the first there is");
    if (moment->party.has_ended)
        oc_buf_printf(&cli->out, ", ended %s",
                      oc_timespec_short(moment->party.items[0].end_unix_ms, cli->now_unix_ms, text,
                                        sizeof(text)));
    oc_buf_putc(&cli->out, '\n');
}

static void put_lives(struct oc_cli *cli, const struct diff *diff)
{
    size_t before = diff->before.party.count, after = diff->after.party.count;

    if (diff->growth.common == before && before == after)
        return;
    if (before == 1 && after == 1)
        oc_buf_puts(&cli->out, "Two lives are compared: it was started anew in between.\n");
    else
        oc_buf_printf(&cli->out, "Processes: %zu then, %zu later, %zu the same.\n", before, after,
                      diff->growth.common);
}

static void put_head(struct diff *diff)
{
    struct oc_cli *cli = diff->cli;

    oc_buf_puts(&cli->out, cli->color ? "\033[1m" : "");
    oc_buf_escaped(&cli->out, diff->after.party.items[0].subject);
    oc_buf_puts(&cli->out, cli->color ? "\033[0m\n" : "\n");
    put_moment(cli, "from", &diff->before);
    put_moment(cli, "to", &diff->after);
    put_lives(cli, diff);
    oc_buf_putc(&cli->out, '\n');
}

static void value_cell(struct oc_table *table, int64_t value, enum oc_unit unit)
{
    char text[32];

    if (unit == OC_UNIT_BYTES)
        oc_table_bytes(table, value);
    else
        oc_table_cell(table, oc_value_text(value, unit, text, sizeof(text)));
}

static void change_cell(struct oc_table *table, int64_t change, enum oc_unit unit)
{
    char text[40];

    if (change == 0 || unit != OC_UNIT_BYTES)
        oc_table_cell(table, oc_value_change(change, unit, text, sizeof(text)));
    else
        oc_table_cellf(table, "%s%s", change > 0 ? "+" : "",
                       oc_value_bytes(change, text, sizeof(text)));
}

static void rate_cell(struct oc_table *table, const struct oc_growth_row *row)
{
    if (row->unit == OC_UNIT_BYTES)
        change_cell(table, (int64_t)llround(row->per_hour), OC_UNIT_BYTES);
    else if (fabs(row->per_hour) < 9.95 && fabs(row->per_hour) >= 0.05)
        oc_table_cellf(table, "%+.1f", row->per_hour);
    else
        oc_table_cellf(table, fabs(row->per_hour) < 0.05 ? "0" : "%+.0f", row->per_hour);
}

/* What comes with it: a usage's regions, a family's address space. */
static void with_cell(struct oc_table *table, const struct oc_growth_row *row)
{
    char text[40];

    if (row->with_change == 0)
        oc_table_cell(table, " ");
    else if (row->about == OC_GROWTH_REGION)
        oc_table_cellf(table, "%+" PRId64 " region%s", row->with_change,
                       row->with_change == 1 || row->with_change == -1 ? "" : "s");
    else
        oc_table_cell(table, oc_value_change(row->with_change, OC_UNIT_BYTES, text, sizeof(text)));
}

static int put_table(struct diff *diff)
{
    static const struct oc_column columns[] = {
        { "WHAT", OC_ALIGN_LEFT, 0, 0 },           { "NAME", OC_ALIGN_PATH, 72, OC_SHRINKS },
        { "BEFORE", OC_ALIGN_RIGHT, 0, 0 },        { "AFTER", OC_ALIGN_RIGHT, 0, 0 },
        { "CHANGE", OC_ALIGN_RIGHT, 0, 0 },        { "AN HOUR", OC_ALIGN_RIGHT, 0, 0 },
        { "WITH", OC_ALIGN_RIGHT, 0, OC_GOES(1) }, { 0 },
    };
    struct oc_cli *cli = diff->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    size_t limit = (size_t)oc_cli_number(cli, "limit", DEFAULT_ROWS);
    size_t shown[OC_GROWTH_ABOUTS] = { 0 }, left = 0;
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < diff->growth.count; i++) {
        const struct oc_growth_row *row = &diff->growth.items[i];

        if (limit > 0 && shown[row->about] == limit) {
            left++;
            continue;
        }
        shown[row->about]++;
        oc_table_cell(&table, oc_growth_about_name(row->about));
        oc_table_cell(&table, row->name);
        value_cell(&table, row->before, (enum oc_unit)row->unit);
        value_cell(&table, row->after, (enum oc_unit)row->unit);
        change_cell(&table, row->after - row->before, (enum oc_unit)row->unit);
        rate_cell(&table, row);
        with_cell(&table, row);
    }
    if (style.width > 0 && style.width < ROOM_FOR_ALL)
        oc_table_hide(&table, COLUMN_WITH);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    oc_buf_putc(&cli->out, '\n');
    if (left > 0)
        oc_buf_printf(&cli->out, "%zu more changed; --limit 0 shows all.\n", left);
    if (diff->growth.same > 0)
        oc_buf_printf(&cli->out, "%zu did not change.\n", diff->growth.same);
    return rc;
}

static void put_reconciliation(struct diff *diff)
{
    const struct oc_growth *growth = &diff->growth;
    struct oc_buf *out = &diff->cli->out;
    char all[32], part[32], rest[32];

    if (!growth->has_private || growth->private_change <= 0)
        return;
    oc_buf_printf(out,
                  "private_bytes %s: heaps, stacks and runtimes explain up to %s;\n"
                  "%s is unexplained.\n",
                  oc_value_change(growth->private_change, OC_UNIT_BYTES, all, sizeof(all)),
                  oc_value_text(growth->explained_bytes, OC_UNIT_BYTES, part, sizeof(part)),
                  oc_value_text(growth->unexplained_bytes, OC_UNIT_BYTES, rest, sizeof(rest)));
}

static int put_text(struct diff *diff)
{
    int rc = OC_OK;

    put_head(diff);
    if (diff->growth.count == 0) {
        oc_buf_printf(&diff->cli->out, "Nothing changed: %zu figures are what they were.\n",
                      diff->growth.same);
        return OC_OK;
    }
    rc = put_table(diff);
    put_reconciliation(diff);
    if (diff->before.walked && diff->after.party.count == 1 &&
        diff->before.walk_unix_ms == diff->after.walk_unix_ms)
        oc_buf_puts(&diff->cli->out, "Both times have the same walk: regions and families cannot "
                                     "differ.\nChoose times further apart.\n");
    return rc;
}

/* ---- JSON ---- */

static void json_moment(struct oc_json *json, const char *key, const struct oc_moment *moment)
{
    oc_json_key(json, key);
    oc_json_object(json);
    oc_json_put_time(json, "time", moment->t_unix_ms);
    oc_json_put_time(json, "walk", moment->walk_unix_ms);
    oc_json_put_bool(json, "is_first", moment->is_first);
    oc_json_key(json, "processes");
    oc_json_array(json);
    for (size_t i = 0; i < moment->party.count; i++) {
        oc_json_object(json);
        oc_json_put_u64(json, "source", moment->party.items[i].source);
        oc_json_put_u64(json, "pid", moment->party.items[i].pid);
        oc_json_put_time(json, "begin", moment->party.items[i].begin_unix_ms);
        oc_json_put_time(json, "end", moment->party.items[i].end_unix_ms);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
    oc_json_object_end(json);
}

static void json_row(struct oc_json *json, const struct oc_growth_row *row)
{
    oc_json_object(json);
    oc_json_put_str(json, "what", oc_growth_about_name(row->about));
    oc_json_put_str(json, "name", row->name);
    oc_json_put_str(json, "unit", oc_unit_name((enum oc_unit)row->unit));
    oc_json_put_i64(json, "before", row->before);
    oc_json_put_i64(json, "after", row->after);
    oc_json_put_i64(json, "change", row->after - row->before);
    oc_json_put_dbl(json, "per_hour", row->per_hour);
    if (row->about == OC_GROWTH_REGION)
        oc_json_put_i64(json, "regions_change", row->with_change);
    else if (row->about == OC_GROWTH_MODULE || row->about == OC_GROWTH_MAPPING ||
             row->about == OC_GROWTH_THREAD)
        oc_json_put_i64(json, "size_bytes_change", row->with_change);
    oc_json_object_end(json);
}

static int put_json(struct diff *diff)
{
    struct oc_json json;

    oc_json_init(&json, &diff->cli->out);
    oc_json_object(&json);
    oc_json_put_str(&json, "subject", diff->after.party.items[0].subject);
    json_moment(&json, "from", &diff->before);
    json_moment(&json, "to", &diff->after);
    oc_json_put_u64(&json, "common_processes", diff->growth.common);
    oc_json_key(&json, "changes");
    oc_json_array(&json);
    for (size_t i = 0; i < diff->growth.count; i++)
        json_row(&json, &diff->growth.items[i]);
    oc_json_array_end(&json);
    oc_json_put_u64(&json, "unchanged", diff->growth.same);
    if (diff->growth.has_private) {
        oc_json_put_i64(&json, "private_bytes_change", diff->growth.private_change);
        oc_json_put_i64(&json, "explained_bytes", diff->growth.explained_bytes);
        oc_json_put_i64(&json, "unexplained_bytes", diff->growth.unexplained_bytes);
    }
    oc_json_object_end(&json);
    oc_buf_putc(&diff->cli->out, '\n');
    return OC_OK;
}

/* ---- running ---- */

/* Without --from: since the processes of now began. */
static int64_t begin_of(const struct oc_moment *moment)
{
    int64_t begin_ms = INT64_MAX;

    for (size_t i = 0; i < moment->party.count; i++) {
        if (moment->party.items[i].begin_unix_ms < begin_ms)
            begin_ms = moment->party.items[i].begin_unix_ms;
    }
    return begin_ms;
}

static int load(struct diff *diff, oc_reader *reader, struct oc_detail *detail)
{
    struct oc_cli *cli = diff->cli;
    int64_t to_ms = oc_cli_number(cli, "to", cli->now_unix_ms);
    int64_t from_ms;
    int rc = oc_moment_load(&diff->after, reader, cli->args[0], to_ms, 0, detail);

    if (rc)
        return rc;
    from_ms = oc_cli_number(cli, "from", begin_of(&diff->after));
    rc = oc_moment_load(&diff->before, reader, cli->args[0], from_ms, to_ms, detail);
    if (!rc)
        rc = oc_growth_of(&diff->growth, &diff->before, &diff->after);
    return rc;
}

static int answer(struct diff *diff, oc_reader *reader)
{
    struct oc_detail detail = { 0 };
    int rc = load(diff, reader, &detail);

    if (rc)
        return oc_cli_error(diff->cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    rc = diff->cli->format == OC_FORMAT_JSON ? put_json(diff) : put_text(diff);
    return rc ? oc_cli_error(diff->cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_diff(struct oc_cli *cli)
{
    struct diff *diff;
    oc_reader *reader = NULL;
    int exit_code;

    if (oc_cli_has(cli, "from") &&
        oc_cli_number(cli, "from", 0) >= oc_cli_number(cli, "to", cli->now_unix_ms))
        return oc_cli_usage(cli, "--from is not before --to");
    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    diff = oc_calloc(1, sizeof(*diff)); /* some KiB */
    if (!diff) {
        oc_reader_close(reader);
        return oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    }
    diff->cli = cli;
    exit_code = answer(diff, reader);
    oc_growth_clear(&diff->growth);
    oc_moment_clear(&diff->before);
    oc_moment_clear(&diff->after);
    oc_free(diff);
    oc_reader_close(reader);
    return exit_code;
}

static const struct oc_cli_option diff_options[] = {
    { "from", 0, OC_CLI_TIME, "TIME", "the earlier time; when the processes of --to began", NULL },
    { "to", 0, OC_CLI_TIME, "TIME", "the later time; now", NULL },
    { "limit", 'n', OC_CLI_INT, "N", "at most so many rows of each kind; 12, 0 is all", NULL },
    { 0 },
};

static const struct oc_cli_example diff_examples[] = {
    { "oomcast diff nginx", "what grew since it was started" },
    { "oomcast diff unit:shop.service --from yesterday --to 2h", "what grew meanwhile" },
    { "oomcast diff java --from 6h --json | jq '.changes[] | select(.what == \"module\")'",
      "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_diff = {
    .name = "diff",
    .summary = "what grew between two times: figures, regions, families",
    .usage = "[OPTION]... SUBJECT|PID",
    .text =
        "Compares what the store knows of two times: figures, committed bytes of each usage of "
        "regions, and families of modules, mappings, threads and descriptors, the most grown "
        "first. The walks that were used are named; where there was none by then, the first one "
        "stands in.\n\n"
        "Growth of private bytes that no heap, stack or runtime explains is said to be "
        "unexplained. A restart in between is no hindrance: the two lives are compared.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .options = diff_options,
    .examples = diff_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_diff,
};
