#include "tests/programs/growth.h"

#include <math.h>

#define RATCHET_KEEPS 4 /* one part in so many of a period's growth stays */
#define TWO_PI 6.283185307179586

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t grown(const struct growth *growth, uint64_t ms)
{
    return growth->rate / 1000 * ms + growth->rate % 1000 * ms / 1000;
}

uint64_t growth_line(const struct growth *growth, uint64_t ms)
{
    return smaller(grown(growth, ms), growth->max);
}

uint64_t growth_step(const struct growth *growth, uint64_t ms)
{
    return smaller(grown(growth, ms - ms % growth->period_ms), growth->max);
}

uint64_t growth_sawtooth(const struct growth *growth, uint64_t ms)
{
    return smaller(grown(growth, ms % growth->period_ms), growth->max);
}

uint64_t growth_ratchet(const struct growth *growth, uint64_t ms)
{
    const uint64_t tooth_ms = ms % growth->period_ms;

    return smaller(grown(growth, tooth_ms) + grown(growth, ms - tooth_ms) / RATCHET_KEEPS,
                   growth->max);
}

uint64_t growth_warmup(const struct growth *growth, uint64_t ms)
{
    return (uint64_t)((double)growth->max * -expm1(-(double)ms / (double)growth->period_ms));
}

uint64_t growth_jump(const struct growth *growth, uint64_t ms)
{
    return ms < growth->period_ms ? 0 : growth->max;
}

uint64_t growth_wave(const struct growth *growth, uint64_t ms)
{
    const double turn = (double)(ms % growth->period_ms) / (double)growth->period_ms;

    return (uint64_t)((double)growth->max * (1 - cos(TWO_PI * turn)) / 2);
}
