/*
 * The subjects of the processes that are watched now: who belongs to one, and the source that has
 * their sums (docs/daemon.md). One entry a name, as long as a process of it is watched.
 */
#ifndef OC_DAEMON_SUBJECT_H
#define OC_DAEMON_SUBJECT_H

#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

struct oc_source;

#define OC_SUBJECT_COUNTERS 3 /* of those that are summed: faults, CPU time */

struct oc_subject {
    struct oc_subject *next;   /* in its bucket */
    struct oc_source *members; /* processes, by next_member */
    struct oc_source *sum;     /* the group's source; NULL: none */
    uint32_t member_count;
    uint32_t changes;          /* of who belongs to it: what its sum counts */
    uint8_t has_labels;                /* the store was told them */
    uint8_t past_unknown;              /* bits by counter: one that ended did not know it */
    int64_t past[OC_SUBJECT_COUNTERS]; /* counters of those that ended: a sum never falls */
    char name[];
};

struct oc_subjects {
    struct oc_subject **buckets; /* a power of 2 of them */
    size_t bucket_count, count;
};

void oc_subjects_clear(struct oc_subjects *subjects);

/* NULL where no process of that name is watched. */
struct oc_subject *oc_subjects_find(const struct oc_subjects *subjects, const char *name);

/* Puts a process under its subject, which is made where it is missing. 0 or OC_E_NOMEM. */
int oc_subjects_join(struct oc_subjects *subjects, struct oc_source *process, const char *name);

/* What it counted stays in the sum though it leaves. */
void oc_subjects_keep_counters(const struct oc_source *process);

/* Takes it out; with the last one the subject goes. Its sum's source, if it has one, was ended before. */
void oc_subjects_leave(struct oc_subjects *subjects, struct oc_source *process);

/*
 * The sums over all members by their last figures: known where all of them know it, and
 * process_count. Returns 0, or OC_READ_SAME where no member has a sample yet. Pure but for their
 * lists; no allocation.
 */
int oc_subject_sum(const struct oc_subject *subject, struct oc_sample *out_sample);

#endif
