/* What each allocation is for. The first test that fits decides; what none fits stays unexplained. */
#include "probes/windows/space.h"

#include <string.h>

/*
 * The GC's reservations are multiples of 16 MiB, its smallest segment (gcheap's min_segment_size on 32 bits; 256 and 128 MiB,
 * and 256 GiB in one piece from .NET 7 on, on 64), and are asked for as PAGE_READWRITE. Heaps of Windows and of C runtimes are
 * of other sizes.
 */
#define GC_UNIT_BYTES (UINT64_C(16) << 20)

const char *oc_win_runtime_name(enum oc_win_runtime runtime)
{
    static const char *const names[] = { "", "python", "node", "jvm", "dotnet" };

    return names[runtime];
}

/* ---- the runtime ---- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static int is_word(const char *text, const char *word)
{
    while (*word && lower(*text) == *word) {
        text++;
        word++;
    }
    return *word == '\0' && *text == '\0';
}

/* "python311.dll", but not "python3-helper.dll". */
static int is_python(const char *base)
{
    static const char head[] = "python";

    for (size_t i = 0; i < sizeof head - 1; i++) {
        if (lower(base[i]) != head[i])
            return 0;
    }
    base += sizeof head - 1;
    while (*base >= '0' && *base <= '9')
        base++;
    return is_word(base, ".dll") || is_word(base, ".exe");
}

enum oc_win_runtime oc_win_runtime_of(const char *path)
{
    static const struct {
        const char *name;
        enum oc_win_runtime runtime;
    } modules[] = {
        { "clr.dll", OC_WIN_DOTNET },      { "coreclr.dll", OC_WIN_DOTNET },
        { "mscorwks.dll", OC_WIN_DOTNET }, { "jvm.dll", OC_WIN_JVM },
        { "node.exe", OC_WIN_NODE },       { "node.dll", OC_WIN_NODE },
    };
    const char *slash = strrchr(path, '\\');
    const char *base = slash ? slash + 1 : path;

    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (is_word(base, modules[i].name))
            return modules[i].runtime;
    }
    return is_python(base) ? OC_WIN_PYTHON : OC_WIN_NATIVE;
}

/* ---- all of it ---- */

static void tell(struct oc_win_allocation *allocation, enum oc_usage usage, enum oc_win_label label)
{
    allocation->usage = (uint8_t)usage;
    allocation->label = (uint8_t)label;
}

/* Index of the first mark at or behind an address. */
static size_t first_mark(const struct oc_win_space *space, uint64_t address)
{
    size_t low = 0, high = space->mark_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (space->marks[middle].start < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int tell_by_mark(const struct oc_win_space *space, struct oc_win_allocation *allocation)
{
    for (size_t i = first_mark(space, allocation->base);
         i < space->mark_count && space->marks[i].start < allocation->end; i++) {
        const struct oc_win_mark *mark = &space->marks[i];

        if (!mark->is_whole)
            continue;
        allocation->usage = mark->usage;
        allocation->label = mark->label;
        allocation->tid = mark->tid;
        return 1;
    }
    return 0;
}

/*
 * Without a file: .NET from 7 on makes its code and some of its loader heaps through a section that it maps twice; it is
 * asked for as executable.
 */
static void tell_mapped(const struct oc_win_space *space, struct oc_win_allocation *allocation)
{
    const uint64_t bytes = allocation->end - allocation->base;

    if (allocation->name != 0)
        tell(allocation, OC_USAGE_MAPPED_FILE, OC_WIN_LABEL_NONE);
    else if ((allocation->flags & OC_WIN_ALLOCATION_RUNS) != 0)
        tell(allocation, OC_USAGE_JIT, OC_WIN_LABEL_CODE);
    else if (space->runtime == OC_WIN_DOTNET &&
             (allocation->flags & OC_WIN_ALLOCATION_EXECUTABLE) != 0 &&
             bytes >= OC_WIN_GRANULE_BYTES)
        tell(allocation, OC_USAGE_LOADER_HEAP, OC_WIN_LABEL_NONE);
    else if (bytes <= OC_WIN_SECTION_MAX_BYTES)
        tell(allocation, OC_USAGE_SECTION, OC_WIN_LABEL_SECTION);
    else
        tell(allocation, OC_USAGE_SHARED, OC_WIN_LABEL_NONE);
}

static int is_gc_heap(const struct oc_win_space *space, const struct oc_win_allocation *allocation)
{
    const uint64_t bytes = allocation->end - allocation->base;

    return space->runtime == OC_WIN_DOTNET && bytes >= GC_UNIT_BYTES &&
           bytes % GC_UNIT_BYTES == 0 && (allocation->flags & OC_WIN_ALLOCATION_WRITABLE) != 0 &&
           (allocation->flags & OC_WIN_ALLOCATION_RUNS) == 0;
}

static void tell_private(const struct oc_win_space *space, struct oc_win_allocation *allocation)
{
    if (tell_by_mark(space, allocation))
        return;
    if ((allocation->flags & OC_WIN_ALLOCATION_RUNS) != 0)
        tell(allocation, OC_USAGE_JIT, OC_WIN_LABEL_CODE);
    else if (is_gc_heap(space, allocation))
        tell(allocation, OC_USAGE_MANAGED_HEAP, OC_WIN_LABEL_GC_HEAP);
    else
        tell(allocation, OC_USAGE_PRIVATE, OC_WIN_LABEL_NONE);
}

void oc_win_classify(struct oc_win_space *space)
{
    for (size_t i = 0; i < space->allocation_count; i++) {
        struct oc_win_allocation *allocation = &space->allocations[i];

        if (allocation->type == OC_REGION_IMAGE)
            tell(allocation, OC_USAGE_IMAGE, OC_WIN_LABEL_NONE);
        else if (allocation->type == OC_REGION_MAPPED)
            tell_mapped(space, allocation);
        else
            tell_private(space, allocation);
    }
}
