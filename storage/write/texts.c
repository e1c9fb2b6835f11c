/*
 * Texts and families that no row names any more go, in steps: all rows that name one are looked
 * over and what they name is marked, then what is unmarked is deleted. What is written meanwhile
 * marks for itself, and rows that are newer than the sweep are left alone.
 */
#include "storage/write/upkeep_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

#define OC_SWEEP_ROWS 2000         /* looked at in a step */
#define OC_SWEEP_MAX_IDS (1 << 26) /* 8 MiB of marks: beyond, nothing is swept */

static void mark(struct oc_marks *marks, int64_t id)
{
    if (marks->bits && id >= 0 && id < marks->count)
        marks->bits[id / 8] |= (uint8_t)(1u << id % 8);
}

static int is_marked(const struct oc_marks *marks, int64_t id)
{
    return id < 0 || id >= marks->count || (marks->bits[id / 8] >> id % 8 & 1);
}

void oc_store_mark_text(oc_store *store, int64_t text)
{
    if (store->upkeep)
        mark(&store->upkeep->sweep.texts, text);
}

void oc_store_mark_family(oc_store *store, int64_t family)
{
    if (store->upkeep)
        mark(&store->upkeep->sweep.families, family);
}

void oc_sweep_clear(struct oc_sweep *sweep)
{
    (void)sqlite3_finalize(sweep->statement); /* nothing is running */
    oc_free(sweep->texts.bits);
    oc_free(sweep->families.bits);
    memset(sweep, 0, sizeof *sweep);
}

/* ---- stages: each a query that goes on where the last step ended ---- */

struct stage {
    int is_family;   /* whose ids these are */
    int is_sweep;    /* the table itself: what is unmarked goes */
    int keys;        /* columns that say where to go on; the id is the one after them */
    const char *sql; /* parameters: the keys, then the number of rows */
};

static const struct stage stages[] = {
    { 0, 0, 3,
      "SELECT source, loaded, n, name FROM module WHERE (source, loaded, n) > (?1, ?2, ?3)"
      " ORDER BY source, loaded, n LIMIT ?4" },
    { 0, 0, 3,
      "SELECT source, unloaded, n, name FROM module_gone WHERE (source, unloaded, n) > (?1, ?2, ?3)"
      " ORDER BY source, unloaded, n LIMIT ?4" },
    { 0, 0, 5,
      "SELECT source, kind, metric, place, begin_ms, place FROM limit_value"
      " WHERE (source, kind, metric, place, begin_ms) > (?1, ?2, ?3, ?4, ?5)"
      " ORDER BY source, kind, metric, place, begin_ms LIMIT ?6" },
    { 0, 0, 1, "SELECT id, place FROM forecast_series WHERE id > ?1 ORDER BY id LIMIT ?2" },
    { 1, 0, 2,
      "SELECT walk, family, family FROM family_count WHERE (walk, family) > (?1, ?2)"
      " ORDER BY walk, family LIMIT ?3" },
    { 0, 1, 1, "SELECT id, id FROM text WHERE id > ?1 ORDER BY id LIMIT ?2" },
    { 1, 1, 1, "SELECT id, id FROM family WHERE id > ?1 ORDER BY id LIMIT ?2" },
};
enum { STAGES = sizeof stages / sizeof *stages };

static int begin_marks(oc_store *store, struct oc_marks *marks, const char *sql)
{
    int64_t last = 0;
    int rc = oc_sqlite_number(store->db, sql, &last);

    if (oc_sqlite_err(rc) < 0)
        return oc_sqlite_err(rc);
    if (last < 0 || last >= OC_SWEEP_MAX_IDS)
        return OC_E_TOOBIG;
    marks->count = last + 1;
    marks->bits = oc_calloc((size_t)marks->count / 8 + 1, 1);
    return marks->bits ? OC_OK : OC_E_NOMEM;
}

/* 1: there is something to sweep, 0: not now, or a code. */
int oc_sweep_begin(oc_store *store)
{
    struct oc_sweep *sweep = &store->upkeep->sweep;
    int rc = begin_marks(store, &sweep->texts, "SELECT max(id) FROM text");

    if (rc == OC_OK)
        rc = begin_marks(store, &sweep->families, "SELECT max(id) FROM family");
    for (int i = 0; i < OC_SWEEP_KEYS; i++)
        sweep->key[i] = INT64_MIN;
    if (rc == OC_OK)
        return 1;
    oc_sweep_clear(sweep);
    return rc == OC_E_TOOBIG ? 0 : rc;
}

static int prepare(oc_store *store, struct oc_sweep *sweep)
{
    const struct stage *stage = &stages[sweep->stage];

    if (!sweep->statement) {
        int rc = sqlite3_prepare_v2(store->db, stage->sql, -1, &sweep->statement, NULL);

        if (rc != SQLITE_OK)
            return oc_sqlite_err(rc);
    }
    for (int i = 0; i < stage->keys; i++)
        (void)sqlite3_bind_int64(sweep->statement, i + 1, sweep->key[i]);
    (void)sqlite3_bind_int(sweep->statement, stage->keys + 1, OC_SWEEP_ROWS);
    return OC_OK;
}

static int delete_id(oc_store *store, int is_family, int64_t id)
{
    enum oc_upkeep_sql which = is_family ? OC_UPKEEP_FORGET_FAMILY : OC_UPKEEP_FORGET_TEXT;
    sqlite3_stmt *statement = oc_upkeep_statement(store, which);

    if (statement)
        (void)sqlite3_bind_int64(statement, 1, id);
    return oc_store_run(store, statement);
}

/* One row of the stage. */
static int take_row(oc_store *store, struct oc_sweep *sweep)
{
    const struct stage *stage = &stages[sweep->stage];
    struct oc_marks *marks = stage->is_family ? &sweep->families : &sweep->texts;
    int64_t id = sqlite3_column_int64(sweep->statement, stage->keys);

    for (int i = 0; i < stage->keys; i++)
        sweep->key[i] = sqlite3_column_int64(sweep->statement, i);
    if (!stage->is_sweep)
        mark(marks, id);
    else if (!is_marked(marks, id))
        return delete_id(store, stage->is_family, id);
    return OC_OK;
}

static int take_rows(oc_store *store, void *context)
{
    struct oc_sweep *sweep = &store->upkeep->sweep;
    int *rows = context;
    int rc = prepare(store, sweep), step = SQLITE_DONE;

    while (rc == OC_OK && (step = sqlite3_step(sweep->statement)) == SQLITE_ROW) {
        (*rows)++;
        rc = take_row(store, sweep);
    }
    if (sweep->statement)
        (void)sqlite3_reset(sweep->statement); /* says again what step said */
    return rc < 0 ? rc : oc_sqlite_err(step);
}

int oc_sweep_step(oc_store *store)
{
    struct oc_sweep *sweep = &store->upkeep->sweep;
    int rows = 0;
    int rc = stages[sweep->stage].is_sweep ? oc_upkeep_transaction(store, take_rows, &rows)
                                           : take_rows(store, &rows);

    if (rc == OC_OK && rows == OC_SWEEP_ROWS)
        return 1;
    if (rc == OC_OK && sweep->stage + 1 < STAGES) {
        (void)sqlite3_finalize(sweep->statement);
        sweep->statement = NULL;
        sweep->stage++;
        for (int i = 0; i < OC_SWEEP_KEYS; i++)
            sweep->key[i] = INT64_MIN;
        return 1;
    }
    oc_sweep_clear(sweep);
    return rc;
}
