#include "base/census.h"

#include "base/alloc.h"
#include "base/err.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
} usages[OC_USAGE_COUNT] = {
    [OC_USAGE_FREE] = { "Free", "Address space that nothing is mapped to." },
    [OC_USAGE_IMAGE] = { "Image", "Programs and libraries: files that are mapped with code." },
    [OC_USAGE_HEAP] = { "Heap",
                        "Native heaps: brk, malloc arenas, allocators that name their memory." },
    [OC_USAGE_STACK] = { "Stack", "Stacks of threads, with their guard pages." },
    [OC_USAGE_MAPPED_FILE] = { "MappedFile", "Other files that are mapped." },
    [OC_USAGE_MANAGED_HEAP] = { "ManagedHeap",
                                "The heap of a garbage collector, as far as it is reserved." },
    [OC_USAGE_LOADER_HEAP] = { "LoaderHeap", "Class and method data of a runtime: .NET loader "
                                             "heaps, JVM metaspace." },
    [OC_USAGE_JIT] = { "JIT", "Code made at run time." },
    [OC_USAGE_SHARED] = { "Shared", "Shared anonymous memory, tmpfs, SysV segments and memfd." },
    [OC_USAGE_PRIVATE] = { "Private", "Other anonymous memory, large malloc blocks among it: the "
                                      "part that nothing explains." },
    [OC_USAGE_KERNEL] = { "Kernel",
                          "Pages that the kernel maps for its own: vdso, vvar, vsyscall." },
    [OC_USAGE_UNUSABLE] = { "Unusable", "Free, but too small or misaligned to be allocated." },
    [OC_USAGE_SECTION] = { "Section", "Small mapped memory without a file: .NET Framework keeps "
                                      "assemblies that were loaded from bytes there." },
    [OC_USAGE_TEB] = { "TEB", "Thread environment blocks." },
    [OC_USAGE_PEB] = { "PEB", "The process environment block." },
};

const char *oc_usage_name(unsigned usage)
{
    return usage < OC_USAGE_COUNT ? usages[usage].name : "?";
}
const char *oc_usage_text(unsigned usage)
{
    return usage < OC_USAGE_COUNT ? usages[usage].text : "?";
}

static int same_word(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

unsigned oc_usage_by_name(const char *name)
{
    unsigned usage = 0;

    while (usage < OC_USAGE_COUNT && !same_word(usages[usage].name, name))
        usage++;
    return usage;
}

const char *oc_region_type_name(unsigned type)
{
    static const char *const names[] = { "", "MEM_IMAGE", "MEM_MAPPED", "MEM_PRIVATE" };

    return type < OC_REGION_TYPES ? names[type] : "?";
}

const char *oc_region_state_name(unsigned state)
{
    static const char *const names[] = { "MEM_FREE", "MEM_COMMIT", "MEM_RESERVE" };

    return state < OC_REGION_STATES ? names[state] : "?";
}

const char *oc_family_kind_name(unsigned kind)
{
    static const char *const names[] = { "module", "mapping", "thread", "fd" };

    return kind < OC_FAMILY_KINDS ? names[kind] : "?";
}

void oc_census_clear(struct oc_census *census)
{
    oc_free(census->totals);
    oc_free(census->families);
    oc_free(census->modules);
    oc_free(census->text);
    memset(census, 0, sizeof *census);
}

void oc_census_move(struct oc_census *from, struct oc_census *out)
{
    *out = *from;
    memset(from, 0, sizeof *from);
}

#define FIRST_TEXT_BYTES 1024

int oc_census_add_text(struct oc_census *census, const char *text, size_t len_bytes,
                       uint32_t *out_at)
{
    size_t need = census->text_bytes + len_bytes + 1;
    /* The pool's capacity is the power of two that holds it: nothing to keep beside it. */
    size_t capacity = FIRST_TEXT_BYTES;
    char *grown = NULL;

    if (need > OC_CENSUS_TEXT_MAX)
        return OC_E_TOOBIG;
    while (capacity < census->text_bytes)
        capacity *= 2;
    if (need > capacity || !census->text) {
        while (capacity < need)
            capacity *= 2;
        grown = oc_realloc(census->text, capacity);
        if (!grown)
            return OC_E_NOMEM;
        census->text = grown;
    }
    memcpy(census->text + census->text_bytes, text, len_bytes);
    census->text[need - 1] = '\0';
    *out_at = (uint32_t)census->text_bytes;
    census->text_bytes = need;
    return OC_OK;
}

size_t oc_census_bytes(const struct oc_census *census)
{
    return census->total_count * sizeof census->totals[0] +
           census->family_count * sizeof census->families[0] +
           census->module_count * sizeof census->modules[0] + census->text_bytes;
}

uint64_t oc_census_sum_bytes(const struct oc_census *census, unsigned usage, unsigned type,
                             unsigned state)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *total = &census->totals[i];

        if ((usage == OC_USAGE_COUNT || usage == total->usage) &&
            (type == OC_REGION_TYPES || type == total->type) &&
            (state == OC_REGION_STATES || state == total->state))
            sum += total->bytes;
    }
    return sum;
}

int oc_census_take_totals(struct oc_census *census, const struct oc_region_total *cells,
                          int has_resident)
{
    census->totals = oc_calloc(OC_CENSUS_CELLS, sizeof *census->totals);
    if (!census->totals)
        return OC_E_NOMEM;
    for (size_t i = 0; i < OC_CENSUS_CELLS; i++) {
        struct oc_region_total *total = &census->totals[census->total_count];

        if (cells[i].count == 0)
            continue;
        *total = cells[i];
        total->usage = (uint8_t)(i / (OC_REGION_TYPES * OC_REGION_STATES));
        total->type = (uint8_t)(i / OC_REGION_STATES % OC_REGION_TYPES);
        total->state = (uint8_t)(i % OC_REGION_STATES);
        if (!has_resident)
            total->resident_bytes = OC_RESIDENT_UNKNOWN;
        census->total_count++;
    }
    return OC_OK;
}
