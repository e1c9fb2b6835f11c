#include "forecast/traits.h"
#include "forecast/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define NEAR_PEAK 0.95F

static const int neighbours[OC_NEIGHBOURS] = { -3, -2, -1, 1, 2, 3 };

static float log_ratio(float a, float b, float bound)
{
    if (!(a > 0.0F))
        return -bound;
    return b > 0.0F ? oc_clip(logf(a / b), -bound, bound) : bound;
}

static void shape(const struct oc_series *series, unsigned level, const struct oc_view *view,
                  const struct oc_reach *reach, float *row)
{
    float growth = oc_larger(view->growth, 1e-9F);

    row[OC_F_REACH] = reach->reach;
    row[OC_F_SPAN] = logf(view->span);
    row[OC_F_HISTORY] = logf(oc_larger(1.0F, (float)series->clock / view->span));
    row[OC_F_ORDER] = view->order;
    row[OC_F_STEADY] = view->steady;
    row[OC_F_BEND] = logf(view->bend);
    row[OC_F_BEND_TOP] = logf(reach->bend_top);
    row[OC_F_NOVEL] = logf(oc_novel(series, level, view));
    row[OC_F_SPREAD] = oc_spread(view);
    row[OC_F_LUMPY] = view->lumpy;
    row[OC_F_BIGGEST] = view->biggest;
    for (unsigned q = 0; q < 3; q++)
        row[OC_F_QUARTER1 + q] = view->quarter[q];
    row[OC_F_TOP_ORDER] = view->top_order;
    row[OC_F_TOP_SLOPE] = log_ratio(view->top_slope, view->slope, 3.0F);
    row[OC_F_MEAN_ORDER] = view->mean_order;
    row[OC_F_MEAN_SLOPE] = log_ratio(view->mean_slope, view->slope, 3.0F);
    row[OC_F_AGE] = logf(oc_larger(1.0F, (float)series->clock));
    row[OC_F_AMPLITUDE] = log_ratio(view->top_all - view->low_all, growth, 4.0F);
    row[OC_F_QUANTA] =
        series->quantum > 0.0F ? log_ratio(view->growth, series->quantum, 12.0F) : NAN;
    row[OC_F_SHARE_OF_LIFE] =
        oc_clip(view->growth / oc_larger(1e-9F, view->floor - series->begin), -1.0F, 2.0F);
}

static void against_limit(const struct oc_series *series, const struct oc_view *view,
                          const struct oc_reach *reach, double limit, float *row)
{
    float origin = (float)series->origin, all = (float)limit;
    float scale = all > 0.0F ? all : NAN;

    row[OC_F_FILL] = oc_clip((view->floor + origin) / scale, -1.0F, 2.0F);
    row[OC_F_TOP_FILL] = oc_clip((view->top_all + origin) / scale, -1.0F, 2.0F);
    row[OC_F_TOP_FLAT] = oc_clip((view->top_recent - view->low_recent_top) / scale, 0.0F, 1.0F);
    row[OC_F_ROOM] = log_ratio(reach->room, view->growth, 6.0F);
}

static void earlier_lives(const struct oc_series *series, const struct oc_view *view, float *row)
{
    const struct oc_prior *prior = &series->prior;
    float origin = (float)series->origin, age = oc_larger(1.0F, (float)series->clock);

    if (!(prior->lives > 0.05F)) {
        for (unsigned i = OC_F_LIVES; i <= OC_F_PACE; i++)
            row[i] = NAN;
        row[OC_F_LIVES] = 0.0F;
        return;
    }
    row[OC_F_LIVES] = prior->lives;
    row[OC_F_LEAKS] = prior->leaks / prior->lives;
    row[OC_F_ABOVE] =
        prior->plateau > 0.0F ? oc_clip((view->floor + origin) / prior->plateau, 0.0F, 4.0F) : NAN;
    row[OC_F_ABOVE_PEAK] =
        prior->peak > 0.0F ? oc_clip((view->top_recent + origin) / prior->peak, 0.0F, 4.0F) : NAN;
    row[OC_F_WARM] = prior->warm_s > 0.0F ? oc_clip(logf(age / prior->warm_s), -5.0F, 5.0F) : NAN;
    row[OC_F_LIFE] = prior->life_s > 0.0F ? oc_clip(logf(age / prior->life_s), -5.0F, 5.0F) : NAN;
    row[OC_F_PACE] =
        prior->growth_per_s > 0.0F ? log_ratio(view->slope, prior->growth_per_s, 5.0F) : NAN;
}

static void yesterday(const struct oc_series *series, const struct oc_view *view, float *row)
{
    row[OC_F_DAY_GAIN] = row[OC_F_DAY_UP] = NAN;
    if (series->day_count == 0)
        return;
    if (view->slope > 0.0F)
        row[OC_F_DAY_GAIN] = oc_clip(series->day_gain / (view->slope * 86400.0F), -4.0F, 4.0F);
    row[OC_F_DAY_UP] = series->day_up;
}

struct before {
    double until; /* the window's begin */
    float mark;   /* near the peak of this life */
    float high;   /* highest value before the window */
    double near;  /* when the mark was first reached; < 0: not yet */
};

static void look_before(const struct oc_piece *piece, void *context)
{
    struct before *before = context;

    if (piece->end <= before->until)
        before->high = oc_larger(before->high, piece->high);
    if (before->near < 0.0 && piece->high >= before->mark)
        before->near = piece->high_t;
}

/* Whether the floor stands where there was never anything, and how long the peak has been near. */
static void what_was_before(const struct oc_series *series, const struct oc_view *view, float *row)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    struct before before = { .until = view->clock - (double)view->span,
                             .high = -INFINITY,
                             .near = -1.0 };
    float growth = oc_larger(view->growth, 1e-9F);

    before.mark = series->begin + NEAR_PEAK * (series->peak - series->begin);
    oc_pyramid_each(&pyramid, series->clock, look_before, &before);
    row[OC_F_SEEN] = oc_is_finite(before.high)
                         ? oc_clip((before.high - view->floor) / growth, -3.0F, 3.0F)
                         : NAN;
    row[OC_F_PEAK_AGE] = before.near >= 0.0 && series->clock > 0.0
                             ? (float)((series->clock - before.near) / series->clock)
                             : 0.0F;
}

/* The companion's view whose span is nearest. */
static void second(const struct oc_series *series, const struct oc_view *view, float *row)
{
    const struct oc_series *other = series->companion;
    const struct oc_view *best = NULL;
    unsigned level = 0;
    float nearest = INFINITY;

    row[OC_F_SECOND_ORDER] = row[OC_F_SECOND_NOVEL] = row[OC_F_SECOND_BEND] = NAN;
    if (!other || other->samples == 0)
        return;
    row[OC_F_SECOND_ORDER] = 0.0F;
    for (unsigned j = 0; j < LARGE_LEVELS; j++) {
        const struct oc_view *one = oc_series_view(other, (int)j);
        float far = one ? fabsf(logf(one->span / view->span)) : INFINITY;

        if (far < nearest) {
            nearest = far;
            best = one;
            level = j;
        }
    }
    if (!best || nearest > 1.5F)
        return;
    row[OC_F_SECOND_ORDER] = best->order;
    row[OC_F_SECOND_NOVEL] = logf(oc_novel(other, level, best));
    row[OC_F_SECOND_BEND] = logf(best->bend);
}

static void neighbour(const struct oc_series *series, int level, double limit, float *row)
{
    const struct oc_view *view = oc_series_view(series, level);

    for (unsigned i = 0; i < 5; i++)
        row[i] = NAN;
    if (!view)
        return;
    row[0] = view->order;
    row[1] = logf(view->bend);
    row[2] = logf(oc_novel(series, (unsigned)level, view));
    row[3] = oc_spread(view);
    row[4] = oc_reach_of(series, view, limit).reach;
}

void oc_traits_window(const struct oc_series *series, unsigned level, double limit, float *out_row)
{
    const struct oc_view *view = oc_series_view(series, (int)level);
    struct oc_reach reach;

    assert(view); /* the level has one */
    reach = oc_reach_of(series, view, limit);

    shape(series, level, view, &reach, out_row);
    against_limit(series, view, &reach, limit, out_row);
    earlier_lives(series, view, out_row);
    what_was_before(series, view, out_row);
    yesterday(series, view, out_row);
    second(series, view, out_row);
    for (unsigned i = 0; i < OC_NEIGHBOURS; i++)
        neighbour(series, (int)level + neighbours[i], limit, out_row + OC_F_NEIGHBOURS + 5 * i);
}

static float eta_of(const struct oc_series *series, int level, double limit, float eta)
{
    const struct oc_view *view = oc_series_view(series, level);
    struct oc_reach reach;

    if (!view)
        return NAN;
    reach = oc_reach_of(series, view, limit);
    if (!oc_is_finite(reach.eta))
        return 5.0F;
    return log_ratio(oc_larger(1.0F, reach.eta - (float)(series->clock - view->clock)), eta, 5.0F);
}

static int widest(const struct oc_series *series)
{
    int level = LARGE_LEVELS - 1;

    while (level > 0 && !oc_series_view(series, level))
        level--;
    return level;
}

void oc_traits_outlook(const struct oc_series *series, unsigned slot,
                       const struct oc_outlook *outlook, float *out_row)
{
    double limit = series->limits[slot];
    const struct oc_view *view = oc_series_view(series, (int)outlook->level);
    int wide = widest(series);
    const struct oc_view *wide_view = oc_series_view(series, wide);

    assert(view && wide_view);
    oc_traits_window(series, outlook->level, limit, out_row);
    out_row[OC_F_ETA_BY_SPAN] = logf(outlook->eta / view->span);
    out_row[OC_F_ETA_BEND] = outlook->bend * outlook->eta;
    for (unsigned i = 0; i < OC_NEIGHBOURS; i++)
        out_row[OC_F_ETA_OF + i] =
            eta_of(series, (int)outlook->level + neighbours[i], limit, outlook->eta);
    out_row[OC_F_ETA_WIDEST] = eta_of(series, wide, limit, outlook->eta);
    out_row[OC_F_WIDEST_ORDER] = wide_view->order;
}

void oc_trait_name(unsigned feature, char out_name[24])
{
    static const char *const names[OC_F_NEIGHBOURS] = {
        "reach",     "span",          "history",      "order",       "steady",     "bend",
        "bend_top",  "novel",         "spread",       "lumpy",       "biggest",    "quarter1",
        "quarter2",  "quarter3",      "top_order",    "top_slope",   "mean_order", "mean_slope",
        "age",       "fill",          "top_fill",     "top_flat",    "room",       "quanta",
        "amplitude", "share_of_life", "seen",         "peak_age",    "lives",      "leaks",
        "above",     "above_peak",    "warm",         "life",        "pace",       "day_gain",
        "day_up",    "second_order",  "second_novel", "second_bend",
    };
    static const char *const near[5] = { "order", "bend", "novel", "spread", "reach" };
    static const char *const outlook[] = { "eta_widest", "widest_order" };

    if (feature < OC_F_NEIGHBOURS)
        (void)snprintf(out_name, 24, "%s", names[feature]);
    else if (feature < OC_F_WINDOW_END)
        (void)snprintf(out_name, 24, "%s%+d", near[(feature - OC_F_NEIGHBOURS) % 5],
                       neighbours[(feature - OC_F_NEIGHBOURS) / 5]);
    else if (feature == OC_F_ETA_BY_SPAN)
        (void)snprintf(out_name, 24, "eta_by_span");
    else if (feature == OC_F_ETA_BEND)
        (void)snprintf(out_name, 24, "eta_bend");
    else if (feature < OC_F_ETA_WIDEST)
        (void)snprintf(out_name, 24, "eta%+d", neighbours[feature - OC_F_ETA_OF]);
    else
        (void)snprintf(out_name, 24, "%s", outlook[feature - OC_F_ETA_WIDEST]);
}
