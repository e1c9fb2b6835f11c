#include "storage/format/walk_rows.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

int oc_walk_cell_is_sound(int64_t cell)
{
    return cell >= 0 && cell < OC_WALK_CELLS && cell >> 4 < OC_USAGE_COUNT &&
           (cell >> 2 & 3) < OC_REGION_TYPES && (cell & 3) < OC_REGION_STATES;
}

/* FNV-1a of 64 bits, folded: texts that differ in one character must not meet. */
int32_t oc_text_hash(const char *text, size_t len_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    uint32_t folded;

    for (size_t i = 0; i < len_bytes; i++) {
        hash ^= (unsigned char)text[i];
        hash *= UINT64_C(0x100000001b3);
    }
    folded = (uint32_t)(hash ^ hash >> 32);
    return folded > INT32_MAX ? (int32_t)(folded - INT32_MAX - 1) + INT32_MIN : (int32_t)folded;
}

uint64_t oc_walk_u64(sqlite3_stmt *statement, int column)
{
    int64_t value = sqlite3_column_int64(statement, column);

    return value < 0 ? 0 : (uint64_t)value;
}

uint32_t oc_walk_u32(sqlite3_stmt *statement, int column)
{
    uint64_t value = oc_walk_u64(statement, column);

    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* ---- statements ---- */

int oc_walk_rows_init(struct oc_walk_rows *rows, sqlite3 *db)
{
    static const char *const texts[] = {
        ("SELECT t, id, keyed, seen, known, largest_free, largest_free_at, arenas, runtime"
         " FROM main.walk WHERE source = ?1 AND t <= ?2 ORDER BY t DESC"),
        "SELECT cell, count, bytes, largest, resident FROM main.region_total WHERE walk = ?1",
        "SELECT family, count, names, bytes, deleted FROM main.family_count WHERE walk = ?1",
    };
    sqlite3_stmt **places[] = { &rows->walks, &rows->cells, &rows->families };
    int rc = SQLITE_OK;

    for (size_t i = 0; i < sizeof texts / sizeof *texts && rc == SQLITE_OK; i++)
        if (!*places[i])
            rc = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, places[i], NULL);
    return rc;
}

void oc_walk_rows_clear(struct oc_walk_rows *rows)
{
    (void)sqlite3_finalize(rows->walks); /* nothing is running */
    (void)sqlite3_finalize(rows->cells);
    (void)sqlite3_finalize(rows->families);
    memset(rows, 0, sizeof *rows);
}

/* ---- the state, from the newest row back: what is set stands ---- */

static size_t place_of(const struct oc_walk_state *state, int64_t family)
{
    size_t low = 0, high = state->family_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (state->families[middle].family < family)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct oc_walk_family *oc_walk_state_family(const struct oc_walk_state *state, int64_t family)
{
    size_t place = place_of(state, family);

    if (place == state->family_count || state->families[place].family != family)
        return NULL;
    return &state->families[place];
}

static int add_family(struct oc_walk_state *state, sqlite3_stmt *statement)
{
    int64_t family = sqlite3_column_int64(statement, 0);
    size_t place = place_of(state, family);
    void *families = state->families;
    int rc;

    if (place < state->family_count && state->families[place].family == family)
        return OC_OK;
    rc = oc_array_grow(&families, &state->family_cap, state->family_count + 1,
                       sizeof *state->families, OC_WALK_MAX_FAMILIES);
    state->families = families;
    if (rc < 0)
        return rc == OC_E_TOOBIG ? OC_E_CORRUPT : rc;
    memmove(state->families + place + 1, state->families + place,
            (state->family_count - place) * sizeof *state->families);
    state->family_count++;
    state->families[place] =
        (struct oc_walk_family){ .family = family,
                                 .count = oc_walk_u32(statement, 1),
                                 .names = oc_walk_u32(statement, 2),
                                 .bytes = oc_walk_u64(statement, 3),
                                 .deleted = sqlite3_column_int(statement, 4) != 0 };
    return OC_OK;
}

static int add_cell(struct oc_walk_state *state, sqlite3_stmt *statement)
{
    int64_t number = sqlite3_column_int64(statement, 0);
    struct oc_walk_cell *cell;

    if (!oc_walk_cell_is_sound(number) || state->cells[number].is_set)
        return OC_OK;
    cell = &state->cells[number];
    cell->is_set = 1;
    cell->count = oc_walk_u32(statement, 1);
    cell->bytes = oc_walk_u64(statement, 2);
    cell->largest_bytes = oc_walk_u64(statement, 3);
    cell->resident_bytes = sqlite3_column_type(statement, 4) == SQLITE_NULL
                               ? OC_RESIDENT_UNKNOWN
                               : oc_walk_u64(statement, 4);
    return OC_OK;
}

static int add_rows(struct oc_walk_state *state, sqlite3_stmt *statement, int64_t walk,
                    int (*add)(struct oc_walk_state *, sqlite3_stmt *))
{
    int rc = OC_OK, step = SQLITE_DONE;

    (void)sqlite3_bind_int64(statement, 1, walk);
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = add(state, statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc < 0 ? rc : oc_sqlite_err(step);
}

/* Figures of the walk's own row. */
static void add_walk(struct oc_walk_state *state, sqlite3_stmt *statement)
{
    int64_t t_boot_ms = sqlite3_column_int64(statement, 0);
    unsigned seen = oc_walk_u32(statement, 3);
    const unsigned char *runtime = sqlite3_column_text(statement, 8);

    if (state->walks++ == 0) {
        state->t_boot_ms = t_boot_ms;
        state->seen = seen;
        state->known = oc_walk_u32(statement, 4);
    }
    if (seen & OC_WALK_REGIONS && state->regions_boot_ms == INT64_MIN) {
        state->regions_boot_ms = t_boot_ms;
        state->largest_free_bytes = oc_walk_u64(statement, 5);
        state->largest_free_start = oc_walk_u64(statement, 6);
        state->arena_count = oc_walk_u32(statement, 7);
    }
    if (runtime && !state->has_runtime) {
        state->has_runtime = 1;
        (void)oc_text_copy(state->runtime, sizeof state->runtime, (const char *)runtime);
    }
}

static void begin_state(struct oc_walk_state *state)
{
    struct oc_walk_family *families = state->families;
    size_t family_cap = state->family_cap;

    memset(state, 0, sizeof *state);
    state->families = families;
    state->family_cap = family_cap;
    state->t_boot_ms = state->regions_boot_ms = INT64_MIN;
}

int oc_walk_state_load(struct oc_walk_rows *rows, uint32_t source, int64_t until_boot_ms,
                       struct oc_walk_state *state)
{
    int rc = OC_OK, step = SQLITE_DONE;

    begin_state(state);
    (void)sqlite3_bind_int64(rows->walks, 1, source);
    (void)sqlite3_bind_int64(rows->walks, 2, until_boot_ms);
    while (rc == OC_OK && !state->has_keyed && (step = sqlite3_step(rows->walks)) == SQLITE_ROW) {
        int64_t walk = sqlite3_column_int64(rows->walks, 1);

        add_walk(state, rows->walks);
        state->has_keyed = sqlite3_column_int(rows->walks, 2) != 0;
        if (sqlite3_column_type(rows->walks, 1) == SQLITE_NULL)
            continue;
        rc = add_rows(state, rows->cells, walk, add_cell);
        if (rc == OC_OK)
            rc = add_rows(state, rows->families, walk, add_family);
    }
    (void)sqlite3_reset(rows->walks); /* says again what step said */
    return rc < 0 ? rc : oc_sqlite_err(step);
}

void oc_walk_state_clear(struct oc_walk_state *state)
{
    oc_free(state->families);
    memset(state, 0, sizeof *state);
}
