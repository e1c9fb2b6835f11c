/* Rows to be written: they wait in memory for the next commit that succeeds. */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

static uint16_t put_text(struct oc_op *op, size_t *used_bytes, const char *text, size_t bytes)
{
    uint16_t at = (uint16_t)*used_bytes;

    memcpy(op->text + at, text, bytes);
    op->text[at + bytes] = '\0';
    *used_bytes += bytes + 1;
    return at;
}

/* Length of a text in a fixed array, which may lack its NUL. */
static size_t length(const char *text, size_t max_bytes)
{
    const char *end = memchr(text, '\0', max_bytes);

    return end ? (size_t)(end - text) : max_bytes;
}

/* What waits for room on disk of other things must not keep alerts out. */
static uint32_t max_ops(enum oc_op_kind kind)
{
    uint32_t more = kind >= OC_OP_ALERT ? OC_STORE_MAX_ALERT_OPS : 0;

    return OC_STORE_MAX_PENDING_OPS + more;
}

#define OC_SUBJECT_MAX_BYTES 1024

struct oc_op *oc_store_add_op(oc_store *store, enum oc_op_kind kind, uint32_t source,
                              const char *subject, const struct oc_proc_facts *facts)
{
    static const struct oc_proc_facts no_facts = { .uid = -1 };
    const struct oc_proc_facts *f = facts ? facts : &no_facts;
    size_t subject_bytes = subject ? length(subject, OC_SUBJECT_MAX_BYTES) : 0;
    size_t name = length(f->name, sizeof f->name), exe = length(f->exe, sizeof f->exe);
    size_t cgroup = length(f->cgroup, sizeof f->cgroup);
    size_t cmdline = length(f->cmdline, sizeof f->cmdline), used = 0;
    struct oc_op *op;

    if (store->op_count >= max_ops(kind))
        return NULL;
    op = oc_malloc(sizeof *op + subject_bytes + name + exe + cgroup + cmdline + 5);
    if (!op)
        return NULL;
    *op = (struct oc_op){ .kind = kind, .source = source, .has_facts = facts != NULL };
    op->id = f->id;
    op->parent_pid = f->parent_pid;
    op->uid = f->uid;
    op->start_unix_ms = f->start_unix_ms;
    op->subject = put_text(op, &used, subject ? subject : "", subject_bytes);
    op->name = put_text(op, &used, f->name, name);
    op->exe = put_text(op, &used, f->exe, exe);
    op->cgroup = put_text(op, &used, f->cgroup, cgroup);
    op->cmdline = put_text(op, &used, f->cmdline, cmdline);
    *store->ops_end = op;
    store->ops_end = &op->next;
    store->op_count++;
    return op;
}

void oc_store_clear_ops(oc_store *store)
{
    while (store->ops) {
        struct oc_op *next = store->ops->next;

        oc_free(store->ops->load);
        oc_free(store->ops);
        store->ops = next;
    }
    store->ops_end = &store->ops;
    store->op_count = 0;
    store->load_bytes = 0;
}

void *oc_store_add_load(oc_store *store, struct oc_op *op, size_t bytes)
{
    op->load = oc_malloc(bytes);
    if (op->load) {
        op->load_bytes = bytes;
        store->load_bytes += bytes;
    }
    return op->load;
}

int oc_store_has_room(const oc_store *store, size_t bytes)
{
    return bytes <= OC_STORE_MAX_LOAD_BYTES && store->load_bytes <= OC_STORE_MAX_LOAD_BYTES - bytes;
}

static int write_subject(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SUBJECT_PUT);

    if (statement) {
        (void)sqlite3_bind_text(statement, 1, op->text + op->subject, -1, SQLITE_STATIC);
        /* a group is the processes of its subject */
        (void)sqlite3_bind_int(
            statement, 2, op->source_kind == OC_SOURCE_GROUP ? OC_SOURCE_PROCESS : op->source_kind);
    }
    return oc_store_run(store, statement);
}

static int write_source(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement;
    int rc = write_subject(store, op);

    if (rc < 0)
        return rc;
    statement = oc_store_statement(store, OC_SQL_SOURCE_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_text(statement, 2, op->text + op->subject, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(statement, 3, op->source_kind);
        (void)sqlite3_bind_int64(statement, 4, store->boot);
        (void)sqlite3_bind_int64(statement, 5, op->boot_ms);
        (void)sqlite3_bind_int(statement, 6, op->interval_ms);
        (void)sqlite3_bind_int64(statement, 7, (int64_t)op->inode);
    }
    return oc_store_run(store, statement);
}

static int write_reopen(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SOURCE_REOPEN);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int(statement, 2, op->interval_ms);
    }
    return oc_store_run(store, statement);
}

static void bind_text_or_null(sqlite3_stmt *statement, int at, const char *text)
{
    if (*text)
        (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static int write_facts(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_LIFE_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int64(statement, 2, op->id.pid);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)op->id.start_ticks);
        (void)sqlite3_bind_int64(statement, 4, op->id.exec_count);
        if (op->parent_pid)
            (void)sqlite3_bind_int64(statement, 5, op->parent_pid);
        if (op->uid >= 0)
            (void)sqlite3_bind_int64(statement, 6, op->uid);
        if (op->start_unix_ms)
            (void)sqlite3_bind_int64(statement, 7, op->start_unix_ms);
        (void)sqlite3_bind_text(statement, 8, op->text + op->name, -1, SQLITE_STATIC);
        bind_text_or_null(statement, 9, op->text + op->exe);
        bind_text_or_null(statement, 10, op->text + op->cgroup);
        bind_text_or_null(statement, 11, op->text + op->cmdline);
    }
    return oc_store_run(store, statement);
}

static int write_end(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SOURCE_END);
    int rc;

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int64(statement, 2, op->boot_ms);
        (void)sqlite3_bind_int(statement, 3, (int)op->end);
        (void)sqlite3_bind_int(statement, 4, op->status);
    }
    rc = oc_store_run(store, statement);
    return rc < 0 ? rc : oc_store_forget_memory(store, op->source);
}

static int write_killer(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SOURCE_KILLER);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int(statement, 2, (int)op->killer);
        bind_text_or_null(statement, 3, op->text + op->subject);
    }
    return oc_store_run(store, statement);
}

static int write_plan(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_LIFE_PLAN);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        bind_text_or_null(statement, 2, op->text + op->subject);
    }
    return oc_store_run(store, statement);
}

static int write_clock(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_CLOCK_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, store->boot);
        (void)sqlite3_bind_int64(statement, 2, op->boot_ms);
        (void)sqlite3_bind_int64(statement, 3, op->unix_ms);
    }
    return oc_store_run(store, statement);
}

static int write_op(oc_store *store, const struct oc_op *op)
{
    static int (*const writers[])(oc_store *, const struct oc_op *) = {
        [OC_OP_BEGIN] = write_source,
        [OC_OP_REOPEN] = write_reopen,
        [OC_OP_END] = write_end,
        [OC_OP_CLOCK] = write_clock,
        [OC_OP_KILLER] = write_killer,
        [OC_OP_PLAN] = write_plan,
        [OC_OP_WALK] = oc_store_write_walk,
        [OC_OP_LIMITS] = oc_store_write_limits,
        [OC_OP_LABELS] = oc_store_write_labels,
        [OC_OP_FORECASTS] = oc_store_write_forecasts,
        [OC_OP_MEMORY] = oc_store_write_memory,
        [OC_OP_ACCURACY] = oc_store_write_accuracy,
        [OC_OP_ALERT] = oc_store_write_alert,
        [OC_OP_DECISION] = oc_store_write_decision,
        [OC_OP_OUTBOX] = oc_store_write_outbox,
        [OC_OP_SILENCE] = oc_store_write_silence,
    };
    int rc = writers[op->kind] ? writers[op->kind](store, op) : OC_OK;

    return rc == OC_OK && op->has_facts ? write_facts(store, op) : rc;
}

int oc_store_write_ops(oc_store *store)
{
    int rc = OC_OK;

    for (const struct oc_op *op = store->ops; op && rc == OC_OK; op = op->next)
        rc = write_op(store, op);
    return rc;
}
