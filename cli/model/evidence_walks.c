/* What walks say of a growth: regions then and now, and families with their courses. */
#include "cli/model/evidence_live.h"

#include "base/text.h"

#include <string.h>

/* ---- regions ---- */

static void put(struct oc_moved *moved, int is_then, int64_t value)
{
    if (is_then) {
        moved->has_then = 1;
        moved->then = value;
    } else {
        moved->has_now = 1;
        moved->now = value;
    }
}

static void put_usage(struct oc_evidence *evidence, const struct oc_census *census, unsigned usage,
                      int is_then)
{
    uint64_t commit = 0, reserve = 0, resident = 0, count = 0;
    int has_resident = 1;

    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *cell = &census->totals[i];

        if (cell->usage != usage)
            continue;
        count += cell->count;
        commit += cell->state == OC_REGION_COMMIT ? cell->bytes : 0;
        reserve += cell->state == OC_REGION_RESERVE ? cell->bytes : 0;
        if (cell->resident_bytes != OC_RESIDENT_UNKNOWN)
            resident += cell->resident_bytes;
        else if (cell->state == OC_REGION_COMMIT)
            has_resident = 0;
    }
    put(&evidence->usage_commit[usage], is_then, (int64_t)commit);
    put(&evidence->usage_reserve[usage], is_then, (int64_t)reserve);
    put(&evidence->usage_count[usage], is_then, (int64_t)count);
    if (has_resident && count > 0)
        put(&evidence->usage_resident[usage], is_then, (int64_t)resident);
}

/* Whether pages were looked at at all: a usage that is not there has 0 in RAM only then. */
static int has_pages(const struct oc_census *census)
{
    for (size_t i = 0; i < census->total_count; i++) {
        if (census->totals[i].state == OC_REGION_COMMIT &&
            census->totals[i].resident_bytes != OC_RESIDENT_UNKNOWN)
            return 1;
    }
    return 0;
}

static void put_regions(struct oc_evidence *evidence, const struct oc_census *census, int is_then)
{
    const int pages = has_pages(census);

    if (!census->has_regions)
        return;
    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
        put_usage(evidence, census, usage, is_then);
        if (pages &&
            (is_then ? evidence->usage_count[usage].then : evidence->usage_count[usage].now) == 0)
            put(&evidence->usage_resident[usage], is_then, 0);
    }
    put(&evidence->arenas, is_then, census->arena_count);
    if (census->largest_free_bytes > 0)
        put(&evidence->largest_free_bytes, is_then, (int64_t)census->largest_free_bytes);
}

/* ---- families ---- */

static const struct oc_family *find(const struct oc_census *census, unsigned kind, const char *name)
{
    for (size_t i = 0; i < census->family_count; i++) {
        if (census->families[i].kind == kind &&
            strcmp(oc_census_text(census, census->families[i].name), name) == 0)
            return &census->families[i];
    }
    return NULL;
}

static int looked_at(const struct oc_census *census, unsigned kind)
{
    return (census->has_families & (1u << kind)) != 0;
}

static void put_course(struct oc_evidence_family *out, const struct oc_census *walks, size_t count)
{
    for (size_t i = 0; i < OC_LIVE_WALKS; i++) {
        const struct oc_family *family = i < count ? find(&walks[i], out->kind, out->name) : NULL;

        if (i >= count || !looked_at(&walks[i], out->kind))
            out->course[i] = -1;
        else
            out->course[i] = family ? family->count : 0;
    }
}

static void put_counts(struct oc_evidence_family *out, const struct oc_census *census, int is_then)
{
    const struct oc_family *family = find(census, out->kind, out->name);

    if (!looked_at(census, out->kind))
        return;
    put(&out->count, is_then, family ? family->count : 0);
    put(&out->distinct, is_then, family ? family->distinct : 0);
    put(&out->bytes, is_then, family ? (int64_t)family->bytes : 0);
}

/* By how many it became more; at one look how many there are. */
static int64_t weight(const struct oc_evidence_family *family)
{
    if (!oc_moved_known(&family->count))
        return family->count.now;
    return family->count.now - family->count.then;
}

/* Keeps the heaviest, in order. */
static void keep(struct oc_evidence *evidence, const struct oc_evidence_family *family)
{
    size_t at = evidence->family_count;

    while (at > 0 && weight(&evidence->families[at - 1]) < weight(family))
        at--;
    if (at >= OC_EVIDENCE_FAMILIES)
        return;
    if (evidence->family_count < OC_EVIDENCE_FAMILIES)
        evidence->family_count++;
    memmove(&evidence->families[at + 1], &evidence->families[at],
            (evidence->family_count - at - 1) * sizeof(evidence->families[0]));
    evidence->families[at] = *family;
}

static void put_family(struct oc_evidence *evidence, const struct oc_family *from,
                       const struct oc_census *walks, size_t count)
{
    const struct oc_census *last = &walks[count - 1];
    struct oc_evidence_family family = { .kind = from->kind, .flags = from->flags };

    (void)oc_text_copy(family.name, sizeof(family.name), oc_census_text(last, from->name));
    (void)oc_text_copy(family.example, sizeof(family.example), oc_census_text(last, from->example));
    if (count > 1)
        put_counts(&family, &walks[0], 1);
    put_counts(&family, last, 0);
    keep(evidence, &family);
}

void oc_evidence_of_walks(struct oc_evidence *evidence, const struct oc_census *walks, size_t count)
{
    const struct oc_census *last;

    evidence->walks = (uint32_t)count;
    evidence->family_count = 0;
    if (count == 0)
        return;
    last = &walks[count - 1];
    if (count > 1)
        put_regions(evidence, &walks[0], 1);
    put_regions(evidence, last, 0);
    for (size_t i = 0; i < last->family_count; i++)
        put_family(evidence, &last->families[i], walks, count);
    for (size_t i = 0; i < evidence->family_count; i++)
        put_course(&evidence->families[i], walks, count);
}
