/* SQLite's memory comes from oc_malloc, so that a test can make each allocation fail. */
#ifndef OC_STORAGE_WRITE_SQLITE_ALLOC_H
#define OC_STORAGE_WRITE_SQLITE_ALLOC_H

/*
 * Sets SQLite up for the whole process: oc_malloc, no counting of memory under a global lock. Call
 * before the first connection; where one was there already, SQLite keeps what it has.
 * Threads: call once before others use SQLite.
 */
void oc_sqlite_init(void);

#endif
