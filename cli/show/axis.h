/* Round places for an axis, and their labels: shared by the terminal chart and the SVG. */
#ifndef OC_CLI_SHOW_AXIS_H
#define OC_CLI_SHOW_AXIS_H

#include "base/metric.h"

#include <stddef.h>
#include <stdint.h>

#define OC_AXIS_MAX_TICKS 24

struct oc_axis {
    double low, high; /* what the axis spans; high > low */
    double step;      /* between two ticks */
    double ticks[OC_AXIS_MAX_TICKS];
    size_t tick_count;
};

/*
 * An axis for values from low to high with at most max_ticks (≥ 2) ticks. Bytes get ticks that are
 * round in binary units. It begins at 0 unless all values lie in the upper part; a flat line stays flat.
 */
void oc_axis_values(struct oc_axis *axis, double low, double high, enum oc_unit unit,
                    size_t max_ticks);

/* Ticks of [t0, t1] at round local times (origin_ms 0), or at round spans since origin_ms. */
void oc_axis_time(struct oc_axis *axis, int64_t t0_unix_ms, int64_t t1_unix_ms, int64_t origin_ms,
                  size_t max_ticks);

/* The least round span (1, 2, 5, 10, 15, 30 s …) that is at least span_ms. */
int64_t oc_axis_round_span(int64_t span_ms);

/* "512 MiB", "1.5 GiB", "40": only as many decimals as the step needs. out_bytes ≥ 32. Returned. */
const char *oc_axis_value_label(const struct oc_axis *axis, double value, enum oc_unit unit,
                                char *out, size_t out_bytes);

/* "14:30", "14:30:05", "11-23 14:30", "11-23", or with an origin "90 s", "1 h 30 m". out_bytes ≥ 32. Returned. */
const char *oc_axis_time_label(const struct oc_axis *axis, double t_ms, int64_t origin_ms,
                               char *out, size_t out_bytes);

#endif
