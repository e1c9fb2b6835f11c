/* The store's own samples, replayed: the lives of subjects one after the other, as the daemon met them. */
#ifndef OC_CLI_MODEL_REPLAY_STORE_H
#define OC_CLI_MODEL_REPLAY_STORE_H

#include "cli/model/replay.h"
#include "storage/reader.h"

#define OC_REPLAY_MAX_LIVES ((size_t)200000)

struct oc_replay_query {
    const char
        *word; /* a subject, a glob of subjects or a PID; NULL: all. Its cgroups come with it */
    int64_t since_unix_ms, until_unix_ms;
    unsigned metric; /* number: only this one; 0: all that have limits */
    double limit;    /* in place of the limits that were in force; NAN: those */
    /* Some samples are done, of so many lives. May be NULL. */
    void (*progress)(uint64_t samples, size_t lives_done, size_t lives, void *context);
    void *context;
};

/*
 * Replays all. Raw samples where they are kept, else what the upper tiers have. What earlier lives
 * taught is known to a life that began after their end, not before. Returns 0, OC_E_NOENT (no such
 * subject in that time), OC_E_TOOBIG, OC_E_NOMEM or a reader's code; *detail says it.
 */
int oc_replay_of_store(struct oc_replay *replay, oc_reader *reader,
                       const struct oc_replay_query *query, struct oc_detail *detail);

#endif
