/* Sums of a walk over what is mapped: by usage, type and state, and free space. Pure. */
#ifndef OC_PROBES_LINUX_TALLY_H
#define OC_PROBES_LINUX_TALLY_H

#include "probes/family.h"
#include "probes/linux/space.h"
#include "probes/probe.h"

struct oc_lx_tally {
    oc_region_fn *on_region; /* NULL: no list */
    void *context;
    oc_families *families; /* of memory with a name; NULL: none */
    int has_resident;
    struct oc_region_total totals[OC_USAGE_COUNT][OC_REGION_TYPES][OC_REGION_STATES];
    uint64_t end;     /* of what was seen */
    uint64_t regions; /* [vsyscall] is none: the kernel's page is in no process's VmSize */
    uint64_t bytes;
    uint64_t largest_free_bytes, largest_free_start;
    uint64_t reserved_bytes, main_stack_bytes, brk_bytes;
    uint64_t code_mappings; /* executable mappings of files */
    uint32_t arena_count;
    uint32_t label_counts[OC_LX_LABELS];
    uint64_t label_bytes[OC_LX_LABELS];
};

void oc_lx_tally_init(struct oc_lx_tally *tally);
/* Takes in what oc_lx_classify() told, and calls back. 0 or OC_E_NOMEM. */
int oc_lx_tally_add(struct oc_lx_tally *tally, const struct oc_lx_space *space);
/* The free space above; families of memory that only its shape names; totals into the census. 0 or OC_E_NOMEM. */
int oc_lx_tally_finish(struct oc_lx_tally *tally, const struct oc_lx_space *space,
                       struct oc_census *census);

#endif
