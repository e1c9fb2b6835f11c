/* What a store file holds, read with the decoders alone: each sample of its chunks and its journal. */
#ifndef OC_TEST_STORAGE_HELD_H
#define OC_TEST_STORAGE_HELD_H

#include "base/err.h"
#include "storage/format/chunk.h"
#include "storage/format/journal.h"
#include "storage/format/schema.h"

#include <sqlite3.h>
#include <stdlib.h>

static inline int held_chunk(const struct oc_chunk *chunk, uint32_t source, unsigned block,
                             oc_replay_fn *fn, void *context)
{
    static int64_t times[OC_CHUNK_MAX_SAMPLES], values[64][OC_CHUNK_MAX_SAMPLES];
    static uint8_t known[64][OC_CHUNK_MAX_SAMPLES];
    int rc = oc_chunk_times(chunk, times);

    for (unsigned c = 0; c < chunk->column_count && rc >= 0; c++)
        rc = c < 64 ? oc_chunk_values(chunk, c, values[c], known[c]) : OC_E_TOOBIG;
    for (unsigned i = 0; i < chunk->sample_count && rc >= 0; i++) {
        struct oc_sample sample = { .block = (uint8_t)block };

        for (unsigned c = 0; c < chunk->column_count; c++)
            if (known[c][i])
                oc_sample_set(&sample, (enum oc_metric)OC_COLUMN_NUMBER(chunk->columns[c].id),
                              values[c][i]);
        rc = fn(source, times[i], &sample, 0, context);
    }
    return rc < 0 ? rc : 0;
}

static inline int held_chunks(sqlite3 *db, oc_replay_fn *fn, void *context)
{
    sqlite3_stmt *stmt = NULL;
    oc_codec *codec = oc_codec_new();
    int rc = 0;

    if (sqlite3_prepare_v2(db, "SELECT id, block, data FROM raw ORDER BY id", -1, &stmt, NULL))
        rc = OC_E_CORRUPT;
    while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW) {
        struct oc_chunk chunk;

        rc = oc_chunk_open(codec, sqlite3_column_blob(stmt, 2),
                           (size_t)sqlite3_column_bytes(stmt, 2), &chunk);
        if (rc == 0)
            rc = held_chunk(&chunk, OC_CHUNK_SOURCE(sqlite3_column_int64(stmt, 0)),
                            (unsigned)sqlite3_column_int(stmt, 1), fn, context);
    }
    sqlite3_finalize(stmt);
    oc_codec_free(codec);
    return rc;
}

static inline int held_journal(sqlite3 *db, oc_replay_fn *fn, void *context)
{
    sqlite3_stmt *stmt = NULL;
    oc_replay *replay = oc_replay_new(UINT32_MAX);
    int rc = 0;

    if (sqlite3_prepare_v2(db, "SELECT keyed, data FROM journal ORDER BY id", -1, &stmt, NULL))
        rc = OC_E_CORRUPT;
    while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW)
        rc = oc_replay_row(replay, sqlite3_column_int(stmt, 0), sqlite3_column_blob(stmt, 1),
                           (size_t)sqlite3_column_bytes(stmt, 1), fn, context);
    sqlite3_finalize(stmt);
    oc_replay_free(replay);
    return rc;
}

/* fn for each sample; one that is in a chunk and still in the journal comes twice. */
static inline int held_each(const char *path, oc_replay_fn *fn, void *context)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ? OC_E_IO : 0;

    if (rc == 0)
        rc = held_chunks(db, fn, context);
    if (rc == 0)
        rc = held_journal(db, fn, context);
    sqlite3_close(db);
    return rc;
}

/* The whole number that a query gives, or -1. */
static inline int64_t held_number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == 0 &&
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == 0 && sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

#endif
