#include "forecast/pyramid.h"

#include <assert.h>
#include <string.h>

#define PART (1.0 / 255.0) /* what low_at and high_at count */

uint16_t oc_half(float value)
{
    uint32_t bits = 0;

    if (!(value > 0.0F))
        return 0;
    memcpy(&bits, &value, sizeof(bits));
    bits += UINT32_C(0x4000); /* to the nearest */
    return (uint16_t)(bits >> 15);
}

static uint8_t share(double at, double begin, double span)
{
    double part = span > 0.0 ? (at - begin) / span * 255.0 + 0.5 : 0.0;

    return (uint8_t)(part < 0.0 ? 0.0 : part > 255.0 ? 255.0 : part);
}

static struct oc_bin pack(const struct oc_piece *piece)
{
    double span = piece->end - piece->begin;
    struct oc_bin block = {
        .low = piece->low,
        .amplitude = oc_half(piece->high - piece->low),
        .mean = oc_half(piece->mean - piece->low),
        .span = oc_half((float)span),
        .low_at = share(piece->low_t, piece->begin, span),
        .high_at = share(piece->high_t, piece->begin, span),
    };

    return block;
}

/* The piece that ends at `end`. */
static struct oc_piece unpack(const struct oc_bin *block, double end)
{
    double span = (double)oc_half_value(block->span);
    struct oc_piece piece = {
        .begin = end - span,
        .end = end,
        .low_t = end - span + span * (double)block->low_at * PART,
        .high_t = end - span + span * (double)block->high_at * PART,
        .low = block->low,
        .high = block->low + oc_half_value(block->amplitude),
        .mean = block->low + oc_half_value(block->mean),
    };

    return piece;
}

/* b follows a. */
static struct oc_piece join(const struct oc_piece *a, const struct oc_piece *b)
{
    double long_a = a->end - a->begin, long_b = b->end - b->begin;
    double sum = long_a + long_b;
    float part = sum > 0.0 ? (float)(long_b / sum) : 0.5F;
    struct oc_piece piece = { .begin = a->begin, .end = b->end };

    piece.low = b->low < a->low ? b->low : a->low;
    piece.low_t = b->low < a->low ? b->low_t : a->low_t;
    piece.high = b->high >= a->high ? b->high : a->high;
    piece.high_t = b->high >= a->high ? b->high_t : a->high_t;
    piece.mean = a->mean + part * (b->mean - a->mean);
    return piece;
}

static struct oc_bin *row(const struct oc_pyramid *pyramid, unsigned level)
{
    return pyramid->blocks + (size_t)level * pyramid->cap;
}

/* Room for one more in a level: its two oldest go up. */
static void make_room(const struct oc_pyramid *pyramid, unsigned level)
{
    struct oc_bin *blocks = row(pyramid, level);

    if (pyramid->used[level] < pyramid->cap)
        return;
    if (level + 1 < pyramid->levels) {
        struct oc_piece older = unpack(&blocks[0], -(double)oc_half_value(blocks[1].span));
        struct oc_piece newer = unpack(&blocks[1], 0.0);
        struct oc_piece both = join(&older, &newer);

        make_room(pyramid, level + 1);
        row(pyramid, level + 1)[pyramid->used[level + 1]++] = pack(&both);
    }
    pyramid->used[level] = (uint8_t)(pyramid->used[level] - 2);
    memmove(blocks, blocks + 2, pyramid->used[level] * sizeof(*blocks));
}

/* What the floor did at a level, whose blocks may be a part of the newest ones below it. */
static void note_floor(const struct oc_pyramid *pyramid, unsigned level, float low, uint64_t count)
{
    if (count == 1 || low > pyramid->top[level])
        pyramid->top[level] = low;
    if (count == 1)
        pyramid->fall[level] = 0.0F;
    else if (pyramid->top[level] - low > pyramid->fall[level])
        pyramid->fall[level] = pyramid->top[level] - low;
}

/* The lowest value of the newest 2^level blocks of the finest size. They lie in finer levels, or are the level's newest. */
static float newest_low(const struct oc_pyramid *pyramid, unsigned level)
{
    float low = 0.0F;
    int any = 0;
    uint64_t left = UINT64_C(1) << level;

    for (unsigned l = 0; l <= level && left; l++) {
        const struct oc_bin *blocks = row(pyramid, l);

        for (unsigned i = pyramid->used[l]; i-- > 0 && left;) {
            uint64_t size = UINT64_C(1) << l;

            low = !any || blocks[i].low < low ? blocks[i].low : low;
            any = 1;
            left = left > size ? left - size : 0;
        }
    }
    return low;
}

unsigned oc_pyramid_push(const struct oc_pyramid *pyramid, uint64_t number,
                         const struct oc_piece *piece)
{
    unsigned level = 0;

    make_room(pyramid, 0);
    row(pyramid, 0)[pyramid->used[0]++] = pack(piece);
    number++;
    for (level = 0; level < pyramid->levels; level++) {
        note_floor(pyramid, level, newest_low(pyramid, level), number >> level);
        if ((number >> level) & 1)
            return level + 1;
    }
    return level;
}

void oc_pyramid_window(const struct oc_pyramid *pyramid, unsigned level,
                       struct oc_window *out_window)
{
    uint64_t size = UINT64_C(1) << level, have = 0;
    double end = 0.0;
    struct oc_piece piece = { 0 };
    unsigned at = OC_WINDOW_MAX;

    for (unsigned l = 0; l <= level && at > 0; l++) {
        const struct oc_bin *blocks = row(pyramid, l);

        for (unsigned i = pyramid->used[l]; i-- > 0 && at > 0;) {
            struct oc_piece part = unpack(&blocks[i], end);

            piece = have ? join(&part, &piece) : part;
            have += UINT64_C(1) << l;
            end = part.begin;
            if (have < size)
                continue;
            at--;
            out_window->low[at] = piece.low;
            out_window->high[at] = piece.high;
            out_window->mean[at] = piece.mean;
            out_window->low_t[at] = (float)piece.low_t;
            out_window->high_t[at] = (float)piece.high_t;
            out_window->begin_t = (float)piece.begin;
            have = 0;
        }
    }
    out_window->count = OC_WINDOW_MAX - at;
    if (at == 0)
        return;
    memmove(out_window->low, out_window->low + at, out_window->count * sizeof(float));
    memmove(out_window->high, out_window->high + at, out_window->count * sizeof(float));
    memmove(out_window->mean, out_window->mean + at, out_window->count * sizeof(float));
    memmove(out_window->low_t, out_window->low_t + at, out_window->count * sizeof(float));
    memmove(out_window->high_t, out_window->high_t + at, out_window->count * sizeof(float));
}

void oc_pyramid_each(const struct oc_pyramid *pyramid, double now, oc_piece_fn *fn, void *context)
{
    double end = now;

    for (unsigned l = 0; l < pyramid->levels; l++) {
        for (unsigned i = 0; i < pyramid->used[l]; i++)
            end -= (double)oc_half_value(row(pyramid, l)[i].span);
    }
    for (unsigned l = pyramid->levels; l-- > 0;) {
        for (unsigned i = 0; i < pyramid->used[l]; i++) {
            const struct oc_bin *block = &row(pyramid, l)[i];
            struct oc_piece piece;

            end += (double)oc_half_value(block->span);
            piece = unpack(block, end);
            fn(&piece, context);
        }
    }
}

void oc_pyramid_move(const struct oc_pyramid *from, const struct oc_pyramid *to)
{
    /* from the coarsest on, so that what is pushed up finds its place */
    for (unsigned l = from->levels; l-- > 0;) {
        for (unsigned i = 0; i < from->used[l]; i++) {
            if (l >= to->levels)
                continue; /* the oldest: no place */
            make_room(to, l);
            row(to, l)[to->used[l]++] = row(from, l)[i];
        }
        if (l < to->levels) {
            to->top[l] = from->top[l];
            to->fall[l] = from->fall[l];
        }
    }
}
