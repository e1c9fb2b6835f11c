#include "cli/model/regions.h"

static void add_cell(struct oc_region_sum *sum, const struct oc_region_total *cell)
{
    int is_first = sum->count == 0;

    sum->count += cell->count;
    sum->bytes += cell->bytes;
    if (cell->state == OC_REGION_COMMIT)
        sum->commit_bytes += cell->bytes;
    if (cell->largest_bytes > sum->largest_bytes)
        sum->largest_bytes = cell->largest_bytes;
    if (is_first)
        sum->resident_bytes = 0;
    if (cell->resident_bytes == OC_RESIDENT_UNKNOWN || sum->resident_bytes == OC_RESIDENT_UNKNOWN)
        sum->resident_bytes = OC_RESIDENT_UNKNOWN;
    else
        sum->resident_bytes += cell->resident_bytes;
}

static int is_free(const struct oc_region_total *cell)
{
    return cell->usage == OC_USAGE_FREE || cell->state == OC_REGION_FREE;
}

static void add_totals(struct oc_regions *regions, const struct oc_region_total *cell)
{
    regions->total_bytes += cell->bytes;
    if (is_free(cell))
        return;
    regions->busy_bytes += cell->bytes;
    if (cell->state == OC_REGION_COMMIT)
        regions->commit_bytes += cell->bytes;
    if (cell->state == OC_REGION_COMMIT && cell->usage == OC_USAGE_PRIVATE)
        regions->unexplained_bytes += cell->bytes;
    if (cell->resident_bytes == OC_RESIDENT_UNKNOWN)
        regions->has_resident = 0;
    else
        regions->resident_bytes += cell->resident_bytes;
}

/* What is free in two address spaces is nobody's room. */
static void forget_free(struct oc_regions *regions)
{
    static const struct oc_region_sum none;

    regions->usages[OC_USAGE_FREE] = none;
    regions->types[OC_REGION_NONE] = none;
    regions->states[OC_REGION_FREE] = none;
    regions->total_bytes = regions->busy_bytes;
    regions->largest_free_bytes = regions->largest_free_start = 0;
}

void oc_regions_add(struct oc_regions *regions, const struct oc_census *census)
{
    if (regions->processes++ == 0)
        regions->has_resident = 1;
    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *cell = &census->totals[i];

        if (cell->usage >= OC_USAGE_COUNT || cell->type >= OC_REGION_TYPES ||
            cell->state >= OC_REGION_STATES)
            continue; /* of a newer oomcast */
        add_cell(&regions->usages[cell->usage], cell);
        add_cell(&regions->types[cell->type], cell);
        add_cell(&regions->states[cell->state], cell);
        add_totals(regions, cell);
    }
    regions->arenas += census->arena_count;
    regions->is_32bit |= census->is_32bit;
    regions->largest_free_bytes = census->largest_free_bytes;
    regions->largest_free_start = census->largest_free_start;
    if (regions->processes > 1)
        forget_free(regions);
}

/* Whether a goes before b. */
static int is_before(const struct oc_region_sum *a, const struct oc_region_sum *b)
{
    if (a->commit_bytes != b->commit_bytes)
        return a->commit_bytes > b->commit_bytes;
    return a->bytes > b->bytes;
}

size_t oc_regions_order(const struct oc_region_sum *sums, size_t count, unsigned free_number,
                        unsigned *out_order)
{
    size_t used = 0;

    for (unsigned number = 0; number < count; number++) {
        size_t at = used;

        if (sums[number].count == 0 || number == free_number)
            continue;
        while (at > 0 && is_before(&sums[number], &sums[out_order[at - 1]])) {
            out_order[at] = out_order[at - 1];
            at--;
        }
        out_order[at] = number;
        used++;
    }
    if (free_number < count && sums[free_number].count > 0)
        out_order[used++] = free_number;
    return used;
}
