#include "cli/show/axis.h"
#include "cli/show/plot.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define MAX_COLUMNS 400
#define MAX_ROWS 120
#define DOTS_X 2 /* of a braille character */
#define DOTS_Y 4

/* A field of dots, one byte each. */
struct canvas {
    uint8_t *dots;
    int width, height; /* in dots */
};

struct frame {
    struct oc_axis x, y;
    int label_columns;
    int columns, rows;  /* of the plot itself */
    int dots_x, dots_y; /* a character's */
};

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
    return seen;
}

/* ---- dots ---- */

static void set_dot(struct canvas *canvas, int x, int y)
{
    if (x >= 0 && x < canvas->width && y >= 0 && y < canvas->height)
        canvas->dots[(size_t)y * (size_t)canvas->width + (size_t)x] = 1;
}

static void set_run(struct canvas *canvas, int x, int y0, int y1)
{
    for (int y = y0 < y1 ? y0 : y1; y <= (y0 < y1 ? y1 : y0); y++)
        set_dot(canvas, x, y);
}

/* A steep line leaves no holes: each column gets the run between its two ends. */
static void set_line(struct canvas *canvas, int x0, int y0, int x1, int y1)
{
    int last_y = y0;

    if (x1 <= x0) {
        set_run(canvas, x0, y0, y1);
        return;
    }
    for (int x = x0; x <= x1; x++) {
        int y = y0 + (int)lround((double)(y1 - y0) * (x - x0) / (x1 - x0));

        if (y > last_y + 1)
            set_run(canvas, x, last_y + 1, y);
        else if (y < last_y - 1)
            set_run(canvas, x, last_y - 1, y);
        else
            set_dot(canvas, x, y);
        last_y = y;
    }
}

static int scale(double value, double low, double high, int dots)
{
    return (int)lround((value - low) / (high - low) * (dots - 1));
}

static void draw_series(const struct oc_plot *plot, const struct frame *frame,
                        struct canvas *canvas)
{
    const struct oc_plot_series *series = &plot->series[0];
    const struct oc_point *before = NULL;

    for (size_t i = 0; i < series->count; i++) {
        const struct oc_point *point = &series->points[i];
        const struct oc_axis *y = &frame->y;
        int x = scale((double)point->t_unix_ms, frame->x.low, frame->x.high, canvas->width);
        int mean = scale(point->mean, y->low, y->high, canvas->height);

        if (point->count == 0)
            continue;
        set_run(canvas, x, scale((double)point->min, y->low, y->high, canvas->height),
                scale((double)point->max, y->low, y->high, canvas->height));
        if (before && (plot->gap_ms == 0 || point->t_unix_ms - before->t_unix_ms <= plot->gap_ms))
            set_line(canvas,
                     scale((double)before->t_unix_ms, frame->x.low, frame->x.high, canvas->width),
                     scale(before->mean, y->low, y->high, canvas->height), x, mean);
        before = point;
    }
}

/* ---- characters ---- */

/* The dots of the character at (column, row from the top) as a braille pattern. */
static unsigned braille(const struct canvas *canvas, int column, int row)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
    };
    unsigned pattern = 0;

    for (int dy = 0; dy < DOTS_Y; dy++) {
        for (int dx = 0; dx < DOTS_X; dx++) {
            int y = canvas->height - 1 - (row * DOTS_Y + dy);
            int x = column * DOTS_X + dx;

            if (canvas->dots[(size_t)y * (size_t)canvas->width + (size_t)x])
                pattern |= bits[dy][dx];
        }
    }
    return pattern;
}

static void put_braille(struct oc_buf *out, unsigned pattern)
{
    unsigned code = 0x2800 + pattern; /* U+2800 is the empty pattern */
    char text[4] = { (char)(0xe0 | (code >> 12)), (char)(0x80 | ((code >> 6) & 0x3f)),
                     (char)(0x80 | (code & 0x3f)), '\0' };

    if (pattern == 0)
        oc_buf_putc(out, ' ');
    else
        oc_buf_puts(out, text);
}

static void put_plot_row(const struct canvas *canvas, const struct frame *frame, int row,
                         const struct oc_chart_style *style, struct oc_buf *out)
{
    int last = frame->columns;

    if (style->color)
        oc_buf_puts(out, "\033[36m");
    for (int column = 0; column < last; column++) {
        if (style->utf8)
            put_braille(out, braille(canvas, column, row));
        else
            oc_buf_putc(out,
                        canvas->dots[(size_t)(canvas->height - 1 - row) * (size_t)canvas->width +
                                     (size_t)column]
                            ? '*'
                            : ' ');
    }
    if (style->color)
        oc_buf_puts(out, "\033[0m");
}

/* The tick whose place is in this row, or NULL. */
static const double *tick_in_row(const struct frame *frame, int row)
{
    for (size_t i = 0; i < frame->y.tick_count; i++) {
        int at = scale(frame->y.ticks[i], frame->y.low, frame->y.high, frame->rows);

        if (frame->rows - 1 - at == row)
            return &frame->y.ticks[i];
    }
    return NULL;
}

static void put_rows(const struct oc_plot *plot, const struct canvas *canvas,
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
        put_plot_row(canvas, frame, row, style, out);
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
            is_tick |=
                scale(frame->x.ticks[i], frame->x.low, frame->x.high, frame->columns) == column;
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
        int tick = origin + scale(frame->x.ticks[i], frame->x.low, frame->x.high, frame->columns);
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
    frame->dots_x = style->utf8 ? DOTS_X : 1;
    frame->dots_y = style->utf8 ? DOTS_Y : 1;
    return 1;
}

int oc_chart(const struct oc_plot *plot, const struct oc_chart_style *style, struct oc_buf *out)
{
    struct frame frame = { 0 };
    struct canvas canvas = { 0 };

    if (plot->series_count == 0 || !lay_out(plot, style, &frame))
        return OC_OK;
    canvas.width = frame.columns * frame.dots_x;
    canvas.height = frame.rows * frame.dots_y;
    canvas.dots = oc_calloc((size_t)canvas.width, (size_t)canvas.height);
    if (!canvas.dots)
        return OC_E_NOMEM;
    draw_series(plot, &frame, &canvas);
    if (plot->title) {
        oc_buf_spaces(out, (size_t)frame.label_columns + 2);
        oc_buf_escaped(out, plot->title);
        oc_buf_putc(out, '\n');
    }
    put_rows(plot, &canvas, &frame, style, out);
    put_time_line(&frame, style, out);
    put_time_labels(plot, &frame, out);
    oc_free(canvas.dots);
    return out->err;
}
