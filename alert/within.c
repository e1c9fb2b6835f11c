/* How likely a limit is met within a time, and what an alert is known by. */
#include "alert/alert.h"

#include <math.h>
#include <stddef.h>

#define LOW 0.1
#define MIDDLE 0.5
#define HIGH 0.9

static int is_number(double x) { return x == x; }

/* Of two points of a distribution, in the logarithm of time: between and beyond them. */
static double on_line(double x, double x0, double p0, double x1, double p1)
{
    const double l0 = log(x0), l1 = log(x1);

    if (l1 - l0 <= 0)
        return x < x0 ? p0 : p1;
    return p0 + (p1 - p0) * (log(x) - l0) / (l1 - l0);
}

/*
 * P(met by x seconds from the forecast on), if it goes on. Straight in log(time) between the quantiles; before
 * p10 it falls to 0 as the square, beyond p90 what is left halves with each doubling.
 */
static double met_by(const struct oc_forecast *forecast, double x)
{
    const double p10 = fmax(forecast->p10_s, 1e-3);
    const double p50 = fmax(forecast->p50_s, p10), p90 = fmax(forecast->p90_s, p50);

    if (x <= 0)
        return 0;
    if (x < p10)
        return LOW * (x / p10) * (x / p10);
    if (!(p50 < (double)INFINITY))
        return LOW;
    if (x < p50)
        return on_line(x, p10, LOW, p50, MIDDLE);
    if (!(p90 < (double)INFINITY))
        return MIDDLE;
    if (x < p90)
        return on_line(x, p50, MIDDLE, p90, HIGH);
    return 1 - (1 - HIGH) * p90 / x;
}

double oc_forecast_within(const struct oc_forecast *forecast, double age_s, double horizon_s)
{
    double chance = forecast->chance, before = 0, by = 0;

    if (forecast->state == OC_FORECAST_EXHAUSTED)
        return 1;
    if (!is_number(forecast->p10_s) || !is_number(forecast->p50_s) || !is_number(forecast->p90_s))
        return (double)NAN;
    if (!is_number(chance))
        chance = 1;
    if (!(forecast->p10_s < (double)INFINITY))
        return 0;
    /* it was not met until now: of what was left */
    before = met_by(forecast, age_s);
    by = met_by(forecast, age_s + horizon_s);
    if (before >= 1)
        return chance;
    return chance * (by - before) / (1 - before);
}

/* FNV-1a over all of it, each text with its NUL. */
static uint64_t mix(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++);
    return hash;
}

uint64_t oc_alert_fingerprint(const char *rule, const char *subject, unsigned severity,
                              const char *instance)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    hash = mix(hash, rule);
    hash = mix(hash, subject);
    hash = mix(hash, oc_severity_name(severity));
    return mix(hash, instance);
}
