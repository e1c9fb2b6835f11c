#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* ---- those that run, in memory ---- */

/* Index of the source, or where it would be put. */
static size_t place_of(const oc_store *store, uint32_t source)
{
    size_t low = 0, high = store->source_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (store->sources[middle]->id < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct oc_open_source *oc_store_find(oc_store *store, uint32_t source)
{
    /* ticks come in ascending id: the next one is mostly the one asked for */
    size_t place = store->source_hint;

    if (place >= store->source_count || store->sources[place]->id != source)
        place = place_of(store, source);
    if (place >= store->source_count || store->sources[place]->id != source)
        return NULL;
    store->source_hint = place + 1;
    return store->sources[place];
}

struct oc_open_source *oc_store_add(oc_store *store, uint32_t source)
{
    size_t place = place_of(store, source);
    void *sources = store->sources;
    struct oc_open_source *added;

    if (oc_array_grow(&sources, &store->source_cap, store->source_count + 1, sizeof added,
                      OC_STORE_MAX_OPEN) < 0)
        return NULL;
    store->sources = sources;
    added = oc_calloc(1, sizeof *added);
    if (!added)
        return NULL;
    added->id = source;
    oc_tail_init(&added->tail, 0);
    memmove(store->sources + place + 1, store->sources + place,
            (store->source_count - place) * sizeof added);
    store->sources[place] = added;
    store->source_count++;
    return added;
}

void oc_store_source_free(oc_store *store, struct oc_open_source *source)
{
    for (struct oc_tail *more = source->tail.next; more;) {
        struct oc_tail *next = more->next;

        oc_tail_clear(more, &store->pool);
        oc_free(more);
        more = next;
    }
    oc_tail_clear(&source->tail, &store->pool);
    oc_free(source);
}

void oc_store_drop_ended(oc_store *store)
{
    size_t kept = 0;

    for (size_t i = 0; i < store->source_count; i++) {
        if (store->sources[i]->ended)
            oc_store_source_free(store, store->sources[i]);
        else
            store->sources[kept++] = store->sources[i];
    }
    store->source_count = kept;
}

struct oc_tail *oc_store_tail(struct oc_open_source *source, unsigned block, int create)
{
    struct oc_tail *added;

    for (struct oc_tail *tail = source->has_tail ? &source->tail : NULL; tail; tail = tail->next)
        if (tail->block == block)
            return tail;
    if (!create)
        return NULL;
    if (!source->has_tail) {
        source->has_tail = 1;
        source->tail.block = (uint8_t)block;
        return &source->tail;
    }
    added = oc_calloc(1, sizeof *added);
    if (!added)
        return NULL;
    oc_tail_init(added, block);
    added->next = source->tail.next;
    source->tail.next = added;
    return added;
}

int oc_store_next_chunk(oc_store *store, uint32_t source, uint32_t *out_next,
                        int64_t *out_sealed_until_ms)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_RAW_LAST);
    int rc = SQLITE_DONE;
    uint32_t next = 0;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(source, 0));
    (void)sqlite3_bind_int64(statement, 2, OC_CHUNK_ROWID(source, OC_CHUNK_NUMBER_MAX));
    /* the last chunks of a source are of all its blocks, each in turn */
    (void)sqlite3_bind_int64(statement, 3, out_sealed_until_ms ? 4 * OC_BLOCK_COUNT : 1);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0), block = sqlite3_column_int64(statement, 1);
        int64_t t1 = sqlite3_column_int64(statement, 2);

        if (next == 0)
            next = (uint32_t)(id & OC_CHUNK_NUMBER_MAX) + 1;
        if (out_sealed_until_ms && block >= 0 && block < OC_BLOCK_COUNT &&
            t1 > out_sealed_until_ms[block])
            out_sealed_until_ms[block] = t1;
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    if (rc != SQLITE_DONE)
        return oc_sqlite_err(rc);
    *out_next = next;
    return OC_OK;
}

/* ---- rows to be written ---- */

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

#define OC_SUBJECT_MAX_BYTES 1024

/* A new op at the end of the list, with copies of the texts. NULL where memory is short or the list full. */
static struct oc_op *add_op(oc_store *store, enum oc_op_kind kind, uint32_t source,
                            const char *subject, const struct oc_proc_facts *facts)
{
    static const struct oc_proc_facts no_facts = { .uid = -1 };
    const struct oc_proc_facts *f = facts ? facts : &no_facts;
    size_t subject_bytes = subject ? length(subject, OC_SUBJECT_MAX_BYTES) : 0;
    size_t name = length(f->name, sizeof f->name), exe = length(f->exe, sizeof f->exe);
    size_t cgroup = length(f->cgroup, sizeof f->cgroup);
    size_t cmdline = length(f->cmdline, sizeof f->cmdline), used = 0;
    struct oc_op *op;

    if (store->op_count >= OC_STORE_MAX_PENDING_OPS)
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

        oc_free(store->ops);
        store->ops = next;
    }
    store->ops_end = &store->ops;
    store->op_count = 0;
}

static int write_subject(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_SUBJECT_PUT);

    if (statement) {
        (void)sqlite3_bind_text(statement, 1, op->text + op->subject, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(statement, 2, op->source_kind);
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

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, op->source);
        (void)sqlite3_bind_int64(statement, 2, op->boot_ms);
        (void)sqlite3_bind_int(statement, 3, (int)op->end);
        (void)sqlite3_bind_int(statement, 4, op->status);
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
    int rc = OC_OK;

    if (op->kind == OC_OP_BEGIN)
        rc = write_source(store, op);
    else if (op->kind == OC_OP_REOPEN)
        rc = write_reopen(store, op);
    else if (op->kind == OC_OP_END)
        rc = write_end(store, op);
    else if (op->kind == OC_OP_CLOCK)
        rc = write_clock(store, op);
    if (rc == OC_OK && op->has_facts)
        rc = write_facts(store, op);
    return rc;
}

int oc_store_write_ops(oc_store *store)
{
    int rc = OC_OK;

    for (const struct oc_op *op = store->ops; op && rc == OC_OK; op = op->next)
        rc = write_op(store, op);
    return rc;
}

/* ---- what the daemon says of them ---- */

static int same_identity(const struct oc_op *op, const struct oc_source_info *info)
{
    if (op->kind != OC_OP_BEGIN || op->source_kind != info->kind)
        return 0;
    if (info->kind == OC_SOURCE_PROCESS)
        return info->facts && op->id.pid == info->facts->id.pid &&
               op->id.start_ticks == info->facts->id.start_ticks &&
               op->id.exec_count == info->facts->id.exec_count;
    return op->inode == info->cgroup_inode && strcmp(op->text + op->subject, info->subject) == 0;
}

static sqlite3_stmt *bind_process(oc_store *store, const struct oc_source_info *info)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FIND_LIFE);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, info->facts->id.pid);
        (void)sqlite3_bind_int64(statement, 2, (int64_t)info->facts->id.start_ticks);
        (void)sqlite3_bind_int64(statement, 3, info->facts->id.exec_count);
        (void)sqlite3_bind_int64(statement, 4, store->boot);
        (void)sqlite3_bind_int(statement, 5, OC_SOURCE_PROCESS);
    }
    return statement;
}

static sqlite3_stmt *bind_subject(oc_store *store, const struct oc_source_info *info)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FIND_SUBJECT_SOURCE);

    if (statement) {
        (void)sqlite3_bind_text(statement, 1, info->subject, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, store->boot);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)info->cgroup_inode);
        (void)sqlite3_bind_int(statement, 4, (int)info->kind);
    }
    return statement;
}

/* The id under which the file or the batch knows it. 1, 0 (it is new), or a code. */
static int find_known(oc_store *store, const struct oc_source_info *info, uint32_t *out_source)
{
    sqlite3_stmt *statement;
    int rc;

    for (const struct oc_op *op = store->ops; op; op = op->next)
        if (same_identity(op, info)) {
            *out_source = op->source;
            return 1;
        }
    if (info->kind == OC_SOURCE_PROCESS && !info->facts)
        return 0;
    statement =
        info->kind == OC_SOURCE_PROCESS ? bind_process(store, info) : bind_subject(store, info);
    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *out_source = (uint32_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement); /* says again what step said */
    (void)sqlite3_clear_bindings(statement);
    return rc == SQLITE_ROW ? 1 : oc_sqlite_err(rc);
}

/* Its place in memory, as known or new. */
static int open_source(oc_store *store, uint32_t source, int is_known,
                       struct oc_open_source **out_source)
{
    struct oc_open_source *open = oc_store_find(store, source);
    uint32_t next_chunk = 0;
    int rc;

    if (!open) {
        rc = is_known ? oc_store_next_chunk(store, source, &next_chunk, NULL) : OC_OK;
        if (rc < 0)
            return rc;
        open = oc_store_add(store, source);
        if (!open)
            return OC_E_NOMEM;
        open->next_chunk = next_chunk;
    }
    *out_source = open;
    return OC_OK;
}

int oc_store_source_begin(oc_store *store, const struct oc_source_info *info, uint32_t *out_source)
{
    uint32_t source = store->next_source;
    struct oc_open_source *open;
    struct oc_op *op;
    int known = find_known(store, info, &source), was_open, rc;

    if (known < 0)
        return known;
    if (info->kind == OC_SOURCE_SELF)
        source = 0;
    else if (!known && source == UINT32_MAX)
        return OC_E_TOOBIG;
    was_open = oc_store_find(store, source) != NULL;
    rc = open_source(store, source, known, &open);
    if (rc < 0)
        return rc;
    op = add_op(store, known ? OC_OP_REOPEN : OC_OP_BEGIN, source, info->subject, info->facts);
    if (!op) {
        if (!was_open) {
            open->ended = 1; /* it leaves again with the next commit */
            oc_store_note_due(store, source);
        }
        return OC_E_NOMEM;
    }
    op->source_kind = open->kind = (uint8_t)info->kind;
    op->boot_ms = info->begin_boot_ms;
    op->interval_ms = open->interval_ms = info->interval_ms;
    op->inode = info->cgroup_inode;
    open->boot = store->boot;
    open->ended = open->waits = 0;
    if (source == store->next_source)
        store->next_source++;
    *out_source = source;
    return OC_OK;
}

int oc_store_source_facts(oc_store *store, uint32_t source, const struct oc_proc_facts *facts)
{
    if (!oc_store_find(store, source))
        return OC_E_NOENT;
    return add_op(store, OC_OP_FACTS, source, NULL, facts) ? OC_OK : OC_E_NOMEM;
}

int oc_store_source_end(oc_store *store, uint32_t source, int64_t end_boot_ms, enum oc_end end,
                        int status)
{
    struct oc_open_source *open = oc_store_find(store, source);
    struct oc_op *op;

    if (!open || open->ended)
        return OC_E_NOENT;
    op = add_op(store, OC_OP_END, source, NULL, NULL);
    if (!op)
        return OC_E_NOMEM;
    op->boot_ms = end_boot_ms;
    op->end = end;
    op->status = status;
    open->ended = 1;
    oc_store_note_due(store, source);
    return OC_OK;
}

int oc_store_clock(oc_store *store, int64_t boot_ms, int64_t unix_ms)
{
    struct oc_op *op = add_op(store, OC_OP_CLOCK, 0, NULL, NULL);

    if (!op)
        return OC_E_NOMEM;
    op->boot_ms = boot_ms;
    op->unix_ms = unix_ms;
    return OC_OK;
}
