/*
 * What a window shows: lines through its floors and its peaks, how orderly it grows, and in what
 * shape. Values are offsets as in the pyramid; times are seconds before the window's end. Nothing
 * here knows a limit.
 */
#ifndef OC_FORECAST_VIEW_H
#define OC_FORECAST_VIEW_H

#include "forecast/pyramid.h"

#include <stdint.h>

struct oc_view {
    double clock;     /* the series' own clock when it was taken */
    float span;       /* from the oldest floor to the end; > 0 */
    float growth;     /* of the floor, newest less oldest */
    float floor;      /* the newest one */
    float slope;      /* of the floors, per second: the median of pairs far apart */
    float line;       /* that line at the end */
    float order;      /* -1 … 1: rising less falling pairs (Kendall) */
    float off;        /* the median distance of floors from their line */
    float steady;     /* share of steps that rise by more than a tenth of the mean step */
    float lumpy;      /* deviation of the steps by the mean step */
    float biggest;    /* the biggest step, as a share of the growth */
    float bend;       /* growth of the later half by that of the earlier */
    float quarter[3]; /* growth of the first three quarters, as shares of the whole */
    float top_slope, top_line, top_order, top_bend;
    float mean_slope, mean_order;
    float top_recent, low_recent_top; /* highest and lowest of the newest four peaks */
    float top_all;                    /* highest peak */
    float low_all;                    /* lowest floor */
    uint8_t count;                    /* blocks; 0: there is no view */
};

#define OC_VIEW_LEAST 8 /* blocks */

/* Whether it is worth a view: cheap. The share of rising less falling pairs of floors. */
float oc_window_order(const float *values, unsigned count);

void oc_view_take(const struct oc_window *window, double clock, struct oc_view *out_view);

/* Of two numbers, neither NAN. */
static inline float oc_larger(float a, float b) { return a > b ? a : b; }

static inline float oc_smaller(float a, float b) { return a < b ? a : b; }

static inline float oc_clip(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

#endif
