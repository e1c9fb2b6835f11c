/* Who makes a cgroup grow: the share of each process in it. */
#ifndef OC_CLI_MODEL_SHARES_H
#define OC_CLI_MODEL_SHARES_H

#include "cli/model/outlook.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_SHARES_MAX 4096

struct oc_share {
    const struct oc_outlook_source *source; /* borrowed from the outlook */
    int64_t change_bytes; /* private memory; of one that began since: all it has */
    double share;         /* of the cgroup's growth */
};

struct oc_shares {
    struct oc_share *items; /* owned; the greatest first */
    size_t count, capacity;
    int64_t since_unix_ms;
    int64_t change_bytes; /* of the cgroup */
    double
        rest; /* share that is no watched process's: cache, shared memory, others; < 0: several count the same twice */
};

/*
 * What the processes of the outlook that run in a cgroup gained since a time, and the cgroup itself by a metric. Fills
 * *shares (zeroed). OC_E_NOENT: it did not grow, or is not known. Cost: a question for each process in it.
 */
int oc_shares_load(struct oc_shares *shares, oc_reader *reader, const struct oc_outlook *outlook,
                   const struct oc_outlook_source *cgroup, unsigned metric, int64_t since_unix_ms);
void oc_shares_clear(struct oc_shares *shares);

#endif
