#include "forecast/series_impl.h"

#include <string.h>

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
