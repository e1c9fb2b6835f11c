#include "storage/write/store_impl.h"

#include "base/err.h"
#include "storage/format/chunk_codec.h"

#include <string.h>

#define OC_JOURNAL_VERSION 1
/* Samples per source between two keyed rows: a reader replays so many at most, and each costs a whole sample. */
#define OC_KEYED_EVERY 64
#define OC_JOURNAL_KEEP_BYTES (8u << 20)  /* more journal than this, and … */
#define OC_JOURNAL_KEEP_SOURCE_BYTES 8192 /* … so much a source, 512 samples of it: seal early */
#define OC_TRIM_EVERY 16                  /* commits between two trims of the journal */
#define OC_TRIM_ROWS 256 /* rows deleted at a time: a trim is part of a commit, and short */
#define OC_CHECKPOINT_MS                                                                           \
    240000 /* each costs three fsyncs: seldom, so that there is less than one in ten ticks */
#define OC_CHECKPOINT_BYTES (16u << 20)
#define OC_CHECKPOINT_LEAST_MS 10000 /* where a reader keeps the WAL from being taken in */
#define OC_CHECKPOINT_SYNCS 3        /* the WAL, the file, and the WAL's head when it begins anew */

int64_t oc_store_needed_row(const oc_store *store)
{
    int64_t least = store->next_row;

    for (size_t i = 0; i < store->source_count; i++)
        for (const struct oc_tail *s = &store->sources[i]->tail; s; s = s->next)
            if (s->sample_count && s->first_row < least)
                least = s->first_row;
    return least;
}

/* The last keyed row from which all that is needed can be read. */
static int64_t trim_to(const oc_store *store)
{
    int64_t needed = oc_store_needed_row(store), keyed = 0;

    for (unsigned i = 0; i < store->keyed_count; i++)
        if (store->keyed_rows[i] <= needed)
            keyed = store->keyed_rows[i];
    return keyed;
}

/* Keyed rows before this one begin nothing any more. */
static void forget_keyed(oc_store *store, int64_t row)
{
    unsigned gone = 0, kept;

    while (gone < store->keyed_count && store->keyed_rows[gone] < row)
        gone++;
    kept = store->keyed_count - gone;
    memmove(store->keyed_rows, store->keyed_rows + gone, kept * sizeof *store->keyed_rows);
    memmove(store->keyed_at_bytes, store->keyed_at_bytes + gone,
            kept * sizeof *store->keyed_at_bytes);
    store->keyed_count = kept;
}

void oc_store_note_keyed(oc_store *store, int64_t row, uint64_t at_bytes)
{
    if (store->keyed_count == OC_STORE_MAX_KEYED) { /* every other one will do */
        for (size_t i = 0; i < OC_STORE_MAX_KEYED / 2; i++) {
            store->keyed_rows[i] = store->keyed_rows[2 * i];
            store->keyed_at_bytes[i] = store->keyed_at_bytes[2 * i];
        }
        store->keyed_count = OC_STORE_MAX_KEYED / 2;
    }
    store->keyed_rows[store->keyed_count] = row;
    store->keyed_at_bytes[store->keyed_count++] = at_bytes;
}

/*
 * A few sources that are seldom looked at would keep the journal of all others: where it is long,
 * what reaches furthest back is sealed early. Merging makes up for short chunks.
 */
static void press_journal(oc_store *store)
{
    uint64_t most_bytes =
        OC_JOURNAL_KEEP_BYTES + OC_JOURNAL_KEEP_SOURCE_BYTES * store->source_count;
    int64_t before;

    if (store->keyed_count < 3 || store->journal_bytes - store->keyed_at_bytes[0] < most_bytes)
        return;
    before = store->keyed_rows[store->keyed_count / 8 + 1];
    for (size_t i = 0; i < store->source_count; i++)
        for (struct oc_tail *s = &store->sources[i]->tail; s; s = s->next)
            if (s->sample_count && !s->due && s->first_row < before) {
                s->due = 1;
                oc_store_note_due(store, store->sources[i]->id);
            }
}

static int trim_journal(oc_store *store, int64_t *out_to)
{
    sqlite3_stmt *statement;
    int64_t to;

    *out_to = store->trimmed_to;
    if (store->commits_since_trim < OC_TRIM_EVERY)
        return OC_OK;
    to = trim_to(store);
    if (to <= store->trimmed_to)
        return OC_OK;
    if (to - store->trimmed_to > OC_TRIM_ROWS)
        to = store->trimmed_to + OC_TRIM_ROWS;
    statement = oc_store_statement(store, OC_SQL_JOURNAL_TRIM);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, store->trimmed_to);
        (void)sqlite3_bind_int64(statement, 2, to);
    }
    *out_to = to;
    return oc_store_run(store, statement);
}

static int write_journal(oc_store *store)
{
    sqlite3_stmt *statement;
    int rc;

    if (store->journal.sample_count == 0)
        return OC_OK;
    rc =
        oc_codec_pack(store->codec, &store->journal.body, OC_JOURNAL_VERSION, &store->journal_blob);
    if (rc < 0)
        return rc;
    statement = oc_store_statement(store, OC_SQL_JOURNAL_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, store->next_row);
        (void)sqlite3_bind_int64(statement, 2, store->boot);
        (void)sqlite3_bind_int64(statement, 3, store->batch_t0_ms);
        (void)sqlite3_bind_int64(statement, 4, store->batch_t1_ms);
        (void)sqlite3_bind_int(statement, 5, store->batch_keyed);
        (void)sqlite3_bind_blob64(statement, 6, store->journal_blob.data,
                                  store->journal_blob.len_bytes, SQLITE_STATIC);
    }
    return oc_store_run(store, statement);
}

/* All rows of the batch, between BEGIN and COMMIT. */
static int write_batch(oc_store *store, int64_t *out_trimmed_to)
{
    int rc = oc_store_write_ops(store);

    if (rc == OC_OK)
        rc = write_journal(store);
    if (rc == OC_OK)
        rc = oc_store_seal_due(store);
    if (rc == OC_OK)
        rc = trim_journal(store, out_trimmed_to);
    return rc;
}

/* The batch is in the file: memory follows. */
static void batch_done(oc_store *store, int64_t trimmed_to)
{
    int had_due = store->due_count || store->must_seal_all;

    if (store->journal.sample_count) {
        if (store->batch_keyed)
            oc_store_note_keyed(store, store->next_row, store->journal_bytes);
        store->journal_bytes += store->journal_blob.len_bytes;
        store->next_row++;
        store->batch_keyed = 0;
    }
    if (had_due)
        oc_store_sealed(store);
    oc_store_clear_ops(store);
    if (trimmed_to > store->trimmed_to) {
        store->trimmed_to = trimmed_to;
        forget_keyed(store, trimmed_to);
    }
    if (store->commits_since_trim >= OC_TRIM_EVERY)
        store->commits_since_trim = 0;
    store->commits_since_trim++;
    if (store->samples_since_keyed >= OC_KEYED_EVERY * (uint64_t)(store->source_count + 1)) {
        store->epoch++;
        store->batch_keyed = 1;
        store->samples_since_keyed = 0;
    }
    oc_journal_writer_reset(&store->journal);
    store->stats.commits++;
}

/* The end of a transaction may itself have found no memory, and the next one would be refused for ever. */
static int end_left_open(oc_store *store)
{
    if (sqlite3_get_autocommit(store->db))
        return OC_OK;
    return oc_store_run(store, oc_store_statement(store, OC_SQL_ROLLBACK));
}

static int transaction(oc_store *store)
{
    int64_t trimmed_to = 0;
    int rc = oc_store_run(store, oc_store_statement(store, OC_SQL_BEGIN));

    if (rc < 0)
        return rc;
    rc = write_batch(store, &trimmed_to);
    if (rc == OC_OK)
        rc = oc_store_run(store, oc_store_statement(store, OC_SQL_COMMIT));
    if (rc == OC_OK) {
        batch_done(store, trimmed_to);
        return OC_OK;
    }
    if (!sqlite3_get_autocommit(store->db)) /* a full disk may have rolled back by itself */
        (void)oc_store_run(store, oc_store_statement(store, OC_SQL_ROLLBACK));
    oc_store_unsealed(store);
    return rc;
}

/* Takes the WAL into the file: syncs both. */
static int checkpoint(oc_store *store, int64_t now_boot_ms)
{
    /* PASSIVE never waits: a reader's transaction only puts the rest off */
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    store->checkpointed_boot_ms = now_boot_ms;
    if (rc != SQLITE_OK)
        return oc_sqlite_err(rc);
    store->stats.syncs += OC_CHECKPOINT_SYNCS;
    store->wal_bytes = 0;
    store->synced_boot_ms = now_boot_ms;
    store->is_unsynced = 0;
    return OC_OK;
}

static void checkpoint_if_due(oc_store *store, int64_t now_boot_ms)
{
    int64_t since_ms = now_boot_ms - store->checkpointed_boot_ms;

    if (since_ms >= OC_CHECKPOINT_MS ||
        (store->wal_bytes >= OC_CHECKPOINT_BYTES && since_ms >= OC_CHECKPOINT_LEAST_MS))
        (void)checkpoint(store, now_boot_ms); /* the WAL holds all: later will do */
}

static int is_sync_due(const oc_store *store, int64_t now_boot_ms)
{
    return now_boot_ms - store->synced_boot_ms > store->options.sync_interval_ms;
}

void oc_store_sync_if_due(oc_store *store, int64_t now_boot_ms)
{
    if (store->is_unsynced && is_sync_due(store, now_boot_ms))
        (void)checkpoint(store, now_boot_ms); /* tried again with the next call */
}

/* Called by SQLite after each commit with the length of the WAL. */
int oc_store_on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    oc_store *store = context;

    (void)db;
    (void)name;
    store->wal_bytes = (uint64_t)pages * store->page_bytes;
    return SQLITE_OK;
}

static int is_empty(const oc_store *store)
{
    return !store->journal.sample_count && !store->ops && !store->due_count &&
           !store->must_seal_all;
}

int oc_store_commit(oc_store *store, enum oc_durability durability, int64_t now_boot_ms)
{
    int with_sync = durability == OC_DURABLE_NOW || is_sync_due(store, now_boot_ms);
    int rc;

    oc_store_end_waiting(store, now_boot_ms);
    oc_store_sweep(store, now_boot_ms);
    if (store->commits_since_trim >= OC_TRIM_EVERY)
        press_journal(store);
    if (is_empty(store)) {
        /* an empty transaction would sync nothing */
        return with_sync && store->is_unsynced ? checkpoint(store, now_boot_ms) : OC_OK;
    }
    rc = end_left_open(store);
    if (rc == OC_OK && with_sync)
        (void)oc_store_exec(store, "PRAGMA synchronous=FULL");
    if (rc == OC_OK)
        rc = transaction(store);
    if (with_sync)
        (void)oc_store_exec(store, "PRAGMA synchronous=NORMAL");
    store->is_corrupt |= rc == OC_E_CORRUPT;
    store->is_held = rc < 0;
    if (rc < 0)
        return rc;
    store->is_unsynced = !with_sync;
    if (with_sync) {
        store->stats.syncs++;
        store->synced_boot_ms = now_boot_ms;
    }
    checkpoint_if_due(store, now_boot_ms);
    return OC_OK;
}
