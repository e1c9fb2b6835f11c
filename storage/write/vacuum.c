#include "storage/reader.h"

#include "storage/format/schema.h"
#include "storage/format/sqlite_api.h"

static int failed(sqlite3 *db, const char *path, struct oc_detail *detail)
{
    int rc = oc_sqlite_err(sqlite3_errcode(db));

    if (rc == OC_E_NOSPC)
        return oc_detail_set(detail, rc,
                             "no room to rewrite %s: it needs as much again, for the "
                             "time it takes",
                             path);
    return oc_detail_set(detail, rc == OC_OK ? OC_E_IO : rc, "cannot rewrite %s: %s", path,
                         sqlite3_errmsg(db));
}

int oc_db_vacuum(const char *path, struct oc_detail *detail)
{
    sqlite3 *db = NULL;
    int version = 0;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK) {
        rc = failed(db, path, detail);
        goto out;
    }
    (void)sqlite3_busy_timeout(db, OC_SCHEMA_BUSY_MS);
    rc = oc_schema_probe(db, &version);
    if (rc < 0) {
        rc = oc_detail_set(detail, rc, "%s is not an oomcast store of this version: %s", path,
                           oc_err_text(rc));
        goto out;
    }
    if (sqlite3_exec(db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
        rc = failed(db, path, detail);
out:
    (void)sqlite3_close(db);
    return rc;
}
