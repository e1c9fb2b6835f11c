/* The modules of a walk against those that the file has as loaded: who came, who went. */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* One of either side; a module is told by base, inode and the hash of its name. */
struct entry {
    uint64_t base, bytes, inode;
    int32_t hash;
    uint8_t flags;
    uint32_t text;     /* of the census: its name there */
    int64_t loaded, n; /* of the file: its key … */
    int64_t name;      /* … and the row of its name */
};

struct entries {
    struct entry *items; /* owned */
    size_t count, cap;
};

struct writing {
    oc_store *store;
    const struct oc_census *census;
    uint32_t source;
    int64_t boot_ms;
    int64_t came, went; /* so far: the last part of a key */
};

static int by_identity(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->base != y->base)
        return x->base < y->base ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* ---- both sides ---- */

static int take_census(const struct oc_census *census, struct entries *out)
{
    out->items = oc_calloc(census->module_count + 1, sizeof *out->items);
    if (!out->items)
        return OC_E_NOMEM;
    out->count = census->module_count;
    for (size_t i = 0; i < census->module_count; i++) {
        const struct oc_module *module = &census->modules[i];
        const char *name = oc_census_text(census, module->name);

        out->items[i] = (struct entry){ .base = module->base,
                                        .bytes = module->bytes,
                                        .inode = module->inode,
                                        .hash = oc_text_hash(name, strlen(name)),
                                        .flags = module->flags,
                                        .text = module->name };
    }
    qsort(out->items, out->count, sizeof *out->items, by_identity);
    return OC_OK;
}

#define OC_MODULES_MAX_OPEN (2 * OC_CENSUS_MODULES_MAX) /* of a source, in the file */

static int add_row(struct entries *entries, sqlite3_stmt *statement)
{
    void *items = entries->items;
    int rc = oc_array_grow(&items, &entries->cap, entries->count + 1, sizeof *entries->items,
                           OC_MODULES_MAX_OPEN);

    entries->items = items;
    if (rc < 0)
        return rc;
    entries->items[entries->count++] =
        (struct entry){ .loaded = sqlite3_column_int64(statement, 0),
                        .n = sqlite3_column_int64(statement, 1),
                        .base = (uint64_t)sqlite3_column_int64(statement, 2),
                        .bytes = (uint64_t)sqlite3_column_int64(statement, 3),
                        .inode = (uint64_t)sqlite3_column_int64(statement, 4),
                        .name = sqlite3_column_int64(statement, 5),
                        .hash = sqlite3_column_int(statement, 6),
                        .flags = (uint8_t)sqlite3_column_int(statement, 7) };
    return OC_OK;
}

static int take_file(const struct writing *writing, struct entries *out)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, OC_SQL_MODULES);
    int step = SQLITE_DONE, rc = OC_OK;

    if (!statement)
        return oc_sqlite_err(writing->store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, writing->source);
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = add_row(out, statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    if (rc == OC_E_TOOBIG)
        rc = OC_OK; /* a damaged file: what was read is compared */
    if (rc == OC_OK && out->count)
        qsort(out->items, out->count, sizeof *out->items, by_identity);
    return rc < 0 ? rc : oc_sqlite_err(step);
}

/* ---- rows ---- */

static int put_module(struct writing *writing, const struct entry *module)
{
    sqlite3_stmt *statement;
    int64_t name;
    int rc = oc_store_intern(writing->store, oc_census_text(writing->census, module->text), &name);

    if (rc < 0)
        return rc;
    statement = oc_store_statement(writing->store, OC_SQL_MODULE_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->source);
        (void)sqlite3_bind_int64(statement, 2, writing->boot_ms);
        (void)sqlite3_bind_int64(statement, 3, writing->came++);
        (void)sqlite3_bind_int64(statement, 4, (int64_t)module->base);
        (void)sqlite3_bind_int64(statement, 5, (int64_t)module->bytes);
        (void)sqlite3_bind_int64(statement, 6, (int64_t)module->inode);
        (void)sqlite3_bind_int64(statement, 7, name);
        (void)sqlite3_bind_int(statement, 8, module->hash);
        (void)sqlite3_bind_int(statement, 9, module->flags);
    }
    return oc_store_run(writing->store, statement);
}

static sqlite3_stmt *bind_key(const struct writing *writing, enum oc_statement which,
                              const struct entry *module)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, which);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->source);
        (void)sqlite3_bind_int64(statement, 2, module->loaded);
        (void)sqlite3_bind_int64(statement, 3, module->n);
    }
    return statement;
}

static int put_gone(struct writing *writing, const struct entry *module)
{
    sqlite3_stmt *statement;
    int rc = oc_store_run(writing->store, bind_key(writing, OC_SQL_MODULE_DELETE, module));

    if (rc < 0)
        return rc;
    oc_store_mark_text(writing->store, module->name);
    statement = oc_store_statement(writing->store, OC_SQL_MODULE_GONE_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->source);
        (void)sqlite3_bind_int64(statement, 2, writing->boot_ms);
        (void)sqlite3_bind_int64(statement, 3, writing->went++);
        (void)sqlite3_bind_int64(statement, 4, module->loaded);
        (void)sqlite3_bind_int64(statement, 5, (int64_t)module->base);
        (void)sqlite3_bind_int64(statement, 6, (int64_t)module->bytes);
        (void)sqlite3_bind_int64(statement, 7, (int64_t)module->inode);
        (void)sqlite3_bind_int64(statement, 8, module->name);
        (void)sqlite3_bind_int(statement, 9, module->flags);
    }
    return oc_store_run(writing->store, statement);
}

/* The same module: its size and flags may be others. */
static int put_change(struct writing *writing, const struct entry *old, const struct entry *now)
{
    sqlite3_stmt *statement;

    if (old->bytes == now->bytes && old->flags == now->flags)
        return OC_OK;
    statement = bind_key(writing, OC_SQL_MODULE_CHANGE, old);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 4, (int64_t)now->bytes);
        (void)sqlite3_bind_int(statement, 5, now->flags);
    }
    return oc_store_run(writing->store, statement);
}

static int merge(struct writing *writing, const struct entries *old, const struct entries *now)
{
    size_t i = 0, k = 0;
    int rc = OC_OK;

    while (rc == OC_OK && (i < old->count || k < now->count)) {
        int order = i == old->count   ? 1
                    : k == now->count ? -1
                                      : by_identity(&old->items[i], &now->items[k]);

        if (order < 0)
            rc = put_gone(writing, &old->items[i++]);
        else if (order > 0)
            rc = put_module(writing, &now->items[k++]);
        else
            rc = put_change(writing, &old->items[i++], &now->items[k++]);
    }
    return rc;
}

int oc_store_write_modules(oc_store *store, uint32_t source, int64_t boot_ms,
                           const struct oc_census *census)
{
    struct writing writing = {
        .store = store, .census = census, .source = source, .boot_ms = boot_ms
    };
    struct entries old = { 0 }, now = { 0 };
    int rc = take_census(census, &now);

    if (rc == OC_OK)
        rc = take_file(&writing, &old);
    if (rc == OC_OK)
        rc = merge(&writing, &old, &now);
    oc_free(old.items);
    oc_free(now.items);
    return rc;
}
