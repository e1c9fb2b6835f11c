#include "storage/format/journal.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/varint.h"

#include <string.h>
#include <zstd.h>

#define OC_JOURNAL_VERSION 1
#define OC_JOURNAL_KIND_BITS 3
#define OC_JOURNAL_KIND_MASK 7u

/* ---- writing ---- */

void oc_journal_writer_init(struct oc_journal_writer *writer, size_t max_bytes)
{
    *writer = (struct oc_journal_writer){ 0 };
    oc_buf_init(&writer->body, max_bytes);
}

void oc_journal_writer_clear(struct oc_journal_writer *writer)
{
    size_t max_bytes = writer->body.max_bytes;

    oc_buf_clear(&writer->body);
    oc_journal_writer_init(writer, max_bytes);
}

void oc_journal_writer_reset(struct oc_journal_writer *writer)
{
    oc_buf_reset(&writer->body);
    writer->last_t_ms = 0;
    writer->run_count = 0;
    writer->in_tick = 0;
    writer->sample_count = 0;
}

static void put_varint(struct oc_buf *buf, uint64_t value)
{
    uint8_t *begin = oc_buf_reserve(buf, OC_VARINT_MAX_BYTES);

    if (begin)
        oc_buf_used(buf, (size_t)(oc_varint_put(begin, value) - begin));
}

static void put_entry(struct oc_journal_writer *writer, uint32_t source, unsigned kind)
{
    int64_t gap = (int64_t)source - (int64_t)writer->next_source;

    put_varint(&writer->body, oc_zigzag(gap) << OC_JOURNAL_KIND_BITS | kind);
    writer->next_source = source + 1;
}

static void end_run(struct oc_journal_writer *writer)
{
    if (!writer->run_count)
        return;
    put_entry(writer, writer->run_first, OC_JOURNAL_SAME);
    put_varint(&writer->body, writer->run_count - 1);
    writer->next_source = writer->run_first + writer->run_count;
    writer->run_count = 0;
}

void oc_journal_tick_begin(struct oc_journal_writer *writer, int64_t t_ms)
{
    put_varint(&writer->body, oc_zigzag(oc_wrap_sub(t_ms, writer->last_t_ms)));
    writer->last_t_ms = t_ms;
    writer->next_source = 0;
    writer->block = 0;
    writer->in_tick = 1;
}

void oc_journal_same(struct oc_journal_writer *writer, uint32_t source)
{
    writer->sample_count++;
    if (writer->run_count && source == writer->run_first + writer->run_count) {
        writer->run_count++;
        return;
    }
    end_run(writer);
    writer->run_first = source;
    writer->run_count = 1;
}

void oc_journal_sample(struct oc_journal_writer *writer, uint32_t source, unsigned block,
                       enum oc_delta_kind kind, const uint8_t *body, size_t body_bytes)
{
    end_run(writer);
    if (block != writer->block) {
        put_varint(&writer->body, OC_JOURNAL_BLOCK);
        put_varint(&writer->body, block);
        writer->block = (uint8_t)block;
    }
    put_entry(writer, source, OC_JOURNAL_DELTA + (unsigned)kind);
    oc_buf_add(&writer->body, body, body_bytes);
    writer->sample_count++;
}

void oc_journal_tick_end(struct oc_journal_writer *writer)
{
    end_run(writer);
    put_varint(&writer->body, OC_JOURNAL_END);
    writer->in_tick = 0;
}

/* ---- reading ---- */

static int decompress(const uint8_t *at, const uint8_t *end, uint8_t **out_owned, size_t *out_bytes)
{
    uint64_t want;
    uint8_t *body;
    size_t got;

    at = oc_varint_get(at, end, &want);
    if (!at)
        return OC_E_PARSE;
    if (want > OC_JOURNAL_MAX_ROW_BYTES)
        return OC_E_TOOBIG;
    body = oc_malloc((size_t)want + 1);
    if (!body)
        return OC_E_NOMEM;
    got = ZSTD_decompress(body, (size_t)want, at, (size_t)(end - at));
    if (ZSTD_isError(got) || got != want) {
        oc_free(body);
        return OC_E_PARSE;
    }
    *out_owned = body;
    *out_bytes = got;
    return OC_OK;
}

int oc_journal_unpack(const void *blob, size_t blob_bytes, uint8_t **out_owned,
                      const uint8_t **out_body, size_t *out_bytes)
{
    const uint8_t *at = blob;
    int rc;

    *out_owned = NULL;
    if (blob_bytes < 2)
        return OC_E_PARSE;
    if (at[0] != OC_JOURNAL_VERSION || at[1] > 1)
        return OC_E_NEWER;
    if (at[1] == 0) {
        *out_body = at + 2;
        *out_bytes = blob_bytes - 2;
        return OC_OK;
    }
    rc = decompress(at + 2, at + blob_bytes, out_owned, out_bytes);
    if (rc == OC_OK)
        *out_body = *out_owned;
    return rc;
}

void oc_journal_cursor_init(struct oc_journal_cursor *cursor, const uint8_t *body, size_t bytes)
{
    *cursor = (struct oc_journal_cursor){ .at = body, .end = body + bytes };
}

/* The head of a tick, where there is one. */
static int next_tick(struct oc_journal_cursor *cursor)
{
    uint64_t step;

    if (cursor->at == cursor->end)
        return 0;
    cursor->at = oc_varint_get(cursor->at, cursor->end, &step);
    if (!cursor->at)
        return OC_E_PARSE;
    cursor->t_ms = oc_wrap_add(cursor->t_ms, oc_unzigzag(step));
    cursor->next_source = 0;
    cursor->block = 0;
    cursor->in_tick = 1;
    return 1;
}

static int set_block(struct oc_journal_cursor *cursor)
{
    uint64_t block;

    cursor->at = oc_varint_get(cursor->at, cursor->end, &block);
    if (!cursor->at || block > UINT8_MAX)
        return OC_E_PARSE;
    cursor->block = (uint8_t)block;
    return OC_OK;
}

static int read_same(struct oc_journal_cursor *cursor, struct oc_journal_entry *entry)
{
    uint64_t more;

    cursor->at = oc_varint_get(cursor->at, cursor->end, &more);
    if (!cursor->at || more >= UINT32_MAX - entry->source)
        return OC_E_PARSE;
    entry->same_count = (uint32_t)more + 1;
    cursor->next_source = entry->source + entry->same_count;
    return 1;
}

static int read_sample(struct oc_journal_cursor *cursor, unsigned kind,
                       struct oc_journal_entry *entry)
{
    const uint8_t *after;

    entry->kind = (enum oc_delta_kind)(kind - OC_JOURNAL_DELTA);
    after = oc_delta_skip(entry->kind, cursor->at, cursor->end);
    if (!after)
        return OC_E_PARSE;
    entry->same_count = 0;
    entry->block = cursor->block;
    entry->body = cursor->at;
    entry->body_bytes = (size_t)(after - cursor->at);
    cursor->at = after;
    cursor->next_source = entry->source + 1;
    return 1;
}

/* What follows an entry's head. 1, 0 where it was no sample, or OC_E_PARSE. */
static int read_entry(struct oc_journal_cursor *cursor, uint64_t head,
                      struct oc_journal_entry *out_entry)
{
    unsigned kind = (unsigned)(head & OC_JOURNAL_KIND_MASK);
    int64_t source = oc_wrap_add(oc_unzigzag(head >> OC_JOURNAL_KIND_BITS), cursor->next_source);

    if (kind == OC_JOURNAL_END) {
        cursor->in_tick = 0;
        return 0;
    }
    if (kind == OC_JOURNAL_BLOCK)
        return set_block(cursor);
    if (source < 0 || source > UINT32_MAX)
        return OC_E_PARSE;
    out_entry->source = (uint32_t)source;
    out_entry->t_ms = cursor->t_ms;
    if (kind == OC_JOURNAL_SAME)
        return read_same(cursor, out_entry);
    if (kind <= OC_JOURNAL_DELTA + OC_DELTA_RESET)
        return read_sample(cursor, kind, out_entry);
    return OC_E_PARSE;
}

int oc_journal_next(struct oc_journal_cursor *cursor, struct oc_journal_entry *out_entry)
{
    for (;;) {
        uint64_t head;
        int rc;

        if (!cursor->in_tick) {
            rc = next_tick(cursor);
            if (rc <= 0)
                return rc;
        }
        cursor->at = oc_varint_get(cursor->at, cursor->end, &head);
        if (!cursor->at)
            return OC_E_PARSE;
        rc = read_entry(cursor, head, out_entry);
        if (rc)
            return rc;
    }
}
