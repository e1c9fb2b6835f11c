/* Plain views for people: sources, chunks, walks and limits with names and readable times. */
#ifndef OC_STORAGE_SQL_VIEWS_H
#define OC_STORAGE_SQL_VIEWS_H

struct sqlite3;

/*
 * Makes the temporary views subjects, lives, chunks, walks, regions, families, modules, limits and
 * labels on a connection; the file is not written.
 * They are made whether or not `main` is a store of ours; a question to them then fails. 0 or a
 * code.
 */
int oc_views_create(struct sqlite3 *db);

#endif
