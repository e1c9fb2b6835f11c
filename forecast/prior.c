#include "forecast/series_impl.h"

#include <math.h>
#include <string.h>

#define FADE 0.7F       /* what earlier lives count, at each new one */
#define PLATEAU_LEVEL 3 /* whose highest floor is the plateau: 16 samples */
#define LEAST_BLOCKS 8  /* of a life that teaches anything */
#define LEAK_ODDS 3.0F  /* log odds of meeting the limit, at the end of a life */
#define LONG_ENOUGH 0.4 /* share of a life that growth must span, for it to have leaked */
#define ENOUGH 0.9F     /* of the plateau: then it is warm */

struct warm {
    float mark;
    double at;
    int found;
};

static void look_for_warm(const struct oc_piece *piece, void *context)
{
    struct warm *warm = context;

    if (!warm->found && piece->low >= warm->mark) {
        warm->found = 1;
        warm->at = piece->end;
    }
}

static float warm_s(const struct oc_series *series, float plateau)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct warm warm = { .mark = series->begin + ENOUGH * (plateau - series->begin) };

    oc_pyramid_each(&pyramid, series->clock, look_for_warm, &warm);
    return warm.found ? oc_larger(1.0F, (float)warm.at) : (float)series->clock;
}

/* Straight, over most of the life and up to its end: whatever it was, it had not levelled off. */
static int grew_to_the_end(const struct oc_series *series)
{
    for (int j = LARGE_LEVELS - 1; j >= 0; j--) {
        const struct oc_view *view = oc_series_view(series, j);

        if (view && (double)view->span >= LONG_ENOUGH * series->clock)
            return view->growth > 0.0F && view->order >= 0.85F && view->bend >= 0.5F &&
                   view->steady >= 0.5F;
    }
    return 0;
}

/* Weighs a new figure against what is known. */
static float blend(float known, float more, float weight)
{
    return known > 0.0F ? known + weight * (more - known) : more;
}

static float slope_of_widest(const struct oc_series *series)
{
    for (int j = LARGE_LEVELS - 1; j >= 0; j--) {
        const struct oc_view *view = oc_series_view(series, j);

        if (view)
            return oc_larger(0.0F, view->slope);
    }
    return 0.0F;
}

/* It grew as a leak does, whether or not the end was near enough to say so. */
static int has_leaked(const struct oc_series *series, enum oc_life_over over)
{
    if (over == OC_LIFE_KILLED || oc_is_leaking(series))
        return 1;
    for (unsigned i = 0; series->large && i < OC_SERIES_LIMITS; i++) {
        const struct oc_slot *slot = &series->large->slots[i];
        const struct oc_view *view = oc_series_view(series, slot->outlook_level);

        if (slot->has_outlook && slot->sure >= LEAK_ODDS && view &&
            (double)view->span >= LONG_ENOUGH * series->clock)
            return 1;
    }
    return 0;
}

void oc_prior_learn(const struct oc_series *series, enum oc_life_over over, struct oc_prior *prior)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    float origin = (float)series->origin, plateau = pyramid.top[PLATEAU_LEVEL];
    int leaked = has_leaked(series, over);
    float weight = prior->lives > 0.0F ? 1.0F / (prior->lives + 1.0F) : 1.0F;

    if (series->blocks_count < LEAST_BLOCKS)
        return;
    prior->lives = FADE * prior->lives + 1.0F;
    prior->leaks = FADE * prior->leaks + (float)leaked;
    if (over == OC_LIFE_KILLED)
        prior->saved = 0.0F;
    else
        prior->saved = leaked || grew_to_the_end(series) ? prior->saved + 1.0F : 0.0F;
    prior->life_s = blend(prior->life_s, (float)series->clock, weight);
    prior->begin = blend(prior->begin, series->begin + origin, weight);
    if (over == OC_LIFE_KILLED)
        prior->death = (float)series->value;
    if (leaked) {
        prior->growth_per_s = slope_of_widest(series);
        return;
    }
    prior->plateau = oc_larger(FADE * prior->plateau, plateau + origin);
    prior->peak = oc_larger(FADE * prior->peak, series->peak + origin);
    prior->warm_s = blend(prior->warm_s, warm_s(series, plateau), weight);
}

void oc_prior_discount(struct oc_prior *prior)
{
    prior->lives *= 0.25F;
    prior->leaks *= 0.25F;
}
