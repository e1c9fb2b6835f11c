/* What a mapping's name or file says of it. */
#include "probes/linux/classify.h"

#include "base/alloc.h"

#define Z_GRANULE_BYTES (2 * OC_LX_MIB)
#define Z_GRANULES (UINT64_C(1) << 19) /* 1 TiB of heap; beyond, views are not told apart */

static const struct {
    const char *name; /* what "[anon:" is followed by, blanks left out */
    uint8_t usage;    /* enum oc_usage */
} words[] = {
    { "glibc: pthread", OC_USAGE_STACK }, { "glibc: malloc", OC_USAGE_HEAP },
    { "glibc: ", OC_USAGE_HEAP },         { "jemalloc", OC_USAGE_HEAP },
    { "tcmalloc", OC_USAGE_HEAP },        { "scudo:", OC_USAGE_HEAP },
    { "mimalloc", OC_USAGE_HEAP },        { "partition_alloc", OC_USAGE_HEAP },
    { "libc_malloc", OC_USAGE_HEAP },     { "Go: ", OC_USAGE_MANAGED_HEAP },
    { "v8", OC_USAGE_MANAGED_HEAP },      { "dalvik", OC_USAGE_MANAGED_HEAP },
    { "stack_and_tls", OC_USAGE_STACK },  { ".bss", OC_USAGE_IMAGE },
};

static void tell_named(const struct oc_lx_space *space, struct oc_lx_mapping *mapping)
{
    const char *name = oc_lx_mapping_name(space, mapping) + sizeof "[anon:" - 1;

    while (*name == ' ')
        name++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (oc_lx_starts_with(name, words[i].name)) {
            mapping->usage = words[i].usage;
            return;
        }
    }
    mapping->usage = mapping->protect & OC_PROTECT_EXECUTE ? OC_USAGE_JIT : OC_USAGE_PRIVATE;
}

/* ZGC maps its memory up to three times: true for what was seen under a lower address. */
static int is_second_view(struct oc_lx_space *space, const struct oc_lx_mapping *mapping)
{
    const uint64_t first = mapping->offset / Z_GRANULE_BYTES;
    const uint64_t last = (mapping->offset + oc_lx_bytes_of(mapping) - 1) / Z_GRANULE_BYTES;
    int seen = 0;

    if (!space->granules)
        space->granules = oc_calloc(Z_GRANULES / 8, 1);
    if (!space->granules || last >= Z_GRANULES || last < first)
        return 0;
    seen = space->granules[first / 8] >> first % 8 & 1;
    for (uint64_t i = first; i <= last; i++)
        space->granules[i / 8] |= (uint8_t)(1u << i % 8);
    return seen;
}

static void tell_memfd(struct oc_lx_space *space, struct oc_lx_mapping *mapping)
{
    const char *name = oc_lx_mapping_name(space, mapping) + sizeof "/memfd:" - 1;
    const int runs = mapping->protect & OC_PROTECT_EXECUTE;

    if (strcmp(name, "doublemapper") == 0) {
        oc_lx_tell(mapping, runs ? OC_USAGE_JIT : OC_USAGE_LOADER_HEAP, OC_LX_LABEL_NONE);
    } else if (strcmp(name, "java_heap") == 0) {
        oc_lx_tell(mapping, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_NONE);
        if (is_second_view(space, mapping))
            mapping->state = OC_REGION_RESERVE;
    } else if (mapping->protect & OC_PROTECT_SHARED) {
        oc_lx_tell(mapping, runs ? OC_USAGE_JIT : OC_USAGE_SHARED, OC_LX_LABEL_NONE);
    } else if (mapping->file && space->files[mapping->file - 1].flags & OC_LX_MAPPED_CODE) {
        oc_lx_tell(mapping, OC_USAGE_IMAGE, OC_LX_LABEL_NONE); /* a library that was never a file */
    } else {
        oc_lx_tell(mapping, OC_USAGE_SHARED, OC_LX_LABEL_NONE);
    }
}

/* Whether its file lies in memory, of which it is a part then. */
static int is_tmpfs(const struct oc_lx_space *space, const struct oc_lx_mapped *file)
{
    size_t i = 0;

    if (!file || file->major != 0)
        return 0;
    while (i < space->tmpfs_count && space->tmpfs[i] != file->minor)
        i++;
    return i < space->tmpfs_count;
}

static void tell_file(struct oc_lx_space *space, struct oc_lx_mapping *mapping)
{
    struct oc_lx_mapped *file = mapping->file ? &space->files[mapping->file - 1] : NULL;
    const int runs =
        (file && file->flags & OC_LX_MAPPED_CODE) || mapping->protect & OC_PROTECT_EXECUTE;

    if (runs && (mapping->backing == OC_LX_FILE || !(mapping->protect & OC_PROTECT_SHARED)))
        mapping->usage = OC_USAGE_IMAGE;
    else if (mapping->backing == OC_LX_SHM || mapping->backing == OC_LX_OTHER_NODE ||
             is_tmpfs(space, file))
        mapping->usage =
            runs && mapping->protect & OC_PROTECT_EXECUTE ? OC_USAGE_JIT : OC_USAGE_SHARED;
    else
        mapping->usage = OC_USAGE_MAPPED_FILE;
}

/* What the name decides; the state is that of the protection until something says more. */
void oc_lx_tell_by_name(struct oc_lx_space *space, struct oc_lx_mapping *mapping)
{
    mapping->usage = OC_LX_UNTOLD;
    mapping->state = oc_lx_is_none(mapping) ? OC_REGION_RESERVE : OC_REGION_COMMIT;
    switch (mapping->backing) {
    case OC_LX_STACK:
        oc_lx_tell(mapping, OC_USAGE_STACK, OC_LX_LABEL_NONE);
        break;
    case OC_LX_BRK:
        oc_lx_tell(mapping, OC_USAGE_HEAP, OC_LX_LABEL_NONE);
        break;
    case OC_LX_KERNEL:
    case OC_LX_VSYSCALL:
        oc_lx_tell(mapping, OC_USAGE_KERNEL, OC_LX_LABEL_NONE);
        break;
    case OC_LX_NAMED:
        tell_named(space, mapping);
        break;
    case OC_LX_MEMFD:
        tell_memfd(space, mapping);
        break;
    case OC_LX_ANON:
        break;
    default:
        tell_file(space, mapping);
        break;
    }
    if (mapping->usage == OC_USAGE_IMAGE && mapping->file)
        space->files[mapping->file - 1].flags |= OC_LX_MAPPED_IMAGE;
}
