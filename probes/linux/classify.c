/* What each mapping is for. The first test that fits decides; what none fits stays unexplained. */
#include "probes/linux/space.h"

#include "base/alloc.h"

#include <string.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

#define UNTOLD 0xffu /* in `usage`, until a test fits */

#define GUARD_MAX_BYTES (64 * KIB) /* glibc: a page; JVM: up to 16 of them */
#define GLIBC_STACK_BYTES (8 * MIB)
#define ARENA_BYTES (64 * MIB)  /* HEAP_MAX_SIZE of glibc on 64 bits */
#define ARENA_BYTES_32BIT (MIB) /* on 32 */
#define GO_HEAP_START UINT64_C(0xc000000000)
#define GO_HEAP_BYTES (1024 * GIB) /* where the next hint of its allocator begins */
#define JVM_LOW_END (32 * GIB)     /* heaps with compressed references lie below it */
#define METASPACE_ALIGN (4 * MIB)
#define V8_PAGE_BYTES (256 * KIB)
#define Z_GRANULE_BYTES (2 * MIB)
#define Z_GRANULES (UINT64_C(1) << 19) /* 1 TiB of heap; beyond, views are not told apart */

static int is_anon(const struct oc_lx_mapping *mapping)
{
    return mapping->backing == OC_LX_ANON && !(mapping->protect & OC_PROTECT_SHARED);
}

static int is_none(const struct oc_lx_mapping *mapping)
{
    return !(mapping->protect & (OC_PROTECT_READ | OC_PROTECT_WRITE | OC_PROTECT_EXECUTE));
}

static int is_writable(const struct oc_lx_mapping *mapping)
{
    return (mapping->protect & (OC_PROTECT_WRITE | OC_PROTECT_EXECUTE)) == OC_PROTECT_WRITE;
}

static uint64_t bytes_of(const struct oc_lx_mapping *mapping)
{
    return mapping->end - mapping->start;
}

static void tell(struct oc_lx_mapping *mapping, enum oc_usage usage, enum oc_lx_label label)
{
    mapping->usage = (uint8_t)usage;
    mapping->label = (uint8_t)label;
}

/* ---- the runtime ---- */

static int starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "python3.11" and "libpython3.11.so.1.0", but not "python-apt.so". */
static int is_python(const char *base)
{
    const char *rest = starts_with(base, "lib") ? base + 3 : base;

    return starts_with(rest, "python") && ((rest[6] >= '0' && rest[6] <= '9') || rest[6] == '\0');
}

static enum oc_lx_runtime runtime_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;

    if (strcmp(base, "libcoreclr.so") == 0 || strcmp(base, "memfd:doublemapper") == 0)
        return OC_LX_DOTNET;
    if (strcmp(base, "libjvm.so") == 0)
        return OC_LX_JVM;
    if (strcmp(base, "node") == 0 || strcmp(base, "nodejs") == 0 || starts_with(base, "libnode.so"))
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

        if (mapping->start == GO_HEAP_START &&
            (is_anon(mapping) || mapping->backing == OC_LX_NAMED))
            space->runtime = OC_LX_GO;
    }
}

/* ---- by name ---- */

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
        if (starts_with(name, words[i].name)) {
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
    const uint64_t last = (mapping->offset + bytes_of(mapping) - 1) / Z_GRANULE_BYTES;
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
        tell(mapping, runs ? OC_USAGE_JIT : OC_USAGE_LOADER_HEAP, OC_LX_LABEL_NONE);
    } else if (strcmp(name, "java_heap") == 0) {
        tell(mapping, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_NONE);
        if (is_second_view(space, mapping))
            mapping->state = OC_REGION_RESERVE;
    } else if (mapping->protect & OC_PROTECT_SHARED) {
        tell(mapping, runs ? OC_USAGE_JIT : OC_USAGE_SHARED, OC_LX_LABEL_NONE);
    } else if (mapping->file && space->files[mapping->file - 1].flags & OC_LX_MAPPED_CODE) {
        tell(mapping, OC_USAGE_IMAGE, OC_LX_LABEL_NONE); /* a library that was never a file */
    } else {
        tell(mapping, OC_USAGE_SHARED, OC_LX_LABEL_NONE);
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
static void tell_by_name(struct oc_lx_space *space, struct oc_lx_mapping *mapping)
{
    mapping->usage = UNTOLD;
    mapping->state = is_none(mapping) ? OC_REGION_RESERVE : OC_REGION_COMMIT;
    switch (mapping->backing) {
    case OC_LX_STACK:
        tell(mapping, OC_USAGE_STACK, OC_LX_LABEL_NONE);
        break;
    case OC_LX_BRK:
        tell(mapping, OC_USAGE_HEAP, OC_LX_LABEL_NONE);
        break;
    case OC_LX_KERNEL:
    case OC_LX_VSYSCALL:
        tell(mapping, OC_USAGE_KERNEL, OC_LX_LABEL_NONE);
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

/* ---- stacks ---- */

/* The mapping right below, if it is a stack's guard by its size. */
static struct oc_lx_mapping *guard_of(struct oc_lx_mapping *mappings, size_t i)
{
    struct oc_lx_mapping *below = i > 0 ? &mappings[i - 1] : NULL;

    if (!below || below->end != mappings[i].start || !is_anon(below) || !is_none(below) ||
        below->usage != UNTOLD || bytes_of(below) > GUARD_MAX_BYTES)
        return NULL;
    return below;
}

static void learn_stack_size(struct oc_lx_space *space, uint64_t bytes)
{
    const size_t max = sizeof space->stack_sizes / sizeof space->stack_sizes[0];

    for (size_t i = 0; i < space->stack_size_count; i++) {
        if (space->stack_sizes[i] == bytes)
            return;
    }
    if (space->stack_size_count < max)
        space->stack_sizes[space->stack_size_count++] = bytes;
}

static void tell_stack(struct oc_lx_space *space, size_t i, size_t thread)
{
    struct oc_lx_mapping *mapping = &space->mappings[i], *guard = guard_of(space->mappings, i);

    mapping->thread = thread < space->thread_count ? (uint32_t)thread + 1 : 0;
    if (mapping->usage == UNTOLD)
        tell(mapping, OC_USAGE_STACK, OC_LX_LABEL_STACK);
    if (guard) {
        tell(guard, OC_USAGE_STACK, OC_LX_LABEL_STACK);
        guard->thread = mapping->thread;
        learn_stack_size(space, bytes_of(mapping));
    }
    if (mapping->thread)
        space->threads[thread].stack_bytes = bytes_of(mapping) + (guard ? bytes_of(guard) : 0);
}

static int is_go_heap(const struct oc_lx_space *space, uint64_t start)
{
    return space->runtime == OC_LX_GO && start >= GO_HEAP_START &&
           start < GO_HEAP_START + GO_HEAP_BYTES;
}

/*
 * A stack pointer in anonymous memory makes a stack of it; in a heap it is that of a coroutine or
 * of a Go program, whose threads run on the heap.
 */
static int may_be_stack(const struct oc_lx_space *space, const struct oc_lx_mapping *mapping)
{
    if (mapping->backing == OC_LX_STACK)
        return 1;
    if (mapping->backing == OC_LX_NAMED)
        return mapping->usage == OC_USAGE_STACK;
    if (is_go_heap(space, mapping->start))
        return 0;
    return is_anon(mapping) && is_writable(mapping) && bytes_of(mapping) <= GIB;
}

/* Both ascend: each mapping takes the stack pointers that lie in it. */
static void find_stacks(struct oc_lx_space *space)
{
    size_t thread = 0;

    for (size_t i = 0; i < space->count; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];

        while (thread < space->thread_count &&
               space->threads[thread].stack_pointer < mapping->start)
            thread++;
        if (thread == space->thread_count)
            return;
        if (space->threads[thread].stack_pointer < mapping->end && may_be_stack(space, mapping))
            tell_stack(space, i, thread);
    }
}

/* Where no thread was seen in it: one that ran just then, or has ended, its stack kept for the next. */
static int is_stack_size(const struct oc_lx_space *space, uint64_t bytes, uint64_t guard_bytes)
{
    const uint64_t whole = bytes + guard_bytes;

    if (bytes == GLIBC_STACK_BYTES)
        return 1;
    for (size_t i = 0; i < space->stack_size_count; i++) {
        if (space->stack_sizes[i] == bytes)
            return 1;
    }
    if (space->knows_threads)
        return 0;
    /* Sizes that people and runtimes ask for: powers of two, with the guard or beside it. */
    return bytes <= ARENA_BYTES && whole >= 64 * KIB &&
           ((bytes & (bytes - 1)) == 0 || (whole & (whole - 1)) == 0);
}

static void find_stack_shapes(struct oc_lx_space *space)
{
    for (size_t i = 1; i < space->count; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];
        const struct oc_lx_mapping *guard = NULL;

        if (mapping->usage != UNTOLD || !is_anon(mapping) || !is_writable(mapping))
            continue;
        guard = guard_of(space->mappings, i);
        if (guard && is_stack_size(space, bytes_of(mapping), bytes_of(guard)))
            tell_stack(space, i, SIZE_MAX);
    }
}

/* ---- glibc arenas ---- */

/* Memory from a multiple of 64 MiB on, the rest up to the next one reserved. */
static void find_arenas(struct oc_lx_space *space)
{
    const uint64_t whole = space->is_32bit ? ARENA_BYTES_32BIT : ARENA_BYTES;

    for (size_t i = 0; i + 1 < space->count; i++) {
        struct oc_lx_mapping *first = &space->mappings[i], *rest = first + 1;
        const uint64_t end = first->start + whole;

        if (first->usage != UNTOLD || first->start % whole != 0 || !is_anon(first) ||
            is_go_heap(space, first->start) || !is_writable(first) || first->end != rest->start ||
            rest->usage != UNTOLD || !is_anon(rest) || !is_none(rest))
            continue;
        /* A guard that lies right above is one mapping with the reserve. */
        if (rest->end < end || rest->end > end + GUARD_MAX_BYTES)
            continue;
        tell(first, OC_USAGE_HEAP, OC_LX_LABEL_ARENA);
        tell(rest, OC_USAGE_HEAP, OC_LX_LABEL_ARENA);
    }
}

/* ---- code and heaps of runtimes ---- */

/* Executable memory, and in a runtime's process what is reserved behind it for more. */
static void find_code(struct oc_lx_space *space)
{
    const int has_runtime = space->runtime > OC_LX_PYTHON;
    uint64_t code_end = 0;

    for (size_t i = 0; i < space->count; i++) {
        struct oc_lx_mapping *mapping = &space->mappings[i];

        if (mapping->usage != UNTOLD)
            continue;
        if (mapping->protect & OC_PROTECT_EXECUTE) {
            tell(mapping, OC_USAGE_JIT, has_runtime ? OC_LX_LABEL_CODE : OC_LX_LABEL_NONE);
        } else if (!has_runtime || !is_none(mapping) || mapping->start != code_end) {
            continue;
        } else {
            tell(mapping, OC_USAGE_JIT, OC_LX_LABEL_CODE);
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

    while (group.to < space->count && mappings[group.to].usage == UNTOLD &&
           mappings[group.to].start == group.end) {
        if (is_none(&mappings[group.to]))
            group.none_bytes += bytes_of(&mappings[group.to]);
        group.end = mappings[group.to].end;
        group.to++;
    }
    return group;
}

static void tell_group(struct oc_lx_space *space, const struct group *group, enum oc_usage usage,
                       enum oc_lx_label label)
{
    for (size_t i = group->from; i < group->to; i++)
        tell(&space->mappings[i], usage, label);
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
           (bytes == 8 * MIB || bytes == 64 * MIB) && group->none_bytes > 0 &&
           is_writable(&space->mappings[group->from]) && is_none(&space->mappings[group->to - 1]);
}

static void tell_jvm_group(struct oc_lx_space *space, const struct group *group)
{
    const uint64_t bytes = group->end - group->start;

    if (group->start < JVM_LOW_END)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_JVM_HEAP);
    else if (follows_class_archive(space, group) || is_metaspace_node(space, group) ||
             bytes == GIB) /* the space for compressed class pointers */
        tell_group(space, group, OC_USAGE_LOADER_HEAP, OC_LX_LABEL_METASPACE);
    else if (group->none_bytes >= GIB)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_JVM_HEAP);
}

/* V8 takes its pages at multiples of their size. Large objects too, whatever their size: an estimate. */
static void tell_v8_pages(struct oc_lx_space *space, const struct group *group)
{
    for (size_t i = group->from; i < group->to; i++) {
        struct oc_lx_mapping *mapping = &space->mappings[i];

        if (is_writable(mapping) && mapping->start % V8_PAGE_BYTES == 0)
            tell(mapping, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_V8_HEAP);
    }
}

static void tell_of_runtime(struct oc_lx_space *space, const struct group *group)
{
    if (is_go_heap(space, group->start))
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_GO_HEAP);
    else if (space->runtime == OC_LX_JVM)
        tell_jvm_group(space, group);
    else if (group->none_bytes >= GIB && space->runtime != OC_LX_GO)
        tell_group(space, group, OC_USAGE_MANAGED_HEAP, OC_LX_LABEL_GC_HEAP);
    else if (space->runtime == OC_LX_NODE)
        tell_v8_pages(space, group);
}

static void find_heaps(struct oc_lx_space *space)
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

/* ---- all of it ---- */

static void set_type(struct oc_lx_mapping *mapping)
{
    if (mapping->usage == UNTOLD)
        mapping->usage = OC_USAGE_PRIVATE;
    if (mapping->usage == OC_USAGE_IMAGE)
        mapping->type = OC_REGION_IMAGE;
    else if (is_anon(mapping) || mapping->backing == OC_LX_NAMED || mapping->backing == OC_LX_BRK ||
             mapping->backing == OC_LX_STACK)
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
    return count > 0 && space->mappings[count - 1].end <= 4 * GIB;
}

void oc_lx_classify(struct oc_lx_space *space)
{
    find_runtime(space);
    space->is_32bit = is_32bit(space);
    for (size_t i = 0; i < space->count; i++)
        tell_by_name(space, &space->mappings[i]);
    find_stacks(space);
    find_stack_shapes(space);
    find_arenas(space);
    find_code(space);
    find_heaps(space);
    for (size_t i = 0; i < space->count; i++)
        set_type(&space->mappings[i]);
}
