#include "forecast/number.h"
#include "forecast/series_impl.h"

#include <math.h>
#include <string.h>

/*
 * One description of the fields serves both ways: a codec writes them or reads them. Everything is
 * little-endian; floats are their IEEE bits, so that a loaded series is the saved one bit for bit.
 *
 *   "OCSR", version (u16), flags (u16), length (u32), checksum of the rest (u32), fields
 */
#define MAGIC UINT32_C(0x5253434f)
#define PRIOR_MAGIC UINT32_C(0x5250434f)
#define SERIES_VERSION 4
#define PRIOR_VERSION 2
#define HEADER_BYTES 16
#define FLAG_LARGE 1u

struct codec {
    uint8_t *at;
    const uint8_t *end;
    int is_loading;
    int is_short; /* the bytes ended too early */
};

/* ---- figures ---- */

/* A whole number of `size` bytes: what is loaded, or what was given. */
static uint64_t code(struct codec *codec, uint64_t value, size_t size)
{
    uint64_t loaded = 0;

    if ((size_t)(codec->end - codec->at) < size) {
        codec->is_short = 1;
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (codec->is_loading)
            loaded |= (uint64_t)codec->at[i] << (8 * i);
        else
            codec->at[i] = (uint8_t)(value >> (8 * i));
    }
    codec->at += size;
    return codec->is_loading ? loaded : value;
}

static void u8(struct codec *codec, uint8_t *value) { *value = (uint8_t)code(codec, *value, 1); }

static void u16(struct codec *codec, uint16_t *value) { *value = (uint16_t)code(codec, *value, 2); }

static void u32(struct codec *codec, uint32_t *value) { *value = (uint32_t)code(codec, *value, 4); }

static void u64(struct codec *codec, uint64_t *value) { *value = code(codec, *value, 8); }

static void i32(struct codec *codec, int32_t *value)
{
    *value = (int32_t)(uint32_t)code(codec, (uint32_t)*value, 4);
}

static void i64(struct codec *codec, int64_t *value)
{
    *value = (int64_t)code(codec, (uint64_t)*value, 8);
}

static void f32(struct codec *codec, float *value)
{
    uint32_t bits = 0;

    memcpy(&bits, value, sizeof(bits));
    u32(codec, &bits);
    memcpy(value, &bits, sizeof(bits));
}

static void f64(struct codec *codec, double *value)
{
    uint64_t bits = 0;

    memcpy(&bits, value, sizeof(bits));
    u64(codec, &bits);
    memcpy(value, &bits, sizeof(bits));
}

/* ---- what a series is made of ---- */

static void prior_fields(struct codec *codec, struct oc_prior *prior)
{
    f32(codec, &prior->lives);
    f32(codec, &prior->plateau);
    f32(codec, &prior->peak);
    f32(codec, &prior->warm_s);
    f32(codec, &prior->life_s);
    f32(codec, &prior->death);
    f32(codec, &prior->leaks);
    f32(codec, &prior->growth_per_s);
    f32(codec, &prior->begin);
    f32(codec, &prior->saved);
}

static void piece_fields(struct codec *codec, struct oc_piece *piece)
{
    f64(codec, &piece->begin);
    f64(codec, &piece->end);
    f64(codec, &piece->low_t);
    f64(codec, &piece->high_t);
    f32(codec, &piece->low);
    f32(codec, &piece->high);
    f32(codec, &piece->mean);
}

/* Of each level: how many blocks, the blocks, and what the floor did. */
static void pyramid_fields(struct codec *codec, const struct oc_pyramid *pyramid)
{
    for (unsigned level = 0; level < pyramid->levels; level++) {
        u8(codec, &pyramid->used[level]);
        if (pyramid->used[level] > pyramid->cap) {
            codec->is_short = 1;
            pyramid->used[level] = 0;
        }
        f32(codec, &pyramid->top[level]);
        f32(codec, &pyramid->fall[level]);
        for (unsigned i = 0; i < pyramid->used[level]; i++) {
            struct oc_bin *bin = &pyramid->blocks[level * pyramid->cap + i];

            f32(codec, &bin->low);
            u16(codec, &bin->amplitude);
            u16(codec, &bin->mean);
            u16(codec, &bin->span);
            u8(codec, &bin->low_at);
            u8(codec, &bin->high_at);
        }
    }
}

static void view_fields(struct codec *codec, struct oc_view *view)
{
    float *const figures[] = {
        &view->span,       &view->growth,         &view->floor,      &view->slope,
        &view->line,       &view->order,          &view->off,        &view->steady,
        &view->lumpy,      &view->biggest,        &view->bend,       &view->quarter[0],
        &view->quarter[1], &view->quarter[2],     &view->top_slope,  &view->top_line,
        &view->top_order,  &view->top_bend,       &view->mean_slope, &view->mean_order,
        &view->top_recent, &view->low_recent_top, &view->top_all,    &view->low_all,
    };

    u8(codec, &view->count);
    if (!view->count)
        return;
    f64(codec, &view->clock);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        f32(codec, figures[i]);
}

static void large_fields(struct codec *codec, struct oc_large *large)
{
    u32(codec, &large->calm_blocks);
    for (unsigned level = 0; level < LARGE_LEVELS; level++)
        view_fields(codec, &large->views[level]);
    for (unsigned i = 0; i < OC_SERIES_LIMITS; i++) {
        struct oc_slot *slot = &large->slots[i];

        f32(codec, &slot->floor);
        f32(codec, &slot->slack);
        f64(codec, &slot->clock);
        f64(codec, &slot->outlook_clock);
        f32(codec, &slot->p10_s);
        f32(codec, &slot->p50_s);
        f32(codec, &slot->p90_s);
        f32(codec, &slot->sure);
        u8(codec, &slot->is_leaking);
        u8(codec, &slot->level);
        u8(codec, &slot->has_outlook);
        u8(codec, &slot->outlook_level);
    }
}

static void series_fields(struct codec *codec, struct oc_series *series)
{
    uint8_t falls = (uint8_t)(series->options.falls != 0);
    uint8_t is_heap = (uint8_t)(series->options.is_heap != 0);

    u16(codec, &series->options.metric);
    u8(codec, &falls);
    u8(codec, &is_heap);
    series->options.falls = falls;
    series->options.is_heap = is_heap;
    f64(codec, &series->options.scale);
    i64(codec, &series->last_ms);
    f64(codec, &series->clock);
    f64(codec, &series->interval);
    f64(codec, &series->origin);
    f64(codec, &series->value);
    f64(codec, &series->scale);
    for (unsigned i = 0; i < OC_SERIES_LIMITS; i++)
        f64(codec, &series->limits[i]);
    u64(codec, &series->samples);
    u64(codec, &series->blocks_count);
    prior_fields(codec, &series->prior);
    f32(codec, &series->begin);
    f32(codec, &series->peak);
    f32(codec, &series->quantum);
    f32(codec, &series->day_gain);
    f32(codec, &series->day_up);
    f32(codec, &series->part_low);
    u32(codec, &series->left_out);
    i32(codec, &series->day_part);
    u16(codec, &series->day_count);
    u16(codec, &series->day_known);
    u8(codec, &series->part_count);
    u8(codec, &series->is_met);
    for (unsigned i = 0; i < DAY_PARTS; i++)
        f32(codec, &series->day_low[i]);
    piece_fields(codec, &series->part);
}

static void all_fields(struct codec *codec, struct oc_series *series)
{
    struct oc_pyramid pyramid = oc_series_pyramid(series);

    series_fields(codec, series);
    pyramid_fields(codec, &pyramid);
    if (series->large)
        large_fields(codec, series->large);
}

/* ---- the envelope ---- */

/* FNV-1a: bytes that rotted are found, more is not asked of it. */
static uint32_t checksum(const uint8_t *bytes, size_t len_bytes)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < len_bytes; i++)
        hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    return hash;
}

static void put_header(uint8_t *blob, uint32_t magic, uint16_t version, uint16_t flags,
                       size_t len_bytes)
{
    struct codec codec = { .at = blob, .end = blob + HEADER_BYTES };

    (void)code(&codec, magic, 4);
    (void)code(&codec, version, 2);
    (void)code(&codec, flags, 2);
    (void)code(&codec, len_bytes, 4);
    (void)code(&codec, checksum(blob + HEADER_BYTES, len_bytes - HEADER_BYTES), 4);
}

/* 0, OC_E_PARSE or OC_E_NEWER. */
static int check_header(const uint8_t *blob, size_t len_bytes, uint32_t magic, uint16_t version,
                        uint16_t *out_flags)
{
    uint8_t head[HEADER_BYTES];
    struct codec codec = { .at = head, .end = head + HEADER_BYTES, .is_loading = 1 };
    uint32_t sum = 0;

    if (len_bytes < HEADER_BYTES)
        return OC_E_PARSE;
    memcpy(head, blob, HEADER_BYTES);
    if (code(&codec, 0, 4) != magic)
        return OC_E_PARSE;
    if (code(&codec, 0, 2) != version)
        return OC_E_NEWER;
    *out_flags = (uint16_t)code(&codec, 0, 2);
    if ((*out_flags & ~FLAG_LARGE) != 0 || code(&codec, 0, 4) != len_bytes)
        return OC_E_PARSE;
    sum = (uint32_t)code(&codec, 0, 4);
    return sum == checksum(blob + HEADER_BYTES, len_bytes - HEADER_BYTES) ? OC_OK : OC_E_PARSE;
}

size_t oc_series_save(const oc_series *series, uint8_t out_blob[OC_SERIES_BLOB_BYTES])
{
    struct oc_series *fields = (struct oc_series *)series; /* a codec that writes changes nothing */
    struct codec codec = { .at = out_blob + HEADER_BYTES, .end = out_blob + OC_SERIES_BLOB_BYTES };
    size_t len_bytes = 0;

    all_fields(&codec, fields);
    len_bytes = (size_t)(codec.at - out_blob);
    put_header(out_blob, MAGIC, SERIES_VERSION, series->large ? FLAG_LARGE : 0, len_bytes);
    return len_bytes;
}

/* What a checksum lets pass but no series is. */
static int is_sound(const struct oc_series *series)
{
    return series->part_count < SAMPLES_PER_BLOCK && oc_is_finite(series->clock) &&
           oc_is_finite(series->origin) && oc_is_finite(series->value) && series->clock >= 0.0;
}

int oc_series_load(oc_forecast_pool *pool, const void *blob, size_t len_bytes,
                   oc_series **out_series)
{
    const uint8_t *bytes = blob;
    struct oc_series_options options = { 0 };
    struct codec codec = { .is_loading = 1 };
    oc_series *series = NULL;
    uint16_t flags = 0;
    int rc = check_header(bytes, len_bytes, MAGIC, SERIES_VERSION, &flags);

    if (rc < 0)
        return rc;
    rc = oc_series_new(pool, &options, &series);
    if (rc < 0)
        return rc;
    if ((flags & FLAG_LARGE) != 0) {
        series->large = oc_pool_large(pool);
        if (!series->large) {
            oc_series_free(series);
            return OC_E_TOOBIG;
        }
    }
    codec.at = (uint8_t *)bytes + HEADER_BYTES; /* a codec that reads writes nothing there */
    codec.end = bytes + len_bytes;
    all_fields(&codec, series);
    if (codec.is_short || codec.at != codec.end || !is_sound(series)) {
        oc_series_free(series);
        return OC_E_PARSE;
    }
    *out_series = series;
    return OC_OK;
}

/* ---- priors ---- */

size_t oc_prior_save(const struct oc_prior *prior, uint8_t out_blob[OC_PRIOR_BLOB_BYTES])
{
    struct oc_prior fields = *prior;
    struct codec codec = { .at = out_blob + HEADER_BYTES, .end = out_blob + OC_PRIOR_BLOB_BYTES };

    memset(out_blob, 0, OC_PRIOR_BLOB_BYTES);
    prior_fields(&codec, &fields);
    put_header(out_blob, PRIOR_MAGIC, PRIOR_VERSION, 0, OC_PRIOR_BLOB_BYTES);
    return OC_PRIOR_BLOB_BYTES;
}

int oc_prior_load(const void *blob, size_t len_bytes, struct oc_prior *out_prior)
{
    struct codec codec = { .is_loading = 1 };
    struct oc_prior prior = { 0 };
    uint16_t flags = 0;

    if (len_bytes != OC_PRIOR_BLOB_BYTES ||
        check_header(blob, len_bytes, PRIOR_MAGIC, PRIOR_VERSION, &flags) < 0)
        return OC_E_PARSE;
    codec.at = (uint8_t *)blob + HEADER_BYTES;
    codec.end = (const uint8_t *)blob + len_bytes;
    prior_fields(&codec, &prior);
    *out_prior = prior;
    return OC_OK;
}
