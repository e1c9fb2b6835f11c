#include "storage/format/sqlite_api.h"

#include "base/err.h"

#include <stddef.h>

int oc_sqlite_err(int sqlite_rc)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OC_OK;
    case SQLITE_NOMEM:
        return OC_E_NOMEM;
    case SQLITE_FULL:
        return OC_E_NOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return OC_E_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return OC_E_BUSY;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return OC_E_DENIED;
    case SQLITE_TOOBIG:
        return OC_E_TOOBIG;
    default:
        /* out of memory in the OS's layer says so in the extended code */
        return sqlite_rc == SQLITE_IOERR_NOMEM ? OC_E_NOMEM : OC_E_IO;
    }
}

int oc_sqlite_number(sqlite3 *db, const char *sql, int64_t *out_value)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *out_value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement); /* says again what step said */
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}
