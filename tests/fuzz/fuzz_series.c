/*
 * States of the forecaster as they may lie in a damaged store, and whatever may be fed. The first byte
 * chooses: a blob as it is; one whose checksum is made right, so that its fields are reached; a series
 * that is fed with what the bytes say, and saved and loaded on the way.
 */
#include "forecast/forecast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define POOL_BYTES ((size_t)1 << 17)
#define STEP_BYTES 12
#define FLAGS_AT 6
#define LENGTH_AT 8
#define CHECKSUM_AT 12
#define HEADER_BYTES 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const oc_series *series)
{
    struct oc_series_block blocks[16];
    struct oc_forecast forecast;

    for (unsigned slot = 0; slot <= OC_SERIES_LIMITS; slot++) {
        oc_series_forecast(series, slot, &forecast);
        assert(forecast.state < OC_FORECAST_STATES);
        assert(isnan(forecast.p50_s) ||
               (forecast.p10_s <= forecast.p50_s && forecast.p50_s <= forecast.p90_s));
        (void)oc_series_state(series, slot);
    }
    assert(oc_series_blocks(series, blocks, 16) <= 16);
    (void)oc_series_is_calm(series);
}

/* Saved, loaded and saved again are the same bytes. */
static oc_series *through_a_blob(oc_forecast_pool *pool, oc_series *series)
{
    static uint8_t blob[OC_SERIES_BLOB_BYTES], again[OC_SERIES_BLOB_BYTES];
    const size_t len = oc_series_save(series, blob);
    oc_series *loaded = NULL;

    assert(len <= sizeof(blob));
    oc_series_free(series);
    (void)oc_series_load(pool, blob, len, &loaded);
    assert(loaded != NULL);
    assert(oc_series_save(loaded, again) == len && memcmp(blob, again, len) == 0);
    return loaded;
}

static void feed_some(oc_series *series)
{
    for (int i = 0; i < 100; i++)
        oc_series_feed(series, oc_series_last_ms(series) + (i % 10 ? 1000 : -500), i * 4096.0);
}

/* ---- blobs ---- */

static uint32_t checksum(const uint8_t *bytes, size_t len_bytes)
{
    uint32_t sum = UINT32_C(2166136261);

    for (size_t i = 0; i < len_bytes; i++)
        sum = (sum ^ bytes[i]) * UINT32_C(16777619);
    return sum;
}

static void put(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void load_and_go_on(oc_forecast_pool *pool, const uint8_t *blob, size_t len)
{
    oc_series *series = NULL;

    if (oc_series_load(pool, blob, len, &series) != OC_OK)
        return;
    look(series);
    feed_some(series);
    look(series);
    (void)through_a_blob(pool, series);
}

/* Magic, version, flags, length, checksum: all but the flags as in a blob that this build writes. */
static void load_mended(oc_forecast_pool *pool, const uint8_t *data, size_t size)
{
    static uint8_t blob[OC_SERIES_BLOB_BYTES];
    const size_t len = size < sizeof(blob) ? size : sizeof(blob);
    oc_series *series = NULL;

    if (len < HEADER_BYTES ||
        oc_series_new(pool, &(struct oc_series_options){ 0 }, &series) != OC_OK)
        return;
    (void)oc_series_save(series, blob);
    oc_series_free(series);
    memcpy(blob + HEADER_BYTES, data + HEADER_BYTES, len - HEADER_BYTES);
    blob[FLAGS_AT] = data[FLAGS_AT] & 1;
    put(blob + LENGTH_AT, (uint32_t)len);
    put(blob + CHECKSUM_AT, checksum(blob + HEADER_BYTES, len - HEADER_BYTES));
    load_and_go_on(pool, blob, len);
}

/* ---- feeding ---- */

static double number(const uint8_t *at)
{
    double value = 0;

    memcpy(&value, at, sizeof(value));
    return value;
}

/* A step: what, how long after the last one, and a double of any bits. */
static oc_series *step(oc_forecast_pool *pool, oc_series *series, const uint8_t *at, int64_t *t_ms)
{
    const double value = number(at + 4);
    const uint8_t what = at[0];

    *t_ms = (int64_t)((uint64_t)*t_ms + (uint64_t)(int64_t)(int8_t)at[1] * 1000 + at[2]);
    if (what < 128)
        oc_series_feed(series, *t_ms, (double)(at[3] * 65536 + what));
    else if (what < 180)
        oc_series_feed(series, *t_ms, value);
    else if (what < 200)
        oc_series_feed_range(series, *t_ms, value, number(at), value, at[3]);
    else if (what < 210)
        oc_series_limit(series, what % OC_SERIES_LIMITS, value);
    else if (what < 220)
        oc_series_restart(series, what % 2 ? OC_LIFE_KILLED : OC_LIFE_PLANNED);
    else if (what < 230)
        oc_series_rebase(series, value);
    else if (what < 240)
        memcpy(t_ms, at + 4, sizeof(*t_ms));
    else
        return through_a_blob(pool, series);
    return series;
}

static void feed(oc_forecast_pool *pool, const uint8_t *data, size_t size)
{
    const struct oc_series_options options = { .metric = 1,
                                               .falls = size > 0 && data[0] % 3 == 0,
                                               .is_heap = size > 0 && data[0] % 5 == 0 };
    oc_series *series = NULL;
    int64_t t_ms = 0;

    if (oc_series_new(pool, &options, &series) != OC_OK)
        return;
    oc_series_limit(series, 0, 20e6);
    for (; size >= STEP_BYTES; data += STEP_BYTES, size -= STEP_BYTES) {
        series = step(pool, series, data, &t_ms);
        look(series);
    }
    (void)through_a_blob(pool, series);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oc_forecast_pool *pool = oc_forecast_pool_new(POOL_BYTES, NULL);
    struct oc_prior prior;

    if (pool && size > 0) {
        if (data[0] % 3 == 0)
            load_and_go_on(pool, data + 1, size - 1);
        else if (data[0] % 3 == 1)
            load_mended(pool, data + 1, size - 1);
        else
            feed(pool, data + 1, size - 1);
        (void)oc_prior_load(data + 1, size - 1, &prior);
    }
    oc_forecast_pool_free(pool);
    return 0;
}
