#include "forecast/traits.h"
#include "forecast/trees.h"

#include <math.h>

#define STARTUP_S 600.0      /* the gate is higher at the start … */
#define STARTUP_GATE 0.3     /* … by so much, fading */
#define KNOWN_LEAK_GATE 0.15 /* after lives that leaked */
#define STIRRING_REACH 55.0F /* spans to the limit that are still worth a closer look */

/* ---- is it worth a closer look? ---- */

/* Cheap: of a small series at every block. */
int oc_is_stirring(const struct oc_series *series, unsigned level)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct oc_window window;
    float growth = 0.0F, top_growth = 0.0F, span = 0.0F, most = 0.0F;
    unsigned last = 0;

    if (pyramid.used[level] < 2)
        return 0;
    oc_pyramid_window(&pyramid, level, &window);
    if (window.count < SMALL_CAP)
        return 0;
    last = window.count - 1;
    growth = window.low[last] - window.low[0];
    top_growth = window.high[last] - window.high[0];
    if (growth <= 0.0F || growth < 0.5F * pyramid.fall[level])
        return 0;
    if (oc_window_order(window.low, window.count) < 0.3F)
        return 0;
    span = fmaxf(1e-6F, -window.low_t[0]);
    most = fmaxf(growth, top_growth);
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        double room = series->limits[slot] - series->value;

        if (room < (double)(STIRRING_REACH * most))
            return 1;
    }
    (void)span;
    return 0;
}

/* ---- one slot ---- */

static float gate_of(const struct oc_series *series)
{
    const struct oc_forecast_settings *settings = oc_pool_settings(series->pool);
    double gate = settings->gate;

    if (series->prior.leaks > 0.5F * series->prior.lives)
        return (float)fmin(gate, KNOWN_LEAK_GATE);
    return (float)(gate + STARTUP_GATE * fmax(0.0, 1.0 - series->clock / STARTUP_S));
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
    return (double)oc_trees_sum(&oc_table_leak, row) >= oc_pool_settings(series->pool)->alert;
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

    if (!slot->is_leaking)
        slot->clock = series->clock;
    slot->is_leaking = 1;
    slot->level = (uint8_t)level;
    slot->floor = view->floor;
    slot->slack = fmaxf(0.5F * view->growth, series->large->fall[level]);
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

static void decide_slot(struct oc_series *series, unsigned changed, unsigned number)
{
    struct oc_slot *slot = &series->large->slots[number];
    int due = -1;

    for (int j = (int)changed - 1; j >= 0 && due < 0; j--) {
        if (is_due(series, (unsigned)j, number))
            due = j;
    }
    if (due >= 0 && (!slot->is_leaking || due >= slot->level))
        raise_alert(series, slot, (unsigned)due);
    else if (slot->is_leaking && due < 0 && is_over(series, slot, series->limits[number]))
        slot->is_leaking = 0;
}

void oc_decide(struct oc_series *series, unsigned changed)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct oc_window window;

    for (unsigned j = 0; j < changed; j++) {
        if (pyramid.used[j] < OC_VIEW_LEAST / 2)
            continue;
        oc_pyramid_window(&pyramid, j, &window);
        if (window.count >= OC_VIEW_LEAST)
            oc_view_take(&window, series->clock, &series->large->views[j]);
    }
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        if (!isnan(series->limits[slot]))
            decide_slot(series, changed, slot);
    }
}

void oc_decide_again(struct oc_series *series, unsigned slot)
{
    if (!series->large)
        return;
    if (isnan(series->limits[slot])) {
        series->large->slots[slot].is_leaking = 0;
        return;
    }
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
