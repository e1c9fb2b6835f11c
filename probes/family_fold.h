/* What the files of the folding share. */
#ifndef OC_PROBES_FAMILY_FOLD_H
#define OC_PROBES_FAMILY_FOLD_H

#include "probes/family.h"
#include "probes/family_parts.h"

#define OC_NO_GROUP UINT32_MAX /* of a name that is alone */

struct oc_family_name {
    uint64_t bytes;
    uint32_t at, len;
    uint32_t hash;
    uint32_t count, deleted;
    uint32_t group; /* that it is folded into, or OC_NO_GROUP */
    uint8_t kind;
};

/* Names of one shape. */
struct oc_family_group {
    uint64_t hash;
    uint64_t bytes;
    uint32_t first; /* the least of its names: the same one while members come and go */
    uint32_t distinct, count, deleted;
    uint32_t differs;           /* bit for each span whose text is not the same for all */
    struct oc_name_spans spans; /* generated parts of the one that came first */
    uint32_t spans_of;          /* that name */
    uint16_t min_len[OC_NAME_SPANS_MAX], max_len[OC_NAME_SPANS_MAX];
    uint8_t kind;
};

/* What a kind had beyond the maxima. */
struct oc_family_rest {
    uint64_t bytes;
    uint32_t count, deleted;
};

struct oc_families {
    struct oc_family_name *names;
    size_t name_count, name_capacity;
    uint32_t *slots; /* name's index from 1 */
    size_t slot_count;
    char *text;
    size_t text_bytes, text_capacity;
    size_t kind_names[OC_FAMILY_KINDS];
    struct oc_family_rest rest[OC_FAMILY_KINDS];
    uint8_t has_kind[OC_FAMILY_KINDS];
    struct oc_family_group *groups;
    size_t group_count, group_capacity;
    uint32_t *group_slots;
    size_t group_slot_count;
    int is_truncated;
};

/* Of a kind: rows in a census, and how many different names of a shape are folded; fewer stay apart. */
struct oc_family_bound {
    uint32_t rows, fold_from;
};
extern const struct oc_family_bound oc_family_bounds[OC_FAMILY_KINDS];

static inline const char *oc_family_name_text(const oc_families *families, uint32_t name)
{
    return families->text + families->names[name].at;
}
/* Whether a name comes before another one. */
int oc_family_is_less(const oc_families *families, uint32_t a, uint32_t b);
static inline int oc_family_is_folded(const struct oc_family_group *group)
{
    return group->distinct >= oc_family_bounds[group->kind].fold_from;
}

/* family_fold.c: puts names into groups. 0 or OC_E_NOMEM. */
int oc_families_fold(oc_families *families);
/* family_rows.c: groups, and names that are alone, into the census. 0, OC_E_NOMEM or OC_E_TOOBIG. */
int oc_families_fill(const oc_families *families, struct oc_census *census);

#endif
