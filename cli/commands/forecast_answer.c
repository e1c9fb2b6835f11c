/* The forecast of one subject: what binds, all its limits, who grows. */
#include "cli/commands/forecast_view.h"

#include "base/ahead.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>

#define MAX_SHARES 5 /* processes that are named; --json has all */

/* ---- the head ---- */

static const char *value_text(const struct oc_forecast_row *said, double value, char *out,
                              size_t out_bytes)
{
    return oc_value_text((int64_t)llround(fmin(fmax(value, -9e18), 9e18)), oc_forecast_unit(said),
                         out, out_bytes);
}

static void put_state(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_forecast *said = &answer->choice->own->said.forecast;
    char text[40];

    oc_buf_printf(&cli->out, ": %s%s%s", cli->color ? "\033[1m" : "",
                  oc_forecast_state_name(said->state), cli->color ? "\033[0m" : "");
    if (said->since_ms < said->t_ms)
        oc_buf_printf(&cli->out, " since %s",
                      oc_timespec_short(said->since_ms, cli->now_unix_ms, text, sizeof(text)));
    oc_buf_printf(&cli->out, ", %" PRIu64 " samples; said at %s", said->samples,
                  oc_timespec_short(said->t_ms, cli->now_unix_ms, text, sizeof(text)));
}

static void put_head(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_outlook_choice *choice = answer->choice;

    oc_buf_escaped(&cli->out, choice->subject);
    if (choice->pid)
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", choice->pid);
    else if (choice->processes > 1)
        oc_buf_printf(&cli->out, ", %" PRIu32 " processes", choice->processes);
    if (answer->choice->own)
        put_state(cli, answer);
    oc_buf_putc(&cli->out, '\n');
    if (answer->ended[0]) {
        oc_buf_puts(&cli->out, "ENDED: ");
        oc_buf_escaped(&cli->out, answer->ended);
        oc_buf_puts(&cli->out, ".\n");
    }
}

/* "dies at memory.max of /a/b in 3 h 20 min (2 h 40 min - 4 h 10 min)". */
static void put_binding(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_outlook_row *row = answer->binding;
    char text[128];

    if (!row) {
        oc_buf_puts(&cli->out, "no limit is forecast to be met\n");
        return;
    }
    if (oc_outlook_urgency(row) == OC_URGENCY_MET)
        oc_buf_puts(&cli->out, "has met ");
    else
        oc_buf_printf(&cli->out, "%s ", oc_ahead_effect(row->said.limit.kind));
    oc_buf_printf(&cli->out, "%s", oc_forecast_limit_name(&row->said));
    if (row->said.limit.where[0]) {
        oc_buf_puts(&cli->out, " of ");
        oc_buf_escaped(&cli->out, row->said.limit.where);
    }
    if (oc_outlook_urgency(row) != OC_URGENCY_MET)
        oc_buf_printf(&cli->out, " in %s",
                      oc_ahead_all(row->p10_s, row->p50_s, row->p90_s, text, sizeof(text)));
    oc_buf_putc(&cli->out, '\n');
}

static void put_saved(struct oc_cli *cli, const struct oc_outlook_row *row)
{
    char text[32];

    if (!row || row->said.forecast.state != OC_FORECAST_SAVED ||
        !oc_ahead_is_known(row->said.forecast.saved_life_s))
        return;
    oc_buf_printf(&cli->out, "saved by restarts: it would die after %s without one\n",
                  oc_ahead_time(row->said.forecast.saved_life_s, text, sizeof(text)));
}

static void put_plan(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    if (!answer->plan[0])
        return;
    oc_buf_puts(&cli->out, "by plan it is restarted: ");
    oc_buf_escaped(&cli->out, answer->plan);
    oc_buf_puts(&cli->out, "; a limit beyond that is no alert\n");
}

/* "private_bytes 412.0 MiB, +96.4 MiB/h (error 2.1 MiB/h), chance that it goes on 97 %". */
static void put_growth(struct oc_cli *cli, const struct oc_outlook_row *row)
{
    const struct oc_forecast *said = &row->said.forecast;
    const struct oc_metric_row *metric = oc_metric_by_number(said->metric);
    char text[40];

    oc_buf_puts(&cli->out, metric ? metric->name : "?");
    if (oc_ahead_is_known(said->value))
        oc_buf_printf(&cli->out, " %s", value_text(&row->said, said->value, text, sizeof(text)));
    if (oc_ahead_is_known(said->growth_per_h))
        oc_buf_printf(&cli->out, ", %s/h",
                      oc_value_change((int64_t)llround(said->growth_per_h),
                                      oc_forecast_unit(&row->said), text, sizeof(text)));
    if (oc_ahead_is_known(said->growth_error_per_h) && oc_ahead_is_known(said->growth_per_h))
        oc_buf_printf(&cli->out, " (error %s/h)",
                      value_text(&row->said, said->growth_error_per_h, text, sizeof(text)));
    if (oc_ahead_is_known(said->chance))
        oc_buf_printf(&cli->out, "; chance that it goes on %.0f %%", said->chance * 100);
    oc_buf_putc(&cli->out, '\n');
}

/* ---- all limits ---- */

static void place_cell(const struct oc_outlook *outlook, const struct oc_outlook_row *row,
                       const struct oc_outlook_choice *choice, struct oc_table *table)
{
    const struct oc_outlook_source *source = &outlook->sources[row->source];

    if (row->said.limit.where[0])
        oc_table_cell(table, row->said.limit.where);
    else if (source->pid && choice->processes > 1)
        oc_table_cellf(table, "pid %" PRIu32, source->pid);
    else
        oc_table_cell(table, oc_source_kind_name((enum oc_source_kind)source->kind));
}

static void put_row(const struct oc_forecast_answer *answer, const struct oc_outlook_row *row,
                    struct oc_table *table)
{
    const struct oc_forecast *said = &row->said.forecast;
    const struct oc_metric_row *metric = oc_metric_by_number(said->metric);
    char text[96];

    oc_table_cell(table, row == answer->binding ? ">" : " ");
    oc_table_cell(table, row->said.limit.kind ? oc_forecast_limit_name(&row->said) : NULL);
    oc_table_cell(table, oc_ahead_state(said->state));
    oc_table_cell(table, oc_forecast_time(row, text, sizeof(text)));
    oc_table_cell(table, oc_forecast_interval(row, text, sizeof(text)));
    oc_table_cell(table, oc_ahead_effect(row->said.limit.kind));
    oc_table_cell(table, oc_ahead_is_known(said->value)
                             ? value_text(&row->said, said->value, text, sizeof(text))
                             : NULL);
    oc_table_cell(table, row->said.limit.kind && oc_ahead_is_known(said->limit)
                             ? value_text(&row->said, said->limit, text, sizeof(text))
                             : NULL);
    oc_table_cell(table, oc_ahead_is_known(said->growth_per_h)
                             ? oc_value_change((int64_t)llround(said->growth_per_h),
                                               oc_forecast_unit(&row->said), text, sizeof(text))
                             : NULL);
    if (oc_ahead_is_known(said->chance))
        oc_table_cellf(table, "%.0f %%", said->chance * 100);
    else
        oc_table_cell(table, NULL);
    oc_table_cell(table, metric ? metric->name : NULL);
    place_cell(answer->outlook, row, answer->choice, table);
}

static int put_limits(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    static const struct oc_column columns[] = {
        { "", OC_ALIGN_LEFT, 0, 0 },
        { "LIMIT", OC_ALIGN_LEFT, 24, OC_SHRINKS },
        { "STATE", OC_ALIGN_LEFT, 0, 0 },
        { "TIME", OC_ALIGN_RIGHT, 0, 0 },
        { "10 % - 90 %", OC_ALIGN_LEFT, 0, 0 },
        { "THEN", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "VALUE", OC_ALIGN_RIGHT, 0, OC_GOES(3) },
        { "OF", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "GROWTH/H", OC_ALIGN_RIGHT, 0, OC_GOES(5) },
        { "CHANCE", OC_ALIGN_RIGHT, 0, OC_GOES(6) },
        { "METRIC", OC_ALIGN_LEFT, 0, OC_GOES(4) },
        { "WHERE", OC_ALIGN_PATH, 0, OC_SHRINKS | OC_GOES(7) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < answer->choice->count; i++)
        put_row(answer, answer->choice->rows[i], &table);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

/* ---- who grows ---- */

static void put_shares(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_shares *shares = answer->shares;
    char text[40];

    oc_buf_putc(&cli->out, '\n');
    oc_buf_escaped(&cli->out, answer->cgroup->subject);
    oc_buf_printf(&cli->out, " grew by %s",
                  oc_value_text(shares->change_bytes, OC_UNIT_BYTES, text, sizeof(text)));
    oc_buf_printf(&cli->out, " since %s; of that\n",
                  oc_timespec_short(shares->since_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    for (size_t i = 0; i < shares->count && i < MAX_SHARES; i++) {
        const struct oc_share *share = &shares->items[i];

        oc_buf_printf(&cli->out, "  %3.0f %%  %10s  ", share->share * 100,
                      oc_value_text(share->change_bytes, OC_UNIT_BYTES, text, sizeof(text)));
        oc_buf_escaped(&cli->out, share->source->subject);
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")\n", share->source->pid);
    }
    if (shares->count > MAX_SHARES)
        oc_buf_printf(&cli->out, "         and %zu more\n", shares->count - MAX_SHARES);
    if (shares->rest > 0.005)
        oc_buf_printf(&cli->out,
                      "  %3.0f %%  no private memory of a watched process: cache, shared memory, "
                      "others\n",
                      shares->rest * 100);
}

/* ---- the whole ---- */

int oc_forecast_answer_text(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_outlook_row *about = answer->binding ? answer->binding : answer->choice->own;
    int rc;

    if (!answer->ended[0])
        oc_forecast_put_stale(cli, answer->outlook);
    put_head(cli, answer);
    put_binding(cli, answer);
    put_saved(cli, answer->choice->own);
    put_plan(cli, answer);
    if (about)
        put_growth(cli, about);
    if (answer->began[0]) {
        oc_buf_puts(&cli->out, "began with ");
        oc_buf_escaped(&cli->out, answer->began);
        oc_buf_putc(&cli->out, '\n');
    }
    oc_buf_putc(&cli->out, '\n');
    rc = put_limits(cli, answer);
    if (!rc && answer->plot) {
        oc_buf_putc(&cli->out, '\n');
        rc = oc_forecast_chart(cli, answer->plot);
    }
    if (!rc && answer->shares)
        put_shares(cli, answer);
    return rc;
}

/* ---- JSON ---- */

static void json_shares(struct oc_json *json, const struct oc_forecast_answer *answer)
{
    oc_json_key(json, "shares");
    oc_json_object(json);
    oc_json_put_str(json, "cgroup", answer->cgroup->subject);
    oc_json_put_time(json, "since", answer->shares->since_unix_ms);
    oc_json_put_i64(json, "change_bytes", answer->shares->change_bytes);
    oc_json_put_dbl(json, "rest", answer->shares->rest);
    oc_json_key(json, "processes");
    oc_json_array(json);
    for (size_t i = 0; i < answer->shares->count; i++) {
        const struct oc_share *share = &answer->shares->items[i];

        oc_json_object(json);
        oc_json_put_str(json, "subject", share->source->subject);
        oc_json_put_u64(json, "pid", share->source->pid);
        oc_json_put_i64(json, "change_bytes", share->change_bytes);
        oc_json_put_dbl(json, "share", share->share);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
    oc_json_object_end(json);
}

void oc_forecast_answer_json(struct oc_cli *cli, const struct oc_forecast_answer *answer)
{
    const struct oc_outlook_choice *choice = answer->choice;
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_str(&json, "subject", choice->subject);
    oc_json_put_u64(&json, "processes", choice->processes);
    oc_json_put_time(&json, "newest", answer->outlook->newest_unix_ms);
    oc_json_put_bool(&json, "is_stale", answer->outlook->is_stale);
    if (answer->ended[0])
        oc_json_put_str(&json, "ended", answer->ended);
    if (answer->choice->own)
        oc_json_put_str(&json, "state",
                        oc_forecast_state_name(answer->choice->own->said.forecast.state));
    if (answer->plan[0])
        oc_json_put_str(&json, "plan", answer->plan);
    if (answer->began[0])
        oc_json_put_str(&json, "began_with", answer->began);
    oc_json_key(&json, "forecasts");
    oc_json_array(&json);
    for (size_t i = 0; i < choice->count; i++) {
        oc_json_object(&json);
        oc_json_put_bool(&json, "is_binding", choice->rows[i] == answer->binding);
        oc_forecast_json_row(&json, answer->outlook, choice->rows[i]);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    if (answer->shares)
        json_shares(&json, answer);
    if (answer->plot)
        oc_forecast_json_plot(&json, answer->plot);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}
