/* A view held against a limit: where its lines meet it. */
#ifndef OC_FORECAST_REACH_H
#define OC_FORECAST_REACH_H

#include "forecast/series_impl.h"

/* A line is not drawn further than so many times the span that it was taken from. */
#define OC_FAR 30.0F

struct oc_reach {
    float rate;     /* per second: of the line that will meet the limit first */
    float room;     /* ≥ 0: from that line to the limit */
    float eta;      /* seconds from the view on; INFINITY: it does not grow */
    float reach;    /* ln(span / eta), -4 … 4 */
    float bend_top; /* of the line that was not chosen, or the floor's */
};

/* limit: as the series holds it (turned round, not an offset). */
struct oc_reach oc_reach_of(const struct oc_series *series, const struct oc_view *view,
                            double limit);

/* Growth against the deepest fall that the floor had at this level, 0.02 … 50. */
float oc_novel(const struct oc_series *series, unsigned level, const struct oc_view *view);

/* Median distance from the line, as a share of the growth, 0 … 1. */
float oc_spread(const struct oc_view *view);

/* Growth worth a closer look. */
int oc_is_candidate(const struct oc_series *series, unsigned level, const struct oc_reach *reach);

/* ---- where to extrapolate from ---- */
struct oc_outlook {
    unsigned level;
    struct oc_reach reach;
    float eta;  /* seconds from the last sample on, with the bend; ≥ 0 */
    float bend; /* per second: the rate changes by exp(bend * t) */
};
/* Returns 0 where nothing grows. */
int oc_outlook_of(const struct oc_series *series, double limit, struct oc_outlook *out_outlook);

#endif
