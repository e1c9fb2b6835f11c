#include "forecast/forecast.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

/* For now: the last value and its limits; states other than learning and exhausted follow. */
struct oc_series {
    struct oc_series *next;
    oc_forecast_pool *pool;
    struct oc_series_options options;
    int64_t last_ms;
    double last;
    uint64_t samples;
    double limits[OC_SERIES_LIMITS];
};

struct oc_forecast_pool {
    struct oc_series *list;
    struct oc_forecast_settings settings;
    struct oc_forecast_pool_stats stats;
};

void oc_forecast_settings_init(struct oc_forecast_settings *out_settings)
{
    *out_settings = (struct oc_forecast_settings){ .gate = 0.4, .alert = 2.5, .sure = -1.0 };
}

oc_forecast_pool *oc_forecast_pool_new(size_t max_bytes,
                                       const struct oc_forecast_settings *settings)
{
    oc_forecast_pool *pool = oc_calloc(1, sizeof(*pool));

    if (!pool)
        return NULL;
    pool->stats.max_bytes = max_bytes;
    if (settings)
        pool->settings = *settings;
    else
        oc_forecast_settings_init(&pool->settings);
    return pool;
}

void oc_forecast_pool_free(oc_forecast_pool *pool)
{
    if (!pool)
        return;
    while (pool->list)
        oc_series_free(pool->list);
    oc_free(pool);
}

void oc_forecast_pool_stats(const oc_forecast_pool *pool, struct oc_forecast_pool_stats *out_stats)
{
    *out_stats = pool->stats;
}

int oc_series_new(oc_forecast_pool *pool, const struct oc_series_options *options,
                  oc_series **out_series)
{
    oc_series *series;

    if (pool->stats.used_bytes + OC_SERIES_SMALL_BYTES > pool->stats.max_bytes) {
        pool->stats.refused++;
        return OC_E_TOOBIG;
    }
    series = oc_calloc(1, sizeof(*series));
    if (!series)
        return OC_E_NOMEM;
    series->pool = pool;
    series->options = *options;
    for (unsigned i = 0; i < OC_SERIES_LIMITS; i++)
        series->limits[i] = (double)NAN;
    series->next = pool->list;
    pool->list = series;
    pool->stats.used_bytes += OC_SERIES_SMALL_BYTES;
    pool->stats.series++;
    *out_series = series;
    return OC_OK;
}

void oc_series_free(oc_series *series)
{
    struct oc_series **at;

    if (!series)
        return;
    at = &series->pool->list;
    while (*at != series)
        at = &(*at)->next;
    *at = series->next;
    series->pool->stats.used_bytes -= OC_SERIES_SMALL_BYTES;
    series->pool->stats.series--;
    oc_free(series);
}

void oc_series_feed(oc_series *series, int64_t t_ms, double value)
{
    if (!isfinite(value))
        return;
    series->last_ms = t_ms;
    series->last = value;
    series->samples++;
}

void oc_series_feed_range(oc_series *series, int64_t t_ms, double low, double high, double last,
                          uint32_t count)
{
    (void)low;
    (void)high;
    (void)count;
    oc_series_feed(series, t_ms, last);
}

void oc_series_restart(oc_series *series, enum oc_life_over over)
{
    (void)over;
    series->samples = 0;
}

void oc_series_rebase(oc_series *series, double delta) { series->last += delta; }

void oc_series_limit(oc_series *series, unsigned slot, double limit)
{
    series->limits[slot] = limit;
}

void oc_series_companion(oc_series *series, const oc_series *companion)
{
    (void)series;
    (void)companion;
}

void oc_series_set_prior(oc_series *series, const struct oc_prior *prior)
{
    (void)series;
    (void)prior;
}

void oc_series_teach(const oc_series *series, enum oc_life_over over, struct oc_prior *inout_prior)
{
    (void)series;
    (void)over;
    (void)inout_prior;
}

void oc_prior_discount(struct oc_prior *prior)
{
    prior->lives *= 0.25F;
    prior->leaks *= 0.25F;
}

enum oc_forecast_state oc_series_state(const oc_series *series, unsigned slot)
{
    double limit = slot < OC_SERIES_LIMITS ? series->limits[slot] : (double)NAN;

    if (series->samples && (series->options.falls ? series->last <= limit : series->last >= limit))
        return OC_FORECAST_EXHAUSTED;
    return OC_FORECAST_LEARNING;
}

void oc_series_forecast(const oc_series *series, unsigned slot, struct oc_forecast *out_forecast)
{
    *out_forecast = (struct oc_forecast){
        .state = (uint8_t)oc_series_state(series, slot),
        .metric = series->options.metric,
        .t_ms = series->last_ms,
        .since_ms = series->last_ms,
        .samples = series->samples,
        .value = series->last,
        .limit = slot < OC_SERIES_LIMITS ? series->limits[slot] : (double)NAN,
        .growth_per_h = (double)NAN,
        .growth_error_per_h = (double)NAN,
        .chance = (double)NAN,
        .p10_s = (double)NAN,
        .p50_s = (double)NAN,
        .p90_s = (double)NAN,
        .saved_life_s = (double)NAN,
    };
}

int oc_series_is_calm(const oc_series *series)
{
    (void)series;
    return 0;
}

size_t oc_series_blocks(const oc_series *series, struct oc_series_block *out_blocks, size_t max)
{
    (void)series;
    (void)out_blocks;
    (void)max;
    return 0;
}

size_t oc_series_save(const oc_series *series, uint8_t out_blob[OC_SERIES_BLOB_BYTES])
{
    (void)series;
    (void)out_blob;
    return 0;
}

int oc_series_load(oc_forecast_pool *pool, const void *blob, size_t len_bytes,
                   oc_series **out_series)
{
    (void)pool;
    (void)blob;
    (void)len_bytes;
    (void)out_series;
    return OC_E_NEWER;
}

int64_t oc_series_last_ms(const oc_series *series) { return series->last_ms; }

size_t oc_prior_save(const struct oc_prior *prior, uint8_t out_blob[OC_PRIOR_BLOB_BYTES])
{
    memset(out_blob, 0, OC_PRIOR_BLOB_BYTES);
    memcpy(out_blob, prior, sizeof(*prior));
    return OC_PRIOR_BLOB_BYTES;
}

int oc_prior_load(const void *blob, size_t len_bytes, struct oc_prior *out_prior)
{
    if (len_bytes != OC_PRIOR_BLOB_BYTES)
        return OC_E_PARSE;
    memcpy(out_prior, blob, sizeof(*out_prior));
    return OC_OK;
}
