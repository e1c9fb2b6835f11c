#include "forecast/number.h"
#include "forecast/series_impl.h"

#include <math.h>

#define HOUR_S 3600.0
#define LEARNING_BLOCKS 8
#define SAVED_LIVES 3.0F /* in a row, that leaked and were restarted in time */
#define STRAIGHT 0.7F    /* order of growth that goes on */
#define LATE 1.2         /* a life so much longer than they were */

/* ---- state ---- */

/* What it is where nothing grows towards a limit. */
static enum oc_forecast_state calm_state(const struct oc_series *series)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    float deepest = 0.0F;
    double size = fabs(series->value) + 1.0;

    if (series->blocks_count < LEARNING_BLOCKS)
        return OC_FORECAST_LEARNING;
    for (unsigned j = 0; j < pyramid.levels; j++)
        deepest = oc_larger(deepest, pyramid.fall[j]);
    return (double)deepest > 0.05 * size ? OC_FORECAST_CYCLIC : OC_FORECAST_FLAT;
}

/* Below what earlier lives came to and kept without harm. */
static int is_known_warm_up(const struct oc_series *series, const struct oc_view *view)
{
    const struct oc_prior *prior = &series->prior;

    return prior->lives > 0.5F && prior->leaks < 0.5F * prior->lives &&
           (double)view->floor + series->origin < 0.95 * (double)prior->plateau;
}

static enum oc_forecast_state growing_state(const struct oc_series *series,
                                            const struct oc_view *view, float sure)
{
    if (sure < 0.0F && view && (view->bend < 0.4F || is_known_warm_up(series, view)))
        return OC_FORECAST_WARMING;
    return OC_FORECAST_GROWING;
}

static int is_leaking(const struct oc_series *series, unsigned slot)
{
    return series->large && slot < OC_SERIES_LIMITS && series->large->slots[slot].is_leaking;
}

enum oc_forecast_state oc_series_state(const oc_series *series, unsigned slot)
{
    struct oc_forecast forecast;

    if (slot < OC_SERIES_LIMITS && ((series->is_met >> slot) & 1) != 0)
        return OC_FORECAST_EXHAUSTED;
    oc_series_forecast(series, slot, &forecast);
    return forecast.state;
}

/* ---- growth ---- */

/* The widest view that grows in order: its slope is the growth, the beginning of its span the begin. */
static const struct oc_view *main_view(const struct oc_series *series)
{
    for (int j = LARGE_LEVELS - 1; j >= 0; j--) {
        const struct oc_view *view = oc_series_view(series, j);

        if (view && view->growth > 0.0F && view->order >= 0.5F)
            return view;
    }
    return NULL;
}

static void say_growth(const struct oc_series *series, const struct oc_view *view,
                       struct oc_forecast *forecast)
{
    double sign = series->options.falls ? -1.0 : 1.0;
    double error = 1.48 * 3.46 * (double)view->off / (double)view->span / sqrt((double)view->count);

    forecast->growth_per_h = sign * (double)view->slope * HOUR_S;
    forecast->growth_error_per_h = error * HOUR_S;
    forecast->since_ms = oc_series_time(series, view->clock - (double)view->span);
}

/* ---- time to the limit ---- */

/* As it was made out, less what passed since. */
static void say_times(const struct oc_series *series, unsigned number, struct oc_forecast *forecast)
{
    const struct oc_slot *slot = &series->large->slots[number];
    double passed = series->clock - slot->outlook_clock;

    forecast->p10_s = fmax(1.0, (double)slot->p10_s - passed);
    forecast->p50_s = fmax(1.0, (double)slot->p50_s - passed);
    forecast->p90_s = fmax(1.0, (double)slot->p90_s - passed);
    forecast->chance = 1.0 / (1.0 + exp(-(double)slot->sure));
    if (!slot->is_leaking && (double)slot->sure < oc_pool_settings(series->pool)->sure)
        forecast->p90_s = (double)INFINITY;
    if (forecast->state != OC_FORECAST_LEAKING)
        forecast->state =
            (uint8_t)growing_state(series, oc_series_view(series, slot->outlook_level), slot->sure);
}

/*
 * Restarts have always come first, and will again: the next one is due before the limit is met. A
 * life that is longer than they are is not saved any more.
 */
static void say_saved(const struct oc_series *series, unsigned number, struct oc_forecast *forecast)
{
    const struct oc_prior *prior = &series->prior;
    const struct oc_view *view = oc_series_view(series, series->large->slots[number].outlook_level);
    double life_s = (double)prior->life_s;

    if (prior->saved < SAVED_LIVES || series->clock > LATE * life_s ||
        life_s - series->clock > fmax(forecast->p10_s, 0.5 * forecast->p50_s))
        return;
    if (forecast->state != OC_FORECAST_LEAKING && (!view || view->order < STRAIGHT))
        return;
    forecast->state = OC_FORECAST_SAVED;
    forecast->saved_life_s = series->clock + forecast->p50_s;
}

static double turned_back(const struct oc_series *series, double value)
{
    return series->options.falls ? series->scale - value : value;
}

static void say_met(struct oc_forecast *forecast)
{
    forecast->state = OC_FORECAST_EXHAUSTED;
    forecast->p10_s = forecast->p50_s = forecast->p90_s = 0.0;
    forecast->chance = 1.0;
}

void oc_series_forecast(const oc_series *series, unsigned slot, struct oc_forecast *out_forecast)
{
    double limit = slot < OC_SERIES_LIMITS ? series->limits[slot] : (double)NAN;
    struct oc_forecast forecast = { .metric = series->options.metric,
                                    .t_ms = series->last_ms,
                                    .since_ms = series->last_ms,
                                    .samples = series->samples,
                                    .value = turned_back(series, series->value),
                                    .limit = turned_back(series, limit),
                                    .growth_per_h = (double)NAN,
                                    .growth_error_per_h = (double)NAN,
                                    .chance = (double)NAN,
                                    .saved_life_s = (double)NAN };
    const struct oc_view *view = main_view(series);

    forecast.p10_s = forecast.p50_s = forecast.p90_s =
        (double)(series->samples && !oc_is_nan(limit) ? INFINITY : NAN);
    forecast.state = (uint8_t)(is_leaking(series, slot) ? OC_FORECAST_LEAKING : calm_state(series));
    if (view) {
        say_growth(series, view, &forecast);
        if (oc_is_nan(limit))
            forecast.state = (uint8_t)growing_state(series, view, view->bend < 0.4F ? -1.0F : 1.0F);
    }
    if (slot < OC_SERIES_LIMITS && ((series->is_met >> slot) & 1) != 0)
        say_met(&forecast);
    else if (slot < OC_SERIES_LIMITS && series->large && series->large->slots[slot].has_outlook) {
        say_times(series, slot, &forecast);
        say_saved(series, slot, &forecast);
    }
    *out_forecast = forecast;
}
