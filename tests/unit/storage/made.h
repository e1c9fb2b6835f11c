/* Made-up figures for the tests of the store: the same at each run. */
#ifndef OC_TEST_STORAGE_MADE_H
#define OC_TEST_STORAGE_MADE_H

#include "base/sample.h"

#include <stdint.h>

static inline uint64_t made_u64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A whole number of any size, small ones as likely as large ones. */
static inline int64_t made_i64(uint64_t *state)
{
    uint64_t bits = made_u64(state);

    return (int64_t)(made_u64(state) >> (bits & 63)) * (bits & 64 ? -1 : 1);
}

/* A process that does something now and then: values that a checker can make again. */
static inline void made_sample(uint32_t source, int64_t step, struct oc_sample *out_sample)
{
    int64_t slow = step / (3 + source % 5), fast = source % 4 == 0 ? step : slow;

    out_sample->block = OC_BLOCK_PROCESS;
    out_sample->known = 0;
    for (int bit = 1; bit <= 15; bit++)
        oc_sample_set(out_sample, (enum oc_metric)bit,
                      (int64_t)source * 4096 + bit * 65536 + (bit < 8 ? slow : fast) * 4096);
    if (step % 60 < 30)
        oc_sample_set(out_sample, OC_METRIC_MAPPINGS, 100 + (int64_t)source);
}

#endif
