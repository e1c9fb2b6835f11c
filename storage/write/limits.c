/* Limits of a source and labels of its subject: what they are now against what the file has. */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define OC_STORE_MAX_LIMITS (4 * OC_LIMITS_MAX)
#define OC_STORE_MAX_LABEL_BYTES 65536

/* ---- limits into the batch ---- */

int oc_store_limits(oc_store *store, uint32_t source, int64_t boot_ms,
                    const struct oc_limit *limits, size_t count)
{
    size_t bytes = count * sizeof *limits;
    struct oc_op *op;

    if (!oc_store_find(store, source))
        return OC_E_NOENT;
    if (count > OC_STORE_MAX_LIMITS || !oc_store_has_room(store, bytes))
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, OC_OP_LIMITS, source, NULL, NULL);
    if (!op || !oc_store_add_load(store, op, bytes))
        return OC_E_NOMEM;
    if (bytes)
        memcpy(op->load, limits, bytes);
    op->boot_ms = boot_ms;
    return OC_OK;
}

/* ---- limits into the file ---- */

/* A row in force. */
struct held {
    int64_t kind, metric, place, begin_ms, value;
    char where[OC_LIMIT_WHERE_BYTES];
    int stays;
};

struct writing {
    oc_store *store;
    const struct oc_op *op;
    const struct oc_limit *limits;
    size_t count;
    struct held held[OC_STORE_MAX_LIMITS];
    size_t held_count;
};

static int load_held(struct writing *writing)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, OC_SQL_LIMITS);
    int step = SQLITE_DONE;

    if (!statement)
        return oc_sqlite_err(writing->store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, writing->op->source);
    while (writing->held_count < OC_STORE_MAX_LIMITS &&
           (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct held *held = &writing->held[writing->held_count++];
        const unsigned char *where = sqlite3_column_text(statement, 5);

        *held = (struct held){ .kind = sqlite3_column_int64(statement, 0),
                               .metric = sqlite3_column_int64(statement, 1),
                               .place = sqlite3_column_int64(statement, 2),
                               .begin_ms = sqlite3_column_int64(statement, 3),
                               .value = sqlite3_column_int64(statement, 4) };
        (void)oc_text_copy(held->where, sizeof held->where, where ? (const char *)where : "");
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(step);
}

static struct held *find_held(struct writing *writing, const struct oc_limit *limit)
{
    for (size_t i = 0; i < writing->held_count; i++) {
        struct held *held = &writing->held[i];

        if (held->kind == limit->kind && held->metric == limit->metric &&
            strncmp(held->where, limit->where, sizeof limit->where) == 0)
            return held;
    }
    return NULL;
}

static int run_keyed(const struct writing *writing, enum oc_statement which,
                     const struct held *held, const int64_t *value)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, which);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->op->source);
        (void)sqlite3_bind_int64(statement, 2, held->kind);
        (void)sqlite3_bind_int64(statement, 3, held->metric);
        (void)sqlite3_bind_int64(statement, 4, held->place);
        (void)sqlite3_bind_int64(statement, 5, held->begin_ms);
        if (value)
            (void)sqlite3_bind_int64(statement, 6, *value);
    }
    return oc_store_run(writing->store, statement);
}

static int64_t value_of(const struct oc_limit *limit)
{
    return limit->value > INT64_MAX ? INT64_MAX : (int64_t)limit->value;
}

static int put_limit(struct writing *writing, const struct oc_limit *limit)
{
    char where[OC_LIMIT_WHERE_BYTES];
    struct held row = { .kind = limit->kind,
                        .metric = limit->metric,
                        .begin_ms = writing->op->boot_ms };
    int64_t value = value_of(limit);
    int rc;

    (void)oc_text_copy(where, sizeof where, limit->where);
    rc = oc_store_intern(writing->store, where, &row.place);
    return rc < 0 ? rc : run_keyed(writing, OC_SQL_LIMIT_PUT, &row, &value);
}

/* Ends a row; one that would have lasted no time goes. */
static int end_held(struct writing *writing, const struct held *held)
{
    if (held->begin_ms >= writing->op->boot_ms)
        return run_keyed(writing, OC_SQL_LIMIT_DELETE, held, NULL);
    oc_store_mark_text(writing->store, held->place);
    return run_keyed(writing, OC_SQL_LIMIT_END, held, &writing->op->boot_ms);
}

static int write_limit(struct writing *writing, const struct oc_limit *limit)
{
    struct held *held = find_held(writing, limit);
    int64_t value = value_of(limit);
    int rc;

    if (!held)
        return put_limit(writing, limit);
    if (held->stays) /* named twice: the first stands */
        return OC_OK;
    held->stays = 1;
    if (held->value == value)
        return OC_OK;
    if (held->begin_ms >= writing->op->boot_ms)
        return run_keyed(writing, OC_SQL_LIMIT_CHANGE, held, &value);
    rc = end_held(writing, held);
    return rc < 0 ? rc : put_limit(writing, limit);
}

int oc_store_write_limits(oc_store *store, const struct oc_op *op)
{
    struct writing *writing;
    int rc;

    if (!op->load)
        return OC_OK;
    writing = oc_calloc(1, sizeof *writing);
    if (!writing)
        return OC_E_NOMEM;
    writing->store = store;
    writing->op = op;
    writing->limits = op->load;
    writing->count = op->load_bytes / sizeof *writing->limits;
    rc = load_held(writing);
    for (size_t i = 0; i < writing->count && rc == OC_OK; i++)
        rc = write_limit(writing, &writing->limits[i]);
    for (size_t i = 0; i < writing->held_count && rc == OC_OK; i++)
        if (!writing->held[i].stays)
            rc = end_held(writing, &writing->held[i]);
    oc_free(writing);
    return rc;
}

/* ---- labels ---- */

/* The load is their text: key, NUL, value, NUL, … */
int oc_store_subject_labels(oc_store *store, uint32_t source, const char *const *pairs)
{
    struct oc_op *op;
    size_t bytes = 0, used = 0;

    if (!oc_store_find(store, source))
        return OC_E_NOENT;
    for (size_t i = 0; pairs[i]; i++)
        bytes += strlen(pairs[i]) + 1;
    if (bytes > OC_STORE_MAX_LABEL_BYTES || !oc_store_has_room(store, bytes))
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, OC_OP_LABELS, source, NULL, NULL);
    if (!op || !oc_store_add_load(store, op, bytes))
        return OC_E_NOMEM;
    for (size_t i = 0; pairs[i]; i++) {
        size_t text_bytes = strlen(pairs[i]) + 1;

        memcpy((char *)op->load + used, pairs[i], text_bytes);
        used += text_bytes;
    }
    return OC_OK;
}

/* A pair and the one after it; 0 at the end. */
static int next_pair(const struct oc_op *op, size_t *at, const char **out_key,
                     const char **out_value)
{
    const char *text = op->load;

    if (*at >= op->load_bytes)
        return 0;
    *out_key = text + *at;
    *at += strlen(*out_key) + 1;
    if (*at >= op->load_bytes)
        return 0;
    *out_value = text + *at;
    *at += strlen(*out_value) + 1;
    return 1;
}

static int subject_of(oc_store *store, uint32_t source, int64_t *out_subject)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SOURCE_SUBJECT);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, source);
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        *out_subject = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_sqlite_err(step);
}

static int same_text(sqlite3_stmt *statement, int column, const char *text)
{
    const unsigned char *has = sqlite3_column_text(statement, column);

    return has && strcmp((const char *)has, text) == 0;
}

/* 1: the file has just these, 0: it has others, or a code. */
static int has_labels(oc_store *store, int64_t subject, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_LABELS);
    const char *key = NULL, *value = NULL;
    size_t at = 0;
    int step, same = 1;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, subject);
    while (same && (step = sqlite3_step(statement)) == SQLITE_ROW)
        same = next_pair(op, &at, &key, &value) && same_text(statement, 0, key) &&
               same_text(statement, 1, value);
    (void)sqlite3_reset(statement); /* says again what step said */
    if (same && step != SQLITE_DONE)
        return oc_sqlite_err(step);
    return same && !next_pair(op, &at, &key, &value);
}

static int put_labels(oc_store *store, int64_t subject, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_LABELS_DELETE);
    const char *key, *value;
    size_t at = 0;
    int rc;

    if (statement)
        (void)sqlite3_bind_int64(statement, 1, subject);
    rc = oc_store_run(store, statement);
    while (rc == OC_OK && next_pair(op, &at, &key, &value)) {
        statement = oc_store_statement(store, OC_SQL_LABEL_PUT);
        if (statement) {
            (void)sqlite3_bind_int64(statement, 1, subject);
            (void)sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
            (void)sqlite3_bind_text(statement, 3, value, -1, SQLITE_STATIC);
        }
        rc = oc_store_run(store, statement);
    }
    return rc;
}

int oc_store_write_labels(oc_store *store, const struct oc_op *op)
{
    int64_t subject = 0;
    int rc;

    if (!op->load)
        return OC_OK;
    rc = subject_of(store, op->source, &subject);
    if (rc != 1)
        return rc;
    rc = has_labels(store, subject, op);
    return rc == 0 ? put_labels(store, subject, op) : rc < 0 ? rc : OC_OK;
}
