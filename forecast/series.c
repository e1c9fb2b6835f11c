#include "forecast/number.h"
#include "forecast/series_impl.h"

#include "base/metric.h"

#include <math.h>
#include <string.h>

#define PAUSE 20.0       /* more than so many intervals is a clock that stood still */
#define BEGIN_BLOCKS 8   /* that the floor at the beginning is taken of */
#define CALM_BLOCKS 4096 /* after which a large series becomes small again */
#define VALUE_MAX 1.2e30 /* squares and offsets stay finite floats */

/* ---- what is counted, turned round where it falls ---- */

static double turned(const struct oc_series *series, double value)
{
    return series->options.falls ? series->scale - value : value;
}

void oc_series_begin(struct oc_series *series, struct oc_forecast_pool *pool,
                     const struct oc_series_options *options)
{
    memset(series, 0, sizeof(*series));
    series->pool = pool;
    series->options = *options;
    series->scale = options->scale > 0.0 ? options->scale : 0.0;
    series->last_ms = INT64_MIN;
    series->day_part = -1;
    for (unsigned i = 0; i < OC_SERIES_LIMITS; i++)
        series->limits[i] = (double)NAN;
}

/* A new life: all that was seen is forgotten, the limits and what was learnt stay. */
static void forget(struct oc_series *series)
{
    struct oc_series kept = *series;

    oc_pool_large_free(series->pool, series->large);
    oc_series_begin(series, kept.pool, &kept.options);
    memcpy(series->limits, kept.limits, sizeof(series->limits));
    series->scale = kept.scale;
    series->companion = kept.companion;
    series->prior = kept.prior;
    series->left_out = kept.left_out;
    series->last_ms = kept.last_ms;
    series->interval = kept.interval;
}

/* ---- time ---- */

static void pass_time(struct oc_series *series, int64_t t_ms)
{
    double step = 0.0;

    if (series->last_ms == INT64_MIN || series->samples == 0) {
        series->last_ms = t_ms;
        return;
    }
    step = ((double)t_ms - (double)series->last_ms) / 1000.0; /* cannot overflow */
    if (step <= 0.0) {
        if (series->interval > 0.0 && step < -PAUSE * series->interval)
            series->last_ms = t_ms; /* another clock: go on from there */
        return;
    }
    series->last_ms = t_ms;
    if (series->interval <= 0.0)
        series->interval = step;
    if (step > PAUSE * series->interval)
        step = series->interval;
    else
        series->interval += 0.05 * (step - series->interval);
    series->clock += step;
}

/* ---- small and large ---- */

static void grow_large(struct oc_series *series)
{
    struct oc_pyramid small = oc_series_pyramid(series);
    struct oc_large *large = oc_pool_large(series->pool);
    struct oc_pyramid big = { 0 };

    if (!large)
        return;
    series->large = large;
    big = oc_series_pyramid(series);
    oc_pyramid_move(&small, &big);
    memset(series->used, 0, sizeof(series->used));
    memset(series->blocks, 0, sizeof(series->blocks));
}

static void become_small(struct oc_series *series)
{
    struct oc_large *large = series->large;
    struct oc_pyramid big = oc_series_pyramid(series);
    struct oc_pyramid small = { 0 };

    series->large = NULL;
    small = oc_series_pyramid(series);
    oc_pyramid_move(&big, &small);
    oc_pool_large_free(series->pool, large);
}

/* Blocks of levels below `changed` were finished. */
static void finished(struct oc_series *series, unsigned changed)
{
    int is_stirring = 1;

    if (!series->large && oc_is_stirring(series, changed))
        grow_large(series);
    if (!series->large)
        return;
    is_stirring = oc_decide(series, changed);
    series->large->calm_blocks = is_stirring ? 0 : series->large->calm_blocks + 1;
    if (series->large->calm_blocks > CALM_BLOCKS && !oc_is_leaking(series))
        become_small(series);
}

static void push(struct oc_series *series)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);
    unsigned changed = oc_pyramid_push(&pyramid, series->blocks_count, &series->part);

    series->blocks_count++;
    series->part_count = 0;
    if (series->blocks_count == 1 || series->part.low > series->begin)
        series->begin = series->blocks_count <= BEGIN_BLOCKS ? series->part.low : series->begin;
    finished(series, changed);
}

/* ---- feeding ---- */

static void widen(struct oc_series *series, float low, float high)
{
    struct oc_piece *part = &series->part;
    double now = series->clock;

    if (series->part_count == 0) {
        double begin = part->end; /* of the block before: no time is left out */

        *part = (struct oc_piece){ .begin = series->blocks_count ? begin : now,
                                   .low = low,
                                   .high = high,
                                   .low_t = now,
                                   .high_t = now };
        part->mean = 0.5F * (low + high);
    } else {
        part->low_t = low < part->low ? now : part->low_t;
        part->high_t = high >= part->high ? now : part->high_t;
        part->low = oc_smaller(part->low, low);
        part->high = oc_larger(part->high, high);
        part->mean += (0.5F * (low + high) - part->mean) / (float)(series->part_count + 1);
    }
    part->end = now;
    series->part_count++;
}

/* What is turned round about a scale that was not known yet: limits that came before any sample. */
static void set_scale(struct oc_series *series, double scale)
{
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++)
        series->limits[slot] += scale - series->scale;
    series->scale = scale;
}

/* The first sample of a life says where offsets begin. */
static void first(struct oc_series *series, double value)
{
    if (series->options.falls && !(series->scale > 0.0))
        set_scale(series, value);
    series->origin = turned(series, value);
    series->value = series->origin;
}

static void note_limits(struct oc_series *series)
{
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        if (series->value >= series->limits[slot])
            series->is_met |= (uint8_t)(1u << slot);
        else
            series->is_met &= (uint8_t) ~(1u << slot);
    }
}

void oc_series_feed_range(oc_series *series, int64_t t_ms, double low, double high, double last,
                          uint32_t count)
{
    float low_off = 0.0F, high_off = 0.0F, move = 0.0F;

    if (!(fabs(low) < VALUE_MAX) || !(fabs(high) < VALUE_MAX) || !(fabs(last) < VALUE_MAX)) {
        series->left_out++;
        return;
    }
    pass_time(series, t_ms);
    if (series->samples == 0)
        first(series, last);
    if (series->options.falls) {
        double held = low;

        low = high;
        high = held;
    }
    low_off = (float)(turned(series, low) - series->origin);
    high_off = (float)(turned(series, high) - series->origin);
    move = fabsf((float)(turned(series, last) - series->value));
    series->value = turned(series, last);
    series->samples += count;
    if (move > 0.0F && (series->quantum == 0.0F || move < series->quantum))
        series->quantum = move;
    series->peak = oc_larger(series->peak, high_off);
    note_limits(series);
    oc_day_note(series, t_ms, low_off);
    widen(series, low_off, high_off);
    if (series->part_count >= SAMPLES_PER_BLOCK)
        push(series);
}

void oc_series_feed(oc_series *series, int64_t t_ms, double value)
{
    oc_series_feed_range(series, t_ms, value, value, value, 1);
}

/* ---- what changes from outside ---- */

void oc_series_restart(oc_series *series, enum oc_life_over over)
{
    oc_prior_learn(series, over, &series->prior);
    forget(series);
}

void oc_series_rebase(oc_series *series, double delta)
{
    /* what falls was turned round: a rise of it is a fall of its use */
    double moved = series->options.falls ? -delta : delta;

    if (!(fabs(delta) < VALUE_MAX) || series->samples == 0)
        return;
    series->origin += moved; /* all offsets stand: the whole past moves with it */
    series->value += moved;
    note_limits(series);
}

void oc_series_limit(oc_series *series, unsigned slot, double limit)
{
    double held = series->limits[slot];
    double now = turned(series, limit);

    if (held == now || (oc_is_nan(held) && oc_is_nan(now)))
        return;
    series->limits[slot] = now;
    note_limits(series);
    oc_decide_again(series, slot);
}

void oc_series_companion(oc_series *series, const oc_series *companion)
{
    series->companion = companion;
}

void oc_series_set_prior(oc_series *series, const struct oc_prior *prior)
{
    series->prior = *prior;
}

void oc_series_teach(const oc_series *series, enum oc_life_over over, struct oc_prior *inout_prior)
{
    oc_prior_learn(series, over, inout_prior);
}

int64_t oc_series_last_ms(const oc_series *series) { return series->last_ms; }

int oc_series_is_calm(const oc_series *series) { return !series->large && series->is_met == 0; }

/* ---- a picture ---- */

int64_t oc_series_time(const struct oc_series *series, double clock)
{
    double back = (series->clock - clock) * 1000.0;
    int64_t back_ms = back > 0.0 ? (int64_t)fmin(back, 9e18) : 0; /* NAN too */

    return series->last_ms < INT64_MIN + back_ms ? INT64_MIN : series->last_ms - back_ms;
}

struct picture {
    const struct oc_series *series;
    struct oc_series_block *blocks;
    size_t count, max;
};

static void draw(const struct oc_piece *piece, void *context)
{
    struct picture *picture = context;
    const struct oc_series *series = picture->series;
    struct oc_series_block *block = NULL;
    double origin = series->origin, low = piece->low, high = piece->high;

    if (picture->count == picture->max)
        return;
    block = &picture->blocks[picture->count++];
    block->begin_ms = oc_series_time(series, piece->begin);
    block->end_ms = oc_series_time(series, piece->end);
    block->low = series->options.falls ? series->scale - (high + origin) : low + origin;
    block->high = series->options.falls ? series->scale - (low + origin) : high + origin;
}

size_t oc_series_blocks(const oc_series *series, struct oc_series_block *out_blocks, size_t max)
{
    struct picture picture = { .series = series, .blocks = out_blocks, .max = max };
    struct oc_pyramid pyramid = oc_series_pyramid(series);

    if (series->samples)
        oc_pyramid_each(&pyramid, series->clock, draw, &picture);
    return picture.count;
}
