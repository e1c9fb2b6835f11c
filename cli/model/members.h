/*
 * A process and all that it starts, looked at as one: `oomcast watch -- make` is about the
 * compilers too. Children are found by scans, so one that lives shorter than a tick is missed.
 */
#ifndef OC_CLI_MODEL_MEMBERS_H
#define OC_CLI_MODEL_MEMBERS_H

#include "base/sample.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>

#define OC_MEMBERS_MAX 4096

struct oc_member {
    oc_proc *proc;
    uint32_t pid;
    struct oc_sample last; /* stands where it has not run since; known 0: never read */
};

struct oc_members {
    oc_probe *probe;         /* borrowed */
    struct oc_member *items; /* owned; the first is the root as long as it lives */
    size_t count, capacity;
    uint32_t *found; /* pids that a scan called new */
    size_t found_count, found_capacity;
    struct oc_sample ended; /* counters of members that ended: they were used all the same */
    size_t most;            /* members at once, at most so far */
    uint64_t seen;          /* members in all, the root with them */
    int err;
};

/* take_root becomes the first member and is detached by clear or at its end. 0 or OC_E_NOMEM (then it is still yours). */
int oc_members_init(struct oc_members *members, oc_probe *probe, oc_proc *take_root);
void oc_members_clear(struct oc_members *members);

/* Looks for children of members. 0 or a code. Cost: a scan, ≤ 1 µs a process of the machine. */
int oc_members_find(struct oc_members *members);

/*
 * Reads all and adds them up. A gauge is known where all that live know it. Resident memory counts
 * pages that members share once for each; private memory does not. Returns 0, OC_E_GONE (none is
 * left) or a code.
 */
int oc_members_read(struct oc_members *members, struct oc_sample *out_sample);

#endif
