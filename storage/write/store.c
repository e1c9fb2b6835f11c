#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/os.h"
#include "storage/write/sqlite_alloc.h"

#include <stdio.h>
#include <string.h>

#define OC_DAY_MS INT64_C(86400000)
#define OC_DEFAULT_SEAL_SAMPLES 512
#define OC_JOURNAL_MAX_BATCH_BYTES                                                                 \
    (16u << 20) /* the batch in memory: what a full disk may hold back */
#define OC_QUICK_CHECK_MAX_BYTES (64u << 20) /* larger files would hold up the start */
#define OC_STORE_CACHE_KIB 768

/* ---- options ---- */

static struct oc_store_options with_defaults(const struct oc_store_options *given)
{
    struct oc_store_options o = *given;

    o.max_file_bytes = o.max_file_bytes ? o.max_file_bytes : UINT64_C(1) << 30;
    o.raw_keep_ms = o.raw_keep_ms ? o.raw_keep_ms : 7 * OC_DAY_MS;
    o.minute_keep_ms = o.minute_keep_ms ? o.minute_keep_ms : 90 * OC_DAY_MS;
    o.hour_keep_ms = o.hour_keep_ms ? o.hour_keep_ms : 730 * OC_DAY_MS;
    o.seal_samples = o.seal_samples ? o.seal_samples : OC_DEFAULT_SEAL_SAMPLES;
    if (o.seal_samples > OC_CHUNK_MAX_SAMPLES / 2)
        o.seal_samples = OC_CHUNK_MAX_SAMPLES / 2;
    o.seal_age_ms = o.seal_age_ms ? o.seal_age_ms : 3600000;
    o.sync_interval_ms = o.sync_interval_ms ? o.sync_interval_ms : 10000;
    o.max_open_bytes = o.max_open_bytes ? o.max_open_bytes : UINT64_C(64) << 20;
    o.path = o.boot_id = NULL; /* the caller's: not kept */
    return o;
}

/* ---- the connection ---- */

static int connect_db(oc_store *store)
{
    int persist = 1;
    int rc =
        sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return oc_sqlite_err(store->db ? sqlite3_extended_errcode(store->db) : SQLITE_NOMEM);
    (void)sqlite3_extended_result_codes(store->db, 1);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 128, 64);
    (void)sqlite3_busy_timeout(store->db, OC_SCHEMA_BUSY_MS);
    /* else a store that was closed could not be read in a folder that the reader may not write */
    (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    return OC_OK;
}

static void disconnect(oc_store *store)
{
    oc_store_statements_clear(store);
    oc_walk_rows_clear(&store->walk_rows);
    (void)sqlite3_close(store->db); /* nothing is left in use: it cannot be busy */
    store->db = NULL;
}

/* Settings of the connection, once the file is known to be ours or empty. */
static int settle(oc_store *store)
{
    char sql[160];
    int rc;

    (void)snprintf(sql, sizeof sql,
                   "PRAGMA cache_size=-%d; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
                   "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=33554432",
                   OC_STORE_CACHE_KIB);
    rc = oc_store_exec(store, "PRAGMA journal_mode=WAL");
    if (rc == OC_OK)
        rc = oc_store_exec(store, sql);
    (void)sqlite3_wal_hook(store->db, oc_store_on_commit, store);
    return rc;
}

/* ---- files that cannot be used as they are ---- */

static int path_exists(const char *path, const char *suffix)
{
    char *name = sqlite3_mprintf("%s%s", path, suffix);
    int exists = name && oc_file_exists(name);

    sqlite3_free(name);
    return exists;
}

/* Moves path + suffix, where it is there, to aside + suffix. */
static int move_aside(const char *path, const char *aside, const char *suffix)
{
    char *from = sqlite3_mprintf("%s%s", path, suffix);
    char *to = sqlite3_mprintf("%s%s", aside, suffix);
    int rc = OC_E_NOMEM;

    if (from && to)
        rc = oc_file_exists(from) ? oc_file_rename(from, to) : OC_OK;
    sqlite3_free(from);
    sqlite3_free(to);
    return rc;
}

#define OC_CORRUPT_MARK "-corrupt" /* beside a file that was found corrupt while in use */

static int set_aside(oc_store *store, int64_t now_unix_ms, struct oc_store_report *report)
{
    char mark[600];
    int rc;

    disconnect(store);
    (void)snprintf(report->set_aside, sizeof report->set_aside, "%s.corrupt-%lld", store->path,
                   (long long)now_unix_ms);
    rc = move_aside(store->path, report->set_aside, "");
    if (rc == OC_OK)
        rc = move_aside(store->path, report->set_aside, "-wal");
    if (rc == OC_OK)
        rc = move_aside(store->path, report->set_aside, "-shm");
    (void)snprintf(mark, sizeof mark, "%s" OC_CORRUPT_MARK, store->path);
    (void)oc_file_remove(mark); /* mostly not there */
    return rc;
}

/* A copy of the file beside it, through SQLite: the WAL's pages are in it. */
static int back_up(oc_store *store, int version, struct oc_store_report *report)
{
    sqlite3 *copy = NULL;
    sqlite3_backup *backup = NULL;
    int rc;

    (void)snprintf(report->backup, sizeof report->backup, "%s.before-v%d", store->path,
                   OC_SCHEMA_VERSION);
    (void)version;
    rc = sqlite3_open_v2(report->backup, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (rc == SQLITE_OK)
        backup = sqlite3_backup_init(copy, "main", store->db, "main");
    if (backup) {
        (void)sqlite3_backup_step(backup, -1); /* finish tells */
        rc = sqlite3_backup_finish(backup);
    } else if (rc == SQLITE_OK) {
        rc = sqlite3_extended_errcode(copy);
    }
    (void)sqlite3_close(copy);
    return oc_sqlite_err(rc);
}

/* ---- the file becomes ours, of today ---- */

static int quick_check_row(void *context, int count, char **values, char **names)
{
    (void)names;
    if (count > 0 && values[0] && strcmp(values[0], "ok") != 0)
        *(int *)context = 0;
    return 0;
}

/* Whether a file of moderate size holds together; larger ones show their damage when it is met. */
static int check_file(oc_store *store)
{
    uint64_t bytes = 0;
    int sound = 1, rc;

    if (oc_file_size(store->path, &bytes) < 0 || bytes > OC_QUICK_CHECK_MAX_BYTES)
        return OC_OK;
    rc = oc_sqlite_err(
        sqlite3_exec(store->db, "PRAGMA quick_check(1)", quick_check_row, &sound, NULL));
    return rc == OC_OK && !sound ? OC_E_CORRUPT : rc;
}

static int prepare_file(oc_store *store, struct oc_store_report *report)
{
    int version = 0;
    int rc = oc_schema_probe(store->db, &version);

    if (rc == OC_E_NOENT) {
        report->created = 1;
        rc = oc_schema_create(store->db);
        return rc == OC_OK ? settle(store) : rc;
    }
    if (rc != OC_OK && rc != OC_E_AGAIN)
        return rc;
    if (rc == OC_E_AGAIN)
        rc = back_up(store, version, report);
    if (rc == OC_OK && version < OC_SCHEMA_VERSION)
        rc = oc_schema_upgrade(store->db, version);
    if (rc == OC_OK)
        rc = settle(store);
    return rc == OC_OK ? check_file(store) : rc;
}

/* ---- what is known at the start ---- */

static int read_i64(oc_store *store, const char *sql, const char *text, int64_t *out_value)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

    if (rc == SQLITE_OK) {
        if (text)
            (void)sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            *out_value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement); /* says again what step said */
    return oc_sqlite_err(rc);
}

static int load_boot(oc_store *store, const struct oc_store_options *options)
{
    int64_t next_source = 1;
    int rc = read_i64(store, "INSERT OR IGNORE INTO boot(uuid) VALUES(?)", options->boot_id,
                      &store->boot);

    if (rc == OC_OK)
        rc = read_i64(store, "SELECT id FROM boot WHERE uuid = ?", options->boot_id, &store->boot);
    if (rc == OC_OK)
        rc = read_i64(store, "SELECT ifnull(max(id), 0) + 1 FROM source", NULL, &next_source);
    if (rc == OC_OK)
        rc = oc_store_clock(store, options->now_boot_ms, options->now_unix_ms);
    store->next_source = (uint32_t)next_source;
    return rc;
}

static int load(oc_store *store, const struct oc_store_options *options,
                struct oc_store_report *report)
{
    int64_t page_bytes = 0;
    int rc = connect_db(store);

    if (rc == OC_OK && path_exists(store->path, OC_CORRUPT_MARK))
        return OC_E_CORRUPT;
    if (rc == OC_OK)
        rc = prepare_file(store, report);
    if (rc == OC_OK)
        rc = read_i64(store, "PRAGMA page_size", NULL, &page_bytes);
    store->page_bytes = (uint32_t)page_bytes;
    if (rc == OC_OK)
        rc = load_boot(store, options);
    if (rc == OC_OK)
        rc = oc_store_load_next_walk(store);
    return rc == OC_OK ? oc_store_recover(store, report) : rc;
}

/* ---- open and close ---- */

static oc_store *make_store(const struct oc_store_options *options)
{
    oc_store *store = oc_calloc(1, sizeof *store);

    if (!store)
        return NULL;
    store->options = with_defaults(options);
    store->ops_end = &store->ops;
    store->next_row = 1;
    store->epoch = 1;
    store->batch_keyed = 1;
    store->opened_boot_ms = store->swept_boot_ms = options->now_boot_ms;
    store->synced_boot_ms = store->checkpointed_boot_ms = options->now_boot_ms;
    oc_pool_init(&store->pool, store->options.max_open_bytes);
    oc_journal_writer_init(&store->journal, OC_JOURNAL_MAX_BATCH_BYTES);
    oc_buf_init(&store->journal_blob, OC_JOURNAL_MAX_BATCH_BYTES + 64);
    store->path = oc_strdup(options->path);
    store->codec = oc_codec_new();
    return store;
}

/* What is in memory; the file is let go as it is. */
static void forget(oc_store *store)
{
    for (size_t i = 0; i < store->source_count; i++)
        oc_store_source_free(store, store->sources[i]);
    store->source_count = 0;
    oc_store_clear_ops(store);
}

static void free_store(oc_store *store)
{
    if (!store)
        return;
    forget(store);
    oc_upkeep_free(store->upkeep); /* its statements, before the connection */
    disconnect(store);
    oc_store_seal_clear(store);
    oc_journal_writer_clear(&store->journal);
    oc_buf_clear(&store->journal_blob);
    oc_pool_clear(&store->pool);
    oc_codec_free(store->codec);
    oc_walk_state_clear(&store->walk_state);
    oc_free(store->sources);
    oc_free(store->path);
    oc_free(store);
}

static const char *mend_of(int code)
{
    switch (code) {
    case OC_E_FOREIGN:
        return "it is another program's database; choose another folder or file";
    case OC_E_NEWER:
        return "it was written by a newer oomcast; install that one, or choose another folder";
    case OC_E_DENIED:
        return "the user who runs this may not write there";
    case OC_E_NOSPC:
        return "the disk is full";
    case OC_E_BUSY:
        return "another process is writing to it; stop that one first";
    case OC_E_CORRUPT:
        return "it is damaged and could not be moved away; move it by hand";
    default:
        return oc_err_text(code);
    }
}

int oc_store_open(const struct oc_store_options *options, oc_store **out_store,
                  struct oc_store_report *out_report, struct oc_detail *detail)
{
    oc_store *store;
    struct oc_store_report report = { 0 };
    int rc;

    oc_sqlite_init();
    store = make_store(options);
    if (!store || !store->path || !store->codec) {
        free_store(store);
        return oc_detail_set(detail, OC_E_NOMEM, "cannot open %s: memory is short", options->path);
    }
    rc = load(store, options, &report);
    if (rc == OC_E_CORRUPT) {
        rc = set_aside(store, options->now_unix_ms, &report);
        free_store(store);
        store = rc == OC_OK ? make_store(options) : NULL;
        rc = rc < 0 ? OC_E_CORRUPT : store && store->path && store->codec ? OC_OK : OC_E_NOMEM;
        if (rc == OC_OK)
            rc = load(store, options, &report);
    }
    if (rc < 0) {
        free_store(store);
        return oc_detail_set(detail, rc, "cannot use %s: %s", options->path, mend_of(rc));
    }
    *out_store = store;
    if (out_report)
        *out_report = report;
    return OC_OK;
}

/* So that the next open knows without reading all of a large file. */
static void mark_corrupt(const oc_store *store)
{
    char *mark = sqlite3_mprintf("%s" OC_CORRUPT_MARK, store->path);

    if (mark)
        (void)oc_file_write_atomic(mark, "", 0); /* else it is found out again */
    sqlite3_free(mark);
}

int oc_store_close(oc_store *store)
{
    int rc = OC_OK;

    if (!store)
        return OC_OK;
    if (store->is_corrupt)
        mark_corrupt(store);
    else
        rc = oc_store_commit(store, OC_DURABLE_NOW, store->synced_boot_ms);
    if (rc == OC_OK && !store->is_corrupt)
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                        NULL); /* a reader may keep it: nothing is lost */
    free_store(store);
    return rc;
}

void oc_store_stats(const oc_store *store, struct oc_store_stats *out_stats)
{
    *out_stats = store->stats;
    out_stats->wal_bytes = store->wal_bytes;
    out_stats->open_bytes =
        (uint64_t)store->pool.used_blocks * OC_POOL_BLOCK_BYTES + store->journal.body.len_bytes;
    if (oc_file_size(store->path, &out_stats->file_bytes) < 0)
        out_stats->file_bytes = 0;
}

const char *oc_store_path(const oc_store *store) { return store->path; }
