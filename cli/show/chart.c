#include "cli/show/axis.h"
#include "cli/show/canvas.h"
#include "cli/show/plot.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define MAX_COLUMNS 400
#define MAX_ROWS 120

struct frame {
    struct oc_axis x, y;
    int label_columns;
    int columns, rows; /* of the plot itself */
};

static void widen(double value, double *low, double *high)
{
    *low = value < *low ? value : *low;
    *high = value > *high ? value : *high;
}

static void widen_by_ahead(const struct oc_plot_ahead *ahead, double *low, double *high)
{
    if (ahead->has_limit)
        widen(ahead->limit, low, high);
    if (ahead->has_fan)
        widen(ahead->from_value, low, high);
    for (size_t i = 0; i < ahead->floor_count; i++)
        widen(ahead->floor[i].value, low, high);
}

int oc_plot_bounds(const struct oc_plot *plot, double *out_low, double *out_high)
{
    int seen = 0;

    for (size_t s = 0; s < plot->series_count; s++) {
        for (size_t i = 0; i < plot->series[s].count; i++) {
            const struct oc_point *point = &plot->series[s].points[i];

            if (point->count == 0)
                continue;
            if (!seen || (double)point->min < *out_low)
                *out_low = (double)point->min;
            if (!seen || (double)point->max > *out_high)
                *out_high = (double)point->max;
            seen = 1;
        }
    }
    if (seen && plot->ahead)
        widen_by_ahead(plot->ahead, out_low, out_high);
    return seen;
}

/* ---- dots ---- */

static int at_x(const struct frame *frame, const struct oc_canvas *canvas, int64_t t_unix_ms)
{
    return oc_canvas_scale((double)t_unix_ms, frame->x.low, frame->x.high, canvas->width);
}

static int at_y(const struct frame *frame, const struct oc_canvas *canvas, double value)
{
    return oc_canvas_scale(value, frame->y.low, frame->y.high, canvas->height);
}

static void draw_series(const struct oc_plot *plot, const struct frame *frame,
                        struct oc_canvas *canvas)
{
    const struct oc_plot_series *series = &plot->series[0];
    const struct oc_point *before = NULL;

    for (size_t i = 0; i < series->count; i++) {
        const struct oc_point *point = &series->points[i];
        int x = at_x(frame, canvas, point->t_unix_ms);

        if (point->count == 0)
            continue;
        oc_canvas_run(canvas, OC_LAYER_LINE, x, at_y(frame, canvas, (double)point->min),
                      at_y(frame, canvas, (double)point->max));
        if (before && (plot->gap_ms == 0 || point->t_unix_ms - before->t_unix_ms <= plot->gap_ms))
            oc_canvas_line(canvas, OC_LAYER_LINE, at_x(frame, canvas, before->t_unix_ms),
                           at_y(frame, canvas, before->mean), x, at_y(frame, canvas, point->mean));
        before = point;
    }
}

/* ---- what lies ahead ---- */

static void draw_floor(const struct oc_plot_ahead *ahead, const struct frame *frame,
                       struct oc_canvas *canvas)
{
    for (size_t i = 1; i < ahead->floor_count; i++)
        oc_canvas_line(canvas, OC_LAYER_FLOOR, at_x(frame, canvas, ahead->floor[i - 1].t_unix_ms),
                       at_y(frame, canvas, ahead->floor[i - 1].value),
                       at_x(frame, canvas, ahead->floor[i].t_unix_ms),
                       at_y(frame, canvas, ahead->floor[i].value));
}

/* Every second dot between the earliest and the latest way to the limit; an open end lies flat. */
static void draw_fan(const struct oc_plot_ahead *ahead, const struct frame *frame,
                     struct oc_canvas *canvas)
{
    int x0 = at_x(frame, canvas, ahead->from_unix_ms);
    double step_ms = (frame->x.high - frame->x.low) / (canvas->width - 1);

    for (int x = x0 + 1; x < canvas->width; x++) {
        double t = frame->x.low + step_ms * x;
        int early = at_y(frame, canvas, oc_plot_ahead_value(ahead, ahead->p10_unix_ms, t));
        int late = at_y(frame, canvas, oc_plot_ahead_value(ahead, ahead->p90_unix_ms, t));
        int low = early < late ? early : late, high = early < late ? late : early;

        for (int y = low; y <= high && canvas->cell_x > 1; y++) {
            if ((x + y) % 2 == 0)
                oc_canvas_dot(canvas, OC_LAYER_FAN, x, y);
        }
        if (canvas->cell_x == 1)
            oc_canvas_run(canvas, OC_LAYER_FAN, x, low, high);
    }
}

static void draw_ahead(const struct oc_plot_ahead *ahead, const struct frame *frame,
                       struct oc_canvas *canvas)
{
    int now_x = at_x(frame, canvas, ahead->from_unix_ms);
    int from_y = at_y(frame, canvas, ahead->from_value);

    draw_floor(ahead, frame, canvas);
    if (ahead->has_trend)
        oc_canvas_line(canvas, OC_LAYER_TREND, at_x(frame, canvas, ahead->trend[0].t_unix_ms),
                       at_y(frame, canvas, ahead->trend[0].value),
                       at_x(frame, canvas, ahead->trend[1].t_unix_ms),
                       at_y(frame, canvas, ahead->trend[1].value));
    if (ahead->has_limit) {
        oc_canvas_line(canvas, OC_LAYER_LIMIT, 0, at_y(frame, canvas, ahead->limit),
                       canvas->width - 1, at_y(frame, canvas, ahead->limit));
    }
    if (ahead->has_fan) {
        oc_canvas_run(canvas, OC_LAYER_NOW, now_x, 0, canvas->height - 1);
        draw_fan(ahead, frame, canvas);
        oc_canvas_line(canvas, OC_LAYER_MIDDLE, now_x, from_y,
                       at_x(frame, canvas, ahead->p50_unix_ms), at_y(frame, canvas, ahead->limit));
    }
}

double oc_plot_ahead_value(const struct oc_plot_ahead *ahead, int64_t end_unix_ms, double t_unix_ms)
{
    double share;

    if (end_unix_ms == INT64_MAX)
        return ahead->from_value;
    if (end_unix_ms <= ahead->from_unix_ms || t_unix_ms >= (double)end_unix_ms)
        return ahead->limit;
    share = (t_unix_ms - (double)ahead->from_unix_ms) / (double)(end_unix_ms - ahead->from_unix_ms);
    return ahead->from_value + share * (ahead->limit - ahead->from_value);
}

/* ---- characters ---- */

/* The tick whose place is in this row, or NULL. */
static const double *tick_in_row(const struct frame *frame, int row)
{
    for (size_t i = 0; i < frame->y.tick_count; i++) {
        int at = oc_canvas_scale(frame->y.ticks[i], frame->y.low, frame->y.high, frame->rows);

        if (frame->rows - 1 - at == row)
            return &frame->y.ticks[i];
    }
    return NULL;
}

static void put_rows(const struct oc_plot *plot, const struct oc_canvas *canvas,
                     const struct frame *frame, const struct oc_chart_style *style,
                     struct oc_buf *out)
{
    for (int row = 0; row < frame->rows; row++) {
        const double *tick = tick_in_row(frame, row);
        char label[48] = "";

        if (tick)
            (void)oc_axis_value_label(&frame->y, *tick, plot->unit, label, sizeof(label));
        oc_buf_spaces(out, (size_t)frame->label_columns - strlen(label));
        oc_buf_puts(out, label);
        if (style->utf8)
            oc_buf_puts(out, tick ? " ┤" : " │");
        else
            oc_buf_puts(out, tick ? " +" : " |");
        oc_canvas_put_row(canvas, row, style->color, out);
        oc_buf_putc(out, '\n');
    }
}

static void put_time_line(const struct frame *frame, const struct oc_chart_style *style,
                          struct oc_buf *out)
{
    oc_buf_spaces(out, (size_t)frame->label_columns + 1);
    oc_buf_puts(out, style->utf8 ? "└" : "+");
    for (int column = 0; column < frame->columns; column++) {
        int is_tick = 0;

        for (size_t i = 0; i < frame->x.tick_count; i++)
            is_tick |= oc_canvas_scale(frame->x.ticks[i], frame->x.low, frame->x.high,
                                       frame->columns) == column;
        if (style->utf8)
            oc_buf_puts(out, is_tick ? "┬" : "─");
        else
            oc_buf_putc(out, is_tick ? '+' : '-');
    }
    oc_buf_putc(out, '\n');
}

/* Labels stand centred below their ticks; one that would run into its neighbour is left out. */
static void put_time_labels(const struct oc_plot *plot, const struct frame *frame,
                            struct oc_buf *out)
{
    int origin = frame->label_columns + 2;
    int limit = origin + frame->columns;
    int at = 0;

    for (size_t i = 0; i < frame->x.tick_count; i++) {
        char label[48];
        int tick = origin +
                   oc_canvas_scale(frame->x.ticks[i], frame->x.low, frame->x.high, frame->columns);
        int len, begin;

        (void)oc_axis_time_label(&frame->x, frame->x.ticks[i], plot->origin_ms, label,
                                 sizeof(label));
        len = (int)strlen(label);
        begin = tick - len / 2;
        if (begin + len > limit)
            begin = limit - len;
        if (begin < (at ? at + 2 : 0))
            continue;
        oc_buf_spaces(out, (size_t)(begin - at));
        oc_buf_puts(out, label);
        at = begin + len;
    }
    oc_buf_putc(out, '\n');
}

/* ---- the whole ---- */

static int widest_label(const struct oc_plot *plot, const struct oc_axis *y)
{
    char label[48];
    size_t widest = 0;

    for (size_t i = 0; i < y->tick_count; i++) {
        size_t len = strlen(oc_axis_value_label(y, y->ticks[i], plot->unit, label, sizeof(label)));

        if (len > widest)
            widest = len;
    }
    return (int)widest;
}

/* As many rows between any two ticks. */
static void even_rows(struct frame *frame)
{
    int gaps = (int)frame->y.tick_count - 1;

    if (gaps > 0 && frame->rows > gaps)
        frame->rows = (frame->rows - 1) / gaps * gaps + 1;
}

static int lay_out(const struct oc_plot *plot, const struct oc_chart_style *style,
                   struct frame *frame)
{
    double low = 0, high = 0;
    int ticks;

    if (!oc_plot_bounds(plot, &low, &high))
        return 0;
    frame->rows = style->rows - 3; /* title, time line, time labels */
    if (frame->rows < 3)
        frame->rows = 3;
    if (frame->rows > MAX_ROWS)
        frame->rows = MAX_ROWS;
    ticks = frame->rows / 2 < 7 ? frame->rows / 2 : 7;
    oc_axis_values(&frame->y, low, high, plot->unit, (size_t)(ticks < 2 ? 2 : ticks));
    even_rows(frame);
    frame->label_columns = widest_label(plot, &frame->y);
    frame->columns = style->columns - frame->label_columns - 2;
    if (frame->columns < 10)
        frame->columns = 10;
    if (frame->columns > MAX_COLUMNS)
        frame->columns = MAX_COLUMNS;
    ticks = frame->columns / 14;
    oc_axis_time(&frame->x, plot->t0_unix_ms, plot->t1_unix_ms, plot->origin_ms,
                 (size_t)(ticks < 2 ? 2 : ticks));
    return 1;
}

int oc_chart(const struct oc_plot *plot, const struct oc_chart_style *style, struct oc_buf *out)
{
    struct frame frame = { 0 };
    struct oc_canvas canvas;

    if (plot->series_count == 0 || !lay_out(plot, style, &frame))
        return OC_OK;
    if (oc_canvas_init(&canvas, frame.columns, frame.rows, style->utf8))
        return OC_E_NOMEM;
    if (plot->ahead)
        draw_ahead(plot->ahead, &frame, &canvas);
    draw_series(plot, &frame, &canvas);
    if (plot->title) {
        oc_buf_spaces(out, (size_t)frame.label_columns + 2);
        oc_buf_escaped(out, plot->title);
        oc_buf_putc(out, '\n');
    }
    put_rows(plot, &canvas, &frame, style, out);
    put_time_line(&frame, style, out);
    put_time_labels(plot, &frame, out);
    oc_canvas_clear(&canvas);
    return out->err;
}
