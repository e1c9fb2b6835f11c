/* What the reading and the writing half of the chunk codec share; for storage/chunk*.c alone. */
#ifndef OC_STORAGE_FORMAT_CHUNK_CODEC_H
#define OC_STORAGE_FORMAT_CHUNK_CODEC_H

#include "storage/format/chunk.h"

#include "base/buf.h"

#define OC_CHUNK_VERSION 1
#define OC_SUMMARY_VERSION 1

enum oc_packing { OC_PACKING_STORED = 0, OC_PACKING_ZSTD = 1 };

enum oc_column_mode {
    OC_MODE_DELTA = 0,
    OC_MODE_DIRECT = 1,
    OC_MODE_DELTA2 = 2,
    OC_MODE_MASK = 3,
    OC_MODE_HOLES = 0x80 /* flag: not all known */
};

enum oc_summary_flag { OC_SUMMARY_SHIFT_MASK = 63, OC_SUMMARY_HOLES = 64, OC_SUMMARY_FLAT = 128 };

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

struct oc_codec {
    struct ZSTD_DCtx_s *dctx;
    struct oc_buf unpacked; /* the body of the chunk now open */

    /* writing */
    struct ZSTD_CCtx_s *cctx;
    unsigned sample_count;
    unsigned column_count;
    unsigned summary_count;
    uint32_t last_id, last_number;
    size_t times_bytes;
    struct {
        uint32_t id;
        uint32_t bytes;
    } heads[OC_CHUNK_MAX_COLUMNS];
    struct oc_buf columns; /* encoded so far, the times first */
    struct oc_buf summary; /* records so far */
    struct oc_buf body;    /* head and columns together */
    struct oc_buf blob, summary_blob;
    int64_t *packed_values; /* known values of a column with holes */
};

/*
 * Appends a blob's stored form to out: it opens without being unpacked again. 0, OC_E_NEWER,
 * OC_E_PARSE, OC_E_TOOBIG, OC_E_NOMEM.
 */
int oc_chunk_add_stored(oc_codec *codec, const void *blob, size_t blob_bytes, struct oc_buf *out);

/* The compressing context, made at the first call; NULL where memory is short. */
struct ZSTD_CCtx_s *oc_codec_compressor(oc_codec *codec);

/*
 * version, packing and body into out, zstd where that is smaller (short memory: stored). 0 or
 * OC_E_NOMEM, OC_E_TOOBIG. Journal rows are packed by it too.
 */
int oc_codec_pack(oc_codec *codec, const struct oc_buf *body, uint8_t version, struct oc_buf *out);

#endif
