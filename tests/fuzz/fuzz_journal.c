/* Journal rows as they may lie in a damaged file. target: fuzz_journal.c deps: storage_dep */
#include "storage/format/journal.h"

static int ignore(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
                  void *context)
{
    (void)source, (void)t_ms, (void)sample, (void)same;
    return ++*(int *)context > 20000; /* a run of a billion "same" is no finding */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oc_replay *replay = oc_replay_new(UINT32_MAX);
    int count = 0;

    if (replay && oc_replay_row(replay, 1, data, size, ignore, &count) == 0)
        (void)oc_replay_each(replay, ignore, &count);
    oc_replay_free(replay);
    return 0;
}
