/*
 * What earlier lives taught, by subject and by program: a table of bounded size, which the store
 * keeps. The program that a subject last ran stands there too, to tell a changed one.
 */
#ifndef OC_DAEMON_FORECAST_PRIOR_H
#define OC_DAEMON_FORECAST_PRIOR_H

#include "forecast/forecast.h"
#include "storage/store.h"

#include <stddef.h>
#include <stdint.h>

#define OC_PRIORS_MAX 16384
struct oc_prior_entry {
    struct oc_prior_entry *next; /* in its bucket */
    union {
        struct oc_prior prior;
        struct oc_prior_program program; /* of OC_PRIOR_PROGRAM */
    } u;
    uint32_t metric;
    uint8_t kind;  /* enum oc_memory_kind: SUBJECT, IMAGE */
    uint8_t dirty; /* the store has another, or none */
    char name[];
};

struct oc_priors {
    struct oc_prior_entry **buckets; /* a power of 2 of them; NULL: none yet */
    size_t bucket_count, count;
    size_t hand; /* the bucket that gives room next */
};

void oc_priors_clear(struct oc_priors *priors);

/* NULL where nothing was learnt. */
struct oc_prior_entry *oc_priors_find(const struct oc_priors *priors, enum oc_memory_kind kind,
                                      const char *name, unsigned metric);

/* Made zeroed where it is missing; where the table is full another goes. NULL: no memory. */
struct oc_prior_entry *oc_priors_want(struct oc_priors *priors, enum oc_memory_kind kind,
                                      const char *name, unsigned metric);

/* As it was stored: 0, OC_E_PARSE or OC_E_NOMEM. */
int oc_priors_load(struct oc_priors *priors, enum oc_memory_kind kind, const char *name,
                   unsigned metric, const void *bytes, size_t len_bytes);
/* As it is stored: the length. */
size_t oc_prior_entry_save(const struct oc_prior_entry *entry,
                           uint8_t out_blob[OC_PRIOR_BLOB_BYTES]);

#endif
