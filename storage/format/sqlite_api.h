/*
 * SQLite's calls for the files that live twice: linked into our programs, and compiled with
 * OC_SQLITE_EXTENSION into the loadable extension, where the host program gives the calls.
 */
#ifndef OC_STORAGE_FORMAT_SQLITE_API_H
#define OC_STORAGE_FORMAT_SQLITE_API_H

#include <stdint.h>

#ifdef OC_SQLITE_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api; /* set by sql/extension.c */
#else
#include <sqlite3.h>
#endif

/* The code of an SQLite result; SQLITE_ROW and SQLITE_DONE are 0. */
int oc_sqlite_err(int sqlite_rc);

/*
 * The first number that a query gives. SQLITE_OK; SQLITE_DONE where it gives no row (*out_value
 * stays); or SQLite's code, for oc_sqlite_err().
 */
int oc_sqlite_number(sqlite3 *db, const char *sql, int64_t *out_value);

#endif
