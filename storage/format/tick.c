#include "storage/tick.h"

#include "base/err.h"
#include "storage/format/delta.h"

#include <assert.h>
#include <string.h>

/*
 * Bytes: a head, then entries. Values are plain 64-bit integers in the machine's order: a tick
 * never leaves the process, and the writer's time is what counts.
 */
struct tick_head {
    uint32_t last_source; /* named last */
    uint32_t run_at;      /* offset of the run of "same" now open; 0: none */
};

/* Before every entry. */
struct entry_head {
    uint32_t source;
    uint32_t same_count; /* > 0: "same" for source, source + 1, …; no values follow */
    uint64_t known;
    uint64_t block;
};

#define OC_TICK_BLOCK_MAX OC_BLOCK_COUNT

void oc_tick_init(struct oc_tick *tick)
{
    *tick = (struct oc_tick){ .keyed = 1 };
    oc_buf_init(&tick->bytes, OC_TICK_MAX_BYTES);
}

void oc_tick_clear(struct oc_tick *tick)
{
    oc_buf_clear(&tick->bytes);
    oc_tick_init(tick);
}

void oc_tick_begin(struct oc_tick *tick, int64_t t_ms)
{
    static const struct tick_head head = { 0 };

    oc_buf_reset(&tick->bytes);
    oc_buf_add(&tick->bytes, &head, sizeof head);
    tick->t_ms = t_ms;
    tick->source_count = 0;
    tick->keyed = 1;
}

static struct tick_head *head_of(struct oc_tick *tick)
{
    return tick->bytes.len_bytes < sizeof(struct tick_head) ? NULL : (void *)tick->bytes.data;
}

/* Lengthens the open run by source where that is its next one. */
static int extend_run(struct oc_tick *tick, struct tick_head *head, uint32_t source)
{
    struct entry_head run;

    if (!head->run_at || source != head->last_source + 1)
        return 0;
    memcpy(&run, tick->bytes.data + head->run_at, sizeof run);
    run.same_count++;
    memcpy(tick->bytes.data + head->run_at, &run, sizeof run);
    head->last_source = source;
    return 1;
}

void oc_tick_same(struct oc_tick *tick, uint32_t source)
{
    struct entry_head entry = { .source = source, .same_count = 1 };
    struct tick_head *head = head_of(tick);
    uint32_t at = (uint32_t)tick->bytes.len_bytes;

    if (!head || tick->bytes.err)
        return;
    tick->source_count++;
    tick->keyed = 0;
    if (extend_run(tick, head, source))
        return;
    oc_buf_add(&tick->bytes, &entry, sizeof entry);
    if (tick->bytes.err)
        return;
    head = head_of(tick); /* the buffer may have moved */
    assert(head);
    head->run_at = at;
    head->last_source = source;
}

void oc_tick_put(struct oc_tick *tick, uint32_t source, const struct oc_sample *sample)
{
    struct entry_head entry = { .source = source, .known = sample->known, .block = sample->block };
    struct oc_packed packed = { 0 };
    int64_t values[OC_BLOCK_METRICS];
    size_t value_bytes = oc_popcount64(sample->known) * sizeof *values;
    char *at = oc_buf_reserve(&tick->bytes, sizeof entry + value_bytes);
    struct tick_head *head = NULL;

    if (!at || !head_of(tick))
        return;
    packed.values = values;
    packed.value_cap = OC_BLOCK_METRICS;
    (void)oc_packed_set(&packed, sample); /* there is room */
    memcpy(at, &entry, sizeof entry);
    memcpy(at + sizeof entry, values, value_bytes);
    oc_buf_used(&tick->bytes, sizeof entry + value_bytes);
    tick->source_count++;
    head = head_of(tick); /* the buffer may have moved */
    assert(head);
    head->run_at = 0;
    head->last_source = source;
}

void oc_tick_cursor_init(struct oc_tick_cursor *cursor, const void *bytes, size_t len_bytes)
{
    *cursor = (struct oc_tick_cursor){ .at = bytes };
    cursor->end = cursor->at ? cursor->at + len_bytes : NULL;
    if (len_bytes)
        cursor->at += len_bytes < sizeof(struct tick_head) ? len_bytes : sizeof(struct tick_head);
}

/* The figures of an entry, which are at cursor->at. */
static int read_values(struct oc_tick_cursor *cursor, const struct entry_head *head,
                       struct oc_tick_entry *out_entry)
{
    int64_t values[OC_BLOCK_METRICS];
    size_t value_bytes = oc_popcount64(head->known) * sizeof *values;
    struct oc_packed packed = { .known = head->known, .values = values };

    if (head->block >= OC_TICK_BLOCK_MAX || (size_t)(cursor->end - cursor->at) < value_bytes)
        return OC_E_PARSE;
    memcpy(values, cursor->at, value_bytes);
    oc_packed_get(&packed, &out_entry->sample);
    cursor->at += value_bytes;
    out_entry->sample.block = (uint8_t)head->block;
    out_entry->source = head->source;
    out_entry->same = 0;
    return 1;
}

int oc_tick_next(struct oc_tick_cursor *cursor, struct oc_tick_entry *out_entry)
{
    struct entry_head head;

    if (cursor->run_left) {
        cursor->run_left--;
        out_entry->source = ++cursor->last_source;
        out_entry->same = 1;
        return 1;
    }
    if (cursor->at == cursor->end)
        return 0;
    if ((size_t)(cursor->end - cursor->at) < sizeof head)
        return OC_E_PARSE;
    memcpy(&head, cursor->at, sizeof head);
    cursor->at += sizeof head;
    if (!head.same_count)
        return read_values(cursor, &head, out_entry);
    if (head.same_count - 1 > UINT32_MAX - head.source)
        return OC_E_PARSE;
    cursor->run_left = head.same_count - 1;
    cursor->last_source = head.source;
    out_entry->source = head.source;
    out_entry->same = 1;
    return 1;
}
