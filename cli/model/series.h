/* What a figure did over time: a running summary, and a line of points with a maximum. */
#ifndef OC_CLI_MODEL_SERIES_H
#define OC_CLI_MODEL_SERIES_H

#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

/* O(1) memory; a straight line is fitted to all samples by least squares. */
struct oc_trend {
    uint64_t count;
    int64_t t0_ms, t1_ms; /* of the first and the last sample */
    int64_t first, last, min, max;
    double sum;
    double sx, sy, sxx, sxy; /* in seconds since t0 and units since first: keeps digits */
};

/* Times must not go back. */
void oc_trend_add(struct oc_trend *summary, int64_t t_ms, int64_t value);
/* A point stands for its count of samples. */
void oc_trend_add_point(struct oc_trend *summary, const struct oc_point *point);
double oc_trend_mean(const struct oc_trend *summary); /* 0 where there is none */
/* Slope of the fitted line in units per hour. OC_E_AGAIN where fewer than 3 samples or less than 30 s were seen. */
int oc_trend_per_hour(const struct oc_trend *summary, double *out_per_hour);

#define OC_SERIES_MAX_POINTS 4096

/* Points in time order. Full, neighbours are merged: a long line keeps its shape, min and max. */
struct oc_series {
    struct oc_point *points;
    size_t count, capacity;
    uint64_t merged; /* samples that go into one point; a power of 2 */
    int64_t last_ms; /* of the newest sample */
};

void oc_series_init(struct oc_series *series);
void oc_series_clear(struct oc_series *series);
/* 0 or OC_E_NOMEM (the point is lost). */
int oc_series_add(struct oc_series *series, int64_t t_ms, int64_t value);
int oc_series_add_point(struct oc_series *series, const struct oc_point *point);

#endif
