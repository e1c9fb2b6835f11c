/* What the forecaster wants to go on from after a restart, and the record of what came of its forecasts. */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)OC_MEMORY_SERIES == OC_FORECASTER_SERIES &&
                  (int)OC_MEMORY_SUBJECT == OC_FORECASTER_SUBJECT,
              "one number each, in files for ever");

/* ---- memory into the batch ---- */

static int is_of_source(unsigned kind)
{
    return kind == OC_MEMORY_SERIES || kind == OC_MEMORY_BOOK;
}

/* Whether a name says a source that runs. */
static int names_source(oc_store *store, const char *name)
{
    char *end = NULL;
    unsigned long source = strtoul(name, &end, 10);
    const struct oc_open_source *open = NULL;

    if (*name >= '0' && *name <= '9' && !*end && source <= UINT32_MAX)
        open = oc_store_find(store, (uint32_t)source);
    return open && !open->ended;
}

/* What waits already and would be written over: on a full disk no more waits than there are names. */
static struct oc_op *find_memory(oc_store *store, unsigned kind, const char *name, uint32_t key)
{
    for (struct oc_op *op = store->ops; op; op = op->next)
        if (op->kind == OC_OP_MEMORY && op->source_kind == kind && op->inode == key &&
            strcmp(op->text + op->subject, name) == 0)
            return op;
    return NULL;
}

/* Another load of another length in place of the one that waits. */
static int replace_load(oc_store *store, struct oc_op *op, const void *bytes, size_t len_bytes)
{
    void *load = oc_malloc(len_bytes);

    if (!load)
        return OC_E_NOMEM;
    memcpy(load, bytes, len_bytes);
    oc_free(op->load);
    store->load_bytes += len_bytes - op->load_bytes;
    op->load = load;
    op->load_bytes = len_bytes;
    return OC_OK;
}

int oc_store_memory_put(oc_store *store, enum oc_memory_kind kind, const char *name, uint32_t key,
                        const void *bytes, size_t len_bytes)
{
    struct oc_op *op;

    if (is_of_source(kind) && !names_source(store, name))
        return OC_E_NOENT;
    if (len_bytes == 0 || len_bytes > OC_MEMORY_MAX_BYTES || strlen(name) >= OC_MEMORY_NAME_BYTES ||
        !oc_store_has_room(store, len_bytes))
        return OC_E_TOOBIG;
    op = find_memory(store, kind, name, key);
    if (op && op->load)
        return replace_load(store, op, bytes, len_bytes);
    if (!op)
        op = oc_store_add_op(store, OC_OP_MEMORY, 0, name, NULL);
    if (!op)
        return OC_E_NOMEM;
    op->source_kind = (uint8_t)kind;
    op->inode = key;
    if (!oc_store_add_load(store, op, len_bytes)) /* an op without one writes nothing */
        return OC_E_NOMEM;
    memcpy(op->load, bytes, len_bytes);
    return OC_OK;
}

/* ---- memory into the file, and back ---- */

int oc_store_write_memory(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_MEMORY_PUT);

    if (!op->load)
        return OC_OK;
    if (statement) {
        (void)sqlite3_bind_int(statement, 1, op->source_kind);
        (void)sqlite3_bind_text(statement, 2, op->text + op->subject, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)op->inode);
        (void)sqlite3_bind_int64(statement, 4, store->next_row);
        (void)sqlite3_bind_blob64(statement, 5, op->load, op->load_bytes, SQLITE_STATIC);
    }
    return oc_store_run(store, statement);
}

int oc_store_forget_memory(oc_store *store, uint32_t source)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_MEMORY_FORGET);
    char name[16];

    (void)snprintf(name, sizeof name, "%lu", (unsigned long)source);
    if (statement) {
        (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(statement, 2, OC_MEMORY_SERIES);
        (void)sqlite3_bind_int(statement, 3, OC_MEMORY_BOOK);
    }
    return oc_store_run(store, statement);
}

/* A row for fn; one that cannot be is passed over. Returns what fn gave. */
static int tell_memory(sqlite3_stmt *statement, oc_store_memory_fn *fn, void *context)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    int64_t key = sqlite3_column_int64(statement, 1);
    const void *bytes = sqlite3_column_blob(statement, 2);

    if (!name || !bytes || key < 0 || key > UINT32_MAX)
        return 0;
    return fn(name, (uint32_t)key, bytes, (size_t)sqlite3_column_bytes(statement, 2), context);
}

int oc_store_memory(oc_store *store, enum oc_memory_kind kind, oc_store_memory_fn *fn,
                    void *context)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(
        store->db, "SELECT name, key, bytes FROM forecaster WHERE kind = ?1 ORDER BY id", -1,
        &statement, NULL);
    int stop = 0;

    if (rc == SQLITE_OK)
        (void)sqlite3_bind_int(statement, 1, (int)kind);
    while (rc == SQLITE_OK && !stop && sqlite3_step(statement) == SQLITE_ROW)
        stop = tell_memory(statement, fn, context);
    if (rc == SQLITE_OK)
        rc = sqlite3_reset(statement);
    (void)sqlite3_finalize(statement); /* reset told */
    return oc_sqlite_err(rc);
}

/* ---- the record ---- */

struct record {
    unsigned metric, limit_kind;
    int64_t boot_ms;
    struct oc_accuracy sum;
};

static struct record *find_record(const oc_store *store, uint32_t source, unsigned metric,
                                  unsigned limit_kind)
{
    for (const struct oc_op *op = store->ops; op; op = op->next) {
        struct record *record = op->load;

        if (op->kind == OC_OP_ACCURACY && op->source == source && record &&
            record->metric == metric && record->limit_kind == limit_kind)
            return record;
    }
    return NULL;
}

int oc_store_accuracy(oc_store *store, uint32_t source, unsigned metric, unsigned limit_kind,
                      int64_t boot_ms, const struct oc_accuracy *more)
{
    struct record *record;
    struct oc_op *op;

    if (source >= store->next_source) /* it may have ended: the file knows it, memory does not */
        return OC_E_NOENT;
    record = find_record(store, source, metric, limit_kind);
    if (record) {
        oc_accuracy_add(&record->sum, more);
        record->boot_ms = boot_ms;
        return OC_OK;
    }
    if (!oc_store_has_room(store, sizeof *record))
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, OC_OP_ACCURACY, source, NULL, NULL);
    record = op ? oc_store_add_load(store, op, sizeof *record) : NULL;
    if (!record)
        return OC_E_NOMEM;
    *record = (struct record){
        .metric = metric, .limit_kind = limit_kind, .boot_ms = boot_ms, .sum = *more
    };
    return OC_OK;
}

/* Sums that are not finite would not add up ever again. */
static double finite(double value) { return oc_store_is_number(value) ? value : 0.0; }

static void bind_sums(sqlite3_stmt *statement, const struct oc_accuracy *sum)
{
    const uint64_t counts[] = { sum->judged,   sum->inside,   sum->early,
                                sum->late,     sum->censored, sum->ends,
                                sum->foretold, sum->alarms,   sum->false_alarms };

    for (int i = 0; i < (int)(sizeof counts / sizeof *counts); i++)
        (void)sqlite3_bind_int64(statement, 5 + i, (int64_t)counts[i]);
    (void)sqlite3_bind_double(statement, 14, finite(sum->error_sum));
    (void)sqlite3_bind_int64(statement, 15, (int64_t)sum->errors);
    (void)sqlite3_bind_double(statement, 16, finite(sum->lead_s_sum));
    (void)sqlite3_bind_double(statement, 17, finite(sum->watched_s));
}

int oc_store_write_accuracy(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_ACCURACY_ADD);
    const struct record *record = op->load;

    if (!record)
        return OC_OK;
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int64(statement, 2, record->metric);
        (void)sqlite3_bind_int64(statement, 3, record->limit_kind);
        (void)sqlite3_bind_int64(statement, 4, record->boot_ms);
        bind_sums(statement, &record->sum);
        (void)sqlite3_bind_int64(statement, 18, store->boot);
    }
    return oc_store_run(store, statement);
}
