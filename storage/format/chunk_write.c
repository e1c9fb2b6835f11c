#include "storage/format/chunk.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/chunk_codec.h"
#include "storage/format/varint.h"

#include <string.h>
#include <zstd.h>

/* Level 3 is 4 % smaller than 1 on recorded traces and still a tenth of the budget; 6 gains 1 % more. */
#define OC_CHUNK_ZSTD_LEVEL 3
/* Shorter bodies than this do not get smaller: zstd's own head takes a dozen bytes. */
#define OC_CHUNK_MIN_PACK_BYTES 48

/* ---- columns ---- */

static uint64_t gcd_of(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Bytes that a varint takes, by its highest bit. */
static unsigned varint_bytes(uint64_t value)
{
#if defined(__GNUC__)
    return (unsigned)(63 - __builtin_clzll(value | 1)) / 7 + 1;
#else
    unsigned bytes = 1;

    for (; value >= 128; value >>= 7)
        bytes++;
    return bytes;
#endif
}

/* Most figures of most processes stand still. */
static int is_flat(const int64_t *values, unsigned count)
{
    return count > 0 && memcmp(values, values + 1, (count - 1) * sizeof *values) == 0;
}

/* What a look over the column's steps finds out. */
struct column_plan {
    uint64_t gcd;
    enum oc_column_mode mode;
};

/*
 * Chooses between steps and steps of steps by the bytes that they would take, and finds the
 * greatest common divisor of all steps (a divisor of the steps divides their differences too).
 */
static struct column_plan plan_steps(const int64_t *values, unsigned count)
{
    struct column_plan plan = { .gcd = 0, .mode = OC_MODE_DELTA };
    unsigned once_bytes = 0, twice_bytes = 0;
    int64_t pace = 0;

    if (is_flat(values, count)) {
        plan.gcd = 1;
        return plan;
    }
    for (unsigned i = 1; i < count; i++) {
        int64_t step = oc_wrap_sub(values[i], values[i - 1]);
        int64_t turn = oc_wrap_sub(step, pace);

        if (step) {
            if (plan.gcd != 1)
                plan.gcd = gcd_of(magnitude(step), plan.gcd);
            once_bytes += varint_bytes(oc_zigzag(step));
        }
        if (turn)
            twice_bytes += varint_bytes(oc_zigzag(turn));
        pace = step;
    }
    if (plan.gcd == 0 || plan.gcd > INT64_MAX)
        plan.gcd = 1;
    if (twice_bytes + twice_bytes / 4 < once_bytes)
        plan.mode = OC_MODE_DELTA2;
    return plan;
}

static struct column_plan plan_direct(const int64_t *values, unsigned count)
{
    struct column_plan plan = { .gcd = 0, .mode = OC_MODE_DIRECT };

    for (unsigned i = 0; i < count && plan.gcd != 1; i++)
        plan.gcd = gcd_of(magnitude(values[i]), plan.gcd);
    if (plan.gcd == 0 || plan.gcd > INT64_MAX)
        plan.gcd = 1;
    return plan;
}

static int is_direct(unsigned id)
{
    unsigned role = OC_COLUMN_ROLE(id);

    return role == OC_ROLE_LOW || role == OC_ROLE_HIGH || role == OC_ROLE_EXCESS;
}

/* Tokens as they are written: runs of a step of 0 are held back until they end. */
struct token_writer {
    uint8_t *at;
    uint64_t gcd;
    uint64_t zeros;
};

static void end_zeros(struct token_writer *writer)
{
    if (!writer->zeros)
        return;
    *writer->at++ = 0;
    writer->at = oc_varint_put(writer->at, writer->zeros - 1);
    writer->zeros = 0;
}

static void put_token(struct token_writer *writer, int64_t step)
{
    if (step == 0) {
        writer->zeros++;
        return;
    }
    end_zeros(writer);
    if (writer->gcd != 1)
        step /= (int64_t)writer->gcd;
    writer->at = oc_varint_put(writer->at, oc_zigzag(step));
}

static uint8_t *put_values(uint8_t *at, const struct column_plan *plan, const int64_t *values,
                           unsigned count)
{
    struct token_writer writer = { .gcd = plan->gcd };
    int64_t pace = 0;

    at = oc_varint_put(at, plan->gcd);
    writer.at = oc_varint_put(at, plan->mode == OC_MODE_DIRECT ? 0 : oc_zigzag(values[0]));
    if (plan->mode == OC_MODE_DELTA && is_flat(values, count)) {
        writer.zeros = count - 1;
    } else if (plan->mode == OC_MODE_DIRECT) {
        for (unsigned i = 0; i < count; i++)
            put_token(&writer, values[i]);
    } else {
        for (unsigned i = 1; i < count; i++) {
            int64_t step = oc_wrap_sub(values[i], values[i - 1]);

            put_token(&writer, oc_wrap_sub(step, pace));
            if (plan->mode == OC_MODE_DELTA2)
                pace = step;
        }
    }
    end_zeros(&writer);
    return writer.at;
}

/* Runs of known and unknown samples in turn, a known one first. */
static uint8_t *put_runs(uint8_t *at, const uint8_t *known, unsigned sample_count)
{
    unsigned begin = 0;
    uint8_t now = 1;

    for (unsigned i = 0; i <= sample_count; i++) {
        if (i < sample_count && known[i] == now)
            continue;
        at = oc_varint_put(at, i - begin);
        begin = i;
        now = !now;
    }
    return at;
}

/* The known values side by side, or NULL where memory is short. */
static const int64_t *gather(oc_codec *codec, const int64_t *values, const uint8_t *known,
                             unsigned *out_count)
{
    unsigned count = 0;

    if (!codec->packed_values)
        codec->packed_values = oc_malloc(OC_CHUNK_MAX_SAMPLES * sizeof *codec->packed_values);
    if (!codec->packed_values)
        return NULL;
    for (unsigned i = 0; i < codec->sample_count; i++)
        if (known[i])
            codec->packed_values[count++] = values[i];
    *out_count = count;
    return codec->packed_values;
}

static unsigned known_count(const uint8_t *known, unsigned sample_count)
{
    unsigned count = 0;

    for (unsigned i = 0; i < sample_count; i++)
        count += known[i] != 0;
    return count;
}

/* Appends a column to codec->columns; *out_bytes: what it took. */
static int add_column(oc_codec *codec, unsigned id, const int64_t *values, const uint8_t *known,
                      size_t *out_bytes)
{
    unsigned count = codec->sample_count;
    /* a token: at most a varint and, after zeros, two bytes and a varint; a run: a varint of two bytes */
    size_t most = 1 + 2 * OC_VARINT_MAX_BYTES + (size_t)count * (2 + OC_VARINT_MAX_BYTES + 2) + 8;
    uint8_t *begin = oc_buf_reserve(&codec->columns, most), *at = begin;
    struct column_plan plan;

    if (!at)
        return codec->columns.err;
    at++;
    if (known) {
        at = put_runs(at, known, count);
        values = gather(codec, values, known, &count);
        if (!values)
            return OC_E_NOMEM;
    }
    plan = is_direct(id) ? plan_direct(values, count) : plan_steps(values, count);
    *begin = (uint8_t)(plan.mode | (known ? OC_MODE_HOLES : 0));
    at = put_values(at, &plan, values, count);
    *out_bytes = (size_t)(at - begin);
    oc_buf_used(&codec->columns, *out_bytes);
    return OC_OK;
}

int oc_chunk_begin(oc_codec *codec, const int64_t *t_ms, unsigned sample_count)
{
    if (sample_count == 0 || sample_count > OC_CHUNK_MAX_SAMPLES)
        return OC_E_INVAL;
    oc_buf_reset(&codec->columns);
    oc_buf_reset(&codec->summary);
    codec->sample_count = sample_count;
    codec->column_count = codec->summary_count = 0;
    codec->last_id = codec->last_number = 0;
    return add_column(codec, 0, t_ms, NULL, &codec->times_bytes);
}

int oc_chunk_add(oc_codec *codec, unsigned id, const int64_t *values, const uint8_t *known)
{
    size_t bytes = 0;
    int rc;

    if (codec->column_count == OC_CHUNK_MAX_COLUMNS)
        return OC_E_TOOBIG;
    if (known) {
        unsigned count = known_count(known, codec->sample_count);

        if (count == 0)
            return OC_OK;
        if (count == codec->sample_count)
            known = NULL;
    }
    rc = add_column(codec, id, values, known, &bytes);
    if (rc < 0)
        return rc;
    codec->heads[codec->column_count].id = id - codec->last_id;
    codec->heads[codec->column_count++].bytes = (uint32_t)bytes;
    codec->last_id = id;
    return OC_OK;
}

/* ---- summaries ---- */

/* Differences below this many add up exactly in 64 bits and in a double. */
#define OC_SUM_EXACT (UINT64_C(1) << 50)

/* The same of values that are all known: loops that a compiler makes short work of. */
static void summary_of_all(unsigned number, const int64_t *values, unsigned count,
                           struct oc_summary *out_summary)
{
    struct oc_summary sum = { .number = number, .count = count };
    uint64_t excess = 0;

    sum.first = sum.min = sum.max = values[0];
    sum.last = values[count - 1];
    for (unsigned i = 0; i < count; i++) {
        sum.min = values[i] < sum.min ? values[i] : sum.min;
        sum.max = values[i] > sum.max ? values[i] : sum.max;
        excess += (uint64_t)values[i] - (uint64_t)sum.first;
    }
    sum.sum = (double)count * (double)sum.first + (double)(int64_t)excess;
    if ((uint64_t)sum.max - (uint64_t)sum.min >= OC_SUM_EXACT) {
        sum.sum = 0;
        for (unsigned i = 0; i < count; i++)
            sum.sum += (double)values[i];
    }
    *out_summary = sum;
}

void oc_summary_of(unsigned number, const int64_t *values, const uint8_t *known, unsigned count,
                   struct oc_summary *out_summary)
{
    struct oc_summary sum = { .number = number };
    uint64_t excess = 0; /* over the first: exact where a double would round */
    double far = 0;
    int exact = 1;

    if (!known && count) {
        summary_of_all(number, values, count, out_summary);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        int64_t value = values[i], over;

        if (known && !known[i])
            continue;
        if (sum.count++ == 0)
            sum.first = sum.min = sum.max = value;
        sum.min = value < sum.min ? value : sum.min;
        sum.max = value > sum.max ? value : sum.max;
        sum.last = value;
        over = oc_wrap_sub(value, sum.first);
        exact &= magnitude(over) < OC_SUM_EXACT;
        excess += (uint64_t)over;
        far += (double)value;
    }
    sum.sum = exact ? (double)sum.count * (double)sum.first + (double)(int64_t)excess : far;
    *out_summary = sum;
}

static unsigned common_shift(uint64_t bits)
{
    unsigned shift = 0;

    if (!bits)
        return 0;
    for (; !(bits & 1); bits >>= 1)
        shift++;
    return shift;
}

/* sum - count * min as an exact whole number, or 0 where that cannot be told from a double. */
static int excess_of(const struct oc_summary *summary, uint64_t *out_excess)
{
    double base = (double)summary->count * (double)summary->min;
    double excess = summary->sum - base;

    if (magnitude(summary->min) > (UINT64_C(1) << 52) / (summary->count + 1) || excess < 0 ||
        excess > 9e15 || base + excess != summary->sum)
        return 0;
    *out_excess = (uint64_t)excess;
    return (double)*out_excess == excess;
}

static uint8_t *put_sum(uint8_t *at, const struct oc_summary *summary, int exact, uint64_t excess,
                        unsigned shift)
{
    if (exact)
        return oc_varint_put(at, (excess >> shift) + 1);
    *at++ = 0;
    memcpy(at, &summary->sum, sizeof summary->sum);
    return at + sizeof summary->sum;
}

static uint8_t *put_record(uint8_t *at, const struct oc_summary *summary, uint64_t sample_count)
{
    const struct oc_summary *sum = summary;
    int64_t low = sum->first < sum->last ? sum->first : sum->last;
    int64_t high = sum->first < sum->last ? sum->last : sum->first;
    int64_t way = oc_wrap_sub(sum->last, sum->first);
    uint64_t below = (uint64_t)oc_wrap_sub(low, sum->min);
    uint64_t above = (uint64_t)oc_wrap_sub(sum->max, high), excess = 0;
    int exact = excess_of(sum, &excess), flat = sum->min == sum->max;
    unsigned shift =
        common_shift((uint64_t)sum->first | (uint64_t)way | below | above | (exact ? excess : 0));

    *at++ = (uint8_t)(shift | (sum->count == sample_count ? 0 : OC_SUMMARY_HOLES) |
                      (flat ? OC_SUMMARY_FLAT : 0));
    if (sum->count != sample_count)
        at = oc_varint_put(at, sum->count);
    if (!sum->count)
        return at;
    at = oc_varint_put(at, oc_zigzag(sum->first / (INT64_C(1) << shift)));
    if (flat)
        return at;
    at = oc_varint_put(at, oc_zigzag(way / (INT64_C(1) << shift)));
    at = oc_varint_put(at, below >> shift);
    at = oc_varint_put(at, above >> shift);
    return put_sum(at, sum, exact, excess, shift);
}

int oc_chunk_summarize(oc_codec *codec, const struct oc_summary *summary, uint64_t sample_count)
{
    uint8_t *begin = oc_buf_reserve(&codec->summary, (size_t)8 * OC_VARINT_MAX_BYTES), *at = begin;

    if (!at)
        return codec->summary.err;
    at = oc_varint_put(at, summary->number - codec->last_number);
    at = put_record(at, summary, sample_count);
    oc_buf_used(&codec->summary, (size_t)(at - begin));
    codec->last_number = summary->number;
    codec->summary_count++;
    return OC_OK;
}

/* ---- the end ---- */

static void put_varint(struct oc_buf *buf, uint64_t value)
{
    uint8_t *begin = oc_buf_reserve(buf, OC_VARINT_MAX_BYTES);

    if (begin)
        oc_buf_used(buf, (size_t)(oc_varint_put(begin, value) - begin));
}

static void join_body(oc_codec *codec)
{
    struct oc_buf *body = &codec->body;

    oc_buf_reset(body);
    put_varint(body, codec->sample_count);
    put_varint(body, codec->column_count);
    put_varint(body, codec->times_bytes);
    for (unsigned i = 0; i < codec->column_count; i++) {
        put_varint(body, codec->heads[i].id);
        put_varint(body, codec->heads[i].bytes);
    }
    oc_buf_add(body, codec->columns.data, codec->columns.len_bytes);
}

/* Tries zstd on body; 0 where that does not make it smaller. */
static size_t pack(oc_codec *codec, const struct oc_buf *body, void *out, size_t out_bytes)
{
    struct ZSTD_CCtx_s *cctx;
    size_t got;

    if (body->len_bytes < OC_CHUNK_MIN_PACK_BYTES)
        return 0;
    cctx = oc_codec_compressor(codec);
    if (!cctx)
        return 0;
    (void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, OC_CHUNK_ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0); /* the blob says it */
    got = ZSTD_compress2(cctx, out, out_bytes, body->data, body->len_bytes);
    return ZSTD_isError(got) ? 0 : got;
}

int oc_codec_pack(oc_codec *codec, const struct oc_buf *body, uint8_t version, struct oc_buf *out)
{
    uint8_t head[2 + OC_VARINT_MAX_BYTES] = { version, OC_PACKING_ZSTD };
    size_t head_bytes = (size_t)(oc_varint_put(head + 2, body->len_bytes) - head), got;
    uint8_t *at;

    if (body->err)
        return body->err;
    oc_buf_reset(out);
    at = oc_buf_reserve(out, sizeof head + body->len_bytes);
    if (!at)
        return out->err;
    got = pack(codec, body, at + head_bytes, body->len_bytes);
    if (got && got + head_bytes < body->len_bytes + 2) {
        memcpy(at, head, head_bytes);
        oc_buf_used(out, head_bytes + got);
        return OC_OK;
    }
    at[0] = version;
    at[1] = OC_PACKING_STORED;
    if (body->len_bytes)
        memcpy(at + 2, body->data, body->len_bytes);
    oc_buf_used(out, 2 + body->len_bytes);
    return OC_OK;
}

int oc_chunk_end(oc_codec *codec, struct oc_chunk_blobs *out_blobs)
{
    int rc = codec->columns.err ? codec->columns.err : codec->summary.err;

    if (rc < 0)
        return rc;
    join_body(codec);
    rc = oc_codec_pack(codec, &codec->body, OC_CHUNK_VERSION, &codec->blob);
    if (rc < 0)
        return rc;
    oc_buf_reset(&codec->summary_blob);
    oc_buf_putc(&codec->summary_blob, OC_SUMMARY_VERSION);
    put_varint(&codec->summary_blob, codec->summary_count);
    oc_buf_add(&codec->summary_blob, codec->summary.data, codec->summary.len_bytes);
    if (codec->summary_blob.err)
        return codec->summary_blob.err;
    out_blobs->data = codec->blob.data;
    out_blobs->data_bytes = codec->blob.len_bytes;
    out_blobs->summary = codec->summary_blob.data;
    out_blobs->summary_bytes = codec->summary_blob.len_bytes;
    return OC_OK;
}
