/* What the files of the classifier share: each tells of the mappings that none before it did. */
#ifndef OC_PROBES_LINUX_CLASSIFY_H
#define OC_PROBES_LINUX_CLASSIFY_H

#include "probes/linux/space.h"

#include <string.h>

#define OC_LX_KIB UINT64_C(1024)
#define OC_LX_MIB (OC_LX_KIB * 1024)
#define OC_LX_GIB (OC_LX_MIB * 1024)

#define OC_LX_UNTOLD 0xffu /* in `usage`, until a test fits */

#define OC_LX_GO_HEAP_START UINT64_C(0xc000000000)
#define OC_LX_GO_HEAP_BYTES (1024 * OC_LX_GIB) /* where the next hint of its allocator begins */

/* Anonymous, without a name, of this process alone. */
static inline int oc_lx_is_anon(const struct oc_lx_mapping *mapping)
{
    return mapping->backing == OC_LX_ANON && !(mapping->protect & OC_PROTECT_SHARED);
}

static inline int oc_lx_is_none(const struct oc_lx_mapping *mapping)
{
    return !(mapping->protect & (OC_PROTECT_READ | OC_PROTECT_WRITE | OC_PROTECT_EXECUTE));
}

static inline int oc_lx_is_writable(const struct oc_lx_mapping *mapping)
{
    return (mapping->protect & (OC_PROTECT_WRITE | OC_PROTECT_EXECUTE)) == OC_PROTECT_WRITE;
}

static inline uint64_t oc_lx_bytes_of(const struct oc_lx_mapping *mapping)
{
    return mapping->end - mapping->start;
}

static inline void oc_lx_tell(struct oc_lx_mapping *mapping, enum oc_usage usage,
                              enum oc_lx_label label)
{
    mapping->usage = (uint8_t)usage;
    mapping->label = (uint8_t)label;
}

static inline int oc_lx_is_go_heap(const struct oc_lx_space *space, uint64_t start)
{
    return space->runtime == OC_LX_GO && start >= OC_LX_GO_HEAP_START &&
           start < OC_LX_GO_HEAP_START + OC_LX_GO_HEAP_BYTES;
}

static inline int oc_lx_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* classify_names.c: what its name decides; sets the state by the protection. */
void oc_lx_tell_by_name(struct oc_lx_space *space, struct oc_lx_mapping *mapping);

/* classify_shapes.c: stacks by stack pointers, then by their guards; malloc arenas. */
void oc_lx_find_stacks(struct oc_lx_space *space);
void oc_lx_find_stack_shapes(struct oc_lx_space *space);
void oc_lx_find_arenas(struct oc_lx_space *space);

/* classify_heaps.c: code, and heaps of runtimes. */
void oc_lx_find_code(struct oc_lx_space *space);
void oc_lx_find_heaps(struct oc_lx_space *space);

#endif
