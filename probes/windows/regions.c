/* All of the address space: one question a region, one a file that is mapped. */
#include "probes/windows/walk.h"

#include "base/alloc.h"
#include "base/os.h"

#include <string.h>

#define NAME_BYTES 1024
#define REGIONS_MAX (1u << 24) /* of one process: more is none's */

static int query(struct oc_win_walker *walker, uint64_t address, struct oc_win_region *out_region)
{
    const int64_t begin_ns = oc_clock_mono_ns();
    const int rc = walker->win->query(walker->win, walker->process, address, out_region);
    const int64_t took_ns = oc_clock_mono_ns() - begin_ns;

    if (took_ns > walker->walk->stall_ns)
        walker->walk->stall_ns = took_ns;
    return rc;
}

static int take_all(struct oc_win_walker *walker)
{
    int rc = OC_OK;

    oc_win_classify(&walker->space);
    rc = oc_win_tally_add(&walker->tally, &walker->space);
    if (rc != OC_E_TOOBIG)
        return rc;
    walker->space.is_truncated = 1;
    return OC_OK;
}

static int name_file(struct oc_win_walker *walker, const struct oc_win_region *region)
{
    char name[NAME_BYTES];

    if (region->type != OC_MEM_IMAGE && region->type != OC_MEM_MAPPED)
        return OC_OK;
    if (walker->win->mapped_name(walker->win, walker->process, region->base, name, sizeof name) !=
        OC_OK)
        return OC_OK; /* memory without a file, or it went */
    oc_win_walk_path(walker, name);
    return oc_win_space_name(&walker->space, name);
}

static int take(struct oc_win_walker *walker, const struct oc_win_region *region)
{
    int is_new = 0;
    int rc = oc_win_space_add(&walker->space, region, &is_new);

    if (rc == OC_E_TOOBIG) { /* marks are of all of it: only an allocation at the seam is cut */
        rc = take_all(walker);
        oc_win_space_next(&walker->space);
        if (rc == OC_OK)
            rc = oc_win_space_add(&walker->space, region, &is_new);
    }
    if (rc == 1 && is_new)
        rc = name_file(walker, region);
    return rc < 0 ? rc : OC_OK;
}

static int read_regions(struct oc_win_walker *walker)
{
    uint64_t at = 0;
    int rc = OC_OK;

    for (uint32_t i = 0; at < walker->space.top && i < REGIONS_MAX && rc == OC_OK; i++) {
        struct oc_win_region region;

        rc = query(walker, at, &region);
        if (rc == OC_E_NOENT)
            break;
        if (rc != OC_OK)
            return rc;
        if (region.size == 0 || region.base > at || region.base + region.size <= at)
            return OC_E_PARSE;
        at = region.base + region.size;
        rc = take(walker, &region);
    }
    if (rc == OC_E_NOENT)
        rc = OC_OK;
    return rc == OC_OK ? take_all(walker) : rc;
}

static void set_figures(struct oc_win_walker *walker)
{
    const struct oc_win_tally *tally = &walker->tally;

    oc_win_walk_set(walker, OC_METRIC_MAPPINGS, tally->regions);
    oc_win_walk_set(walker, OC_METRIC_MODULES, tally->module_count);
    oc_win_walk_set(walker, OC_METRIC_RESERVED, tally->reserved_bytes);
    oc_win_walk_set(walker, OC_METRIC_SECTIONS, tally->section_count);
    if (!walker->space.is_32bit)
        return; /* a hole of 128 TiB is no limit */
    oc_win_walk_set(walker, OC_METRIC_UNUSABLE, tally->unusable_bytes);
    oc_win_walk_set(walker, OC_METRIC_LARGEST_FREE, tally->largest_free_bytes);
    if (walker->win->is_wine) /* what it says of it is of the Unix process around it */
        oc_win_walk_set(walker, OC_METRIC_VIRTUAL, tally->bytes);
}

static int fill_census(struct oc_win_walker *walker)
{
    struct oc_census *census = &walker->walk->census;
    int rc = oc_win_tally_finish(&walker->tally, &walker->space, census);

    if (rc != OC_OK)
        return rc;
    census->has_regions = (uint8_t)oc_win_wants(walker, OC_WALK_REGIONS | OC_WALK_RESIDENT);
    if (!census->has_regions) {
        oc_free(census->totals);
        census->totals = NULL;
        census->total_count = 0;
    }
    census->has_modules = oc_win_wants(walker, OC_WALK_MODULES) && !walker->space.is_truncated;
    census->is_truncated = (uint8_t)walker->space.is_truncated;
    (void)strncpy(census->runtime, oc_win_runtime_name(walker->space.runtime),
                  sizeof census->runtime - 1);
    set_figures(walker);
    return OC_OK;
}

static void begin(struct oc_win_walker *walker)
{
    struct oc_win_tally *tally = &walker->tally;

    oc_win_tally_init(tally);
    tally->on_region = walker->request->on_region;
    tally->context = walker->request->context;
    tally->families = walker->families;
    tally->census = oc_win_wants(walker, OC_WALK_MODULES) ? &walker->walk->census : NULL;
}

int oc_win_walk_regions(struct oc_win_walker *walker)
{
    int rc = OC_OK;

    begin(walker);
    if (walker->space.top == 0)
        return OC_OK; /* neither its header nor the system says how far it goes */
    rc = oc_win_walk_threads(walker);
    if (rc == OC_OK)
        rc = oc_win_walk_heaps(walker);
    if (rc != OC_OK)
        return rc;
    oc_win_space_sort_marks(&walker->space);
    rc = read_regions(walker);
    return rc == OC_OK ? fill_census(walker) : rc;
}
