#include "cli/show/canvas.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <string.h>

#define DOTS_X 2 /* of a braille character */
#define DOTS_Y 4
#define FAR_AWAY 1e6 /* dots: what lies further out is as good as there */

int oc_canvas_init(struct oc_canvas *canvas, int columns, int rows, int utf8)
{
    memset(canvas, 0, sizeof(*canvas));
    canvas->cell_x = utf8 ? DOTS_X : 1;
    canvas->cell_y = utf8 ? DOTS_Y : 1;
    canvas->width = columns * canvas->cell_x;
    canvas->height = rows * canvas->cell_y;
    canvas->dots = oc_calloc((size_t)canvas->width, (size_t)canvas->height);
    return canvas->dots ? OC_OK : OC_E_NOMEM;
}

void oc_canvas_clear(struct oc_canvas *canvas)
{
    oc_free(canvas->dots);
    memset(canvas, 0, sizeof(*canvas));
}

/* ---- dots ---- */

int oc_canvas_scale(double value, double low, double high, int dots)
{
    double at = (value - low) / (high - low) * (dots - 1);

    return (int)lround(fmin(fmax(at, -FAR_AWAY), FAR_AWAY));
}

void oc_canvas_dot(struct oc_canvas *canvas, enum oc_layer layer, int x, int y)
{
    if (x >= 0 && x < canvas->width && y >= 0 && y < canvas->height)
        canvas->dots[(size_t)y * (size_t)canvas->width + (size_t)x] |= (uint8_t)layer;
}

void oc_canvas_run(struct oc_canvas *canvas, enum oc_layer layer, int x, int y0, int y1)
{
    int low = y0 < y1 ? y0 : y1, high = y0 < y1 ? y1 : y0;

    if (low < 0)
        low = 0;
    if (high >= canvas->height)
        high = canvas->height - 1;
    for (int y = low; y <= high; y++)
        oc_canvas_dot(canvas, layer, x, y);
}

void oc_canvas_line(struct oc_canvas *canvas, enum oc_layer layer, int x0, int y0, int x1, int y1)
{
    int first = x0 < 0 ? 0 : x0, last = x1 >= canvas->width ? canvas->width - 1 : x1;
    int before = y0, begun = 0;

    if (x1 <= x0) {
        oc_canvas_run(canvas, layer, x0, y0, y1);
        return;
    }
    for (int x = first; x <= last; x++) {
        int y = y0 + (int)lround((double)(y1 - y0) * (x - x0) / (x1 - x0));

        if (begun && y > before + 1)
            oc_canvas_run(canvas, layer, x, before + 1, y);
        else if (begun && y < before - 1)
            oc_canvas_run(canvas, layer, x, before - 1, y);
        else
            oc_canvas_dot(canvas, layer, x, y);
        before = y;
        begun = 1;
    }
}

/* ---- characters ---- */

static const struct {
    uint8_t layer;
    char ascii;
    const char *color;
} looks[] = {
    { OC_LAYER_LINE, '*', "36" },  { OC_LAYER_LIMIT, '=', "31" }, { OC_LAYER_MIDDLE, '+', "33" },
    { OC_LAYER_TREND, '/', "35" }, { OC_LAYER_FLOOR, '_', "34" }, { OC_LAYER_FAN, '.', "33" },
    { OC_LAYER_NOW, '|', "90" },
};
#define LOOKS (sizeof(looks) / sizeof(looks[0]))

/* The dots of a character: as a braille pattern, and the layers that they are of. */
static unsigned read_cell(const struct oc_canvas *canvas, int column, int row, unsigned *out_layers)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
    };
    unsigned pattern = 0;

    *out_layers = 0;
    for (int dy = 0; dy < canvas->cell_y; dy++) {
        for (int dx = 0; dx < canvas->cell_x; dx++) {
            int y = canvas->height - 1 - (row * canvas->cell_y + dy);
            int x = column * canvas->cell_x + dx;
            unsigned dot = canvas->dots[(size_t)y * (size_t)canvas->width + (size_t)x];

            if (dot)
                pattern |= bits[dy][dx];
            *out_layers |= dot;
        }
    }
    return pattern;
}

static void put_braille(struct oc_buf *out, unsigned pattern)
{
    unsigned code = 0x2800 + pattern; /* U+2800 is the empty pattern */
    char text[4] = { (char)(0xe0 | (code >> 12)), (char)(0x80 | ((code >> 6) & 0x3f)),
                     (char)(0x80 | (code & 0x3f)), '\0' };

    oc_buf_puts(out, text);
}

static size_t look_of(unsigned layers)
{
    size_t look = 0;

    while (look + 1 < LOOKS && !(layers & looks[look].layer))
        look++;
    return look;
}

/* A limit alone is a line, and so is now: no colour is needed to tell them apart. */
static void put_cell(const struct oc_canvas *canvas, unsigned pattern, unsigned layers,
                     struct oc_buf *out)
{
    if (canvas->cell_x == 1)
        oc_buf_putc(out, looks[look_of(layers)].ascii);
    else if ((layers & (OC_LAYER_LINE | OC_LAYER_LIMIT)) == OC_LAYER_LIMIT)
        oc_buf_puts(out, "─");
    else if (layers == OC_LAYER_NOW)
        oc_buf_puts(out, "┊");
    else
        put_braille(out, pattern);
}

void oc_canvas_put_row(const struct oc_canvas *canvas, int row, int color, struct oc_buf *out)
{
    size_t before = 0;

    if (color)
        oc_buf_printf(out, "\033[%sm", looks[0].color);
    for (int column = 0; column < canvas->width / canvas->cell_x; column++) {
        unsigned layers;
        unsigned pattern = read_cell(canvas, column, row, &layers);

        if (layers == 0) {
            oc_buf_putc(out, ' ');
            continue;
        }
        if (color && look_of(layers) != before) {
            before = look_of(layers);
            oc_buf_printf(out, "\033[%sm", looks[before].color);
        }
        put_cell(canvas, pattern, layers, out);
    }
    if (color)
        oc_buf_puts(out, "\033[0m");
}
