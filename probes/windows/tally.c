#include "probes/windows/tally.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64
#define MOST_MODULES OC_CENSUS_MODULES_MAX

void oc_win_tally_init(struct oc_win_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->end = OC_WIN_LOWEST;
}

static void count(struct oc_win_tally *tally, const struct oc_region *region)
{
    struct oc_region_total *total = &tally->totals[region->usage][region->type][region->state];

    total->count++;
    total->bytes += region->bytes;
    if (region->bytes > total->largest_bytes)
        total->largest_bytes = region->bytes;
    if (tally->on_region)
        tally->on_region(region, tally->context);
}

/* ---- free space ---- */

static void count_free(struct oc_win_tally *tally, enum oc_usage usage, uint64_t start,
                       uint64_t end)
{
    const struct oc_region region = { .start = start,
                                      .bytes = end - start,
                                      .usage = (uint8_t)usage,
                                      .type = OC_REGION_NONE,
                                      .state = OC_REGION_FREE,
                                      .resident_bytes = OC_RESIDENT_UNKNOWN,
                                      .name = "" };

    if (end > start)
        count(tally, &region);
}

/*
 * Allocations begin at multiples of 64 KiB: what lies before the first of them in a hole is lost, a hole without one
 * altogether.
 */
static void add_hole(struct oc_win_tally *tally, uint64_t start, uint64_t end)
{
    uint64_t first = oc_win_slot_bytes(start);

    if (end <= start)
        return;
    if (first > end || first < start)
        first = end;
    tally->unusable_bytes += first - start;
    if (end - first > tally->largest_free_bytes) {
        tally->largest_free_bytes = end - first;
        tally->largest_free_start = first;
    }
    count_free(tally, OC_USAGE_UNUSABLE, start, first);
    count_free(tally, OC_USAGE_FREE, first, end);
}

/* ---- what is in use ---- */

static const char *region_name(const struct oc_win_space *space,
                               const struct oc_win_allocation *allocation, unsigned label,
                               uint32_t tid, char out[NAME_BYTES])
{
    if (allocation->name != 0)
        return oc_win_space_text(space, allocation->name);
    if (tid == 0)
        return oc_win_label_text(label);
    (void)snprintf(out, NAME_BYTES, label == OC_WIN_LABEL_TEB ? "TEB of thread %u" : "stack of %u",
                   (unsigned)tid);
    return out;
}

/* A part of a block: of its allocation, or of what a mark says stands there. */
static void add_part(struct oc_win_tally *tally, const struct oc_win_space *space,
                     const struct oc_win_block *block, const struct oc_win_mark *mark,
                     uint64_t start, uint64_t end)
{
    const struct oc_win_allocation *allocation = &space->allocations[block->allocation];
    char name[NAME_BYTES];
    struct oc_region region = { .start = start,
                                .bytes = end - start,
                                .usage = mark ? mark->usage : allocation->usage,
                                .type = allocation->type,
                                .state = block->state,
                                .protect = block->protect,
                                .resident_bytes = OC_RESIDENT_UNKNOWN };

    if (tally->on_region)
        region.name = region_name(space, allocation, mark ? mark->label : allocation->label,
                                  mark ? mark->tid : allocation->tid, name);
    count(tally, &region);
    tally->regions++;
    tally->bytes += region.bytes;
    if (block->state == OC_REGION_RESERVE)
        tally->reserved_bytes += region.bytes;
    else
        tally->commit_bytes += region.bytes;
}

/* Environment blocks lie beside each other with one protection: Windows tells of them as one region. */
static void add_block(struct oc_win_tally *tally, const struct oc_win_space *space,
                      const struct oc_win_block *block)
{
    uint64_t at = block->start;

    while (at < block->end) {
        const struct oc_win_mark *mark = oc_win_space_mark_behind(space, at, &tally->mark_at);
        uint64_t end = block->end;

        if (mark && mark->start > at) {
            end = mark->start < end ? mark->start : end;
            mark = NULL;
        } else if (mark && mark->end < end) {
            end = mark->end;
        }
        add_part(tally, space, block, mark, at, end);
        at = end;
    }
}

/* ---- modules and families ---- */

static int add_module(struct oc_win_tally *tally, const struct oc_win_space *space,
                      const struct oc_win_allocation *allocation)
{
    struct oc_census *census = tally->census;
    const char *name = oc_win_space_text(space, allocation->name);
    struct oc_module module = { .base = allocation->base,
                                .bytes = allocation->end - allocation->base };
    int rc = oc_array_grow((void **)&census->modules, &tally->module_capacity,
                           census->module_count + 1, sizeof *census->modules, MOST_MODULES);

    if (rc == OC_OK)
        rc = oc_census_add_text(census, name, strlen(name), &module.name);
    if (rc == OC_OK)
        census->modules[census->module_count++] = module;
    return rc;
}

static int add_image(struct oc_win_tally *tally, const struct oc_win_space *space,
                     const struct oc_win_allocation *allocation)
{
    const char *name = oc_win_space_text(space, allocation->name);
    int rc = OC_OK;

    tally->module_count++;
    if (tally->families)
        rc = oc_families_add(tally->families, OC_FAMILY_MODULE, name, strlen(name), 1,
                             oc_win_slot_bytes(allocation->end - allocation->base), 0);
    return rc == OC_OK && tally->census ? add_module(tally, space, allocation) : rc;
}

static int add_allocation(struct oc_win_tally *tally, const struct oc_win_space *space,
                          const struct oc_win_allocation *allocation)
{
    const uint64_t bytes = allocation->end - allocation->base;
    const char *name = oc_win_space_text(space, allocation->name);

    if (allocation->type == OC_REGION_IMAGE)
        return add_image(tally, space, allocation);
    if (allocation->label == OC_WIN_LABEL_GC_HEAP && bytes > tally->gc_largest_bytes)
        tally->gc_largest_bytes = bytes;
    if (allocation->usage == OC_USAGE_SECTION) {
        tally->section_count++;
        tally->section_bytes += oc_win_slot_bytes(bytes);
        return OC_OK;
    }
    if (!tally->families || name[0] == '\0')
        return OC_OK;
    return oc_families_add(tally->families, OC_FAMILY_MAPPING, name, strlen(name), 1,
                           oc_win_slot_bytes(bytes), 0);
}

int oc_win_tally_add(struct oc_win_tally *tally, const struct oc_win_space *space)
{
    int cut = OC_OK;

    for (size_t i = 0; i < space->count; i++) {
        const struct oc_win_block *block = &space->blocks[i];

        add_hole(tally, tally->end, block->start);
        add_block(tally, space, block);
        tally->end = block->end;
    }
    for (size_t i = 0; i < space->allocation_count; i++) {
        const int rc = add_allocation(tally, space, &space->allocations[i]);

        if (rc == OC_E_TOOBIG)
            cut = rc;
        else if (rc != OC_OK)
            return rc;
    }
    return cut;
}

int oc_win_tally_finish(struct oc_win_tally *tally, const struct oc_win_space *space,
                        struct oc_census *census)
{
    const char *sections = oc_win_label_text(OC_WIN_LABEL_SECTION);
    int rc = OC_OK;

    add_hole(tally, tally->end, space->top);
    census->largest_free_bytes = tally->largest_free_bytes;
    census->largest_free_start = tally->largest_free_start;
    census->is_32bit = (uint8_t)space->is_32bit;
    if (tally->families && tally->section_count > 0)
        rc = oc_families_add(tally->families, OC_FAMILY_MAPPING, sections, strlen(sections),
                             (uint32_t)tally->section_count, tally->section_bytes, 0);
    return rc == OC_OK ? oc_census_take_totals(census, &tally->totals[0][0][0], 0) : rc;
}
