/*
 * The past of a series at every scale: blocks of 2, 4, 8 … samples, each with the lowest and the
 * highest value in it and when they were. The lowest value of a block is memory that was not given
 * back during it: the floor.
 *
 * Level j holds the newest OC_CAP - 1 or OC_CAP blocks of 2^(j+1) samples that are not in a finer level:
 * when it is full, its two oldest become one of the next. So a window of twice as many blocks of any
 * size can be put together from it and the finer levels, and all of the past costs 12 bytes times
 * cap times the logarithm of its length.
 */
#ifndef OC_FORECAST_PYRAMID_H
#define OC_FORECAST_PYRAMID_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A block; values are offsets from the series' origin. Halves are the upper bits of a float. */
struct oc_bin {
    float low;
    uint16_t amplitude;      /* high - low */
    uint16_t mean;           /* mean - low */
    uint16_t span;           /* seconds */
    uint8_t low_at, high_at; /* when, in 256ths of the span */
};

/* One that is being filled, or taken apart; times are the series' own clock, in seconds. */
struct oc_piece {
    double begin, end;
    double low_t, high_t;
    float low, high, mean;
};

/* Where a pyramid lies: small and large ones differ in size only. */
struct oc_pyramid {
    struct oc_bin *blocks; /* levels * cap, of each level the oldest first */
    uint8_t *used;         /* of each level */
    float *top;            /* of each level: the highest floor ever */
    float *fall;           /* and how far a later one fell below it, at most */
    unsigned levels, cap;
};

/* What was seen last, in blocks of one size, the oldest first; times are seconds before now (≤ 0). */
#define OC_WINDOW_MAX 16
struct oc_window {
    unsigned count;
    float low[OC_WINDOW_MAX], high[OC_WINDOW_MAX], mean[OC_WINDOW_MAX];
    float low_t[OC_WINDOW_MAX], high_t[OC_WINDOW_MAX];
    float begin_t; /* of the first block */
};

/*
 * Puts a finished block of the finest size on top. number: how many there were before. Returns how
 * many levels have a block more now: levels 0 … that - 1.
 */
unsigned oc_pyramid_push(const struct oc_pyramid *pyramid, uint64_t number,
                         const struct oc_piece *piece);

/*
 * The newest blocks of a level's size, where the last of them was just finished; at most
 * OC_WINDOW_MAX. now: the end of the newest block.
 */
void oc_pyramid_window(const struct oc_pyramid *pyramid, unsigned level,
                       struct oc_window *out_window);

/* All blocks, the oldest first. Calls back with pieces whose times end at `now`. */
typedef void oc_piece_fn(const struct oc_piece *piece, void *context);
void oc_pyramid_each(const struct oc_pyramid *pyramid, double now, oc_piece_fn *fn, void *context);

/* Makes `to`, which is empty, of `from`: of another size; what has no place is the oldest. */
void oc_pyramid_move(const struct oc_pyramid *from, const struct oc_pyramid *to);

/* A positive float in 16 bits: 8 of the exponent, 8 of the mantissa; an error of 1/512. */
uint16_t oc_half(float value);

static inline float oc_half_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 15;
    float value = 0.0F;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
