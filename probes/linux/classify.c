/* What each mapping is for. The first test that fits decides; what none fits stays unexplained. */
#include "probes/linux/classify.h"

/* ---- the runtime ---- */

/* "python3.11" and "libpython3.11.so.1.0", but not "python-apt.so". */
static int is_python(const char *base)
{
    const char *rest = oc_lx_starts_with(base, "lib") ? base + 3 : base;

    return oc_lx_starts_with(rest, "python") &&
           ((rest[6] >= '0' && rest[6] <= '9') || rest[6] == '\0');
}

static enum oc_lx_runtime runtime_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;

    if (strcmp(base, "libcoreclr.so") == 0 || strcmp(base, "memfd:doublemapper") == 0)
        return OC_LX_DOTNET;
    if (strcmp(base, "libjvm.so") == 0)
        return OC_LX_JVM;
    if (strcmp(base, "node") == 0 || strcmp(base, "nodejs") == 0 ||
        oc_lx_starts_with(base, "libnode.so"))
        return OC_LX_NODE;
    return is_python(base) ? OC_LX_PYTHON : OC_LX_NATIVE;
}

static void find_runtime(struct oc_lx_space *space)
{
    for (; space->files_judged < space->file_count; space->files_judged++) {
        const struct oc_lx_mapped *file = &space->files[space->files_judged];
        enum oc_lx_runtime runtime = OC_LX_NATIVE;

        if (file->flags & OC_LX_MAPPED_CODE)
            runtime = runtime_of(oc_lx_space_text(space, file->name));
        if (runtime > space->runtime)
            space->runtime = runtime;
    }
    for (size_t i = 0; i < space->count && space->runtime < OC_LX_GO; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];

        if (mapping->start == OC_LX_GO_HEAP_START &&
            (oc_lx_is_anon(mapping) || mapping->backing == OC_LX_NAMED))
            space->runtime = OC_LX_GO;
    }
}

/* ---- all of it ---- */

static void set_type(struct oc_lx_mapping *mapping)
{
    if (mapping->usage == OC_LX_UNTOLD)
        mapping->usage = OC_USAGE_PRIVATE;
    if (mapping->usage == OC_USAGE_IMAGE)
        mapping->type = OC_REGION_IMAGE;
    else if (oc_lx_is_anon(mapping) || mapping->backing == OC_LX_NAMED ||
             mapping->backing == OC_LX_BRK || mapping->backing == OC_LX_STACK)
        mapping->type = OC_REGION_PRIVATE;
    else
        mapping->type = OC_REGION_MAPPED;
}

/* Programs of 64 bits have their stack far above; [vsyscall] is not the process's. */
static int is_32bit(const struct oc_lx_space *space)
{
    size_t count = space->count;

    if (count && space->mappings[count - 1].backing == OC_LX_VSYSCALL)
        return 0;
    return count > 0 && space->mappings[count - 1].end <= 4 * OC_LX_GIB;
}

void oc_lx_classify(struct oc_lx_space *space)
{
    find_runtime(space);
    space->is_32bit = is_32bit(space);
    for (size_t i = 0; i < space->count; i++)
        oc_lx_tell_by_name(space, &space->mappings[i]);
    oc_lx_find_stacks(space);
    oc_lx_find_stack_shapes(space);
    oc_lx_find_arenas(space);
    oc_lx_find_code(space);
    oc_lx_find_heaps(space);
    for (size_t i = 0; i < space->count; i++)
        set_type(&space->mappings[i]);
}
