/* A walk on its way into the file: what differs from the last one, and now and then all of it. */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- into the batch ---- */

static size_t load_bytes(const struct oc_census *census)
{
    return sizeof(struct oc_walk_load) + oc_census_bytes(census);
}

/* Copies count items to *at and steps past them. */
static void *copy_array(char **at, const void *items, size_t bytes)
{
    void *copy = *at;

    if (bytes)
        memcpy(copy, items, bytes);
    *at += bytes;
    return copy;
}

static void fill_load(struct oc_walk_load *load, const struct oc_store_walk *walk)
{
    const struct oc_census *from = walk->census;
    struct oc_census *to = &load->census;
    char *at = (char *)(load + 1); /* all items are of whole 8 bytes; the text comes last */

    load->walk = *walk;
    load->walk.census = NULL;
    *to = *from;
    to->totals = copy_array(&at, from->totals, from->total_count * sizeof *from->totals);
    to->families = copy_array(&at, from->families, from->family_count * sizeof *from->families);
    to->modules = copy_array(&at, from->modules, from->module_count * sizeof *from->modules);
    to->text = copy_array(&at, from->text, from->text_bytes);
}

static_assert(sizeof(struct oc_region_total) % 8 == 0 && sizeof(struct oc_family) % 8 == 0 &&
                  sizeof(struct oc_module) % 8 == 0 && sizeof(struct oc_walk_load) % 8 == 0,
              "arrays of a load follow each other");

static int queue_walk(oc_store *store, uint32_t source, const struct oc_store_walk *walk)
{
    size_t bytes = load_bytes(walk->census);
    struct oc_walk_load *load;
    struct oc_op *op;

    if (!oc_store_has_room(store, bytes))
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, OC_OP_WALK, source, NULL, NULL);
    if (!op)
        return OC_E_NOMEM;
    load = oc_store_add_load(store, op, bytes); /* an op without one writes nothing */
    if (!load)
        return OC_E_NOMEM;
    fill_load(load, walk);
    op->boot_ms = walk->boot_ms;
    return OC_OK;
}

int oc_store_walk(oc_store *store, uint32_t source, const struct oc_store_walk *walk)
{
    struct oc_open_source *open = oc_store_find(store, source);
    int rc;

    if (!open)
        return OC_E_NOENT;
    if (walk->boot_ms <= open->walk_boot_ms)
        return OC_E_INVAL;
    rc = queue_walk(store, source, walk);
    if (rc < 0) {
        store->stats.dropped_walks++;
        return rc;
    }
    open->walk_boot_ms = walk->boot_ms;
    store->stats.walks++;
    return OC_OK;
}

/* ---- into the file ---- */

struct writing {
    oc_store *store;
    const struct oc_walk_load *load;
    const struct oc_walk_state *before;
    uint32_t source;
    int64_t id; /* of the rows */
    int keyed;
    unsigned rows;
};

/* What SQLite can hold of an unsigned figure. */
static int64_t signed_of(uint64_t value) { return value > INT64_MAX ? INT64_MAX : (int64_t)value; }

static int put_cell(struct writing *writing, unsigned number, const struct oc_walk_cell *cell)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, OC_SQL_CELL_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->id);
        (void)sqlite3_bind_int64(statement, 2, number);
        (void)sqlite3_bind_int64(statement, 3, cell->count);
        (void)sqlite3_bind_int64(statement, 4, signed_of(cell->bytes));
        (void)sqlite3_bind_int64(statement, 5, signed_of(cell->largest_bytes));
        if (cell->resident_bytes != OC_RESIDENT_UNKNOWN)
            (void)sqlite3_bind_int64(statement, 6, signed_of(cell->resident_bytes));
    }
    writing->rows++;
    return oc_store_run(writing->store, statement);
}

static int same_cell(const struct oc_walk_cell *a, const struct oc_walk_cell *b)
{
    return a->count == b->count &&
           (a->count == 0 || (a->bytes == b->bytes && a->largest_bytes == b->largest_bytes &&
                              a->resident_bytes == b->resident_bytes));
}

static void add_total(struct oc_walk_cell *cell, const struct oc_region_total *total)
{
    if (cell->count == 0)
        cell->resident_bytes = 0;
    cell->count += total->count;
    cell->bytes += total->bytes;
    if (total->largest_bytes > cell->largest_bytes)
        cell->largest_bytes = total->largest_bytes;
    if (total->resident_bytes == OC_RESIDENT_UNKNOWN || cell->resident_bytes == OC_RESIDENT_UNKNOWN)
        cell->resident_bytes = OC_RESIDENT_UNKNOWN;
    else
        cell->resident_bytes += total->resident_bytes;
}

static void cells_of(const struct oc_census *census, struct oc_walk_cell *cells)
{
    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *total = &census->totals[i];
        unsigned number = (unsigned)OC_WALK_CELL(total->usage, total->type, total->state);

        if (total->usage < OC_USAGE_COUNT && total->type < OC_REGION_TYPES &&
            total->state < OC_REGION_STATES)
            add_total(&cells[number], total);
    }
}

static int write_cells(struct writing *writing)
{
    struct oc_walk_cell seen[OC_WALK_CELLS] = { { 0 } };
    const struct oc_walk_cell *before = writing->before->cells, *now = before;
    int rc = OC_OK;

    if (writing->load->census.has_regions) {
        cells_of(&writing->load->census, seen);
        now = seen;
    }
    for (unsigned i = 0; i < OC_WALK_CELLS && rc == OC_OK; i++)
        if (!same_cell(&before[i], &now[i]) || (writing->keyed && now[i].count))
            rc = put_cell(writing, i, &now[i]);
    return rc;
}

/* ---- families ---- */

static int put_family(struct writing *writing, const struct oc_walk_family *family)
{
    sqlite3_stmt *statement = oc_store_statement(writing->store, OC_SQL_FAMILY_COUNT_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->id);
        (void)sqlite3_bind_int64(statement, 2, family->family);
        (void)sqlite3_bind_int64(statement, 3, family->count);
        (void)sqlite3_bind_int64(statement, 4, family->names);
        (void)sqlite3_bind_int64(statement, 5, signed_of(family->bytes));
        (void)sqlite3_bind_int(statement, 6, family->deleted);
    }
    writing->rows++;
    return oc_store_run(writing->store, statement);
}

static int by_family(const void *a, const void *b)
{
    int64_t x = ((const struct oc_walk_family *)a)->family;
    int64_t y = ((const struct oc_walk_family *)b)->family;

    return (x > y) - (x < y);
}

/* Sorted by row, those of one row as one. Returns how many are left. */
static size_t sort_families(struct oc_walk_family *families, size_t count)
{
    size_t kept = 0;

    qsort(families, count, sizeof *families, by_family);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || families[kept - 1].family != families[i].family) {
            families[kept++] = families[i];
            continue;
        }
        families[kept - 1].count += families[i].count;
        families[kept - 1].names += families[i].names;
        families[kept - 1].bytes += families[i].bytes;
        families[kept - 1].deleted |= families[i].deleted;
    }
    return kept;
}

static int is_seen(const struct oc_census *census, int kind)
{
    return kind >= 0 && kind < OC_FAMILY_KINDS && (census->has_families >> kind & 1);
}

/* The census's families by their rows, into now[]. */
static int families_of(struct writing *writing, struct oc_walk_family *now, size_t *out_count)
{
    const struct oc_census *census = &writing->load->census;
    size_t count = 0;

    for (size_t i = 0; i < census->family_count; i++) {
        const struct oc_family *family = &census->families[i];
        int rc;

        if (!is_seen(census, family->kind) || family->count == 0)
            continue;
        rc = oc_store_intern_family(writing->store, census, family, &now[count].family);
        if (rc < 0)
            return rc;
        now[count].count = family->count;
        now[count].names = family->distinct;
        now[count].bytes = family->bytes;
        now[count++].deleted = (family->flags & OC_FAMILY_DELETED) != 0;
    }
    *out_count = sort_families(now, count);
    return OC_OK;
}

static int same_family(const struct oc_walk_family *a, const struct oc_walk_family *b)
{
    return a && a->count == b->count && a->names == b->names && a->bytes == b->bytes &&
           a->deleted == b->deleted;
}

/* One that was there and is not in the census: gone, if its kind was looked at; else as it was. */
static int put_missing(struct writing *writing, const struct oc_walk_family *before)
{
    struct oc_walk_family gone = { .family = before->family };
    int kind, rc;

    if (before->count == 0)
        return OC_OK;
    rc = oc_store_family_kind(writing->store, before->family, &kind);
    if (rc < 0)
        return rc;
    if (kind < 0 || is_seen(&writing->load->census, kind))
        return put_family(writing, &gone);
    if (!writing->keyed)
        return OC_OK;
    oc_store_mark_family(writing->store, before->family);
    return put_family(writing, before);
}

static int write_missing(struct writing *writing, const struct oc_walk_family *now, size_t count)
{
    const struct oc_walk_state *before = writing->before;
    int rc = OC_OK;

    for (size_t i = 0, at = 0; i < before->family_count && rc == OC_OK; i++) {
        while (at < count && now[at].family < before->families[i].family)
            at++;
        if (at == count || now[at].family != before->families[i].family)
            rc = put_missing(writing, &before->families[i]);
    }
    return rc;
}

static int write_families(struct writing *writing)
{
    struct oc_walk_family *now = oc_calloc(writing->load->census.family_count + 1, sizeof *now);
    size_t count = 0;
    int rc = now ? families_of(writing, now, &count) : OC_E_NOMEM;

    for (size_t i = 0; i < count && rc == OC_OK; i++)
        if (writing->keyed ||
            !same_family(oc_walk_state_family(writing->before, now[i].family), &now[i]))
            rc = put_family(writing, &now[i]);
    if (rc == OC_OK)
        rc = write_missing(writing, now, count);
    oc_free(now);
    return rc;
}

/* ---- the walk's own row ---- */

static unsigned seen_of(const struct oc_census *census)
{
    unsigned seen =
        (census->has_regions ? OC_WALK_REGIONS : 0) | (census->has_modules ? OC_WALK_MODULES : 0) |
        (census->is_truncated ? OC_WALK_TRUNCATED : 0) | (census->is_32bit ? OC_WALK_32BIT : 0);

    for (unsigned kind = 0; kind < OC_FAMILY_KINDS; kind++)
        if (census->has_families >> kind & 1)
            seen |= OC_WALK_FAMILY(kind);
    return seen;
}

/* NULL: as before. */
static const char *runtime_of(const struct writing *writing)
{
    const struct oc_walk_state *before = writing->before;
    const struct oc_census *census = &writing->load->census;
    const char *now =
        !census->has_regions && !census->runtime[0] ? before->runtime : census->runtime;

    return !writing->keyed && before->has_runtime && strcmp(before->runtime, now) == 0 ? NULL : now;
}

static void bind_holes(sqlite3_stmt *statement, const struct oc_census *census)
{
    if (census->has_regions && census->largest_free_bytes) {
        (void)sqlite3_bind_int64(statement, 10, signed_of(census->largest_free_bytes));
        (void)sqlite3_bind_int64(statement, 11, signed_of(census->largest_free_start));
    }
    (void)sqlite3_bind_int64(statement, 12, census->arena_count);
}

static int put_walk(struct writing *writing)
{
    const struct oc_store_walk *walk = &writing->load->walk;
    const char *runtime = runtime_of(writing);
    unsigned seen = seen_of(&writing->load->census);
    unsigned kept = OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES;
    sqlite3_stmt *statement = oc_store_statement(writing->store, OC_SQL_WALK_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, writing->source);
        (void)sqlite3_bind_int64(statement, 2, walk->boot_ms);
        if (writing->rows)
            (void)sqlite3_bind_int64(statement, 3, writing->id);
        (void)sqlite3_bind_int(statement, 4, writing->keyed);
        (void)sqlite3_bind_int64(statement, 5, seen);
        (void)sqlite3_bind_int64(statement, 6, (seen | writing->before->known) & kept);
        (void)sqlite3_bind_int64(statement, 7, walk->cpu_us);
        (void)sqlite3_bind_int64(statement, 8, walk->wall_us);
        (void)sqlite3_bind_int64(statement, 9, walk->stall_us);
        bind_holes(statement, &writing->load->census);
        if (runtime)
            (void)sqlite3_bind_text(statement, 13, runtime, -1, SQLITE_STATIC);
    }
    return oc_store_run(writing->store, statement);
}

static int write_parts(struct writing *writing)
{
    const struct oc_walk_load *load = writing->load;
    int rc = write_cells(writing);

    if (rc == OC_OK)
        rc = write_families(writing);
    if (rc == OC_OK && load->census.has_modules)
        rc = oc_store_write_modules(writing->store, writing->source, load->walk.boot_ms,
                                    &load->census);
    return rc == OC_OK ? put_walk(writing) : rc;
}

int oc_store_write_walk(oc_store *store, const struct oc_op *op)
{
    struct oc_walk_state *before = &store->walk_state;
    struct writing writing = {
        .store = store, .load = op->load, .before = before, .source = op->source
    };
    int rc;

    if (!op->load)
        return OC_OK;
    rc = oc_sqlite_err(oc_walk_rows_init(&store->walk_rows, store->db));
    if (rc == OC_OK)
        rc = oc_walk_state_load(&store->walk_rows, op->source, INT64_MAX, before);
    if (rc < 0 || before->t_boot_ms >= op->boot_ms) /* a walk that the file has already */
        return rc;
    writing.keyed = !before->has_keyed || before->walks >= OC_WALK_KEYED_EVERY;
    writing.id = store->next_walk++; /* one that is rolled back leaves a hole */
    return write_parts(&writing);
}

/* Rows name their walk by an id: one that is in use must not come again. */
int oc_store_load_next_walk(oc_store *store)
{
    static const char *const texts[] = { "SELECT max(walk) FROM region_total",
                                         "SELECT max(walk) FROM family_count" };

    store->next_walk = 1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t last = 0;
        int rc = oc_sqlite_number(store->db, texts[i], &last);

        if (oc_sqlite_err(rc) < 0)
            return oc_sqlite_err(rc);
        if (last >= store->next_walk && last < INT64_MAX)
            store->next_walk = last + 1;
    }
    return OC_OK;
}
