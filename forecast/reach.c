#include "forecast/reach.h"
#include "forecast/number.h"

#include <math.h>

float oc_spread(const struct oc_view *view)
{
    return view->growth > 0.0F ? oc_smaller(1.0F, view->off / view->growth) : 1.0F;
}

float oc_novel(const struct oc_series *series, unsigned level, const struct oc_view *view)
{
    if (view->growth <= 0.0F)
        return 0.02F;
    return oc_clip(view->growth / oc_larger(series->large->fall[level], view->growth / 50.0F),
                   0.02F, 50.0F);
}

/* Peaks at rest just under the limit, over a floor well below: a heap that collects when it is full. */
static int is_capped(const struct oc_view *view, float origin, float limit)
{
    float top = view->top_recent + origin;

    return top >= 0.9F * limit && view->top_recent - view->low_recent_top <= 0.025F * limit &&
           view->line + origin < 0.92F * top;
}

struct oc_reach oc_reach_of(const struct oc_series *series, const struct oc_view *view,
                            double limit)
{
    struct oc_reach reach = { .bend_top = view->top_bend, .eta = INFINITY, .reach = -4.0F };
    float origin = (float)series->origin;
    float room_at = (float)(limit - series->origin); /* the limit as an offset */
    float value = (float)(series->value - series->origin);
    float line = view->line, top_line = oc_larger(-origin, view->top_line);

    if (series->options.is_heap || is_capped(view, origin, (float)limit)) {
        reach.rate = view->slope;
        reach.room = room_at - line;
    } else if (view->top_slope > view->slope) {
        reach.rate = view->top_slope;
        reach.room = room_at - oc_larger(top_line, value);
    } else {
        reach.rate = view->slope;
        reach.room = room_at - oc_larger(oc_larger(line, top_line), value);
        reach.bend_top = view->bend;
    }
    reach.room = oc_larger(0.0F, reach.room);
    if (reach.rate > 0.0F) {
        reach.eta = reach.room / reach.rate;
        reach.reach = oc_clip(logf(view->span / oc_larger(reach.eta, 1e-3F)), -4.0F, 4.0F);
    }
    return reach;
}

int oc_is_candidate(const struct oc_series *series, unsigned level, const struct oc_reach *reach)
{
    const struct oc_view *view = oc_series_view(series, (int)level);

    return view && view->growth > 0.0F && oc_is_finite(reach->eta) && view->order >= 0.5F &&
           view->steady >= 0.35F && reach->reach > -2.0F && oc_novel(series, level, view) >= 1.0F;
}

/* ---- outlook ---- */

/* How far from straight, beyond the noise; with its sign. */
static float curve_of(const struct oc_view *view, const struct oc_reach *reach)
{
    float low = logf(view->bend), high = logf(reach->bend_top);
    float size = oc_larger(0.0F, oc_smaller(fabsf(low), fabsf(high)) - 3.5F * oc_spread(view));

    return copysignf(size, low);
}

/* The error to be expected of the line as a forecast, in logs. */
static float risk_of(const struct oc_view *view, const struct oc_reach *reach)
{
    float noise = 1.48F * 3.46F * oc_spread(view) / sqrtf((float)view->count);

    return noise + fabsf(curve_of(view, reach)) +
           0.15F * oc_larger(0.0F, logf(oc_larger(reach->eta, 1e-9F) / view->span));
}

/* Of the levels from the chosen one on: the least of two bends upwards, if there are two. */
static float bend_of(const struct oc_series *series, double limit, unsigned level)
{
    float least = INFINITY;
    unsigned count = 0;

    for (unsigned j = level; j < level + 3; j++) {
        const struct oc_view *view = oc_series_view(series, (int)j);
        struct oc_reach reach;
        float curve = 0.0F;

        if (!view || view->growth <= 0.0F || view->order < 0.9F || view->steady < 0.7F)
            continue;
        reach = oc_reach_of(series, view, limit);
        if (!oc_is_finite(reach.eta))
            continue;
        curve = curve_of(view, &reach);
        if (curve > 0.15F) {
            least = oc_smaller(least, 2.0F * curve / view->span);
            count++;
        }
    }
    return count >= 2 ? 0.8F * least : 0.0F;
}

/* Seconds until `room` is used at a rate that grows by exp(bend * t). */
static float time_to(float room, float rate, float bend)
{
    if (fabsf(bend) * room < 1e-6F * rate)
        return room / rate;
    return logf(1.0F + room * bend / rate) / bend;
}

int oc_outlook_of(const struct oc_series *series, double limit, struct oc_outlook *out_outlook)
{
    struct oc_outlook best = { 0 };
    float least = INFINITY, eta = 0.0F;
    const struct oc_view *view = NULL;

    if (!series->large || oc_is_nan(limit))
        return 0;
    for (unsigned j = 0; j < LARGE_LEVELS; j++) {
        const struct oc_view *one = oc_series_view(series, (int)j);
        struct oc_reach reach;
        float risk = 0.0F;

        if (!one || one->growth <= 0.0F || one->order < 0.3F)
            continue;
        reach = oc_reach_of(series, one, limit);
        risk = reach.eta <= OC_FAR * one->span ? risk_of(one, &reach) : INFINITY;
        if (risk < least) {
            least = risk;
            best.level = j;
            best.reach = reach;
            view = one;
        }
    }
    if (!view)
        return 0;
    best.bend =
        oc_smaller(bend_of(series, limit, best.level), 4.5F / oc_larger(best.reach.eta, 1e-9F));
    eta =
        time_to(best.reach.room, best.reach.rate * expf(best.bend * view->span / 2.0F), best.bend);
    best.eta = oc_larger(1.0F, eta - (float)(series->clock - view->clock));
    *out_outlook = best;
    return 1;
}
