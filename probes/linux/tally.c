#include "probes/linux/tally.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

#define LOWEST UINT64_C(0x10000) /* vm.mmap_min_addr: below it nothing is mapped */
#define TOP_32BIT UINT64_C(0x100000000)
#define TOP_32BIT_KERNEL UINT64_C(0xc0000000) /* the kernel of 32 bits keeps the last GiB */
#define PAGE 4096u

void oc_lx_tally_init(struct oc_lx_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->end = LOWEST;
}

static void count(struct oc_lx_tally *tally, const struct oc_region *region)
{
    struct oc_region_total *total = &tally->totals[region->usage][region->type][region->state];

    total->count++;
    total->bytes += region->bytes;
    if (region->bytes > total->largest_bytes)
        total->largest_bytes = region->bytes;
    if (tally->has_resident)
        total->resident_bytes += region->resident_bytes;
    if (tally->on_region)
        tally->on_region(region, tally->context);
}

static void add_free(struct oc_lx_tally *tally, uint64_t to)
{
    const struct oc_region region = { .start = tally->end,
                                      .bytes = to - tally->end,
                                      .usage = OC_USAGE_FREE,
                                      .type = OC_REGION_NONE,
                                      .state = OC_REGION_FREE,
                                      .name = "" };

    if (region.bytes > tally->largest_free_bytes) {
        tally->largest_free_bytes = region.bytes;
        tally->largest_free_start = region.start;
    }
    count(tally, &region);
}

/* "stack of NAME", a path, or what its shape says. */
static const char *region_name(const struct oc_lx_space *space, const struct oc_lx_mapping *mapping,
                               char *out, size_t out_bytes)
{
    const char *name = oc_lx_mapping_name(space, mapping);

    if (name[0])
        return name;
    if (mapping->thread == 0 || space->threads[mapping->thread - 1].name[0] == '\0')
        return oc_lx_label_text(mapping->label);
    (void)snprintf(out, out_bytes, "stack of %s", space->threads[mapping->thread - 1].name);
    return out;
}

static void add_mapping(struct oc_lx_tally *tally, const struct oc_lx_space *space,
                        const struct oc_lx_mapping *mapping)
{
    char name[64];
    struct oc_region region = { .start = mapping->start,
                                .bytes = mapping->end - mapping->start,
                                .usage = mapping->usage,
                                .type = mapping->type,
                                .state = mapping->state,
                                .protect = mapping->protect,
                                .offset = mapping->offset,
                                .resident_bytes = mapping->resident_bytes };

    if (tally->on_region) {
        region.inode = mapping->file ? space->files[mapping->file - 1].inode : 0;
        region.name = region_name(space, mapping, name, sizeof name);
    }
    count(tally, &region);
}

static int is_arena(const struct oc_lx_mapping *mapping)
{
    return mapping->label == OC_LX_LABEL_ARENA && mapping->state == OC_REGION_COMMIT;
}

/* Sums that stand beside the totals. */
static void count_figures(struct oc_lx_tally *tally, const struct oc_lx_mapping *mapping)
{
    const uint64_t bytes = mapping->end - mapping->start;

    tally->regions++;
    tally->bytes += bytes;
    if (mapping->state == OC_REGION_RESERVE && !(mapping->protect & OC_PROTECT_SHARED))
        tally->reserved_bytes += bytes;
    if (mapping->backing == OC_LX_STACK)
        tally->main_stack_bytes += bytes;
    if (mapping->backing == OC_LX_BRK)
        tally->brk_bytes += bytes;
    tally->code_mappings +=
        mapping->backing == OC_LX_FILE && (mapping->protect & OC_PROTECT_EXECUTE) != 0;
    tally->arena_count += (uint32_t)is_arena(mapping);
    tally->label_counts[mapping->label] += mapping->label != OC_LX_LABEL_ARENA || is_arena(mapping);
    tally->label_bytes[mapping->label] += bytes;
}

/* Memory that has a name but no file: "[heap]", "[anon:…]". */
static int add_named(struct oc_lx_tally *tally, const struct oc_lx_space *space,
                     const struct oc_lx_mapping *mapping)
{
    const char *name = oc_lx_space_text(space, mapping->name);

    if (!tally->families || mapping->file != 0 || name[0] == '\0' ||
        mapping->backing == OC_LX_STACK || mapping->backing == OC_LX_KERNEL)
        return OC_OK;
    return oc_families_add(tally->families, OC_FAMILY_MAPPING, name, strlen(name), 1,
                           mapping->end - mapping->start, 0);
}

int oc_lx_tally_add(struct oc_lx_tally *tally, const struct oc_lx_space *space)
{
    for (size_t i = 0; i < space->count; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];
        int rc = OC_OK;

        if (mapping->backing == OC_LX_VSYSCALL)
            continue;
        if (mapping->start > tally->end)
            add_free(tally, mapping->start);
        add_mapping(tally, space, mapping);
        count_figures(tally, mapping);
        rc = add_named(tally, space, mapping);
        if (rc != OC_OK)
            return rc;
        tally->end = mapping->end;
    }
    return OC_OK;
}

/*
 * Where the address space ends. Programs of 64 bits have their stack close below it, and it is a
 * power of two on every machine.
 */
static uint64_t top_of(uint64_t end, int is_32bit)
{
    uint64_t top = TOP_32BIT;

    if (is_32bit)
        return end <= TOP_32BIT_KERNEL ? TOP_32BIT_KERNEL : TOP_32BIT - PAGE;
    while (top < end && top != 0)
        top *= 2;
    return top - PAGE;
}

static int add_label_families(struct oc_lx_tally *tally)
{
    int rc = OC_OK;

    for (unsigned label = OC_LX_LABEL_ARENA; label < OC_LX_LABELS && rc == OC_OK; label++) {
        const char *text = oc_lx_label_text(label);

        if (tally->label_counts[label] != 0)
            rc = oc_families_add(tally->families, OC_FAMILY_MAPPING, text, strlen(text),
                                 tally->label_counts[label], tally->label_bytes[label], 0);
    }
    return rc;
}

int oc_lx_tally_finish(struct oc_lx_tally *tally, const struct oc_lx_space *space,
                       struct oc_census *census)
{
    const uint64_t top = top_of(tally->end, space->is_32bit);

    if (top > tally->end)
        add_free(tally, top);
    census->largest_free_bytes = tally->largest_free_bytes;
    census->largest_free_start = tally->largest_free_start;
    census->arena_count = tally->arena_count;
    census->is_32bit = (uint8_t)space->is_32bit;
    if (tally->families) {
        int rc = add_label_families(tally);

        if (rc != OC_OK)
            return rc;
    }
    return oc_census_take_totals(census, &tally->totals[0][0][0], tally->has_resident);
}
