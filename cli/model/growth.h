/* What a subject's memory was made of at two moments, and what changed between them. */
#ifndef OC_CLI_MODEL_GROWTH_H
#define OC_CLI_MODEL_GROWTH_H

#include "base/sample.h"
#include "cli/model/families.h"
#include "cli/model/party.h"
#include "cli/model/regions.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

/* All that is known of a subject at a moment; figures of several processes are summed up. */
struct oc_moment {
    int64_t t_unix_ms;    /* what was asked for, or the first moment there is */
    int64_t walk_unix_ms; /* of the walk that was used, the oldest of several; 0: none */
    int is_first;         /* nothing is known of the time asked for: its beginning stands in */
    size_t walked;        /* processes that have a walk */
    struct oc_party party;
    struct oc_sample sample; /* gauges; known where all processes know them, RSS only of one */
    struct oc_regions regions;
    struct oc_family_rows families;
};

/*
 * What is known of a word's processes at a moment. Where none ran then but one began before
 * by_unix_ms, its first walk stands in (is_first). 0, OC_E_NOENT and others; *detail says it.
 * Cost: a question for each gauge and process.
 */
int oc_moment_load(struct oc_moment *moment, oc_reader *reader, const char *word,
                   int64_t at_unix_ms, int64_t by_unix_ms, struct oc_detail *detail);
/* The same of one process that is known already. */
int oc_moment_of(struct oc_moment *moment, oc_reader *reader, const struct oc_party_member *member,
                 int64_t at_unix_ms);
void oc_moment_clear(struct oc_moment *moment);

enum oc_growth_about {
    OC_GROWTH_METRIC,
    OC_GROWTH_REGION, /* committed bytes of a usage */
    OC_GROWTH_MODULE, /* members of a family, as the next */
    OC_GROWTH_MAPPING,
    OC_GROWTH_THREAD,
    OC_GROWTH_FD,
    OC_GROWTH_ABOUTS
};

struct oc_growth_row {
    uint8_t about; /* enum oc_growth_about */
    uint8_t unit;  /* enum oc_unit, of what follows */
    int64_t before, after;
    double per_hour;
    int64_t with_change; /* of a region its count; of a family its bytes */
    const char *name;    /* borrowed from the moments or the tables */
};

struct oc_growth {
    struct oc_growth_row
        *items; /* owned; what changed: by what it is about, the most grown first */
    size_t count, capacity;
    size_t same;            /* rows that did not change */
    int has_private;        /* the three below are known */
    int64_t private_change; /* private_bytes */
    int64_t
        explained_bytes; /* of it, at most so much by regions of a known use; 0 … private_change */
    int64_t unexplained_bytes; /* the rest */
    size_t common;             /* processes that are of both moments */
};

/* Fills *growth (zeroed). Borrows from both moments. 0 or a code. */
int oc_growth_of(struct oc_growth *growth, const struct oc_moment *before,
                 const struct oc_moment *after);
void oc_growth_clear(struct oc_growth *growth);

const char *oc_growth_about_name(unsigned about); /* "metric", "region", "module" … */

#endif
