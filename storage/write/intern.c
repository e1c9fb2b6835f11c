/* Texts and families: each has one row, which many others name by its id. */
#include "storage/write/store_impl.h"

#include "base/err.h"

#include <string.h>

/*
 * Names that were made to have one hash would be held against each other, each with all: beyond so
 * many a text gets a row more.
 */
#define OC_INTERN_SAME_HASH 64

/* The row among those of a hash whose text (column 1) is this. 1 with *out_id, 0, or a code. */
static int find_text(oc_store *store, sqlite3_stmt *statement, const char *text, int64_t *out_id)
{
    int step = SQLITE_DONE, found = 0, looked = 0;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    while (!found && looked++ < OC_INTERN_SAME_HASH &&
           (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const unsigned char *has = sqlite3_column_text(statement, 1);

        found = has && strcmp((const char *)has, text) == 0;
        if (found)
            *out_id = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return found ? 1 : oc_sqlite_err(step);
}

/* Runs an INSERT whose row's id is wanted. */
static int put_row(oc_store *store, sqlite3_stmt *statement, int64_t *out_id)
{
    int rc = oc_store_run(store, statement);

    if (rc == OC_OK)
        *out_id = sqlite3_last_insert_rowid(store->db);
    return rc;
}

int oc_store_intern(oc_store *store, const char *text, int64_t *out_id)
{
    int32_t hash = oc_text_hash(text, strlen(text));
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_TEXT_FIND);
    int rc;

    if (statement)
        (void)sqlite3_bind_int(statement, 1, hash);
    rc = find_text(store, statement, text, out_id);
    if (rc == 0) {
        statement = oc_store_statement(store, OC_SQL_TEXT_PUT);
        if (statement) {
            (void)sqlite3_bind_int(statement, 1, hash);
            (void)sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
        }
        rc = put_row(store, statement, out_id);
    }
    if (rc < 0)
        return rc;
    oc_store_mark_text(store, *out_id);
    return OC_OK;
}

static int put_family(oc_store *store, const struct oc_family *family, const char *name,
                      const char *example, int64_t *out_id)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FAMILY_PUT);

    if (statement) {
        (void)sqlite3_bind_int(statement, 1, oc_text_hash(name, strlen(name)));
        (void)sqlite3_bind_int(statement, 2, family->kind);
        (void)sqlite3_bind_int(statement, 3, (family->flags & OC_FAMILY_FOLDED) != 0);
        (void)sqlite3_bind_text(statement, 4, name, -1, SQLITE_STATIC);
        if (strcmp(name, example) != 0)
            (void)sqlite3_bind_text(statement, 5, example, -1, SQLITE_STATIC);
    }
    return put_row(store, statement, out_id);
}

int oc_store_intern_family(oc_store *store, const struct oc_census *census,
                           const struct oc_family *family, int64_t *out_id)
{
    const char *name = oc_census_text(census, family->name);
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FAMILY_FIND);
    int rc;

    if (statement) {
        (void)sqlite3_bind_int(statement, 1, oc_text_hash(name, strlen(name)));
        (void)sqlite3_bind_int(statement, 2, family->kind);
        (void)sqlite3_bind_int(statement, 3, (family->flags & OC_FAMILY_FOLDED) != 0);
    }
    rc = find_text(store, statement, name, out_id);
    if (rc == 0)
        rc = put_family(store, family, name, oc_census_text(census, family->example), out_id);
    if (rc < 0)
        return rc;
    oc_store_mark_family(store, *out_id);
    return OC_OK;
}

int oc_store_family_kind(oc_store *store, int64_t family, int *out_kind)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FAMILY_KIND);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, family);
    step = sqlite3_step(statement);
    *out_kind = step == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(step);
}
