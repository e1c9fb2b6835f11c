#include "storage/write/upkeep_impl.h"

#include "base/err.h"
#include "storage/format/chunk_codec.h"

#include <string.h>

#define OC_MERGE_MAX_PARTS 32
#define OC_MERGE_MAX_SAMPLES 2048

/* A chunk to be put together with others: unpacked, in parts->blobs. */
struct part {
    int64_t rowid, t0_ms, t1_ms;
    uint32_t sample_count;
    size_t at, bytes;
};

struct parts {
    struct part part[OC_MERGE_MAX_PARTS];
    unsigned count;
    uint32_t sample_count;
    struct oc_buf blobs;
    unsigned block;
    struct oc_chunk_blobs merged;
};

/* Whether a row goes with those before it. */
static int fits(const oc_store *store, const struct parts *parts, int64_t sample_count)
{
    return sample_count > 0 && sample_count < store->options.seal_samples &&
           parts->count < OC_MERGE_MAX_PARTS &&
           parts->sample_count + (uint32_t)sample_count <= OC_MERGE_MAX_SAMPLES;
}

/* 1 where it was taken, 0 where it does not fit or cannot be read, or a code. */
static int take_part(oc_store *store, struct parts *parts, sqlite3_stmt *row)
{
    struct part *part = &parts->part[parts->count];
    const void *blob = sqlite3_column_blob(row, 5);
    int rc;

    if (!fits(store, parts, sqlite3_column_int64(row, 3)))
        return 0;
    part->rowid = sqlite3_column_int64(row, 0);
    part->t0_ms = sqlite3_column_int64(row, 1);
    part->t1_ms = sqlite3_column_int64(row, 2);
    part->sample_count = (uint32_t)sqlite3_column_int64(row, 3);
    part->at = parts->blobs.len_bytes;
    rc = oc_chunk_add_stored(store->upkeep->reader, blob, (size_t)sqlite3_column_bytes(row, 5),
                             &parts->blobs);
    if (rc == OC_E_PARSE || rc == OC_E_NEWER)
        return 0; /* it stays as it is; nothing of it was added */
    if (rc < 0)
        return rc;
    part->bytes = parts->blobs.len_bytes - part->at;
    parts->sample_count += part->sample_count;
    parts->count++;
    return 1;
}

static int64_t first_rowid(oc_store *store, uint32_t source, unsigned block, int64_t from_ms)
{
    struct oc_tier_question question = { .tier = OC_TIER_RAW,
                                         .which = OC_TIER_BEFORE,
                                         .source = source,
                                         .block = block,
                                         .before_ms = from_ms };
    struct oc_tier_chunk before;

    /* an error shows with the next statement */
    return oc_upkeep_find(store, &question, &before) == 1 ? before.rowid + 1
                                                          : OC_CHUNK_ROWID(source, 0);
}

/* The first run of two or more short neighbours. */
static int find_parts(oc_store *store, uint32_t source, int64_t from_ms, int64_t until_ms,
                      struct parts *parts)
{
    int64_t rowid = first_rowid(store, source, parts->block, from_ms);
    sqlite3_stmt *statement = oc_upkeep_tier_statement(store, OC_TIER_RAW, OC_TIER_AFTER);
    int rc = SQLITE_DONE, taken = 1;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    oc_upkeep_bind_source(statement, source);
    (void)sqlite3_bind_int64(statement, 1, rowid);
    (void)sqlite3_bind_int64(statement, 3, parts->block);
    while (taken >= 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (sqlite3_column_int64(statement, 2) >= until_ms)
            break;
        taken = take_part(store, parts, statement);
        if (taken)
            continue;
        if (parts->count > 1)
            break;
        parts->count = 0;
        parts->sample_count = 0;
        oc_buf_reset(&parts->blobs);
        taken = take_part(store, parts, statement);
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    if (taken < 0)
        return taken;
    return rc == SQLITE_ROW ? OC_OK : oc_sqlite_err(rc);
}

static int open_part(struct oc_upkeep *upkeep, const struct parts *parts, unsigned i,
                     struct oc_chunk *out_chunk)
{
    const struct part *part = &parts->part[i];
    int rc = oc_chunk_open(upkeep->reader, parts->blobs.data + part->at, part->bytes, out_chunk);

    return rc == OC_OK && out_chunk->sample_count != part->sample_count ? OC_E_PARSE : rc;
}

/* All times, and which figures there are in any part. */
static int read_times(struct oc_upkeep *upkeep, const struct parts *parts, uint64_t *out_ever)
{
    uint32_t at = 0;

    *out_ever = 0;
    for (unsigned i = 0; i < parts->count; i++) {
        struct oc_chunk chunk;
        int rc = open_part(upkeep, parts, i, &chunk);

        if (rc == OC_OK)
            rc = oc_chunk_times(&chunk, upkeep->times + at);
        if (rc < 0)
            return rc;
        if (at && upkeep->times[at] <= upkeep->times[at - 1])
            return OC_E_PARSE;
        for (uint32_t c = 0; c < chunk.column_count; c++) {
            if (OC_COLUMN_ROLE(chunk.columns[c].id) != OC_ROLE_VALUE ||
                OC_METRIC_BLOCK(OC_COLUMN_NUMBER(chunk.columns[c].id)) != parts->block)
                return OC_E_NEWER; /* a figure that would be lost */
            *out_ever |= OC_METRIC_BIT(OC_COLUMN_NUMBER(chunk.columns[c].id));
        }
        at += chunk.sample_count;
    }
    return OC_OK;
}

/* One figure of all parts, side by side. */
static int read_column(struct oc_upkeep *upkeep, const struct parts *parts, unsigned number)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < parts->count; i++) {
        struct oc_chunk chunk;
        int rc = open_part(upkeep, parts, i, &chunk), column;

        if (rc < 0)
            return rc;
        column = oc_chunk_find(&chunk, number, OC_ROLE_VALUE);
        if (column < 0)
            memset(upkeep->known + at, 0, chunk.sample_count);
        else
            rc = oc_chunk_values(&chunk, (unsigned)column, upkeep->values + at, upkeep->known + at);
        if (rc < 0)
            return rc;
        at += chunk.sample_count;
    }
    return OC_OK;
}

static int encode(oc_store *store, struct parts *parts)
{
    struct oc_upkeep *upkeep = store->upkeep;
    uint64_t ever;
    int rc = read_times(upkeep, parts, &ever);

    if (rc == OC_OK)
        rc = oc_chunk_begin(store->codec, upkeep->times, parts->sample_count);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS && rc == OC_OK; bit++) {
        unsigned number = OC_METRIC_NUMBER(parts->block, bit);
        struct oc_summary summary;

        if (!(ever >> bit & 1))
            continue;
        rc = read_column(upkeep, parts, number);
        if (rc < 0)
            break;
        oc_summary_of(number, upkeep->values, upkeep->known, parts->sample_count, &summary);
        rc = oc_chunk_add(store->codec, OC_COLUMN_ID(number, OC_ROLE_VALUE), upkeep->values,
                          upkeep->known);
        if (rc == OC_OK)
            rc = oc_chunk_summarize(store->codec, &summary, parts->sample_count);
    }
    return rc == OC_OK ? oc_chunk_end(store->codec, &parts->merged) : rc;
}

/* The merged chunk takes the first one's number; the others go. */
static int replace_rows(oc_store *store, void *context)
{
    const struct parts *parts = context;
    const struct oc_chunk_put put = { .rowid = parts->part[0].rowid,
                                      .block = parts->block,
                                      .t0_ms = parts->part[0].t0_ms,
                                      .t1_ms = parts->part[parts->count - 1].t1_ms,
                                      .rows = parts->sample_count,
                                      .blobs = parts->merged };
    sqlite3_stmt *statement;
    int rc = OC_OK;

    for (unsigned i = 0; i < parts->count && rc == OC_OK; i++) {
        statement = oc_upkeep_tier_statement(store, OC_TIER_RAW, OC_TIER_DELETE);
        if (statement)
            (void)sqlite3_bind_int64(statement, 1, parts->part[i].rowid);
        rc = oc_store_run(store, statement);
    }
    if (rc < 0)
        return rc;
    return oc_store_put_chunk(store, oc_upkeep_tier_statement(store, OC_TIER_RAW, OC_TIER_PUT),
                              &put);
}

int oc_merge_step(oc_store *store, uint32_t source, unsigned block, int64_t from_ms,
                  int64_t until_ms)
{
    struct parts parts = { .block = block };
    int rc;

    oc_buf_init(&parts.blobs, OC_CHUNK_MAX_BODY_BYTES);
    rc = find_parts(store, source, from_ms, until_ms, &parts);
    if (rc == OC_OK && parts.count > 1) {
        rc = encode(store, &parts);
        if (rc == OC_OK)
            rc = oc_upkeep_transaction(store, replace_rows, &parts);
        rc = rc == OC_OK ? 1 : rc;
    }
    oc_buf_clear(&parts.blobs);
    if (rc == OC_E_PARSE || rc == OC_E_NEWER)
        rc = OC_OK; /* they stay as they are */
    return rc;
}
