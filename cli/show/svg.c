#include "cli/show/axis.h"
#include "cli/show/plot.h"

#include "base/text.h"

#include <string.h>

/* In pixels; the plot itself lies between the margins. */
#define WIDTH 960
#define HEIGHT 440
#define LEFT 90
#define RIGHT 24
#define TOP 84
#define BOTTOM 48
#define LEGEND 68        /* where its text stands */
#define LETTER_WIDTH 7.0 /* more or less */
#define MAX_TITLE_BYTES ((size_t)600)

static const char *const colors[OC_PLOT_MAX_SERIES] = {
    "#2563eb", "#ea580c", "#16a34a", "#9333ea", "#dc2626", "#0891b2", "#ca8a04", "#4b5563"
};

struct view {
    struct oc_axis x, y;
};

static double at_x(const struct view *view, double t)
{
    return LEFT + (t - view->x.low) / (view->x.high - view->x.low) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct view *view, double value)
{
    return HEIGHT - BOTTOM -
           (value - view->y.low) / (view->y.high - view->y.low) * (HEIGHT - TOP - BOTTOM);
}

/* Text between tags: valid UTF-8, no control characters (XML 1.0 has no way to write them), entities escaped. */
static void put_text(struct oc_buf *out, const char *text)
{
    struct oc_buf escaped;

    oc_buf_init(&escaped, MAX_TITLE_BYTES * 5);
    oc_buf_escaped(&escaped, text);
    for (const char *c = escaped.data ? escaped.data : ""; *c; c++) {
        if (*c == '&')
            oc_buf_puts(out, "&amp;");
        else if (*c == '<')
            oc_buf_puts(out, "&lt;");
        else if (*c == '>')
            oc_buf_puts(out, "&gt;");
        else if (strncmp(c, "\xef\xbf\xbe", 3) == 0 || strncmp(c, "\xef\xbf\xbf", 3) == 0)
            c += 2; /* U+FFFE and U+FFFF are no characters of XML */
        else
            oc_buf_putc(out, *c);
    }
    oc_buf_clear(&escaped);
}

static void put_head(const struct oc_plot *plot, struct oc_buf *out)
{
    oc_buf_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                  "height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n"
                  "<title>",
                  WIDTH, HEIGHT, WIDTH, HEIGHT);
    put_text(out, plot->title);
    oc_buf_printf(out, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH,
                  HEIGHT);
    oc_buf_printf(out,
                  "<text x=\"%d\" y=\"26\" font-size=\"16\" font-weight=\"600\" "
                  "fill=\"#111827\">",
                  LEFT);
    put_text(out, plot->title);
    oc_buf_puts(out, "</text>\n");
    if (plot->subtitle) {
        oc_buf_printf(out, "<text x=\"%d\" y=\"45\" fill=\"#6b7280\">", LEFT);
        put_text(out, plot->subtitle);
        oc_buf_puts(out, "</text>\n");
    }
}

static void put_value_axis(const struct oc_plot *plot, const struct view *view, struct oc_buf *out)
{
    char label[48];

    oc_buf_puts(out, "<g stroke=\"#e5e7eb\">\n");
    for (size_t i = 0; i < view->y.tick_count; i++) {
        double y = at_y(view, view->y.ticks[i]);

        oc_buf_printf(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT, y,
                      WIDTH - RIGHT, y);
    }
    oc_buf_puts(out, "</g>\n<g fill=\"#374151\" text-anchor=\"end\">\n");
    for (size_t i = 0; i < view->y.tick_count; i++)
        oc_buf_printf(
            out, "<text x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT - 8,
            at_y(view, view->y.ticks[i]) + 4,
            oc_axis_value_label(&view->y, view->y.ticks[i], plot->unit, label, sizeof(label)));
    oc_buf_puts(out, "</g>\n");
}

static void put_time_axis(const struct oc_plot *plot, const struct view *view, struct oc_buf *out)
{
    char label[48];
    int base = HEIGHT - BOTTOM;

    oc_buf_printf(out, "<g stroke=\"#9ca3af\">\n<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
                  LEFT, base, WIDTH - RIGHT, base);
    for (size_t i = 0; i < view->x.tick_count; i++) {
        double x = at_x(view, view->x.ticks[i]);

        oc_buf_printf(out, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x, base, x,
                      base + 5);
    }
    oc_buf_puts(out, "</g>\n<g fill=\"#374151\" text-anchor=\"middle\">\n");
    for (size_t i = 0; i < view->x.tick_count; i++)
        oc_buf_printf(
            out, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", at_x(view, view->x.ticks[i]), base + 20,
            oc_axis_time_label(&view->x, view->x.ticks[i], plot->origin_ms, label, sizeof(label)));
    oc_buf_puts(out, "</g>\n");
}

/* Points from `begin` up to the next gap. */
static size_t run_end(const struct oc_plot *plot, const struct oc_plot_series *series, size_t begin)
{
    size_t end = begin + 1;

    while (end < series->count &&
           (plot->gap_ms == 0 ||
            series->points[end].t_unix_ms - series->points[end - 1].t_unix_ms <= plot->gap_ms))
        end++;
    return end;
}

static void put_band(const struct view *view, const struct oc_plot_series *series, size_t begin,
                     size_t end, const char *color, struct oc_buf *out)
{
    oc_buf_printf(out, "<polygon fill=\"%s\" fill-opacity=\"0.18\" points=\"", color);
    for (size_t i = begin; i < end; i++)
        oc_buf_printf(out, "%.1f,%.1f ", at_x(view, (double)series->points[i].t_unix_ms),
                      at_y(view, (double)series->points[i].max));
    for (size_t i = end; i-- > begin;)
        oc_buf_printf(out, "%.1f,%.1f ", at_x(view, (double)series->points[i].t_unix_ms),
                      at_y(view, (double)series->points[i].min));
    oc_buf_puts(out, "\"/>\n");
}

static void put_line(const struct view *view, const struct oc_plot_series *series, size_t begin,
                     size_t end, const char *color, struct oc_buf *out)
{
    if (end - begin == 1) {
        oc_buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\" fill=\"%s\"/>\n",
                      at_x(view, (double)series->points[begin].t_unix_ms),
                      at_y(view, series->points[begin].mean), color);
        return;
    }
    oc_buf_printf(out,
                  "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" "
                  "stroke-linejoin=\"round\" points=\"",
                  color);
    for (size_t i = begin; i < end; i++)
        oc_buf_printf(out, "%.1f,%.1f ", at_x(view, (double)series->points[i].t_unix_ms),
                      at_y(view, series->points[i].mean));
    oc_buf_puts(out, "\"/>\n");
}

static int has_band(const struct oc_plot_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        if (series->points[i].min != series->points[i].max)
            return 1;
    }
    return 0;
}

static void put_series(const struct oc_plot *plot, const struct view *view, size_t index,
                       struct oc_buf *out)
{
    const struct oc_plot_series *series = &plot->series[index];
    int band = has_band(series);

    for (size_t begin = 0; begin < series->count;) {
        size_t end = run_end(plot, series, begin);

        if (band && end - begin > 1)
            put_band(view, series, begin, end, colors[index], out);
        put_line(view, series, begin, end, colors[index], out);
        begin = end;
    }
}

static void put_legend(const struct oc_plot *plot, struct oc_buf *out)
{
    double x = LEFT;

    for (size_t s = 0; s < plot->series_count; s++) {
        const char *name = plot->series[s].name;

        oc_buf_printf(out,
                      "<rect x=\"%.1f\" y=\"%d\" width=\"12\" height=\"3\" fill=\"%s\"/>"
                      "<text x=\"%.1f\" y=\"%d\" fill=\"#374151\">",
                      x, LEGEND - 6, colors[s], x + 16, LEGEND);
        put_text(out, name);
        oc_buf_puts(out, "</text>\n");
        x += (double)oc_text_columns(name) * LETTER_WIDTH + 34;
    }
}

/* ---- what lies ahead ---- */

#define FAN_COLOR "#ca8a04"
#define LIMIT_COLOR "#dc2626"
#define FLOOR_COLOR "#0f766e"
#define TREND_COLOR "#9333ea"

static void put_points(const struct view *view, const struct oc_plot_at *points, size_t count,
                       const char *color, const char *dashes, struct oc_buf *out)
{
    oc_buf_printf(out,
                  "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.4\" "
                  "stroke-dasharray=\"%s\" points=\"",
                  color, dashes);
    for (size_t i = 0; i < count; i++)
        oc_buf_printf(out, "%.1f,%.1f ", at_x(view, (double)points[i].t_unix_ms),
                      at_y(view, points[i].value));
    oc_buf_puts(out, "\"/>\n");
}

/* The corner of the fan at the end of the way that meets the limit then, or the edge where it is open. */
static void put_corner(const struct view *view, const struct oc_plot_ahead *ahead,
                       int64_t end_unix_ms, struct oc_buf *out)
{
    double t = (double)end_unix_ms < view->x.high ? (double)end_unix_ms : view->x.high;

    oc_buf_printf(out, "%.1f,%.1f ", at_x(view, t),
                  at_y(view, oc_plot_ahead_value(ahead, end_unix_ms, t)));
}

static void put_fan(const struct view *view, const struct oc_plot_ahead *ahead, struct oc_buf *out)
{
    double now_x = at_x(view, (double)ahead->from_unix_ms);
    double from_y = at_y(view, ahead->from_value);

    oc_buf_printf(out,
                  "<polygon class=\"fan\" fill=\"" FAN_COLOR
                  "\" fill-opacity=\"0.22\" points=\"%.1f,%.1f ",
                  now_x, from_y);
    put_corner(view, ahead, ahead->p10_unix_ms, out);
    if (ahead->p90_unix_ms == INT64_MAX || (double)ahead->p90_unix_ms > view->x.high)
        oc_buf_printf(out, "%.1f,%.1f ", at_x(view, view->x.high), at_y(view, ahead->limit));
    put_corner(view, ahead, ahead->p90_unix_ms, out);
    oc_buf_printf(out,
                  "\"/>\n<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" "
                  "stroke=\"#9ca3af\" stroke-dasharray=\"2 4\"/>\n"
                  "<polyline fill=\"none\" stroke=\"" FAN_COLOR
                  "\" stroke-width=\"1.8\" points=\"%.1f,%.1f ",
                  now_x, TOP, now_x, HEIGHT - BOTTOM, now_x, from_y);
    put_corner(view, ahead, ahead->p50_unix_ms, out);
    oc_buf_puts(out, "\"/>\n");
}

static void put_limit(const struct view *view, const struct oc_plot_ahead *ahead,
                      struct oc_buf *out)
{
    double y = at_y(view, ahead->limit);

    oc_buf_printf(out,
                  "<line class=\"limit\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" "
                  "stroke=\"" LIMIT_COLOR "\" stroke-width=\"1.4\"/>\n"
                  "<text x=\"%d\" y=\"%.1f\" fill=\"" LIMIT_COLOR "\">",
                  LEFT, y, WIDTH - RIGHT, y, LEFT + 6, y - 5);
    put_text(out, ahead->limit_name ? ahead->limit_name : "limit");
    oc_buf_puts(out, "</text>\n");
}

static void put_ahead(const struct view *view, const struct oc_plot_ahead *ahead,
                      struct oc_buf *out)
{
    if (ahead->has_fan)
        put_fan(view, ahead, out);
    if (ahead->floor_count > 1)
        put_points(view, ahead->floor, ahead->floor_count, FLOOR_COLOR, "1 3", out);
    if (ahead->has_trend)
        put_points(view, ahead->trend, 2, TREND_COLOR, "6 4", out);
    if (ahead->has_limit)
        put_limit(view, ahead, out);
}

int oc_svg(const struct oc_plot *plot, struct oc_buf *out)
{
    struct view view = { 0 };
    double low = 0, high = 1;
    int any = oc_plot_bounds(plot, &low, &high);

    oc_axis_values(&view.y, low, high, plot->unit, 7);
    oc_axis_time(&view.x, plot->t0_unix_ms, plot->t1_unix_ms, plot->origin_ms, 9);
    put_head(plot, out);
    put_value_axis(plot, &view, out);
    put_time_axis(plot, &view, out);
    if (!any)
        oc_buf_printf(out,
                      "<text x=\"%d\" y=\"%d\" fill=\"#6b7280\">no samples in this range</text>\n",
                      WIDTH / 2 - 60, HEIGHT / 2);
    if (plot->ahead)
        put_ahead(&view, plot->ahead, out);
    for (size_t s = 0; s < plot->series_count; s++)
        put_series(plot, &view, s, out);
    if (plot->series_count > 1)
        put_legend(plot, out);
    oc_buf_puts(out, "</svg>\n");
    return out->err;
}
