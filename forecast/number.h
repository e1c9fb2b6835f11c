/* What is a number: the library's macros convert to float, which strict builds of mingw refuse. */
#ifndef OC_FORECAST_NUMBER_H
#define OC_FORECAST_NUMBER_H

#include <float.h>

static inline int oc_is_nan(double x) { return !(x <= 0.0) && !(x > 0.0); }

/* Neither NAN nor an infinity. */
static inline int oc_is_finite(double x) { return x >= -DBL_MAX && x <= DBL_MAX; }

#endif
