/*
 * A store whose blobs are hostile, asked in SQL. The first byte says which column gets the rest.
 * target: fuzz_query.c deps: storage_dep
 */
#include "storage/format/schema.h"
#include "storage/format/walk_rows.h"
#include "storage/reader.h"

#include <sqlite3.h>
#include <stdlib.h>

static const char *const updates[] = {
    "UPDATE raw SET data = ?1",
    "UPDATE raw SET summary = ?1",
    "UPDATE minute SET data = ?1",
    "UPDATE minute SET summary = ?1",
    "UPDATE hour SET data = ?1",
    "UPDATE journal SET data = ?1",
    /* numbers made of the bytes, or what is no number at all */
    "UPDATE walk SET id = ?2, seen = ?3, known = ?4, largest_free = ?2, runtime = ?1",
    "UPDATE OR REPLACE walk SET source = ?2 & 3, t = ?3, keyed = ?4",
    "UPDATE OR REPLACE region_total SET cell = ?2 & 1023, count = ?3, bytes = ?4, resident = ?1",
    "UPDATE OR REPLACE family_count SET family = ?2 & 3, count = ?3, names = ?1, bytes = ?4",
    "UPDATE family SET kind = ?2, folded = ?3, name = ?1, example = ?1",
    "UPDATE OR REPLACE module SET loaded = ?2, base = ?3, bytes = ?4, name = ?2 & 3",
    "UPDATE OR REPLACE module_gone SET unloaded = ?2, loaded = ?3, bytes = ?1, flags = ?4",
    "UPDATE OR REPLACE limit_value SET kind = ?2, metric = ?3, begin_ms = ?4, value = ?1",
    "UPDATE limit_value SET end_ms = ?2, value = ?3",
    "UPDATE text SET text = ?1",
    "UPDATE OR REPLACE subject_label SET key = ?1, value = ?1",
    "UPDATE source SET killer = ?2, killer_scope = ?1",
};
enum { UPDATES = sizeof updates / sizeof *updates };

static const char fill[] =
    "INSERT INTO boot VALUES(1, 'b'); INSERT INTO clock VALUES(1, 0, 1700000000000);"
    "INSERT INTO subject VALUES(1, 'proc:a', 1);"
    "INSERT INTO source(id, subject, kind, boot, begin_ms, interval_ms) VALUES(1, 1, 1, 1, 0, 1);"
    "INSERT INTO raw VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO minute VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO hour VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO journal VALUES(1, 1, 0, 1 << 40, 1, x'0100');"
    "INSERT INTO text VALUES(1, 7, '/lib/a.so');"
    "INSERT INTO walk VALUES(1, 1000, 1, 1, 243, 243, 1, 1, 1, 4096, 0, 1, 'jvm');"
    "INSERT INTO walk VALUES(1, 2000, 2, 0, 243, 243, 1, 1, 1, 4096, 0, 1, NULL);"
    "INSERT INTO region_total VALUES(1, 45, 1, 4096, 4096, NULL);"
    "INSERT INTO region_total VALUES(2, 45, 2, 8192, 4096, 4096);"
    "INSERT INTO family VALUES(1, 7, 0, 1, 'a*.so', 'ab.so');"
    "INSERT INTO family_count VALUES(1, 1, 2, 2, 8192, 0);"
    "INSERT INTO family_count VALUES(2, 1, 3, 2, 8192, 1);"
    "INSERT INTO module VALUES(1, 1000, 0, 4096, 4096, 7, 1, 7, 0);"
    "INSERT INTO module_gone VALUES(1, 2000, 0, 1000, 8192, 4096, 7, 1, 1);"
    "INSERT INTO limit_value VALUES(1, 1, 65, 1, 1000, 2000, 4096);"
    "INSERT INTO limit_value VALUES(1, 1, 65, 1, 2000, NULL, 8192);"
    "INSERT INTO subject_label VALUES(1, 'env', 'prod')";

static const char *const questions[] = {
    "SELECT total(value) FROM samples",
    "SELECT max(t) FROM samples WHERE metric = 'rss_bytes' AND t > 1700000000000 LIMIT 100000",
    "SELECT total(mean), max(t) FROM samples_minute WHERE metric = 'rss_bytes'",
    "SELECT total(count) FROM samples_hour WHERE source = 1 AND metric = 'swap_bytes'",
    "SELECT * FROM chunks",
    "SELECT * FROM walks",
    "SELECT * FROM regions",
    "SELECT * FROM families",
    "SELECT * FROM modules",
    "SELECT * FROM limits",
    "SELECT * FROM labels",
    "SELECT * FROM lives",
};

/* Any census that the rows come to, at a time that the bytes say. */
static void load_state(sqlite3 *db, int64_t until_boot_ms)
{
    static struct oc_walk_rows rows;
    static struct oc_walk_state state;

    if (oc_walk_rows_init(&rows, db) == SQLITE_OK) /* kept: the connection stays */
        (void)oc_walk_state_load(&rows, 1, until_boot_ms, &state);
}

static void make_store(sqlite3 **out_db)
{
    if (sqlite3_open(":memory:", out_db) != SQLITE_OK || oc_schema_create(*out_db) < 0 ||
        oc_vtable_register(*out_db) < 0 ||
        sqlite3_exec(*out_db, fill, NULL, NULL, NULL) != SQLITE_OK)
        abort();
}

/* The nth number of the bytes, small ones as likely as large ones. */
static int64_t number(const uint8_t *data, size_t size, size_t nth)
{
    size_t at = 1 + 9 * (nth - 2);
    uint64_t value = 0;

    for (size_t i = 0; i < 8 && at + 1 + i < size; i++)
        value = value << 8 | data[at + 1 + i];
    return at < size ? (int64_t)(value >> data[at] % 64) : -1;
}

static void put(sqlite3 *db, const uint8_t *data, size_t size)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, updates[data[0] % UPDATES], -1, &statement, NULL) != SQLITE_OK)
        abort();
    (void)sqlite3_bind_blob(statement, 1, data + 1, (int)size - 1, SQLITE_STATIC);
    for (int i = 2; i <= sqlite3_bind_parameter_count(statement); i++)
        (void)sqlite3_bind_int64(statement, i, number(data, size, (size_t)i));
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sqlite3 *db;

    if (size < 2 || size > 65536)
        return 0;
    if (!db)
        make_store(&db);
    (void)sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    put(db, data, size);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        (void)sqlite3_exec(db, questions[i], NULL, NULL, NULL); /* an answer or an error */
    load_state(db, size > 40 ? INT64_MAX : number(data, size, 2));
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return 0;
}
