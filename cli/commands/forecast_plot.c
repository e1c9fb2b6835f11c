/* The picture of a forecast: history, floor, trend, limit, and the fan of what lies ahead. */
#include "cli/commands/forecast_view.h"

#include "base/ahead.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/os.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHART_ROWS 18
#define MAX_CHART_COLUMNS 140
#define MAX_SVG_BYTES (32u << 20)
#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)
#define LEAST_PAST_MS (10 * MINUTE_MS)
#define MOST_PAST_MS (14 * DAY_MS)
#define MOST_AHEAD_MS (5 * 365 * DAY_MS)
#define PAST_AHEAD 4 /* the past is at most so many times as long as what lies ahead … */
#define LIMIT_IN_VIEW                                                                              \
    3 /* a limit that is not in sight is drawn up to so many times the highest value */
#define GAP_STEPS 3      /* points further apart than so many steps are not joined */
#define NOTHING_AHEAD 20 /* of the past's length what is drawn empty where nothing is in sight */

/* ---- how much of time ---- */

static int has_fan(const struct oc_outlook_row *row)
{
    enum oc_urgency urgency = oc_outlook_urgency(row);

    return (urgency == OC_URGENCY_SURE || urgency == OC_URGENCY_MAYBE) &&
           oc_ahead_is_known(row->said.forecast.p10_s) &&
           oc_ahead_is_known(row->said.forecast.limit);
}

/* From the last sample to the latest end, or to twice the middle where that is open or far off. */
static int64_t ahead_ms(const struct oc_outlook_row *row)
{
    const struct oc_forecast *said = &row->said.forecast;
    double most_s = 2.5 * said->p50_s, ms;

    if (!has_fan(row))
        return 0;
    if (oc_ahead_is_known(said->p90_s) && said->p90_s * 1.05 < most_s)
        most_s = said->p90_s * 1.05;
    ms = most_s * 1000;
    return ms < (double)MOST_AHEAD_MS ? (int64_t)ms + 1 : MOST_AHEAD_MS;
}

static int64_t past_ms(const struct oc_outlook_row *row, int64_t ahead)
{
    const struct oc_forecast *said = &row->said.forecast;
    int64_t past = said->t_ms > said->since_ms ? (said->t_ms - said->since_ms) / 4 * 5 : DAY_MS;

    if (past > MOST_PAST_MS)
        past = MOST_PAST_MS;
    if (past < ahead / 2)
        past = ahead / 2;
    if (ahead > 0 && past > PAST_AHEAD * ahead)
        past = PAST_AHEAD * ahead;
    return past < LEAST_PAST_MS ? LEAST_PAST_MS : past;
}

static void choose_times(struct oc_forecast_plot *plot, int64_t since_unix_ms)
{
    const struct oc_forecast *said = &plot->row->said.forecast;
    int64_t ahead = ahead_ms(plot->row);
    int64_t t0 = said->t_ms - past_ms(plot->row, ahead);

    if (plot->source->begin_unix_ms > t0)
        t0 = plot->source->begin_unix_ms;
    if (since_unix_ms > 0)
        t0 = since_unix_ms;
    if (t0 >= said->t_ms)
        t0 = said->t_ms - MINUTE_MS;
    if (ahead == 0)
        ahead = (said->t_ms - t0) / NOTHING_AHEAD;
    plot->plot.t0_unix_ms = t0 > 0 ? t0 : 0;
    plot->plot.t1_unix_ms = said->t_ms + ahead;
}

/* ---- what is drawn ---- */

static int take_point(const struct oc_point *point, void *context)
{
    struct oc_forecast_plot *plot = context;

    if (plot->count == OC_FORECAST_MAX_POINTS)
        return 1;
    plot->points[plot->count++] = *point;
    return 0;
}

static int read_points(struct oc_forecast_plot *plot, oc_reader *reader, size_t points)
{
    int64_t until = plot->row->said.forecast.t_ms;
    struct oc_range range = { .since_unix_ms = plot->plot.t0_unix_ms,
                              .metric = plot->row->said.forecast.metric };
    int64_t step;
    int rc;

    if (plot->source->last_unix_ms > until)
        until = plot->source->last_unix_ms; /* samples came since */
    if (until < range.since_unix_ms)
        until = range.since_unix_ms;
    step = (until - range.since_unix_ms) / (int64_t)(points ? points : 1) + 1;
    range.until_unix_ms = until + 1;
    range.step_ms = step;
    rc = oc_reader_range(reader, plot->source->source, &range, take_point, plot);
    plot->plot.gap_ms =
        GAP_STEPS * (step > plot->source->interval_ms ? step : plot->source->interval_ms) + 1;
    return rc < 0 && rc != OC_E_NOENT ? rc : OC_OK;
}

/* What it never fell below since: the lowest of what came later. Of a falling figure the highest. */
static void find_floor(struct oc_forecast_plot *plot, int falls)
{
    double floor = falls ? -INFINITY : INFINITY;

    for (size_t i = plot->count; i-- > 0;) {
        const struct oc_point *point = &plot->points[i];

        floor = falls ? fmax(floor, (double)point->max) : fmin(floor, (double)point->min);
        plot->floor[i] = (struct oc_plot_at){ point->t_unix_ms, floor };
    }
    plot->ahead.floor = plot->floor;
    plot->ahead.floor_count = plot->count;
}

/* Growth as a line through the middle of what grew. */
static void find_trend(struct oc_forecast_plot *plot)
{
    const struct oc_forecast *said = &plot->row->said.forecast;
    double per_ms = said->growth_per_h / (3600.0 * 1000.0);
    double t = 0, v = 0, n = 0;

    if (!oc_ahead_is_known(per_ms) || said->since_ms >= said->t_ms)
        return;
    for (size_t i = 0; i < plot->count; i++) {
        if (plot->points[i].t_unix_ms < said->since_ms)
            continue;
        t += (double)(plot->points[i].t_unix_ms - said->since_ms);
        v += plot->points[i].mean;
        n += 1;
    }
    if (n < 2)
        return;
    for (int end = 0; end < 2; end++) {
        int64_t at = end ? said->t_ms : said->since_ms;

        plot->ahead.trend[end] =
            (struct oc_plot_at){ at, v / n + per_ms * ((double)(at - said->since_ms) - t / n) };
    }
    plot->ahead.has_trend = 1;
}

static int64_t end_ms(const struct oc_forecast *said, double seconds)
{
    double ms = seconds * 1000;

    return ms < (double)MOST_AHEAD_MS * 4 ? said->t_ms + (int64_t)fmax(ms, 0) : INT64_MAX;
}

static void find_limit(struct oc_forecast_plot *plot)
{
    const struct oc_forecast *said = &plot->row->said.forecast;
    struct oc_plot_ahead *ahead = &plot->ahead;
    double low = 0, high = 0;
    char value[40];

    if (!plot->row->said.limit.kind || !oc_ahead_is_known(said->limit))
        return;
    ahead->limit = said->limit;
    ahead->limit_name = plot->limit_name;
    ahead->has_fan = has_fan(plot->row) && oc_ahead_is_known(said->value);
    (void)oc_plot_bounds(&plot->plot, &low, &high);
    ahead->has_limit = ahead->has_fan || (said->limit <= high * LIMIT_IN_VIEW && said->limit >= 0);
    (void)snprintf(plot->limit_name, sizeof(plot->limit_name), "%s %s",
                   oc_forecast_limit_name(&plot->row->said),
                   oc_value_text((int64_t)llround(fmin(said->limit, 9e18)),
                                 oc_forecast_unit(&plot->row->said), value, sizeof(value)));
    ahead->from_unix_ms = said->t_ms;
    ahead->from_value = said->value;
    if (!ahead->has_fan)
        return;
    ahead->p10_unix_ms = end_ms(said, said->p10_s);
    ahead->p50_unix_ms = end_ms(said, said->p50_s);
    ahead->p90_unix_ms = oc_ahead_is_known(said->p90_s) ? end_ms(said, said->p90_s) : INT64_MAX;
}

/* A picture outlives the day: its times are counted from one that it names. */
static void put_subtitle(struct oc_forecast_plot *plot, int64_t now_unix_ms)
{
    const struct oc_forecast *said = &plot->row->said.forecast;
    char text[128], from[48];

    if (plot->ahead.has_fan)
        (void)snprintf(
            plot->subtitle, sizeof(plot->subtitle), "%s %s in %s, counted from %s",
            oc_ahead_effect(plot->row->said.limit.kind), plot->limit_name,
            oc_ahead_all(plot->row->p10_s, plot->row->p50_s, plot->row->p90_s, text, sizeof(text)),
            oc_timespec_format((now_unix_ms > 0 ? now_unix_ms : said->t_ms) / 1000 * 1000, from,
                               sizeof(from)));
    else
        (void)snprintf(plot->subtitle, sizeof(plot->subtitle), "%s, said at %s",
                       oc_forecast_state_name(said->state),
                       oc_timespec_format(said->t_ms / 1000 * 1000, from, sizeof(from)));
}

static void name_plot(struct oc_forecast_plot *plot)
{
    const struct oc_metric_row *metric = oc_metric_by_number(plot->row->said.forecast.metric);

    (void)snprintf(plot->title, sizeof(plot->title), "%s: %s", plot->source->subject,
                   metric ? metric->name : "?");
    plot->plot.unit = oc_forecast_unit(&plot->row->said);
    plot->plot.series[0] =
        (struct oc_plot_series){ metric ? metric->name : "?", plot->points, plot->count };
    plot->plot.series_count = 1;
}

int oc_forecast_plot_load(struct oc_forecast_plot *plot, oc_reader *reader,
                          const struct oc_outlook *outlook, const struct oc_outlook_row *row,
                          int64_t since_unix_ms, size_t points)
{
    const struct oc_limit_row *limit = oc_limit_row(row->said.limit.kind);
    int falls = (limit && limit->is_floor) || row->said.forecast.growth_per_h < 0;
    int rc;

    memset(plot, 0, sizeof(*plot));
    plot->row = row;
    plot->source = &outlook->sources[row->source];
    choose_times(plot, since_unix_ms);
    rc = read_points(plot, reader,
                     points < OC_FORECAST_MAX_POINTS ? points : OC_FORECAST_MAX_POINTS);
    if (rc)
        return rc;
    name_plot(plot);
    find_limit(plot);
    find_floor(plot, falls && oc_outlook_is_moving(row));
    find_trend(plot);
    put_subtitle(plot, outlook->now_unix_ms);
    plot->plot.ahead = &plot->ahead;
    return OC_OK;
}

/* ---- on the terminal ---- */

static void put_legend(const struct oc_cli *cli, const struct oc_forecast_plot *plot,
                       struct oc_buf *out)
{
    const char *(*names)[2] = NULL;
    static const char *plain[][2] = { { "*", "history" }, { "/", "trend" },   { "_", "floor" },
                                      { "=", "" },        { ".", "10-90 %" }, { "+", "50 %" } };
    static const char *dots[][2] = {
        { "\033[36m⣿\033[0m", "history" }, { "\033[35m⠒\033[0m", "trend" },
        { "\033[34m⣀\033[0m", "floor" },   { "\033[31m─\033[0m", "" },
        { "\033[33m⢕\033[0m", "10-90 %" }, { "\033[33m⠤\033[0m", "50 %" }
    };
    static const char *bare[][2] = { { "⣿", "history" }, { "⠒", "trend" },   { "⣀", "floor" },
                                     { "─", "" },        { "⢕", "10-90 %" }, { "⠤", "50 %" } };
    int shown[] = { 1,
                    plot->ahead.has_trend,
                    plot->ahead.floor_count > 1,
                    plot->ahead.has_limit,
                    plot->ahead.has_fan,
                    plot->ahead.has_fan };

    names = !cli->utf8 ? plain : cli->color ? dots : bare;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (!shown[i])
            continue;
        oc_buf_printf(out, "  %s ", names[i][0]);
        oc_buf_escaped(out, i == 3 ? plot->limit_name : names[i][1]);
    }
    oc_buf_putc(out, '\n');
}

int oc_forecast_chart(struct oc_cli *cli, const struct oc_forecast_plot *plot)
{
    struct oc_chart_style style = { cli->width, CHART_ROWS, cli->utf8, cli->color };
    int rc;

    if (plot->count == 0)
        return OC_OK;
    if (style.columns > MAX_CHART_COLUMNS)
        style.columns = MAX_CHART_COLUMNS;
    rc = oc_chart(&plot->plot, &style, &cli->out);
    if (!rc)
        put_legend(cli, plot, &cli->out);
    return rc ? rc : cli->out.err;
}

/* ---- files ---- */

int oc_forecast_svg(const struct oc_forecast_plot *plot, const char *path)
{
    struct oc_plot picture = plot->plot;
    struct oc_buf svg;
    int rc;

    oc_buf_init(&svg, MAX_SVG_BYTES);
    picture.title = plot->title;
    picture.subtitle = plot->subtitle;
    rc = oc_svg(&picture, &svg);
    if (!rc)
        rc = oc_file_write_atomic(path, svg.data, svg.len_bytes);
    oc_buf_clear(&svg);
    return rc;
}

void oc_forecast_json_plot(struct oc_json *json, const struct oc_forecast_plot *plot)
{
    oc_json_key(json, "history");
    oc_json_array(json);
    for (size_t i = 0; i < plot->count; i++) {
        const struct oc_point *point = &plot->points[i];

        oc_json_object(json);
        oc_json_put_time(json, "time", point->t_unix_ms);
        oc_json_put_i64(json, "min", point->min);
        oc_json_put_dbl(json, "mean", point->mean);
        oc_json_put_i64(json, "max", point->max);
        oc_json_put_dbl(json, "floor", plot->floor[i].value);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
}
