#include "daemon/forecast_prior.h"

#include "base/alloc.h"

#include <string.h>

#define BUCKETS 4096 /* 32 KiB, taken with the first entry */

static size_t bucket_of(const struct oc_priors *priors, enum oc_memory_kind kind, const char *name,
                        unsigned metric)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    hash = (hash ^ (uint64_t)kind) * UINT64_C(1099511628211);
    hash = (hash ^ metric) * UINT64_C(1099511628211);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)(hash ^ (hash >> 32)) & (priors->bucket_count - 1);
}

void oc_priors_clear(struct oc_priors *priors)
{
    for (size_t i = 0; i < priors->bucket_count; i++) {
        while (priors->buckets[i]) {
            struct oc_prior_entry *next = priors->buckets[i]->next;

            oc_free(priors->buckets[i]);
            priors->buckets[i] = next;
        }
    }
    oc_free(priors->buckets);
    *priors = (struct oc_priors){ 0 };
}

struct oc_prior_entry *oc_priors_find(const struct oc_priors *priors, enum oc_memory_kind kind,
                                      const char *name, unsigned metric)
{
    struct oc_prior_entry *entry =
        priors->bucket_count ? priors->buckets[bucket_of(priors, kind, name, metric)] : NULL;

    while (entry &&
           (entry->kind != kind || entry->metric != metric || strcmp(entry->name, name) != 0))
        entry = entry->next;
    return entry;
}

/* Full: the next bucket that has one gives it up. Which is as good as chance. */
static void drop_one(struct oc_priors *priors)
{
    for (size_t i = 0; i < priors->bucket_count; i++) {
        struct oc_prior_entry **at = &priors->buckets[priors->hand];
        struct oc_prior_entry *entry = *at;

        priors->hand = (priors->hand + 1) & (priors->bucket_count - 1);
        if (!entry)
            continue;
        *at = entry->next;
        oc_free(entry);
        priors->count--;
        return;
    }
}

struct oc_prior_entry *oc_priors_want(struct oc_priors *priors, enum oc_memory_kind kind,
                                      const char *name, unsigned metric)
{
    struct oc_prior_entry *entry = oc_priors_find(priors, kind, name, metric);
    size_t bytes = strlen(name) + 1;
    struct oc_prior_entry **at = NULL;

    if (entry)
        return entry;
    if (!priors->buckets) {
        priors->buckets = oc_calloc(BUCKETS, sizeof(struct oc_prior_entry *));
        if (!priors->buckets)
            return NULL;
        priors->bucket_count = BUCKETS;
    }
    if (priors->count >= OC_PRIORS_MAX)
        drop_one(priors);
    entry = oc_calloc(1, sizeof(*entry) + bytes);
    if (!entry)
        return NULL;
    entry->kind = (uint8_t)kind;
    entry->metric = metric;
    memcpy(entry->name, name, bytes);
    at = &priors->buckets[bucket_of(priors, kind, name, metric)];
    entry->next = *at;
    *at = entry;
    priors->count++;
    return entry;
}

int oc_priors_load(struct oc_priors *priors, enum oc_memory_kind kind, const char *name,
                   unsigned metric, const void *bytes, size_t len_bytes)
{
    struct oc_prior prior;
    struct oc_prior_entry *entry = NULL;

    if (metric == OC_PRIOR_PROGRAM && len_bytes != sizeof(entry->u.program))
        return OC_E_PARSE;
    if (metric != OC_PRIOR_PROGRAM && oc_prior_load(bytes, len_bytes, &prior) < 0)
        return OC_E_PARSE;
    entry = oc_priors_want(priors, kind, name, metric);
    if (!entry)
        return OC_E_NOMEM;
    if (metric == OC_PRIOR_PROGRAM)
        memcpy(&entry->u.program, bytes, sizeof(entry->u.program));
    else
        entry->u.prior = prior;
    return OC_OK;
}

size_t oc_prior_entry_save(const struct oc_prior_entry *entry,
                           uint8_t out_blob[OC_PRIOR_BLOB_BYTES])
{
    if (entry->metric != OC_PRIOR_PROGRAM)
        return oc_prior_save(&entry->u.prior, out_blob);
    memcpy(out_blob, &entry->u.program, sizeof(entry->u.program));
    return sizeof(entry->u.program);
}
