/*
 * The figures that the trees look at: of one level and those about it, of earlier lives, of a
 * companion, of yesterday. NAN where there is none. Their order is that of the tables: a change
 * here means training anew (forecast/train/).
 */
#ifndef OC_FORECAST_TRAITS_H
#define OC_FORECAST_TRAITS_H

#include "forecast/reach.h"

#define OC_NEIGHBOURS 6 /* levels -3 … 3 but 0 */

enum oc_trait {
    OC_F_REACH,
    OC_F_SPAN,
    OC_F_HISTORY,
    OC_F_ORDER,
    OC_F_STEADY,
    OC_F_BEND,
    OC_F_BEND_TOP,
    OC_F_NOVEL,
    OC_F_SPREAD,
    OC_F_LUMPY,
    OC_F_BIGGEST,
    OC_F_QUARTER1,
    OC_F_QUARTER2,
    OC_F_QUARTER3,
    OC_F_TOP_ORDER,
    OC_F_TOP_SLOPE,
    OC_F_MEAN_ORDER,
    OC_F_MEAN_SLOPE,
    OC_F_AGE,
    OC_F_FILL,
    OC_F_TOP_FILL,
    OC_F_TOP_FLAT,
    OC_F_ROOM,
    OC_F_QUANTA,
    OC_F_AMPLITUDE,
    OC_F_SHARE_OF_LIFE,
    /* what was before the window */
    OC_F_SEEN,
    OC_F_PEAK_AGE,
    /* earlier lives */
    OC_F_LIVES,
    OC_F_LEAKS,
    OC_F_ABOVE,
    OC_F_ABOVE_PEAK,
    OC_F_WARM,
    OC_F_LIFE,
    OC_F_PACE,
    /* the same time yesterday */
    OC_F_DAY_GAIN,
    OC_F_DAY_UP,
    /* a companion at the same scale */
    OC_F_SECOND_ORDER,
    OC_F_SECOND_NOVEL,
    OC_F_SECOND_BEND,
    /* neighbours: five of each, in the order -3 -2 -1 1 2 3 */
    OC_F_NEIGHBOURS,
    OC_F_WINDOW_END = OC_F_NEIGHBOURS + 5 * OC_NEIGHBOURS,
    /* of outlooks only */
    OC_F_ETA_BY_SPAN = OC_F_WINDOW_END,
    OC_F_ETA_BEND,
    OC_F_ETA_OF, /* of the six neighbours */
    OC_F_ETA_WIDEST = OC_F_ETA_OF + OC_NEIGHBOURS,
    OC_F_WIDEST_ORDER,
    OC_F_COUNT
};

/* Fills OC_F_WINDOW_END of them. The level has a view. */
void oc_traits_window(const struct oc_series *series, unsigned level, double limit, float *out_row);
/* Fills all. */
void oc_traits_outlook(const struct oc_series *series, unsigned slot,
                       const struct oc_outlook *outlook, float *out_row);
/* "reach", "order+1" … into a buffer of 24 bytes: for the trainer. */
void oc_trait_name(unsigned feature, char out_name[24]);

#endif
