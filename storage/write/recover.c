#include "storage/write/store_impl.h"

#include "base/err.h"

#include <stddef.h>

/* How long sources of an earlier run wait for the daemon to take them up again. */
#define OC_RECOVER_WAIT_MS 120000

struct recovery {
    oc_store *store;
    int64_t row, boot; /* of the journal row now replayed */
    uint64_t samples;
    int failed; /* a code */
};

static int take_sample(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
                       void *context)
{
    struct recovery *recovery = context;
    struct oc_open_source *open = oc_store_find(recovery->store, source);
    int rc;

    if (!open || open->boot != recovery->boot) /* ended: all of it is in chunks */
        return OC_OK;
    rc = oc_store_take_back(recovery->store, open, t_ms, sample, same, recovery->row);
    if (rc < 0) {
        recovery->failed = rc;
        return rc;
    }
    recovery->samples += (uint64_t)rc;
    return OC_OK;
}

/* ---- sources that run, as the file has them ---- */

static int load_source(oc_store *store, sqlite3_stmt *statement)
{
    uint32_t id = (uint32_t)sqlite3_column_int64(statement, 0);
    struct oc_open_source *open = oc_store_add(store, id);

    if (!open)
        return OC_E_NOMEM;
    open->boot = sqlite3_column_int64(statement, 1);
    open->kind = (uint8_t)sqlite3_column_int(statement, 2);
    open->interval_ms = sqlite3_column_int(statement, 3);
    open->waits = 1;
    return oc_store_next_chunk(store, id, &open->next_chunk, open->sealed_until_ms);
}

static int load_sources(oc_store *store)
{
    sqlite3_stmt *statement = NULL;
    int sql_rc = sqlite3_prepare_v2(
        store->db,
        "SELECT id, boot, kind, interval_ms FROM source WHERE end_ms IS NULL ORDER BY id", -1,
        &statement, NULL);
    int rc = OC_OK;

    while (sql_rc == SQLITE_OK && rc == OC_OK && sqlite3_step(statement) == SQLITE_ROW)
        rc = load_source(store, statement);
    if (sql_rc == SQLITE_OK)
        sql_rc = sqlite3_reset(statement);
    (void)sqlite3_finalize(statement); /* reset told */
    return rc < 0 ? rc : oc_sqlite_err(sql_rc);
}

/* ---- the journal ---- */

/* One row of the journal. A row that does not hold together is passed over up to the next keyed one. */
static int replay(struct recovery *recovery, oc_replay *states, sqlite3_stmt *statement,
                  int *lost_thread)
{
    oc_store *store = recovery->store;
    int keyed = sqlite3_column_int(statement, 2), rc;
    const void *blob = sqlite3_column_blob(statement, 3);

    recovery->row = sqlite3_column_int64(statement, 0);
    recovery->boot = sqlite3_column_int64(statement, 1);
    if (store->next_row == 1)
        store->trimmed_to = recovery->row;
    store->next_row = recovery->row + 1;
    if (keyed) {
        oc_store_note_keyed(store, recovery->row, store->journal_bytes);
        *lost_thread = 0;
    }
    store->journal_bytes += (uint64_t)sqlite3_column_bytes(statement, 3);
    if (*lost_thread || !blob)
        return OC_OK;
    rc = oc_replay_row(states, keyed, blob, (size_t)sqlite3_column_bytes(statement, 3), take_sample,
                       recovery);
    if (recovery->failed)
        return recovery->failed;
    if (rc == OC_E_NOMEM)
        return rc;
    *lost_thread = rc < 0;
    return OC_OK;
}

static int replay_journal(struct recovery *recovery)
{
    sqlite3_stmt *statement = NULL;
    oc_replay *states = oc_replay_new(UINT32_MAX);
    int sql_rc = sqlite3_prepare_v2(recovery->store->db,
                                    "SELECT id, boot, keyed, data FROM journal ORDER BY id", -1,
                                    &statement, NULL);
    int rc = states ? OC_OK : OC_E_NOMEM, lost_thread = 0;

    while (sql_rc == SQLITE_OK && rc == OC_OK && sqlite3_step(statement) == SQLITE_ROW)
        rc = replay(recovery, states, statement, &lost_thread);
    if (sql_rc == SQLITE_OK)
        sql_rc = sqlite3_reset(statement);
    (void)sqlite3_finalize(statement); /* reset told */
    oc_replay_free(states);
    return rc < 0 ? rc : oc_sqlite_err(sql_rc);
}

/* ---- what ran in another boot, or nobody takes up ---- */

static int64_t last_sample_ms(const struct oc_open_source *source)
{
    int64_t last = 0;

    for (const struct oc_tail *s = &source->tail; s; s = s->next)
        if (s->has_last && s->last_t_ms > last)
            last = s->last_t_ms;
    for (int block = 0; block < OC_BLOCK_COUNT; block++)
        last = source->sealed_until_ms[block] > last ? source->sealed_until_ms[block] : last;
    return last;
}

static int end_other_boots(oc_store *store, struct oc_store_report *report)
{
    int rc = OC_OK;

    for (size_t i = 0; i < store->source_count && rc == OC_OK; i++) {
        const struct oc_open_source *source = store->sources[i];

        if (source->boot == store->boot)
            continue;
        rc = oc_store_source_end(store, source->id, last_sample_ms(source), OC_END_UNKNOWN, -1);
        report->ended_lives += source->kind == OC_SOURCE_PROCESS;
    }
    return rc;
}

void oc_store_end_waiting(oc_store *store, int64_t now_boot_ms)
{
    if (!store->has_waiting || now_boot_ms - store->opened_boot_ms < OC_RECOVER_WAIT_MS)
        return;
    store->has_waiting = 0;
    for (size_t i = 0; i < store->source_count; i++) {
        const struct oc_open_source *source = store->sources[i];

        if (source->waits && !source->ended &&
            oc_store_source_end(store, source->id, last_sample_ms(source), OC_END_UNWATCHED, -1) <
                0)
            store->has_waiting = 1; /* short memory: with a later commit */
    }
}

/* Tells of one row where it waits. */
static int tell_left(oc_store *store, sqlite3_stmt *statement, oc_store_left_fn *fn, void *context)
{
    uint32_t id = (uint32_t)sqlite3_column_int64(statement, 0);
    const struct oc_open_source *source = oc_store_find(store, id);
    struct oc_store_left left = { .source = id };

    if (!source || !source->waits || source->ended || source->kind != OC_SOURCE_PROCESS)
        return 0;
    left.id.pid = (uint32_t)sqlite3_column_int64(statement, 1);
    left.id.start_ticks = (uint64_t)sqlite3_column_int64(statement, 2);
    left.id.exec_count = (uint32_t)sqlite3_column_int64(statement, 3);
    left.last_boot_ms = last_sample_ms(source);
    return fn(&left, context);
}

int oc_store_left(oc_store *store, oc_store_left_fn *fn, void *context)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(store->db,
                                "SELECT source, pid, start_ticks, exec_count FROM life "
                                "JOIN source ON source.id = life.source "
                                "WHERE end_ms IS NULL ORDER BY source",
                                -1, &statement, NULL);
    int stop = 0;

    while (rc == SQLITE_OK && !stop && sqlite3_step(statement) == SQLITE_ROW)
        stop = tell_left(store, statement, fn, context);
    if (rc == SQLITE_OK)
        rc = sqlite3_reset(statement);
    (void)sqlite3_finalize(statement); /* reset told */
    return oc_sqlite_err(rc);
}

/*
 * Source 0 is the daemon itself, in whatever boot. What an earlier boot's left gets an id of its
 * own, so that times of two boots do not meet in one source.
 */
static int renumber_self(oc_store *store)
{
    static const char *const texts[] = {
        "UPDATE source SET id = %u WHERE id = 0",
        "UPDATE life SET source = %u WHERE source = 0",
        "UPDATE walk SET source = %u WHERE source = 0",
        "UPDATE module SET source = %u WHERE source = 0",
        "UPDATE module_gone SET source = %u WHERE source = 0",
        "UPDATE limit_value SET source = %u WHERE source = 0",
        "UPDATE forecast_series SET source = %u WHERE source = 0",
        "UPDATE raw SET id = id + (%u << 24) WHERE id < 16777216",
        "UPDATE minute SET id = id + (%u << 24) WHERE id < 16777216",
        "UPDATE hour SET id = id + (%u << 24) WHERE id < 16777216",
    };
    int rc = oc_store_run(store, oc_store_statement(store, OC_SQL_BEGIN));

    for (size_t i = 0; i < sizeof texts / sizeof *texts && rc == OC_OK; i++) {
        char *sql = sqlite3_mprintf(texts[i], store->next_source);

        rc = sql ? oc_store_exec(store, sql) : OC_E_NOMEM;
        sqlite3_free(sql);
    }
    if (rc == OC_OK)
        rc = oc_store_run(store, oc_store_statement(store, OC_SQL_COMMIT));
    if (rc == OC_OK)
        store->next_source++;
    else if (!sqlite3_get_autocommit(store->db))
        (void)oc_store_run(store, oc_store_statement(store, OC_SQL_ROLLBACK));
    return rc;
}

static int self_is_of_another_boot(oc_store *store, int *out_yes)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        sqlite3_prepare_v2(store->db, "SELECT boot FROM source WHERE id = 0", -1, &statement, NULL);

    *out_yes = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        *out_yes = rc == SQLITE_ROW && sqlite3_column_int64(statement, 0) != store->boot;
    }
    (void)sqlite3_finalize(statement); /* says again what step said */
    return oc_sqlite_err(rc);
}

int oc_store_recover(oc_store *store, struct oc_store_report *report)
{
    struct recovery recovery = { .store = store };
    int rc = load_sources(store), renumber = 0;

    if (rc == OC_OK)
        rc = replay_journal(&recovery);
    report->recovered_samples = recovery.samples;
    store->has_waiting = store->source_count > 0;
    if (rc == OC_OK)
        rc = end_other_boots(store, report);
    if (rc == OC_OK)
        rc = oc_store_commit(store, OC_DURABLE_BATCH, store->opened_boot_ms);
    if (rc == OC_OK)
        rc = self_is_of_another_boot(store, &renumber);
    if (rc == OC_OK && renumber)
        rc = renumber_self(store);
    return rc;
}
