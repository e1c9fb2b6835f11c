/* The evidence of a live process, by looks of our own: for `oomcast explain PID` with no daemon. */
#ifndef OC_CLI_MODEL_EVIDENCE_LIVE_H
#define OC_CLI_MODEL_EVIDENCE_LIVE_H

#include "base/evidence.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>

#define OC_LIVE_WALKS 6 /* points in time of a family's course */

/* Zeroed is empty. */
struct oc_live {
    struct oc_probe_options options;
    unsigned want; /* OC_WALK_… of the walks */
    oc_probe *probe;
    oc_proc *proc;
    oc_cgroup *cgroup; /* NULL: the root, or none that can be read */
    struct oc_census walks[OC_LIVE_WALKS];
    size_t walk_count;
    struct oc_sample sample;      /* the last one */
    struct oc_evidence *evidence; /* borrowed */
};

/*
 * Takes the first look at a process: *evidence (zeroed) then says what one look can say. with_pages: RAM of each usage too, which
 * walks its page tables. 0, OC_E_GONE, OC_E_DENIED, OC_E_NOMEM or another code; *live is to be cleared either way.
 */
int oc_live_begin(struct oc_live *live, const struct oc_probe_options *options, uint32_t pid,
                  int with_pages, struct oc_evidence *evidence);
/* Another look at its figures: some system calls. 0, OC_E_GONE (it ended: what is known stays) or a code. */
int oc_live_look(struct oc_live *live);
/* Another walk, OC_LIVE_WALKS in all: beyond, the last is replaced. As above. */
int oc_live_walk(struct oc_live *live);
/* What the looks say together; families and regions by the first and the last walk. */
void oc_live_end(struct oc_live *live);
void oc_live_clear(struct oc_live *live);

/* What moved between two walks, the families' courses over all: pure, for oc_live_end() and tests. */
void oc_evidence_of_walks(struct oc_evidence *evidence, const struct oc_census *walks,
                          size_t count);

#endif
