/* What must hold of every forecast, whatever was fed. */
#ifndef OC_TESTS_FORECAST_SANE_H
#define OC_TESTS_FORECAST_SANE_H

#include "forecast/forecast.h"

#include <check.h>
#include <math.h>

static inline void assert_in_order(double low, double high)
{
    ck_assert_msg(isnan(low) == isnan(high), "%g and %g", low, high);
    ck_assert_msg(isnan(low) || low <= high, "%g above %g", low, high);
}

static inline void assert_sane(const struct oc_forecast *forecast)
{
    ck_assert_uint_lt(forecast->state, OC_FORECAST_STATES);
    ck_assert_msg(isnan(forecast->chance) || (forecast->chance >= 0 && forecast->chance <= 1),
                  "chance %g", forecast->chance);
    ck_assert_msg(!isinf(forecast->growth_per_h) && !isinf(forecast->growth_error_per_h),
                  "growth %g ± %g", forecast->growth_per_h, forecast->growth_error_per_h);
    ck_assert_msg(isnan(forecast->growth_error_per_h) || forecast->growth_error_per_h >= 0,
                  "error %g", forecast->growth_error_per_h);
    ck_assert_msg(isnan(forecast->p10_s) || forecast->p10_s >= 0, "p10 %g", forecast->p10_s);
    assert_in_order(forecast->p10_s, forecast->p50_s);
    assert_in_order(forecast->p50_s, forecast->p90_s);
    ck_assert_int_le(forecast->since_ms, forecast->t_ms);
    ck_assert(!isinf(forecast->value));
    if (forecast->state == OC_FORECAST_LEAKING) {
        ck_assert(!isnan(forecast->limit));
        ck_assert_msg(isfinite(forecast->p50_s), "leaking, and p50 %g", forecast->p50_s);
    }
}

static inline void assert_all_sane(const oc_series *series)
{
    for (unsigned slot = 0; slot <= OC_SERIES_LIMITS; slot++) {
        struct oc_forecast forecast;

        oc_series_forecast(series, slot, &forecast);
        assert_sane(&forecast);
        ck_assert_uint_eq(forecast.state, oc_series_state(series, slot));
    }
}

#endif
