#include "forecast/view.h"

#include <math.h>
#include <string.h>

#define PAIRS_MAX 40 /* of a window, at least half of it apart: 36 of 15 or 16 blocks */

/* ---- medians ---- */

static void swap(float *a, float *b)
{
    float held = *a;

    *a = *b;
    *b = held;
}

/* The k-th smallest; reorders. Hoare's selection: linear on average, and the pivots are fixed. */
static float nth(float *values, unsigned count, unsigned k)
{
    unsigned left = 0, right = count - 1;

    while (left < right) {
        float pivot = values[(left + right) / 2];
        unsigned i = left, j = right;

        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        /* all before i are ≤ pivot, all behind j ≥ pivot */
        if (k <= j)
            right = j;
        else
            left = j + 1;
    }
    return values[k];
}

static float middle(const float *values, unsigned count)
{
    float copy[OC_WINDOW_MAX] = { 0 };

    memcpy(copy, values, count * sizeof(*copy));
    return nth(copy, count, count / 2);
}

static float middle_of_3(float a, float b, float c)
{
    float low = a < b ? a : b, high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

/* ---- lines ---- */

float oc_window_order(const float *values, unsigned count)
{
    unsigned pairs = count * (count - 1) / 2;
    int up = 0;

    for (unsigned i = 0; i + 1 < count; i++) {
        for (unsigned j = i + 1; j < count; j++)
            up += (values[j] > values[i]) - (values[j] < values[i]);
    }
    return count > 1 ? (float)up / (float)pairs : 0.0F;
}

/* The median slope of the pairs that are at least half the window apart: nearer ones say little and cost as much. */
static float slope_of(const float *t, const float *y, unsigned count)
{
    float slopes[PAIRS_MAX] = { 0 };
    unsigned n = 0, apart = count / 2;

    for (unsigned i = 0; i + apart < count; i++) {
        for (unsigned j = i + apart; j < count; j++) {
            if (t[j] > t[i] && n < PAIRS_MAX)
                slopes[n++] = (y[j] - y[i]) / (t[j] - t[i]);
        }
    }
    return n ? nth(slopes, n, n / 2) : 0.0F;
}

/* Means need no median: the last third less the first. */
static float mean_slope_of(const struct oc_window *window)
{
    unsigned third = window->count / 3, last = window->count - third;
    float rise = 0.0F, time = 0.0F;

    for (unsigned i = 0; i < third; i++) {
        rise += window->mean[last + i] - window->mean[i];
        time += window->low_t[last + i] - window->low_t[i];
    }
    return time > 0.0F ? rise / time : 0.0F;
}

/* Where the line is at the end (time 0), and the median distance from it. */
static float level_of(const float *t, const float *y, unsigned count, float slope, float *out_off)
{
    float rest[OC_WINDOW_MAX] = { 0 }, off[OC_WINDOW_MAX] = { 0 };
    float level = 0.0F;

    for (unsigned i = 0; i < count; i++)
        rest[i] = y[i] - slope * t[i];
    level = middle(rest, count);
    if (!out_off)
        return level;
    for (unsigned i = 0; i < count; i++)
        off[i] = fabsf(rest[i] - level);
    *out_off = nth(off, count, count / 2);
    return level;
}

/* ---- shape ---- */

static float halves(const float *y, unsigned count)
{
    unsigned h = count / 2;
    float a = middle_of_3(y[0], y[1], y[2]);
    float b = middle_of_3(y[h - 1], y[h], y[h + 1]);
    float c = middle_of_3(y[count - 3], y[count - 2], y[count - 1]);
    float first = b - a, second = c - b;

    if (second <= 0.0F)
        return 0.1F;
    return first > 0.0F ? oc_clip(second / first, 0.1F, 8.0F) : 8.0F;
}

static void steps_of(struct oc_view *view, const float *y, unsigned count)
{
    float mean = view->growth / (float)(count - 1);
    float squares = 0.0F, biggest = 0.0F;
    unsigned rising = 0;

    for (unsigned i = 0; i + 1 < count; i++) {
        float step = y[i + 1] - y[i];

        rising += step > 0.1F * mean;
        squares += (step - mean) * (step - mean);
        biggest = step > biggest ? step : biggest;
    }
    view->steady = (float)rising / (float)(count - 1);
    view->lumpy = oc_smaller(9.0F, sqrtf(squares / (float)(count - 1)) / mean);
    view->biggest = oc_smaller(9.0F, biggest / view->growth);
}

static void quarters_of(struct oc_view *view, const float *y, unsigned count)
{
    float before = y[0];

    for (unsigned q = 0; q < 3; q++) {
        float at = y[(count - 1) * (q + 1) / 4];

        view->quarter[q] = oc_clip((at - before) / view->growth, -3.0F, 3.0F);
        before = at;
    }
}

static void extremes_of(struct oc_view *view, const struct oc_window *window)
{
    unsigned count = window->count;

    view->top_recent = view->low_recent_top = window->high[count - 1];
    for (unsigned i = count - 4; i < count; i++) {
        view->top_recent = oc_larger(view->top_recent, window->high[i]);
        view->low_recent_top = oc_smaller(view->low_recent_top, window->high[i]);
    }
    view->top_all = window->high[0];
    view->low_all = window->low[0];
    for (unsigned i = 1; i < count; i++) {
        view->top_all = oc_larger(view->top_all, window->high[i]);
        view->low_all = oc_smaller(view->low_all, window->low[i]);
    }
}

void oc_view_take(const struct oc_window *window, double clock, struct oc_view *out_view)
{
    unsigned count = window->count;
    struct oc_view view = { .clock = clock, .count = (uint8_t)count };

    view.span = oc_larger(1e-6F, -window->low_t[0]);
    view.floor = window->low[count - 1];
    view.growth = view.floor - window->low[0];
    view.order = oc_window_order(window->low, count);
    view.slope = slope_of(window->low_t, window->low, count);
    view.line = level_of(window->low_t, window->low, count, view.slope, &view.off);
    view.top_order = oc_window_order(window->high, count);
    view.top_slope = slope_of(window->high_t, window->high, count);
    view.top_line = level_of(window->high_t, window->high, count, view.top_slope, NULL);
    view.bend = halves(window->low, count);
    view.top_bend = halves(window->high, count);
    view.mean_order = oc_window_order(window->mean, count);
    view.mean_slope = mean_slope_of(window);
    view.biggest = view.lumpy = 9.0F;
    if (view.growth > 0.0F) {
        steps_of(&view, window->low, count);
        quarters_of(&view, window->low, count);
    }
    extremes_of(&view, window);
    *out_view = view;
}
