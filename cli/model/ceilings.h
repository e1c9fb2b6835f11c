/*
 * Limits as a person asks for them: those that a process, or the processes of a subject, can meet,
 * with their use now, the nearest first.
 */
#ifndef OC_CLI_MODEL_CEILINGS_H
#define OC_CLI_MODEL_CEILINGS_H

#include "base/limit.h"
#include "cli/model/party.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_CEILINGS_MAX 4096
#define OC_CEILING_SOURCES_MAX 65536u
#define OC_CEILING_NO_SOURCE UINT32_MAX

struct oc_outlook_row;

struct oc_ceiling {
    struct oc_limit limit;
    int64_t since_unix_ms; /* 0: unknown */
    uint32_t pid;          /* of a process's own limit: the one that is nearest to it */
    uint32_t processes;    /* that have this limit of their own */
    uint32_t source;       /* whose it is; OC_CEILING_NO_SOURCE: not in the store */
    const struct oc_outlook_row *ahead; /* what is forecast of it; NULL: nothing. Borrowed */
};

struct oc_ceilings {
    struct oc_ceiling *items; /* owned */
    size_t count, capacity;
    int is_in_job; /* Windows: a job's limits hold too, and cannot be read */
};
void oc_ceilings_clear(struct oc_ceilings *ceilings);
int oc_ceilings_add(struct oc_ceilings *ceilings, const struct oc_ceiling *ceiling);
/* The nearest first, those without a known use last. */
void oc_ceilings_sort(struct oc_ceilings *ceilings);

/* ---- what the store knows: limits in force, and the newest figures ---- */

struct oc_ceiling_source {
    uint32_t source, pid;
    uint8_t kind; /* enum oc_source_kind */
    char subject[OC_SUBJECT_NAME_BYTES];
    struct oc_ceilings limits; /* own ones, with their use */
};

struct oc_ceiling_store {
    struct oc_ceiling_source *sources; /* owned; by source id */
    size_t count, capacity;
    int64_t newest_unix_ms; /* of the figures */
};

/* All sources that have not ended. 0 or a code. Cost: three questions of the store. */
int oc_ceiling_store_load(struct oc_ceiling_store *store, oc_reader *reader);
/* What only walks know is not in every sample: looks for it further back, for these processes. 0 or a
 * code. Cost: a question for each limit whose use is not known yet. */
int oc_ceiling_store_look_back(struct oc_ceiling_store *store, oc_reader *reader,
                               const struct oc_party_member *members, size_t count);
void oc_ceiling_store_clear(struct oc_ceiling_store *store);

/*
 * What these processes can meet: their own limits (of each kind the nearest), those of all cgroups
 * above them, of their subject, of the host. Adds to *ceilings (zeroed at first). 0 or a code.
 */
int oc_ceilings_of(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                   const struct oc_party_member *members, size_t count);

/* The limits of cgroups and the host that a glob names, where it names no process. How many sources it
 * names so, or a code. */
int oc_ceilings_of_others(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                          const char *word);

/* Since when limits that were read just now are as they are, and whose they are. */
void oc_ceilings_since(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                       uint32_t source);

/* The limit that is nearest of all that the processes of a subject can meet. */
struct oc_nearest {
    const char *subject; /* of the party */
    size_t processes;
    int has_limit;
    struct oc_ceiling ceiling;
};
/* Of each subject of a party, whose items stand by subject; the nearest first. *out_all is yours to
 * oc_free(). 0 or a code. */
int oc_nearest_of_all(const struct oc_ceiling_store *store, const struct oc_party *party,
                      struct oc_nearest **out_all, size_t *out_count);

/* What runs into it: bytes or a count. */
enum oc_unit oc_limit_unit(const struct oc_limit *limit);

#endif
