#include "cli/commands/limits_view.h"

#include "cli/commands/forecast_view.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <stdio.h>

#define BAR_COLUMNS 8
#define ROOM_FOR_WHERE 100 /* columns of a terminal, where a row is a subject */
#define COLUMN_WHERE 10

/* ---- cells ---- */

/* Something that a figure falls to has room, and no share in use. */
static int is_floor(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row && row->is_floor;
}

/* "██████░░": the share in use. */
static void bar_cell(const struct oc_cli *cli, struct oc_table *table, const struct oc_limit *limit)
{
    double ratio = oc_limit_ratio(limit);
    int filled = (int)(ratio * BAR_COLUMNS + 0.5);
    struct oc_buf bar;

    if (!limit->has_use || is_floor(limit)) {
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

    if (!limit->has_use || is_floor(limit))
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

static void time_cell(struct oc_table *table, const struct oc_ceiling *ceiling)
{
    char text[40];

    oc_table_cell(table,
                  ceiling->ahead ? oc_forecast_time(ceiling->ahead, text, sizeof(text)) : NULL);
}

static void figure_cells(const struct oc_cli *cli, struct oc_table *table,
                         const struct oc_limit *limit)
{
    enum oc_unit unit = oc_limit_unit(limit);

    ratio_cell(table, limit);
    bar_cell(cli, table, limit);
    value_cell(table, limit->use, unit, limit->has_use);
    value_cell(table, limit->value, unit, !is_floor(limit));
    value_cell(table, oc_limit_room(limit), unit, limit->has_use);
}

/* ---- tables ---- */

int oc_limits_table(struct oc_cli *cli, const struct oc_ceilings *ceilings)
{
    static const struct oc_column columns[] = {
        { "LIMIT", OC_ALIGN_LEFT, 0, 0 },
        { "%", OC_ALIGN_RIGHT, 0, 0 },
        { "NEAR", OC_ALIGN_LEFT, 0, OC_GOES(4) },
        { "USE", OC_ALIGN_RIGHT, 0, 0 },
        { "OF", OC_ALIGN_RIGHT, 0, 0 },
        { "ROOM", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "TIME", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "THEN", OC_ALIGN_LEFT, 0, 0 },
        { "SINCE", OC_ALIGN_LEFT, 0, OC_GOES(3) },
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
        time_cell(&table, ceiling);
        oc_table_cell(&table, effect_name(&ceiling->limit));
        since_cell(cli, &table, ceiling->since_unix_ms);
        where_cell(&table, ceiling);
    }
    oc_table_hide_empty(&table, 6); /* time, since: only the store knows them */
    oc_table_hide_empty(&table, 8);
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

void oc_limits_legend(struct oc_cli *cli, const struct oc_ceilings *ceilings)
{
    static const char *const texts[] = {
        [OC_EFFECT_DIES] = "dies: the OOM killer ends a process",
        [OC_EFFECT_FAILS] = "fails: memory, threads or files are refused",
        [OC_EFFECT_STALLS] = "stalls: it is slowed down, to a standstill at worst",
        [OC_EFFECT_TOLD] = "told: oomcast says so, nothing else happens",
        [OC_EFFECT_RECYCLED] = "recycled: IIS puts another worker in its place",
    };
    int first = 1;

    for (unsigned effect = 0; effect < sizeof(texts) / sizeof(texts[0]); effect++) {
        if (!has_effect(ceilings, (enum oc_limit_effect)effect))
            continue;
        oc_buf_printf(&cli->out, "%s  %s\n", first ? "\nAt the limit it\n" : "", texts[effect]);
        first = 0;
    }
    if (ceilings->is_in_job)
        oc_buf_puts(&cli->out, "\nIt is in a job object, whose limits nobody outside can read: "
                               "they are not among these.\n");
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
        if (!is_floor(limit))
            oc_json_put_dbl(json, "ratio", oc_limit_ratio(limit));
    }
    oc_json_put_time(json, "since", ceiling->since_unix_ms);
    if (ceiling->ahead) {
        oc_json_put_str(json, "state", oc_forecast_state_name(ceiling->ahead->said.forecast.state));
        oc_forecast_json_time(json, ceiling->ahead);
    }
    if (ceiling->processes && ceiling->pid)
        oc_json_put_u64(json, "pid", ceiling->pid);
    if (ceiling->processes > 1)
        oc_json_put_u64(json, "processes", ceiling->processes);
}

void oc_limits_json(struct oc_json *json, const struct oc_ceilings *ceilings)
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

/* ---- of all subjects ---- */

int oc_limits_table_all(struct oc_cli *cli, const struct oc_nearest *all, size_t count)
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
        { "TIME", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "THEN", OC_ALIGN_LEFT, 0, 0 },
        { "WHERE", OC_ALIGN_PATH, 0, OC_SHRINKS | OC_GOES(3) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < count; i++) {
        const struct oc_nearest *nearest = &all[i];

        oc_table_cell(&table, nearest->subject);
        oc_table_cellf(&table, "%zu", nearest->processes);
        if (!nearest->has_limit) {
            for (int c = 0; c < 9; c++)
                oc_table_cell(&table, NULL);
            continue;
        }
        oc_table_cell(&table, limit_name(&nearest->ceiling.limit));
        figure_cells(cli, &table, &nearest->ceiling.limit);
        time_cell(&table, &nearest->ceiling);
        oc_table_cell(&table, effect_name(&nearest->ceiling.limit));
        where_cell(&table, &nearest->ceiling);
    }
    oc_table_hide_empty(&table, 8); /* time: where nothing is forecast */
    if (style.width > 0 && style.width < ROOM_FOR_WHERE)
        oc_table_hide(&table, COLUMN_WHERE);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

void oc_limits_json_all(struct oc_cli *cli, const struct oc_nearest *all, size_t count)
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
