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
    oc_store_said_free(store, source->said);
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

/* ---- what the daemon says of them ---- */

static int same_identity(const struct oc_op *op, const struct oc_source_info *info)
{
    if (op->kind != OC_OP_BEGIN || op->source_kind != info->kind)
        return 0;
    if (info->kind == OC_SOURCE_PROCESS)
        return info->facts && op->id.pid == info->facts->id.pid &&
               op->id.start_ticks == info->facts->id.start_ticks &&
               op->id.exec_count == info->facts->id.exec_count &&
               strcmp(op->text + op->subject, info->subject) == 0;
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
        (void)sqlite3_bind_text(statement, 6, info->subject, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(statement, 7, OC_END_EXECED);
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

/* Another program took the process over: that life is told to its end, whoever has its PID now. */
static int was_taken_over(const oc_store *store, uint32_t source)
{
    for (const struct oc_op *op = store->ops; op; op = op->next) {
        if (op->kind == OC_OP_END && op->source == source && op->end == OC_END_EXECED)
            return 1;
    }
    return 0;
}

/* The id under which the file or the batch knows it. 1, 0 (it is new), or a code. */
static int find_known(oc_store *store, const struct oc_source_info *info, uint32_t *out_source)
{
    sqlite3_stmt *statement;
    uint32_t found;
    int rc;

    for (const struct oc_op *op = store->ops; op; op = op->next)
        if (same_identity(op, info) && !was_taken_over(store, op->source)) {
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
    found = rc == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement); /* says again what step said */
    (void)sqlite3_clear_bindings(statement);
    if (rc != SQLITE_ROW)
        return oc_sqlite_err(rc);
    if (info->kind == OC_SOURCE_PROCESS && was_taken_over(store, found))
        return 0;
    *out_source = found;
    return 1;
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
    op = oc_store_add_op(store, known ? OC_OP_REOPEN : OC_OP_BEGIN, source, info->subject,
                         info->facts);
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
    return oc_store_add_op(store, OC_OP_FACTS, source, NULL, facts) ? OC_OK : OC_E_NOMEM;
}

int oc_store_source_end(oc_store *store, uint32_t source, int64_t end_boot_ms, enum oc_end end,
                        int status)
{
    struct oc_open_source *open = oc_store_find(store, source);
    struct oc_op *op;

    if (!open || open->ended)
        return OC_E_NOENT;
    op = oc_store_add_op(store, OC_OP_END, source, NULL, NULL);
    if (!op)
        return OC_E_NOMEM;
    op->boot_ms = end_boot_ms;
    op->end = end;
    op->status = status;
    open->ended = 1;
    oc_store_note_due(store, source);
    return OC_OK;
}

int oc_store_source_killer(oc_store *store, uint32_t source, enum oc_killer killer,
                           const char *scope)
{
    struct oc_op *op;

    if (source >= store->next_source) /* it may have ended: the file knows it, memory does not */
        return OC_E_NOENT;
    op = oc_store_add_op(store, OC_OP_KILLER, source, scope, NULL);
    if (!op)
        return OC_E_NOMEM;
    op->killer = killer;
    return OC_OK;
}

int oc_store_source_plan(oc_store *store, uint32_t source, const char *text)
{
    if (source >= store->next_source)
        return OC_E_NOENT;
    return oc_store_add_op(store, OC_OP_PLAN, source, text, NULL) ? OC_OK : OC_E_NOMEM;
}

int oc_store_clock(oc_store *store, int64_t boot_ms, int64_t unix_ms)
{
    struct oc_op *op = oc_store_add_op(store, OC_OP_CLOCK, 0, NULL, NULL);

    if (!op)
        return OC_E_NOMEM;
    op->boot_ms = boot_ms;
    op->unix_ms = unix_ms;
    return OC_OK;
}
