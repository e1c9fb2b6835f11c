#include "forecast/series_impl.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_SERIES 32
#define SLAB_LARGE 4

struct slab {
    struct slab *next;
    void *items;
};

struct oc_forecast_pool {
    struct oc_forecast_settings settings;
    struct oc_forecast_pool_stats stats;
    struct slab *slabs;
    struct oc_series *free_series;
    struct oc_large *free_large;
};

void oc_forecast_settings_init(struct oc_forecast_settings *out_settings)
{
    *out_settings = (struct oc_forecast_settings){ .gate = 0.28, .alert = 2.15, .sure = 2.1 };
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
    while (pool->slabs) {
        struct slab *slab = pool->slabs;

        pool->slabs = slab->next;
        oc_free(slab->items);
        oc_free(slab);
    }
    oc_free(pool);
}

void oc_forecast_pool_stats(const oc_forecast_pool *pool, struct oc_forecast_pool_stats *out_stats)
{
    *out_stats = pool->stats;
}

const struct oc_forecast_settings *oc_pool_settings(const struct oc_forecast_pool *pool)
{
    return &pool->settings;
}

/* Zeroed memory of a slab, which the pool owns. Returns OC_E_TOOBIG or OC_E_NOMEM. */
static int add_slab(oc_forecast_pool *pool, size_t count, size_t item_bytes, void **out_items)
{
    struct slab *slab = NULL;

    if (pool->stats.used_bytes + count * item_bytes > pool->stats.max_bytes)
        return OC_E_TOOBIG;
    slab = oc_calloc(1, sizeof(*slab));
    if (!slab)
        return OC_E_NOMEM;
    slab->items = oc_calloc(count, item_bytes);
    if (!slab->items) {
        oc_free(slab);
        return OC_E_NOMEM;
    }
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->stats.used_bytes += count * item_bytes;
    *out_items = slab->items;
    return OC_OK;
}

int oc_series_new(oc_forecast_pool *pool, const struct oc_series_options *options,
                  oc_series **out_series)
{
    struct oc_series *series = NULL;

    if (!pool->free_series) {
        void *items = NULL;
        int rc = add_slab(pool, SLAB_SERIES, sizeof(*series), &items);

        if (rc < 0) {
            pool->stats.refused++;
            return rc;
        }
        for (size_t i = SLAB_SERIES; i-- > 0;) {
            ((struct oc_series *)items)[i].next_free = pool->free_series;
            pool->free_series = (struct oc_series *)items + i;
        }
    }
    series = pool->free_series;
    pool->free_series = series->next_free;
    pool->stats.series++;
    oc_series_begin(series, pool, options);
    *out_series = series;
    return OC_OK;
}

void oc_series_free(oc_series *series)
{
    struct oc_forecast_pool *pool = NULL;

    if (!series)
        return;
    pool = series->pool;
    oc_pool_large_free(pool, series->large);
    series->large = NULL;
    series->next_free = pool->free_series;
    pool->free_series = series;
    pool->stats.series--;
}

struct oc_large *oc_pool_large(struct oc_forecast_pool *pool)
{
    struct oc_large *large = NULL;

    if (!pool->free_large) {
        void *items = NULL;

        if (add_slab(pool, SLAB_LARGE, sizeof(*large), &items) < 0) {
            pool->stats.refused++;
            return NULL;
        }
        for (size_t i = SLAB_LARGE; i-- > 0;) {
            ((struct oc_large *)items)[i].next_free = pool->free_large;
            pool->free_large = (struct oc_large *)items + i;
        }
    }
    large = pool->free_large;
    pool->free_large = large->next_free;
    pool->stats.large++;
    memset(large, 0, sizeof(*large));
    return large;
}

void oc_pool_large_free(struct oc_forecast_pool *pool, struct oc_large *large)
{
    if (!large)
        return;
    large->next_free = pool->free_large;
    pool->free_large = large;
    pool->stats.large--;
}
