#include "storage/format/chunk.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/chunk_codec.h"
#include "storage/format/varint.h"

#include <limits.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* contexts whose memory comes from oc_malloc */
#include <zstd.h>

static void *zstd_alloc(void *context, size_t size_bytes)
{
    (void)context;
    return oc_malloc(size_bytes);
}

static void zstd_free(void *context, void *memory)
{
    (void)context;
    oc_free(memory);
}

static const ZSTD_customMem zstd_memory = { zstd_alloc, zstd_free, NULL };

struct ZSTD_CCtx_s *oc_codec_compressor(oc_codec *codec)
{
    if (!codec->cctx)
        codec->cctx = ZSTD_createCCtx_advanced(zstd_memory);
    return codec->cctx;
}

oc_codec *oc_codec_new(void)
{
    oc_codec *codec = oc_calloc(1, sizeof *codec);

    if (!codec)
        return NULL;
    oc_buf_init(&codec->unpacked, OC_CHUNK_MAX_BODY_BYTES + 1);
    oc_buf_init(&codec->columns, OC_CHUNK_MAX_BODY_BYTES);
    oc_buf_init(&codec->summary, OC_CHUNK_MAX_BODY_BYTES);
    oc_buf_init(&codec->body, OC_CHUNK_MAX_BODY_BYTES);
    oc_buf_init(&codec->blob, OC_CHUNK_MAX_BODY_BYTES);
    oc_buf_init(&codec->summary_blob, OC_CHUNK_MAX_BODY_BYTES);
    return codec;
}

void oc_codec_free(oc_codec *codec)
{
    if (!codec)
        return;
    (void)ZSTD_freeDCtx(codec->dctx);
    (void)ZSTD_freeCCtx(codec->cctx);
    oc_buf_clear(&codec->unpacked);
    oc_buf_clear(&codec->columns);
    oc_buf_clear(&codec->summary);
    oc_buf_clear(&codec->body);
    oc_buf_clear(&codec->blob);
    oc_buf_clear(&codec->summary_blob);
    oc_free(codec->packed_values);
    oc_free(codec);
}

static int unpack(oc_codec *codec, const uint8_t *at, const uint8_t *end, const uint8_t **out_body,
                  size_t *out_bytes)
{
    uint64_t want;
    size_t got;
    void *room;

    at = oc_varint_get(at, end, &want);
    if (!at)
        return OC_E_PARSE;
    if (want > OC_CHUNK_MAX_BODY_BYTES)
        return OC_E_TOOBIG;
    if (!codec->dctx)
        codec->dctx = ZSTD_createDCtx_advanced(zstd_memory);
    oc_buf_reset(&codec->unpacked);
    room = oc_buf_reserve(&codec->unpacked, (size_t)want + 1);
    if (!codec->dctx || !room)
        return OC_E_NOMEM;
    got = ZSTD_decompressDCtx(codec->dctx, room, (size_t)want, at, (size_t)(end - at));
    if (ZSTD_isError(got) || got != want)
        return OC_E_PARSE;
    *out_body = room;
    *out_bytes = got;
    return OC_OK;
}

static int parse_heads(struct oc_chunk *chunk, const uint8_t *at, const uint8_t *end)
{
    uint64_t samples = 0, columns = 0, bytes = 0, gap = 0, id = 0;

    at = oc_varint_get(at, end, &samples);
    if (at)
        at = oc_varint_get(at, end, &columns);
    if (at)
        at = oc_varint_get(at, end, &bytes);
    if (!at || samples == 0 || samples > OC_CHUNK_MAX_SAMPLES || columns > OC_CHUNK_MAX_COLUMNS ||
        bytes > OC_CHUNK_MAX_BODY_BYTES)
        return OC_E_PARSE;
    chunk->sample_count = (uint32_t)samples;
    chunk->column_count = (uint32_t)columns;
    chunk->times_bytes = (uint32_t)bytes;
    for (uint32_t i = 0; i < chunk->column_count; i++) {
        at = oc_varint_get(at, end, &gap);
        if (at)
            at = oc_varint_get(at, end, &bytes);
        if (!at || (i && gap == 0) || gap > UINT32_MAX || bytes > OC_CHUNK_MAX_BODY_BYTES)
            return OC_E_PARSE;
        id += gap;
        if (id > UINT32_MAX)
            return OC_E_PARSE;
        chunk->columns[i].id = (uint32_t)id;
        chunk->columns[i].bytes = (uint32_t)bytes;
    }
    chunk->times = at;
    return OC_OK;
}

/* Lays the columns' bytes end to end; they must be all there is. */
static int place_columns(struct oc_chunk *chunk, const uint8_t *end)
{
    const uint8_t *at = chunk->times;

    if ((size_t)(end - at) < chunk->times_bytes)
        return OC_E_PARSE;
    at += chunk->times_bytes;
    for (uint32_t i = 0; i < chunk->column_count; i++) {
        if ((size_t)(end - at) < chunk->columns[i].bytes)
            return OC_E_PARSE;
        chunk->columns[i].at = at;
        at += chunk->columns[i].bytes;
    }
    return at == end ? OC_OK : OC_E_PARSE;
}

/* The body of a blob: its own part, or unpacked in the codec. */
static int body_of(oc_codec *codec, const uint8_t *blob, size_t blob_bytes,
                   const uint8_t **out_body, size_t *out_bytes)
{
    if (blob_bytes < 2)
        return OC_E_PARSE;
    if (blob[0] != OC_CHUNK_VERSION)
        return OC_E_NEWER;
    if (blob[1] == OC_PACKING_ZSTD)
        return unpack(codec, blob + 2, blob + blob_bytes, out_body, out_bytes);
    if (blob[1] != OC_PACKING_STORED)
        return OC_E_NEWER;
    *out_body = blob + 2;
    *out_bytes = blob_bytes - 2;
    return OC_OK;
}

int oc_chunk_open(oc_codec *codec, const void *blob, size_t blob_bytes, struct oc_chunk *out_chunk)
{
    const uint8_t *body = NULL;
    size_t body_bytes = 0;
    int rc = body_of(codec, blob, blob_bytes, &body, &body_bytes);

    if (rc == OC_OK)
        rc = parse_heads(out_chunk, body, body + body_bytes);
    if (rc == OC_OK)
        rc = place_columns(out_chunk, body + body_bytes);
    return rc;
}

int oc_chunk_add_stored(oc_codec *codec, const void *blob, size_t blob_bytes, struct oc_buf *out)
{
    static const uint8_t head[] = { OC_CHUNK_VERSION, OC_PACKING_STORED };
    const uint8_t *body = NULL;
    size_t body_bytes = 0;
    int rc = body_of(codec, blob, blob_bytes, &body, &body_bytes);

    if (rc < 0)
        return rc;
    oc_buf_add(out, head, sizeof head);
    oc_buf_add(out, body, body_bytes);
    return out->err;
}

/* ---- columns ---- */

/* A column on its way out: the step now known, and how far it goes on. */
struct column_cursor {
    const uint8_t *at, *end;
    uint64_t gcd;
};

/* Reads one token: a step, and for a step of 0 how many more of it follow. */
static int next_token(struct column_cursor *cursor, int64_t *out_step, uint64_t *out_more)
{
    uint64_t coded;

    *out_more = 0;
    cursor->at = oc_varint_get(cursor->at, cursor->end, &coded);
    if (!cursor->at)
        return OC_E_PARSE;
    *out_step = (int64_t)((uint64_t)oc_unzigzag(coded) * cursor->gcd);
    if (coded)
        return OC_OK;
    cursor->at = oc_varint_get(cursor->at, cursor->end, out_more);
    return cursor->at ? OC_OK : OC_E_PARSE;
}

static int read_direct(struct column_cursor *cursor, unsigned count, int64_t *out_values)
{
    for (unsigned i = 0; i < count;) {
        int64_t value;
        uint64_t more;

        if (next_token(cursor, &value, &more) < 0 || more >= count - i)
            return OC_E_PARSE;
        for (out_values[i++] = value; more; more--)
            out_values[i++] = value;
    }
    return OC_OK;
}

static int read_steps(struct column_cursor *cursor, int twice, int64_t first, unsigned count,
                      int64_t *out_values)
{
    int64_t last = first, pace = 0;

    out_values[0] = first;
    for (unsigned i = 1; i < count;) {
        int64_t step;
        uint64_t more;

        if (next_token(cursor, &step, &more) < 0 || more >= count - i)
            return OC_E_PARSE;
        pace = twice ? oc_wrap_add(pace, step) : step;
        for (more++; more; more--)
            out_values[i++] = last = oc_wrap_add(last, pace);
    }
    return OC_OK;
}

/* Decodes count values, which take all of [at, end). */
static int read_values(unsigned mode, const uint8_t *at, const uint8_t *end, unsigned count,
                       int64_t *out_values)
{
    struct column_cursor cursor = { .end = end };
    uint64_t first;
    int rc;

    if (count == 0)
        return at == end ? OC_OK : OC_E_PARSE;
    at = oc_varint_get(at, end, &cursor.gcd);
    if (at)
        at = oc_varint_get(at, end, &first);
    if (!at)
        return OC_E_PARSE;
    cursor.at = at;
    if (mode == OC_MODE_DIRECT)
        rc = read_direct(&cursor, count, out_values);
    else if (mode == OC_MODE_DELTA || mode == OC_MODE_DELTA2)
        rc = read_steps(&cursor, mode == OC_MODE_DELTA2, oc_unzigzag(first), count, out_values);
    else
        rc = OC_E_PARSE;
    return rc == OC_OK && cursor.at != end ? OC_E_PARSE : rc;
}

/* Reads the runs of known and unknown; *out_count: the known ones. */
static const uint8_t *read_runs(const uint8_t *at, const uint8_t *end, unsigned sample_count,
                                uint8_t *out_known, unsigned *out_count)
{
    unsigned told = 0, count = 0;
    uint8_t known = 1;

    while (told < sample_count) {
        uint64_t run;

        at = oc_varint_get(at, end, &run);
        if (!at || run > sample_count - told || (told && run == 0))
            return NULL;
        memset(out_known + told, known, (size_t)run);
        count += known ? (unsigned)run : 0;
        told += (unsigned)run;
        known = !known;
    }
    *out_count = count;
    return at;
}

/* Moves the first `count` values apart to where they are known. */
static void spread(int64_t *values, const uint8_t *known, unsigned sample_count, unsigned count)
{
    for (unsigned i = sample_count; i-- > 0 && count;)
        if (known[i])
            values[i] = values[--count];
}

static int read_column(const uint8_t *at, uint32_t bytes, unsigned sample_count,
                       int64_t *out_values, uint8_t *out_known)
{
    const uint8_t *end = at + bytes;
    unsigned count = sample_count, mode;
    int rc;

    if (bytes == 0)
        return OC_E_PARSE;
    mode = *at++;
    if (mode & ~(unsigned)(OC_MODE_MASK | OC_MODE_HOLES))
        return OC_E_PARSE;
    if (mode & OC_MODE_HOLES) {
        if (!out_known)
            return OC_E_PARSE;
        at = read_runs(at, end, sample_count, out_known, &count);
        if (!at)
            return OC_E_PARSE;
    } else if (out_known) {
        memset(out_known, 1, sample_count);
    }
    rc = read_values(mode & OC_MODE_MASK, at, end, count, out_values);
    if (rc < 0)
        return rc;
    if (count < sample_count)
        spread(out_values, out_known, sample_count, count);
    return (int)count;
}

int oc_chunk_times(const struct oc_chunk *chunk, int64_t *out_t_ms)
{
    int rc = read_column(chunk->times, chunk->times_bytes, chunk->sample_count, out_t_ms, NULL);

    if (rc < 0)
        return rc;
    for (uint32_t i = 1; i < chunk->sample_count; i++)
        if (out_t_ms[i] <= out_t_ms[i - 1])
            return OC_E_PARSE;
    return OC_OK;
}

int oc_chunk_find(const struct oc_chunk *chunk, unsigned number, enum oc_role role)
{
    uint32_t id = OC_COLUMN_ID(number, role);

    for (uint32_t i = 0; i < chunk->column_count; i++)
        if (chunk->columns[i].id == id)
            return (int)i;
    return -1;
}

int oc_chunk_values(const struct oc_chunk *chunk, unsigned column, int64_t *out_values,
                    uint8_t *out_known)
{
    if (column >= chunk->column_count)
        return OC_E_PARSE;
    return read_column(chunk->columns[column].at, chunk->columns[column].bytes, chunk->sample_count,
                       out_values, out_known);
}

/* ---- upper tiers ---- */

/* One of the five columns of a metric: all five have the same holes, so known is told once by COUNT. */
static int tier_column(const struct oc_chunk *chunk, unsigned number, enum oc_role role,
                       int64_t *out_values, uint8_t *known)
{
    int column = oc_chunk_find(chunk, number, role);

    return column < 0 ? OC_E_PARSE : oc_chunk_values(chunk, (unsigned)column, out_values, known);
}

int oc_chunk_tier(const struct oc_chunk *chunk, unsigned number,
                  const struct oc_tier_columns *out_columns, uint8_t *known)
{
    const struct oc_tier_columns *out = out_columns;
    int known_count;

    if (oc_chunk_find(chunk, number, OC_ROLE_COUNT) < 0)
        return 0;
    known_count = tier_column(chunk, number, OC_ROLE_COUNT, out->count, known);
    if (known_count < 0 ||
        tier_column(chunk, number, OC_ROLE_LAST, out->last, known) != known_count ||
        tier_column(chunk, number, OC_ROLE_LOW, out->min, known) != known_count ||
        tier_column(chunk, number, OC_ROLE_HIGH, out->max, known) != known_count ||
        tier_column(chunk, number, OC_ROLE_EXCESS, out->sum, known) != known_count)
        return OC_E_PARSE;
    for (uint32_t i = 0; i < chunk->sample_count; i++) {
        if (!known[i]) {
            out->count[i] = 0;
            continue;
        }
        if (out->count[i] < 1)
            return OC_E_PARSE;
        out->min[i] = oc_wrap_sub(out->last[i], out->min[i]);
        out->max[i] = oc_wrap_add(out->last[i], out->max[i]);
        out->sum[i] =
            oc_wrap_add(out->sum[i], (int64_t)((uint64_t)out->count[i] * (uint64_t)out->min[i]));
    }
    return 1;
}

/* ---- summaries ---- */

struct summary_cursor {
    const uint8_t *at, *end;
    unsigned shift;
    int failed;
};

static uint64_t summary_u64(struct summary_cursor *cursor)
{
    uint64_t value = 0;
    const uint8_t *at = cursor->failed ? NULL : oc_varint_get(cursor->at, cursor->end, &value);

    if (!at) {
        cursor->failed = 1;
        return 0;
    }
    cursor->at = at;
    return value;
}

static int64_t summary_signed(struct summary_cursor *cursor)
{
    return (int64_t)((uint64_t)oc_unzigzag(summary_u64(cursor)) << cursor->shift);
}

static double summary_sum(struct summary_cursor *cursor, const struct oc_summary *summary)
{
    uint64_t coded = summary_u64(cursor);
    double sum;

    if (coded)
        return (double)summary->count * (double)summary->min +
               (double)((coded - 1) << cursor->shift);
    if (cursor->failed || (size_t)(cursor->end - cursor->at) < sizeof sum) {
        cursor->failed = 1;
        return 0;
    }
    memcpy(&sum, cursor->at, sizeof sum);
    cursor->at += sizeof sum;
    return sum;
}

/* What follows the count: first, last, min, max, sum. */
static void summary_values(struct summary_cursor *cursor, unsigned flags, struct oc_summary *out)
{
    int64_t low, high;

    out->first = out->last = out->min = out->max = summary_signed(cursor);
    out->sum = (double)out->first * (double)out->count;
    if (flags & OC_SUMMARY_FLAT)
        return;
    out->last = oc_wrap_add(out->first, summary_signed(cursor));
    low = out->first < out->last ? out->first : out->last;
    high = out->first < out->last ? out->last : out->first;
    out->min = oc_wrap_sub(low, (int64_t)(summary_u64(cursor) << cursor->shift));
    out->max = oc_wrap_add(high, (int64_t)(summary_u64(cursor) << cursor->shift));
    out->sum = summary_sum(cursor, out);
}

static void summary_record(struct summary_cursor *cursor, uint64_t sample_count,
                           struct oc_summary *out)
{
    unsigned flags;
    uint64_t gap = summary_u64(cursor);

    if (cursor->failed || cursor->at == cursor->end || gap > UINT32_MAX - out->number) {
        cursor->failed = 1;
        return;
    }
    out->number += (uint32_t)gap;
    flags = *cursor->at++;
    cursor->shift = flags & OC_SUMMARY_SHIFT_MASK;
    out->count = flags & OC_SUMMARY_HOLES ? summary_u64(cursor) : sample_count;
    if (out->count)
        summary_values(cursor, flags, out);
}

int oc_summary_read(const void *blob, size_t blob_bytes, uint64_t sample_count,
                    struct oc_summary *out_summaries, unsigned max_summaries)
{
    const uint8_t *bytes = blob;
    struct summary_cursor cursor = { .failed = 0 };
    struct oc_summary record = { 0 };
    uint64_t count;

    if (blob_bytes < 2)
        return OC_E_PARSE;
    if (bytes[0] != OC_SUMMARY_VERSION)
        return OC_E_NEWER;
    cursor.at = bytes + 1;
    cursor.end = bytes + blob_bytes;
    count = summary_u64(&cursor);
    for (uint64_t i = 0; i < count && i < max_summaries; i++) {
        summary_record(&cursor, sample_count, &record);
        if (cursor.failed)
            return OC_E_PARSE;
        out_summaries[i] = record;
    }
    if (cursor.failed)
        return OC_E_PARSE;
    return (int)(count < max_summaries ? count : max_summaries);
}
