/*
 * SQLite's calls for the files that live twice: linked into our programs, and compiled with
 * OC_SQLITE_EXTENSION into the loadable extension, where the host program gives the calls.
 */
#ifndef OC_STORAGE_FORMAT_SQLITE_API_H
#define OC_STORAGE_FORMAT_SQLITE_API_H

#ifdef OC_SQLITE_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api; /* set by sql/extension.c */
#else
#include <sqlite3.h>
#endif

#endif
