#include "storage/write/store_impl.h"

#include "storage/format/alert_rows.h"

#include <string.h>

#define OC_LIMIT_KEY " source = ?1 AND kind = ?2 AND metric = ?3 AND place = ?4 AND begin_ms = ?5"

static const char *const texts[OC_SQL_COUNT] = {
    [OC_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [OC_SQL_COMMIT] = "COMMIT",
    [OC_SQL_ROLLBACK] = "ROLLBACK",
    [OC_SQL_JOURNAL_PUT] = "INSERT INTO journal(id, boot, t0, t1, keyed, data) VALUES(?,?,?,?,?,?)",
    [OC_SQL_JOURNAL_TRIM] = "DELETE FROM journal WHERE id >= ? AND id < ?",
    [OC_SQL_RAW_PUT] = "INSERT INTO raw(id, block, t0, t1, n, summary, data) VALUES(?,?,?,?,?,?,?)",
    [OC_SQL_RAW_LAST] =
        "SELECT id, block, t1 FROM raw WHERE id >= ? AND id <= ? ORDER BY id DESC LIMIT ?",
    [OC_SQL_RAW_SINCE] =
        ("SELECT data FROM raw WHERE id > coalesce((SELECT b.id FROM raw b WHERE b.id >= ?1 AND"
         " b.id <= ?2 AND b.block = ?3 AND b.t1 <= ?4 ORDER BY b.id DESC LIMIT 1), ?1 - 1) AND"
         " id <= ?2 AND block = ?3 ORDER BY id"),
    [OC_SQL_SUBJECT_PUT] = "INSERT OR IGNORE INTO subject(name, kind) VALUES(?,?)",
    [OC_SQL_SOURCE_PUT] =
        ("INSERT OR REPLACE INTO source(id, subject, kind, boot, begin_ms, interval_ms, inode)"
         " VALUES(?, (SELECT id FROM subject WHERE name = ?), ?,?,?,?,?)"),
    [OC_SQL_SOURCE_REOPEN] = ("UPDATE source SET end_ms = NULL, end = 0, status = -1, upkeep = 1,"
                              " killer = 0, killer_scope = NULL, interval_ms = ?2 WHERE id = ?1"),
    [OC_SQL_SOURCE_END] = "UPDATE source SET end_ms = ?2, end = ?3, status = ?4 WHERE id = ?1",
    [OC_SQL_LIFE_PUT] =
        ("INSERT INTO life(source, pid, start_ticks, exec_count, parent_pid, uid, start_unix_ms,"
         " name, exe, cgroup, cmdline) VALUES(?,?,?,?,?,?,?,?,?,?,?)"
         " ON CONFLICT(source) DO UPDATE SET pid = excluded.pid, start_ticks = "
         "excluded.start_ticks,"
         " exec_count = excluded.exec_count, name = excluded.name,"
         " parent_pid = ifnull(excluded.parent_pid, parent_pid), uid = ifnull(excluded.uid, uid),"
         " start_unix_ms = ifnull(excluded.start_unix_ms, start_unix_ms),"
         " exe = ifnull(excluded.exe, exe), cgroup = ifnull(excluded.cgroup, cgroup),"
         " cmdline = ifnull(excluded.cmdline, cmdline)"),
    [OC_SQL_CLOCK_PUT] = "INSERT OR REPLACE INTO clock(boot, boot_ms, unix_ms) VALUES(?,?,?)",
    [OC_SQL_FIND_LIFE] =
        ("SELECT s.id FROM life l JOIN source s ON s.id = l.source WHERE l.pid = ?1 AND"
         " l.start_ticks = ?2 AND l.exec_count = ?3 AND s.boot = ?4 AND s.kind = ?5 AND"
         " s.subject = (SELECT u.id FROM subject u WHERE u.name = ?6) AND s.end <> ?7"
         " ORDER BY s.id DESC LIMIT 1"),
    [OC_SQL_FIND_SUBJECT_SOURCE] =
        ("SELECT s.id FROM subject u JOIN source s ON s.subject = u.id WHERE u.name = ?1 AND"
         " s.boot = ?2 AND s.inode = ?3 AND s.kind = ?4 ORDER BY s.id DESC LIMIT 1"),
    [OC_SQL_SOURCE_KILLER] = "UPDATE source SET killer = ?2, killer_scope = ?3 WHERE id = ?1",
    [OC_SQL_LIFE_PLAN] = "UPDATE life SET plan = ?2 WHERE source = ?1",
    [OC_SQL_SOURCE_SUBJECT] = "SELECT subject FROM source WHERE id = ?1",

    [OC_SQL_TEXT_FIND] = "SELECT id, text FROM text WHERE hash = ?1",
    [OC_SQL_TEXT_PUT] = "INSERT INTO text(hash, text) VALUES(?,?)",
    [OC_SQL_FAMILY_FIND] =
        "SELECT id, name FROM family WHERE hash = ?1 AND kind = ?2 AND folded = ?3",
    [OC_SQL_FAMILY_PUT] = "INSERT INTO family(hash, kind, folded, name, example) VALUES(?,?,?,?,?)",
    [OC_SQL_FAMILY_KIND] = "SELECT kind FROM family WHERE id = ?1",

    [OC_SQL_WALK_PUT] =
        ("INSERT INTO walk(source, t, id, keyed, seen, known, cpu_us, wall_us, stall_us,"
         " largest_free, largest_free_at, arenas, runtime) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"),
    [OC_SQL_CELL_PUT] = ("INSERT INTO region_total(walk, cell, count, bytes, largest, resident)"
                         " VALUES(?,?,?,?,?,?)"),
    [OC_SQL_FAMILY_COUNT_PUT] = ("INSERT INTO family_count(walk, family, count, names, bytes,"
                                 " deleted) VALUES(?,?,?,?,?,?)"),
    [OC_SQL_MODULES] =
        ("SELECT loaded, n, base, bytes, inode, name, hash, flags FROM module WHERE source = ?1"),
    [OC_SQL_MODULE_PUT] = ("INSERT INTO module(source, loaded, n, base, bytes, inode, name, hash,"
                           " flags) VALUES(?,?,?,?,?,?,?,?,?)"),
    [OC_SQL_MODULE_CHANGE] =
        ("UPDATE module SET bytes = ?4, flags = ?5 WHERE source = ?1 AND loaded = ?2 AND n = ?3"),
    [OC_SQL_MODULE_DELETE] = "DELETE FROM module WHERE source = ?1 AND loaded = ?2 AND n = ?3",
    [OC_SQL_MODULE_GONE_PUT] =
        ("INSERT INTO module_gone(source, unloaded, n, loaded, base, bytes, inode, name, flags)"
         " VALUES(?,?,?,?,?,?,?,?,?)"),

    [OC_SQL_LIMITS] = ("SELECT l.kind, l.metric, l.place, l.begin_ms, l.value, t.text"
                       " FROM limit_value l LEFT JOIN text t ON t.id = l.place"
                       " WHERE l.source = ?1 AND l.end_ms IS NULL"),
    [OC_SQL_LIMIT_PUT] =
        ("INSERT OR REPLACE INTO limit_value(source, kind, metric, place, begin_ms, value)"
         " VALUES(?,?,?,?,?,?)"),
    [OC_SQL_LIMIT_END] = ("UPDATE limit_value SET end_ms = ?6 WHERE" OC_LIMIT_KEY),
    [OC_SQL_LIMIT_CHANGE] = ("UPDATE limit_value SET value = ?6 WHERE" OC_LIMIT_KEY),
    [OC_SQL_LIMIT_DELETE] = ("DELETE FROM limit_value WHERE" OC_LIMIT_KEY),
    [OC_SQL_LABELS] = "SELECT key, value FROM subject_label WHERE subject = ?1 ORDER BY key",
    [OC_SQL_LABELS_DELETE] = "DELETE FROM subject_label WHERE subject = ?1",
    [OC_SQL_LABEL_PUT] = "INSERT OR REPLACE INTO subject_label(subject, key, value) VALUES(?,?,?)",

    [OC_SQL_FORECASTS_SAID] =
        ("SELECT q.kind, q.metric, x.text, f.t, f.state, f.p50 FROM forecast_series q"
         " JOIN forecast f ON f.series = q.id AND f.t = (SELECT max(g.t) FROM forecast g WHERE"
         " g.series = q.id) LEFT JOIN text x ON x.id = q.place"
         " WHERE q.source = ?1 AND q.end_ms IS NULL LIMIT ?2"),
    [OC_SQL_FORECAST_SERIES] = ("SELECT id, end_ms FROM forecast_series WHERE source = ?1 AND"
                                " kind = ?2 AND metric = ?3 AND place = ?4"),
    [OC_SQL_FORECAST_SERIES_PUT] =
        "INSERT INTO forecast_series(source, kind, metric, place) VALUES(?,?,?,?)",
    [OC_SQL_FORECAST_SERIES_END] = "UPDATE forecast_series SET end_ms = ?2 WHERE id = ?1",
    [OC_SQL_FORECAST_END] =
        ("UPDATE forecast_series SET end_ms = ?5 WHERE source = ?1 AND kind = ?2 AND metric = ?3"
         " AND place IN (SELECT id FROM text WHERE hash = ?4) AND end_ms IS NULL"),
    [OC_SQL_FORECAST_PUT] =
        ("INSERT OR REPLACE INTO forecast(series, t, state, since, samples, value, ceiling, growth,"
         " growth_error, chance, p10, p50, p90, saved_life) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
    [OC_SQL_FORECAST_DELETE] = "DELETE FROM forecast WHERE series = ?1 AND t = ?2",
    [OC_SQL_MEMORY_PUT] =
        ("INSERT INTO forecaster(kind, name, key, row, bytes) VALUES(?,?,?,?,?)"
         " ON CONFLICT(kind, name, key) DO UPDATE SET row = excluded.row, bytes = excluded.bytes"),
    [OC_SQL_MEMORY_FORGET] = "DELETE FROM forecaster WHERE kind IN (?2, ?3) AND name = ?1",
    [OC_SQL_ACCURACY_ADD] =
        ("INSERT INTO forecast_record(subject, metric, kind, first_unix_ms, last_unix_ms, judged, "
         "inside,"
         " early, late, censored, ends, foretold, alarms, false_alarms, error_sum, errors,"
         " lead_s_sum, watched_s)"
         " SELECT b.name, ?2, ?3, t.unix_ms, t.unix_ms, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
         "?14,"
         " ?15, ?16, ?17 FROM source s JOIN subject b ON b.id = s.subject JOIN (SELECT ?4 +"
         " ifnull((SELECT c.unix_ms - c.boot_ms FROM clock c WHERE c.boot = ?18 ORDER BY c.boot_ms"
         " DESC LIMIT 1), 0) AS unix_ms) t WHERE s.id = ?1" OC_RECORD_ADD),

    [OC_SQL_ALERT_PUT] = ("INSERT OR REPLACE INTO alert(" OC_ALERT_COLUMNS
                          ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                          "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
    [OC_SQL_DECISION_PUT] =
        ("INSERT INTO alert_decision(" OC_DECISION_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?)"),
    [OC_SQL_OUTBOX_PUT] =
        ("INSERT INTO outbox(" OC_OUTBOX_COLUMNS "body) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"
         " ON CONFLICT(id) DO UPDATE SET receiver = excluded.receiver, group_key ="
         " excluded.group_key, state = excluded.state, severity = excluded.severity, is_digest ="
         " excluded.is_digest, attempts = excluded.attempts, made_unix_ms = excluded.made_unix_ms,"
         " next_unix_ms = excluded.next_unix_ms, done_unix_ms = excluded.done_unix_ms, status ="
         " excluded.status, why = excluded.why, body = ifnull(excluded.body, body)"),
    [OC_SQL_SILENCE_PUT] = ("INSERT OR REPLACE INTO silence(id, begin_unix_ms, end_unix_ms, author,"
                            " comment) VALUES(?,?,?,?,?)"),
    [OC_SQL_MATCHERS_DELETE] = "DELETE FROM silence_matcher WHERE silence = ?1",
    [OC_SQL_MATCHER_PUT] =
        "INSERT INTO silence_matcher(silence, n, name, glob, is_negative) VALUES(?,?,?,?,?)",
};

sqlite3_stmt *oc_store_statement(oc_store *store, enum oc_statement which)
{
    sqlite3_stmt **kept = &store->statements[which];

    if (!*kept)
        store->last_sqlite_rc =
            sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
    return *kept;
}

int oc_store_run(oc_store *store, sqlite3_stmt *statement)
{
    int rc;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    do {
        rc = sqlite3_step(statement);
    } while (rc == SQLITE_ROW);
    store->last_sqlite_rc = rc;
    (void)sqlite3_reset(statement); /* says again what step said */
    (void)sqlite3_clear_bindings(statement);
    return oc_sqlite_err(rc);
}

int oc_store_put_chunk(oc_store *store, sqlite3_stmt *insert, const struct oc_chunk_put *put)
{
    if (insert) {
        (void)sqlite3_bind_int64(insert, 1, put->rowid);
        (void)sqlite3_bind_int64(insert, 2, put->block);
        (void)sqlite3_bind_int64(insert, 3, put->t0_ms);
        (void)sqlite3_bind_int64(insert, 4, put->t1_ms);
        (void)sqlite3_bind_int64(insert, 5, put->rows);
        (void)sqlite3_bind_blob64(insert, 6, put->blobs.summary, put->blobs.summary_bytes,
                                  SQLITE_STATIC);
        (void)sqlite3_bind_blob64(insert, 7, put->blobs.data, put->blobs.data_bytes, SQLITE_STATIC);
    }
    return oc_store_run(store, insert);
}

int oc_store_exec(oc_store *store, const char *sql)
{
    store->last_sqlite_rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return oc_sqlite_err(store->last_sqlite_rc);
}

void oc_store_statements_clear(oc_store *store)
{
    for (int i = 0; i < OC_SQL_COUNT; i++)
        (void)sqlite3_finalize(store->statements[i]); /* says again what step said */
    memset(store->statements, 0, sizeof store->statements);
}
