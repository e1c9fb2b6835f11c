#include "cli/model/series.h"

#include "base/alloc.h"

#include <string.h>

#define LEAST_SPAN_MS 30000 /* of less, a rate per hour says nothing */

/* ---- summary ---- */

static void fit(struct oc_trend *summary, int64_t t_ms, double value, double weight)
{
    double x = (double)(t_ms - summary->t0_ms) / 1000.0;
    double y = value - (double)summary->first;

    summary->sx += weight * x;
    summary->sy += weight * y;
    summary->sxx += weight * x * x;
    summary->sxy += weight * x * y;
}

void oc_trend_add_point(struct oc_trend *summary, const struct oc_point *point)
{
    if (point->count == 0)
        return;
    if (summary->count == 0) {
        summary->t0_ms = point->t_unix_ms;
        summary->first = point->first;
        summary->min = point->min;
        summary->max = point->max;
    }
    if (point->min < summary->min)
        summary->min = point->min;
    if (point->max > summary->max)
        summary->max = point->max;
    summary->t1_ms = point->t_unix_ms;
    summary->last = point->last;
    summary->count += point->count;
    summary->sum += point->mean * (double)point->count;
    fit(summary, point->t_unix_ms, point->mean, (double)point->count);
}

static struct oc_point point_of(int64_t t_ms, int64_t value)
{
    struct oc_point point = { .t_unix_ms = t_ms, .count = 1, .min = value, .max = value };

    point.first = point.last = value;
    point.mean = (double)value;
    return point;
}

void oc_trend_add(struct oc_trend *summary, int64_t t_ms, int64_t value)
{
    struct oc_point point = point_of(t_ms, value);

    oc_trend_add_point(summary, &point);
}

double oc_trend_mean(const struct oc_trend *summary)
{
    return summary->count > 0 ? summary->sum / (double)summary->count : 0;
}

int oc_trend_per_hour(const struct oc_trend *summary, double *out_per_hour)
{
    double n = (double)summary->count;
    double spread = n * summary->sxx - summary->sx * summary->sx;

    if (summary->count < 3 || summary->t1_ms - summary->t0_ms < LEAST_SPAN_MS || spread <= 0)
        return OC_E_AGAIN;
    *out_per_hour = (n * summary->sxy - summary->sx * summary->sy) / spread * 3600.0;
    return OC_OK;
}

/* ---- series ---- */

void oc_series_init(struct oc_series *series)
{
    memset(series, 0, sizeof(*series));
    series->merged = 1;
}

void oc_series_clear(struct oc_series *series)
{
    oc_free(series->points);
    oc_series_init(series);
}

static void merge(struct oc_point *into, const struct oc_point *next)
{
    double count = (double)(into->count + next->count);

    into->mean = (into->mean * (double)into->count + next->mean * (double)next->count) / count;
    into->count += next->count;
    into->last = next->last;
    if (next->min < into->min)
        into->min = next->min;
    if (next->max > into->max)
        into->max = next->max;
}

static void halve(struct oc_series *series)
{
    size_t kept = 0;

    for (size_t i = 0; i + 1 < series->count; i += 2) {
        series->points[kept] = series->points[i];
        merge(&series->points[kept], &series->points[i + 1]);
        kept++;
    }
    if (series->count % 2)
        series->points[kept++] = series->points[series->count - 1];
    series->count = kept;
    series->merged *= 2;
}

int oc_series_add_point(struct oc_series *series, const struct oc_point *point)
{
    void *points = series->points;
    int rc;

    if (point->count == 0)
        return OC_OK;
    series->last_ms = point->t_unix_ms;
    if (series->count > 0 && series->points[series->count - 1].count < series->merged) {
        merge(&series->points[series->count - 1], point);
        return OC_OK;
    }
    if (series->count == OC_SERIES_MAX_POINTS)
        halve(series);
    rc = oc_array_grow(&points, &series->capacity, series->count + 1, sizeof(*series->points),
                       OC_SERIES_MAX_POINTS);
    series->points = points;
    if (rc)
        return rc;
    series->points[series->count++] = *point;
    return OC_OK;
}

int oc_series_add(struct oc_series *series, int64_t t_ms, int64_t value)
{
    struct oc_point point = point_of(t_ms, value);

    return oc_series_add_point(series, &point);
}
