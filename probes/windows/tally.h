/* Sums of a walk over regions: by usage, type and state; free space; modules and families. Pure. */
#ifndef OC_PROBES_WINDOWS_TALLY_H
#define OC_PROBES_WINDOWS_TALLY_H

#include "probes/family.h"
#include "probes/probe.h"
#include "probes/windows/space.h"

struct oc_win_tally {
    oc_region_fn *on_region; /* NULL: no list */
    void *context;
    oc_families *families;    /* NULL: none */
    struct oc_census *census; /* modules are added to it; NULL: none */
    struct oc_region_total totals[OC_USAGE_COUNT][OC_REGION_TYPES][OC_REGION_STATES];
    uint64_t end;     /* of what was seen */
    uint64_t regions; /* that are in use */
    uint64_t bytes;   /* of them */
    uint64_t reserved_bytes, commit_bytes;
    uint64_t largest_free_bytes, largest_free_start;
    uint64_t unusable_bytes;
    uint64_t module_count, section_count;
    uint64_t section_bytes;    /* of address space that they take, with what is lost behind each */
    uint64_t gc_largest_bytes; /* the largest allocation of the GC heap */
    size_t module_capacity;
    size_t mark_at;
};

void oc_win_tally_init(struct oc_win_tally *tally);
/* Takes in what oc_win_classify() told, and calls back. 0, OC_E_NOMEM; OC_E_TOOBIG: lists are cut, counts hold. */
int oc_win_tally_add(struct oc_win_tally *tally, const struct oc_win_space *space);
/* The free space above; the family of sections; totals into the census. 0 or OC_E_NOMEM. */
int oc_win_tally_finish(struct oc_win_tally *tally, const struct oc_win_space *space,
                        struct oc_census *census);

/* What an allocation takes of the address space: up to the next place where one may begin. */
static inline uint64_t oc_win_slot_bytes(uint64_t bytes)
{
    return (bytes + OC_WIN_GRANULE_BYTES - 1) & ~(OC_WIN_GRANULE_BYTES - 1);
}

#endif
