/*
 * Open samples: what a source's block has taken in since its last chunk, as bytes of what changed
 * in a pool of small blocks, since 512 samples of 16 figures would be 64 KiB a source.
 *
 *   op   := varint (n << 2 | 0): n samples as the one before, each one pace later
 *           varint (kind << 3 | step << 2 | 1), if step: zigzag pace, body of delta.h: a sample one pace later
 *           varint (2), zigzag pace: a sample as the one before, a new pace later
 *
 * For storage/write/ alone.
 */
#ifndef OC_STORAGE_WRITE_TAIL_H
#define OC_STORAGE_WRITE_TAIL_H

#include "storage/format/delta.h"

#include <stddef.h>
#include <stdint.h>

#define OC_POOL_BLOCK_BYTES 256
#define OC_POOL_NONE UINT32_MAX

struct oc_pool {
    uint8_t **slabs;
    size_t slab_count, slab_cap;
    uint32_t free_head, free_count;
    uint32_t max_slabs;
    uint32_t used_blocks;
};

void oc_pool_init(struct oc_pool *pool, uint64_t max_bytes);
void oc_pool_clear(struct oc_pool *pool);
/* Makes sure of count free blocks. 0, OC_E_NOMEM, or OC_E_TOOBIG at the maximum. */
int oc_pool_reserve(struct oc_pool *pool, uint32_t count);

struct oc_tail {
    struct oc_tail *next;  /* the source's next block of metrics */
    struct oc_packed last; /* the last sample, kept when the samples are sealed */
    int64_t last_t_ms;
    int64_t pace_ms;       /* between the last two */
    uint32_t run;          /* samples like the last, a pace apart, not yet in the bytes */
    uint32_t sample_count; /* open */
    int64_t t0_ms;         /* of the first open one */
    uint32_t first_block, last_block; /* in the pool */
    uint32_t used;                    /* bytes of last_block */
    uint32_t bytes;                   /* in all */
    uint32_t seal_samples;            /* sealed at so many */
    uint32_t epoch;                   /* of its last reset in the journal */
    int64_t first_row;                /* journal row of the first open sample */
    uint8_t block;                    /* enum oc_block */
    uint8_t has_last;
    uint8_t stale;   /* a sample after the last could not be taken in: the last does not stand */
    uint8_t due;     /* to be sealed with the next commit */
    uint8_t sealing; /* its chunk is in the transaction now open */
};

void oc_tail_init(struct oc_tail *tail, unsigned block);
void oc_tail_clear(struct oc_tail *tail, struct oc_pool *pool);

/* Drops the open samples (they are in a chunk, or lost); the last one still stands for "same". */
void oc_tail_empty(struct oc_tail *tail, struct oc_pool *pool);

/* A sample like the last, at t_ms > last_t_ms. 0, OC_E_NOMEM or OC_E_TOOBIG (the pool's maximum). Cost: a counter, if it is a pace later. */
int oc_tail_same(struct oc_tail *tail, struct oc_pool *pool, int64_t t_ms);

/*
 * A sample that differs; body and kind from oc_delta_put() after tail->last. Takes sample over
 * as the last. 0, OC_E_NOMEM or OC_E_TOOBIG (then nothing changed).
 */
int oc_tail_sample(struct oc_tail *tail, struct oc_pool *pool, int64_t t_ms,
                   const struct oc_sample *sample, enum oc_delta_kind kind, const uint8_t *body,
                   size_t body_bytes);

/*
 * The open samples as columns: t_ms[sample_count]; known[sample_count] masks; values of metric bit
 * i at values[rank * sample_count] where rank counts the bits of *out_ever below i. bytes is
 * scratch of tail->bytes + OC_DELTA_MAX_BYTES. The caller has found *out_ever by oc_tail_ever().
 */
int oc_tail_columns(const struct oc_tail *tail, const struct oc_pool *pool, uint8_t *bytes,
                    uint64_t ever, int64_t *out_t_ms, uint64_t *out_known, int64_t *out_values);

/* Figures known in any open sample. bytes as above. */
int oc_tail_ever(const struct oc_tail *tail, const struct oc_pool *pool, uint8_t *bytes,
                 uint64_t *out_ever);

#endif
