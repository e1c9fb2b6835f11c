/*
 * A chunk: all figures of one block of one source over a while, as columns. The same codec holds
 * raw samples and the upper tiers.
 *
 *   blob    := byte version (1) | byte packing (0 stored, 1 zstd)
 *              | if zstd: varint bytes of the body | body, packed or not
 *   body    := varint samples (n ≥ 1) | varint columns (m)
 *              | varint bytes of the time column
 *              | m × (varint id - last id (the first: id), varint bytes of the column)
 *              | time column | m columns
 *   id      := metric number * 8 + role; ascending. Readers skip ids that they do not know.
 *   column  := byte mode (bits 0-1: 0 delta, 1 direct, 2 delta of delta; bit 7: not all known)
 *              | if not all known: runs | values
 *   runs    := varint known, varint unknown, known, unknown … samples in turn until n are told
 *   values  := varint gcd | zigzag first | tokens for the k - 1 others (k known values; k = 0:
 * nothing at all) token   := zigzag of the step / gcd; a step of 0 is followed by varint (further
 * steps of 0) mode 0: step = value - last value; 2: (value - last) - (last - the one before), the
 *              one before the first being the first; 1: step = value, first is 0 and unused: k
 * tokens
 *
 * All values are 64-bit integers and arithmetic wraps, so that any figure comes back.
 *
 * Times are CLOCK_BOOTTIME ms of the source's boot. A raw chunk has the role value alone. A chunk
 * of an upper tier has a row per minute or hour in which there was a sample; its time is the
 * beginning of that minute or hour (t / 60000 * 60000), and per metric the five columns of
 * struct oc_tier_columns.
 *
 * Beside the chunk, in the column `summary`, one record per metric, so that a question about the
 * whole of it need not open it:
 *
 *   summary := byte version (1) | varint records | records, ascending
 *   record  := varint number - last number (the first: number) | byte flags
 *              (bits 0-5: shift s; bit 6: not all samples known; bit 7: all values are the first)
 *              | if not all known: varint count of known ones; nothing more where it is 0
 *              | zigzag first >> s | unless all the same: zigzag (last - first) >> s
 *              | varint (min(first, last) - min) >> s | varint (max - max(first, last)) >> s
 *              | varint ((sum - count * min) >> s) + 1, or 0 and the sum as eight bytes of a double
 */
#ifndef OC_STORAGE_FORMAT_CHUNK_H
#define OC_STORAGE_FORMAT_CHUNK_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define OC_CHUNK_MAX_SAMPLES 4096
#define OC_CHUNK_MAX_COLUMNS 320 /* 64 metrics of a block, five roles */
#define OC_CHUNK_MAX_BODY_BYTES (16u << 20)

enum oc_role {
    OC_ROLE_VALUE = 0,  /* a raw sample */
    OC_ROLE_LAST = 1,   /* the last known value of the minute or hour */
    OC_ROLE_LOW = 2,    /* last - min: ≥ 0, mostly 0 */
    OC_ROLE_HIGH = 3,   /* max - last: ≥ 0, mostly 0 */
    OC_ROLE_EXCESS = 4, /* sum - count * min: ≥ 0, mostly 0 */
    OC_ROLE_COUNT = 5   /* known samples behind it */
};

#define OC_COLUMN_ID(number, role) ((unsigned)(number)*8u + (unsigned)(role))
#define OC_COLUMN_NUMBER(id) ((unsigned)(id) / 8u)
#define OC_COLUMN_ROLE(id) ((unsigned)(id) % 8u)

/* zstd's contexts and scratch memory, reused. One thread at a time. */
typedef struct oc_codec oc_codec;

/* NULL where memory is short. What is only for writing is made by the first write. */
oc_codec *oc_codec_new(void);
void oc_codec_free(oc_codec *codec);

/* ---- reading ---- */

/* An open chunk. Borrows from the codec (until its next chunk is opened) or from the blob. */
struct oc_chunk {
    uint32_t sample_count;
    uint32_t column_count;
    const uint8_t *times; /* bytes of the time column */
    uint32_t times_bytes;
    struct oc_chunk_column {
        uint32_t id;
        uint32_t bytes;
        const uint8_t *at;
    } columns[OC_CHUNK_MAX_COLUMNS];
};

/*
 * Unpacks a blob and finds its columns. 0, OC_E_NEWER (a version that we do not know), OC_E_PARSE,
 * OC_E_TOOBIG, OC_E_NOMEM. Cost: a decompression, some µs; no value is decoded yet.
 */
int oc_chunk_open(oc_codec *codec, const void *blob, size_t blob_bytes, struct oc_chunk *out_chunk);

/* Times of all samples, ascending: out_t_ms[sample_count]. 0 or OC_E_PARSE. */
int oc_chunk_times(const struct oc_chunk *chunk, int64_t *out_t_ms);

/* The index of a column by metric number and role, or -1. */
int oc_chunk_find(const struct oc_chunk *chunk, unsigned number, enum oc_role role);

/*
 * Values of a column: out_values[sample_count]; out_known[sample_count] gets 1 or 0 each, and a
 * value whose byte is 0 is undefined. Returns the number of known ones, or OC_E_PARSE.
 * Cost: about 2 ns a value, less in runs.
 */
int oc_chunk_values(const struct oc_chunk *chunk, unsigned column, int64_t *out_values,
                    uint8_t *out_known);

/* The five columns of a metric of an upper tier, put together again; arrays of sample_count. */
struct oc_tier_columns {
    int64_t *count;                  /* 0: nothing known of this row, the others are undefined */
    int64_t *last, *min, *max, *sum; /* sum wraps; the mean is sum / count */
};
/* 1, 0 (no such metric in the chunk), or OC_E_PARSE. known is scratch of sample_count bytes. */
int oc_chunk_tier(const struct oc_chunk *chunk, unsigned number,
                  const struct oc_tier_columns *out_columns, uint8_t *known);

/* What a whole chunk holds of a metric. In an upper tier: of the samples behind it. */
struct oc_summary {
    uint32_t number; /* metric */
    uint64_t count;  /* known samples; 0: the rest is undefined */
    int64_t min, max, first, last;
    double sum;
};
/*
 * Reads the records of a summary blob. sample_count is the row's n (what "all samples known"
 * means). Returns how many (at most max_summaries), OC_E_NEWER or OC_E_PARSE.
 */
int oc_summary_read(const void *blob, size_t blob_bytes, uint64_t sample_count,
                    struct oc_summary *out_summaries, unsigned max_summaries);

/* ---- writing: columns in ascending id between begin and end ---- */

/* Begins a chunk of these times (sample_count ≥ 1, at most OC_CHUNK_MAX_SAMPLES). */
int oc_chunk_begin(oc_codec *codec, const int64_t *t_ms, unsigned sample_count);

/* known: a byte a sample, or NULL where all are. A column of which nothing is known is left out. */
int oc_chunk_add(oc_codec *codec, unsigned id, const int64_t *values, const uint8_t *known);

/* A record of the summary; ascending numbers. sample_count: what is "all" (the row's n). */
int oc_chunk_summarize(oc_codec *codec, const struct oc_summary *summary, uint64_t sample_count);

/*
 * The blobs of the chunk now whole, borrowed from the codec until its next call. 0, OC_E_NOMEM,
 * OC_E_TOOBIG.
 */
struct oc_chunk_blobs {
    const void *data, *summary;
    size_t data_bytes, summary_bytes;
};
int oc_chunk_end(oc_codec *codec, struct oc_chunk_blobs *out_blobs);

/* count, min, max, first, last and sum of known values. */
void oc_summary_of(unsigned number, const int64_t *values, const uint8_t *known, unsigned count,
                   struct oc_summary *out_summary);

#endif
