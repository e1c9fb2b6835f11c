#include "storage/read/walk.h"

/* One batch of a walk. next_id is where to go on. */
struct batch {
    oc_reader *reader;
    sqlite3_stmt *statement;
    int64_t next_id;
    int rows; /* of the last batch */
};

static int begin_batch(struct batch *batch)
{
    int rc = oc_reader_begin(batch->reader);

    (void)sqlite3_reset(batch->statement);
    sqlite3_bind_int64(batch->statement, 1, batch->next_id);
    sqlite3_bind_int(batch->statement, 2, OC_WALK_BATCH);
    batch->rows = 0;
    return rc;
}

/* 1 with a row, 0 at the end of the batch, or a code. */
static int next_in_batch(struct batch *batch)
{
    int step = sqlite3_step(batch->statement);

    if (step != SQLITE_ROW)
        return oc_scan_code(step);
    batch->rows++;
    batch->next_id = sqlite3_column_int64(batch->statement, 0) + 1;
    return 1;
}

static void end_batch(struct batch *batch)
{
    (void)sqlite3_reset(batch->statement);
    oc_reader_end(batch->reader);
}

static void read_row(sqlite3_stmt *statement, struct oc_walk_row *out_row)
{
    int64_t block = sqlite3_column_int64(statement, 1);

    out_row->chunk = (struct oc_chunk_row){
        .id = sqlite3_column_int64(statement, 0),
        .block = block < 0 || block >= OC_BLOCK_COUNT ? OC_BLOCK_COUNT : (unsigned)block,
        .t0_boot_ms = sqlite3_column_int64(statement, 2),
        .t1_boot_ms = sqlite3_column_int64(statement, 3),
        .rows = (uint32_t)sqlite3_column_int64(statement, 4),
        .statement = statement,
    };
    out_row->boot =
        sqlite3_column_type(statement, 7) == SQLITE_NULL ? -1 : sqlite3_column_int64(statement, 7);
    out_row->begin_boot_ms = sqlite3_column_int64(statement, 8);
}

static int walk_batch(struct batch *batch, oc_walk_fn *fn, void *context)
{
    struct oc_walk_row row;
    int rc = begin_batch(batch);

    while (rc == OC_OK && (rc = next_in_batch(batch)) == 1) {
        read_row(batch->statement, &row);
        rc = fn(&row, context);
    }
    end_batch(batch);
    return rc;
}

int oc_walk_chunks(oc_reader *reader, enum oc_tier tier, oc_walk_fn *fn, void *context)
{
    struct batch batch = { .reader = reader, .next_id = INT64_MIN, .rows = OC_WALK_BATCH };
    int rc = oc_scan_prepare(reader->scan.db, &batch.statement,
                             "SELECT k.id, k.block, k.t0, k.t1, k.n, k.summary, k.data, s.boot, "
                             "s.begin_ms "
                             "FROM main.\"%w\" k LEFT JOIN main.source s ON s.id = k.id >> 24 "
                             "WHERE k.id >= ?1 ORDER BY k.id LIMIT ?2",
                             oc_tiers[tier].table);

    while (rc == OC_OK && batch.rows == OC_WALK_BATCH)
        rc = walk_batch(&batch, fn, context);
    (void)sqlite3_finalize(batch.statement);
    return rc;
}

static int walk_journal_batch(struct batch *batch, oc_walk_journal_fn *fn, void *context)
{
    int rc = begin_batch(batch);

    while (rc == OC_OK && (rc = next_in_batch(batch)) == 1)
        rc = fn(batch->statement, context);
    end_batch(batch);
    return rc;
}

int oc_walk_journal(oc_reader *reader, oc_walk_journal_fn *fn, void *context)
{
    struct batch batch = { .reader = reader, .next_id = INT64_MIN, .rows = OC_WALK_BATCH };
    int rc = oc_scan_prepare(reader->scan.db, &batch.statement,
                             "SELECT id, keyed, data, t0, t1, boot FROM main.journal "
                             "WHERE id >= ?1 ORDER BY id LIMIT ?2");

    while (rc == OC_OK && batch.rows == OC_WALK_BATCH)
        rc = walk_journal_batch(&batch, fn, context);
    (void)sqlite3_finalize(batch.statement);
    return rc;
}
