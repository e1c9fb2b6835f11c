/* Mappings of a hostile process: lines, classes, sums and families. The first byte says of threads. */
/* target: fuzz_maps.c deps: probes_dep */
#include "probes/linux/space.h"
#include "probes/linux/tally.h"

#include "base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct oc_lx_space *space, const char *text, size_t size)
{
    const char *line = text, *end = text + size, *newline = NULL;

    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        struct oc_lx_line parsed;

        if (oc_lx_line_parse(line, newline, &parsed) == OC_OK) {
            assert(parsed.name >= line && parsed.name + parsed.name_bytes <= newline);
            assert(parsed.start <= parsed.end && parsed.name_bytes <= OC_LX_NAME_MAX);
            assert(oc_lx_space_add(space, &parsed, 0) >= 0);
        }
        oc_lx_space_add_mount(space, line, newline); /* of mountinfo */
        line = newline + 1;
    }
}

/* Every other mapping's end as the stack pointer of a thread. */
static void add_threads(struct oc_lx_space *space, struct oc_lx_thread *threads, size_t max)
{
    for (size_t i = 0; i < space->count && space->thread_count < max; i += 2)
        threads[space->thread_count++] =
            (struct oc_lx_thread){ .stack_pointer = space->mappings[i].end - 8, .name = "t" };
    space->threads = threads;
    oc_lx_space_sort_threads(space);
}

struct seen {
    uint64_t end, bytes;
};

static void see(const struct oc_region *region, void *context)
{
    struct seen *seen = context;

    assert(region->start >= seen->end && region->start + region->bytes - 1 >= region->start);
    assert(region->usage < OC_USAGE_COUNT && region->type < OC_REGION_TYPES);
    assert(region->name != NULL);
    seen->end = region->start + region->bytes;
    if (region->usage != OC_USAGE_FREE)
        seen->bytes += region->bytes;
}

static void tally(const struct oc_lx_space *space)
{
    struct oc_lx_tally sums;
    struct oc_census census;
    struct seen seen = { 0, 0 };
    uint64_t bytes = 0;

    memset(&census, 0, sizeof census);
    oc_lx_tally_init(&sums);
    sums.on_region = see;
    sums.context = &seen;
    sums.families = oc_families_new();
    if (!sums.families || oc_lx_tally_add(&sums, space) != OC_OK)
        abort();
    if (oc_lx_tally_finish(&sums, space, &census) != OC_OK ||
        oc_families_finish(sums.families, &census) != OC_OK)
        abort();
    bytes = oc_census_sum_bytes(&census, OC_USAGE_COUNT, OC_REGION_TYPES, OC_REGION_STATES) -
            oc_census_sum_bytes(&census, OC_USAGE_FREE, OC_REGION_TYPES, OC_REGION_STATES);
    assert(bytes == seen.bytes && bytes == sums.bytes);
    oc_families_free(sums.families);
    oc_census_clear(&census);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_lx_thread threads[64];
    struct oc_lx_space space;
    char *text = NULL;

    if (size == 0)
        return 0;
    memset(&space, 0, sizeof space);
    text = malloc(size - 1 ? size - 1 : 1); /* of the exact size, so that a byte too far is found */
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    take(&space, text, size - 1);
    space.knows_threads = data[0] & 1;
    if (data[0] & 2)
        add_threads(&space, threads, sizeof threads / sizeof threads[0]);
    oc_lx_classify(&space);
    tally(&space);
    space.threads = NULL;
    oc_lx_space_clear(&space);
    free(text);
    return 0;
}
