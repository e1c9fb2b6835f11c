#include "storage/format/schema.h"

#include "storage/format/sqlite_api.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * 8192 would take 4 % less at rest, but write 40 % more: each commit writes the page in which the
 * journal goes on, and one for each chunk. Measured with tests/bench/bench_store.c.
 */
#define OC_SCHEMA_PAGE_BYTES "4096"

#define OC_CHUNK_TABLE(name)                                                                       \
    "CREATE TABLE " name "("                                                                       \
    "id INTEGER PRIMARY KEY," /* source << 24 | chunk number */                                    \
    "block INTEGER NOT NULL," /* of metrics */                                                     \
    "t0 INTEGER NOT NULL,"    /* boot ms of the first row */                                       \
    "t1 INTEGER NOT NULL,"    /* of the last */                                                    \
    "n INTEGER NOT NULL,"     /* rows */                                                           \
    "summary BLOB NOT NULL,"  /* chunk.h */                                                        \
    "data BLOB NOT NULL);"

/* Migrations by number: [v] makes a file of version v + 1 out of one of version v. Never edited once released. */
static const char *const migrations[OC_SCHEMA_VERSION] = {
    "CREATE TABLE boot(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);"
    "CREATE TABLE clock("
    "boot INTEGER NOT NULL, boot_ms INTEGER NOT NULL, unix_ms INTEGER NOT NULL,"
    "PRIMARY KEY(boot, boot_ms)) WITHOUT ROWID;"
    "CREATE TABLE subject(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER NOT "
    "NULL);"
    "CREATE TABLE source("
    "id INTEGER PRIMARY KEY,"
    "subject INTEGER NOT NULL,"
    "kind INTEGER NOT NULL," /* enum oc_source_kind */
    "boot INTEGER NOT NULL,"
    "begin_ms INTEGER NOT NULL,"
    "end_ms INTEGER,"                 /* NULL while it runs */
    "end INTEGER NOT NULL DEFAULT 0," /* enum oc_end */
    "status INTEGER NOT NULL DEFAULT -1,"
    "interval_ms INTEGER NOT NULL,"
    "inode INTEGER NOT NULL DEFAULT 0,"   /* of a cgroup */
    "upkeep INTEGER NOT NULL DEFAULT 1);" /* 0: ended, and all tiers are made */
    "CREATE INDEX source_subject ON source(subject);"
    "CREATE INDEX source_upkeep ON source(id) WHERE upkeep = 1;"
    "CREATE INDEX source_running ON source(id) WHERE end_ms IS NULL;"
    "CREATE TABLE life("
    "source INTEGER PRIMARY KEY,"
    "pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, exec_count INTEGER NOT NULL,"
    "parent_pid INTEGER, uid INTEGER, start_unix_ms INTEGER,"
    "name TEXT NOT NULL, exe TEXT, cgroup TEXT, cmdline TEXT);"
    "CREATE INDEX life_pid ON life(pid, start_ticks);" OC_CHUNK_TABLE("raw")
        OC_CHUNK_TABLE("minute")
            OC_CHUNK_TABLE("hour") "CREATE TABLE journal("
                                   "id INTEGER PRIMARY KEY, boot INTEGER NOT NULL, t0 INTEGER NOT "
                                   "NULL, t1 INTEGER NOT NULL,"
                                   "keyed INTEGER NOT NULL, data BLOB NOT NULL);",

    /* 2: walks, limits, labels, and who ended a life */
    "CREATE TABLE text(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX text_hash ON text(hash);" /* a fifth of an index on the texts themselves */
    "CREATE TABLE walk("
    "source INTEGER NOT NULL, t INTEGER NOT NULL,"
    "id INTEGER," /* of its rows in region_total and family_count; NULL: nothing changed */
    "keyed INTEGER NOT NULL, seen INTEGER NOT NULL, known INTEGER NOT NULL,"
    "cpu_us INTEGER NOT NULL, wall_us INTEGER NOT NULL, stall_us INTEGER NOT NULL,"
    "largest_free INTEGER, largest_free_at INTEGER, arenas INTEGER NOT NULL, runtime TEXT,"
    "PRIMARY KEY(source, t)) WITHOUT ROWID;"
    /* by walk: what walks of all sources write goes to the end of the table, whose pages are full */
    "CREATE TABLE region_total("
    "walk INTEGER NOT NULL, cell INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "largest INTEGER NOT NULL, resident INTEGER, PRIMARY KEY(walk, cell)) WITHOUT ROWID;"
    "CREATE TABLE family("
    "id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, kind INTEGER NOT NULL, folded INTEGER NOT NULL,"
    "name TEXT NOT NULL, example TEXT);"
    "CREATE INDEX family_hash ON family(hash);"
    "CREATE TABLE family_count("
    "walk INTEGER NOT NULL, family INTEGER NOT NULL, count INTEGER NOT NULL,"
    "names INTEGER NOT NULL, bytes INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    "PRIMARY KEY(walk, family)) WITHOUT ROWID;"
    /* those that are there; the others are apart, so that a walk reads no more than it must */
    "CREATE TABLE module("
    "source INTEGER NOT NULL, loaded INTEGER NOT NULL, n INTEGER NOT NULL,"
    "base INTEGER NOT NULL, bytes INTEGER NOT NULL, inode INTEGER NOT NULL,"
    "name INTEGER NOT NULL, hash INTEGER NOT NULL, flags INTEGER NOT NULL,"
    "PRIMARY KEY(source, loaded, n)) WITHOUT ROWID;"
    "CREATE TABLE module_gone("
    "source INTEGER NOT NULL, unloaded INTEGER NOT NULL, n INTEGER NOT NULL,"
    "loaded INTEGER NOT NULL, base INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "inode INTEGER NOT NULL, name INTEGER NOT NULL, flags INTEGER NOT NULL,"
    "PRIMARY KEY(source, unloaded, n)) WITHOUT ROWID;"
    "CREATE TABLE limit_value("
    "source INTEGER NOT NULL, kind INTEGER NOT NULL, metric INTEGER NOT NULL,"
    "place INTEGER NOT NULL, begin_ms INTEGER NOT NULL, end_ms INTEGER, value INTEGER NOT NULL,"
    "PRIMARY KEY(source, kind, metric, place, begin_ms)) WITHOUT ROWID;"
    "CREATE TABLE subject_label("
    "subject INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    "PRIMARY KEY(subject, key)) WITHOUT ROWID;"
    "ALTER TABLE source ADD COLUMN killer INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE source ADD COLUMN killer_scope TEXT;",

    /* 3: forecasts, what the forecaster remembers, the record of what came of its forecasts */
    "CREATE TABLE forecast_series("
    "id INTEGER PRIMARY KEY,"
    "source INTEGER NOT NULL, kind INTEGER NOT NULL, metric INTEGER NOT NULL,"
    "place INTEGER NOT NULL, end_ms INTEGER);"
    "CREATE UNIQUE INDEX forecast_series_key ON forecast_series(source, kind, metric, place);"
    "CREATE TABLE forecast("
    "series INTEGER NOT NULL, t INTEGER NOT NULL, state INTEGER NOT NULL, since INTEGER NOT NULL,"
    "samples INTEGER NOT NULL, value REAL, ceiling REAL, growth REAL, growth_error REAL,"
    "chance REAL, p10 REAL, p50 REAL, p90 REAL, saved_life REAL,"
    "PRIMARY KEY(series, t)) WITHOUT ROWID;"
    "CREATE TABLE forecaster("
    "id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, key INTEGER NOT NULL,"
    "row INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE UNIQUE INDEX forecaster_key ON forecaster(kind, name, key);"
    "CREATE TABLE forecast_record("
    "subject TEXT NOT NULL, metric INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "first_unix_ms INTEGER NOT NULL, last_unix_ms INTEGER NOT NULL,"
    "judged INTEGER NOT NULL, inside INTEGER NOT NULL, early INTEGER NOT NULL,"
    "late INTEGER NOT NULL, censored INTEGER NOT NULL, ends INTEGER NOT NULL,"
    "foretold INTEGER NOT NULL, alarms INTEGER NOT NULL, false_alarms INTEGER NOT NULL,"
    "error_sum REAL NOT NULL, errors INTEGER NOT NULL, lead_s_sum REAL NOT NULL,"
    "watched_s REAL NOT NULL, PRIMARY KEY(subject, metric, kind)) WITHOUT ROWID;",

    /* 4: alerts, what was decided of them, what is to be sent, silences */
    "CREATE TABLE alert("
    "episode INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL, rule TEXT NOT NULL,"
    "subject TEXT NOT NULL, kind INTEGER NOT NULL, severity INTEGER NOT NULL,"
    "state INTEGER NOT NULL, mutes INTEGER NOT NULL, was_told INTEGER NOT NULL,"
    "not_durable INTEGER NOT NULL, source_kind INTEGER NOT NULL, flaps INTEGER NOT NULL,"
    "pending_unix_ms INTEGER, firing_unix_ms INTEGER, ended_unix_ms INTEGER,"
    "acked_unix_ms INTEGER, changed_unix_ms INTEGER NOT NULL, source INTEGER NOT NULL,"
    "pid INTEGER NOT NULL, value REAL, bound REAL, chance REAL, why TEXT NOT NULL,"
    "limit_kind INTEGER NOT NULL, limit_place TEXT, metric INTEGER NOT NULL,"
    "forecast_state INTEGER NOT NULL, forecast_unix_ms INTEGER NOT NULL,"
    "since_unix_ms INTEGER NOT NULL, samples INTEGER NOT NULL, last REAL, ceiling REAL,"
    "growth REAL, growth_error REAL, goes_on REAL, p10 REAL, p50 REAL, p90 REAL,"
    "saved_life REAL);"
    "CREATE INDEX alert_open ON alert(episode) WHERE state IN (1, 2);"
    "CREATE INDEX alert_over ON alert(changed_unix_ms) WHERE state NOT IN (1, 2);"
    "CREATE TABLE alert_decision("
    "id INTEGER PRIMARY KEY, t_unix_ms INTEGER NOT NULL, episode INTEGER NOT NULL,"
    "fingerprint INTEGER NOT NULL, from_state INTEGER NOT NULL, to_state INTEGER NOT NULL,"
    "mutes INTEGER NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL);"
    "CREATE INDEX alert_decision_episode ON alert_decision(episode);"
    "CREATE TABLE outbox("
    "row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL,"
    "group_key INTEGER NOT NULL, state INTEGER NOT NULL, severity INTEGER NOT NULL,"
    "is_digest INTEGER NOT NULL, attempts INTEGER NOT NULL, made_unix_ms INTEGER NOT NULL,"
    "next_unix_ms INTEGER, done_unix_ms INTEGER, status INTEGER NOT NULL, why TEXT NOT NULL,"
    "body TEXT);"
    "CREATE INDEX outbox_open ON outbox(id) WHERE state IN (0, 1);"
    "CREATE INDEX outbox_over ON outbox(done_unix_ms) WHERE state NOT IN (0, 1);"
    "CREATE TABLE silence("
    "id INTEGER PRIMARY KEY, begin_unix_ms INTEGER NOT NULL, end_unix_ms INTEGER NOT NULL,"
    "author TEXT NOT NULL, comment TEXT NOT NULL);"
    "CREATE TABLE silence_matcher("
    "silence INTEGER NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, glob TEXT NOT NULL,"
    "is_negative INTEGER NOT NULL, PRIMARY KEY(silence, n)) WITHOUT ROWID;",
    /* 5: how a life is ended by plan */
    "ALTER TABLE life ADD COLUMN plan TEXT;",
};

int oc_schema_probe(struct sqlite3 *db, int *out_version)
{
    int64_t application_id = 0, version = 0, table_count = 0;
    int rc = oc_sqlite_number(db, "SELECT count(*) FROM sqlite_master", &table_count);

    if (rc == SQLITE_OK)
        rc = oc_sqlite_number(db, "PRAGMA application_id", &application_id);
    if (rc == SQLITE_OK)
        rc = oc_sqlite_number(db, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK)
        return rc == SQLITE_DONE ? OC_E_IO : oc_sqlite_err(rc);
    *out_version = (int)version; /* 32 bits in the file */
    /* a file of ours gets its id in the same transaction as its tables: one without tables is empty */
    if (table_count == 0 && (application_id == 0 || application_id == OC_SCHEMA_APPLICATION_ID) &&
        version == 0)
        return OC_E_NOENT;
    if (application_id != OC_SCHEMA_APPLICATION_ID)
        return OC_E_FOREIGN;
    if (version > OC_SCHEMA_VERSION)
        return OC_E_NEWER;
    return version < OC_SCHEMA_VERSION ? OC_E_AGAIN : OC_OK;
}

static int run(struct sqlite3 *db, const char *sql)
{
    return oc_sqlite_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int oc_schema_upgrade(struct sqlite3 *db, int version)
{
    char sql[64];
    int rc = run(db, "BEGIN IMMEDIATE");

    for (int v = version; v < OC_SCHEMA_VERSION && rc == OC_OK; v++)
        rc = run(db, migrations[v]);
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d", OC_SCHEMA_APPLICATION_ID);
    if (rc == OC_OK)
        rc = run(db, sql);
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%d", OC_SCHEMA_VERSION);
    if (rc == OC_OK)
        rc = run(db, sql);
    if (rc == OC_OK)
        rc = run(db, "COMMIT");
    if (rc < 0 && !sqlite3_get_autocommit(db))
        (void)run(db, "ROLLBACK"); /* the first failure is the one to tell */
    return rc;
}

int oc_schema_create(struct sqlite3 *db)
{
    /* both are ignored once there is a table, and page_size once there is a WAL */
    int rc = run(db, "PRAGMA page_size=" OC_SCHEMA_PAGE_BYTES "; PRAGMA auto_vacuum=INCREMENTAL");

    return rc < 0 ? rc : oc_schema_upgrade(db, 0);
}
