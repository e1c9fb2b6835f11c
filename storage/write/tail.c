#include "storage/write/tail.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/varint.h"

#include <assert.h>
#include <string.h>

#define OC_POOL_SLAB_BLOCKS 64
#define OC_POOL_DATA_BYTES                                                                         \
    (OC_POOL_BLOCK_BYTES - sizeof(uint32_t)) /* a block begins with its next */

enum op { OP_RUN = 0, OP_SAMPLE = 1, OP_SAME = 2, OP_BITS = 2, OP_MASK = 3 };

/* ---- the pool ---- */

static uint8_t *block_at(const struct oc_pool *pool, uint32_t index)
{
    return pool->slabs[index / OC_POOL_SLAB_BLOCKS] +
           (size_t)(index % OC_POOL_SLAB_BLOCKS) * OC_POOL_BLOCK_BYTES;
}

static uint32_t next_of(const struct oc_pool *pool, uint32_t index)
{
    uint32_t next;

    memcpy(&next, block_at(pool, index), sizeof next);
    return next;
}

static void set_next(struct oc_pool *pool, uint32_t index, uint32_t next)
{
    memcpy(block_at(pool, index), &next, sizeof next);
}

void oc_pool_init(struct oc_pool *pool, uint64_t max_bytes)
{
    uint64_t slabs = max_bytes / ((size_t)OC_POOL_SLAB_BLOCKS * OC_POOL_BLOCK_BYTES);

    *pool = (struct oc_pool){ .free_head = OC_POOL_NONE };
    pool->max_slabs = slabs > UINT32_MAX / OC_POOL_SLAB_BLOCKS ? UINT32_MAX / OC_POOL_SLAB_BLOCKS
                                                               : (uint32_t)slabs;
}

void oc_pool_clear(struct oc_pool *pool)
{
    for (size_t i = 0; i < pool->slab_count; i++)
        oc_free(pool->slabs[i]);
    oc_free(pool->slabs);
    *pool = (struct oc_pool){ .free_head = OC_POOL_NONE };
}

static int add_slab(struct oc_pool *pool)
{
    void *slabs = pool->slabs;
    uint8_t *slab;
    uint32_t first = (uint32_t)pool->slab_count * OC_POOL_SLAB_BLOCKS;

    int rc =
        oc_array_grow(&slabs, &pool->slab_cap, pool->slab_count + 1, sizeof slab, pool->max_slabs);

    if (rc < 0)
        return rc;
    pool->slabs = slabs;
    slab = oc_malloc((size_t)OC_POOL_SLAB_BLOCKS * OC_POOL_BLOCK_BYTES);
    if (!slab)
        return OC_E_NOMEM;
    pool->slabs[pool->slab_count++] = slab;
    for (uint32_t i = OC_POOL_SLAB_BLOCKS; i-- > 0;) {
        set_next(pool, first + i, pool->free_head);
        pool->free_head = first + i;
    }
    pool->free_count += OC_POOL_SLAB_BLOCKS;
    return OC_OK;
}

int oc_pool_reserve(struct oc_pool *pool, uint32_t count)
{
    int rc = OC_OK;

    while (pool->free_count < count && rc == OC_OK)
        rc = add_slab(pool);
    return rc;
}

static uint32_t take_block(struct oc_pool *pool)
{
    uint32_t index = pool->free_head;

    assert(pool->free_count > 0); /* reserved before */
    pool->free_head = next_of(pool, index);
    pool->free_count--;
    pool->used_blocks++;
    set_next(pool, index, OC_POOL_NONE);
    return index;
}

static void give_block(struct oc_pool *pool, uint32_t index)
{
    set_next(pool, index, pool->free_head);
    pool->free_head = index;
    pool->free_count++;
    pool->used_blocks--;
}

/* ---- writing ---- */

void oc_tail_init(struct oc_tail *tail, unsigned block)
{
    *tail = (struct oc_tail){ .block = (uint8_t)block,
                              .first_block = OC_POOL_NONE,
                              .last_block = OC_POOL_NONE };
}

void oc_tail_empty(struct oc_tail *tail, struct oc_pool *pool)
{
    for (uint32_t index = tail->first_block; index != OC_POOL_NONE;) {
        uint32_t next = next_of(pool, index);

        give_block(pool, index);
        index = next;
    }
    tail->first_block = tail->last_block = OC_POOL_NONE;
    tail->used = tail->bytes = 0;
    tail->run = tail->sample_count = 0;
    tail->pace_ms = 0; /* each chunk's bytes are read back by themselves */
    tail->due = tail->sealing = 0;
}

void oc_tail_clear(struct oc_tail *tail, struct oc_pool *pool)
{
    oc_tail_empty(tail, pool);
    oc_packed_clear(&tail->last);
}

/* Makes sure that bytes more can be written. */
static int reserve(const struct oc_tail *tail, struct oc_pool *pool, size_t bytes)
{
    size_t room = tail->last_block == OC_POOL_NONE ? 0 : OC_POOL_DATA_BYTES - tail->used;

    if (bytes <= room)
        return OC_OK;
    return oc_pool_reserve(pool, (uint32_t)((bytes - room - 1) / OC_POOL_DATA_BYTES + 1));
}

static void add_block(struct oc_tail *tail, struct oc_pool *pool)
{
    uint32_t index = take_block(pool);

    if (tail->last_block == OC_POOL_NONE)
        tail->first_block = index;
    else
        set_next(pool, tail->last_block, index);
    tail->last_block = index;
    tail->used = 0;
}

/* Writes bytes for which room was reserved. */
static void write_bytes(struct oc_tail *tail, struct oc_pool *pool, const uint8_t *bytes,
                        size_t count)
{
    tail->bytes += (uint32_t)count;
    while (count) {
        size_t part;

        if (tail->last_block == OC_POOL_NONE || tail->used == OC_POOL_DATA_BYTES)
            add_block(tail, pool);
        part = OC_POOL_DATA_BYTES - tail->used;
        part = count < part ? count : part;
        memcpy(block_at(pool, tail->last_block) + sizeof(uint32_t) + tail->used, bytes, part);
        tail->used += (uint32_t)part;
        bytes += part;
        count -= part;
    }
}

/* The run of plain samples so far, if there is one; at has room for a varint. */
static uint8_t *put_run(const struct oc_tail *tail, uint8_t *at)
{
    return tail->run ? oc_varint_put(at, (uint64_t)tail->run << OP_BITS | OP_RUN) : at;
}

static void took_sample(struct oc_tail *tail, int64_t t_ms)
{
    if (tail->sample_count++ == 0)
        tail->t0_ms = t_ms;
    tail->last_t_ms = t_ms;
}

int oc_tail_same(struct oc_tail *tail, struct oc_pool *pool, int64_t t_ms)
{
    uint8_t op[3 * OC_VARINT_MAX_BYTES], *at;
    int64_t step = t_ms - tail->last_t_ms;
    int rc;

    assert(tail->sample_count > 0);
    if (step != tail->pace_ms) {
        at = put_run(tail, op);
        *at++ = OP_SAME;
        at = oc_varint_put(at, oc_zigzag(step));
        rc = reserve(tail, pool, (size_t)(at - op));
        if (rc < 0)
            return rc;
        write_bytes(tail, pool, op, (size_t)(at - op));
        tail->run = 0;
        tail->pace_ms = step;
    } else {
        tail->run++;
    }
    took_sample(tail, t_ms);
    return OC_OK;
}

int oc_tail_sample(struct oc_tail *tail, struct oc_pool *pool, int64_t t_ms,
                   const struct oc_sample *sample, enum oc_delta_kind kind, const uint8_t *body,
                   size_t body_bytes)
{
    uint8_t op[3 * OC_VARINT_MAX_BYTES], *at = put_run(tail, op);
    int64_t step = tail->sample_count ? t_ms - tail->last_t_ms : tail->pace_ms;
    unsigned turned = step != tail->pace_ms;
    int rc;

    at = oc_varint_put(at, (unsigned)kind << (OP_BITS + 1) | turned << OP_BITS | OP_SAMPLE);
    if (turned)
        at = oc_varint_put(at, oc_zigzag(step));
    rc = reserve(tail, pool, (size_t)(at - op) + body_bytes);
    if (rc == OC_OK)
        rc = oc_packed_set(&tail->last, sample);
    if (rc < 0)
        return rc;
    write_bytes(tail, pool, op, (size_t)(at - op));
    write_bytes(tail, pool, body, body_bytes);
    tail->run = 0;
    tail->pace_ms = step;
    tail->has_last = 1;
    took_sample(tail, t_ms);
    return OC_OK;
}

/* ---- reading back ---- */

/* All bytes side by side, and the open run after them. Returns the end. */
static const uint8_t *gather(const struct oc_tail *tail, const struct oc_pool *pool,
                             uint8_t *out_bytes)
{
    uint8_t *at = out_bytes;

    for (uint32_t index = tail->first_block; index != OC_POOL_NONE; index = next_of(pool, index)) {
        size_t used = index == tail->last_block ? tail->used : OC_POOL_DATA_BYTES;

        memcpy(at, block_at(pool, index) + sizeof(uint32_t), used);
        at += used;
    }
    return put_run(tail, at);
}

/* Goes through the samples: `same` of them like the last, or one whose figures are in *packed. */
struct tail_cursor {
    const uint8_t *at, *end;
    struct oc_packed packed;
    int64_t room[OC_BLOCK_METRICS];
    int64_t pace_ms;
    uint64_t same_count; /* of the step just made; 0: a sample */
};

static void cursor_init(struct tail_cursor *cursor, const uint8_t *bytes, const uint8_t *end)
{
    *cursor = (struct tail_cursor){ .at = bytes, .end = end };
    cursor->packed.values = cursor->room;
    cursor->packed.value_cap = OC_BLOCK_METRICS;
}

static int cursor_pace(struct tail_cursor *cursor)
{
    uint64_t coded;

    cursor->at = oc_varint_get(cursor->at, cursor->end, &coded);
    if (!cursor->at)
        return OC_E_PARSE;
    cursor->pace_ms = oc_unzigzag(coded);
    return OC_OK;
}

/* 1, 0 at the end, or OC_E_PARSE: our own bytes do not hold together. */
static int cursor_next(struct tail_cursor *cursor)
{
    uint64_t head;
    int rc = OC_OK;

    if (cursor->at == cursor->end)
        return 0;
    cursor->at = oc_varint_get(cursor->at, cursor->end, &head);
    if (!cursor->at)
        return OC_E_PARSE;
    cursor->same_count = (head & OP_MASK) == OP_RUN ? head >> OP_BITS : 0;
    if ((head & OP_MASK) == OP_SAME) {
        cursor->same_count = 1;
        rc = cursor_pace(cursor);
    } else if ((head & OP_MASK) == OP_SAMPLE) {
        if (head >> OP_BITS & 1)
            rc = cursor_pace(cursor);
        if (rc == OC_OK)
            rc = oc_delta_get(&cursor->packed, (enum oc_delta_kind)(head >> (OP_BITS + 1)),
                              cursor->at, cursor->end, &cursor->at);
    }
    return rc < 0 ? rc : 1;
}

int oc_tail_ever(const struct oc_tail *tail, const struct oc_pool *pool, uint8_t *bytes,
                 uint64_t *out_ever)
{
    struct tail_cursor cursor;
    int rc;

    cursor_init(&cursor, bytes, gather(tail, pool, bytes));
    *out_ever = 0;
    while ((rc = cursor_next(&cursor)) == 1)
        *out_ever |= cursor.packed.known;
    return rc;
}

/* Puts count samples like packed from row on into the columns. */
static void fill_rows(const struct tail_cursor *cursor, uint64_t ever, uint32_t row, uint32_t count,
                      uint32_t rows, int64_t *values)
{
    const int64_t *in = cursor->packed.values;

    for (uint64_t bits = ever; bits; bits &= bits - 1, values += rows) {
        uint64_t bit = bits & (0 - bits);
        int64_t value = cursor->packed.known & bit ? *in++ : 0;

        for (uint32_t i = row; i < row + count; i++)
            values[i] = value;
    }
}

int oc_tail_columns(const struct oc_tail *tail, const struct oc_pool *pool, uint8_t *bytes,
                    uint64_t ever, int64_t *out_t_ms, uint64_t *out_known, int64_t *out_values)
{
    struct tail_cursor cursor;
    int64_t t_ms = 0;
    uint32_t row = 0;
    int rc;

    cursor_init(&cursor, bytes, gather(tail, pool, bytes));
    while ((rc = cursor_next(&cursor)) == 1) {
        uint64_t count = cursor.same_count ? cursor.same_count : 1;

        if (count > tail->sample_count - row)
            return OC_E_PARSE;
        fill_rows(&cursor, ever, row, (uint32_t)count, tail->sample_count, out_values);
        for (; count; count--, row++) {
            t_ms = row ? t_ms + cursor.pace_ms : tail->t0_ms;
            out_t_ms[row] = t_ms;
            out_known[row] = cursor.packed.known;
        }
    }
    return rc < 0 ? rc : row == tail->sample_count ? OC_OK : OC_E_PARSE;
}
