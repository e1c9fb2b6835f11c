/* oomcast limits: every ceiling that a process can meet, the nearest first. */
#include "cli/cli.h"
#include "cli/commands/look.h"
#include "cli/model/ceilings.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_COLUMNS 10
#define ROOM_FOR_WHERE 100 /* columns of a terminal, where a row is a subject */
#define COLUMN_WHERE 9

/* ---- cells ---- */

/* "███████░░░": the share in use. */
static void bar_cell(const struct oc_cli *cli, struct oc_table *table, const struct oc_limit *limit)
{
    double ratio = oc_limit_ratio(limit);
    int filled = (int)(ratio * BAR_COLUMNS + 0.5);
    struct oc_buf bar;

    if (!limit->has_use) {
        oc_table_cell(table, NULL);
        return;
    }
    oc_buf_init(&bar, 128);
    for (int i = 0; i < BAR_COLUMNS; i++) {
        if (i < filled)
            oc_buf_puts(&bar, cli->utf8 ? "█" : "#");
        else
            oc_buf_puts(&bar, cli->utf8 ? "░" : ".");
    }
    oc_table_cell(table, bar.data);
    oc_buf_clear(&bar);
}

static void ratio_cell(struct oc_table *table, const struct oc_limit *limit)
{
    double percent = 100.0 * oc_limit_ratio(limit);
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    if (!limit->has_use || (row && row->is_floor))
        oc_table_cell(table, NULL);
    else
        oc_table_cellf(table, percent < 9.95 ? "%.1f" : "%.0f", percent);
}

static void value_cell(struct oc_table *table, uint64_t value, enum oc_unit unit, int known)
{
    char text[32];

    if (!known || value > INT64_MAX)
        oc_table_cell(table, NULL);
    else if (unit == OC_UNIT_BYTES)
        oc_table_bytes(table, (int64_t)value);
    else
        oc_table_cell(table, oc_value_text((int64_t)value, unit, text, sizeof(text)));
}

/* Of a user's limit the metric says more than "user". */
static const char *limit_name(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);
    const struct oc_metric_row *metric = oc_metric_by_number(limit->metric);

    if (limit->kind == OC_LIMIT_USER && metric)
        return metric->name;
    return row ? row->name : "?";
}

static const char *effect_name(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row ? oc_limit_effect_name(row->effect) : "?";
}

static const char *scope_name(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row ? oc_limit_scope_name(row->scope) : "?";
}

static void where_cell(struct oc_table *table, const struct oc_ceiling *ceiling)
{
    if (ceiling->limit.where[0])
        oc_table_cell(table, ceiling->limit.where);
    else if (ceiling->processes > 1)
        oc_table_cellf(table, "pid %" PRIu32 ", nearest of %" PRIu32, ceiling->pid,
                       ceiling->processes);
    else
        oc_table_cell(table, scope_name(&ceiling->limit));
}

static void since_cell(const struct oc_cli *cli, struct oc_table *table, int64_t since_unix_ms)
{
    char text[32];

    oc_table_cell(table, since_unix_ms ? oc_timespec_short(since_unix_ms, cli->now_unix_ms, text,
                                                           sizeof(text))
                                       : NULL);
}

static void figure_cells(const struct oc_cli *cli, struct oc_table *table,
                         const struct oc_limit *limit)
{
    enum oc_unit unit = oc_limit_unit(limit);

    ratio_cell(table, limit);
    bar_cell(cli, table, limit);
    value_cell(table, limit->use, unit, limit->has_use);
    value_cell(table, limit->value, unit, 1);
    value_cell(table, oc_limit_room(limit), unit, limit->has_use);
}

/* ---- tables ---- */

static int put_table(struct oc_cli *cli, const struct oc_ceilings *ceilings)
{
    static const struct oc_column columns[] = {
        { "LIMIT", OC_ALIGN_LEFT, 0, 0 },
        { "%", OC_ALIGN_RIGHT, 0, 0 },
        { "NEAR", OC_ALIGN_LEFT, 0, OC_GOES(3) },
        { "USE", OC_ALIGN_RIGHT, 0, 0 },
        { "OF", OC_ALIGN_RIGHT, 0, 0 },
        { "ROOM", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "THEN", OC_ALIGN_LEFT, 0, 0 },
        { "SINCE", OC_ALIGN_LEFT, 0, OC_GOES(2) },
        { "WHERE", OC_ALIGN_PATH, 0, OC_SHRINKS },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < ceilings->count; i++) {
        const struct oc_ceiling *ceiling = &ceilings->items[i];

        oc_table_cell(&table, limit_name(&ceiling->limit));
        figure_cells(cli, &table, &ceiling->limit);
        oc_table_cell(&table, effect_name(&ceiling->limit));
        since_cell(cli, &table, ceiling->since_unix_ms);
        where_cell(&table, ceiling);
    }
    oc_table_hide_empty(&table, 7); /* since: only the store knows it */
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

static int has_effect(const struct oc_ceilings *ceilings, enum oc_limit_effect effect)
{
    for (size_t i = 0; i < ceilings->count; i++) {
        const struct oc_limit_row *row = oc_limit_row(ceilings->items[i].limit.kind);

        if (row && row->effect == effect)
            return 1;
    }
    return 0;
}

static void put_legend(struct oc_cli *cli, const struct oc_ceilings *ceilings)
{
    static const char *const texts[] = {
        [OC_EFFECT_DIES] = "dies: the OOM killer ends a process",
        [OC_EFFECT_FAILS] = "fails: memory, threads or files are refused",
        [OC_EFFECT_STALLS] = "stalls: it is slowed down, to a standstill at worst",
        [OC_EFFECT_TOLD] = "told: oomcast says so, nothing else happens",
    };
    int first = 1;

    for (unsigned effect = 0; effect < sizeof(texts) / sizeof(texts[0]); effect++) {
        if (!has_effect(ceilings, (enum oc_limit_effect)effect))
            continue;
        oc_buf_printf(&cli->out, "%s  %s\n", first ? "\nAt the limit it\n" : "", texts[effect]);
        first = 0;
    }
}

/* ---- JSON ---- */

static void json_ceiling(struct oc_json *json, const struct oc_ceiling *ceiling)
{
    const struct oc_limit *limit = &ceiling->limit;
    const struct oc_limit_row *row = oc_limit_row(limit->kind);
    const struct oc_metric_row *metric = oc_metric_by_number(limit->metric);

    oc_json_put_str(json, "limit", row ? row->name : "?");
    oc_json_put_str(json, "scope", scope_name(limit));
    oc_json_put_str(json, "effect", effect_name(limit));
    if (limit->where[0])
        oc_json_put_str(json, "where", limit->where);
    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    oc_json_put_str(json, "unit", oc_unit_name(oc_limit_unit(limit)));
    oc_json_put_u64(json, "value", limit->value);
    if (limit->has_use) {
        oc_json_put_u64(json, "use", limit->use);
        oc_json_put_u64(json, "room", oc_limit_room(limit));
        if (!row || !row->is_floor)
            oc_json_put_dbl(json, "ratio", oc_limit_ratio(limit));
    }
    oc_json_put_time(json, "since", ceiling->since_unix_ms);
    if (ceiling->processes && ceiling->pid)
        oc_json_put_u64(json, "pid", ceiling->pid);
    if (ceiling->processes > 1)
        oc_json_put_u64(json, "processes", ceiling->processes);
}

static void json_ceilings(struct oc_json *json, const struct oc_ceilings *ceilings)
{
    oc_json_key(json, "limits");
    oc_json_array(json);
    for (size_t i = 0; i < ceilings->count; i++) {
        oc_json_object(json);
        json_ceiling(json, &ceilings->items[i]);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
}

/* ---- a process of this machine ---- */

static int read_limits(struct oc_cli *cli, uint32_t pid, struct oc_ceilings *ceilings)
{
    struct oc_probe_options options = { 0 };
    struct oc_limits *limits = oc_calloc(1, sizeof(*limits)); /* some tens of KiB */
    int rc = limits ? oc_probe_limits(&options, pid, limits) : OC_E_NOMEM;

    for (size_t i = 0; !rc && i < limits->count; i++) {
        struct oc_ceiling ceiling = { .limit = limits->items[i], .pid = pid };
        const struct oc_limit_row *row = oc_limit_row(limits->items[i].kind);

        ceiling.processes = row && row->scope == OC_SCOPE_PROCESS;
        rc = oc_ceilings_add(ceilings, &ceiling);
    }
    oc_free(limits);
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(cli,
                            "no process %" PRIu32 " here; 'oomcast lives %" PRIu32
                            "' says how it ended, if it was watched",
                            pid, pid);
    if (rc == OC_E_DENIED)
        return oc_cli_error(cli,
                            "process %" PRIu32 " may not be looked at: run this as root "
                            "(sudo); 'oomcast doctor %" PRIu32 "' says what is missing",
                            pid, pid);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

/* The store is a help here, not a need. */
static void look_in_store(struct oc_cli *cli, uint32_t pid, struct oc_ceilings *ceilings)
{
    struct oc_ceiling_store store = { 0 };
    struct oc_party party = { 0 };
    struct oc_detail detail;
    oc_reader *reader = NULL;
    char word[16];

    (void)snprintf(word, sizeof(word), "%" PRIu32, pid);
    oc_cli_find_store(cli);
    if (oc_reader_open(cli->db_path, &reader, &detail))
        return;
    if (oc_party_load(&party, reader, word, INT64_MAX, &detail) == OC_OK && !party.has_ended &&
        oc_ceiling_store_load(&store, reader) == OC_OK)
        oc_ceilings_since(ceilings, &store, party.items[0].source);
    oc_ceiling_store_clear(&store);
    oc_party_clear(&party);
    oc_reader_close(reader);
}

static int run_live(struct oc_cli *cli, uint32_t pid)
{
    struct oc_ceilings ceilings = { 0 };
    struct oc_json json;
    int rc = read_limits(cli, pid, &ceilings);

    if (rc) {
        oc_ceilings_clear(&ceilings);
        return rc;
    }
    look_in_store(cli, pid, &ceilings);
    oc_ceilings_sort(&ceilings);
    if (cli->format == OC_FORMAT_JSON) {
        oc_json_init(&json, &cli->out);
        oc_json_object(&json);
        oc_json_put_u64(&json, "pid", pid);
        oc_json_put_time(&json, "time", cli->now_unix_ms);
        json_ceilings(&json, &ceilings);
        oc_json_object_end(&json);
        oc_buf_putc(&cli->out, '\n');
    } else {
        rc = put_table(cli, &ceilings);
        put_legend(cli, &ceilings);
    }
    oc_ceilings_clear(&ceilings);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

/* ---- from the store ---- */

struct asked {
    struct oc_cli *cli;
    struct oc_party party;
    struct oc_ceiling_store store;
};

static void put_stored_head(struct oc_cli *cli, const struct asked *asked)
{
    char text[32];

    oc_buf_escaped(&cli->out, asked->party.items[0].subject);
    if (asked->party.count == 1)
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", asked->party.items[0].pid);
    else
        oc_buf_printf(&cli->out, ", %zu processes", asked->party.count);
    if (asked->store.newest_unix_ms)
        oc_buf_printf(
            &cli->out, ": figures of %s",
            oc_timespec_short(asked->store.newest_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    oc_buf_puts(&cli->out, "\n\n");
}

static int answer_subject(struct asked *asked)
{
    struct oc_cli *cli = asked->cli;
    struct oc_ceilings ceilings = { 0 };
    int rc = oc_ceilings_of(&ceilings, &asked->store, asked->party.items, asked->party.count);

    oc_ceilings_sort(&ceilings);
    if (rc) {
        oc_ceilings_clear(&ceilings);
        return rc;
    }
    if (cli->format == OC_FORMAT_JSON) {
        struct oc_json json;

        oc_json_init(&json, &cli->out);
        oc_json_object(&json);
        oc_json_put_str(&json, "subject", asked->party.items[0].subject);
        oc_json_put_u64(&json, "processes", asked->party.count);
        oc_json_put_time(&json, "time", asked->store.newest_unix_ms);
        json_ceilings(&json, &ceilings);
        oc_json_object_end(&json);
        oc_buf_putc(&cli->out, '\n');
    } else if (ceilings.count == 0) {
        put_stored_head(cli, asked);
        oc_buf_puts(&cli->out, "No limit is known yet: they come with the first walk.\n");
    } else {
        put_stored_head(cli, asked);
        rc = put_table(cli, &ceilings);
        put_legend(cli, &ceilings);
    }
    oc_ceilings_clear(&ceilings);
    return rc;
}

/* The nearest limit of each subject; the items of a party stand by subject. */
struct nearest {
    const char *subject;
    size_t processes;
    int has_limit;
    struct oc_ceiling ceiling;
};

static int find_nearest(const struct asked *asked, size_t *at, struct nearest *out_nearest)
{
    const struct oc_party_member *first = &asked->party.items[*at];
    struct oc_ceilings ceilings = { 0 };
    size_t count = 1;
    int rc;

    while (*at + count < asked->party.count && strcmp(first[count].subject, first->subject) == 0)
        count++;
    rc = oc_ceilings_of(&ceilings, &asked->store, first, count);
    oc_ceilings_sort(&ceilings);
    memset(out_nearest, 0, sizeof(*out_nearest));
    out_nearest->subject = first->subject;
    out_nearest->processes = count;
    if (ceilings.count > 0) {
        out_nearest->has_limit = 1;
        out_nearest->ceiling = ceilings.items[0];
    }
    oc_ceilings_clear(&ceilings);
    *at += count;
    return rc;
}

static int by_nearness(const void *a, const void *b)
{
    const struct nearest *x = a, *y = b;
    double near_x =
        x->has_limit && x->ceiling.limit.has_use ? oc_limit_ratio(&x->ceiling.limit) : -1;
    double near_y =
        y->has_limit && y->ceiling.limit.has_use ? oc_limit_ratio(&y->ceiling.limit) : -1;

    if (near_x < near_y || near_x > near_y)
        return near_x < near_y ? 1 : -1;
    return strcmp(x->subject, y->subject);
}

static int put_all(struct oc_cli *cli, const struct nearest *all, size_t count)
{
    static const struct oc_column columns[] = {
        { "SUBJECT", OC_ALIGN_LEFT, 40, OC_SHRINKS },
        { "PROCESSES", OC_ALIGN_RIGHT, 0, OC_GOES(4) },
        { "LIMIT", OC_ALIGN_LEFT, 0, 0 },
        { "%", OC_ALIGN_RIGHT, 0, 0 },
        { "NEAR", OC_ALIGN_LEFT, 0, OC_GOES(5) },
        { "USE", OC_ALIGN_RIGHT, 0, 0 },
        { "OF", OC_ALIGN_RIGHT, 0, 0 },
        { "ROOM", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "THEN", OC_ALIGN_LEFT, 0, 0 },
        { "WHERE", OC_ALIGN_PATH, 0, OC_SHRINKS | OC_GOES(3) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < count; i++) {
        const struct nearest *nearest = &all[i];

        oc_table_cell(&table, nearest->subject);
        oc_table_cellf(&table, "%zu", nearest->processes);
        if (!nearest->has_limit) {
            for (int c = 0; c < 8; c++)
                oc_table_cell(&table, NULL);
            continue;
        }
        oc_table_cell(&table, limit_name(&nearest->ceiling.limit));
        figure_cells(cli, &table, &nearest->ceiling.limit);
        oc_table_cell(&table, effect_name(&nearest->ceiling.limit));
        where_cell(&table, &nearest->ceiling);
    }
    if (style.width > 0 && style.width < ROOM_FOR_WHERE)
        oc_table_hide(&table, COLUMN_WHERE);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

static void json_all(struct oc_cli *cli, const struct nearest *all, size_t count)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        oc_json_object(&json);
        oc_json_put_str(&json, "subject", all[i].subject);
        oc_json_put_u64(&json, "subject_processes", all[i].processes);
        if (all[i].has_limit)
            json_ceiling(&json, &all[i].ceiling);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static int answer_all(struct asked *asked)
{
    struct nearest *all = oc_calloc(asked->party.count, sizeof(*all));
    size_t count = 0;
    int rc = all ? OC_OK : OC_E_NOMEM;

    for (size_t at = 0; at < asked->party.count && !rc;)
        rc = find_nearest(asked, &at, &all[count++]);
    if (!rc) {
        qsort(all, count, sizeof(*all), by_nearness);
        if (asked->cli->format == OC_FORMAT_JSON)
            json_all(asked->cli, all, count);
        else
            rc = put_all(asked->cli, all, count);
    }
    oc_free(all);
    return rc;
}

static int run_stored(struct oc_cli *cli)
{
    struct asked asked = { .cli = cli };
    const char *word = cli->arg_count > 0 ? cli->args[0] : NULL;
    oc_reader *reader = NULL;
    int exit_code = oc_look_party(cli, word, INT64_MAX, &reader, &asked.party);
    int rc;

    if (exit_code)
        return exit_code;
    if (asked.party.has_ended) {
        exit_code = oc_cli_error(cli,
                                 "no process of %s runs now: its limits are gone with it; "
                                 "'oomcast lives %s' says how it ended",
                                 word, word);
    } else {
        rc = oc_ceiling_store_load(&asked.store, reader);
        if (!rc)
            rc = word ? answer_subject(&asked) : answer_all(&asked);
        exit_code = rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
    }
    oc_ceiling_store_clear(&asked.store);
    oc_party_clear(&asked.party);
    oc_reader_close(reader);
    return exit_code;
}

static int run_limits(struct oc_cli *cli)
{
    uint32_t pid = cli->arg_count > 0 ? oc_party_pid(cli->args[0]) : 0;

    return pid ? run_live(cli, pid) : run_stored(cli);
}

static const struct oc_cli_example limits_examples[] = {
    { "oomcast limits", "of each subject that is watched the limit it is nearest to" },
    { "oomcast limits 1234", "any process, with no daemon and no config" },
    { "oomcast limits unit:nginx.service", "all that its processes can meet" },
    { "oomcast limits --json | jq '.[] | select(.ratio > 0.9) | .subject'", "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_limits = {
    .name = "limits",
    .summary = "every ceiling that a process can meet, the nearest first",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text =
        "Limits of the process (rlimits, mappings, a 32-bit address space), of all cgroups above "
        "it, of the host, and those that the config sets: what counts against each, its room, what "
        "happens to who meets it, and, where a daemon watches, since when it is as it is. A limit "
        "that is not set, or may not be read, is not there.\n\n"
        "memory.high kills nobody: above it the kernel slows the cgroup down, which may look like "
        "a process that hangs. Of a subject of several processes the one nearest to a limit stands "
        "for all.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .examples = limits_examples,
    .max_args = 1,
    .run = run_limits,
};
