/*
 * A store whose blobs are hostile, asked in SQL. The first byte says which column gets the rest.
 * target: fuzz_query.c deps: storage_dep
 */
#include "storage/format/schema.h"
#include "storage/reader.h"

#include <sqlite3.h>
#include <stdlib.h>

static const char *const updates[] = {
    "UPDATE raw SET data = ?1",       "UPDATE raw SET summary = ?1", "UPDATE minute SET data = ?1",
    "UPDATE minute SET summary = ?1", "UPDATE hour SET data = ?1",   "UPDATE journal SET data = ?1",
};
enum { UPDATES = sizeof updates / sizeof *updates };

static const char fill[] =
    "INSERT INTO boot VALUES(1, 'b'); INSERT INTO clock VALUES(1, 0, 1700000000000);"
    "INSERT INTO subject VALUES(1, 'proc:a', 1);"
    "INSERT INTO source(id, subject, kind, boot, begin_ms, interval_ms) VALUES(1, 1, 1, 1, 0, 1);"
    "INSERT INTO raw VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO minute VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO hour VALUES(1 << 24, 0, 0, 1 << 40, 4, x'01', x'0100');"
    "INSERT INTO journal VALUES(1, 1, 0, 1 << 40, 1, x'0100')";

static const char *const questions[] = {
    "SELECT total(value) FROM samples",
    "SELECT max(t) FROM samples WHERE metric = 'rss_bytes' AND t > 1700000000000 LIMIT 100000",
    "SELECT total(mean), max(t) FROM samples_minute WHERE metric = 'rss_bytes'",
    "SELECT total(count) FROM samples_hour WHERE source = 1 AND metric = 'swap_bytes'",
    "SELECT * FROM chunks",
};

static void make_store(sqlite3 **out_db)
{
    if (sqlite3_open(":memory:", out_db) != SQLITE_OK || oc_schema_create(*out_db) < 0 ||
        oc_vtable_register(*out_db) < 0 ||
        sqlite3_exec(*out_db, fill, NULL, NULL, NULL) != SQLITE_OK)
        abort();
}

static void put(sqlite3 *db, const uint8_t *data, size_t size)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, updates[data[0] % UPDATES], -1, &statement, NULL) != SQLITE_OK)
        abort();
    (void)sqlite3_bind_blob(statement, 1, data + 1, (int)size - 1, SQLITE_STATIC);
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
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return 0;
}
