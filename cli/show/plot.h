/* What a chart shows: in the terminal (chart.c) or as a file (svg.c). */
#ifndef OC_CLI_SHOW_PLOT_H
#define OC_CLI_SHOW_PLOT_H

#include "base/buf.h"
#include "base/metric.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_PLOT_MAX_SERIES 8

struct oc_plot_series {
    const char *name;              /* borrowed */
    const struct oc_point *points; /* in time order; borrowed */
    size_t count;
};

struct oc_plot_at {
    int64_t t_unix_ms;
    double value;
};

/*
 * What lies ahead of the first series: a limit, and when it is met. The way there is drawn as a fan from where it
 * is now to the earliest and the latest time.
 */
struct oc_plot_ahead {
    int has_limit, has_fan, has_trend;
    double limit;
    const char *limit_name; /* borrowed */
    int64_t from_unix_ms;   /* now */
    double from_value;
    int64_t p10_unix_ms, p50_unix_ms, p90_unix_ms; /* INT64_MAX: an open end */
    struct oc_plot_at trend[2];
    const struct oc_plot_at *floor; /* borrowed; in time order */
    size_t floor_count;
};

/* Where the way that meets the limit at end_unix_ms is at a time. */
double oc_plot_ahead_value(const struct oc_plot_ahead *ahead, int64_t end_unix_ms,
                           double t_unix_ms);

struct oc_plot {
    const char *title;    /* may hold anything: it is escaped */
    const char *subtitle; /* may be NULL */
    enum oc_unit unit;
    struct oc_plot_series series[OC_PLOT_MAX_SERIES];
    size_t series_count;
    int64_t t0_unix_ms, t1_unix_ms;
    int64_t origin_ms;                 /* not 0: time is shown as spans since then */
    int64_t gap_ms;                    /* points further apart are not joined; 0: all are */
    const struct oc_plot_ahead *ahead; /* borrowed; NULL: nothing is */
};

/* Lowest min and highest max of all points, and of what lies ahead; 0 where there is no point. */
int oc_plot_bounds(const struct oc_plot *plot, double *out_low, double *out_high);

struct oc_chart_style {
    int columns, rows; /* in all, with axes and labels */
    int utf8;          /* braille dots; else '*' */
    int color;
};

/* Appends a chart of the first series, with axes. Nothing where there is no point. Returns 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_chart(const struct oc_plot *plot, const struct oc_chart_style *style, struct oc_buf *out);

/* Appends a whole SVG document: lines of means over bands from min to max, axes, legend. 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_svg(const struct oc_plot *plot, struct oc_buf *out);

#endif
