/* A field of dots in layers, and the characters that show it: what a chart in the terminal is drawn on. */
#ifndef OC_CLI_SHOW_CANVAS_H
#define OC_CLI_SHOW_CANVAS_H

#include "base/buf.h"

#include <stdint.h>

/* What a dot belongs to; the lowest bit of a character decides its colour. */
enum oc_layer {
    OC_LAYER_LINE = 1,
    OC_LAYER_LIMIT = 2,
    OC_LAYER_MIDDLE = 4, /* of what lies ahead */
    OC_LAYER_TREND = 8,
    OC_LAYER_FLOOR = 16,
    OC_LAYER_FAN = 32, /* between the earliest and the latest */
    OC_LAYER_NOW = 64
};

struct oc_canvas {
    uint8_t *dots;      /* owned; the bits of enum oc_layer, the lowest row first */
    int width, height;  /* in dots */
    int cell_x, cell_y; /* dots of a character: 2 × 4 of a braille one, or 1 × 1 */
};

/* 0 or OC_E_NOMEM. */
int oc_canvas_init(struct oc_canvas *canvas, int columns, int rows, int utf8);
void oc_canvas_clear(struct oc_canvas *canvas);

/* Dots outside are left out. */
void oc_canvas_dot(struct oc_canvas *canvas, enum oc_layer layer, int x, int y);
/* All of a column between two heights. */
void oc_canvas_run(struct oc_canvas *canvas, enum oc_layer layer, int x, int y0, int y1);
/* A line; a steep one leaves no holes. Ends far outside are allowed. */
void oc_canvas_line(struct oc_canvas *canvas, enum oc_layer layer, int x0, int y0, int x1, int y1);

/* A row of characters, the top one 0; with colours it begins in that of the line, and ends with none. */
void oc_canvas_put_row(const struct oc_canvas *canvas, int row, int color, struct oc_buf *out);

/* Where a value stands on `dots` places from low to high. */
int oc_canvas_scale(double value, double low, double high, int dots);

#endif
