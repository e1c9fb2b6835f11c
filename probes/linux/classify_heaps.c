/* Code that is made at run time, and heaps of runtimes. */
#include "probes/linux/classify.h"

#define JVM_LOW_END (32 * OC_LX_GIB) /* heaps with compressed references lie below it */
#define METASPACE_ALIGN (4 * OC_LX_MIB)
#define V8_PAGE_BYTES (256 * OC_LX_KIB)

/* Executable memory, and in a runtime's process what is reserved behind it for more. */
void oc_lx_find_code(struct oc_lx_space *space)
{
    const int has_runtime = space->runtime > OC_LX_PYTHON;
    uint64_t code_end = 0;

    for (size_t i = 0; i < space->count; i++) {
        struct oc_lx_mapping *mapping = &space->mappings[i];

        if (mapping->usage != OC_LX_UNTOLD)
            continue;
        if (mapping->protect & OC_PROTECT_EXECUTE) {
            oc_lx_tell(mapping, OC_USAGE_JIT, has_runtime ? OC_LX_LABEL_CODE : OC_LX_LABEL_NONE);
        } else if (!has_runtime || !oc_lx_is_none(mapping) || mapping->start != code_end) {
            continue;
        } else {
            oc_lx_tell(mapping, OC_USAGE_JIT, OC_LX_LABEL_CODE);
        }
        code_end = mapping->end;
    }
}

/* A run of anonymous mappings without a gap that nothing explained yet: [from, to). */
struct group {
    size_t from, to;
    uint64_t start, end;
    uint64_t none_bytes;
};

static struct group group_at(const struct oc_lx_space *space, size_t from)
{
    const struct oc_lx_mapping *mappings = space->mappings;
    struct group group = { from, from, mappings[from].start, mappings[from].start, 0 };

    while (group.to < space->count && mappings[group.to].usage == OC_LX_UNTOLD &&
           mappings[group.to].start == group.end) {
        if (oc_lx_is_none(&mappings[group.to]))
            group.none_bytes += oc_lx_bytes_of(&mappings[group.to]);
        group.end = mappings[group.to].end;
        group.to++;
    }
    return group;
}

static void tell_group(struct oc_lx_space *space, const struct group *group, enum oc_usage usage,
                       enum oc_lx_label label)
{
    for (size_t i = group->from; i < group->to; i++)
        oc_lx_tell(&space->mappings[i], usage, label);
}

/* Class data that comes with the JVM, mapped right below the space for more of it. */
static int follows_class_archive(const struct oc_lx_space *space, const struct group *group)
{
    const struct oc_lx_mapping *below = group->from ? &space->mappings[group->from - 1] : NULL;
    const char *name = below ? oc_lx_mapping_name(space, below) : "";
    const size_t bytes = strlen(name);

    return below && below->end == group->start && bytes > 4 &&
           strcmp(name + bytes - 4, ".jsa") == 0;
}

/* A node of metaspace (JDK 16 on): some multiple of its 4 MiB chunks, the end of it reserved. */
static int is_metaspace_node(const struct oc_lx_space *space, const struct group *group)
{
    const uint64_t bytes = group->end - group->start;

    return group->start % METASPACE_ALIGN == 0 && group->end % METASPACE_ALIGN == 0 &&
           (bytes == 8 * OC_LX_MIB || bytes == 64 * OC_LX_MIB) && group->none_bytes > 0 &&
           oc_lx_is_writable(&space->mappings[group->from]) &&
           oc_lx_is_none(&space->mappings[group->to - 1]);
}

static void tell_jvm_group(struct oc_lx_space *space, const struct group *group)
{
    const uint64_t bytes = group->end - group->start;

    if (group->start < JVM_LOW_END)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_JVM_HEAP);
    else if (follows_class_archive(space, group) || is_metaspace_node(space, group) ||
             bytes == OC_LX_GIB) /* the space for compressed class pointers */
        tell_group(space, group, OC_USAGE_LOADER_HEAP, OC_LX_LABEL_METASPACE);
    else if (group->none_bytes >= OC_LX_GIB)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_JVM_HEAP);
}

/* V8 takes its pages at multiples of their size. Large objects too, whatever their size: an estimate. */
static void tell_v8_pages(struct oc_lx_space *space, const struct group *group)
{
    for (size_t i = group->from; i < group->to; i++) {
        struct oc_lx_mapping *mapping = &space->mappings[i];

        if (oc_lx_is_writable(mapping) && mapping->start % V8_PAGE_BYTES == 0)
            oc_lx_tell(mapping, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_V8_HEAP);
    }
}

static void tell_of_runtime(struct oc_lx_space *space, const struct group *group)
{
    if (oc_lx_is_go_heap(space, group->start))
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_GO_HEAP);
    else if (space->runtime == OC_LX_JVM)
        tell_jvm_group(space, group);
    else if (group->none_bytes >= OC_LX_GIB && space->runtime != OC_LX_GO)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_GC_HEAP);
    else if (space->runtime == OC_LX_NODE)
        tell_v8_pages(space, group);
}

void oc_lx_find_heaps(struct oc_lx_space *space)
{
    if (space->runtime <= OC_LX_PYTHON)
        return;
    for (size_t i = 0; i < space->count;) {
        const struct group group = group_at(space, i);

        if (group.to == i) {
            i++;
            continue;
        }
        tell_of_runtime(space, &group);
        i = group.to;
    }
}
