/* Forecasts of several subjects: table, JSON, CSV; and the words that all answers share. */
#include "cli/commands/forecast_view.h"

#include "base/ahead.h"
#include "cli/show/rows.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MS_PER_S 1000.0

/* ---- words ---- */

const char *oc_forecast_limit_name(const struct oc_forecast_row *said)
{
    const struct oc_limit_row *row = oc_limit_row(said->limit.kind);
    const struct oc_metric_row *metric = oc_metric_by_number(said->forecast.metric);

    if (said->limit.kind == OC_LIMIT_USER && metric)
        return metric->name;
    return row ? row->name : "-";
}

enum oc_unit oc_forecast_unit(const struct oc_forecast_row *said)
{
    const struct oc_metric_row *metric = oc_metric_by_number(said->forecast.metric);
    const struct oc_limit_row *row = oc_limit_row(said->limit.kind);

    if (metric)
        return (enum oc_unit)metric->unit;
    return row ? (enum oc_unit)row->unit : OC_UNIT_BYTES;
}

const char *oc_forecast_time(const struct oc_outlook_row *row, char *out, size_t out_bytes)
{
    const struct oc_forecast *said = &row->said.forecast;
    char text[32];

    switch (oc_outlook_urgency(row)) {
    case OC_URGENCY_MET:
        (void)snprintf(out, out_bytes, "met");
        return out;
    case OC_URGENCY_SAVED:
        if (!oc_ahead_is_known(said->saved_life_s))
            return oc_ahead_time(NAN, out, out_bytes);
        (void)snprintf(out, out_bytes, "(%s)",
                       oc_ahead_time(said->saved_life_s, text, sizeof(text)));
        return out;
    case OC_URGENCY_SURE:
    case OC_URGENCY_MAYBE:
        return oc_ahead_time(row->p50_s, out, out_bytes);
    default:
        return oc_ahead_time(NAN, out, out_bytes);
    }
}

const char *oc_forecast_interval(const struct oc_outlook_row *row, char *out, size_t out_bytes)
{
    enum oc_urgency urgency = oc_outlook_urgency(row);
    int in_sight = urgency == OC_URGENCY_SURE || urgency == OC_URGENCY_MAYBE;

    return oc_ahead_interval(in_sight ? row->p10_s : NAN, row->p90_s, out, out_bytes);
}

void oc_forecast_put_stale(struct oc_cli *cli, const struct oc_outlook *outlook)
{
    char time[32], span[32];

    if (!outlook->is_stale)
        return;
    oc_buf_printf(
        &cli->out, "STALE: nothing was sampled since %s (%s): oomcastd does not run, it seems.\n\n",
        oc_timespec_short(outlook->newest_unix_ms, cli->now_unix_ms, time, sizeof(time)),
        oc_value_span(outlook->now_unix_ms - outlook->newest_unix_ms, span, sizeof(span)));
}

/* ---- counts ---- */

static size_t count_state(const struct oc_outlook_subject *items, size_t count, unsigned state)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += items[i].row->said.forecast.state == state;
    return found;
}

/* The urgent ones first. */
static const unsigned char state_order[] = { OC_FORECAST_EXHAUSTED, OC_FORECAST_LEAKING,
                                             OC_FORECAST_GROWING,   OC_FORECAST_SAVED,
                                             OC_FORECAST_WARMING,   OC_FORECAST_CYCLIC,
                                             OC_FORECAST_FLAT,      OC_FORECAST_LEARNING };
#define STATE_COUNT (sizeof(state_order) / sizeof(state_order[0]))

void oc_forecast_put_counts(struct oc_buf *out, const struct oc_outlook_subject *items,
                            size_t count, unsigned states)
{
    int any = 0;

    for (size_t i = 0; i < STATE_COUNT; i++) {
        unsigned state = state_order[i];
        size_t found = (states & (1u << state)) != 0 ? count_state(items, count, state) : 0;

        if (found == 0)
            continue;
        oc_buf_printf(out, "%s%zu %s", any ? ", " : "", found, oc_forecast_state_name(state));
        any = 1;
    }
}

void oc_forecast_json_counts(struct oc_json *json, const struct oc_outlook_subject *items,
                             size_t count)
{
    for (size_t i = 0; i < STATE_COUNT; i++)
        oc_json_put_u64(json, oc_ahead_state(state_order[i]),
                        count_state(items, count, state_order[i]));
}

/* ---- the table ---- */

static void growth_cell(struct oc_table *table, const struct oc_forecast_row *said)
{
    char text[40];

    if (!oc_ahead_is_known(said->forecast.growth_per_h))
        oc_table_cell(table, NULL);
    else
        oc_table_cell(table, oc_value_change((int64_t)llround(said->forecast.growth_per_h),
                                             oc_forecast_unit(said), text, sizeof(text)));
}

static void put_row(const struct oc_cli *cli, const struct oc_outlook_subject *subject,
                    struct oc_table *table)
{
    const struct oc_outlook_row *row = subject->row;
    const struct oc_forecast *said = &row->said.forecast;
    const struct oc_metric_row *metric = oc_metric_by_number(said->metric);
    char text[96];

    oc_table_cell(table, subject->name);
    oc_table_cell(table, oc_ahead_state(said->state));
    oc_table_cell(table, oc_forecast_time(row, text, sizeof(text)));
    oc_table_cell(table, oc_forecast_interval(row, text, sizeof(text)));
    oc_table_cell(table, oc_forecast_limit_name(&row->said));
    oc_table_cell(table, oc_ahead_effect(row->said.limit.kind));
    growth_cell(table, &row->said);
    oc_table_cell(table, oc_timespec_short(said->since_ms, cli->now_unix_ms, text, sizeof(text)));
    oc_table_cell(table, metric ? metric->name : NULL);
}

static int put_table(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    static const struct oc_column columns[] = {
        { "SUBJECT", OC_ALIGN_PATH, 40, OC_SHRINKS },
        { "STATE", OC_ALIGN_LEFT, 0, 0 },
        { "TIME", OC_ALIGN_RIGHT, 0, 0 },
        { "10 % - 90 %", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "LIMIT", OC_ALIGN_LEFT, 24, OC_SHRINKS },
        { "THEN", OC_ALIGN_LEFT, 0, OC_GOES(4) },
        { "GROWTH/H", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "SINCE", OC_ALIGN_LEFT, 0, OC_GOES(3) },
        { "METRIC", OC_ALIGN_LEFT, 0, OC_GOES(5) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < list->count; i++) {
        if (list->all || oc_outlook_is_moving(list->items[i].row))
            put_row(cli, &list->items[i], &table);
    }
    rc = table.cell_count ? oc_table_print(&table, &style, &cli->out) : table.err;
    if (table.cell_count)
        oc_buf_putc(&cli->out, '\n');
    oc_table_clear(&table);
    return rc;
}

/* "30 flat, 4 cyclic, 2 warming, 4 learning": what the table leaves out. */
static void put_rest(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    size_t calm = 0;
    unsigned states = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (oc_outlook_is_moving(list->items[i].row))
            continue;
        calm++;
        states |= 1u << (list->items[i].row->said.forecast.state % 32);
    }
    if (calm == list->count)
        oc_buf_puts(&cli->out, "Nothing grows towards a limit: ");
    oc_forecast_put_counts(&cli->out, list->items, list->count, states);
    if (calm == 0)
        oc_buf_printf(&cli->out, "All %zu grow", list->count);
    if (list->unsaid)
        oc_buf_printf(&cli->out, "; of %zu nothing can be said yet", list->unsaid);
    oc_buf_puts(&cli->out, calm > 0 && !list->all ? " (--all lists them).\n" : ".\n");
}

int oc_forecast_table(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    int rc;

    oc_forecast_put_stale(cli, list->outlook);
    if (list->count == 0) {
        oc_buf_puts(&cli->out,
                    "Nothing is forecast yet: the first forecasts come some minutes after oomcastd "
                    "began,\nwhere \"forecast\" is on in its config; 'oomcast status' says what it "
                    "does.\n");
        return OC_OK;
    }
    rc = put_table(cli, list);
    if (!rc)
        put_rest(cli, list);
    return rc;
}

/* ---- JSON ---- */

static void json_known(struct oc_json *json, const char *key, double value)
{
    if (oc_ahead_is_known(value))
        oc_json_put_dbl(json, key, value);
}

static void json_limit(struct oc_json *json, const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    if (!row)
        return;
    oc_json_put_str(json, "limit", row->name);
    oc_json_put_str(json, "scope", oc_limit_scope_name(row->scope));
    oc_json_put_str(json, "effect", oc_limit_effect_name(row->effect));
    if (limit->where[0])
        oc_json_put_str(json, "where", limit->where);
}

static int64_t moment(const struct oc_forecast *said, double seconds)
{
    double ms = seconds * MS_PER_S;

    return oc_ahead_is_known(ms) && ms < 4e15 ? said->t_ms + (int64_t)ms : 0;
}

void oc_forecast_json_time(struct oc_json *json, const struct oc_outlook_row *row)
{
    const struct oc_forecast *said = &row->said.forecast;
    enum oc_urgency urgency = oc_outlook_urgency(row);

    if (urgency == OC_URGENCY_MET)
        oc_json_put_bool(json, "is_met", 1);
    if (urgency != OC_URGENCY_SURE && urgency != OC_URGENCY_MAYBE)
        return;
    oc_json_key(json, "time_to_limit_s");
    oc_json_object(json);
    oc_json_put_dbl(json, "p10", row->p10_s);
    oc_json_put_dbl(json, "p50", row->p50_s);
    oc_json_put_dbl(json, "p90", row->p90_s); /* null: an open end */
    oc_json_object_end(json);
    oc_json_put_time(json, "p10_at", moment(said, said->p10_s));
    oc_json_put_time(json, "p50_at", moment(said, said->p50_s));
    oc_json_put_time(json, "p90_at", moment(said, said->p90_s));
}

void oc_forecast_json_row(struct oc_json *json, const struct oc_outlook *outlook,
                          const struct oc_outlook_row *row)
{
    const struct oc_outlook_source *source = &outlook->sources[row->source];
    const struct oc_forecast *said = &row->said.forecast;
    const struct oc_metric_row *metric = oc_metric_by_number(said->metric);

    oc_json_put_str(json, "source", source->subject);
    oc_json_put_str(json, "kind", oc_source_kind_name((enum oc_source_kind)source->kind));
    if (source->pid)
        oc_json_put_u64(json, "pid", source->pid);
    oc_json_put_str(json, "state", oc_forecast_state_name(said->state));
    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    oc_json_put_str(json, "unit", oc_unit_name(oc_forecast_unit(&row->said)));
    json_limit(json, &row->said.limit);
    json_known(json, "value", said->value);
    json_known(json, "limit_value", said->limit);
    oc_forecast_json_time(json, row);
    json_known(json, "saved_life_s", said->saved_life_s);
    json_known(json, "growth_per_hour", said->growth_per_h);
    json_known(json, "growth_error_per_hour", said->growth_error_per_h);
    json_known(json, "chance", said->chance);
    oc_json_put_time(json, "since", said->since_ms);
    oc_json_put_u64(json, "samples", said->samples);
    oc_json_put_time(json, "time", said->t_ms);
}

void oc_forecast_list_json(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_time(&json, "newest", list->outlook->newest_unix_ms);
    oc_json_put_bool(&json, "is_stale", list->outlook->is_stale);
    oc_json_key(&json, "counts");
    oc_json_object(&json);
    oc_forecast_json_counts(&json, list->items, list->count);
    oc_json_object_end(&json);
    oc_json_put_u64(&json, "unsaid", list->unsaid);
    oc_json_key(&json, "forecasts");
    oc_json_array(&json);
    for (size_t i = 0; i < list->count; i++) {
        if (!list->all && !oc_outlook_is_moving(list->items[i].row))
            continue;
        oc_json_object(&json);
        oc_json_put_str(&json, "subject", list->items[i].name);
        oc_json_put_u64(&json, "processes", list->items[i].processes);
        oc_forecast_json_row(&json, list->outlook, list->items[i].row);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

/* ---- CSV ---- */

static void csv_row(struct oc_rows *rows, const struct oc_outlook *outlook,
                    const struct oc_outlook_subject *subject)
{
    const struct oc_outlook_row *row = subject->row;
    const struct oc_forecast *said = &row->said.forecast;
    const struct oc_metric_row *metric = oc_metric_by_number(said->metric);
    const struct oc_limit_row *limit = oc_limit_row(row->said.limit.kind);
    enum oc_urgency urgency = oc_outlook_urgency(row);
    int in_sight = urgency == OC_URGENCY_SURE || urgency == OC_URGENCY_MAYBE;

    oc_rows_str(rows, subject->name);
    if (outlook->sources[row->source].pid)
        oc_rows_u64(rows, outlook->sources[row->source].pid);
    else
        oc_rows_none(rows);
    oc_rows_str(rows, oc_forecast_state_name(said->state));
    oc_rows_str(rows, metric ? metric->name : NULL);
    oc_rows_str(rows, limit ? limit->name : NULL);
    oc_rows_str(rows, row->said.limit.where[0] ? row->said.limit.where : NULL);
    oc_rows_str(rows, limit ? oc_limit_effect_name(limit->effect) : NULL);
    oc_rows_known(rows, said->value);
    oc_rows_known(rows, said->limit);
    oc_rows_known(rows, in_sight ? row->p10_s : NAN);
    oc_rows_known(rows, in_sight ? row->p50_s : NAN);
    oc_rows_known(rows, in_sight ? row->p90_s : NAN);
    oc_rows_known(rows, said->growth_per_h);
    oc_rows_known(rows, said->growth_error_per_h);
    oc_rows_known(rows, said->chance);
    oc_rows_time(rows, said->since_ms);
    oc_rows_u64(rows, said->samples);
    oc_rows_time(rows, said->t_ms);
    oc_rows_end(rows);
}

void oc_forecast_csv(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    static const char *const columns[] = { "subject",
                                           "pid",
                                           "state",
                                           "metric",
                                           "limit",
                                           "where",
                                           "then",
                                           "value",
                                           "limit_value",
                                           "p10_s",
                                           "p50_s",
                                           "p90_s",
                                           "growth_per_hour",
                                           "growth_error_per_hour",
                                           "chance",
                                           "since",
                                           "samples",
                                           "time",
                                           NULL };
    struct oc_rows rows;

    oc_rows_begin(&rows, OC_ROWS_CSV, columns, &cli->out);
    for (size_t i = 0; i < list->count; i++) {
        if (list->all || oc_outlook_is_moving(list->items[i].row))
            csv_row(&rows, list->outlook, &list->items[i]);
    }
}
