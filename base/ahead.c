#include "base/ahead.h"

#include "base/forecast.h"
#include "base/limit.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MINUTE 60.0
#define HOUR 3600.0
#define DAY 86400.0
#define YEAR (365.25 * DAY)
#define NOW 0.5
#define TWO_PARTS 10 /* of a unit: from there on the next smaller one is not worth its place */

int oc_ahead_is_known(double value) { return value >= -DBL_MAX && value <= DBL_MAX; }

/* "3 h 20 min": units of big seconds, then of small ones where there are few of the big. */
static void two_parts(double seconds, double big, const char *big_name, double small,
                      const char *small_name, char *out, size_t out_bytes)
{
    int64_t all = llround(seconds / small);
    int64_t ratio = llround(big / small);

    if (all / ratio >= TWO_PARTS)
        (void)snprintf(out, out_bytes, "%" PRId64 " %s", (int64_t)llround(seconds / big), big_name);
    else if (all % ratio == 0)
        (void)snprintf(out, out_bytes, "%" PRId64 " %s", all / ratio, big_name);
    else
        (void)snprintf(out, out_bytes, "%" PRId64 " %s %" PRId64 " %s", all / ratio, big_name,
                       all % ratio, small_name);
}

/* To what a forecast knows: two digits or so. */
static double round_off(double seconds)
{
    static const struct {
        double below, step;
    } steps[] = { { MINUTE, 1 },
                  { 10 * MINUTE, 10 },
                  { HOUR, MINUTE },
                  { 3 * HOUR, 5 * MINUTE },
                  { 10 * HOUR, 10 * MINUTE } };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (seconds < steps[i].below)
            return round(seconds / steps[i].step) * steps[i].step;
    }
    return seconds;
}

const char *oc_ahead_time(double seconds, char *out, size_t out_bytes)
{
    if (oc_ahead_is_known(seconds))
        seconds = round_off(seconds);
    if (seconds > DBL_MAX)
        (void)snprintf(out, out_bytes, "never");
    else if (!oc_ahead_is_known(seconds))
        (void)snprintf(out, out_bytes, "-");
    else if (seconds < NOW)
        (void)snprintf(out, out_bytes, "now");
    else if (seconds < MINUTE - 0.5)
        (void)snprintf(out, out_bytes, "%.0f s", seconds);
    else if (seconds < HOUR - MINUTE / 2)
        two_parts(seconds, MINUTE, "min", 1, "s", out, out_bytes);
    else if (seconds < DAY - HOUR / 2)
        two_parts(seconds, HOUR, "h", MINUTE, "min", out, out_bytes);
    else if (seconds < 2 * YEAR)
        two_parts(seconds, DAY, "d", HOUR, "h", out, out_bytes);
    else if (seconds < 100 * YEAR)
        (void)snprintf(out, out_bytes, "%.1f years", seconds / YEAR);
    else
        (void)snprintf(out, out_bytes, "> 100 years");
    return out;
}

const char *oc_ahead_interval(double p10_s, double p90_s, char *out, size_t out_bytes)
{
    char low[32], high[32];

    if (!oc_ahead_is_known(p10_s))
        (void)snprintf(out, out_bytes, "-");
    else if (!oc_ahead_is_known(p90_s))
        (void)snprintf(out, out_bytes, "%s or never", oc_ahead_time(p10_s, low, sizeof(low)));
    else
        (void)snprintf(out, out_bytes, "%s - %s", oc_ahead_time(p10_s, low, sizeof(low)),
                       oc_ahead_time(p90_s, high, sizeof(high)));
    return out;
}

const char *oc_ahead_all(double p10_s, double p50_s, double p90_s, char *out, size_t out_bytes)
{
    char middle[32], interval[80];

    if (!oc_ahead_is_known(p50_s) || !oc_ahead_is_known(p10_s))
        return oc_ahead_time(oc_ahead_is_known(p50_s) ? p50_s : (double)NAN, out, out_bytes);
    if (p90_s < NOW) {
        (void)snprintf(out, out_bytes, "moments");
        return out;
    }
    (void)snprintf(out, out_bytes, "%s (%s)", oc_ahead_time(p50_s, middle, sizeof(middle)),
                   oc_ahead_interval(p10_s, p90_s, interval, sizeof(interval)));
    return out;
}

const char *oc_ahead_effect(unsigned limit_kind)
{
    static const char *const words[] = { [OC_EFFECT_DIES] = "dies at",
                                         [OC_EFFECT_FAILS] = "fails at",
                                         [OC_EFFECT_STALLS] = "stalls at",
                                         [OC_EFFECT_TOLD] = "told at" };
    const struct oc_limit_row *row = oc_limit_row(limit_kind);

    return row && row->effect <= OC_EFFECT_TOLD ? words[row->effect] : "";
}

const char *oc_ahead_state(unsigned state)
{
    return state == OC_FORECAST_SAVED ? "saved" : oc_forecast_state_name(state);
}
