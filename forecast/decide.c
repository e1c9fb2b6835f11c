#include "forecast/number.h"
#include "forecast/traits.h"
#include "forecast/trees.h"

#include <math.h>
#include <string.h>

#define HISTORY_MARK                                                                               \
    0.3 /* more log odds for each power of e that a life is longer than the window */
#define HISTORY_MOST 4.0
#define SHORT 64.0 /* windows to a life */
#define FAR_SHORT 16.0F
#define KNOWN_LEAK_GATE 0.15 /* after lives that leaked */

/* ---- is it worth a closer look? ---- */

/*
 * The least room that any limit leaves. Without a limit growth is still to be told: as if what is
 * used now might double.
 */
static float least_room(const struct oc_series *series)
{
    double least = (double)INFINITY;

    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        double room = series->limits[slot] - series->value;

        if (room < least)
            least = room;
    }
    if (!oc_is_finite(least))
        return (float)fabs(series->value);
    return (float)fmax(0.0, least);
}

/*
 * Whether what moved in a window matters for the room that is left. One that is short against the
 * life is asked for more: only a fast end would make it of use.
 */
static int is_material(const struct oc_window *window, float room, double clock)
{
    float far = clock > SHORT * (double)-window->low_t[0] ? FAR_SHORT : OC_FAR;
    unsigned last = window->count - 1;
    float floor = fabsf(window->low[last] - window->low[0]);
    float top = fabsf(window->high[last] - window->high[0]);

    return room <= far * oc_larger(floor, top);
}

static int is_rising(const struct oc_window *window, float fall)
{
    float growth = window->low[window->count - 1] - window->low[0];

    return growth > 0.0F && growth >= 0.5F * fall &&
           oc_window_order(window->low, window->count) >= 0.3F;
}

/* Of a small series: cheap where nothing moves. */
int oc_is_stirring(const struct oc_series *series, unsigned changed)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct oc_window window;
    float room = least_room(series);

    for (unsigned j = 0; j < changed; j++) {
        if (pyramid.used[j] < OC_VIEW_LEAST / 2)
            continue;
        oc_pyramid_window(&pyramid, j, &window);
        if (window.count >= SMALL_CAP && is_material(&window, room, series->clock) &&
            is_rising(&window, pyramid.fall[j]))
            return 1;
    }
    return 0;
}

/* Views of the levels that have a block more; none where nothing moved. Returns whether any rises. */
static int take_views(struct oc_series *series, unsigned changed)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct oc_window window;
    float room = least_room(series);
    int is_stirring = 0;

    for (unsigned j = 0; j < changed; j++) {
        struct oc_view *view = &series->large->views[j];

        view->count = 0;
        if (pyramid.used[j] < OC_VIEW_LEAST / 2)
            continue;
        oc_pyramid_window(&pyramid, j, &window);
        if (window.count < OC_VIEW_LEAST || !is_material(&window, room, series->clock))
            continue;
        oc_view_take(&window, series->clock, view);
        is_stirring |= is_rising(&window, pyramid.fall[j]);
    }
    return is_stirring;
}

/* ---- one slot ---- */

static float gate_of(const struct oc_series *series)
{
    const struct oc_forecast_settings *settings = oc_pool_settings(series->pool);
    double gate = settings->gate;

    if (series->prior.leaks > 0.5F * series->prior.lives)
        return (float)fmin(gate, KNOWN_LEAK_GATE);
    return (float)gate;
}

/*
 * A window that is short against the life has had many chances to look like a leak: it must be the
 * surer of it.
 */
static double mark_of(const struct oc_series *series, const float *row)
{
    return oc_pool_settings(series->pool)->alert +
           HISTORY_MARK * fmin(HISTORY_MOST, (double)row[OC_F_HISTORY]);
}

static int is_due(const struct oc_series *series, unsigned level, unsigned slot)
{
    const struct oc_view *view = oc_series_view(series, (int)level);
    double limit = series->limits[slot];
    struct oc_reach reach;
    float row[OC_F_COUNT];

    if (!view || view->growth <= 0.0F)
        return 0;
    reach = oc_reach_of(series, view, limit);
    if (!oc_is_candidate(series, level, &reach) ||
        view->span < gate_of(series) * (view->span + reach.eta))
        return 0;
    oc_traits_window(series, level, limit, row);
    return (double)oc_trees_sum(&oc_table_leak, row) >= mark_of(series, row);
}

static int goes_on(const struct oc_series *series, unsigned level, double limit, float order,
                   float bend, float spans)
{
    const struct oc_view *view = oc_series_view(series, (int)level);

    return view && view->order >= order && view->bend >= bend &&
           oc_reach_of(series, view, limit).eta <= spans * view->span;
}

static void raise_alert(struct oc_series *series, struct oc_slot *slot, unsigned level)
{
    const struct oc_view *view = oc_series_view(series, (int)level);

    if (!view)
        return; /* it was due, so there is one */
    if (!slot->is_leaking)
        slot->clock = series->clock;
    slot->is_leaking = 1;
    slot->level = (uint8_t)level;
    slot->floor = view->floor;
    slot->slack = oc_larger(0.5F * view->growth, series->large->fall[level]);
}

/* The floor fell back, or growth has stopped for half a window. */
static int is_over(const struct oc_series *series, const struct oc_slot *slot, double limit)
{
    const struct oc_view *view = oc_series_view(series, slot->level);

    if (series->value - series->origin < (double)(slot->floor - slot->slack))
        return 1;
    return view && view->clock > slot->clock + 0.5 * (double)view->span &&
           !goes_on(series, slot->level, limit, 0.3F, 0.15F, 12.0F) &&
           !goes_on(series, slot->level + 1u, limit, 0.5F, 0.3F, 3.0F);
}

static void decide_alert(struct oc_series *series, unsigned changed, unsigned number)
{
    struct oc_slot *slot = &series->large->slots[number];
    int least = slot->is_leaking ? slot->level : 0;
    int due = -1;

    for (int j = (int)changed - 1; j >= least && due < 0; j--) {
        if (is_due(series, (unsigned)j, number))
            due = j;
    }
    if (due >= 0)
        raise_alert(series, slot, (unsigned)due);
    else if (slot->is_leaking && is_over(series, slot, series->limits[number]))
        slot->is_leaking = 0;
}

/* ---- times to the limit ---- */

static void say_times(struct oc_series *series, unsigned number, const struct oc_outlook *outlook)
{
    struct oc_slot *slot = &series->large->slots[number];
    float row[OC_F_COUNT], eta = outlook->eta, middle = 0.0F;

    oc_traits_outlook(series, number, outlook, row);
    middle = oc_trees_sum(&oc_table_p50, row);
    slot->p50_s = eta * expf(middle);
    slot->p10_s = eta * expf(oc_smaller(middle, oc_trees_sum(&oc_table_p10, row)));
    slot->sure = oc_trees_sum(&oc_table_sure, row);
    slot->p90_s = INFINITY; /* as it is said, then: no need to know it */
    if (slot->is_leaking || (double)slot->sure >= oc_pool_settings(series->pool)->sure)
        slot->p90_s = eta * expf(oc_larger(middle, oc_trees_sum(&oc_table_p90, row)));
    slot->outlook_clock = series->clock;
    slot->outlook_level = (uint8_t)outlook->level;
    slot->has_outlook = 1;
}

/*
 * Made out anew when a level from two below the last one's on has a block more; all figures, which
 * cost, when that level or another one is it. is_raised: an alert was raised just now.
 */
static void renew_outlook(struct oc_series *series, unsigned changed, unsigned number,
                          int is_raised)
{
    struct oc_slot *slot = &series->large->slots[number];
    struct oc_outlook outlook;

    if (slot->has_outlook && !is_raised && changed + 1 < slot->outlook_level)
        return;
    if (!oc_outlook_of(series, series->limits[number], &outlook)) {
        slot->has_outlook &= slot->is_leaking; /* while it is called a leak, what was said holds */
        return;
    }
    if (!slot->has_outlook || is_raised || outlook.level != slot->outlook_level ||
        outlook.level < changed)
        say_times(series, number, &outlook);
}

static void decide_slot(struct oc_series *series, unsigned changed, unsigned number)
{
    struct oc_slot *slot = &series->large->slots[number];
    int was_leaking = slot->is_leaking;

    if (oc_is_nan(series->limits[number])) {
        memset(slot, 0, sizeof(*slot));
        return;
    }
    decide_alert(series, changed, number);
    renew_outlook(series, changed, number, slot->is_leaking && !was_leaking);
}

int oc_decide(struct oc_series *series, unsigned changed)
{
    int is_stirring = take_views(series, changed);

    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++)
        decide_slot(series, changed, slot);
    return is_stirring;
}

void oc_decide_again(struct oc_series *series, unsigned slot)
{
    if (series->large)
        decide_slot(series, LARGE_LEVELS, slot);
}

int oc_is_leaking(const struct oc_series *series)
{
    for (unsigned slot = 0; series->large && slot < OC_SERIES_LIMITS; slot++) {
        if (series->large->slots[slot].is_leaking)
            return 1;
    }
    return 0;
}
