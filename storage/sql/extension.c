/*
 * The loadable extension: `.load ./oomcast_samples` in the sqlite3 shell gives the virtual tables
 * and the views of `oomcast sql` on a store that the shell has open.
 */
#include "storage/reader.h"

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT1

#if defined(__GNUC__)
#define OC_EXPORT __attribute__((visibility("default")))
#else
#define OC_EXPORT __declspec(dllexport)
#endif

/* The name is SQLite's rule: sqlite3_<letters of the file's name>_init. */
OC_EXPORT int sqlite3_oomcastsamples_init(sqlite3 *db, char **out_error,
                                const sqlite3_api_routines *routines);

int sqlite3_oomcastsamples_init(sqlite3 *db, char **out_error, const sqlite3_api_routines *routines)
{
    int rc;

    SQLITE_EXTENSION_INIT2(routines)
    rc = oc_vtable_register(db);
    if (rc < 0) {
        *out_error = sqlite3_mprintf("oomcast: %s", oc_err_text(rc));
        return SQLITE_ERROR;
    }
    return SQLITE_OK;
}
