#include "probes/windows/space.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* Protections of Windows, the low byte. */
#define PAGE_NOACCESS 0x01u
#define PAGE_READONLY 0x02u
#define PAGE_READWRITE 0x04u
#define PAGE_WRITECOPY 0x08u
#define PAGE_EXECUTE 0x10u
#define PAGE_EXECUTE_READ 0x20u
#define PAGE_EXECUTE_READWRITE 0x40u
#define PAGE_EXECUTE_WRITECOPY 0x80u
#define ANY_EXECUTE                                                                                \
    (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)
#define ANY_WRITE                                                                                  \
    (PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)

const char *oc_win_label_text(unsigned label)
{
    static const char *const texts[OC_WIN_LABELS] = {
        [OC_WIN_LABEL_NONE] = "",
        [OC_WIN_LABEL_STACK] = "thread stack",
        [OC_WIN_LABEL_NT_HEAP] = "NT heap",
        [OC_WIN_LABEL_HEAP_BLOCK] = "NT heap, large block",
        [OC_WIN_LABEL_SEGMENT_HEAP] = "segment heap",
        [OC_WIN_LABEL_GC_HEAP] = "GC heap",
        [OC_WIN_LABEL_SECTION] = "section without a file",
        [OC_WIN_LABEL_CODE] = "code made at run time",
        [OC_WIN_LABEL_TEB] = "TEB",
        [OC_WIN_LABEL_PEB] = "PEB",
    };

    return label < OC_WIN_LABELS ? texts[label] : "";
}

void oc_win_space_clear(struct oc_win_space *space)
{
    oc_free(space->blocks);
    oc_free(space->allocations);
    oc_free(space->marks);
    oc_free(space->text);
    memset(space, 0, sizeof *space);
}

/* ---- marks ---- */

int oc_win_space_mark(struct oc_win_space *space, const struct oc_win_mark *mark)
{
    int rc = OC_OK;

    if (mark->end <= mark->start)
        return OC_OK;
    rc = oc_array_grow((void **)&space->marks, &space->mark_capacity, space->mark_count + 1,
                       sizeof *space->marks, OC_WIN_MARKS_MAX);
    if (rc == OC_E_TOOBIG) {
        space->is_truncated = 1;
        return OC_OK;
    }
    if (rc == OC_OK)
        space->marks[space->mark_count++] = *mark;
    return rc;
}

static int by_start(const void *a, const void *b)
{
    const struct oc_win_mark *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

void oc_win_space_sort_marks(struct oc_win_space *space)
{
    if (space->mark_count > 1)
        qsort(space->marks, space->mark_count, sizeof *space->marks, by_start);
}

const struct oc_win_mark *oc_win_space_mark_behind(const struct oc_win_space *space,
                                                   uint64_t address, size_t *at)
{
    while (*at < space->mark_count &&
           (space->marks[*at].is_whole || space->marks[*at].end <= address))
        ++*at;
    return *at < space->mark_count ? &space->marks[*at] : NULL;
}

/* ---- regions ---- */

static uint8_t protect_of(uint32_t protect)
{
    const uint32_t low = protect & 0xffu;
    uint8_t out = 0;

    if (low == 0 || (low & PAGE_NOACCESS) != 0)
        return 0;
    if ((low & PAGE_EXECUTE) == 0)
        out |= OC_PROTECT_READ;
    if ((low & ANY_WRITE) != 0)
        out |= OC_PROTECT_WRITE;
    if ((low & ANY_EXECUTE) != 0)
        out |= OC_PROTECT_EXECUTE;
    return out;
}

/*
 * A 32-bit process's addresses that Wine does not manage itself are reported as reserved, private and without access although
 * the process can still get them. Under Wine alone: for Windows the protection of what is reserved is undefined.
 */
static int is_free(const struct oc_win_space *space, const struct oc_win_region *region)
{
    if (region->state != OC_MEM_COMMIT && region->state != OC_MEM_RESERVE)
        return 1;
    return space->is_wine_32bit && region->state == OC_MEM_RESERVE &&
           region->type == OC_MEM_PRIVATE && region->protect == PAGE_NOACCESS;
}

static uint8_t type_of(uint32_t type)
{
    if (type == OC_MEM_IMAGE)
        return OC_REGION_IMAGE;
    return type == OC_MEM_MAPPED ? OC_REGION_MAPPED : OC_REGION_PRIVATE;
}

static int is_same_allocation(const struct oc_win_space *space, const struct oc_win_region *region)
{
    return space->allocation_count > 0 &&
           space->allocations[space->allocation_count - 1].base == region->allocation_base;
}

static int begin_allocation(struct oc_win_space *space, const struct oc_win_region *region)
{
    const uint32_t asked = region->allocation_protect & 0xffu;
    struct oc_win_allocation *allocation = NULL;
    int rc =
        oc_array_grow((void **)&space->allocations, &space->allocation_capacity,
                      space->allocation_count + 1, sizeof *space->allocations, OC_WIN_SPACE_MAX);

    if (rc != OC_OK)
        return rc;
    allocation = &space->allocations[space->allocation_count++];
    *allocation = (struct oc_win_allocation){ .base = region->allocation_base,
                                              .type = type_of(region->type) };
    if (asked == PAGE_READWRITE)
        allocation->flags |= OC_WIN_ALLOCATION_WRITABLE;
    if ((asked & ANY_EXECUTE) != 0)
        allocation->flags |= OC_WIN_ALLOCATION_EXECUTABLE;
    return OC_OK;
}

static void append(struct oc_win_space *space, const struct oc_win_region *region, uint64_t start,
                   uint64_t end)
{
    struct oc_win_allocation *allocation = &space->allocations[space->allocation_count - 1];
    struct oc_win_block *block = &space->blocks[space->count++];

    *block = (struct oc_win_block){
        .start = start,
        .end = end,
        .allocation = (uint32_t)(space->allocation_count - 1),
        .state = region->state == OC_MEM_COMMIT ? OC_REGION_COMMIT : OC_REGION_RESERVE,
        .protect = region->state == OC_MEM_COMMIT ? protect_of(region->protect) : 0,
    };
    if (allocation->type != OC_REGION_PRIVATE)
        block->protect |= OC_PROTECT_SHARED;
    if ((block->protect & OC_PROTECT_EXECUTE) != 0)
        allocation->flags |= OC_WIN_ALLOCATION_RUNS;
    allocation->end = end;
}

int oc_win_space_add(struct oc_win_space *space, const struct oc_win_region *region,
                     int *out_is_new)
{
    const uint64_t last = space->count ? space->blocks[space->count - 1].end : 0;
    uint64_t start = region->base > last ? region->base : last;
    uint64_t end =
        region->size > UINT64_MAX - region->base ? UINT64_MAX : region->base + region->size;
    const int is_new = !is_same_allocation(space, region);
    int rc = OC_OK;

    if (end > space->top)
        end = space->top;
    if (end <= start || is_free(space, region))
        return 0;
    if (space->count >= OC_WIN_SPACE_FULL && is_new)
        return OC_E_TOOBIG;
    rc = oc_array_grow((void **)&space->blocks, &space->capacity, space->count + 1,
                       sizeof *space->blocks, OC_WIN_SPACE_MAX);
    if (rc == OC_OK && is_new)
        rc = begin_allocation(space, region);
    if (rc != OC_OK)
        return rc;
    append(space, region, start, end);
    *out_is_new = is_new;
    return 1;
}

void oc_win_space_next(struct oc_win_space *space)
{
    space->count = 0;
    space->allocation_count = 0;
    space->text_bytes = 0;
}

/* ---- names ---- */

int oc_win_space_name(struct oc_win_space *space, const char *name)
{
    struct oc_win_allocation *allocation = &space->allocations[space->allocation_count - 1];
    const size_t at = space->text_bytes ? space->text_bytes : 1; /* 0 is "" */
    const size_t bytes = strlen(name) + 1;
    int rc = oc_array_grow((void **)&space->text, &space->text_capacity, at + bytes, 1,
                           OC_WIN_SPACE_TEXT_MAX);

    if (rc == OC_E_TOOBIG) {
        space->is_truncated = 1; /* it counts, without its name */
        return OC_OK;
    }
    if (rc != OC_OK)
        return rc;
    space->text[0] = '\0';
    memcpy(space->text + at, name, bytes);
    space->text_bytes = at + bytes;
    allocation->name = (uint32_t)at;
    if (allocation->type == OC_REGION_IMAGE) {
        const enum oc_win_runtime runtime = oc_win_runtime_of(name);

        if (runtime > space->runtime)
            space->runtime = runtime;
    }
    return OC_OK;
}
