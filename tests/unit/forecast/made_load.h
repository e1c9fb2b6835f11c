/* Made-up series of a few shapes, with the same bits on every machine. Time i, in samples → bytes. */
#ifndef OC_TESTS_FORECAST_MADE_LOAD_H
#define OC_TESTS_FORECAST_MADE_LOAD_H

#include <math.h>
#include <stdint.h>

#define MADE_MIB 1048576.0

/* 0 … 1, of a place and a seed. */
static inline double made_noise(uint64_t i, uint64_t seed)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed * UINT64_C(0xd1342543de82ef95);

    x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    return (double)(x >> 11) / 9007199254740992.0;
}

/* In pages, as the kernel counts. */
static inline double made_pages(double bytes) { return floor(bytes / 4096) * 4096; }

/* The load of a service in the course of a day, 0 … 1: quiet at night, two humps, fewer people at weekends. */
static inline double made_day(double hours)
{
    const double hour = fmod(hours, 24), day = floor(fmod(hours / 24, 7));
    const double humps =
        exp(-(hour - 11) * (hour - 11) / 12) + 0.8 * exp(-(hour - 20) * (hour - 20) / 8);

    return (0.1 + 0.85 * humps / 1.1) * (day >= 5 ? 0.6 : 1);
}

#endif
