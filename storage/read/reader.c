#include "storage/read/reader_impl.h"

#include "base/alloc.h"
#include "base/os.h"
#include "storage/format/schema.h"
#include "storage/read/range.h"

#include <string.h>

#define OC_READER_BUSY_MS 2000 /* a checkpoint at the writer's end holds readers off for less */
#define OC_READER_CACHE_KIB 4096

/* ---- errors of opening, each with its mend ---- */

static int denied(const char *path, struct oc_detail *detail)
{
    char user[64], group[64];

    if (oc_file_owner(path, user, sizeof user, group, sizeof group) < 0 || !group[0])
        return oc_detail_set(detail, OC_E_DENIED, "%s may not be read by this user", path);
    return oc_detail_set(detail, OC_E_DENIED,
                         "%s may be read by user %s and the members of group %s: join the group "
                         "(as root: usermod -aG %s USER, then log in again)",
                         path, user, group, group);
}

static int check_file(const char *path, struct oc_detail *detail)
{
    int rc = oc_file_readable(path);

    if (rc == OC_E_NOENT)
        return oc_detail_set(detail, rc, "there is no store at %s: oomcastd makes it when it runs",
                             path);
    if (rc == OC_E_DENIED)
        return denied(path, detail);
    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot read %s: %s", path, oc_err_text(rc));
    return OC_OK;
}

static int sqlite_failure(sqlite3 *db, const char *path, struct oc_detail *detail)
{
    int rc = oc_scan_code(sqlite3_errcode(db));

    if (rc == OC_E_FOREIGN)
        return oc_detail_set(detail, rc, "%s is not an oomcast store (nor a SQLite database)",
                             path);
    if (rc == OC_E_CORRUPT)
        return oc_detail_set(detail, rc,
                             "%s is damaged (%s): oomcastd sets it aside at its next start; "
                             "`oomcast db check` says what is wrong",
                             path, sqlite3_errmsg(db));
    if (rc == OC_E_BUSY)
        return oc_detail_set(detail, rc, "%s is locked by another process; try again", path);
    return oc_detail_set(detail, rc == OC_OK ? OC_E_IO : rc, "cannot read %s: %s", path,
                         sqlite3_errmsg(db));
}

/* ---- opening ---- */

/* Appends a path to a file: URI; what has a meaning there is percent-encoded. */
static void add_uri_path(struct oc_buf *uri, const char *path)
{
    for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
        if (*at == '%' || *at == '?' || *at == '#' || *at < 0x20)
            oc_buf_printf(uri, "%%%02x", *at);
        else
            oc_buf_putc(uri, (char)*at);
    }
}

/* query: NULL, or what follows the '?' of SQLite's file: URI. An SQLite code. */
static int open_connection(const char *path, const char *query, sqlite3 **out_db)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    struct oc_buf uri;
    int rc = SQLITE_NOMEM;

    oc_buf_init(&uri, 16384);
    if (query) {
        flags |= SQLITE_OPEN_URI;
        oc_buf_puts(&uri, "file:");
        add_uri_path(&uri, path);
        oc_buf_printf(&uri, "?%s", query);
    }
    if (uri.err == OC_OK)
        rc = sqlite3_open_v2(query ? uri.data : path, out_db, flags, NULL);
    oc_buf_clear(&uri);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*out_db, OC_READER_BUSY_MS);
    return rc;
}

/*
 * A reader who may not write the folder, of a store whose -wal and -shm are gone: it was closed
 * for good and copied or mounted read-only. Without a log the file is whole by itself. With one,
 * reading past it would give torn answers.
 */
static int may_be_immutable(const char *path)
{
    struct oc_buf wal;
    uint64_t wal_bytes = 0;
    int may;

    oc_buf_init(&wal, 16384);
    oc_buf_printf(&wal, "%s-wal", path);
    may = wal.err == OC_OK && (oc_file_size(wal.data, &wal_bytes) < 0 || wal_bytes == 0);
    oc_buf_clear(&wal);
    return may;
}

/* The first look into the file: whatever is wrong with reading it shows here. An SQLite code. */
static int first_look(oc_reader *reader, const char *query, int64_t *out_application_id)
{
    int rc;

    (void)sqlite3_close(reader->scan.db);
    reader->scan.db = NULL;
    rc = open_connection(reader->path, query, &reader->scan.db);
    if (rc == SQLITE_OK)
        rc = oc_sqlite_number(reader->scan.db, "SELECT count(*) FROM sqlite_schema", out_application_id);
    if (rc == SQLITE_OK)
        rc = oc_sqlite_number(reader->scan.db, "PRAGMA application_id", out_application_id);
    return rc;
}

static int no_log(const char *path, struct oc_detail *detail)
{
    return oc_detail_set(detail, OC_E_DENIED,
                         "%s has a write-ahead log, and its -shm file can neither be read nor made "
                         "by this user: run oomcastd, or read it as the store's owner",
                         path);
}

static int connect_store(oc_reader *reader, struct oc_detail *detail)
{
    int64_t application_id = 0;
    int rc = first_look(reader, NULL, &application_id);

    if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) {
        if (!may_be_immutable(reader->path))
            return no_log(reader->path, detail);
        rc = first_look(reader, "immutable=1", &application_id);
    }
    if (rc != SQLITE_OK)
        return sqlite_failure(reader->scan.db, reader->path, detail);
    if (application_id != OC_SCHEMA_APPLICATION_ID)
        return oc_detail_set(detail, OC_E_FOREIGN,
                             "%s is a database of another program, not an oomcast store",
                             reader->path);
    return OC_OK;
}

static int check_version(oc_reader *reader, struct oc_detail *detail)
{
    int64_t version = 0;

    if (oc_sqlite_number(reader->scan.db, "PRAGMA user_version", &version) != SQLITE_OK)
        return sqlite_failure(reader->scan.db, reader->path, detail);
    if (version > OC_SCHEMA_VERSION)
        return oc_detail_set(detail, OC_E_NEWER,
                             "%s is of a newer oomcast (schema %lld, this one knows %d): upgrade "
                             "this program",
                             reader->path, (long long)version, OC_SCHEMA_VERSION);
    if (version < OC_SCHEMA_VERSION)
        return oc_detail_set(detail, OC_E_NOTSUP,
                             "%s is of an older oomcast (schema %lld, this one needs %d): start "
                             "oomcastd once, which upgrades it",
                             reader->path, (long long)version, OC_SCHEMA_VERSION);
    return OC_OK;
}

static int prepare_connection(oc_reader *reader, struct oc_detail *detail)
{
    char sql[96];
    int rc;

    (void)sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%d",
                           OC_READER_CACHE_KIB);
    if (sqlite3_exec(reader->scan.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_failure(reader->scan.db, reader->path, detail);
    rc = oc_scan_load_clock(&reader->scan);
    if (rc < 0)
        return oc_detail_set(detail, rc, "%s: cannot read its clock table: %s", reader->path,
                             sqlite3_errmsg(reader->scan.db));
    return OC_OK;
}

int oc_reader_open(const char *path, oc_reader **out_reader, struct oc_detail *detail)
{
    oc_reader *reader = NULL;
    int rc = check_file(path, detail);

    if (rc < 0)
        return rc;
    reader = oc_calloc(1, sizeof *reader);
    if (!reader)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    reader->path = oc_strdup(path);
    rc = oc_scan_init(&reader->scan, NULL);
    if (rc < 0 || !reader->path)
        rc = oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    else
        rc = connect_store(reader, detail);
    if (rc == OC_OK)
        rc = check_version(reader, detail);
    if (rc == OC_OK)
        rc = prepare_connection(reader, detail);
    if (rc < 0) {
        oc_reader_close(reader);
        return rc;
    }
    *out_reader = reader;
    return OC_OK;
}

void oc_reader_close(oc_reader *reader)
{
    sqlite3 *db;

    if (!reader)
        return;
    db = reader->scan.db;
    oc_walk_rows_clear(&reader->walk_rows);
    (void)sqlite3_finalize(reader->limits); /* nothing is running */
    oc_walk_state_clear(&reader->walk_state);
    oc_scan_clear(&reader->scan); /* its statements go before the connection */
    (void)sqlite3_close_v2(db);
    oc_unsealed_clear(&reader->unsealed);
    oc_free(reader->path);
    oc_free(reader);
}

const char *oc_reader_path(const oc_reader *reader) { return reader->path; }

/* Most questions are not SQL: the views would cost them 2 ms each time. */
struct sqlite3 *oc_reader_sqlite(oc_reader *reader)
{
    if (!reader->has_views)
        reader->has_views = oc_vtable_register(reader->scan.db) == OC_OK; /* else: no such table */
    return reader->scan.db;
}

int64_t oc_reader_unix_ms(oc_reader *reader, uint32_t boot, int64_t boot_ms)
{
    return oc_clockmap_unix_ms(&reader->scan.clock, boot, boot_ms);
}

int oc_reader_begin(oc_reader *reader)
{
    int rc = OC_OK;

    if (!sqlite3_get_autocommit(reader->scan.db)) /* the last end found no memory for its word */
        rc = oc_scan_code(sqlite3_exec(reader->scan.db, "ROLLBACK", NULL, NULL, NULL));
    if (rc == OC_OK)
        rc = oc_scan_code(sqlite3_exec(reader->scan.db, "BEGIN", NULL, NULL, NULL));
    return rc < 0 ? rc : oc_scan_load_clock(&reader->scan);
}

void oc_reader_end(oc_reader *reader)
{
    if (!sqlite3_get_autocommit(reader->scan.db))
        (void)sqlite3_exec(reader->scan.db, "ROLLBACK", NULL, NULL, NULL);
}

unsigned oc_reader_main_block(unsigned kind)
{
    switch (kind) {
    case OC_SOURCE_CGROUP:
        return OC_BLOCK_CGROUP;
    case OC_SOURCE_HOST:
        return OC_BLOCK_HOST;
    default: /* oomcastd is a process too */
        return OC_BLOCK_PROCESS;
    }
}

int oc_reader_range(oc_reader *reader, uint32_t source, const struct oc_range *range,
                    oc_point_fn *fn, void *context)
{
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_range_unix(&reader->scan, &reader->unsealed, source, range, fn, context);
    oc_reader_end(reader);
    return rc;
}
