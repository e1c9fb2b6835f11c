/* A recording of Windows: its lines, and a walk of whatever its answers are. */
/* target: fuzz_win_record.c deps: probes_windows_dep */
#include "probes/windows/contract.h"
#include "probes/windows/record.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct oc_win *win)
{
    const struct oc_walk_request request = { .pid = oc_win_replay_pid(win), .want = OC_WALK_USUAL };
    struct oc_walk walk = { 0 };

    if (oc_win_walk(win, &request, &walk) != OC_OK)
        return;
    assert(walk.limit_count <= OC_WALK_LIMITS_MAX);
    if (walk.census.has_regions && walk.census.is_32bit)
        assert(oc_census_sum_bytes(&walk.census, OC_USAGE_COUNT, OC_REGION_TYPES,
                                   OC_REGION_STATES) <= UINT32_MAX);
    oc_walk_clear(&walk);
}

static void redact(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size ? size : 1);
    char *text = NULL;

    if (!bytes)
        return;
    if (size)
        memcpy(bytes, data, size);
    oc_win_redact_memory(bytes, size);
    text = oc_win_redact_config((const char *)bytes, size);
    oc_free(text);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */
    struct oc_win *win = NULL;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    if (oc_win_replay_open(text, size, &win, NULL) == OC_OK) {
        walk(win);
        oc_win_replay_close(win);
    }
    redact(data, size);
    free(text);
    return 0;
}
